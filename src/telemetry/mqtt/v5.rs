//! MQTT 5, by rumqttc's second half.
//!
//! What is kept out here, over what [`super`] says of both:
//!
//! - It hands a message with a topic alias on without its topic: we grant the broker no aliases.
//! - It panics at keep-alives below five seconds: ours are at least that. What the broker asks for instead counts, and
//!   where the broker asks for none (which the client takes for a ping without end), ours does.
//! - A message that the broker refuses at QoS 2 stays in the client's count of those on their way for ever: the
//!   connection is built anew.
//! - It tells nobody why a broker does not let us in but by the code, and does not follow a broker to another server.

use super::reasons;
use super::wire::{Event, Hand, Message, Plan, Terms, Wire};
use super::{Address, Failure};
use crate::site::project::Qos;
use rumqttc::v5::mqttbytes::QoS;
use rumqttc::v5::mqttbytes::v5::{
    ConnAck, ConnectProperties, Filter, LastWill, Packet, PubAckReason, PubRecReason, Publish, SubscribeReasonCode,
};
use rumqttc::v5::{AsyncClient, EventLoop, MqttOptions};
use rumqttc::{NetworkOptions, Outgoing, Transport};
use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

/// Shorter keep-alives make the client panic.
const LEAST_KEEP_ALIVE: Duration = Duration::from_secs(5);

/// A connection that speaks MQTT 5.
pub(super) struct Wire5 {
    address: Address,
    client: AsyncClient,
    events: EventLoop,
    connected: bool,
    inflight: u16,
    /// How long we asked the broker to keep the session, seconds.
    keep_s: u32,
}

fn theirs(qos: Qos) -> QoS {
    match qos {
        Qos::AtMostOnce => QoS::AtMostOnce,
        Qos::AtLeastOnce => QoS::AtLeastOnce,
        Qos::ExactlyOnce => QoS::ExactlyOnce,
    }
}

pub(super) fn ours(qos: QoS) -> Qos {
    match qos {
        QoS::AtMostOnce => Qos::AtMostOnce,
        QoS::AtLeastOnce => Qos::AtLeastOnce,
        QoS::ExactlyOnce => Qos::ExactlyOnce,
    }
}

impl Wire for Wire5 {
    fn new(address: &Address, plan: &Plan<'_>) -> Self {
        let mut options = MqttOptions::new(plan.client_id, address.host(), address.port());
        options.set_keep_alive(address.keep_alive().max(LEAST_KEEP_ALIVE));
        let keep_s = if plan.keep { address.session_expiry_s() } else { 0 };
        let mut properties = ConnectProperties::new();
        properties.session_expiry_interval = Some(keep_s);
        properties.receive_maximum = Some(address.receive_maximum());
        properties.max_packet_size = Some(u32::try_from(plan.incoming).unwrap_or(u32::MAX));
        properties.topic_alias_max = Some(0);
        options.set_connect_properties(properties);
        options.set_clean_start(plan.forget || !plan.keep);
        options.set_manual_acks(plan.manual);
        options.set_outgoing_inflight_upper_limit(plan.inflight.max(1));
        options.set_connection_timeout(super::CONNECT_TIMEOUT_S);
        let mut network = NetworkOptions::new();
        network.set_connection_timeout(super::CONNECT_TIMEOUT_S);
        network.set_tcp_nodelay(true);
        options.set_network_options(network);
        if let Some((user, password)) = address.login() {
            options.set_credentials(user, password);
        }
        if let Some(tls) = address.tls() {
            options.set_transport(Transport::tls_with_config(tls));
        }
        if let Some((topic, payload)) = &plan.will {
            options.set_last_will(LastWill::new(topic, payload.clone(), QoS::AtLeastOnce, true, None));
        }
        let inflight = plan.inflight.max(1);
        let (client, events) = AsyncClient::new(options, plan.requests);
        Self { address: address.clone(), client, events, connected: false, inflight, keep_s }
    }

    async fn next(&mut self) -> Result<Event, Failure> {
        match self.events.poll().await {
            Ok(rumqttc::v5::Event::Incoming(packet)) => Ok(self.came(packet)),
            Ok(rumqttc::v5::Event::Outgoing(what)) => Ok(went(&what)),
            Err(error) => Err(reasons::explain(&error, &self.address, self.connected)),
        }
    }

    fn left(&mut self) -> Option<Event> {
        Some(match self.events.state.events.pop_front()? {
            rumqttc::v5::Event::Incoming(packet) => self.came(packet),
            rumqttc::v5::Event::Outgoing(what) => went(&what),
        })
    }

    fn is_drained(&self) -> bool {
        self.events.state.events.is_empty()
    }

    fn hand(&self) -> Arc<dyn Hand> {
        Arc::new(self.client.clone())
    }
}

impl Wire5 {
    fn came(&mut self, packet: Packet) -> Event {
        match packet {
            Packet::ConnAck(ack) => {
                self.connected = true;
                if ack.session_present {
                    self.expect_releases();
                }
                Event::Connected(self.terms(&ack))
            }
            Packet::Publish(message) => Event::Message(Message::V5(message)),
            Packet::SubAck(ack) => Event::Subscribed(ack.return_codes.iter().map(|c| not_granted(*c)).collect()),
            Packet::PubAck(ack) => match reasons::not_taken(ack.reason) {
                None => Event::Done(ack.pkid),
                // The message has gone from the client's count with this.
                Some(why) => Event::NotTaken { id: ack.pkid, why, is_last: false },
            },
            Packet::PubRec(ack) => match reasons::not_taken(at_qos_1(ack.reason)) {
                None => Event::Other,
                Some(why) => Event::NotTaken { id: ack.pkid, why, is_last: true },
            },
            // Not found: it let go of it before, so it had it.
            Packet::PubComp(ack) => Event::Done(ack.pkid),
            Packet::PubRel(release) => Event::Released(release.pkid),
            _ => Event::Other,
        }
    }

    fn terms(&mut self, ack: &ConnAck) -> Terms {
        // The client has taken over what the broker said; none at all would have it ping without end.
        if self.events.options.keep_alive().is_zero() {
            self.events.options.set_keep_alive(self.address.keep_alive().max(LEAST_KEEP_ALIVE));
        }
        let mut terms = Terms::plain(ack.session_present, self.events.options.keep_alive());
        // The client's packet ids go round within the smaller of the two, and none may be used a second time while it
        // is waited for; one is our subscription's.
        terms.window = usize::from(self.inflight.saturating_sub(1).max(1));
        terms.window_twice = terms.window;
        let Some(said) = &ack.properties else { return terms };
        if let Some(most) = said.receive_max {
            terms.window = terms.window.min(usize::from(most.saturating_sub(1).max(1)));
            terms.window_twice = terms.window;
        }
        terms.max_qos = match said.max_qos {
            Some(0) => Qos::AtMostOnce,
            Some(1) => Qos::AtLeastOnce,
            _ => Qos::ExactlyOnce,
        };
        terms.retains = said.retain_available != Some(0);
        terms.shares = said.shared_subscription_available != Some(0);
        terms.wildcards = said.wildcard_subscription_available != Some(0);
        terms.max_packet = said.max_packet_size.map_or(usize::MAX, |s| s as usize);
        terms.keeps_s = said.session_expiry_interval.filter(|s| *s < self.keep_s);
        terms
    }

    /// As in [`super::v3`]: a broker with a session of ours may go on in the middle of a QoS 2 message.
    fn expect_releases(&mut self) {
        let mut message = Publish::new("", QoS::ExactlyOnce, Vec::new(), None);
        for id in 1..=u16::MAX {
            message.pkid = id;
            let _ = self.events.state.handle_incoming_packet(Packet::Publish(message.clone()));
            self.events.state.events.clear();
        }
    }
}

/// The two enumerations say the same.
fn at_qos_1(reason: PubRecReason) -> PubAckReason {
    match reason {
        PubRecReason::Success => PubAckReason::Success,
        PubRecReason::NoMatchingSubscribers => PubAckReason::NoMatchingSubscribers,
        PubRecReason::UnspecifiedError => PubAckReason::UnspecifiedError,
        PubRecReason::ImplementationSpecificError => PubAckReason::ImplementationSpecificError,
        PubRecReason::NotAuthorized => PubAckReason::NotAuthorized,
        PubRecReason::TopicNameInvalid => PubAckReason::TopicNameInvalid,
        PubRecReason::PacketIdentifierInUse => PubAckReason::PacketIdentifierInUse,
        PubRecReason::QuotaExceeded => PubAckReason::QuotaExceeded,
        PubRecReason::PayloadFormatInvalid => PubAckReason::PayloadFormatInvalid,
    }
}

fn not_granted(code: SubscribeReasonCode) -> Option<Cow<'static, str>> {
    Some(Cow::Borrowed(match code {
        SubscribeReasonCode::Success(_) => return None,
        SubscribeReasonCode::NotAuthorized => "this user may not",
        SubscribeReasonCode::TopicFilterInvalid => "it does not take such a filter",
        SubscribeReasonCode::QuotaExceeded => "it grants us no more filters",
        SubscribeReasonCode::SharedSubscriptionsNotSupported => "it knows no shared subscriptions: leave `share` out",
        SubscribeReasonCode::WildcardSubscriptionsNotSupported => "it knows no filters with # and +",
        _ => "",
    }))
}

fn went(what: &Outgoing) -> Event {
    match what {
        Outgoing::Publish(id) => Event::Sent(*id),
        Outgoing::Disconnect => Event::Left,
        _ => Event::OtherSent,
    }
}

impl Hand for AsyncClient {
    fn subscribe(&self, filters: &[String], qos: Qos) -> bool {
        self.try_subscribe_many(filters.iter().map(|f| Filter::new(f.clone(), theirs(qos)))).is_ok()
    }

    fn publish(&self, topic: &str, qos: Qos, retain: bool, payload: Vec<u8>) -> bool {
        self.try_publish(topic, theirs(qos), retain, payload).is_ok()
    }

    fn acknowledge(&self, id: u16, qos: Qos) -> bool {
        let mut message = Publish::new("", theirs(qos), Vec::new(), None);
        message.pkid = id;
        self.try_ack(&message).is_ok()
    }

    fn leave(&self) -> bool {
        self.try_disconnect().is_ok()
    }
}
