//! The hand-off: what waits between the client's thread and the twin.
//!
//! It takes memory only while the twin is behind, some 50 bytes a sample, and never holds more than its
//! limit (`queue` under `[ingest]`).

use super::sample::Arrival;
use crossbeam_channel::{Receiver, Sender};

/// What becomes of a sample that finds the queue full.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WhenFull {
    /// It waits, and the socket with it: a broker that keeps what it cannot deliver loses nothing.
    Wait,
    /// The oldest goes: for a broker that would drop without a word what it cannot deliver.
    DropOldest,
}

/// The client's end.
#[derive(Clone, Debug)]
pub struct Entrance {
    sender: Sender<Arrival>,
    /// The other end, for the oldest to be taken out.
    oldest: Option<Receiver<Arrival>>,
    limit: usize,
}

/// What became of an arrival.
#[derive(Debug, PartialEq)]
pub(super) enum Offer {
    /// It is in the queue.
    Taken,
    /// It is in the queue, and what was dropped for it is here.
    Instead(Arrival),
    /// There is no room.
    Full(Arrival),
    /// Nobody takes samples any more.
    Gone,
}

/// A queue of at most `limit` arrivals (at least one).
pub fn queue(limit: usize, when_full: WhenFull) -> (Entrance, Receiver<Arrival>) {
    let (sender, receiver) = crossbeam_channel::unbounded();
    let oldest = (when_full == WhenFull::DropOldest).then(|| receiver.clone());
    (Entrance { sender, oldest, limit: limit.max(1) }, receiver)
}

impl Entrance {
    /// Whether it is more than half full: who can wait does so before others lose by it.
    pub(super) fn is_crowded(&self) -> bool {
        self.sender.len() * 2 > self.limit
    }

    /// The limit is looked at before it is kept: with several threads that offer there may be one more for each.
    pub(super) fn offer(&self, arrival: Arrival) -> Offer {
        let mut dropped = None;
        if self.sender.len() >= self.limit {
            match &self.oldest {
                None => return Offer::Full(arrival),
                // The twin may have emptied it meanwhile; then nothing has to go.
                Some(oldest) => dropped = oldest.try_recv().ok(),
            }
        }
        match (self.sender.send(arrival), dropped) {
            (Err(_), _) => Offer::Gone,
            (Ok(()), None) => Offer::Taken,
            (Ok(()), Some(dropped)) => Offer::Instead(dropped),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::Time;

    fn at(ms: i64) -> Arrival {
        Arrival::Clock(Time(ms))
    }

    #[test]
    fn a_full_queue_keeps_the_sender_waiting() {
        let (entrance, out) = queue(2, WhenFull::Wait);
        assert_eq!((entrance.offer(at(1)), entrance.offer(at(2))), (Offer::Taken, Offer::Taken));
        assert_eq!(entrance.offer(at(3)), Offer::Full(at(3)));
        assert_eq!(out.try_recv(), Ok(at(1)));
        assert_eq!(entrance.offer(at(3)), Offer::Taken);
        drop(out);
        assert_eq!(entrance.offer(at(4)), Offer::Gone);
    }

    #[test]
    fn the_oldest_goes_and_is_handed_back() {
        let (entrance, out) = queue(3, WhenFull::DropOldest);
        let offered: Vec<Offer> = (0..5).map(|i| entrance.offer(at(i))).collect();
        assert_eq!(offered[2..], [Offer::Taken, Offer::Instead(at(0)), Offer::Instead(at(1))]);
        assert_eq!(out.try_iter().collect::<Vec<_>>(), [at(2), at(3), at(4)]);
    }

    #[test]
    fn what_waits_is_small() {
        // The README and `[ingest]` speak of 50 bytes; the channel adds a word to each.
        assert!(size_of::<Arrival>() <= 40);
    }
}
