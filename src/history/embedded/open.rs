//! Opening a history, and reading its journal again after a crash.

use super::hot::Hot;
use super::{Embedded, Options, journal, read, reason_of, schema};
use crate::history::{HistoryError, Reason};
use crate::problem::Problem;
use rusqlite::Connection;
use std::collections::VecDeque;
use std::fs::{File, TryLockError};
use std::io::Write;
use std::path::Path;
use std::sync::{Arc, RwLock};

impl Embedded {
    /// Opens a history, or makes a new one; and what was found broken in it. What was acknowledged and not sealed is
    /// there again.
    ///
    /// # Errors
    /// A folder that cannot be written, another program that has it, a file that is no history.
    pub fn open(file: &Path, options: Options) -> Result<(Self, Vec<Problem>), HistoryError> {
        let place = || file.display().to_string();
        let io = |e: std::io::Error| HistoryError::new(reason_of(&e), place(), e.to_string());
        if let Some(folder) = file.parent().filter(|f| !f.as_os_str().is_empty()) {
            std::fs::create_dir_all(folder).map_err(io)?;
        }
        let lock = lock(file)?;
        let db = Connection::open(file).map_err(|e| schema::error(file, &e))?;
        schema::prepare(&db, file)?;
        let (hot, batches, problems) = recover(&db, file, options.segment)?;
        let mut ready = VecDeque::new();
        for (key, point) in (0u32..).map(crate::history::PointKey).zip(&hot.points) {
            if point.samples.len() >= point.enough {
                ready.push_back(key);
            }
        }
        let seq = db
            .query_row(
                "SELECT max(coalesce((SELECT max(seq) FROM journal), 0), coalesce((SELECT max(sealed) FROM point), 0))",
                [],
                |r| r.get(0),
            )
            .map_err(|e| schema::error(file, &e))?;
        let journalled = batches.iter().map(|(_, n)| n).sum();
        let embedded = Self {
            db,
            file: file.to_path_buf(),
            options,
            hot: Arc::new(RwLock::new(hot)),
            seq,
            batches,
            journalled,
            ready,
            appended: 0,
            _lock: lock,
        };
        Ok((embedded, problems))
    }
}

/// One program writes a history: what it has in memory is not seen by another. It writes into the lock who it is.
pub(super) fn lock(file: &Path) -> Result<File, HistoryError> {
    let path = read::beside(file, ".lock");
    let at = |e: std::io::Error| HistoryError::new(reason_of(&e), path.display().to_string(), e.to_string());
    let mut lock = File::options().create(true).truncate(false).write(true).open(&path).map_err(at)?;
    match lock.try_lock() {
        Ok(()) => {
            // A lock that nobody can read still locks.
            let _ = lock.set_len(0).and_then(|()| lock.write_all(this_program().as_bytes()));
            Ok(lock)
        }
        Err(TryLockError::WouldBlock) => {
            let holder = std::fs::read_to_string(&path).unwrap_or_default();
            let message = match holder.trim() {
                "" => "another program has this history open".to_owned(),
                holder => format!("another program has this history open: {holder}"),
            };
            Err(HistoryError::new(Reason::InUse, file.display().to_string(), message))
        }
        Err(TryLockError::Error(e)) => Err(at(e)),
    }
}

/// Who has a history open to write it: `process 4711, plenum run`; none: nobody.
pub fn holder(file: &Path) -> Option<String> {
    let path = read::beside(file, ".lock");
    let lock = File::options().write(true).open(&path).ok()?;
    match lock.try_lock() {
        Err(TryLockError::WouldBlock) => Some(std::fs::read_to_string(&path).unwrap_or_default().trim().to_owned()),
        _ => None,
    }
}

/// Bytes of a history on the disk, its log among them.
pub fn size(file: &Path) -> u64 {
    ["", "-wal"].iter().filter_map(|end| std::fs::metadata(read::beside(file, end)).ok()).map(|m| m.len()).sum()
}

/// `process 4711, plenum run`.
fn this_program() -> String {
    let mut words = std::env::args_os().map(|w| w.to_string_lossy().into_owned());
    let program = words.next().unwrap_or_default();
    let program = Path::new(&program).file_stem().unwrap_or_default().to_string_lossy().into_owned();
    let verb = words.next().filter(|w| w.chars().all(|c| c.is_ascii_alphanumeric() || c == '-')).unwrap_or_default();
    format!("process {}, {}", std::process::id(), format!("{program} {verb}").trim())
}

/// Points with what the journal holds of them, and its batches.
pub(super) fn recover(
    db: &Connection,
    file: &Path,
    segment: usize,
) -> Result<(Hot, VecDeque<(i64, usize)>, Vec<Problem>), HistoryError> {
    let error = |e: rusqlite::Error| schema::error(file, &e);
    let mut hot = Hot::default();
    for (key, info, sealed) in schema::points(db).map_err(error)? {
        hot.put(key, info, segment);
        if let Some(point) = hot.point_mut(key) {
            point.sealed = sealed;
        }
    }
    let mut problems = Vec::new();
    let mut latest = db.prepare("SELECT data FROM latest").map_err(error)?;
    let mut rows = latest.query([]).map_err(error)?;
    while let Some(row) = rows.next().map_err(error)? {
        let data: Vec<u8> = row.get(0).map_err(error)?;
        for (key, sample) in journal::decode(&data).unwrap_or_default() {
            if let Some(point) = hot.point_mut(key) {
                point.learn(sample);
            }
        }
    }
    let mut batches = VecDeque::new();
    let mut query = db.prepare("SELECT seq, n, data FROM journal ORDER BY seq").map_err(error)?;
    let mut rows = query.query([]).map_err(error)?;
    while let Some(row) = rows.next().map_err(error)? {
        let (seq, n): (i64, i64) = (row.get(0).map_err(error)?, row.get(1).map_err(error)?);
        let data = row.get_ref(2).map_err(error)?.as_bytes().unwrap_or_default();
        batches.push_back((seq, usize::try_from(n).unwrap_or_default()));
        let Some(samples) = journal::decode(data) else {
            problems.push(Problem::error(
                file.display().to_string(),
                format!("batch {seq} of its journal, {n} samples, is damaged and was left out"),
                "look at the disk; `plenum history verify` says whether more is damaged",
            ));
            continue;
        };
        for (key, sample) in samples {
            if hot.point(key).is_some_and(|p| seq > p.sealed) {
                hot.push(key, sample, seq);
            }
        }
    }
    Ok((hot, batches, problems))
}
