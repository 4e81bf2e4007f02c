//! The twin as a whole, fed by hand: no window, no wire.

use super::alarms::Alarms;
use super::clock::{TwinClock, wall_clock};
use super::command::Command;
use super::health::{AssetHealth, HealthCounts, PointHealth, Rollup};
use super::scene::{GlobalId, InSlot, IsPoint, OpenSite, Scene};
use super::summary::summary;
use super::telemetry::{Inlet, Intake, LiveValue, Trend};
use super::view::{ColourBy, Drawn, STOREY_CUT_M, Theme, View};
use crate::TwinPlugins;
use crate::analytics::Health::{self, Critical, Good, Stale, Unknown, Warning};
use crate::operations::alarm::AlarmState;
use crate::quality::Quality;
use crate::site::model::{Group, Storey};
use crate::site::point::{Check, PointSource};
use crate::site::unit::Unit;
use crate::site::{Element, Point, PointIndex, Site, Slot};
use crate::telemetry::{Arrival, Sample};
use crate::time::Time;
use bevy::prelude::*;
use crossbeam_channel::Sender;
use std::sync::Arc;

const TEMPERATURE: u32 = 0;
const SETPOINT: u32 = 1;
const DIFFERENCE: u32 = 2;
const AIRFLOW: u32 = 3;
/// A day long gone by this machine's clock.
const DAY: i64 = 1_577_880_000_000;

fn point(asset: u32, role: &str, check: Option<Check>, rule: Option<&str>) -> Point {
    Point {
        id: format!("{asset}/{role}"),
        asset: Slot(asset),
        role: role.into(),
        name: role.into(),
        unit: Unit::ONE,
        expected: None,
        period_s: 5.0,
        stale_after_s: 60.0,
        check,
        source: match rule {
            Some(text) => PointSource::Rule { expression: text.into() },
            None => PointSource::Topic { topic: format!("t/{asset}"), key: role.into(), broker: None },
        },
        remedy: "look".into(),
        watch: Default::default(),
    }
}

/// Two machines on two storeys, in one system; the first with a rule.
fn site() -> Site {
    let limit = |warning, critical| {
        Some(Check {
            warning_above: Some(warning),
            critical_above: Some(critical),
            hysteresis: 1.0,
            ..Check::default()
        })
    };
    let element = |id: &str, storey| Element {
        id: id.into(),
        tag: id.into(),
        storey: Some(storey),
        systems: vec![storey],
        ..Element::default()
    };
    Site {
        elements: vec![element("AHU", 0), element("VAV", 1), Element { id: "loose".into(), ..Element::default() }],
        storeys: vec![
            Storey { name: "0".into(), ..Storey::default() },
            Storey { name: "1".into(), elevation_m: 4.0, ..Storey::default() },
        ],
        systems: vec![Group::default(), Group::default()],
        points: vec![
            point(0, "temperature", limit(30.0, 35.0), None),
            point(0, "setpoint", None, None),
            point(0, "difference", limit(5.0, 100.0), Some("abs(temperature - setpoint)")),
            point(1, "airflow", limit(2.0, 3.0), None),
        ],
        ..Site::default()
    }
}

struct Twin {
    app: App,
    wire: Sender<Arrival>,
}

impl Twin {
    /// A twin of a site with a clock of its own.
    fn new() -> Self {
        let (wire, arrivals) = crossbeam_channel::unbounded();
        let mut app = App::new();
        app.add_plugins((MinimalPlugins, TwinPlugins))
            .insert_resource(TwinClock::of_site(true))
            .insert_resource(OpenSite(Arc::new(site())))
            .insert_resource(Inlet(arrivals));
        app.update();
        Self { app, wire }
    }

    fn clock(&self, second: i64) {
        self.wire.send(Arrival::Clock(Time(DAY + second * 1000))).unwrap();
    }

    fn sample(&self, point: u32, second: i64, value: f64) {
        let device_time = Time(DAY + second * 1000);
        let quality = Quality::Good;
        self.wire
            .send(Arrival::Sample(Sample {
                point: PointIndex(point),
                device_time,
                arrival: wall_clock(),
                value,
                quality,
                code: 0,
            }))
            .unwrap();
    }

    fn tick(&mut self) {
        self.app.update();
    }

    fn of<C: Component + Clone>(&self, point: u32) -> C {
        let entity = self.app.world().resource::<Scene>().points[point as usize];
        self.app.world().get::<C>(entity).unwrap().clone()
    }

    fn health(&self, point: u32) -> Health {
        self.of::<PointHealth>(point).0
    }

    fn asset(&self, slot: usize) -> Health {
        let entity = self.app.world().resource::<Scene>().elements[slot];
        self.app.world().get::<AssetHealth>(entity).unwrap().0
    }

    fn alarms(&self) -> Vec<(Slot, AlarmState)> {
        self.app.world().resource::<Alarms>().0.all().iter().map(|a| (a.asset, a.state)).collect()
    }

    fn ask(&mut self, command: Command) -> View {
        self.app.world_mut().write_message(command);
        self.tick();
        self.app.world().resource::<View>().clone()
    }
}

#[test]
fn samples_become_values_trends_health_and_alarms() {
    let mut twin = Twin::new();
    assert_eq!((twin.health(TEMPERATURE), twin.asset(0)), (Unknown, Unknown));
    twin.sample(TEMPERATURE, 1, 20.0);
    twin.sample(AIRFLOW, 1, 1.0);
    twin.clock(1);
    twin.tick();
    let live: LiveValue = twin.of(TEMPERATURE);
    assert_eq!((live.value, live.quality, live.device_time), (20.0, Quality::Good, Some(Time(DAY + 1000))));
    assert!(live.arrival.is_some());
    assert_eq!(twin.of::<Trend>(TEMPERATURE).samples, [(Time(DAY + 1000), 20.0)]);
    assert_eq!((twin.health(TEMPERATURE), twin.asset(0), twin.asset(1)), (Good, Good, Good));
    assert!(twin.alarms().is_empty());

    twin.sample(TEMPERATURE, 6, 36.0);
    twin.sample(AIRFLOW, 6, 2.5);
    twin.clock(6);
    twin.tick();
    assert_eq!((twin.health(TEMPERATURE), twin.asset(0), twin.asset(1)), (Critical, Critical, Warning));
    let rollup = twin.app.world().resource::<Rollup>();
    assert_eq!(rollup.points, HealthCounts { warning: 1, critical: 1, unknown: 2, ..HealthCounts::default() });
    assert_eq!(
        (rollup.storeys.as_slice(), rollup.systems.as_slice()),
        (&[Critical, Warning][..], &[Critical, Warning][..])
    );
    assert_eq!(twin.alarms(), [(Slot(0), AlarmState::Unacknowledged), (Slot(1), AlarmState::Unacknowledged)]);
    let summary = summary(twin.app.world());
    assert_eq!((summary.elements, summary.points, summary.bound_points), (3, 4, 3));
    assert_eq!(summary.alarms[0].asset, "AHU");
    assert_eq!(summary.alarms[0].raised_at, Time(DAY + 6000), "at the device's time");

    twin.sample(TEMPERATURE, 11, 20.0);
    twin.tick();
    assert_eq!((twin.health(TEMPERATURE), twin.asset(0)), (Good, Good));
    assert_eq!(twin.alarms()[0].1, AlarmState::Returned);
    assert_eq!(twin.app.world().resource::<Rollup>().storeys, [Good, Warning]);
}

#[test]
fn acknowledging_is_a_command() {
    let mut twin = Twin::new();
    twin.sample(TEMPERATURE, 1, 36.0);
    twin.clock(1);
    twin.tick();
    let id = twin.app.world().resource::<Alarms>().0.all()[0].id;
    twin.ask(Command::Acknowledge(id));
    assert_eq!(twin.alarms(), [(Slot(0), AlarmState::Acknowledged)]);
    twin.sample(TEMPERATURE, 6, 20.0);
    twin.tick();
    assert_eq!(twin.alarms(), [(Slot(0), AlarmState::Normal)]);
    assert!(summary(twin.app.world()).alarms.is_empty(), "what is over is not reported");
    // A number that is none changes nothing.
    twin.ask(Command::Acknowledge(crate::operations::AlarmId(99)));
    assert_eq!(twin.alarms().len(), 1);
}

#[test]
fn silence_is_judged_by_the_sites_clock() {
    let mut twin = Twin::new();
    twin.sample(AIRFLOW, 1, 1.0);
    twin.clock(1);
    twin.tick();
    twin.clock(61);
    twin.tick();
    assert_eq!(twin.health(AIRFLOW), Good, "sixty seconds are not more than sixty");
    twin.clock(63);
    twin.tick();
    assert_eq!((twin.health(AIRFLOW), twin.asset(1)), (Stale, Stale));
    assert_eq!(twin.alarms(), [(Slot(1), AlarmState::Unacknowledged)]);
    twin.sample(AIRFLOW, 64, 1.0);
    twin.clock(64);
    twin.tick();
    assert_eq!((twin.health(AIRFLOW), twin.asset(1)), (Good, Good));
    assert_eq!(twin.alarms(), [(Slot(1), AlarmState::Returned)]);
}

#[test]
fn a_site_whose_day_is_long_gone_is_not_stale() {
    let mut twin = Twin::new();
    // By this machine's clock these are years old, and the site has not said yet what time it is.
    twin.sample(AIRFLOW, 1, 1.0);
    twin.tick();
    assert_eq!(twin.health(AIRFLOW), Good);
    assert!(twin.app.world().resource::<TwinClock>().now > Time(DAY + 1_000_000));
    twin.clock(2);
    twin.tick();
    assert_eq!(twin.app.world().resource::<TwinClock>().now, Time(DAY + 2000));
    assert_eq!(twin.health(AIRFLOW), Good);
    assert!(twin.alarms().is_empty(), "and nobody was told that it was silent");
    twin.clock(70);
    twin.tick();
    assert_eq!(twin.health(AIRFLOW), Stale);
}

#[test]
fn without_a_clock_of_its_own_a_site_is_judged_by_this_machines() {
    let mut twin = Twin::new();
    twin.app.insert_resource(TwinClock::of_site(false));
    twin.sample(AIRFLOW, 1, 1.0);
    twin.tick();
    assert_eq!(twin.health(AIRFLOW), Stale, "it was measured years ago");
}

#[test]
fn a_rule_sees_whole_messages_only() {
    let mut twin = Twin::new();
    // Both rise together: after half of a message the difference would be 8.
    for (second, value) in [(1, 20.0), (6, 29.0), (11, 10.0)] {
        twin.sample(TEMPERATURE, second, value);
        twin.sample(SETPOINT, second, value + 1.0);
    }
    twin.clock(11);
    twin.tick();
    let trend: Vec<(Time, f64)> = twin.of::<Trend>(DIFFERENCE).samples.into();
    assert_eq!(trend, [1, 6, 11].map(|s| (Time(DAY + s * 1000), 1.0)), "once a message, at its moment");
    let live: LiveValue = twin.of(DIFFERENCE);
    assert_eq!(live.quality, Quality::Simulated);
    assert_eq!(twin.health(DIFFERENCE), Good);
    twin.sample(TEMPERATURE, 16, 25.0);
    twin.sample(SETPOINT, 16, 11.0);
    twin.tick();
    assert_eq!((twin.of::<LiveValue>(DIFFERENCE).value, twin.health(DIFFERENCE)), (14.0, Warning));
    assert_eq!(twin.alarms(), [(Slot(0), AlarmState::Unacknowledged)]);
}

#[test]
fn late_double_and_mad_samples_do_no_harm() {
    let mut twin = Twin::new();
    twin.sample(TEMPERATURE, 10, 20.0);
    twin.sample(TEMPERATURE, 5, 99.0);
    twin.sample(TEMPERATURE, 10, 99.0);
    twin.sample(4_000_000, 10, 99.0);
    twin.clock(10);
    twin.tick();
    let intake = *twin.app.world().resource::<Intake>();
    assert_eq!((intake.samples, intake.late, intake.duplicate), (4, 1, 1));
    assert_eq!(twin.of::<LiveValue>(TEMPERATURE).value, 20.0);
    assert_eq!(twin.of::<Trend>(TEMPERATURE).samples.len(), 1);
    assert_eq!((twin.health(TEMPERATURE), twin.alarms().len()), (Good, 0));
    for (second, value) in [(11, f64::NAN), (12, f64::INFINITY), (13, f64::NEG_INFINITY), (14, f64::MAX)] {
        twin.sample(TEMPERATURE, second, value);
        twin.sample(SETPOINT, second, value);
        twin.tick();
        assert_ne!(twin.health(TEMPERATURE), Good, "{value} is not well");
    }
    twin.sample(TEMPERATURE, 15, 20.0);
    twin.sample(SETPOINT, 15, 20.0);
    twin.tick();
    assert_eq!((twin.health(TEMPERATURE), twin.health(SETPOINT), twin.health(DIFFERENCE)), (Good, Good, Good));
}

#[test]
fn what_is_shown_follows_commands() {
    let mut twin = Twin::new();
    let drawn = |view: &View| [0, 1, 2].map(|s| view.drawn(Slot(s)));
    use Drawn::{Ghost, Hidden, Solid};
    assert_eq!(drawn(&twin.ask(Command::Isolate(vec![Slot(1)]))), [Hidden, Solid, Hidden]);
    assert_eq!(drawn(&twin.ask(Command::Ghost(vec![Slot(1), Slot(77)]))), [Hidden, Ghost, Hidden]);
    assert_eq!(drawn(&twin.ask(Command::ShowAll)), [Solid; 3]);
    assert_eq!(drawn(&twin.ask(Command::Hide(vec![Slot(0)]))), [Hidden, Solid, Solid]);
    assert_eq!(drawn(&twin.ask(Command::GhostOthers(vec![Slot(2)]))), [Ghost, Ghost, Solid]);
    let view = twin.ask(Command::CutStorey(Some(1)));
    assert_eq!(
        (drawn(&view), view.section_m, view.storey),
        ([Hidden, Solid, Solid], Some(4.0 + STOREY_CUT_M), Some(1))
    );
    let view = twin.ask(Command::CutStorey(Some(9)));
    assert_eq!((drawn(&view), view.section_m), ([Solid; 3], None), "a storey that is none");
    assert_eq!(twin.ask(Command::SectionAt(Some(2.5))).section_m, Some(2.5));
    assert_eq!(twin.ask(Command::ShowAll).section_m, None);
    assert_eq!(twin.ask(Command::Select(Some(Slot(1)))).selected, Some(Slot(1)));
    assert_eq!(twin.ask(Command::Hover(Some(Slot(2)))).hovered, Some(Slot(2)));
    assert_eq!(twin.ask(Command::ColourBy(ColourBy::Health)).colour_by, ColourBy::Health);
    assert!(twin.ask(Command::ShowSpaces(true)).spaces);
    assert_eq!(twin.ask(Command::Theme(Theme::Light)).theme, Theme::Light);
}

#[test]
fn another_site_takes_the_place_of_the_first() {
    let mut twin = Twin::new();
    twin.sample(TEMPERATURE, 1, 36.0);
    twin.clock(1);
    twin.tick();
    assert_eq!(twin.alarms().len(), 1);
    let old = twin.app.world().resource::<Scene>().clone();
    let mut other = site();
    other.elements.truncate(2);
    other.elements[0].id = "other".into();
    other.points.truncate(1);
    twin.app.insert_resource(OpenSite(Arc::new(other)));
    twin.tick();
    let world = twin.app.world_mut();
    assert!(old.elements.iter().chain(&old.points).all(|e| world.get_entity(*e).is_err()), "the first is gone");
    assert_eq!(world.query::<&InSlot>().iter(world).count(), 2);
    assert_eq!(world.query::<&IsPoint>().iter(world).count(), 1);
    assert_eq!(world.query::<&GlobalId>().iter(world).filter(|g| g.0 == "other").count(), 1);
    assert!(twin.alarms().is_empty());
    assert_eq!((twin.health(0), twin.asset(0)), (Unknown, Unknown));
    assert_eq!(twin.app.world().resource::<Rollup>().points, HealthCounts { unknown: 1, ..HealthCounts::default() });
    // An earlier moment than the first site's last is no late sample of the second.
    twin.sample(0, 0, 20.0);
    twin.sample(3, 5, 1.0);
    twin.tick();
    assert_eq!(twin.health(0), Good);
    assert_eq!(twin.app.world().resource::<Intake>().late, 0);
}

#[test]
fn what_the_history_knew_is_shown_until_something_fresh_comes_and_is_never_healthy() {
    use super::telemetry::LastKnown;
    use crate::history::Stored;
    let stored = |value, quality| Some(Stored { time: Time(DAY), arrival: Time(DAY + 5), value, quality, code: 0 });
    let known = LastKnown {
        latest: vec![stored(21.0, Quality::Good), stored(22.0, Quality::BadSensor), None, None],
        trends: vec![vec![(Time(DAY - 1000), 20.0), (Time(DAY), 21.0)]],
    };
    let mut app = App::new();
    let (wire, arrivals) = crossbeam_channel::unbounded();
    app.add_plugins((MinimalPlugins, TwinPlugins))
        .insert_resource(TwinClock::of_site(true))
        .insert_resource(known)
        .insert_resource(OpenSite(Arc::new(site())))
        .insert_resource(Inlet(arrivals));
    app.update();
    let mut twin = Twin { app, wire };
    twin.tick();
    let live: LiveValue = twin.of(TEMPERATURE);
    assert_eq!((live.value, live.quality, live.device_time), (21.0, Quality::UncertainLastKnown, Some(Time(DAY))));
    assert_eq!(twin.of::<LiveValue>(SETPOINT).quality, Quality::BadSensor, "not better for being old");
    assert_eq!(twin.of::<LiveValue>(AIRFLOW), LiveValue::default());
    assert_eq!(twin.of::<Trend>(TEMPERATURE).samples.len(), 2);
    assert_eq!([TEMPERATURE, SETPOINT].map(|p| twin.health(p)), [Unknown, Unknown]);
    twin.clock(10);
    twin.sample(TEMPERATURE, 10, 23.0);
    twin.tick();
    let live: LiveValue = twin.of(TEMPERATURE);
    assert_eq!((live.value, live.quality), (23.0, Quality::Good));
    assert_eq!(twin.health(TEMPERATURE), Good);
    assert_eq!(twin.of::<Trend>(TEMPERATURE).samples.len(), 3);
}

#[test]
fn what_rules_compute_is_kept_and_a_history_that_keeps_nothing_is_an_alarm() {
    use super::history::{NOT_KEPT, Recorder};
    use crate::history::embedded::{Embedded, Options};
    use crate::history::{HistoryError, PointKey, Reason, Span};
    use crate::telemetry::historian::{Declared, Historian, Settings, Source};
    use std::sync::atomic::{AtomicBool, Ordering};
    use std::time::Duration;
    let dir = tempfile::tempdir().unwrap();
    let (file, there) = (dir.path().join("h.db"), Arc::new(AtomicBool::new(true)));
    let is_there = Arc::clone(&there);
    let open = move || match is_there.load(Ordering::SeqCst) {
        false => Err(HistoryError::new(Reason::Gone, "h.db", "its disk is gone")),
        true => {
            Embedded::open(&file, Options::default()).map(|(s, p)| (Box::new(s) as Box<dyn crate::history::History>, p))
        }
    };
    there.store(false, Ordering::SeqCst);
    let source = Source { place: "h.db".into(), open: Box::new(open), bytes: Box::new(|| None) };
    let settings =
        Settings { gather: Duration::from_millis(5), retry: Duration::from_millis(20), ..Settings::default() };
    let historian = Historian::start(source, settings).unwrap();
    let mut twin = Twin::new();
    let declared = Arc::new(Declared::of(&site().points, &Default::default()));
    twin.app.insert_resource(Recorder { inlet: historian.inlet(), declared, simulated_every_s: 0.0 });
    twin.clock(0);
    twin.sample(TEMPERATURE, 0, 25.0);
    twin.sample(SETPOINT, 0, 21.0);
    twin.tick();
    let own = |twin: &Twin| {
        let alarms = twin.app.world().resource::<Alarms>().0.all();
        alarms.iter().find(|a| a.name == NOT_KEPT).map(|a| (a.state, a.remedy.clone()))
    };
    let (state, remedy) = own(&twin).unwrap();
    assert!(state == AlarmState::Unacknowledged && remedy.contains("its disk is gone"), "{remedy}");
    assert_eq!(summary(twin.app.world()).alarms[0].tag, "Plenum");
    there.store(true, Ordering::SeqCst);
    while historian.status().computed == 0 {
        std::thread::sleep(Duration::from_millis(5));
    }
    twin.tick();
    assert_eq!(own(&twin).unwrap().0, AlarmState::Returned);
    let reader = historian.reader(Duration::from_secs(60)).unwrap();
    let kept = reader.samples(PointKey(DIFFERENCE), Span::ALL).unwrap();
    assert_eq!(
        kept.iter().map(|s| (s.time, s.value, s.quality)).collect::<Vec<_>>(),
        [(Time(DAY), 4.0, Quality::Simulated)]
    );
    // What was measured is kept on its way here, not here.
    assert_eq!(historian.status().stored, 0);
}
