//! Plain rows in SQLite, one a sample, clustered by point and time: what the embedded history is measured against
//! (`plenum bench history`).

use super::embedded::error;
use super::{HistoryError, PointKey, Span, Stored};
use crate::quality::Quality;
use crate::time::Time;
use rusqlite::Connection;
use std::path::{Path, PathBuf};

/// A table of samples, as durable as the history: a write-ahead log, on the disk at each commit.
pub struct Rows {
    db: Connection,
    file: PathBuf,
}

impl Rows {
    /// Makes it in a new file.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn new(file: &Path) -> Result<Self, HistoryError> {
        let rows = Self { db: Connection::open(file).map_err(|e| error(file, &e))?, file: file.to_path_buf() };
        let made = rows.db.execute_batch(
            "PRAGMA page_size = 16384; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA cache_size = -16000;
             CREATE TABLE sample (point INTEGER, time INTEGER, arrival INTEGER, value REAL, quality INTEGER, code INTEGER,
             PRIMARY KEY (point, time)) WITHOUT ROWID",
        );
        made.map_err(|e| error(&rows.file, &e))?;
        Ok(rows)
    }

    /// Keeps samples in one transaction.
    ///
    /// # Errors
    /// When they cannot be written.
    pub fn append(&mut self, samples: &[(PointKey, Stored)]) -> Result<(), HistoryError> {
        let Self { db, file } = self;
        let mut put = || {
            let tx = db.transaction()?;
            {
                let insert = "INSERT OR REPLACE INTO sample VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
                let mut insert = tx.prepare_cached(insert)?;
                for (key, s) in samples {
                    insert.execute((key.0, s.time.0, s.arrival.0, s.value, s.quality.code(), s.code))?;
                }
            }
            tx.commit()
        };
        put().map_err(|e| error(file, &e))
    }

    /// The samples of a point in a span.
    ///
    /// # Errors
    /// When they cannot be read.
    pub fn samples(&self, point: PointKey, span: Span) -> Result<Vec<Stored>, HistoryError> {
        let asked =
            "SELECT time, arrival, value, quality, code FROM sample WHERE point = ?1 AND time >= ?2 AND time < ?3";
        self.ask(asked, (point.0, span.from.0, span.to.0))
    }

    /// The newest sample of a point.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn latest(&self, point: PointKey) -> Result<Option<Stored>, HistoryError> {
        let asked =
            "SELECT time, arrival, value, quality, code FROM sample WHERE point = ?1 ORDER BY time DESC LIMIT 1";
        self.ask(asked, (point.0,)).map(|found| found.first().copied())
    }

    fn ask(&self, asked: &str, with: impl rusqlite::Params) -> Result<Vec<Stored>, HistoryError> {
        let read = || -> rusqlite::Result<Vec<Stored>> {
            let mut query = self.db.prepare_cached(asked)?;
            let rows = query.query_map(with, |r| {
                Ok(Stored {
                    time: Time(r.get(0)?),
                    arrival: Time(r.get(1)?),
                    value: r.get(2)?,
                    quality: Quality::of_code(r.get(3)?).unwrap_or_default(),
                    code: r.get(4)?,
                })
            })?;
            rows.collect()
        };
        read().map_err(|e| error(&self.file, &e))
    }

    /// Writes the log into the file, so that its size is what is kept.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn settle(&self) -> Result<(), HistoryError> {
        self.db.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(())).map_err(|e| error(&self.file, &e))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_kept_and_read() {
        let dir = tempfile::tempdir().unwrap();
        let mut rows = Rows::new(&dir.path().join("r.db")).unwrap();
        let sample = |t| Stored { time: Time(t), arrival: Time(t), value: 0.5, quality: Quality::Manual, code: 3 };
        let batch: Vec<_> = (0..10).map(|t| (PointKey(t as u32 % 2), sample(t))).collect();
        rows.append(&batch).unwrap();
        rows.append(&batch).unwrap();
        rows.settle().unwrap();
        let span = Span { from: Time(2), to: Time(7) };
        assert_eq!(rows.samples(PointKey(0), span).unwrap(), [sample(2), sample(4), sample(6)]);
        assert_eq!(rows.latest(PointKey(1)).unwrap(), Some(sample(9)));
        assert_eq!(rows.latest(PointKey(9)).unwrap(), None);
    }
}
