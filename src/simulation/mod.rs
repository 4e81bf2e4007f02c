//! What would happen: flow networks, heat and plant, controls, faults; and the building emulator.

pub mod building;
pub mod comfort;
pub mod controls;
pub mod emulator;
pub mod faults;
pub mod fluid;
pub mod network;
pub mod psychrometrics;
pub mod thermal;
