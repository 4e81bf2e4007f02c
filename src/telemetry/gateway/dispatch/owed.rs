//! The backlog, and what has to be sent again.

use super::{CHUNK, Dispatch, Outgoing, Sent};
use crate::time::Time;
use std::io;

/// How often it is looked what is overdue, seconds.
const LOOK_S: f64 = 1.0;
/// Records of the backlog that are read at once.
const AT_ONCE: usize = 32;
/// The wait before a record is sent again doubles so often.
const DOUBLED: u8 = 5;

impl Dispatch {
    /// What the broker has and the historian has not confirmed for too long.
    pub(super) fn overdue(&mut self, now: Time, out: &mut Vec<Outgoing>) -> io::Result<()> {
        if !self.historian || self.looked.is_some_and(|t| now.seconds_since(t).abs() < LOOK_S) {
            return Ok(());
        }
        self.looked = Some(now);
        let wait = |s: &Sent| self.pace.again_s * f64::from(1u32 << s.tries.min(DOUBLED));
        let late = |s: &Sent| s.broker && now.seconds_since(s.at) >= wait(s);
        let numbers: Vec<u64> = self.sent.iter().filter(|(_, s)| late(s)).map(|(n, _)| *n).collect();
        for number in numbers {
            if self.tokens < 1.0 || self.in_flight >= self.pace.in_flight / 2 {
                break;
            }
            match self.spool.read(number, 1, CHUNK)?.pop() {
                Some(record) if record.number == number => {
                    if let Some(sent) = self.sent.get_mut(&number) {
                        (sent.at, sent.broker, sent.tries) = (now, false, sent.tries.saturating_add(1));
                        self.in_flight += 1;
                    }
                    self.tokens -= f64::from(record.samples);
                    self.counts.again += u64::from(record.samples);
                    let samples = record.samples;
                    out.push(Outgoing { number, samples, backlog: true, again: true, record: record.bytes });
                }
                _ => drop(self.sent.remove(&number)),
            }
        }
        Ok(())
    }

    /// The oldest of the backlog, as many as may go now.
    pub(super) fn catch_up(&mut self, now: Time, out: &mut Vec<Outgoing>) -> io::Result<()> {
        // What is on its way without an answer holds the backlog up before it does the live ones.
        while self.tokens >= 1.0 && self.in_flight < self.pace.in_flight / 2 && self.sent.len() < super::REMEMBERED {
            let Some([from, to]) = self.owed.iter().next() else { break };
            let room = (self.pace.in_flight / 2).saturating_sub(self.in_flight);
            // No more than may go: how many samples a record has is not known before.
            let most = room.min(self.tokens.ceil() as usize).min(AT_ONCE);
            let mut found = false;
            for record in self.spool.read(from, most, CHUNK)? {
                if record.number >= to || self.tokens < 1.0 {
                    break;
                }
                found = true;
                self.tokens -= f64::from(record.samples);
                let (number, samples) = (record.number, record.samples);
                self.owed.remove(from, record.end());
                self.send(number, samples, now);
                out.push(Outgoing { number, samples, backlog: true, again: false, record: record.bytes });
            }
            if !found {
                // What is owed there is not in the spool any more.
                self.owed.remove(from, to);
            }
        }
        Ok(())
    }
}
