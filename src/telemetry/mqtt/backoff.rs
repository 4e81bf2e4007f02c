//! How long to wait before the next attempt.

use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher, Hasher};
use std::time::Duration;

/// Waits that double up to a limit, with a random part so that many clients do not come at once.
#[derive(Debug)]
pub(super) struct Backoff {
    next: Duration,
}

const FIRST: Duration = Duration::from_millis(200);

impl Backoff {
    pub(super) fn new() -> Self {
        Self { next: FIRST }
    }

    /// The next wait is short again.
    pub(super) fn reset(&mut self) {
        self.next = FIRST;
    }

    /// The next wait, at most `limit` and a fifth more.
    pub(super) fn next(&mut self, limit: Duration) -> Duration {
        let wait = self.next.min(limit);
        self.next = (self.next * 2).min(Duration::from_secs(60));
        wait.mul_f64(1.0 + 0.2 * chance())
    }
}

/// Something between 0 and 1 that differs from one process, and one call, to the next.
fn chance() -> f64 {
    RandomState::new().build_hasher().finish() as f64 / u64::MAX as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn grows_to_its_limit() {
        let mut backoff = Backoff::new();
        let limit = Duration::from_secs(5);
        let waits: Vec<_> = (0..20).map(|_| backoff.next(limit)).collect();
        assert!(waits[0] < Duration::from_millis(250));
        assert!(waits.iter().all(|w| *w <= limit.mul_f64(1.2)));
        assert!(waits[19] >= limit);
        backoff.reset();
        assert!(backoff.next(limit) < Duration::from_millis(250));
    }
}
