//! What a water network is designed for: which pumps run, how warm it is, and how much flows to whom.

use super::Part;
use super::book::Book;
use super::draft::Draft;
use super::facts::{any, number, words};
use super::losses::{ValveFor, label, valve_for};
use super::medium::Carries;
use super::pieces::Piece;
use crate::problem::Problem;
use crate::site::graph::{Role, plain_class};
use crate::site::unit::Quantity;
use crate::site::{Site, Slot};
use std::collections::BTreeMap;

/// Heat that a cubic metre of water takes for a kelvin, J/(m³·K).
pub(super) const WATER_J_M3K: f64 = 4.18e6;

/// What a network is designed for.
#[derive(Clone, Debug, Default)]
pub(super) struct Design {
    /// Temperature of what the machines send out, °C.
    pub supply_c: f64,
    /// Temperature of what comes back to them, °C.
    pub return_c: f64,
    /// m³/s by piece: consumers, machines, pumps.
    pub flow: BTreeMap<usize, f64>,
    /// Pumps that stand by.
    pub standby: Vec<usize>,
    /// m³/s that all consumers, or all pumps that run, move.
    pub total_m3s: f64,
}

/// What a piece of a water network is for.
pub(super) fn part_of(site: &Site, piece: &Piece, carries: Carries) -> Part {
    let Some(element) = site.element(piece.element) else { return Part::Run };
    match plain_class(element) {
        "Pump" | "FlowMovingDevice" => Part::Mover,
        "Chiller" | "Condenser" if carries == Carries::Condenser => Part::Condenser,
        "Chiller" | "Boiler" | "Burner" | "Evaporator" => Part::Source,
        "CoolingTower" | "EvaporativeCooler" => Part::Rejector,
        "Coil"
        | "SpaceHeater"
        | "AirTerminalBox"
        | "CooledBeam"
        | "UnitaryEquipment"
        | "UnitaryControlElement"
        | "HeatExchanger"
        | "TubeBundle"
        | "EnergyConversionDevice" => Part::Consumer,
        "Valve" => match valve_for(element) {
            ValveFor::Control => Part::Control,
            ValveFor::Balancing => Part::Balancing,
            ValveFor::Shutoff | ValveFor::Relief => Part::Shutoff,
            ValveFor::Check => Part::Run,
        },
        "FlowController" if Role::of_element(element) == Some(Role::Inline) => Part::Shutoff,
        "Filter" | "Interceptor" | "FlowTreatmentDevice" => Part::Filter,
        _ => Part::Run,
    }
}

/// Power of a machine or consumer, W, as the model states it.
pub(super) fn power_of(site: &Site, slot: Slot) -> Option<f64> {
    let names = [
        "DesignPower",
        "HeatingPower",
        "OutputCapacity",
        "NominalCapacity",
        "TotalCoolingCapacity",
        "NominalHeatingPower",
        "NominalSensibleCapacity",
        "NominalThermalCapacity",
    ];
    number(site, slot, Quantity::Power, &names)
}

/// The design of a component. `own` are its pieces by their place in the list of all.
pub(super) fn design(draft: &mut Draft, book: &mut Book, own: &[(usize, &Piece)]) -> Design {
    let (site, carries) = (draft.site, draft.carries);
    let parts: Vec<(usize, &Piece, Part)> =
        own.iter().filter(|(_, p)| p.ports.len() == 2).map(|(i, p)| (*i, *p, part_of(site, p, carries))).collect();
    let of = |part: Part| parts.iter().filter(move |(.., p)| *p == part).map(|(i, p, _)| (*i, *p));
    let mut out = Design::default();
    let (supply, spread) = carries.design_c();
    let mut spread = spread;

    // Consumers: the condensers of chillers are what a condenser circuit serves.
    let serves = if carries == Carries::Condenser { Part::Condenser } else { Part::Consumer };
    let mut powers: Vec<(usize, &Piece, Option<f64>)> = Vec::new();
    for (i, piece) in of(serves) {
        let stated = book.stated(site, piece.element, "design_power_w").or_else(|| power_of(site, piece.element));
        powers.push((i, piece, stated.map(|w| if serves == Part::Condenser { 1.2 * w } else { w })));
    }
    // Equal pumps stand beside one another.
    let mut groups: Vec<(f64, f64, Vec<(usize, &Piece)>)> = Vec::new();
    let mut unknown = Vec::new();
    for (i, pump) in of(Part::Mover) {
        let flow = book.stated(site, pump.element, "nominal_flow_m3s").or_else(|| {
            number(site, pump.element, Quantity::VolumeFlow, &["NominalFlow", "FlowRate", "NominalFlowRate"])
        });
        let head = number(site, pump.element, Quantity::Pressure, &["NominalPressure"]).unwrap_or(0.0);
        match flow {
            Some(q) => match groups.iter_mut().find(|g| (g.0 - q).abs() < 1e-3 * q && (g.1 - head).abs() < 1.0) {
                Some(group) => group.2.push((i, pump)),
                None => groups.push((q, head, vec![(i, pump)])),
            },
            None => unknown.push((i, pump)),
        }
    }
    let known_w: f64 = powers.iter().filter_map(|p| p.2).sum();
    let all_known = !powers.is_empty() && powers.iter().all(|p| p.2.is_some());
    let mut moved = None;
    for (flow, _, pumps) in &groups {
        let run = duty(draft, book, *flow, pumps, known_w, all_known, spread, &mut out);
        moved = moved.or((groups.len() == 1).then_some(run));
    }
    if let (Some(flow), true) = (moved, all_known && spread != 0.0) {
        let own_spread = known_w / (WATER_J_M3K * flow) * spread.signum();
        if (0.4..=2.8).contains(&(own_spread / spread)) {
            spread = own_spread;
        } else {
            draft.net.problems.push(Problem::warning(
                draft.net.name.clone(),
                format!(
                    "its consumers ask for {:.0} kW and its pumps move {:.1} l/s, which is {:.1} K between supply and return",
                    known_w / 1000.0,
                    flow * 1000.0,
                    own_spread.abs()
                ),
                "look at the powers of the consumers and at the nominal flow of the pumps",
            ));
        }
    }
    // Where nobody says a power, the pipe says the flow.
    let mut asked = 0.0;
    for (i, piece, power) in &powers {
        let by_power = power.filter(|_| spread != 0.0).map(|w| w / (WATER_J_M3K * spread.abs()));
        let field = if serves == Part::Condenser { "condenser_flow_m3s" } else { "design_flow_m3s" };
        let stated = book.stated(site, piece.element, field);
        let flow = stated.unwrap_or_else(|| match (by_power, draft.section_of(piece)) {
            (Some(flow), _) => {
                let why = format!("its power over {:.1} K between supply and return", spread.abs());
                book.note(site, piece.element, field, flow, why);
                flow
            }
            (None, section) => {
                let area = section.map_or(3e-4, |s| s.area);
                let why = "nobody states its power: 0.7 m/s in its pipe".to_owned();
                book.note(site, piece.element, field, 0.7 * area, why);
                0.7 * area
            }
        });
        asked += flow;
        out.flow.insert(*i, flow);
    }
    out.total_m3s = moved.unwrap_or(asked);
    // A circuit that serves nobody we know runs by its pumps.
    for (i, pump) in unknown {
        let flow = book.value(site, pump.element, "nominal_flow_m3s", None, || {
            let flow = if asked > 0.0 { asked } else { draft.section_of(pump).map_or(1e-3, |s| 1.2 * s.area) };
            let why = if asked > 0.0 { "what all consumers of its network ask for" } else { "1.2 m/s in its pipe" };
            (flow, why.to_owned())
        });
        out.flow.insert(i, flow);
        if out.total_m3s <= 0.0 {
            out.total_m3s = flow;
        }
    }
    for part in [Part::Source, Part::Rejector] {
        share(site, &mut out, of(part).collect());
    }
    if serves == Part::Condenser && moved.is_some() && asked > 0.0 {
        let (total, factor) = (out.total_m3s, out.total_m3s / asked);
        for (i, _, _) in &powers {
            if let Some(flow) = out.flow.get_mut(i) {
                *flow *= factor;
            }
        }
        spread = known_w / (WATER_J_M3K * total) * spread.signum();
    }
    (out.supply_c, out.return_c) = (supply, supply + spread);
    out
}

/// Which of some equal pumps run, and what they move together, m³/s.
fn duty(
    draft: &mut Draft,
    book: &mut Book,
    flow: f64,
    pumps: &[(usize, &Piece)],
    known_w: f64,
    all_known: bool,
    spread: f64,
    out: &mut Design,
) -> f64 {
    let n = pumps.len();
    let fits = |running: usize| {
        let own = known_w / (WATER_J_M3K * flow * running as f64);
        !all_known || spread == 0.0 || (0.4..=2.8).contains(&(own / spread.abs()))
    };
    // One of several stands by, unless the consumers need them all.
    let running = if n < 2 || (!fits(n - 1) && fits(n)) { n } else { n - 1 };
    for (k, (i, pump)) in pumps.iter().enumerate() {
        let element = draft.site.element(pump.element);
        let words = element.map(words).unwrap_or_default();
        let said = any(&words, &["STANDBY", "STAND-BY"]).then_some(0.0);
        let runs = book.value(draft.site, pump.element, "running", said, || {
            let why = if k < running {
                format!("{running} of {n} equal pumps run")
            } else {
                format!("it stands by: {running} of {n} equal pumps run")
            };
            (f64::from(u8::from(k < running)), why)
        });
        out.flow.insert(*i, flow);
        if runs < 0.5 {
            out.standby.push(*i);
        }
    }
    let moving = pumps.iter().filter(|(i, _)| !out.standby.contains(i)).count();
    if moving == 0 {
        let first = pumps.first().map(|(_, p)| label(draft, p.element)).unwrap_or_default();
        draft.net.problems.push(Problem::warning(
            first,
            "no pump of its group runs",
            "state `running` of one of them as 1",
        ));
    }
    flow * moving.max(1) as f64
}

/// Shares the whole flow among machines by their power, equally where it is not stated.
fn share(site: &Site, out: &mut Design, machines: Vec<(usize, &Piece)>) {
    let powers: Vec<f64> = machines.iter().map(|(_, p)| power_of(site, p.element).unwrap_or(0.0)).collect();
    let (n, sum) = (machines.len() as f64, powers.iter().sum::<f64>());
    let known = powers.iter().all(|p| *p > 0.0);
    for ((i, _), power) in machines.iter().zip(&powers) {
        let part = if known { power / sum } else { 1.0 / n };
        out.flow.insert(*i, out.total_m3s * part);
    }
}
