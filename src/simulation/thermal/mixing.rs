//! The mixing box of an air handling unit: outdoor air, return air, and dampers between them.

use crate::simulation::psychrometrics::{AirStream, mix};

/// A stream of air with what people breathe into it.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct RoomAir {
    /// The air.
    pub air: AirStream,
    /// CO₂, ppm by volume.
    pub co2_ppm: f64,
}

/// Mixes outdoor and return air to a supply of `dry_kg_s`: the share of outdoor air is 0..1. What turns to
/// fog drips off; kg/s, the second value.
pub fn mixing_box(outdoor: RoomAir, back: RoomAir, share: f64, dry_kg_s: f64, pressure_pa: f64) -> (RoomAir, f64) {
    let share = if share.is_finite() { share.clamp(0.0, 1.0) } else { 0.0 };
    let part = |of: RoomAir, share: f64| AirStream { dry_kg_s: dry_kg_s.max(0.0) * share, ..of.air };
    let (air, rain) = mix(&[part(outdoor, share), part(back, 1.0 - share)], pressure_pa);
    (RoomAir { air, co2_ppm: share * outdoor.co2_ppm + (1.0 - share) * back.co2_ppm }, rain)
}

/// Share of outdoor air that measured temperatures (or CO₂) say: `(return − mixed)/(return − outdoor)`. None
/// where the two are too near (`least` apart) to tell, in the unit of the values.
pub fn outdoor_share(outdoor: f64, back: f64, mixed: f64, least: f64) -> Option<f64> {
    let apart = back - outdoor;
    (apart.abs() >= least && mixed.is_finite()).then(|| ((back - mixed) / apart).clamp(0.0, 1.0))
}

/// Share of outdoor air that brings the mixture of two temperatures to a wanted one, held to a least
/// share; the least share where outdoor air is of no use.
pub fn share_for(wanted_c: f64, outdoor_c: f64, return_c: f64, least: f64) -> f64 {
    let least = least.clamp(0.0, 1.0);
    outdoor_share(outdoor_c, return_c, wanted_c, 0.1)
        .filter(|_| (wanted_c - return_c) * (outdoor_c - return_c) > 0.0)
        .unwrap_or(0.0)
        .clamp(least, 1.0)
}

/// Outdoor and return air for a damper that is open by 0..1, from the share of outdoor air at rest, when both
/// dampers follow `R^(x−1)` blades (see [`characteristic`](crate::simulation::controls::valve)): a line is
/// the ideal that mixing boxes are sized for, and many are nearer to the curve that `authority` 0..1 gives.
pub fn damper_share(position: f64, authority: f64) -> f64 {
    let x = if position.is_finite() { position.clamp(0.0, 1.0) } else { 0.0 };
    let a = authority.clamp(0.01, 1.0);
    // Installed flow of a linear blade in series with a fixed resistance.
    x / (a + (1.0 - a) * x * x).sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::simulation::psychrometrics::{STANDARD_PA, ratio_at};

    fn room_air(celsius: f64, humidity: f64, co2_ppm: f64) -> RoomAir {
        RoomAir { air: AirStream { dry_kg_s: 1.0, celsius, ratio: ratio_at(celsius, humidity, STANDARD_PA) }, co2_ppm }
    }

    #[test]
    fn a_box_keeps_heat_water_and_gas() {
        let (outdoor, back) = (room_air(2.0, 0.7, 420.0), room_air(22.0, 0.4, 900.0));
        let (mixed, rain) = mixing_box(outdoor, back, 0.3, 2.5, STANDARD_PA);
        assert!(rain == 0.0 && (mixed.air.dry_kg_s - 2.5).abs() < 1e-12 && (mixed.co2_ppm - 756.0).abs() < 1e-9);
        let enthalpy = 2.5 * (0.3 * outdoor.air.enthalpy_w() + 0.7 * back.air.enthalpy_w());
        assert!((mixed.air.enthalpy_w() - enthalpy).abs() < 1e-6);
        // Measured afterwards, temperature says nearly the same share, CO₂ exactly.
        let by_temperature = outdoor_share(2.0, 22.0, mixed.air.celsius, 2.0).unwrap();
        assert!((by_temperature - 0.3).abs() < 0.003, "{by_temperature}");
        assert!((outdoor_share(420.0, 900.0, mixed.co2_ppm, 50.0).unwrap() - 0.3).abs() < 1e-12);
        assert_eq!(outdoor_share(21.5, 22.0, 21.8, 2.0), None);
        assert_eq!(outdoor_share(2.0, 22.0, f64::NAN, 2.0), None);
    }

    #[test]
    fn shares_for_free_cooling() {
        assert!((share_for(14.0, 4.0, 24.0, 0.15) - 0.5).abs() < 1e-12);
        assert_eq!(share_for(14.0, -30.0, 24.0, 0.25), 0.25, "cold air: the least share is enough");
        assert_eq!(share_for(14.0, 18.0, 24.0, 0.15), 1.0, "all of it and still not cold enough");
        assert_eq!(share_for(14.0, 30.0, 24.0, 0.15), 0.15, "warm air is of no use");
    }

    #[test]
    fn dampers() {
        assert_eq!((damper_share(0.0, 0.5), damper_share(1.0, 0.5)), (0.0, 1.0));
        assert!((damper_share(0.4, 1.0) - 0.4).abs() < 1e-12 && damper_share(0.4, 0.1) > 0.7);
        assert_eq!(damper_share(f64::NAN, 0.5), 0.0);
    }
}
