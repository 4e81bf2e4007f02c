//! Nets whose file says what warms and cools them: flow and heat together.

use super::document::{Figures, Moment};
use crate::import::network::pandapipes::PipeNet;
use crate::simulation::network::transport::Coupled;
use serde_json::{Map, Value, json};

/// Takes over what was found of flow and heat together, and gives the fields of the contract.
pub fn take(net: &PipeNet, coupled: &Coupled, figures: &mut Figures) -> Value {
    let network = &net.network;
    let pa_per_m = network.pa_per_m();
    let height = |node: usize| net.height_m.get(node).copied().unwrap_or_default();
    figures.take(Moment::of(network, 0, &coupled.solution));
    figures.first(network, &coupled.solution);
    let number = |node: usize| net.junctions.get(node).map_or_else(|| node.to_string(), ToString::to_string);
    let heads = coupled.solution.head.iter().enumerate().filter(|(_, h)| h.is_finite());
    let pressure: Map<String, Value> = heads.map(|(n, h)| (number(n), json!((h - height(n)) * pa_per_m))).collect();
    let pipes = || net.warmth.iter().enumerate().filter(|(_, w)| w.pipe);
    let velocity: Map<String, Value> = pipes()
        .filter_map(|(i, w)| Some((w.number.to_string(), json!(coupled.sections.velocity_ms.get(i)?))))
        .collect();
    let temperature: Map<String, Value> =
        pipes().filter_map(|(i, w)| Some((w.number.to_string(), json!(coupled.sections.along_c.get(i)?)))).collect();
    json!({
        "pressure_pa": pressure,
        "velocity_ms": velocity,
        "temperature_c": temperature,
        "energy_closing_w": coupled.sections.closing_w,
    })
}
