//! The pipe and duct graph of a site: elements as nodes, joined connection points as edges, declared and inferred.

pub mod medium;
mod problems;
mod role;

pub use medium::Domain;
pub use role::{Role, domain_of_class, plain_class};

use super::Site;
use super::infer::{Cable, Join, JoinEnd, JoinedBy, PointRef};
use super::model::{ConnectionPoint, FlowDirection, Slot};
use crate::problem::Problem;
use glam::DVec3;
use medium::Medium;
use std::collections::HashMap;

/// The graph. Nodes are in the order of their slots; every index is into [`Graph::nodes`].
#[derive(Clone, Debug, Default)]
pub struct Graph {
    /// Elements that can be joined: with a connection point, a joint, or of a class that has them.
    pub nodes: Vec<Node>,
    /// Joints.
    pub edges: Vec<Edge>,
    /// What hangs together, the largest first.
    pub components: Vec<Component>,
    /// What is wrong with it.
    pub problems: Vec<Problem>,
    of_slot: HashMap<Slot, u32>,
}

/// An element of the graph.
#[derive(Clone, Debug)]
pub struct Node {
    /// The element.
    pub slot: Slot,
    /// The kind of network that it belongs to first of all.
    pub domain: Domain,
    /// All kinds of network that it is joined to, or has points for.
    pub domains: Vec<Domain>,
    /// The middle of its box, else of its points, metres in the project's frame.
    pub location: Option<DVec3>,
    /// Which of [`Graph::components`] it is in.
    pub component: u32,
    /// How many connection points it has, declared and inferred for sure.
    pub points: u32,
    /// How many of them nothing is joined to.
    pub unconnected: u32,
}

/// Two elements that are joined.
#[derive(Clone, Debug)]
pub struct Edge {
    /// One element; where the flow is known, the one that it comes out of.
    pub from: u32,
    /// The other.
    pub to: u32,
    /// The connection point of `from`; none for a joint by hand of an element without any.
    pub from_point: Option<PointRef>,
    /// The connection point of `to`.
    pub to_point: Option<PointRef>,
    /// What runs through it; none when nothing says so.
    pub medium: Option<Medium>,
    /// True when the medium runs from `from` to `to`: a source is joined to a sink.
    pub directed: bool,
    /// How far the points lie apart, metres.
    pub gap_m: Option<f64>,
    /// Who says that they are joined.
    pub by: JoinedBy,
    /// How sure it is, 0 to 1.
    pub confidence: f64,
    /// What cable it is, where no file draws it.
    pub cable: Option<Cable>,
}

/// Elements that hang together.
#[derive(Clone, Debug, Default)]
pub struct Component {
    /// Its nodes.
    pub nodes: Vec<u32>,
    /// Names of its elements' systems, sorted.
    pub systems: Vec<String>,
    /// Its edges.
    pub edges: usize,
}

impl Graph {
    /// The graph of a site: what its files declare, what its geometry says, what the engineer decided.
    pub fn of(site: &Site) -> Self {
        let mut edges = declared(site);
        edges.extend(site.inferred.joins.iter().map(|j| Raw::of(site, j)));
        let mut graph = Self::default();
        graph.add_nodes(site, &edges);
        for raw in &edges {
            let at = |slot: u32| graph.of_slot.get(&Slot(slot)).copied();
            if let (Some(from), Some(to)) = (at(raw.from.element), at(raw.to.element)) {
                graph.edges.push(raw.edge(site, from, to));
            }
        }
        graph.count_points(site);
        graph.find_components(site);
        graph.problems = problems::of(site, &graph);
        graph
    }

    /// The node of an element.
    pub fn node(&self, slot: Slot) -> Option<&Node> {
        self.nodes.get(*self.of_slot.get(&slot)? as usize)
    }

    fn add_nodes(&mut self, site: &Site, edges: &[Raw]) {
        let mut domains: HashMap<u32, Vec<Domain>> = HashMap::new();
        let mut points: HashMap<u32, Vec<DVec3>> = HashMap::new();
        for point in &site.connection_points {
            let known = domains.entry(point.element).or_default();
            known.extend(medium_of_port(site, point).map(|m| m.domain));
            points.entry(point.element).or_default().extend(point.location);
        }
        for point in &site.inferred.points {
            points.entry(point.element).or_default().push(point.location);
            domains.entry(point.element).or_default();
        }
        for end in edges.iter().flat_map(|e| [e.from, e.to]) {
            domains.entry(end.element).or_default();
        }
        for (slot, element) in site.iter() {
            let stated = domains.remove(&slot.0);
            let class = domain_of_class(element);
            if stated.is_none() && Role::of_element(element).is_none() {
                continue;
            }
            let mut all = stated.unwrap_or_default();
            let of_systems = element.systems.iter().filter_map(|s| site.systems.get(*s as usize));
            let of_systems: Vec<Domain> = of_systems.filter_map(medium::of_system).map(|m| m.domain).collect();
            let most = most_frequent(&all).or_else(|| most_frequent(&of_systems));
            let domain = class.or(most).unwrap_or(Domain::Other);
            all.extend(of_systems);
            all.push(domain);
            all.sort_unstable();
            all.dedup();
            if all.len() > 1 {
                all.retain(|d| *d != Domain::Other);
            }
            let around = points.get(&slot.0).map(Vec::as_slice).unwrap_or_default();
            let of_points =
                || (!around.is_empty()).then(|| around.iter().copied().sum::<DVec3>() / around.len() as f64);
            let location = element.bounds.map(|b| b.centre()).or_else(of_points);
            self.of_slot.insert(slot, self.nodes.len() as u32);
            self.nodes.push(Node { slot, domain, domains: all, location, component: 0, points: 0, unconnected: 0 });
        }
    }

    fn count_points(&mut self, site: &Site) {
        let mut joined: std::collections::HashSet<PointRef> = std::collections::HashSet::new();
        joined.extend(self.edges.iter().flat_map(|e| [e.from_point, e.to_point]).flatten());
        let ports = site.connection_points.iter().enumerate().map(|(i, p)| (p.element, PointRef::Port(i as u32), true));
        let found = site.inferred.points.iter().enumerate();
        // A round plate on a machine may be a nozzle or a lid; a run surely ends where its body does.
        let run = |slot: u32| {
            let role = site.element(Slot(slot)).and_then(Role::of_element);
            matches!(role, Some(Role::Segment | Role::Fitting))
        };
        let found = found.map(|(i, p)| (p.element, PointRef::Inferred(i as u32), p.certain && run(p.element)));
        for (element, point, certain) in ports.chain(found) {
            let is_joined = joined.contains(&point);
            let Some(node) = self.of_slot.get(&Slot(element)).and_then(|n| self.nodes.get_mut(*n as usize)) else {
                continue;
            };
            if is_joined || certain {
                node.points += 1;
                node.unconnected += u32::from(!is_joined);
            }
        }
    }

    fn find_components(&mut self, site: &Site) {
        let mut parent: Vec<u32> = (0..self.nodes.len() as u32).collect();
        fn root(parent: &mut [u32], mut at: u32) -> u32 {
            while let Some(up) = parent.get(at as usize).copied().filter(|up| *up != at) {
                let above = parent.get(up as usize).copied().unwrap_or(up);
                if let Some(own) = parent.get_mut(at as usize) {
                    *own = above;
                }
                at = above;
            }
            at
        }
        for edge in &self.edges {
            let (a, b) = (root(&mut parent, edge.from), root(&mut parent, edge.to));
            if let Some(own) = parent.get_mut(a.max(b) as usize) {
                *own = a.min(b);
            }
        }
        let mut of_root: HashMap<u32, Component> = HashMap::new();
        for (number, node) in self.nodes.iter().enumerate() {
            let component = of_root.entry(root(&mut parent, number as u32)).or_default();
            component.nodes.push(number as u32);
            let systems = site.element(node.slot).map(|e| e.systems.as_slice()).unwrap_or_default();
            for system in systems.iter().filter_map(|s| site.systems.get(*s as usize)) {
                if !system.name.is_empty() && !component.systems.contains(&system.name) {
                    component.systems.push(system.name.clone());
                }
            }
        }
        for edge in &self.edges {
            if let Some(component) = of_root.get_mut(&root(&mut parent, edge.from)) {
                component.edges += 1;
            }
        }
        self.components = of_root.into_values().collect();
        self.components.sort_by(|a, b| b.nodes.len().cmp(&a.nodes.len()).then(a.nodes.cmp(&b.nodes)));
        for (number, component) in self.components.iter_mut().enumerate() {
            component.systems.sort();
            for node in &component.nodes {
                if let Some(node) = self.nodes.get_mut(*node as usize) {
                    node.component = number as u32;
                }
            }
        }
    }
}

fn most_frequent(domains: &[Domain]) -> Option<Domain> {
    let count = |d: &Domain| domains.iter().filter(|o| *o == d).count();
    // Of equals the first in the order of the words.
    domains.iter().copied().max_by_key(|d| (count(d), std::cmp::Reverse(*d)))
}

/// What runs through a port: its own word, else that of its element's systems where they agree, else its class.
fn medium_of_port(site: &Site, point: &ConnectionPoint) -> Option<Medium> {
    medium::of_word(&point.medium).or_else(|| medium_of_element(site, point.element))
}

fn medium_of_element(site: &Site, slot: u32) -> Option<Medium> {
    let element = site.element(Slot(slot))?;
    let systems = element.systems.iter().filter_map(|s| site.systems.get(*s as usize));
    let mut media = medium::of_systems(systems);
    let class = domain_of_class(element);
    media.retain(|m| class.is_none_or(|c| c == m.domain));
    match media.as_slice() {
        [only] => Some(*only),
        _ => class.map(medium::of_domain),
    }
}

/// A joint before its nodes are numbered.
struct Raw {
    from: JoinEnd,
    to: JoinEnd,
    medium: Option<Medium>,
    directed: bool,
    gap_m: Option<f64>,
    by: JoinedBy,
    confidence: f64,
    cable: Option<Cable>,
}

impl Raw {
    fn of(site: &Site, join: &Join) -> Self {
        // The surer word of the two: a port's, else what both elements agree in, else what only one says.
        let port = |end: &JoinEnd| match end.point {
            Some(PointRef::Port(p)) => site.connection_points.get(p as usize).and_then(|p| medium_of_port(site, p)),
            _ => None,
        };
        let media = [join.from.element, join.to.element].map(|e| medium_of_element(site, e));
        let of_cable = join.cable.map(|c| medium::of_cable(c.network.is_signal()));
        let medium = of_cable.or_else(|| port(&join.from)).or_else(|| port(&join.to));
        let medium = medium.or_else(|| common(site, join)).or(match media {
            [Some(a), Some(b)] if a == b => Some(a),
            [Some(only), None] | [None, Some(only)] => Some(only),
            [a, b] => a.or(b),
        });
        Self {
            from: join.from,
            to: join.to,
            medium,
            // Inferred cables are led from the board, and to the station, by the rule itself.
            directed: join.cable.is_some(),
            gap_m: join.gap_m,
            by: join.by,
            confidence: join.confidence,
            cable: join.cable,
        }
        .turned(site)
    }

    /// From source to sink, where the ports say so. `SOURCEANDSINK` says nothing, and its order is arbitrary.
    fn turned(mut self, site: &Site) -> Self {
        let direction = |end: &JoinEnd| match end.point {
            Some(PointRef::Port(p)) => site.connection_points.get(p as usize).map(|p| p.direction),
            _ => None,
        };
        match (direction(&self.from), direction(&self.to)) {
            (Some(FlowDirection::Source), Some(FlowDirection::Sink)) => self.directed = true,
            (Some(FlowDirection::Sink), Some(FlowDirection::Source)) => {
                std::mem::swap(&mut self.from, &mut self.to);
                self.directed = true;
            }
            _ => {}
        }
        self
    }

    fn edge(&self, site: &Site, from: u32, to: u32) -> Edge {
        let place = |point: Option<PointRef>| site.place_of(point?);
        let apart = || Some(place(self.from.point)?.distance(place(self.to.point)?));
        Edge {
            from,
            to,
            from_point: self.from.point,
            to_point: self.to.point,
            medium: self.medium,
            directed: self.directed,
            gap_m: self.gap_m.or_else(apart),
            by: self.by,
            confidence: self.confidence,
            cable: self.cable,
        }
    }
}

/// The medium of a system that both elements are in.
fn common(site: &Site, join: &Join) -> Option<Medium> {
    let systems = |slot: u32| site.element(Slot(slot)).map(|e| e.systems.as_slice()).unwrap_or_default();
    let shared = systems(join.from.element).iter().filter(|s| systems(join.to.element).contains(s));
    let media = medium::of_systems(shared.filter_map(|s| site.systems.get(*s as usize)));
    let flows = |slot: u32| site.element(Slot(slot)).and_then(Role::of_element).is_some();
    // That two machines hang on one switchboard says nothing of what flows between them.
    let media: Vec<Medium> = media
        .into_iter()
        .filter(|m| m.domain != Domain::Electrical || !(flows(join.from.element) && flows(join.to.element)))
        .collect();
    if let [only] = media.as_slice() { Some(*only) } else { None }
}

fn declared(site: &Site) -> Vec<Raw> {
    let rejected: std::collections::HashSet<u32> = site.inferred.rejected.iter().copied().collect();
    let ports = |i: u32| site.connection_points.get(i as usize);
    let mut found = Vec::new();
    for (i, connection) in site.connections.iter().enumerate() {
        let (Some(a), Some(b)) = (ports(connection.from), ports(connection.to)) else { continue };
        if rejected.contains(&(i as u32)) {
            continue;
        }
        let end =
            |point: u32, port: &ConnectionPoint| JoinEnd { element: port.element, point: Some(PointRef::Port(point)) };
        let stated = [a, b].into_iter().find_map(|p| medium::of_word(&p.medium));
        let medium = stated.or_else(|| [a, b].into_iter().find_map(|p| medium_of_port(site, p)));
        let raw = Raw {
            from: end(connection.from, a),
            to: end(connection.to, b),
            medium,
            directed: false,
            gap_m: None,
            by: JoinedBy::File,
            confidence: 1.0,
            cable: None,
        };
        found.push(raw.turned(site));
    }
    found
}

impl Site {
    /// Where a connection point is, metres in the project's frame.
    pub fn place_of(&self, point: PointRef) -> Option<DVec3> {
        match point {
            PointRef::Port(i) => self.connection_points.get(i as usize)?.location,
            PointRef::Inferred(i) => self.inferred.points.get(i as usize).map(|p| p.location),
        }
    }

    /// What a connection point is called: the port's GlobalId, or the element's with the number of the point.
    pub fn point_id(&self, point: PointRef) -> Option<String> {
        match point {
            PointRef::Port(i) => self.connection_points.get(i as usize).map(|p| p.id.clone()),
            PointRef::Inferred(i) => {
                let point = self.inferred.points.get(i as usize)?;
                let element = self.element(Slot(point.element))?;
                Some(format!("{}#{}", element.id, point.number))
            }
        }
    }
}

#[cfg(test)]
mod tests;
