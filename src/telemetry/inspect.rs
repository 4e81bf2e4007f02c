//! What is on the wire just now: each topic with its count, its rate and its last payload, in bounded memory.

use crate::time::Time;
use std::collections::HashMap;

/// At most this many topics are told apart.
pub const TOPICS: usize = 20_000;
/// This much of a payload is kept, bytes.
pub const KEPT: usize = 4096;
/// Over this time the rate is a mean, seconds.
const WINDOW_S: f64 = 30.0;

/// One topic.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Seen {
    /// Messages.
    pub messages: u64,
    /// Bytes of payload.
    pub bytes: u64,
    /// When the first came.
    pub first: Time,
    /// When the last came.
    pub last: Time,
    /// Messages a second, of late.
    pub per_s: f64,
    /// Its length, bytes.
    pub length: usize,
    /// The beginning of the last payload.
    pub payload: Vec<u8>,
}

/// Every topic that came since it was switched on.
#[derive(Clone, Debug, Default)]
pub struct Inspection {
    topics: HashMap<Box<str>, Seen>,
    untold: u64,
}

impl Inspection {
    /// Takes note of a message.
    pub fn see(&mut self, topic: &str, payload: &[u8], now: Time) {
        if !self.topics.contains_key(topic) {
            if self.topics.len() >= TOPICS {
                self.untold += 1;
                return;
            }
            self.topics.insert(topic.into(), Seen { first: now, last: now, ..Seen::default() });
        }
        let Some(seen) = self.topics.get_mut(topic) else { return };
        let since = now.seconds_since(seen.last).max(0.0);
        seen.per_s = decayed(seen.per_s, since) + if seen.messages == 0 { 0.0 } else { 1.0 / WINDOW_S };
        seen.messages += 1;
        seen.bytes += payload.len() as u64;
        seen.last = seen.last.max(now);
        seen.length = payload.len();
        seen.payload.clear();
        seen.payload.extend_from_slice(payload.get(..KEPT).unwrap_or(payload));
    }

    /// Every topic.
    pub fn topics(&self) -> impl Iterator<Item = (&str, &Seen)> {
        self.topics.iter().map(|(topic, seen)| (topic.as_ref(), seen))
    }

    /// One topic.
    pub fn topic(&self, topic: &str) -> Option<&Seen> {
        self.topics.get(topic)
    }

    /// Messages of topics that found no room.
    pub fn untold(&self) -> u64 {
        self.untold
    }
}

impl Seen {
    /// Messages a second at a moment: it falls while nothing comes.
    pub fn rate(&self, now: Time) -> f64 {
        decayed(self.per_s, now.seconds_since(self.last).max(0.0))
    }
}

fn decayed(per_s: f64, seconds: f64) -> f64 {
    per_s * (-seconds / WINDOW_S).exp()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_rates_and_the_last_payload() {
        let mut inspection = Inspection::default();
        for i in 0..600 {
            inspection.see("a", format!("{i}").as_bytes(), Time(i * 500));
        }
        let a = inspection.topic("a").unwrap();
        assert_eq!(
            (a.messages, a.payload.as_slice(), a.first, a.last),
            (600, b"599".as_slice(), Time(0), Time(299_500))
        );
        assert!((a.rate(a.last) - 2.0).abs() < 0.05, "two a second: {}", a.rate(a.last));
        assert!(a.rate(a.last.plus_seconds(300.0)) < 0.001);
        inspection.see("b", &[7; 10_000], Time(0));
        let b = inspection.topic("b").unwrap();
        assert_eq!((b.length, b.payload.len(), b.rate(Time(0))), (10_000, KEPT, 0.0));
    }

    #[test]
    fn it_ends_somewhere() {
        let mut inspection = Inspection::default();
        for i in 0..TOPICS + 5 {
            inspection.see(&i.to_string(), b"", Time(0));
        }
        inspection.see("0", b"", Time(1));
        assert_eq!((inspection.topics().count(), inspection.untold()), (TOPICS, 5));
        assert_eq!(inspection.topic("0").unwrap().messages, 2);
    }
}
