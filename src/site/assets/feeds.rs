//! What feeds what, along connections whose ports say which way the medium goes.

use super::classes::{Role, role};
use super::derive::Collector;
use super::{RelationKind, Thing};
use crate::site::assemble::Site;
use crate::site::infer::Network;
use crate::site::model::{FlowDirection, Slot};

/// Media that carry no energy or matter: what goes from a controller to a device is a signal.
const SIGNALS: [&str; 10] = [
    "AUDIOVISUAL",
    "COMMUNICATION",
    "CONTROL",
    "DATA",
    "MONITORINGSYSTEM",
    "OPERATIONALTELEPHONYSYSTEM",
    "SECURITY",
    "SIGNAL",
    "TELEPHONE",
    "TV",
];

/// Connections that cannot be followed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Flows {
    /// One of the two ports does not say which way, or says both.
    pub(super) without_direction: usize,
    /// Both let out, or both in.
    pub(super) contradicting: usize,
}

/// Adds `feeds` from each asset to the assets downstream of it, up to the next machine or terminal, and
/// `controls` along signal cables.
pub(super) fn feeds(site: &Site, assets: &[bool], all: &mut Collector) -> Flows {
    let mut flows = Flows::default();
    let mut next: Vec<Vec<u32>> = vec![Vec::new(); site.elements.len()];
    let role_of = |i: u32| site.element(Slot(i)).map_or(Role::Other, |e| role(&e.class));
    for connection in &site.connections {
        let port = |i: u32| site.connection_points.get(i as usize);
        let (Some(a), Some(b)) = (port(connection.from), port(connection.to)) else { continue };
        if [&a.medium, &b.medium].iter().any(|m| SIGNALS.contains(&m.as_str())) {
            // Which end is drawn as the source says little here: a command goes to the actuator.
            let (a, b) = if role_of(a.element) == Role::Controller { (a, b) } else { (b, a) };
            if role_of(a.element) == Role::Controller && role_of(b.element) == Role::Actuator {
                let (from, to) = (Thing::Element(a.element), Thing::Element(b.element));
                all.add(from, RelationKind::Controls, to, "connection of control ports");
            }
            continue;
        }
        use FlowDirection::{Sink, Source};
        let (from, to) = match (a.direction, b.direction) {
            (Source, Sink) => (a, b),
            (Sink, Source) => (b, a),
            (Source, Source) | (Sink, Sink) => {
                flows.contradicting += 1;
                continue;
            }
            _ => {
                flows.without_direction += 1;
                continue;
            }
        };
        if let Some(list) = next.get_mut(from.element as usize) {
            list.push(to.element);
        }
    }
    let asset = |i: u32| assets.get(i as usize).copied().unwrap_or(false);
    // By element: the last walk that came by.
    let mut seen = vec![u32::MAX; site.elements.len()];
    let mut queue: Vec<(u32, bool)> = Vec::new();
    for start in (0..site.elements.len() as u32).filter(|i| asset(*i)) {
        let steps = |i: u32| next.get(i as usize).map(Vec::as_slice).unwrap_or_default();
        queue.clear();
        queue.extend(steps(start).iter().map(|to| (*to, true)));
        if let Some(mark) = seen.get_mut(start as usize) {
            *mark = start;
        }
        let mut at = 0;
        while let Some((element, direct)) = queue.get(at).copied() {
            at += 1;
            match seen.get_mut(element as usize) {
                Some(mark) if *mark != start => *mark = start,
                _ => continue,
            }
            if asset(element) {
                found(site, all, start, element, direct);
            }
            let ends = asset(element) && matches!(role_of(element), Role::Machine | Role::Terminal);
            if !ends {
                queue.extend(steps(element).iter().map(|to| (*to, false)));
            }
        }
    }
    flows
}

/// Adds `feeds` and `controls` along cables that no file declares, each with the reason why the cable is taken to be
/// there. What follows from a relation is not followed here: a guess stays one.
pub(super) fn inferred(site: &Site, all: &mut Collector) {
    for join in &site.inferred.joins {
        let Some(cable) = join.cable else { continue };
        let (from, to) = (join.from.element, join.to.element);
        let role_of = |i: u32| site.element(Slot(i)).map_or(Role::Other, |e| role(&e.class));
        let kind = match cable.network {
            Network::Power => RelationKind::Feeds,
            _ if role_of(from) == Role::Controller && role_of(to) == Role::Actuator => RelationKind::Controls,
            _ => continue,
        };
        let words = cable.by.map_or_else(|| cable.words(), |_| format!("inferred cable: {}", cable.words()));
        all.add(Thing::Element(from), kind, Thing::Element(to), words);
    }
}

/// Notes that one asset feeds another, and so the units that they are parts of.
fn found(site: &Site, all: &mut Collector, from: u32, to: u32, direct: bool) {
    let words = if direct {
        "connection of ports, SOURCE to SINK"
    } else {
        "connections of ports, SOURCE to SINK, through what lies between"
    };
    let add = |all: &mut Collector, from: u32, to: u32, words: &'static str| {
        all.add(Thing::Element(from), RelationKind::Feeds, Thing::Element(to), words);
    };
    let unit = |i: u32| site.element(Slot(i)).and_then(|e| e.part_of);
    let (whole_from, whole_to) = (unit(from), unit(to));
    // What goes on between a unit's casing and its own parts is told by `hasPart`.
    if whole_from == Some(to) || whole_to == Some(from) {
        return;
    }
    add(all, from, to, words);
    if whole_from == whole_to {
        return;
    }
    let of_parts = "connections of the ports of its parts, SOURCE to SINK";
    if let Some(whole) = whole_from {
        add(all, whole, to, of_parts);
    }
    if let Some(whole) = whole_to {
        add(all, from, whole, of_parts);
    }
    if let (Some(a), Some(b)) = (whole_from, whole_to) {
        add(all, a, b, of_parts);
    }
}
