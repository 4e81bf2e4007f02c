//! The living twin: ECS components and one plugin per capability. It runs with no window.
//!
//! A component is written by one plugin. Plugins talk by messages; every button, key and script goes
//! through [`command::Command`].

pub mod alarms;
pub mod clock;
pub mod command;
pub mod health;
#[cfg(feature = "remote")]
pub mod remote;
pub mod rules;
pub mod scene;
pub mod state_words;
pub mod summary;
pub mod telemetry;
#[cfg(test)]
mod tests;
pub mod view;
pub mod wire_status;

use bevy::app::{PluginGroup, PluginGroupBuilder};
use bevy::prelude::SystemSet;

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

impl bevy::app::Plugin for StepsPlugin {
    fn build(&self, app: &mut bevy::app::App) {
        use bevy::prelude::IntoScheduleConfigs;
        app.configure_sets(
            bevy::app::Update,
            (Step::Ingest, Step::Simulate, Step::Judge, Step::Act, Step::Present).chain(),
        );
    }
}

/// Every plugin of the twin. Add a [`scene::Scene`] to the app to give it a site.
pub struct TwinPlugins;

impl PluginGroup for TwinPlugins {
    fn build(self) -> PluginGroupBuilder {
        let group = PluginGroupBuilder::start::<Self>();
        #[cfg(feature = "remote")]
        let group = group.add(remote::RemoteControlPlugin);
        group
            .add(StepsPlugin)
            .add(command::CommandPlugin)
            .add(scene::ScenePlugin)
            .add(clock::ClockPlugin)
            .add(telemetry::TelemetryPlugin)
            .add(rules::RulesPlugin)
            .add(health::HealthPlugin)
            .add(alarms::AlarmsPlugin)
            .add(view::ViewPlugin)
            .add(state_words::StateWordsPlugin)
    }
}
