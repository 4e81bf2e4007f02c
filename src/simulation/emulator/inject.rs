//! How a fault gets to its asset, and from there into the plant and into the readings.

use super::control::{hash, mix};
use super::fault::{FaultSpec, InjectedFault};
use super::hydraulics::Stretch;
use super::layout::Device;
use super::plant::Plant;
use super::signal::{Quality, Signal};
use super::water::LoopKind;
use super::{Broken, Emulator};
use crate::problem::Problem;
use crate::simulation::faults::{Fault, FaultKind, Stage, effect};
use crate::site::Slot;
use crate::time::Time;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

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
        let asset = self.ids.get(slot.0 as usize).map(|(id, _)| id.clone()).unwrap_or_default();
        let fault = fault.fault(asset.clone(), self.now.seconds_since(self.start));
        fault.check()?;
        self.add(fault, slot);
        Ok(InjectedFault { name: kind, asset, at })
    }

    /// Takes a fault in, whole: with its time and its end.
    fn add(&mut self, fault: Fault, slot: Slot) {
        let point = match fault.kind {
            FaultKind::SensorDropout => None,
            kind if kind.stage() == Stage::Signal => self.primary(slot),
            _ => None,
        };
        if let Some(point) = point {
            // A sensor that freezes stays at what it shows now.
            let shown = u32::try_from(point).ok().and_then(|i| self.read(crate::site::PointIndex(i)));
            if let (Some(Some(measured)), Some(shown)) = (self.points.get_mut(point), shown) {
                measured.expect(shown);
            }
        }
        let stuck_at = self.devices.get(&slot).copied().and_then(|device| {
            let standing = self.plants.of(slot).blade(fault.kind, device)?;
            Some(effect::sticks_at(standing, fault.severity))
        });
        self.broken.push(Broken { fault, slot, point, stuck_at });
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
        all.retain(|(slot, _)| !self.broken.iter().any(|b| b.fault.kind == kind && b.slot == *slot));
        let best = all.iter().map(|(_, rank)| *rank).max()?;
        all.retain(|(_, rank)| *rank == best);
        all.sort_by_key(|(slot, _)| self.ids.get(slot.0 as usize).map(|(id, _)| id.clone()));
        let stream = mix(mix(self.seed, hash(kind.name())), self.broken.len() as u64);
        let pick = ChaCha8Rng::seed_from_u64(stream).random_range(0..all.len());
        all.get(pick).map(|(slot, _)| *slot)
    }

    /// Puts into the plant how much of each fault is there at a moment of the grid: before its controls run and it
    /// is solved. What nothing is wrong with any more gets its healthy value back.
    pub(super) fn break_things(&mut self, at: Time) {
        if self.broken.is_empty() {
            return;
        }
        let time_s = at.seconds_since(self.start);
        for broken in self.broken.iter().filter(|b| b.fault.kind.stage() != Stage::Signal) {
            let Some(device) = self.devices.get(&broken.slot).copied() else { continue };
            self.plants.of_mut(broken.slot).strike(broken.slot, device, &broken.fault, None, 0.0);
        }
        for n in 0..self.broken.len() {
            let Some(broken) = self.broken.get(n) else { continue };
            let Some(device) = self.devices.get(&broken.slot).copied() else { continue };
            if broken.fault.kind.stage() == Stage::Signal {
                self.mislead(n, time_s);
                continue;
            }
            let amount = broken.fault.amount(time_s);
            if amount > 0.0 {
                self.plants.of_mut(broken.slot).strike(broken.slot, device, &broken.fault, broken.stuck_at, amount);
            }
        }
    }

    /// Lets a controller see what its faulty sensor shows.
    fn mislead(&mut self, n: usize, time_s: f64) {
        let Some((slot, point)) = self.broken.get(n).and_then(|b| Some((b.slot, b.point?))) else { return };
        let Some(Some(measured)) = self.points.get(point) else { return };
        let faults = self.broken.iter().filter(|b| b.point == Some(point)).map(|b| &b.fault);
        let Signal::Of(device, quality) = measured.signal else { return };
        let plant = self.plants.of_mut(slot);
        match (device, quality) {
            (Device::Zone(i), Quality::ZoneTemperature) => {
                if let Some(zone) = plant.zones.get_mut(i) {
                    zone.sensed_c = measured.through_faults(faults, zone.air_c, time_s);
                }
            }
            (Device::Air(i), Quality::SupplyTemperature) => {
                if let Some(unit) = plant.air.get_mut(i) {
                    unit.sensed_c = measured.through_faults(faults, unit.supply_c, time_s);
                }
            }
            _ => {}
        }
    }
}

impl Plant {
    /// Where a blade or plug stands that a fault of this kind would hold.
    fn blade(&self, kind: FaultKind, device: Device) -> Option<f64> {
        match (kind, device) {
            (FaultKind::StuckValve, Device::Valve(place)) => self.valve(place).map(|v| v.position),
            (FaultKind::StuckDamper, Device::Zone(i)) => self.zones.get(i).map(|z| z.damper.position),
            (FaultKind::StuckDamper, Device::Air(i)) => self.air.get(i).map(|a| a.damper.position),
            _ => None,
        }
    }

    /// Puts what is narrow or leaks into the network of the model that it is in; false where a plain one takes it.
    fn strike_model(&mut self, slot: Slot, device: Device, kind: FaultKind, amount: f64) -> bool {
        if !matches!(kind, FaultKind::PipeBlockage | FaultKind::Leak) {
            return false;
        }
        if let Device::Duct { air, .. } = device {
            let Some(model) = self.air.get_mut(air).and_then(|a| a.ducts.model_mut()) else { return false };
            if amount > 0.0 {
                model.strike(slot, kind, amount)
            } else {
                model.mend()
            }
            return true;
        }
        let Some((of, stretch)) = self.stretch(device) else { return false };
        if let (Stretch::Machine(i), true) = (stretch, amount > 0.0) {
            // A machine that waits has no water to block: it takes the lead.
            match of {
                LoopKind::Chilled => self.chilled.lead_with(i),
                LoopKind::Heating => self.heating.lead_with(i),
                LoopKind::Condenser => {}
            }
        }
        let Some(model) = self.pipes_mut(of).model_mut().filter(|m| m.has(slot)) else { return false };
        if amount > 0.0 {
            model.strike(slot, kind, amount)
        } else {
            model.mend()
        }
        true
    }

    /// Makes a fault of a device as large as `amount`, or larger if it is already; zero mends it.
    fn strike(&mut self, slot: Slot, device: Device, fault: &Fault, stuck_at: Option<f64>, amount: f64) {
        if self.strike_model(slot, device, fault.kind, amount) {
            return;
        }
        let worst = |value: &mut f64| *value = if amount > 0.0 { value.max(amount) } else { 0.0 };
        match (fault.kind, device) {
            (FaultKind::StuckValve, Device::Valve(place)) => {
                if let Some(valve) = self.valve_mut(place) {
                    valve.stuck_at = stuck_at;
                }
            }
            (FaultKind::StuckDamper, Device::Zone(i)) => {
                if let Some(zone) = self.zones.get_mut(i) {
                    zone.damper.stuck_at = stuck_at;
                }
            }
            (FaultKind::StuckDamper, Device::Air(i)) => {
                if let Some(unit) = self.air.get_mut(i) {
                    unit.damper.stuck_at = stuck_at;
                }
            }
            (FaultKind::LeakingValve, Device::Valve(place)) => {
                if let Some(valve) = self.valve_mut(place) {
                    worst(&mut valve.leaking);
                }
            }
            (FaultKind::CoilFouling, Device::Coil { air, cools }) => {
                if let Some(unit) = self.air.get_mut(air) {
                    worst(&mut if cools { &mut unit.cooling } else { &mut unit.heating }.fouling);
                }
            }
            (FaultKind::FilterClogging, Device::Filter(i)) => {
                if let Some(unit) = self.air.get_mut(i) {
                    worst(&mut unit.filter);
                }
            }
            (FaultKind::ShortCycling, Device::Machine(kind, i)) => {
                let water = if kind == LoopKind::Chilled { &mut self.chilled } else { &mut self.heating };
                if amount > 0.0 {
                    water.lead_with(i);
                }
                if let Some(machine) = water.machines.get_mut(i) {
                    worst(&mut machine.short_cycling);
                }
            }
            (FaultKind::PumpWear, Device::Pump(kind, i)) => {
                let group = match kind {
                    LoopKind::Chilled => &mut self.chilled.pumps,
                    LoopKind::Heating => &mut self.heating.pumps,
                    LoopKind::Condenser => &mut self.condenser.pumps,
                };
                // A standby pump shows its wear only when it works: it takes over the duty.
                if amount > 0.0 {
                    group.duty = i;
                }
                if let Some(pump) = group.pumps.get_mut(i) {
                    worst(&mut pump.wear);
                }
            }
            (FaultKind::PipeBlockage, Device::Duct { zone: Some(i), .. }) => {
                if let Some(zone) = self.zones.get_mut(i) {
                    worst(&mut zone.blocked);
                }
            }
            (FaultKind::PipeBlockage, Device::Duct { air, zone: None }) => {
                if let Some(unit) = self.air.get_mut(air) {
                    worst(&mut unit.blocked);
                }
            }
            (FaultKind::PipeBlockage, device) => {
                let Some((kind, stretch)) = self.stretch(device) else { return };
                // A machine that waits has no water to block: it takes the lead.
                match (kind, stretch) {
                    (LoopKind::Chilled, Stretch::Machine(i)) if amount > 0.0 => self.chilled.lead_with(i),
                    (LoopKind::Heating, Stretch::Machine(i)) if amount > 0.0 => self.heating.lead_with(i),
                    _ => {}
                }
                if let Some(blocked) = self.pipes_mut(kind).blocked(stretch) {
                    worst(blocked);
                }
            }
            (FaultKind::Leak, device) => {
                if let Some((kind, stretch)) = self.stretch(device) {
                    worst(self.pipes_mut(kind).leaking(stretch));
                }
            }
            _ => {}
        }
    }
}
