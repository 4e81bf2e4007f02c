//! Samples run their whole duration, with the tank levels and the step times of EPANET.

use crate::samples;
use plenum::import::network::inp::{self, InpFile};
use plenum::simulation::network::periods::{Moment, Run, through};
use plenum::simulation::network::{Accuracy, Solver};
use serde_json::Value;
use std::ops::ControlFlow;

const DAY: i64 = 86_400;

fn read(folder: &std::path::Path, name: &str) -> InpFile {
    let bytes = std::fs::read(folder.join(name).with_extension("inp")).expect("a sample");
    inp::read(&bytes, name).0
}

/// The worst difference of a tank's head to that of the reference over 24 h, m, and how the step times differ.
fn against_reference(name: &str, folder: &std::path::Path) -> (f64, Option<String>) {
    let file = read(folder, name);
    let reference = std::fs::read_to_string(folder.join("ref").join(name).with_extension("json")).expect("a reference");
    let reference: Value = serde_json::from_str(&reference).expect("JSON");
    let wanted: Vec<(i64, Value)> = (reference["tank_heads_24h"].as_array().expect("tank heads").iter())
        .map(|row| (row[0].as_i64().expect("a time"), row[1].clone()))
        .collect();
    let (mut solver, _) = Solver::new(&file.network);
    let mut found: Vec<(i64, Vec<f64>)> = Vec::new();
    through(&file.network, &file.timeline, &mut solver, Accuracy::both(1e-6), |moment: Moment<'_>| {
        assert!(moment.solution.converged, "{name} at {} s: {:?}", moment.seconds, moment.solution.mass_residual);
        found.push((moment.seconds, moment.solution.head.clone()));
        // The reference ends with the first moment after a day.
        if moment.seconds > DAY { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    });
    let (a, b): (Vec<i64>, Vec<i64>) = (found.iter().map(|f| f.0).collect(), wanted.iter().map(|w| w.0).collect());
    let mut worst: f64 = 0.0;
    for (seconds, heads) in &wanted {
        let Some((_, ours)) = found.iter().find(|f| f.0 == *seconds) else { continue };
        for (id, head) in heads.as_object().expect("heads by tank") {
            let at = file.network.nodes.iter().position(|n| n.id == *id).expect("the tank");
            let off = (ours[at] - head.as_f64().expect("a head") * file.units.m()).abs();
            worst = worst.max(if off.is_nan() { f64::INFINITY } else { off });
        }
    }
    (worst, (a != b).then(|| format!("{a:?}\n{b:?}")))
}

#[test]
fn tanks_follow_epanet_to_a_millimetre() {
    let Some(folder) = samples::folder("networks") else { return };
    let mut told = Vec::new();
    for name in ["Net1", "Net2", "Net3", "L-TOWN", "tank_controls_1", "cv_controls", "leaks"] {
        let (worst, times) = against_reference(name, &folder);
        eprintln!("{name}: {worst:.2e} m");
        if worst > 1e-3 {
            told.push(format!("{name}: {worst} m"));
        }
        if let Some(times) = times {
            told.push(format!("{name}: other step times\n{times}"));
        }
    }
    assert!(told.is_empty(), "{}", told.join("\n"));
}

#[test]
fn every_sample_runs_its_whole_duration() {
    let mut told = Vec::new();
    for (name, path) in samples::networks() {
        let (file, _) = inp::read(&std::fs::read(path).expect("a sample"), &name);
        let (mut solver, _) = Solver::new(&file.network);
        let mut last = (-1, 0);
        let mut bad = Vec::new();
        let accuracy = Accuracy::both(1e-6);
        let run = through(&file.network, &file.timeline, &mut solver, accuracy, |moment: Moment<'_>| {
            last = (moment.seconds, last.1 + 1);
            if !moment.solution.converged {
                let s = moment.solution;
                bad.push((
                    moment.seconds,
                    s.mass_residual,
                    s.head_residual,
                    s.frozen.clone(),
                    s.iterations,
                    s.cut_off.len(),
                ));
            }
            ControlFlow::Continue(())
        });
        eprintln!("{name}: {} steps to {} s", last.1, last.0);
        if last.0 < file.timeline.times.duration || !bad.is_empty() {
            told.push(format!("{name} ended at {} s; not solved: {bad:?}", last.0));
        }
        assert!(run.pumps().iter().all(|p| p.kwh.is_finite() && p.kwh >= 0.0), "{name}");
    }
    assert!(told.is_empty(), "{}", told.join("\n"));
}

/// `through` begins a moment anew where it does not settle from the last one. Here no moment needs it.
#[test]
fn net6_goes_on_from_moment_to_moment() {
    let Some(folder) = samples::folder("networks") else { return };
    let file = read(&folder, "Net6");
    for accuracy in [Accuracy::of_file(1e-3), Accuracy::both(1e-6), Accuracy::both(1e-9)] {
        let (mut solver, _) = Solver::new(&file.network);
        let mut run = Run::new(&file.network, &file.timeline);
        let (mut moments, mut most) = (0, 0);
        while run.begin().is_some() {
            loop {
                let solution = solver.solve(run.boundary(), accuracy);
                assert!(solution.converged, "{} s at {accuracy:?}: {:?}", run.seconds(), solution.head_residual);
                most = most.max(solution.iterations);
                if !run.switch(solver.solution()) {
                    break;
                }
            }
            moments += 1;
            if run.advance(solver.solution()) == 0 {
                break;
            }
        }
        eprintln!("Net6 at {accuracy:?}: {moments} moments, {most} iterations at the most");
        assert!(moments > 600, "{moments}");
    }
}
