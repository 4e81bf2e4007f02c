//! The historian: one thread that has the history, and commits what comes off the wire.
//!
//! ```text
//! mqtt::Subscriber ─▶ Inlet ─▶ thread: gather, commit, tend ─▶ Kept (PUBACK), ReceiptBook (receipts)
//!        └─▶ queue of Arrival ─▶ twin
//! ```
//!
//! It stands before the twin's queue: a window that does not move holds nothing back. Samples wait for one another a
//! moment and are committed together; who gave them hears of it afterwards, and only then. When the store fails (a
//! full or read-only disk, a server that is gone) nothing is acknowledged; what has come is held, up to a limit, then
//! the wire waits; it is tried again until it works, and goes on by itself. What was not acknowledged, its publisher
//! has still: nothing is lost as long as one side keeps it.

mod book;
mod tell;
#[cfg(test)]
mod tests;
mod work;

pub use book::ReceiptBook;
pub use tell::Teller;

use crate::history::{self, HistoryError, Kept as Tidied, PointInfo, Reader};
use crate::problem::Problem;
use crate::site::{Point, project};
use crate::telemetry::sample::Sample;
use crate::time::Time;
use crossbeam_channel::Sender;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;
use work::{Ask, Work};

/// Hears what is kept for good.
pub trait Kept: Send + Sync {
    /// What these tokens stand for is on the disk. They come in the order in which they were given.
    fn kept(&self, tokens: &[u64]);
}

/// The points that the numbers of samples stand for, as the history shall know them.
#[derive(Debug, Default)]
pub struct Declared {
    /// By [`PointIndex`](crate::site::PointIndex).
    pub points: Vec<PointInfo>,
}

impl Declared {
    /// The points of a site.
    pub fn of(points: &[Point], retention: &project::Retention) -> Self {
        Self { points: points.iter().map(|p| history::place::info(p, retention)).collect() }
    }
}

/// Samples of a publisher that counts them: from this number (with it) to that (without it).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Counted {
    /// Its id.
    pub publisher: Arc<str>,
    /// The first.
    pub from: u64,
    /// Behind the last.
    pub to: u64,
}

/// What is committed as one: all of it or nothing.
#[derive(Clone, Default)]
pub struct Batch {
    /// What the samples' numbers stand for.
    pub declared: Arc<Declared>,
    /// The samples, as they came.
    pub samples: Vec<Sample>,
    /// They were computed here and not measured.
    pub computed: bool,
    /// What `to` hears once they are kept.
    pub tokens: Vec<u64>,
    /// Who hears of it.
    pub to: Option<Arc<dyn Kept>>,
    /// Whose numbers are done with once they are kept.
    pub counted: Vec<Counted>,
}

impl Batch {
    /// True when there is nothing to keep and nobody to tell.
    pub fn is_empty(&self) -> bool {
        self.samples.is_empty() && self.tokens.is_empty() && self.counted.is_empty()
    }

    /// What it counts against the limit.
    fn weight(&self) -> usize {
        self.samples.len() + self.tokens.len() + self.counted.len()
    }
}

/// How a historian works.
#[derive(Clone, Debug)]
pub struct Settings {
    /// So long a sample waits at most for those that are committed with it.
    pub gather: Duration,
    /// So many samples are committed without waiting for more.
    pub batch: usize,
    /// So many samples are held for a store that does not take them; some 60 bytes each.
    pub limit: usize,
    /// How long samples are kept.
    pub retention: history::Retention,
    /// When old samples are deleted for the first time after the start, and then how often.
    pub tidy: [Duration; 2],
    /// The longest wait before a store that failed is tried again.
    pub retry: Duration,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            gather: Duration::from_millis(200),
            batch: 10_000,
            limit: 1_000_000,
            retention: history::Retention::default(),
            tidy: [Duration::from_secs(60), Duration::from_secs(86_400)],
            retry: Duration::from_secs(5),
        }
    }
}

/// A store that was opened, and what was found broken in it.
pub type Opening = Result<(Box<dyn history::History>, Vec<Problem>), HistoryError>;

/// Where a history is, and how it is opened: again, too, after its disk or server was gone.
pub struct Source {
    /// What people call it: its file, or its server's address.
    pub place: String,
    /// Opens it.
    pub open: Box<dyn FnMut() -> Opening + Send>,
    /// How many bytes it takes, where that can be said.
    pub bytes: Box<dyn Fn() -> Option<u64> + Send + Sync>,
}

/// How the history is.
#[derive(Clone, Debug, Default)]
pub struct Status {
    /// Its file or server.
    pub place: String,
    /// Why nothing is kept at the moment, and since when; none: all is well.
    pub failing: Option<(Time, HistoryError)>,
    /// What went wrong in the work behind it (packing, deleting), while samples are kept all the same.
    pub behind: Option<HistoryError>,
    /// Measured samples that were committed since the start.
    pub stored: u64,
    /// Computed ones.
    pub computed: u64,
    /// Samples that wait to be committed.
    pub waiting: usize,
    /// Samples that were not taken: more than can be held came while the store did not work, from a wire that
    /// cannot be made to wait.
    pub missed: u64,
    /// Commits since the start.
    pub commits: u64,
    /// How long the last commits took, the middle one and the hundredth of a hundred, seconds.
    pub commit_s: [f64; 2],
    /// How often it was opened; readers of an opening before see nothing new.
    pub openings: u64,
    /// What was wrong when it was opened.
    pub problems: Vec<Problem>,
    /// What the last deleting of old samples did.
    pub tidied: Option<(Time, Tidied)>,
}

struct Shared {
    limit: usize,
    waiting: AtomicUsize,
    missed: AtomicU64,
    status: Mutex<Status>,
    book: Arc<ReceiptBook>,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Where samples are given to the historian.
#[derive(Clone)]
pub struct Inlet {
    shared: Arc<Shared>,
    batches: Sender<Batch>,
}

impl Inlet {
    /// Takes a batch; gives it back where it would be more than can be held.
    ///
    /// # Errors
    /// The batch, when the store has not worked for long, or the historian has ended.
    pub fn offer(&self, batch: Batch) -> Result<(), Batch> {
        let weight = batch.weight();
        // One batch always fits: it may be larger than the limit.
        if self.shared.waiting.load(Ordering::SeqCst) > 0
            && self.shared.waiting.load(Ordering::SeqCst) + weight > self.shared.limit
        {
            return Err(batch);
        }
        self.shared.waiting.fetch_add(weight, Ordering::SeqCst);
        self.batches.send(batch).map_err(|back| {
            self.shared.waiting.fetch_sub(weight, Ordering::SeqCst);
            back.0
        })
    }

    /// As [`Self::offer`]; what is not taken is counted in [`Status::missed`], and nobody is told that it is kept.
    pub fn offer_or_miss(&self, batch: Batch) {
        if let Err(batch) = self.offer(batch) {
            self.shared.missed.fetch_add(batch.samples.len() as u64, Ordering::SeqCst);
        }
    }

    /// True while the store takes nothing.
    pub fn is_failing(&self) -> bool {
        lock(&self.shared.status).failing.is_some()
    }

    /// How the history is.
    pub fn status(&self) -> Status {
        let mut status = lock(&self.shared.status).clone();
        status.waiting = self.shared.waiting.load(Ordering::SeqCst);
        status.missed = self.shared.missed.load(Ordering::SeqCst);
        status
    }
}

/// Opens readers beside the historian.
#[derive(Clone)]
pub struct Readers {
    shared: Arc<Shared>,
    asks: Sender<Ask>,
}

impl Readers {
    /// Somebody who reads beside it; waits for the thread, `patience` at most.
    ///
    /// # Errors
    /// The history cannot be read, its thread is busy with a store that does not answer, or has ended.
    pub fn open(&self, patience: Duration) -> Result<Box<dyn Reader>, Problem> {
        let place = || lock(&self.shared.status).place.clone();
        let late =
            || Problem::warning(place(), "the history does not answer", "look whether its disk or server is there");
        let (tell, told) = crossbeam_channel::bounded(1);
        self.asks.send(Ask::Reader(tell)).map_err(|_| late())?;
        let answer = told.recv_timeout(patience).map_err(|_| late())?;
        answer.map_err(|e| e.problem())
    }
}

/// A thread that has the history. Dropping it commits what it holds, as far as the store takes it.
pub struct Historian {
    inlet: Inlet,
    asks: Sender<Ask>,
    bytes: Box<dyn Fn() -> Option<u64> + Send + Sync>,
    thread: Option<JoinHandle<()>>,
}

impl Historian {
    /// Opens the history and puts a thread in charge of it. Where it is only full, read-only or gone the thread
    /// starts all the same, says so and tries again.
    ///
    /// # Errors
    /// A history that another program has, that is damaged or none at all; no thread to be had.
    pub fn start(source: Source, settings: Settings) -> Result<Self, Problem> {
        let Source { place, mut open, bytes } = source;
        let mut status = Status { place: place.clone(), ..Status::default() };
        let store = match open() {
            Ok((store, problems)) => {
                status.openings = 1;
                status.problems = problems;
                Some(store)
            }
            Err(error) if Work::can_mend(error.reason) => {
                status.failing = Some((crate::telemetry::wall_clock(), error));
                None
            }
            Err(error) => return Err(error.problem()),
        };
        let (batches, incoming) = crossbeam_channel::unbounded();
        let (asks, asked) = crossbeam_channel::unbounded();
        let shared = Arc::new(Shared {
            limit: settings.limit.max(1),
            waiting: AtomicUsize::new(0),
            missed: AtomicU64::new(0),
            status: Mutex::new(status),
            book: Arc::new(ReceiptBook::default()),
        });
        let work = Work::new(Arc::clone(&shared), settings, open, store, incoming, asked);
        let thread = std::thread::Builder::new()
            .name("plenum-historian".into())
            .spawn(move || work.run())
            .map_err(|e| Problem::error(place, format!("cannot start a thread for it: {e}"), "free some memory"))?;
        Ok(Self { inlet: Inlet { shared, batches }, asks, bytes, thread: Some(thread) })
    }

    /// Where samples go.
    pub fn inlet(&self) -> Inlet {
        self.inlet.clone()
    }

    /// Whose samples are kept and have not been told so yet.
    pub fn book(&self) -> Arc<ReceiptBook> {
        Arc::clone(&self.inlet.shared.book)
    }

    /// How it is.
    pub fn status(&self) -> Status {
        self.inlet.status()
    }

    /// How many bytes the history takes, where that can be said.
    pub fn bytes(&self) -> Option<u64> {
        (self.bytes)()
    }

    /// Somebody who reads beside it; waits for the thread, `patience` at most.
    ///
    /// # Errors
    /// The history cannot be read, or its thread is busy with a store that does not answer.
    pub fn reader(&self, patience: Duration) -> Result<Box<dyn Reader>, Problem> {
        self.readers().open(patience)
    }

    /// The way to such readers, for those who do not have the historian.
    pub fn readers(&self) -> Readers {
        Readers { shared: Arc::clone(&self.inlet.shared), asks: self.asks.clone() }
    }

    /// Commits what has come so far without waiting for more; true when all of it is kept.
    pub fn flush(&self, patience: Duration) -> bool {
        let (tell, told) = crossbeam_channel::bounded(1);
        self.asks.send(Ask::Flush(tell)).is_ok() && told.recv_timeout(patience).unwrap_or(false)
    }

    /// Commits what it holds and ends. A store that does not work is tried once more; what it does not take then has
    /// not been acknowledged, and comes again from who published it.
    pub fn stop(&mut self) {
        let _ = self.asks.send(Ask::Stop);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

impl Drop for Historian {
    fn drop(&mut self) {
        self.stop();
    }
}
