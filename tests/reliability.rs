//! That nothing is lost: programs that are killed, brokers that bounce, windows that stall, disks that are full.
//!
//! Each of these runs briefly here; `scripts/reliability` runs them for long (`PLENUM_KILLS`, `PLENUM_BOUNCES`,
//! `PLENUM_STALL_S`), and what came of it stands in `docs/reliability.md`.

// A test says what is wrong by panicking, its helpers too.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::field_reassign_with_default)]

mod common;
mod mqtt_common;

use common::*;
use mqtt_common::mosquitto::{Mosquitto, PASSWORD, USER, installed};
use mqtt_common::*;
use plenum::history::embedded::{Embedded, EmbeddedReader, Options, verify};
use plenum::history::{History, HistoryError, Reader, Reason, Span};
use plenum::site::project::{Broker, Ingest, Retention};
use plenum::telemetry::historian::{Historian, Settings, Source, Teller};
use plenum::telemetry::keeper::Keeper;
use plenum::telemetry::mqtt::{Delivery, Message, Recording};
use plenum::telemetry::receipts::{PREFIX, Ranges};
use plenum::telemetry::{self, Address, Connection, Publisher, Recorded};
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// How often, or how long: more in a long run.
fn many(variable: &str, usual: u64) -> u64 {
    std::env::var(variable).ok().and_then(|n| n.parse().ok()).unwrap_or(usual)
}

/// A number between 0 and `below` that differs each time.
fn chance(below: u64) -> u64 {
    use std::hash::{BuildHasher, Hasher};
    std::hash::RandomState::new().build_hasher().finish() % below.max(1)
}

const POINTS: u64 = 10;
/// The clock of the samples: a day in November 2023.
const BEGIN: i64 = 1_700_000_000_000;

/// The message with the samples `from..to`: of ten points in turn, each with its number as its value.
fn message(id: &str, from: u64, to: u64) -> Vec<u8> {
    let one = |i: u64| format!(r#"{{"ts":{},"pub":"{id}","seq":{i},"values":{{"p{}":{i}}}}}"#, time_of(i), i % POINTS);
    format!("[{}]", (from..to).map(one).collect::<Vec<_>>().join(",")).into_bytes()
}

fn time_of(number: u64) -> i64 {
    BEGIN + 10 * (number / POINTS) as i64
}

/// A project with ten points on one topic, at a broker.
fn project(broker: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let layer = r#"{"type": "FeatureCollection", "features": [
      {"type": "Feature", "id": "B1", "properties": {"kind": "building", "height": 9.0, "name": "Lab"},
       "geometry": {"type": "Polygon", "coordinates": [[[7.1, 47.1], [7.2, 47.1], [7.2, 47.2], [7.1, 47.1]]]}}]}"#;
    std::fs::write(folder.path().join("site.geojson"), layer).unwrap();
    let mut text = format!(
        "name = \"Reliable\"\nlayers = [{{ file = \"site.geojson\" }}]\n{broker}\nsubscribe = [\"t/#\"]\n\
         [history]\ncommit_ms = 20\n"
    );
    for i in 0..POINTS {
        text.push_str(&format!(
            "[[bindings]]\nasset = \"B1\"\npoint = \"p{i}\"\nunit = \"1\"\ntopic = \"t/x\"\nkey = \"p{i}\"\n"
        ));
    }
    std::fs::write(folder.path().join("twin.toml"), text).unwrap();
    folder
}

/// The program at work; it does not outlive the test.
struct Program(Child);

impl Program {
    fn run(folder: &Path) -> Self {
        Self(start(&["run", folder.to_str().unwrap(), "--headless"], Stdio::null(), Stdio::null()))
    }

    /// As nothing can be prepared for: SIGKILL.
    fn kill(&mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }

    /// Ctrl-C; true when it ends well.
    fn end(&mut self) -> bool {
        interrupt(&self.0);
        wait_for("an end", || self.0.try_wait().unwrap()).success()
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn file_of(folder: &Path) -> PathBuf {
    folder.join(".plenum").join("history.db")
}

/// The numbers of the samples in a history, by their values; no moment twice, and each where it belongs.
fn numbers_in(file: &Path) -> Ranges {
    let reader = EmbeddedReader::open(file).unwrap();
    let mut all = Vec::new();
    for (key, info) in reader.points().unwrap() {
        let samples = reader.samples(key, Span::ALL).unwrap();
        assert!(samples.is_sorted_by(|a, b| a.time < b.time), "{}: a moment twice", info.id);
        for s in samples {
            let number = s.value as u64;
            assert_eq!(s.time.0, time_of(number), "{}", info.id);
            assert!(info.id.ends_with(&format!("/p{}", number % POINTS)), "{} has {number}", info.id);
            all.push(number);
        }
    }
    all.sort_unstable();
    assert!(all.is_sorted_by(|a, b| a < b), "a number twice");
    all.into_iter().map(|n| [n, n + 1]).collect()
}

fn holds_all(there: &Ranges, acknowledged: &Ranges) {
    for [from, to] in acknowledged.iter() {
        assert!(there.holds(from, to), "acknowledged and not there: from {} on", there.first_missing(from));
    }
}

#[test]
fn a_program_that_is_killed_loses_nothing_that_has_a_receipt() {
    let kills = many("PLENUM_KILLS", 3);
    let port = free_port();
    let folder = project(&format!("[broker]\nurl = \"embedded\"\nport = {port}"));
    let file = file_of(folder.path());
    let address = Address::embedded(std::net::SocketAddr::from(([127, 0, 0, 1], port)));
    let mut child = Program::run(folder.path());
    wait_for("it to listen", || TcpStream::connect(("127.0.0.1", port)).ok());
    let publisher = Arc::new(Publisher::connect(&address, "reliable-publisher").unwrap());
    let patience = Duration::from_secs(2);
    let mut keeper = Keeper::new(publisher, &address, "reliable-ears", PREFIX, "reliable", patience).unwrap();
    assert!(keeper.wait_connected(LONG));
    let (mut published, mut slowest) = (0, Duration::ZERO);
    for kill in 0..kills {
        let before = keeper.done().count();
        let mut until = None;
        // Killed at any moment under load: while receipts come.
        loop {
            if keeper
                .publish(
                    "t/x",
                    &message("reliable", published, published + 50),
                    [published, published + 50],
                    Duration::from_millis(100),
                )
                .is_ok()
            {
                published += 50;
            }
            std::thread::sleep(Duration::from_millis(5));
            if until.is_none() && keeper.done().count() > before {
                until = Some(Instant::now() + Duration::from_millis(chance(400)));
            }
            if until.is_some_and(|at| Instant::now() >= at) {
                break;
            }
        }
        child.kill();
        // What it has acknowledged by now is there for whoever looks.
        std::thread::sleep(Duration::from_millis(50));
        let acknowledged = keeper.done();
        let opening = Instant::now();
        let there = numbers_in(&file);
        slowest = slowest.max(opening.elapsed());
        holds_all(&there, &acknowledged);
        println!("kill {kill}: {published} published, {} acknowledged, {} there", acknowledged.count(), there.count());
        child = Program::run(folder.path());
    }
    // All of it comes again, and is there once.
    let all = Instant::now();
    while !keeper.flush(Duration::from_secs(1)) {
        assert!(all.elapsed() < LONG, "{:?}", keeper.stats());
    }
    assert!(child.end(), "it ends cleanly");
    let there = numbers_in(&file);
    assert_eq!((there.count(), there.first_missing(0)), (published, published));
    assert_eq!(verify(&file, |_| true).unwrap().damages, 0);
    println!("{kills} kills, {published} samples, {:?}; read again in {slowest:?} at most", keeper.stats());
}

#[test]
fn a_program_that_is_killed_beside_a_broker_of_its_own_loses_nothing() {
    let Some(programs) = installed() else { return };
    let kills = many("PLENUM_KILLS", 5);
    let mosquitto = Mosquitto::start(&programs, "");
    let password = mosquitto.folder.path().join("password");
    std::fs::write(&password, PASSWORD).unwrap();
    let folder = project(&format!(
        "[broker]\nurl = \"mqtt://127.0.0.1:{}\"\nuser = \"{USER}\"\npassword_file = \"{}\"\nkeep_alive_s = 5",
        mosquitto.port,
        password.display()
    ));
    let file = file_of(folder.path());
    let mut child = Program::run(folder.path());
    // Its session is there once it has subscribed; nothing is published before.
    let address = Address::resolve(&mosquitto.project(None), None).unwrap();
    let publisher = Publisher::connect(&address, "reliable-publisher").unwrap();
    wait_for("the subscription", || {
        publisher.publish("t/hello", b"{\"v\":1}".to_vec()).unwrap();
        std::thread::sleep(Duration::from_millis(200));
        file.exists().then_some(())
    });
    std::thread::sleep(Duration::from_secs(2));
    let mut published = 0;
    for _ in 0..kills {
        let until = Instant::now() + Duration::from_millis(300 + chance(700));
        while Instant::now() < until {
            publisher.publish("t/x", message("reliable", published, published + 50)).unwrap();
            published += 50;
            std::thread::sleep(Duration::from_millis(5));
        }
        child.kill();
        let there = numbers_in(&file);
        assert!(there.first_missing(0) <= published);
        child = Program::run(folder.path());
    }
    assert!(publisher.flush(LONG));
    // What was not acknowledged the broker has kept.
    let complete = || (numbers_in(&file).count() == published).then_some(());
    wait_for("all of it", || {
        std::thread::sleep(Duration::from_millis(500));
        complete()
    });
    assert!(child.end(), "it ends cleanly");
    assert_eq!(numbers_in(&file).first_missing(0), published);
    assert_eq!(verify(&file, |_| true).unwrap().damages, 0);
    println!("{kills} kills, {published} samples");
}

/// A historian on a file, and a way to make it fail.
struct Store {
    folder: tempfile::TempDir,
    fails: Arc<Mutex<Option<Reason>>>,
    historian: Historian,
}

impl Store {
    /// `fails`: from the beginning.
    fn new(fails: Option<Reason>) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("history.db");
        let fails = Arc::new(Mutex::new(fails));
        let how = Arc::clone(&fails);
        let open = move || match *how.lock().unwrap() {
            Some(reason) => Err(HistoryError::new(reason, "history.db", "it fails")),
            None => Embedded::open(&file, Options::default()).map(|(s, p)| (Box::new(s) as Box<dyn History>, p)),
        };
        let source = Source { place: "history.db".into(), open: Box::new(open), bytes: Box::new(|| None) };
        let settings =
            Settings { gather: Duration::from_millis(10), retry: Duration::from_millis(50), ..Settings::default() };
        let historian = Historian::start(source, settings).unwrap();
        Self { folder, fails, historian }
    }

    fn file(&self) -> PathBuf {
        self.folder.path().join("history.db")
    }

    fn connect(&self, broker: &Broker, ingest: &Ingest) -> Connection {
        let points: Vec<_> = (0..POINTS).map(|i| point("t/x", &format!("p{i}"))).collect();
        let recording = Recording { inlet: self.historian.inlet(), receipts: PREFIX.into() };
        let recorded = Recorded { recording, retention: Retention::default() };
        telemetry::connect_recorded(broker, ingest, None, &points, "reliable", Some(recorded)).unwrap()
    }
}

/// A PUBLISH of QoS 1.
fn publish_once(topic: &str, packet_id: u16, payload: &[u8]) -> Vec<u8> {
    let mut body = Vec::new();
    body.extend_from_slice(&(topic.len() as u16).to_be_bytes());
    body.extend_from_slice(topic.as_bytes());
    body.extend_from_slice(&packet_id.to_be_bytes());
    body.extend_from_slice(payload);
    assert!(body.len() < 128);
    [&[0x32, body.len() as u8][..], &body].concat()
}

/// Packet ids that are acknowledged until nothing comes for a while, or the other side goes.
fn acknowledged(stream: &mut TcpStream, quiet: Duration) -> Vec<u16> {
    stream.set_read_timeout(Some(quiet)).unwrap();
    let mut ids = Vec::new();
    let mut head = [0; 2];
    while stream.read_exact(&mut head).is_ok() {
        let mut body = vec![0; usize::from(head[1])];
        stream.read_exact(&mut body).unwrap();
        if head[0] == 0x40 {
            ids.push(u16::from_be_bytes([body[0], body[1]]));
        }
        if head[0] == 0xC0 {
            stream.write_all(&[0xD0, 0]).unwrap();
        }
    }
    ids
}

#[test]
fn a_message_is_acknowledged_once_it_is_kept_and_never_on_another_connection() {
    let store = Store::new(Some(Reason::Full));
    let fails = Arc::clone(&store.fails);
    let (tell, told) = std::sync::mpsc::channel();
    let ended = Arc::new(AtomicBool::new(false));
    let stop = Arc::clone(&ended);
    let address = bad_broker(move |i, mut stream| {
        if i > 1 || let_in(&mut stream, 0).is_err() {
            return;
        }
        let payload = |n: u64| format!(r#"{{"ts":{},"pub":"b","seq":{n},"values":{{"p{n}":{n}}}}}"#, time_of(n));
        if i == 0 {
            stream.write_all(&publish_once("t/x", 7, payload(0).as_bytes())).unwrap();
            // A topic that nobody knows: there is nothing to keep, and its turn comes after what came before.
            stream.write_all(&publish_once("t/unknown", 8, b"{\"v\":1}")).unwrap();
            tell.send(acknowledged(&mut stream, Duration::from_millis(500))).unwrap();
            return;
        }
        // What was not acknowledged comes again, under other numbers.
        stream.write_all(&publish_once("t/x", 9, payload(0).as_bytes())).unwrap();
        stream.write_all(&publish_once("t/unknown", 4, b"{\"v\":1}")).unwrap();
        stream.write_all(&publish_once("t/x", 3, payload(1).as_bytes())).unwrap();
        std::thread::sleep(Duration::from_millis(200));
        *fails.lock().unwrap() = None;
        tell.send(acknowledged(&mut stream, Duration::from_millis(1500))).unwrap();
        while !stop.load(Ordering::SeqCst) {
            std::thread::sleep(Duration::from_millis(5));
        }
    });
    let connection = store.connect(&Broker { keep_alive_s: 30, ..broker_at(address) }, &Ingest::default());
    assert_eq!(told.recv_timeout(LONG).unwrap(), Vec::<u16>::new(), "nothing is kept, so nothing is acknowledged");
    assert_eq!(told.recv_timeout(LONG).unwrap(), [9, 4, 3], "in their order, and none of the connection before");
    ended.store(true, Ordering::SeqCst);
    drop(connection);
    assert_eq!(store.historian.status().stored, 3, "the first came twice");
    let Store { folder, historian, .. } = store;
    drop(historian);
    assert_eq!(numbers_in(&folder.path().join("history.db")).iter().collect::<Vec<_>>(), [[0, 2]]);
}

#[test]
fn a_full_disk_stops_acknowledging_and_it_goes_on_by_itself() {
    let folder = tempfile::tempdir().unwrap();
    let disk = folder.path().join("disk");
    std::fs::create_dir(&disk).unwrap();
    let run = |arguments: &[&str]| {
        std::process::Command::new("mount").args(arguments).stderr(Stdio::null()).status().is_ok_and(|s| s.success())
    };
    let at = disk.to_str().unwrap();
    if !run(&["-t", "tmpfs", "-o", "size=3m", "tmpfs", at]) {
        eprintln!("SKIPPED: this user may not mount a small disk, so that a full one was only played");
        return;
    }
    struct Unmount(PathBuf);
    impl Drop for Unmount {
        fn drop(&mut self) {
            let _ = std::process::Command::new("umount").arg("-l").arg(&self.0).status();
        }
    }
    let _unmount = Unmount(disk.clone());
    let file = disk.join("history.db");
    let path = file.clone();
    let open = move || Embedded::open(&path, Options::default()).map(|(s, p)| (Box::new(s) as Box<dyn History>, p));
    let source = Source { place: "history.db".into(), open: Box::new(open), bytes: Box::new(|| None) };
    let settings =
        Settings { gather: Duration::from_millis(5), retry: Duration::from_millis(50), ..Settings::default() };
    let historian = Historian::start(source, settings).unwrap();
    let server = telemetry::broker::EmbeddedBroker::start(0, 262_144).unwrap();
    let points: Vec<_> = (0..POINTS).map(|i| point("t/x", &format!("p{i}"))).collect();
    let recording = Recording { inlet: historian.inlet(), receipts: PREFIX.into() };
    let recorded = Recorded { recording, retention: Retention::default() };
    let broker = Broker { keep_alive_s: 60, ..broker_at(server.address()) };
    let connection =
        telemetry::connect_recorded(&broker, &Ingest::default(), None, &points, "reliable", Some(recorded)).unwrap();
    assert!(connection.subscriber.wait_connected(LONG));
    let _teller = Teller::start(connection.address.clone(), "r".into(), PREFIX.into(), historian.book()).unwrap();
    let publisher = Arc::new(Publisher::connect(&connection.address, "p").unwrap());
    let patience = Duration::from_secs(3600);
    let mut keeper = Keeper::new(publisher, &connection.address, "ears", PREFIX, "full", patience).unwrap();
    assert!(keeper.wait_connected(LONG));
    let mut published = 0;
    let mut more = |keeper: &mut Keeper| {
        keeper.publish("t/x", &message("full", published, published + 50), [published, published + 50], LONG).unwrap();
        published += 50;
        published
    };
    more(&mut keeper);
    wait_for("a first receipt", || (keeper.done().count() == 50).then_some(()));
    // Somebody else fills the disk.
    let other = disk.join("other");
    let mut filler = std::fs::File::create(&other).unwrap();
    while filler.write_all(&[1; 4096]).is_ok() {}
    wait_for("the disk to be full", || {
        more(&mut keeper);
        std::thread::sleep(Duration::from_millis(5));
        historian.status().failing
    });
    let error = historian.status().failing.unwrap().1;
    assert_eq!(error.reason, Reason::Full, "{error}");
    let before = keeper.done().count();
    for _ in 0..20 {
        more(&mut keeper);
    }
    std::thread::sleep(Duration::from_millis(300));
    assert_eq!(keeper.done().count(), before, "nothing is acknowledged");
    drop(filler);
    std::fs::remove_file(&other).unwrap();
    let all = more(&mut keeper);
    assert!(keeper.flush(LONG), "{:?} {:?}", keeper.stats(), historian.status());
    assert!(historian.status().failing.is_none());
    drop(connection);
    drop(historian);
    assert_eq!(numbers_in(&file).iter().collect::<Vec<_>>(), [[0, all]]);
    assert_eq!(verify(&file, |_| true).unwrap().damages, 0);

    // A disk that may only be read is one that cannot be written.
    assert!(run(&["-o", "remount,ro", at]));
    let path = file.clone();
    let open = move || Embedded::open(&path, Options::default()).map(|(s, p)| (Box::new(s) as Box<dyn History>, p));
    let source = Source { place: "history.db".into(), open: Box::new(open), bytes: Box::new(|| None) };
    let settings = Settings { retry: Duration::from_millis(50), ..Settings::default() };
    let historian = Historian::start(source, settings).unwrap();
    let batch = plenum::telemetry::historian::Batch { tokens: vec![1], ..Default::default() };
    assert!(historian.inlet().offer(batch).is_ok());
    assert_eq!(historian.status().failing.unwrap().1.reason, Reason::ReadOnly);
    assert!(run(&["-o", "remount,rw", at]));
    wait_for("it to go on", || historian.status().failing.is_none().then_some(()));
}

#[test]
fn a_window_that_stalls_holds_no_history_back() {
    use plenum::twin::scene::OpenSite;
    use plenum::twin::telemetry::{Inlet, Intake};
    let stall = Duration::from_secs(many("PLENUM_STALL_S", 2));
    let store = Store::new(None);
    let broker = Broker { subscribe: vec!["t/#".into()], ..Broker::default() };
    let connection = store.connect(&broker, &Ingest::default());
    let mut site = plenum::site::Site::default();
    site.points = (0..POINTS).map(|i| point("t/x", &format!("p{i}"))).collect();
    site.elements = vec![plenum::site::Element::default()];
    site.source_of = vec![0];
    let mut app = bevy::app::App::new();
    app.add_plugins((bevy::prelude::MinimalPlugins, plenum::TwinPlugins));
    app.insert_resource(OpenSite(Arc::new(site))).insert_resource(Inlet(connection.arrivals.clone()));
    app.update();
    let publisher = Publisher::connect(&connection.address, "stall").unwrap();
    let before = resident_mb();
    let (begun, mut published) = (Instant::now(), 0u64);
    while begun.elapsed() < stall {
        // 10,000 a second.
        let payload = message("stall", published, published + 100);
        let as_fast = Message { delivery: Delivery::AtLeastOnce, retain: false };
        publisher.publish_as("t/x", payload, as_fast).unwrap();
        published += 100;
        std::thread::sleep(Duration::from_millis(10));
    }
    assert!(publisher.flush(LONG));
    wait_for("the history", || (store.historian.status().stored == published).then_some(()));
    let grown = resident_mb() - before;
    let behind = Instant::now();
    let taken = || app.world().get_resource::<Intake>().map_or(0, |i| i.samples);
    assert_eq!(taken(), 0, "the window has not moved");
    wait_for("the window", || {
        app.update();
        (app.world().get_resource::<Intake>().map_or(0, |i| i.samples) == published).then_some(())
    });
    println!("{published} samples in a stall of {stall:?}: {grown:.0} MB more, seen after {:?}", behind.elapsed());
    assert!(grown < 200.0, "{grown} MB");
    drop(connection);
    let file = store.file();
    let Store { folder: _folder, historian, .. } = store;
    drop(historian);
    assert_eq!(numbers_in(&file).iter().collect::<Vec<_>>(), [[0, published]]);
}

/// What this process has in memory; 0 where the system does not say.
fn resident_mb() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find(|l| l.starts_with("VmRSS:"));
    line.and_then(|l| l.split_whitespace().nth(1)?.parse::<f64>().ok()).map_or(0.0, |kb| kb / 1024.0)
}

#[test]
fn a_broker_that_bounces_is_found_again_each_time() {
    let Some(programs) = installed() else { return };
    let bounces = many("PLENUM_BOUNCES", 4);
    let mut mosquitto = Mosquitto::start(&programs, "max_inflight_messages 20\n");
    let store = Store::new(None);
    let project = mosquitto.project(None);
    let connection = store.connect(&project, &Ingest::default());
    assert!(connection.subscriber.wait_connected(LONG));
    let _teller =
        Teller::start(connection.address.clone(), "teller".into(), PREFIX.into(), store.historian.book()).unwrap();
    let publisher = Arc::new(Publisher::connect(&connection.address, "bounce").unwrap());
    let patience = Duration::from_secs(3);
    let mut keeper = Keeper::new(publisher, &connection.address, "ears", PREFIX, "bounce", patience).unwrap();
    assert!(keeper.wait_connected(LONG));
    let (mut published, mut slowest) = (0u64, Duration::ZERO);
    for _ in 0..bounces {
        // What is on its way is more than the broker hands out at once. It is killed: its sessions go with it.
        for _ in 0..(20 + chance(100)) {
            let numbers = [published, published + 20];
            if keeper
                .publish("t/x", &message("bounce", published, published + 20), numbers, Duration::from_millis(1))
                .is_ok()
            {
                published += 20;
            }
        }
        mosquitto.kill();
        std::thread::sleep(Duration::from_millis(chance(300)));
        mosquitto.run();
        let begun = Instant::now();
        assert!(connection.subscriber.wait_connected(LONG), "{:?}", connection.subscriber.status());
        slowest = slowest.max(begun.elapsed());
        assert!(begun.elapsed() < 2 * Duration::from_secs(5), "two keep-alives: {:?}", begun.elapsed());
    }
    let begun = Instant::now();
    while !keeper.flush(Duration::from_secs(1)) {
        assert!(begun.elapsed() < LONG, "{:?}", keeper.stats());
    }
    println!("{bounces} bounces, {published} samples, {:?}; back within {slowest:?}", keeper.stats());
    drop(connection);
    let file = store.file();
    let Store { folder: _folder, historian, .. } = store;
    drop(historian);
    assert_eq!(numbers_in(&file).iter().collect::<Vec<_>>(), [[0, published]]);
}
