//! QoS 2, MQTT 5, several brokers and shared subscriptions: against a real mosquitto on loopback, and against a broker of
//! a few bytes where it has to do what mosquitto seldom does.
//!
//! Without mosquitto installed most of these skip, and say so; `scripts/test` installs it.

// A test says what is wrong by panicking, its helpers too.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;
mod mqtt_common;

use common::*;
use mqtt_common::mosquitto::*;
use mqtt_common::*;
use plenum::history::embedded::{Embedded, Options};
use plenum::history::{History, HistoryError, Reason};
use plenum::site::Point;
use plenum::site::point::PointSource;
use plenum::site::project::{Broker, BrokerUrl, Ingest, MqttVersion, Qos, Retention, Secret};
use plenum::telemetry::historian::{Historian, Settings, Source};
use plenum::telemetry::mqtt::{Delivery, Message, Recording};
use plenum::telemetry::receipts::PREFIX;
use plenum::telemetry::{self, Address, Arrival, Connection, ConnectionStatus, Publisher, Recorded};
use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::Duration;

const VERSIONS: [MqttVersion; 2] = [MqttVersion::V3, MqttVersion::V5];

/// Goes between a client and a broker, and is cut now and then.
struct Cable {
    port: u16,
    ends: Arc<Mutex<Vec<TcpStream>>>,
}

impl Cable {
    fn to(broker: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let ends = Arc::new(Mutex::new(Vec::new()));
        let all = Arc::clone(&ends);
        std::thread::spawn(move || {
            for here in listener.incoming().flatten() {
                let Ok(there) = TcpStream::connect(("127.0.0.1", broker)) else { continue };
                let ends = [&here, &there].map(|end| end.try_clone().unwrap());
                all.lock().unwrap().extend(ends);
                for (mut from, mut to) in [
                    (here.try_clone().unwrap(), there.try_clone().unwrap()),
                    (there.try_clone().unwrap(), here.try_clone().unwrap()),
                ] {
                    std::thread::spawn(move || {
                        let _ = std::io::copy(&mut from, &mut to);
                        let _ = to.shutdown(Shutdown::Both);
                        let _ = from.shutdown(Shutdown::Both);
                    });
                }
            }
        });
        Self { port, ends }
    }

    fn cut(&self) {
        for end in self.ends.lock().unwrap().drain(..) {
            let _ = end.shutdown(Shutdown::Both);
        }
    }
}

/// A history on a file, which may be made to fail.
struct Store {
    folder: tempfile::TempDir,
    fails: Arc<Mutex<bool>>,
    historian: Historian,
}

impl Store {
    fn new(fails: bool) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("history.db");
        let fails = Arc::new(Mutex::new(fails));
        let how = Arc::clone(&fails);
        let open = move || match *how.lock().unwrap() {
            true => Err(HistoryError::new(Reason::Full, "history.db", "it fails")),
            false => Embedded::open(&file, Options::default()).map(|(s, p)| (Box::new(s) as Box<dyn History>, p)),
        };
        let source = Source { place: "history.db".into(), open: Box::new(open), bytes: Box::new(|| None) };
        let settings =
            Settings { gather: Duration::from_millis(10), retry: Duration::from_millis(50), ..Settings::default() };
        Self { folder, fails, historian: Historian::start(source, settings).unwrap() }
    }

    fn connect(&self, broker: &Broker, points: &[Point]) -> Connection {
        let recording = Recording { inlet: self.historian.inlet(), receipts: PREFIX.into() };
        let recorded = Recorded { recording, retention: Retention::default() };
        telemetry::connect_recorded(broker, &Ingest::default(), None, points, "protocol", Some(recorded)).unwrap()
    }

    /// Samples in the file.
    fn kept(&self) -> u64 {
        assert!(self.folder.path().join("history.db").is_file());
        self.historian.status().stored
    }
}

fn payload(n: usize) -> Vec<u8> {
    format!(r#"{{"ts":{},"pub":"p","seq":{n},"v":{n}}}"#, 1_778_479_200_000_u64 + n as u64).into_bytes()
}

/// How often each value has arrived, until `count` have.
fn counted(connection: &Connection, count: usize) -> BTreeMap<u64, usize> {
    let mut seen = BTreeMap::new();
    for sample in samples(&connection.arrivals, count) {
        *seen.entry(sample.value as u64).or_default() += 1;
    }
    seen
}

#[test]
fn qos_2_brings_each_message_once_through_cut_connections() {
    let Some(programs) = installed() else { return };
    const MESSAGES: usize = 3000;
    for version in VERSIONS {
        // As it comes: twenty under way at once, in both directions.
        let mosquitto = Mosquitto::start(&programs, "");
        let direct = Broker { version, qos: Qos::ExactlyOnce, ..mosquitto.project(None) };
        let cable = Cable::to(mosquitto.port);
        let url = BrokerUrl::Remote { host: "localhost".into(), port: cable.port, tls: false };
        let store = Store::new(false);
        let connection = store.connect(&Broker { url, ..direct.clone() }, &[point("t/a", "")]);
        assert!(connection.subscriber.wait_connected(LONG), "{:?}", connection.subscriber.status());
        let publisher = Publisher::connect(&Address::resolve(&direct, None).unwrap(), "test-publisher").unwrap();
        let mut cuts = 0;
        for n in 0..MESSAGES {
            publisher.publish("t/a", payload(n)).unwrap();
            if n % 150 == 149 {
                // In the middle of what comes, wherever that is.
                let before = connection.subscriber.stats().values;
                let moves = || (connection.subscriber.stats().values > before).then_some(());
                let moves_or_is_done =
                    || (connection.subscriber.stats().values > n as u64).then_some(()).or_else(moves);
                wait_for("something to come", moves_or_is_done);
                cable.cut();
                cuts += 1;
            }
        }
        assert!(publisher.flush(LONG));
        assert_eq!(publisher.stats().acknowledged, MESSAGES as u64);
        let seen = counted(&connection, MESSAGES);
        assert_eq!((seen.len(), seen.values().max()), (MESSAGES, Some(&1)), "{version:?}: none is missing or twice");
        assert!(store.historian.flush(LONG));
        assert_eq!(store.kept(), MESSAGES as u64, "{version:?}: nothing was committed twice either");
        // Let whatever is still to come come.
        cable.cut();
        wait_for("the loss", || (!connection.subscriber.is_any_connected()).then_some(()));
        assert!(connection.subscriber.wait_connected(LONG));
        publisher.publish("t/a", payload(MESSAGES)).unwrap();
        assert_eq!(samples(&connection.arrivals, 1)[0].value, MESSAGES as f64);
        let stats = connection.subscriber.stats();
        let p = stats.publishers.get("p").unwrap();
        assert_eq!((p.lost, p.duplicate, stats.samples), (0, 0, MESSAGES as u64 + 1), "{version:?}");
        assert!(cuts >= 20);
    }
}

/// A PUBLISH of QoS 2.
fn publish_twice(topic: &str, id: u16, again: bool, payload: &[u8]) -> Vec<u8> {
    let body = [&(topic.len() as u16).to_be_bytes()[..], topic.as_bytes(), &id.to_be_bytes(), payload].concat();
    assert!(body.len() < 128);
    [&[0x34 | u8::from(again) << 3, body.len() as u8][..], &body].concat()
}

/// Lets a client in that wants its session back, and to hear at QoS 2.
fn let_back_in(stream: &mut TcpStream, has_session: bool) {
    let (_, connect) = read_packet(stream).unwrap();
    assert_eq!(connect[7] & 2, 0, "not a clean session");
    stream.write_all(&[0x20, 2, u8::from(has_session), 0]).unwrap();
    let (first, body) = read_packet(stream).unwrap();
    assert_eq!((first & 0xF0, body.last()), (0x80, Some(&2)), "SUBSCRIBE at QoS 2");
    stream.write_all(&[0x90, 3, body[0], body[1], 2]).unwrap();
}

/// The next packet that is no PINGREQ.
fn answer(stream: &mut TcpStream) -> (u8, Vec<u8>) {
    loop {
        let packet = read_packet(stream).unwrap();
        if packet.0 != 0xC0 {
            return packet;
        }
        stream.write_all(&[0xD0, 0]).unwrap();
    }
}

#[test]
fn pubrec_waits_for_the_commit_and_what_was_half_done_is_finished() {
    let (tell, told) = crossbeam_channel::unbounded();
    let address = bad_broker(move |i, mut stream| {
        let id = |n: u16| n.to_be_bytes().to_vec();
        match i {
            0 => {
                let_back_in(&mut stream, false);
                stream.write_all(&publish_twice("t/a", 7, false, br#"{"ts":1778479200007,"v":7}"#)).unwrap();
                // The history cannot be written: nothing but pings comes.
                stream.set_read_timeout(Some(Duration::from_millis(500))).unwrap();
                let mut early = [0; 2];
                while stream.read_exact(&mut early).is_ok() {
                    assert_eq!(early[0], 0xC0, "no PUBREC before the commit");
                    stream.write_all(&[0xD0, 0]).unwrap();
                }
                tell.send("mend").unwrap();
                stream.set_read_timeout(Some(LONG)).unwrap();
                assert_eq!(answer(&mut stream), (0x50, id(7)), "PUBREC");
                // The connection breaks before the second half.
            }
            1 => {
                let_back_in(&mut stream, true);
                stream.write_all(&[0x62, 2, 0, 7]).unwrap();
                assert_eq!(answer(&mut stream), (0x70, id(7)), "PUBCOMP for a message of the connection before");
                stream.write_all(&publish_twice("t/a", 8, false, br#"{"ts":1778479200008,"v":8}"#)).unwrap();
                assert_eq!(answer(&mut stream), (0x50, id(8)));
                // It breaks before this broker has read that.
            }
            _ => {
                let_back_in(&mut stream, true);
                stream.write_all(&publish_twice("t/a", 8, true, br#"{"ts":1778479200008,"v":8}"#)).unwrap();
                assert_eq!(answer(&mut stream), (0x50, id(8)), "it is acknowledged, and is the same message");
                stream.write_all(&[0x62, 2, 0, 8]).unwrap();
                assert_eq!(answer(&mut stream), (0x70, id(8)));
                // The id is free: another message, whatever is said of it.
                stream.write_all(&publish_twice("t/a", 8, true, br#"{"ts":1778479200009,"v":9}"#)).unwrap();
                assert_eq!(answer(&mut stream), (0x50, id(8)));
                tell.send("done").unwrap();
                let _ = stream.read(&mut [0; 16]);
            }
        }
    });
    let store = Store::new(true);
    let broker = Broker { qos: Qos::ExactlyOnce, keep_alive_s: 60, ..broker_at(address) };
    let connection = store.connect(&broker, &[point("t/a", "")]);
    assert_eq!(told.recv_timeout(LONG), Ok("mend"));
    *store.fails.lock().unwrap() = false;
    assert_eq!(told.recv_timeout(LONG), Ok("done"));
    let values: Vec<f64> = samples(&connection.arrivals, 3).iter().map(|s| s.value).collect();
    assert_eq!((values, connection.subscriber.stats().values), (vec![7.0, 8.0, 9.0], 3));
    assert_eq!(store.kept(), 3);
}

#[test]
fn mqtt_5_with_tls_and_a_password() {
    let Some(programs) = installed() else { return };
    let certificates = Certificates::make();
    let mosquitto = Mosquitto::start(&programs, &tls_lines(&certificates));
    for qos in [Qos::AtMostOnce, Qos::AtLeastOnce, Qos::ExactlyOnce] {
        // A keep-alive that the client would not stand.
        let (version, keep_alive_s) = (MqttVersion::V5, 1);
        let broker = Broker { version, qos, keep_alive_s, ..mosquitto.project(Some(&certificates)) };
        let connect = || telemetry::connect(&broker, &Ingest::default(), None, &[point("t/a", "")], "five").unwrap();
        let connection = connect();
        assert!(connection.subscriber.wait_connected(LONG), "{:?}", connection.subscriber.status());
        let publisher = Publisher::connect(&connection.address, "test-publisher").unwrap();
        (0..1000).for_each(|n| publisher.publish("t/a", payload(n)).unwrap());
        assert!(publisher.flush(LONG));
        assert_eq!(counted(&connection, 1000).len(), 1000);
        assert_eq!(connection.subscriber.stats().publishers.lost(), Some(0));
        drop(connection);
        if qos == Qos::AtMostOnce {
            continue;
        }
        // The session stays.
        (1000..1500).for_each(|n| publisher.publish("t/a", payload(n)).unwrap());
        assert!(publisher.flush(LONG));
        let connection = connect();
        assert_eq!(counted(&connection, 500).into_keys().next(), Some(1000), "{qos:?}");
    }
    let mut broker = Broker { version: MqttVersion::V5, ..mosquitto.project(Some(&certificates)) };
    let wrong = mosquitto.folder.path().join("wrong");
    std::fs::write(&wrong, "wrong").unwrap();
    broker.password = Some(Secret::File(wrong));
    let connection = telemetry::connect(&broker, &Ingest::default(), None, &[point("t/a", "")], "five").unwrap();
    let said = wait_for("a refusal", || match connection.subscriber.status() {
        ConnectionStatus::Refused { reason } => Some(reason),
        _ => None,
    });
    assert!(said.contains("wrong user or password"), "{said}");
}

#[test]
fn what_an_mqtt_5_broker_does_not_take_stops_nothing() {
    let Some(programs) = installed() else { return };
    let rights = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(rights.path(), format!("user {USER}\ntopic readwrite t/#\n")).unwrap();
    let lines = format!("acl_file {}\nmax_packet_size 4000\n", rights.path().display());
    let mosquitto = Mosquitto::start(&programs, &lines);
    let broker = Broker { version: MqttVersion::V5, ..mosquitto.project(None) };
    let connection = telemetry::connect(&broker, &Ingest::default(), None, &[point("t/a", "")], "rights").unwrap();
    assert!(connection.subscriber.wait_connected(LONG), "{:?}", connection.subscriber.status());
    let publisher = Publisher::connect(&connection.address, "test-publisher").unwrap();
    for (n, delivery) in [Delivery::AtLeastOnce, Delivery::ExactlyOnce].into_iter().enumerate() {
        let message = Message { delivery, retain: false };
        publisher.publish_as("elsewhere/a", payload(n), message).unwrap();
        publisher.publish_as("t/long", vec![b' '; 5000], message).unwrap();
        publisher.publish_as("t/a", payload(n), message).unwrap();
    }
    assert!(publisher.flush(LONG), "{:?} {:?}", publisher.status(), publisher.stats());
    assert_eq!(counted(&connection, 2).len(), 2);
    let stats = publisher.stats();
    assert_eq!((stats.acknowledged, stats.refused), (2, 4), "two that we may not, and two that are too long");
}

#[test]
fn two_twins_of_one_group_share_what_comes() {
    let Some(programs) = installed() else { return };
    for version in VERSIONS {
        let mosquitto = Mosquitto::start(&programs, "");
        let broker = Broker { version, share: Some("twins".into()), ..mosquitto.project(None) };
        let twin = |instance: &str| {
            let broker = Broker { instance: Some(instance.into()), ..broker.clone() };
            let points = [point("t/a", "")];
            let twin = telemetry::connect(&broker, &Ingest::default(), Some("t/clock"), &points, "shared").unwrap();
            assert!(twin.subscriber.wait_connected(LONG), "{:?}", twin.subscriber.status());
            twin
        };
        let twins = [twin("a"), twin("b")];
        let publisher = Publisher::connect(&twins[0].address, "test-publisher").unwrap();
        (0..1000).for_each(|n| publisher.publish("t/a", payload(n)).unwrap());
        let clock = br#"{"ts":"2026-05-11T06:00:00Z"}"#;
        publisher.publish("t/clock", clock.to_vec()).unwrap();
        assert!(publisher.flush(LONG));
        let mut seen: BTreeMap<u64, usize> = BTreeMap::new();
        let mut clocks = [false; 2];
        let mut parts = [0; 2];
        wait_for("each message at one of them", || {
            for (i, twin) in twins.iter().enumerate() {
                for arrival in twin.arrivals.try_iter() {
                    match arrival {
                        Arrival::Sample(sample) => {
                            *seen.entry(sample.value as u64).or_default() += 1;
                            parts[i] += 1;
                        }
                        Arrival::Clock(_) => clocks[i] = true,
                    }
                }
            }
            (seen.len() == 1000 && clocks == [true; 2]).then_some(())
        });
        assert!(seen.values().all(|n| *n == 1) && parts.iter().all(|n| *n > 0), "{version:?} {parts:?}");
        // Each has gaps that are no losses.
        assert!(twins.iter().all(|t| t.subscriber.stats().lost().is_none()));
    }
}

#[test]
fn two_brokers_bring_samples_to_one_twin_and_one_dies_and_returns() {
    let Some(programs) = installed() else { return };
    let (site, mut plant) = (Mosquitto::start(&programs, ""), Mosquitto::start(&programs, ""));
    let named = |m: &Mosquitto, name: &str, version| Broker { name: name.into(), version, ..m.project(None) };
    let brokers = [named(&site, "site", MqttVersion::V3), named(&plant, "plant", MqttVersion::V5)];
    let on = |point: Point, name: &str| {
        let PointSource::Topic { topic, key, .. } = point.source.clone() else { panic!() };
        Point { source: PointSource::Topic { topic, key, broker: Some(name.into()) }, ..point }
    };
    // The second topic means another point on each of them.
    let points = [
        point("t/a", ""),
        on(point("t/b", ""), "site"),
        on(point("t/b", ""), "plant"),
        on(point("t/c", ""), "nowhere"),
    ];
    let brokers: Vec<&Broker> = brokers.iter().collect();
    let clock = Some("t/clock");
    let connection =
        telemetry::connect_brokers(&brokers, &Ingest::default(), clock, &points, "two brokers", None).unwrap();
    assert!(connection.subscriber.wait_connected(LONG), "{:?}", connection.subscriber.status());
    assert!(connection.problems.iter().any(|p| p.message.contains("no broker `nowhere`")), "{:?}", connection.problems);
    assert_eq!(connection.broker, format!("mqtt://localhost:{}, mqtt://localhost:{}", site.port, plant.port));
    let to = |i: usize| Publisher::connect(&connection.addresses[i], "test-publisher").unwrap();
    let (at_site, at_plant) = (to(0), to(1));
    let next = |n: usize| {
        let mut got: Vec<(u32, f64)> = samples(&connection.arrivals, n).iter().map(|s| (s.point.0, s.value)).collect();
        got.sort_by(|a, b| a.partial_cmp(b).unwrap());
        got
    };
    at_site.publish("t/a", br#"{"v":1}"#.to_vec()).unwrap();
    at_plant.publish("t/a", br#"{"v":2}"#.to_vec()).unwrap();
    at_site.publish("t/b", br#"{"v":3}"#.to_vec()).unwrap();
    at_plant.publish("t/b", br#"{"v":4}"#.to_vec()).unwrap();
    assert_eq!(next(4), [(0, 1.0), (0, 2.0), (1, 3.0), (2, 4.0)]);
    // The clock of one is the clock of all.
    at_site.publish("t/clock", br#"{"ts":"2031-01-01T00:00:00Z"}"#.to_vec()).unwrap();
    let heard = |arrival: Arrival| if let Arrival::Clock(time) = arrival { Some(time) } else { None };
    let time = wait_for("the clock", || connection.arrivals.try_iter().find_map(heard));
    at_plant.publish("t/a", br#"{"v":5}"#.to_vec()).unwrap();
    assert_eq!(samples(&connection.arrivals, 1)[0].device_time, time);

    plant.kill();
    let lines = || connection.subscriber.lines();
    wait_for("the loss", || (!lines()[1].is_connected()).then_some(()));
    assert!(lines()[0].is_connected() && connection.subscriber.is_any_connected());
    let said = connection.subscriber.status().to_string();
    assert!(said.starts_with("lost: plant: "), "{said}");
    at_site.publish("t/a", br#"{"v":6}"#.to_vec()).unwrap();
    assert_eq!(next(1), [(0, 6.0)]);
    plant.run();
    assert!(connection.subscriber.wait_connected(LONG), "{:?}", connection.subscriber.status());
    at_plant.publish("t/b", br#"{"v":7}"#.to_vec()).unwrap();
    assert_eq!(next(1), [(2, 7.0)]);
    let counts: Vec<(String, u64)> = lines().into_iter().map(|l| (l.name, l.stats.samples)).collect();
    assert_eq!(counts, [("site".to_owned(), 3), ("plant".to_owned(), 4)]);
    assert_eq!(connection.subscriber.stats().samples, 7);

    // The topics mean other points from now on, on each broker by itself.
    let (arrivals, problems) = connection.rewiring.to(&points[1..3], clock);
    assert!(problems.is_empty(), "{problems:?}");
    at_site.publish("t/b", br#"{"v":8}"#.to_vec()).unwrap();
    at_plant.publish("t/b", br#"{"v":9}"#.to_vec()).unwrap();
    let mut got: Vec<(u32, f64)> = samples(&arrivals, 2).iter().map(|s| (s.point.0, s.value)).collect();
    got.sort_by(|a, b| a.partial_cmp(b).unwrap());
    assert_eq!(got, [(0, 8.0), (1, 9.0)]);
}
