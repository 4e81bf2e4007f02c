//! A project is opened on a thread of its own. What is finished of it is seen on the way, and it can be stopped at any
//! moment: whatever is being done for it then goes on unseen to the next place where it can end.

use super::field::{Field, FieldSettings};
use super::live::Live;
use super::open::{Opened, open, open_shown};
use crate::import::Progress;
use crate::problem::Problem;
use crate::twin::preview::{Preview, Tell};
use crate::twin::scene::Scene;
use bevy::prelude::*;
use std::path::{Path, PathBuf};
use std::thread::JoinHandle;

/// What came of it: the project, and its connection where it has one.
pub type Outcome = Result<(Opened, Option<Live>), Problem>;

/// A project that is being opened; its progress can be read and cancelled.
#[derive(Resource)]
pub struct Opening {
    /// What is opened.
    pub path: PathBuf,
    /// How far it is, elements of the file that is being read.
    pub progress: Progress,
    thread: Option<JoinHandle<Outcome>>,
}

/// One that was stopped, and has not come to its end yet.
#[derive(Resource)]
struct Stopped(JoinHandle<Outcome>);

/// Begins to open a project; `emulate`: with emulated devices. Where nothing is open yet, what is finished of it is
/// seen in a [`Preview`].
pub fn start(world: &mut World, path: PathBuf, emulate: Option<FieldSettings>) {
    // Two buildings in one place would be none.
    let stands = world.get_resource::<Scene>().is_some_and(|s| !s.site.elements.is_empty());
    let (preview, tell) = Preview::new();
    if stands {
        return start_telling(world, path, emulate, None);
    }
    world.insert_resource(preview);
    start_telling(world, path, emulate, Some(tell));
}

/// As [`start`]; what is to be seen on the way goes to `tell`, where somebody wants to see it.
pub fn start_telling(world: &mut World, path: PathBuf, emulate: Option<FieldSettings>, tell: Option<Tell>) {
    let progress = Progress::default();
    let before = world.remove_resource::<Stopped>().map(|s| s.0);
    let (p, file) = (progress.clone(), path.clone());
    let thread = std::thread::Builder::new().name("plenum-open".into());
    let thread = thread.spawn(move || enliven(&file, emulate, &p, tell, before)).ok();
    world.insert_resource(Opening { path, progress, thread });
}

/// What came of opening a project, and its path, once it has ended or was stopped; asked in every tick.
pub fn poll(world: &mut World) -> Option<(PathBuf, Outcome)> {
    if world.get_resource::<Stopped>().is_some_and(|s| s.0.is_finished()) {
        // What it came to all the same goes with it.
        world.remove_resource::<Stopped>();
    }
    let opening = world.get_resource::<Opening>()?;
    let stopped = opening.progress.cancelled();
    if !stopped && opening.thread.as_ref().is_some_and(|t| !t.is_finished()) {
        return None;
    }
    let Opening { path, thread, .. } = world.remove_resource::<Opening>()?;
    let place = path.display().to_string();
    let outcome = if stopped {
        if let Some(thread) = thread {
            world.insert_resource(Stopped(thread));
        }
        Err(Problem::info(place, "opening it was stopped: nothing of it is open", "open it again to have it"))
    } else {
        match thread.map(JoinHandle::join) {
            Some(Ok(outcome)) => outcome,
            Some(Err(_)) => Err(Problem::error(place, "opening it ended by itself", "report this with the file")),
            None => Err(Problem::error(place, "cannot start a thread to open it", "free some memory")),
        }
    };
    if outcome.is_err() {
        world.remove_resource::<Preview>();
    }
    Some((path, outcome))
}

/// Opens a project and connects it. A site that cannot be connected is still worth seeing. `before` is one that was
/// stopped: what it holds must be free.
fn enliven(
    path: &Path,
    emulate: Option<FieldSettings>,
    progress: &Progress,
    tell: Option<Tell>,
    before: Option<JoinHandle<Outcome>>,
) -> Outcome {
    let mut opened = match tell {
        Some(tell) => open_shown(path, progress, tell)?,
        None => open(path, progress)?,
    };
    if opened.site.points.is_empty() && emulate.is_none() {
        return Ok((opened, None));
    }
    let emulate = emulate.map(|s| s.in_project(&opened.project));
    if let Some(settings) = &emulate {
        Field::check(&opened.site, settings)?;
    }
    // Its broker may have been about to start when it was stopped, and would stand in the way of this one.
    drop(before.map(JoinHandle::join));
    if progress.cancelled() {
        return Err(Problem::info(path.display().to_string(), "stopped before it was connected", ""));
    }
    let live = match Live::start(&opened, emulate) {
        Ok(live) => Some(live),
        Err(problem) => {
            opened.problems.push(problem);
            None
        }
    };
    Ok((opened, live))
}
