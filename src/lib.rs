//! Plenum: a desktop digital twin for facility engineers.
//!
//! The route of the data, one way, room by room (nothing upstream knows what stands downstream):
//!
//! ```text
//! files ──▶ import ──▶ site ─────────────┐
//!                                        ▼
//! sensors ─▶ telemetry ─▶ history ─▶   twin  ─▶ analytics ─▶ operations ─▶ (work order, setpoint)
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

// It has C functions of EPANET's own names. Named first it is linked last, and EPANET is called by its names.
#[cfg(feature = "peers")]
extern crate epanet_rs as _;

pub mod problem;
pub mod quality;
pub mod time;

pub mod analytics;
pub mod demo;
pub mod history;
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
pub use quality::Quality;
pub use time::Time;

use bevy::app::{App, Plugin, PluginGroup, PluginGroupBuilder, Update};
use bevy::prelude::{IntoScheduleConfigs, SystemSet};

/// The five steps of a tick. Their order is set once, by [`StepsPlugin`].
#[derive(SystemSet, Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Step {
    /// Drain telemetry and replay.
    Ingest,
    /// What is computed at a fixed step.
    Simulate,
    /// Health, rules, alarms.
    Judge,
    /// Commands and work orders.
    Act,
    /// State words and panels.
    Present,
}

/// Sets the order of the [`Step`]s in `Update`.
pub struct StepsPlugin;

impl Plugin for StepsPlugin {
    fn build(&self, app: &mut App) {
        app.configure_sets(Update, (Step::Ingest, Step::Simulate, Step::Judge, Step::Act, Step::Present).chain());
    }
}

/// Every plugin of the twin. Add a [`twin::scene::Scene`] to the app to give it a site.
pub struct TwinPlugins;

impl PluginGroup for TwinPlugins {
    fn build(self) -> PluginGroupBuilder {
        let group = PluginGroupBuilder::start::<Self>();
        #[cfg(feature = "remote")]
        let group = group.add(twin::remote::RemoteControlPlugin);
        group
            .add(StepsPlugin)
            .add(twin::command::CommandPlugin)
            .add(twin::scene::ScenePlugin)
            .add(twin::preview::PreviewPlugin)
            .add(twin::clock::ClockPlugin)
            .add(twin::replay::ReplayPlugin)
            .add(twin::telemetry::TelemetryPlugin)
            .add(twin::rules::RulesPlugin)
            .add(twin::flow::FlowPlugin)
            .add(twin::health::HealthPlugin)
            .add(twin::alarms::AlarmsPlugin)
            .add(twin::history::HistoryPlugin)
            .add(twin::simulated::SimulatedPlugin)
            .add(twin::past::PastPlugin)
            .add(twin::publish::PublishPlugin)
            .add(twin::search::SearchPlugin)
            .add(twin::view::ViewPlugin)
            .add(twin::place::PlacePlugin)
            .add(twin::changes::ChangesPlugin)
            .add(twin::state_words::StateWordsPlugin)
    }
}
