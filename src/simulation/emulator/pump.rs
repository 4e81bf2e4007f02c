//! Pumps on variable speed drives, duty and standby, that hold the pressure over their consumers.

use super::hydraulics::Hydraulics;
use crate::simulation::controls::actuator::Drive;
use crate::simulation::controls::pid::{Pid, PidState};
use crate::simulation::faults::effect;
use crate::simulation::thermal::mover::Mover;

/// Seconds from rest to full speed.
const RAMP_S: f64 = 30.0;
/// Least speed of a pump at work.
const LEAST_SPEED: f64 = 0.3;
/// What holds the pressure, as a share of its setpoint: slow enough for a step of 10 s.
const PRESSURE: Pid = Pid {
    gain: 0.08,
    integral_s: 15.0,
    derivative_s: 0.0,
    least: LEAST_SPEED,
    most: 1.0,
    setpoint_weight: 1.0,
    deadband: 0.001,
    direct: false,
};

/// A pump's curve `Δp = shutoff × speed² − curve × flow²`; SI.
#[derive(Clone, Debug)]
pub(super) struct Pump {
    pub nominal_m3s: f64,
    pub nominal_pa: f64,
    pub shutoff_pa: f64,
    pub curve: f64,
    wheel: Mover,
    drive: Drive,
    /// How worn it is, 0..1.
    pub wear: f64,
    pub running: bool,
    pub speed: f64,
    pub flow_m3s: f64,
    pub head_pa: f64,
    pub power_w: f64,
}

impl Pump {
    pub fn new(nominal_m3s: f64, nominal_pa: f64, shutoff_pa: f64, curve: f64, nominal_w: f64) -> Self {
        let (motor, drive) = (0.92, 0.97);
        let hydraulic_w = nominal_m3s * nominal_pa;
        let best = (hydraulic_w / nominal_w.max(1.0) / (motor * drive)).clamp(0.2, 0.85);
        let wheel = Mover {
            best,
            best_flow_m3s: nominal_m3s,
            motor,
            drive,
            rated_shaft_w: hydraulic_w / best,
            losses_to_stream: 0.0,
        };
        Self {
            nominal_m3s,
            nominal_pa,
            shutoff_pa,
            curve,
            wheel,
            drive: Drive::new(RAMP_S, LEAST_SPEED),
            wear: 0.0,
            running: false,
            speed: 0.0,
            flow_m3s: 0.0,
            head_pa: 0.0,
            power_w: 0.0,
        }
    }

    /// Takes over what the network has found.
    fn take(&mut self, flow_m3s: f64, head_pa: f64) {
        (self.flow_m3s, self.head_pa) = (flow_m3s, head_pa.max(0.0));
        let wheel = Mover { best: self.wheel.best * effect::worn_efficiency(self.wear), ..self.wheel };
        let standing_w = 0.01 * self.wheel.rated_shaft_w;
        let work = wheel.work(flow_m3s, self.head_pa, self.speed);
        self.power_w = if self.running { standing_w + work.electric_w } else { 0.0 };
    }
}

/// The pumps of one loop: one runs, the others wait.
#[derive(Clone, Debug, Default)]
pub(super) struct PumpGroup {
    pub pumps: Vec<Pump>,
    pub duty: usize,
    pressure: PidState,
}

impl PumpGroup {
    /// A group whose first pump is at duty.
    pub fn of(pumps: Vec<Pump>) -> Self {
        Self { pumps, ..Self::default() }
    }

    /// Runs the drives for `dt_s` towards the speed that holds the pressure over the consumers, and the network with
    /// them. The flow of all, m³/s.
    pub fn step(&mut self, on: bool, water: &mut Hydraulics, dt_s: f64) -> f64 {
        let wanted_pa = self.pumps.get(self.duty).map_or(1.0, |p| water.held_pa(p.nominal_pa));
        if on {
            self.pressure.step(&PRESSURE, 1.0, water.across_pa() / wanted_pa, dt_s);
        } else {
            self.pressure.clear();
        }
        for (i, pump) in self.pumps.iter_mut().enumerate() {
            pump.running = on && i == self.duty;
            pump.speed = pump.drive.step(pump.running.then_some(self.pressure.output), dt_s);
            let shutoff_pa = pump.shutoff_pa * pump.speed * pump.speed;
            water.set_pump(i, pump.speed, (1.0 - effect::worn_head(pump.wear)) * shutoff_pa);
        }
        water.solve();
        for (i, pump) in self.pumps.iter_mut().enumerate() {
            pump.take(water.pump_m3s(i), water.rise_pa(i));
        }
        self.pumps.iter().map(|p| p.flow_m3s).sum()
    }

    pub fn power_w(&self) -> f64 {
        self.pumps.iter().map(|p| p.power_w).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::super::hydraulics::LoopDesign;
    use super::*;

    fn group() -> (PumpGroup, Hydraulics) {
        let pump = || Pump::new(0.02, 180e3, 240e3, 60e3 / 0.0004, 5500.0);
        let pumps = vec![pump(), pump()];
        let design = LoopDesign { pumps: &pumps, machines: 1, consumers: &[1.0, 1.0], bypass: 0.1 };
        let water = Hydraulics::plain(&design);
        (PumpGroup::of(pumps), water)
    }

    fn run(pumps: &mut PumpGroup, water: &mut Hydraulics, position: f64, steps: usize) {
        for _ in 0..steps {
            water.set_valve(0, position, 0.0);
            water.set_valve(1, position, 0.0);
            pumps.step(true, water, 5.0);
        }
    }

    #[test]
    fn a_pump_works_on_its_curve_and_holds_the_pressure() {
        let (mut pumps, mut water) = group();
        let mut flows = Vec::new();
        for position in [1.0, 0.7, 0.3, 0.0, 0.9] {
            run(&mut pumps, &mut water, position, 150);
            let p = &pumps.pumps[0];
            let on_curve = p.shutoff_pa * p.speed * p.speed - p.curve * p.flow_m3s * p.flow_m3s;
            assert!((p.head_pa - on_curve).abs() < 0.005 * on_curve, "{p:?}");
            assert!((water.across_pa() / 90e3 - 1.0).abs() < 0.01, "{position}: {}", water.across_pa());
            flows.push(p.flow_m3s);
        }
        assert!((flows[0] / 0.02 - 1.0).abs() < 0.01 && flows[0] > flows[1] && flows[1] > flows[2], "{flows:?}");
        assert_eq!(pumps.pumps[1].flow_m3s, 0.0);
        // The pressure does not hunt.
        let before = pumps.pumps[0].speed;
        run(&mut pumps, &mut water, 0.9, 1);
        assert!((pumps.pumps[0].speed - before).abs() < 2e-3);
    }

    #[test]
    fn wear_takes_head_and_the_drive_speeds_up() {
        let (mut pumps, mut water) = group();
        run(&mut pumps, &mut water, 0.7, 200);
        let before = pumps.pumps[0].clone();
        pumps.pumps[0].wear = 1.0;
        run(&mut pumps, &mut water, 0.7, 200);
        let p = &pumps.pumps[0];
        assert!(p.speed > before.speed * 1.1, "{p:?} {before:?}");
        let ratio = (p.head_pa + p.curve * p.flow_m3s * p.flow_m3s) / (p.shutoff_pa * p.speed * p.speed);
        assert!((ratio - 0.6).abs() < 0.005, "{ratio}");
        assert!(p.power_w / p.flow_m3s > 1.2 * before.power_w / before.flow_m3s);
    }

    #[test]
    fn a_stopped_pump_comes_to_rest() {
        let (mut pumps, mut water) = group();
        run(&mut pumps, &mut water, 1.0, 20);
        for _ in 0..60 {
            pumps.step(false, &mut water, 5.0);
        }
        let p = &pumps.pumps[0];
        assert_eq!((p.speed, p.flow_m3s, p.head_pa, p.power_w), (0.0, 0.0, 0.0, 0.0));
    }
}
