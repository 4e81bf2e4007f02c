//! What a history knows of a point beyond its samples, from another one.

use super::{Embedded, rollup, schema};
use crate::history::{Bucket, HistoryError, Level, Past, PointKey, Reason, Span};
use crate::time::Time;
use rusqlite::{Connection, OptionalExtension};

/// What is gone of a point, and whether it is held.
pub(super) fn past(db: &Connection, point: PointKey) -> rusqlite::Result<Past> {
    let held: Option<Option<String>> =
        db.prepare_cached("SELECT held FROM point WHERE key = ?1")?.query_row([point.0], |r| r.get(0)).optional()?;
    Ok(Past { gone_before: rollup::deleted_before(db, point)?, held: held.flatten() })
}

impl Embedded {
    pub(super) fn take_over(
        &mut self,
        point: PointKey,
        past: &Past,
        sums: &[(Level, Vec<Bucket>)],
    ) -> Result<(), HistoryError> {
        let file = self.file.clone();
        let error = |e: rusqlite::Error| schema::error(&file, &e);
        let Some(scale) = self.hot().point(point).map(|p| p.info.scale) else {
            let message = format!("there is no point {} in it", point.0);
            return Err(HistoryError::new(Reason::Wrong, file.display().to_string(), message));
        };
        let tx = self.db.transaction().map_err(error)?;
        for (level, buckets) in sums {
            let (Some(first), Some(last)) = (buckets.first(), buckets.last()) else { continue };
            let span = Span { from: first.start, to: Time(last.start.0.saturating_add(level.length_ms())) };
            let mut all = rollup::sealed(&tx, &file, point, *level, span)?;
            all.extend(buckets);
            // Of two sums of one time, the one of more samples.
            all.sort_by_key(|b| (b.start, std::cmp::Reverse(b.n + b.bad)));
            all.dedup_by_key(|b| b.start);
            rollup::replace(&tx, &file, point, *level, span, &all, scale)?;
        }
        tx.execute(
            "UPDATE point SET held = coalesce(held, ?2), deleted_before = nullif(max(coalesce(deleted_before, ?3), ?4), ?3)
             WHERE key = ?1",
            (point.0, &past.held, i64::MIN, past.gone_before.map_or(i64::MIN, |t| t.0)),
        )
        .map_err(error)?;
        tx.commit().map_err(error)
    }
}
