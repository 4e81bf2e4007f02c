//! Plenum: a desktop digital twin for facility engineers.
//!
//! The route of the data, one way, room by room (nothing upstream knows what stands downstream):
//!
//! ```text
//! files ──▶ import ──▶ site ─────────────┐
//!                                        ▼
//! sensors ─▶ telemetry ─▶ (history) ─▶  twin  ─▶ analytics ─▶ operations ─▶ (work order, setpoint)
//!                                        ▲  │
//!                           simulation ──┘  └─▶ desktop (what people see)
//! ```
//!
//! `site import shape analytics simulation operations demo` are plain Rust: no Bevy, no egui, no
//! sockets, no wall clock. `twin` makes them ECS components and systems, and runs with no window.
//! `desktop` (feature `desktop`) is the only room that knows the GPU, the window and the panels.
//! `ARCHITECTURE.md` has the map with its invariants.

// Module docs also speak to those who read the source: they may name what is private.
#![allow(rustdoc::private_intra_doc_links)]

pub mod problem;
pub mod time;

pub mod analytics;
pub mod demo;
pub mod import;
pub mod operations;
pub mod shape;
pub mod simulation;
pub mod site;
pub mod telemetry;
pub mod twin;

#[cfg(feature = "desktop")]
pub mod desktop;

pub mod cli;

pub use problem::{Problem, Severity};
pub use time::Time;
