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
use super::loss::{Law, power_with_floor};
use super::power::{HW_EXPONENT, pow_less_one};

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
    /// Hazen–Williams coefficients of each row; nothing for other laws.
    pub r: Vec<f64>,
    /// Minor losses of each Hazen–Williams row.
    pub m: Vec<f64>,
    /// Rows of edges with Hazen–Williams, in stretches.
    pub stretches: Vec<(u32, u32)>,
    /// Rows of edges with any other law.
    pub others: Vec<u32>,
    /// Points of curves.
    pub points: Vec<(f64, f64)>,
    /// Demand taken along an edge before each row.
    pub offset: Vec<f64>,
    /// Flow of each row, along its link.
    pub row_flow: Vec<f64>,
    row_loss: Vec<f64>,
    row_slope: Vec<f64>,
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
    fresh: Vec<f64>,
    residual: Vec<f64>,
    /// Heads: unknowns by their place, then fixed ones.
    pub head: Vec<f64>,
    /// Demand at each unknown.
    pub load: Vec<f64>,
    right: Vec<f64>,
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
    factor: Factor,
    arch: pulp::Arch,
}

/// An evaluation, compiled for the vectors that the machine has.
struct Evaluate<'a> {
    core: &'a mut Core,
    layout: &'a Layout,
}

impl pulp::WithSimd for Evaluate<'_> {
    type Output = f64;

    #[inline(always)]
    fn with_simd<S: pulp::Simd>(self, _: S) -> f64 {
        self.core.evaluate_with(self.layout)
    }
}

impl Core {
    /// Room for a layout.
    pub fn new(layout: &Layout) -> Self {
        let (rows, edges, n) = (layout.link.len(), layout.edges.len(), layout.shape.n);
        Self {
            laws: vec![Law::Shut; rows],
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
            head: vec![0.0; layout.heads],
            load: vec![0.0; n],
            right: vec![0.0; layout.heads],
            dead: vec![false; n],
            factor: Factor::new(&layout.shape),
            arch: pulp::Arch::new(),
            ..Self::default()
        }
    }

    /// Losses and conductances at the flows; the largest head residual, m.
    pub fn evaluate(&mut self, layout: &Layout) -> f64 {
        let arch = self.arch;
        arch.dispatch(Evaluate { core: self, layout })
    }

    #[inline(always)]
    fn evaluate_with(&mut self, layout: &Layout) -> f64 {
        let rows = layout.core_rows;
        let (row_flow, offset, sign) = (&mut self.row_flow[..rows], &self.offset[..rows], &layout.sign[..rows]);
        for (((q, offset), sign), &edge) in row_flow.iter_mut().zip(offset).zip(sign).zip(&layout.edge) {
            *q = sign * (self.flow[edge as usize] - offset);
        }
        for &(first, end) in &self.stretches {
            let range = first as usize..end as usize;
            hazen_williams(
                &self.row_flow[range.clone()],
                &self.r[range.clone()],
                &self.m[range.clone()],
                &mut self.row_loss[range.clone()],
                &mut self.row_slope[range],
            );
        }
        for &row in &self.others {
            let row = row as usize;
            (self.row_loss[row], self.row_slope[row]) = self.laws[row].at(self.row_flow[row], &self.points);
        }
        let mut most = 0.0f64;
        for (id, edge) in layout.edges.iter().enumerate() {
            if self.held[id] {
                (self.residual[id], self.fresh[id]) = (0.0, 0.0);
                continue;
            }
            let rows = edge.first as usize..edge.end as usize;
            let (mut loss, mut slope) = (0.0, 0.0);
            for ((h, g), sign) in self.row_loss[rows.clone()].iter().zip(&self.row_slope[rows.clone()]).zip(&sign[rows])
            {
                loss += sign * h;
                slope += g;
            }
            let residual = self.head[edge.a as usize] - self.head[edge.b as usize] + self.gain[id] - loss;
            self.residual[id] = residual;
            self.fresh[id] = 1.0 / slope;
            // A residual that is no number must not pass for a small one.
            let size = residual.abs();
            most = if size <= most || most.is_nan() { most } else { size };
        }
        most
    }

    /// Works out the losses of the rows of leaves at their flows.
    pub fn leaf_losses(&mut self, layout: &Layout) {
        for row in layout.core_rows..layout.link.len() {
            self.row_loss[row] = self.laws[row].at(self.row_flow[row], &self.points).0;
        }
    }

    /// Loss of each row at its flow, along its link.
    pub fn losses(&self) -> &[f64] {
        &self.row_loss
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

    /// Largest imbalance of flow at an unknown, m³/s, zones left out not counted; with `sourced` only where
    /// it is true.
    pub fn imbalance(&mut self, layout: &Layout, sourced: Option<&[bool]>) -> f64 {
        let n = layout.shape.n;
        for (right, load) in self.right.iter_mut().zip(&self.load) {
            *right = -load;
        }
        for (id, edge) in layout.edges.iter().enumerate() {
            self.right[edge.a as usize] -= self.flow[id];
            self.right[edge.b as usize] += self.flow[id] - self.total[id];
        }
        let mut most = 0.0f64;
        for k in (0..n).filter(|&k| !self.dead[k] && sourced.is_none_or(|s| s[k])) {
            let size = self.right[k].abs();
            most = if size <= most || most.is_nan() { most } else { size };
        }
        most
    }

    /// One step, after [`Core::evaluate`]; with `renew` the matrix is made and factored again first. `relax`
    /// is the share of the step that flows take. Returns the sum of changes of flow and the sum of flows.
    pub fn step(&mut self, layout: &Layout, renew: bool, relax: f64) -> (f64, f64) {
        if renew || !self.current {
            self.assemble(layout);
        }
        self.right_side(layout);
        let n = layout.shape.n;
        self.factor.solve(&layout.shape, &mut self.right[..n]);
        self.follow(layout, relax)
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

    /// Moves heads and flows by the changes of heads.
    fn follow(&mut self, layout: &Layout, relax: f64) -> (f64, f64) {
        let n = layout.shape.n;
        for (head, change) in self.head.iter_mut().zip(&self.right[..n]) {
            *head += change;
        }
        let (mut changes, mut flows) = (0.0, 0.0);
        for (id, edge) in layout.edges.iter().enumerate() {
            let by_heads = self.residual[id] + self.right[edge.a as usize] - self.right[edge.b as usize];
            let change = relax * self.conductance[id] * by_heads;
            self.flow[id] += change;
            changes += change.abs();
            flows += self.flow[id].abs();
        }
        for &id in &self.machines {
            let id = id as usize;
            if !self.held[id] {
                let edge = &layout.edges[id];
                let by_heads = self.residual[id] + self.right[edge.a as usize] - self.right[edge.b as usize];
                let old = self.flow[id] - relax * self.conductance[id] * by_heads;
                self.flow[id] = self.flow[id].max(0.25 * old);
            }
        }
        self.balance_pins(layout);
        (changes, flows)
    }

    fn assemble(&mut self, layout: &Layout) {
        self.conductance.copy_from_slice(&self.fresh);
        let mut values = std::mem::take(&mut self.factor.values);
        values.fill(0.0);
        self.matrix(layout, &mut values);
        self.factor.values = values;
        self.factor.factorise(&layout.shape);
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

    /// Excess of flow at each unknown after the edges have followed their residuals.
    fn right_side(&mut self, layout: &Layout) {
        let n = layout.shape.n;
        for (right, load) in self.right.iter_mut().zip(&self.load) {
            *right = -load;
        }
        for (id, edge) in layout.edges.iter().enumerate() {
            let q = self.flow[id] + self.conductance[id] * self.residual[id];
            self.right[edge.a as usize] -= q;
            self.right[edge.b as usize] += q - self.total[id];
        }
        self.right[n..].fill(0.0);
        for pin in &self.pins {
            let k = pin.place as usize;
            let change = pin.head - self.head[k];
            for &id in &layout.around[layout.around_start[k] as usize..layout.around_start[k + 1] as usize] {
                let edge = &layout.edges[id as usize];
                let other = if edge.a as usize == k { edge.b } else { edge.a } as usize;
                if other < n && other != k {
                    self.right[other] += self.conductance[id as usize] * change;
                }
            }
        }
        for pin in &self.pins {
            self.right[pin.place as usize] = pin.head - self.head[pin.place as usize];
        }
        for k in (0..n).filter(|&k| self.dead[k]) {
            self.right[k] = 0.0;
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

#[inline(always)]
fn hazen_williams(flow: &[f64], r: &[f64], m: &[f64], loss: &mut [f64], slope: &mut [f64]) {
    let n = flow.len();
    let (r, m, loss, slope) = (&r[..n], &m[..n], &mut loss[..n], &mut slope[..n]);
    for i in 0..n {
        let size = flow[i].abs();
        (loss[i], slope[i]) = power_with_floor(r[i], HW_EXPONENT, m[i], size, flow[i], pow_less_one(size));
    }
}
