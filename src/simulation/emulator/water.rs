//! Water loops: chilled and heating water with their machines.
//!
//! Flows come from the loop's network ([`super::hydraulics`]). Heat goes with them: a loop has two volumes of water,
//! supply and return, and what the machines bring, the coils take, the pipes lose and a leak carries away is
//! exactly what its water gains. Chillers and boilers follow [`chiller`](crate::simulation::thermal::chiller)
//! and [`boiler`](crate::simulation::thermal::boiler).

use super::hydraulics::{Hydraulics, LoopDesign};
use super::machine::Machine;
use super::pump::{Pump, PumpGroup};
use crate::simulation::controls::Held;

/// Heat capacity of a cubic metre of water, J/(m³·K).
pub(super) const WATER_J_M3K: f64 = 4.18e6;
/// A machine runs and rests at least this long, seconds.
const LEAST_S: f64 = 1500.0;
/// Below this share of its capacity a machine is not needed.
const LEAST_LOAD: f64 = 0.06;
/// Water that makes up for a leak, °C.
const MAKE_UP_C: f64 = 12.0;
/// Share of the pumps' nominal flow that goes by the consumers.
const BYPASS: f64 = 0.2;

/// What a loop is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum LoopKind {
    Chilled,
    Heating,
    Condenser,
}

/// A chilled or a heating water loop.
#[derive(Clone, Debug)]
pub(super) struct WaterLoop {
    pub kind: LoopKind,
    pub pumps: PumpGroup,
    pub pipes: Hydraulics,
    pub machines: Vec<Machine>,
    /// The machine that starts first.
    pub lead: usize,
    pub supply_c: f64,
    pub return_c: f64,
    pub setpoint_c: f64,
    pub flow_m3s: f64,
    enabled: bool,
    wanted: Held,
    unwanted: Held,
    call: Held,
    more: Held,
    less: Held,
    /// Water in each of the two lumps, m³.
    lump_m3: f64,
    /// What meters have counted, J.
    pub energy_j: f64,
    /// Heat that the coils took (heating) or brought (chilled), W.
    pub meter_w: f64,
    /// All heat that has come into the water, J: what it holds must follow.
    #[cfg(test)]
    pub ledger_j: f64,
}

impl WaterLoop {
    /// A loop at rest, for consumers of these design powers.
    pub fn new(kind: LoopKind, pumps: Vec<Pump>, machines: Vec<Machine>, consumers: &[f64], counted_j: f64) -> Self {
        let design = LoopDesign { pumps: &pumps, machines: machines.len(), consumers, bypass: BYPASS };
        let pipes = Hydraulics::plain(&design);
        let pumps = PumpGroup::of(pumps);
        let capacity_w: f64 = machines.iter().map(|m| m.design_w).sum();
        let flow = pumps.pumps.iter().map(|p| p.nominal_m3s).fold(1e-4, f64::max);
        // Water for a quiet plant: 12 L/kW with its buffer, and never less than 20 s of flow a lump.
        let lump_m3 = (6e-6 * capacity_w).max(40.0 * flow);
        let water_c = if kind == LoopKind::Chilled { 9.0 } else { 45.0 };
        Self {
            kind,
            pumps,
            pipes,
            machines,
            lead: 0,
            supply_c: water_c,
            return_c: water_c,
            setpoint_c: if kind == LoopKind::Chilled { 7.0 } else { 55.0 },
            flow_m3s: 0.0,
            enabled: false,
            wanted: Held::default(),
            unwanted: Held::default(),
            call: Held::default(),
            more: Held::default(),
            less: Held::default(),
            lump_m3,
            energy_j: counted_j,
            meter_w: 0.0,
            #[cfg(test)]
            ledger_j: 0.0,
        }
    }

    /// Heat that all its water holds above 0 °C, J.
    #[cfg(test)]
    pub fn content_j(&self) -> f64 {
        self.lump_m3 * WATER_J_M3K * (self.supply_c + self.return_c)
    }

    /// How much of the asked flow is there, 0..1: coils get no heat from water that stands.
    pub fn available(&self) -> f64 {
        let nominal = self.pumps.pumps.get(self.pumps.duty).map_or(1e-4, |p| p.nominal_m3s);
        // Pipes of the model have no bypass: what little flows there reaches whom it is meant for.
        let least = if self.pipes.model().is_some() { 0.005 } else { 0.1 };
        (self.flow_m3s / (least * nominal)).clamp(0.0, 1.0)
    }

    /// Runs for `dt_s`. `most_open` is the command of the consumers' valve that is open most, `coils_w` the heat
    /// that the coils bring into the water, `condenser_c` the water that enters the chillers' condensers.
    pub fn step(&mut self, dt_s: f64, most_open: f64, coils_w: f64, ambient_c: f64, condenser_c: f64) {
        let on = self.wanted.step(most_open > 0.05, 15.0, dt_s);
        let off = self.unwanted.step(most_open < 0.02, 1800.0, dt_s);
        self.enabled = if self.enabled { !off } else { on };
        let called = self.machines.iter().any(|m| m.called);
        for (i, machine) in self.machines.iter().enumerate() {
            // Without any at work the water goes through the one that starts first.
            // So it does in pipes of the model through all of them: none is shut off.
            let alone = i == self.lead || self.pipes.model().is_some();
            self.pipes.open_machine(i, machine.called || (!called && alone));
        }
        self.flow_m3s = self.pumps.step(self.enabled, &mut self.pipes, dt_s);
        self.stage(dt_s);

        let mut machines_w = 0.0;
        let required = self.required_w();
        let capacity: f64 = self.machines.iter().filter(|m| m.running).map(|m| m.design_w).sum();
        let load = if capacity > 0.0 { required / capacity } else { 0.0 };
        for (i, machine) in self.machines.iter_mut().enumerate() {
            let flow_w_k = WATER_J_M3K * self.pipes.machine_m3s(i);
            machine.step(dt_s, load, flow_w_k, self.return_c, ambient_c, condenser_c);
            machines_w += machine.heat_w;
        }

        let sign = if self.kind == LoopKind::Chilled { -1.0 } else { 1.0 };
        let (back_w_k, leak_w_k) = (WATER_J_M3K * self.pipes.return_m3s(), WATER_J_M3K * self.pipes.leak_m3s());
        let j_k = self.lump_m3 * WATER_J_M3K;
        // Pipes lose to the building around them: by their insulation, half of it on the way there and half on the way
        // back; where nobody drew them, with a time constant of a day and a half.
        let loss_w_k = self.pipes.model().map_or(j_k / 130_000.0, |m| 0.5 * m.loss_w_k());
        let supply_w = back_w_k * (self.return_c - self.supply_c)
            + leak_w_k * (MAKE_UP_C - self.supply_c)
            + machines_w
            + loss_w_k * (ambient_c - self.supply_c);
        let return_w = back_w_k * (self.supply_c - self.return_c) + coils_w + loss_w_k * (ambient_c - self.return_c);
        self.supply_c += supply_w * dt_s / j_k;
        self.return_c += return_w * dt_s / j_k;
        #[cfg(test)]
        {
            self.ledger_j += (supply_w + return_w) * dt_s;
        }
        self.meter_w = back_w_k * (self.return_c - self.supply_c) * -sign;
        self.energy_j += self.meter_w.max(0.0) * dt_s;
    }

    /// Heat that brings the flow to the setpoint and the lump with it, W, positive when there is a need.
    fn required_w(&self) -> f64 {
        let flow_w_k = WATER_J_M3K * self.flow_m3s;
        let need_w = flow_w_k * (self.setpoint_c - self.return_c)
            + self.lump_m3 * WATER_J_M3K * (self.setpoint_c - self.supply_c) / 900.0;
        if self.kind == LoopKind::Chilled { -need_w } else { need_w }
    }

    /// How far the supply is on the wrong side of its setpoint, K.
    fn short_k(&self) -> f64 {
        if self.kind == LoopKind::Chilled { self.supply_c - self.setpoint_c } else { self.setpoint_c - self.supply_c }
    }

    fn stage(&mut self, dt_s: f64) {
        let flowing = self.enabled && self.available() > 0.9;
        let required = self.required_w();
        let short_k = self.short_k();
        let deadband_k = if self.kind == LoopKind::Chilled { 1.5 } else { 4.0 };
        let called_w: f64 = self.machines.iter().filter(|m| m.called).map(|m| m.design_w).sum();
        let call = self.call.step(short_k > deadband_k, 60.0, dt_s);
        let more = self.more.step(called_w > 0.0 && short_k > deadband_k && required > 0.95 * called_w, 900.0, dt_s);
        let count = self.machines.iter().filter(|m| m.called).count();
        let less = self.less.step(count > 1 && required < 0.4 * called_w, 900.0, dt_s);
        let lead = self.lead;
        let lead_on = self.machines.get(lead).is_some_and(|m| m.called);
        let mut changed = false;
        for (i, machine) in self.machines.iter_mut().enumerate() {
            let rested = machine.since_s >= LEAST_S;
            let low = machine.low.step(required < LEAST_LOAD * machine.design_w, 600.0, dt_s);
            let fault = machine.short_cycling > 0.0;
            let next = if !flowing {
                false
            } else if i == lead {
                if machine.called { fault || !(low && rested) } else { fault || (call && rested) }
            } else if machine.called {
                !rested || (lead_on && !less)
            } else {
                more && lead_on && rested && !changed
            };
            if next != machine.called {
                changed |= i != lead;
                machine.call(next);
            }
            machine.decide(dt_s);
        }
        if changed {
            self.more = Held::default();
            self.less = Held::default();
        }
    }

    /// Makes a machine the one that starts first.
    pub fn lead_with(&mut self, machine: usize) {
        if self.lead != machine {
            if let Some(before) = self.machines.get_mut(self.lead) {
                before.call(false);
            }
            self.lead = machine;
            if let Some(next) = self.machines.get_mut(machine) {
                next.since_s = 1e9;
            }
        }
    }

    pub fn power_w(&self) -> f64 {
        self.pumps.power_w() + self.machines.iter().map(|m| m.power_w).sum::<f64>()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(kind: LoopKind) -> WaterLoop {
        let pump = || Pump::new(0.006, 140e3, 190e3, 50e3 / 0.000_036, 1400.0);
        let machine =
            || if kind == LoopKind::Chilled { Machine::chiller(90e3, 5.0) } else { Machine::boiler(90e3, 0.95) };
        WaterLoop::new(kind, vec![pump(), pump()], vec![machine(), machine()], &[1.0], 0.0)
    }

    fn chilled() -> WaterLoop {
        of(LoopKind::Chilled)
    }

    /// Starts of all machines within `hours` at a load of `load_w`.
    fn run(water: &mut WaterLoop, hours: usize, load_w: f64) -> Vec<usize> {
        let mut starts = vec![0; water.machines.len()];
        let mut before = vec![false; water.machines.len()];
        for _ in 0..hours * 720 {
            // Coils take what they can from water that flows.
            let coils_w = load_w * water.available();
            water.pipes.set_valve(0, (load_w.abs() / 90e3).min(1.0), 0.0);
            water.step(5.0, 0.5, coils_w, 22.0, 26.0);
            for (i, machine) in water.machines.iter().enumerate() {
                starts[i] += usize::from(machine.running && !before[i]);
                before[i] = machine.running;
            }
        }
        starts
    }

    #[test]
    fn the_water_holds_what_came_in() {
        let mut water = chilled();
        let before = water.content_j();
        run(&mut water, 12, 40e3);
        *water.pipes.leaking(super::super::hydraulics::Stretch::Supply) = 0.5;
        run(&mut water, 1, 40e3);
        let gained = water.content_j() - before;
        assert!((gained - water.ledger_j).abs() < 1e-6 * water.content_j(), "{gained} {}", water.ledger_j);
    }

    #[test]
    fn in_a_steady_state_the_chiller_takes_what_the_coils_bring() {
        let mut water = chilled();
        run(&mut water, 6, 40e3);
        let taken: f64 = water.machines.iter().map(|m| -m.heat_w).sum();
        assert!((taken - 40e3).abs() < 1500.0, "{taken}");
        assert!((water.supply_c - 7.0).abs() < 0.2, "{}", water.supply_c);
        assert!((water.meter_w - 40e3).abs() < 1500.0, "{}", water.meter_w);
        let hour_before = water.energy_j;
        run(&mut water, 1, 40e3);
        assert!(((water.energy_j - hour_before) / 3600.0 - 40e3).abs() < 1500.0);
    }

    #[test]
    fn machines_start_seldom_at_every_load() {
        for load_w in [500.0, 2e3, 4e3, 6e3, 10e3, 30e3, 80e3, 95e3, 120e3, 160e3] {
            let mut water = chilled();
            let starts = run(&mut water, 12, load_w);
            assert!(starts.iter().all(|s| *s <= 24), "{load_w}: {starts:?}");
            let mut heating = of(LoopKind::Heating);
            let starts = run(&mut heating, 12, -load_w);
            assert!(starts.iter().all(|s| *s <= 24), "heating {load_w}: {starts:?}");
        }
    }

    #[test]
    fn a_machine_that_short_cycles_really_starts_and_stops() {
        for load_w in [4e3, 40e3, 80e3] {
            let mut water = chilled();
            run(&mut water, 6, load_w);
            water.machines[0].short_cycling = 1.0;
            let starts = run(&mut water, 1, load_w);
            assert!(starts[0] >= 12, "{load_w}: {starts:?}");
        }
    }

    #[test]
    fn a_leak_is_made_up_and_costs_heat() {
        let mut water = of(LoopKind::Heating);
        run(&mut water, 6, -40e3);
        let given = |w: &WaterLoop| w.machines.iter().map(|m| m.heat_w).sum::<f64>();
        let (tight_w, tight_m3s) = (given(&water), water.flow_m3s - water.pipes.return_m3s());
        *water.pipes.leaking(super::super::hydraulics::Stretch::Supply) = 0.2;
        run(&mut water, 2, -40e3);
        assert!(tight_m3s.abs() < 1e-6 && water.flow_m3s - water.pipes.return_m3s() > 1e-4, "{water:?}");
        assert!(given(&water) > tight_w + 10e3, "{} {tight_w}", given(&water));
    }
}
