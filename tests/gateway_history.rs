//! From devices to the history: a gateway, a broker, a historian with receipts, and each of them gone for a while.

// A test says what is wrong by panicking, its helpers too.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;
mod mqtt_common;

use common::*;
use mqtt_common::point;
use plenum::Quality;
use plenum::history::embedded::{Embedded, EmbeddedReader, Options, verify};
use plenum::history::{History, Reader, Span, Stored};
use plenum::site::project::{Broker, BrokerUrl, Ingest, Retention};
use plenum::site::unit::Unit;
use plenum::telemetry::gateway::config::{self, Config};
use plenum::telemetry::gateway::live::{Gateway, Outcome};
use plenum::telemetry::historian::{Historian, Settings, Source, Teller};
use plenum::telemetry::mqtt::Recording;
use plenum::telemetry::receipts::PREFIX;
use plenum::telemetry::{self, Connection, Recorded};
use std::collections::BTreeMap;
use std::path::Path;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

/// Points of the device that answers; the one that does not has two.
const POINTS: usize = 8;

/// A gateway with a device that answers twenty times a second, in °F, and one that never does.
fn gateway(folder: &Path, port: u16) -> Config {
    let mut text = format!(
        "id = \"gw-edge\"\n[broker]\nurl = \"mqtt://127.0.0.1:{port}\"\nkeep_alive_s = 2\n[pace]\nagain_s = 1\n\
         [spool]\nsync_s = 0.05\n\
         [[devices]]\nname = \"S\"\nkind = \"simulated\"\npoll_s = 0.05\ntopic = \"t/{{device}}\"\n"
    );
    for i in 0..POINTS {
        text += &format!("[[devices.points]]\nname = \"p{i}\"\nunit = \"[degF]\"\nmean = 212.0\namplitude = 0.0\n");
    }
    text += &format!(
        "[[devices]]\nname = \"GONE\"\nkind = \"modbus-tcp\"\naddress = \"127.0.0.1:{}\"\npoll_s = 0.2\ntimeout_s = 0.2\n\
         retries = 0\ntopic = \"t/{{device}}\"\n",
        free_port()
    );
    for i in 0..2 {
        text += &format!("[[devices.points]]\nname = \"p{i}\"\nregister = {i}\ntype = \"u16\"\nunit = \"[degF]\"\n");
    }
    let file = folder.join("gateway.toml");
    std::fs::write(&file, text).unwrap();
    let (config, problems) = config::load(&file).unwrap_or_else(|(p, all)| panic!("{p} {all:?}"));
    assert_eq!(problems, []);
    config
}

/// The twin's side in this process: the embedded broker, the subscription, the historian, and who tells what is kept.
struct Twin {
    connection: Connection,
    historian: Historian,
    teller: Option<Teller>,
}

impl Twin {
    fn start(history: &Path, port: u16, tells: bool) -> Self {
        let file = history.to_path_buf();
        let open = move || Embedded::open(&file, Options::default()).map(|(s, p)| (Box::new(s) as Box<dyn History>, p));
        let source = Source { place: "history.db".into(), open: Box::new(open), bytes: Box::new(|| None) };
        let settings = Settings { gather: Duration::from_millis(20), ..Settings::default() };
        let historian = Historian::start(source, settings).unwrap();
        let celsius = Unit::parse("Cel").unwrap();
        let points: Vec<_> = (0..POINTS)
            .map(|i| point("t/S", &format!("p{i}")))
            .chain((0..2).map(|i| point("t/GONE", &format!("p{i}"))))
            .map(|p| plenum::site::Point { unit: celsius, ..p })
            .collect();
        let broker = Broker { url: BrokerUrl::Embedded { port }, subscribe: vec!["t/#".into()], ..Broker::default() };
        let recording = Recording { inlet: historian.inlet(), receipts: PREFIX.into() };
        let recorded = Recorded { recording, retention: Retention::default() };
        // The port is that of a broker that has just ended.
        let connection = wait_for("the port", || {
            let recorded = Recorded { recording: recorded.recording.clone(), retention: Retention::default() };
            telemetry::connect_recorded(&broker, &Ingest::default(), None, &points, "edge", Some(recorded)).ok()
        });
        let teller = tells.then(|| {
            let (address, id) = (connection.address.clone(), "edge-receipts".to_owned());
            Teller::start(address, id, PREFIX.into(), historian.book()).unwrap()
        });
        Self { connection, historian, teller }
    }

    fn end(mut self) {
        self.connection.stop();
        self.historian.stop();
        drop(self.teller.take());
    }
}

fn run_until(what: &str, gateway: &mut Gateway, mut done: impl FnMut(&Gateway) -> bool) {
    let deadline = Instant::now() + LONG;
    while !done(gateway) {
        assert!(Instant::now() < deadline, "waited for {what}: {:?}", gateway.core().counts());
        gateway.step(Duration::from_millis(10));
    }
}

fn run(gateway: &mut Gateway, time: Duration) {
    let until = Instant::now() + time;
    run_until("time to pass", gateway, |_| Instant::now() >= until);
}

/// The samples of each point in a history, by the point's id.
fn kept(file: &Path) -> BTreeMap<String, Vec<Stored>> {
    let reader = EmbeddedReader::open(file).unwrap();
    let points = reader.points().unwrap();
    points.into_iter().map(|(key, info)| (info.id, reader.samples(key, Span::ALL).unwrap())).collect()
}

/// Every sample that the gateway took is there once, as it was read: in SI, and what is not there as bad, with its code.
fn all_there(file: &Path, outcome: &Outcome, answers: impl Fn(&str) -> bool) {
    assert_eq!((outcome.counts.lost, outcome.waiting), (0, 0), "{outcome:?}");
    assert_eq!(outcome.counts.taken, outcome.counts.confirmed, "{outcome:?}");
    let kept = kept(file);
    assert_eq!(kept.len(), POINTS + 2);
    assert_eq!(kept.values().map(|s| s.len() as u64).sum::<u64>(), outcome.counts.taken);
    for (id, samples) in &kept {
        assert!(!samples.is_empty(), "{id}");
        assert!(samples.is_sorted_by(|a, b| a.time < b.time), "{id}: a moment twice");
        for s in samples {
            if answers(id) {
                assert!((s.value - 100.0).abs() < 1e-9 && s.code == 0 && s.quality.is_good(), "{id} {s:?}");
            } else {
                // It did not answer: that is a reading too, with the words it was said in.
                assert!(s.value.is_nan() && s.quality == Quality::BadNotConnected && s.code != 0, "{id} {s:?}");
            }
        }
    }
    assert_eq!(verify(file, |_| true).unwrap().damages, 0);
}

/// Ends the gateway, whose last samples are confirmed on the way.
fn end(gateway: Gateway) -> Outcome {
    watched("the gateway's end", move || gateway.stop())
}

#[test]
fn a_spool_empties_by_broker_and_receipts_only() {
    let folder = tempfile::tempdir().unwrap();
    let (file, port) = (folder.path().join("history.db"), free_port());
    let twin = Twin::start(&file, port, true);
    let mut gateway = Gateway::start(gateway(folder.path(), port), Vec::new()).unwrap();
    run_until("receipts", &mut gateway, |g| g.core().counts().confirmed > 200);

    // The historian is away, and the broker with it, which was its own.
    twin.end();
    let before = gateway.core().counts();
    run_until("an outage", &mut gateway, |g| g.core().counts().taken > before.taken + 300);
    assert!(gateway.core().dispatch.waiting() > 200, "kept meanwhile");

    // The broker is back and a history writes, and nobody says so: the broker's word does not empty the spool.
    let twin = Twin::start(&file, port, false);
    let stored = before.confirmed + 500;
    run_until("samples in the history", &mut gateway, |_| twin.historian.status().stored > stored.min(300));
    let confirmed = gateway.core().counts().confirmed;
    run(&mut gateway, Duration::from_millis(500));
    let waiting = gateway.core().dispatch.waiting();
    assert!(gateway.core().counts().confirmed <= confirmed + 1 && waiting > 200, "{:?}", gateway.core().counts());
    twin.end();

    // Somebody who says it: what is there already comes again, and is there once.
    let twin = Twin::start(&file, port, true);
    run_until("everything to be confirmed", &mut gateway, |g| {
        g.core().dispatch.waiting() < 60 && g.core().counts().confirmed > before.taken + 300
    });
    let outcome = end(gateway);
    assert!(outcome.counts.again > 0, "{outcome:?}");
    let wire = twin.connection.subscriber.stats();
    assert_eq!((wire.rejected, wire.unmatched), (0, 0), "nothing that it writes is unreadable here");
    twin.end();
    all_there(&file, &outcome, |id| id.starts_with("t/S/"));
}

/// A project for what the gateway sends.
fn project(folder: &Path, port: u16) {
    let layer = r#"{"type": "FeatureCollection", "features": [
      {"type": "Feature", "id": "B1", "properties": {"kind": "building", "height": 9.0, "name": "Lab"},
       "geometry": {"type": "Polygon", "coordinates": [[[7.1, 47.1], [7.2, 47.1], [7.2, 47.2], [7.1, 47.1]]]}}]}"#;
    std::fs::write(folder.join("site.geojson"), layer).unwrap();
    let mut text = format!(
        "name = \"Edge\"\nlayers = [{{ file = \"site.geojson\" }}]\n\
         [broker]\nurl = \"embedded\"\nport = {port}\nsubscribe = [\"t/#\"]\n[history]\ncommit_ms = 20\n"
    );
    let mut bind = |device: &str, i: usize| {
        text += &format!(
            "[[bindings]]\nasset = \"B1\"\npoint = \"{device}_p{i}\"\nunit = \"Cel\"\ntopic = \"t/{device}\"\nkey = \"p{i}\"\n"
        );
    };
    (0..POINTS).for_each(|i| bind("S", i));
    (0..2).for_each(|i| bind("GONE", i));
    std::fs::write(folder.join("twin.toml"), text).unwrap();
}

/// The program with its own broker and history; it does not outlive the test.
struct Program(Child);

impl Program {
    fn run(folder: &Path) -> Self {
        Self(start(&["run", folder.to_str().unwrap(), "--headless"], Stdio::null(), Stdio::null()))
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn a_historian_that_is_killed_costs_no_sample() {
    let folder = tempfile::tempdir().unwrap();
    let port = free_port();
    project(folder.path(), port);
    let file = folder.path().join(".plenum").join("history.db");
    let mut program = Program::run(folder.path());
    let mut gateway = Gateway::start(gateway(folder.path(), port), Vec::new()).unwrap();
    for kill in 0..3 {
        let before = gateway.core().counts().confirmed;
        run_until("receipts", &mut gateway, |g| g.core().counts().confirmed > before + 200);
        // SIGKILL, at any moment, and an outage before it comes back.
        run(&mut gateway, Duration::from_millis(37 * (kill + 1)));
        drop(program);
        run(&mut gateway, Duration::from_millis(500));
        program = Program::run(folder.path());
    }
    let taken = gateway.core().counts().taken;
    run_until("everything to be confirmed", &mut gateway, |g| {
        g.core().counts().confirmed > taken && g.core().dispatch.waiting() < 60
    });
    let outcome = end(gateway);
    interrupt(&program.0);
    assert!(wait_for("its end", || program.0.try_wait().unwrap()).success());
    all_there(&file, &outcome, |id| id.contains("/S_"));
}
