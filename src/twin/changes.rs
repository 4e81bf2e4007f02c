//! What the last reload changed, until somebody dismisses it.

use super::command::Command;
use super::scene::SiteOpened;
use super::view::{ColourBy, View};
use crate::Step;
use crate::site::Slot;
use crate::site::revision::Report;
use crate::site::revision::report::Kind;
use bevy::prelude::*;

/// What the last reload changed; nothing where nothing was reloaded, or somebody has dismissed it.
#[derive(Resource, Clone, Debug, Default)]
pub struct Changes(Option<Report>);

impl Changes {
    /// The report; none where there is nothing to show.
    pub fn report(&self) -> Option<&Report> {
        self.0.as_ref()
    }

    /// How an element is coloured.
    pub fn of_slot(&self, slot: Slot) -> Option<Kind> {
        self.0.as_ref()?.of_slot(slot)
    }

    /// A report, for panels without a twin.
    pub fn of(report: Report) -> Self {
        Self((!report.is_empty()).then_some(report))
    }
}

/// Keeps [`Changes`].
pub struct ChangesPlugin;

impl Plugin for ChangesPlugin {
    fn build(&self, app: &mut App) {
        app.init_resource::<Changes>().add_systems(Update, forget.in_set(Step::Act));
    }
}

fn forget(mut opened: MessageReader<SiteOpened>, mut commands: MessageReader<Command>, mut changes: ResMut<Changes>) {
    let another = opened.read().any(SiteOpened::is_another);
    let dismissed = commands.read().any(|c| *c == Command::DismissChanges);
    if (!another && !dismissed) || changes.0.is_none() {
        return;
    }
    if let Some(report) = &mut changes.0 {
        report.seen();
    }
    // That something is to be written is no matter of having been seen.
    changes.0.take_if(|r| another || r.is_empty());
}

/// Shows what a reload changed, in the model where it can be seen there.
pub(super) fn show(world: &mut World, report: Report) {
    let is_seen = report.is_seen();
    world.insert_resource(Changes::of(report));
    let view = world.get_resource::<View>();
    let shown = view.is_some_and(|v| v.colour_by == ColourBy::Change);
    let before = view.map(|v| v.coloured_before).unwrap_or_default();
    if is_seen {
        world.write_message(Command::ColourBy(ColourBy::Change));
    } else if shown {
        world.write_message(Command::ColourBy(before));
    }
}

/// The project's file says now what it lacked.
pub fn written(world: &mut World) {
    if let Some(mut changes) = world.get_resource_mut::<Changes>()
        && let Some(report) = &mut changes.0
    {
        report.unwritten = 0;
        if report.is_empty() {
            changes.0 = None;
        }
    }
}
