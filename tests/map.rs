//! `plenum map` as people and scripts run it.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use common::{json, plenum, said};
use serde_json::Value;
use std::path::{Path, PathBuf};

/// A copy of the demo's clinic, so that nothing is left in it.
fn clinic() -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let from = Path::new(env!("CARGO_MANIFEST_DIR")).join("models/clinic");
    for file in ["twin.toml", "clinic-architecture.ifc", "clinic-mep.ifc", "site.geojson", "assets.csv"] {
        std::fs::copy(from.join(file), folder.path().join(file)).unwrap();
    }
    let path = folder.path().to_path_buf();
    (folder, path)
}

const TOPICS: &str = "# what mosquitto_sub -v wrote\n\
    B1.L01.VAV107.ZNT_PV {\"ts\":1778479200123,\"v\":21.5}\n\
    B1/AHU01/SAT 14.2\n\
    B1/AHU01/SAT_ALM 0\n\
    bms/all {\"values\":{\"chiller1_pwr\":80,\"boiler_2_sts\":1,\"nonsense\":2}}\n\
    clinic/pump/CHWP-1 {\"values\":{\"speed\":50}}\n\
    {\"topic\": \"x/y\", \"key\": \"AHU-2 RAT\", \"unit\": \"degF\"}\n";

fn run(project: &Path, more: &[&str]) -> (Value, Option<i32>) {
    let topics = project.join("topics.txt");
    std::fs::write(&topics, TOPICS).unwrap();
    let mut args = vec!["map", project.to_str().unwrap(), "--topics", topics.to_str().unwrap(), "--json"];
    args.extend(more);
    let output = plenum(&args);
    (json(&output), output.status.code())
}

#[test]
fn a_list_of_topics_is_mapped_written_and_then_known() {
    let (_folder, path) = clinic();
    let (document, status) = run(&path, &[]);
    assert_eq!((status, document["points"].as_u64()), (Some(0), Some(8)), "{document:#}");
    let matched: Vec<(&str, &str, &str)> = document["matched"]
        .as_array()
        .unwrap()
        .iter()
        .map(|m| (m["name"].as_str().unwrap(), m["role"].as_str().unwrap(), m["by"].as_str().unwrap()))
        .collect();
    assert_eq!(
        matched,
        [
            ("VAV-1-07", "zone_temperature", "name"),
            ("AHU-1", "supply_temperature", "name"),
            ("CH-1", "power", "name"),
            ("B-2", "running", "name"),
            ("CHWP-1", "speed", "explicit"),
            ("AHU-2", "return_temperature", "name"),
        ],
        "{document:#}"
    );
    for m in document["matched"].as_array().unwrap() {
        let score = m["score"].as_f64().unwrap();
        assert!((0.85..=1.0).contains(&score) && m["element"].as_str().unwrap().len() == 22, "{m}");
    }
    let unmatched = document["unmatched"].as_array().unwrap();
    assert_eq!(unmatched.len(), 2);
    assert!(unmatched.iter().all(|u| !u["why"].as_str().unwrap().is_empty() && u["candidates"].is_array()));

    let before = std::fs::read_to_string(path.join("twin.toml")).unwrap();
    let (document, _) = run(&path, &["--write"]);
    assert_eq!(document["written"]["added"], 5, "{document:#}");
    let after = std::fs::read_to_string(path.join("twin.toml")).unwrap();
    for line in before.lines().filter(|l| l.trim_start().starts_with('#')) {
        assert!(after.contains(line), "a comment is gone: {line}");
    }
    // What was saved is what the project says from now on, and its file has no fault.
    let (document, _) = run(&path, &["--write"]);
    assert!(document["matched"].as_array().unwrap().iter().all(|m| m["by"] == "explicit"), "{document:#}");
    assert_eq!(document["written"]["added"], 0);
    let faults =
        document["problems"].as_array().unwrap().iter().filter(|p| p["where"].as_str().unwrap().contains("twin.toml"));
    assert_eq!(faults.filter(|p| p["severity"] != "info").count(), 0, "{document:#}");
}

#[test]
fn wrong_use_and_people() {
    let (_folder, path) = clinic();
    let project = path.to_str().unwrap();
    assert_eq!(plenum(&["map", project]).status.code(), Some(2));
    assert_eq!(plenum(&["map", project, "--topics", "x", "--at-least", "2"]).status.code(), Some(2));
    let none = path.join("none.txt");
    let output = plenum(&["map", project, "--topics", none.to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&output.stderr).contains("none.txt"), "{}", said(&output, 0));
    let topics = path.join("t.txt");
    std::fs::write(&topics, "AHU1/SAT\n").unwrap();
    let output = plenum(&["map", project, "--topics", topics.to_str().unwrap()]);
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(text.contains("AHU-1/supply_temperature") && text.contains("--write"), "{text}");
}
