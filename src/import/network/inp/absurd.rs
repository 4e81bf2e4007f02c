//! Numbers that no network has: most often a file in other units than it says.

use super::reader::{Named, Reader};
use crate::simulation::network::{Friction, LinkKind, Network, NodeKind, PumpHead};

/// What a value should lie between, SI, and what it is called.
struct Bounds {
    what: &'static str,
    unit: &'static str,
    low: f64,
    high: f64,
}

const DIAMETER: Bounds = Bounds { what: "diameter", unit: "m", low: 1e-3, high: 20.0 };
const LENGTH: Bounds = Bounds { what: "length", unit: "m", low: 0.0, high: 1e6 };
const ELEVATION: Bounds = Bounds { what: "elevation", unit: "m", low: -5e3, high: 1e4 };
const LEVEL: Bounds = Bounds { what: "level", unit: "m", low: 0.0, high: 1e3 };
const DEMAND: Bounds = Bounds { what: "demand", unit: "m³/s", low: -1e3, high: 1e3 };
const SMOOTHNESS: Bounds = Bounds { what: "Hazen–Williams coefficient", unit: "", low: 5.0, high: 400.0 };
const HEIGHT: Bounds = Bounds { what: "roughness", unit: "m", low: 0.0, high: 0.1 };
const MANNING: Bounds = Bounds { what: "Manning's n", unit: "", low: 1e-3, high: 1.0 };
const MINOR: Bounds = Bounds { what: "minor loss", unit: "", low: 0.0, high: 1e9 };
const SPEED: Bounds = Bounds { what: "speed", unit: "", low: 0.0, high: 10.0 };
const POWER: Bounds = Bounds { what: "power", unit: "W", low: 0.0, high: 1e9 };

/// An element with such a number: what it is, its name, and what is told.
type Found = (Named, String, &'static str, String);

impl Reader {
    /// Tells of numbers that no network has: the first of each sort, and how many there are.
    pub(super) fn check_absurd(&mut self) {
        let mut found: Vec<(Found, usize)> = Vec::new();
        for (element, id, bounds, value) in values(&self.out.network) {
            if (bounds.low..=bounds.high).contains(&value) {
                continue;
            }
            match found.iter_mut().find(|(f, _)| f.2 == bounds.what) {
                Some((_, count)) => *count += 1,
                None => {
                    // Three hundred noughts say less than an exponent.
                    let number = if (1e-9..1e15).contains(&value.abs()) || value == 0.0 {
                        value.to_string()
                    } else {
                        format!("{value:e}")
                    };
                    let text = format!("the {} of {id} is {number} {}", bounds.what, bounds.unit);
                    found.push(((element, id.to_owned(), bounds.what, text.trim_end().to_owned()), 1));
                }
            }
        }
        for ((element, id, _, text), count) in found {
            let more = if count > 1 { format!(", and {} more are like it", count - 1) } else { String::new() };
            let message = format!("{text}{more}: no network has that");
            self.warn_of(element, &id, message, "see whether the file is in the units that [OPTIONS] says");
        }
    }
}

/// Every number that is looked at, with its element.
fn values(network: &Network) -> Vec<(Named, &str, &'static Bounds, f64)> {
    let mut all = Vec::new();
    for node in &network.nodes {
        let mut add = |bounds, value| all.push((Named::Node, node.id.as_str(), bounds, value));
        add(&ELEVATION, node.elevation);
        match &node.kind {
            NodeKind::Junction(junction) => junction.demands.iter().for_each(|d| add(&DEMAND, d.base)),
            NodeKind::Tank(tank) => add(&LEVEL, tank.maximum_level),
            NodeKind::Reservoir { .. } => {}
        }
    }
    for link in &network.links {
        let mut add = |bounds, value| all.push((Named::Link, link.id.as_str(), bounds, value));
        match &link.kind {
            LinkKind::Pipe(pipe) => {
                add(&LENGTH, pipe.length);
                add(&DIAMETER, pipe.diameter);
                add(&MINOR, pipe.minor);
                match pipe.friction {
                    Friction::HazenWilliams(c) => add(&SMOOTHNESS, c),
                    Friction::DarcyWeisbach(e) => add(&HEIGHT, e),
                    Friction::ChezyManning(n) => add(&MANNING, n),
                }
            }
            LinkKind::Valve(valve) => {
                add(&DIAMETER, valve.diameter);
                add(&MINOR, valve.minor);
            }
            LinkKind::Pump(pump) => {
                add(&SPEED, link.setting);
                if let PumpHead::Power(watts) = pump.head {
                    add(&POWER, watts);
                }
            }
            _ => {}
        }
    }
    all
}
