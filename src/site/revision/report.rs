//! What a new state of a site changed, for people: a list, and what of it is seen in the model.

use super::follow::Following;
use super::{Change, Succession};
use crate::problem::Problem;
use crate::site::model::PropertyValue;
use crate::site::{Site, Slot};

/// What happened to one thing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// A binding did not follow.
    Lost,
    /// An element is not there any more.
    Removed,
    /// An element is new.
    Added,
    /// An element stands elsewhere.
    Moved,
    /// Something about an element is not as it was.
    Changed,
}

impl Kind {
    /// Every kind, in the order people see.
    pub const ALL: [Self; 5] = [Self::Lost, Self::Removed, Self::Added, Self::Moved, Self::Changed];

    /// The word for it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Lost => "binding lost",
            Self::Removed => "removed",
            Self::Added => "added",
            Self::Moved => "moved",
            Self::Changed => "changed",
        }
    }
}

/// One line of the list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// What happened.
    pub kind: Kind,
    /// The element of the new site that it is about; none where it is gone.
    pub slot: Option<Slot>,
    /// What people call the element; of a lost binding the point.
    pub name: String,
    /// The file's own class.
    pub class: String,
    /// What exactly, and of a lost binding why and what to do.
    pub what: String,
}

/// What a new state of a site changed.
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// The list, by kind.
    pub rows: Vec<Row>,
    /// How many bindings go on.
    pub followed: usize,
    /// How many elements of them are known by another GlobalId, tag or name now, so that the project's file has to
    /// say so: until it does, the next opening does not know them.
    pub unwritten: usize,
    /// By slot of the new site: how it is coloured. Of what moved and changed the movement counts.
    by_slot: Vec<Option<Kind>>,
}

impl Report {
    /// Of a comparison, and of what became of the bindings. `unwritten` is how many entries the project's file lacks.
    pub fn of(old: &Site, new: &Site, succession: &Succession, following: &Following, unwritten: usize) -> Self {
        let mut report = Self {
            followed: following.bindings.followed.len(),
            unwritten,
            by_slot: vec![None; new.elements.len()],
            ..Self::default()
        };
        let lost = old.points.iter().zip(&following.carried).filter(|(_, c)| c.is_none()).map(|(p, _)| p);
        for (point, lost) in lost.zip(&following.bindings.lost) {
            let slot = succession.next.get(point.asset.0 as usize).copied().flatten().map(|(slot, _)| slot);
            let class = old.element(point.asset).map(|e| e.class.clone()).unwrap_or_default();
            report.rows.push(Row { kind: Kind::Lost, slot, name: lost.point.clone(), class, what: lost.why.clone() });
        }
        for (slot, why) in &succession.removed {
            let Some(element) = old.element(*slot) else { continue };
            let (name, class) = (element.label(), element.class.clone());
            report.rows.push(Row { kind: Kind::Removed, slot: None, name, class, what: why.clone() });
        }
        for slot in &succession.added {
            report.add(new, Kind::Added, *slot, new.element(*slot).map(|e| e.id.clone()).unwrap_or_default());
        }
        for moved in &succession.moved {
            let [x, y, z] = moved.offset_m.to_array().map(|v| (v * 100.0).round() / 100.0 + 0.0);
            let turned = if moved.turned { ", turned" } else { "" };
            let what = format!("{:.2} m ({x}, {y}, {z}){turned}", moved.offset_m.length());
            report.add(new, Kind::Moved, Slot(moved.new), what);
        }
        for changes in succession.changed.chunk_by(|a, b| a.new_element == b.new_element) {
            let Some(first) = changes.first() else { continue };
            let what: Vec<String> = changes.iter().map(words).collect();
            report.add(new, Kind::Changed, Slot(first.new_element), what.join("; "));
        }
        report
    }

    fn add(&mut self, new: &Site, kind: Kind, slot: Slot, what: String) {
        let Some(element) = new.element(slot) else { return };
        self.rows.push(Row { kind, slot: Some(slot), name: element.label(), class: element.class.clone(), what });
        if let Some(colour) = self.by_slot.get_mut(slot.0 as usize) {
            colour.get_or_insert(kind);
        }
    }

    /// How an element is coloured: [`Kind::Added`], [`Kind::Moved`] or [`Kind::Changed`]; none: it is as it was.
    pub fn of_slot(&self, slot: Slot) -> Option<Kind> {
        self.by_slot.get(slot.0 as usize).copied().flatten()
    }

    /// How many there are of a kind.
    pub fn count(&self, kind: Kind) -> usize {
        self.rows.iter().filter(|r| r.kind == kind).count()
    }

    /// True when something of it is seen in the model.
    pub fn is_seen(&self) -> bool {
        self.rows.iter().any(|r| matches!(r.kind, Kind::Added | Kind::Moved | Kind::Changed))
    }

    /// What is left of it when everybody has seen it: what the project's file lacks.
    pub fn seen(&mut self) {
        self.rows.clear();
        self.by_slot.clear();
    }

    /// True when nothing is to be told and nothing to be written.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty() && self.unwritten == 0
    }

    /// `3 added, 1 moved, 2 bindings lost`; `nothing has changed` where that is so.
    pub fn summary(&self) -> String {
        let told = Kind::ALL.into_iter().rev().filter_map(|kind| match (kind, self.count(kind)) {
            (_, 0) => None,
            (Kind::Lost, 1) => Some("1 binding lost".to_owned()),
            (Kind::Lost, n) => Some(format!("{n} bindings lost")),
            (kind, n) => Some(format!("{n} {}", kind.word())),
        });
        let told: Vec<String> = told.collect();
        if told.is_empty() { "nothing has changed".to_owned() } else { told.join(", ") }
    }

    /// What nobody may miss: each binding that did not follow.
    pub fn problems(&self) -> impl Iterator<Item = Problem> + '_ {
        let lost = self.rows.iter().filter(|r| r.kind == Kind::Lost);
        lost.map(|row| {
            let message = format!("the binding does not follow to the new revision: {}", row.what);
            Problem::warning(row.name.clone(), message, "bind it by hand, or mend the model, then reload")
        })
    }
}

/// `tag: P-1 → P-1B`.
fn words(change: &Change) -> String {
    let word = |v: &Option<PropertyValue>| v.as_ref().map_or_else(|| "—".to_owned(), ToString::to_string);
    format!("{}: {} → {}", change.property, word(&change.old), word(&change.new))
}
