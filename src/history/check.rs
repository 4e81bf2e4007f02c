//! Looking through any history, by what a reader sees of it.

use super::bucket::cut;
use super::copy::{WINDOW, windows};
use super::{HistoryError, Level, Reader, Reason, Span};
use serde::Serialize;

/// What was read, and the first thing that is wrong.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Verified {
    /// Points.
    pub points: u64,
    /// Pieces read: of a file its segments and batches.
    pub chunks: u64,
    /// Samples in them; one that is in a batch and in a segment counts twice.
    pub samples: u64,
    /// Packs of buckets compared with their samples.
    pub rollups: u64,
    /// The first damage: where and what; none where all is whole.
    pub first_damage: Option<String>,
    /// How many damages there are; looking goes on behind the first.
    pub damages: u64,
}

impl Verified {
    pub(super) fn damage(&mut self, what: impl FnOnce() -> String) {
        self.damages += 1;
        self.first_damage.get_or_insert_with(what);
    }
}

/// Reads every sample and every sum: samples in their order, sums that are those of their samples. `on` hears how far
/// it is, 0 to 1, and stops it by false.
///
/// # Errors
/// A history that cannot be read at all.
pub fn verify(reader: &dyn Reader, mut on: impl FnMut(f64) -> bool) -> Result<Verified, HistoryError> {
    let points = reader.points()?;
    let mut found = Verified::default();
    for (i, (key, info)) in points.iter().enumerate() {
        let gone = reader.past(*key)?.gone_before;
        for window in windows(reader, *key, Span::ALL, WINDOW)? {
            if !on(i as f64 / points.len() as f64) {
                return Ok(found);
            }
            let samples = match reader.samples(*key, window) {
                Ok(samples) => samples,
                Err(e) if e.reason == Reason::Damaged => {
                    found.damage(|| format!("{}: {}", info.id, e.message));
                    continue;
                }
                Err(e) => return Err(e),
            };
            found.chunks += 1;
            found.samples += samples.len() as u64;
            if !samples.is_sorted_by(|a, b| a.time < b.time) {
                found.damage(|| format!("the samples of {} are not in order", info.id));
            }
            for level in Level::ALL {
                let old = |start| gone.is_some_and(|g| start < g);
                let mut made = cut(&samples, level.length_ms());
                let mut kept = reader.buckets(*key, level, window)?;
                made.retain(|b| !old(b.start));
                kept.retain(|b| !old(b.start));
                found.rollups += kept.len() as u64;
                // Sums of before what is kept of them are gone on purpose.
                if let Some(first) = kept.first().map(|b| b.start) {
                    made.retain(|b| b.start >= first);
                }
                let wrong = kept.len() != made.len() || kept.iter().zip(&made).any(|(a, b)| !a.is(b));
                if wrong && !kept.is_empty() {
                    let from = kept.first().map_or(window.from, |b| b.start);
                    found.damage(|| {
                        format!("the {level:?} sums of {} from {from} are not those of its samples", info.id)
                    });
                }
            }
        }
        found.points += 1;
    }
    Ok(found)
}
