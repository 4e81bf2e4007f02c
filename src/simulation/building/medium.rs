//! What a network carries, by its systems.

use crate::site::model::Group;

/// What runs through a network, with the temperatures that it is designed for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Carries {
    Chilled,
    Heating,
    Condenser,
    Cold,
    Hot,
    Water,
    /// Sewage, rain, condensate: it falls by its own weight in pipes that are partly filled.
    Drain,
    Supply,
    Return,
    Outdoor,
    Exhaust,
    Air,
}

impl Carries {
    /// `chilled water`, `supply air`, …
    pub fn word(self) -> &'static str {
        match self {
            Self::Chilled => "chilled water",
            Self::Heating => "heating water",
            Self::Condenser => "condenser water",
            Self::Cold => "cold water",
            Self::Hot => "hot water",
            Self::Water => "water",
            Self::Drain => "waste water",
            Self::Supply => "supply air",
            Self::Return => "return air",
            Self::Outdoor => "outdoor air",
            Self::Exhaust => "exhaust air",
            Self::Air => "air",
        }
    }

    /// Temperature of what the machines send out, and by how much it changes at the consumers, °C and K: usual
    /// design values of building services; a condenser's by EN 14511 (30/35 °C) at a tower's 27 °C.
    pub fn design_c(self) -> (f64, f64) {
        match self {
            Self::Chilled => (6.0, 6.0),
            Self::Heating => (55.0, -10.0),
            Self::Condenser => (27.0, 5.0),
            Self::Hot => (60.0, -5.0),
            Self::Cold => (12.0, 0.0),
            _ => (20.0, 0.0),
        }
    }
}

/// What a system carries, by its predefined type, else by the words of its name; none for power, data, gas, …
pub(super) fn of_group(group: &Group) -> Option<Carries> {
    let name = format!(" {} ", group.name.to_lowercase());
    let has = |words: &[&str]| words.iter().any(|w| name.contains(w));
    let air = || {
        if has(&["outdoor", "outside", "fresh", "intake"]) {
            Carries::Outdoor
        } else if has(&["exhaust", "extract", "discharge"]) {
            Carries::Exhaust
        } else if has(&["return"]) {
            Carries::Return
        } else if has(&["supply"]) {
            Carries::Supply
        } else {
            Carries::Air
        }
    };
    Some(match group.predefined_type.as_str() {
        "CHILLEDWATER" => Carries::Chilled,
        "HEATING" => Carries::Heating,
        "CONDENSERWATER" => Carries::Condenser,
        "DOMESTICCOLDWATER" | "WATERSUPPLY" | "FIREPROTECTION" => Carries::Cold,
        "DOMESTICHOTWATER" => Carries::Hot,
        "DRAINAGE" | "RAINWATER" | "STORMWATER" | "SEWAGE" | "WASTEWATER" => Carries::Drain,
        "EXHAUST" => Carries::Exhaust,
        "AIRCONDITIONING" | "VENTILATION" => match air() {
            Carries::Air if group.predefined_type == "AIRCONDITIONING" => Carries::Supply,
            known => known,
        },
        _ => {
            use crate::site::graph::{Domain, medium};
            let known = medium::of_system(group)?;
            match known.domain {
                Domain::Air => air(),
                Domain::Water if known.name != "water" => Carries::Drain,
                Domain::Water if has(&["sanitary", "drain", "waste", "sewage", "storm", "rain", " vent "]) => {
                    Carries::Drain
                }
                Domain::Water if has(&["condenser"]) => Carries::Condenser,
                Domain::Water if has(&["chill", "cooling"]) => Carries::Chilled,
                Domain::Water if has(&["domestic hot", "hot water supply", "dhw"]) => Carries::Hot,
                Domain::Water if has(&["heat", "hydronic", "radiator", "boiler"]) => Carries::Heating,
                Domain::Water if has(&["cold", "fire", "sprinkler", "domestic"]) => Carries::Cold,
                Domain::Water => Carries::Water,
                _ => return None,
            }
        }
    })
}

/// The name of a network by the names of its systems, the most frequent first: theirs where there is one, the words
/// they have in common where there are several.
pub(super) fn name_of(systems: &[String]) -> String {
    let [first, rest @ ..] = systems else { return String::new() };
    if rest.is_empty() {
        return first.clone();
    }
    let parts = |s: &str| s.split_whitespace().map(str::to_lowercase).collect::<Vec<_>>();
    let others: Vec<Vec<String>> = rest.iter().map(|s| parts(s)).collect();
    let common: Vec<&str> =
        first.split_whitespace().filter(|w| others.iter().all(|o| o.contains(&w.to_lowercase()))).collect();
    if common.is_empty() || common.iter().all(|w| w.len() < 2) {
        return format!("{first} and {} more", rest.len());
    }
    let mut name = common.join(" ");
    if let Some(head) = name.get(..1).map(str::to_uppercase) {
        name.replace_range(..1, &head);
    }
    name
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_media_by_systems() {
        let names = |n: &[&str]| name_of(&n.iter().map(|s| (*s).to_owned()).collect::<Vec<_>>());
        assert_eq!(names(&["Supply air AHU-1", "Return air AHU-1", "Outdoor air AHU-1"]), "Air AHU-1");
        assert_eq!(names(&["Chilled water"]), "Chilled water");
        assert_eq!(names(&["Hydronic Supply 1", "Hydronic Return 1"]), "Hydronic 1");
        assert_eq!(names(&["Supply", "Return"]), "Supply and 1 more");
        let group =
            |name: &str, kind: &str| Group { name: name.into(), predefined_type: kind.into(), ..Group::default() };
        assert_eq!(of_group(&group("Return air AHU-1", "VENTILATION")), Some(Carries::Return));
        assert_eq!(of_group(&group("x", "AIRCONDITIONING")), Some(Carries::Supply));
        assert_eq!(of_group(&group("Mechanical Chilled Water", "")), Some(Carries::Chilled));
        assert_eq!(of_group(&group("Sanitary 1", "")), Some(Carries::Drain));
        assert_eq!(of_group(&group("Lighting", "ELECTRICAL")), None);
    }
}
