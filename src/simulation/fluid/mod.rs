//! What flows: water, its mixtures with glycol, and air, with density, specific heat, enthalpy, viscosity
//! and thermal conductivity by temperature. Temperatures are in °C, everything else is SI.

pub mod air;
pub mod glycol;
pub mod water;

pub use glycol::Glycol;

/// A fluid in a network. Its enthalpy is zero at 0 °C (within 1 kJ/kg for water under pressure), so only
/// differences of it mean something.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Fluid {
    /// Water at a pressure, Pa absolute.
    Water {
        /// Pa absolute; 2 to 6 bar in a building.
        pressure_pa: f64,
    },
    /// Water with glycol.
    Mixture {
        /// Which.
        glycol: Glycol,
        /// Glycol by mass, 0..0.6.
        fraction: f64,
    },
    /// Air with a humidity ratio at a pressure; all by the kg of moist air.
    Air {
        /// kg of water a kg of dry air.
        ratio: f64,
        /// Pa absolute.
        pressure_pa: f64,
    },
    /// A fluid whose properties do not depend on temperature.
    Constant {
        /// kg/m³.
        density_kg_m3: f64,
        /// J/(kg·K).
        specific_heat_j_kg_k: f64,
        /// Pa·s.
        viscosity_pa_s: f64,
        /// W/(m·K).
        conductivity_w_m_k: f64,
    },
}

impl Default for Fluid {
    /// Water at 3 bar absolute.
    fn default() -> Self {
        Self::Water { pressure_pa: 3e5 }
    }
}

impl Fluid {
    /// The same fluid at another pressure, Pa absolute; held to what a network can have.
    pub fn at_pressure(&self, pa: f64) -> Self {
        match *self {
            Self::Water { .. } if pa.is_finite() => Self::Water { pressure_pa: pa.clamp(1e3, 1e8) },
            Self::Air { ratio, .. } if pa.is_finite() => Self::Air { ratio, pressure_pa: pa.clamp(1e4, 1e6) },
            other => other,
        }
    }

    /// Density, kg/m³.
    pub fn density_kg_m3(&self, celsius: f64) -> f64 {
        match *self {
            Self::Water { pressure_pa } => water::state(celsius, pressure_pa).density_kg_m3,
            Self::Mixture { glycol, fraction } => glycol.density_kg_m3(fraction, celsius),
            Self::Air { ratio, pressure_pa } => super::psychrometrics::density_kg_m3(celsius, ratio, pressure_pa),
            Self::Constant { density_kg_m3, .. } => density_kg_m3,
        }
    }

    /// Specific heat at constant pressure, J/(kg·K).
    pub fn specific_heat_j_kg_k(&self, celsius: f64) -> f64 {
        match *self {
            Self::Water { pressure_pa } => water::state(celsius, pressure_pa).specific_heat_j_kg_k,
            Self::Mixture { glycol, fraction } => glycol.specific_heat_j_kg_k(fraction, celsius),
            Self::Air { ratio, .. } => super::psychrometrics::specific_heat_j_kg_k(ratio) / (1.0 + ratio),
            Self::Constant { specific_heat_j_kg_k, .. } => specific_heat_j_kg_k,
        }
    }

    /// Enthalpy, J/kg.
    pub fn enthalpy_j_kg(&self, celsius: f64) -> f64 {
        match *self {
            Self::Water { pressure_pa } => water::state(celsius, pressure_pa).enthalpy_j_kg,
            Self::Mixture { glycol, fraction } => glycol.enthalpy_j_kg(fraction, celsius),
            Self::Air { ratio, .. } => super::psychrometrics::enthalpy_j_kg(celsius, ratio) / (1.0 + ratio),
            Self::Constant { specific_heat_j_kg_k, .. } => specific_heat_j_kg_k * celsius,
        }
    }

    /// Temperature at which it has an enthalpy, °C.
    pub fn celsius_at_enthalpy(&self, enthalpy_j_kg: f64) -> f64 {
        match *self {
            Self::Water { pressure_pa } => water::celsius_at_enthalpy(enthalpy_j_kg, pressure_pa),
            Self::Air { ratio, .. } => super::psychrometrics::celsius_at_enthalpy(enthalpy_j_kg * (1.0 + ratio), ratio),
            Self::Constant { specific_heat_j_kg_k, .. } => enthalpy_j_kg / specific_heat_j_kg_k,
            Self::Mixture { glycol, fraction } => {
                let mut celsius = enthalpy_j_kg / 3600.0;
                for _ in 0..20 {
                    let slope = glycol.specific_heat_j_kg_k(fraction, celsius);
                    let step = (enthalpy_j_kg - glycol.enthalpy_j_kg(fraction, celsius)) / slope;
                    celsius += step;
                    if step.abs() < 1e-11 * (1.0 + celsius.abs()) {
                        break;
                    }
                }
                celsius
            }
        }
    }

    /// Dynamic viscosity, Pa·s.
    pub fn viscosity_pa_s(&self, celsius: f64) -> f64 {
        match *self {
            Self::Water { pressure_pa } => water::viscosity_pa_s(celsius, pressure_pa),
            Self::Mixture { glycol, fraction } => glycol.viscosity_pa_s(fraction, celsius),
            Self::Air { .. } => air::viscosity_pa_s(celsius),
            Self::Constant { viscosity_pa_s, .. } => viscosity_pa_s,
        }
    }

    /// Thermal conductivity, W/(m·K).
    pub fn conductivity_w_m_k(&self, celsius: f64) -> f64 {
        match *self {
            Self::Water { pressure_pa } => water::conductivity_w_m_k(celsius, pressure_pa),
            Self::Mixture { glycol, fraction } => glycol.conductivity_w_m_k(fraction, celsius),
            Self::Air { .. } => air::conductivity_w_m_k(celsius),
            Self::Constant { conductivity_w_m_k, .. } => conductivity_w_m_k,
        }
    }

    /// Prandtl number.
    pub fn prandtl(&self, celsius: f64) -> f64 {
        self.specific_heat_j_kg_k(celsius) * self.viscosity_pa_s(celsius) / self.conductivity_w_m_k(celsius)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FLUIDS: [Fluid; 4] = [
        Fluid::Water { pressure_pa: 4e5 },
        Fluid::Mixture { glycol: Glycol::Propylene, fraction: 0.35 },
        Fluid::Air { ratio: 0.01, pressure_pa: 95_000.0 },
        Fluid::Constant {
            density_kg_m3: 998.0,
            specific_heat_j_kg_k: 4180.0,
            viscosity_pa_s: 1e-3,
            conductivity_w_m_k: 0.6,
        },
    ];

    #[test]
    fn enthalpy_and_specific_heat_belong_together() {
        for fluid in FLUIDS {
            for celsius in [0.5, 7.0, 40.0, 85.0] {
                let h = fluid.enthalpy_j_kg(celsius);
                assert!((fluid.celsius_at_enthalpy(h) - celsius).abs() < 1e-6, "{fluid:?}");
                let slope = (fluid.enthalpy_j_kg(celsius + 0.01) - h) / 0.01;
                assert!((slope / fluid.specific_heat_j_kg_k(celsius) - 1.0).abs() < 1e-4, "{fluid:?} {celsius}");
            }
        }
    }

    #[test]
    fn pressure_makes_denser() {
        for fluid in &FLUIDS[..3] {
            let (low, high) = (fluid.at_pressure(1e5), fluid.at_pressure(5e5));
            let gases = matches!(fluid, Fluid::Air { .. });
            assert!(high.density_kg_m3(20.0) >= low.density_kg_m3(20.0));
            assert_eq!(high.density_kg_m3(20.0) > 2.0 * low.density_kg_m3(20.0), gases);
            assert_eq!(fluid.at_pressure(f64::NAN), *fluid);
        }
    }

    #[test]
    fn numbers_of_prandtl() {
        // Incropera, "Fundamentals of Heat and Mass Transfer", tables A.4 and A.6: air 0.71, water 7.0 at 20 °C.
        assert!((FLUIDS[2].prandtl(20.0) - 0.71).abs() < 0.02, "{}", FLUIDS[2].prandtl(20.0));
        assert!((FLUIDS[0].prandtl(20.0) - 7.0).abs() < 0.1, "{}", FLUIDS[0].prandtl(20.0));
        assert!(FLUIDS[1].prandtl(20.0) > 20.0);
    }
}
