//! What a solved flow carries: temperature, and any substance that moves with it.
//!
//! Plain arrays come in: where links begin and end, the mass flow in each (positive from its first to its
//! second end), what each link does to what passes ([`LinkHeat`]), and what comes in at nodes
//! ([`NodeHeat`]). Nothing here solves for flow. Three ways to use it:
//!
//! - [`steady`]: where temperatures settle, with enthalpies that follow the fluid's own specific heat.
//! - [`Transient`]: a step in time, by mixed cells (implicit upwind, stable for any step) or by parcels
//!   that keep their edges (plug flow, exact for any step).
//! - [`substance`]: concentrations, ages and tracers, with decay.
//!
//! Nodes are taken in the order of the flow. Where flow runs in a circle (every closed circuit) that circle
//! is one small linear system, unless equipment in it sets the temperature it sends out, which opens it.
//! Every result carries the error of its own energy balance.

mod carry;
mod coupled;
mod order;
mod parcels;
mod sections;
mod steady;
mod substance;
mod transient;

#[cfg(test)]
mod reference;

pub use carry::{Insulation, MassFlow, link_heat, node_heat, tank_volume_m3};
pub use coupled::{Coupled, Coupling};
pub use sections::{Profiles, Run, Sections};
pub use steady::{Steady, steady};
pub use substance::{LinkSubstance, NodeSubstance, Substance, substance};
pub use transient::{StepBalance, Transient};

use crate::problem::Problem;
use crate::simulation::fluid::{Fluid, water};

/// A solved flow.
#[derive(Clone, Copy, Debug)]
pub struct Flow<'a> {
    /// How many nodes there are.
    pub nodes: usize,
    /// First end of each link: index of a node.
    pub from: &'a [u32],
    /// Second end of each link.
    pub to: &'a [u32],
    /// Mass flow in each link, kg/s; positive from `from` to `to`.
    pub mass_kg_s: &'a [f64],
}

/// How fluid passes a link.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Profile {
    /// Without mixing along the way: cools by `exp(−UA/(ṁ·c))`.
    #[default]
    Plug,
    /// Through [`LinkHeat::sections`] volumes, each mixed in itself.
    Mixed,
}

/// What a link does to what passes it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LinkHeat {
    /// Conductance to its surroundings over its whole length, W/K.
    pub ua_w_k: f64,
    /// Surroundings, °C.
    pub ambient_c: f64,
    /// Heat put into the fluid along its length, W; negative where it is taken out.
    pub heat_w: f64,
    /// Fluid that it holds, m³; only a step in time asks for it.
    pub volume_m3: f64,
    /// The fluid leaves at this temperature, °C, whatever it was: equipment that holds its setpoint.
    pub leaves_c: Option<f64>,
    /// Parts that temperatures are given for, and mixed volumes for [`Profile::Mixed`]; 1 to 10 000.
    pub sections: u32,
    /// How fluid passes.
    pub profile: Profile,
}

impl Default for LinkHeat {
    /// A tight, insulated link of no volume.
    fn default() -> Self {
        Self {
            ua_w_k: 0.0,
            ambient_c: 20.0,
            heat_w: 0.0,
            volume_m3: 0.0,
            leaves_c: None,
            sections: 1,
            profile: Profile::Plug,
        }
    }
}

impl LinkHeat {
    /// The same with what is no number left out: no heat, no losses, no temperature held.
    fn sound(&self) -> Self {
        let number = |v: f64, otherwise: f64| if sensible(v) { v } else { otherwise };
        Self {
            ua_w_k: if sensible(self.ambient_c) { number(self.ua_w_k, 0.0).max(0.0) } else { 0.0 },
            ambient_c: number(self.ambient_c, 20.0),
            heat_w: number(self.heat_w, 0.0),
            volume_m3: number(self.volume_m3, 0.0).max(0.0),
            leaves_c: self.leaves_c.filter(|c| sensible(*c)),
            ..*self
        }
    }

    /// Sections, held to what is sensible.
    fn parts(&self) -> u32 {
        self.sections.clamp(1, 10_000)
    }
}

/// What happens at a node.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct NodeHeat {
    /// Temperature of what flows in from outside, °C: of a supply, a reservoir, the outdoors.
    pub inlet_c: Option<f64>,
    /// Heat put in at the node, W.
    pub heat_w: f64,
    /// Fluid that is mixed at the node, m³ (a tank, a header); only a step in time asks for it.
    pub volume_m3: f64,
    /// Temperature where nothing else says one: where no flow comes by, and where a step in time begins, °C.
    pub start_c: f64,
}

impl Default for NodeHeat {
    fn default() -> Self {
        Self { inlet_c: None, heat_w: 0.0, volume_m3: 0.0, start_c: 20.0 }
    }
}

/// Heat that a flow makes of its own pressure and height on its way through a link without shaft work, W:
/// what friction dissipates and what compression warms. From `ṁ·(h(p, T) + g·z)` that stays
/// (Bernoulli's equation with enthalpy). `mass_kg_s` is positive from `from` to `to`, the ends are
/// (Pa absolute, m). It belongs into [`LinkHeat::heat_w`]; in a building it is some hundredths of a kelvin,
/// along a hillside tenths.
pub fn friction_heat_w(fluid: &Fluid, celsius: f64, mass_kg_s: f64, from: (f64, f64), to: (f64, f64)) -> f64 {
    const GRAVITY: f64 = 9.806_65;
    let compressed = match fluid {
        Fluid::Water { .. } => {
            let at = |pressure_pa| water::state(celsius, pressure_pa).enthalpy_j_kg;
            at(to.0) - at(from.0)
        }
        // A gas's enthalpy does not depend on its pressure, but its temperature column does.
        Fluid::Air { .. } => 0.0,
        Fluid::Mixture { .. } | Fluid::Constant { .. } => (to.0 - from.0) / fluid.density_kg_m3(celsius),
    };
    -mass_kg_s * (compressed + GRAVITY * (to.1 - from.1))
}

impl NodeHeat {
    /// The same with what is no number left out.
    fn sound(&self) -> Self {
        let number = |v: f64, otherwise: f64| if sensible(v) { v } else { otherwise };
        Self {
            inlet_c: self.inlet_c.filter(|c| sensible(*c)),
            heat_w: number(self.heat_w, 0.0),
            volume_m3: number(self.volume_m3, 0.0).max(0.0),
            start_c: number(self.start_c, 20.0),
        }
    }
}

/// Links and nodes that hold a value that is no number, told once each.
fn unsound(links: &[LinkHeat], nodes: &[NodeHeat]) -> Vec<Problem> {
    let said = |place: String| {
        Problem::warning(
            place,
            "a value of its heat is no number; it is left out",
            "look at the point or the model it comes from",
        )
    };
    let bad = |l: &LinkHeat| {
        let values = [l.ua_w_k, l.ambient_c, l.heat_w, l.volume_m3, l.leaves_c.unwrap_or(0.0)];
        values.iter().any(|v| !sensible(*v))
    };
    let bad_node =
        |n: &NodeHeat| [n.inlet_c.unwrap_or(0.0), n.heat_w, n.volume_m3, n.start_c].iter().any(|v| !sensible(*v));
    let of_links = links.iter().enumerate().filter(|(_, l)| bad(l)).map(|(i, _)| said(format!("link {i}")));
    let of_nodes = nodes.iter().enumerate().filter(|(_, n)| bad_node(n)).map(|(i, _)| said(format!("node {i}")));
    of_links.chain(of_nodes).collect()
}

/// A number that a temperature, a conductance or a heat can be: what is larger comes from a broken device.
fn sensible(value: f64) -> bool {
    value.abs() < 1e12
}

/// Flows below this share of the largest one carry nothing: they are what a solver leaves over.
const STILL: f64 = 1e-9;
/// A node that lacks less than this share of what passes it is balanced: a solver ends that near.
const BALANCED: f64 = 1e-6;

/// A flow as transport wants it: by direction, with what comes from outside.
struct Directed {
    /// Node that the link takes from and node that it gives to; none where nothing flows.
    ends: Vec<Option<(u32, u32)>>,
    /// Whether that is from its second end to its first.
    against: Vec<bool>,
    /// kg/s in that direction.
    mass: Vec<f64>,
    /// What comes in from outside at each node, kg/s.
    fed: Vec<f64>,
    /// What leaves the network at each node, kg/s.
    drawn: Vec<f64>,
    /// All that passes each node, kg/s.
    through: Vec<f64>,
}

impl Directed {
    /// Links whose ends are not there, or whose flow is no number, carry nothing; their indices come back.
    fn new(flow: &Flow) -> (Self, Vec<usize>) {
        let links = flow.from.len().min(flow.to.len()).min(flow.mass_kg_s.len());
        let largest = flow.mass_kg_s.iter().map(|m| m.abs()).filter(|m| sensible(*m)).fold(0.0, f64::max);
        let mut wrong = Vec::new();
        let (mut ends, mut mass) = (Vec::with_capacity(links), Vec::with_capacity(links));
        let against = flow.mass_kg_s.iter().map(|m| *m < 0.0).collect();
        let (mut into, mut out) = (vec![0.0; flow.nodes], vec![0.0; flow.nodes]);
        for (i, ((a, b), m)) in flow.from.iter().zip(flow.to).zip(flow.mass_kg_s).enumerate() {
            let there = |n: u32| (n as usize) < flow.nodes;
            if !sensible(*m) || !there(*a) || !there(*b) {
                wrong.push(i);
            }
            let moves = sensible(*m) && there(*a) && there(*b) && m.abs() > STILL * largest;
            let (up, down) = if *m < 0.0 { (*b, *a) } else { (*a, *b) };
            ends.push(moves.then_some((up, down)));
            mass.push(if moves { m.abs() } else { 0.0 });
            if moves {
                if let Some(sum) = out.get_mut(up as usize) {
                    *sum += m.abs();
                }
                if let Some(sum) = into.get_mut(down as usize) {
                    *sum += m.abs();
                }
            }
        }
        let lacking = |(i, o): (&f64, &f64)| if o - i > BALANCED * o { o - i } else { 0.0 };
        let over = |(i, o): (&f64, &f64)| if i - o > BALANCED * i { i - o } else { 0.0 };
        let fed: Vec<f64> = into.iter().zip(&out).map(lacking).collect();
        let drawn = into.iter().zip(&out).map(over).collect();
        let through = into.iter().zip(&fed).map(|(i, f)| i + f).collect();
        (Self { ends, against, mass, fed, drawn, through }, wrong)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::simulation::fluid::Glycol;
    use proptest::prelude::*;

    #[test]
    fn direction_supply_and_draw_follow_from_the_flow() {
        // 0 → 1 → 2 with the second link drawn the other way round, a still one, and two broken ones.
        let flow = Flow {
            nodes: 3,
            from: &[0, 2, 0, 0, 9],
            to: &[1, 1, 2, 1, 1],
            mass_kg_s: &[2.0, -1.5, 1e-12, f64::NAN, 1.0],
        };
        let (d, wrong) = Directed::new(&flow);
        assert_eq!(wrong, [3, 4]);
        assert_eq!(d.ends, [Some((0, 1)), Some((1, 2)), None, None, None]);
        assert_eq!(d.fed, [2.0, 0.0, 0.0]);
        assert_eq!(d.drawn, [0.0, 0.5, 1.5]);
        assert_eq!(d.through, [2.0, 2.0, 1.5]);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(48))]

        #[test]
        fn no_input_panics_or_hangs(
            ends in proptest::collection::vec((0u32..7, 0u32..7), 0..12),
            mass in proptest::collection::vec(prop_oneof![any::<f64>(), -3.0..3.0f64], 0..14),
            odd in proptest::collection::vec(prop_oneof![any::<f64>(), 0.0..2000.0f64], 12),
            mixed in any::<bool>(), sections in any::<u32>(), dt_s in prop_oneof![any::<f64>(), 1.0..100.0f64],
        ) {
            let (from, to): (Vec<u32>, Vec<u32>) = ends.into_iter().unzip();
            let flow = Flow { nodes: 5, from: &from, to: &to, mass_kg_s: &mass };
            let at = |i: usize| odd.get(i % odd.len()).copied().unwrap_or(0.0);
            let link = |i: usize| LinkHeat {
                ua_w_k: at(i), ambient_c: at(i + 1), heat_w: at(i + 2), volume_m3: at(i + 3),
                leaves_c: (i % 4 == 3).then(|| at(i + 4)), sections: if i == 0 { sections } else { 3 },
                profile: if mixed { Profile::Mixed } else { Profile::Plug },
            };
            let links: Vec<LinkHeat> = (0..8).map(link).collect();
            let node = |i: usize| NodeHeat { inlet_c: Some(at(i)), heat_w: at(i + 5), volume_m3: at(i + 6), start_c: at(i + 7) };
            let nodes: Vec<NodeHeat> = (0..4).map(node).collect();
            let (s, _) = steady(&flow, &links, &nodes, &Fluid::default());
            prop_assert!(s.node_c.len() == 5 && s.node_c.iter().all(|c| !c.is_nan()), "{:?}", s.node_c);
            let mut t = Transient::new(&flow, &links, &nodes, 1000.0, 4200.0);
            for _ in 0..3 {
                t.step(dt_s, &flow, &links, &nodes);
            }
            let substances: Vec<LinkSubstance> = (0..8).map(|i| LinkSubstance {
                fluid_kg: at(i), decay_s: at(i + 1), growth: at(i + 2), removed: at(i + 3),
            }).collect();
            let (c, _) = substance(&flow, &substances, &[]);
            prop_assert_eq!(c.node.len(), 5);
        }
    }

    #[test]
    fn friction_warms_and_a_fall_without_friction_does_not() {
        let fluid = Fluid::Mixture { glycol: Glycol::Ethylene, fraction: 0.3 };
        let density = fluid.density_kg_m3(40.0);
        // 1 bar of friction on the level: V̇·Δp, in either direction.
        let heat = friction_heat_w(&fluid, 40.0, 2.0, (3e5, 0.0), (2e5, 0.0));
        assert!((heat - 2.0 / density * 1e5).abs() < 1e-9);
        assert!((friction_heat_w(&fluid, 40.0, -2.0, (2e5, 0.0), (3e5, 0.0)) - heat).abs() < 1e-9);
        let standing = friction_heat_w(&fluid, 40.0, 2.0, (2e5, 30.0), (2e5 + density * 9.806_65 * 30.0, 0.0));
        assert!(standing.abs() < 1e-9);
        // Water is a little compressible: pressing it warms it.
        let water = Fluid::default();
        let density = water.density_kg_m3(70.0);
        let pressed = friction_heat_w(&water, 70.0, 1.0, (1e5, 300.0), (1e5 + density * 9.806_65 * 300.0, 0.0));
        assert!(pressed > 300.0 && pressed < 800.0, "{pressed}");
    }
}
