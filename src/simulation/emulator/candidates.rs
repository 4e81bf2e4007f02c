//! Which assets can have a fault, and which of them show it best.

use super::Emulator;
use super::hydraulics::Stretch;
use super::layout::Device;
use super::pipes::stretch_of;
use super::plant::{Plant, ValvePlace};
use super::signal::{Signal, is_chief};
use super::water::LoopKind;
use crate::simulation::faults::{FaultKind, Stage};
use crate::site::Slot;
use crate::site::unit::Quantity;
use std::collections::BTreeMap;

/// What flows slower in a pipe or duct of the model loses too little for a blockage to show, m/s.
const WATER_SHOWS_MS: f64 = 0.2;
const AIR_SHOWS_MS: f64 = 1.0;

impl Emulator {
    /// Assets that can have a fault, with how soon they would show it; 1: hardly, or not while they rest.
    pub(super) fn candidates(&self, kind: FaultKind) -> Vec<(Slot, u8)> {
        if kind.stage() == Stage::Signal {
            return self.sensing(kind);
        }
        let measures = |slot: Slot, role: &str| self.roles.contains(&(slot, role.to_owned()));
        let mut found: Vec<(Slot, u8)> = Vec::new();
        for (slot, device) in &self.devices {
            let plant = self.plants.of(*slot);
            let rank = match (kind, *device) {
                (FaultKind::StuckValve, Device::Valve(_)) => {
                    (measures(*slot, "command") && measures(*slot, "position")).then_some(1)
                }
                (FaultKind::LeakingValve, Device::Valve(place)) => leaking_valve(plant, place),
                (FaultKind::StuckDamper, Device::Zone(i)) if measures(*slot, "damper_position") => {
                    let unit = plant.zones.get(i).and_then(|z| plant.air.get(z.air_handler));
                    Some(if unit.is_some_and(|a| a.running()) { 2 } else { 1 })
                }
                (FaultKind::StuckDamper, Device::Air(i)) if measures(*slot, "outdoor_damper") => {
                    Some(if plant.air.get(i).is_some_and(|a| a.running()) { 2 } else { 1 })
                }
                (FaultKind::CoilFouling, Device::Coil { air, cools }) => coil_fouling(plant, air, cools),
                (FaultKind::ShortCycling, Device::Machine(of, i)) if measures(*slot, "running") => {
                    plant.water(of).map(|water| {
                        let running = water.machines.get(i).is_some_and(|m| m.running);
                        at_work(running, water.lead == i)
                    })
                }
                (FaultKind::PumpWear, Device::Pump(of, i)) => plant.pumps(of).map(|group| {
                    let running = group.pumps.get(i).is_some_and(|p| p.running);
                    at_work(running, group.duty == i)
                }),
                (FaultKind::FilterClogging, Device::Filter(i)) => {
                    Some(if plant.air.get(i).is_some_and(|a| a.running()) { 2 } else { 1 })
                }
                (FaultKind::PipeBlockage | FaultKind::Leak, device) => plant.narrow(kind, *slot, device),
                _ => None,
            };
            found.extend(rank.map(|rank| (*slot, rank)));
        }
        found
    }

    /// Assets with something that a sensor's fault can be seen at.
    fn sensing(&self, kind: FaultKind) -> Vec<(Slot, u8)> {
        let mut found: BTreeMap<Slot, u8> = BTreeMap::new();
        for (i, point) in self.points.iter().enumerate() {
            let Some(point) = point else { continue };
            if kind == FaultKind::SensorDropout || self.primary(point.asset) == Some(i) {
                found.insert(point.asset, 1);
            }
        }
        let measures = |slot: Slot, role: &str| self.roles.contains(&(slot, role.to_owned()));
        for (slot, rank) in &mut found {
            *rank = match self.devices.get(slot) {
                Some(Device::Sensor { .. } | Device::Weather | Device::Zone(_)) if kind == FaultKind::SensorDropout => {
                    3
                }
                // What measures the same beside it tells on it.
                Some(Device::Sensor { on: Some(host), back: false })
                    if measures(*slot, "temperature") && measures(*host, "supply_temperature") =>
                {
                    3
                }
                Some(Device::Sensor { .. } | Device::Weather) => 2,
                _ => 1,
            };
        }
        found.into_iter().collect()
    }

    /// The measurement that an asset is there for: what a fault of its sensor strikes. None where it reports only
    /// what it was told, or what it counts.
    pub(super) fn primary(&self, slot: Slot) -> Option<usize> {
        let rank = |i: usize| -> Option<u8> {
            let point = self.points.get(i)?.as_ref().filter(|p| p.asset == slot && p.instrument.measures())?;
            Some(match (&point.signal, point.quantity) {
                (Signal::Of(_, quality), Quantity::Temperature) if is_chief(*quality) => 0,
                (_, Quantity::Temperature) => 1,
                (_, Quantity::Ratio) if point.humidity => 2,
                (_, Quantity::Concentration) => 3,
                (_, Quantity::Pressure) => 4,
                (_, Quantity::VolumeFlow) => 5,
                (_, Quantity::Power) => 6,
                _ => 7,
            })
        };
        let own = self.by_asset.get(&slot)?;
        own.iter().filter_map(|i| rank(*i).map(|r| (r, *i))).min().map(|(_, i)| i)
    }
}

/// A machine: at work; next to be at work; else.
fn at_work(running: bool, first: bool) -> u8 {
    match (running, first) {
        (true, true) => 3,
        (_, true) => 2,
        _ => 1,
    }
}

/// A leak shows in what the valve should not let through: when it is shut, water stands behind it and air goes by.
fn leaking_valve(plant: &Plant, place: ValvePlace) -> Option<u8> {
    let position = plant.valve(place)?.position;
    let (cools, air) = match place {
        ValvePlace::Loose(_) => return None,
        ValvePlace::Cooling(i) => (true, plant.air.get(i).is_some_and(|a| a.running())),
        ValvePlace::Heating(i) => (false, plant.air.get(i).is_some_and(|a| a.running())),
        ValvePlace::Reheat(i) => (false, plant.zones.get(i).is_some_and(|z| z.airflow_m3s > 0.0)),
        ValvePlace::Radiator(_) => (false, true),
    };
    let water = if cools { &plant.chilled } else { &plant.heating };
    Some(match (water.available() > 0.5 && air, position < 0.05) {
        (true, true) => 3,
        (true, false) => 2,
        _ => 1,
    })
}

fn coil_fouling(plant: &Plant, air: usize, cools: bool) -> Option<u8> {
    let unit = plant.air.get(air)?;
    let coil = if cools { &unit.cooling } else { &unit.heating };
    let in_season = cools == (plant.weather.outdoor_c > 10.0);
    Some(if unit.running() && coil.valve.position > 0.12 {
        3
    } else if in_season {
        2
    } else {
        1
    })
}

impl Plant {
    /// How well a pipe or duct shows what stands in it or leaks out of it; its equipment is asked for by name.
    fn narrow(&self, kind: FaultKind, slot: Slot, device: Device) -> Option<u8> {
        if let Device::Duct { air, .. } = device {
            let unit = self.air.get(air)?;
            let running = unit.running() && unit.ducts.model().is_none_or(|m| m.velocity_ms(slot) > AIR_SHOWS_MS);
            return (kind == FaultKind::PipeBlockage).then_some(if running { 3 } else { 2 });
        }
        let (of, stretch) = self.stretch(device)?;
        let (group, pipes) = (self.pumps(of)?, self.pipes(of));
        let running = group.pumps.iter().any(|p| p.running);
        let flows = match stretch {
            Stretch::Branch(i) => pipes.branch_m3s(i) > 0.2 * pipes.design_m3s(i),
            Stretch::Machine(i) => pipes.machine_m3s(i) > 0.0,
            Stretch::Supply | Stretch::Return => running,
        };
        let flows = flows && pipes.model().is_none_or(|m| m.velocity_ms(slot) > WATER_SHOWS_MS);
        let shows = if kind == FaultKind::Leak { running } else { running && flows };
        let pipe = matches!(device, Device::Pipe(..));
        Some(match (shows, pipe) {
            (true, true) => 4,
            (false, true) => 3,
            (true, false) => 2,
            (false, false) => 1,
        })
    }

    /// The stretch of water that a pipe is, or that a piece of equipment stands in.
    pub(super) fn stretch(&self, device: Device) -> Option<(LoopKind, Stretch)> {
        match device {
            Device::Pipe(kind, stretch) => Some((kind, stretch)),
            // A valve is not what leads to it.
            Device::Valve(_) => None,
            _ => [LoopKind::Chilled, LoopKind::Heating, LoopKind::Condenser]
                .into_iter()
                .find_map(|kind| stretch_of(device, kind, self).map(|s| (kind, s))),
        }
    }

    /// The pumps of a loop.
    pub(super) fn pumps(&self, kind: LoopKind) -> Option<&super::pump::PumpGroup> {
        Some(match kind {
            LoopKind::Chilled => &self.chilled.pumps,
            LoopKind::Heating => &self.heating.pumps,
            LoopKind::Condenser => &self.condenser.pumps,
        })
    }
}
