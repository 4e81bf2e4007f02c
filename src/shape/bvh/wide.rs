//! The wide tree over the boxes of elements, as the library builds it.

use obvhs::BvhBuildParams;
use obvhs::aabb::Aabb;
use obvhs::bvh2::reinsertion::ReinsertionOptimizer;
use obvhs::cwbvh::CwBvh;
use obvhs::cwbvh::bvh2_to_cwbvh::bvh2_to_cwbvh;
use obvhs::ploc::PlocBuilder;

/// Deeper trees are not walked: the library's own stack holds 32 entries, at most one a level.
const MAX_DEPTH: u8 = 30;

/// A tree over boxes; none when it gets deeper than can be walked, as it does over a hundred and more equal boxes:
/// then they are looked through one by one.
///
/// The steps of the library's own builder, which in debug builds gives up on such a tree by a panic.
pub(super) fn tree(boxes: &[Aabb]) -> Option<CwBvh> {
    let params = BvhBuildParams::fast_build();
    let mut binary = PlocBuilder::with_capacity(boxes.len()).build(
        params.ploc_search_distance,
        boxes,
        (0..boxes.len() as u32).collect(),
        params.sort_precision,
        params.search_depth_threshold,
    );
    ReinsertionOptimizer::default().run(&mut binary, params.reinsertion_batch_ratio, None);
    let mut tree = bvh2_to_cwbvh(&binary, params.max_prims_per_leaf.clamp(1, 3), true, false);
    tree.nodes.shrink_to_fit();
    tree.primitive_indices.shrink_to_fit();
    Some(tree).filter(can_be_walked)
}

/// True when the library's stack is deep enough for the tree.
fn can_be_walked(tree: &CwBvh) -> bool {
    let mut depth = vec![0_u8; tree.nodes.len()];
    tree.nodes.iter().enumerate().all(|(i, node)| {
        let first = node.child_base_idx as usize;
        let below = depth.get(i).map_or(u8::MAX, |d| d.saturating_add(1));
        match node.imask.count_ones() as usize {
            0 => true,
            count => match depth.get_mut(first..first.saturating_add(count)) {
                Some(levels) if first > i && below <= MAX_DEPTH => {
                    levels.fill(below);
                    true
                }
                _ => false,
            },
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Elements that all lie in one place, as files have them by the hundred.
    #[test]
    fn equal_boxes_are_no_trap() {
        for count in [1, 128, 200, 1000] {
            let boxes = vec![Aabb::new([0.0; 3].into(), [1.0; 3].into()); count];
            assert!(tree(&boxes).is_none_or(|t| can_be_walked(&t)), "{count}");
        }
    }
}
