//! The MQTT client behind one trait: what Plenum asks of it and hears of it, whatever the version of the protocol.
//!
//! [`super::v3`] and [`super::v5`] are the two that there are. Neither names a type of the client outside its file, so
//! that what goes in and out of them is written once.

use super::{Address, Failure};
use crate::site::project::Qos;
use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

/// What a connection is to be like.
#[derive(Clone, Debug)]
pub(super) struct Plan<'a> {
    pub(super) client_id: &'a str,
    /// The longest packet that is read, bytes.
    pub(super) incoming: usize,
    /// The longest packet that is written, bytes.
    pub(super) outgoing: usize,
    /// Requests that may wait for the connection.
    pub(super) requests: usize,
    /// Messages of ours that may wait for the broker's acknowledgement; their packet ids go round in as many.
    pub(super) inflight: u16,
    /// What the broker remembers of us is to be forgotten now.
    pub(super) forget: bool,
    /// The broker keeps the session when the connection ends.
    pub(super) keep: bool,
    /// Messages are acknowledged by [`Hand::acknowledge`] and not by themselves.
    pub(super) manual: bool,
    /// What the broker publishes and keeps when the connection ends without a good-bye.
    pub(super) will: Option<(String, Vec<u8>)>,
}

/// One connection to a broker, from before its first packet to its end; it is never used for a second one.
pub(super) trait Wire: Sized + Send {
    /// A connection that [`Self::next`] will make.
    fn new(address: &Address, plan: &Plan<'_>) -> Self;

    /// Waits for what happens next. It must not be dropped before it is ready: what was half written would be lost.
    fn next(&mut self) -> impl Future<Output = Result<Event, Failure>> + Send;

    /// After the end: what came in one read with it and was not handed out yet.
    fn left(&mut self) -> Option<Event>;

    /// True when all that came in the last read was handed out.
    fn is_drained(&self) -> bool;

    /// The way to have it send something, from any thread.
    fn hand(&self) -> Arc<dyn Hand>;
}

/// Has a connection send something; never waits. False: there is no room, or the connection has ended.
pub(super) trait Hand: Send + Sync {
    /// Subscribes to all of these.
    fn subscribe(&self, filters: &[String], qos: Qos) -> bool;

    /// Publishes. [`Event::Sent`] follows once it is written.
    fn publish(&self, topic: &str, qos: Qos, retain: bool, payload: Vec<u8>) -> bool;

    /// Acknowledges a message: PUBACK, or PUBREC for QoS 2.
    fn acknowledge(&self, id: u16, qos: Qos) -> bool;

    /// Says good-bye. [`Event::Left`] follows.
    fn leave(&self) -> bool;
}

/// What happened on a connection.
#[derive(Debug)]
pub(super) enum Event {
    /// The broker has let us in.
    Connected(Terms),
    /// A message came.
    Message(Message),
    /// What became of our subscription: for each filter nothing, or why the broker does not grant it.
    Subscribed(Vec<Option<Cow<'static, str>>>),
    /// The broker has a message of ours for good: PUBACK, or PUBCOMP for QoS 2.
    Done(u16),
    /// The broker does not take this message of ours, and says why.
    NotTaken {
        /// Its packet id.
        id: u16,
        /// Why, and whether another attempt is in vain.
        why: (&'static str, bool),
        /// The client cannot go on after this: it is to be built anew.
        is_last: bool,
    },
    /// The broker will not send the QoS 2 message of this packet id again: PUBREL.
    Released(u16),
    /// Something else came from the broker.
    Other,
    /// A message of ours is written, under this packet id; 0 at QoS 0.
    Sent(u16),
    /// Our good-bye is written.
    Left,
    /// Something else of ours is written.
    OtherSent,
}

impl Event {
    /// True for what came from the broker: it is alive.
    pub(super) fn is_incoming(&self) -> bool {
        !matches!(self, Self::Sent(_) | Self::Left | Self::OtherSent)
    }
}

/// A broker that speaks MQTT 3.1.1 does not say how many messages it takes at once at QoS 2. mosquitto takes 20 unless it
/// is told otherwise (`max_inflight_messages`), and of more that come at once it acknowledges some and hands them to
/// nobody.
const UNSAID: usize = 10;

/// On which terms the broker lets us in. MQTT 3.1.1 knows only the first; for the others it may do everything.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Terms {
    /// It has a session of ours.
    pub(super) has_session: bool,
    /// The keep-alive that counts.
    pub(super) keep_alive: Duration,
    /// So many messages of ours may wait for its acknowledgement.
    pub(super) window: usize,
    /// So many where one of them is at QoS 2.
    pub(super) window_twice: usize,
    /// The most that it does for a message of ours.
    pub(super) max_qos: Qos,
    /// It keeps messages for who subscribes later.
    pub(super) retains: bool,
    /// The longest packet that it takes, bytes.
    pub(super) max_packet: usize,
    /// How long it keeps our session, seconds, where that is less than asked for.
    pub(super) keeps_s: Option<u32>,
    /// It knows shared subscriptions.
    pub(super) shares: bool,
    /// It knows filters with wildcards.
    pub(super) wildcards: bool,
}

impl Terms {
    /// Everything goes.
    pub(super) fn plain(has_session: bool, keep_alive: Duration) -> Self {
        Self {
            has_session,
            keep_alive,
            window: usize::MAX,
            window_twice: UNSAID,
            max_qos: Qos::ExactlyOnce,
            retains: true,
            max_packet: usize::MAX,
            keeps_s: None,
            shares: true,
            wildcards: true,
        }
    }
}

/// A message from the broker.
#[derive(Debug)]
pub(super) enum Message {
    /// As MQTT 3.1.1 brings it.
    V3(rumqttc::Publish),
    /// As MQTT 5 brings it; what its properties say of content and expiry is the broker's and the publisher's matter.
    V5(rumqttc::v5::mqttbytes::v5::Publish),
}

impl Message {
    /// Its topic; what is no UTF-8 in it is replaced, so that no point is found by it.
    pub(super) fn topic(&self) -> Cow<'_, str> {
        match self {
            Self::V3(m) => Cow::Borrowed(&m.topic),
            Self::V5(m) => String::from_utf8_lossy(&m.topic),
        }
    }

    pub(super) fn payload(&self) -> &[u8] {
        match self {
            Self::V3(m) => &m.payload,
            Self::V5(m) => &m.payload,
        }
    }

    /// It was kept by the broker from before we subscribed.
    pub(super) fn is_stored(&self) -> bool {
        match self {
            Self::V3(m) => m.retain,
            Self::V5(m) => m.retain,
        }
    }

    /// The broker sent it before, and has not heard that we have it.
    pub(super) fn is_again(&self) -> bool {
        match self {
            Self::V3(m) => m.dup,
            Self::V5(m) => m.dup,
        }
    }

    pub(super) fn qos(&self) -> Qos {
        match self {
            Self::V3(m) => super::v3::ours(m.qos),
            Self::V5(m) => super::v5::ours(m.qos),
        }
    }

    /// Its packet id; 0 at QoS 0.
    pub(super) fn id(&self) -> u16 {
        match self {
            Self::V3(m) => m.pkid,
            Self::V5(m) => m.pkid,
        }
    }
}
