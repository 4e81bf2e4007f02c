//! Payloads that could not be read: counted by reason, the last ones kept for a person to look at.

use crate::time::Time;
use std::collections::VecDeque;

/// Why a value or a payload was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Reason {
    /// No bytes at all.
    Empty,
    /// Longer than the project allows.
    TooLarge,
    /// Not JSON, or cut off.
    Syntax,
    /// JSON, but not `{ts, v}`, `{ts, values}` or a list of these.
    Shape,
    /// Neither `v` nor `values`, or a value that is `null`.
    NoValue,
    /// Text, a list or an object where a number belongs, or a switch where a quantity belongs.
    WrongType,
    /// NaN or infinite.
    NotFinite,
    /// A time that cannot be read.
    BadTime,
    /// A unit that is not known, or measures something else than the point.
    WrongUnit,
}

impl Reason {
    /// Every reason, in the order of [`Quarantine::counts`].
    pub const ALL: [Reason; 9] = [
        Self::Empty,
        Self::TooLarge,
        Self::Syntax,
        Self::Shape,
        Self::NoValue,
        Self::WrongType,
        Self::NotFinite,
        Self::BadTime,
        Self::WrongUnit,
    ];

    /// What people read.
    pub fn text(self) -> &'static str {
        match self {
            Self::Empty => "empty payload",
            Self::TooLarge => "payload longer than max_payload_bytes",
            Self::Syntax => "not JSON, or cut off",
            Self::Shape => "not {ts, v}, {ts, values} or a list of these",
            Self::NoValue => "no value",
            Self::WrongType => "value is not a number",
            Self::NotFinite => "value is not finite (NaN or infinite)",
            Self::WrongUnit => "its unit is not known, or is of another quantity than the point",
            Self::BadTime => "ts is neither RFC 3339 nor a number of milliseconds",
        }
    }
}

/// One refused payload.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused {
    /// Its topic; empty where the connection broke before it was known.
    pub topic: String,
    /// The first reason found in it.
    pub reason: Reason,
    /// How long it was, bytes.
    pub length: usize,
    /// How it begins: at most [`Quarantine::BEGINNING`] bytes.
    pub beginning: Vec<u8>,
    /// When it arrived, by this machine's clock.
    pub when: Time,
}

impl Refused {
    /// How it begins, as text; what is not text is shown as `�`.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.beginning).into_owned()
    }
}

/// Refused values counted by reason, and the last refused payloads.
#[derive(Clone, Debug, Default)]
pub struct Quarantine {
    counts: [u64; Reason::ALL.len()],
    last: VecDeque<Refused>,
}

impl Quarantine {
    /// How many payloads are kept.
    pub const KEPT: usize = 100;
    /// How many bytes of each are kept.
    pub const BEGINNING: usize = 256;

    /// Counts one refused value, or a whole payload that gave none.
    pub(super) fn count(&mut self, reason: Reason) {
        if let Some(count) = self.counts.get_mut(reason as usize) {
            *count += 1;
        }
    }

    /// Keeps a refused payload, at the cost of the oldest one.
    pub(super) fn keep(&mut self, topic: &str, payload: &[u8], length: usize, reason: Reason, when: Time) {
        if self.last.len() >= Self::KEPT {
            self.last.pop_front();
        }
        let beginning = payload.iter().copied().take(Self::BEGINNING).collect();
        let topic = topic.chars().take(256).collect();
        self.last.push_back(Refused { topic, reason, length, beginning, when });
    }

    /// How many values were refused for which reason; those with none are left out.
    pub fn counts(&self) -> impl Iterator<Item = (Reason, u64)> {
        Reason::ALL.into_iter().zip(self.counts).filter(|(_, n)| *n > 0)
    }

    /// How many were refused for one reason.
    pub fn of(&self, reason: Reason) -> u64 {
        self.counts.get(reason as usize).copied().unwrap_or_default()
    }

    /// All that were refused.
    pub fn total(&self) -> u64 {
        self.counts.iter().sum()
    }

    /// The last refused payloads, oldest first.
    pub fn last(&self) -> impl DoubleEndedIterator<Item = &Refused> {
        self.last.iter()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_few_and_short() {
        let mut q = Quarantine::default();
        for i in 0..1000_i64 {
            q.count(Reason::Syntax);
            q.keep("t", &[b'x'; 4096], 4096, Reason::Syntax, Time(i));
        }
        assert_eq!(q.total(), 1000);
        assert_eq!(q.of(Reason::Syntax), 1000);
        assert_eq!(q.counts().collect::<Vec<_>>(), [(Reason::Syntax, 1000)]);
        assert_eq!(q.last().count(), Quarantine::KEPT);
        assert!(q.last().all(|r| r.beginning.len() == Quarantine::BEGINNING && r.length == 4096));
        assert_eq!(q.last().next_back().unwrap().when, Time(999));
    }

    #[test]
    fn every_reason_has_its_own_place() {
        for (i, reason) in Reason::ALL.into_iter().enumerate() {
            assert_eq!(reason as usize, i);
        }
    }
}
