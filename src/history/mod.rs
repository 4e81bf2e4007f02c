//! Samples at rest: what every point was, when, and how far it can be trusted.
//!
//! A [`History`] keeps samples; when [`History::append`] has come back they are there for good, whatever happens to
//! the program or the machine. A [`Reader`] reads beside it, from another thread if need be. Two stores are
//! histories: [`embedded`] in one file, and a shared one in PostgreSQL.
//!
//! Of two samples of one point at one device time one is kept, always the same, in whatever order they came
//! ([`Stored::or`]); so a sample that comes twice changes nothing, and late ones make the history that it would
//! have been.

pub mod at;
pub mod bucket;
pub mod check;
pub mod copy;
pub mod embedded;
mod error;
pub mod export;
pub mod keep;
pub mod place;
pub mod query;
pub mod rows;
pub mod segment;
pub mod shared;
pub mod simulated;
pub mod table;

pub use bucket::{Bucket, Level};
pub use error::{HistoryError, Reason};
pub use keep::{Entry, Keep, Kept, Past, Retention};
pub use place::{Opened, Place, open, open_reader};

use crate::quality::Quality;
use crate::time::Time;
use segment::Scale;
use serde::Serialize;
use std::cmp::Ordering;

/// A sample of a point at rest.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Stored {
    /// When the device measured it.
    pub time: Time,
    /// When it arrived.
    pub arrival: Time,
    /// The value, SI.
    pub value: f64,
    /// How far it can be trusted.
    pub quality: Quality,
    /// The source's own code for its quality; 0 where it gives none.
    pub code: u32,
}

impl Stored {
    /// Of two samples of one moment the one that is kept: what a person entered, else the better quality, else the
    /// one that arrived first, else by the bits of value and code. It does not matter which of them is `other`.
    pub fn or(self, other: Self) -> Self {
        let manual = |s: &Self| s.quality != Quality::Manual;
        let order = manual(&self)
            .cmp(&manual(&other))
            .then(self.quality.cmp(&other.quality))
            .then(self.arrival.cmp(&other.arrival))
            .then(self.value.to_bits().cmp(&other.value.to_bits()))
            .then(self.code.cmp(&other.code));
        if order == Ordering::Greater { other } else { self }
    }
}

/// Sorts by device time and leaves one sample of each moment.
pub(crate) fn settle(samples: &mut Vec<Stored>) {
    if samples.is_sorted_by(|a, b| a.time < b.time) {
        return;
    }
    samples.sort_by_key(|s| s.time);
    samples.dedup_by(|next, kept| {
        let same = next.time == kept.time;
        if same {
            *kept = kept.or(*next);
        }
        same
    });
}

/// The number of a point in one history.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PointKey(pub u32);

/// A point as a history knows it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct PointInfo {
    /// Its id in the project, `AHU-1/supply_temperature`.
    pub id: String,
    /// UCUM code of what it is read in; the values are SI all the same.
    pub unit: String,
    /// The kind of point that retention goes by; empty: the usual.
    pub class: String,
    /// From its unit to SI.
    pub scale: Scale,
}

/// Moments from one (with it) to another (without it).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    /// The first moment in it.
    pub from: Time,
    /// The first moment after it.
    pub to: Time,
}

impl Span {
    /// All there ever was.
    pub const ALL: Span = Span { from: Time(i64::MIN), to: Time(i64::MAX) };

    /// Whether a moment is in it.
    pub fn holds(&self, time: Time) -> bool {
        self.from <= time && time < self.to
    }
}

/// A store of samples: [`embedded`] or [`shared`].
pub trait History: Send {
    /// Numbers for points, old ones and new; unit, class and scale are taken over where they changed.
    ///
    /// # Errors
    /// When the store cannot be written.
    fn declare(&mut self, points: &[PointInfo]) -> Result<Vec<PointKey>, HistoryError>;

    /// Keeps samples. They are on the disk when this comes back; on an error none of them is promised, and the same
    /// call may be tried again.
    ///
    /// # Errors
    /// A full or read-only disk, a store that is gone; a key that nobody declared.
    fn append(&mut self, samples: &[(PointKey, Stored)]) -> Result<(), HistoryError>;

    /// A slice of the work that is done behind: packing, summing up. True when there is more to do.
    ///
    /// # Errors
    /// As for [`Self::append`]; nothing is lost by it.
    fn tend(&mut self) -> Result<bool, HistoryError>;

    /// Deletes what is older than it is to be kept, and writes into the book what. Points that are held lose nothing.
    ///
    /// # Errors
    /// When the store cannot be written; what was deleted before is in the book.
    fn retain(&mut self, now: Time, retention: &Retention) -> Result<Kept, HistoryError>;

    /// Holds a point, so that nothing of it is deleted; or releases it (`hold` false). Both stand in the book.
    ///
    /// # Errors
    /// A key that nobody declared; a store that cannot be written.
    fn hold(&mut self, point: PointKey, hold: bool, now: Time, why: &str) -> Result<(), HistoryError>;

    /// Takes over what another history knows of a point and cannot show by samples: its sums of before its samples
    /// begin, and its hold. Of two sums of one time the one of more samples stays.
    ///
    /// # Errors
    /// As for [`Self::append`].
    fn adopt(&mut self, point: PointKey, past: &Past, sums: &[(Level, Vec<Bucket>)]) -> Result<(), HistoryError>;

    /// The book of what was deleted, held and released, the newest first, at most so many lines.
    ///
    /// # Errors
    /// When the store cannot be read.
    fn book(&mut self, most: usize) -> Result<Vec<Entry>, HistoryError>;

    /// Somebody who reads beside it.
    ///
    /// # Errors
    /// When the store cannot be opened once more.
    fn reader(&self) -> Result<Box<dyn Reader>, HistoryError>;

    /// What has been kept, and what is still to be packed.
    fn state(&self) -> State;
}

/// Reads a history, its newest samples included.
pub trait Reader: Send {
    /// Every point, by its key.
    ///
    /// # Errors
    /// When the store cannot be read.
    fn points(&self) -> Result<Vec<(PointKey, PointInfo)>, HistoryError>;

    /// The samples of a point in a span, by device time.
    ///
    /// # Errors
    /// When the store cannot be read, or is damaged there.
    fn samples(&self, point: PointKey, span: Span) -> Result<Vec<Stored>, HistoryError>;

    /// The buckets of a level that begin in a span and hold anything, by time.
    ///
    /// # Errors
    /// When the store cannot be read, or is damaged there.
    fn buckets(&self, point: PointKey, level: Level, span: Span) -> Result<Vec<Bucket>, HistoryError>;

    /// The newest sample of each of these points, by device time; none where there is none.
    ///
    /// # Errors
    /// When the store cannot be read.
    fn latest(&self, points: &[PointKey]) -> Result<Vec<Option<Stored>>, HistoryError>;

    /// What is gone of a point, and whether it is held.
    ///
    /// # Errors
    /// When the store cannot be read.
    fn past(&self, point: PointKey) -> Result<Past, HistoryError>;

    /// The book of what was deleted, held and released, the newest first, at most so many lines.
    ///
    /// # Errors
    /// When the store cannot be read.
    fn book(&self, most: usize) -> Result<Vec<Entry>, HistoryError>;
}

/// What a store holds at a moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct State {
    /// Points it knows.
    pub points: usize,
    /// Samples that were appended since it was opened.
    pub appended: u64,
    /// Samples that are kept and not packed yet.
    pub waiting: usize,
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn which_of_two_is_kept_does_not_depend_on_their_order() {
        let good = Stored { time: Time(5), arrival: Time(9), value: 1.0, quality: Quality::Good, code: 0 };
        for (other, kept) in [
            (Stored { quality: Quality::BadSensor, arrival: Time(6), ..good }, good),
            (Stored { quality: Quality::GoodBackfill, arrival: Time(6), value: 2.0, ..good }, good),
            (Stored { arrival: Time(8), ..good }, Stored { arrival: Time(8), ..good }),
            (
                Stored { quality: Quality::Manual, arrival: Time(99), value: 3.0, ..good },
                Stored { quality: Quality::Manual, arrival: Time(99), value: 3.0, ..good },
            ),
        ] {
            assert_eq!((good.or(other), other.or(good)), (kept, kept));
        }
    }

    proptest! {
        #[test]
        fn any_order_settles_to_the_same(rows in proptest::collection::vec((0i64..20, 0i64..5, -2i64..2, 0u8..11), 0..60), seed in any::<u64>()) {
            let samples: Vec<Stored> = rows.iter().map(|(t, a, v, q)| Stored {
                time: Time(*t), arrival: Time(*a), value: *v as f64, quality: Quality::of_code(*q).unwrap(), code: 0,
            }).collect();
            let mut one = samples.clone();
            settle(&mut one);
            let mut shuffled = samples;
            let mut random = seed | 1;
            for i in (1..shuffled.len()).rev() {
                random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                shuffled.swap(i, (random >> 33) as usize % (i + 1));
            }
            settle(&mut shuffled);
            prop_assert!(one.is_sorted_by(|a, b| a.time < b.time));
            prop_assert_eq!(one, shuffled);
        }
    }
}
