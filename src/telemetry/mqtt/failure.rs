//! Why a connection ended, in words that help.

use super::Address;
use rumqttc::{ConnectReturnCode, ConnectionError, StateError, TlsError, mqttbytes};
use std::io;

/// What kind of end it was: it decides how soon to try again and what to show.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// The network, or the broker, went away.
    Lost,
    /// We are not let in.
    Refused,
    /// The broker sent a packet longer than any we take.
    TooLarge,
}

/// Why a connection ended.
#[derive(Clone, Debug)]
pub(super) struct Failure {
    pub(super) kind: Kind,
    pub(super) reason: String,
    /// Length of the packet, where it was too long.
    pub(super) length: usize,
}

impl Failure {
    pub(super) fn lost(reason: impl Into<String>) -> Self {
        Self { kind: Kind::Lost, reason: reason.into(), length: 0 }
    }

    pub(super) fn refused(reason: impl Into<String>) -> Self {
        Self { kind: Kind::Refused, reason: reason.into(), length: 0 }
    }

    /// What rumqttc says, in words that help. `connected`: the broker had let us in before.
    pub(super) fn explain(error: &ConnectionError, address: &Address, connected: bool) -> Self {
        let url = address.url();
        match error {
            ConnectionError::ConnectionRefused(code) => Self::refused(refusal(*code, address)),
            ConnectionError::NetworkTimeout => Self::lost(format!("{url} does not answer")),
            ConnectionError::FlushTimeout => Self::lost(format!("{url} takes nothing any more")),
            ConnectionError::NotConnAck(_) => Self::refused(format!("what listens at {url} is no MQTT broker")),
            ConnectionError::RequestsDone => Self::lost("the client was stopped"),
            ConnectionError::Io(e) => Self::io(e, &url, connected),
            ConnectionError::Tls(e) => match e {
                TlsError::Io(e) => Self::io(e, &url, connected),
                TlsError::TLS(e) => Self::refused(certificate(&e.to_string(), &url)),
                e => Self::refused(format!("TLS to {url}: {e}")),
            },
            ConnectionError::MqttState(state) => Self::state(state, &url, connected),
        }
    }

    fn state(state: &StateError, url: &str, connected: bool) -> Self {
        match state {
            StateError::Io(e) | StateError::Deserialization(mqttbytes::Error::Io(e)) => Self::io(e, url, connected),
            StateError::ConnectionAborted => Self::closed(url, connected),
            StateError::AwaitPingResp => Self::lost(format!("{url} is silent")),
            StateError::Deserialization(mqttbytes::Error::PayloadSizeLimitExceeded(length)) => Self {
                kind: Kind::TooLarge,
                reason: format!("{url} sent a packet of {length} bytes, which is more than Plenum takes"),
                length: *length,
            },
            StateError::Deserialization(e) if !connected => {
                Self::refused(format!("what listens at {url} does not speak MQTT 3.1.1: {e}"))
            }
            e => Self::lost(format!("{url} broke the protocol: {e}")),
        }
    }

    pub(super) fn io(e: &io::Error, url: &str, connected: bool) -> Self {
        // rustls hands its own errors on inside I/O errors; so do the codec's.
        if let Some(tls) = e.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>()) {
            return Self::refused(certificate(&tls.to_string(), url));
        }
        match e.kind() {
            io::ErrorKind::ConnectionRefused => Self::lost(format!("nothing listens at {url}")),
            io::ErrorKind::ConnectionAborted
            | io::ErrorKind::ConnectionReset
            | io::ErrorKind::BrokenPipe
            | io::ErrorKind::UnexpectedEof => Self::closed(url, connected),
            io::ErrorKind::TimedOut => Self::lost(format!("{url} does not answer")),
            _ if e.to_string().contains("lookup") => Self::lost(format!("the host of {url} is not known: {e}")),
            _ => Self::lost(format!("{url}: {e}")),
        }
    }

    pub(super) fn closed(url: &str, connected: bool) -> Self {
        if connected {
            return Self::lost(format!("{url} closed the connection"));
        }
        Self::lost(format!("{url} closed the connection before letting us in: is it MQTT, and TLS where it must be?"))
    }
}

fn refusal(code: ConnectReturnCode, address: &Address) -> String {
    let url = address.url();
    match (code, address.user()) {
        (ConnectReturnCode::BadUserNamePassword | ConnectReturnCode::NotAuthorized, Some(user)) => {
            format!("{url} does not let user `{user}` in: wrong user or password, or not allowed")
        }
        (ConnectReturnCode::BadUserNamePassword | ConnectReturnCode::NotAuthorized, None) => {
            format!("{url} asks for a user and password: name `user` and `password_env` under [broker]")
        }
        (ConnectReturnCode::BadClientId, _) => format!("{url} does not take this client id: name another `client_id`"),
        (ConnectReturnCode::ServiceUnavailable, _) => format!("{url} says that it is not available"),
        (ConnectReturnCode::RefusedProtocolVersion, _) => format!("{url} does not speak MQTT 3.1.1"),
        (code, _) => format!("{url} refused: {code:?}"),
    }
}

pub(super) fn certificate(error: &str, url: &str) -> String {
    let lower = error.to_lowercase();
    // A signature fails to fit where two authorities have one name.
    if ["unknownissuer", "unknown issuer", "badsignature"].iter().any(|w| lower.contains(w)) {
        format!("the certificate of {url} is not from the authority named in `ca`")
    } else if lower.contains("notvalidforname") || lower.contains("not valid for name") {
        format!("the certificate of {url} is for another host name")
    } else if lower.contains("expired") {
        format!("the certificate of {url} has expired, or this machine's clock is wrong")
    } else if lower.contains("certificaterequired") || lower.contains("handshakefailure") {
        format!("{url} asks for a client certificate: name `cert` and `key` under [broker]")
    } else if lower.contains("corrupt message") || lower.contains("invalidcontenttype") {
        format!("what listens at {url} does not speak TLS")
    } else {
        format!("TLS to {url}: {error}")
    }
}
