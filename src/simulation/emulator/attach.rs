//! Which networks of the model are the loops and ducts of the plant.
//!
//! A loop or a unit whose machines and consumers are all found in one network of the model works with that network.
//! Where nobody drew the pipes, or not all of them, it works with a plain one, sized from its design data, and says so.

use super::attached::Attached;
use super::layout::{Device, Devices};
use super::model_ducts::ModelDucts;
use super::model_loop::ModelLoop;
use super::plant::{Plant, ValvePlace};
use super::plants::Plants;
use super::water::LoopKind;
use crate::problem::Problem;
use crate::simulation::building::stands::{consumer, links_of, supply_fan, unit_dampers, within};
use crate::simulation::building::{AssumptionOverride, Building, Part, SystemNetwork, of_site};
use crate::site::graph::{Domain, Graph};
use crate::site::{Site, Slot};
use std::collections::HashMap;

/// Gives the plants the networks of their site's model, with what is `stated` of it. What works with a plain one is said.
pub(super) fn attach(
    site: &Site,
    plants: &mut Plants,
    devices: &Devices,
    seed: u64,
    stated: &[AssumptionOverride],
) -> Vec<Problem> {
    let is = |class: &str| site.elements.iter().any(|e| e.class.eq_ignore_ascii_case(class));
    let drawn = is("IfcPipeSegment") || is("IfcDuctSegment");
    let works = devices.values().any(|d| matches!(d, Device::Pump(..) | Device::Air(_)));
    let building = if drawn && works { of_site(site, &Graph::of(site), stated) } else { Building::default() };
    let mut plain = Vec::new();
    for (n, plant) in plants.each().enumerate() {
        let mut slots: Vec<(Slot, Device)> = devices.iter().map(|(s, d)| (*s, *d)).collect();
        slots.sort_by_key(|(s, _)| *s);
        let of = |s: &Slot| plant.1.get(s.0 as usize).copied().unwrap_or_default() == n;
        let at = Slots { of: slots.into_iter().filter(|(s, _)| of(s)).collect() };
        attach_one(site, &building, plant.0, &at, seed, &mut plain);
    }
    if plain.is_empty() {
        return Vec::new();
    }
    vec![Problem::info(
        "emulator",
        format!(
            "no network of the model holds all of: {}; what flows there is that of a plain network",
            plain.join(", ")
        ),
        "nothing; where the pipes or ducts are drawn, look at what `plenum graph` leaves open",
    )]
}

/// The elements of a plant.
struct Slots {
    of: Vec<(Slot, Device)>,
}

impl Slots {
    fn find(&self, device: Device) -> Option<Slot> {
        self.of.iter().find(|(_, d)| *d == device).map(|(s, _)| *s)
    }

    fn numbered(&self, pick: impl Fn(Device) -> Option<usize>, count: usize) -> Option<Vec<Slot>> {
        let mut by: HashMap<usize, Slot> = HashMap::new();
        for (slot, device) in &self.of {
            if let Some(i) = pick(*device) {
                by.entry(i).or_insert(*slot);
            }
        }
        (0..count).map(|i| by.get(&i).copied()).collect()
    }
}

fn attach_one(site: &Site, building: &Building, plant: &mut Plant, at: &Slots, seed: u64, plain: &mut Vec<String>) {
    for (kind, name) in [
        (LoopKind::Chilled, "chilled water"),
        (LoopKind::Heating, "heating water"),
        (LoopKind::Condenser, "condenser water"),
    ] {
        let has_pumps = at.of.iter().any(|(_, d)| matches!(d, Device::Pump(k, _) if *k == kind));
        let found = building.networks.iter().filter(|n| n.domain != Domain::Air).find_map(|net| {
            let model = water(net, plant, at, kind, seed)?;
            Some(model)
        });
        match found {
            Some(model) => plant.pipes_mut(kind).attach(model),
            None if has_pumps => plain.push(name.to_owned()),
            None => {}
        }
    }
    for i in 0..plant.air.len() {
        let Some(unit) = at.find(Device::Air(i)) else { continue };
        let found = building
            .networks
            .iter()
            .filter(|n| n.domain == Domain::Air)
            .find_map(|net| air(site, net, plant, at, unit, i, seed));
        let Some(model) = found else {
            plain.push(format!("air of {}", site.element(unit).map(|e| e.label()).unwrap_or_default()));
            continue;
        };
        for zone in plant.zones.iter_mut().filter(|z| z.air_handler == i) {
            zone.blades = true;
        }
        if let Some(unit) = plant.air.get_mut(i) {
            unit.attach(model);
        }
    }
    plant.size_coils();
}

/// A loop in a network; none where one of its pumps, machines or consumers is not in it.
fn water(net: &SystemNetwork, plant: &Plant, at: &Slots, kind: LoopKind, seed: u64) -> Option<ModelLoop> {
    let link = |slot: Slot, part: Part| links_of(net, slot).find(|l| net.link_part.get(*l) == Some(&part));
    let pumps = at.numbered(|d| if let Device::Pump(k, i) = d { (k == kind).then_some(i) } else { None }, {
        plant.pumps(kind)?.pumps.len()
    })?;
    let pumps: Vec<usize> = pumps.into_iter().map(|s| link(s, Part::Mover)).collect::<Option<_>>()?;
    let mut machines = Vec::new();
    let mut branches = Vec::new();
    let places: Vec<ValvePlace> = match kind {
        LoopKind::Chilled => (0..plant.air.len()).map(ValvePlace::Cooling).collect(),
        LoopKind::Heating => {
            let coils = (0..plant.air.len()).map(ValvePlace::Heating);
            let boxes = (0..plant.zones.len()).map(ValvePlace::Reheat);
            coils.chain(boxes).chain((0..plant.radiators.len()).map(ValvePlace::Radiator)).collect()
        }
        LoopKind::Condenser => Vec::new(),
    };
    if kind == LoopKind::Condenser {
        for i in 0..plant.chilled.machines.len() {
            let slot = at.find(Device::Machine(LoopKind::Chilled, i))?;
            branches.push((slot, link(slot, Part::Condenser)?, None));
        }
    } else {
        for i in 0..plant.water(kind)?.machines.len() {
            machines.push(link(at.find(Device::Machine(kind, i))?, Part::Source)?);
        }
    }
    for place in places {
        let device = match place {
            ValvePlace::Cooling(air) => Device::Coil { air, cools: true },
            ValvePlace::Heating(air) => Device::Coil { air, cools: false },
            ValvePlace::Reheat(i) => Device::Zone(i),
            ValvePlace::Radiator(i) => Device::Radiator(i),
            ValvePlace::Loose(_) => return None,
        };
        let slot = at.find(device)?;
        let valve = link(at.find(Device::Valve(place))?, Part::Control)?;
        branches.push((slot, consumer(net, slot)?, Some(valve)));
    }
    let meter = at.find(Device::HeatMeter(kind)).and_then(|s| links_of(net, s).next());
    ModelLoop::new(Attached::new(net, mix_kind(seed, kind))?, pumps, machines, branches, meter)
}

fn mix_kind(seed: u64, kind: LoopKind) -> u64 {
    super::control::mix(seed, 0xA5B0 + kind as u64)
}

/// The ducts of a unit in a network; none where its fan or one of its boxes is not in it.
fn air(
    site: &Site,
    net: &SystemNetwork,
    plant: &Plant,
    at: &Slots,
    unit: Slot,
    number: usize,
    seed: u64,
) -> Option<ModelDucts> {
    let fans = within(site, net, unit, Part::Mover);
    let supply = supply_fan(site, net, &fans)?;
    let filter = within(site, net, unit, Part::Filter).first().copied();
    let mut boxes: Vec<(usize, usize)> = Vec::new();
    for (i, zone) in plant.zones.iter().enumerate().filter(|(_, z)| z.air_handler == number) {
        let slot = at.find(Device::Zone(i))?;
        let damper = links_of(net, slot).find(|l| net.link_part.get(*l) == Some(&Part::Control))?;
        boxes.push((zone.number, damper));
    }
    boxes.sort_unstable();
    let boxes: Vec<usize> = boxes.into_iter().map(|(_, l)| l).collect();
    if boxes.is_empty() {
        return None;
    }
    let dampers = unit_dampers(site, net, unit);
    let attached = Attached::new(net, super::control::mix(seed, 0xD0C7))?;
    Some(ModelDucts::new(attached, fans, supply, filter, dampers, boxes))
}
