//! *Reload*, as people have it but without a window: a twin with live values and alarms goes on with a new revision of
//! its model, and with none that is broken.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod common;
#[path = "revision/revise.rs"]
mod revise;

use bevy::ecs::message::MessageCursor;
use bevy::prelude::{App, Entity, Messages, MinimalPlugins};
use common::LONG;
use plenum::TwinPlugins;
use plenum::cli::live::Live;
use plenum::cli::open::open;
use plenum::cli::reload::{self, Reloading, Told};
use plenum::import::Progress;
use plenum::operations::{AlarmId, AlarmState};
use plenum::problem::{Problem, Severity};
use plenum::site::point::PointSource;
use plenum::site::project::{Move, place_file};
use plenum::site::revision::report::Kind;
use plenum::site::{Site, Slot};
use plenum::telemetry::Publisher;
use plenum::twin::alarms::Alarms;
use plenum::twin::changes::Changes;
use plenum::twin::command::Command;
use plenum::twin::scene::Scene;
use plenum::twin::telemetry::{Intake, Trend};
use plenum::twin::view::{ColourBy, Drawn, View};
use revise::{MEP, Plan, project_folder, revise};
use std::collections::{BTreeMap, HashMap};
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

/// A morning, milliseconds since 1970.
const MORNING: i64 = 1_778_479_200_000;

/// A point of the site at the start: its element, and where its values are published. The devices know nothing else.
struct Device {
    point: String,
    asset: String,
    topic: String,
    key: String,
}

struct Running {
    app: App,
    live: Live,
    publisher: Publisher,
    told: MessageCursor<Told>,
    devices: Vec<Device>,
    rounds: i64,
    samples: u64,
}

impl Running {
    fn start(folder: &Path) -> Self {
        let opened = open(folder, &Progress::default()).unwrap();
        let mut live = Live::start(&opened, None).unwrap();
        let mut app = App::new();
        app.add_plugins((MinimalPlugins, TwinPlugins, reload::plugin));
        reload::bring(app.world_mut(), folder, &opened, Some(&mut live));
        app.update();
        let publisher = Publisher::connect(&live.connection.address, "test-devices").unwrap();
        let devices = opened.site.points.iter().filter_map(|p| match &p.source {
            PointSource::Topic { topic, key } => Some(Device {
                point: p.id.clone(),
                asset: opened.site.element(p.asset).unwrap().id.clone(),
                topic: topic.clone(),
                key: key.clone(),
            }),
            PointSource::Rule { .. } => None,
        });
        let devices: Vec<Device> = devices.collect();
        assert!(devices.len() > 200, "{}", devices.len());
        Self { app, live, publisher, told: MessageCursor::default(), devices, rounds: 0, samples: 0 }
    }

    /// Every device reports once; what it says tells which device it is and which round.
    fn publish(&mut self) {
        let mut topics: BTreeMap<&str, Vec<String>> = BTreeMap::new();
        for (i, device) in self.devices.iter().enumerate() {
            let key = if device.key.is_empty() { "v" } else { &device.key };
            let value = (i as i64 + 1) * 10_000 + self.rounds;
            topics.entry(&device.topic).or_default().push(format!("\"{key}\":{value}"));
        }
        let time = MORNING + self.rounds * 60_000;
        for (topic, values) in topics {
            let seq = self.samples;
            self.samples += values.len() as u64;
            let values = values.join(",");
            let text = match values.strip_prefix("\"v\"") {
                Some(_) => format!("{{\"pub\":\"d\",\"seq\":{seq},\"ts\":{time},{values}}}"),
                None => format!("{{\"pub\":\"d\",\"seq\":{seq},\"ts\":{time},\"values\":{{{values}}}}}"),
            };
            self.publisher.publish(topic, text.into_bytes()).unwrap();
        }
        self.publisher.publish("clinic/clock", format!("{{\"ts\":{time}}}").into_bytes()).unwrap();
        self.rounds += 1;
    }

    fn ask(&mut self, command: Command) {
        self.app.world_mut().write_message(command);
        self.app.update();
    }

    /// Updates until something is told; the devices go on reporting meanwhile.
    fn until_told(&mut self) -> Told {
        let deadline = Instant::now() + LONG;
        // A trend keeps so many samples one by one.
        let most = self.rounds + 40;
        loop {
            if self.rounds < most {
                self.publish();
            }
            self.app.update();
            let told = self.told.read(self.app.world().resource::<Messages<Told>>()).last().cloned();
            match told {
                Some(told) => return told,
                None => assert!(Instant::now() < deadline, "nothing came of it"),
            }
            std::thread::sleep(std::time::Duration::from_millis(10));
        }
    }

    fn reload(&mut self) -> Told {
        self.ask(Command::Reload);
        self.until_told()
    }

    fn reloaded(&mut self) -> Vec<Problem> {
        match self.reload() {
            Told::Reloaded { problems, notice, .. } => {
                println!("{notice}");
                problems
            }
            other => panic!("{other:?}"),
        }
    }

    /// Everything that was published has come to the twin.
    fn settle(&mut self) {
        let deadline = Instant::now() + LONG;
        loop {
            self.app.update();
            let stats = self.live.connection.subscriber.stats();
            let heard = stats.publishers.get("d").map_or(0, |p| p.next);
            let taken = self.app.world().resource::<Intake>().samples;
            if heard == self.samples && taken == stats.samples {
                assert_eq!((stats.publishers.lost(), stats.overflow, stats.rejected), (Some(0), 0, 0));
                return;
            }
            assert!(Instant::now() < deadline, "{heard} of {} heard, {taken} of {} taken", self.samples, stats.samples);
        }
    }

    fn scene(&self) -> &Scene {
        self.app.world().resource::<Scene>()
    }

    fn site(&self) -> &Arc<Site> {
        &self.scene().site
    }

    fn entity(&self, id: &str) -> Entity {
        self.scene().elements[self.site().find(id).unwrap().0 as usize]
    }

    fn id(&self, slot: Slot) -> String {
        self.site().element(slot).unwrap().id.clone()
    }

    /// By point: GlobalId of its element, and the rounds of each device that it heard.
    fn heard(&self) -> HashMap<String, (String, BTreeMap<usize, Vec<i64>>)> {
        let scene = self.scene();
        let all = scene.site.points.iter().zip(&scene.points).filter(|(p, _)| p.is_measured());
        all.map(|(point, entity)| {
            let mut by_device: BTreeMap<usize, Vec<i64>> = BTreeMap::new();
            for (_, value) in &self.app.world().get::<Trend>(*entity).unwrap().samples {
                let wire = point.unit.from_si(*value).round() as i64;
                by_device.entry((wire / 10_000 - 1) as usize).or_default().push(wire % 10_000);
            }
            (point.id.clone(), (self.id(point.asset), by_device))
        })
        .collect()
    }

    fn alarms(&self) -> BTreeMap<u32, (String, String, AlarmState)> {
        let list = &self.app.world().resource::<Alarms>().0;
        list.all().iter().map(|a| (a.id.0, (self.id(a.asset), a.name.clone(), a.state))).collect()
    }
}

/// What is true of the elements: every device's point stands on the element that its own has become, and has heard
/// nobody else, and every round.
fn check(running: &Running, truth: &HashMap<String, String>, lost: &[&str]) -> usize {
    let heard = running.heard();
    let mut followed = 0;
    for (i, device) in running.devices.iter().enumerate() {
        let Some(is) = truth.get(&device.asset) else {
            assert!(lost.contains(&device.point.as_str()), "{} went without a word", device.point);
            // Its name may be another's now, and then that one has heard nothing of it.
            if let Some((_, by_device)) = heard.get(&device.point) {
                assert!(!by_device.contains_key(&i), "{} is still heard", device.point);
            }
            continue;
        };
        if lost.contains(&device.point.as_str()) {
            continue;
        }
        let (asset, by_device) = &heard[&device.point];
        assert_eq!(asset, is, "{} stands on another element", device.point);
        let rounds: Vec<i64> = (0..running.rounds).collect();
        assert_eq!(by_device.keys().collect::<Vec<_>>(), [&i], "{} heard another device", device.point);
        assert_eq!(by_device[&i], rounds, "{} missed a message", device.point);
        followed += 1;
    }
    for (point, (_, by_device)) in &heard {
        let known = running.devices.iter().any(|d| d.point == *point);
        assert!(known || by_device.is_empty(), "{point} is new and heard {by_device:?}");
    }
    followed
}

#[test]
fn a_running_twin_goes_on_with_a_revision_in_which_nothing_stays_as_it_is() {
    let folder = project_folder();
    let file = folder.path().join(MEP);
    let text = std::fs::read_to_string(&file).unwrap();
    let mut running = Running::start(folder.path());
    for _ in 0..20 {
        running.publish();
        running.app.update();
    }
    running.settle();
    let same: HashMap<String, String> = running.site().elements.iter().map(|e| (e.id.clone(), e.id.clone())).collect();
    assert_eq!(check(&running, &same, &[]), running.devices.len());

    // Somebody has seen one of the alarms, has selected a machine and hidden another.
    assert!(running.alarms().len() > 20, "values like these are alarming");
    let revised = revise(&text, &Plan::hard(3));
    let survives = |id: &String| revised.truth.contains_key(id);
    let open_alarms = running.alarms();
    let (seen, _) = open_alarms.iter().find(|(_, (asset, ..))| survives(asset)).unwrap();
    running.ask(Command::Acknowledge(AlarmId(*seen)));
    let mut bound = running.devices.iter().map(|d| d.asset.clone()).filter(survives);
    let (selected, hidden) = (bound.next().unwrap(), bound.next_back().unwrap());
    drop(bound);
    let slot = |running: &Running, id: &str| running.site().find(id).unwrap();
    running.ask(Command::Select(Some(slot(&running, &selected))));
    running.ask(Command::Hide(vec![slot(&running, &hidden)]));
    running.ask(Command::ColourBy(ColourBy::Health));
    let alarms_before = running.alarms();
    let entities: HashMap<String, Entity> =
        revised.truth.iter().map(|(old, new)| (new.clone(), running.entity(old))).collect();

    std::fs::write(&file, &revised.text).unwrap();
    let problems = running.reloaded();
    for _ in 0..20 {
        running.publish();
        running.app.update();
    }
    running.settle();

    // Values: each where it belongs, none lost and none twice; what could not follow is told, point by point.
    let is_lost = |p: &&Problem| p.message.starts_with("the binding does not follow");
    let lost: Vec<&str> = problems.iter().filter(is_lost).map(|p| p.place.as_str()).collect();
    let followed = check(&running, &revised.truth, &lost);
    let surviving = running.devices.iter().filter(|d| survives(&d.asset)).count();
    println!(
        "{} tags changed: {followed} of {surviving} surviving sensors go on, {} do not",
        revised.retagged,
        lost.len()
    );
    assert!(followed as f64 >= 0.99 * surviving as f64, "{followed} of {surviving}");
    let intake = *running.app.world().resource::<Intake>();
    assert_eq!((intake.late, intake.duplicate), (0, 0));

    // Entities, selection, what is hidden: the same elements as before.
    for (id, entity) in &entities {
        assert_eq!(running.entity(id), *entity, "{id} has another entity");
    }
    let view = running.app.world().resource::<View>().clone();
    assert_eq!(view.selected.map(|s| running.id(s)), Some(revised.truth[&selected].clone()));
    let hidden_now: Vec<String> =
        running.site().iter().filter(|(s, _)| view.drawn(*s) == Drawn::Hidden).map(|(_, e)| e.id.clone()).collect();
    assert_eq!(hidden_now, [revised.truth[&hidden].clone()]);

    // Alarms: the same ones, on the same machines; those of what is gone are told.
    let alarms = running.alarms();
    let mut ended = 0;
    for (id, (asset, name, state)) in &alarms_before {
        match (alarms.get(id), revised.truth.get(asset)) {
            (Some((is, still, now)), Some(should)) => assert_eq!((is, still, now), (should, name, state)),
            (Some(wrong), None) => panic!("the alarm of what is gone stands on {wrong:?}"),
            (None, _) => ended += 1,
        }
    }
    assert_eq!(alarms[seen].2, AlarmState::Acknowledged);
    let told = problems.iter().filter(|p| p.message.contains("ends with it")).count();
    assert_eq!(told, ended);
    assert!(ended > 0 && alarms.len() > ended, "{ended} ended, {} go on", alarms.len());

    // What changed is coloured until somebody dismisses it.
    assert_eq!(view.colour_by, ColourBy::Change);
    let report = running.app.world().resource::<Changes>().report().unwrap().clone();
    assert!(report.count(Kind::Removed) >= revised.deleted.len());
    assert!(revised.added.iter().all(|id| report.of_slot(slot(&running, id)) == Some(Kind::Added)));
    assert!(report.unwritten > 0 && problems.iter().any(reload::is_settled_by_saving));
    running.ask(Command::DismissChanges);
    assert_eq!(running.app.world().resource::<View>().colour_by, ColourBy::Health);
    let left = running.app.world().resource::<Changes>().report().unwrap();
    assert!(left.rows.is_empty() && !left.is_seen() && left.unwritten > 0, "what is to be written is still told");

    // Read once more, and written: what was amended goes on, and is there at the next opening.
    let again = running.reloaded();
    assert_eq!(again.iter().filter(is_lost).count(), 0, "nothing is lost the second time: {again:?}");
    running.ask(Command::SaveBindings);
    let Told::Saved(notice) = running.until_told() else { panic!("not written") };
    println!("{notice}");
    running.settle();
    check(&running, &revised.truth, &lost);
    let opened = open(folder.path(), &Progress::default()).unwrap();
    let points = |site: &Site| -> BTreeMap<String, (String, String)> {
        let of = |p: &plenum::site::Point| (site.element(p.asset).unwrap().id.clone(), format!("{:?}", p.source));
        site.points.iter().map(|p| (p.id.clone(), of(p))).collect()
    };
    assert_eq!(points(&opened.site), points(running.site()));
    let written = running.reloaded();
    assert!(!written.iter().any(reload::is_settled_by_saving), "{written:?}");
    assert!(running.app.world().resource::<Changes>().report().is_none(), "nothing changed");

    // And the next revision follows from there.
    let next = revise(&revised.text, &Plan { turn_deg: -90.0, ..Plan::hard(4) });
    std::fs::write(&file, &next.text).unwrap();
    let problems = running.reloaded();
    running.settle();
    let truth: HashMap<String, String> =
        revised.truth.iter().filter_map(|(old, mid)| Some((old.clone(), next.truth.get(mid)?.clone()))).collect();
    let lost: Vec<&str> = lost.into_iter().chain(problems.iter().filter(is_lost).map(|p| p.place.as_str())).collect();
    let surviving = running.devices.iter().filter(|d| truth.contains_key(&d.asset)).count();
    let followed = check(&running, &truth, &lost);
    println!("after the second revision {followed} of {surviving}");
    assert!(followed as f64 >= 0.99 * surviving as f64);
}

#[test]
fn what_is_laid_elsewhere_while_the_files_are_read_stays_there() {
    let folder = project_folder();
    let file = folder.path().join(MEP);
    let mut running = Running::start(folder.path());
    let source = running.site().sources.iter().position(|s| s.file == file).unwrap();
    let height = |running: &Running| {
        let of_model = running
            .site()
            .iter()
            .find(|(s, e)| usize::from(running.site().source_of[s.0 as usize]) == source && e.bounds.is_some());
        of_model.unwrap().1.placement.translation.z
    };
    let before = height(&running);
    let at = running.site().sources[source].to_project;
    let rotation_deg = at.matrix3.x_axis.y.atan2(at.matrix3.x_axis.x).to_degrees();
    let to = Move::To { offset_m: (at.translation + glam::DVec3::Z * 7.0).to_array(), rotation_deg };
    running.app.world_mut().write_message(Command::Reload);
    running.ask(Command::PlaceModel { source: source as u16, to });
    place_file(&folder.path().join("twin.toml"), &file, to).unwrap();
    running.app.update();
    assert!((height(&running) - before - 7.0).abs() < 1e-6 && running.app.world().contains_resource::<Reloading>());
    // It is read once more, of its own accord.
    let Told::Reloaded { .. } = running.until_told() else { panic!("not reloaded") };
    assert!((height(&running) - before - 7.0).abs() < 1e-6, "{} and {before}", height(&running));
    let same: HashMap<String, String> = running.site().elements.iter().map(|e| (e.id.clone(), e.id.clone())).collect();
    running.settle();
    assert_eq!(check(&running, &same, &[]), running.devices.len());
}

#[test]
fn a_broken_file_leaves_everything_as_it_was() {
    let folder = project_folder();
    let at = |name: &str| folder.path().join(name);
    let (text, twin) = (std::fs::read_to_string(at(MEP)).unwrap(), std::fs::read_to_string(at("twin.toml")).unwrap());
    let mut running = Running::start(folder.path());
    for _ in 0..20 {
        running.publish();
        running.app.update();
    }
    running.settle();
    let (site, elements) = (Arc::clone(running.site()), running.scene().elements.clone());
    let alarms = running.alarms();
    assert!(!alarms.is_empty());
    let header = text.split_once("DATA;").unwrap().0;
    let broken: [(&str, &str, Option<String>); 7] = [
        ("half written", MEP, Some(text[..text.len() / 2].to_owned())),
        ("nothing in it", MEP, Some(format!("{header}DATA;\nENDSEC;\nEND-ISO-10303-21;\n"))),
        ("cut off", MEP, Some(header.to_owned())),
        ("no model", MEP, Some("a word\n".to_owned())),
        ("gone", MEP, None),
        ("no TOML", "twin.toml", Some(format!("{twin}\n[broker\n"))),
        ("a template that cannot be read", "twin.toml", Some(format!("{twin}\n[templates.x]\nmatch = 7\n"))),
    ];
    for (what, name, content) in broken {
        match content {
            Some(content) => std::fs::write(at(name), content).unwrap(),
            None => std::fs::remove_file(at(name)).unwrap(),
        }
        match running.reload() {
            Told::Refused(problem) => {
                println!("{what}: {problem}");
                assert_eq!(problem.severity, Severity::Error);
                assert!(problem.message.starts_with("not reloaded, everything is as it was: "), "{problem}");
                assert!(problem.message.len() > 50 && !problem.place.is_empty(), "{problem}");
            }
            other => panic!("{what}: {other:?}"),
        }
        std::fs::write(at(MEP), &text).unwrap();
        std::fs::write(at("twin.toml"), &twin).unwrap();
    }
    // Somebody asks to stop.
    running.ask(Command::Reload);
    running.app.world().resource::<Reloading>().progress.cancel();
    let Told::Nothing(stopped) = running.until_told() else { panic!("it was not stopped") };
    assert!(stopped.message.contains("stopped"), "{stopped}");

    running.settle();
    assert!(Arc::ptr_eq(&site, running.site()));
    assert_eq!(elements, running.scene().elements);
    assert_eq!(alarms.keys().collect::<Vec<_>>(), running.alarms().keys().take(alarms.len()).collect::<Vec<_>>());
    assert!(running.app.world().resource::<Changes>().report().is_none());
    let same: HashMap<String, String> = site.elements.iter().map(|e| (e.id.clone(), e.id.clone())).collect();
    assert_eq!(check(&running, &same, &[]), running.devices.len());
    // And when all is well again, it is reloaded.
    running.reloaded();
    running.settle();
    assert_eq!(check(&running, &same, &[]), running.devices.len());
}
