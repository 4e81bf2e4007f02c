//! Small networks beside EPANET, one for each thing that the samples do not have: Darcy–Weisbach and Chézy–Manning in
//! both systems of units, leaks, emitters, demand by pressure, every valve in every state, pumps of every kind.
//!
//! The networks are `epanet/*.inp`. Their heads and flows are in `epanet/figures.json`, m and m³/s: what
//! `python benches/peers/epanet_heads.py tests/network/epanet/*.inp` printed with owa-epanet 2.3.5, without the steps
//! around them. Where `PLENUM_EPANET` names a Python that has owa-epanet, it is asked again.

use crate::inp_epanet::epanet;
use plenum::import::network::inp::{self, FlowUnits, PressureUnits, Units};
use plenum::simulation::network::{Accuracy, Network, Solution, Solver, Status};
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/network/epanet")
}

/// The networks by the name of their file.
fn networks() -> BTreeMap<String, PathBuf> {
    let files = std::fs::read_dir(folder()).expect("the networks").flatten().map(|e| e.path());
    let inp = files.filter(|p| p.extension().is_some_and(|e| e == "inp"));
    inp.map(|p| (p.file_name().unwrap().to_string_lossy().into_owned(), p)).collect()
}

fn figures() -> Value {
    let text = std::fs::read_to_string(folder().join("figures.json")).expect("the figures");
    serde_json::from_str(&text).expect("JSON")
}

fn read(path: &Path) -> Network {
    let (file, problems) = inp::read(&std::fs::read(path).unwrap(), "small.inp");
    assert!(problems.is_empty(), "{}: {problems:#?}", path.display());
    file.network
}

fn solve(network: &Network) -> Solution {
    let (mut solver, problems) = Solver::new(network);
    assert!(problems.is_empty(), "{problems:#?}");
    solver.solve(&network.boundary(), Accuracy::both(1e-9)).clone()
}

/// Largest differences of heads (m) and flows (m³/s) from the figures.
fn off(network: &Network, solution: &Solution, figures: &Value) -> (f64, f64) {
    let of = |figures: &Value, id: &str| figures[id].as_f64().unwrap_or_else(|| panic!("no figure of {id}"));
    let heads = network.nodes.iter().zip(&solution.head).map(|(n, h)| (h - of(&figures["head_m"], &n.id)).abs());
    let flows = network.links.iter().zip(&solution.flow).map(|(l, q)| (q - of(&figures["flow_m3s"], &l.id)).abs());
    let most = |all: &mut dyn Iterator<Item = f64>| {
        all.fold(0.0, |most: f64, x| if x > most || x.is_nan() { x } else { most })
    };
    (most(&mut heads.into_iter()), most(&mut flows.into_iter()))
}

#[test]
fn small_networks_have_the_heads_and_flows_of_epanet() {
    let (figures, networks) = (figures(), networks());
    assert_eq!(networks.len(), figures.as_object().unwrap().len(), "a network without figures, or figures of none");
    assert!(networks.len() >= 34);
    let mut bad = Vec::new();
    for (name, path) in &networks {
        let network = read(path);
        let solution = solve(&network);
        let (head, flow) = off(&network, &solution, &figures[name]);
        eprintln!("{name}: {head:.1e} m, {flow:.1e} m³/s, {} iterations", solution.iterations);
        if !solution.converged || !solution.frozen.is_empty() || head.is_nan() || head > 1e-4 || flow > 1e-6 {
            bad.push(format!("{name}: {head:.2e} m, {flow:.2e} m³/s, {:?}", solution.problems(&network)));
        }
    }
    assert!(bad.is_empty(), "{bad:#?}");
}

/// How a valve or pump stands is part of the answer.
#[test]
fn small_networks_stand_as_they_should() {
    let networks = networks();
    for (name, link, wanted) in [
        ("psv", "v", Status::Active),
        ("psv_open", "v", Status::Open),
        ("psv_shut", "v", Status::Blocked),
        ("fcv", "v", Status::Active),
        ("fcv_open", "v", Status::Open),
        ("prv", "v", Status::Active),
        ("prv_open", "v", Status::Open),
        ("prv_shut", "v", Status::Blocked),
        ("prv_series", "v", Status::Active),
        ("prv_series", "w", Status::Active),
        ("pcv", "v", Status::Active),
        ("pump_weak", "u", Status::Blocked),
        ("pump_weak", "w", Status::Open),
        ("pump_speed", "u", Status::Blocked),
        ("pump_beyond", "u", Status::Open),
    ] {
        let network = read(&networks[&format!("{name}.inp")]);
        let solution = solve(&network);
        let at = network.links.iter().position(|l| l.id == link).expect("the link");
        assert_eq!(solution.status[at], wanted, "{name}: {link}");
    }
}

/// The same network stated in other units is the same network.
#[test]
fn small_networks_written_in_other_units_solve_alike() {
    for (name, path) in networks() {
        let (file, _) = inp::read(&std::fs::read(&path).unwrap(), &name);
        let wanted = solve(&file.network);
        for units in [
            Units::new(FlowUnits::Gpm),
            Units::new(FlowUnits::Cmd),
            Units {
                flow: FlowUnits::Lps,
                pressure: Some(PressureUnits::Bar),
                specific_gravity: file.units.specific_gravity,
            },
        ] {
            let (text, problems) = inp::write(&file, units);
            assert!(problems.is_empty(), "{name}: {problems:?}");
            let (again, problems) = inp::read(text.as_bytes(), "again.inp");
            assert!(problems.is_empty(), "{name} in {units:?}: {problems:?}\n{text}");
            let found = solve(&again.network);
            for (v, (a, b)) in wanted.head.iter().zip(&found.head).enumerate() {
                assert!((a - b).abs() < 1e-6, "{name} in {units:?}: node {v} {a} m and {b} m");
            }
        }
    }
}

#[test]
fn the_figures_are_what_epanet_says_today() {
    let files: Vec<PathBuf> = networks().into_values().collect();
    let Some(answer) = epanet(&files) else { return };
    for (name, kept) in figures().as_object().unwrap() {
        assert!(answer[name]["error"].is_null(), "{name}: {}", answer[name]);
        let step = &answer[name]["steps"][0];
        for what in ["head_m", "flow_m3s"] {
            for (id, value) in kept[what].as_object().unwrap() {
                let (a, b) = (value.as_f64().unwrap(), step[what][id].as_f64().unwrap());
                assert!((a - b).abs() < 1e-9 * a.abs().max(1.0), "{name}: {id} {a} and {b}");
            }
        }
    }
}
