//! Pumps and fans: power, and the heat of it.

/// What drives a pump or a fan, and how well.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Mover {
    /// Best efficiency of the wheel, 0..1.
    pub best: f64,
    /// Flow of the best efficiency at full speed, m³/s.
    pub best_flow_m3s: f64,
    /// Motor at full load, 0..1.
    pub motor: f64,
    /// Drive and belt, 0..1.
    pub drive: f64,
    /// Shaft power of the motor's rating, W.
    pub rated_shaft_w: f64,
    /// Share of the motor's and drive's losses that the stream takes up: 1 for a motor in the air or a wet
    /// rotor.
    pub losses_to_stream: f64,
}

/// Where the power of a pump or a fan goes.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Work {
    /// `V̇·Δp`, W: friction in the network turns it into heat there.
    pub hydraulic_w: f64,
    /// At the shaft, W.
    pub shaft_w: f64,
    /// From the mains, W.
    pub electric_w: f64,
    /// Heat that the stream takes up in the machine itself, W.
    pub warms_w: f64,
    /// Wheel, 0..1.
    pub efficiency: f64,
}

impl Work {
    /// All that warms the stream on its way round, W: in the machine and by friction.
    pub fn whole_heat_w(&self) -> f64 {
        self.warms_w + self.hydraulic_w
    }
}

impl Mover {
    /// Efficiency of the wheel at a flow and a share of full speed: a parabola through zero, its best, and
    /// zero again at twice the best flow. By the affinity laws the best flow goes with the speed.
    pub fn efficiency(&self, flow_m3s: f64, speed: f64) -> f64 {
        let best_flow = self.best_flow_m3s * speed.max(0.0);
        if best_flow <= 0.0 || flow_m3s <= 0.0 {
            return 0.0;
        }
        let x = flow_m3s / best_flow;
        // Far from its best it still works somehow: a tenth of it is kept, so that power stays finite.
        (self.best * (x * (2.0 - x)).max(0.1 * x.min(1.0))).clamp(0.0, 1.0)
    }

    /// Motor at a share of its rated load: nearly level above half, falling below a quarter, by a loss of
    /// 2 % of the rating that is always there and one of 1 % that goes with the square of the load.
    pub fn motor_efficiency(&self, load: f64) -> f64 {
        let load = load.max(0.0);
        self.motor * load / (load + 0.02 + 0.01 * load * load) * 1.03
    }

    /// Power for a flow against a pressure at a share of full speed.
    pub fn work(&self, flow_m3s: f64, rise_pa: f64, speed: f64) -> Work {
        let hydraulic_w = (flow_m3s * rise_pa).max(0.0);
        let efficiency = self.efficiency(flow_m3s, speed);
        if !(hydraulic_w > 0.0 && efficiency > 0.0) {
            return Work::default();
        }
        let shaft_w = hydraulic_w / efficiency;
        let load = if self.rated_shaft_w > 0.0 { shaft_w / self.rated_shaft_w } else { 1.0 };
        let chain = (self.motor_efficiency(load) * self.drive).clamp(0.05, 1.0);
        let electric_w = shaft_w / chain;
        let losses = (electric_w - shaft_w) * self.losses_to_stream.clamp(0.0, 1.0);
        Work { hydraulic_w, shaft_w, electric_w, warms_w: shaft_w - hydraulic_w + losses, efficiency }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const PUMP: Mover = Mover {
        best: 0.75,
        best_flow_m3s: 0.02,
        motor: 0.92,
        drive: 0.97,
        rated_shaft_w: 5500.0,
        losses_to_stream: 0.0,
    };

    #[test]
    fn at_its_best() {
        let w = PUMP.work(0.02, 200e3, 1.0);
        assert!((w.hydraulic_w - 4000.0).abs() < 1e-9 && (w.shaft_w - 4000.0 / 0.75).abs() < 1e-9);
        assert!((w.electric_w - w.shaft_w / 0.92 / 0.97).abs() < 0.01 * w.electric_w);
        // All of the shaft's power ends as heat: a third of the head in the pump, the rest in the pipes.
        assert!((w.whole_heat_w() - w.shaft_w).abs() < 1e-9 && (w.warms_w - 4000.0 / 3.0).abs() < 1e-9);
        let fan = Mover { losses_to_stream: 1.0, ..PUMP }.work(0.02, 200e3, 1.0);
        assert!((fan.whole_heat_w() - fan.electric_w).abs() < 1e-9);
    }

    #[test]
    fn the_affinity_laws() {
        // Half the flow, a quarter of the pressure at half the speed: an eighth of the shaft power.
        let (full, half) = (PUMP.work(0.018, 200e3, 1.0), PUMP.work(0.009, 50e3, 0.5));
        assert!(
            (half.efficiency - full.efficiency).abs() < 1e-12 && (half.shaft_w / full.shaft_w - 0.125).abs() < 1e-12
        );
        assert!(PUMP.efficiency(0.005, 1.0) < PUMP.efficiency(0.015, 1.0));
        assert_eq!(PUMP.work(0.0, 1e5, 1.0), Work::default());
        assert_eq!(PUMP.work(f64::NAN, 1e5, 1.0), Work::default());
    }

    #[test]
    fn a_motor_without_load_is_no_good() {
        assert!((PUMP.motor_efficiency(1.0) - 0.92).abs() < 1e-3 && PUMP.motor_efficiency(0.1) < 0.85);
        assert_eq!(PUMP.motor_efficiency(0.0), 0.0);
    }

    proptest! {
        #[test]
        fn power_only_gets_lost(flow in 0.0..0.05f64, pa in 0.0..5e5f64, speed in 0.0..1.2f64) {
            let w = PUMP.work(flow, pa, speed);
            prop_assert!(w.electric_w >= w.shaft_w && w.shaft_w >= w.hydraulic_w && w.electric_w.is_finite());
        }
    }
}
