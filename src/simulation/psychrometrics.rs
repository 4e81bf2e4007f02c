//! Moist air: what its temperature, moisture and pressure say of each other.
//!
//! Equations of the ASHRAE Handbook Fundamentals 2017 (the same in 2021), SI, chapter 1 "Psychrometrics";
//! the saturation pressure is that of Hyland and Wexler (1983). Temperatures are in °C, pressures in Pa,
//! the humidity ratio in kg of water a kg of dry air, relative humidity 0..1. No input panics; what no air
//! can be (a vapour pressure above that of the air) is held at the edge of what it can.

/// Standard pressure at sea level, Pa.
pub const STANDARD_PA: f64 = 101_325.0;
/// Molar mass of water over that of dry air (equation 20).
const MASS_RATIO: f64 = 0.621_945;
/// Where water and ice meet, °C.
const TRIPLE_C: f64 = 0.01;

/// The logarithm of the saturation pressure, and its slope by temperature, 1/K.
fn ln_saturation(celsius: f64) -> (f64, f64) {
    let t = celsius.clamp(-100.0, 200.0) + 273.15;
    if celsius <= TRIPLE_C {
        let (c1, c2, c3, c4) = (-5.674_535_9e3, 6.392_524_7, -9.677_843_0e-3, 6.221_570_1e-7);
        let (c5, c6, c7) = (2.074_782_5e-9, -9.484_024_0e-13, 4.163_501_9);
        (
            c1 / t + c2 + t * (c3 + t * (c4 + t * (c5 + t * c6))) + c7 * t.ln(),
            -c1 / (t * t) + c3 + t * (2.0 * c4 + t * (3.0 * c5 + t * 4.0 * c6)) + c7 / t,
        )
    } else {
        let (c8, c9, c10) = (-5.800_220_6e3, 1.391_499_3, -4.864_023_9e-2);
        let (c11, c12, c13) = (4.176_476_8e-5, -1.445_209_3e-8, 6.545_967_3);
        (
            c8 / t + c9 + t * (c10 + t * (c11 + t * c12)) + c13 * t.ln(),
            -c8 / (t * t) + c10 + t * (2.0 * c11 + t * 3.0 * c12) + c13 / t,
        )
    }
}

/// Saturation pressure of water vapour over ice (equation 5) or water (6), Pa; -100 to 200 °C.
pub fn saturation_pa(celsius: f64) -> f64 {
    ln_saturation(celsius).0.exp()
}

/// Humidity ratio of air with a vapour pressure (equation 20), kg/kg.
pub fn humidity_ratio(vapour_pa: f64, pressure_pa: f64) -> f64 {
    let vapour_pa = vapour_pa.max(0.0).min(0.99 * pressure_pa);
    MASS_RATIO * vapour_pa / (pressure_pa - vapour_pa)
}

/// Vapour pressure of air with a humidity ratio (equation 36), Pa.
pub fn vapour_pa(humidity_ratio: f64, pressure_pa: f64) -> f64 {
    let w = humidity_ratio.max(0.0);
    pressure_pa * w / (MASS_RATIO + w)
}

/// Humidity ratio of saturated air (equation 21), kg/kg.
pub fn saturation_ratio(celsius: f64, pressure_pa: f64) -> f64 {
    humidity_ratio(saturation_pa(celsius), pressure_pa)
}

/// [`saturation_ratio`], and its slope by temperature, kg/(kg·K).
pub fn saturation_ratio_and_slope(celsius: f64, pressure_pa: f64) -> (f64, f64) {
    let (ln, slope) = ln_saturation(celsius);
    let vapour_pa = ln.exp().min(0.99 * pressure_pa);
    let dry_pa = pressure_pa - vapour_pa;
    (MASS_RATIO * vapour_pa / dry_pa, MASS_RATIO * pressure_pa * vapour_pa * slope / (dry_pa * dry_pa))
}

/// Relative humidity (equations 12 and 36); above 1 for what would be fog.
pub fn relative_humidity(celsius: f64, humidity_ratio: f64, pressure_pa: f64) -> f64 {
    vapour_pa(humidity_ratio, pressure_pa) / saturation_pa(celsius)
}

/// Humidity ratio of air with a relative humidity (equations 12 and 20), kg/kg.
pub fn ratio_at(celsius: f64, relative_humidity: f64, pressure_pa: f64) -> f64 {
    humidity_ratio(relative_humidity.max(0.0) * saturation_pa(celsius), pressure_pa)
}

/// Dew point, °C: where the vapour pressure is that of saturation. Begins with equations 37 and 38 and
/// ends on the saturation pressure itself. Air without moisture has the lowest that is known, -100 °C.
pub fn dew_point_c(humidity_ratio: f64, pressure_pa: f64) -> f64 {
    let vapour_pa = vapour_pa(humidity_ratio, pressure_pa);
    if vapour_pa < saturation_pa(-100.0) {
        return -100.0;
    }
    let kpa = vapour_pa / 1000.0;
    let a = kpa.ln();
    let warm = 6.54 + a * (14.526 + a * (0.7389 + a * 0.09486)) + 0.4569 * kpa.powf(0.1984);
    let mut celsius = if warm > 0.0 { warm } else { 6.09 + a * (12.608 + a * 0.4959) };
    let wanted = vapour_pa.ln();
    for _ in 0..8 {
        let (ln, slope) = ln_saturation(celsius);
        let step = (wanted - ln) / slope;
        celsius = (celsius + step).clamp(-100.0, 200.0);
        if step.abs() < 1e-9 {
            break;
        }
    }
    celsius
}

/// Heat of vaporisation, what it falls by with the bulb's temperature, and specific heat of the water
/// or the ice on a bulb; kJ/kg and kJ/(kg·K).
fn bulb_heat(bulb_c: f64) -> (f64, f64, f64) {
    if bulb_c > 0.0 { (2501.0, 2.326, 4.186) } else { (2830.0, 0.24, 2.1) }
}

/// Humidity ratio of air with a thermodynamic wet bulb (equations 33 over water and 35 over ice), kg/kg;
/// zero where no air is that dry.
pub fn ratio_from_wet_bulb(celsius: f64, wet_bulb_c: f64, pressure_pa: f64) -> f64 {
    let bulb = wet_bulb_c.min(celsius);
    let (heat, fall, cp) = bulb_heat(bulb);
    let ws = saturation_ratio(bulb, pressure_pa);
    (((heat - fall * bulb) * ws - 1.006 * (celsius - bulb)) / (heat + 1.86 * celsius - cp * bulb)).max(0.0)
}

/// Humidity ratio of air with a dew point, kg/kg.
pub fn ratio_from_dew_point(dew_point_c: f64, pressure_pa: f64) -> f64 {
    saturation_ratio(dew_point_c, pressure_pa)
}

/// Thermodynamic wet-bulb temperature, °C (equations 33 over water and 35 over ice).
pub fn wet_bulb_c(celsius: f64, humidity_ratio: f64, pressure_pa: f64) -> f64 {
    let (mut low, mut high) = (celsius - 80.0, celsius);
    let mut bulb = celsius;
    for _ in 0..40 {
        let (ws, slope) = saturation_ratio_and_slope(bulb, pressure_pa);
        let (heat, fall, cp) = bulb_heat(bulb);
        let below = heat + 1.86 * celsius - cp * bulb;
        let w = ((heat - fall * bulb) * ws - 1.006 * (celsius - bulb)) / below;
        if w > humidity_ratio {
            high = bulb;
        } else {
            low = bulb;
        }
        let by_bulb = ((heat - fall * bulb) * slope - fall * ws + 1.006 + cp * w) / below;
        let next = bulb - (w - humidity_ratio) / by_bulb;
        // Newton's step, unless it leaves the bounds: the two equations do not meet at 0 °C.
        let next = if next > low && next < high { next } else { 0.5 * (low + high) };
        let step = next - bulb;
        bulb = next;
        if step.abs() < 1e-10 {
            break;
        }
    }
    bulb.min(celsius)
}

/// Enthalpy of moist air a kg of dry air, J/kg (equation 30); zero for dry air at 0 °C.
pub fn enthalpy_j_kg(celsius: f64, humidity_ratio: f64) -> f64 {
    1006.0 * celsius + humidity_ratio * (2_501_000.0 + 1860.0 * celsius)
}

/// Volume of moist air a kg of dry air, m³/kg (equation 26).
pub fn volume_m3_kg(celsius: f64, humidity_ratio: f64, pressure_pa: f64) -> f64 {
    287.042 * (celsius + 273.15) * (1.0 + 1.607_858 * humidity_ratio) / pressure_pa
}

/// Density of moist air, kg of air and vapour a m³ (equation 11).
pub fn density_kg_m3(celsius: f64, humidity_ratio: f64, pressure_pa: f64) -> f64 {
    (1.0 + humidity_ratio) / volume_m3_kg(celsius, humidity_ratio, pressure_pa)
}

/// Specific heat of moist air a kg of dry air, J/(kg·K): the slope of equation 30.
pub fn specific_heat_j_kg_k(humidity_ratio: f64) -> f64 {
    1006.0 + 1860.0 * humidity_ratio
}

/// Temperature of air with an enthalpy (equation 30 turned round), °C.
pub fn celsius_at_enthalpy(enthalpy_j_kg: f64, humidity_ratio: f64) -> f64 {
    (enthalpy_j_kg - 2_501_000.0 * humidity_ratio) / specific_heat_j_kg_k(humidity_ratio)
}

/// Humidity ratio of air with an enthalpy (equation 30 turned round), kg/kg; never below zero.
pub fn ratio_at_enthalpy(celsius: f64, enthalpy_j_kg: f64) -> f64 {
    ((enthalpy_j_kg - 1006.0 * celsius) / (2_501_000.0 + 1860.0 * celsius)).max(0.0)
}

/// Enthalpy of saturated air, J/kg of dry air.
pub fn saturation_enthalpy_j_kg(celsius: f64, pressure_pa: f64) -> f64 {
    enthalpy_j_kg(celsius, saturation_ratio(celsius, pressure_pa))
}

/// Temperature at which saturated air has an enthalpy, °C; -100 to 100.
pub fn saturation_celsius_at_enthalpy(wanted_j_kg: f64, pressure_pa: f64) -> f64 {
    let (mut low, mut high) = (-100.0, 100.0);
    let mut celsius = (wanted_j_kg / 4000.0).clamp(-60.0, 60.0);
    for _ in 0..80 {
        let (ratio, slope) = saturation_ratio_and_slope(celsius, pressure_pa);
        let excess = enthalpy_j_kg(celsius, ratio) - wanted_j_kg;
        if excess > 0.0 {
            high = celsius;
        } else {
            low = celsius;
        }
        let next = celsius - excess / (specific_heat_j_kg_k(ratio) + slope * (2_501_000.0 + 1860.0 * celsius));
        let next = if next > low && next < high { next } else { 0.5 * (low + high) };
        let step = next - celsius;
        celsius = next;
        if step.abs() < 1e-10 {
            break;
        }
    }
    celsius
}

/// Degree of saturation: humidity ratio over that of saturated air (equation 10).
pub fn degree_of_saturation(celsius: f64, humidity_ratio: f64, pressure_pa: f64) -> f64 {
    humidity_ratio / saturation_ratio(celsius, pressure_pa)
}

/// Water in a kg of moist air, kg/kg (equation 9b).
pub fn specific_humidity(humidity_ratio: f64) -> f64 {
    humidity_ratio / (1.0 + humidity_ratio)
}

/// Water in a m³ of moist air, kg/m³ (equation 9c).
pub fn absolute_humidity_kg_m3(celsius: f64, humidity_ratio: f64, pressure_pa: f64) -> f64 {
    humidity_ratio / volume_m3_kg(celsius, humidity_ratio, pressure_pa)
}

/// What the vapour pressure lacks to saturation, Pa; below zero for fog.
pub fn vapour_deficit_pa(celsius: f64, humidity_ratio: f64, pressure_pa: f64) -> f64 {
    saturation_pa(celsius) - vapour_pa(humidity_ratio, pressure_pa)
}

/// Pressure of the standard atmosphere at an altitude, Pa (equation 3); -5 to 11 km.
pub fn pressure_at_altitude_pa(altitude_m: f64) -> f64 {
    STANDARD_PA * (1.0 - 2.255_77e-5 * altitude_m.clamp(-5000.0, 11_000.0)).powf(5.2559)
}

/// Temperature of the standard atmosphere at an altitude, °C (equation 4); -5 to 11 km.
pub fn celsius_at_altitude(altitude_m: f64) -> f64 {
    15.0 - 0.0065 * altitude_m.clamp(-5000.0, 11_000.0)
}

/// A stream of moist air.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct AirStream {
    /// Dry air, kg/s.
    pub dry_kg_s: f64,
    /// Temperature, °C.
    pub celsius: f64,
    /// Humidity ratio, kg/kg of dry air.
    pub ratio: f64,
}

impl AirStream {
    /// Enthalpy that it carries, W; zero for dry air at 0 °C.
    pub fn enthalpy_w(&self) -> f64 {
        self.dry_kg_s * enthalpy_j_kg(self.celsius, self.ratio)
    }
}

/// Adiabatic mixing of streams (equations 45 to 47): enthalpy and water stay. What is above saturation
/// rains out as water of the mixture's temperature, kg/s, the second value. Streams without flow mix to
/// the plain mean of their states.
pub fn mix(streams: &[AirStream], pressure_pa: f64) -> (AirStream, f64) {
    let dry: f64 = streams.iter().map(|s| s.dry_kg_s.max(0.0)).sum();
    let share = |s: &AirStream| if dry > 0.0 { s.dry_kg_s.max(0.0) / dry } else { 1.0 / streams.len() as f64 };
    let ratio: f64 = streams.iter().map(|s| share(s) * s.ratio).sum();
    let enthalpy: f64 = streams.iter().map(|s| share(s) * enthalpy_j_kg(s.celsius, s.ratio)).sum();
    let celsius = celsius_at_enthalpy(enthalpy, ratio);
    if ratio <= saturation_ratio(celsius, pressure_pa) {
        return (AirStream { dry_kg_s: dry, celsius, ratio }, 0.0);
    }
    // Fog: saturated air whose enthalpy, with that of the liquid, is the mixture's.
    let (mut low, mut high) = (celsius, celsius + 60.0);
    for _ in 0..60 {
        let t = 0.5 * (low + high);
        let ws = saturation_ratio(t, pressure_pa);
        if enthalpy_j_kg(t, ws) + (ratio - ws) * LIQUID_J_KG_K * t > enthalpy { high = t } else { low = t }
    }
    let t = 0.5 * (low + high);
    let ws = saturation_ratio(t, pressure_pa).min(ratio);
    (AirStream { dry_kg_s: dry, celsius: t, ratio: ws }, dry * (ratio - ws))
}

/// Specific heat of liquid water as the psychrometric equations have it, J/(kg·K).
pub const LIQUID_J_KG_K: f64 = 4186.0;

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn near(value: f64, wanted: f64, relative: f64, what: &str) {
        assert!((value - wanted).abs() <= relative * wanted.abs(), "{what}: {value} instead of {wanted}");
    }

    #[test]
    fn the_table_of_saturation_pressures() {
        // ASHRAE Fundamentals, chapter 1, table 3, Pa.
        for (celsius, pa) in [
            (-60.0, 1.08),
            (-20.0, 103.24),
            (-5.0, 401.74),
            (5.0, 872.6),
            (25.0, 3169.7),
            (50.0, 12_351.3),
            (100.0, 101_418.0),
            (150.0, 476_101.4),
        ] {
            near(saturation_pa(celsius), pa, if celsius < -50.0 { 5e-3 } else { 3e-4 }, "saturation");
        }
    }

    #[test]
    fn the_table_of_saturated_air() {
        // ASHRAE Fundamentals, chapter 1, table 2 at standard pressure: real air, 0.5 % from the ideal gas.
        for (celsius, w, j_kg) in [
            (-20.0, 0.000_637_3, -18_542.0),
            (5.0, 0.005_425, 18_639.0),
            (25.0, 0.020_173, 76_504.0),
            (50.0, 0.086_863, 275_353.0),
        ] {
            near(saturation_ratio(celsius, STANDARD_PA), w, 7e-3, "humidity ratio");
            near(enthalpy_j_kg(celsius, saturation_ratio(celsius, STANDARD_PA)), j_kg, 7e-3, "enthalpy");
        }
    }

    #[test]
    fn the_worked_example_of_the_handbook() {
        // 40 °C dry bulb, 20 °C wet bulb: 6.5 g/kg, 56.7 kJ/kg, dew point 7 °C, 14 %, 0.896 m³/kg.
        let w = 0.0065;
        assert!((wet_bulb_c(40.0, w, STANDARD_PA) - 20.0).abs() < 0.1);
        near(enthalpy_j_kg(40.0, w), 56_700.0, 5e-3, "enthalpy");
        // Read off the chart, to a whole degree.
        assert!((dew_point_c(w, STANDARD_PA) - 7.0).abs() < 1.0);
        assert!((relative_humidity(40.0, w, STANDARD_PA) - 0.14).abs() < 0.005);
        near(volume_m3_kg(40.0, w, STANDARD_PA), 0.896, 1e-3, "volume");
    }

    #[test]
    fn the_same_equations_worked_out_by_others() {
        // PsychroLib 2.5 at 101 325 Pa: °C, relative humidity, kg/kg, wet bulb.
        for (celsius, humidity, w, bulb) in [
            (24.0, 0.5, 0.009_298_505, 17.067_531),
            (13.0, 0.95, 0.008_858_456, 12.538_600),
            (35.0, 0.4, 0.014_131_654, 23.934_202),
            (-10.0, 0.5, 0.000_798_682, -11.637_602),
        ] {
            let ours = ratio_at(celsius, humidity, STANDARD_PA);
            near(ours, w, 1e-6, "humidity ratio");
            // Theirs was bisected down to 1 mK.
            assert!((wet_bulb_c(celsius, ours, STANDARD_PA) - bulb).abs() < 5e-4, "wet bulb at {celsius} °C");
            near(relative_humidity(celsius, ours, STANDARD_PA), humidity, 1e-12, "relative humidity");
        }
        let w = ratio_at(24.0, 0.5, STANDARD_PA);
        near(dew_point_c(w, STANDARD_PA), 12.946_370, 1e-6, "dew point");
        near(enthalpy_j_kg(24.0, w), 47_814.647, 1e-7, "enthalpy");
        near(volume_m3_kg(24.0, w, STANDARD_PA), 0.854_376_918, 1e-7, "volume");
    }

    /// The samples' table of another implementation; nothing where the samples are not at hand.
    fn reference() -> Vec<(f64, f64, serde_json::Value)> {
        let Some(folder) = std::env::var_os("PLENUM_SAMPLES") else { return Vec::new() };
        let path = std::path::Path::new(&folder).join("reference/psychro_si.json");
        let text = std::fs::read_to_string(&path).unwrap();
        let table: serde_json::Map<String, serde_json::Value> = serde_json::from_str(&text).unwrap();
        assert!(table.len() >= 8, "{} rows", table.len());
        let row = |(key, value): (String, serde_json::Value)| {
            let (celsius, humidity) = key.split_once("C ").unwrap();
            (celsius.parse().unwrap(), humidity.parse().unwrap(), value)
        };
        table.into_iter().map(row).collect()
    }

    #[test]
    fn the_reference_table() {
        for (celsius, humidity, row) in reference() {
            let of = |name: &str| row[name].as_f64().unwrap();
            let w = ratio_at(celsius, humidity, STANDARD_PA);
            near(w, of("W"), 1e-6, "humidity ratio");
            near(dew_point_c(w, STANDARD_PA), of("Tdp"), 1e-6, "dew point");
            near(enthalpy_j_kg(celsius, w), of("h"), 1e-6, "enthalpy");
            near(volume_m3_kg(celsius, w, STANDARD_PA), of("v"), 1e-6, "volume");
            // The table's wet bulbs were bisected until 1 mK was left, so half of that is all it can say;
            // ours gives the humidity ratio back.
            let bulb = wet_bulb_c(celsius, w, STANDARD_PA);
            assert!((bulb - of("Twb")).abs() <= 5e-4, "{celsius} °C: {bulb}");
            near(ratio_from_wet_bulb(celsius, bulb, STANDARD_PA), w, 1e-9, "back from the wet bulb");
        }
    }

    #[test]
    fn the_standard_atmosphere() {
        // ASHRAE Fundamentals 2017, chapter 1, table 1: kPa and °C.
        for (m, kpa, celsius) in [
            (-500.0, 107.478, 18.2),
            (0.0, 101.325, 15.0),
            (1000.0, 89.875, 8.5),
            (3000.0, 70.108, -4.5),
            (10_000.0, 26.436, -50.0),
        ] {
            near(pressure_at_altitude_pa(m), kpa * 1000.0, 5e-4, "pressure");
            assert!((celsius_at_altitude(m) - celsius).abs() < 0.06);
        }
    }

    #[test]
    fn mixing_keeps_water_and_enthalpy() {
        // Winter air into room air, the other way round, and steam-laden air into cold air, which fogs.
        let air = |dry_kg_s, celsius, humidity| AirStream {
            dry_kg_s,
            celsius,
            ratio: ratio_at(celsius, humidity, STANDARD_PA),
        };
        for (a, b, fogs) in [
            (air(1.0, 35.0, 0.4), air(3.0, 24.0, 0.5), false),
            (air(0.2, -20.0, 0.8), air(1.8, 22.0, 0.3), false),
            (air(1.0, -10.0, 0.9), air(1.0, 30.0, 1.0), true),
        ] {
            let (mixed, rain) = mix(&[a, b], STANDARD_PA);
            near(mixed.dry_kg_s, a.dry_kg_s + b.dry_kg_s, 1e-12, "dry air");
            let water = a.dry_kg_s * a.ratio + b.dry_kg_s * b.ratio;
            near(mixed.dry_kg_s * mixed.ratio + rain, water, 1e-12, "water");
            let enthalpy = mixed.enthalpy_w() + rain * LIQUID_J_KG_K * mixed.celsius;
            near(enthalpy, a.enthalpy_w() + b.enthalpy_w(), 1e-9, "enthalpy");
            assert_eq!(rain > 1e-6, fogs);
            if fogs {
                near(degree_of_saturation(mixed.celsius, mixed.ratio, STANDARD_PA), 1.0, 1e-9, "saturated");
            }
        }
        let (still, rain) = mix(&[air(0.0, 10.0, 0.5), air(0.0, 20.0, 0.5)], STANDARD_PA);
        assert!(still.dry_kg_s == 0.0 && rain == 0.0 && still.celsius > 14.0 && still.celsius < 16.0);
    }

    #[test]
    fn the_words_for_moisture_agree() {
        let (t, w) = (26.0, 0.0105);
        near(specific_humidity(w), w / (1.0 + w), 1e-12, "specific humidity");
        let density = density_kg_m3(t, w, STANDARD_PA);
        near(absolute_humidity_kg_m3(t, w, STANDARD_PA), density * specific_humidity(w), 1e-12, "absolute humidity");
        let deficit = vapour_deficit_pa(t, w, STANDARD_PA);
        near(1.0 - deficit / saturation_pa(t), relative_humidity(t, w, STANDARD_PA), 1e-12, "deficit");
        near(ratio_from_dew_point(dew_point_c(w, STANDARD_PA), STANDARD_PA), w, 1e-9, "dew point");
        // Relative humidity from the degree of saturation, chapter 1, equation 13.
        let mu = degree_of_saturation(t, w, STANDARD_PA);
        let phi = mu / (1.0 - (1.0 - mu) * saturation_pa(t) / STANDARD_PA);
        near(phi, relative_humidity(t, w, STANDARD_PA), 1e-12, "relative humidity");
    }

    proptest! {
        #[test]
        fn enthalpy_there_and_back(celsius in -40.0..60.0f64, humidity in 0.0..1.0f64, pressure_pa in 6e4..1.1e5f64) {
            let w = ratio_at(celsius, humidity, pressure_pa);
            let h = enthalpy_j_kg(celsius, w);
            prop_assert!((celsius_at_enthalpy(h, w) - celsius).abs() < 1e-9);
            prop_assert!((ratio_at_enthalpy(celsius, h) - w).abs() < 1e-12);
            let at = saturation_celsius_at_enthalpy(h, pressure_pa);
            prop_assert!((saturation_enthalpy_j_kg(at, pressure_pa) - h).abs() < 1e-4, "{at}");
        }

        #[test]
        fn there_and_back(celsius in -40.0..60.0f64, humidity in 0.02..1.0f64, pressure_pa in 6e4..1.1e5f64) {
            let w = ratio_at(celsius, humidity, pressure_pa);
            let dew = dew_point_c(w, pressure_pa);
            prop_assert!((saturation_ratio(dew, pressure_pa) - w).abs() < 1e-7 * w + 1e-12, "{dew}");
            prop_assert!(dew <= celsius + 1e-6);
            let bulb = wet_bulb_c(celsius, w, pressure_pa);
            prop_assert!(bulb <= celsius + 1e-9 && bulb >= dew - 0.3, "{bulb} {dew}");
            let (_, slope) = saturation_ratio_and_slope(celsius, pressure_pa);
            let by_hand = (saturation_ratio(celsius + 1e-3, pressure_pa) - saturation_ratio(celsius, pressure_pa)) / 1e-3;
            prop_assert!(celsius.abs() < 0.02 || (slope / by_hand - 1.0).abs() < 1e-3);
        }

        #[test]
        fn nothing_panics_or_hangs(t in proptest::num::f64::ANY, w in proptest::num::f64::ANY, p in proptest::num::f64::ANY) {
            let _ = (dew_point_c(w, p), wet_bulb_c(t, w, p), relative_humidity(t, w, p), ratio_at(t, w, STANDARD_PA));
            let _ = (ratio_from_wet_bulb(t, w, p), saturation_celsius_at_enthalpy(t, p), pressure_at_altitude_pa(t));
            let _ = mix(&[AirStream { dry_kg_s: w, celsius: t, ratio: p }], p);
            let _ = mix(&[], p);
        }
    }
}
