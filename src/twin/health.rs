//! Health of points and assets, and its roll-up to storeys and systems.

use super::Step;
use crate::analytics::Health;
use bevy::prelude::*;

/// How a point is.
#[derive(Component, Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PointHealth(pub Health);

/// How an element is: the worst of its points.
#[derive(Component, Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct AssetHealth(pub Health);

/// How storeys and systems are: the worst of their assets, by index into the site's lists.
#[derive(Resource, Clone, Debug, Default)]
pub struct Rollup {
    /// By storey.
    pub storeys: Vec<Health>,
    /// By system.
    pub systems: Vec<Health>,
    /// Points that are good, warning, critical, stale, unknown.
    pub points: HealthCounts,
}

/// How many are how.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct HealthCounts {
    /// Inside their limits.
    pub good: usize,
    /// Outside their warning limits.
    pub warning: usize,
    /// Outside their critical limits.
    pub critical: usize,
    /// Silent for too long.
    pub stale: usize,
    /// Never heard of.
    pub unknown: usize,
}

/// Judges points and rolls up.
pub struct HealthPlugin;

impl Plugin for HealthPlugin {
    fn build(&self, app: &mut App) {
        app.init_resource::<Rollup>().add_systems(Update, (|| {}).in_set(Step::Judge));
    }
}
