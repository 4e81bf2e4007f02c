//! `[[devices.points]]`.

use super::super::aggregate::{Rule, Take};
use super::super::device::bacnet::{Object, PRESENT_VALUE, object_type};
use super::super::device::modbus::{Area, Format, Register};
use super::super::device::simulated::{Shape, Wave};
use super::{Kind, Point, Source};
use crate::site::project::sheet::{Sheet, Table};
use crate::site::unit::Unit;
use crate::telemetry::topics::is_topic;
use std::collections::HashSet;

/// Where samples go already: topic and key.
pub(super) type Seen = HashSet<(String, String)>;

/// What is known of a point's device.
pub(super) struct About<'a> {
    pub gateway: &'a str,
    pub device: &'a str,
    pub kind: &'a Kind,
    pub poll_s: f64,
    pub topic: &'a str,
}

pub(super) fn read(table: Table<'_>, about: &About<'_>, seen: &mut Seen) -> Option<Point> {
    let (sheet, line) = (table.sheet, table.line);
    let name = table.word("name").and_then(|n| super::read::name_of(sheet, n.value, n.line));
    if !table.has("name") {
        sheet.error(line, "a point has no `name`", "give it one: name = \"supply_temperature\"");
    }
    let unit = table.unit("unit");
    let poll_s = table.number_in("poll_s", 0.05, 86_400.0).map_or(about.poll_s, |n| n.value);
    let scale = table.number("scale").map_or(1.0, |n| n.value);
    let offset = table.number("offset").map_or(0.0, |n| n.value);
    let rule = rule(&table, poll_s);
    let template = table.word("topic");
    let line_of_topic = template.as_ref().map_or(line, |t| t.line);
    let template = template.map_or_else(|| about.topic.to_owned(), |t| t.value);
    let source = match about.kind {
        Kind::Modbus { .. } => register(&table).map(Source::Modbus),
        Kind::Bacnet { .. } => object(&table).map(Source::Bacnet),
        Kind::Simulated => wave(&table).map(Source::Simulated),
    };
    table.finish();
    let (name, source, rule) = (name?, source?, rule?);
    let (topic, key) = filled(sheet, line_of_topic, &template, about, &name)?;
    if !seen.insert((topic.clone(), key.clone())) {
        let what = if key.is_empty() { topic } else { format!("{topic} {key}") };
        sheet.error(line, format!("two points would be published as `{what}`"), "give them other names or topics");
        return None;
    }
    let unit = unit.unwrap_or(Unit::ONE);
    Some(Point { name, unit, source, scale, offset, rule, poll_s, topic, key })
}

/// The topic with its placeholders filled in; without `{point}` the point's name is the payload's key.
fn filled(sheet: &Sheet, line: usize, template: &str, about: &About<'_>, name: &str) -> Option<(String, String)> {
    let topic = template.replace("{gateway}", about.gateway).replace("{device}", about.device).replace("{point}", name);
    if topic.contains(['{', '}']) {
        let remedy = "the placeholders are {gateway}, {device} and {point}";
        sheet.error(line, format!("`{template}` has a placeholder that means nothing"), remedy);
        return None;
    }
    if !is_topic(&topic) || topic.starts_with('$') {
        sheet.error(line, format!("`{topic}` is no topic to publish to"), "it has a name and no # + or leading $");
        return None;
    }
    let key = if template.contains("{point}") { String::new() } else { name.to_owned() };
    Some((topic, key))
}

fn rule(table: &Table<'_>, poll_s: f64) -> Option<Rule> {
    let sheet = table.sheet;
    let take = table.word("take");
    let every = table.number_in("every_s", 0.05, 86_400.0);
    let deadband = table.number_in("deadband", 0.0, f64::MAX);
    let at_least = table.number_in("at_least_s", 0.05, 86_400.0);
    let word = take.as_ref().map_or("every", |t| t.value.as_str());
    let alien = |keys: &[&str]| {
        for key in keys.iter().filter(|k| table.has(k)) {
            let message = format!("`{key}` means nothing with take = \"{word}\"");
            sheet.warning(table.line_of(key), message, "leave it out, or write another `take`");
        }
    };
    let of_period = match word {
        "mean" => Take::Mean,
        "min" => Take::Min,
        "max" => Take::Max,
        "last" => Take::Last,
        "every" => {
            alien(&["every_s", "deadband", "at_least_s"]);
            return Some(Rule::Every);
        }
        "change" => {
            alien(&["every_s"]);
            let at_least_ms = at_least.map(|s| (s.value * 1000.0) as i64);
            return Some(Rule::Change { deadband: deadband.map_or(0.0, |d| d.value), at_least_ms });
        }
        other => {
            let line = take.as_ref().map_or(table.line, |t| t.line);
            let remedy = "write \"every\", \"mean\", \"min\", \"max\", \"last\" or \"change\"";
            sheet.error(line, format!("`{other}` is no way to make samples of readings"), remedy);
            return None;
        }
    };
    alien(&["deadband", "at_least_s"]);
    let Some(every) = every else {
        if !table.has("every_s") {
            sheet.error(table.line, format!("take = \"{word}\" needs a period"), "write every_s = 60");
        }
        return None;
    };
    if every.value < poll_s {
        let message = format!("a period of {} s is shorter than the {poll_s} s between readings", every.value);
        sheet.warning(every.line, message, "read more often (poll_s), or make it longer");
    }
    Some(Rule::Period { length_ms: (every.value * 1000.0) as i64, take: of_period })
}

fn register(table: &Table<'_>) -> Option<Register> {
    let sheet = table.sheet;
    let area = table.word("read");
    let address = table.whole_in("register", 0, 65_535);
    let format = table.word("type");
    let words = table.word("word_order");
    let bytes = table.word("byte_order");
    let bit = table.whole_in("bit", 0, 15);
    if !table.has("register") {
        sheet.error(table.line, "a point has no `register`", "write its number on the wire, from 0: 40101 is 100");
    }
    let area = match area.as_ref().map_or("holding", |a| a.value.as_str()) {
        "holding" => Area::Holding,
        "input" => Area::Input,
        "coil" => Area::Coil,
        "discrete" => Area::Discrete,
        other => {
            let line = area.as_ref().map_or(table.line, |a| a.line);
            let remedy = "write \"holding\", \"input\", \"coil\" or \"discrete\"";
            sheet.error(line, format!("`{other}` is no table of a Modbus device"), remedy);
            return None;
        }
    };
    let usual = if area.is_bits() { "bit" } else { "u16" };
    let word = format.as_ref().map_or(usual, |f| f.value.as_str());
    let Some(read) = Format::of_word(word, bit.as_ref().map_or(0, |b| b.value as u8)) else {
        let line = format.as_ref().map_or(table.line, |f| f.line);
        let remedy = format!("write one of {}", Format::WORDS.join(", "));
        sheet.error(line, format!("`{word}` is no type of a register"), remedy);
        return None;
    };
    if area.is_bits() && !matches!(read, Format::Bit(_)) {
        let line = format.as_ref().map_or(table.line, |f| f.line);
        sheet.error(line, "coils and discrete inputs are single bits", "leave `type` out");
        return None;
    }
    if bit.is_some() && (area.is_bits() || !matches!(read, Format::Bit(_))) {
        let remedy = "write type = \"bit\" for one bit of a register, or leave `bit` out";
        sheet.warning(table.line_of("bit"), "`bit` means nothing here", remedy);
    }
    let little = |order: Option<crate::site::project::sheet::Field<String>>| match order {
        None => Some(false),
        Some(order) => match order.value.as_str() {
            "big" => Some(false),
            "little" => Some(true),
            other => {
                sheet.error(order.line, format!("`{other}` is no order"), "write \"big\" or \"little\"");
                None
            }
        },
    };
    let (little_words, little_bytes) = (little(words)?, little(bytes)?);
    let register = Register { area, address: address?.value as u16, format: read, little_words, little_bytes };
    if u32::from(register.address) + u32::from(register.length()) > 65_536 {
        sheet.error(table.line_of("register"), "it ends behind the last register, 65535", "write a smaller number");
        return None;
    }
    Some(register)
}

fn object(table: &Table<'_>) -> Option<Object> {
    let sheet = table.sheet;
    let property = table.whole_in("property", 0, 4_194_303).map_or(PRESENT_VALUE, |n| n.value as u32);
    let Some(object) = table.word("object") else {
        if !table.has("object") {
            sheet.error(table.line, "a point has no `object`", "write object = \"analog-input,3\"");
        }
        return None;
    };
    let read = object.value.split_once([',', ':']).and_then(|(kind, instance)| {
        let kind = object_type(kind.trim())?;
        // 2²² − 1 stands for none.
        let instance: u32 = instance.trim().parse().ok().filter(|n| *n < 4_194_303)?;
        Some(Object { kind, instance, property })
    });
    if read.is_none() {
        let message = format!("`{}` is no object", object.value);
        sheet.error(object.line, message, "write its type, by name or number, and its instance: \"analog-input,3\"");
    }
    read
}

fn wave(table: &Table<'_>) -> Option<Wave> {
    let sheet = table.sheet;
    let shape = table.word("shape");
    let mean = table.number("mean").map_or(20.0, |n| n.value);
    let amplitude = table.number("amplitude").map_or(5.0, |n| n.value);
    let period_s = table.number_in("period_s", 1.0, 1e7).map_or(3600.0, |n| n.value);
    let shape = match shape.as_ref().map_or("sine", |s| s.value.as_str()) {
        "sine" => Shape::Sine,
        "square" => Shape::Square,
        "ramp" => Shape::Ramp,
        "noise" => Shape::Noise,
        other => {
            let line = shape.as_ref().map_or(table.line, |s| s.line);
            sheet.error(line, format!("`{other}` is no shape"), "write \"sine\", \"square\", \"ramp\" or \"noise\"");
            return None;
        }
    };
    Some(Wave { shape, mean, amplitude, period_s })
}
