//! The condenser loop and its tower.

use super::control::{Pi, lag};
use super::pump::PumpGroup;
use super::water::WATER_J_M3K;
use super::weather::Weather;

/// The condenser loop: what the chillers reject, the tower gives to the air.
#[derive(Clone, Debug)]
pub(super) struct Condenser {
    pub pumps: PumpGroup,
    pub supply_c: f64,
    pub return_c: f64,
    pub fan_speed: f64,
    pub flow_m3s: f64,
    design_w: f64,
    pub fan_nominal_w: f64,
    fan: Pi,
    lump_m3: f64,
}

impl Condenser {
    pub fn new(pumps: PumpGroup, design_w: f64, fan_nominal_w: f64) -> Self {
        let flow = pumps.pumps.iter().map(|p| p.nominal_m3s).fold(1e-4, f64::max);
        Self {
            pumps,
            supply_c: 20.0,
            return_c: 20.0,
            fan_speed: 0.0,
            flow_m3s: 0.0,
            design_w: design_w.max(1.0),
            fan_nominal_w,
            fan: Pi::default(),
            lump_m3: (4e-6 * design_w).max(40.0 * flow),
        }
    }

    /// Runs for `dt_s` with `rejected_w` from the chillers while `called`.
    pub fn step(&mut self, dt_s: f64, called: bool, rejected_w: f64, weather: &Weather) {
        self.flow_m3s = self.pumps.step(called.then_some(0.85), dt_s);
        let flow_w_k = WATER_J_M3K * self.flow_m3s;
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
        // Heat and mass transfer go with the air to the power 0.8; 8 % by natural draught. At design the
        // water leaves 4 K and enters 9 K above the wet bulb.
        let wetted = (flow_w_k / (WATER_J_M3K * 1e-4)).clamp(0.0, 1.0);
        let transfer_w_k = wetted * self.design_w / 6.5 * (0.08 + 0.92 * self.fan_speed.powf(0.8));
        let mean_c = 0.5 * (self.supply_c + self.return_c);
        let given_w = transfer_w_k * (mean_c - weather.wet_bulb_c);
        let j_k = self.lump_m3 * WATER_J_M3K;
        let loss_w_k = j_k / 100_000.0;
        let ambient_c = weather.outdoor_c.max(5.0);
        let out_w = flow_w_k * (self.return_c - self.supply_c) - given_w + loss_w_k * (ambient_c - self.supply_c);
        let back_w = flow_w_k * (self.supply_c - self.return_c) + rejected_w + loss_w_k * (ambient_c - self.return_c);
        self.supply_c = (self.supply_c + out_w * dt_s / j_k).clamp(1.0, 60.0);
        self.return_c = (self.return_c + back_w * dt_s / j_k).clamp(1.0, 60.0);
    }

    pub fn power_w(&self) -> f64 {
        self.pumps.power_w() + self.fan_nominal_w * self.fan_speed.powi(3)
    }
}

#[cfg(test)]
mod tests {
    use super::super::pump::Pump;
    use super::super::weather::Calendar;
    use super::*;
    use crate::time::Time;

    #[test]
    fn the_tower_gives_off_what_it_gets() {
        let pump = Pump::new(0.006, 140e3, 190e3, 50e3 / 0.000_036, 1400.0);
        let pumps = PumpGroup { pumps: vec![pump], duty: 0 };
        let mut condenser = Condenser::new(pumps, 216e3, 2600.0);
        let now = Time::parse("2026-07-15T12:00:00Z").unwrap();
        let mut weather = Weather::new(1);
        weather.update(now, Calendar::at(now));
        for _ in 0..8640 {
            condenser.step(5.0, true, 60e3, &weather);
        }
        let through_water = WATER_J_M3K * condenser.flow_m3s * (condenser.return_c - condenser.supply_c);
        assert!((through_water - 60e3).abs() < 2000.0, "{through_water}");
        assert!((condenser.supply_c - weather.wet_bulb_c - 4.0).abs() < 1.0, "{condenser:?}");
        assert!(condenser.fan_speed > 0.02 && condenser.fan_speed < 0.9);
    }
}
