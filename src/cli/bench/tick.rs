//! The CPU of the project's own systems in a tick, with Bevy's beside it.

use super::{Row, synthetic};
use crate::TwinPlugins;
use crate::quality::Quality;
use crate::site::{PointIndex, Site};
use crate::telemetry::{Arrival, Sample};
use crate::time::Time;
use crate::twin::scene::OpenSite;
use crate::twin::telemetry::Inlet;
use bevy::prelude::*;
use cpu_time::ProcessTime;
use crossbeam_channel::Sender;
use std::sync::Arc;

/// Ticks in a second, as on a screen.
const RATE: usize = 60;
/// How many ticks are measured.
const TICKS: usize = 10 * RATE;

/// Rows for the sizes that the README names.
pub fn run() -> Vec<Row> {
    let bevy_alone = per_tick(&mut empty(), |_| {});
    let mut rows = vec![Row::only("Bevy alone, no window", "cpu_ms", bevy_alone)];
    for (elements, points, goal) in [(2_850, 440, 0.3), (100_000, 10_000, 2.0)] {
        let whole = twin_tick(synthetic::site(elements, points));
        let case = format!("own systems a tick, {elements} elements, {points} points a second");
        rows.push(Row::at_most(case, "cpu_ms", (whole - bevy_alone).max(0.0), goal));
    }
    rows
}

fn empty() -> App {
    let mut app = App::new();
    app.add_plugins(MinimalPlugins);
    app
}

/// Mean CPU milliseconds of a tick in which every point changes once a second.
fn twin_tick(site: Site) -> f64 {
    let points = site.points.len();
    let (sender, receiver) = crossbeam_channel::unbounded();
    let mut app = empty();
    app.add_plugins(TwinPlugins).insert_resource(OpenSite(Arc::new(site))).insert_resource(Inlet(receiver));
    app.update();
    per_tick(&mut app, |tick| send(&sender, tick, points))
}

/// A sixtieth of the points, each with a value of its own, some of them across a limit.
pub(super) fn send(sender: &Sender<Arrival>, tick: usize, points: usize) {
    for point in ((tick % RATE)..points).step_by(RATE) {
        let time = Time((tick * 1000 / RATE) as i64 + 1);
        let value = 21.0 + ((point * 7 + tick) % 11) as f64 * 0.6;
        let sample = Sample {
            point: PointIndex(point as u32),
            device_time: time,
            arrival: time,
            value,
            quality: Quality::Good,
            code: 0,
        };
        // The receiver lives in the app beside us: it cannot be gone.
        let _ = sender.send(Arrival::Sample(sample));
    }
    let _ = sender.send(Arrival::Clock(Time((tick * 1000 / RATE) as i64 + 1)));
}

fn per_tick(app: &mut App, mut before: impl FnMut(usize)) -> f64 {
    for tick in 0..RATE {
        before(tick);
        app.update();
    }
    let mut spent = std::time::Duration::ZERO;
    for tick in RATE..RATE + TICKS {
        before(tick);
        let start = ProcessTime::now();
        app.update();
        spent += start.elapsed();
    }
    spent.as_secs_f64() * 1000.0 / TICKS as f64
}
