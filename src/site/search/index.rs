//! The index of a site, and how it answers.

use super::super::binding::nearest;
use super::bits::Bits;
use super::columns::{Columns, Units};
use super::facets::{self, Facet};
use super::order::tree_order;
use super::pattern::{Pattern, lower};
use super::query::{Comparison, Expr, HealthWord, Key, PropertyTerm, Query, Term, Thing};
use super::words::{Gathered, Ids, Words};
use crate::problem::Problem;
use crate::site::{Element, ElementKind, Site, Slot};
use std::collections::BTreeMap;

/// No text.
const NONE: u32 = u32::MAX;

/// The texts of an element that words are looked for in.
const TAG: usize = 0;
const NAME: usize = 1;
const DESCRIPTION: usize = 4;

/// Of an id so much of its beginning is a word; less is found in many by chance.
const LEAST_OF_AN_ID: usize = 4;

/// So many names of what there is are told where nothing fits.
const TOLD: usize = 6;

/// So many names are compared with one that nothing has: a search has little time.
const COMPARED: usize = 1_000;

/// Everything that can be looked for in a site. It holds no part of the site itself.
#[derive(Debug, Default)]
pub struct Index {
    words: Words,
    /// By slot: the texts of tag, name, class, type and description.
    texts: Vec<[u32; 5]>,
    /// As they are, for those that are given whole.
    ids: Ids,
    /// In small letters.
    small_ids: Ids,
    facets: BTreeMap<Key, Facet>,
    columns: Columns,
    units: Units,
    kinds: [Bits; 3],
    /// What no facet and no text tells.
    things: BTreeMap<Thing, Bits>,
    /// Slots as the tree has them.
    order: Vec<u32>,
}

/// The answer to a search.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Found {
    /// What was found: an exact tag or id first, then names, then the rest; each in the order of the tree.
    pub slots: Vec<Slot>,
    /// What may have been meant otherwise: names that nothing has.
    pub notes: Vec<String>,
}

/// How an element is; none for one without points.
pub type HealthOf<'a> = dyn Fn(Slot) -> Option<HealthWord> + 'a;

impl Index {
    /// Reads a site. It takes a moment where there are many elements: not for the thread that draws.
    pub fn of(site: &Site) -> Self {
        let mut gathered = Gathered::default();
        let mut text = |text: &str| gathered.add(lower(text)).unwrap_or(NONE);
        let mut texts: Vec<[u32; 5]> = site
            .elements
            .iter()
            .map(|e| [&e.tag, &e.name, &e.class, &e.type_name, &e.description].map(|t| text(t)))
            .collect();
        let (words, numbers) = gathered.finish();
        for number in texts.iter_mut().flatten() {
            *number = numbers.get(*number as usize).copied().unwrap_or(NONE);
        }
        let ids = |small: bool| {
            let id = |e: &Element| if small { lower(&e.id) } else { e.id.clone() };
            Ids::of(site.iter().filter(|(_, e)| !e.id.is_empty()).map(|(slot, e)| (id(e), slot.0)).collect())
        };
        let count = site.elements.len();
        let kind = |kind| Bits::of(count, |i| site.elements.get(i).is_some_and(|e| e.kind == kind));
        Self {
            words,
            texts,
            ids: ids(false),
            small_ids: ids(true),
            facets: facets::read(site),
            columns: Columns::read(site),
            units: Units { slots: count, files: site.sources.iter().map(|s| s.units.clone()).collect() },
            kinds: [ElementKind::Element, ElementKind::Space, ElementKind::Feature].map(kind),
            things: things(site),
            order: tree_order(site),
        }
    }

    /// How many elements it knows.
    pub fn len(&self) -> usize {
        self.texts.len()
    }

    /// True when there is nothing to look for.
    pub fn is_empty(&self) -> bool {
        self.texts.is_empty()
    }

    /// What it holds, bytes.
    pub fn bytes(&self) -> usize {
        self.words.bytes()
            + self.texts.len() * size_of::<[u32; 5]>()
            + self.ids.bytes()
            + self.small_ids.bytes()
            + self.facets.values().map(Facet::bytes).sum::<usize>()
            + self.columns.bytes()
            + self.kinds.iter().chain(self.things.values()).map(Bits::bytes).sum::<usize>()
            + self.order.len() * 4
    }

    /// Answers a search. Only a running twin knows the health of equipment.
    ///
    /// # Errors
    /// It asks for health, and there is nobody to tell it.
    pub fn find(&self, query: &Query, health: Option<&HealthOf<'_>>) -> Result<Found, Problem> {
        if health.is_none() && query.asks_for_health() {
            return Err(Problem::error(
                "search",
                "how equipment is (`health:`) is not known here: nothing is measured",
                "leave it out, or search in the window while the twin runs: plenum run PROJECT",
            ));
        }
        let mut notes = query.hints.clone();
        let bits = self.evaluate(&query.expr, health, &mut notes);
        notes.dedup();
        Ok(Found { slots: self.ranked(&bits, &query.words()), notes })
    }

    fn evaluate(&self, expr: &Expr, health: Option<&HealthOf<'_>>, notes: &mut Vec<String>) -> Bits {
        match expr {
            Expr::All(list) => {
                let mut found = Bits::all(self.len());
                list.iter().for_each(|e| found.and(&self.evaluate(e, health, notes)));
                found
            }
            Expr::Any(list) => {
                let mut found = Bits::none(self.len());
                list.iter().for_each(|e| found.or(&self.evaluate(e, health, notes)));
                found
            }
            Expr::Not(inner) => {
                let mut found = self.evaluate(inner, health, notes);
                found.invert();
                found
            }
            Expr::Term(term) => self.term(term, health, notes),
        }
    }

    fn term(&self, term: &Term, health: Option<&HealthOf<'_>>, notes: &mut Vec<String>) -> Bits {
        match term {
            Term::Word(pattern) => self.word(pattern),
            Term::Key(key, pattern) => self.key(*key, pattern, notes),
            Term::Id(pattern) => {
                let mut found = Bits::none(self.len());
                let start = match pattern {
                    Pattern::Contains(id) | Pattern::Whole(id) => id.as_str(),
                    Pattern::Parts(parts) => parts.first().map_or("", String::as_str),
                };
                let fitting = self.ids.starting(start).filter(|(id, _)| pattern.matches(id));
                fitting.for_each(|(_, slot)| found.insert(slot));
                found
            }
            Term::Kind(kind) => self.kinds.get(*kind as usize).cloned().unwrap_or_default(),
            Term::Has(thing) => self.has(*thing),
            Term::Health(word) => {
                let is = |i: usize| health.is_some_and(|of| of(Slot(i as u32)) == Some(*word));
                Bits::of(self.len(), is)
            }
            Term::Property(property) => self.property(property, notes),
        }
    }

    /// Every text of an element, and its id from the start.
    fn word(&self, pattern: &Pattern) -> Bits {
        let texts = self.words.matching(pattern);
        let mut found = Bits::none(self.len());
        if !texts.is_empty() {
            for (slot, of) in self.texts.iter().enumerate() {
                if of.iter().any(|t| texts.contains(*t as usize)) {
                    found.insert(slot);
                }
            }
        }
        let start = match pattern {
            Pattern::Contains(text) | Pattern::Whole(text) => text.as_str(),
            Pattern::Parts(parts) => parts.first().map_or("", String::as_str),
        };
        for (id, slot) in self.small_ids.starting(start) {
            if fits_id(pattern, id) {
                found.insert(slot);
            }
        }
        found
    }

    fn key(&self, key: Key, pattern: &Pattern, notes: &mut Vec<String>) -> Bits {
        let own = match key {
            Key::Tag => Some(TAG),
            Key::Name => Some(NAME),
            Key::Description => Some(DESCRIPTION),
            _ => None,
        };
        if let Some(own) = own {
            let texts = self.words.matching(pattern);
            let fits = |of: &[u32; 5]| of.get(own).is_some_and(|t| texts.contains(*t as usize));
            return Bits::of(self.len(), |slot| self.texts.get(slot).is_some_and(fits));
        }
        let mut found = Bits::none(self.len());
        let known = self.facets.get(&key).is_some_and(|facet| facet.find(pattern, &mut found));
        if !known && let Some(facet) = self.facets.get(&key) {
            notes.push(nobody(key.word(), &pattern.to_string(), facet.names()));
        }
        found
    }

    fn has(&self, thing: Thing) -> Bits {
        let text = |own: usize| {
            let has = |of: &[u32; 5]| of.get(own).is_some_and(|t| *t != NONE);
            Bits::of(self.len(), |slot| self.texts.get(slot).is_some_and(has))
        };
        let facet = |key: Key| {
            let mut found = Bits::none(self.len());
            self.facets.get(&key).into_iter().for_each(|facet| facet.all(&mut found));
            found
        };
        match thing {
            Thing::Tag => text(TAG),
            Thing::Name => text(NAME),
            Thing::Description => text(DESCRIPTION),
            Thing::Points => facet(Key::Point),
            Thing::Storey => facet(Key::Storey),
            Thing::Zone => facet(Key::Zone),
            Thing::System => facet(Key::System),
            Thing::Type => facet(Key::Type),
            Thing::Predefined => facet(Key::Predefined),
            Thing::Material => facet(Key::Material),
            Thing::Classification => facet(Key::Classification),
            Thing::Layer => facet(Key::Layer),
            Thing::Document => facet(Key::Document),
            Thing::Properties => self.columns.has(false),
            Thing::Quantities => self.columns.has(true),
            Thing::Geometry
            | Thing::Space
            | Thing::Ports
            | Thing::Connection
            | Thing::Parts
            | Thing::Whole
            | Thing::Host => self.things.get(&thing).cloned().unwrap_or_else(|| Bits::none(self.len())),
        }
    }

    fn property(&self, term: &PropertyTerm, notes: &mut Vec<String>) -> Bits {
        let compared = self.columns.compare(&self.units, term);
        if !compared.is_known {
            // Where the set is named, sets and names are both compared.
            let with_set = term.set.is_some();
            let names: Vec<String> = self
                .columns
                .names()
                .map(|(set, name)| if with_set { format!("{set}.{name}") } else { name.clone() })
                .collect();
            let small: Vec<String> = names.iter().take(COMPARED).map(|n| lower(n)).collect();
            let near = nearest(&lower(&term.written), small.iter().map(String::as_str));
            let near = near.and_then(|near| names.get(small.iter().position(|n| n == near)?));
            let same_name = || {
                let has = |(_, name): &&(String, String)| term.name.matches(&lower(name));
                self.columns.names().find(has).map(|(set, name)| format!("{set}.{name}"))
            };
            let hint = near.cloned().or_else(same_name).map(|n| format!("; there is `{n}`")).unwrap_or_default();
            notes.push(format!("nothing has a property `{}`{hint}", term.written));
        } else if matches!(term.comparison, Comparison::Compares(..)) && !compared.has_numbers {
            notes.push(format!(
                "`{0}` is no number in these models: compare it with {0}=TEXT or {0}~PART",
                term.written
            ));
        }
        compared.found
    }

    /// In the order of the tree, those first whose tag or id is the word itself.
    fn ranked(&self, found: &Bits, words: &[&Pattern]) -> Vec<Slot> {
        let in_order = || self.order.iter().copied().filter(|slot| found.contains(*slot as usize));
        let wanted: Vec<&str> = words
            .iter()
            .filter_map(|w| match w {
                Pattern::Contains(text) | Pattern::Whole(text) => Some(text.as_str()),
                Pattern::Parts(_) => None,
            })
            .collect();
        if wanted.is_empty() {
            return in_order().map(Slot).collect();
        }
        // Several words may be one name.
        let all = wanted.join(" ");
        let mut meant: Vec<(Option<u32>, std::ops::Range<u32>)> = Vec::new();
        let mut by_id: Vec<usize> = Vec::new();
        for text in wanted.iter().copied().chain((wanted.len() > 1).then_some(all.as_str())) {
            let starting_so = self.words.starting(text);
            let range = starting_so.start as u32..starting_so.end as u32;
            meant.push((self.words.find(text).map(|i| i as u32), range));
            by_id.extend(self.small_ids.starting(text).filter(|(id, _)| *id == text).map(|(_, slot)| slot));
        }
        let rank = |slot: u32| {
            let [tag, name, ..] = self.texts.get(slot as usize).copied().unwrap_or([NONE; 5]);
            let is = |text: u32| meant.iter().any(|(exact, _)| *exact == Some(text));
            let starts = |text: u32| meant.iter().any(|(_, range)| range.contains(&text));
            match () {
                () if is(tag) || by_id.contains(&(slot as usize)) => 0,
                () if is(name) => 1,
                () if starts(tag) => 2,
                () if starts(name) => 3,
                () => 4,
            }
        };
        let mut by_rank: [Vec<Slot>; 5] = Default::default();
        for slot in in_order() {
            if let Some(list) = by_rank.get_mut(rank(slot)) {
                list.push(Slot(slot));
            }
        }
        by_rank.concat()
    }
}

/// An id is a word as a whole, or by enough of its beginning.
fn fits_id(pattern: &Pattern, id: &str) -> bool {
    match pattern {
        Pattern::Contains(text) => {
            id == text || (text.chars().count() >= LEAST_OF_AN_ID && id.starts_with(text.as_str()))
        }
        Pattern::Whole(_) | Pattern::Parts(_) => pattern.matches(id),
    }
}

/// What neither a name nor a text tells.
fn things(site: &Site) -> BTreeMap<Thing, Bits> {
    let count = site.elements.len();
    let of = |has: &dyn Fn(&Element) -> bool| Bits::of(count, |i| site.elements.get(i).is_some_and(has));
    let mut ports = Bits::none(count);
    let mut joined = Bits::none(count);
    let mut parts = Bits::none(count);
    site.connection_points.iter().for_each(|p| ports.insert(p.element as usize));
    for connection in &site.connections {
        for end in [connection.from, connection.to] {
            let point = site.connection_points.get(end as usize);
            point.into_iter().for_each(|p| joined.insert(p.element as usize));
        }
    }
    site.elements.iter().filter_map(|e| e.part_of).for_each(|whole| parts.insert(whole as usize));
    BTreeMap::from([
        (Thing::Geometry, of(&|e| e.shape.is_some())),
        (Thing::Space, of(&|e| e.space.is_some())),
        (Thing::Whole, of(&|e| e.part_of.is_some())),
        (Thing::Host, of(&|e| e.host.is_some())),
        (Thing::Ports, ports),
        (Thing::Connection, joined),
        (Thing::Parts, parts),
    ])
}

/// What is said where no name fits.
fn nobody<'a>(key: &str, wanted: &str, names: impl Iterator<Item = &'a str>) -> String {
    let names: Vec<&str> = names.collect();
    let small: Vec<String> = names.iter().take(COMPARED).map(|n| lower(n)).collect();
    let near = nearest(wanted, small.iter().map(String::as_str));
    let near = near.and_then(|near| names.get(small.iter().position(|n| n == near)?));
    let there = match near {
        Some(near) => format!("there is `{near}`"),
        None if names.is_empty() => "there is none at all".to_owned(),
        None => {
            let more = if names.len() > TOLD { ", …" } else { "" };
            format!("there is {}{more}", names.iter().take(TOLD).copied().collect::<Vec<_>>().join(", "))
        }
    };
    format!("no {key} fits `{wanted}`: {there}")
}
