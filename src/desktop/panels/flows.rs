//! What panels read of the flow networks, and in which units they write it.

use super::data::Data;
use super::format;
use crate::analytics::Health;
use crate::simulation::building::{Assumption, Measurand, State, SystemNetwork};
use crate::simulation::network::Link;
use crate::site::graph::Domain;
use crate::site::unit::{Quantity, Unit};
use crate::site::{PointIndex, Slot};
use crate::twin::flow::{FlowRanges, FlowScore, FlowSolve, Networks, Residual, Traced};

/// The networks of the site and what is done with them.
#[derive(Clone, Copy)]
pub struct Flows<'a> {
    /// What is solved.
    pub networks: &'a Networks,
    /// What the ends of the colours mean.
    pub ranges: &'a FlowRanges,
    /// What somebody traces.
    pub traced: &'a Traced,
}

/// What is solved of one element, SI; none of each that it has not.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Solved {
    /// m³/s, with the sign of its link.
    pub flow: Option<f64>,
    /// m/s.
    pub velocity: Option<f64>,
    /// Pa.
    pub pressure: Option<f64>,
    /// °C.
    pub temperature: Option<f64>,
    /// The worst of what is measured there.
    pub residual: Option<Residual>,
}

/// How a network is now.
#[derive(Clone, Copy)]
pub struct NetworkNow<'a> {
    /// The last solve.
    pub solve: &'a FlowSolve,
    /// How accurate it is.
    pub score: FlowScore,
    /// What was solved.
    pub state: &'a State,
}

/// Elements on both sides of one, by the way of the flow.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Neighbours {
    /// Where it comes from.
    pub from: Vec<Slot>,
    /// Where it goes.
    pub to: Vec<Slot>,
}

/// Flow below this share of the network's largest says nothing of a direction.
const LEAST_SHARE: f64 = 1e-6;

impl Neighbours {
    /// Those of an element, each once.
    pub fn of(network: &SystemNetwork, state: &State, slot: Slot) -> Self {
        let mut out = Self::default();
        let most = state.flow_m3s.iter().filter(|f| f.is_finite()).fold(0.0_f64, |most, f| most.max(f.abs()));
        let links = || network.network.links.iter().enumerate();
        let element = |link: usize| network.link_element.get(link).copied().flatten();
        let node_element = |node: usize| network.node_element.get(node).copied().flatten();
        // Where the flow enters and leaves a link; none where hardly anything flows.
        let ends = |i: usize, link: &Link| {
            let flow = state.flow_m3s.get(i).copied().filter(|f| f.abs() > LEAST_SHARE * most)?;
            Some(if flow > 0.0 { (link.from, link.to) } else { (link.to, link.from) })
        };
        let mut put = |list: fn(&mut Self) -> &mut Vec<Slot>, other: Slot| {
            let list = list(&mut out);
            if other != slot && !list.contains(&other) {
                list.push(other);
            }
        };
        let (mut enters, mut leaves) = (Vec::new(), Vec::new());
        for (i, link) in links().filter(|(i, _)| element(*i) == Some(slot)) {
            let Some((into, out_of)) = ends(i, link) else { continue };
            enters.push(into);
            leaves.push(out_of);
        }
        let own: Vec<usize> = (0..network.node_element.len()).filter(|n| node_element(*n) == Some(slot)).collect();
        enters.iter().filter_map(|n| node_element(*n)).for_each(|s| put(|o| &mut o.from, s));
        leaves.iter().filter_map(|n| node_element(*n)).for_each(|s| put(|o| &mut o.to, s));
        for (i, link) in links() {
            let (Some(other), Some((into, out_of))) = (element(i), ends(i, link)) else { continue };
            // A tee between two pipes is their neighbour, and no pipe is another's.
            let meets = |nodes: &[usize], n: usize| nodes.contains(&n) && node_element(n).is_none() || own.contains(&n);
            if meets(&enters, out_of) {
                put(|o| &mut o.from, other);
            }
            if meets(&leaves, into) {
                put(|o| &mut o.to, other);
            }
        }
        out
    }
}

impl<'a> Flows<'a> {
    /// The numbers of the networks, in their order.
    pub fn count(&self) -> usize {
        self.networks.building.as_ref().map_or(0, |b| b.networks.len())
    }

    /// What the model did not say of an element, or of the network as a whole where `id` is empty.
    pub fn assumptions(network: &'a SystemNetwork, id: &str) -> impl Iterator<Item = &'a Assumption> {
        let id = id.to_owned();
        network.assumptions.iter().filter(move |a| a.element == id)
    }

    /// The elements of a network, each once, in the order of their slots.
    pub fn members(network: &SystemNetwork) -> Vec<Slot> {
        let mut out: Vec<Slot> = network.link_element.iter().chain(&network.node_element).flatten().copied().collect();
        out.sort_unstable();
        out.dedup();
        out
    }
}

/// The residual of a network that is largest for its scale.
pub fn worst(data: &Data, network: &SystemNetwork) -> Option<(PointIndex, Residual)> {
    let found = network.readings.iter().filter_map(|r| Some((r.point, data.readings.residual(r.point)?)));
    found.filter(|(_, r)| r.relative.is_finite()).max_by(|a, b| a.1.relative.abs().total_cmp(&b.1.relative.abs()))
}

/// In which band a residual is: within a tenth of its scale, within a fifth, beyond.
pub fn band(relative: f64) -> Health {
    match relative.abs() {
        r if r <= 0.1 => Health::Good,
        r if r <= 0.2 => Health::Warning,
        r if r.is_nan() => Health::Unknown,
        _ => Health::Critical,
    }
}

/// A share with its sign: `+12 %`, `−3 %`.
pub fn signed_percent(share: f64) -> String {
    let percent = share * 100.0;
    match percent {
        p if !p.is_finite() => format::NONE.to_owned(),
        p if p.abs() > 999.0 => format!("{} 999 %", if p < 0.0 { "< −" } else { "> +" }),
        p if p.round() == 0.0 => "0 %".to_owned(),
        p => format!("{}{:.0} %", if p < 0.0 { "−" } else { "+" }, p.abs()),
    }
}

/// A value in a unit with three digits that matter, and the unit's symbol.
pub fn measure(unit: Unit, inside: f64) -> String {
    let number = number(unit, inside);
    if unit.symbol.is_empty() || number == format::NONE { number } else { format!("{number} {}", unit.symbol) }
}

/// A value in a unit with three digits that matter.
pub fn number(unit: Unit, inside: f64) -> String {
    let value = unit.from_si(inside);
    if !value.is_finite() {
        return format::NONE.to_owned();
    }
    let decimals = match value.abs() {
        v if v >= 99.95 => 0,
        v if v >= 9.995 => 1,
        v if v >= 0.9995 || v == 0.0 => 2,
        _ => 3,
    };
    let text = format!("{value:.decimals$}");
    // Nothing is left of it but a sign.
    if text.trim_start_matches('-').chars().all(|c| c == '0' || c == '.') {
        return text.trim_start_matches('-').to_owned();
    }
    text
}

/// The unit in which the site's own points measure a quantity in water or air, the commonest first; without any, what is
/// usual.
pub fn unit(data: &Data, quantity: Quantity, domain: Domain) -> Unit {
    let mut counts: Vec<(Unit, usize)> = Vec::new();
    let networks = data.flows.networks.building.iter().flat_map(|b| &b.networks);
    for reading in networks.filter(|n| n.domain == domain).flat_map(|n| &n.readings) {
        // A pump's difference is told like any other pressure.
        let is_asked = match reading.of {
            Measurand::Flow(_) => quantity == Quantity::VolumeFlow,
            Measurand::Pressure(_) | Measurand::Difference(_) => quantity == Quantity::Pressure,
            Measurand::Temperature(_) | Measurand::Leaving(_) => quantity == Quantity::Temperature,
        };
        let Some(unit) = data.point(reading.point).map(|p| p.unit).filter(|u| is_asked && u.quantity == quantity)
        else {
            continue;
        };
        match counts.iter_mut().find(|(u, _)| u.code == unit.code) {
            Some((_, n)) => *n += 1,
            None => counts.push((unit, 1)),
        }
    }
    let commonest = counts.into_iter().rev().max_by_key(|(_, n)| *n).map(|(u, _)| u);
    let usual = match (quantity, domain) {
        (Quantity::VolumeFlow, _) => "m3/h",
        (Quantity::Pressure, Domain::Air) => "Pa",
        (Quantity::Pressure, _) => "kPa",
        (Quantity::Velocity, _) => "m/s",
        (Quantity::Temperature, _) => "Cel",
        (Quantity::Ratio, _) => "%",
        _ => "1",
    };
    commonest.or_else(|| Unit::parse(usual)).unwrap_or(Unit::ONE)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_keep_three_digits() {
        let [flow, pressure] = ["L/s", "kPa"].map(|c| Unit::parse(c).unwrap());
        assert_eq!(measure(flow, 0.01234), "12.3 L/s");
        assert_eq!(measure(flow, 0.000_051_4), "0.051 L/s");
        assert_eq!(measure(pressure, 182_340.0), "182 kPa");
        assert_eq!(measure(pressure, -5_432.0), "-5.43 kPa");
        assert_eq!(measure(flow, -1e-9), "0.000 L/s");
        assert_eq!(measure(flow, f64::NAN), format::NONE);
    }

    #[test]
    fn bands_and_shares() {
        assert_eq!(
            [0.1, -0.2, 0.21, f64::NAN].map(band),
            [Health::Good, Health::Warning, Health::Critical, Health::Unknown]
        );
        assert_eq!([0.124, -0.03, 0.001, -0.004].map(signed_percent), ["+12 %", "−3 %", "0 %", "0 %"]);
        assert_eq!(signed_percent(f64::NAN), format::NONE);
    }
}
