//! Heads and flows of the sample networks beside those of EPANET at an accuracy of 1e-6.
//!
//! The samples are found by `PLENUM_SAMPLES`; without it the tests say so and pass.

use plenum::import::network::inp;
use plenum::import::network::inp::InpFile;
use plenum::simulation::network::periods::Run;
use plenum::simulation::network::{Accuracy, Solver};
use serde_json::Value;
use std::path::PathBuf;

fn samples() -> Option<PathBuf> {
    let found =
        std::env::var_os("PLENUM_SAMPLES").map(|at| PathBuf::from(at).join("networks")).filter(|at| at.is_dir());
    if found.is_none() {
        eprintln!("PLENUM_SAMPLES names no folder of samples: nothing compared");
    }
    found
}

/// Worst difference of heads (m) from the reference over nodes that are not cut off, and where.
fn worst(file: &InpFile, reference: &Value, metric: bool) -> (f64, String, usize, Vec<String>) {
    let network = &file.network;
    let (mut solver, problems) = Solver::new(network);
    let mut run = Run::new(network, &file.timeline);
    run.begin();
    solver.solve(run.boundary(), Accuracy::both(1e-6));
    while run.switch(solver.solution()) {
        solver.solve(run.boundary(), Accuracy::both(1e-6));
    }
    let solution = solver.solution();
    let mut notes: Vec<String> = problems.iter().map(ToString::to_string).collect();
    notes.extend(solution.problems(network).iter().map(ToString::to_string));
    if !solution.converged {
        return (f64::INFINITY, String::new(), 0, notes);
    }
    let heads = reference["accuracy_1e-6"]["head"].as_object().unwrap();
    let foot = if metric { 1.0 } else { 0.3048 };
    let (mut most, mut place, mut cut) = (0.0, String::new(), 0);
    for (node, head) in network.nodes.iter().zip(&solution.head) {
        let theirs = heads[&node.id].as_f64().unwrap() * foot;
        if head.is_nan() {
            cut += 1;
            continue;
        }
        let off = (head - theirs).abs();
        if off > most {
            (most, place) = (off, format!("{}: {head} instead of {theirs}", node.id));
        }
    }
    (most, place, cut, notes)
}

#[test]
fn heads_are_those_of_epanet() {
    let Some(samples) = samples() else { return };
    let mut bad = Vec::new();
    for name in [
        "Net1",
        "Net2",
        "Net3",
        "Net6",
        "ky4",
        "L-TOWN",
        "grid1000",
        "Todini_Fig2_solA_CMH",
        "cv_controls",
        "leaks",
        "tank_controls_1",
    ] {
        let bytes = std::fs::read(samples.join(format!("{name}.inp"))).unwrap();
        let (file, _) = inp::read(&bytes, name);
        let text = std::fs::read_to_string(samples.join(format!("ref/{name}.json"))).unwrap();
        let reference: Value = serde_json::from_str(&text).unwrap();
        // EPANET's codes: cubic feet and gallons of any kind below 5, litres and cubic metres from there.
        let metric = reference["flow_units"].as_i64().unwrap() >= 5;
        let (most, place, cut, notes) = worst(&file, &reference, metric);
        eprintln!("{name}: {most:.2e} m at {place}; cut off {cut}; {notes:?}");
        if most > 1e-4 || cut != 0 {
            bad.push(format!("{name}: {most:.2e} m at {place}; {cut} cut off"));
        }
    }
    assert!(bad.is_empty(), "{bad:#?}");
}

/// Here EPANET lets closed links feed a zone that has no source: there are no heads to compare.
#[test]
fn zones_that_nothing_feeds_are_named() {
    let Some(samples) = samples() else { return };
    for (name, cut_off) in [
        ("fcv_open_no_downstream_sources", vec![vec!["J4", "J5"]]),
        ("prv_closed_no_upstream_sources", vec![vec!["J2", "J3", "J23"]]),
    ] {
        let bytes = std::fs::read(samples.join(format!("{name}.inp"))).unwrap();
        let (file, _) = inp::read(&bytes, name);
        let mut run = Run::new(&file.network, &file.timeline);
        let (mut solver, _) = Solver::new(&file.network);
        let solution = solver.solve(run.begin().unwrap(), Accuracy::both(1e-6));
        assert!(solution.converged, "{name}");
        let zones: Vec<Vec<&str>> = solution
            .zones()
            .iter()
            .map(|zone| zone.iter().map(|&v| file.network.nodes[v].id.as_str()).collect())
            .collect();
        assert_eq!(zones, cut_off, "{name}");
    }
}
