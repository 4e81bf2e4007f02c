//! Several brokers as one: each has its own connection and counts, and all bring samples to one twin.

use super::{ConnectionStatus, Subscriber};
use crate::telemetry::inspect::Inspection;
use crate::telemetry::intake::WireStats;
use crate::telemetry::quarantine::Quarantine;
use crate::telemetry::topics::Unmatched;
use std::time::{Duration, Instant};

/// The subscriptions of a project, one for each of its brokers.
pub struct Subscribers {
    all: Vec<Named>,
}

struct Named {
    name: String,
    label: String,
    subscriber: Subscriber,
}

/// How it is with one broker.
#[derive(Clone, Debug)]
pub struct Line {
    /// Its name in the project.
    pub name: String,
    /// `embedded 127.0.0.1:PORT` or its URL.
    pub broker: String,
    /// The connection.
    pub status: ConnectionStatus,
    /// What it grants less of than was asked for.
    pub note: Option<String>,
    /// What came from it, counted.
    pub stats: WireStats,
}

impl Line {
    /// True while it is connected and subscribed.
    pub fn is_connected(&self) -> bool {
        matches!(self.status, ConnectionStatus::Connected { .. })
    }
}

impl Subscribers {
    /// None yet.
    pub(in crate::telemetry) fn new() -> Self {
        Self { all: Vec::new() }
    }

    /// One more: the broker's name in the project, and what it is called else.
    pub(in crate::telemetry) fn push(&mut self, name: String, label: String, subscriber: Subscriber) {
        self.all.push(Named { name, label, subscriber });
    }

    /// Each broker, in the order of the project.
    pub fn lines(&self) -> Vec<Line> {
        let line = |n: &Named| Line {
            name: n.name.clone(),
            broker: n.label.clone(),
            status: n.subscriber.status(),
            note: n.subscriber.note(),
            stats: n.subscriber.stats(),
        };
        self.all.iter().map(line).collect()
    }

    /// How each connection is, with the name of its broker.
    pub fn states(&self) -> Vec<(&str, ConnectionStatus)> {
        self.all.iter().map(|n| (n.name.as_str(), n.subscriber.status())).collect()
    }

    /// How the connections are: connected when all are; of several, the first that is not, with its name.
    pub fn status(&self) -> ConnectionStatus {
        let mut latest = None;
        for one in &self.all {
            let named = |reason: String| if self.all.len() > 1 { format!("{}: {reason}", one.name) } else { reason };
            match one.subscriber.status() {
                ConnectionStatus::Connected { since } => latest = latest.max(Some(since)),
                ConnectionStatus::Connecting => return ConnectionStatus::Connecting,
                ConnectionStatus::Lost { since, reason } => {
                    return ConnectionStatus::Lost { since, reason: named(reason) };
                }
                ConnectionStatus::Refused { reason } => return ConnectionStatus::Refused { reason: named(reason) },
            }
        }
        latest.map_or(ConnectionStatus::Connecting, |since| ConnectionStatus::Connected { since })
    }

    /// True while at least one broker brings samples.
    pub fn is_any_connected(&self) -> bool {
        self.all.iter().any(|n| matches!(n.subscriber.status(), ConnectionStatus::Connected { .. }))
    }

    /// Waits until all are connected and subscribed, at most `timeout`; true when they are.
    pub fn wait_connected(&self, timeout: Duration) -> bool {
        let deadline = Instant::now() + timeout;
        self.all.iter().all(|n| n.subscriber.wait_connected(deadline.saturating_duration_since(Instant::now())))
    }

    /// What came, counted over all brokers.
    pub fn stats(&self) -> WireStats {
        let mut sum = WireStats::default();
        self.all.iter().for_each(|n| sum.add(&n.subscriber.stats()));
        sum
    }

    /// What could not be read.
    pub fn quarantine(&self) -> Quarantine {
        let mut sum = Quarantine::default();
        self.all.iter().for_each(|n| sum.add(&n.subscriber.quarantine()));
        sum
    }

    /// From now on every topic is taken note of, or no more.
    pub fn inspect(&self, on: bool) {
        self.all.iter().for_each(|n| n.subscriber.inspect(on));
    }

    /// What is on the wires; none while nobody asked for it with [`Self::inspect`].
    pub fn inspection(&self) -> Option<Inspection> {
        let seen = self.all.iter().filter_map(|n| n.subscriber.inspection());
        seen.reduce(|mut sum, more| {
            sum.add(more);
            sum
        })
    }

    /// Topics and keys that no point is bound to.
    pub fn unmatched(&self) -> Unmatched {
        let mut sum = Unmatched::default();
        self.all.iter().for_each(|n| sum.add(&n.subscriber.unmatched()));
        sum
    }

    /// Ends all connections, and waits for their threads. The brokers keep the sessions.
    pub fn stop(&mut self) {
        self.all.iter_mut().for_each(|n| n.subscriber.stop());
    }
}
