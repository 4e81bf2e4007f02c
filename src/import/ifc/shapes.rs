//! Triangles to shared shapes: each product in its own frame, equal ones stored once.

use super::lite::Piece;
use crate::import::colour::{bytes, linear};
use crate::shape::{Aabb, Shape, Triangles};
use glam::{DAffine3, DVec3};
use rustc_hash::{FxHashMap as HashMap, FxHasher};
use std::hash::{Hash, Hasher};
use std::sync::Arc;

/// How many shapes of the same topology are compared before a new one is stored.
const MAX_COMPARED: usize = 512;

/// The shapes of a model, equal ones once.
#[derive(Default)]
pub(super) struct Shapes {
    /// The distinct shapes.
    pub(super) list: Vec<Arc<Shape>>,
    buckets: HashMap<u64, Vec<u32>>,
    /// Triangles left out because a corner is not there, not a number, or not on earth.
    pub(super) dropped_triangles: usize,
}

/// A product's geometry.
pub(super) struct Placed {
    /// Index into [`Shapes::list`].
    pub(super) shape: u32,
    /// From the shape's frame to the file's.
    pub(super) placement: DAffine3,
    /// In the file's frame.
    pub(super) bounds: Aabb,
    /// Linear RGBA of the largest surface.
    pub(super) colour: [f32; 4],
}

impl Shapes {
    /// Merges a product's surfaces into one shape. `to_file` goes from the pieces' frame to the file's;
    /// `placement` is the product's own frame in the file. None when no triangle is left.
    pub(super) fn add(&mut self, pieces: &[Piece], to_file: &DAffine3, placement: DAffine3) -> Option<Placed> {
        let to_local = placement.inverse();
        let turn = to_local.matrix3 * to_file.matrix3;
        let colours: Vec<[f32; 4]> = pieces.iter().map(|p| linear(p.colour)).collect();
        let one_colour = colours.windows(2).all(|two| two[0] == two[1]);
        let mut corners: Vec<DVec3> = Vec::with_capacity(pieces.iter().map(|p| p.positions.len() / 3).sum());
        let mut shape = Triangles::default();
        shape.normals.reserve_exact(corners.capacity());
        shape.indices.reserve_exact(pieces.iter().map(|p| p.indices.len() / 3 * 3).sum());
        let mut surfaces: Vec<([f32; 4], f64)> = Vec::new();
        for (piece, colour) in pieces.iter().zip(&colours) {
            let first = corners.len() as u32;
            let points = piece.positions.chunks_exact(3).map(|p| DVec3::new(p[0].into(), p[1].into(), p[2].into()));
            corners.extend(points.map(|p| to_file.transform_point3(piece.origin + p)));
            let count = corners.len() as u32 - first;
            let normals = piece.normals.chunks_exact(3).map(|n| DVec3::new(n[0].into(), n[1].into(), n[2].into()));
            let normals = normals.map(|n| (turn * n).normalize_or(DVec3::Z).as_vec3().to_array());
            shape.normals.extend(normals.chain(std::iter::repeat([0.0, 0.0, 1.0])).take(count as usize));
            let own = corners.get(first as usize..).unwrap_or_default();
            let whole = piece.indices.get(..piece.indices.len() / 3 * 3).unwrap_or_default();
            if one_colour && whole.iter().all(|i| *i < count) && own.iter().all(|p| sane(*p)) {
                shape.indices.extend(whole.iter().map(|i| first + i));
                continue;
            }
            let mut area = 0.0;
            for triangle in whole.chunks_exact(3) {
                let at = |i: usize| own.get(*triangle.get(i)? as usize).copied().filter(|p| sane(*p));
                let (Some(a), Some(b), Some(c)) = (at(0), at(1), at(2)) else {
                    self.dropped_triangles += 1;
                    continue;
                };
                area += (b - a).cross(c - a).length() * 0.5;
                shape.indices.extend(triangle.iter().map(|i| first + i));
            }
            match surfaces.iter_mut().find(|(c, _)| c == colour) {
                Some((_, sum)) => *sum += area,
                None => surfaces.push((*colour, area)),
            }
        }
        if shape.indices.is_empty() {
            return None;
        }
        for point in corners.iter_mut().filter(|p| !sane(**p)) {
            *point = DVec3::ZERO; // used by no triangle
        }
        let bounds = Aabb::around(shape.indices.iter().filter_map(|i| corners.get(*i as usize)).copied())?;
        corners.iter_mut().for_each(|p| *p = to_local.transform_point3(*p));
        // Around its own middle, so that f32 is exact enough wherever the file puts its geometry.
        let centre = Aabb::around(shape.indices.iter().filter_map(|i| corners.get(*i as usize)).copied())?.centre();
        shape.positions = corners.iter().map(|p| (*p - centre).as_vec3().to_array()).collect();
        let colour = if one_colour {
            colours.first().copied()
        } else {
            shape.colours.reserve_exact(corners.len());
            for (piece, colour) in pieces.iter().zip(&colours) {
                shape.colours.extend(std::iter::repeat_n(bytes(*colour), piece.positions.len() / 3));
            }
            surfaces.iter().max_by(|a, b| a.1.total_cmp(&b.1)).map(|s| s.0)
        };
        let colour = colour.unwrap_or([0.8, 0.8, 0.8, 1.0]);
        let placement = placement * DAffine3::from_translation(centre);
        Some(Placed { shape: self.share(shape.into()), placement, bounds, colour })
    }

    /// The number of an equal shape, or of this one, stored.
    fn share(&mut self, shape: Shape) -> u32 {
        let mut hasher = FxHasher::default();
        shape.positions().len().hash(&mut hasher);
        shape.indices().hash(&mut hasher);
        let bucket = self.buckets.entry(hasher.finish()).or_default();
        let compared = bucket.iter().rev().take(MAX_COMPARED);
        let equal = compared.copied().find(|i| self.list.get(*i as usize).is_some_and(|s| alike(s, &shape)));
        equal.unwrap_or_else(|| {
            let number = self.list.len() as u32;
            bucket.push(number);
            self.list.push(Arc::new(shape));
            number
        })
    }
}

/// A number, and no further away than anything on earth.
fn sane(point: DVec3) -> bool {
    point.is_finite() && point.abs().max_element() < 1e9
}

/// Equal but for what turning a mesh back into its own frame loses in f32: 0.02 mm and a millionth of its size.
fn alike(a: &Shape, b: &Shape) -> bool {
    let reach = |p: &[f32; 3]| p[0].abs().max(p[1].abs()).max(p[2].abs());
    let near = |p: &[f32; 3], q: &[f32; 3]| {
        let tolerance = 2e-5 + 1e-6 * reach(p);
        p.iter().zip(q).all(|(a, b)| (a - b).abs() <= tolerance)
    };
    // Pipes differ in length and little else: corners part most of them at once.
    a.positions().len() == b.positions().len()
        && a.positions().iter().zip(b.positions()).all(|(p, q)| near(p, q))
        && a.indices() == b.indices()
        && a.colours().eq(b.colours())
        && a.normals().zip(b.normals()).all(|(p, q)| p.iter().zip(q).all(|(a, b)| (a - b).abs() <= 0.02))
}
