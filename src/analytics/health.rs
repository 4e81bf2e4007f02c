//! Health of a point: good, warning, critical, stale or unknown, with hysteresis and confirm time.

use crate::site::Quality;
use crate::site::point::Check;
use crate::time::Time;
use serde::Serialize;

/// How a point or an asset is. The order is that of "worst of": [`Health::worst`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Health {
    /// Nothing is known of it.
    #[default]
    Unknown,
    /// Inside its limits.
    Good,
    /// No news for too long.
    Stale,
    /// Outside its warning limits.
    Warning,
    /// Outside its critical limits.
    Critical,
}

impl Health {
    /// How bad it is; unknown is least, since one unbound point must not hide what is known of the rest.
    pub fn rank(self) -> u8 {
        match self {
            Self::Unknown => 0,
            Self::Good => 1,
            Self::Stale => 2,
            Self::Warning => 3,
            Self::Critical => 4,
        }
    }

    /// The worse of two.
    #[must_use]
    pub fn worst(self, other: Self) -> Self {
        if other.rank() > self.rank() { other } else { self }
    }
}

/// What a judgement remembers of one point.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Judgement {
    /// The state that counts.
    pub health: Health,
    /// A worse (or better) state that has not lasted long enough yet, and since when.
    pub pending: Option<(Health, Time)>,
}

impl Judgement {
    /// Judges one point.
    ///
    /// `value` is SI and `since` the device time of the last sample (none when there never was one).
    pub fn judge(
        &mut self,
        check: Option<&Check>,
        value: f64,
        quality: Quality,
        since: Option<Time>,
        stale_after_s: f64,
        now: Time,
    ) -> Health {
        let _ = (check, value, quality, since, stale_after_s, now);
        self.health
    }
}
