//! The order in which a network is laid out in memory: rows of links, edges of the core, slots of a matrix.

use super::links::{LinkKind, ValveKind};
use super::model::{DemandModel, Network, NodeKind};
use super::reduce::{Leaf, Piece, reduce};
use super::symbolic::Symbolic;
use std::sync::Arc;

/// Marks what is not there.
pub const NONE: u32 = u32::MAX;

/// An edge of the core with its places in the matrix.
#[derive(Clone, Copy, Debug)]
pub struct Place {
    /// Head it begins at: an unknown by its place in the elimination, then fixed heads.
    pub a: u32,
    /// Head it ends at.
    pub b: u32,
    /// First of its rows.
    pub first: u32,
    /// One past its last row.
    pub end: u32,
    /// Slot of the diagonal of `a`.
    pub diagonal_a: u32,
    /// Slot of the diagonal of `b`.
    pub diagonal_b: u32,
    /// Slot of the entry between them.
    pub between: u32,
}

/// What an outflow that depends on pressure follows.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum OutflowKind {
    /// `Q = c p^e`.
    Emitter {
        /// m³/s at one metre.
        c: f64,
        /// The exponent.
        e: f64,
        /// Whether it takes flow in.
        back: bool,
    },
    /// The node's demand by Wagner.
    Demand,
}

/// An outflow that depends on pressure: an edge from a node to a fixed head of its own.
#[derive(Clone, Copy, Debug)]
pub struct Outflow {
    /// The node.
    pub node: u32,
    /// Its edge.
    pub edge: u32,
    /// What it follows.
    pub kind: OutflowKind,
}

/// A link that switches by itself or holds its flow.
#[derive(Clone, Copy, Debug)]
pub struct Special {
    /// The link.
    pub link: u32,
    /// Its edge, which runs along the link.
    pub edge: u32,
}

/// Where everything of a network stands.
#[derive(Clone, Debug, Default)]
pub struct Layout {
    /// The factor's shape, which layouts may share.
    pub shape: Arc<Symbolic>,
    /// Edges of the core: chains first, then what is special, then outflows.
    pub edges: Vec<Place>,
    /// Ends of each edge: `a` and `b` of its place.
    pub ends: Vec<[u32; 2]>,
    /// Edges whose ends have no entry in the factor: a conductance between them is a correction of it.
    pub loose: Vec<u32>,
    /// How many edges are chains of plain links.
    pub chains: usize,
    /// How many edges, the first ones, are chains of one link: edge and row have one number.
    pub singles: usize,
    /// Edges of more than one row.
    pub long: Vec<u32>,
    /// Link of each row; rows of edges first, then those of leaves. Outflows have [`NONE`].
    pub link: Vec<u32>,
    /// 1 where a link runs along its edge (or from parent to leaf), -1 against it.
    pub sign: Vec<f64>,
    /// Node after each row along its edge.
    pub node: Vec<u32>,
    /// Row of each link; [`NONE`] for one from a node to itself.
    pub row: Vec<u32>,
    /// Edge of each row of an edge.
    pub edge: Vec<u32>,
    /// How many rows are of edges.
    pub core_rows: usize,
    /// Leaves, a node's children before the node; `row` is the row here.
    pub leaves: Vec<Leaf>,
    /// Head of each node in the core, [`NONE`] for the others.
    pub head: Vec<u32>,
    /// Node of each unknown.
    pub unknown: Vec<u32>,
    /// How many heads there are, fixed ones included.
    pub heads: usize,
    /// Diagonal slot of each unknown.
    pub diagonal: Vec<u32>,
    /// Where the edges around each unknown begin in `around`.
    pub around_start: Vec<u32>,
    /// Edges around each unknown.
    pub around: Vec<u32>,
    /// Outflows by pressure.
    pub outflows: Vec<Outflow>,
    /// Links that switch.
    pub specials: Vec<Special>,
}

/// Whether the loss of a link follows from its flow alone.
pub fn is_plain(kind: &LinkKind) -> bool {
    match kind {
        LinkKind::Pipe(pipe) => !pipe.check,
        LinkKind::Kv(valve) => !valve.check,
        LinkKind::Resistance(fixed) => !fixed.check,
        LinkKind::Duct(_) | LinkKind::Damper(_) | LinkKind::Leakage { .. } => true,
        LinkKind::Valve(valve) => matches!(
            valve.kind,
            ValveKind::Throttle
                | ValveKind::PressureBreaker
                | ValveKind::GeneralPurpose { .. }
                | ValveKind::PositionalControl { .. }
        ),
        LinkKind::Pump(_) | LinkKind::Fan(_) | LinkKind::FixedFlow => false,
    }
}

/// Outflows by pressure of a network, each with its node.
pub fn outflows(network: &Network) -> Vec<(u32, OutflowKind)> {
    let mut leak = vec![(0.0, 0.0); network.nodes.len()];
    let cd = 0.6 * (2.0 * network.gravity()).sqrt();
    let junction = |v: usize| matches!(network.nodes[v].kind, NodeKind::Junction(_));
    for link in &network.links {
        let LinkKind::Pipe(pipe) = &link.kind else { continue };
        let Some(leakage) = pipe.leak else { continue };
        // Half at either end, all of it at one where the other has a fixed head.
        let ends = [link.from, link.to].map(|v| if junction(v) { 1.0f64 } else { 0.0 });
        for (v, share) in [(link.from, ends[0]), (link.to, ends[1])] {
            let share = share / (ends[0] + ends[1]).max(1.0);
            leak[v].0 += share * cd * leakage.area * pipe.length;
            leak[v].1 += share * cd * leakage.expansion * pipe.length;
        }
    }
    let by_pressure = matches!(network.options.demand_model, DemandModel::PressureDriven { .. });
    let mut out = Vec::new();
    for (v, node) in network.nodes.iter().enumerate() {
        let NodeKind::Junction(junction) = &node.kind else { continue };
        let v32 = v as u32;
        if let Some(emitter) = junction.emitter.filter(|e| e.coefficient > 0.0) {
            let (e, back) = (network.options.emitter_exponent.max(1e-3), network.options.emitter_backflow);
            out.push((v32, OutflowKind::Emitter { c: emitter.coefficient, e, back }));
        }
        if leak[v].0 > 0.0 {
            out.push((v32, OutflowKind::Emitter { c: leak[v].0, e: 0.5, back: false }));
        }
        if leak[v].1 > 0.0 {
            out.push((v32, OutflowKind::Emitter { c: leak[v].1, e: 1.5, back: false }));
        }
        if by_pressure && !junction.demands.is_empty() {
            out.push((v32, OutflowKind::Demand));
        }
    }
    out
}

/// A shape that layouts may share, and where each unknown stands in it.
fn placed(mut shape: Symbolic) -> (Arc<Symbolic>, Vec<u32>) {
    let position = std::mem::take(&mut shape.position);
    (Arc::new(shape), position)
}

impl Layout {
    /// Lays a network out. Link ends must be nodes of it. `None` when it is too large to number. With the layout
    /// of a network that differs little, nodes in the same places, it is ordered like that.
    pub fn new(network: &Network, like: Option<&Layout>) -> Option<Self> {
        let mut out = Self::default();
        let by_pressure = outflows(network);
        let n = network.nodes.len();
        let fixed = |v: usize| !matches!(network.nodes[v].kind, NodeKind::Junction(_));
        let tank = |v: usize| matches!(network.nodes[v].kind, NodeKind::Tank(_));
        let mut keep: Vec<bool> = (0..n).map(fixed).collect();
        for (v, _) in &by_pressure {
            keep[*v as usize] = true;
        }
        let pieces: Vec<Piece> = network
            .links
            .iter()
            .map(|l| {
                let plain = is_plain(&l.kind) && !tank(l.from) && !tank(l.to);
                Piece { from: l.from as u32, to: l.to as u32, plain }
            })
            .collect();
        let reduced = reduce(&keep, &pieces);

        // Unknowns, ordered; then fixed heads.
        let mut number = vec![NONE; n];
        let mut unknowns = Vec::new();
        for &v in reduced.core.iter().filter(|&&v| !fixed(v as usize)) {
            number[v as usize] = unknowns.len() as u32;
            unknowns.push(v);
        }
        let pairs: Vec<(u32, u32)> = reduced
            .edges
            .iter()
            .map(|e| (number[e.a as usize], number[e.b as usize]))
            .filter(|&(a, b)| a != NONE && b != NONE && a != b)
            .collect();
        let (shape, position) = like
            .and_then(|like| like.shape_for(&unknowns, &pairs))
            .or_else(|| Symbolic::new(unknowns.len(), &pairs, None).map(placed))?;
        out.shape = shape;
        out.head = vec![NONE; n];
        out.unknown = vec![NONE; unknowns.len()];
        for (k, &v) in unknowns.iter().enumerate() {
            let place = position[k];
            out.head[v as usize] = place;
            out.unknown[place as usize] = v;
        }
        let mut heads = unknowns.len() as u32;
        for v in (0..n).filter(|&v| fixed(v)) {
            out.head[v] = heads;
            heads += 1;
        }

        // Chains in the order of elimination, then what switches, then outflows.
        // Chains of one link stand apart from longer ones, so that loops over either run evenly.
        let mut order: Vec<(bool, bool, u32, u32)> = Vec::with_capacity(reduced.edges.len());
        for (k, e) in reduced.edges.iter().enumerate() {
            let step = reduced.steps[e.first as usize];
            let special = !pieces[step.row as usize].plain;
            let ends = out.head[e.a as usize].min(out.head[e.b as usize]);
            order.push((special, e.end - e.first > 1, ends, k as u32));
        }
        order.sort_unstable();
        out.row = vec![NONE; network.links.len()];
        for (special, _, _, k) in order {
            let edge = reduced.edges[k as usize];
            let (mut a, mut b) = (edge.a, edge.b);
            let first = out.link.len() as u32;
            let id = out.edges.len() as u32;
            for step in &reduced.steps[edge.first as usize..edge.end as usize] {
                let (mut sign, mut node) = (step.sign, step.node);
                if special && sign < 0.0 {
                    (a, b) = (b, a);
                    (sign, node) = (1.0, b);
                }
                out.row[step.row as usize] = out.link.len() as u32;
                out.push_row(step.row, sign, node, id);
            }
            if special {
                out.specials.push(Special { link: out.link[first as usize], edge: id });
            } else {
                out.chains += 1;
                if edge.end - edge.first > 1 {
                    out.long.push(id);
                } else {
                    out.singles += 1;
                }
            }
            let (a, b) = (out.head[a as usize], out.head[b as usize]);
            out.push_edge(a, b, first);
        }
        for (node, kind) in by_pressure {
            let first = out.link.len() as u32;
            let edge = out.edges.len() as u32;
            out.push_row(NONE, 1.0, NONE, edge);
            out.push_edge(out.head[node as usize], heads, first);
            out.outflows.push(Outflow { node, edge, kind });
            heads += 1;
        }
        out.heads = heads as usize;
        out.core_rows = out.link.len();
        for leaf in reduced.leaves {
            let row = out.link.len() as u32;
            out.row[leaf.row as usize] = row;
            out.link.push(leaf.row);
            out.sign.push(leaf.sign);
            out.node.push(leaf.node);
            out.leaves.push(Leaf { row, ..leaf });
        }
        out.diagonal = (0..out.shape.n as u32).map(|k| out.shape.slot(k, k).unwrap_or(NONE)).collect();
        out.surroundings();
        Some(out)
    }

    /// The shape for these unknowns in the order of this layout, what is new first; nothing where that order
    /// would not serve. With it where each unknown stands.
    fn shape_for(&self, unknowns: &[u32], pairs: &[(u32, u32)]) -> Option<(Arc<Symbolic>, Vec<u32>)> {
        let n = self.shape.n as u32;
        let rank = |v: u32| self.head.get(v as usize).filter(|&&place| place < n).map_or(0, |place| place + 1);
        let mut before: Vec<(u32, u32)> = unknowns.iter().zip(0..).map(|(&v, k)| (rank(v), k)).collect();
        before.sort_unstable();
        let before: Vec<u32> = before.into_iter().map(|(_, k)| k).collect();
        let position: Vec<u32> = unknowns.iter().map(|&v| rank(v).wrapping_sub(1)).collect();
        if unknowns.len() == n as usize && position.iter().all(|&place| place < n) {
            let held = |&(i, j): &(u32, u32)| self.shape.slot(position[i as usize], position[j as usize]).is_some();
            if pairs.iter().all(held) {
                // Every entry has a place already.
                return Some((self.shape.clone(), position));
            }
        }
        let shape = Symbolic::new(unknowns.len(), pairs, Some(&before))?;
        (shape.work <= self.shape.work / 4 * 5 + 1000).then(|| placed(shape))
    }

    /// Of what a row is part: 0 an edge of one row, 1 another edge, 2 a leaf.
    pub fn part(&self, row: u32) -> usize {
        usize::from(row as usize >= self.singles) + usize::from(row as usize >= self.core_rows)
    }

    fn push_row(&mut self, link: u32, sign: f64, node: u32, edge: u32) {
        self.link.push(link);
        self.sign.push(sign);
        self.node.push(node);
        self.edge.push(edge);
    }

    fn push_edge(&mut self, a: u32, b: u32, first: u32) {
        self.edges.push(self.place(a, b, first, self.link.len() as u32));
        self.ends.push([a, b]);
    }

    /// An edge of some rows between two heads; loose where the factor has no entry for it.
    pub(super) fn place(&self, a: u32, b: u32, first: u32, end: u32) -> Place {
        let n = self.shape.n as u32;
        // One slot past the factor takes what belongs to no unknown.
        let nowhere = self.shape.entries() as u32;
        let slot = |i: u32, j: u32| {
            let inside = i < n && j < n && a != b;
            inside.then(|| self.shape.slot(i, j)).flatten().unwrap_or(nowhere)
        };
        let between = slot(a, b);
        if self.inner(a, b) && between == nowhere {
            return Place { a, b, first, end, diagonal_a: nowhere, diagonal_b: nowhere, between };
        }
        Place { a, b, first, end, diagonal_a: slot(a, a), diagonal_b: slot(b, b), between }
    }

    /// Whether two heads are two unknowns.
    pub(super) fn inner(&self, a: u32, b: u32) -> bool {
        a != b && a.max(b) < self.shape.n as u32
    }

    /// Finds the edges around each unknown.
    pub(super) fn surroundings(&mut self) {
        let n = self.shape.n;
        let mut start = vec![0u32; n + 1];
        let ends = |e: &Place| [e.a, e.b].into_iter().take(if e.a == e.b { 1 } else { 2 });
        for head in self.edges.iter().flat_map(ends).filter(|&h| (h as usize) < n) {
            start[head as usize + 1] += 1;
        }
        for k in 0..n {
            start[k + 1] += start[k];
        }
        let mut next = start.clone();
        let mut around = vec![0u32; start[n] as usize];
        for (id, edge) in self.edges.iter().enumerate() {
            for head in ends(edge).filter(|&h| (h as usize) < n) {
                around[next[head as usize] as usize] = id as u32;
                next[head as usize] += 1;
            }
        }
        (self.around_start, self.around) = (start, around);
    }
}
