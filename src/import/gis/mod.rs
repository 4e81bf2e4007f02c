//! Map layers.

pub mod geojson;
