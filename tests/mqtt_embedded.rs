//! From a publisher through the embedded broker to samples, and brokers that misbehave.

// A test says what is wrong by panicking, its helpers too.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;
mod mqtt_common;

use common::*;
use mqtt_common::*;
use plenum::site::PointIndex;
use plenum::site::project::{Broker, BrokerUrl, Ingest};
use plenum::telemetry::mqtt::{Delivery, Message};
use plenum::telemetry::quarantine::Reason;
use plenum::telemetry::{self, Address, Arrival, Connection, ConnectionStatus, Publisher};
use plenum::time::Time;
use std::collections::HashMap;
use std::io::Write;
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

fn embedded(points: &[plenum::site::Point], ingest: &Ingest) -> Connection {
    let broker = Broker { subscribe: vec!["t/#".into()], ..Broker::default() };
    telemetry::connect(&broker, ingest, Some("t/clock"), points, "test").unwrap()
}

#[test]
fn ten_thousand_messages_arrive_once_and_in_order() {
    let points: Vec<_> = (0..50).map(|i| point(&format!("t/{i}"), "")).collect();
    let connection = embedded(&points, &Ingest::default());
    assert!(connection.broker.starts_with("embedded 127.0.0.1:"), "{}", connection.broker);
    assert!(connection.problems.is_empty());
    let publisher = Publisher::connect(&connection.address, "test-publisher").unwrap();
    const COUNT: usize = 10_000;
    std::thread::scope(|scope| {
        scope.spawn(|| {
            for i in 0..COUNT {
                let payload = format!(r#"{{"ts":{},"v":{i},"pub":"p","seq":{i}}}"#, 1_700_000_000_000_u64 + i as u64);
                publisher.publish(&format!("t/{}", i % 50), payload.into_bytes()).unwrap();
            }
        });
        let mut last: HashMap<PointIndex, f64> = HashMap::new();
        for sample in samples(&connection.arrivals, COUNT) {
            let before = last.insert(sample.point, sample.value);
            let expected = before.map_or(f64::from(sample.point.0), |b| b + 50.0);
            assert_eq!(sample.value, expected, "out of order, lost or twice on t/{}", sample.point.0);
            assert_eq!(sample.device_time, Time(1_700_000_000_000 + sample.value as i64));
        }
    });
    assert!(publisher.flush(LONG));
    assert_eq!(publisher.stats().acknowledged, COUNT as u64);
    let stats = connection.subscriber.stats();
    assert_eq!((stats.messages, stats.samples, stats.rejected), (COUNT as u64, COUNT as u64, 0));
    assert_eq!((stats.publishers.lost(), stats.publishers.duplicate()), (Some(0), 0));
    assert!(connection.arrivals.is_empty());
}

#[test]
fn bad_payloads_are_counted_and_their_neighbours_arrive() {
    let points = [point("t/a", "x"), point("t/a", "y"), point("t/b", "")];
    let connection = embedded(&points, &Ingest::default());
    let publisher = Publisher::connect(&connection.address, "test-publisher").unwrap();
    let send = |topic: &str, text: &str| publisher.publish(topic, text.as_bytes().to_vec()).unwrap();
    send("t/a", r#"{"ts":1700000000000,"values":{"x":NaN,"y":1}}"#);
    send("t/a", r#"{"ts":1700000001000,"values":{"x":"text","y":2}}"#);
    send("t/a", r#"[{"ts":1700000002000,"values":{"x":[1]}},{"ts":1700000002000,"values":{"y":3}}]"#);
    send("t/b", r#"{"v":4}"#);
    send("t/b", r#"{"ts":"2099-01-01T00:00:00Z","v":5}"#);
    send("t/b", "not JSON");
    send("t/b", "");
    send("t/nobody", r#"{"ts":1700000000000,"v":1}"#);
    publisher.publish("t/b", vec![0xFF, 0x00, 0x80, 0x7B]).unwrap();
    send("t/b", r#"{"ts":1700000006000,"v":6}"#);
    let got = samples(&connection.arrivals, 6);
    let values: Vec<f64> = got.iter().map(|s| s.value).collect();
    assert_eq!(values, [1.0, 2.0, 3.0, 4.0, 5.0, 6.0]);
    let (missing, future) = (got[3], got[4]);
    assert_eq!(missing.device_time, missing.arrival);
    assert_eq!(future.device_time, future.arrival);

    let stats = connection.subscriber.stats();
    assert_eq!((stats.without_time, stats.future, stats.unmatched, stats.rejected), (1, 1, 1, 6));
    assert_eq!(connection.subscriber.unmatched().examples(), ["t/nobody"]);
    let quarantine = connection.subscriber.quarantine();
    assert_eq!(quarantine.total(), 6);
    for (reason, count) in [(Reason::NotFinite, 1), (Reason::WrongType, 2), (Reason::Syntax, 2), (Reason::Empty, 1)] {
        assert_eq!(quarantine.of(reason), count, "{reason:?}");
    }
    assert_eq!(quarantine.last().filter(|r| r.topic == "t/b").count(), 3);
}

#[test]
fn the_site_clock_comes_in_order_with_the_samples() {
    let connection = embedded(&[point("t/a", "")], &Ingest::default());
    let publisher = Publisher::connect(&connection.address, "test-publisher").unwrap();
    for i in 0..100_i64 {
        let ts = 4_000_000_000_000 + i * 1000;
        publisher.publish("t/clock", format!(r#"{{"ts":{ts}}}"#).into_bytes()).unwrap();
        publisher.publish("t/a", format!(r#"{{"ts":{ts},"v":{i}}}"#).into_bytes()).unwrap();
    }
    for i in 0..100_i64 {
        let ts = Time(4_000_000_000_000 + i * 1000);
        assert_eq!(connection.arrivals.recv_timeout(LONG).unwrap(), Arrival::Clock(ts));
        let Arrival::Sample(sample) = connection.arrivals.recv_timeout(LONG).unwrap() else { panic!("a sample") };
        // Far ahead of this machine's clock, and right by the site's.
        assert_eq!((sample.device_time, sample.value), (ts, i as f64));
    }
    assert_eq!(connection.subscriber.stats().future, 0);
}

#[test]
fn a_payload_of_ten_megabytes_is_refused_and_the_rest_arrives() {
    let connection = embedded(&[point("t/a", "")], &Ingest::default());
    let publisher = Publisher::connect(&connection.address, "test-publisher").unwrap();
    publisher.publish("t/a", br#"{"v":1}"#.to_vec()).unwrap();
    publisher.publish("t/a", vec![b' '; 10_000_000]).unwrap();
    publisher.publish("t/a", br#"{"v":2}"#.to_vec()).unwrap();
    assert!(publisher.flush(LONG), "{:?}", publisher.stats());
    let stats = publisher.stats();
    assert_eq!((stats.refused, stats.taken), (1, 3));
    // What was not acknowledged when the broker hung up goes out again: the first may come more than once.
    let first = samples(&connection.arrivals, 1)[0].value;
    let rest = || samples(&connection.arrivals, 1)[0].value == 2.0;
    assert_eq!(first, 1.0);
    wait_for("the one after it", || rest().then_some(()));
    assert!(publisher.publish("t/a", vec![b' '; 20_000_000]).is_err());
}

/// `count` samples, `batch` in a message, with a publisher's count.
fn publish_all(publisher: &Publisher, count: usize, batch: usize) {
    publish_range(publisher, 0..count, batch);
}

fn publish_range(publisher: &Publisher, range: Range<usize>, batch: usize) {
    let one = |i: usize| format!(r#"{{"ts":{},"v":{i},"pub":"p","seq":{i}}}"#, 1_700_000_000_000_u64 + i as u64);
    for first in range.clone().step_by(batch) {
        let list: Vec<String> = (first..range.end.min(first + batch)).map(one).collect();
        publisher.publish("t/a", format!("[{}]", list.join(",")).into_bytes()).unwrap();
    }
    assert!(publisher.flush(LONG));
}

/// Memory of this process, MB; 0 where the system does not tell.
fn resident_mb() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|l| l.strip_prefix("VmRSS:")).unwrap_or_default();
    line.split_whitespace().next().and_then(|kib| kib.parse::<f64>().ok()).unwrap_or(0.0) * 1024.0 / 1e6
}

#[test]
fn a_twin_that_stands_still_for_a_minute_loses_nothing() {
    // What the demo publishes in a minute, ten times what the broker keeps.
    const COUNT: usize = 380_000;
    let connection = embedded(&[point("t/a", "")], &Ingest::default());
    let publisher = Publisher::connect(&connection.address, "test-publisher").unwrap();
    let before = resident_mb();
    // Only the twin stands still: its client reads on, and a publisher faster than that would leave behind
    // what the broker keeps.
    const AHEAD: usize = 20_000;
    for first in (0..COUNT).step_by(AHEAD) {
        publish_range(&publisher, first..first + AHEAD, 10);
        wait_for("the client to read it", || (connection.arrivals.len() == first + AHEAD).then_some(()));
    }
    wait_for("all to be waiting", || (connection.arrivals.len() == COUNT).then_some(()));
    println!("{COUNT} samples waiting: {:.0} MB more, the broker's log among them", resident_mb() - before);
    let got = samples(&connection.arrivals, COUNT);
    assert!(got.iter().enumerate().all(|(i, sample)| sample.value == i as f64), "not in order");
    let stats = connection.subscriber.stats();
    assert_eq!((stats.overflow, stats.queue_full, stats.lost(), stats.publishers.duplicate()), (0, 0, Some(0), 0));
}

#[test]
fn a_twin_too_far_behind_loses_the_oldest_and_says_so() {
    let connection = embedded(&[point("t/a", "")], &Ingest { queue: 1000, ..Ingest::default() });
    let publisher = Publisher::connect(&connection.address, "test-publisher").unwrap();
    publish_all(&publisher, 20_000, 1);
    wait_for("all to be read", || (connection.subscriber.stats().values == 20_000).then_some(()));
    let overflow = || (connection.subscriber.stats().overflow == 19_000).then_some(());
    wait_for("the overflow", overflow);
    assert_eq!(connection.arrivals.len(), 1000, "it is bounded");
    let got = samples(&connection.arrivals, 1000);
    assert_eq!((got[0].value, got[999].value), (19_000.0, 19_999.0));
    let stats = connection.subscriber.stats();
    assert_eq!((stats.lost(), stats.publishers.lost()), (Some(19_000), Some(0)));
    assert!(stats.queue_full >= 1);
}

#[test]
fn a_full_queue_makes_another_broker_wait_and_loses_nothing() {
    let server = telemetry::broker::EmbeddedBroker::start(0, 262_144).unwrap();
    let broker = Broker { keep_alive_s: 60, ..broker_at(server.address()) };
    let ingest = Ingest { queue: 10, ..Ingest::default() };
    let mut connection = telemetry::connect(&broker, &ingest, None, &[point("t/a", "")], "test").unwrap();
    assert!(connection.subscriber.wait_connected(LONG));
    let publisher = Publisher::connect(&connection.address, "test-publisher").unwrap();
    const COUNT: usize = 5000;
    publish_all(&publisher, COUNT, 1);
    for (i, sample) in samples(&connection.arrivals, COUNT).iter().enumerate() {
        assert_eq!(sample.value, i as f64);
    }
    let stats = connection.subscriber.stats();
    assert!(stats.queue_full >= 1 && stats.overflow == 0, "{stats:?}");
    // And a queue that nobody empties does not hold up the end.
    publish_all(&publisher, 100, 1);
    wait_for("a full queue", || (connection.arrivals.len() == 10).then_some(()));
    watched("stopping", move || connection.stop());
}

#[test]
fn at_most_once_is_acknowledged_by_the_socket() {
    let connection = embedded(&[point("t/a", "")], &Ingest::default());
    let publisher = Publisher::connect(&connection.address, "test-publisher").unwrap();
    let fast = Message { delivery: Delivery::AtMostOnce, retain: false };
    for i in 0..3000 {
        publisher.publish_as("t/a", format!(r#"{{"v":{i}}}"#).into_bytes(), fast).unwrap();
    }
    assert!(publisher.flush(LONG));
    assert_eq!(publisher.stats().acknowledged, 3000);
    assert_eq!(samples(&connection.arrivals, 3000).last().unwrap().value, 2999.0);
}

#[test]
fn a_port_in_use_is_said() {
    let holder = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = holder.local_addr().unwrap().port();
    let broker = Broker { url: BrokerUrl::Embedded { port }, ..Broker::default() };
    let problem = telemetry::connect(&broker, &Ingest::default(), None, &[], "test").err().unwrap();
    assert!(problem.message.contains("in use"), "{problem}");
    assert!(problem.place.contains(&port.to_string()), "{problem}");
}

#[test]
fn topics_that_nothing_subscribes_to_are_said() {
    let connection = embedded(&[point("u/a", "")], &Ingest::default());
    assert!(connection.problems[0].message.contains("u/a"), "{:?}", connection.problems);
}

#[test]
fn an_embedded_broker_that_restarts_is_found_again() {
    let port = free_port();
    let url = BrokerUrl::Remote { host: "127.0.0.1".into(), port, tls: false };
    let broker = Broker { url, subscribe: vec!["t/#".into()], ..Broker::default() };
    let start = || wait_for("the port", || telemetry::broker::EmbeddedBroker::start(port, 262_144).ok());
    let mut server = start();
    let connection = telemetry::connect(&broker, &Ingest::default(), None, &[point("t/a", "")], "test").unwrap();
    assert!(connection.subscriber.wait_connected(LONG));
    let publisher = Publisher::connect(&connection.address, "test-publisher").unwrap();
    publisher.publish("t/a", br#"{"v":1,"pub":"p","seq":0}"#.to_vec()).unwrap();
    assert_eq!(samples(&connection.arrivals, 1)[0].value, 1.0);
    server.stop();
    wait_for("the loss", || matches!(connection.subscriber.status(), ConnectionStatus::Lost { .. }).then_some(()));
    // Taken while the broker is away, sent when it is back.
    publisher.publish("t/a", br#"{"v":2,"pub":"p","seq":1}"#.to_vec()).unwrap();
    let mut server = start();
    assert!(connection.subscriber.wait_connected(LONG));
    publisher.publish("t/a", br#"{"v":3,"pub":"p","seq":2}"#.to_vec()).unwrap();
    // The second may have gone out before anybody was subscribed again; the third comes for sure, if
    // not now then with the next.
    wait_for("samples after the restart", || {
        let _ = publisher.publish("t/a", br#"{"v":9}"#.to_vec());
        connection.arrivals.try_iter().next()
    });
    assert!(publisher.flush(LONG));
    server.stop();
}

/// What a client of a broker that does `serve` says in the end.
fn status_of(serve: impl Fn(usize, std::net::TcpStream) + Send + 'static, wanted: &str) -> String {
    let broker = broker_at(bad_broker(serve));
    let connection = telemetry::connect(&broker, &Ingest::default(), None, &[point("t/a", "")], "test").unwrap();
    let said = wait_for(wanted, || match connection.subscriber.status() {
        ConnectionStatus::Lost { reason, .. } | ConnectionStatus::Refused { reason } if reason.contains(wanted) => {
            Some(reason)
        }
        _ => None,
    });
    watched("stopping", move || drop(connection));
    said
}

#[test]
fn a_broker_that_hangs_up_at_once() {
    status_of(|_, stream| drop(stream), "before letting us in");
}

#[test]
fn a_broker_that_refuses() {
    let refuse = |code: u8| {
        move |_: usize, mut stream: std::net::TcpStream| {
            let _ = read_packet(&mut stream).and_then(|_| stream.write_all(&[0x20, 2, 0, code]));
        }
    };
    status_of(refuse(5), "asks for a user and password");
    status_of(refuse(2), "client id");
    status_of(refuse(3), "not available");
}

#[test]
fn nothing_listens() {
    let broker = broker_at(([127, 0, 0, 1], free_port()).into());
    let address = Address::resolve(&broker, None).unwrap();
    let problem = Publisher::connect(&address, "test-publisher").err().unwrap();
    assert!(problem.message.contains("nothing listens"), "{problem}");
}

#[test]
fn a_broker_that_says_nothing() {
    let held = std::sync::Mutex::new(Vec::new());
    status_of(move |_, stream| held.lock().unwrap().push(stream), "does not answer");
}

#[test]
fn a_broker_that_falls_silent() {
    // rumqttc misses the answer to its ping, or our own watchdog any packet: whichever is first.
    let held = std::sync::Mutex::new(Vec::new());
    status_of(
        move |_, mut stream| {
            let _ = let_in(&mut stream, 0);
            held.lock().unwrap().push(stream);
        },
        "silent",
    );
}

#[test]
fn what_is_no_mqtt_broker() {
    let said = status_of(
        |_, mut stream| {
            let _ = stream.write_all(b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n");
            std::thread::sleep(Duration::from_millis(200));
        },
        "MQTT",
    );
    assert!(said.contains("127.0.0.1"), "{said}");
}

#[test]
fn a_broker_that_hangs_up_in_the_middle_is_tried_again() {
    let tries = Arc::new(AtomicUsize::new(0));
    let seen = Arc::clone(&tries);
    let address = bad_broker(move |i, mut stream| {
        seen.fetch_add(1, Ordering::SeqCst);
        if let_in(&mut stream, 0).is_err() {
            return;
        }
        // A whole message, then half a one, then the end.
        let packet = publish_packet("t/a", format!(r#"{{"v":{i}}}"#).as_bytes());
        let _ = stream.write_all(&packet).and_then(|()| stream.write_all(&packet[..packet.len() / 2]));
        std::thread::sleep(Duration::from_millis(50));
    });
    let connection =
        telemetry::connect(&broker_at(address), &Ingest::default(), None, &[point("t/a", "")], "test").unwrap();
    let values: Vec<f64> = samples(&connection.arrivals, 3).iter().map(|s| s.value).collect();
    assert_eq!(values, [0.0, 1.0, 2.0]);
    assert!(tries.load(Ordering::SeqCst) >= 3);
}

#[test]
fn a_broker_that_sends_ten_megabytes() {
    let address = bad_broker(|_, mut stream| {
        let long = publish_packet("t/a", &vec![b' '; 10_000_000]);
        let after = publish_packet("t/a", br#"{"v":7}"#);
        let _ = let_in(&mut stream, 0).and_then(|()| stream.write_all(&long)).and_then(|()| stream.write_all(&after));
        while read_packet(&mut stream).is_ok() {}
    });
    let connection =
        telemetry::connect(&broker_at(address), &Ingest::default(), None, &[point("t/a", "")], "test").unwrap();
    assert_eq!(samples(&connection.arrivals, 1)[0].value, 7.0, "the connection held");
    let quarantine = connection.subscriber.quarantine();
    let kept = quarantine.last().next().unwrap();
    assert_eq!((kept.reason, kept.length, kept.topic.as_str()), (Reason::TooLarge, 10_000_000, "t/a"));
    assert_eq!(kept.beginning.len(), 256);
}

#[test]
fn a_broker_that_claims_two_hundred_megabytes_causes_no_storm() {
    let tries = Arc::new(AtomicUsize::new(0));
    let seen = Arc::clone(&tries);
    let address = bad_broker(move |_, mut stream| {
        seen.fetch_add(1, Ordering::SeqCst);
        // PUBLISH with a length of 200 MB, of which nothing follows.
        let _ = let_in(&mut stream, 0).and_then(|()| stream.write_all(&[0x30, 0x80, 0x84, 0xAF, 0x5F]));
        while read_packet(&mut stream).is_ok() {}
    });
    let connection =
        telemetry::connect(&broker_at(address), &Ingest::default(), None, &[point("t/a", "")], "test").unwrap();
    let kept = wait_for("a refusal", || connection.subscriber.quarantine().last().next().cloned());
    assert_eq!(kept.reason, Reason::TooLarge);
    assert!(kept.length > 100_000_000, "{}", kept.length);
    std::thread::sleep(Duration::from_secs(2));
    assert!(tries.load(Ordering::SeqCst) < 8, "it waits longer each time");
    assert!(matches!(
        connection.subscriber.status(),
        ConnectionStatus::Lost { .. } | ConnectionStatus::Connected { .. }
    ));
}

#[test]
fn a_broker_that_does_not_subscribe_us() {
    status_of(
        |_, mut stream| {
            let _ = read_packet(&mut stream).and_then(|_| stream.write_all(&[0x20, 2, 0, 0]));
            // It answers pings, and nothing else.
            while let Ok((first, _)) = read_packet(&mut stream) {
                if first == 0xC0 && stream.write_all(&[0xD0, 0]).is_err() {
                    return;
                }
            }
        },
        "does not answer our subscription",
    );
    status_of(
        |_, mut stream| {
            let _ = read_packet(&mut stream).and_then(|_| stream.write_all(&[0x20, 2, 0, 0]));
            if let Ok((_, body)) = read_packet(&mut stream) {
                let _ = stream.write_all(&[0x90, 3, body[0], body[1], 0x80]);
            }
        },
        "does not let us subscribe to t/#",
    );
}

#[test]
fn what_is_sent_twice_is_no_loss() {
    let address = bad_broker(|i, mut stream| {
        let _ = let_in(&mut stream, 0);
        for seq in [0, 1, 1, 0, 2, 5, 4, 3, 5] {
            let text = format!(r#"{{"v":{seq},"pub":"p{i}","seq":{seq}}}"#);
            let _ = stream.write_all(&publish_packet("t/a", text.as_bytes()));
        }
        while read_packet(&mut stream).is_ok() {}
    });
    let connection =
        telemetry::connect(&broker_at(address), &Ingest::default(), None, &[point("t/a", "")], "test").unwrap();
    samples(&connection.arrivals, 9);
    let stats = connection.subscriber.stats();
    let p = stats.publishers.get("p0").unwrap();
    assert_eq!((p.lost, p.duplicate, p.next), (0, 3, 6));
}

#[test]
fn what_was_not_acknowledged_is_sent_again_in_order() {
    let (seen, got) = std::sync::mpsc::channel();
    let address = bad_broker(move |i, mut stream| {
        let _ = read_packet(&mut stream).and_then(|_| stream.write_all(&[0x20, 2, 0, 0]));
        let mut count = 0;
        while let Ok((first, body)) = read_packet(&mut stream) {
            if first & 0xF0 != 0x30 {
                continue;
            }
            let topic = usize::from(u16::from_be_bytes([body[0], body[1]]));
            let (id, payload) = body[2 + topic..].split_at(2);
            let _ = seen.send(String::from_utf8_lossy(payload).into_owned());
            count += 1;
            // The first connection acknowledges one message and breaks after the third.
            if i == 0 && count == 3 {
                return;
            }
            if i > 0 || count == 1 {
                let _ = stream.write_all(&[0x40, 2, id[0], id[1]]);
            }
        }
    });
    let publisher = Publisher::connect(&Address::embedded(address), "test-publisher").unwrap();
    for i in 0..10 {
        publisher.publish("t/a", i.to_string().into_bytes()).unwrap();
    }
    assert!(publisher.flush(LONG), "{:?}", publisher.stats());
    let stats = publisher.stats();
    assert_eq!((stats.acknowledged, stats.waiting, stats.refused), (10, 0, 0));
    assert!(stats.resent >= 2, "{stats:?}");
    let got: Vec<String> = got.try_iter().collect();
    assert_eq!(got[..3], ["0", "1", "2"]);
    // The acknowledgement of the first may have been lost with the connection.
    let again: Vec<u32> = got[3..].iter().map(|t| t.parse().unwrap()).collect();
    assert!(again[0] <= 1 && again.iter().copied().eq(again[0]..10), "{again:?}");
}

#[test]
fn a_publisher_whose_broker_is_away_says_when_it_is_full() {
    let mut server = telemetry::broker::EmbeddedBroker::start(0, 262_144).unwrap();
    let mut publisher = Publisher::connect(&Address::embedded(server.address()), "test-publisher").unwrap();
    server.stop();
    wait_for("the loss", || matches!(publisher.status(), ConnectionStatus::Lost { .. }).then_some(()));
    let mut taken = 0;
    let problem = loop {
        match publisher.publish("t/a", b"{}".to_vec()) {
            Ok(()) => taken += 1,
            Err(problem) => break problem,
        }
        assert!(taken < 100_000, "it is never full");
    };
    assert!(taken >= 5000 && problem.message.contains("nothing listens"), "{taken}: {problem}");
    assert!(!publisher.flush(Duration::from_millis(100)));
    watched("settling with a broker that is away, and stopping", move || {
        assert!(!publisher.settle(LONG * 10, LONG * 10), "nothing can be acknowledged");
        publisher.stop();
        assert!(publisher.publish("t/a", b"{}".to_vec()).is_err());
    });
}

#[test]
fn settling_waits_as_long_as_something_is_acknowledged() {
    // It acknowledges ten messages, one by one, and then no more.
    let address = bad_broker(|_, mut stream| {
        let _ = read_packet(&mut stream).and_then(|_| stream.write_all(&[0x20, 2, 0, 0]));
        let mut left = 10;
        while let Ok((first, body)) = read_packet(&mut stream) {
            if first & 0xF0 != 0x30 || left == 0 {
                continue;
            }
            let topic = usize::from(u16::from_be_bytes([body[0], body[1]]));
            left -= 1;
            std::thread::sleep(Duration::from_millis(20));
            let _ = stream.write_all(&[0x40, 2, body[2 + topic], body[3 + topic]]);
        }
    });
    let publisher = Publisher::connect(&Address::embedded(address), "test-publisher").unwrap();
    for i in 0..20_u8 {
        publisher.publish("t/a", vec![b'0' + i % 10]).unwrap();
    }
    let stats = watched("settling", move || {
        assert!(!publisher.settle(LONG * 10, Duration::from_secs(2)));
        publisher.stats()
    });
    assert_eq!((stats.acknowledged, stats.waiting), (10, 10));
}

#[test]
fn a_stored_message_of_before_is_no_loss() {
    let server = telemetry::broker::EmbeddedBroker::start(0, 262_144).unwrap();
    let mut broker = broker_at(server.address());
    let publisher = Publisher::connect(&Address::embedded(server.address()), "test-publisher").unwrap();
    let kept = Message { retain: true, ..Message::default() };
    let send = |seq: u64, message: Message| {
        let text = format!(r#"{{"v":{seq},"ts":1700000000000,"pub":"p","seq":{seq}}}"#);
        publisher.publish_as("t/a", text.into_bytes(), message).unwrap();
    };
    send(0, kept);
    (1..50).for_each(|seq| send(seq, Message::default()));
    assert!(publisher.flush(LONG));
    broker.client_id = Some("late".into());
    let connection = telemetry::connect(&broker, &Ingest::default(), None, &[point("t/a", "")], "test").unwrap();
    assert_eq!(samples(&connection.arrivals, 1)[0].value, 0.0);
    assert!(connection.subscriber.wait_connected(LONG));
    send(50, Message::default());
    assert_eq!(samples(&connection.arrivals, 1)[0].value, 50.0);
    assert_eq!(connection.subscriber.stats().publishers.lost(), Some(0));
}
