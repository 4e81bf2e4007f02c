//! What MQTT 5 says by its reason codes, in words that help.

use super::Address;
use super::failure::{Failure, Kind, certificate};
use rumqttc::v5::mqttbytes::Error as WireError;
use rumqttc::v5::mqttbytes::v5::{ConnectReturnCode, DisconnectReasonCode, PubAckReason};
use rumqttc::v5::{ConnectionError, StateError, TlsError};

/// What rumqttc says, in words that help. `connected`: the broker had let us in before.
pub(super) fn explain(error: &ConnectionError, address: &Address, connected: bool) -> Failure {
    let url = address.url();
    match error {
        ConnectionError::ConnectionRefused(code) => refused(*code, address),
        ConnectionError::Timeout(_) if !connected => {
            Failure::lost(format!("{url} does not answer; one that knows MQTT 3.1.1 only may do so"))
        }
        ConnectionError::Timeout(_) => Failure::lost(format!("{url} does not answer")),
        ConnectionError::NotConnAck(_) => Failure::refused(format!("what listens at {url} is no MQTT broker")),
        ConnectionError::RequestsDone => Failure::lost("the client was stopped"),
        ConnectionError::Io(e) => Failure::io(e, &url, connected),
        ConnectionError::Tls(e) => match e {
            TlsError::Io(e) => Failure::io(e, &url, connected),
            TlsError::TLS(e) => Failure::refused(certificate(&e.to_string(), &url)),
            e => Failure::refused(format!("TLS to {url}: {e}")),
        },
        ConnectionError::MqttState(state) => of_state(state, address, connected),
    }
}

fn of_state(state: &StateError, address: &Address, connected: bool) -> Failure {
    let url = address.url();
    match state {
        StateError::Io(e) | StateError::Deserialization(WireError::Io(e)) => Failure::io(e, &url, connected),
        // A good-bye without a reason is the one packet that the client cannot read.
        StateError::ConnectionAborted | StateError::Deserialization(WireError::PayloadRequired) => {
            let mut failure = Failure::closed(&url, connected);
            if !connected {
                failure.reason.push_str(" Or does it know MQTT 3.1.1 only?");
            }
            failure
        }
        StateError::AwaitPingResp => Failure::lost(format!("{url} is silent")),
        StateError::ServerDisconnect { reason_code, reason_string } => ended(*reason_code, reason_string, &url),
        StateError::ConnFail { reason } => refused(*reason, address),
        StateError::Deserialization(WireError::PayloadSizeLimitExceeded { pkt_size, .. })
        | StateError::IncomingPacketTooLarge { pkt_size, .. } => Failure {
            kind: Kind::TooLarge,
            reason: format!("{url} sent a packet of {pkt_size} bytes, which is more than Plenum takes"),
            length: *pkt_size,
        },
        StateError::OutgoingPacketTooLarge { pkt_size, max }
        | StateError::Deserialization(WireError::OutgoingPacketTooLarge { pkt_size, max }) => {
            Failure::lost(format!("a message of {pkt_size} bytes is longer than the {max} that {url} takes"))
        }
        StateError::Deserialization(e) if !connected => {
            Failure::refused(format!("what listens at {url} does not speak MQTT 5: {e}"))
        }
        e => Failure::lost(format!("{url} broke the protocol: {e}")),
    }
}

/// Why we are not let in.
fn refused(code: ConnectReturnCode, address: &Address) -> Failure {
    use ConnectReturnCode as C;
    let url = address.url();
    let lost = |what: &str| Failure::lost(format!("{url} {what}"));
    Failure::refused(match (code, address.user()) {
        (C::BadUserNamePassword | C::NotAuthorized, Some(user)) => {
            format!("{url} does not let user `{user}` in: wrong user or password, or not allowed")
        }
        (C::BadUserNamePassword | C::NotAuthorized, None) => {
            format!("{url} asks for a user and password: name `user` and `password_env` under [broker]")
        }
        (C::ClientIdentifierNotValid | C::BadClientId, _) => {
            format!("{url} does not take this client id: name another `client_id`")
        }
        (C::UnsupportedProtocolVersion | C::RefusedProtocolVersion, _) => {
            format!("{url} does not speak MQTT 5: leave `version` out")
        }
        (C::ServerUnavailable | C::ServiceUnavailable, _) => return lost("says that it is not available"),
        (C::ServerBusy, _) => return lost("says that it is too busy"),
        (C::ConnectionRateExceeded, _) => return lost("lets nobody in for now: too many come at once"),
        (C::QuotaExceeded, _) => return lost("has as many clients, or as much of ours, as it may"),
        (C::Banned, _) => format!("{url} has banned this client"),
        (C::BadAuthenticationMethod, _) => format!("{url} asks for a way to log in that Plenum does not know"),
        (C::UseAnotherServer | C::ServerMoved, _) => {
            format!("{url} says that we should use another server: ask for its address, and mend `url` under [broker]")
        }
        (C::PacketTooLarge, _) => format!("{url} finds our CONNECT too long"),
        (C::RetainNotSupported, _) => format!("{url} keeps no messages, so it does not take our last will"),
        (C::QoSNotSupported, _) => format!("{url} does not take the QoS of our last will"),
        (code, _) => format!("{url} refused: {code:?}"),
    })
}

/// Why the broker ended the connection.
fn ended(code: DisconnectReasonCode, said: &Option<String>, url: &str) -> Failure {
    use DisconnectReasonCode as D;
    let words = match code {
        D::NormalDisconnection | D::DisconnectWithWillMessage => "closed the connection",
        D::NotAuthorized => "does not allow what we did",
        D::ServerBusy => "is too busy",
        D::ServerShuttingDown => "is shutting down",
        D::KeepAliveTimeout => "had heard nothing of us for too long",
        D::SessionTakenOver => "let another client in under our client id",
        D::TopicFilterInvalid => "does not take one of our topic filters",
        D::TopicNameInvalid => "does not take the topic of a message",
        D::ReceiveMaximumExceeded => "was sent more at once than it takes",
        D::PacketTooLarge => "was sent a message longer than it takes",
        D::MessageRateTooHigh => "was sent messages too fast",
        D::QuotaExceeded => "has as much of ours as it may",
        D::AdministrativeAction => "was told by its administrator to close the connection",
        D::PayloadFormatInvalid => "does not take the payload of a message",
        D::RetainNotSupported => "keeps no messages for later",
        D::QoSNotSupported => "does not take messages of this QoS",
        D::UseAnotherServer | D::ServerMoved => "says that we should use another server",
        D::SharedSubscriptionNotSupported => "knows no shared subscriptions: leave `share` out",
        D::ConnectionRateExceeded => "was connected to too often",
        D::MaximumConnectTime => "lets nobody stay for longer",
        D::WildcardSubscriptionsNotSupported => "knows no filters with # and +",
        D::SubscriptionIdentifiersNotSupported => "does not take our subscription",
        D::MalformedPacket | D::ProtocolError | D::TopicAliasInvalid => "says that we broke the protocol",
        D::UnspecifiedError | D::ImplementationSpecificError => "closed the connection over an error of its own",
    };
    let said = said.as_ref().filter(|s| !s.is_empty()).map(|s| format!(" (“{}”)", short(s))).unwrap_or_default();
    let reason = format!("{url} {words}{said}");
    match code {
        D::NotAuthorized | D::SharedSubscriptionNotSupported | D::WildcardSubscriptionsNotSupported => {
            Failure::refused(reason)
        }
        _ => Failure::lost(reason),
    }
}

/// What others write is no longer than a line.
fn short(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(120).collect()
}

/// Why a message of ours was not taken, and whether another attempt is in vain; none where it was.
pub(super) fn not_taken(reason: PubAckReason) -> Option<(&'static str, bool)> {
    Some(match reason {
        PubAckReason::Success | PubAckReason::NoMatchingSubscribers => return None,
        PubAckReason::NotAuthorized => ("we may not publish there", true),
        PubAckReason::TopicNameInvalid => ("it does not take its topic", true),
        PubAckReason::PayloadFormatInvalid => ("it does not take its payload", true),
        PubAckReason::QuotaExceeded => ("it has as much of ours as it may", false),
        PubAckReason::PacketIdentifierInUse => ("it takes it for another message", false),
        PubAckReason::UnspecifiedError | PubAckReason::ImplementationSpecificError => {
            ("it has an error of its own", false)
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address() -> Address {
        Address::embedded("127.0.0.1:1883".parse().unwrap())
    }

    #[test]
    fn reason_codes_are_told_in_words() {
        let explained = |e| explain(&e, &address(), false);
        let not_in = explained(ConnectionError::ConnectionRefused(ConnectReturnCode::NotAuthorized));
        assert_eq!(not_in.kind, Kind::Refused);
        assert!(not_in.reason.contains("asks for a user and password"), "{}", not_in.reason);
        let old = explained(ConnectionError::ConnectionRefused(ConnectReturnCode::UnsupportedProtocolVersion));
        assert!(old.reason.contains("leave `version` out"), "{}", old.reason);
        let busy = explained(ConnectionError::ConnectionRefused(ConnectReturnCode::ServerBusy));
        assert_eq!(busy.kind, Kind::Lost, "it is tried again soon");
        let (code, said) = (DisconnectReasonCode::SessionTakenOver, Some("so\nlong".to_owned()));
        let state = StateError::ServerDisconnect { reason_code: code, reason_string: said };
        let over = explain(&ConnectionError::MqttState(state), &address(), true);
        assert!(over.reason.contains("another client in under our client id (“solong”)"), "{}", over.reason);
    }

    #[test]
    fn a_long_packet_and_a_good_bye_without_reason() {
        let state = |e| explain(&ConnectionError::MqttState(StateError::Deserialization(e)), &address(), true);
        let long = state(WireError::PayloadSizeLimitExceeded { pkt_size: 99, max: 9 });
        assert_eq!((long.kind, long.length), (Kind::TooLarge, 99));
        assert!(state(WireError::PayloadRequired).reason.ends_with("closed the connection"));
    }

    #[test]
    fn what_is_tried_again_and_what_is_not() {
        assert_eq!(not_taken(PubAckReason::NoMatchingSubscribers), None, "nobody listens: that is no fault");
        assert_eq!(not_taken(PubAckReason::NotAuthorized).map(|w| w.1), Some(true));
        assert_eq!(not_taken(PubAckReason::QuotaExceeded).map(|w| w.1), Some(false));
    }
}
