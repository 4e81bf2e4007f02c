//! From one message to samples: route, read, convert, judge the time, count.
//!
//! No sockets here: the client hands in topic, payload and the wall clock.

mod sparkplug;

use super::checks::{Doubt, Doubts, Known, Watch};
use super::historian::{Counted, Declared};
use super::inspect::Inspection;
use super::mqtt::Meaning;
use super::payload::{DeviceTime, Object, Payload, Wire};
use super::quarantine::{Quarantine, Reason};
use super::sample::{Arrival, Sample};
use super::sequence::Publishers;
use super::topics::{Route, Topic, TopicMap, Unmatched, filter_matches};
use crate::quality::Quality;
use crate::site::project::Ingest;
use crate::time::Time;
use std::cell::Cell;
use std::collections::HashMap;
use std::sync::Arc;

/// What came over the wire, counted.
#[derive(Clone, Debug, Default)]
pub struct WireStats {
    /// Messages.
    pub messages: u64,
    /// Bytes of payload.
    pub bytes: u64,
    /// Values in them, whatever became of them.
    pub values: u64,
    /// Samples handed on to the twin.
    pub samples: u64,
    /// Values, or whole payloads, that could not be read.
    pub rejected: u64,
    /// Values that no point is bound to.
    pub unmatched: u64,
    /// Values whose time was too far ahead; the arrival time was used.
    pub future: u64,
    /// Values without a time; the arrival time was used.
    pub without_time: u64,
    /// Messages of the site's clock.
    pub clock: u64,
    /// How often the queue to the twin became full.
    pub queue_full: u64,
    /// Samples dropped from it: the twin was too far behind.
    pub overflow: u64,
    /// Samples that the twin did not get for the same reason, and the history did.
    pub skipped: u64,
    /// Samples handed on that had been handed on before.
    pub repeated: u64,
    /// How often something was odd about a sample, by [`Doubt`].
    pub doubts: [u64; Doubt::ALL.len()],
    /// What publishers that count say of losses.
    pub publishers: Publishers,
}

impl WireStats {
    /// Samples known to be lost, on the way or in front of a twin that was too far behind; none when nobody
    /// can tell.
    pub fn lost(&self) -> Option<u64> {
        match self.publishers.lost() {
            None if self.overflow == 0 => None,
            on_the_way => Some(on_the_way.unwrap_or(0).saturating_add(self.overflow)),
        }
    }
}

/// Reads messages into arrivals.
pub(super) struct Intake {
    topics: Arc<TopicMap>,
    ingest: Ingest,
    /// The site's clock as last heard.
    site: Option<Time>,
    payload: Payload,
    /// The Sparkplug host, where the project has one.
    pub(super) wired: Option<sparkplug::Wired>,
    /// What is on the wire, while somebody looks.
    pub(super) inspection: Option<Inspection>,
    /// What samples should be like and have been like, by point.
    watched: Vec<(Known, Watch)>,
    declared: Arc<Declared>,
    /// Receipts are given for what comes: below this topic.
    receipts: Option<String>,
    /// Ids of publishers, to be shared.
    ids: HashMap<Box<str>, Arc<str>>,
    /// Numbers of samples that the last messages brought, whatever became of them; taken by who gives receipts.
    pub(super) counted: Vec<Counted>,
    pub(super) stats: WireStats,
    pub(super) quarantine: Quarantine,
    pub(super) unmatched: Unmatched,
}

impl Intake {
    pub(super) fn new(meaning: &Meaning, ingest: Ingest) -> Self {
        Self {
            topics: Arc::clone(&meaning.topics),
            watched: meaning.known.iter().map(|k| (*k, Watch::default())).collect(),
            declared: Arc::clone(&meaning.declared),
            receipts: None,
            ids: HashMap::new(),
            counted: Vec::new(),
            wired: ingest.sparkplug.as_ref().map(|s| sparkplug::Wired::new(&s.host)),
            inspection: None,
            ingest,
            site: None,
            payload: Payload::default(),
            stats: WireStats::default(),
            quarantine: Quarantine::default(),
            unmatched: Unmatched::default(),
        }
    }

    /// From now on it is written down which samples of whom came, for receipts below the topic `prefix`; what comes
    /// back of those is no telemetry.
    pub(super) fn count_for_receipts(&mut self, prefix: &str) {
        self.receipts = Some(format!("{}/", prefix.trim_end_matches('/')));
    }

    /// From now on topics mean something else; which of them nobody knows is found anew. What the samples of a point
    /// have been like is remembered, by its id.
    pub(super) fn understand(&mut self, meaning: &Meaning) {
        let ids = |declared: &Declared| declared.points.iter().map(|p| p.id.clone()).collect::<Vec<_>>();
        let before: HashMap<String, Watch> =
            ids(&self.declared).into_iter().zip(self.watched.drain(..).map(|(_, watch)| watch)).collect();
        let mut before = before;
        let now = ids(&meaning.declared);
        let watch = |(i, known): (usize, &Known)| {
            let own = now.get(i).and_then(|id| before.remove(id));
            (*known, own.unwrap_or_default())
        };
        self.watched = meaning.known.iter().enumerate().map(watch).collect();
        self.declared = Arc::clone(&meaning.declared);
        self.topics = Arc::clone(&meaning.topics);
        self.unmatched = Unmatched::default();
    }

    /// Appends to `out` what a message brings. `stored`: the broker kept it from before we subscribed, so
    /// it says nothing of what was lost since. `wall` is this machine's clock.
    pub(super) fn message(&mut self, topic: &str, bytes: &[u8], stored: bool, wall: Time, out: &mut Vec<Arrival>) {
        if self.receipts.as_ref().is_some_and(|prefix| topic.starts_with(prefix)) {
            return;
        }
        self.stats.messages += 1;
        self.stats.bytes += bytes.len() as u64;
        if bytes.len() > self.ingest.max_payload_bytes {
            return self.refuse(topic, bytes, bytes.len(), Reason::TooLarge, wall);
        }
        if let Some(inspection) = &mut self.inspection {
            inspection.see(topic, bytes, wall);
        }
        if self.sparkplug(topic, bytes, wall, out) {
            return;
        }
        let topics = Arc::clone(&self.topics);
        let mut payload = std::mem::take(&mut self.payload);
        match topics.route(topic) {
            Route::Points(target) => {
                let unknown = Cell::new(None);
                let keys = |key: &str| {
                    let found = target.find(key);
                    if found.is_empty() {
                        unknown.set(Some(key.to_owned()));
                    }
                    found
                };
                let read = match self.ingest.payloads.iter().find(|s| filter_matches(&s.topic, topic)) {
                    None => payload.read(bytes, keys),
                    Some(shape) => payload.read_shaped(bytes, topic, shape, keys),
                };
                self.samples(topic, bytes, target, &payload, read, stored, wall, out);
                if let Some(key) = unknown.take() {
                    self.unmatched.name(topic, &key);
                }
            }
            Route::Clock => {
                let read = payload.read(bytes, |_| 0..0);
                self.clock(topic, bytes, &payload, read, wall, out);
                self.follow_all(&payload, stored);
            }
            Route::Unmatched => {
                // Read all the same: its publisher counts these samples too.
                let _ = payload.read(bytes, |_| 0..0);
                self.stats.values += payload.values.len() as u64;
                self.stats.unmatched += payload.values.len() as u64;
                self.unmatched.name(topic, "");
                self.follow_all(&payload, stored);
            }
        }
        self.payload = payload;
    }

    /// A payload that the wire itself refused, so that nothing but its length may be known.
    pub(super) fn refuse(&mut self, topic: &str, bytes: &[u8], length: usize, reason: Reason, wall: Time) {
        self.reject(reason);
        self.quarantine.keep(topic, bytes, length, reason, wall);
    }

    fn reject(&mut self, reason: Reason) {
        self.stats.rejected += 1;
        self.quarantine.count(reason);
    }

    fn samples(
        &mut self,
        topic: &str,
        bytes: &[u8],
        target: &Topic,
        payload: &Payload,
        read: Result<(), Reason>,
        stored: bool,
        wall: Time,
        out: &mut Vec<Arrival>,
    ) {
        let mut first: Option<Reason> = None;
        let mut bad = |intake: &mut Self, reason: Reason| {
            intake.reject(reason);
            first.get_or_insert(reason);
        };
        for object in &payload.objects {
            let values = payload.values.get(object.values.clone()).unwrap_or_default();
            self.stats.values += values.len() as u64;
            let repeated = if stored { 0 } else { self.follow(payload, object) };
            if values.is_empty() {
                bad(self, Reason::NoValue);
                continue;
            }
            let Some(device_time) = self.device_time(object, wall) else {
                values.iter().for_each(|_| bad(self, Reason::BadTime));
                continue;
            };
            let before = out.len();
            for value in values {
                // What is not ours may be written as it likes.
                if value.found.is_empty() && !matches!(value.wire, Wire::Bad(Reason::Shape)) {
                    self.stats.unmatched += 1;
                    continue;
                }
                if let Wire::Bad(reason) = value.wire {
                    bad(self, reason);
                    continue;
                }
                for target in target.targets(value.found.clone()) {
                    let judged = match value.wire {
                        Wire::Number(number) => target.number_in(number, object.unit),
                        Wire::Switch(on) => target.switch(on),
                        Wire::Bad(_) => None,
                    };
                    let Some((value, said)) = judged else {
                        let is_number = matches!(value.wire, Wire::Number(_));
                        bad(self, if is_number { Reason::WrongUnit } else { Reason::WrongType });
                        continue;
                    };
                    let said = said_elsewhere(said).max(object.quality);
                    self.stats.samples += 1;
                    let point = target.point;
                    let quality = self.look(point.0 as usize, device_time, wall, value, said);
                    out.push(Arrival::Sample(Sample { point, device_time, arrival: wall, value, quality, code: 0 }));
                }
            }
            self.stats.repeated += repeated.min((out.len() - before) as u64);
        }
        (0..payload.strangers).for_each(|_| bad(self, Reason::Shape));
        if let Err(reason) = read {
            bad(self, reason);
        }
        if let Some(reason) = first {
            self.quarantine.keep(topic, bytes, bytes.len(), reason, wall);
        }
    }

    fn clock(
        &mut self,
        topic: &str,
        bytes: &[u8],
        payload: &Payload,
        read: Result<(), Reason>,
        wall: Time,
        out: &mut Vec<Arrival>,
    ) {
        self.stats.clock += 1;
        let mut heard = false;
        for object in &payload.objects {
            if let DeviceTime::At(time) = object.time {
                self.site = Some(time);
                out.push(Arrival::Clock(time));
                heard = true;
            }
        }
        if let Err(reason) = read {
            self.refuse(topic, bytes, bytes.len(), reason, wall);
        } else if !heard {
            self.refuse(topic, bytes, bytes.len(), Reason::BadTime, wall);
        }
    }

    /// The time of an object's samples; none when what it says cannot be read.
    ///
    /// The arrival time stands in for one that is missing or too far ahead: by the site's own clock
    /// where it has one, so that a sped-up building keeps one measure of time.
    fn device_time(&mut self, object: &Object, wall: Time) -> Option<Time> {
        let now = self.site.unwrap_or(wall);
        let count = object.values.len() as u64;
        match object.time {
            DeviceTime::Bad => None,
            DeviceTime::Missing => {
                self.stats.without_time += count;
                Some(now)
            }
            DeviceTime::At(time) if time.seconds_since(now) > self.ingest.max_future_s => {
                self.stats.future += count;
                Some(now)
            }
            DeviceTime::At(time) => Some(time),
        }
    }

    /// How far a value can be trusted: as its source says, and as it looks among its neighbours.
    fn look(&mut self, point: usize, time: Time, wall: Time, value: f64, said: Quality) -> Quality {
        let Some((known, watch)) = self.watched.get_mut(point) else { return said };
        // By the site's clock, where it has one: a day that is sped up is no wrong clock.
        let now = self.site.unwrap_or(wall);
        let looked = watch.look(known, time, now, value, said);
        let mut told = Doubts::default();
        for doubt in looked.doubts.iter() {
            if let Some(count) = self.stats.doubts.get_mut(doubt as usize) {
                *count += 1;
            }
            // The order in which samples come makes no other history: how late one is says whether it was kept back.
            if doubt != Doubt::OutOfOrder {
                told.add(doubt);
            }
        }
        let late = now.seconds_since(time) > known.late_s;
        told.quality(if late && said == Quality::Good { Quality::GoodBackfill } else { said })
    }

    fn follow_all(&mut self, payload: &Payload, stored: bool) {
        if !stored {
            for object in &payload.objects {
                let _ = self.follow(payload, object);
            }
        }
    }

    /// Takes note of an object of a publisher that counts; how many of its samples came before.
    fn follow(&mut self, payload: &Payload, object: &Object) -> u64 {
        let Some(seq) = object.seq else { return 0 };
        let (id, samples) = (payload.publisher(object), object.values.len() as u64);
        if self.receipts.is_some() && !id.is_empty() {
            self.count(id, seq, seq.saturating_add(samples));
        }
        let duplicates = |stats: &WireStats| stats.publishers.get(id).map_or(0, |p| p.duplicate);
        let before = duplicates(&self.stats);
        self.stats.publishers.object(id, seq, samples);
        duplicates(&self.stats).saturating_sub(before)
    }

    fn count(&mut self, id: &str, from: u64, to: u64) {
        match self.counted.last_mut() {
            Some(last) if last.to == from && last.publisher.as_ref() == id => last.to = to,
            _ => {
                let publisher = match self.ids.get(id) {
                    Some(known) => Arc::clone(known),
                    None => {
                        if self.ids.len() >= Publishers::MOST {
                            self.ids.clear();
                        }
                        let new: Arc<str> = id.into();
                        self.ids.insert(id.into(), Arc::clone(&new));
                        new
                    }
                };
                self.counted.push(Counted { publisher, from, to });
            }
        }
    }
}

/// What a topic says of a value, without whether it lies in its range: that is looked at with all else ([`Intake::look`]).
fn said_elsewhere(said: Quality) -> Quality {
    if said == Quality::BadRange { Quality::Good } else { said }
}

#[cfg(test)]
mod tests {
    use super::super::testing::point;
    use super::*;
    use crate::quality::Quality;
    use crate::site::PointIndex;

    const WALL: Time = Time(1_778_479_200_000);

    fn intake(clock: Option<&str>) -> Intake {
        let mut ranged = point("t/a", "flow", "m3/h");
        ranged.expected = Some([0.0, 1.0]);
        let points = [point("t/a", "temp", "[degF]"), ranged, point("t/b", "", "1")];
        let known = points.iter().map(|p| Known { expected: p.expected, ..Known::default() }).collect();
        let topics = Arc::new(TopicMap::new(&points, clock));
        Intake::new(&Meaning { topics, known, ..Meaning::default() }, Ingest::default())
    }

    fn take(intake: &mut Intake, topic: &str, text: &str) -> Vec<Sample> {
        let mut out = Vec::new();
        intake.message(topic, text.as_bytes(), false, WALL, &mut out);
        out.iter().filter_map(|a| if let Arrival::Sample(s) = a { Some(*s) } else { None }).collect()
    }

    #[test]
    fn samples_are_si_with_quality_and_both_times() {
        let mut intake = intake(None);
        let got = take(&mut intake, "t/a", r#"{"ts":1778479100000,"values":{"temp":212,"flow":7200,"x":1}}"#);
        assert_eq!(got.len(), 2);
        assert!((got[0].value - 100.0).abs() < 1e-9);
        assert_eq!((got[0].point, got[0].quality), (PointIndex(0), Quality::Good));
        assert_eq!((got[0].device_time, got[0].arrival), (Time(1_778_479_100_000), WALL));
        assert_eq!((got[1].value, got[1].quality), (2.0, Quality::UncertainRange));
        assert_eq!((intake.stats.samples, intake.stats.unmatched, intake.stats.values), (2, 1, 3));
        assert_eq!(intake.unmatched.examples(), ["t/a · x"]);
        assert_eq!(intake.stats.rejected, 0);
    }

    #[test]
    fn units_and_shapes_of_others() {
        let mut intake = intake(None);
        let got = take(&mut intake, "t/a", r#"{"unit":"°C","values":{"temp":20}}"#);
        assert!((got[0].value - 20.0).abs() < 1e-9, "not taken for Fahrenheit");
        assert!(take(&mut intake, "t/a", r#"{"values":{"temp":20},"unit":"kPa"}"#).is_empty());
        assert!(take(&mut intake, "t/a", r#"{"values":{"temp":20},"unit":"furlong"}"#).is_empty());
        assert_eq!(intake.quarantine.of(Reason::WrongUnit), 2);
        let path = |text: &str| crate::site::project::PayloadPath::parse(text, &[]).unwrap();
        intake.ingest.payloads = vec![crate::site::project::PayloadShape {
            topic: "t/+".into(),
            value: path("$.d[*].val"),
            time: None,
            time_unit_ms: None,
            quality: Some(path("$.d[*].q")),
            unit: None,
            key: Some(crate::site::project::KeyFrom::Path(path("$.d[*].id"))),
            numbers_in_text: true,
            line: 1,
        }];
        let got = take(
            &mut intake,
            "t/a",
            r#"{"d":[{"id":"temp","val":"212","q":"stale"},{"id":"flow","val":"3600"},{"id":"x","val":1}]}"#,
        );
        assert_eq!(got.iter().map(|s| s.quality).collect::<Vec<_>>(), [Quality::BadStale, Quality::Good]);
        assert!((got[0].value - 100.0).abs() < 1e-9);
        assert!(take(&mut intake, "t/a", r#"{"values":{"temp":20}}"#).is_empty());
        assert_eq!(intake.quarantine.of(Reason::NoValue), 1);
    }

    #[test]
    fn times_that_cannot_be_believed() {
        let mut intake = intake(None);
        assert_eq!(take(&mut intake, "t/b", r#"{"v":1}"#)[0].device_time, WALL);
        assert_eq!(intake.stats.without_time, 1);
        assert_eq!(take(&mut intake, "t/b", r#"{"ts":"2099-01-01T00:00:00Z","v":1}"#)[0].device_time, WALL);
        assert_eq!(intake.stats.future, 1);
        let near = WALL.plus_seconds(299.0);
        assert_eq!(take(&mut intake, "t/b", &format!(r#"{{"ts":{},"v":1}}"#, near.0))[0].device_time, near);
        assert!(take(&mut intake, "t/b", r#"{"ts":"noon","v":1}"#).is_empty());
        assert_eq!(intake.quarantine.of(Reason::BadTime), 1);
    }

    #[test]
    fn the_site_clock_is_the_measure() {
        let mut intake = intake(Some("t/clock"));
        let mut out = Vec::new();
        let site = Time::parse("2031-01-01T00:00:00Z").unwrap();
        intake.message("t/clock", br#"{"ts":"2031-01-01T00:00:00Z"}"#, false, WALL, &mut out);
        assert_eq!(out, [Arrival::Clock(site)]);
        // Far ahead of this machine, but not of the site.
        let got = take(&mut intake, "t/b", r#"{"ts":"2031-01-01T00:01:00Z","v":1}"#);
        assert_eq!((got[0].device_time, got[0].arrival), (site.plus_seconds(60.0), WALL));
        assert_eq!(take(&mut intake, "t/b", r#"{"v":1}"#)[0].device_time, site);
        intake.message("t/clock", br#"{"ts":"noon"}"#, false, WALL, &mut out);
        assert_eq!((out.len(), intake.quarantine.of(Reason::BadTime)), (1, 1));
    }

    #[test]
    fn bad_payloads_are_kept_with_their_reason() {
        let mut intake = intake(None);
        for (text, reason) in [
            ("", Reason::Empty),
            ("{", Reason::Syntax),
            ("[1]", Reason::Shape),
            (r#"{"ts":1778479100000}"#, Reason::NoValue),
            (r#"{"v":"12"}"#, Reason::WrongType),
            (r#"{"v":NaN}"#, Reason::NotFinite),
            (r#"{"values":[1]}"#, Reason::Shape),
        ] {
            assert!(take(&mut intake, "t/b", text).is_empty(), "{text}");
            assert_eq!(intake.quarantine.last().next_back().unwrap().reason, reason, "{text}");
        }
        assert_eq!(intake.quarantine.total(), 7);
        assert_eq!(intake.stats.rejected, 7);
        let long = format!(r#"{{"v":1,"x":"{}"}}"#, "y".repeat(300_000));
        assert!(take(&mut intake, "t/b", &long).is_empty());
        let kept = intake.quarantine.last().next_back().unwrap();
        assert_eq!((kept.reason, kept.length, kept.beginning.len()), (Reason::TooLarge, long.len(), 256));
    }

    #[test]
    fn a_publisher_is_followed_over_all_its_topics() {
        let mut intake = intake(Some("t/clock"));
        take(&mut intake, "t/b", r#"{"pub":"e","seq":0,"v":1}"#);
        take(&mut intake, "elsewhere", r#"{"pub":"e","seq":1,"values":{"p":1,"q":2}}"#);
        take(&mut intake, "t/clock", r#"{"pub":"e","seq":3,"ts":1778479100000}"#);
        take(&mut intake, "t/b", r#"{"pub":"e","seq":3,"v":"bad"}"#);
        take(&mut intake, "t/b", r#"{"pub":"e","seq":6,"v":1}"#);
        take(&mut intake, "t/b", r#"{"pub":"e","seq":6,"v":1}"#);
        intake.message("t/b", br#"{"pub":"e","seq":90,"v":1}"#, true, WALL, &mut Vec::new());
        let e = intake.stats.publishers.get("e").unwrap();
        assert_eq!((e.lost, e.duplicate, e.next), (2, 1, 7));
        assert_eq!(intake.stats.unmatched, 2);
        assert_eq!(intake.unmatched.examples(), ["elsewhere"]);
    }
}
