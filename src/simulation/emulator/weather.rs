//! Outdoor air and sun: a year, a day, and a few days' drift drawn by the seed.
//!
//! A temperate inland climate: 2.5 °C in January, 22.5 °C in July. The building keeps standard time,
//! one hour ahead of UTC, the whole year.

use super::control::{mix, unit_interval};
use crate::simulation::psychrometrics::{STANDARD_PA, ratio_at, saturation_pa, wet_bulb_c};
use crate::time::Time;
use std::f64::consts::TAU;

/// How far the building's clock is ahead of UTC, seconds.
const LOCAL_OFFSET_S: f64 = 3600.0;
const DAY_S: f64 = 86_400.0;
const LATITUDE_DEG: f64 = 47.4;

/// The building's calendar.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Calendar {
    /// 0..24.
    pub hour: f64,
    /// Monday is 0.
    pub weekday: u32,
    /// Days since 1 January, with fraction; leap years drift by less than a day.
    pub day_of_year: f64,
}

impl Calendar {
    pub fn at(now: Time) -> Self {
        let local = now.as_seconds() + LOCAL_OFFSET_S;
        let days = local / DAY_S;
        // 1970-01-01 was a Thursday.
        let weekday = (days.floor() as i64 + 3).rem_euclid(7) as u32;
        Self { hour: days.rem_euclid(1.0) * 24.0, weekday, day_of_year: days.rem_euclid(365.2425) }
    }

    /// How full the building is, 0..1: a clinic's day, Saturday mornings, nobody on Sundays.
    pub fn presence(&self) -> f64 {
        let up = |from: f64| ((self.hour - from) / 1.5).clamp(0.0, 1.0);
        let day = |from: f64, to: f64| (up(from) - up(to)).max(0.0);
        match self.weekday {
            0..=4 => day(6.5, 17.0) - 0.35 * (day(11.5, 12.5)).min(1.0),
            5 => 0.5 * day(7.5, 12.0),
            _ => 0.0,
        }
    }

    /// True while the air handling units keep the rooms ready for people.
    pub fn plant_hours(&self) -> bool {
        match self.weekday {
            0..=4 => (5.0..20.0).contains(&self.hour),
            5 => (6.0..14.0).contains(&self.hour),
            _ => false,
        }
    }
}

/// The weather of one moment, and what is needed for the next.
#[derive(Clone, Debug)]
pub(super) struct Weather {
    phases: [f64; 6],
    /// Dry-bulb temperature, °C.
    pub outdoor_c: f64,
    /// Relative humidity, 0..1.
    pub humidity: f64,
    /// Humidity ratio, kg of water a kg of dry air.
    pub humidity_ratio: f64,
    /// Wet-bulb temperature, °C.
    pub wet_bulb_c: f64,
    /// Sun on a horizontal surface, W/m².
    pub sun_w_m2: f64,
}

impl Weather {
    pub fn new(seed: u64) -> Self {
        let mut phases = [0.0; 6];
        for (i, phase) in phases.iter_mut().enumerate() {
            *phase = TAU * unit_interval(mix(seed, 0x5EA_0000 + i as u64));
        }
        Self { phases, outdoor_c: 10.0, humidity: 0.6, humidity_ratio: 0.0045, wet_bulb_c: 7.0, sun_w_m2: 0.0 }
    }

    /// The weather at `now`.
    pub fn update(&mut self, now: Time, calendar: Calendar) {
        let days = now.as_seconds() / DAY_S;
        let wave = |period_days: f64, phase: f64| (TAU * days / period_days + phase).sin();
        let [a, b, c, d, e, f] = self.phases;
        let season = (TAU * (calendar.day_of_year - 201.0) / 365.2425).cos();
        let cloud = (0.45 + 0.3 * wave(2.9, c) + 0.25 * wave(0.83, d)).clamp(0.0, 1.0);
        let mean = 12.5 + 10.0 * season + 0.9 * wave(5.3, a) + 0.6 * wave(2.3, b);
        let swing = (3.8 + 1.8 * season) * (1.15 - 0.5 * cloud);
        self.outdoor_c = mean + swing * (TAU * (calendar.hour - 15.0) / 24.0).cos() + 0.15 * wave(0.06, e);
        // Dew point follows the season, not the hour, so that the air is driest in the afternoon.
        let dew = mean - 5.0 + 1.5 * wave(3.7, f) - 1.5 * season;
        self.humidity = (saturation_pa(dew) / saturation_pa(self.outdoor_c)).clamp(0.15, 0.99);
        self.humidity_ratio = ratio_at(self.outdoor_c, self.humidity, STANDARD_PA);
        self.wet_bulb_c = wet_bulb_c(self.outdoor_c, self.humidity_ratio, STANDARD_PA);
        self.sun_w_m2 = sun(calendar) * (1.0 - 0.72 * cloud * cloud);
    }
}

/// Sun on a horizontal surface under a clear sky, W/m² (Haurwitz 1945: 1098 sin h exp(−0.057 / sin h)).
fn sun(calendar: Calendar) -> f64 {
    let declination = (-23.44f64).to_radians() * (TAU * (calendar.day_of_year + 10.0) / 365.2425).cos();
    let latitude = LATITUDE_DEG.to_radians();
    let hour_angle = TAU * (calendar.hour - 12.5) / 24.0;
    let height = latitude.sin() * declination.sin() + latitude.cos() * declination.cos() * hour_angle.cos();
    if height > 0.01 { 1098.0 * height * (-0.057 / height).exp() } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str, seed: u64) -> Weather {
        let now = Time::parse(text).unwrap();
        let mut weather = Weather::new(seed);
        weather.update(now, Calendar::at(now));
        weather
    }

    #[test]
    fn the_calendar_knows_its_days() {
        let monday = Calendar::at(Time::parse("2026-05-11T09:00:00Z").unwrap());
        assert_eq!((monday.weekday, monday.hour.round()), (0, 10.0));
        assert!(monday.plant_hours() && monday.presence() > 0.9);
        let sunday = Calendar::at(Time::parse("2026-05-10T09:00:00Z").unwrap());
        assert!(!sunday.plant_hours() && sunday.presence() == 0.0);
        assert!(!Calendar::at(Time::parse("2026-05-11T23:30:00Z").unwrap()).plant_hours());
    }

    #[test]
    fn seasons_days_and_seeds_differ() {
        for seed in 0..20 {
            let (january, july) = (at("2026-01-14T13:00:00Z", seed), at("2026-07-15T13:00:00Z", seed));
            assert!(january.outdoor_c < 9.0 && july.outdoor_c > 22.0, "{january:?} {july:?}");
            assert!(july.sun_w_m2 > january.sun_w_m2 && at("2026-07-15T23:00:00Z", seed).sun_w_m2 == 0.0);
            assert!(at("2026-07-15T03:00:00Z", seed).outdoor_c < july.outdoor_c - 4.0);
            assert!(july.wet_bulb_c < july.outdoor_c && july.wet_bulb_c > 8.0, "{july:?}");
            assert!(july.humidity_ratio > 0.007 && july.humidity_ratio < 0.016, "{july:?}");
            assert!(january.humidity_ratio > 0.001 && january.humidity_ratio < 0.006, "{january:?}");
            // The afternoon is dry by its warmth, not by less water.
            let night = at("2026-07-15T03:00:00Z", seed);
            assert!(night.humidity > july.humidity + 0.1, "{night:?} {july:?}");
            assert!((night.humidity_ratio - july.humidity_ratio).abs() < 0.002);
        }
        assert_ne!(at("2026-07-15T13:00:00Z", 1).outdoor_c, at("2026-07-15T13:00:00Z", 2).outdoor_c);
    }
}
