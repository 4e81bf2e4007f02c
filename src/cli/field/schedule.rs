//! Which device reports when, and what its messages look like.

use crate::simulation::emulator::Emulator;
use crate::site::point::PointSource;
use crate::site::unit::{Quantity, Unit};
use crate::site::{PointIndex, Site};
use crate::time::Time;
use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};
use std::fmt::Write;

/// However fast time runs, a point reports at least this often, seconds of the building's time.
const SLOWEST_S: f64 = 60.0;
/// A wall second has at most this many reports of one point.
const MOST_A_SECOND: f64 = 60.0;

/// Points of one device that report together.
struct Group {
    topic: usize,
    period_ms: i64,
    points: Vec<Reporting>,
}

struct Reporting {
    point: PointIndex,
    /// The payload's key, as JSON; empty for a value that stands alone.
    key: String,
    unit: Unit,
}

/// What one device measured at one moment.
struct Object {
    at: Time,
    values: Vec<(String, f64)>,
}

/// What one device reports in one round.
pub(super) struct Message {
    /// Where it goes.
    pub topic: String,
    /// How many values it holds.
    pub samples: u64,
    first_seq: u64,
    objects: Vec<Object>,
}

impl Message {
    /// The numbers of its samples, from the first to behind the last.
    pub fn numbers(&self) -> [u64; 2] {
        [self.first_seq, self.first_seq + self.samples]
    }
}

/// The reports of every device, in the order of the building's time.
pub(super) struct Schedule {
    topics: Vec<String>,
    groups: Vec<Group>,
    due: BinaryHeap<Reverse<(Time, usize)>>,
    publisher: String,
    seq: u64,
}

impl Schedule {
    /// Every point that comes over a topic, each at its own period or `speed / 60` seconds, whichever is
    /// longer; devices begin one after the other. `publisher` is the id in their payloads.
    pub fn new(site: &Site, start: Time, speed: f64, publisher: String) -> Self {
        let shortest_s = (speed / MOST_A_SECOND).min(SLOWEST_S);
        let mut devices: BTreeMap<&str, BTreeMap<i64, Vec<Reporting>>> = BTreeMap::new();
        for (i, point) in site.points.iter().enumerate() {
            let PointSource::Topic { topic, key } = &point.source else { continue };
            let period_s = if point.period_s > 0.0 { point.period_s } else { 10.0 };
            let period_ms = (period_s.max(shortest_s) * 1000.0).round().max(10.0) as i64;
            let key = if key.is_empty() { String::new() } else { serde_json::Value::from(key.as_str()).to_string() };
            let reporting = Reporting { point: PointIndex(i as u32), key, unit: point.unit };
            devices.entry(topic).or_default().entry(period_ms).or_default().push(reporting);
        }
        let (mut topics, mut groups, mut due) = (Vec::new(), Vec::new(), BinaryHeap::new());
        let count = devices.len().max(1) as i64;
        for (n, (topic, periods)) in devices.into_iter().enumerate() {
            // All groups of a device begin together, so that slow and fast points often share a moment.
            let shortest = periods.keys().next().copied().unwrap_or(1000);
            let first = Time(start.0 + 1 + shortest * n as i64 / count);
            for (period_ms, points) in periods {
                due.push(Reverse((first, groups.len())));
                groups.push(Group { topic: topics.len(), period_ms, points });
            }
            topics.push(topic.to_owned());
        }
        Self { topics, groups, due, publisher, seq: 0 }
    }

    /// True when nothing reports.
    pub fn is_empty(&self) -> bool {
        self.groups.is_empty()
    }

    /// Runs the building until `until` and takes every report on the way, one message a device.
    pub fn collect(&mut self, emulator: &mut Emulator, until: Time) -> Vec<Message> {
        let mut by_topic: BTreeMap<usize, Vec<Object>> = BTreeMap::new();
        while let Some(Reverse((at, index))) = self.due.peek().copied() {
            if at > until {
                break;
            }
            self.due.pop();
            emulator.run_to(at);
            let Some(group) = self.groups.get(index) else { continue };
            self.due.push(Reverse((Time(at.0 + group.period_ms), index)));
            let objects = by_topic.entry(group.topic).or_default();
            for reporting in &group.points {
                let Some(value) = emulator.read(reporting.point) else { continue };
                let value = on_the_wire(reporting.unit, value);
                if !value.is_finite() {
                    continue;
                }
                let joins = |o: &&mut Object| {
                    o.at == at && !reporting.key.is_empty() && o.values.iter().all(|(k, _)| !k.is_empty())
                };
                match objects.last_mut().filter(joins) {
                    Some(object) => object.values.push((reporting.key.clone(), value)),
                    None => objects.push(Object { at, values: vec![(reporting.key.clone(), value)] }),
                }
            }
        }
        emulator.run_to(until);
        let mut messages = Vec::with_capacity(by_topic.len());
        for (topic, objects) in by_topic {
            let samples: u64 = objects.iter().map(|o| o.values.len() as u64).sum();
            let Some(topic) = self.topics.get(topic).filter(|_| samples > 0) else { continue };
            messages.push(Message { topic: topic.clone(), samples, first_seq: self.seq, objects });
            self.seq += samples;
        }
        messages
    }

    /// The payload of a message: one object, or an array of them.
    pub fn write(&self, message: &Message) -> Option<Vec<u8>> {
        let mut text = String::with_capacity(64 * message.objects.len() + 24 * message.samples as usize);
        let mut seq = message.first_seq;
        let many = message.objects.len() != 1;
        if many {
            text.push('[');
        }
        for (i, object) in message.objects.iter().enumerate() {
            let comma = if i > 0 { "," } else { "" };
            write!(text, "{comma}{{\"ts\":\"{}\",", object.at).ok()?;
            match object.values.as_slice() {
                [(key, value)] if key.is_empty() => write!(text, "\"v\":{value}").ok()?,
                values => {
                    text.push_str("\"values\":{");
                    for (i, (key, value)) in values.iter().enumerate() {
                        write!(text, "{}{key}:{value}", if i > 0 { "," } else { "" }).ok()?;
                    }
                    text.push('}');
                }
            }
            write!(text, ",\"seq\":{seq},\"pub\":\"{}\"}}", self.publisher).ok()?;
            seq += object.values.len() as u64;
        }
        if many {
            text.push(']');
        }
        Some(text.into_bytes())
    }
}

/// A value in the point's unit, with as many digits as a device would send.
fn on_the_wire(unit: Unit, si: f64) -> f64 {
    let value = unit.from_si(si);
    let digits = if unit.quantity == Quantity::Energy { 11 } else { 6 };
    if value == 0.0 || !value.is_finite() {
        return value;
    }
    let places = digits - 1 - value.abs().log10().floor() as i32;
    let scale = 10f64.powi(places.clamp(0, 6));
    // Adding zero makes −0 plain 0.
    (value * scale).round() / scale + 0.0
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::simulation::emulator::{Settings, fixture};

    #[test]
    fn values_are_rounded_in_their_own_unit() {
        let unit = |code| Unit::parse(code).unwrap();
        assert_eq!(on_the_wire(unit("%"), 0.123), 12.3);
        assert_eq!(on_the_wire(unit("kPa"), 140_123.456), 140.123);
        assert_eq!(on_the_wire(unit("kW.h"), 123_456.78 * 3.6e6), 123_456.78);
        assert_eq!(on_the_wire(unit("m3/h"), 0.0), 0.0);
        assert_eq!(on_the_wire(unit("Cel"), -1e-9).to_string(), "0");
    }

    #[test]
    fn every_point_reports_at_its_pace() {
        let site = fixture::clinic();
        for (speed, least_s) in [(60.0, 1.0), (3600.0, 60.0), (50_000.0, 60.0)] {
            let settings = Settings::of_seed(1);
            let (mut emulator, _) = Emulator::new(&site, settings);
            let mut schedule = Schedule::new(&site, settings.start, speed, "p".into());
            let until = settings.start.plus_seconds(600.0);
            let messages = schedule.collect(&mut emulator, until);
            let got: u64 = messages.iter().map(|m| m.samples).sum();
            let expected: f64 = site
                .points
                .iter()
                .filter(|p| matches!(p.source, PointSource::Topic { .. }))
                .map(|p| 600.0 / p.period_s.max(least_s))
                .sum();
            assert!((got as f64 / expected - 1.0).abs() < 0.01, "{speed}: {got} of {expected}");
            assert_eq!(emulator.now(), until);
        }
    }

    #[test]
    fn a_value_alone_stands_under_v() {
        let mut site = fixture::clinic();
        site.points.truncate(1);
        site.points[0].source = PointSource::Topic { topic: "bms/x".into(), key: String::new() };
        let settings = Settings::of_seed(1);
        let (mut emulator, _) = Emulator::new(&site, settings);
        let mut schedule = Schedule::new(&site, settings.start, 1.0, "p".into());
        let messages = schedule.collect(&mut emulator, settings.start.plus_seconds(1.0));
        let text = String::from_utf8(schedule.write(&messages[0]).unwrap()).unwrap();
        let object: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert!(object["v"].is_number() && object["ts"].is_string() && object.get("values").is_none(), "{text}");
    }
}
