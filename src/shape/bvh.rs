//! The picking tree.

/// The picking tree over a site.
#[derive(Default)]
pub struct Bvh;
