//! Pipes and ducts of the model: which stretch of a loop, or whose air, each segment carries.
//!
//! A segment belongs to the branch of what it leads to without a tee in between, else to the main of its system.

use super::hydraulics::Stretch;
use super::layout::{Device, Devices};
use super::plant::{Plant, ValvePlace};
use super::plants::Plants;
use super::water::LoopKind;
use crate::site::graph::Graph;
use crate::site::{Element, Site, Slot};
use std::collections::HashSet;

/// Elements on the way from a segment to a tee or to equipment: no branch is longer.
const MOST: usize = 400;

/// Adds every pipe and duct segment of a site to the devices.
pub(super) fn add(site: &Site, plants: &Plants, devices: &mut Devices) {
    let is = |e: &Element, class: &str| e.class.eq_ignore_ascii_case(class);
    let segments: Vec<(Slot, bool)> = site
        .iter()
        .filter(|(_, e)| is(e, "IfcPipeSegment") || is(e, "IfcDuctSegment"))
        .map(|(slot, e)| (slot, is(e, "IfcPipeSegment")))
        .collect();
    if segments.is_empty() {
        return;
    }
    let graph = Graph::of(site);
    let mut beside: Vec<Vec<Slot>> = vec![Vec::new(); site.elements.len()];
    for edge in &graph.edges {
        let at = |node: u32| graph.nodes.get(node as usize).map(|n| n.slot);
        let (Some(from), Some(to)) = (at(edge.from), at(edge.to)) else { continue };
        for (a, b) in [(from, to), (to, from)] {
            if let Some(list) = beside.get_mut(a.0 as usize) {
                list.push(b);
            }
        }
    }
    for (slot, pipe) in segments {
        let ends = leads_to(slot, &beside, devices);
        let plant = plants.of(slot);
        let device = if pipe { pipe_of(site, slot, &ends, plant) } else { duct_of(&ends, plant) };
        if let Some(device) = device {
            devices.insert(slot, device);
        }
    }
}

/// What a segment leads to on both sides without a tee in between.
fn leads_to(segment: Slot, beside: &[Vec<Slot>], devices: &Devices) -> Vec<Device> {
    let mut found = Vec::new();
    let mut seen: HashSet<Slot> = HashSet::from([segment]);
    let mut ahead = vec![segment];
    while let Some(at) = ahead.pop() {
        let next = beside.get(at.0 as usize).map(Vec::as_slice).unwrap_or_default();
        match devices.get(&at).filter(|d| !matches!(d, Device::Sensor { .. } | Device::HeatMeter(_))) {
            Some(device) if at != segment => found.push(*device),
            _ if at != segment && next.len() > 2 => {}
            _ => ahead.extend(next.iter().filter(|s| seen.len() < MOST && seen.insert(**s))),
        }
    }
    found
}

fn pipe_of(site: &Site, slot: Slot, ends: &[Device], plant: &Plant) -> Option<Device> {
    let element = site.element(slot)?;
    let systems = element.systems.iter().filter_map(|s| site.systems.get(*s as usize));
    let words: Vec<String> =
        systems.map(|s| format!("{} {}", s.predefined_type, s.name).to_ascii_uppercase()).collect();
    let any = |word: &str| words.iter().any(|w| w.contains(word));
    let kind = if any("CONDENSER") {
        LoopKind::Condenser
    } else if any("CHILL") || any("COOLING") {
        LoopKind::Chilled
    } else if any("HEAT") {
        LoopKind::Heating
    } else {
        return None;
    };
    let branch = ends.iter().find_map(|d| stretch_of(*d, kind, plant));
    let main = if any("RETURN") { Stretch::Return } else { Stretch::Supply };
    Some(Device::Pipe(kind, branch.unwrap_or(main)))
}

/// The branch of a loop that a device stands in; none for pumps, which stand in the main.
pub(super) fn stretch_of(device: Device, kind: LoopKind, plant: &Plant) -> Option<Stretch> {
    let place = match device {
        Device::Valve(place) => place,
        Device::Coil { air, cools: true } => ValvePlace::Cooling(air),
        Device::Coil { air, cools: false } => ValvePlace::Heating(air),
        Device::Zone(i) => ValvePlace::Reheat(i),
        Device::Radiator(i) => ValvePlace::Radiator(i),
        Device::Machine(of, i) if of == kind => return Some(Stretch::Machine(i)),
        Device::Machine(LoopKind::Chilled, i) if kind == LoopKind::Condenser => return Some(Stretch::Branch(i)),
        Device::Tower if kind == LoopKind::Condenser => return Some(Stretch::Machine(0)),
        _ => return None,
    };
    plant.branch(place).filter(|(of, _)| *of == kind).map(|(_, i)| Stretch::Branch(i))
}

fn duct_of(ends: &[Device], plant: &Plant) -> Option<Device> {
    let zone = ends.iter().find_map(|d| match d {
        Device::Zone(i) => Some(*i),
        _ => None,
    });
    match zone {
        Some(i) => Some(Device::Duct { air: plant.zones.get(i)?.air_handler, zone: Some(i) }),
        None => ends.iter().find_map(|d| match d {
            Device::Air(i) | Device::Fan(i) | Device::Filter(i) | Device::Coil { air: i, .. } => {
                Some(Device::Duct { air: *i, zone: None })
            }
            _ => None,
        }),
    }
}
