//! Which measured points set something in a network, and which can be compared with it.

use super::air::outdoors;
use super::exchange::AirAt;
use super::stands;
use super::{Drive, Measurand, Part, Reading, Sets, SystemNetwork};
use crate::simulation::network::{LinkKind, NodeKind};
use crate::site::graph::{Domain, plain_class};
use crate::site::{Element, PointIndex, Site, Slot};
use std::collections::BTreeMap;

/// Finds the drives and readings of a network. A point is a reading only of what the network solves for: what a drive
/// sets is not compared with itself.
pub(super) fn bind(site: &Site, net: &mut SystemNetwork) {
    let mut links: BTreeMap<Slot, Vec<usize>> = BTreeMap::new();
    for (i, slot) in net.link_element.iter().enumerate() {
        if let Some(slot) = slot {
            links.entry(*slot).or_default().push(i);
        }
    }
    let mut found = Found { site, net, links, drives: Vec::new(), readings: Vec::new() };
    for (i, point) in site.points.iter().enumerate().filter(|(_, p)| p.is_measured()) {
        let Some(element) = site.element(point.asset) else { continue };
        found.point(PointIndex(i as u32), point.asset, element, &point.role);
    }
    found.air_sides();
    let (drives, readings) = (found.drives, found.readings);
    net.drives = drives;
    net.readings = readings;
}

struct Found<'a> {
    site: &'a Site,
    net: &'a SystemNetwork,
    links: BTreeMap<Slot, Vec<usize>>,
    drives: Vec<Drive>,
    readings: Vec<Reading>,
}

impl Found<'_> {
    fn own(&self, slot: Slot) -> &[usize] {
        self.links.get(&slot).map(Vec::as_slice).unwrap_or_default()
    }

    /// The link of an element that is for something.
    fn of(&self, slot: Slot, part: Part) -> Option<usize> {
        self.own(slot).iter().copied().find(|l| self.net.link_part.get(*l) == Some(&part))
    }

    /// Links of some kind whose element is a part of a unit.
    fn within(&self, unit: Slot, part: Part) -> Vec<usize> {
        stands::within(self.site, self.net, unit, part)
    }

    fn ends(&self, link: usize) -> Option<(usize, usize)> {
        self.net.network.links.get(link).map(|l| (l.from, l.to))
    }

    fn sets(&mut self, point: PointIndex, sets: Sets) {
        self.drives.push(Drive { point, sets });
    }

    fn reads(&mut self, point: PointIndex, of: Measurand) {
        self.readings.push(Reading { point, of });
    }

    fn point(&mut self, point: PointIndex, asset: Slot, element: &Element, role: &str) {
        let air = self.net.domain == Domain::Air;
        match plain_class(element) {
            "Valve" | "Damper" => {
                if matches!(role, "position" | "valve_position" | "damper_position" | "feedback") {
                    let own = self.own(asset).iter().copied();
                    let set = own.filter(|l| {
                        let kind = self.net.network.links.get(*l).map(|l| &l.kind);
                        matches!(kind, Some(LinkKind::Kv(_) | LinkKind::Damper(_)))
                    });
                    for link in set.collect::<Vec<_>>() {
                        self.sets(point, Sets::Position(link));
                    }
                }
            }
            "Pump" | "Fan" | "FlowMovingDevice" => self.mover(point, asset, role),
            "Chiller" | "Boiler" | "CoolingTower" => self.machine(point, asset, role),
            "FlowMeter" => self.meter(point, asset, role),
            "Filter" => {
                if matches!(role, "differential_pressure" | "pressure_drop")
                    && let Some(link) = self.of(asset, Part::Filter)
                {
                    self.reads(point, Measurand::Difference(link));
                }
            }
            "Coil" | "SpaceHeater" | "AirTerminalBox" if !air => self.consumer(point, asset, role),
            "Coil" => {
                if role == "leaving_air_temperature"
                    && let Some(link) = self.of(asset, Part::Consumer)
                {
                    self.sets(point, Sets::Leaves(link));
                }
            }
            "AirTerminalBox" => self.terminal_box(point, asset, role),
            "UnitaryEquipment" if air => self.unit(point, asset, role),
            "Sensor" => self.sensor(point, element, role),
            _ => {}
        }
    }

    fn mover(&mut self, point: PointIndex, asset: Slot, role: &str) {
        let Some(link) = self.of(asset, Part::Mover) else { return };
        match role {
            "speed" => {
                self.sets(point, Sets::Speed(link));
                // A return fan that nobody measures follows the supply fan of its unit.
                for other in self.followers(asset, link) {
                    self.sets(point, Sets::Speed(other));
                }
            }
            "running" => self.sets(point, Sets::Running(link)),
            // Motor and wheel stand in the air that they move.
            "power" if self.net.domain == Domain::Air => self.sets(point, Sets::Heat(link)),
            "flow" | "airflow" => self.reads(point, Measurand::Flow(link)),
            "differential_pressure" => self.reads(point, Measurand::Difference(link)),
            _ => {}
        }
    }

    /// Fans of the same unit that have no speed of their own.
    fn followers(&self, asset: Slot, link: usize) -> Vec<usize> {
        let Some(unit) = self.site.element(asset).and_then(|e| e.part_of) else { return Vec::new() };
        let measured = |l: usize| {
            let slot = self.net.link_element.get(l).copied().flatten();
            self.site.points.iter().any(|p| Some(p.asset) == slot && p.role == "speed")
        };
        self.within(Slot(unit), Part::Mover).into_iter().filter(|l| *l != link && !measured(*l)).collect()
    }

    fn machine(&mut self, point: PointIndex, asset: Slot, role: &str) {
        let link = self.of(asset, Part::Source).or_else(|| self.of(asset, Part::Rejector));
        let condenser = self.of(asset, Part::Condenser);
        match (role, link) {
            ("running", _) => {
                for link in [link, condenser].into_iter().flatten() {
                    self.sets(point, Sets::Running(link));
                }
            }
            ("power", _) => {
                if let Some(link) = condenser {
                    self.sets(point, Sets::Drives(link));
                }
            }
            ("supply_temperature", Some(link)) => self.sets(point, Sets::Leaves(link)),
            ("return_temperature", Some(link)) => {
                if let Some((from, _)) = self.ends(link) {
                    self.reads(point, Measurand::Temperature(from));
                }
            }
            _ => {}
        }
    }

    fn meter(&mut self, point: PointIndex, asset: Slot, role: &str) {
        let Some(link) = self.own(asset).first().copied() else {
            if role == "power" && self.meters_chillers(asset) && !self.drives.iter().any(|d| d.sets == Sets::Absorbed) {
                self.sets(point, Sets::Absorbed);
            }
            return;
        };
        match role {
            "flow" => self.reads(point, Measurand::Flow(link)),
            "supply_temperature" | "temperature" => self.reads(point, Measurand::Leaving(link)),
            "return_temperature" => {
                // It stands in the supply; its other sensor is where the machines take their water.
                let source = self.net.link_part.iter().position(|p| matches!(p, Part::Source));
                if let Some((from, _)) = source.and_then(|l| self.ends(l)) {
                    self.reads(point, Measurand::Temperature(from));
                }
            }
            _ => {}
        }
    }

    /// Whether a meter stands in the water that the chillers chill whose condensers are in this network.
    fn meters_chillers(&self, meter: Slot) -> bool {
        let systems = |slot: Slot| self.site.element(slot).map(|e| e.systems.as_slice()).unwrap_or_default();
        let own = systems(meter);
        self.net.link_part.iter().zip(&self.net.link_element).any(|(part, slot)| {
            let chiller = slot.map(systems).unwrap_or_default();
            *part == Part::Condenser && chiller.iter().any(|s| own.contains(s))
        })
    }

    /// What is measured of the air at the coils of a water network.
    fn air_sides(&mut self) {
        if self.net.domain == Domain::Air {
            return;
        }
        let mut points: BTreeMap<(Slot, &str), PointIndex> = BTreeMap::new();
        for (i, point) in self.site.points.iter().enumerate().filter(|(_, p)| p.is_measured()) {
            points.entry((point.asset, point.role.as_str())).or_insert(PointIndex(i as u32));
        }
        let consumers = self.net.link_part.iter().zip(&self.net.link_element).enumerate();
        let consumers = consumers.filter(|(_, (part, _))| **part == Part::Consumer);
        let consumers: Vec<(usize, Slot)> = consumers.filter_map(|(l, (_, slot))| Some((l, (*slot)?))).collect();
        for (link, slot) in consumers {
            let Some(element) = self.site.element(slot) else { continue };
            let Some(unit) = stands::unit_of(self.site, element) else { continue };
            let found: &[(AirAt, Slot, &str)] = match plain_class(element) {
                "Coil" => &[
                    (AirAt::Flow, unit, "airflow"),
                    (AirAt::Enters, slot, "entering_air_temperature"),
                    (AirAt::Leaves, slot, "leaving_air_temperature"),
                    (AirAt::DampC, unit, "mixed_temperature"),
                    (AirAt::Damp, unit, "mixed_humidity"),
                    (AirAt::DryC, unit, "supply_temperature"),
                    (AirAt::Dry, unit, "supply_humidity"),
                ],
                "AirTerminalBox" => &[
                    (AirAt::Flow, slot, "airflow"),
                    (AirAt::Enters, unit, "supply_temperature"),
                    (AirAt::Leaves, slot, "discharge_temperature"),
                ],
                _ => &[],
            };
            for (at, asset, role) in found {
                if let Some(point) = points.get(&(*asset, *role)) {
                    self.sets(*point, Sets::Air(link, *at));
                }
            }
        }
    }

    fn consumer(&mut self, point: PointIndex, asset: Slot, role: &str) {
        let Some(link) = self.of(asset, Part::Consumer) else { return };
        match role {
            "zone_temperature" | "room_temperature" | "entering_air_temperature" => {
                self.sets(point, Sets::Surroundings(link));
            }
            "return_temperature" | "leaving_water_temperature" => self.reads(point, Measurand::Leaving(link)),
            "entering_water_temperature" => {
                if let Some((from, _)) = self.ends(link) {
                    self.reads(point, Measurand::Temperature(from));
                }
            }
            _ => {}
        }
    }

    fn terminal_box(&mut self, point: PointIndex, asset: Slot, role: &str) {
        let (damper, coil) = (self.of(asset, Part::Control), self.of(asset, Part::Consumer));
        match (role, damper, coil) {
            ("damper_position", Some(link), _) => self.sets(point, Sets::Position(link)),
            ("airflow", Some(link), _) => self.reads(point, Measurand::Flow(link)),
            ("discharge_temperature", _, Some(link)) => self.sets(point, Sets::Leaves(link)),
            _ => {}
        }
    }

    fn unit(&mut self, point: PointIndex, asset: Slot, role: &str) {
        let fans = self.within(asset, Part::Mover);
        let supply = stands::supply_fan(self.site, self.net, &fans);
        match role {
            "running" => {
                for fan in fans {
                    self.sets(point, Sets::Running(fan));
                }
            }
            "airflow" => {
                if let Some(fan) = supply {
                    self.reads(point, Measurand::Flow(fan));
                }
            }
            "supply_pressure" | "supply_temperature" => {
                let Some((_, node)) = supply.and_then(|l| self.ends(l)) else { return };
                let pressure = role == "supply_pressure";
                self.reads(point, if pressure { Measurand::Pressure(node) } else { Measurand::Temperature(node) });
            }
            "mixed_temperature" => {
                let filter = self.within(asset, Part::Filter).first().copied();
                if let Some((node, _)) = filter.and_then(|l| self.ends(l)) {
                    self.reads(point, Measurand::Temperature(node));
                }
            }
            "return_temperature" => {
                for node in self.inlets(false) {
                    self.sets(point, Sets::Inlet(node));
                }
            }
            "outdoor_damper" => {
                for (damper, opposite) in stands::unit_dampers(self.site, self.net, asset) {
                    self.sets(point, if opposite { Sets::Opposite(damper) } else { Sets::Position(damper) });
                }
            }
            _ => {}
        }
    }

    /// Openings through which air comes in, from outdoors or from rooms: their nodes.
    fn inlets(&self, from_outdoors: bool) -> Vec<usize> {
        let network = &self.net.network;
        let held = |n: usize| network.nodes.get(n).is_some_and(|n| matches!(n.kind, NodeKind::Reservoir { .. }));
        let parts = self.net.link_part.iter().zip(&network.links);
        let openings =
            parts.filter(|(p, _)| **p == Part::Opening).map(|(_, l)| if held(l.from) { l.from } else { l.to });
        openings
            .filter(|n| {
                let element = self.net.node_element.get(*n).copied().flatten().and_then(|s| self.site.element(s));
                element.is_some_and(outdoors) == from_outdoors
            })
            .collect()
    }

    fn sensor(&mut self, point: PointIndex, element: &Element, role: &str) {
        if role == "outdoor_temperature" && self.net.domain == Domain::Air {
            for node in self.inlets(true) {
                self.sets(point, Sets::Inlet(node));
            }
            return;
        }
        let Some(host) = element.host.or(element.part_of).map(Slot).filter(|_| role == "temperature") else { return };
        let back = element.name.to_ascii_lowercase().contains("return");
        let class = self.site.element(host).map_or("", |e| plain_class(e));
        if class == "UnitaryEquipment" && self.net.domain == Domain::Air && !back {
            self.unit(point, host, "supply_temperature");
            return;
        }
        let own = self.own(host);
        let known = |part: Part| own.iter().copied().find(|l| self.net.link_part.get(*l) == Some(&part));
        let machine = known(Part::Source).or_else(|| known(Part::Rejector)).or_else(|| known(Part::Consumer));
        match (machine, own.first().copied()) {
            (Some(link), _) if back == self.is_source(link) => {
                if let Some((from, _)) = self.ends(link) {
                    self.reads(point, Measurand::Temperature(from));
                }
            }
            (Some(link), _) => self.reads(point, Measurand::Leaving(link)),
            (None, Some(link)) => self.reads(point, Measurand::Leaving(link)),
            (None, None) => {}
        }
    }

    /// Whether a link is of what sends water out, not of what takes it.
    fn is_source(&self, link: usize) -> bool {
        matches!(self.net.link_part.get(link), Some(Part::Source | Part::Rejector))
    }
}
