//! What the unit tests of this room share.

use crate::site::Point;
use crate::site::Slot;
use crate::site::point::PointSource;
use crate::site::unit::Unit;

/// A point on a topic, with no expected range.
pub(super) fn point(topic: &str, key: &str, unit: &str) -> Point {
    Point {
        id: format!("{topic}/{key}"),
        asset: Slot(0),
        role: key.into(),
        name: key.into(),
        unit: Unit::parse(unit).unwrap(),
        expected: None,
        period_s: 1.0,
        stale_after_s: 60.0,
        check: None,
        source: PointSource::Topic { topic: topic.into(), key: key.into() },
        remedy: String::new(),
        watch: Default::default(),
    }
}
