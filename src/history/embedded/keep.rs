//! Deleting what is old enough, but for what is held; and the book of what was deleted.

use super::{Embedded, read, rollup, schema};
use crate::history::keep::{Entry, Keep, Kept, Retention};
use crate::history::{HistoryError, Level, PointKey, Reason};
use crate::time::Time;
use rusqlite::{Connection, OpenFlags, OptionalExtension, TransactionBehavior};
use std::path::Path;

impl Embedded {
    /// A segment goes when its last sample is old enough.
    pub(super) fn delete_old(&mut self, now: Time, retention: &Retention) -> Result<Kept, HistoryError> {
        let file = self.file.clone();
        let error = |e: rusqlite::Error| schema::error(&file, &e);
        let points: Vec<(PointKey, String, String)> = {
            let hot = self.hot();
            let named = |(key, p): (PointKey, &super::hot::HotPoint)| (key, p.info.id.clone(), p.info.class.clone());
            (0u32..).map(PointKey).zip(&hot.points).map(named).collect()
        };
        let mut all = Kept::default();
        for some in points.chunks(200) {
            let tx = self.db.transaction().map_err(error)?;
            for (key, id, class) in some {
                let keep = retention.classes.get(class).unwrap_or(&retention.usual);
                let kept = retain_point(&tx, *key, id, keep, now).map_err(error)?;
                all.samples += kept.samples;
                all.rollups += kept.rollups;
                all.held += kept.held;
            }
            tx.commit().map_err(error)?;
        }
        Ok(all)
    }

    pub(super) fn set_hold(&mut self, point: PointKey, hold: bool, now: Time, why: &str) -> Result<(), HistoryError> {
        mark(&mut self.db, &self.file, point, hold, now, why)
    }
}

/// Holds a point, or releases it, beside whoever writes the history: whether something is held is looked up whenever
/// something is to go.
///
/// # Errors
/// A history that is not there or cannot be written.
pub fn hold(file: &Path, point: PointKey, hold: bool, now: Time, why: &str) -> Result<(), HistoryError> {
    drop(read::connect(file)?);
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let mut db = Connection::open_with_flags(file, flags).map_err(|e| schema::error(file, &e))?;
    mark(&mut db, file, point, hold, now, why)
}

fn mark(
    db: &mut Connection,
    file: &Path,
    point: PointKey,
    hold: bool,
    now: Time,
    why: &str,
) -> Result<(), HistoryError> {
    let error = |e: rusqlite::Error| schema::error(file, &e);
    // At once: what was read before another one wrote could not be written.
    let tx = db.transaction_with_behavior(TransactionBehavior::Immediate).map_err(error)?;
    let id: Option<String> =
        tx.query_row("SELECT id FROM point WHERE key = ?1", [point.0], |r| r.get(0)).optional().map_err(error)?;
    let Some(id) = id else {
        let message = format!("there is no point {} in it", point.0);
        return Err(HistoryError::new(Reason::Wrong, file.display().to_string(), message));
    };
    tx.execute("UPDATE point SET held = ?2 WHERE key = ?1", (point.0, hold.then_some(why))).map_err(error)?;
    note(&tx, now, if hold { "held" } else { "released" }, &id, None, 0, why).map_err(error)?;
    tx.commit().map_err(error)
}

/// The newest lines of the book.
pub(super) fn book(db: &Connection, most: usize) -> rusqlite::Result<Vec<Entry>> {
    let mut query = db.prepare("SELECT at, what, point, until, samples, why FROM audit ORDER BY id DESC LIMIT ?1")?;
    let rows = query.query_map([i64::try_from(most).unwrap_or(i64::MAX)], |r| {
        Ok(Entry {
            at: Time(r.get(0)?),
            what: r.get(1)?,
            point: r.get(2)?,
            older_than: r.get::<_, Option<i64>>(3)?.map(Time),
            samples: r.get::<_, i64>(4)?.max(0) as u64,
            why: r.get(5)?,
        })
    })?;
    rows.collect()
}

fn note(
    db: &Connection,
    at: Time,
    what: &str,
    point: &str,
    until: Option<Time>,
    samples: u64,
    why: &str,
) -> rusqlite::Result<()> {
    db.prepare_cached("INSERT INTO audit (at, what, point, until, samples, why) VALUES (?1, ?2, ?3, ?4, ?5, ?6)")?
        .execute((at.0, what, point, until.map(|t| t.0), samples as i64, why))
        .map(drop)
}

fn retain_point(db: &Connection, key: PointKey, id: &str, keep: &Keep, now: Time) -> rusqlite::Result<Kept> {
    let mut kept = Kept::default();
    let is_held = || -> rusqlite::Result<bool> {
        let held: Option<String> =
            db.prepare_cached("SELECT held FROM point WHERE key = ?1")?.query_row([key.0], |r| r.get(0))?;
        Ok(held.is_some())
    };
    if let Some(cut) = keep.samples_s.map(|s| now.plus_seconds(-s)) {
        let (segments, samples): (i64, i64) = db
            .prepare_cached("SELECT count(*), coalesce(sum(n), 0) FROM segment WHERE point = ?1 AND last < ?2")?
            .query_row((key.0, cut.0), |r| Ok((r.get(0)?, r.get(1)?)))?;
        if segments > 0 {
            if is_held()? {
                kept.held = 1;
                return Ok(kept);
            }
            let until: i64 = db
                .prepare_cached("SELECT max(last) + 1 FROM segment WHERE point = ?1 AND last < ?2")?
                .query_row((key.0, cut.0), |r| r.get(0))?;
            db.prepare_cached("DELETE FROM segment WHERE point = ?1 AND last < ?2")?.execute((key.0, cut.0))?;
            db.prepare_cached(
                "UPDATE point SET deleted_before = max(coalesce(deleted_before, ?2), ?2) WHERE key = ?1",
            )?
            .execute((key.0, until))?;
            kept.samples = samples.max(0) as u64;
            note(db, now, "deleted", id, Some(cut), kept.samples, "samples older than they are to be kept")?;
        }
    }
    for level in Level::ALL {
        let Some(cut) = keep.of(level).map(|s| now.plus_seconds(-s)) else { continue };
        // A pack goes when its last bucket is old enough.
        let first = cut.0.saturating_sub(rollup::chunk_ms(level));
        let old = "FROM rollup WHERE point = ?1 AND level = ?2 AND first < ?3";
        let count: i64 = db
            .prepare_cached(&format!("SELECT count(*) {old}"))?
            .query_row((key.0, level as u8, first), |r| r.get(0))?;
        if count > 0 {
            if is_held()? {
                kept.held = 1;
                return Ok(kept);
            }
            db.prepare_cached(&format!("DELETE {old}"))?.execute((key.0, level as u8, first))?;
            kept.rollups += count.max(0) as u64;
            note(db, now, "deleted", id, Some(cut), 0, "sums older than they are to be kept")?;
        }
    }
    Ok(kept)
}
