//! What is compared of an element: where it is and what shape it has, whatever frame its mesh was written in.

use super::Side;
use crate::shape::Shape;
use glam::{DMat3, DVec3};
use rstar::RTree;
use rstar::primitives::GeomWithData;
use std::collections::HashMap;

/// A revision with what is worked out of it.
pub(super) struct Facts<'a> {
    pub(super) side: Side<'a>,
    /// By element; empty for what does not belong to the revision.
    pub(super) bodies: Vec<Option<Body>>,
    /// By element: what it hangs together with.
    pub(super) neighbours: Vec<Vec<(Role, u32)>>,
    /// Every element with a place.
    pub(super) tree: RTree<GeomWithData<[f64; 3], u32>>,
}

/// An element's geometry, told so that it does not matter in which frame the mesh was written.
#[derive(Clone, Copy, Debug)]
pub(super) struct Body {
    /// The middle of its surface, metres.
    pub(super) place: DVec3,
    /// Area of its surface, m².
    pub(super) area: f64,
    /// How far its surface spreads along its own three axes (root mean square), greatest first, metres.
    pub(super) sizes: DVec3,
    /// The same as a tensor in the model's frame, m²: tells how it is turned.
    pub(super) spread: DMat3,
    /// Turns the mesh's own frame into the model's.
    pub(super) turn: DMat3,
    /// Triangles.
    pub(super) triangles: usize,
}

/// How one element hangs together with another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    /// The other is what this is a part of.
    Whole,
    /// The other is a part of this.
    Part,
    /// The other is what this serves.
    Host,
    /// The other serves this.
    Device,
    /// A medium passes from one to the other.
    Joined,
}

impl<'a> Facts<'a> {
    pub(super) fn of(side: Side<'a>) -> Self {
        // A site's shapes are those of all its files.
        let mut used = vec![false; side.shapes.len()];
        for shape in side.iter().filter_map(|(_, e)| e.shape) {
            if let Some(used) = used.get_mut(shape as usize) {
                *used = true;
            }
        }
        let moments: Vec<Option<Moments>> =
            side.shapes.iter().zip(used).map(|(s, used)| if used { Moments::of(s) } else { None }).collect();
        let mut bodies = vec![None; side.elements.len()];
        let mut neighbours = vec![Vec::new(); side.elements.len()];
        for (i, element) in side.iter() {
            let own = element.shape.and_then(|s| moments.get(s as usize)).and_then(Option::as_ref);
            if let (Some(own), Some(body)) = (own, bodies.get_mut(i as usize)) {
                *body = Some(own.placed(&element.placement)).filter(|b| b.place.is_finite());
            }
            for (other, role, back) in
                [(element.part_of, Role::Whole, Role::Part), (element.host, Role::Host, Role::Device)]
            {
                join(&mut neighbours, side, i, other, role, back);
            }
        }
        let owner = |p: u32| side.connection_points.get(p as usize).map(|p| p.element);
        for connection in side.connections {
            if let (Some(a), b) = (owner(connection.from), owner(connection.to)) {
                join(&mut neighbours, side, a, b, Role::Joined, Role::Joined);
            }
        }
        let placed = bodies.iter().enumerate();
        let placed = placed.filter_map(|(i, b)| Some(GeomWithData::new(b.as_ref()?.place.to_array(), i as u32)));
        Self { side, tree: RTree::bulk_load(placed.collect()), bodies, neighbours }
    }

    pub(super) fn body(&self, element: u32) -> Option<&Body> {
        self.bodies.get(element as usize).and_then(Option::as_ref)
    }

    pub(super) fn neighbours(&self, element: u32) -> &[(Role, u32)] {
        self.neighbours.get(element as usize).map_or(&[], Vec::as_slice)
    }

    /// Elements within a distance of a place, metres, with how far they are.
    pub(super) fn near(&self, place: DVec3, reach_m: f64) -> impl Iterator<Item = (u32, f64)> + '_ {
        self.tree
            .locate_within_distance(place.to_array(), reach_m * reach_m)
            .map(move |e| (e.data, (DVec3::from_array(*e.geom()) - place).length()))
    }

    /// The elements that a key singles out.
    pub(super) fn unique<K: Eq + std::hash::Hash>(&self, key: impl Fn(u32) -> Option<K>) -> HashMap<K, u32> {
        let mut found: HashMap<K, Option<u32>> = HashMap::new();
        for (i, _) in self.side.iter() {
            if let Some(key) = key(i) {
                found.entry(key).and_modify(|e| *e = None).or_insert(Some(i));
            }
        }
        found.into_iter().filter_map(|(k, i)| Some((k, i?))).collect()
    }

    /// A GlobalId that can be trusted to be one: not the record number that stands in for a missing one.
    pub(super) fn id(&self, element: u32) -> Option<&'a str> {
        self.side.element(element).map(|e| e.id.as_str()).filter(|id| !id.is_empty() && !id.starts_with('#'))
    }

    /// Class and tag, where there is a tag.
    pub(super) fn tag(&self, element: u32) -> Option<(&'a str, &'a str)> {
        self.side.element(element).map(|e| (e.class.as_str(), e.tag.trim())).filter(|(_, tag)| !tag.is_empty())
    }
}

fn join(all: &mut [Vec<(Role, u32)>], side: Side<'_>, a: u32, b: Option<u32>, role: Role, back: Role) {
    let Some(b) = b.filter(|b| *b != a && side.includes(*b) && side.includes(a)) else { return };
    for (from, to, role) in [(a, b, role), (b, a, back)] {
        if let Some(list) = all.get_mut(from as usize)
            && !list.contains(&(role, to))
        {
            list.push((role, to));
        }
    }
}

impl Body {
    /// The same shape within a share of its size, and of so many metres.
    pub(super) fn alike(&self, other: &Self, share: f64, metres: f64) -> bool {
        let near = |a: f64, b: f64, least: f64| (a - b).abs() <= least + share * a.abs().max(b.abs());
        // What a length may differ by makes an area differ by that times the circumference.
        near(self.area, other.area, metres * metres + 2.0 * metres * self.sizes.x)
            && (0..3).all(|i| near(self.sizes[i], other.sizes[i], metres))
    }
}

/// Surface integrals of a mesh in its own frame.
struct Moments {
    area: f64,
    middle: DVec3,
    spread: DMat3,
    triangles: usize,
}

impl Moments {
    /// None for a mesh without a surface.
    fn of(shape: &Shape) -> Option<Self> {
        let (mut area, mut first, mut second) = (0.0, DVec3::ZERO, DMat3::ZERO);
        for [a, b, c] in (0..shape.triangles()).filter_map(|t| shape.triangle(t)) {
            let part = (b - a).cross(c - a).length() * 0.5;
            let sum = a + b + c;
            area += part;
            first += sum * (part / 3.0);
            // ∫ x xᵀ over a triangle: A/12 (s sᵀ + a aᵀ + b bᵀ + c cᵀ), s = a + b + c.
            second += (outer(sum) + outer(a) + outer(b) + outer(c)) * (part / 12.0);
        }
        if !(area > 0.0 && area.is_finite()) {
            return None;
        }
        let middle = first / area;
        Some(Self { area, middle, spread: second * (1.0 / area) - outer(middle), triangles: shape.triangles() })
    }

    fn placed(&self, placement: &glam::DAffine3) -> Body {
        let turn = placement.matrix3;
        Body {
            place: placement.transform_point3(self.middle),
            area: self.area,
            sizes: principal(&self.spread),
            spread: turn * self.spread * turn.transpose(),
            turn,
            triangles: self.triangles,
        }
    }
}

fn outer(v: DVec3) -> DMat3 {
    DMat3::from_cols(v * v.x, v * v.y, v * v.z)
}

/// Square roots of the eigenvalues of a symmetric matrix, greatest first (closed form with the angle of the
/// characteristic cubic; Smith 1961).
fn principal(m: &DMat3) -> DVec3 {
    let mean = (m.x_axis.x + m.y_axis.y + m.z_axis.z) / 3.0;
    let off = m.y_axis.x.powi(2) + m.z_axis.x.powi(2) + m.z_axis.y.powi(2);
    let diagonal = (m.x_axis.x - mean).powi(2) + (m.y_axis.y - mean).powi(2) + (m.z_axis.z - mean).powi(2);
    let p = ((diagonal + 2.0 * off) / 6.0).sqrt();
    if p < 1e-15 {
        return DVec3::splat(mean.max(0.0).sqrt());
    }
    let b = (*m - DMat3::from_diagonal(DVec3::splat(mean))) * (1.0 / p);
    let angle = (b.determinant() / 2.0).clamp(-1.0, 1.0).acos() / 3.0;
    let greatest = mean + 2.0 * p * angle.cos();
    let least = mean + 2.0 * p * (angle + 2.0 * std::f64::consts::FRAC_PI_3).cos();
    let middle = 3.0 * mean - greatest - least;
    DVec3::new(greatest, middle, least).max(DVec3::ZERO).map(f64::sqrt)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::shape::Triangles;
    use glam::DAffine3;

    /// A box from corner to corner.
    fn block(min: [f32; 3], max: [f32; 3]) -> Shape {
        let at = |i: usize| std::array::from_fn(|k| if i >> k & 1 == 0 { min[k] } else { max[k] });
        let faces = [[0, 2, 3, 1], [4, 5, 7, 6], [0, 1, 5, 4], [2, 6, 7, 3], [0, 4, 6, 2], [1, 3, 7, 5]];
        let triangles = Triangles {
            positions: (0..8).map(at).collect(),
            normals: vec![[0.0, 0.0, 1.0]; 8],
            indices: faces.iter().flat_map(|[a, b, c, d]| [*a, *b, *c, *a, *c, *d]).collect(),
            ..Triangles::default()
        };
        triangles.into()
    }

    #[test]
    fn a_body_is_the_same_in_whatever_frame_its_mesh_was_written() {
        let local = Moments::of(&block([0.0; 3], [2.0, 1.0, 0.5])).unwrap();
        assert!((local.area - 7.0).abs() < 1e-9 && (local.middle - DVec3::new(1.0, 0.5, 0.25)).length() < 1e-9);
        let placed = local.placed(&DAffine3::from_translation(DVec3::new(10.0, 20.0, 3.0)));
        let baked = Moments::of(&block([10.0, 20.0, 3.0], [12.0, 21.0, 3.5])).unwrap().placed(&DAffine3::IDENTITY);
        assert!((placed.place - baked.place).length() < 1e-5);
        assert!(placed.alike(&baked, 1e-3, 1e-3) && placed.sizes.x > placed.sizes.y && placed.sizes.y > placed.sizes.z);
        let turned = local.placed(&DAffine3::from_rotation_z(0.7));
        assert!(turned.alike(&placed, 1e-6, 1e-6), "turning changes no size");
        assert!((turned.spread - placed.spread).x_axis.length() > 0.01, "but the tensor tells that it is turned");
        let longer = Moments::of(&block([0.0; 3], [2.02, 1.0, 0.5])).unwrap().placed(&DAffine3::IDENTITY);
        assert!(longer.alike(&placed, 0.02, 0.005) && !longer.alike(&placed, 1e-3, 1e-3));
    }

    #[test]
    fn nothing_is_made_of_a_mesh_without_surface() {
        assert!(Moments::of(&Shape::default()).is_none());
        assert!(Moments::of(&block([1.0; 3], [1.0; 3])).is_none());
        let flat = Moments::of(&block([0.0; 3], [1.0, 1.0, 0.0])).unwrap();
        assert!(principal(&flat.spread).is_finite());
    }
}
