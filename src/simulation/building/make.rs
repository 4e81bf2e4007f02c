//! From a site and its graph to its networks.

use super::book::{AssumptionOverride, Book};
use super::design::{Design, design};
use super::draft::Draft;
use super::medium::{Carries, name_of, of_group};
use super::pieces::{Piece, components, pieces};
use super::ports::Wiring;
use super::section::{Section, of_segment};
use super::{Building, SystemNetwork, air, balance, balance_air, heat, points, water};
use crate::problem::Problem;
use crate::simulation::fluid::Fluid;
use crate::simulation::network::{self, LinkKind, Network, NodeKind};
use crate::site::graph::{Domain, Graph, Role, plain_class};
use crate::site::{Site, Slot};
use std::collections::{BTreeMap, HashMap, VecDeque};

/// Pieces that hang together are a network from so many on; fewer are loose ends.
const LEAST_PIECES: usize = 3;

/// The networks of a site: what hangs together in its graph and carries water or air. `overrides` replace defaults
/// and what the model says; those that name no element, and those that nothing asks for, are problems.
pub fn of_site(site: &Site, graph: &Graph, overrides: &[AssumptionOverride]) -> Building {
    let (mut book, mut problems) = Book::new(site, overrides);
    let wiring = Wiring::new(site, graph);
    let (pieces, told) = pieces(site, &wiring);
    problems.extend(told);
    let mut networks = Vec::new();
    let mut loose = 0;
    for component in components(&wiring, &pieces) {
        let numbered = numbered(&pieces, &component);
        let own: Vec<(usize, &Piece)> = component.iter().copied().zip(&numbered).collect();
        let joins = own.iter().filter(|(_, p)| p.ports.len() > 1).count();
        if joins == 0 || own.len() < LEAST_PIECES {
            loose += own.len();
            continue;
        }
        if let Some(network) = network_of(site, &wiring, &mut book, &own, &mut problems) {
            networks.push(network);
        }
    }
    if networks.is_empty() {
        problems.push(Problem::warning(
            "model",
            "it has no pipes or ducts that are joined: there is no network to solve",
            "export ports and their connections, or look at what `plenum graph` infers",
        ));
    } else if loose > 0 {
        problems.push(Problem::info(
            "model",
            format!(
                "{loose} element(s) with water or air are joined to nothing that makes a network; they are left out"
            ),
            "`plenum graph` lists them under open ends",
        ));
    }
    problems.extend(book.unused(site));
    networks.sort_by(|a: &SystemNetwork, b: &SystemNetwork| {
        a.domain.cmp(&b.domain).then(b.network.links.len().cmp(&a.network.links.len())).then(a.name.cmp(&b.name))
    });
    number_names(&mut networks);
    Building { networks, problems }
}

/// Pieces of a component, numbered by what of their element is in it: a chiller's condenser is its only piece in the
/// condenser water.
fn numbered(pieces: &[Piece], component: &[usize]) -> Vec<Piece> {
    let mut out: Vec<Piece> = component.iter().filter_map(|i| pieces.get(*i).cloned()).collect();
    let mut count: HashMap<Slot, usize> = HashMap::new();
    for piece in &out {
        *count.entry(piece.element).or_default() += 1;
    }
    let mut next: HashMap<Slot, usize> = HashMap::new();
    for piece in &mut out {
        let number = next.entry(piece.element).or_default();
        piece.number = (*number, count.get(&piece.element).copied().unwrap_or(1));
        *number += 1;
    }
    out
}

/// Networks of one name get a number behind it, the largest the first.
fn number_names(networks: &mut [SystemNetwork]) {
    let mut count: HashMap<String, usize> = HashMap::new();
    for network in networks.iter() {
        *count.entry(network.name.clone()).or_default() += 1;
    }
    let mut next: HashMap<String, usize> = HashMap::new();
    for network in networks {
        if count.get(&network.name).is_some_and(|n| *n > 1) {
            let number = next.entry(network.name.clone()).or_default();
            *number += 1;
            network.name = format!("{} {number}", network.name);
        }
        network.network.title.clone_from(&network.name);
    }
}

/// One network; none for what is not solved, with the reason among the problems.
fn network_of(
    site: &Site,
    wiring: &Wiring,
    book: &mut Book,
    own: &[(usize, &Piece)],
    problems: &mut Vec<Problem>,
) -> Option<SystemNetwork> {
    let domain = own.first()?.1.domain;
    let (name, carries, medium) = called(site, own, domain);
    if carries == Carries::Drain {
        problems.push(Problem::info(
            name,
            format!(
                "{} elements of it drain by their own weight in pipes that are partly filled: not solved",
                own.len()
            ),
            "nothing",
        ));
        return None;
    }
    let (supply, spread) = carries.design_c();
    let mean = supply + 0.5 * spread;
    let fluid = match domain {
        Domain::Air => Fluid::Air { ratio: 0.008, pressure_pa: 101_325.0 },
        _ => Fluid::Water { pressure_pa: 3e5 },
    };
    let net = SystemNetwork {
        name,
        medium,
        domain,
        network: Network { fluid: model_fluid(&fluid, mean), ..Network::default() },
        fluid,
        link_element: Vec::new(),
        node_element: Vec::new(),
        node_place: Vec::new(),
        link_area_m2: Vec::new(),
        link_heat: Vec::new(),
        link_part: Vec::new(),
        link_design_m3s: Vec::new(),
        node_heat: Vec::new(),
        emitters: Vec::new(),
        design: network::Boundary::default(),
        drives: Vec::new(),
        readings: Vec::new(),
        assumptions: Vec::new(),
        problems: Vec::new(),
    };
    let mut draft = Draft::new(site, wiring, carries, net, mean);
    draft.sections = sections(&draft, book, own);
    draft.has_mover = own.iter().any(|(_, p)| {
        let class = site.element(p.element).map_or("", plain_class);
        matches!(class, "Fan" | "Pump" | "FlowMovingDevice" | "Compressor")
    });
    if domain == Domain::Air {
        for (_, piece) in own {
            air::add(&mut draft, book, piece);
        }
        return finish(draft, book, None);
    }
    let plan = design(&mut draft, book, own);
    for (i, piece) in own {
        water::add(&mut draft, book, &plan, *i, piece);
    }
    finish(draft, book, Some(&plan))
}

/// What all networks need at the end.
fn finish(mut draft: Draft, book: &mut Book, plan: Option<&Design>) -> Option<SystemNetwork> {
    draft.level();
    if draft.net.network.links.is_empty() {
        book.take();
        return None;
    }
    tell_sources(&mut draft);
    match plan {
        Some(plan) => {
            balance::water(&mut draft, book);
            heat::water(&mut draft, book, plan);
        }
        None => {
            balance_air::air(&mut draft, book);
            heat::air(&mut draft, book);
        }
    }
    let site = draft.site;
    let mut net = draft.net;
    net.design = net.network.boundary();
    points::bind(site, &mut net);
    net.assumptions = book.take();
    Some(net)
}

/// Says of a network that nothing drives its flow.
fn tell_sources(draft: &mut Draft) {
    let network = &draft.net.network;
    let moves = network.links.iter().any(|l| matches!(l.kind, LinkKind::Pump(_) | LinkKind::Fan(_)));
    let held = network.nodes.iter().filter(|n| !matches!(n.kind, NodeKind::Junction(_))).count();
    let what = if draft.net.domain == Domain::Air { "fan" } else { "pump" };
    if moves {
        return;
    }
    if held == 1 {
        // A tank or a main that feeds by its own height: as it should be.
        return;
    }
    let (message, remedy) = if held == 0 {
        (
            format!("it has neither a {what} nor a source that holds its pressure: no flow in it can be solved"),
            format!("join it to the {what}, tank or main that feeds it, or look at what `plenum graph` leaves open"),
        )
    } else if draft.net.domain == Domain::Air {
        (
            "it has no fan: between openings to the same air nothing flows".to_owned(),
            "join it to the fan or unit that drives it, or look at what `plenum graph` leaves open".to_owned(),
        )
    } else {
        return;
    };
    draft.net.problems.push(Problem::warning(draft.net.name.clone(), message, remedy));
}

fn model_fluid(fluid: &Fluid, celsius: f64) -> network::Fluid {
    let density = fluid.density_kg_m3(celsius);
    network::Fluid { density, viscosity: fluid.viscosity_pa_s(celsius) / density, specific_gravity: density / 1000.0 }
}

/// Name, what it carries, and its word, by the systems of its elements.
fn called(site: &Site, own: &[(usize, &Piece)], domain: Domain) -> (String, Carries, String) {
    let mut count: BTreeMap<u32, usize> = BTreeMap::new();
    // A machine stands in the systems of all its sides, a pipe in its own.
    let runs =
        |p: &Piece| matches!(site.element(p.element).and_then(Role::of_element), Some(Role::Segment | Role::Fitting));
    let any_runs = own.iter().any(|(_, p)| runs(p));
    for (_, piece) in own.iter().filter(|(_, p)| !any_runs || runs(p)) {
        for system in site.element(piece.element).map(|e| e.systems.as_slice()).unwrap_or_default() {
            *count.entry(*system).or_default() += 1;
        }
    }
    let mut found: Vec<(usize, &str, Carries)> = count
        .iter()
        .filter_map(|(s, n)| {
            let group = site.systems.get(*s as usize)?;
            let carries = of_group(group)?;
            (is_air(carries) == (domain == Domain::Air)).then_some((*n, group.name.as_str(), carries))
        })
        .collect();
    found.sort_by(|a, b| b.0.cmp(&a.0).then(a.1.cmp(b.1)));
    let names: Vec<String> = found.iter().map(|f| f.1.to_owned()).filter(|n| !n.is_empty()).collect();
    let mut name = name_of(&names);
    let carries = found.first().map_or(if domain == Domain::Air { Carries::Air } else { Carries::Water }, |f| f.2);
    let mut kinds: Vec<Carries> = found.iter().map(|f| f.2).collect();
    kinds.sort_unstable();
    kinds.dedup();
    let word = if kinds.len() > 1 && domain == Domain::Air { "air" } else { carries.word() };
    if name.is_empty() {
        name = word.to_owned();
        if let Some(head) = name.get(..1).map(str::to_uppercase) {
            name.replace_range(..1, &head);
        }
    }
    (name, carries, word.to_owned())
}

fn is_air(carries: Carries) -> bool {
    matches!(carries, Carries::Supply | Carries::Return | Carries::Outdoor | Carries::Exhaust | Carries::Air)
}

/// Section at every joint: of the segments there, the smaller where two differ; what stands between devices has that
/// of the nearest segment.
fn sections(draft: &Draft, book: &mut Book, own: &[(usize, &Piece)]) -> BTreeMap<usize, Section> {
    let (site, wiring) = (draft.site, draft.wiring);
    let air = draft.net.domain == Domain::Air;
    let mut out: BTreeMap<usize, Section> = BTreeMap::new();
    let joint = |port: &usize| wiring.ports.get(*port).map(|p| p.joint);
    let role = |slot: Slot| site.element(slot).and_then(Role::of_element);
    let mut put = |joint: usize, section: Section| {
        let known = out.entry(joint).or_insert(section);
        if section.area < known.area {
            *known = section;
        }
    };
    let mut lacking = Vec::new();
    for (_, piece) in own.iter().filter(|(_, p)| role(p.element) == Some(Role::Segment)) {
        match of_segment(site, book, wiring, piece.element, air) {
            Some(section) => piece.ports.iter().filter_map(joint).for_each(|j| put(j, section)),
            None => lacking.push(piece.element),
        }
    }
    for (_, piece) in own {
        for port in &piece.ports {
            let Some(p) = wiring.ports.get(*port) else { continue };
            let Some(outline) = p.outline.filter(|_| role(piece.element) != Some(Role::Segment)) else { continue };
            let section = match outline {
                crate::shape::ends::Outline::Round { diameter_m } => Section::round(diameter_m),
                crate::shape::ends::Outline::Rect { width_m, height_m } => Section::rectangular(width_m, height_m),
            };
            out.entry(p.joint).or_insert(section);
        }
    }
    // Along what has no section of its own, from where one is known.
    let mut at: BTreeMap<usize, Vec<&Piece>> = BTreeMap::new();
    for (_, piece) in own {
        for j in piece.ports.iter().filter_map(joint) {
            at.entry(j).or_default().push(piece);
        }
    }
    let mut todo: VecDeque<usize> = out.keys().copied().collect();
    while let Some(j) = todo.pop_front() {
        let Some(section) = out.get(&j).copied() else { continue };
        for piece in at.get(&j).map(Vec::as_slice).unwrap_or_default() {
            for other in piece.ports.iter().filter_map(joint) {
                if let std::collections::btree_map::Entry::Vacant(free) = out.entry(other) {
                    free.insert(section);
                    todo.push_back(other);
                }
            }
        }
    }
    let default = if air { Section::round(0.25) } else { Section::round(0.05) };
    for slot in lacking {
        let near = wiring.of(slot).iter().filter_map(|p| out.get(&wiring.ports.get(*p)?.joint)).next().copied();
        let (section, why) = match near {
            Some(section) => (section, "that of what is joined to it; nothing says its own"),
            None => (default, "nothing in its network says a size"),
        };
        book.note(site, slot, "diameter_m", section.diameter(), why.to_owned());
    }
    for j in at.keys() {
        out.entry(*j).or_insert(default);
    }
    out
}
