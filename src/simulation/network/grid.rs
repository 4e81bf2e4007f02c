//! Grids of pipes of any size, to test and to measure with.

use super::links::{Friction, LinkKind, Pipe};
use super::model::{Command, Conventions, Demand, Junction, Link, Network, Node, NodeKind};

/// A rectangular grid of junctions joined by Hazen–Williams pipes, fed by two reservoirs at opposite
/// corners. Lengths, diameters, coefficients and demands are drawn by a fixed rule from the seed. It has
/// `rows × columns` junctions and no trees: the hardest case for its size.
pub fn grid(rows: usize, columns: usize, seed: u64) -> Network {
    let mut draw = Draw(seed);
    let mut network = Network { title: format!("Grid {rows} x {columns}, seed {seed}"), ..Network::default() };
    network.options.conventions = Conventions::Epanet;
    for i in 0..rows {
        for j in 0..columns {
            let demands = vec![Demand { base: draw.between(0.5e-3, 3e-3) / 10.0, ..Demand::default() }];
            let kind = NodeKind::Junction(Junction { demands, emitter: None });
            network.nodes.push(Node { id: format!("J{i}_{j}"), elevation: draw.between(0.0, 20.0), kind });
        }
    }
    let pipe = |draw: &mut Draw, network: &mut Network, from: usize, to: usize, wide: bool| {
        let diameter = if wide { 1.0 } else { [0.1, 0.15, 0.2, 0.25, 0.3][draw.below(5)] };
        let kind = LinkKind::Pipe(Pipe {
            length: draw.between(50.0, 200.0),
            diameter,
            friction: Friction::HazenWilliams(draw.between(90.0, 140.0)),
            minor: 0.0,
            check: false,
            leak: None,
        });
        let id = format!("P{}", network.links.len() + 1);
        network.links.push(Link { id, from, to, kind, command: Command::Open, setting: 0.0, head_gain: 0.0 });
    };
    for i in 0..rows {
        for j in 0..columns {
            let here = i * columns + j;
            if j + 1 < columns {
                pipe(&mut draw, &mut network, here, here + 1, false);
            }
            if i + 1 < rows {
                pipe(&mut draw, &mut network, here, here + columns, false);
            }
        }
    }
    for (k, corner) in [0, (rows * columns).saturating_sub(1)].into_iter().enumerate() {
        if network.nodes.len() > corner {
            let kind = NodeKind::Reservoir { pattern: None };
            network.nodes.push(Node { id: format!("R{}", k + 1), elevation: 100.0, kind });
            let source = network.nodes.len() - 1;
            pipe(&mut draw, &mut network, source, corner, true);
        }
    }
    network
}

/// Numbers that look drawn at random: SplitMix64 (Steele, Lea, Flood, OOPSLA 2014).
struct Draw(u64);

impl Draw {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    fn between(&mut self, low: f64, high: f64) -> f64 {
        low + (high - low) * (self.next() >> 11) as f64 / (1u64 << 53) as f64
    }

    fn below(&mut self, n: u64) -> usize {
        (self.next() % n) as usize
    }
}
