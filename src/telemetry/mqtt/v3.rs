//! MQTT 3.1.1, by rumqttc.

use super::wire::{Event, Hand, Message, Plan, Terms, Wire};
use super::{Address, Failure};
use crate::site::project::Qos;
use rumqttc::{
    AsyncClient, EventLoop, Incoming, LastWill, MqttOptions, Outgoing, Packet, Publish, QoS, SubscribeFilter,
    SubscribeReasonCode, Transport,
};
use std::sync::Arc;

/// A connection that speaks MQTT 3.1.1.
pub(super) struct Wire3 {
    address: Address,
    client: AsyncClient,
    events: EventLoop,
    connected: bool,
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

impl Wire for Wire3 {
    fn new(address: &Address, plan: &Plan<'_>) -> Self {
        let mut options = MqttOptions::new(plan.client_id, address.host(), address.port());
        options.set_keep_alive(address.keep_alive());
        options.set_max_packet_size(plan.incoming, plan.outgoing);
        // Two words in MQTT 5, one here: what is kept at the end is what was there at the beginning.
        options.set_clean_session(plan.forget || !plan.keep);
        options.set_manual_acks(plan.manual);
        options.set_inflight(plan.inflight.max(1));
        if let Some((user, password)) = address.login() {
            options.set_credentials(user, password);
        }
        if let Some(tls) = address.tls() {
            options.set_transport(Transport::tls_with_config(tls));
        }
        if let Some((topic, payload)) = &plan.will {
            options.set_last_will(LastWill::new(topic, payload.clone(), QoS::AtLeastOnce, true));
        }
        let (client, mut events) = AsyncClient::new(options, plan.requests);
        events.network_options.set_connection_timeout(super::CONNECT_TIMEOUT_S);
        events.network_options.set_tcp_nodelay(true);
        Self { address: address.clone(), client, events, connected: false }
    }

    async fn next(&mut self) -> Result<Event, Failure> {
        match self.events.poll().await {
            Ok(rumqttc::Event::Incoming(packet)) => Ok(self.came(packet)),
            Ok(rumqttc::Event::Outgoing(what)) => Ok(went(&what)),
            Err(error) => Err(Failure::explain(&error, &self.address, self.connected)),
        }
    }

    fn left(&mut self) -> Option<Event> {
        Some(match self.events.state.events.pop_front()? {
            rumqttc::Event::Incoming(packet) => self.came(packet),
            rumqttc::Event::Outgoing(what) => went(&what),
        })
    }

    fn is_drained(&self) -> bool {
        self.events.state.events.is_empty()
    }

    fn hand(&self) -> Arc<dyn Hand> {
        Arc::new(self.client.clone())
    }
}

impl Wire3 {
    fn came(&mut self, packet: Incoming) -> Event {
        match packet {
            Packet::ConnAck(ack) => {
                self.connected = true;
                if ack.session_present {
                    self.expect_releases();
                }
                Event::Connected(Terms::plain(ack.session_present, self.address.keep_alive()))
            }
            Packet::Publish(message) => Event::Message(Message::V3(message)),
            Packet::SubAck(ack) => {
                let why = |code: &SubscribeReasonCode| matches!(code, SubscribeReasonCode::Failure).then(|| "".into());
                Event::Subscribed(ack.return_codes.iter().map(why).collect())
            }
            Packet::PubAck(ack) => Event::Done(ack.pkid),
            Packet::PubComp(ack) => Event::Done(ack.pkid),
            Packet::PubRel(release) => Event::Released(release.pkid),
            _ => Event::Other,
        }
    }

    /// A broker with a session of ours may go on with the second half of a QoS 2 message whose first half came on a
    /// connection before. The client, which is new, would take that for a broken protocol and end the connection, again
    /// and again: so it is told that all of them may come.
    fn expect_releases(&mut self) {
        let mut message = Publish::new("", QoS::ExactlyOnce, Vec::new());
        for id in 1..=u16::MAX {
            message.pkid = id;
            let _ = self.events.state.handle_incoming_packet(Packet::Publish(message.clone()));
            self.events.state.events.clear();
        }
    }
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
        self.try_subscribe_many(filters.iter().map(|f| SubscribeFilter::new(f.clone(), theirs(qos)))).is_ok()
    }

    fn publish(&self, topic: &str, qos: Qos, retain: bool, payload: Vec<u8>) -> bool {
        self.try_publish(topic, theirs(qos), retain, payload).is_ok()
    }

    fn acknowledge(&self, id: u16, qos: Qos) -> bool {
        let mut message = Publish::new("", theirs(qos), Vec::new());
        message.pkid = id;
        self.try_ack(&message).is_ok()
    }

    fn leave(&self) -> bool {
        self.try_disconnect().is_ok()
    }
}
