//! Steps on the few edges that are farthest from their laws, the rest of the network taken as straight lines.
//!
//! After a pipe was put in it is a few edges around it that keep a step with an old factor, or with a new one, from
//! the solution: their flows change much or turn. What flows do to the heads at their ends is a small dense matrix
//! that comes from the factor, and Newton's method on it takes next to no time.

use super::correction::FEW;
use super::layout::Layout;
use super::newton::Core;

/// Edges with less than this share of the largest residual are left as they are.
const SHARE: f64 = 0.01;
/// Most steps on the few.
const TURNS: usize = 12;
/// What is left of their residuals when they are settled.
const SETTLED: f64 = 1e-3;

type Few = [f64; FEW];

impl Core {
    /// Moves the flows of the edges with the largest residuals to where all of them would follow their laws if all
    /// others went on as straight lines; after [`Core::evaluate`], with a factor that is current.
    pub fn settle(&mut self, layout: &Layout) {
        let (few, count) = self.farthest(layout);
        let few = &few[..count];
        let mut pairs = [[None; 2]; FEW];
        for (pair, &id) in pairs.iter_mut().zip(few) {
            *pair = self.free_ends(layout, id as usize);
        }
        let answers = self.factor.answers(&layout.shape, &pairs[..count]);
        let Some(found) = self.balanced(layout, few, &answers) else { return };
        for (&id, (flow, residual)) in few.iter().zip(found) {
            (self.flow[id as usize], self.residual[id as usize]) = (flow, residual);
        }
    }

    /// The chains with the largest residuals, and how many.
    fn farthest(&self, layout: &Layout) -> ([u32; FEW], usize) {
        let (mut ids, mut sizes, mut count) = ([0; FEW], [0.0; FEW], 0);
        let chains = &self.residual[..layout.chains];
        let mut least = SHARE * chains.iter().fold(0.0f64, |most, r| most.max(r.abs()));
        for (id, residual) in chains.iter().enumerate() {
            let size = residual.abs();
            if size <= least {
                continue;
            }
            count = FEW.min(count + 1);
            let mut at = count - 1;
            while at > 0 && sizes[at - 1] < size {
                (ids[at], sizes[at]) = (ids[at - 1], sizes[at - 1]);
                at -= 1;
            }
            (ids[at], sizes[at]) = (id as u32, size);
            if count == FEW {
                least = sizes[FEW - 1];
            }
        }
        (ids, count)
    }

    /// Flows and residuals of these edges where they follow their laws; `None` where none are found.
    ///
    /// A flow `q + z + g d` through an edge of conductance `g` in the factor takes `z` besides what the factor
    /// reckons with, so that the differences of heads change by `d = -R z`, `R` being the `answers`.
    fn balanced(&self, layout: &Layout, few: &[u32], answers: &[Few; FEW]) -> Option<[(f64, f64); FEW]> {
        let (mut z, mut now) = ([0.0; FEW], [(0.0, 0.0); FEW]);
        let (mut first, mut best) = (f64::INFINITY, (f64::INFINITY, now));
        for turn in 0..TURNS {
            let (mut matrix, mut right, mut most) = ([[0.0; FEW]; FEW], [0.0; FEW], 0.0f64);
            for (i, &id) in few.iter().enumerate() {
                let (id, [a, b]) = (id as usize, layout.ends[id as usize]);
                let g = self.conductance[id];
                let drop: f64 = -answers[i].iter().zip(&z).map(|(r, z)| r * z).sum::<f64>();
                let flow = self.flow[id] + z[i] + g * drop;
                let drive = self.head[a as usize] - self.head[b as usize] + self.gain[id];
                let (loss, slope) = self.loss(layout, id, flow);
                now[i] = (flow, drive - loss);
                right[i] = drive + drop - loss;
                most = if right[i].is_nan() { f64::NAN } else { most.max(right[i].abs()) };
                for (j, (to, r)) in matrix[i].iter_mut().zip(&answers[i]).enumerate() {
                    *to = r - slope * g * r + if i == j { slope } else { 0.0 };
                }
            }
            if turn == 0 {
                first = most;
            }
            if most < best.0 {
                best = (most, now);
            }
            if most.is_nan() || most < SETTLED * first {
                break;
            }
            eliminate(&mut matrix, &mut right, few.len());
            for (z, change) in z.iter_mut().zip(right) {
                *z += change;
            }
        }
        (best.0 < 0.5 * first).then_some(best.1)
    }
}

/// Solves a small system by elimination with the largest pivots; the solution is left in place of the right side.
fn eliminate(a: &mut [Few; FEW], b: &mut Few, n: usize) {
    for c in 0..n {
        let pivot = (c..n).max_by(|&i, &j| a[i][c].abs().total_cmp(&a[j][c].abs())).unwrap_or(c);
        a.swap(c, pivot);
        b.swap(c, pivot);
        let own = a[c];
        for i in c + 1..n {
            let share = a[i][c] / own[c];
            for (x, own) in a[i][c..].iter_mut().zip(&own[c..]) {
                *x -= share * own;
            }
            b[i] -= share * b[c];
        }
    }
    for c in (0..n).rev() {
        let sum: f64 = (c + 1..n).map(|j| a[c][j] * b[j]).sum();
        b[c] = (b[c] - sum) / a[c][c];
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::simulation::network::{Accuracy, Solver, grid};
    use proptest::prelude::*;

    #[test]
    fn a_few_edges_are_settled_at_once() {
        let network = grid::grid(8, 9, 4);
        let mut solver = Solver::new(&network).0;
        solver.solve(&network.boundary(), Accuracy::both(1e-9));
        let Solver { core, layout, .. } = &mut solver;
        // Flows that go around two meshes more than they should.
        for id in [20, 50] {
            core.flow[id] += 3e-3;
        }
        let before = core.evaluate(layout);
        core.step(layout, true, false, 1.0);
        let plain = core.evaluate(layout);
        let mut others = solver.clone();
        others.core.settle(&others.layout);
        others.core.step(&others.layout, false, false, 1.0);
        let settled = others.core.evaluate(&others.layout);
        let Solver { core, layout, .. } = &mut solver;
        core.step(layout, false, false, 1.0);
        let unsettled = core.evaluate(layout);
        assert!(plain < before && settled < 0.2 * unsettled, "{before} {plain} {settled} {unsettled}");
    }

    proptest! {
        #[test]
        fn a_small_system_is_solved(
            values in proptest::collection::vec(-1.0..1.0f64, FEW * FEW + FEW),
            n in 1..=FEW,
        ) {
            let mut a = [[0.0; FEW]; FEW];
            let mut b = [0.0; FEW];
            for i in 0..n {
                a[i][..n].copy_from_slice(&values[i * FEW..i * FEW + n]);
                a[i][(i + 1) % n] += 6.0;
                b[i] = values[FEW * FEW + i];
            }
            let mut x = b;
            eliminate(&mut a.clone(), &mut x, n);
            for i in 0..n {
                let sum: f64 = (0..n).map(|j| a[i][j] * x[j]).sum();
                prop_assert!((sum - b[i]).abs() < 1e-9);
            }
        }
    }
}
