//! Balancing: a plant is set so that every consumer has its design flow, and a model seldom says how.
//!
//! Each consumer's branch is held at its design flow; what pressure is left over there is what its balancing valve
//! has to take. Where no branch can be set, the pumps are brought to the speed that moves their nominal flow.

use super::Part;
use super::book::Book;
use super::draft::Draft;
use super::facts::number;
use super::losses::kv_of;
use super::section::Section;
use crate::problem::Problem;
use crate::simulation::network::{Accuracy, Command, LinkKind, Solver};
use crate::site::Slot;
use crate::site::unit::Quantity;

/// Accuracy of the solves, m³/s and m.
const ACCURACY: f64 = 1e-8;
/// A control valve takes as much as the rest of its branch, its balancing valve included (an authority of 0.5), at least
/// this, Pa.
const LEAST_CONTROL_PA: f64 = 3e3;
/// Below this authority a stated Kvs is too large for a control valve: it is shut nearly all the time.
const LEAST_AUTHORITY: f64 = 0.1;
/// Above it the valve is too small for its branch.
const MOST_AUTHORITY: f64 = 0.75;

/// A consumer with what is in its branch.
pub(super) struct Branch {
    /// The consumer's link.
    pub consumer: usize,
    /// Its design flow, m³/s.
    pub flow: f64,
    /// The control valve in it.
    pub control: Option<usize>,
    /// The balancing valve in it.
    pub balancing: Option<usize>,
    /// All its links, and whether each runs along the flow.
    pub along: Vec<(usize, bool)>,
}

/// Sets the valves of a water network.
pub(super) fn water(draft: &mut Draft, book: &mut Book) {
    let branches = branches(draft, Part::Consumer);
    let mut chosen = Vec::new();
    for branch in &branches {
        chosen.extend(size_control(draft, book, branch));
    }
    let set: Vec<(usize, f64, bool)> = branches
        .iter()
        .filter_map(|b| {
            let valve = b.balancing.or(b.control)?;
            let along = b.along.iter().find(|(l, _)| *l == valve).is_none_or(|(_, a)| *a);
            Some((valve, b.flow, along))
        })
        .filter(|(valve, ..)| !stated(draft, book, *valve))
        .collect();
    widen_control(draft, book, &set, chosen);
    if set.is_empty() {
        trim(draft, book);
    } else {
        set_branches(draft, book, &set);
    }
}

pub(super) fn stated(draft: &Draft, book: &mut Book, link: usize) -> bool {
    let Some(slot) = draft.net.link_element[link] else { return false };
    book.stated(draft.site, slot, "position").is_some()
}

/// Links at each node.
fn links_at(draft: &Draft) -> Vec<Vec<usize>> {
    let mut at: Vec<Vec<usize>> = vec![Vec::new(); draft.net.network.nodes.len()];
    for (i, link) in draft.net.network.links.iter().enumerate() {
        at[link.from].push(i);
        at[link.to].push(i);
    }
    at
}

/// Branches of some kind of links with a design flow: what lies between the tees to both sides of them. With each link
/// comes whether it runs along the flow.
pub(super) fn branches(draft: &Draft, of: Part) -> Vec<Branch> {
    let network = &draft.net.network;
    let at = links_at(draft);
    let mut out = Vec::new();
    for (i, part) in draft.net.link_part.iter().enumerate() {
        let Some(flow) = draft.net.link_design_m3s[i].filter(|_| *part == of) else { continue };
        let mut along = vec![(i, true)];
        // Upstream from where it begins, downstream from where it ends.
        for down in [false, true] {
            let (mut link, mut node) = (i, if down { network.links[i].to } else { network.links[i].from });
            while let [a, b] = at[node].as_slice() {
                let next = if *a == link { *b } else { *a };
                if next == link || along.iter().any(|(l, _)| *l == next) {
                    break;
                }
                let other = &network.links[next];
                let forward = if down { other.from == node } else { other.to == node };
                along.push((next, forward));
                node = if other.from == node { other.to } else { other.from };
                link = next;
            }
        }
        let find = |part: Part| along.iter().map(|(l, _)| *l).find(|l| draft.net.link_part[*l] == part);
        out.push(Branch { consumer: i, flow, control: find(Part::Control), balancing: find(Part::Balancing), along });
    }
    out
}

/// A control valve whose Kvs is ours to choose.
struct Chosen {
    link: usize,
    slot: Slot,
    flow: f64,
    balancing: Option<usize>,
    /// What the model says, that no control valve of this branch has.
    known: Option<f64>,
    /// What its branch takes beside it, Pa.
    rest: f64,
    kvs: f64,
}

/// A control valve whose Kvs nobody states, or states as no control valve has it, takes as much as its branch.
fn size_control(draft: &mut Draft, book: &mut Book, branch: &Branch) -> Option<Chosen> {
    let link = branch.control?;
    let slot = draft.net.link_element[link]?;
    draft.net.link_design_m3s[link] = Some(branch.flow);
    if book.stated(draft.site, slot, "kvs_m3h").is_some() {
        return None;
    }
    let loss = match &draft.net.network.links[branch.consumer].kind {
        LinkKind::Resistance(r) => r.k * branch.flow.powf(r.exponent),
        _ => 0.0,
    };
    let rest = (1.3 * loss).max(LEAST_CONTROL_PA);
    let hourly = branch.flow * 3600.0;
    let known = number(draft.site, slot, Quantity::Ratio, &["FlowCoefficient", "Kvs", "Kv"]);
    let LinkKind::Kv(valve) = &mut draft.net.network.links[link].kind else { return None };
    let takes = |kvs: f64| 1e5 * (hourly / kvs).powi(2);
    if let Some(kvs) = known {
        let authority = takes(kvs) / (takes(kvs) + rest);
        if (LEAST_AUTHORITY..=MOST_AUTHORITY).contains(&authority) {
            return None;
        }
    }
    valve.kvs = hourly / (rest / 1e5).sqrt();
    let kvs = valve.kvs;
    Some(Chosen { link, slot, flow: branch.flow, balancing: branch.balancing, known, rest, kvs })
}

/// What the pumps bring to a branch more than it needs, its balancing valve would take: a control valve that is ours to
/// choose takes half of it all, so that it has its authority in what is there, not in its branch alone.
fn widen_control(draft: &mut Draft, book: &mut Book, set: &[(usize, f64, bool)], chosen: Vec<Chosen>) {
    let left = left_over(draft, set).unwrap_or_default();
    for mut valve in chosen {
        let at = set.iter().position(|(l, ..)| Some(*l) == valve.balancing);
        let spare = at.and_then(|i| left.get(i).copied()).filter(|pa| *pa > 0.0).unwrap_or(0.0);
        let half = valve.rest + 0.5 * spare;
        valve.kvs = valve.flow * 3600.0 / (half / 1e5).sqrt();
        let why = match valve.known {
            Some(kvs) if kvs < valve.kvs => {
                format!("an authority of 0.5; its stated {kvs:.1} is too small for its branch")
            }
            Some(kvs) => format!("an authority of 0.5; its stated {kvs:.1} would be shut nearly all the time"),
            None => "an authority of 0.5 at the design flow of its branch".to_owned(),
        };
        if let LinkKind::Kv(own) = &mut draft.net.network.links[valve.link].kind {
            own.kvs = valve.kvs;
        }
        book.note(draft.site, valve.slot, "kvs_m3h", valve.kvs, why);
    }
}

/// Pressure that is left at each of some links when they hold their flow, Pa in the direction of that flow; none
/// where the network does not solve so.
pub(super) fn left_over(draft: &Draft, set: &[(usize, f64, bool)]) -> Option<Vec<f64>> {
    let mut held = draft.net.network.clone();
    for (link, flow, along) in set {
        held.links[*link].kind = LinkKind::FixedFlow;
        held.links[*link].setting = if *along { *flow } else { -flow };
    }
    let (mut solver, _) = Solver::new(&held);
    let solution = solver.solve(&held.boundary(), Accuracy::both(ACCURACY));
    if !solution.converged {
        return None;
    }
    let pa_per_m = held.pa_per_m();
    let left = set.iter().map(|(link, _, along)| {
        let ends = &held.links[*link];
        let fall = (solution.head[ends.from] - solution.head[ends.to]) * pa_per_m;
        if *along { fall } else { -fall }
    });
    Some(left.collect())
}

/// Says that a network cannot be balanced.
pub(super) fn refuse(draft: &mut Draft) {
    draft.net.problems.push(Problem::warning(
        draft.net.name.clone(),
        "it cannot be balanced: with its design flows held it does not solve",
        "look at the pumps and fans, and at what is shut",
    ));
}

/// Says which branches have too little.
pub(super) fn tell_short(draft: &mut Draft, short: &[String], what: &str) {
    if let Some(first) = short.first() {
        draft.net.problems.push(Problem::warning(
            first.clone(),
            format!("{} branch(es) have too little pressure for their design flow", short.len()),
            format!("look at the {what}'s nominal pressure, and at what is narrow on the way there"),
        ));
    }
}

/// Holds the branches at their design flow, and sets each valve by the pressure that is left for it.
fn set_branches(draft: &mut Draft, book: &mut Book, set: &[(usize, f64, bool)]) {
    let Some(all_left) = left_over(draft, set) else { return refuse(draft) };
    let mut short = Vec::new();
    for ((link, flow, _), left) in set.iter().zip(all_left) {
        let Some(slot) = draft.net.link_element[*link] else { continue };
        let label = draft.site.element(slot).map(crate::site::Element::label).unwrap_or_default();
        let balancing = draft.net.link_part[*link] == Part::Balancing;
        let density = draft.net.network.fluid.density;
        let area = draft.net.link_area_m2[*link];
        let own = &mut draft.net.network.links[*link];
        let LinkKind::Kv(valve) = &mut own.kind else { continue };
        if left.is_nan() {
            continue;
        }
        if left <= 0.0 {
            short.push(label);
            continue;
        }
        let kv = flow * 3600.0 / (left / 1e5 * 1000.0 / density).sqrt();
        let open = area.map_or(0.0, |area| kv_of(Section { area, hydraulic: 0.0 }, 3.0));
        if balancing && kv > valve.kvs && open > kv {
            let why = format!("a balancing valve of its pipe's size; {:.1} is too small for its branch", valve.kvs);
            valve.kvs = open;
            book.note(draft.site, slot, "kvs_m3h", open, why);
        }
        if balancing && kv <= valve.kvs {
            own.setting = kv / valve.kvs;
            let why = format!("balanced: takes {:.1} kPa at the design flow of its branch", left / 1000.0);
            book.note(draft.site, slot, "position", kv / valve.kvs, why);
        } else if balancing {
            short.push(label);
        } else {
            valve.kvs = kv;
            let why = format!("takes what its branch has left at its design flow, {:.1} kPa", left / 1000.0);
            book.note(draft.site, slot, "kvs_m3h", kv, why);
        }
        draft.net.link_design_m3s[*link] = Some(*flow);
    }
    tell_short(draft, &short, "pump");
}

/// Brings the running pumps to the speed at which they move their nominal flow.
pub(super) fn trim(draft: &mut Draft, book: &mut Book) {
    let pumps: Vec<(usize, f64)> = draft
        .net
        .link_part
        .iter()
        .enumerate()
        .filter(|(i, part)| **part == Part::Mover && draft.net.network.links[*i].command != Command::Closed)
        .filter_map(|(i, _)| Some((i, draft.net.link_design_m3s[i]?)))
        .collect();
    let wanted: f64 = pumps.iter().map(|(_, q)| q).sum();
    if pumps.is_empty() || wanted <= 0.0 {
        return;
    }
    let any_stated = pumps
        .iter()
        .any(|(l, _)| draft.net.link_element[*l].is_some_and(|s| book.stated(draft.site, s, "speed").is_some()));
    if any_stated {
        return;
    }
    let (mut solver, _) = Solver::new(&draft.net.network);
    let mut boundary = draft.net.network.boundary();
    let mut speed = 1.0f64;
    for _ in 0..12 {
        for (l, _) in &pumps {
            boundary.setting[*l] = speed;
        }
        let solution = solver.solve(&boundary, Accuracy::both(ACCURACY));
        let moved: f64 = pumps.iter().map(|(l, _)| solution.flow[*l]).sum();
        if !(solution.converged && moved > 1e-3 * wanted) {
            return;
        }
        let next = (speed * wanted / moved).clamp(0.2, 1.0);
        if (next - speed).abs() < 1e-4 {
            break;
        }
        speed = next;
    }
    for (l, _) in pumps {
        draft.net.network.links[l].setting = speed;
        if let Some(slot) = draft.net.link_element[l] {
            let why = "brought to the speed at which it moves its nominal flow".to_owned();
            book.note(draft.site, slot, "speed", speed, why);
        }
    }
}
