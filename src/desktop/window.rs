//! The program in a window.

use super::render::arrows::Arrows;
use super::render::geometry::Loading;
use super::render::quality::Quality;
use super::{ScenePlugins, adapter, spawn_camera};
use crate::TwinPlugins;
use crate::problem::Problem;
use crate::site::Site;
use crate::twin::flow::Networks;
use crate::twin::preview::Preview;
use crate::twin::scene::{OpenSite, Scene};
use crate::twin::view::View;
use bevy::app::PluginGroupBuilder;
use bevy::prelude::*;
use bevy::render::RenderPlugin;
use bevy::render::pipelined_rendering::PipelinedRenderingPlugin;
use bevy::window::{Monitor, PresentMode, PrimaryMonitor, PrimaryWindow, WindowResolution};
use bevy::winit::{UpdateMode, WinitSettings};
use std::num::NonZero;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// The window's size where the monitor has room for it, logical pixels.
const SIZE: [u32; 2] = [1600, 900];
/// The part of a monitor that bars and borders leave, about.
const FREE: Vec2 = Vec2::new(0.98, 0.90);

/// How often the picture follows telemetry when no hand moves, at most.
const IDLE_FRAME: Duration = Duration::from_millis(100);
/// The same while arrows move with the flow.
const ARROWS_FRAME: Duration = Duration::from_millis(33);
/// The same where the processor draws: a frame that is under way makes a hand wait.
const IDLE_FRAME_SOFTWARE: Duration = Duration::from_millis(500);
/// And while a site is being read: what draws is what reads.
const READING_FRAME_SOFTWARE: Duration = Duration::from_millis(1000);
/// And when another program has the focus.
const UNFOCUSED_FRAME: Duration = Duration::from_millis(500);

/// Opens the window and stays in it until it is closed. `feed` adds what brings the site to life.
///
/// # Errors
/// When there is no display or nothing to draw with.
pub fn run(site: Arc<Site>, feed: impl FnOnce(&mut App)) -> Result<(), Problem> {
    let adapter = adapter::find()?;
    display()?;
    let title = if site.name.is_empty() { "Plenum".to_owned() } else { format!("{} – Plenum", site.name) };
    let mut engine = DefaultPlugins
        .build()
        .set(WindowPlugin {
            primary_window: Some(Window {
                title,
                name: Some("plenum".to_owned()),
                resolution: WindowResolution::new(SIZE[0], SIZE[1]),
                present_mode: PresentMode::AutoVsync,
                // No frame is prepared ahead of the one that is shown where each takes long.
                desired_maximum_frame_latency: if adapter.software { NonZero::new(1) } else { None },
                ..default()
            }),
            ..default()
        })
        .set(RenderPlugin { render_creation: adapter.settings().into(), ..default() })
        .set(super::log());
    if adapter.software {
        // To prepare the next frame while one is drawn gains nothing where the same processor does both, and shows
        // what a hand does a frame later.
        engine = engine.disable::<PipelinedRenderingPlugin>();
    }
    let mut app = start_engine(engine)?;
    let quality = Quality::for_window(adapter.software);
    app.insert_resource(quality)
        .insert_resource(WinitSettings {
            // What matters of a mouse comes as an event of the window too.
            focused_mode: UpdateMode::reactive_low_power(if adapter.software {
                IDLE_FRAME_SOFTWARE
            } else {
                IDLE_FRAME
            }),
            unfocused_mode: UpdateMode::reactive_low_power(UNFOCUSED_FRAME),
        })
        .insert_resource(OpenSite(site))
        .add_plugins((TwinPlugins, ScenePlugins))
        .add_systems(PreStartup, move |mut commands: Commands| {
            spawn_camera(&mut commands, None, quality);
        });
    app.init_resource::<FirstPicture>().add_systems(Update, fit_monitor).add_systems(Last, mark_first_picture);
    if adapter.software {
        app.add_systems(Update, spare_readers);
    } else {
        app.add_systems(Update, move_arrows);
    }
    super::add_panels(&mut app);
    app.add_plugins(super::icon::plugin);
    feed(&mut app);
    match app.run() {
        AppExit::Success => Ok(()),
        AppExit::Error(code) => Err(Problem::error("window", format!("the window ended with status {code}"), "")),
    }
}

/// Fewer frames while a site is being read, where the processor draws. A hand is obeyed at once all the same.
fn spare_readers(preview: Option<Res<Preview>>, mut settings: ResMut<WinitSettings>, mut spared: Local<bool>) {
    let spare = preview.is_some_and(|p| !p.is_empty());
    if spare == *spared {
        return;
    }
    *spared = spare;
    let [focused, unfocused] =
        if *spared { [READING_FRAME_SOFTWARE; 2] } else { [IDLE_FRAME_SOFTWARE, UNFOCUSED_FRAME] };
    settings.focused_mode = UpdateMode::reactive_low_power(focused);
    settings.unfocused_mode = UpdateMode::reactive_low_power(unfocused);
}

/// More frames while there are arrows to be seen moving, where the graphics card draws.
fn move_arrows(
    view: Res<View>,
    arrows: Res<Arrows>,
    networks: Res<Networks>,
    mut settings: ResMut<WinitSettings>,
    mut moving: Local<bool>,
) {
    if !(view.is_changed() || networks.is_changed() || arrows.is_changed() && view.shows_arrows()) {
        return;
    }
    let move_now = view.shows_arrows() && arrows.count() > 0;
    if move_now != *moving {
        *moving = move_now;
        let frame = if move_now { ARROWS_FRAME } else { IDLE_FRAME };
        settings.focused_mode = UpdateMode::reactive_low_power(frame);
    }
}

/// The engine with its event loop. A display that is named and does not answer makes it panic, and there can be
/// only one event loop in a process, so that nobody can try before.
fn start_engine(engine: PluginGroupBuilder) -> Result<App, Problem> {
    let hook = std::panic::take_hook();
    std::panic::set_hook(Box::new(|_| {}));
    let started = std::panic::catch_unwind(AssertUnwindSafe(move || {
        let mut app = App::new();
        #[cfg(feature = "dev")]
        super::render::shaders::register_source(&mut app);
        app.add_plugins(engine);
        app
    }));
    std::panic::set_hook(hook);
    started.map_err(|why| {
        let why = why.downcast_ref::<String>().cloned().unwrap_or_else(|| "no reason was given".to_owned());
        Problem::error(
            "window",
            format!("the engine cannot start here: {}", why.lines().next().unwrap_or_default()),
            "look whether the display answers (DISPLAY, WAYLAND_DISPLAY), or run with --headless",
        )
    })
}

/// The window is no larger than the monitor; looked at once, when the monitors are known.
fn fit_monitor(
    primary: Query<&Monitor, With<PrimaryMonitor>>,
    monitors: Query<&Monitor>,
    mut window: Single<&mut Window, With<PrimaryWindow>>,
    mut done: Local<bool>,
) {
    if *done {
        return;
    }
    let Some(monitor) = primary.iter().next().or_else(|| monitors.iter().next()) else { return };
    *done = true;
    let free = monitor.physical_size().as_vec2() * FREE / window.scale_factor();
    let now = window.size();
    let fitting = now.min(free).max(Vec2::new(320.0, 240.0));
    if fitting.distance(now) > 1.0 {
        window.resolution.set(fitting.x.floor(), fitting.y.floor());
    }
}

/// When the first picture with all of the site in it was there.
#[derive(Resource, Clone, Copy, Debug, Default)]
pub struct FirstPicture(pub Option<Instant>);

fn mark_first_picture(
    scene: Option<Res<Scene>>,
    loading: Res<Loading>,
    mut first: ResMut<FirstPicture>,
    mut frames: Local<u32>,
) {
    if first.0.is_some() || !loading.is_done() || scene.is_none_or(|s| s.site.elements.is_empty()) {
        return;
    }
    *frames += 1;
    // The frame in which a mesh is there is drawn while the next one is made.
    if *frames == 3 {
        first.0 = Some(Instant::now());
    }
}

/// On Linux the event loop can only be made where there is a display to talk to.
#[cfg(all(unix, not(target_os = "macos")))]
fn display() -> Result<(), Problem> {
    let set = |name: &str| std::env::var_os(name).is_some_and(|v| !v.is_empty());
    if set("WAYLAND_DISPLAY") || set("WAYLAND_SOCKET") || set("DISPLAY") {
        return Ok(());
    }
    Err(Problem::error(
        "window",
        "there is no display to open a window on (neither DISPLAY nor WAYLAND_DISPLAY is set)",
        "run with --headless, make a picture with `plenum shot`, or start a display: xvfb-run plenum …",
    ))
}

#[cfg(not(all(unix, not(target_os = "macos"))))]
fn display() -> Result<(), Problem> {
    Ok(())
}
