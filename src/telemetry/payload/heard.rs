//! What a payload brings, for those who look for the points of topics: keys, units and words.

use super::{Payload, PayloadUnit};
use crate::site::project::PayloadShape;
use crate::site::unit::Unit;
use serde_json::Value;
use std::cell::RefCell;

/// More keys or words of one payload are not looked at.
const MOST: usize = 1000;

/// The keys of a payload's values with their units; one empty key where it has none, or cannot be read.
pub fn keys(topic: &str, bytes: &[u8], shape: Option<&PayloadShape>) -> Vec<(String, Option<Unit>)> {
    let found = RefCell::new(Vec::new());
    let key = |key: &str| {
        let mut found = found.borrow_mut();
        found.push(key.to_owned());
        found.len() - 1..found.len()
    };
    let mut payload = Payload::default();
    let _ = match shape {
        Some(shape) => payload.read_shaped(bytes, topic, shape, key),
        None => payload.read(bytes, key),
    };
    let found = found.into_inner();
    let mut out: Vec<(String, Option<Unit>)> = Vec::new();
    for object in &payload.objects {
        let unit = if let PayloadUnit::Known(unit) = object.unit { Some(unit) } else { None };
        for value in payload.values.get(object.values.clone()).unwrap_or_default() {
            let Some(name) = found.get(value.found.start).filter(|_| !value.found.is_empty()) else { continue };
            if out.len() < MOST && !out.iter().any(|(k, _)| k == name) {
                out.push((name.clone(), unit));
            }
        }
    }
    if out.is_empty() {
        out.push((String::new(), None));
    }
    out
}

/// Texts in a payload that may name what it is of: ids and names.
pub fn words(bytes: &[u8]) -> Vec<String> {
    fn within(value: &Value, out: &mut Vec<String>) {
        match value {
            Value::String(text) if text.len() <= 200 && out.len() < MOST => out.push(text.clone()),
            Value::Object(object) => {
                object.iter().filter(|(k, _)| *k != "ts" && *k != "pub").for_each(|(_, v)| within(v, out))
            }
            // What stands in a list is of several things.
            Value::Array(list) if list.len() == 1 => list.iter().for_each(|v| within(v, out)),
            _ => {}
        }
    }
    let mut out = Vec::new();
    if let Ok(value) = serde_json::from_slice(bytes) {
        within(&value, &mut out);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_units_and_words() {
        let f = Unit::parse("[degF]");
        assert_eq!(keys("t", br#"{"ts":1,"values":{"a":1,"b":2}}"#, None), [("a".into(), None), ("b".into(), None)]);
        assert_eq!(keys("t", br#"{"v":70,"unit":"[degF]"}"#, None), [(String::new(), f)]);
        assert_eq!(keys("t", b"garbage", None), [(String::new(), None)]);
        assert_eq!(words(br#"{"id":"x1","ts":"now","deep":{"name":"AHU"}}"#), ["x1", "AHU"]);
    }
}
