//! What need not be iterated on: trees are peeled off, chains of two-ended nodes become one edge.
//!
//! A leaf's flow is its demand, whatever the heads, so branches that end blind are taken off leaf by leaf
//! (the forest of Simpson, Elhay and Alexander, "Forest-core partitioning algorithm for speeding up
//! analysis of water distribution systems", J. Water Resour. Plan. Manage. 140 (2014)). Along a chain of
//! nodes with two links each the flow is one unknown plus demands that are known, so its links are one
//! edge whose loss is the sum of theirs. What is left, the core, is what a linear system is solved for.

/// A link as the reduction sees it.
#[derive(Clone, Copy, Debug)]
pub struct Piece {
    /// Node it comes from.
    pub from: u32,
    /// Node it goes to.
    pub to: u32,
    /// Whether its loss follows from its flow alone, both ways: no pump, no valve that switches by itself.
    pub plain: bool,
}

/// A node taken off with the link that feeds it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Leaf {
    /// The node.
    pub node: u32,
    /// The node it hangs on.
    pub parent: u32,
    /// The link between them.
    pub row: u32,
    /// 1 where the link runs from parent to node, -1 where it runs the other way.
    pub sign: f64,
}

/// A link within an edge.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Step {
    /// The link.
    pub row: u32,
    /// 1 where it runs along the edge, -1 against it.
    pub sign: f64,
    /// The node after it: an interior node, or the edge's end for the last.
    pub node: u32,
}

/// A chain of links between two core nodes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Edge {
    /// Node it begins at.
    pub a: u32,
    /// Node it ends at.
    pub b: u32,
    /// First of its steps.
    pub first: u32,
    /// One past the last of its steps.
    pub end: u32,
}

/// What is left of a network, and how the rest follows from it.
#[derive(Clone, Debug, Default)]
pub struct Reduction {
    /// Nodes of the core, rising.
    pub core: Vec<u32>,
    /// Leaves in the order they were taken: a node's children before the node.
    pub leaves: Vec<Leaf>,
    /// Edges between core nodes.
    pub edges: Vec<Edge>,
    /// The steps of all edges.
    pub steps: Vec<Step>,
}

/// Reduces a network of `keep.len()` nodes. `keep` marks nodes that must stay in the core: fixed heads and
/// outflows that depend on pressure. A piece from a node to itself is left out.
pub fn reduce(keep: &[bool], pieces: &[Piece]) -> Reduction {
    let mut work = Work::new(keep, pieces);
    work.peel();
    work.join();
    work.out
}

struct Work<'a> {
    keep: &'a [bool],
    pieces: &'a [Piece],
    start: Vec<u32>,
    at: Vec<u32>,
    degree: Vec<u32>,
    gone: Vec<bool>,
    used: Vec<bool>,
    interior: Vec<bool>,
    out: Reduction,
}

impl<'a> Work<'a> {
    fn new(keep: &'a [bool], pieces: &'a [Piece]) -> Self {
        let n = keep.len();
        let mut start = vec![0u32; n + 1];
        for p in pieces.iter().filter(|p| p.from != p.to) {
            start[p.from as usize + 1] += 1;
            start[p.to as usize + 1] += 1;
        }
        for v in 0..n {
            start[v + 1] += start[v];
        }
        let degree: Vec<u32> = start.windows(2).map(|w| w[1] - w[0]).collect();
        let mut next = start.clone();
        let mut at = vec![0u32; start[n] as usize];
        let mut used = vec![false; pieces.len()];
        for (row, p) in pieces.iter().enumerate() {
            if p.from == p.to {
                used[row] = true;
                continue;
            }
            for v in [p.from as usize, p.to as usize] {
                at[next[v] as usize] = row as u32;
                next[v] += 1;
            }
        }
        let (gone, interior) = (vec![false; n], vec![false; n]);
        Self { keep, pieces, start, at, degree, gone, used, interior, out: Reduction::default() }
    }

    fn around(&self, v: u32) -> impl Iterator<Item = u32> + '_ {
        let range = self.start[v as usize] as usize..self.start[v as usize + 1] as usize;
        self.at[range].iter().copied().filter(|&row| !self.used[row as usize])
    }

    fn other(&self, row: u32, v: u32) -> (u32, f64) {
        let piece = self.pieces[row as usize];
        if piece.from == v { (piece.to, 1.0) } else { (piece.from, -1.0) }
    }

    fn peel(&mut self) {
        let mut queue: Vec<u32> =
            (0..self.keep.len() as u32).filter(|&v| self.degree[v as usize] == 1 && !self.keep[v as usize]).collect();
        let mut head = 0;
        while let Some(&v) = queue.get(head) {
            head += 1;
            if self.degree[v as usize] != 1 {
                continue;
            }
            let Some(row) = self.around(v).next() else { continue };
            if !self.pieces[row as usize].plain {
                continue;
            }
            let (parent, sign) = self.other(row, v);
            self.out.leaves.push(Leaf { node: v, parent, row, sign: -sign });
            self.used[row as usize] = true;
            self.gone[v as usize] = true;
            self.degree[v as usize] = 0;
            let left = &mut self.degree[parent as usize];
            *left -= 1;
            if *left == 1 && !self.keep[parent as usize] {
                queue.push(parent);
            }
        }
    }

    fn join(&mut self) {
        for v in 0..self.keep.len() as u32 {
            let i = v as usize;
            self.interior[i] = !self.keep[i]
                && !self.gone[i]
                && self.degree[i] == 2
                && self.around(v).all(|row| self.pieces[row as usize].plain);
        }
        for v in 0..self.keep.len() as u32 {
            if !self.gone[v as usize] && !self.interior[v as usize] {
                self.walk_from(v);
            }
        }
        // Rings of nothing but two-ended nodes: one of them has to be a core node.
        for v in 0..self.keep.len() as u32 {
            if self.interior[v as usize] && self.around(v).next().is_some() {
                self.interior[v as usize] = false;
                self.walk_from(v);
            }
        }
        self.out.core =
            (0..self.keep.len() as u32).filter(|&v| !self.gone[v as usize] && !self.interior[v as usize]).collect();
    }

    fn walk_from(&mut self, a: u32) {
        for slot in self.start[a as usize]..self.start[a as usize + 1] {
            let mut row = self.at[slot as usize];
            if self.used[row as usize] {
                continue;
            }
            let first = self.out.steps.len() as u32;
            let mut v = a;
            loop {
                self.used[row as usize] = true;
                let (node, sign) = self.other(row, v);
                self.out.steps.push(Step { row, sign, node });
                v = node;
                if !self.interior[v as usize] {
                    break;
                }
                match self.around(v).next() {
                    Some(next) => row = next,
                    None => break,
                }
            }
            let end = self.out.steps.len() as u32;
            self.out.edges.push(Edge { a, b: v, first, end });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn plain(from: u32, to: u32) -> Piece {
        Piece { from, to, plain: true }
    }

    #[test]
    fn a_line_from_a_source_is_all_leaves() {
        let out = reduce(&[true, false, false], &[plain(0, 1), plain(2, 1)]);
        assert_eq!(out.core, [0]);
        assert_eq!(
            out.leaves.iter().map(|l| (l.node, l.parent, l.sign)).collect::<Vec<_>>(),
            [(2, 1, -1.0), (1, 0, 1.0)]
        );
        assert!(out.edges.is_empty());
    }

    #[test]
    fn a_ring_on_a_source_is_one_edge_from_it_to_itself() {
        let out = reduce(&[true, false, false], &[plain(0, 1), plain(1, 2), plain(0, 2)]);
        assert_eq!(out.core, [0]);
        assert_eq!(out.edges, [Edge { a: 0, b: 0, first: 0, end: 3 }]);
        assert_eq!(out.steps.iter().map(|s| s.sign).collect::<Vec<_>>(), [1.0, 1.0, -1.0]);
    }

    #[test]
    fn a_ring_without_a_source_keeps_one_node() {
        let out = reduce(&[false; 3], &[plain(0, 1), plain(1, 2), plain(2, 0)]);
        assert_eq!(out.core, [0]);
        assert_eq!(out.edges.len(), 1);
    }

    #[test]
    fn what_switches_stays() {
        let pump = Piece { from: 0, to: 1, plain: false };
        let out = reduce(&[true, false, false], &[pump, plain(1, 2)]);
        assert_eq!(out.core, [0, 1]);
        assert_eq!(out.leaves.len(), 1);
    }

    proptest! {
        #[test]
        fn every_link_and_node_is_found_once(
            keep in proptest::collection::vec(any::<bool>(), 12),
            ends in proptest::collection::vec((0u32..12, 0u32..12, any::<bool>()), 0..24),
        ) {
            let pieces: Vec<Piece> = ends.iter().map(|&(from, to, plain)| Piece { from, to, plain }).collect();
            let out = reduce(&keep, &pieces);
            let mut rows: Vec<u32> = out.steps.iter().map(|s| s.row).chain(out.leaves.iter().map(|l| l.row)).collect();
            rows.sort_unstable();
            let wanted: Vec<u32> = (0..pieces.len() as u32).filter(|&r| pieces[r as usize].from != pieces[r as usize].to).collect();
            prop_assert_eq!(rows, wanted);
            let mut nodes = out.core.clone();
            nodes.extend(out.leaves.iter().map(|l| l.node));
            for edge in &out.edges {
                let steps = &out.steps[edge.first as usize..edge.end as usize];
                nodes.extend(steps[..steps.len() - 1].iter().map(|s| s.node));
                prop_assert_eq!(steps.last().unwrap().node, edge.b);
                let mut v = edge.a;
                for s in steps {
                    let p = pieces[s.row as usize];
                    prop_assert_eq!(if s.sign > 0.0 { (p.from, p.to) } else { (p.to, p.from) }, (v, s.node));
                    v = s.node;
                }
            }
            nodes.sort_unstable();
            prop_assert_eq!(nodes, (0..12).collect::<Vec<u32>>());
        }
    }
}
