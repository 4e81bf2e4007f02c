//! The networks of a building model.

use super::Args;
use super::document::{self, Figures, Moment};
use crate::cli::bar::with_bar;
use crate::cli::interrupt;
use crate::cli::open;
use crate::cli::output::{Failure, print_json, print_text};
use crate::import::Progress;
use crate::problem::{Problem, Severity};
use crate::simulation::building::{Operation, Part, State, SystemNetwork, of_site};
use crate::simulation::network::Accuracy;
use crate::site::graph::Graph;
use cpu_time::ProcessTime;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use std::fmt::Write as _;

/// One network with what it came to.
struct Solved<'a> {
    net: &'a SystemNetwork,
    state: State,
    figures: Figures,
}

/// Solves every network of a model or project at its design, and prints them.
pub fn run(args: &Args) -> Result<(), Failure> {
    let name = args.file.display().to_string();
    if args.all_steps {
        let message = "a building model states no times: it is solved for one moment";
        return Err(Failure::Usage(Problem::error(name, message, "leave --all-steps out")));
    }
    let started = ProcessTime::now();
    let progress = Progress::default();
    let opened = with_bar(&args.file, &progress, || open::open(&args.file, &progress));
    if interrupt::interrupted() {
        return Err(interrupt::stopped(name).into());
    }
    let opened = opened?;
    let graph = Graph::of(&opened.site);
    let building = of_site(&opened.site, &graph, &opened.project.assumptions);
    let read_s = started.elapsed().as_secs_f64();
    let mut solved = Vec::new();
    for net in &building.networks {
        if interrupt::interrupted() {
            return Err(interrupt::stopped(name).into());
        }
        solved.push(solve(args, net, read_s));
    }
    // Of what could not be read only that it could not: all else is told by `plenum import`.
    let unread = opened.problems.iter().filter(|p| p.severity == Severity::Error);
    let problems: Vec<&Problem> = unread.chain(&building.problems).collect();
    if args.json {
        let networks: Vec<Value> = solved.iter().map(network_json).collect();
        print_json(&json!({ "networks": networks, "problems": problems }))?;
    } else {
        print_text(&describe(&name, &solved, &problems))?;
    }
    if solved.is_empty() {
        let message = "no network of pipes or ducts is in it";
        return Err(Problem::error(name, message, "`plenum graph` shows what is joined, and what is left open").into());
    }
    match solved.iter().find(|s| !s.figures.converged()) {
        Some(failed) => Err(Problem::error(
            failed.net.name.clone(),
            "the network did not converge; what it came to is printed",
            "look at the problems that are listed, and at pumps and valves near them",
        )
        .into()),
        None => Ok(()),
    }
}

fn solve<'a>(args: &Args, net: &'a SystemNetwork, read_s: f64) -> Solved<'a> {
    let mut figures = Figures { problems: net.problems.clone(), ..Figures::default() };
    figures.seconds.read = read_s;
    let started = ProcessTime::now();
    let mut operation = Operation::new(net);
    if let Some(accuracy) = args.accuracy {
        operation.set_accuracy(Accuracy::both(accuracy));
    }
    figures.seconds.setup = started.elapsed().as_secs_f64();
    let started = ProcessTime::now();
    let state = operation.solve(net, &|_| None).clone();
    figures.seconds.solve = started.elapsed().as_secs_f64();
    let solution = operation.solver().solution().clone();
    figures.take(Moment::of(&net.network, 0, &solution));
    figures.first(&net.network, &solution);
    let own = operation.problems(net);
    figures.problems.extend(own.into_iter().filter(|p| !figures.problems.contains(p)).collect::<Vec<_>>());
    if let Some(repeats) = args.repeat {
        let mut times: Vec<f64> = Vec::with_capacity(repeats as usize);
        for _ in 0..repeats {
            operation.solver_mut().reset();
            let started = ProcessTime::now();
            operation.solve(net, &|_| None);
            times.push(started.elapsed().as_secs_f64());
        }
        times.sort_by(f64::total_cmp);
        figures.seconds.solve = times.get(times.len() / 2).copied().unwrap_or_default();
    }
    Solved { net, state, figures }
}

/// The contract's object of one network.
fn network_json(solved: &Solved<'_>) -> Value {
    let Solved { net, state, figures } = solved;
    let nodes = |values: &[f64]| -> Map<String, Value> {
        let named = net.network.nodes.iter().zip(values).filter(|(_, v)| v.is_finite());
        named.map(|(n, v)| (n.id.clone(), json!(v))).collect()
    };
    let links = net.network.links.iter().zip(&state.velocity_ms).filter(|(_, v)| v.is_finite());
    let velocity: Map<String, Value> = links.map(|(l, v)| (l.id.clone(), json!(v))).collect();
    let more = json!({
        "name": net.name,
        "medium": net.medium,
        "domain": net.domain.word(),
        "pressure_pa": nodes(&state.pressure_pa),
        "temperature_c": nodes(&state.node_c),
        "velocity_ms": velocity,
        "energy_closing_w": state.energy_closing_w,
        "assumptions": net.assumptions,
    });
    document::json(&net.network, figures, more)
}

/// For people.
fn describe(name: &str, solved: &[Solved<'_>], problems: &[&Problem]) -> String {
    let mut out = format!("{name}: {} networks\n", solved.len());
    for Solved { net, state, figures } in solved {
        let verdict = if figures.converged() { "converged" } else { "NOT CONVERGED" };
        let _ = writeln!(
            out,
            "\n{} ({}): {} nodes, {} links; {verdict} in {} iterations; {:.1e} m³/s, {:.1e} m and {:.2} W are left",
            net.name,
            net.medium,
            net.network.nodes.len(),
            net.network.links.len(),
            state.iterations,
            state.mass_residual_m3s,
            state.head_residual_m,
            state.energy_closing_w
        );
        let fastest = state.velocity_ms.iter().filter(|v| v.is_finite()).map(|v| v.abs()).fold(0.0, f64::max);
        let moved = |part: Part| -> f64 {
            let links = net.link_part.iter().zip(&state.flow_m3s).filter(|(p, q)| **p == part && q.is_finite());
            links.map(|(_, q)| q.abs()).sum()
        };
        let heat = |part: Part| -> f64 {
            let links = net.link_part.iter().zip(&state.heat_w).filter(|(p, w)| **p == part && w.is_finite());
            links.map(|(_, w)| w).sum()
        };
        let _ = writeln!(
            out,
            "  moved {:.4} m³/s; consumers {:.1} kW, machines {:.1} kW; fastest {fastest:.2} m/s",
            moved(Part::Mover),
            heat(Part::Consumer) / 1000.0,
            (heat(Part::Source) + heat(Part::Condenser) + heat(Part::Rejector)) / 1000.0,
        );
        let mut fields: BTreeMap<&str, usize> = BTreeMap::new();
        for assumption in &net.assumptions {
            *fields.entry(&assumption.field).or_default() += 1;
        }
        let counted: Vec<String> = fields.iter().map(|(field, n)| format!("{n} {field}")).collect();
        let _ = writeln!(out, "  {} assumptions (all in --json): {}", net.assumptions.len(), counted.join(", "));
        for zone in &figures.zones {
            let _ = writeln!(out, "  no source feeds {} nodes", zone.len());
        }
        for problem in &figures.problems {
            let _ = writeln!(out, "  {problem}");
        }
    }
    if !problems.is_empty() {
        out.push('\n');
    }
    for problem in problems {
        let _ = writeln!(out, "{problem}");
    }
    out
}
