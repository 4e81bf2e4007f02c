//! `plenum gateway` as people run it.

// A test says what is wrong by panicking, its helpers too.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;
mod mqtt_common;

use common::*;
use mqtt_common::mosquitto::*;
use plenum::telemetry::mqtt::{Address, Extras, Publisher};
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::Stdio;

fn file(folder: &Path, name: &str, text: &str) -> PathBuf {
    let file = folder.join(name);
    std::fs::write(&file, text).unwrap();
    file
}

/// A simulated device and one that is not there.
fn two_devices(url: &str, more: &str) -> String {
    format!(
        "id = \"gw-cli\"\n[broker]\nurl = \"{url}\"\n{more}[historian]\nconfirms = false\n\
         [[devices]]\nname = \"S\"\nkind = \"simulated\"\npoll_s = 0.1\n\
         [[devices.points]]\nname = \"a\"\nunit = \"Cel\"\n\
         [[devices]]\nname = \"GONE\"\nkind = \"bacnet-ip\"\naddress = \"127.0.0.1:{}\"\ntimeout_s = 0.2\nretries = 0\n\
         [[devices.points]]\nname = \"b\"\nobject = \"analog-input,1\"\n",
        free_port()
    )
}

#[test]
fn the_example_is_checked_without_calling_anybody() {
    let folder = tempfile::tempdir().unwrap();
    let example = plenum(&["gateway", "--example"]);
    said(&example, 0);
    let path = file(folder.path(), "gateway.toml", &String::from_utf8(example.stdout).unwrap());
    let path = path.to_str().unwrap();
    let checked = plenum(&["gateway", path, "--check", "--json"]);
    said(&checked, 0);
    let document = json(&checked);
    assert_eq!(document["broker"], "mqtts://broker.example:8883");
    assert_eq!(document["points"].as_array().unwrap().len(), 4);
    assert_eq!(document["problems"], serde_json::json!([]));
    assert!(!folder.path().join("spool").exists());
    let lines = plenum(&["gateway", path, "--check"]);
    said(&lines, 0);
    assert!(String::from_utf8_lossy(&lines.stdout).contains("CH-1 flow every 10 s -> site/CH-1/flow [m3/h]"));
}

#[test]
fn bad_files_are_told_by_line() {
    let folder = tempfile::tempdir().unwrap();
    let run = |text: &str, status: i32| {
        let path = file(folder.path(), "bad.toml", text);
        let output = plenum(&["gateway", path.to_str().unwrap(), "--for", "0s", "--json"]);
        assert!(output.stdout.is_empty(), "no document where nothing ran");
        said(&output, status)
    };
    assert!(run("", 1).contains("the gateway has no `id`"));
    assert!(run("id = \n[broker", 1).contains("bad.toml:1: not TOML"));
    let plain = two_devices("mqtt://broker.example", "");
    let plain = run(&plain, 1);
    assert!(plain.contains("bad.toml:3") && plain.contains("mqtts://"), "{plain}");
    let missing = plenum(&["gateway", folder.path().join("none.toml").to_str().unwrap()]);
    assert!(said(&missing, 1).contains("there is no such file"));
    assert!(said(&plenum(&["gateway"]), 2).contains("CONFIG"));
    let unknown = two_devices("mqtt://127.0.0.1", "").replace("poll_s", "pol_s");
    let path = file(folder.path(), "unknown.toml", &unknown);
    let checked = plenum(&["gateway", path.to_str().unwrap(), "--check"]);
    assert!(said(&checked, 1).contains("did you mean `poll_s`?"));
}

#[test]
fn without_a_broker_what_is_read_is_kept() {
    let folder = tempfile::tempdir().unwrap();
    let text = two_devices(&format!("mqtt://127.0.0.1:{}", free_port()), "");
    let path = file(folder.path(), "gateway.toml", &text);
    let run = || {
        let output = plenum(&["gateway", path.to_str().unwrap(), "--for", "1500ms", "--json"]);
        said(&output, 0);
        json(&output)
    };
    let first = run();
    let taken = first["taken"].as_u64().unwrap();
    assert!(taken > 5, "{first}");
    assert_eq!((first["sent"].as_u64(), first["lost"].as_u64()), (Some(0), Some(0)));
    assert_eq!(first["waiting"].as_u64(), Some(taken));
    let states: Vec<&str> = first["devices"].as_array().unwrap().iter().map(|d| d["state"].as_str().unwrap()).collect();
    assert_eq!(states, ["online", "offline"]);
    let problems = first["problems"].as_array().unwrap();
    assert!(problems.iter().any(|p| p["where"] == "GONE"), "{first}");
    let second = run();
    assert_eq!(second["waiting"].as_u64().unwrap(), taken + second["taken"].as_u64().unwrap());
    assert_eq!(second["publisher"], first["publisher"]);
}

#[test]
fn two_on_one_spool_and_a_folder_that_is_none_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let text = two_devices(&format!("mqtt://127.0.0.1:{}", free_port()), "");
    let path = file(folder.path(), "gateway.toml", &text);
    let mut first = start(&["gateway", path.to_str().unwrap()], Stdio::null(), Stdio::null());
    wait_for("the first one's spool", || folder.path().join("spool/lock").exists().then_some(()));
    let second = wait_for("the second one to be refused", || {
        let output = plenum(&["gateway", path.to_str().unwrap(), "--for", "0s"]);
        (output.status.code() == Some(1)).then_some(output)
    });
    assert!(said(&second, 1).contains("another program uses this spool"));
    interrupt(&first);
    assert!(first.wait().unwrap().success() || !cfg!(unix), "Ctrl-C is a clean end");
    let text = text.replace("[historian]", "[spool]\nfolder = \"gateway.toml\"\n[historian]");
    let path = file(folder.path(), "gateway.toml", &text);
    let output = plenum(&["gateway", path.to_str().unwrap(), "--for", "0s"]);
    assert!(said(&output, 1).contains("the spool cannot be used"));
}

/// `kill -9`: the broker tells of it, and what was on the disk is sent after the start.
#[test]
fn a_killed_gateway_is_told_by_the_broker_and_sends_what_it_had() {
    let Some(programs) = installed() else { return };
    let mosquitto = Mosquitto::start(&programs, "");
    let folder = tempfile::tempdir().unwrap();
    let password = file(folder.path(), "password", PASSWORD);
    assert!(password.exists());
    let login = format!("user = \"{USER}\"\npassword_file = \"password\"\n");
    let text = two_devices(&format!("mqtt://127.0.0.1:{}", mosquitto.port), &login);
    let path = file(folder.path(), "gateway.toml", &text);
    let address = Address::resolve(&mosquitto.project(None), None).unwrap();
    let listen = Some("plenum/gateway/gw-cli/status".into());
    let reader = Publisher::start(&address, "reader", Extras { will: None, listen }).unwrap();
    let told = |what: &str, state: &str| {
        wait_for(what, || {
            let heard = reader.heard();
            heard.iter().map(|p| serde_json::from_slice::<Value>(p).unwrap()).find(|v| v["state"] == state)
        })
    };
    let mut child = start(&["gateway", path.to_str().unwrap()], Stdio::null(), Stdio::null());
    told("the birth", "online");
    child.kill().unwrap();
    child.wait().unwrap();
    assert_eq!(told("the death", "offline")["reason"], "connection lost");
    let output = plenum(&["gateway", path.to_str().unwrap(), "--for", "2s", "--json"]);
    said(&output, 0);
    let document = json(&output);
    assert_eq!((document["lost"].as_u64(), document["waiting"].as_u64()), (Some(0), Some(0)), "{document}");
    assert!(document["sent"].as_u64() >= document["taken"].as_u64());
    assert_eq!(document["connection"], "connected");
    assert_eq!(told("the end", "offline")["waiting"], 0);
}
