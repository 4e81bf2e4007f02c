//! The clinic's networks from its own model, and what no model may do.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod broken;
mod samples;

use super::*;
use crate::import;
use crate::site::graph::Graph;
use crate::site::{PointIndex, Site, assemble};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

fn folder() -> PathBuf {
    let own = Path::new(env!("CARGO_MANIFEST_DIR")).join("models/clinic");
    if own.is_dir() { own } else { Path::new(file!()).ancestors().nth(4).unwrap().join("models/clinic") }
}

/// The clinic with its points, read once for all tests.
fn clinic() -> &'static Site {
    static SITE: OnceLock<Site> = OnceLock::new();
    SITE.get_or_init(|| {
        let (project, _) = crate::site::project::load(&folder()).expect("the clinic's twin.toml");
        let file = folder().join("clinic-mep.ifc");
        let (model, _) = import::read(&file, &import::Progress::default()).expect("the services model");
        assemble(&project, vec![(model, "mep".into())]).0
    })
}

fn stated(overrides: &[(&str, &str, f64)]) -> Building {
    let overrides: Vec<AssumptionOverride> = overrides
        .iter()
        .enumerate()
        .map(|(i, (element, field, value))| AssumptionOverride {
            element: (*element).into(),
            field: (*field).into(),
            value: *value,
            line: i + 1,
        })
        .collect();
    of_site(clinic(), &Graph::of(clinic()), &overrides)
}

fn plain() -> &'static Building {
    static BUILDING: OnceLock<Building> = OnceLock::new();
    BUILDING.get_or_init(|| stated(&[]))
}

fn called<'a>(building: &'a Building, name: &str) -> &'a SystemNetwork {
    let found = building.networks.iter().find(|n| n.name == name);
    found.unwrap_or_else(|| panic!("{name} of {:?}", building.networks.iter().map(|n| &n.name).collect::<Vec<_>>()))
}

fn design(net: &SystemNetwork) -> State {
    Operation::new(net).solve(net, &|_| None).clone()
}

/// The link of a tagged element that is for something.
fn link(net: &SystemNetwork, tag: &str, part: Part) -> usize {
    let slot = clinic().tagged(tag).first().copied().unwrap_or_else(|| panic!("no {tag}"));
    let found = (0..net.link_part.len()).find(|i| net.link_element[*i] == Some(slot) && net.link_part[*i] == part);
    found.unwrap_or_else(|| panic!("{tag} has no {part:?} in {}", net.name))
}

fn point(tag: &str, role: &str) -> PointIndex {
    let slot = clinic().tagged(tag)[0];
    let found = clinic().points.iter().position(|p| p.asset == slot && p.role == role);
    PointIndex(found.unwrap_or_else(|| panic!("{tag} has no {role}")) as u32)
}

#[test]
fn the_clinic_has_its_networks() {
    let names: Vec<(&str, &str)> = plain().networks.iter().map(|n| (n.name.as_str(), n.medium.as_str())).collect();
    let expected = [
        ("Heating water", "heating water"),
        ("Chilled water", "chilled water"),
        ("Condenser water", "condenser water"),
        ("Domestic cold water", "cold water"),
        ("Air AHU-1", "air"),
        ("Air AHU-3", "air"),
        ("Air AHU-2", "air"),
        ("Exhaust air baths", "exhaust air"),
    ];
    assert_eq!(names, expected);
    for net in &plain().networks {
        // The return fan of AHU-3 is a little too weak for its longest branches.
        let short = net.problems.iter().all(|p| p.message.contains("too little pressure"));
        assert!(net.problems.is_empty() || (short && net.name == "Air AHU-3"), "{}: {:?}", net.name, net.problems);
        let (links, nodes) = (net.network.links.len(), net.network.nodes.len());
        let of_links = [net.link_element.len(), net.link_area_m2.len(), net.link_heat.len(), net.link_part.len()];
        assert_eq!(of_links, [links; 4], "{}", net.name);
        assert_eq!(net.link_design_m3s.len(), links);
        assert_eq!([net.node_element.len(), net.node_place.len(), net.node_heat.len()], [nodes; 3], "{}", net.name);
    }
}

#[test]
fn every_network_solves_and_its_balances_close() {
    for net in &plain().networks {
        let state = design(net);
        assert!(state.converged, "{}", net.name);
        // Mass at every node, counted here from the flows.
        let mut into = vec![0.0; net.network.nodes.len()];
        for (l, q) in net.network.links.iter().zip(&state.flow_m3s) {
            into[l.from] -= q;
            into[l.to] += q;
        }
        for (n, node) in net.network.nodes.iter().enumerate() {
            if matches!(node.kind, crate::simulation::network::NodeKind::Junction(_)) {
                let lacks = into[n] - net.design.demand[n];
                assert!(lacks.abs() < 1e-8, "{} {}: {lacks}", net.name, node.id);
            }
        }
        // Heat against what the machines exchange.
        let load: f64 = state.heat_w.iter().filter(|w| **w > 0.0).sum();
        assert!(state.energy_closing_w.abs() <= 1e-3 * load.max(1.0), "{}: {} W", net.name, state.energy_closing_w);
        // The mains of the third storey are narrow: they carry a whole unit's air, the others half of one's.
        let fastest = match (net.domain, net.name.as_str()) {
            (Domain::Air, "Air AHU-3") => 17.0,
            (Domain::Air, _) => 12.0,
            _ => 3.0,
        };
        for (i, v) in state.velocity_ms.iter().enumerate().filter(|(_, v)| v.is_finite()) {
            let id = &net.network.links[i].id;
            let label = net.link_element[i].and_then(|s| clinic().element(s)).map(|e| e.label());
            assert!(v.abs() < fastest, "{} {id} {label:?}: {v} m/s", net.name);
        }
        assert!(state.pressure_pa.iter().all(|p| p.is_finite()), "{}", net.name);
    }
}

#[test]
fn flows_are_those_of_the_design() {
    let mut movers = 0;
    for net in &plain().networks {
        let state = design(net);
        for (i, part) in net.link_part.iter().enumerate() {
            let Some(wanted) = net.link_design_m3s[i] else { continue };
            let standby = net.design.command[i] == crate::simulation::network::Command::Closed;
            let tolerance = match part {
                Part::Mover if standby => {
                    assert!(state.flow_m3s[i].abs() < 1e-9);
                    continue;
                }
                Part::Mover | Part::Source | Part::Condenser | Part::Rejector | Part::Consumer => 0.05,
                Part::Control if net.domain == Domain::Air => 0.05,
                _ => continue,
            };
            movers += usize::from(*part == Part::Mover);
            let label = net.link_element[i].and_then(|s| clinic().element(s)).map(|e| e.label());
            let off = state.flow_m3s[i] / wanted - 1.0;
            assert!(off.abs() < tolerance, "{} {label:?}: {} of {wanted}", net.name, state.flow_m3s[i]);
        }
    }
    assert_eq!(movers, 3 + 7, "pumps that run, and fans");
}

#[test]
fn water_is_as_warm_as_it_is_designed_for() {
    let chilled = called(plain(), "Chilled water");
    let state = design(chilled);
    let coil = link(chilled, "AHU-1-CC", Part::Consumer);
    assert!((state.leaving_c[coil] - 12.0).abs() < 0.5, "{}", state.leaving_c[coil]);
    assert!((state.node_c[chilled.network.links[coil].from] - 6.0).abs() < 0.3);
    // What the coils take up the chillers take out again, but for the pipes' own gain.
    let of = |part: Part| -> f64 {
        (0..chilled.link_part.len()).filter(|i| chilled.link_part[*i] == part).map(|i| state.heat_w[i]).sum()
    };
    assert!(of(Part::Consumer) > 300e3 && (of(Part::Source) / of(Part::Consumer) + 1.0).abs() < 0.02);
    let condenser = called(plain(), "Condenser water");
    let state = design(condenser);
    let tower = link(condenser, "CT-1", Part::Rejector);
    assert!((state.leaving_c[tower] - 27.0).abs() < 1e-9);
    let warm = state.node_c[condenser.network.links[tower].from];
    assert!((warm - 32.0).abs() < 0.3, "{warm}");
}

#[test]
fn a_chiller_and_a_coil_stand_in_two_networks() {
    let side = |name: &str, tag: &str, part: Part| {
        let net = called(plain(), name);
        net.network.links[link(net, tag, part)].id.clone()
    };
    assert_eq!(
        side("Chilled water", "CH-1", Part::Source),
        side("Condenser water", "CH-1", Part::Condenser),
        "one GlobalId"
    );
    assert_eq!(side("Chilled water", "AHU-2-CC", Part::Consumer), side("Air AHU-2", "AHU-2-CC", Part::Consumer));
    side("Heating water", "VAV-1-01", Part::Consumer);
    side("Air AHU-1", "VAV-1-01", Part::Control);
}

#[test]
fn what_is_measured_beside_the_water_sets_its_heat() {
    let heating = called(plain(), "Heating water");
    let airs = |net: &SystemNetwork, tag: &str| {
        let at = link(net, tag, Part::Consumer);
        net.drives.iter().filter(|d| matches!(d.sets, Sets::Air(l, _) if l == at)).count()
    };
    let chilled = called(plain(), "Chilled water");
    assert_eq!((airs(heating, "VAV-1-01"), airs(chilled, "AHU-1-CC"), airs(heating, "AHU-3-HC")), (3, 7, 7));
    assert_eq!(heating.emitters.len(), 12, "every radiator");

    // Half a load, all of it by one chiller: what the tower gets is that and what drives the machine.
    let condenser = called(plain(), "Condenser water");
    let value = |point: PointIndex| {
        let of = condenser.drives.iter().find(|d| d.point == point)?.sets;
        let at = |tag: &str| link(condenser, tag, Part::Condenser);
        match of {
            Sets::Running(l) if l == at("CH-2") => Some(0.0),
            Sets::Running(_) => Some(1.0),
            Sets::Drives(l) => Some(if l == at("CH-1") { 30e3 } else { 0.0 }),
            Sets::Absorbed => Some(150e3),
            _ => None,
        }
    };
    let state = Operation::new(condenser).solve(condenser, &value).clone();
    let tower = link(condenser, "CT-1", Part::Rejector);
    assert!((state.heat_w[tower] / -180e3 - 1.0).abs() < 0.01, "{}", state.heat_w[tower]);
}

#[test]
fn every_assumption_names_an_element_a_field_and_a_reason() {
    for net in &plain().networks {
        let mut seen = BTreeSet::new();
        assert!(!net.assumptions.is_empty());
        for a in &net.assumptions {
            assert!(clinic().find(&a.element).is_some(), "{}: {a:?}", net.name);
            assert!(!a.why.is_empty() && a.value.is_finite(), "{a:?}");
            assert!(seen.insert((&a.element, &a.field)), "twice: {a:?}");
            let field = if a.field.starts_with("k_") { "k_1" } else { a.field.as_str() };
            let known = crate::site::project::ASSUMED.iter().find(|(f, ..)| *f == field);
            let (_, least, most, _) = known.unwrap_or_else(|| panic!("{a:?} cannot be stated"));
            assert!((*least..=*most).contains(&a.value), "{a:?}");
        }
    }
}

#[test]
fn what_is_stated_counts_and_what_is_stated_of_nothing_is_told() {
    let before = called(plain(), "Chilled water");
    let building = stated(&[
        ("AHU-1-CC", "pressure_drop_pa", 60_000.0),
        ("CHWP-1", "speed", 0.6),
        ("NO-SUCH", "k", 1.0),
        ("CHWP-1", "width_m", 1.0),
    ]);
    let after = called(&building, "Chilled water");
    let pump = link(after, "CHWP-1", Part::Mover);
    let (slow, fast) = (design(after).flow_m3s[pump], design(before).flow_m3s[pump]);
    assert!(slow < 0.8 * fast, "{slow} {fast}");
    let told = |of: &SystemNetwork| of.assumptions.iter().filter(|a| a.why.contains("twin.toml")).count();
    assert_eq!((told(before), told(after)), (0, 2));
    let problems: Vec<String> = building.problems.iter().map(|p| format!("{} {}", p.place, p.message)).collect();
    assert!(problems.iter().any(|p| p.contains("twin.toml:3") && p.contains("NO-SUCH")), "{problems:?}");
    assert!(problems.iter().any(|p| p.contains("`width_m` of CHWP-1")), "{problems:?}");
}

#[test]
fn measured_points_set_what_they_measure() {
    let net = called(plain(), "Chilled water");
    let mut operation = Operation::new(net);
    let (pump, coil) = (link(net, "CHWP-1", Part::Mover), link(net, "AHU-1-CC", Part::Consumer));
    let whole = operation.solve(net, &|_| None).clone();
    let shut = point("AHU-1-CC-V", "position");
    let state = operation.solve(net, &|p| (p == shut).then_some(0.0)).clone();
    assert!(state.converged && state.flow_m3s[coil].abs() < 1e-9 && state.flow_m3s[pump] < whole.flow_m3s[pump]);
    let warm = point("CH-1", "supply_temperature");
    let state = operation.solve(net, &|p| (p == warm).then_some(9.0)).clone();
    assert!((state.leaving_c[link(net, "CH-1", Part::Source)] - 9.0).abs() < 1e-9);
    // The other pump takes over.
    let (one, two) = (point("CHWP-1", "running"), point("CHWP-2", "running"));
    let state = operation.solve(net, &|p| if p == one { Some(0.0) } else { (p == two).then_some(1.0) }).clone();
    let other = link(net, "CHWP-2", Part::Mover);
    assert!(state.flow_m3s[pump].abs() < 1e-9 && (state.flow_m3s[other] / whole.flow_m3s[pump] - 1.0).abs() < 0.05);
    // Nothing that is no number gets in, and the design comes back.
    let state = operation.solve(net, &|_| Some(f64::NAN)).clone();
    assert!((state.flow_m3s[pump] - whole.flow_m3s[pump]).abs() < 1e-7);
    // A stopped plant stands still and is no error.
    let state = operation.solve(net, &|p| (clinic().points[p.0 as usize].role == "running").then_some(0.0)).clone();
    assert!(state.flow_m3s.iter().all(|q| q.is_nan() || q.abs() < 1e-9));
}

#[test]
fn readings_are_of_what_is_solved() {
    let chilled = called(plain(), "Chilled water");
    let pump = link(chilled, "CHWP-1", Part::Mover);
    let reads = |net: &SystemNetwork, of: Measurand| net.readings.iter().find(|r| r.of == of).map(|r| r.point);
    assert_eq!(reads(chilled, Measurand::Flow(pump)), Some(point("CHWP-1", "flow")));
    assert_eq!(reads(chilled, Measurand::Difference(pump)), Some(point("CHWP-1", "differential_pressure")));
    let air = called(plain(), "Air AHU-1");
    let damper = link(air, "VAV-1-01", Part::Control);
    assert_eq!(reads(air, Measurand::Flow(damper)), Some(point("VAV-1-01", "airflow")));
    assert!(reads(air, Measurand::Difference(link(air, "AHU-1-FLT", Part::Filter))).is_some());
    for net in &plain().networks {
        let driven: BTreeSet<PointIndex> = net.drives.iter().map(|d| d.point).collect();
        for reading in &net.readings {
            assert!(!driven.contains(&reading.point), "{} compares what it is told", net.name);
        }
        let (links, nodes) = (net.network.links.len(), net.network.nodes.len());
        for reading in &net.readings {
            match reading.of {
                Measurand::Flow(i) | Measurand::Difference(i) | Measurand::Leaving(i) => assert!(i < links),
                Measurand::Pressure(i) | Measurand::Temperature(i) => assert!(i < nodes),
            }
        }
    }
    let all: usize = plain().networks.iter().map(|n| n.drives.len() + n.readings.len()).sum();
    assert!(all > 250, "{all}");
}
