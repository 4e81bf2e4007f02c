//! *Reload*: the files of the project that is open are read again off the main thread, and the twin goes on with what
//! they say now.
//!
//! As long as anything is wrong with the files that was not wrong before, nothing is changed. What was found under
//! another name goes on at once; that the project's file says so too, for the next opening, is asked for apart
//! ([`Command::SaveBindings`]).

use super::live::{Connected, Live};
use super::open::{Opened, open};
use crate::Step;
use crate::import::Progress;
use crate::import::ifc::is_cut_short;
use crate::problem::{Problem, Severity};
use crate::site::Site;
use crate::site::binding::bind;
use crate::site::project::{Amendments, Project, Rebind, load};
use crate::site::revision::follow::{Stages, follow_site};
use crate::site::revision::{Report, succession};
use crate::telemetry::Rewiring;
use crate::twin::changes;
use crate::twin::clock::TwinClock;
use crate::twin::command::Command;
use crate::twin::flow::FlowAssumptions;
use crate::twin::history::Recorder;
use crate::twin::place::{Placements, address};
use crate::twin::reload::{Next, replace};
use crate::twin::replay::Recording;
use crate::twin::scene::{OpenSite, Scene};
use crate::twin::telemetry::{Inlet, LastKnown};
use bevy::prelude::*;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread::JoinHandle;

/// What came of a reload, for those who show it.
#[derive(Message, Clone, Debug)]
pub enum Told {
    /// It is done.
    Reloaded {
        /// The project as it is used now.
        project: Arc<Project>,
        /// Every problem there is now.
        problems: Vec<Problem>,
        /// What came of it.
        notice: Problem,
    },
    /// Something is wrong: everything is as it was.
    Refused(Problem),
    /// Nothing was done, and nothing is wrong.
    Nothing(Problem),
    /// The project's file says now by what its devices know its elements.
    Saved(Problem),
}

/// A reload that is under way; its progress can be read and cancelled.
#[derive(Resource)]
pub struct Reloading {
    /// What is read.
    pub path: PathBuf,
    /// How far it is.
    pub progress: Progress,
    /// The site that was open when it began.
    of: Arc<Site>,
    thread: Option<JoinHandle<Result<Loaded, Problem>>>,
}

/// The project that is open.
#[derive(Resource, Clone)]
struct Current {
    path: PathBuf,
    /// As its file says it.
    read: Arc<Project>,
    /// As it is used: with what has been amended since.
    used: Arc<Project>,
    /// What was wrong with its files already.
    known: Vec<Problem>,
    /// What its file does not say yet.
    unwritten: Option<Amendments>,
}

/// The connection that brings samples.
#[derive(Resource, Clone)]
struct Wire {
    rewiring: Rewiring,
    /// What is wrong with it, whatever the points are.
    problems: Vec<Problem>,
}

/// What was read.
struct Loaded {
    next: Next,
    read: Project,
    used: Project,
    known: Vec<Problem>,
    unwritten: Option<Amendments>,
    problems: Vec<Problem>,
    /// A connection, where there was none and there are points now.
    live: Option<Live>,
}

/// Obeys [`Command::Reload`] and [`Command::SaveBindings`], and tells what comes of them by [`Told`].
pub fn plugin(app: &mut App) {
    app.add_message::<Told>()
        .add_systems(Update, finish.run_if(resource_exists::<Reloading>).before(Step::Ingest))
        .add_systems(Update, (begin, save).in_set(Step::Act));
}

/// Brings an opened project into an app, in the place of the one before; `path` is what was opened.
pub fn bring(world: &mut World, path: &Path, opened: &Opened, live: Option<&mut Live>) {
    // What is still read of the one before is of no use any more.
    if let Some(reloading) = world.remove_resource::<Reloading>() {
        reloading.progress.cancel();
    }
    let project = Arc::new(opened.project.clone());
    world.insert_resource(TwinClock::of_site(project.clock_topic.is_some()));
    world.insert_resource(Placements::of(&project));
    world.insert_resource(FlowAssumptions(project.assumptions.clone()));
    world.insert_resource(OpenSite(Arc::clone(&opened.site)));
    world.insert_resource(Current {
        path: path.to_path_buf(),
        read: Arc::clone(&project),
        used: project,
        known: known(path, &opened.refused, &opened.problems),
        unwritten: None,
    });
    match live {
        Some(live) => wire(world, live, &opened.site),
        None => {
            world.remove_resource::<Wire>();
            world.remove_resource::<Inlet>();
            world.remove_resource::<Recorder>();
            world.remove_resource::<Recording>();
            world.remove_resource::<LastKnown>();
        }
    }
}

fn wire(world: &mut World, live: &mut Live, site: &Site) {
    match live.recorder(&site.points) {
        Some(recorder) => world.insert_resource(recorder),
        None => drop(world.remove_resource::<Recorder>()),
    }
    match live.recording() {
        Some(recording) => world.insert_resource(recording),
        None => drop(world.remove_resource::<Recording>()),
    }
    match live.take_known() {
        Some(known) => world.insert_resource(known),
        None => drop(world.remove_resource::<LastKnown>()),
    }
    let of_points = &live.connection.problems;
    let problems = live.problems.iter().filter(|p| !of_points.contains(p)).cloned().collect();
    world.insert_resource(Inlet(live.connection.arrivals.clone()));
    world.insert_resource(Wire { rewiring: live.connection.rewiring.clone(), problems });
}

/// What is wrong with the files of a project: errors in its own, and files that could not be read, or not to their end.
fn known(path: &Path, refused: &[Problem], problems: &[Problem]) -> Vec<Problem> {
    let mut known = if is_project(path) { load(path).map(|(_, found)| found).unwrap_or_default() } else { Vec::new() };
    known.retain(|p| p.severity == Severity::Error);
    known.extend(refused.iter().chain(problems.iter().filter(|p| is_cut_short(p))).cloned());
    known
}

fn is_project(path: &Path) -> bool {
    path.is_dir() || path.extension().is_some_and(|e| e.eq_ignore_ascii_case("toml"))
}

fn begin(
    mut asked: MessageReader<Command>,
    current: Option<Res<Current>>,
    scene: Option<Res<Scene>>,
    reloading: Option<Res<Reloading>>,
    wire: Option<Res<Wire>>,
    mut told: MessageWriter<Told>,
    mut commands: Commands,
) {
    if !asked.read().any(|c| *c == Command::Reload) {
        return;
    }
    let (Some(current), Some(scene)) = (current, scene) else {
        told.write(Told::Nothing(Problem::info("", "there is no project open to be reloaded", "open one")));
        return;
    };
    if reloading.is_some() {
        let place = current.path.display().to_string();
        told.write(Told::Nothing(Problem::info(place, "it is being reloaded already", "wait for it, or cancel it")));
        return;
    }
    let (progress, of) = (Progress::default(), Arc::clone(&scene.site));
    let (current, path) = (current.clone(), current.path.clone());
    let (p, old, connected) = (progress.clone(), Arc::clone(&of), wire.is_some());
    let thread = std::thread::Builder::new().name("plenum-reload".into());
    let thread = thread.spawn(move || read_again(&current, &old, connected, &p)).ok();
    commands.insert_resource(Reloading { path, progress, of, thread });
}

fn finish(world: &mut World) {
    let is_done = |r: &Reloading| r.thread.as_ref().is_none_or(JoinHandle::is_finished);
    if !world.get_resource::<Reloading>().is_some_and(is_done) {
        return;
    }
    let Some(Reloading { path, progress, of, thread }) = world.remove_resource::<Reloading>() else { return };
    let place = path.display().to_string();
    let outcome = match thread.map(JoinHandle::join) {
        Some(Ok(outcome)) => outcome,
        Some(Err(_)) => Err(Problem::error(place.clone(), "reloading it ended by itself", "report this with the file")),
        None => Err(Problem::error(place.clone(), "cannot start a thread to reload it", "free some memory")),
    };
    let is_open = world.get_resource::<Scene>().is_some_and(|s| Arc::ptr_eq(&s.site, &of));
    let was_open = || world.get_resource::<Placements>().is_some_and(|p| p.was_a_state(address(&of)));
    if !is_open && !progress.cancelled() && was_open() {
        // What was read knows nothing of what was laid elsewhere or joined by hand since; the file does by now.
        world.write_message(Command::Reload);
        return;
    }
    let told = match outcome {
        _ if progress.cancelled() || !is_open => {
            Told::Nothing(Problem::info(place, "the reload was stopped; everything is as it was", ""))
        }
        Ok(loaded) => take(world, path, loaded),
        Err(problem) => Told::Refused(problem),
    };
    world.write_message(told);
}

/// Goes on with what was read.
fn take(world: &mut World, path: PathBuf, loaded: Loaded) -> Told {
    let Loaded { next, read, used, known, unwritten, mut problems, live } = loaded;
    let used = Arc::new(used);
    let followed = next.report.followed;
    let summary = next.report.summary();
    let mut arrivals = None;
    if let Some(wire) = world.get_resource::<Wire>() {
        let (receiver, unheard) = wire.rewiring.to(&next.site.points, used.clock_topic.as_deref());
        problems.extend(wire.problems.iter().cloned().chain(unheard));
        arrivals = Some(receiver);
        let declared = wire.rewiring.declared(&next.site.points);
        if let Some(mut recorder) = world.get_resource_mut::<Recorder>() {
            recorder.declared = declared;
        }
    }
    world.insert_resource(FlowAssumptions(used.assumptions.clone()));
    problems.extend(replace(world, next, arrivals));
    world.insert_resource(Placements::of(&used));
    if let Some(mut live) = live {
        problems.extend(live.problems.iter().cloned());
        world.insert_resource(TwinClock::of_site(used.clock_topic.is_some()));
        let site = world.get_resource::<Scene>().map(|s| Arc::clone(&s.site)).unwrap_or_default();
        wire(world, &mut live, &site);
        world.insert_resource(Connected(live));
    }
    let place = path.display().to_string();
    world.insert_resource(Current { path, read: Arc::new(read), used: Arc::clone(&used), known, unwritten });
    let message = format!("reloaded: {summary}; {followed} bindings go on");
    Told::Reloaded { project: used, problems, notice: Problem::info(place, message, "") }
}

/// Reads the files again and compares. Everything that takes long is done here, off the main thread.
fn read_again(current: &Current, old: &Site, connected: bool, progress: &Progress) -> Result<Loaded, Problem> {
    let path = &current.path;
    let is_known = |p: &Problem| current.known.iter().any(|k| k.message == p.message);
    let is_news = |p: &&Problem| p.severity == Severity::Error && !is_known(p);
    if is_project(path) {
        // A project with a new error in it is being written: what the error leaves out would be taken for removed.
        let (_, told) = load(path).map_err(|p| refused(&p))?;
        if let Some(error) = told.iter().find(is_news) {
            return Err(refused(error));
        }
    }
    let opened = open(path, progress).map_err(|p| refused(&p))?;
    if let Some(problem) = opened.refused.iter().find(is_news) {
        return Err(refused(problem));
    }
    // Most likely somebody is still writing it: half a building is no revision.
    if let Some(cut) = opened.problems.iter().find(|p| is_cut_short(p) && !is_known(p)) {
        let message = "the file ends early: its last line (END-ISO-10303-21) is missing";
        let remedy = "wait until it is written to its end, or export it again; then reload";
        return Err(refused(&Problem::error(cut.place.clone(), message, remedy)));
    }
    if let Some(emptied) = emptied(old, &opened.site) {
        return Err(refused(&emptied));
    }
    let stopped = || Problem::error(path.display().to_string(), "stopped before it was compared", "");
    let Opened { project: now, site, mut problems, refused: unread } = opened;
    let mut site = Arc::unwrap_or_clone(site);
    let succession = succession(old, &site);
    if progress.cancelled() {
        return Err(stopped());
    }
    let stages = Stages { used: &current.used, read: &current.read, now: &now };
    let mut following = follow_site(stages, old, &site, &succession);
    // What the file alone says is not what is bound.
    let (_, unamended) = bind(&now, &site);
    problems.retain(|p| !unamended.contains(p));
    problems.append(&mut following.problems);
    problems.extend(succession.notes.iter().cloned());
    let amendments = std::mem::take(&mut following.bindings.amendments);
    let mut used = amendments.of(&now);
    let unwritten = unwritten(&amendments, &now);
    problems.extend((unwritten > 0).then(|| not_written(&now, unwritten)));
    let report = Report::of(old, &site, &succession, &following, unwritten);
    problems.extend(report.problems());
    site.points = following.points;
    if connected {
        let before = &current.used;
        problems.extend(other_connection(before, &now));
        used.broker.clone_from(&before.broker);
        used.ingest.clone_from(&before.ingest);
        used.clock_topic.clone_from(&before.clock_topic);
        used.history.clone_from(&before.history);
        used.retention.clone_from(&before.retention);
    }
    let next = Next { carry: succession.carry(following.carried), site: Arc::new(site), report };
    let mut live = None;
    if !connected && !next.site.points.is_empty() {
        let (project, site) = (used.clone(), Arc::clone(&next.site));
        match Live::start(&Opened { project, site, problems: Vec::new(), refused: Vec::new() }, None) {
            Ok(started) => live = Some(started),
            Err(problem) => problems.push(problem),
        }
    }
    let known = known(path, &unread, &problems);
    let unwritten = (unwritten > 0).then_some(amendments);
    Ok(Loaded { next, read: now, used, known, unwritten, problems, live })
}

/// Why nothing is changed.
fn refused(problem: &Problem) -> Problem {
    let message = format!("not reloaded, everything is as it was: {}", problem.message);
    Problem::error(problem.place.clone(), message, problem.remedy.clone())
}

/// A file that had elements and has none any more: it is broken, or half written.
fn emptied(old: &Site, new: &Site) -> Option<Problem> {
    let count = |site: &Site, source: usize| site.source_of.iter().filter(|s| usize::from(**s) == source).count();
    let lost = |(i, source): (usize, &crate::site::Source)| {
        let is = new.sources.iter().position(|s| s.file == source.file)?;
        let was = count(old, i);
        (was > 0 && count(new, is) == 0).then(|| {
            let message = format!("it had {was} elements and has none any more");
            Problem::error(source.file.display().to_string(), message, "look whether it was written to its end")
        })
    };
    old.sources.iter().enumerate().find_map(lost)
}

/// How many entries the project's file lacks, or has too many of.
fn unwritten(amendments: &Amendments, file: &Project) -> usize {
    let is_in = |r: &Rebind, all: &[Rebind]| all.iter().any(|o| Rebind { line: r.line, ..o.clone() } == *r);
    let lacking = amendments.rebinds.iter().filter(|r| !is_in(r, &file.rebinds)).count();
    let over = file.rebinds.iter().filter(|r| !amendments.rebinds.iter().any(|o| o.asset == r.asset)).count();
    lacking + over + amendments.assets.len()
}

fn not_written(project: &Project, count: usize) -> Problem {
    Problem::warning(
        project.file.file_name().unwrap_or_default().to_string_lossy(),
        format!(
            "{count} elements are called otherwise in the new revision, and their bindings go on; the project's file \
             does not say so yet, so that the next opening would not know them"
        ),
        "press `Write to twin.toml` under Changes",
    )
}

/// The connection stays; what the file says anew of it waits for the next opening.
fn other_connection(before: &Project, now: &Project) -> Option<Problem> {
    let is_same = before.broker == now.broker && before.ingest == now.ingest && before.clock_topic == now.clock_topic;
    let is_same = is_same && before.history == now.history && before.retention == now.retention;
    (!is_same).then(|| {
        Problem::warning(
            now.file.file_name().unwrap_or_default().to_string_lossy(),
            "[broker], [ingest], [clock], [history] or [retention] say something else than before; the connection stays as it is",
            "open the project again to connect anew",
        )
    })
}

fn save(
    mut asked: MessageReader<Command>,
    current: Option<ResMut<Current>>,
    mut told: MessageWriter<Told>,
    mut commands: Commands,
) {
    if !asked.read().any(|c| *c == Command::SaveBindings) {
        return;
    }
    let Some(mut current) = current else { return };
    let Some(amendments) = current.unwritten.clone() else { return };
    match write(&current.path, &current.read, &amendments) {
        Ok((read, kept)) => {
            let place = read.file.display().to_string();
            let message = format!("written; as it was it is {}", kept.display());
            current.read = Arc::new(read);
            current.unwritten = None;
            commands.queue(changes::written);
            told.write(Told::Saved(Problem::info(place, message, "")));
        }
        Err(problem) => {
            told.write(Told::Refused(problem));
        }
    }
}

/// Writes what was amended into the project's file; the project as it says it now, and where it is kept as it was.
fn write(path: &Path, project: &Project, amendments: &Amendments) -> Result<(Project, PathBuf), Problem> {
    let place = project.file.display().to_string();
    let model = project.models.first().filter(|_| is_project(&project.file));
    let Some(model) = model else {
        let remedy = "make a project: a folder with a twin.toml that names the model";
        return Err(Problem::error(place, "there is no project file with [[models]] to write into", remedy));
    };
    let kept = amendments.write(project, &model.file, &model.file)?;
    let (read, _) = load(path)?;
    Ok((read, kept))
}

/// True for the problem that [`Told::Saved`] settles.
pub fn is_settled_by_saving(problem: &Problem) -> bool {
    problem.message.contains("does not say so yet")
}
