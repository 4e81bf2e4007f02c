//! What is sent when: live samples at once, the backlog behind them at a bounded rate, everything until it is there
//! for good.
//!
//! Every record goes into the [`Spool`] first. It is let go only when the broker *and* the historian have confirmed
//! it; what is not confirmed in time is sent again. Records that stood in the spool when the connection came about
//! are the backlog, oldest first.

use super::spool::{Refused, Spool};
use crate::time::Time;
use std::collections::BTreeMap;
use std::io;

/// How records are sent.
#[derive(Clone, Copy, Debug)]
pub struct Pace {
    /// Records of the backlog a second, at the most.
    pub backlog_per_s: f64,
    /// Records on their way without a confirmation, at the most.
    pub in_flight: usize,
    /// A record that nobody has confirmed for so long is sent again, seconds.
    pub again_s: f64,
    /// New records wait no longer than this for the disk, seconds.
    pub sync_s: f64,
    /// Nor more of them than this.
    pub sync_records: u64,
}

impl Default for Pace {
    fn default() -> Self {
        Self { backlog_per_s: 100.0, in_flight: 1000, again_s: 30.0, sync_s: 0.2, sync_records: 1000 }
    }
}

/// What to do when the spool is full.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum WhenFull {
    /// The oldest is given up for the newest.
    #[default]
    LoseOldest,
    /// The newest is not taken.
    LoseNewest,
}

/// A record to publish.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outgoing {
    /// Its number; confirmations name it.
    pub number: u64,
    /// It comes late.
    pub backlog: bool,
    /// It was sent before, and may be there.
    pub again: bool,
    /// What it says.
    pub record: Vec<u8>,
}

#[derive(Clone, Copy, Debug)]
struct Sent {
    at: Time,
    broker: bool,
    historian: bool,
}

/// What has become of the records.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Taken into the spool.
    pub taken: u64,
    /// Sent for the first time.
    pub sent: u64,
    /// Sent again.
    pub again: u64,
    /// Confirmed by both.
    pub confirmed: u64,
    /// Lost because the spool was full.
    pub lost: u64,
}

/// The spool with what is on its way.
pub struct Dispatch {
    spool: Spool,
    pace: Pace,
    when_full: WhenFull,
    connected: bool,
    /// Whether there is a historian that confirms; without one the broker's word is enough.
    historian: bool,
    /// On their way, by number.
    sent: BTreeMap<u64, Sent>,
    /// The next record of the backlog; it ends where the live ones begin.
    backlog: u64,
    /// The first record after the backlog.
    live_from: u64,
    /// The next live record.
    live: u64,
    /// How many records of the backlog may go now.
    tokens: f64,
    tokens_at: Option<Time>,
    /// The oldest record that is not on the disk, since when.
    unsynced: Option<Time>,
    unsynced_records: u64,
    /// Records before this are on the disk.
    synced: u64,
    /// What has become of the records.
    pub counts: Counts,
}

impl Dispatch {
    /// Around a spool, not connected.
    pub fn new(spool: Spool, pace: Pace, when_full: WhenFull, historian: bool) -> Self {
        let first = spool.first();
        let synced = first + spool.len();
        Self {
            spool,
            pace,
            when_full,
            connected: false,
            historian,
            sent: BTreeMap::new(),
            backlog: first,
            live_from: synced,
            live: synced,
            tokens: 0.0,
            tokens_at: None,
            unsynced: None,
            unsynced_records: 0,
            synced,
            counts: Counts::default(),
        }
    }

    /// The spool.
    pub fn spool(&self) -> &Spool {
        &self.spool
    }

    /// Takes a record. It is sent once it is on the disk.
    ///
    /// # Errors
    /// The disk's, or a record that is too long: it is not kept.
    pub fn take(&mut self, record: &[u8], now: Time) -> Result<(), Refused> {
        loop {
            match self.spool.push(record) {
                Ok(_) => break,
                Err(Refused::Full) if self.when_full == WhenFull::LoseOldest => {
                    let lost = self.spool.give_up_oldest()?;
                    self.counts.lost += lost;
                    let first = self.spool.first();
                    self.sent = self.sent.split_off(&first);
                    if lost == 0 && self.spool.len() == 0 {
                        // Nothing is left to give up, and it still does not fit.
                        return Err(Refused::Full);
                    }
                }
                Err(e) => {
                    if matches!(e, Refused::Full) {
                        self.counts.lost += 1;
                    }
                    return Err(e);
                }
            }
        }
        self.counts.taken += 1;
        self.unsynced.get_or_insert(now);
        self.unsynced_records += 1;
        Ok(())
    }

    /// The connection is there: everything that is not confirmed is the backlog.
    pub fn connected(&mut self, now: Time) {
        self.connected = true;
        self.sent.clear();
        self.backlog = self.spool.first();
        self.live_from = self.synced;
        self.live = self.synced;
        self.tokens = 0.0;
        self.tokens_at = Some(now);
    }

    /// The connection is gone.
    pub fn disconnected(&mut self) {
        self.connected = false;
    }

    /// What to publish now; brings new records onto the disk when that is due.
    ///
    /// # Errors
    /// The disk's; the same records come again at the next call.
    pub fn next(&mut self, now: Time) -> io::Result<Vec<Outgoing>> {
        let due = self.unsynced.is_some_and(|since| now.seconds_since(since) >= self.pace.sync_s);
        if due || self.unsynced_records >= self.pace.sync_records {
            self.synced = self.spool.sync()?;
            (self.unsynced, self.unsynced_records) = (None, 0);
        }
        if !self.connected {
            return Ok(Vec::new());
        }
        let mut out = self.overdue(now)?;
        let room = |sent: &BTreeMap<u64, Sent>| self.pace.in_flight.saturating_sub(sent.len());
        let live = self.spool.read(self.live, room(&self.sent), usize::MAX)?;
        for (number, record) in live {
            self.live = number + 1;
            self.send(number, now);
            out.push(Outgoing { number, backlog: false, again: false, record });
        }
        if let Some(before) = self.tokens_at.replace(now) {
            // A second's worth at the most: no burst after a pause.
            let gained = self.pace.backlog_per_s * now.seconds_since(before).max(0.0);
            self.tokens = (self.tokens + gained).min(self.pace.backlog_per_s.max(1.0));
        }
        let left = self.live_from.saturating_sub(self.backlog);
        // What is on its way without an answer holds the backlog up before it does the live ones.
        let room = (self.pace.in_flight / 2).saturating_sub(self.sent.len());
        let most = room.min(self.tokens as usize).min(usize::try_from(left).unwrap_or(usize::MAX));
        if most > 0 {
            for (number, record) in self.spool.read(self.backlog, most, usize::MAX)? {
                if number >= self.live_from {
                    break;
                }
                self.backlog = number + 1;
                self.tokens -= 1.0;
                self.send(number, now);
                out.push(Outgoing { number, backlog: true, again: false, record });
            }
        }
        Ok(out)
    }

    fn send(&mut self, number: u64, now: Time) {
        self.counts.sent += 1;
        self.sent.insert(number, Sent { at: now, broker: false, historian: !self.historian });
    }

    /// What nobody has confirmed for too long.
    fn overdue(&mut self, now: Time) -> io::Result<Vec<Outgoing>> {
        let late = |s: &Sent| now.seconds_since(s.at) >= self.pace.again_s;
        let numbers: Vec<u64> = self.sent.iter().filter(|(_, s)| late(s)).map(|(n, _)| *n).collect();
        let mut out = Vec::new();
        for number in numbers {
            match self.spool.read(number, 1, usize::MAX)?.pop() {
                Some((found, record)) if found == number => {
                    if let Some(sent) = self.sent.get_mut(&number) {
                        sent.at = now;
                    }
                    self.counts.again += 1;
                    out.push(Outgoing { number, backlog: true, again: true, record });
                }
                _ => drop(self.sent.remove(&number)),
            }
        }
        Ok(out)
    }

    /// The broker has a record.
    ///
    /// # Errors
    /// The disk's; the record may come again after a restart.
    pub fn broker_has(&mut self, number: u64) -> io::Result<()> {
        if let Some(sent) = self.sent.get_mut(&number) {
            sent.broker = true;
        }
        self.let_go(number)
    }

    /// The historian has a record for good: it has it whatever the broker says.
    ///
    /// # Errors
    /// As for [`Self::broker_has`].
    pub fn historian_has(&mut self, number: u64) -> io::Result<()> {
        if let Some(sent) = self.sent.get_mut(&number) {
            sent.historian = true;
        }
        self.let_go(number)
    }

    fn let_go(&mut self, number: u64) -> io::Result<()> {
        if self.sent.get(&number).is_some_and(|s| s.broker && s.historian) {
            self.sent.remove(&number);
            self.counts.confirmed += 1;
        }
        Ok(())
    }

    /// Lets the spool forget what is confirmed: every record before the first one that is not. To be called now and
    /// then; each call writes to the disk.
    ///
    /// # Errors
    /// The disk's.
    pub fn forget(&mut self) -> io::Result<()> {
        let waiting = [self.sent.keys().next().copied(), (self.backlog < self.live_from).then_some(self.backlog)];
        let before = waiting.into_iter().flatten().fold(self.live, u64::min);
        // Of what was never sent in this connection nothing is known.
        if self.connected { self.spool.confirm(before) } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests {
    use super::super::spool::Options;
    use super::*;
    use std::collections::{BTreeSet, VecDeque};

    fn dispatch(folder: &std::path::Path, pace: Pace) -> Dispatch {
        let (spool, problems) = Spool::open(folder, Options { segment_bytes: 4000, ..Options::default() }).unwrap();
        assert!(problems.is_empty());
        Dispatch::new(spool, pace, WhenFull::LoseOldest, true)
    }

    fn record(i: u64) -> Vec<u8> {
        i.to_le_bytes().to_vec()
    }

    fn of(record: &[u8]) -> u64 {
        u64::from_le_bytes(record.try_into().unwrap())
    }

    #[test]
    fn both_must_confirm_and_what_nobody_confirms_comes_again() {
        let dir = tempfile::tempdir().unwrap();
        let mut d = dispatch(dir.path(), Pace::default());
        d.connected(Time(0));
        (0..3).for_each(|i| d.take(&record(i), Time(0)).unwrap());
        assert!(d.next(Time(100)).unwrap().is_empty(), "not on the disk yet");
        let out = d.next(Time(200)).unwrap();
        assert_eq!(out.iter().map(|o| (o.number, o.backlog)).collect::<Vec<_>>(), [(0, false), (1, false), (2, false)]);
        d.broker_has(0).unwrap();
        d.historian_has(1).unwrap();
        (d.broker_has(2).unwrap(), d.historian_has(2).unwrap());
        d.forget().unwrap();
        assert_eq!(d.spool().len(), 3, "the first is not confirmed");
        let again = d.next(Time(31_000)).unwrap();
        assert_eq!(again.iter().map(|o| (o.number, o.again)).collect::<Vec<_>>(), [(0, true), (1, true)]);
        d.historian_has(0).unwrap();
        d.broker_has(1).unwrap();
        d.forget().unwrap();
        assert_eq!((d.spool().len(), d.counts.confirmed, d.counts.again), (0, 3, 2));
    }

    /// Eight hours without a broker at 1,000 points every 10 s: nothing is lost, live samples are current, each way is
    /// in order, and the backlog is gone within 15 minutes.
    #[test]
    fn eight_hours_without_a_broker() {
        const DEVICES: u64 = 20; // 50 points each
        const HOURS_MS: i64 = 8 * 3_600_000;
        let dir = tempfile::tempdir().unwrap();
        let mut d = dispatch(dir.path(), Pace { backlog_per_s: 80.0, sync_s: 0.0, ..Pace::default() });
        let mut number = 0;
        let mut now = 0i64;
        while now < HOURS_MS {
            for _ in 0..DEVICES {
                d.take(&record(number), Time(now)).unwrap();
                number += 1;
            }
            assert!(d.next(Time(now)).unwrap().is_empty());
            now += 10_000;
        }
        let backlog = number;
        d.connected(Time(now));
        let mut got: BTreeSet<u64> = BTreeSet::new();
        let (mut last_live, mut last_old) = (None, None);
        let mut answers: VecDeque<(i64, u64)> = VecDeque::new();
        let mut drained = None;
        let end = now + 1_200_000;
        let began = now;
        while now < end {
            if now % 10_000 == 0 {
                for _ in 0..DEVICES {
                    d.take(&record(number), Time(now)).unwrap();
                    number += 1;
                }
            }
            for o in d.next(Time(now)).unwrap() {
                assert_eq!(of(&o.record), o.number);
                let last = if o.backlog { &mut last_old } else { &mut last_live };
                assert!(last.is_none_or(|l| l < o.number), "in order");
                *last = Some(o.number);
                got.insert(o.number);
                answers.push_back((now + 300, o.number));
            }
            assert!(last_live.is_some_and(|l| l + 1 == number), "live samples are current");
            while answers.front().is_some_and(|(at, _)| *at <= now) {
                let (_, n) = answers.pop_front().unwrap();
                (d.broker_has(n).unwrap(), d.historian_has(n).unwrap());
            }
            if now % 5_000 == 0 {
                d.forget().unwrap();
            }
            if drained.is_none() && last_old.is_some_and(|l| l + 1 == backlog) {
                drained = Some(now - began);
            }
            now += 100;
        }
        assert_eq!(got.len() as u64, number, "nothing is lost");
        assert!(drained.is_some_and(|ms| ms < 900_000), "{drained:?}");
        assert_eq!((d.counts.lost, d.counts.again), (0, 0));
        assert!(d.spool().len() < 100);
    }

    #[test]
    fn after_a_restart_what_was_not_confirmed_is_the_backlog() {
        let dir = tempfile::tempdir().unwrap();
        let pace = Pace { sync_s: 0.0, ..Pace::default() };
        let mut d = dispatch(dir.path(), pace);
        d.connected(Time(0));
        (0..10).for_each(|i| d.take(&record(i), Time(0)).unwrap());
        assert_eq!(d.next(Time(1)).unwrap().len(), 10);
        for n in 0..4 {
            (d.broker_has(n).unwrap(), d.historian_has(n).unwrap());
        }
        d.forget().unwrap();
        drop(d);
        let mut d = dispatch(dir.path(), pace);
        d.connected(Time(0));
        d.take(&record(10), Time(0)).unwrap();
        let out = d.next(Time(1000)).unwrap();
        assert_eq!(out.iter().map(|o| o.number).collect::<Vec<_>>(), [10, 4, 5, 6, 7, 8, 9], "live first");
        d.disconnected();
        assert!(d.next(Time(9000)).unwrap().is_empty());
        d.connected(Time(9000));
        assert_eq!(d.next(Time(10_000)).unwrap().len(), 7, "nobody confirmed anything");
    }

    #[test]
    fn a_full_spool_loses_the_oldest_and_counts_it() {
        let dir = tempfile::tempdir().unwrap();
        let options = Options { segment_bytes: 160, limit_bytes: 800, record_bytes: 100 };
        let (spool, _) = Spool::open(dir.path(), options).unwrap();
        let mut d = Dispatch::new(spool, Pace { sync_s: 0.0, ..Pace::default() }, WhenFull::LoseOldest, false);
        (0..200).for_each(|i| d.take(&record(i), Time(0)).unwrap());
        d.next(Time(1)).unwrap();
        d.connected(Time(2));
        let out = d.next(Time(2000)).unwrap();
        assert_eq!(out.last().unwrap().number, 199);
        assert_eq!(out.len() as u64 + d.counts.lost, 200);
        out.iter().for_each(|o| d.broker_has(o.number).unwrap());
        d.forget().unwrap();
        assert!(d.spool().is_empty(), "the broker's word is enough without a historian");
        let newest = Dispatch::new(
            Spool::open(&dir.path().join("b"), options).unwrap().0,
            Pace::default(),
            WhenFull::LoseNewest,
            false,
        );
        let mut newest = newest;
        let refused = (0..200).filter(|i| newest.take(&record(*i), Time(0)).is_err()).count() as u64;
        assert_eq!((refused, newest.spool().len()), (150, 50));
    }
}
