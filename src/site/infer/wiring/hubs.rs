//! The boards, controllers and panels of a site, by everything that says what they serve.

use super::parts::{Hub, is_machine, panel_name};
use super::{Network, marks};
use crate::site::assets::{RelationKind, Thing, key};
use crate::site::infer::Evidence;
use crate::site::model::Element;
use glam::DVec3;
use std::collections::HashMap;

/// Of more than so many boards or controllers none is told from the others.
pub(super) const MOST_HUBS: usize = 64;
/// How deep what a thing is a part of is followed.
const MOST_WHOLES: usize = 4;

/// A board, a controller or a panel.
#[derive(Clone, Copy, Debug)]
pub(super) struct HubAt {
    pub(super) element: u32,
    pub(super) hub: Hub,
    pub(super) middle: Option<DVec3>,
}

/// What hubs and loads have in common.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Group {
    /// A machine that both are mounted on, an element.
    Unit,
    /// A system.
    System,
    /// A space, an element.
    Space,
    /// A zone.
    Zone,
    /// A storey.
    Storey,
    /// A building, a place.
    Building,
}

/// All of them; lists hold indices into [`Hubs::list`], in the order of the elements.
#[derive(Default)]
pub(super) struct Hubs {
    pub(super) list: Vec<HubAt>,
    groups: HashMap<(Network, Group, u32), Vec<u32>>,
    /// By the key of tag and name, and by GlobalId.
    names: HashMap<(Network, String), Vec<u32>>,
    marks: HashMap<(Network, u64), Vec<u32>>,
    /// What relations say of a load, an element.
    stated: HashMap<(Network, u32), Vec<u32>>,
    /// The zones that a space or element is in.
    zones: HashMap<u32, Vec<u32>>,
    /// Does any board have a name of its own in a property?
    pub(super) with_panel_names: bool,
}

impl Hubs {
    /// Finds them.
    pub(super) fn of(evidence: &Evidence<'_>) -> Self {
        let mut hubs = Self::default();
        let numbered = (0..).zip(evidence.elements);
        let found = numbered.map(|(i, e)| (i, e, Hub::of(e), panel_name(e)));
        let found: Vec<(u32, &Element, Option<Hub>, Option<&str>)> =
            found.filter(|(_, _, hub, name)| hub.is_some() || name.is_some()).collect();
        if found.is_empty() {
            return hubs;
        }
        for (number, zone) in evidence.zones.iter().enumerate() {
            for member in &zone.members {
                hubs.zones.entry(*member).or_default().push(number as u32);
            }
        }
        let mut number_of: HashMap<u32, u32> = HashMap::new();
        for (element, own, class, name) in found {
            let number = hubs.list.len() as u32;
            // What is a board by its name alone serves who names it, and nobody else.
            let hub = class.unwrap_or(Hub::Board);
            number_of.insert(element, number);
            hubs.list.push(HubAt { element, hub, middle: own.bounds.map(|b| b.centre()) });
            if class.is_some() {
                hubs.add(evidence, number, element, own, hub);
            }
            if let Some(word) = name.map(key).filter(|w| !w.is_empty()) {
                push(hubs.names.entry((hub.network(), word)).or_default(), number);
                hubs.with_panel_names = true;
            }
        }
        for relation in evidence.relations {
            let (Thing::Element(from), Thing::Element(to)) = (relation.from, relation.to) else { continue };
            let Some(number) = number_of.get(&from).copied() else { continue };
            let Some(network) = hubs.list.get(number as usize).map(|h| h.hub.network()) else { continue };
            let fits = match relation.kind {
                RelationKind::Feeds => network == Network::Power,
                RelationKind::Controls => network != Network::Power,
                _ => false,
            };
            if fits {
                push(hubs.stated.entry((network, to)).or_default(), number);
                push(hubs.groups.entry((network, Group::Unit, to)).or_default(), number);
            }
        }
        for list in hubs.stated.values_mut().chain(hubs.groups.values_mut()) {
            list.sort_unstable();
            list.dedup();
        }
        hubs
    }

    fn add(&mut self, evidence: &Evidence<'_>, number: u32, element: u32, own: &Element, hub: Hub) {
        let network = hub.network();
        let mut unit = units(evidence, own);
        let mounted = unit.iter().filter_map(|u| evidence.element(*u)).any(|u| match Hub::of(u) {
            Some(other) => other.network() == network,
            None => is_machine(u),
        });
        // What is put into a cabinet belongs to it.
        unit.push(element);
        let mut groups: Vec<(Group, u32)> = unit.into_iter().map(|u| (Group::Unit, u)).collect();
        groups.extend(own.systems.iter().map(|s| (Group::System, *s)));
        // The controller of one machine is not that of its storey, nor is one within another.
        if !mounted {
            for group in [Group::Space, Group::Zone, Group::Storey, Group::Building] {
                groups.extend(self.where_it_is(own, element, group).into_iter().map(|id| (group, id)));
            }
        }
        for (group, id) in groups {
            push(self.groups.entry((network, group, id)).or_default(), number);
        }
        for word in [key(&own.tag), key(&own.name), own.id.clone()].into_iter().filter(|w| !w.is_empty()) {
            push(self.names.entry((network, word)).or_default(), number);
        }
        for (_, mark) in marks::of(&own.tag) {
            push(self.marks.entry((network, mark)).or_default(), number);
        }
    }

    /// The hubs of a network in a group.
    pub(super) fn of_group(&self, network: Network, group: Group, id: u32) -> &[u32] {
        self.groups.get(&(network, group, id)).map(Vec::as_slice).unwrap_or_default()
    }

    /// The hubs that relations of the file, or of a registry, say serve an element.
    pub(super) fn stated(&self, network: Network, element: u32) -> &[u32] {
        self.stated.get(&(network, element)).map(Vec::as_slice).unwrap_or_default()
    }

    /// The hubs that are called so.
    pub(super) fn called(&self, network: Network, word: &str) -> &[u32] {
        let get = |word: String| self.names.get(&(network, word)).map(Vec::as_slice);
        get(word.to_owned()).or_else(|| get(key(word))).unwrap_or_default()
    }

    /// The hubs whose tags have the longest mark of this tag that any of them has.
    pub(super) fn marked(&self, network: Network, tag: &str) -> Vec<u32> {
        let mut found = Vec::new();
        let mut longest = 0;
        for (words, mark) in marks::of(tag) {
            if words < longest {
                break;
            }
            if let Some(hubs) = self.marks.get(&(network, mark)).filter(|h| h.len() <= MOST_HUBS) {
                longest = words;
                found.extend_from_slice(hubs);
            }
        }
        found.sort_unstable();
        found.dedup();
        found
    }

    /// The spaces, zones, storeys or buildings that an element is in.
    pub(super) fn where_it_is(&self, element: &Element, number: u32, group: Group) -> Vec<u32> {
        match group {
            Group::Unit | Group::System => Vec::new(),
            Group::Space => element.space.into_iter().collect(),
            Group::Storey => element.storey.into_iter().collect(),
            Group::Building => element.place.into_iter().collect(),
            Group::Zone => {
                let members = [Some(number), element.space].into_iter().flatten();
                members.filter_map(|m| self.zones.get(&m)).flatten().copied().collect()
            }
        }
    }
}

/// What an element is mounted on or a part of, the nearest first.
pub(super) fn units(evidence: &Evidence<'_>, element: &Element) -> Vec<u32> {
    let mut found: Vec<u32> = Vec::new();
    for start in [element.host, element.part_of] {
        let mut at = start;
        while let Some(unit) = at.filter(|u| found.len() < 2 * MOST_WHOLES && !found.contains(u)) {
            found.push(unit);
            at = evidence.element(unit).and_then(|e| e.part_of);
        }
    }
    found
}

/// Hubs come one after the other, so the last is the only one that can be the same.
fn push(list: &mut Vec<u32>, hub: u32) {
    if list.last() != Some(&hub) {
        list.push(hub);
    }
}
