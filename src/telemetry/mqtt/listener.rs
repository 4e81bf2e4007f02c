//! What comes in and is no telemetry: receipts, say. A connection on its own thread that comes back by itself.

use super::backoff::Backoff;
use super::failure::{Failure, Kind};
use super::{Address, ConnectionStatus, RETRY, Stop, Worker, lock};
use crate::problem::Problem;
use crate::telemetry::topics::is_filter;
use crate::telemetry::wall_clock;
use rumqttc::{AsyncClient, Event, Packet, QoS, SubscribeFilter, SubscribeReasonCode};
use std::pin::pin;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// The longest packet, bytes: a longer one ends the connection.
const MAX_PACKET: usize = 1 << 20;

/// Hears topics until it is stopped or dropped. What is published while the connection is away is not heard.
pub struct Listener {
    shared: Arc<Shared>,
    worker: Worker,
}

struct Shared {
    status: Mutex<ConnectionStatus>,
    changed: Condvar,
}

impl Shared {
    fn set(&self, status: ConnectionStatus) {
        *lock(&self.status) = status;
        self.changed.notify_all();
    }
}

type Hear = Box<dyn FnMut(&str, &[u8]) + Send>;

impl Listener {
    /// Starts to connect, and returns at once. `hear` gets topic and payload on the connection's thread: it must not
    /// wait. `client_id` is this listener's own.
    ///
    /// # Errors
    /// A filter is none, or the system gives no thread.
    pub fn start(
        address: &Address,
        client_id: &str,
        filters: &[String],
        hear: impl FnMut(&str, &[u8]) + Send + 'static,
    ) -> Result<Self, Problem> {
        if let Some(bad) = filters.iter().find(|f| !is_filter(f)) {
            let message = format!("`{bad}` is no topic filter");
            return Err(Problem::error(address.label(), message, "`#` stands alone at the end, `+` between slashes"));
        }
        let shared = Arc::new(Shared { status: Mutex::new(ConnectionStatus::Connecting), changed: Condvar::new() });
        let stop = Arc::new(Stop::default());
        let ear = Ear {
            address: address.clone(),
            client_id: client_id.to_owned(),
            filters: filters.to_vec(),
            shared: Arc::clone(&shared),
            stop: Arc::clone(&stop),
            hear: Box::new(hear),
        };
        let worker = Worker::start("plenum-mqtt-hear", stop, ear.run())
            .map_err(|e| Problem::error(address.label(), format!("cannot start: {e}"), "free some memory"))?;
        Ok(Self { shared, worker })
    }

    /// How the connection is.
    pub fn status(&self) -> ConnectionStatus {
        lock(&self.shared.status).clone()
    }

    /// Waits until it is connected and subscribed, at most `timeout`; true when it is.
    pub fn wait_connected(&self, timeout: Duration) -> bool {
        let waiting = |s: &mut ConnectionStatus| !matches!(s, ConnectionStatus::Connected { .. });
        let status = lock(&self.shared.status);
        let (status, _) =
            (self.shared.changed).wait_timeout_while(status, timeout, waiting).unwrap_or_else(PoisonError::into_inner);
        matches!(*status, ConnectionStatus::Connected { .. })
    }

    /// Ends the connection and waits for the thread.
    pub fn stop(&mut self) {
        self.worker.stop();
    }
}

struct Ear {
    address: Address,
    client_id: String,
    filters: Vec<String>,
    shared: Arc<Shared>,
    stop: Arc<Stop>,
    hear: Hear,
}

impl Ear {
    async fn run(mut self) {
        let mut backoff = Backoff::new();
        loop {
            let mut connected = None;
            let Some(failure) = self.connection(&mut connected).await else { return };
            if connected.is_some_and(|since: Instant| since.elapsed() > Duration::from_secs(5)) {
                backoff.reset();
            }
            let limit = if failure.kind == Kind::Lost { RETRY } else { Duration::from_secs(30) };
            self.shared.set(match failure.kind {
                Kind::Refused => ConnectionStatus::Refused { reason: failure.reason },
                Kind::Lost | Kind::TooLarge => ConnectionStatus::Lost { since: wall_clock(), reason: failure.reason },
            });
            tokio::select! {
                () = tokio::time::sleep(backoff.next(limit)) => {}
                () = self.stop.asked() => return,
            }
        }
    }

    /// One connection; none when it is time to stop.
    async fn connection(&mut self, connected: &mut Option<Instant>) -> Option<Failure> {
        let mut options = self.address.options(&self.client_id, MAX_PACKET, MAX_PACKET);
        options.set_clean_session(true);
        let (client, mut events) = AsyncClient::new(options, 16);
        events.network_options.set_connection_timeout(5);
        events.network_options.set_tcp_nodelay(true);
        let silence = self.address.keep_alive() * 2;
        let mut last = Instant::now();
        let mut watchdog = pin!(tokio::time::sleep(silence));
        loop {
            let polled = {
                let mut poll = pin!(events.poll());
                loop {
                    tokio::select! {
                        polled = &mut poll => break polled,
                        () = self.stop.asked() => return None,
                        () = &mut watchdog => {
                            let quiet = last.elapsed();
                            if connected.is_some() && quiet >= silence {
                                let url = self.address.url();
                                return Some(Failure::lost(format!("{url} is silent for {} s", quiet.as_secs())));
                            }
                            let wait = silence.saturating_sub(quiet).max(Duration::from_millis(100));
                            watchdog.as_mut().reset(tokio::time::Instant::now() + wait);
                        }
                    }
                }
            };
            let packet = match polled {
                Ok(Event::Incoming(packet)) => packet,
                Ok(Event::Outgoing(_)) => continue,
                Err(error) => return Some(Failure::explain(&error, &self.address, connected.is_some())),
            };
            last = Instant::now();
            match packet {
                Packet::ConnAck(_) => {
                    *connected = Some(last);
                    let filters = self.filters.iter().map(|f| SubscribeFilter::new(f.clone(), QoS::AtLeastOnce));
                    if client.try_subscribe_many(filters).is_err() {
                        return Some(Failure::refused("the topic filters are not valid"));
                    }
                }
                Packet::SubAck(ack) if ack.return_codes.contains(&SubscribeReasonCode::Failure) => {
                    let (url, filters) = (self.address.url(), self.filters.join(", "));
                    return Some(Failure::refused(format!("{url} does not let us subscribe to {filters}")));
                }
                Packet::SubAck(_) => self.shared.set(ConnectionStatus::Connected { since: wall_clock() }),
                Packet::Publish(publish) => (self.hear)(&publish.topic, &publish.payload),
                _ => {}
            }
        }
    }
}
