//! A network at work: solved for what is measured now, and for its design where nothing is.

use super::exchange::AirSide;
use super::{Part, Sets, State, SystemNetwork};
use crate::problem::Problem;
use crate::simulation::network::transport::{LinkHeat, MassFlow, NodeHeat, steady};
use crate::simulation::network::{Accuracy, Boundary, Command, Solver};
use crate::site::PointIndex;
use crate::site::graph::Domain;

/// Both residuals of a solve, m³/s and m.
const ACCURACY: f64 = 1e-8;
/// What is good enough where no more is to be had: what a valve that is all but shut would take at the flow of its
/// neighbours is so much that no head can be told finer.
const COARSE: Accuracy = Accuracy { mass: 1e-8, head: 1e-6, relative: f64::INFINITY };

/// Rounds of heat at the most, and what may still change in the last, K.
const EXCHANGES: usize = 4;
const SETTLED_K: f64 = 0.3;

/// What holds in a network at a moment.
#[derive(Clone, Debug, Default)]
pub struct Conditions {
    /// Demands, heads, commands, settings.
    pub boundary: Boundary,
    /// What each link does to the heat.
    pub link_heat: Vec<LinkHeat>,
    /// What comes in at each node.
    pub node_heat: Vec<NodeHeat>,
    /// The air at coils, by link.
    pub air: Vec<(usize, AirSide)>,
    /// What drives chillers, W, by the link of their condenser.
    pub driven_w: Vec<(usize, f64)>,
    /// What all of them take from what they chill, W.
    pub absorbed_w: Option<f64>,
    /// What dirt leaves of the conductance of links, 0..1.
    pub fouled: Vec<(usize, f64)>,
}

impl Conditions {
    /// What a network is designed for.
    pub fn design(of: &SystemNetwork) -> Self {
        let (link_heat, node_heat) = (of.link_heat.clone(), of.node_heat.clone());
        Self { boundary: of.design.clone(), link_heat, node_heat, ..Self::default() }
    }

    /// The same again, without allocation where it has had the room before.
    pub fn reset(&mut self, of: &SystemNetwork) {
        self.boundary.demand.clone_from(&of.design.demand);
        self.boundary.head.clone_from(&of.design.head);
        self.boundary.command.clone_from(&of.design.command);
        self.boundary.setting.clone_from(&of.design.setting);
        self.boundary.head_gain.clone_from(&of.design.head_gain);
        self.link_heat.clone_from(&of.link_heat);
        self.node_heat.clone_from(&of.node_heat);
        self.air.clear();
        self.driven_w.clear();
        self.absorbed_w = None;
        self.fouled.clear();
    }

    /// Lets a value set what it sets; a value that is no number changes nothing.
    pub fn set(&mut self, what: Sets, value: f64) {
        if !value.is_finite() {
            return;
        }
        match what {
            Sets::Position(link) => {
                if let Some(setting) = self.boundary.setting.get_mut(link) {
                    *setting = value.clamp(0.0, 1.0);
                }
            }
            Sets::Opposite(link) => {
                if let Some(setting) = self.boundary.setting.get_mut(link) {
                    *setting = 1.0 - value.clamp(0.0, 1.0);
                }
            }
            Sets::Speed(link) => {
                if let Some(setting) = self.boundary.setting.get_mut(link) {
                    *setting = value.max(0.0);
                }
                self.command(link, if value > 1e-3 { Command::Auto } else { Command::Closed });
            }
            Sets::Running(link) => self.command(link, if value > 0.5 { Command::Auto } else { Command::Closed }),
            Sets::Leaves(link) => {
                if let Some(heat) = self.link_heat.get_mut(link) {
                    heat.leaves_c = Some(value);
                }
            }
            Sets::Surroundings(link) => {
                if let Some(heat) = self.link_heat.get_mut(link) {
                    heat.ambient_c = value;
                }
            }
            Sets::Heat(link) => {
                if let Some(heat) = self.link_heat.get_mut(link) {
                    heat.heat_w = value;
                }
            }
            Sets::Drives(link) => self.driven_w.push((link, value)),
            Sets::Absorbed => self.absorbed_w = Some(value),
            Sets::Air(link, at) => {
                let known = self.air.iter().position(|(l, _)| *l == link);
                let place = known.unwrap_or_else(|| {
                    self.air.push((link, AirSide::default()));
                    self.air.len() - 1
                });
                if let Some((_, side)) = self.air.get_mut(place) {
                    side.set(at, value);
                }
            }
            Sets::Inlet(node) => {
                if let Some(heat) = self.node_heat.get_mut(node) {
                    heat.inlet_c = Some(value);
                }
            }
        }
    }

    /// Water that no machine wants goes through all of them: where every one of them rests, none is shut off.
    pub(super) fn leave_a_way(&mut self, of: &SystemNetwork) {
        for part in [Part::Source, Part::Condenser] {
            let own = || (0..of.link_part.len()).filter(|l| of.link_part.get(*l) == Some(&part));
            let shut = |l: usize| self.boundary.command.get(l) == Some(&Command::Closed);
            if own().all(shut) {
                own().for_each(|l| self.command(l, Command::Auto));
            }
        }
    }

    fn command(&mut self, link: usize, command: Command) {
        if let Some(own) = self.boundary.command.get_mut(link) {
            *own = command;
        }
    }
}

/// The solver of a network with what it last found. One belongs to one [`SystemNetwork`].
#[derive(Clone, Debug)]
pub struct Operation {
    solver: Solver,
    mass: MassFlow,
    now: Conditions,
    state: State,
    accuracy: Accuracy,
    problems: Vec<Problem>,
    heat_problems: Vec<Problem>,
}

impl Operation {
    /// Makes a network ready; see [`Operation::problems`] for what of it cannot be used.
    pub fn new(of: &SystemNetwork) -> Self {
        let (solver, problems) = Solver::new(&of.network);
        Self {
            solver,
            mass: MassFlow::new(&of.network),
            now: Conditions::design(of),
            state: State::default(),
            accuracy: Accuracy::both(ACCURACY),
            problems,
            heat_problems: Vec::new(),
        }
    }

    /// Solves with the values of points where they are known, with the design where not. Begins from the last
    /// solution.
    pub fn solve(&mut self, of: &SystemNetwork, values: &dyn Fn(PointIndex) -> Option<f64>) -> &State {
        let mut now = std::mem::take(&mut self.now);
        now.reset(of);
        for drive in &of.drives {
            if let Some(value) = values(drive.point) {
                now.set(drive.sets, value);
            }
        }
        // Speed and running may both be measured: what stands still by either stands still.
        for drive in &of.drives {
            if let (Sets::Running(_), Some(value)) = (drive.sets, values(drive.point))
                && value <= 0.5
            {
                now.set(drive.sets, value);
            }
        }
        now.complete(of);
        self.now = now;
        self.carry(of)
    }

    /// Solves for stated conditions, from the last solution.
    pub fn solve_for(&mut self, of: &SystemNetwork, conditions: &Conditions) -> &State {
        self.now.clone_from(conditions);
        self.carry(of)
    }

    /// When a solve may stop; both residuals within 1e-8 m³/s and m unless it is set, heads within
    /// 1e-6 m where a valve is all but shut.
    pub fn set_accuracy(&mut self, accuracy: Accuracy) {
        self.accuracy = accuracy;
    }

    /// What was found last.
    pub fn state(&self) -> &State {
        &self.state
    }

    /// The conditions of the last solve.
    pub fn conditions(&self) -> &Conditions {
        &self.now
    }

    /// What a person should know of the network and of its last solve.
    pub fn problems(&self, of: &SystemNetwork) -> Vec<Problem> {
        let mut all = self.problems.clone();
        all.extend(self.solver.solution().problems(&of.network));
        all.extend(self.heat_problems.iter().cloned());
        all
    }

    /// The solver, with heads, statuses and zones of the last solve.
    pub fn solver(&self) -> &Solver {
        &self.solver
    }

    /// The solver, to begin anew or from another solution.
    pub fn solver_mut(&mut self) -> &mut Solver {
        &mut self.solver
    }

    fn carry(&mut self, of: &SystemNetwork) -> &State {
        let Self { solver, mass, now, state, accuracy, .. } = self;
        let found = solver.solve(&now.boundary, *accuracy);
        let near = found.mass_residual <= COARSE.mass && found.head_residual <= COARSE.head;
        if !found.converged && near && *accuracy == Accuracy::both(ACCURACY) {
            solver.solve(&now.boundary, COARSE);
        }
        let solution = solver.solution();
        state.flow_m3s.clone_from(&solution.flow);
        state.pressure_pa.clear();
        let pa_per_m = of.network.pa_per_m();
        // The elevation of what holds a head is that head; its place says how high it stands.
        let place_z = |n: usize| of.node_place.get(n).copied().flatten().map(|p| p[2]);
        let node_z = |n: usize| if of.domain == Domain::Air { Some(0.0) } else { place_z(n) };
        state.pressure_pa.extend(
            solution
                .head
                .iter()
                .zip(&of.network.nodes)
                .enumerate()
                .map(|(n, (head, node))| (head - node_z(n).unwrap_or(node.elevation)) * pa_per_m),
        );
        for (i, link) in of.network.links.iter().enumerate() {
            let cut = |n: usize| solution.head.get(n).is_none_or(|h| h.is_nan());
            if cut(link.from)
                && cut(link.to)
                && let Some(flow) = state.flow_m3s.get_mut(i)
            {
                *flow = f64::NAN;
            }
        }
        state.velocity_ms.clear();
        state
            .velocity_ms
            .extend(state.flow_m3s.iter().zip(&of.link_area_m2).map(|(q, area)| area.map_or(f64::NAN, |a| q / a)));
        state.converged = solution.converged;
        state.iterations = solution.iterations;
        state.mass_residual_m3s = solution.mass_residual;
        state.head_residual_m = solution.head_residual;
        mass.set(&solution.flow, of.network.fluid.density);
        // What enters a link is what it was a solve ago; where that makes a difference, it is found again.
        state.node_c.resize(of.network.nodes.len(), of.node_heat.first().map_or(20.0, |n| n.start_c));
        let upstream = |state: &State, l: usize| {
            let link = of.network.links.get(l)?;
            let back = state.flow_m3s.get(l).is_some_and(|q| *q < 0.0);
            Some(if back { link.to } else { link.from })
        };
        let mut rounds = 0;
        let (heat, problems) = loop {
            rounds += 1;
            let cp_w_k = of.network.fluid.density * of.fluid.specific_heat_j_kg_k(of.mean_c());
            let flow_w_k =
                |l: usize| state.flow_m3s.get(l).map_or(0.0, |q| if q.is_finite() { q.abs() * cp_w_k } else { 0.0 });
            let entering =
                |nodes: &[f64], l: usize| upstream(state, l).and_then(|n| nodes.get(n).copied()).unwrap_or(20.0);
            now.exchange(of, flow_w_k, |l| entering(&state.node_c, l));
            let found = steady(&mass.flow(), &now.link_heat, &now.node_heat, &of.fluid);
            let asked = now.air.iter().map(|(l, _)| *l).chain(of.emitters.iter().map(|e| e.link));
            let moved = asked.map(|l| (entering(&found.0.node_c, l) - entering(&state.node_c, l)).abs());
            if rounds >= EXCHANGES || moved.fold(0.0, f64::max) < SETTLED_K {
                break found;
            }
            state.node_c.clone_from(&found.0.node_c);
        };
        state.heat_w.clear();
        state.heat_w.extend(heat.given_w.iter().zip(&heat.lost_w).map(|(given, lost)| given - lost));
        state.energy_closing_w = heat.closing_w;
        state.node_c = heat.node_c;
        state.leaving_c = heat.leaving_c;
        self.heat_problems = problems;
        &self.state
    }
}
