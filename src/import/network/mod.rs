//! Files of flow networks.
pub mod features;
pub mod inp;
pub mod pandapipes;
