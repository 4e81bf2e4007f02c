//! Where a broker is and how to get in.

use crate::problem::Problem;
use crate::site::project::{Broker, BrokerUrl, MqttVersion, Qos};
use rumqttc::TlsConfiguration;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use std::fmt;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

/// A broker's address with all that is needed to connect: nothing is read from disk any more.
#[derive(Clone)]
pub struct Address {
    host: String,
    port: u16,
    tls: Option<Arc<ClientConfig>>,
    user: Option<String>,
    password: String,
    keep_alive: Duration,
    embedded: bool,
    version: MqttVersion,
    qos: Qos,
    session_expiry_s: u32,
    receive_maximum: u16,
}

impl fmt::Debug for Address {
    /// Never shows the password.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Address").field("url", &self.url()).field("user", &self.user).finish_non_exhaustive()
    }
}

impl Address {
    /// What a project says of its broker, with its secrets and certificates read. `embedded` is where
    /// the embedded broker listens, for a project that asks for one.
    ///
    /// # Errors
    /// A secret or certificate cannot be read, the host is no name, or it would mean plain text or no login to
    /// another machine and the project does not say that this is meant so.
    pub fn resolve(broker: &Broker, embedded: Option<SocketAddr>) -> Result<Self, Problem> {
        let keep_alive = Duration::from_secs(u64::from(broker.keep_alive_s.max(1)));
        match (&broker.url, embedded) {
            (BrokerUrl::Embedded { .. }, Some(at)) => Ok(Self::embedded(at)),
            (BrokerUrl::Embedded { port: 0 }, None) => Err(Problem::error(
                "[broker]",
                "the embedded broker runs inside another program, on a port that is not known",
                "name it: --broker mqtt://127.0.0.1:PORT, as `plenum run` shows it",
            )),
            (BrokerUrl::Embedded { port }, None) => {
                Ok(Self::embedded(SocketAddr::from((std::net::Ipv4Addr::LOCALHOST, *port))))
            }
            (BrokerUrl::Remote { host, port, tls }, _) => {
                let host = host.trim_start_matches('[').trim_end_matches(']').to_owned();
                let place = format!("[broker] {host}:{port}");
                if let Err((message, remedy)) = broker.safety() {
                    return Err(Problem::error(place, message, remedy));
                }
                let password = match &broker.password {
                    Some(secret) => secret.read()?,
                    None => String::new(),
                };
                if broker.user.is_none() && broker.password.is_some() {
                    return Err(Problem::error(place, "a password without a user", "name `user` under [broker]"));
                }
                let tls = if *tls { Some(tls_config(broker, &host, &place)?) } else { None };
                let user = broker.user.clone();
                Ok(Self {
                    host,
                    port: *port,
                    tls,
                    user,
                    password,
                    keep_alive,
                    embedded: false,
                    version: broker.version,
                    qos: broker.qos,
                    session_expiry_s: broker.session_expiry_s,
                    receive_maximum: broker.receive_maximum.max(1),
                })
            }
        }
    }

    /// A broker that runs on this machine, without TLS and login.
    pub fn embedded(at: SocketAddr) -> Self {
        Self {
            host: at.ip().to_string(),
            port: at.port(),
            tls: None,
            user: None,
            password: String::new(),
            keep_alive: Duration::from_secs(30),
            embedded: true,
            version: MqttVersion::V3,
            qos: Qos::AtLeastOnce,
            session_expiry_s: 0,
            receive_maximum: u16::MAX,
        }
    }

    /// True for a broker inside this program, or another Plenum's on this machine.
    pub fn is_embedded(&self) -> bool {
        self.embedded
    }

    /// `mqtts://host:8883`.
    pub fn url(&self) -> String {
        let scheme = if self.tls.is_some() { "mqtts" } else { "mqtt" };
        let host = if self.host.contains(':') { format!("[{}]", self.host) } else { self.host.clone() };
        format!("{scheme}://{host}:{}", self.port)
    }

    /// `embedded 127.0.0.1:1883`, or the URL.
    pub fn label(&self) -> String {
        if self.embedded { format!("embedded {}:{}", self.host, self.port) } else { self.url() }
    }

    /// The user name.
    pub fn user(&self) -> Option<&str> {
        self.user.as_deref()
    }

    pub(super) fn keep_alive(&self) -> Duration {
        self.keep_alive
    }

    pub(super) fn host(&self) -> &str {
        &self.host
    }

    pub(super) fn port(&self) -> u16 {
        self.port
    }

    /// User and password.
    pub(super) fn login(&self) -> Option<(&str, &str)> {
        Some((self.user.as_deref()?, &self.password))
    }

    pub(super) fn tls(&self) -> Option<TlsConfiguration> {
        self.tls.as_ref().map(|tls| TlsConfiguration::Rustls(Arc::clone(tls)))
    }

    /// The version of MQTT that is spoken.
    pub fn version(&self) -> MqttVersion {
        self.version
    }

    /// How surely messages come and go, unless a message says otherwise.
    pub fn qos(&self) -> Qos {
        self.qos
    }

    pub(super) fn session_expiry_s(&self) -> u32 {
        self.session_expiry_s
    }

    pub(super) fn receive_maximum(&self) -> u16 {
        self.receive_maximum
    }
}

fn tls_config(broker: &Broker, host: &str, place: &str) -> Result<Arc<ClientConfig>, Problem> {
    let refuse = |message: String, remedy: &str| Problem::error(place, message, remedy);
    if ServerName::try_from(host).is_err() {
        return Err(refuse(format!("`{host}` is neither a host name nor an address"), "mend `url` under [broker]"));
    }
    let roots = match &broker.ca {
        Some(file) => authorities(file)?,
        None => system_authorities(place)?,
    };
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|e| refuse(format!("TLS cannot be set up: {e}"), ""))?
        .with_root_certificates(roots);
    let config = match (&broker.cert, &broker.key) {
        (None, None) => config.with_no_client_auth(),
        (Some(cert), Some(key)) => {
            let chain = certificates(cert)?;
            let bytes = std::fs::read(key).map_err(|e| cannot_read(key, &e.to_string()))?;
            let private = PrivateKeyDer::from_pem_slice(&bytes)
                .map_err(|e| cannot_read(key, &format!("it holds no private key in PEM form: {e}")))?;
            config.with_client_auth_cert(chain, private).map_err(|e| {
                refuse(format!("certificate and key do not go together: {e}"), "mend `cert` and `key` under [broker]")
            })?
        }
        _ => {
            return Err(refuse(
                "`cert` and `key` belong together, and one is missing".into(),
                "name both under [broker], or none",
            ));
        }
    };
    Ok(Arc::new(config))
}

fn authorities(file: &Path) -> Result<RootCertStore, Problem> {
    let mut roots = RootCertStore::empty();
    for certificate in certificates(file)? {
        roots.add(certificate).map_err(|e| cannot_read(file, &format!("it is no authority's certificate: {e}")))?;
    }
    Ok(roots)
}

fn system_authorities(place: &str) -> Result<RootCertStore, Problem> {
    let found = rustls_native_certs::load_native_certs();
    let mut roots = RootCertStore::empty();
    let (added, _) = roots.add_parsable_certificates(found.certs);
    if added > 0 {
        return Ok(roots);
    }
    let why = found.errors.first().map(|e| format!(": {e}")).unwrap_or_default();
    Err(Problem::error(
        place,
        format!("this system has no certificate authorities{why}"),
        "name the broker's as `ca` under [broker], or install the package ca-certificates",
    ))
}

fn certificates(file: &Path) -> Result<Vec<CertificateDer<'static>>, Problem> {
    let bytes = std::fs::read(file).map_err(|e| cannot_read(file, &e.to_string()))?;
    let found: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&bytes).collect();
    match found {
        Ok(list) if !list.is_empty() => Ok(list),
        Ok(_) => Err(cannot_read(file, "it holds no certificate in PEM form")),
        Err(e) => Err(cannot_read(file, &format!("it is not PEM: {e}"))),
    }
}

fn cannot_read(file: &Path, why: &str) -> Problem {
    Problem::error(file.display().to_string(), why, "mend the file, or its path under [broker]")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::site::project::Secret;

    fn remote(host: &str, tls: bool) -> Broker {
        Broker { url: BrokerUrl::Remote { host: host.into(), port: 1883, tls }, ..Broker::default() }
    }

    #[test]
    fn plain_text_stays_on_this_machine() {
        for host in ["localhost", "127.0.0.1", "127.9.9.9", "::1", "[::1]"] {
            assert!(Address::resolve(&remote(host, false), None).is_ok(), "{host}");
        }
        for host in ["broker.example", "10.0.0.1", "0.0.0.0", "localhost.example"] {
            let problem = Address::resolve(&remote(host, false), None).unwrap_err();
            assert!(problem.remedy.contains("mqtts://"), "{problem}");
        }
        let trusted = Broker { allow_insecure: true, ..remote("10.0.0.1", false) };
        assert!(Address::resolve(&trusted, None).is_ok(), "on a network that is trusted");
        let nobody = Address::resolve(&remote("10.0.0.1", true), None).unwrap_err();
        assert!(nobody.remedy.contains("allow_anonymous = true"), "{nobody}");
    }

    #[test]
    fn the_password_is_never_shown() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), "hush-hush\r\n").unwrap();
        let mut broker = remote("localhost", false);
        broker.password = Some(Secret::File(file.path().into()));
        assert!(Address::resolve(&broker, None).unwrap_err().message.contains("without a user"));
        broker.user = Some("plenum".into());
        let address = Address::resolve(&broker, None).unwrap();
        assert_eq!(address.password, "hush-hush");
        assert!(!format!("{address:?} {} {}", address.label(), address.url()).contains("hush"));
        broker.password = Some(Secret::Environment("PLENUM_TEST_NOT_SET".into()));
        assert!(Address::resolve(&broker, None).unwrap_err().message.contains("PLENUM_TEST_NOT_SET"));
    }

    #[test]
    fn certificates_that_cannot_be_used() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("ca.pem");
        let mut broker = remote("localhost", true);
        broker.ca = Some(file.clone());
        assert!(Address::resolve(&broker, None).unwrap_err().place.contains("ca.pem"));
        for bad in [&b""[..], b"garbage", b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"] {
            std::fs::write(&file, bad).unwrap();
            assert!(Address::resolve(&broker, None).unwrap_err().place.contains("ca.pem"));
        }
    }

    #[test]
    fn labels() {
        let at: SocketAddr = "127.0.0.1:18830".parse().unwrap();
        assert_eq!(Address::resolve(&Broker::default(), Some(at)).unwrap().label(), "embedded 127.0.0.1:18830");
        assert_eq!(Address::resolve(&remote("::1", false), None).unwrap().url(), "mqtt://[::1]:1883");
        assert!(Address::resolve(&Broker::default(), None).is_err());
    }
}
