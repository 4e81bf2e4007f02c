//! Chillers and boilers: what they give, and what they draw for it.

use super::control::lag;
use super::water::WATER_J_M3K;
use crate::simulation::controls::Held;
use crate::simulation::controls::staging::TwoPoint;
use crate::simulation::faults::effect;
use crate::simulation::thermal::boiler::{Boiler, Firing};
use crate::simulation::thermal::chiller::{CONSTANT_SPEED, Chiller, Stream};

/// How cold and how hot a machine makes water, °C.
const LIMITS_C: (f64, f64) = (3.0, 88.0);
/// Water that a boiler is rated with when it comes back, °C.
const RATED_RETURN_C: f64 = 30.0;
/// Below this flow water stands, W/K.
const STANDING_W_K: f64 = 1e-5 * WATER_J_M3K;

/// What a machine is.
#[derive(Clone, Debug)]
enum Model {
    Chiller(Chiller),
    Boiler(Boiler),
}

/// A chiller or a boiler.
#[derive(Clone, Debug)]
pub(super) struct Machine {
    pub design_w: f64,
    model: Model,
    /// How badly something makes it trip again and again, 0..1.
    pub short_cycling: f64,
    pub called: bool,
    pub running: bool,
    /// Since it was last called or let go, seconds.
    pub since_s: f64,
    trip_s: f64,
    /// How long it has been needed hardly at all.
    pub low: Held,
    pub load: f64,
    /// Heat brought into the water (negative for a chiller), W.
    pub heat_w: f64,
    pub leaving_c: f64,
    pub entering_c: f64,
    /// Electricity or fuel, W.
    pub power_w: f64,
}

impl Machine {
    /// A chiller at rest, with its coefficient of performance at its rating.
    pub fn chiller(design_w: f64, cop: f64) -> Self {
        Self::new(design_w, Model::Chiller(Chiller::new(design_w, cop, CONSTANT_SPEED)), 20.0)
    }

    /// A gas boiler at rest, with its efficiency at full load: it cools its flue gas as far as that says.
    pub fn boiler(design_w: f64, efficiency: f64) -> Self {
        let with = |approach_k: f64| Boiler {
            firing: Firing::Gas { approach_k, condensing: true },
            ..Boiler::condensing(design_w)
        };
        let (mut near, mut far) = (2.0, 250.0);
        for _ in 0..40 {
            let middle = 0.5 * (near + far);
            let better = with(middle).combustion_efficiency(1.0, RATED_RETURN_C) > efficiency;
            if better { near = middle } else { far = middle }
        }
        Self::new(design_w, Model::Boiler(with(near)), 45.0)
    }

    fn new(design_w: f64, model: Model, water_c: f64) -> Self {
        Self {
            design_w,
            model,
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

    /// Calls it or lets it go.
    pub fn call(&mut self, on: bool) {
        if on != self.called {
            self.called = on;
            self.since_s = 0.0;
            self.trip_s = 0.0;
            self.low = Held::default();
        }
    }

    /// Whether it really runs: a machine that short-cycles trips minutes after each start.
    pub fn decide(&mut self, dt_s: f64) {
        self.since_s += dt_s;
        self.running = self.called;
        if self.short_cycling > 0.0 && self.called {
            // Its safety trips it, and its timers no longer hold it off.
            let timers = TwoPoint { hysteresis: 1.0, least_on_s: 450.0, least_off_s: 300.0, direct: false };
            let timers = effect::short_cycling(&timers, self.short_cycling);
            let (on_s, off_s) = (150.0 + timers.least_on_s, 90.0 + timers.least_off_s);
            self.trip_s = (self.trip_s + dt_s) % (on_s + off_s);
            self.running = self.trip_s < on_s;
        }
    }

    /// Runs for `dt_s` at a load (of all that runs, 0..1) with water of a heat capacity flow that comes back.
    pub fn step(&mut self, dt_s: f64, load: f64, flow_w_k: f64, return_c: f64, ambient_c: f64, condenser_c: f64) {
        let floor = if self.short_cycling > 0.0 { 0.15 } else { 0.0 };
        let target = if self.running { load.clamp(floor, 1.0) } else { 0.0 };
        self.load = if self.running { lag(self.load, target, 45.0, dt_s) } else { 0.0 };
        let flowing = flow_w_k > STANDING_W_K;
        let wanted_w = self.load * self.design_w;
        (self.heat_w, self.power_w) = match &self.model {
            _ if !(self.running && flowing) => (0.0, 0.0),
            Model::Chiller(chiller) => {
                let reach_c = (return_c - wanted_w / flow_w_k).max(LIMITS_C.0).min(return_c);
                // The condenser's own flow is in the loop around it: here its water is what enters.
                let condenser = Stream { w_k: 1e9, celsius: condenser_c };
                let done = chiller.run(reach_c, Stream { w_k: flow_w_k, celsius: return_c }, condenser);
                (-done.cooling_w, done.power_w)
            }
            Model::Boiler(boiler) => {
                let reach_c = (return_c + wanted_w / flow_w_k).min(LIMITS_C.1).max(return_c);
                let done = boiler.run(reach_c, flow_w_k, return_c);
                (done.heat_w, done.fuel_w)
            }
        };
        let settled_c = match (self.running, flowing) {
            (true, true) => return_c + self.heat_w / flow_w_k,
            (false, true) => return_c,
            _ => ambient_c,
        };
        let tau_s = if flowing { 20.0 } else { 20_000.0 };
        self.leaving_c = lag(self.leaving_c, settled_c, tau_s, dt_s);
        self.entering_c = lag(self.entering_c, if flowing { return_c } else { ambient_c }, tau_s, dt_s);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn steady(mut machine: Machine, load: f64, return_c: f64, condenser_c: f64) -> Machine {
        machine.call(true);
        for _ in 0..200 {
            machine.decide(5.0);
            machine.step(5.0, load, machine.design_w / 6.0, return_c, 20.0, condenser_c);
        }
        machine
    }

    #[test]
    fn a_chiller_draws_more_for_warmer_condensers() {
        let rated = steady(Machine::chiller(90e3, 5.0), 1.0, 12.7, 29.4);
        assert!((rated.heat_w + 90e3).abs() < 200.0 && (rated.power_w - 18e3).abs() < 200.0, "{rated:?}");
        assert!((rated.leaving_c - 6.7).abs() < 0.05);
        let cool = steady(Machine::chiller(90e3, 5.0), 1.0, 12.7, 20.0);
        assert!(cool.power_w < 0.8 * rated.power_w && (cool.heat_w + 90e3).abs() < 200.0);
    }

    #[test]
    fn a_boiler_has_the_efficiency_that_its_maker_states() {
        for efficiency in [0.9, 0.96] {
            let b = steady(Machine::boiler(80e3, efficiency), 1.0, RATED_RETURN_C, 20.0);
            assert!((b.heat_w / b.power_w - efficiency).abs() < 0.01, "{efficiency} {b:?}");
        }
        let warm = steady(Machine::boiler(80e3, 0.96), 1.0, 70.0, 20.0);
        let cold = steady(Machine::boiler(80e3, 0.96), 1.0, 25.0, 20.0);
        assert!(cold.power_w < 0.97 * warm.power_w, "it condenses: {cold:?} {warm:?}");
    }

    #[test]
    fn no_flow_no_heat() {
        let mut m = Machine::boiler(80e3, 0.96);
        m.call(true);
        m.decide(5.0);
        m.step(5.0, 1.0, 0.0, 40.0, 20.0, 20.0);
        assert_eq!((m.heat_w, m.power_w), (0.0, 0.0));
    }
}
