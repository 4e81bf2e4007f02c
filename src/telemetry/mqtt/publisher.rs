//! What goes out: messages are kept until the broker has acknowledged them, over any number of
//! connections.
//!
//! The caller's thread puts a message into the outbox and, while connected, hands it to the connection
//! at once; the connection's thread only reads acknowledgements and hands on what is next. So neither
//! ever waits for the other, and back-pressure falls on the caller.

use super::backoff::Backoff;
use super::failure::{Failure, Kind};
use super::outbox::{Fate, Message, Outbox, PublisherStats, WINDOW};
use super::v3::Wire3;
use super::v5::Wire5;
use super::wire::{Event, Plan, Terms, Wire};
use super::{Address, ConnectionStatus, RETRY, Stop, Worker, lock};
use crate::problem::Problem;
use crate::site::project::{MqttVersion, Qos};
use crate::telemetry::topics::is_topic;
use crate::telemetry::wall_clock;
use std::pin::pin;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// Packet ids in turn: more than the window, so that one is never used again while it is waited for.
const PACKET_IDS: u16 = 2000;
/// Messages kept while the broker is away; then callers wait.
const OUTBOX: usize = 8192;
/// How long a caller waits for room.
const PATIENCE: Duration = Duration::from_secs(5);
/// After the broker was away, others get so long to subscribe again before it is sent what was kept: a
/// broker that lost its sessions drops what comes for nobody. Longer than [`RETRY`].
const GRACE: Duration = Duration::from_secs(3);
/// The longest payload, bytes.
const MAX_PAYLOAD: usize = 16 << 20;

/// Payloads that nobody has asked for yet; the oldest go.
const HEARD: usize = 10_000;

/// What a publisher has besides its messages.
#[derive(Clone, Debug, Default)]
pub struct Extras {
    /// What the broker publishes and keeps when the connection ends without a good-bye: topic and payload.
    pub will: Option<(String, Vec<u8>)>,
    /// A topic whose payloads come back on the same connection: see [`Publisher::heard`].
    pub listen: Option<String>,
}

/// Publishes over one connection that comes back by itself. Messages of one publisher keep their order.
pub struct Publisher {
    shared: Arc<Shared>,
    worker: Worker,
}

struct Shared {
    outbox: Mutex<Outbox>,
    changed: Condvar,
    place: String,
}

impl Shared {
    /// The outbox once `waiting` says no, or after `timeout`.
    fn wait_while(&self, timeout: Duration, waiting: impl FnMut(&mut Outbox) -> bool) -> MutexGuard<'_, Outbox> {
        let mut outbox = lock(&self.outbox);
        outbox.waiters += 1;
        let (mut outbox, _) =
            self.changed.wait_timeout_while(outbox, timeout, waiting).unwrap_or_else(PoisonError::into_inner);
        outbox.waiters -= 1;
        outbox
    }

    /// Changes the outbox, and wakes who waits for it: a wake-up is a system call, and there is one
    /// acknowledgement a message.
    fn change(&self, change: impl FnOnce(&mut Outbox)) {
        let mut outbox = lock(&self.outbox);
        change(&mut outbox);
        let wake = outbox.waiters > 0;
        drop(outbox);
        if wake {
            self.changed.notify_all();
        }
    }
}

impl Publisher {
    /// Connects, and waits until the broker has let us in. `client_id` must be this publisher's own:
    /// two clients with one id throw each other out.
    ///
    /// # Errors
    /// Nothing listens there, it does not answer within ten seconds, or it does not let us in.
    pub fn connect(address: &Address, client_id: &str) -> Result<Self, Problem> {
        let place = address.label();
        let publisher = Self::start(address, client_id, Extras::default())?;
        let waiting = |o: &mut Outbox| o.status == ConnectionStatus::Connecting;
        let status = publisher.shared.wait_while(Duration::from_secs(10), waiting).status.clone();
        let reason = match status {
            ConnectionStatus::Connected { .. } => return Ok(publisher),
            ConnectionStatus::Connecting => format!("{} does not answer", address.url()),
            ConnectionStatus::Lost { reason, .. } | ConnectionStatus::Refused { reason } => reason,
        };
        Err(Problem::error(place, reason, "look whether the broker runs, and at [broker] in twin.toml"))
    }

    /// As [`Self::connect`], at once: the connection comes about in the background.
    ///
    /// # Errors
    /// The system gives no thread.
    pub fn start(address: &Address, client_id: &str, extras: Extras) -> Result<Self, Problem> {
        let place = address.label();
        let shared = Arc::new(Shared {
            outbox: Mutex::new(Outbox::new(address.qos())),
            changed: Condvar::new(),
            place: place.clone(),
        });
        let stop = Arc::new(Stop::default());
        let sender = Sender {
            address: address.clone(),
            client_id: client_id.to_owned(),
            extras,
            shared: Arc::clone(&shared),
            stop: Arc::clone(&stop),
        };
        let work = async move {
            let ended = Ended(Arc::clone(&sender.shared));
            sender.run().await;
            drop(ended);
        };
        let worker = Worker::start("plenum-mqtt-out", stop, work)
            .map_err(|e| Problem::error(place, format!("cannot start: {e}"), "free some memory"))?;
        // From here on dropping it ends the thread.
        Ok(Self { shared, worker })
    }

    /// Publishes so that it arrives at least once. See [`Self::publish_as`].
    ///
    /// # Errors
    /// As [`Self::publish_as`].
    pub fn publish(&self, topic: &str, payload: Vec<u8>) -> Result<(), Problem> {
        self.publish_as(topic, payload, Message::default())
    }

    /// Takes a message: it is sent as soon as the connection allows, in order, and again after the
    /// connection broke. Waits for room, at most five seconds, when the broker is too slow or away.
    ///
    /// # Errors
    /// The topic is none, the payload is longer than 16 MiB, there was no room, or the publisher was
    /// stopped: the message was not taken.
    pub fn publish_as(&self, topic: &str, payload: Vec<u8>, message: Message) -> Result<(), Problem> {
        self.publish_within(PATIENCE, topic, payload, message)
    }

    /// As [`Self::publish_as`], waiting for room at most `patience`.
    ///
    /// # Errors
    /// As [`Self::publish_as`].
    pub fn publish_within(
        &self,
        patience: Duration,
        topic: &str,
        payload: Vec<u8>,
        message: Message,
    ) -> Result<(), Problem> {
        self.publish_numbered(patience, topic, payload, message, None)
    }

    /// As [`Self::publish_within`], under a number: see [`Self::fates`].
    ///
    /// # Errors
    /// As [`Self::publish_as`].
    pub fn publish_numbered(
        &self,
        patience: Duration,
        topic: &str,
        payload: Vec<u8>,
        message: Message,
        number: Option<u64>,
    ) -> Result<(), Problem> {
        let place = || format!("{} {topic}", self.shared.place);
        if !is_topic(topic) {
            return Err(Problem::error(place(), "a topic to publish to has a name and no wildcards", ""));
        }
        if payload.len() > MAX_PAYLOAD {
            let message = format!("a payload of {} bytes is longer than 16 MiB", payload.len());
            return Err(Problem::error(place(), message, "send it in parts"));
        }
        let full = |o: &mut Outbox| o.entries.len() >= OUTBOX && !o.ended;
        let mut outbox = self.shared.wait_while(patience, full);
        if outbox.ended || self.worker.stop.is_asked() {
            return Err(Problem::error(place(), "the publisher was stopped", ""));
        }
        if outbox.entries.len() >= OUTBOX {
            let why = match &outbox.status {
                ConnectionStatus::Lost { reason, .. } | ConnectionStatus::Refused { reason } => reason.clone(),
                _ => "the broker takes no more".into(),
            };
            return Err(Problem::warning(place(), format!("not sent: {why}"), "it can be tried again"));
        }
        outbox.take(topic, payload, message, number);
        Ok(())
    }

    /// Waits until everything taken so far and later is acknowledged, at most `timeout`; true when it is.
    pub fn flush(&self, timeout: Duration) -> bool {
        let waiting = |o: &mut Outbox| !o.entries.is_empty() && !o.ended;
        self.shared.wait_while(timeout, waiting).entries.is_empty()
    }

    /// As [`Self::flush`], but gives up where waiting is in vain: at once when the connection is away, and
    /// when nothing was acknowledged for `quiet`.
    pub fn settle(&self, timeout: Duration, quiet: Duration) -> bool {
        let deadline = Instant::now() + timeout;
        let mut before = self.stats().acknowledged;
        loop {
            let wait = quiet.min(deadline.saturating_duration_since(Instant::now()));
            let outbox = self.shared.wait_while(wait, |o| {
                let connected = matches!(o.status, ConnectionStatus::Connected { .. });
                connected && !o.entries.is_empty() && !o.ended && o.stats.acknowledged == before
            });
            let now = outbox.stats.acknowledged;
            if outbox.entries.is_empty() || now == before || Instant::now() >= deadline {
                return outbox.entries.is_empty();
            }
            before = now;
        }
    }

    /// What has become of numbered messages since this was last asked.
    pub fn fates(&self) -> Vec<Fate> {
        std::mem::take(&mut lock(&self.shared.outbox).fates)
    }

    /// What came on the topic that is listened to since this was last asked.
    pub fn heard(&self) -> Vec<Vec<u8>> {
        lock(&self.shared.outbox).heard.drain(..).collect()
    }

    /// Waits until the first attempt to connect has come to something, at most `timeout`.
    pub fn wait_connecting(&self, timeout: Duration) {
        drop(self.shared.wait_while(timeout, |o| o.status == ConnectionStatus::Connecting));
    }

    /// True while messages reach the broker.
    pub fn is_connected(&self) -> bool {
        matches!(self.status(), ConnectionStatus::Connected { .. })
    }

    /// How the connection is.
    pub fn status(&self) -> ConnectionStatus {
        lock(&self.shared.outbox).status.clone()
    }

    /// What became of the messages.
    pub fn stats(&self) -> PublisherStats {
        let outbox = lock(&self.shared.outbox);
        PublisherStats { waiting: outbox.entries.iter().filter(|e| !e.done).count() as u64, ..outbox.stats }
    }

    /// Takes leave of the broker and waits for the thread. What is not acknowledged by now is lost: see
    /// [`Self::flush`].
    pub fn stop(&mut self) {
        self.worker.stop();
    }
}

/// Lets callers go when the thread ends, however it ends.
struct Ended(Arc<Shared>);

impl Drop for Ended {
    fn drop(&mut self) {
        self.0.change(|outbox| {
            outbox.ended = true;
            outbox.hand = None;
        });
    }
}

/// What runs on the thread.
struct Sender {
    address: Address,
    client_id: String,
    extras: Extras,
    shared: Arc<Shared>,
    stop: Arc<Stop>,
}

impl Sender {
    async fn run(self) {
        let mut backoff = Backoff::new();
        let mut was_away = false;
        let mut was_connected = false;
        loop {
            let ended = match self.address.version() {
                MqttVersion::V3 => self.connection::<Wire3>(was_away).await,
                MqttVersion::V5 => self.connection::<Wire5>(was_away).await,
            };
            let Some((failure, connected)) = ended else { return };
            was_away = was_connected && connected.is_none();
            was_connected |= connected.is_some();
            if connected.is_some_and(|since| since.elapsed() > Duration::from_secs(5)) {
                backoff.reset();
            }
            self.shared.change(|outbox| {
                let status = match (failure.kind, &outbox.status) {
                    (Kind::Refused, _) => ConnectionStatus::Refused { reason: failure.reason },
                    (_, ConnectionStatus::Lost { since, .. }) => {
                        ConnectionStatus::Lost { since: *since, reason: failure.reason }
                    }
                    _ => ConnectionStatus::Lost { since: wall_clock(), reason: failure.reason },
                };
                outbox.disconnected(connected.is_some(), status);
            });
            let limit = if failure.kind == Kind::Lost { RETRY } else { Duration::from_secs(30) };
            tokio::select! {
                () = tokio::time::sleep(backoff.next(limit)) => {}
                () = self.stop.asked() => return,
            }
        }
    }

    /// One connection; none when it is time to stop.
    async fn connection<W: Wire>(&self, was_away: bool) -> Option<(Failure, Option<Instant>)> {
        // Unsent messages are the outbox's to keep: the broker shall remember nothing of us.
        let plan = Plan {
            client_id: &self.client_id,
            incoming: 1 << 20,
            outgoing: MAX_PAYLOAD + (1 << 17),
            requests: WINDOW * 2,
            inflight: PACKET_IDS,
            forget: true,
            keep: false,
            manual: false,
            will: self.extras.will.clone(),
        };
        let mut wire = W::new(&self.address, &plan);
        let hand = wire.hand();
        let mut silence = self.address.keep_alive() * 2;
        let mut connected = None;
        let mut last = Instant::now();
        let mut watchdog = pin!(tokio::time::sleep(silence));
        let mut grace = pin!(tokio::time::sleep(GRACE));
        let mut in_grace: Option<Terms> = None;
        loop {
            let happened = {
                // Kept while the watchdog looks: one that is dropped half-way may lose what it wrote.
                let mut next = pin!(wire.next());
                loop {
                    tokio::select! {
                        happened = &mut next => break Some(happened),
                        () = self.stop.asked() => break None,
                        () = &mut grace, if in_grace.is_some() => {
                            if let Some(terms) = in_grace.take() {
                                self.shared.change(|outbox| outbox.begin(Arc::clone(&hand), terms));
                            }
                        }
                        () = &mut watchdog => {
                            let quiet = last.elapsed();
                            if connected.is_some() && quiet >= silence {
                                let reason = format!("{} is silent for {} s", self.address.url(), quiet.as_secs());
                                return Some((Failure::lost(reason), connected));
                            }
                            let wait = silence.saturating_sub(quiet).max(Duration::from_millis(100));
                            watchdog.as_mut().reset(tokio::time::Instant::now() + wait);
                        }
                    }
                }
            };
            let event = match happened {
                None => {
                    if connected.is_some() {
                        take_leave(&mut wire).await;
                    }
                    return None;
                }
                Some(Ok(event)) => event,
                Some(Err(failure)) => {
                    // Acknowledgements that came in one read with the end.
                    while let Some(event) = wire.left() {
                        self.settled(event);
                    }
                    return Some((failure, connected));
                }
            };
            if event.is_incoming() {
                last = Instant::now();
            }
            match event {
                Event::Connected(terms) => {
                    connected = Some(last);
                    silence = terms.keep_alive * 2;
                    watchdog.as_mut().reset(tokio::time::Instant::now() + silence);
                    grace.as_mut().reset(tokio::time::Instant::now() + GRACE);
                    if let Some(topic) = &self.extras.listen {
                        // Its queue is empty now.
                        let _ = hand.subscribe(std::slice::from_ref(topic), Qos::AtLeastOnce);
                    }
                    let now = (!was_away).then(|| terms.clone());
                    in_grace = was_away.then_some(terms);
                    self.shared.change(|outbox| {
                        outbox.status = ConnectionStatus::Connected { since: wall_clock() };
                        if let Some(terms) = now {
                            outbox.begin(Arc::clone(&hand), terms);
                        }
                    });
                }
                Event::Message(message) => self.shared.change(|outbox| {
                    if outbox.heard.len() >= HEARD {
                        outbox.heard.pop_front();
                    }
                    outbox.heard.push_back(message.payload().to_vec());
                }),
                event => {
                    if let Some(failure) = self.settled(event) {
                        return Some((failure, connected));
                    }
                }
            }
        }
    }

    /// What became of our messages. A failure where the connection is to be built anew.
    fn settled(&self, event: Event) -> Option<Failure> {
        match event {
            Event::Sent(id) => self.shared.change(|outbox| outbox.was_sent(id)),
            Event::Done(id) => self.shared.change(|outbox| outbox.was_acknowledged(id)),
            Event::NotTaken { id, why: (why, in_vain), is_last } => {
                if in_vain {
                    self.shared.change(|outbox| outbox.was_refused(id, why));
                }
                if is_last || !in_vain {
                    let url = self.address.url();
                    return Some(Failure::lost(format!("{url} did not take a message: {why}")));
                }
            }
            _ => {}
        }
        None
    }
}

/// Says good-bye to the broker, for half a second at most.
async fn take_leave(wire: &mut impl Wire) {
    if !wire.hand().leave() {
        return;
    }
    let said = async {
        while let Ok(event) = wire.next().await {
            if matches!(event, Event::Left) {
                break;
            }
        }
    };
    let _ = tokio::time::timeout(Duration::from_millis(500), said).await;
}
