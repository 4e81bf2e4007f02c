//! An air handling unit: mixing box with economiser, filter, heating and cooling coil, supply fan.
//!
//! Moisture goes with the air: mixed as temperature is, taken out by a cooling coil that is wet. Nothing
//! adds any: there is no humidifier.

use super::coil::Coil;
use super::control::{Actuator, lag};
use super::ducts::{DuctDesign, Ducts};
use super::model_ducts::ModelDucts;
use super::weather::{Calendar, Weather};
use super::zone::{AIR_J_M3K, NIGHT_C, OUTDOOR_CO2_PPM};
use crate::simulation::controls::reset::line;
use crate::simulation::psychrometrics::{STANDARD_PA, relative_humidity};

/// Least share of outdoor air while people are in.
const MINIMUM_OUTDOOR: f64 = 0.4;

/// Why a unit runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mode {
    Off,
    Day,
    NightHeating,
    NightCooling,
}

/// What rooms and water loops bring to a unit.
#[derive(Clone, Copy, Debug)]
pub(super) struct AirInput {
    /// Air that comes back, °C, ppm.
    pub return_c: f64,
    pub return_co2_ppm: f64,
    /// Its humidity ratio, kg/kg.
    pub return_ratio: f64,
    /// The coldest and the hottest of its rooms, °C.
    pub rooms_c: (f64, f64),
    /// Chilled and heating water, °C.
    pub chilled_c: f64,
    pub heating_c: f64,
}

/// An air handling unit.
#[derive(Clone, Debug)]
pub(super) struct AirHandler {
    pub nominal_m3s: f64,
    pub fan_nominal_w: f64,
    pub filter_clean_pa: f64,
    pub cooling: Coil,
    pub heating: Coil,
    pub damper: Actuator,
    /// How clogged the filter is, 0..1.
    pub filter: f64,
    /// How much of its duct is blocked, 0..1.
    pub blocked: f64,
    /// Its ducts, with its fan and the dampers of its boxes.
    pub ducts: Ducts,
    /// Supply air as its controller sees it, where its sensor is faulty, °C.
    pub sensed_c: Option<f64>,
    mode: Mode,
    mode_s: f64,
    pub airflow_m3s: f64,
    pub supply_c: f64,
    pub setpoint_c: f64,
    pub return_c: f64,
    pub mixed_c: f64,
    pub supply_co2_ppm: f64,
    /// Humidity ratios of supply, return and mixed air, kg/kg.
    pub supply_ratio: f64,
    pub return_ratio: f64,
    pub mixed_ratio: f64,
    /// Duct pressure over its setpoint.
    pub pressure: f64,
    pub filter_pa: f64,
    pub fan_speed: f64,
    pub fan_w: f64,
}

impl AirHandler {
    pub fn new(nominal_m3s: f64, fan_nominal_w: f64, filter_clean_pa: f64) -> Self {
        Self {
            nominal_m3s,
            fan_nominal_w,
            filter_clean_pa,
            cooling: Coil::new(true, nominal_m3s, 1e-3 * nominal_m3s),
            heating: Coil::new(false, nominal_m3s, 1e-3 * nominal_m3s),
            damper: Actuator::default(),
            filter: 0.0,
            blocked: 0.0,
            ducts: Ducts::plain(&DuctDesign {
                nominal_m3s,
                filter_pa: filter_clean_pa,
                fan_w: fan_nominal_w,
                boxes: &[],
            }),
            sensed_c: None,
            mode: Mode::Off,
            mode_s: 1e9,
            airflow_m3s: 0.0,
            supply_c: 20.0,
            setpoint_c: 16.0,
            return_c: 21.5,
            mixed_c: 20.0,
            supply_co2_ppm: OUTDOOR_CO2_PPM,
            supply_ratio: 0.006,
            return_ratio: 0.006,
            mixed_ratio: 0.006,
            pressure: 0.0,
            filter_pa: 0.0,
            fan_speed: 0.0,
            fan_w: 0.0,
        }
    }

    pub fn running(&self) -> bool {
        self.mode != Mode::Off
    }

    pub fn occupied(&self) -> bool {
        self.mode == Mode::Day
    }

    /// Duct pressure, Pa.
    pub fn static_pa(&self) -> f64 {
        self.ducts.static_pa()
    }

    /// Sizes ducts and fan, once the unit's own sizes are known.
    pub fn connect(&mut self, boxes: &[f64]) {
        self.ducts = Ducts::plain(&DuctDesign {
            nominal_m3s: self.nominal_m3s,
            filter_pa: self.filter_clean_pa,
            fan_w: self.fan_nominal_w,
            boxes,
        });
    }

    /// Lets it work with ducts of the model.
    pub fn attach(&mut self, model: ModelDucts) {
        self.ducts.attach(model, self.nominal_m3s, self.fan_nominal_w);
    }

    /// Relative humidity of the supply air, 0..1.
    pub fn supply_humidity(&self) -> f64 {
        relative_humidity(self.supply_c, self.supply_ratio, STANDARD_PA).min(1.0)
    }

    /// Relative humidity of the return air, 0..1.
    pub fn return_humidity(&self) -> f64 {
        relative_humidity(self.return_c, self.return_ratio, STANDARD_PA).min(1.0)
    }

    /// Relative humidity of the mixed air, 0..1.
    pub fn mixed_humidity(&self) -> f64 {
        relative_humidity(self.mixed_c, self.mixed_ratio, STANDARD_PA).min(1.0)
    }

    /// Runs for `dt_s`.
    pub fn step(&mut self, dt_s: f64, input: AirInput, weather: &Weather, calendar: Calendar) {
        self.cooling.water_c = input.chilled_c;
        self.heating.water_c = input.heating_c;
        self.choose_mode(dt_s, input.rooms_c, calendar);
        self.fan(dt_s);
        let ratio = self.airflow_m3s / self.nominal_m3s;
        self.return_c = lag(self.return_c, input.return_c + 0.2, 60.0, dt_s);
        self.return_ratio = lag(self.return_ratio, input.return_ratio, 60.0, dt_s);
        if !self.running() || ratio < 0.02 {
            self.rest(dt_s, weather, input.return_c, input.return_ratio);
            return;
        }
        self.setpoint_c = match self.mode {
            Mode::NightHeating => 20.0,
            Mode::NightCooling => 14.0,
            _ => line(weather.outdoor_c, (2.0, 18.0), (14.0, 13.5)),
        };
        let fan_k = (self.fan_w / (AIR_J_M3K * self.airflow_m3s)).min(2.0);
        let wanted_c = self.setpoint_c - fan_k;
        let outdoor = self.mix(dt_s, wanted_c, weather);
        let mixed_c = input.return_c + 0.2 + outdoor * (weather.outdoor_c - input.return_c - 0.2);
        self.mixed_c = lag(self.mixed_c, mixed_c, 20.0, dt_s);
        let mixed_ratio = input.return_ratio + outdoor * (weather.humidity_ratio - input.return_ratio);
        self.mixed_ratio = lag(self.mixed_ratio, mixed_ratio, 20.0, dt_s);
        self.supply_co2_ppm = input.return_co2_ppm + outdoor * (OUTDOOR_CO2_PPM - input.return_co2_ppm);

        let (chilled_c, hot_c) = (input.chilled_c, input.heating_c);
        let too_warm = self.sensed_c.unwrap_or(self.supply_c) - self.setpoint_c;
        let heat = self.mode != Mode::NightCooling && self.mixed_c < wanted_c - 0.3;
        let cool = self.mode != Mode::NightHeating && self.mixed_c > wanted_c + 0.3;
        self.heating.entering_c = self.mixed_c;
        let command = self.heating.command(heat, wanted_c, -too_warm, hot_c, ratio, dt_s);
        self.heating.valve.step(command, dt_s);
        self.heating.step(self.mixed_c, self.mixed_ratio, hot_c, self.airflow_m3s, dt_s);
        let entering_c = self.heating.leaving_c;
        self.cooling.entering_c = entering_c;
        let command = self.cooling.command(cool, wanted_c, too_warm, chilled_c, ratio, dt_s);
        self.cooling.valve.step(command, dt_s);
        self.cooling.step(entering_c, self.heating.leaving_ratio, chilled_c, self.airflow_m3s, dt_s);
        self.supply_c = lag(self.supply_c, self.cooling.leaving_c + fan_k, 10.0, dt_s);
        self.supply_ratio = lag(self.supply_ratio, self.cooling.leaving_ratio, 10.0, dt_s);
    }

    fn choose_mode(&mut self, dt_s: f64, (coldest, hottest): (f64, f64), calendar: Calendar) {
        self.mode_s += dt_s;
        let settled = self.mode_s > 3600.0;
        let night = match self.mode {
            Mode::NightHeating if coldest < NIGHT_C.0 + 1.6 || !settled => Mode::NightHeating,
            Mode::NightCooling if hottest > NIGHT_C.1 - 1.0 || !settled => Mode::NightCooling,
            _ if settled && coldest < NIGHT_C.0 - 0.3 => Mode::NightHeating,
            _ if settled && hottest > NIGHT_C.1 + 0.3 => Mode::NightCooling,
            _ => Mode::Off,
        };
        let next = if calendar.plant_hours() { Mode::Day } else { night };
        if next != self.mode {
            self.mode = next;
            self.mode_s = 0.0;
        }
    }

    /// The fan against its ducts.
    fn fan(&mut self, dt_s: f64) {
        self.ducts.set_outdoor(self.damper.position);
        self.ducts.step(self.running(), self.filter, self.blocked, dt_s);
        self.airflow_m3s = self.ducts.fan_m3s();
        self.filter_pa = self.ducts.filter_pa();
        self.pressure = self.ducts.static_pa() / self.ducts.setpoint_pa();
        self.fan_speed = self.ducts.speed();
        self.fan_w = self.ducts.fan_w();
    }

    /// The share of outdoor air: free cooling while outdoor air is colder than what comes back.
    fn mix(&mut self, dt_s: f64, wanted_c: f64, weather: &Weather) -> f64 {
        let minimum = if self.mode == Mode::Day { MINIMUM_OUTDOOR } else { 0.0 };
        let span = self.return_c - weather.outdoor_c;
        let target = if self.mode != Mode::NightHeating && span > 1.0 {
            ((self.return_c - wanted_c) / span).clamp(minimum, 1.0)
        } else {
            minimum
        };
        let Some(share) = self.ducts.outdoor_share() else {
            self.damper.step(target, dt_s);
            return self.damper.position;
        };
        // Nobody knows the share by the position of the blades: they are moved until it is right.
        let step = if target <= 0.0 { -0.05 } else { (0.3 * (target - share)).clamp(-0.05, 0.05) };
        self.damper.step(self.damper.command + step * (dt_s / 10.0).min(1.0), dt_s);
        share
    }

    fn rest(&mut self, dt_s: f64, weather: &Weather, rooms_c: f64, rooms_ratio: f64) {
        let ambient_c = rooms_c + 0.1 * (weather.outdoor_c - rooms_c);
        for coil in [&mut self.heating, &mut self.cooling] {
            coil.rest(ambient_c, rooms_ratio, dt_s);
        }
        self.damper.step(0.0, dt_s);
        self.mixed_c = lag(self.mixed_c, ambient_c, 1800.0, dt_s);
        self.supply_c = lag(self.supply_c, ambient_c, 1800.0, dt_s);
        for ratio in [&mut self.mixed_ratio, &mut self.supply_ratio] {
            *ratio = lag(*ratio, rooms_ratio, 1800.0, dt_s);
        }
        self.supply_co2_ppm = lag(self.supply_co2_ppm, 600.0, 1800.0, dt_s);
    }
}
