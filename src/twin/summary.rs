//! What a run has come to, as plain data: the part of the command line's report that the twin knows.

use super::alarms::Alarms;
use super::flow::{self, NetworkRow};
use super::health::{HealthCounts, Rollup};
use super::scene::Scene;
use super::telemetry::Intake;
use crate::operations::alarm::{AlarmSeverity, AlarmState};
use crate::simulation::building::accuracy::Score;
use crate::site::ElementKind;
use crate::time::Time;
use bevy::prelude::World;
use serde::Serialize;

/// The twin's side of a run's report.
#[derive(Clone, Debug, Default)]
pub struct Summary {
    /// Elements in the contract's sense: neither spaces nor map features.
    pub elements: usize,
    /// Points of the project, measured and computed.
    pub points: usize,
    /// Points that a topic feeds.
    pub bound_points: usize,
    /// What came in.
    pub intake: Intake,
    /// Points by health.
    pub health: HealthCounts,
    /// Every alarm of the run that is not over.
    pub alarms: Vec<AlarmRow>,
    /// The flow networks.
    pub networks: Vec<NetworkRow>,
    /// How near all of them together come to what is measured.
    pub accuracy: Score,
}

/// An alarm as the command line prints it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct AlarmRow {
    /// Its number in this run.
    pub id: String,
    /// GlobalId of the asset.
    pub asset: String,
    /// What people call the asset.
    pub tag: String,
    /// What is wrong.
    pub name: String,
    /// How much it matters.
    pub severity: AlarmSeverity,
    /// Where it is in its life.
    pub state: AlarmState,
    /// When it was raised, by the twin's clock.
    pub raised_at: Time,
    /// What to do about it.
    pub remedy: String,
}

/// Reads the twin.
pub fn summary(world: &World) -> Summary {
    let Some(scene) = world.get_resource::<Scene>() else { return Summary::default() };
    let site = &scene.site;
    let alarms = world.get_resource::<Alarms>().map(|a| a.0.all()).unwrap_or_default();
    let (networks, accuracy) = flow::rows(world);
    Summary {
        elements: site.elements.iter().filter(|e| e.kind == ElementKind::Element).count(),
        points: site.points.len(),
        bound_points: site.points.iter().filter(|p| p.is_measured()).count(),
        intake: world.get_resource::<Intake>().copied().unwrap_or_default(),
        health: world.get_resource::<Rollup>().map(|r| r.points).unwrap_or_default(),
        alarms: alarms
            .iter()
            .filter(|a| a.state != AlarmState::Normal)
            .map(|a| AlarmRow {
                id: format!("A{}", a.id.0),
                asset: site.element(a.asset).map(|e| e.id.clone()).unwrap_or_default(),
                tag: site.element(a.asset).map_or_else(|| "Plenum".to_owned(), |e| e.label()),
                name: a.name.clone(),
                severity: a.severity,
                state: a.state,
                raised_at: a.raised_at,
                remedy: a.remedy.clone(),
            })
            .collect(),
        networks,
        accuracy,
    }
}
