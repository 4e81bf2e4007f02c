//! One step of the global gradient method on the core, and what it works on.
//!
//! Todini and Pilati, "A gradient algorithm for the analysis of pipe networks" (1988): with the flow of
//! each edge `q`, its loss `h(q)` and conductance `G = 1/h'(q)`, the heads solve
//! `A dH = excess(q + G r)`, `r = H_a - H_b + gain - h(q)`, and then `q ← q + G (r + dH_a - dH_b)`. In this
//! form of differences a conductance that is somewhat old still gives the right answer, only later, so a
//! factor may serve several steps.

use super::factor::Factor;
use super::lanes::{LANES, Pack};
use super::layout::{Layout, NONE};
use super::loss::Law;

/// How a zone without a source gives way to what it lacks, m³/(s·m); only in the matrix.
const TINY: f64 = 1e-8;

/// An unknown whose head is held.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Pin {
    /// The unknown.
    pub place: u32,
    /// Its head, m.
    pub head: f64,
    /// The edge whose flow makes up the balance there, or [`NONE`].
    pub edge: u32,
}

/// All numbers of the core.
#[derive(Clone, Debug, Default)]
pub struct Core {
    /// Law of each row.
    pub laws: Vec<Law>,
    /// Whether each row lets nothing through.
    pub shut: Vec<bool>,
    /// Head put in by the link of each row, along it.
    pub row_gain: Vec<f64>,
    /// Hazen–Williams coefficients of each row; nothing for other laws.
    pub r: Vec<f64>,
    /// Minor losses of each Hazen–Williams row.
    pub m: Vec<f64>,
    /// Rows with Hazen–Williams, in stretches: of edges of one row, of other edges, of leaves.
    pub stretches: [Vec<(u32, u32)>; 3],
    /// Rows with any other law: likewise.
    pub others: [Vec<u32>; 3],
    /// Points of curves.
    pub points: Vec<(f64, f64)>,
    /// Demand taken along an edge before each row.
    pub offset: Vec<f64>,
    /// Flow of each row, along its link.
    pub row_flow: Vec<f64>,
    pub(super) row_loss: Vec<f64>,
    pub(super) row_slope: Vec<f64>,
    /// Flow of each edge out of its beginning.
    pub flow: Vec<f64>,
    /// Demand taken along each edge.
    pub total: Vec<f64>,
    /// Head put in along each edge.
    pub gain: Vec<f64>,
    /// Whether an edge keeps its flow, whatever the heads.
    pub held: Vec<bool>,
    /// Conductances in the factor.
    pub conductance: Vec<f64>,
    pub(super) fresh: Vec<f64>,
    pub(super) residual: Vec<f64>,
    pub(super) moved: Vec<f64>,
    /// Heads: unknowns by their place, then fixed ones.
    pub head: Vec<f64>,
    /// Demand at each unknown.
    pub load: Vec<f64>,
    pub(super) right: Vec<f64>,
    /// Heads that are held.
    pub pins: Vec<Pin>,
    /// Unknowns in zones that are left out.
    pub dead: Vec<bool>,
    /// Unknowns at the held edges of zones without a source. The matrix lets them give way to what their zone
    /// lacks, so that their heads say which way the edges should open.
    pub feeble: Vec<u32>,
    /// Edges of pumps by power, whose flow must not fall too fast.
    pub machines: Vec<u32>,
    /// Whether the factor is of the pins, zones and held edges as they stand.
    pub current: bool,
    pub(super) factor: Factor,
    pub(super) arch: pulp::Arch,
}

impl Core {
    /// Room for a layout.
    pub fn new(layout: &Layout) -> Self {
        let (rows, edges, n) = (layout.link.len(), layout.edges.len(), layout.shape.n);
        Self {
            laws: vec![Law::Shut; rows],
            shut: vec![true; rows],
            row_gain: vec![0.0; rows],
            r: vec![0.0; rows],
            m: vec![0.0; rows],
            offset: vec![0.0; rows],
            row_flow: vec![0.0; rows],
            row_loss: vec![0.0; rows],
            row_slope: vec![0.0; rows],
            flow: vec![0.0; edges],
            total: vec![0.0; edges],
            gain: vec![0.0; edges],
            held: vec![false; edges],
            conductance: vec![0.0; edges],
            fresh: vec![0.0; edges],
            residual: vec![0.0; edges],
            moved: vec![0.0; edges],
            head: vec![0.0; layout.heads],
            load: vec![0.0; n],
            right: vec![0.0; layout.heads],
            dead: vec![false; n],
            factor: Factor::new(&layout.shape),
            arch: pulp::Arch::new(),
            ..Self::default()
        }
    }

    /// Takes a row, the next of its part, into the loop for its law.
    pub fn put_row(&mut self, part: usize, row: u32, hazen: bool) {
        if !hazen {
            self.others[part].push(row);
        } else if let Some(last) = self.stretches[part].last_mut().filter(|last| last.1 == row) {
            last.1 += 1;
        } else {
            self.stretches[part].push((row, row + 1));
        }
    }

    /// Lets the factor, if it is current, follow an edge that has another law: the edge begins with the flow that it
    /// would have if all others went on as straight lines. `start` is a flow of its size.
    pub fn change(&mut self, layout: &Layout, id: usize, start: f64) {
        let old = self.conductance[id];
        let ends = self.free_ends(layout, id);
        let (mut flow, mut slope) = self.flow_between(layout, id, start, 0.0);
        if self.current {
            let mut factor = std::mem::take(&mut self.factor);
            self.current = factor.correct(&layout.shape, ends, |answer| {
                // What the rest of the network answers to a flow through the edge.
                let rest = answer / (1.0 - old * answer).max(1e-9);
                (flow, slope) = self.flow_between(layout, id, start, rest);
                1.0 / slope - old
            });
            self.factor = factor;
        }
        (self.flow[id], self.conductance[id]) = (flow, 1.0 / slope);
    }

    /// The unknowns at the ends of an edge, but those that are held or left out.
    pub(super) fn free_ends(&self, layout: &Layout, id: usize) -> [Option<u32>; 2] {
        let pinned = |place: u32| self.pins.iter().any(|pin| pin.place == place);
        let free = |&place: &u32| self.dead.get(place as usize) == Some(&false) && !pinned(place);
        layout.ends[id].map(|place| Some(place).filter(free))
    }

    /// Stops the flow of every edge that ends at an unknown that is left out.
    pub fn hold_dead(&mut self, layout: &Layout) {
        let dead = |head: u32| self.dead.get(head as usize).copied().unwrap_or(false);
        for (id, edge) in layout.edges.iter().enumerate() {
            // A chain that is shut somewhere feeds its nodes from both ends: the other end may well live.
            if id < layout.chains && self.held[id] {
                continue;
            }
            if dead(edge.a) || dead(edge.b) {
                self.held[id] = true;
                self.flow[id] = 0.0;
                self.total[id] = 0.0;
            }
        }
        self.current = false;
    }

    /// One step, after [`Core::evaluate`]; with `renew` the matrix is made and factored again first, and with
    /// `settle` the few edges that are farthest from their laws are settled. `relax`
    /// is the share of the step that flows take. A step with an old factor is followed by a second solve where valves
    /// hold heads. Returns the sum of changes of flow and the sum of flows.
    pub fn step(&mut self, layout: &Layout, renew: bool, settle: bool, relax: f64) -> (f64, f64) {
        if renew || !self.current {
            self.assemble(layout);
        }
        if settle {
            self.settle(layout);
        }
        self.right_side(layout);
        let n = layout.shape.n;
        self.factor.solve(&layout.shape, &mut self.right[..n]);
        let sums = self.follow(layout, relax);
        if !renew && self.passes_on(relax) {
            self.rest(layout);
            self.factor.solve(&layout.shape, &mut self.right[..n]);
            self.follow(layout, relax);
        }
        sums
    }

    /// Whether valves hold heads after a whole step: what they pass is then known, but the flows before them do not
    /// follow yet, and a second solve with the same factor saves a step.
    pub fn passes_on(&self, relax: f64) -> bool {
        relax >= 1.0 && self.pins.iter().any(|pin| pin.edge != NONE)
    }

    /// The right side of the second solve: what is out of balance now that flows have followed.
    fn rest(&mut self, layout: &Layout) {
        self.residual.fill(0.0);
        self.right_side(layout);
    }

    /// Puts the right side of a second solve into a place of a pack.
    pub fn write_rest(&mut self, layout: &Layout, pack: &mut Pack, lane: usize) {
        self.rest(layout);
        for (x, right) in pack.x.iter_mut().zip(&self.right[..layout.shape.n]) {
            x[lane] = *right;
        }
    }

    /// Puts the matrix and the right side of a step into a place of a pack of equal networks, after
    /// [`Core::evaluate`].
    pub fn write_lane(&mut self, layout: &Layout, pack: &mut Pack, lane: usize) {
        self.conductance.copy_from_slice(&self.fresh);
        self.matrix(layout, &mut InLane { values: &mut pack.values, lane });
        self.current = false;
        self.right_side(layout);
        for (x, right) in pack.x.iter_mut().zip(&self.right[..layout.shape.n]) {
            x[lane] = *right;
        }
    }

    /// Takes the changes of heads from a place of a pack, and follows them.
    pub fn read_lane(&mut self, layout: &Layout, pack: &Pack, lane: usize, relax: f64) -> (f64, f64) {
        for (right, x) in self.right[..layout.shape.n].iter_mut().zip(&pack.x) {
            *right = x[lane];
        }
        self.follow(layout, relax)
    }

    fn assemble(&mut self, layout: &Layout) {
        self.conductance.copy_from_slice(&self.fresh);
        let mut values = std::mem::take(&mut self.factor.values);
        values.fill(0.0);
        self.matrix(layout, &mut values);
        self.factor.values = values;
        self.factor.factorise(&layout.shape);
        for &id in &layout.loose {
            let (ends, g) = (self.free_ends(layout, id as usize), self.conductance[id as usize]);
            self.factor.correct(&layout.shape, ends, |_| g);
        }
        self.current = true;
    }

    /// The matrix of the conductances, into places that are zero.
    fn matrix(&self, layout: &Layout, to: &mut impl Places) {
        for (edge, &g) in layout.edges.iter().zip(&self.conductance) {
            *to.at(edge.diagonal_a) += g;
            *to.at(edge.diagonal_b) += g;
            *to.at(edge.between) -= g;
        }
        for &place in &self.feeble {
            *to.at(layout.diagonal[place as usize]) += TINY;
        }
        for pin in &self.pins {
            let k = pin.place as usize;
            for &id in &layout.around[layout.around_start[k] as usize..layout.around_start[k + 1] as usize] {
                *to.at(layout.edges[id as usize].between) = 0.0;
            }
            *to.at(layout.diagonal[k]) = 1.0;
        }
        for k in (0..layout.shape.n).filter(|&k| self.dead[k]) {
            *to.at(layout.diagonal[k]) = 1.0;
        }
    }

    /// Flows of the valves that hold a head: what their node lacks.
    pub fn balance_pins(&mut self, layout: &Layout) {
        // A valve that feeds another takes part in its balance, so the pass is made as often as valves can
        // stand in a row.
        let passes = self.pins.iter().filter(|pin| pin.edge != NONE).count().min(4);
        for _ in 0..passes {
            for at in 0..self.pins.len() {
                let pin = self.pins[at];
                if pin.edge == NONE {
                    continue;
                }
                let k = pin.place as usize;
                let mut lack = self.load[k];
                for &id in &layout.around[layout.around_start[k] as usize..layout.around_start[k + 1] as usize] {
                    if id != pin.edge {
                        let edge = &layout.edges[id as usize];
                        if edge.a as usize == k {
                            lack += self.flow[id as usize];
                        }
                        if edge.b as usize == k {
                            lack -= self.flow[id as usize] - self.total[id as usize];
                        }
                    }
                }
                let ends_here = layout.edges[pin.edge as usize].b as usize == k;
                self.flow[pin.edge as usize] = if ends_here { lack } else { -lack };
            }
        }
    }
}

/// Where a matrix is put.
trait Places {
    /// The value at a slot.
    fn at(&mut self, slot: u32) -> &mut f64;
}

impl Places for Vec<f64> {
    #[inline(always)]
    fn at(&mut self, slot: u32) -> &mut f64 {
        &mut self[slot as usize]
    }
}

/// One place of a pack.
struct InLane<'a> {
    values: &'a mut [[f64; LANES]],
    lane: usize,
}

impl Places for InLane<'_> {
    #[inline(always)]
    fn at(&mut self, slot: u32) -> &mut f64 {
        &mut self.values[slot as usize][self.lane]
    }
}
