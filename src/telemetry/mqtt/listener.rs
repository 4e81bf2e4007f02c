//! What comes in and is no telemetry: receipts, say. A connection on its own thread that comes back by itself.

use super::backoff::Backoff;
use super::failure::{Failure, Kind};
use super::v3::Wire3;
use super::v5::Wire5;
use super::wire::{Event, Plan, Wire};
use super::{Address, ConnectionStatus, RETRY, Stop, Worker, lock, wait_connected};
use crate::problem::Problem;
use crate::site::project::{MqttVersion, Qos};
use crate::telemetry::topics::is_filter;
use crate::telemetry::wall_clock;
use std::pin::pin;
use std::sync::{Arc, Condvar, Mutex};
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
        wait_connected(&self.shared.status, &self.shared.changed, timeout)
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
            let ended = match self.address.version() {
                MqttVersion::V3 => self.connection::<Wire3>(&mut connected).await,
                MqttVersion::V5 => self.connection::<Wire5>(&mut connected).await,
            };
            let Some(failure) = ended else { return };
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
    async fn connection<W: Wire>(&mut self, connected: &mut Option<Instant>) -> Option<Failure> {
        let plan = Plan {
            client_id: &self.client_id,
            incoming: MAX_PACKET,
            outgoing: MAX_PACKET,
            requests: 16,
            inflight: 16,
            forget: true,
            keep: false,
            manual: false,
            will: None,
        };
        let mut wire = W::new(&self.address, &plan);
        let hand = wire.hand();
        let mut silence = self.address.keep_alive() * 2;
        let mut last = Instant::now();
        let mut watchdog = pin!(tokio::time::sleep(silence));
        loop {
            let happened = {
                let mut next = pin!(wire.next());
                loop {
                    tokio::select! {
                        happened = &mut next => break happened,
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
            let event = match happened {
                Ok(event) => event,
                Err(failure) => return Some(failure),
            };
            if event.is_incoming() {
                last = Instant::now();
            }
            match event {
                Event::Connected(terms) => {
                    *connected = Some(last);
                    silence = terms.keep_alive * 2;
                    watchdog.as_mut().reset(tokio::time::Instant::now() + silence);
                    if !hand.subscribe(&self.filters, Qos::AtLeastOnce) {
                        return Some(Failure::refused("the topic filters are not valid"));
                    }
                }
                Event::Subscribed(why) if why.iter().any(Option::is_some) => {
                    let (url, filters) = (self.address.url(), self.filters.join(", "));
                    return Some(Failure::refused(format!("{url} does not let us subscribe to {filters}")));
                }
                Event::Subscribed(_) => self.shared.set(ConnectionStatus::Connected { since: wall_clock() }),
                Event::Message(message) => (self.hear)(&message.topic(), message.payload()),
                _ => {}
            }
        }
    }
}
