//! A project brought to life: its broker, its subscription and, where asked, its emulated devices.

use super::emulate::wire;
use super::field::{Field, FieldSettings};
use super::interrupt::{self, interrupted};
use super::open::Opened;
use super::record::{HistoryRow, Record};
use super::report::{BrokerRow, Samples};
use crate::problem::Problem;
use crate::simulation::emulator::InjectedFault;
use crate::site::project::PayloadShape;
use crate::site::unit::Unit;
use crate::site::{Point, PointIndex, PointSource};
use crate::telemetry::inspect::Seen;
use crate::telemetry::sparkplug::NAMESPACE;
use crate::telemetry::topics::filter_matches;
use crate::telemetry::{self, Connection, WireStats, payload};
use crate::twin::history::Recorder;
use crate::twin::publish::Outlet;
use crate::twin::replay::Recording;
use crate::twin::summary::Summary;
use crate::twin::telemetry::LastKnown;
use crate::twin::wire_status::{Quarantined, Topic, TopicKey, Topics, WireStatus};
use std::collections::HashMap;
use std::time::{Duration, Instant};

/// What runs beside the twin. Dropping it ends the devices first, then the broker.
pub struct Live {
    field: Option<Field>,
    /// The way to the samples.
    pub connection: Connection,
    /// The history, where one is kept; it ends when nothing more comes.
    record: Option<Record>,
    /// What the twin tells others goes out here, where the project asks for it.
    outlet: Option<Outlet>,
    /// What it knew before, until the twin has it.
    known: Option<LastKnown>,
    /// What will not arrive, or is not emulated.
    pub problems: Vec<Problem>,
    rate: Rate,
    /// How payloads of other shapes are read.
    payloads: Vec<PayloadShape>,
    /// Samples dropped as last seen, and when that last changed.
    overflow: (u64, Option<Instant>),
}

/// What runs beside the twin of an app that holds it itself.
#[derive(bevy::prelude::Resource)]
pub struct Connected(pub Live);

/// At the end of a run: nothing has moved for so long, so nothing more will.
pub(super) const QUIET: Duration = Duration::from_millis(700);
/// How long a wire that moves is waited for at most.
const DRAIN: Duration = Duration::from_secs(5);
/// How long a broker is waited for when the twin says good-bye.
const GOOD_BYE: Duration = Duration::from_secs(2);
/// How long a state is shown that would be over before anybody could read it.
const SHOWN: Duration = Duration::from_secs(10);

/// Whether to wait on for what is on its way: as long as the connection is there and something comes.
pub struct Settling {
    began: Instant,
    moved: Instant,
    waiting: u64,
}

impl Settling {
    /// The devices have stopped now.
    pub fn new(now: Instant) -> Self {
        Self { began: now, moved: now, waiting: u64::MAX }
    }

    /// `waiting` samples are still on their way.
    pub fn goes_on(&mut self, now: Instant, connected: bool, waiting: u64) -> bool {
        if waiting != self.waiting {
            (self.moved, self.waiting) = (now, waiting);
        }
        let since = |then: Instant| now.saturating_duration_since(then);
        connected && waiting > 0 && since(self.moved) < QUIET && since(self.began) < DRAIN
    }
}

/// Samples a second, from counts at two moments.
#[derive(Default)]
struct Rate {
    before: Option<(Instant, u64)>,
    per_s: f64,
}

impl Rate {
    fn update(&mut self, now: Instant, count: u64) -> f64 {
        match self.before {
            None => self.before = Some((now, count)),
            Some((at, before)) if now.duration_since(at) >= Duration::from_secs(1) => {
                self.per_s = (count.saturating_sub(before)) as f64 / now.duration_since(at).as_secs_f64();
                self.before = Some((now, count));
            }
            Some(_) => {}
        }
        self.per_s
    }
}

impl Live {
    /// Connects to the project's broker (starting the embedded one) and starts the emulated devices.
    ///
    /// # Errors
    /// The broker cannot be started or reached by the devices, a secret cannot be read, or a fault
    /// names an asset that cannot have it.
    pub fn start(opened: &Opened, emulate: Option<FieldSettings>) -> Result<Self, Problem> {
        let project = &opened.project;
        let clock = project.clock_topic.as_deref();
        let mut problems = Vec::new();
        let mut record = Record::start(project, &opened.site, emulate.is_some(), &mut problems)?;
        let recorded = record.as_ref().map(|r| r.recorded(project));
        let points = &opened.site.points;
        let mut ingest = project.ingest.clone();
        if record.as_ref().is_some_and(|r| r.row().temporary) {
            // What was read is gone with this run.
            ingest.positions = None;
        }
        let brokers: Vec<_> = project.brokers().collect();
        let connection = telemetry::connect_brokers(&brokers, &ingest, clock, points, &project.name, recorded)?;
        problems.extend(connection.problems.iter().cloned());
        let mut known = None;
        if let Some(record) = &mut record {
            record.tell(&connection.addresses)?;
            match record.last_known(&connection.rewiring.declared(points)) {
                Ok(last) => known = Some(last),
                Err(problem) => problems.push(problem),
            }
        }
        if let Some(files) = &connection.files {
            // A history that knows nothing has nothing of what was read before, either.
            files.begin(known.as_ref().is_some_and(|k| k.latest.iter().all(Option::is_none)));
        }
        let outlet = match &project.publish {
            Some(publish) => {
                let client = format!("{}-says", telemetry::client_id(&project.name));
                Some(Outlet::start(&connection.address, &client, publish.clone())?)
            }
            None => None,
        };
        let field = match emulate {
            None => None,
            Some(settings) => {
                let deadline = Instant::now() + Duration::from_secs(10);
                // The devices publish to the first broker.
                while !connection.subscriber.wait_connected(Duration::from_millis(100)) {
                    if interrupted() {
                        return Err(interrupt::stopped(connection.broker.clone()));
                    }
                    if Instant::now() < deadline {
                        continue;
                    }
                    return Err(Problem::error(
                        connection.broker.clone(),
                        format!("no connection: {}", connection.subscriber.status()),
                        "check [broker] in twin.toml, and that the broker runs",
                    ));
                }
                let client = format!("{}-field-{}", telemetry::client_id(&project.name), std::process::id());
                let (publish, _) = wire(&connection.address, &client)?;
                let field = Field::start(opened.site.clone(), settings, publish)?;
                problems.extend(field.problems());
                Some(field)
            }
        };
        let payloads = project.ingest.payloads.clone();
        let (rate, overflow) = (Rate::default(), (0, None));
        Ok(Self { field, connection, record, outlet, known, problems, rate, payloads, overflow })
    }

    /// How the wire is, for people to see.
    pub fn status(&mut self) -> WireStatus {
        let subscriber = &self.connection.subscriber;
        let (stats, status) = (self.wire(), subscriber.status());
        let dropped = stats.overflow + stats.skipped;
        if dropped > self.overflow.0 {
            self.overflow = (dropped, Some(Instant::now()));
        }
        let behind = self.overflow.1.is_some_and(|t| t.elapsed() < SHOWN);
        let mut state = match subscriber.states().as_slice() {
            [_] | [] => status.to_string(),
            several => {
                let said: Vec<String> = several.iter().map(|(name, how)| format!("{name} {how}")).collect();
                said.join(", ")
            }
        };
        if behind {
            state.push_str(if self.record.is_some() {
                "; the twin is too far behind and skips samples, the history has them"
            } else {
                "; samples are dropped, the twin is too far behind"
            });
        }
        if let Some((_, error)) = self.record.as_ref().and_then(|r| r.status().failing) {
            state.push_str(&format!("; the history keeps nothing: {}", error.message));
        }
        WireStatus {
            broker: self.connection.broker.clone(),
            state,
            connected: subscriber.is_any_connected(),
            samples_per_s: self.rate.update(Instant::now(), stats.samples),
            rejected: stats.rejected,
            lost: stats.lost(),
            quarantine: [Some(subscriber.quarantine()), self.connection.files.as_ref().map(|f| f.quarantine())]
                .iter()
                .flatten()
                .flat_map(|q| q.last())
                .map(|r| Quarantined {
                    arrival: r.when,
                    topic: r.topic.clone(),
                    reason: r.reason.text().to_owned(),
                    payload: r.text(),
                })
                .collect(),
            unmatched: [Some(subscriber.unmatched()), self.connection.files.as_ref().map(|f| f.unmatched())]
                .iter()
                .flatten()
                .flat_map(|u| u.examples().to_vec())
                .collect(),
        }
    }

    /// Begins to take note of every topic, or ends it.
    pub fn inspect(&self, on: bool) {
        self.connection.subscriber.inspect(on);
    }

    /// What comes on the wire since [`Self::inspect`], and which points of the site it feeds.
    pub fn topics(&self, points: &[Point]) -> Topics {
        let Some(inspection) = self.connection.subscriber.inspection() else { return Topics::default() };
        let mut fed: HashMap<(&str, &str), PointIndex> = HashMap::new();
        for (index, point) in (0u32..).map(PointIndex).zip(points) {
            if let PointSource::Topic { topic, key, .. } = &point.source {
                fed.insert((topic, key), index);
            }
        }
        let now = telemetry::wall_clock();
        let row = |(name, seen): (&str, &Seen)| Topic {
            name: name.to_owned(),
            messages: seen.messages,
            per_s: seen.rate(now),
            last: seen.last,
            length: seen.length,
            payload: shown(name, &seen.payload),
            keys: self.keys(name, &seen.payload, &fed),
        };
        let mut rows: Vec<Topic> = inspection.topics().map(row).collect();
        rows.sort_by(|a, b| a.name.cmp(&b.name));
        Topics { on: true, rows, untold: inspection.untold() }
    }

    fn keys(&self, topic: &str, payload: &[u8], fed: &HashMap<(&str, &str), PointIndex>) -> Vec<TopicKey> {
        if topic.starts_with(NAMESPACE) {
            return Vec::new();
        }
        let shape = self.payloads.iter().find(|s| filter_matches(&s.topic, topic));
        let key = |(key, unit): (String, Option<Unit>)| {
            let point = fed.get(&(topic, key.as_str())).copied();
            TopicKey { key, unit: unit.map(|u| u.code), point }
        };
        payload::keys(topic, payload, shape).into_iter().map(key).collect()
    }

    /// Ends the devices; what they published is still on its way. Does nothing the second time.
    pub fn stop_devices(&mut self) {
        if let Some(field) = &mut self.field {
            field.stop();
        }
    }

    /// Samples that the emulated devices published and the twin has not heard of.
    pub fn outstanding(&self) -> u64 {
        let Some(field) = &self.field else { return 0 };
        let heard = self.connection.subscriber.stats().publishers.get(field.publisher()).map_or(0, |p| p.next);
        field.samples().saturating_sub(heard)
    }

    /// Samples, counted from end to end.
    pub fn samples(&self, summary: &Summary) -> Samples {
        let published = self.field.as_ref().map(|f| (f.publisher(), f.samples()));
        let wire = self.wire();
        let stored = self.record.as_ref().map(|r| r.status().stored.saturating_sub(wire.repeated));
        Samples { stored, ..Samples::count(&wire, summary, published) }
    }

    /// The history, where one is kept.
    pub fn history(&self) -> Option<HistoryRow> {
        self.record.as_ref().map(Record::row)
    }

    /// The way to the history for the twin of a site with these points.
    pub fn recorder(&self, points: &[Point]) -> Option<Recorder> {
        self.record.as_ref().map(|r| r.recorder(self.connection.rewiring.declared(points)))
    }

    /// The way out for what the twin tells others.
    pub fn outlet(&self) -> Option<Outlet> {
        self.outlet.clone()
    }

    /// What came over the wire and out of files, counted.
    fn wire(&self) -> WireStats {
        let mut wire = self.connection.subscriber.stats();
        if let Some(files) = &self.connection.files {
            wire.add(&files.stats());
        }
        wire
    }

    /// The way to read the history.
    pub fn recording(&self) -> Option<Recording> {
        self.record.as_ref().map(Record::recording)
    }

    /// What the history knew before, once.
    pub fn take_known(&mut self) -> Option<LastKnown> {
        self.known.take()
    }

    /// Commits all that has come.
    pub fn finish_history(&self) {
        if let Some(record) = &self.record {
            record.finish();
        }
        if let Some(files) = &self.connection.files {
            files.settle();
        }
        if let Some(outlet) = &self.outlet {
            outlet.finish(GOOD_BYE);
        }
    }

    /// What went wrong between the wire and the twin.
    pub fn wire_problems(&self) -> Vec<Problem> {
        let stats = self.wire();
        let mut problems = self.record.as_ref().map(Record::problems).unwrap_or_default();
        problems.extend(self.connection.files.iter().flat_map(|f| f.problems()));
        problems.extend(self.connection.subscriber.lines().into_iter().filter_map(|line| {
            let remedy = "raise the limit there (mosquitto: persistent_client_expiration), or lower session_expiry_s";
            Some(Problem::warning(line.broker, line.note?, remedy))
        }));
        if stats.queue_full == 0 {
            return problems;
        }
        let became = match (stats.overflow, stats.skipped) {
            (0, 0) => "the broker had to wait".to_owned(),
            (0, n) => format!("it did not see the oldest {n} samples; the history has them"),
            (n, _) => format!("the oldest {n} samples were dropped"),
        };
        problems.push(Problem::warning(
            self.connection.broker.clone(),
            format!("the twin fell so far behind that its queue was full {} times: {became}", stats.queue_full),
            "raise `queue` under [ingest] in twin.toml, or send less often",
        ));
        problems
    }

    /// Each broker by itself.
    pub fn brokers(&self) -> Vec<BrokerRow> {
        self.connection.subscriber.lines().into_iter().map(BrokerRow::from).collect()
    }

    /// Faults that were put in.
    pub fn faults(&self) -> Vec<InjectedFault> {
        self.field.as_ref().map(Field::faults).unwrap_or_default()
    }
}

/// A payload as text: JSON in lines, what is no text as bytes.
fn shown(topic: &str, payload: &[u8]) -> String {
    if topic.starts_with(NAMESPACE) && !topic.contains("/STATE") {
        return format!("Sparkplug B, {} bytes", payload.len());
    }
    let lines = serde_json::from_slice::<serde_json::Value>(payload).and_then(|v| serde_json::to_string_pretty(&v));
    lines.unwrap_or_else(|_| String::from_utf8_lossy(payload).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_on_its_way_is_waited_for_only_while_it_comes() {
        let begin = Instant::now();
        let after = |ms| begin + Duration::from_millis(ms);
        let mut away = Settling::new(begin);
        assert!(!away.goes_on(begin, false, 1000), "the connection is away");
        let mut done = Settling::new(begin);
        assert!(done.goes_on(after(1), true, 10) && !done.goes_on(after(2), true, 0));
        let mut stuck = Settling::new(begin);
        assert!(stuck.goes_on(after(100), true, 10) && stuck.goes_on(after(700), true, 10));
        assert!(!stuck.goes_on(after(801), true, 10), "nothing has come for a while");
        let mut slow = Settling::new(begin);
        let waits = (0..1000).take_while(|i| slow.goes_on(after(i * 100), true, 5000 - i)).count();
        assert_eq!(waits, 50, "it comes, but there is an end");
    }
}
