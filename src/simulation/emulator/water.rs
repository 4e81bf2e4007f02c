//! Water loops: chilled and heating water with their machines.
//!
//! A loop is two lumps of water, supply and return. What the machines bring, the coils take and the
//! pipes lose is exactly what its water gains.

use super::control::lag;
use super::pump::PumpGroup;
use crate::simulation::controls::Held;
use crate::simulation::controls::staging::TwoPoint;
use crate::simulation::faults::effect;

/// Heat capacity of a cubic metre of water, J/(m³·K).
pub(super) const WATER_J_M3K: f64 = 4.18e6;
/// A machine runs and rests at least this long, seconds.
const LEAST_S: f64 = 1500.0;
/// Below this share of its capacity a machine is not needed.
const LEAST_LOAD: f64 = 0.06;

/// A chiller or a boiler.
#[derive(Clone, Debug)]
pub(super) struct Machine {
    pub design_w: f64,
    /// Coefficient of performance, or efficiency, at full load.
    pub efficiency: f64,
    /// Something makes it trip again and again.
    pub short_cycling: f64,
    called: bool,
    pub running: bool,
    since_s: f64,
    trip_s: f64,
    low: Held,
    pub load: f64,
    /// Heat brought into the water (negative for a chiller), W.
    pub heat_w: f64,
    pub leaving_c: f64,
    pub entering_c: f64,
    /// Electricity or fuel, W.
    pub power_w: f64,
}

impl Machine {
    pub fn new(design_w: f64, efficiency: f64, water_c: f64) -> Self {
        Self {
            design_w,
            efficiency,
            short_cycling: 0.0,
            called: false,
            running: false,
            since_s: 1e9,
            trip_s: 0.0,
            low: Held::default(),
            load: 0.0,
            heat_w: 0.0,
            leaving_c: water_c,
            entering_c: water_c,
            power_w: 0.0,
        }
    }

    fn call(&mut self, on: bool) {
        if on != self.called {
            self.called = on;
            self.since_s = 0.0;
            self.trip_s = 0.0;
            self.low = Held::default();
        }
    }

    /// Whether it really runs: a machine that short-cycles trips minutes after each start.
    fn decide(&mut self, dt_s: f64) {
        self.since_s += dt_s;
        self.running = self.called;
        if self.short_cycling > 0.0 && self.called {
            // Its safety trips it minutes after each start, and its timers no longer hold it off.
            let timers = TwoPoint { hysteresis: 1.0, least_on_s: 450.0, least_off_s: 300.0, direct: false };
            let timers = effect::short_cycling(&timers, self.short_cycling);
            let (on_s, off_s) = (150.0 + timers.least_on_s, 90.0 + timers.least_off_s);
            self.trip_s = (self.trip_s + dt_s) % (on_s + off_s);
            self.running = self.trip_s < on_s;
        }
    }
}

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
    pub fn new(kind: LoopKind, pumps: PumpGroup, machines: Vec<Machine>, counted_j: f64) -> Self {
        let capacity_w: f64 = machines.iter().map(|m| m.design_w).sum();
        let flow = pumps.pumps.iter().map(|p| p.nominal_m3s).fold(1e-4, f64::max);
        // Water for a quiet plant: 12 L/kW with its buffer, and never less than 20 s of flow a lump.
        let lump_m3 = (6e-6 * capacity_w).max(40.0 * flow);
        let water_c = if kind == LoopKind::Chilled { 9.0 } else { 45.0 };
        Self {
            kind,
            pumps,
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
        (self.flow_m3s / (0.1 * nominal)).clamp(0.0, 1.0)
    }

    /// Runs for `dt_s`. `valve` is how far the coils' valves are open together, `most_open` the one that
    /// is open most, `coils_w` the heat that the coils bring into the water.
    pub fn step(&mut self, dt_s: f64, valve: f64, most_open: f64, coils_w: f64, ambient_c: f64) {
        let on = self.wanted.step(most_open > 0.05, 15.0, dt_s);
        let off = self.unwanted.step(most_open < 0.02, 1800.0, dt_s);
        self.enabled = if self.enabled { !off } else { on };
        let share = self.enabled.then_some(0.2 + 0.8 * valve.clamp(0.0, 1.0));
        self.flow_m3s = self.pumps.step(share, dt_s);
        self.stage(dt_s);

        let flow_w_k = WATER_J_M3K * self.flow_m3s;
        let mut machines_w = 0.0;
        let running = self.machines.iter().filter(|m| m.running).count().max(1) as f64;
        let required = self.required_w();
        let capacity: f64 = self.machines.iter().filter(|m| m.running).map(|m| m.design_w).sum();
        let sign = if self.kind == LoopKind::Chilled { -1.0 } else { 1.0 };
        let limit_w = flow_w_k * if sign < 0.0 { self.return_c - 3.0 } else { 88.0 - self.return_c };
        for machine in &mut self.machines {
            let floor = if machine.short_cycling > 0.0 { 0.15 } else { 0.0 };
            let target = if machine.running && capacity > 0.0 { (required / capacity).clamp(floor, 1.0) } else { 0.0 };
            machine.load = if machine.running { lag(machine.load, target, 45.0, dt_s) } else { 0.0 };
            let heat_w = (machine.load * machine.design_w).min(limit_w.max(0.0) / running);
            machine.heat_w = sign * heat_w;
            machines_w += machine.heat_w;
            let settled_c = match (machine.running, self.flow_m3s > 1e-5) {
                (true, true) => self.return_c + machine.heat_w * running / flow_w_k,
                (false, true) => self.return_c,
                _ => ambient_c,
            };
            let tau_s = if self.flow_m3s > 1e-5 { 20.0 } else { 20_000.0 };
            machine.leaving_c = lag(machine.leaving_c, settled_c, tau_s, dt_s);
            let entering_c = if self.flow_m3s > 1e-5 { self.return_c } else { ambient_c };
            machine.entering_c = lag(machine.entering_c, entering_c, tau_s, dt_s);
            // Part load costs a little: 8 % of full power at none.
            let power = heat_w / machine.efficiency * 0.92 + 0.08 * machine.design_w / machine.efficiency;
            machine.power_w = if machine.running { power } else { 0.0 };
        }

        let j_k = self.lump_m3 * WATER_J_M3K;
        // Pipes lose to the building around them: a day and a half of time constant.
        let loss_w_k = j_k / 130_000.0;
        let supply_w = flow_w_k * (self.return_c - self.supply_c) + machines_w + loss_w_k * (ambient_c - self.supply_c);
        let return_w = flow_w_k * (self.supply_c - self.return_c) + coils_w + loss_w_k * (ambient_c - self.return_c);
        self.supply_c += supply_w * dt_s / j_k;
        self.return_c += return_w * dt_s / j_k;
        #[cfg(test)]
        {
            self.ledger_j += (supply_w + return_w) * dt_s;
        }
        self.meter_w = flow_w_k * (self.return_c - self.supply_c) * -sign;
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
    use super::super::pump::Pump;
    use super::*;

    fn pumps() -> PumpGroup {
        let pump = || Pump::new(0.006, 140e3, 190e3, 50e3 / 0.000_036, 1400.0);
        PumpGroup { pumps: vec![pump(), pump()], duty: 0 }
    }

    fn chilled() -> WaterLoop {
        let machine = || Machine::new(90e3, 5.0, 12.0);
        WaterLoop::new(LoopKind::Chilled, pumps(), vec![machine(), machine()], 0.0)
    }

    /// Starts of all machines within `hours` at a load of `load_w`.
    fn run(water: &mut WaterLoop, hours: usize, load_w: f64) -> Vec<usize> {
        let mut starts = vec![0; water.machines.len()];
        let mut before = vec![false; water.machines.len()];
        for _ in 0..hours * 720 {
            // Coils take what they can from water that flows.
            let coils_w = load_w * water.available();
            water.step(5.0, (load_w.abs() / 90e3).min(1.0), 0.5, coils_w, 22.0);
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
        for load_w in [500.0, 2e3, 4e3, 6e3, 10e3, 30e3, 89e3, 95e3, 120e3, 170e3] {
            let mut water = chilled();
            let starts = run(&mut water, 12, load_w);
            assert!(starts.iter().all(|s| *s <= 24), "{load_w}: {starts:?}");
            let mut heating = WaterLoop::new(LoopKind::Heating, pumps(), water.machines.clone(), 0.0);
            let starts = run(&mut heating, 12, -load_w);
            assert!(starts.iter().all(|s| *s <= 24), "heating {load_w}: {starts:?}");
        }
    }

    #[test]
    fn a_machine_that_short_cycles_really_starts_and_stops() {
        for load_w in [4e3, 40e3, 88e3] {
            let mut water = chilled();
            run(&mut water, 6, load_w);
            water.machines[0].short_cycling = 1.0;
            let starts = run(&mut water, 1, load_w);
            assert!(starts[0] >= 12, "{load_w}: {starts:?}");
        }
    }
}
