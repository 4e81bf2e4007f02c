//! Setpoints that move: resets along a line, by votes of the zones, heating curves, and slow ramps.

/// A line through two points, level outside of them; the first y where both stand at one x.
pub fn line(x: f64, (x0, y0): (f64, f64), (x1, y1): (f64, f64)) -> f64 {
    if !x.is_finite() || x0 == x1 {
        return y0;
    }
    y0 + ((x - x0) / (x1 - x0)).clamp(0.0, 1.0) * (y1 - y0)
}

/// A heating curve: supply temperature by outdoor temperature.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct HeatingCurve {
    /// Design day: outdoors and supply, °C.
    pub design_c: (f64, f64),
    /// Where heating ends: outdoors and supply (the room's temperature), °C.
    pub limit_c: (f64, f64),
    /// Exponent of the radiators: above 1 the curve bends upwards at mild weather.
    pub power: f64,
}

impl HeatingCurve {
    /// Supply temperature, °C: the output of a radiator is a line in the outdoor temperature, its mean excess
    /// that to the power 1/n. Outdoor temperatures that are no number give that of the design day.
    pub fn supply_c(&self, outdoor_c: f64) -> f64 {
        let load =
            if outdoor_c.is_finite() { line(outdoor_c, (self.design_c.0, 1.0), (self.limit_c.0, 0.0)) } else { 1.0 };
        self.limit_c.1 + (self.design_c.1 - self.limit_c.1) * load.powf(1.0 / self.power.max(0.1))
    }
}

/// A setpoint that zones vote for: it trims one way step by step, and answers requests by going the other
/// way. In the manner of the resets of ASHRAE Guideline 36 (duct pressure, supply air, chilled water).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Votes {
    /// Where it starts and returns to when the plant is off.
    pub start: f64,
    /// Least value.
    pub least: f64,
    /// Most value.
    pub most: f64,
    /// Change every interval without enough requests.
    pub trim: f64,
    /// Change every interval for each request beyond those ignored; of the other sign than `trim`.
    pub respond: f64,
    /// Change by requests in one interval at the most; same sign as `respond`.
    pub most_response: f64,
    /// Requests that are ignored: the odd zone that is never content.
    pub ignored: u32,
    /// Seconds between changes.
    pub every_s: f64,
    /// Seconds after the start in which nothing changes.
    pub delay_s: f64,
}

/// What a setpoint by votes remembers.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct VotesState {
    value: Option<f64>,
    running_s: f64,
    since_s: f64,
}

impl VotesState {
    /// A step of `dt_s` with the plant on or off and so many requests now: the setpoint.
    pub fn step(&mut self, votes: &Votes, on: bool, requests: u32, dt_s: f64) -> f64 {
        if !on {
            *self = Self::default();
            return votes.start;
        }
        let value = self.value.get_or_insert(votes.start);
        self.running_s += dt_s.max(0.0);
        self.since_s += dt_s.max(0.0);
        if self.running_s > votes.delay_s && self.since_s >= votes.every_s {
            self.since_s = 0.0;
            let heard = f64::from(requests.saturating_sub(votes.ignored));
            let response = votes.respond * heard;
            let response = if response.abs() > votes.most_response.abs() { votes.most_response } else { response };
            let change = if heard > 0.0 { votes.trim + response } else { votes.trim };
            *value = (*value + change).clamp(votes.least.min(votes.most), votes.most.max(votes.least));
        }
        *value
    }
}

/// Supply air temperature of an air handling unit: by votes when it is mild, and no warmer than a line in the
/// outdoor temperature allows, so that warm days are dehumidified and cold ones do not overcool.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SupplyAirReset {
    /// Outdoor temperature where it begins to fall, and the setpoint up to there, °C.
    pub mild: (f64, f64),
    /// Outdoor temperature from which it is lowest, and the setpoint there, °C.
    pub warm: (f64, f64),
    /// Votes for more cooling, in the reset's own range; start and most are those of `mild`.
    pub votes: Votes,
}

impl SupplyAirReset {
    /// The usual one: 18 °C up to 16 °C outdoors, 12.5 °C from 21 °C; −0.2 K for a request, +0.1 K every 2 min.
    pub fn usual() -> Self {
        let votes = Votes {
            start: 18.0,
            least: 12.5,
            most: 18.0,
            trim: 0.1,
            respond: -0.2,
            most_response: -0.6,
            ignored: 2,
            every_s: 120.0,
            delay_s: 600.0,
        };
        Self { mild: (16.0, 18.0), warm: (21.0, 12.5), votes }
    }

    /// A step: the setpoint, °C.
    pub fn step(&self, state: &mut VotesState, on: bool, requests: u32, outdoor_c: f64, dt_s: f64) -> f64 {
        let voted = state.step(&self.votes, on, requests, dt_s);
        let by_weather = if outdoor_c.is_finite() { line(outdoor_c, self.mild, self.warm) } else { self.mild.1 };
        voted.min(by_weather)
    }
}

/// Moves a setpoint no faster than `rate` a second.
pub fn ramp(value: f64, target: f64, rate: f64, dt_s: f64) -> f64 {
    if !target.is_finite() {
        return value;
    }
    let reach = (rate.abs() * dt_s).max(0.0);
    value + (target - value).clamp(-reach, reach)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_level_outside() {
        assert_eq!(line(-5.0, (0.0, 60.0), (10.0, 40.0)), 60.0);
        assert_eq!(line(5.0, (0.0, 60.0), (10.0, 40.0)), 50.0);
        assert_eq!(line(50.0, (0.0, 60.0), (10.0, 40.0)), 40.0);
        assert_eq!((line(f64::NAN, (0.0, 60.0), (10.0, 40.0)), line(3.0, (2.0, 1.0), (2.0, 9.0))), (60.0, 1.0));
    }

    #[test]
    fn a_heating_curve_bends() {
        let curve = HeatingCurve { design_c: (-12.0, 70.0), limit_c: (18.0, 20.0), power: 1.3 };
        assert!((curve.supply_c(-12.0) - 70.0).abs() < 1e-12 && (curve.supply_c(25.0) - 20.0).abs() < 1e-12);
        let half = curve.supply_c(3.0);
        assert!((half - (20.0 + 50.0 * 0.5f64.powf(1.0 / 1.3))).abs() < 1e-12 && half > 45.0);
        assert!((curve.supply_c(f64::NAN) - 70.0).abs() < 1e-12, "a lost sensor does not freeze the building");
    }

    #[test]
    fn zones_vote() {
        let votes = Votes {
            start: 120.0,
            least: 30.0,
            most: 300.0,
            trim: -12.0,
            respond: 15.0,
            most_response: 37.0,
            ignored: 2,
            every_s: 120.0,
            delay_s: 600.0,
        };
        let mut state = VotesState::default();
        let mut run = |requests, seconds: f64| {
            let mut value = 0.0;
            for _ in 0..(seconds / 10.0) as usize {
                value = state.step(&votes, true, requests, 10.0);
            }
            value
        };
        assert_eq!(run(9, 600.0), 120.0, "nothing moves in the delay");
        assert_eq!(run(0, 240.0), 96.0);
        assert_eq!(run(3, 120.0), 99.0, "one request beyond those ignored");
        assert_eq!(run(9, 120.0), 124.0, "held to the most in one interval");
        assert_eq!(run(0, 7200.0), 30.0);
        assert_eq!(state.step(&votes, false, 9, 10.0), 120.0, "off: it starts anew");
    }

    #[test]
    fn supply_air_is_cold_when_it_is_warm_or_asked_for() {
        let reset = SupplyAirReset::usual();
        let mut state = VotesState::default();
        let mut run = |requests, outdoor, seconds: f64| {
            let mut value = 0.0;
            for _ in 0..(seconds / 10.0) as usize {
                value = reset.step(&mut state, true, requests, outdoor, 10.0);
            }
            value
        };
        assert_eq!(run(0, 10.0, 1200.0), 18.0);
        assert_eq!(run(0, 25.0, 10.0), 12.5);
        assert!((run(5, 10.0, 1200.0) - (18.0 - 10.0 * 0.5)).abs() < 0.51, "asked for");
        assert!(run(0, f64::NAN, 36_000.0) == 18.0, "back when nobody asks");
    }

    #[test]
    fn ramps() {
        assert_eq!((ramp(20.0, 25.0, 0.01, 60.0), ramp(20.0, 20.1, 0.01, 60.0)), (20.6, 20.1));
        assert_eq!(ramp(20.0, f64::NAN, 0.01, 60.0), 20.0);
    }
}
