//! Against a real mosquitto on loopback: TLS, passwords, client certificates, a restart in the middle.
//!
//! Without mosquitto installed these tests skip, and say so; `scripts/test` installs it.

// A test says what is wrong by panicking, its helpers too.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;
mod mqtt_common;

use common::*;
use mqtt_common::mosquitto::*;
use mqtt_common::*;
use plenum::site::project::{Broker, Ingest, Secret};
use plenum::telemetry::{self, Address, Connection, ConnectionStatus, Publisher};
use std::time::Duration;

fn connect(broker: &Broker) -> Connection {
    telemetry::connect(broker, &Ingest::default(), Some("t/clock"), &[point("t/a", "")], "mosquitto test").unwrap()
}

fn refusal(broker: &Broker) -> String {
    let connection = connect(broker);
    let said = wait_for("a refusal", || match connection.subscriber.status() {
        ConnectionStatus::Refused { reason } => Some(reason),
        _ => None,
    });
    let publisher = Address::resolve(broker, None).and_then(|a| Publisher::connect(&a, "test-publisher"));
    assert!(publisher.is_err());
    assert!(!said.contains(PASSWORD), "{said}");
    said
}

fn publish_and_take(connection: &Connection, count: usize) {
    let publisher = Publisher::connect(&connection.address, "test-publisher").unwrap();
    for i in 0..count {
        publisher.publish("t/a", format!(r#"{{"v":{i},"pub":"p","seq":{i}}}"#).into_bytes()).unwrap();
    }
    for (i, sample) in samples(&connection.arrivals, count).iter().enumerate() {
        assert_eq!(sample.value, i as f64);
    }
    assert!(publisher.flush(LONG));
    let stats = connection.subscriber.stats();
    assert_eq!((stats.publishers.lost(), stats.samples), (Some(0), count as u64));
}

#[test]
fn tls_with_a_password() {
    let Some(programs) = installed() else { return };
    let certificates = Certificates::make();
    let mosquitto = Mosquitto::start(&programs, &tls_lines(&certificates));
    let connection = connect(&mosquitto.project(Some(&certificates)));
    assert!(connection.subscriber.wait_connected(LONG), "{:?}", connection.subscriber.status());
    assert_eq!(connection.broker, format!("mqtts://localhost:{}", mosquitto.port));
    publish_and_take(&connection, 1000);
}

#[test]
fn tls_with_a_client_certificate() {
    let Some(programs) = installed() else { return };
    let certificates = Certificates::make();
    let mosquitto = Mosquitto::start(&programs, &format!("{}require_certificate true\n", tls_lines(&certificates)));
    let mut broker = mosquitto.project(Some(&certificates));
    assert!(refusal(&broker).contains("client certificate"), "without one");
    broker.cert = Some(certificates.file("client.pem"));
    broker.key = Some(certificates.file("server.key"));
    assert!(Address::resolve(&broker, None).is_err(), "a key of another certificate");
    broker.key = Some(certificates.file("client.key"));
    let connection = connect(&broker);
    assert!(connection.subscriber.wait_connected(LONG), "{:?}", connection.subscriber.status());
    publish_and_take(&connection, 100);
}

#[test]
fn what_does_not_let_us_in_is_said() {
    let Some(programs) = installed() else { return };
    let certificates = Certificates::make();
    let plain = Mosquitto::start(&programs, "");
    let mut broker = plain.project(None);
    let wrong = plain.folder.path().join("wrong");
    std::fs::write(&wrong, "wrong").unwrap();
    broker.password = Some(Secret::File(wrong));
    assert!(refusal(&broker).contains("wrong user or password"));
    broker.user = None;
    broker.password = None;
    assert!(refusal(&broker).contains("asks for a user and password"));

    let secure = Mosquitto::start(&programs, &tls_lines(&certificates));
    let mut broker = secure.project(Some(&certificates));
    let others = Certificates::make();
    broker.ca = Some(others.file("ca.pem"));
    let said = refusal(&broker);
    assert!(said.contains("not from the authority"), "{said}");

    let elsewhere = Certificates::of_server(&["elsewhere.example"]);
    let other_name = Mosquitto::start(&programs, &tls_lines(&elsewhere));
    assert!(refusal(&other_name.project(Some(&elsewhere))).contains("another host name"));
}

#[test]
fn a_restart_in_the_middle_is_survived() {
    let Some(programs) = installed() else { return };
    let certificates = Certificates::make();
    let mut mosquitto = Mosquitto::start(&programs, &tls_lines(&certificates));
    let connection = connect(&mosquitto.project(Some(&certificates)));
    assert!(connection.subscriber.wait_connected(LONG));
    let publisher = Publisher::connect(&connection.address, "test-publisher").unwrap();
    let mut seq = 0;
    let mut publish = |count: usize| {
        for _ in 0..count {
            publisher.publish("t/a", format!(r#"{{"v":{seq},"pub":"p","seq":{seq}}}"#).into_bytes()).unwrap();
            seq += 1;
        }
        seq
    };
    let sent = publish(200);
    assert_eq!(samples(&connection.arrivals, 200).last().unwrap().value, 199.0);
    assert_eq!(sent, 200);

    mosquitto.kill();
    wait_for("the loss", || matches!(connection.subscriber.status(), ConnectionStatus::Lost { .. }).then_some(()));
    // Published while there is no broker: kept, and sent when it is back.
    publish(300);
    std::thread::sleep(Duration::from_millis(500));
    mosquitto.run();
    assert!(connection.subscriber.wait_connected(LONG), "{:?}", connection.subscriber.status());
    let sent = publish(100);
    assert!(publisher.flush(LONG), "{:?}", publisher.stats());
    wait_for("the last sample", || {
        connection.arrivals.try_iter().find(|a| match a {
            telemetry::Arrival::Sample(s) => s.value == f64::from(sent - 1),
            telemetry::Arrival::Clock(_) => false,
        })
    });
    let stats = connection.subscriber.stats();
    let p = stats.publishers.get("p").unwrap();
    // Messages may come twice over a restart, which is no loss and no gain.
    assert_eq!((p.lost, p.next), (0, u64::from(sent as u32)), "{p:?}");
    assert_eq!(stats.samples, u64::from(sent as u32) + p.duplicate);
}

#[test]
fn what_came_while_we_were_away_is_there_when_we_are_back() {
    let Some(programs) = installed() else { return };
    let mosquitto = Mosquitto::start(&programs, "");
    let broker = mosquitto.project(None);
    let connection = connect(&broker);
    assert!(connection.subscriber.wait_connected(LONG));
    let publisher = Publisher::connect(&connection.address, "test-publisher").unwrap();
    drop(connection);
    for i in 0..500 {
        publisher.publish("t/a", format!(r#"{{"v":{i}}}"#).into_bytes()).unwrap();
    }
    assert!(publisher.flush(LONG));
    let connection = connect(&broker);
    for (i, sample) in samples(&connection.arrivals, 500).iter().enumerate() {
        assert_eq!(sample.value, i as f64);
    }
}
