//! The clinic's networks from its own model.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use super::*;
use crate::import;
use crate::site::graph::Graph;
use crate::site::{Project, Site, assemble};
use std::path::Path;
use std::sync::OnceLock;

/// The clinic, read once for all tests.
pub(super) fn clinic() -> &'static Site {
    static SITE: OnceLock<Site> = OnceLock::new();
    SITE.get_or_init(|| {
        let folder = std::env::var("CARGO_MANIFEST_DIR").unwrap();
        let own = Path::new(&folder).join("models/clinic");
        let folder =
            if own.is_dir() { own } else { Path::new(file!()).ancestors().nth(4).unwrap().join("models/clinic") };
        let (project, _) = crate::site::project::load(&folder).expect("the clinic's twin.toml");
        let file = folder.join("clinic-mep.ifc");
        let (model, _) = import::read(&file, &import::Progress::default()).expect("the services model");
        let _ = Project::default();
        assemble(&project, vec![(model, "mep".into())]).0
    })
}

pub(super) fn building() -> Building {
    let site = clinic();
    of_site(site, &Graph::of(site), &[])
}

pub(super) fn called<'a>(building: &'a Building, name: &str) -> &'a SystemNetwork {
    building
        .networks
        .iter()
        .find(|n| n.name == name)
        .unwrap_or_else(|| panic!("{name} of {:?}", building.networks.iter().map(|n| &n.name).collect::<Vec<_>>()))
}

#[test]
fn the_water_of_the_clinic_solves() {
    let building = building();
    for p in &building.problems {
        println!("{p}");
    }
    for net in &building.networks {
        let mut operation = Operation::new(net);
        let state = operation.solve(net, &|_| None).clone();
        println!(
            "{} ({}): {} nodes {} links, converged {} in {}, mass {:.1e} head {:.1e}, closing {:.2} W, {} assumptions",
            net.name,
            net.medium,
            net.network.nodes.len(),
            net.network.links.len(),
            state.converged,
            state.iterations,
            state.mass_residual_m3s,
            state.head_residual_m,
            state.energy_closing_w,
            net.assumptions.len()
        );
        for p in net.problems.iter().chain(&operation.problems(net)) {
            println!("   {p}");
        }
        for (i, part) in net.link_part.iter().enumerate() {
            if matches!(part, Part::Run | Part::Shutoff)
                || (matches!(part, Part::Consumer | Part::Control | Part::Balancing) && net.link_part.len() > 300)
            {
                continue;
            }
            let label = net.link_element[i].and_then(|s| clinic().element(s)).map(|e| e.label()).unwrap_or_default();
            println!(
                "   {label:12} {part:?} q {:.3} l/s of {:?}, leaves {:.1}, heat {:.0} W, setting {:.3} {:?}",
                state.flow_m3s[i] * 1e3,
                net.link_design_m3s[i].map(|q| (q * 1e6).round() / 1e3),
                state.leaving_c[i],
                state.heat_w[i],
                net.design.setting[i],
                net.network.links[i].kind,
            );
        }
    }
}
