//! Against a real server, started for the test; they skip, and say so, where PostgreSQL is not installed.

use super::*;
use crate::history::bucket::cut;
use crate::history::{Keep, Level, Reason, Span};
use crate::quality::Quality;
use proptest::prelude::*;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// A server of its own in a temporary folder.
struct Server {
    folder: tempfile::TempDir,
    programs: PathBuf,
    port: u16,
}

fn programs() -> Option<PathBuf> {
    let mut found: Vec<PathBuf> =
        std::fs::read_dir("/usr/lib/postgresql").ok()?.flatten().map(|e| e.path().join("bin")).collect();
    found.retain(|f| f.join("initdb").is_file());
    found.sort();
    found.pop()
}

/// A program of the server; it refuses to run for root.
fn as_server(program: &Path, folder: &Path) -> Command {
    let root = Command::new("id").arg("-u").output().is_ok_and(|o| o.stdout.starts_with(b"0"));
    let mut command = if root {
        let mut command = Command::new("runuser");
        command.args(["-u", "postgres", "--"]).arg(program);
        command
    } else {
        Command::new(program)
    };
    command.current_dir(folder).stdout(Stdio::null()).stderr(Stdio::null());
    command
}

impl Server {
    fn start() -> Option<Self> {
        let Some(programs) = programs() else {
            eprintln!("skipped: PostgreSQL is not installed");
            return None;
        };
        let folder = tempfile::tempdir().unwrap();
        let owned = Command::new("chown").arg("postgres").arg(folder.path()).stderr(Stdio::null()).status();
        drop(owned);
        let data = folder.path().join("data");
        let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let made = as_server(&programs.join("initdb"), folder.path())
            .args(["-U", "plenum", "-A", "trust", "-E", "UTF8", "--no-sync", "-D"])
            .arg(&data)
            .status()
            .unwrap();
        assert!(made.success(), "initdb failed");
        let server = Self { folder, programs, port };
        server.run("start");
        Some(server)
    }

    fn run(&self, what: &str) {
        let options =
            format!("-p {} -c listen_addresses=127.0.0.1 -c unix_socket_directories= -c fsync=off", self.port);
        let mut control = as_server(&self.programs.join("pg_ctl"), self.folder.path());
        control.args(["-w", "-m", "fast", "-o", &options, "-D"]).arg(self.folder.path().join("data")).arg(what);
        assert!(control.status().unwrap().success(), "pg_ctl {what} failed");
    }

    fn address(&self) -> Address {
        let url = format!("postgres://plenum@127.0.0.1:{}/postgres", self.port);
        Address { url, password: None, secure: Secure::Usual }
    }
}

impl Server {
    /// Runs a statement by the server's own program.
    fn sql(&self, statement: &str) -> bool {
        let mut psql = as_server(&self.programs.join("psql"), self.folder.path());
        let port = self.port.to_string();
        psql.args(["-h", "127.0.0.1", "-p", &port, "-U", "plenum", "-d", "postgres", "-q", "-c", statement]);
        psql.status().unwrap().success()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let mut control = as_server(&self.programs.join("pg_ctl"), self.folder.path());
        drop(control.args(["-m", "immediate", "-D"]).arg(self.folder.path().join("data")).arg("stop").status());
    }
}

fn info(id: &str) -> PointInfo {
    PointInfo { id: id.into(), unit: "Cel".into(), ..PointInfo::default() }
}

fn at(time: i64, value: f64) -> Stored {
    Stored { time: Time(time), arrival: Time(time + 5), value, quality: Quality::Good, code: 0 }
}

fn text(samples: &[Stored]) -> String {
    samples.iter().map(|s| format!("{:?} {:x};", Stored { value: 0.0, ..*s }, s.value.to_bits())).collect()
}

fn bits(buckets: &[crate::history::Bucket]) -> String {
    let of = |b: &crate::history::Bucket| (b.start, b.n, b.bad, [b.min, b.max, b.sum, b.last].map(f64::to_bits));
    format!("{:?}", buckets.iter().map(of).collect::<Vec<_>>())
}

#[test]
fn a_server_keeps_what_it_is_given() {
    let Some(server) = Server::start() else { return };
    let mut store = Shared::open(&server.address()).unwrap();
    assert!(!store.is_hypertable().unwrap());
    let keys = store.declare(&[info("a"), info("b"), info("a")]).unwrap();
    assert_eq!(keys[0], keys[2]);
    // Two months, and moments that no calendar holds.
    let month = Time::parse("2026-05-31T23:00:00Z").unwrap().0;
    let times = [month, month + 3_600_000, i64::MIN, i64::MAX, -5, 0];
    let batch: Vec<_> = times.iter().map(|t| (keys[0], Stored { time: Time(*t), ..at(0, 1.5) })).collect();
    store.append(&batch).unwrap();
    store.append(&batch).unwrap();
    let odd = [f64::NAN, f64::INFINITY, -0.0, f64::from_bits(0x7ff8_0000_0000_1234)];
    let batch: Vec<_> = odd.iter().zip(0..).map(|(v, i)| (keys[1], Stored { code: u32::MAX, ..at(i, *v) })).collect();
    store.append(&batch).unwrap();
    let reader = store.reader().unwrap();
    assert_eq!(reader.samples(keys[0], Span::ALL).unwrap().len(), 5, "the last moment of all is in no span");
    let kept: Vec<Stored> = batch.iter().map(|(_, s)| *s).collect();
    assert_eq!(text(&reader.samples(keys[1], Span::ALL).unwrap()), text(&kept));
    assert_eq!(reader.latest(&keys).unwrap()[0].unwrap().time, Time(i64::MAX));
    assert_eq!(reader.points().unwrap().len(), 2);
    assert_eq!(store.append(&[(PointKey(77), at(0, 0.0))]).unwrap_err().reason, Reason::Wrong);

    // Another twin on the same history.
    let mut other = Shared::open(&server.address()).unwrap();
    assert_eq!(other.declare(&[info("b")]).unwrap(), [keys[1]]);
    other.append(&[(keys[1], at(500, 5.0))]).unwrap();
    assert_eq!(reader.samples(keys[1], Span { from: Time(400), to: Time(600) }).unwrap(), [at(500, 5.0)]);

    // The server goes and comes back.
    server.run("stop");
    assert_eq!(store.append(&[(keys[1], at(900, 9.0))]).unwrap_err().reason, Reason::Gone);
    server.run("start");
    store.append(&[(keys[1], at(900, 9.0))]).unwrap();
    // A connection may learn only by its next question that it is broken.
    let _ = reader.latest(&keys[1..2]);
    assert_eq!(reader.latest(&keys[1..2]).unwrap(), [Some(at(900, 9.0))]);
}

#[test]
fn old_samples_go_sums_stay_and_what_is_held_stays_whole() {
    const DAY: i64 = 86_400_000;
    let Some(server) = Server::start() else { return };
    let mut store = Shared::open(&server.address()).unwrap();
    let keys = store.declare(&[info("a"), info("held")]).unwrap();
    for key in &keys {
        store.append(&(0..400).map(|i| (*key, at(i * DAY / 4, i as f64))).collect::<Vec<_>>()).unwrap();
    }
    while store.tend().unwrap() {}
    store.hold(keys[1], true, Time(0), "a claim is open").unwrap();
    let kept = store.retain(Time(130 * DAY), &Retention::default()).unwrap();
    let reader = store.reader().unwrap();
    let count = |key| reader.samples(key, Span::ALL).unwrap().len();
    assert_eq!((kept.samples, kept.held, count(keys[0]), count(keys[1])), (160, 1, 240, 400));
    assert_eq!(reader.buckets(keys[0], Level::Hour, Span::ALL).unwrap().len(), 400);
    store.append(&[(keys[0], at(DAY, 1e9))]).unwrap();
    while store.tend().unwrap() {}
    let first = Span { from: Time(DAY), to: Time(DAY + 3_600_000) };
    assert_eq!(reader.buckets(keys[0], Level::Hour, first).unwrap()[0].last, 4.0);
    store.hold(keys[1], false, Time(0), "settled").unwrap();
    let never = Retention {
        usual: Keep { samples_s: None, minutes_s: None, quarters_s: None, hours_s: None },
        ..Retention::default()
    };
    assert_eq!(store.retain(Time(130 * DAY), &never).unwrap(), Kept::default());
    assert_eq!(store.retain(Time(130 * DAY), &Retention::default()).unwrap().held, 0);
    let book = store.book(10).unwrap();
    assert!(book.iter().any(|e| e.what == "deleted" && e.samples == 160 && e.point == "a"), "{book:?}");
}

#[test]
fn an_address_is_safe_unless_somebody_says_otherwise() {
    let address = |url: &str, secure| Address { url: url.into(), password: None, secure };
    let shown = address("postgres://me:secret@db.example:5432/x", Secure::Usual).shown();
    assert_eq!(shown, "postgres://me@db.example:5432/x");
    for url in ["postgres://me:se:cr@et@db/x", "postgres://me@db/x?password=secret", "host=db password=secret"] {
        let shown = address(url, Secure::Usual).shown();
        assert!(!shown.contains("secret") && !shown.contains("et@") && !shown.contains("se:"), "{shown}");
    }
    let refused = Shared::open(&address("no address", Secure::Usual)).err().unwrap();
    assert_eq!(refused.reason, Reason::Wrong);
    let none = Shared::open(&address("postgres://me:secret@127.0.0.1:1/x", Secure::Usual)).err().unwrap();
    assert_eq!(none.reason, Reason::Gone);
    assert!(!none.to_string().contains("secret"), "{none}");
    let missing = Secure::Authority("/no/such/file.pem".into());
    assert_eq!(Shared::open(&address("postgres://127.0.0.1/x", missing)).err().unwrap().reason, Reason::Wrong);
}

/// Whatever comes, in whatever order: it is the history of the clean order, and the one that the embedded store keeps.
#[test]
fn any_order_makes_the_same_history() {
    let Some(server) = Server::start() else { return };
    let store = std::cell::RefCell::new(Shared::open(&server.address()).unwrap());
    let round = std::cell::Cell::new(0);
    let sample = (0u8..3, 0i64..300, 0i64..3, any::<i16>(), 0u8..11);
    let batches = proptest::collection::vec(proptest::collection::vec(sample, 1..60), 1..8);
    let mut runner = proptest::test_runner::TestRunner::new(ProptestConfig::with_cases(12));
    let done = runner.run(&batches, |batches| {
        round.set(round.get() + 1);
        let mut store = store.borrow_mut();
        let names = ["a", "b", "c"].map(|n| info(&format!("{n}{}", round.get())));
        let keys = store.declare(&names).unwrap();
        let dir = tempfile::tempdir().unwrap();
        let (mut file, _) =
            crate::history::embedded::Embedded::open(&dir.path().join("h.db"), Default::default()).unwrap();
        let file_keys = file.declare(&names).unwrap();
        for rows in batches {
            let sample = |(_, t, late, v, q): &(u8, i64, i64, i16, u8)| {
                let time = t * 20_000;
                let quality = Quality::of_code(*q).unwrap();
                Stored { arrival: Time(time + late), quality, ..at(time, f64::from(*v) / 8.0) }
            };
            let of = |keys: &[PointKey]| rows.iter().map(|r| (keys[usize::from(r.0)], sample(r))).collect::<Vec<_>>();
            store.append(&of(&keys)).unwrap();
            file.append(&of(&file_keys)).unwrap();
            store.tend().unwrap();
        }
        let (reader, file_reader) = (store.reader().unwrap(), file.reader().unwrap());
        for (key, file_key) in keys.iter().zip(&file_keys) {
            let clean = file_reader.samples(*file_key, Span::ALL).unwrap();
            prop_assert_eq!(text(&reader.samples(*key, Span::ALL).unwrap()), text(&clean));
            for level in Level::ALL {
                let got = reader.buckets(*key, level, Span::ALL).unwrap();
                prop_assert_eq!(bits(&got), bits(&cut(&clean, level.length_ms())));
            }
            prop_assert_eq!(reader.latest(&[*key]).unwrap()[0], clean.last().copied());
        }
        Ok(())
    });
    assert!(done.is_ok(), "{done:?}");
}

/// From a file onto the server and back into another file: the same history, with sums whose samples are gone and
/// holds; a check finds nothing, and a second copy does nothing.
#[test]
fn a_history_moves_to_the_server_and_back() {
    use crate::history::check;
    use crate::history::copy::copy;
    use crate::history::embedded::Embedded;
    const DAY: i64 = 86_400_000;
    let Some(server) = Server::start() else { return };
    let dir = tempfile::tempdir().unwrap();
    let file = |name: &str| Embedded::open(&dir.path().join(name), Default::default()).unwrap().0;
    let mut first = file("a.db");
    let keys = first.declare(&["a", "b"].map(info)).unwrap();
    for i in 0..1200i64 {
        let bad = if i % 9 == 0 { Quality::BadSensor } else { Quality::Good };
        let sample = Stored { quality: bad, code: (i % 4) as u32, ..at(i * DAY / 10, (i as f64).sqrt()) };
        first.append(&[(keys[0], sample), (keys[1], sample)]).unwrap();
    }
    first.seal_all().unwrap();
    first.hold(keys[1], true, Time(0), "a claim").unwrap();
    assert!(first.retain(Time(200 * DAY), &Retention::default()).unwrap().samples > 0);
    let mut there = Shared::open(&server.address()).unwrap();
    let source = first.reader().unwrap();
    let copied = copy(source.as_ref(), &mut there, |_, _| true).unwrap();
    assert!(copied.sums > 0 && copied.samples > 1200, "{copied:?}");
    assert_eq!(copy(source.as_ref(), &mut there, |_, _| true).unwrap().samples, 0);
    let on_server = there.reader().unwrap();
    let found = check::verify(on_server.as_ref(), |_| true).unwrap();
    assert_eq!((found.first_damage, found.samples, found.points), (None, copied.samples, 2));
    let mut back = file("b.db");
    assert_eq!(copy(on_server.as_ref(), &mut back, |_, _| true).unwrap().samples, copied.samples);
    let last = back.reader().unwrap();
    for (key, info) in last.points().unwrap() {
        let other = keys[usize::from(info.id == "b")];
        assert_eq!(text(&last.samples(key, Span::ALL).unwrap()), text(&source.samples(other, Span::ALL).unwrap()));
        for level in Level::ALL {
            let of = |r: &dyn Reader, k| bits(&r.buckets(k, level, Span::ALL).unwrap());
            assert_eq!(of(last.as_ref(), key), of(source.as_ref(), other), "{level:?}");
        }
        assert_eq!(last.past(key).unwrap().held, source.past(other).unwrap().held);
    }
    // A sum that is not that of its samples is found.
    drop(there);
    let spoil = "UPDATE plenum.bucket SET total = total + 1 WHERE level = 0 AND start = (SELECT max(start) FROM plenum.bucket WHERE level = 0)";
    assert!(server.sql(spoil), "psql");
    let found = check::verify(on_server.as_ref(), |_| true).unwrap();
    assert!(found.first_damage.is_some_and(|d| d.contains("Minute sums of")), "not found");
}
