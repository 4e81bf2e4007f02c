//! The ducts of a unit as the model draws them: its fans, filter and dampers, and the dampers of its boxes.

use super::attached::Attached;
use crate::simulation::building::faulted::Present;
use crate::simulation::faults::FaultKind;
use crate::site::Slot;

/// A unit's ducts in a network of the model.
#[derive(Clone)]
pub(super) struct ModelDucts {
    net: Attached,
    /// All fans of the unit: they turn at the speed of the supply fan.
    fans: Vec<usize>,
    supply: usize,
    filter: Option<usize>,
    /// Control dampers, with whether each closes as far as the outdoor air's opens.
    dampers: Vec<(usize, bool)>,
    boxes: Vec<usize>,
    /// Where the pressure is held: behind the supply fan.
    node: usize,
    /// Pressure there at design, Pa.
    pub setpoint_pa: f64,
    /// Faults at its elements, as they were told since the last mending.
    struck: Vec<Present>,
}

impl ModelDucts {
    /// From what was found; none of the links need be there.
    pub fn new(
        net: Attached,
        fans: Vec<usize>,
        supply: usize,
        filter: Option<usize>,
        dampers: Vec<(usize, bool)>,
        boxes: Vec<usize>,
    ) -> Self {
        let node = net.of().network.links.get(supply).map_or(0, |l| l.to);
        let setpoint_pa = net.pressure_pa(node).max(50.0);
        Self { net, fans, supply, filter, dampers, boxes, node, setpoint_pa, struck: Vec::new() }
    }

    /// Where a box's damper stands.
    pub fn set_box(&mut self, number: usize, position: f64) {
        if let Some(link) = self.boxes.get(number) {
            self.net.set(*link, position);
        }
    }

    /// Where the outdoor air damper stands, and all that move with it.
    pub fn set_outdoor(&mut self, position: f64) {
        for (link, opposite) in &self.dampers {
            self.net.set(*link, if *opposite { 1.0 - position } else { position });
        }
    }

    /// Forgets all faults; they are told anew.
    pub fn mend(&mut self) {
        self.struck.clear();
    }

    /// Tells of a fault at an element; what is narrow of equipment is the duct that leads to it.
    pub fn strike(&mut self, slot: Slot, kind: FaultKind, amount: f64) {
        let slot = if kind == FaultKind::PipeBlockage { self.net.pipe_at(slot).unwrap_or(slot) } else { slot };
        self.struck.push(Present { slot, kind, amount, stuck_at: 0.0 });
    }

    /// How fast the air goes in a duct, m/s.
    pub fn velocity_ms(&self, slot: Slot) -> f64 {
        self.net.velocity_ms(slot)
    }

    /// Runs the fans at a speed, with a filter that is clogged so far.
    pub fn run(&mut self, speed: f64, clogged: f64) {
        for fan in &self.fans {
            self.net.turn(*fan, speed);
        }
        if speed <= 0.0 {
            return;
        }
        let struck = self.struck.len();
        let filter = self.filter.and_then(|l| self.net.of().link_element.get(l).copied().flatten());
        if let (Some(slot), true) = (filter, clogged > 0.0) {
            self.struck.push(Present { slot, kind: FaultKind::FilterClogging, amount: clogged, stuck_at: 0.0 });
        }
        self.net.solve(&self.struck);
        self.struck.truncate(struck);
    }

    /// Airflow of a box, m³/s.
    pub fn box_m3s(&self, number: usize) -> f64 {
        self.boxes.get(number).map_or(0.0, |l| self.net.flow(*l).max(0.0))
    }

    /// Airflow of the supply fan, m³/s.
    pub fn fan_m3s(&self) -> f64 {
        self.net.flow(self.supply).max(0.0)
    }

    /// Pressure behind the supply fan, Pa.
    pub fn static_pa(&self) -> f64 {
        self.net.pressure_pa(self.node).max(0.0)
    }

    /// Pressure over the filter, Pa.
    pub fn filter_pa(&self) -> f64 {
        self.filter.map_or(0.0, |l| self.net.drop_pa(l).max(0.0))
    }

    /// Pressure that the supply fan gives, Pa.
    pub fn rise_pa(&self) -> f64 {
        (-self.net.drop_pa(self.supply)).max(0.0)
    }

    /// Share of outdoor air in the supply air, 0..1; none where the unit has no damper that returns air.
    pub fn outdoor_share(&self) -> Option<f64> {
        let mut back = self.dampers.iter().filter(|(_, opposite)| *opposite).map(|(l, _)| *l).peekable();
        back.peek()?;
        let returned: f64 = back.map(|l| self.net.flow(l).max(0.0)).sum();
        let all = self.fan_m3s();
        Some(if all > 1e-6 { (1.0 - returned / all).clamp(0.0, 1.0) } else { 0.0 })
    }
}
