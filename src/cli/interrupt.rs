//! Ctrl-C stops cleanly: a flag that every long verb looks at.

use std::sync::atomic::{AtomicBool, Ordering};

static INTERRUPTED: AtomicBool = AtomicBool::new(false);

/// Listens for Ctrl-C (and the system's request to end). A second one ends the program at once.
pub fn listen() {
    let set = ctrlc::set_handler(|| {
        if INTERRUPTED.swap(true, Ordering::SeqCst) {
            std::process::exit(130);
        }
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
