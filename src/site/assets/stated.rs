//! Relations that properties state by name: `AirHandler = AHU-3`, `Fed From`, `Area Served`.

use super::derive::Collector;
use super::names::{Names, parts};
use super::{RelationKind, Thing};
use crate::site::assemble::Site;
use crate::site::model::{ElementKind, Slot};

/// The property set that names what an element serves by the GlobalIds of spaces: `Space`, `Space2`, ….
pub(super) const OWN_SET: &str = "Pset_Plenum_Serves";

/// Longer names of properties are none of those that are understood.
const LONGEST_NAME: usize = 40;

/// What a property of that name says of the element that has it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Says {
    FedFrom,
    Feeds,
    Serves,
    ServesById,
    Meters,
    Controls,
    ControlledBy,
}

/// Adds what the properties of the assets state. A value that names no one thing says nothing.
pub(super) fn properties(site: &Site, assets: &[bool], names: &Names, all: &mut Collector) {
    for (slot, element) in site.iter() {
        if element.kind != ElementKind::Element || !assets.get(slot.0 as usize).copied().unwrap_or(false) {
            continue;
        }
        let this = Thing::Element(slot.0);
        // Registries have their own columns for this, read where they are merged.
        for set in element.properties.iter().filter(|s| !s.quantities && !s.name.starts_with("Registry: ")) {
            for (name, value) in &set.values {
                let (Some(says), Some(text)) = (meaning(&set.name, name), value.as_str()) else { continue };
                for word in parts(text) {
                    let other = || site.find(word).or_else(|| names.element(word)).map(|s| Thing::Element(s.0));
                    let place = || match site.find(word) {
                        Some(Slot(i)) => Some(Thing::Element(i)),
                        None if says == Says::ServesById => None,
                        None => names.served(word),
                    };
                    let (from, kind, to) = match says {
                        Says::FedFrom => (other(), RelationKind::Feeds, Some(this)),
                        Says::Feeds => (Some(this), RelationKind::Feeds, other()),
                        Says::Serves | Says::ServesById => (Some(this), RelationKind::Serves, place()),
                        Says::Meters => (Some(this), RelationKind::Meters, other().or_else(place)),
                        Says::Controls => (Some(this), RelationKind::Controls, other()),
                        Says::ControlledBy => (other(), RelationKind::Controls, Some(this)),
                    };
                    if let (Some(from), Some(to)) = (from, to) {
                        all.add(from, kind, to, format!("property {name} of {}", set.name));
                    }
                }
            }
        }
    }
}

/// True for a property that names the board or controller that its element hangs on: `Panel`, `Fed From`,
/// `Controlled By`.
pub(in crate::site) fn names_its_source(set: &str, name: &str) -> bool {
    !set.starts_with("Registry: ") && matches!(meaning(set, name), Some(Says::FedFrom | Says::ControlledBy))
}

fn meaning(set: &str, name: &str) -> Option<Says> {
    if name.len() > LONGEST_NAME {
        return None;
    }
    if set == OWN_SET
        && let Some(rest) = name.strip_prefix("Space")
        && rest.chars().all(|c| c.is_ascii_digit())
    {
        return Some(Says::ServesById);
    }
    let plain: String = name.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect();
    Some(match plain.as_str() {
        "fedfrom" | "fedby" | "suppliedby" | "suppliedfrom" | "supplyfrom" | "servedby" | "airhandler" | "ahu"
        | "upstreamequipment" | "panel" | "distributionboard" | "switchboard" => Says::FedFrom,
        "feeds" | "supplies" | "downstreamequipment" => Says::Feeds,
        "serves" | "areaserved" | "roomserved" | "roomsserved" | "spaceserved" | "spacesserved" | "zoneserved"
        | "servesspace" | "serveszone" | "servedspace" | "servedzone" => Says::Serves,
        "meters" | "measures" | "meteredequipment" => Says::Meters,
        "controls" | "controlledequipment" => Says::Controls,
        "controlledby" | "controller" => Says::ControlledBy,
        _ => return None,
    })
}
