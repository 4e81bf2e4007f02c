//! What runs on the historian's thread.

use super::{Batch, Declared, Opening, Settings, Shared, lock};
use crate::history::{History, HistoryError, PointKey, Reader, Reason, Stored};
use crate::quality::Quality;
use crate::telemetry::wall_clock;
use crate::time::Time;
use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, TryRecvError, select};
use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

/// Something that is asked of the thread.
pub(super) enum Ask {
    /// Somebody wants to read.
    Reader(Sender<Result<Box<dyn Reader>, HistoryError>>),
    /// Commit what is there; says whether all of it is kept.
    Flush(Sender<bool>),
    /// Come to an end.
    Stop,
}

/// A broker hands out only so many messages that are not acknowledged; mosquitto twenty.
const WINDOW: usize = 8;
/// With so many waiting, and nothing more for so long, there is most likely nothing more to come before they are
/// acknowledged.
const QUIET: Duration = Duration::from_millis(2);
/// The first wait before a store is tried again.
const FIRST_RETRY: Duration = Duration::from_millis(100);
/// How long the thread sleeps where nothing comes.
const IDLE: Duration = Duration::from_secs(1);
/// So many durations of commits are looked at.
const DURATIONS: usize = 500;
/// Work that failed behind the scenes waits so long.
const BEHIND: Duration = Duration::from_secs(10);
/// Maps from numbers to keys that are remembered: now's, and that of before a reload.
const MAPS: usize = 4;

pub(super) struct Work {
    shared: Arc<Shared>,
    settings: Settings,
    open: Box<dyn FnMut() -> Opening + Send>,
    store: Option<Box<dyn History>>,
    batches: Receiver<Batch>,
    asks: Receiver<Ask>,
    /// What is being committed, the oldest first.
    held: VecDeque<Batch>,
    /// The samples of the first so many of them, as the store takes them.
    rows: Vec<(PointKey, Stored)>,
    rows_of: usize,
    keys: Vec<(Arc<Declared>, Vec<PointKey>)>,
    durations: VecDeque<f64>,
    /// The newest device time that was kept.
    newest: Option<Time>,
    next_tidy: Instant,
    /// No work behind the scenes before.
    rest: Option<Instant>,
    more_to_tend: bool,
    stopping: bool,
    flushes: Vec<Sender<bool>>,
}

impl Work {
    /// True for what may get better by itself: it is waited for.
    pub fn can_mend(reason: Reason) -> bool {
        matches!(reason, Reason::Full | Reason::ReadOnly | Reason::Gone)
    }

    pub fn new(
        shared: Arc<Shared>,
        settings: Settings,
        open: Box<dyn FnMut() -> Opening + Send>,
        store: Option<Box<dyn History>>,
        batches: Receiver<Batch>,
        asks: Receiver<Ask>,
    ) -> Self {
        let [first_tidy, _] = settings.tidy;
        Self {
            shared,
            settings,
            open,
            store,
            batches,
            asks,
            held: VecDeque::new(),
            rows: Vec::new(),
            rows_of: 0,
            keys: Vec::new(),
            durations: VecDeque::with_capacity(DURATIONS),
            newest: None,
            next_tidy: Instant::now() + first_tidy,
            rest: None,
            more_to_tend: true,
            stopping: false,
            flushes: Vec::new(),
        }
    }

    pub fn run(mut self) {
        loop {
            self.gather();
            if !self.held.is_empty() {
                self.keep();
            }
            if self.stopping && (self.fails() || (self.held.is_empty() && self.batches.is_empty())) {
                break;
            }
            self.answer_flushes();
            if self.held.is_empty() && !self.stopping {
                self.work_behind();
            }
        }
        self.answer_flushes();
    }

    fn fails(&self) -> bool {
        lock(&self.shared.status).failing.is_some()
    }

    /// Waits for something to commit, and then for what may be committed with it.
    fn gather(&mut self) {
        if self.stopping || !self.flushes.is_empty() {
            self.drain();
            return;
        }
        if self.held.is_empty() && !self.first() {
            return;
        }
        let deadline = Instant::now() + self.settings.gather;
        let (mut samples, mut tokens) = (0, 0);
        for batch in &self.held {
            samples += batch.samples.len();
            tokens += batch.tokens.len();
        }
        while samples < self.settings.batch && !self.stopping && self.flushes.is_empty() {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return;
            }
            let full_window = tokens >= WINDOW;
            match self.next(if full_window { left.min(QUIET) } else { left }) {
                Some(batch) => {
                    samples += batch.samples.len();
                    tokens += batch.tokens.len();
                    self.held.push_back(batch);
                }
                None if full_window => return,
                None => {}
            }
        }
        if !self.flushes.is_empty() || self.stopping {
            self.drain();
        }
    }

    /// All that has come.
    fn drain(&mut self) {
        while let Ok(batch) = self.batches.try_recv() {
            self.held.push_back(batch);
        }
    }

    /// Waits until there is something; false when there is other work to do.
    fn first(&mut self) -> bool {
        let wait = if self.more_to_tend && self.rest.is_none() { Duration::ZERO } else { IDLE };
        match self.next(wait) {
            Some(batch) => {
                self.held.push_back(batch);
                true
            }
            None => false,
        }
    }

    /// The next batch, or what was asked meanwhile is done.
    fn next(&mut self, wait: Duration) -> Option<Batch> {
        match self.batches.try_recv() {
            Ok(batch) => return Some(batch),
            Err(TryRecvError::Disconnected) => self.stopping = true,
            Err(TryRecvError::Empty) => {}
        }
        let (batches, asks) = (self.batches.clone(), self.asks.clone());
        select! {
            recv(batches) -> batch => match batch {
                Ok(batch) => return Some(batch),
                Err(_) => self.stopping = true,
            },
            recv(asks) -> ask => match ask {
                Ok(ask) => self.answer(ask),
                Err(_) => self.stopping = true,
            },
            default(wait) => {}
        }
        None
    }

    fn answer(&mut self, ask: Ask) {
        match ask {
            Ask::Stop => self.stopping = true,
            Ask::Flush(to) => self.flushes.push(to),
            Ask::Reader(to) => {
                let reader = match &self.store {
                    Some(store) => store.reader(),
                    None => Err(self.error_now()),
                };
                let _ = to.send(reader);
            }
        }
    }

    fn error_now(&self) -> HistoryError {
        let status = lock(&self.shared.status);
        let failing = status.failing.as_ref().map(|(_, error)| error.clone());
        failing.unwrap_or_else(|| HistoryError::new(Reason::Gone, status.place.clone(), "it is not open"))
    }

    fn answer_flushes(&mut self) {
        let all = self.held.is_empty() && self.batches.is_empty();
        for to in self.flushes.drain(..) {
            let _ = to.send(all);
        }
    }

    /// Commits what is held, and tries again until it works: meanwhile what comes gathers in the channel, up to the
    /// limit. At the end it is tried once.
    fn keep(&mut self) {
        let mut wait = FIRST_RETRY;
        loop {
            let begun = Instant::now();
            match self.commit() {
                Ok(()) => {
                    self.committed(begun.elapsed());
                    return;
                }
                Err(error) => self.failed(error),
            }
            if self.stopping || !self.flushes.is_empty() {
                return;
            }
            match self.asks.recv_timeout(wait) {
                Ok(ask) => self.answer(ask),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => self.stopping = true,
            }
            wait = (wait * 2).min(self.settings.retry);
        }
    }

    fn commit(&mut self) -> Result<(), HistoryError> {
        if self.store.is_none() {
            let (store, problems) = (self.open)()?;
            self.store = Some(store);
            // Another store may have other keys.
            self.keys.clear();
            self.rows.clear();
            self.rows_of = 0;
            self.more_to_tend = true;
            let mut status = lock(&self.shared.status);
            status.openings += 1;
            status.problems = problems;
        }
        let Some(store) = &mut self.store else { return Ok(()) };
        for batch in self.held.iter().skip(self.rows_of) {
            let keys = keys_of(store.as_mut(), &mut self.keys, batch)?;
            self.rows.extend(batch.samples.iter().filter_map(|s| {
                let key = *keys.get(s.point.0 as usize)?;
                let (time, arrival, value, quality, code) = (s.device_time, s.arrival, s.value, s.quality, s.code);
                Some((key, Stored { time, arrival, value, quality, code }))
            }));
            self.rows_of += 1;
        }
        if self.rows.is_empty() { Ok(()) } else { store.append(&self.rows) }
    }

    fn committed(&mut self, took: Duration) {
        let newest = self.rows.iter().filter(|(_, s)| s.quality != Quality::Simulated).map(|(_, s)| s.time).max();
        self.newest = self.newest.max(newest);
        let appended = !self.rows.is_empty();
        self.rows.clear();
        self.rows_of = 0;
        let (mut stored, mut computed, mut weight) = (0, 0, 0);
        for batch in &self.held {
            weight += batch.weight();
            if batch.computed { computed += batch.samples.len() as u64 } else { stored += batch.samples.len() as u64 }
        }
        if appended {
            if self.durations.len() == DURATIONS {
                self.durations.pop_front();
            }
            self.durations.push_back(took.as_secs_f64());
        }
        let recovered = {
            let mut status = lock(&self.shared.status);
            status.stored += stored;
            status.computed += computed;
            status.commits += u64::from(appended);
            status.commit_s = percentiles(&self.durations);
            status.failing.take().map(|_| status.place.clone())
        };
        if let Some(place) = recovered {
            tracing::info!("{place}: the history takes samples again");
        }
        // Counted first: who is told that something is kept may look.
        self.shared.waiting.fetch_sub(weight, Ordering::SeqCst);
        self.shared.book.done(self.held.iter().flat_map(|b| &b.counted));
        for batch in self.held.drain(..) {
            if let Some(to) = &batch.to {
                to.kept(&batch.tokens);
            }
        }
        // A burst shall not hold its memory for ever.
        self.rows.shrink_to(4 * self.settings.batch);
        self.more_to_tend = true;
    }

    fn failed(&mut self, error: HistoryError) {
        // A file that was moved, a server that is gone: only opening it again finds out. A full disk needs no more
        // than room, and a store that stays open loses nothing that others read in it.
        if !matches!(error.reason, Reason::Full | Reason::InUse) {
            self.store = None;
        }
        let mut status = lock(&self.shared.status);
        let (since, said) = match &status.failing {
            Some((since, before)) => (*since, *before == error),
            None => (wall_clock(), false),
        };
        if !said {
            tracing::warn!("{error}: nothing is kept and nothing acknowledged until it works again");
        }
        status.failing = Some((since, error));
    }

    /// Packing, summing up, and once a day deleting what is old.
    fn work_behind(&mut self) {
        if self.rest.is_some_and(|until| Instant::now() < until) {
            return;
        }
        let Some(store) = &mut self.store else { return };
        let mut done = Ok(());
        while self.more_to_tend {
            match store.tend() {
                Ok(more) => self.more_to_tend = more,
                Err(error) => {
                    done = Err(error);
                    break;
                }
            }
            if !self.batches.is_empty() || !self.asks.is_empty() {
                break;
            }
        }
        if done.is_ok()
            && Instant::now() >= self.next_tidy
            && let Some(newest) = self.newest
        {
            let [_, every] = self.settings.tidy;
            self.next_tidy = Instant::now() + every;
            // By the site's time, where that is another; and nothing is deleted while nothing comes.
            let now = newest.min(wall_clock());
            done = store.retain(now, &self.settings.retention).map(|kept| {
                lock(&self.shared.status).tidied = Some((now, kept));
            });
        }
        self.rest = done.is_err().then(|| Instant::now() + BEHIND);
        lock(&self.shared.status).behind = done.err();
    }
}

/// The keys of a batch's points: declared once for each list of points.
fn keys_of<'a>(
    store: &mut dyn History,
    known: &'a mut Vec<(Arc<Declared>, Vec<PointKey>)>,
    batch: &Batch,
) -> Result<&'a [PointKey], HistoryError> {
    let at = match known.iter().position(|(declared, _)| Arc::ptr_eq(declared, &batch.declared)) {
        Some(at) => at,
        None => {
            let keys = store.declare(&batch.declared.points)?;
            if known.len() >= MAPS {
                known.remove(0);
            }
            known.push((Arc::clone(&batch.declared), keys));
            known.len() - 1
        }
    };
    Ok(known.get(at).map(|(_, keys)| keys.as_slice()).unwrap_or_default())
}

fn percentiles(durations: &VecDeque<f64>) -> [f64; 2] {
    let mut sorted: Vec<f64> = durations.iter().copied().collect();
    sorted.sort_unstable_by(f64::total_cmp);
    let at = |share: f64| sorted.get((sorted.len() as f64 * share) as usize).or(sorted.last()).copied();
    [at(0.5).unwrap_or(0.0), at(0.99).unwrap_or(0.0)]
}
