//! Payloads of other shapes, read along the paths that the project states.
//!
//! One pass over the bytes with serde: what no path leads to is skipped, and no tree is made. All paths go a step at a
//! time together, so that a bit each says which of them lead here.

use super::visit::{SECONDS_BELOW, number_time};
use super::{DeviceTime, Object, Payload, PayloadUnit, Value, Wire, mend};
use crate::quality::Quality;
use crate::site::project::{KeyFrom, PayloadPath, PayloadShape, Step};
use crate::site::unit::Unit;
use crate::telemetry::quarantine::Reason;
use crate::time::Time;
use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};
use std::fmt;
use std::ops::Range;

const VALUE: usize = 0;
const TIME: usize = 1;
const QUALITY: usize = 2;
const UNIT: usize = 3;
const KEY: usize = 4;

/// What was read of one value, or of all.
#[derive(Clone, Debug, Default)]
struct Item {
    wire: Option<Wire>,
    time: Option<DeviceTime>,
    quality: Option<Quality>,
    unit: Option<PayloadUnit>,
    key: Option<String>,
    /// The member's name, where a wildcard went through members.
    name: String,
}

struct Walk<'s> {
    shape: &'s PayloadShape,
    topic: &'s str,
    paths: [Option<&'s [Step]>; 5],
    /// How many steps lead to an item; none where there is one value.
    items_at: Option<usize>,
    whole: Item,
    items: Vec<Item>,
    inside: bool,
}

impl Payload {
    /// Reads a payload along the paths of a shape. `keys` as in [`Self::read`].
    ///
    /// # Errors
    /// As [`Self::read`].
    pub fn read_shaped(
        &mut self,
        payload: &[u8],
        topic: &str,
        shape: &PayloadShape,
        keys: impl Fn(&str) -> Range<usize>,
    ) -> Result<(), Reason> {
        let payload = payload.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(payload);
        self.clear();
        if payload.is_empty() {
            return Err(Reason::Empty);
        }
        let mut walk = Walk::new(shape, topic);
        let mut result = walk.json(payload);
        if result.is_err() {
            let mut mended = Vec::new();
            if mend::mend(payload, &mut mended) {
                walk = Walk::new(shape, topic);
                result = walk.json(&mended);
            }
        }
        walk.hand_over(self, keys);
        result
    }
}

impl<'s> Walk<'s> {
    fn new(shape: &'s PayloadShape, topic: &'s str) -> Self {
        fn steps(path: Option<&PayloadPath>) -> Option<&[Step]> {
            path.map(|p| p.steps.as_slice())
        }
        let key = if let Some(KeyFrom::Path(path)) = &shape.key { Some(path) } else { None };
        let paths = [
            steps(Some(&shape.value)),
            steps(shape.time.as_ref()),
            steps(shape.quality.as_ref()),
            steps(shape.unit.as_ref()),
            steps(key),
        ];
        let items_at = shape.value.steps.iter().position(|s| *s == Step::Each);
        Self { shape, topic, paths, items_at, whole: Item::default(), items: Vec::new(), inside: false }
    }

    fn json(&mut self, bytes: &[u8]) -> Result<(), Reason> {
        let mut json = serde_json::Deserializer::from_slice(bytes);
        let all = (0..5).filter(|i| self.paths.get(*i).is_some_and(Option::is_some)).fold(0, |m, i| m | 1 << i);
        Node { walk: self, depth: 0, here: all }
            .deserialize(&mut json)
            .and_then(|()| json.end())
            .map_err(|_| Reason::Syntax)
    }

    /// The fields among `here` that go on below this depth by a member or an item.
    fn below(&self, here: u8, depth: usize, fits: impl Fn(&Step) -> bool) -> u8 {
        let goes = |i: &usize| {
            here & (1 << i) != 0 && self.paths.get(*i).copied().flatten().and_then(|p| p.get(depth)).is_some_and(&fits)
        };
        (0..5).filter(goes).fold(0, |m, i| m | 1 << i)
    }

    fn member(&self, here: u8, depth: usize, name: &str) -> u8 {
        self.below(here, depth, |step| match step {
            Step::Member(member) => member == name,
            Step::Level(level) => self.topic.split('/').nth(*level) == Some(name),
            Step::Each => true,
            Step::Index(_) => false,
        })
    }

    fn index(&self, here: u8, depth: usize, at: usize) -> u8 {
        self.below(here, depth, |step| match step {
            Step::Index(index) => *index == at,
            Step::Each => true,
            _ => false,
        })
    }

    /// Something may begin an item.
    fn begin(&mut self, next: u8, depth: usize, name: Option<&str>) -> bool {
        let begins = !self.inside && self.items_at == Some(depth) && next & 1 << VALUE != 0;
        if begins {
            self.items.push(Item { name: name.unwrap_or_default().to_owned(), ..Item::default() });
            self.inside = true;
        }
        begins
    }

    fn end(&mut self, began: bool) {
        if began {
            self.inside = false;
        }
    }

    /// A scalar, and what ends at it.
    fn scalar(&mut self, here: u8, depth: usize, scalar: &Scalar<'_>) {
        for field in 0..5 {
            let Some(path) = self.paths.get(field).copied().flatten() else { continue };
            if here & (1 << field) == 0 || path.len() != depth {
                continue;
            }
            let (text, unit_ms) = (self.shape.numbers_in_text, self.shape.time_unit_ms);
            let of_item = path.contains(&Step::Each);
            let item = if of_item { self.items.last_mut() } else { Some(&mut self.whole) };
            let Some(item) = item else { continue };
            match field {
                VALUE => item.wire = Some(scalar.wire(text)),
                TIME => item.time = Some(scalar.time(unit_ms)),
                QUALITY => item.quality = Some(scalar.quality()),
                UNIT => item.unit = scalar.text().map(PayloadUnit::written),
                KEY => item.key = scalar.name(),
                _ => {}
            }
        }
    }

    fn key<'k>(&'k self, item: &'k Item, buffer: &'k mut String) -> &'k str {
        match &self.shape.key {
            Some(KeyFrom::Path(_)) => item.key.as_deref().or(self.whole.key.as_deref()).unwrap_or_default(),
            Some(KeyFrom::Text(pieces)) => {
                buffer.clear();
                for piece in pieces {
                    match piece {
                        Ok(text) => buffer.push_str(text),
                        Err(level) => buffer.push_str(self.topic.split('/').nth(*level).unwrap_or_default()),
                    }
                }
                buffer
            }
            None if self.shape.value.steps.last() == Some(&Step::Each) => &item.name,
            None => "",
        }
    }

    fn hand_over(&self, payload: &mut Payload, keys: impl Fn(&str) -> Range<usize>) {
        let mut buffer = String::new();
        let single = std::slice::from_ref(&self.whole);
        let items = if self.items_at.is_some() { self.items.as_slice() } else { single };
        for item in items {
            // Records of another kind stand in the same list.
            let Some(wire) = item.wire else { continue };
            let from = payload.values.len();
            payload.values.push(Value { found: keys(self.key(item, &mut buffer)), wire });
            payload.objects.push(Object {
                time: item.time.or(self.whole.time).unwrap_or(DeviceTime::Missing),
                seq: None,
                publisher: 0..0,
                values: from..from + 1,
                unit: item.unit.or(self.whole.unit).unwrap_or_default(),
                quality: item.quality.or(self.whole.quality).unwrap_or(Quality::Good),
            });
        }
        if payload.objects.is_empty() {
            // An object without a value: that is what it is refused for.
            payload.objects.push(Object {
                time: DeviceTime::Missing,
                seq: None,
                publisher: 0..0,
                values: 0..0,
                unit: PayloadUnit::Own,
                quality: Quality::Good,
            });
        }
    }
}

/// One value of JSON.
enum Scalar<'t> {
    Number(f64),
    Switch(bool),
    Text(&'t str),
    Null,
    Nested,
}

impl Scalar<'_> {
    fn wire(&self, numbers_in_text: bool) -> Wire {
        match self {
            Self::Number(n) if n.is_finite() => Wire::Number(*n),
            Self::Number(_) => Wire::Bad(Reason::NotFinite),
            Self::Switch(on) => Wire::Switch(*on),
            Self::Null => Wire::Bad(Reason::NoValue),
            Self::Nested => Wire::Bad(Reason::WrongType),
            Self::Text(text) => match text.trim().parse::<f64>() {
                Ok(n) if !n.is_finite() => Wire::Bad(Reason::NotFinite),
                Ok(n) if numbers_in_text => Wire::Number(n),
                _ => Wire::Bad(Reason::WrongType),
            },
        }
    }

    fn time(&self, unit_ms: Option<f64>) -> DeviceTime {
        let number = |n: f64| match unit_ms {
            // As milliseconds, so that they are not taken for seconds.
            Some(ms) if n > 0.0 => number_time((n * ms).max(SECONDS_BELOW)),
            _ => number_time(n),
        };
        match self {
            Self::Number(n) => number(*n),
            Self::Text(text) => match Time::parse(text) {
                Some(time) => DeviceTime::At(time),
                None => text.trim().parse().map_or(DeviceTime::Bad, number),
            },
            Self::Null => DeviceTime::Missing,
            Self::Switch(_) | Self::Nested => DeviceTime::Bad,
        }
    }

    /// Words, and numbers of OPC (OPC DA 3.0, 6.8): 192 and above are good, 64 to 191 uncertain, below bad. Of OPC UA's
    /// status codes the highest two bits count.
    fn quality(&self) -> Quality {
        match self {
            Self::Switch(true) => Quality::Good,
            Self::Switch(false) => Quality::BadSensor,
            Self::Number(n) if *n >= 2_147_483_648.0 => Quality::BadSensor,
            Self::Number(n) if *n >= 1_073_741_824.0 => Quality::UncertainLastKnown,
            Self::Number(n) if *n >= 192.0 => Quality::Good,
            Self::Number(n) if *n >= 64.0 => Quality::UncertainLastKnown,
            Self::Number(_) => Quality::BadSensor,
            Self::Text(text) => match text.trim().to_ascii_lowercase().as_str() {
                "good" | "ok" | "valid" | "normal" | "true" | "192" | "0x00000000" => Quality::Good,
                "manual" | "overridden" | "override" => Quality::Manual,
                "simulated" => Quality::Simulated,
                "backfill" | "historical" => Quality::GoodBackfill,
                "stale" => Quality::BadStale,
                "offline" | "down" | "notconnected" | "not-connected" | "disconnected" => Quality::BadNotConnected,
                "range" | "outofrange" | "out-of-range" => Quality::BadRange,
                "bad" | "fault" | "error" | "invalid" | "failed" | "false" | "sensor-failure" => Quality::BadSensor,
                _ => Quality::UncertainLastKnown,
            },
            Self::Null => Quality::Good,
            Self::Nested => Quality::UncertainLastKnown,
        }
    }

    fn text(&self) -> Option<&str> {
        if let Self::Text(text) = self { Some(text) } else { None }
    }

    fn name(&self) -> Option<String> {
        match self {
            Self::Text(text) => Some((*text).to_owned()),
            Self::Number(n) => Some(n.to_string()),
            _ => None,
        }
    }
}

impl PayloadUnit {
    /// By what a payload writes: a UCUM code, or what people write for one.
    pub(super) fn written(text: &str) -> Self {
        Unit::written(text).map_or(Self::Unknown, Self::Known)
    }
}

struct Node<'w, 's> {
    walk: &'w mut Walk<'s>,
    depth: usize,
    /// A bit for each path that leads here.
    here: u8,
}

impl Node<'_, '_> {
    fn scalar(self, scalar: &Scalar<'_>) {
        self.walk.scalar(self.here, self.depth, scalar);
    }
}

impl<'de> DeserializeSeed<'de> for Node<'_, '_> {
    type Value = ();
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Node<'_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut object: A) -> Result<(), A::Error> {
        let Node { walk, depth, here } = self;
        walk.scalar(here, depth, &Scalar::Nested);
        while let Some((next, began)) = object.next_key_seed(Name { walk: &mut *walk, depth, here })? {
            if next == 0 {
                object.next_value::<IgnoredAny>()?;
            } else {
                object.next_value_seed(Node { walk: &mut *walk, depth: depth + 1, here: next })?;
            }
            walk.end(began);
        }
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        let Node { walk, depth, here } = self;
        walk.scalar(here, depth, &Scalar::Nested);
        let mut at = 0;
        loop {
            let next = walk.index(here, depth, at);
            let there = if next == 0 {
                list.next_element::<IgnoredAny>()?.is_some()
            } else {
                let began = walk.begin(next, depth, None);
                let there = list.next_element_seed(Node { walk: &mut *walk, depth: depth + 1, here: next })?.is_some();
                walk.end(began);
                // Nothing came of the last one: the list had ended.
                if began && !there {
                    walk.items.pop();
                }
                there
            };
            if !there {
                return Ok(());
            }
            at += 1;
        }
    }

    fn visit_bool<E: Error>(self, v: bool) -> Result<(), E> {
        self.scalar(&Scalar::Switch(v));
        Ok(())
    }

    fn visit_i64<E: Error>(self, v: i64) -> Result<(), E> {
        self.scalar(&Scalar::Number(v as f64));
        Ok(())
    }

    fn visit_u64<E: Error>(self, v: u64) -> Result<(), E> {
        self.scalar(&Scalar::Number(v as f64));
        Ok(())
    }

    fn visit_f64<E: Error>(self, v: f64) -> Result<(), E> {
        self.scalar(&Scalar::Number(v));
        Ok(())
    }

    fn visit_str<E: Error>(self, v: &str) -> Result<(), E> {
        self.scalar(&Scalar::Text(v));
        Ok(())
    }

    fn visit_unit<E: Error>(self) -> Result<(), E> {
        self.scalar(&Scalar::Null);
        Ok(())
    }
}

/// The name of a member: which paths go on through it, and whether an item begins there.
struct Name<'w, 's> {
    walk: &'w mut Walk<'s>,
    depth: usize,
    here: u8,
}

impl<'de> DeserializeSeed<'de> for Name<'_, '_> {
    type Value = (u8, bool);
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl Visitor<'_> for Name<'_, '_> {
    type Value = (u8, bool);

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a name")
    }

    fn visit_str<E: Error>(self, name: &str) -> Result<Self::Value, E> {
        let next = self.walk.member(self.here, self.depth, name);
        let began = self.walk.begin(next, self.depth, Some(name));
        Ok((next, began))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(text: &str) -> PayloadPath {
        PayloadPath::parse(text, &[("p".to_owned(), 1)]).unwrap()
    }

    fn shape(value: &str) -> PayloadShape {
        PayloadShape {
            topic: "#".into(),
            value: path(value),
            time: None,
            time_unit_ms: None,
            quality: None,
            unit: None,
            key: None,
            numbers_in_text: false,
            line: 1,
        }
    }

    /// Key, value, time, quality and unit of each value.
    fn read(shape: &PayloadShape, text: &str) -> Vec<(String, Wire, DeviceTime, Quality, PayloadUnit)> {
        let names = std::cell::RefCell::new(Vec::new());
        let mut payload = Payload::default();
        let _ = payload.read_shaped(text.as_bytes(), "bms/ahu/x", shape, |key| {
            names.borrow_mut().push(key.to_owned());
            0..1
        });
        let names = names.into_inner();
        let values = payload.objects.iter().flat_map(|o| payload.values[o.values.clone()].iter().map(move |v| (o, v)));
        values.zip(names).map(|((o, v), key)| (key, v.wire, o.time, o.quality, o.unit)).collect()
    }

    #[test]
    fn one_value_somewhere() {
        let of = |value: &str, text: &str| read(&shape(value), text).first().map(|v| v.1);
        assert_eq!(
            of("$.data[1].value", r#"{"x":[{"value":9}],"data":[{"value":1},{"value":21.4}]}"#),
            Some(Wire::Number(21.4))
        );
        assert_eq!(of("$", "21.5"), Some(Wire::Number(21.5)));
        assert_eq!(of("$.{p}.v", r#"{"vav":{"v":1},"ahu":{"v":2}}"#), Some(Wire::Number(2.0)));
        assert_eq!(of("$.on", r#"{"on":true}"#), Some(Wire::Switch(true)));
        assert_eq!(of("$.v", r#"{"v":{"w":1}}"#), Some(Wire::Bad(Reason::WrongType)));
        assert_eq!(of("$.v", r#"{"v":NaN}"#), Some(Wire::Bad(Reason::NotFinite)));
        assert_eq!(of("$.v", r#"{"w":1}"#), None);
        assert_eq!(of("$.v", r#"{"v":"21.5"}"#), Some(Wire::Bad(Reason::WrongType)));
        let text = PayloadShape { numbers_in_text: true, ..shape("$.v") };
        assert_eq!(read(&text, r#"{"v":" 21.5"}"#)[0].1, Wire::Number(21.5));
    }

    #[test]
    fn lists_with_their_own_and_common_fields() {
        let shape = PayloadShape {
            time: Some(path("$.at")),
            quality: Some(path("$.points[*].q")),
            unit: Some(path("$.points[*].u")),
            key: Some(KeyFrom::Path(path("$.points[*].id"))),
            time_unit_ms: Some(1000.0),
            ..shape("$.points[*].v")
        };
        let text = r#"{"points":[{"id":"a","v":70,"u":"°F","q":"good"},{"kind":"remark"},{"id":"b","v":2,"u":"furlong","q":0},{"id":"c","v":3}],"at":1747000000}"#;
        let got = read(&shape, text);
        let at = DeviceTime::At(Time(1_747_000_000_000));
        let f = PayloadUnit::Known(Unit::parse("[degF]").unwrap());
        assert_eq!(
            got,
            [
                ("a".into(), Wire::Number(70.0), at, Quality::Good, f),
                ("b".into(), Wire::Number(2.0), at, Quality::BadSensor, PayloadUnit::Unknown),
                ("c".into(), Wire::Number(3.0), at, Quality::Good, PayloadUnit::Own),
            ]
        );
    }

    #[test]
    fn members_are_keys_and_topics_too() {
        let got = read(&shape("$.fields.*"), r#"{"fields":{"temp":21,"rh":40},"tags":{"temp":1}}"#);
        let keys: Vec<&str> = got.iter().map(|g| g.0.as_str()).collect();
        assert_eq!(keys, ["temp", "rh"]);
        let from_topic = PayloadShape { key: Some(KeyFrom::Text(vec![Ok("at ".into()), Err(1)])), ..shape("$[*]") };
        assert_eq!(read(&from_topic, "[1,2]").iter().map(|g| g.0.as_str()).collect::<Vec<_>>(), ["at ahu", "at ahu"]);
        assert!(read(&from_topic, "[]").is_empty());
    }

    #[test]
    fn nothing_to_read_is_refused_with_its_reason() {
        let mut payload = Payload::default();
        assert_eq!(payload.read_shaped(b"", "t", &shape("$.v"), |_| 0..1), Err(Reason::Empty));
        assert_eq!(payload.read_shaped(b"{", "t", &shape("$.v"), |_| 0..1), Err(Reason::Syntax));
        assert_eq!(payload.read_shaped(b"{}", "t", &shape("$.v"), |_| 0..1), Ok(()));
        assert!(payload.objects[0].values.is_empty());
    }

    proptest::proptest! {
        #[test]
        fn no_bytes_panic(text in r#"[\[\]{},:"0-9vpoints.a N\-]{0,120}"#) {
            let shape = PayloadShape { time: Some(path("$.a")), ..shape("$.points[*].v") };
            let _ = read(&shape, &text);
        }
    }
}
