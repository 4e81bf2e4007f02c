//! How wide pipes and ducts are.

use super::book::Book;
use super::facts::number;
use super::ports::Wiring;
use crate::shape::ends::Outline;
use crate::site::unit::Quantity;
use crate::site::{Site, Slot};
use std::f64::consts::PI;

/// The inside of a pipe or duct.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Section {
    /// m².
    pub area: f64,
    /// Four times the area over its perimeter, m; of a round one its diameter.
    pub hydraulic: f64,
}

impl Section {
    pub fn round(diameter: f64) -> Self {
        Self { area: 0.25 * PI * diameter * diameter, hydraulic: diameter }
    }

    pub fn rectangular(width: f64, height: f64) -> Self {
        let around = (width + height).max(f64::MIN_POSITIVE);
        Self { area: width * height, hydraulic: 2.0 * width * height / around }
    }

    /// Diameter of a circle of the same area, m.
    pub fn diameter(self) -> f64 {
        (4.0 * self.area / PI).sqrt()
    }
}

/// Inner diameter of a steel pipe of an outer diameter, m: walls of 4 %, at least 2.6 mm (EN 10255, medium series).
fn inside(outer: f64) -> f64 {
    (outer - 2.0 * (0.04 * outer).max(0.0026)).max(0.5 * outer)
}

/// The section of a pipe or duct segment by its properties, quantities or geometry; none where nothing says it.
pub(super) fn of_segment(site: &Site, book: &mut Book, wiring: &Wiring, slot: Slot, air: bool) -> Option<Section> {
    if air { duct(site, book, wiring, slot) } else { pipe(site, book, wiring, slot) }
}

fn pipe(site: &Site, book: &mut Book, wiring: &Wiring, slot: Slot) -> Option<Section> {
    if let Some(d) = book.stated(site, slot, "diameter_m") {
        return Some(Section::round(d));
    }
    let length = |names: &[&str]| number(site, slot, Quantity::Length, names).filter(|d| (0.003..=5.0).contains(d));
    if let Some(d) = length(&["InnerDiameter", "InsideDiameter", "Inside Diameter", "Inner Diameter"]) {
        return Some(Section::round(d));
    }
    let outer = length(&["OuterDiameter", "OutsideDiameter", "Outside Diameter", "Outer Diameter"]);
    let outer = outer.or_else(|| wiring.outline(slot).map(Outline::least));
    if outer.is_none()
        && let Some(d) = length(&["NominalDiameter", "Nominal Diameter", "Diameter"])
    {
        return Some(Section::round(d));
    }
    let outer = outer.or_else(|| across(site, wiring, slot).map(|(a, b)| a.min(b)))?;
    let d = inside(outer);
    book.note(site, slot, "diameter_m", d, format!("its outer diameter of {outer:.3} m less walls of steel pipe"));
    Some(Section::round(d))
}

fn duct(site: &Site, book: &mut Book, wiring: &Wiring, slot: Slot) -> Option<Section> {
    if let Some(d) = book.stated(site, slot, "diameter_m") {
        return Some(Section::round(d));
    }
    if let (Some(w), Some(h)) = (book.stated(site, slot, "width_m"), book.stated(site, slot, "height_m")) {
        return Some(Section::rectangular(w, h));
    }
    let length = |names: &[&str]| number(site, slot, Quantity::Length, names).filter(|d| (0.02..=20.0).contains(d));
    let area = number(site, slot, Quantity::Area, &["GrossCrossSectionArea", "CrossSectionArea"]);
    let first = length(&["NominalDiameterOrWidth", "Width"]);
    let second = length(&["NominalHeight", "Height"]);
    match (first, second) {
        (Some(w), Some(h)) if (w - h).abs() > 1e-6 => return Some(Section::rectangular(w, h)),
        (Some(w), Some(_)) => {
            // As wide as high: round or square, which its area or its ends tell.
            let round = Section::round(w);
            let by_area = area.map(|a| (a - round.area).abs() < (a - w * w).abs());
            let by_end = wiring.outline(slot).map(|o| matches!(o, Outline::Round { .. }));
            let is_round = by_area.or(by_end).unwrap_or(true);
            return Some(if is_round { round } else { Section::rectangular(w, w) });
        }
        (Some(d), None) => return Some(Section::round(d)),
        _ => {}
    }
    if let Some(d) = length(&["NominalDiameter", "Diameter"]) {
        return Some(Section::round(d));
    }
    match wiring.outline(slot) {
        Some(Outline::Round { diameter_m }) => return Some(Section::round(diameter_m)),
        Some(Outline::Rect { width_m, height_m }) => return Some(Section::rectangular(width_m, height_m)),
        None => {}
    }
    if let Some(a) = area.filter(|a| (1e-4..=100.0).contains(a)) {
        return Some(Section::round((4.0 * a / PI).sqrt()));
    }
    let (w, h) = across(site, wiring, slot)?;
    Some(Section::rectangular(w, h))
}

/// The two extents of an element's box across the line between its ends, m.
fn across(site: &Site, wiring: &Wiring, slot: Slot) -> Option<(f64, f64)> {
    let bounds = site.element(slot)?.bounds?;
    let size = (bounds.max - bounds.min).to_array().map(f64::from);
    let axis = wiring.axis(slot)?.abs();
    // A box says the width only of what lies along an axis.
    let along = [axis.x, axis.y, axis.z].iter().position(|c| *c > 0.99)?;
    let mut rest = size.iter().enumerate().filter(|(i, _)| *i != along).map(|(_, s)| *s);
    let (a, b) = (rest.next()?, rest.next()?);
    (a > 0.003 && b > 0.003).then_some((a, b))
}
