//! Finding things by what people write: tags, names and numbers, with case, spaces and dashes forgiven.

use super::Thing;
use crate::site::assemble::Site;
use crate::site::model::{ElementKind, Slot};
use std::collections::HashMap;

/// A tag or name without what people write differently: capitals, spaces, dashes and underscores.
///
/// A break between two numbers or two words stays one, so that `VAV-1-11` and `VAV-11-1` remain two: `AHU 1`,
/// `ahu_1` and `AHU1` are one.
pub(in crate::site) fn key(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut broken = false;
    for c in text.trim().chars() {
        if c.is_whitespace() || matches!(c, '-' | '_' | '\u{2010}'..='\u{2015}' | '\u{2212}' | '\u{ad}') {
            broken = true;
            continue;
        }
        let before = out.chars().next_back();
        if broken && before.is_some_and(|b| b.is_alphabetic() == c.is_alphabetic()) {
            out.push('-');
        }
        broken = false;
        out.extend(c.to_lowercase());
    }
    out
}

/// The parts of a list in one cell: `A, B; C`.
pub(in crate::site) fn parts(text: &str) -> impl Iterator<Item = &str> {
    text.split([',', ';', '|', '\n']).map(str::trim).filter(|p| !p.is_empty())
}

/// What is found under a word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Found<T> {
    /// Exactly this.
    One(T),
    /// So many, and nothing tells which.
    Many(usize),
    /// Nothing.
    None,
}

impl<T> Found<T> {
    /// The one.
    pub(super) fn one(self) -> Option<T> {
        match self {
            Self::One(found) => Some(found),
            _ => None,
        }
    }
}

/// Things by the keys of their words.
struct Words<T>(HashMap<String, Vec<(String, T)>>);

impl<T> Default for Words<T> {
    fn default() -> Self {
        Self(HashMap::new())
    }
}

impl<T: Copy + PartialEq> Words<T> {
    fn add(&mut self, word: &str, thing: T) {
        let key = key(word);
        if key.is_empty() {
            return;
        }
        let list = self.0.entry(key).or_default();
        // A thing's words come one after the other; thousands of things may be called `Duct`.
        if list.last().is_none_or(|(_, t)| *t != thing) {
            list.push((word.trim().to_owned(), thing));
        }
    }

    /// Of several, the only one that is written exactly so.
    fn get(&self, word: &str) -> Found<T> {
        let list = self.0.get(&key(word)).map(Vec::as_slice).unwrap_or_default();
        match list {
            [] => Found::None,
            [(_, one)] => Found::One(*one),
            many => {
                let mut exact = many.iter().filter(|(w, _)| w == word.trim());
                match (exact.next(), exact.next()) {
                    (Some((_, one)), None) => Found::One(*one),
                    _ => Found::Many(many.len()),
                }
            }
        }
    }
}

/// Every tag and name of a site.
#[derive(Default)]
pub(super) struct Names {
    tags: Words<Slot>,
    names: Words<Slot>,
    spaces: Words<Slot>,
    /// A long name is a second choice: many spaces are called `Office`.
    long_names: Words<Slot>,
    storeys: Words<u32>,
    places: Words<u32>,
    zones: Words<u32>,
    systems: Words<u32>,
}

impl Names {
    /// Collects them.
    pub(super) fn of(site: &Site) -> Self {
        let mut names = Self::default();
        for (slot, element) in site.iter() {
            if element.kind == ElementKind::Space {
                names.spaces.add(&element.name, slot);
                names.spaces.add(&element.tag, slot);
                names.long_names.add(&element.description, slot);
                names.long_names.add(&format!("{} {}", element.name, element.description), slot);
            } else {
                names.tags.add(&element.tag, slot);
                names.names.add(&element.name, slot);
            }
        }
        let number = |i: usize| i as u32;
        site.storeys.iter().enumerate().for_each(|(i, s)| names.storeys.add(&s.name, number(i)));
        site.places.iter().enumerate().for_each(|(i, p)| names.places.add(&p.name, number(i)));
        site.zones.iter().enumerate().for_each(|(i, z)| names.zones.add(&z.name, number(i)));
        site.systems.iter().enumerate().for_each(|(i, s)| names.systems.add(&s.name, number(i)));
        names
    }

    /// An element (no space) by its tag.
    pub(super) fn tag(&self, word: &str) -> Found<Slot> {
        self.tags.get(word)
    }

    /// An element (no space) by its name.
    pub(super) fn name(&self, word: &str) -> Found<Slot> {
        self.names.get(word)
    }

    /// An element (no space) by its tag, else its name.
    pub(super) fn element(&self, word: &str) -> Option<Slot> {
        match self.tag(word) {
            Found::One(slot) => Some(slot),
            Found::Many(_) => None,
            Found::None => self.name(word).one(),
        }
    }

    /// A space by its number or name.
    pub(super) fn space(&self, word: &str) -> Found<Slot> {
        match self.spaces.get(word) {
            Found::None => self.long_names.get(word),
            found => found,
        }
    }

    /// A storey by its name.
    pub(super) fn storey(&self, word: &str) -> Found<u32> {
        self.storeys.get(word)
    }

    /// A site, building or facility by its name.
    pub(super) fn place(&self, word: &str) -> Found<u32> {
        self.places.get(word)
    }

    /// A zone by its name.
    pub(super) fn zone(&self, word: &str) -> Found<u32> {
        self.zones.get(word)
    }

    /// A system by its name.
    pub(super) fn system(&self, word: &str) -> Found<u32> {
        self.systems.get(word)
    }

    /// A tag that a registry has just brought.
    pub(super) fn add_tag(&mut self, tag: &str, slot: Slot) {
        self.tags.add(tag, slot);
    }

    /// What can be served: a space, a zone, a storey or a place, in this order.
    pub(super) fn served(&self, word: &str) -> Option<Thing> {
        let space = self.space(word).one().map(|s| Thing::Element(s.0));
        let zone = || self.zone(word).one().map(Thing::Zone);
        let storey = || self.storey(word).one().map(Thing::Storey);
        let place = || self.place(word).one().map(Thing::Place);
        space.or_else(zone).or_else(storey).or_else(place)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_people_write_differently_is_one_and_what_differs_is_two() {
        for (a, b) in
            [("AHU-1", "ahu 1"), ("AHU1", "AHU_1"), (" CHWP–2 ", "chwp-2"), ("Level 2", "LEVEL-2"), ("B - 1", "b1")]
        {
            assert_eq!(key(a), key(b), "{a} {b}");
        }
        for (a, b) in [("VAV-1-11", "VAV-11-1"), ("1.08", "10.8"), ("P-1", "P-11"), ("CHW P", "CHWP"), ("1-1", "11")] {
            assert_ne!(key(a), key(b), "{a} {b}");
        }
        assert_eq!(key(" - "), "");
        assert_eq!(parts("A, B;C\nD,").collect::<Vec<_>>(), ["A", "B", "C", "D"]);
    }

    #[test]
    fn of_several_the_one_that_is_written_so_and_no_guess() {
        let mut words = Words::default();
        words.add("P-1", 1);
        words.add("p 1", 2);
        words.add("Q", 3);
        words.add("Q", 4);
        words.add("Q", 4);
        assert_eq!(words.get("P-1"), Found::One(1));
        assert_eq!(words.get("p 1"), Found::One(2));
        assert_eq!(words.get("P1"), Found::Many(2));
        assert_eq!(words.get("Q"), Found::Many(2));
        assert_eq!(words.get("R"), Found::None);
        assert_eq!(words.get(""), Found::None);
    }
}
