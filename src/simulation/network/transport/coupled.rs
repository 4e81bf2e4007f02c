//! Flow and temperature together: warm water is lighter and thinner, and that changes its flow.
//!
//! The solver counts with one fluid. What a pipe's own density and viscosity change in its loss, and the
//! buoyancy of its column, comes back to it as a head put in by the link
//! ([`Boundary::head_gain`](crate::simulation::network::Boundary)); a few rounds of solve and carry bring both
//! together. Chimney effect and gravity circulation come out of the same term.

use super::sections::{Profiles, Run, Sections};
use crate::problem::Problem;
use crate::simulation::fluid::Fluid;
use crate::simulation::network::friction::{Darcy, TURBULENT_BEGIN};
use crate::simulation::network::{Accuracy, Boundary, Friction, Link, LinkKind, Network, Solution, Solver};
use crate::simulation::thermal::bisect;
use std::f64::consts::PI;

/// Rounds at the most.
const ROUNDS: usize = 30;
/// Heads that change by less end it, m.
const SETTLED_M: f64 = 1e-6;

/// What a coupled solve is asked.
#[derive(Clone, Copy, Debug)]
pub struct Coupling<'a> {
    /// The network.
    pub network: &'a Network,
    /// Height of each node, m.
    pub height_m: &'a [f64],
    /// What warms or cools.
    pub runs: &'a [Run],
    /// Temperature of what flows in at a node, °C.
    pub inlets: &'a [(usize, f64)],
    /// Where nothing flows, °C.
    pub start_c: f64,
    /// What flows.
    pub fluid: Fluid,
    /// Pressure of the air, Pa.
    pub atmosphere_pa: f64,
}

/// Flow and temperature that belong together.
#[derive(Clone, Debug, Default)]
pub struct Coupled {
    /// Heads and flows, by the network's own fluid.
    pub solution: Solution,
    /// Temperatures and velocities.
    pub sections: Sections,
    /// Rounds of solve and carry.
    pub rounds: usize,
    /// Whether they settled.
    pub settled: bool,
}

impl Coupling<'_> {
    /// Solves for a boundary; its head gains are kept and added to.
    pub fn solve(&self, solver: &mut Solver, boundary: &Boundary, accuracy: Accuracy) -> (Coupled, Vec<Problem>) {
        let mut now = boundary.clone();
        now.head_gain.resize(self.network.links.len(), 0.0);
        let mut run_of = vec![None; self.network.links.len()];
        for (i, run) in self.runs.iter().enumerate() {
            if let Some(slot) = run_of.get_mut(run.link) {
                *slot = Some(i);
            }
        }
        let mut out = Coupled::default();
        let mut problems = Vec::new();
        let mut means = Vec::new();
        for round in 1..=ROUNDS {
            out.rounds = round;
            out.solution = solver.solve(&now, accuracy).clone();
            let profiles = Profiles {
                network: self.network,
                flow_m3s: &out.solution.flow,
                head_m: &out.solution.head,
                height_m: self.height_m,
                runs: self.runs,
                inlets: self.inlets,
                start_c: self.start_c,
                fluid: self.fluid,
                atmosphere_pa: self.atmosphere_pa,
            };
            (out.sections, problems) = profiles.solve();
            let mut change = 0.0f64;
            for (i, link) in self.network.links.iter().enumerate() {
                let run = run_of.get(i).copied().flatten();
                let ends = [link.from, link.to].map(|n| out.sections.node_c.get(n).copied().unwrap_or(self.start_c));
                let own = [0.5 * (ends[0] + ends[1])];
                let along = run.and_then(|r| out.sections.along_c.get(r)).filter(|a| !a.is_empty());
                let flow = out.solution.flow.get(i).copied().unwrap_or(0.0);
                let fluid = self.fluid_in(link, &out.solution.head);
                let gain = match along {
                    // Between what enters a section and what leaves it, halfway.
                    Some(along) if flow >= 0.0 => {
                        let before = ends.iter().take(1).chain(along);
                        means.clear();
                        means.extend(before.zip(along).map(|(a, b)| 0.5 * (a + b)));
                        self.gain(link, &fluid, &means, flow)
                    }
                    Some(along) => {
                        let after = along.iter().skip(1).chain(ends.get(1));
                        means.clear();
                        means.extend(along.iter().zip(after).map(|(a, b)| 0.5 * (a + b)));
                        self.gain(link, &fluid, &means, flow)
                    }
                    None => self.gain(link, &fluid, &own, flow),
                };
                let gain = boundary.head_gain.get(i).copied().unwrap_or(0.0) + gain;
                if let Some(slot) = now.head_gain.get_mut(i).filter(|_| gain.is_finite()) {
                    change = change.max((gain - *slot).abs());
                    *slot = gain;
                }
            }
            if change < SETTLED_M {
                out.settled = true;
                break;
            }
        }
        if !out.settled {
            problems.push(Problem::warning(
                "network",
                format!("flow and temperature have not settled on each other in {ROUNDS} rounds"),
                "look for a circuit that only buoyancy drives, or give the fluid constant properties",
            ));
        }
        (out, problems)
    }

    /// What flows in a link: water and air by the pressure that they have there.
    fn fluid_in(&self, link: &Link, heads: &[f64]) -> Fluid {
        let pressure = |n: usize| {
            let head = heads.get(n).copied().filter(|h| h.is_finite())?;
            Some(self.atmosphere_pa + (head - self.height_m.get(n).copied().unwrap_or(0.0)) * self.network.pa_per_m())
        };
        match (pressure(link.from), pressure(link.to)) {
            (Some(a), Some(b)) => self.fluid.at_pressure(0.5 * (a + b)),
            _ => self.fluid,
        }
    }

    /// Head that a link's own temperatures put in, m of the network's fluid.
    fn gain(&self, link: &Link, real: &Fluid, along: &[f64], flow: f64) -> f64 {
        let fluid = &self.network.fluid;
        let n = along.len().max(1) as f64;
        let at = |node: usize| self.height_m.get(node).copied().unwrap_or(0.0);
        let density = |celsius: f64| real.density_kg_m3(celsius);
        let mean = along.iter().map(|t| density(*t)).sum::<f64>() / n;
        let buoyancy = (at(link.to) - at(link.from)) * (1.0 - mean / fluid.density);
        let (length, diameter, area, roughness, minor) = match &link.kind {
            LinkKind::Pipe(p) => match p.friction {
                Friction::DarcyWeisbach(e) => (p.length, p.diameter, 0.25 * PI * p.diameter * p.diameter, e, p.minor),
                // Their coefficients know of no viscosity.
                Friction::HazenWilliams(_) | Friction::ChezyManning(_) => return buoyancy,
            },
            LinkKind::Duct(d) => (d.length, d.hydraulic_diameter, d.area, d.roughness, d.minor),
            _ => return buoyancy,
        };
        let gravity = self.network.gravity();
        let on_flow = minor / (2.0 * gravity * area * area);
        let loss = |viscosity: f64, flow: f64, share: f64| {
            Darcy::new(length * share, diameter, area, roughness, viscosity, gravity, on_flow * share).at(flow).0
        };
        let counted = loss(fluid.viscosity, flow, 1.0);
        let resists: f64 = along
            .iter()
            .map(|celsius| {
                let rho = density(*celsius);
                let lighter = rho / fluid.density;
                let (viscosity, flow) = (real.viscosity_pa_s(*celsius) / rho, flow / lighter);
                // Metres of this fluid, and then of the network's.
                let re = flow.abs() * diameter / (area * viscosity);
                if re <= 0.0 {
                    return 0.0;
                }
                let velocity = flow / area;
                let f = friction_factor(re, roughness / diameter);
                (f * length / diameter + minor) / n * velocity * velocity.abs() / (2.0 * gravity) * lighter
            })
            .sum();
        buoyancy + counted - resists
    }
}

/// Friction factor at any Reynolds number: `64/Re`, Colebrook's from 4000 on, and between them a cubic of
/// `log Re` by `log(f·Re²)` that leaves the laminar line where the roughness ends it: I. E. Idelchik, "Handbook
/// of Hydraulic Resistance", diagram 2-3: `Re₁ = (745·e^min(1, 0.0065·d/ε))^0.97`. The rougher, the sooner.
fn friction_factor(re: f64, relative_roughness: f64) -> f64 {
    let rough = relative_roughness.max(0.0);
    let begin = (745.0 * (0.0065 / rough.max(0.0065)).exp()).powf(0.97).min(0.99 * TURBULENT_BEGIN);
    if re <= begin {
        return 64.0 / re;
    }
    if re >= TURBULENT_BEGIN {
        return colebrook(re, rough);
    }
    // log Re by x = log(f·Re²): the laminar line has the slope 1.
    let turbulent = |re: f64| (colebrook(re, rough) * re * re).ln();
    let (x0, y0) = ((64.0 * begin).ln(), begin.ln());
    let (x1, y1) = (turbulent(TURBULENT_BEGIN), TURBULENT_BEGIN.ln());
    let slope = 1.001f64.ln() / (turbulent(1.001 * TURBULENT_BEGIN) - x1);
    let width = x1 - x0;
    // Hermite's cubic, and where it has this Reynolds number.
    let y = |t: f64| {
        y0 * (1.0 + 2.0 * t) * (1.0 - t).powi(2)
            + width * t * (1.0 - t).powi(2)
            + y1 * t * t * (3.0 - 2.0 * t)
            + slope * width * t * t * (t - 1.0)
    };
    let t = bisect(0.0, 1.0, true, |t| y(t) - re.ln());
    (x0 + t * width).exp() / (re * re)
}

/// Friction factor of turbulent flow by C. F. Colebrook, "Turbulent flow in pipes", J. Inst. Civ. Eng. 11
/// (1939): `1/√f = −2·log(ε/3.7d + 2.51/(Re·√f))`, by Newton's method on 1/√f.
fn colebrook(re: f64, relative_roughness: f64) -> f64 {
    let (rough, fine) = (relative_roughness.max(0.0) / 3.7, 2.51 / re);
    let mut x = 7.0;
    for _ in 0..20 {
        let inside = rough + fine * x;
        let step = (x + 2.0 * inside.log10()) / (1.0 + 2.0 * fine / (inside * std::f64::consts::LN_10));
        x -= step;
        if step.abs() < 1e-13 * x {
            break;
        }
    }
    1.0 / (x * x)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::simulation::network::{Command, Junction, Node, NodeKind, Pipe};

    #[test]
    fn colebrooks_law() {
        for (re, rough) in [(4e3, 0.0), (1e5, 1e-3), (1e7, 0.02)] {
            let f = colebrook(re, rough);
            let right = -2.0 * (rough / 3.7 + 2.51 / (re * f.sqrt())).log10();
            assert!((1.0 / f.sqrt() - right).abs() < 1e-12);
        }
        // Moody's chart: Re 1e5 at 0.001 is 0.0222.
        assert!((colebrook(1e5, 1e-3) - 0.0222).abs() < 1e-4);
    }

    #[test]
    fn friction_has_no_jump() {
        for rough in [0.0, 1e-3, 0.01, 0.05] {
            let mut before = friction_factor(300.0, rough) * 300.0 * 300.0;
            for re in (301..6000).map(f64::from) {
                let now = friction_factor(re, rough) * re * re;
                assert!(now > before && now < 1.03 * before, "Re {re}, roughness {rough}");
                before = now;
            }
        }
        assert_eq!(friction_factor(1000.0, 1e-3), 0.064);
        assert!(friction_factor(2000.0, 0.02) > 1.1 * 64.0 / 2000.0, "rough pipes leave the laminar line early");
    }

    #[test]
    fn a_circuit_turns_by_its_own_weight() {
        // A boiler below, a radiator 6 m above it: rising pipe hot, falling pipe cold, no pump.
        let node = |id: &str| Node { id: id.into(), elevation: 0.0, kind: NodeKind::Junction(Junction::default()) };
        let mut nodes = vec![node("boiler in"), node("boiler out"), node("radiator in"), node("radiator out")];
        nodes.push(Node { id: "vessel".into(), elevation: 20.0, kind: NodeKind::Reservoir { pattern: None } });
        let link = |from: usize, to: usize, length: f64| Link {
            id: format!("{from}-{to}"),
            from,
            to,
            kind: LinkKind::Pipe(Pipe {
                length,
                diameter: 0.04,
                friction: Friction::DarcyWeisbach(5e-5),
                minor: 2.0,
                check: false,
                leak: None,
            }),
            command: Command::Auto,
            setting: 0.0,
            head_gain: 0.0,
        };
        let links = vec![link(0, 1, 1.0), link(1, 2, 6.0), link(2, 3, 1.0), link(3, 0, 6.0), link(4, 0, 1.0)];
        let mut network = Network { nodes, links, ..Network::default() };
        network.fluid.viscosity = 1e-6;
        let run = |link, ua_w_k, heat_w| Run { link, sections: 8, ua_w_k, ambient_c: 20.0, heat_w };
        let coupling = Coupling {
            network: &network,
            height_m: &[0.0, 0.0, 6.0, 6.0, 0.0],
            runs: &[run(0, 0.0, 5000.0), run(2, 120.0, 0.0)],
            inlets: &[],
            start_c: 60.0,
            fluid: Fluid::default(),
            atmosphere_pa: 101_325.0,
        };
        let (mut solver, problems) = Solver::new(&network);
        assert!(problems.is_empty(), "{problems:?}");
        // Buoyancy alone needs a nudge in one direction, as it does in a house.
        let mut boundary = network.boundary();
        boundary.head_gain[0] = 0.002;
        let (c, problems) = coupling.solve(&mut solver, &boundary, Accuracy::both(1e-10));
        assert!(c.settled && problems.is_empty(), "{problems:?} {}", c.rounds);
        let flow = c.solution.flow[1];
        assert!(flow > 5e-5, "{flow}");
        // What drives is what resists, and the heat comes and goes.
        let (hot, cold) = (c.sections.node_c[1], c.sections.node_c[3]);
        assert!(
            (flow * 998.2 * 4180.0 * (hot - cold) - 5000.0).abs() < 50.0 && (c.sections.lost_w - 5000.0).abs() < 40.0
        );
        let weight = |t: f64| coupling.fluid.density_kg_m3(t);
        let drive = 6.0 * (weight(cold) - weight(hot)) / 998.2 + 0.002;
        let loss: f64 = [(0, hot), (1, hot), (2, cold), (3, cold)]
            .map(|(l, t): (usize, f64)| {
                let LinkKind::Pipe(p) = &network.links[l].kind else { panic!("a pipe") };
                let v = flow * 998.2 / weight(t) / (0.25 * PI * 0.0016);
                let re = v * 0.04 * weight(t) / coupling.fluid.viscosity_pa_s(t);
                let f = 0.25 / (5e-5 / (3.7f64 * 0.04) + 5.74 / re.powf(0.9)).log10().powi(2);
                (f * p.length / 0.04 + 2.0) * v * v / (2.0 * 9.80665) * weight(t) / 998.2
            })
            .iter()
            .sum();
        assert!((drive / loss - 1.0).abs() < 0.05, "{drive} m drive, {loss} m resist");
    }
}
