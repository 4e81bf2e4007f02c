//! What a solve prints.

use crate::problem::Problem;
use crate::simulation::network::{Network, Solution};
use serde_json::{Map, Value, json};
use std::fmt::Write as _;

/// What was found, and what it took.
#[derive(Default)]
pub struct Figures {
    /// Processor seconds.
    pub seconds: Seconds,
    /// The moments that were solved.
    pub steps: Vec<Moment>,
    /// Names of the nodes of each zone that no source feeds, at the first moment.
    pub zones: Vec<Vec<String>>,
    /// What a person should know.
    pub problems: Vec<Problem>,
}

/// Processor seconds of all threads.
#[derive(Clone, Copy, Default)]
pub struct Seconds {
    /// Reading the file.
    pub read: f64,
    /// Making it ready: islands, reduction, ordering.
    pub setup: f64,
    /// Solving: of one cold solve where solves were repeated, else of all that was solved.
    pub solve: f64,
}

/// One moment.
pub struct Moment {
    t_s: i64,
    iterations: usize,
    converged: bool,
    mass_residual: f64,
    head_residual: f64,
    head: Map<String, Value>,
    demand: Map<String, Value>,
    flow: Map<String, Value>,
    status: Map<String, Value>,
}

impl Moment {
    /// What holds at a time, seconds from the start. What is no number (the head where no source is) is left out.
    pub fn of(network: &Network, t_s: i64, solution: &Solution) -> Self {
        let nodes = |values: &[f64]| -> Map<String, Value> {
            let named = network.nodes.iter().zip(values).filter(|(_, v)| v.is_finite());
            named.map(|(node, v)| (node.id.clone(), json!(v))).collect()
        };
        let flows = network.links.iter().zip(&solution.flow).filter(|(_, v)| v.is_finite());
        let statuses = network.links.iter().zip(&solution.status);
        Self {
            t_s,
            iterations: solution.iterations,
            converged: solution.converged,
            mass_residual: solution.mass_residual,
            head_residual: solution.head_residual,
            head: nodes(&solution.head),
            demand: nodes(&solution.demand),
            flow: flows.map(|(link, v)| (link.id.clone(), json!(v))).collect(),
            status: statuses.map(|(link, s)| (link.id.clone(), json!(s.word()))).collect(),
        }
    }
}

impl Figures {
    /// Takes a moment over.
    pub fn take(&mut self, moment: Moment) {
        self.steps.push(moment);
    }

    /// What is to say of the first moment.
    pub fn first(&mut self, network: &Network, solution: &Solution) {
        let name = |node: usize| network.nodes.get(node).map(|n| n.id.clone());
        self.zones = solution.zones().into_iter().map(|zone| zone.into_iter().filter_map(name).collect()).collect();
        self.problems.extend(solution.problems(network));
    }

    /// True when every moment converged.
    pub fn converged(&self) -> bool {
        !self.steps.is_empty() && self.steps.iter().all(|s| s.converged)
    }

    fn largest(&self, of: impl Fn(&Moment) -> f64) -> f64 {
        self.steps.iter().map(of).fold(0.0, f64::max)
    }
}

/// The contract's JSON; `heat` adds the fields that only some files have.
pub fn json(network: &Network, figures: &Figures, heat: Value) -> Value {
    let Seconds { read, setup, solve } = figures.seconds;
    let steps: Vec<Value> = figures
        .steps
        .iter()
        .map(|s| {
            json!({
                "t_s": s.t_s, "iterations": s.iterations, "converged": s.converged,
                "head_m": s.head, "demand_m3s": s.demand, "flow_m3s": s.flow, "status": s.status,
            })
        })
        .collect();
    let mut document = json!({
        "nodes": network.nodes.len(),
        "links": network.links.len(),
        "converged": figures.converged(),
        "iterations": figures.steps.first().map_or(0, |s| s.iterations),
        "max_mass_residual_m3s": figures.largest(|s| s.mass_residual),
        "max_head_residual_m": figures.largest(|s| s.head_residual),
        "seconds": { "read": read, "setup": setup, "solve": solve },
        "steps": steps,
        "zones_without_source": figures.zones,
        "problems": figures.problems,
    });
    if let (Value::Object(fields), Value::Object(more)) = (&mut document, heat) {
        fields.extend(more);
    }
    document
}

/// For people.
pub fn describe(name: &str, network: &Network, figures: &Figures) -> String {
    let mut out = format!("{name}: {} nodes, {} links\n", network.nodes.len(), network.links.len());
    let Seconds { read, setup, solve } = figures.seconds;
    let moments = match figures.steps.as_slice() {
        [only] => format!("{} iterations", only.iterations),
        several => {
            let all: usize = several.iter().map(|s| s.iterations).sum();
            let last = several.last().map_or(0, |s| s.t_s);
            format!("{} moments until {last} s, {all} iterations", several.len())
        }
    };
    let verdict = if figures.converged() { "converged" } else { "NOT CONVERGED" };
    let (mass, head) = (figures.largest(|s| s.mass_residual), figures.largest(|s| s.head_residual));
    let _ = writeln!(out, "{verdict}: {moments}; at most {mass:.1e} m³/s and {head:.1e} m are left");
    let _ = writeln!(out, "processor time: {read:.4} s reading, {setup:.4} s making ready, {solve:.6} s solving");
    let heads = || figures.steps.first().into_iter().flat_map(|s| s.head.values()).filter_map(Value::as_f64);
    let (low, high) = (heads().fold(f64::INFINITY, f64::min), heads().fold(f64::NEG_INFINITY, f64::max));
    if low <= high {
        let _ = writeln!(out, "heads at the beginning: {low:.2} to {high:.2} m");
    }
    for zone in &figures.zones {
        let some = zone.iter().take(5).map(String::as_str).collect::<Vec<_>>().join(", ");
        let more = if zone.len() > 5 { ", …" } else { "" };
        let _ = writeln!(out, "no source feeds {} nodes: {some}{more}", zone.len());
    }
    for problem in &figures.problems {
        let _ = writeln!(out, "{problem}");
    }
    out
}
