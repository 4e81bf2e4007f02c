//! The flow solver's speed, with EPANET and epanet-rs beside it in the same process.
//!
//! Times are CPU seconds of this process, medians, ours and the peer's in turns, all to an accuracy of 1e-6.
//! A cold solve begins at the file's first flows and reuses topology, ordering and symbolic factor only.

mod day;
#[cfg(feature = "peers")]
mod peers;
#[cfg(not(feature = "peers"))]
#[path = "solve/without.rs"]
mod peers;

use super::row::{Row, Solved};
use crate::import::network::inp::{self, FlowUnits, InpFile, Units};
use crate::simulation::network::{Accuracy, Command, Friction, Link, LinkKind, Network, Pipe, Solution, Solver, grid};
use cpu_time::ProcessTime;
use peers::{EPANET_NAME, EPANET_RS_NAME, Epanet, EpanetRs};
use std::path::{Path, PathBuf};

/// How often each time is taken.
const TIMES: usize = 15;
/// Junctions along a side of the grid of some 10,000 pipes.
const SIDE: usize = 71;
/// Junctions along a side of the grid of some 100,000 pipes.
const LARGE_SIDE: usize = 224;
const PIPES: &str = "10,000-pipe grid";
/// Of what both residuals must be below, m³/s and m.
pub(super) const ACCURACY: f64 = 1e-6;

/// A network to measure: its name, its file, what is in it.
struct Case {
    name: &'static str,
    goal: f64,
    file: Result<(PathBuf, InpFile), String>,
}

/// Rows for every figure that is asked of the solver; those of files for the samples in `PLENUM_SAMPLES`.
///
/// # Errors
/// Says what could not be written where the peers read their grids from.
pub fn run() -> Result<Vec<Row>, crate::Problem> {
    let folder = tempfile::tempdir().map_err(|e| unwritten(&e))?;
    let samples = std::env::var_os("PLENUM_SAMPLES").map(PathBuf::from);
    let mut cases = Vec::new();
    for (name, goal) in [("Net6", 3.0), ("ky4", 3.0), ("L-TOWN", 3.0), ("grid1000", 2.0)] {
        cases.push(Case { name, goal, file: sample(samples.as_deref(), name) });
    }
    let file = written(folder.path(), "grid10000.inp", SIDE)?;
    cases.push(Case { name: PIPES, goal: 2.0, file: Ok((file.clone(), read(&file)?)) });
    let mut rows = Vec::new();
    for case in &cases {
        eprintln!("plenum: measuring {}", case.name);
        case.rows(folder.path(), &mut rows);
    }
    eprintln!("plenum: measuring edits");
    rows.push(edits(&file, folder.path())?);
    rows.push(large(&written(folder.path(), "grid100000.inp", LARGE_SIDE)?)?);
    eprintln!("plenum: measuring what-ifs of L-TOWN");
    rows.push(match sample(samples.as_deref(), "L-TOWN") {
        Ok((path, file)) => day::row(&path, &file, folder.path()),
        Err(why) => Row::missing(day::CASE, "s", day::GOAL, why),
    });
    Ok(rows)
}

fn unwritten(error: &std::io::Error) -> crate::Problem {
    crate::Problem::error("temporary folder", format!("a grid could not be written: {error}"), "check its rights")
}

/// CPU seconds that something takes.
pub(super) fn timed<T>(work: impl FnOnce() -> T) -> (f64, T) {
    let start = ProcessTime::now();
    let done = work();
    (start.elapsed().as_secs_f64(), done)
}

/// The middle one; not a number of none.
pub(super) fn median(mut times: Vec<f64>) -> f64 {
    times.sort_by(f64::total_cmp);
    times.get(times.len() / 2).copied().unwrap_or(f64::NAN)
}

fn sample(samples: Option<&Path>, name: &str) -> Result<(PathBuf, InpFile), String> {
    let samples = samples.ok_or("set PLENUM_SAMPLES to a folder with networks/*.inp")?;
    let path = samples.join("networks").join(format!("{name}.inp"));
    let bytes = std::fs::read(&path).map_err(|e| format!("{name}.inp cannot be read: {e}"))?;
    Ok((path, inp::read(&bytes, name).0))
}

/// A square grid as an INP file.
fn written(folder: &Path, name: &str, side: usize) -> Result<PathBuf, crate::Problem> {
    let file = InpFile { network: grid::grid(side, side, 1), ..InpFile::default() };
    let units = Units { flow: FlowUnits::Lps, ..Units::default() };
    let path = folder.join(name);
    std::fs::write(&path, inp::write(&file, units).0).map_err(|e| unwritten(&e))?;
    Ok(path)
}

fn read(path: &Path) -> Result<InpFile, crate::Problem> {
    let bytes = std::fs::read(path).map_err(|e| unwritten(&e))?;
    Ok(inp::read(&bytes, "grid").0)
}

fn solved(solution: &Solution, effort: (Option<usize>, Option<f64>)) -> Option<Solved> {
    Some(Solved {
        iterations: solution.iterations,
        factorisations: solution.factorisations,
        max_mass_residual_m3s: solution.mass_residual,
        max_head_residual_m: solution.head_residual,
        their_iterations: effort.0,
        their_relative_change: effort.1,
    })
}

/// Medians of two that take turns: our time, and theirs or why there is none.
fn in_turns(
    times: usize,
    mut ours: impl FnMut(usize) -> f64,
    mut theirs: impl FnMut(usize) -> Result<f64, String>,
) -> (f64, Result<f64, String>) {
    let (mut mine, mut other, mut failed) = (Vec::new(), Vec::new(), None);
    // The first of each warms up.
    for turn in 0..=times {
        let time = ours(turn);
        let peer = if failed.is_none() { theirs(turn) } else { Ok(0.0) };
        match peer {
            Ok(peer) if turn > 0 => other.push(peer),
            Err(why) => failed = Some(why),
            Ok(_) => {}
        }
        if turn > 0 {
            mine.push(time);
        }
    }
    (median(mine), failed.map_or_else(|| Ok(median(other)), Err))
}

impl Case {
    fn rows(&self, folder: &Path, rows: &mut Vec<Row>) {
        let (path, file) = match &self.file {
            Ok(file) => file,
            Err(why) => {
                for kind in ["cold", "warm, 1 % of demands changed"] {
                    let goal = if kind == "cold" { self.goal } else { 5.0 };
                    rows.push(Row::missing(format!("{} {kind}", self.name), "cpu_s", goal, why.as_str()));
                }
                return;
            }
        };
        let network = &file.network;
        let (mut solver, _) = Solver::new(network);
        let boundary = network.boundary();
        let mut cold = |_: usize| {
            timed(|| {
                solver.reset();
                solver.solve(&boundary, Accuracy::both(ACCURACY)).iterations
            })
            .0
        };
        let epanet = Epanet::open(path, folder);
        let rs = EpanetRs::open(path);
        let (ours, theirs) = in_turns(TIMES, &mut cold, |_| epanet.as_ref().map_err(Clone::clone)?.cold());
        let (ours_again, by_rs) = in_turns(TIMES, &mut cold, |_| rs.as_ref().map_err(Clone::clone)?.cold());
        let case = format!("{} cold", self.name);
        let effort = epanet.as_ref().map(Epanet::effort).unwrap_or_default();
        for (ours, peer, theirs, effort) in [
            (ours, EPANET_NAME, theirs, effort),
            (ours_again, EPANET_RS_NAME, by_rs.map_err(|why| format!("it fails: {why}")), (None, None)),
        ] {
            let row = Row::faster(&case, "cpu_s", ours, peer, theirs, self.goal);
            rows.push(Row { solved: solved(solver.solution(), effort), ..row });
        }
        self.warm(network, &mut solver, epanet.as_ref(), rows);
    }

    /// One demand in a hundred goes up and down by a tenth.
    fn warm(&self, network: &Network, solver: &mut Solver, epanet: Result<&Epanet, &String>, rows: &mut Vec<Row>) {
        let boundary = network.boundary();
        let mut changed = boundary.clone();
        let by = |turn: usize| if turn.is_multiple_of(2) { 1.1 } else { 0.9 };
        let first = |turn: usize| turn % 7;
        let bases: Result<Vec<(i32, f64)>, String> =
            epanet.map_err(Clone::clone).and_then(|e| network.nodes.iter().map(|node| e.demand(&node.id)).collect());
        let mut ours = |turn: usize| {
            let both = changed.demand.iter_mut().zip(&boundary.demand);
            for (demand, base) in both.skip(first(turn)).step_by(100) {
                *demand = base * by(turn);
            }
            timed(|| solver.solve(&changed, Accuracy::both(ACCURACY)).iterations).0
        };
        let theirs = |turn: usize| {
            let bases = bases.as_ref().map_err(Clone::clone)?;
            let some = bases.iter().skip(first(turn)).step_by(100).filter(|(_, base)| *base != 0.0);
            let demands: Vec<(i32, f64)> = some.map(|(node, base)| (*node, base * by(turn))).collect();
            epanet.map_err(Clone::clone)?.warm(&demands)
        };
        let (ours, theirs) = in_turns(TIMES, &mut ours, theirs);
        let case = format!("{} warm, 1 % of demands changed", self.name);
        let effort = epanet.map(Epanet::effort).unwrap_or_default();
        let row = Row::faster(&case, "cpu_s", ours, EPANET_NAME, theirs, 5.0);
        rows.push(Row { solved: solved(solver.solution(), effort), ..row });
        let most_ms = match self.name {
            "grid1000" => 0.1,
            PIPES => 2.0,
            _ => return,
        };
        let row = Row::at_most(format!("{case}, {} pipes", network.links.len()), "ms", ours * 1e3, most_ms);
        rows.push(Row { solved: solved(solver.solution(), (None, None)), ..row });
    }
}

/// A pipe is added somewhere, and the network solved again.
fn edits(path: &Path, folder: &Path) -> Result<Row, crate::Problem> {
    let mut network = read(path)?.network;
    let (mut solver, _) = Solver::new(&network);
    solver.solve(&network.boundary(), Accuracy::both(ACCURACY));
    let ends = |turn: usize| (format!("J{0}_{0}", 20 + turn), format!("J{0}_{0}", 21 + turn));
    let epanet = Epanet::open(path, folder).and_then(|e| e.cold().map(|_| e));
    let ours = |turn: usize| {
        let (from, to) = ends(turn);
        let at = |id: &str| network.nodes.iter().position(|n| n.id == id).unwrap_or_default();
        let kind = LinkKind::Pipe(Pipe {
            length: 100.0,
            diameter: 0.25,
            friction: Friction::HazenWilliams(130.0),
            minor: 0.0,
            check: false,
            leak: None,
        });
        let (id, from, to) = (format!("E{turn}"), at(&from), at(&to));
        network.links.push(Link { id, from, to, kind, command: Command::Open, setting: 0.0, head_gain: 0.0 });
        let boundary = network.boundary();
        timed(|| {
            let mut edited = solver.edited(&network).0;
            edited.solve(&boundary, Accuracy::both(ACCURACY));
            solver = edited;
        })
        .0
    };
    let theirs = |turn: usize| {
        let (from, to) = ends(turn);
        epanet.as_ref().map_err(Clone::clone)?.edit(&format!("E{turn}"), &from, &to)
    };
    let (ours, theirs) = in_turns(5, ours, theirs);
    let effort = epanet.as_ref().map(Epanet::effort).unwrap_or_default();
    let row = Row::faster(format!("{PIPES}, a pipe added and solved"), "cpu_s", ours, EPANET_NAME, theirs, 50.0);
    Ok(Row { solved: solved(solver.solution(), effort), ..row })
}

/// The largest grid, from its file to its solution.
fn large(path: &Path) -> Result<Row, crate::Problem> {
    let bytes = std::fs::read(path).map_err(|e| unwritten(&e))?;
    let mut last = None;
    let times = (0..5).map(|_| {
        let (time, solver) = timed(|| {
            let network = inp::read(&bytes, "grid").0.network;
            let (mut solver, _) = Solver::new(&network);
            solver.solve(&network.boundary(), Accuracy::both(ACCURACY));
            solver
        });
        last = Some(solver);
        time
    });
    let seconds = median(times.collect());
    let row = Row::at_most("100,000-pipe grid read and solved", "cpu_s", seconds, 2.0);
    Ok(Row { solved: last.and_then(|s| solved(s.solution(), (None, None))), ..row })
}
