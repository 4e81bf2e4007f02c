//! Small pieces of control: lags, actuators, PI loops, sustained conditions.

/// Moves `value` towards `target` with the time constant `tau_s`: exact for any step.
pub(super) fn lag(value: f64, target: f64, tau_s: f64, dt_s: f64) -> f64 {
    target + (value - target) * (-dt_s / tau_s.max(1e-3)).exp()
}

/// A line through two points, held level outside them.
pub(super) fn reset(x: f64, (x0, y0): (f64, f64), (x1, y1): (f64, f64)) -> f64 {
    let t = ((x - x0) / (x1 - x0)).clamp(0.0, 1.0);
    y0 + t * (y1 - y0)
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
        self.position = match self.stuck_at {
            Some(place) => place,
            None => self.position + (self.command - self.position).clamp(-run, run),
        };
    }

    /// Jumps to the far side by `severity` of the whole travel, and stays there.
    pub fn stick(&mut self, severity: f64) {
        let place = if self.position < 0.5 { self.position + severity } else { self.position - severity };
        self.stuck_at = Some(place.clamp(0.0, 1.0));
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

/// How long a condition has held, seconds.
#[derive(Clone, Debug, Default)]
pub(super) struct Sustained(pub f64);

impl Sustained {
    /// Counts on while `holds`, else starts again; true once it has held for `long_s`.
    pub fn step(&mut self, holds: bool, long_s: f64, dt_s: f64) -> bool {
        self.0 = if holds { self.0 + dt_s } else { 0.0 };
        self.0 >= long_s
    }
}

/// A fault that grows: 0 before it, 1 when it is fully there.
#[derive(Clone, Debug, Default)]
pub(super) struct Ramp {
    target: f64,
    now: f64,
    over_s: f64,
}

impl Ramp {
    /// Starts to grow to `severity` within `over_s`.
    pub fn start(&mut self, severity: f64, over_s: f64) {
        self.target = self.target.max(severity);
        self.over_s = over_s;
    }

    /// Grows for `dt_s`.
    pub fn step(&mut self, dt_s: f64) {
        if self.now < self.target {
            self.now = (self.now + self.target * dt_s / self.over_s.max(1.0)).min(self.target);
        }
    }

    /// How much of it is there, 0..1.
    pub fn value(&self) -> f64 {
        self.now
    }

    /// True when it was started.
    pub fn started(&self) -> bool {
        self.target > 0.0
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
        valve.stick(1.0);
        valve.step(1.0, 5.0);
        assert_eq!(valve.position, 0.0);
        let mut closed = Actuator::default();
        closed.stick(0.3);
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

    #[test]
    fn a_ramp_ends_at_its_severity() {
        let mut ramp = Ramp::default();
        ramp.step(60.0);
        assert_eq!(ramp.value(), 0.0);
        ramp.start(0.8, 600.0);
        ramp.step(300.0);
        assert!((ramp.value() - 0.4).abs() < 1e-9);
        ramp.step(900.0);
        assert_eq!(ramp.value(), 0.8);
    }
}
