//! The whole program as people and scripts run it: what it prints, what it ends with, and that it ends.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use common::*;
use plenum::telemetry::broker::EmbeddedBroker;
use serde_json::Value;
use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

const CLINIC: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/models/clinic");

const LAYER: &str = r#"{"type": "FeatureCollection", "features": [
  {"type": "Feature", "id": "B1", "properties": {"kind": "building", "height": 9.0, "name": "Lab"},
   "geometry": {"type": "Polygon", "coordinates": [[[7.1, 47.1], [7.2, 47.1], [7.2, 47.2], [7.1, 47.1]]]}}]}"#;

/// A project of its own: a `twin.toml` with a map layer beside it.
fn project(text: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("site.geojson"), LAYER).unwrap();
    std::fs::write(folder.path().join("twin.toml"), text).unwrap();
    folder
}

fn run_for_a_second(folder: &Path) -> Output {
    plenum(&["run", folder.to_str().unwrap(), "--headless", "--for", "1s", "--json"])
}

#[test]
fn the_demo_prints_the_contracts_document() {
    let output = plenum(&["demo", "--headless", "--for", "6s", "--seed", "3", "--json"]);
    said(&output, 0);
    assert_eq!(output.stdout.iter().filter(|b| **b == b'\n').count(), 1, "one document on one line");
    let document = json(&output);
    for field in
        "seconds elements points bound_points broker samples faults health alarms findings networks problems".split(' ')
    {
        assert!(document.get(field).is_some(), "{field}: {document}");
    }
    let samples = &document["samples"];
    for field in "published received in_flight stored rejected late duplicate lost".split(' ') {
        assert!(samples.get(field).is_some(), "{field}: {samples}");
    }
    let count = |v: &Value| v.as_u64().unwrap_or_else(|| panic!("{v} in {document}"));
    assert!(document["seconds"].as_f64().is_some_and(|s| s >= 6.0), "{document}");
    assert!(count(&document["elements"]) > 2500);
    assert!(
        count(&document["bound_points"]) >= 400 && document["points"].as_u64() >= document["bound_points"].as_u64()
    );
    assert!(document["broker"].as_str().unwrap().starts_with("embedded 127.0.0.1:"));
    assert!(count(&samples["received"]) > 1000, "{samples}");
    assert_eq!(count(&samples["published"]), count(&samples["received"]) + count(&samples["in_flight"]), "{samples}");
    for none in ["rejected", "late", "duplicate", "lost"] {
        assert_eq!(count(&samples[none]), 0, "{none}: {samples}");
    }
    assert_eq!(count(&samples["stored"]), count(&samples["received"]), "{samples}");
    let history = &document["history"];
    assert!(history["temporary"] == true && history["error"].is_null(), "{history}");
    assert!(count(&history["computed"]) > 0 && count(&history["waiting"]) == 0 && count(&history["bytes"]) > 0);
    assert!(!Path::new(history["place"].as_str().unwrap()).exists(), "it went with the run");
    let health: u64 =
        ["good", "warning", "critical", "stale", "unknown"].map(|h| count(&document["health"][h])).iter().sum();
    assert_eq!(health, count(&document["points"]));
    for empty in ["faults", "alarms", "findings", "problems"] {
        assert_eq!(document[empty].as_array().map(Vec::len), Some(0), "{empty}: {document}");
    }
    let networks = document["networks"].as_array().unwrap();
    for medium in ["chilled water", "heating water", "condenser water"] {
        let network = networks.iter().find(|n| n["medium"] == medium);
        let network = network.unwrap_or_else(|| panic!("no {medium}: {document}"));
        assert_eq!(network["converged"], true, "{network}");
        assert!(count(&network["nodes"]) > 10 && count(&network["links"]) > 10, "{network}");
    }
    // The sensors of the building set what they measure, and the rest is compared.
    let sum = |field: &dyn Fn(&Value) -> u64| networks.iter().map(field).sum::<u64>();
    assert!(sum(&|n| count(&n["live"])) > 20 && sum(&|n| count(&n["solves"])) > networks.len() as u64, "{document}");
    let readings = sum(&|n| count(&n["score"]["readings"]));
    assert!(readings > 0 && readings == count(&document["accuracy"]["readings"]), "{document}");
    let shares = ["within_10", "within_20"].map(|s| document["accuracy"][s].as_f64().unwrap());
    assert!(shares[0] <= shares[1] && shares.iter().all(|s| (0.0..=1.0).contains(s)), "{shares:?}");
}

#[test]
fn a_stuck_valve_raises_an_alarm_on_its_asset() {
    // A minute of the building a second: the valve is found after some six minutes of its time.
    let output = plenum(&["demo", "--headless", "--for", "14s", "--fault", "stuck-valve@1s", "--json"]);
    said(&output, 0);
    let document = json(&output);
    let fault = &document["faults"][0];
    assert_eq!(fault["name"], "stuck-valve", "{document}");
    let asset = fault["asset"].as_str().unwrap();
    let alarms = document["alarms"].as_array().unwrap();
    let alarm =
        alarms.iter().find(|a| a["asset"] == asset).unwrap_or_else(|| panic!("no alarm on {asset}: {document}"));
    assert!(alarm["raised_at"].as_str() > fault["at"].as_str(), "{alarm} {fault}");
    for field in ["id", "name", "severity", "state"] {
        assert!(alarm[field].as_str().is_some_and(|s| !s.is_empty()), "{alarm}");
    }
}

#[test]
fn wrong_use_is_told_before_anything_is_done() {
    for (arguments, words) in [
        (&["demo", "--headless", "--fault", "nonsense@1s"][..], "there is no fault `nonsense`"),
        (&["demo", "--headless", "--fault", "leak=2@1s"], "severity `2`"),
        (&["demo", "--headless", "--fault", "stuck-valve"], "--fault"),
        (&["demo", "--headless", "--fault", "stuck-valve:NOWHERE@1s"], "no asset"),
        (&["demo", "--headless", "--for", "soon"], "--for"),
        (&["demo", "--headless", "--for=-1s"], "--for"),
        (&["demo", "--headless", "--speed", "nan"], "not a speed"),
        (&["demo", "--headless", "--seed", "many"], "--seed"),
        (&["run"], "PROJECT"),
        (&["fly"], "fly"),
        (&["emulate", CLINIC, "--for", "1s"], "--broker"),
        (&["emulate", CLINIC, "--broker", "http://x"], "mqtt://"),
    ] {
        let output = plenum(arguments);
        let text = said(&output, 2);
        assert!(text.contains(words), "{arguments:?}: {text}");
        assert!(output.stdout.is_empty(), "{arguments:?}");
    }
}

#[test]
fn a_project_that_is_not_there_is_told() {
    let empty = tempfile::tempdir().unwrap();
    assert!(said(&run_for_a_second(empty.path()), 1).contains("twin.toml: there is no such file"));
    assert!(said(&run_for_a_second(&empty.path().join("none")), 1).contains("there is no such file or folder"));
    let file = empty.path().join("twin.toml");
    std::fs::write(&file, "").unwrap();
    let output = run_for_a_second(empty.path());
    said(&output, 0);
    assert!(json(&output)["problems"][0]["message"].as_str().unwrap().contains("no model"), "{output:?}");
}

#[test]
fn a_broken_project_file_is_told_by_its_line() {
    // A key that is none: the rest of the project is run.
    let wrong_key = project("layers = [{ file = \"site.geojson\" }]\n[broker]\nprot = 3\n");
    let output = run_for_a_second(wrong_key.path());
    let text = said(&output, 0);
    assert!(text.contains("twin.toml:3: `prot` is no key"), "{text}");
    assert_eq!(json(&output)["problems"][0]["where"], "twin.toml:3");
    // No TOML at all, and nothing left to run.
    for broken in ["name = \"x\"\n[[broken\n", "layers = [\n", "= =\n"] {
        let folder = project(broken);
        let output = run_for_a_second(folder.path());
        let text = said(&output, 1);
        assert!(text.contains("twin.toml:"), "{broken:?}: {text}");
        assert!(output.stdout.is_empty());
    }
    let garbage = project("");
    std::fs::write(garbage.path().join("twin.toml"), [0_u8, 0xFF, 0xFE, 0x80, 7]).unwrap();
    assert!(said(&run_for_a_second(garbage.path()), 1).contains("twin.toml"));
}

#[test]
fn models_that_cannot_be_read_are_told_each() {
    // One can be read: the project runs.
    let folder = project("models = [{ file = \"gone.ifc\" }]\nlayers = [{ file = \"site.geojson\" }]\n");
    let output = run_for_a_second(folder.path());
    let text = said(&output, 0);
    assert_eq!(text.matches("gone.ifc").count(), 1, "told once: {text}");
    let places_of_errors = |output: &Output| -> Vec<String> {
        let problems = json(output)["problems"].as_array().cloned().unwrap();
        let errors = problems.iter().filter(|p| p["severity"] == "error");
        errors.map(|p| p["where"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(places_of_errors(&output), ["twin.toml:1"]);
    // By the line of its own key, in whatever form the table is written.
    let folder =
        project("layers = [{ file = \"site.geojson\" }]\n[[models]]\ndiscipline = \"x\"\nfile = \"gone.ifc\"\n");
    let output = run_for_a_second(folder.path());
    said(&output, 0);
    assert_eq!(places_of_errors(&output), ["twin.toml:4"]);
    let alone = project("models = [{ file = \"gone.ifc\" }]\n");
    let text = said(&run_for_a_second(alone.path()), 1);
    assert!(text.contains("twin.toml:1: there is no file `gone.ifc`"), "{text}");
    // None can.
    let folder = project("models = [{ file = \"gone.ifc\" }, { file = \"bad.ifc\" }, { file = \"empty.ifc\" }]\n");
    std::fs::write(folder.path().join("empty.ifc"), "").unwrap();
    let noise: Vec<u8> = (0..5000_u32).map(|i| (i.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
    std::fs::write(folder.path().join("bad.ifc"), noise).unwrap();
    let output = run_for_a_second(folder.path());
    let text = said(&output, 1);
    for file in ["gone.ifc", "bad.ifc", "empty.ifc"] {
        assert!(text.contains(file), "{file}: {text}");
    }
    assert!(output.stdout.is_empty());
}

#[test]
fn a_port_in_use_is_told() {
    let holder = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = holder.local_addr().unwrap().port();
    let folder =
        project(&format!("layers = [{{ file = \"site.geojson\" }}]\n[broker]\nurl = \"embedded\"\nport = {port}\n"));
    let output = run_for_a_second(folder.path());
    let text = said(&output, 1);
    assert!(text.contains("in use") && text.contains(&port.to_string()), "{text}");
    assert!(output.stdout.is_empty());
}

/// A project on an MQTT broker at a port of this machine.
fn project_at(port: u16) -> tempfile::TempDir {
    project(&format!(
        "layers = [{{ file = \"site.geojson\" }}]\n[clock]\ntopic = \"t/clock\"\n\
         [broker]\nurl = \"mqtt://127.0.0.1:{port}\"\nsubscribe = [\"t/#\"]\n"
    ))
}

#[test]
fn a_broker_that_refuses_fails_the_run_and_the_report_says_so() {
    let folder = project_at(free_port());
    let output = run_for_a_second(folder.path());
    let text = said(&output, 1);
    assert!(text.contains("nothing listens"), "{text}");
    let problems = json(&output)["problems"].to_string();
    assert!(problems.contains("there was no connection"), "{problems}");
    let demo = plenum(&["demo", "--project", folder.path().to_str().unwrap(), "--headless", "--for", "1s", "--json"]);
    assert!(said(&demo, 1).contains("nothing listens"));
    assert!(demo.stdout.is_empty());
    let emulate = plenum(&["emulate", folder.path().to_str().unwrap(), "--for", "1s", "--json"]);
    assert!(said(&emulate, 1).contains("nothing listens"));
}

#[test]
fn a_broker_that_hangs_up_fails_the_run() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || listener.incoming().for_each(drop));
    let output = run_for_a_second(project_at(port).path());
    let text = said(&output, 1);
    assert!(text.contains("lost:"), "{text}");
    assert!(json(&output)["problems"].to_string().contains("there was no connection"));
}

#[cfg(unix)]
#[test]
fn ctrl_c_at_any_moment_ends_cleanly() {
    let mut with_report = 0;
    for after_ms in [60, 150, 300, 600, 1200, 4000] {
        let child = start(&["demo", "--headless", "--json"], Stdio::piped(), Stdio::piped());
        std::thread::sleep(Duration::from_millis(after_ms));
        interrupt(&child);
        let output = finish(child);
        let text = String::from_utf8_lossy(&output.stderr);
        match output.status.code() {
            // It was live: a clean stop with its report.
            Some(0) => {
                let samples = &json(&output)["samples"];
                assert_eq!(samples["lost"], 0, "after {after_ms} ms: {samples}");
                with_report += 1;
            }
            // It was still opening: there is nothing to report.
            Some(1) => {
                assert!(text.contains("stopped before") && output.stdout.is_empty(), "after {after_ms} ms: {text}")
            }
            // Or it had not begun to listen.
            None if after_ms < 300 => assert!(output.stdout.is_empty()),
            other => panic!("after {after_ms} ms it ended with {other:?}: {text}"),
        }
    }
    assert!(with_report >= 1, "the demo was live after 4 s");
}

#[cfg(unix)]
#[test]
fn ctrl_c_twice_ends_at_once() {
    let child = start(&["demo", "--headless", "--json"], Stdio::piped(), Stdio::piped());
    std::thread::sleep(Duration::from_secs(4));
    interrupt(&child);
    std::thread::sleep(Duration::from_millis(5));
    interrupt(&child);
    let output = finish(child);
    // 130 when the second one came in time, else the clean end.
    assert!(matches!(output.status.code(), Some(0 | 130)), "{output:?}");
    if output.status.code() == Some(0) {
        json(&output);
    }
}

#[cfg(unix)]
#[test]
fn ctrl_c_while_a_broker_does_not_answer() {
    // It takes connections and says nothing.
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let folder = project_at(listener.local_addr().unwrap().port());
    let path = folder.path().to_str().unwrap();
    for (arguments, status) in [
        (&["run", path, "--headless", "--json"][..], 0),
        (&["demo", "--project", path, "--headless", "--json"], 1),
        (&["emulate", path, "--json"], 1),
    ] {
        let child = start(arguments, Stdio::piped(), Stdio::piped());
        std::thread::sleep(Duration::from_secs(2));
        interrupt(&child);
        let output = finish(child);
        said(&output, status);
    }
}

#[cfg(unix)]
#[test]
fn ctrl_c_while_a_broker_has_gone_away() {
    let mut server = EmbeddedBroker::start(0, 262_144).unwrap();
    let folder = tempfile::tempdir().unwrap();
    // Not the cache that lies beside a project which somebody has opened.
    for entry in std::fs::read_dir(CLINIC).unwrap().flatten().filter(|e| e.path().is_file()) {
        std::fs::copy(entry.path(), folder.path().join(entry.file_name())).unwrap();
    }
    let file = folder.path().join("twin.toml");
    let text = std::fs::read_to_string(&file).unwrap();
    let url = format!("url = \"mqtt://127.0.0.1:{}\"", server.address().port());
    std::fs::write(&file, text.replace("url = \"embedded\"", &url)).unwrap();
    let mut demo = start(
        &["demo", "--project", folder.path().to_str().unwrap(), "--headless", "--json"],
        Stdio::piped(),
        Stdio::piped(),
    );
    let said_so_far = Arc::new(Mutex::new(String::new()));
    let (stderr, to) = (demo.stderr.take().unwrap(), Arc::clone(&said_so_far));
    let reader = std::thread::spawn(move || {
        for line in BufReader::new(stderr).lines().map_while(Result::ok) {
            to.lock().unwrap().push_str(&(line + "\n"));
        }
    });
    let says = |words: &str| {
        wait_for(words, || said_so_far.lock().unwrap().contains(words).then_some(()));
    };
    says("ready in");
    std::thread::sleep(Duration::from_secs(1));
    server.stop();
    says("lost:");
    // Until its devices cannot put anything more aside, which is when they wait the longest.
    std::thread::sleep(Duration::from_secs(3));
    let asked = Instant::now();
    interrupt(&demo);
    let output = finish(demo);
    println!("it took {:.2} s to end", asked.elapsed().as_secs_f64());
    reader.join().unwrap();
    assert_eq!(output.status.code(), Some(0));
    let document = json(&output);
    let samples = &document["samples"];
    assert_eq!(samples["lost"], 0, "{samples}");
    assert!(samples["in_flight"].as_u64().is_some_and(|n| n > 0), "{samples}");
    let problems = document["problems"].to_string();
    assert!(problems.contains("the connection is away"), "{problems}");
}

/// A pipe that nobody writes to.
#[cfg(unix)]
fn pipe(path: &Path) {
    assert!(Command::new("mkfifo").arg(path).status().unwrap().success());
}

#[cfg(unix)]
#[test]
fn a_pipe_is_not_waited_for() {
    let folder = project("models = [{ file = \"pipe.ifc\" }]\nlayers = [{ file = \"pipe.geojson\" }]\n");
    for name in ["pipe.ifc", "pipe.geojson", "pipe"] {
        let path = folder.path().join(name);
        pipe(&path);
        let text = said(&plenum(&["import", path.to_str().unwrap()]), 1);
        assert!(text.contains("not a file"), "{name}: {text}");
    }
    let text = said(&run_for_a_second(folder.path()), 1);
    assert!(text.contains("pipe.ifc") && text.contains("pipe.geojson"), "{text}");
    let other = tempfile::tempdir().unwrap();
    pipe(&other.path().join("twin.toml"));
    assert!(said(&run_for_a_second(other.path()), 1).contains("no file"));
}

#[cfg(target_os = "linux")]
#[test]
fn names_that_are_no_text() {
    use std::os::unix::ffi::OsStrExt;
    let folder = tempfile::tempdir().unwrap();
    let odd = |start: &[u8], end: &str| {
        let mut name = start.to_vec();
        name.extend([0xFF, 0xFE]);
        name.extend(end.bytes());
        folder.path().join(std::ffi::OsStr::from_bytes(&name))
    };
    let (layer, out, clinic) = (odd(b"site", ".geojson"), odd(b"out", ".jsonl"), odd(b"clinic", ""));
    std::fs::write(&layer, LAYER).unwrap();
    let run = |arguments: &[&std::ffi::OsStr]| {
        let mut program = Command::new(env!("CARGO_BIN_EXE_plenum"));
        finish(
            program
                .args(arguments)
                .env("PLENUM_CACHE", "off")
                .stdout(Stdio::piped())
                .stderr(Stdio::piped())
                .spawn()
                .unwrap(),
        )
    };
    let output = run(&["import".as_ref(), layer.as_ref(), "--elements".as_ref(), out.as_ref(), "--json".as_ref()]);
    said(&output, 0);
    assert_eq!(json(&output)["files"][0]["elements"], 1);
    assert_eq!(std::fs::read_to_string(&out).unwrap().lines().count(), 1);
    let output = run(&["make-demo".as_ref(), clinic.as_ref(), "--json".as_ref()]);
    said(&output, 0);
    json(&output);
    let output = run(&[
        "run".as_ref(),
        clinic.as_ref(),
        "--headless".as_ref(),
        "--for".as_ref(),
        "1s".as_ref(),
        "--json".as_ref(),
    ]);
    said(&output, 0);
    assert!(json(&output)["elements"].as_u64().is_some_and(|n| n > 2500));
}

/// A demo that was killed while it made its clinic, and two that make it at once.
#[cfg(target_os = "linux")]
#[test]
fn the_clinic_in_the_cache_is_whole_whatever_happened_before() {
    let folder = tempfile::tempdir().unwrap();
    let program = folder.path().join("plenum");
    std::fs::copy(env!("CARGO_BIN_EXE_plenum"), &program).unwrap();
    let clinic = folder.path().join("cache/plenum").join(concat!("clinic-", env!("CARGO_PKG_VERSION")));
    std::fs::create_dir_all(&clinic).unwrap();
    std::fs::write(clinic.join("clinic-architecture.ifc"), "half a fi").unwrap();
    let demo = || {
        Command::new(&program)
            .args(["demo", "--headless", "--for", "1s", "--json"])
            .current_dir(folder.path())
            .env("XDG_CACHE_HOME", folder.path().join("cache"))
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap()
    };
    for child in [demo(), demo()] {
        let output = finish(child);
        said(&output, 0);
        assert!(json(&output)["elements"].as_u64().is_some_and(|n| n > 2500));
    }
    let left: Vec<_> = std::fs::read_dir(clinic.parent().unwrap()).unwrap().flatten().map(|e| e.file_name()).collect();
    assert_eq!(left, [clinic.file_name().unwrap()], "nothing else is left");
    only_whole_files(&clinic);
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_behind_stdout_is_told() {
    let full = || Stdio::from(std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap());
    for arguments in [
        &["demo", "--headless", "--for", "1s", "--json"][..],
        &["demo", "--headless", "--for", "1s"],
        &["import", "models/clinic/site.geojson", "--json"],
    ] {
        let output = finish(start(arguments, full(), Stdio::piped()));
        let text = said(&output, 1);
        assert!(text.contains("stdout: cannot write"), "{arguments:?}: {text}");
    }
    // Behind stderr, where a log may go: the work is done all the same.
    let output = finish(start(&["demo", "--headless", "--for", "1s", "--json"], Stdio::piped(), full()));
    assert_eq!(output.status.code(), Some(0));
    json(&output);
}

#[cfg(unix)]
#[test]
fn a_reader_that_went_away_is_no_panic() {
    let mut child = start(&["demo", "--headless", "--for", "1s", "--json"], Stdio::piped(), Stdio::piped());
    drop(child.stdout.take());
    let output = finish(child);
    assert!(said(&output, 1).contains("stdout: cannot write"));
}

#[test]
fn make_demo_where_it_cannot_write_leaves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    std::fs::write(&file, "mine").unwrap();
    let inside = file.join("clinic");
    let mut places = vec![file.clone(), inside];
    if cfg!(target_os = "linux") {
        // Nobody writes here, root neither.
        places.push("/proc/clinic".into());
        places.push("/dev/full".into());
    }
    for place in places {
        let output = plenum(&["make-demo", place.to_str().unwrap()]);
        let text = said(&output, 1);
        assert!(text.contains(place.to_str().unwrap()), "{text}");
    }
    assert_eq!(std::fs::read_to_string(&file).unwrap(), "mine");
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
}

/// A disk of 256 kB, where this test may make one.
#[cfg(target_os = "linux")]
#[test]
fn make_demo_on_a_full_disk_leaves_no_half_file() {
    struct Mounted(tempfile::TempDir);
    impl Drop for Mounted {
        fn drop(&mut self) {
            let _ = Command::new("umount").arg(self.0.path()).status();
        }
    }
    let folder = tempfile::tempdir().unwrap();
    let mount = Command::new("mount")
        .args(["-t", "tmpfs", "-o", "size=256k", "plenum-test"])
        .arg(folder.path())
        .stderr(Stdio::null())
        .status();
    if !mount.is_ok_and(|s| s.success()) {
        eprintln!("SKIPPED: no small disk can be mounted here (that takes root), so nothing was tested");
        return;
    }
    let disk = Mounted(folder);
    let clinic = disk.0.path().join("clinic");
    let output = plenum(&["make-demo", clinic.to_str().unwrap()]);
    let text = said(&output, 1);
    assert!(text.contains("cannot write it") && text.contains("make room"), "{text}");
    assert!(!clinic.exists(), "what was begun is taken away, so that it can be tried again");
    // Also in a folder that was there, and stays.
    std::fs::create_dir(&clinic).unwrap();
    said(&plenum(&["make-demo", clinic.to_str().unwrap()]), 1);
    assert_eq!(std::fs::read_dir(&clinic).unwrap().count(), 0);
}

/// Whatever is in a folder that was being written is there whole.
fn only_whole_files(folder: &Path) {
    let Ok(entries) = std::fs::read_dir(folder) else { return };
    // A folder is what a run kept of the models.
    for entry in entries.flatten().filter(|e| e.path().is_file()) {
        let name = entry.file_name().to_string_lossy().into_owned();
        let whole = std::fs::read(Path::new(CLINIC).join(&name)).unwrap_or_else(|e| panic!("{name}: {e}"));
        assert!(std::fs::read(entry.path()).unwrap() == whole, "{name} is not whole");
    }
}

#[cfg(unix)]
#[test]
fn ctrl_c_leaves_no_half_demo() {
    for after_ms in [20, 100, 300, 500, 700, 900, 1200] {
        let folder = tempfile::tempdir().unwrap();
        let clinic = folder.path().join("clinic");
        let child = start(&["make-demo", clinic.to_str().unwrap()], Stdio::piped(), Stdio::piped());
        std::thread::sleep(Duration::from_millis(after_ms));
        interrupt(&child);
        let output = finish(child);
        match output.status.code() {
            Some(0) => assert!(clinic.join("twin.toml").is_file()),
            Some(1) => {
                assert!(said(&output, 1).contains("stopped before"));
                assert!(!clinic.exists(), "what was begun is taken away");
            }
            None if after_ms < 300 => {}
            other => panic!("after {after_ms} ms it ended with {other:?}: {output:?}"),
        }
        only_whole_files(&clinic);
    }
}
