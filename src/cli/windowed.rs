//! The twin in a window: projects are opened off the main thread, with progress, and follow the wire.

use super::field::FieldSettings;
use super::headless::How;
use super::interrupt::interrupted;
use super::live::{Connected, Live};
use super::open::{Opened, must_exist};
use super::opening::{self, Opening};
use super::output::{Failure, print_json};
use super::place;
use super::reload::{self, Reloading, Told, is_settled_by_saving};
use super::report::{Ran, Report};
use crate::Step;
use crate::desktop::camera::{SceneCamera, views};
use crate::desktop::panels::{Busy, Notice, OpenPath, PanelsPlugin, Problems, SaveView, SavedViews, Templates};
use crate::desktop::window::{self, FirstPicture};
use crate::problem::{Problem, Severity};
use crate::site::Site;
use crate::site::infer::Verdict;
use crate::site::project::{SavedView, place_file, save_join, save_view};
use crate::twin::place::{JointDecided, ModelPlaced};
use crate::twin::preview::Preview;
use crate::twin::scene::Scene;
use crate::twin::search::Search;
use crate::twin::view::View;
use crate::twin::wire_status::WireStatus;
use bevy::prelude::*;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Opens a window with a project in it; stays until it is closed, Ctrl-C, or the time is up.
///
/// # Errors
/// There is nothing to draw on or with, or nothing was ever opened.
pub fn run(project: PathBuf, emulate: Option<FieldSettings>, how: How) -> Result<(), Failure> {
    must_exist(&project)?;
    let (json, end) = (how.json, how.duration.map(|d| Instant::now() + d));
    let run = Run { started: how.started, ready: None, refused: None, result: Arc::default() };
    let result = Arc::clone(&run.result);
    window::run(Arc::new(Site::default()), move |app| {
        dress(app);
        app.insert_resource(run);
        begin(app.world_mut(), project, emulate);
        app.add_systems(Update, (open_another, take_opened, stand_aside).chain().before(Step::Ingest))
            .add_systems(Last, conclude.run_if(on_message::<AppExit>))
            .add_systems(Update, move |mut exit: MessageWriter<AppExit>| {
                if interrupted() || end.is_some_and(|end| Instant::now() >= end) {
                    exit.write(AppExit::Success);
                }
            });
    })?;
    let (report, refused) = result.lock().unwrap_or_else(PoisonError::into_inner).take().unzip();
    if let Some(report) = report.filter(|_| json) {
        print_json(&report)?;
    }
    refused.flatten().map_or(Ok(()), |problem| Err(Failure::Failed(problem)))
}

/// What a run tells at its end.
#[derive(Resource)]
struct Run {
    started: Instant,
    /// When the first project was there.
    ready: Option<Instant>,
    /// Why nothing is there.
    refused: Option<Problem>,
    /// The report, and why nothing was ever opened.
    result: Arc<Mutex<Option<(Report, Option<Problem>)>>>,
}

/// The app ends: the devices stop, and what the run has come to is written down.
fn conclude(world: &mut World) {
    if let Some(mut connected) = world.get_resource_mut::<Connected>() {
        connected.0.stop_devices();
        connected.0.finish_history();
    }
    let Some(run) = world.get_resource::<Run>() else { return };
    let since_start = |at: Instant| at.duration_since(run.started).as_secs_f64();
    let first = world.get_resource::<FirstPicture>().and_then(|f| f.0);
    let ran = Ran {
        seconds: run.ready.map_or(0.0, |at| at.elapsed().as_secs_f64()),
        ready_seconds: run.ready.map(since_start).unwrap_or_default(),
        first_picture_seconds: first.map(since_start),
    };
    let problems = world.get_resource::<Problems>().map(|p| p.0.clone()).unwrap_or_default();
    let live = world.get_resource::<Connected>().map(|c| &c.0);
    let report = Report::of(world, live, ran, problems);
    *run.result.lock().unwrap_or_else(PoisonError::into_inner) = Some((report, run.refused.clone()));
}

/// Adds the panels and what keeps them told about the wire and of a reload.
pub fn dress(app: &mut App) {
    app.add_plugins((PanelsPlugin, reload::plugin)).add_systems(
        Update,
        (follow_wire, save_views, save_placements, save_joints, show_reloading, tell_reloaded).in_set(Step::Present),
    );
}

/// Brings an opened project into the app; the one before it, with its broker and devices, ends.
pub fn install(world: &mut World, path: &Path, opened: Opened, mut live: Option<Live>) {
    world.remove_resource::<Connected>();
    reload::bring(world, path, &opened, live.as_mut());
    let problems = opened.problems.into_iter().chain(live.iter().flat_map(|l| l.problems.iter().cloned()));
    world.insert_resource(Problems(problems.collect()));
    world.insert_resource(Templates(opened.project.templates));
    world.insert_resource(saved_views(&opened.project.file, opened.project.views));
    match live {
        Some(live) => world.insert_resource(Connected(live)),
        None => world.insert_resource(WireStatus::default()),
    }
}

fn saved_views(file: &Path, views: Vec<SavedView>) -> SavedViews {
    let is_project = file.extension().is_some_and(|e| e.eq_ignore_ascii_case("toml"));
    SavedViews { file: is_project.then(|| file.to_path_buf()), views }
}

/// How far a reload is, over the scene.
fn show_reloading(
    reloading: Option<Res<Reloading>>,
    busy: Option<Res<Busy>>,
    mut ours: Local<bool>,
    mut commands: Commands,
) {
    match reloading {
        Some(reloading) if busy.is_none() => {
            let name = reloading.path.file_name().unwrap_or(reloading.path.as_os_str()).to_string_lossy();
            let what = format!("Reloading {name}");
            commands.insert_resource(Busy { what, progress: reloading.progress.clone(), aside: false });
            *ours = true;
        }
        None if *ours => {
            commands.remove_resource::<Busy>();
            *ours = false;
        }
        _ => {}
    }
}

/// What came of a reload.
fn tell_reloaded(
    mut told: MessageReader<Told>,
    mut problems: ResMut<Problems>,
    mut templates: ResMut<Templates>,
    mut views: ResMut<SavedViews>,
    mut notices: MessageWriter<Notice>,
) {
    for told in told.read() {
        let notice = match told {
            Told::Reloaded { project, problems: now, notice } => {
                problems.0.clone_from(now);
                templates.0.clone_from(&project.templates);
                *views = saved_views(&project.file, project.views.clone());
                notice
            }
            Told::Refused(problem) => {
                if !problems.0.contains(problem) {
                    problems.0.push(problem.clone());
                }
                problem
            }
            Told::Saved(notice) => {
                problems.0.retain(|p| !is_settled_by_saving(p));
                notice
            }
            Told::Nothing(notice) => notice,
        };
        notices.write(Notice(notice.clone()));
    }
}

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

/// Writes what is looked at into the project's file.
fn save_views(
    mut asked: MessageReader<SaveView>,
    mut saved: ResMut<SavedViews>,
    scene: Option<Res<Scene>>,
    view: Res<View>,
    search: Res<Search>,
    cameras: Query<&SceneCamera>,
    mut notices: MessageWriter<Notice>,
) {
    for SaveView(name) in asked.read() {
        let (Some(file), Some(scene), Some(camera)) = (saved.file.clone(), scene.as_ref(), cameras.iter().next())
        else {
            continue;
        };
        let new = views::to_save(name, camera.goal, &view, search.text(), &scene.site);
        match save_view(&file, &new) {
            Ok(()) => {
                let place = file.display().to_string();
                notices.write(Notice(Problem::info(place, format!("the view `{}` is saved", new.name), "")));
                match saved.views.iter_mut().find(|v| v.name.to_lowercase() == new.name.to_lowercase()) {
                    Some(old) => *old = new,
                    None => saved.views.push(new),
                }
            }
            Err(problem) => {
                notices.write(Notice(problem));
            }
        }
    }
}

/// Writes into the project's file where people put a model, as `plenum place` does.
fn save_placements(mut placed: MessageReader<ModelPlaced>, saved: Res<SavedViews>, mut notices: MessageWriter<Notice>) {
    for ModelPlaced { file: model, to } in placed.read() {
        let Some(file) = &saved.file else { continue };
        let name = model.file_name().unwrap_or_default().to_string_lossy();
        notices.write(Notice(match place_file(file, model, *to) {
            Ok(()) => Problem::info(file.display().to_string(), format!("{name} {}", place::told(*to)), ""),
            Err(problem) => problem,
        }));
    }
}

/// Writes into the project's file what people decided of joints, as `plenum graph` does.
fn save_joints(mut decided: MessageReader<JointDecided>, saved: Res<SavedViews>, mut notices: MessageWriter<Notice>) {
    for JointDecided { decision, verdict } in decided.read() {
        let Some(file) = &saved.file else { continue };
        notices.write(Notice(match save_join(file, decision, *verdict) {
            Ok(_) => {
                let what = match verdict {
                    Some(Verdict::Accept) => "the joint is accepted",
                    Some(Verdict::Reject) => "they are not joined",
                    Some(Verdict::Join) => "they are joined",
                    None => "nothing is decided of them any more",
                };
                let what = format!("{} and {}: {what}", decision.from, decision.to);
                Problem::info(file.display().to_string(), what, "")
            }
            Err(problem) => problem,
        }));
    }
}

fn open_another(
    mut asked: MessageReader<OpenPath>,
    opening: Option<Res<Opening>>,
    reloading: Option<Res<Reloading>>,
    mut commands: Commands,
    mut notices: MessageWriter<Notice>,
) {
    let Some(OpenPath(path)) = asked.read().last() else { return };
    if reloading.is_some() {
        let place = path.display().to_string();
        notices.write(Notice(Problem::warning(place, "the project is being reloaded", "wait for it, or cancel it")));
        return;
    }
    if opening.is_some() {
        let place = path.display().to_string();
        notices.write(Notice(Problem::warning(place, "another project is being opened", "wait for it, or cancel it")));
        return;
    }
    let path = path.clone();
    commands.queue(move |world: &mut World| begin(world, path, None));
}

/// Begins to open a project, and says so over the scene.
fn begin(world: &mut World, path: PathBuf, emulate: Option<FieldSettings>) {
    let name = path.file_name().unwrap_or(path.as_os_str()).to_string_lossy();
    let what = format!("Opening {name}");
    opening::start(world, path, emulate);
    if let Some(opening) = world.get_resource::<Opening>() {
        let progress = opening.progress.clone();
        world.insert_resource(Busy { what, progress, aside: false });
    }
}

/// What is seen already is not covered.
fn stand_aside(preview: Option<Res<Preview>>, busy: Option<ResMut<Busy>>) {
    let (Some(preview), Some(mut busy)) = (preview, busy) else { return };
    if !busy.aside && !preview.is_empty() {
        busy.aside = true;
    }
}

fn take_opened(world: &mut World) {
    let Some((path, outcome)) = opening::poll(world) else { return };
    world.remove_resource::<Busy>();
    match outcome {
        Ok((opened, live)) => {
            install(world, &path, opened, live);
            if let Some(mut run) = world.get_resource_mut::<Run>() {
                run.ready.get_or_insert_with(Instant::now);
                run.refused = None;
            }
        }
        Err(problem) => {
            if let Some(mut run) = world.get_resource_mut::<Run>()
                && run.ready.is_none()
            {
                run.refused = Some(problem.clone());
            }
            // That somebody stopped it is nothing to be mended.
            if let Some(mut problems) =
                world.get_resource_mut::<Problems>().filter(|_| problem.severity != Severity::Info)
            {
                problems.0.push(problem.clone());
            }
            world.write_message(Notice(problem));
        }
    }
}
