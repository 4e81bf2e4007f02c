//! The condenser loop and its tower.
//!
//! The chillers' condensers stand side by side in the loop's network, the tower in its main. The tower follows
//! [`thermal::tower`](crate::simulation::thermal::tower).

use super::control::{Pi, lag};
use super::hydraulics::{Hydraulics, LoopDesign};
use super::pump::{Pump, PumpGroup};
use super::water::WATER_J_M3K;
use super::weather::Weather;
use crate::simulation::psychrometrics::STANDARD_PA;
use crate::simulation::thermal::tower::{Tower, TowerDesign};

/// Seconds in which a condenser's valve opens or shuts.
const VALVE_S: f64 = 60.0;

/// The condenser loop: what the chillers reject, the tower gives to the air.
#[derive(Clone, Debug)]
pub(super) struct Condenser {
    pub pumps: PumpGroup,
    pub pipes: Hydraulics,
    pub supply_c: f64,
    pub return_c: f64,
    pub fan_speed: f64,
    pub fan_nominal_w: f64,
    tower: Tower,
    /// What the tower did when it was last worked out.
    worked: Worked,
    valves: Vec<f64>,
    fan: Pi,
    lump_m3: f64,
}

/// Conditions of a tower, and its heat over the water's excess above the wet bulb there.
#[derive(Clone, Copy, Debug, Default)]
struct Worked {
    flow_m3s: f64,
    fan: f64,
    entering_c: f64,
    wet_bulb_c: f64,
    w_k: f64,
}

impl Condenser {
    /// A loop at rest, for chillers that reject so much at full load, W.
    pub fn new(pumps: Vec<Pump>, rejected_w: &[f64]) -> Self {
        let flow = pumps.iter().map(|p| p.nominal_m3s).fold(1e-4, f64::max);
        let design_w = rejected_w.iter().sum::<f64>().max(1.0);
        let water_kg_s = 1000.0 * flow;
        let range_k = (design_w / (WATER_J_M3K * flow)).clamp(2.0, 12.0);
        let made = |approach_k: f64| {
            Tower::sized(&TowerDesign {
                water_kg_s,
                entering_c: 18.0 + approach_k + range_k,
                leaving_c: 18.0 + approach_k,
                wet_bulb_c: 18.0,
                water_to_air: 1.2,
                pressure_pa: STANDARD_PA,
            })
        };
        let plain =
            Tower { constant: 1.5, air_kg_s: water_kg_s / 1.2, natural: 0.1, fan_w: 0.012 * design_w, cycles: 4.0 };
        let design = LoopDesign { pumps: &pumps, machines: 1, consumers: rejected_w, bypass: 0.05 };
        let pipes = Hydraulics::plain(&design);
        Self {
            pumps: PumpGroup::of(pumps),
            pipes,
            supply_c: 20.0,
            return_c: 20.0,
            fan_speed: 0.0,
            fan_nominal_w: 0.012 * design_w,
            tower: made(4.0).or_else(|| made(7.0)).unwrap_or(plain),
            worked: Worked::default(),
            valves: vec![0.0; rejected_w.len()],
            fan: Pi::default(),
            lump_m3: (4e-6 * design_w).max(40.0 * flow),
        }
    }

    /// Runs for `dt_s` with `rejected_w` from the chillers, which run or not.
    pub fn step(&mut self, dt_s: f64, running: impl Iterator<Item = bool>, rejected_w: f64, weather: &Weather) {
        let mut called = false;
        for (i, (valve, runs)) in self.valves.iter_mut().zip(running).enumerate() {
            called |= runs;
            let reach = dt_s / VALVE_S;
            *valve += (if runs { 1.0 } else { 0.0 } - *valve).clamp(-reach, reach);
            self.pipes.set_valve(i, *valve, 0.0);
        }
        self.pumps.step(called, &mut self.pipes, dt_s);
        let setpoint_c = (weather.wet_bulb_c + 4.0).clamp(16.0, 29.0);
        if called {
            let target = self.fan.step(self.supply_c - setpoint_c, 0.15, 600.0, dt_s);
            self.fan_speed = lag(self.fan_speed, target, 20.0, dt_s);
        } else {
            self.fan.clear();
            self.fan_speed = lag(self.fan_speed, 0.0, 15.0, dt_s);
            if self.fan_speed < 0.005 {
                self.fan_speed = 0.0;
            }
        }
        let back_m3s = self.pipes.return_m3s();
        let (flow_w_k, leak_w_k) = (WATER_J_M3K * back_m3s, WATER_J_M3K * self.pipes.leak_m3s());
        let given_w = self.given_w(back_m3s, weather);
        let j_k = self.lump_m3 * WATER_J_M3K;
        let loss_w_k = j_k / 100_000.0;
        let ambient_c = weather.outdoor_c.max(5.0);
        let out_w = flow_w_k * (self.return_c - self.supply_c) - given_w
            + leak_w_k * (12.0 - self.supply_c)
            + loss_w_k * (ambient_c - self.supply_c);
        let back_w = flow_w_k * (self.supply_c - self.return_c) + rejected_w + loss_w_k * (ambient_c - self.return_c);
        self.supply_c = (self.supply_c + out_w * dt_s / j_k).clamp(1.0, 60.0);
        self.return_c = (self.return_c + back_w * dt_s / j_k).clamp(1.0, 60.0);
    }

    /// Heat that the tower takes from water that comes back, W. Merkel's equation is solved again when its conditions
    /// have moved; between that heat goes with the water's excess over the wet bulb.
    fn given_w(&mut self, flow_m3s: f64, weather: &Weather) -> f64 {
        let excess_k = self.return_c - weather.wet_bulb_c;
        if flow_m3s < 1e-5 || excess_k < 0.1 {
            return 0.0;
        }
        let w = self.worked;
        let near = (w.flow_m3s - flow_m3s).abs() < 0.01 * flow_m3s
            && (w.fan - self.fan_speed).abs() < 0.004
            && (w.entering_c - self.return_c).abs() < 0.15
            && (w.wet_bulb_c - weather.wet_bulb_c).abs() < 0.1;
        if !near {
            let water = (self.return_c, 1000.0 * flow_m3s);
            let air = (weather.outdoor_c, weather.humidity_ratio);
            let done = self.tower.run(water, air, self.fan_speed, STANDARD_PA);
            self.worked = Worked {
                flow_m3s,
                fan: self.fan_speed,
                entering_c: self.return_c,
                wet_bulb_c: weather.wet_bulb_c,
                w_k: done.heat_w / excess_k,
            };
        }
        self.worked.w_k * excess_k
    }

    pub fn power_w(&self) -> f64 {
        self.pumps.power_w() + self.fan_nominal_w * self.fan_speed.powi(3)
    }
}

#[cfg(test)]
mod tests {
    use super::super::weather::Calendar;
    use super::*;
    use crate::time::Time;

    #[test]
    fn the_tower_gives_off_what_it_gets() {
        let pump = Pump::new(0.006, 140e3, 190e3, 50e3 / 0.000_036, 1400.0);
        let mut condenser = Condenser::new(vec![pump], &[108e3, 108e3]);
        let now = Time::parse("2026-07-15T12:00:00Z").unwrap();
        let mut weather = Weather::new(1);
        weather.update(now, Calendar::at(now));
        for _ in 0..8640 {
            condenser.step(5.0, [true, false].into_iter(), 60e3, &weather);
        }
        let flow_m3s = condenser.pipes.return_m3s();
        let through_water = WATER_J_M3K * flow_m3s * (condenser.return_c - condenser.supply_c);
        assert!((through_water - 60e3).abs() < 2000.0, "{through_water}");
        assert!((condenser.supply_c - weather.wet_bulb_c - 4.0).abs() < 1.0, "{condenser:?}");
        assert!(condenser.fan_speed > 0.02 && condenser.fan_speed < 0.9, "{condenser:?}");
        // One condenser of two is open.
        assert!(flow_m3s > 0.4 * 0.006 && flow_m3s < 0.7 * 0.006, "{condenser:?}");
    }
}
