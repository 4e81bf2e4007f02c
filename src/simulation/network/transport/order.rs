//! The order in which nodes get what flows to them, and the linear balance along it.

use faer::Mat;
use faer::linalg::solvers::Solve;
use faer::sparse::{SparseColMat, Triplet};

/// A link in the balance: `w·(a·x[up] + b)` comes to the node that it ends at.
#[derive(Clone, Copy, Debug)]
pub(super) struct Carried {
    pub up: u32,
    pub w: f64,
    pub a: f64,
    pub b: f64,
}

/// Nodes in groups: each group depends on the groups before it; one of more than a node runs in a circle.
#[derive(Clone, Debug, Default)]
pub(super) struct Order {
    nodes: Vec<u32>,
    /// Where each group ends in `nodes`.
    ends: Vec<usize>,
    /// The group of each node.
    group: Vec<u32>,
    /// Links that come to each node: `incoming[starts[n]..starts[n + 1]]`.
    starts: Vec<usize>,
    incoming: Vec<u32>,
}

impl Order {
    /// Strongly connected parts in the order of the flow (Tarjan 1972, without recursion). `links` are
    /// (up, down); a link without ends is left out, one that passes nothing on (`cut`) does not tie its
    /// ends together.
    pub fn new(
        nodes: usize,
        links: impl Iterator<Item = Option<(u32, u32)>> + Clone,
        cut: impl Fn(usize) -> bool,
    ) -> Self {
        let by = |end: fn((u32, u32)) -> u32, cuts: bool| {
            let mut starts = vec![0usize; nodes + 1];
            let wanted = |i: usize| !(cuts && cut(i));
            for (i, link) in links.clone().enumerate() {
                if let Some(count) = link.filter(|_| wanted(i)).and_then(|l| starts.get_mut(end(l) as usize + 1)) {
                    *count += 1;
                }
            }
            for n in 0..nodes {
                starts[n + 1] += starts[n];
            }
            let mut next = starts.clone();
            let mut list = vec![0u32; starts.last().copied().unwrap_or(0)];
            for (i, link) in links.clone().enumerate() {
                let Some(link) = link.filter(|_| wanted(i)) else { continue };
                if let Some(place) = next.get_mut(end(link) as usize) {
                    list[*place] = i as u32;
                    *place += 1;
                }
            }
            (starts, list)
        };
        let downs: Vec<u32> = links.clone().map(|l| l.map_or(u32::MAX, |(_, down)| down)).collect();
        let (out_starts, out) = by(|l| l.0, true);
        let (starts, incoming) = by(|l| l.1, false);

        const NEW: u32 = u32::MAX;
        let (mut index, mut low) = (vec![NEW; nodes], vec![0u32; nodes]);
        let (mut on, mut stack, mut path) = (vec![false; nodes], Vec::new(), Vec::<(u32, usize)>::new());
        let mut count = 0u32;
        let mut groups: Vec<Vec<u32>> = Vec::new();
        for root in 0..nodes as u32 {
            if index[root as usize] != NEW {
                continue;
            }
            path.push((root, out_starts[root as usize]));
            while let Some((node, place)) = path.last_mut() {
                let n = *node as usize;
                if *place == out_starts[n] && index[n] == NEW {
                    index[n] = count;
                    low[n] = count;
                    count += 1;
                    stack.push(*node);
                    on[n] = true;
                }
                if *place < out_starts[n + 1] {
                    let next = downs[out[*place] as usize];
                    *place += 1;
                    if index[next as usize] == NEW {
                        path.push((next, out_starts[next as usize]));
                    } else if on[next as usize] {
                        low[n] = low[n].min(index[next as usize]);
                    }
                    continue;
                }
                if low[n] == index[n] {
                    let mut group = Vec::new();
                    while let Some(member) = stack.pop() {
                        on[member as usize] = false;
                        group.push(member);
                        if member as usize == n {
                            break;
                        }
                    }
                    groups.push(group);
                }
                path.pop();
                if let Some((parent, _)) = path.last() {
                    low[*parent as usize] = low[*parent as usize].min(low[n]);
                }
            }
        }
        // Tarjan finds the last part first.
        let ends = Vec::with_capacity(groups.len());
        let mut order = Self { nodes: Vec::with_capacity(nodes), ends, group: vec![0; nodes], starts, incoming };
        for (i, group) in groups.iter().rev().enumerate() {
            order.nodes.extend(group);
            order.ends.push(order.nodes.len());
            for node in group {
                order.group[*node as usize] = i as u32;
            }
        }
        order
    }

    /// The links that come to a node.
    pub fn incoming(&self, node: usize) -> &[u32] {
        let at = |i: usize| self.starts.get(i).copied().unwrap_or(0);
        self.incoming.get(at(node)..at(node + 1)).unwrap_or_default()
    }

    /// The group that a node is in.
    pub fn group_of(&self, node: u32) -> Option<u32> {
        self.group.get(node as usize).copied()
    }

    /// The groups, in the order of the flow.
    pub fn groups(&self) -> impl Iterator<Item = &[u32]> {
        let starts = std::iter::once(0).chain(self.ends.iter().copied());
        starts.zip(&self.ends).map(|(start, end)| self.nodes.get(start..*end).unwrap_or_default())
    }

    /// Solves `d[n]·x[n] = Σ w·(a·x[up] + b) + r[n]`, group by group. A node with `d = 0`, and a circle
    /// that nothing ties to a value (`tied` false for it), keep what stands in `x`; such circles come back
    /// as the first node of each.
    pub fn solve(
        &self,
        links: &[Option<Carried>],
        d: &[f64],
        r: &[f64],
        tied: impl Fn(&[u32]) -> bool,
        x: &mut [f64],
    ) -> Vec<u32> {
        let mut loose = Vec::new();
        let mut place = vec![u32::MAX; d.len()];
        for group in self.groups() {
            let carried =
                |n: u32| self.incoming(n as usize).iter().filter_map(|i| links.get(*i as usize).copied().flatten());
            if let [n] = group
                && carried(*n).all(|l| l.up != *n || l.a == 0.0)
            {
                let at = *n as usize;
                if d[at] > 0.0 {
                    let sum: f64 = carried(*n).map(|l| l.w * (l.a * known(x, l) + l.b)).sum();
                    x[at] = (sum + r[at]) / d[at];
                }
                continue;
            }
            if !tied(group) {
                loose.extend(group.first());
                continue;
            }
            for (i, n) in group.iter().enumerate() {
                place[*n as usize] = i as u32;
            }
            let mut entries = Vec::with_capacity(4 * group.len());
            let mut right = Mat::<f64>::zeros(group.len(), 1);
            for (i, n) in group.iter().enumerate() {
                let at = *n as usize;
                entries.push(Triplet::new(i, i, d[at].max(f64::MIN_POSITIVE)));
                let mut sum = r[at];
                for l in carried(*n) {
                    let up = place[l.up as usize];
                    sum += l.w * l.b;
                    if l.a == 0.0 {
                        continue;
                    }
                    if up == u32::MAX {
                        sum += l.w * l.a * known(x, l);
                    } else {
                        entries.push(Triplet::new(i, up as usize, -l.w * l.a));
                    }
                }
                right[(i, 0)] = sum;
            }
            let solved = SparseColMat::<usize, f64>::try_new_from_triplets(group.len(), group.len(), &entries)
                .ok()
                .and_then(|matrix| matrix.sp_lu().ok())
                .map(|lu| lu.solve(&right))
                .filter(|found| (0..group.len()).all(|i| found[(i, 0)].is_finite()));
            match solved {
                Some(found) => {
                    for (i, n) in group.iter().enumerate() {
                        x[*n as usize] = found[(i, 0)];
                    }
                }
                None => loose.extend(group.first()),
            }
            for n in group {
                place[*n as usize] = u32::MAX;
            }
        }
        loose
    }
}

fn known(x: &[f64], link: Carried) -> f64 {
    x.get(link.up as usize).copied().unwrap_or(0.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn order(nodes: usize, links: &[(u32, u32)]) -> Order {
        Order::new(nodes, links.iter().map(|l| Some(*l)), |_| false)
    }

    #[test]
    fn a_circle_is_one_group_in_its_place() {
        // 0 → 1 → 2 → 3 → 1 and 3 → 4.
        let o = order(5, &[(0, 1), (1, 2), (2, 3), (3, 1), (3, 4)]);
        let mut groups: Vec<Vec<u32>> = o.groups().map(<[u32]>::to_vec).collect();
        groups[1].sort_unstable();
        assert_eq!(groups, [vec![0], vec![1, 2, 3], vec![4]]);
        assert_eq!(o.incoming(1), [0, 3]);
        let cut = Order::new(4, [(0, 1), (1, 2), (2, 3), (3, 1)].iter().map(|l| Some(*l)), |i| i == 2);
        assert!(cut.groups().all(|g| g.len() == 1), "a cut opens the circle");
        assert_eq!(cut.incoming(3), [2], "and still carries");
    }

    #[test]
    fn a_long_chain_does_not_run_out_of_stack() {
        let links: Vec<(u32, u32)> = (0..200_000).map(|i| (i, i + 1)).collect();
        let o = order(200_001, &links);
        assert!(o.groups().flatten().copied().eq(0..200_001));
    }

    proptest! {
        #[test]
        fn what_flows_to_a_node_stands_before_it(links in proptest::collection::vec((0u32..12, 0u32..12), 0..40)) {
            let o = order(12, &links);
            let mut rank = [0; 12];
            for (i, group) in o.groups().enumerate() {
                for n in group {
                    rank[*n as usize] = i;
                }
            }
            prop_assert_eq!(o.groups().map(<[u32]>::len).sum::<usize>(), 12);
            prop_assert!(links.iter().all(|(a, b)| rank[*a as usize] <= rank[*b as usize]));
            // Nodes of a group reach each other.
            let mut reach = [[false; 12]; 12];
            for (a, b) in &links { reach[*a as usize][*b as usize] = true; }
            for k in 0..12 { for i in 0..12 { for j in 0..12 { reach[i][j] |= reach[i][k] && reach[k][j]; } } }
            for i in 0..12 { for j in 0..12 {
                prop_assert_eq!(rank[i] == rank[j], i == j || (reach[i][j] && reach[j][i]));
            } }
        }
    }
}
