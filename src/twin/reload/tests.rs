//! A small twin, read again: two machines change places, one is gone, one is new.

use super::*;
use crate::TwinPlugins;
use crate::analytics::Health;
use crate::operations::alarm::AlarmState;
use crate::quality::Quality;
use crate::site::model::{Group, Storey};
use crate::site::point::{Check, PointSource};
use crate::site::unit::Unit;
use crate::site::{Element, Point, PointIndex, Slot};
use crate::telemetry::Sample;
use crate::time::Time;
use crate::twin::alarms::Alarms;
use crate::twin::clock::TwinClock;
use crate::twin::health::{AssetHealth, PointHealth, Rollup};
use crate::twin::search::Search;
use crate::twin::telemetry::{Inlet, Intake, LiveValue, Trend, waiting};
use crate::twin::view::{Drawn, View};
use crossbeam_channel::{Sender, unbounded};

const DAY: i64 = 1_577_880_000_000;

fn element(id: &str, storey: u32) -> Element {
    Element { id: id.into(), tag: id.into(), storey: Some(storey), systems: vec![storey], ..Element::default() }
}

fn point(asset: u32, label: &str, role: &str, rule: Option<&str>) -> Point {
    let check = Check { warning_above: Some(30.0), critical_above: Some(40.0), ..Check::default() };
    Point {
        id: format!("{label}/{role}"),
        asset: Slot(asset),
        role: role.into(),
        name: role.into(),
        unit: Unit::ONE,
        expected: None,
        period_s: 5.0,
        stale_after_s: 600.0,
        check: Some(check),
        source: match rule {
            Some(text) => PointSource::Rule { expression: text.into() },
            None => PointSource::Topic { topic: label.into(), key: role.into() },
        },
        remedy: "look".into(),
        watch: Default::default(),
    }
}

fn site(elements: Vec<Element>, storeys: &[&str], points: Vec<Point>) -> Arc<Site> {
    let storeys = storeys.iter().enumerate().map(|(i, name)| Storey {
        name: (*name).into(),
        elevation_m: i as f64 * 4.0,
        ..Storey::default()
    });
    let storeys = storeys.collect();
    let systems = vec![Group::default(); 3];
    Arc::new(Site { storeys, systems, points, ..Site::of_elements("", elements).0 })
}

const MEAN: &str = "mean(value, 600)";

/// A, B, C; B has a rule with a memory.
fn before() -> Arc<Site> {
    let elements = vec![element("A", 0), element("B", 1), element("C", 1)];
    let points = vec![
        point(0, "A", "value", None),
        point(1, "B", "value", None),
        point(1, "B", "mean", Some(MEAN)),
        point(2, "C", "value", None),
    ];
    site(elements, &["ground", "first"], points)
}

/// D (new), B, A; the storeys have another below them.
fn after() -> (Arc<Site>, Carry) {
    let elements = vec![element("D", 2), element("B", 2), element("A", 1)];
    let points = vec![
        point(1, "B", "mean", Some(MEAN)),
        point(1, "B", "value", None),
        point(0, "D", "value", None),
        point(2, "A", "value", None),
    ];
    let some = |all: &[Option<u32>]| -> Vec<Option<u32>> { all.to_vec() };
    let carry = Carry {
        slots: some(&[Some(2), Some(1), None]).into_iter().map(|s| s.map(Slot)).collect(),
        points: some(&[Some(3), Some(1), Some(0), None]).into_iter().map(|p| p.map(PointIndex)).collect(),
        storeys: vec![Some(1), Some(2)],
        motion: None,
    };
    (site(elements, &["cellar", "ground", "first"], points), carry)
}

struct Twin {
    app: App,
    wire: Sender<Arrival>,
}

impl Twin {
    fn new() -> Self {
        let (wire, arrivals) = unbounded();
        let mut app = App::new();
        app.add_plugins((MinimalPlugins, TwinPlugins))
            .insert_resource(TwinClock::of_site(true))
            .insert_resource(OpenSite(before()))
            .insert_resource(Inlet(arrivals));
        app.update();
        Self { app, wire }
    }

    /// Reads the site again; what the old queue still has is sent by the one that is returned.
    fn replace(&mut self) -> (Sender<Arrival>, Vec<Problem>) {
        let (site, carry) = after();
        let (wire, arrivals) = unbounded();
        let next = Next { site, carry, report: Report::default() };
        let told = super::replace(self.app.world_mut(), next, Some(arrivals));
        (std::mem::replace(&mut self.wire, wire), told)
    }

    fn value(&self, id: &str) -> (f64, usize) {
        let scene = self.app.world().resource::<Scene>();
        let index = scene.site.points.iter().position(|p| p.id == id).unwrap();
        let entity = self.app.world().entity(scene.points[index]);
        (entity.get::<LiveValue>().unwrap().value, entity.get::<Trend>().unwrap().samples.len())
    }
}

fn sample(point: u32, second: i64, value: f64) -> Arrival {
    let (device_time, arrival) = (Time(DAY + second * 1000), Time(DAY));
    Arrival::Sample(Sample { point: PointIndex(point), device_time, arrival, value, quality: Quality::Good, code: 0 })
}

#[test]
fn what_is_on_its_way_lands_where_it_belongs_and_in_order() {
    let mut twin = Twin::new();
    twin.wire.send(sample(0, 1, 1.0)).unwrap();
    twin.app.update();
    // Read before, and not taken yet: by the old numbers. And one of what is gone.
    for arrival in [sample(0, 2, 2.0), sample(1, 2, 20.0), sample(3, 2, 99.0)] {
        twin.wire.send(arrival).unwrap();
    }
    let (old, told) = twin.replace();
    assert_eq!(told, []);
    // The new queue has samples already, while the old one may bring more.
    twin.wire.send(sample(3, 4, 4.0)).unwrap();
    twin.wire.send(sample(2, 4, 40.0)).unwrap();
    twin.app.update();
    assert_eq!((twin.value("A/value"), twin.value("B/value")), ((2.0, 2), (20.0, 1)));
    assert_eq!((twin.value("D/value").1, waiting(twin.app.world())), (0, 2), "the new queue waits");
    old.send(sample(0, 3, 3.0)).unwrap();
    drop(old);
    twin.app.update();
    assert_eq!((twin.value("A/value"), twin.value("D/value")), ((4.0, 4), (40.0, 1)));
    let intake = *twin.app.world().resource::<Intake>();
    assert_eq!((intake.samples, intake.late, intake.duplicate), (7, 0, 0));
    assert_eq!(waiting(twin.app.world()), 0);
    // Twice at once: the numbers of the first queue go through both.
    let mut twin = Twin::new();
    twin.wire.send(sample(1, 1, 5.0)).unwrap();
    let (first, _) = twin.replace();
    let (site, mut back) = (before(), after().1);
    back.slots = vec![None, Some(Slot(1)), Some(Slot(0))];
    back.points = [Some(2), Some(1), None, Some(0)].map(|p| p.map(PointIndex)).to_vec();
    let (wire, arrivals) = unbounded();
    super::replace(twin.app.world_mut(), Next { site, carry: back, report: Report::default() }, Some(arrivals));
    let second = std::mem::replace(&mut twin.wire, wire);
    twin.wire.send(sample(0, 3, 7.0)).unwrap();
    second.send(sample(3, 2, 6.0)).unwrap();
    drop((first, second));
    twin.app.update();
    assert_eq!((twin.value("B/value"), twin.value("A/value")), ((5.0, 1), (7.0, 2)));
}

#[test]
fn health_alarms_and_what_rules_remember_go_along() {
    let mut twin = Twin::new();
    for (point, value) in [(0, 35.0), (1, 10.0), (3, 50.0)] {
        twin.wire.send(sample(point, 1, value)).unwrap();
    }
    twin.app.update();
    let alarms = |twin: &Twin| -> Vec<(u32, u32, AlarmState)> {
        let list = &twin.app.world().resource::<Alarms>().0;
        list.all().iter().map(|a| (a.id.0, a.asset.0, a.state)).collect()
    };
    let active = AlarmState::Unacknowledged;
    assert_eq!(alarms(&twin), [(1, 0, active), (2, 2, active)]);
    let (old, told) = twin.replace();
    drop(old);
    twin.app.update();
    assert_eq!(alarms(&twin), [(1, 2, active)]);
    assert_eq!((told.len(), told[0].place.as_str()), (1, "C"), "{told:?}");
    let rollup = twin.app.world().resource::<Rollup>().clone();
    assert_eq!(rollup.storeys, [Health::Unknown, Health::Warning, Health::Good]);
    assert_eq!((rollup.points.warning, rollup.points.good, rollup.points.unknown), (1, 2, 1));
    let health = |twin: &Twin, slot: usize| {
        let entity = twin.app.world().resource::<Scene>().elements[slot];
        twin.app.world().get::<AssetHealth>(entity).unwrap().0
    };
    assert_eq!([0, 1, 2].map(|s| health(&twin, s)), [Health::Unknown, Health::Good, Health::Warning]);
    // The mean of 10 and 20: the window remembers what came before. And the alarm returns by the point that raised it.
    twin.wire.send(sample(1, 2, 20.0)).unwrap();
    twin.wire.send(sample(3, 2, 10.0)).unwrap();
    twin.app.update();
    assert_eq!(twin.value("B/mean"), (15.0, 2));
    assert_eq!(alarms(&twin), [(1, 2, AlarmState::Returned)]);
    let rollup = twin.app.world().resource::<Rollup>();
    assert_eq!(rollup.storeys, [Health::Unknown, Health::Good, Health::Good]);
    let points = &twin.app.world().resource::<Scene>().points;
    assert!(points.iter().all(|e| twin.app.world().get::<PointHealth>(*e).is_some()));
}

#[test]
fn what_is_looked_at_and_asked_for_means_the_same_elements() {
    let mut twin = Twin::new();
    let ask = |twin: &mut Twin, command: Command| {
        twin.app.world_mut().write_message(command);
        twin.app.update();
    };
    ask(&mut twin, Command::CutStorey(Some(1)));
    ask(&mut twin, Command::Hide(vec![Slot(1)]));
    ask(&mut twin, Command::Select(Some(Slot(2))));
    ask(&mut twin, Command::Search("tag:A".into()));
    let cut = twin.app.world().resource::<View>().section_m.unwrap();
    let entities = twin.app.world().resource::<Scene>().elements.clone();
    // Asked for in the frame before, by the old numbers.
    twin.app.world_mut().write_message(Command::Ghost(vec![Slot(0), Slot(2)]));
    twin.replace();
    twin.app.update();
    let view = twin.app.world().resource::<View>().clone();
    assert_eq!((view.selected, view.storey), (None, Some(2)), "what was selected is gone");
    assert!((view.section_m.unwrap() - (cut + 4.0)).abs() < 1e-9, "the cut is as high over its floor");
    let drawn: Vec<Drawn> = (0..3).map(|i| view.drawn(Slot(i))).collect();
    assert_eq!(drawn, [Drawn::Solid, Drawn::Hidden, Drawn::Ghost], "D is on the storey, B was hidden, A is a ghost");
    let now = twin.app.world().resource::<Scene>().elements.clone();
    assert_eq!((now[2], now[1]), (entities[0], entities[1]));
    assert!(twin.app.world().get_entity(entities[2]).is_err(), "what is gone is gone");
    let until = std::time::Instant::now() + std::time::Duration::from_secs(60);
    while twin.app.world().resource::<Search>().is_waiting() {
        assert!(std::time::Instant::now() < until, "the search was not asked again");
        twin.app.update();
    }
    let search = twin.app.world().resource::<Search>();
    assert_eq!((search.text(), &search.hits().unwrap().slots[..]), ("tag:A", &[Slot(2)][..]));
}
