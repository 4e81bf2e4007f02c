//! `[broker]` and `[[brokers]]`: where samples come from.

use super::Secret;
use std::path::PathBuf;

mod read;

pub(crate) use read::{read, read_all};

const URL_REMEDY: &str = "write \"embedded\", \"mqtt://127.0.0.1:1883\" or \"mqtts://HOST:8883\"";

/// Where samples come from.
#[derive(Clone, Debug, PartialEq)]
pub struct Broker {
    /// What people call it; points name it by this.
    pub name: String,
    /// The broker, embedded or at an address.
    pub url: BrokerUrl,
    /// The version of MQTT that is spoken with it.
    pub version: MqttVersion,
    /// How surely messages come from it, and go to it.
    pub qos: Qos,
    /// User name; none: no login.
    pub user: Option<String>,
    /// Where the password is found; it never stands in the project file.
    pub password: Option<Secret>,
    /// PEM file with the certificate authority; none: the system's.
    pub ca: Option<PathBuf>,
    /// PEM file with the client's certificate chain.
    pub cert: Option<PathBuf>,
    /// PEM file with the client's private key.
    pub key: Option<PathBuf>,
    /// MQTT client id; none: made from the project's name and this machine's.
    pub client_id: Option<String>,
    /// Which of several twins with one project file on one machine this is: it goes behind the client id.
    pub instance: Option<String>,
    /// Topic filters.
    pub subscribe: Vec<String>,
    /// The group of twins that share what comes: each message goes to one of them.
    pub share: Option<String>,
    /// Keep-alive, seconds.
    pub keep_alive_s: u16,
    /// MQTT 5: how long the broker keeps what comes while we are away, seconds; `u32::MAX` is for ever.
    pub session_expiry_s: u32,
    /// MQTT 5: so many messages the broker may send before it waits for acknowledgements.
    pub receive_maximum: u16,
    /// Plain text, and no login, to another machine is accepted: the network itself is trusted.
    pub allow_insecure: bool,
    /// No login to another machine is accepted, where TLS says that it is the right one.
    pub allow_anonymous: bool,
}

impl Default for Broker {
    fn default() -> Self {
        Self {
            name: "broker".into(),
            url: BrokerUrl::Embedded { port: 0 },
            version: MqttVersion::V3,
            qos: Qos::AtLeastOnce,
            user: None,
            password: None,
            ca: None,
            cert: None,
            key: None,
            client_id: None,
            instance: None,
            subscribe: vec!["#".into()],
            share: None,
            keep_alive_s: 10,
            session_expiry_s: 14 * 86_400,
            receive_maximum: 1000,
            allow_insecure: false,
            allow_anonymous: false,
        }
    }
}

impl Broker {
    /// True for one that may be reached as the project says: on this machine, or with TLS and a login, or because the
    /// project says in so many words that it may be without; else what is missing, and what to write.
    ///
    /// # Errors
    /// What is missing, and what to do.
    pub fn safety(&self) -> Result<(), (String, String)> {
        let BrokerUrl::Remote { host, tls, .. } = &self.url else { return Ok(()) };
        if self.allow_insecure || is_loopback(host.trim_start_matches('[').trim_end_matches(']')) {
            return Ok(());
        }
        if !tls {
            return Err((
                format!(
                    "mqtt://{host} sends everything, passwords too, in the clear: whoever is on the network can read \
                     and forge what the sensors say"
                ),
                format!("write mqtts://{host}:8883; on a network that you trust, allow_insecure = true"),
            ));
        }
        if self.user.is_none() && self.cert.is_none() && !self.allow_anonymous {
            return Err((
                format!("{host} is on another machine, and is asked for nothing but its own certificate"),
                "name `user` and `password_env`, or `cert` and `key`; where the broker lets everybody in and that is \
                 meant so, allow_anonymous = true"
                    .into(),
            ));
        }
        Ok(())
    }
}

/// A version of MQTT.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum MqttVersion {
    /// 3.1.1, which every broker knows.
    #[default]
    V3,
    /// 5.
    V5,
}

/// How surely a message arrives (MQTT 3.1.1, 4.3).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Qos {
    /// QoS 0: it is lost when the connection breaks under it.
    AtMostOnce,
    /// QoS 1: it is sent until it is acknowledged, so it may come twice.
    #[default]
    AtLeastOnce,
    /// QoS 2: it comes once.
    ExactlyOnce,
}

/// A broker's address.
#[derive(Clone, Debug, PartialEq)]
pub enum BrokerUrl {
    /// Inside Plenum, on loopback; port 0 is any free one.
    Embedded {
        /// TCP port.
        port: u16,
    },
    /// Somewhere else; without TLS on loopback only.
    Remote {
        /// Host name or address.
        host: String,
        /// TCP port.
        port: u16,
        /// `mqtts://`.
        tls: bool,
    },
}

impl BrokerUrl {
    /// Reads `embedded`, `mqtt://HOST[:PORT]` or `mqtts://HOST[:PORT]`.
    ///
    /// # Errors
    /// What is wrong with it, and what to write instead.
    pub fn parse(text: &str) -> Result<Self, (String, String)> {
        let refuse = |message: String| Err((message, URL_REMEDY.to_owned()));
        if text == "embedded" {
            return Ok(BrokerUrl::Embedded { port: 0 });
        }
        let (tls, rest) = match text.split_once("://") {
            Some(("mqtt", rest)) => (false, rest),
            Some(("mqtts", rest)) => (true, rest),
            Some((scheme, _)) => return refuse(format!("`{scheme}://` is not a way to a broker")),
            None => return refuse(format!("`{text}` is no address of a broker")),
        };
        if rest.contains('@') {
            let remedy = "write `user` and `password_env` as keys of their own";
            return Err(("a user or a password does not belong in the address".into(), remedy.into()));
        }
        let rest = rest.strip_suffix('/').unwrap_or(rest);
        let (host, port) = match rest.strip_prefix('[').and_then(|r| r.split_once(']')) {
            Some((host, after)) => {
                (host, after.strip_prefix(':').or(if after.is_empty() { None } else { Some(after) }))
            }
            None => rest.split_once(':').map_or((rest, None), |(host, port)| (host, Some(port))),
        };
        let odd = |c: char| !(c.is_alphanumeric() || matches!(c, '.' | '-' | '_' | ':'));
        if host.is_empty() || host.contains(odd) {
            return refuse(format!("`{text}` names no host"));
        }
        let port = match port.map(str::parse::<u16>) {
            None => {
                if tls {
                    8883
                } else {
                    1883
                }
            }
            Some(Ok(port)) if port > 0 => port,
            Some(_) => return refuse(format!("`{text}` has no port between 1 and 65535 after its host")),
        };
        Ok(BrokerUrl::Remote { host: host.to_owned(), port, tls })
    }
}

/// True for this machine itself.
pub(crate) fn is_loopback(host: &str) -> bool {
    let bytes: Option<Vec<u8>> = host.split('.').map(|part| part.parse().ok()).collect();
    host.eq_ignore_ascii_case("localhost") || host == "::1" || bytes.is_some_and(|b| b.len() == 4 && b[0] == 127)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses() {
        let remote = |host: &str, port, tls| Ok(BrokerUrl::Remote { host: host.into(), port, tls });
        assert_eq!(BrokerUrl::parse("embedded"), Ok(BrokerUrl::Embedded { port: 0 }));
        assert_eq!(BrokerUrl::parse("mqtt://localhost"), remote("localhost", 1883, false));
        assert_eq!(BrokerUrl::parse("mqtts://b.example/"), remote("b.example", 8883, true));
        assert_eq!(BrokerUrl::parse("mqtts://10.0.0.7:9999"), remote("10.0.0.7", 9999, true));
        assert_eq!(BrokerUrl::parse("mqtt://[::1]:1884"), remote("::1", 1884, false));
        assert_eq!(BrokerUrl::parse("mqtt://[::1]"), remote("::1", 1883, false));
        for bad in [
            "",
            "broker.example",
            "http://x",
            "mqtt://",
            "mqtt://:1883",
            "mqtt://x:0",
            "mqtt://x:99999",
            "mqtt://x:y",
            "mqtt://a b",
            "mqtt://x/y",
            "mqtt://[::1]x",
            "mqtts://user:secret@x",
        ] {
            let (message, remedy) = BrokerUrl::parse(bad).expect_err(bad);
            assert!(!message.contains("secret") && !remedy.is_empty(), "{bad}: {message}");
        }
    }

    #[test]
    fn loopback_is_this_machine() {
        for here in ["localhost", "127.0.0.1", "127.1.2.3", "::1"] {
            assert!(is_loopback(here), "{here}");
        }
        for elsewhere in ["127.example.org", "10.0.0.1", "127.0.0", "broker", ""] {
            assert!(!is_loopback(elsewhere), "{elsewhere}");
        }
    }
}
