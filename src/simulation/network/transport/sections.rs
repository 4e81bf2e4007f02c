//! Temperatures along pipes that are cut into sections, with the heat of their own pressure.
//!
//! The way from a solved network to a temperature profile: each section is a mixed volume of its own, with
//! its own temperature, pressure and height, so that long pipes over hills come out right.

use super::{Flow, LinkHeat, NodeHeat, Profile, friction_heat_w, steady};
use crate::problem::Problem;
use crate::simulation::fluid::Fluid;
use crate::simulation::network::LinkKind;
use crate::simulation::network::model::Network;
use std::f64::consts::PI;

/// Sections of a run at the most.
const MOST: usize = 10_000;

/// A link that warms or cools what passes it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Run {
    /// Index of the link.
    pub link: usize,
    /// Equal parts that it is worked out in; 1 to 10 000.
    pub sections: usize,
    /// Conductance of all of it to its surroundings, W/K.
    pub ua_w_k: f64,
    /// Surroundings, °C.
    pub ambient_c: f64,
    /// Heat put in over all of it, W.
    pub heat_w: f64,
}

/// What a solve and the site say.
#[derive(Clone, Copy, Debug)]
pub struct Profiles<'a> {
    /// The network.
    pub network: &'a Network,
    /// Flow of each link, m³/s, at the density of [`Network::fluid`].
    pub flow_m3s: &'a [f64],
    /// Head of each node, m.
    pub head_m: &'a [f64],
    /// Height of each node, m.
    pub height_m: &'a [f64],
    /// What warms or cools.
    pub runs: &'a [Run],
    /// Temperature of what flows in at a node, °C.
    pub inlets: &'a [(usize, f64)],
    /// Where nothing flows, °C.
    pub start_c: f64,
    /// What flows, for its heat and its density at a temperature.
    pub fluid: Fluid,
    /// Pressure of the air, Pa: heads count from it.
    pub atmosphere_pa: f64,
}

/// Temperatures and velocities along the runs.
#[derive(Clone, Debug, Default)]
pub struct Sections {
    /// At each node, °C.
    pub node_c: Vec<f64>,
    /// Along each run from its first to its second end, °C.
    pub along_c: Vec<Vec<f64>>,
    /// Mean velocity of each run, m/s: by the density of each section; zero where the section has no size.
    pub velocity_ms: Vec<f64>,
    /// Heat that all runs lose to their surroundings, W.
    pub lost_w: f64,
    /// What the energy balance of the whole network lacks, W.
    pub closing_w: f64,
}

impl Profiles<'_> {
    /// Works temperatures out. Twice, since the heat of friction depends a little on temperature.
    pub fn solve(&self) -> (Sections, Vec<Problem>) {
        let density = self.network.fluid.density;
        let mut nodes = vec![NodeHeat { start_c: self.start_c, ..NodeHeat::default() }; self.network.nodes.len()];
        for (node, celsius) in self.inlets {
            if let Some(node) = nodes.get_mut(*node) {
                node.inlet_c = Some(*celsius);
            }
        }
        let mut run_of = vec![None; self.network.links.len()];
        for (i, run) in self.runs.iter().enumerate() {
            if let Some(slot) = run_of.get_mut(run.link) {
                *slot = Some(i);
            }
        }
        let (mut from, mut to, mut mass) = (Vec::new(), Vec::new(), Vec::new());
        let (mut links, mut ends, mut first) = (Vec::new(), Vec::new(), Vec::new());
        for (i, link) in self.network.links.iter().enumerate() {
            let run = run_of.get(i).copied().flatten().and_then(|r| self.runs.get(r));
            let n = run.map_or(1, |r| r.sections.clamp(1, MOST));
            let (start, end) = (self.place(link.from), self.place(link.to));
            let whole = run.map_or_else(LinkHeat::default, |r| LinkHeat {
                ua_w_k: r.ua_w_k / n as f64,
                ambient_c: r.ambient_c,
                heat_w: r.heat_w / n as f64,
                profile: Profile::Mixed,
                ..LinkHeat::default()
            });
            // A machine's work is its own business; whatever else takes pressure away turns it into heat.
            let works = matches!(link.kind, LinkKind::Pump(_) | LinkKind::Fan(_) | LinkKind::FixedFlow);
            first.push(links.len());
            for k in 0..n {
                let at = |k: usize| {
                    let share = k as f64 / n as f64;
                    (start.0 + share * (end.0 - start.0), start.1 + share * (end.1 - start.1))
                };
                from.push(if k == 0 { link.from as u32 } else { nodes.len() as u32 - 1 });
                if k + 1 < n {
                    to.push(nodes.len() as u32);
                    nodes.push(NodeHeat { start_c: self.start_c, ..NodeHeat::default() });
                } else {
                    to.push(link.to as u32);
                }
                mass.push(self.flow_m3s.get(i).copied().unwrap_or(0.0) * density);
                links.push(whole);
                ends.push((!works).then(|| (at(k), at(k + 1))));
            }
        }
        let flow = Flow { nodes: nodes.len(), from: &from, to: &to, mass_kg_s: &mass };
        let healthy = links.clone();
        let mut found = steady(&flow, &links, &nodes, &self.fluid);
        for (i, ((link, own), end)) in links.iter_mut().zip(&healthy).zip(&ends).enumerate() {
            if let Some((start, end)) = end
                && let (Some(celsius), Some(mass)) = (found.0.leaving_c.get(i), mass.get(i))
            {
                let heat = friction_heat_w(&self.fluid, *celsius, *mass, *start, *end);
                link.heat_w = own.heat_w + if heat.is_finite() { heat } else { 0.0 };
            }
        }
        found = steady(&flow, &links, &nodes, &self.fluid);
        let (s, problems) = found;
        let mut out = Sections { closing_w: s.closing_w, ..Sections::default() };
        out.node_c = s.node_c.iter().copied().take(self.network.nodes.len()).collect();
        out.lost_w = s.lost_w.iter().sum();
        for run in self.runs {
            let start = first.get(run.link).copied().unwrap_or(usize::MAX);
            let along = s.leaving_c.get(start..start.saturating_add(run.sections.clamp(1, MOST))).unwrap_or_default();
            let area = self.network.links.get(run.link).map_or(0.0, |l| match &l.kind {
                LinkKind::Pipe(p) => 0.25 * PI * p.diameter * p.diameter,
                LinkKind::Duct(d) => d.area,
                _ => 0.0,
            });
            let flow = mass.get(start).copied().unwrap_or(0.0);
            let fluid = self
                .network
                .links
                .get(run.link)
                .map_or(self.fluid, |l| self.fluid.at_pressure(0.5 * (self.place(l.from).0 + self.place(l.to).0)));
            let by = |celsius: &f64| flow / (fluid.density_kg_m3(*celsius) * area);
            let known = area > 0.0 && !along.is_empty();
            out.velocity_ms.push(if known { along.iter().map(by).sum::<f64>() / along.len() as f64 } else { 0.0 });
            out.along_c.push(along.to_vec());
        }
        (out, problems)
    }

    /// Absolute pressure and height of a node.
    fn place(&self, node: usize) -> (f64, f64) {
        let height = self.height_m.get(node).copied().unwrap_or(0.0);
        let head = self.head_m.get(node).copied().filter(|h| h.is_finite()).unwrap_or(height);
        (self.atmosphere_pa + (head - height) * self.network.pa_per_m(), height)
    }
}
