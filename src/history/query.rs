//! Asking a history for a row of numbers: raw, or one for each stretch of time.

use super::bucket::{Bucket, begin, cut};
use super::{HistoryError, Level, PointKey, Reader, Reason, Span};
use crate::time::Time;

/// What one number stands for a stretch of time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum With {
    /// The mean of its samples.
    #[default]
    Mean,
    /// The least.
    Min,
    /// The most.
    Max,
    /// The last.
    Last,
    /// The sum.
    Sum,
    /// How many there are.
    Count,
}

impl With {
    /// Every one.
    pub const ALL: [With; 6] = [Self::Mean, Self::Min, Self::Max, Self::Last, Self::Sum, Self::Count];

    /// Its word on the command line.
    pub fn word(self) -> &'static str {
        match self {
            Self::Mean => "mean",
            Self::Min => "min",
            Self::Max => "max",
            Self::Last => "last",
            Self::Sum => "sum",
            Self::Count => "count",
        }
    }

    /// The choice of a word.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|w| w.word() == word)
    }

    /// What it is of a bucket; not a number of an empty one, but for the count.
    pub fn of(self, bucket: &Bucket) -> f64 {
        match self {
            Self::Count => bucket.n as f64,
            _ if bucket.n == 0 => f64::NAN,
            Self::Mean => bucket.mean(),
            Self::Min => bucket.min,
            Self::Max => bucket.max,
            Self::Last => bucket.last,
            Self::Sum => bucket.sum,
        }
    }
}

/// More stretches than this are not asked for at once.
const MOST: i64 = 5_000_000;

/// The samples of a span, summed up in stretches of `every_ms` that begin at whole multiples of it. The longest level
/// that fits is taken; where the span or the stretch fits none, the samples themselves.
///
/// # Errors
/// A stretch of nothing, too many of them; a store that cannot be read.
pub fn every(reader: &dyn Reader, point: PointKey, span: Span, every_ms: i64) -> Result<Vec<Bucket>, HistoryError> {
    if every_ms <= 0 {
        let message = format!("a stretch of {every_ms} ms is none");
        return Err(HistoryError::new(Reason::Wrong, "query", message));
    }
    if span.to <= span.from {
        return Ok(Vec::new());
    }
    let stretches = span.to.0.saturating_sub(span.from.0) / every_ms;
    let bounded = span.from != Span::ALL.from && span.to != Span::ALL.to;
    if bounded && stretches > MOST {
        let message = format!("{stretches} stretches are more than {MOST}: ask for longer ones, or for less time");
        return Err(HistoryError::new(Reason::Wrong, "query", message));
    }
    let whole = |length: i64, t: Time| t.0 == i64::MIN || t.0 == i64::MAX || t.0.rem_euclid(length) == 0;
    let fits = |l: &&Level| {
        let length = l.length_ms();
        every_ms % length == 0 && whole(length, span.from) && whole(length, span.to)
    };
    let Some(level) = Level::ALL.iter().rev().find(fits) else {
        return Ok(cut(&reader.samples(point, span)?, every_ms));
    };
    let parts = reader.buckets(point, *level, span)?;
    let mut out: Vec<Bucket> = Vec::new();
    for part in parts {
        let start = begin(part.start, every_ms);
        match out.last_mut().filter(|b| b.start == start) {
            Some(bucket) => *bucket = bucket.and(part),
            None => out.push(Bucket { start, ..part }),
        }
    }
    Ok(out)
}
