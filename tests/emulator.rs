//! `plenum emulate` as people call it: wrong use is told with exit status 2, before anything is published.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::path::Path;
use std::process::{Command, Output};

fn emulate(project: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_plenum")).arg("emulate").arg(project).args(arguments).output().unwrap()
}

fn project(text: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("twin.toml"), text).unwrap();
    folder
}

fn refused(project: &Path, arguments: &[&str], words: &str) {
    let output = emulate(project, arguments);
    let told = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{arguments:?}: {told}");
    assert!(told.contains(words), "{arguments:?}: {told}");
    assert!(output.stdout.is_empty());
}

#[test]
fn wrong_use_is_told() {
    let folder = project("name = \"Empty\"\n[broker]\nurl = \"embedded\"\n[clock]\ntopic = \"site/clock\"\n");
    let nowhere = "mqtt://127.0.0.1:9";
    refused(folder.path(), &[], "--broker");
    // Every fault is known; an empty site has nothing to put it on.
    for name in "stuck-valve leaking-valve stuck-damper coil-fouling filter-clogging pump-wear pipe-blockage leak \
                 short-cycling sensor-bias sensor-drift sensor-freeze sensor-dropout sensor-noise"
        .split_whitespace()
    {
        refused(folder.path(), &["--broker", nowhere, "--fault", &format!("{name}@20s")], "nothing to put it on");
    }
    let short = ["--broker", nowhere, "--for", "5s", "--fault", "stuck-valve=0.3@20s"];
    refused(folder.path(), &short, "after 20 s, and the run ends after 5 s");
    refused(folder.path(), &["--broker", nowhere, "--fault", "stuck-valve=3@20s"], "severity `3`");
    refused(folder.path(), &["--broker", nowhere, "--fault", "gremlins@20s"], "filter-clogging");
    refused(folder.path(), &["--broker", nowhere, "--fault", "stuck-valve"], "when");
    refused(folder.path(), &["--broker", nowhere, "--fault", "stuck-valve@20s"], "nothing to put it on");
    refused(folder.path(), &["--broker", nowhere, "--fault", "stuck-valve:VAV-9@20s"], "no asset `VAV-9`");
    refused(folder.path(), &["--broker", nowhere, "--speed", "0"], "not a speed");
    refused(folder.path(), &["--broker", "localhost"], "mqtt://");
    refused(folder.path(), &["--broker", nowhere, "--start", "yesterday"], "moment");
    refused(folder.path(), &["--broker", nowhere, "--for", "soon"], "unit of time");
}

#[test]
fn a_clock_of_its_own_cannot_be_sped_up() {
    let folder = project("name = \"Real time\"\n[broker]\nurl = \"embedded\"\n");
    refused(folder.path(), &["--broker", "mqtt://127.0.0.1:9", "--speed", "60"], "[clock]");
}

#[test]
fn a_broker_that_is_not_there_is_a_failure() {
    let folder = project("name = \"Empty\"\n[broker]\nurl = \"embedded\"\n");
    // A port that was free a moment ago.
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let output = emulate(folder.path(), &["--broker", &format!("mqtt://127.0.0.1:{port}"), "--for", "1s"]);
    assert_eq!(output.status.code(), Some(1), "{}", String::from_utf8_lossy(&output.stderr));
}
