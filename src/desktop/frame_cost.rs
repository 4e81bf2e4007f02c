//! The CPU's part of a frame before drawing begins, beside Bevy alone with the same elements.
//!
//! Each of the two runs in a process of its own, so that neither leaves anything in the other's caches,
//! with no window and a picture too small for drawing to matter. What is measured is a scene that stands,
//! coloured by health: the frames in which a site appears bit by bit come before.

use super::camera::SceneCamera;
use super::picking::PickTree;
use super::render::geometry::Loading;
use super::render::quality::Quality;
use super::{ScenePlugins, spawn_camera};
use crate::TwinPlugins;
use crate::shape::Shape;
use crate::shape::frame::drawn_placement;
use crate::site::Site;
use crate::telemetry::Arrival;
use crate::twin::scene::OpenSite;
use crate::twin::telemetry::Inlet;
use crate::twin::view::{ColourBy, View};
use bevy::app::PluginsState;
use bevy::asset::RenderAssetUsages;
use bevy::camera::visibility::NoCpuCulling;
use bevy::camera::{ImageRenderTarget, RenderTarget};
use bevy::light::{CascadeShadowConfigBuilder, DirectionalLightShadowMap};
use bevy::log::LogPlugin;
use bevy::mesh::{Indices, PrimitiveTopology};
use bevy::prelude::*;
use bevy::render::pipelined_rendering::PipelinedRenderingPlugin;
use bevy::render::render_resource::{Extent3d, PollType, TextureDimension, TextureFormat, TextureUsages};
use bevy::render::renderer::{RenderDevice, render_system};
use bevy::render::{Render, RenderApp, RenderPlugin, RenderSystems};
use bevy::window::ExitCondition;
use bevy::winit::WinitPlugin;
use cpu_time::ProcessTime;
use crossbeam_channel::Sender;
use serde::{Deserialize, Serialize};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Which of the two a process measures.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// The twin and its scene.
    Plenum,
    /// The same elements and meshes with one standard material.
    Baseline,
}

/// Frames that a site may take to stand.
const OPENING: usize = 600;
/// Frames between a scene that stands and the first that is measured.
const WARM_UP: usize = 20;
const FRAMES: usize = 60;
/// Frames of one turn around a site: so many where they are drawn fast enough for a turn in [`TURN`], else as many as
/// can be, and a dozen whatever they cost.
const FRAMES_AROUND: usize = 120;
const FEWEST_AROUND: usize = 12;
const TURN: Duration = Duration::from_secs(90);
/// Pixels of a picture too small for drawing to matter.
const SMALL: [u32; 2] = [160, 90];

/// What frames cost while the camera goes once around a site.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Orbit {
    /// Mean CPU milliseconds from the start of a frame to its drawing.
    pub cpu_ms: f64,
    /// From the start of a frame until its picture is drawn, milliseconds: the median …
    pub median_ms: f64,
    /// … and the slowest.
    pub slowest_ms: f64,
    /// How many frames there were.
    pub frames: usize,
}

/// Orbits a site once in a picture of `size` pixels. None when the site never came to stand.
pub fn orbit(site: Arc<Site>, size: [u32; 2]) -> Option<Orbit> {
    let (mut app, target) = windowless(size);
    app.add_plugins((TwinPlugins, ScenePlugins)).insert_resource(Quality::Full).insert_resource(OpenSite(site));
    app.add_systems(PreStartup, move |mut commands: Commands| {
        spawn_camera(&mut commands, Some(target.clone()), Quality::Full);
    });
    let mark = mark_drawing(&mut app);
    start(&mut app);
    (0..OPENING).find(|_| {
        frame(&mut app, &mark);
        stands(&app)
    })?;
    let turn = |app: &mut App, frames: usize| {
        let step = Vec2::new(std::f32::consts::TAU / frames as f32, 0.0);
        let mut cameras = app.world_mut().query::<&mut SceneCamera>();
        for mut camera in cameras.iter_mut(app.world_mut()) {
            let next = camera.pose.orbited(camera.pose.focus, step);
            camera.jump(next);
        }
        let begun = Instant::now();
        let cpu = frame(app, &mark);
        (cpu, begun.elapsed())
    };
    // The first two make what the rest finds made.
    let second = (0..2).map(|_| turn(&mut app, FRAMES_AROUND).1).last().unwrap_or_default();
    let frames = (TURN.as_secs_f64() / second.as_secs_f64().max(1e-6)) as usize;
    let frames = frames.clamp(FEWEST_AROUND, FRAMES_AROUND);
    (0..WARM_UP * frames / FRAMES_AROUND).for_each(|_| {
        turn(&mut app, frames);
    });
    let (cpu, mut whole): (Vec<Duration>, Vec<Duration>) = (0..frames).map(|_| turn(&mut app, frames)).unzip();
    whole.sort_unstable();
    let ms = |d: Duration| d.as_secs_f64() * 1000.0;
    Some(Orbit {
        cpu_ms: ms(cpu.iter().sum()) / frames as f64,
        median_ms: whole.get(frames / 2).copied().map_or(0.0, ms),
        slowest_ms: whole.last().copied().map_or(0.0, ms),
        frames,
    })
}

/// Measures one part in this process: mean CPU milliseconds from the start of a frame to its drawing.
///
/// `send` puts the samples of a frame into the twin's inlet. None when the site never came to stand.
pub fn measure(part: Part, site: Site, mut send: impl FnMut(&Sender<Arrival>, usize)) -> Option<f64> {
    let (mut app, target) = windowless(SMALL);
    let (sender, receiver) = crossbeam_channel::unbounded();
    match part {
        Part::Plenum => {
            app.add_plugins((TwinPlugins, ScenePlugins))
                .insert_resource(Quality::Full)
                .insert_resource(View { colour_by: ColourBy::Health, ..default() })
                .insert_resource(OpenSite(Arc::new(site)))
                .insert_resource(Inlet(receiver));
        }
        Part::Baseline => spawn_baseline(&mut app, &site),
    }
    app.add_systems(PreStartup, move |mut commands: Commands| {
        let camera = spawn_camera(&mut commands, Some(target.clone()), Quality::Full);
        if part == Part::Baseline {
            // What of the camera only Plenum's plugins know; the lens, the view and the light are the same.
            let whole = Transform::from_xyz(300.0, 500.0, 300.0).looking_at(Vec3::new(300.0, 0.0, -300.0), Vec3::Y);
            commands
                .entity(camera)
                .remove::<super::camera::SceneCamera>()
                .insert((whole, Projection::Perspective(PerspectiveProjection { far: 5000.0, ..default() })));
            // The same sun: shadows in two cascades are two more views to prepare.
            commands.insert_resource(DirectionalLightShadowMap { size: 4096 });
            commands.spawn((
                DirectionalLight { shadow_maps_enabled: Quality::Full.shadows(), ..default() },
                CascadeShadowConfigBuilder { num_cascades: 2, maximum_distance: 1500.0, ..default() }.build(),
                Transform::from_xyz(-0.45, 1.0, 0.62).looking_at(Vec3::ZERO, Vec3::Y),
            ));
        }
    });
    let mark = mark_drawing(&mut app);
    start(&mut app);
    let mut number = 0;
    let mut frame = |app: &mut App| {
        if part == Part::Plenum {
            send(&sender, number);
        }
        number += 1;
        frame(app, &mark)
    };
    (0..OPENING).find(|_| {
        frame(&mut app);
        part == Part::Baseline || stands(&app)
    })?;
    (0..WARM_UP).for_each(|_| {
        frame(&mut app);
    });
    let spent: Duration = (0..FRAMES).map(|_| frame(&mut app)).sum();
    Some(spent.as_secs_f64() * 1000.0 / FRAMES as f64)
}

/// Every element has its mesh, and nothing is left to be done for the site that was opened.
fn stands(app: &App) -> bool {
    app.world().resource::<Loading>().is_done() && app.world().resource::<PickTree>().is_ready()
}

fn start(app: &mut App) {
    while app.plugins_state() == PluginsState::Adding {
        bevy::tasks::tick_global_task_pools_on_main_thread();
    }
    app.finish();
    app.cleanup();
}

/// One frame, drawn to its end: the CPU time from its start to its drawing.
fn frame(app: &mut App, mark: &Mark) -> Duration {
    let start = ProcessTime::now();
    app.update();
    let at = mark.lock().unwrap_or_else(PoisonError::into_inner).take();
    // The drawing itself must not run into the next frame's time.
    let device = app.world().resource::<RenderDevice>().wgpu_device().clone();
    let _ = device.poll(PollType::Wait { submission_index: None, timeout: None });
    at.map_or(Duration::ZERO, |at| at.duration_since(start))
}

type Mark = Arc<Mutex<Option<ProcessTime>>>;

/// Where the CPU time stood when drawing began.
fn mark_drawing(app: &mut App) -> Mark {
    let mark = Arc::new(Mutex::new(None));
    let set = Arc::clone(&mark);
    if let Some(render) = app.get_sub_app_mut(RenderApp) {
        render.add_systems(
            Render,
            (move || *set.lock().unwrap_or_else(PoisonError::into_inner) = Some(ProcessTime::now()))
                .in_set(RenderSystems::Render)
                .before(render_system),
        );
    }
    mark
}

fn windowless([width, height]: [u32; 2]) -> (App, RenderTarget) {
    let mut app = App::new();
    app.add_plugins(
        DefaultPlugins
            .build()
            .set(WindowPlugin { primary_window: None, exit_condition: ExitCondition::DontExit, ..default() })
            .set(RenderPlugin { synchronous_pipeline_compilation: true, ..default() })
            .disable::<LogPlugin>()
            .disable::<PipelinedRenderingPlugin>()
            .disable::<WinitPlugin>(),
    );
    let mut image = Image::new_uninit(
        Extent3d { width, height, depth_or_array_layers: 1 },
        TextureDimension::D2,
        TextureFormat::Rgba8UnormSrgb,
        RenderAssetUsages::RENDER_WORLD,
    );
    image.texture_descriptor.usage |= TextureUsages::RENDER_ATTACHMENT;
    let image = app.world_mut().resource_mut::<Assets<Image>>().add(image);
    (app, RenderTarget::Image(ImageRenderTarget::from(image)))
}

fn spawn_baseline(app: &mut App, site: &Site) {
    let world = app.world_mut();
    let material = world.resource_mut::<Assets<StandardMaterial>>().add(Color::srgb(0.6, 0.6, 0.6));
    let meshes: Vec<Handle<Mesh>> =
        site.shapes.iter().map(|s| world.resource_mut::<Assets<Mesh>>().add(mesh(s))).collect();
    let elements: Vec<_> = site
        .elements
        .iter()
        .filter_map(|e| {
            let mesh = meshes.get(e.shape? as usize)?.clone();
            let placed = Transform::from_matrix(drawn_placement(&e.placement).into());
            Some((Mesh3d(mesh), MeshMaterial3d(material.clone()), placed, NoCpuCulling))
        })
        .collect();
    world.spawn_batch(elements);
}

/// A shape as Bevy has it, with nothing of Plenum's.
pub(super) fn mesh(shape: &Shape) -> Mesh {
    Mesh::new(PrimitiveTopology::TriangleList, RenderAssetUsages::RENDER_WORLD)
        .with_inserted_attribute(Mesh::ATTRIBUTE_POSITION, shape.positions().to_vec())
        .with_inserted_attribute(Mesh::ATTRIBUTE_NORMAL, shape.normals().collect::<Vec<_>>())
        .with_inserted_indices(Indices::U32(shape.indices().iter().collect()))
}
