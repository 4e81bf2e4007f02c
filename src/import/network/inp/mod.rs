//! EPANET INP: read, edit and write, every section of the format of 2.2 and 2.3.
//!
//! [`read`] gives the network in SI, what happens to it over time, and what the file says besides
//! (water quality, the map, the report); the [`Document`] keeps the file as it stands. [`write()`] makes a
//! file of them in any units; [`edited`] changes a document only where the network changed.

mod absurd;
mod controls;
mod data;
mod document;
mod drawing;
mod entries;
mod entries_network;
mod entries_rest;
mod entries_time;
mod links;
mod nodes;
mod quality;
mod reader;
mod rules;
mod settings;
mod units;
mod words;
mod write;

pub use document::{Document, Encoding, Ending, Line, Row, Section, SectionKind};
pub use drawing::{Drawing, Label};
pub use quality::{Mixing, MixingModel, Quality, QualityMode, Reaction, ReactionOf, Source, SourceKind};
pub use reader::{InpFile, read};
pub use settings::{Hydraulics, Settings};
pub use units::{FlowUnits, PressureUnits, Units};
pub use write::{edited, write};
