//! Many runs of one network that differ in what holds: what if more is drawn, a valve is turned, a pump slowed?
//!
//! All share topology, ordering and symbolic factor. On every core eight of them go beside one another, each
//! at its own time: whenever all eight want a linear system, their systems are factored and solved at once,
//! a number of one beside those of the others in a vector ([`super::lanes`]). Nothing passes between them, so
//! a run gives the same bits whatever runs beside it, and on any number of cores.

use super::lanes::{LANES, Pack};
use super::model::{Command, Network, NodeKind};
use super::periods::{Moment, Run, Timeline};
use super::solver::{Accuracy, Progress, Solver};
use std::ops::ControlFlow;
use std::sync::atomic::{AtomicUsize, Ordering};

/// How a run differs from the network as it is.
#[derive(Clone, Debug, PartialEq)]
pub struct WhatIf {
    /// Multiplies every demand.
    pub demand_multiplier: f64,
    /// Nodes whose own demands are multiplied besides, with how much.
    pub demands: Vec<(usize, f64)>,
    /// Links commanded otherwise at the beginning.
    pub commands: Vec<(usize, Command)>,
    /// Links set otherwise at the beginning, in the unit of their kind: speeds of pumps, settings of valves.
    pub settings: Vec<(usize, f64)>,
}

impl Default for WhatIf {
    /// The network as it is.
    fn default() -> Self {
        Self { demand_multiplier: 1.0, demands: Vec::new(), commands: Vec::new(), settings: Vec::new() }
    }
}

impl WhatIf {
    /// The network as it would be. Nodes and links that it does not have are passed over, and so are multipliers
    /// and settings that are no numbers.
    pub fn applied(&self, network: &Network) -> Network {
        let mut network = network.clone();
        if self.demand_multiplier.is_finite() {
            network.options.demand_multiplier *= self.demand_multiplier;
        }
        for &(node, factor) in self.demands.iter().filter(|(_, factor)| factor.is_finite()) {
            if let Some(NodeKind::Junction(junction)) = network.nodes.get_mut(node).map(|n| &mut n.kind) {
                junction.demands.iter_mut().for_each(|d| d.base *= factor);
            }
        }
        for &(link, command) in &self.commands {
            if let Some(link) = network.links.get_mut(link) {
                link.command = command;
            }
        }
        for &(link, setting) in self.settings.iter().filter(|(_, setting)| setting.is_finite()) {
            if let Some(link) = network.links.get_mut(link) {
                link.setting = setting;
            }
        }
        network
    }
}

/// Runs a network through its timeline once for each what-if, on so many threads. `solver` is the network's; it is
/// copied, not changed. `each` is called with every moment of every run, and what it has gathered is given back in
/// the order of the what-ifs; it may end its run.
///
/// A run that does not settle at a moment is begun anew there, as in [`super::periods::through`].
pub fn batch<T: Default + Send>(
    solver: &Solver,
    network: &Network,
    timeline: &Timeline,
    accuracy: Accuracy,
    what_ifs: &[WhatIf],
    threads: usize,
    each: impl Fn(usize, &mut T, Moment<'_>) -> ControlFlow<()> + Sync,
) -> Vec<T> {
    // Beside one another there is room for what has an entry in the factor only.
    let anew = (!solver.layout.loose.is_empty()).then(|| solver.anew(network));
    let solver = anew.as_ref().unwrap_or(solver);
    let next = AtomicUsize::new(0);
    let work = || {
        let mut pack = Pack::new(&solver.layout.shape);
        let mut done = Vec::new();
        loop {
            let first = next.fetch_add(LANES, Ordering::Relaxed);
            let Some(some) = what_ifs.get(first..(first + LANES).min(what_ifs.len())).filter(|s| !s.is_empty()) else {
                return done;
            };
            let networks: Vec<Network> = some.iter().map(|w| w.applied(network)).collect();
            let lanes = networks.iter().zip(first..).map(|(n, at)| Lane::new(at, n, timeline, solver, accuracy));
            together(lanes.collect(), &mut pack, &mut done, &each);
        }
    };
    let mut done: Vec<(usize, T)> = std::thread::scope(|scope| {
        let others: Vec<_> = (1..threads.max(1)).map(|_| scope.spawn(work)).collect();
        let mut done = work();
        for other in others {
            done.extend(other.join().unwrap_or_default());
        }
        done
    });
    done.sort_unstable_by_key(|(at, _)| *at);
    done.into_iter().map(|(_, gathered)| gathered).collect()
}

/// Takes a group of runs to their ends.
fn together<T>(
    mut lanes: Vec<Lane<'_, T>>,
    pack: &mut Pack,
    done: &mut Vec<(usize, T)>,
    each: &impl Fn(usize, &mut T, Moment<'_>) -> ControlFlow<()>,
) {
    loop {
        pack.clear();
        let mut any = false;
        for (place, lane) in lanes.iter_mut().enumerate() {
            lane.steps = lane.steps && lane.wants_step(each);
            if lane.steps {
                lane.solver.core.write_lane(&lane.solver.layout, pack, place);
                any = true;
            }
        }
        let Some(first) = lanes.first().filter(|_| any) else { break };
        let shape = &first.solver.layout.shape;
        pack.solve(shape);
        let mut again = false;
        for (place, lane) in lanes.iter_mut().enumerate().filter(|(_, lane)| lane.steps) {
            let Lane { solver, progress, .. } = lane;
            lane.moved = solver.core.read_lane(&solver.layout, pack, place, progress.relax);
            lane.second = solver.core.passes_on(progress.relax)
                && solver.core.imbalance(&solver.layout, None) > lane.accuracy.mass;
            if lane.second {
                solver.core.write_rest(&solver.layout, pack, place);
                again = true;
            }
        }
        if let Some(first) = lanes.first().filter(|_| again) {
            pack.solve_again(&first.solver.layout.shape);
        }
        for (place, lane) in lanes.iter_mut().enumerate().filter(|(_, lane)| lane.steps) {
            let Lane { solver, progress, second, .. } = lane;
            if *second {
                solver.core.read_lane(&solver.layout, pack, place, progress.relax);
            }
            solver.stepped(progress, true, lane.moved);
        }
    }
    done.extend(lanes.into_iter().map(|lane| (lane.at, lane.gathered)));
}

/// One run of a group.
struct Lane<'n, T> {
    at: usize,
    run: Run<'n>,
    solver: Solver,
    accuracy: Accuracy,
    progress: Progress,
    /// Changes of flow and flows in its last step.
    moved: (f64, f64),
    /// Whether that step has a second solve.
    second: bool,
    /// Whether this moment has been begun anew.
    anew: bool,
    /// Whether it goes on.
    steps: bool,
    gathered: T,
}

impl<'n, T: Default> Lane<'n, T> {
    fn new(at: usize, network: &'n Network, timeline: &'n Timeline, solver: &Solver, accuracy: Accuracy) -> Self {
        let mut solver = solver.clone();
        solver.reset();
        let mut run = Run::new(network, timeline);
        let steps = run.begin().is_some();
        let progress = solver.begin_steps(run.boundary(), accuracy);
        Self {
            at,
            run,
            solver,
            accuracy,
            progress,
            moved: (0.0, 0.0),
            second: false,
            anew: false,
            steps,
            gathered: T::default(),
        }
    }
}

impl<T> Lane<'_, T> {
    /// Goes on until a linear system is to be solved; false at the end of the run.
    fn wants_step(&mut self, each: &impl Fn(usize, &mut T, Moment<'_>) -> ControlFlow<()>) -> bool {
        while !self.solver.goes_on(&mut self.progress) {
            self.solver.end_steps(self.progress);
            if !self.solver.solution().converged && !self.anew {
                self.solver.reset();
                self.anew = true;
            } else {
                self.anew = false;
                if !self.run.switch(self.solver.solution()) {
                    let seconds = self.run.seconds();
                    let holds = self.run.advance(self.solver.solution());
                    let solution = self.solver.solution();
                    let moment = Moment { seconds, holds, solution, pumps: self.run.pumps() };
                    let goes_on = each(self.at, &mut self.gathered, moment).is_continue();
                    if !goes_on || holds == 0 || self.run.begin().is_none() {
                        return false;
                    }
                }
            }
            self.progress = self.solver.begin_steps(self.run.boundary(), self.accuracy);
        }
        true
    }
}

#[cfg(test)]
mod tests;
