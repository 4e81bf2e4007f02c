//! What is seen of a site before it is open, as plain meshes: few, each merged of what came in one frame, with a colour
//! a corner. It is drawn as the site will be, so that the one takes the other's place unseen, and goes in the frame in
//! which the last element of the site has its mesh.

use super::geometry::{self, Extent, Loading};
use super::material::{self, ElementMaterial, SceneMaterials, Surroundings};
use crate::import::preview::Piece;
use crate::shape::frame;
use crate::twin::preview::{Preview, Seen};
use crate::twin::scene::Scene;
use bevy::asset::RenderAssetUsages;
use bevy::camera::visibility::NoFrustumCulling;
use bevy::mesh::{Indices, MeshTag, PrimitiveTopology};
use bevy::prelude::*;
use bevy::window::RequestRedraw;
use glam::{DAffine3, DMat3, DVec3};

/// Corners that are merged in one frame, at least one piece's: a hand on the camera must not wait for more.
const CORNERS_A_FRAME: usize = 200_000;
/// Of a very large site the first part is enough for a first look, corners: 40 bytes each on the graphics card.
const MOST_CORNERS: usize = 8_000_000;
/// The slot of what is no element of a site.
const NO_SLOT: MeshTag = MeshTag(u32::MAX);

/// What is drawn of the preview.
#[derive(Resource, Default)]
struct Sketch {
    /// By file: how many of its pieces are drawn.
    drawn: Vec<usize>,
    corners: usize,
}

/// A mesh of the preview.
#[derive(Component)]
struct Patch {
    file: usize,
    /// Where its corners count from, in the file's frame.
    anchor: DVec3,
}

/// Draws the preview.
pub fn plugin(app: &mut App) {
    app.init_resource::<Sketch>().add_message::<RequestRedraw>().add_systems(
        PostUpdate,
        (clear, draw.run_if(resource_exists::<Preview>))
            .chain()
            .after(geometry::load)
            .before(TransformSystems::Propagate),
    );
}

/// Takes the preview away: at once where the opening has ended without a site, else when the site is drawn.
fn clear(
    preview: Option<Res<Preview>>,
    scene: Option<Res<Scene>>,
    loading: Res<Loading>,
    patches: Query<Entity, With<Patch>>,
    mut sketch: ResMut<Sketch>,
    mut extent: ResMut<Extent>,
    mut commands: Commands,
) {
    let is_another = preview.as_ref().is_none_or(|p| p.is_added());
    if !is_another || sketch.drawn.is_empty() {
        return;
    }
    let has_site = scene.is_some_and(|s| !s.site.elements.is_empty());
    if has_site && preview.is_none() && !loading.is_done() {
        return;
    }
    patches.iter().for_each(|patch| commands.entity(patch).despawn());
    *sketch = Sketch::default();
    if !has_site {
        extent.building = None;
    }
}

fn draw(
    preview: Res<Preview>,
    materials: Res<SceneMaterials>,
    mut sketch: ResMut<Sketch>,
    mut patches: Query<(&Patch, &mut Transform)>,
    mut meshes: ResMut<Assets<Mesh>>,
    mut extent: ResMut<Extent>,
    mut surroundings: ResMut<Surroundings>,
    mut redraw: MessageWriter<RequestRedraw>,
    mut commands: Commands,
) {
    let files = preview.files();
    if preview.is_changed() {
        for (patch, mut transform) in &mut patches {
            let Some(seen) = files.get(patch.file) else { continue };
            transform.set_if_neq(placed(seen, patch.anchor));
        }
        if let Some(bounds) = preview.bounds() {
            extent.building = Some(bounds);
            surroundings.ground_m = (bounds.min.z - 0.02) as f32;
        }
    }
    let Sketch { drawn, corners } = &mut *sketch;
    let waits = |drawn: &[usize]| files.iter().zip(drawn).any(|(f, d)| f.pieces.len() > *d);
    let first = drawn.iter().all(|d| *d == 0);
    drawn.resize(files.len().max(drawn.len()), 0);
    if *corners >= MOST_CORNERS || !waits(drawn) {
        return;
    }
    let mut room = CORNERS_A_FRAME;
    for (file, (seen, drawn)) in files.iter().zip(drawn.iter_mut()).enumerate() {
        let Some(next) = seen.pieces.get(*drawn) else { continue };
        let anchor = next.bounds.centre();
        let mut patch = Merge { anchor, ..Merge::default() };
        while let Some(piece) = seen.pieces.get(*drawn).filter(|_| room > 0) {
            room = room.saturating_sub(piece.shape.positions().len().max(1));
            *drawn += 1;
            patch.add(piece);
        }
        *corners += patch.positions.len();
        if patch.indices.is_empty() {
            continue;
        }
        let material = || MeshMaterial3d::<ElementMaterial>(materials.element.clone());
        let place = placed(seen, anchor);
        if first {
            // A face without extent and without colours: the elements of the site are drawn by another pipeline than
            // what has a colour a corner, and this one is made while there is time.
            let mesh = meshes.add(Merge::nothing());
            commands.spawn((Patch { file, anchor }, Mesh3d(mesh), material(), NO_SLOT, place, NoFrustumCulling));
        }
        let mesh = meshes.add(patch.mesh());
        commands.spawn((Patch { file, anchor }, Mesh3d(mesh), material(), NO_SLOT, place));
    }
    if waits(drawn) {
        redraw.write(RequestRedraw);
    }
}

/// Where a patch of a file is drawn.
fn placed(seen: &Seen, anchor: DVec3) -> Transform {
    let placement = seen.laid.to_project * DAffine3::from_translation(anchor);
    Transform::from_matrix(frame::drawn_placement(&placement).into())
}

/// Pieces in the making of one mesh. Corners count from the anchor, in the file's frame (metres, Z up).
#[derive(Default)]
struct Merge {
    anchor: DVec3,
    positions: Vec<[f32; 3]>,
    normals: Vec<[f32; 3]>,
    colours: Vec<[f32; 4]>,
    indices: Vec<u32>,
}

impl Merge {
    fn add(&mut self, piece: &Piece) {
        let shape = &piece.shape;
        let (first, count) = (self.positions.len() as u32, shape.positions().len());
        if shape.indices().max().is_some_and(|i| i as usize >= count) {
            return;
        }
        let place = DAffine3::from_translation(-self.anchor) * piece.placement;
        let turn = normal_turn(place.matrix3);
        let vector = |v: [f32; 3]| DVec3::from(v.map(f64::from));
        self.positions
            .extend(shape.positions().iter().map(|p| place.transform_point3(vector(*p)).as_vec3().to_array()));
        let normals = shape.normals().map(|n| (turn * vector(n)).normalize_or(DVec3::Z).as_vec3().to_array());
        self.normals.extend(normals.chain(std::iter::repeat([0.0, 0.0, 1.0])).take(count));
        let own = shape.colours().map(|c| c.map(|v| f32::from(v) / 255.0));
        self.colours.extend(own.chain(std::iter::repeat(material::shown_colour(piece.colour))).take(count));
        self.indices.extend(shape.indices().iter().map(|i| first + i));
    }

    fn mesh(self) -> Mesh {
        Mesh::new(PrimitiveTopology::TriangleList, RenderAssetUsages::RENDER_WORLD)
            .with_inserted_attribute(Mesh::ATTRIBUTE_POSITION, self.positions)
            .with_inserted_attribute(Mesh::ATTRIBUTE_NORMAL, self.normals)
            .with_inserted_attribute(Mesh::ATTRIBUTE_COLOR, self.colours)
            .with_inserted_indices(Indices::U32(self.indices))
    }

    /// One triangle without extent.
    fn nothing() -> Mesh {
        Mesh::new(PrimitiveTopology::TriangleList, RenderAssetUsages::RENDER_WORLD)
            .with_inserted_attribute(Mesh::ATTRIBUTE_POSITION, vec![[0.0_f32; 3]; 3])
            .with_inserted_attribute(Mesh::ATTRIBUTE_NORMAL, vec![[0.0_f32, 0.0, 1.0]; 3])
            .with_inserted_indices(Indices::U32(vec![0, 1, 2]))
    }
}

/// What turns normals where `matrix` turns places; trees are stretched.
fn normal_turn(matrix: DMat3) -> DMat3 {
    if matrix.determinant().abs() > 1e-12 { matrix.inverse().transpose() } else { matrix }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::shape::{Aabb, Shape, Triangles};
    use std::sync::Arc;

    fn triangle(at: DVec3, colours: Vec<[u8; 4]>) -> Piece {
        let shape = Triangles {
            positions: vec![[0.0, 0.0, 0.0], [1.0, 0.0, 0.0], [0.0, 1.0, 0.0]],
            normals: vec![[0.0, 0.0, 1.0]; 3],
            colours,
            indices: vec![0, 1, 2],
        };
        let placement = DAffine3::from_translation(at) * DAffine3::from_rotation_x(std::f64::consts::FRAC_PI_2);
        let bounds = Aabb { min: at, max: at + DVec3::new(1.0, 0.0, 1.0) };
        Piece { shape: Arc::new(shape.into()), placement, bounds, colour: [0.0; 4] }
    }

    #[test]
    fn pieces_become_one_mesh_about_a_place_of_their_own() {
        // Far from zero, as some files have it: the corners keep their millimetres.
        let far = DVec3::new(2_683_000.25, 1_247_000.5, 400.0);
        let mut merge = Merge { anchor: far, ..Merge::default() };
        merge.add(&triangle(far, Vec::new()));
        merge.add(&triangle(far + DVec3::X * 2.0, vec![[255, 0, 0, 128]; 3]));
        let broken = Piece {
            shape: Arc::new(Shape::from(Triangles { indices: vec![0, 1, 2], ..Triangles::default() })),
            ..triangle(far, Vec::new())
        };
        merge.add(&broken);
        assert_eq!(merge.indices, [0, 1, 2, 3, 4, 5]);
        assert!(Vec3::from(merge.positions[5]).distance(Vec3::new(2.0, 0.0, 1.0)) < 1e-4, "{:?}", merge.positions);
        assert!(Vec3::from(merge.normals[0]).distance(Vec3::NEG_Y) < 1e-6);
        assert_eq!(merge.colours[0], [0.6, 0.6, 0.6, 1.0], "no colour at all is a light grey, as in the site");
        assert!((merge.colours[3][3] - 0.502).abs() < 1e-3);
        let seen = Seen::default();
        let there = placed(&seen, DVec3::new(1.0, 2.0, 3.0)).transform_point(Vec3::from(merge.positions[5]));
        assert!(there.distance(frame::drawn(DVec3::new(3.0, 2.0, 4.0))) < 1e-4, "{there}");
    }
}
