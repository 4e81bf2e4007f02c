//! Topics that are bound by hand, the quality of the data, and trends from the history.

use super::*;
use crate::analytics::data_quality::drift::Drift;
use crate::analytics::data_quality::site::{Device, Flaw, Row, SiteQuality};
use crate::analytics::data_quality::{Gap, Lateness, PointQuality};
use crate::history::{Bucket, Span};
use crate::site::PointIndex;
use crate::time::Time;
use crate::twin::past::{PastTrends, TrendAsk};
use crate::twin::wire_status::{Topic, TopicKey};
use std::sync::Arc;

fn topic(world: &World, name: &str, key: &str, point: Option<u32>) -> Topic {
    Topic {
        name: name.into(),
        messages: 412,
        per_s: 0.1,
        last: world.clock.now,
        length: 31,
        payload: "{\n  \"v\": 21.5\n}".into(),
        keys: vec![TopicKey { key: key.into(), unit: Some("Cel"), point: point.map(PointIndex) }],
    }
}

fn listening() -> World {
    let mut world = clinic();
    world.topics.on = true;
    world.topics.rows =
        vec![topic(&world, "bms/level2/room204/temp", "", None), topic(&world, "clinic/ahu/AHU-1", "sat", Some(0))];
    world.views.file = Some("twin.toml".into());
    let clinic = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("models/clinic");
    world.templates = crate::site::project::load(&clinic).unwrap().0.templates;
    world
}

#[test]
fn topics_are_listened_to_only_while_they_are_shown() {
    let mut stage = Stage::new(clinic(), SIZES[1]);
    assert!(stage.click("Topics").contains(&Command::Inspect(true)));
    stage.world.topics.on = true;
    assert!(!stage.frame(Vec::new()).iter().any(|c| matches!(c, Command::Inspect(_))));
    assert!(stage.click("Alarms").contains(&Command::Inspect(false)));
}

#[test]
fn a_value_is_bound_to_the_selected_element() {
    let mut stage = Stage::new(listening(), SIZES[1]);
    let slot = stage.world.slot("VAV-1-03");
    stage.world.view.selected = Some(slot);
    stage.click("Topics");
    stage.settle();
    stage.click("bms/level2/room204/temp");
    stage.settle();
    assert!(stage.find("feeds nothing").is_some());
    stage.click("Bind");
    stage.settle();
    assert!(stage.find("Bind a topic").is_some());
    stage.check_texts("the question for the point");
    let asked = stage.state.topics.binding.clone().unwrap();
    assert_eq!((asked.slot, asked.topic.as_str()), (slot, "bms/level2/room204/temp"));
    let bound = stage.click("Save").into_iter().find_map(|c| if let Command::Bind(b) = c { Some(b) } else { None });
    match bound {
        Some(bound) => {
            assert_eq!((bound.slot, bound.topic.as_str(), bound.key.as_str()), (slot, "bms/level2/room204/temp", ""));
            assert!(!bound.role.is_empty() && !bound.template.is_empty());
            assert!(stage.state.topics.binding.is_none());
        }
        None => panic!("nothing was bound: {:?}", stage.words()),
    }
}

#[test]
fn topics_are_filtered() {
    let mut stage = Stage::new(listening(), SIZES[1]);
    stage.click("Topics");
    stage.settle();
    assert!(stage.find("clinic/ahu/AHU-1").is_some());
    stage.state.topics.unbound = true;
    stage.settle();
    assert!(stage.find("clinic/ahu/AHU-1").is_none() && stage.find("bms/level2/room204/temp").is_some());
}

fn looked_at(world: &mut World) {
    let now = world.clock.now;
    let gap = Gap { from: now.plus_seconds(-7200.0), to: now.plus_seconds(-3600.0) };
    let id = |i: usize| world.scene.as_ref().unwrap().site.points[i].id.clone();
    let row = |i: usize, flaws: &[Flaw]| Row {
        id: id(i),
        quality: PointQuality {
            samples: 8280,
            good: 8280,
            coverage: if flaws.is_empty() { 1.0 } else { 0.958 },
            gaps: if flaws.is_empty() { Vec::new() } else { vec![gap] },
            lateness: Some(Lateness { median_s: 0.4, p95_s: 1.2, max_s: 9.0 }),
            ..PointQuality::default()
        },
        drift: Some(Drift { offset: 0.2, per_day: 0.31, scatter: 0.05, drifts: flaws.len() > 1, neighbours: 12 }),
        twin: flaws.contains(&Flaw::Departs).then_some(Drift {
            offset: 0.4,
            per_day: -0.07,
            scatter: 0.01,
            drifts: true,
            neighbours: 0,
        }),
        flaws: flaws.to_vec(),
    };
    let points = vec![row(4, &[Flaw::Gaps, Flaw::Drifts]), row(5, &[Flaw::Departs]), row(6, &[])];
    let devices = vec![Device { id: "VAV-1-03".into(), points: 3, online: 0.958, offline: vec![gap] }];
    let span = Span { from: now.plus_seconds(-86_400.0), to: now };
    world.past.is_there = true;
    world.past.quality_asked = Some(span);
    world.past.quality = Some(Arc::new(SiteQuality { span, points, devices }));
}

#[test]
fn the_quality_page_looks_by_itself_and_leads_to_points() {
    let mut stage = Stage::new(clinic(), SIZES[1]);
    stage.state.trend.points.clear();
    stage.click("Quality");
    stage.settle();
    assert!(stage.find("Nothing is known of the data").is_some());
    stage.world.past.is_there = true;
    let looks = |out: &[Command]| out.iter().filter(|c| matches!(c, Command::CheckData(_))).count();
    assert_eq!(looks(&stage.frame(Vec::new())), 1);
    looked_at(&mut stage.world);
    assert_eq!(looks(&stage.frame(Vec::new())), 0);
    stage.settle();
    let first = stage.world.past.quality.as_ref().unwrap().points[0].id.clone();
    let last = stage.world.past.quality.as_ref().unwrap().points[2].id.clone();
    assert!(stage.find("gaps, drifts").is_some() && stage.find(&last).is_none());
    let departs = ["drifts from the twin", "-252.00 m³/h/d"].map(|word| stage.words().iter().any(|w| w.contains(word)));
    assert_eq!(departs, [true, true], "{:?}", stage.words());
    assert!(stage.find("Devices that were away (1 of 1)").is_some());
    let out = stage.click(&first);
    assert!(out.iter().any(|c| matches!(c, Command::Select(Some(_)))) && stage.state.trend.points == [PointIndex(4)]);
    assert_eq!(looks(&stage.click("7 d")), 1);
}

#[test]
fn these_pages_fit_at_any_size() {
    for size in SIZES {
        let mut world = listening();
        looked_at(&mut world);
        let mut stage = Stage::new(world, size);
        for tab in ["Topics", "Quality", "Trend"] {
            stage.state.bottom = match tab {
                "Topics" => BottomTab::Topics,
                "Quality" => BottomTab::Quality,
                _ => BottomTab::Trend,
            };
            stage.state.bottom_open = true;
            stage.state.trend.points = vec![PointIndex(0), PointIndex(4)];
            stage.settle();
            stage.check_places(tab);
            stage.check_texts(tab);
        }
    }
}

#[test]
fn a_trend_of_a_week_is_asked_of_the_history_once() {
    let mut stage = Stage::new(clinic(), SIZES[1]);
    stage.world.past.is_there = true;
    stage.state.plot(PointIndex(2));
    stage.settle();
    let asked = |out: Vec<Command>| -> Vec<TrendAsk> {
        out.into_iter().filter_map(|c| if let Command::ReadTrends(a) = c { Some(a) } else { None }).collect()
    };
    let out = asked(stage.click("7 d"));
    let [ask] = out.as_slice() else { panic!("{out:?}") };
    let span = ask.span.unwrap();
    assert_eq!((ask.points.as_slice(), span.to.seconds_since(span.from)), (&[PointIndex(2)][..], 604_800.0));
    assert!(asked(stage.frame(Vec::new())).is_empty(), "nothing has changed");
    let line = (0..100).map(|i| {
        let time = Time(span.from.0 + i * 3_600_000);
        Bucket { n: 360, min: 290.0, max: 296.0, sum: 360.0 * 293.0, last: 293.0, ..Bucket::empty(time) }
    });
    let lines = vec![(PointIndex(2), line.collect())];
    stage.world.past.trends = Some(Arc::new(PastTrends { asked: ask.clone(), simulated: lines.clone(), lines }));
    stage.settle();
    assert!(stage.find("dashed: simulated").is_some());
    stage.world.clock.now = stage.world.clock.now.plus_seconds(7000.0);
    assert_eq!(asked(stage.frame(Vec::new())).len(), 1, "a hundredth of a week later");
    assert_eq!(asked(stage.click("Now")), [TrendAsk::default()]);
}
