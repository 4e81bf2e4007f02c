//! What of a network cannot be solved, found before it is.

use super::links::{Friction, LinkKind, PumpHead, ValveKind};
use super::loss::Laws;
use super::model::{DemandModel, Network, NodeKind};
use crate::problem::Problem;
use std::borrow::Cow;

/// A network whose ends and heights are sound, which of its links are broken (no flow can be worked out
/// for them: they are taken as closed), and what was wrong.
pub fn check(network: &Network) -> (Cow<'_, Network>, Vec<bool>, Vec<Problem>) {
    let mut problems = Vec::new();
    let mut network = Cow::Borrowed(network);
    let n = network.nodes.len();
    for v in 0..n {
        if !network.nodes[v].elevation.is_finite() {
            let node = &mut network.to_mut().nodes[v];
            node.elevation = 0.0;
            let place = format!("node {}", node.id);
            problems.push(Problem::error(place, "its elevation is no number; 0 m is taken", "give it an elevation"));
        }
    }
    let laws = Laws::new(&network);
    let mut broken = vec![false; network.links.len()];
    for (l, broken) in broken.iter_mut().enumerate() {
        let link = &network.links[l];
        let place = || format!("link {}", network.links[l].id);
        if link.from >= n || link.to >= n {
            let place = place();
            problems.push(Problem::error(place, "an end of it is no node of the network", "name nodes that exist"));
            // From a node to itself it takes no part.
            let link = &mut network.to_mut().links[l];
            (link.from, link.to) = (0, 0);
            *broken = true;
            continue;
        }
        if link.from == link.to {
            problems.push(Problem::error(
                place(),
                "both its ends are one node; no flow passes",
                "connect it to two nodes",
            ));
            *broken = true;
        } else if let Some((wrong, remedy)) = wrong(&network, &link.kind) {
            problems.push(Problem::error(place(), format!("{wrong}; it is taken as closed"), remedy));
            *broken = true;
        } else if !plain_sizes(&link.kind) && !laws.counts(&laws.law(&link.kind, link.command, link.setting)) {
            // The solver takes it as shut for as long as that is so: its setting may change.
            let message =
                "its sizes or its setting are so far out that no loss can be worked out; it is taken as closed";
            problems.push(Problem::error(place(), message, "look at its sizes, its setting and their units"));
        } else if let Some((odd, remedy)) = odd(&network, l) {
            problems.push(Problem::warning(place(), odd, remedy));
        }
    }
    if n == 0 {
        network.to_mut().links.clear();
        broken.clear();
    }
    if let DemandModel::PressureDriven { least, required, exponent } = network.options.demand_model
        && !(required > least && exponent > 0.0 && least.is_finite() && required.is_finite())
    {
        problems.push(Problem::error(
            "options",
            format!("demand by pressure needs a required pressure ({required} m) above the least ({least} m)"),
            "raise the required pressure; demands are taken in full until then",
        ));
        network.to_mut().options.demand_model = DemandModel::Fixed;
    }
    (network, broken, problems)
}

/// Whether a pipe's sizes are such that its loss can be worked out without trying.
fn plain_sizes(kind: &LinkKind) -> bool {
    let LinkKind::Pipe(pipe) = kind else { return false };
    let friction = match pipe.friction {
        Friction::HazenWilliams(c) => (1.0..=1e3).contains(&c),
        _ => false,
    };
    friction && (1e-3..=1e2).contains(&pipe.diameter) && pipe.length <= 1e7 && pipe.minor <= 1e7
}

/// Whether a value is a size: finite and above zero.
fn size(x: f64) -> bool {
    x.is_finite() && x > 0.0
}

/// Whether a value is a measure that may be nothing.
fn measure(x: f64) -> bool {
    x.is_finite() && x >= 0.0
}

/// What makes a link unusable, and what to do.
fn wrong(network: &Network, kind: &LinkKind) -> Option<(String, &'static str)> {
    let points = |curve: usize| network.curves.get(curve).map(|c| c.points.as_slice()).unwrap_or_default();
    let curve_wrong = |curve: usize| {
        let points = points(curve);
        let number = points.iter().all(|p| p.0.is_finite() && p.1.is_finite());
        let rises = points.windows(2).all(|w| w[1].0 > w[0].0);
        if points.is_empty() {
            Some(("its curve has no points".to_string(), "give the curve at least one point"))
        } else if !number || !rises {
            Some(("its curve does not rise in x".to_string(), "sort the points of the curve by their first column"))
        } else {
            None
        }
    };
    let fault = |ok: bool, what: &str, remedy: &'static str| (!ok).then(|| (what.to_string(), remedy));
    match kind {
        LinkKind::Pipe(pipe) => {
            let friction = match pipe.friction {
                Friction::HazenWilliams(c) => size(c),
                Friction::DarcyWeisbach(e) => measure(e) && e < 0.5 * pipe.diameter,
                Friction::ChezyManning(n) => measure(n),
            };
            fault(size(pipe.diameter), "its diameter is not above zero", "give it its inner diameter")
                .or_else(|| fault(measure(pipe.length), "its length is below zero or no number", "give it its length"))
                .or_else(|| {
                    fault(measure(pipe.minor), "its loss coefficient is below zero", "give it one of 0 or more")
                })
                .or_else(|| fault(friction, "its roughness cannot be", "give it the roughness of its material"))
        }
        LinkKind::Duct(duct) => {
            let ok = size(duct.hydraulic_diameter) && size(duct.area) && measure(duct.length);
            fault(ok, "its section or length is not above zero", "give it its sizes").or_else(|| {
                let rough = measure(duct.roughness) && measure(duct.minor);
                fault(rough, "its roughness or loss coefficient is below zero", "give it values of 0 or more")
            })
        }
        LinkKind::Valve(valve) => {
            let ok = size(valve.diameter) && measure(valve.minor);
            fault(ok, "its diameter is not above zero", "give it its inner diameter").or_else(|| match valve.kind {
                ValveKind::GeneralPurpose { curve } => curve_wrong(curve),
                ValveKind::PositionalControl { curve: Some(curve) } => curve_wrong(curve),
                _ => None,
            })
        }
        LinkKind::Kv(valve) => fault(size(valve.kvs), "its Kvs is not above zero", "give it the Kvs of its data sheet"),
        LinkKind::Damper(damper) => fault(size(damper.area), "its section is not above zero", "give it its section"),
        LinkKind::Pump(pump) => match pump.head {
            PumpHead::Curve(curve) => curve_wrong(curve),
            PumpHead::Power(watt) => fault(size(watt), "its power is not above zero", "give it the power it puts in"),
        },
        LinkKind::Fan(fan) => curve_wrong(fan.curve),
        LinkKind::Resistance(fixed) => {
            let ok = measure(fixed.k) && size(fixed.exponent);
            fault(ok, "its resistance is below zero", "give it a pressure at a flow")
        }
        LinkKind::Leakage { coefficient, exponent } => {
            fault(measure(*coefficient) && size(*exponent), "its coefficient is below zero", "give it its leakage")
        }
        LinkKind::FixedFlow => None,
    }
}

/// What is odd about a link though it works.
fn odd(network: &Network, link: usize) -> Option<(String, &'static str)> {
    let link = &network.links[link];
    let fixed = |v: usize| !matches!(network.nodes[v].kind, NodeKind::Junction(_));
    match &link.kind {
        LinkKind::Pipe(pipe) if pipe.length == 0.0 => {
            Some(("its length is zero: it takes next to no head".into(), "give it its length, or join its ends"))
        }
        LinkKind::Valve(valve) => {
            let held = match valve.kind {
                ValveKind::PressureReducing => link.to,
                ValveKind::PressureSustaining => link.from,
                _ => return None,
            };
            fixed(held).then(|| {
                let what = "it would hold a pressure where a tank or reservoir already does: it works as a check valve";
                (what.into(), "put a pipe between them")
            })
        }
        LinkKind::Pump(pump) => {
            let PumpHead::Curve(curve) = pump.head else { return None };
            let points = network.curves.get(curve).map(|c| c.points.as_slice()).unwrap_or_default();
            points.windows(2).any(|w| w[1].1 >= w[0].1).then(|| {
                (
                    "its head does not fall with its flow everywhere".into(),
                    "look at its curve: flow may settle at two places",
                )
            })
        }
        _ => None,
    }
}
