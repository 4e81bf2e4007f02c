//! Which point a topic and a payload's key stand for.
//!
//! Built once, read for every message: a lookup hashes the topic, searches a few sorted keys and
//! allocates nothing. MQTT filters (`+`, `#`) are understood here too, so that a binding nobody
//! subscribes to is found before it is missed.

use super::payload::PayloadUnit;
use crate::quality::Quality;
use crate::site::Point;
use crate::site::PointIndex;
use crate::site::point::PointSource;
use crate::site::unit::{Quantity, Unit};
use std::collections::HashMap;
use std::ops::Range;

/// Every topic that a point or the site's clock comes on.
#[derive(Clone, Debug, Default)]
pub struct TopicMap {
    topics: HashMap<Box<str>, Topic>,
    clock: Option<Box<str>>,
}

/// The keys of one topic.
#[derive(Clone, Debug, Default)]
pub struct Topic {
    /// Sorted by key; a key stands once for each point bound to it.
    entries: Vec<(Box<str>, Target)>,
}

/// What a value belongs to, and how it becomes SI.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Target {
    /// The point.
    pub point: PointIndex,
    unit: Unit,
    expected: Option<[f64; 2]>,
}

impl Target {
    /// A number on the wire as the value inside, and whether it lies in the expected range.
    pub fn number(&self, outside: f64) -> (f64, Quality) {
        self.judge(self.unit.to_si(outside))
    }

    /// As [`Self::number`], where the payload names its unit; none where that is unknown, or measures something else.
    pub fn number_in(&self, outside: f64, unit: PayloadUnit) -> Option<(f64, Quality)> {
        match unit {
            PayloadUnit::Own => Some(self.number(outside)),
            PayloadUnit::Known(unit) if unit.quantity == self.unit.quantity => Some(self.judge(unit.to_si(outside))),
            // A difference of temperatures is often said in degrees.
            PayloadUnit::Known(unit)
                if self.unit.quantity == Quantity::TemperatureDifference && unit.quantity == Quantity::Temperature =>
            {
                Some(self.judge(unit.interval_to_si(outside)))
            }
            _ => None,
        }
    }

    /// `true` or `false` on the wire: 1 or 0 inside; none for a point that is not a pure number or ratio.
    pub fn switch(&self, on: bool) -> Option<(f64, Quality)> {
        (self.unit.quantity == Quantity::Ratio).then(|| self.judge(f64::from(u8::from(on))))
    }

    fn judge(&self, value: f64) -> (f64, Quality) {
        let inside = self.expected.is_none_or(|[low, high]| (low..=high).contains(&value));
        (value, if inside { Quality::Good } else { Quality::BadRange })
    }
}

/// Where a message goes.
#[derive(Clone, Copy, Debug)]
pub enum Route<'a> {
    /// It is the site's clock.
    Clock,
    /// Its values belong to points.
    Points(&'a Topic),
    /// No point is bound to its topic.
    Unmatched,
}

impl Topic {
    /// The targets of a key, for [`Self::targets`]; empty when the key is bound to nothing.
    pub fn find(&self, key: &str) -> Range<usize> {
        let from = self.entries.partition_point(|(k, _)| k.as_ref() < key);
        let same = self.entries.iter().skip(from).take_while(|(k, _)| k.as_ref() == key).count();
        from..from + same
    }

    /// The points that [`Self::find`] found.
    pub fn targets(&self, found: Range<usize>) -> impl Iterator<Item = &Target> {
        self.entries.get(found).unwrap_or_default().iter().map(|(_, target)| target)
    }
}

impl TopicMap {
    /// The map of a site's points, their position in the slice being their [`PointIndex`].
    pub fn new(points: &[Point], clock_topic: Option<&str>) -> Self {
        let mut topics: HashMap<Box<str>, Topic> = HashMap::new();
        for (index, point) in points.iter().enumerate() {
            let PointSource::Topic { topic, key } = &point.source else { continue };
            let point = Target { point: PointIndex(index as u32), unit: point.unit, expected: point.expected };
            topics.entry(topic.as_str().into()).or_default().entries.push((key.as_str().into(), point));
        }
        for topic in topics.values_mut() {
            topic.entries.sort_by(|(a, _), (b, _)| a.cmp(b));
        }
        Self { topics, clock: clock_topic.map(Into::into) }
    }

    /// Where a message on `topic` goes.
    pub fn route(&self, topic: &str) -> Route<'_> {
        if let Some(found) = self.topics.get(topic) {
            return Route::Points(found);
        }
        match &self.clock {
            Some(clock) if clock.as_ref() == topic => Route::Clock,
            _ => Route::Unmatched,
        }
    }

    /// The topic of the site's clock.
    pub fn clock(&self) -> Option<&str> {
        self.clock.as_deref()
    }

    /// Topics, the clock's included, that none of the filters brings; sorted.
    pub fn not_covered_by(&self, filters: &[String]) -> Vec<&str> {
        let mut left: Vec<&str> = (self.topics.keys().map(AsRef::as_ref))
            .chain(self.clock.as_deref())
            .filter(|topic| !filters.iter().any(|f| filter_matches(f, topic)))
            .collect();
        left.sort_unstable();
        left.dedup();
        left
    }
}

/// True when a subscription to `filter` brings messages on `topic` (MQTT 3.1.1, 4.7).
pub fn filter_matches(filter: &str, topic: &str) -> bool {
    // A wildcard at the first level does not match the broker's own `$SYS`.
    if topic.starts_with('$') && !filter.starts_with('$') {
        return false;
    }
    covers(filter, topic)
}

/// The filters without those that another one covers: with overlapping subscriptions a broker may
/// send a message once for each.
pub fn without_overlaps(filters: &[String]) -> Vec<String> {
    let mut kept: Vec<String> = Vec::new();
    for filter in filters {
        if kept.iter().any(|k| covers(k, filter)) {
            continue;
        }
        kept.retain(|k| !covers(filter, k));
        kept.push(filter.clone());
    }
    kept
}

/// True when `filter` may be subscribed to: not empty, `#` only as the whole last level, `+` only as
/// a whole level.
pub fn is_filter(filter: &str) -> bool {
    let levels = filter.split('/').count();
    !filter.is_empty()
        && filter.len() <= usize::from(u16::MAX)
        && !filter.contains('\0')
        && filter.split('/').enumerate().all(|(i, level)| match level {
            "#" => i + 1 == levels,
            "+" => true,
            _ => !level.contains(['#', '+']),
        })
}

/// True when `topic` may be published to: not empty, no wildcards.
pub fn is_topic(topic: &str) -> bool {
    !topic.is_empty() && topic.len() <= usize::from(u16::MAX) && !topic.contains(['#', '+', '\0'])
}

/// True when everything that `narrow` (a topic or filter) matches is matched by `wide`.
fn covers(wide: &str, narrow: &str) -> bool {
    let mut narrow = narrow.split('/');
    for level in wide.split('/') {
        match (level, narrow.next()) {
            ("#", _) => return true,
            ("+", Some(other)) if other != "#" => {}
            (level, Some(other)) if level == other => {}
            // `a/#` also matches `a`, which is covered by the first arm only when a level is left.
            _ => return false,
        }
    }
    narrow.next().is_none()
}

/// Names of topics and keys that no point is bound to, so that a person can bind them.
#[derive(Clone, Debug, Default)]
pub struct Unmatched {
    examples: Vec<String>,
}

impl Unmatched {
    /// At most this many names are kept.
    pub const EXAMPLES: usize = 100;

    /// Remembers a topic, or a key of it; `key` is empty where the whole topic is unknown.
    pub(super) fn name(&mut self, topic: &str, key: &str) {
        if self.examples.len() >= Self::EXAMPLES {
            return;
        }
        let shown: String = topic.chars().take(200).collect();
        let key: String = key.chars().take(80).collect();
        let name = if key.is_empty() { shown } else { format!("{shown} · {key}") };
        if !self.examples.contains(&name) {
            self.examples.push(name);
        }
    }

    /// The first of them: `topic`, or `topic · key` where only the key is unknown.
    pub fn examples(&self) -> &[String] {
        &self.examples
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::point;
    use super::*;

    #[test]
    fn a_topic_and_key_lead_to_their_points() {
        let points = [point("t/a", "temp", "Cel"), point("t/a", "flow", "m3/h"), point("t/b", "", "%")];
        let map = TopicMap::new(&points, Some("t/clock"));
        let Route::Points(topic) = map.route("t/a") else { panic!("t/a is bound") };
        let found: Vec<_> = topic.targets(topic.find("flow")).map(|t| t.point).collect();
        assert_eq!(found, [PointIndex(1)]);
        assert!(topic.find("nothing").is_empty());
        assert!(matches!(map.route("t/clock"), Route::Clock));
        assert!(matches!(map.route("t/c"), Route::Unmatched));
        assert_eq!(map.not_covered_by(&["t/+".into()]), Vec::<&str>::new());
        assert_eq!(map.not_covered_by(&["t/a".into()]), ["t/b", "t/clock"]);
    }

    #[test]
    fn two_points_may_share_a_key() {
        let map = TopicMap::new(&[point("t", "k", "1"), point("t", "k", "1")], None);
        let Route::Points(topic) = map.route("t") else { panic!("t is bound") };
        assert_eq!(topic.targets(topic.find("k")).count(), 2);
    }

    #[test]
    fn units_and_range() {
        let mut p = point("t", "k", "%");
        p.expected = Some([0.0, 1.0]);
        let map = TopicMap::new(&[p, point("t", "c", "Cel")], None);
        let Route::Points(topic) = map.route("t") else { panic!("t is bound") };
        let target = *topic.targets(topic.find("k")).next().unwrap();
        assert_eq!(target.number(50.0), (0.5, Quality::Good));
        assert_eq!(target.number(150.0), (1.5, Quality::BadRange));
        assert_eq!(target.switch(true), Some((1.0, Quality::Good)));
        let celsius = *topic.targets(topic.find("c")).next().unwrap();
        assert_eq!(celsius.switch(true), None, "a switch is not a temperature");
    }

    #[test]
    fn filters_match_as_mqtt_says() {
        for (filter, topic, expected) in [
            ("a/#", "a/b/c", true),
            ("a/#", "a", true),
            ("a/+", "a/b", true),
            ("a/+", "a/b/c", false),
            ("+/b", "a/b", true),
            ("#", "$SYS/load", false),
            ("a/b", "a/b", true),
            ("a/b", "a/bc", false),
        ] {
            assert_eq!(filter_matches(filter, topic), expected, "{filter} {topic}");
        }
        assert!(is_filter("a/+/#") && is_filter("#") && is_filter("+"));
        assert!(!is_filter("") && !is_filter("a#") && !is_filter("#/a") && !is_filter("a/b+"));
        assert!(is_topic("a/b") && !is_topic("a/+") && !is_topic(""));
    }

    #[test]
    fn overlapping_filters_are_left_out() {
        let of = |list: &[&str]| without_overlaps(&list.iter().map(|s| (*s).to_owned()).collect::<Vec<_>>());
        assert_eq!(of(&["clinic/#", "clinic/clock"]), ["clinic/#"]);
        assert_eq!(of(&["a/b", "a/+", "c"]), ["a/+", "c"]);
        assert_eq!(of(&["a/b", "a/c"]), ["a/b", "a/c"]);
        assert_eq!(of(&["a/+", "a/#"]), ["a/#"]);
    }

    #[test]
    fn unmatched_names_are_few() {
        let mut unmatched = Unmatched::default();
        for i in 0..1000 {
            unmatched.name(&format!("t/{}", i / 2), "");
        }
        assert_eq!(unmatched.examples().len(), Unmatched::EXAMPLES);
    }
}
