//! From elements to what flows through them: pieces with two ends, pieces where flows meet, and ends of runs.

use super::facts::{any, words};
use super::ports::{Sets, Wiring};
use crate::problem::Problem;
use crate::site::graph::{Domain, Role, plain_class};
use crate::site::model::FlowDirection;
use crate::site::{Site, Slot};
use std::collections::BTreeMap;

/// What one side of an element is in a network: its ports that one flow passes.
#[derive(Clone, Debug)]
pub(super) struct Piece {
    /// The element.
    pub element: Slot,
    /// Water or air.
    pub domain: Domain,
    /// Its ports: one for an end, two for what is passed, more where flows meet. Of two the first is the inlet, as
    /// far as anybody says it.
    pub ports: Vec<usize>,
    /// Its number among the pieces of its element in this domain, and how many there are.
    pub number: (usize, usize),
    /// Whether the file says which port is the inlet, or what it is joined to does.
    pub directed: bool,
    /// Whether it is a pump or fan whose inlet nobody says.
    pub guessed: bool,
}

/// All pieces of a site that water or air flows through, and what could not be told apart.
pub(super) fn pieces(site: &Site, wiring: &Wiring) -> (Vec<Piece>, Vec<Problem>) {
    let (mut out, mut problems) = (Vec::new(), Vec::new());
    for (slot, ports) in &wiring.of_element {
        let Some(element) = site.element(*slot) else { continue };
        for domain in [Domain::Water, Domain::Air] {
            let own: Vec<usize> = ports.iter().copied().filter(|p| wiring.ports[*p].domain == domain).collect();
            if own.is_empty() {
                continue;
            }
            let simple = matches!(Role::of_element(element), Some(Role::Segment | Role::Fitting | Role::Inline));
            let groups = if simple || own.len() <= 2 { vec![own] } else { sides(site, wiring, *slot, &own) };
            if groups.iter().any(|g| g.len() > 3) && two_sided(plain_class(element)) {
                problems.push(Problem::warning(
                    element.label(),
                    format!(
                        "its {} {} ports cannot be told apart: both of its sides are taken as one",
                        ports.len(),
                        domain.word()
                    ),
                    "give its ports, or what is joined to them, a system each",
                ));
            }
            let count = groups.len();
            for (i, mut group) in groups.into_iter().enumerate() {
                let directed = order(wiring, &mut group);
                out.push(Piece { element: *slot, domain, ports: group, number: (i, count), directed, guessed: false });
            }
        }
    }
    let known: Vec<usize> = (0..out.len()).filter(|i| out[*i].directed).collect();
    turn_along(wiring, &mut out, known);
    guess_movers(site, wiring, &mut out);
    (out, problems)
}

/// Machines that two flows of one kind pass without mixing.
fn two_sided(class: &str) -> bool {
    matches!(class, "Chiller" | "HeatExchanger" | "Condenser" | "Evaporator" | "AirToAirHeatRecovery" | "TubeBundle")
}

/// Ports of one domain by the flow that passes them: by the systems of what is joined there, else by the ports' own
/// words, else, where a machine has as many inlets as outlets, by their order.
fn sides(site: &Site, wiring: &Wiring, slot: Slot, ports: &[usize]) -> Vec<Vec<usize>> {
    let by_system = |p: usize| -> Vec<u32> {
        let port = &wiring.ports[p];
        let around = wiring.joints[port.joint].iter().map(|o| wiring.ports[*o].element).filter(|e| *e != slot);
        let mut systems: Vec<u32> = around.filter_map(|e| site.element(e)).flat_map(|e| e.systems.clone()).collect();
        systems.retain(|s| site.systems.get(*s as usize).is_some_and(|g| super::medium::of_group(g).is_some()));
        systems.sort_unstable();
        systems.dedup();
        systems
    };
    let mut groups: BTreeMap<(Vec<u32>, String), Vec<usize>> = BTreeMap::new();
    for p in ports {
        let systems = by_system(*p);
        let word = if systems.is_empty() { wiring.ports[*p].word.clone() } else { String::new() };
        groups.entry((systems, word)).or_default().push(*p);
    }
    let mut out: Vec<Vec<usize>> = groups.into_values().collect();
    let two = site.element(slot).is_some_and(|e| two_sided(plain_class(e)));
    if two && out.len() == 1 && ports.len() == 4 {
        let of = |way: FlowDirection| -> Vec<usize> {
            ports.iter().copied().filter(|p| wiring.ports[*p].flow == way).collect()
        };
        if let ([a, c], [b, d]) = (of(FlowDirection::Sink).as_slice(), of(FlowDirection::Source).as_slice()) {
            out = vec![vec![*a, *b], vec![*c, *d]];
        }
    }
    out.sort();
    out
}

/// Puts the inlet of two ports first; whether the file says which it is.
fn order(wiring: &Wiring, ports: &mut [usize]) -> bool {
    let [a, b] = ports else { return false };
    match (wiring.ports[*a].flow, wiring.ports[*b].flow) {
        (FlowDirection::Source, FlowDirection::Sink | FlowDirection::Both | FlowDirection::Unknown)
        | (FlowDirection::Both | FlowDirection::Unknown, FlowDirection::Sink) => {
            std::mem::swap(a, b);
            true
        }
        (FlowDirection::Sink, FlowDirection::Source | FlowDirection::Both | FlowDirection::Unknown)
        | (FlowDirection::Both | FlowDirection::Unknown, FlowDirection::Source) => true,
        _ => false,
    }
}

/// Which pieces of two ports are at each joint.
fn passing(wiring: &Wiring, pieces: &[Piece]) -> Vec<Vec<usize>> {
    let mut at: Vec<Vec<usize>> = vec![Vec::new(); wiring.joints.len()];
    for (i, piece) in pieces.iter().enumerate() {
        for p in &piece.ports {
            at[wiring.ports[*p].joint].push(i);
        }
    }
    at
}

fn joint_of(wiring: &Wiring, piece: &Piece, end: usize) -> Option<usize> {
    piece.ports.get(end).map(|p| wiring.ports[*p].joint)
}

/// Turns pieces of which nobody says their direction the way that a directed neighbour has, along each run.
fn turn_along(wiring: &Wiring, pieces: &mut [Piece], mut todo: Vec<usize>) {
    let at = passing(wiring, pieces);
    let mut next = 0;
    while let Some(i) = todo.get(next).copied() {
        next += 1;
        for end in [0, 1] {
            let Some(j) = joint_of(wiring, &pieces[i], end) else { continue };
            let [a, b] = at[j].as_slice() else { continue };
            let other = if *a == i { *b } else { *a };
            if other == i || pieces[other].directed || pieces[other].ports.len() != 2 || pieces[i].ports.len() != 2 {
                continue;
            }
            // What flows out of one flows into the other.
            if joint_of(wiring, &pieces[other], 1 - end) != Some(j) {
                pieces[other].ports.swap(0, 1);
            }
            pieces[other].directed = true;
            todo.push(other);
        }
    }
}

/// Pumps and fans that nobody gives a direction move from their first port to their second; those that stand beside
/// one between the same two fittings move the same way, and so does all in their run.
fn guess_movers(site: &Site, wiring: &Wiring, pieces: &mut [Piece]) {
    let at = passing(wiring, pieces);
    let mut known: Vec<(Slot, Slot)> = Vec::new();
    for i in 0..pieces.len() {
        let class = site.element(pieces[i].element).map_or("", plain_class);
        if pieces[i].directed || pieces[i].ports.len() != 2 || !matches!(class, "Pump" | "Fan" | "FlowMovingDevice") {
            continue;
        }
        let (from, to) = (run_end(wiring, pieces, &at, i, 0), run_end(wiring, pieces, &at, i, 1));
        if let (Some(from), Some(to)) = (from, to) {
            if known.contains(&(to, from)) {
                pieces[i].ports.swap(0, 1);
            } else {
                known.push((from, to));
            }
        }
        (pieces[i].directed, pieces[i].guessed) = (true, true);
        turn_along(wiring, pieces, vec![i]);
    }
}

/// The element where a run ends that goes on from an end of a piece: where flows meet, or nothing goes on.
fn run_end(wiring: &Wiring, pieces: &[Piece], at: &[Vec<usize>], start: usize, end: usize) -> Option<Slot> {
    let (mut piece, mut joint) = (start, joint_of(wiring, &pieces[start], end)?);
    for _ in 0..pieces.len() {
        let [a, b] = at.get(joint)?.as_slice() else { return Some(pieces[piece].element) };
        let other = if *a == piece { *b } else { *a };
        if other == piece || pieces[other].ports.len() != 2 || other == start {
            return Some(pieces[other].element);
        }
        let far = if joint_of(wiring, &pieces[other], 0) == Some(joint) { 1 } else { 0 };
        (piece, joint) = (other, joint_of(wiring, &pieces[other], far)?);
    }
    None
}

/// Pieces that hang together, each component in the order of its pieces; a chiller's two sides are two components.
pub(super) fn components(wiring: &Wiring, pieces: &[Piece]) -> Vec<Vec<usize>> {
    let mut sets = Sets::new(wiring.joints.len());
    for piece in pieces {
        for pair in piece.ports.windows(2) {
            sets.join(wiring.ports[pair[0]].joint, wiring.ports[pair[1]].joint);
        }
    }
    let mut of: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    for (i, piece) in pieces.iter().enumerate() {
        if let Some(p) = piece.ports.first() {
            of.entry(sets.find(wiring.ports[*p].joint)).or_default().push(i);
        }
    }
    of.into_values().collect()
}

/// Which two of a fitting's ports lie on one line: the run, that a branch stands on.
pub(super) fn run_of(wiring: &Wiring, ports: &[usize]) -> Option<(usize, usize)> {
    let mut best: Option<(f64, usize, usize)> = None;
    for (i, a) in ports.iter().enumerate() {
        for b in ports.iter().skip(i + 1) {
            let straight = match (wiring.ports[*a].outward, wiring.ports[*b].outward) {
                (Some(x), Some(y)) => 1.0 + x.dot(y),
                _ => upright(wiring, ports, *a, *b)?,
            };
            if straight < 0.3 && best.is_none_or(|(s, ..)| straight < s - 1e-9) {
                best = Some((straight, *a, *b));
            }
        }
    }
    best.map(|(_, a, b)| (a, b))
}

/// How far from upright the other ports stand on the line between two: 0 for a tee's branch on its run.
fn upright(wiring: &Wiring, ports: &[usize], a: usize, b: usize) -> Option<f64> {
    let place = |p: usize| wiring.ports.get(p)?.place;
    let (pa, pb) = (place(a)?, place(b)?);
    let line = (pb - pa).normalize_or_zero();
    let middle = 0.5 * (pa + pb);
    let mut worst = 0.0f64;
    for other in ports.iter().filter(|p| **p != a && **p != b) {
        worst = worst.max((place(*other)? - middle).normalize_or_zero().dot(line).abs());
    }
    Some(worst)
}

/// Whether an element is a vessel that keeps the pressure of a circuit.
pub(super) fn is_expansion(site: &Site, slot: Slot) -> bool {
    let Some(element) = site.element(slot) else { return false };
    plain_class(element) == "Tank"
        && any(&words(element), &["EXPANSION", "PRESSUREVESSEL", "PRESSURE VESSEL", "DIAPHRAGM"])
}
