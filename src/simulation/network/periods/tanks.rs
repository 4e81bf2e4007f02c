//! Tanks over time: volume by level and back, and how a step fills or drains them.

use crate::simulation::network::{Network, Node, NodeKind, Tank, TankShape};

/// The flow below which a tank stands still, m³/s (1e-6 ft³/s, as in EPANET).
pub(super) const STILL_M3S: f64 = 1e-6 * 0.3048 * 0.3048 * 0.3048;

/// A tank and how full it is.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Filling {
    /// Its node.
    pub node: usize,
    /// How much is in it, m³.
    pub volume: f64,
    /// At its minimum level, m³.
    pub least: f64,
    /// At its maximum level, m³.
    pub most: f64,
}

/// The tanks of a network as they are at the start.
pub(super) fn fillings(network: &Network) -> Vec<Filling> {
    let mut found = Vec::new();
    for (node, of) in network.nodes.iter().enumerate() {
        let NodeKind::Tank(tank) = &of.kind else { continue };
        found.push(Filling {
            node,
            volume: volume_at(network, tank, tank.initial_level),
            least: volume_at(network, tank, tank.minimum_level),
            most: volume_at(network, tank, tank.maximum_level),
        });
    }
    found
}

/// Volume of a tank with a level, m³.
pub(super) fn volume_at(network: &Network, tank: &Tank, level_m: f64) -> f64 {
    match tank.shape {
        TankShape::Cylinder(diameter) => least_volume(tank, diameter) + (level_m - tank.minimum_level) * area(diameter),
        TankShape::Curve(at) => between(points(network, at).iter().copied(), level_m),
    }
}

/// Level of a tank with a volume, m.
pub(super) fn level_at(network: &Network, tank: &Tank, volume: f64) -> f64 {
    match tank.shape {
        TankShape::Cylinder(diameter) => {
            tank.minimum_level + (volume - least_volume(tank, diameter)) / area(diameter).max(f64::MIN_POSITIVE)
        }
        TankShape::Curve(at) => between(points(network, at).iter().map(|(level, v)| (*v, *level)), volume),
    }
}

/// Fills a tank for some seconds with a flow; gives back its head, m. Within a second of full or empty it is
/// full or empty (as in EPANET), so that no step is left that is too short to take.
pub(super) fn fill(network: &Network, node: &Node, tank: &Tank, filling: &mut Filling, flow: f64, seconds: i64) -> f64 {
    if flow.abs() > STILL_M3S {
        filling.volume += flow * seconds as f64;
        if filling.volume + flow >= filling.most {
            filling.volume = filling.most;
        } else if filling.volume - flow <= filling.least {
            filling.volume = filling.least;
        }
    }
    node.elevation + level_at(network, tank, filling.volume)
}

fn area(diameter: f64) -> f64 {
    0.25 * std::f64::consts::PI * diameter * diameter
}

fn least_volume(tank: &Tank, diameter: f64) -> f64 {
    if tank.minimum_volume > 0.0 { tank.minimum_volume } else { area(diameter) * tank.minimum_level }
}

fn points(network: &Network, at: usize) -> &[(f64, f64)] {
    network.curves.get(at).map_or(&[], |c| c.points.as_slice())
}

/// Straight lines between points with rising x, level beyond them.
pub(super) fn between(points: impl Iterator<Item = (f64, f64)>, x: f64) -> f64 {
    let mut before: Option<(f64, f64)> = None;
    for (x1, y1) in points {
        if x1 >= x {
            return match before {
                Some((x0, y0)) if x1 > x0 => y1 - (x1 - x) * (y1 - y0) / (x1 - x0),
                _ => y1,
            };
        }
        before = Some((x1, y1));
    }
    before.map_or(0.0, |(_, y)| y)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::simulation::network::{Curve, CurveKind};

    fn network(shape: TankShape) -> (Network, Node, Tank) {
        let tank = Tank { initial_level: 2.0, minimum_level: 1.0, maximum_level: 4.0, shape, ..Tank::default() };
        let node = Node { id: "t".into(), elevation: 10.0, kind: NodeKind::Tank(tank.clone()) };
        let points = vec![(0.0, 0.0), (1.0, 10.0), (3.0, 50.0), (5.0, 60.0)];
        let curves = vec![Curve { id: "v".into(), kind: CurveKind::Volume, points }];
        (Network { nodes: vec![node.clone()], curves, ..Network::default() }, node, tank)
    }

    #[test]
    fn a_cylinder_fills_evenly_and_ends_full() {
        let (network, node, tank) = network(TankShape::Cylinder((4.0 / std::f64::consts::PI).sqrt()));
        let mut filling = fillings(&network)[0].clone();
        assert!((filling.volume - 2.0).abs() < 1e-12 && (filling.most - 4.0).abs() < 1e-12);
        assert!((fill(&network, &node, &tank, &mut filling, 0.01, 100) - 13.0).abs() < 1e-12);
        assert_eq!(fill(&network, &node, &tank, &mut filling, 0.01, 1000), 14.0);
        assert_eq!(filling.volume, filling.most);
        assert!((fill(&network, &node, &tank, &mut filling, -0.01, 100_000) - 11.0).abs() < 1e-12);
        assert!((fill(&network, &node, &tank, &mut filling, 1e-9, 100_000) - 11.0).abs() < 1e-12);
    }

    #[test]
    fn a_volume_curve_goes_there_and_back() {
        let (network, _, tank) = network(TankShape::Curve(0));
        for level in [0.0, 0.5, 1.0, 2.5, 4.9] {
            let volume = volume_at(&network, &tank, level);
            assert!((level_at(&network, &tank, volume) - level).abs() < 1e-12, "{level}");
        }
        assert_eq!(volume_at(&network, &tank, 2.0), 30.0);
        assert_eq!(volume_at(&network, &tank, 9.0), 60.0);
    }
}
