//! What is sent when: live samples at once, the backlog behind them at a bounded rate, everything until it is there
//! for good.
//!
//! Every record goes into the [`Spool`] first. It is let go only when the broker *and* the historian have confirmed
//! it. Records that came while the connection was away are the backlog, oldest first; what the broker has and the
//! historian has not confirmed in time joins the backlog's rate and is sent again, after a wait that doubles. What the
//! broker has not acknowledged is not sent again from here: whoever holds the connection does that.
//!
//! Where the disk takes nothing, records wait in memory, so many of them, until it does.

mod owed;
#[cfg(test)]
mod tests;

use super::spool::{Refused, Spool};
use crate::telemetry::receipts::Ranges;
use crate::time::Time;
use std::collections::{BTreeMap, VecDeque};
use std::io;

/// How records are sent.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Pace {
    /// Samples of the backlog a second, at the most.
    pub backlog_per_s: f64,
    /// Records on their way to the broker without its acknowledgement, at the most.
    pub in_flight: usize,
    /// A record that the historian has not confirmed for so long is sent again, seconds.
    pub again_s: f64,
    /// New records wait no longer than this for the disk, seconds.
    pub sync_s: f64,
    /// Nor more of them than this.
    pub sync_records: usize,
    /// Records that may wait in memory while the disk takes nothing.
    pub memory_records: usize,
}

impl Default for Pace {
    fn default() -> Self {
        Self {
            backlog_per_s: 5000.0,
            in_flight: 1000,
            again_s: 30.0,
            sync_s: 0.2,
            sync_records: 1000,
            memory_records: 10_000,
        }
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
    /// The number of its first sample; confirmations name it.
    pub number: u64,
    /// How many samples are in it.
    pub samples: u32,
    /// It comes late.
    pub backlog: bool,
    /// It was sent before, and may be there.
    pub again: bool,
    /// What it says.
    pub record: Vec<u8>,
}

/// A record on its way.
#[derive(Clone, Copy, Debug)]
struct Sent {
    at: Time,
    samples: u32,
    tries: u8,
    broker: bool,
}

/// What has become of the samples.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct Counts {
    /// Taken into the spool.
    pub taken: u64,
    /// Sent for the first time since this program started.
    pub sent: u64,
    /// Sent again.
    pub again: u64,
    /// Confirmed by both, and let go.
    pub confirmed: u64,
    /// Lost: there was no room for them, or the broker refuses them for good.
    pub lost: u64,
}

/// Records that the historian has not confirmed are remembered one by one up to here; of more of them it is only known
/// that they have to be sent again.
const REMEMBERED: usize = 50_000;
/// After a fault of the disk it is tried again after so long, seconds.
const DISK_AGAIN_S: f64 = 1.0;
/// Read from the spool at once, bytes.
const CHUNK: usize = 4 << 20;

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
    /// How many of them the broker has not acknowledged.
    in_flight: usize,
    /// Samples to be sent behind the live ones: the backlog.
    owed: Ranges,
    /// The next live sample.
    live: u64,
    /// What the historian has, of what is not let go yet.
    received: Ranges,
    /// How many samples of the backlog may go now.
    tokens: f64,
    tokens_at: Option<Time>,
    /// When it was last looked what is overdue.
    looked: Option<Time>,
    /// Records in the spool that are not on the disk yet, with their numbers.
    fresh: VecDeque<(u64, u32, Vec<u8>)>,
    /// Since when.
    fresh_since: Option<Time>,
    /// Records that the disk has not taken.
    waiting: VecDeque<(u32, Vec<u8>)>,
    disk_failed: Option<Time>,
    /// Why the disk takes nothing; none while it does.
    pub disk_fault: Option<String>,
    /// What has become of the samples.
    pub counts: Counts,
}

impl Dispatch {
    /// Around a spool, not connected.
    pub fn new(spool: Spool, pace: Pace, when_full: WhenFull, historian: bool) -> Self {
        let synced = spool.synced();
        let mut owed = Ranges::EMPTY;
        owed.add(spool.first(), synced);
        Self {
            spool,
            pace,
            when_full,
            connected: false,
            historian,
            sent: BTreeMap::new(),
            in_flight: 0,
            owed,
            live: synced,
            received: Ranges::EMPTY,
            tokens: 0.0,
            tokens_at: None,
            looked: None,
            fresh: VecDeque::new(),
            fresh_since: None,
            waiting: VecDeque::new(),
            disk_failed: None,
            disk_fault: None,
            counts: Counts::default(),
        }
    }

    /// The spool.
    pub fn spool(&self) -> &Spool {
        &self.spool
    }

    /// Samples that are not confirmed, those that wait for the disk among them.
    pub fn waiting(&self) -> u64 {
        // What a fault of the disk sent back to memory is still counted by the spool, until it is mended.
        let twice = if self.fresh.is_empty() { self.spool.next().saturating_sub(self.spool.synced()) } else { 0 };
        self.spool.len().saturating_sub(twice) + self.waiting.iter().map(|(n, _)| u64::from(*n)).sum::<u64>()
    }

    /// Samples of the backlog.
    pub fn backlog(&self) -> u64 {
        self.owed.count()
    }

    /// Takes a record with so many samples. It is sent once it is on the disk.
    ///
    /// # Errors
    /// A record that is too long, or a full spool that loses the newest: it is lost, and counted. A disk that takes
    /// nothing is no error here: see [`Self::disk_fault`].
    pub fn take(&mut self, record: &[u8], samples: u32, now: Time) -> Result<(), Refused> {
        if !self.waiting.is_empty() {
            self.wait(samples, record.to_vec());
            return Ok(());
        }
        match self.push(record, samples, now) {
            Err(Refused::Disk(e)) => {
                self.fault(&e, now);
                self.wait(samples, record.to_vec());
                Ok(())
            }
            Err(e) => {
                self.counts.lost += u64::from(samples);
                Err(e)
            }
            Ok(()) => Ok(()),
        }
    }

    fn push(&mut self, record: &[u8], samples: u32, now: Time) -> Result<(), Refused> {
        let number = loop {
            match self.spool.push(record, samples) {
                Ok(number) => break number,
                Err(Refused::Full) if self.when_full == WhenFull::LoseOldest => {
                    let lost = self.spool.give_up_oldest()?;
                    self.counts.lost += lost;
                    self.let_go_before(self.spool.first());
                    if lost == 0 && self.spool.is_empty() {
                        // Nothing is left to give up, and it still does not fit.
                        return Err(Refused::Full);
                    }
                }
                Err(e) => return Err(e),
            }
        };
        self.counts.taken += u64::from(samples);
        self.fresh_since.get_or_insert(now);
        self.fresh.push_back((number, samples, record.to_vec()));
        Ok(())
    }

    /// Keeps a record in memory, and what that costs is the oldest or the newest.
    fn wait(&mut self, samples: u32, record: Vec<u8>) {
        if self.waiting.len() < self.pace.memory_records.max(1) {
            self.waiting.push_back((samples, record));
            return;
        }
        let lost = match self.when_full {
            WhenFull::LoseNewest => samples,
            WhenFull::LoseOldest => {
                self.waiting.push_back((samples, record));
                self.waiting.pop_front().map_or(0, |(n, _)| n)
            }
        };
        self.counts.lost += u64::from(lost);
    }

    /// The disk does not take what was pushed since the last sync: it goes back to what waits.
    fn fault(&mut self, e: &io::Error, now: Time) {
        self.disk_failed = Some(now);
        self.disk_fault = Some(e.to_string());
        let synced = self.spool.synced();
        while let Some((number, samples, record)) = self.fresh.pop_back() {
            if number >= synced {
                self.counts.taken = self.counts.taken.saturating_sub(u64::from(samples));
                self.waiting.push_front((samples, record));
            }
        }
        self.fresh_since = None;
    }

    /// The connection is there: everything that was not sent is the backlog.
    pub fn connected(&mut self, now: Time) {
        self.connected = true;
        let synced = self.spool.synced();
        self.owed.add(self.live, synced);
        self.live = self.live.max(synced);
        self.tokens = 0.0;
        self.tokens_at = Some(now);
    }

    /// The connection is gone.
    pub fn disconnected(&mut self) {
        self.connected = false;
    }

    /// Brings onto the disk what waits for it, however short it has waited: before the end.
    pub fn settle(&mut self, now: Time) {
        self.disk_failed = None;
        self.write(now, true);
    }

    /// Brings new records onto the disk when that is due.
    fn write(&mut self, now: Time, at_once: bool) {
        if self.disk_failed.is_some_and(|t| now.seconds_since(t) < DISK_AGAIN_S) {
            return;
        }
        while let Some((samples, record)) = self.waiting.pop_front() {
            match self.push(&record, samples, now) {
                Ok(()) => {}
                Err(Refused::Disk(e)) => {
                    self.waiting.push_front((samples, record));
                    return self.fault(&e, now);
                }
                Err(_) => self.counts.lost += u64::from(samples),
            }
        }
        let due = self.fresh_since.is_some_and(|since| now.seconds_since(since) >= self.pace.sync_s);
        if due || self.fresh.len() >= self.pace.sync_records || (at_once && !self.fresh.is_empty()) {
            match self.spool.sync() {
                Ok(_) => {
                    self.fresh.clear();
                    self.fresh_since = None;
                    (self.disk_failed, self.disk_fault) = (None, None);
                }
                Err(e) => self.fault(&e, now),
            }
        }
    }

    /// What to publish now; brings new records onto the disk when that is due.
    ///
    /// # Errors
    /// The spool cannot be read; the same records come again at the next call.
    pub fn next(&mut self, now: Time) -> io::Result<Vec<Outgoing>> {
        self.write(now, false);
        if !self.connected {
            return Ok(Vec::new());
        }
        let mut out = Vec::new();
        let room = self.pace.in_flight.saturating_sub(self.in_flight);
        for record in self.spool.read(self.live, room, CHUNK)? {
            self.live = record.end();
            self.send(record.number, record.samples, now);
            let (number, samples) = (record.number, record.samples);
            out.push(Outgoing { number, samples, backlog: false, again: false, record: record.bytes });
        }
        if let Some(before) = self.tokens_at.replace(now) {
            // A second's worth at the most: no burst after a pause.
            let gained = self.pace.backlog_per_s * now.seconds_since(before).max(0.0);
            self.tokens = (self.tokens + gained).min(self.pace.backlog_per_s.max(1.0));
        }
        self.overdue(now, &mut out)?;
        self.catch_up(now, &mut out)?;
        Ok(out)
    }

    fn send(&mut self, number: u64, samples: u32, now: Time) {
        self.counts.sent += u64::from(samples);
        if self.historian && self.sent.len() >= REMEMBERED {
            self.owed.add(number, number + u64::from(samples));
            return;
        }
        self.in_flight += 1;
        self.sent.insert(number, Sent { at: now, samples, tries: 0, broker: false });
    }

    /// The broker has a record.
    pub fn broker_has(&mut self, number: u64) {
        if let Some(sent) = self.sent.get_mut(&number)
            && !std::mem::replace(&mut sent.broker, true)
        {
            self.in_flight = self.in_flight.saturating_sub(1);
        }
        self.let_go(number);
    }

    /// The broker does not take a record, and never will: it is lost, and stops nothing else.
    pub fn broker_refuses(&mut self, number: u64) {
        if let Some(sent) = self.sent.remove(&number) {
            self.in_flight = self.in_flight.saturating_sub(usize::from(!sent.broker));
            self.counts.lost += u64::from(sent.samples);
        }
    }

    /// A record of [`Self::next`] could not be handed to the connection: it is to be sent later.
    pub fn not_taken(&mut self, number: u64) {
        if let Some(sent) = self.sent.remove(&number) {
            self.in_flight = self.in_flight.saturating_sub(usize::from(!sent.broker));
            self.counts.sent = self.counts.sent.saturating_sub(u64::from(sent.samples));
            self.owed.add(number, number + u64::from(sent.samples));
        }
    }

    /// Whether something is on its way that somebody may still confirm, or that is live and was not sent yet.
    pub fn is_under_way(&self) -> bool {
        !self.sent.is_empty() || self.live < self.spool.synced() || !self.fresh.is_empty()
    }

    /// Records on their way to the broker without its acknowledgement.
    pub fn in_flight(&self) -> usize {
        self.in_flight
    }

    /// The historian has the samples from one number (with it) to another (without it) for good.
    pub fn historian_has(&mut self, from: u64, to: u64) {
        // Of what was let go, and of what was never there, nothing needs to be known.
        let (from, to) = (from.max(self.spool.first()), to.min(self.spool.synced()));
        if from >= to {
            return;
        }
        self.received.add(from, to);
        self.owed.remove(from, to);
        let begin = self.sent.range(..from).next_back().map_or(from, |(n, _)| *n);
        let touched: Vec<u64> = self.sent.range(begin..to).map(|(n, _)| *n).collect();
        touched.into_iter().for_each(|number| self.let_go(number));
    }

    fn let_go(&mut self, number: u64) {
        let Some(sent) = self.sent.get(&number) else { return };
        let end = number + u64::from(sent.samples);
        if sent.broker && (!self.historian || self.received.holds(number, end)) {
            self.counts.confirmed += u64::from(sent.samples);
            self.sent.remove(&number);
        }
    }

    /// Lets the spool forget what is confirmed: every record before the first one that is not. To be called now and
    /// then; each call writes to the disk.
    ///
    /// # Errors
    /// The disk's.
    pub fn forget(&mut self) -> io::Result<()> {
        let first_owed = self.owed.iter().next().map(|[from, _]| from);
        let waiting = [self.sent.keys().next().copied(), first_owed];
        let before = waiting.into_iter().flatten().fold(self.live, u64::min);
        self.spool.confirm(before)?;
        self.let_go_before(self.spool.first());
        Ok(())
    }

    /// Forgets what is no longer in the spool.
    fn let_go_before(&mut self, first: u64) {
        let kept = self.sent.split_off(&first);
        let gone = std::mem::replace(&mut self.sent, kept);
        self.in_flight = self.in_flight.saturating_sub(gone.values().filter(|s| !s.broker).count());
        self.owed.remove(0, first);
        self.received.remove(0, first);
        self.live = self.live.max(first);
    }
}
