//! The tree as data: groups of elements by storey, by system or by type, and the rows that are open.
//!
//! Grouping is done once for a site, flattening once for a change; drawing touches visible rows only.

use super::format;
use super::icons::{self, Icon};
use crate::site::{Element, ElementKind, Site, Slot};
use std::collections::{BTreeMap, HashSet};
use std::hash::{DefaultHasher, Hash, Hasher};

/// What the tree is ordered by.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Grouping {
    /// Storeys, then classes.
    #[default]
    Storey,
    /// Systems, then classes.
    System,
    /// Classes, then types.
    Type,
}

impl Grouping {
    /// Every choice, in the order people see.
    pub const ALL: [Self; 3] = [Self::Storey, Self::System, Self::Type];

    /// The word of its tab.
    pub fn word(self) -> &'static str {
        match self {
            Self::Storey => "Storeys",
            Self::System => "Systems",
            Self::Type => "Types",
        }
    }
}

/// What a group stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Of {
    /// A storey, by its index.
    Storey(u32),
    /// A system, by its index.
    System(u32),
    /// A class, a type or what has neither storey nor system.
    Kind,
}

/// A group of elements: its own slots, or further groups.
#[derive(Clone, Debug)]
pub struct Group {
    /// Unique in its tree, and the same again for the same site.
    pub key: u64,
    /// What people read.
    pub name: String,
    /// What it stands for.
    pub of: Of,
    /// Its sign.
    pub icon: Icon,
    /// Further groups.
    pub groups: Vec<Group>,
    /// Its own elements, by name.
    pub slots: Vec<Slot>,
}

impl Group {
    /// Calls `f` with every slot in it.
    pub fn each(&self, f: &mut impl FnMut(Slot)) {
        self.slots.iter().copied().for_each(&mut *f);
        for group in &self.groups {
            group.each(f);
        }
    }

    /// Every slot in it.
    pub fn all(&self) -> Vec<Slot> {
        let mut out = Vec::new();
        self.each(&mut |s| out.push(s));
        out
    }

    /// The group with a key, in this one.
    pub fn find(&self, key: u64) -> Option<&Group> {
        if self.key == key { Some(self) } else { self.groups.iter().find_map(|g| g.find(key)) }
    }

    /// Puts the keys of the groups that lead to a slot into `path`; false when it is not in here.
    fn path_to(&self, slot: Slot, path: &mut Vec<u64>) -> bool {
        path.push(self.key);
        if self.slots.contains(&slot) || self.groups.iter().any(|g| g.path_to(slot, path)) {
            return true;
        }
        path.pop();
        false
    }
}

/// The keys of the groups that lead to a slot.
pub fn path_to(groups: &[Group], slot: Slot) -> Vec<u64> {
    let mut path = Vec::new();
    groups.iter().any(|g| g.path_to(slot, &mut path));
    path
}

/// One row of the tree.
#[derive(Clone, Debug, PartialEq)]
pub enum Row {
    /// A group.
    Group {
        /// How deep it stands.
        depth: u8,
        /// Its [`Group::key`].
        key: u64,
        /// Its name.
        name: String,
        /// What it stands for.
        of: Of,
        /// Its sign.
        icon: Icon,
        /// How many elements are in it, of those that match.
        count: usize,
        /// It is open.
        open: bool,
    },
    /// An element.
    Element {
        /// How deep it stands.
        depth: u8,
        /// Which.
        slot: Slot,
    },
}

/// Groups a site's elements.
pub fn group(site: &Site, grouping: Grouping) -> Vec<Group> {
    match grouping {
        Grouping::Storey => by_storey(site),
        Grouping::System => by_system(site),
        Grouping::Type => by_class(site, 0, site.iter().map(|(s, _)| s), true),
    }
}

/// The rows of the groups that are open. Where something is looked for, only elements that were found, and every
/// group that has one is open but those that are told.
pub fn flatten(groups: &[Group], open: &HashSet<u64>, found: Option<&dyn Fn(Slot) -> bool>) -> Vec<Row> {
    let mut rows = Vec::new();
    for group in groups {
        push(group, 0, open, found, &mut rows);
    }
    rows
}

/// Pushes a group and what is open of it; returns how many of its elements match.
fn push(
    group: &Group,
    depth: u8,
    open: &HashSet<u64>,
    found: Option<&dyn Fn(Slot) -> bool>,
    rows: &mut Vec<Row>,
) -> usize {
    let at = rows.len();
    // While searching, the set holds what people closed.
    let is_open = open.contains(&group.key) != found.is_some();
    rows.push(Row::Group {
        depth,
        key: group.key,
        name: group.name.clone(),
        of: group.of,
        icon: group.icon,
        count: 0,
        open: is_open,
    });
    let mut count = 0;
    for inner in &group.groups {
        count += push(inner, depth + 1, open, found, rows);
    }
    for slot in group.slots.iter().copied().filter(|s| found.is_none_or(|found| found(*s))) {
        count += 1;
        if is_open {
            rows.push(Row::Element { depth: depth + 1, slot });
        }
    }
    if !is_open {
        rows.truncate(at + 1);
    }
    if count == 0 {
        rows.truncate(at);
    } else if let Some(Row::Group { count: c, .. }) = rows.get_mut(at) {
        *c = count;
    }
    count
}

fn key(parent: u64, of: &str, name: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    (parent, of, name).hash(&mut hasher);
    hasher.finish()
}

fn by_storey(site: &Site) -> Vec<Group> {
    let mut on: BTreeMap<Option<u32>, Vec<Slot>> = BTreeMap::new();
    let mut features = Vec::new();
    for (slot, element) in site.iter() {
        if element.kind == ElementKind::Feature {
            features.push(slot);
        } else {
            on.entry(element.storey).or_default().push(slot);
        }
    }
    let mut storeys: Vec<(u32, &crate::site::model::Storey)> =
        site.storeys.iter().enumerate().map(|(i, s)| (i as u32, s)).collect();
    storeys.sort_by(|a, b| b.1.elevation_m.total_cmp(&a.1.elevation_m));
    let mut out = Vec::new();
    for (index, storey) in storeys {
        let Some(slots) = on.remove(&Some(index)) else { continue };
        let key = key(0, "storey", &format!("{index} {}", storey.name));
        let groups = by_class(site, key, slots.into_iter(), false);
        out.push(Group {
            key,
            name: storey.name.clone(),
            of: Of::Storey(index),
            icon: Icon::Storey,
            groups,
            slots: Vec::new(),
        });
    }
    let rest: Vec<Slot> = on.into_values().flatten().collect();
    out.extend(other(site, "On no storey", Icon::Box, rest));
    out.extend(other(site, "Site", Icon::MapPin, features));
    out
}

fn by_system(site: &Site) -> Vec<Group> {
    let mut of: Vec<Vec<Slot>> = vec![Vec::new(); site.systems.len()];
    let mut rest = Vec::new();
    for (slot, element) in site.iter() {
        let mut any = false;
        for system in &element.systems {
            if let Some(members) = of.get_mut(*system as usize) {
                members.push(slot);
                any = true;
            }
        }
        if !any {
            rest.push(slot);
        }
    }
    let mut out: Vec<Group> = site
        .systems
        .iter()
        .zip(of)
        .enumerate()
        .filter(|(_, (_, slots))| !slots.is_empty())
        .map(|(i, (system, slots))| {
            let key = key(0, "system", &format!("{i} {}", system.name));
            let groups = by_class(site, key, slots.into_iter(), false);
            let name = if system.name.is_empty() { system.class.clone() } else { system.name.clone() };
            Group { key, name, of: Of::System(i as u32), icon: Icon::System, groups, slots: Vec::new() }
        })
        .collect();
    out.sort_by(|a, b| format::natural(&a.name, &b.name));
    out.extend(other(site, "In no system", Icon::Box, rest));
    out
}

fn other(site: &Site, name: &str, icon: Icon, slots: Vec<Slot>) -> Option<Group> {
    let key = key(0, "other", name);
    (!slots.is_empty()).then(|| Group {
        key,
        name: name.to_owned(),
        of: Of::Kind,
        icon,
        groups: by_class(site, key, slots.into_iter(), false),
        slots: Vec::new(),
    })
}

/// Groups by class and, where asked and where there is more than one, by type.
fn by_class(site: &Site, parent: u64, slots: impl Iterator<Item = Slot>, types: bool) -> Vec<Group> {
    let mut classes: BTreeMap<&str, Vec<(Slot, &Element)>> = BTreeMap::new();
    for slot in slots {
        if let Some(element) = site.element(slot) {
            classes.entry(&element.class).or_default().push((slot, element));
        }
    }
    let mut out: Vec<Group> = classes
        .into_iter()
        .map(|(class, members)| {
            let key = key(parent, "class", class);
            let predefined = members.first().map_or("", |(_, e)| e.predefined_type.as_str());
            let icon = icons::of_class(class, predefined);
            let (groups, slots) = if types { by_type(key, icon, members) } else { (Vec::new(), sorted(members)) };
            Group { key, name: format::class(class), of: Of::Kind, icon, groups, slots }
        })
        .collect();
    out.sort_by(|a, b| format::natural(&a.name, &b.name));
    out
}

fn by_type(parent: u64, icon: Icon, members: Vec<(Slot, &Element)>) -> (Vec<Group>, Vec<Slot>) {
    let mut types: BTreeMap<&str, Vec<(Slot, &Element)>> = BTreeMap::new();
    for member in members {
        types.entry(&member.1.type_name).or_default().push(member);
    }
    let untyped = types.remove("").unwrap_or_default();
    let mut groups: Vec<Group> = types
        .into_iter()
        .map(|(name, members)| Group {
            key: key(parent, "type", name),
            name: name.to_owned(),
            of: Of::Kind,
            icon: if icon == Icon::Box { Icon::Tag } else { icon },
            groups: Vec::new(),
            slots: sorted(members),
        })
        .collect();
    groups.sort_by(|a, b| format::natural(&a.name, &b.name));
    (groups, sorted(untyped))
}

fn sorted(members: Vec<(Slot, &Element)>) -> Vec<Slot> {
    let mut named: Vec<(String, Slot)> = members.into_iter().map(|(s, e)| (e.label(), s)).collect();
    named.sort_by(|a, b| format::natural(&a.0, &b.0).then(a.1.cmp(&b.1)));
    named.into_iter().map(|(_, s)| s).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::desktop::panels::fixture;

    #[test]
    fn every_element_stands_once_in_storeys_and_types() {
        let site = fixture::site();
        for grouping in [Grouping::Storey, Grouping::Type] {
            let mut seen = HashSet::new();
            for g in group(&site, grouping) {
                g.each(&mut |s| assert!(seen.insert(s), "{grouping:?}: {s:?} twice"));
            }
            assert_eq!(seen.len(), site.elements.len(), "{grouping:?}");
        }
    }

    #[test]
    fn storeys_stand_from_the_roof_down() {
        let site = fixture::site();
        let names: Vec<String> = group(&site, Grouping::Storey).into_iter().map(|g| g.name).collect();
        assert_eq!(names[..3], ["Roof", "Level 2", "Level 1"]);
        assert_eq!(names.last().unwrap(), "Site");
    }

    #[test]
    fn the_search_opens_what_it_finds_and_hides_the_rest() {
        let site = fixture::site();
        let groups = group(&site, Grouping::Storey);
        let closed = flatten(&groups, &HashSet::new(), None);
        assert!(closed.iter().all(|r| matches!(r, Row::Group { depth: 0, open: false, .. })));
        let slot = fixture::slot(&site, "VAV-1-03");
        let found = flatten(&groups, &HashSet::new(), Some(&|s| s == slot));
        let slots: Vec<Slot> =
            found.iter().filter_map(|r| if let Row::Element { slot, .. } = r { Some(*slot) } else { None }).collect();
        assert_eq!(slots, [slot]);
        assert!(found.iter().all(|r| matches!(r, Row::Group { count: 1, .. } | Row::Element { .. })), "{found:?}");
        assert!(flatten(&groups, &HashSet::new(), Some(&|_| false)).is_empty());
    }

    #[test]
    fn a_path_leads_to_the_element() {
        let site = fixture::site();
        let groups = group(&site, Grouping::Type);
        let slot = fixture::slot(&site, "P-1");
        let open: HashSet<u64> = path_to(&groups, slot).into_iter().collect();
        assert!(!open.is_empty());
        let rows = flatten(&groups, &open, None);
        assert!(rows.iter().any(|r| matches!(r, Row::Element { slot: s, .. } if *s == slot)));
        assert!(path_to(&groups, Slot(9_999)).is_empty());
    }

    #[test]
    fn a_hundred_thousand_elements_flatten_quickly() {
        let mut site = Site::default();
        for i in 0..100_000 {
            site.elements.push(Element {
                id: format!("id{i}"),
                name: format!("Wall {i}"),
                class: "IfcWall".into(),
                ..Default::default()
            });
        }
        let groups = group(&site, Grouping::Type);
        let open: HashSet<u64> = groups.iter().map(|g| g.key).collect();
        let last = |s: Slot| s == Slot(99_999);
        assert_eq!(flatten(&groups, &open, None).len(), 100_001);
        assert_eq!(flatten(&groups, &open, Some(&last)).len(), 1, "closed by hand while searching");
        assert_eq!(flatten(&groups, &HashSet::new(), Some(&last)).len(), 2);
    }
}
