//! Heads of the sample networks beside those of EPANET at an accuracy of 1e-6.

use crate::samples;
use plenum::import::network::inp;
use plenum::import::network::inp::InpFile;
use plenum::simulation::network::periods::Run;
use plenum::simulation::network::{Accuracy, Boundary, NodeKind, Solution, Solver};
use serde_json::Value;
use std::path::Path;

/// A sample, its reference if it has one, and what a unit of length and of flow there is, m and m³/s.
struct Sample {
    file: InpFile,
    reference: Value,
    metre: f64,
    flow: f64,
}

fn sample(name: &str, path: &Path) -> Option<Sample> {
    let (file, _) = inp::read(&std::fs::read(path).unwrap(), name);
    let text = std::fs::read_to_string(path.with_file_name(format!("ref/{name}.json"))).ok()?;
    let whole: Value = serde_json::from_str(&text).unwrap();
    let (metre, flow) = (file.units.m(), file.units.m3s());
    Some(Sample { file, reference: whole["accuracy_1e-6"].clone(), metre, flow })
}

/// Solves the first moment, with what switches at it; and what it was solved for.
fn first_moment(file: &InpFile) -> (Solution, Boundary) {
    let (mut solver, _) = Solver::new(&file.network);
    let mut run = Run::new(&file.network, &file.timeline);
    run.begin();
    solver.solve(run.boundary(), Accuracy::both(1e-6));
    while run.switch(solver.solution()) {
        solver.solve(run.boundary(), Accuracy::both(1e-6));
    }
    (solver.solution().clone(), run.boundary().clone())
}

/// Worst difference of heads, m, over nodes that are not cut off, and where.
fn worst(sample: &Sample, solution: &Solution) -> (f64, String) {
    if !solution.converged {
        return (f64::INFINITY, "not converged".into());
    }
    let heads = sample.reference["head"].as_object().unwrap();
    let mut worst = (0.0, String::new());
    for (node, head) in sample.file.network.nodes.iter().zip(&solution.head).filter(|(_, h)| !h.is_nan()) {
        let theirs = heads[&node.id].as_f64().unwrap() * sample.metre;
        if (head - theirs).abs() > worst.0 {
            worst = ((head - theirs).abs(), format!("{}: {head} instead of {theirs}", node.id));
        }
    }
    worst
}

#[test]
fn heads_are_those_of_epanet() {
    let (mut bad, mut seen) = (Vec::new(), 0);
    for (name, path) in samples::networks() {
        let Some(sample) = sample(&name, &path) else { continue };
        let (solution, _) = first_moment(&sample.file);
        // What nothing feeds is compared below.
        if !solution.cut_off.is_empty() {
            continue;
        }
        let (most, place) = worst(&sample, &solution);
        eprintln!("{name}: {most:.2e} m at {place}");
        if most > 1e-4 {
            bad.push(format!("{name}: {most:.2e} m at {place}"));
        }
        seen += 1;
    }
    assert!(bad.is_empty(), "{bad:#?}");
    assert!(seen == 0 || seen >= 11, "only {seen} compared");
}

/// EPANET lets closed links feed a zone that has no source. There are no heads of it to compare; but with what it
/// lets through as a demand on this side of the closed links, the heads on this side are the same.
#[test]
fn zones_that_nothing_feeds_are_named_and_the_rest_is_that_of_epanet() {
    let mut seen = Vec::new();
    for (name, path) in samples::networks() {
        let Some(sample) = sample(&name, &path) else { continue };
        let network = &sample.file.network;
        let (solution, mut boundary) = first_moment(&sample.file);
        if solution.cut_off.is_empty() {
            continue;
        }
        assert!(solution.converged, "{name}");
        let names = |zone: Vec<usize>| zone.iter().map(|&v| network.nodes[v].id.clone()).collect::<Vec<_>>().join(" ");
        seen.push((name.clone(), solution.zones().into_iter().map(names).collect::<Vec<_>>()));
        let cut = |v: usize| solution.head[v].is_nan();
        // What it lets through it does not say at the closed link itself: it is what is left over beside it.
        let mut left = vec![0.0; network.nodes.len()];
        for link in network.links.iter().filter(|l| !cut(l.from) && !cut(l.to)) {
            let flow = sample.reference["flow"][&link.id].as_f64().unwrap() * sample.flow;
            left[link.from] -= flow;
            left[link.to] += flow;
        }
        let mut passed: f64 = 0.0;
        for link in network.links.iter().filter(|l| cut(l.from) != cut(l.to)) {
            let near = if cut(link.to) { link.from } else { link.to };
            passed = passed.max((left[near] - boundary.demand[near]).abs());
            boundary.demand[near] = left[near];
        }
        assert!(passed > 1e-3, "{name}: EPANET lets nothing through, so heads compare as they are");
        let (mut solver, _) = Solver::new(network);
        let with_that = solver.solve(&boundary, Accuracy::both(1e-6));
        let (most, place) = worst(&sample, with_that);
        let compared = network.nodes.iter().zip(&with_that.head);
        let compared = compared.filter(|(n, h)| matches!(n.kind, NodeKind::Junction(_)) && !h.is_nan()).count();
        eprintln!("{name}: {most:.2e} m at {place}, {compared} junctions");
        assert!(compared >= 2 && most < 1e-4, "{name}: {most} m at {place}, {compared} junctions");
    }
    let wanted =
        [("fcv_open_no_downstream_sources", vec!["J4 J5"]), ("prv_closed_no_upstream_sources", vec!["J2 J3 J23"])];
    let wanted =
        wanted.map(|(name, zones)| (name.to_owned(), zones.into_iter().map(str::to_owned).collect::<Vec<_>>()));
    assert!(seen.is_empty() || seen == wanted, "{seen:?}");
}
