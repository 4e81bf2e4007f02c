//! What a solve has found.

use super::model::Network;
use crate::problem::Problem;
use serde::Serialize;

/// How a link stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// Flow passes by its loss; a valve that cannot hold its setting is open too.
    #[default]
    Open,
    /// Closed by command.
    Closed,
    /// Shut by itself: a check valve against its flow, a pump above its shut-off head, a link at a tank
    /// that is full or empty.
    Blocked,
    /// A valve that holds its setting.
    Active,
}

impl Status {
    /// Its word: what lets nothing through is `closed`, by command or by itself.
    pub fn word(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Closed | Self::Blocked => "closed",
            Self::Active => "active",
        }
    }
}

/// A boundary value that is no number; the last good one was taken in its place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum Refused {
    /// Demand of a node.
    Demand(usize),
    /// Head of a tank or reservoir.
    Head(usize),
    /// Setting of a link.
    Setting(usize),
    /// Head gain of a link.
    Gain(usize),
}

/// Heads, flows and demands that satisfy a network, and how well.
#[derive(Clone, Debug, Default)]
pub struct Solution {
    /// Head of each node, m; not a number where the node is cut off from every source.
    pub head: Vec<f64>,
    /// Flow of each link, m³/s, positive from its `from` to its `to`.
    pub flow: Vec<f64>,
    /// All that leaves the network at each node, m³/s, emitters and leaks included; what a tank or
    /// reservoir takes in, negative where it feeds.
    pub demand: Vec<f64>,
    /// How each link stands.
    pub status: Vec<Status>,
    /// Linear systems solved.
    pub iterations: usize,
    /// Factorisations among them.
    pub factorisations: usize,
    /// Largest imbalance at a node, m³/s.
    pub mass_residual: f64,
    /// Largest difference between the head a link takes and that between its ends, m.
    pub head_residual: f64,
    /// Whether both residuals are within the accuracy and every status has settled.
    pub converged: bool,
    /// Links whose status did not settle and was kept as it stood.
    pub frozen: Vec<usize>,
    /// Nodes cut off from every source, each with the zone it is in (the zone's smallest node), rising by
    /// zone.
    pub cut_off: Vec<(usize, usize)>,
    /// Nodes that closed circuits are held at.
    pub references: Vec<usize>,
    /// Boundary values that were no numbers.
    pub refused: Vec<Refused>,
}

impl Solution {
    /// Nodes of each zone that is cut off.
    pub fn zones(&self) -> Vec<Vec<usize>> {
        self.cut_off.chunk_by(|a, b| a.0 == b.0).map(|zone| zone.iter().map(|&(_, node)| node).collect()).collect()
    }

    /// What a person should know of this solve.
    pub fn problems(&self, network: &Network) -> Vec<Problem> {
        let node = |v: usize| network.nodes.get(v).map_or("?", |n| n.id.as_str());
        let link = |l: usize| network.links.get(l).map_or("?", |n| n.id.as_str());
        let mut out = Vec::new();
        for zone in self.zones() {
            let first = zone.first().map_or("?", |&v| node(v));
            out.push(Problem::warning(
                format!("node {first}"),
                format!("{} node(s) are cut off from every source; they have no head and no flow", zone.len()),
                "open a link to a source, or give the zone a tank or reservoir",
            ));
        }
        for &l in &self.frozen {
            out.push(Problem::warning(
                format!("link {}", link(l)),
                "its status changed again and again and was kept as it stands",
                "look at the settings of the valves and pumps around it: two of them work against each other",
            ));
        }
        for &v in &self.references {
            out.push(Problem::info(
                format!("node {}", node(v)),
                "a closed circuit without a fixed head is held at the reference pressure here",
                "connect an expansion vessel (a reservoir) where the real one is",
            ));
        }
        for refused in &self.refused {
            let (place, what) = match *refused {
                Refused::Demand(v) => (format!("node {}", node(v)), "demand"),
                Refused::Head(v) => (format!("node {}", node(v)), "head"),
                Refused::Setting(l) => (format!("link {}", link(l)), "setting"),
                Refused::Gain(l) => (format!("link {}", link(l)), "head gain"),
            };
            out.push(Problem::warning(
                place,
                format!("its {what} is no number; the last good value holds"),
                "look at the sensor or file that the value comes from",
            ));
        }
        if !self.converged {
            out.push(Problem::error(
                "solve",
                format!(
                    "not converged after {} iterations: {:.3e} m³/s and {:.3e} m are left",
                    self.iterations, self.mass_residual, self.head_residual
                ),
                "look for pumps beyond their curve and valves that cannot meet their settings",
            ));
        }
        out
    }
}
