//! The living twin: ECS components and one plugin per capability. It runs with no window.
//!
//! A component is written by one plugin. Plugins talk by messages; every button, key and script goes
//! through [`command::Command`]. Which plugins there are, and in what order their steps run, stands in
//! [`crate::TwinPlugins`] and [`crate::Step`].

pub mod alarms;
pub mod changes;
pub mod clock;
pub mod command;
pub mod flow;
pub mod health;
pub mod history;
pub mod past;
pub mod place;
pub mod preview;
pub mod publish;
pub mod reload;
#[cfg(feature = "remote")]
pub mod remote;
pub mod replay;
pub mod rules;
pub mod scene;
pub mod search;
pub mod simulated;
pub mod state_words;
pub mod summary;
pub mod telemetry;
#[cfg(test)]
mod tests;
pub mod view;
pub mod wire_status;
