//! Sparkplug B on its way in: births, data and deaths of edge nodes become samples of the points that are bound to them.
//!
//! A metric of `group/node/device` is bound as the topic `spBv1.0/group/DDATA/node/device` (without a device
//! `spBv1.0/group/NDATA/node`), its name being the key. Births and deaths lead to the same points.

use super::{Intake, WireStats, said_elsewhere};
use crate::quality::Quality;
use crate::site::PointIndex;
use crate::telemetry::payload::PayloadUnit;
use crate::telemetry::sample::{Arrival, Sample};
use crate::telemetry::sparkplug::{Host, Limits, NAMESPACE, Reading, Said, data_topic};
use crate::telemetry::topics::Route;
use crate::time::Time;
use std::collections::{BTreeMap, HashMap, HashSet};

/// So many messages wait to be published; what is more is asked for again by what comes next.
const WAITING: usize = 10_000;

/// A host application at work, and what it has to say.
pub(in crate::telemetry) struct Wired {
    host: Host,
    /// The last value of each point, by the topic of its data: what goes stale when its source dies.
    last: BTreeMap<String, HashMap<PointIndex, f64>>,
    /// Topic and payload of what is to be published: QoS 0, not retained.
    outgoing: Vec<(String, Vec<u8>)>,
    was_connected: bool,
}

impl Wired {
    pub(in crate::telemetry) fn new(host: &str) -> Self {
        Self {
            host: Host::new(host, Limits::default()),
            last: BTreeMap::new(),
            outgoing: Vec::new(),
            was_connected: false,
        }
    }

    /// Topic and payload of the host's STATE, retained, QoS 1.
    pub(in crate::telemetry) fn state(&self, online: bool, since: Time) -> (String, Vec<u8>) {
        self.host.state(online, since)
    }
}

impl Intake {
    /// Takes a message of Sparkplug; false for any other, and where the project does not listen to it.
    pub(super) fn sparkplug(&mut self, topic: &str, bytes: &[u8], wall: Time, out: &mut Vec<Arrival>) -> bool {
        if !topic.strip_prefix(NAMESPACE).is_some_and(|rest| rest.starts_with('/')) {
            return false;
        }
        let Some(mut wired) = self.wired.take() else { return false };
        for said in wired.host.take(topic, bytes, wall) {
            self.said(&mut wired, said, wall, out);
        }
        self.wired = Some(wired);
        true
    }

    /// The connection stands anew: what died meanwhile died unheard, so everything is stale and asked for again.
    pub(in crate::telemetry) fn sparkplug_connected(&mut self, wall: Time, out: &mut Vec<Arrival>) {
        let Some(mut wired) = self.wired.take() else { return };
        if std::mem::replace(&mut wired.was_connected, true) {
            for said in wired.host.lost(wall) {
                self.said(&mut wired, said, wall, out);
            }
        }
        self.wired = Some(wired);
    }

    /// What waits to be published, the oldest first.
    pub(in crate::telemetry) fn take_outgoing(&mut self) -> Vec<(String, Vec<u8>)> {
        self.wired.as_mut().map(|w| std::mem::take(&mut w.outgoing)).unwrap_or_default()
    }

    /// What could not be published yet.
    pub(in crate::telemetry) fn put_back(&mut self, mut rest: Vec<(String, Vec<u8>)>) {
        if let Some(wired) = &mut self.wired {
            rest.append(&mut wired.outgoing);
            wired.outgoing = rest;
        }
    }

    fn said(&mut self, wired: &mut Wired, said: Said, wall: Time, out: &mut Vec<Arrival>) {
        match said {
            Said::Reading(reading) => self.reading(wired, &reading, wall, out),
            Said::Publish { topic, payload } if wired.outgoing.len() < WAITING => wired.outgoing.push((topic, payload)),
            Said::Publish { .. } => {}
            Said::Stale { source, .. } => stale(wired, &source, wall, &mut self.stats, out),
            Said::Odd(why) => {
                self.stats.rejected += 1;
                tracing::debug!("Sparkplug: {why}");
            }
        }
    }

    fn reading(&mut self, wired: &mut Wired, reading: &Reading, wall: Time, out: &mut Vec<Arrival>) {
        self.stats.values += 1;
        let topic = data_topic(&reading.source);
        let topics = std::sync::Arc::clone(&self.topics);
        let Route::Points(target) = topics.route(&topic) else {
            self.stats.unmatched += 1;
            return self.unmatched.name(&topic, &reading.metric);
        };
        let found = target.find(&reading.metric);
        if found.is_empty() {
            self.stats.unmatched += 1;
            return self.unmatched.name(&topic, &reading.metric);
        }
        let now = self.site.unwrap_or(wall);
        let ahead = reading.time.seconds_since(now) > self.ingest.max_future_s;
        self.stats.future += u64::from(ahead);
        let device_time = if ahead { now } else { reading.time };
        let last = wired.last.entry(topic).or_default();
        for target in target.targets(found) {
            let point = target.point;
            // A metric that is null keeps its last value, and says that it is none.
            let judged = match reading.value {
                Some(value) => target.number_in(value, PayloadUnit::Own),
                None => last.get(&point).map(|value| (*value, Quality::BadSensor)),
            };
            let Some((value, quality)) = judged else { continue };
            // What a node kept back does not count as the last.
            if reading.quality != Quality::GoodBackfill {
                last.insert(point, value);
            }
            self.stats.samples += 1;
            let quality = said_elsewhere(quality).max(reading.quality);
            let quality = self.look(point.0 as usize, device_time, wall, value, quality);
            let code = reading.code;
            out.push(Arrival::Sample(Sample { point, device_time, arrival: wall, value, quality, code }));
        }
    }
}

/// The last values of a source, of its devices too where it is a node, are stale from now on.
fn stale(wired: &Wired, source: &str, wall: Time, stats: &mut WireStats, out: &mut Vec<Arrival>) {
    let own = data_topic(source);
    let mut parts = source.splitn(2, '/');
    let devices = match (parts.next(), parts.next()) {
        (Some(group), Some(node)) if !node.contains('/') => Some(format!("{NAMESPACE}/{group}/DDATA/{node}/")),
        _ => None,
    };
    let mut seen = HashSet::new();
    let of_devices = devices
        .iter()
        .flat_map(|d| wired.last.range(d.clone()..).take_while(move |(topic, _)| topic.starts_with(d.as_str())));
    for (point, value) in wired.last.get_key_value(&own).into_iter().chain(of_devices).flat_map(|(_, last)| last) {
        if seen.insert(*point) {
            stats.samples += 1;
            out.push(Arrival::Sample(Sample {
                point: *point,
                device_time: wall,
                arrival: wall,
                value: *value,
                quality: Quality::BadStale,
                code: 0,
            }));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::testing::point;
    use super::*;
    use crate::site::project::{Ingest, Sparkplug};
    use crate::telemetry::mqtt::Meaning;
    use crate::telemetry::topics::TopicMap;
    use prost::Message;
    use srad_types::payload::{DataType, Metric, Payload, metric};
    use std::sync::Arc;

    fn meaning(points: &[crate::site::Point]) -> Meaning {
        Meaning { topics: Arc::new(TopicMap::new(points, None)), ..Meaning::default() }
    }

    fn metric_of(name: &str, alias: u64, value: f64) -> Metric {
        Metric {
            name: (!name.is_empty()).then(|| name.to_owned()),
            alias: Some(alias),
            datatype: Some(DataType::Double as u32),
            value: Some(metric::Value::DoubleValue(value)),
            ..Metric::default()
        }
    }

    fn bytes(seq: u64, metrics: Vec<Metric>) -> Vec<u8> {
        Payload { timestamp: Some(1000), seq: Some(seq), metrics, ..Payload::default() }.encode_to_vec()
    }

    fn intake() -> Intake {
        let points = [point("spBv1.0/site/DDATA/plc/ahu", "T", "[degF]"), point("spBv1.0/site/NDATA/plc", "P", "kPa")];
        let sparkplug = Some(Sparkplug { host: "plenum".into(), groups: Vec::new() });
        Intake::new(&meaning(&points), Ingest { sparkplug, ..Ingest::default() })
    }

    fn take(intake: &mut Intake, topic: &str, bytes: &[u8], at: i64) -> Vec<(u32, f64, Quality)> {
        let mut out = Vec::new();
        intake.message(topic, bytes, false, Time(at), &mut out);
        samples(&out)
    }

    fn samples(out: &[Arrival]) -> Vec<(u32, f64, Quality)> {
        let of = |a: &Arrival| if let Arrival::Sample(s) = a { Some((s.point.0, s.value, s.quality)) } else { None };
        out.iter().filter_map(of).collect()
    }

    #[test]
    fn from_birth_to_death() {
        let mut intake = intake();
        let born = take(&mut intake, "spBv1.0/site/NBIRTH/plc", &bytes(0, vec![metric_of("P", 1, 2.0)]), 2000);
        assert_eq!(born, [(1, 2000.0, Quality::Good)]);
        let device = bytes(1, vec![metric_of("T", 7, 32.0), metric_of("X", 8, 1.0)]);
        let got = take(&mut intake, "spBv1.0/site/DBIRTH/plc/ahu", &device, 2000);
        assert_eq!(got.len(), 1);
        assert!(got[0].1.abs() < 1e-9 && intake.stats.unmatched == 1);
        assert_eq!(intake.unmatched.examples(), ["spBv1.0/site/DDATA/plc/ahu · X"]);
        let got = take(&mut intake, "spBv1.0/site/DDATA/plc/ahu", &bytes(2, vec![metric_of("", 7, 212.0)]), 3000);
        assert!((got[0].1 - 100.0).abs() < 1e-9);
        assert!(intake.take_outgoing().is_empty());
        // Message 3 is lost: the birth is asked for, once.
        take(&mut intake, "spBv1.0/site/DDATA/plc/ahu", &bytes(4, vec![metric_of("", 7, 212.0)]), 4000);
        let asked = intake.take_outgoing();
        assert_eq!(asked.iter().map(|(t, _)| t.as_str()).collect::<Vec<_>>(), ["spBv1.0/site/NCMD/plc"]);
        intake.put_back(asked);
        assert_eq!(intake.take_outgoing().len(), 1);
        // Its node dies, and with it the device.
        let mut dead = take(&mut intake, "spBv1.0/site/NDEATH/plc", &bytes(0, vec![]), 5000);
        dead.sort_by_key(|d| d.0);
        assert_eq!(
            dead.iter().map(|d| (d.0, d.2)).collect::<Vec<_>>(),
            [(0, Quality::BadStale), (1, Quality::BadStale)]
        );
        assert!((dead[0].1 - 100.0).abs() < 1e-9, "the last value stays to be seen");
    }

    #[test]
    fn a_connection_that_was_away_makes_everything_stale() {
        let mut intake = intake();
        let mut out = Vec::new();
        intake.sparkplug_connected(Time(1), &mut out);
        take(&mut intake, "spBv1.0/site/NBIRTH/plc", &bytes(0, vec![metric_of("P", 1, 2.0)]), 2000);
        intake.sparkplug_connected(Time(9000), &mut out);
        assert_eq!(samples(&out), [(1, 2000.0, Quality::BadStale)]);
        take(&mut intake, "spBv1.0/site/NDATA/plc", &bytes(1, vec![metric_of("", 1, 2.0)]), 10_000);
        assert_eq!(intake.take_outgoing().len(), 1, "its birth is asked for");
    }

    #[test]
    fn without_the_project_saying_so_it_is_a_topic_like_any_other() {
        let mut intake = Intake::new(&meaning(&[]), Ingest::default());
        let born = take(&mut intake, "spBv1.0/site/NBIRTH/plc", &bytes(0, vec![metric_of("P", 1, 2.0)]), 2000);
        assert!(born.is_empty());
        assert_eq!(intake.unmatched.examples(), ["spBv1.0/site/NBIRTH/plc"]);
    }
}
