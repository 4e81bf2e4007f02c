//! What people see: rendering, camera, picking, panels. The only room that knows wgpu, winit and egui.

pub mod adapter;
pub mod camera;
pub mod frame_cost;
mod icon;
pub mod palette;
pub mod panels;
pub mod pick_cost;
pub mod picking;
pub mod render;
pub mod shot;
pub mod theme;
pub mod window;

use bevy::app::{PluginGroup, PluginGroupBuilder};
use bevy::prelude::*;

/// The part of the window that the panels leave to the scene, in logical pixels; none: all of it.
#[derive(Resource, Clone, Copy, Debug, Default, PartialEq)]
pub struct SceneArea(pub Option<Rect>);

/// Something is being dragged out of a panel: what lies under the pointer in the scene is of interest all the same.
#[derive(Resource, Clone, Copy, Debug, Default, PartialEq)]
pub struct Carrying(pub bool);

/// Everything between the twin and the picture, apart from the panels. Wants a
/// [`render::quality::Quality`] in the app and a camera made by [`spawn_camera`].
pub struct ScenePlugins;

impl PluginGroup for ScenePlugins {
    fn build(self) -> PluginGroupBuilder {
        PluginGroupBuilder::start::<Self>()
            .add(render::ScenePicturePlugin)
            .add(camera::SceneCameraPlugin)
            .add(picking::PickingPlugin)
    }
}

/// The panels and what draws them.
pub fn add_panels(app: &mut App) {
    app.add_plugins(bevy_egui::EguiPlugin::default());
    // A new letter is drawn in the frame that asks for it, not in the next, which may be long in coming.
    app.configure_sets(
        PostUpdate,
        bevy_egui::EguiPostUpdateSet::PostProcessOutput.before(bevy::asset::AssetEventSystems),
    );
    // Without a system in it the schedule would not exist, and the pass wants it.
    app.init_schedule(bevy_egui::EguiPrimaryContextPass);
}

/// The camera of the scene, drawing into a target. The panels draw over the same target.
pub fn spawn_camera(
    commands: &mut Commands,
    target: Option<bevy::camera::RenderTarget>,
    quality: render::quality::Quality,
) -> Entity {
    let mut camera = commands.spawn((
        Camera3d::default(),
        Camera { clear_color: ClearColorConfig::Custom(Color::NONE), ..default() },
        Projection::custom(camera::lens::Lens::default()),
        // A palette's colour has to be read as that colour.
        bevy::core_pipeline::tonemapping::Tonemapping::None,
        camera::SceneCamera::default(),
        render::finish::Finish::default(),
    ));
    if let Some(target) = target {
        camera.insert(target);
    }
    quality.dress(&mut camera);
    camera.id()
}

/// What is logged, on stderr: warnings and worse, unless `RUST_LOG` says otherwise.
pub fn log() -> bevy::log::LogPlugin {
    bevy::log::LogPlugin {
        level: bevy::log::Level::WARN,
        // Drivers complain of their own business; a texture array that is not there is no fault.
        filter: "wgpu=error,naga=error,bevy_render::renderer=error,bevy_egui=error,winit=error,calloop=error,rumqttd=off,ifc_lite_geometry=error"
            .into(),
        ..default()
    }
}
