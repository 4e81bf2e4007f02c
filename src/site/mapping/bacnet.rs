//! BACnet objects: `2003/analog-input/12` in a topic, and the same among the properties of an element.

use super::described::roles;
use super::index::Index;
use super::infer::Taken;
use super::tokens::{Token, tokens};
use super::{By, Candidate, Heard, Verdict, chosen};
use crate::site::model::{PropertyValue, Slot};
use std::collections::HashMap;

/// An object of a BACnet device (ASHRAE 135, object identifier).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ObjectId {
    /// Instance of the device; none where nobody says it.
    pub device: Option<u32>,
    /// Type of the object: 0 analog input, 1 analog output, 2 analog value, 3 to 5 binary, 13, 14 and 19 multi-state.
    pub kind: u16,
    /// Instance of the object.
    pub instance: u32,
}

/// Types of objects with their abbreviation and their words.
const KINDS: [(&str, [&str; 2], u16); 9] = [
    ("AI", ["ANALOG", "INPUT"], 0),
    ("AO", ["ANALOG", "OUTPUT"], 1),
    ("AV", ["ANALOG", "VALUE"], 2),
    ("BI", ["BINARY", "INPUT"], 3),
    ("BO", ["BINARY", "OUTPUT"], 4),
    ("BV", ["BINARY", "VALUE"], 5),
    ("MSI", ["STATE", "INPUT"], 13),
    ("MSO", ["STATE", "OUTPUT"], 14),
    ("MSV", ["STATE", "VALUE"], 19),
];

impl ObjectId {
    /// Reads `2003:AI:12`, `device 2003, analog-input 12`, `AI12`.
    pub fn parse(text: &str) -> Option<Self> {
        Self::find(&tokens(text))
    }

    /// The first object that some words name.
    pub(super) fn find(words: &[Token]) -> Option<Self> {
        let text = |i: usize| words.get(i).map(|t| t.text.as_str());
        let number = |i: usize| words.get(i).filter(|t| t.is_number()).and_then(|t| t.text.parse::<u32>().ok());
        (0..words.len()).find_map(|i| {
            let (kind, length) = KINDS.iter().find_map(|(short, long, kind)| {
                if text(i) == Some(short) {
                    return Some((*kind, 1));
                }
                (text(i) == Some(long[0]) && text(i + 1) == Some(long[1])).then_some((*kind, 2))
            })?;
            let instance = number(i + length)?;
            // Some write multi-state in two words.
            let before = (0..i).rev().find(|j| text(*j) != Some("MULTI"));
            let device = before.and_then(number);
            Some(Self { device, kind, instance })
        })
    }
}

/// Objects and devices that elements name among their properties.
pub(super) struct Known {
    objects: HashMap<(u16, u32), Vec<(Option<u32>, Slot, Vec<Token>)>>,
    devices: HashMap<u32, Vec<Slot>>,
}

impl Known {
    pub fn of(index: &Index<'_>) -> Self {
        let mut known = Self { objects: HashMap::new(), devices: HashMap::new() };
        for (slot, element) in index.site.iter() {
            for set in &element.properties {
                for (name, value) in &set.values {
                    let about = format!("{} {name}", set.name).to_lowercase();
                    if about.contains("bacnet") {
                        known.property(slot, name, value);
                    }
                }
            }
        }
        known
    }

    fn property(&mut self, slot: Slot, name: &str, value: &PropertyValue) {
        let text = match value {
            PropertyValue::Text(text) => text.clone(),
            PropertyValue::Integer(number) => number.to_string(),
            PropertyValue::Real(number) if *number >= 0.0 && number.fract() == 0.0 => format!("{number:.0}"),
            _ => return,
        };
        let skip = ["BACNET", "BAC", "NET", "OBJECT", "ID", "IDENTIFIER", "REFERENCE", "REF", "POINT", "PSET"];
        let words: Vec<Token> = tokens(name).into_iter().filter(|t| !skip.contains(&t.text.as_str())).collect();
        if let Some(object) = ObjectId::parse(&text) {
            self.objects.entry((object.kind, object.instance)).or_default().push((object.device, slot, words));
        } else if words.iter().any(|t| t.text == "DEVICE")
            && let Some(Ok(device)) = tokens(&text).iter().find(|t| t.is_number()).map(|t| t.text.parse())
        {
            self.devices.entry(device).or_default().push(slot);
        }
    }

    /// The point whose object a topic names, or whose device.
    pub fn find(&self, index: &Index<'_>, heard: &Heard, taken: &Taken) -> Option<Verdict> {
        if self.objects.is_empty() && self.devices.is_empty() {
            return None;
        }
        let told: Vec<Token> = heard.says.iter().flat_map(|s| tokens(s)).collect();
        if let Some(object) = ObjectId::find(&taken.words).or_else(|| ObjectId::find(&told)) {
            let all = self.objects.get(&(object.kind, object.instance)).map(Vec::as_slice).unwrap_or_default();
            let device_of = |slot: Slot| self.devices.iter().find(|(_, s)| s.contains(&slot)).map(|(d, _)| *d);
            let fits = |of: Option<u32>, slot: Slot| match (object.device, of.or_else(|| device_of(slot))) {
                (Some(a), Some(b)) => a == b,
                // Without a device it is the only object of that number, or none.
                _ => all.len() == 1,
            };
            let candidates: Vec<Candidate> = (all.iter())
                .filter(|(device, slot, _)| fits(*device, *slot))
                .flat_map(|(_, slot, words)| roles(index, *slot, words, heard.unit))
                .collect();
            if !candidates.is_empty() {
                return Some(chosen(candidates, By::Bacnet, || "several elements have this BACnet object".into()));
            }
        }
        // The device is the equipment, and words say the rest.
        let at = taken.words.iter().position(|t| matches!(t.text.as_str(), "BACNET" | "DEVICE" | "DEV"))?;
        let (i, device) = (taken.words.iter().enumerate().skip(at).take(3))
            .find_map(|(i, t)| t.is_number().then(|| t.text.parse::<u32>().ok().map(|n| (i, n)))?)?;
        let [slot] = self.devices.get(&device)?.as_slice() else { return None };
        let candidates = roles(index, *slot, taken.words.get(i + 1..)?, heard.unit);
        if candidates.is_empty() {
            return None;
        }
        Some(chosen(candidates, By::Bacnet, || "it may be one of several roles of this BACnet device".into()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn objects_in_their_spellings() {
        let id = |device, kind, instance| Some(ObjectId { device, kind, instance });
        assert_eq!(ObjectId::parse("2003:AI:12"), id(Some(2003), 0, 12));
        assert_eq!(ObjectId::parse("bacnet/2003/analog-value/7/present-value"), id(Some(2003), 2, 7));
        assert_eq!(ObjectId::parse("device 2003, multi-state-value 4"), id(Some(2003), 19, 4));
        assert_eq!(ObjectId::parse("BO3"), id(None, 4, 3));
        assert_eq!(ObjectId::parse("AHU-1/SAT"), None);
    }
}
