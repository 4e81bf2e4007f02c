//! Cooling towers: Merkel's theory in the form of an effectiveness.
//!
//! Braun, Klein and Mitchell, "Effectiveness models for cooling towers and cooling coils", ASHRAE Transactions
//! 95(2), 1989: the air takes up enthalpy as in a counter-flow exchanger whose other side is saturated air at
//! the water's temperature, with `NTU = c·(ṁw/ṁa)^(1+n)`, n = −0.6 by default; `c` follows from a design point.
//! What evaporates is counted as make-up, and left out of the water's own flow (1 % in 7 K).

use super::bisect;
use super::exchanger::Arrangement;
use crate::simulation::psychrometrics::{
    AirStream, enthalpy_j_kg, ratio_from_wet_bulb, saturation_celsius_at_enthalpy, saturation_enthalpy_j_kg,
    saturation_ratio, wet_bulb_c,
};

/// Specific heat of water, J/(kg·K).
const WATER_J_KG_K: f64 = 4186.0;
/// Exponent of the ratio of flows in the transfer units.
const POWER: f64 = -0.6;

/// A tower, or a cell of one, as it was built.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Tower {
    /// Constant of its fill.
    pub constant: f64,
    /// Dry air at full fan speed, kg/s.
    pub air_kg_s: f64,
    /// Air that moves with the fan off, of that at full speed.
    pub natural: f64,
    /// Fan at full speed, W.
    pub fan_w: f64,
    /// Cycles of concentration: how often the dissolved salts may build up before water is blown down.
    pub cycles: f64,
}

/// A point that a tower was built for.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TowerDesign {
    /// Water, kg/s.
    pub water_kg_s: f64,
    /// Water that enters and leaves, °C.
    pub entering_c: f64,
    /// Water that leaves, °C: the approach is this less the wet bulb.
    pub leaving_c: f64,
    /// Wet bulb of the air, °C.
    pub wet_bulb_c: f64,
    /// Water over dry air by mass; 1 to 1.4 in most towers.
    pub water_to_air: f64,
    /// Pressure of the air, Pa.
    pub pressure_pa: f64,
}

/// What a tower does.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct TowerResult {
    /// Heat from the water, W.
    pub heat_w: f64,
    /// Water that leaves, °C.
    pub water_c: f64,
    /// Water above the wet bulb, K.
    pub approach_k: f64,
    /// Fan, W.
    pub fan_w: f64,
    /// Air that leaves.
    pub air: AirStream,
    /// Water that evaporates, kg/s.
    pub evaporated_kg_s: f64,
    /// Water that must be put in for what evaporates and is blown down, kg/s.
    pub make_up_kg_s: f64,
}

impl Tower {
    /// A tower that reaches its design point, with its fan taking 1.2 % of the heat at full speed. None
    /// where no tower reaches it: the approach not above zero, or too little air.
    pub fn sized(design: &TowerDesign) -> Option<Self> {
        let air_kg_s = design.water_kg_s / design.water_to_air;
        let heat_w = design.water_kg_s * WATER_J_KG_K * (design.entering_c - design.leaving_c);
        let with = |constant: f64| Self { constant, air_kg_s, natural: 0.1, fan_w: 0.012 * heat_w, cycles: 4.0 };
        // Any air of that wet bulb.
        let celsius = design.wet_bulb_c + 8.0;
        let air = (celsius, ratio_from_wet_bulb(celsius, design.wet_bulb_c, design.pressure_pa));
        let leaving =
            |c: f64| with(c).run((design.entering_c, design.water_kg_s), air, 1.0, design.pressure_pa).water_c;
        let can =
            heat_w > 0.0 && air_kg_s > 0.0 && design.leaving_c > design.wet_bulb_c && leaving(60.0) < design.leaving_c;
        can.then(|| with(bisect(0.0, 60.0, false, |c| leaving(c) - design.leaving_c)))
    }

    /// Water (°C, kg/s) over the fill with outdoor air (°C, kg/kg) and the fan at a share of its speed.
    pub fn run(&self, water: (f64, f64), air: (f64, f64), fan: f64, pressure_pa: f64) -> TowerResult {
        let (entering_c, water_kg_s) = water;
        let (air_c, ratio) = air;
        let fan = if fan.is_finite() { fan.clamp(0.0, 1.0) } else { 0.0 };
        let dry_kg_s = self.air_kg_s * fan.max(self.natural.clamp(0.0, 1.0));
        let bulb_c = wet_bulb_c(air_c, ratio, pressure_pa);
        let stream = AirStream { dry_kg_s, celsius: air_c, ratio };
        let rest = TowerResult {
            water_c: entering_c,
            approach_k: entering_c - bulb_c,
            fan_w: self.fan_w * fan.powi(3),
            air: stream,
            ..TowerResult::default()
        };
        let outdoor = enthalpy_j_kg(air_c, ratio);
        // Water comes to the wet bulb at the best: its saturation enthalpy is a little above that of the air.
        let limit = saturation_enthalpy_j_kg(bulb_c, pressure_pa);
        let saturated = |t: f64| saturation_enthalpy_j_kg(t, pressure_pa);
        if !(water_kg_s > 0.0 && dry_kg_s > 0.0 && self.constant > 0.0 && entering_c > bulb_c) {
            return rest;
        }
        let ntu = self.constant * (water_kg_s / dry_kg_s).powf(1.0 + POWER);
        let capacity = water_kg_s * WATER_J_KG_K;
        // Heat by the secant of the saturation enthalpy down to a leaving temperature.
        let by = |leaving_c: f64| {
            let cs = (saturated(entering_c) - saturated(leaving_c)) / (entering_c - leaving_c).max(1e-6);
            let (air_side, water_side) = (dry_kg_s, capacity / cs);
            let (least, most) = (air_side.min(water_side), air_side.max(water_side));
            let units = ntu * air_side / least;
            Arrangement::Counter.effectiveness(units, least / most) * least * (saturated(entering_c) - limit)
        };
        let water_c = bisect(bulb_c, entering_c - 1e-6, true, |t| by(t) - capacity * (entering_c - t));
        let heat_w = capacity * (entering_c - water_c);
        // The air that leaves is saturated, or nearly (Braun): by the transfer units of the air alone.
        let leaving = outdoor + heat_w / dry_kg_s;
        let contact = -(-ntu).exp_m1();
        let surface_h = outdoor + (leaving - outdoor) / contact.max(1e-9);
        let surface_c = saturation_celsius_at_enthalpy(surface_h, pressure_pa);
        let mut leaving_ratio = ratio + contact * (saturation_ratio(surface_c, pressure_pa) - ratio);
        let saturation_c = saturation_celsius_at_enthalpy(leaving, pressure_pa);
        let mut leaving_c = crate::simulation::psychrometrics::celsius_at_enthalpy(leaving, leaving_ratio);
        if leaving_c < saturation_c {
            leaving_c = saturation_c;
            leaving_ratio = saturation_ratio(saturation_c, pressure_pa);
        }
        let evaporated = dry_kg_s * (leaving_ratio - ratio).max(0.0);
        TowerResult {
            heat_w,
            water_c,
            approach_k: water_c - bulb_c,
            air: AirStream { dry_kg_s, celsius: leaving_c, ratio: leaving_ratio },
            evaporated_kg_s: evaporated,
            make_up_kg_s: evaporated * self.cycles.max(1.01) / (self.cycles.max(1.01) - 1.0),
            ..rest
        }
    }

    /// The least fan speed, 0..1, that brings the water to a setpoint; 1 where none does.
    pub fn fan_for(&self, setpoint_c: f64, water: (f64, f64), air: (f64, f64), pressure_pa: f64) -> f64 {
        let leaving = |fan: f64| self.run(water, air, fan, pressure_pa).water_c;
        if leaving(1.0) >= setpoint_c {
            1.0
        } else if leaving(0.0) <= setpoint_c {
            0.0
        } else {
            bisect(0.0, 1.0, false, |fan| leaving(fan) - setpoint_c)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::simulation::psychrometrics::{STANDARD_PA, ratio_at};
    use proptest::prelude::*;

    const DESIGN: TowerDesign = TowerDesign {
        water_kg_s: 20.0,
        entering_c: 35.0,
        leaving_c: 29.5,
        wet_bulb_c: 25.6,
        water_to_air: 1.2,
        pressure_pa: STANDARD_PA,
    };

    fn outdoor(celsius: f64, humidity: f64) -> (f64, f64) {
        (celsius, ratio_at(celsius, humidity, STANDARD_PA))
    }

    #[test]
    fn it_reaches_its_design_point() {
        let tower = Tower::sized(&DESIGN).unwrap();
        let air = (32.0, ratio_from_wet_bulb(32.0, 25.6, STANDARD_PA));
        let r = tower.run((35.0, 20.0), air, 1.0, STANDARD_PA);
        assert!((r.water_c - 29.5).abs() < 1e-4 && (r.approach_k - 3.9).abs() < 0.1, "{r:?}");
        assert!((r.heat_w - 20.0 * 4186.0 * 5.5).abs() < 50.0);
        // Nearly all of it by evaporation: some 1 % of the water for 6 to 7 K.
        assert!(r.evaporated_kg_s > 0.0055 * 20.0 && r.evaporated_kg_s < 0.0105 * 20.0, "{r:?}");
        assert!((r.make_up_kg_s / r.evaporated_kg_s - 4.0 / 3.0).abs() < 1e-9);
        assert!(Tower::sized(&TowerDesign { leaving_c: 25.0, ..DESIGN }).is_none(), "below the wet bulb");
    }

    #[test]
    fn merkels_integral_at_the_design_point() {
        // ∫ cw·dT/(hs − h) over the water's range by Simpson's rule is the number of transfer units of the
        // water; the effectiveness form uses a straight saturation line and must come near it.
        let tower = Tower::sized(&DESIGN).unwrap();
        let outdoor = saturation_enthalpy_j_kg(25.6, STANDARD_PA);
        let integrand = |t: f64| {
            let h = outdoor + 1.2 * WATER_J_KG_K * (t - 29.5);
            WATER_J_KG_K / (saturation_enthalpy_j_kg(t, STANDARD_PA) - h)
        };
        let n = 200;
        let step = 5.5 / f64::from(n);
        let sum: f64 = (0..=n)
            .map(|i| {
                let weight = if i == 0 || i == n {
                    1.0
                } else if i % 2 == 1 {
                    4.0
                } else {
                    2.0
                };
                weight * integrand(29.5 + step * f64::from(i))
            })
            .sum();
        let merkel = sum * step / 3.0;
        let ours = tower.constant * 1.2f64.powf(0.4) / 1.2;
        assert!((ours / merkel - 1.0).abs() < 0.04, "{ours} {merkel}");
    }

    #[test]
    fn fan_and_weather() {
        let tower = Tower::sized(&DESIGN).unwrap();
        let at = |fan, air| tower.run((33.0, 20.0), air, fan, STANDARD_PA).water_c;
        assert!(at(1.0, outdoor(15.0, 0.6)) < at(0.5, outdoor(15.0, 0.6)) - 2.0);
        assert!(at(0.0, outdoor(15.0, 0.6)) < 32.5, "natural draught");
        assert!(at(1.0, outdoor(30.0, 0.7)) > at(1.0, outdoor(30.0, 0.3)), "moist air cools less");
        let fan = tower.fan_for(25.0, (33.0, 20.0), outdoor(15.0, 0.6), STANDARD_PA);
        assert!(fan > 0.1 && fan < 1.0 && (at(fan, outdoor(15.0, 0.6)) - 25.0).abs() < 1e-3, "{fan}");
        assert_eq!(tower.fan_for(5.0, (33.0, 20.0), outdoor(25.0, 0.6), STANDARD_PA), 1.0);
        assert!((tower.run((33.0, 20.0), outdoor(15.0, 0.6), 0.5, STANDARD_PA).fan_w - tower.fan_w / 8.0).abs() < 1e-9);
        assert_eq!(tower.run((20.0, 0.0), outdoor(30.0, 0.5), 1.0, STANDARD_PA).heat_w, 0.0);
        assert_eq!(tower.run((10.0, 20.0), outdoor(30.0, 0.5), 1.0, STANDARD_PA).heat_w, 0.0, "colder than the bulb");
    }

    proptest! {
        #[test]
        fn the_wet_bulb_is_the_limit_and_heat_closes(
            entering in 20.0..45.0f64, t in -5.0..38.0f64, humidity in 0.1..1.0f64, fan in 0.0..1.0f64, water in 2.0..40.0f64,
        ) {
            let tower = Tower::sized(&DESIGN).unwrap();
            let air = outdoor(t, humidity);
            let r = tower.run((entering, water), air, fan, STANDARD_PA);
            prop_assert!(r.water_c <= entering + 1e-9 && (r.heat_w == 0.0 || r.approach_k > -1e-6), "{:?}", r);
            prop_assert!((r.heat_w - water * WATER_J_KG_K * (entering - r.water_c)).abs() < 1e-6 * (1.0 + r.heat_w));
            let taken = r.air.enthalpy_w() - r.air.dry_kg_s * enthalpy_j_kg(air.0, air.1);
            prop_assert!((taken - r.heat_w).abs() < 1e-6 * (1.0 + r.heat_w), "{} {:?}", taken, r);
        }
    }
}
