//! The file that a scene is kept in: a header of fixed size, then sections, each with its length and checksum in
//! the header. Numbers are little-endian.
//!
//! | bytes | what |
//! |---|---|
//! | 8 | `PLENUMsc` |
//! | 4 | [`FORMAT`] |
//! | 4 | how many sections |
//! | 32 | the scene's name: what it was made of |
//! | 8 | length of the whole file |
//! | 24 a section | its length (8), the first 16 bytes of its BLAKE3 |
//! | 16 | the first 16 bytes of the BLAKE3 of all this |
//!
//! The file is read from front to back in blocks that stay in the processor, checked and turned into what it is for
//! on the way: nothing is held twice. A memory map would save one copy, and cost a promise that nobody can keep: that
//! no other program shortens the file meanwhile.

use std::fs::File;
use std::io::{self, BufWriter, Read, Seek, SeekFrom, Write};
use std::path::Path;

/// The order of the bytes in a file. Another order is another number.
const FORMAT: u32 = 2;
const MAGIC: &[u8; 8] = b"PLENUMsc";

/// How many sections a file has.
pub(super) const SECTIONS: usize = 5;
const SUM: usize = 16;
const TABLE: usize = 56;
const HEADER: usize = TABLE + SECTIONS * (8 + SUM) + SUM;

/// Bytes read at a time.
const BLOCK: usize = 128 * 1024;

/// Why a file gives no scene.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Fault {
    /// There is none.
    Absent,
    /// It cannot be read, or is not what it should be.
    Bad(&'static str),
}

type Sum = [u8; SUM];

fn sum(hasher: &blake3::Hasher) -> Sum {
    let mut sum = [0; SUM];
    hasher.finalize_xof().fill(&mut sum);
    sum
}

/// A file that is being read, section by section.
pub(super) struct Source {
    file: File,
    /// Length and checksum of the sections that come.
    sections: std::array::IntoIter<(u64, Sum), SECTIONS>,
}

impl Source {
    /// Opens a file and checks its header: that it is the scene `name`, as long as it says, and at most `max_bytes`.
    pub(super) fn open(path: &Path, name: &[u8; 32], max_bytes: u64) -> Result<Self, Fault> {
        let data = std::fs::metadata(path).map_err(|e| match e.kind() {
            io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => Fault::Absent,
            _ => Fault::Bad("it cannot be read"),
        })?;
        // Neither a folder nor a pipe, which would be waited for.
        if !data.is_file() {
            return Err(Fault::Bad("it is no file"));
        }
        if data.len() > max_bytes {
            return Err(Fault::Bad("it is larger than the cache may be"));
        }
        let mut file = File::open(path).map_err(|_| Fault::Bad("it cannot be opened"))?;
        let mut header = [0; HEADER];
        file.read_exact(&mut header).map_err(|_| Fault::Bad("it is too short"))?;
        let sections = check(&header, name, data.len())?;
        Ok(Self { file, sections: sections.into_iter() })
    }

    /// The next section whole.
    pub(super) fn whole(&mut self) -> Result<Vec<u8>, Fault> {
        let mut section = self.section()?;
        let bytes = section.bytes(section.left())?;
        section.finish()?;
        Ok(bytes)
    }

    /// The next section, to be read in parts.
    pub(super) fn section(&mut self) -> Result<Section<'_>, Fault> {
        let (length, sum) = self.sections.next().ok_or(Fault::Bad("it has too few sections"))?;
        Ok(Section {
            file: &mut self.file,
            unread: length,
            sum,
            hasher: blake3::Hasher::new(),
            block: Vec::new(),
            at: 0,
        })
    }
}

/// The header's table of sections, when all of the header is right.
fn check(header: &[u8; HEADER], name: &[u8; 32], length: u64) -> Result<[(u64, Sum); SECTIONS], Fault> {
    let (said, own) = header.split_last_chunk::<SUM>().ok_or(Fault::Bad("it is too short"))?;
    let (magic, rest) = said.split_first_chunk::<8>().ok_or(Fault::Bad("it is too short"))?;
    if magic != MAGIC {
        return Err(Fault::Bad("it is something else"));
    }
    if sum(blake3::Hasher::new().update(said)) != *own {
        return Err(Fault::Bad("its header is damaged"));
    }
    let (format, rest) = rest.split_first_chunk::<4>().ok_or(Fault::Bad("it is too short"))?;
    let (count, rest) = rest.split_first_chunk::<4>().ok_or(Fault::Bad("it is too short"))?;
    if (u32::from_le_bytes(*format), u32::from_le_bytes(*count)) != (FORMAT, SECTIONS as u32) {
        return Err(Fault::Bad("it was written in another format"));
    }
    let (its_name, rest) = rest.split_first_chunk::<32>().ok_or(Fault::Bad("it is too short"))?;
    if its_name != name {
        return Err(Fault::Bad("it was made of another file, or by another reader"));
    }
    let (total, rest) = rest.split_first_chunk::<8>().ok_or(Fault::Bad("it is too short"))?;
    let mut sections = [(0, [0; SUM]); SECTIONS];
    for (section, bytes) in sections.iter_mut().zip(rest.as_chunks::<{ 8 + SUM }>().0) {
        let (length, sum) = bytes.split_first_chunk::<8>().ok_or(Fault::Bad("it is too short"))?;
        section.0 = u64::from_le_bytes(*length);
        section.1.copy_from_slice(sum);
    }
    let sum = sections.iter().try_fold(HEADER as u64, |sum, s| sum.checked_add(s.0));
    if sum != Some(length) || u64::from_le_bytes(*total) != length {
        return Err(Fault::Bad("it has another length than it says"));
    }
    Ok(sections)
}

/// A section that is being read. What it gives is to be trusted only once [`Section::finish`] was glad of it.
pub(super) struct Section<'a> {
    file: &'a mut File,
    /// Bytes of the section that are still in the file.
    unread: u64,
    sum: Sum,
    hasher: blake3::Hasher,
    block: Vec<u8>,
    /// How much of `block` was given away.
    at: usize,
}

impl Section<'_> {
    /// Bytes that were not given away yet.
    pub(super) fn left(&self) -> u64 {
        self.unread + (self.block.len() - self.at) as u64
    }

    /// The next `count` bytes.
    pub(super) fn bytes(&mut self, count: u64) -> Result<Vec<u8>, Fault> {
        let count = usize::try_from(count).map_err(|_| Fault::Bad("it is too large"))?;
        let mut out = Vec::new();
        room(&mut out, count)?;
        let ready = self.block.get(self.at..).unwrap_or_default();
        let ready = ready.get(..count.min(ready.len())).unwrap_or_default();
        out.extend_from_slice(ready);
        self.at += ready.len();
        // What is asked for whole needs no block on the way.
        let more = (count - out.len()) as u64;
        if more > self.unread {
            return Err(Fault::Bad("a section is too short"));
        }
        let start = out.len();
        let read = Read::by_ref(self.file).take(more).read_to_end(&mut out);
        if read.ok().map(|n| n as u64) != Some(more) {
            return Err(Fault::Bad("it cannot be read to its end"));
        }
        self.unread -= more;
        self.hasher.update(out.get(start..).unwrap_or_default());
        Ok(out)
    }

    /// The next `count` things of `N` bytes each.
    pub(super) fn things<const N: usize, T>(
        &mut self,
        count: usize,
        make: impl Fn(&[u8; N]) -> T,
    ) -> Result<Vec<T>, Fault> {
        let mut out = Vec::new();
        room(&mut out, count)?;
        while out.len() < count {
            let ready = self.block.get(self.at..).unwrap_or_default();
            let (things, _) = ready.as_chunks::<N>();
            let things = things.get(..things.len().min(count - out.len())).unwrap_or_default();
            out.extend(things.iter().map(&make));
            self.at += things.len() * N;
            if out.len() < count {
                self.refill()?;
            }
        }
        Ok(out)
    }

    /// Reads the next block behind what is left of this one.
    fn refill(&mut self) -> Result<(), Fault> {
        if self.unread == 0 {
            return Err(Fault::Bad("a section is too short"));
        }
        self.block.drain(..self.at);
        self.at = 0;
        let start = self.block.len();
        let more = self.unread.min((BLOCK - start.min(BLOCK)) as u64);
        room(&mut self.block, more as usize)?;
        let read = Read::by_ref(self.file).take(more).read_to_end(&mut self.block);
        if read.ok().map(|n| n as u64) != Some(more) || more == 0 {
            return Err(Fault::Bad("it cannot be read to its end"));
        }
        self.unread -= more;
        self.hasher.update(self.block.get(start..).unwrap_or_default());
        Ok(())
    }

    /// Says whether all of it was read, and is as it was written.
    pub(super) fn finish(self) -> Result<(), Fault> {
        if self.left() > 0 {
            return Err(Fault::Bad("a section is longer than what is in it"));
        }
        if sum(&self.hasher) != self.sum {
            return Err(Fault::Bad("a section is damaged"));
        }
        Ok(())
    }
}

/// Room for `count` things, where there is memory for so many.
fn room<T>(out: &mut Vec<T>, count: usize) -> Result<(), Fault> {
    out.try_reserve_exact(count).map_err(|_| Fault::Bad("there is no memory for it"))
}

/// A file that is being written, section by section.
pub(super) struct Target<'a> {
    file: BufWriter<&'a mut File>,
    name: [u8; 32],
    sections: Vec<(u64, Sum)>,
    hasher: blake3::Hasher,
    length: u64,
}

impl<'a> Target<'a> {
    /// Begins the scene `name` in an empty file.
    pub(super) fn new(file: &'a mut File, name: [u8; 32]) -> io::Result<Self> {
        let mut file = BufWriter::with_capacity(BLOCK, file);
        file.write_all(&[0; HEADER])?;
        Ok(Self { file, name, sections: Vec::with_capacity(SECTIONS), hasher: blake3::Hasher::new(), length: 0 })
    }

    /// Adds to the section.
    pub(super) fn add(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.hasher.update(bytes);
        self.length += bytes.len() as u64;
        self.file.write_all(bytes)
    }

    /// Ends the section.
    pub(super) fn end_section(&mut self) {
        self.sections.push((self.length, sum(&self.hasher)));
        self.hasher.reset();
        self.length = 0;
    }

    /// Writes the header and gives the length of the whole file.
    pub(super) fn finish(mut self) -> io::Result<u64> {
        let total = self.sections.iter().fold(HEADER as u64, |sum, (length, _)| sum + length);
        let mut header = Vec::with_capacity(HEADER);
        header.extend_from_slice(MAGIC);
        header.extend_from_slice(&FORMAT.to_le_bytes());
        header.extend_from_slice(&(self.sections.len() as u32).to_le_bytes());
        header.extend_from_slice(&self.name);
        header.extend_from_slice(&total.to_le_bytes());
        for (length, sum) in &self.sections {
            header.extend_from_slice(&length.to_le_bytes());
            header.extend_from_slice(sum);
        }
        let own = sum(blake3::Hasher::new().update(&header));
        header.extend_from_slice(&own);
        self.file.seek(SeekFrom::Start(0))?;
        self.file.write_all(&header)?;
        self.file.flush()?;
        Ok(total)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const NAME: [u8; 32] = [7; 32];

    /// A file whose third section holds numbers, more than a block of them.
    fn written(numbers: &[u32]) -> tempfile::NamedTempFile {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        let mut target = Target::new(file.as_file_mut(), NAME).unwrap();
        for section in 0..SECTIONS {
            match section {
                2 => numbers.iter().for_each(|n| target.add(&n.to_le_bytes()).unwrap()),
                _ => target.add(&vec![section as u8; section * 10]).unwrap(),
            }
            target.end_section();
        }
        let length = target.finish().unwrap();
        assert_eq!(length, file.as_file().metadata().unwrap().len());
        file
    }

    fn read(path: &Path) -> Result<(Vec<u8>, Vec<u32>, Vec<u8>), Fault> {
        let mut source = Source::open(path, &NAME, 100_000_000)?;
        source.whole()?;
        let first = source.whole()?;
        let mut section = source.section()?;
        let count = section.left() as usize / 4;
        let mut numbers = section.things(1.min(count), |b| u32::from_le_bytes(*b))?;
        numbers.extend(section.things(count - numbers.len(), |b| u32::from_le_bytes(*b))?);
        section.finish()?;
        source.whole()?;
        Ok((first, numbers, source.whole()?))
    }

    #[test]
    fn what_was_written_is_read() {
        for count in [0, 1, 2, 40_000, 100_001] {
            let numbers: Vec<u32> = (0..count).collect();
            let (first, back, last) = read(written(&numbers).path()).unwrap();
            assert_eq!((first, last), (vec![1; 10], vec![4; 40]));
            assert!(back == numbers, "{count} numbers");
        }
    }

    #[test]
    fn what_is_not_ours_is_named() {
        let file = written(&[1, 2, 3]);
        let open = |name: &[u8; 32], max| Source::open(file.path(), name, max).err();
        assert_eq!(open(&NAME, 1000), None);
        assert_eq!(open(&[8; 32], 1000), Some(Fault::Bad("it was made of another file, or by another reader")));
        assert_eq!(open(&NAME, 10), Some(Fault::Bad("it is larger than the cache may be")));
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(read(folder.path()), Err(Fault::Bad("it is no file")));
        assert_eq!(read(&folder.path().join("none")), Err(Fault::Absent));
        let other = folder.path().join("other");
        std::fs::write(&other, "").unwrap();
        assert_eq!(read(&other), Err(Fault::Bad("it is too short")));
        std::fs::write(&other, [b'x'; 1000]).unwrap();
        assert_eq!(read(&other), Err(Fault::Bad("it is something else")));
    }

    /// Headers whose own checksum is right, and that lie all the same.
    #[test]
    fn a_header_that_lies_is_refused() {
        let file = written(&[1, 2, 3]);
        let bytes = std::fs::read(file.path()).unwrap();
        let with = |at: usize, word: &[u8]| {
            let mut bytes = bytes.clone();
            bytes[at..at + word.len()].copy_from_slice(word);
            let own = sum(blake3::Hasher::new().update(&bytes[..HEADER - SUM]));
            bytes[HEADER - SUM..HEADER].copy_from_slice(&own);
            std::fs::write(file.path(), &bytes).unwrap();
            read(file.path()).err()
        };
        assert_eq!(with(0, MAGIC), None, "nothing changed");
        // The other order of bytes is another format.
        assert_eq!(with(8, &FORMAT.to_be_bytes()), Some(Fault::Bad("it was written in another format")));
        assert_eq!(with(12, &[4]), Some(Fault::Bad("it was written in another format")));
        let length = Some(Fault::Bad("it has another length than it says"));
        assert_eq!(with(48, &u64::MAX.to_le_bytes()), length);
        assert_eq!(with(TABLE, &u64::MAX.to_le_bytes()), length);
        assert_eq!(with(TABLE, &1_u64.to_le_bytes()), length);
        // Two lengths that lie so that the sum is right.
        let mut lengths = [0; 32];
        lengths[..8].copy_from_slice(&5_u64.to_le_bytes());
        lengths[8..24].copy_from_slice(&bytes[TABLE + 8..TABLE + 24]);
        lengths[24..].copy_from_slice(&5_u64.to_le_bytes());
        assert_eq!(with(TABLE, &lengths), Some(Fault::Bad("a section is damaged")));
    }

    proptest! {
        #[test]
        fn a_changed_file_is_noticed(
            at in any::<prop::sample::Index>(),
            bit in 0..8_u32,
            cut in prop::option::of(any::<prop::sample::Index>()),
            tail in prop::collection::vec(any::<u8>(), 0..3),
        ) {
            let file = written(&[1, 2, 3, 4, 5]);
            let before = std::fs::read(file.path()).unwrap();
            let mut bytes = before.clone();
            let at = at.index(bytes.len());
            bytes[at] ^= 1 << bit;
            if let Some(cut) = cut {
                bytes.truncate(cut.index(bytes.len()));
            }
            bytes.extend(tail);
            prop_assume!(bytes != before);
            std::fs::write(file.path(), &bytes).unwrap();
            prop_assert!(read(file.path()).is_err());
        }
    }
}
