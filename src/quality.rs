//! How far a value can be trusted.

use serde::{Deserialize, Serialize};

/// How far a value can be trusted; the later in this list, the less. What is computed of several is as good as the
/// worst of them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[repr(u8)]
pub enum Quality {
    /// Entered or corrected by a person.
    Manual = 1,
    /// As measured.
    Good = 0,
    /// As measured, and came long after: from a buffer, an import, another history.
    GoodBackfill = 2,
    /// Computed by Plenum or by a simulation, from good values.
    Simulated = 3,
    /// Not new: the last one known.
    UncertainLastKnown = 4,
    /// Outside the expected range, and still possible.
    UncertainRange = 5,
    /// Changes faster than what is measured can.
    UncertainRate = 6,
    /// Outside of what is possible.
    BadRange = 7,
    /// No news for too long.
    BadStale = 8,
    /// The device says that its sensor is broken.
    BadSensor = 9,
    /// Never heard of, or computed from what was never heard of.
    #[default]
    BadNotConnected = 10,
}

impl Quality {
    /// Every one, in the order of their codes.
    pub const ALL: [Quality; 11] = [
        Self::Good,
        Self::Manual,
        Self::GoodBackfill,
        Self::Simulated,
        Self::UncertainLastKnown,
        Self::UncertainRange,
        Self::UncertainRate,
        Self::BadRange,
        Self::BadStale,
        Self::BadSensor,
        Self::BadNotConnected,
    ];

    /// Its number at rest and on the wire; never changes its meaning.
    pub fn code(self) -> u8 {
        self as u8
    }

    /// The quality of a number.
    pub fn of_code(code: u8) -> Option<Self> {
        Self::ALL.get(usize::from(code)).copied()
    }

    /// True when the value may be judged and counted.
    pub fn is_good(self) -> bool {
        matches!(self, Self::Good | Self::Manual | Self::GoodBackfill | Self::Simulated)
    }

    /// True when there is no value to speak of.
    pub fn is_bad(self) -> bool {
        matches!(self, Self::BadRange | Self::BadStale | Self::BadSensor | Self::BadNotConnected)
    }
}
