//! A network of the model at work in the emulated building.
//!
//! It is the network that the twin solves too, as it was built: each resistance is off by up to [`AS_BUILT`] of what
//! the drawings say, by the seed. The building's own controls set its valves, dampers and speeds; faults change its
//! links ([`faulted`]). It is solved from the last solution, and not at all while nothing has moved.

use super::control::{hash, mix, unit_interval};
use super::hydraulics::{remember, still};
use crate::simulation::building::SystemNetwork;
use crate::simulation::building::faulted::{self, Present};
use crate::simulation::building::stands::links_of;
use crate::simulation::network::{Accuracy, Boundary, Command, LinkKind, Solver};
use crate::site::Slot;

/// How far a resistance may be off its drawing, as a share of it.
const AS_BUILT: f64 = 0.03;
/// What moves less than this share does not call for another solve.
const STILL: f64 = 3e-3;
/// Both residuals of a solve, m³/s and m.
const ACCURACY: f64 = 1e-6;

/// A network of the model with its solver.
#[derive(Clone)]
pub(super) struct Attached {
    built: SystemNetwork,
    present: Vec<Present>,
    solver: Solver,
    now: Boundary,
    solved: Option<Boundary>,
    /// Pressure at its nodes as designed, Pa: what the size of a leak follows from.
    pressure_pa: Vec<f64>,
    pa_per_m: f64,
}

impl Attached {
    /// A network as it was built, solved for its design; none where that does not solve.
    pub fn new(of: &SystemNetwork, seed: u64) -> Option<Self> {
        let built = as_built(of, seed);
        let (solver, _) = Solver::new(&built.network);
        let pa_per_m = built.network.pa_per_m();
        let mut attached = Self {
            now: built.design.clone(),
            built,
            present: Vec::new(),
            solver,
            solved: None,
            pressure_pa: Vec::new(),
            pa_per_m,
        };
        let solution = attached.solver.solve(&attached.now, Accuracy::both(ACCURACY));
        if !solution.converged {
            return None;
        }
        let heights = attached.built.network.nodes.iter().zip(&attached.built.node_place);
        attached.pressure_pa = solution
            .head
            .iter()
            .zip(heights)
            .map(|(head, (node, place))| (head - place.map_or(node.elevation, |p| p[2])) * pa_per_m)
            .collect();
        Some(attached)
    }

    /// The network, as built.
    pub fn of(&self) -> &SystemNetwork {
        &self.built
    }

    /// The setting of a link: a position, a speed.
    pub fn set(&mut self, link: usize, value: f64) {
        if let Some(place) = self.now.setting.get_mut(link) {
            *place = value;
        }
    }

    /// Pressure that a link takes or gives beside its own law, Pa.
    pub fn gain(&mut self, link: usize, pa: f64) {
        if let Some(place) = self.now.head_gain.get_mut(link) {
            *place = pa / self.pa_per_m;
        }
    }

    /// Whether anything passes a link.
    pub fn open(&mut self, link: usize, open: bool) {
        if let Some(place) = self.now.command.get_mut(link) {
            *place = if open { Command::Auto } else { Command::Closed };
        }
    }

    /// The speed of a pump or fan; at rest it is shut, as its check valve or damper is.
    pub fn turn(&mut self, link: usize, speed: f64) {
        self.set(link, speed);
        self.open(link, speed > 1e-3);
    }

    /// Where a control valve stands, and how far it leaks.
    pub fn stand(&mut self, link: usize, position: f64, leaking: f64) {
        let own = self.built.network.links.get(link).map(|l| &l.kind);
        let least = match own {
            Some(LinkKind::Kv(valve)) if leaking > 0.0 => faulted::leaking_position(valve, &self.built, leaking),
            _ => 0.0,
        };
        self.set(link, position.max(least));
    }

    /// Brings the flows up to how everything stands, with these faults at its elements.
    pub fn solve(&mut self, faults: &[Present]) {
        if self.present != faults {
            self.present.clear();
            self.present.extend_from_slice(faults);
            let last = self.solver.solution().clone();
            self.solver = if faults.is_empty() {
                Solver::new(&self.built.network).0
            } else {
                Solver::new(&faulted::changed(&self.built, faults, &self.pressure_pa).network).0
            };
            self.solver.begin_from(&last);
            self.solved = None;
        }
        if self.solved.as_ref().is_some_and(|old| still(old, &self.now, STILL)) {
            return;
        }
        self.solver.solve(&self.now, Accuracy::both(ACCURACY));
        if !self.solver.solution().converged {
            self.solver.reset();
        }
        remember(&mut self.solved, &self.now);
    }

    /// Flow of a link, m³/s.
    pub fn flow(&self, link: usize) -> f64 {
        self.solver.solution().flow.get(link).copied().filter(|q| q.is_finite()).unwrap_or(0.0)
    }

    /// How fast it flows in an element at the most, m/s.
    pub fn velocity_ms(&self, slot: Slot) -> f64 {
        let own = links_of(&self.built, slot);
        let speed = own.filter_map(|l| Some(self.flow(l).abs() / self.built.link_area_m2.get(l).copied()??));
        speed.fold(0.0, f64::max)
    }

    /// Pressure that falls from one node to another, Pa, without the column between them.
    pub fn fall_pa(&self, from: usize, to: usize) -> f64 {
        let head = |node: usize| self.solver.solution().head.get(node).copied().filter(|h| h.is_finite());
        head(from).zip(head(to)).map_or(0.0, |(a, b)| (a - b) * self.pa_per_m)
    }

    /// Pressure that falls over a link, Pa.
    pub fn drop_pa(&self, link: usize) -> f64 {
        self.built.network.links.get(link).map_or(0.0, |l| self.fall_pa(l.from, l.to))
    }

    /// Pressure at a node of an air network over the air around, Pa.
    pub fn pressure_pa(&self, node: usize) -> f64 {
        let head = self.solver.solution().head.get(node).copied().filter(|h| h.is_finite());
        head.unwrap_or(0.0) * self.pa_per_m
    }

    /// The nodes between which the branch of a link lies: where others join it, to both sides.
    pub fn branch_ends(&self, link: usize) -> Option<(usize, usize)> {
        let network = &self.built.network;
        let mut at: Vec<Vec<usize>> = vec![Vec::new(); network.nodes.len()];
        for (i, l) in network.links.iter().enumerate() {
            for node in [l.from, l.to] {
                at.get_mut(node)?.push(i);
            }
        }
        let own = network.links.get(link)?;
        let end = |start: usize| -> Option<usize> {
            let (mut node, mut from) = (start, link);
            for _ in 0..network.links.len() {
                let [a, b] = at.get(node)?.as_slice() else { break };
                let next = if *a == from { *b } else { *a };
                let l = network.links.get(next)?;
                node = if l.from == node { l.to } else { l.from };
                from = next;
            }
            Some(node)
        };
        Some((end(own.from)?, end(own.to)?))
    }

    /// The element of the pipe or duct that an element is, or that leads to it.
    pub fn pipe_at(&self, slot: Slot) -> Option<Slot> {
        let network = &self.built.network;
        let is_run =
            |i: usize| network.links.get(i).is_some_and(|l| matches!(l.kind, LinkKind::Pipe(_) | LinkKind::Duct(_)));
        let mut known: Vec<usize> = Vec::new();
        let own = |(i, s): (usize, &Option<Slot>)| (*s == Some(slot)).then_some(i);
        known.extend(self.built.link_element.iter().enumerate().filter_map(own));
        for next in 0..network.links.len() {
            let at = known.get(next).copied()?;
            if is_run(at) && self.built.link_element.get(at).copied().flatten().is_some() {
                return self.built.link_element.get(at).copied().flatten();
            }
            let l = network.links.get(at)?;
            let ends = [l.from, l.to];
            let beside =
                network.links.iter().enumerate().filter(|(_, o)| ends.contains(&o.from) || ends.contains(&o.to));
            for (i, _) in beside {
                if !known.contains(&i) {
                    known.push(i);
                }
            }
        }
        None
    }
}

/// A network whose resistances are off what was drawn.
fn as_built(of: &SystemNetwork, seed: u64) -> SystemNetwork {
    let mut out = of.clone();
    for link in &mut out.network.links {
        let factor = 1.0 + AS_BUILT * (2.0 * unit_interval(mix(seed, hash(&link.id))) - 1.0);
        match &mut link.kind {
            LinkKind::Pipe(pipe) => {
                pipe.length *= factor;
                pipe.minor *= factor;
            }
            LinkKind::Duct(duct) => {
                duct.length *= factor;
                duct.minor *= factor;
            }
            LinkKind::Resistance(r) => r.k *= factor,
            LinkKind::Kv(valve) => valve.kvs /= factor.sqrt(),
            LinkKind::Damper(damper) => damper.open_loss *= factor,
            _ => {}
        }
    }
    out
}
