//! The twin and the history: what the twin computes is kept too, and a history that keeps nothing is an alarm.
//!
//! What comes off the wire is on its way to the history before the twin sees it ([`crate::telemetry::historian`]); here
//! it gets what rules compute. What it knew when the site was opened is shown until something fresh comes
//! ([`super::telemetry::LastKnown`]).

use super::alarms::OwnFault;
use super::health::judge;
use super::replay::Playback;
use super::scene::Scene;
use super::telemetry::{Compute, Fresh};
use crate::Step;
use crate::operations::alarm::AlarmSeverity;
use crate::telemetry::historian::{Batch, Declared, Inlet};
use bevy::prelude::*;
use std::sync::Arc;

/// What the alarm is called.
pub const NOT_KEPT: &str = "History keeps nothing";

/// The way to the history of the site that is open; not there where none is kept.
#[derive(Resource, Clone)]
pub struct Recorder {
    /// The historian.
    pub inlet: Inlet,
    /// What the numbers of points stand for.
    pub declared: Arc<Declared>,
    /// How often what is simulated of measured points is kept, seconds of the twin's time; 0: never.
    pub simulated_every_s: f64,
}

/// Gives computed samples to the [`Recorder`], and tells when nothing is kept.
pub struct HistoryPlugin;

impl Plugin for HistoryPlugin {
    fn build(&self, app: &mut App) {
        app.add_systems(Update, record.after(Compute).in_set(Step::Ingest).run_if(resource_exists::<Recorder>))
            .add_systems(Update, tell.before(judge).in_set(Step::Judge));
    }
}

fn record(recorder: Res<Recorder>, scene: Option<Res<Scene>>, fresh: Res<Fresh>, playback: Res<Playback>) {
    // What is computed again of another time has been kept then.
    let is_new = !fresh.0.is_empty() && playback.speed().is_none();
    let Some(scene) = scene.filter(|_| is_new) else { return };
    let is_computed =
        |s: &&crate::telemetry::Sample| scene.site.points.get(s.point.0 as usize).is_some_and(|p| !p.is_measured());
    let samples: Vec<_> = fresh.0.iter().filter(is_computed).copied().collect();
    if samples.is_empty() {
        return;
    }
    let declared = Arc::clone(&recorder.declared);
    recorder.inlet.offer_or_miss(Batch { declared, samples, computed: true, ..Batch::default() });
}

fn tell(recorder: Option<Res<Recorder>>, mut faults: MessageWriter<OwnFault>, mut told: Local<bool>) {
    let fails = recorder.as_ref().is_some_and(|r| r.inlet.is_failing());
    if fails == *told {
        return;
    }
    *told = fails;
    let error = recorder.filter(|_| fails).and_then(|r| r.inlet.status().failing);
    let severity = error.is_some().then_some(AlarmSeverity::High);
    let remedy = error.map(|(_, e)| format!("{e}: {}", e.remedy())).unwrap_or_default();
    faults.write(OwnFault { name: NOT_KEPT.into(), remedy, severity });
}
