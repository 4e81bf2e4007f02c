//! What would happen: the building emulator (flow networks, plant and scenarios stand here later).

pub mod emulator;
pub mod psychrometrics;
