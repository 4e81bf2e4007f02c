//! What is dissolved in or mixed into the flow: a tracer, chlorine, CO₂, moisture, the age of water.

use super::order::{Carried, Order};
use super::{Directed, Flow};
use crate::problem::Problem;

/// What a link does to a substance.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct LinkSubstance {
    /// Fluid in the link, kg; decay and growth need time to work.
    pub fluid_kg: f64,
    /// First-order decay, 1/s.
    pub decay_s: f64,
    /// Growth in the fluid, units a kg a second (1 for the age of water, in seconds).
    pub growth: f64,
    /// Part that is held back, 0..1: a filter.
    pub removed: f64,
}

/// What comes in at a node.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct NodeSubstance {
    /// Concentration of what flows in from outside, units a kg.
    pub inlet: f64,
    /// Put in at the node, units a second.
    pub added: f64,
}

/// Concentrations on a steady flow.
#[derive(Clone, Debug, Default)]
pub struct Substance {
    /// At each node, units a kg; zero where no flow comes by.
    pub node: Vec<f64>,
    /// Where each link's flow leaves it.
    pub leaving: Vec<f64>,
    /// What the balance of the whole network lacks, units a second: in + growth − decay − held back − out.
    pub closing: f64,
}

/// Concentrations where they settle. A link or node without an entry does nothing. The unit is anything
/// that goes by mass: kg/kg, ppm by mass, or seconds for the age.
///
/// Problems: flows that are no numbers, and circuits in which a substance has no way in or out.
pub fn substance(flow: &Flow, links: &[LinkSubstance], nodes: &[NodeSubstance]) -> (Substance, Vec<Problem>) {
    let mut problems = Vec::new();
    let (directed, wrong) = Directed::new(flow);
    for i in wrong {
        problems.push(Problem::error(
            format!("link {i}"),
            "its flow is no number, or it hangs on a node that is not there; it carries nothing",
            "look at the solve that gave this flow",
        ));
    }
    let order = Order::new(flow.nodes, directed.ends.iter().copied(), |_| false);
    let node_of = |n: usize| nodes.get(n).copied().unwrap_or_default();
    let carried: Vec<Option<Carried>> = directed
        .ends
        .iter()
        .zip(&directed.mass)
        .enumerate()
        .map(|(i, (end, mass))| {
            let (up, _) = (*end)?;
            let link = links.get(i).copied().unwrap_or_default();
            let seconds = link.fluid_kg.max(0.0) / mass;
            let x = link.decay_s.max(0.0) * seconds;
            let passed = 1.0 - link.removed.clamp(0.0, 1.0);
            let grown = link.growth * seconds * if x > 1e-12 { -(-x).exp_m1() / x } else { 1.0 };
            Some(Carried { up, w: *mass, a: passed * (-x).exp(), b: passed * grown })
        })
        .collect();
    let right: Vec<f64> =
        directed.fed.iter().enumerate().map(|(n, fed)| fed * node_of(n).inlet + node_of(n).added).collect();
    let tied = |group: &[u32]| {
        group.iter().any(|n| {
            directed.fed.get(*n as usize).is_some_and(|fed| *fed > 0.0)
                || order.incoming(*n as usize).iter().any(|i| {
                    let link = carried.get(*i as usize).copied().flatten();
                    link.is_some_and(|l| l.a < 1.0 || order.group_of(l.up) != order.group_of(*n))
                })
        })
    };
    let mut node = vec![0.0; flow.nodes];
    for n in order.solve(&carried, &directed.through, &right, tied, &mut node) {
        problems.push(Problem::warning(
            format!("node {n}"),
            "the circuit through this node is closed to the substance: it has no concentration of its own",
            "give the circuit a supply, a filter or a decay",
        ));
    }
    let mut closing = 0.0;
    for (n, (value, through)) in node.iter().zip(&directed.through).enumerate() {
        if *through > 0.0 {
            closing += right[n] - directed.drawn[n] * value;
        }
    }
    let leaving = carried
        .iter()
        .map(|link| {
            let Some(l) = link else { return 0.0 };
            let entering = node.get(l.up as usize).copied().unwrap_or(0.0);
            let out = l.a * entering + l.b;
            closing -= l.w * (entering - out);
            out
        })
        .collect();
    (Substance { node, leaving, closing }, problems)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chlorine_decays_and_water_ages() {
        // 1800 s in each of two pipes.
        let flow = Flow { nodes: 3, from: &[0, 1], to: &[1, 2], mass_kg_s: &[2.0, 2.0] };
        let inlet = [NodeSubstance { inlet: 0.8e-6, added: 0.0 }];
        let pipe = LinkSubstance { fluid_kg: 3600.0, decay_s: 1e-4, ..LinkSubstance::default() };
        let (s, problems) = substance(&flow, &[pipe, pipe], &inlet);
        assert!(problems.is_empty() && (s.node[2] - 0.8e-6 * (-0.36f64).exp()).abs() < 1e-18);
        assert!(s.closing.abs() < 1e-18);
        let age = LinkSubstance { fluid_kg: 3600.0, growth: 1.0, ..LinkSubstance::default() };
        let (s, _) = substance(&flow, &[age, age], &[]);
        assert!((s.node[2] - 3600.0).abs() < 1e-9);
    }

    #[test]
    fn recirculated_air_with_a_filter() {
        // Outdoor air 0 → 1, room 1 → 2, back 2 → 1 through a filter, exhaust 2 → 3.
        let flow = Flow { nodes: 4, from: &[0, 1, 2, 2], to: &[1, 2, 1, 3], mass_kg_s: &[0.3, 1.2, 0.9, 0.3] };
        let nodes = [
            NodeSubstance { inlet: 5e-9, added: 0.0 },
            NodeSubstance::default(),
            NodeSubstance { inlet: 0.0, added: 2e-9 },
        ];
        let filter = LinkSubstance { removed: 0.6, ..LinkSubstance::default() };
        let (s, problems) = substance(&flow, &[LinkSubstance::default(), LinkSubstance::default(), filter], &nodes);
        // 0.3·c + 0.9·0.6·c = 0.3·5e-9 + 2e-9.
        let room = (0.3 * 5e-9 + 2e-9) / (0.3 + 0.54);
        assert!(problems.is_empty() && (s.node[2] / room - 1.0).abs() < 1e-9, "{s:?}");
        assert!(s.closing.abs() < 1e-20, "{}", s.closing);
    }

    #[test]
    fn a_closed_circuit_is_told() {
        let flow = Flow { nodes: 2, from: &[0, 1], to: &[1, 0], mass_kg_s: &[1.0, 1.0] };
        assert_eq!(substance(&flow, &[], &[]).1.len(), 1);
    }
}
