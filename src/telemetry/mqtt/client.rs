//! What runs on a subscription's thread: connections one after the other, and what comes on them.

use super::acks::{Acks, token};
use super::backoff::Backoff;
use super::failure::{Failure, Kind};
use super::subscriber::{Shared, SiteClock};
use super::v3::Wire3;
use super::v5::Wire5;
use super::wire::{Event, Hand, Message, Plan, Terms, Wire};
use super::{Address, ConnectionStatus, RETRY, Stop, lock};
use crate::site::project::{MqttVersion, Qos};
use crate::telemetry::historian::{Batch, Declared, Inlet, Kept};
use crate::telemetry::intake::Intake;
use crate::telemetry::quarantine::Reason;
use crate::telemetry::queue::{Entrance, Offer};
use crate::telemetry::sample::Arrival;
use crate::telemetry::sparkplug::NAMESPACE;
use crate::telemetry::wall_clock;
use std::collections::HashSet;
use std::pin::pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// A connection that held for so long counts as a good one.
const GOOD_AFTER: Duration = Duration::from_secs(5);
/// How often a full queue is looked at again.
const LOOK: Duration = Duration::from_millis(2);
/// What came in one read goes to the history together, but not more samples than this.
const TOGETHER: usize = 4096;
/// Requests that wait for the connection: an acknowledgement for each packet id, and what else there is.
const REQUESTS: usize = (1 << 16) + 16;
/// Messages of our own that may wait for the broker: a Sparkplug host's state.
const INFLIGHT: u16 = 100;

/// What runs on the thread.
pub(super) struct Client {
    pub(super) address: Address,
    pub(super) client_id: String,
    /// As they are subscribed to.
    pub(super) filters: Vec<String>,
    pub(super) is_shared: bool,
    pub(super) qos: Qos,
    pub(super) queue: Entrance,
    /// Said already.
    pub(super) queue_full: bool,
    pub(super) shared: Arc<Shared>,
    pub(super) stop: Arc<Stop>,
    pub(super) clock: SiteClock,
    pub(super) max_packet: usize,
    pub(super) keep_session: bool,
    pub(super) arrivals: Vec<Arrival>,
    pub(super) subscribed: bool,
    /// Packet ids of QoS 2 messages that were handed on and that the broker has not let go of: when it sends them again,
    /// on another connection of the same session, they are the same messages.
    pub(super) taken: HashSet<u16>,
    /// What a Sparkplug host says once it is subscribed: topic and payload.
    pub(super) state: Option<(String, Vec<u8>)>,
    pub(super) record: Option<Record>,
    /// The number of the connection.
    pub(super) number: u32,
}

/// What goes to the history.
pub(super) struct Record {
    inlet: Inlet,
    declared: Arc<Declared>,
    /// What was read and is not given on yet.
    batch: Batch,
    /// Messages are acknowledged once they are kept.
    acks: Option<Arc<Acks>>,
    /// The broker keeps what it cannot hand on: it may be made to wait.
    waits: bool,
}

/// How one connection ended.
enum End {
    Stopped,
    Failed { failure: Failure, connected: Option<Instant> },
}

impl Client {
    pub(super) async fn run(mut self) {
        let mut backoff = Backoff::new();
        // Connections in a row that ended with a packet that is too long.
        let mut too_large = 0;
        let mut short_lived = 0;
        loop {
            // The broker keeps a packet that was never acknowledged and sends it again and again: after
            // some of these ends only a new session gets past it.
            let forget = too_large >= 3;
            let end = match self.address.version() {
                MqttVersion::V3 => self.connection::<Wire3>(forget).await,
                MqttVersion::V5 => self.connection::<Wire5>(forget).await,
            };
            let (failure, connected) = match end {
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
    async fn connection<W: Wire>(&mut self, forget: bool) -> End {
        // One moment for birth and will, so that others can tell this life from the one before.
        let since = wall_clock();
        let state = |online| lock(&self.shared.intake).wired.as_ref().map(|w| w.state(online, since));
        let will = state(false);
        self.state = state(true);
        let acks = self.record.as_ref().and_then(|r| r.acks.clone());
        let plan = Plan {
            client_id: &self.client_id,
            incoming: self.max_packet,
            outgoing: self.max_packet,
            requests: REQUESTS,
            inflight: INFLIGHT,
            forget,
            keep: self.keep_session,
            manual: acks.is_some(),
            will,
        };
        let mut wire = W::new(&self.address, &plan);
        let hand = wire.hand();
        self.number = self.number.wrapping_add(1);
        let number = self.number;
        let some_kept = async || match &acks {
            Some(acks) => acks.some().await,
            None => std::future::pending().await,
        };
        let mut silence = self.address.keep_alive() * 2;
        self.subscribed = false;
        let mut connected: Option<Instant> = None;
        let mut last = Instant::now();
        let mut watchdog = pin!(tokio::time::sleep(silence));
        loop {
            let happened = {
                // Kept while the watchdog looks: one that is dropped half-way may lose what it wrote.
                let mut next = pin!(wire.next());
                loop {
                    tokio::select! {
                        happened = &mut next => break Some(happened),
                        () = self.stop.asked() => break None,
                        () = some_kept() => {
                            acks.iter().for_each(|acks| acks.send(number, hand.as_ref()));
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
            let Some(happened) = happened else {
                // No DISCONNECT: to write one rumqttc must be polled, and would read and acknowledge more
                // messages, which nobody takes any more. So they stay with the broker.
                let _ = self.rest(&mut wire, hand.as_ref());
                return End::Stopped;
            };
            // What came in one read goes to the history together.
            let is_last = wire.is_drained();
            match happened {
                Ok(event) => {
                    let is_incoming = event.is_incoming();
                    if let Event::Connected(terms) = &event {
                        connected = Some(Instant::now());
                        silence = terms.keep_alive * 2;
                        watchdog.as_mut().reset(tokio::time::Instant::now() + silence);
                    }
                    match self.event(event, hand.as_ref()) {
                        Ok(true) => {}
                        Ok(false) => return End::Stopped,
                        Err(failure) => return End::Failed { failure, connected },
                    }
                    if is_incoming {
                        last = Instant::now();
                    }
                }
                Err(mut failure) => {
                    match self.rest(&mut wire, hand.as_ref()) {
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
    fn rest(&mut self, wire: &mut impl Wire, hand: &dyn Hand) -> Result<bool, Failure> {
        while let Some(event) = wire.left() {
            if !self.event(event, hand)? {
                return Ok(false);
            }
        }
        Ok(self.give_to_history())
    }

    /// False when it is time to stop.
    fn event(&mut self, event: Event, hand: &dyn Hand) -> Result<bool, Failure> {
        match event {
            Event::Message(message) => return Ok(self.message(&message, hand)),
            Event::Released(id) => {
                self.taken.remove(&id);
            }
            Event::Connected(terms) => {
                self.agree(&terms)?;
                if !hand.subscribe(&self.filters, self.qos) {
                    return Err(Failure::refused("the topic filters under [broker] are not valid"));
                }
            }
            Event::Subscribed(whys) => {
                let refused = whys.iter().zip(&self.filters).filter_map(|(why, filter)| {
                    let why = why.as_ref()?;
                    Some(if why.is_empty() { filter.clone() } else { format!("{filter} ({why})") })
                });
                let refused: Vec<String> = refused.collect();
                if !refused.is_empty() {
                    let url = self.address.url();
                    return Err(Failure::refused(format!("{url} does not let us subscribe to {}", refused.join(", "))));
                }
                self.subscribed = true;
                if let Some((topic, payload)) = self.state.take() {
                    let _ = hand.publish(&topic, Qos::AtLeastOnce, true, payload);
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

    /// Whether we can live with what the broker grants.
    fn agree(&mut self, terms: &Terms) -> Result<(), Failure> {
        let url = self.address.url();
        if !terms.has_session {
            self.taken.clear();
        }
        if self.is_shared && !terms.shares {
            return Err(Failure::refused(format!("{url} knows no shared subscriptions: leave `share` out")));
        }
        if !terms.wildcards && self.filters.iter().any(|f| f.contains(['#', '+'])) {
            return Err(Failure::refused(format!("{url} knows no filters with # and +: name the topics one by one")));
        }
        let note = terms.keeps_s.map(|s| format!("{url} keeps what comes while we are away for {s} s only"));
        if let Some(note) = note.as_ref().filter(|n| lock(&self.shared.note).as_ref() != Some(*n)) {
            tracing::warn!("{note}");
        }
        *lock(&self.shared.note) = note;
        Ok(())
    }

    /// False when it is time to stop.
    fn message(&mut self, message: &Message, hand: &dyn Hand) -> bool {
        if !self.turn() {
            return false;
        }
        let (id, qos) = (message.id(), message.qos());
        // It was handed on before the connection broke. It is acknowledged behind all that was given to the history
        // before, and so behind itself.
        let is_known = qos == Qos::ExactlyOnce && !self.taken.insert(id) && message.is_again();
        let topic = message.topic();
        if !is_known {
            let mut intake = lock(&self.shared.intake);
            // Heard on another broker, perhaps.
            intake.site = self.clock.get().or(intake.site);
            intake.message(&topic, message.payload(), message.is_stored(), wall_clock(), &mut self.arrivals);
            if let Some(Arrival::Clock(time)) = self.arrivals.iter().rfind(|a| matches!(a, Arrival::Clock(_))) {
                self.clock.set(*time);
            }
            if let Some(record) = &mut self.record {
                record.take(&self.arrivals, &mut intake);
            }
        }
        if let Some(record) = &mut self.record
            && record.acks.is_some()
        {
            record.batch.tokens.extend(token(self.number, id, qos));
        }
        if topic.starts_with(NAMESPACE) {
            self.say(hand);
        }
        let enough = self.record.as_ref().is_some_and(|r| r.batch.samples.len() >= TOGETHER);
        (!enough || self.give_to_history()) && self.hand_over()
    }

    /// Publishes what a Sparkplug host has to say; what finds no room waits for the next message.
    fn say(&self, hand: &dyn Hand) {
        let mut intake = lock(&self.shared.intake);
        let mut waiting = intake.take_outgoing().into_iter();
        while let Some((topic, payload)) = waiting.next() {
            if !hand.publish(&topic, Qos::AtMostOnce, false, payload.clone()) {
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
        if !record.waits {
            record.inlet.offer_or_miss(batch);
            return true;
        }
        batch.to = record.acks.clone().map(|acks| acks as Arc<dyn Kept>);
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
    pub(super) fn new(inlet: Inlet, declared: Arc<Declared>, acks: Option<Arc<Acks>>, waits: bool) -> Self {
        Self { inlet, declared, batch: Batch::default(), acks, waits }
    }

    /// Takes what a message brought.
    fn take(&mut self, arrivals: &[Arrival], intake: &mut Intake) {
        let samples = arrivals.iter().filter_map(|a| if let Arrival::Sample(s) = a { Some(*s) } else { None });
        self.batch.samples.extend(samples);
        self.batch.counted.append(&mut intake.counted);
    }
}
