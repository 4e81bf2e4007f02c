//! Loss coefficients of fittings and devices, where no model states them.
//!
//! Values are those of usual handbooks for parts of ordinary make: I. E. Idelchik, "Handbook of Hydraulic
//! Resistance" (bends 6-1, sudden changes 4-1 and 4-9, tees 7-18 ff. at equal velocities), Crane TP-410 (valves).

use super::draft::Draft;
use super::facts::{any, words};
use super::pieces::Piece;
use super::section::Section;
use crate::site::graph::Domain;
use crate::site::{Element, Slot};

/// Roughness of a wall, m, by the words of its materials: drawn tube and plastic, cast iron, concrete, galvanised
/// sheet, else welded steel.
pub(super) fn roughness(element: &Element, air: bool) -> (f64, &'static str) {
    let materials = format!("{} {}", element.materials.join(" "), element.type_name).to_ascii_uppercase();
    if any(&materials, &["COPPER", "PLASTIC", "PVC", "PEX", "PE-", "HDPE", "POLY", "BRASS"]) {
        (1.5e-6, "drawn tube or plastic")
    } else if any(&materials, &["FLEX"]) {
        (3e-3, "flexible duct or hose")
    } else if any(&materials, &["CAST"]) {
        (2.6e-4, "cast iron")
    } else if any(&materials, &["CONCRETE", "MASONRY"]) {
        (1e-3, "concrete")
    } else if air {
        (9e-5, "galvanised sheet steel")
    } else {
        (4.5e-5, "welded or drawn steel")
    }
}

/// What a fitting of two ends is, with its loss coefficient on the velocity in its smaller end.
pub(super) fn fitting(draft: &Draft, piece: &Piece, element: &Element) -> (f64, String) {
    let words = words(element);
    let air = piece.domain == Domain::Air;
    let [a, b] = piece.ports.as_slice() else { return (0.05, "a coupling".into()) };
    let sections = (draft.section_at(*a), draft.section_at(*b));
    if let (Some(x), Some(y)) = sections {
        let ratio = x.area.min(y.area) / x.area.max(y.area);
        if ratio < 0.95 {
            return (
                transition(ratio),
                format!("a change of section by {ratio:.2}, half of a sudden one (Idelchik 4-1)"),
            );
        }
    }
    let turn = draft.wiring.turn_deg(*a, *b);
    let bends = any(&words, &["BEND", "ELBOW", "BOGEN"]);
    let angle = turn.unwrap_or(if bends { 90.0 } else { 0.0 });
    if angle > 3.0 {
        (bend(angle, air), format!("a bend of {angle:.0} degrees (Idelchik 6-1)"))
    } else {
        (0.05, "a straight coupling".into())
    }
}

/// A bend by its angle: 0.3 in pipes and 0.25 in ducts at 90 degrees (radius about 1.5 times the width), by the
/// angle as Idelchik's factor A says it.
pub(super) fn bend(angle_deg: f64, air: bool) -> f64 {
    let square = if air { 0.25 } else { 0.3 };
    let angle = angle_deg.clamp(0.0, 180.0);
    let share = if angle <= 90.0 { (angle / 90.0).powf(0.85) } else { 0.7 + 0.35 * angle / 90.0 - 0.05 };
    square * share
}

/// Half of the loss of a sudden expansion, on the velocity in the smaller end.
pub(super) fn transition(ratio: f64) -> f64 {
    0.5 * (1.0 - ratio.clamp(0.0, 1.0)).powi(2)
}

/// Loss coefficient from each port of a tee or cross to its middle: what goes straight on loses 0.2 in all, what
/// turns into or out of a branch 1.0.
pub(super) const RUN: f64 = 0.1;
pub(super) const BRANCH: f64 = 0.9;

/// Kv of what has a loss coefficient, m³/h at 1 bar: `A · 3600 · √(2·10⁵ / (1000·K))`.
pub(super) fn kv_of(section: Section, k: f64) -> f64 {
    section.area * 3600.0 * (200.0 / k.max(1e-6)).sqrt()
}

/// What a valve is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ValveFor {
    Shutoff,
    Check,
    Control,
    Balancing,
    /// Opens only to relieve.
    Relief,
}

/// What a valve or damper is for, by its predefined type, else by its words.
pub(super) fn valve_for(element: &Element) -> ValveFor {
    let words = words(element);
    match element.predefined_type.to_ascii_uppercase().as_str() {
        "CHECK" | "BACKDRAFTDAMPER" => return ValveFor::Check,
        "DOUBLEREGULATING" | "COMMISSIONING" | "BALANCINGDAMPER" => return ValveFor::Balancing,
        "REGULATING" | "MIXING" | "DIVERTING" | "CHANGEOVER" | "CONTROLDAMPER" => {
            return if any(&words, &["BALANC"]) { ValveFor::Balancing } else { ValveFor::Control };
        }
        "SAFETYCUTOFF" | "PRESSURERELIEF" | "RELIEFDAMPER" | "AIRRELEASE" | "GASCOCK" => return ValveFor::Relief,
        "ISOLATING" | "STOPCOCK" | "FIREDAMPER" | "SMOKEDAMPER" | "FIRESMOKEDAMPER" => return ValveFor::Shutoff,
        _ => {}
    }
    if any(&words, &["BALANC", "REGULIER", "STAD", "COMMISSION"]) {
        ValveFor::Balancing
    } else if any(&words, &["CHECK", "NON-RETURN", "NON RETURN", "BACKDRAFT", "BACK DRAFT"]) {
        ValveFor::Check
    } else if any(&words, &["CONTROL", "ACTUAT", "MODULAT", "2-WAY", "TWO-WAY", "THERMOSTATIC", "MOTOR"]) {
        ValveFor::Control
    } else if any(&words, &["RELIEF", "SAFETY"]) {
        ValveFor::Relief
    } else {
        ValveFor::Shutoff
    }
}

/// What an element is called in problems.
pub(super) fn label(draft: &Draft, slot: Slot) -> String {
    draft.site.element(slot).map(Element::label).unwrap_or_default()
}
