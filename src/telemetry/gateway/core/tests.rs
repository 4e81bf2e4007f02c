use super::*;
use crate::site::project::{Broker, BrokerUrl};
use crate::site::unit::Unit;
use crate::telemetry::gateway::aggregate::Take;
use crate::telemetry::gateway::config::{Device, Kind, Point, Source};
use crate::telemetry::gateway::device::simulated::{Shape, Wave};
use crate::telemetry::gateway::dispatch::{Pace, WhenFull};
use crate::telemetry::gateway::spool::Options;
use crate::telemetry::receipts::Ranges;
use serde_json::{Value, json};
use std::collections::{HashMap, VecDeque};
use std::path::Path;

fn point(device: &str, name: &str, rule: Rule) -> Point {
    Point {
        name: name.into(),
        unit: Unit::parse("Cel").unwrap(),
        source: Source::Simulated(Wave { shape: Shape::Sine, mean: 20.0, amplitude: 5.0, period_s: 3600.0 }),
        scale: 0.1,
        offset: -10.0,
        rule,
        poll_s: 10.0,
        topic: format!("site/{device}"),
        key: name.into(),
    }
}

fn config(folder: &Path, devices: Vec<Device>, pace: Pace) -> Config {
    Config {
        file: folder.join("gateway.toml"),
        id: "gw".into(),
        broker: Broker {
            url: BrokerUrl::Remote { host: "127.0.0.1".into(), port: 1883, tls: false },
            ..Broker::default()
        },
        spool: folder.join("spool"),
        options: Options::default(),
        when_full: WhenFull::LoseOldest,
        pace,
        historian: true,
        receipts: "plenum/receipts".into(),
        status: "plenum/gateway".into(),
        status_every_s: 30.0,
        devices,
    }
}

fn device(name: &str, points: Vec<Point>) -> Device {
    Device { name: name.into(), kind: Kind::Simulated, timeout_s: 1.0, retries: 0, points }
}

fn core(config: Config) -> Core {
    let (spool, problems) = Spool::open(&config.spool, config.options).unwrap();
    assert!(problems.is_empty());
    Core::new(config, spool, Time(0))
}

fn payloads(core: &mut Core, now: i64) -> Vec<Value> {
    let out = core.next(Time(now)).unwrap();
    out.iter().map(|o| serde_json::from_slice(&o.payload).unwrap()).collect()
}

fn receipt(core: &mut Core, from: u64, to: u64) {
    let mut ranges = Ranges::EMPTY;
    ranges.add(from, to);
    let publisher = core.publisher().to_owned();
    Receipt::payloads(&publisher, &ranges).iter().for_each(|p| core.receipt(p));
}

const NOW: Pace = Pace {
    backlog_per_s: 5000.0,
    in_flight: 1000,
    again_s: 30.0,
    sync_s: 0.0,
    sync_records: 1000,
    memory_records: 1000,
};

#[test]
fn what_is_read_together_goes_together_and_what_is_bad_by_itself() {
    let dir = tempfile::tempdir().unwrap();
    let points = ["a", "b", "c"].map(|n| point("D", n, Rule::Every)).to_vec();
    let mut core = core(config(dir.path(), vec![device("D", points)], NOW));
    core.dispatch.connected(Time(0));
    let bad = || Reading::bad(2, Quality::BadSensor, "modbus exception 4, device failure");
    core.readings(0, vec![Reading::good(0, 300.0), Reading::good(1, 310.0), bad()], Time(1000));
    let sent = payloads(&mut core, 1000);
    assert_eq!(sent.len(), 2);
    assert_eq!(sent[0]["values"], json!({"a":20.0,"b":21.0}));
    assert_eq!((sent[0]["seq"].as_u64(), sent[1]["seq"].as_u64()), (Some(0), Some(2)));
    assert_eq!(sent[0].get("quality"), None);
    assert_eq!(sent[1]["values"], json!({"c":null}));
    assert_eq!(sent[1]["quality"], "bad-sensor");
    assert_eq!(sent[1]["code"], "modbus exception 4, device failure");
    // As bad as before: nothing new.
    core.readings(0, vec![bad()], Time(2000));
    assert!(payloads(&mut core, 2000).is_empty());
    core.readings(0, vec![Reading::good(2, 300.0)], Time(3000));
    core.readings(0, vec![bad()], Time(4000));
    assert_eq!(payloads(&mut core, 4000).len(), 2, "it was good in between");
    let (_, health) = core.health().next().unwrap();
    assert_eq!((health.word(), health.reads, health.errors), ("online", 6, 3));
    assert!(health.last_error.as_ref().unwrap().contains("device failure"));
}

#[test]
fn a_device_that_is_gone_says_so_once_and_its_means_end() {
    let dir = tempfile::tempdir().unwrap();
    let mean = Rule::Period { length_ms: 60_000, take: Take::Mean };
    let points = vec![point("D", "a", Rule::Every), point("D", "m", mean)];
    let other = device("E", vec![point("E", "a", Rule::Every)]);
    let mut core = core(config(dir.path(), vec![device("D", points), other], NOW));
    core.dispatch.connected(Time(0));
    core.readings(0, vec![Reading::good(0, 300.0), Reading::good(1, 300.0)], Time(0));
    core.gone(0, "no answer", Time(30_000));
    core.gone(0, "no answer", Time(31_000));
    core.readings(1, vec![Reading::good(0, 300.0)], Time(31_000));
    core.tick(Time(60_000));
    let sent = payloads(&mut core, 60_000);
    let of = |i: usize| (&sent[i]["values"], sent[i].get("quality"), sent[i].get("code"));
    assert_eq!(sent.len(), 4, "{sent:#?}");
    assert_eq!(of(0), (&json!({"a":20.0}), None, None));
    assert_eq!(of(1), (&json!({"a":null}), Some(&json!("bad-not-connected")), Some(&json!("no answer"))));
    assert_eq!(of(2), (&json!({"a":20.0}), None, None));
    assert_eq!(of(3).0, &json!({"m":20.0}), "the mean of the half that was measured");
    assert_eq!(of(3).1, Some(&json!("bad-not-connected")));
    let states: Vec<_> = core.health().map(|(_, h)| (h.word(), h.errors)).collect();
    assert_eq!(states, [("offline", 2), ("online", 0)]);
    let news = core.device_news(false, Time(61_000));
    assert_eq!(news[0].0, "plenum/gateway/gw/devices/D");
    let document: Value = serde_json::from_slice(&news[0].1).unwrap();
    assert_eq!((&document["state"], &document["since"]), (&json!("offline"), &json!(Time(30_000))));
    assert!(core.device_news(false, Time(62_000)).is_empty(), "nothing has changed");
}

#[test]
fn the_count_goes_on_after_a_restart() {
    let dir = tempfile::tempdir().unwrap();
    let devices = || vec![device("D", vec![point("D", "a", Rule::Every)])];
    let mut first = core(config(dir.path(), devices(), NOW));
    first.dispatch.connected(Time(0));
    for i in 0..5 {
        first.readings(0, vec![Reading::good(0, 1.0)], Time(i));
    }
    assert_eq!(payloads(&mut first, 10).len(), 5);
    for o in 0..5 {
        first.dispatch.broker_has(o);
    }
    receipt(&mut first, 0, 5);
    first.dispatch.forget().unwrap();
    assert_eq!((first.dispatch.waiting(), first.oldest()), (0, None));
    let publisher = first.publisher().to_owned();
    drop(first);
    let mut second = core(config(dir.path(), devices(), NOW));
    assert_eq!(second.publisher(), publisher);
    second.readings(0, vec![Reading::good(0, 1.0)], Time(77_000));
    second.dispatch.connected(Time(0));
    let sent = payloads(&mut second, 77_000);
    assert_eq!(sent[0]["seq"], 5);
    assert_eq!(second.oldest(), Some(Time(77_000)));
    second.receipt(b"{}");
    second.receipt(br#"{"pub":"somebody else","ranges":[[0,9]]}"#);
    assert_eq!((second.bad_receipts, second.dispatch.waiting()), (1, 1));
}

/// What a historian has of each point, in the order in which it came.
#[derive(Default)]
struct Historian {
    live: HashMap<String, Vec<i64>>,
    late: HashMap<String, Vec<i64>>,
}

impl Historian {
    /// Takes a message; gives the numbers of its samples.
    fn take(&mut self, message: &Outbound) -> (u64, u64) {
        let object: Value = serde_json::from_slice(&message.payload).unwrap();
        let seq = object["seq"].as_u64().unwrap();
        let ts = Time::parse(object["ts"].as_str().unwrap()).unwrap();
        let values = object["values"].as_object().unwrap();
        let into = if message.backlog { &mut self.late } else { &mut self.live };
        for key in values.keys() {
            into.entry(format!("{} {key}", message.topic)).or_default().push(ts.0);
        }
        (seq, seq + values.len() as u64)
    }
}

/// Reliability 2: eight hours without a broker at 1,000 points every 10 s, through aggregation, spool, dispatch, a broker
/// and a historian that answer late: nothing is lost, each point's samples are in order, the backlog is drained within
/// 15 minutes, live samples are current meanwhile.
#[test]
fn eight_hours_without_a_broker() {
    const DEVICES: usize = 20;
    const POINTS: usize = 50;
    const HOURS_MS: i64 = 8 * 3_600_000;
    const POLL_MS: i64 = 10_000;
    let dir = tempfile::tempdir().unwrap();
    let devices = (0..DEVICES).map(|d| {
        let name = format!("D{d}");
        device(&name, (0..POINTS).map(|p| point(&name, &format!("p{p}"), Rule::Every)).collect())
    });
    let pace = Pace { sync_s: 0.2, ..Pace::default() };
    let mut core = core(config(dir.path(), devices.collect(), pace));
    let poll = |core: &mut Core, now: i64| {
        for d in 0..DEVICES {
            let readings = (0..POINTS).map(|p| Reading::good(p, (now / 1000 % 977) as f64)).collect();
            core.readings(d, readings, Time(now));
        }
    };
    let mut now = 0;
    while now < HOURS_MS {
        poll(&mut core, now);
        assert!(core.next(Time(now)).unwrap().is_empty());
        now += POLL_MS;
    }
    let (began, outage) = (now, core.counts().taken);
    assert_eq!(outage, (HOURS_MS / POLL_MS) as u64 * (DEVICES * POINTS) as u64);
    core.dispatch.connected(Time(now));
    let mut historian = Historian::default();
    let mut answers: VecDeque<(i64, u64, (u64, u64))> = VecDeque::new();
    let mut drained = None;
    while now < began + 1_200_000 {
        if now % POLL_MS == 0 {
            poll(&mut core, now);
        }
        for message in core.next(Time(now)).unwrap() {
            let samples = historian.take(&message);
            assert_eq!(samples.0, message.number);
            answers.push_back((now + 300, message.number, samples));
        }
        while answers.front().is_some_and(|(at, ..)| *at <= now) {
            let (_, number, (from, to)) = answers.pop_front().unwrap();
            core.dispatch.broker_has(number);
            receipt(&mut core, from, to);
        }
        if now % 5000 == 0 {
            core.dispatch.forget().unwrap();
        }
        if now - began > 1000 {
            let current = historian.live.values().all(|times| now - times.last().unwrap() <= POLL_MS + 300);
            assert!(current && historian.live.len() == DEVICES * POINTS, "live samples are current at {now}");
        }
        if drained.is_none() && core.dispatch.backlog() == 0 {
            drained = Some(now - began);
        }
        now += 100;
    }
    assert!(drained.is_some_and(|ms| ms < 900_000), "{drained:?}");
    let counts = core.counts();
    assert_eq!((counts.lost, counts.again), (0, 0));
    assert_eq!(counts.taken, counts.sent);
    assert!(core.dispatch.waiting() <= (2 * DEVICES * POINTS) as u64);
    let mut got = 0;
    for (point, late) in &historian.late {
        let live = &historian.live[point];
        assert!(late.is_sorted() && live.is_sorted(), "{point} is in order");
        let mut all: Vec<i64> = late.iter().chain(live).copied().collect();
        all.sort_unstable();
        let right: Vec<i64> = (0..all.len() as i64).map(|i| i * POLL_MS).collect();
        assert_eq!(all, right, "{point}: each once, and none missing");
        got += all.len() as u64;
    }
    assert_eq!((historian.late.len(), got), (DEVICES * POINTS, counts.taken));
}
