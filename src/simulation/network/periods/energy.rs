//! What pumping takes: power, efficiency and cost, summed over the run.

use super::tanks::between;
use super::timeline::Timeline;
use crate::simulation::network::{Conventions, LinkKind, Network};
use serde::Serialize;

/// What a pump has taken.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct PumpUse {
    /// The pump.
    pub link: usize,
    /// How long it ran, h.
    pub hours: f64,
    /// Energy, kWh.
    pub kwh: f64,
    /// Water moved, m³.
    pub volume_m3: f64,
    /// Greatest power, kW.
    pub peak_kw: f64,
    /// Cost in the currency of the price.
    pub cost: f64,
    /// Efficiency times hours.
    efficiency_hours: f64,
    /// Power now, kW, and efficiency now.
    now: (f64, f64),
}

impl PumpUse {
    /// One that has not run.
    pub fn new(link: usize) -> Self {
        Self { link, ..Self::default() }
    }

    /// Mean efficiency while it ran, 0..1; nothing where it never did.
    pub fn efficiency(&self) -> Option<f64> {
        (self.hours > 0.0).then(|| self.efficiency_hours / self.hours)
    }

    /// Power now, kW.
    pub fn power_kw(&self) -> f64 {
        self.now.0
    }

    /// Notes what the pump does now: flow, m³/s, head across it, m, speed, and whether it runs.
    pub(super) fn look(
        &mut self,
        network: &Network,
        timeline: &Timeline,
        flow: f64,
        head_m: f64,
        speed: f64,
        runs: bool,
    ) {
        self.now = (0.0, 0.0);
        if !runs || !flow.is_finite() || !head_m.is_finite() {
            return;
        }
        let efficiency = efficiency_at(network, timeline, self.link, flow.abs(), speed);
        self.now = (pa_per_m(network) * head_m.abs() * flow.abs() / efficiency / 1000.0, efficiency);
    }

    /// Adds a step in which what was noted holds.
    pub(super) fn add(&mut self, network: &Network, timeline: &Timeline, flow: f64, seconds: i64, period: i64) {
        let (kw, efficiency) = self.now;
        if efficiency == 0.0 {
            return;
        }
        let hours = seconds as f64 / 3600.0;
        self.hours += hours;
        self.kwh += kw * hours;
        self.volume_m3 += flow.abs() * seconds as f64;
        self.peak_kw = self.peak_kw.max(kw);
        self.efficiency_hours += efficiency * hours;
        let energy = &timeline.energy;
        let own = energy.pumps.iter().find(|p| p.link == self.link);
        let price = own.and_then(|p| p.price).filter(|p| *p > 0.0).unwrap_or(energy.price);
        let pattern = own.and_then(|p| p.pattern).or(energy.pattern).and_then(|at| network.patterns.get(at));
        self.cost += price * pattern.map_or(1.0, |p| super::run::factor(p, period)) * kw * hours;
    }
}

/// Efficiency of a pump at a flow and speed, 0.01..1. At another speed than that of its curve it is
/// `1 - (1 - e) speed^-0.1` (Sarbu and Borza, Water Res. 32 (1998)).
pub fn efficiency_at(network: &Network, timeline: &Timeline, link: usize, flow: f64, speed: f64) -> f64 {
    let curve = match network.links.get(link).map(|l| &l.kind) {
        Some(LinkKind::Pump(pump)) => pump.efficiency.and_then(|at| network.curves.get(at)),
        _ => None,
    };
    let efficiency = match curve {
        Some(curve) if speed > 0.0 => {
            let at_full_speed = between(curve.points.iter().copied(), flow / speed);
            1.0 - (1.0 - at_full_speed) * speed.powf(-0.1)
        }
        _ => timeline.energy.efficiency,
    };
    efficiency.clamp(0.01, 1.0)
}

/// Pa of a metre of head; EPANET's own where heads are to be its.
fn pa_per_m(network: &Network) -> f64 {
    match network.options.conventions {
        Conventions::Exact => network.pa_per_m(),
        // A horsepower (745.7 W) lifts 8.814 ft³/s of water by a foot.
        Conventions::Epanet => network.fluid.specific_gravity * 745.7 / (8.814 * 0.3048_f64.powi(4)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::simulation::network::{Command, Pattern};
    use crate::simulation::network::{Curve, CurveKind, Link, Pump, PumpHead};

    #[test]
    fn power_energy_and_cost_by_hand() {
        let pump = Pump { head: PumpHead::Curve(0), efficiency: Some(0), pattern: None };
        let points = vec![(0.0, 0.4), (0.1, 0.8)];
        let network = Network {
            links: vec![Link {
                id: "p".into(),
                from: 0,
                to: 1,
                kind: LinkKind::Pump(pump),
                command: Command::Auto,
                setting: 1.0,
                head_gain: 0.0,
            }],
            curves: vec![Curve { id: "e".into(), kind: CurveKind::Efficiency, points }],
            patterns: vec![Pattern { id: "tariff".into(), factors: vec![1.0, 2.0] }],
            ..Network::default()
        };
        let mut timeline = Timeline::default();
        (timeline.energy.price, timeline.energy.pattern) = (0.1, Some(0));
        let mut used = PumpUse::new(0);
        used.look(&network, &timeline, 0.05, -20.0, 1.0, true);
        // 998.2 kg/m³ × 9.80665 m/s² × 20 m × 0.05 m³/s / 0.6 = 16.315 kW.
        assert!((used.power_kw() - 16.315).abs() < 1e-3, "{}", used.power_kw());
        used.add(&network, &timeline, 0.05, 7200, 1);
        assert!((used.kwh - 2.0 * 16.315).abs() < 1e-2 && (used.cost - 0.2 * used.kwh).abs() < 1e-12);
        assert!((used.efficiency().unwrap() - 0.6).abs() < 1e-12 && (used.volume_m3 - 360.0).abs() < 1e-9);
        used.look(&network, &timeline, 0.05, -20.0, 1.0, false);
        used.add(&network, &timeline, 0.05, 7200, 1);
        assert!((used.hours - 2.0).abs() < 1e-12);
        // At half speed the flow is that of twice as much, and the efficiency a little less.
        let slow = efficiency_at(&network, &timeline, 0, 0.05, 0.5);
        assert!((slow - (1.0 - 0.2 * 2f64.powf(0.1))).abs() < 1e-12);
    }
}
