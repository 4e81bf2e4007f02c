//! A gateway at work against a real mosquitto that is stopped and started, with a historian that confirms.
//!
//! Without mosquitto installed these tests skip, and say so; `scripts/test` installs it.

// A test says what is wrong by panicking, its helpers too.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;
mod mqtt_common;

use common::*;
use mqtt_common::mosquitto::*;
use plenum::telemetry::gateway::config::{self, Config};
use plenum::telemetry::gateway::device::modbus::{Area, Format, Register};
use plenum::telemetry::gateway::live::{Gateway, Outcome};
use plenum::telemetry::mqtt::{Address, Extras, Message, Publisher};
use plenum::telemetry::receipts::{self, Ranges, Receipt};
use serde_json::Value;
use std::path::Path;
use std::time::{Duration, Instant};

/// Twenty points, ten times a second.
fn written(folder: &Path, mosquitto: &Mosquitto) -> Config {
    let password = folder.join("password");
    std::fs::write(&password, PASSWORD).unwrap();
    let mut text = format!(
        "id = \"gw-test\"\n[broker]\nurl = \"mqtt://localhost:{}\"\nuser = \"{USER}\"\npassword_file = \"password\"\n\
         keep_alive_s = 2\n[pace]\nagain_s = 2\n[status]\nevery_s = 1\n\
         [[devices]]\nname = \"S\"\nkind = \"simulated\"\npoll_s = 0.1\ntopic = \"t/{{device}}\"\n",
        mosquitto.port
    );
    for i in 0..20 {
        text += &format!("[[devices.points]]\nname = \"p{i}\"\nunit = \"Cel\"\n");
    }
    let file = folder.join("gateway.toml");
    std::fs::write(&file, text).unwrap();
    let (config, problems) = config::load(&file).unwrap();
    assert_eq!(problems, []);
    config
}

/// A historian: it hears all that is published below `t/`, and confirms it.
struct Historian {
    wire: Publisher,
    got: Ranges,
    twice: u64,
    publisher: String,
    /// Whether it says what it has.
    confirms: bool,
}

impl Historian {
    fn start(mosquitto: &Mosquitto) -> Self {
        let address = Address::resolve(&mosquitto.project(None), None).unwrap();
        let extras = Extras { will: None, listen: Some("t/#".into()) };
        let wire = Publisher::start(&address, "a-historian", extras).unwrap();
        Self { wire, got: Ranges::EMPTY, twice: 0, publisher: String::new(), confirms: true }
    }

    fn step(&mut self) {
        let mut new = Ranges::EMPTY;
        for payload in self.wire.heard() {
            let object: Value = serde_json::from_slice(&payload).unwrap();
            let from = object["seq"].as_u64().unwrap();
            let to = from + object["values"].as_object().unwrap().len() as u64;
            self.publisher = object["pub"].as_str().unwrap().to_owned();
            self.twice += u64::from(self.got.holds(from, to));
            self.got.add(from, to);
            new.add(from, to);
        }
        if self.confirms {
            let topic = receipts::topic(receipts::PREFIX, &self.publisher);
            for payload in Receipt::payloads(&self.publisher, &new) {
                self.wire.publish_within(Duration::ZERO, &topic, payload, Message::default()).unwrap();
            }
        }
    }
}

fn run(gateway: &mut Gateway, historian: &mut Historian, time: Duration) {
    let until = Instant::now() + time;
    while Instant::now() < until {
        gateway.step(Duration::from_millis(10));
        historian.step();
    }
}

fn run_until(
    what: &str,
    gateway: &mut Gateway,
    historian: &mut Historian,
    done: impl Fn(&Gateway, &Historian) -> bool,
) {
    let deadline = Instant::now() + LONG;
    while !done(gateway, historian) {
        assert!(Instant::now() < deadline, "waited for {what}: {:?}", gateway.core().counts());
        run(gateway, historian, Duration::from_millis(50));
    }
}

/// Ends the gateway while the historian goes on.
fn end(gateway: Gateway, historian: &mut Historian) -> Outcome {
    let ending = std::thread::spawn(move || gateway.stop());
    while !ending.is_finished() {
        historian.step();
        std::thread::sleep(Duration::from_millis(5));
    }
    ending.join().unwrap()
}

#[test]
fn a_broker_that_goes_and_comes_costs_nothing_and_the_count_goes_on() {
    let Some(programs) = installed() else { return };
    let mut mosquitto = Mosquitto::start(&programs, "");
    let folder = tempfile::tempdir().unwrap();
    let config = written(folder.path(), &mosquitto);
    let mut historian = Historian::start(&mosquitto);
    assert!(wait_for("the historian's connection", || {
        matches!(historian.wire.status(), plenum::telemetry::ConnectionStatus::Connected { .. }).then_some(true)
    }));
    let mut gateway = Gateway::start(config.clone(), Vec::new()).unwrap();
    let second = Gateway::start(config.clone(), Vec::new()).err().unwrap();
    assert!(second.message.contains("another program uses this spool"), "{second}");
    run_until("samples", &mut gateway, &mut historian, |g, h| h.got.count() > 100 && g.core().counts().confirmed > 100);

    mosquitto.kill();
    let before = gateway.core().counts().taken;
    run_until("an outage", &mut gateway, &mut historian, |g, _| g.core().counts().taken > before + 400);
    assert!(gateway.core().dispatch.waiting() > 300, "kept meanwhile");
    mosquitto.run();
    run_until("everything to be confirmed", &mut gateway, &mut historian, |g, _| {
        g.core().dispatch.waiting() < 100 && g.core().counts().confirmed > before + 400
    });
    let outcome = end(gateway, &mut historian);
    assert_eq!((outcome.counts.lost, outcome.waiting), (0, 0), "{outcome:?}");
    assert_eq!(outcome.counts.taken, outcome.counts.confirmed);
    let taken = outcome.counts.taken;
    assert_eq!(historian.got.iter().collect::<Vec<_>>(), [[0, taken]], "none is missing");

    // A historian that is away: what it missed comes again, and the count goes on where it was.
    historian.confirms = false;
    let mut gateway = Gateway::start(config, Vec::new()).unwrap();
    let publisher = gateway.core().publisher().to_owned();
    assert_eq!(publisher, outcome.publisher);
    run_until("samples that nobody confirms", &mut gateway, &mut historian, |_, h| h.got.count() > taken + 100);
    assert_eq!(gateway.core().counts().confirmed, 0);
    historian.confirms = true;
    run_until("what was not confirmed, again", &mut gateway, &mut historian, |g, _| {
        g.core().counts().confirmed > 100 && g.core().dispatch.waiting() < 100
    });
    let outcome = end(gateway, &mut historian);
    assert!(outcome.counts.again > 0 && historian.twice > 0, "{outcome:?}");
    assert_eq!((outcome.counts.lost, outcome.waiting), (0, 0), "{outcome:?}");
    assert_eq!(historian.got.iter().collect::<Vec<_>>(), [[0, taken + outcome.counts.taken]]);
    assert_eq!(outcome.devices[0]["state"], "online");
    assert!(outcome.problems.is_empty(), "{:?}", outcome.problems);
}

/// What is kept on a topic, once it says what is asked for.
fn kept(mosquitto: &Mosquitto, topic: &str, state: &str) -> Value {
    let address = Address::resolve(&mosquitto.project(None), None).unwrap();
    // One after the other: each has left before the next one comes.
    let client = format!("reader-{}", topic.len());
    let reader = Publisher::start(&address, &client, Extras { will: None, listen: Some(topic.into()) }).unwrap();
    wait_for(&format!("{topic} to say {state}"), || {
        let heard = reader.heard();
        heard.iter().map(|p| serde_json::from_slice::<Value>(p).unwrap()).find(|v| v["state"] == state)
    })
}

#[test]
fn birth_health_and_a_clean_death_are_kept_by_the_broker() {
    let Some(programs) = installed() else { return };
    let mosquitto = Mosquitto::start(&programs, "");
    let folder = tempfile::tempdir().unwrap();
    let mut config = written(folder.path(), &mosquitto);
    // A device that is not there beside the one that is.
    let mut gone = config.devices[0].clone();
    gone.name = "GONE".into();
    gone.retries = 0;
    gone.timeout_s = 0.2;
    gone.kind =
        config::Kind::Modbus { host: "127.0.0.1".into(), port: free_port(), unit: 1, rtu: false, most: 100, gap: 8 };
    for (i, point) in gone.points.iter_mut().enumerate() {
        point.source = config::Source::Modbus(Register {
            area: Area::Holding,
            address: i as u16,
            format: Format::U16,
            little_words: false,
            little_bytes: false,
        });
    }
    config.devices.push(gone);
    let mut historian = Historian::start(&mosquitto);
    let mut gateway = Gateway::start(config, Vec::new()).unwrap();
    run_until("both devices to be known", &mut gateway, &mut historian, |g, _| {
        g.core().health().all(|(_, h)| h.online.is_some()) && g.core().counts().confirmed > 0
    });
    run(&mut gateway, &mut historian, Duration::from_millis(500));
    let status = kept(&mosquitto, "plenum/gateway/gw-test/status", "online");
    assert_eq!((status["devices"].as_u64(), status["points"].as_u64()), (Some(2), Some(40)));
    let device = kept(&mosquitto, "plenum/gateway/gw-test/devices/S", "online");
    assert_eq!(device["measures"][0]["topic"], "t/S");
    let away = kept(&mosquitto, "plenum/gateway/gw-test/devices/GONE", "offline");
    assert!(away["last_error"].as_str().unwrap().contains("127.0.0.1"), "{away}");
    let outcome = end(gateway, &mut historian);
    assert!(outcome.problems.iter().any(|p| p.place == "GONE"), "{:?}", outcome.problems);
    assert!(outcome.read > 20, "the other device was read all the same");
    let status = kept(&mosquitto, "plenum/gateway/gw-test/status", "offline");
    assert_eq!(status["waiting"], 0);
}
