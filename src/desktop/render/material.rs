//! The two materials of the scene and the buffers they read.
//!
//! One material serves every element. It is written once, and again only when a buffer grows: a write makes
//! every element be looked at anew. What changes goes into the buffers.

use super::arrows::ROW_BYTES;
use super::scene_state::SceneState;
use super::shaders;
use crate::site::{Element, ElementKind};
use crate::twin::scene::{Scene, SiteOpened};
use crate::twin::state_words::StateWords;
use crate::twin::view::View;
use bevy::asset::RenderAssetUsages;
use bevy::mesh::MeshVertexBufferLayoutRef;
use bevy::pbr::{MaterialPipeline, MaterialPipelineKey};
use bevy::prelude::*;
use bevy::render::render_resource::{AsBindGroup, RenderPipelineDescriptor, SpecializedMeshPipelineError};
use bevy::render::storage::ShaderBuffer;
use bevy::shader::ShaderRef;

/// The material of every element.
#[derive(Asset, TypePath, AsBindGroup, Clone, Debug)]
pub struct ElementMaterial {
    #[storage(0, read_only)]
    scene: Handle<ShaderBuffer>,
    #[storage(1, read_only)]
    words: Handle<ShaderBuffer>,
    #[storage(2, read_only)]
    colours: Handle<ShaderBuffer>,
    #[storage(3, read_only)]
    flows: Handle<ShaderBuffer>,
}

impl Material for ElementMaterial {
    fn fragment_shader() -> ShaderRef {
        shaders::element()
    }

    fn prepass_fragment_shader() -> ShaderRef {
        shaders::element_prepass()
    }

    fn alpha_mode(&self) -> AlphaMode {
        // The shader leaves pixels out by itself; this makes the shadow pass ask it.
        AlphaMode::Mask(0.5)
    }

    fn specialize(
        _pipeline: &MaterialPipeline,
        descriptor: &mut RenderPipelineDescriptor,
        _layout: &MeshVertexBufferLayoutRef,
        _key: MaterialPipelineKey<Self>,
    ) -> Result<(), SpecializedMeshPipelineError> {
        // Building models are turned inside out often enough, and a cut shows the inside.
        descriptor.primitive.cull_mode = None;
        Ok(())
    }
}

/// The material of the ground.
#[derive(Asset, TypePath, AsBindGroup, Clone, Debug)]
pub struct GroundMaterial {
    #[storage(0, read_only)]
    scene: Handle<ShaderBuffer>,
    #[storage(1, read_only)]
    words: Handle<ShaderBuffer>,
    #[storage(2, read_only)]
    colours: Handle<ShaderBuffer>,
}

impl Material for GroundMaterial {
    fn fragment_shader() -> ShaderRef {
        shaders::ground()
    }
}

/// The materials and their buffers.
#[derive(Resource)]
pub struct SceneMaterials {
    /// Of every element.
    pub element: Handle<ElementMaterial>,
    /// Of the ground.
    pub ground: Handle<GroundMaterial>,
    scene: Handle<ShaderBuffer>,
    words: Handle<ShaderBuffer>,
    colours: Handle<ShaderBuffer>,
    /// Of the arrows (see [`super::arrows`]).
    pub(super) flows: Handle<ShaderBuffer>,
    /// What the scene's buffer holds.
    written: Option<SceneState>,
    /// For how many elements the buffers have room.
    room: usize,
}

impl SceneMaterials {
    /// For how many elements the buffers have room.
    pub(super) fn room(&self) -> usize {
        self.room
    }
}

/// Height of the ground and the pixels of a logical pixel, for the shaders.
#[derive(Resource, Clone, Copy, Debug, PartialEq)]
pub struct Surroundings {
    /// Height of the ground, drawn frame, metres.
    pub ground_m: f32,
    /// Pixels in a logical pixel.
    pub scale_factor: f32,
    /// What moves in the window stands still in a picture, so that it is the same every time.
    pub still: bool,
}

impl Default for Surroundings {
    fn default() -> Self {
        Self { ground_m: 0.0, scale_factor: 1.0, still: false }
    }
}

/// Makes the materials and keeps their buffers.
pub fn plugin(app: &mut App) {
    app.add_plugins((MaterialPlugin::<ElementMaterial>::default(), MaterialPlugin::<GroundMaterial>::default()))
        .init_resource::<Surroundings>()
        .add_systems(PreStartup, make)
        .add_systems(PostUpdate, (grow, write_colours, write_words, write_scene).chain());
}

const FIRST_ROOM: usize = 4096;

/// A buffer of so many bytes.
fn zeros(bytes: usize) -> ShaderBuffer {
    ShaderBuffer::new(&vec![0; bytes], RenderAssetUsages::default())
}

fn make(
    mut commands: Commands,
    mut buffers: ResMut<Assets<ShaderBuffer>>,
    mut elements: ResMut<Assets<ElementMaterial>>,
    mut grounds: ResMut<Assets<GroundMaterial>>,
    view: Res<View>,
) {
    let state = SceneState::of(&view, &Surroundings::default());
    let scene = buffers.add(ShaderBuffer::from(state));
    let words = buffers.add(zeros(FIRST_ROOM * 4));
    let colours = buffers.add(zeros(FIRST_ROOM * 4));
    let flows = buffers.add(zeros(FIRST_ROOM * ROW_BYTES));
    commands.insert_resource(SceneMaterials {
        element: elements.add(ElementMaterial {
            scene: scene.clone(),
            words: words.clone(),
            colours: colours.clone(),
            flows: flows.clone(),
        }),
        ground: grounds.add(GroundMaterial { scene: scene.clone(), words: words.clone(), colours: colours.clone() }),
        scene,
        words,
        colours,
        flows,
        written: None,
        room: FIRST_ROOM,
    });
}

/// Makes room for a larger site; the only place where the material is written.
pub(super) fn grow(
    words: Res<StateWords>,
    mut materials: ResMut<SceneMaterials>,
    mut elements: ResMut<Assets<ElementMaterial>>,
    mut grounds: ResMut<Assets<GroundMaterial>>,
    mut buffers: ResMut<Assets<ShaderBuffer>>,
) {
    if words.0.len() <= materials.room {
        return;
    }
    materials.room = words.0.len().next_power_of_two();
    let room = materials.room;
    let mut new = |bytes: usize| buffers.add(zeros(room * bytes));
    let (w, c, f) = (new(4), new(4), new(ROW_BYTES));
    if let Some(mut material) = elements.get_mut(&materials.element) {
        material.words = w.clone();
        material.colours = c.clone();
        material.flows = f.clone();
    }
    if let Some(mut material) = grounds.get_mut(&materials.ground) {
        material.words = w.clone();
        material.colours = c.clone();
    }
    materials.words = w;
    materials.colours = c;
    materials.flows = f;
}

fn write_words(words: Res<StateWords>, materials: Res<SceneMaterials>, mut buffers: ResMut<Assets<ShaderBuffer>>) {
    if !words.is_changed() && !materials.is_changed() {
        return;
    }
    let mut bytes = vec![0_u8; materials.room * 4];
    for (out, word) in bytes.as_chunks_mut().0.iter_mut().zip(&words.0) {
        *out = word.to_le_bytes();
    }
    if let Some(mut buffer) = buffers.get_mut(&materials.words) {
        buffer.data = Some(bytes);
    }
}

fn write_colours(
    mut opened: MessageReader<SiteOpened>,
    scene: Option<Res<Scene>>,
    materials: Res<SceneMaterials>,
    mut buffers: ResMut<Assets<ShaderBuffer>>,
) {
    let Some(scene) = scene else { return };
    if opened.read().count() == 0 {
        return;
    }
    let mut bytes: Vec<u8> = scene.site.elements.iter().flat_map(own_colour).collect();
    bytes.resize(materials.room * 4, 0);
    if let Some(mut buffer) = buffers.get_mut(&materials.colours) {
        buffer.data = Some(bytes);
    }
}

/// What is shown for a colour that a file states, linear RGBA: one that states none at all leaves black and clear, and
/// a light grey is what people expect.
pub(super) fn shown_colour(stated: [f32; 4]) -> [f32; 4] {
    if stated[3] <= 0.0 { [0.6, 0.6, 0.6, 1.0] } else { stated }
}

/// An element's own colour, 8 bits a channel, as square roots: even steps in the dark.
fn own_colour(element: &Element) -> [u8; 4] {
    let stated = if element.kind == ElementKind::Space { [0.35, 0.55, 0.80, 1.0] } else { element.colour };
    let [r, g, b, a] = shown_colour(stated);
    let root = |c: f32| (c.clamp(0.0, 1.0).sqrt() * 255.0).round() as u8;
    [root(r), root(g), root(b), (a.clamp(0.0, 1.0) * 255.0).round() as u8]
}

fn write_scene(
    view: Res<View>,
    surroundings: Res<Surroundings>,
    mut materials: ResMut<SceneMaterials>,
    mut buffers: ResMut<Assets<ShaderBuffer>>,
) {
    if !view.is_changed() && !surroundings.is_changed() && materials.written.is_some() {
        return;
    }
    let state = SceneState::of(&view, &surroundings);
    if materials.written.as_ref() == Some(&state) {
        return;
    }
    if let Some(mut buffer) = buffers.get_mut(&materials.scene) {
        buffer.set_data(state.clone());
    }
    materials.bypass_change_detection().written = Some(state);
}
