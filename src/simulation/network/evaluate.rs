//! The loops of a step over all edges: losses at the flows, residuals, the right side, flows after the heads.
//!
//! What can be a vector is kept apart from what goes here and there in memory: differences of heads are gathered
//! first, and losses, conductances and residuals follow in passes over slices. An edge of one row has the row's
//! number, and its loss goes with the flow along it whichever way its link runs.

use super::layout::Layout;
use super::loss::power_with_floor;
use super::newton::Core;
use super::power::{HW_EXPONENT, pow_less_one};

/// A pass over the edges.
#[derive(Clone, Copy)]
enum Pass<'a> {
    Evaluate,
    Rows,
    Imbalance(Option<&'a [bool]>),
    Excess,
    Follow(f64),
}

/// A pass, compiled for the vectors that the machine has.
struct Over<'a> {
    core: &'a mut Core,
    layout: &'a Layout,
    pass: Pass<'a>,
}

impl pulp::WithSimd for Over<'_> {
    type Output = (f64, f64);

    #[inline(always)]
    fn with_simd<S: pulp::Simd>(self, _: S) -> (f64, f64) {
        let Self { core, layout, pass } = self;
        match pass {
            Pass::Evaluate => (core.evaluate_with(layout), 0.0),
            Pass::Rows => {
                core.rows_with(layout);
                (0.0, 0.0)
            }
            Pass::Imbalance(sourced) => (core.imbalance_with(layout, sourced), 0.0),
            Pass::Excess => {
                core.excess(layout, true);
                (0.0, 0.0)
            }
            Pass::Follow(relax) => core.follow_with(layout, relax),
        }
    }
}

impl Core {
    fn dispatch(&mut self, layout: &Layout, pass: Pass<'_>) -> (f64, f64) {
        let arch = self.arch;
        arch.dispatch(Over { core: self, layout, pass })
    }

    /// Losses and conductances at the flows; the largest head residual, m.
    pub fn evaluate(&mut self, layout: &Layout) -> f64 {
        self.dispatch(layout, Pass::Evaluate).0
    }

    #[inline(always)]
    fn evaluate_with(&mut self, layout: &Layout) -> f64 {
        let singles = layout.singles;
        for ((residual, gain), &[a, b]) in self.residual.iter_mut().zip(&self.gain).zip(&layout.ends) {
            *residual = self.head[a as usize] - self.head[b as usize] + gain;
        }
        self.row_flow[..singles].copy_from_slice(&self.flow[..singles]);
        let range = singles..layout.core_rows;
        let (offset, sign, edge) =
            (&self.offset[range.clone()], &layout.sign[range.clone()], &layout.edge[range.clone()]);
        for (((q, offset), sign), &edge) in self.row_flow[range].iter_mut().zip(offset).zip(sign).zip(edge) {
            *q = sign * (self.flow[edge as usize] - offset);
        }
        let mut most = 0;
        for part in 0..2 {
            for &(first, end) in &self.stretches[part] {
                let range = first as usize..end as usize;
                hazen_williams(
                    &self.row_flow[range.clone()],
                    &self.r[range.clone()],
                    &self.m[range.clone()],
                    &mut self.row_loss[range.clone()],
                    &mut self.row_slope[range],
                );
            }
        }
        for &row in &self.others[0] {
            let row = row as usize;
            let sign = layout.sign[row];
            let (loss, slope) = self.laws[row].at(sign * self.row_flow[row], &self.points);
            // As the flow here, along the edge.
            (self.row_loss[row], self.row_slope[row]) = (sign * loss, slope);
        }
        for &row in &self.others[1] {
            let row = row as usize;
            (self.row_loss[row], self.row_slope[row]) = self.laws[row].at(self.row_flow[row], &self.points);
        }
        most = residuals(
            &self.row_loss[..singles],
            &self.row_slope[..singles],
            &self.held[..singles],
            &mut self.residual[..singles],
            &mut self.fresh[..singles],
            most,
        );
        for (id, edge) in layout.edges.iter().enumerate().skip(singles) {
            if self.held[id] {
                (self.residual[id], self.fresh[id]) = (0.0, 0.0);
                continue;
            }
            let rows = edge.first as usize..edge.end as usize;
            let (mut loss, mut slope) = (0.0, 0.0);
            let both = self.row_loss[rows.clone()].iter().zip(&self.row_slope[rows.clone()]);
            for ((h, g), sign) in both.zip(&layout.sign[rows]) {
                loss += sign * h;
                slope += g;
            }
            self.residual[id] -= loss;
            self.fresh[id] = 1.0 / slope;
            most = size(self.residual[id]).max(most);
        }
        f64::from_bits(most.unsigned_abs())
    }

    /// Works out the losses of the rows of leaves at their flows, and the flows of single rows along their links.
    pub fn finish_rows(&mut self, layout: &Layout) {
        self.dispatch(layout, Pass::Rows);
        for &row in &self.others[2] {
            let row = row as usize;
            self.row_loss[row] = self.laws[row].at(self.row_flow[row], &self.points).0;
        }
    }

    /// Puts all heads into the right side, for want of a better place: of what is left out none.
    pub fn shown(&mut self, n: usize) {
        self.right.copy_from_slice(&self.head);
        for (shown, dead) in self.right[..n].iter_mut().zip(&self.dead) {
            *shown = if *dead { f64::NAN } else { *shown };
        }
    }

    /// Largest imbalance of flow at an unknown, m³/s, zones left out not counted; with `sourced` only where
    /// it is true.
    pub fn imbalance(&mut self, layout: &Layout, sourced: Option<&[bool]>) -> f64 {
        self.dispatch(layout, Pass::Imbalance(sourced)).0
    }

    /// Excess of flow at each unknown: of the flows as they are, or after they have followed their residuals.
    #[inline(always)]
    fn excess(&mut self, layout: &Layout, followed: bool) {
        for (right, load) in self.right.iter_mut().zip(&self.load) {
            *right = -load;
        }
        let moved = &mut self.moved;
        moved.copy_from_slice(&self.flow);
        if followed {
            for ((q, g), residual) in moved.iter_mut().zip(&self.conductance).zip(&self.residual) {
                *q += g * residual;
            }
        }
        let right = self.right.as_mut_slice();
        let singles = layout.singles;
        for (q, &[a, b]) in moved[..singles].iter().zip(&layout.ends) {
            right[a as usize] -= q;
            right[b as usize] += q;
        }
        for ((q, &[a, b]), total) in moved[singles..].iter().zip(&layout.ends[singles..]).zip(&self.total[singles..]) {
            right[a as usize] -= q;
            right[b as usize] += q - total;
        }
    }

    /// Excess of flow at each unknown after the edges have followed their residuals.
    pub(super) fn right_side(&mut self, layout: &Layout) {
        self.dispatch(layout, Pass::Excess);
        let n = layout.shape.n;
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
        for (right, dead) in self.right.iter_mut().zip(&self.dead) {
            *right = if *dead { 0.0 } else { *right };
        }
    }

    /// The flow that the heads at its ends drive through an edge, as near as a few of Newton's steps come, and the
    /// slope of its loss there. The drive falls by `rest` with every unit that the flow goes up from what it is.
    pub fn flow_between(&self, layout: &Layout, id: usize, start: f64, rest: f64) -> (f64, f64) {
        let edge = &layout.edges[id];
        let drive = self.head[edge.a as usize] - self.head[edge.b as usize] + self.gain[id] + rest * self.flow[id];
        let mut flow = start.abs() * drive.signum();
        for _ in 0..12 {
            let (loss, slope) = self.loss(layout, id, flow);
            flow += (drive - loss - rest * flow) / (slope + rest);
        }
        let flow = if flow.is_finite() { flow } else { self.flow[id] };
        (flow, self.loss(layout, id, flow).1)
    }

    /// The loss of an edge at a flow, and its slope.
    pub(super) fn loss(&self, layout: &Layout, id: usize, flow: f64) -> (f64, f64) {
        let edge = &layout.edges[id];
        let (mut loss, mut slope) = (0.0, 0.0);
        for row in edge.first as usize..edge.end as usize {
            let sign = layout.sign[row];
            let (h, g) = self.laws[row].at(sign * (flow - self.offset[row]), &self.points);
            (loss, slope) = (loss + sign * h, slope + g);
        }
        (loss, slope)
    }

    /// Multiplies all flows that are not held.
    pub fn scale_flows(&mut self, scale: f64) {
        for (flow, held) in self.flow.iter_mut().zip(&self.held) {
            *flow *= if *held { 1.0 } else { scale };
        }
    }

    /// Moves heads and flows by the changes of heads; the sum of changes of flow and the sum of flows.
    pub(super) fn follow(&mut self, layout: &Layout, relax: f64) -> (f64, f64) {
        let sums = self.dispatch(layout, Pass::Follow(relax));
        for &id in &self.machines {
            let id = id as usize;
            if !self.held[id] {
                let old = self.flow[id] - relax * self.conductance[id] * self.residual[id];
                self.flow[id] = self.flow[id].max(0.25 * old);
            }
        }
        self.balance_pins(layout);
        sums
    }

    #[inline(always)]
    fn rows_with(&mut self, layout: &Layout) {
        for &(first, end) in &self.stretches[2] {
            let range = first as usize..end as usize;
            hazen_williams(
                &self.row_flow[range.clone()],
                &self.r[range.clone()],
                &self.m[range.clone()],
                &mut self.row_loss[range.clone()],
                &mut self.row_slope[range],
            );
        }
        let singles = layout.singles;
        for ((q, flow), sign) in self.row_flow[..singles].iter_mut().zip(&self.flow).zip(&layout.sign) {
            *q = sign * flow;
        }
    }

    #[inline(always)]
    fn imbalance_with(&mut self, layout: &Layout, sourced: Option<&[bool]>) -> f64 {
        self.excess(layout, false);
        let n = layout.shape.n;
        let (right, dead) = (&self.right[..n], &self.dead[..n]);
        let mut most = 0;
        match sourced {
            Some(sourced) => {
                for ((&right, &dead), &sourced) in right.iter().zip(dead).zip(sourced) {
                    most = most.max(if dead | !sourced { 0 } else { size(right) });
                }
            }
            None => {
                for (&right, &dead) in right.iter().zip(dead) {
                    most = most.max(if dead { 0 } else { size(right) });
                }
            }
        }
        f64::from_bits(most.unsigned_abs())
    }

    #[inline(always)]
    fn follow_with(&mut self, layout: &Layout, relax: f64) -> (f64, f64) {
        let n = layout.shape.n;
        for (head, change) in self.head.iter_mut().zip(&self.right[..n]) {
            *head += change;
        }
        for (residual, &[a, b]) in self.residual.iter_mut().zip(&layout.ends) {
            *residual += self.right[a as usize] - self.right[b as usize];
        }
        flows(relax, &self.conductance, &self.residual, &mut self.flow)
    }
}

/// Moves flows by the differences of heads that are left; sums of changes and flows.
#[inline(always)]
fn flows(relax: f64, conductance: &[f64], by_heads: &[f64], flow: &mut [f64]) -> (f64, f64) {
    let n = flow.len();
    let (mut changes, mut sums) = ([0.0; 4], [0.0; 4]);
    let (g4, g) = conductance[..n].as_chunks::<4>();
    let (h4, h) = by_heads[..n].as_chunks::<4>();
    let (q4, q) = flow.as_chunks_mut::<4>();
    for ((q, g), h) in q4.iter_mut().zip(g4).zip(h4) {
        for i in 0..4 {
            let change = relax * g[i] * h[i];
            q[i] += change;
            changes[i] += change.abs();
            sums[i] += q[i].abs();
        }
    }
    for ((q, g), h) in q.iter_mut().zip(g).zip(h) {
        let change = relax * g * h;
        *q += change;
        changes[0] += change.abs();
        sums[0] += q.abs();
    }
    let sum = |s: [f64; 4]| (s[0] + s[1]) + (s[2] + s[3]);
    (sum(changes), sum(sums))
}

/// Residuals less the losses, and conductances; nothing where a flow is held. The largest of `most` and the
/// residuals' sizes.
#[inline(always)]
fn residuals(
    loss: &[f64],
    slope: &[f64],
    held: &[bool],
    residual: &mut [f64],
    conductance: &mut [f64],
    mut most: i64,
) -> i64 {
    let n = loss.len();
    let (slope, held, residual, conductance) = (&slope[..n], &held[..n], &mut residual[..n], &mut conductance[..n]);
    for i in 0..n {
        let left = if held[i] { 0.0 } else { residual[i] - loss[i] };
        residual[i] = left;
        conductance[i] = if held[i] { 0.0 } else { 1.0 / slope[i] };
        most = most.max(size(left));
    }
    most
}

/// Bits of a number's size, which rise with it; what is no number is more than any, so that it cannot pass for
/// a small one.
#[inline(always)]
fn size(x: f64) -> i64 {
    x.abs().to_bits() as i64
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
