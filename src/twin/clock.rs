//! The one clock that the twin judges by: the site's own where it publishes one, else this machine's.

use crate::Step;
pub use crate::telemetry::wall_clock;
use crate::time::Time;
use bevy::prelude::*;

/// The twin's time.
#[derive(Resource, Clone, Copy, Debug, Default)]
pub struct TwinClock {
    /// Now; goes back only once, when the site's clock is first heard.
    pub now: Time,
    /// The site publishes its own clock: only its messages move this one, so that a stall on the wire
    /// stalls the judging too, instead of making everything stale.
    pub from_site: bool,
    /// The site publishes its own clock, heard already or not.
    pub site_speaks: bool,
    /// It shows another time than now: only [`super::replay`] moves it.
    pub is_held: bool,
}

impl TwinClock {
    /// The clock of a site that is opened now; `site_speaks` where its project names a clock topic.
    pub fn of_site(site_speaks: bool) -> Self {
        Self { now: wall_clock(), from_site: false, site_speaks, is_held: false }
    }

    /// False while the site has yet to say what time it is: this machine's clock says nothing about how
    /// old its samples are, whose day may be another.
    pub fn tells_age(&self) -> bool {
        self.from_site || !self.site_speaks || self.is_held
    }

    /// The site says what time it is. Its first word counts whatever was believed before.
    pub fn hear(&mut self, time: Time) {
        if self.from_site {
            self.advance(time);
        } else {
            (self.now, self.from_site) = (time, true);
        }
    }

    /// Moves on to `time`; an earlier one changes nothing.
    pub fn advance(&mut self, time: Time) {
        self.now = self.now.max(time);
    }
}

/// Keeps [`TwinClock`] by this machine's clock unless it comes from the site.
pub struct ClockPlugin;

impl Plugin for ClockPlugin {
    fn build(&self, app: &mut App) {
        app.init_resource::<TwinClock>().add_systems(Update, follow_wall.before(Step::Ingest));
    }
}

fn follow_wall(mut clock: ResMut<TwinClock>) {
    if !clock.from_site && !clock.is_held {
        let now = wall_clock();
        clock.bypass_change_detection().advance(now);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_site_has_the_last_word_on_time() {
        let mut clock = TwinClock::default();
        clock.advance(Time(5000));
        clock.advance(Time(4000));
        assert_eq!(clock.now, Time(5000));
        clock.hear(Time(100));
        assert_eq!(clock.now, Time(100), "the site's day may be another");
        clock.hear(Time(50));
        assert_eq!(clock.now, Time(100), "but its clock does not run backwards");
    }
}
