//! The site that is open, read again: the twin goes on, with the numbers of its new state.
//!
//! All of it happens at once, between two ticks: elements and points that are still there keep their entities with
//! values, trends and health, and their alarms; selection, what is hidden and what is asked for in this moment mean the
//! same elements as before. Each part is done by the file that keeps it.

use super::command::Command;
use super::scene::{OpenSite, Scene, SiteOpened};
use super::{alarms, changes, flow, health, replay, rules, scene, telemetry, view};
use crate::problem::Problem;
use crate::site::Site;
use crate::site::revision::{Carry, Report};
use crate::telemetry::Arrival;
use bevy::ecs::message::MessageCursor;
use bevy::prelude::*;
use crossbeam_channel::Receiver;
use std::sync::Arc;

/// The next state of the site that is open.
#[derive(Clone, Debug, Default)]
pub struct Next {
    /// The site.
    pub site: Arc<Site>,
    /// What the numbers of the site that is open become.
    pub carry: Carry,
    /// What it changes, for people.
    pub report: Report,
}

/// Puts the next state of the site in the place of the one that is open. `arrivals` is where samples with its numbers
/// come from now on; none where nothing is connected. Gives the alarms that end with what is gone.
pub fn replace(world: &mut World, next: Next, arrivals: Option<Receiver<Arrival>>) -> Vec<Problem> {
    let Next { site, carry, report } = next;
    let Some(old) = world.get_resource::<Scene>().map(|s| Arc::clone(&s.site)) else {
        world.insert_resource(OpenSite(site));
        return Vec::new();
    };
    replay::come_back(world);
    scene::exchange(world, Arc::clone(&site), &carry);
    telemetry::carry(world, &carry, arrivals);
    rules::carry(world, &site, &carry);
    flow::carry(world, &carry);
    health::carry(world, &carry);
    let ended = alarms::carry(world, &carry);
    view::carry(world, &old, &carry);
    if let Some(mut asked) = world.get_resource_mut::<Messages<Command>>() {
        // Asked for when elements had their old numbers, and perhaps not obeyed yet.
        MessageCursor::default().read_mut(&mut asked).for_each(|command| command.carry(&carry));
    }
    changes::show(world, report);
    world.write_message(SiteOpened { carry: Some(Arc::new(carry)) });
    let told = ended.iter().map(|alarm| {
        let asset = old.element(alarm.asset).map(|e| e.label()).unwrap_or_default();
        let message = format!("its alarm `{}` ends with it: nothing measures any more whether it is over", alarm.name);
        Problem::warning(asset, message, "look at the place; bind its points by hand if it is still there")
    });
    told.collect()
}

#[cfg(test)]
mod tests;
