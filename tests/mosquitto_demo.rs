//! The clinic against a real mosquitto with TLS and a password: the twin in one process, its devices in
//! another; an alarm that came over the wire alone, a broker that is killed in the middle.
//!
//! Without mosquitto installed these tests skip, and say so; `scripts/test` installs it.

// A test says what is wrong by panicking, its helpers too.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;
mod mqtt_common;

use mqtt_common::mosquitto::*;
use serde_json::Value;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Child, ChildStderr, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// The clinic with the three lines of its broker changed, and the authority's certificate beside it.
fn clinic_on(mosquitto: &Mosquitto, certificates: &Certificates) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let clinic = Path::new(env!("CARGO_MANIFEST_DIR")).join("models/clinic");
    for entry in std::fs::read_dir(clinic).unwrap().flatten().filter(|e| e.path().is_file()) {
        std::fs::copy(entry.path(), folder.path().join(entry.file_name())).unwrap();
    }
    std::fs::copy(certificates.file("ca.pem"), folder.path().join("ca.pem")).unwrap();
    std::fs::write(folder.path().join("password"), format!("{PASSWORD}\n")).unwrap();
    let file = folder.path().join("twin.toml");
    let text = std::fs::read_to_string(&file).unwrap();
    let ours = format!(
        "url = \"mqtts://localhost:{}\"\nuser = \"{USER}\"\npassword_file = \"password\"\nca = \"ca.pem\"",
        mosquitto.port
    );
    let changed: Vec<&str> = text
        .lines()
        .filter(|line| !line.starts_with("port = "))
        .map(|line| if line == "url = \"embedded\"" { ours.as_str() } else { line })
        .collect();
    let changed = changed.join("\n");
    assert!(changed.contains("mqtts://"), "the clinic's own broker is embedded");
    std::fs::write(&file, changed).unwrap();
    folder
}

/// The program at work; killed with the test.
struct Plenum {
    child: Child,
    said: Arc<Mutex<String>>,
    reader: Option<JoinHandle<()>>,
}

impl Plenum {
    fn start(arguments: &[&str]) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_plenum"))
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let said = Arc::new(Mutex::new(String::new()));
        let (stderr, to): (ChildStderr, _) = (child.stderr.take().unwrap(), Arc::clone(&said));
        let reader = std::thread::spawn(move || {
            for line in BufReader::new(stderr).lines().map_while(Result::ok) {
                println!("{line}");
                let mut said = to.lock().unwrap();
                said.push_str(&line);
                said.push('\n');
            }
        });
        Self { child, said, reader: Some(reader) }
    }

    fn said(&self) -> String {
        self.said.lock().unwrap().clone()
    }

    fn wait_until_it_says(&self, words: &str) {
        common::wait_for(words, || self.said().contains(words).then_some(()));
    }

    /// Its document, after Ctrl-C as soon as what is on its way is there; elsewhere at the end of its time.
    fn document_now(self) -> Value {
        std::thread::sleep(Duration::from_secs(2));
        common::interrupt(&self.child);
        self.document(GRACE)
    }

    /// Its document, once it has ended well.
    fn document(mut self, within: Duration) -> Value {
        let deadline = Instant::now() + within;
        let status = loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                break status;
            }
            assert!(Instant::now() < deadline, "it hangs: {}", self.said());
            std::thread::sleep(Duration::from_millis(20));
        };
        self.reader.take().unwrap().join().unwrap();
        let mut text = String::new();
        self.child.stdout.take().unwrap().read_to_string(&mut text).unwrap();
        assert_eq!(status.code(), Some(0), "{}", self.said());
        assert!(!self.said().contains("panicked"), "{}", self.said());
        serde_json::from_str(&text).unwrap_or_else(|e| panic!("{e}: {text}"))
    }
}

impl Drop for Plenum {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// How long after its own time a program may still be at work.
const GRACE: Duration = Duration::from_secs(60);

/// How long the twin follows its broker at most: longer than the devices are at work.
const FOLLOWS: &str = "60s";

fn secure(programs: &(std::path::PathBuf, std::path::PathBuf)) -> (Mosquitto, Certificates) {
    let certificates = Certificates::make();
    (Mosquitto::start(programs, &tls_lines(&certificates)), certificates)
}

#[test]
fn an_alarm_rises_over_mosquitto_between_two_processes() {
    let Some(programs) = installed() else { return };
    let (mosquitto, certificates) = secure(&programs);
    let project = clinic_on(&mosquitto, &certificates);
    let path = project.path().to_str().unwrap();
    let run = Plenum::start(&["run", path, "--headless", "--for", FOLLOWS, "--json"]);
    run.wait_until_it_says("ready in");
    // Connected before anything is published, or the first samples are nobody's.
    std::thread::sleep(Duration::from_secs(1));
    let emulate = Plenum::start(&[
        "emulate",
        path,
        "--seed",
        "7",
        "--speed",
        "60",
        "--fault",
        "stuck-valve@2s",
        "--for",
        "20s",
        "--json",
    ]);
    let emulated = emulate.document(Duration::from_secs(20) + GRACE);
    let document = run.document_now();
    println!("{emulated}\n{}", document["samples"]);

    let asset = emulated["faults"][0]["asset"].as_str().unwrap();
    let alarms = document["alarms"].as_array().unwrap();
    assert!(alarms.iter().any(|a| a["asset"] == asset), "no alarm on {asset}: {alarms:?}");
    assert_eq!(document["faults"].as_array().map(Vec::len), Some(0), "the judging side was told nothing");
    assert_eq!(document["broker"], format!("mqtts://localhost:{}", mosquitto.port));
    let samples = &document["samples"];
    assert_eq!((samples["lost"].as_u64(), samples["rejected"].as_u64()), (Some(0), Some(0)), "{samples}");
    assert!(samples["published"].is_null(), "counted by another process");
    assert_eq!(samples["received"], emulated["samples"]["published"], "{samples} {emulated}");
    assert!(samples["received"].as_u64() > Some(2000), "{samples}");
}

#[test]
fn a_mosquitto_that_is_killed_and_started_again_is_found_again() {
    let Some(programs) = installed() else { return };
    let (mut mosquitto, certificates) = secure(&programs);
    let project = clinic_on(&mosquitto, &certificates);
    let path = project.path().to_str().unwrap();
    let run = Plenum::start(&["run", path, "--headless", "--for", FOLLOWS, "--json"]);
    run.wait_until_it_says("ready in");
    std::thread::sleep(Duration::from_secs(1));
    let emulate = Plenum::start(&["emulate", path, "--seed", "8", "--speed", "60", "--for", "20s", "--json"]);
    emulate.wait_until_it_says("samples in");
    let before: u64 = counted(&emulate.said());
    mosquitto.kill();
    run.wait_until_it_says("lost:");
    std::thread::sleep(Duration::from_secs(2));
    mosquitto.run();
    run.wait_until_it_says(": connected");
    let emulated = emulate.document(Duration::from_secs(20) + GRACE);
    let document = run.document_now();
    println!("{before} samples before; {emulated}\n{}", document["samples"]);
    let received = document["samples"]["received"].as_u64().unwrap();
    assert!(received > before + 1000, "samples flow again: {before} before it was killed, {received} at the end");
    let problems = document["problems"].to_string();
    assert!(!problems.contains("connection is away"), "{problems}");
    // The site's clock stood still with its samples: nobody counts as silent.
    assert_eq!(
        (&document["health"]["stale"], &document["alarms"]),
        (&Value::from(0), &Value::Array(Vec::new())),
        "{document}"
    );
}

/// The samples of the last status line of `plenum emulate`.
fn counted(said: &str) -> u64 {
    let line = said.lines().rfind(|l| l.contains("samples in")).unwrap();
    let words: Vec<&str> = line.split_whitespace().collect();
    let at = words.iter().position(|w| *w == "samples").unwrap();
    words[at - 1].parse().unwrap()
}

#[test]
fn the_demo_on_mosquitto_loses_nothing() {
    let Some(programs) = installed() else { return };
    let (mosquitto, certificates) = secure(&programs);
    let project = clinic_on(&mosquitto, &certificates);
    let path = project.path().to_str().unwrap();
    let demo = Plenum::start(&["demo", "--project", path, "--headless", "--for", "8s", "--seed", "9", "--json"]);
    let document = demo.document(Duration::from_secs(8) + GRACE);
    let samples = &document["samples"];
    println!("{samples}");
    assert_eq!(document["broker"], format!("mqtts://localhost:{}", mosquitto.port));
    assert_eq!(samples["lost"], 0, "{samples}");
    let count = |name: &str| samples[name].as_u64().unwrap();
    assert!(count("received") > 1000, "{samples}");
    assert_eq!(count("published"), count("received") + count("in_flight"), "{samples}");
}
