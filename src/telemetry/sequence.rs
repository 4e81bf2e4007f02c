//! What got lost on the way, from the count that a publisher puts into its payloads.
//!
//! A publisher that writes `"pub": "id"` and `"seq": n` into each object says that it had published
//! `n` samples before this one. A jump forward is a loss, a step back something sent twice (MQTT QoS 1
//! may) or something late that fills a gap. An acknowledgement by the broker is no delivery: stock
//! mosquitto drops what its queue does not hold, and this finds it.

use std::collections::HashMap;

/// What is known of one publisher.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Publisher {
    /// Samples that are missing: inside gaps that nothing has filled.
    pub lost: u64,
    /// Samples that came more than once.
    pub duplicate: u64,
    /// The count after the last sample in order: what the next object should carry.
    pub next: u64,
    /// How often its count began again at zero.
    pub restarts: u64,
    gaps: Vec<(u64, u64)>,
}

impl Publisher {
    /// Gaps remembered, so that late samples can fill them; samples in older ones stay lost.
    const GAPS: usize = 256;
    /// A count of zero this far on is a publisher that started again, not one object sent twice.
    const RESTART_AFTER: u64 = 4096;

    fn new(seq: u64, samples: u64) -> Self {
        Self { next: seq.saturating_add(samples), ..Self::default() }
    }

    fn object(&mut self, seq: u64, samples: u64) {
        let end = seq.saturating_add(samples);
        if seq > self.next {
            self.lost = self.lost.saturating_add(seq - self.next);
            if self.gaps.len() >= Self::GAPS {
                self.gaps.remove(0);
            }
            self.gaps.push((self.next, seq));
            self.next = end;
        } else if seq == self.next {
            self.next = end;
        } else if seq == 0 && self.next > Self::RESTART_AFTER && !self.gaps.iter().any(|g| g.0 == 0) {
            self.restarts += 1;
            self.gaps.clear();
            self.next = end;
        } else {
            self.back(seq, end);
        }
    }

    /// Samples `from..to` came that should have been here already.
    fn back(&mut self, from: u64, to: u64) {
        let known = to.min(self.next);
        let mut filled = 0;
        let mut left = Vec::with_capacity(self.gaps.len() + 1);
        for &(a, b) in &self.gaps {
            let (low, high) = (a.max(from), b.min(known));
            if low >= high {
                left.push((a, b));
                continue;
            }
            filled += high - low;
            left.extend([(a, low), (high, b)].into_iter().filter(|(a, b)| a < b));
        }
        self.gaps = left;
        self.lost -= filled.min(self.lost);
        self.duplicate = self.duplicate.saturating_add(known.saturating_sub(from).saturating_sub(filled));
        self.next = self.next.max(to);
    }
}

/// Every publisher that counts its samples.
#[derive(Clone, Debug, Default)]
pub struct Publishers {
    known: HashMap<Box<str>, Publisher>,
    /// Objects of publishers beyond [`Publishers::MOST`]: not followed.
    pub not_followed: u64,
}

impl Publishers {
    /// More publishers than this are not followed.
    pub const MOST: usize = 1024;

    /// Adds what was heard over another wire. Of a publisher on both the one that was heard further counts.
    pub(super) fn add(&mut self, other: &Publishers) {
        self.not_followed = self.not_followed.saturating_add(other.not_followed);
        for (id, theirs) in &other.known {
            match self.known.get_mut(id) {
                Some(ours) if ours.next >= theirs.next => {}
                Some(ours) => ours.clone_from(theirs),
                None => {
                    self.known.insert(id.clone(), theirs.clone());
                }
            }
        }
    }

    /// An object with `samples` samples, before which its publisher had published `seq`.
    pub(super) fn object(&mut self, publisher: &str, seq: u64, samples: u64) {
        if let Some(known) = self.known.get_mut(publisher) {
            known.object(seq, samples);
        } else if self.known.len() < Self::MOST && publisher.len() <= 256 {
            self.known.insert(publisher.into(), Publisher::new(seq, samples));
        } else {
            self.not_followed += 1;
        }
    }

    /// All of them, with their ids.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Publisher)> {
        self.known.iter().map(|(id, p)| (id.as_ref(), p))
    }

    /// One of them.
    pub fn get(&self, id: &str) -> Option<&Publisher> {
        self.known.get(id)
    }

    /// Samples lost of all publishers; none when no publisher counts.
    pub fn lost(&self) -> Option<u64> {
        (!self.known.is_empty()).then(|| self.known.values().fold(0, |sum: u64, p| sum.saturating_add(p.lost)))
    }

    /// Samples that came more than once.
    pub fn duplicate(&self) -> u64 {
        self.known.values().fold(0, |sum: u64, p| sum.saturating_add(p.duplicate))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn after(objects: &[(u64, u64)]) -> Publisher {
        let mut all = Publishers::default();
        for (seq, samples) in objects {
            all.object("p", *seq, *samples);
        }
        all.get("p").cloned().unwrap()
    }

    #[test]
    fn a_gap_is_a_loss_and_a_repeat_is_none() {
        assert_eq!(after(&[(0, 2), (2, 1), (3, 5)]).lost, 0);
        assert_eq!(after(&[(0, 2), (5, 1)]).lost, 3);
        let twice = after(&[(0, 2), (2, 2), (0, 2), (2, 2), (4, 1)]);
        assert_eq!((twice.lost, twice.duplicate, twice.next), (0, 4, 5));
        // One that joins late has lost nothing of what was before.
        assert_eq!(after(&[(100, 1), (101, 1)]).lost, 0);
    }

    #[test]
    fn late_samples_fill_their_gap() {
        let p = after(&[(0, 1), (4, 1), (2, 1), (1, 1), (3, 1), (3, 1)]);
        assert_eq!((p.lost, p.duplicate, p.next), (0, 1, 5));
    }

    #[test]
    fn publishers_on_two_wires() {
        let (mut here, mut there) = (Publishers::default(), Publishers::default());
        here.object("a", 0, 1);
        here.object("both", 0, 5);
        there.object("both", 0, 2);
        there.object("both", 4, 6);
        there.object("b", 7, 1);
        here.add(&there);
        let next = |id: &str| here.get(id).map(|p| p.next);
        assert_eq!([next("a"), next("b"), next("both")], [Some(1), Some(8), Some(10)]);
        assert_eq!(here.lost(), Some(2), "the one that was heard further counts");
    }

    #[test]
    fn a_publisher_may_start_again() {
        let p = after(&[(5000, 1), (0, 1), (1, 1)]);
        assert_eq!((p.lost, p.duplicate, p.restarts, p.next), (0, 0, 1, 2));
    }

    #[test]
    fn the_table_of_publishers_is_bounded() {
        let mut all = Publishers::default();
        for i in 0..2000 {
            all.object(&i.to_string(), 0, 1);
        }
        assert_eq!(all.iter().count(), Publishers::MOST);
        assert_eq!(all.not_followed, 2000 - Publishers::MOST as u64);
        assert_eq!(Publishers::default().lost(), None);
        assert_eq!(all.lost(), Some(0));
    }

    proptest! {
        /// Whatever is dropped, repeated and swapped: lost is what never came, duplicate what came again.
        #[test]
        fn the_sums_agree(sent in proptest::collection::vec((0_u64..5, 0_u8..4, any::<bool>()), 1..60)) {
            let mut wire = vec![(0_u64, 1_u64)];
            let mut seq = 1;
            for (samples, copies, _) in &sent {
                for _ in 0..*copies {
                    wire.push((seq, *samples));
                }
                seq += samples;
            }
            // Swap some neighbours, but let the first stay first and close the sequence at the end.
            for (i, (_, _, swap)) in sent.iter().enumerate() {
                if *swap && i + 2 < wire.len() {
                    wire.swap(i + 1, i + 2);
                }
            }
            wire.push((seq, 1));
            let p = after(&wire);
            let arrived: u64 = wire.iter().map(|w| w.1).sum();
            let unique: u64 = 2 + sent.iter().filter(|s| s.1 > 0).map(|s| s.0).sum::<u64>();
            prop_assert_eq!(p.lost, (seq + 1) - unique);
            prop_assert_eq!(p.duplicate, arrived - unique);
            prop_assert_eq!(p.next, seq + 1);
        }

        #[test]
        fn nothing_overflows(objects in proptest::collection::vec((any::<u64>(), any::<u64>()), 0..50)) {
            let mut all = Publishers::default();
            for (seq, samples) in objects {
                all.object("p", seq, samples);
            }
        }
    }
}
