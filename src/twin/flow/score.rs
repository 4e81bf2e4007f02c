//! How near what is solved comes to what is measured.

use crate::site::PointIndex;
use bevy::prelude::Component;

/// A measured point and what is solved there. On the point's entity its own; on an element's entity the worst of the
/// points that stand on it or measure in it.
#[derive(Component, Clone, Copy, Debug, PartialEq)]
pub struct Residual {
    /// The point.
    pub point: PointIndex,
    /// Measured, SI.
    pub measured: f64,
    /// Solved, SI.
    pub simulated: f64,
    /// Measured less solved, SI.
    pub residual: f64,
    /// The residual over its scale (see [`Residual::scale`]).
    pub relative: f64,
}

/// How accurate a network is, on the network's entity.
#[derive(Component, Clone, Copy, Debug, Default, PartialEq)]
pub struct FlowScore {
    /// Good readings that could be compared.
    pub readings: usize,
    /// Share of them, 0..1, whose residual is within a tenth of its scale; not a number without readings.
    pub within_10: f64,
    /// Share of them, 0..1, within a fifth.
    pub within_20: f64,
}
