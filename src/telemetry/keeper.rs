//! A publisher that keeps what it published until the history has it, and sends it again where no receipt comes.
//!
//! It keeps in memory: it outlives brokers and histories that end, not itself. (A gateway keeps on its disk, see
//! [`super::gateway`].)

use super::mqtt::{Address, Listener, Message, Publisher};
use super::receipts::{Ranges, Receipt, topic};
use crate::problem::Problem;
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// So many messages are kept; then callers wait.
const MOST: usize = 200_000;
/// So many are sent again at once, so that what is new goes on.
const AGAIN: usize = 200;

/// How often what is late is looked for.
const LOOK: Duration = Duration::from_millis(50);

/// A message that has no receipt yet.
struct Kept {
    topic: String,
    payload: Vec<u8>,
    numbers: [u64; 2],
    sent: Instant,
}

#[derive(Default)]
struct Heard {
    /// Every number that is done with.
    done: Ranges,
    receipts: u64,
}

/// What became of what was published.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct KeeperStats {
    /// Messages that have no receipt yet.
    pub kept: usize,
    /// Samples that have one.
    pub receipted: u64,
    /// Messages that were sent again.
    pub resent: u64,
}

/// A publisher with its memory. Call [`Self::tend`] now and then: it does nothing by itself.
pub struct Keeper {
    publisher: Arc<Publisher>,
    listener: Listener,
    heard: Arc<Mutex<Heard>>,
    kept: VecDeque<Kept>,
    patience: Duration,
    resent: u64,
    looked: Instant,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Keeper {
    /// Keeps what is published under `id` through `publisher`; receipts come below the topic `prefix`. What has none
    /// after `patience` is sent again.
    ///
    /// # Errors
    /// There is no thread to be had.
    pub fn new(
        publisher: Arc<Publisher>,
        address: &Address,
        client_id: &str,
        prefix: &str,
        id: &str,
        patience: Duration,
    ) -> Result<Self, Problem> {
        let heard: Arc<Mutex<Heard>> = Arc::default();
        let (to, own) = (Arc::clone(&heard), id.to_owned());
        let listener = Listener::start(address, client_id, &[topic(prefix, id)], move |_, payload| {
            // Ids that are the same to a topic may be two.
            if let Some(receipt) = Receipt::parse(payload).ok().filter(|r| r.publisher == own) {
                let mut heard = lock(&to);
                heard.receipts += 1;
                heard.done.extend(&receipt.ranges);
            }
        })?;
        Ok(Self { publisher, listener, heard, kept: VecDeque::new(), patience, resent: 0, looked: Instant::now() })
    }

    /// Waits until receipts can be heard, `timeout` at most; true when they can.
    pub fn wait_connected(&self, timeout: Duration) -> bool {
        self.listener.wait_connected(timeout)
    }

    /// Publishes samples with these numbers, and keeps them.
    ///
    /// # Errors
    /// It was not taken: the broker is away for long, or there is too much without a receipt. It may be tried again.
    pub fn publish(
        &mut self,
        topic: &str,
        payload: &[u8],
        numbers: [u64; 2],
        patience: Duration,
    ) -> Result<(), Problem> {
        self.tend();
        if self.kept.len() >= MOST {
            let message = format!("{MOST} messages have no receipt");
            return Err(Problem::warning(topic, message, "look whether a Plenum with a history runs at the broker"));
        }
        self.publisher.publish_within(patience, topic, payload.to_vec(), Message::default())?;
        let (topic, payload, sent) = (topic.to_owned(), payload.to_vec(), Instant::now());
        self.kept.push_back(Kept { topic, payload, numbers, sent });
        Ok(())
    }

    /// Lets go of what has its receipt, and sends again what has none for too long, the oldest first.
    pub fn tend(&mut self) {
        let heard = lock(&self.heard);
        let done = |k: &Kept| heard.done.holds(k.numbers[0], k.numbers[1]);
        while self.kept.front().is_some_and(done) {
            self.kept.pop_front();
        }
        // What waits in the outbox is on its way: more of the same helps nobody.
        if self.looked.elapsed() < LOOK || self.publisher.stats().waiting > 0 {
            return;
        }
        self.looked = Instant::now();
        let patience = self.patience;
        let late = self.kept.iter_mut().filter(|k| k.sent.elapsed() >= patience && !done(k));
        for kept in late.take(AGAIN) {
            let again = kept.payload.clone();
            if self.publisher.publish_within(Duration::ZERO, &kept.topic, again, Message::default()).is_err() {
                break;
            }
            kept.sent = Instant::now();
            self.resent += 1;
        }
    }

    /// Waits until all of it has its receipt, `timeout` at most; true when it has.
    pub fn flush(&mut self, timeout: Duration) -> bool {
        let deadline = Instant::now() + timeout;
        loop {
            self.tend();
            if self.kept.is_empty() || Instant::now() >= deadline {
                return self.kept.is_empty();
            }
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// Every number that is done with.
    pub fn done(&self) -> Ranges {
        lock(&self.heard).done.clone()
    }

    /// What became of what was published.
    pub fn stats(&self) -> KeeperStats {
        KeeperStats { kept: self.kept.len(), receipted: lock(&self.heard).done.count(), resent: self.resent }
    }
}
