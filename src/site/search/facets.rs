//! What many elements share by name: classes, storeys, systems, materials. Each name stands once, with its slots.

use super::bits::Bits;
use super::pattern::{Pattern, lower};
use super::query::Key;
use crate::site::{ElementKind, Site};
use std::collections::{BTreeMap, HashMap};

/// One kind of name.
#[derive(Debug, Default)]
pub(super) struct Facet {
    /// What each is called, as the files say.
    names: Vec<String>,
    /// What each is called in small letters, every way.
    small: Vec<Vec<String>>,
    /// Where each one's slots start.
    starts: Vec<u32>,
    slots: Vec<u32>,
}

impl Facet {
    /// From what each is called, the way that people are shown first, and its slots.
    fn of(groups: impl IntoIterator<Item = (Vec<String>, Vec<u32>)>) -> Self {
        let mut facet = Self { starts: vec![0], ..Self::default() };
        for (called, slots) in groups {
            let mut small: Vec<String> = called.iter().map(|n| lower(n)).filter(|n| !n.is_empty()).collect();
            small.dedup();
            facet.names.push(called.into_iter().find(|n| !n.is_empty()).unwrap_or_default());
            facet.small.push(small);
            facet.slots.extend(slots);
            facet.starts.push(facet.slots.len() as u32);
        }
        facet
    }

    /// From the names that each slot has.
    fn by_name<'a, N: IntoIterator<Item = &'a str>>(names: impl Iterator<Item = N>) -> Self {
        let mut groups: BTreeMap<&str, Vec<u32>> = BTreeMap::new();
        for (slot, names) in names.enumerate() {
            for name in names.into_iter().filter(|n| !n.is_empty()) {
                let slots = groups.entry(name).or_default();
                // One element may name a thing twice.
                if slots.last() != Some(&(slot as u32)) {
                    slots.push(slot as u32);
                }
            }
        }
        Self::of(groups.into_iter().map(|(name, slots)| (vec![name.to_owned()], slots)))
    }

    /// Puts the slots of every name that fits into `found`; false when no name does.
    pub(super) fn find(&self, pattern: &Pattern, found: &mut Bits) -> bool {
        let mut any = false;
        for (i, small) in self.small.iter().enumerate() {
            if small.iter().any(|name| pattern.matches(name)) {
                any = true;
                self.slots_of(i).iter().for_each(|slot| found.insert(*slot as usize));
            }
        }
        any
    }

    /// Every slot that has one.
    pub(super) fn all(&self, found: &mut Bits) {
        self.slots.iter().for_each(|slot| found.insert(*slot as usize));
    }

    /// The names, as the files say them.
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.names.iter().map(String::as_str).filter(|n| !n.is_empty())
    }

    fn slots_of(&self, i: usize) -> &[u32] {
        let (Some(start), Some(end)) = (self.starts.get(i), self.starts.get(i + 1)) else { return &[] };
        self.slots.get(*start as usize..*end as usize).unwrap_or_default()
    }

    /// What it holds, bytes.
    pub(super) fn bytes(&self) -> usize {
        let text = |s: &String| s.len() + size_of::<String>();
        let small = |list: &Vec<String>| size_of::<Vec<String>>() + list.iter().map(text).sum::<usize>();
        self.names.iter().map(text).sum::<usize>()
            + self.small.iter().map(small).sum::<usize>()
            + (self.starts.len() + self.slots.len()) * 4
    }
}

/// The facets of a site, by key. Tag, name and description are none: they are their element's own.
pub(super) fn read(site: &Site) -> BTreeMap<Key, Facet> {
    let elements = || site.elements.iter();
    let one = |text: fn(&crate::site::Element) -> &str| Facet::by_name(elements().map(move |e| [text(e)]));
    let indexed = |of: Vec<Vec<u32>>, called: Vec<Vec<String>>| Facet::of(called.into_iter().zip(of));
    let file_of = |slot: usize| site.sources.get(usize::from(*site.source_of.get(slot)?));
    let mut facets = BTreeMap::from([
        (Key::Class, Facet::of(classes(site))),
        (Key::Type, one(|e| &e.type_name)),
        (Key::Predefined, one(|e| &e.predefined_type)),
        (Key::Material, Facet::by_name(elements().map(|e| e.materials.iter().map(String::as_str)))),
        (Key::Classification, Facet::by_name(elements().map(|e| e.classification.iter().map(String::as_str)))),
        (Key::Layer, Facet::by_name(elements().map(|e| e.layers.iter().map(String::as_str)))),
        (Key::Document, Facet::by_name(elements().map(|e| e.documents.iter().map(String::as_str)))),
        (Key::Discipline, Facet::by_name((0..site.elements.len()).map(|i| file_of(i).map(|s| s.discipline.as_str())))),
        (Key::Space, Facet::of(spaces(site))),
    ]);

    let storeys = grouped(site.storeys.len(), elements().map(|e| e.storey));
    let names = site.storeys.iter().map(|s| vec![s.name.clone()]).collect();
    let building = |e: &crate::site::Element| site.storeys.get(e.storey? as usize).map(|s| s.building.as_str());
    facets.insert(Key::Building, Facet::by_name(elements().map(building)));
    facets.insert(Key::Storey, indexed(storeys, names));

    let systems = grouped(site.systems.len(), elements().map(|e| e.systems.iter().copied()));
    facets.insert(Key::System, indexed(systems, site.systems.iter().map(|s| vec![s.name.clone()]).collect()));

    let mut in_space: HashMap<u32, Vec<u32>> = HashMap::new();
    for (slot, element) in elements().enumerate() {
        element.space.into_iter().for_each(|space| in_space.entry(space).or_default().push(slot as u32));
    }
    let zones = site.zones.iter().map(|zone| {
        let within = zone.members.iter().filter_map(|m| in_space.get(m)).flatten();
        (vec![zone.name.clone()], zone.members.iter().chain(within).copied().collect())
    });
    facets.insert(Key::Zone, Facet::of(zones));

    let sources = grouped(site.sources.len(), site.source_of.iter().map(|s| Some(u32::from(*s))));
    let names = site.sources.iter().map(|s| {
        let name = |part: Option<&std::ffi::OsStr>| part.unwrap_or_default().to_string_lossy().into_owned();
        vec![name(s.file.file_name()), name(s.file.file_stem())]
    });
    facets.insert(Key::Source, indexed(sources, names.collect()));

    let points = site.points.iter().map(|p| (vec![p.role.clone(), p.name.clone(), p.id.clone()], vec![p.asset.0]));
    facets.insert(Key::Point, Facet::of(points));
    facets
}

/// Slots by the index of what they belong to.
fn grouped<I: IntoIterator<Item = u32>>(len: usize, of: impl Iterator<Item = I>) -> Vec<Vec<u32>> {
    let mut groups = vec![Vec::new(); len];
    for (slot, indices) in of.enumerate() {
        for index in indices {
            if let Some(group) = groups.get_mut(index as usize) {
                group.push(slot as u32);
            }
        }
    }
    groups
}

/// With and without `Ifc`.
fn classes(site: &Site) -> impl Iterator<Item = (Vec<String>, Vec<u32>)> {
    let mut classes: BTreeMap<&str, Vec<u32>> = BTreeMap::new();
    for (slot, element) in site.elements.iter().enumerate() {
        classes.entry(&element.class).or_default().push(slot as u32);
    }
    classes.into_iter().map(|(class, slots)| {
        let bare = class.get(..3).filter(|p| p.eq_ignore_ascii_case("ifc")).and_then(|_| class.get(3..));
        ([Some(class), bare].into_iter().flatten().map(str::to_owned).collect(), slots)
    })
}

/// A space by its number, its long name or its id, with itself and what stands in it.
fn spaces(site: &Site) -> Vec<(Vec<String>, Vec<u32>)> {
    let mut of: BTreeMap<u32, Vec<u32>> = BTreeMap::new();
    for (slot, element) in site.elements.iter().enumerate() {
        if element.kind == ElementKind::Space {
            of.entry(slot as u32).or_default().push(slot as u32);
        }
        if let Some(space) = element.space {
            of.entry(space).or_default().push(slot as u32);
        }
    }
    of.into_iter()
        .filter_map(|(space, slots)| {
            let e = site.elements.get(space as usize)?;
            Some((vec![e.name.clone(), e.description.clone(), e.tag.clone(), e.id.clone()], slots))
        })
        .collect()
}
