//! Everything a person or a script can ask of the twin. A test can do what a hand can.
//!
//! Each command is obeyed by the plugin that owns the state it changes; this file only names them.

use super::view::ColourBy;
use crate::operations::AlarmId;
use crate::simulation::building::trace::Way;
use crate::site::Slot;
use crate::site::infer::Verdict;
use crate::site::project::Move;
use crate::site::revision::Carry;
use crate::time::Time;
use bevy::prelude::*;

/// One request.
#[derive(Message, Clone, Debug, PartialEq)]
pub enum Command {
    /// Select one element, or none.
    Select(Option<Slot>),
    /// The pointer is over an element, or none.
    Hover(Option<Slot>),
    /// Draw only these; the rest is hidden.
    Isolate(Vec<Slot>),
    /// Hide these.
    Hide(Vec<Slot>),
    /// Draw these as ghosts.
    Ghost(Vec<Slot>),
    /// Draw everything but these as ghosts.
    GhostOthers(Vec<Slot>),
    /// Undo every hide, isolate, ghost and section.
    ShowAll,
    /// Look for elements (see [`crate::site::search`]); an empty text looks for nothing any more.
    Search(String),
    /// Draw what the search found, and what else is drawn as ghosts.
    ShowFound,
    /// Show or hide the spaces.
    ShowSpaces(bool),
    /// What the colours mean.
    ColourBy(ColourBy),
    /// Arrows on what carries a flow, while the colours tell of it, or none.
    ShowArrows(bool),
    /// Cut the model horizontally at a height in the project's frame, metres; none: no cut.
    SectionAt(Option<f64>),
    /// Show one storey (an index into the site's) cut at head height; none: the whole model.
    CutStorey(Option<u32>),
    /// Fly to an element.
    FlyTo(Slot),
    /// Show the whole model.
    Fit,
    /// Go to the first view.
    Home,
    /// Look from a place at another; metres in the project's frame, Z up.
    Look {
        /// Where the eye is.
        eye_m: [f64; 3],
        /// What it looks at.
        target_m: [f64; 3],
    },
    /// Follow the flow from an element, and show what lies on the way.
    Trace {
        /// From where.
        slot: Slot,
        /// Against the flow or with it.
        way: Way,
    },
    /// Nobody needs to see any more what was traced.
    ClearTrace,
    /// Somebody has seen an alarm.
    Acknowledge(AlarmId),
    /// Show the site as it was at another time, from the history.
    Seek(Time),
    /// Let the time that is shown run, seconds a second: 0 stands still, below it runs backwards. From now on it
    /// leaves the present.
    Play(f64),
    /// Back to the present.
    GoLive,
    /// Dark or light.
    Theme(super::view::Theme),
    /// Put a model of the project elsewhere, and keep it there.
    PlaceModel {
        /// Its number among the site's sources.
        source: u16,
        /// Where.
        to: Move,
    },
    /// Put the model that was last placed back to where it was before.
    UndoPlacement,
    /// Decide of the joint between two elements, and keep it in the project.
    DecideJoint {
        /// The two elements.
        between: [Slot; 2],
        /// What is decided; none: nothing is any more.
        verdict: Option<Verdict>,
    },
    /// Read the project's files again, and go on with what they say now.
    Reload,
    /// Nobody needs to see any more what the last reload changed.
    DismissChanges,
    /// Write into the project's file by what its devices know the elements that a reload found under other names.
    SaveBindings,
}

impl Command {
    /// The same of a site whose elements have other numbers now. What is gone has a number that no element has.
    pub(super) fn carry(&mut self, carry: &Carry) {
        let slot = |slot: Slot| carry.slot(slot).unwrap_or(NO_ELEMENT);
        let slots = |all: &[Slot]| -> Vec<Slot> { all.iter().filter_map(|s| carry.slot(*s)).collect() };
        match self {
            Self::Select(of) | Self::Hover(of) => *of = of.and_then(|s| carry.slot(s)),
            Self::Isolate(of) | Self::GhostOthers(of) => {
                *of = slots(of);
                if of.is_empty() {
                    // There is nothing left to be alone in the picture.
                    *self = Self::ShowAll;
                }
            }
            Self::Hide(of) | Self::Ghost(of) => *of = slots(of),
            Self::FlyTo(of) | Self::Trace { slot: of, .. } => *of = slot(*of),
            Self::DecideJoint { between, .. } => *between = between.map(slot),
            Self::CutStorey(of) => *of = of.and_then(|s| carry.storey(s)),
            Self::ShowAll
            | Self::Search(_)
            | Self::ShowFound
            | Self::ClearTrace
            | Self::ShowSpaces(_)
            | Self::ColourBy(_)
            | Self::ShowArrows(_)
            | Self::SectionAt(_)
            | Self::Fit
            | Self::Home
            | Self::Look { .. }
            | Self::Acknowledge(_)
            | Self::Seek(_)
            | Self::Play(_)
            | Self::GoLive
            | Self::Theme(_)
            | Self::PlaceModel { .. }
            | Self::UndoPlacement
            | Self::Reload
            | Self::DismissChanges
            | Self::SaveBindings => {}
        }
    }
}

/// No element has this number.
const NO_ELEMENT: Slot = Slot(u32::MAX);

/// Registers [`Command`].
pub struct CommandPlugin;

impl Plugin for CommandPlugin {
    fn build(&self, app: &mut App) {
        app.add_message::<Command>();
    }
}
