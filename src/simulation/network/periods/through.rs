//! A whole run with a solver.

use super::energy::PumpUse;
use super::run::Run;
use super::timeline::Timeline;
use crate::simulation::network::{Accuracy, Boundary, Network, Solution, Solver};
use std::ops::ControlFlow;

/// A moment of a run.
#[derive(Clone, Copy, Debug)]
pub struct Moment<'a> {
    /// Seconds from the start.
    pub seconds: i64,
    /// How long it holds, s; 0 at the end.
    pub holds: i64,
    /// What holds.
    pub solution: &'a Solution,
    /// What each pump takes now, and has taken until the end of it.
    pub pumps: &'a [PumpUse],
}

/// Runs a network through its timeline, and calls `each` with every moment, which may end the run. Gives
/// back the run as it ended, with what the pumps took.
pub fn through<'n>(
    network: &'n Network,
    timeline: &'n Timeline,
    solver: &mut Solver,
    accuracy: Accuracy,
    mut each: impl FnMut(Moment<'_>) -> ControlFlow<()>,
) -> Run<'n> {
    let mut run = Run::new(network, timeline);
    while run.begin().is_some() {
        let seconds = run.seconds();
        settle(solver, run.boundary(), accuracy);
        while run.switch(solver.solution()) {
            settle(solver, run.boundary(), accuracy);
        }
        let holds = run.advance(solver.solution());
        if each(Moment { seconds, holds, solution: solver.solution(), pumps: run.pumps() }).is_break() || holds == 0 {
            break;
        }
    }
    run
}

/// Solves from the last moment; what does not settle from there is begun anew.
fn settle(solver: &mut Solver, boundary: &Boundary, accuracy: Accuracy) {
    if !solver.solve(boundary, accuracy).converged {
        solver.reset();
        solver.solve(boundary, accuracy);
    }
}
