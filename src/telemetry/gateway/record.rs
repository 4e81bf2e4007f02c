//! What stands in the spool: a topic and an object, and how it becomes a message.
//!
//! The publisher's id and count are put in when a record is sent: they belong to the spool and not to what was measured.

use super::aggregate::Aggregated;
use crate::quality::Quality;
use serde_json::{Map, Number, Value, json};

/// One value of a record.
pub struct Part<'a> {
    /// The payload's key; empty for `{ts, v}`.
    pub key: &'a str,
    /// UCUM code of its unit.
    pub unit: &'a str,
    /// The value; what is no number where there is none.
    pub value: f64,
}

/// Longest topic, bytes.
const TOPIC: usize = u16::MAX as usize;

/// The record of samples of one topic, moment, quality and code. All have a key, or it is one that has none.
///
/// Two bytes with the length of the topic (little-endian), the topic, and the object without its first brace.
pub fn encode(topic: &str, sample: &Aggregated, code: Option<&str>, parts: &[Part<'_>]) -> Vec<u8> {
    let mut object = Map::new();
    object.insert("ts".into(), json!(sample.time.to_string()));
    match parts {
        [part] if part.key.is_empty() => {
            object.insert("v".into(), number(part.value));
            object.insert("unit".into(), json!(part.unit));
        }
        parts => {
            let values: Map<String, Value> = parts.iter().map(|p| (p.key.to_owned(), number(p.value))).collect();
            let units: Map<String, Value> = parts.iter().map(|p| (p.key.to_owned(), json!(p.unit))).collect();
            object.insert("values".into(), Value::Object(values));
            object.insert("units".into(), Value::Object(units));
        }
    }
    if sample.quality != Quality::Good {
        object.insert("quality".into(), json!(sample.quality));
        if let Some(code) = code {
            object.insert("code".into(), json!(code));
        }
    }
    let text = Value::Object(object).to_string();
    let topic = topic.as_bytes().get(..TOPIC.min(topic.len())).unwrap_or_default();
    let mut record = Vec::with_capacity(2 + topic.len() + text.len());
    record.extend((topic.len() as u16).to_le_bytes());
    record.extend_from_slice(topic);
    record.extend_from_slice(text.as_bytes().get(1..).unwrap_or_default());
    record
}

/// Topic and payload of a record whose first sample has this number; none where it is no record.
pub fn message(record: &[u8], publisher: &str, number: u64) -> Option<(String, Vec<u8>)> {
    let (length, rest) = record.split_first_chunk::<2>()?;
    let (topic, body) = rest.split_at_checked(usize::from(u16::from_le_bytes(*length)))?;
    let topic = std::str::from_utf8(topic).ok().filter(|t| crate::telemetry::topics::is_topic(t))?;
    let mut payload = format!("{{\"pub\":{},\"seq\":{number},", Value::from(publisher)).into_bytes();
    payload.extend_from_slice(body);
    Some((topic.to_owned(), payload))
}

/// A value as it is written: nothing where there is none.
fn number(value: f64) -> Value {
    Number::from_f64(value).map_or(Value::Null, Value::Number)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::Time;
    use proptest::prelude::*;

    fn sample(quality: Quality) -> Aggregated {
        Aggregated { time: Time(1_778_479_200_000), value: 0.0, quality }
    }

    fn of(record: &[u8], number: u64) -> (String, Value) {
        let (topic, payload) = message(record, "gw-1-aa", number).unwrap();
        (topic, serde_json::from_slice(&payload).unwrap())
    }

    #[test]
    fn a_record_becomes_a_message() {
        let one = encode("a/b", &sample(Quality::Good), None, &[Part { key: "", unit: "Cel", value: 21.5 }]);
        let (topic, payload) = of(&one, 17);
        assert_eq!(topic, "a/b");
        let expected = json!({"pub":"gw-1-aa","seq":17,"ts":"2026-05-11T06:00:00.000Z","v":21.5,"unit":"Cel"});
        assert_eq!(payload, expected);
        let parts = [Part { key: "t", unit: "Cel", value: 1.0 }, Part { key: "q", unit: "1", value: f64::NAN }];
        let bad = encode("a", &sample(Quality::BadSensor), Some("modbus exception 4"), &parts);
        let (_, payload) = of(&bad, 0);
        assert_eq!(payload["values"], json!({"t":1.0,"q":null}));
        assert_eq!((&payload["quality"], &payload["code"]), (&json!("bad-sensor"), &json!("modbus exception 4")));
    }

    /// What the intake of a twin makes of it.
    #[test]
    fn the_twin_reads_it() {
        let parts = [Part { key: "t", unit: "Cel", value: 21.5 }];
        let record = encode("a", &sample(Quality::Good), None, &parts);
        let (_, bytes) = message(&record, "gw \"1\"", 42).unwrap();
        let mut payload = crate::telemetry::payload::Payload::default();
        payload.read(&bytes, |key| if key == "t" { 5..6 } else { 0..0 }).unwrap();
        let object = &payload.objects[0];
        assert_eq!((object.seq, payload.publisher(object)), (Some(42), "gw \"1\""));
        assert_eq!(payload.values[0].wire, crate::telemetry::payload::Wire::Number(21.5));
        assert_eq!(payload.values.len(), 1);
    }

    proptest! {
        #[test]
        fn no_bytes_panic(bytes in proptest::collection::vec(any::<u8>(), 0..100)) {
            let _ = message(&bytes, "x", 1);
        }
    }
}
