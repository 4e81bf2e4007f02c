//! What stands where in a network: the links of an element, of a unit's parts, its fan and its dampers.

use super::facts::words;
use super::{Part, SystemNetwork};
use crate::site::graph::plain_class;
use crate::site::{Element, Site, Slot};

/// The links of an element.
pub fn links_of(net: &SystemNetwork, slot: Slot) -> impl Iterator<Item = usize> + '_ {
    net.link_element.iter().enumerate().filter(move |(_, s)| **s == Some(slot)).map(|(i, _)| i)
}

/// The link in which an element exchanges heat with the network.
pub fn consumer(net: &SystemNetwork, slot: Slot) -> Option<usize> {
    links_of(net, slot).find(|l| net.link_part.get(*l) == Some(&Part::Consumer))
}

/// Links of some kind whose element is a part of a unit, or mounted on it.
pub fn within(site: &Site, net: &SystemNetwork, unit: Slot, part: Part) -> Vec<usize> {
    let belongs = |slot: &Option<Slot>| {
        let element = slot.and_then(|s| site.element(s));
        element.is_some_and(|e| e.part_of == Some(unit.0) || e.host == Some(unit.0))
    };
    let parts = net.link_part.iter().zip(&net.link_element).enumerate();
    parts.filter(|(_, (p, e))| **p == part && belongs(e)).map(|(i, _)| i).collect()
}

/// The air handling unit whose air goes through a coil or a box: what it is part of, what it names as its `AirHandler`,
/// else one with which it shares a system.
pub fn unit_of(site: &Site, element: &Element) -> Option<Slot> {
    let is_unit = |slot: &Slot| site.element(*slot).is_some_and(|e| plain_class(e) == "UnitaryEquipment");
    let own = [element.part_of, element.host].into_iter().flatten().map(Slot).find(is_unit);
    let named = || {
        let mut values = element.properties.iter().flat_map(|s| &s.values);
        let tag = values.find(|(name, _)| name.eq_ignore_ascii_case("AirHandler"))?.1.as_str()?;
        site.iter().find(|(slot, e)| e.tag == tag && is_unit(slot)).map(|(slot, _)| slot)
    };
    let beside = || {
        let shares = |e: &Element| e.systems.iter().any(|s| element.systems.contains(s));
        site.iter().find(|(slot, e)| is_unit(slot) && shares(e)).map(|(slot, _)| slot)
    };
    own.or_else(named).or_else(beside)
}

/// The supply fan among some fans: by its words or its tag, else the first.
pub fn supply_fan(site: &Site, net: &SystemNetwork, fans: &[usize]) -> Option<usize> {
    let named = |e: &Element| words(e).contains("SUPPLY") || e.tag.ends_with("-SF");
    fans.iter().copied().find(|l| element(site, net, *l).is_some_and(named)).or(fans.first().copied())
}

/// The control dampers of a unit, each with whether it closes as far as the outdoor air's opens.
pub fn unit_dampers(site: &Site, net: &SystemNetwork, unit: Slot) -> Vec<(usize, bool)> {
    within(site, net, unit, Part::Control)
        .into_iter()
        .map(|damper| {
            let words = element(site, net, damper).map(words).unwrap_or_default();
            (damper, ["RETURN AIR DAMPER", "RECIRC", "MIXING DAMPER"].iter().any(|w| words.contains(w)))
        })
        .collect()
}

fn element<'a>(site: &'a Site, net: &SystemNetwork, link: usize) -> Option<&'a Element> {
    site.element(net.link_element.get(link).copied().flatten()?)
}
