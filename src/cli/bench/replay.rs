//! Another time of the demo clinic: how soon it is shown, and what running through it costs.

use super::Row;
use crate::TwinPlugins;
use crate::cli::demo::clinic;
use crate::cli::open::open;
use crate::cli::output::Failure;
use crate::history::embedded::{Embedded, Options};
use crate::history::{History, HistoryError, Place, PointKey, Stored, place};
use crate::import::Progress;
use crate::problem::Problem;
use crate::quality::Quality;
use crate::simulation::emulator::{DEFAULT_START, Emulator, Settings};
use crate::site::{PointIndex, Project, Site};
use crate::time::Time;
use crate::twin::clock::TwinClock;
use crate::twin::command::Command;
use crate::twin::flow::Networks;
use crate::twin::replay::{Playback, Recording};
use crate::twin::scene::OpenSite;
use bevy::prelude::*;
use cpu_time::ProcessTime;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Length of the history, seconds.
const DAY_S: i64 = 86_400;
/// From one sample of a point to its next, seconds.
const PERIOD_S: i64 = 10;
/// How many moments are sought.
const MOMENTS: usize = 60;
/// Pictures a second while somebody drags.
const RATE: u32 = 60;
/// For how long somebody drags, seconds.
const DRAGGED_S: u32 = 5;
/// A moment is there before a hand that stopped notices, milliseconds.
const GOAL_MS: f64 = 100.0;
/// A tick leaves time for the picture, milliseconds.
const GOAL_TICK_MS: f64 = 16.0;
/// What is waited for at the most.
const PATIENCE: Duration = Duration::from_secs(60);

/// Rows for a day of the clinic.
///
/// # Errors
/// A clinic that cannot be read, a folder for temporary files that cannot be written, a twin that does not follow.
pub fn run() -> Result<Vec<Row>, Failure> {
    let folder = tempfile::tempdir()
        .map_err(|e| Problem::error("bench replay", format!("no temporary folder: {e}"), "set TMPDIR"))?;
    let opened = open(&clinic()?, &Progress::default()).map_err(Failure::Failed)?;
    let start = Time::parse(DEFAULT_START).unwrap_or_default();
    let file = folder.path().join("history.db");
    eprintln!("plenum: a day of the clinic goes into a history");
    let samples = fill(&file, &opened.site, &opened.project, start).map_err(|e| e.problem())?;
    let points = opened.site.points.iter().filter(|p| p.is_measured()).count();
    let case = |what: &str| format!("{what}: a day of {points} points, {samples} samples");
    let mut app = twin(&file, opened.site)?;
    let at = |share: f64| start.plus_seconds(DAY_S as f64 * share);
    // Moments all over the day, one far from the other.
    let mut took = Vec::with_capacity(MOMENTS);
    for i in 0..MOMENTS {
        let time = at((i as f64 * 0.618_034) % 1.0);
        app.world_mut().write_message(Command::Seek(time));
        let begun = Instant::now();
        until(&mut app, "a moment", |world| shows(world, time))?;
        took.push(begun.elapsed().as_secs_f64() * 1e3);
    }
    took.sort_by(f64::total_cmp);
    let share = |list: &[f64], share: f64| list.get((list.len() as f64 * share) as usize).copied().unwrap_or(f64::NAN);
    let mut rows = vec![
        Row::at_most(case("a moment is shown, half of them"), "ms", share(&took, 0.5), GOAL_MS),
        Row::at_most(case("a moment is shown, 95 of 100"), "ms", share(&took, 0.95), GOAL_MS),
    ];
    rows.extend(dragged(&mut app, case, at)?);
    rows.push(run_through(&mut app, case, at(0.3))?);
    Ok(rows)
}

/// A hand that moves over the whole day and back, a place a picture.
fn dragged(app: &mut App, case: impl Fn(&str) -> String, at: impl Fn(f64) -> Time) -> Result<Vec<Row>, Problem> {
    let frame = Duration::from_secs(1) / RATE;
    let (mut shown, mut longest, mut ticks) = (0u32, Duration::ZERO, Vec::new());
    let mut last = None;
    for i in 0..RATE * DRAGGED_S {
        let begun = Instant::now();
        let along = f64::from(i) / f64::from(RATE * DRAGGED_S);
        app.world_mut().write_message(Command::Seek(at(1.0 - (2.0 * along - 1.0).abs())));
        app.update();
        let now = app.world().resource::<TwinClock>().now;
        shown += u32::from(last.replace(now) != Some(now));
        let took = begun.elapsed();
        longest = longest.max(took);
        ticks.push(took.as_secs_f64() * 1e3);
        std::thread::sleep(frame.saturating_sub(took));
    }
    ticks.sort_by(f64::total_cmp);
    let usual = ticks.get(ticks.len() * 95 / 100).copied().unwrap_or(f64::NAN);
    Ok(vec![
        Row::only(case("moments shown a second while dragged"), "per_s", f64::from(shown) / f64::from(DRAGGED_S)),
        Row::at_most(case("a tick while dragged, 95 of 100"), "ms", usual, GOAL_TICK_MS),
        Row::only(case("a tick while dragged, the longest"), "ms", longest.as_secs_f64() * 1e3),
    ])
}

/// The day runs at ten minutes a second.
fn run_through(app: &mut App, case: impl Fn(&str) -> String, from: Time) -> Result<Row, Problem> {
    app.world_mut().write_message(Command::Seek(from));
    until(app, "a moment", |world| shows(world, from))?;
    app.world_mut().write_message(Command::Play(600.0));
    let (wall, cpu) = (Instant::now(), ProcessTime::now());
    let mut ticks = 0u32;
    while wall.elapsed() < Duration::from_secs(5) {
        let tick = Instant::now();
        app.update();
        ticks += 1;
        std::thread::sleep((Duration::from_secs(1) / RATE).saturating_sub(tick.elapsed()));
    }
    let share = cpu.elapsed().as_secs_f64() / wall.elapsed().as_secs_f64();
    let passed_s = app.world().resource::<TwinClock>().now.seconds_since(from);
    let speed = passed_s / wall.elapsed().as_secs_f64();
    let what = format!("share of a core at ten minutes a second ({speed:.0} s/s reached, {ticks} ticks)");
    Ok(Row::only(case(&what), "cores", share))
}

/// What its emulated devices measure in a day, in a history of its own; how many samples that is.
fn fill(file: &Path, site: &Site, project: &Project, start: Time) -> Result<usize, HistoryError> {
    let (mut emulator, _) = Emulator::new(site, Settings { seed: 1, start });
    let (mut history, _) = Embedded::open(file, Options::default())?;
    let measured = (0u32..).map(PointIndex).zip(&site.points).filter(|(_, p)| p.is_measured());
    let (points, infos): (Vec<PointIndex>, Vec<_>) =
        measured.map(|(i, p)| (i, place::info(p, &project.retention))).unzip();
    let keys = history.declare(&infos)?;
    let mut batch: Vec<(PointKey, Stored)> = Vec::new();
    let mut count = 0;
    for second in (0..DAY_S).step_by(PERIOD_S as usize) {
        let time = start.plus_seconds(second as f64);
        emulator.run_to(time);
        for (point, key) in points.iter().zip(&keys) {
            let Some(value) = emulator.read(*point) else { continue };
            batch.push((*key, Stored { time, arrival: time, value, quality: Quality::Good, code: 0 }));
        }
        if batch.len() > 10_000 || second + PERIOD_S >= DAY_S {
            history.append(&batch)?;
            while history.tend()? {}
            count += batch.len();
            batch.clear();
        }
    }
    Ok(count)
}

/// The twin of the site, with its flow networks, and with that history.
fn twin(file: &Path, site: Arc<Site>) -> Result<App, Problem> {
    let mut app = App::new();
    app.add_plugins((MinimalPlugins, TwinPlugins));
    let file = file.to_path_buf();
    let open = move || Place::File(file.clone()).read().map_err(|e| e.problem());
    app.insert_resource(Recording(Arc::new(open))).insert_resource(OpenSite(site));
    until(&mut app, "its flow networks", |world| world.resource::<Networks>().building.is_some())?;
    Ok(app)
}

/// Whether a moment is there, with what was known then.
fn shows(world: &World, time: Time) -> bool {
    world.resource::<Playback>().seeking.is_none() && world.resource::<TwinClock>().now == time
}

fn until(app: &mut App, what: &str, is_so: impl Fn(&World) -> bool) -> Result<(), Problem> {
    let deadline = Instant::now() + PATIENCE;
    app.update();
    while !is_so(app.world()) {
        let problem = app.world().resource::<Playback>().problem.clone();
        if problem.is_some() || Instant::now() >= deadline {
            let message = problem.unwrap_or_else(|| format!("{what} does not come"));
            return Err(Problem::error("bench replay", message, "look at the problem that it names"));
        }
        std::thread::sleep(Duration::from_micros(200));
        app.update();
    }
    Ok(())
}
