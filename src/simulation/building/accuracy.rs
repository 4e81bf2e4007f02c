//! How near a solved network comes to what is measured in it.

use super::trace::LEAST_SHARE;
use super::{Measurand, State, SystemNetwork};
use crate::site::graph::Domain;
use crate::site::unit::Quantity;
use serde::Serialize;

/// What a residual in K is compared with: a °C has no zero of its own, so a share of it says nothing. A tenth of it are
/// 2 K, some third of what a chilled circuit is warmed by.
pub const TEMPERATURE_SCALE_K: f64 = 20.0;
/// Least flow that a residual of water is compared with, m³/s: 36 l/h, what a small radiator takes.
pub const LEAST_WATER_M3S: f64 = 1e-5;
/// Least flow that a residual of air is compared with, m³/s: 36 m³/h, what one person breathes.
pub const LEAST_AIR_M3S: f64 = 1e-2;
/// Least pressure that a residual of water is compared with, Pa: half a metre of water.
pub const LEAST_WATER_PA: f64 = 5e3;
/// Least pressure that a residual of air is compared with, Pa.
pub const LEAST_AIR_PA: f64 = 10.0;

/// The two bands that accuracy is told in, shares of the scale.
pub const BANDS: [f64; 2] = [0.1, 0.2];

/// What a quantity of a network is in its solved state, SI; not a number where it is not known.
pub fn solved(network: &SystemNetwork, state: &State, of: Measurand) -> f64 {
    let at = |values: &[f64], i: usize| values.get(i).copied().unwrap_or(f64::NAN);
    match of {
        Measurand::Flow(link) => at(&state.flow_m3s, link),
        Measurand::Pressure(node) => at(&state.pressure_pa, node),
        Measurand::Temperature(node) => at(&state.node_c, node),
        Measurand::Leaving(link) => at(&state.leaving_c, link),
        Measurand::Difference(link) => {
            let Some(link) = network.network.links.get(link) else { return f64::NAN };
            // A gauge over a link at two heights is filled with the same fluid: it does not see its column. In air
            // pressures count over those of the air around at the same height.
            let height = |node: usize| match network.node_place.get(node).copied().flatten() {
                _ if network.domain == Domain::Air => 0.0,
                Some(place) => place[2],
                None => network.network.nodes.get(node).map_or(0.0, |n| n.elevation),
            };
            let head = |node: usize| at(&state.pressure_pa, node) + height(node) * network.network.pa_per_m();
            (head(link.from) - head(link.to)).abs()
        }
    }
}

/// Water that flows slower takes an hour for the length of a building, in which it comes to the temperature of the
/// rooms, or keeps that of long ago: where it settles says nothing of now, m/s.
pub const FRESH_MS: f64 = 0.02;

/// Whether what a reading measures means something now: fluid that stands takes the temperature of the room that it
/// stands in, which no network knows; and over what is shut stands the pressure of the others, at the machine's own gauge
/// or at the check valve beside it, which no model tells apart. Water that creeps is compared by no temperature
/// ([`FRESH_MS`]).
pub fn tells(network: &SystemNetwork, state: &State, of: Measurand) -> bool {
    let flow = |l: usize| state.flow_m3s.get(l).map_or(0.0, |q| q.abs());
    let carries = |l: usize| {
        let most = state.flow_m3s.iter().filter(|q| q.is_finite()).fold(0.0, |most: f64, q| most.max(q.abs()));
        flow(l) > LEAST_SHARE * most
    };
    let fresh = |l: usize| {
        let area = network.link_area_m2.get(l).copied().flatten();
        let design = network.link_design_m3s.get(l).copied().flatten();
        match (network.domain, area, design) {
            (Domain::Air, ..) => true,
            (_, Some(area), _) => flow(l) > FRESH_MS * area,
            // Pipes are sized for some 0.7 m/s.
            (_, None, Some(design)) => flow(l) > FRESH_MS / 0.7 * design,
            (_, None, None) => true,
        }
    };
    let at = |n: usize| {
        let links = network.network.links.iter().enumerate();
        links.filter(move |(_, l)| l.from == n || l.to == n).map(|(i, _)| i)
    };
    match of {
        Measurand::Difference(l) => carries(l),
        Measurand::Leaving(l) => carries(l) && fresh(l),
        Measurand::Temperature(n) => at(n).any(|l| carries(l) && fresh(l)),
        Measurand::Flow(_) | Measurand::Pressure(_) => true,
    }
}

impl Measurand {
    /// What it is, as units name it.
    pub fn quantity(self) -> Quantity {
        match self {
            Self::Flow(_) => Quantity::VolumeFlow,
            Self::Pressure(_) | Self::Difference(_) => Quantity::Pressure,
            Self::Temperature(_) | Self::Leaving(_) => Quantity::Temperature,
        }
    }

    /// What a residual of it is compared with, SI: what is measured, and not less than the least that matters in a
    /// building; for temperatures always [`TEMPERATURE_SCALE_K`].
    pub fn scale(self, domain: Domain, measured: f64) -> f64 {
        let air = domain == Domain::Air;
        match self.quantity() {
            Quantity::Temperature => TEMPERATURE_SCALE_K,
            Quantity::Pressure => measured.abs().max(if air { LEAST_AIR_PA } else { LEAST_WATER_PA }),
            _ => measured.abs().max(if air { LEAST_AIR_M3S } else { LEAST_WATER_M3S }),
        }
    }
}

/// How accurate a network is: of the readings that could be compared.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Score {
    /// How many there are.
    pub readings: usize,
    /// Share of them, 0..1, whose residual is within a tenth of its scale; none without readings.
    pub within_10: Option<f64>,
    /// Share of them, 0..1, within a fifth.
    pub within_20: Option<f64>,
}

impl Score {
    /// The score of residuals over their scales; what is no number does not count.
    pub fn of(relative: impl IntoIterator<Item = f64>) -> Self {
        let mut readings = 0;
        let mut within = [0usize; 2];
        for relative in relative.into_iter().filter(|r| r.is_finite()) {
            readings += 1;
            for (count, band) in within.iter_mut().zip(BANDS) {
                *count += usize::from(relative.abs() <= band);
            }
        }
        let [within_10, within_20] = within.map(|n| (readings > 0).then(|| n as f64 / readings as f64));
        Self { readings, within_10, within_20 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::simulation::network::{Junction, Link, LinkKind, Network, Node, NodeKind, Resistance};

    #[test]
    fn shares_of_what_counts() {
        let score = Score::of([0.0, 0.1, -0.15, 0.21, f64::NAN, f64::INFINITY]);
        assert_eq!(score, Score { readings: 4, within_10: Some(0.5), within_20: Some(0.75) });
        assert_eq!(Score::of([f64::NAN]), Score::default());
    }

    #[test]
    fn each_quantity_has_its_scale() {
        assert_eq!(Measurand::Flow(0).scale(Domain::Water, -0.02), 0.02);
        assert_eq!(Measurand::Flow(0).scale(Domain::Water, 0.0), LEAST_WATER_M3S);
        assert_eq!(Measurand::Flow(0).scale(Domain::Air, 0.001), LEAST_AIR_M3S);
        assert_eq!(Measurand::Difference(0).scale(Domain::Air, 2.0), LEAST_AIR_PA);
        assert_eq!(Measurand::Pressure(0).scale(Domain::Water, 2e5), 2e5);
        let [cold, hot] = [6.0, 80.0].map(|c| Measurand::Leaving(0).scale(Domain::Water, c));
        assert_eq!(cold, hot, "degrees are no shares");
    }

    #[test]
    fn what_is_solved_where() {
        let node = |z: f64| Node { id: z.to_string(), elevation: z, kind: NodeKind::Junction(Junction::default()) };
        let network = SystemNetwork {
            network: Network {
                nodes: vec![node(0.0), node(5.0)],
                links: vec![Link {
                    id: "r".into(),
                    from: 0,
                    to: 1,
                    kind: LinkKind::Resistance(Resistance::rated(1e4, 0.01)),
                    command: Default::default(),
                    setting: 0.0,
                    head_gain: 0.0,
                }],
                ..Network::default()
            },
            ..SystemNetwork::blank()
        };
        let column = 5.0 * network.network.pa_per_m();
        let state = State {
            flow_m3s: vec![0.01],
            pressure_pa: vec![2e5, 2e5 - 1e4 - column],
            node_c: vec![6.0, 6.1],
            leaving_c: vec![6.1],
            ..State::default()
        };
        let of = |m| solved(&network, &state, m);
        assert!((of(Measurand::Difference(0)) - 1e4).abs() < 1e-6, "without the column between its ends");
        assert_eq!(
            (of(Measurand::Flow(0)), of(Measurand::Temperature(1)), of(Measurand::Leaving(0))),
            (0.01, 6.1, 6.1)
        );
        let placed = [[0.0; 3], [0.0, 0.0, 30.0]].map(Some);
        let air = SystemNetwork { domain: Domain::Air, node_place: placed.into(), ..network.clone() };
        let pressure_pa = vec![250.0, 150.0];
        let difference = solved(&air, &State { pressure_pa, ..State::default() }, Measurand::Difference(0));
        assert!((difference - 100.0).abs() < 1e-9, "air has no column in air");
        assert!(of(Measurand::Flow(7)).is_nan() && of(Measurand::Difference(7)).is_nan());
    }
}
