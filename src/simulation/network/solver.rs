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

/// Solves that begin with a new factor after one in which an old one took more than two steps, where valves hold heads.
const PATIENCE: u32 = 64;

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
    /// Nodes with a fixed head, and the links that end at one.
    pub(super) sources: Vec<u32>,
    pub(super) beside: Vec<u32>,
    pub(super) in_core: Vec<bool>,
    pub(super) tanks: Vec<Option<Levels>>,
    /// Links that no flow can be worked out for.
    pub(super) broken: Vec<bool>,
    pub(super) now: Boundary,
    pub(super) zones: Zones,
    pub(super) references: Vec<Pin>,
    /// Nodes whose demand counts: neither fixed nor cut off.
    pub(super) takes: Vec<bool>,
    /// Whether the statuses of plain links stand in the solution as they are.
    pub(super) marked: bool,
    /// Whether every node has a head.
    pub(super) whole: bool,
    /// What each node takes, with all that hangs on it.
    pub(super) load: Vec<f64>,
    pub(super) start_flow: Vec<f64>,
    /// Chains with a shut row: the edge, the first and the last such row.
    pub(super) split: Vec<(u32, u32, u32)>,
    /// Whether what is closed or cut off has to be found anew.
    pub(super) stale: bool,
    pub(super) cold: bool,
    /// Whether links were put in or sized anew since the last solve.
    pub(super) put_in: bool,
    /// How many solves still begin with a new factor because an old one has not served where valves hold heads.
    pub(super) patience: u32,
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
        let (network, broken, problems) = check::check(network);
        Self::like(&network, broken, problems, None)
    }

    /// The solver of a network that has become another: pipes added, taken away, sized anew. It is ordered like
    /// this one as far as that serves, and begins from its solution. Nodes and links that are in both should
    /// stand in the same places: what is added comes last. What held there holds until the next solve.
    pub fn edited(&self, network: &Network) -> (Self, Vec<Problem>) {
        let (network, broken, problems) = check::check(network);
        match self.grown(&network, &broken) {
            Some(solver) => (solver, problems),
            None => self.ordered(&network, broken, problems),
        }
    }

    /// The solver of a network ordered like this one's, with an entry for every edge.
    pub(super) fn anew(&self, network: &Network) -> Self {
        let (network, broken, problems) = check::check(network);
        self.ordered(&network, broken, problems).0
    }

    fn ordered(&self, network: &Network, broken: Vec<bool>, problems: Vec<Problem>) -> (Self, Vec<Problem>) {
        let (mut solver, problems) = Self::like(network, broken, problems, Some(self));
        if self.solution.converged {
            solver.begin_from(&self.solution);
        }
        (solver, problems)
    }

    fn like(
        network: &Network,
        broken: Vec<bool>,
        mut problems: Vec<Problem>,
        old: Option<&Self>,
    ) -> (Self, Vec<Problem>) {
        let layout = Layout::new(network, old.map(|old| &old.layout)).unwrap_or_else(|| {
            problems.push(Problem::error(
                "network",
                "it is too large: its factor has more than 4 thousand million entries",
                "solve it in parts",
            ));
            Layout::default()
        });
        let solver = super::setup::build(network, layout, broken, old);
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
        let mut progress = self.first(accuracy, warm);
        while self.goes_on(&mut progress) {
            let renew = progress.renew || !self.core.current;
            // The first step takes up what has changed everywhere.
            let settle = progress.settles && progress.steps > 0;
            let moved = self.core.step(&self.layout, renew, settle, progress.relax);
            self.stepped(&mut progress, renew, moved);
        }
        self.last(progress);
    }

    /// Takes over what holds now, for steps that somebody else makes.
    pub(super) fn begin_steps(&mut self, boundary: &Boundary, accuracy: Accuracy) -> Progress {
        let warm = !self.cold;
        self.take(boundary);
        self.first(accuracy, warm)
    }

    /// What comes after steps that somebody else has made.
    pub(super) fn end_steps(&mut self, progress: Progress) {
        self.last(progress);
        self.finish();
        if self.solution.head_residual.is_nan() || self.solution.mass_residual.is_nan() {
            self.cold = true;
        }
    }

    fn first(&mut self, accuracy: Accuracy, warm: bool) -> Progress {
        let settles = std::mem::take(&mut self.put_in);
        let Self { layout, core, .. } = self;
        let old_factor = warm && core.current && (self.patience == 0 || core.pins.len() == self.references.len());
        self.patience = self.patience.saturating_sub(1);
        Progress {
            accuracy,
            warm,
            settles,
            old_factor,
            began_old: old_factor,
            dear: layout.shape.work as f64 > 12.0 * (layout.core_rows + layout.shape.entries()) as f64,
            renew: !old_factor,
            relax: 1.0,
            relative: f64::INFINITY,
            head: core.evaluate(layout),
            last: f64::INFINITY,
            mass: f64::NAN,
            steps: 0,
            factorisations: 0,
            converged: false,
        }
    }

    /// Whether another step is to be made: neither converged nor at the end of the trials. Lets what switches
    /// switch.
    pub(super) fn goes_on(&mut self, p: &mut Progress) -> bool {
        let Self { layout, core, switches, .. } = self;
        if p.steps >= self.trials || p.head.is_nan() {
            return false;
        }
        let near = p.head <= p.accuracy.head && (p.relative <= p.accuracy.relative || p.steps == 0 && p.warm);
        if near {
            p.mass = core.imbalance(layout, Some(&switches.sourced));
            if p.mass <= p.accuracy.mass {
                let changed =
                    switches.check(layout, core) || !switches.complete && switches.drop_unreached(layout, core);
                if !changed {
                    p.converged = true;
                    return false;
                }
                switches.apply(layout, core, &self.references);
                p.head = core.evaluate(layout);
                (p.last, p.renew) = (f64::INFINITY, true);
            }
        } else if p.steps >= 2 && p.steps.is_multiple_of(2) && p.steps <= 20 && switches.check(layout, core) {
            switches.apply(layout, core, &self.references);
            p.head = core.evaluate(layout);
            (p.last, p.renew) = (f64::INFINITY, true);
        }
        if p.steps > 15 && p.head > 0.5 * p.last {
            p.relax = 0.6;
        }
        true
    }

    /// Takes a step into account: the sums of changes of flow and of flows, and whether the factor was made
    /// anew for it.
    pub(super) fn stepped(&mut self, p: &mut Progress, renewed: bool, (changes, flows): (f64, f64)) {
        p.relative = changes / flows.max(1e-12);
        p.steps += 1;
        p.factorisations += usize::from(renewed);
        p.last = p.head;
        p.head = self.core.evaluate(&self.layout);
        // An old factor is kept while it serves.
        let share = p.head / p.last;
        if p.old_factor && p.steps == 1 {
            // The first step takes up what has changed; only the next tells how good the factor is.
            p.renew = false;
        } else if p.old_factor || !renewed {
            p.renew = share > GOOD_STEP && p.head * share > p.accuracy.head;
            p.old_factor = !p.renew;
        } else {
            p.renew = !(p.dear && share < QUADRATIC);
        }
    }

    fn last(&mut self, p: Progress) {
        if p.began_old && p.steps > 2 && self.core.pins.len() > self.references.len() {
            self.patience = PATIENCE;
        }
        let mass = if p.converged { p.mass } else { self.core.imbalance(&self.layout, None) };
        self.solution.iterations = p.steps;
        self.solution.factorisations = p.factorisations;
        self.solution.converged = p.converged;
        self.solution.mass_residual = mass;
        self.solution.head_residual = p.head;
        self.cold = false;
    }
}

/// Where a solve stands between two steps.
#[derive(Clone, Copy, Debug)]
pub(super) struct Progress {
    accuracy: Accuracy,
    warm: bool,
    /// Whether the few edges that are farthest from their laws are settled before each step.
    settles: bool,
    old_factor: bool,
    /// Whether it began with an old factor.
    began_old: bool,
    dear: bool,
    renew: bool,
    /// Share of a step that flows take.
    pub relax: f64,
    relative: f64,
    head: f64,
    last: f64,
    mass: f64,
    steps: usize,
    factorisations: usize,
    converged: bool,
}

#[cfg(test)]
mod tests;
