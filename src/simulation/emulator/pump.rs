//! Pumps on variable speed drives, duty and standby.

use super::control::lag;
use crate::simulation::faults::effect;

/// A pump's curve `Δp = shutoff × speed² − curve × flow²`; SI.
#[derive(Clone, Debug)]
pub(super) struct Pump {
    pub nominal_m3s: f64,
    pub nominal_pa: f64,
    pub shutoff_pa: f64,
    pub curve: f64,
    pub nominal_w: f64,
    /// How much of the head is lost to wear.
    pub wear: f64,
    pub running: bool,
    pub speed: f64,
    pub flow_m3s: f64,
    pub head_pa: f64,
    pub power_w: f64,
}

impl Pump {
    pub fn new(nominal_m3s: f64, nominal_pa: f64, shutoff_pa: f64, curve: f64, nominal_w: f64) -> Self {
        Self {
            nominal_m3s,
            nominal_pa,
            shutoff_pa,
            curve,
            nominal_w,
            wear: 0.0,
            running: false,
            speed: 0.0,
            flow_m3s: 0.0,
            head_pa: 0.0,
            power_w: 0.0,
        }
    }

    /// Runs for `dt_s` against a system that asks for `share` of the nominal flow (none: stopped).
    fn step(&mut self, share: Option<f64>, dt_s: f64) {
        let shutoff_pa = self.shutoff_pa * effect::worn_head(self.wear);
        self.running = share.is_some();
        let share = share.unwrap_or(0.5).clamp(0.1, 1.2);
        // The drive holds the pressure across the consumers, which is half of the whole at design.
        let wanted_m3s = share * self.nominal_m3s;
        let wanted_pa = self.nominal_pa * (0.5 + 0.5 * share * share);
        let system = wanted_pa / (wanted_m3s * wanted_m3s);
        let needed = ((wanted_pa + self.curve * wanted_m3s * wanted_m3s) / shutoff_pa).sqrt();
        let target = if self.running { needed.clamp(0.4, 1.0) } else { 0.0 };
        self.speed = lag(self.speed, target, 15.0, dt_s);
        if !self.running && self.speed < 0.005 {
            self.speed = 0.0;
        }
        self.flow_m3s = self.speed * (shutoff_pa / (self.curve + system)).sqrt();
        self.head_pa = system * self.flow_m3s * self.flow_m3s;
        let load = 0.55 + 0.45 * self.flow_m3s / self.nominal_m3s;
        self.power_w = if self.running { self.nominal_w * (0.02 + self.speed.powi(3) * load) } else { 0.0 };
    }
}

/// The pumps of one loop: one runs, the others wait.
#[derive(Clone, Debug, Default)]
pub(super) struct PumpGroup {
    pub pumps: Vec<Pump>,
    pub duty: usize,
}

impl PumpGroup {
    /// Runs for `dt_s`; the flow of all, m³/s.
    pub fn step(&mut self, share: Option<f64>, dt_s: f64) -> f64 {
        for (i, pump) in self.pumps.iter_mut().enumerate() {
            pump.step(if i == self.duty { share } else { None }, dt_s);
        }
        self.pumps.iter().map(|p| p.flow_m3s).sum()
    }

    pub fn power_w(&self) -> f64 {
        self.pumps.iter().map(|p| p.power_w).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn group() -> PumpGroup {
        let pump = || Pump::new(0.02, 180e3, 240e3, 60e3 / 0.0004, 5500.0);
        PumpGroup { pumps: vec![pump(), pump()], duty: 0 }
    }

    #[test]
    fn a_pump_works_on_its_curve_and_against_its_system() {
        let mut pumps = group();
        for share in [1.0, 0.4, 0.15] {
            for _ in 0..100 {
                pumps.step(Some(share), 5.0);
            }
            let p = &pumps.pumps[0];
            let on_curve = p.shutoff_pa * p.speed * p.speed - p.curve * p.flow_m3s * p.flow_m3s;
            assert!((p.head_pa - on_curve).abs() < 1.0, "{p:?}");
            assert!((p.flow_m3s / p.nominal_m3s - share).abs() < 0.01 || p.speed <= 0.401, "{p:?}");
        }
        assert_eq!(pumps.pumps[1].flow_m3s, 0.0);
    }

    #[test]
    fn wear_takes_head_and_the_drive_speeds_up() {
        let mut pumps = group();
        for _ in 0..100 {
            pumps.step(Some(0.5), 5.0);
        }
        let before = pumps.pumps[0].clone();
        pumps.pumps[0].wear = 1.0;
        for _ in 0..200 {
            pumps.step(Some(0.5), 5.0);
        }
        let p = &pumps.pumps[0];
        assert!(p.speed > before.speed * 1.1);
        let ratio = (p.head_pa + p.curve * p.flow_m3s * p.flow_m3s) / (p.shutoff_pa * p.speed * p.speed);
        assert!((ratio - 0.6).abs() < 1e-6, "{ratio}");
    }

    #[test]
    fn a_stopped_pump_comes_to_rest() {
        let mut pumps = group();
        pumps.step(Some(1.0), 60.0);
        for _ in 0..60 {
            pumps.step(None, 5.0);
        }
        let p = &pumps.pumps[0];
        assert_eq!((p.speed, p.flow_m3s, p.head_pa, p.power_w), (0.0, 0.0, 0.0, 0.0));
    }
}
