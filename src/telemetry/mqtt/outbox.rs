//! What was taken from callers and not yet acknowledged, in order.

use super::ConnectionStatus;
use super::wire::{Hand, Terms};
use crate::site::project::Qos;
use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

/// Messages that may wait for the broker's acknowledgement at once.
pub(super) const WINDOW: usize = 500;

/// How surely a message arrives.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Delivery {
    /// MQTT QoS 0: it is lost when the connection breaks under it.
    AtMostOnce,
    /// MQTT QoS 1: it is sent until the broker acknowledges it, so it may come twice.
    AtLeastOnce,
    /// MQTT QoS 2: once while the connection holds. What was half-way when it broke is sent anew, and may come twice.
    ExactlyOnce,
    /// As the project says of its broker (`qos`); at least once where it says nothing.
    #[default]
    Usual,
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
    /// It is done with because the broker does not take it.
    refused: bool,
}

impl Entry {
    /// No shorter than its packet, bytes: its properties are none.
    fn packet_bytes(&self) -> usize {
        self.topic.len().saturating_add(self.payload.len()).saturating_add(16)
    }
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
    pub(super) hand: Option<Arc<dyn Hand>>,
    /// On whose terms.
    terms: Terms,
    /// What the project says of how surely messages arrive.
    usual: Qos,
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

impl Outbox {
    pub(super) fn new(usual: Qos) -> Self {
        Self {
            entries: VecDeque::new(),
            handed: 0,
            sent: 0,
            hand: None,
            terms: Terms::plain(false, Duration::ZERO),
            usual,
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

    pub(super) fn take(&mut self, topic: &str, payload: Vec<u8>, message: Message, number: Option<u64>) {
        self.stats.taken += 1;
        let topic = topic.to_owned();
        let (packet_id, sent_before, done, refused) = (None, false, false, false);
        let entry = Entry { number, topic, payload, message, packet_id, sent_before, done, refused };
        self.entries.push_back(entry);
        self.hand_on();
    }

    /// Hands messages to the connection, as many as its window allows.
    fn hand_on(&mut self) {
        let Some(hand) = self.hand.clone() else { return };
        while self.handed < self.window {
            let Some(entry) = self.entries.get_mut(self.handed) else { return };
            if entry.packet_bytes() > self.terms.max_packet {
                let (topic, length, most) = (entry.topic.clone(), entry.payload.len(), self.terms.max_packet);
                tracing::warn!("gave up a message of {length} bytes on `{topic}`: the broker takes {most}");
                let number = entry.number;
                self.entries.remove(self.handed);
                self.stats.refused += 1;
                self.fates.extend(number.map(Fate::GivenUp));
                continue;
            }
            let qos = match entry.message.delivery {
                Delivery::AtMostOnce => Qos::AtMostOnce,
                Delivery::AtLeastOnce => Qos::AtLeastOnce,
                Delivery::ExactlyOnce => Qos::ExactlyOnce,
                Delivery::Usual => self.usual,
            };
            let qos = qos.min(self.terms.max_qos);
            if qos == Qos::ExactlyOnce && self.handed >= self.terms.window_twice {
                return;
            }
            let retain = entry.message.retain && self.terms.retains;
            if !hand.publish(&entry.topic, qos, retain, entry.payload.clone()) {
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

    /// The broker will never take the message of this packet id.
    pub(super) fn was_refused(&mut self, packet_id: u16, why: &str) {
        let sent = self.entries.iter_mut().take(self.sent);
        if let Some(entry) = sent.into_iter().find(|e| e.packet_id == Some(packet_id)) {
            (entry.done, entry.refused, entry.packet_id) = (true, true, None);
            let length = entry.payload.len();
            tracing::warn!("gave up a message of {length} bytes on `{}`: the broker says that {why}", entry.topic);
            self.let_go();
        }
    }

    /// Counts what is done with.
    fn settle(&mut self, entry: &Entry) {
        if entry.refused {
            self.stats.refused += 1;
            self.fates.extend(entry.number.map(Fate::GivenUp));
        } else {
            self.stats.acknowledged += 1;
            self.fates.extend(entry.number.map(Fate::Acknowledged));
        }
    }

    /// Lets go of what is done at the front, and hands on what follows.
    fn let_go(&mut self) {
        while let Some(entry) = self.entries.pop_front_if(|e| e.done) {
            self.settle(&entry);
            self.handed = self.handed.saturating_sub(1);
            self.sent = self.sent.saturating_sub(1);
            self.progress = true;
        }
        if self.progress && self.strikes > 0 {
            self.strikes = 0;
            self.window = WINDOW.min(self.terms.window);
        }
        self.hand_on();
    }

    /// The connection takes messages from now on, on these terms.
    pub(super) fn begin(&mut self, hand: Arc<dyn Hand>, terms: Terms) {
        self.hand = Some(hand);
        self.window = if self.strikes >= 2 { 1 } else { WINDOW.min(terms.window) };
        self.terms = terms;
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
        for mut entry in std::mem::take(&mut self.entries) {
            if entry.done {
                self.settle(&entry);
            } else {
                entry.packet_id = None;
                self.entries.push_back(entry);
            }
        }
        self.hand = None;
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

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Mutex;

    /// What was published: topic, QoS, retained.
    #[derive(Default)]
    struct Sent(Mutex<Vec<(String, Qos, bool)>>);

    impl Hand for Sent {
        fn subscribe(&self, _: &[String], _: Qos) -> bool {
            false
        }

        fn publish(&self, topic: &str, qos: Qos, retain: bool, _: Vec<u8>) -> bool {
            self.0.lock().unwrap().push((topic.into(), qos, retain));
            true
        }

        fn acknowledge(&self, _: u16, _: Qos) -> bool {
            false
        }

        fn leave(&self) -> bool {
            false
        }
    }

    fn message(delivery: Delivery) -> Message {
        Message { delivery, retain: true }
    }

    #[test]
    fn messages_go_on_the_terms_of_the_broker() {
        let mut outbox = Outbox::new(Qos::ExactlyOnce);
        for (topic, length, delivery) in [
            ("a", 10, Delivery::Usual),
            ("long", 100, Delivery::Usual),
            ("b", 10, Delivery::AtLeastOnce),
            ("c", 10, Delivery::AtMostOnce),
        ] {
            outbox.take(topic, vec![0; length], message(delivery), Some(length as u64));
        }
        let sent = Arc::new(Sent::default());
        let plain = Terms::plain(false, Duration::ZERO);
        let terms = Terms { window: 2, max_qos: Qos::AtLeastOnce, retains: false, max_packet: 64, ..plain };
        outbox.begin(Arc::clone(&sent) as Arc<dyn Hand>, terms);
        let expected = [("a".to_owned(), Qos::AtLeastOnce, false), ("b".to_owned(), Qos::AtLeastOnce, false)];
        assert_eq!(*sent.0.lock().unwrap(), expected, "two at once, and the long one is given up");
        assert_eq!((outbox.stats.refused, outbox.fates.as_slice()), (1, [Fate::GivenUp(100)].as_slice()));
        outbox.was_sent(1);
        outbox.was_acknowledged(1);
        assert_eq!(sent.0.lock().unwrap().last().unwrap().1, Qos::AtMostOnce);
    }

    #[test]
    fn few_go_at_once_at_qos_2_where_the_broker_does_not_say_how_many() {
        let mut outbox = Outbox::new(Qos::ExactlyOnce);
        let sent = Arc::new(Sent::default());
        let plain = Terms::plain(false, Duration::ZERO);
        let most = plain.window_twice;
        outbox.begin(Arc::clone(&sent) as Arc<dyn Hand>, plain);
        for _ in 0..100 {
            outbox.take("t", vec![1], Message::default(), None);
        }
        assert_eq!(sent.0.lock().unwrap().len(), most);
        for id in 1..=3 {
            outbox.was_sent(id);
            outbox.was_acknowledged(id);
        }
        assert_eq!(sent.0.lock().unwrap().len(), most + 3);
    }

    #[test]
    fn what_the_broker_will_never_take_stops_nothing() {
        let mut outbox = Outbox::new(Qos::AtLeastOnce);
        let sent = Arc::new(Sent::default());
        outbox.begin(Arc::clone(&sent) as Arc<dyn Hand>, Terms::plain(false, Duration::ZERO));
        for number in 0..3 {
            outbox.take("t", vec![1], Message::default(), Some(number));
            outbox.was_sent(number as u16 + 1);
        }
        assert!(sent.0.lock().unwrap().iter().all(|s| s.1 == Qos::AtLeastOnce));
        outbox.was_refused(2, "we may not");
        outbox.was_acknowledged(1);
        outbox.was_acknowledged(3);
        assert_eq!(outbox.fates, [Fate::Acknowledged(0), Fate::GivenUp(1), Fate::Acknowledged(2)]);
        assert_eq!((outbox.stats.acknowledged, outbox.stats.refused, outbox.entries.len()), (2, 1, 0));
    }
}
