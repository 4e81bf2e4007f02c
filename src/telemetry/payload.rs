//! What a JSON payload says: `{ts, v}`, `{ts, values: {key: value}}`, or a list of these.
//!
//! - `ts` is RFC 3339 text, or a number: milliseconds since 1970, and **seconds** when it is below 10¹¹
//!   (as milliseconds that would be before March 1973). Missing, `null`, or not after 1970 (a device
//!   whose clock was never set): no time.
//! - A value is a finite number, `true` or `false`. Text is never read as a number.
//! - `seq` (samples that the publisher had published before this object) and `pub` (its id) are
//!   optional; see [`super::sequence`].
//! - `unit` is optional: the UCUM code of the object's values, where it is not the point's own.
//! - Keys that are none of these are skipped.
//!
//! A value that cannot be read is refused alone: the other keys and the other objects of the list
//! stand. That holds for the bare words that programs write where JSON has no number (`NaN`,
//! `Infinity`, `None`): the payload is then mended and read once more ([`mend`]). Objects that end
//! before a payload is cut off stand too.
//!
//! Read straight from the bytes with serde, into buffers that are used again: no allocation a message
//! once they have grown.

mod heard;
mod mend;
mod shaped;
mod visit;

pub use heard::{keys, words};

use super::quarantine::Reason;
use crate::quality::Quality;
use crate::site::unit::Unit;
use crate::time::Time;
use serde::de::DeserializeSeed;
use std::ops::Range;

/// When the device says it measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DeviceTime {
    /// It does not say.
    Missing,
    /// Then.
    At(Time),
    /// What it says cannot be read.
    Bad,
}

/// One value as it stands on the wire.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Wire {
    /// A finite number, in the point's unit.
    Number(f64),
    /// `true` or `false`.
    Switch(bool),
    /// It cannot be read.
    Bad(Reason),
}

/// One value and what its key was found to stand for.
#[derive(Clone, Debug, PartialEq)]
pub struct Value {
    /// As `keys` returned it.
    pub found: Range<usize>,
    /// The value.
    pub wire: Wire,
}

/// One object of a payload.
#[derive(Clone, Debug, PartialEq)]
pub struct Object {
    /// Its `ts`.
    pub time: DeviceTime,
    /// Its `seq`.
    pub seq: Option<u64>,
    publisher: Range<usize>,
    /// Its values, in [`Payload::values`].
    pub values: Range<usize>,
    /// The unit of its values.
    pub unit: PayloadUnit,
    /// What the source says of their quality.
    pub quality: Quality,
}

/// The unit that a payload names.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum PayloadUnit {
    /// It names none: the point's own.
    #[default]
    Own,
    /// This one.
    Known(Unit),
    /// One that nobody knows.
    Unknown,
}

/// A payload's objects and values; the buffers are used again for the next one.
#[derive(Debug, Default)]
pub struct Payload {
    /// Objects that were read to their end, in order.
    pub objects: Vec<Object>,
    /// Values of all objects.
    pub values: Vec<Value>,
    /// Items of the list that are no objects.
    pub strangers: u64,
    publishers: String,
    mended: Vec<u8>,
}

impl Payload {
    /// Reads a payload. `keys` says what a key of `values` stands for; the key of `{ts, v}` is empty.
    ///
    /// # Errors
    /// Why the payload, or the rest of it, cannot be read; what stands in [`Self::objects`] is good.
    pub fn read(&mut self, payload: &[u8], keys: impl Fn(&str) -> Range<usize>) -> Result<(), Reason> {
        // Windows programs like to begin a text with a byte order mark.
        let payload = payload.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(payload);
        self.clear();
        if payload.is_empty() {
            return Err(Reason::Empty);
        }
        if self.read_json(payload, &keys).is_ok() {
            return Ok(());
        }
        let mut mended = std::mem::take(&mut self.mended);
        let again = if mend::mend(payload, &mut mended) {
            self.clear();
            self.read_json(&mended, &keys)
        } else {
            Err(Reason::Syntax)
        };
        self.mended = mended;
        // One long payload should not hold its memory for ever.
        if self.mended.capacity() > 1 << 20 {
            self.mended = Vec::new();
        }
        again
    }

    /// The `pub` of an object; empty when it has none.
    pub fn publisher(&self, object: &Object) -> &str {
        self.publishers.get(object.publisher.clone()).unwrap_or_default()
    }

    fn clear(&mut self) {
        self.objects.clear();
        self.values.clear();
        self.publishers.clear();
        self.strangers = 0;
    }

    fn read_json(&mut self, json: &[u8], keys: &dyn Fn(&str) -> Range<usize>) -> Result<(), Reason> {
        let mut json = serde_json::Deserializer::from_slice(json);
        let read = visit::Item { into: self, keys, in_list: false }.deserialize(&mut json).and_then(|()| json.end());
        if read.is_err() {
            // Values of the object that was cut off.
            self.values.truncate(self.objects.last().map_or(0, |o| o.values.end));
            self.strangers = 0;
        }
        read.map_err(|_| Reason::Syntax)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Keys `a` to `z` are 0 to 25; the empty key is 99.
    fn key(name: &str) -> Range<usize> {
        match name.as_bytes() {
            [] => 99..100,
            [c @ b'a'..=b'z'] => usize::from(c - b'a')..usize::from(c - b'a') + 1,
            _ => 0..0,
        }
    }

    fn read(text: &str) -> (Payload, Result<(), Reason>) {
        let mut payload = Payload::default();
        let result = payload.read(text.as_bytes(), key);
        (payload, result)
    }

    fn values(text: &str) -> Vec<(usize, Wire)> {
        let (payload, result) = read(text);
        assert_eq!(result, Ok(()), "{text}");
        payload.values.iter().map(|v| (v.found.start, v.wire)).collect()
    }

    fn time(text: &str) -> DeviceTime {
        let (payload, _) = read(&format!(r#"{{"v":1,"ts":{text}}}"#));
        payload.objects[0].time
    }

    #[test]
    fn the_three_shapes() {
        assert_eq!(values(r#"{"ts":1747000000000,"v":21.5}"#), [(99, Wire::Number(21.5))]);
        assert_eq!(
            values(r#"{"ts":1747000000000,"values":{"a":1,"b":-2.5e1}}"#),
            [(0, Wire::Number(1.0)), (1, Wire::Number(-25.0))]
        );
        let (payload, result) = read(r#"[{"ts":1747000000000,"v":1},{"v":2},{"values":{}}]"#);
        assert_eq!(result, Ok(()));
        assert_eq!(payload.objects.len(), 3);
        assert_eq!(payload.objects[0].time, DeviceTime::At(Time(1_747_000_000_000)));
        assert_eq!(payload.objects[1].time, DeviceTime::Missing);
        assert_eq!(payload.objects[1].values, 1..2);
    }

    #[test]
    fn time_in_all_its_forms() {
        assert_eq!(time("1747000000000"), DeviceTime::At(Time(1_747_000_000_000)));
        assert_eq!(time("1747000000"), DeviceTime::At(Time(1_747_000_000_000)));
        assert_eq!(time("1747000000.25"), DeviceTime::At(Time(1_747_000_000_250)));
        assert_eq!(time(r#""2026-05-11T06:00:00.123Z""#), DeviceTime::At(Time(1_778_479_200_123)));
        assert_eq!(time(r#""2026-05-11T08:00:00+02:00""#), DeviceTime::At(Time(1_778_479_200_000)));
        assert_eq!(time("null"), DeviceTime::Missing);
        assert_eq!(time("0"), DeviceTime::Missing);
        assert_eq!(time("-5"), DeviceTime::Missing);
        assert_eq!(time(r#""yesterday""#), DeviceTime::Bad);
        assert_eq!(time("true"), DeviceTime::Bad);
        assert_eq!(time("[1]"), DeviceTime::Bad);
        assert_eq!(time("NaN"), DeviceTime::Bad);
        assert_eq!(time("1e300"), DeviceTime::Bad);
    }

    #[test]
    fn a_bad_value_does_not_stop_its_neighbours() {
        use Reason::{NoValue, NotFinite, WrongType};
        assert_eq!(
            values(r#"{"values":{"a":"12","b":2,"c":null,"d":[1,{"x":2}],"e":{"v":1},"f":true,"g":7}}"#),
            [
                (0, Wire::Bad(WrongType)),
                (1, Wire::Number(2.0)),
                (2, Wire::Bad(NoValue)),
                (3, Wire::Bad(WrongType)),
                (4, Wire::Bad(WrongType)),
                (5, Wire::Switch(true)),
                (6, Wire::Number(7.0)),
            ]
        );
        assert_eq!(
            values(r#"[{"v":NaN},{"v":-Infinity},{"v":1e999},{"v":None},{"v":3},"x",{"v":"NaN"}]"#),
            [
                (99, Wire::Bad(NotFinite)),
                (99, Wire::Bad(NotFinite)),
                (99, Wire::Bad(NotFinite)),
                (99, Wire::Bad(WrongType)),
                (99, Wire::Number(3.0)),
                (99, Wire::Bad(NotFinite)),
            ]
        );
        let (payload, _) = read(r#"[1,"x",{"v":3},[{"v":4}],null]"#);
        assert_eq!((payload.objects.len(), payload.strangers), (1, 4));
    }

    #[test]
    fn what_ended_before_the_cut_stands() {
        let (payload, result) = read(r#"[{"ts":1747000000000,"v":1},{"ts":1747000000000,"values":{"a":1,"b":2"#);
        assert_eq!(result, Err(Reason::Syntax));
        assert_eq!((payload.objects.len(), payload.values.len()), (1, 1));
        assert_eq!(read("").1, Err(Reason::Empty));
        assert_eq!(read("21.5").0.strangers, 1);
        assert_eq!(read("on").0.strangers, 1);
        assert_eq!(read("{'v':1}").1, Err(Reason::Syntax));
        assert_eq!(read(&"[".repeat(100_000)).1, Err(Reason::Syntax));
    }

    #[test]
    fn an_object_without_a_value_says_so() {
        let (payload, result) = read(r#"{"ts":1747000000000}"#);
        assert_eq!(result, Ok(()));
        assert!(payload.values.is_empty() && payload.objects.len() == 1);
    }

    #[test]
    fn sequence_and_publisher() {
        let (payload, _) = read(r#"[{"pub":"e\u006du","seq":7,"v":1},{"seq":-1,"pub":4,"v":2}]"#);
        assert_eq!(payload.publisher(&payload.objects[0]), "emu");
        assert_eq!(payload.objects[0].seq, Some(7));
        assert_eq!(payload.publisher(&payload.objects[1]), "");
        assert_eq!(payload.objects[1].seq, None);
        assert_eq!(payload.values.len(), 2);
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_without_panic(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
            let mut payload = Payload::default();
            let _ = payload.read(&bytes, key);
        }

        #[test]
        fn anything_like_json_is_read_without_panic(
            text in r#"[\[\]{},:"0-9eE.+\-tsvaluesNaN \\u]{0,200}"#
        ) {
            let mut payload = Payload::default();
            if payload.read(text.as_bytes(), key).is_err() {
                prop_assert_eq!(payload.values.len(), payload.objects.last().map_or(0, |o| o.values.end));
            }
        }

        #[test]
        fn what_is_written_is_read(
            objects in proptest::collection::vec(
                (1_000_000_000_000_i64..4_000_000_000_000, proptest::collection::vec(-1e12..1e12_f64, 0..8)), 1..6)
        ) {
            let list: Vec<_> = objects.iter().map(|(ts, values)| {
                let values: serde_json::Map<_, _> = values.iter().enumerate()
                    .map(|(i, v)| (char::from(b'a' + i as u8).to_string(), serde_json::json!(v)))
                    .collect();
                serde_json::json!({"ts": ts, "values": values})
            }).collect();
            let mut payload = Payload::default();
            prop_assert_eq!(payload.read(&serde_json::to_vec(&list).unwrap(), key), Ok(()));
            prop_assert_eq!(payload.objects.len(), objects.len());
            for (read, (ts, values)) in payload.objects.iter().zip(&objects) {
                prop_assert_eq!(read.time, DeviceTime::At(Time(*ts)));
                let read: Vec<_> = payload.values[read.values.clone()].iter().map(|v| v.wire).collect();
                prop_assert_eq!(read.len(), values.len());
                for (read, sent) in read.iter().zip(values) {
                    // Without serde_json's `float_roundtrip` the last bit may differ.
                    prop_assert!(matches!(read, Wire::Number(n) if (n - sent).abs() <= sent.abs() * 1e-15));
                }
            }
        }

        /// A payload spoilt at one value keeps every other one.
        #[test]
        fn one_spoilt_value_spoils_nothing_else(
            word in prop_oneof![Just("NaN"), Just("-Infinity"), Just("nan"), Just("None"), Just("1e400"), Just("x y"), Just(".5")],
            at in 0_usize..10,
        ) {
            let items: Vec<_> = (0..10)
                .map(|i| if i == at { format!("{{\"v\":{}}}", word.replace(' ', "")) } else { format!("{{\"v\":{i}}}") })
                .collect();
            let mut payload = Payload::default();
            prop_assert_eq!(payload.read(format!("[{}]", items.join(",")).as_bytes(), key), Ok(()));
            prop_assert_eq!(payload.values.len(), 10);
            for (i, v) in payload.values.iter().enumerate() {
                if i == at {
                    prop_assert!(matches!(v.wire, Wire::Bad(_)));
                } else {
                    prop_assert_eq!(v.wire, Wire::Number(i as f64));
                }
            }
        }
    }
}
