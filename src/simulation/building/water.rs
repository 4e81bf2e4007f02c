//! Pieces of a water network as links and nodes.

use super::Part;
use super::book::Book;
use super::design::{Design, part_of};
use super::draft::{Draft, NewLink};
use super::facts::{any, number, words};
use super::losses::{ValveFor, kv_of, valve_for};
use super::medium::Carries;
use super::pieces::{Piece, is_expansion};
use super::runs;
use super::section::Section;
use crate::simulation::network::{
    Characteristic, Curve, CurveKind, KvValve, LinkKind, NodeKind, Pump, PumpHead, Resistance,
};
use crate::site::graph::{Role, plain_class};
use crate::site::unit::Quantity;
use crate::site::{Element, Slot};

/// Pressure over that of the air at which an expansion vessel holds its circuit, Pa: 1.5 bar, usual for buildings of
/// a few storeys.
const VESSEL_PA: f64 = 150_000.0;

/// Adds a piece.
pub(super) fn add(draft: &mut Draft, book: &mut Book, design: &Design, index: usize, piece: &Piece) {
    let Some(element) = draft.site.element(piece.element) else { return };
    match piece.ports.as_slice() {
        [] => {}
        [port] => end(draft, book, piece, *port, element),
        [a, b] => {
            let (from, to) = (draft.at(*a), draft.at(*b));
            if from != to {
                passed(draft, book, design, index, piece, element, from, to);
            }
        }
        _ => runs::meeting(draft, book, piece, element),
    }
}

/// What has one port in this network: a vessel, a tank, a tap, a machine's own supply.
fn end(draft: &mut Draft, book: &mut Book, piece: &Piece, port: usize, element: &Element) {
    let (site, slot) = (draft.site, piece.element);
    let closed = matches!(draft.carries, Carries::Chilled | Carries::Heating);
    let node = draft.at(port);
    let place = draft.wiring.ports.get(port).and_then(|p| p.place);
    if plain_class(element) == "Tank" || plain_class(element) == "FlowStorageDevice" {
        let height = element.bounds.map(|b| b.max.z - b.min.z);
        let z = place.map_or(0.0, |p| p.z);
        let pa_per_m = draft.net.network.pa_per_m();
        let head = if is_expansion(site, slot) || closed {
            let pressure = book.value(site, slot, "pressure_pa", None, || {
                (VESSEL_PA, "an expansion vessel holds 1.5 bar over the air where nobody says otherwise".into())
            });
            z + pressure / pa_per_m
        } else {
            let stated = number(site, slot, Quantity::Length, &["NominalDepth", "WaterLevel"]);
            let bottom = element.bounds.map_or(z, |b| b.min.z);
            let level = book.value(site, slot, "level_m", None, || {
                let full = stated.or(height).unwrap_or(1.0);
                (0.9 * full, "the tank is filled to nine tenths of its depth".into())
            });
            bottom + level
        };
        // A reservoir's elevation is its head.
        let id = draft.id_of(Some(slot), "");
        let store = draft.node(id, Some(slot), place, NodeKind::Reservoir { pattern: None });
        draft.net.network.nodes[store].elevation = head;
        let section = draft.section_at(port).unwrap_or(Section::round(0.025));
        let kind = LinkKind::Kv(KvValve {
            kvs: kv_of(section, 1.0),
            characteristic: Characteristic::Linear,
            leak_kv: 0.0,
            check: false,
        });
        draft.link(NewLink { area: Some(section.area), ..NewLink::new(slot, store, node, kind) });
        return;
    }
    let role = Role::of_element(element);
    if matches!(role, Some(Role::Terminal | Role::Equipment)) {
        let demand = book.value(site, slot, "demand_m3s", None, || make_up(draft, element));
        if demand != 0.0
            && let NodeKind::Junction(junction) = &mut draft.net.network.nodes[node].kind
        {
            junction.demands.push(crate::simulation::network::Demand {
                base: demand,
                pattern: None,
                category: element.label(),
            });
        }
        if draft.net.node_element[node].is_none() {
            draft.net.node_element[node] = Some(slot);
        }
    }
}

/// What an element with one port takes, m³/s.
fn make_up(draft: &Draft, element: &Element) -> (f64, String) {
    let slot = draft.site.find(&element.id);
    let power = slot.and_then(|s| super::design::power_of(draft.site, s));
    match (plain_class(element), power) {
        ("CoolingTower" | "EvaporativeCooler", Some(watts)) => {
            // Evaporation takes 2.43 MJ/kg at 30 °C; a third more is drained against salts (4 cycles).
            (watts / 2.43e6 * 1.33 / 998.0, "what evaporates and is drained at its full power".into())
        }
        _ => (0.0, "nobody draws here unless it is stated".into()),
    }
}

/// What has two ports.
fn passed(
    draft: &mut Draft,
    book: &mut Book,
    design: &Design,
    index: usize,
    piece: &Piece,
    element: &Element,
    from: usize,
    to: usize,
) {
    let (site, slot) = (draft.site, piece.element);
    let part = part_of(site, piece, draft.carries);
    let section = draft.section_of(piece).unwrap_or(Section::round(0.05));
    let flow = design.flow.get(&index).copied();
    let suffix = if piece.number.1 > 1 { format!("{}", piece.number.0 + 1) } else { String::new() };
    let mut new = NewLink {
        suffix,
        part,
        area: Some(section.area),
        design_m3s: flow,
        ..NewLink::new(slot, from, to, LinkKind::FixedFlow)
    };
    match part {
        Part::Mover => {
            draft.tell_direction(piece);
            new.kind = pump(draft, book, slot, flow.unwrap_or(1e-3));
            new.area = None;
            new.setting = book.value(site, slot, "speed", Some(1.0), || (1.0, String::new()));
            let link = draft.link(new);
            if design.standby.contains(&index) {
                draft.net.network.links[link].command = crate::simulation::network::Command::Closed;
            }
            return;
        }
        Part::Rejector => return tower(draft, book, new, piece),
        Part::Consumer | Part::Source | Part::Condenser => {
            let (default, field) = rated(element, part);
            let flow = flow.unwrap_or(0.7 * section.area);
            let stated = number(site, slot, Quantity::Pressure, &["WaterPressureDrop", "WaterPressureDropCurve"]);
            let drop = book
                .value(site, slot, field, stated, || (default, "usual for such a machine at its design flow".into()));
            new.kind = LinkKind::Resistance(Resistance::rated(drop, flow));
            new.area = None;
        }
        Part::Control | Part::Balancing | Part::Shutoff => {
            (new.kind, new.setting) = valve(draft, book, piece, element, section, part);
        }
        Part::Run if plain_class(element) == "Valve" => {
            (new.kind, new.setting) = valve(draft, book, piece, element, section, part);
        }
        _ => new.kind = runs::passed(draft, book, piece, element, section),
    }
    draft.link(new);
}

/// Pressure that a machine takes at its design flow, Pa, and the field that states it.
fn rated(element: &Element, part: Part) -> (f64, &'static str) {
    match (plain_class(element), part) {
        (_, Part::Condenser) => (40e3, "condenser_drop_pa"),
        ("Chiller" | "Evaporator", _) => (40e3, "pressure_drop_pa"),
        ("Boiler", _) => (10e3, "pressure_drop_pa"),
        ("HeatExchanger" | "TubeBundle", _) => (30e3, "pressure_drop_pa"),
        ("SpaceHeater", _) => (2e3, "pressure_drop_pa"),
        ("AirTerminalBox", _) => (5e3, "pressure_drop_pa"),
        _ => (15e3, "pressure_drop_pa"),
    }
}

fn valve(
    draft: &Draft,
    book: &mut Book,
    piece: &Piece,
    element: &Element,
    section: Section,
    part: Part,
) -> (LinkKind, f64) {
    let (site, slot) = (draft.site, piece.element);
    let is_valve = plain_class(element) == "Valve";
    let purpose = valve_for(element);
    let (k, what) = match (part, purpose) {
        (Part::Control, _) => (6.0, "a control valve of its pipe's size"),
        (Part::Balancing, _) => (3.0, "a balancing valve of its pipe's size, open"),
        (_, ValveFor::Check) => (2.0, "a check valve"),
        _ if any(&words(element), &["GLOBE"]) => (6.0, "a globe valve"),
        _ if any(&words(element), &["BUTTERFLY"]) => (0.6, "a butterfly valve"),
        _ => (0.2, "a ball or gate valve"),
    };
    let stated = number(site, slot, Quantity::Ratio, &["FlowCoefficient", "Kvs", "Kv"]).filter(|_| is_valve);
    // A flow coefficient in other units, or of another size: no valve that is open loses so much.
    let fits = stated.filter(|kv| part == Part::Control || *kv > 0.2 * kv_of(section, k));
    let kvs = book.value(site, slot, "kvs_m3h", fits, || match stated {
        Some(kv) => (kv_of(section, k), format!("{what}: its stated {kv:.1} is less than a fifth of what one has")),
        None => (kv_of(section, k), what.to_owned()),
    });
    let characteristic =
        if part == Part::Control { Characteristic::EqualPercentage(50.0) } else { Characteristic::Linear };
    let shut = purpose == ValveFor::Relief && is_valve;
    let position =
        book.value(site, slot, "position", (!shut).then_some(1.0), || (0.0, "a relief or safety valve is shut".into()));
    (LinkKind::Kv(KvValve { kvs, characteristic, leak_kv: 0.0, check: purpose == ValveFor::Check }), position)
}

/// A pump by `Δp = shutoff − c·Q²` through its design point.
fn pump(draft: &mut Draft, book: &mut Book, slot: Slot, flow: f64) -> LinkKind {
    let site = draft.site;
    let pressure = |names: &[&str]| number(site, slot, Quantity::Pressure, names);
    let head = pressure(&["NominalPressure", "NominalHead", "PressureRise"]);
    let head = book.value(site, slot, "nominal_pressure_pa", head, || {
        (100e3, "a circulation pump of 1 bar where nobody says otherwise".into())
    });
    let shutoff = book.value(site, slot, "shutoff_pressure_pa", pressure(&["ShutoffPressure"]), || {
        (4.0 / 3.0 * head, "4/3 of the pressure at its design point".into())
    });
    let shutoff = shutoff.max(1.02 * head);
    let coefficient = number(site, slot, Quantity::Ratio, &["CurveCoefficient"]);
    let coefficient = coefficient.unwrap_or((shutoff - head) / (flow * flow).max(f64::MIN_POSITIVE));
    let pa_per_m = draft.net.network.pa_per_m();
    let none = (shutoff / coefficient).sqrt();
    let at = |share: f64| {
        let q = share * none;
        (q, (shutoff - coefficient * q * q) / pa_per_m)
    };
    let id = format!("curve {}", draft.net.network.curves.len() + 1);
    draft.net.network.curves.push(Curve { id, kind: CurveKind::PumpHead, points: vec![at(0.0), at(0.5), at(0.9)] });
    let curve = draft.net.network.curves.len() - 1;
    LinkKind::Pump(Pump { head: PumpHead::Curve(curve), efficiency: None, pattern: None })
}

/// A cooling tower: water is sprayed at the top, falls open to the air, and is taken from the basin.
fn tower(draft: &mut Draft, book: &mut Book, new: NewLink, piece: &Piece) {
    let (site, slot) = (draft.site, piece.element);
    let place = |p: usize| draft.wiring.ports.get(piece.ports[p]).and_then(|p| p.place);
    let (top, bottom) = (place(0), place(1));
    let outlet_z = bottom.or(top).map_or(0.0, |p| p.z);
    let level = outlet_z
        + book.value(site, slot, "level_m", None, || (0.3, "the basin's water stands 0.3 m over its outlet".into()));
    let drop = book.value(site, slot, "pressure_drop_pa", None, || {
        (30e3, "usual for the nozzles of a tower at its design flow".into())
    });
    let flow = new.design_m3s.unwrap_or(1e-2);
    let id = draft.id_of(Some(slot), "basin");
    let basin = draft.node(id, Some(slot), bottom, NodeKind::Reservoir { pattern: None });
    draft.net.network.nodes[basin].elevation = level;
    let outlet = new.to;
    let section = draft.section_at(piece.ports[1]).unwrap_or(Section::round(0.1));
    draft.link(NewLink {
        to: basin,
        area: None,
        kind: LinkKind::Resistance(Resistance { check: true, ..Resistance::rated(drop, flow) }),
        // What is sprayed above the basin falls freely.
        head_gain: -(top.map_or(outlet_z, |p| p.z) - level).max(0.0),
        ..new
    });
    let kind = LinkKind::Kv(KvValve {
        kvs: kv_of(section, 0.5),
        characteristic: Characteristic::Linear,
        leak_kv: 0.0,
        check: false,
    });
    draft.link(NewLink {
        suffix: "outlet".into(),
        area: Some(section.area),
        design_m3s: Some(flow),
        ..NewLink::new(slot, basin, outlet, kind)
    });
}
