//! Map layers.
