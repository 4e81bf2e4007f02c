//! Every relation of a site, each from the most direct source.

use super::names::Names;
use super::{AssetGraph, Relation, RelationKind, Thing, classes::Role, classes::role, feeds, is_asset, stated};
use crate::site::assemble::{Site, Spaces};
use crate::site::model::{Element, ElementKind, Slot};
use std::borrow::Cow;
use std::collections::{HashMap, HashSet};

/// Collects relations; of several with the same ends and kind the first stays.
#[derive(Default)]
pub(super) struct Collector {
    seen: HashSet<(Thing, RelationKind, Thing)>,
    pub(super) relations: Vec<Relation>,
}

impl Collector {
    /// Adds a relation unless it is known, or leads back to where it starts.
    pub(super) fn add(&mut self, from: Thing, kind: RelationKind, to: Thing, source: impl Into<Cow<'static, str>>) {
        // What has a part is told by the part: the inverse is made of all at the end.
        let (from, kind, to) = match kind {
            RelationKind::HasPart => (to, RelationKind::PartOf, from),
            kind => (from, kind, to),
        };
        if from != to && self.seen.insert((from, kind, to)) {
            self.relations.push(Relation::new(from, kind, to, source));
        }
    }

    /// True when the relation is there.
    pub(super) fn knows(&self, from: Thing, kind: RelationKind, to: Thing) -> bool {
        self.seen.contains(&(from, kind, to))
    }
}

/// Derives the graph; see [`super::graph`].
pub(super) fn graph(site: &Site) -> AssetGraph {
    let assets: Vec<bool> = (0..site.elements.len()).map(|i| is_asset(site, Slot(i as u32))).collect();
    let mut graph = AssetGraph { things: things(site, &assets), ..AssetGraph::default() };
    let mut all = Collector::default();
    // What files and registries say in so many words comes first.
    for relation in &site.relations {
        all.add(relation.from, relation.kind, relation.to, relation.source.0.clone());
    }
    spatial(site, &mut all);
    groups(site, &mut all);
    located(site, &assets, &mut all);
    let names = Names::of(site);
    stated::properties(site, &assets, &names, &mut all);
    let flows = feeds::feeds(site, &assets, &mut all);
    (graph.without_direction, graph.contradicting) = (flows.without_direction, flows.contradicting);
    controls(site, &mut all);
    meters(site, &mut all);
    serves(site, &mut all);
    // Last, so that nothing is concluded from it, and any other source is named first.
    feeds::inferred(site, &mut all);
    for (i, point) in site.points.iter().enumerate() {
        let words = if point.is_measured() { "topic bound in the project file" } else { "rule of the project file" };
        all.add(Thing::Element(point.asset.0), RelationKind::HasPoint, Thing::Point(i as u32), words);
    }
    let known: HashSet<Thing> = graph.things.iter().copied().collect();
    graph.relations = all.relations;
    graph.relations.retain(|r| known.contains(&r.from) && known.contains(&r.to));
    let parts = graph.relations.iter().filter(|r| r.kind == RelationKind::PartOf);
    let wholes: Vec<Relation> = parts
        .map(|r| Relation { from: r.to, kind: RelationKind::HasPart, to: r.from, source: r.source.clone() })
        .collect();
    graph.relations.extend(wholes);
    graph.relations.sort();
    graph
}

/// Every place, storey, space, asset, zone, system and point. An element that has a point is an asset too.
fn things(site: &Site, assets: &[bool]) -> Vec<Thing> {
    let count = |n: usize| 0..n as u32;
    let with_points: HashSet<Slot> = site.points.iter().map(|p| p.asset).collect();
    let wanted = |(slot, element): &(Slot, &Element)| {
        element.kind == ElementKind::Space
            || assets.get(slot.0 as usize).copied().unwrap_or(false)
            || with_points.contains(slot)
    };
    let elements = site.iter().filter(wanted).map(|(slot, _)| Thing::Element(slot.0));
    count(site.places.len())
        .map(Thing::Place)
        .chain(count(site.storeys.len()).map(Thing::Storey))
        .chain(elements)
        .chain(count(site.zones.len()).map(Thing::Zone))
        .chain(count(site.systems.len()).map(Thing::System))
        .chain(count(site.points.len()).map(Thing::Point))
        .collect()
}

/// Site, building, storey, space; equipment and its components.
fn spatial(site: &Site, all: &mut Collector) {
    const WORDS: &str = "IfcRelAggregates";
    for (i, place) in site.places.iter().enumerate() {
        if let Some(whole) = place.part_of {
            all.add(Thing::Place(i as u32), RelationKind::PartOf, Thing::Place(whole), WORDS);
        }
    }
    for (i, storey) in site.storeys.iter().enumerate() {
        if let Some(place) = storey.place {
            all.add(Thing::Storey(i as u32), RelationKind::PartOf, Thing::Place(place), WORDS);
        }
    }
    for (slot, element) in site.iter() {
        let this = Thing::Element(slot.0);
        if let Some(whole) = element.part_of {
            all.add(this, RelationKind::PartOf, Thing::Element(whole), WORDS);
        } else if element.kind == ElementKind::Space {
            let above = element.storey.map(Thing::Storey).or(element.place.map(Thing::Place));
            above.into_iter().for_each(|above| all.add(this, RelationKind::PartOf, above, WORDS));
        }
    }
}

/// Zones have spaces, systems have members.
fn groups(site: &Site, all: &mut Collector) {
    let zones = site.zones.iter().enumerate().map(|(i, z)| (Thing::Zone(i as u32), z));
    let systems = site.systems.iter().enumerate().map(|(i, s)| (Thing::System(i as u32), s));
    for (group, members) in zones.chain(systems) {
        for member in &members.members {
            all.add(Thing::Element(*member), RelationKind::PartOf, group, "IfcRelAssignsToGroup");
        }
    }
}

/// Where each asset stands: its space, else its storey, else its building or site.
fn located(site: &Site, assets: &[bool], all: &mut Collector) {
    const STATED: &str = "IfcRelContainedInSpatialStructure";
    const BOX: &str = "inside the space's box";
    let spaces = Spaces::of(site);
    for (slot, element) in
        site.iter().filter(|(s, e)| e.kind != ElementKind::Space && assets.get(s.0 as usize).copied().unwrap_or(false))
    {
        let this = Thing::Element(slot.0);
        let by_registry = |s: u32| all.knows(this, RelationKind::LocatedIn, Thing::Element(s));
        // The space of an element that names one by id is the one that it serves, and it may stand in another.
        let names_what_it_serves = !element.space_stated && element.property(stated::OWN_SET, "Space").is_some();
        let (place, words) = match element.space {
            Some(space) if by_registry(space) => continue,
            Some(space) if element.space_stated => (Thing::Element(space), STATED),
            Some(space) if !names_what_it_serves => (Thing::Element(space), BOX),
            _ => match spaces.around(element) {
                Some(space) => (Thing::Element(space.0), BOX),
                None => match element.storey.map(Thing::Storey).or(element.place.map(Thing::Place)) {
                    Some(above) => (above, STATED),
                    None => continue,
                },
            },
        };
        all.add(this, RelationKind::LocatedIn, place, words);
    }
}

/// Where it is known from that an element is in its space, or for it.
fn space_words(element: &Element) -> &'static str {
    if element.space_stated {
        "stands in the space"
    } else if element.property(stated::OWN_SET, "Space").is_some() {
        "property Space of Pset_Plenum_Serves"
    } else {
        "inside the space's box"
    }
}

/// Actuators and controllers move what they are set on; a controller also the actuators on the same element.
fn controls(site: &Site, all: &mut Collector) {
    let mut on: HashMap<u32, (Vec<u32>, Vec<u32>)> = HashMap::new();
    for (slot, element) in site.iter() {
        let Some(host) = element.host else { continue };
        let role = role(&element.class);
        if !matches!(role, Role::Actuator | Role::Controller) {
            continue;
        }
        let words = "IfcRelFlowControlElements";
        all.add(Thing::Element(slot.0), RelationKind::Controls, Thing::Element(host), words);
        let (actuators, controllers) = on.entry(host).or_default();
        if role == Role::Actuator { actuators.push(slot.0) } else { controllers.push(slot.0) }
    }
    // An actuator on a valve of an air handling unit answers to the controller of the unit.
    for (host, (actuators, _)) in &on {
        let whole = site.element(Slot(*host)).and_then(|e| e.part_of);
        for holder in std::iter::once(*host).chain(whole) {
            for controller in on.get(&holder).map(|(_, c)| c.as_slice()).unwrap_or_default() {
                for actuator in actuators {
                    let words = "controller and actuator of one unit (IfcRelFlowControlElements)";
                    all.add(Thing::Element(*controller), RelationKind::Controls, Thing::Element(*actuator), words);
                }
            }
        }
    }
}

/// Sensors measure what they are set on, else the space they are in; meters measure their systems.
fn meters(site: &Site, all: &mut Collector) {
    for (slot, element) in site.iter() {
        let this = Thing::Element(slot.0);
        match (role(&element.class), element.host, element.space) {
            (Role::Sensor | Role::Meter, Some(host), _) => {
                all.add(this, RelationKind::Meters, Thing::Element(host), "IfcRelFlowControlElements");
            }
            (Role::Sensor, None, Some(space)) => {
                let words = space_words(element);
                all.add(this, RelationKind::Meters, Thing::Element(space), words);
            }
            _ => {}
        }
        if role(&element.class) == Role::Meter {
            for system in &element.systems {
                let words = "meter in the system (IfcRelAssignsToGroup)";
                all.add(this, RelationKind::Meters, Thing::System(*system), words);
            }
            if let Some(whole) = element.part_of {
                all.add(this, RelationKind::Meters, Thing::Element(whole), "meter as a part (IfcRelAggregates)");
            }
        }
    }
}

/// Terminals serve the space they are in; what feeds a terminal serves its space too.
fn serves(site: &Site, all: &mut Collector) {
    for (slot, element) in site.iter().filter(|(_, e)| role(&e.class) == Role::Terminal) {
        let Some(space) = element.space else { continue };
        let words = space_words(element);
        all.add(Thing::Element(slot.0), RelationKind::Serves, Thing::Element(space), words);
    }
    let mut served: HashMap<Thing, Vec<Thing>> = HashMap::new();
    for relation in all.relations.iter().filter(|r| r.kind == RelationKind::Serves) {
        served.entry(relation.from).or_default().push(relation.to);
    }
    let is = |thing: Thing, wanted: Role| match thing {
        Thing::Element(i) => site.element(Slot(i)).is_some_and(|e| role(&e.class) == wanted),
        _ => false,
    };
    let fed: Vec<(Thing, Thing)> = all
        .relations
        .iter()
        .filter(|r| r.kind == RelationKind::Feeds && is(r.from, Role::Machine) && is(r.to, Role::Terminal))
        .map(|r| (r.from, r.to))
        .collect();
    for (machine, terminal) in fed {
        for space in served.get(&terminal).into_iter().flatten() {
            all.add(machine, RelationKind::Serves, *space, "feeds a terminal of the space");
        }
    }
}
