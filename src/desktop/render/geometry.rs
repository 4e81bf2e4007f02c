//! The site's shapes as meshes: one mesh a shape, one entity an element, a few thousand a frame.

use super::material::{ElementMaterial, SceneMaterials, Surroundings};
use crate::shape::{Aabb, Shape, frame};
use crate::site::{Element, ElementKind, Site, Slot};
use crate::twin::scene::{Relaid, Scene, SiteOpened};
use bevy::asset::RenderAssetUsages;
use bevy::camera::visibility::NoCpuCulling;
use bevy::mesh::{Indices, MeshTag, PrimitiveTopology};
use bevy::prelude::*;

/// Elements that get their mesh in one frame, so that a large site appears bit by bit.
const ELEMENTS_A_FRAME: usize = 5_000;
/// From so many elements on the processor's culling costs more than it saves.
const GPU_CULLING_FROM: usize = 20_000;

/// What is still to be drawn of the site that was opened.
#[derive(Resource, Default)]
pub struct Loading {
    meshes: Vec<Option<Handle<Mesh>>>,
    next: Option<usize>,
}

impl Loading {
    /// True once every element of the site has its mesh.
    pub fn is_done(&self) -> bool {
        self.next.is_none()
    }
}

/// Boxes of the site, drawn frame.
#[derive(Resource, Clone, Copy, Debug, Default)]
pub struct Extent {
    /// Around the building's elements (map features when there is nothing else), project frame.
    pub building: Option<Aabb>,
}

/// Draws the site that is open.
pub fn plugin(app: &mut App) {
    app.init_resource::<Loading>()
        .init_resource::<Extent>()
        .add_systems(PostUpdate, (begin, lay_anew, load).chain().before(TransformSystems::Propagate));
}

fn begin(
    mut opened: MessageReader<SiteOpened>,
    scene: Option<Res<Scene>>,
    mut loading: ResMut<Loading>,
    mut extent: ResMut<Extent>,
    mut surroundings: ResMut<Surroundings>,
    mut drawn: Query<&mut MeshTag>,
    mut commands: Commands,
) {
    let Some(scene) = scene else { return };
    let Some(opened) = opened.read().last() else { return };
    if !opened.is_another() {
        // What is drawn already shows its own state from now on, and what has lost its shape is not drawn any more.
        for ((slot, element), entity) in scene.site.iter().zip(&scene.elements) {
            let Ok(mut tag) = drawn.get_mut(*entity) else { continue };
            tag.0 = slot.0;
            if element.shape.is_none() {
                commands.entity(*entity).remove::<(Mesh3d, MeshMaterial3d<ElementMaterial>, MeshTag)>();
            }
        }
    }
    *loading = Loading { meshes: vec![None; scene.site.shapes.len()], next: Some(0) };
    extent.building = building(&scene.site);
    surroundings.ground_m = ground(&scene.site) as f32;
}

/// Models of the site lie elsewhere: what is drawn of them goes there.
fn lay_anew(
    mut relaid: MessageReader<Relaid>,
    scene: Option<Res<Scene>>,
    mut drawn: Query<&mut Transform, With<MeshTag>>,
    mut extent: ResMut<Extent>,
    mut surroundings: ResMut<Surroundings>,
) {
    let Some(scene) = scene else { return };
    let mut sources: Vec<u16> = relaid.read().flat_map(|r| r.sources.iter().copied()).collect();
    if sources.is_empty() {
        return;
    }
    sources.dedup();
    let of_moved = scene.site.elements.iter().zip(&scene.site.source_of).zip(&scene.elements);
    for ((element, _), entity) in of_moved.filter(|((_, source), _)| sources.contains(source)) {
        if let Ok(mut transform) = drawn.get_mut(*entity) {
            *transform = placed(element);
        }
    }
    extent.building = building(&scene.site);
    surroundings.ground_m = ground(&scene.site) as f32;
}

/// Where an element is drawn.
fn placed(element: &Element) -> Transform {
    let mut placement = Transform::from_matrix(frame::drawn_placement(&element.placement).into());
    if element.kind == ElementKind::Space {
        // A space's floor is the slab's top: lift it, or the two would flicker.
        placement.translation.y += 0.03;
    }
    placement
}

/// The box around the building; around everything where there is no building.
fn building(site: &Site) -> Option<Aabb> {
    let of = |kind: ElementKind| {
        site.elements.iter().filter(|e| e.kind == kind).filter_map(|e| e.bounds).reduce(Aabb::union)
    };
    of(ElementKind::Element).or_else(|| of(ElementKind::Feature)).or_else(|| of(ElementKind::Space))
}

/// Where the ground lies: just under what the map layers draw on it, else under the building.
fn ground(site: &Site) -> f64 {
    let mut flat: Vec<f64> = site
        .elements
        .iter()
        .filter(|e| e.kind == ElementKind::Feature)
        .filter_map(|e| e.bounds.map(|b| b.min.z))
        .collect();
    flat.sort_by(f64::total_cmp);
    match flat.get(flat.len() / 2) {
        Some(z) => z - 0.06,
        None => building(site).map_or(0.0, |b| b.min.z - 0.02),
    }
}

pub(super) fn load(
    mut loading: ResMut<Loading>,
    scene: Option<Res<Scene>>,
    materials: Res<SceneMaterials>,
    mut meshes: ResMut<Assets<Mesh>>,
    mut commands: Commands,
) {
    let (Some(scene), Some(first)) = (scene, loading.next) else { return };
    let count = scene.site.elements.len();
    let last = (first + ELEMENTS_A_FRAME).min(count);
    for (i, element) in scene.site.elements.iter().enumerate().take(last).skip(first) {
        let Some(shape_index) = element.shape else { continue };
        let (Some(shape), Some(entity)) = (scene.site.shapes.get(shape_index as usize), scene.elements.get(i)) else {
            continue;
        };
        let Some(known) = loading.meshes.get_mut(shape_index as usize) else { continue };
        if known.is_none() {
            *known = mesh(shape).map(|m| meshes.add(m));
        }
        let Some(handle) = known.clone() else { continue };
        let drawn = (
            Mesh3d(handle),
            MeshMaterial3d::<ElementMaterial>(materials.element.clone()),
            MeshTag(Slot(i as u32).0),
            placed(element),
        );
        let mut entity = commands.entity(*entity);
        if count > GPU_CULLING_FROM {
            entity.insert((drawn, NoCpuCulling));
        } else {
            entity.insert(drawn);
        }
    }
    loading.next = (last < count).then_some(last);
}

/// A shape as the GPU wants it; none when it has nothing to draw.
fn mesh(shape: &Shape) -> Option<Mesh> {
    let corners = shape.positions().len();
    if shape.indices().max().is_none_or(|i| i as usize >= corners) {
        return None;
    }
    let mut mesh = Mesh::new(PrimitiveTopology::TriangleList, RenderAssetUsages::RENDER_WORLD)
        .with_inserted_attribute(Mesh::ATTRIBUTE_POSITION, shape.positions().to_vec())
        .with_inserted_indices(Indices::U32(shape.indices().iter().collect()));
    if shape.normals().len() == corners {
        mesh.insert_attribute(Mesh::ATTRIBUTE_NORMAL, shape.normals().collect::<Vec<_>>());
    } else {
        mesh.compute_smooth_normals();
    }
    let colours: Vec<[f32; 4]> = shape.colours().map(|c| c.map(|v| f32::from(v) / 255.0)).collect();
    if colours.len() == corners {
        mesh.insert_attribute(Mesh::ATTRIBUTE_COLOR, colours);
    }
    Some(mesh)
}
