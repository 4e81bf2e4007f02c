//! The emulated building: what its devices would measure, from weather, people and physics.

pub mod fault;

pub use fault::{FaultKind, FaultSpec, InjectedFault};
