//! Properties and quantities by name: one column each, with numbers, texts and truths apart.
//!
//! Elements that share a set share its rows: a column holds sets, and sets have slots.

use super::bits::Bits;
use super::pattern::lower;
use super::query::{Comparison, Number, PropertyTerm, same};
use crate::site::Site;
use crate::site::model::{PropertySet, PropertyValue};
use std::collections::HashMap;
use std::sync::Arc;

/// The values of one property of one set, by the number of the set.
#[derive(Debug, Default)]
struct Column {
    /// In small letters.
    set: String,
    name: String,
    /// As the files write them.
    shown: (String, String),
    numbers: Vec<(u32, f64)>,
    /// By number in [`Columns::texts`].
    texts: Vec<(u32, u32)>,
    truths: Vec<(u32, bool)>,
}

impl Column {
    fn is_meant(&self, term: &PropertyTerm) -> bool {
        let here = term.name.matches(&self.name) && term.set.as_ref().is_none_or(|set| set.matches(&self.set));
        here || term.whole.as_ref().is_some_and(|whole| whole.matches(&self.name))
    }
}

/// Every property of a site.
#[derive(Debug, Default)]
pub(super) struct Columns {
    columns: Vec<Column>,
    /// Distinct texts in small letters.
    texts: Vec<String>,
    /// By set: where its slots start.
    starts: Vec<u32>,
    slots: Vec<u32>,
    /// By set: the file it came from.
    source_of: Vec<u16>,
    /// By slot: has it a set of properties, a set of quantities?
    has: [Bits; 2],
}

/// What a comparison came to.
pub(super) struct Compared {
    /// The slots for which it holds.
    pub(super) found: Bits,
    /// There is a property of that name.
    pub(super) is_known: bool,
    /// It has numbers somewhere.
    pub(super) has_numbers: bool,
}

impl Columns {
    /// Reads the sets of every element.
    pub(super) fn read(site: &Site) -> Self {
        let mut sets: HashMap<*const PropertySet, u32> = HashMap::new();
        let mut distinct: Vec<(&PropertySet, Vec<u32>)> = Vec::new();
        let count = site.elements.len();
        let mut columns = Self { has: [Bits::none(count), Bits::none(count)], ..Self::default() };
        for (slot, element) in site.elements.iter().enumerate() {
            for set in &element.properties {
                let number = *sets.entry(Arc::as_ptr(set)).or_insert_with(|| {
                    distinct.push((set, Vec::new()));
                    distinct.len() as u32 - 1
                });
                if let Some((_, slots)) = distinct.get_mut(number as usize) {
                    slots.push(slot as u32);
                }
                if let Some(has) = columns.has.get_mut(usize::from(set.quantities)) {
                    has.insert(slot);
                }
            }
        }
        let mut reader = Reader::default();
        for (number, (set, slots)) in distinct.iter().enumerate() {
            let first = slots.first().copied().unwrap_or(0) as usize;
            columns.source_of.push(site.source_of.get(first).copied().unwrap_or(0));
            columns.starts.push(columns.slots.len() as u32);
            columns.slots.extend(slots);
            reader.set(number as u32, set);
        }
        columns.starts.push(columns.slots.len() as u32);
        reader.columns.iter_mut().for_each(|c| {
            c.numbers.shrink_to_fit();
            c.texts.shrink_to_fit();
        });
        columns.columns = reader.columns;
        columns.texts = reader.texts;
        columns
    }

    /// The slots with a property of that name that compares so.
    pub(super) fn compare(&self, site: &Units, term: &PropertyTerm) -> Compared {
        let mut found = Bits::none(site.slots);
        let (mut is_known, mut has_numbers) = (false, false);
        // Each distinct text is looked at once.
        let mut known_texts: Vec<Option<bool>> = Vec::new();
        let mut fits = |text: u32, pattern: &dyn Fn(&str) -> bool| {
            if known_texts.is_empty() {
                known_texts.resize(self.texts.len(), None);
            }
            let Some(known) = known_texts.get_mut(text as usize) else { return false };
            *known.get_or_insert_with(|| self.texts.get(text as usize).is_some_and(|t| pattern(t)))
        };
        for column in self.columns.iter().filter(|c| c.is_meant(term)) {
            is_known = true;
            has_numbers |= !column.numbers.is_empty();
            let mut take = |set: u32| self.slots_of(set).iter().for_each(|slot| found.insert(*slot as usize));
            let with_limit = |number: &Number, take: &mut dyn FnMut(u32), holds: &dyn Fn(f64, f64) -> bool| {
                let limits = site.limits(number);
                for (set, value) in &column.numbers {
                    let source = self.source_of.get(*set as usize).copied().unwrap_or(0);
                    let limit = limits.get(usize::from(source)).copied().unwrap_or(number.value);
                    if holds(*value, limit) {
                        take(*set);
                    }
                }
            };
            match &term.comparison {
                Comparison::IsThere => {
                    column.numbers.iter().for_each(|v| take(v.0));
                    column.texts.iter().for_each(|v| take(v.0));
                    column.truths.iter().for_each(|v| take(v.0));
                }
                Comparison::Compares(side, number) => with_limit(number, &mut take, &|v, limit| side.holds(v, limit)),
                Comparison::Has(part) => {
                    let texts = column.texts.iter().filter(|v| fits(v.1, &|t| t.contains(part.as_str())));
                    texts.for_each(|v| take(v.0));
                }
                Comparison::Is { text, truth, number } => {
                    column.texts.iter().filter(|v| fits(v.1, &|t| text.matches(t))).for_each(|v| take(v.0));
                    column.truths.iter().filter(|v| Some(v.1) == *truth).for_each(|v| take(v.0));
                    if let Some(number) = number {
                        with_limit(number, &mut take, &same);
                    }
                }
            }
        }
        Compared { found, is_known, has_numbers }
    }

    /// The slots that have properties, or quantities.
    pub(super) fn has(&self, quantities: bool) -> Bits {
        self.has.get(usize::from(quantities)).cloned().unwrap_or_default()
    }

    /// The names of all properties, each once.
    pub(super) fn names(&self) -> impl Iterator<Item = &(String, String)> {
        self.columns.iter().map(|c| &c.shown)
    }

    fn slots_of(&self, set: u32) -> &[u32] {
        let i = set as usize;
        let (Some(start), Some(end)) = (self.starts.get(i), self.starts.get(i + 1)) else { return &[] };
        self.slots.get(*start as usize..*end as usize).unwrap_or_default()
    }

    /// What it holds, bytes.
    pub(super) fn bytes(&self) -> usize {
        let column = |c: &Column| {
            size_of::<Column>()
                + 2 * (c.set.len() + c.name.len())
                + (c.numbers.len() + c.truths.len() / 2) * 16
                + c.texts.len() * 8
        };
        self.columns.iter().map(column).sum::<usize>()
            + self.texts.iter().map(|t| t.len() + size_of::<String>()).sum::<usize>()
            + (self.starts.len() + self.slots.len()) * 4
            + self.source_of.len() * 2
            + self.has.iter().map(Bits::bytes).sum::<usize>()
    }
}

/// How the files of a site count, so that a number with a unit is compared as each file states its own.
#[derive(Debug, Default)]
pub(super) struct Units {
    /// How many elements there are.
    pub(super) slots: usize,
    /// By source.
    pub(super) files: Vec<crate::site::unit::FileUnits>,
}

impl Units {
    /// By source: the number in that file's unit.
    fn limits(&self, number: &Number) -> Vec<f64> {
        let Some(unit) = number.unit else { return Vec::new() };
        let si = unit.to_si(number.value);
        let mut limits: Vec<f64> = self.files.iter().map(|units| units.from_si(unit.quantity, si)).collect();
        if limits.is_empty() {
            limits.push(si);
        }
        limits
    }
}

/// Sorts values into columns.
#[derive(Default)]
struct Reader<'a> {
    columns: Vec<Column>,
    texts: Vec<String>,
    by_name: HashMap<(&'a str, &'a str), usize>,
    by_small_name: HashMap<(String, String), usize>,
    by_text: HashMap<String, u32>,
}

impl<'a> Reader<'a> {
    fn set(&mut self, number: u32, set: &'a PropertySet) {
        for (name, value) in &set.values {
            let column = match self.by_name.get(&(set.name.as_str(), name)) {
                Some(known) => *known,
                None => self.column(&set.name, name),
            };
            self.value(column, number, value);
        }
    }

    fn column(&mut self, set: &'a str, name: &'a str) -> usize {
        let small = (lower(set), lower(name));
        let next = self.columns.len();
        let column = *self.by_small_name.entry(small.clone()).or_insert(next);
        if column == next {
            let shown = (set.to_owned(), name.to_owned());
            self.columns.push(Column { set: small.0, name: small.1, shown, ..Column::default() });
        }
        self.by_name.insert((set, name), column);
        column
    }

    fn value(&mut self, column: usize, set: u32, value: &PropertyValue) {
        let Some(into) = self.columns.get_mut(column) else { return };
        match value {
            PropertyValue::Boolean(truth) => into.truths.push((set, *truth)),
            PropertyValue::Integer(_) | PropertyValue::Real(_) => {
                into.numbers.extend(value.as_f64().map(|v| (set, v)));
            }
            PropertyValue::Text(text) if !text.is_empty() => {
                let next = self.texts.len() as u32;
                let text = lower(text);
                let number = match self.by_text.get(&text) {
                    Some(known) => *known,
                    None => {
                        self.texts.push(text.clone());
                        self.by_text.insert(text, next);
                        next
                    }
                };
                into.texts.push((set, number));
            }
            PropertyValue::List(values) => values.iter().for_each(|v| self.value(column, set, v)),
            PropertyValue::Text(_) | PropertyValue::Null => {}
        }
    }
}
