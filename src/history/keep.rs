//! How long samples and buckets are kept; and the book of what was deleted.

use super::Level;
use crate::time::Time;
use serde::Serialize;
use std::collections::BTreeMap;

/// How long a kind of point is kept, seconds; none: for good.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Keep {
    /// The samples themselves.
    pub samples_s: Option<f64>,
    /// Buckets of a minute.
    pub minutes_s: Option<f64>,
    /// Buckets of a quarter of an hour.
    pub quarters_s: Option<f64>,
    /// Buckets of an hour.
    pub hours_s: Option<f64>,
}

const DAY_S: f64 = 86_400.0;

impl Default for Keep {
    /// Samples 90 days, minutes a year, quarters five years, hours for good.
    fn default() -> Self {
        Self {
            samples_s: Some(90.0 * DAY_S),
            minutes_s: Some(366.0 * DAY_S),
            quarters_s: Some(5.0 * 366.0 * DAY_S),
            hours_s: None,
        }
    }
}

impl Keep {
    /// How long the buckets of a level are kept, seconds; none: for good.
    pub fn of(&self, level: Level) -> Option<f64> {
        match level {
            Level::Minute => self.minutes_s,
            Level::Quarter => self.quarters_s,
            Level::Hour => self.hours_s,
        }
    }
}

/// How long everything is kept, by class of point.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Retention {
    /// For points of no class, and of one that is not named here.
    pub usual: Keep,
    /// By the class of [`PointInfo`](crate::history::PointInfo).
    pub classes: BTreeMap<String, Keep>,
}

/// What one run of retention did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Kept {
    /// Samples that were deleted.
    pub samples: u64,
    /// Packs of buckets that were deleted.
    pub rollups: u64,
    /// Points that had something to delete and are held.
    pub held: u64,
}

/// What is gone of a point, and why nothing more may go.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Past {
    /// The first whole hour of which every sample that came is still there; none: no sample was deleted.
    pub gone_before: Option<Time>,
    /// Why it is held; none: it is not.
    pub held: Option<String>,
}

/// A line of the book.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Entry {
    /// When.
    pub at: Time,
    /// `deleted`, `held`, `released`.
    pub what: String,
    /// The id of the point.
    pub point: String,
    /// What was older than this.
    pub older_than: Option<Time>,
    /// How many samples.
    pub samples: u64,
    /// Why.
    pub why: String,
}
