//! The asset graph: what stands where, what is part of what, and what feeds, serves, meters and controls what.
//!
//! Every [`Relation`] says where it is known from. [`graph`] derives them from a [`Site`]; asset registries and
//! COBie sheets are merged into the site before ([`merge()`]), so that what they say is in the graph too.
//! [`brick`] and [`tables`] write it for other programs.

pub mod brick;
pub mod classes;
pub mod item;
pub mod merge;
pub mod tables;

mod derive;
mod feeds;
mod names;
mod stated;

pub(super) use names::{key, parts};
pub(super) use stated::names_its_source;

pub use item::{COLUMNS, ItemKind, REGISTRY_KINDS, Registry, RegistryItem};
pub use merge::{Merge, MergeReport, merge};

use super::assemble::Site;
use super::model::Slot;
use super::point::PointIndex;
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::collections::HashSet;
use std::fmt;

/// One thing of a site (or, before it is assembled, of a model): an index into the list of its kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Thing {
    /// A site, building or facility.
    Place(u32),
    /// A storey.
    Storey(u32),
    /// An element or a space: a slot.
    Element(u32),
    /// A zone.
    Zone(u32),
    /// A system.
    System(u32),
    /// A point of the project.
    Point(u32),
}

/// How two things hang together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum RelationKind {
    /// Air, water, electricity or another medium goes from one asset to the other.
    Feeds,
    /// An asset or a system does its job for a space, a zone, a storey or a building.
    Serves,
    /// A meter or a sensor measures an asset, a system or a space.
    Meters,
    /// A controller or an actuator moves an asset.
    Controls,
    /// An asset stands in a space, a storey, a building or on a site.
    LocatedIn,
    /// The other way round of [`Self::HasPart`].
    PartOf,
    /// Equipment has components, a building storeys, a storey spaces, a zone spaces, a system members.
    HasPart,
    /// An asset has a point of the project.
    HasPoint,
}

impl RelationKind {
    /// Every kind, in the order of lists.
    pub const ALL: [Self; 8] = [
        Self::Feeds,
        Self::Serves,
        Self::Meters,
        Self::Controls,
        Self::LocatedIn,
        Self::PartOf,
        Self::HasPart,
        Self::HasPoint,
    ];

    /// `feeds`, `locatedIn`, …
    pub fn word(self) -> &'static str {
        match self {
            Self::Feeds => "feeds",
            Self::Serves => "serves",
            Self::Meters => "meters",
            Self::Controls => "controls",
            Self::LocatedIn => "locatedIn",
            Self::PartOf => "partOf",
            Self::HasPart => "hasPart",
            Self::HasPoint => "hasPoint",
        }
    }
}

/// Where a relation is known from, in words: `IfcRelAggregates`, `connection of ports, SOURCE to SINK`,
/// `inside the space's box`.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct RelationSource(pub Cow<'static, str>);

impl fmt::Display for RelationSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// `from` *kind* `to`: `AHU-1` feeds `VAV-1-03`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Relation {
    /// What it starts from.
    pub from: Thing,
    /// How the two hang together.
    pub kind: RelationKind,
    /// What it leads to.
    pub to: Thing,
    /// Where it is known from.
    pub source: RelationSource,
}

impl Relation {
    /// A relation with its source in words.
    pub fn new(from: Thing, kind: RelationKind, to: Thing, source: impl Into<Cow<'static, str>>) -> Self {
        Self { from, kind, to, source: RelationSource(source.into()) }
    }
}

/// The assets of a site and their relations.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct AssetGraph {
    /// Places, storeys, spaces and equipment, zones, systems and points, each kind in the order of the site.
    pub things: Vec<Thing>,
    /// Each once, sorted; of several sources the most direct one is named.
    pub relations: Vec<Relation>,
    /// Connections whose two ports do not say which way the medium goes.
    pub without_direction: usize,
    /// Connections whose two ports both let the medium out, or both in.
    pub contradicting: usize,
}

impl AssetGraph {
    /// How many relations of a kind there are.
    pub fn count(&self, kind: RelationKind) -> usize {
        self.relations.iter().filter(|r| r.kind == kind).count()
    }

    /// What a thing is related to in one way.
    pub fn from(&self, thing: Thing, kind: RelationKind) -> impl Iterator<Item = &Relation> {
        self.relations.iter().filter(move |r| r.from == thing && r.kind == kind)
    }
}

/// Derives the asset graph of a site.
///
/// Assets are the equipment of the models (see [`classes`]) and every element that a registry names. Pipes, ducts,
/// cables and their fittings are no assets: `feeds` leads through them.
pub fn graph(site: &Site) -> AssetGraph {
    derive::graph(site)
}

/// True when an element is an asset: equipment by its class, or named by a registry.
pub fn is_asset(site: &Site, slot: Slot) -> bool {
    let by_class = site.element(slot).is_some_and(|e| classes::role(&e.class).is_equipment());
    by_class || site.merge.named.contains(&slot)
}

/// What people call a thing.
pub fn label(site: &Site, thing: Thing) -> String {
    let otherwise = |name: &str, id: &str| if name.is_empty() { id.to_owned() } else { name.to_owned() };
    match thing {
        Thing::Place(i) => site.places.get(i as usize).map(|p| otherwise(&p.name, &p.class)),
        Thing::Storey(i) => site.storeys.get(i as usize).map(|s| otherwise(&s.name, &s.id)),
        Thing::Element(i) => site.element(Slot(i)).map(|e| e.label()),
        Thing::Zone(i) => site.zones.get(i as usize).map(|g| otherwise(&g.name, &g.id)),
        Thing::System(i) => site.systems.get(i as usize).map(|g| otherwise(&g.name, &g.id)),
        Thing::Point(i) => point(site, PointIndex(i)).map(|p| p.id.clone()),
    }
    .unwrap_or_default()
}

/// The class of a thing in its own file; `point` for a point.
pub fn class(site: &Site, thing: Thing) -> &str {
    match thing {
        Thing::Place(i) => site.places.get(i as usize).map_or("", |p| p.class.as_str()),
        Thing::Storey(_) => "IfcBuildingStorey",
        Thing::Element(i) => site.element(Slot(i)).map_or("", |e| e.class.as_str()),
        Thing::Zone(i) => site.zones.get(i as usize).map_or("", |g| g.class.as_str()),
        Thing::System(i) => site.systems.get(i as usize).map_or("", |g| g.class.as_str()),
        Thing::Point(_) => "point",
    }
}

/// The GlobalId of a thing (of a point: its id); empty when it has none.
pub fn global_id(site: &Site, thing: Thing) -> &str {
    match thing {
        Thing::Place(i) => site.places.get(i as usize).map_or("", |p| p.id.as_str()),
        Thing::Storey(i) => site.storeys.get(i as usize).map_or("", |s| s.id.as_str()),
        Thing::Element(i) => site.element(Slot(i)).map_or("", |e| e.id.as_str()),
        Thing::Zone(i) => site.zones.get(i as usize).map_or("", |g| g.id.as_str()),
        Thing::System(i) => site.systems.get(i as usize).map_or("", |g| g.id.as_str()),
        Thing::Point(i) => point(site, PointIndex(i)).map_or("", |p| p.id.as_str()),
    }
}

fn point(site: &Site, index: PointIndex) -> Option<&super::point::Point> {
    site.points.get(index.0 as usize)
}

/// An id for every thing that a file can use: the GlobalId where there is one and it is the only one, else a word
/// made of kind, name and number. The same site gives the same ids.
pub fn unique_ids(site: &Site, things: &[Thing]) -> Vec<String> {
    let mut used: HashSet<String> = HashSet::with_capacity(things.len());
    let mut ids = Vec::with_capacity(things.len());
    for thing in things {
        let (kind, number) = match thing {
            Thing::Place(i) => ("place", i),
            Thing::Storey(i) => ("storey", i),
            Thing::Element(i) => ("element", i),
            Thing::Zone(i) => ("zone", i),
            Thing::System(i) => ("system", i),
            Thing::Point(i) => ("point", i),
        };
        let own = global_id(site, *thing);
        let mut id = match thing {
            Thing::Point(_) => format!("point/{own}"),
            _ if own.is_empty() => format!("{kind}/{}", label(site, *thing)),
            _ => own.to_owned(),
        };
        while !used.insert(id.clone()) {
            id = format!("{id}/{kind}-{number}");
        }
        ids.push(id);
    }
    ids
}
