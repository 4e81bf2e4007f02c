//! What the model says of an element, in SI.

use crate::site::unit::Quantity;
use crate::site::{Element, Site, Slot};

/// The project's own property sets, which are SI whatever the units of the file.
const OWN: &str = "Pset_Plenum";

/// A positive number of an element by the first of some names that it has, SI. The project's own property sets count
/// first, then quantities, then other sets; the units of the file hold for all but the first.
pub(super) fn number(site: &Site, slot: Slot, quantity: Quantity, names: &[&str]) -> Option<f64> {
    let element = site.element(slot)?;
    let source = site.source_of.get(slot.0 as usize).copied().unwrap_or_default();
    let units = site.sources.get(usize::from(source)).map(|s| &s.units);
    let found = |wanted: &str, own: bool, quantities: bool| {
        let sets = element.properties.iter().filter(|s| s.name.starts_with(OWN) == own && s.quantities == quantities);
        let mut values = sets.flat_map(|s| &s.values).filter(|(name, _)| name.eq_ignore_ascii_case(wanted));
        let stated = values.find_map(|(_, v)| v.as_f64().filter(|v| v.is_finite()))?;
        let si = if own { stated } else { units.map_or(stated, |u| u.to_si(quantity, stated)) };
        Some(si).filter(|v| v.is_finite() && *v > 0.0)
    };
    names.iter().find_map(|name| {
        found(name, true, false).or_else(|| found(name, false, true)).or_else(|| found(name, false, false))
    })
}

/// Words that tell what an element is: class, predefined type, name, type name and tag, in upper case.
pub(super) fn words(element: &Element) -> String {
    format!("{} {} {} {}", element.predefined_type, element.name, element.type_name, element.tag).to_ascii_uppercase()
}

/// Whether any of some words is in a text.
pub(super) fn any(text: &str, words: &[&str]) -> bool {
    words.iter().any(|w| text.contains(w))
}
