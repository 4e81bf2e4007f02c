//! Reading beside the one who writes, or alone.

use super::hot::Hot;
use super::{adopt, keep, open, rollup, schema, seal};
use crate::history::bucket::cut;
use crate::history::{
    Bucket, Entry, HistoryError, Level, Past, PointInfo, PointKey, Reader, Reason, Span, Stored, settle,
};
use rusqlite::{Connection, OpenFlags};
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard};

/// Reads an embedded history.
pub struct EmbeddedReader {
    db: Connection,
    file: PathBuf,
    hot: Arc<RwLock<Hot>>,
}

impl EmbeddedReader {
    /// Reads a history that nobody here writes: as it is at this moment. Another program may have it open.
    ///
    /// # Errors
    /// A file that is not there or is no history.
    pub fn open(file: &Path) -> Result<Self, HistoryError> {
        let db = connect(file)?;
        let (hot, _, _) = open::recover(&db, file, super::Options::default().segment)?;
        Ok(Self { db, file: file.to_path_buf(), hot: Arc::new(RwLock::new(hot)) })
    }

    pub(super) fn beside(file: &Path, hot: Arc<RwLock<Hot>>) -> Result<Self, HistoryError> {
        Ok(Self { db: connect(file)?, file: file.to_path_buf(), hot })
    }

    fn hot(&self) -> RwLockReadGuard<'_, Hot> {
        self.hot.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// What of a point is not sealed, in a span, settled.
    fn waiting(&self, point: PointKey, span: Span) -> Vec<Stored> {
        let hot = self.hot();
        let all = hot.point(point).map(|p| p.samples.as_slice()).unwrap_or_default();
        let mut own: Vec<Stored> = all.iter().filter(|s| span.holds(s.time)).copied().collect();
        drop(hot);
        settle(&mut own);
        own
    }
}

pub(super) fn connect(file: &Path) -> Result<Connection, HistoryError> {
    if !file.is_file() {
        let message = "there is no history yet";
        return Err(HistoryError::new(Reason::Gone, file.display().to_string(), message));
    }
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let db = Connection::open_with_flags(file, flags).map_err(|e| schema::error(file, &e))?;
    match schema::check_version(&db, file) {
        // As a program leaves it that ended while it made one.
        Ok(()) if !schema::is_made(&db, file)? => {
            let message = "there is no history yet: the file is empty";
            return Err(HistoryError::new(Reason::Gone, file.display().to_string(), message));
        }
        Ok(()) => {}
        // SQLite wants to write the index of a log beside it. Where nobody may write there and no log is, nobody
        // writes the file either, and it can be read as it is.
        Err(e) if e.reason != Reason::Wrong && !beside(file, "-wal").exists() => {
            let same = immutable(file, flags).and_then(|db| schema::check_version(&db, file).map(|()| db));
            return same.map_err(|_| e);
        }
        Err(e) => return Err(e),
    }
    db.set_prepared_statement_cache_capacity(32);
    Ok(db)
}

fn immutable(file: &Path, flags: OpenFlags) -> Result<Connection, HistoryError> {
    let path: String = file.to_string_lossy().replace('\\', "/");
    let escaped = path.replace('%', "%25").replace('?', "%3f").replace('#', "%23");
    let root = if escaped.starts_with('/') { "" } else { "/" };
    let relative = file.is_relative();
    let uri =
        if relative { format!("file:{escaped}?immutable=1") } else { format!("file://{root}{escaped}?immutable=1") };
    Connection::open_with_flags(uri, flags | OpenFlags::SQLITE_OPEN_URI).map_err(|e| schema::error(file, &e))
}

/// The file of SQLite's that stands beside one of its databases: `-wal`, `-shm`.
pub(super) fn beside(file: &Path, end: &str) -> PathBuf {
    let name = file.file_name().unwrap_or_default().to_string_lossy();
    file.with_file_name(format!("{name}{end}"))
}

impl Reader for EmbeddedReader {
    fn points(&self) -> Result<Vec<(PointKey, PointInfo)>, HistoryError> {
        let hot = self.hot();
        Ok((0u32..).map(PointKey).zip(hot.points.iter().map(|p| p.info.clone())).collect())
    }

    fn samples(&self, point: PointKey, span: Span) -> Result<Vec<Stored>, HistoryError> {
        // First what waits: what is sealed in between is then seen twice, and never not at all.
        let waiting = self.waiting(point, span);
        let mut samples = seal::sealed(&self.db, &self.file, point, span)?;
        if !waiting.is_empty() {
            samples.extend(waiting);
            settle(&mut samples);
        }
        Ok(samples)
    }

    fn buckets(&self, point: PointKey, level: Level, span: Span) -> Result<Vec<Bucket>, HistoryError> {
        let wider = Span { from: span.from, to: crate::time::Time(span.to.0.saturating_add(level.length_ms())) };
        let waiting = self.waiting(point, wider);
        let mut buckets = rollup::sealed(&self.db, &self.file, point, level, span)?;
        for hours in rollup::hours(&waiting) {
            let all = self.samples(point, hours)?;
            buckets.retain(|b| !hours.holds(b.start));
            buckets.extend(cut(&all, level.length_ms()).into_iter().filter(|b| span.holds(b.start)));
        }
        buckets.sort_by_key(|b| b.start);
        Ok(buckets)
    }

    fn latest(&self, points: &[PointKey]) -> Result<Vec<Option<Stored>>, HistoryError> {
        let hot = self.hot();
        Ok(points.iter().map(|key| hot.point(*key).and_then(|p| p.latest)).collect())
    }

    fn past(&self, point: PointKey) -> Result<Past, HistoryError> {
        adopt::past(&self.db, point).map_err(|e| schema::error(&self.file, &e))
    }

    fn book(&self, most: usize) -> Result<Vec<Entry>, HistoryError> {
        keep::book(&self.db, most).map_err(|e| schema::error(&self.file, &e))
    }
}
