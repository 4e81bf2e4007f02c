//! From a solved value to a colour: which values the ends of the colours stand for.

use crate::site::graph::Domain;
use crate::site::unit::Quantity;
use crate::twin::view::ColourBy;
use bevy::prelude::Resource;

/// Beyond this share of its scale a residual has the last colour: the wider of the two bands that accuracy is told in.
pub const RESIDUAL_RANGE: f64 = 0.2;

/// What the ends of the colours mean, in SI.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Range {
    /// Lowest value, SI: what is below has the first colour.
    pub min: f64,
    /// Highest value, SI: what is above has the last colour.
    pub max: f64,
    /// What it is.
    pub quantity: Quantity,
}

impl Range {
    /// Value 0..65535 of [`Palette::Flow`](crate::twin::state_words::Palette) for a solved value.
    pub fn value(&self, of: f64) -> u16 {
        let span = self.max - self.min;
        let share = if span > 0.0 { (of - self.min) / span } else { 0.5 };
        (share.clamp(0.0, 1.0) * f64::from(u16::MAX)).round() as u16
    }
}

/// Value of [`Palette::Residual`](crate::twin::state_words::Palette): 32768 where simulated and measured agree, more
/// where more is measured than simulated; the ends are ±[`RESIDUAL_RANGE`].
pub fn residual_value(relative: f64) -> u16 {
    let share = (relative / RESIDUAL_RANGE).clamp(-1.0, 1.0);
    (32_768.0 + share * 32_767.0).round() as u16
}

/// The ranges of the colours by flow, velocity and pressure: water and air each have their own, for a duct carries a
/// thousand times what a pipe does. They follow the values of all networks slowly, so that a colour keeps its meaning.
#[derive(Resource, Clone, Copy, Debug, Default, PartialEq)]
pub struct FlowRanges {
    flow: [Option<Range>; 2],
    velocity: [Option<Range>; 2],
    pressure: [Option<Range>; 2],
}

impl FlowRanges {
    /// The range of a colouring in water or air; none where there is no such network, or the colours mean no flow.
    /// Residuals have the same range everywhere: relative, as a ratio.
    pub fn of(&self, by: ColourBy, domain: Domain) -> Option<Range> {
        let at = usize::from(domain == Domain::Air);
        match by {
            ColourBy::Flow => self.flow[at],
            ColourBy::Velocity => self.velocity[at],
            ColourBy::Pressure => self.pressure[at],
            ColourBy::Residual => Some(Range { min: -RESIDUAL_RANGE, max: RESIDUAL_RANGE, quantity: Quantity::Ratio }),
            _ => None,
        }
    }
}

#[cfg(test)]
impl FlowRanges {
    /// What a clinic's networks might have.
    pub fn testing() -> Self {
        let range = |quantity: Quantity, max: f64| Some(Range { min: 0.0, max, quantity });
        Self {
            flow: [range(Quantity::VolumeFlow, 0.0314), range(Quantity::VolumeFlow, 3.47)],
            velocity: [range(Quantity::Velocity, 1.94), range(Quantity::Velocity, 7.2)],
            pressure: [range(Quantity::Pressure, 312_000.0), range(Quantity::Pressure, 640.0)],
        }
    }
}
