//! From an element along the flow: what feeds it, what it serves, and how pressure and temperature go on the way.

use super::{Part, State, SystemNetwork};
use crate::simulation::network::LinkKind;
use crate::site::Slot;
use crate::site::graph::Domain;
use serde::Serialize;
use std::collections::VecDeque;

/// Against the flow or with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Way {
    /// Where it comes from.
    Upstream,
    /// Where it goes.
    Downstream,
}

impl Way {
    /// `upstream`, `downstream`.
    pub fn word(self) -> &'static str {
        match self {
            Self::Upstream => "upstream",
            Self::Downstream => "downstream",
        }
    }
}

/// Links that carry less than this share of what the busiest of their network does carry nothing: a trace does not
/// go through a shut valve because a solver left some drops.
pub const LEAST_SHARE: f64 = 1e-4;

/// What lies up or down the flow of an element.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Trace {
    /// Every element on the way, the start first, then by how far away it is.
    pub elements: Vec<Reached>,
    /// The links of the path from the start to the pump, machine or terminal that it ends at: wherever the flow parts
    /// or meets, the way that most of it takes. The first is the start's.
    pub path: Vec<usize>,
    /// Pressure and temperature along the path.
    pub profile: Vec<ProfilePoint>,
}

/// An element on the way.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Reached {
    /// The element.
    pub slot: Slot,
    /// How many links it is from the start; 0 for the start.
    pub links: u32,
    /// How much pipe or duct lies between the start's end and its own far end, m, on the shortest way by links.
    pub distance_m: f64,
}

/// A point of a [`profile`]: an end of a link.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct ProfilePoint {
    /// The element that was passed to come here; none at the beginning, and for what is no element.
    pub slot: Option<Slot>,
    /// Length of pipe and duct from the beginning, m.
    pub distance_m: f64,
    /// Over the air around, Pa; not a number where it is not known.
    pub pressure_pa: f64,
    /// °C.
    pub temperature_c: f64,
}

/// Follows the flow from an element. It ends at links that `ends` (a pump, a machine), which still count; see
/// [`ends_at`]. None when the element is not in this network.
pub fn trace(
    network: &SystemNetwork,
    state: &State,
    from: Slot,
    way: Way,
    ends: impl Fn(usize) -> bool,
) -> Option<Trace> {
    let walk = Walk::new(network, state, way);
    let own: Vec<usize> = (0..network.network.links.len()).filter(|l| element(network, *l) == Some(from)).collect();
    let stands: Vec<usize> =
        (0..network.network.nodes.len()).filter(|n| node_element(network, *n) == Some(from)).collect();
    if own.is_empty() && stands.is_empty() {
        return None;
    }
    let mut found = Found::new(network);
    found.element(from, 0, 0.0);
    let mut ahead: VecDeque<(usize, u32, f64)> = stands.into_iter().map(|n| (n, 0, 0.0)).collect();
    for link in &own {
        found.links[*link] = true;
        if let Some(node) = walk.far(*link) {
            ahead.push_back((node, 0, 0.0));
        }
    }
    while let Some((node, links, distance_m)) = ahead.pop_front() {
        let Some(seen) = found.nodes.get_mut(node).filter(|seen| !**seen) else { continue };
        *seen = true;
        if let Some(slot) = node_element(network, node) {
            found.element(slot, links, distance_m);
        }
        for link in walk.leaving(node) {
            let Some(seen) = found.links.get_mut(*link).filter(|seen| !**seen) else { continue };
            *seen = true;
            let (links, distance_m) = (links + 1, distance_m + length_m(network, *link));
            if let Some(slot) = element(network, *link) {
                found.element(slot, links, distance_m);
            }
            if let Some(far) = walk.far(*link).filter(|_| !ends(*link)) {
                ahead.push_back((far, links, distance_m));
            }
        }
    }
    let path = walk.path(network, &own, from, ends);
    let profile = profile(network, state, &path, way);
    Some(Trace { elements: found.elements, path, profile })
}

/// Whether a trace ends at a link: at pumps and fans and at openings; in water also at what makes heat or cold and at
/// what takes it. Air goes through its coils.
pub fn ends_at(network: &SystemNetwork, link: usize) -> bool {
    match network.link_part.get(link).copied().unwrap_or_default() {
        Part::Mover | Part::Opening => true,
        Part::Consumer | Part::Source | Part::Condenser | Part::Rejector => network.domain == Domain::Water,
        Part::Run | Part::Control | Part::Balancing | Part::Shutoff | Part::Filter => false,
    }
}

/// Pressure and temperature along a path of links that follow one another in the direction of `way`: at its beginning,
/// then behind each link.
pub fn profile(network: &SystemNetwork, state: &State, path: &[usize], way: Way) -> Vec<ProfilePoint> {
    let walk = Walk::new(network, state, way);
    let at = |values: &[f64], node: usize| values.get(node).copied().unwrap_or(f64::NAN);
    let point = |node: usize, slot: Option<Slot>, distance_m: f64| ProfilePoint {
        slot,
        distance_m,
        pressure_pa: at(&state.pressure_pa, node),
        temperature_c: at(&state.node_c, node),
    };
    let mut out = Vec::with_capacity(path.len() + 1);
    let mut distance_m = 0.0;
    for link in path {
        let (Some(near), Some(far)) = (walk.near(*link), walk.far(*link)) else { break };
        if out.is_empty() {
            out.push(point(near, None, 0.0));
        }
        distance_m += length_m(network, *link);
        out.push(point(far, element(network, *link), distance_m));
    }
    out
}

/// Length of a pipe or duct, m; what is no run has none.
fn length_m(network: &SystemNetwork, link: usize) -> f64 {
    let length = match network.network.links.get(link).map(|l| &l.kind) {
        Some(LinkKind::Pipe(pipe)) => pipe.length,
        Some(LinkKind::Duct(duct)) => duct.length,
        _ => 0.0,
    };
    if length.is_finite() { length.max(0.0) } else { 0.0 }
}

fn element(network: &SystemNetwork, link: usize) -> Option<Slot> {
    network.link_element.get(link).copied().flatten()
}

fn node_element(network: &SystemNetwork, node: usize) -> Option<Slot> {
    network.node_element.get(node).copied().flatten()
}

/// What has been seen.
struct Found {
    links: Vec<bool>,
    nodes: Vec<bool>,
    known: std::collections::HashSet<Slot>,
    elements: Vec<Reached>,
}

impl Found {
    fn new(network: &SystemNetwork) -> Self {
        Self {
            links: vec![false; network.network.links.len()],
            nodes: vec![false; network.network.nodes.len()],
            known: std::collections::HashSet::new(),
            elements: Vec::new(),
        }
    }

    fn element(&mut self, slot: Slot, links: u32, distance_m: f64) {
        if self.known.insert(slot) {
            self.elements.push(Reached { slot, links, distance_m });
        }
    }
}

/// A network as one walks it: each link that carries something from its near to its far end.
struct Walk {
    ends: Vec<Option<(usize, usize)>>,
    flow: Vec<f64>,
    /// Links that begin at a node: `of_node[starts[n]..starts[n + 1]]`.
    of_node: Vec<usize>,
    starts: Vec<usize>,
}

impl Walk {
    fn new(network: &SystemNetwork, state: &State, way: Way) -> Self {
        let flows = &state.flow_m3s;
        let most = flows.iter().filter(|f| f.is_finite()).fold(0.0f64, |most, f| most.max(f.abs()));
        let nodes = network.network.nodes.len();
        let mut walk = Self { ends: Vec::new(), flow: Vec::new(), of_node: Vec::new(), starts: vec![0; nodes + 1] };
        for (i, link) in network.network.links.iter().enumerate() {
            let flow = flows.get(i).copied().filter(|f| f.is_finite()).unwrap_or(0.0);
            let carries = flow.abs() > LEAST_SHARE * most && link.from < nodes && link.to < nodes;
            let with = (flow > 0.0) == (way == Way::Downstream);
            let ends = if with { (link.from, link.to) } else { (link.to, link.from) };
            walk.ends.push(carries.then_some(ends));
            walk.flow.push(flow.abs());
        }
        for (near, _) in walk.ends.iter().flatten() {
            if let Some(count) = walk.starts.get_mut(near + 1) {
                *count += 1;
            }
        }
        let mut sum = 0;
        for start in &mut walk.starts {
            sum += *start;
            *start = sum;
        }
        let mut next = walk.starts.clone();
        walk.of_node = vec![0; sum];
        for (i, ends) in walk.ends.iter().enumerate() {
            let Some(at) = ends.and_then(|(near, _)| next.get_mut(near)) else { continue };
            if let Some(place) = walk.of_node.get_mut(*at) {
                *place = i;
            }
            *at += 1;
        }
        walk
    }

    fn near(&self, link: usize) -> Option<usize> {
        self.ends.get(link).copied().flatten().map(|(near, _)| near)
    }

    fn far(&self, link: usize) -> Option<usize> {
        self.ends.get(link).copied().flatten().map(|(_, far)| far)
    }

    fn leaving(&self, node: usize) -> &[usize] {
        match (self.starts.get(node), self.starts.get(node + 1)) {
            (Some(from), Some(to)) => self.of_node.get(*from..*to).unwrap_or_default(),
            _ => &[],
        }
    }

    /// The busiest of some links; of equals the first.
    fn busiest(&self, links: impl Iterator<Item = usize>) -> Option<usize> {
        let flow = |l: &usize| self.flow.get(*l).copied().unwrap_or(0.0);
        links.filter(|l| self.far(*l).is_some()).reduce(|best, l| if flow(&l) > flow(&best) { l } else { best })
    }

    fn path(&self, network: &SystemNetwork, own: &[usize], from: Slot, ends: impl Fn(usize) -> bool) -> Vec<usize> {
        let mut path = Vec::new();
        let mut seen = vec![false; network.network.nodes.len()];
        let mut node = match self.busiest(own.iter().copied()) {
            Some(first) => {
                path.push(first);
                self.far(first)
            }
            None => (0..network.network.nodes.len()).find(|n| node_element(network, *n) == Some(from)),
        };
        while let Some(at) = node {
            let Some(new) = seen.get_mut(at).filter(|s| !**s) else { break };
            *new = true;
            // A ring leads back to where it began.
            let Some(link) = self.busiest(self.leaving(at).iter().copied().filter(|l| Some(l) != path.first())) else {
                break;
            };
            path.push(link);
            node = self.far(link).filter(|_| !ends(link));
        }
        path
    }
}

#[cfg(test)]
mod tests {
    use super::super::Operation;
    use super::super::fixture::{COIL, MACHINE, PUMP, RETURN, SMALL_COIL, SMALL_VALVE, SUPPLY, TEE, VALVE, ring};
    use super::*;

    fn solved(settings: [f64; 2]) -> (SystemNetwork, State) {
        let mut network = ring(Vec::new(), Vec::new());
        network.design.setting[VALVE as usize] = settings[0];
        network.design.setting[SMALL_VALVE as usize] = settings[1];
        let state = Operation::new(&network).solve(&network, &|_| None).clone();
        (network, state)
    }

    fn found(of: &(SystemNetwork, State), from: u32, way: Way) -> (Vec<(u32, u32)>, Vec<usize>) {
        let (network, state) = of;
        let trace = trace(network, state, Slot(from), way, |link| ends_at(network, link)).unwrap();
        (trace.elements.iter().map(|r| (r.slot.0, r.links)).collect(), trace.path)
    }

    #[test]
    fn a_supply_serves_both_coils_and_comes_from_the_pump() {
        let of = solved([1.0, 1.0]);
        let (elements, path) = found(&of, SUPPLY, Way::Downstream);
        let served = [(SUPPLY, 0), (TEE, 0), (VALVE, 1), (SMALL_VALVE, 1), (COIL, 2), (SMALL_COIL, 2)];
        assert_eq!(elements, served, "and not the return behind the coils");
        assert_eq!(path, [SUPPLY, VALVE, COIL].map(|l| l as usize), "most of it goes to the larger coil");
        let (elements, path) = found(&of, SUPPLY, Way::Upstream);
        assert_eq!((elements, path), (vec![(SUPPLY, 0), (PUMP, 1)], vec![2, 1]));
        assert_eq!(found(&of, PUMP, Way::Upstream).0, [(PUMP, 0), (MACHINE, 1)]);
        // What stands at a node goes from the node.
        assert_eq!(found(&of, TEE, Way::Upstream), (vec![(TEE, 0), (SUPPLY, 1), (PUMP, 2)], vec![2, 1]));
        assert_eq!(found(&of, SMALL_COIL, Way::Downstream).0, [(SMALL_COIL, 0), (RETURN, 1), (MACHINE, 2)]);
        assert!(trace(&of.0, &of.1, Slot(99), Way::Upstream, |_| false).is_none());
    }

    #[test]
    fn nothing_goes_through_a_shut_valve_and_a_ring_ends() {
        let of = solved([0.0, 1.0]);
        let (elements, path) = found(&of, SUPPLY, Way::Downstream);
        assert_eq!(elements, [(SUPPLY, 0), (TEE, 0), (SMALL_VALVE, 1), (SMALL_COIL, 2)]);
        assert_eq!(path, [SUPPLY, SMALL_VALVE, SMALL_COIL].map(|l| l as usize));
        assert_eq!(found(&of, COIL, Way::Upstream), (vec![(COIL, 0)], vec![]), "nothing flows in it");
        // Without an end it goes round once.
        let trace = trace(&of.0, &of.1, Slot(PUMP), Way::Downstream, |_| false).unwrap();
        assert_eq!(trace.path, [1, 2, 5, 6, 7, 0]);
    }

    #[test]
    fn a_profile_falls_along_the_pipe_and_warms_in_the_coil() {
        let (network, state) = solved([1.0, 1.0]);
        let way = [PUMP, SUPPLY, VALVE, COIL, RETURN].map(|l| l as usize);
        let profile = profile(&network, &state, &way, Way::Downstream);
        assert_eq!(profile.len(), 6);
        assert_eq!(profile.iter().map(|p| p.distance_m).collect::<Vec<_>>(), [0.0, 0.0, 20.0, 20.0, 20.0, 40.0]);
        assert_eq!((profile[0].slot, profile[2].slot), (None, Some(Slot(SUPPLY))));
        let pressures: Vec<f64> = profile.iter().map(|p| p.pressure_pa).collect();
        assert!(pressures[1] > pressures[0] && pressures.windows(2).skip(1).all(|w| w[1] < w[0]), "{pressures:?}");
        assert!((profile[1].temperature_c - 6.0).abs() < 0.1 && profile[4].temperature_c > 8.0, "{profile:?}");
        // Against the flow the same points come in the other order.
        let back: Vec<usize> = way.iter().rev().copied().collect();
        let against = super::profile(&network, &state, &back, Way::Upstream);
        assert_eq!(against.last().unwrap().pressure_pa, profile[0].pressure_pa);
        assert_eq!(against[0].temperature_c, profile[5].temperature_c);
    }
}
