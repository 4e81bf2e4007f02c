//! A gateway without a clock and without sockets: readings in, messages out, confirmations in.

#[cfg(test)]
mod tests;

use super::aggregate::{Aggregated, Aggregator, Rule};
use super::config::{self, Config};
use super::device::Reading;
use super::dispatch::{Counts, Dispatch};
use super::health::{self, DeviceHealth};
use super::record::{self, Part};
use super::spool::Spool;
use crate::quality::Quality;
use crate::telemetry::receipts::{self, Receipt};
use crate::time::Time;
use std::collections::BTreeMap;
use std::io;

/// A reading that is as bad as the last one is published so seldom, seconds.
const BAD_AGAIN_S: f64 = 600.0;
/// Values in one record, at the most.
const TOGETHER: usize = 500;

/// A message to publish.
#[derive(Clone, Debug, PartialEq)]
pub struct Outbound {
    /// Whose confirmation is waited for.
    pub number: u64,
    /// How many samples are in it.
    pub samples: u32,
    /// It comes late.
    pub backlog: bool,
    /// Where.
    pub topic: String,
    /// What.
    pub payload: Vec<u8>,
}

/// A point at work.
struct PointState {
    aggregator: Aggregator,
    /// Since when it has been as bad as this, for the last time that it was said.
    bad: Option<(Quality, Option<String>, Time)>,
    /// The device's last word.
    code: Option<String>,
}

/// A device at work.
struct DeviceState {
    points: Vec<PointState>,
    health: DeviceHealth,
}

/// A gateway without a clock and without sockets.
pub struct Core {
    config: Config,
    /// What it is called in payloads and on receipts: its id and the spool's name.
    publisher: String,
    devices: Vec<DeviceState>,
    /// The spool, and what is on its way.
    pub dispatch: Dispatch,
    /// Readings, good and bad, since it started.
    pub read: u64,
    /// Receipts that could not be read.
    pub bad_receipts: u64,
    started: Time,
}

impl Core {
    /// Nothing read yet.
    pub fn new(config: Config, spool: Spool, now: Time) -> Self {
        let publisher = format!("{}-{}", config.id, spool.name());
        let point = |p: &config::Point| PointState { aggregator: Aggregator::new(p.rule), bad: None, code: None };
        let devices = config
            .devices
            .iter()
            .map(|d| DeviceState { points: d.points.iter().map(point).collect(), health: DeviceHealth::default() })
            .collect();
        let dispatch = Dispatch::new(spool, config.pace, config.when_full, config.historian);
        Self { config, publisher, devices, dispatch, read: 0, bad_receipts: 0, started: now }
    }

    /// What the gateway's file states.
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// What it is called in payloads and on receipts.
    pub fn publisher(&self) -> &str {
        &self.publisher
    }

    /// When it started.
    pub fn started(&self) -> Time {
        self.started
    }

    /// The topic of its receipts.
    pub fn receipts_topic(&self) -> String {
        receipts::topic(&self.config.receipts, &self.publisher)
    }

    /// How each device is, in the order of the file.
    pub fn health(&self) -> impl Iterator<Item = (&config::Device, &DeviceHealth)> {
        self.config.devices.iter().zip(self.devices.iter().map(|d| &d.health))
    }

    /// What has become of the samples.
    pub fn counts(&self) -> Counts {
        self.dispatch.counts
    }

    /// A device has answered.
    pub fn readings(&mut self, device: usize, readings: Vec<Reading>, at: Time) {
        let Some((config, state)) = self.config.devices.get(device).zip(self.devices.get_mut(device)) else { return };
        let errors = readings.iter().filter(|r| r.quality.is_bad());
        let last_error = errors.clone().next_back().and_then(|r| r.code.clone());
        state.health.answered(at, readings.len() as u64, errors.count() as u64, last_error);
        self.read += readings.len() as u64;
        let mut samples = Vec::new();
        for reading in readings {
            let Some((point, state)) = config.points.get(reading.point).zip(state.points.get_mut(reading.point)) else {
                continue;
            };
            if reading.quality.is_bad() {
                let again = state.bad.as_ref().is_some_and(|(quality, code, since)| {
                    *quality == reading.quality && *code == reading.code && at.seconds_since(*since) < BAD_AGAIN_S
                });
                if again && point.rule == Rule::Every {
                    continue;
                }
                state.bad = Some((reading.quality, reading.code.clone(), at));
            } else {
                state.bad = None;
            }
            state.code.clone_from(&reading.code);
            let value = reading.value * point.scale + point.offset;
            samples.extend(state.aggregator.take(at, value, reading.quality).map(|s| (reading.point, s)));
        }
        self.keep(device, samples, at);
    }

    /// A device does not answer.
    pub fn gone(&mut self, device: usize, reason: &str, at: Time) {
        let Some(state) = self.devices.get_mut(device) else { return };
        let was_gone = state.health.gone(at, reason);
        if was_gone {
            return;
        }
        let mut samples = Vec::new();
        for (i, point) in state.points.iter_mut().enumerate() {
            point.code = Some(reason.to_owned());
            let given = point.aggregator.take(at, f64::NAN, Quality::BadNotConnected);
            point.bad = Some((Quality::BadNotConnected, Some(reason.to_owned()), at));
            samples.extend(given.map(|s| (i, s)));
        }
        self.keep(device, samples, at);
    }

    /// Closes the periods that are over.
    pub fn tick(&mut self, now: Time) {
        for device in 0..self.devices.len() {
            let Some(state) = self.devices.get_mut(device) else { continue };
            let points = state.points.iter_mut().enumerate();
            let samples: Vec<_> = points.filter_map(|(i, p)| Some((i, p.aggregator.tick(now)?))).collect();
            self.keep(device, samples, now);
        }
    }

    /// Puts samples into the spool: what goes to one topic for one moment with one quality goes together.
    fn keep(&mut self, device: usize, samples: Vec<(usize, Aggregated)>, now: Time) {
        let Some((config, state)) = self.config.devices.get(device).zip(self.devices.get(device)) else { return };
        if samples.is_empty() {
            return;
        }
        type Group<'a> = (Time, &'a str, Quality, Option<&'a str>);
        let mut groups: BTreeMap<Group<'_>, Vec<(usize, Aggregated)>> = BTreeMap::new();
        for (i, sample) in samples {
            let Some((point, state)) = config.points.get(i).zip(state.points.get(i)) else { continue };
            let code = state.code.as_deref().filter(|_| sample.quality != Quality::Good);
            groups.entry((sample.time, &point.topic, sample.quality, code)).or_default().push((i, sample));
        }
        for ((_, topic, _, code), members) in groups {
            let part = |(i, sample): &(usize, Aggregated)| {
                let point = config.points.get(*i)?;
                Some(Part { key: &point.key, unit: point.unit.code, value: sample.value })
            };
            let keyless = |(i, _): &(usize, Aggregated)| config.points.get(*i).is_some_and(|p| p.key.is_empty());
            let (alone, together): (Vec<_>, Vec<_>) = members.into_iter().partition(keyless);
            for chunk in alone.chunks(1).chain(together.chunks(TOGETHER)) {
                let Some((_, first)) = chunk.first() else { continue };
                let parts: Vec<Part<'_>> = chunk.iter().filter_map(part).collect();
                let record = record::encode(topic, first, code, &parts);
                if let Err(e) = self.dispatch.take(&record, parts.len() as u32, now) {
                    tracing::debug!("{} samples on `{topic}` were lost: {e}", parts.len());
                }
            }
        }
    }

    /// What to publish now.
    ///
    /// # Errors
    /// The spool cannot be read.
    pub fn next(&mut self, now: Time) -> io::Result<Vec<Outbound>> {
        let outgoing = self.dispatch.next(now)?;
        let mut out = Vec::with_capacity(outgoing.len());
        for o in outgoing {
            match record::message(&o.record, &self.publisher, o.number) {
                Some((topic, payload)) => {
                    out.push(Outbound { number: o.number, samples: o.samples, backlog: o.backlog, topic, payload });
                }
                // Somebody else's: nobody could take it.
                None => self.dispatch.broker_refuses(o.number),
            }
        }
        Ok(out)
    }

    /// The moment of the oldest sample that is not confirmed.
    pub fn oldest(&self) -> Option<Time> {
        let record = self.dispatch.spool().read(self.dispatch.spool().first(), 1, 1).ok()?.pop()?;
        let (_, payload) = record::message(&record.bytes, "", 0)?;
        let object: serde_json::Value = serde_json::from_slice(&payload).ok()?;
        Time::parse(object.get("ts")?.as_str()?)
    }

    /// What there is to say of devices that have changed, or of all of them: topic and payload.
    pub fn device_news(&mut self, all: bool, now: Time) -> Vec<(String, Vec<u8>)> {
        let devices = self.config.devices.iter().zip(&mut self.devices);
        let news = devices.filter(|(_, state)| all || state.health.changed).map(|(device, state)| {
            state.health.changed = false;
            let document = health::device_document(device, &state.health, now);
            (health::device_topic(&self.config, device), document.to_string().into_bytes())
        });
        news.collect()
    }

    /// The historian says what it has.
    pub fn receipt(&mut self, payload: &[u8]) {
        match Receipt::parse(payload) {
            Ok(receipt) if receipt.publisher == self.publisher => {
                receipt.ranges.iter().for_each(|[from, to]| self.dispatch.historian_has(from, to));
            }
            Ok(_) => {}
            Err(e) => {
                self.bad_receipts += 1;
                tracing::debug!("a receipt that cannot be read: {e}");
            }
        }
    }
}
