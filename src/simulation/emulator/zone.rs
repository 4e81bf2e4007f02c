//! A room and the VAV box that serves it.
//!
//! Two lumps, air and mass, with an envelope, sun, people, lights and plugs; CO₂ and moisture well mixed.
//! The box has a cooling loop on its damper and a heating loop on its reheat valve.

use super::control::{Actuator, Pi, lag, mix, unit_interval};
use super::water::WATER_J_M3K;
use super::weather::{Calendar, Weather};
use crate::simulation::psychrometrics::{STANDARD_PA, relative_humidity, saturation_ratio};
use crate::simulation::thermal::exchanger::{Arrangement, Films, exchange};
use std::f64::consts::PI;

/// Heat capacity of a cubic metre of air, J/(m³·K).
pub(super) const AIR_J_M3K: f64 = 1206.0;
/// Dry air in a cubic metre, kg.
pub(super) const AIR_KG_M3: f64 = 1.2;
/// Heat that a kg of vapour gives off when it condenses, or takes when it evaporates, J (at 20 °C on a
/// surface of 10 °C: 2501 + 1.86·20 − 4.19·10 kJ).
pub(super) const VAPOUR_J_KG: f64 = 2.5e6;
/// CO₂ outdoors, ppm.
pub(super) const OUTDOOR_CO2_PPM: f64 = 420.0;
/// What a person exhales at light work, m³/s of CO₂ (ASHRAE 62.1: 0.31 L/min).
const CO2_PER_PERSON: f64 = 5.2e-6;
/// Sensible and latent heat of a person at moderately active office work, W (ASHRAE Fundamentals 2021,
/// chapter 18, table 1).
const PERSON_W: f64 = 75.0;
const PERSON_LATENT_W: f64 = 55.0;
/// Air that leaks in, of the room's volume, 1/s.
const LEAKAGE_S: f64 = 0.08 / 3600.0;
/// Paper, textiles and plaster take up moisture with the air: so many times what it holds itself.
pub(super) const MOISTURE_STORE: f64 = 5.0;
/// Rooms below this at night call for heat, above the other for cooling, °C.
pub(super) const NIGHT_C: (f64, f64) = (18.0, 27.0);

/// Logarithm of a shut damper's loss over an open one's.
const BLADES: f64 = 12.9;

/// What a box is sized for; SI.
#[derive(Clone, Copy, Debug)]
pub(super) struct ZoneDesign {
    pub floor_m2: f64,
    pub volume_m3: f64,
    pub nominal_m3s: f64,
    pub minimum_m3s: f64,
    pub heating_w: f64,
}

/// What the air handling unit and the heating loop bring to a box.
#[derive(Clone, Copy, Debug)]
pub(super) struct Supply {
    /// Temperature of the supply air, °C.
    pub air_c: f64,
    /// CO₂ of the supply air, ppm.
    pub co2_ppm: f64,
    /// Humidity ratio of the supply air, kg/kg.
    pub ratio: f64,
    /// Duct pressure over its setpoint, 0..1.
    pub pressure: f64,
    /// People are expected: the day's setpoint counts.
    pub occupied: bool,
    /// Heating water, °C.
    pub water_c: f64,
}

/// A room with its box.
#[derive(Clone, Debug)]
pub(super) struct Zone {
    pub design: ZoneDesign,
    /// Index of its air handling unit.
    pub air_handler: usize,
    pub air_c: f64,
    /// Its air as its controller sees it, where its sensor is faulty, °C.
    pub sensed_c: Option<f64>,
    mass_c: f64,
    pub co2_ppm: f64,
    /// Humidity ratio of its air, kg/kg.
    pub humidity_ratio: f64,
    /// What people breathe and sweat, kg/s.
    pub moisture_kg_s: f64,
    pub setpoint_c: f64,
    pub airflow_m3s: f64,
    pub discharge_c: f64,
    pub damper: Actuator,
    /// How much of its duct is blocked, 0..1.
    pub blocked: f64,
    /// Its damper is one of blades, whose loss nobody knows by its position: it is moved until the air is right.
    pub blades: bool,
    /// Its number among the boxes of its air handling unit.
    pub number: usize,
    pub reheat: Actuator,
    /// Water in its reheat coil, now and as it is made for, m³/s.
    pub water_m3s: f64,
    pub nominal_water_m3s: f64,
    films: Films,
    /// Heat that the reheat coil takes from the water, W.
    pub reheat_w: f64,
    /// Lights and plugs, W.
    pub electric_w: f64,
    cooling: Pi,
    heating: Pi,
    day_setpoint_c: f64,
    envelope_w_k: f64,
    gain_w_m2: f64,
    people: f64,
    sun_m2: f64,
    sun_hour: f64,
    rhythm: [f64; 2],
}

impl Zone {
    /// A room at rest; `seed` sets its window's orientation, its use and its setpoint.
    pub fn new(design: ZoneDesign, air_handler: usize, seed: u64) -> Self {
        let draw = |n: u64| unit_interval(mix(seed, n));
        let cooling_w = AIR_J_M3K * design.nominal_m3s * 8.0;
        let heating_w = (AIR_J_M3K * heating_flow(&design) * 15.0).min(design.heating_w);
        // Rooms are used as their equipment was sized for: a small box means a small load.
        let floor = design.floor_m2;
        let gain_w_m2 = (8.0 + 6.0 * draw(1)).min(0.35 * cooling_w / floor);
        let by_air = 500e-6 * design.minimum_m3s.max(0.4 * design.nominal_m3s) / CO2_PER_PERSON;
        let people = (0.11 * floor * (0.7 + 0.6 * draw(2))).min(by_air).min(0.25 * cooling_w / PERSON_W);
        Self {
            air_handler,
            air_c: 21.5,
            sensed_c: None,
            mass_c: 21.5,
            co2_ppm: 450.0,
            humidity_ratio: 0.006,
            moisture_kg_s: 0.0,
            setpoint_c: 21.0,
            airflow_m3s: 0.0,
            discharge_c: 21.0,
            damper: Actuator::default(),
            blocked: 0.0,
            blades: false,
            number: 0,
            reheat: Actuator::default(),
            water_m3s: 0.0,
            nominal_water_m3s: design.heating_w / (12.0 * WATER_J_M3K),
            films: Films::from_ua(design.heating_w / 30.0, 0.6, 0.6, 0.8),
            reheat_w: 0.0,
            electric_w: 0.0,
            cooling: Pi::default(),
            heating: Pi::default(),
            day_setpoint_c: 22.0 + (draw(3) * 4.0).round() * 0.25,
            envelope_w_k: (floor * (0.5 + 0.5 * draw(4))).min(0.45 * heating_w / 24.0),
            gain_w_m2,
            people,
            sun_m2: (floor * (0.015 + 0.02 * draw(5))).min(0.3 * cooling_w / 700.0),
            sun_hour: 8.0 + 9.0 * draw(6),
            rhythm: [draw(7), draw(8)],
            design,
        }
    }

    /// Runs for `dt_s`.
    pub fn step(&mut self, dt_s: f64, supply: Supply, weather: &Weather, calendar: Calendar) {
        self.control(dt_s, supply);
        let air_w_k = AIR_J_M3K * self.airflow_m3s;
        self.reheat(dt_s, supply, air_w_k);
        self.room(dt_s, supply, weather, calendar, air_w_k);
    }

    fn control(&mut self, dt_s: f64, supply: Supply) {
        let d = &self.design;
        let minimum = d.minimum_m3s / d.nominal_m3s;
        if supply.pressure < 0.1 {
            self.setpoint_c = NIGHT_C.0;
            self.cooling.clear();
            self.heating.clear();
            self.damper.step(minimum, dt_s);
            self.reheat.step(0.0, dt_s);
            return;
        }
        let (heat_below, cool_above) = if supply.occupied {
            self.setpoint_c = self.day_setpoint_c;
            (self.setpoint_c - 0.3, self.setpoint_c + 0.3)
        } else {
            self.setpoint_c = NIGHT_C.0;
            (NIGHT_C.0 + 2.0, NIGHT_C.1 - 1.5)
        };
        let sensed_c = self.sensed_c.unwrap_or(self.air_c);
        let cool = self.cooling.step(sensed_c - cool_above, 0.45, 900.0, dt_s);
        let heat = self.heating.step(heat_below - sensed_c, 0.45, 900.0, dt_s);
        // Supply air that is warmer than the room cannot cool it.
        let cool = if supply.air_c < self.air_c - 1.0 { cool } else { 0.0 };
        let for_co2 = ((self.co2_ppm - 850.0) / 400.0).clamp(0.0, 0.6);
        let for_heat = heat * (heating_flow(d) / d.nominal_m3s - minimum);
        let flow = (minimum + (cool * (1.0 - minimum)).max(for_heat)).max(for_co2).min(1.0);
        let position = if self.blades {
            // The loss of blades goes with the exponential of their position, the flow with its root.
            let actual = (self.airflow_m3s / d.nominal_m3s).max(0.02);
            self.damper.command + (2.0 * (flow / actual).ln() / BLADES).clamp(-0.05, 0.05) * (dt_s / 15.0).min(1.0)
        } else {
            flow / supply.pressure.max(0.1).sqrt()
        };
        self.damper.step(position, dt_s);
        // The discharge limit keeps warm air from lying under the ceiling.
        self.reheat.step(heat * ((40.0 - self.discharge_c) / 5.0).clamp(0.0, 1.0), dt_s);
    }

    fn reheat(&mut self, dt_s: f64, supply: Supply, air_w_k: f64) {
        let water_w_k = WATER_J_M3K * self.water_m3s;
        let steady_c = if air_w_k > 1.0 {
            let nominal_m3s = heating_flow(&self.design);
            let ua_w_k = self.films.ua_w_k(self.airflow_m3s / nominal_m3s, self.water_m3s / self.nominal_water_m3s);
            let done = exchange(Arrangement::Counter, ua_w_k, (water_w_k, supply.water_c), (air_w_k, supply.air_c));
            self.reheat_w = done.heat_w.max(0.0);
            supply.air_c + self.reheat_w / air_w_k
        } else {
            self.reheat_w = 0.0;
            self.air_c
        };
        let tau_s = if air_w_k > 1.0 { 40.0 } else { 900.0 };
        self.discharge_c = lag(self.discharge_c, steady_c, tau_s, dt_s);
    }

    fn room(&mut self, dt_s: f64, supply: Supply, weather: &Weather, calendar: Calendar, air_w_k: f64) {
        let d = &self.design;
        let [depth, pace] = self.rhythm;
        let comings =
            1.0 - 0.25 * depth + 0.25 * depth * (2.0 * PI * (calendar.hour * (0.4 + 0.5 * pace) + depth)).sin();
        let presence = calendar.presence();
        let people = self.people * presence * comings;
        self.electric_w = self.gain_w_m2 * d.floor_m2 * (0.12 + 0.88 * presence);
        let facing = 0.3 + 0.7 * (PI * (calendar.hour - self.sun_hour) / 9.0).cos().max(0.0);
        let gains_w = people * PERSON_W + self.electric_w + self.sun_m2 * weather.sun_w_m2 * facing;
        // Furniture moves with the air: five times its own heat capacity.
        let air_j_k = 5.0 * AIR_J_M3K * d.volume_m3;
        let mass_j_k = 220e3 * d.floor_m2;
        let mass_w_k = 10.0 * d.floor_m2;
        // The air settles within minutes, so it is solved exactly for the step; the mass is slow.
        let sum_w_k = air_w_k + mass_w_k + self.envelope_w_k;
        let balance_w =
            air_w_k * self.discharge_c + mass_w_k * self.mass_c + self.envelope_w_k * weather.outdoor_c + 0.6 * gains_w;
        let before = self.air_c;
        self.air_c = lag(before, balance_w / sum_w_k, air_j_k / sum_w_k, dt_s);
        let mean_air_c = 0.5 * (before + self.air_c);
        self.mass_c += dt_s * (mass_w_k * (mean_air_c - self.mass_c) + 0.4 * gains_w) / mass_j_k;
        let infiltration = LEAKAGE_S * d.volume_m3;
        let fresh = self.airflow_m3s + infiltration;
        let settled =
            (self.airflow_m3s * supply.co2_ppm + infiltration * OUTDOOR_CO2_PPM + people * CO2_PER_PERSON * 1e6)
                / fresh;
        self.co2_ppm = lag(self.co2_ppm, settled, d.volume_m3 / fresh, dt_s);
        self.moisture_kg_s = people * PERSON_LATENT_W / VAPOUR_J_KG;
        let settled =
            (self.airflow_m3s * supply.ratio + infiltration * weather.humidity_ratio + self.moisture_kg_s / AIR_KG_M3)
                / fresh;
        self.humidity_ratio = moisten(self.humidity_ratio, settled, d.volume_m3, fresh, self.air_c, dt_s);
    }

    /// Relative humidity of the room's air, 0..1.
    pub fn humidity(&self) -> f64 {
        relative_humidity(self.air_c, self.humidity_ratio, STANDARD_PA).min(1.0)
    }

    /// Air that leaks in from outdoors, m³/s.
    #[cfg(test)]
    pub fn leakage_m3s(&self) -> f64 {
        LEAKAGE_S * self.design.volume_m3
    }
}

/// The humidity ratio of a well-mixed room after `dt_s`, on its way to `settled`; what air of its
/// temperature cannot hold runs down the walls.
pub(super) fn moisten(ratio: f64, settled: f64, volume_m3: f64, fresh_m3s: f64, air_c: f64, dt_s: f64) -> f64 {
    let ratio = lag(ratio, settled, MOISTURE_STORE * volume_m3 / fresh_m3s, dt_s);
    // Saturation is convex in the temperature, so below its tangent at 20 °C no air is saturated: a room
    // hardly ever needs the whole equation.
    if ratio < 0.0146 + 0.000_94 * (air_c - 20.0).min(0.0) {
        ratio
    } else {
        ratio.min(saturation_ratio(air_c, STANDARD_PA))
    }
}

/// Airflow at full heating, m³/s.
fn heating_flow(d: &ZoneDesign) -> f64 {
    (d.minimum_m3s + 0.25 * (d.nominal_m3s - d.minimum_m3s)).max(0.35 * d.nominal_m3s)
}

#[cfg(test)]
mod tests {
    use super::super::hydraulics::{AUTHORITY, VALVE};
    use super::*;
    use crate::simulation::controls::valve::installed;
    use crate::time::Time;

    fn zone() -> Zone {
        let design =
            ZoneDesign { floor_m2: 25.0, volume_m3: 75.0, nominal_m3s: 0.14, minimum_m3s: 0.04, heating_w: 2500.0 };
        Zone::new(design, 0, 7)
    }

    fn settle(zone: &mut Zone, supply: Supply, noon: &str) {
        let now = Time::parse(noon).unwrap();
        let calendar = Calendar::at(now);
        let mut weather = Weather::new(1);
        weather.update(now, calendar);
        for _ in 0..40_000 {
            zone.step(10.0, supply, &weather, calendar);
            water(zone);
        }
    }

    /// As much water and air as its valve and its damper let through at the pressures that loop and duct hold.
    fn water(zone: &mut Zone) {
        zone.airflow_m3s = zone.design.nominal_m3s * zone.damper.position;
        zone.water_m3s = zone.nominal_water_m3s * installed(VALVE.share(zone.reheat.position), AUTHORITY);
    }

    #[test]
    fn a_room_settles_at_its_setpoint_in_summer_and_winter() {
        let supply = Supply { air_c: 14.0, co2_ppm: 500.0, ratio: 0.008, pressure: 1.0, occupied: true, water_c: 60.0 };
        for day in ["2026-07-15T11:00:00Z", "2026-01-14T11:00:00Z"] {
            let mut zone = zone();
            settle(&mut zone, supply, day);
            assert!((zone.air_c - zone.setpoint_c).abs() < 0.5, "{day}: {zone:?}");
            assert!(zone.co2_ppm > 520.0 && zone.co2_ppm < 1100.0);
        }
    }

    #[test]
    fn a_valve_stuck_open_overheats_the_room() {
        let supply = Supply { air_c: 14.0, co2_ppm: 500.0, ratio: 0.008, pressure: 1.0, occupied: true, water_c: 60.0 };
        let mut zone = zone();
        zone.reheat.stuck_at = Some(1.0);
        settle(&mut zone, supply, "2026-05-13T11:00:00Z");
        assert!(zone.reheat.command < 0.05 && zone.reheat.position == 1.0);
        assert!(zone.reheat_w > 1500.0);
    }

    #[test]
    fn the_room_holds_the_water_that_came_in() {
        let supply = Supply { air_c: 14.0, co2_ppm: 500.0, ratio: 0.008, pressure: 1.0, occupied: true, water_c: 60.0 };
        let mut zone = zone();
        let mut weather = Weather::new(1);
        let start = Time::parse("2026-07-15T04:00:00Z").unwrap();
        let (before, mut net_kg) = (zone.humidity_ratio, 0.0);
        for n in 0..17_280 {
            let now = start.plus_seconds(f64::from(n) * 5.0);
            let calendar = Calendar::at(now);
            weather.update(now, calendar);
            let was = zone.humidity_ratio;
            zone.step(5.0, supply, &weather, calendar);
            water(&mut zone);
            let ratio = 0.5 * (was + zone.humidity_ratio);
            let by_air = zone.airflow_m3s * (supply.ratio - ratio);
            let leaked = zone.leakage_m3s() * (weather.humidity_ratio - ratio);
            net_kg += 5.0 * (AIR_KG_M3 * (by_air + leaked) + zone.moisture_kg_s);
            if n == 4000 {
                // In the middle of the morning people make the room moister than its supply.
                assert!(zone.moisture_kg_s > 1e-5 && zone.humidity_ratio > supply.ratio + 3e-4, "{zone:?}");
                assert!(zone.humidity() > 0.4 && zone.humidity() < 0.7, "{}", zone.humidity());
            }
        }
        let held = MOISTURE_STORE * AIR_KG_M3 * zone.design.volume_m3 * (zone.humidity_ratio - before);
        assert!(held.abs() > 0.05 && (held - net_kg).abs() < 0.01 * held.abs(), "{held} {net_kg}");
    }

    #[test]
    fn no_room_holds_more_water_than_its_air_can() {
        for celsius in [-5.0, 5.0, 12.0, 20.0, 24.0, 30.0] {
            let most = saturation_ratio(celsius, STANDARD_PA);
            for settled in [0.0, 0.5 * most, 0.999 * most, 1.001 * most, 3.0 * most] {
                let ratio = moisten(settled, settled, 75.0, 0.1, celsius, 5.0);
                assert!((ratio - settled.min(most)).abs() < 1e-12, "{celsius} °C, {settled}: {ratio}");
            }
        }
    }

    #[test]
    fn heat_balances_when_the_room_has_settled() {
        let supply = Supply { air_c: 14.0, co2_ppm: 500.0, ratio: 0.008, pressure: 1.0, occupied: true, water_c: 60.0 };
        let mut zone = zone();
        settle(&mut zone, supply, "2026-07-15T11:00:00Z");
        let now = Time::parse("2026-07-15T11:00:00Z").unwrap();
        let mut weather = Weather::new(1);
        weather.update(now, Calendar::at(now));
        let removed = AIR_J_M3K * zone.airflow_m3s * (zone.air_c - zone.discharge_c);
        let through_walls = zone.envelope_w_k * (weather.outdoor_c - zone.air_c);
        let gains = removed - through_walls;
        assert!(
            gains > zone.electric_w && gains < zone.electric_w + 75.0 * zone.people + zone.sun_m2 * weather.sun_w_m2
        );
    }
}
