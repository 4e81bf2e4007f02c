//! `plenum solve`: Solve a flow network: heads, flows and, where the file has them, temperatures.

mod building;
mod document;
mod warm;

use super::interrupt;
use super::open::must_exist;
use super::output::{Failure, print_json, print_text};
use crate::import::network::{inp, pandapipes};
use crate::problem::{Problem, Severity};
use crate::simulation::network::periods::{Run, Timeline, through};
use crate::simulation::network::{Accuracy, Network, Solution, Solver};
use cpu_time::ProcessTime;
use document::{Figures, Moment, describe};
use serde_json::Value;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

/// A larger file is no network that anybody has.
const MOST_BYTES: u64 = 2_000_000_000;

/// Solve a flow network: heads, flows and, where the file has them, temperatures.
///
/// Reads EPANET INP files, pandapipes nets of liquids (JSON), and building models (IFC,
/// or a folder with a twin.toml). All results are SI, whatever the units of the file.
/// Zones that no source feeds are listed and have no heads; the rest is solved.
///
/// Of a building model every part that hangs together and carries water or air is a
/// network, solved at its design. What the model does not say is assumed, and each
/// assumption is listed with its element and its reason; state better ones in the
/// project's twin.toml:
///
///   [[assumptions]]
///   element = "CHWP-1"             # tag or GlobalId
///   field = "nominal_pressure_pa"  # as listed under assumptions
///   value = 160000
///
/// Its results have these keys: links are GlobalIds of elements, with #1, #2 … behind
/// them where an element has several (a tee has one to each port); nodes are GlobalIds
/// of ports, and of elements where flows meet or leave (tees, tanks, terminals).
/// pressure_pa counts over the air around, velocity_ms is positive from inlet to outlet.
///
///   plenum solve town.inp                         the first moment
///   plenum solve town.inp --all-steps --json      the whole run, as JSON
///   plenum solve town.inp --accuracy 1e-6         both residuals within 1e-6 m³/s and m
///   plenum solve town.inp --repeat 9 --json       the processor time of a cold solve
///   plenum solve clinic.ifc                       the networks of a building
///   plenum solve PROJECT --json                   the same with what its twin.toml states
#[derive(clap::Args)]
#[command(verbatim_doc_comment)]
pub struct Args {
    /// An INP file, a pandapipes net as JSON, a model file, a folder with a twin.toml, or that file
    file: PathBuf,
    /// Print one JSON document on stdout
    #[arg(long)]
    json: bool,
    /// Solve the whole duration, every step of it
    #[arg(long)]
    all_steps: bool,
    /// Stop only when both residuals are within this, m³/s and m; otherwise what the file says
    #[arg(long, value_name = "A", value_parser = accuracy)]
    accuracy: Option<f64>,
    /// Time this many cold solves after a warm-up; the median is told
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=100_000))]
    repeat: Option<u32>,
}

fn accuracy(text: &str) -> Result<f64, String> {
    let value: Option<f64> = text.trim().parse().ok();
    value.filter(|a| (1e-12..=1.0).contains(a)).ok_or_else(|| format!("`{text}` is not between 1e-12 and 1"))
}

/// Runs the verb.
pub fn run(args: Args) -> Result<(), Failure> {
    interrupt::listen();
    must_exist(&args.file)?;
    let name = args.file.display().to_string();
    let kind = Kind::of(&args.file).map_err(Failure::Usage)?;
    if kind == Kind::Building {
        return building::run(&args);
    }
    let started = ProcessTime::now();
    let bytes = contents(&args.file)?;
    let (read, problems) = match kind {
        Kind::Inp => {
            let (file, problems) = inp::read(&bytes, &name);
            (Read { network: file.network, timeline: file.timeline, net: None }, problems)
        }
        Kind::Pandapipes | Kind::Building => {
            let (net, problems) = pandapipes::read(&bytes, &name);
            let network = net.network.clone();
            (Read { network, timeline: Timeline::default(), net: Some(net) }, problems)
        }
    };
    let read_s = started.elapsed().as_secs_f64();
    if read.network.nodes.is_empty() {
        let first = problems.into_iter().find(|p| p.severity == Severity::Error);
        return Err(first.unwrap_or_else(|| empty(&name)).into());
    }
    let accuracy = args.accuracy.map_or(Accuracy::of_file(read.network.options.accuracy), Accuracy::both);
    let mut figures = Figures { problems, ..Figures::default() };
    figures.seconds.read = read_s;
    let started = ProcessTime::now();
    let (mut solver, found) = Solver::new(&read.network);
    figures.problems.extend(found);
    figures.seconds.setup = started.elapsed().as_secs_f64();
    solve(&args, &read, &mut solver, accuracy, &mut figures)?;
    let heat = read.net.as_ref().map(|net| warm::solve(net, &mut solver, accuracy, &mut figures)).transpose()?;
    let converged = figures.converged();
    if args.json {
        print_json(&document::json(&read.network, &figures, heat.unwrap_or(Value::Null)))?;
    } else {
        print_text(&describe(&name, &read.network, &figures))?;
    }
    if converged {
        return Ok(());
    }
    let message = "the network did not converge; what it came to is printed";
    Err(Problem::error(name, message, "look at the problems that are listed, and at pumps and valves near them").into())
}

/// What a file says.
struct Read {
    network: Network,
    timeline: Timeline,
    net: Option<pandapipes::PipeNet>,
}

/// The first moment, or all of them, and the times of cold solves where they are asked for.
fn solve(
    args: &Args,
    read: &Read,
    solver: &mut Solver,
    accuracy: Accuracy,
    figures: &mut Figures,
) -> Result<(), Failure> {
    let started = ProcessTime::now();
    let mut stopped = false;
    through(&read.network, &read.timeline, solver, accuracy, |moment| {
        stopped = interrupt::interrupted();
        if stopped {
            return ControlFlow::Break(());
        }
        figures.take(Moment::of(&read.network, moment.seconds, moment.solution));
        if figures.steps.len() == 1 {
            figures.first(&read.network, moment.solution);
        }
        if args.all_steps { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    });
    if stopped {
        return Err(interrupt::stopped(args.file.display().to_string()).into());
    }
    figures.seconds.solve = started.elapsed().as_secs_f64();
    let Some(repeats) = args.repeat else { return Ok(()) };
    let mut beginning = Run::new(&read.network, &read.timeline);
    let Some(boundary) = beginning.begin().cloned() else { return Ok(()) };
    let mut times: Vec<f64> = Vec::with_capacity(repeats as usize);
    for _ in 0..repeats {
        if interrupt::interrupted() {
            return Err(interrupt::stopped(args.file.display().to_string()).into());
        }
        let started = ProcessTime::now();
        solver.reset();
        let _: &Solution = solver.solve(&boundary, accuracy);
        times.push(started.elapsed().as_secs_f64());
    }
    times.sort_by(f64::total_cmp);
    figures.seconds.solve = times.get(times.len() / 2).copied().unwrap_or_default();
    Ok(())
}

/// What can be solved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Inp,
    Pandapipes,
    Building,
}

impl Kind {
    /// By the name of a file.
    fn of(path: &Path) -> Result<Self, Problem> {
        let ending = path.extension().map(|e| e.to_string_lossy().to_lowercase()).unwrap_or_default();
        let refuse = |message: String, remedy: &str| Problem::error(path.display().to_string(), message, remedy);
        match ending.as_str() {
            "inp" => Ok(Self::Inp),
            "json" => Ok(Self::Pandapipes),
            "ifc" | "ifczip" | "toml" => Ok(Self::Building),
            _ if path.is_dir() => Ok(Self::Building),
            other => {
                let message = format!("no network is read from a file that ends in `.{other}`");
                Err(refuse(message, "give an INP file (.inp), a pandapipes net (.json), a model (.ifc) or a project"))
            }
        }
    }
}

fn contents(path: &Path) -> Result<Vec<u8>, Problem> {
    let place = || path.display().to_string();
    let unread = |e: std::io::Error| Problem::error(place(), format!("cannot be read: {e}"), "check its rights");
    let bytes = std::fs::metadata(path).map_err(unread)?.len();
    if bytes > MOST_BYTES {
        return Err(Problem::error(place(), format!("{bytes} bytes are no network"), "give an INP file"));
    }
    std::fs::read(path).map_err(unread)
}

fn empty(name: &str) -> Problem {
    Problem::error(name, "there is no node in it", "check that it is a network and was written to its end")
}
