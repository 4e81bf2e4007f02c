//! Looking through a whole history for damage.

use super::{journal, read, rollup, schema, seal};
use crate::history::bucket::cut;
pub use crate::history::check::Verified;
use crate::history::segment;
use crate::history::{Bucket, HistoryError, Level, PointKey, Span};
use crate::time::Time;
use rusqlite::Connection;
use std::path::Path;

/// Reads every byte of a history: SQLite's own structures, each batch, each segment (check sum, order, what its row
/// says of it, no overlap), and every bucket against its samples. `on` hears how far it is, 0 to 1, and stops it by
/// false.
///
/// # Errors
/// A file that is not there, or is no history at all.
pub fn verify(file: &Path, mut on: impl FnMut(f64) -> bool) -> Result<Verified, HistoryError> {
    let error = |e: rusqlite::Error| schema::error(file, &e);
    let db = read::connect(file)?;
    // As it is at this moment, whatever is written meanwhile.
    db.execute_batch("BEGIN").map_err(error)?;
    let mut found = Verified::default();
    match db.query_row("PRAGMA integrity_check(1)", [], |r| r.get::<_, String>(0)) {
        Ok(said) if said == "ok" => {}
        Ok(said) => found.damage(|| format!("the file itself: {said}")),
        Err(e) => found.damage(|| format!("the file itself: {e}")),
    }
    if let Err(e) = batches(&db, &mut found) {
        found.damage(|| format!("the journal: {e}"));
    }
    let points = match schema::points(&db) {
        Ok(points) => points,
        Err(e) => {
            found.damage(|| format!("the list of points: {e}"));
            Vec::new()
        }
    };
    let count = points.len().max(1) as f64;
    for (i, (key, info, _)) in points.into_iter().enumerate() {
        if !on(i as f64 / count) {
            break;
        }
        found.points += 1;
        let whole = segments(&db, key, &info.id, &mut found);
        match whole {
            // Sums of damaged samples say nothing.
            Ok(true) => {
                if let Err(e) = sums(&db, file, key, &info.id, &mut found) {
                    found.damage(|| format!("the sums of {}: {e}", info.id));
                }
            }
            Ok(false) => {}
            Err(e) => found.damage(|| format!("the segments of {}: {e}", info.id)),
        }
    }
    Ok(found)
}

fn batches(db: &Connection, found: &mut Verified) -> rusqlite::Result<()> {
    let mut query = db.prepare("SELECT seq, n, data FROM journal ORDER BY seq")?;
    let mut rows = query.query([])?;
    while let Some(row) = rows.next()? {
        let (seq, n, data): (i64, i64, Vec<u8>) = (row.get(0)?, row.get(1)?, row.get(2)?);
        found.chunks += 1;
        match journal::decode(&data) {
            Some(samples) if samples.len() as i64 == n => found.samples += samples.len() as u64,
            Some(samples) => {
                found.damage(|| format!("batch {seq} of the journal has {} samples, not {n}", samples.len()))
            }
            None => found.damage(|| format!("batch {seq} of the journal, {n} samples, cannot be read")),
        }
    }
    Ok(())
}

/// True when every segment of a point is whole.
fn segments(db: &Connection, key: PointKey, id: &str, found: &mut Verified) -> rusqlite::Result<bool> {
    let before = found.damages;
    let mut query =
        db.prepare_cached("SELECT id, first, last, n, data FROM segment WHERE point = ?1 ORDER BY first")?;
    let mut rows = query.query([key.0])?;
    let mut end: Option<i64> = None;
    while let Some(row) = rows.next()? {
        let (number, first, last, n): (i64, i64, i64, i64) = (row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?);
        let data: Vec<u8> = row.get(4)?;
        found.chunks += 1;
        let at = || format!("segment {number} of {id}, from {}", Time(first));
        if end.is_some_and(|end| first <= end) {
            found.damage(|| format!("{}: it begins before the one before it ends", at()));
        }
        end = Some(last);
        match segment::unpack(&data) {
            Err(damage) => found.damage(|| format!("{}: {damage}", at())),
            Ok(samples) => {
                found.samples += samples.len() as u64;
                let ends = (samples.first().map(|s| s.time.0), samples.last().map(|s| s.time.0));
                if ends != (Some(first), Some(last)) || samples.len() as i64 != n {
                    found.damage(|| format!("{}: it holds something else than its row says", at()));
                } else if !samples.is_sorted_by(|a, b| a.time < b.time) {
                    found.damage(|| format!("{}: its samples are not in order", at()));
                }
            }
        }
    }
    Ok(found.damages == before)
}

/// Compares the buckets of a point with its samples.
fn sums(db: &Connection, file: &Path, key: PointKey, id: &str, found: &mut Verified) -> Result<(), HistoryError> {
    let error = |e: rusqlite::Error| schema::error(file, &e);
    let from = rollup::deleted_before(db, key).map_err(error)?.unwrap_or(Time(i64::MIN));
    let packs: i64 = db
        .prepare_cached("SELECT count(*) FROM rollup WHERE point = ?1")
        .and_then(|mut s| s.query_row([key.0], |r| r.get(0)))
        .map_err(error)?;
    found.rollups += packs.max(0) as u64;
    let span = Span { from, to: Time(i64::MAX) };
    let samples = seal::sealed(db, file, key, span)?;
    for level in Level::ALL {
        let kept = rollup::sealed(db, file, key, level, span)?;
        let made = cut(&samples, level.length_ms());
        // Buckets may have been deleted for their age.
        let oldest = kept.first().map_or(Time(i64::MAX), |b| b.start);
        let made: Vec<Bucket> = made.into_iter().filter(|b| b.start >= oldest).collect();
        let bits = |b: &Bucket| (b.start, b.n, b.bad, [b.min, b.max, b.sum, b.last].map(f64::to_bits));
        let differ = kept.iter().zip(&made).find(|(a, b)| bits(a) != bits(b)).map(|(a, _)| a.start);
        let missing = (kept.len() != made.len()).then(|| kept.len().min(made.len()));
        if let Some(start) = differ.or(missing.and_then(|at| made.get(at).or(kept.get(at)).map(|b| b.start))) {
            found.damage(|| format!("the {level:?} sums of {id} at {start} are not those of its samples"));
        }
    }
    Ok(())
}
