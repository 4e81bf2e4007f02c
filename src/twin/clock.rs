//! The one clock that the twin judges by: the site's own where it publishes one, else this machine's.

use super::Step;
use crate::time::Time;
use bevy::prelude::*;
use std::time::{SystemTime, UNIX_EPOCH};

/// The twin's time.
#[derive(Resource, Clone, Copy, Debug, Default)]
pub struct TwinClock {
    /// Now; never goes back.
    pub now: Time,
    /// The site publishes its own clock: only its messages move this one, so that a stall on the wire
    /// stalls the judging too, instead of making everything stale.
    pub from_site: bool,
}

impl TwinClock {
    /// Moves on to `time`; an earlier one changes nothing.
    pub fn advance(&mut self, time: Time) {
        self.now = self.now.max(time);
    }
}

/// This machine's clock.
pub fn wall_clock() -> Time {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Time(since.as_millis() as i64)
}

/// Keeps [`TwinClock`] by this machine's clock unless it comes from the site.
pub struct ClockPlugin;

impl Plugin for ClockPlugin {
    fn build(&self, app: &mut App) {
        app.init_resource::<TwinClock>().add_systems(Update, follow_wall.before(Step::Ingest));
    }
}

fn follow_wall(mut clock: ResMut<TwinClock>) {
    if !clock.from_site {
        let now = wall_clock();
        clock.bypass_change_detection().advance(now);
    }
}
