//! `plenum solve` of a building model: the contract's document, what is stated in a project, and its exit statuses.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use common::{json, plenum, said};
use serde_json::Value;
use std::path::Path;

/// The clinic's services in a folder of their own, with these lines more in its project file.
fn clinic(more: &str) -> (tempfile::TempDir, String) {
    let folder = tempfile::tempdir().unwrap();
    let clinic = Path::new(env!("CARGO_MANIFEST_DIR")).join("models/clinic");
    std::fs::copy(clinic.join("clinic-mep.ifc"), folder.path().join("clinic-mep.ifc")).unwrap();
    let project = format!("name = \"Clinic\"\n[[models]]\nfile = \"clinic-mep.ifc\"\ndiscipline = \"mep\"\n{more}");
    std::fs::write(folder.path().join("twin.toml"), project).unwrap();
    let path = folder.path().display().to_string();
    (folder, path)
}

fn network<'a>(document: &'a Value, name: &str) -> &'a Value {
    let networks = document["networks"].as_array().unwrap();
    networks.iter().find(|n| n["name"] == name).unwrap_or_else(|| panic!("no {name}"))
}

#[test]
fn a_model_gives_the_document_of_the_contract() {
    let (folder, _) = clinic("");
    let file = folder.path().join("clinic-mep.ifc").display().to_string();
    let output = plenum(&["solve", &file, "--json", "--repeat", "3"]);
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    let document = json(&output);
    assert_eq!(document["networks"].as_array().unwrap().len(), 8);
    for net in document["networks"].as_array().unwrap() {
        let name = net["name"].as_str().unwrap();
        assert_eq!(net["converged"], true, "{name}");
        for residual in ["max_mass_residual_m3s", "max_head_residual_m"] {
            assert!(net[residual].as_f64().unwrap() < 1e-6, "{name} {residual}");
        }
        let count = |key: &str| net[key].as_object().unwrap_or_else(|| panic!("{name} {key}")).len();
        assert_eq!(count("pressure_pa") as u64, net["nodes"].as_u64().unwrap());
        assert_eq!(count("temperature_c") as u64, net["nodes"].as_u64().unwrap());
        assert!(count("velocity_ms") > 0 && net["energy_closing_w"].as_f64().unwrap().abs() < 100.0);
        assert_eq!(net["zones_without_source"].as_array().unwrap().len(), 0);
        for assumption in net["assumptions"].as_array().unwrap() {
            assert!(["element", "field", "value", "why"].iter().all(|k| !assumption[k].is_null()), "{assumption}");
        }
        // What leaves a node and what flows there: the balance from outside.
        let step = &net["steps"][0];
        assert!(step["flow_m3s"].as_object().unwrap().len() as u64 == net["links"].as_u64().unwrap());
        assert!(net["seconds"]["solve"].as_f64().unwrap() > 0.0 && net["domain"].as_str().is_some());
    }
    let media: Vec<&str> =
        document["networks"].as_array().unwrap().iter().map(|n| n["medium"].as_str().unwrap()).collect();
    for medium in ["chilled water", "heating water", "condenser water", "cold water", "air", "exhaust air"] {
        assert!(media.contains(&medium), "{media:?}");
    }
}

#[test]
fn a_project_states_what_it_knows_and_is_told_what_is_wrong() {
    let pump = |more: &str| {
        let (_folder, path) = clinic(more);
        let document = json(&plenum(&["solve", &path, "--json"]));
        let net = network(&document, "Chilled water").clone();
        let fastest = net["velocity_ms"].as_object().unwrap().values().filter_map(Value::as_f64).fold(0.0, f64::max);
        (fastest, net, document)
    };
    let (before, ..) = pump("");
    let stated = "[[assumptions]]\nelement = \"CHWP-1\"\nfield = \"speed\"\nvalue = 0.5\n";
    let (after, net, _) = pump(stated);
    assert!(after < 0.7 * before, "{after} {before}");
    let told = net["assumptions"].as_array().unwrap().iter().filter(|a| a["why"] == "stated in twin.toml").count();
    assert_eq!(told, 1);
    let (.., document) = pump("[[assumptions]]\nelement = \"NOBODY\"\nfield = \"speed\"\nvalue = 0.5\n");
    let problems = document["problems"].as_array().unwrap();
    assert!(problems.iter().any(|p| p["where"].as_str().unwrap().ends_with("twin.toml:5")), "{problems:?}");
}

#[test]
fn people_get_a_table_and_what_cannot_be_solved_fails() {
    let (_folder, path) = clinic("");
    let table = plenum(&["solve", &path]);
    let text = String::from_utf8_lossy(&table.stdout).into_owned();
    assert!(table.status.success() && text.contains("Chilled water (chilled water)") && text.contains("converged"));
    assert!(said(&plenum(&["solve", &path, "--all-steps"]), 2).contains("states no times"));
    let architecture = Path::new(env!("CARGO_MANIFEST_DIR")).join("models/clinic/clinic-architecture.ifc");
    let folder = tempfile::tempdir().unwrap();
    let copy = folder.path().join("a.ifc");
    std::fs::copy(architecture, &copy).unwrap();
    let output = plenum(&["solve", &copy.display().to_string(), "--json"]);
    assert_eq!(output.status.code(), Some(1));
    let document = json(&output);
    assert_eq!(document["networks"], serde_json::json!([]));
    assert!(!document["problems"].as_array().unwrap().is_empty());
}
