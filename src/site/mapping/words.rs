//! What the words of a point say together, and what the roles of a template mean.

use super::meaning::{Meaning, Measured, Part};
use super::tokens::{Token, tokens};
use super::vocabulary::{self, Word};
use crate::site::model::Element;
use crate::site::project::PointTemplate;
use crate::site::unit::Quantity;

/// What some words say.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Said {
    /// What they say; none where they contradict each other.
    pub meaning: Option<Meaning>,
    /// How many of them nobody knows.
    pub unknown: usize,
    /// How many numbers nobody asked for.
    pub numbers: usize,
    /// There were words.
    pub any: bool,
}

/// Reads the words of a point.
pub(super) fn read(words: &[Token]) -> Said {
    let mut said = Said { meaning: Some(Meaning::default()), any: !words.is_empty(), ..Said::default() };
    let mut counts = false;
    for token in words {
        if token.is_number() {
            said.numbers += usize::from(!counts);
            continue;
        }
        counts = vocabulary::has(vocabulary::COUNTED, &token.text);
        match vocabulary::word(&token.text) {
            Some(word) => said.add(word),
            None => match vocabulary::split(&token.text) {
                Some(pieces) => pieces.iter().filter_map(|p| vocabulary::word(p)).for_each(|w| said.add(w)),
                None => said.unknown += 1,
            },
        }
    }
    said
}

impl Said {
    fn add(&mut self, word: Word) {
        if let Word::Says(meaning) = word {
            self.meaning = self.meaning.and_then(|m| m.with(meaning));
        }
    }
}

/// A role of a template, in words.
#[derive(Clone, Debug)]
pub(super) struct Role {
    /// As the project names it.
    pub name: String,
    /// Its words: `SUPPLY TEMPERATURE`.
    pub plain: String,
    /// What they mean; none where a word is not known.
    pub meaning: Option<Meaning>,
    /// What its unit measures.
    pub quantity: Quantity,
}

/// What a point of a template means: by its name, and by its unit where the name does not say.
pub(super) fn role(point: &PointTemplate) -> Role {
    let words = tokens(&point.role);
    let said = read(&words);
    let meaning = said.meaning.filter(|_| said.unknown == 0 && said.numbers == 0).map(|mut meaning| {
        if meaning.measured.is_none() && meaning.part != Some(Part::Damper) && meaning.part != Some(Part::Valve) {
            meaning.measured = of_unit(point.unit.quantity);
        } else if meaning.measured.is_none() {
            meaning.measured = Some(Measured::Position);
        }
        meaning
    });
    let plain = words.iter().map(|t| t.text.as_str()).collect::<Vec<_>>().join(" ");
    Role { name: point.role.clone(), plain, meaning, quantity: point.unit.quantity }
}

/// What a unit can only measure.
fn of_unit(quantity: Quantity) -> Option<Measured> {
    Some(match quantity {
        Quantity::Temperature => Measured::Temperature,
        Quantity::Pressure => Measured::Pressure,
        Quantity::VolumeFlow | Quantity::MassFlow => Measured::Flow,
        Quantity::Power => Measured::Power,
        Quantity::Energy => Measured::Energy,
        Quantity::Concentration => Measured::Co2,
        Quantity::Illuminance => Measured::Illuminance,
        Quantity::Voltage => Measured::Voltage,
        Quantity::Current => Measured::Current,
        Quantity::Frequency => Measured::Frequency,
        _ => return None,
    })
}

/// True when a value in a unit of `said` can be one of `role`. Differences of temperatures come in °C too.
pub(super) fn units_agree(said: Quantity, role: Quantity) -> bool {
    let heat = |q| matches!(q, Quantity::Temperature | Quantity::TemperatureDifference);
    said == role || heat(said) && heat(role)
}

/// What part an element is, so that its points need not say it.
pub(super) fn own_part(element: &Element) -> Option<Part> {
    Some(match element.class.as_str() {
        "IfcValve" => Part::Valve,
        "IfcDamper" => Part::Damper,
        "IfcFan" => Part::Fan,
        "IfcPump" => Part::Pump,
        "IfcFilter" => Part::Filter,
        "IfcCoil" => Part::Coil,
        "IfcCompressor" => Part::Compressor,
        _ => return None,
    })
}
