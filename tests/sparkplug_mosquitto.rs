//! Plenum as a Sparkplug host at a real mosquitto: births, numbers for names, a gap, a death, and its own STATE.
//!
//! Without mosquitto installed these tests skip, and say so; `scripts/test` installs it.

// A test says what is wrong by panicking, its helpers too.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod common;
mod mqtt_common;

use common::*;
use mqtt_common::mosquitto::*;
use mqtt_common::*;
use plenum::Quality;
use plenum::site::Point;
use plenum::site::project::{Ingest, Sparkplug};
use plenum::site::unit::Unit;
use plenum::telemetry::mqtt::Listener;
use plenum::telemetry::{self, Address, Connection};
use prost::Message;
use serde_json::Value;
use srad_types::payload::{DataType, Metric, Payload, metric};
use std::io::Write;
use std::net::TcpStream;
use std::sync::{Arc, Mutex};
use std::time::Duration;

const NODE: &str = "spBv1.0/site/NDATA/plc";
const DEVICE: &str = "spBv1.0/site/DDATA/plc/ahu";

/// The points: the node's pressure, kPa, and the device's temperature, °F.
fn points() -> [Point; 2] {
    let of = |topic: &str, key: &str, unit: &str| Point { unit: Unit::parse(unit).unwrap(), ..point(topic, key) };
    [of(NODE, "P", "kPa"), of(DEVICE, "T", "[degF]")]
}

fn host(mosquitto: &Mosquitto) -> Connection {
    let sparkplug = Some(Sparkplug { host: "plenum-test".into(), groups: vec!["site".into()] });
    let ingest = Ingest { sparkplug, ..Ingest::default() };
    let connection = telemetry::connect(&mosquitto.project(None), &ingest, None, &points(), "sparkplug test").unwrap();
    assert!(connection.subscriber.wait_connected(LONG), "{:?}", connection.subscriber.status());
    connection
}

/// An edge node: its end is one that nobody could prepare for, so that the broker says its will.
struct Node {
    stream: TcpStream,
    seq: u64,
}

fn text(bytes: &[u8]) -> Vec<u8> {
    [&(bytes.len() as u16).to_be_bytes()[..], bytes].concat()
}

fn metric_of(name: &str, alias: Option<u64>, kind: DataType, value: metric::Value) -> Metric {
    Metric {
        name: (!name.is_empty()).then(|| name.to_owned()),
        alias,
        datatype: Some(kind as u32),
        value: Some(value),
        ..Metric::default()
    }
}

fn double(name: &str, alias: u64, value: f64) -> Metric {
    metric_of(name, Some(alias), DataType::Double, metric::Value::DoubleValue(value))
}

fn life(number: u64) -> Metric {
    metric_of("bdSeq", None, DataType::UInt64, metric::Value::LongValue(number))
}

fn encoded(seq: Option<u64>, metrics: Vec<Metric>) -> Vec<u8> {
    let now = telemetry::wall_clock().0 as u64;
    Payload { timestamp: Some(now), seq, metrics, ..Payload::default() }.encode_to_vec()
}

impl Node {
    /// Connects with the death of its `number`-th life as its will, and listens to its commands.
    fn connect(mosquitto: &Mosquitto, number: u64) -> Self {
        let mut stream = TcpStream::connect(("127.0.0.1", mosquitto.port)).unwrap();
        stream.set_read_timeout(Some(LONG)).unwrap();
        // User, password, a will of QoS 1, a clean session.
        let mut body = [text(b"MQTT"), vec![4, 0xC0 | 0x04 | 0x08 | 0x02, 0, 0], text(b"plc")].concat();
        body.extend(text(b"spBv1.0/site/NDEATH/plc"));
        body.extend(text(&encoded(None, vec![life(number)])));
        body.extend([text(USER.as_bytes()), text(PASSWORD.as_bytes())].concat());
        stream.write_all(&[&[0x10, body.len() as u8][..], &body].concat()).unwrap();
        assert!(body.len() < 128);
        let (first, answer) = read_packet(&mut stream).unwrap();
        assert_eq!((first, answer[1]), (0x20, 0), "CONNACK");
        let filter = [vec![0, 1], text(b"spBv1.0/site/NCMD/plc"), vec![0]].concat();
        stream.write_all(&[&[0x82, filter.len() as u8][..], &filter].concat()).unwrap();
        assert_eq!(read_packet(&mut stream).unwrap().0, 0x90, "SUBACK");
        Self { stream, seq: 0 }
    }

    fn send(&mut self, kind: &str, device: &str, metrics: Vec<Metric>) {
        let topic = format!("spBv1.0/site/{kind}/plc{device}");
        let payload = encoded(Some(self.seq), metrics);
        self.stream.write_all(&publish_packet(&topic, &payload)).unwrap();
        self.seq = (self.seq + 1) % 256;
    }

    fn birth(&mut self, number: u64, pressure: f64, temperature: f64) {
        self.seq = 0;
        let rebirth = metric_of("Node Control/Rebirth", None, DataType::Boolean, metric::Value::BooleanValue(false));
        self.send("NBIRTH", "", vec![life(number), rebirth, double("P", 1, pressure)]);
        self.send("DBIRTH", "/ahu", vec![double("T", 7, temperature)]);
    }

    /// The next command.
    fn command(&mut self) -> Payload {
        loop {
            let (first, body) = read_packet(&mut self.stream).unwrap();
            if first & 0xF0 == 0x30 {
                let topic = usize::from(u16::from_be_bytes([body[0], body[1]]));
                assert_eq!(&body[2..2 + topic], b"spBv1.0/site/NCMD/plc");
                return Payload::decode(&body[2 + topic..]).unwrap();
            }
        }
    }
}

/// What is said on the STATE topic: whether the host is there, and the moment that names its life.
struct Ears {
    heard: Arc<Mutex<Vec<Value>>>,
    _listener: Listener,
}

impl Ears {
    fn new(mosquitto: &Mosquitto) -> Self {
        let address = Address::resolve(&mosquitto.project(None), None).unwrap();
        let heard: Arc<Mutex<Vec<Value>>> = Arc::default();
        let to = Arc::clone(&heard);
        let topic = "spBv1.0/STATE/plenum-test".to_owned();
        let listener = Listener::start(&address, "state-ears", &[topic], move |_, payload| {
            to.lock().unwrap().push(serde_json::from_slice(payload).unwrap());
        })
        .unwrap();
        assert!(listener.wait_connected(LONG));
        Self { heard, _listener: listener }
    }

    /// Waits until the last word is this; gives its moment.
    fn says(&self, online: bool) -> i64 {
        wait_for(if online { "the birth" } else { "the will" }, || {
            let heard = self.heard.lock().unwrap();
            let last = heard.last().filter(|s| s["online"] == online)?;
            last["timestamp"].as_i64()
        })
    }
}

/// Point, value and quality of the next samples, by point.
fn next(connection: &Connection, count: usize) -> Vec<(u32, f64, Quality)> {
    let mut got: Vec<_> = samples(&connection.arrivals, count)
        .iter()
        .map(|s| (s.point.0, (s.value * 1e6).round() / 1e6, s.quality))
        .collect();
    got.sort_by_key(|s| s.0);
    got
}

#[test]
fn from_birth_to_death() {
    let Some(programs) = installed() else { return };
    let mosquitto = Mosquitto::start(&programs, "");
    let ears = Ears::new(&mosquitto);
    let connection = host(&mosquitto);
    let since = ears.says(true);
    assert!((telemetry::wall_clock().0 - since).abs() < 120_000, "milliseconds since 1970");

    let mut node = Node::connect(&mosquitto, 3);
    node.birth(3, 2.0, 32.0);
    assert_eq!(next(&connection, 2), [(0, 2000.0, Quality::Good), (1, 0.0, Quality::Good)]);
    // By numbers only.
    node.send("NDATA", "", vec![double("", 1, 3.0)]);
    node.send("DDATA", "/ahu", vec![double("", 7, 212.0)]);
    assert_eq!(next(&connection, 2), [(0, 3000.0, Quality::Good), (1, 100.0, Quality::Good)]);

    // A message is missing: the births are asked for.
    node.seq += 1;
    node.send("DDATA", "/ahu", vec![double("", 7, 50.0)]);
    let asked = node.command();
    assert_eq!(asked.metrics[0].name.as_deref(), Some("Node Control/Rebirth"));
    assert_eq!(asked.metrics[0].value, Some(metric::Value::BooleanValue(true)));
    // Other numbers for the same names in the next birth.
    node.seq = 0;
    node.send("NBIRTH", "", vec![life(3), double("P", 11, 4.0)]);
    node.send("DBIRTH", "/ahu", vec![double("T", 17, 68.0)]);
    node.send("DDATA", "/ahu", vec![double("", 17, 86.0)]);
    wait_for("the value behind the rebirth", || {
        let all = connection.arrivals.try_iter();
        let is = |a: &telemetry::Arrival| matches!(a, telemetry::Arrival::Sample(s) if (s.value - 30.0).abs() < 1e-9);
        all.into_iter().any(|a| is(&a)).then_some(())
    });
    assert_eq!(connection.subscriber.stats().rejected, 1, "the one behind the gap");

    // The will of a life that is over by now says nothing; that of this one makes all of it stale.
    drop(node);
    let dead = next(&connection, 2);
    assert_eq!(dead, [(0, 4000.0, Quality::BadStale), (1, 30.0, Quality::BadStale)]);

    // Its next life.
    let mut node = Node::connect(&mosquitto, 4);
    node.birth(4, 5.0, 32.0);
    assert_eq!(next(&connection, 2), [(0, 5000.0, Quality::Good), (1, 0.0, Quality::Good)]);

    // The host ends without a word: the broker says it, with the moment of this life.
    drop(connection);
    assert_eq!(ears.says(false), since);
    // And it is kept for who comes later.
    assert_eq!(Ears::new(&mosquitto).says(false), since);
}

#[test]
fn after_an_outage_it_says_that_it_is_there_and_believes_nothing() {
    let Some(programs) = installed() else { return };
    let mut mosquitto = Mosquitto::start(&programs, "");
    let connection = host(&mosquitto);
    let ears = Ears::new(&mosquitto);
    let since = ears.says(true);
    let mut node = Node::connect(&mosquitto, 0);
    node.birth(0, 2.0, 32.0);
    assert_eq!(next(&connection, 2).len(), 2);

    mosquitto.kill();
    wait_for("the loss", || {
        matches!(connection.subscriber.status(), telemetry::ConnectionStatus::Lost { .. }).then_some(())
    });
    std::thread::sleep(Duration::from_millis(50));
    mosquitto.run();
    assert!(connection.subscriber.wait_connected(LONG), "{:?}", connection.subscriber.status());
    // Who died meanwhile died unheard.
    assert_eq!(next(&connection, 2), [(0, 2000.0, Quality::BadStale), (1, 0.0, Quality::BadStale)]);
    // The broker has forgotten what it kept; the host has said it anew, as another life.
    let again = wait_for("a new birth", || Some(Ears::new(&mosquitto).says(true)).filter(|t| *t > since));
    assert!(again > since);
    // A node that lived on says a value: its births are asked for.
    let mut node = Node::connect(&mosquitto, 1);
    node.seq = 9;
    node.send("NDATA", "", vec![double("", 1, 3.0)]);
    assert_eq!(node.command().metrics[0].name.as_deref(), Some("Node Control/Rebirth"));
    node.birth(1, 6.0, 32.0);
    assert_eq!(next(&connection, 2), [(0, 6000.0, Quality::Good), (1, 0.0, Quality::Good)]);
}
