//! Temperatures that move with the flow, step by step.

use super::order::{Carried, Order};
use super::parcels::{Parcels, Relax};
use super::{Directed, Flow, LinkHeat, NodeHeat, Profile};
use crate::problem::Problem;

/// Where the heat of a step went, J.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct StepBalance {
    /// Came in with fluid from outside, above 0 °C.
    pub fed_j: f64,
    /// Left with fluid that was drawn, above 0 °C.
    pub drawn_j: f64,
    /// Given by links and nodes: heat, or holding a temperature.
    pub given_j: f64,
    /// Lost to the surroundings.
    pub lost_j: f64,
    /// What the network holds more than before.
    pub stored_j: f64,
    /// What does not add up: in − out − stored.
    pub closing_j: f64,
}

/// The fluid inside one link.
#[derive(Clone, Debug)]
enum Inside {
    /// Mixed volumes from the first to the second end, °C.
    Cells(Vec<f64>),
    Plug(Parcels),
}

/// Temperatures of a network in time. Density and specific heat are those of one temperature (for water in
/// a heating system within 1 %), so that energy closes to rounding. A step is implicit: it is stable
/// however long, and circuits are solved whole.
#[derive(Clone, Debug)]
pub struct Transient {
    density: f64,
    heat: f64,
    inside: Vec<Inside>,
    node_c: Vec<f64>,
    leaving_c: Vec<f64>,
    /// The last order, and the directions and cuts that it was made for.
    order: Option<(Order, Vec<Option<(u32, u32)>>, Vec<bool>)>,
}

impl Transient {
    /// A network at rest: nodes at their start, links at the mean of the nodes they join. Density in kg/m³,
    /// specific heat in J/(kg·K).
    pub fn new(
        flow: &Flow,
        links: &[LinkHeat],
        nodes: &[NodeHeat],
        density_kg_m3: f64,
        specific_heat_j_kg_k: f64,
    ) -> Self {
        let start = |n: &u32| nodes.get(*n as usize).copied().unwrap_or_default().sound().start_c;
        let fill = |(i, (a, b)): (usize, (&u32, &u32))| {
            let link = links.get(i).copied().unwrap_or_default().sound();
            let celsius = 0.5 * (start(a) + start(b));
            match link.profile {
                Profile::Mixed => Inside::Cells(vec![celsius; link.parts() as usize]),
                Profile::Plug => Inside::Plug(Parcels::full(link.volume_m3.max(0.0) * density_kg_m3, celsius)),
            }
        };
        Self {
            density: density_kg_m3,
            heat: specific_heat_j_kg_k,
            inside: flow.from.iter().zip(flow.to).enumerate().map(fill).collect(),
            node_c: (0..flow.nodes).map(|n| start(&(n as u32))).collect(),
            leaving_c: flow.from.iter().map(start).collect(),
            order: None,
        }
    }

    /// At each node, °C.
    pub fn node_c(&self) -> &[f64] {
        &self.node_c
    }

    /// What left each link last, mean over the step, °C.
    pub fn leaving_c(&self) -> &[f64] {
        &self.leaving_c
    }

    /// Temperatures along a link from its first to its second end, one for each of `out`.
    pub fn along(&self, link: usize, out: &mut [f64]) {
        let n = out.len();
        match self.inside.get(link) {
            Some(Inside::Plug(parcels)) => {
                out.fill(self.leaving_c.get(link).copied().unwrap_or(0.0));
                parcels.sections(n, out);
            }
            Some(Inside::Cells(cells)) => {
                for (k, slot) in out.iter_mut().enumerate() {
                    *slot = cells.get(k * cells.len() / n).copied().unwrap_or(*slot);
                }
            }
            None => {}
        }
    }

    /// A step of `dt_s` with a flow that holds during it. Links and nodes must be those it began with;
    /// their heat, surroundings and temperatures may change from step to step.
    pub fn step(
        &mut self,
        dt_s: f64,
        flow: &Flow,
        links: &[LinkHeat],
        nodes: &[NodeHeat],
    ) -> (StepBalance, Vec<Problem>) {
        let mut problems = Vec::new();
        if !(dt_s.is_finite() && dt_s > 0.0) || flow.nodes != self.node_c.len() || flow.from.len() != self.inside.len()
        {
            let message = "the step is not a time above zero, or the network is not the one this began with";
            problems.push(Problem::error("transport", message, "begin anew when links or nodes come and go"));
            return (StepBalance::default(), problems);
        }
        problems.extend(super::unsound(links, nodes));
        let (directed, wrong) = Directed::new(flow);
        for i in wrong {
            problems.push(Problem::error(
                format!("link {i}"),
                "its flow is no number, or it hangs on a node that is not there; it carries nothing",
                "look at the solve that gave this flow",
            ));
        }
        let link_of = |i: usize| links.get(i).copied().unwrap_or_default().sound();
        let node_of = |n: usize| nodes.get(n).copied().unwrap_or_default().sound();
        let cuts: Vec<bool> = (0..directed.ends.len()).map(|i| link_of(i).leaves_c.is_some()).collect();
        let order = match self.order.take() {
            Some((order, ends, cut)) if ends == directed.ends && cut == cuts => order,
            _ => Order::new(flow.nodes, directed.ends.iter().copied(), |i| cuts.get(i) == Some(&true)),
        };

        let c = self.heat;
        let node_kg = |n: usize| self.density * node_of(n).volume_m3.max(0.0);
        let inlet = |n: usize| node_of(n).inlet_c.filter(|t| t.is_finite()).unwrap_or(node_of(n).start_c);
        let mut diagonal = vec![0.0; flow.nodes];
        let mut right = vec![0.0; flow.nodes];
        let mut balance = StepBalance::default();
        for n in 0..flow.nodes {
            let kg_s = node_kg(n) / dt_s;
            let fed = directed.fed[n];
            diagonal[n] = directed.through[n] + kg_s;
            right[n] = fed * inlet(n) + kg_s * self.node_c[n];
            if diagonal[n] > 0.0 {
                right[n] += node_of(n).heat_w / c;
                balance.given_j += node_of(n).heat_w * dt_s;
            }
            balance.fed_j += fed * c * inlet(n) * dt_s;
        }
        let mut carried: Vec<Option<Carried>> = Vec::with_capacity(directed.ends.len());
        for (i, end) in directed.ends.iter().enumerate() {
            let Some((up, _)) = *end else {
                carried.push(None);
                continue;
            };
            let (a, b) = self.passes_on(i, &link_of(i), directed.mass[i], directed.against[i], dt_s);
            carried.push(Some(Carried { up, w: directed.mass[i], a, b }));
        }
        let tied = |group: &[u32]| {
            group.iter().any(|n| {
                let at = *n as usize;
                node_kg(at) > 0.0
                    || directed.fed[at] > 0.0
                    || order.incoming(at).iter().any(|i| {
                        let link = carried.get(*i as usize).copied().flatten();
                        link.is_some_and(|l| l.a < 1.0 || order.group_of(l.up) != order.group_of(*n))
                    })
            })
        };
        let before = self.node_c.clone();
        for n in order.solve(&carried, &diagonal, &right, tied, &mut self.node_c) {
            problems.push(Problem::warning(
                format!("node {n}"),
                "nothing sets a temperature in the circuit through this node: it holds no fluid and loses no heat",
                "give the links of the circuit their volume",
            ));
        }
        for (n, (was, is)) in before.iter().zip(&self.node_c).enumerate() {
            balance.drawn_j += directed.drawn[n] * c * is * dt_s;
            balance.stored_j += node_kg(n) * c * (is - was);
        }
        for (i, carried) in carried.iter().enumerate() {
            let entering = carried.and_then(|l| self.node_c.get(l.up as usize).copied());
            self.advance(
                i,
                &link_of(i),
                entering.map(|t| (t, directed.mass[i], directed.against[i])),
                dt_s,
                &mut balance,
            );
        }
        balance.closing_j = balance.fed_j - balance.drawn_j + balance.given_j - balance.lost_j - balance.stored_j;
        self.order = Some((order, directed.ends, cuts));
        (balance, problems)
    }

    /// How the temperature that leaves a link depends on the one that enters within a step: `a·T + b`.
    fn passes_on(&self, i: usize, link: &LinkHeat, mass: f64, against: bool, dt_s: f64) -> (f64, f64) {
        if let Some(celsius) = link.leaves_c {
            return (0.0, celsius);
        }
        match self.inside.get(i) {
            Some(Inside::Plug(parcels)) if parcels.kg() > 0.0 => {
                parcels.leaving(mass, dt_s, against, &self.relax(link, parcels.kg()))
            }
            Some(Inside::Cells(cells)) => {
                let cell = self.cell(link, cells.len(), mass, dt_s);
                let (mut a, mut b) = (1.0, 0.0);
                let mut pass = |old: f64| (a, b) = (cell.up * a, cell.up * b + cell.old * old + cell.own);
                if against {
                    cells.iter().rev().for_each(|t| pass(*t))
                } else {
                    cells.iter().for_each(|t| pass(*t))
                }
                (a, b)
            }
            // A link of no volume: what it is when steady.
            _ => {
                let x = link.ua_w_k.max(0.0) / (mass * self.heat);
                let reached = if x > 0.0 { -(-x).exp_m1() / x } else { 1.0 };
                ((-x).exp(), reached * (x * link.ambient_c + link.heat_w / (mass * self.heat)))
            }
        }
    }

    fn relax(&self, link: &LinkHeat, kg: f64) -> Relax {
        let ua = link.ua_w_k.max(0.0);
        Relax {
            rate_s: ua / (kg * self.heat),
            rest_c: link.ambient_c + if ua > 0.0 { link.heat_w / ua } else { 0.0 },
            ramp_k_s: link.heat_w / (kg * self.heat),
        }
    }

    fn cell(&self, link: &LinkHeat, cells: usize, mass: f64, dt_s: f64) -> Cell {
        let n = cells as f64;
        let kg_s = self.density * link.volume_m3.max(0.0) / n / dt_s;
        let ua = link.ua_w_k.max(0.0) / n / self.heat;
        let whole = kg_s + mass + ua;
        if whole <= 0.0 {
            return Cell { up: 0.0, old: 1.0, own: 0.0 };
        }
        Cell { up: mass / whole, old: kg_s / whole, own: (ua * link.ambient_c + link.heat_w / n / self.heat) / whole }
    }

    /// Brings the inside of a link to the end of the step, and adds its heat to the balance.
    fn advance(
        &mut self,
        i: usize,
        link: &LinkHeat,
        moving: Option<(f64, f64, bool)>,
        dt_s: f64,
        balance: &mut StepBalance,
    ) {
        let out = moving.map(|(entering, mass, against)| {
            let (a, b) = self.passes_on(i, link, mass, against, dt_s);
            (entering, mass, against, a * entering + b)
        });
        let c = self.heat;
        let mass = out.map_or(0.0, |o| o.1);
        let kg = self.density * link.volume_m3.max(0.0);
        let cell = self.cell(link, link.parts() as usize, mass, dt_s);
        let relax = self.relax(link, kg);
        let Some(inside) = self.inside.get_mut(i) else { return };
        let per_cell = kg / f64::from(link.parts());
        let content = |inside: &Inside| match inside {
            Inside::Cells(cells) => per_cell * cells.iter().sum::<f64>(),
            Inside::Plug(parcels) => parcels.content(),
        };
        let before = content(inside);
        match (&mut *inside, link.leaves_c) {
            // Equipment that holds its temperature is full of it.
            (Inside::Cells(cells), Some(celsius)) => cells.fill(celsius),
            (Inside::Plug(parcels), Some(celsius)) => *parcels = Parcels::full(parcels.kg(), celsius),
            (Inside::Cells(cells), None) => {
                let mut up = out.map_or(0.0, |o| o.0);
                let mut pass = |t: &mut f64| {
                    up = cell.up * up + cell.old * *t + cell.own;
                    *t = up;
                };
                if out.is_some_and(|o| o.2) {
                    cells.iter_mut().rev().for_each(&mut pass)
                } else {
                    cells.iter_mut().for_each(&mut pass)
                }
            }
            (Inside::Plug(parcels), None) if kg > 0.0 => match out {
                Some((entering, mass, against, _)) => parcels.advance(mass, dt_s, against, &relax, entering),
                None => parcels.advance(0.0, dt_s, false, &relax, 0.0),
            },
            (Inside::Plug(_), None) => {}
        }
        let stored_j = c * (content(inside) - before);
        let taken_j = out.map_or(0.0, |(entering, mass, _, leaving)| mass * c * (leaving - entering) * dt_s);
        balance.stored_j += stored_j;
        if link.leaves_c.is_some() {
            balance.given_j += taken_j + stored_j;
        } else if kg > 0.0 || out.is_some() {
            balance.given_j += link.heat_w * dt_s;
            balance.lost_j += link.heat_w * dt_s - taken_j - stored_j;
        }
        if let Some(slot) = self.leaving_c.get_mut(i) {
            *slot = match (out, &*inside) {
                (Some(o), _) => o.3,
                (None, Inside::Cells(cells)) => cells.last().copied().unwrap_or(*slot),
                (None, Inside::Plug(_)) => *slot,
            };
        }
    }
}

/// One mixed volume in a step: `T = up·T_upstream + old·T_before + own`.
struct Cell {
    up: f64,
    old: f64,
    own: f64,
}

#[cfg(test)]
mod tests {
    use super::super::steady;
    use super::*;
    use crate::simulation::fluid::Fluid;
    use proptest::prelude::*;

    const CP: f64 = 4200.0;
    const WATER: Fluid = Fluid::Constant {
        density_kg_m3: 1000.0,
        specific_heat_j_kg_k: CP,
        viscosity_pa_s: 1e-3,
        conductivity_w_m_k: 0.6,
    };

    fn supply(celsius: f64) -> NodeHeat {
        NodeHeat { inlet_c: Some(celsius), start_c: 20.0, ..NodeHeat::default() }
    }

    #[test]
    fn a_mixed_tank_fills_by_the_exponential() {
        // 0.5 m³ node, 1 kg/s of 60 °C: T = 60 − 40·exp(−t/500 s).
        let flow = Flow { nodes: 2, from: &[0], to: &[1], mass_kg_s: &[1.0] };
        let nodes = [supply(60.0), NodeHeat { volume_m3: 0.5, ..NodeHeat::default() }];
        let mut t = Transient::new(&flow, &[], &nodes, 1000.0, CP);
        for _ in 0..5000 {
            let (balance, problems) = t.step(0.1, &flow, &[], &nodes);
            assert!(problems.is_empty() && balance.closing_j.abs() < 1e-3, "{balance:?}");
        }
        assert!((t.node_c()[1] - (60.0 - 40.0 * (-1.0f64).exp())).abs() < 0.01, "{:?}", t.node_c());
    }

    #[test]
    fn a_plug_delays_exactly_and_cells_smear() {
        // 100 s of passage.
        let flow = Flow { nodes: 2, from: &[0], to: &[1], mass_kg_s: &[1.0] };
        let nodes = [supply(60.0), NodeHeat::default()];
        let pipe = |profile| [LinkHeat { volume_m3: 0.1, sections: 10, profile, ..LinkHeat::default() }];
        let mut plug = Transient::new(&flow, &pipe(Profile::Plug), &nodes, 1000.0, CP);
        let mut cells = Transient::new(&flow, &pipe(Profile::Mixed), &nodes, 1000.0, CP);
        for _ in 0..9 {
            plug.step(10.0, &flow, &pipe(Profile::Plug), &nodes);
            cells.step(10.0, &flow, &pipe(Profile::Mixed), &nodes);
        }
        assert!((plug.node_c()[1] - 20.0).abs() < 1e-9 && cells.node_c()[1] > 25.0);
        plug.step(10.0, &flow, &pipe(Profile::Plug), &nodes);
        plug.step(10.0, &flow, &pipe(Profile::Plug), &nodes);
        assert!((plug.node_c()[1] - 60.0).abs() < 1e-9);
        let mut parts = [0.0; 4];
        plug.along(0, &mut parts);
        assert!(parts.iter().all(|t| (t - 60.0).abs() < 1e-9));
    }

    #[test]
    fn a_still_pipe_cools_by_itself() {
        let flow = Flow { nodes: 2, from: &[0], to: &[1], mass_kg_s: &[0.0] };
        let start = NodeHeat { start_c: 70.0, ..NodeHeat::default() };
        let link = [LinkHeat { ua_w_k: 42.0, volume_m3: 0.01, ..LinkHeat::default() }];
        let mut t = Transient::new(&flow, &link, &[start, start], 1000.0, CP);
        let (balance, _) = t.step(1000.0, &flow, &link, &[start, start]);
        let mut at = [0.0];
        t.along(0, &mut at);
        assert!((at[0] - (20.0 + 50.0 * (-1.0f64).exp())).abs() < 1e-9, "{at:?}");
        assert!((balance.lost_j - 42_000.0 * (70.0 - at[0])).abs() < 1e-6 && balance.closing_j.abs() < 1e-6);
    }

    #[test]
    fn a_circuit_warms_up_by_what_the_boiler_gives() {
        let flow = Flow { nodes: 2, from: &[0, 1], to: &[1, 0], mass_kg_s: &[0.5, 0.5] };
        for profile in [Profile::Mixed, Profile::Plug] {
            let links = [
                LinkHeat { heat_w: 8400.0, volume_m3: 0.02, profile, ..LinkHeat::default() },
                LinkHeat { volume_m3: 0.08, sections: 5, profile, ..LinkHeat::default() },
            ];
            let mut t = Transient::new(&flow, &links, &[], 1000.0, CP);
            let mut stored = 0.0;
            for _ in 0..100 {
                let (balance, problems) = t.step(5.0, &flow, &links, &[]);
                assert!(problems.is_empty() && balance.closing_j.abs() < 1e-3, "{balance:?}");
                stored += balance.stored_j;
            }
            assert!((stored - 8400.0 * 500.0).abs() < 1.0, "tight: all of it stays, {stored}");
            // 100 kg, 4.2 MJ: 10 K warmer in the mean.
            let mean = t.node_c().iter().sum::<f64>() / 2.0;
            assert!((mean - 30.0).abs() < 3.0, "{profile:?} {mean}");
        }
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        let flow = Flow { nodes: 2, from: &[0], to: &[1], mass_kg_s: &[1.0] };
        let mut t = Transient::new(&flow, &[], &[], 1000.0, CP);
        for dt in [0.0, -1.0, f64::NAN, f64::INFINITY] {
            assert_eq!(t.step(dt, &flow, &[], &[]).1.len(), 1);
        }
        assert_eq!(t.step(1.0, &Flow { nodes: 3, ..flow }, &[], &[]).1.len(), 1);
        assert_eq!(t.step(1.0, &Flow { mass_kg_s: &[f64::NAN], ..flow }, &[], &[]).1.len(), 1);
    }

    proptest! {
        /// Whatever the step, it comes to where the steady solution is, and closes on the way.
        #[test]
        fn it_settles_where_steady_says(
            dt_s in 5.0..500.0f64, m1 in 0.1..2.0f64, m2 in 0.1..2.0f64, mixed in any::<bool>(), ua in 10.0..2000.0f64,
        ) {
            let profile = if mixed { Profile::Mixed } else { Profile::Plug };
            // Supply 0 → 1, a circuit 1 → 2 → 3 → 1, draw 2 → 4.
            let mass = [m1, m1 + m2, m2, m2, m1];
            let flow = Flow { nodes: 5, from: &[0, 1, 2, 3, 2], to: &[1, 2, 3, 1, 4], mass_kg_s: &mass };
            let link = LinkHeat { ua_w_k: ua, volume_m3: 0.02, sections: 3, profile, ambient_c: 10.0, ..LinkHeat::default() };
            let links = [link, LinkHeat { heat_w: 5000.0, ..link }, link, LinkHeat { volume_m3: 0.0, ..link }, link];
            let nodes = [supply(60.0), NodeHeat::default(), NodeHeat { volume_m3: 0.05, heat_w: 500.0, ..NodeHeat::default() }];
            let (s, _) = steady(&flow, &links, &nodes, &WATER);
            let mut t = Transient::new(&flow, &links, &nodes, 1000.0, CP);
            for _ in 0..(20_000.0 / dt_s) as usize + 60 {
                let (balance, problems) = t.step(dt_s, &flow, &links, &nodes);
                prop_assert!(problems.is_empty());
                prop_assert!(balance.closing_j.abs() < 1e-6 * (balance.fed_j + 1.0), "{:?}", balance);
            }
            for (a, b) in t.node_c().iter().zip(&s.node_c) {
                // Parcels keep the curve of their temperatures as a line: a long step reads it a little wrongly.
                prop_assert!((a - b).abs() < if mixed { 0.02 } else { 0.4 }, "{a} {b}");
            }
        }
    }
}
