//! The picking tree: which element a ray meets first.
//!
//! A wide tree over the elements' boxes, and below it the triangles of the few elements whose boxes the ray
//! meets; shapes of many triangles have a tree of their own. Boxes are f32 inside, counted from the middle of the scene and
//! rounded outwards; the triangles are met in f64, so that where a building stands on the map does not matter.

mod details;
mod wide;

pub use details::Details;

use super::{Aabb, Shape};
use crate::site::Slot;
use crate::site::model::{Element, Model};
use details::Tree;
use glam::{DAffine3, DVec3};
use obvhs::cwbvh::CwBvh;
use obvhs::ray::{Ray, RayHit};
use std::collections::HashMap;
use std::sync::Arc;

/// The picking tree over a site or a model.
#[derive(Default)]
pub struct Bvh {
    /// None where there is nothing to hit, and where all is looked through (see [`wide::tree`]).
    tree: Option<CwBvh>,
    bounds: Option<Aabb>,
    items: Box<[Held]>,
    /// Trees over the triangles of large shapes, in the shapes' own frames, one for all that share a shape.
    details: Box<[Arc<Tree>]>,
}

/// What the tree holds of one element.
#[derive(Clone, Debug)]
pub struct Item {
    /// The element.
    pub slot: Slot,
    /// Its box, metres, in the frame that rays come in.
    pub bounds: Aabb,
    /// From its shape's frame to that frame.
    pub placement: DAffine3,
    /// Its triangles.
    pub shape: Arc<Shape>,
}

/// What is held of an [`Item`]; its box is in the tree.
struct Held {
    slot: Slot,
    /// Which of the tree's details is over its triangles; [`NO_DETAIL`] where none is.
    detail: u32,
    placement: DAffine3,
    shape: Arc<Shape>,
}

/// No shape's number is so high.
const NO_DETAIL: u32 = u32::MAX;

/// Where a ray meets an element.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Hit {
    /// The element.
    pub slot: Slot,
    /// From the ray's origin, metres.
    pub distance: f64,
    /// Where.
    pub point: DVec3,
    /// Unit normal of the triangle, towards the ray's origin.
    pub normal: DVec3,
}

impl Bvh {
    /// Builds the tree. Items without triangles, or with a box that is not a number, cannot be hit.
    pub fn new(items: impl IntoIterator<Item = Item>) -> Self {
        Self::build(items, &[], &Details::default())
    }

    /// As [`Self::new`], with the trees that were made before of some shapes.
    fn build(items: impl IntoIterator<Item = Item>, shapes: &[Arc<Shape>], made: &Details) -> Self {
        let near = |p: DVec3| p.is_finite() && p.abs().max_element() < 1e12;
        let is_box = |b: &Aabb| near(b.min) && near(b.max) && b.min.cmple(b.max).all();
        let whole = |i: &Item| is_box(&i.bounds) && i.shape.triangles() > 0;
        let items: Vec<Item> = items.into_iter().filter(whole).collect();
        let Some(all) = items.iter().map(|i| i.bounds).reduce(Aabb::union) else { return Self::default() };
        let origin = all.centre();
        let boxes: Vec<obvhs::aabb::Aabb> = items.iter().map(|i| rounded_outwards(i.bounds, origin)).collect();
        let tree = wide::tree(&boxes);
        let mut details = Vec::new();
        let known = shapes.iter().enumerate().filter_map(|(i, s)| Some((Arc::as_ptr(s), made.get(i)?)));
        let known: HashMap<*const Shape, &Arc<Tree>> = known.collect();
        let mut taken: HashMap<*const Shape, u32> = HashMap::new();
        let held = items.into_iter().map(|Item { slot, bounds: _, placement, shape }| {
            let detail = *taken.entry(Arc::as_ptr(&shape)).or_insert_with(|| {
                let made = known.get(&Arc::as_ptr(&shape)).map(|d| Arc::clone(d));
                let Some(tree) = made.or_else(|| Tree::of(&shape).map(Arc::new)) else { return NO_DETAIL };
                details.push(tree);
                details.len() as u32 - 1
            });
            Held { slot, detail, placement, shape }
        });
        let items = held.collect();
        Self { tree, bounds: Some(all), items, details: details.into() }
    }

    /// Builds the tree of elements by their slots, with their shapes.
    pub fn of_elements(elements: &[Element], shapes: &[Arc<Shape>]) -> Self {
        Self::with_details(elements, shapes, &Details::default())
    }

    /// As [`Self::of_elements`], with the trees that were made before of some of the shapes.
    pub fn with_details(elements: &[Element], shapes: &[Arc<Shape>], details: &Details) -> Self {
        let items = elements.iter().enumerate().filter_map(|(i, e)| {
            let shape = Arc::clone(shapes.get(e.shape? as usize)?);
            Some(Item { slot: Slot(i as u32), bounds: e.bounds?, placement: e.placement, shape })
        });
        Self::build(items, shapes, details)
    }

    /// Builds the tree of one model, its elements' indices as slots.
    pub fn of_model(model: &Model) -> Self {
        Self::with_details(&model.elements, &model.shapes, &model.details)
    }

    /// How many elements can be hit.
    pub fn len(&self) -> usize {
        self.items.len()
    }

    /// True when nothing can be hit.
    pub fn is_empty(&self) -> bool {
        self.items.is_empty()
    }

    /// The first triangle that a ray meets, of those elements that are visible.
    ///
    /// `direction` need not be a unit vector; distances are metres all the same.
    pub fn pick(&self, origin: DVec3, direction: DVec3, visible: impl Fn(Slot) -> bool) -> Option<Hit> {
        self.pick_below(origin, direction, None, visible)
    }

    /// As [`Self::pick`], where what stands above `section` (a height, metres) is cut away.
    pub fn pick_below(
        &self,
        origin: DVec3,
        direction: DVec3,
        section: Option<f64>,
        visible: impl Fn(Slot) -> bool,
    ) -> Option<Hit> {
        let bounds = self.bounds?;
        let direction = direction.try_normalize().filter(|_| origin.is_finite())?;
        // Start at the scene, so that f32 has digits left however far away the eye is.
        let entered = enter(bounds, origin, direction)?;
        let start = origin + direction * entered;
        let local = (start - bounds.centre()).as_vec3().to_array();
        let ray = Ray::new_inf(local.into(), direction.as_vec3().to_array().into());
        let mut nearest: Option<Hit> = None;
        // The tree must not cut boxes off by what f32 makes of a distance, hence the slack.
        let slack = |distance: f64| ((distance - entered) * (1.0 + 1e-5) + 1e-3) as f32;
        let mut meet = |number: usize, tmax: f32| {
            let item = self.items.get(number);
            let Some(item) = item.filter(|i| visible(i.slot)) else { return f32::INFINITY };
            let detail = self.details.get(item.detail as usize).map(AsRef::as_ref);
            let limit = nearest.as_ref().map_or(f64::INFINITY, |h| h.distance);
            match item.meet(detail, origin, direction, section, limit) {
                Some(hit) => {
                    nearest = Some(hit);
                    // Never above what the tree has already: it takes smaller distances only.
                    slack(hit.distance).min(tmax)
                }
                None => f32::INFINITY,
            }
        };
        if let Some(tree) = &self.tree {
            tree.ray_traverse(ray, &mut RayHit::none(), |ray, primitive| {
                tree.primitive_indices.get(primitive).map_or(f32::INFINITY, |i| meet(*i as usize, ray.tmax))
            });
        } else {
            (0..self.items.len()).for_each(|i| {
                meet(i, f32::INFINITY);
            });
        }
        nearest
    }
}

impl Held {
    /// The nearest triangle nearer than `limit`.
    fn meet(
        &self,
        detail: Option<&Tree>,
        origin: DVec3,
        direction: DVec3,
        section: Option<f64>,
        limit: f64,
    ) -> Option<Hit> {
        let back = self.placement.inverse();
        let (local_origin, local_direction) = (back.transform_point3(origin), back.transform_vector3(direction));
        if !local_origin.is_finite() || !local_direction.is_finite() {
            return None;
        }
        let mut best: Option<(f64, DVec3)> = None;
        // Takes triangle `t` if it is the nearest so far, and says how far it is.
        let mut take = |t: usize| -> Option<f64> {
            let [a, b, c] = self.shape.triangle(t)?;
            let distance = meet_triangle(local_origin, local_direction, a, b, c)?;
            if distance >= best.map_or(limit, |(d, _)| d) {
                return None;
            }
            if section.is_some_and(|height| (origin + direction * distance).z > height) {
                return None;
            }
            best = Some((distance, (b - a).cross(c - a)));
            Some(distance)
        };
        match detail {
            None => (0..self.shape.triangles()).for_each(|t| {
                take(t);
            }),
            Some(tree) => tree.walk(local_origin, local_direction, limit, &mut take),
        }
        let (distance, normal) = best?;
        // Normals turn by the inverse transpose, so that a scaled placement keeps them upright.
        let normal = (back.matrix3.transpose() * normal).normalize_or(-direction);
        let normal = if normal.dot(direction) > 0.0 { -normal } else { normal };
        Some(Hit { slot: self.slot, distance, point: origin + direction * distance, normal })
    }
}

/// Distance to a triangle from either side, in lengths of `d` (Möller and Trumbore, 1997).
fn meet_triangle(o: DVec3, d: DVec3, a: DVec3, b: DVec3, c: DVec3) -> Option<f64> {
    let (e1, e2) = (b - a, c - a);
    let p = d.cross(e2);
    let det = e1.dot(p);
    if det.abs() < 1e-18 {
        return None;
    }
    let s = o - a;
    let u = s.dot(p) / det;
    let q = s.cross(e1);
    let v = d.dot(q) / det;
    let t = e2.dot(q) / det;
    (u >= -1e-9 && v >= -1e-9 && u + v <= 1.0 + 1e-9 && t >= 0.0).then_some(t)
}

/// How far along the ray a box begins, 0 inside; none when the ray misses it.
fn enter(bounds: Aabb, origin: DVec3, direction: DVec3) -> Option<f64> {
    let (mut near, mut far) = (0.0_f64, f64::INFINITY);
    for axis in 0..3 {
        let (o, d) = (origin[axis], direction[axis]);
        let (lo, hi) = (bounds.min[axis] - 1e-3, bounds.max[axis] + 1e-3);
        if d.abs() < 1e-300 {
            if o < lo || o > hi {
                return None;
            }
            continue;
        }
        let (a, b) = ((lo - o) / d, (hi - o) / d);
        near = near.max(a.min(b));
        far = far.min(a.max(b));
    }
    (near <= far).then_some(near)
}

/// In f32 around `origin`, a little larger: rounding must never lose a hit.
fn rounded_outwards(bounds: Aabb, origin: DVec3) -> obvhs::aabb::Aabb {
    let out = |v: f64, sign: f32| {
        let v = v as f32;
        v + sign * (v.abs() * 1e-6 + 1e-4)
    };
    let (min, max) = (bounds.min - origin, bounds.max - origin);
    obvhs::aabb::Aabb::new(
        [out(min.x, -1.0), out(min.y, -1.0), out(min.z, -1.0)].into(),
        [out(max.x, 1.0), out(max.y, 1.0), out(max.z, 1.0)].into(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::shape::Triangles;
    use proptest::prelude::*;

    /// A unit cube around its own middle.
    fn cube() -> Arc<Shape> {
        let positions: Vec<[f32; 3]> =
            (0..8_u8).map(|i| [0, 1, 2].map(|axis| if i >> axis & 1 == 1 { 0.5 } else { -0.5 })).collect();
        let indices = vec![
            0, 2, 1, 1, 2, 3, 4, 5, 6, 5, 7, 6, 0, 1, 4, 1, 5, 4, 2, 6, 3, 3, 6, 7, 0, 4, 2, 2, 4, 6, 1, 3, 5, 3, 7, 5,
        ];
        Arc::new(Triangles { positions, indices, ..Triangles::default() }.into())
    }

    fn item(slot: u32, centre: DVec3, size: f64, turn: f64, shape: &Arc<Shape>) -> Item {
        let placement =
            DAffine3::from_scale_rotation_translation(DVec3::splat(size), glam::DQuat::from_rotation_z(turn), centre);
        let corners = shape.positions().iter().map(|p| placement.transform_point3(DVec3::from_array(p.map(f64::from))));
        let bounds = Aabb::around(corners).unwrap();
        Item { slot: Slot(slot), bounds, placement, shape: Arc::clone(shape) }
    }

    /// The nearest hit by looking at every triangle in world coordinates.
    fn brute(
        items: &[Item],
        origin: DVec3,
        direction: DVec3,
        section: Option<f64>,
        seen: impl Fn(Slot) -> bool,
    ) -> Option<(Slot, f64)> {
        let direction = direction.normalize();
        let mut best: Option<(Slot, f64)> = None;
        for item in items.iter().filter(|i| seen(i.slot)) {
            for [a, b, c] in (0..item.shape.triangles()).filter_map(|t| item.shape.triangle(t)) {
                let [a, b, c] = [a, b, c].map(|p| item.placement.transform_point3(p));
                let Some(t) = meet_triangle(origin, direction, a, b, c) else { continue };
                let below = section.is_none_or(|h| (origin + direction * t).z <= h);
                if below && best.is_none_or(|(_, d)| t < d) {
                    best = Some((item.slot, t));
                }
            }
        }
        best
    }

    #[test]
    fn the_nearer_one_is_hit_unless_it_is_hidden_or_cut_away() {
        let shape = cube();
        let items = [item(0, DVec3::new(0.0, 0.0, 5.0), 1.0, 0.0, &shape), item(1, DVec3::ZERO, 1.0, 0.0, &shape)];
        let tree = Bvh::new(items);
        let from = DVec3::new(0.1, 0.2, 20.0);
        let hit = tree.pick(from, DVec3::NEG_Z * 3.0, |_| true).unwrap();
        assert_eq!(hit.slot, Slot(0));
        assert!((hit.distance - 14.5).abs() < 1e-9 && (hit.point.z - 5.5).abs() < 1e-9);
        assert!((hit.normal - DVec3::Z).length() < 1e-9);
        assert_eq!(tree.pick(from, DVec3::NEG_Z, |s| s != Slot(0)).unwrap().slot, Slot(1));
        let cut = tree.pick_below(from, DVec3::NEG_Z, Some(5.2), |_| true).unwrap();
        assert!(cut.slot == Slot(0) && (cut.point.z - 4.5).abs() < 1e-9, "the inside of what is cut: {cut:?}");
        assert_eq!(tree.pick_below(from, DVec3::NEG_Z, Some(2.0), |_| true).unwrap().slot, Slot(1));
        assert_eq!(tree.pick(from, DVec3::Z, |_| true), None);
        assert_eq!(tree.pick(from, DVec3::ZERO, |_| true), None);
        assert_eq!(tree.pick(DVec3::splat(f64::NAN), DVec3::X, |_| true), None);
    }

    #[test]
    fn a_map_coordinate_away_it_is_as_exact() {
        let shape = cube();
        let there = DVec3::new(2_683_141.0, 1_247_400.0, 408.0);
        let tree = Bvh::new((0..50).map(|i| item(i, there + DVec3::X * f64::from(i) * 2.0, 1.0, 0.0, &shape)));
        let hit = tree.pick(there + DVec3::new(40.0, -3000.0, 0.1), DVec3::Y, |_| true).unwrap();
        assert!(hit.slot == Slot(20) && (hit.distance - 2999.5).abs() < 1e-6, "{hit:?}");
    }

    #[test]
    fn nothing_is_hit_where_nothing_is() {
        let shape = cube();
        let mut broken = item(0, DVec3::ZERO, 1.0, 0.0, &shape);
        broken.bounds.max.x = f64::NAN;
        let tree = Bvh::new([broken]);
        assert!(tree.is_empty());
        assert_eq!(tree.pick(DVec3::ZERO, DVec3::X, |_| true), None);
        assert_eq!(Bvh::default().pick(DVec3::ZERO, DVec3::X, |_| true), None);
    }

    /// A bumpy sheet of many triangles: large enough for a tree of its own.
    fn sheet() -> Arc<Shape> {
        let side = 20_u32;
        let height = |x: u32, y: u32| ((x * 7 + y * 13) % 11) as f32 * 0.03;
        let positions: Vec<[f32; 3]> = (0..=side)
            .flat_map(|y| (0..=side).map(move |x| [x as f32 / 20.0 - 0.5, y as f32 / 20.0 - 0.5, height(x, y)]))
            .collect();
        let corner = |x: u32, y: u32| y * (side + 1) + x;
        let indices = (0..side).flat_map(|y| {
            (0..side).flat_map(move |x| {
                let (a, b, c, d) = (corner(x, y), corner(x + 1, y), corner(x + 1, y + 1), corner(x, y + 1));
                [a, b, c, a, c, d]
            })
        });
        let shape = Shape::from(Triangles { indices: indices.collect(), positions, ..Triangles::default() });
        assert!(shape.triangles() >= details::DETAIL_TRIANGLES);
        Arc::new(shape)
    }

    proptest! {
        #[test]
        fn as_by_looking_at_every_triangle(
            places in prop::collection::vec((prop::array::uniform3(-30.0..30.0_f64), 0.2..8.0_f64, -3.0..3.0_f64), 1..60),
            origin in prop::array::uniform3(-60.0..60.0_f64),
            target in prop::array::uniform3(-20.0..20.0_f64),
            hidden in 0..4_u32,
            section in prop::option::of(-10.0..10.0_f64),
            shift in prop::array::uniform3(-1e6..1e6_f64),
        ) {
            let shapes = [cube(), sheet()];
            let shift = DVec3::from_array(shift);
            let origin = DVec3::from_array(origin) + shift;
            let direction = DVec3::from_array(target) + shift - origin;
            prop_assume!(direction.length() > 0.1);
            let section = section.map(|s| s + shift.z);
            let items: Vec<Item> = places.iter().enumerate()
                .map(|(i, (centre, size, turn))| item(i as u32, DVec3::from_array(*centre) + shift, *size, *turn, &shapes[i % 2]))
                .collect();
            let seen = |s: Slot| s.0 % 4 != hidden;
            let tree = Bvh::new(items.clone());
            let ours = tree.pick_below(origin, direction, section, seen);
            let theirs = brute(&items, origin, direction, section, seen);
            prop_assert_eq!(ours.is_some(), theirs.is_some());
            if let (Some(ours), Some((_, distance))) = (ours, theirs) {
                prop_assert!((ours.distance - distance).abs() < 1e-6 , "{} for {}", ours.distance, distance);
                prop_assert!((origin + direction.normalize() * ours.distance - ours.point).length() < 1e-9);
                prop_assert!(ours.normal.dot(direction) <= 0.0 && (ours.normal.length() - 1.0).abs() < 1e-9);
            }
        }
    }
}
