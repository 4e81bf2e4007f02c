//! Boilers: gas with or without condensation, electric, and district heat, with their part load.
//!
//! The efficiency of a gas boiler, on the gross calorific value, is worked out from what leaves through the
//! flue: methane with 25 % excess air makes 2 mol of vapour and 10.9 mol of dry gas a mol; the flue gas
//! comes near the returning water, and what the saturated gas cannot hold as vapour condenses.

use crate::simulation::psychrometrics::{STANDARD_PA, saturation_pa};

/// Gross calorific value of methane, J/mol (ISO 6976).
const GROSS_J_MOL: f64 = 890_580.0;
/// Heat of vaporisation of water near 25 °C, J/mol.
const VAPOUR_J_MOL: f64 = 44_010.0;
/// Dry flue gas and vapour a mol of methane.
const DRY_MOL: f64 = 10.9;
const VAPOUR_MOL: f64 = 2.0;
/// Mean molar heat of the flue gas, J/(mol·K).
const FLUE_J_MOL_K: f64 = 30.5;
/// Temperature that calorific values count from, °C.
const REFERENCE_C: f64 = 25.0;

/// What a boiler burns or draws.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Firing {
    /// Gas; a condensing one cools its flue gas to near the returning water.
    Gas {
        /// Flue gas above the returning water at full load, K: 5 to 15 for a condensing boiler, 80 to 150
        /// for others.
        approach_k: f64,
        /// False where the flue must stay dry: what would condense does not.
        condensing: bool,
    },
    /// Electric, or a heat exchanger to a district network: this share of what it draws arrives.
    Direct {
        /// 0..1.
        efficiency: f64,
    },
}

/// A boiler as it was built.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Boiler {
    /// Most heat that it gives to the water, W.
    pub rated_w: f64,
    /// What it fires.
    pub firing: Firing,
    /// Least load without stopping, 0..1.
    pub least_load: f64,
    /// What its casing gives to the boiler room while it is hot, of the rated heat.
    pub casing: f64,
    /// The water leaves no hotter than this, °C.
    pub limit_c: f64,
}

impl Boiler {
    /// A condensing gas boiler: approach 10 K, turndown 1 to 5, casing 0.5 %, 90 °C.
    pub fn condensing(rated_w: f64) -> Self {
        let firing = Firing::Gas { approach_k: 10.0, condensing: true };
        Self { rated_w, firing, least_load: 0.2, casing: 0.005, limit_c: 90.0 }
    }

    /// Heat to the water and casing over fuel (gross) at a load of 0..1 with water coming back at a temperature.
    pub fn combustion_efficiency(&self, load: f64, return_c: f64) -> f64 {
        match self.firing {
            Firing::Direct { efficiency } => efficiency.clamp(0.0, 1.0),
            Firing::Gas { approach_k, condensing } => {
                // Less gas over the same surface comes nearer to the water.
                let flue_c = (return_c + approach_k.max(0.0) * load.clamp(0.0, 1.0)).max(REFERENCE_C);
                let pressure = saturation_pa(flue_c.min(99.0));
                let held = if condensing { DRY_MOL * pressure / (STANDARD_PA - pressure) } else { VAPOUR_MOL };
                let vapour = VAPOUR_MOL.min(held);
                let sensible = (DRY_MOL + vapour) * FLUE_J_MOL_K * (flue_c - REFERENCE_C);
                (1.0 - (sensible + vapour * VAPOUR_J_MOL) / GROSS_J_MOL).max(0.0)
            }
        }
    }

    /// Heats water of a heat capacity flow (W/K) from its return temperature to a setpoint, as far as it can.
    pub fn run(&self, setpoint_c: f64, w_k: f64, return_c: f64) -> BoilerResult {
        let wanted_w = w_k * (setpoint_c.min(self.limit_c) - return_c);
        if !(wanted_w > 0.0 && wanted_w.is_finite() && setpoint_c.is_finite() && self.rated_w > 0.0) {
            return BoilerResult { leaving_c: return_c, ..BoilerResult::default() };
        }
        let heat_w = wanted_w.min(self.rated_w);
        let load = heat_w / self.rated_w;
        let working = load.max(self.least_load.clamp(0.0, 1.0)).min(1.0);
        let share_of_time = load / working;
        // The casing stays hot between starts too.
        let casing_w = self.casing.max(0.0) * self.rated_w;
        let efficiency = self.combustion_efficiency(working, return_c).max(1e-3);
        let fuel_w = (heat_w + casing_w) / efficiency;
        BoilerResult { heat_w, fuel_w, casing_w, leaving_c: return_c + heat_w / w_k, load, share_of_time }
    }
}

/// What a boiler does.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct BoilerResult {
    /// Heat to the water, W.
    pub heat_w: f64,
    /// Fuel by its gross calorific value, or electricity, or district heat, W.
    pub fuel_w: f64,
    /// Heat to the boiler room, W.
    pub casing_w: f64,
    /// Water that leaves, °C.
    pub leaving_c: f64,
    /// Heat over rated heat, 0..1.
    pub load: f64,
    /// How much of the time it fires: below 1 it cycles.
    pub share_of_time: f64,
}

impl BoilerResult {
    /// Heat to the water over fuel; none at rest.
    pub fn efficiency(&self) -> Option<f64> {
        (self.fuel_w > 0.0).then(|| self.heat_w / self.fuel_w)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn condensing_depends_on_the_return() {
        // ASHRAE Handbook HVAC Systems and Equipment, chapter "Boilers", figure "effect of inlet water
        // temperature on efficiency of condensing boilers": 86 to 88 % above 57 °C, about 97 % at 25 to 30 °C.
        let b = Boiler::condensing(100e3);
        assert!((b.combustion_efficiency(1.0, 65.0) - 0.875).abs() < 0.015, "{}", b.combustion_efficiency(1.0, 65.0));
        assert!((b.combustion_efficiency(0.3, 30.0) - 0.968).abs() < 0.012, "{}", b.combustion_efficiency(0.3, 30.0));
        // The knee stands at the dew point of the flue gas: 2/12.9 of the air's pressure, 55 °C.
        let slope = |c: f64| b.combustion_efficiency(0.0, c) - b.combustion_efficiency(0.0, c + 1.0);
        assert!(slope(50.0) > 0.003 && slope(57.0) < 0.001, "{} {}", slope(50.0), slope(57.0));
        let dry = Boiler { firing: Firing::Gas { approach_k: 110.0, condensing: false }, ..b };
        assert!(
            (dry.combustion_efficiency(1.0, 60.0) - 0.83).abs() < 0.015,
            "{}",
            dry.combustion_efficiency(1.0, 60.0)
        );
    }

    #[test]
    fn it_heats_as_far_as_it_can() {
        let b = Boiler::condensing(100e3);
        let r = b.run(70.0, 5000.0, 55.0);
        assert!((r.heat_w - 75e3).abs() < 1e-6 && (r.leaving_c - 70.0).abs() < 1e-9 && r.share_of_time == 1.0);
        let r = b.run(70.0, 5000.0, 40.0);
        assert!((r.heat_w - 100e3).abs() < 1e-6 && (r.leaving_c - 60.0).abs() < 1e-9, "full fire, 20 K");
        assert!((b.run(99.0, 1000.0, 50.0).leaving_c - 90.0).abs() < 1e-9, "the limiter");
        let r = b.run(60.0, 1000.0, 50.0);
        assert!((r.load - 0.1).abs() < 1e-9 && (r.share_of_time - 0.5).abs() < 1e-9, "it cycles: {r:?}");
        assert_eq!(b.run(50.0, 1000.0, 60.0).fuel_w, 0.0);
        assert_eq!(b.run(f64::NAN, 1000.0, 60.0).efficiency(), None);
        let electric = Boiler { firing: Firing::Direct { efficiency: 0.99 }, casing: 0.0, ..b };
        assert!((electric.run(60.0, 1000.0, 50.0).efficiency().unwrap() - 0.99).abs() < 1e-9);
    }

    proptest! {
        #[test]
        fn it_is_never_better_than_perfect(load in 0.0..1.0f64, return_c in 0.0..95.0f64, approach_k in 0.0..150.0f64) {
            let firing = Firing::Gas { approach_k, condensing: true };
            let b = Boiler { firing, ..Boiler::condensing(1e5) };
            let efficiency = b.combustion_efficiency(load, return_c);
            prop_assert!(efficiency < 1.0 && efficiency > 0.7);
            prop_assert!(b.combustion_efficiency(load, return_c + 1.0) <= efficiency + 1e-12);
        }
    }
}
