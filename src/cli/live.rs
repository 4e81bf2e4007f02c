//! A project brought to life: its broker, its subscription and, where asked, its emulated devices.

use super::emulate::wire;
use super::field::{Field, FieldSettings};
use super::interrupt::{self, interrupted};
use super::open::Opened;
use super::record::{HistoryRow, Record};
use super::report::Samples;
use crate::problem::Problem;
use crate::simulation::emulator::InjectedFault;
use crate::site::Point;
use crate::telemetry::{self, Connection, ConnectionStatus};
use crate::twin::history::Recorder;
use crate::twin::replay::Recording;
use crate::twin::summary::Summary;
use crate::twin::telemetry::LastKnown;
use crate::twin::wire_status::{Quarantined, WireStatus};
use std::time::{Duration, Instant};

/// What runs beside the twin. Dropping it ends the devices first, then the broker.
pub struct Live {
    field: Option<Field>,
    /// The way to the samples.
    pub connection: Connection,
    /// The history, where one is kept; it ends when nothing more comes.
    record: Option<Record>,
    /// What it knew before, until the twin has it.
    known: Option<LastKnown>,
    /// What will not arrive, or is not emulated.
    pub problems: Vec<Problem>,
    rate: Rate,
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
        let connection =
            telemetry::connect_recorded(&project.broker, &project.ingest, clock, points, &project.name, recorded)?;
        problems.extend(connection.problems.iter().cloned());
        let mut known = None;
        if let Some(record) = &mut record {
            record.tell(&connection.address)?;
            match record.last_known(&connection.rewiring.declared(points)) {
                Ok(last) => known = Some(last),
                Err(problem) => problems.push(problem),
            }
        }
        let field = match emulate {
            None => None,
            Some(settings) => {
                let deadline = Instant::now() + Duration::from_secs(10);
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
        Ok(Self { field, connection, record, known, problems, rate: Rate::default(), overflow: (0, None) })
    }

    /// How the wire is, for people to see.
    pub fn status(&mut self) -> WireStatus {
        let subscriber = &self.connection.subscriber;
        let (stats, status) = (subscriber.stats(), subscriber.status());
        let dropped = stats.overflow + stats.skipped;
        if dropped > self.overflow.0 {
            self.overflow = (dropped, Some(Instant::now()));
        }
        let behind = self.overflow.1.is_some_and(|t| t.elapsed() < SHOWN);
        let mut state = status.to_string();
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
            connected: matches!(status, ConnectionStatus::Connected { .. }),
            samples_per_s: self.rate.update(Instant::now(), stats.samples),
            rejected: stats.rejected,
            lost: stats.lost(),
            quarantine: subscriber
                .quarantine()
                .last()
                .map(|r| Quarantined {
                    arrival: r.when,
                    topic: r.topic.clone(),
                    reason: r.reason.text().to_owned(),
                    payload: r.text(),
                })
                .collect(),
            unmatched: subscriber.unmatched().examples().to_vec(),
        }
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
        let wire = self.connection.subscriber.stats();
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
    }

    /// What went wrong between the wire and the twin.
    pub fn wire_problems(&self) -> Vec<Problem> {
        let stats = self.connection.subscriber.stats();
        let mut problems = self.record.as_ref().map(Record::problems).unwrap_or_default();
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

    /// Faults that were put in.
    pub fn faults(&self) -> Vec<InjectedFault> {
        self.field.as_ref().map(Field::faults).unwrap_or_default()
    }
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
