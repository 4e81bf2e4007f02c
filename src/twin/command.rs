//! Everything a person or a script can ask of the twin. A test can do what a hand can.
//!
//! Each command is obeyed by the plugin that owns the state it changes; this file only names them.

use super::view::ColourBy;
use crate::operations::AlarmId;
use crate::site::Slot;
use crate::site::project::Move;
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
    /// Somebody has seen an alarm.
    Acknowledge(AlarmId),
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
}

/// Registers [`Command`].
pub struct CommandPlugin;

impl Plugin for CommandPlugin {
    fn build(&self, app: &mut App) {
        app.add_message::<Command>();
    }
}
