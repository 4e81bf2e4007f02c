//! The twin at another time: standing still, or running from any moment at any speed, forwards and back.
//!
//! Everything else in the twin goes by [`TwinClock`] and by what comes in. So it is shown as it was by giving it another
//! clock, and samples of the history in place of those that arrive: values, rules, health, alarms, flows and colours
//! follow by themselves. How things are now is put aside before, and brought back afterwards, with what came meanwhile;
//! until then what arrives is let go here, since the history keeps it. Without a history there is no other time.
//!
//! | asked | what happens |
//! |---|---|
//! | [`Command::Seek`] | all is forgotten ([`Rewound`]), and heard anew from [`ReplayPace::warm_s`] before that moment |
//! | [`Command::Play`] forwards | samples are read ahead and taken as the clock passes them |
//! | [`Command::Play`] backwards | one moment after the other is sought, as fast as they can be read |
//! | [`Command::GoLive`] | what was put aside is brought back, and takes what it missed |
//!
//! Alarms of another time are those that the judging raises by itself from the run-up on: one that had stood for
//! longer bears the time at which the run-up raised it.

mod player;
#[cfg(test)]
mod tests;

pub use player::OpenReader;

use super::clock::{TwinClock, wall_clock};
use super::command::Command;
use super::scene::{Scene, SiteOpened};
use super::telemetry::{InPlace, SAMPLES_A_TICK};
use super::{alarms, flow, health, rules, telemetry};
use crate::Step;
use crate::history::Span;
use crate::telemetry::Sample;
use crate::time::Time;
use bevy::prelude::*;
use bevy::time::{Real, Time as FrameTime};
use player::Player;
use std::collections::VecDeque;

/// All that is known of points is forgotten, and heard anew from here on: another time is shown.
#[derive(Message, Clone, Copy, Debug)]
pub(super) struct Rewound;

/// Brings back what a plugin has put aside.
pub(super) type Restore = Box<dyn FnOnce(&mut World) + Send + Sync>;

/// Where the history is; none while the twin has none.
#[derive(Resource, Clone)]
pub struct Recording(pub OpenReader);

/// How other times are read.
#[derive(Resource, Clone, Copy, Debug)]
pub struct ReplayPace {
    /// Run-up of the judging before a moment that is sought, seconds: longer than limits are to be passed before they
    /// count. Of more than two thousand points it is shorter by as much as there are more of them.
    pub warm_s: f64,
    /// What is read ahead, in seconds of watching.
    pub ahead_s: f64,
    /// How far before the moment of leaving what was missed is looked for, seconds: some of it came late.
    pub late_s: f64,
    /// So long a sample may take from the wire into the history, seconds.
    pub written_within_s: f64,
}

impl Default for ReplayPace {
    fn default() -> Self {
        Self { warm_s: 900.0, ahead_s: 4.0, late_s: 600.0, written_within_s: 0.2 }
    }
}

/// Which time the twin shows.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum Showing {
    /// The present.
    #[default]
    Live,
    /// Another time, which runs by so many seconds a second; 0: it stands still.
    Past {
        /// Seconds a second, below 0 backwards.
        speed: f64,
    },
    /// On the way back to the present: what came meanwhile is taken in.
    Returning,
}

/// Shows other times; [`TwinClock`] says which.
#[derive(Resource, Default)]
pub struct Playback {
    /// What is shown.
    pub showing: Showing,
    /// A moment that was asked for and is not shown yet.
    pub seeking: Option<Time>,
    /// Why the last wish could not be fulfilled.
    pub problem: Option<String>,
    /// The moment that would be shown; only while another one is.
    present: Time,
    wishes: Vec<Wish>,
    player: Option<Player>,
    /// Number of the moment that is awaited.
    awaited: Option<u64>,
    /// Number and end of what is read ahead.
    fetching: Option<(u64, Time)>,
    /// To be taken as the clock passes it; all before `loaded_to` is here.
    ahead: VecDeque<Sample>,
    loaded_to: Time,
    /// Where the clock would be if it could: fractions of a millisecond, and what is not read yet.
    position_ms: f64,
    /// How things were when the twin turned away from them; empty while they still stand.
    aside: Vec<Restore>,
    /// They are as they were at this moment.
    left_at: Time,
    /// How long the twin has been on its way back, seconds.
    returning_s: f64,
}

#[derive(Clone, Copy, Debug)]
enum Wish {
    Seek(Time),
    Play(f64),
    GoLive,
}

impl Playback {
    /// Whether the present is shown.
    pub fn is_live(&self) -> bool {
        self.showing == Showing::Live
    }

    /// How fast the time that is shown runs; none at present.
    pub fn speed(&self) -> Option<f64> {
        match self.showing {
            Showing::Past { speed } => Some(speed),
            _ => None,
        }
    }

    /// The moment that would be shown if it were not another one.
    pub fn present(&self) -> Time {
        self.present
    }

    fn is_idle(&self) -> bool {
        self.is_live() && self.wishes.is_empty()
    }
}

/// Obeys [`Command::Seek`], [`Command::Play`] and [`Command::GoLive`].
pub struct ReplayPlugin;

impl Plugin for ReplayPlugin {
    fn build(&self, app: &mut App) {
        app.init_resource::<Playback>()
            .init_resource::<ReplayPace>()
            .add_message::<Rewound>()
            .add_systems(Update, (hear, show.run_if(|p: Res<Playback>| !p.is_idle())).chain().before(Step::Ingest));
    }
}

fn hear(mut commands: MessageReader<Command>, mut opened: MessageReader<SiteOpened>, mut playback: ResMut<Playback>) {
    if opened.read().any(SiteOpened::is_another) && !playback.is_live() {
        // There is nothing to come back to.
        *playback = Playback::default();
    }
    for command in commands.read() {
        match command {
            Command::Seek(time) => playback.wishes.push(Wish::Seek(*time)),
            Command::Play(speed) => playback.wishes.push(Wish::Play(*speed)),
            Command::GoLive => playback.wishes.push(Wish::GoLive),
            _ => {}
        }
    }
}

/// Back to how things are now, at once: the site is about to become another state of itself. What came meanwhile is
/// taken in afterwards.
pub(super) fn come_back(world: &mut World) {
    world.resource_scope(|world, mut playback: Mut<Playback>| {
        if !playback.is_live() {
            playback.turn_back(world);
            playback.player = None;
        }
    });
}

fn show(world: &mut World) {
    let passed_s = world.get_resource::<FrameTime<Real>>().map_or(0.0, |t| t.delta_secs_f64());
    let pace = world.get_resource::<ReplayPace>().copied().unwrap_or_default();
    world.resource_scope(|world, mut playback: Mut<Playback>| {
        for wish in std::mem::take(&mut playback.wishes) {
            playback.wish(world, wish, &pace);
        }
        playback.take_answers(world);
        playback.present = present(world);
        match playback.showing {
            Showing::Live => {}
            Showing::Returning => {
                playback.returning_s += passed_s;
                playback.catch_up(world, &pace);
            }
            Showing::Past { speed } => playback.run(world, speed, passed_s, &pace),
        }
    });
}

/// The moment that would be shown.
fn present(world: &World) -> Time {
    let clock = world.get_resource::<InPlace>().map(|i| i.clock).unwrap_or_default();
    if clock.from_site { clock.now } else { wall_clock() }
}

fn set_clock(world: &mut World, now: Time) {
    if let Some(mut clock) = world.get_resource_mut::<TwinClock>() {
        (clock.now, clock.is_held) = (now, true);
    }
}

impl Playback {
    fn wish(&mut self, world: &mut World, wish: Wish, pace: &ReplayPace) {
        self.problem = None;
        match wish {
            Wish::GoLive => {
                if matches!(self.showing, Showing::Past { .. }) {
                    self.turn_back(world);
                }
            }
            Wish::Play(speed) if speed.is_finite() => {
                if self.leave(world) {
                    self.showing = Showing::Past { speed };
                }
            }
            Wish::Play(speed) => self.problem = Some(format!("{speed} is no speed")),
            Wish::Seek(time) => {
                let time = time.min(present(world));
                if self.leave(world) {
                    self.seek(world, time, pace);
                }
            }
        }
    }

    /// Turns away from the present, which stays as it is for now. False when there is nowhere to turn to.
    fn leave(&mut self, world: &mut World) -> bool {
        match self.showing {
            Showing::Past { .. } => return true,
            Showing::Returning => {
                self.problem = Some("the present is not there yet: try again in a moment".into());
                return false;
            }
            Showing::Live => {}
        }
        let Some(Recording(open)) = world.get_resource::<Recording>().cloned() else {
            self.problem = Some("there is no history to show: name one under [history] in twin.toml".into());
            return false;
        };
        let Some(site) = world.get_resource::<Scene>().map(|s| s.site.clone()) else {
            self.problem = Some("no site is open".into());
            return false;
        };
        self.player = Player::start(open, &site);
        if self.player.is_none() {
            self.problem = Some("there is no thread to be had: end another program".into());
            return false;
        }
        let clock = world.get_resource::<TwinClock>().copied().unwrap_or_default();
        world.insert_resource(InPlace { samples: Some(Vec::new()), lets_go: true, clock });
        set_clock(world, clock.now);
        self.showing = Showing::Past { speed: 0.0 };
        (self.left_at, self.loaded_to, self.position_ms) = (clock.now, clock.now, clock.now.0 as f64);
        self.ahead.clear();
        (self.awaited, self.fetching, self.seeking) = (None, None, None);
        true
    }

    fn seek(&mut self, world: &World, time: Time, pace: &ReplayPace) {
        let points = world.get_resource::<Scene>().map_or(0, |s| s.points.len());
        let warm_s = pace.warm_s * (2000.0 / points.max(1) as f64).min(1.0);
        self.position_ms = time.0 as f64;
        self.seeking = Some(time);
        self.awaited = self.player.as_mut().map(|p| p.at(time, warm_s));
        self.fetching = None;
    }

    fn take_answers(&mut self, world: &mut World) {
        while let Some(answer) = self.player.as_ref().and_then(Player::answer) {
            // Somebody who drags is shown the moments on the way as well, as many as can be read.
            if let (Some(time), Some(last)) = (answer.at, self.awaited) {
                if answer.ticket == last {
                    (self.awaited, self.seeking) = (None, None);
                }
                match answer.samples {
                    Err(why) => self.give_up(why),
                    Ok(samples) => self.arrive(world, time, samples),
                }
            } else if let Some((_, to)) = self.fetching.filter(|(ticket, _)| *ticket == answer.ticket) {
                self.fetching = None;
                match answer.samples {
                    Err(why) => self.give_up(why),
                    Ok(samples) => {
                        self.ahead.extend(samples);
                        self.loaded_to = to;
                    }
                }
            }
        }
    }

    /// The history cannot be read: what is shown stands still. Who is on the way back arrives without what was missed.
    fn give_up(&mut self, why: String) {
        self.problem = Some(why);
        if self.showing == Showing::Returning {
            self.loaded_to = Time(i64::MAX);
        } else {
            self.showing = Showing::Past { speed: 0.0 };
        }
    }

    /// Another moment is there.
    fn arrive(&mut self, world: &mut World, time: Time, samples: Vec<Sample>) {
        if self.aside.is_empty() {
            // What was played since the twin left the present is part of how things were.
            self.left_at = world.get_resource::<TwinClock>().map_or(self.left_at, |c| c.now);
            self.aside = vec![
                telemetry::put_aside(world),
                rules::put_aside(world),
                flow::put_aside(world),
                health::put_aside(world),
                alarms::put_aside(world),
            ];
        }
        if samples.is_empty() {
            self.problem = Some(format!("the history has nothing at {time} or before"));
            self.showing = Showing::Past { speed: self.speed().unwrap_or(0.0).max(0.0) };
        }
        world.write_message(Rewound);
        set_clock(world, time);
        self.ahead.clear();
        self.loaded_to = Time(time.0.saturating_add(1));
        if let Some(mut in_place) = world.get_resource_mut::<InPlace>() {
            in_place.samples = Some(samples);
        }
    }

    /// Lets the time that is shown run on.
    fn run(&mut self, world: &mut World, speed: f64, passed_s: f64, pace: &ReplayPace) {
        let shown = world.get_resource::<TwinClock>().map_or(self.left_at, |c| c.now);
        if speed < 0.0 {
            self.position_ms += passed_s * speed * 1000.0;
            if self.awaited.is_none() && (self.position_ms as i64) < shown.0 {
                self.seek(world, Time(self.position_ms as i64), pace);
            }
            return;
        }
        if self.awaited.is_some() || speed == 0.0 {
            return;
        }
        let wanted = self.position_ms + passed_s * speed * 1000.0;
        // Not further than it is read, and not back to where a fraction of a millisecond was lost.
        self.position_ms = wanted.min(self.loaded_to.0 as f64).max(shown.0 as f64);
        let now = Time(self.position_ms as i64);
        if now >= present(world) {
            self.turn_back(world);
            return;
        }
        let ahead_ms = (pace.ahead_s * speed * 1000.0).max(10_000.0);
        if self.fetching.is_none() && (self.loaded_to.0 - now.0) as f64 * 2.0 < ahead_ms {
            let to = Time(self.loaded_to.0.saturating_add(ahead_ms as i64));
            self.fetching = self.player.as_mut().map(|p| (p.ahead(Span { from: self.loaded_to, to }), to));
        }
        set_clock(world, now);
        let due = self.ahead.partition_point(|s| s.device_time <= now);
        if let Some(mut in_place) = world.get_resource_mut::<InPlace>() {
            in_place.samples = Some(self.ahead.drain(..due).collect());
        }
    }

    /// Brings back what was put aside; what came meanwhile is still to be taken in.
    fn turn_back(&mut self, world: &mut World) {
        if self.aside.is_empty() {
            self.left_at = world.get_resource::<TwinClock>().map_or(self.left_at, |c| c.now);
        }
        for restore in std::mem::take(&mut self.aside) {
            restore(world);
        }
        set_clock(world, self.left_at);
        self.showing = Showing::Returning;
        self.ahead.clear();
        (self.awaited, self.fetching, self.seeking) = (None, None, None);
        self.loaded_to = self.left_at;
        if let Some(mut in_place) = world.get_resource_mut::<InPlace>() {
            // From here on what arrives waits: what is read from the history ends behind where that begins.
            (in_place.samples, in_place.lets_go) = (Some(Vec::new()), false);
        }
        self.returning_s = 0.0;
    }

    /// Takes in what came while another time was shown; then the present is there.
    fn catch_up(&mut self, world: &mut World, pace: &ReplayPace) {
        if self.loaded_to == self.left_at && self.fetching.is_none() {
            if self.returning_s < pace.written_within_s {
                return;
            }
            self.start_player(world);
            let from = Time(self.left_at.0.saturating_sub((pace.late_s * 1000.0) as i64));
            let to = Time(i64::MAX);
            self.fetching = self.player.as_mut().map(|p| (p.ahead(Span { from, to }), to));
            if self.fetching.is_none() {
                self.give_up("there is no thread to be had: what came meanwhile is not shown".into());
            }
        }
        if self.fetching.is_some() {
            return;
        }
        let some: Vec<Sample> = self.ahead.drain(..self.ahead.len().min(SAMPLES_A_TICK)).collect();
        let done = some.is_empty();
        if let Some(last) = some.last() {
            set_clock(world, last.device_time.max(self.left_at));
        }
        let Some(mut in_place) = world.get_resource_mut::<InPlace>() else { return };
        if !done {
            in_place.samples = Some(some);
            return;
        }
        in_place.samples = None;
        let clock = in_place.clock;
        if let Some(mut own) = world.get_resource_mut::<TwinClock>() {
            *own = TwinClock { is_held: false, ..clock };
        }
        self.showing = Showing::Live;
        self.player = None;
    }

    fn start_player(&mut self, world: &World) {
        if self.player.is_none()
            && let (Some(Recording(open)), Some(scene)) =
                (world.get_resource::<Recording>(), world.get_resource::<Scene>())
        {
            self.player = Player::start(open.clone(), &scene.site);
        }
    }
}
