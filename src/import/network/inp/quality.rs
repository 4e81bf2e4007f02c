//! `[QUALITY]`, `[SOURCES]`, `[REACTIONS]` and `[MIXING]`: read and written, not solved here. Values stand in
//! the file's own units.

use super::document::Row;
use super::reader::Reader;
use super::words::is;
use crate::simulation::network::NodeKind;
use rustc_hash::FxHashSet;
use std::hash::Hash;

/// Water quality.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Quality {
    /// What is followed.
    pub mode: QualityMode,
    /// Differences below this do not matter.
    pub tolerance: Option<f64>,
    /// Value of a node at the start.
    pub initial: Vec<(usize, f64)>,
    /// Where something is put in.
    pub sources: Vec<Source>,
    /// Orders of reaction: bulk, wall, tank.
    pub orders: [Option<f64>; 3],
    /// Coefficients of all pipes: bulk, wall; 1/d and length/d.
    pub global: [Option<f64>; 2],
    /// The concentration at which growth ends.
    pub limiting: Option<f64>,
    /// What relates wall reactions to roughness.
    pub roughness: Option<f64>,
    /// Coefficients of single pipes and tanks.
    pub reactions: Vec<Reaction>,
    /// How tanks mix.
    pub mixing: Vec<Mixing>,
}

/// What is followed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum QualityMode {
    /// Nothing.
    #[default]
    None,
    /// The age of the water.
    Age,
    /// The share that comes from a node.
    Trace(String),
    /// A substance and its units.
    Chemical {
        /// Its name.
        name: String,
        /// Its units, such as `mg/L`.
        units: String,
    },
}

/// Where something is put in.
#[derive(Clone, Debug, PartialEq)]
pub struct Source {
    /// The node.
    pub node: usize,
    /// How.
    pub kind: SourceKind,
    /// How much.
    pub value: f64,
    /// The pattern it follows.
    pub pattern: Option<usize>,
}

/// How a source puts something in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SourceKind {
    /// Concentration of what flows in.
    Concentration,
    /// Mass a minute.
    Mass,
    /// Concentration of what flows out.
    SetPoint,
    /// Added to the concentration.
    FlowPaced,
}

/// The words for kinds of sources.
pub(super) const SOURCE_WORDS: [(&str, SourceKind); 4] = [
    ("CONCEN", SourceKind::Concentration),
    ("MASS", SourceKind::Mass),
    ("SETPOINT", SourceKind::SetPoint),
    ("FLOWPACED", SourceKind::FlowPaced),
];

/// A coefficient of a pipe or tank.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Reaction {
    /// Of what.
    pub of: ReactionOf,
    /// The coefficient, 1/d or length/d.
    pub value: f64,
}

/// What a coefficient is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ReactionOf {
    /// The water in a pipe.
    Bulk(usize),
    /// The wall of a pipe.
    Wall(usize),
    /// The water in a tank.
    Tank(usize),
}

/// How a tank mixes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Mixing {
    /// The tank.
    pub node: usize,
    /// How.
    pub model: MixingModel,
    /// Share of the volume that is the first compartment.
    pub share: Option<f64>,
}

/// How a tank mixes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MixingModel {
    /// At once.
    Mixed,
    /// In two compartments.
    TwoCompartments,
    /// First in, first out.
    FirstIn,
    /// Last in, first out.
    LastIn,
}

/// The words for how tanks mix.
pub(super) const MIXING_WORDS: [(&str, MixingModel); 4] = [
    ("MIXED", MixingModel::Mixed),
    ("2COMP", MixingModel::TwoCompartments),
    ("FIFO", MixingModel::FirstIn),
    ("LIFO", MixingModel::LastIn),
];

impl Quality {
    /// Leaves the last where something is said more than once: it is what holds.
    pub(super) fn last_of_each(&mut self) {
        keep_last(&mut self.initial, |(node, _)| *node);
        keep_last(&mut self.sources, |source| source.node);
        keep_last(&mut self.reactions, |reaction| reaction.of);
        keep_last(&mut self.mixing, |mixing| mixing.node);
    }
}

fn keep_last<T, K: Eq + Hash>(list: &mut Vec<T>, key: impl Fn(&T) -> K) {
    let mut seen = FxHashSet::default();
    list.reverse();
    list.retain(|item| seen.insert(key(item)));
    list.reverse();
}

impl Reader {
    /// `node value`, `first last value`
    pub(super) fn initial_quality(&mut self, row: &Row<'_>) {
        if row.words.len() < 3 {
            let Some(node) = self.node(row, 0) else { return };
            if let Some(value) = self.positive(row, 1, "quality") {
                self.out.quality.initial.push((node, value));
            }
            return;
        }
        let Some(value) = self.positive(row, 2, "quality") else { return };
        let (from, to) = (Self::word(row, 0), Self::word(row, 1));
        for (at, node) in self.out.network.nodes.iter().enumerate() {
            if Self::in_range(&node.id, from, to) {
                self.out.quality.initial.push((at, value));
            }
        }
    }

    /// `node (kind) value (pattern)`
    pub(super) fn source(&mut self, row: &Row<'_>) {
        let Some(node) = self.node(row, 0) else { return };
        let said = SOURCE_WORDS.iter().find(|(name, _)| is(Self::word(row, 1), name)).map(|(_, kind)| *kind);
        // As of old, no kind is a concentration.
        let at = if said.is_some() { 2 } else { 1 };
        let Some(value) = self.number(row, at, "quality") else { return };
        let pattern = self.pattern(row, at + 1);
        let kind = said.unwrap_or(SourceKind::Concentration);
        self.out.quality.sources.push(Source { node, kind, value, pattern });
    }

    /// `ORDER …`, `GLOBAL …`, `LIMITING POTENTIAL`, `ROUGHNESS CORRELATION`, `BULK|WALL|TANK id (id) value`
    pub(super) fn reaction(&mut self, row: &Row<'_>) {
        let (first, second) = (Self::word(row, 0), Self::word(row, 1));
        let last = row.words.len().saturating_sub(1);
        if last < 2 {
            return self.refuse(row.line, format!("{first} has no value"), "write a number at the end of the line");
        }
        let Some(value) = self.number(row, last, "value") else { return };
        let quality = &mut self.out.quality;
        let of_three = ["BULK", "WALL", "TANK"].iter().position(|w| is(second, w));
        match first {
            w if is(w, "ROUG") => quality.roughness = Some(value),
            w if is(w, "LIMIT") => quality.limiting = Some(value),
            w if is(w, "ORDER") => match of_three.and_then(|at| quality.orders.get_mut(at)) {
                Some(order) => *order = Some(value),
                None => self.refuse(row.line, format!("there is no order of {second:?}"), "write BULK, WALL or TANK"),
            },
            w if is(w, "GLOB") => match of_three.and_then(|at| quality.global.get_mut(at)) {
                Some(global) => *global = Some(value),
                None => self.refuse(row.line, format!("{second:?} has no coefficient for all"), "write BULK or WALL"),
            },
            w if is(w, "TANK") => self.reactions_of_nodes(row, last, value),
            w if is(w, "BULK") => self.reactions_of_links(row, last, value, ReactionOf::Bulk),
            w if is(w, "WALL") => self.reactions_of_links(row, last, value, ReactionOf::Wall),
            _ => {
                let remedy = "write ORDER, GLOBAL, BULK, WALL, TANK, LIMITING POTENTIAL or ROUGHNESS CORRELATION";
                self.refuse(row.line, format!("{first:?} is nothing of reactions"), remedy);
            }
        }
    }

    fn reactions_of_links(&mut self, row: &Row<'_>, last: usize, value: f64, of: fn(usize) -> ReactionOf) {
        if last == 2 {
            if let Some(at) = self.link(row, 1) {
                self.out.quality.reactions.push(Reaction { of: of(at), value });
            }
            return;
        }
        let (from, to) = (Self::word(row, 1), Self::word(row, 2));
        for (at, link) in self.out.network.links.iter().enumerate() {
            if Self::in_range(&link.id, from, to) {
                self.out.quality.reactions.push(Reaction { of: of(at), value });
            }
        }
    }

    fn reactions_of_nodes(&mut self, row: &Row<'_>, last: usize, value: f64) {
        if last == 2 {
            let Some(at) = self.node(row, 1) else { return };
            if self.out.network.nodes.get(at).is_some_and(|n| matches!(n.kind, NodeKind::Tank(_))) {
                self.out.quality.reactions.push(Reaction { of: ReactionOf::Tank(at), value });
            } else {
                let message = format!("{} is no tank", Self::word(row, 1));
                self.warn(row.line, message, "take the line away");
            }
            return;
        }
        let (from, to) = (Self::word(row, 1), Self::word(row, 2));
        for (at, node) in self.out.network.nodes.iter().enumerate() {
            if matches!(node.kind, NodeKind::Tank(_)) && Self::in_range(&node.id, from, to) {
                self.out.quality.reactions.push(Reaction { of: ReactionOf::Tank(at), value });
            }
        }
    }

    /// `tank model (share)`
    pub(super) fn mixing(&mut self, row: &Row<'_>) {
        let Some(node) = self.node(row, 0) else { return };
        let word = Self::word(row, 1);
        let Some((_, model)) = MIXING_WORDS.iter().find(|(name, _)| is(word, name)) else {
            return self.refuse(row.line, format!("{word:?} is no way to mix"), "write MIXED, 2COMP, FIFO or LIFO");
        };
        let share = if row.words.len() > 2 { self.positive(row, 2, "share of the volume") } else { None };
        self.out.quality.mixing.push(Mixing { node, model: *model, share });
    }
}
