//! What comes in: a connection on its own thread that hands samples on and comes back by itself.

use super::acks::{Acks, token};
use super::backoff::Backoff;
use super::failure::{Failure, Kind};
use super::{Address, ConnectionStatus, RETRY, Stop, Worker, lock};
use crate::problem::Problem;
use crate::site::project::Ingest;
use crate::telemetry::checks::Known;
use crate::telemetry::historian::{Batch, Declared, Inlet, Kept};
use crate::telemetry::inspect::Inspection;
use crate::telemetry::intake::{Intake, WireStats};
use crate::telemetry::quarantine::{Quarantine, Reason};
use crate::telemetry::queue::{Entrance, Offer};
use crate::telemetry::sample::Arrival;
use crate::telemetry::sparkplug::NAMESPACE;
use crate::telemetry::topics::{TopicMap, Unmatched, is_filter, without_overlaps};
use crate::telemetry::wall_clock;
use rumqttc::{AsyncClient, Event, EventLoop, LastWill, Packet, QoS, SubscribeFilter, SubscribeReasonCode};
use std::pin::pin;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// The longest packet read at all, bytes. What is longer than the project allows but not than this is
/// counted and set aside; beyond it the connection has to be dropped.
pub const MAX_PACKET: usize = 16 << 20;

/// How long an attempt to connect may take, seconds.
const CONNECT_TIMEOUT_S: u64 = 5;
/// A connection that held for so long counts as a good one.
const GOOD_AFTER: Duration = Duration::from_secs(5);
/// How often a full queue is looked at again.
const LOOK: Duration = Duration::from_millis(2);
/// What came in one read goes to the history together, but not more samples than this.
const TOGETHER: usize = 4096;
/// Requests that wait for the connection: an acknowledgement for each packet id, and what else there is.
const REQUESTS: usize = (1 << 16) + 16;

/// What to subscribe to and where samples go.
#[derive(Clone)]
pub struct Subscription {
    /// The MQTT client id: always the same for a project, so that the broker keeps what comes while
    /// the connection is away. Two clients with one id throw each other out.
    pub client_id: String,
    /// Topic filters; overlapping ones are merged.
    pub filters: Vec<String>,
    /// What topics mean.
    pub meaning: Meaning,
    /// What the wire may bring.
    pub ingest: Ingest,
    /// Where samples go.
    pub queue: Entrance,
    /// Where there is a history, the way to it.
    pub recording: Option<Recording>,
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
}

struct Shared {
    status: Mutex<ConnectionStatus>,
    changed: Condvar,
    intake: Mutex<Intake>,
    /// What topics mean from the next message on, and where its samples go.
    next: Mutex<Option<(Meaning, Entrance)>>,
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
        if let Some(bad) = subscription.filters.iter().find(|f| !is_filter(f)) {
            return Err(Problem::error(
                place,
                format!("`{bad}` is no topic filter"),
                "`#` stands alone at the end, `+` alone between slashes: `site/+/#`",
            ));
        }
        let filters = without_overlaps(&subscription.filters);
        if filters.is_empty() {
            return Err(Problem::error(place, "there is nothing to subscribe to", "name a topic filter: [\"site/#\"]"));
        }
        let mut intake = Intake::new(&subscription.meaning, subscription.ingest.clone());
        if let Some(recording) = &subscription.recording {
            intake.count_for_receipts(&recording.receipts);
        }
        let shared = Arc::new(Shared {
            status: Mutex::new(ConnectionStatus::Connecting),
            changed: Condvar::new(),
            intake: Mutex::new(intake),
            next: Mutex::new(None),
        });
        let stop = Arc::new(Stop::default());
        let declared = subscription.meaning.declared;
        let record = subscription.recording.map(|r| Record {
            inlet: r.inlet,
            declared,
            batch: Batch::default(),
            // A broker of our own, in one program, keeps nothing that is not acknowledged.
            acks: (!address.is_embedded()).then(Arc::default),
        });
        let client = Client {
            max_packet: MAX_PACKET.max(subscription.ingest.max_payload_bytes.saturating_add(1 << 16)),
            address,
            client_id: subscription.client_id,
            keep_session: subscription.ingest.keep_session,
            filters,
            queue: subscription.queue,
            queue_full: false,
            shared: Arc::clone(&shared),
            stop: Arc::clone(&stop),
            arrivals: Vec::new(),
            subscribed: false,
            state: None,
            record,
            number: 0,
        };
        let worker = Worker::start("plenum-mqtt-in", stop, client.run())
            .map_err(|e| Problem::error("telemetry", format!("cannot start: {e}"), "free some memory"))?;
        Ok(Self { shared, worker })
    }

    /// How the connection is.
    pub fn status(&self) -> ConnectionStatus {
        lock(&self.shared.status).clone()
    }

    /// Waits until it is connected and subscribed, at most `timeout`; true when it is.
    pub fn wait_connected(&self, timeout: Duration) -> bool {
        let waiting = |s: &mut ConnectionStatus| !matches!(s, ConnectionStatus::Connected { .. });
        let status = lock(&self.shared.status);
        let (status, _) =
            (self.shared.changed).wait_timeout_while(status, timeout, waiting).unwrap_or_else(PoisonError::into_inner);
        matches!(*status, ConnectionStatus::Connected { .. })
    }

    /// For those who change what topics mean.
    pub fn rewire(&self) -> Rewire {
        Rewire { shared: Arc::clone(&self.shared) }
    }

    /// What came, counted.
    pub fn stats(&self) -> WireStats {
        lock(&self.shared.intake).stats.clone()
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

/// What runs on the thread.
struct Client {
    address: Address,
    client_id: String,
    filters: Vec<String>,
    queue: Entrance,
    /// Said already.
    queue_full: bool,
    shared: Arc<Shared>,
    stop: Arc<Stop>,
    max_packet: usize,
    keep_session: bool,
    arrivals: Vec<Arrival>,
    subscribed: bool,
    /// What a Sparkplug host says once it is subscribed: topic and payload.
    state: Option<(String, Vec<u8>)>,
    record: Option<Record>,
    /// The number of the connection.
    number: u32,
}

/// What goes to the history.
struct Record {
    inlet: Inlet,
    declared: Arc<Declared>,
    /// What was read and is not given on yet.
    batch: Batch,
    /// Messages are acknowledged once they are kept.
    acks: Option<Arc<Acks>>,
}

/// How one connection ended.
enum End {
    Stopped,
    Failed { failure: Failure, connected: Option<Instant> },
}

impl Client {
    async fn run(mut self) {
        let mut backoff = Backoff::new();
        // Connections in a row that ended with a packet that is too long.
        let mut too_large = 0;
        let mut short_lived = 0;
        loop {
            // The broker keeps a packet that was never acknowledged and sends it again and again: after
            // some of these ends only a new session gets past it.
            let (failure, connected) = match self.connection(too_large >= 3 || !self.keep_session).await {
                End::Stopped => return,
                End::Failed { failure, connected } => (failure, connected),
            };
            let lived = connected.map_or(Duration::ZERO, |since| since.elapsed());
            if failure.kind == Kind::TooLarge {
                too_large += 1;
                let mut intake = lock(&self.shared.intake);
                intake.refuse("", &[], failure.length, Reason::TooLarge, wall_clock());
            } else if lived > GOOD_AFTER {
                too_large = 0;
            }
            if lived > GOOD_AFTER && failure.kind != Kind::TooLarge {
                backoff.reset();
                short_lived = 0;
            } else if connected.is_some() {
                short_lived += 1;
            }
            self.set_failed(failure.kind, self.worded(failure.reason, short_lived));
            let limit = match failure.kind {
                Kind::Lost => RETRY,
                Kind::Refused | Kind::TooLarge => Duration::from_secs(30),
            };
            tokio::select! {
                () = tokio::time::sleep(backoff.next(limit)) => {}
                () = self.stop.asked() => return,
            }
        }
    }

    fn worded(&self, reason: String, short_lived: u32) -> String {
        if short_lived < 3 {
            return reason;
        }
        format!("{reason} ({short_lived} times soon after connecting: has another client the id `{}`?)", self.client_id)
    }

    /// One connection, from the first packet to its end.
    async fn connection(&mut self, new_session: bool) -> End {
        let mut options = self.address.options(&self.client_id, self.max_packet, self.max_packet);
        options.set_clean_session(new_session);
        // One moment for birth and will, so that others can tell this life from the one before.
        let since = wall_clock();
        let state = |online| lock(&self.shared.intake).wired.as_ref().map(|w| w.state(online, since));
        if let Some((topic, payload)) = state(false) {
            options.set_last_will(LastWill::new(topic, payload, QoS::AtLeastOnce, true));
        }
        self.state = state(true);
        let acks = self.record.as_ref().and_then(|r| r.acks.clone());
        options.set_manual_acks(acks.is_some());
        let (client, mut events) = AsyncClient::new(options, REQUESTS);
        self.number = self.number.wrapping_add(1);
        let number = self.number;
        let some_kept = async || match &acks {
            Some(acks) => acks.some().await,
            None => std::future::pending().await,
        };
        events.network_options.set_connection_timeout(CONNECT_TIMEOUT_S);
        events.network_options.set_tcp_nodelay(true);
        let silence = self.address.keep_alive() * 2;
        self.subscribed = false;
        let mut connected: Option<Instant> = None;
        let mut last = Instant::now();
        let mut watchdog = pin!(tokio::time::sleep(silence));
        loop {
            let polled = {
                // Kept while the watchdog looks: a poll that is dropped half-way may lose what it wrote.
                let mut poll = pin!(events.poll());
                loop {
                    tokio::select! {
                        polled = &mut poll => break Some(polled),
                        () = self.stop.asked() => break None,
                        () = some_kept() => {
                            acks.iter().for_each(|acks| acks.send(number, &client));
                        }
                        () = &mut watchdog => {
                            let quiet = last.elapsed();
                            if connected.is_some() && quiet >= silence {
                                let url = self.address.url();
                                let failure = Failure::lost(format!("{url} is silent for {} s", quiet.as_secs()));
                                return End::Failed { failure, connected };
                            }
                            if !self.subscribed && connected.is_some_and(|since| since.elapsed() >= silence) {
                                let url = self.address.url();
                                let failure = Failure::lost(format!("{url} does not answer our subscription"));
                                return End::Failed { failure, connected };
                            }
                            let wait = silence.saturating_sub(quiet).max(Duration::from_millis(100));
                            watchdog.as_mut().reset(tokio::time::Instant::now() + wait);
                        }
                    }
                }
            };
            let Some(polled) = polled else {
                // No DISCONNECT: to write one rumqttc must be polled, and would read and acknowledge more
                // messages, which nobody takes any more. So they stay with the broker.
                let _ = self.rest(&mut events, &client);
                return End::Stopped;
            };
            // What came in one read goes to the history together.
            let is_last = events.state.events.is_empty();
            match polled {
                Ok(Event::Incoming(packet)) => {
                    if matches!(packet, Packet::ConnAck(_)) {
                        connected = Some(Instant::now());
                    }
                    match self.packet(packet, &client) {
                        Ok(true) => {}
                        Ok(false) => return End::Stopped,
                        Err(failure) => return End::Failed { failure, connected },
                    }
                    last = Instant::now();
                }
                Ok(Event::Outgoing(_)) => {}
                Err(error) => {
                    let mut failure = Failure::explain(&error, &self.address, connected.is_some());
                    match self.rest(&mut events, &client) {
                        Ok(true) => {}
                        Ok(false) => return End::Stopped,
                        Err(better) => failure = better,
                    }
                    return End::Failed { failure, connected };
                }
            }
            if is_last && !self.give_to_history() {
                return End::Stopped;
            }
        }
    }

    /// What came in one read with the end of the connection and was not handed out yet. False when it is
    /// time to stop.
    fn rest(&mut self, events: &mut EventLoop, client: &AsyncClient) -> Result<bool, Failure> {
        while let Some(event) = events.state.events.pop_front() {
            if let Event::Incoming(packet) = event
                && !self.packet(packet, client)?
            {
                return Ok(false);
            }
        }
        Ok(self.give_to_history())
    }

    /// False when it is time to stop.
    fn packet(&mut self, packet: Packet, client: &AsyncClient) -> Result<bool, Failure> {
        match packet {
            Packet::Publish(publish) => {
                if !self.turn() {
                    return Ok(false);
                }
                let mut intake = lock(&self.shared.intake);
                let (topic, payload) = (&publish.topic, &publish.payload);
                intake.message(topic, payload, publish.retain, wall_clock(), &mut self.arrivals);
                if let Some(record) = &mut self.record {
                    record.take(&self.arrivals, &mut intake);
                    if record.acks.is_some() && publish.qos == QoS::AtLeastOnce {
                        record.batch.tokens.push(token(self.number, publish.pkid));
                    }
                }
                drop(intake);
                if publish.topic.starts_with(NAMESPACE) {
                    self.say(client);
                }
                let enough = self.record.as_ref().is_some_and(|r| r.batch.samples.len() >= TOGETHER);
                return Ok((!enough || self.give_to_history()) && self.hand_over());
            }
            // The queue holds 16 and is empty now.
            Packet::ConnAck(_) => {
                // Each acknowledgement costs rumqttd and us as much as the message; on loopback, in one
                // program, TCP alone loses nothing.
                let qos = if self.address.is_embedded() { QoS::AtMostOnce } else { QoS::AtLeastOnce };
                let filters = self.filters.iter().map(|f| SubscribeFilter::new(f.clone(), qos));
                client
                    .try_subscribe_many(filters)
                    .map_err(|_| Failure::refused("the topic filters under [broker] are not valid"))?;
            }
            Packet::SubAck(ack) => {
                let refused: Vec<&str> = (ack.return_codes.iter().zip(&self.filters))
                    .filter(|(code, _)| **code == SubscribeReasonCode::Failure)
                    .map(|(_, filter)| filter.as_str())
                    .collect();
                if !refused.is_empty() {
                    let url = self.address.url();
                    return Err(Failure::refused(format!("{url} does not let us subscribe to {}", refused.join(", "))));
                }
                self.subscribed = true;
                if let Some((topic, payload)) = self.state.take() {
                    let _ = client.try_publish(topic, QoS::AtLeastOnce, true, payload);
                    let mut intake = lock(&self.shared.intake);
                    intake.sparkplug_connected(wall_clock(), &mut self.arrivals);
                    if let Some(record) = &mut self.record {
                        record.take(&self.arrivals, &mut intake);
                    }
                    drop(intake);
                    if !self.hand_over() {
                        return Ok(false);
                    }
                }
                self.set_status(ConnectionStatus::Connected { since: wall_clock() });
            }
            _ => {}
        }
        Ok(true)
    }

    /// Publishes what a Sparkplug host has to say; what finds no room waits for the next message.
    fn say(&self, client: &AsyncClient) {
        let mut intake = lock(&self.shared.intake);
        let mut waiting = intake.take_outgoing().into_iter();
        while let Some((topic, payload)) = waiting.next() {
            if client.try_publish(topic.clone(), QoS::AtMostOnce, false, payload.clone()).is_err() {
                intake.put_back(std::iter::once((topic, payload)).chain(waiting).collect());
                return;
            }
        }
    }

    /// Takes over what topics mean from now on. All that was read before has been handed over by now. False when it
    /// is time to stop.
    fn turn(&mut self) -> bool {
        let Some((meaning, queue)) = lock(&self.shared.next).take() else { return true };
        if !self.give_to_history() {
            return false;
        }
        lock(&self.shared.intake).understand(&meaning);
        if let Some(record) = &mut self.record {
            record.declared = meaning.declared;
        }
        self.queue = queue;
        self.queue_full = false;
        true
    }

    /// Gives what was read to the history. Where it holds as much as it may, a broker elsewhere waits, and our own does
    /// not: what it would drop without a word is counted here, and the live values go on. False when it is time to
    /// stop.
    fn give_to_history(&mut self) -> bool {
        let Some(record) = &mut self.record else { return true };
        if record.batch.is_empty() {
            return true;
        }
        let mut batch = std::mem::take(&mut record.batch);
        batch.declared = Arc::clone(&record.declared);
        let Some(acks) = &record.acks else {
            record.inlet.offer_or_miss(batch);
            return true;
        };
        batch.to = Some(Arc::clone(acks) as Arc<dyn Kept>);
        let mut waited = false;
        while let Err(back) = record.inlet.offer(batch) {
            if self.stop.is_asked() {
                return false;
            }
            if !waited {
                tracing::warn!("the history holds all that it may: the broker waits");
            }
            waited = true;
            batch = back;
            std::thread::sleep(LOOK);
        }
        true
    }

    /// Hands on what was read. While the queue is full and nothing may be dropped from it, nothing more is
    /// read from the socket; false when it is time to stop, or nobody takes samples any more.
    fn hand_over(&mut self) -> bool {
        let mut dropped = 0;
        let mut waited = false;
        for mut arrival in self.arrivals.drain(..) {
            loop {
                match self.queue.offer(arrival) {
                    Offer::Taken => break,
                    Offer::Instead(Arrival::Clock(_)) => break,
                    Offer::Instead(Arrival::Sample(_)) => {
                        dropped += 1;
                        break;
                    }
                    Offer::Gone => return false,
                    Offer::Full(_) if self.stop.is_asked() => return false,
                    Offer::Full(back) => {
                        waited = true;
                        arrival = back;
                        std::thread::sleep(LOOK);
                    }
                }
            }
        }
        let full = waited || dropped > 0;
        if full {
            let mut intake = lock(&self.shared.intake);
            // What the history has is not lost: only the live values skip it.
            if self.record.is_some() {
                intake.stats.skipped += dropped;
            } else {
                intake.stats.overflow += dropped;
            }
            intake.stats.queue_full += u64::from(!self.queue_full);
        }
        if full && !self.queue_full {
            tracing::warn!("the queue to the twin is full: it has not taken its samples for too long");
        }
        self.queue_full = full;
        true
    }

    fn set_failed(&self, kind: Kind, reason: String) {
        let (since, said) = match &*lock(&self.shared.status) {
            ConnectionStatus::Lost { since, reason: before } => (*since, *before == reason),
            ConnectionStatus::Refused { reason: before } => (wall_clock(), *before == reason),
            _ => (wall_clock(), false),
        };
        if !said {
            tracing::warn!("{reason}");
        }
        self.set_status(match kind {
            Kind::Refused => ConnectionStatus::Refused { reason },
            Kind::Lost | Kind::TooLarge => ConnectionStatus::Lost { since, reason },
        });
    }

    fn set_status(&self, status: ConnectionStatus) {
        *lock(&self.shared.status) = status;
        self.shared.changed.notify_all();
    }
}

impl Record {
    /// Takes what a message brought.
    fn take(&mut self, arrivals: &[Arrival], intake: &mut Intake) {
        let samples = arrivals.iter().filter_map(|a| if let Arrival::Sample(s) = a { Some(*s) } else { None });
        self.batch.samples.extend(samples);
        self.batch.counted.append(&mut intake.counted);
    }
}
