//! A project brought to life: its broker, its subscription and, where asked, its emulated devices.

use super::emulate::wire;
use super::field::{Field, FieldSettings};
use super::interrupt::{self, interrupted};
use super::open::Opened;
use super::report::Samples;
use crate::problem::Problem;
use crate::simulation::emulator::InjectedFault;
use crate::telemetry::{self, Connection, ConnectionStatus};
use crate::twin::summary::Summary;
use crate::twin::wire_status::{Quarantined, WireStatus};
use std::time::{Duration, Instant};

/// What runs beside the twin. Dropping it ends the devices first, then the broker.
pub struct Live {
    field: Option<Field>,
    /// The way to the samples.
    pub connection: Connection,
    /// What will not arrive, or is not emulated.
    pub problems: Vec<Problem>,
    rate: Rate,
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
        let connection =
            telemetry::connect(&project.broker, &project.ingest, clock, &opened.site.points, &project.name)?;
        let mut problems = connection.problems.clone();
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
                        format!("no connection: {}", describe(&connection.subscriber.status())),
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
        Ok(Self { field, connection, problems, rate: Rate::default() })
    }

    /// How the wire is, for people to see.
    pub fn status(&mut self) -> WireStatus {
        let subscriber = &self.connection.subscriber;
        let (stats, status) = (subscriber.stats(), subscriber.status());
        WireStatus {
            broker: self.connection.broker.clone(),
            state: describe(&status),
            connected: matches!(status, ConnectionStatus::Connected { .. }),
            samples_per_s: self.rate.update(Instant::now(), stats.samples),
            rejected: stats.rejected,
            lost: stats.publishers.lost(),
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
        Samples::count(&self.connection.subscriber.stats(), summary, published)
    }

    /// Faults that were put in.
    pub fn faults(&self) -> Vec<InjectedFault> {
        self.field.as_ref().map(Field::faults).unwrap_or_default()
    }
}

/// A connection's state in words.
pub(super) fn describe(status: &ConnectionStatus) -> String {
    match status {
        ConnectionStatus::Connecting => "connecting".into(),
        ConnectionStatus::Connected { .. } => "connected".into(),
        ConnectionStatus::Lost { reason, .. } => format!("lost: {reason}"),
        ConnectionStatus::Refused { reason } => format!("refused: {reason}"),
    }
}
