//! Nets whose file says what warms and cools them: flow and heat together.

use super::document::{Figures, Moment};
use crate::cli::output::Failure;
use crate::import::network::pandapipes::{PipeNet, Warmth};
use crate::simulation::fluid::Fluid;
use crate::simulation::network::transport::{Coupling, Run};
use crate::simulation::network::{Accuracy, LinkKind, Solver};
use serde_json::{Map, Value, json};
use std::f64::consts::PI;

/// The standard atmosphere, Pa: pressures of such nets are above it.
const ATMOSPHERE_PA: f64 = 101_325.0;
/// What a net begins with that says nothing, °C.
const START_C: f64 = 20.0;

/// Solves flow and heat together, with water as it is at its temperatures, and gives the fields of the contract.
pub fn solve(net: &PipeNet, solver: &mut Solver, accuracy: Accuracy, figures: &mut Figures) -> Result<Value, Failure> {
    let network = &net.network;
    let pa_per_m = network.pa_per_m();
    let supply = net.fixed_c.first().map_or(0, |(node, _)| *node);
    let head = network.nodes.get(supply).map_or(0.0, |n| n.elevation);
    let height = |node: usize| net.height_m.get(node).copied().unwrap_or_default();
    let runs: Vec<Run> = net.warmth.iter().map(|w| run(net, w)).collect();
    let coupling = Coupling {
        network,
        height_m: &net.height_m,
        runs: &runs,
        inlets: &net.fixed_c,
        start_c: net.start_c.first().copied().unwrap_or(START_C),
        fluid: Fluid::Water { pressure_pa: ATMOSPHERE_PA + (head - height(supply)) * pa_per_m },
        atmosphere_pa: ATMOSPHERE_PA,
    };
    let (coupled, problems) = coupling.solve(solver, &network.boundary(), accuracy);
    figures.problems.extend(problems);
    figures.steps.clear();
    figures.take(Moment::of(network, 0, &coupled.solution));
    let number = |node: usize| net.junctions.get(node).map_or_else(|| node.to_string(), ToString::to_string);
    let heads = coupled.solution.head.iter().enumerate().filter(|(_, h)| h.is_finite());
    let pressure: Map<String, Value> = heads.map(|(n, h)| (number(n), json!((h - height(n)) * pa_per_m))).collect();
    let pipes = || net.warmth.iter().enumerate().filter(|(_, w)| w.pipe);
    let velocity: Map<String, Value> = pipes()
        .filter_map(|(i, w)| Some((w.number.to_string(), json!(coupled.sections.velocity_ms.get(i)?))))
        .collect();
    let temperature: Map<String, Value> =
        pipes().filter_map(|(i, w)| Some((w.number.to_string(), json!(coupled.sections.along_c.get(i)?)))).collect();
    Ok(json!({
        "pressure_pa": pressure,
        "velocity_ms": velocity,
        "temperature_c": temperature,
        "energy_closing_w": coupled.sections.closing_w,
    }))
}

/// A pipe or exchanger as what carries heat.
fn run(net: &PipeNet, warmth: &Warmth) -> Run {
    let surface = match net.network.links.get(warmth.link).map(|l| &l.kind) {
        Some(LinkKind::Pipe(pipe)) => PI * pipe.diameter * pipe.length,
        _ => 0.0,
    };
    Run {
        link: warmth.link,
        sections: warmth.sections,
        ua_w_k: warmth.transfer_w_m2k * surface,
        ambient_c: warmth.around_c,
        heat_w: warmth.gain_w,
    }
}
