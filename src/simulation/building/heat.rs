//! What links and nodes do to the heat when nobody measures.

use super::Part;
use super::book::Book;
use super::design::{Design, WATER_J_M3K, power_of};
use super::draft::Draft;
use super::exchange::Emitter;
use super::facts::number;
use super::medium::Carries;
use crate::simulation::network::NodeKind;
use crate::simulation::network::transport::{Insulation, LinkHeat, link_heat};
use crate::site::graph::plain_class;
use crate::site::unit::Quantity;

/// Air around pipes and ducts, °C.
const AROUND_C: f64 = 22.0;
/// Supply air, rooms and outdoors of a summer's design day, °C.
const SUPPLY_AIR_C: f64 = 14.0;
const ROOM_C: f64 = 24.0;
const OUTDOORS_C: f64 = 30.0;

/// Heat of a water network: pipes lose to the air around, machines hold what they send out, consumers exchange with
/// what surrounds them by `exp(−UA/(ṁ·c))`, with the UA that brings the design return temperature at design flow.
pub(super) fn water(draft: &mut Draft, book: &mut Book, design: &Design) {
    let site = draft.site;
    let carries = draft.carries;
    let rejected: f64 = draft
        .net
        .link_part
        .iter()
        .zip(&draft.net.link_element)
        .filter(|(part, _)| **part == Part::Condenser)
        .filter_map(|(_, slot)| power_of(site, (*slot)?))
        .sum();
    let towers: f64 = draft
        .net
        .link_part
        .iter()
        .zip(&draft.net.link_element)
        .filter(|(part, _)| **part == Part::Rejector)
        .filter_map(|(_, slot)| power_of(site, (*slot)?))
        .sum();
    for i in 0..draft.net.network.links.len() {
        let kind = &draft.net.network.links[i].kind;
        let mut heat = link_heat(kind, &Insulation::default(), AROUND_C);
        let part = draft.net.link_part[i];
        let flow = draft.net.link_design_m3s[i].unwrap_or(0.0);
        if let Some(slot) = draft.net.link_element[i] {
            match part {
                Part::Source | Part::Rejector => {
                    let field = "supply_c";
                    let celsius = book.value(site, slot, field, None, || {
                        (design.supply_c, format!("usual design temperature of {}", carries.word()))
                    });
                    heat.leaves_c = Some(celsius);
                }
                Part::Consumer => {
                    let around = book.value(site, slot, "surroundings_c", None, || around(draft, i));
                    let stated = book.stated(site, slot, "ua_w_k");
                    let room = site.element(slot).is_some_and(|e| plain_class(e) == "SpaceHeater");
                    let rated = power_of(site, slot).filter(|_| room && stated.is_none());
                    if let Some(rated_w) = rated {
                        draft.net.emitters.push(Emitter { link: i, rated_w });
                    }
                    let ua = stated.unwrap_or_else(|| {
                        if let Some(rated_w) = rated {
                            let of = Emitter { link: i, rated_w };
                            let ua = of.conductance_w_k(design.supply_c, flow * WATER_J_M3K, around);
                            let why = format!(
                                "gives {rated_w:.0} W at 75/65/20 °C (EN 442); this at its design flow of {:.1} °C",
                                design.supply_c
                            );
                            book.note(site, slot, "ua_w_k", ua, why);
                            return ua;
                        }
                        let ua = conductance(design.supply_c, design.return_c, around, flow);
                        let why = format!(
                            "brings {:.1} °C to {:.1} °C at its design flow against {around:.1} °C",
                            design.supply_c, design.return_c
                        );
                        book.note(site, slot, "ua_w_k", ua, why);
                        ua
                    });
                    heat = LinkHeat { ua_w_k: ua, ambient_c: around, ..heat };
                }
                Part::Condenser => {
                    heat.heat_w = book.value(site, slot, "condenser_heat_w", None, || {
                        let own = power_of(site, slot).unwrap_or(0.0);
                        if towers > 0.0 && rejected > 0.0 {
                            (towers * own / rejected, "its share of what the cooling towers are made for".into())
                        } else if own > 0.0 {
                            let stated = number(site, slot, Quantity::Ratio, &["NominalEfficiency"]);
                            let cop = stated.filter(|c| (1.5..12.0).contains(c)).unwrap_or(5.0);
                            (own * (1.0 + 1.0 / cop), "its cooling power and what drives it".into())
                        } else {
                            let spread = (design.return_c - design.supply_c).abs();
                            (flow * WATER_J_M3K * spread, "its design flow and spread".into())
                        }
                    });
                }
                _ => {}
            }
        }
        draft.net.link_heat[i] = heat;
    }
    for (node, heat) in draft.net.network.nodes.iter().zip(&mut draft.net.node_heat) {
        heat.start_c = design.supply_c;
        if matches!(node.kind, NodeKind::Reservoir { .. }) {
            heat.inlet_c = Some(design.supply_c);
        }
    }
}

/// What surrounds a consumer, °C: the mean of the air that it warms or cools.
fn around(draft: &Draft, link: usize) -> (f64, String) {
    let class = draft.net.link_element[link].and_then(|s| draft.site.element(s)).map_or("", |e| plain_class(e));
    match (draft.carries, class) {
        (Carries::Chilled, _) => (24.0, "mean air at a cooling coil".into()),
        (_, "SpaceHeater") => (20.0, "the room of a radiator".into()),
        (_, "AirTerminalBox") => (18.0, "mean air at a reheat coil".into()),
        _ => (15.0, "mean air at a heating coil".into()),
    }
}

/// UA that brings a flow from one temperature to another against surroundings, W/K.
fn conductance(supply_c: f64, return_c: f64, around_c: f64, flow_m3s: f64) -> f64 {
    let whole = supply_c - around_c;
    // It cannot come nearer to its surroundings than a tenth of the way.
    let left = ((return_c - around_c) / whole).clamp(0.1, 1.0);
    if whole.abs() < 0.1 || left.is_nan() { 0.0 } else { -flow_m3s * WATER_J_M3K * left.ln() }
}

/// Heat of an air network: rooms and the outdoors send in their own temperature, a cooling coil sends out the supply
/// temperature of summer, ducts exchange with the air around.
pub(super) fn air(draft: &mut Draft, book: &mut Book) {
    let site = draft.site;
    let insulation = Insulation::default();
    for i in 0..draft.net.network.links.len() {
        let mut heat = link_heat(&draft.net.network.links[i].kind, &insulation, AROUND_C);
        let element = draft.net.link_element[i].and_then(|s| Some((s, site.element(s)?)));
        if let Some((slot, element)) = element
            && draft.net.link_part[i] == Part::Consumer
        {
            let cooling = plain_class(element) == "Coil" && super::air::cools(element);
            let stated = book.stated(site, slot, "supply_c");
            heat.leaves_c = stated.or_else(|| {
                cooling.then(|| {
                    let why = "usual supply air of summer".to_owned();
                    book.note(site, slot, "supply_c", SUPPLY_AIR_C, why);
                    SUPPLY_AIR_C
                })
            });
        }
        draft.net.link_heat[i] = heat;
    }
    for n in 0..draft.net.network.nodes.len() {
        if !matches!(draft.net.network.nodes[n].kind, NodeKind::Reservoir { .. }) {
            continue;
        }
        let Some(slot) = draft.net.node_element[n] else { continue };
        let outdoors = site.element(slot).is_some_and(super::air::outdoors);
        let celsius = book.value(site, slot, "supply_c", None, || {
            if outdoors { (OUTDOORS_C, "outdoor air of summer".into()) } else { (ROOM_C, "air of a room".into()) }
        });
        let heat = &mut draft.net.node_heat[n];
        (heat.inlet_c, heat.start_c) = (Some(celsius), celsius);
    }
}
