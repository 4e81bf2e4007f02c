//! Map layers.

mod build;
mod frame;
pub mod geojson;
mod kind;
mod solids;
