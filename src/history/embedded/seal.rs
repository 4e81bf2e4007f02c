//! From the journal into segments.

use super::{Embedded, journal, rollup, schema};
use crate::history::segment::{self, Scale};
use crate::history::{HistoryError, PointKey, Reason, Span, Stored, settle};
use crate::time::Time;
use rusqlite::{Connection, OptionalExtension};
use std::path::Path;

/// Where a segment stands.
struct Row {
    id: i64,
    first: i64,
    last: i64,
    n: i64,
}

impl Embedded {
    /// Seals some points in one transaction; true when more are waiting.
    pub(super) fn seal_some(&mut self) -> Result<bool, HistoryError> {
        let mut chosen: Vec<PointKey> = Vec::new();
        while chosen.len() < self.options.at_once.max(1)
            && let Some(key) = self.ready.pop_front()
        {
            if !chosen.contains(&key) && self.hot().point(key).is_some_and(|p| p.samples.len() >= p.enough) {
                chosen.push(key);
            }
        }
        if chosen.is_empty() && self.journalled > self.options.journal {
            chosen = self.longest_waiting();
        }
        if chosen.is_empty() {
            return Ok(false);
        }
        let done = self.seal(&chosen);
        if done.is_err() {
            // They are as ready as before.
            chosen.into_iter().rev().for_each(|key| self.ready.push_front(key));
        }
        done.map(|()| !self.ready.is_empty() || self.journalled > self.options.journal)
    }

    /// Seals every point that has anything, whatever little: before a store is closed for good or copied.
    ///
    /// # Errors
    /// When the store cannot be written; nothing is lost by it.
    pub fn seal_all(&mut self) -> Result<(), HistoryError> {
        let waiting = |p: &(PointKey, &super::hot::HotPoint)| !p.1.samples.is_empty();
        let all: Vec<PointKey> =
            (0u32..).map(PointKey).zip(&self.hot().points).filter(waiting).map(|(key, _)| key).collect();
        for some in all.chunks(self.options.at_once.max(1)) {
            self.seal(some)?;
        }
        self.ready.clear();
        Ok(())
    }

    /// The points that keep the oldest batches in the journal.
    fn longest_waiting(&self) -> Vec<PointKey> {
        let hot = self.hot();
        let mut waiting: Vec<(i64, PointKey)> = (0u32..)
            .map(PointKey)
            .zip(&hot.points)
            .filter(|(_, p)| !p.samples.is_empty())
            .map(|(key, p)| (p.oldest, key))
            .collect();
        waiting.sort_unstable();
        waiting.into_iter().take(self.options.at_once.max(1)).map(|(_, key)| key).collect()
    }

    fn seal(&mut self, points: &[PointKey]) -> Result<(), HistoryError> {
        let (file, size, seq) = (self.file.clone(), self.options.segment.max(2), self.seq);
        let error = |e: rusqlite::Error| schema::error(&file, &e);
        let mut taken = Vec::with_capacity(points.len());
        let until = {
            let hot = self.hot();
            for key in points {
                if let Some(point) = hot.point(*key) {
                    taken.push((*key, point.samples.clone(), point.info.scale, point.latest));
                }
            }
            let others = (0u32..).map(PointKey).zip(&hot.points);
            let kept_by = others.filter(|(key, p)| !p.samples.is_empty() && !points.contains(key));
            kept_by.map(|(_, p)| p.oldest - 1).min().unwrap_or(seq)
        };
        let tx = self.db.transaction().map_err(error)?;
        for (key, samples, scale, latest) in &mut taken {
            settle(samples);
            merge(&tx, &file, *key, samples, *scale, size)?;
            rollup::update(&tx, &file, *key, samples, *scale)?;
            let sealed = tx.prepare_cached("UPDATE point SET sealed = ?2 WHERE key = ?1");
            sealed.and_then(|mut s| s.execute((key.0, seq))).map_err(error)?;
            if let Some(latest) = latest {
                tx.prepare_cached("INSERT OR REPLACE INTO latest (point, data) VALUES (?1, ?2)")
                    .and_then(|mut s| s.execute((key.0, journal::encode(&[(*key, *latest)]))))
                    .map_err(error)?;
            }
        }
        // A damaged batch is looked at by people: it is put aside, not thrown away.
        let trim = tx.prepare_cached("DELETE FROM journal WHERE seq <= ?1");
        trim.and_then(|mut s| s.execute([until])).map_err(error)?;
        tx.commit().map_err(error)?;

        let mut hot = self.hot_mut();
        for key in points {
            let mut gone = 0;
            if let Some(point) = hot.point_mut(*key) {
                gone = point.samples.len();
                // The room of a segment is kept: memory does not go up and down.
                point.samples.clear();
                point.sealed = seq;
                point.enough = size;
            }
            hot.waiting -= gone;
        }
        drop(hot);
        while self.batches.front().is_some_and(|(seq, _)| *seq <= until) {
            if let Some((_, n)) = self.batches.pop_front() {
                self.journalled = self.journalled.saturating_sub(n);
            }
        }
        Ok(())
    }
}

/// Puts samples of a point, settled, into its segments; those that they belong between are written again.
fn merge(
    db: &Connection,
    file: &Path,
    key: PointKey,
    samples: &[Stored],
    scale: Scale,
    size: usize,
) -> Result<(), HistoryError> {
    let error = |e: rusqlite::Error| schema::error(file, &e);
    let Some(first) = samples.first() else { return Ok(()) };
    let rows = touched(db, key, first.time).map_err(error)?;
    let mut rest = samples;
    for (i, row) in rows.iter().enumerate() {
        let next = rows.get(i + 1).map(|r| r.first);
        let own = rest.partition_point(|s| match next {
            Some(next) => s.time.0 < next,
            // What is newer than the last segment goes into it as long as it is a small one.
            None => s.time.0 <= row.last || (row.n as usize) < size / 2,
        });
        let (mine, others) = rest.split_at(own);
        rest = others;
        if mine.is_empty() {
            continue;
        }
        let mut all = unpack(db, file, row.id)?;
        all.extend_from_slice(mine);
        settle(&mut all);
        let gone = db.prepare_cached("DELETE FROM segment WHERE id = ?1");
        gone.and_then(|mut s| s.execute([row.id])).map_err(error)?;
        put(db, key, &all, scale, size).map_err(error)?;
    }
    put(db, key, rest, scale, size).map_err(error)
}

/// The segment that a moment falls in or comes after, and all after it.
fn touched(db: &Connection, key: PointKey, from: Time) -> rusqlite::Result<Vec<Row>> {
    let begin: Option<i64> = db
        .prepare_cached("SELECT max(first) FROM segment WHERE point = ?1 AND first <= ?2")?
        .query_row((key.0, from.0), |r| r.get(0))
        .optional()?
        .flatten();
    let mut query =
        db.prepare_cached("SELECT id, first, last, n FROM segment WHERE point = ?1 AND first >= ?2 ORDER BY first")?;
    let rows = query.query_map((key.0, begin.unwrap_or(i64::MIN)), |r| {
        Ok(Row { id: r.get(0)?, first: r.get(1)?, last: r.get(2)?, n: r.get(3)? })
    })?;
    rows.collect()
}

fn unpack(db: &Connection, file: &Path, id: i64) -> Result<Vec<Stored>, HistoryError> {
    let data: Vec<u8> = db
        .prepare_cached("SELECT data FROM segment WHERE id = ?1")
        .and_then(|mut s| s.query_row([id], |r| r.get(0)))
        .map_err(|e| schema::error(file, &e))?;
    segment::unpack(&data).map_err(|damage| {
        let message = format!("segment {id}: {damage}");
        HistoryError::new(Reason::Damaged, file.display().to_string(), message)
    })
}

/// Writes samples as segments of about a size.
fn put(db: &Connection, key: PointKey, samples: &[Stored], scale: Scale, size: usize) -> rusqlite::Result<()> {
    if samples.is_empty() {
        return Ok(());
    }
    // Even parts: three of 400 and not two of 500 and one of 200; up to half more than the size stays in one.
    let parts = ((samples.len() + size / 2) / size).max(1);
    let mut insert =
        db.prepare_cached("INSERT INTO segment (point, first, last, n, data) VALUES (?1, ?2, ?3, ?4, ?5)")?;
    for part in samples.chunks(samples.len().div_ceil(parts)) {
        if let (Some(first), Some(last)) = (part.first(), part.last()) {
            insert.execute((key.0, first.time.0, last.time.0, part.len() as i64, segment::pack(part, scale)))?;
        }
    }
    Ok(())
}

/// The sealed samples of a point in a span.
pub(super) fn sealed(db: &Connection, file: &Path, key: PointKey, span: Span) -> Result<Vec<Stored>, HistoryError> {
    let error = |e: rusqlite::Error| schema::error(file, &e);
    let begin: Option<i64> = db
        .prepare_cached("SELECT max(first) FROM segment WHERE point = ?1 AND first <= ?2")
        .and_then(|mut s| s.query_row((key.0, span.from.0), |r| r.get(0)))
        .map_err(error)?;
    let mut query = db
        .prepare_cached("SELECT id, data FROM segment WHERE point = ?1 AND first >= ?2 AND first < ?3 ORDER BY first")
        .map_err(error)?;
    let mut rows = query.query((key.0, begin.unwrap_or(i64::MIN), span.to.0)).map_err(error)?;
    let mut samples = Vec::new();
    while let Some(row) = rows.next().map_err(error)? {
        let id: i64 = row.get(0).map_err(error)?;
        let data = row.get_ref(1).map_err(error)?;
        let damaged = |what: String| HistoryError::new(Reason::Damaged, file.display().to_string(), what);
        let data = data.as_blob().map_err(|_| damaged(format!("segment {id} is no bytes")))?;
        let part = segment::unpack(data).map_err(|damage| damaged(format!("segment {id}: {damage}")))?;
        samples.extend(part.into_iter().filter(|s| span.holds(s.time)));
    }
    Ok(samples)
}
