//! A queue on the disk: what could not be sent yet, through outages and crashes, in order.
//!
//! Records go into segment files, each with its length and a CRC-32. What [`Spool::sync`] has come back for is on the
//! disk. A record is let go by [`Spool::confirm`] only; a segment goes when its last record has been confirmed. Numbers
//! of records rise by one; that of a record which was synced is never used again.
//!
//! Opened after a crash, a record that was cut off at the end of the last segment was never synced, and is dropped.
//! Anything else that does not fit its check sum is moved to the folder `quarantine`, with what follows it where no
//! whole record can be found behind; everything before and after is kept.

use crate::problem::Problem;
use std::collections::VecDeque;
use std::fs::{self, File};
use std::io::{self, BufWriter, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

/// How a spool works.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// A segment is closed when it is longer, bytes.
    pub segment_bytes: u64,
    /// More than this is not kept, bytes; see [`Refused::Full`].
    pub limit_bytes: u64,
    /// A longer record is refused, bytes.
    pub record_bytes: u32,
}

impl Default for Options {
    /// Segments of 8 MB, 2 GB in all: three days of a thousand points every ten seconds.
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
    /// The disk is full, read-only, gone.
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

/// Length and check sum before a record.
const HEAD: u64 = 8;
const SUFFIX: &str = "spool";

/// A file of records.
#[derive(Debug)]
struct Segment {
    /// Number of its first record.
    first: u64,
    /// How many whole records it has.
    count: u64,
    /// How long it is, bytes.
    bytes: u64,
}

/// A queue on the disk. One program uses one at a time.
pub struct Spool {
    folder: PathBuf,
    options: Options,
    /// The oldest first; the last is written to.
    segments: VecDeque<Segment>,
    writer: Option<BufWriter<File>>,
    /// Every record before this is confirmed.
    confirmed: u64,
    /// Number of the next record.
    next: u64,
    /// Records before this are on the disk.
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
        let mut problems = Vec::new();
        let confirmed = read_confirmed(folder, &mut problems);
        let mut firsts: Vec<u64> = fs::read_dir(folder)?
            .flatten()
            .filter_map(|e| {
                let name = e.file_name();
                let (number, suffix) = name.to_str()?.split_once('.')?;
                (suffix == SUFFIX).then(|| number.parse().ok()).flatten()
            })
            .collect();
        firsts.sort_unstable();
        let mut segments = VecDeque::new();
        let count = firsts.len();
        let mut next = confirmed;
        for (i, first) in firsts.into_iter().enumerate() {
            let segment = check(folder, first, i + 1 == count, options, &mut problems)?;
            next = next.max(segment.first.saturating_add(segment.count));
            if segment.count == 0 {
                fs::remove_file(path(folder, first))?;
            } else {
                segments.push_back(segment);
            }
        }
        let mut spool = Self {
            folder: folder.to_path_buf(),
            options,
            segments,
            writer: None,
            confirmed,
            next,
            synced: next,
            torn: false,
            _lock: lock,
        };
        spool.drop_confirmed()?;
        Ok((spool, problems))
    }

    /// Takes a record; gives its number. It is on the disk once [`Self::sync`] has come back.
    ///
    /// # Errors
    /// See [`Refused`]; the record is then not in the spool.
    pub fn push(&mut self, record: &[u8]) -> Result<u64, Refused> {
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
        if self.writer.is_none() || self.segments.back().is_none_or(full) {
            self.begin_segment()?;
        }
        let number = self.next;
        let Some(writer) = &mut self.writer else { return Err(Refused::Full) };
        let written = writer
            .write_all(&length.to_le_bytes())
            .and_then(|()| writer.write_all(&crc32fast::hash(record).to_le_bytes()))
            .and_then(|()| writer.write_all(record));
        if let Err(e) = written {
            self.torn = true;
            return Err(e.into());
        }
        if let Some(segment) = self.segments.back_mut() {
            segment.count += 1;
            segment.bytes += size;
        }
        self.next = number + 1;
        Ok(number)
    }

    /// Brings all that was pushed onto the disk; gives the number of the next record: every one before it is there.
    ///
    /// # Errors
    /// The disk's. What was not synced before is then no longer in the spool: push it again.
    pub fn sync(&mut self) -> io::Result<u64> {
        if self.torn {
            self.mend()?;
            return Ok(self.synced);
        }
        if let Some(writer) = &mut self.writer {
            let synced = writer.flush().and_then(|()| writer.get_ref().sync_data());
            if let Err(e) = synced {
                self.torn = true;
                self.mend()?;
                return Err(e);
            }
        }
        self.synced = self.next;
        Ok(self.synced)
    }

    /// Records from a number on, at most so many and about so many bytes, with their numbers; of what is synced only.
    /// Of confirmed ones there may be none any more.
    ///
    /// # Errors
    /// The disk's.
    pub fn read(&self, from: u64, most: usize, bytes: usize) -> io::Result<Vec<(u64, Vec<u8>)>> {
        let mut out = Vec::new();
        let mut size = 0;
        for segment in &self.segments {
            let end = (segment.first + segment.count).min(self.synced);
            if end <= from {
                continue;
            }
            let mut file = io::BufReader::new(File::open(path(&self.folder, segment.first))?);
            for number in segment.first..end {
                if out.len() >= most || (size >= bytes && !out.is_empty()) {
                    return Ok(out);
                }
                let mut head = [0; HEAD as usize];
                file.read_exact(&mut head)?;
                let (length, check) = split(head);
                if number < from {
                    file.seek_relative(i64::from(length))?;
                    continue;
                }
                let mut record = vec![0; length as usize];
                file.read_exact(&mut record)?;
                if crc32fast::hash(&record) != check {
                    return Err(io::Error::new(
                        io::ErrorKind::InvalidData,
                        format!("record {number} of the spool is damaged"),
                    ));
                }
                size += record.len();
                out.push((number, record));
            }
        }
        Ok(out)
    }

    /// Lets every record before a number go.
    ///
    /// # Errors
    /// The disk's; they are then still there, and come again after a restart.
    pub fn confirm(&mut self, before: u64) -> io::Result<()> {
        let before = before.min(self.synced);
        if before <= self.confirmed {
            return Ok(());
        }
        let beside = self.folder.join("confirmed.part");
        let mut file = File::create(&beside)?;
        file.write_all(format!("{before}\n").as_bytes())?;
        file.sync_data()?;
        fs::rename(&beside, self.folder.join("confirmed"))?;
        self.confirmed = before;
        self.drop_confirmed()
    }

    /// The number of the first record that is not confirmed.
    pub fn first(&self) -> u64 {
        self.segments.front().map_or(self.next, |s| s.first).max(self.confirmed)
    }

    /// How many records are not confirmed.
    pub fn len(&self) -> u64 {
        self.segments.iter().map(|s| (s.first + s.count).saturating_sub(s.first.max(self.confirmed))).sum()
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
    /// records are lost by it.
    ///
    /// # Errors
    /// The disk's.
    pub fn give_up_oldest(&mut self) -> io::Result<u64> {
        if self.segments.len() < 2 {
            self.sync()?;
            self.writer = None;
        }
        let Some(oldest) = self.segments.front() else { return Ok(0) };
        let end = oldest.first + oldest.count;
        let lost = end.saturating_sub(oldest.first.max(self.confirmed));
        self.confirm(end)?;
        Ok(lost)
    }

    fn begin_segment(&mut self) -> io::Result<()> {
        if let Some(mut writer) = self.writer.take() {
            writer.flush()?;
            writer.get_ref().sync_data()?;
            self.synced = self.next;
        }
        let file = File::options().create_new(true).append(true).open(path(&self.folder, self.next))?;
        // The name is on the disk too.
        #[cfg(unix)]
        File::open(&self.folder)?.sync_all()?;
        self.writer = Some(BufWriter::with_capacity(64 << 10, file));
        self.segments.push_back(Segment { first: self.next, count: 0, bytes: 0 });
        Ok(())
    }

    /// After a failed write: back to what is on the disk for sure, and on in a new segment.
    fn mend(&mut self) -> io::Result<()> {
        if let Some(writer) = self.writer.take() {
            // Its buffer must not be written once more.
            drop(writer.into_parts());
        }
        if let Some(last) = self.segments.back_mut() {
            let keep = self.synced.saturating_sub(last.first).min(last.count);
            let name = path(&self.folder, last.first);
            let length = length_of(&name, keep)?;
            if keep == 0 {
                fs::remove_file(&name)?;
                self.segments.pop_back();
            } else {
                File::options().write(true).open(&name)?.set_len(length)?;
                (last.count, last.bytes) = (keep, length);
            }
        }
        self.next = self.synced;
        self.torn = false;
        Ok(())
    }

    fn drop_confirmed(&mut self) -> io::Result<()> {
        while let Some(oldest) = self.segments.front() {
            let is_written = self.segments.len() == 1 && self.writer.is_some();
            if oldest.first + oldest.count > self.confirmed || (is_written && oldest.count == 0) {
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

fn path(folder: &Path, first: u64) -> PathBuf {
    folder.join(format!("{first:020}.{SUFFIX}"))
}

fn split(head: [u8; HEAD as usize]) -> (u32, u32) {
    let [a, b, c, d, e, f, g, h] = head;
    (u32::from_le_bytes([a, b, c, d]), u32::from_le_bytes([e, f, g, h]))
}

/// How long the first records of a segment are together, bytes.
fn length_of(name: &Path, records: u64) -> io::Result<u64> {
    let mut file = io::BufReader::new(File::open(name)?);
    let mut length = 0;
    for _ in 0..records {
        let mut head = [0; HEAD as usize];
        file.read_exact(&mut head)?;
        let (bytes, _) = split(head);
        file.seek(SeekFrom::Current(i64::from(bytes)))?;
        length += HEAD + u64::from(bytes);
    }
    Ok(length)
}

fn read_confirmed(folder: &Path, problems: &mut Vec<Problem>) -> u64 {
    let name = folder.join("confirmed");
    match fs::read_to_string(&name) {
        Ok(text) => text.trim().parse().unwrap_or_else(|_| {
            problems.push(Problem::warning(
                name.display().to_string(),
                "it does not say which records are confirmed; all are sent again",
                "nothing: whoever receives them knows them by their time",
            ));
            0
        }),
        Err(_) => 0,
    }
}

/// Reads a segment through; what is broken goes into quarantine.
fn check(
    folder: &Path,
    first: u64,
    is_last: bool,
    options: Options,
    problems: &mut Vec<Problem>,
) -> io::Result<Segment> {
    let name = path(folder, first);
    let bytes = fs::read(&name)?;
    let (mut good, mut bad): (Vec<u8>, Vec<u8>) = (Vec::new(), Vec::new());
    let mut count = 0;
    let mut rest = bytes.as_slice();
    let mut cut_off = false;
    while !rest.is_empty() {
        let Some((head, behind)) = rest.split_first_chunk::<{ HEAD as usize }>() else {
            cut_off = true;
            break;
        };
        let (length, check) = split(*head);
        match behind.split_at_checked(length as usize) {
            Some((record, after)) if length <= options.record_bytes => {
                let size = HEAD as usize + length as usize;
                let whole = rest.get(..size).unwrap_or_default();
                if crc32fast::hash(record) == check {
                    good.extend_from_slice(whole);
                    count += 1;
                } else {
                    bad.extend_from_slice(whole);
                }
                rest = after;
            }
            _ => {
                cut_off = true;
                break;
            }
        }
    }
    if cut_off && !is_last {
        bad.extend_from_slice(rest);
    }
    if !bad.is_empty() {
        let aside = folder.join("quarantine");
        fs::create_dir_all(&aside)?;
        fs::write(aside.join(format!("{first:020}.{SUFFIX}")), &bad)?;
        problems.push(Problem::error(
            name.display().to_string(),
            format!("{} bytes of it are damaged and were moved to {}", bad.len(), aside.display()),
            "look at the disk; what is there was not sent",
        ));
    }
    if good.len() != bytes.len() {
        let beside = name.with_extension("part");
        let mut file = File::create(&beside)?;
        file.write_all(&good)?;
        file.sync_data()?;
        fs::rename(&beside, &name)?;
    }
    Ok(Segment { first, count, bytes: good.len() as u64 })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const SMALL: Options = Options { segment_bytes: 100, limit_bytes: 2000, record_bytes: 60 };

    fn open(folder: &Path) -> Spool {
        let (spool, problems) = Spool::open(folder, SMALL).unwrap();
        assert!(problems.is_empty(), "{problems:?}");
        spool
    }

    fn all(spool: &Spool) -> Vec<(u64, Vec<u8>)> {
        spool.read(0, usize::MAX, usize::MAX).unwrap()
    }

    #[test]
    fn what_is_synced_is_there_again_and_goes_when_confirmed() {
        let dir = tempfile::tempdir().unwrap();
        let mut spool = open(dir.path());
        for i in 0u8..20 {
            assert_eq!(spool.push(&[i; 20]).unwrap(), u64::from(i));
        }
        assert_eq!(spool.sync().unwrap(), 20);
        assert!(Spool::open(dir.path(), SMALL).is_err(), "one program at a time");
        spool.confirm(7).unwrap();
        drop(spool);
        let mut spool = open(dir.path());
        assert_eq!((spool.first(), spool.len()), (7, 13));
        assert_eq!(spool.read(7, 2, 1000).unwrap(), [(7, vec![7; 20]), (8, vec![8; 20])]);
        assert_eq!(spool.read(7, 100, 30).unwrap().len(), 2);
        spool.confirm(99).unwrap();
        assert_eq!((spool.is_empty(), spool.bytes()), (true, 0));
        assert_eq!(spool.push(b"next").unwrap(), 20, "numbers are never used twice");
        drop(spool);
        assert!(open(dir.path()).push(b"again").unwrap() >= 20);
    }

    #[test]
    fn full_is_full_until_something_is_confirmed_or_given_up() {
        let dir = tempfile::tempdir().unwrap();
        let mut spool = open(dir.path());
        assert!(matches!(spool.push(&[0; 61]), Err(Refused::TooLong(61))));
        let mut count = 0;
        while spool.push(&[1; 32]).is_ok() {
            count += 1;
        }
        assert_eq!(count, 50);
        assert!(matches!(spool.push(&[1; 32]), Err(Refused::Full)));
        spool.sync().unwrap();
        assert_eq!(spool.give_up_oldest().unwrap(), 2);
        assert_eq!(spool.push(&[1; 32]).unwrap(), 50);
        assert_eq!(all(&spool).first().unwrap().0, 2);
    }

    #[test]
    fn what_is_cut_off_is_dropped_and_what_is_damaged_is_put_aside() {
        let dir = tempfile::tempdir().unwrap();
        let mut spool = open(dir.path());
        for i in 0u8..9 {
            spool.push(&[i; 20]).unwrap();
        }
        spool.sync().unwrap();
        drop(spool);
        let files = || {
            let mut files: Vec<PathBuf> = fs::read_dir(dir.path())
                .unwrap()
                .flatten()
                .map(|e| e.path())
                .filter(|p| p.extension().is_some_and(|e| e == SUFFIX))
                .collect();
            files.sort();
            files
        };
        assert_eq!(files().len(), 3);
        // A crash in the middle of a write.
        let last = files()[2].clone();
        let mut bytes = fs::read(&last).unwrap();
        bytes.truncate(bytes.len() - 3);
        fs::write(&last, bytes).unwrap();
        let spool = open(dir.path());
        assert_eq!(all(&spool).len(), 8);
        drop(spool);
        // A bit that turned in the middle of another one.
        let mut bytes = fs::read(&files()[0]).unwrap();
        bytes[28 + 10] ^= 1;
        fs::write(&files()[0], bytes).unwrap();
        let (spool, problems) = Spool::open(dir.path(), SMALL).unwrap();
        assert_eq!(problems.len(), 1, "{problems:?}");
        assert_eq!(fs::read_dir(dir.path().join("quarantine")).unwrap().count(), 1);
        assert_eq!(all(&spool).len(), 7);
        assert!(Spool::open(&dir.path().join("confirmed"), SMALL).is_err() || dir.path().join("confirmed").is_dir());
    }

    #[test]
    fn a_failed_write_loses_nothing_that_was_synced() {
        let dir = tempfile::tempdir().unwrap();
        let mut spool = open(dir.path());
        spool.push(b"one").unwrap();
        spool.sync().unwrap();
        spool.push(b"two").unwrap();
        spool.torn = true;
        assert_eq!(spool.push(b"three").unwrap(), 1);
        spool.sync().unwrap();
        assert_eq!(all(&spool), [(0, b"one".to_vec()), (1, b"three".to_vec())]);
        drop(spool);
        assert_eq!(all(&open(dir.path())).len(), 2);
    }

    #[derive(Clone, Debug)]
    enum Step {
        Push(Vec<u8>),
        Sync,
        Confirm(u64),
        Reopen,
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(60))]

        #[test]
        fn it_is_a_queue(steps in proptest::collection::vec(prop_oneof![
            5 => proptest::collection::vec(any::<u8>(), 0..60).prop_map(Step::Push),
            2 => Just(Step::Sync),
            1 => (0u64..80).prop_map(Step::Confirm),
            1 => Just(Step::Reopen),
        ], 0..80)) {
            let dir = tempfile::tempdir().unwrap();
            let mut spool = open(dir.path());
            let mut model: Vec<Vec<u8>> = Vec::new();
            let (mut synced, mut confirmed) = (0, 0);
            for step in steps {
                match step {
                    Step::Push(record) => {
                        if let Ok(number) = spool.push(&record) {
                            model.truncate(number as usize);
                            model.push(record);
                        }
                    }
                    Step::Sync => synced = spool.sync().unwrap(),
                    Step::Confirm(before) => {
                        // Closing a segment syncs it.
                        synced = spool.synced;
                        spool.confirm(before).unwrap();
                        confirmed = confirmed.max(before.min(synced));
                    }
                    Step::Reopen => {
                        let before = spool.sync().unwrap();
                        synced = before;
                        drop(spool);
                        spool = open(dir.path());
                    }
                }
                synced = synced.max(spool.synced);
                let got = all(&spool);
                let kept: Vec<_> = got.iter().filter(|(n, _)| *n >= confirmed).cloned().collect();
                let right: Vec<_> = (confirmed..synced).map(|n| (n, model[n as usize].clone())).collect();
                prop_assert_eq!(kept, right);
                prop_assert_eq!(spool.len(), spool.next - confirmed);
            }
        }

        #[test]
        fn any_bytes_open(bytes in proptest::collection::vec(any::<u8>(), 0..300), last in any::<bool>()) {
            let dir = tempfile::tempdir().unwrap();
            fs::write(path(dir.path(), 3), &bytes).unwrap();
            if !last {
                fs::write(path(dir.path(), 900), b"").unwrap();
            }
            let (mut spool, _) = Spool::open(dir.path(), SMALL).unwrap();
            let before = all(&spool).len();
            spool.push(b"new").unwrap();
            spool.sync().unwrap();
            prop_assert_eq!(all(&spool).len(), before + 1);
        }
    }
}
