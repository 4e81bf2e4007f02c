//! Two revisions of a building: which element of the new one is which of the old, and what has changed.
//!
//! Elements are matched by GlobalId, then by tag, then by place and type. A new export may move and turn the
//! whole model, so that movement is found first ([`frame`]) and taken out; what is left over is what people
//! moved. Where two elements fit as well as each other none is taken: a wrong match is worse than none.
//! [`follow`] takes a project's bindings from one revision to the next; [`succession()`] compares two states of a whole
//! site, for a twin that goes on while its files are read again.

mod change;
mod facts;
pub mod follow;
mod frame;
mod pairing;
pub mod report;
pub mod succession;
#[cfg(test)]
mod tests;

pub use change::{Change, Moved};
pub use frame::Motion;
pub use report::Report;
pub use succession::{Carry, Succession, succession};

use super::assemble::Site;
use super::model::{Connection, ConnectionPoint, Element, Group, Model, Storey};
use crate::shape::Shape;
use facts::Facts;
use serde::Serialize;
use std::sync::Arc;

/// One revision: a model, or what a site has of one file. Every index is into these lists.
#[derive(Clone, Copy)]
pub struct Side<'a> {
    /// Elements, spaces and map features.
    pub elements: &'a [Element],
    /// Storeys.
    pub storeys: &'a [Storey],
    /// Systems.
    pub systems: &'a [Group],
    /// Meshes.
    pub shapes: &'a [Arc<Shape>],
    /// Ports.
    pub connection_points: &'a [ConnectionPoint],
    /// Joined ports.
    pub connections: &'a [Connection],
    /// By element: its file, and the file that is meant; none: all of them.
    pub only: Option<(&'a [u16], u16)>,
}

impl<'a> Side<'a> {
    /// The whole of a model, in its file's own frame.
    pub fn of_model(model: &'a Model) -> Self {
        Self {
            elements: &model.elements,
            storeys: &model.storeys,
            systems: &model.systems,
            shapes: &model.shapes,
            connection_points: &model.connection_points,
            connections: &model.connections,
            only: None,
        }
    }

    /// What a site has of one of its sources, in the project's frame.
    pub fn of_site(site: &'a Site, source: u16) -> Self {
        Self {
            elements: &site.elements,
            storeys: &site.storeys,
            systems: &site.systems,
            shapes: &site.shapes,
            connection_points: &site.connection_points,
            connections: &site.connections,
            only: Some((&site.source_of, source)),
        }
    }

    /// True for an element that belongs to this revision.
    fn includes(&self, element: u32) -> bool {
        self.only.is_none_or(|(of, wanted)| of.get(element as usize) == Some(&wanted))
    }

    fn element(&self, element: u32) -> Option<&'a Element> {
        self.elements.get(element as usize).filter(|_| self.includes(element))
    }

    /// Every element of this revision with its number.
    fn iter(&self) -> impl Iterator<Item = (u32, &'a Element)> + use<'a> {
        let side = *self;
        side.elements.iter().enumerate().map(|(i, e)| (i as u32, e)).filter(move |(i, _)| side.includes(*i))
    }
}

/// By what an element was found again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum By {
    /// It has kept its GlobalId.
    GlobalId,
    /// It has kept its tag, and nothing speaks against it.
    Tag,
    /// It stands where it stood and is of the same type, or is joined to the same neighbours.
    Place,
}

/// An element of both revisions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pair {
    /// Its number in the old revision.
    pub old: u32,
    /// Its number in the new one.
    pub new: u32,
    /// By what it was found again.
    pub by: By,
}

/// Why an element of the old revision has none in the new.
#[derive(Clone, Debug, PartialEq)]
pub enum Why {
    /// Nothing like it is there any more.
    Gone,
    /// Its tag stands on an element elsewhere, and nothing else says that it is the same.
    TagElsewhere {
        /// That element, in the new revision.
        new: u32,
        /// How far from its place, metres.
        distance_m: f64,
    },
    /// Several elements fit, or another fits as well.
    Ambiguous {
        /// Those elements, in the new revision.
        candidates: Vec<u32>,
    },
}

impl Why {
    /// In words, with what to do; `new` is the new revision.
    pub fn text(&self, new: &Side<'_>) -> String {
        let name = |i: &u32| new.element(*i).map(|e| format!("{} {}", e.label(), e.id)).unwrap_or_default();
        match self {
            Self::Gone => "removed: nothing with its GlobalId, with its tag or at its place is there any more".into(),
            Self::TagElsewhere { new, distance_m } => format!(
                "its tag now stands on {}, {distance_m:.2} m from its place, and nothing confirms that this is the \
                 same element: bind it by hand if it is",
                name(new)
            ),
            Self::Ambiguous { candidates } => {
                let all: Vec<String> = candidates.iter().map(name).collect();
                format!("not certain: {} may be it: bind it by hand", all.join(" or "))
            }
        }
    }
}

/// An element that is only in the old revision.
#[derive(Clone, Debug, PartialEq)]
pub struct Removed {
    /// Its number in the old revision.
    pub old: u32,
    /// Why nothing in the new revision is it.
    pub why: Why,
}

/// What became of the old revision.
#[derive(Clone, Debug, Default)]
pub struct Revision {
    /// How the whole model moved, in the frame of the two [`Side`]s.
    pub motion: Motion,
    /// False where that could not be told: places were not compared then.
    pub motion_known: bool,
    /// Elements of both, in the order of the old revision.
    pub pairs: Vec<Pair>,
    /// Elements of the new revision only.
    pub added: Vec<u32>,
    /// Elements of the old revision only.
    pub removed: Vec<Removed>,
    /// Elements that stand elsewhere, the movement of the whole model taken out.
    pub moved: Vec<Moved>,
    /// Properties, attributes, relations and geometry that changed.
    pub changed: Vec<Change>,
}

impl Revision {
    /// The element of the new revision that was this one, and by what it was found.
    pub fn successor(&self, old: u32) -> Option<&Pair> {
        self.pairs.binary_search_by_key(&old, |p| p.old).ok().and_then(|i| self.pairs.get(i))
    }
}

/// Compares two revisions of one building.
pub fn compare(old: &Side<'_>, new: &Side<'_>) -> Revision {
    let (old, new) = (Facts::of(*old), Facts::of(*new));
    let found = frame::find(&old, &new);
    let (pairs, removed) = pairing::pair(&old, &new, &found);
    let mut taken = vec![false; new.side.elements.len()];
    for pair in &pairs {
        if let Some(slot) = taken.get_mut(pair.new as usize) {
            *slot = true;
        }
    }
    let added = new.side.iter().map(|(i, _)| i).filter(|i| taken.get(*i as usize) == Some(&false)).collect();
    let moved = change::moved(&old, &new, &pairs, &found);
    let changed = change::changed(&old, &new, &pairs);
    Revision { motion: found.motion, motion_known: found.known, pairs, added, removed, moved, changed }
}
