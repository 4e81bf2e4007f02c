//! A twin with a history, at other times and back.

use super::*;
use crate::TwinPlugins;
use crate::analytics::Health;
use crate::history::embedded::{Embedded, Options};
use crate::history::{History, PointInfo, PointKey, Stored};
use crate::quality::Quality;
use crate::site::point::{Check, PointSource};
use crate::site::unit::Unit;
use crate::site::{Element, Point, PointIndex, Site, Slot};
use crate::telemetry::Arrival;
use crate::twin::alarms::Alarms;
use crate::twin::health::{PointHealth, Rollup};
use crate::twin::scene::OpenSite;
use crate::twin::telemetry::{Inlet, Intake, LiveValue};
use bevy::time::TimeUpdateStrategy;
use crossbeam_channel::Sender;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

const DAY: i64 = 1_778_400_000;

/// A temperature with a limit of 30, a setpoint that seldom speaks, and their difference.
fn site() -> Site {
    let point = |role: &str, above: Option<f64>, rule: Option<&str>| Point {
        id: format!("AHU/{role}"),
        asset: Slot(0),
        role: role.into(),
        name: role.into(),
        unit: Unit::parse("1").unwrap(),
        expected: None,
        period_s: 10.0,
        stale_after_s: 50_000.0,
        check: above.map(|above| Check { warning_above: Some(above), confirm_s: 60.0, ..Check::default() }),
        source: match rule {
            Some(rule) => PointSource::Rule { expression: rule.into() },
            None => PointSource::Topic { topic: format!("site/{role}"), key: String::new(), broker: None },
        },
        remedy: String::new(),
        watch: Default::default(),
    };
    Site {
        elements: vec![Element { id: "AHU".into(), tag: "AHU".into(), ..Element::default() }],
        points: vec![
            point("temperature", Some(30.0), None),
            point("setpoint", None, None),
            point("difference", None, Some("temperature - setpoint")),
        ],
        ..Site::default()
    }
}

struct Stage {
    app: App,
    wire: Sender<Arrival>,
    history: Arc<Mutex<Embedded>>,
    keys: Vec<PointKey>,
    _folder: tempfile::TempDir,
}

impl Stage {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut history = Embedded::open(&folder.path().join("h.db"), Options::default()).unwrap().0;
        let info = |id: &str| PointInfo { id: id.into(), ..PointInfo::default() };
        let keys = history.declare(&[info("AHU/temperature"), info("AHU/setpoint")]).unwrap();
        let history = Arc::new(Mutex::new(history));
        let own = Arc::clone(&history);
        let (wire, arrivals) = crossbeam_channel::unbounded();
        let mut app = App::new();
        app.add_plugins((MinimalPlugins, TwinPlugins))
            .insert_resource(TimeUpdateStrategy::ManualDuration(Duration::from_millis(100)))
            .insert_resource(TwinClock::of_site(true))
            .insert_resource(Recording(Arc::new(move || own.lock().unwrap().reader().map_err(|e| e.problem()))))
            .insert_resource(OpenSite(Arc::new(site())))
            .insert_resource(Inlet(arrivals));
        app.update();
        Self { app, wire, history, keys, _folder: folder }
    }

    /// A sample arrives, and is in the history.
    fn sample(&self, point: u32, second: i64, value: f64) {
        let time = Time((DAY + second) * 1000);
        let stored = Stored { time, arrival: time, value, quality: Quality::Good, code: 0 };
        self.history.lock().unwrap().append(&[(self.keys[point as usize], stored)]).unwrap();
        let sample = Sample {
            point: PointIndex(point),
            device_time: time,
            arrival: time,
            value,
            quality: Quality::Good,
            code: 0,
        };
        self.wire.send(Arrival::Sample(sample)).unwrap();
    }

    fn clock(&self, second: i64) {
        self.wire.send(Arrival::Clock(Time((DAY + second) * 1000))).unwrap();
    }

    /// A day in seconds from `from` to `to`: it is too hot between 2000 and 3000.
    fn live(&mut self, from: i64, to: i64) {
        for second in (from..to).step_by(10) {
            self.sample(0, second, if (2000..3000).contains(&second) { 35.0 } else { 20.0 + second as f64 / 1e6 });
            self.clock(second);
            if second % 500 == 0 {
                self.app.update();
            }
        }
        self.app.update();
    }

    fn ask(&mut self, command: Command) {
        self.app.world_mut().write_message(command);
        self.app.update();
    }

    fn playback(&self) -> &Playback {
        self.app.world().resource::<Playback>()
    }

    /// Ticks until something holds.
    fn until(&mut self, what: &str, holds: impl Fn(&Self) -> bool) {
        let begin = Instant::now();
        while !holds(self) {
            assert!(begin.elapsed() < Duration::from_secs(20), "{what}: {:?}", self.playback().problem);
            self.app.update();
            std::thread::sleep(Duration::from_millis(1));
        }
    }

    fn seek(&mut self, second: i64) {
        self.ask(Command::Seek(Time((DAY + second) * 1000)));
        self.until("a moment is shown", |s| s.playback().seeking.is_none());
        self.app.update();
    }

    fn go_live(&mut self) {
        self.ask(Command::GoLive);
        self.until("the present is shown", |s| s.playback().is_live());
        self.app.update();
    }

    fn now(&self) -> i64 {
        self.app.world().resource::<TwinClock>().now.0 / 1000 - DAY
    }

    fn of<C: Component + Clone>(&self, point: usize) -> C {
        let entity = self.app.world().resource::<Scene>().points[point];
        self.app.world().get::<C>(entity).unwrap().clone()
    }

    /// Value and health of every point, the alarms, and how many points are how.
    fn state(&self) -> String {
        let points: Vec<_> = (0..3).map(|i| (self.of::<LiveValue>(i), self.of::<PointHealth>(i))).collect();
        let alarms = self.app.world().resource::<Alarms>().0.all();
        format!("{points:?} {alarms:?} {:?}", self.app.world().resource::<Rollup>())
    }
}

#[test]
fn another_moment_is_shown_as_it_was() {
    let mut stage = Stage::new();
    stage.sample(1, 0, 21.0);
    stage.live(10, 10_000);
    assert_eq!(stage.of::<PointHealth>(0).0, Health::Good);

    stage.seek(2500);
    assert_eq!(stage.now(), 2500);
    assert_eq!(stage.of::<LiveValue>(0).value, 35.0);
    // Long before the run-up, and known all the same; and computed of it.
    assert_eq!((stage.of::<LiveValue>(1).value, stage.of::<LiveValue>(2).value), (21.0, 14.0));
    assert_eq!(stage.of::<PointHealth>(0).0, Health::Warning, "it has been too hot for longer than a minute");
    assert_eq!(stage.app.world().resource::<Alarms>().0.active().count(), 1);

    stage.seek(1500);
    assert_eq!((stage.of::<PointHealth>(0).0, stage.app.world().resource::<Alarms>().0.all().len()), (Health::Good, 0));
    // It was too hot already, and not for long enough.
    stage.seek(2030);
    assert_eq!((stage.of::<LiveValue>(0).value, stage.of::<PointHealth>(0).0), (35.0, Health::Good));
}

#[test]
fn who_drags_is_shown_moments_on_the_way() {
    let mut stage = Stage::new();
    stage.live(10, 4000);
    // Another moment at each tick: no answer is ever that to the last question.
    let (mut shown, mut last) = (std::collections::BTreeSet::new(), 0);
    let begin = Instant::now();
    while shown.len() < 5 {
        assert!(begin.elapsed() < Duration::from_secs(20), "only {shown:?}");
        last = 1000 + (last + 10) % 2500;
        stage.ask(Command::Seek(Time((DAY + last) * 1000)));
        let now = stage.now();
        assert!(now != last || stage.playback().seeking.is_none());
        shown.insert(now);
    }
    stage.until("the last one", |s| s.playback().seeking.is_none());
    stage.app.update();
    assert_eq!(stage.now(), last);
    let hot = (2000..3000).contains(&last);
    assert_eq!(stage.of::<LiveValue>(0).value > 30.0, hot);
}

#[test]
fn back_at_present_nothing_was_missed() {
    let mut away = Stage::new();
    let mut stayed = Stage::new();
    for stage in [&mut away, &mut stayed] {
        stage.sample(1, 0, 21.0);
        stage.live(10, 1500);
    }
    away.seek(700);
    let before = away.app.world().resource::<Intake>().samples;
    for stage in [&mut away, &mut stayed] {
        // Alarms come and go meanwhile.
        stage.live(1500, 5000);
    }
    assert_eq!(away.now(), 700, "what arrives moves nothing");
    assert_eq!(away.app.world().resource::<Intake>().samples, before + 350, "but it is counted");
    away.go_live();
    assert_eq!(away.now(), stayed.now());
    assert_eq!(away.state(), stayed.state());
    for stage in [&mut away, &mut stayed] {
        stage.live(5000, 6000);
    }
    assert_eq!(away.state(), stayed.state());
    assert_eq!(away.app.world().resource::<Intake>(), stayed.app.world().resource::<Intake>());
}

#[test]
fn it_plays_at_any_speed_and_arrives_at_the_present() {
    let mut stage = Stage::new();
    stage.live(0, 6000);
    stage.seek(1000);
    // Six seconds a tick.
    stage.ask(Command::Play(60.0));
    stage.until("it is too hot", |s| s.of::<LiveValue>(0).value == 35.0);
    let now = stage.now();
    assert!((2000..2020).contains(&now), "{now}: samples come at their time");
    stage.until("the alarm", |s| s.of::<PointHealth>(0).0 == Health::Warning);
    assert!((2060..2100).contains(&stage.now()), "{}", stage.now());
    stage.ask(Command::Play(0.0));
    let paused = stage.now();
    (0..5).for_each(|_| stage.app.update());
    assert_eq!(stage.now(), paused);
    stage.ask(Command::Play(-300.0));
    stage.until("it was not yet too hot", |s| s.of::<LiveValue>(0).value < 30.0);
    assert!(stage.now() < 2000 && stage.app.world().resource::<Alarms>().0.all().is_empty());
    stage.ask(Command::Play(3600.0));
    stage.until("the present", |s| s.playback().is_live());
    stage.app.update();
    assert_eq!(stage.now(), 5990);
    assert_eq!(stage.of::<PointHealth>(0).0, Health::Good);
}

#[test]
fn paused_at_present_it_stands_still_and_plays_on() {
    let mut stage = Stage::new();
    stage.live(0, 1000);
    let before = stage.state();
    stage.ask(Command::Play(0.0));
    stage.live(1000, 2500);
    assert_eq!((stage.state(), stage.now()), (before, 990));
    stage.ask(Command::Play(600.0));
    stage.until("it is too hot", |s| s.of::<LiveValue>(0).value == 35.0);
    stage.go_live();
    assert_eq!(stage.now(), 2490);
    assert_eq!(stage.of::<PointHealth>(0).0, Health::Warning);
}

#[test]
fn what_cannot_be_shown_is_said() {
    let mut stage = Stage::new();
    stage.live(5000, 6000);
    stage.seek(100);
    assert!(stage.playback().problem.as_ref().is_some_and(|p| p.contains("nothing")), "{:?}", stage.playback().problem);
    assert_eq!(stage.of::<PointHealth>(0).0, Health::Unknown);
    stage.go_live();
    assert_eq!(stage.now(), 5990);
    stage.ask(Command::Play(f64::NAN));
    assert!(stage.playback().is_live() && stage.playback().problem.is_some());
    // The future is the present.
    stage.seek(100_000);
    assert_eq!(stage.now(), 5990);
    stage.go_live();
    stage.app.world_mut().remove_resource::<Recording>();
    stage.ask(Command::Seek(Time(DAY * 1000)));
    assert!(stage.playback().is_live());
    assert!(stage.playback().problem.as_ref().is_some_and(|p| p.contains("[history]")));
}

#[test]
fn a_history_that_cannot_be_read_leaves_the_present() {
    let mut stage = Stage::new();
    stage.live(0, 1000);
    let broken = || Err(crate::Problem::error("h.db", "the disk is gone", "look for it"));
    stage.app.insert_resource(Recording(Arc::new(broken)));
    let before = stage.state();
    stage.ask(Command::Seek(Time((DAY + 500) * 1000)));
    stage.until("it is said", |s| s.playback().problem.is_some());
    assert_eq!(stage.state(), before);
    stage.go_live();
    stage.live(1000, 1500);
    assert_eq!(stage.now(), 1490);
}
