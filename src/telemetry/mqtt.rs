//! The MQTT client: one thread and one connection for what comes in, one for what goes out.
//!
//! The client stands behind one trait (`wire`), once for MQTT 3.1.1 and once for MQTT 5. Both are rumqttc 0.25, whose open
//! faults are kept out by how it is used here (`v5` names those of its second half):
//!
//! - A connection that fails is dropped whole and built anew; nothing of its state is used again
//!   (bytebeamio/rumqtt#1056, #1014: reconnecting for ever after a lost session).
//! - The thread that polls a connection never waits on that connection's own request queue (#1025).
//! - No packet for two keep-alives is a lost connection, whatever the socket says (#295).
//! - The subscription's session stays at the broker, which keeps what comes (as much as it is set to) while
//!   we are away, also while Plenum does not run at all.
//! - Where there is a history, a message is acknowledged (PUBACK, or PUBREC at QoS 2) once it is kept
//!   ([`crate::telemetry::historian`]), in the order in which it came, and only on the connection that it came on.
//! - A client that is new takes the second half of a QoS 2 message (PUBREL), whose first half came on the connection
//!   before, for a broken protocol and would end every connection over it: it is told that such may come. PUBCOMP it sends
//!   by itself. Which messages were handed on and not let go of is remembered here, so that none is handed on twice.
//! - What was published and not acknowledged is kept by [`Publisher`], since rumqttc forgets it when
//!   the broker has no session.

mod acks;
mod address;
mod backoff;
mod client;
mod failure;
mod listener;
mod outbox;
mod publisher;
mod reasons;
mod several;
mod subscriber;
mod v3;
mod v5;
mod wire;

pub use address::Address;
pub use listener::Listener;
pub use outbox::{Delivery, Fate, Message, PublisherStats};
pub use publisher::{Extras, Publisher};
pub use several::{Line, Subscribers};
pub use subscriber::{Meaning, Recording, Rewire, SiteClock, Subscriber, Subscription};

use crate::time::Time;
use failure::Failure;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;
use std::{fmt, io};
use tokio::sync::Notify;

/// How long an attempt to connect may take, seconds.
const CONNECT_TIMEOUT_S: u64 = 5;

/// The longest wait before a lost connection is tried again.
const RETRY: Duration = Duration::from_secs(2);

/// How the connection to the broker is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ConnectionStatus {
    /// The first attempt is under way.
    Connecting,
    /// Connected, and for a subscriber subscribed.
    Connected {
        /// Since when.
        since: Time,
    },
    /// The connection broke, or never came about; it is tried again.
    Lost {
        /// Since when.
        since: Time,
        /// Why.
        reason: String,
    },
    /// The broker, or what the project says of it, does not let us in; it is tried again now and then.
    Refused {
        /// Why, and what to look at.
        reason: String,
    },
}

impl fmt::Display for ConnectionStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Connecting => f.write_str("connecting"),
            Self::Connected { .. } => f.write_str("connected"),
            Self::Lost { reason, .. } => write!(f, "lost: {reason}"),
            Self::Refused { reason } => write!(f, "refused: {reason}"),
        }
    }
}

/// Waits until a status, of whose changes `changed` tells, is connected, at most `timeout`; true when it is.
fn wait_connected(status: &Mutex<ConnectionStatus>, changed: &Condvar, timeout: Duration) -> bool {
    let waiting = |s: &mut ConnectionStatus| !matches!(s, ConnectionStatus::Connected { .. });
    let ended = changed.wait_timeout_while(lock(status), timeout, waiting);
    let (status, _) = ended.unwrap_or_else(PoisonError::into_inner);
    matches!(*status, ConnectionStatus::Connected { .. })
}

/// Asks a client's thread to end, and wakes it.
#[derive(Debug, Default)]
struct Stop {
    asked: AtomicBool,
    wake: Notify,
}

impl Stop {
    fn ask(&self) {
        self.asked.store(true, Ordering::SeqCst);
        self.wake.notify_one();
    }

    fn is_asked(&self) -> bool {
        self.asked.load(Ordering::SeqCst)
    }

    /// Returns once it was asked. One task at a time.
    async fn asked(&self) {
        while !self.is_asked() {
            self.wake.notified().await;
        }
    }
}

/// The thread that holds a client's connections; dropping it ends it.
struct Worker {
    stop: Arc<Stop>,
    thread: Option<JoinHandle<()>>,
}

impl Worker {
    /// Runs `work` on a thread of its own until it ends, as it should once `stop` is asked.
    fn start(name: &str, stop: Arc<Stop>, work: impl Future<Output = ()> + Send + 'static) -> io::Result<Self> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let thread = std::thread::Builder::new().name(name.into()).spawn(move || {
            runtime.block_on(work);
            // Not dropped: that would wait for a host name which is still being looked up.
            runtime.shutdown_background();
        })?;
        Ok(Self { stop, thread: Some(thread) })
    }

    /// Asks it to end, and waits until it has.
    fn stop(&mut self) {
        self.stop.ask();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        self.stop();
    }
}

/// Locks; a thread that panicked while it held the lock leaves counts that are still worth reading.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
