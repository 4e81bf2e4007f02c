//! The program in a real window, on a display in memory: it opens, follows its sensors, and ends when told.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
#![cfg(all(feature = "desktop", target_os = "linux"))]

mod common;

use common::json;
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

/// An X server with no screen; ends with the test.
struct Display {
    server: Child,
    name: String,
}

impl Display {
    fn start() -> Option<Self> {
        let mut server = Command::new("Xvfb")
            .args(["-displayfd", "1", "-screen", "0", "1280x800x24", "-nolisten", "tcp"])
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .ok()?;
        let mut number = String::new();
        BufReader::new(server.stdout.take()?).read_line(&mut number).ok()?;
        (!number.trim().is_empty()).then(|| Self { server, name: format!(":{}", number.trim()) })
    }
}

impl Drop for Display {
    fn drop(&mut self) {
        let _ = self.server.kill();
        let _ = self.server.wait();
    }
}

/// A display to draw on; says so where there is none.
fn display() -> Option<Display> {
    if let Err(problem) = plenum::desktop::adapter::find() {
        println!("skipped: {problem}");
        return None;
    }
    let display = Display::start();
    if display.is_none() {
        println!("skipped: there is no Xvfb here (the package xvfb)");
    }
    display
}

fn plenum(display: &str, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_plenum"));
    command
        .args(arguments)
        .env("PLENUM_CACHE", "off")
        .env("DISPLAY", display)
        .env_remove("WAYLAND_DISPLAY")
        .env_remove("WAYLAND_SOCKET");
    command
}

#[test]
fn the_demo_opens_a_window_and_loses_nothing() {
    let Some(display) = display() else { return };
    let output = plenum(&display.name, &["demo", "--for", "20s", "--seed", "3", "--json"]).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    let report = json(&output);
    assert!(report["first_picture_seconds"].is_f64(), "{report}");
    assert!(report["elements"].as_u64() > Some(2_500), "{report}");
    assert!(report["samples"]["received"].as_u64() > Some(0), "{report}");
    assert_eq!(report["samples"]["lost"], 0, "{report}");
    assert_eq!(report["alarms"], serde_json::json!([]), "{report}");
}

#[test]
fn ctrl_c_closes_the_window_in_order() {
    let Some(display) = display() else { return };
    let mut child =
        plenum(&display.name, &["demo", "--json"]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    std::thread::sleep(Duration::from_secs(6));
    assert!(child.try_wait().unwrap().is_none(), "it ended by itself");
    common::interrupt(&child);
    let output = common::finish(child);
    assert!(output.status.success(), "{output:?}");
    assert_eq!(json(&output)["samples"]["lost"], 0);
}

#[test]
fn what_cannot_be_opened_is_told_and_fails() {
    let Some(display) = display() else { return };
    let none = plenum(&display.name, &["run", "no-such-project", "--for", "1s"]).output().unwrap();
    assert_eq!(none.status.code(), Some(1), "{none:?}");
    assert!(String::from_utf8_lossy(&none.stderr).contains("there is no such file or folder"), "{none:?}");

    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("broken.ifc"), "this is no model").unwrap();
    let file = folder.path().join("broken.ifc");
    let broken = plenum(&display.name, &["run", file.to_str().unwrap(), "--for", "8s"]).output().unwrap();
    assert_eq!(broken.status.code(), Some(1), "{broken:?}");
    assert!(String::from_utf8_lossy(&broken.stderr).contains("broken.ifc"), "{broken:?}");

    let nowhere = plenum(":4711", &["demo", "--for", "1s"]).output().unwrap();
    assert_eq!(nowhere.status.code(), Some(1), "{nowhere:?}");
    assert!(String::from_utf8_lossy(&nowhere.stderr).contains("plenum: error: window"), "{nowhere:?}");
}
