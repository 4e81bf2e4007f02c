//! What comes in: a subscription that lives until it is stopped, over any number of connections.

use super::client::{Client, Record};
use super::{Address, ConnectionStatus, Stop, Worker, lock, wait_connected};
use crate::problem::Problem;
use crate::site::project::{Ingest, Qos};
use crate::telemetry::checks::Known;
use crate::telemetry::historian::{Declared, Inlet};
use crate::telemetry::inspect::Inspection;
use crate::telemetry::intake::{Intake, WireStats};
use crate::telemetry::quarantine::Quarantine;
use crate::telemetry::queue::Entrance;
use crate::telemetry::sequence::Publishers;
use crate::telemetry::topics::{TopicMap, Unmatched, is_filter, without_overlaps};
use crate::time::Time;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

/// The longest packet read at all, bytes. What is longer than the project allows but not than this is
/// counted and set aside; beyond it the connection has to be dropped.
pub const MAX_PACKET: usize = 16 << 20;

/// What to subscribe to and where samples go.
#[derive(Clone)]
pub struct Subscription {
    /// The MQTT client id: always the same for a project, so that the broker keeps what comes while
    /// the connection is away. Two clients with one id throw each other out.
    pub client_id: String,
    /// Topic filters; overlapping ones are merged.
    pub filters: Vec<String>,
    /// The group of clients that share what comes on these filters: each message goes to one of them.
    pub share: Option<String>,
    /// Topic filters that are never shared: every twin has to hear all of what comes on them.
    pub own: Vec<String>,
    /// What topics mean.
    pub meaning: Meaning,
    /// What the wire may bring.
    pub ingest: Ingest,
    /// Where samples go.
    pub queue: Entrance,
    /// Where there is a history, the way to it.
    pub recording: Option<Recording>,
    /// The site's clock, which may be heard on another broker.
    pub clock: SiteClock,
}

/// The site's clock as it was last heard, on whichever broker it comes.
#[derive(Clone, Debug)]
pub struct SiteClock(Arc<AtomicI64>);

impl Default for SiteClock {
    fn default() -> Self {
        Self(Arc::new(AtomicI64::new(Self::NEVER)))
    }
}

impl SiteClock {
    const NEVER: i64 = i64::MIN;

    /// What it says; none before it was heard.
    pub(super) fn get(&self) -> Option<Time> {
        Some(self.0.load(Ordering::Relaxed)).filter(|ms| *ms != Self::NEVER).map(Time)
    }

    pub(super) fn set(&self, time: Time) {
        self.0.store(time.0, Ordering::Relaxed);
    }
}

/// What topics mean: which points come on them, what is known of those, and how the history knows them.
#[derive(Clone, Debug, Default)]
pub struct Meaning {
    /// From topics and keys to points.
    pub topics: Arc<TopicMap>,
    /// What samples of a point should be like, by its number.
    pub known: Arc<[Known]>,
    /// The points for the history, by their numbers.
    pub declared: Arc<Declared>,
}

/// The way to a history.
#[derive(Clone)]
pub struct Recording {
    /// The historian.
    pub inlet: Inlet,
    /// Below this topic it tells publishers what is kept; what comes back of that is no telemetry.
    pub receipts: String,
}

/// A subscription that lives until it is stopped or dropped.
pub struct Subscriber {
    shared: Arc<Shared>,
    worker: Worker,
    /// It gets a part only of what is published.
    is_shared: bool,
}

/// What the thread and those who ask have in common.
pub(super) struct Shared {
    pub(super) status: Mutex<ConnectionStatus>,
    pub(super) changed: Condvar,
    pub(super) intake: Mutex<Intake>,
    /// What topics mean from the next message on, and where its samples go.
    pub(super) next: Mutex<Option<(Meaning, Entrance)>>,
    /// What the broker grants less of than was asked for.
    pub(super) note: Mutex<Option<String>>,
}

/// Tells a subscription, while it goes on, that topics mean something else now.
#[derive(Clone)]
pub struct Rewire {
    shared: Arc<Shared>,
}

impl Rewire {
    /// From the next message on topics mean what `meaning` says, and samples go into `queue`. What was read before went
    /// into the queue before: that one ends once nothing more comes into it, and no message falls between the two.
    pub fn to(&self, meaning: Meaning, queue: Entrance) {
        *lock(&self.shared.next) = Some((meaning, queue));
    }
}

impl Subscriber {
    /// Starts to connect, and returns at once.
    ///
    /// # Errors
    /// A filter is none, or the system gives no thread.
    pub fn start(address: Address, subscription: Subscription) -> Result<Self, Problem> {
        let place = "[broker] subscribe";
        if let Some(bad) = subscription.filters.iter().chain(&subscription.own).find(|f| !is_filter(f)) {
            return Err(Problem::error(
                place,
                format!("`{bad}` is no topic filter"),
                "`#` stands alone at the end, `+` alone between slashes: `site/+/#`",
            ));
        }
        let filters = wanted(&subscription);
        if filters.is_empty() {
            return Err(Problem::error(place, "there is nothing to subscribe to", "name a topic filter: [\"site/#\"]"));
        }
        let is_shared = subscription.share.is_some();
        let mut intake = Intake::new(&subscription.meaning, subscription.ingest.clone());
        if let Some(recording) = &subscription.recording {
            intake.count_for_receipts(&recording.receipts);
        }
        let shared = Arc::new(Shared {
            status: Mutex::new(ConnectionStatus::Connecting),
            changed: Condvar::new(),
            intake: Mutex::new(intake),
            next: Mutex::new(None),
            note: Mutex::new(None),
        });
        let stop = Arc::new(Stop::default());
        let declared = subscription.meaning.declared;
        // A broker of our own, in one program, keeps nothing that is not acknowledged; and each acknowledgement costs it
        // and us as much as the message. On loopback, in one program, TCP alone loses nothing.
        let qos = if address.is_embedded() { Qos::AtMostOnce } else { address.qos() };
        let acks = (qos > Qos::AtMostOnce).then(Arc::default);
        let record = subscription.recording.map(|r| Record::new(r.inlet, declared, acks, !address.is_embedded()));
        let client = Client {
            max_packet: MAX_PACKET.max(subscription.ingest.max_payload_bytes.saturating_add(1 << 16)),
            address,
            client_id: subscription.client_id,
            keep_session: subscription.ingest.keep_session,
            filters,
            is_shared,
            qos,
            queue: subscription.queue,
            queue_full: false,
            shared: Arc::clone(&shared),
            stop: Arc::clone(&stop),
            clock: subscription.clock,
            arrivals: Vec::new(),
            subscribed: false,
            taken: Default::default(),
            state: None,
            record,
            number: 0,
        };
        let worker = Worker::start("plenum-mqtt-in", stop, client.run())
            .map_err(|e| Problem::error("telemetry", format!("cannot start: {e}"), "free some memory"))?;
        Ok(Self { shared, worker, is_shared })
    }

    /// How the connection is.
    pub fn status(&self) -> ConnectionStatus {
        lock(&self.shared.status).clone()
    }

    /// Waits until it is connected and subscribed, at most `timeout`; true when it is.
    pub fn wait_connected(&self, timeout: Duration) -> bool {
        wait_connected(&self.shared.status, &self.shared.changed, timeout)
    }

    /// For those who change what topics mean.
    pub fn rewire(&self) -> Rewire {
        Rewire { shared: Arc::clone(&self.shared) }
    }

    /// What came, counted. Who gets a part only cannot tell what was lost.
    pub fn stats(&self) -> WireStats {
        let mut stats = lock(&self.shared.intake).stats.clone();
        if self.is_shared {
            stats.publishers = Publishers::default();
        }
        stats
    }

    /// What the broker grants less of than was asked for.
    pub fn note(&self) -> Option<String> {
        lock(&self.shared.note).clone()
    }

    /// What could not be read.
    pub fn quarantine(&self) -> Quarantine {
        lock(&self.shared.intake).quarantine.clone()
    }

    /// From now on every topic is taken note of, or no more.
    pub fn inspect(&self, on: bool) {
        let mut intake = lock(&self.shared.intake);
        intake.inspection = on.then(|| intake.inspection.take().unwrap_or_default());
    }

    /// What is on the wire; none while nobody asked for it with [`Self::inspect`].
    pub fn inspection(&self) -> Option<Inspection> {
        lock(&self.shared.intake).inspection.clone()
    }

    /// Topics and keys that no point is bound to.
    pub fn unmatched(&self) -> Unmatched {
        lock(&self.shared.intake).unmatched.clone()
    }

    /// Ends the connection and waits for the thread, a second at most. The broker keeps the session.
    pub fn stop(&mut self) {
        self.worker.stop();
    }
}

/// The filters as they are subscribed to.
fn wanted(subscription: &Subscription) -> Vec<String> {
    let Some(group) = &subscription.share else {
        let all: Vec<String> = subscription.filters.iter().chain(&subscription.own).cloned().collect();
        return without_overlaps(&all);
    };
    let shared = without_overlaps(&subscription.filters).into_iter().map(|f| format!("$share/{group}/{f}"));
    shared.chain(without_overlaps(&subscription.own)).collect()
}
