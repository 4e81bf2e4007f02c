//! The serde visitors of a payload. None of them ever fails by itself: what does not fit is noted as
//! refused, so that only broken JSON stops the reading.

use super::{DeviceTime, Object, Payload, PayloadUnit, Value, Wire};
use crate::quality::Quality;
use crate::telemetry::quarantine::Reason;
use crate::time::Time;
use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};
use std::fmt;
use std::ops::Range;

type Keys<'k> = &'k dyn Fn(&str) -> Range<usize>;

/// A whole payload, or one item of its list.
pub(super) struct Item<'p, 'k> {
    pub(super) into: &'p mut Payload,
    pub(super) keys: Keys<'k>,
    pub(super) in_list: bool,
}

/// A visitor's answer to every kind of scalar, unless it says otherwise for one.
macro_rules! scalars {
    ($($kind:ident($type:ty)),* => |$self:ident| $answer:expr) => {
        $(fn $kind<E: Error>($self, _: $type) -> Result<Self::Value, E> { Ok($answer) })*
    };
}

/// Skips what is left of a list.
fn skip_list<'de, A: SeqAccess<'de>>(mut list: A) -> Result<(), A::Error> {
    while list.next_element::<IgnoredAny>()?.is_some() {}
    Ok(())
}

/// Skips what is left of an object.
fn skip_object<'de, A: MapAccess<'de>>(mut object: A) -> Result<(), A::Error> {
    while object.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
    Ok(())
}

fn expecting(f: &mut fmt::Formatter<'_>) -> fmt::Result {
    f.write_str("JSON")
}

impl<'de> DeserializeSeed<'de> for Item<'_, '_> {
    type Value = ();
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Item<'_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        expecting(f)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut object: A) -> Result<(), A::Error> {
        let Item { into, keys, .. } = self;
        let from = into.values.len();
        let (mut time, mut seq, mut unit) = (DeviceTime::Missing, None, PayloadUnit::Own);
        let mut publisher = into.publishers.len()..into.publishers.len();
        while let Some(field) = object.next_key_seed(Field)? {
            match field {
                Key::Time => time = object.next_value_seed(TimeSeed)?,
                Key::Value => {
                    let wire = object.next_value_seed(ValueSeed)?;
                    into.values.push(Value { found: keys(""), wire });
                }
                Key::Values => object.next_value_seed(Values { into: &mut *into, keys })?,
                Key::Sequence => seq = object.next_value_seed(SequenceSeed)?,
                Key::Unit => unit = object.next_value_seed(UnitSeed)?,
                Key::Publisher => {
                    let start = into.publishers.len();
                    object.next_value_seed(PublisherSeed(&mut into.publishers))?;
                    publisher = start..into.publishers.len();
                }
                Key::Other => {
                    object.next_value::<IgnoredAny>()?;
                }
            }
        }
        let values = from..into.values.len();
        into.objects.push(Object { time, seq, publisher, values, unit, quality: Quality::Good });
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        let Item { into, keys, in_list } = self;
        if in_list {
            into.strangers += 1;
            return skip_list(list);
        }
        while list.next_element_seed(Item { into: &mut *into, keys, in_list: true })?.is_some() {}
        Ok(())
    }

    scalars!(visit_bool(bool), visit_i64(i64), visit_u64(u64), visit_f64(f64), visit_str(&str)
        => |self| self.into.strangers += 1);

    fn visit_unit<E: Error>(self) -> Result<(), E> {
        self.into.strangers += 1;
        Ok(())
    }
}

enum Key {
    Time,
    Value,
    Values,
    Sequence,
    Publisher,
    Unit,
    Other,
}

struct Field;

impl<'de> DeserializeSeed<'de> for Field {
    type Value = Key;
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Key, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl Visitor<'_> for Field {
    type Value = Key;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        expecting(f)
    }

    fn visit_str<E: Error>(self, key: &str) -> Result<Key, E> {
        Ok(match key {
            "ts" => Key::Time,
            "v" => Key::Value,
            "values" => Key::Values,
            "seq" => Key::Sequence,
            "pub" => Key::Publisher,
            "unit" => Key::Unit,
            _ => Key::Other,
        })
    }
}

/// The object under `values`.
struct Values<'p, 'k> {
    into: &'p mut Payload,
    keys: Keys<'k>,
}

impl Values<'_, '_> {
    fn refuse(self, reason: Reason) {
        self.into.values.push(Value { found: 0..0, wire: Wire::Bad(reason) });
    }
}

impl<'de> DeserializeSeed<'de> for Values<'_, '_> {
    type Value = ();
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Values<'_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        expecting(f)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut object: A) -> Result<(), A::Error> {
        while let Some(found) = object.next_key_seed(Lookup(self.keys))? {
            let wire = object.next_value_seed(ValueSeed)?;
            self.into.values.push(Value { found, wire });
        }
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, list: A) -> Result<(), A::Error> {
        self.refuse(Reason::Shape);
        skip_list(list)
    }

    scalars!(visit_bool(bool), visit_i64(i64), visit_u64(u64), visit_f64(f64), visit_str(&str)
        => |self| self.refuse(Reason::Shape));

    fn visit_unit<E: Error>(self) -> Result<(), E> {
        self.refuse(Reason::Shape);
        Ok(())
    }
}

struct Lookup<'k>(Keys<'k>);

impl<'de> DeserializeSeed<'de> for Lookup<'_> {
    type Value = Range<usize>;
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl Visitor<'_> for Lookup<'_> {
    type Value = Range<usize>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        expecting(f)
    }

    fn visit_str<E: Error>(self, key: &str) -> Result<Self::Value, E> {
        Ok((self.0)(key))
    }
}

struct ValueSeed;

impl<'de> DeserializeSeed<'de> for ValueSeed {
    type Value = Wire;
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Wire, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for ValueSeed {
    type Value = Wire;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        expecting(f)
    }

    fn visit_f64<E: Error>(self, v: f64) -> Result<Wire, E> {
        Ok(if v.is_finite() { Wire::Number(v) } else { Wire::Bad(Reason::NotFinite) })
    }

    fn visit_i64<E: Error>(self, v: i64) -> Result<Wire, E> {
        Ok(Wire::Number(v as f64))
    }

    fn visit_u64<E: Error>(self, v: u64) -> Result<Wire, E> {
        Ok(Wire::Number(v as f64))
    }

    fn visit_bool<E: Error>(self, v: bool) -> Result<Wire, E> {
        Ok(Wire::Switch(v))
    }

    fn visit_str<E: Error>(self, v: &str) -> Result<Wire, E> {
        // Rust reads `NaN`, `inf` and `-Infinity`, in any case, as numbers that are not finite.
        let not_finite = v.len() <= 9 && v.parse::<f64>().is_ok_and(|n| !n.is_finite());
        Ok(Wire::Bad(if not_finite { Reason::NotFinite } else { Reason::WrongType }))
    }

    fn visit_unit<E: Error>(self) -> Result<Wire, E> {
        Ok(Wire::Bad(Reason::NoValue))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, list: A) -> Result<Wire, A::Error> {
        skip_list(list).map(|()| Wire::Bad(Reason::WrongType))
    }

    fn visit_map<A: MapAccess<'de>>(self, object: A) -> Result<Wire, A::Error> {
        skip_object(object).map(|()| Wire::Bad(Reason::WrongType))
    }
}

/// Below this a number is seconds, from here on milliseconds.
pub(super) const SECONDS_BELOW: f64 = 1e11;
/// The end of the year 9999, milliseconds: what RFC 3339 can write.
const LATEST_MS: f64 = 253_402_300_799_999.0;

struct TimeSeed;

/// A number as a time.
pub(super) fn number_time(ts: f64) -> DeviceTime {
    let ms = if ts < SECONDS_BELOW { ts * 1000.0 } else { ts };
    match ms {
        ms if ms.is_nan() || ms > LATEST_MS => DeviceTime::Bad,
        ms if ms <= 0.0 => DeviceTime::Missing,
        ms => DeviceTime::At(Time(ms.round() as i64)),
    }
}

impl<'de> DeserializeSeed<'de> for TimeSeed {
    type Value = DeviceTime;
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<DeviceTime, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for TimeSeed {
    type Value = DeviceTime;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        expecting(f)
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<DeviceTime, E> {
        Ok(Time::parse(text).map_or(DeviceTime::Bad, DeviceTime::At))
    }

    fn visit_u64<E: Error>(self, ts: u64) -> Result<DeviceTime, E> {
        Ok(number_time(ts as f64))
    }

    fn visit_i64<E: Error>(self, ts: i64) -> Result<DeviceTime, E> {
        Ok(number_time(ts as f64))
    }

    fn visit_f64<E: Error>(self, ts: f64) -> Result<DeviceTime, E> {
        Ok(number_time(ts))
    }

    fn visit_unit<E: Error>(self) -> Result<DeviceTime, E> {
        Ok(DeviceTime::Missing)
    }

    scalars!(visit_bool(bool) => |self| DeviceTime::Bad);

    fn visit_seq<A: SeqAccess<'de>>(self, list: A) -> Result<DeviceTime, A::Error> {
        skip_list(list).map(|()| DeviceTime::Bad)
    }

    fn visit_map<A: MapAccess<'de>>(self, object: A) -> Result<DeviceTime, A::Error> {
        skip_object(object).map(|()| DeviceTime::Bad)
    }
}

struct SequenceSeed;

impl<'de> DeserializeSeed<'de> for SequenceSeed {
    type Value = Option<u64>;
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Option<u64>, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for SequenceSeed {
    type Value = Option<u64>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        expecting(f)
    }

    fn visit_u64<E: Error>(self, seq: u64) -> Result<Option<u64>, E> {
        Ok(Some(seq))
    }

    scalars!(visit_bool(bool), visit_i64(i64), visit_f64(f64), visit_str(&str) => |self| None);

    fn visit_unit<E: Error>(self) -> Result<Option<u64>, E> {
        Ok(None)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, list: A) -> Result<Option<u64>, A::Error> {
        skip_list(list).map(|()| None)
    }

    fn visit_map<A: MapAccess<'de>>(self, object: A) -> Result<Option<u64>, A::Error> {
        skip_object(object).map(|()| None)
    }
}

struct PublisherSeed<'p>(&'p mut String);

impl<'de> DeserializeSeed<'de> for PublisherSeed<'_> {
    type Value = ();
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for PublisherSeed<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        expecting(f)
    }

    fn visit_str<E: Error>(self, id: &str) -> Result<(), E> {
        self.0.push_str(id);
        Ok(())
    }

    scalars!(visit_bool(bool), visit_i64(i64), visit_u64(u64), visit_f64(f64) => |self| ());

    fn visit_unit<E: Error>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, list: A) -> Result<(), A::Error> {
        skip_list(list)
    }

    fn visit_map<A: MapAccess<'de>>(self, object: A) -> Result<(), A::Error> {
        skip_object(object)
    }
}

struct UnitSeed;

impl<'de> DeserializeSeed<'de> for UnitSeed {
    type Value = PayloadUnit;
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<PayloadUnit, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for UnitSeed {
    type Value = PayloadUnit;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        expecting(f)
    }

    fn visit_str<E: Error>(self, code: &str) -> Result<PayloadUnit, E> {
        Ok(PayloadUnit::written(code))
    }

    scalars!(visit_bool(bool), visit_i64(i64), visit_u64(u64), visit_f64(f64) => |self| PayloadUnit::Unknown);

    fn visit_unit<E: Error>(self) -> Result<PayloadUnit, E> {
        Ok(PayloadUnit::Own)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, list: A) -> Result<PayloadUnit, A::Error> {
        skip_list(list).map(|()| PayloadUnit::Unknown)
    }

    fn visit_map<A: MapAccess<'de>>(self, object: A) -> Result<PayloadUnit, A::Error> {
        skip_object(object).map(|()| PayloadUnit::Unknown)
    }
}
