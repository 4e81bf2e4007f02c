//! What runs through a network: domain and medium, by the words of ports and systems.

use crate::site::model::Group;
use serde::Serialize;

/// The kind of network.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Domain {
    /// Pipes with water or what behaves like it.
    Water,
    /// Ducts.
    Air,
    /// Power, light, data and control.
    Electrical,
    /// Gas, oil, refrigerant and all else, and what the file does not say.
    Other,
}

impl Domain {
    /// `water`, `air`, `electrical`, `other`.
    pub fn word(self) -> &'static str {
        match self {
            Self::Water => "water",
            Self::Air => "air",
            Self::Electrical => "electrical",
            Self::Other => "other",
        }
    }
}

/// What runs through a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Medium {
    /// `water`, `air`, `steam`, `gas`, `electricity`, …
    pub name: &'static str,
    /// The kind of network.
    pub domain: Domain,
}

const fn medium(name: &'static str, domain: Domain) -> Medium {
    Medium { name, domain }
}

const WATER: Medium = medium("water", Domain::Water);
const WASTE: Medium = medium("waste water", Domain::Water);
const STEAM: Medium = medium("steam", Domain::Other);
const AIR: Medium = medium("air", Domain::Air);
const SMOKE: Medium = medium("flue gas", Domain::Other);
const GAS: Medium = medium("gas", Domain::Other);
const OIL: Medium = medium("oil", Domain::Other);
const COLD: Medium = medium("refrigerant", Domain::Other);
const PRESSED: Medium = medium("compressed air", Domain::Other);
const POWER: Medium = medium("electricity", Domain::Electrical);
const SIGNAL: Medium = medium("signal", Domain::Electrical);

/// A medium of which only the network is known.
pub const fn of_domain(domain: Domain) -> Medium {
    match domain {
        Domain::Water => WATER,
        Domain::Air => AIR,
        Domain::Electrical => POWER,
        Domain::Other => medium("unknown", Domain::Other),
    }
}

/// What runs through a cable: a signal, or electricity.
pub const fn of_cable(signal: bool) -> Medium {
    if signal { SIGNAL } else { POWER }
}

/// The medium behind a word of `IfcDistributionSystemEnum`; none for words that leave it open.
pub fn of_word(word: &str) -> Option<Medium> {
    Some(match word {
        "CHILLEDWATER" | "CONDENSERWATER" | "DOMESTICCOLDWATER" | "DOMESTICHOTWATER" | "DRAINAGE"
        | "FIREPROTECTION" | "HEATING" | "RAINWATER" | "STORMWATER" | "WATERSUPPLY" => WATER,
        "SEWAGE" | "WASTEWATER" => WASTE,
        "AIRCONDITIONING" | "EXHAUST" | "VENTILATION" | "VACUUM" => AIR,
        "GAS" => GAS,
        "FUEL" | "OIL" => OIL,
        "REFRIGERATION" => COLD,
        "COMPRESSEDAIR" => PRESSED,
        "ELECTRICAL"
        | "LIGHTING"
        | "EARTHING"
        | "LIGHTNINGPROTECTION"
        | "POWERGENERATION"
        | "CATENARY_SYSTEM"
        | "FIXEDTRANSMISSIONNETWORK"
        | "OVERHEAD_CONTACTLINE_SYSTEM"
        | "RETURN_CIRCUIT" => POWER,
        "AUDIOVISUAL"
        | "COMMUNICATION"
        | "CONTROL"
        | "DATA"
        | "ELECTROACOUSTIC"
        | "MONITORINGSYSTEM"
        | "OPERATIONALTELEPHONYSYSTEM"
        | "SECURITY"
        | "SIGNAL"
        | "TELEPHONE"
        | "TV"
        | "MOBILENETWORK" => SIGNAL,
        _ => return None,
    })
}

/// Words in the names of systems whose class says nothing (`IfcSystem` of IFC2X3), the more special first.
const NAMES: &[(&str, Medium)] = &[
    ("compressed air", PRESSED),
    ("flue", SMOKE),
    ("steam", STEAM),
    ("refriger", COLD),
    ("sewage", WASTE),
    ("waste", WASTE),
    ("gas", GAS),
    ("fuel", OIL),
    ("air", AIR),
    ("exhaust", AIR),
    ("ventilation", AIR),
    ("duct", AIR),
    ("water", WATER),
    ("hydronic", WATER),
    ("heating", WATER),
    ("cooling", WATER),
    ("chilled", WATER),
    ("sanitary", WATER),
    ("sprinkler", WATER),
    ("drain", WATER),
    ("domestic", WATER),
    ("pipe", WATER),
    ("electric", POWER),
    ("lighting", POWER),
    ("power", POWER),
    ("data", SIGNAL),
    ("control", SIGNAL),
];

/// The medium of a system, by its predefined type, else by its name.
pub fn of_system(system: &Group) -> Option<Medium> {
    of_word(&system.predefined_type).or_else(|| {
        let name = system.name.to_lowercase();
        NAMES.iter().find(|(word, _)| name.contains(word)).map(|(_, medium)| *medium)
    })
}

/// What runs through an element of these systems, each medium once. Nearly every machine has a cable too: where
/// anything else runs, that does not count.
pub fn of_systems<'a>(systems: impl IntoIterator<Item = &'a Group>) -> Vec<Medium> {
    let mut media: Vec<Medium> = Vec::new();
    for medium in systems.into_iter().filter_map(of_system) {
        if !media.contains(&medium) {
            media.push(medium);
        }
    }
    if media.iter().any(|m| m.domain != Domain::Electrical) {
        media.retain(|m| m.domain != Domain::Electrical);
    }
    media
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn by_predefined_type_else_by_name() {
        let system = |predefined: &str, name: &str| Group {
            predefined_type: predefined.into(),
            name: name.into(),
            ..Group::default()
        };
        let name_of = |s: &Group| of_system(s).map(|m| (m.name, m.domain));
        assert_eq!(name_of(&system("CHILLEDWATER", "Air to nowhere")), Some(("water", Domain::Water)));
        assert_eq!(name_of(&system("NOTDEFINED", "Mechanical Supply Air 17")), Some(("air", Domain::Air)));
        assert_eq!(name_of(&system("", "Hydronic Return 2")), Some(("water", Domain::Water)));
        assert_eq!(name_of(&system("", "System 4")), None);
        assert_eq!(of_word("USERDEFINED"), None);
        let fan = [system("AIRCONDITIONING", ""), system("ELECTRICAL", ""), system("EXHAUST", "")];
        assert_eq!(of_systems(&fan), [AIR]);
        assert_eq!(of_systems(&fan[1..2]), [POWER]);
    }
}
