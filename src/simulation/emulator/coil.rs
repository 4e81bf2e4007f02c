//! A water coil with its valve, dry or wet.
//!
//! Dry: effectiveness and transfer units on the water and the air that flow
//! ([`exchanger`](crate::simulation::thermal::exchanger), counter-flow), with a film for each that goes with a
//! power of its flow. Seen from the air, `1 − exp(−NTU)` of it comes to the state of the surface (its apparatus dew
//! point), the rest passes by unchanged; the dry surface stands a share `x` of the way to the entering water. A
//! surface below the dew point of the air dries it. Where it then is follows from the heat that the water takes:
//! the water side conducts `cp·x/(1 − x)` a kg of the air that touches the surface, and
//! `cp·x/(1 − x)·(ts − tw) = cp·(ta − ts) + r·(Wa − Ws(ts))`
//! holds: the balance of the coil characteristic in the ASHRAE Handbook HVAC Systems and Equipment 2020,
//! chapter 23 "Air-cooling and dehumidifying coils" (performance of dehumidifying coils), with the
//! enthalpy of the air written out. What the condensate carries away is neglected (0.3 %).

use super::control::{Actuator, lag};
use super::hydraulics::{AUTHORITY, VALVE};
use super::water::WATER_J_M3K;
use super::zone::{AIR_J_M3K, AIR_KG_M3, VAPOUR_J_KG};
use crate::simulation::faults::effect;
use crate::simulation::psychrometrics::{STANDARD_PA, saturation_ratio, saturation_ratio_and_slope};
use crate::simulation::thermal::exchanger::{Arrangement, Films};

/// How far a clean cooling coil brings its air to the temperature of the water, dry and at nominal flows.
pub(super) const COOLING: f64 = 0.73;
/// The same of a heating coil.
pub(super) const HEATING: f64 = 0.15;
/// Share of the resistance on the air's side, and the powers of the flows: fins and turbulent tubes.
const AIR_SIDE: f64 = 0.6;
const AIR_POWER: f64 = 0.6;
const WATER_POWER: f64 = 0.8;

/// A water coil with its valve.
#[derive(Clone, Debug)]
pub(super) struct Coil {
    pub valve: Actuator,
    cools: bool,
    films: Films,
    /// Conductance at nominal flows, clean, W/K.
    clean_w_k: f64,
    nominal_air_m3s: f64,
    nominal_water_m3s: f64,
    /// `1/effectiveness = a·v^0.4 + b·v/f` for air and water flows over their nominal: near enough to steer by.
    steer: (f64, f64),
    /// Water that flows, m³/s.
    pub water_m3s: f64,
    /// How fouled the surface is, 0..1.
    pub fouling: f64,
    pub entering_c: f64,
    pub leaving_c: f64,
    /// Humidity ratio of the air that leaves, kg/kg.
    pub leaving_ratio: f64,
    /// Water that enters, °C.
    pub water_c: f64,
    /// Surface that the air meets, °C.
    pub surface_c: f64,
    /// Heat from water to air, W; negative when it cools. The latent part is in it.
    pub heat_w: f64,
    /// The part of it that condenses moisture, W; never positive.
    pub latent_w: f64,
    trim: f64,
}

/// Surface of a wet coil, °C: between the one it would have if it stayed dry and the air's.
fn wet_surface(dry_c: f64, air_c: f64, air_ratio: f64, water_c: f64, share: f64, guess_c: f64) -> f64 {
    const CP: f64 = AIR_J_M3K / AIR_KG_M3;
    if share > 0.999 {
        return water_c;
    }
    let water_j_k = CP * share / (1.0 - share);
    let mut surface_c = guess_c.max(dry_c).min(air_c);
    // The balance is convex: Newton's steps come from one side and do not turn back.
    for _ in 0..12 {
        let (ratio, slope) = saturation_ratio_and_slope(surface_c, STANDARD_PA);
        let excess = water_j_k * (surface_c - water_c) - CP * (air_c - surface_c) - VAPOUR_J_KG * (air_ratio - ratio);
        let step = excess / (water_j_k + CP + VAPOUR_J_KG * slope);
        surface_c = (surface_c - step).max(dry_c).min(air_c);
        if step.abs() < 1e-5 {
            break;
        }
    }
    surface_c
}

impl Coil {
    /// A coil at rest, made for nominal flows of air and water, m³/s.
    pub fn new(cools: bool, air_m3s: f64, water_m3s: f64) -> Self {
        let (air_w_k, water_w_k) = (AIR_J_M3K * air_m3s.max(1e-3), WATER_J_M3K * water_m3s.max(1e-7));
        let least = air_w_k.min(water_w_k);
        let wanted = if cools { COOLING } else { HEATING };
        // No coil brings the air further than its water can.
        let effectiveness = (wanted * air_w_k / least).min(0.9);
        let units = Arrangement::Counter.units(effectiveness, least / air_w_k.max(water_w_k)).min(8.0);
        let mut coil = Self {
            valve: Actuator::default(),
            cools,
            films: Films::from_ua(units * least, AIR_SIDE, AIR_POWER, WATER_POWER),
            clean_w_k: units * least,
            nominal_air_m3s: air_m3s.max(1e-3),
            nominal_water_m3s: water_m3s.max(1e-7),
            steer: (1.0, 0.0),
            water_m3s: 0.0,
            fouling: 0.0,
            entering_c: 20.0,
            leaving_c: 20.0,
            leaving_ratio: 0.006,
            water_c: 20.0,
            surface_c: 20.0,
            heat_w: 0.0,
            latent_w: 0.0,
            trim: 0.0,
        };
        const PART: f64 = 0.3;
        let at = |share: f64| {
            let (contact, surface) = coil.reach(coil.nominal_air_m3s, share * coil.nominal_water_m3s);
            1.0 / (contact * surface).max(1e-6)
        };
        let b = (at(PART) - at(1.0)) / (1.0 / PART - 1.0);
        coil.steer = (at(1.0) - b, b);
        coil
    }

    /// How much of the air meets the surface, and how far a dry surface is on the way from the air to the water.
    fn reach(&self, air_m3s: f64, water_m3s: f64) -> (f64, f64) {
        let (air_w_k, water_w_k) = (AIR_J_M3K * air_m3s, WATER_J_M3K * water_m3s);
        let (air_film, water_film) = self.films.at(air_m3s / self.nominal_air_m3s, water_m3s / self.nominal_water_m3s);
        if !(air_film > 0.0 && air_w_k > 0.0) {
            return (0.0, 0.0);
        }
        let contact = -(-air_film / air_w_k).exp_m1();
        if !(water_film > 0.0 && water_w_k > 1e-3) {
            return (contact, 0.0);
        }
        let dirt_k_w = (1.0 / effect::fouled_conductance(self.fouling) - 1.0) / self.clean_w_k;
        let ua_w_k = 1.0 / (1.0 / air_film + 1.0 / water_film + dirt_k_w);
        let least = air_w_k.min(water_w_k);
        let effectiveness = Arrangement::Counter.effectiveness(ua_w_k / least, least / air_w_k.max(water_w_k));
        (contact, (effectiveness * least / (contact * air_w_k)).min(1.0))
    }

    /// The valve command that brings the air to `wanted_c`: what a clean, dry coil needs, plus a slow trim.
    pub fn command(
        &mut self,
        active: bool,
        wanted_c: f64,
        error_k: f64,
        water_c: f64,
        flow_ratio: f64,
        dt_s: f64,
    ) -> f64 {
        let reach = water_c - self.entering_c;
        let need = wanted_c - self.entering_c;
        if !active {
            self.trim = 0.0;
            return 0.0;
        }
        if reach * need <= 0.0 || reach.abs() < 2.0 {
            // Water of no use: ask for it when there is something to do.
            self.trim = 0.0;
            let something_to_do = if self.cools { need < -0.5 } else { need > 0.5 };
            return if something_to_do { 1.0 } else { 0.0 };
        }
        self.trim = (self.trim + error_k * dt_s / 3000.0).clamp(-0.3, 1.0);
        self.position_for(need / reach, flow_ratio) + self.trim
    }

    /// The position at which a clean, dry coil brings its air so far on the way to the water.
    fn position_for(&self, effectiveness: f64, flow_ratio: f64) -> f64 {
        let (a, b) = self.steer;
        let ratio = flow_ratio.max(0.05);
        let water_side = 1.0 / effectiveness.max(1e-3) - a * ratio.powf(1.0 - AIR_POWER);
        let flow = if water_side > b * ratio { b * ratio / water_side } else { 1.0 };
        // Back from the installed characteristic to the valve's own.
        let share = 1.0 / (1.0 + (1.0 / (flow * flow) - 1.0) / AUTHORITY).sqrt();
        VALVE.position(share)
    }

    /// Runs for `dt_s` in air of `entering_c` and a humidity ratio.
    pub fn step(&mut self, entering_c: f64, entering_ratio: f64, water_c: f64, airflow_m3s: f64, dt_s: f64) {
        self.entering_c = entering_c;
        let (contact, share) = self.reach(airflow_m3s, self.water_m3s);
        let dry_c = entering_c + share * (water_c - entering_c);
        let wet = self.cools && dry_c < entering_c && saturation_ratio(dry_c, STANDARD_PA) < entering_ratio;
        let mut dried = 0.0;
        if wet {
            self.surface_c = wet_surface(dry_c, entering_c, entering_ratio, water_c, share, self.surface_c);
            dried = contact * (entering_ratio - saturation_ratio(self.surface_c, STANDARD_PA)).max(0.0);
        } else {
            self.surface_c = dry_c;
        }
        let warmed_k = contact * (self.surface_c - entering_c);
        self.latent_w = -VAPOUR_J_KG * AIR_KG_M3 * airflow_m3s * dried;
        self.heat_w = AIR_J_M3K * airflow_m3s * warmed_k + self.latent_w;
        self.leaving_c = lag(self.leaving_c, entering_c + warmed_k, 15.0, dt_s);
        self.leaving_ratio = lag(self.leaving_ratio, entering_ratio - dried, 15.0, dt_s);
    }

    /// Stands still for `dt_s`, with its valve closing.
    pub fn rest(&mut self, ambient_c: f64, ambient_ratio: f64, dt_s: f64) {
        self.valve.step(0.0, dt_s);
        self.trim = 0.0;
        self.heat_w = 0.0;
        self.latent_w = 0.0;
        self.entering_c = lag(self.entering_c, ambient_c, 1800.0, dt_s);
        self.leaving_c = lag(self.leaving_c, ambient_c, 1800.0, dt_s);
        self.leaving_ratio = lag(self.leaving_ratio, ambient_ratio, 1800.0, dt_s);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::simulation::controls::valve::installed;
    use crate::simulation::psychrometrics::{dew_point_c, enthalpy_j_kg, ratio_at};

    /// A coil that has settled at 1 m³/s of air.
    fn settled(position: f64, air_c: f64, humidity: f64, water_c: f64) -> (Coil, f64) {
        let mut coil = Coil::new(true, 1.0, 1e-3);
        coil.water_m3s = 1e-3 * installed(VALVE.share(position), AUTHORITY);
        let ratio = ratio_at(air_c, humidity, STANDARD_PA);
        for _ in 0..100 {
            coil.step(air_c, ratio, water_c, 1.0, 5.0);
        }
        (coil, ratio)
    }

    #[test]
    fn a_surface_above_the_dew_point_stays_dry() {
        let (coil, ratio) = settled(0.6, 26.0, 0.3, 9.0);
        assert!(coil.surface_c > dew_point_c(ratio, STANDARD_PA));
        assert!(coil.latent_w == 0.0 && (coil.leaving_ratio - ratio).abs() < 1e-12);
        let sensible = AIR_J_M3K * (coil.leaving_c - 26.0);
        assert!((coil.heat_w - sensible).abs() < 1.0, "{coil:?}");
    }

    #[test]
    fn a_cold_surface_takes_moisture_and_more_heat() {
        for (position, humidity) in [(0.3, 0.8), (0.5, 0.65), (0.8, 0.5), (1.0, 0.5)] {
            let (coil, ratio) = settled(position, 26.0, humidity, 7.0);
            assert!(coil.latent_w < -300.0 && coil.leaving_ratio < ratio, "{coil:?}");
            assert!(coil.surface_c < dew_point_c(ratio, STANDARD_PA) && coil.surface_c >= 7.0);
            // What the air loses by its enthalpy, less the condensate's, is what the water gains.
            let lost = enthalpy_j_kg(26.0, ratio) - enthalpy_j_kg(coil.leaving_c, coil.leaving_ratio);
            let condensate = (ratio - coil.leaving_ratio) * 4186.0 * coil.surface_c;
            let by_enthalpy = AIR_KG_M3 * (lost - condensate);
            assert!((by_enthalpy + coil.heat_w).abs() < 0.025 * by_enthalpy, "{by_enthalpy} {coil:?}");
            // The water side: as much heat as its share lets through to this surface.
            let (contact, share) = coil.reach(1.0, coil.water_m3s);
            if share < 0.999 {
                let taken = contact * AIR_J_M3K * share / (1.0 - share) * (coil.surface_c - 7.0);
                assert!((taken + coil.heat_w).abs() < 1e-3 * taken, "{taken} {coil:?}");
            }
            // Never fog.
            assert!(coil.leaving_ratio <= saturation_ratio(coil.leaving_c, STANDARD_PA) * 1.001);
            // Against the same coil in dry air it cools less, since its water also takes the latent heat.
            let (dry, _) = settled(position, 26.0, 0.1, 7.0);
            assert!(coil.leaving_c >= dry.leaving_c - 1e-6 && coil.heat_w < dry.heat_w);
        }
    }

    #[test]
    fn between_dry_and_wet_there_is_no_jump() {
        let mut before: Option<f64> = None;
        for n in 0..200 {
            let (coil, _) = settled(0.5, 26.0, 0.3 + 0.0025 * f64::from(n), 7.0);
            if let Some(before) = before {
                assert!(coil.heat_w <= before + 1e-6 && before - coil.heat_w < 120.0, "{coil:?}");
            }
            before = Some(coil.heat_w);
        }
    }

    #[test]
    fn at_its_nominal_flows_it_does_what_it_is_made_for() {
        for (cools, wanted, water_c) in [(true, COOLING, 7.0), (false, HEATING, 60.0)] {
            let mut coil = Coil::new(cools, 2.0, 1.2e-3);
            coil.water_m3s = 1.2e-3;
            for _ in 0..100 {
                coil.step(20.0, 0.004, water_c, 2.0, 5.0);
            }
            let reached = (coil.leaving_c - 20.0) / (water_c - 20.0);
            assert!((reached - wanted).abs() < 0.005, "{reached}");
            let water_k = coil.heat_w.abs() / (WATER_J_M3K * coil.water_m3s);
            assert!(water_k < (water_c - 20.0f64).abs(), "{water_k}");
            println!("steer {:?}", coil.steer);
        }
    }

    #[test]
    fn it_steers_to_where_it_wants_to_be() {
        for (air, effectiveness) in [(2.0, 0.6), (2.0, 0.3), (1.2, 0.5), (1.2, 0.15), (0.8, 0.3)] {
            let mut coil = Coil::new(true, 2.0, 1.5e-3);
            let position = coil.position_for(effectiveness, air / 2.0);
            coil.water_m3s = 1.5e-3 * installed(VALVE.share(position), AUTHORITY);
            let (contact, share) = coil.reach(air, coil.water_m3s);
            assert!((contact * share / effectiveness - 1.0).abs() < 0.12, "{air} {effectiveness}: {}", contact * share);
        }
    }

    #[test]
    fn dirt_takes_heat_and_less_water_too() {
        let coil = |fouling: f64| Coil { fouling, ..Coil::new(true, 1.0, 1e-3) };
        let heat = |c: &Coil, water: f64| c.reach(1.0, water).1;
        assert!(heat(&coil(1.0), 1e-3) < 0.55 * heat(&coil(0.0), 1e-3));
        assert!(heat(&coil(0.0), 2e-4) < 0.7 * heat(&coil(0.0), 1e-3));
    }
}
