//! The twin in a window: projects are opened off the main thread, with progress, and follow the wire.

use super::field::{Field, FieldSettings};
use super::interrupt::interrupted;
use super::live::Live;
use super::open::{Opened, open};
use super::output::Failure;
use crate::desktop::panels::{Busy, Notice, OpenPath, PanelsPlugin, Problems, Templates};
use crate::desktop::window;
use crate::import::Progress;
use crate::problem::Problem;
use crate::site::Site;
use crate::twin::Step;
use crate::twin::clock::TwinClock;
use crate::twin::scene::OpenSite;
use crate::twin::telemetry::Inlet;
use crate::twin::wire_status::WireStatus;
use bevy::prelude::*;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// Opens a window with a project in it; stays until it is closed, Ctrl-C, or the time is up.
pub fn run(project: PathBuf, emulate: Option<FieldSettings>, duration: Option<Duration>) -> Result<(), Failure> {
    let end = duration.map(|d| Instant::now() + d);
    window::run(Arc::new(Site::default()), move |app| {
        dress(app);
        let opening = Opening::start(project, emulate);
        app.insert_resource(opening.busy()).insert_resource(opening);
        app.add_systems(Update, (open_another, take_opened).chain().before(Step::Ingest)).add_systems(
            Update,
            move |mut exit: MessageWriter<AppExit>| {
                if interrupted() || end.is_some_and(|end| Instant::now() >= end) {
                    exit.write(AppExit::Success);
                }
            },
        );
    })?;
    Ok(())
}

/// Adds the panels and what keeps them told about the wire.
pub fn dress(app: &mut App) {
    app.add_plugins(PanelsPlugin).add_systems(Update, follow_wire.in_set(Step::Present));
}

/// Brings an opened project into the app; the one before it, with its broker and devices, ends.
pub fn install(world: &mut World, opened: Opened, live: Option<Live>) {
    world.remove_resource::<Connected>();
    let problems = opened.problems.into_iter().chain(live.iter().flat_map(|l| l.problems.iter().cloned()));
    world.insert_resource(Problems(problems.collect()));
    world.insert_resource(TwinClock::of_site(opened.project.clock_topic.is_some()));
    world.insert_resource(Templates(opened.project.templates));
    world.insert_resource(OpenSite(opened.site));
    match live {
        Some(live) => {
            world.insert_resource(Inlet(live.connection.arrivals.clone()));
            world.insert_resource(Connected(live));
        }
        None => {
            world.remove_resource::<Inlet>();
            world.insert_resource(WireStatus::default());
        }
    }
}

/// What runs beside the twin that is shown.
#[derive(Resource)]
struct Connected(Live);

/// How often the panels are told about the wire.
const TELL: Duration = Duration::from_millis(500);

fn follow_wire(connected: Option<ResMut<Connected>>, mut status: ResMut<WireStatus>, mut last: Local<Option<Instant>>) {
    let Some(mut connected) = connected else { return };
    if last.is_some_and(|t| t.elapsed() < TELL) {
        return;
    }
    *last = Some(Instant::now());
    status.set_if_neq(connected.0.status());
}

type Outcome = Result<(Opened, Option<Live>), Problem>;

/// A project that is being opened on a thread of its own.
#[derive(Resource)]
struct Opening {
    path: PathBuf,
    progress: Progress,
    thread: Option<JoinHandle<Outcome>>,
}

impl Opening {
    fn start(path: PathBuf, emulate: Option<FieldSettings>) -> Self {
        let progress = Progress::default();
        let (p, file) = (progress.clone(), path.clone());
        let thread = std::thread::Builder::new().name("plenum-open".into()).spawn(move || enliven(&file, emulate, &p));
        Self { path, progress, thread: thread.ok() }
    }

    fn busy(&self) -> Busy {
        let name = self.path.file_name().unwrap_or(self.path.as_os_str()).to_string_lossy();
        Busy { what: format!("Opening {name}"), progress: self.progress.clone() }
    }
}

/// Opens a project and connects it. A site that cannot be connected is still worth seeing.
fn enliven(path: &Path, emulate: Option<FieldSettings>, progress: &Progress) -> Outcome {
    let mut opened = open(path, progress)?;
    if opened.site.points.is_empty() && emulate.is_none() {
        return Ok((opened, None));
    }
    let emulate = emulate.map(|s| FieldSettings { clock_topic: opened.project.clock_topic.clone(), ..s });
    if let Some(settings) = &emulate {
        Field::check(&opened.site, settings)?;
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

fn open_another(
    mut asked: MessageReader<OpenPath>,
    opening: Option<Res<Opening>>,
    mut commands: Commands,
    mut notices: MessageWriter<Notice>,
) {
    let Some(OpenPath(path)) = asked.read().last() else { return };
    if opening.is_some() {
        let place = path.display().to_string();
        notices.write(Notice(Problem::warning(place, "another project is being opened", "wait for it, or cancel it")));
        return;
    }
    let opening = Opening::start(path.clone(), None);
    commands.insert_resource(opening.busy());
    commands.insert_resource(opening);
}

fn take_opened(world: &mut World) {
    let finished =
        world.get_resource::<Opening>().is_some_and(|o| o.thread.as_ref().is_none_or(JoinHandle::is_finished));
    if !finished {
        return;
    }
    let Some(opening) = world.remove_resource::<Opening>() else { return };
    world.remove_resource::<Busy>();
    let place = opening.path.display().to_string();
    let outcome = match opening.thread.map(JoinHandle::join) {
        Some(Ok(outcome)) => outcome,
        Some(Err(_)) => Err(Problem::error(place, "opening it ended by itself", "report this with the file")),
        None => Err(Problem::error(place, "cannot start a thread to open it", "free some memory")),
    };
    match outcome {
        Ok((opened, live)) => install(world, opened, live),
        Err(problem) => {
            if let Some(mut problems) = world.get_resource_mut::<Problems>() {
                problems.0.push(problem.clone());
            }
            world.write_message(Notice(problem));
        }
    }
}
