//! The history in one file: SQLite with its write-ahead log, no server.
//!
//! A batch is committed to a journal, packed, before [`History::append`] comes back. Samples of a point gather in
//! memory, are sealed some hundred at a time into compressed segments of their own, and summed up in the same
//! transaction; only then does the journal let them go. After a crash the journal is read again. Points are sealed in
//! turns, a few in a transaction, so that no commit waits long.
//!
//! | table | what |
//! |---|---|
//! | `point` | id, unit, class, scale; `sealed`: up to which batch its samples are in segments |
//! | `journal` | batches, by number |
//! | `segment` | packed samples: point, first and last moment, count |
//! | `rollup` | packed buckets: point, level, from when on |
//! | `latest` | the newest sample of each point at its last sealing |
//! | `audit` | what was deleted, when and why |

mod adopt;
mod check;
mod hot;
mod journal;
mod keep;
mod open;
mod read;
mod restore;
mod rollup;
mod schema;
mod seal;

#[cfg(test)]
mod tests;

pub use check::{Verified, verify};
pub use keep::hold;
pub use open::{holder, size};
pub use read::EmbeddedReader;
pub use restore::{back_up, restore};
pub(super) use schema::error;

use super::{
    Bucket, Entry, History, HistoryError, Kept, Level, Past, PointInfo, PointKey, Reader, Reason, Retention, State,
    Stored,
};
use crate::time::Time;
use hot::Hot;
use rusqlite::Connection;
use std::collections::VecDeque;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

/// How an embedded history works.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// Samples of a segment.
    pub segment: usize,
    /// Samples that the journal may hold before points are sealed that have few.
    pub journal: usize,
    /// Points that are sealed in one transaction.
    pub at_once: usize,
}

impl Default for Options {
    fn default() -> Self {
        Self { segment: 500, journal: 1_000_000, at_once: 20 }
    }
}

/// A history in one file.
pub struct Embedded {
    db: Connection,
    file: PathBuf,
    options: Options,
    hot: Arc<RwLock<Hot>>,
    /// Number of the last batch.
    seq: i64,
    /// Batches in the journal and how many samples each has, the oldest first.
    batches: VecDeque<(i64, usize)>,
    /// Samples of all of them.
    journalled: usize,
    /// Points with enough samples for a segment, in the order in which they got there.
    ready: VecDeque<PointKey>,
    appended: u64,
    /// Held as long as this program has the history.
    _lock: File,
}

impl Embedded {
    /// The file.
    pub fn file(&self) -> &Path {
        &self.file
    }

    /// Copies all of it, as it is at this moment, into another file, while it goes on; what stood there is replaced
    /// once the copy is whole.
    ///
    /// # Errors
    /// When the other file cannot be written.
    pub fn back_up(&self, to: &Path) -> Result<(), HistoryError> {
        restore::copy_out(&self.db, &self.file, to)
    }

    fn hot(&self) -> RwLockReadGuard<'_, Hot> {
        self.hot.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn hot_mut(&self) -> RwLockWriteGuard<'_, Hot> {
        self.hot.write().unwrap_or_else(PoisonError::into_inner)
    }

    fn error(&self, e: &rusqlite::Error) -> HistoryError {
        schema::error(&self.file, e)
    }
}

fn reason_of(e: &std::io::Error) -> Reason {
    match e.kind() {
        std::io::ErrorKind::StorageFull | std::io::ErrorKind::QuotaExceeded => Reason::Full,
        std::io::ErrorKind::PermissionDenied | std::io::ErrorKind::ReadOnlyFilesystem => Reason::ReadOnly,
        _ => Reason::Gone,
    }
}

impl History for Embedded {
    fn declare(&mut self, points: &[PointInfo]) -> Result<Vec<PointKey>, HistoryError> {
        let error = |e: rusqlite::Error| schema::error(&self.file, &e);
        let hot = Arc::clone(&self.hot);
        let mut hot = hot.write().unwrap_or_else(PoisonError::into_inner);
        let mut next = hot.points.len();
        let mut keys = Vec::with_capacity(points.len());
        let mut changed: Vec<(PointKey, &PointInfo)> = Vec::new();
        let mut new: std::collections::HashMap<&str, PointKey> = std::collections::HashMap::new();
        for info in points {
            let known = hot.key(&info.id).or_else(|| new.get(info.id.as_str()).copied());
            let key = match known {
                Some(key) => key,
                None => {
                    let number = u32::try_from(next).map_err(|_| {
                        HistoryError::new(Reason::Wrong, info.id.clone(), "there are more points than numbers for them")
                    })?;
                    next += 1;
                    new.insert(&info.id, PointKey(number));
                    PointKey(number)
                }
            };
            if hot.point(key).is_none_or(|p| p.info != *info) {
                changed.push((key, info));
            }
            keys.push(key);
        }
        if changed.is_empty() {
            return Ok(keys);
        }
        let tx = self.db.transaction().map_err(error)?;
        for (key, info) in &changed {
            schema::put_point(&tx, *key, info).map_err(error)?;
        }
        tx.commit().map_err(error)?;
        for (key, info) in changed {
            hot.put(key, info.clone(), self.options.segment);
        }
        Ok(keys)
    }

    fn append(&mut self, samples: &[(PointKey, Stored)]) -> Result<(), HistoryError> {
        if samples.is_empty() {
            return Ok(());
        }
        let count = self.hot().points.len();
        if let Some((wrong, _)) = samples.iter().find(|(key, _)| key.0 as usize >= count) {
            let message = format!("there is no point {} in it", wrong.0);
            return Err(HistoryError::new(Reason::Wrong, self.file.display().to_string(), message));
        }
        let seq = self.seq + 1;
        // One statement is a transaction of its own, and is on the disk when it comes back.
        self.db
            .prepare_cached("INSERT INTO journal (seq, n, data) VALUES (?1, ?2, ?3)")
            .and_then(|mut s| s.execute((seq, samples.len() as i64, journal::encode(samples))))
            .map_err(|e| self.error(&e))?;
        self.seq = seq;
        self.batches.push_back((seq, samples.len()));
        self.journalled += samples.len();
        self.appended += samples.len() as u64;
        let mut ready = std::mem::take(&mut self.ready);
        let mut hot = self.hot_mut();
        for (key, sample) in samples {
            if hot.push(*key, *sample, seq) {
                ready.push_back(*key);
            }
        }
        drop(hot);
        self.ready = ready;
        Ok(())
    }

    fn tend(&mut self) -> Result<bool, HistoryError> {
        self.seal_some()
    }

    fn retain(&mut self, now: Time, retention: &Retention) -> Result<Kept, HistoryError> {
        self.delete_old(now, retention)
    }

    fn hold(&mut self, point: PointKey, hold: bool, now: Time, why: &str) -> Result<(), HistoryError> {
        self.set_hold(point, hold, now, why)
    }

    fn adopt(&mut self, point: PointKey, past: &Past, sums: &[(Level, Vec<Bucket>)]) -> Result<(), HistoryError> {
        self.take_over(point, past, sums)
    }

    fn book(&mut self, most: usize) -> Result<Vec<Entry>, HistoryError> {
        keep::book(&self.db, most).map_err(|e| self.error(&e))
    }

    fn reader(&self) -> Result<Box<dyn Reader>, HistoryError> {
        Ok(Box::new(EmbeddedReader::beside(&self.file, Arc::clone(&self.hot))?))
    }

    fn state(&self) -> State {
        let hot = self.hot();
        State { points: hot.points.len(), appended: self.appended, waiting: hot.waiting }
    }
}
