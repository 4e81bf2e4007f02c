//! What is written opens in EPANET, which finds the heads of the file it was read from.
//!
//! `PLENUM_SAMPLES` names the folder of samples and `PLENUM_EPANET` a Python with owa-epanet; without them
//! these tests say so and pass.

use crate::samples;
use plenum::import::network::inp::{self, FlowUnits, PressureUnits, Units};
use plenum::simulation::network::periods::through;
use plenum::simulation::network::{Accuracy, Link, LinkKind, Pump, PumpHead, Solver};
use serde_json::Value;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Every step of one file.
fn all_steps(file: &Path) -> Option<Value> {
    epanet(&[file.to_path_buf(), PathBuf::from("--all-steps")])
}

/// What EPANET says of files; none where there is no Python that has it.
pub fn epanet(files: &[PathBuf]) -> Option<Value> {
    let Some(python) = std::env::var_os("PLENUM_EPANET").filter(|p| !p.is_empty()) else {
        eprintln!("skipped: set PLENUM_EPANET to a Python that has owa-epanet");
        return None;
    };
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/peers/epanet_heads.py");
    let done = Command::new(python).arg(script).args(files).output().expect("Python runs");
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    Some(serde_json::from_slice(&done.stdout).expect("JSON"))
}

#[test]
fn what_is_written_has_the_heads_of_what_was_read() {
    let samples = samples::networks();
    if samples.is_empty() {
        return;
    }
    let own = std::env::temp_dir().join(format!("plenum-inp-epanet-{}", std::process::id()));
    std::fs::create_dir_all(&own).unwrap();
    let small = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/network/epanet");
    let small = std::fs::read_dir(small).expect("the small networks").flatten().map(|e| e.path());
    let small = small.filter(|p| p.extension().is_some_and(|e| e == "inp"));
    let mut pairs = Vec::new();
    for path in samples.into_iter().map(|(_, path)| path).chain(small) {
        let name = path.file_stem().unwrap().to_string_lossy().into_owned();
        let (file, _) = inp::read(&std::fs::read(&path).unwrap(), &name);
        let other = if file.units.flow.metric() { FlowUnits::Gpm } else { FlowUnits::Lps };
        let mut all = vec![file.units];
        if file.network.links.len() < 1000 {
            all.push(Units { flow: other, pressure: None, specific_gravity: file.units.specific_gravity });
            let pressure = Some(PressureUnits::Kpa);
            all.push(Units { flow: FlowUnits::Cms, pressure, specific_gravity: file.units.specific_gravity });
        }
        // EPANET 2.3.5 takes 16.1 kW where a metric file says POWER 12: it divides by 0.7457 kW a horsepower twice.
        let by_power = |l: &Link| matches!(l.kind, LinkKind::Pump(Pump { head: PumpHead::Power(_), .. }));
        if file.network.links.iter().any(by_power) {
            all.retain(|units| units.flow.metric() == file.units.flow.metric());
        }
        // What no source feeds has no heads to compare: EPANET lets closed links feed it, by their rounding.
        let (mut solver, _) = Solver::new(&file.network);
        let cut = solver.solve(&file.network.boundary(), Accuracy::both(1e-6)).head.clone();
        let cut: Vec<String> =
            file.network.nodes.iter().zip(cut).filter(|(_, h)| h.is_nan()).map(|(n, _)| n.id.clone()).collect();
        for (at, units) in all.into_iter().enumerate() {
            let (text, problems) = inp::write(&file, units);
            assert!(problems.is_empty(), "{name}: {problems:?}");
            let written = own.join(format!("{name}-{at}.inp"));
            std::fs::write(&written, text).unwrap();
            pairs.push((path.clone(), written, cut.clone()));
        }
    }
    let mut files: Vec<PathBuf> = pairs.iter().flat_map(|(a, b, _)| [a.clone(), b.clone()]).collect();
    files.sort();
    files.dedup();
    let answer = epanet(&files);
    std::fs::remove_dir_all(&own).unwrap();
    let Some(answer) = answer else { return };
    let heads = |path: &Path| {
        let of = &answer[path.file_name().unwrap().to_str().unwrap()];
        assert!(of["error"].is_null(), "{}: {of}", path.display());
        of["steps"][0]["head_m"].as_object().expect("heads").clone()
    };
    let (mut most, mut seen) = (0.0f64, 0);
    for (read, written, cut) in &pairs {
        let (a, b) = (heads(read), heads(written));
        assert_eq!(a.len(), b.len(), "{}", written.display());
        for (node, head) in a.iter().filter(|(node, _)| !cut.contains(node)) {
            let (x, y) = (head.as_f64().unwrap(), b[node].as_f64().unwrap());
            assert!((x - y).abs() < 1e-6 * x.abs().max(1.0), "{}: {node} {x} m and {y} m", written.display());
            (most, seen) = (most.max((x - y).abs()), seen + 1);
        }
    }
    eprintln!(
        "{} files written of {} read, {seen} heads: at most {most:.1e} m apart",
        pairs.len(),
        files.len() - pairs.len()
    );
}

/// The same over the whole duration, for the samples that are not too long to be kept in memory.
#[test]
fn what_is_written_runs_as_what_was_read() {
    let own = std::env::temp_dir().join(format!("plenum-inp-run-{}", std::process::id()));
    std::fs::create_dir_all(&own).unwrap();
    let mut files = vec![PathBuf::from("--all-steps")];
    let mut pairs = Vec::new();
    for (name, path) in samples::networks() {
        let (file, _) = inp::read(&std::fs::read(&path).unwrap(), &name);
        let (mut solver, _) = Solver::new(&file.network);
        let whole = solver.solve(&file.network.boundary(), Accuracy::both(1e-6)).cut_off.is_empty();
        if whole && file.network.links.len() < 500 {
            let (text, _) = inp::write(&file, file.units);
            let written = own.join(format!("{name}-again.inp"));
            std::fs::write(&written, text).unwrap();
            files.extend([path.clone(), written]);
            pairs.push(name);
        }
    }
    let answer = if pairs.is_empty() { None } else { epanet(&files) };
    std::fs::remove_dir_all(&own).unwrap();
    let Some(answer) = answer else { return };
    for name in &pairs {
        let steps = |name: String| answer[name.as_str()]["steps"].as_array().expect("steps").clone();
        let (a, b) = (steps(format!("{name}.inp")), steps(format!("{name}-again.inp")));
        assert_eq!(a.len(), b.len(), "{name}");
        let mut most = 0.0f64;
        for (a, b) in a.iter().zip(&b) {
            assert_eq!(a["t_s"], b["t_s"], "{name}");
            for (node, head) in a["head_m"].as_object().expect("heads") {
                most = most.max((head.as_f64().unwrap() - b["head_m"][node].as_f64().unwrap()).abs());
            }
        }
        eprintln!("{name}: {} steps, at most {most:.1e} m apart", a.len());
        assert!(most < 1e-4, "{name}: {most} m");
    }
    assert!(pairs.len() >= 6, "{pairs:?}");
}

/// Everything that changes over time: level, time and pressure controls, rules with and without ELSE and
/// priority, pump patterns and speeds, a volume curve, a tank that overflows, a demand pattern that begins
/// later, a default pattern, valves that are set.
const BUSY: &str = "[TITLE]
busy
[JUNCTIONS]
 a 10 12
 b 12 8 day
 c 15 6
 d 8 5 day
 e 20 4
[RESERVOIRS]
 lake 30 sea
[TANKS]
 t1 55 3 0.5 6 9 0
 t2 52 4 1 7 10 0 vol
 t3 48 2.9 0 3 6 0 * YES
[PIPES]
 p1 a b 400 250 120 0
 p2 b c 500 200 110 0.4
 p3 c t1 200 200 120
 p4 b d 600 150 100
 p5 d t2 300 200 120
 p6 d e 400 150 110
 p7 e t3 250 150 120
 p8 a c 700 150 100
 p9 d c 500 100 100 0 CV
[PUMPS]
 u1 lake a HEAD big
 u2 lake a HEAD small SPEED 0.9 PATTERN turns
 u3 lake b POWER 4
[VALVES]
 v1 b e 150 PRV 30 0
 v2 c e 100 TCV 8 0
[STATUS]
 u3 Closed
[PATTERNS]
 1 1 1.3 0.9 0.4
 day 0.5 0.8 1.6 1.2 0.9 0.6
 sea 1 1.05 0.97
 turns 1 1 0 0.95
[CURVES]
 big 40 45
 small 0 60
 small 15 48
 small 30 20
 vol 0 0
 vol 2 150
 vol 5 420
 vol 8 600
 eff 0 30
 eff 25 78
 eff 40 60
[ENERGY]
 GLOBAL EFFIC 65
 PUMP u1 EFFIC eff
 PUMP u2 EFFIC eff
[CONTROLS]
 LINK u1 CLOSED IF NODE t1 ABOVE 5.2
 LINK u1 OPEN IF NODE t1 BELOW 2.2
 LINK v2 20 AT TIME 5:30
 LINK v2 6 AT CLOCKTIME 3 PM
 LINK p8 CLOSED IF NODE a BELOW 5
 LINK u3 OPEN AT TIME 30 DISABLED
[RULES]
RULE fill
IF TANK t2 LEVEL BELOW 3.1
AND SYSTEM CLOCKTIME >= 6 AM
THEN PUMP u3 STATUS IS OPEN
PRIORITY 3

RULE rest
IF TANK t2 LEVEL > 4.4
OR SYSTEM DEMAND > 60
THEN PUMP u3 STATUS IS CLOSED
PRIORITY 2

RULE calm
IF JUNCTION e PRESSURE ABOVE 31
AND VALVE v1 STATUS NOT CLOSED
THEN VALVE v1 SETTING IS 27
ELSE VALVE v1 SETTING IS 31

RULE brim
IF TANK t1 FILLTIME < 2
AND LINK p3 FLOW >= 3
THEN PIPE p4 STATUS IS CLOSED
ELSE PIPE p4 STATUS IS OPEN
[TIMES]
 DURATION 48:00
 HYDRAULIC TIMESTEP 1:00
 RULE TIMESTEP 0:06
 PATTERN TIMESTEP 2:00
 PATTERN START 1:00
 REPORT TIMESTEP 1:00
 START CLOCKTIME 5 AM
[OPTIONS]
 UNITS LPS
 HEADLOSS H-W
 ACCURACY 0.00001
 TRIALS 200
 UNBALANCED CONTINUE 10
 PATTERN 1
 DEMAND MULTIPLIER 1.1
[END]
";

#[test]
fn a_busy_network_runs_as_in_epanet() {
    let own = std::env::temp_dir().join(format!("plenum-inp-busy-{}.inp", std::process::id()));
    std::fs::write(&own, BUSY).unwrap();
    let answer = all_steps(&own);
    std::fs::remove_file(&own).unwrap();
    let (file, problems) = inp::read(BUSY.as_bytes(), "busy.inp");
    assert!(problems.is_empty(), "{problems:#?}");
    let Some(answer) = answer else { return };
    let of = &answer[own.file_name().unwrap().to_str().unwrap()];
    assert!(of["error"].is_null(), "{}", of["report"]);
    let theirs = of["steps"].as_array().expect("steps");
    let (mut solver, problems) = Solver::new(&file.network);
    assert!(problems.is_empty(), "{problems:#?}");
    let mut at = 0;
    let mut worst: f64 = 0.0;
    through(&file.network, &file.timeline, &mut solver, Accuracy::both(1e-7), |moment| {
        let step = theirs.get(at).unwrap_or_else(|| panic!("EPANET has no step {at}: {} s", moment.seconds));
        let heads = step["head_m"].as_object().unwrap();
        assert_eq!(Some(moment.seconds), step["t_s"].as_i64(), "step {at}; {heads:?}");
        assert!(moment.solution.converged, "{} s", moment.seconds);
        for (node, head) in file.network.nodes.iter().zip(&moment.solution.head) {
            let off = (head - heads[&node.id].as_f64().unwrap()).abs();
            assert!(off < 1e-2, "{} at {} s: {head} m, {} m", node.id, moment.seconds, heads[&node.id]);
            worst = worst.max(off);
        }
        for pump in moment.pumps {
            let id = &file.network.links[pump.link].id;
            let wanted = step["power_kw"][id].as_f64().expect("a power");
            let kw = pump.power_kw();
            assert!(
                (kw - wanted).abs() <= 1e-3 * wanted.abs() + 1e-6,
                "{id} at {} s: {kw} kW, {wanted} kW",
                moment.seconds
            );
        }
        at += 1;
        ControlFlow::Continue(())
    });
    eprintln!("{at} steps, {worst:.1e} m");
    assert_eq!(at, theirs.len());
    assert!(at > 60, "{at} steps: little happens");
}

#[test]
fn a_busy_network_written_and_edited_runs_in_epanet_as_it_was() {
    let own = std::env::temp_dir().join(format!("plenum-inp-written-{}", std::process::id()));
    std::fs::create_dir_all(&own).unwrap();
    let (mut file, _) = inp::read(BUSY.as_bytes(), "busy.inp");
    let (written, problems) = inp::write(&file, Units::new(FlowUnits::Cmh));
    assert!(problems.is_empty(), "{problems:?}");
    // An edit there and back leaves lines of ours where its own stood.
    file.timeline.controls.reverse();
    file.network.nodes[0].elevation += 1.0;
    let (document, _) = inp::edited(&file);
    let (mut edited, _) = inp::read(&document.to_bytes(), "busy.inp");
    edited.timeline.controls.reverse();
    edited.network.nodes[0].elevation -= 1.0;
    let (document, _) = inp::edited(&edited);
    let files = [("a.inp", BUSY.as_bytes().to_vec()), ("b.inp", written.into_bytes()), ("c.inp", document.to_bytes())];
    let mut paths = vec![PathBuf::from("--all-steps")];
    for (name, bytes) in files {
        std::fs::write(own.join(name), bytes).unwrap();
        paths.push(own.join(name));
    }
    let answer = epanet(&paths);
    std::fs::remove_dir_all(&own).unwrap();
    let Some(answer) = answer else { return };
    let steps = |name: &str| {
        assert!(answer[name]["error"].is_null(), "{name}: {}", answer[name]);
        answer[name]["steps"].as_array().expect("steps").clone()
    };
    let first = steps("a.inp");
    for name in ["b.inp", "c.inp"] {
        let other = steps(name);
        assert_eq!(first.len(), other.len(), "{name}");
        for (a, b) in first.iter().zip(&other) {
            assert_eq!(a["t_s"], b["t_s"], "{name}");
            for (node, head) in a["head_m"].as_object().expect("heads") {
                let off = head.as_f64().unwrap() - b["head_m"][node].as_f64().unwrap();
                assert!(off.abs() < 1e-4, "{name} {} s {node}: {off} m", a["t_s"]);
            }
        }
    }
}
