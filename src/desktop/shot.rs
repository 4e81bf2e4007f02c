//! A picture with no window: the same scene, camera and panels as in a window, drawn into an image.

use super::adapter::{self, Adapter};
use super::camera::SceneCamera;
use super::camera::views::NamedView;
use super::render::geometry::Loading;
use super::render::material::Surroundings;
use super::render::quality::Quality;
use super::{ScenePlugins, spawn_camera};
use crate::TwinPlugins;
use crate::problem::Problem;
use crate::twin::command::Command;
use crate::twin::flow::{FlowPace, Networks};
use crate::twin::scene::Scene;
use crate::twin::search::Search;
use crate::twin::view::{ColourBy, Theme};
use bevy::app::PluginsState;
use bevy::asset::RenderAssetUsages;
use bevy::camera::{ImageRenderTarget, RenderTarget};
use bevy::prelude::*;
use bevy::render::RenderPlugin;
use bevy::render::pipelined_rendering::PipelinedRenderingPlugin;
use bevy::render::render_resource::{Extent3d, PollType, TextureDimension, TextureFormat, TextureUsages};
use bevy::render::renderer::RenderDevice;
use bevy::render::view::screenshot::{Screenshot, ScreenshotCaptured};
use bevy::window::ExitCondition;
use bevy::winit::WinitPlugin;
use std::time::{Duration, Instant};

/// What the picture shall be.
#[derive(Clone, Debug)]
pub struct Shot {
    /// Width and height, pixels.
    pub size: [u32; 2],
    /// Pixels in a logical pixel.
    pub scale: f32,
    /// Dark or light.
    pub theme: Theme,
    /// Each pixel is the mean of so many by so many: 1 is as in a window, 2 has finer lines.
    pub fineness: u32,
    /// With the panels around the scene.
    pub panels: bool,
    /// From where; none: as the program opens.
    pub view: Option<NamedView>,
    /// What the colours mean.
    pub colour_by: ColourBy,
    /// How long the twin lives before the picture is taken.
    pub after: Duration,
    /// How many ticks it lives at least.
    pub ticks: usize,
    /// What else is asked for before the picture is taken.
    pub commands: Vec<Command>,
    /// True when somebody wants no picture any more.
    pub stop: fn() -> bool,
}

impl Default for Shot {
    fn default() -> Self {
        Self {
            size: [1600, 900],
            scale: 1.0,
            theme: Theme::Dark,
            fineness: 2,
            panels: true,
            view: None,
            colour_by: ColourBy::Material,
            after: Duration::ZERO,
            ticks: 0,
            commands: Vec::new(),
            stop: || false,
        }
    }
}

impl Shot {
    /// The fineness that an image can have at all.
    fn fineness(&self) -> u32 {
        let longest = self.size[0].max(self.size[1]).max(1);
        self.fineness.clamp(1, (LARGEST / longest).max(1))
    }
}

/// A picture, rows from the top, RGBA 8 bit sRGB.
pub struct Picture {
    /// Width and height, pixels.
    pub size: [u32; 2],
    /// Four bytes a pixel.
    pub rgba: Vec<u8>,
}

impl Picture {
    /// Each `by` by `by` pixels as one.
    fn shrunk(self, by: u32) -> Self {
        if by <= 1 {
            return self;
        }
        let [width, height] = self.size.map(|s| s / by);
        let mut rgba = Vec::with_capacity((width * height * 4) as usize);
        for y in 0..height {
            for x in 0..width {
                let mut sum = [0_u32; 4];
                for dy in 0..by {
                    let row = ((y * by + dy) * self.size[0] + x * by) as usize * 4;
                    for pixel in self.rgba.get(row..row + by as usize * 4).unwrap_or(&[]).chunks_exact(4) {
                        sum.iter_mut().zip(pixel).for_each(|(s, p)| *s += u32::from(*p));
                    }
                }
                rgba.extend(sum.map(|s| ((s + by * by / 2) / (by * by)) as u8));
            }
        }
        Self { size: [width, height], rgba }
    }
}

#[derive(Resource, Default)]
struct Taken(Option<Image>);

/// Frames until pipelines, meshes and panels have settled.
const WARM_UP: usize = 1;
/// What can be asked for as a view.
pub const VIEWS: &str = "use outside, plant, storey:NAME or the name of a view in the project's [[views]]";

/// How long the flow networks of a site are waited for.
const NETWORKS: Duration = Duration::from_secs(30);
/// Between ticks that draw nothing.
const TICK: Duration = Duration::from_millis(20);
/// Pixels along a side that every adapter can draw.
const LARGEST: u32 = 8192;

/// Draws what `feed` brings: a [`crate::twin::scene::OpenSite`], and what makes it live.
///
/// # Errors
/// When there is nothing to draw with, when the view is not there, when the engine gives no picture.
pub fn draw(shot: &Shot, feed: impl FnOnce(&mut App)) -> Result<Picture, Problem> {
    let started = Instant::now();
    let adapter = adapter::find()?;
    let (mut app, target) = windowless(shot, &adapter);
    feed(&mut app);
    finish(&mut app);
    let found = started.elapsed();

    // Nothing is drawn before there is something to see.
    show(&mut app, false);
    pump(&mut app, 2);
    app.world_mut().write_message(Command::Theme(shot.theme));
    app.world_mut().write_message(Command::ColourBy(shot.colour_by));
    while app.world().get_resource::<Loading>().is_some_and(|l| !l.is_done()) {
        pump(&mut app, 1);
    }
    // What flows is a part of the picture, though its networks are made beside.
    let patience = Instant::now() + NETWORKS;
    while networks_are_missing(&app) && Instant::now() < patience && !(shot.stop)() {
        pump(&mut app, 1);
        std::thread::sleep(TICK);
    }
    let until = started + shot.after;
    let mut ticks = 0;
    while (ticks < shot.ticks || Instant::now() < until) && !(shot.stop)() {
        pump(&mut app, 1);
        ticks += 1;
        if ticks > shot.ticks {
            std::thread::sleep(TICK);
        }
    }
    if (shot.stop)() {
        return Err(Problem::error("picture", "stopped before it was drawn", ""));
    }
    show(&mut app, true);
    // The panels take their part of the picture in their first frames; views are made for what is left.
    pump(&mut app, 2);
    look(&mut app, shot)?;
    let ready = Instant::now();
    let lived = Instant::now();
    pump(&mut app, WARM_UP);
    let picture = take(&mut app, target).map(|p| p.shrunk(shot.fineness()));
    tracing::debug!(
        "picture: app {:.2} s, first frames {:.2} s, drawing {:.2} s",
        found.as_secs_f64(),
        (ready - started - found).as_secs_f64(),
        lived.elapsed().as_secs_f64()
    );
    picture
}

/// The networks of the site that is open are not there yet.
fn networks_are_missing(app: &App) -> bool {
    let made = app.world().get_resource::<Networks>().is_none_or(|n| n.building.is_some());
    app.world().contains_resource::<Scene>() && !made
}

/// The app without window and without event loop.
fn windowless(shot: &Shot, adapter: &Adapter) -> (App, RenderTarget) {
    let mut app = App::new();
    #[cfg(feature = "dev")]
    super::render::shaders::register_source(&mut app);
    app.add_plugins(
        DefaultPlugins
            .build()
            .set(WindowPlugin { primary_window: None, exit_condition: ExitCondition::DontExit, ..default() })
            .set(RenderPlugin {
                synchronous_pipeline_compilation: true,
                render_creation: adapter.settings().into(),
                ..default()
            })
            .set(super::log())
            .disable::<PipelinedRenderingPlugin>()
            .disable::<WinitPlugin>(),
    );
    let quality = if shot.fineness() > 1 { Quality::Fine } else { Quality::Full };
    app.insert_resource(quality).init_resource::<Taken>().add_plugins((TwinPlugins, ScenePlugins));
    // The same every time, whenever it is taken.
    app.insert_resource(Surroundings { still: true, ..Surroundings::default() });
    // Nor does a picture depend on how fast this machine solves.
    app.insert_resource(FlowPace { every: Duration::ZERO, in_a_tick: Duration::MAX });
    if shot.panels {
        super::add_panels(&mut app);
    }
    let image = canvas(&mut app, shot);
    let scale_factor = shot.scale * shot.fineness() as f32;
    let target = RenderTarget::Image(ImageRenderTarget { handle: image, scale_factor });
    spawn_camera(&mut app.world_mut().commands(), Some(target.clone()), quality);
    app.world_mut().flush();
    (app, target)
}

/// An image to draw into.
fn canvas(app: &mut App, shot: &Shot) -> Handle<Image> {
    let fineness = shot.fineness();
    let mut image = Image::new_uninit(
        Extent3d { width: shot.size[0] * fineness, height: shot.size[1] * fineness, depth_or_array_layers: 1 },
        TextureDimension::D2,
        TextureFormat::Rgba8UnormSrgb,
        RenderAssetUsages::RENDER_WORLD,
    );
    image.texture_descriptor.usage |= TextureUsages::RENDER_ATTACHMENT;
    app.world_mut().resource_mut::<Assets<Image>>().add(image)
}

fn finish(app: &mut App) {
    while app.plugins_state() == PluginsState::Adding {
        bevy::tasks::tick_global_task_pools_on_main_thread();
    }
    app.finish();
    app.cleanup();
}

/// Asks for the view and is there at once.
fn look(app: &mut App, shot: &Shot) -> Result<(), Problem> {
    if let Some(view) = &shot.view {
        let site = app.world().get_resource::<Scene>().map(|s| s.site.clone());
        let mut cameras = app.world_mut().query::<&SceneCamera>();
        let aspect = cameras.iter(app.world()).next().map_or(1.6, SceneCamera::aspect);
        let Some(site) = site else {
            return Err(Problem::error("picture", "there is nothing to look at", "open a project or a model"));
        };
        let (pose, commands) = view.resolve(&site, aspect).map_err(|e| Problem::error("--view", e, VIEWS))?;
        for command in commands {
            app.world_mut().write_message(command);
        }
        pump(app, 1);
        while app.world().get_resource::<Search>().is_some_and(Search::is_waiting) && !(shot.stop)() {
            pump(app, 1);
        }
        jump(app, Some(pose));
    } else {
        app.world_mut().write_message(Command::Home);
        pump(app, 1);
        jump(app, None);
    }
    for command in &shot.commands {
        app.world_mut().write_message(command.clone());
    }
    pump(app, 1);
    let moved = shot
        .commands
        .iter()
        .any(|c| matches!(c, Command::FlyTo(_) | Command::Fit | Command::Home | Command::CutStorey(Some(_))));
    if moved {
        jump(app, None);
    }
    Ok(())
}

/// The camera is where it shall be at once; none: where it is going to.
fn jump(app: &mut App, pose: Option<super::camera::pose::Pose>) {
    let mut cameras = app.world_mut().query::<&mut SceneCamera>();
    for mut camera in cameras.iter_mut(app.world_mut()) {
        let to = pose.unwrap_or(camera.goal);
        camera.jump(to);
    }
}

/// The scene's camera draws, or does not: the twin lives either way.
fn show(app: &mut App, drawn: bool) {
    let mut cameras = app.world_mut().query_filtered::<&mut Camera, With<SceneCamera>>();
    for mut camera in cameras.iter_mut(app.world_mut()) {
        camera.is_active = drawn;
    }
}

/// Frames, each drawn to its end.
fn pump(app: &mut App, frames: usize) {
    for _ in 0..frames {
        app.update();
        if let Some(device) = app.world().get_resource::<RenderDevice>() {
            let _ = device.wgpu_device().poll(PollType::Wait { submission_index: None, timeout: None });
        }
    }
}

/// The picture in a target. The scale factor is a part of which target it is.
fn take(app: &mut App, target: RenderTarget) -> Result<Picture, Problem> {
    app.world_mut()
        .spawn(Screenshot(target))
        .observe(|captured: On<ScreenshotCaptured>, mut taken: ResMut<Taken>| taken.0 = Some(captured.image.clone()));
    for _ in 0..60 {
        pump(app, 1);
        let Some(image) = app.world_mut().resource_mut::<Taken>().0.take() else { continue };
        let size = [image.width(), image.height()];
        let Ok(picture) = image.try_into_dynamic() else { break };
        let mut rgba = picture.to_rgba8().into_raw();
        // The scene's own alpha is of no use to those who look.
        rgba.chunks_exact_mut(4).for_each(|p| p[3] = 255);
        return Ok(Picture { size, rgba });
    }
    Err(Problem::error("picture", "the graphics driver gave no picture", "try another driver, or a smaller --size"))
}
