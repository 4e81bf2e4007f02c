//! What goes out: messages are kept until the broker has acknowledged them, over any number of
//! connections.
//!
//! The caller's thread puts a message into the outbox and, while connected, hands it to the connection
//! at once; the connection's thread only reads acknowledgements and hands on what is next. So neither
//! ever waits for the other, and back-pressure falls on the caller.

use super::backoff::Backoff;
use super::failure::{Failure, Kind};
use super::outbox::{Fate, Message, Outbox, PublisherStats, WINDOW};
use super::{Address, ConnectionStatus, RETRY, Stop, Worker, lock};
use crate::problem::Problem;
use crate::telemetry::topics::is_topic;
use crate::telemetry::wall_clock;
use rumqttc::{AsyncClient, Event, EventLoop, LastWill, Outgoing, Packet, QoS};
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
        let shared =
            Arc::new(Shared { outbox: Mutex::new(Outbox::default()), changed: Condvar::new(), place: place.clone() });
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
            outbox.client = None;
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
            let Some((failure, connected)) = self.connection(was_away).await else { return };
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
    async fn connection(&self, was_away: bool) -> Option<(Failure, Option<Instant>)> {
        // Unsent messages are the outbox's to keep: the broker shall remember nothing of us.
        let mut options = self.address.options(&self.client_id, 1 << 20, MAX_PAYLOAD + (1 << 17));
        options.set_clean_session(true);
        options.set_inflight(PACKET_IDS);
        if let Some((topic, payload)) = &self.extras.will {
            options.set_last_will(LastWill::new(topic, payload.clone(), QoS::AtLeastOnce, true));
        }
        let (client, mut events) = AsyncClient::new(options, WINDOW * 2);
        events.network_options.set_connection_timeout(5);
        events.network_options.set_tcp_nodelay(true);
        let silence = self.address.keep_alive() * 2;
        let mut connected = None;
        let mut last = Instant::now();
        let mut watchdog = pin!(tokio::time::sleep(silence));
        let mut grace = pin!(tokio::time::sleep(GRACE));
        let mut in_grace = false;
        loop {
            let polled = {
                // Kept while the watchdog looks: a poll that is dropped half-way may lose what it wrote.
                let mut poll = pin!(events.poll());
                loop {
                    tokio::select! {
                        polled = &mut poll => break Some(polled),
                        () = self.stop.asked() => break None,
                        () = &mut grace, if in_grace => {
                            in_grace = false;
                            self.shared.change(|outbox| outbox.begin(client.clone()));
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
            let event = match polled {
                None => {
                    take_leave(&client, &mut events).await;
                    return None;
                }
                Some(Ok(event)) => event,
                Some(Err(error)) => {
                    // Acknowledgements that came in one read with the end.
                    while let Some(event) = events.state.events.pop_front() {
                        match event {
                            Event::Outgoing(Outgoing::Publish(id)) => self.shared.change(|o| o.was_sent(id)),
                            Event::Incoming(Packet::PubAck(ack)) => {
                                self.shared.change(|o| o.was_acknowledged(ack.pkid));
                            }
                            _ => {}
                        }
                    }
                    let failure = Failure::explain(&error, &self.address, connected.is_some());
                    return Some((failure, connected));
                }
            };
            match event {
                Event::Outgoing(Outgoing::Publish(packet_id)) => {
                    self.shared.change(|outbox| outbox.was_sent(packet_id));
                }
                Event::Incoming(packet) => {
                    last = Instant::now();
                    match packet {
                        Packet::ConnAck(_) => {
                            connected = Some(last);
                            in_grace = was_away;
                            grace.as_mut().reset(tokio::time::Instant::now() + GRACE);
                            if let Some(topic) = &self.extras.listen {
                                // Its queue is empty now.
                                let _ = client.try_subscribe(topic, QoS::AtLeastOnce);
                            }
                            self.shared.change(|outbox| {
                                outbox.status = ConnectionStatus::Connected { since: wall_clock() };
                                if !in_grace {
                                    outbox.begin(client.clone());
                                }
                            });
                        }
                        Packet::PubAck(ack) => self.shared.change(|outbox| outbox.was_acknowledged(ack.pkid)),
                        Packet::Publish(publish) => self.shared.change(|outbox| {
                            if outbox.heard.len() >= HEARD {
                                outbox.heard.pop_front();
                            }
                            outbox.heard.push_back(publish.payload.to_vec());
                        }),
                        _ => {}
                    }
                }
                Event::Outgoing(_) => {}
            }
        }
    }
}

/// Says good-bye to the broker, for half a second at most.
async fn take_leave(client: &AsyncClient, events: &mut EventLoop) {
    if events.network.is_none() || client.try_disconnect().is_err() {
        return;
    }
    let said = async {
        while let Ok(event) = events.poll().await {
            if event == Event::Outgoing(Outgoing::Disconnect) {
                break;
            }
        }
    };
    let _ = tokio::time::timeout(Duration::from_millis(500), said).await;
}
