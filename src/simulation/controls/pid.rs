//! A PID controller that does not wind up and takes over without a bump.
//!
//! `u = bias + K·(b·w − y) + I + D`: two degrees of freedom, the derivative on the filtered measurement only,
//! integral held back by what the output could not follow (back-calculation; Åström and Hägglund, "PID
//! Controllers", 2nd edition, 1995, sections 3.4 to 3.6).

/// What a controller is tuned to. The output is 0..1 unless its limits say otherwise.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Pid {
    /// Output a unit of error.
    pub gain: f64,
    /// Integral time, s; not above zero: no integral part.
    pub integral_s: f64,
    /// Derivative time, s; zero: none.
    pub derivative_s: f64,
    /// Least output.
    pub least: f64,
    /// Most output.
    pub most: f64,
    /// Weight of the setpoint in the proportional part, 0..1: below 1 a setpoint that jumps kicks less.
    pub setpoint_weight: f64,
    /// Errors smaller than this count as none.
    pub deadband: f64,
    /// True for cooling: the output rises when the measurement does.
    pub direct: bool,
}

impl Default for Pid {
    /// Gain 1, integral 300 s, no derivative, output 0..1, heating.
    fn default() -> Self {
        Self {
            gain: 1.0,
            integral_s: 300.0,
            derivative_s: 0.0,
            least: 0.0,
            most: 1.0,
            setpoint_weight: 1.0,
            deadband: 0.0,
            direct: false,
        }
    }
}

/// What a controller remembers.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct PidState {
    integral: f64,
    filtered: Option<f64>,
    slope: f64,
    /// The last output.
    pub output: f64,
}

impl PidState {
    /// A step of `dt_s`: the output. A setpoint, a measurement or a time that is no number holds the output.
    pub fn step(&mut self, pid: &Pid, setpoint: f64, measured: f64, dt_s: f64) -> f64 {
        if !(setpoint.is_finite() && measured.is_finite() && dt_s > 0.0 && dt_s.is_finite()) {
            return self.output;
        }
        let sign = if pid.direct { -1.0 } else { 1.0 };
        let error = sign * (setpoint - measured);
        let error = if error.abs() < pid.deadband { 0.0 } else { error - error.signum() * pid.deadband.max(0.0) };
        let proportional = pid.gain * (error - sign * (1.0 - pid.setpoint_weight.clamp(0.0, 1.0)) * setpoint);
        let offset = pid.gain * sign * (1.0 - pid.setpoint_weight.clamp(0.0, 1.0)) * setpoint;

        let derivative = self.derivative(pid, sign * measured, dt_s);
        if pid.integral_s > 0.0 {
            self.integral += pid.gain * error * dt_s / pid.integral_s;
        } else {
            self.integral = 0.0;
        }
        // The weight on the setpoint only takes the kick away: at rest the integral makes up for it.
        let before = if pid.integral_s > 0.0 { 0.0 } else { offset };
        let free = proportional + before + self.integral + derivative;
        self.output = free.clamp(pid.least.min(pid.most), pid.most.max(pid.least));
        if pid.integral_s > 0.0 {
            // Back-calculation with a tracking time of the integral's own, at least a step.
            let share = (dt_s / pid.integral_s.min(60.0)).min(1.0);
            self.integral += (self.output - free) * share;
        }
        self.output
    }

    fn derivative(&mut self, pid: &Pid, measured: f64, dt_s: f64) -> f64 {
        // Filtered with an eighth of the derivative time, so that noise is not what moves the valve.
        let tau = pid.derivative_s.max(0.0) / 8.0;
        let last = self.filtered.unwrap_or(measured);
        let now = measured + (last - measured) * if tau > 0.0 { (-dt_s / tau).exp() } else { 0.0 };
        self.slope = (now - last) / dt_s;
        self.filtered = Some(now);
        -pid.gain * pid.derivative_s.max(0.0) * self.slope
    }

    /// Follows an output that somebody else sets (a hand, another loop): the controller goes on from
    /// there without a bump.
    pub fn track(&mut self, pid: &Pid, setpoint: f64, measured: f64, output: f64) {
        if !(setpoint.is_finite() && measured.is_finite() && output.is_finite()) {
            return;
        }
        let sign = if pid.direct { -1.0 } else { 1.0 };
        let error = sign * (setpoint - measured);
        let error = if error.abs() < pid.deadband { 0.0 } else { error - error.signum() * pid.deadband.max(0.0) };
        let weight = 1.0 - pid.setpoint_weight.clamp(0.0, 1.0);
        self.output = output.clamp(pid.least.min(pid.most), pid.most.max(pid.least));
        self.integral = self.output - pid.gain * (error - sign * weight * setpoint);
        self.filtered = Some(sign * measured);
        self.slope = 0.0;
    }

    /// Forgets everything: the loop was switched off.
    pub fn clear(&mut self) {
        *self = Self::default();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// A first-order plant: gain 10, 600 s.
    fn run(pid: &Pid, state: &mut PidState, y: &mut f64, setpoint: f64, disturbance: f64, seconds: f64) -> f64 {
        let mut most = f64::NEG_INFINITY;
        for _ in 0..(seconds / 5.0) as usize {
            let u = state.step(pid, setpoint, *y, 5.0);
            let rest = 15.0 + 10.0 * u + disturbance;
            *y = rest + (*y - rest) * (-5.0f64 / 600.0).exp();
            most = most.max(*y);
        }
        most
    }

    #[test]
    fn it_comes_to_its_setpoint_and_stays() {
        for (pid, setpoint) in [
            (Pid { gain: 0.4, integral_s: 600.0, ..Pid::default() }, 21.0),
            (Pid { gain: 0.4, integral_s: 600.0, setpoint_weight: 0.3, ..Pid::default() }, 21.0),
            (Pid { gain: 0.4, integral_s: 600.0, derivative_s: 60.0, ..Pid::default() }, 21.0),
        ] {
            let (mut state, mut y) = (PidState::default(), 15.0);
            run(&pid, &mut state, &mut y, setpoint, 0.0, 40_000.0);
            assert!((y - setpoint).abs() < 1e-3 && (state.output - 0.6).abs() < 1e-3, "{pid:?} {y}");
            run(&pid, &mut state, &mut y, setpoint, 2.0, 40_000.0);
            assert!((y - setpoint).abs() < 1e-3 && (state.output - 0.4).abs() < 1e-3, "{pid:?} {y}");
        }
    }

    #[test]
    fn proportional_alone_leaves_an_error() {
        let pid = Pid { gain: 0.4, integral_s: 0.0, ..Pid::default() };
        let (mut state, mut y) = (PidState::default(), 15.0);
        run(&pid, &mut state, &mut y, 20.0, 0.0, 40_000.0);
        // y = 15 + 10·0.4·(20 − y).
        assert!((y - 19.0).abs() < 1e-6, "{y}");
    }

    #[test]
    fn it_does_not_wind_up() {
        // A setpoint out of reach for ten hours, then one within.
        let pid = Pid { gain: 0.4, integral_s: 600.0, ..Pid::default() };
        let (mut state, mut y) = (PidState::default(), 15.0);
        run(&pid, &mut state, &mut y, 40.0, 0.0, 36_000.0);
        assert!((y - 25.0).abs() < 0.01 && state.output == 1.0);
        let mut seconds = 0.0;
        while state.step(&pid, 20.0, y, 5.0) >= 1.0 {
            seconds += 5.0;
            assert!(seconds < 60.0, "still full open");
        }
    }

    #[test]
    fn a_hand_takes_over_and_gives_back_without_a_bump() {
        let pid = Pid { gain: 0.4, integral_s: 600.0, setpoint_weight: 0.5, ..Pid::default() };
        let mut state = PidState::default();
        for _ in 0..100 {
            state.track(&pid, 21.0, 19.0, 0.37);
        }
        let back = state.step(&pid, 21.0, 19.0, 1.0);
        assert!((back - 0.37).abs() < 0.4 * 2.0 / 600.0 + 1e-9, "{back}");
    }

    #[test]
    fn direct_loops_and_deadbands() {
        let pid = Pid { gain: 0.5, integral_s: 0.0, direct: true, deadband: 0.5, ..Pid::default() };
        let mut state = PidState::default();
        assert_eq!(state.step(&pid, 24.0, 24.4, 1.0), 0.0);
        assert!((state.step(&pid, 24.0, 25.5, 1.0) - 0.5).abs() < 1e-12);
        assert_eq!(state.step(&pid, 24.0, f64::NAN, 1.0), 0.5, "a lost sensor holds the output");
        assert_eq!(state.step(&pid, 24.0, 20.0, f64::INFINITY), 0.5);
    }

    #[test]
    fn the_derivative_acts_on_what_is_measured_only() {
        let pid = Pid { gain: 0.1, integral_s: 0.0, derivative_s: 100.0, least: -10.0, most: 10.0, ..Pid::default() };
        let mut state = PidState::default();
        state.step(&pid, 20.0, 20.0, 10.0);
        let jump = state.step(&pid, 25.0, 20.0, 10.0);
        assert!((jump - 0.5).abs() < 1e-9, "a setpoint that jumps gives no kick: {jump}");
        let brake = state.step(&pid, 25.0, 21.0, 10.0);
        assert!(brake < 0.0, "a measurement that rises fast holds back: {brake}");
    }

    proptest! {
        #[test]
        fn the_output_stays_in_its_limits(
            errors in proptest::collection::vec((proptest::num::f64::ANY, 0.1..1e4f64), 1..60), gain in -5.0..5.0f64,
        ) {
            let pid = Pid { gain, integral_s: 100.0, derivative_s: 5.0, ..Pid::default() };
            let mut state = PidState::default();
            for (measured, dt_s) in errors {
                let u = state.step(&pid, 20.0, measured, dt_s);
                prop_assert!(u.is_nan() || (0.0..=1.0).contains(&u));
            }
        }
    }
}
