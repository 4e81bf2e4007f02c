//! What the place *is*: its elements, spaces, storeys, systems, connections and points.
//!
//! Plain data in SI units and f64, Z up; no clock, no sockets, no ECS. [`model::Model`] is what one
//! file said; [`Site`] is all of them in one frame, with the project's points bound to its elements.

pub mod assets;
pub mod binding;
pub mod coordinates;
pub mod graph;
pub mod ids;
pub mod infer;
pub mod mapping;
pub mod model;
pub mod point;
pub mod project;
pub mod readiness;
pub mod revision;
pub mod search;
pub mod unit;

mod assemble;
mod frame;

pub use assemble::{OnMap, Site, Source, assemble, assemble_with};
pub use frame::lay_out;
pub use model::{Element, ElementKind, Model, Slot};
pub use point::{Point, PointIndex};
pub use project::Project;
