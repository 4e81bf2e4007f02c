//! Receipts: what the history has kept, told to those who published it.
//!
//! A publisher that counts its samples (`"pub"` and `"seq"`, see [`super::sequence`]) may hold what it published until
//! somebody has it for good. No broker can say that; the history does, once it has committed, on a topic of the
//! publisher's own ([`topic`]): the numbers of the samples that are done with, since the last receipt.
//!
//! ```json
//! {"pub":"gw-1","ranges":[[0,1200],[1300,1420]]}
//! ```
//!
//! Ranges are half open, ascending, and do not touch. *Done with* is what was kept, and what was refused for good: a
//! value that cannot be read is not better the second time. Who hears nothing sends again; what comes twice changes
//! nothing. An id stands for one count: a publisher whose count begins again at zero takes another id.

use serde::{Deserialize, Serialize};

/// Where receipts are published, unless a project says otherwise.
pub const PREFIX: &str = "plenum/receipts";

/// More ranges than this go into another receipt, so that none is longer than some 100 kB.
pub const RANGES: usize = 2000;

/// The topic of a publisher's receipts: what topics may not hold becomes `_`.
pub fn topic(prefix: &str, publisher: &str) -> String {
    let id: String = publisher.chars().map(|c| if matches!(c, '/' | '+' | '#' | '\0') { '_' } else { c }).collect();
    format!("{}/{id}", prefix.trim_end_matches('/'))
}

/// A receipt.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Receipt {
    /// Whose samples.
    pub publisher: String,
    /// Which are done with.
    pub ranges: Ranges,
}

/// As it is written.
#[derive(Serialize, Deserialize)]
struct Written<'a> {
    #[serde(rename = "pub", borrow)]
    publisher: std::borrow::Cow<'a, str>,
    ranges: Vec<[u64; 2]>,
}

impl Receipt {
    /// The payloads that tell a publisher of these samples; none when there is nothing to tell.
    pub fn payloads(publisher: &str, ranges: &Ranges) -> Vec<Vec<u8>> {
        let write = |part: &[[u64; 2]]| {
            let written = Written { publisher: publisher.into(), ranges: part.to_vec() };
            // A string and numbers: there is nothing that cannot be written.
            serde_json::to_vec(&written).unwrap_or_default()
        };
        ranges.0.chunks(RANGES).map(write).collect()
    }

    /// Reads a payload. Ranges may overlap and come in any order; one that is empty or turned round is wrong.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn parse(bytes: &[u8]) -> Result<Self, String> {
        let written: Written = serde_json::from_slice(bytes).map_err(|e| format!("it is no receipt: {e}"))?;
        if written.ranges.len() > RANGES {
            return Err(format!("{} ranges, more than {RANGES}", written.ranges.len()));
        }
        if let Some([from, to]) = written.ranges.iter().find(|[from, to]| from >= to) {
            return Err(format!("the range [{from},{to}] holds nothing"));
        }
        Ok(Self { publisher: written.publisher.into_owned(), ranges: written.ranges.into_iter().collect() })
    }
}

/// A set of numbers as half-open ranges: ascending, none empty, none touching the next.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ranges(Vec<[u64; 2]>);

impl Ranges {
    /// Nothing.
    pub const EMPTY: Ranges = Ranges(Vec::new());

    /// True when there is no number in it.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// How many numbers are in it.
    pub fn count(&self) -> u64 {
        self.0.iter().fold(0, |sum: u64, [from, to]| sum.saturating_add(to - from))
    }

    /// `[from, to)`, ascending.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = [u64; 2]> + '_ {
        self.0.iter().copied()
    }

    /// Adds the numbers from one (with it) to another (without it). At the end, where most come, it costs the same
    /// however many there are.
    pub fn add(&mut self, from: u64, to: u64) {
        if from >= to {
            return;
        }
        match self.0.last_mut() {
            Some([_, end]) if *end == from => {
                *end = to;
                return;
            }
            Some([_, end]) if *end > from => {}
            _ => return self.0.push([from, to]),
        }
        // Those that touch the new one become one with it.
        let first = self.0.partition_point(|[_, end]| *end < from);
        let behind = self.0.partition_point(|[begin, _]| *begin <= to);
        let touched = self.0.get(first..behind).unwrap_or_default();
        let low = touched.first().map_or(from, |[begin, _]| from.min(*begin));
        let high = touched.last().map_or(to, |[_, end]| to.max(*end));
        self.0.splice(first..behind.max(first), [[low, high]]);
    }

    /// Adds all of another.
    pub fn extend(&mut self, other: &Ranges) {
        other.iter().for_each(|[from, to]| self.add(from, to));
    }

    /// Takes numbers out.
    pub fn remove(&mut self, from: u64, to: u64) {
        if from >= to {
            return;
        }
        let first = self.0.partition_point(|[_, end]| *end <= from);
        let behind = self.0.partition_point(|[begin, _]| *begin < to);
        if first >= behind {
            return;
        }
        let touched = self.0.get(first..behind).unwrap_or_default();
        let before = touched.first().map(|[begin, _]| [*begin, from]);
        let after = touched.last().map(|[_, end]| [to, *end]);
        let left: Vec<[u64; 2]> = before.into_iter().chain(after).filter(|[from, to]| from < to).collect();
        self.0.splice(first..behind, left);
    }

    /// Whether all numbers from one (with it) to another (without it) are in it.
    pub fn holds(&self, from: u64, to: u64) -> bool {
        let at = self.0.partition_point(|[_, end]| *end <= from);
        from >= to || self.0.get(at).is_some_and(|[begin, end]| *begin <= from && to <= *end)
    }

    /// The first number from `from` on that is not in it.
    pub fn first_missing(&self, from: u64) -> u64 {
        let at = self.0.partition_point(|[_, end]| *end <= from);
        self.0.get(at).filter(|[begin, _]| *begin <= from).map_or(from, |[_, end]| *end)
    }
}

impl FromIterator<[u64; 2]> for Ranges {
    fn from_iter<I: IntoIterator<Item = [u64; 2]>>(all: I) -> Self {
        let mut all: Vec<[u64; 2]> = all.into_iter().collect();
        all.sort_unstable();
        let mut ranges = Self::default();
        all.into_iter().for_each(|[from, to]| ranges.add(from, to));
        ranges
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    #[test]
    fn a_receipt_as_it_is_written() {
        let mut ranges = Ranges::default();
        ranges.add(1300, 1420);
        ranges.add(0, 1200);
        let payloads = Receipt::payloads("gw-1", &ranges);
        assert_eq!(payloads, [br#"{"pub":"gw-1","ranges":[[0,1200],[1300,1420]]}"#]);
        assert_eq!(Receipt::parse(&payloads[0]), Ok(Receipt { publisher: "gw-1".into(), ranges }));
        assert!(Receipt::payloads("gw-1", &Ranges::EMPTY).is_empty());
        assert_eq!(topic(PREFIX, "gw-1"), "plenum/receipts/gw-1");
        assert_eq!(topic("site/receipts/", "a/b+c#d"), "site/receipts/a_b_c_d");
    }

    #[test]
    fn what_is_odd_in_a_receipt() {
        let odd = Receipt::parse(br#"{"pub":"a \"b\"","ranges":[[5,9],[0,6],[20,21]],"more":1}"#).unwrap();
        assert_eq!(odd.publisher, "a \"b\"");
        assert_eq!(odd.ranges.iter().collect::<Vec<_>>(), [[0, 9], [20, 21]]);
        for wrong in [
            "",
            "[]",
            "{}",
            r#"{"pub":"a"}"#,
            r#"{"pub":1,"ranges":[]}"#,
            r#"{"pub":"a","ranges":[[3,3]]}"#,
            r#"{"pub":"a","ranges":[[4,3]]}"#,
            r#"{"pub":"a","ranges":[[-1,3]]}"#,
            r#"{"pub":"a","ranges":[[1,2,3]]}"#,
        ] {
            assert!(Receipt::parse(wrong.as_bytes()).is_err(), "{wrong}");
        }
    }

    #[test]
    fn many_ranges_make_many_receipts() {
        let all: Ranges = (0..5000).map(|i| [10 * i, 10 * i + 3]).collect();
        let payloads = Receipt::payloads("gw/1", &all);
        assert_eq!(payloads.len(), 3);
        let mut heard = Ranges::default();
        payloads.iter().for_each(|p| heard.extend(&Receipt::parse(p).unwrap().ranges));
        assert_eq!(heard, all);
        assert_eq!(heard.count(), 15_000);
    }

    #[test]
    fn the_first_that_is_missing() {
        let ranges: Ranges = [[0, 4], [6, 9]].into_iter().collect();
        assert_eq!([0, 4, 5, 6, 9, 100].map(|n| ranges.first_missing(n)), [4, 4, 5, 9, 9, 100]);
    }

    proptest! {
        #[test]
        fn ranges_are_the_set_that_they_stand_for(
            steps in proptest::collection::vec((any::<bool>(), 0u64..60, 0u64..20), 0..60),
        ) {
            let (mut ranges, mut set) = (Ranges::default(), BTreeSet::new());
            for (adds, from, long) in steps {
                if adds {
                    ranges.add(from, from + long);
                    set.extend(from..from + long);
                } else {
                    ranges.remove(from, from + long);
                    set.retain(|n| !(from..from + long).contains(n));
                }
                let all: Vec<u64> = ranges.iter().flat_map(|[from, to]| from..to).collect();
                prop_assert_eq!(&all, &set.iter().copied().collect::<Vec<_>>());
                prop_assert!(ranges.iter().zip(ranges.iter().skip(1)).all(|(a, b)| a[1] < b[0]));
                prop_assert!(ranges.iter().all(|[from, to]| from < to));
                prop_assert_eq!(ranges.count(), set.len() as u64);
                prop_assert_eq!(ranges.holds(from, from + long), (from..from + long).all(|n| set.contains(&n)));
            }
        }

        #[test]
        fn no_payload_panics(bytes in proptest::collection::vec(any::<u8>(), 0..200), a in any::<u64>(), b in any::<u64>()) {
            let _ = Receipt::parse(&bytes);
            let mut ranges = Ranges::default();
            ranges.add(a, b);
            ranges.add(b, a);
            ranges.add(0, u64::MAX);
            ranges.remove(a, b);
            let _ = ranges.count();
        }
    }
}
