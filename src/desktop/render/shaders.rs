//! The scene's shaders: part of the executable, so that it runs from anywhere; with the feature `dev` they
//! are read from `shaders/` and come anew when their file changes.

use bevy::asset::uuid_handle;
use bevy::prelude::*;
use bevy::shader::{Shader, ShaderRef};

const SCENE: Handle<Shader> = uuid_handle!("6a1d3c52-1f3b-4a7e-9a54-0f8f5f0d9a01");
const ELEMENT: Handle<Shader> = uuid_handle!("6a1d3c52-1f3b-4a7e-9a54-0f8f5f0d9a02");
const ELEMENT_PREPASS: Handle<Shader> = uuid_handle!("6a1d3c52-1f3b-4a7e-9a54-0f8f5f0d9a03");
const GROUND: Handle<Shader> = uuid_handle!("6a1d3c52-1f3b-4a7e-9a54-0f8f5f0d9a04");
const ARROWS: Handle<Shader> = uuid_handle!("6a1d3c52-1f3b-4a7e-9a54-0f8f5f0d9a06");
const FINISH: Handle<Shader> = uuid_handle!("6a1d3c52-1f3b-4a7e-9a54-0f8f5f0d9a05");

/// Keeps the shared shaders alive when they are read from their files.
#[derive(Resource)]
struct Library(#[expect(dead_code, reason = "held, not read")] [Handle<Shader>; 2]);

/// Makes the shaders known.
pub fn plugin(app: &mut App) {
    if cfg!(feature = "dev") {
        let files = app.world().resource::<AssetServer>();
        let shared = ["shaders://scene.wgsl", "shaders://arrows.wgsl"].map(|path| files.load(path));
        app.insert_resource(Library(shared));
        return;
    }
    let mut shaders = app.world_mut().resource_mut::<Assets<Shader>>();
    for (handle, text, path) in [
        (SCENE, include_str!("../../../shaders/scene.wgsl"), "shaders/scene.wgsl"),
        (ARROWS, include_str!("../../../shaders/arrows.wgsl"), "shaders/arrows.wgsl"),
        (ELEMENT, include_str!("../../../shaders/element.wgsl"), "shaders/element.wgsl"),
        (ELEMENT_PREPASS, include_str!("../../../shaders/element_prepass.wgsl"), "shaders/element_prepass.wgsl"),
        (GROUND, include_str!("../../../shaders/ground.wgsl"), "shaders/ground.wgsl"),
        (FINISH, include_str!("../../../shaders/finish.wgsl"), "shaders/finish.wgsl"),
    ] {
        if let Err(e) = shaders.insert(handle.id(), Shader::from_wgsl(text, path)) {
            error!("cannot register {path}: {e}");
        }
    }
}

/// The source of shaders for the feature `dev`; add before Bevy's own plugins.
#[cfg(feature = "dev")]
pub fn register_source(app: &mut App) {
    use bevy::asset::AssetApp;
    use bevy::asset::io::AssetSourceBuilder;
    app.register_asset_source("shaders", AssetSourceBuilder::platform_default("shaders", None));
}

fn shader(handle: Handle<Shader>, path: &'static str) -> ShaderRef {
    if cfg!(feature = "dev") { ShaderRef::Path(path.into()) } else { ShaderRef::Handle(handle) }
}

/// Colour of elements.
pub fn element() -> ShaderRef {
    shader(ELEMENT, "shaders://element.wgsl")
}

/// Depth and normals of elements.
pub fn element_prepass() -> ShaderRef {
    shader(ELEMENT_PREPASS, "shaders://element_prepass.wgsl")
}

/// The ground.
pub fn ground() -> ShaderRef {
    shader(GROUND, "shaders://ground.wgsl")
}

/// Background, edges and outlines.
pub fn finish() -> ShaderRef {
    shader(FINISH, "shaders://finish.wgsl")
}
