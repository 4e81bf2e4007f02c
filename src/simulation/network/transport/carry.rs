//! From a network and its solved flows to what transport wants.

use super::{Flow, LinkHeat, NodeHeat};
use crate::simulation::network::LinkKind;
use crate::simulation::network::model::{Network, NodeKind, Tank, TankShape};
use std::f64::consts::PI;

/// The flow of a solve as mass, kept between solves so that a tick allocates nothing.
#[derive(Clone, Debug, Default)]
pub struct MassFlow {
    nodes: usize,
    from: Vec<u32>,
    to: Vec<u32>,
    mass_kg_s: Vec<f64>,
}

impl MassFlow {
    /// The links of a network at rest.
    pub fn new(network: &Network) -> Self {
        let end = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
        Self {
            nodes: network.nodes.len(),
            from: network.links.iter().map(|l| end(l.from)).collect(),
            to: network.links.iter().map(|l| end(l.to)).collect(),
            mass_kg_s: vec![0.0; network.links.len()],
        }
    }

    /// Takes the flows of a solve over, m³/s, at the density of the solve, kg/m³: that conserves volume, so
    /// mass must be counted with the same density everywhere. Links without a flow stand still.
    pub fn set(&mut self, flow_m3s: &[f64], density_kg_m3: f64) {
        for (i, mass) in self.mass_kg_s.iter_mut().enumerate() {
            *mass = flow_m3s.get(i).map_or(0.0, |flow| flow * density_kg_m3);
        }
    }

    /// As transport wants it.
    pub fn flow(&self) -> Flow<'_> {
        Flow { nodes: self.nodes, from: &self.from, to: &self.to, mass_kg_s: &self.mass_kg_s }
    }
}

/// What keeps the heat in a pipe or duct.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Insulation {
    /// Thickness, m; zero where it is bare.
    pub thickness_m: f64,
    /// Conductivity, W/(m·K); 0.035 to 0.045 for mineral wool and foam.
    pub conductivity_w_m_k: f64,
    /// From its surface to the room, W/(m²·K); 8 to 10 indoors, with radiation.
    pub surface_w_m2k: f64,
}

impl Default for Insulation {
    /// 30 mm of 0.04 W/(m·K), 9 W/(m²·K).
    fn default() -> Self {
        Self { thickness_m: 0.03, conductivity_w_m_k: 0.04, surface_w_m2k: 9.0 }
    }
}

impl Insulation {
    /// Conductance of a length of pipe of an outer diameter, W/K: insulation as a cylinder, and its surface
    /// (ISO 12241, equations for hollow cylinders). Water inside and the wall resist little and are left out.
    pub fn conductance_w_k(&self, length_m: f64, diameter_m: f64) -> f64 {
        let inner = 0.5 * diameter_m;
        let outer = inner + self.thickness_m.max(0.0);
        if !(length_m > 0.0 && inner > 0.0 && self.surface_w_m2k > 0.0) {
            return 0.0;
        }
        let wool = if outer > inner { (outer / inner).ln() / self.conductivity_w_m_k.max(1e-6) } else { 0.0 };
        2.0 * PI * length_m / (wool + 1.0 / (self.surface_w_m2k * outer))
    }
}

/// What a link of a network holds and loses: pipes and ducts by their size and insulation, everything
/// else nothing. A duct loses by its hydraulic diameter.
pub fn link_heat(kind: &LinkKind, insulation: &Insulation, ambient_c: f64) -> LinkHeat {
    let (length, diameter, area) = match kind {
        LinkKind::Pipe(p) => (p.length, p.diameter, 0.25 * PI * p.diameter * p.diameter),
        LinkKind::Duct(d) => (d.length, d.hydraulic_diameter, d.area),
        _ => return LinkHeat { ambient_c, ..LinkHeat::default() },
    };
    let volume_m3 = length * area;
    LinkHeat {
        ua_w_k: insulation.conductance_w_k(length, diameter),
        ambient_c,
        volume_m3: if volume_m3.is_finite() { volume_m3.max(0.0) } else { 0.0 },
        ..LinkHeat::default()
    }
}

/// Water in a tank at a level (m above its bottom), m³, mixed with what comes in: for
/// [`NodeHeat::volume_m3`]. A tank by a curve is read off it.
pub fn tank_volume_m3(network: &Network, tank: &Tank, level_m: f64) -> f64 {
    let volume = match tank.shape {
        TankShape::Cylinder(diameter) => {
            let own = 0.25 * PI * diameter * diameter;
            let below = if tank.minimum_volume > 0.0 { tank.minimum_volume } else { own * tank.minimum_level };
            below + own * (level_m - tank.minimum_level)
        }
        TankShape::Curve(i) => {
            let points = network.curves.get(i).map_or(&[][..], |c| &c.points);
            let after = points.iter().position(|(x, _)| *x >= level_m);
            match (after, points.first(), points.last()) {
                (Some(0), Some((_, first)), _) => *first,
                (Some(k), _, _) => match (points.get(k - 1), points.get(k)) {
                    (Some((x0, y0)), Some((x1, y1))) => y0 + (y1 - y0) * (level_m - x0) / (x1 - x0),
                    _ => 0.0,
                },
                (None, _, Some((_, last))) => *last,
                _ => 0.0,
            }
        }
    };
    if volume.is_finite() { volume.max(0.0) } else { 0.0 }
}

/// What every node of a network starts as: reservoirs feed at a temperature, tanks hold their water.
pub fn node_heat(network: &Network, supply_c: f64, start_c: f64) -> Vec<NodeHeat> {
    let of = |kind: &NodeKind| match kind {
        NodeKind::Junction(_) => NodeHeat { start_c, ..NodeHeat::default() },
        NodeKind::Reservoir { .. } => NodeHeat { inlet_c: Some(supply_c), start_c: supply_c, ..NodeHeat::default() },
        NodeKind::Tank(tank) => {
            let volume_m3 = tank_volume_m3(network, tank, tank.initial_level);
            NodeHeat { volume_m3, start_c, ..NodeHeat::default() }
        }
    };
    network.nodes.iter().map(|n| of(&n.kind)).collect()
}

#[cfg(test)]
mod tests {
    use super::super::steady;
    use super::*;
    use crate::simulation::fluid::Fluid;
    use crate::simulation::network::model::{Command, Curve, Junction, Link, Node};
    use crate::simulation::network::{CurveKind, Friction, Pipe};

    fn pipe(length: f64, diameter: f64) -> LinkKind {
        LinkKind::Pipe(Pipe {
            length,
            diameter,
            friction: Friction::DarcyWeisbach(5e-5),
            minor: 0.0,
            check: false,
            leak: None,
        })
    }

    fn network() -> Network {
        let node = |id: &str, kind| Node { id: id.into(), elevation: 0.0, kind };
        let link = |id: &str, from, to| Link {
            id: id.into(),
            from,
            to,
            kind: pipe(100.0, 0.05),
            command: Command::Auto,
            setting: 0.0,
            head_gain: 0.0,
        };
        Network {
            nodes: vec![
                node("in", NodeKind::Reservoir { pattern: None }),
                node("a", NodeKind::Junction(Junction::default())),
                node("b", NodeKind::Junction(Junction::default())),
            ],
            links: vec![link("p1", 0, 1), link("p2", 2, 1)],
            ..Network::default()
        }
    }

    #[test]
    fn a_network_carries_its_supply() {
        let network = network();
        let mut mass = MassFlow::new(&network);
        mass.set(&[0.001, -0.001], 1000.0);
        let bare = Insulation { thickness_m: 0.0, ..Insulation::default() };
        let links: Vec<LinkHeat> = network.links.iter().map(|l| link_heat(&l.kind, &bare, 20.0)).collect();
        let nodes = node_heat(&network, 60.0, 20.0);
        let (s, problems) = steady(&mass.flow(), &links, &nodes, &Fluid::default());
        assert!(problems.is_empty(), "{problems:?}");
        // Bare: 9 W/(m²·K) on π·0.05·100 m², 1 kg/s, 200 m.
        let wanted = 20.0 + 40.0 * (-2.0 * 9.0 * PI * 5.0 / 4182.0f64).exp();
        assert!((s.node_c[2] - wanted).abs() < 0.02, "{} {wanted}", s.node_c[2]);
        assert!((links[0].volume_m3 - 100.0 * 0.25 * PI * 0.0025).abs() < 1e-12);
        mass.set(&[0.001], 1000.0);
        assert_eq!(mass.flow().mass_kg_s, [1.0, 0.0]);
    }

    #[test]
    fn insulation_as_its_tables_say() {
        // DN 50 (60.3 mm) with 50 mm of 0.04: 2π/(ln(80.15/30.15)/0.04 + 1/(9·0.08015)) = 0.243 W/(m·K).
        let i = Insulation { thickness_m: 0.05, ..Insulation::default() };
        assert!((i.conductance_w_k(1.0, 0.0603) - 0.2431).abs() < 1e-3, "{}", i.conductance_w_k(1.0, 0.0603));
        assert_eq!((i.conductance_w_k(-1.0, 0.06), i.conductance_w_k(1.0, f64::NAN)), (0.0, 0.0));
        let valve = link_heat(&LinkKind::FixedFlow, &i, 15.0);
        assert_eq!((valve.ua_w_k, valve.volume_m3, valve.ambient_c), (0.0, 0.0, 15.0));
    }

    #[test]
    fn tanks_hold_by_their_shape() {
        let mut network = network();
        network.curves.push(Curve {
            id: "v".into(),
            kind: CurveKind::default(),
            points: vec![(0.0, 0.0), (2.0, 50.0), (3.0, 60.0)],
        });
        let round = Tank { shape: TankShape::Cylinder(2.0), minimum_level: 1.0, ..Tank::default() };
        assert!((tank_volume_m3(&network, &round, 4.0) - 4.0 * PI).abs() < 1e-12);
        let curved = Tank { shape: TankShape::Curve(0), ..Tank::default() };
        let volumes = [-1.0, 1.0, 2.5, 9.0].map(|level| tank_volume_m3(&network, &curved, level));
        assert_eq!(volumes, [0.0, 25.0, 55.0, 60.0]);
        assert_eq!(tank_volume_m3(&network, &Tank { shape: TankShape::Curve(7), ..Tank::default() }, 1.0), 0.0);
    }
}
