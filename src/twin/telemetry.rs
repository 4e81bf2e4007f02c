//! Samples become components: the last value of each point and a short trend.

use super::Step;
use super::clock::TwinClock;
use super::scene::{Scene, SiteOpened};
use crate::site::Quality;
use crate::telemetry::Arrival;
use crate::time::Time;
use bevy::prelude::*;
use crossbeam_channel::Receiver;
use std::collections::VecDeque;

/// The last value of a point. Values are SI.
#[derive(Component, Clone, Copy, Debug, Default, PartialEq)]
pub struct LiveValue {
    /// The value; meaningless while `device_time` is none.
    pub value: f64,
    /// How far it can be trusted.
    pub quality: Quality,
    /// When the device measured it; none: never heard of.
    pub device_time: Option<Time>,
    /// When it arrived, by this machine's clock.
    pub arrival: Option<Time>,
}

/// The last [`TREND_LENGTH`] samples of a point, oldest first.
#[derive(Component, Clone, Debug, Default)]
pub struct Trend(pub VecDeque<(Time, f64)>);

/// How many samples a [`Trend`] keeps.
pub const TREND_LENGTH: usize = 512;

/// Where samples come in; none while nothing is connected.
#[derive(Resource)]
pub struct Inlet(pub Receiver<Arrival>);

/// What came in, counted.
#[derive(Resource, Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Intake {
    /// Samples taken over.
    pub samples: u64,
    /// Samples older than the one before them.
    pub late: u64,
    /// Samples with the device time of the one before them.
    pub duplicate: u64,
    /// Samples outside their point's expected range.
    pub out_of_range: u64,
}

/// At most this many samples are taken in one tick, so that a flood cannot stop the picture.
pub const SAMPLES_A_TICK: usize = 50_000;

/// Drains [`Inlet`] into [`LiveValue`] and [`Trend`].
pub struct TelemetryPlugin;

impl Plugin for TelemetryPlugin {
    fn build(&self, app: &mut App) {
        app.init_resource::<Intake>().add_systems(Update, (prepare_points, ingest).chain().in_set(Step::Ingest));
    }
}

fn prepare_points(mut opened: MessageReader<SiteOpened>, scene: Option<Res<Scene>>, mut commands: Commands) {
    if opened.read().count() == 0 {
        return;
    }
    let Some(scene) = scene else { return };
    for entity in &scene.points {
        commands.entity(*entity).insert((LiveValue::default(), Trend::default()));
    }
}

fn ingest(
    inlet: Option<Res<Inlet>>,
    scene: Option<Res<Scene>>,
    mut clock: ResMut<TwinClock>,
    mut intake: ResMut<Intake>,
    mut values: Query<(&mut LiveValue, &mut Trend)>,
) {
    let (Some(inlet), Some(scene)) = (inlet, scene) else { return };
    for arrival in inlet.0.try_iter().take(SAMPLES_A_TICK) {
        let sample = match arrival {
            Arrival::Clock(time) => {
                clock.from_site = true;
                clock.advance(time);
                continue;
            }
            Arrival::Sample(sample) => sample,
        };
        intake.samples += 1;
        let Some(entity) = scene.points.get(sample.point.0 as usize) else { continue };
        let Ok((mut live, mut trend)) = values.get_mut(*entity) else { continue };
        match live.device_time {
            Some(before) if sample.device_time < before => {
                intake.late += 1;
                continue;
            }
            Some(before) if sample.device_time == before => {
                intake.duplicate += 1;
                continue;
            }
            _ => {}
        }
        if sample.quality == Quality::BadRange {
            intake.out_of_range += 1;
        }
        *live = LiveValue {
            value: sample.value,
            quality: sample.quality,
            device_time: Some(sample.device_time),
            arrival: Some(sample.arrival),
        };
        if trend.0.len() == TREND_LENGTH {
            trend.0.pop_front();
        }
        trend.0.push_back((sample.device_time, sample.value));
    }
}
