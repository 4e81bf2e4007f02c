//! From a site to a plant: which element is which machine, and how large it is.
//!
//! Nothing is known here of how a site came to be: only classes, tags, what is part of what, what a
//! sensor stands on, systems and property sets count. What is missing gets a plain default that nobody
//! measures, and a problem that says so.

use super::air::AirHandler;
use super::control::{Actuator, hash, mix, unit_interval};
use super::hydraulics::Stretch;
use super::machine::Machine;
use super::plant::{Plant, ValvePlace};
use super::pump::Pump;
use super::radiator::{Radiator, RadiatorDesign};
use super::tower::Condenser;
use super::water::{LoopKind, WaterLoop};
use super::weather::Weather;
use super::zone::{Zone, ZoneDesign};
use crate::problem::Problem;
use crate::site::{Element, Site, Slot};
use std::collections::{HashMap, HashSet};

/// What an element is in the plant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Device {
    Zone(usize),
    Valve(ValvePlace),
    Air(usize),
    Fan(usize),
    Filter(usize),
    Coil {
        air: usize,
        cools: bool,
    },
    /// A radiator with its room.
    Radiator(usize),
    /// A sensor, what it stands on, and whether it measures what comes back there.
    Sensor {
        on: Option<Slot>,
        back: bool,
    },
    Weather,
    Machine(LoopKind, usize),
    Tower,
    Pump(LoopKind, usize),
    HeatMeter(LoopKind),
    ElectricMeter,
    /// A pipe segment: where in its loop it is.
    Pipe(LoopKind, Stretch),
    /// A duct segment: of a unit, or of one of its boxes.
    Duct {
        air: usize,
        zone: Option<usize>,
    },
}

/// Every element that is simulated.
pub(super) type Devices = HashMap<Slot, Device>;

/// A positive numeric property, wherever it stands; the project's own sets first.
fn number(element: &Element, name: &str) -> Option<f64> {
    let own = |plenum: bool| {
        element
            .properties
            .iter()
            .filter(move |s| s.name.starts_with("Pset_Plenum") == plenum)
            .flat_map(|s| &s.values)
            .filter(|(n, _)| *n == name)
            .filter_map(|(_, v)| v.as_f64())
            .find(|v| v.is_finite() && *v > 0.0)
    };
    own(true).or_else(|| own(false))
}

fn text<'a>(element: &'a Element, name: &str) -> Option<&'a str> {
    element.properties.iter().flat_map(|s| &s.values).find(|(n, _)| *n == name).and_then(|(_, v)| v.as_str())
}

/// A tag begins with a word, or does so behind the code of its building: `EM-1`, `B07-EM-1`.
fn begins(tag: &str, word: &str) -> bool {
    let starts = |t: &str| t.get(..word.len()).is_some_and(|t| t.eq_ignore_ascii_case(word));
    starts(tag) || tag.split_once('-').is_some_and(|(_, rest)| starts(rest))
}

struct Reader<'a> {
    site: &'a Site,
    /// True of the elements of this plant.
    own: &'a dyn Fn(Slot) -> bool,
    tags: HashMap<&'a str, Slot>,
    seed: u64,
    devices: Devices,
    problems: Vec<Problem>,
}

impl<'a> Reader<'a> {
    fn of_class(&self, class: &str) -> Vec<(Slot, &'a Element)> {
        let (site, own) = (self.site, self.own);
        site.iter().filter(|(s, e)| e.class.eq_ignore_ascii_case(class) && own(*s)).collect()
    }

    fn element(&self, index: Option<u32>) -> Option<(Slot, &'a Element)> {
        let slot = Slot(index?);
        self.site.element(slot).map(|e| (slot, e))
    }

    /// The air handling unit that an element is part of, stands on, or whose tag its own begins with.
    fn unit_of(&self, element: &Element, units: &HashMap<Slot, usize>) -> Option<usize> {
        let by_link = [element.part_of, element.host].into_iter().flatten().find_map(|i| units.get(&Slot(i)));
        by_link.copied().or_else(|| {
            element.tag.rmatch_indices('-').find_map(|(at, _)| {
                let slot = element.tag.get(..at).and_then(|t| self.tags.get(t))?;
                units.get(slot).copied()
            })
        })
    }

    /// The loop that a pump or meter works in: by its tag, else by its systems.
    fn loop_of(&self, element: &Element) -> Option<LoopKind> {
        for (start, kind) in [
            ("CHW", LoopKind::Chilled),
            ("CWP", LoopKind::Condenser),
            ("CM-", LoopKind::Chilled),
            ("HWP", LoopKind::Heating),
            ("HM-", LoopKind::Heating),
            ("HW", LoopKind::Heating),
        ] {
            if begins(&element.tag, start) {
                return Some(kind);
            }
        }
        let systems = element.systems.iter().filter_map(|s| self.site.systems.get(*s as usize));
        systems
            .filter_map(|s| {
                let words = format!("{} {}", s.predefined_type, s.name).to_ascii_uppercase();
                if words.contains("CONDENSER") {
                    Some(LoopKind::Condenser)
                } else if words.contains("CHILL") || words.contains("COOLING") {
                    Some(LoopKind::Chilled)
                } else if words.contains("HEAT") {
                    Some(LoopKind::Heating)
                } else {
                    None
                }
            })
            .next()
    }

    fn missing(&mut self, what: &str, so: &str) {
        self.problems.push(Problem::info(
            "emulator",
            format!("the site has no {what}: {so}"),
            "nothing, unless the model should have one: then check its class and tag",
        ));
    }

    fn air_handlers(&mut self) -> (Vec<AirHandler>, HashMap<Slot, usize>) {
        let mut air = Vec::new();
        let mut units = HashMap::new();
        for (slot, e) in self.of_class("IfcUnitaryEquipment") {
            if !e.predefined_type.is_empty() && !e.predefined_type.eq_ignore_ascii_case("AIRHANDLER") {
                continue;
            }
            units.insert(slot, air.len());
            self.devices.insert(slot, Device::Air(air.len()));
            air.push(AirHandler::new(number(e, "NominalAirflow").unwrap_or(0.0), 0.0, 90.0));
        }
        for (slot, e) in self.of_class("IfcFan") {
            let Some(i) = self.unit_of(e, &units) else { continue };
            self.devices.insert(slot, Device::Fan(i));
            if let Some(unit) = air.get_mut(i) {
                unit.fan_nominal_w = unit.fan_nominal_w.max(number(e, "NominalPower").unwrap_or(0.0));
            }
        }
        for (slot, e) in self.of_class("IfcFilter") {
            let Some(i) = self.unit_of(e, &units) else { continue };
            self.devices.insert(slot, Device::Filter(i));
            if let Some(unit) = air.get_mut(i) {
                unit.filter_clean_pa = number(e, "CleanPressureDrop").unwrap_or(90.0).clamp(10.0, 400.0);
                if unit.nominal_m3s <= 0.0 {
                    unit.nominal_m3s = number(e, "NominalAirflow").unwrap_or(0.0);
                }
            }
        }
        for (slot, e) in self.of_class("IfcCoil") {
            let Some(i) = self.unit_of(e, &units) else { continue };
            let words = format!("{} {} {}", e.tag, e.predefined_type, e.name).to_ascii_uppercase();
            let cools = !(words.contains("-HC") || words.contains("HEAT") || words.contains("HOT"));
            self.devices.insert(slot, Device::Coil { air: i, cools });
        }
        (air, units)
    }

    fn zones(&mut self, units: &HashMap<Slot, usize>) -> Vec<Zone> {
        let mut zones = Vec::new();
        let mut orphans = 0;
        for (slot, e) in self.of_class("IfcAirTerminalBox") {
            let floor_m2 = number(e, "FloorArea").unwrap_or(25.0).clamp(4.0, 2000.0);
            let nominal_m3s = number(e, "NominalAirflow").unwrap_or(floor_m2 * 0.006).clamp(0.005, 20.0);
            let design = ZoneDesign {
                floor_m2,
                volume_m3: number(e, "Volume").unwrap_or(floor_m2 * 3.0).max(2.2 * floor_m2),
                nominal_m3s,
                minimum_m3s: number(e, "MinimumAirflow")
                    .unwrap_or(0.3 * nominal_m3s)
                    .clamp(0.1 * nominal_m3s, 0.9 * nominal_m3s),
                heating_w: number(e, "HeatingPower").unwrap_or(60.0 * floor_m2).max(200.0),
            };
            let named = text(e, "AirHandler").and_then(|t| self.tags.get(t)).and_then(|s| units.get(s));
            let unit = named.copied().unwrap_or_else(|| {
                orphans += 1;
                0
            });
            self.devices.insert(slot, Device::Zone(zones.len()));
            zones.push(Zone::new(design, unit, mix(self.seed, hash(&e.label()))));
        }
        if orphans > 0 {
            self.problems.push(Problem::info(
                "emulator",
                format!(
                    "{orphans} air terminal boxes name no air handling unit of the site: the first one serves them"
                ),
                "set AirHandler in Pset_Plenum_Serves to the unit's tag",
            ));
        }
        zones
    }

    fn radiators(&mut self) -> Vec<Radiator> {
        let mut radiators = Vec::new();
        for (slot, e) in self.of_class("IfcSpaceHeater") {
            let stated = number(e, "OutputCapacity").or_else(|| number(e, "DesignPower"));
            let rated_w = stated.unwrap_or(1000.0).clamp(50.0, 100e3);
            let floor_m2 = number(e, "FloorArea").unwrap_or(rated_w / 40.0).clamp(2.0, 2000.0);
            let volume_m3 = number(e, "Volume").unwrap_or(3.0 * floor_m2).clamp(2.2 * floor_m2, 20.0 * floor_m2);
            let words = format!("{} {} {}", e.tag, e.name, text(e, "SpaceName").unwrap_or_default());
            let bath = ["BATH", "SHOWER", "WET ROOM"].iter().any(|w| words.to_ascii_uppercase().contains(w));
            self.devices.insert(slot, Device::Radiator(radiators.len()));
            radiators.push(Radiator::new(RadiatorDesign { rated_w, floor_m2, volume_m3, bath }));
        }
        radiators
    }

    fn valves(&mut self) -> Vec<Actuator> {
        let mut loose = Vec::new();
        let with_points: HashSet<Slot> = self.site.points.iter().map(|p| p.asset).collect();
        for (slot, e) in self.of_class("IfcValve") {
            let served = e.tag.strip_suffix("-V").and_then(|t| self.tags.get(t)).copied();
            let linked = [e.host, e.part_of].into_iter().flatten().map(Slot);
            let place = served.into_iter().chain(linked).find_map(|s| match self.devices.get(&s)? {
                Device::Zone(i) => Some(ValvePlace::Reheat(*i)),
                Device::Coil { air, cools: true } => Some(ValvePlace::Cooling(*air)),
                Device::Coil { air, cools: false } => Some(ValvePlace::Heating(*air)),
                Device::Radiator(i) => Some(ValvePlace::Radiator(*i)),
                _ => None,
            });
            let place = match place {
                Some(place) => place,
                None if with_points.contains(&slot) => {
                    loose.push(Actuator::default());
                    ValvePlace::Loose(loose.len() - 1)
                }
                None => continue,
            };
            self.devices.insert(slot, Device::Valve(place));
        }
        loose
    }

    fn pumps(&mut self, kind: LoopKind, what: &str) -> Vec<Pump> {
        let mut group = Vec::new();
        for (slot, e) in self.of_class("IfcPump") {
            if self.loop_of(e) != Some(kind) {
                continue;
            }
            let flow = number(e, "NominalFlow").unwrap_or(0.01).clamp(1e-4, 10.0);
            let head = number(e, "NominalPressure").unwrap_or(150e3).clamp(1e3, 5e6);
            let shutoff = number(e, "ShutoffPressure").unwrap_or(1.33 * head).max(1.05 * head);
            let curve = number(e, "CurveCoefficient").unwrap_or((shutoff - head) / (flow * flow));
            let power = number(e, "NominalPower").unwrap_or(flow * head / 0.6);
            self.devices.insert(slot, Device::Pump(kind, group.len()));
            group.push(Pump::new(flow, head, shutoff, curve, power));
        }
        if group.is_empty() {
            self.missing(what, "the loop's flow is taken as it should be");
            group.push(Pump::new(0.01, 150e3, 200e3, 50e3 / 1e-4, 2500.0));
        }
        group
    }

    fn machines(&mut self, class: &str, kind: LoopKind, what: &str, default_w: f64) -> Vec<Machine> {
        let mut machines = Vec::new();
        let cools = kind == LoopKind::Chilled;
        let (usual, range) = if cools { (5.0, 1.5..12.0) } else { (0.95, 0.3..1.2) };
        let made = |design_w: f64, how_well: f64| {
            if cools { Machine::chiller(design_w, how_well) } else { Machine::boiler(design_w, how_well) }
        };
        for (slot, e) in self.of_class(class) {
            let design_w = number(e, "DesignPower").unwrap_or(default_w).max(1000.0);
            let stated = number(e, "NominalEfficiency").filter(|v| range.contains(v));
            self.devices.insert(slot, Device::Machine(kind, machines.len()));
            machines.push(made(design_w, stated.unwrap_or(usual)));
        }
        if machines.is_empty() {
            self.missing(what, "its water is taken from elsewhere at the right temperature");
            machines.push(made(default_w, usual));
        }
        machines
    }

    fn others(&mut self) {
        for (slot, e) in self.of_class("IfcSensor") {
            if begins(&e.tag, "WS-") {
                self.devices.insert(slot, Device::Weather);
            } else {
                let place = self.element(e.host).or_else(|| self.element(e.part_of)).map(|(s, _)| s);
                let back = e.name.to_ascii_lowercase().contains("return");
                self.devices.insert(slot, Device::Sensor { on: place, back });
            }
        }
        for (slot, _) in self.of_class("IfcCoolingTower") {
            self.devices.insert(slot, Device::Tower);
        }
        for (slot, e) in self.of_class("IfcFlowMeter") {
            let words = format!("{} {}", e.predefined_type, e.type_name).to_ascii_uppercase();
            if begins(&e.tag, "EM-") || words.contains("ELECTRIC") {
                self.devices.insert(slot, Device::ElectricMeter);
            } else if let Some(kind) = self.loop_of(e).filter(|k| *k != LoopKind::Condenser) {
                self.devices.insert(slot, Device::HeatMeter(kind));
            }
        }
        for class in ["IfcElectricMeter", "IfcElectricFlowMeter"] {
            for (slot, _) in self.of_class(class) {
                self.devices.insert(slot, Device::ElectricMeter);
            }
        }
    }
}

/// The plant of a whole site, which element is what in it, and what had to be guessed.
#[cfg(test)]
pub(super) fn derive(site: &Site, seed: u64) -> (Plant, Devices, Vec<Problem>) {
    derive_part(site, seed, 0, &|_| true)
}

/// Plant `number` of a site, made of its `own` elements. All plants of a seed have one weather.
pub(super) fn derive_part(
    site: &Site,
    seed: u64,
    number: u64,
    own: &dyn Fn(Slot) -> bool,
) -> (Plant, Devices, Vec<Problem>) {
    let tags = site.iter().filter(|(_, e)| !e.tag.is_empty()).map(|(s, e)| (e.tag.as_str(), s)).collect();
    let mut r = Reader { site, own, tags, seed, devices: Devices::new(), problems: Vec::new() };
    let (mut air, units) = r.air_handlers();
    let zones = r.zones(&units);
    if air.is_empty() && !zones.is_empty() {
        r.missing("air handling unit", "the boxes get air from one that nobody measures");
        air.push(AirHandler::new(0.0, 0.0, 90.0));
    }
    for (i, unit) in air.iter_mut().enumerate() {
        let boxes: f64 = zones.iter().filter(|z| z.air_handler == i).map(|z| z.design.nominal_m3s).sum();
        if unit.nominal_m3s <= 0.0 {
            unit.nominal_m3s = if boxes > 0.0 { 0.85 * boxes } else { 2.0 };
        }
        if unit.fan_nominal_w <= 0.0 {
            unit.fan_nominal_w = 1400.0 * unit.nominal_m3s;
        }
    }
    let nominal: f64 = air.iter().map(|a| a.nominal_m3s).sum();
    let radiators = r.radiators();
    let loose_valves = r.valves();
    let chillers = r.machines("IfcChiller", LoopKind::Chilled, "chiller", 20e3 * nominal.max(0.5));
    let boilers = r.machines("IfcBoiler", LoopKind::Heating, "boiler", 20e3 * nominal.max(0.5));
    let chilled_pumps = r.pumps(LoopKind::Chilled, "chilled water pump");
    let heating_pumps = r.pumps(LoopKind::Heating, "heating water pump");
    let condenser_pumps = r.pumps(LoopKind::Condenser, "condenser water pump");
    r.others();
    let rejected_w: Vec<f64> = chillers.iter().map(|m| 1.2 * m.design_w).collect();
    let cooled: Vec<f64> = air.iter().map(|a| a.nominal_m3s).collect();
    // Heating coils are about as large as all boxes together.
    let boxes_w: f64 = zones.iter().map(|z| z.design.heating_w).sum::<f64>().max(1.0);
    let coils = air.iter().map(|a| boxes_w * a.nominal_m3s / nominal.max(1e-6));
    let heated: Vec<f64> = coils
        .chain(zones.iter().map(|z| z.design.heating_w))
        .chain(radiators.iter().map(|r| r.design.rated_w))
        .collect();
    let counted = |n: u64, kwh: f64| (kwh * (0.5 + unit_interval(mix(seed, n + 100 * number)))).round() * 3.6e6;
    let mut plant = Plant {
        weather: Weather::new(seed),
        zones,
        air,
        radiators,
        chilled: WaterLoop::new(LoopKind::Chilled, chilled_pumps, chillers, &cooled, counted(11, 180_000.0)),
        heating: WaterLoop::new(LoopKind::Heating, heating_pumps, boilers, &heated, counted(12, 240_000.0)),
        condenser: Condenser::new(condenser_pumps, &rejected_w),
        loose_valves,
        electric_w: 0.0,
        electric_j: counted(13, 600_000.0),
        seed,
    };
    plant.connect();
    (plant, r.devices, r.problems)
}
