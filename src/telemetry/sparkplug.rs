//! Sparkplug B as a host application: births give names to numbers, deaths make values stale, a gap in the sequence
//! asks for a new birth. Eclipse Sparkplug 3.0 (ISO/IEC 20237:2023); clause numbers are of that document.
//!
//! Nothing is sent from here: [`Host::take`] says what a message means and what should be published for it.

use crate::quality::Quality;
use crate::time::Time;
use prost::Message;
use srad_types::payload::{DataType, Metric, Payload, metric, property_value};
use std::collections::HashMap;

/// Before every topic.
pub const NAMESPACE: &str = "spBv1.0";
/// The metric that makes a node send its births again, with the value true.
const REBIRTH: &str = "Node Control/Rebirth";
/// A node is asked for its births no more often than this, seconds.
const ASK_AGAIN_S: f64 = 10.0;

/// The topic of a source's data, as its points are bound: `group/node` or `group/node/device`.
pub fn data_topic(source: &str) -> String {
    let mut parts = source.splitn(3, '/');
    let (group, node) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
    match parts.next() {
        Some(device) => format!("{NAMESPACE}/{group}/DDATA/{node}/{device}"),
        None => format!("{NAMESPACE}/{group}/NDATA/{node}"),
    }
}

/// How much a host remembers at the most; what is more is refused and told.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Edge nodes.
    pub nodes: usize,
    /// Devices of a node.
    pub devices: usize,
    /// Metrics of a node with all its devices.
    pub metrics: usize,
    /// Bytes of a payload.
    pub payload_bytes: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { nodes: 10_000, devices: 10_000, metrics: 200_000, payload_bytes: 1 << 20 }
    }
}

/// What a message came to.
#[derive(Clone, Debug, PartialEq)]
pub enum Said {
    /// A value.
    Reading(Reading),
    /// Everything of a node (its devices too), or of one device, is stale from this moment on.
    Stale {
        /// `group/node` or `group/node/device`.
        source: String,
        /// When.
        at: Time,
    },
    /// Something to publish, QoS 0, not retained.
    Publish {
        /// Where.
        topic: String,
        /// What.
        payload: Vec<u8>,
    },
    /// What could not be used, and why.
    Odd(String),
}

/// A value of a metric.
#[derive(Clone, Debug, PartialEq)]
pub struct Reading {
    /// `group/node`, or `group/node/device`.
    pub source: String,
    /// Name of the metric.
    pub metric: String,
    /// When it was measured; when the message was sent or arrived, where the metric has no time of its own.
    pub time: Time,
    /// The value; none where the source says that there is none.
    pub value: Option<f64>,
    /// How far it can be trusted.
    pub quality: Quality,
    /// The source's own quality; 192 where it says none.
    pub code: u32,
}

/// A host: what it knows of its nodes.
#[derive(Default)]
pub struct Host {
    id: String,
    limits: Limits,
    nodes: HashMap<String, Node>,
}

#[derive(Default)]
struct Node {
    /// It has been born and has not died since.
    alive: bool,
    /// Which of its lives; a death of another one does not count (clause 6.4.6).
    life: Option<u64>,
    /// The next number of its messages, 0 to 255.
    next: u8,
    /// What numbers and names stand for; by its device, empty for its own.
    aliases: HashMap<u64, (String, String, u32)>,
    types: HashMap<(String, String), u32>,
    devices: HashMap<String, bool>,
    asked: Option<Time>,
}

impl Host {
    /// A host of an id, as its STATE topic says it.
    pub fn new(id: impl Into<String>, limits: Limits) -> Self {
        Self { id: id.into(), limits, nodes: HashMap::new() }
    }

    /// Topic and payload of its STATE, to be retained, QoS 1; as the will with `online` false and the same time
    /// (clause 6.4.27).
    pub fn state(&self, online: bool, since: Time) -> (String, Vec<u8>) {
        let payload = format!("{{\"online\":{online},\"timestamp\":{}}}", since.0);
        (format!("{NAMESPACE}/STATE/{}", self.id), payload.into_bytes())
    }

    /// Takes a message that arrived at a moment.
    pub fn take(&mut self, topic: &str, payload: &[u8], arrival: Time) -> Vec<Said> {
        let mut parts = topic.split('/');
        let mut part = || parts.next().filter(|p| !p.is_empty());
        let (Some(NAMESPACE), Some(group), Some(kind)) = (part(), part(), part()) else {
            return vec![Said::Odd(format!("{topic} is no Sparkplug topic"))];
        };
        if group == "STATE" {
            // Of this host, or of another one.
            return Vec::new();
        }
        let (Some(node), device) = (part(), part()) else {
            return vec![Said::Odd(format!("{topic} names no node"))];
        };
        if payload.len() > self.limits.payload_bytes {
            return vec![Said::Odd(format!("{topic}: {} bytes are more than are taken", payload.len()))];
        }
        if matches!(kind, "NCMD" | "DCMD") {
            return Vec::new();
        }
        let payload = match Payload::decode(payload) {
            Ok(payload) => payload,
            Err(e) => return vec![Said::Odd(format!("{topic}: {e}"))],
        };
        let key = format!("{group}/{node}");
        if !self.nodes.contains_key(&key) && self.nodes.len() >= self.limits.nodes {
            return vec![Said::Odd(format!("{key}: more nodes than are taken ({})", self.limits.nodes))];
        }
        let limits = self.limits;
        let state = self.nodes.entry(key.clone()).or_default();
        let mut taker = Taker { group, node, key: &key, state, limits, arrival, said: Vec::new() };
        match (kind, device) {
            ("NBIRTH", None) => taker.node_birth(payload),
            ("NDEATH", None) => taker.node_death(&payload),
            ("NDATA", None) => taker.data("", payload),
            ("DBIRTH", Some(device)) => taker.device_birth(device, payload),
            ("DDEATH", Some(device)) => taker.device_death(device, &payload),
            ("DDATA", Some(device)) => taker.data(device, payload),
            _ => taker.odd(format!("{topic}: there is no such message")),
        }
        taker.said
    }

    /// Nodes that are alive.
    pub fn alive(&self) -> usize {
        self.nodes.values().filter(|n| n.alive).count()
    }

    /// The connection is gone: whatever was alive may die unheard. Everything is stale until it is born again.
    pub fn lost(&mut self, at: Time) -> Vec<Said> {
        let mut said: Vec<Said> = Vec::new();
        for (key, node) in &mut self.nodes {
            if node.alive {
                said.push(Said::Stale { source: key.clone(), at });
            }
            node.alive = false;
        }
        said
    }
}

/// A message at work.
struct Taker<'a> {
    group: &'a str,
    node: &'a str,
    key: &'a str,
    state: &'a mut Node,
    limits: Limits,
    arrival: Time,
    said: Vec<Said>,
}

impl Taker<'_> {
    fn odd(&mut self, what: String) {
        self.said.push(Said::Odd(what));
    }

    fn source(&self, device: &str) -> String {
        if device.is_empty() { self.key.to_string() } else { format!("{}/{device}", self.key) }
    }

    fn ask(&mut self, why: &str) {
        if self.state.asked.is_some_and(|t| self.arrival.seconds_since(t).abs() < ASK_AGAIN_S) {
            return;
        }
        self.state.asked = Some(self.arrival);
        self.odd(format!("{}: {why}; its births are asked for again", self.key));
        let metric = Metric {
            name: Some(REBIRTH.into()),
            timestamp: u64::try_from(self.arrival.0).ok(),
            datatype: Some(DataType::Boolean as u32),
            value: Some(metric::Value::BooleanValue(true)),
            ..Metric::default()
        };
        let payload =
            Payload { timestamp: u64::try_from(self.arrival.0).ok(), metrics: vec![metric], ..Payload::default() };
        let topic = format!("{NAMESPACE}/{}/NCMD/{}", self.group, self.node);
        self.said.push(Said::Publish { topic, payload: payload.encode_to_vec() });
    }

    /// Each message of a node has the number after the one before (clause 6.4.10).
    fn follow(&mut self, payload: &Payload) {
        let Some(seq) = payload.seq.and_then(|s| u8::try_from(s).ok()) else {
            self.ask("a message has no sequence number");
            return;
        };
        if seq != self.state.next {
            let why = format!("message {seq} came where {} was due", self.state.next);
            self.ask(&why);
        }
        self.state.next = seq.wrapping_add(1);
    }

    fn node_birth(&mut self, payload: Payload) {
        let asked = self.state.asked;
        *self.state = Node { alive: true, asked, ..Node::default() };
        self.state.life = payload.metrics.iter().find(|m| m.name.as_deref() == Some("bdSeq")).and_then(number_of);
        self.state.next = payload.seq.and_then(|s| u8::try_from(s).ok()).unwrap_or(0).wrapping_add(1);
        self.learn("", payload);
    }

    fn node_death(&mut self, payload: &Payload) {
        let life = payload.metrics.iter().find(|m| m.name.as_deref() == Some("bdSeq")).and_then(number_of);
        if self.state.alive && life.is_some() && self.state.life.is_some() && life != self.state.life {
            return;
        }
        self.state.alive = false;
        self.state.devices.values_mut().for_each(|alive| *alive = false);
        self.said.push(Said::Stale { source: self.key.to_string(), at: self.arrival });
    }

    fn device_birth(&mut self, device: &str, payload: Payload) {
        if !self.state.alive {
            return self.ask("a device was born before its node");
        }
        self.follow(&payload);
        if !self.state.devices.contains_key(device) && self.state.devices.len() >= self.limits.devices {
            return self.odd(format!("{}: more devices than are taken ({})", self.key, self.limits.devices));
        }
        self.state.devices.insert(device.to_string(), true);
        self.learn(device, payload);
    }

    fn device_death(&mut self, device: &str, payload: &Payload) {
        if self.state.alive {
            self.follow(payload);
        }
        self.state.devices.insert(device.to_string(), false);
        self.said.push(Said::Stale { source: self.source(device), at: self.arrival });
    }

    /// Takes names, numbers and types of a birth over, and its values.
    fn learn(&mut self, device: &str, payload: Payload) {
        for metric in &payload.metrics {
            let Some(name) = metric.name.as_deref().filter(|n| !n.is_empty()) else { continue };
            if self.state.types.len() >= self.limits.metrics {
                let message = format!("{}: more metrics than are taken ({})", self.key, self.limits.metrics);
                self.odd(message);
                break;
            }
            let datatype = metric.datatype.unwrap_or_default();
            self.state.types.insert((device.to_string(), name.to_string()), datatype);
            if let Some(alias) = metric.alias {
                let known = self.state.aliases.insert(alias, (device.to_string(), name.to_string(), datatype));
                if known.is_some_and(|k| (k.0.as_str(), k.1.as_str()) != (device, name)) {
                    let message = format!("{}: the alias {alias} stands for two metrics", self.key);
                    self.odd(message);
                }
            }
        }
        self.read(device, payload);
    }

    fn data(&mut self, device: &str, payload: Payload) {
        if !self.state.alive {
            return self.ask("it sent data before it was born");
        }
        self.follow(&payload);
        if !device.is_empty() && self.state.devices.get(device) != Some(&true) {
            return self.ask("a device sent data before it was born");
        }
        self.read(device, payload);
    }

    fn read(&mut self, device: &str, payload: Payload) {
        let sent = payload.timestamp.and_then(|t| i64::try_from(t).ok()).map_or(self.arrival, Time);
        let source = self.source(device);
        for metric in payload.metrics {
            let name = metric.name.as_deref().filter(|n| !n.is_empty());
            let (name, datatype) = match (name, metric.alias) {
                (Some(name), _) => {
                    let known = self.state.types.get(&(device.to_string(), name.to_string())).copied();
                    (name.to_string(), metric.datatype.or(known).unwrap_or_default())
                }
                (None, Some(alias)) => match self.state.aliases.get(&alias) {
                    Some((of, name, datatype)) if of == device => (name.clone(), metric.datatype.unwrap_or(*datatype)),
                    _ => {
                        self.ask(&format!("nobody said what the alias {alias} stands for"));
                        continue;
                    }
                },
                (None, None) => {
                    self.odd(format!("{source}: a metric has neither name nor alias"));
                    continue;
                }
            };
            // These are of the protocol, not of the building.
            if name == "bdSeq" || name.starts_with("Node Control/") || name.starts_with("Device Control/") {
                continue;
            }
            let code = code_of(&metric);
            let value = if metric.is_null == Some(true) { None } else { value_of(&metric, datatype) };
            if value.is_none() && metric.is_null != Some(true) && metric.value.is_some() {
                self.odd(format!("{source}/{name}: a value of this type is no number"));
                continue;
            }
            let mut quality = match code {
                // Those of OPC: 192 and above good, 256 uncertain, 512 bad; 0 bad and 500 stale are Sparkplug's own.
                192..=255 => Quality::Good,
                500 | 516 => Quality::BadStale,
                256..=499 | 64..=191 => Quality::UncertainLastKnown,
                522 => Quality::BadNotConnected,
                524 => Quality::BadRange,
                _ => Quality::BadSensor,
            };
            if value.is_none() {
                quality = quality.max(Quality::BadSensor);
            } else if metric.is_historical == Some(true) {
                quality = quality.max(Quality::GoodBackfill);
            }
            let time = metric.timestamp.and_then(|t| i64::try_from(t).ok()).map_or(sent, Time);
            self.said.push(Said::Reading(Reading { source: source.clone(), metric: name, time, value, quality, code }));
        }
    }
}

fn number_of(metric: &Metric) -> Option<u64> {
    match metric.value {
        Some(metric::Value::LongValue(v)) => Some(v),
        Some(metric::Value::IntValue(v)) => Some(u64::from(v)),
        _ => None,
    }
}

/// The source's quality: the property `Quality` (clause 6.4.14); good where there is none.
fn code_of(metric: &Metric) -> u32 {
    let Some(set) = &metric.properties else { return 192 };
    let at = set.keys.iter().position(|k| k == "Quality");
    match at.and_then(|i| set.values.get(i)).and_then(|v| v.value.as_ref()) {
        Some(property_value::Value::IntValue(v)) => *v,
        Some(property_value::Value::LongValue(v)) => u32::try_from(*v).unwrap_or(u32::MAX),
        _ => 192,
    }
}

/// A value as a number: integers by their type, as the two's complement that they travel in (clause 6.4.16).
fn value_of(metric: &Metric, datatype: u32) -> Option<f64> {
    let of = |t: DataType| datatype == t as u32;
    Some(match metric.value.as_ref()? {
        metric::Value::IntValue(v) if of(DataType::Int8) => f64::from(*v as u8 as i8),
        metric::Value::IntValue(v) if of(DataType::Int16) => f64::from(*v as u16 as i16),
        metric::Value::IntValue(v) if of(DataType::Int32) => f64::from(*v as i32),
        metric::Value::IntValue(v) => f64::from(*v),
        metric::Value::LongValue(v) if of(DataType::Int64) => *v as i64 as f64,
        metric::Value::LongValue(v) if of(DataType::Int32) => f64::from(*v as i32),
        metric::Value::LongValue(v) => *v as f64,
        // Shown with the decimals that a float has: 0.1 and not 0.10000000149.
        metric::Value::FloatValue(v) => v.to_string().parse().unwrap_or(f64::from(*v)),
        metric::Value::DoubleValue(v) => *v,
        metric::Value::BooleanValue(v) => f64::from(u8::from(*v)),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use srad_types::payload::{PropertySet, PropertyValue};

    fn metric(name: &str, alias: u64, value: metric::Value, datatype: DataType) -> Metric {
        Metric {
            name: (!name.is_empty()).then(|| name.into()),
            alias: (alias > 0).then_some(alias),
            datatype: (!name.is_empty()).then_some(datatype as u32),
            value: Some(value),
            ..Metric::default()
        }
    }

    fn payload(seq: Option<u64>, metrics: Vec<Metric>) -> Vec<u8> {
        Payload { timestamp: Some(1000), seq, metrics, ..Payload::default() }.encode_to_vec()
    }

    fn born() -> Host {
        let mut host = Host::new("plenum", Limits::default());
        let life = metric("bdSeq", 0, metric::Value::LongValue(4), DataType::UInt64);
        let pump = metric("Pump/Speed", 1, metric::Value::FloatValue(0.1), DataType::Float);
        let said = host.take("spBv1.0/site/NBIRTH/plc", &payload(Some(0), vec![life, pump]), Time(2000));
        assert_eq!(readings(&said), [("site/plc".to_string(), "Pump/Speed".to_string(), Some(0.1))]);
        let cold = metric("T", 2, metric::Value::IntValue(-5i16 as u16 as u32), DataType::Int16);
        let said = host.take("spBv1.0/site/DBIRTH/plc/ahu", &payload(Some(1), vec![cold]), Time(2000));
        assert_eq!(readings(&said), [("site/plc/ahu".to_string(), "T".to_string(), Some(-5.0))]);
        host
    }

    fn readings(said: &[Said]) -> Vec<(String, String, Option<f64>)> {
        let of = |s: &Said| match s {
            Said::Reading(r) => Some((r.source.clone(), r.metric.clone(), r.value)),
            _ => None,
        };
        said.iter().filter_map(of).collect()
    }

    fn asks(said: &[Said]) -> bool {
        said.iter().any(|s| matches!(s, Said::Publish { topic, .. } if topic == "spBv1.0/site/NCMD/plc"))
    }

    #[test]
    fn aliases_stand_for_names_and_sequences_are_followed() {
        let mut host = born();
        let by_alias = |v| metric("", 2, metric::Value::IntValue(v), DataType::Int16);
        let said = host.take("spBv1.0/site/DDATA/plc/ahu", &payload(Some(2), vec![by_alias(65_535)]), Time(3000));
        assert_eq!(readings(&said), [("site/plc/ahu".to_string(), "T".to_string(), Some(-1.0))]);
        assert!(!asks(&said));
        // Message 3 is missing: the value counts, and a birth is asked for; not twice within ten seconds.
        let said = host.take("spBv1.0/site/DDATA/plc/ahu", &payload(Some(4), vec![by_alias(7)]), Time(4000));
        assert!(asks(&said) && readings(&said).len() == 1, "{said:?}");
        let said = host.take("spBv1.0/site/DDATA/plc/ahu", &payload(Some(9), vec![by_alias(7)]), Time(5000));
        assert!(!asks(&said));
        let said = host.take(
            "spBv1.0/site/NDATA/plc",
            &payload(Some(10), vec![metric("", 99, metric::Value::IntValue(1), DataType::Int8)]),
            Time(60_000),
        );
        assert!(asks(&said) && readings(&said).is_empty());
        // 255 is followed by 0.
        let mut host = born();
        for seq in (2..=255).chain(0..3) {
            let said = host.take("spBv1.0/site/NDATA/plc", &payload(Some(seq), vec![]), Time(3000));
            assert!(said.is_empty(), "{seq} {said:?}");
        }
    }

    #[test]
    fn deaths_make_stale_but_not_those_of_another_life() {
        let mut host = born();
        let death = |life| payload(None, vec![metric("bdSeq", 0, metric::Value::LongValue(life), DataType::UInt64)]);
        assert!(host.take("spBv1.0/site/NDEATH/plc", &death(3), Time(9)).is_empty());
        assert_eq!(host.alive(), 1);
        let said = host.take("spBv1.0/site/DDEATH/plc/ahu", &payload(Some(2), vec![]), Time(8));
        assert_eq!(said, [Said::Stale { source: "site/plc/ahu".into(), at: Time(8) }]);
        let said = host.take("spBv1.0/site/DDATA/plc/ahu", &payload(Some(3), vec![]), Time(9));
        assert!(asks(&said), "a dead device speaks");
        let said = host.take("spBv1.0/site/NDEATH/plc", &death(4), Time(9));
        assert_eq!(said, [Said::Stale { source: "site/plc".into(), at: Time(9) }]);
        assert_eq!(host.alive(), 0);
        assert!(asks(&host.take("spBv1.0/site/NDATA/plc", &payload(Some(3), vec![]), Time(99_000))));
        let mut host = born();
        assert_eq!(host.lost(Time(5)).len(), 1);
        assert_eq!(host.alive(), 0);
    }

    #[test]
    fn qualities_nulls_and_times() {
        let mut host = born();
        let with = |code: u32| {
            let value =
                PropertyValue { value: Some(property_value::Value::IntValue(code)), ..PropertyValue::default() };
            let properties = Some(PropertySet { keys: vec!["Quality".into()], values: vec![value] });
            Metric {
                properties,
                timestamp: Some(77),
                ..metric("a", 0, metric::Value::DoubleValue(1.5), DataType::Double)
            }
        };
        let null = Metric { is_null: Some(true), value: None, ..with(192) };
        let old = Metric { is_historical: Some(true), ..with(192) };
        let text = metric("b", 0, metric::Value::StringValue("on".into()), DataType::String);
        let metrics = vec![with(192), with(0), with(500), with(300), with(524), null, old, text];
        let said = host.take("spBv1.0/site/NDATA/plc", &payload(Some(2), metrics), Time(3000));
        let got: Vec<(Quality, u32, Option<f64>, Time)> = said
            .iter()
            .filter_map(|s| if let Said::Reading(r) = s { Some((r.quality, r.code, r.value, r.time)) } else { None })
            .collect();
        let at = Time(77);
        assert_eq!(
            got,
            [
                (Quality::Good, 192, Some(1.5), at),
                (Quality::BadSensor, 0, Some(1.5), at),
                (Quality::BadStale, 500, Some(1.5), at),
                (Quality::UncertainLastKnown, 300, Some(1.5), at),
                (Quality::BadRange, 524, Some(1.5), at),
                (Quality::BadSensor, 192, None, at),
                (Quality::GoodBackfill, 192, Some(1.5), at),
            ]
        );
        assert!(said.iter().any(|s| matches!(s, Said::Odd(why) if why.contains("no number"))));
    }

    #[test]
    fn it_says_that_it_is_there_and_refuses_what_is_too_much() {
        let host = Host::new("plenum", Limits::default());
        let (topic, payload) = host.state(true, Time(5));
        assert_eq!(
            (topic.as_str(), payload.as_slice()),
            ("spBv1.0/STATE/plenum", br#"{"online":true,"timestamp":5}"#.as_slice())
        );
        let mut small = Host::new("plenum", Limits { nodes: 1, devices: 1, metrics: 1, payload_bytes: 60 });
        let two = vec![
            metric("a", 1, metric::Value::IntValue(1), DataType::Int8),
            metric("b", 2, metric::Value::IntValue(1), DataType::Int8),
        ];
        let odd = |said: Vec<Said>| said.into_iter().filter(|s| matches!(s, Said::Odd(_))).count();
        assert_eq!(odd(small.take("spBv1.0/g/NBIRTH/n", &super::tests::payload(Some(0), two), Time(0))), 1);
        assert_eq!(odd(small.take("spBv1.0/g/NBIRTH/m", &super::tests::payload(Some(0), vec![]), Time(0))), 1);
        assert_eq!(odd(small.take("spBv1.0/g/NBIRTH/n", &[0; 61], Time(0))), 1);
        assert_eq!(odd(small.take("spBv1.0/g/DBIRTH/n/x", &super::tests::payload(Some(1), vec![]), Time(0))), 0);
        assert_eq!(odd(small.take("spBv1.0/g/DBIRTH/n/y", &super::tests::payload(Some(2), vec![]), Time(0))), 1);
        for topic in ["spBv1.0", "other/g/NDATA/n", "spBv1.0/g/NDATA", "spBv1.0/g/XDATA/n", "spBv1.0/g/NDATA/n/d"] {
            assert_eq!(odd(small.take(topic, &[], Time(0))), 1, "{topic}");
        }
        assert!(small.take("spBv1.0/STATE/other", b"{}", Time(0)).is_empty());
    }

    proptest! {
        #[test]
        fn no_bytes_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200), kind in 0usize..6, device in any::<bool>()) {
            let mut host = born();
            let kind = ["NBIRTH", "NDEATH", "NDATA", "DBIRTH", "DDEATH", "DDATA"][kind];
            let topic = format!("spBv1.0/site/{kind}/plc{}", if device { "/ahu" } else { "" });
            let _ = host.take(&topic, &bytes, Time(1));
        }
    }
}
