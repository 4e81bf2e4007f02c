//! Joins asset registries to the elements of a site.
//!
//! A row is joined by GlobalId, else by tag, else by name, and only where that names one element and no other. Its
//! cells become a property set. What the models leave empty (tag, space, system, zone) the registry fills; where it
//! says something else the model stays and the conflict is told.

mod report;

pub use report::{Conflict, Duplicate, Matched, MatchedBy, Merge, MergeReport, Unmatched};

use super::item::{ItemKind, Registry, RegistryItem};
use super::names::{Found, Names, key};
use super::{Relation, RelationKind, Thing, classes};
use crate::problem::Problem;
use crate::site::assemble::Site;
use crate::site::binding::nearest;
use crate::site::model::{ElementKind, Group, PropertySet, Slot};
use std::collections::HashMap;
use std::sync::Arc;

/// Beyond so many tags no similar one is looked for.
const MAX_TO_COMPARE: usize = 20_000;

/// For so many rows that match nothing a similar tag is looked for.
const MAX_SUGGESTIONS: usize = 50;

/// Joins the registries to the site's elements and fills [`Site::merge`]; what is wrong is told once a registry
/// and kind of fault.
pub fn merge(site: &mut Site, registries: &[Registry]) -> Vec<Problem> {
    if registries.is_empty() {
        return Vec::new();
    }
    let mut merger = Merger { names: Names::of(site), systems: HashMap::new(), zones: HashMap::new(), suggested: 0 };
    let mut problems = Vec::new();
    for registry in registries {
        let report = merger.registry(site, registry);
        report::tell(registry, &report, site, &mut problems);
        site.merge.reports.push(report);
    }
    let unnamed = site.iter().filter(|(s, e)| {
        e.kind == ElementKind::Element && classes::role(&e.class).is_equipment() && !site.merge.named.contains(s)
    });
    site.merge.unnamed = unnamed.map(|(s, _)| s).collect();
    // A tag that a registry brought is found like any other.
    site.by_tag = HashMap::new();
    for (i, element) in site.elements.iter().enumerate().filter(|(_, e)| !e.tag.is_empty()) {
        site.by_tag.entry(element.tag.clone()).or_default().push(Slot(i as u32));
    }
    problems
}

struct Merger {
    names: Names,
    /// Systems and zones that a registry brought, by the key of their name.
    systems: HashMap<String, u32>,
    zones: HashMap<String, u32>,
    suggested: usize,
}

impl Merger {
    fn registry(&mut self, site: &mut Site, registry: &Registry) -> MergeReport {
        let (duplicates, told) = report::duplicate_keys(registry);
        let mut report = MergeReport {
            registry: registry.name.clone(),
            kind: registry.kind.clone(),
            rows: registry.items.len(),
            duplicates,
            ..MergeReport::default()
        };
        // By thing and sheet: the first row, and where the others are told.
        let mut taken: HashMap<(Thing, &str), (String, Option<usize>)> = HashMap::new();
        let mut joined: Vec<(Slot, &RegistryItem)> = Vec::new();
        for (i, item) in registry.items.iter().enumerate() {
            let place = registry.place(item);
            let (thing, by) = match self.find(site, item) {
                Ok(found) => found,
                Err(why) => {
                    report.unmatched.push(Unmatched { place, label: item.label().to_owned(), why });
                    continue;
                }
            };
            if let Some((first, at)) = taken.get_mut(&(thing, item.sheet.as_str())) {
                if told.contains(&i) {
                    continue;
                }
                let at = *at.get_or_insert_with(|| {
                    let (field, value) = ("element", super::label(site, thing));
                    report.duplicates.push(Duplicate { field, value, places: vec![first.clone()] });
                    report.duplicates.len() - 1
                });
                if let Some(duplicate) = report.duplicates.get_mut(at) {
                    duplicate.places.push(place);
                }
                continue;
            }
            taken.insert((thing, item.sheet.as_str()), (place.clone(), None));
            report.matched.push(Matched { place: place.clone(), thing, by });
            if let Thing::Element(slot) = thing {
                site.merge.named.insert(Slot(slot));
                joined.push((Slot(slot), item));
                self.attach(site, registry, item, Slot(slot));
                self.compare(site, item, Slot(slot), &place, &mut report);
            }
        }
        // What names other things comes when every row has its own.
        for (slot, item) in joined {
            self.relate(site, registry, item, slot);
        }
        report
    }

    /// What a row is about.
    fn find(&mut self, site: &Site, item: &RegistryItem) -> Result<(Thing, MatchedBy), String> {
        match item.kind {
            ItemKind::Storey => {
                let by_id = site.storeys.iter().position(|s| !s.id.is_empty() && s.id == item.global_id);
                let by_name = || self.names.storey(&item.name).one();
                let found = by_id.map(|i| (Thing::Storey(i as u32), MatchedBy::GlobalId));
                found
                    .or_else(|| Some((Thing::Storey(by_name()?), MatchedBy::Name)))
                    .ok_or_else(|| format!("no storey is called `{}`", item.name))
            }
            ItemKind::Building => {
                let is = |id: &String| !id.is_empty() && *id == item.global_id;
                let by_id = site.places.iter().position(|p| is(&p.id) || p.also.iter().any(is));
                let by_name = || self.names.place(&item.name).one();
                let found = by_id.map(|i| (Thing::Place(i as u32), MatchedBy::GlobalId));
                found
                    .or_else(|| Some((Thing::Place(by_name()?), MatchedBy::Name)))
                    .ok_or_else(|| format!("no building is called `{}`", item.name))
            }
            ItemKind::Asset | ItemKind::Space => {
                self.find_element(site, item).map(|(slot, by)| (Thing::Element(slot.0), by))
            }
        }
    }

    fn find_element(&mut self, site: &Site, item: &RegistryItem) -> Result<(Slot, MatchedBy), String> {
        let mut why = Vec::new();
        if !item.global_id.is_empty() {
            match site.find(&item.global_id) {
                Some(slot) => return Ok((slot, MatchedBy::GlobalId)),
                None => why.push(format!("no element has the GlobalId {}", item.global_id)),
            }
        }
        let mut attempt = |what: &str, word: &str, found: Found<Slot>| match found {
            Found::One(slot) => Some(slot),
            Found::Many(n) => {
                why.push(format!("{n} elements have the {what} `{word}`"));
                None
            }
            Found::None => None,
        };
        if item.kind == ItemKind::Space {
            for word in [&item.name, &item.tag].into_iter().filter(|w| !w.is_empty()) {
                if let Some(slot) = attempt("name", word, self.names.space(word)) {
                    return Ok((slot, MatchedBy::Name));
                }
            }
        } else {
            if !item.tag.is_empty() {
                let tag = item.tag.as_str();
                let found = self.names.tag(tag);
                if let Some(slot) = attempt("tag", tag, found) {
                    return Ok((slot, MatchedBy::Tag));
                }
                // A model whose tags stand in its names, and a registry whose tags do.
                if found == Found::None
                    && let Some(slot) = attempt("name", tag, self.names.name(tag))
                {
                    return Ok((slot, MatchedBy::Tag));
                }
            }
            if !item.name.is_empty() {
                let name = item.name.as_str();
                let found = self.names.name(name);
                if let Some(slot) = attempt("name", name, found) {
                    return Ok((slot, MatchedBy::Name));
                }
                if found == Found::None
                    && let Some(slot) = attempt("tag", name, self.names.tag(name))
                {
                    return Ok((slot, MatchedBy::Tag));
                }
            }
        }
        if why.is_empty() {
            let what = if item.kind == ItemKind::Space { "space" } else { "element" };
            let near = self.near(site, item.label());
            let near = near.map(|n| format!("; did you mean `{n}`?")).unwrap_or_default();
            why.push(format!("no {what} is called `{}`{near}", item.label()));
        }
        Err(why.join("; "))
    }

    /// A tag that differs little.
    fn near<'s>(&mut self, site: &'s Site, word: &str) -> Option<&'s str> {
        if self.suggested >= MAX_SUGGESTIONS || site.by_tag.len() > MAX_TO_COMPARE || word.is_empty() {
            return None;
        }
        self.suggested += 1;
        nearest(word, site.tags())
    }

    /// The row's cells become a property set of the element.
    fn attach(&self, site: &mut Site, registry: &Registry, item: &RegistryItem, slot: Slot) {
        if item.attributes.is_empty() {
            return;
        }
        let name = registry.set_name();
        let Some(element) = site.elements.get_mut(slot.0 as usize) else { return };
        let mut values = item.attributes.clone();
        if let Some(at) = element.properties.iter().position(|s| s.name == name) {
            // Another sheet of the same workbook has spoken of it already: what it has not said is added.
            let known = element.properties.remove(at);
            let mut all = known.values.to_vec();
            values.retain(|(n, _)| !all.iter().any(|(k, _)| k == n));
            all.append(&mut values);
            values = all;
        }
        element.properties.push(Arc::new(PropertySet { name, quantities: false, values: values.into() }));
    }

    /// Fills what the model leaves empty, and tells where it says something else.
    fn compare(&mut self, site: &mut Site, item: &RegistryItem, slot: Slot, place: &str, report: &mut MergeReport) {
        let mut conflict = |field, registry: &str, model: &str| {
            let (registry, model) = (registry.to_owned(), model.to_owned());
            report.conflicts.push(Conflict { place: place.to_owned(), element: slot, field, registry, model });
        };
        let Some(element) = site.elements.get(slot.0 as usize) else { return };
        let is_element = element.kind == ElementKind::Element;
        if !item.tag.is_empty() && is_element {
            if element.tag.is_empty() {
                // Unless the tag is another element's.
                if self.names.tag(&item.tag) == Found::None {
                    self.names.add_tag(&item.tag, slot);
                    if let Some(element) = site.elements.get_mut(slot.0 as usize) {
                        element.tag.clone_from(&item.tag);
                    }
                }
            } else if key(&element.tag) != key(&item.tag) && key(&element.name) != key(&item.tag) {
                conflict("tag", &item.tag, &element.tag);
            }
        }
        let Some(element) = site.elements.get(slot.0 as usize) else { return };
        let space = Some(&item.space).filter(|s| !s.is_empty() && is_element);
        let space = space.and_then(|word| self.names.space(word).one().map(|s| (word, s)));
        let storey = Some(&item.storey).filter(|s| !s.is_empty());
        let storey = storey.and_then(|word| self.names.storey(word).one().map(|s| (word, s)));
        let name_of_space = |i: u32| site.element(Slot(i)).map(|s| s.name.clone()).unwrap_or_default();
        let (mut new_space, mut new_storey) = (None, None);
        match (space, element.space) {
            (Some((_, said)), None) => new_space = Some(said.0),
            (Some((word, said)), Some(known)) if said.0 != known => conflict("space", word, &name_of_space(known)),
            _ => {}
        }
        match (storey, element.storey) {
            (Some((_, said)), None) => new_storey = Some(said),
            (Some((word, said)), Some(known)) if said != known => {
                conflict("storey", word, site.storeys.get(known as usize).map_or("", |s| s.name.as_str()));
            }
            _ => {}
        }
        if let Some(element) = site.elements.get_mut(slot.0 as usize) {
            element.space = element.space.or(new_space);
            element.storey = element.storey.or(new_storey);
        }
        if let Some(space) = new_space {
            let words = format!("registry {}", report.registry);
            site.relations.push(Relation::new(
                Thing::Element(slot.0),
                RelationKind::LocatedIn,
                Thing::Element(space),
                words,
            ));
        }
        if is_element && !item.systems.is_empty() {
            self.systems_of(site, item, slot, place, report);
        }
    }

    /// An element without a system gets the registry's; one that has another is told.
    fn systems_of(&mut self, site: &mut Site, item: &RegistryItem, slot: Slot, place: &str, report: &mut MergeReport) {
        let own: Vec<u32> = site.element(slot).map(|e| e.systems.clone()).unwrap_or_default();
        let known = |name: &str| self.names.system(name).one();
        if !own.is_empty() {
            if !item.systems.iter().any(|name| known(name).is_some_and(|s| own.contains(&s))) {
                let names = own.iter().filter_map(|s| site.systems.get(*s as usize)).map(|s| s.name.as_str());
                let model = names.collect::<Vec<_>>().join(", ");
                report.conflicts.push(Conflict {
                    place: place.to_owned(),
                    element: slot,
                    field: "system",
                    registry: item.systems.join(", "),
                    model,
                });
            }
            return;
        }
        for name in &item.systems {
            let number = match known(name) {
                Some(number) => number,
                None => *self.systems.entry(key(name)).or_insert_with(|| {
                    let number = site.systems.len() as u32;
                    site.systems.push(Group { name: name.clone(), class: FROM_REGISTRY.into(), ..Group::default() });
                    number
                }),
            };
            if let Some(system) = site.systems.get_mut(number as usize) {
                system.members.push(slot.0);
            }
            if let Some(element) = site.elements.get_mut(slot.0 as usize) {
                element.systems.push(number);
            }
            let words = format!("registry {}", report.registry);
            site.relations.push(Relation::new(
                Thing::Element(slot.0),
                RelationKind::PartOf,
                Thing::System(number),
                words,
            ));
        }
    }

    /// What the row says of other things: what feeds it, what it serves, what it is a part of, its zones.
    fn relate(&mut self, site: &mut Site, registry: &Registry, item: &RegistryItem, slot: Slot) {
        let this = Thing::Element(slot.0);
        let words = || format!("registry {}", registry.name);
        let element = |names: &Names, site: &Site, word: &str| {
            site.find(word).or_else(|| names.element(word)).map(|s| Thing::Element(s.0)).filter(|t| *t != this)
        };
        let mut found = Vec::new();
        for word in &item.fed_from {
            found
                .extend(element(&self.names, site, word).map(|o| Relation::new(o, RelationKind::Feeds, this, words())));
        }
        for word in &item.serves {
            let served = site.find(word).map(|s| Thing::Element(s.0)).or_else(|| self.names.served(word));
            found.extend(served.map(|s| Relation::new(this, RelationKind::Serves, s, words())));
        }
        if !item.part_of.is_empty() && site.element(slot).is_some_and(|e| e.part_of.is_none()) {
            let whole = element(&self.names, site, &item.part_of);
            found.extend(whole.map(|w| Relation::new(this, RelationKind::PartOf, w, words())));
        }
        for name in item.zones.iter().filter(|_| item.kind == ItemKind::Space) {
            let number = match self.names.zone(name).one() {
                Some(number) => number,
                None => *self.zones.entry(key(name)).or_insert_with(|| {
                    let number = site.zones.len() as u32;
                    site.zones.push(Group { name: name.clone(), class: FROM_REGISTRY.into(), ..Group::default() });
                    number
                }),
            };
            if let Some(zone) = site.zones.get_mut(number as usize)
                && !zone.members.contains(&slot.0)
            {
                zone.members.push(slot.0);
                found.push(Relation::new(this, RelationKind::PartOf, Thing::Zone(number), words()));
            }
        }
        site.relations.append(&mut found);
    }
}

/// The class of a system or zone that no model has.
const FROM_REGISTRY: &str = "registry";
