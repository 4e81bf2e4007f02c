//! The tables, and what SQLite's errors mean.

use crate::history::segment::Scale;
use crate::history::{HistoryError, PointInfo, PointKey, Reason};
use rusqlite::{Connection, ErrorCode};
use std::path::Path;

/// The version of the tables, in `user_version`.
pub(super) const VERSION: i64 = 1;
/// "Plen", so that `file` and people can tell what it is.
pub(super) const APPLICATION: i64 = 0x506c_656e;

const TABLES: &str = "
CREATE TABLE IF NOT EXISTS point (
  key INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, unit TEXT NOT NULL, class TEXT NOT NULL,
  factor REAL NOT NULL, offset REAL NOT NULL, sealed INTEGER NOT NULL DEFAULT 0,
  deleted_before INTEGER, held TEXT);
CREATE TABLE IF NOT EXISTS journal (seq INTEGER PRIMARY KEY, n INTEGER NOT NULL, data BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS segment (
  id INTEGER PRIMARY KEY, point INTEGER NOT NULL, first INTEGER NOT NULL, last INTEGER NOT NULL, n INTEGER NOT NULL,
  data BLOB NOT NULL);
CREATE UNIQUE INDEX IF NOT EXISTS segment_at ON segment (point, first);
CREATE TABLE IF NOT EXISTS rollup (
  id INTEGER PRIMARY KEY, point INTEGER NOT NULL, level INTEGER NOT NULL, first INTEGER NOT NULL, data BLOB NOT NULL);
CREATE UNIQUE INDEX IF NOT EXISTS rollup_at ON rollup (point, level, first);
CREATE TABLE IF NOT EXISTS latest (point INTEGER PRIMARY KEY, data BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS damaged (seq INTEGER PRIMARY KEY, data BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS audit (
  id INTEGER PRIMARY KEY, at INTEGER NOT NULL, what TEXT NOT NULL, point TEXT NOT NULL, until INTEGER,
  samples INTEGER NOT NULL, why TEXT NOT NULL);
";

/// Sets a connection up that writes, and makes the tables where there are none.
pub(super) fn prepare(db: &Connection, file: &Path) -> Result<(), HistoryError> {
    let error = |e: rusqlite::Error| self::error(file, &e);
    // Segments are some 1 KB: larger pages waste less. Only a new file takes it.
    db.pragma_update(None, "page_size", 16_384).map_err(error)?;
    let mode: String = db.pragma_update_and_check(None, "journal_mode", "WAL", |r| r.get(0)).map_err(error)?;
    if !mode.eq_ignore_ascii_case("wal") {
        let message = format!("its file system allows no write-ahead log (SQLite says `{mode}`)");
        return Err(HistoryError::new(Reason::ReadOnly, file.display().to_string(), message));
    }
    // What is committed is on the disk, not in the system's memory.
    db.pragma_update(None, "synchronous", "FULL").map_err(error)?;
    db.pragma_update(None, "journal_size_limit", 67_108_864).map_err(error)?;
    db.pragma_update(None, "cache_size", -16_000).map_err(error)?;
    check_version(db, file)?;
    db.execute_batch(TABLES).map_err(error)?;
    db.pragma_update(None, "application_id", APPLICATION).map_err(error)?;
    db.pragma_update(None, "user_version", VERSION).map_err(error)?;
    db.set_prepared_statement_cache_capacity(64);
    Ok(())
}

/// Refuses what is no history, or one of a newer version.
pub(super) fn check_version(db: &Connection, file: &Path) -> Result<(), HistoryError> {
    let error = |e: rusqlite::Error| self::error(file, &e);
    let version: i64 = db.pragma_query_value(None, "user_version", |r| r.get(0)).map_err(error)?;
    let application: i64 = db.pragma_query_value(None, "application_id", |r| r.get(0)).map_err(error)?;
    let place = || file.display().to_string();
    if application != APPLICATION && is_made(db, file)? {
        return Err(HistoryError::new(Reason::Wrong, place(), "it is another program's database, and stays as it is"));
    }
    if version > VERSION {
        let message = format!("it was written by a newer version (format {version}; this one knows {VERSION})");
        return Err(HistoryError::new(Reason::Wrong, place(), message));
    }
    Ok(())
}

/// Whether there is anything in it.
pub(super) fn is_made(db: &Connection, file: &Path) -> Result<bool, HistoryError> {
    let tables = db.query_row("SELECT count(*) FROM sqlite_schema", [], |r| r.get::<_, i64>(0));
    tables.map(|n| n > 0).map_err(|e| error(file, &e))
}

pub(super) fn put_point(db: &Connection, key: PointKey, info: &PointInfo) -> rusqlite::Result<()> {
    db.prepare_cached(
        "INSERT INTO point (key, id, unit, class, factor, offset) VALUES (?1, ?2, ?3, ?4, ?5, ?6)
         ON CONFLICT (key) DO UPDATE SET unit = ?3, class = ?4, factor = ?5, offset = ?6",
    )?
    .execute((key.0, &info.id, &info.unit, &info.class, info.scale.factor, info.scale.offset))
    .map(drop)
}

/// Every point with the batch up to which it is sealed, by key.
pub(super) fn points(db: &Connection) -> rusqlite::Result<Vec<(PointKey, PointInfo, i64)>> {
    let mut query = db.prepare("SELECT key, id, unit, class, factor, offset, sealed FROM point ORDER BY key")?;
    let rows = query.query_map([], |r| {
        let scale = Scale { factor: r.get(4)?, offset: r.get(5)? };
        let info = PointInfo { id: r.get(1)?, unit: r.get(2)?, class: r.get(3)?, scale };
        Ok((PointKey(r.get(0)?), info, r.get(6)?))
    })?;
    rows.collect()
}

/// What an error of SQLite means to people.
pub(in crate::history) fn error(file: &Path, e: &rusqlite::Error) -> HistoryError {
    let reason = match e.sqlite_error_code() {
        Some(ErrorCode::DiskFull) => Reason::Full,
        Some(ErrorCode::ReadOnly | ErrorCode::PermissionDenied) => Reason::ReadOnly,
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => Reason::InUse,
        Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => Reason::Damaged,
        _ => Reason::Gone,
    };
    HistoryError::new(reason, file.display().to_string(), e.to_string())
}
