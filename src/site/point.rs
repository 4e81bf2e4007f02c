//! Points: the signals of the building, and what a sample of one carries.

use super::model::Slot;
use super::unit::Unit;
use serde::Serialize;

/// The dense number of a point in a [`super::Site`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct PointIndex(pub u32);

/// A signal bound to an element (Brick, Haystack: *point*). Values are SI inside; see [`Unit`].
#[derive(Clone, Debug, PartialEq)]
pub struct Point {
    /// `AHU-1/supply_temperature`: the element's label and the role, unique in the project.
    pub id: String,
    /// The element it belongs to.
    pub asset: Slot,
    /// What it measures on that element: `supply_temperature`.
    pub role: String,
    /// What people read; the role in words unless the project names it.
    pub name: String,
    /// The unit on the wire and on the screen.
    pub unit: Unit,
    /// Values outside are marked [`Quality::UncertainRange`](crate::quality::Quality); SI.
    pub expected: Option<[f64; 2]>,
    /// How often the device reports, seconds.
    pub period_s: f64,
    /// Silence after which it counts as stale, seconds.
    pub stale_after_s: f64,
    /// What makes it a warning or critical; none: only staleness and range count.
    pub check: Option<Check>,
    /// Where its samples come from.
    pub source: PointSource,
    /// What to do when its check fails; empty when the project does not say.
    pub remedy: String,
    /// What its samples should be like, where the project says so.
    pub watch: Watching,
}

/// What a project says of the samples of a point, over what follows from its unit and role. Values are SI.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Watching {
    /// Values outside cannot be.
    pub possible: Option<[f64; 2]>,
    /// It cannot change faster, per second.
    pub rate_per_s: Option<f64>,
    /// A value this far off those around it, alone, is a spike.
    pub spike: Option<f64>,
    /// A sensor that says the same for so long is dead, seconds.
    pub flat_s: Option<f64>,
    /// It counts up, or it does not; none: by its unit.
    pub counter: Option<bool>,
    /// The counter's last number before it begins at nothing again.
    pub rolls_at: Option<f64>,
}

impl Point {
    /// True when a topic feeds it, false when it is computed.
    pub fn is_measured(&self) -> bool {
        matches!(self.source, PointSource::Topic { .. })
    }
}

/// Where a point's samples come from.
#[derive(Clone, Debug, PartialEq)]
pub enum PointSource {
    /// A topic, and the key of the value in its payload (empty for `{ts, v}`).
    Topic {
        /// The whole topic, no wildcards.
        topic: String,
        /// Key under `values`; empty for a single value.
        key: String,
    },
    /// Computed from other points.
    Rule {
        /// The expression as the project states it.
        expression: String,
    },
}

/// Limits with hysteresis and a confirm time. Values are SI.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Check {
    /// Below this it is a warning.
    pub warning_below: Option<f64>,
    /// Above this it is a warning.
    pub warning_above: Option<f64>,
    /// Below this it is critical.
    pub critical_below: Option<f64>,
    /// Above this it is critical.
    pub critical_above: Option<f64>,
    /// How far back inside before a state clears.
    pub hysteresis: f64,
    /// How long a limit is passed before it counts, seconds.
    pub confirm_s: f64,
}
