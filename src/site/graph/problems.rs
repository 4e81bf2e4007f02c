//! What is wrong with a graph: loose ends, ports joined twice, joints that cannot be.

use super::{Graph, medium, medium_of_port};
use crate::problem::Problem;
use crate::site::infer::{JoinedBy, PointRef};
use crate::site::model::{ConnectionPoint, FlowDirection, Slot};
use crate::site::{Site, infer};
use std::collections::{HashMap, HashSet};

/// Declared ports that are joined lie in one place: by more than this they do not, metres.
const APART_M: f64 = 0.05;

/// All that is wrong, in the order of the files.
pub(super) fn of(site: &Site, graph: &Graph) -> Vec<Problem> {
    let mut found = unconnected(site, graph);
    found.extend(joined_twice(site, graph));
    found.extend(impossible(site, graph));
    found
}

fn label(site: &Site, slot: u32) -> String {
    site.element(Slot(slot)).map(|e| format!("{} {}", e.class, e.label())).unwrap_or_default()
}

fn port_words(point: &ConnectionPoint) -> String {
    if point.name.is_empty() { "a port".to_owned() } else { format!("its port `{}`", point.name) }
}

fn unconnected(site: &Site, graph: &Graph) -> Vec<Problem> {
    let joined: HashSet<PointRef> = graph.edges.iter().flat_map(|e| [e.from_point, e.to_point]).flatten().collect();
    let ports = site.connection_points.iter().enumerate().filter(|(i, _)| !joined.contains(&PointRef::Port(*i as u32)));
    let mut found: Vec<Problem> = ports
        .map(|(_, port)| {
            let message = format!("{} is joined to nothing", port_words(port));
            Problem::warning(
                label(site, port.element),
                message,
                "join it in the authoring program, or with `plenum graph PROJECT --join`",
            )
        })
        .collect();
    // An end found by geometry is as sure as that only where it is a run's own.
    let runs = |p: &infer::InferredPoint| {
        let role = site.element(Slot(p.element)).and_then(super::Role::of_element);
        p.certain && role == Some(super::Role::Segment)
    };
    let ends = site.inferred.points.iter().enumerate();
    found.extend(ends.filter(|(i, p)| runs(p) && !joined.contains(&PointRef::Inferred(*i as u32))).map(|(_, p)| {
        let [x, y, z] = p.location.to_array();
        Problem::info(
            label(site, p.element),
            format!("its end {} at {x:.3}, {y:.3}, {z:.3} m meets nothing", p.number),
            "join it with `plenum graph PROJECT --join`, if it is joined",
        )
    }));
    found
}

fn joined_twice(site: &Site, graph: &Graph) -> Vec<Problem> {
    let mut times: HashMap<u32, usize> = HashMap::new();
    for point in graph.edges.iter().flat_map(|e| [e.from_point, e.to_point]).flatten() {
        if let PointRef::Port(i) = point {
            *times.entry(i).or_default() += 1;
        }
    }
    let mut twice: Vec<(u32, usize)> = times.into_iter().filter(|(_, n)| *n > 1).collect();
    twice.sort_unstable();
    let told = twice.into_iter().filter_map(|(i, n)| {
        let port = site.connection_points.get(i as usize)?;
        let message = format!("{} is joined {n} times; a port has one partner", port_words(port));
        Some(Problem::warning(label(site, port.element), message, "give the element a port for each joint"))
    });
    told.collect()
}

/// Joints of ports that lie apart, of two media, or of two outlets.
fn impossible(site: &Site, graph: &Graph) -> Vec<Problem> {
    let mut found = Vec::new();
    for edge in graph.edges.iter().filter(|e| e.by == JoinedBy::File) {
        let port = |point: Option<PointRef>| match point {
            Some(PointRef::Port(i)) => site.connection_points.get(i as usize),
            _ => None,
        };
        let (Some(a), Some(b)) = (port(edge.from_point), port(edge.to_point)) else { continue };
        let place = format!("{} – {}", label(site, a.element), label(site, b.element));
        if let Some(gap) = edge.gap_m.filter(|g| *g > APART_M) {
            found.push(Problem::warning(
                place.clone(),
                format!("these ports are joined and lie {gap:.3} m apart"),
                "move the elements together, or join the right ports",
            ));
        }
        let words = [a, b].map(|p| medium::of_word(&p.medium).or_else(|| medium_of_port(site, p)));
        if let [Some(m), Some(n)] = words
            && m != n
        {
            found.push(Problem::warning(
                place.clone(),
                format!("{} is joined to {}", m.name, n.name),
                "join ports of one medium, or correct the system of one of them",
            ));
        }
        if a.direction == b.direction && matches!(a.direction, FlowDirection::Source | FlowDirection::Sink) {
            let word = if a.direction == FlowDirection::Source { "outlets" } else { "inlets" };
            found.push(Problem::warning(
                place,
                format!("two {word} are joined: the direction of flow is not known"),
                "turn the flow direction of one of the ports",
            ));
        }
    }
    found
}
