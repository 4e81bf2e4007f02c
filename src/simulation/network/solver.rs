//! The solver of a network: built once for a topology, then asked again and again.
//!
//! [`Solver::new`] reduces and orders; [`Solver::solve`] takes what holds now ([`Boundary`]) and finds heads
//! and flows by Newton's method (the global gradient method), from where it last stood. Demands, heads,
//! settings and commands change without a new ordering; other nodes or links need a new solver, which may
//! begin from the old one's solution ([`Solver::begin_from`]). A solve after the first allocates nothing.

use super::check;
use super::layout::Layout;
use super::links::LinkKind;
use super::loss::Laws;
use super::model::{Boundary, DemandModel, Network};
use super::newton::{Core, Pin};
use super::solution::Solution;
use super::status::Switches;
use super::zones::Zones;
use crate::problem::Problem;

/// Below this share of the last residual a step with an old factor is good enough to make another.
const GOOD_STEP: f64 = 0.2;
/// A residual that has fallen below this share of the last lets the next step keep its factor.
const QUADRATIC: f64 = 0.05;

/// When a solve may stop: all of its conditions together.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Accuracy {
    /// Largest imbalance at a node, m³/s.
    pub mass: f64,
    /// Largest difference between a link's loss and the heads at its ends, m.
    pub head: f64,
    /// Sum of changes of flow over the sum of flows, in the last step.
    pub relative: f64,
}

impl Accuracy {
    /// Both residuals within a value, m³/s and m.
    pub fn both(value: f64) -> Self {
        Self { mass: value, head: value, relative: f64::INFINITY }
    }

    /// The accuracy of an INP file: a relative change of flows, with both residuals within the same number.
    pub fn of_file(value: f64) -> Self {
        Self { mass: value, head: value, relative: value }
    }
}

/// A network made ready to be solved.
#[derive(Clone, Debug)]
pub struct Solver {
    pub(super) layout: Layout,
    pub(super) core: Core,
    pub(super) switches: Switches,
    pub(super) laws: Laws,
    pub(super) kinds: Vec<LinkKind>,
    pub(super) ends: Vec<(u32, u32)>,
    pub(super) demand_model: DemandModel,
    pub(super) reference_pressure: f64,
    pub(super) trials: usize,
    pub(super) elevation: Vec<f64>,
    pub(super) fixed: Vec<bool>,
    pub(super) in_core: Vec<bool>,
    pub(super) tanks: Vec<Option<Levels>>,
    /// Links that no flow can be worked out for.
    pub(super) broken: Vec<bool>,
    pub(super) now: Boundary,
    pub(super) zones: Zones,
    pub(super) references: Vec<Pin>,
    /// What each node takes, with all that hangs on it.
    pub(super) load: Vec<f64>,
    pub(super) start_flow: Vec<f64>,
    /// Chains with a shut row: the edge, the first and the last such row.
    pub(super) split: Vec<(u32, u32, u32)>,
    /// Whether what is closed or cut off has to be found anew.
    pub(super) stale: bool,
    pub(super) cold: bool,
    /// Flows of links and heads of nodes to begin the next solve from.
    pub(super) given: Option<Box<(Vec<f64>, Vec<f64>)>>,
    pub(super) solution: Solution,
}

/// Heads between which a tank both takes and gives, m.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Levels {
    /// Below it nothing flows out.
    pub low: f64,
    /// Above it nothing flows in.
    pub high: f64,
}

impl Solver {
    /// Makes a network ready. What cannot be used is reported and taken out of the flow: the rest solves.
    pub fn new(network: &Network) -> (Self, Vec<Problem>) {
        let (network, broken, mut problems) = check::check(network);
        let layout = Layout::new(&network).unwrap_or_else(|| {
            problems.push(Problem::error(
                "network",
                "it is too large: its factor has more than 4 thousand million entries",
                "solve it in parts",
            ));
            Layout::default()
        });
        let solver = super::setup::build(&network, layout, broken);
        (solver, problems)
    }

    /// The last solution.
    pub fn solution(&self) -> &Solution {
        &self.solution
    }

    /// Unknown heads and edges that a step works on, and multiply-adds of one factorisation.
    pub fn size(&self) -> (usize, usize, u64) {
        (self.layout.shape.n, self.layout.edges.len(), self.layout.shape.work)
    }

    /// Forgets flows, heads and statuses: the next solve begins anew.
    pub fn reset(&mut self) {
        self.cold = true;
    }

    /// Solves for what holds now. Runs from the last solution; the first time, or after
    /// [`Solver::reset`], from 0.3 m/s in every pipe. Values of the boundary that are no numbers are replaced
    /// by the last good ones and listed.
    pub fn solve(&mut self, boundary: &Boundary, accuracy: Accuracy) -> &Solution {
        let warm = !self.cold;
        self.take(boundary);
        self.iterate(accuracy, warm);
        self.finish();
        if self.solution.head_residual.is_nan() || self.solution.mass_residual.is_nan() {
            // Nothing of it is a fit beginning for the next.
            self.cold = true;
        }
        &self.solution
    }

    /// Begins the next solve from a solution of this or a like network: heads and flows by position, as far
    /// as they go, the usual beginning for what it does not have.
    pub fn begin_from(&mut self, old: &Solution) {
        self.given = Some(Box::new((old.flow.clone(), old.head.clone())));
        self.cold = true;
    }

    fn iterate(&mut self, accuracy: Accuracy, warm: bool) {
        let Self { layout, core, switches, .. } = self;
        let mut old_factor = warm && core.current && core.pins.len() == self.references.len();
        let dear = layout.shape.work as f64 > 12.0 * (layout.core_rows + layout.shape.entries()) as f64;
        let mut last = f64::INFINITY;
        let mut renew = !old_factor;
        let mut relax = 1.0;
        let mut relative = f64::INFINITY;
        let mut head = core.evaluate(layout);
        let (mut steps, mut factorisations) = (0, 0);
        let mut converged = false;
        let mut mass = f64::NAN;
        while steps < self.trials {
            let near = head <= accuracy.head && (relative <= accuracy.relative || steps == 0 && warm);
            if near {
                mass = core.imbalance(layout, Some(&switches.sourced));
                if mass <= accuracy.mass {
                    let changed =
                        switches.check(layout, core) || !switches.complete && switches.drop_unreached(layout, core);
                    if !changed {
                        converged = true;
                        break;
                    }
                    switches.apply(layout, core, &self.references);
                    head = core.evaluate(layout);
                    (last, renew) = (f64::INFINITY, true);
                }
            } else if steps >= 2 && steps % 2 == 0 && steps <= 20 && switches.check(layout, core) {
                switches.apply(layout, core, &self.references);
                head = core.evaluate(layout);
                (last, renew) = (f64::INFINITY, true);
            }
            if steps > 15 && head > 0.5 * last {
                relax = 0.6;
            }
            let renewing = renew || !core.current;
            let (changes, flows) = core.step(layout, renewing, relax);
            relative = changes / flows.max(1e-12);
            steps += 1;
            factorisations += usize::from(renewing);
            last = head;
            head = core.evaluate(layout);
            if head.is_nan() {
                break;
            }
            // An old factor is kept while it serves.
            let share = head / last;
            if old_factor && steps == 1 {
                // The first step takes up what has changed; only the next tells how good the factor is.
                renew = false;
            } else if old_factor || !renewing {
                renew = share > GOOD_STEP;
                old_factor = !renew;
            } else {
                renew = !(dear && share < QUADRATIC);
            }
        }
        if !converged {
            mass = core.imbalance(layout, None);
        }
        self.solution.iterations = steps;
        self.solution.factorisations = factorisations;
        self.solution.converged = converged;
        self.solution.mass_residual = mass;
        self.solution.head_residual = head;
        self.cold = false;
    }
}
