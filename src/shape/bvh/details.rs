//! Trees over the triangles of large shapes, made once for all elements and models that share a shape; and as
//! bytes, so that they need not be made again.

use super::{Aabb, rounded_outwards};
use crate::shape::Shape;
use glam::DVec3;
use obvhs::BvhBuildParams;
use obvhs::bvh2::reinsertion::ReinsertionOptimizer;
use obvhs::cwbvh::CwBvh;
use obvhs::cwbvh::bvh2_to_cwbvh::bvh2_to_cwbvh;
use obvhs::cwbvh::node::CwBvhNode;
use obvhs::ploc::PlocBuilder;
use std::sync::Arc;

/// The version of the library whose trees these are: another one may lay them out, or read them, otherwise.
pub const LIBRARY: &str = "0.3.3";

/// Shapes of fewer triangles are looked through one by one.
pub(super) const DETAIL_TRIANGLES: usize = 128;

/// Deeper trees are not walked: the library's own stack holds 32 entries, at most one a level.
const MAX_DEPTH: u8 = 30;

/// Bytes of a node, and of what comes before the nodes of a tree: their number, that of the triangles, the box.
const NODE: usize = 80;
const HEAD: usize = 4 + 4 + 6 * 4;

/// By shape: its tree; none for a shape of few triangles, or where nobody made it yet.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Details(Vec<Option<Arc<CwBvh>>>);

impl Details {
    /// Makes the trees of all large shapes.
    pub fn of_shapes(shapes: &[Arc<Shape>]) -> Self {
        Self(shapes.iter().map(|s| build(s).map(Arc::new)).collect())
    }

    /// The tree of a shape, by its index.
    pub(super) fn get(&self, shape: usize) -> Option<&Arc<CwBvh>> {
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

    /// As bytes, little-endian: for each of them the shape's index, the numbers of nodes and of triangles, the box, nodes,
    /// triangles.
    pub fn to_bytes(&self) -> Vec<u8> {
        let trees = || self.0.iter().enumerate().filter_map(|(i, t)| Some((i, t.as_deref()?)));
        let size = |t: &CwBvh| 4 + HEAD + t.nodes.len() * NODE + t.primitive_indices.len() * 4;
        let mut out = Vec::with_capacity(trees().map(|(_, t)| size(t)).sum());
        for (shape, tree) in trees() {
            let numbers = [shape, tree.nodes.len(), tree.primitive_indices.len()];
            numbers.iter().for_each(|n| out.extend((*n as u32).to_le_bytes()));
            let corners = [tree.total_aabb.min.to_array(), tree.total_aabb.max.to_array()];
            corners.iter().flatten().for_each(|v| out.extend(v.to_le_bytes()));
            tree.nodes.iter().for_each(|node| write_node(node, &mut out));
            tree.primitive_indices.iter().for_each(|t| out.extend(t.to_le_bytes()));
        }
        out
    }

    /// From the bytes of [`Self::to_bytes`]; none when they are not trees of these shapes.
    pub fn from_bytes(mut bytes: &[u8], shapes: &[Arc<Shape>]) -> Option<Self> {
        let mut trees = vec![None; shapes.len()];
        while !bytes.is_empty() {
            let index = u32::from_le_bytes(*bytes.split_first_chunk::<4>()?.0) as usize;
            let (head, rest) = bytes.get(4..)?.split_first_chunk::<HEAD>()?;
            let number = |i: usize| head.get(4 * i..).and_then(<[u8]>::first_chunk::<4>).copied();
            let nodes = u32::from_le_bytes(number(0)?) as usize;
            let triangles = u32::from_le_bytes(number(1)?) as usize;
            let mut corners = [0.0_f32; 6];
            for (i, corner) in corners.iter_mut().enumerate() {
                *corner = f32::from_le_bytes(number(2 + i)?);
            }
            let (node_bytes, rest) = rest.split_at_checked(nodes.checked_mul(NODE)?)?;
            let (triangle_bytes, rest) = rest.split_at_checked(triangles.checked_mul(4)?)?;
            let [x0, y0, z0, x1, y1, z1] = corners;
            let tree = CwBvh {
                nodes: node_bytes.as_chunks::<NODE>().0.iter().map(read_node).collect(),
                primitive_indices: triangle_bytes.as_chunks().0.iter().map(|b| u32::from_le_bytes(*b)).collect(),
                total_aabb: obvhs::aabb::Aabb::new([x0, y0, z0].into(), [x1, y1, z1].into()),
                exact_node_aabbs: None,
                uses_spatial_splits: false,
            };
            let shape = shapes.get(index)?;
            let slot = trees.get_mut(index)?;
            if slot.is_some() || triangles != shape.triangles() || !can_be_walked(&tree) {
                return None;
            }
            *slot = Some(Arc::new(tree));
            bytes = rest;
        }
        Some(Self(trees))
    }
}

/// A tree over a shape's triangles, in its own frame; none for a shape of few.
pub(super) fn build(shape: &Shape) -> Option<CwBvh> {
    if shape.triangles() < DETAIL_TRIANGLES {
        return None;
    }
    let boxes = (0..shape.triangles()).map(|t| shape.triangle(t).and_then(Aabb::around));
    let boxes = boxes.map(|b| b.unwrap_or(Aabb { min: DVec3::ZERO, max: DVec3::ZERO }));
    let boxes: Vec<obvhs::aabb::Aabb> = boxes.map(|b| rounded_outwards(b, DVec3::ZERO)).collect();
    tree(&boxes, BvhBuildParams::fastest_build())
}

/// A tree over boxes; none when it gets deeper than can be walked, as it does over a hundred and more equal boxes:
/// then they are looked through one by one.
///
/// The steps of the library's own builder, which in debug builds gives up on such a tree by a panic.
pub(super) fn tree(boxes: &[obvhs::aabb::Aabb], params: BvhBuildParams) -> Option<CwBvh> {
    let mut binary = PlocBuilder::with_capacity(boxes.len()).build(
        params.ploc_search_distance,
        boxes,
        (0..boxes.len() as u32).collect(),
        params.sort_precision,
        params.search_depth_threshold,
    );
    ReinsertionOptimizer::default().run(&mut binary, params.reinsertion_batch_ratio, None);
    Some(bvh2_to_cwbvh(&binary, params.max_prims_per_leaf.clamp(1, 3), true, false)).filter(can_be_walked)
}

fn write_node(node: &CwBvhNode, out: &mut Vec<u8>) {
    node.p.to_array().iter().for_each(|v| out.extend(v.to_le_bytes()));
    out.extend(node.e);
    out.push(node.imask);
    out.extend(node.child_base_idx.to_le_bytes());
    out.extend(node.primitive_base_idx.to_le_bytes());
    out.extend(node.child_meta);
    for planes in
        [node.child_min_x, node.child_max_x, node.child_min_y, node.child_max_y, node.child_min_z, node.child_max_z]
    {
        out.extend(planes);
    }
}

fn read_node(bytes: &[u8; NODE]) -> CwBvhNode {
    let word = |at: usize| <[u8; 4]>::try_from(bytes.get(at..at + 4).unwrap_or_default()).unwrap_or_default();
    let eight = |at: usize| <[u8; 8]>::try_from(bytes.get(at..at + 8).unwrap_or_default()).unwrap_or_default();
    let [ex, ey, ez, imask] = word(12);
    CwBvhNode {
        p: [0, 4, 8].map(|at| f32::from_le_bytes(word(at))).into(),
        e: [ex, ey, ez],
        imask,
        child_base_idx: u32::from_le_bytes(word(16)),
        primitive_base_idx: u32::from_le_bytes(word(20)),
        child_meta: eight(24),
        child_min_x: eight(32),
        child_max_x: eight(40),
        child_min_y: eight(48),
        child_max_y: eight(56),
        child_min_z: eight(64),
        child_max_z: eight(72),
    }
}

/// True when the library can walk the tree: it takes for granted that children are there, that nobody is their own
/// ancestor, and that its stack is deep enough.
fn can_be_walked(tree: &CwBvh) -> bool {
    let mut depth = vec![0_u8; tree.nodes.len()];
    tree.nodes.iter().enumerate().all(|(i, node)| {
        let children = (0..8_u32).zip(node.child_meta).all(|(slot, meta)| {
            let (bits, offset) = (u32::from(meta >> 5), u32::from(meta & 0x1f));
            if node.imask >> slot & 1 == 1 {
                (bits, offset) == (1, 24 + slot)
            } else {
                // The highest of up to three bits stays below those of inner nodes.
                offset + (32 - bits.leading_zeros()) <= 24
            }
        });
        let first = node.child_base_idx as usize;
        let below = depth.get(i).map_or(u8::MAX, |d| d.saturating_add(1));
        let inner = match node.imask.count_ones() as usize {
            0 => first <= u32::MAX as usize - 8,
            count => match depth.get_mut(first..first.saturating_add(count)) {
                Some(levels) if first > i && below <= MAX_DEPTH => {
                    levels.iter_mut().for_each(|level| *level = (*level).max(below));
                    true
                }
                _ => false,
            },
        };
        children && inner && node.primitive_base_idx as usize <= tree.primitive_indices.len()
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// A spiral stair of triangles.
    fn shape(triangles: u32) -> Arc<Shape> {
        let corner = |i: u32| {
            let (t, k) = (f64::from(i / 3) * 0.1, f64::from(i % 3));
            [t.cos() as f32 * (1.0 + k as f32), t.sin() as f32 * (1.0 + k as f32), (t * 0.3 + k * 0.1) as f32]
        };
        let positions: Vec<[f32; 3]> = (0..triangles * 3).map(corner).collect();
        let normals = vec![[0.0, 0.0, 1.0]; positions.len()];
        Arc::new(Shape { positions, normals, colours: Vec::new(), indices: (0..triangles * 3).collect() })
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

    /// Triangles that all lie in one place, as files have them by the hundred.
    #[test]
    fn equal_triangles_are_no_trap() {
        for count in [128, 200, 1000] {
            let mut many = Shape::clone(&shape(1));
            many.indices = [0, 1, 2].repeat(count);
            let tree = build(&many);
            assert!(tree.is_none_or(|t| can_be_walked(&t)), "{count}");
        }
    }

    #[test]
    fn the_version_is_that_of_the_library_in_use() {
        let lock = include_str!("../../../Cargo.lock").replace("\r\n", "\n");
        assert!(lock.contains(&format!("name = \"obvhs\"\nversion = \"{LIBRARY}\"\n")), "write its version here");
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
                for direction in [[0.3_f32, 0.2, -1.0], [-1.0, 0.01, 0.2], [0.1, 1.0, 0.4]] {
                    let ray = obvhs::ray::Ray::new_inf([0.1, 0.2, 50.0].into(), direction.into());
                    tree.ray_traverse(ray, &mut obvhs::ray::RayHit::none(), |_, _| f32::INFINITY);
                }
            }
        }
    }
}
