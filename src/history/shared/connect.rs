//! The connection to the server: safe by default, made again when it broke.

use crate::history::{HistoryError, Reason};
use std::future::Future;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tokio::runtime::Runtime;
use tokio_postgres::config::{Host, SslMode};
use tokio_postgres::error::SqlState;
use tokio_postgres::{Client, Config, NoTls};
use tokio_postgres_rustls::MakeRustlsConnect;

/// Longer than this nobody waits for a connection.
const CONNECT: Duration = Duration::from_secs(10);

/// Where the server is and how it is spoken to.
#[derive(Clone, Debug)]
pub struct Address {
    /// `postgres://user@host:5432/database`; a password in it counts, and is shown nowhere.
    pub url: String,
    /// The password; none: that of the URL, or none at all.
    pub password: Option<String>,
    /// How the connection is kept from others.
    pub secure: Secure,
}

/// How a connection is kept from others.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Secure {
    /// TLS with a certificate that fits the server's name, by the system's authorities; without TLS on this machine.
    #[default]
    Usual,
    /// TLS with a certificate of this authority (PEM), on this machine too.
    Authority(PathBuf),
    /// Without TLS wherever it is: somebody said so.
    Open,
}

impl Address {
    /// The address without its password and whatever stands behind a `?`.
    pub fn shown(&self) -> String {
        let Some((scheme, rest)) = self.url.split_once("://") else { return "the address of the history".into() };
        let rest = rest.split('?').next().unwrap_or_default();
        match rest.rsplit_once('@') {
            Some((user, host)) => {
                let user = user.split(':').next().unwrap_or_default();
                format!("{scheme}://{user}@{host}")
            }
            None => format!("{scheme}://{rest}"),
        }
    }

    fn config(&self) -> Result<Config, HistoryError> {
        let mut config: Config = self
            .url
            .parse()
            .map_err(|e| HistoryError::new(Reason::Wrong, self.shown(), format!("the address cannot be read: {e}")))?;
        if let Some(password) = &self.password {
            config.password(password);
        }
        config.connect_timeout(CONNECT).application_name("plenum");
        config.ssl_mode(if self.uses_tls(&config) { SslMode::Require } else { SslMode::Disable });
        Ok(config)
    }

    fn uses_tls(&self, config: &Config) -> bool {
        match &self.secure {
            Secure::Open => false,
            Secure::Authority(_) => true,
            Secure::Usual => !config.get_hosts().iter().all(is_here),
        }
    }
}

fn is_here(host: &Host) -> bool {
    match host {
        Host::Tcp(name) => name == "localhost" || name.parse::<std::net::IpAddr>().is_ok_and(|a| a.is_loopback()),
        #[cfg(unix)]
        Host::Unix(_) => true,
    }
}

/// A connection with the thread's own runtime.
pub(super) struct Link {
    address: Address,
    config: Config,
    tls: Option<MakeRustlsConnect>,
    runtime: Runtime,
    client: Option<Client>,
}

impl Link {
    /// Not yet connected.
    pub fn new(address: &Address) -> Result<Self, HistoryError> {
        let config = address.config()?;
        let tls = if address.uses_tls(&config) { Some(tls(address)?) } else { None };
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(|e| HistoryError::new(Reason::Gone, address.shown(), e.to_string()))?;
        Ok(Self { address: address.clone(), config, tls, runtime, client: None })
    }

    pub fn address(&self) -> &Address {
        &self.address
    }

    /// Does something with the client; connects before where it must. What failed because the connection broke may be
    /// tried again.
    pub fn run<T, F>(&mut self, act: impl FnOnce(Client) -> F) -> Result<T, HistoryError>
    where
        F: Future<Output = (Client, Result<T, tokio_postgres::Error>)>,
    {
        let shown = self.address.shown();
        let Self { config, tls, runtime, client, .. } = self;
        runtime.block_on(async {
            let own = match client.take().filter(|c| !c.is_closed()) {
                Some(own) => own,
                None => connect(config, tls.clone()).await.map_err(|e| error(&shown, &e))?,
            };
            let (own, result) = act(own).await;
            if !own.is_closed() {
                *client = Some(own);
            }
            result.map_err(|e| error(&shown, &e))
        })
    }
}

async fn connect(config: &Config, tls: Option<MakeRustlsConnect>) -> Result<Client, tokio_postgres::Error> {
    // The other half does the talking; it ends with the client.
    match tls {
        Some(tls) => {
            let (client, connection) = config.connect(tls).await?;
            tokio::spawn(async move { drop(connection.await) });
            Ok(client)
        }
        None => {
            let (client, connection) = config.connect(NoTls).await?;
            tokio::spawn(async move { drop(connection.await) });
            Ok(client)
        }
    }
}

fn tls(address: &Address) -> Result<MakeRustlsConnect, HistoryError> {
    let wrong = |message: String| HistoryError::new(Reason::Wrong, address.shown(), message);
    let mut roots = rustls::RootCertStore::empty();
    match &address.secure {
        Secure::Authority(file) => {
            use rustls::pki_types::pem::PemObject;
            let at = |e: String| wrong(format!("the authority {}: {e}", file.display()));
            let certificates = rustls::pki_types::CertificateDer::pem_file_iter(file).map_err(|e| at(e.to_string()))?;
            for certificate in certificates {
                roots.add(certificate.map_err(|e| at(e.to_string()))?).map_err(|e| at(e.to_string()))?;
            }
            if roots.is_empty() {
                return Err(at("there is no certificate in it".into()));
            }
        }
        _ => {
            let found = rustls_native_certs::load_native_certs();
            let (added, _) = roots.add_parsable_certificates(found.certs);
            if added == 0 {
                return Err(wrong("this machine has no certificate authorities: name one for the history".into()));
            }
        }
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|e| wrong(e.to_string()))?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(MakeRustlsConnect::new(config))
}

/// What an error of the server means to people.
pub(super) fn error(shown: &str, e: &tokio_postgres::Error) -> HistoryError {
    let reason = match e.code() {
        Some(code) if *code == SqlState::DISK_FULL => Reason::Full,
        Some(code) if [SqlState::INSUFFICIENT_PRIVILEGE, SqlState::READ_ONLY_SQL_TRANSACTION].contains(code) => {
            Reason::ReadOnly
        }
        Some(code) if [SqlState::INVALID_PASSWORD, SqlState::INVALID_AUTHORIZATION_SPECIFICATION].contains(code) => {
            Reason::Wrong
        }
        Some(code) if [SqlState::DATA_CORRUPTED, SqlState::INDEX_CORRUPTED].contains(code) => Reason::Damaged,
        _ => Reason::Gone,
    };
    // The server's own words, where it said any: "password authentication failed".
    let mut message = e.as_db_error().map_or_else(|| e.to_string(), |db| db.message().to_string());
    if let Some(source) = std::error::Error::source(e).filter(|_| e.as_db_error().is_none()) {
        message = format!("{message}: {source}");
    }
    HistoryError::new(reason, shown, message)
}
