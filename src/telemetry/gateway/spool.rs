//! A queue on the disk: what could not be sent yet, through outages and crashes, in order.
//!
//! Records go into segment files. Before each stands a head: its length, a CRC-32, the number of its first sample and how
//! many samples are in it (little-endian: `u32 u32 u64 u32`; the sum is over all that follows it). What [`Spool::sync`] has
//! come back for is on the disk. A record is let go by [`Spool::confirm`] only; a segment goes when its last record has
//! been confirmed. Samples are numbered without a gap, and the number of one that was synced is never used again: so it
//! serves as the publisher's count, over any number of restarts. A spool has a [name](Spool::name) of its own, made with
//! it: whoever throws the folder away and begins to count at zero, counts under another name.
//!
//! Opened after a crash, a record that was cut off at the end of the last segment was never synced, and is dropped.
//! Anything else that does not fit its check sum is moved to the folder `quarantine`, with what follows it where no
//! whole record can be found behind; everything before and after is kept.

mod recover;
#[cfg(test)]
mod tests;

use crate::problem::Problem;
use recover::{length_of, path, split, sync_folder};
use std::collections::VecDeque;
use std::fs::{self, File};
use std::io::{self, BufWriter, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

/// How a spool works.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Options {
    /// A segment is closed when it is longer, bytes.
    pub segment_bytes: u64,
    /// More than this is not kept, bytes; see [`Refused::Full`].
    pub limit_bytes: u64,
    /// A longer record is refused, bytes.
    pub record_bytes: u32,
}

impl Default for Options {
    /// Segments of 8 MiB, 2 GiB in all: three days of a thousand points every ten seconds.
    fn default() -> Self {
        Self { segment_bytes: 8 << 20, limit_bytes: 2 << 30, record_bytes: 1 << 20 }
    }
}

/// Why a record was not taken.
#[derive(Debug)]
pub enum Refused {
    /// The spool holds as much as it may: somebody must decide what to lose.
    Full,
    /// The record is longer than records may be.
    TooLong(usize),
    /// The disk is full, read-only, gone. What was not synced is no longer in the spool either.
    Disk(io::Error),
}

impl std::fmt::Display for Refused {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Full => f.write_str("the spool holds as much as it may"),
            Self::TooLong(bytes) => write!(f, "a record of {bytes} bytes is longer than records may be"),
            Self::Disk(e) => write!(f, "{e}"),
        }
    }
}

impl std::error::Error for Refused {}

impl From<io::Error> for Refused {
    fn from(e: io::Error) -> Self {
        Self::Disk(e)
    }
}

/// A record as it comes out again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// The number of its first sample.
    pub number: u64,
    /// How many samples are in it.
    pub samples: u32,
    /// What was put in.
    pub bytes: Vec<u8>,
}

impl Record {
    /// The number after its last sample.
    pub fn end(&self) -> u64 {
        self.number.saturating_add(u64::from(self.samples))
    }
}

/// What stands before a record, bytes.
const HEAD: u64 = 20;
const SUFFIX: &str = "spool";
/// So far apart are places in a segment where reading may begin, bytes.
const STRIDE: u64 = 64 << 10;

/// A file of records.
#[derive(Clone, Debug, Default)]
struct Segment {
    /// Its name; its first sample has this number or, where that was damaged, a later one.
    first: u64,
    /// The number after its last sample.
    end: u64,
    /// How many samples it has: less than its numbers, where some were damaged.
    samples: u64,
    /// How long it is, bytes.
    bytes: u64,
    /// Numbers of records now and then, and where they begin, bytes.
    marks: Vec<(u64, u64)>,
}

impl Segment {
    fn add(&mut self, number: u64, samples: u32, size: u64) {
        if self.marks.last().is_none_or(|(_, at)| self.bytes >= at + STRIDE) {
            self.marks.push((number, self.bytes));
        }
        self.end = number + u64::from(samples);
        self.samples += u64::from(samples);
        self.bytes += size;
    }

    /// Where to begin to look for a number, bytes.
    fn before(&self, number: u64) -> u64 {
        let behind = self.marks.partition_point(|(n, _)| *n <= number);
        behind.checked_sub(1).and_then(|i| self.marks.get(i)).map_or(0, |(_, at)| *at)
    }

    /// Samples from a number on.
    fn from(&self, number: u64) -> u64 {
        self.samples.min(self.end.saturating_sub(number.max(self.first)))
    }
}

/// A queue on the disk. One program uses one at a time.
pub struct Spool {
    folder: PathBuf,
    options: Options,
    name: String,
    /// The oldest first; the last is written to.
    segments: VecDeque<Segment>,
    writer: Option<BufWriter<File>>,
    /// Every sample before this is confirmed.
    confirmed: u64,
    /// Number of the next sample.
    next: u64,
    /// Samples before this are on the disk.
    synced: u64,
    /// A write failed halfway: what is there must be looked at before more is written.
    torn: bool,
    _lock: File,
}

impl Spool {
    /// Opens a spool, or makes one; and what was found broken in it.
    ///
    /// # Errors
    /// A folder that cannot be written, or that another program uses.
    pub fn open(folder: &Path, options: Options) -> io::Result<(Self, Vec<Problem>)> {
        fs::create_dir_all(folder)?;
        let lock = File::options().create(true).truncate(false).write(true).open(folder.join("lock"))?;
        lock.try_lock().map_err(|e| match e {
            fs::TryLockError::WouldBlock => io::Error::other("another program uses this spool"),
            fs::TryLockError::Error(e) => e,
        })?;
        let found = recover::all(folder, options)?;
        let mut spool = Self {
            folder: folder.to_path_buf(),
            options,
            name: found.name,
            segments: found.segments,
            writer: None,
            confirmed: found.confirmed,
            next: found.next,
            synced: found.next,
            torn: false,
            _lock: lock,
        };
        spool.drop_confirmed()?;
        Ok((spool, found.problems))
    }

    /// Eight letters and digits that this spool was given when it was made.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Takes a record with so many samples; gives the number of the first. It is on the disk once [`Self::sync`] has come
    /// back.
    ///
    /// # Errors
    /// See [`Refused`]; the record is then not in the spool.
    pub fn push(&mut self, record: &[u8], samples: u32) -> Result<u64, Refused> {
        let length = u32::try_from(record.len()).ok().filter(|n| *n <= self.options.record_bytes);
        let Some(length) = length else { return Err(Refused::TooLong(record.len())) };
        let size = HEAD + u64::from(length);
        if self.bytes() + size > self.options.limit_bytes {
            return Err(Refused::Full);
        }
        if self.torn {
            self.mend()?;
        }
        let full = |s: &Segment| s.bytes > 0 && s.bytes + size > self.options.segment_bytes;
        if (self.writer.is_none() || self.segments.back().is_none_or(full))
            && let Err(e) = self.begin_segment()
        {
            self.torn = true;
            return Err(e.into());
        }
        let number = self.next;
        let Some(writer) = &mut self.writer else { return Err(Refused::Full) };
        let check = recover::sum(number, samples, record);
        let mut head = Vec::with_capacity(HEAD as usize);
        head.extend(length.to_le_bytes());
        head.extend(check.to_le_bytes());
        head.extend(number.to_le_bytes());
        head.extend(samples.to_le_bytes());
        if let Err(e) = writer.write_all(&head).and_then(|()| writer.write_all(record)) {
            self.torn = true;
            return Err(e.into());
        }
        if let Some(segment) = self.segments.back_mut() {
            segment.add(number, samples, size);
        }
        self.next = number + u64::from(samples);
        Ok(number)
    }

    /// Brings all that was pushed onto the disk; gives the number of the next sample: every one before it is there.
    ///
    /// # Errors
    /// The disk's. What was not synced before is then no longer in the spool: push it again.
    pub fn sync(&mut self) -> io::Result<u64> {
        if self.torn {
            self.mend()?;
            return Ok(self.synced);
        }
        if let Some(writer) = &mut self.writer
            && let Err(e) = writer.flush().and_then(|()| writer.get_ref().sync_data())
        {
            self.torn = true;
            self.mend()?;
            return Err(e);
        }
        self.synced = self.next;
        Ok(self.synced)
    }

    /// Samples before this number are on the disk.
    pub fn synced(&self) -> u64 {
        self.synced
    }

    /// Records from a number on, at most so many and about so many bytes; of what is synced only. Of confirmed ones there
    /// may be none any more.
    ///
    /// # Errors
    /// The disk's.
    pub fn read(&self, from: u64, most: usize, bytes: usize) -> io::Result<Vec<Record>> {
        let mut out = Vec::new();
        let mut size = 0;
        if most == 0 {
            return Ok(out);
        }
        for segment in &self.segments {
            let end = segment.end.min(self.synced);
            if end <= from {
                continue;
            }
            let mut at = segment.before(from);
            let mut file = io::BufReader::new(File::open(path(&self.folder, segment.first))?);
            file.seek(SeekFrom::Start(at))?;
            // Behind the last one that is synced there may be nothing in the file yet.
            let mut reached = segment.first;
            while reached < end && at < segment.bytes {
                let mut head = [0; HEAD as usize];
                file.read_exact(&mut head)?;
                let head = split(head);
                reached = head.number.saturating_add(u64::from(head.samples));
                at += HEAD + u64::from(head.length);
                if head.number < from {
                    file.seek_relative(i64::from(head.length))?;
                    continue;
                }
                let mut record = vec![0; head.length as usize];
                file.read_exact(&mut record)?;
                if recover::sum(head.number, head.samples, &record) != head.check {
                    let message = format!("record {} of the spool is damaged", head.number);
                    return Err(io::Error::new(io::ErrorKind::InvalidData, message));
                }
                size += record.len();
                out.push(Record { number: head.number, samples: head.samples, bytes: record });
                if out.len() >= most || size >= bytes {
                    return Ok(out);
                }
            }
        }
        Ok(out)
    }

    /// Lets every sample before a number go.
    ///
    /// # Errors
    /// The disk's; they are then still there, and come again after a restart.
    pub fn confirm(&mut self, before: u64) -> io::Result<()> {
        let before = before.min(self.synced);
        if before <= self.confirmed {
            return Ok(());
        }
        recover::write(&self.folder, "confirmed", &format!("{before}\n"))?;
        self.confirmed = before;
        self.drop_confirmed()
    }

    /// The number of the first sample that is not confirmed.
    pub fn first(&self) -> u64 {
        self.segments.front().map_or(self.next, |s| s.first).max(self.confirmed)
    }

    /// The number of the next sample.
    pub fn next(&self) -> u64 {
        self.next
    }

    /// How many samples are not confirmed.
    pub fn len(&self) -> u64 {
        self.segments.iter().map(|s| s.from(self.confirmed)).sum()
    }

    /// Whether everything is confirmed.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How much it holds on the disk, bytes.
    pub fn bytes(&self) -> u64 {
        self.segments.iter().map(|s| s.bytes).sum()
    }

    /// Gives the oldest segment up, whatever is in it: what to do when it is full and the new counts more. How many
    /// samples are lost by it.
    ///
    /// # Errors
    /// The disk's.
    pub fn give_up_oldest(&mut self) -> io::Result<u64> {
        if self.segments.len() < 2 {
            self.sync()?;
            self.writer = None;
        }
        let Some(oldest) = self.segments.front() else { return Ok(0) };
        let (end, lost) = (oldest.end, oldest.from(self.confirmed));
        self.confirm(end)?;
        Ok(lost)
    }

    fn begin_segment(&mut self) -> io::Result<()> {
        if let Some(mut writer) = self.writer.take() {
            writer.flush()?;
            writer.get_ref().sync_data()?;
            self.synced = self.next;
        }
        // A file that is there is left of an attempt that failed: nothing of this number was ever synced.
        let name = path(&self.folder, self.next);
        let file = File::options().create(true).write(true).truncate(true).open(name)?;
        // The name is on the disk too.
        sync_folder(&self.folder)?;
        self.writer = Some(BufWriter::with_capacity(64 << 10, file));
        self.segments.push_back(Segment { first: self.next, end: self.next, ..Segment::default() });
        Ok(())
    }

    /// After a failed write: back to what is on the disk for sure, and on in a new segment.
    fn mend(&mut self) -> io::Result<()> {
        if let Some(writer) = self.writer.take() {
            // Its buffer must not be written once more.
            drop(writer.into_parts());
        }
        if let Some(last) = self.segments.back_mut()
            && last.end > self.synced
        {
            let name = path(&self.folder, last.first);
            let (length, samples) = length_of(&name, self.synced)?;
            if length == 0 {
                fs::remove_file(&name)?;
                self.segments.pop_back();
            } else {
                File::options().write(true).open(&name)?.set_len(length)?;
                (last.end, last.samples, last.bytes) = (self.synced, samples, length);
                last.marks.retain(|(_, at)| *at < length);
            }
        } else if self.segments.back().is_some_and(|s| s.bytes == 0) {
            self.segments.pop_back();
        }
        self.next = self.synced;
        self.torn = false;
        Ok(())
    }

    fn drop_confirmed(&mut self) -> io::Result<()> {
        while let Some(oldest) = self.segments.front() {
            let is_written = self.segments.len() == 1 && self.writer.is_some();
            if oldest.end > self.confirmed || (is_written && oldest.bytes == 0) {
                break;
            }
            if is_written {
                self.writer = None;
            }
            fs::remove_file(path(&self.folder, oldest.first))?;
            self.segments.pop_front();
        }
        Ok(())
    }
}
