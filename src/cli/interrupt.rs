//! Ctrl-C stops cleanly: a flag that every long verb looks at.

use crate::import::Progress;
use crate::problem::Problem;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};

static INTERRUPTED: AtomicBool = AtomicBool::new(false);
static PROGRESS: OnceLock<Progress> = OnceLock::new();

/// Listens for Ctrl-C (and the system's request to end). A second one ends the program at once.
pub fn listen() {
    let set = ctrlc::set_handler(|| {
        if INTERRUPTED.swap(true, Ordering::SeqCst) {
            std::process::exit(130);
        }
        progress().cancel();
        eprintln!("plenum: stopping (once more to stop at once)");
    });
    if let Err(e) = set {
        tracing::warn!("Ctrl-C will stop the program at once: {e}");
    }
}

/// True once somebody asked to stop.
pub fn interrupted() -> bool {
    INTERRUPTED.load(Ordering::SeqCst)
}

/// The progress of work that Ctrl-C shall cut short.
pub fn progress() -> &'static Progress {
    PROGRESS.get_or_init(Progress::default)
}

/// What a verb ends with that was stopped before it could do anything.
pub fn stopped(place: impl Into<String>) -> Problem {
    Problem::error(place, "stopped before it was done", "")
}
