//! What comes off the wire.

use crate::quality::Quality;
use crate::site::PointIndex;
use crate::time::Time;

/// One value of one point.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sample {
    /// Whose value it is.
    pub point: PointIndex,
    /// When the device measured it; the arrival time where the device did not say or cannot be believed.
    pub device_time: Time,
    /// When it arrived, by this machine's clock.
    pub arrival: Time,
    /// The value, SI.
    pub value: f64,
    /// How far it can be trusted.
    pub quality: Quality,
    /// The source's own code for its quality; 0 where it gives none.
    pub code: u32,
}

/// One thing handed from the client's thread to the twin, in the order it came off the wire.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Arrival {
    /// A value.
    Sample(Sample),
    /// The site's own clock (see `clock` in `twin.toml`).
    Clock(Time),
}
