//! Transport properties of air. What its moisture changes in them (below 1 % in buildings) is left out;
//! density, specific heat and enthalpy of moist air stand in [`psychrometrics`](crate::simulation::psychrometrics).

/// Dynamic viscosity, Pa·s: Sutherland's law with the constants of the U.S. Standard Atmosphere 1976
/// (equation 51), within 1 % from -50 to 150 °C.
pub fn viscosity_pa_s(celsius: f64) -> f64 {
    let kelvin = (celsius + 273.15).clamp(150.0, 800.0);
    1.458e-6 * kelvin.powf(1.5) / (kelvin + 110.4)
}

/// Thermal conductivity, W/(m·K): U.S. Standard Atmosphere 1976 (equation 53), within 1 %.
pub fn conductivity_w_m_k(celsius: f64) -> f64 {
    let kelvin = (celsius + 273.15).clamp(150.0, 800.0);
    2.646_38e-3 * kelvin.powf(1.5) / (kelvin + 245.4 * 10f64.powf(-12.0 / kelvin))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sea_level_of_the_standard_atmosphere() {
        // Its tables at 15 °C: 1.7894e-5 Pa·s and 0.025326 W/(m·K).
        assert!((viscosity_pa_s(15.0) / 1.7894e-5 - 1.0).abs() < 1e-4);
        assert!((conductivity_w_m_k(15.0) / 0.025_326 - 1.0).abs() < 1e-3);
        assert!(viscosity_pa_s(-40.0) < viscosity_pa_s(40.0) && viscosity_pa_s(f64::NEG_INFINITY) > 0.0);
    }
}
