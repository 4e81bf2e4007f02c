//! Where temperatures settle.

use super::order::{Carried, Order};
use super::{Directed, Flow, LinkHeat, NodeHeat, Profile};
use crate::problem::Problem;
use crate::simulation::fluid::Fluid;

/// Temperatures on a flow that does not change, and where its heat goes.
#[derive(Clone, Debug, Default)]
pub struct Steady {
    /// At each node, °C.
    pub node_c: Vec<f64>,
    /// At the end of each link where its flow leaves it, °C.
    pub leaving_c: Vec<f64>,
    /// Along each link from its first to its second end, one for each section, °C: `sections_c[starts[i]..starts[i + 1]]`.
    /// A mixed section has one temperature; of a plug it is that of its downstream end.
    pub sections_c: Vec<f64>,
    /// Where the sections of each link begin; one more than there are links.
    pub starts: Vec<usize>,
    /// Heat that each link gives to its surroundings, W.
    pub lost_w: Vec<f64>,
    /// Heat that each link puts into the fluid by its own doing (its heat, or holding a temperature), W.
    pub given_w: Vec<f64>,
    /// Heat that comes in with the fluid from outside, above 0 °C, W.
    pub fed_w: f64,
    /// Heat that leaves with the fluid that is drawn, above 0 °C, W.
    pub drawn_w: f64,
    /// What the balance of the whole network lacks, W: in − out of everything above.
    pub closing_w: f64,
    /// How often the fluid's properties were brought up to date.
    pub passes: u32,
}

impl Steady {
    /// Temperatures along a link, °C.
    pub fn along(&self, link: usize) -> &[f64] {
        let at = |i: usize| self.starts.get(i).copied().unwrap_or(self.sections_c.len());
        self.sections_c.get(at(link)..at(link + 1)).unwrap_or_default()
    }
}

/// How a link passes a temperature on: `a·T + b`, by the heat capacity flow, W/K.
fn passes_on(link: &LinkHeat, capacity_w_k: f64) -> (f64, f64) {
    if let Some(celsius) = link.leaves_c {
        return (0.0, celsius);
    }
    let ua = link.ua_w_k.max(0.0);
    let x = ua / capacity_w_k;
    let n = f64::from(link.parts());
    let kept = match link.profile {
        Profile::Plug => (-x).exp(),
        Profile::Mixed => (1.0 + x / n).powf(-n),
    };
    // (1 − kept)/UA, which is 1/C for a tight link.
    let reached = match link.profile {
        Profile::Plug if x > 0.0 => -(-x).exp_m1() / ua,
        Profile::Mixed if x > 0.0 => -(-n * (x / n).ln_1p()).exp_m1() / ua,
        _ => 1.0 / capacity_w_k,
    };
    (kept, reached * (ua * link.ambient_c + link.heat_w))
}

/// Mean specific heat between two temperatures, J/(kg·K).
fn mean_heat(fluid: &Fluid, a: f64, b: f64) -> f64 {
    if (a - b).abs() < 0.01 {
        fluid.specific_heat_j_kg_k(0.5 * (a + b))
    } else {
        (fluid.enthalpy_j_kg(a) - fluid.enthalpy_j_kg(b)) / (a - b)
    }
}

/// Temperatures on a steady flow. A link or node that has no entry has the default one.
///
/// Problems: flows that are no numbers, supplies without a temperature, and circuits in which nothing sets
/// a temperature (no supply, no losses, no equipment): they keep [`NodeHeat::start_c`].
pub fn steady(flow: &Flow, links: &[LinkHeat], nodes: &[NodeHeat], fluid: &Fluid) -> (Steady, Vec<Problem>) {
    let mut problems = super::unsound(links, nodes);
    let (directed, wrong) = Directed::new(flow);
    for i in wrong {
        problems.push(Problem::error(
            format!("link {i}"),
            "its flow is no number, or it hangs on a node that is not there; it carries nothing",
            "look at the solve that gave this flow",
        ));
    }
    let count = directed.ends.len();
    let heat_of = |i: usize| links.get(i).copied().unwrap_or_default().sound();
    let node_of = |n: usize| nodes.get(n).copied().unwrap_or_default().sound();
    let order = Order::new(flow.nodes, directed.ends.iter().copied(), |i| heat_of(i).leaves_c.is_some());

    let inlet: Vec<f64> = (0..flow.nodes)
        .map(|n| match (node_of(n).inlet_c.filter(|c| c.is_finite()), directed.fed.get(n)) {
            (Some(celsius), _) => celsius,
            (None, Some(fed)) if *fed > 0.0 => {
                let start = node_of(n).start_c;
                problems.push(Problem::warning(
                    format!("node {n}"),
                    format!("{fed:.4} kg/s flow in here with no temperature given; {start} °C is taken"),
                    "give the supply a temperature",
                ));
                start
            }
            _ => node_of(n).start_c,
        })
        .collect();
    let tied = |group: &[u32]| {
        group.iter().any(|n| {
            directed.fed.get(*n as usize).is_some_and(|fed| *fed > 0.0)
                || order.incoming(*n as usize).iter().any(|i| {
                    let up = directed.ends.get(*i as usize).copied().flatten().map(|(up, _)| up);
                    let from_outside = up.is_some_and(|up| order.group_of(up) != order.group_of(*n));
                    let link = heat_of(*i as usize);
                    from_outside || link.leaves_c.is_some() || link.ua_w_k > 0.0
                })
        })
    };

    let mut node_c: Vec<f64> = inlet.clone();
    let mut leaving: Vec<f64> = (0..count)
        .map(|i| {
            directed.ends.get(i).copied().flatten().and_then(|(up, _)| node_c.get(up as usize).copied()).unwrap_or(20.0)
        })
        .collect();
    let mut capacity = vec![0.0; count];
    let mut carried: Vec<Option<Carried>> = vec![None; count];
    let mut loose = Vec::new();
    let mut passes = 0;
    // Newton's method on the enthalpies: their slope is nearly the same everywhere, so a few passes do.
    for pass in 1..=30 {
        passes = pass;
        let mut right: Vec<f64> = (0..flow.nodes).map(|n| node_of(n).heat_w).collect();
        let mut diagonal = vec![0.0; flow.nodes];
        for (n, ((through, fed), celsius)) in directed.through.iter().zip(&directed.fed).zip(&node_c).enumerate() {
            let cp = fluid.specific_heat_j_kg_k(*celsius);
            diagonal[n] = through * cp;
            right[n] += fed * fluid.enthalpy_j_kg(inlet[n]) - through * (fluid.enthalpy_j_kg(*celsius) - cp * celsius);
        }
        for i in 0..count {
            let Some((up, down)) = directed.ends[i] else { continue };
            let entering = node_c[up as usize];
            capacity[i] = directed.mass[i] * mean_heat(fluid, entering, leaving[i]);
            let (a, b) = passes_on(&heat_of(i), capacity[i]);
            leaving[i] = a * entering + b;
            let cp = fluid.specific_heat_j_kg_k(leaving[i]);
            carried[i] = Some(Carried { up, w: directed.mass[i] * cp, a, b });
            right[down as usize] += directed.mass[i] * (fluid.enthalpy_j_kg(leaving[i]) - cp * leaving[i]);
        }
        let before = node_c.clone();
        loose = order.solve(&carried, &diagonal, &right, tied, &mut node_c);
        let mut change = 0.0f64;
        for i in 0..count {
            let Some(c) = carried[i] else { continue };
            let now = c.a * node_c[c.up as usize] + c.b;
            change = change.max((now - leaving[i]).abs());
            leaving[i] = now;
        }
        for (a, b) in before.iter().zip(&node_c) {
            change = change.max((a - b).abs());
        }
        if change < 1e-9 || !change.is_finite() {
            break;
        }
    }
    for (n, celsius) in node_c.iter_mut().enumerate().filter(|(_, c)| !c.is_finite()) {
        *celsius = node_of(n).start_c;
        problems.push(Problem::warning(
            format!("node {n}"),
            "its temperature is beyond all numbers; its start is shown",
            "look at the heat that is put in near it: it is too much for its flow",
        ));
    }
    for n in loose {
        problems.push(Problem::warning(
            format!("node {n}"),
            "nothing sets a temperature in the circuit through this node: no supply, no losses, no equipment",
            "give a link of the circuit a leaving temperature or a loss to its surroundings",
        ));
    }

    let mut out = Steady { node_c, leaving_c: leaving, passes, ..Steady::default() };
    finish(&mut out, flow, &directed, &inlet, &capacity, &heat_of, &node_of, fluid);
    (out, problems)
}

/// Profiles along the links, and the balance, both from the temperatures alone.
fn finish(
    out: &mut Steady,
    flow: &Flow,
    directed: &Directed,
    inlet: &[f64],
    capacity: &[f64],
    heat_of: &impl Fn(usize) -> LinkHeat,
    node_of: &impl Fn(usize) -> NodeHeat,
    fluid: &Fluid,
) {
    let mut closing = 0.0;
    out.starts.push(0);
    for (i, end) in directed.ends.iter().enumerate() {
        let link = heat_of(i);
        let n = link.parts();
        let start = out.sections_c.len();
        let (mut lost, mut given) = (0.0, 0.0);
        if let Some((up, _)) = end {
            let entering = out.node_c.get(*up as usize).copied().unwrap_or(0.0);
            let (mass, c) = (directed.mass[i], capacity[i]);
            let taken = mass * (fluid.enthalpy_j_kg(out.leaving_c[i]) - fluid.enthalpy_j_kg(entering));
            if link.leaves_c.is_some() {
                given = taken;
                out.sections_c
                    .extend((1..=n).map(|k| entering + (out.leaving_c[i] - entering) * f64::from(k) / f64::from(n)));
            } else {
                let part = LinkHeat {
                    ua_w_k: link.ua_w_k / f64::from(n),
                    heat_w: link.heat_w / f64::from(n),
                    sections: 1,
                    ..link
                };
                let (a, b) = passes_on(&part, c);
                let mut celsius = entering;
                for _ in 0..n {
                    let next = a * celsius + b;
                    // What a mixed section loses at its one temperature; of a plug, its mean.
                    let mean = match link.profile {
                        Profile::Mixed => next,
                        Profile::Plug if part.ua_w_k > 1e-9 * c => {
                            part.ambient_c + (part.heat_w + c * (celsius - next)) / part.ua_w_k
                        }
                        Profile::Plug => 0.5 * (celsius + next),
                    };
                    lost += part.ua_w_k.max(0.0) * (mean - part.ambient_c);
                    celsius = next;
                    out.sections_c.push(celsius);
                }
                given = link.heat_w;
            }
        } else {
            // Nothing moves: it has come to its surroundings, or to what its heat and its losses agree on.
            let still = match link.leaves_c {
                Some(celsius) => celsius,
                None if link.ua_w_k > 0.0 => link.ambient_c + link.heat_w / link.ua_w_k,
                None => {
                    let at = |ends: &[u32]| ends.get(i).and_then(|n| out.node_c.get(*n as usize).copied());
                    let known: Vec<f64> = [at(flow.from), at(flow.to)].into_iter().flatten().collect();
                    if known.is_empty() {
                        NodeHeat::default().start_c
                    } else {
                        known.iter().sum::<f64>() / known.len() as f64
                    }
                }
            };
            out.leaving_c[i] = still;
            out.sections_c.extend((0..n).map(|_| still));
            if link.leaves_c.is_none() && link.ua_w_k > 0.0 {
                (lost, given) = (link.heat_w, link.heat_w);
            }
        }
        // Sections are told from the first to the second end, the flow may run the other way.
        if directed.against.get(i) == Some(&true)
            && let Some(sections) = out.sections_c.get_mut(start..)
        {
            sections.reverse();
        }
        out.starts.push(out.sections_c.len());
        closing += given - lost;
        out.lost_w.push(lost);
        out.given_w.push(given);
    }
    for (n, ((fed, drawn), celsius)) in directed.fed.iter().zip(&directed.drawn).zip(&out.node_c).enumerate() {
        if *fed > 0.0 {
            out.fed_w += fed * fluid.enthalpy_j_kg(inlet[n]);
        }
        if *drawn > 0.0 {
            out.drawn_w += drawn * fluid.enthalpy_j_kg(*celsius);
        }
        if directed.through[n] > 0.0 {
            closing += node_of(n).heat_w;
        }
    }
    out.closing_w = closing + out.fed_w - out.drawn_w;
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const PLAIN: Fluid = Fluid::Constant {
        density_kg_m3: 1000.0,
        specific_heat_j_kg_k: 4200.0,
        viscosity_pa_s: 1e-3,
        conductivity_w_m_k: 0.6,
    };

    fn supply(celsius: f64) -> NodeHeat {
        NodeHeat { inlet_c: Some(celsius), ..NodeHeat::default() }
    }

    #[test]
    fn a_pipe_cools_by_the_exponential() {
        let pipe = |profile| LinkHeat { ua_w_k: 4200.0, ambient_c: 10.0, sections: 4, profile, ..LinkHeat::default() };
        let flow = Flow { nodes: 2, from: &[0], to: &[1], mass_kg_s: &[2.0] };
        let (s, problems) = steady(&flow, &[pipe(Profile::Plug)], &[supply(70.0)], &PLAIN);
        assert!(problems.is_empty());
        assert!((s.node_c[1] - (10.0 + 60.0 * (-0.5f64).exp())).abs() < 1e-9);
        assert!((s.along(0)[1] - (10.0 + 60.0 * (-0.25f64).exp())).abs() < 1e-9 && s.along(0).len() == 4);
        assert!((s.lost_w[0] - 8400.0 * (70.0 - s.node_c[1])).abs() < 1e-6 && s.closing_w.abs() < 1e-6);
        // Four mixed volumes: (1 + 0.125)⁻⁴. With many they come to the plug.
        let (s, _) = steady(&flow, &[pipe(Profile::Mixed)], &[supply(70.0)], &PLAIN);
        assert!((s.node_c[1] - (10.0 + 60.0 * 1.125f64.powi(-4))).abs() < 1e-9 && s.closing_w.abs() < 1e-6);
        let many = LinkHeat { sections: 10_000, ..pipe(Profile::Mixed) };
        let (s, _) = steady(&flow, &[many], &[supply(70.0)], &PLAIN);
        assert!((s.node_c[1] - (10.0 + 60.0 * (-0.5f64).exp())).abs() < 2e-3);
        // Drawn from its second end the same, read backwards.
        let back = Flow { mass_kg_s: &[-2.0], ..flow };
        let (s, _) = steady(&back, &[pipe(Profile::Plug)], &[NodeHeat::default(), supply(70.0)], &PLAIN);
        assert!((s.along(0)[2] - (10.0 + 60.0 * (-0.25f64).exp())).abs() < 1e-9);
    }

    #[test]
    fn a_heated_tight_pipe_and_a_heated_leaky_one() {
        let flow = Flow { nodes: 2, from: &[0], to: &[1], mass_kg_s: &[0.5] };
        let tight = LinkHeat { heat_w: 21_000.0, ..LinkHeat::default() };
        let (s, _) = steady(&flow, &[tight], &[supply(20.0)], &PLAIN);
        assert!((s.node_c[1] - 30.0).abs() < 1e-9);
        // T → Ta + Q/UA for a long one.
        let long = LinkHeat { heat_w: 1000.0, ua_w_k: 1e6, ambient_c: 15.0, ..LinkHeat::default() };
        let (s, _) = steady(&flow, &[long], &[supply(90.0)], &PLAIN);
        assert!((s.node_c[1] - 15.001).abs() < 1e-9 && s.closing_w.abs() < 1e-6, "{s:?}");
    }

    #[test]
    fn streams_mix_by_their_enthalpy() {
        let flow = Flow { nodes: 4, from: &[0, 1, 2], to: &[2, 2, 3], mass_kg_s: &[1.0, 3.0, 4.0] };
        let (s, _) = steady(&flow, &[], &[supply(80.0), supply(20.0)], &PLAIN);
        assert!((s.node_c[3] - 35.0).abs() < 1e-9 && s.closing_w.abs() < 1e-6);
        let water = Fluid::default();
        let (s, _) = steady(&flow, &[], &[supply(80.0), supply(20.0)], &water);
        let by_enthalpy =
            water.celsius_at_enthalpy(0.25 * water.enthalpy_j_kg(80.0) + 0.75 * water.enthalpy_j_kg(20.0));
        assert!((s.node_c[3] - by_enthalpy).abs() < 1e-6 && s.closing_w.abs() < 1e-3, "{} {by_enthalpy}", s.node_c[3]);
    }

    /// Boiler 0 → 1, two radiators 1 → 2, return pipe 2 → 0.
    fn circuit(boiler: LinkHeat) -> (Steady, Vec<Problem>) {
        let flow = Flow { nodes: 3, from: &[0, 1, 1, 2], to: &[1, 2, 2, 0], mass_kg_s: &[0.5, 0.2, 0.3, 0.5] };
        let radiator = LinkHeat { ua_w_k: 250.0, ..LinkHeat::default() };
        steady(&flow, &[boiler, radiator, radiator, LinkHeat::default()], &[], &PLAIN)
    }

    #[test]
    fn a_closed_circuit_that_equipment_holds() {
        let (s, problems) = circuit(LinkHeat { leaves_c: Some(60.0), ..LinkHeat::default() });
        let back = |m: f64| 20.0 + 40.0 * (-250.0 / (4200.0 * m)).exp();
        let wanted = 0.4 * back(0.2) + 0.6 * back(0.3);
        assert!(problems.is_empty() && (s.node_c[0] - wanted).abs() < 1e-9);
        assert!((s.given_w[0] - 2100.0 * (60.0 - wanted)).abs() < 1e-6 && s.closing_w.abs() < 1e-6);
    }

    #[test]
    fn a_closed_circuit_finds_the_temperature_at_which_it_loses_what_it_gets() {
        let (s, problems) = circuit(LinkHeat { heat_w: 10_000.0, ..LinkHeat::default() });
        assert!(problems.is_empty(), "{problems:?}");
        assert!((s.lost_w.iter().sum::<f64>() - 10_000.0).abs() < 1e-5, "{s:?}");
        assert!((s.node_c[1] - s.node_c[0] - 10_000.0 / 2100.0).abs() < 1e-8 && s.closing_w.abs() < 1e-5);
    }

    #[test]
    fn a_circuit_that_nothing_ties_is_told() {
        let flow = Flow { nodes: 2, from: &[0, 1], to: &[1, 0], mass_kg_s: &[1.0, 1.0] };
        let start = NodeHeat { start_c: 33.0, ..NodeHeat::default() };
        let (s, problems) = steady(&flow, &[], &[start, start], &PLAIN);
        assert!(problems.len() == 1 && problems[0].message.contains("nothing sets a temperature"), "{problems:?}");
        assert_eq!(s.node_c, [33.0, 33.0]);
        let heated = LinkHeat { heat_w: 500.0, ..LinkHeat::default() };
        let (s, problems) = steady(&flow, &[heated], &[start, start], &PLAIN);
        assert!(
            problems.len() == 1 && (s.closing_w - 500.0).abs() < 1e-6,
            "its heat goes nowhere, and the balance says so"
        );
    }

    #[test]
    fn a_lost_reading_as_a_boundary_is_left_out() {
        let held = |leaves_c| LinkHeat { leaves_c: Some(leaves_c), ..LinkHeat::default() };
        let (s, problems) = circuit(held(f64::NAN));
        assert!(problems.iter().any(|p| p.place == "link 0" && p.message.contains("no number")), "{problems:?}");
        // The radiators' room is all that is left to say a temperature.
        assert!(s.node_c.iter().all(|c| (c - 20.0).abs() < 1e-6), "{s:?}");
        let flow = Flow { nodes: 2, from: &[0], to: &[1], mass_kg_s: &[1.0] };
        let (s, problems) = steady(&flow, &[], &[supply(f64::INFINITY)], &PLAIN);
        assert!(problems.len() == 2 && (s.node_c[1] - 20.0).abs() < 1e-9, "{problems:?}");
    }

    #[test]
    fn bad_input_is_told_and_the_rest_solves() {
        let flow = Flow { nodes: 3, from: &[0, 1, 7], to: &[1, 2, 1], mass_kg_s: &[1.0, f64::NAN, 1.0] };
        let (s, problems) = steady(&flow, &[], &[NodeHeat { start_c: 40.0, ..NodeHeat::default() }], &PLAIN);
        assert_eq!(problems.len(), 3, "{problems:?}");
        assert!(
            (s.node_c[1] - 40.0).abs() < 1e-9 && problems.iter().any(|p| p.message.contains("no temperature given"))
        );
        let (s, problems) = steady(&Flow { nodes: 0, from: &[], to: &[], mass_kg_s: &[] }, &[], &[], &PLAIN);
        assert!(s.node_c.is_empty() && problems.is_empty());
    }

    proptest! {
        /// Flows made of closed rounds and ways through: they balance at every node.
        #[test]
        fn energy_closes_on_any_flow(
            ways in proptest::collection::vec(proptest::collection::vec(0u32..8, 2..6), 1..6),
            masses in proptest::collection::vec(0.1..5.0f64, 6),
            conductances in proptest::collection::vec(0.0..3000.0f64, 40),
            mixed in any::<bool>(),
        ) {
            let (mut from, mut to, mut mass) = (Vec::new(), Vec::new(), Vec::new());
            for (way, m) in ways.iter().zip(&masses) {
                for ends in way.windows(2) {
                    if ends[0] != ends[1] {
                        from.push(ends[0]);
                        to.push(ends[1]);
                        mass.push(*m);
                    }
                }
            }
            let profile = if mixed { Profile::Mixed } else { Profile::Plug };
            let links: Vec<LinkHeat> = conductances.iter().enumerate().map(|(i, ua)| LinkHeat {
                ua_w_k: *ua, heat_w: 100.0 * i as f64, sections: 3, profile, ..LinkHeat::default()
            }).collect();
            let nodes: Vec<NodeHeat> = (0..8).map(|i| supply(10.0 * f64::from(i))).collect();
            let flow = Flow { nodes: 8, from: &from, to: &to, mass_kg_s: &mass };
            for fluid in [PLAIN, Fluid::default()] {
                let (s, problems) = steady(&flow, &links, &nodes, &fluid);
                prop_assert!(problems.is_empty(), "{:?}", problems);
                let moved: f64 = s.fed_w + s.given_w.iter().map(|w| w.abs()).sum::<f64>() + 1.0;
                prop_assert!(s.closing_w.abs() < 1e-6 * moved, "{} of {moved}", s.closing_w);
            }
        }
    }
}
