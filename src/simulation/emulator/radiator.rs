//! A radiator on the heating loop, and the room that it warms: stairs and baths, which no box serves.
//!
//! Heat goes with the mean excess of the water over the room to the power 1.3 (EN 442: characteristic
//! equation of a radiator, rated at 75/65/20 °C). Its mean is the logarithmic one, which stays physical
//! when a nearly closed valve lets the water cool far down. The room is two lumps, air and mass; air
//! from the rooms around it comes in where an exhaust takes air out.

use super::control::{Actuator, Pi, lag};
use super::water::WATER_J_M3K;
use super::weather::{Calendar, Weather};
use super::zone::{AIR_J_M3K, AIR_KG_M3, moisten};
use crate::simulation::controls::reset::line;
use crate::simulation::psychrometrics::{STANDARD_PA, relative_humidity};

/// Exponent of a radiator's output (EN 442: 1.2 to 1.4).
const EXPONENT: f64 = 1.3;
/// Logarithmic mean of 55 K and 45 K: water of 75/65 °C in a room of 20 °C.
const RATED_K: f64 = 49.833;
/// Water and steel give on what they got after some time, seconds.
const INERTIA_S: f64 = 900.0;
/// Water that showers leave in the air while a bath is in full use, kg/s.
const SHOWERS_KG_S: f64 = 1.2e-4;

/// What a radiator and its room are sized for; SI.
#[derive(Clone, Copy, Debug)]
pub(super) struct RadiatorDesign {
    /// Output at 75/65/20 °C.
    pub rated_w: f64,
    pub floor_m2: f64,
    pub volume_m3: f64,
    /// A bath: warm, with showers and exhaust air.
    pub bath: bool,
}

/// What the heating loop and the building bring to it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Around {
    /// Heating water, °C.
    pub water_c: f64,
    /// Air of the rooms around, °C and kg/kg.
    pub air_c: f64,
    pub air_ratio: f64,
}

/// A radiator with its valve and its room.
#[derive(Clone, Debug)]
pub(super) struct Radiator {
    pub design: RadiatorDesign,
    pub valve: Actuator,
    pub air_c: f64,
    mass_c: f64,
    /// Humidity ratio of the room's air, kg/kg.
    pub humidity_ratio: f64,
    /// What showers bring into it, kg/s.
    pub moisture_kg_s: f64,
    /// Air that comes from the rooms around and leaves by the exhaust, m³/s.
    pub exhaust_m3s: f64,
    /// Water that flows, m³/s.
    pub water_m3s: f64,
    pub return_c: f64,
    /// Heat that it takes from the water, W.
    pub water_w: f64,
    /// Heat that it gives to the room, W.
    pub room_w: f64,
    mean_k: f64,
    heating: Pi,
}

impl Radiator {
    /// A cold one.
    pub fn new(design: RadiatorDesign) -> Self {
        Self {
            design,
            valve: Actuator::default(),
            air_c: 19.0,
            mass_c: 19.0,
            humidity_ratio: 0.006,
            moisture_kg_s: 0.0,
            exhaust_m3s: 0.0,
            water_m3s: 0.0,
            return_c: 20.0,
            water_w: 0.0,
            room_w: 0.0,
            mean_k: 10.0,
            heating: Pi::default(),
        }
    }

    /// Relative humidity of the room's air, 0..1.
    pub fn humidity(&self) -> f64 {
        relative_humidity(self.air_c, self.humidity_ratio, STANDARD_PA).min(1.0)
    }

    /// Runs for `dt_s`.
    pub fn step(&mut self, dt_s: f64, around: Around, weather: &Weather, calendar: Calendar) {
        let setpoint_c = match (self.design.bath, calendar.plant_hours()) {
            (true, true) => 22.5,
            (true, false) => 19.0,
            (false, true) => 18.0,
            (false, false) => 16.0,
        };
        // Nobody heats in summer: the controller fades out about its heating limit.
        let season = line(weather.outdoor_c, (15.0, 1.0), (17.0, 0.0));
        let call = self.heating.step(setpoint_c - self.air_c, 0.5, 1800.0, dt_s);
        self.valve.step(call * season, dt_s);
        self.exchange(around.water_c, dt_s);
        self.room(around, weather, calendar, dt_s);
    }

    /// What the water loses: all that it could give to the room, times the effectiveness of the surface.
    fn exchange(&mut self, water_c: f64, dt_s: f64) {
        let reach_k = water_c - self.air_c;
        let flow_w_k = WATER_J_M3K * self.water_m3s;
        self.water_w = 0.0;
        if reach_k > 0.5 && flow_w_k > 1e-4 * self.design.rated_w {
            // The surface's conductance depends on the mean excess, and that on how far the water cools:
            // each round brings them three times nearer, from where they were a step ago.
            let mut mean_k = self.mean_k.clamp(0.2, reach_k);
            for _ in 0..2 {
                let surface_w_k = self.design.rated_w / RATED_K * (mean_k / RATED_K).powf(EXPONENT - 1.0);
                self.water_w = flow_w_k * reach_k * (1.0 - (-surface_w_k / flow_w_k).exp());
                mean_k = self.water_w / surface_w_k;
            }
            self.mean_k = mean_k;
            self.return_c = lag(self.return_c, water_c - self.water_w / flow_w_k, 60.0, dt_s);
        } else {
            self.return_c = lag(self.return_c, self.air_c, 2700.0, dt_s);
        }
        self.room_w = lag(self.room_w, self.water_w, INERTIA_S, dt_s);
    }

    fn room(&mut self, around: Around, weather: &Weather, calendar: Calendar, dt_s: f64) {
        let d = &self.design;
        let changes = match (d.bath, calendar.plant_hours()) {
            (true, true) => 2.0,
            (true, false) => 0.3,
            (false, _) => 0.2,
        };
        self.exhaust_m3s = changes / 3600.0 * d.volume_m3;
        // Walls as good as the radiator was sized for, at 28 K.
        let envelope_w_k = (0.9 * d.floor_m2).min(0.6 * d.rated_w / 28.0);
        let around_w_k = AIR_J_M3K * self.exhaust_m3s + 0.5 * d.floor_m2;
        let mass_w_k = 10.0 * d.floor_m2;
        let sum_w_k = envelope_w_k + around_w_k + mass_w_k;
        let balance_w =
            envelope_w_k * weather.outdoor_c + around_w_k * around.air_c + mass_w_k * self.mass_c + 0.7 * self.room_w;
        let before = self.air_c;
        self.air_c = lag(before, balance_w / sum_w_k, 5.0 * AIR_J_M3K * d.volume_m3 / sum_w_k, dt_s);
        let mean_c = 0.5 * (before + self.air_c);
        self.mass_c += dt_s * (mass_w_k * (mean_c - self.mass_c) + 0.3 * self.room_w) / (220e3 * d.floor_m2);

        let washing = if d.bath { calendar.presence() * if calendar.hour < 11.0 { 1.0 } else { 0.5 } } else { 0.0 };
        self.moisture_kg_s = SHOWERS_KG_S * washing;
        let settled = around.air_ratio + self.moisture_kg_s / AIR_KG_M3 / self.exhaust_m3s;
        self.humidity_ratio = moisten(self.humidity_ratio, settled, d.volume_m3, self.exhaust_m3s, self.air_c, dt_s);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::Time;

    fn radiator(bath: bool) -> Radiator {
        Radiator::new(RadiatorDesign { rated_w: 1000.0, floor_m2: 24.0, volume_m3: 89.0, bath })
    }

    /// Water that cools by 10 K at the rating.
    fn rated_m3s() -> f64 {
        1000.0 / (10.0 * WATER_J_M3K)
    }

    fn steady(position: f64, water_c: f64, room_c: f64) -> Radiator {
        let mut radiator = radiator(true);
        radiator.water_m3s = position * rated_m3s();
        for _ in 0..2000 {
            radiator.air_c = room_c;
            radiator.exchange(water_c, 5.0);
        }
        radiator
    }

    #[test]
    fn the_rating_and_its_exponent() {
        let rated = steady(1.0, 75.0, 20.0);
        assert!((rated.water_w - 1000.0).abs() < 1.0 && (rated.return_c - 65.0).abs() < 0.02, "{rated:?}");
        assert!((rated.room_w - rated.water_w).abs() < 1.0);
        // Half the excess: 2^-1.3 of the heat, and the mean of the water follows from that.
        for (position, water_c) in [(1.0, 50.0), (0.4, 60.0), (0.05, 55.0)] {
            let r = steady(position, water_c, 20.0);
            let (hot, cold) = (water_c - 20.0, r.return_c - 20.0);
            let mean_k = (hot - cold) / (hot / cold).ln();
            let by_norm = 1000.0 * (mean_k / RATED_K).powf(1.3);
            assert!((r.water_w - by_norm).abs() < 0.002 * by_norm, "{by_norm} {r:?}");
            let by_water = 100.0 * position * (water_c - r.return_c);
            assert!((r.water_w - by_water).abs() < 0.01, "{by_water} {r:?}");
            assert!(r.return_c > 20.0);
        }
    }

    #[test]
    fn no_heat_from_water_that_stands_or_is_cold() {
        for (flow, water_c) in [(0.0, 60.0), (1.0, 15.0)] {
            let mut r = radiator(false);
            r.water_m3s = flow * rated_m3s();
            r.exchange(water_c, 5.0);
            assert_eq!(r.water_w, 0.0);
        }
    }

    #[test]
    fn a_bath_is_warm_in_january_and_moist_in_the_morning() {
        let mut weather = Weather::new(1);
        let mut r = radiator(true);
        let start = Time::parse("2026-01-12T00:00:00Z").unwrap();
        let (mut taken, mut given) = (0.0, 0.0);
        for n in 0..2 * 17_280 {
            let now = start.plus_seconds(f64::from(n) * 5.0);
            let calendar = Calendar::at(now);
            weather.update(now, calendar);
            r.step(5.0, Around { water_c: 60.0, air_c: 21.0, air_ratio: 0.005 }, &weather, calendar);
            r.water_m3s = r.valve.position * rated_m3s();
            taken += 5.0 * r.water_w;
            given += 5.0 * r.room_w;
            if n == 17_280 + 6480 {
                assert!(r.air_c > 20.5 && r.air_c < 23.2 && r.valve.position > 0.5, "{r:?}");
                assert!(r.humidity_ratio > 0.0058 && r.return_c > r.air_c, "{r:?}");
            }
        }
        assert!(taken > 1e7 && (taken - given - INERTIA_S * r.room_w).abs() < 0.01 * taken, "{taken} {given}");
    }

    #[test]
    fn nobody_heats_in_july() {
        let now = Time::parse("2026-07-15T12:00:00Z").unwrap();
        let calendar = Calendar::at(now);
        let mut weather = Weather::new(1);
        weather.update(now, calendar);
        let mut r = radiator(true);
        r.air_c = 15.0;
        r.step(5.0, Around { water_c: 50.0, air_c: 21.0, air_ratio: 0.01 }, &weather, calendar);
        assert_eq!(r.valve.command, 0.0);
    }
}
