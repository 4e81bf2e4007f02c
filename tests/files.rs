//! Tables beside the broker, and what the twin tells others: the program as people run it.

// A test says what is wrong by panicking, its helpers too.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use common::*;
use plenum::history::embedded::{EmbeddedReader, verify};
use plenum::history::{Reader, Span};
use plenum::telemetry::Address;
use plenum::telemetry::mqtt::Listener;
use serde_json::Value;
use std::fs::File;
use std::io::Write;
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// A project with a point that comes in files only; `more` are further lines.
fn project(port: u16, more: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let layer = r#"{"type": "FeatureCollection", "features": [
      {"type": "Feature", "id": "B1", "properties": {"kind": "building", "height": 9.0, "name": "Lab"},
       "geometry": {"type": "Polygon", "coordinates": [[[7.1, 47.1], [7.2, 47.1], [7.2, 47.2], [7.1, 47.1]]]}}]}"#;
    std::fs::write(folder.path().join("site.geojson"), layer).unwrap();
    std::fs::create_dir(folder.path().join("out")).unwrap();
    let text = format!(
        "name = \"Files\"\nlayers = [{{ file = \"site.geojson\" }}]\n\
         [broker]\nurl = \"embedded\"\nport = {port}\nsubscribe = [\"#\"]\n[history]\ncommit_ms = 20\n\
         [[bindings]]\nasset = \"B1\"\npoint = \"count\"\nunit = \"1\"\ntopic = \"bms\"\nkey = \"N\"\n\
         [[files]]\npath = \"out/*.csv\"\ntopic = \"bms\"\nevery_s = 0.1\n{more}"
    );
    std::fs::write(folder.path().join("twin.toml"), text).unwrap();
    folder
}

/// The program at work; it does not outlive the test.
struct Program(Child);

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Program {
    fn run(folder: &Path) -> Self {
        Self(start(&["run", folder.to_str().unwrap(), "--headless"], Stdio::null(), Stdio::null()))
    }
}

const BEGIN: i64 = 1_700_000_000_000;

fn history(folder: &Path) -> PathBuf {
    folder.join(".plenum").join("history.db")
}

/// Times and values that are kept of the one point.
fn kept(folder: &Path) -> Vec<(i64, f64)> {
    let Ok(reader) = EmbeddedReader::open(&history(folder)) else { return Vec::new() };
    let points = reader.points().unwrap();
    let of = |key| reader.samples(key, Span::ALL).unwrap().iter().map(|s| (s.time.0, s.value)).collect::<Vec<_>>();
    points.into_iter().flat_map(|(key, _)| of(key)).collect()
}

#[test]
fn a_program_that_is_killed_loses_and_doubles_no_line() {
    let folder = project(free_port(), "");
    let path = folder.path().join("out/log.csv");
    let mut file = File::create(&path).unwrap();
    writeln!(file, "time,N").unwrap();
    let mut written = 0;
    let mut program = Program::run(folder.path());
    for kill in 0..3 {
        let before = kept(folder.path()).len();
        wait_for("lines in the history", || {
            for _ in 0..20 {
                // In two pieces: half a line is none.
                let line = format!("{},{written}\n", BEGIN + written * 1000);
                let (first, second) = line.split_at(line.len() - 2);
                file.write_all(first.as_bytes()).unwrap();
                file.write_all(second.as_bytes()).unwrap();
                written += 1;
            }
            std::thread::sleep(Duration::from_millis(40));
            (kept(folder.path()).len() > before + 50).then_some(())
        });
        drop(program);
        if kill == 1 {
            // The log of yesterday.
            std::fs::rename(&path, folder.path().join("out/log.1.csv")).unwrap();
            file = File::create(&path).unwrap();
            writeln!(file, "time,N").unwrap();
        }
        program = Program::run(folder.path());
    }
    // One more: the last program is at work when it is interrupted.
    writeln!(file, "{},{written}", BEGIN + written * 1000).unwrap();
    written += 1;
    wait_for("all of it", || (kept(folder.path()).len() as i64 == written).then_some(()));
    interrupt(&program.0);
    assert!(wait_for("its end", || program.0.try_wait().unwrap()).success());
    let expected: Vec<(i64, f64)> = (0..written).map(|i| (BEGIN + i * 1000, i as f64)).collect();
    assert_eq!(kept(folder.path()), expected);
    assert_eq!(verify(&history(folder.path()), |_| true).unwrap().damages, 0);
}

#[test]
fn lines_with_a_fault_are_in_the_report() {
    let folder = project(free_port(), "");
    let path = folder.path().join("out/day.csv");
    std::fs::write(&path, "time,N,note\n1700000000,1,x\nyesterday,2,x\n1700000002,3,x\n").unwrap();
    let output = plenum(&["run", folder.path().to_str().unwrap(), "--headless", "--for", "3s", "--json"]);
    let report = json(&output);
    assert_eq!(report["samples"]["received"].as_u64(), Some(2), "{report:#}");
    assert_eq!(report["samples"]["rejected"].as_u64(), Some(1));
    let problems = report["problems"].as_array().unwrap();
    let place = format!("{}:3", path.display());
    assert!(problems.iter().any(|p| p["where"] == place.as_str()), "{problems:#?}");
    assert!(problems.iter().any(|p| p["message"].as_str().unwrap().contains("`note`")), "{problems:#?}");
    assert!(!problems.iter().any(|p| p["message"].as_str().unwrap().contains("not subscribed")), "{problems:#?}");
    assert_eq!(kept(folder.path()).len(), 2);
}

#[test]
fn a_twin_publishes_what_it_is_asked_to_and_does_not_hear_itself() {
    let port = free_port();
    let folder = project(port, "[publish]\ntopic = \"plenum/twin/files\"\nevery_s = 1\n");
    let mut program = start(
        &["run", folder.path().to_str().unwrap(), "--headless", "--for", "8s", "--json"],
        Stdio::piped(),
        Stdio::piped(),
    );
    wait_for("it to listen", || TcpStream::connect(("127.0.0.1", port)).ok());
    let address = Address::embedded(SocketAddr::from(([127, 0, 0, 1], port)));
    let heard: Arc<Mutex<Vec<(String, Value)>>> = Arc::default();
    let to = Arc::clone(&heard);
    let filter = "plenum/twin/#".to_owned();
    let listener = Listener::start(&address, "ears", &[filter], move |topic, payload| {
        to.lock().unwrap().push((topic.to_owned(), serde_json::from_slice(payload).unwrap()));
    })
    .unwrap();
    assert!(listener.wait_connected(LONG));
    let said = |topic: &str| {
        let topic = format!("plenum/twin/files/{topic}");
        wait_for(&topic, || {
            let heard = heard.lock().unwrap();
            heard.iter().find(|(t, _)| *t == topic).map(|(_, d)| d.clone())
        })
    };
    assert_eq!(said("kpis")["points"]["unknown"], 1);
    assert_eq!(said("findings")["count"], 0);
    assert!(program.try_wait().unwrap().is_none(), "it was heard while it ran");
    let report = json(&finish(program));
    assert_eq!(report["samples"]["rejected"].as_u64(), Some(0), "{report:#}");
    assert_eq!(report["samples"]["received"].as_u64(), Some(0));
}
