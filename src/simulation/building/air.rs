//! Pieces of an air network as links and nodes.

use super::Part;
use super::book::Book;
use super::draft::{Draft, NewLink};
use super::facts::{any, number, words};
use super::losses::{ValveFor, valve_for};
use super::medium::Carries;
use super::pieces::Piece;
use super::runs;
use super::section::Section;
use crate::problem::Problem;
use crate::simulation::network::{BladeDamper, Curve, CurveKind, Fan, LinkKind, NodeKind, Resistance};
use crate::site::graph::{Role, plain_class};
use crate::site::model::FlowDirection;
use crate::site::unit::Quantity;
use crate::site::{Element, Site, Slot};

/// Density that fans and devices are rated at, kg/m³.
pub(super) const RATED_KG_M3: f64 = 1.2;
/// Loss coefficients of a damper that is open (Legg 1986: opposed blades 0.5), and shut (tight to class 3 of EN 1751).
const OPEN_LOSS: f64 = 0.5;
const SHUT_LOSS: f64 = 2e5;
/// Share of outdoor air in the supply air where a unit mixes and nobody says how much.
pub(super) const OUTDOOR_SHARE: f64 = 0.3;

/// Air that an element is made for, m³/s, as the model states it.
pub(super) fn airflow_of(site: &Site, slot: Slot) -> Option<f64> {
    let names = ["NominalAirflow", "NominalAirFlowRate", "NominalFlowrate", "AirflowRateRange", "Flow", "AirFlow"];
    number(site, slot, Quantity::VolumeFlow, &names)
}

/// Adds a piece.
pub(super) fn add(draft: &mut Draft, book: &mut Book, piece: &Piece) {
    let Some(element) = draft.site.element(piece.element) else { return };
    match piece.ports.as_slice() {
        [] => {}
        [port] => opening(draft, book, piece, *port, element),
        [a, b] => {
            let (from, to) = (draft.at(*a), draft.at(*b));
            if from != to {
                passed(draft, book, piece, element, from, to);
            }
        }
        _ => runs::meeting(draft, book, piece, element),
    }
}

/// Whether an opening leads to the outdoors.
pub(super) fn outdoors(element: &Element) -> bool {
    any(&words(element), &["LOUVRE", "LOUVER", "COWL", "OUTDOOR AIR", "OUTSIDE AIR", "INTAKE", "WEATHER", "ROOF HOOD"])
}

/// A diffuser, a grille, a louvre: an opening to a room or to the outdoors, where the pressure is that of the air.
fn opening(draft: &mut Draft, book: &mut Book, piece: &Piece, port: usize, element: &Element) {
    let (site, slot) = (draft.site, piece.element);
    if plain_class(element) == "UnitaryEquipment" && !draft.has_mover {
        return unit_end(draft, book, piece, port, element);
    }
    if Role::of_element(element) != Some(Role::Terminal) && plain_class(element) != "UnitaryEquipment" {
        return;
    }
    let joint = draft.at(port);
    let place = draft.wiring.ports.get(port).and_then(|p| p.place);
    let section = draft.section_at(port).unwrap_or(Section::round(0.2));
    let flow = flow_of(draft, book, slot, section, 2.5, "in its neck");
    let drop = book.value(site, slot, "air_drop_pa", None, || {
        let pa = if outdoors(element) { 20.0 } else { 15.0 };
        (pa, "usual for such an opening at its design flow".into())
    });
    let id = draft.id_of(Some(slot), "");
    let air = draft.node(id, Some(slot), place, NodeKind::Reservoir { pattern: None });
    if let Some(pressure) = book.stated(site, slot, "pressure_pa") {
        let head = pressure / draft.net.network.pa_per_m();
        draft.net.network.nodes[air].elevation = head;
    }
    // Air goes into a supply terminal and on into the room; out of the room through one that extracts.
    let extracts = draft.wiring.ports.get(port).is_some_and(|p| p.flow == FlowDirection::Source);
    let (from, to) = if extracts { (air, joint) } else { (joint, air) };
    let kind = LinkKind::Resistance(Resistance::rated(drop, flow));
    draft.link(NewLink {
        part: Part::Opening,
        area: Some(section.area),
        design_m3s: Some(flow),
        ..NewLink::new(slot, from, to, kind)
    });
}

/// A unit whose inside is not drawn: its fan moves air between the outdoors and the one duct of this network.
fn unit_end(draft: &mut Draft, book: &mut Book, piece: &Piece, port: usize, element: &Element) {
    let slot = piece.element;
    let joint = draft.at(port);
    let section = draft.section_at(port).unwrap_or(Section::round(0.5));
    let flow = flow_of(draft, book, slot, section, 5.0, "in its duct");
    let kind = fan(draft, book, slot, flow);
    let id = draft.id_of(Some(slot), "outdoors");
    let place = draft.wiring.ports.get(port).and_then(|p| p.place);
    let air = draft.node(id, Some(slot), place, NodeKind::Reservoir { pattern: None });
    let takes = match draft.wiring.ports.get(port).map(|p| p.flow) {
        Some(FlowDirection::Sink) => true,
        Some(FlowDirection::Source) => false,
        _ => matches!(draft.carries, Carries::Return | Carries::Exhaust),
    };
    let (from, to) = if takes { (joint, air) } else { (air, joint) };
    let setting = book.value(draft.site, slot, "speed", Some(1.0), || (1.0, String::new()));
    let link = NewLink { part: Part::Mover, design_m3s: Some(flow), setting, ..NewLink::new(slot, from, to, kind) };
    draft.link(link);
    draft.net.problems.push(Problem::info(
        element.label(),
        "its inside is not drawn: one fan stands for it, between this duct and the outdoors",
        "state its nominal_pressure_pa and design_airflow_m3s, or model its fans",
    ));
}

/// The design airflow of an element, by a velocity in its section where nobody says it.
fn flow_of(draft: &Draft, book: &mut Book, slot: Slot, section: Section, velocity_ms: f64, place: &str) -> f64 {
    let stated = airflow_of(draft.site, slot).filter(|q| (1e-4..=1e3).contains(q));
    book.value(draft.site, slot, "design_airflow_m3s", stated, || {
        (velocity_ms * section.area, format!("nobody states its airflow: {velocity_ms} m/s {place}"))
    })
}

fn passed(draft: &mut Draft, book: &mut Book, piece: &Piece, element: &Element, from: usize, to: usize) {
    let (site, slot) = (draft.site, piece.element);
    let section = draft.section_of(piece).unwrap_or(Section::round(0.25));
    let suffix = if piece.number.1 > 1 { format!("{}", piece.number.0 + 1) } else { String::new() };
    let mut new = NewLink { suffix, area: Some(section.area), ..NewLink::new(slot, from, to, LinkKind::FixedFlow) };
    let words = words(element);
    let drop_at = |book: &mut Book, pa: f64, stated: Option<f64>, why: &str| {
        book.value(site, slot, "air_drop_pa", stated, || (pa, why.to_owned()))
    };
    let pressure = |names: &[&str]| number(site, slot, Quantity::Pressure, names);
    match plain_class(element) {
        "Fan" | "FlowMovingDevice" | "Compressor" => {
            let flow = flow_of(draft, book, slot, section, 5.0, "in its duct");
            draft.tell_direction(piece);
            new.kind = fan(draft, book, slot, flow);
            new.part = Part::Mover;
            new.area = None;
            new.design_m3s = Some(flow);
            new.setting = book.value(site, slot, "speed", Some(1.0), || (1.0, String::new()));
        }
        "Damper" | "FlowController" => {
            let purpose = valve_for(element);
            new.part = match purpose {
                ValveFor::Control => Part::Control,
                ValveFor::Balancing => Part::Balancing,
                _ => Part::Shutoff,
            };
            if purpose == ValveFor::Check {
                new.part = Part::Run;
                let k = RATED_KG_M3 / (2.0 * section.area * section.area);
                new.kind = LinkKind::Resistance(Resistance { k, exponent: 2.0, check: true });
            } else {
                let open = book.value(site, slot, "k", None, || (OPEN_LOSS, "a damper of blades, open".into()));
                let shut = purpose == ValveFor::Relief;
                new.kind =
                    LinkKind::Damper(BladeDamper { area: section.area, open_loss: open, closed_loss: SHUT_LOSS });
                new.setting = book
                    .value(site, slot, "position", (!shut).then_some(1.0), || (0.0, "a relief damper is shut".into()));
            }
        }
        "AirTerminalBox" => return terminal_box(draft, book, new, slot, section),
        "Filter" => {
            let flow = flow_of(draft, book, slot, section, 2.5, "on its face");
            let stated = pressure(&["CleanPressureDrop", "InitialResistance"]);
            let drop = drop_at(book, 100.0, stated, "a clean bag filter");
            new = NewLink { part: Part::Filter, design_m3s: Some(flow), area: None, ..new };
            new.kind = LinkKind::Resistance(Resistance::rated(drop, flow));
        }
        "Coil" | "EvaporativeCooler" | "Evaporator" | "HeatExchanger" => {
            let flow = flow_of(draft, book, slot, section, 2.5, "on its face");
            let usual = if cools(element) { 110.0 } else { 50.0 };
            let drop = drop_at(book, usual, pressure(&["AirPressureDrop"]), "a coil of usual depth");
            new = NewLink { part: Part::Consumer, design_m3s: Some(flow), area: None, ..new };
            new.kind = LinkKind::Resistance(Resistance::rated(drop, flow));
        }
        "UnitaryEquipment" if !draft.has_mover => {
            // Its inside is not drawn, and nothing else moves the air: its fan does.
            let flow = flow_of(draft, book, slot, section, 5.0, "in its duct");
            draft.tell_direction(piece);
            new = NewLink { part: Part::Mover, design_m3s: Some(flow), area: None, ..new };
            new.kind = fan(draft, book, slot, flow);
            new.setting = book.value(site, slot, "speed", Some(1.0), || (1.0, String::new()));
        }
        "UnitaryEquipment" | "AirToAirHeatRecovery" | "Humidifier" | "Burner" | "CooledBeam" | "SpaceHeater" => {
            let flow = flow_of(draft, book, slot, section, 3.0, "in its connections");
            let usual =
                if words.contains("RECOVERY") || plain_class(element) == "AirToAirHeatRecovery" { 150.0 } else { 15.0 };
            let drop = drop_at(book, usual, None, "what its casing takes at its design flow");
            new = NewLink { design_m3s: Some(flow), area: None, ..new };
            new.kind = LinkKind::Resistance(Resistance::rated(drop, flow));
        }
        _ => new.kind = runs::passed(draft, book, piece, element, section),
    }
    draft.link(new);
}

/// Whether a coil cools, by its words.
pub(super) fn cools(element: &Element) -> bool {
    let words = words(element);
    !(words.contains("-HC") || any(&words, &["HEAT", "HOT", "WARM"])) || any(&words, &["COOL", "CHILL"])
}

/// A VAV box: its damper, then its coil.
fn terminal_box(draft: &mut Draft, book: &mut Book, new: NewLink, slot: Slot, section: Section) {
    let site = draft.site;
    let flow = flow_of(draft, book, slot, section, 5.0, "in its inlet");
    let open = book.value(site, slot, "k", None, || (OPEN_LOSS, "its damper, open".into()));
    let middle = draft.loose("inside", Some(slot), None);
    let to = new.to;
    draft.link(NewLink {
        suffix: "damper".into(),
        to: middle,
        part: Part::Control,
        kind: LinkKind::Damper(BladeDamper { area: section.area, open_loss: open, closed_loss: SHUT_LOSS }),
        setting: book.value(site, slot, "position", Some(1.0), || (1.0, String::new())),
        design_m3s: Some(flow),
        ..new
    });
    let drop = book.value(site, slot, "air_drop_pa", None, || (25.0, "its reheat coil and casing".into()));
    draft.link(NewLink {
        suffix: "coil".into(),
        part: Part::Consumer,
        design_m3s: Some(flow),
        ..NewLink::new(slot, middle, to, LinkKind::Resistance(Resistance::rated(drop, flow)))
    });
}

/// A fan by `Δp = shutoff − c·Q²` through its design point.
fn fan(draft: &mut Draft, book: &mut Book, slot: Slot, flow: f64) -> LinkKind {
    let site = draft.site;
    let pressure = |names: &[&str]| number(site, slot, Quantity::Pressure, names);
    let nominal = pressure(&["NominalPressure", "NominalTotalPressure", "NominalStaticPressure"]);
    let nominal = book.value(site, slot, "nominal_pressure_pa", nominal, || {
        (500.0, "a fan of 500 Pa where nobody says otherwise".into())
    });
    let shutoff = book.value(site, slot, "shutoff_pressure_pa", pressure(&["ShutoffPressure"]), || {
        (1.35 * nominal, "1.35 times its pressure at the design point: backward curved blades".into())
    });
    let shutoff = shutoff.max(1.02 * nominal);
    let coefficient = (shutoff - nominal) / (flow * flow);
    let none = (shutoff / coefficient).sqrt();
    let at = |share: f64| (share * none, shutoff - coefficient * (share * none).powi(2));
    let id = format!("curve {}", draft.net.network.curves.len() + 1);
    draft.net.network.curves.push(Curve { id, kind: CurveKind::FanPressure, points: vec![at(0.0), at(0.5), at(0.9)] });
    LinkKind::Fan(Fan { curve: draft.net.network.curves.len() - 1, density: RATED_KG_M3, efficiency: None })
}
