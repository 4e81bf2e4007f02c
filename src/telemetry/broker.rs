//! The broker inside Plenum: MQTT 3.1.1 on loopback, for a site that has none of its own.
//!
//! Limits:
//! - It listens on 127.0.0.1 only, without TLS and without login: whoever may run programs on this
//!   machine may publish to it.
//! - Nothing is kept on disk. It keeps the last [`LOG_BYTES`] of each subscription's messages in
//!   memory (some five times as much with what rumqttd keeps beside them; it does not grow further): a
//!   subscriber that falls further behind loses the oldest, without a word. Plenum's own never waits (see
//!   [`mod@super::queue`]); what another one loses, [`super::sequence`] would count.
//! - A client that sends a payload longer than the project's `max_payload_bytes` is disconnected.
//! - Stopping closes the port and every connection. rumqttd gives its router no way to end: its thread
//!   sleeps, and its log stays in memory, until the program ends. So a program should not start brokers
//!   by the hundred.

use crate::problem::Problem;
use rumqttd::protocol::v4::V4;
use rumqttd::{ConnectionSettings, LinkType, Router, RouterConfig, Server, ServerSettings};
use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::mpsc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};
use tokio::sync::oneshot;

/// Messages of one subscription that are kept for a subscriber that falls behind, bytes.
pub const LOG_BYTES: usize = LOG_SEGMENT * LOG_SEGMENTS;
const LOG_SEGMENT: usize = 256 << 10;
const LOG_SEGMENTS: usize = 16;

/// More clients than this at once are turned away.
pub const MAX_CLIENTS: usize = 200;

/// How long a start may take.
const PATIENCE: Duration = Duration::from_secs(5);

/// A broker that runs until it is stopped or dropped.
#[derive(Debug)]
pub struct EmbeddedBroker {
    address: SocketAddr,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl EmbeddedBroker {
    /// Starts a broker on 127.0.0.1; port 0 is any free one.
    ///
    /// # Errors
    /// The port is in use, or may not be listened on.
    pub fn start(port: u16, max_payload_bytes: usize) -> Result<Self, Problem> {
        // Between finding a free port and listening on it another program may take it.
        let attempts = if port == 0 { 5 } else { 1 };
        let mut last = None;
        for _ in 0..attempts {
            let address = free_port(port)?;
            match Self::start_at(address, max_payload_bytes) {
                Ok(broker) => return Ok(broker),
                Err(problem) => last = Some(problem),
            }
        }
        Err(last.unwrap_or_else(|| cannot_listen(port, &io::Error::other("no free port"))))
    }

    fn start_at(address: SocketAddr, max_payload_bytes: usize) -> Result<Self, Problem> {
        let place = || format!("embedded broker on {address}");
        let cannot_start = |e: io::Error| Problem::error(place(), format!("cannot start: {e}"), "");
        let router = Router::new(
            0,
            RouterConfig {
                max_connections: MAX_CLIENTS,
                max_outgoing_packet_count: 500,
                max_segment_size: LOG_SEGMENT,
                max_segment_count: LOG_SEGMENTS,
                ..RouterConfig::default()
            },
        )
        .spawn();
        let settings = ServerSettings {
            name: "plenum".into(),
            listen: address,
            tls: None,
            next_connection_delay_ms: 1,
            connections: ConnectionSettings {
                connection_timeout_ms: 5000,
                // It measures the packet: topic and header come on top of the payload.
                max_payload_size: max_payload_bytes.saturating_add(1024),
                max_inflight_count: 500,
                auth: None,
                external_auth: None,
                dynamic_filters: false,
            },
        };
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(cannot_start)?;
        let (stop, stopped) = oneshot::channel();
        let (failed, failure) = mpsc::channel();
        let thread = std::thread::Builder::new()
            .name("plenum-broker".into())
            .spawn(move || {
                let mut server = Server::new(settings, router, V4);
                runtime.block_on(async {
                    tokio::select! {
                        ended = server.start(LinkType::Remote) => {
                            let reason = ended.err().map_or_else(|| "it ended".to_owned(), |e| e.to_string());
                            tracing::error!("the embedded broker stopped: {reason}");
                            let _ = failed.send(reason);
                        }
                        _ = stopped => {}
                    }
                });
                // Dropping the runtime closes the port and every connection.
            })
            .map_err(cannot_start)?;
        let broker = Self { address, stop: Some(stop), thread: Some(thread) };

        let deadline = Instant::now() + PATIENCE;
        loop {
            if let Ok(reason) = failure.try_recv() {
                return Err(Problem::error(place(), format!("cannot start: {reason}"), "choose another port"));
            }
            if TcpStream::connect_timeout(&address, Duration::from_millis(200)).is_ok() {
                return Ok(broker);
            }
            if Instant::now() > deadline {
                return Err(Problem::error(place(), "does not answer", "look whether a firewall guards loopback"));
            }
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// True while it runs.
    pub fn is_running(&self) -> bool {
        self.thread.as_ref().is_some_and(|t| !t.is_finished())
    }

    /// Closes the port and every connection, and waits until that is done.
    pub fn stop(&mut self) {
        if let Some(stop) = self.stop.take() {
            let _ = stop.send(());
        }
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

impl Drop for EmbeddedBroker {
    fn drop(&mut self) {
        self.stop();
    }
}

/// A port that can be listened on right now.
fn free_port(port: u16) -> Result<SocketAddr, Problem> {
    TcpListener::bind((Ipv4Addr::LOCALHOST, port))
        .and_then(|listener| listener.local_addr())
        .map_err(|e| cannot_listen(port, &e))
}

fn cannot_listen(port: u16, e: &io::Error) -> Problem {
    let place = format!("embedded broker on 127.0.0.1:{port}");
    match e.kind() {
        io::ErrorKind::AddrInUse => Problem::error(
            place,
            format!("port {port} is in use by another program"),
            "set `port = 0` under [broker] for any free port, or name another one",
        ),
        io::ErrorKind::PermissionDenied => Problem::error(
            place,
            format!("port {port} may not be listened on"),
            "set `port = 0` under [broker] for any free port, or one above 1023",
        ),
        _ => Problem::error(place, format!("cannot listen: {e}"), "set `port = 0` under [broker] for any free port"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn starts_stops_and_frees_its_port() {
        let mut broker = EmbeddedBroker::start(0, 262_144).unwrap();
        let address = broker.address();
        assert!(address.ip().is_loopback() && broker.is_running());
        let taken = EmbeddedBroker::start(address.port(), 262_144).unwrap_err();
        assert!(taken.message.contains("in use"), "{taken}");
        broker.stop();
        assert!(!broker.is_running());
        let again = EmbeddedBroker::start(address.port(), 262_144).unwrap();
        assert_eq!(again.address(), address);
    }
}
