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

#[cfg(test)]
mod tests {
    use super::super::{Emulator, FaultSpec, Settings};
    use super::*;
    use crate::time::Time;

    fn clinic() -> Site {
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("models/clinic");
        let (project, _) = crate::site::project::load(&folder).unwrap();
        let models = project.models.iter().map(|m| crate::import::read(&m.file, &Default::default()).unwrap().0);
        crate::site::assemble(&project, models.map(|m| (m, String::new())).collect()).0
    }

    #[test]
    fn the_clinics_segments_find_their_branches() {
        let site = clinic();
        let (plants, devices, _) = Plants::derive(&site, 1, &[]);
        let plant = plants.of(Slot(0));
        let count = |is: &dyn Fn(&Device) -> bool| devices.values().filter(|d| is(d)).count();
        let branches = |of: LoopKind| {
            count(&|d| matches!(d, Device::Pipe(kind, Stretch::Branch(_) | Stretch::Machine(_)) if *kind == of))
        };
        let counts = [
            branches(LoopKind::Chilled),
            branches(LoopKind::Heating),
            branches(LoopKind::Condenser),
            count(&|d| matches!(d, Device::Pipe(_, Stretch::Supply | Stretch::Return))),
            count(&|d| matches!(d, Device::Duct { zone: Some(_), .. })),
        ];
        println!("{counts:?}");
        // Both sides of every coil; of every box and radiator; mains; the ducts to the boxes.
        assert!(counts[0] >= 2 * plant.air.len() && counts[1] >= 2 * plant.zones.len(), "{counts:?}");
        assert!(counts[2] > 0 && counts[3] > 20 && counts[4] >= plant.zones.len() / 2, "{counts:?}");
    }

    #[test]
    fn a_blockage_and_a_leak_are_drawn_among_pipes_that_show_them() {
        let site = clinic();
        let start = Time::parse("2026-07-15T10:00:00Z").unwrap();
        let (healthy, _) = Emulator::new(&site, Settings { seed: 2, start });
        for text in ["pipe-blockage@0", "leak@0", "leak:AHU-2-CC=0.4@0"] {
            let (mut faulty, mut healthy) = (healthy.clone(), healthy.clone());
            let injected = faulty.inject(&FaultSpec::parse(text).unwrap(), start).unwrap();
            let element = site.elements.iter().find(|e| e.id == injected.asset).unwrap();
            assert!(text.contains(':') || element.class.ends_with("Segment"), "{text}: {}", element.class);
            faulty.step(1800.0);
            healthy.step(1800.0);
            let differ = (0..site.points.len() as u32)
                .filter(|i| {
                    let read = |e: &Emulator| e.read(crate::site::PointIndex(*i)).unwrap_or(0.0);
                    let (a, b) = (read(&faulty), read(&healthy));
                    (a - b).abs() > 0.02 * (a.abs() + b.abs())
                })
                .count();
            assert!(differ > 0, "{text} on {}", element.label());
        }
    }
}
