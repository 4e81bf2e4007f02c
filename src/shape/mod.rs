//! Geometry: meshes shared by elements that look alike, boxes, and the picking tree.
//!
//! Domain coordinates are f64, metres, Z up. A [`Shape`] is in its own small frame in f32.

mod aabb;
pub mod bvh;
pub mod ends;
pub mod frame;
mod mesh;

pub use aabb::Aabb;
pub use bvh::{Bvh, Details};
pub use mesh::{Indices, Shape, Triangles};
pub(crate) use mesh::{Normal, Run};
