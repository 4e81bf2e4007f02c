//! What the twin's networks say beside what the devices measure.

use super::{Emulator, FaultSpec, Settings};
use crate::simulation::building::accuracy::{Score, solved};
use crate::simulation::building::{Building, Measurand, Operation, State, SystemNetwork, of_site};
use crate::site::graph::Graph;
use crate::site::{PointIndex, Site};
use crate::time::Time;
use std::sync::OnceLock;

pub(super) fn clinic() -> &'static Site {
    static SITE: OnceLock<Site> = OnceLock::new();
    SITE.get_or_init(|| {
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("models/clinic");
        let (project, _) = crate::site::project::load(&folder).unwrap();
        let models = project.models.iter().map(|m| crate::import::read(&m.file, &Default::default()).unwrap().0);
        crate::site::assemble(&project, models.map(|m| (m, String::new())).collect()).0
    })
}

pub(super) fn networks() -> &'static Building {
    static BUILDING: OnceLock<Building> = OnceLock::new();
    BUILDING.get_or_init(|| of_site(clinic(), &Graph::of(clinic()), &[]))
}

/// A reading beside the solution: which point, measured, solved, over its scale.
#[derive(Clone, Copy, Debug)]
pub(super) struct Beside {
    pub point: PointIndex,
    pub of: Measurand,
    pub measured: f64,
    pub solved: f64,
    pub relative: f64,
}

/// Whether what a reading measures means something: fluid that stands tells nothing of temperature or pressure.
fn tells(net: &SystemNetwork, state: &State, of: Measurand) -> bool {
    let most = state.flow_m3s.iter().filter(|q| q.is_finite()).fold(0.0, |m: f64, q| m.max(q.abs()));
    let flows = |l: usize| state.flow_m3s[l].abs() > 1e-3 * most;
    match of {
        Measurand::Leaving(l) | Measurand::Difference(l) => flows(l),
        Measurand::Temperature(n) => {
            net.network.links.iter().enumerate().any(|(i, l)| (l.from == n || l.to == n) && flows(i))
        }
        Measurand::Flow(_) | Measurand::Pressure(_) => true,
    }
}

pub(super) fn beside(emulator: &Emulator, net: &SystemNetwork, operation: &mut Operation) -> Vec<Beside> {
    let state = operation.solve(net, &|p| emulator.read(p)).clone();
    let mut out = Vec::new();
    for r in &net.readings {
        let Some(measured) = emulator.read(r.point) else { continue };
        if !tells(net, &state, r.of) {
            continue;
        }
        let solved = solved(net, &state, r.of);
        let relative = (measured - solved) / r.of.scale(net.domain, measured);
        if relative.is_finite() {
            out.push(Beside { point: r.point, of: r.of, measured, solved, relative });
        }
    }
    out
}

#[test]
fn the_twin_beside_a_healthy_plant() {
    let site = clinic();
    for start in ["2026-05-11T09:00:00Z", "2026-01-14T08:00:00Z", "2026-07-15T10:00:00Z"] {
        let (mut e, problems) = Emulator::new(site, Settings { seed: 1, start: Time::parse(start).unwrap() });
        println!("=== {start} {problems:?}");
        e.step(3600.0);
        let mut all = Vec::new();
        for net in &networks().networks {
            let mut operation = Operation::new(net);
            let found = beside(&e, net, &mut operation);
            let score = Score::of(found.iter().map(|b| b.relative));
            println!("--- {} {score:?}", net.name);
            for b in &found {
                let p = &site.points[b.point.0 as usize];
                if b.relative.abs() > 0.05 || std::env::var("ALL").is_ok() {
                    println!(
                        "   {:40} {:?} measured {:.6} solved {:.6} rel {:.2}",
                        p.id, b.of, b.measured, b.solved, b.relative
                    );
                }
            }
            all.extend(found);
        }
        println!("all {:?}", Score::of(all.iter().map(|b| b.relative)));
    }
    let _ = FaultSpec::parse("leak@0");
}
