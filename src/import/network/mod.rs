//! Files of flow networks.
pub mod inp;
pub mod pandapipes;
