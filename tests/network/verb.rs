//! `plenum solve`, as people and scripts call it.

use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// Two reservoirs, a pipe that a tank hangs on, and a pair of nodes that a closed pipe cuts off. Litres a second.
const INP: &str = "[TITLE]\nTwo sources\n[JUNCTIONS]\nA 10 5\nB 12 3\nC 8 1\nD 8 1\n[RESERVOIRS]\nR 60\nS 55\n[PIPES]\n\
P1 R A 500 300 120 0 Open\nP2 A B 400 250 120 0 Open\nP3 B S 600 300 120 0 Open\nP4 B C 100 100 120 0 Closed\n\
P5 C D 100 100 120 0 Open\n[TIMES]\nDuration 3:00\nHydraulic Timestep 1:00\nPattern Timestep 1:00\n[PATTERNS]\n1 1.0 0.5 2.0\n\
[OPTIONS]\nUnits LPS\nHeadloss H-W\nAccuracy 0.0001\nPattern 1\n[END]\n";

fn solve(folder: &Path, args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_plenum")).arg("solve").args(args).current_dir(folder).output().unwrap()
}

fn file(folder: &Path, name: &str, text: &str) -> PathBuf {
    let path = folder.join(name);
    std::fs::write(&path, text).unwrap();
    path
}

fn json(output: &Output) -> Value {
    serde_json::from_slice(&output.stdout).unwrap()
}

#[test]
fn the_first_moment_balances_and_a_zone_without_a_source_is_named() {
    let folder = tempfile::tempdir().unwrap();
    file(folder.path(), "town.inp", INP);
    let output = solve(folder.path(), &["town.inp", "--json", "--accuracy", "1e-8"]);
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    let found = json(&output);
    assert_eq!((found["nodes"].as_u64(), found["links"].as_u64()), (Some(6), Some(5)));
    assert_eq!(found["converged"], true);
    for residual in ["max_mass_residual_m3s", "max_head_residual_m"] {
        assert!(found[residual].as_f64().unwrap() <= 1e-8, "{residual}: {found}");
    }
    let step = &found["steps"][0];
    assert_eq!((found["steps"].as_array().unwrap().len(), step["t_s"].as_i64()), (1, Some(0)));
    let flow = |link: &str| step["flow_m3s"][link].as_f64().unwrap();
    // What the two sources give is what the two junctions take, with EPANET's 28.317 litres to the cubic foot.
    let taken = 8e-3 / 28.317e-3 * 0.3048_f64.powi(3);
    assert!((flow("P1") - flow("P3") - taken).abs() < 1e-8, "{step}");
    assert!((flow("P1") - flow("P2") - step["demand_m3s"]["A"].as_f64().unwrap()).abs() < 1e-8);
    let head = |node: &str| step["head_m"][node].as_f64().unwrap();
    assert!(head("R") > head("A") && head("A") > head("B"), "{step}");
    assert_eq!((step["status"]["P4"].as_str(), step["status"]["P1"].as_str()), (Some("closed"), Some("open")));
    assert!(step["head_m"]["C"].is_null() && step["head_m"]["D"].is_null());
    let zone: Vec<&str> =
        found["zones_without_source"][0].as_array().unwrap().iter().map(|n| n.as_str().unwrap()).collect();
    assert_eq!(zone, ["C", "D"]);
    assert!(found["problems"].as_array().unwrap().iter().any(|p| p["message"].as_str().unwrap().contains("cut off")));
    let again = solve(folder.path(), &["town.inp", "--json", "--repeat", "3"]);
    assert!(json(&again)["seconds"]["solve"].as_f64().unwrap() > 0.0);
}

#[test]
fn all_steps_follow_the_pattern() {
    let folder = tempfile::tempdir().unwrap();
    file(folder.path(), "town.inp", INP);
    let found = json(&solve(folder.path(), &["town.inp", "--json", "--all-steps"]));
    let steps = found["steps"].as_array().unwrap();
    assert_eq!(steps.iter().map(|s| s["t_s"].as_i64().unwrap()).collect::<Vec<_>>(), [0, 3600, 7200, 10_800]);
    let demand: Vec<f64> = steps.iter().map(|s| s["demand_m3s"]["A"].as_f64().unwrap()).collect();
    for (ours, factor) in demand.iter().zip([1.0, 0.5, 2.0, 1.0]) {
        assert!((ours / demand[0] - factor).abs() < 1e-9, "{demand:?}");
    }
    let told = solve(folder.path(), &["town.inp", "--all-steps"]);
    let words = String::from_utf8(told.stdout).unwrap();
    assert!(words.contains("converged: 4 moments until 10800 s"), "{words}");
    assert!(words.contains("no source feeds 2 nodes: C, D"), "{words}");
}

#[test]
fn what_cannot_be_solved_is_said_with_its_exit_status() {
    let folder = tempfile::tempdir().unwrap();
    let of = |name: &str, text: &str| file(folder.path(), name, text);
    of("empty.inp", "");
    of("garbage.inp", "\u{0}\u{1}PK\u{3}\u{4} nothing here");
    of("gas.json", "{\"_object\": {}}");
    of("words.txt", INP);
    of("house.ifc", "ISO-10303-21;");
    std::fs::create_dir(folder.path().join("folder")).unwrap();
    std::fs::create_dir(folder.path().join("folder.inp")).unwrap();
    for (args, status, says) in [
        (&["empty.inp"][..], 1, "the file is empty"),
        (&["garbage.inp"], 1, "garbage.inp"),
        (&["gas.json"], 1, "gas.json"),
        (&["absent.inp"], 1, "no such file"),
        (&["folder"], 1, "folder/twin.toml: there is no such file"),
        (&["folder.inp"], 1, "cannot be read"),
        (&["words.txt"], 2, "ends in `.txt`"),
        (&["house.ifc"], 1, "no record could be read"),
        (&["empty.inp", "--accuracy", "7"], 2, "between 1e-12 and 1"),
        (&[], 2, "FILE"),
    ] {
        let output = solve(folder.path(), args);
        let words = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(status), "{args:?}: {words}");
        assert!(words.contains(says), "{args:?}: {words}");
        assert!(output.stdout.is_empty(), "{args:?}");
    }
    // One malformed line costs that line only.
    of("dented.inp", &INP.replace("P5 C D 100 100 120 0 Open", "P5 C NOWHERE 100 100 120 0 Open"));
    let output = solve(folder.path(), &["dented.inp", "--json"]);
    assert_eq!(output.status.code(), Some(0));
    let problems = json(&output)["problems"].to_string();
    assert!(problems.contains("dented.inp:16") && problems.contains("NOWHERE"), "{problems}");
}

#[cfg(unix)]
#[test]
fn a_file_that_may_not_be_read_is_said_to_be_so() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    let path = file(folder.path(), "locked.inp", INP);
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o000)).unwrap();
    if std::fs::read(&path).is_ok() {
        eprintln!("skipped: this user may read every file");
        return;
    }
    let output = solve(folder.path(), &["locked.inp", "--json"]);
    let words = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(1), "{words}");
    assert!(words.contains("locked.inp") && words.contains("check its rights"), "{words}");
}

/// As Windows programs write it: a mark of the encoding, carriage returns, a letter of Latin 1.
#[test]
fn other_encodings_and_line_ends_solve_alike() {
    let folder = tempfile::tempdir().unwrap();
    file(folder.path(), "plain.inp", INP);
    let wanted = json(&solve(folder.path(), &["plain.inp", "--json"]))["steps"].clone();
    let returns = INP.replace('\n', "\r\n");
    let marked = [b"\xEF\xBB\xBF".as_slice(), returns.as_bytes()].concat();
    let latin = [b"[TITLE]\r\nquai \xe9toile\r\n".as_slice(), returns.as_bytes()].concat();
    for (name, bytes) in [("marked.inp", marked), ("latin.inp", latin)] {
        std::fs::write(folder.path().join(name), bytes).unwrap();
        let output = solve(folder.path(), &[name, "--json"]);
        assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
        assert_eq!(json(&output)["steps"], wanted, "{name}");
    }
}

#[test]
fn a_pandapipes_net_has_pressures_velocities_and_temperatures() {
    let Some(samples) = std::env::var_os("PLENUM_SAMPLES") else {
        println!("skipped: PLENUM_SAMPLES names no folder of samples");
        return;
    };
    let net = Path::new(&samples).join("reference/pandapipes/heat_one_pipe.json");
    let folder = tempfile::tempdir().unwrap();
    let output = solve(folder.path(), &[net.to_str().unwrap(), "--json"]);
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    let found = json(&output);
    for field in ["pressure_pa", "velocity_ms", "temperature_c"] {
        assert!(!found[field].as_object().unwrap().is_empty(), "{field}: {found}");
    }
    assert!(found["temperature_c"]["0"].as_array().unwrap().len() > 1, "{found}");
    assert!(found["energy_closing_w"].as_f64().unwrap().abs() < 1.0);
}
