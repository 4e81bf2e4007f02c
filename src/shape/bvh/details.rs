//! Trees over the triangles of large shapes, made once for all elements and models that share a shape; and as
//! bytes, so that they need not be made again.
//!
//! A tree is complete and binary: every split has half of the triangles on either side, so where a node's triangles
//! and its children are follows from its number alone. Only boxes and the order of the triangles are held, the boxes
//! in steps of the one around all: 3 to 5 bytes a triangle, 2 more in shapes of more than 65,536.

use crate::shape::{Indices, Shape};
use glam::{DVec3, Vec3};
use std::sync::Arc;

/// Shapes of fewer triangles are looked through one by one.
pub(super) const DETAIL_TRIANGLES: usize = 128;

/// At most so many triangles are in a leaf, and at least half of it.
const LEAF: usize = 16;

/// Bytes of the box around a shape, and of those in it.
const WHOLE: usize = 24;
const BOX: usize = 12;

/// By shape: its tree; none for a shape of few triangles, or where nobody made it yet.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Details(Vec<Option<Arc<Tree>>>);

impl Details {
    /// Makes the trees of all large shapes.
    pub fn of_shapes(shapes: &[Arc<Shape>]) -> Self {
        Self(shapes.iter().map(|s| Tree::of(s).map(Arc::new)).collect())
    }

    /// The tree of a shape, by its index.
    pub(super) fn get(&self, shape: usize) -> Option<&Arc<Tree>> {
        self.0.get(shape)?.as_ref()
    }

    /// Adds one for the next shape: that of shape number `shape` in `other`.
    pub fn push_from(&mut self, other: &Self, shape: usize) {
        self.0.push(other.get(shape).cloned());
    }

    /// How many trees there are.
    pub fn len(&self) -> usize {
        self.0.iter().flatten().count()
    }

    /// True when there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// As bytes, little-endian: for each of them the shape's index, the box around it, the order of its triangles, the
    /// boxes in it. How many there are, and how wide the numbers of triangles are, follows from the shape.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut out = Vec::new();
        for (shape, tree) in self.0.iter().enumerate().filter_map(|(i, t)| Some((i, t.as_deref()?))) {
            out.extend((shape as u32).to_le_bytes());
            let corners = [tree.whole.min, tree.whole.max];
            corners.iter().flat_map(Vec3::to_array).for_each(|v| out.extend(v.to_le_bytes()));
            match &tree.order {
                Indices::Short(order) => order.iter().for_each(|t| out.extend(t.to_le_bytes())),
                Indices::Long(order) => order.iter().for_each(|t| out.extend(t.to_le_bytes())),
            }
            tree.boxes.as_flattened().iter().for_each(|v| out.extend(v.to_le_bytes()));
        }
        out
    }

    /// From the bytes of [`Self::to_bytes`]; none when they are not trees of these shapes.
    pub fn from_bytes(mut bytes: &[u8], shapes: &[Arc<Shape>]) -> Option<Self> {
        let mut trees = vec![None; shapes.len()];
        while !bytes.is_empty() {
            let (index, rest) = bytes.split_first_chunk::<4>()?;
            let index = u32::from_le_bytes(*index) as usize;
            let triangles = shapes.get(index)?.triangles();
            let slot = trees.get_mut(index).filter(|slot| slot.is_none() && triangles >= DETAIL_TRIANGLES)?;
            let (whole, rest) = rest.split_first_chunk::<WHOLE>()?;
            let short = triangles <= usize::from(u16::MAX) + 1;
            let (order, rest) = rest.split_at_checked(triangles.checked_mul(if short { 2 } else { 4 })?)?;
            let order = if short {
                Indices::Short(order.as_chunks().0.iter().map(|b| u16::from_le_bytes(*b)).collect())
            } else {
                Indices::Long(order.as_chunks().0.iter().map(|b| u32::from_le_bytes(*b)).collect())
            };
            let (boxes, rest) = rest.split_at_checked(box_count(triangles).checked_mul(BOX)?)?;
            let boxes = boxes.as_chunks::<BOX>().0.iter().map(steps_from_bytes).collect();
            *slot = Some(Arc::new(Tree { whole: Box3::from_bytes(whole), order, boxes }));
            bytes = rest;
        }
        Some(Self(trees))
    }
}

/// A tree over the triangles of a shape, in its own frame.
///
/// Nodes are counted from 1, the root; those below node `n` are `2n` and `2n + 1`.
#[derive(Debug, PartialEq)]
pub(super) struct Tree {
    /// Around all of it.
    whole: Box3,
    /// All triangles, those of a leaf side by side.
    order: Indices,
    /// By node, from 2: the root needs none.
    boxes: Box<[Steps]>,
}

/// A box's lower and upper corner, in 65,535ths of the box around the shape.
type Steps = [u16; 6];

/// How often a shape's triangles are split in two.
fn levels(triangles: usize) -> u32 {
    triangles.div_ceil(LEAF).next_power_of_two().ilog2()
}

/// How many boxes its tree has: all nodes but the root.
fn box_count(triangles: usize) -> usize {
    (2_usize << levels(triangles)) - 2
}

/// Where the triangles of node number `number` in its level begin; its end is where the next one begins.
fn start(triangles: usize, level: u32, number: usize) -> usize {
    ((triangles as u64 * number as u64) >> level) as usize
}

impl Tree {
    /// A tree over a shape's triangles; none for a shape of few.
    pub(super) fn of(shape: &Shape) -> Option<Self> {
        let count = shape.triangles();
        if count < DETAIL_TRIANGLES {
            return None;
        }
        let around = |t: usize| Box3::around(shape.triangle(t).unwrap_or_default());
        let boxes: Vec<Box3> = (0..count).map(around).collect();
        let mut order: Vec<u32> = (0..count as u32).collect();
        let mut nodes = vec![Box3::NONE; box_count(count) + 2];
        Builder { boxes: &boxes, nodes: &mut nodes, count, levels: levels(count) }.split(&mut order, 1, 0);
        let whole = *nodes.get(1)?;
        let boxes = nodes.iter().skip(2).map(|node| node.in_steps_of(&whole)).collect();
        Some(Self { whole, order: order.into(), boxes })
    }

    /// Tells of the triangles that a ray may meet within `limit` lengths of `direction`, the nearer ones first; `meet`
    /// says how far a triangle is when it is the nearest so far, and what is behind that is left out.
    pub(super) fn walk(
        &self,
        origin: DVec3,
        direction: DVec3,
        limit: f64,
        meet: &mut impl FnMut(usize) -> Option<f64>,
    ) {
        let mut limit = limit;
        let ray = Ray {
            corner: self.whole.min.as_dvec3() - origin,
            step: self.whole.step(),
            inverse: direction.recip(),
            levels: levels(self.order.len()),
        };
        self.walk_node(&ray, 1, 0, &mut limit, meet);
    }

    fn walk_node(
        &self,
        ray: &Ray,
        node: usize,
        level: u32,
        limit: &mut f64,
        meet: &mut impl FnMut(usize) -> Option<f64>,
    ) {
        if level == ray.levels {
            let (count, number) = (self.order.len(), node - (1 << level));
            for at in start(count, level, number)..start(count, level, number + 1) {
                if let Some(distance) = self.order.get(at).and_then(|t| meet(t as usize)) {
                    *limit = distance;
                }
            }
            return;
        }
        let enter = |node: usize| Some((node, ray.enter(self.boxes.get(node - 2)?)?));
        let below = match (enter(2 * node), enter(2 * node + 1)) {
            (Some(a), Some(b)) if b.1 < a.1 => [Some(b), Some(a)],
            below => below.into(),
        };
        for (child, near) in below.into_iter().flatten() {
            if near <= *limit {
                self.walk_node(ray, child, level + 1, limit, meet);
            }
        }
    }
}

struct Ray {
    /// From where it starts to the lower corner of the box around the shape.
    corner: DVec3,
    /// Lengths of a step.
    step: DVec3,
    /// One over its direction, by axis.
    inverse: DVec3,
    levels: u32,
}

impl Ray {
    /// How far along it a box begins, 0 inside; none when it misses the box.
    fn enter(&self, steps: &Steps) -> Option<f64> {
        let [a, b, c, d, e, f] = steps.map(f64::from);
        let lower = (self.corner + DVec3::new(a, b, c) * self.step) * self.inverse;
        let upper = (self.corner + DVec3::new(d, e, f) * self.step) * self.inverse;
        let near = lower.min(upper).max_element().max(0.0);
        let far = lower.max(upper).min_element();
        (near <= far).then_some(near)
    }
}

/// A box, a little larger than what is in it: rounding must never lose a hit.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Box3 {
    min: Vec3,
    max: Vec3,
}

impl Box3 {
    const NONE: Self = Self { min: Vec3::INFINITY, max: Vec3::NEG_INFINITY };

    /// Around the corners of a triangle.
    fn around(corners: [DVec3; 3]) -> Self {
        let corners = corners.map(|c| c.as_vec3());
        let out = |v: Vec3| v.abs() * 1e-6 + 1e-4;
        let (min, max) = corners.iter().fold((Vec3::INFINITY, Vec3::NEG_INFINITY), |b, c| (b.0.min(*c), b.1.max(*c)));
        Self { min: min - out(min), max: max + out(max) }
    }

    fn union(self, other: Self) -> Self {
        Self { min: self.min.min(other.min), max: self.max.max(other.max) }
    }

    fn middle(&self) -> Vec3 {
        (self.min + self.max) * 0.5
    }

    /// How large it is in 65,535ths.
    fn step(&self) -> DVec3 {
        (self.max.as_dvec3() - self.min.as_dvec3()) / f64::from(u16::MAX)
    }

    /// In steps of the box around it, rounded outwards.
    fn in_steps_of(&self, whole: &Self) -> Steps {
        let steps = |corner: Vec3| (corner.as_dvec3() - whole.min.as_dvec3()) / whole.step();
        let (min, max) = (steps(self.min).floor(), steps(self.max).ceil());
        [min.x, min.y, min.z, max.x, max.y, max.z].map(|v| v as u16)
    }

    fn from_bytes(bytes: &[u8; WHOLE]) -> Self {
        let mut numbers = [0.0; 6];
        for (number, word) in numbers.iter_mut().zip(bytes.as_chunks::<4>().0) {
            *number = f32::from_le_bytes(*word);
        }
        let [a, b, c, d, e, f] = numbers;
        Self { min: Vec3::new(a, b, c), max: Vec3::new(d, e, f) }
    }
}

fn steps_from_bytes(bytes: &[u8; BOX]) -> Steps {
    let mut steps = [0; 6];
    for (step, word) in steps.iter_mut().zip(bytes.as_chunks::<2>().0) {
        *step = u16::from_le_bytes(*word);
    }
    steps
}

struct Builder<'a> {
    /// By triangle.
    boxes: &'a [Box3],
    /// By node.
    nodes: &'a mut [Box3],
    /// All triangles.
    count: usize,
    levels: u32,
}

impl Builder<'_> {
    /// Puts the triangles of a node into order, half of them to the left of the other half along the axis on which they
    /// lie furthest apart; gives the box around them.
    fn split(&mut self, order: &mut [u32], node: usize, level: u32) -> Box3 {
        let boxes = self.boxes;
        let of = |t: &u32| boxes.get(*t as usize).copied().unwrap_or(Box3::NONE);
        let around = if level == self.levels {
            order.iter().map(of).fold(Box3::NONE, Box3::union)
        } else {
            let middle = |t: &u32| of(t).middle();
            let (min, max) = order
                .iter()
                .map(middle)
                .fold((Vec3::INFINITY, Vec3::NEG_INFINITY), |(min, max), m| (min.min(m), max.max(m)));
            let axis = (max - min).max_position();
            let number = node - (1 << level);
            let half = start(self.count, level + 1, 2 * number + 1) - start(self.count, level, number);
            if half < order.len() {
                order.select_nth_unstable_by(half, |a, b| middle(a)[axis].total_cmp(&middle(b)[axis]));
            }
            let (left, right) = order.split_at_mut(half.min(order.len()));
            self.split(left, 2 * node, level + 1).union(self.split(right, 2 * node + 1, level + 1))
        };
        if let Some(place) = self.nodes.get_mut(node) {
            *place = around;
        }
        around
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::shape::Triangles;
    use proptest::prelude::*;

    /// A spiral stair of triangles.
    fn stair(triangles: u32) -> Triangles {
        let corner = |i: u32| {
            let (t, k) = (f64::from(i / 3) * 0.1, f64::from(i % 3));
            [t.cos() as f32 * (1.0 + k as f32), t.sin() as f32 * (1.0 + k as f32), (t * 0.3 + k * 0.1) as f32]
        };
        let positions: Vec<[f32; 3]> = (0..triangles * 3).map(corner).collect();
        Triangles { positions, indices: (0..triangles * 3).collect(), ..Triangles::default() }
    }

    fn shape(triangles: u32) -> Arc<Shape> {
        Arc::new(stair(triangles).into())
    }

    /// The triangles that a ray may meet.
    fn met(tree: &Tree, origin: DVec3, direction: DVec3) -> Vec<usize> {
        let mut met = Vec::new();
        tree.walk(origin, direction, f64::INFINITY, &mut |t| {
            met.push(t);
            None
        });
        met
    }

    #[test]
    fn only_large_shapes_have_one() {
        let shapes = [shape(127), shape(128), shape(1000)];
        let details = Details::of_shapes(&shapes);
        assert!(details.get(0).is_none() && details.get(1).is_some() && details.get(2).is_some());
        assert_eq!(details.len(), 2);
        let mut moved = Details::default();
        moved.push_from(&details, 2);
        assert!(Arc::ptr_eq(moved.get(0).unwrap(), details.get(2).unwrap()));
    }

    /// Triangles that all lie in one place, as files have them by the hundred; and triangles without corners.
    #[test]
    fn equal_and_broken_triangles_are_no_trap() {
        for count in [128, 200, 1000] {
            let equal = Triangles { indices: [0, 1, 2].repeat(count), ..stair(1) };
            let tree = Tree::of(&equal.into()).unwrap();
            assert_eq!(met(&tree, DVec3::new(1.5, 0.0, 5.0), DVec3::NEG_Z).len(), count);
            let broken = Triangles { indices: [7, 8, 9].repeat(count), ..stair(1) };
            assert!(Tree::of(&broken.into()).is_some());
        }
    }

    #[test]
    fn a_tree_is_small() {
        for count in [128, 129, 1000, 5000, 70_000] {
            let tree = Tree::of(&shape(count)).unwrap();
            let each = if count > 65_536 { 4 } else { 2 };
            let bytes = tree.order.len() * each + tree.boxes.len() * BOX;
            assert!(
                bytes <= count as usize * if each == 2 { 5 } else { 7 },
                "{} bytes a triangle",
                bytes / count as usize
            );
            let mut order: Vec<u32> = tree.order.iter().collect();
            order.sort_unstable();
            assert!(order.into_iter().eq(0..count), "every triangle once");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn as_bytes_and_back(sizes in prop::collection::vec(0..900_u32, 0..6)) {
            let shapes: Vec<_> = sizes.iter().map(|n| shape(*n)).collect();
            let details = Details::of_shapes(&shapes);
            prop_assert_eq!(Details::from_bytes(&details.to_bytes(), &shapes), Some(details));
        }

        /// Whoever forges a tree gets no tree, or one that can be walked to its end.
        #[test]
        fn forged_bytes_are_refused_or_harmless(
            at in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..8),
            cut in prop::option::of(any::<prop::sample::Index>()),
        ) {
            let shapes = [shape(40), shape(700)];
            let mut bytes = Details::of_shapes(&shapes).to_bytes();
            for (index, value) in at {
                let i = index.index(bytes.len());
                bytes[i] ^= value;
            }
            if let Some(cut) = cut {
                bytes.truncate(cut.index(bytes.len()));
            }
            let Some(details) = Details::from_bytes(&bytes, &shapes) else { return Ok(()) };
            for tree in details.0.iter().flatten() {
                for direction in [[0.3, 0.2, -1.0], [-1.0, 0.01, 0.2], [0.1, 1.0, 0.4], [0.0, 0.0, -1.0]] {
                    prop_assert!(met(tree, DVec3::new(0.1, 0.2, 50.0), DVec3::from_array(direction)).len() <= 700);
                }
            }
        }
    }
}
