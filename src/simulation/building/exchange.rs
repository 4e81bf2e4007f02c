//! Heat that nobody measures in the water, from what is measured beside it.
//!
//! What a coil's water takes is what its air gives: airflow and temperatures before and behind it are measured, and where
//! a cooling coil dries the air, its humidity. What a chiller sends to its tower is what it takes from the chilled water
//! and what drives it. A radiator gives by EN 442, which needs the temperature of its room only.

use super::{Conditions, Part, SystemNetwork};
use crate::simulation::network::Command;
use crate::simulation::psychrometrics::{STANDARD_PA, ratio_at};
use crate::simulation::thermal::radiator::log_mean;
use serde::Serialize;

/// Density of the air that airflows are told in, kg/m³, and its specific heat, J/(kg·K).
const AIR_KG_M3: f64 = 1.2;
const AIR_J_KG_K: f64 = 1006.0;
/// Heat that vapour leaves where it condenses, J/kg.
const VAPOUR_J_KG: f64 = 2.5e6;
/// Exponent of a radiator's output (EN 442: 1.2 to 1.4), and the mean excess that it is rated at: 75/65/20 °C, K.
const EMITTER_POWER: f64 = 1.3;
const RATED_K: f64 = 49.833;

/// What a point measures of the air at a coil.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum AirAt {
    /// Airflow, m³/s.
    Flow,
    /// Temperature of the air that enters the coil, °C.
    Enters,
    /// Temperature of the air that leaves it, °C.
    Leaves,
    /// Temperature, °C, where the humidity before the coil is measured.
    DampC,
    /// Relative humidity there, 0..1.
    Damp,
    /// Temperature, °C, where the humidity behind it is measured.
    DryC,
    /// Relative humidity there, 0..1.
    Dry,
}

/// The air at a coil, as far as it is measured.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct AirSide {
    values: [Option<f64>; 7],
}

impl AirSide {
    /// Notes what is measured.
    pub fn set(&mut self, at: AirAt, value: f64) {
        self.values[at as usize] = Some(value);
    }

    fn get(&self, at: AirAt) -> Option<f64> {
        self.values[at as usize]
    }

    /// Heat that the air gives to the water, W, negative where it takes it; none where too little is measured.
    pub fn heat_w(&self) -> Option<f64> {
        let flow = self.get(AirAt::Flow)?.max(0.0);
        let sensible = AIR_J_KG_K * (self.get(AirAt::Enters)? - self.get(AirAt::Leaves)?);
        let ratio = |c: AirAt, share: AirAt| {
            Some(ratio_at(self.get(c)?, self.get(share)?.clamp(0.0, 1.0), STANDARD_PA)).filter(|w| w.is_finite())
        };
        let dried = ratio(AirAt::DampC, AirAt::Damp).zip(ratio(AirAt::DryC, AirAt::Dry));
        // Air that is warmed keeps its moisture.
        let latent = dried.filter(|_| sensible > 0.0).map_or(0.0, |(damp, dry)| VAPOUR_J_KG * (damp - dry).max(0.0));
        Some(AIR_KG_M3 * flow * (sensible + latent))
    }
}

/// What gives its heat to a room by EN 442.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Emitter {
    /// Its link.
    pub link: usize,
    /// Output at 75/65/20 °C, W.
    pub rated_w: f64,
}

impl Emitter {
    /// Conductance at a mean excess of the water over the room, W/K.
    fn at_w_k(&self, mean_k: f64) -> f64 {
        self.rated_w / RATED_K * (mean_k.max(0.1) / RATED_K).powf(EMITTER_POWER - 1.0)
    }

    /// Conductance for water of a temperature and a heat capacity flow in a room, W/K: water that cools far down has a
    /// small mean excess, and gives less for it.
    pub fn conductance_w_k(&self, water_c: f64, flow_w_k: f64, room_c: f64) -> f64 {
        let reach_k = water_c - room_c;
        if !(reach_k > 0.1 && flow_w_k > 0.0) {
            return self.at_w_k(0.1);
        }
        let mut mean_k = 0.5 * reach_k;
        for _ in 0..12 {
            let left = (-self.at_w_k(mean_k) / flow_w_k).exp();
            mean_k = log_mean(reach_k, (reach_k * left).max(1e-6));
        }
        self.at_w_k(mean_k)
    }
}

impl Conditions {
    /// Settles what several values say together, once all of them are set: water that no machine wants goes through all
    /// of them, and what chillers reject is shared out.
    pub fn complete(&mut self, of: &SystemNetwork) {
        self.leave_a_way(of);
        let Some(absorbed) = self.absorbed_w else { return };
        let condensers = || of.link_part.iter().enumerate().filter(|(_, p)| **p == Part::Condenser).map(|(l, _)| l);
        let open = |l: usize| self.boundary.command.get(l) != Some(&Command::Closed);
        let made_for = |l: usize| of.link_heat.get(l).map_or(0.0, |h| h.heat_w.max(0.0));
        let whole: f64 = condensers().filter(|l| open(*l)).map(made_for).sum();
        let mut rejected = Vec::new();
        for link in condensers() {
            let Some(driven) = self.driven_w.iter().find(|(l, _)| *l == link).map(|(_, w)| *w) else { continue };
            let share = if open(link) && whole > 0.0 { made_for(link) / whole } else { 0.0 };
            rejected.push((link, driven + share * absorbed.max(0.0)));
        }
        for (link, watts) in rejected {
            if let Some(heat) = self.link_heat.get_mut(link) {
                heat.heat_w = watts.max(0.0);
            }
        }
    }

    /// The same of what the flows have a say in: `flow_w_k` is the heat capacity flow of a link, `entering_c` the
    /// temperature of what enters it.
    pub(super) fn exchange(
        &mut self,
        of: &SystemNetwork,
        flow_w_k: impl Fn(usize) -> f64,
        entering_c: impl Fn(usize) -> f64,
    ) {
        let clean = |fouled: &[(usize, f64)], link: usize| {
            fouled.iter().filter(|(l, _)| *l == link).map(|(_, share)| share).product::<f64>()
        };
        for (link, side) in &self.air {
            let (Some(heat_w), Some(air_c), Some(heat)) =
                (side.heat_w(), side.get(AirAt::Enters), self.link_heat.get_mut(*link))
            else {
                continue;
            };
            // No water is brought past the air that it meets first.
            let most_w = flow_w_k(*link) * (air_c - entering_c(*link));
            let heat_w = clean(&self.fouled, *link) * heat_w;
            if heat_w * most_w <= 0.0 {
                (heat.ua_w_k, heat.heat_w, heat.leaves_c) = (0.0, 0.0, None);
            } else if heat_w.abs() < most_w.abs() {
                (heat.ua_w_k, heat.heat_w, heat.leaves_c) = (0.0, heat_w, None);
            } else {
                (heat.heat_w, heat.leaves_c) = (0.0, Some(air_c));
            }
        }
        for emitter in &of.emitters {
            let link = emitter.link;
            if let Some(heat) = self.link_heat.get_mut(link) {
                heat.ua_w_k = emitter.conductance_w_k(entering_c(link), flow_w_k(link), heat.ambient_c)
                    * clean(&self.fouled, link);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::simulation::thermal::radiator::Radiator;

    #[test]
    fn what_the_air_gives() {
        let mut side = AirSide::default();
        side.set(AirAt::Flow, 2.0);
        side.set(AirAt::Enters, 26.0);
        assert_eq!(side.heat_w(), None);
        side.set(AirAt::Leaves, 14.0);
        let dry = side.heat_w().unwrap();
        assert!((dry - 2.0 * 1.2 * 1006.0 * 12.0).abs() < 1.0, "{dry}");
        for (at, value) in [(AirAt::DampC, 26.0), (AirAt::Damp, 0.55), (AirAt::DryC, 14.0), (AirAt::Dry, 0.95)] {
            side.set(at, value);
        }
        // 11.5 g/kg and 9.5 g/kg: enthalpies of 55.6 and 38.1 kJ/kg.
        let wet = side.heat_w().unwrap();
        assert!((wet / (2.0 * 1.2 * 17.4e3) - 1.0).abs() < 0.03, "{wet}");
        side.set(AirAt::Leaves, 30.0);
        assert!(side.heat_w().unwrap() < 0.0, "what warms the air takes from the water, and condenses nothing");
    }

    #[test]
    fn an_emitter_is_the_radiator_of_its_rating() {
        let (emitter, radiator) = (Emitter { link: 0, rated_w: 1000.0 }, Radiator::new(1000.0));
        for (water_c, flow_w_k) in [(75.0, 100.0), (55.0, 100.0), (60.0, 20.0), (60.0, 4.0)] {
            let ua = emitter.conductance_w_k(water_c, flow_w_k, 20.0);
            let leaves = 20.0 + (water_c - 20.0) * (-ua / flow_w_k).exp();
            let by_norm = radiator.run(water_c, flow_w_k, 20.0).return_c;
            assert!((leaves - by_norm).abs() < 0.1, "{water_c} {flow_w_k}: {leaves} {by_norm}");
        }
        assert!(emitter.conductance_w_k(15.0, 100.0, 20.0) > 0.0, "cold water is warmed by its room");
    }
}
