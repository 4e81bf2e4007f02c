//! What samples of a point should be like, by what it measures, unless its project says more.
//!
//! Nothing is doubted that a sound plant does: a pump that starts jumps, a setpoint and a closed valve stay the same
//! for months, a heating coil becomes ten times as warm. So spikes, dead sensors and wrong units are looked for only
//! where air or weather is measured, which moves slowly, and steps, rates and flat lines elsewhere where a template
//! names them (`spike`, `max_per_min`, `flat_after_s`).

use super::checks::Known;
use crate::site::Point;
use crate::site::project::Ingest;
use crate::site::unit::Quantity;

/// A clock that is wrong by more than two minutes is told of.
const SKEW_S: f64 = 120.0;
/// What was kept back came at least so much later, seconds.
const LATE_S: f64 = 600.0;
/// A sensor of air says something new within a day.
const FLAT_S: f64 = 86_400.0;

/// What is known of a point.
pub fn known(point: &Point, ingest: &Ingest) -> Known {
    let (own, quantity) = (&point.watch, point.unit.quantity);
    let is = |words: &[&str]| words.iter().any(|w| point.role.contains(w));
    let set = is(&["setpoint", "command", "target", "mode", "enable"]);
    let counter = own.counter.unwrap_or(match quantity {
        Quantity::Energy => true,
        Quantity::Volume => is(&["meter", "counter", "total"]),
        _ => false,
    });
    let air = !set && is(&["zone", "room", "space", "outdoor", "outside", "weather"]);
    let (spike, flat_s) = match quantity {
        Quantity::Temperature if air => (Some(4.0), Some(FLAT_S)),
        Quantity::Concentration if air => (Some(1500.0), Some(FLAT_S)),
        _ => (None, None),
    };
    Known {
        period_s: point.period_s,
        expected: point.expected,
        possible: own.possible.or_else(|| possible(quantity, point.expected)),
        rate_per_s: own.rate_per_s,
        spike: own.spike.or(spike),
        late_s: LATE_S.max(3.0 * point.period_s),
        flat_s: own.flat_s.or(flat_s),
        // Only what leaves its range is looked at.
        units: point.expected.is_some() && !set,
        celsius: quantity == Quantity::Temperature && air,
        counter,
        rolls_at: own.rolls_at.filter(|_| counter),
        future_s: ingest.max_future_s,
        skew_s: SKEW_S.max(3.0 * point.period_s),
    }
}

/// Outside of this nothing in or at a building is; what a project expects is possible.
fn possible(quantity: Quantity, expected: Option<[f64; 2]>) -> Option<[f64; 2]> {
    let [low, high] = match quantity {
        Quantity::Temperature => [-273.15, 3000.0],
        Quantity::Concentration => [0.0, 1e6],
        Quantity::Illuminance => [0.0, 2e5],
        Quantity::Frequency => [0.0, 1e6],
        _ => return None,
    };
    let [least, most] = expected.unwrap_or([low, high]);
    Some([low.min(least), high.max(most)])
}

#[cfg(test)]
mod tests {
    use super::super::checks::{Doubt, Watch};
    use super::super::testing::point;
    use super::*;
    use crate::quality::Quality;
    use crate::time::Time;

    fn of(role: &str, unit: &str) -> Known {
        known(&point("t/a", role, unit), &Ingest::default())
    }

    #[test]
    fn what_a_sound_plant_does_is_not_odd() {
        for (role, unit) in [
            ("zone_setpoint", "Cel"),
            ("command", "%"),
            ("running", "1"),
            ("supply_temperature", "Cel"),
            ("flow", "m3/h"),
            ("power", "kW"),
            ("differential_pressure", "Pa"),
        ] {
            let known = of(role, unit);
            let mut watch = Watch::default();
            for i in 0..2000i64 {
                // Off for hours, on at a tenth, then at all of it; and the same for days.
                let value = [0.0, 5.0, 50.0, 50.0][(i / 500) as usize];
                let time = Time(60_000 * i);
                let looked = watch.look(&known, time, Time(time.0 + 300), value, Quality::Good);
                assert_eq!(looked.quality, Quality::Good, "{role} {i}: {:?}", looked.doubts);
            }
        }
    }

    #[test]
    fn a_room_that_is_read_in_fahrenheit_is_found_and_a_meter_counts() {
        let mut room = of("zone_temperature", "Cel");
        room.expected = Some([5.0, 45.0]);
        assert!(room.celsius && room.spike == Some(4.0) && !room.counter);
        assert!(of("energy", "kW.h").counter && !of("volume", "m3").counter && of("meter_volume", "m3").counter);
        let mut watch = Watch::default();
        let mut last = None;
        for i in 0..60i64 {
            let celsius = 21.0 + 0.05 * (i as f64).sin();
            let value = if i >= 30 { 1.8 * celsius + 32.0 } else { celsius };
            last = Some(watch.look(&room, Time(5000 * i), Time(5000 * i), value, Quality::Good));
        }
        let last = last.unwrap();
        assert!(last.doubts.has(Doubt::Fahrenheit) && last.quality == Quality::UncertainRange, "{:?}", last.doubts);
    }

    #[test]
    fn what_the_project_says_counts() {
        let mut valve = point("t/a", "position", "%");
        valve.watch.rate_per_s = Some(0.01);
        valve.watch.possible = Some([-0.05, 1.05]);
        valve.watch.flat_s = Some(60.0);
        let known = known(&valve, &Ingest::default());
        let facts = (known.rate_per_s, known.possible, known.flat_s, known.spike);
        assert_eq!(facts, (Some(0.01), Some([-0.05, 1.05]), Some(60.0), None));
    }
}
