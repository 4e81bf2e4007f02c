//! The whole plant and one step of it: weather, rooms, air, water, electricity.

use super::air::{AirHandler, AirInput};
use super::coil::Coil;
use super::control::{Actuator, mix, unit_interval};
use super::hydraulics::Hydraulics;
use super::radiator::{Around, Radiator};
use super::tower::Condenser;
use super::water::{LoopKind, WaterLoop};
use super::weather::{Calendar, Weather};
use super::zone::{Supply, Zone};
use crate::simulation::controls::reset::line;
use crate::time::Time;
use std::f64::consts::TAU;

/// Everything that is simulated.
#[derive(Clone, Debug)]
pub(super) struct Plant {
    pub weather: Weather,
    pub zones: Vec<Zone>,
    pub air: Vec<AirHandler>,
    pub radiators: Vec<Radiator>,
    pub chilled: WaterLoop,
    pub heating: WaterLoop,
    pub condenser: Condenser,
    /// Valves that no room and no coil of the simulation belongs to.
    pub loose_valves: Vec<Actuator>,
    /// Electricity of the whole building, W.
    pub electric_w: f64,
    /// What the electricity meter has counted, J.
    pub electric_j: f64,
    pub seed: u64,
}

/// A valve of the plant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ValvePlace {
    Reheat(usize),
    Cooling(usize),
    Heating(usize),
    Radiator(usize),
    Loose(usize),
}

impl Plant {
    /// Runs for `dt_s`, from `now` on.
    pub fn step(&mut self, now: Time, dt_s: f64) {
        let calendar = Calendar::at(now);
        self.weather.update(now, calendar);
        self.step_zones(dt_s, calendar);
        self.step_air(dt_s, calendar);
        self.step_radiators(dt_s, calendar);
        self.step_water(dt_s);
        for (i, valve) in self.loose_valves.iter_mut().enumerate() {
            let phase = unit_interval(mix(self.seed, 0x100_0000 + i as u64));
            let command = 0.5 + 0.3 * (TAU * (now.as_seconds() / 14_400.0 + phase)).sin();
            valve.step(command, dt_s);
        }
        let building_w: f64 = self.zones.iter().map(|z| z.electric_w).sum();
        let fans_w: f64 = self.air.iter().map(|a| a.fan_w).sum();
        // A boiler burns fuel: only its pumps draw on the electricity meter.
        self.electric_w = 2000.0
            + building_w
            + fans_w
            + self.chilled.power_w()
            + self.condenser.power_w()
            + self.heating.pumps.power_w();
        self.electric_j += self.electric_w * dt_s;
    }

    fn step_zones(&mut self, dt_s: f64, calendar: Calendar) {
        for zone in &mut self.zones {
            let supply = match self.air.get(zone.air_handler) {
                Some(air) => Supply {
                    air_c: air.supply_c,
                    co2_ppm: air.supply_co2_ppm,
                    ratio: air.supply_ratio,
                    pressure: air.pressure,
                    occupied: air.occupied(),
                    water_c: self.heating.supply_c,
                },
                None => {
                    Supply { air_c: 16.0, co2_ppm: 500.0, ratio: 0.008, pressure: 1.0, occupied: true, water_c: 55.0 }
                }
            };
            zone.step(dt_s, supply, &self.weather, calendar);
        }
    }

    fn step_air(&mut self, dt_s: f64, calendar: Calendar) {
        let (chilled_c, heating_c) = (self.chilled.supply_c, self.heating.supply_c);
        for zone in &self.zones {
            if let Some(unit) = self.air.get_mut(zone.air_handler) {
                unit.ducts.set_box(zone.number, zone.damper.position, zone.blocked);
            }
        }
        for (i, air) in self.air.iter_mut().enumerate() {
            let (mut flow, mut heat, mut co2, mut water) = (0.0, 0.0, 0.0, 0.0);
            let (mut count, mut plain, mut plain_water) = (0.0, 0.0, 0.0);
            let (mut coldest, mut hottest) = (f64::MAX, f64::MIN);
            for zone in self.zones.iter().filter(|z| z.air_handler == i) {
                flow += zone.airflow_m3s;
                heat += zone.airflow_m3s * zone.air_c;
                co2 += zone.airflow_m3s * zone.co2_ppm;
                water += zone.airflow_m3s * zone.humidity_ratio;
                plain += zone.air_c;
                plain_water += zone.humidity_ratio;
                count += 1.0;
                coldest = coldest.min(zone.air_c);
                hottest = hottest.max(zone.air_c);
            }
            let input = if count == 0.0 {
                // A unit that no box names serves rooms at 22 °C.
                AirInput {
                    return_c: 22.0,
                    return_co2_ppm: 650.0,
                    return_ratio: 0.5 * (0.008 + self.weather.humidity_ratio),
                    rooms_c: (22.0, 22.0),
                    chilled_c,
                    heating_c,
                }
            } else {
                let moving = flow > 1e-6;
                AirInput {
                    return_c: if moving { heat / flow } else { plain / count },
                    return_co2_ppm: if moving { co2 / flow } else { 500.0 },
                    return_ratio: if moving { water / flow } else { plain_water / count },
                    rooms_c: (coldest, hottest),
                    chilled_c,
                    heating_c,
                }
            };
            air.step(dt_s, input, &self.weather, calendar);
        }
        for zone in &mut self.zones {
            if let Some(unit) = self.air.get(zone.air_handler) {
                zone.airflow_m3s = unit.ducts.box_m3s(zone.number);
            }
        }
    }

    fn step_radiators(&mut self, dt_s: f64, calendar: Calendar) {
        let count = self.air.len() as f64;
        let mean = |of: &dyn Fn(&AirHandler) -> f64, usual: f64| {
            if count > 0.0 { self.air.iter().map(of).sum::<f64>() / count } else { usual }
        };
        let around = Around {
            water_c: self.heating.supply_c,
            air_c: mean(&|a| a.return_c, 21.0),
            air_ratio: mean(&|a| a.return_ratio, 0.006),
        };
        for radiator in &mut self.radiators {
            radiator.step(dt_s, around, &self.weather, calendar);
        }
    }

    fn step_water(&mut self, dt_s: f64) {
        for (i, unit) in self.air.iter().enumerate() {
            self.chilled.pipes.set_valve(i, unit.cooling.valve.position, unit.cooling.valve.leaking);
            self.chilled.pipes.set_fouling(i, unit.cooling.fouling);
            self.heating.pipes.set_fouling(i, unit.heating.fouling);
        }
        let heats = self.air.iter().map(|a| &a.heating.valve);
        let heats = heats.chain(self.zones.iter().map(|z| &z.reheat)).chain(self.radiators.iter().map(|r| &r.valve));
        let mut heating_call: f64 = 0.0;
        for (i, valve) in heats.enumerate() {
            self.heating.pipes.set_valve(i, valve.position, valve.leaking);
            heating_call = heating_call.max(valve.command);
        }
        let cooling_call = self.air.iter().map(|a| a.cooling.valve.command).fold(0.0, f64::max);
        let cooled_w: f64 = -self.air.iter().map(|a| a.cooling.heat_w).sum::<f64>();
        let heated_w = self.air.iter().map(|a| a.heating.heat_w).sum::<f64>()
            + self.zones.iter().map(|z| z.reheat_w).sum::<f64>()
            + self.radiators.iter().map(|r| r.water_w).sum::<f64>();
        self.chilled.step(dt_s, cooling_call, cooled_w, 22.0, self.condenser.supply_c);
        self.heating.setpoint_c = line(self.weather.outdoor_c, (-5.0, 65.0), (15.0, 50.0));
        self.heating.step(dt_s, heating_call, -heated_w, 22.0, self.condenser.supply_c);
        let chillers = &self.chilled.machines;
        let rejected_w: f64 = chillers.iter().map(|m| -m.heat_w + m.power_w).sum();
        self.condenser.step(dt_s, chillers.iter().map(|m| m.running), rejected_w, &self.weather);
        self.share_out();
    }

    /// Gives every consumer the water that its branch has.
    fn share_out(&mut self) {
        for (i, unit) in self.air.iter_mut().enumerate() {
            unit.cooling.water_m3s = self.chilled.pipes.branch_m3s(i);
            unit.heating.water_m3s = self.heating.pipes.branch_m3s(i);
        }
        let (units, zones) = (self.air.len(), self.zones.len());
        for (i, zone) in self.zones.iter_mut().enumerate() {
            zone.water_m3s = self.heating.pipes.branch_m3s(units + i);
        }
        for (i, radiator) in self.radiators.iter_mut().enumerate() {
            radiator.water_m3s = self.heating.pipes.branch_m3s(units + zones + i);
        }
    }

    /// The branch of a valve: its loop, and its number there.
    pub fn branch(&self, place: ValvePlace) -> Option<(LoopKind, usize)> {
        let (units, zones) = (self.air.len(), self.zones.len());
        match place {
            ValvePlace::Cooling(i) => Some((LoopKind::Chilled, i)),
            ValvePlace::Heating(i) => Some((LoopKind::Heating, i)),
            ValvePlace::Reheat(i) => Some((LoopKind::Heating, units + i)),
            ValvePlace::Radiator(i) => Some((LoopKind::Heating, units + zones + i)),
            ValvePlace::Loose(_) => None,
        }
    }

    /// The pipes of a loop.
    pub fn pipes(&self, kind: LoopKind) -> &Hydraulics {
        match kind {
            LoopKind::Chilled => &self.chilled.pipes,
            LoopKind::Heating => &self.heating.pipes,
            LoopKind::Condenser => &self.condenser.pipes,
        }
    }

    /// The same, to be changed.
    pub fn pipes_mut(&mut self, kind: LoopKind) -> &mut Hydraulics {
        match kind {
            LoopKind::Chilled => &mut self.chilled.pipes,
            LoopKind::Heating => &mut self.heating.pipes,
            LoopKind::Condenser => &mut self.condenser.pipes,
        }
    }

    /// Sizes the coils for the water that their branches are made for, and the ducts for their boxes.
    pub fn connect(&mut self) {
        for (i, unit) in self.air.iter_mut().enumerate() {
            let mut boxes = Vec::new();
            for zone in self.zones.iter_mut().filter(|z| z.air_handler == i) {
                zone.number = boxes.len();
                boxes.push(zone.design.nominal_m3s);
            }
            if boxes.is_empty() {
                // Rooms without boxes: one damper, six tenths open.
                unit.connect(&[unit.nominal_m3s]);
                unit.ducts.set_box(0, 0.6, 0.0);
            } else {
                unit.connect(&boxes);
            }
        }
        self.size_coils();
    }

    /// Sizes the coils for the water that their branches are made for.
    pub fn size_coils(&mut self) {
        let units = self.air.len();
        for (i, unit) in self.air.iter_mut().enumerate() {
            unit.cooling = Coil::new(true, unit.nominal_m3s, self.chilled.pipes.design_m3s(i));
            unit.heating = Coil::new(false, unit.nominal_m3s, self.heating.pipes.design_m3s(i));
        }
        for (i, zone) in self.zones.iter_mut().enumerate() {
            zone.nominal_water_m3s = self.heating.pipes.design_m3s(units + i);
        }
    }

    /// A valve's actuator.
    pub fn valve(&self, place: ValvePlace) -> Option<&Actuator> {
        match place {
            ValvePlace::Reheat(i) => self.zones.get(i).map(|z| &z.reheat),
            ValvePlace::Cooling(i) => self.air.get(i).map(|a| &a.cooling.valve),
            ValvePlace::Heating(i) => self.air.get(i).map(|a| &a.heating.valve),
            ValvePlace::Radiator(i) => self.radiators.get(i).map(|r| &r.valve),
            ValvePlace::Loose(i) => self.loose_valves.get(i),
        }
    }

    /// A valve's actuator, to stick it.
    pub fn valve_mut(&mut self, place: ValvePlace) -> Option<&mut Actuator> {
        match place {
            ValvePlace::Reheat(i) => self.zones.get_mut(i).map(|z| &mut z.reheat),
            ValvePlace::Cooling(i) => self.air.get_mut(i).map(|a| &mut a.cooling.valve),
            ValvePlace::Heating(i) => self.air.get_mut(i).map(|a| &mut a.heating.valve),
            ValvePlace::Radiator(i) => self.radiators.get_mut(i).map(|r| &mut r.valve),
            ValvePlace::Loose(i) => self.loose_valves.get_mut(i),
        }
    }

    /// The water loop of a kind; the condenser's is of its own sort.
    pub fn water(&self, kind: LoopKind) -> Option<&WaterLoop> {
        match kind {
            LoopKind::Chilled => Some(&self.chilled),
            LoopKind::Heating => Some(&self.heating),
            LoopKind::Condenser => None,
        }
    }
}
