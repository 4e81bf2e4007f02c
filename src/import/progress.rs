//! How far a long piece of work is, what is seen of it on the way, and how to stop it.

use super::preview::Sink;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

/// Shared between the worker and those who wait: cheap to clone, lock-free.
#[derive(Clone, Debug, Default)]
pub struct Progress {
    done: Arc<AtomicUsize>,
    total: Arc<AtomicUsize>,
    cancel: Arc<AtomicBool>,
    sink: Option<Sink>,
}

impl Progress {
    /// The same work, whose finished geometry is shown to `sink` as it comes. Without one nothing is made for it.
    #[must_use]
    pub fn showing(&self, sink: Sink) -> Self {
        Self { sink: Some(sink), ..self.clone() }
    }

    /// Who wants to see what is finished.
    pub(super) fn sink(&self) -> Option<&Sink> {
        self.sink.as_ref()
    }

    /// Sets how many steps there are; 0 when that is not known yet.
    pub fn set_total(&self, total: usize) {
        self.total.store(total, Ordering::Relaxed);
    }

    /// Sets how many steps are done.
    pub fn set_done(&self, done: usize) {
        self.done.store(done, Ordering::Relaxed);
    }

    /// Steps done and steps in all (0 when not known yet).
    pub fn get(&self) -> (usize, usize) {
        (self.done.load(Ordering::Relaxed), self.total.load(Ordering::Relaxed))
    }

    /// Asks the worker to stop as soon as it can.
    pub fn cancel(&self) {
        self.cancel.store(true, Ordering::Relaxed);
    }

    /// True when somebody asked to stop.
    pub fn cancelled(&self) -> bool {
        self.cancel.load(Ordering::Relaxed)
    }

    /// The flag itself, for libraries that take one.
    pub fn cancel_flag(&self) -> &AtomicBool {
        &self.cancel
    }
}
