//! Tells publishers what is kept, over a connection of its own.

use super::ReceiptBook;
use crate::problem::Problem;
use crate::telemetry::mqtt::{Address, Message, Publisher};
use crate::telemetry::receipts::{Ranges, Receipt, topic};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// Between two receipts of one publisher.
const PACE: Duration = Duration::from_millis(50);
/// How long a message may wait for room.
const PATIENCE: Duration = Duration::from_millis(500);
/// Before a broker that cannot be reached is tried again.
const RETRY: Duration = Duration::from_secs(2);
/// At the end: what is committed by then is told, if the broker is there.
const LAST: Duration = Duration::from_secs(1);

/// A thread that publishes receipts. Dropping it ends it.
pub struct Teller {
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Teller {
    /// Publishes what the book gets, below the topic `prefix`, as the client `client_id`. It connects by itself, and
    /// waits with the book while the broker is away.
    ///
    /// # Errors
    /// There is no thread to be had.
    pub fn start(address: Address, client_id: String, prefix: String, book: Arc<ReceiptBook>) -> Result<Self, Problem> {
        let stop = Arc::new(AtomicBool::new(false));
        let asked = Arc::clone(&stop);
        let thread = std::thread::Builder::new().name("plenum-receipts".into());
        let thread = thread
            .spawn(move || tell(&address, &client_id, &prefix, &book, &asked))
            .map_err(|e| Problem::error("receipts", format!("cannot start a thread: {e}"), "free some memory"))?;
        Ok(Self { stop, thread: Some(thread) })
    }

    /// Ends it, once what is in the book has been told where that is possible at once.
    pub fn stop(&mut self) {
        self.stop.store(true, Ordering::SeqCst);
        if let Some(thread) = self.thread.take() {
            thread.thread().unpark();
            let _ = thread.join();
        }
    }
}

impl Drop for Teller {
    fn drop(&mut self) {
        self.stop();
    }
}

fn tell(address: &Address, client_id: &str, prefix: &str, book: &ReceiptBook, stop: &AtomicBool) {
    let mut publisher: Option<Publisher> = None;
    let mut tried: Option<Instant> = None;
    loop {
        let ending = stop.load(Ordering::SeqCst);
        if publisher.is_none() && !book.is_empty() && tried.is_none_or(|t| t.elapsed() >= RETRY) && !ending {
            publisher = Publisher::connect(address, client_id).ok();
            tried = Some(Instant::now());
        }
        let Some(to) = &publisher else {
            if ending {
                return;
            }
            std::thread::park_timeout(PACE);
            continue;
        };
        for (id, ranges) in book.take(PACE) {
            publish(to, prefix, id, &ranges, book);
        }
        if ending {
            to.settle(LAST, PACE * 4);
            return;
        }
        std::thread::park_timeout(PACE);
    }
}

fn publish(to: &Publisher, prefix: &str, id: Arc<str>, ranges: &Ranges, book: &ReceiptBook) {
    let topic = topic(prefix, &id);
    for payload in Receipt::payloads(&id, ranges) {
        if let Err(problem) = to.publish_within(PATIENCE, &topic, payload, Message::default()) {
            tracing::debug!("{problem}");
            // Told twice is no harm.
            book.put_back(id, ranges);
            return;
        }
    }
}
