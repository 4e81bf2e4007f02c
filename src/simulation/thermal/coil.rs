//! Air coils with water inside: heating, cooling, and cooling with condensation.
//!
//! Dry: ε-NTU. Wet: the effectiveness method of Braun, Klein and Mitchell, "Effectiveness models for cooling
//! towers and cooling coils", ASHRAE Transactions 95(2), 1989: the enthalpy of the air is exchanged with that
//! of saturated air at the water's temperature, by a saturation specific heat `cs = Δhs/Δt` in place of
//! the water's own. A coil is dry or wet as a whole, whichever takes more heat: at most 5 % less than a coil
//! that is dry in part.

use super::bisect;
use super::exchanger::{Arrangement, Films, exchange};
use crate::simulation::psychrometrics::{
    AirStream, LIQUID_J_KG_K, celsius_at_enthalpy, enthalpy_j_kg, mix, ratio_at_enthalpy, relative_humidity,
    saturation_celsius_at_enthalpy, saturation_enthalpy_j_kg, saturation_ratio, specific_heat_j_kg_k,
};

/// A coil as it was built.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Coil {
    /// Its films; the first is the air's.
    pub films: Films,
    /// How air and water pass; many rows come near to [`Arrangement::Counter`].
    pub arrangement: Arrangement,
    /// Dry air at which the films are nominal, kg/s.
    pub air_kg_s: f64,
    /// Water at which the films are nominal, kg/s.
    pub water_kg_s: f64,
}

/// What a coil does.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct CoilResult {
    /// Heat that the water gives to the air, W; negative when it cools, the latent part and the condensate's
    /// heat in it.
    pub heat_w: f64,
    /// The part of it that condenses moisture, W; never positive.
    pub latent_w: f64,
    /// Air that leaves.
    pub air: AirStream,
    /// Water that leaves, °C.
    pub water_c: f64,
    /// Water that drips off, kg/s.
    pub condensate_kg_s: f64,
    /// Mean temperature of the surface that the air meets, °C.
    pub surface_c: f64,
    /// True when it takes moisture out of the air.
    pub wet: bool,
}

/// Conditions that a coil was sized for.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct CoilDesign {
    /// Air that enters.
    pub air: AirStream,
    /// Water that enters, °C.
    pub water_c: f64,
    /// Water, kg/s.
    pub water_kg_s: f64,
    /// Heat to the air, W; negative for a cooling coil.
    pub heat_w: f64,
    /// Pressure of the air, Pa.
    pub pressure_pa: f64,
}

impl Coil {
    /// A coil that does what its design says: with 60 % of the dry resistance on the air's side, exponents
    /// 0.5 (fins) and 0.8 (turbulent tubes). None when no surface could do it.
    pub fn sized(design: &CoilDesign, water_j_kg_k: f64) -> Option<Self> {
        let with = |ua: f64| Self {
            films: Films::from_ua(ua, 0.6, 0.5, 0.8),
            arrangement: Arrangement::Counter,
            air_kg_s: design.air.dry_kg_s,
            water_kg_s: design.water_kg_s,
        };
        let reached = |ua: f64| {
            let r = with(ua).run(design.air, (design.water_c, design.water_kg_s), water_j_kg_k, design.pressure_pa);
            r.heat_w / design.heat_w
        };
        let most = 1000.0 * (design.air.dry_kg_s * 1006.0).max(design.water_kg_s * water_j_kg_k);
        if !(most > 0.0 && design.heat_w.abs() > 0.0 && reached(most) >= 1.0) {
            return None;
        }
        Some(with(bisect(0.0, most, true, |ua| reached(ua) - 1.0)))
    }

    /// Air and water (°C, kg/s) through the coil. Specific heat of the water in J/(kg·K), pressure in Pa.
    pub fn run(&self, air: AirStream, water: (f64, f64), water_j_kg_k: f64, pressure_pa: f64) -> CoilResult {
        let (water_c, water_kg_s) = water;
        let still = CoilResult { air, water_c, surface_c: air.celsius, ..CoilResult::default() };
        if !(air.dry_kg_s > 0.0 && water_kg_s > 0.0 && water_c.is_finite() && air.celsius.is_finite()) {
            return still;
        }
        let (air_film, water_film) = self.films.at(air.dry_kg_s / self.air_kg_s, water_kg_s / self.water_kg_s);
        let water_film = 1.0 / (1.0 / water_film + self.films.wall_k_w.max(0.0));
        let capacity = water_kg_s * water_j_kg_k;
        let cp = specific_heat_j_kg_k(air.ratio);
        let ua = if air_film > 0.0 && water_film > 0.0 { 1.0 / (1.0 / air_film + 1.0 / water_film) } else { 0.0 };
        let dry = exchange(self.arrangement, ua, (capacity, water_c), (air.dry_kg_s * cp, air.celsius));
        let surface_c = |heat: f64, mean_water: f64| mean_water - heat / water_film;
        let dry_result = CoilResult {
            heat_w: dry.heat_w,
            air: AirStream { celsius: dry.second_c, ..air },
            water_c: dry.first_c,
            surface_c: surface_c(dry.heat_w, 0.5 * (water_c + dry.first_c)),
            ..still
        };
        // Saturated at the coldest that the water can be: no drop.
        if ua <= 0.0 || saturation_ratio(water_c, pressure_pa) >= air.ratio || water_c >= air.celsius {
            return dry_result;
        }
        let wet = self.wet(air, water, capacity, (air_film, water_film), pressure_pa);
        let mut otherwise = dry_result;
        if air.ratio > saturation_ratio(dry_result.air.celsius, pressure_pa) {
            // Wet at its end: the dry coil's heat, and what the air cannot hold at that enthalpy drips off.
            let total = -dry_result.heat_w;
            let leaving = enthalpy_j_kg(air.celsius, air.ratio) - total / air.dry_kg_s;
            let celsius = saturation_celsius_at_enthalpy(leaving, pressure_pa);
            let ratio = saturation_ratio(celsius, pressure_pa).min(air.ratio);
            let left = AirStream { celsius, ratio, ..air };
            otherwise = drained(&dry_result, left, air.ratio, total, water_c, capacity);
        }
        if wet.condensate_kg_s > 0.0 && wet.heat_w < otherwise.heat_w { wet } else { otherwise }
    }

    fn wet(&self, air: AirStream, water: (f64, f64), capacity: f64, films: (f64, f64), pressure_pa: f64) -> CoilResult {
        let (air_film, water_film) = films;
        let water_c = water.0;
        let cp = specific_heat_j_kg_k(air.ratio);
        let entering = enthalpy_j_kg(air.celsius, air.ratio);
        let saturated = |t: f64| saturation_enthalpy_j_kg(t, pressure_pa);
        // Heat for a leaving water temperature, by the secant of the saturation enthalpy between the ends.
        let by = |leaving_c: f64| {
            let cs = (saturated(leaving_c.max(water_c + 1e-3)) - saturated(water_c)) / (leaving_c - water_c).max(1e-3);
            // The films in terms of enthalpy: cs/(U water side) + cp/(U air side), all times the air.
            let ua = 1.0 / (cs / water_film + cp / air_film);
            let water_side = capacity / cs;
            let (least, most) = (air.dry_kg_s.min(water_side), air.dry_kg_s.max(water_side));
            let effectiveness = self.arrangement.effectiveness(ua / least, least / most);
            effectiveness * least * (entering - saturated(water_c))
        };
        let warmest = air.celsius.max(water_c + 1e-3);
        let leaving_c = bisect(water_c, warmest, true, |t| capacity * (t - water_c) - by(t));
        let total = by(leaving_c);
        let leaving = entering - total / air.dry_kg_s;
        // The air nears one effective surface, with the units of its own film.
        let contact = -(-air_film / (air.dry_kg_s * cp)).exp_m1();
        let surface_h = entering - (entering - leaving) / contact.max(1e-9);
        let surface_c = saturation_celsius_at_enthalpy(surface_h, pressure_pa);
        let mut celsius = surface_c + (air.celsius - surface_c) * (1.0 - contact);
        let mut ratio = ratio_at_enthalpy(celsius, leaving).min(air.ratio);
        if ratio > saturation_ratio(celsius, pressure_pa) {
            celsius = saturation_celsius_at_enthalpy(leaving, pressure_pa);
            ratio = saturation_ratio(celsius, pressure_pa).min(air.ratio);
        }
        if ratio >= air.ratio {
            celsius = celsius_at_enthalpy(leaving, air.ratio);
        }
        let surface = CoilResult { surface_c, ..CoilResult::default() };
        drained(&surface, AirStream { celsius, ratio, ..air }, air.ratio, total, water_c, capacity)
    }

    /// A coil with part of its air passing by untouched, 0..1: face and bypass dampers, leaking frames.
    pub fn run_with_bypass(
        &self,
        air: AirStream,
        bypass: f64,
        water: (f64, f64),
        water_j_kg_k: f64,
        pressure_pa: f64,
    ) -> CoilResult {
        let share = bypass.clamp(0.0, 1.0);
        let part = |share: f64| AirStream { dry_kg_s: air.dry_kg_s * share, ..air };
        let mut result = self.run(part(1.0 - share), water, water_j_kg_k, pressure_pa);
        result.air = mix(&[result.air, part(share)], pressure_pa).0;
        result
    }
}

/// What comes of air that loses `total` and its moisture above what it leaves with. The condensate takes its
/// own little heat along at the temperature of the surface: what is left of the air's loss goes to the water.
fn drained(
    surface: &CoilResult,
    air: AirStream,
    entering_ratio: f64,
    total: f64,
    water_c: f64,
    capacity: f64,
) -> CoilResult {
    let surface_c = surface.surface_c;
    let condensate_kg_s = air.dry_kg_s * (entering_ratio - air.ratio);
    let latent_w = -condensate_kg_s * (2_501_000.0 + 1860.0 * air.celsius - LIQUID_J_KG_K * surface_c);
    let heat_w = -(total - condensate_kg_s * LIQUID_J_KG_K * surface_c);
    CoilResult { heat_w, latent_w, air, water_c: water_c - heat_w / capacity, condensate_kg_s, surface_c, wet: true }
}

/// Sensible heat ratio of what a coil does: 1 for a dry one.
pub fn sensible_share(result: &CoilResult) -> f64 {
    if result.heat_w == 0.0 { 1.0 } else { 1.0 - result.latent_w / result.heat_w }
}

/// Relative humidity of the air that leaves a coil, 0..1.
pub fn leaving_humidity(result: &CoilResult, pressure_pa: f64) -> f64 {
    relative_humidity(result.air.celsius, result.air.ratio, pressure_pa)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::simulation::psychrometrics::{STANDARD_PA, ratio_at};
    use proptest::prelude::*;

    const CP: f64 = 4190.0;

    fn air(dry_kg_s: f64, celsius: f64, humidity: f64) -> AirStream {
        AirStream { dry_kg_s, celsius, ratio: ratio_at(celsius, humidity, STANDARD_PA) }
    }

    /// A cooling coil of 27 °C, 50 % air to about 13 °C with water of 6 °C.
    fn cooling() -> Coil {
        let design = CoilDesign {
            air: air(2.0, 27.0, 0.5),
            water_c: 6.0,
            water_kg_s: 1.9,
            heat_w: -44_000.0,
            pressure_pa: STANDARD_PA,
        };
        Coil::sized(&design, CP).unwrap()
    }

    #[test]
    fn a_sized_coil_does_what_it_was_sized_for() {
        let r = cooling().run(air(2.0, 27.0, 0.5), (6.0, 1.9), CP, STANDARD_PA);
        assert!((r.heat_w + 44_000.0).abs() < 1.0 && r.wet, "{r:?}");
        assert!(r.air.celsius > 11.0 && r.air.celsius < 15.0 && leaving_humidity(&r, STANDARD_PA) > 0.85, "{r:?}");
        assert!(sensible_share(&r) > 0.55 && sensible_share(&r) < 0.8, "{}", sensible_share(&r));
        let heating = CoilDesign {
            air: air(2.0, 5.0, 0.5),
            water_c: 70.0,
            water_kg_s: 0.4,
            heat_w: 30_000.0,
            pressure_pa: STANDARD_PA,
        };
        let r = Coil::sized(&heating, CP).unwrap().run(heating.air, (70.0, 0.4), CP, STANDARD_PA);
        assert!((r.heat_w - 30_000.0).abs() < 1.0 && !r.wet && r.air.ratio == heating.air.ratio);
        // No surface warms air above the water.
        assert!(Coil::sized(&CoilDesign { heat_w: 200_000.0, ..heating }, CP).is_none());
    }

    #[test]
    fn dry_air_leaves_the_coil_dry() {
        let r = cooling().run(air(2.0, 27.0, 0.15), (6.0, 1.9), CP, STANDARD_PA);
        assert!(!r.wet && r.condensate_kg_s == 0.0 && r.latent_w == 0.0 && r.heat_w < 0.0, "{r:?}");
        assert_eq!(sensible_share(&r), 1.0);
    }

    #[test]
    fn the_wet_coil_against_one_cut_into_many_pieces() {
        // The same films, 400 pieces in counter flow, each in the local enthalpy balance: the reference that
        // an effectiveness method approximates.
        let coil = cooling();
        let entering = air(2.0, 27.0, 0.6);
        let r = coil.run(entering, (6.0, 1.9), CP, STANDARD_PA);
        let n = 400;
        let march = |leaving_c: f64| {
            // From the air's entry, where the water leaves.
            let (mut a, mut w) = (entering, leaving_c);
            let (film_a, film_w) = (coil.films.first_w_k / f64::from(n), coil.films.second_w_k / f64::from(n));
            for _ in 0..n {
                let cp = specific_heat_j_kg_k(a.ratio);
                let h = enthalpy_j_kg(a.celsius, a.ratio);
                let balance = |s: f64| {
                    let hs = saturation_enthalpy_j_kg(s, STANDARD_PA);
                    film_w * (s - w) - film_a / cp * (h - hs).max(film_a.min(0.0))
                };
                let s = bisect(w, a.celsius, true, balance);
                let dried = film_a / cp * (a.ratio - saturation_ratio(s, STANDARD_PA)).max(0.0);
                let q = film_w * (s - w);
                a = AirStream {
                    celsius: a.celsius - film_a * (a.celsius - s) / (a.dry_kg_s * cp),
                    ratio: a.ratio - dried / a.dry_kg_s,
                    ..a
                };
                w -= q / (1.9 * CP);
            }
            (w, a)
        };
        let leaving_c = bisect(6.0, 27.0, true, |t| march(t).0 - 6.0);
        let (_, a) = march(leaving_c);
        let heat = 1.9 * CP * (leaving_c - 6.0);
        assert!((heat / -r.heat_w - 1.0).abs() < 0.03, "{heat} {r:?}");
        assert!((a.celsius - r.air.celsius).abs() < 0.5 && (a.ratio / r.air.ratio - 1.0).abs() < 0.03, "{a:?} {r:?}");
    }

    #[test]
    fn a_coil_at_rest_and_one_that_is_passed_by() {
        let coil = cooling();
        assert_eq!(coil.run(air(0.0, 27.0, 0.5), (6.0, 1.9), CP, STANDARD_PA).heat_w, 0.0);
        assert_eq!(coil.run(air(2.0, 27.0, 0.5), (6.0, 0.0), CP, STANDARD_PA).heat_w, 0.0);
        assert_eq!(coil.run(air(2.0, 27.0, 0.5), (f64::NAN, 1.0), CP, STANDARD_PA).heat_w, 0.0);
        let all = coil.run_with_bypass(air(2.0, 27.0, 0.5), 0.0, (6.0, 1.9), CP, STANDARD_PA);
        let half = coil.run_with_bypass(air(2.0, 27.0, 0.5), 0.5, (6.0, 1.9), CP, STANDARD_PA);
        assert!(half.heat_w > all.heat_w && half.air.celsius > all.air.celsius && half.air.dry_kg_s == 2.0);
    }

    proptest! {
        #[test]
        fn water_and_heat_close(
            flow in 0.3..3.0f64, t in 18.0..36.0f64, humidity in 0.2..0.95f64, water_c in 3.0..16.0f64, water in 0.2..3.0f64,
        ) {
            let a = air(flow, t, humidity);
            let r = cooling().run(a, (water_c, water), CP, STANDARD_PA);
            let condensate = r.condensate_kg_s * LIQUID_J_KG_K * r.surface_c;
            let closing = a.enthalpy_w() - r.air.enthalpy_w() - condensate + r.heat_w;
            prop_assert!(closing.abs() < 1e-6 * a.enthalpy_w(), "{closing} W, {:?}", r);
            prop_assert!((a.dry_kg_s * (a.ratio - r.air.ratio) - r.condensate_kg_s).abs() < 1e-12);
            prop_assert!((water * CP * (r.water_c - water_c) + r.heat_w).abs() < 1e-6 * (1.0 - r.heat_w));
            prop_assert!(r.air.celsius >= water_c - 1e-9 && r.air.celsius <= t + 1e-9 && r.water_c <= t + 1e-6);
            prop_assert!(leaving_humidity(&r, STANDARD_PA) <= 1.0 + 1e-6);
            // More moisture takes no heat away from the coil's work, but for the condensate's own where it
            // begins to drip.
            let damp = cooling().run(air(flow, t, (humidity + 0.05).min(1.0)), (water_c, water), CP, STANDARD_PA);
            prop_assert!(damp.heat_w <= r.heat_w + 0.01 * r.heat_w.abs(), "{:?} {:?}", r, damp);
        }
    }
}
