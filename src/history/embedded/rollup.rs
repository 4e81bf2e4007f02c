//! Buckets at rest: made when samples are sealed, in the same transaction.

use super::{schema, seal};
use crate::history::bucket::{begin, cut};
use crate::history::segment::{Scale, buckets};
use crate::history::{Bucket, HistoryError, Level, PointKey, Reason, Span, Stored};
use crate::time::Time;
use rusqlite::{Connection, OptionalExtension};
use std::path::Path;

/// How much of a level is packed together, ms.
pub(super) fn chunk_ms(level: Level) -> i64 {
    let hour = Level::Hour.length_ms();
    match level {
        Level::Minute => 6 * hour,
        Level::Quarter => 4 * 24 * hour,
        Level::Hour => 16 * 24 * hour,
    }
}

/// Spans of whole hours that hold all samples, in the order of time; those that touch are one.
pub(super) fn hours(samples: &[Stored]) -> Vec<Span> {
    let mut spans: Vec<Span> = Vec::new();
    for sample in samples {
        let from = Level::Hour.begin(sample.time);
        let to = Time(from.0.saturating_add(Level::Hour.length_ms()));
        match spans.last_mut() {
            Some(span) if from <= span.to => span.to = span.to.max(to),
            _ => spans.push(Span { from, to }),
        }
    }
    spans
}

/// Sums up anew every hour that these samples, settled and just sealed, fall in.
pub(super) fn update(
    db: &Connection,
    file: &Path,
    key: PointKey,
    samples: &[Stored],
    scale: Scale,
) -> Result<(), HistoryError> {
    let deleted = deleted_before(db, key).map_err(|e| schema::error(file, &e))?;
    for span in hours(samples) {
        // Of hours whose samples are gone, the sums are all that is left.
        let span = Span { from: deleted.map_or(span.from, |d| span.from.max(d)), ..span };
        if span.from >= span.to {
            continue;
        }
        let all = seal::sealed(db, file, key, span)?;
        for level in Level::ALL {
            replace(db, file, key, level, span, &cut(&all, level.length_ms()), scale)?;
        }
    }
    Ok(())
}

/// The first whole hour of which every sample that came is still there; none where none was deleted.
pub(super) fn deleted_before(db: &Connection, key: PointKey) -> rusqlite::Result<Option<Time>> {
    let before: Option<i64> = db
        .prepare_cached("SELECT deleted_before FROM point WHERE key = ?1")?
        .query_row([key.0], |r| r.get(0))
        .optional()?
        .flatten();
    let hour = Level::Hour.length_ms();
    Ok(before.map(|t| begin(Time(t.saturating_add(hour - 1)), hour)))
}

/// Puts buckets in the place of all that begin in a span.
pub(super) fn replace(
    db: &Connection,
    file: &Path,
    key: PointKey,
    level: Level,
    span: Span,
    new: &[Bucket],
    scale: Scale,
) -> Result<(), HistoryError> {
    let error = |e: rusqlite::Error| schema::error(file, &e);
    let length = chunk_ms(level);
    let mut first = begin(span.from, length);
    while first < span.to {
        let next = Time(first.0.saturating_add(length));
        let chunk = Span { from: first, to: next };
        let known: Option<Vec<u8>> = db
            .prepare_cached("SELECT data FROM rollup WHERE point = ?1 AND level = ?2 AND first = ?3")
            .and_then(|mut s| s.query_row((key.0, level as u8, first.0), |r| r.get(0)).optional())
            .map_err(error)?;
        let mut kept = match &known {
            // What cannot be read is made again as far as its samples are known here.
            Some(data) => unpack(file, data, level).unwrap_or_default(),
            None => Vec::new(),
        };
        kept.retain(|b| !span.holds(b.start));
        kept.extend(new.iter().filter(|b| chunk.holds(b.start)));
        kept.sort_by_key(|b| b.start);
        if kept.is_empty() {
            let gone = db.prepare_cached("DELETE FROM rollup WHERE point = ?1 AND level = ?2 AND first = ?3");
            gone.and_then(|mut s| s.execute((key.0, level as u8, first.0))).map_err(error)?;
        } else {
            db.prepare_cached(
                "INSERT INTO rollup (point, level, first, data) VALUES (?1, ?2, ?3, ?4)
                 ON CONFLICT (point, level, first) DO UPDATE SET data = ?4",
            )
            .and_then(|mut s| s.execute((key.0, level as u8, first.0, buckets::pack(&kept, level.length_ms(), scale))))
            .map_err(error)?;
        }
        if next == first {
            break;
        }
        first = next;
    }
    Ok(())
}

fn unpack(file: &Path, data: &[u8], level: Level) -> Result<Vec<Bucket>, HistoryError> {
    buckets::unpack(data, level.length_ms())
        .map_err(|damage| HistoryError::new(Reason::Damaged, file.display().to_string(), format!("a rollup: {damage}")))
}

/// The sealed buckets of a level that begin in a span.
pub(super) fn sealed(
    db: &Connection,
    file: &Path,
    key: PointKey,
    level: Level,
    span: Span,
) -> Result<Vec<Bucket>, HistoryError> {
    let error = |e: rusqlite::Error| schema::error(file, &e);
    let mut query = db
        .prepare_cached(
            "SELECT data FROM rollup WHERE point = ?1 AND level = ?2 AND first >= ?3 AND first < ?4 ORDER BY first",
        )
        .map_err(error)?;
    let from = begin(span.from, chunk_ms(level));
    let mut rows = query.query((key.0, level as u8, from.0, span.to.0)).map_err(error)?;
    let mut out = Vec::new();
    while let Some(row) = rows.next().map_err(error)? {
        let data: Vec<u8> = row.get(0).map_err(error)?;
        out.extend(unpack(file, &data, level)?.into_iter().filter(|b| span.holds(b.start)));
    }
    Ok(out)
}
