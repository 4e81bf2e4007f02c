//! The networks as plain data, for reports.

use super::work::{Net, Work};
use super::{FlowNetwork, FlowSolve, Networks, OverallScore};
use crate::problem::{Problem, Severity};
use crate::simulation::building::SystemNetwork;
use crate::simulation::building::accuracy::Score;
use crate::site::Site;
use crate::site::graph::Domain;
use crate::twin::scene::Scene;
use bevy::prelude::World;
use serde::Serialize;

/// So many of a network's worst residuals are reported.
const WORST: usize = 10;

/// A network as the command line prints it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct NetworkRow {
    /// The name of its systems.
    pub name: String,
    /// `chilled water`, `supply air`, …
    pub medium: String,
    /// `water` or `air`.
    pub domain: Domain,
    /// How many nodes it has.
    pub nodes: usize,
    /// How many links it has.
    pub links: usize,
    /// Whether mass and head balance within the accuracy.
    pub converged: bool,
    /// Linear systems of the last solve.
    pub iterations: usize,
    /// Largest imbalance at a node, m³/s.
    pub max_mass_residual_m3s: f64,
    /// Largest difference between the head a link takes and that between its ends, m.
    pub max_head_residual_m: f64,
    /// Error of the heat balance, W.
    pub energy_closing_w: f64,
    /// How many solves there were.
    pub solves: u64,
    /// How many values the model did not say.
    pub assumptions: usize,
    /// Points that set something, and are taken from telemetry.
    pub live: usize,
    /// Ids of points that set something, whose telemetry is no good: the last good value holds.
    pub held: Vec<String>,
    /// How near it comes to what is measured.
    pub score: Score,
    /// Its worst residuals, the worst first.
    pub worst: Vec<ResidualRow>,
    /// What is odd about it, and about its last solve.
    pub problems: Vec<Problem>,
}

/// A residual as the command line prints it; SI.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ResidualRow {
    /// Id of the point.
    pub point: String,
    /// GlobalId of the element that it stands on.
    pub element: String,
    /// Measured.
    pub measured: f64,
    /// Solved.
    pub simulated: f64,
    /// Measured less solved.
    pub residual: f64,
    /// The residual over its scale.
    pub relative: f64,
}

/// What is odd about a network and its last solve; what is only good to know is left out.
fn odd(site: &Site, of: &SystemNetwork, net: &Net) -> Vec<Problem> {
    let mut all = of.problems.clone();
    all.extend(net.engine.iter().flat_map(|engine| engine.problems(of)));
    all.retain(|p| p.severity != Severity::Info);
    all.extend(net.held.iter().filter_map(|point| site.points.get(point.0 as usize)).map(|point| {
        Problem::warning(
            point.id.clone(),
            "its value is no number or out of its range; the network is solved with the last good one",
            "look at the sensor, and at `expected` of the point in twin.toml",
        )
    }));
    all
}

/// The networks of a twin, and the score of all of them together.
pub fn rows(world: &World) -> (Vec<NetworkRow>, Score) {
    let nothing = (Vec::new(), Score::default());
    let (Some(networks), Some(work), Some(scene)) =
        (world.get_resource::<Networks>(), world.get_resource::<Work>(), world.get_resource::<Scene>())
    else {
        return nothing;
    };
    let Some(building) = &networks.building else { return nothing };
    let site = &scene.site;
    let mut out = Vec::new();
    for ((of, entity), net) in building.networks.iter().zip(&networks.entities).zip(&work.nets) {
        let (Some(network), Some(solve)) = (world.get::<FlowNetwork>(*entity), world.get::<FlowSolve>(*entity)) else {
            continue;
        };
        let id = |point: crate::site::PointIndex| site.points.get(point.0 as usize).map(|p| p.id.clone());
        let mut residuals: Vec<_> = work.residuals.of_network(of).collect();
        residuals.sort_by(|a, b| b.relative.abs().total_cmp(&a.relative.abs()).then(a.point.cmp(&b.point)));
        let score = Score::of(residuals.iter().map(|r| r.relative));
        let worst = residuals.into_iter().take(WORST).filter_map(|r| {
            let point = site.points.get(r.point.0 as usize)?;
            Some(ResidualRow {
                point: point.id.clone(),
                element: site.element(point.asset).map(|e| e.id.clone()).unwrap_or_default(),
                measured: r.measured,
                simulated: r.simulated,
                residual: r.residual,
                relative: r.relative,
            })
        });
        out.push(NetworkRow {
            name: network.name.clone(),
            medium: network.medium.clone(),
            domain: network.domain,
            nodes: network.nodes,
            links: network.links,
            converged: solve.converged,
            iterations: solve.iterations,
            max_mass_residual_m3s: solve.mass_residual_m3s,
            max_head_residual_m: solve.head_residual_m,
            energy_closing_w: solve.energy_closing_w,
            solves: solve.solves,
            assumptions: network.assumptions,
            live: net.live,
            held: net.held.iter().filter_map(|p| id(*p)).collect(),
            score,
            worst: worst.collect(),
            problems: odd(site, of, net),
        });
    }
    (out, world.get_resource::<OverallScore>().map(|o| o.0).unwrap_or_default())
}
