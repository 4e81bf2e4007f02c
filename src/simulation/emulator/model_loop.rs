//! A water loop as the model draws it: its pumps, machines and consumers with their valves.

use super::attached::Attached;
use crate::simulation::building::Part;
use crate::simulation::building::faulted::Present;
use crate::simulation::faults::FaultKind;
use crate::simulation::network::NodeKind;
use crate::site::Slot;

/// A consumer: its element, its link, and its control valve.
pub(super) type Consumer = (Slot, usize, Option<usize>);

/// A loop in a network of the model.
#[derive(Clone)]
pub(super) struct ModelLoop {
    pub net: Attached,
    pub pumps: Vec<usize>,
    pub machines: Vec<usize>,
    pub consumers: Vec<Consumer>,
    meter: Option<usize>,
    /// Between these the branch lies whose pressure the pumps hold: the one with the least at design.
    ends: (usize, usize),
    /// What it has at design, Pa.
    pub setpoint_pa: f64,
    struck: Vec<Present>,
    /// What stands in a fouled coil is told beside.
    told: Vec<Present>,
}

impl ModelLoop {
    /// From what was found in a network; none without a consumer that has a branch of its own.
    pub fn new(
        net: Attached,
        pumps: Vec<usize>,
        machines: Vec<usize>,
        consumers: Vec<Consumer>,
        meter: Option<usize>,
    ) -> Option<Self> {
        let mut least: Option<((usize, usize), f64)> = None;
        for (_, link, _) in &consumers {
            let ends = net.branch_ends(*link)?;
            let fall = net.fall_pa(ends.0, ends.1);
            if fall > 0.0 && least.is_none_or(|(_, old)| fall < old) {
                least = Some((ends, fall));
            }
        }
        let (ends, setpoint_pa) = least?;
        Some(Self { net, pumps, machines, consumers, meter, ends, setpoint_pa, struck: Vec::new(), told: Vec::new() })
    }

    /// Flow that a consumer is made for, m³/s.
    pub fn design_m3s(&self, branch: usize) -> f64 {
        let link = self.consumers.get(branch).map(|(_, l, _)| *l);
        link.and_then(|l| self.net.of().link_design_m3s.get(l).copied().flatten()).unwrap_or(1e-7).max(1e-7)
    }

    /// Forgets all faults; they are told anew.
    pub fn mend(&mut self) {
        self.struck.clear();
    }

    /// Tells of a fault at an element; what is narrow or leaks of equipment is the pipe that leads to it.
    pub fn strike(&mut self, slot: Slot, kind: FaultKind, amount: f64) {
        let slot = self.net.pipe_at(slot).unwrap_or(slot);
        self.struck.push(Present { slot, kind, amount, stuck_at: 0.0 });
    }

    /// Whether an element is in its network.
    pub fn has(&self, slot: Slot) -> bool {
        self.net.of().link_element.contains(&Some(slot))
    }

    /// How fast it flows in the pipe that an element is, or that leads to it, m/s.
    pub fn velocity_ms(&self, slot: Slot) -> f64 {
        self.net.velocity_ms(self.net.pipe_at(slot).unwrap_or(slot))
    }

    /// Whether it loses water.
    pub fn leaks(&self) -> bool {
        self.struck.iter().any(|p| p.kind == FaultKind::Leak && p.amount > 0.0)
    }

    /// Solves it with coils that are fouled so far.
    pub fn solve(&mut self, fouling: impl Iterator<Item = f64>) {
        self.told.clear();
        self.told.extend_from_slice(&self.struck);
        for ((slot, ..), amount) in self.consumers.iter().zip(fouling) {
            if amount > 0.0 {
                self.told.push(Present { slot: *slot, kind: FaultKind::CoilFouling, amount, stuck_at: 0.0 });
            }
        }
        self.net.solve(&self.told);
    }

    /// Heat that all its pipes lose for each degree they are warmer than what is around them, W/K: by their insulation.
    pub fn loss_w_k(&self) -> f64 {
        let of = self.net.of();
        let runs = of.link_part.iter().zip(&of.link_heat).filter(|(part, _)| **part == Part::Run);
        runs.map(|(_, heat)| heat.ua_w_k).sum()
    }

    /// Pressure over the branch with the least, Pa.
    pub fn across_pa(&self) -> f64 {
        self.net.fall_pa(self.ends.0, self.ends.1)
    }

    /// Flow of the meter, m³/s; none where the loop has none.
    pub fn meter_m3s(&self) -> Option<f64> {
        self.meter.map(|l| self.net.flow(l).abs())
    }

    /// What vessels and basins give more than they take, m³/s.
    pub fn made_up_m3s(&self) -> f64 {
        let network = &self.net.of().network;
        let held = |n: usize| network.nodes.get(n).is_some_and(|n| matches!(n.kind, NodeKind::Reservoir { .. }));
        let given = network.links.iter().enumerate().map(|(i, l)| match (held(l.from), held(l.to)) {
            (true, false) => self.net.flow(i),
            (false, true) => -self.net.flow(i),
            _ => 0.0,
        });
        given.sum::<f64>().max(0.0)
    }
}
