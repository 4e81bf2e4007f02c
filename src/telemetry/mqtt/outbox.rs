//! What was taken from callers and not yet acknowledged, in order.

use super::ConnectionStatus;
use rumqttc::{AsyncClient, QoS};
use std::collections::VecDeque;

/// Messages that may wait for the broker's acknowledgement at once.
pub(super) const WINDOW: usize = 500;

/// How surely a message arrives.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Delivery {
    /// MQTT QoS 0: it is lost when the connection breaks under it.
    AtMostOnce,
    /// MQTT QoS 1: it is sent until the broker acknowledges it, so it may come twice.
    #[default]
    AtLeastOnce,
}

/// What may be said about a message besides its topic and payload.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Message {
    /// How surely it arrives.
    pub delivery: Delivery,
    /// The broker keeps it for who subscribes later.
    pub retain: bool,
}

/// What became of the messages of a [`super::Publisher`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PublisherStats {
    /// Taken from callers.
    pub taken: u64,
    /// Acknowledged by the broker; at QoS 0, written to the socket.
    pub acknowledged: u64,
    /// Sent again after a connection broke.
    pub resent: u64,
    /// Given up: the broker ended the connection over this one message again and again.
    pub refused: u64,
    /// Taken and neither acknowledged nor given up.
    pub waiting: u64,
}

/// What has become of a message that its caller gave a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// The broker has acknowledged it.
    Acknowledged(u64),
    /// It was given up: the broker ended the connection over it again and again.
    GivenUp(u64),
}

/// A message until it is acknowledged.
pub(super) struct Entry {
    /// What its caller calls it.
    number: Option<u64>,
    topic: String,
    payload: Vec<u8>,
    message: Message,
    packet_id: Option<u16>,
    sent_before: bool,
    pub(super) done: bool,
}

/// Messages in order: first those sent and waited for, then those handed to the connection, then the
/// others.
pub(super) struct Outbox {
    pub(super) entries: VecDeque<Entry>,
    /// Entries handed to the connection.
    handed: usize,
    /// Entries that the connection has sent.
    sent: usize,
    /// The connection that takes messages now.
    pub(super) client: Option<AsyncClient>,
    window: usize,
    /// Connections in a row that ended with the first message unacknowledged.
    strikes: u32,
    progress: bool,
    pub(super) status: ConnectionStatus,
    pub(super) stats: PublisherStats,
    /// Of numbered messages, until somebody asks.
    pub(super) fates: Vec<Fate>,
    /// Payloads that came on the topic that is listened to, until somebody asks.
    pub(super) heard: VecDeque<Vec<u8>>,
    /// Threads that wait for a change.
    pub(super) waiters: u32,
    pub(super) ended: bool,
}

impl Default for Outbox {
    fn default() -> Self {
        Self {
            entries: VecDeque::new(),
            handed: 0,
            sent: 0,
            client: None,
            window: WINDOW,
            strikes: 0,
            progress: false,
            status: ConnectionStatus::Connecting,
            stats: PublisherStats::default(),
            fates: Vec::new(),
            heard: VecDeque::new(),
            waiters: 0,
            ended: false,
        }
    }
}

impl Outbox {
    pub(super) fn take(&mut self, topic: &str, payload: Vec<u8>, message: Message, number: Option<u64>) {
        self.stats.taken += 1;
        let topic = topic.to_owned();
        let entry = Entry { number, topic, payload, message, packet_id: None, sent_before: false, done: false };
        self.entries.push_back(entry);
        self.hand_on();
    }

    /// Hands messages to the connection, as many as its window allows.
    fn hand_on(&mut self) {
        let Some(client) = &self.client else { return };
        while self.handed < self.window {
            let Some(entry) = self.entries.get_mut(self.handed) else { return };
            let qos = match entry.message.delivery {
                Delivery::AtMostOnce => QoS::AtMostOnce,
                Delivery::AtLeastOnce => QoS::AtLeastOnce,
            };
            let payload = entry.payload.clone();
            if client.try_publish(entry.topic.as_str(), qos, entry.message.retain, payload).is_err() {
                // Its queue is longer than the window, so this is a connection that ends.
                return;
            }
            self.handed += 1;
            if std::mem::replace(&mut entry.sent_before, true) {
                self.stats.resent += 1;
            }
        }
    }

    /// The connection has sent the next message under this id; 0 for one without acknowledgement.
    pub(super) fn was_sent(&mut self, packet_id: u16) {
        let Some(entry) = self.entries.get_mut(self.sent) else { return };
        self.sent += 1;
        if packet_id == 0 {
            entry.done = true;
            self.let_go();
        } else {
            entry.packet_id = Some(packet_id);
        }
    }

    pub(super) fn was_acknowledged(&mut self, packet_id: u16) {
        let sent = self.entries.iter_mut().take(self.sent);
        if let Some(entry) = sent.into_iter().find(|e| e.packet_id == Some(packet_id)) {
            entry.done = true;
            entry.packet_id = None;
            self.let_go();
        }
    }

    /// Lets go of what is done at the front, and hands on what follows.
    fn let_go(&mut self) {
        while let Some(entry) = self.entries.pop_front_if(|e| e.done) {
            self.fates.extend(entry.number.map(Fate::Acknowledged));
            self.handed = self.handed.saturating_sub(1);
            self.sent = self.sent.saturating_sub(1);
            self.stats.acknowledged += 1;
            self.progress = true;
        }
        if self.progress && self.strikes > 0 {
            self.strikes = 0;
            self.window = WINDOW;
        }
        self.hand_on();
    }

    /// The connection takes messages from now on.
    pub(super) fn begin(&mut self, client: AsyncClient) {
        self.client = Some(client);
        self.progress = false;
        self.hand_on();
    }

    /// The connection ended: all that is not acknowledged is to be sent again.
    ///
    /// A broker that ends the connection each time over one message (it may be too long for it) must not
    /// stop the others for ever: after two such ends messages go one by one, after three more the first
    /// is given up.
    pub(super) fn disconnected(&mut self, was_connected: bool, status: ConnectionStatus) {
        // What was handed over, not what was sent: a long message may break the connection while it is written.
        let tried = was_connected && self.handed > 0 && !self.progress;
        let before = self.entries.len();
        self.fates.extend(self.entries.iter().filter(|e| e.done).filter_map(|e| e.number).map(Fate::Acknowledged));
        self.entries.retain(|e| !e.done);
        self.stats.acknowledged += (before - self.entries.len()) as u64;
        for entry in &mut self.entries {
            entry.packet_id = None;
        }
        self.client = None;
        (self.handed, self.sent) = (0, 0);
        self.status = status;
        if !tried {
            return;
        }
        self.strikes += 1;
        if self.strikes >= 2 {
            self.window = 1;
        }
        if self.strikes >= 5 {
            if let Some(entry) = self.entries.pop_front() {
                self.stats.refused += 1;
                self.fates.extend(entry.number.map(Fate::GivenUp));
                let length = entry.payload.len();
                tracing::warn!("gave up a message of {length} bytes on `{}`: the broker does not take it", entry.topic);
            }
            self.strikes = 2;
        }
    }
}
