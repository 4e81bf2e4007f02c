//! Small pieces of control: lags, actuators, PI loops, numbers drawn by name.

use crate::simulation::faults::effect;

/// Moves `value` towards `target` with the time constant `tau_s`: exact for any step.
pub(super) fn lag(value: f64, target: f64, tau_s: f64, dt_s: f64) -> f64 {
    target + (value - target) * (-dt_s / tau_s.max(1e-3)).exp()
}

/// A valve or damper: it runs at constant speed towards its command, unless it is stuck.
#[derive(Clone, Debug, Default)]
pub(super) struct Actuator {
    /// What the controller asks for, 0..1.
    pub command: f64,
    /// Where it is, 0..1.
    pub position: f64,
    /// Where it is stuck.
    pub stuck_at: Option<f64>,
    /// How far it leaks when it is shut, 0..1.
    pub leaking: f64,
}

/// Seconds from closed to open.
const STROKE_S: f64 = 90.0;
/// Seconds in which a controller's output moves from 0 to 1: no faster than what it drives.
const OUTPUT_S: f64 = 120.0;

impl Actuator {
    /// Runs for `dt_s`.
    pub fn step(&mut self, command: f64, dt_s: f64) {
        let ramp = dt_s / OUTPUT_S;
        self.command += (command.clamp(0.0, 1.0) - self.command).clamp(-ramp, ramp);
        let run = dt_s / STROKE_S;
        let healthy = self.position + (self.command - self.position).clamp(-run, run);
        self.position = self.stuck_at.map_or(healthy, |place| effect::position(healthy, place, 1.0));
    }
}

/// A proportional-integral loop with an output of 0..1 that does not wind up.
#[derive(Clone, Debug, Default)]
pub(super) struct Pi {
    integral: f64,
}

impl Pi {
    /// The output for an error: `gain` per unit of error, integral time in seconds.
    pub fn step(&mut self, error: f64, gain: f64, integral_s: f64, dt_s: f64) -> f64 {
        let proportional = gain * error;
        let grown = self.integral + proportional * dt_s / integral_s;
        self.integral = grown.clamp(-proportional.max(0.0), 1.0 - proportional.min(1.0)).clamp(0.0, 1.0);
        (proportional + self.integral).clamp(0.0, 1.0)
    }

    /// Forgets what it has summed up.
    pub fn clear(&mut self) {
        self.integral = 0.0;
    }
}

/// A well-mixed number from two: for everything that must not depend on the order of reading.
pub(super) fn mix(a: u64, b: u64) -> u64 {
    // SplitMix64's finaliser (Steele, Lea, Flood 2014).
    let mut z = a ^ b.wrapping_mul(0x9E37_79B9_7F4A_7C15);
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

/// Text as a number, the same on every machine (FNV-1a).
pub(super) fn hash(text: &str) -> u64 {
    text.bytes().fold(0xCBF2_9CE4_8422_2325, |h, b| (h ^ u64::from(b)).wrapping_mul(0x0100_0000_01B3))
}

/// A number of 0..1 from a well-mixed one.
pub(super) fn unit_interval(bits: u64) -> f64 {
    (bits >> 11) as f64 / (1u64 << 53) as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_actuator_takes_its_time_and_sticks_on_the_far_side() {
        let mut valve = Actuator::default();
        for _ in 0..12 {
            valve.step(1.0, 5.0);
            assert!(valve.command - valve.position < 0.05, "it follows");
        }
        assert!((valve.position - 0.5).abs() < 1e-9);
        valve.stuck_at = Some(effect::sticks_at(valve.position, 1.0));
        valve.step(1.0, 5.0);
        assert_eq!(valve.position, 0.0);
        let mut closed = Actuator { stuck_at: Some(effect::sticks_at(0.0, 0.3)), ..Actuator::default() };
        closed.step(0.0, 5.0);
        assert!((closed.position - 0.3).abs() < 1e-9);
    }

    #[test]
    fn a_loop_does_not_wind_up() {
        let mut pi = Pi::default();
        for _ in 0..1000 {
            pi.step(5.0, 0.4, 900.0, 5.0);
        }
        let mut steps = 0;
        while pi.step(-0.5, 0.4, 900.0, 5.0) > 0.0 {
            steps += 1;
            assert!(steps < 1500, "an integral that was full took too long to empty");
        }
    }
}
