//! Which asset a fault goes to, and how it gets into the plant.

use super::Emulator;
use super::control::{Ramp, hash, mix};
use super::fault::{FaultKind, FaultSpec, InjectedFault};
use super::layout::Device;
use super::water::LoopKind;
use crate::problem::Problem;
use crate::site::Slot;
use crate::time::Time;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// How long a creeping fault takes to be fully there, seconds.
const CREEP_S: f64 = 600.0;

impl Emulator {
    /// Puts a fault into the building. Without an asset the seed draws one among those that can have it
    /// and, where it matters, are at work; `at` is recorded as the time of the fault.
    ///
    /// # Errors
    /// No such asset, an asset that cannot have this fault, or none that can.
    pub fn inject(&mut self, fault: &FaultSpec, at: Time) -> Result<InjectedFault, Problem> {
        let kind = fault.kind;
        let place = format!("--fault {}", kind.name());
        let slot = match &fault.asset {
            Some(name) => self.named(kind, name, &place)?,
            None => self.draw(kind).ok_or_else(|| {
                Problem::error(
                    &place,
                    format!("the site has nothing left to put it on: {}", kind.target()),
                    "leave this fault out",
                )
            })?,
        };
        self.apply(kind, slot, fault.severity);
        self.faulty.push((kind, slot));
        let asset = self.ids.get(slot.0 as usize).map(|(id, _)| id.clone()).unwrap_or_default();
        Ok(InjectedFault { name: kind, asset, at })
    }

    /// Checks a fault before its time: no such asset, or one that cannot have it.
    ///
    /// # Errors
    /// As [`Self::inject`].
    pub fn check(&self, fault: &FaultSpec) -> Result<(), Problem> {
        let place = format!("--fault {}", fault.kind.name());
        match &fault.asset {
            Some(name) => self.named(fault.kind, name, &place).map(|_| ()),
            None if self.candidates(fault.kind).is_empty() => Err(Problem::error(
                place,
                format!("the site has nothing to put it on: {}", fault.kind.target()),
                "leave this fault out",
            )),
            None => Ok(()),
        }
    }

    fn named(&self, kind: FaultKind, name: &str, place: &str) -> Result<Slot, Problem> {
        let matching: Vec<Slot> =
            (0u32..).zip(&self.ids).filter(|(_, (id, tag))| id == name || tag == name).map(|(i, _)| Slot(i)).collect();
        let can = self.candidates(kind);
        let found = matching.iter().find(|s| can.iter().any(|(c, _)| c == *s));
        found.copied().ok_or_else(|| {
            let message = if matching.is_empty() {
                format!("the site has no asset `{name}`")
            } else {
                format!("`{name}` cannot have this fault: it needs {}", kind.target())
            };
            let remedy = match self.labels(&can) {
                labels if labels.is_empty() => format!("leave this fault out: nothing here is {}", kind.target()),
                labels => format!("give the tag or GlobalId of one of {labels}"),
            };
            Problem::error(place, message, remedy)
        })
    }

    /// Assets in words: all when they are few, else the first and how many more.
    fn labels(&self, assets: &[(Slot, u8)]) -> String {
        const MOST: usize = 12;
        let mut labels: Vec<&str> = assets
            .iter()
            .filter_map(|(s, _)| self.ids.get(s.0 as usize))
            .map(|(id, tag)| if tag.is_empty() { id.as_str() } else { tag.as_str() })
            .collect();
        labels.sort_unstable();
        let more = labels.len().saturating_sub(MOST);
        labels.truncate(MOST);
        let listed = labels.join(", ");
        if more > 0 { format!("{listed} and {more} more") } else { listed }
    }

    /// The seed draws among the candidates that show the fault best.
    fn draw(&self, kind: FaultKind) -> Option<Slot> {
        let mut all = self.candidates(kind);
        all.retain(|(slot, _)| !self.faulty.contains(&(kind, *slot)));
        let best = all.iter().map(|(_, rank)| *rank).max()?;
        all.retain(|(_, rank)| *rank == best);
        all.sort_by_key(|(slot, _)| self.ids.get(slot.0 as usize).map(|(id, _)| id.clone()));
        let stream = mix(mix(self.seed, hash(kind.name())), self.faulty.len() as u64);
        let pick = ChaCha8Rng::seed_from_u64(stream).random_range(0..all.len());
        all.get(pick).map(|(slot, _)| *slot)
    }

    /// Assets that can have a fault, with how soon they would show it; 0: only when asked for by name.
    pub(super) fn candidates(&self, kind: FaultKind) -> Vec<(Slot, u8)> {
        let measures = |slot: Slot, role: &str| self.roles.contains(&(slot, role.to_owned()));
        let mut found: Vec<(Slot, u8)> = Vec::new();
        if kind == FaultKind::SensorDropout {
            let mut slots: Vec<Slot> = self.points.iter().flatten().map(|p| p.asset).collect();
            slots.sort_unstable();
            slots.dedup();
            let rank = |slot: &Slot| match self.devices.get(slot) {
                Some(Device::Sensor { .. } | Device::Weather | Device::Zone(_)) => 2,
                _ => 1,
            };
            return slots.into_iter().map(|s| (s, rank(&s))).collect();
        }
        for (slot, device) in &self.devices {
            let plant = self.plants.of(*slot);
            let rank = match (kind, *device) {
                (FaultKind::StuckValve, Device::Valve(_))
                    if measures(*slot, "command") && measures(*slot, "position") =>
                {
                    1
                }
                (FaultKind::SensorDrift, Device::Sensor { on: Some(host), back: false })
                    if measures(*slot, "temperature") && measures(host, "supply_temperature") =>
                {
                    1
                }
                (FaultKind::CoilFouling, Device::Coil { air, cools }) => {
                    let Some(unit) = plant.air.get(air) else { continue };
                    let coil = if cools { &unit.cooling } else { &unit.heating };
                    let in_season = cools == (plant.weather.outdoor_c > 10.0);
                    if unit.running() && coil.valve.position > 0.12 {
                        3
                    } else if in_season {
                        2
                    } else {
                        1
                    }
                }
                (FaultKind::ShortCycling, Device::Machine(kind, i)) if measures(*slot, "running") => {
                    let Some(water) = plant.water(kind) else { continue };
                    let running = water.machines.get(i).is_some_and(|m| m.running);
                    match (running, water.lead == i) {
                        (true, true) => 3,
                        (_, true) => 2,
                        _ => 1,
                    }
                }
                (FaultKind::PumpWear, Device::Pump(kind, i)) => {
                    let group = match kind {
                        LoopKind::Condenser => &plant.condenser.pumps,
                        _ => match plant.water(kind) {
                            Some(water) => &water.pumps,
                            None => continue,
                        },
                    };
                    let running = group.pumps.get(i).is_some_and(|p| p.running);
                    match (running, group.duty == i) {
                        (true, true) => 3,
                        (_, true) => 2,
                        _ => 1,
                    }
                }
                (FaultKind::FilterClogging, Device::Filter(i)) => {
                    if plant.air.get(i).is_some_and(|a| a.running()) {
                        2
                    } else {
                        1
                    }
                }
                _ => continue,
            };
            found.push((*slot, rank));
        }
        found
    }

    fn apply(&mut self, kind: FaultKind, slot: Slot, severity: f64) {
        let Some(device) = self.devices.get(&slot).copied() else {
            if kind == FaultKind::SensorDropout {
                self.silent.insert(slot);
            }
            return;
        };
        let plant = self.plants.of_mut(slot);
        match (kind, device) {
            (FaultKind::SensorDropout, _) => {
                self.silent.insert(slot);
            }
            (FaultKind::SensorDrift, _) => {
                let mut ramp = Ramp::default();
                ramp.start(severity, CREEP_S);
                self.drifting.insert(slot, ramp);
            }
            (FaultKind::StuckValve, Device::Valve(place)) => {
                if let Some(valve) = plant.valve_mut(place) {
                    valve.stick(severity);
                }
            }
            (FaultKind::CoilFouling, Device::Coil { air, cools }) => {
                if let Some(unit) = plant.air.get_mut(air) {
                    let coil = if cools { &mut unit.cooling } else { &mut unit.heating };
                    coil.fouling.start(severity, CREEP_S);
                }
            }
            (FaultKind::FilterClogging, Device::Filter(i)) => {
                if let Some(unit) = plant.air.get_mut(i) {
                    unit.filter.start(severity, CREEP_S);
                }
            }
            (FaultKind::ShortCycling, Device::Machine(kind, i)) => {
                let water = if kind == LoopKind::Chilled { &mut plant.chilled } else { &mut plant.heating };
                water.lead_with(i);
                if let Some(machine) = water.machines.get_mut(i) {
                    machine.short_cycling.start(severity, 1.0);
                }
            }
            (FaultKind::PumpWear, Device::Pump(kind, i)) => {
                let group = match kind {
                    LoopKind::Chilled => &mut plant.chilled.pumps,
                    LoopKind::Heating => &mut plant.heating.pumps,
                    LoopKind::Condenser => &mut plant.condenser.pumps,
                };
                // A standby pump shows its wear only when it works: it takes over the duty.
                group.duty = i;
                if let Some(pump) = group.pumps.get_mut(i) {
                    pump.wear.start(severity, CREEP_S);
                }
            }
            _ => {}
        }
    }
}
