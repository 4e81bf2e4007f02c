//! The program in a window.

use super::render::quality::Quality;
use super::{ScenePlugins, adapter, spawn_camera};
use crate::problem::Problem;
use crate::site::Site;
use crate::twin::TwinPlugins;
use crate::twin::scene::OpenSite;
use bevy::prelude::*;
use bevy::render::RenderPlugin;
use bevy::window::{PresentMode, WindowResolution};
use bevy::winit::{UpdateMode, WinitSettings};
use std::sync::Arc;
use std::time::Duration;

/// How often the picture follows telemetry when no hand moves, at most.
const IDLE_FRAME: Duration = Duration::from_millis(100);
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
    let mut app = App::new();
    #[cfg(feature = "dev")]
    super::render::shaders::register_source(&mut app);
    app.add_plugins(
        DefaultPlugins
            .build()
            .set(WindowPlugin {
                primary_window: Some(Window {
                    title,
                    name: Some("plenum".to_owned()),
                    resolution: WindowResolution::new(1600, 900),
                    present_mode: PresentMode::AutoVsync,
                    ..default()
                }),
                ..default()
            })
            .set(RenderPlugin { render_creation: adapter.settings().into(), ..default() })
            .set(super::log()),
    );
    let quality = Quality::for_window(adapter.software);
    app.insert_resource(quality)
        .insert_resource(WinitSettings {
            focused_mode: UpdateMode::reactive(IDLE_FRAME),
            unfocused_mode: UpdateMode::reactive_low_power(UNFOCUSED_FRAME),
        })
        .insert_resource(OpenSite(site))
        .add_plugins((TwinPlugins, ScenePlugins))
        .add_systems(PreStartup, move |mut commands: Commands| {
            spawn_camera(&mut commands, None, quality);
        });
    super::add_panels(&mut app);
    feed(&mut app);
    match app.run() {
        AppExit::Success => Ok(()),
        AppExit::Error(code) => Err(Problem::error("window", format!("the window ended with status {code}"), "")),
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
