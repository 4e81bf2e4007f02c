//! One network's solver at work, here or on another thread: what it is asked, and what it answers.

use crate::problem::Problem;
use crate::simulation::building::faulted::{self, Present};
use crate::simulation::building::{Conditions, Operation, Sets, State, SystemNetwork};
use crate::simulation::faults::{Fault, FaultKind, effect};
use crate::site::Slot;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// What a network is solved for. Two that are equal have one answer.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Ask {
    /// By drive: the value that sets; none: the model's.
    pub values: Vec<Option<f64>>,
    /// Faults at its elements, with how much of each is there.
    pub faults: Vec<(Slot, FaultKind, f64, f64)>,
}

impl Ask {
    /// The faults of an element at a moment, s; true while some of them are still growing, so that another moment is
    /// another ask.
    pub fn add(&mut self, slot: Slot, faults: &[Fault], now_s: f64) -> bool {
        let mut goes_on = false;
        for fault in faults {
            let amount = fault.amount(now_s);
            let over = fault.end_s.is_some_and(|end| now_s >= end);
            goes_on |= !over && (amount < fault.severity.min(1.0) || fault.end_s.is_some());
            if amount > 0.0 {
                // In steps: a fault that creeps makes its network anew a hundred times, not at each tick.
                let stepped = (amount * 100.0).ceil() / 100.0;
                self.faults.push((slot, fault.kind, stepped, fault.severity));
            }
        }
        goes_on
    }
}

/// The solver of a network with what it last found.
#[derive(Clone, Debug)]
pub struct Engine {
    operation: Operation,
    conditions: Conditions,
    /// The network as faults have changed it, and which did.
    faulty: Option<(Vec<Present>, Box<SystemNetwork>)>,
    /// Where each valve or damper sticks.
    stuck: Vec<(Slot, FaultKind, f64)>,
    /// Pressure of the healthy network, Pa.
    pressure_pa: Vec<f64>,
    /// What the last solve took.
    pub took: Duration,
    /// How many solves there were.
    pub solves: u64,
}

impl Engine {
    /// Makes a network ready, and solves it for its design.
    pub fn new(of: &SystemNetwork) -> Self {
        let mut engine = Self {
            operation: Operation::new(of),
            conditions: Conditions::design(of),
            faulty: None,
            stuck: Vec::new(),
            pressure_pa: Vec::new(),
            took: Duration::ZERO,
            solves: 0,
        };
        engine.solve(of, &Ask::default());
        engine
    }

    /// Solves from the last solution.
    pub fn solve(&mut self, of: &SystemNetwork, ask: &Ask) -> Arc<State> {
        let begin = Instant::now();
        self.conditions.reset(of);
        for (drive, value) in of.drives.iter().zip(&ask.values) {
            if let Some(value) = value {
                self.conditions.set(drive.sets, *value);
            }
        }
        // Speed and running may both be measured: what stands still by either stands still.
        for (drive, value) in of.drives.iter().zip(&ask.values) {
            if let (Sets::Running(_), Some(value)) = (drive.sets, value)
                && *value <= 0.5
            {
                self.conditions.set(drive.sets, *value);
            }
        }
        self.conditions.complete(of);
        let present = self.present(of, ask);
        self.change_network(of, &present);
        faulted::apply(of, &present, &mut self.conditions);
        let network = self.faulty.as_ref().map_or(of, |(_, network)| network);
        let state = Arc::new(self.operation.solve_for(network, &self.conditions).clone());
        if present.is_empty() {
            self.pressure_pa.clone_from(&state.pressure_pa);
        }
        self.solves += 1;
        self.took = begin.elapsed();
        state
    }

    /// What was found last.
    pub fn state(&self) -> &State {
        self.operation.state()
    }

    /// What a person should know of the network and of its last solve.
    pub fn problems(&self, of: &SystemNetwork) -> Vec<Problem> {
        self.operation.problems(of)
    }

    /// The faults of an ask; a valve sticks where it goes to from where it stood when it broke.
    fn present(&mut self, of: &SystemNetwork, ask: &Ask) -> Vec<Present> {
        self.stuck.retain(|(slot, kind, _)| ask.faults.iter().any(|f| (f.0, f.1) == (*slot, *kind)));
        let mut out = Vec::with_capacity(ask.faults.len());
        for &(slot, kind, amount, severity) in &ask.faults {
            let known = self.stuck.iter().find(|(s, k, _)| (*s, *k) == (slot, kind)).map(|(.., at)| *at);
            let stuck_at = known.unwrap_or_else(|| {
                let stood = faulted::stands_at(of, slot, &self.conditions).unwrap_or(1.0);
                effect::sticks_at(stood, severity)
            });
            if known.is_none() {
                self.stuck.push((slot, kind, stuck_at));
            }
            out.push(Present { slot, kind, amount, stuck_at });
        }
        out
    }

    /// Makes the solver anew where other faults change the network now; it begins from the last solution.
    fn change_network(&mut self, of: &SystemNetwork, present: &[Present]) {
        let now: Vec<Present> = present.iter().copied().filter(|p| faulted::changes_network(p.kind)).collect();
        let before = self.faulty.as_ref().map_or(&[][..], |(before, _)| before);
        if before == now {
            return;
        }
        self.faulty = (!now.is_empty()).then(|| {
            let network = faulted::changed(of, &now, &self.pressure_pa);
            (now, Box::new(network))
        });
        let last = self.operation.solver().solution().clone();
        self.operation = Operation::new(self.faulty.as_ref().map_or(of, |(_, network)| network));
        self.operation.solver_mut().begin_from(&last);
    }
}
