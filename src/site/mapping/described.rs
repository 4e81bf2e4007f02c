//! Points that a Brick or Haystack file describes: what it calls them, which equipment they are of, and what they measure.

use super::bacnet::ObjectId;
use super::index::Index;
use super::meaning::fit;
use super::tokens::{Token, plain, tokens};
use super::words::{read, units_agree};
use super::{By, Candidate, Heard, Verdict, chosen};
use crate::site::model::Slot;
use crate::site::unit::Unit;
use std::collections::HashMap;

/// A point as a file describes it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Described {
    /// What it may be called on the wire: its topic, the name of its samples, its id, its label.
    pub names: Vec<String>,
    /// What its equipment is called: GlobalId, label, id; the surest first.
    pub equipment: Vec<String>,
    /// What it is, in words: `Supply_Air_Temperature_Sensor`, or its markers.
    pub class: String,
    /// Its object on BACnet.
    pub object: Option<ObjectId>,
    /// True for Haystack, false for Brick.
    pub haystack: bool,
    /// File and line.
    pub place: String,
}

/// All described points, to be looked up.
pub(super) struct Known<'a> {
    all: &'a [Described],
    by_name: HashMap<String, Vec<usize>>,
    by_object: HashMap<ObjectId, Vec<usize>>,
    slots: Vec<Option<Slot>>,
}

impl<'a> Known<'a> {
    pub fn of(index: &Index<'_>, all: &'a [Described]) -> Self {
        let mut known = Self { all, by_name: HashMap::new(), by_object: HashMap::new(), slots: Vec::new() };
        for (i, point) in all.iter().enumerate() {
            for name in &point.names {
                let name = plain(name);
                if !name.is_empty() {
                    let list = known.by_name.entry(name).or_default();
                    if !list.contains(&i) {
                        list.push(i);
                    }
                }
            }
            if let Some(object) = point.object {
                known.by_object.entry(object).or_default().push(i);
            }
            known.slots.push(point.equipment.iter().find_map(|e| element(index, e)));
        }
        known
    }

    /// The point that a file says a topic is.
    pub fn find(&self, index: &Index<'_>, heard: &Heard) -> Option<Verdict> {
        if self.all.is_empty() {
            return None;
        }
        let i = self.by_words(heard).or_else(|| self.by_object(heard))?;
        let point = self.all.get(i)?;
        let by = if point.haystack { By::Haystack } else { By::Brick };
        let Some(slot) = self.slots.get(i).copied().flatten() else {
            let of = point.equipment.first().map_or("no equipment", String::as_str);
            let why = format!("{} describes it, but its equipment ({of}) is no element of the models", point.place);
            return Some(Verdict::Nobody(why, Vec::new()));
        };
        let candidates = roles(index, slot, &tokens(&point.class), heard.unit);
        let candidates = told_apart(index, slot, point, candidates);
        let why = || format!("{} calls it {}, which is no role of its element's template", point.place, point.class);
        Some(chosen(candidates, by, why))
    }

    /// By its whole name, else by the most of its last words; never by one word alone.
    fn by_words(&self, heard: &Heard) -> Option<usize> {
        let mut words: Vec<String> = tokens(&heard.topic).into_iter().map(|t| t.text).collect();
        words.extend(tokens(&heard.key).into_iter().map(|t| t.text));
        let only = |name: &str| match self.by_name.get(name).map(Vec::as_slice) {
            Some([one]) => Some(*one),
            _ => None,
        };
        let said = heard.says.iter().find_map(|s| only(&plain(s)));
        said.or_else(|| {
            (0..words.len()).find_map(|from| {
                let rest = words.get(from..)?;
                (from == 0 || rest.len() > 1).then(|| only(&rest.join(" ")))?
            })
        })
    }

    fn by_object(&self, heard: &Heard) -> Option<usize> {
        let text = format!("{}/{}", heard.topic, heard.key);
        match self.by_object.get(&ObjectId::find(&tokens(&text))?).map(Vec::as_slice) {
            Some([one]) => Some(*one),
            _ => None,
        }
    }
}

/// A class that may be several roles says as much as the point's names leave of it.
fn told_apart(index: &Index<'_>, slot: Slot, point: &Described, candidates: Vec<Candidate>) -> Vec<Candidate> {
    if candidates.len() < 2 {
        return candidates;
    }
    let named = point.names.iter().find_map(|name| match roles(index, slot, &tokens(name), None).as_slice() {
        [one] if one.score >= 0.9 => Some(one.role.clone()),
        _ => None,
    });
    match candidates.iter().find(|c| Some(&c.role) == named.as_ref()) {
        Some(one) => vec![one.clone()],
        None => candidates,
    }
}

/// The one element of a name or GlobalId.
fn element(index: &Index<'_>, name: &str) -> Option<Slot> {
    index.site.find(name).or_else(|| match index.called(name) {
        [one] => Some(*one),
        _ => None,
    })
}

/// The roles of an element that some words may mean.
pub(super) fn roles(index: &Index<'_>, slot: Slot, words: &[Token], unit: Option<Unit>) -> Vec<Candidate> {
    let said = read(words);
    let text = words.iter().map(|t| t.text.as_str()).collect::<Vec<_>>().join(" ");
    let padded = format!(" {text} ");
    let all = index.roles(slot);
    let own = index.own_part(slot);
    let fits = |role: &super::words::Role| {
        if unit.is_some_and(|u| !units_agree(u.quantity, role.quantity)) {
            return None;
        }
        // The longest role that stands there word by word; the rest is the way to it.
        if padded.ends_with(&format!(" {} ", role.plain)) {
            return Some(0.995 + 0.0001 * role.plain.len() as f64);
        }
        let meaning = said.meaning?;
        if meaning.is_empty() {
            return (all.len() == 1 && said.unknown == 0).then_some(0.95);
        }
        let doubt = if said.unknown > 0 { 0.9 } else { 1.0 };
        Some(fit(&meaning, role.meaning.as_ref()?, own)? * doubt)
    };
    let mut found: Vec<Candidate> = all
        .iter()
        .filter_map(|role| Some(Candidate { slot, role: role.name.clone(), score: fits(role)?.min(1.0) }))
        .collect();
    // A role that is written out beats all that are only meant.
    if let Some(best) = found.iter().map(|c| c.score).filter(|s| *s >= 0.995).max_by(f64::total_cmp) {
        found.retain(|c| c.score >= best);
    }
    found
}
