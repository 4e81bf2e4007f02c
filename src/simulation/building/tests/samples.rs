//! Models from other hands, where `PLENUM_SAMPLES` says where they are: joints are inferred, and whatever is missing
//! is told.

use super::super::*;
use crate::import;
use crate::site::assemble;
use crate::site::graph::Graph;
use crate::site::project::Project;
use std::path::Path;

#[test]
fn models_from_other_hands_solve_or_say_why_not() {
    let Ok(folder) = std::env::var("PLENUM_SAMPLES") else { return };
    for name in ["pcert-hvac.ifc", "duplex-electrical.ifc", "duplex-architecture.ifc"] {
        let file = Path::new(&folder).join("ifc").join(name);
        let (model, _) = import::read(&file, &import::Progress::default()).expect(name);
        let (site, _) = assemble(&Project::default(), vec![(model, String::new())]);
        let building = of_site(&site, &Graph::of(&site), &[]);
        println!("{name}: {} networks", building.networks.len());
        for problem in &building.problems {
            println!("  {problem}");
        }
        for net in &building.networks {
            let mut operation = Operation::new(net);
            let state = operation.solve(net, &|_| None).clone();
            println!(
                "  {} ({}): {} links, converged {}, {:.1e} {:.1e} {:.1e} W, {} assumptions",
                net.name,
                net.medium,
                net.network.links.len(),
                state.converged,
                state.mass_residual_m3s,
                state.head_residual_m,
                state.energy_closing_w,
                net.assumptions.len()
            );
            for problem in net.problems.iter().chain(&operation.problems(net)) {
                println!("     {problem}");
            }
            assert!(state.converged, "{name} {}", net.name);
            for a in &net.assumptions {
                assert!(site.find(&a.element).is_some() && !a.why.is_empty(), "{a:?}");
            }
            let drives = net.network.links.iter().any(|l| {
                use crate::simulation::network::LinkKind;
                matches!(l.kind, LinkKind::Pump(_) | LinkKind::Fan(_))
            });
            assert!(drives || !net.problems.is_empty() || state.flow_m3s.iter().any(|q| q.is_finite()), "{}", net.name);
        }
        if name != "pcert-hvac.ifc" {
            assert!(!building.problems.is_empty(), "{name} has no network, and says so");
        }
    }
}

/// The clinic without a single port: its joints are inferred from its bodies.
#[test]
fn a_model_without_ports_has_the_same_networks() {
    use crate::demo::variant::{Variant, services};
    let made = services(1, &Variant { ports: false, ..Variant::default() });
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("a.ifc");
    std::fs::write(&file, made.text).unwrap();
    let (model, _) = import::read(&file, &import::Progress::default()).unwrap();
    let (site, _) = assemble(&Project::default(), vec![(model, String::new())]);
    let building = of_site(&site, &Graph::of(&site), &[]);
    for problem in &building.problems {
        println!("  {problem}");
    }
    let mut solved = Vec::new();
    for net in &building.networks {
        let mut operation = Operation::new(net);
        let state = operation.solve(net, &|_| None).clone();
        let moved: Vec<f64> = (0..net.link_part.len())
            .filter(|i| net.link_part[*i] == Part::Mover)
            .map(|i| state.flow_m3s[i] * 1e3)
            .collect();
        println!(
            "  {} ({}): {} links, converged {}, moved {moved:?} l/s, {} assumptions, {:?}",
            net.name,
            net.medium,
            net.network.links.len(),
            state.converged,
            net.assumptions.len(),
            net.problems
        );
        assert!(state.converged, "{}", net.name);
        if moved.iter().any(|q| *q > 0.1) {
            solved.push(net.medium.as_str());
        }
    }
    for medium in ["chilled water", "heating water", "condenser water", "air"] {
        assert!(solved.contains(&medium), "{medium} of {solved:?}");
    }
}
