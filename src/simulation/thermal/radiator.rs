//! Radiators and convectors by EN 442.
//!
//! Output goes with the logarithmic mean excess of the water over the room to a power n (characteristic
//! equation; n about 1.3 for radiators, 1.25 to 1.5 for convectors, 1.1 for floors), rated at 75/65/20 °C.

use super::bisect;

/// A radiator as it was tested.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Radiator {
    /// Output at its rating, W.
    pub rated_w: f64,
    /// Exponent.
    pub power: f64,
    /// Rating: supply, return, room, °C.
    pub rating_c: (f64, f64, f64),
}

/// What a radiator does.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct RadiatorResult {
    /// Heat to the room, W.
    pub heat_w: f64,
    /// Water that leaves, °C.
    pub return_c: f64,
}

impl Radiator {
    /// Rated at 75/65/20 °C with the exponent 1.3.
    pub fn new(rated_w: f64) -> Self {
        Self { rated_w, power: 1.3, rating_c: (75.0, 65.0, 20.0) }
    }

    /// Output for supply, return and room temperatures, W; zero where the water is not warmer than the room.
    pub fn output_w(&self, supply_c: f64, return_c: f64, room_c: f64) -> f64 {
        let (s, r, t) = self.rating_c;
        let mean = log_mean(supply_c - room_c, return_c - room_c);
        let rated = log_mean(s - t, r - t);
        if mean > 0.0 && rated > 0.0 { self.rated_w * (mean / rated).powf(self.power) } else { 0.0 }
    }

    /// Water of a heat capacity flow (W/K) through it: it cools until what it loses is what the room gets.
    /// Water that is colder than the room takes nothing from it (a valve would be shut).
    pub fn run(&self, supply_c: f64, w_k: f64, room_c: f64) -> RadiatorResult {
        if !(supply_c > room_c && w_k > 0.0) {
            return RadiatorResult { heat_w: 0.0, return_c: supply_c };
        }
        let return_c = bisect(room_c, supply_c, true, |r| self.output_w(supply_c, r, room_c) - w_k * (supply_c - r));
        RadiatorResult { heat_w: w_k * (supply_c - return_c), return_c }
    }

    /// Heat capacity flow that gives an output, W/K; none where no flow does.
    pub fn flow_for(&self, heat_w: f64, supply_c: f64, room_c: f64) -> Option<f64> {
        if heat_w <= 0.0 {
            return Some(0.0);
        }
        if heat_w >= self.output_w(supply_c, supply_c, room_c) {
            return None;
        }
        let return_c = bisect(room_c, supply_c, true, |r| self.output_w(supply_c, r, room_c) - heat_w);
        Some(heat_w / (supply_c - return_c))
    }
}

/// Logarithmic mean of two differences; zero when one of them is not above zero.
pub fn log_mean(a: f64, b: f64) -> f64 {
    if !(a > 0.0 && b > 0.0) {
        0.0
    } else if (a / b - 1.0).abs() < 1e-6 {
        0.5 * (a + b)
    } else {
        (a - b) / (a / b).ln()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn at_its_rating() {
        let r = Radiator::new(1500.0);
        assert!((r.output_w(75.0, 65.0, 20.0) - 1500.0).abs() < 1e-9);
        let run = r.run(75.0, 150.0, 20.0);
        assert!((run.heat_w - 1500.0).abs() < 1e-6 && (run.return_c - 65.0).abs() < 1e-9);
        // Tables of makers: 55/45/20 °C gives 51 % of 75/65/20 °C, 90/70/20 °C 125 %.
        assert!((r.output_w(55.0, 45.0, 20.0) / 1500.0 - 0.51).abs() < 0.01);
        assert!((r.output_w(90.0, 70.0, 20.0) / 1500.0 - 1.25).abs() < 0.03);
    }

    #[test]
    fn cold_water_and_no_water() {
        let r = Radiator::new(1500.0);
        assert_eq!(r.run(18.0, 100.0, 20.0), RadiatorResult { heat_w: 0.0, return_c: 18.0 });
        assert_eq!(r.run(60.0, 0.0, 20.0).heat_w, 0.0);
        assert_eq!(r.run(f64::NAN, 10.0, 20.0).heat_w, 0.0);
        assert_eq!(r.flow_for(5000.0, 60.0, 20.0), None);
        assert_eq!(log_mean(10.0, -1.0), 0.0);
    }

    proptest! {
        #[test]
        fn what_the_water_loses_the_room_gets(supply in 25.0..90.0f64, w_k in 0.5..1000.0f64, room in 10.0..24.0f64) {
            let r = Radiator::new(2000.0);
            let run = r.run(supply, w_k, room);
            prop_assert!((r.output_w(supply, run.return_c, room) - run.heat_w).abs() < 1e-4 * run.heat_w + 1e-6);
            prop_assert!(run.return_c >= room && run.return_c <= supply);
            if let Some(back) = r.flow_for(run.heat_w, supply, room) {
                prop_assert!((back / w_k - 1.0).abs() < 1e-3 || run.return_c - room < 0.01 || supply - run.return_c < 0.01);
            }
        }
    }
}
