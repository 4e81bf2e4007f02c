//! Liquid water: density, specific heat, enthalpy, viscosity and conductivity by temperature and pressure.
//!
//! Density, specific heat and enthalpy: IAPWS Industrial Formulation 1997 for the thermodynamic properties
//! of water and steam (IAPWS-IF97), region 1, whose stated uncertainty below 100 °C is 0.003 % in density
//! and 0.1 to 0.2 % in specific heat. Viscosity: IAPWS R12-08 (2008) without the critical enhancement, 1 %.
//! Thermal conductivity: IAPWS R15-11 (2011) without it, 1.8 %. Temperatures are held to 0..300 °C
//! and pressures to 1 Pa..100 MPa: below saturation at high temperature the liquid is the metastable one.

/// Gas constant of water in IF97, J/(kg·K).
const R: f64 = 461.526;

/// I, J and n of the basic equation (table 2 of IF97).
#[rustfmt::skip]
const REGION_1: [(i32, i32, f64); 34] = [
    (0, -2, 0.146_329_712_131_67), (0, -1, -0.845_481_871_691_14), (0, 0, -0.375_636_036_720_40e1),
    (0, 1, 0.338_551_691_683_85e1), (0, 2, -0.957_919_633_878_72), (0, 3, 0.157_720_385_132_28),
    (0, 4, -0.166_164_171_995_01e-1), (0, 5, 0.812_146_299_835_68e-3), (1, -9, 0.283_190_801_238_04e-3),
    (1, -7, -0.607_063_015_658_74e-3), (1, -1, -0.189_900_682_184_19e-1), (1, 0, -0.325_297_487_705_05e-1),
    (1, 1, -0.218_417_171_754_14e-1), (1, 3, -0.528_383_579_699_30e-4), (2, -3, -0.471_843_210_732_67e-3),
    (2, 0, -0.300_017_807_930_26e-3), (2, 1, 0.476_613_939_069_87e-4), (2, 3, -0.441_418_453_308_46e-5),
    (2, 17, -0.726_949_962_975_94e-15), (3, -4, -0.316_796_448_450_54e-4), (3, 0, -0.282_707_979_853_12e-5),
    (3, 6, -0.852_051_281_201_03e-9), (4, -5, -0.224_252_819_080_00e-5), (4, -2, -0.651_712_228_956_01e-6),
    (4, 10, -0.143_417_299_379_24e-12), (5, -8, -0.405_169_968_601_17e-6), (8, -11, -0.127_343_017_416_41e-8),
    (8, -6, -0.174_248_712_306_34e-9), (21, -29, -0.687_621_312_955_31e-18), (23, -31, 0.144_783_078_285_21e-19),
    (29, -38, 0.263_357_816_627_95e-22), (30, -39, -0.119_476_226_400_71e-22), (31, -40, 0.182_280_945_814_04e-23),
    (32, -41, -0.935_370_872_924_58e-25),
];

/// What the equation of state says at once.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct WaterState {
    /// kg/m³.
    pub density_kg_m3: f64,
    /// At constant pressure, J/(kg·K).
    pub specific_heat_j_kg_k: f64,
    /// J/kg; zero at the triple point within 1 J/kg.
    pub enthalpy_j_kg: f64,
}

/// Density, specific heat and enthalpy of liquid water (IF97, equation 7 and table 3).
pub fn state(celsius: f64, pressure_pa: f64) -> WaterState {
    let kelvin = held(celsius) + 273.15;
    let pi = pressure_pa.clamp(1.0, 1e8) / 16.53e6;
    let tau = 1386.0 / kelvin;
    let (a, b) = (7.1 - pi, tau - 1.222);
    let (mut by_pi, mut by_tau, mut by_tau_2) = (0.0, 0.0, 0.0);
    for (i, j, n) in REGION_1 {
        let (power_a, power_b) = (a.powi(i), b.powi(j));
        let (i, j) = (f64::from(i), f64::from(j));
        by_pi -= n * i * power_a / a * power_b;
        by_tau += n * power_a * j * power_b / b;
        by_tau_2 += n * power_a * j * (j - 1.0) * power_b / (b * b);
    }
    let specific_heat_j_kg_k = -R * tau * tau * by_tau_2;
    // Beyond the equation's range its enthalpy goes on as a line: what solves with it must see a slope.
    let beyond = if celsius.is_finite() { celsius + 273.15 - kelvin } else { 0.0 };
    WaterState {
        density_kg_m3: pi * 16.53e6 / (R * kelvin * pi * by_pi),
        specific_heat_j_kg_k,
        enthalpy_j_kg: R * kelvin * tau * by_tau + specific_heat_j_kg_k * beyond,
    }
}

fn held(celsius: f64) -> f64 {
    if celsius.is_nan() { 20.0 } else { celsius.clamp(0.0, 300.0) }
}

/// Temperature of water with an enthalpy, °C. Newton's method on [`state`].
pub fn celsius_at_enthalpy(enthalpy_j_kg: f64, pressure_pa: f64) -> f64 {
    if !enthalpy_j_kg.is_finite() {
        return held(enthalpy_j_kg);
    }
    let mut celsius = enthalpy_j_kg / 4190.0;
    for _ in 0..20 {
        let s = state(celsius, pressure_pa);
        let step = (enthalpy_j_kg - s.enthalpy_j_kg) / s.specific_heat_j_kg_k;
        let next = celsius + step;
        let done = step.abs() < 1e-11 * (1.0 + celsius.abs());
        celsius = next;
        if done {
            break;
        }
    }
    celsius
}

/// `Σᵢ (1/T̄ − 1)ⁱ Σⱼ hᵢⱼ (ρ̄ − 1)ʲ`, the residual of both transport equations.
fn residual<const I: usize, const J: usize>(table: &[[f64; J]; I], kelvin: f64, density: f64) -> f64 {
    let (x, y) = (647.096 / kelvin - 1.0, density / 322.0 - 1.0);
    let row = |r: &[f64; J]| r.iter().rev().fold(0.0, |sum, c| sum * y + c);
    table.iter().rev().fold(0.0, |sum, r| sum * x + row(r))
}

/// Dynamic viscosity, Pa·s (R12-08, equations 11 and 12), by temperature and density.
fn viscosity_of(kelvin: f64, density: f64) -> f64 {
    const H: [[f64; 7]; 6] = [
        [5.200_94e-1, 2.225_31e-1, -2.813_78e-1, 1.619_13e-1, -3.253_72e-2, 0.0, 0.0],
        [8.508_95e-2, 9.991_15e-1, -9.068_51e-1, 2.573_99e-1, 0.0, 0.0, 0.0],
        [-1.083_74, 1.887_97, -7.724_79e-1, 0.0, 0.0, 0.0, 0.0],
        [-2.895_55e-1, 1.266_13, -4.898_37e-1, 0.0, 6.984_52e-2, 0.0, -4.356_73e-3],
        [0.0, 0.0, -2.570_40e-1, 0.0, 0.0, 8.721_02e-3, 0.0],
        [0.0, 1.205_73e-1, 0.0, 0.0, 0.0, 0.0, -5.932_64e-4],
    ];
    let t = kelvin / 647.096;
    let dilute = 100.0 * t.sqrt() / (1.677_52 + (2.204_62 + (0.636_656_4 - 0.241_605 / t) / t) / t);
    1e-6 * dilute * (density / 322.0 * residual(&H, kelvin, density)).exp()
}

/// Thermal conductivity, W/(m·K) (R15-11, equations 16 and 17), by temperature and density.
fn conductivity_of(kelvin: f64, density: f64) -> f64 {
    const L: [[f64; 6]; 5] = [
        [1.603_973_57, -0.646_013_523, 0.111_443_906, 0.102_997_357, -0.050_412_363_4, 0.006_098_592_58],
        [2.337_718_42, -2.788_437_78, 1.536_161_67, -0.463_045_512, 0.083_282_701_9, -0.007_192_012_45],
        [2.196_505_29, -4.545_807_85, 3.557_772_44, -1.409_449_78, 0.275_418_278, -0.020_593_881_6],
        [-1.210_513_78, 1.608_129_89, -0.621_178_141, 0.071_637_322_4, 0.0, 0.0],
        [-2.720_337_0, 4.575_863_31, -3.183_692_45, 1.116_834_8, -0.192_683_05, 0.012_913_842],
    ];
    let t = kelvin / 647.096;
    let sum = 2.443_221e-3 + (1.323_095e-2 + (6.770_357e-3 + (-3.454_586e-3 + 4.096_266e-4 / t) / t) / t) / t;
    1e-3 * t.sqrt() / sum * (density / 322.0 * residual(&L, kelvin, density)).exp()
}

/// Dynamic viscosity, Pa·s.
pub fn viscosity_pa_s(celsius: f64, pressure_pa: f64) -> f64 {
    viscosity_of(held(celsius) + 273.15, state(celsius, pressure_pa).density_kg_m3)
}

/// Thermal conductivity, W/(m·K).
pub fn conductivity_w_m_k(celsius: f64, pressure_pa: f64) -> f64 {
    conductivity_of(held(celsius) + 273.15, state(celsius, pressure_pa).density_kg_m3)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn near(value: f64, wanted: f64, relative: f64) {
        assert!((value - wanted).abs() <= relative * wanted.abs(), "{value} instead of {wanted}");
    }

    #[test]
    fn the_check_values_of_if97() {
        // IF97, table 5: K, MPa, m³/kg, kJ/kg, kJ/(kg·K).
        for (k, mpa, v, h, cp) in [
            (300.0, 3.0, 0.100_215_168e-2, 0.115_331_273e3, 0.417_301_218e1),
            (300.0, 80.0, 0.971_180_894e-3, 0.184_142_828e3, 0.401_008_987e1),
            (500.0, 3.0, 0.120_241_800e-2, 0.975_542_239e3, 0.465_580_682e1),
        ] {
            let s = state(k - 273.15, mpa * 1e6);
            near(1.0 / s.density_kg_m3, v, 1e-8);
            near(s.enthalpy_j_kg, h * 1e3, 1e-8);
            near(s.specific_heat_j_kg_k, cp * 1e3, 1e-8);
        }
    }

    #[test]
    fn the_check_values_of_the_transport_releases() {
        // R12-08, table 4, and R15-11, table 4: K, kg/m³.
        for (k, density, micro) in
            [(298.15, 998.0, 889.735_100), (298.15, 1200.0, 1_437.649_467), (373.15, 1000.0, 307.883_622)]
        {
            near(viscosity_of(k, density), micro * 1e-6, 1e-8);
        }
        for (k, density, milli) in [(298.15, 998.0, 607.712_868), (298.15, 1200.0, 799.038_144)] {
            near(conductivity_of(k, density), milli * 1e-3, 1e-8);
        }
    }

    #[test]
    fn water_as_engineers_know_it() {
        near(state(20.0, 101_325.0).density_kg_m3, 998.2, 1e-4);
        near(state(80.0, 2e5).density_kg_m3, 971.8, 2e-4);
        near(state(20.0, 101_325.0).specific_heat_j_kg_k, 4184.0, 5e-4);
        near(viscosity_pa_s(20.0, 101_325.0), 1.0016e-3, 1e-3);
        near(conductivity_w_m_k(20.0, 101_325.0), 0.598, 5e-3);
        assert!(state(4.0, 101_325.0).density_kg_m3 > state(0.0, 101_325.0).density_kg_m3, "densest at 4 °C");
    }

    proptest! {
        #[test]
        fn enthalpy_there_and_back(celsius in -20.0..180.0f64, pressure_pa in 1e5..2.5e6f64) {
            let h = state(celsius, pressure_pa).enthalpy_j_kg;
            prop_assert!((celsius_at_enthalpy(h, pressure_pa) - celsius).abs() < 1e-6);
            // The specific heat is the slope of the enthalpy.
            let celsius = celsius.max(0.0);
            let h = state(celsius, pressure_pa).enthalpy_j_kg;
            let slope = (state(celsius + 0.01, pressure_pa).enthalpy_j_kg - h) / 0.01;
            prop_assert!((slope / state(celsius + 0.005, pressure_pa).specific_heat_j_kg_k - 1.0).abs() < 1e-5);
        }

        #[test]
        fn nothing_panics(celsius in proptest::num::f64::ANY, pressure_pa in proptest::num::f64::ANY) {
            let _ = (viscosity_pa_s(celsius, pressure_pa), celsius_at_enthalpy(celsius, pressure_pa));
        }
    }
}
