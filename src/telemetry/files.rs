//! Tables of samples that other programs write, as a source beside the broker: one file, or those of a folder, read once
//! or followed as they grow.
//!
//! ```text
//! files ─▶ history::table (rows) ─▶ intake (checks) ─▶ historian, then queue of Arrival ─▶ twin
//!   └──────────────── how far they are read, written down once it is kept ◀──┘
//! ```
//!
//! How far a file has been read is written down only once the history has what was read ([`book`]), so a program that
//! dies reads a little of it again, and the history keeps that once. A file whose beginning has become another one is
//! a new file; one that was only renamed is read on.

mod book;
mod find;
mod tail;
mod work;

use super::intake::{Intake, WireStats};
use super::mqtt::{Meaning, Recording};
use super::quarantine::Quarantine;
use super::queue::Entrance;
use super::topics::Unmatched;
use crate::problem::Problem;
use crate::site::project::Ingest;
use book::Book;
use crossbeam_channel::Sender;
use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use work::{Ask, Work};

/// Problems that are kept; the oldest go.
const MOST: usize = 200;

/// A thread that reads tables. Dropping it ends it.
pub struct Files {
    shared: Arc<Shared>,
    book: Arc<Book>,
    asks: Sender<Ask>,
    thread: Option<JoinHandle<()>>,
}

struct Shared {
    intake: Mutex<Intake>,
    problems: Mutex<VecDeque<Problem>>,
    /// It is time to stop: nothing is waited for any more.
    ending: AtomicBool,
}

impl Shared {
    fn tell(&self, problem: Problem) {
        let mut problems = lock(&self.problems);
        // What is wrong again and again is said once.
        if problems.contains(&problem) {
            return;
        }
        if problems.len() >= MOST {
            problems.pop_front();
        }
        problems.push_back(problem);
    }
}

/// Tells the reading, while it goes on, that names mean something else now.
#[derive(Clone)]
pub struct Retable(Sender<Ask>);

impl Retable {
    /// From the next line on names mean what `meaning` says, and samples go into `queue`.
    pub fn to(&self, meaning: Meaning, queue: Entrance) {
        let _ = self.0.send(Ask::Understand(meaning, queue));
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Files {
    /// Makes ready to read the tables of a project; [`Self::begin`] begins.
    ///
    /// # Errors
    /// There is no thread to be had.
    pub fn start(
        meaning: Meaning,
        ingest: &Ingest,
        follows_clock: bool,
        queue: Entrance,
        recording: Option<Recording>,
    ) -> Result<Self, Problem> {
        let shared = Arc::new(Shared {
            intake: Mutex::new(Intake::new(&meaning, ingest.clone())),
            problems: Mutex::default(),
            ending: AtomicBool::new(false),
        });
        let book = Arc::new(Book::new(ingest.positions.clone()));
        let (asks, asked) = crossbeam_channel::unbounded();
        // A site whose clock is another one may well be ahead of this machine.
        let max_future_s = if follows_clock { f64::INFINITY } else { ingest.max_future_s };
        let to = (queue, recording.map(|r| r.inlet));
        let work = Work::new(&ingest.files, max_future_s, Arc::clone(&shared), Arc::clone(&book), meaning, to, asked);
        let thread = std::thread::Builder::new()
            .name("plenum-files".into())
            .spawn(move || work.run())
            .map_err(|e| Problem::error("[[files]]", format!("cannot start a thread: {e}"), "free some memory"))?;
        Ok(Self { shared, book, asks, thread: Some(thread) })
    }

    /// Begins to read where it was before; `anew`, from the beginning, where the history has nothing of it.
    pub fn begin(&self, anew: bool) {
        let _ = self.asks.send(Ask::Begin { anew });
    }

    /// For those who change what names mean.
    pub fn retable(&self) -> Retable {
        Retable(self.asks.clone())
    }

    /// What came, counted.
    pub fn stats(&self) -> WireStats {
        lock(&self.shared.intake).stats.clone()
    }

    /// Lines with a fault; what stands for the topic is file and line.
    pub fn quarantine(&self) -> Quarantine {
        lock(&self.shared.intake).quarantine.clone()
    }

    /// Names that no point is bound to.
    pub fn unmatched(&self) -> Unmatched {
        lock(&self.shared.intake).unmatched.clone()
    }

    /// What is wrong with files and lines of them, the last ones.
    pub fn problems(&self) -> Vec<Problem> {
        lock(&self.shared.problems).iter().cloned().collect()
    }

    /// Ends the reading. How far it came is written down at [`Self::settle`] once more, when the history has ended.
    pub fn stop(&mut self) {
        self.shared.ending.store(true, Ordering::SeqCst);
        let _ = self.asks.send(Ask::Stop);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
        self.settle();
    }

    /// Writes down how far the history has what was read.
    pub fn settle(&self) {
        if let Err(problem) = self.book.save() {
            self.shared.tell(problem);
        }
    }
}

impl Drop for Files {
    fn drop(&mut self) {
        self.stop();
    }
}

#[cfg(test)]
mod tests;
