//! Lines of a text file from a place on: only whole ones, as far as that can be known of a file that grows.

use super::book::Place;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::Path;
use std::time::{Duration, Instant};

/// Read at once; a longer line is none of a table.
const CHUNK: u64 = 1 << 20;
/// A last line without its end is taken for whole once the file has stayed the same for so long.
const QUIET: Duration = Duration::from_secs(60);

/// Where the reading of a file is.
#[derive(Debug, Default)]
pub(super) struct Tail {
    place: Place,
    /// How long the file was when it was last looked at, and since when.
    seen: Option<(u64, Instant)>,
    /// In the middle of a line that is too long.
    inside: bool,
}

/// What one look at a file gave.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Look {
    /// The file begins anew: it is another one than before.
    pub anew: bool,
    /// Number and bytes of each whole line, without its end.
    pub lines: Vec<(u64, Vec<u8>)>,
    /// Lines that are too long: their numbers.
    pub too_long: Vec<u64>,
    /// There may be more at once.
    pub more: bool,
}

impl Tail {
    /// From a place on.
    pub fn from(place: Place) -> Self {
        Self { place, ..Self::default() }
    }

    /// How far it has come.
    pub fn place(&self) -> Place {
        self.place
    }

    /// The first line of a file, where it is whole.
    ///
    /// # Errors
    /// The disk's.
    pub fn head(path: &Path) -> io::Result<Option<Vec<u8>>> {
        let mut bytes = Vec::new();
        File::open(path)?.take(CHUNK).read_to_end(&mut bytes)?;
        let end = bytes.iter().position(|b| *b == b'\n');
        Ok(end.map(|end| {
            bytes.truncate(end);
            bytes
        }))
    }

    /// The next lines; `last`: nothing more will come, so that the last line is whole as it is.
    ///
    /// # Errors
    /// The disk's.
    pub fn look(&mut self, path: &Path, last: bool, now: Instant) -> io::Result<Look> {
        let mut file = File::open(path)?;
        let mut look = Look::default();
        if !self.place.fits(&mut file)? {
            *self = Self::default();
            look.anew = true;
        }
        let length = file.metadata()?.len();
        if self.seen.is_none_or(|(before, _)| before != length) {
            self.seen = Some((length, now));
        }
        if length == self.place.bytes {
            return Ok(look);
        }
        file.seek(SeekFrom::Start(self.place.bytes))?;
        let mut bytes = Vec::new();
        (&mut file).take(CHUNK).read_to_end(&mut bytes)?;
        let full = bytes.len() as u64 == CHUNK;
        let quiet = self.seen.is_some_and(|(_, since)| now.duration_since(since) >= QUIET);
        let whole = match bytes.iter().rposition(|b| *b == b'\n') {
            Some(end) => end + 1,
            None if full => return self.too_long(&mut file, bytes.len(), look),
            None => 0,
        };
        let take = if !full && (last || quiet) { bytes.len() } else { whole };
        let mut line = self.place.line;
        for text in bytes.get(..take).unwrap_or_default().split_inclusive(|b| *b == b'\n') {
            line += 1;
            // The end of a line that was given up on.
            if std::mem::take(&mut self.inside) {
                continue;
            }
            look.lines.push((line, text.trim_ascii_end().to_vec()));
        }
        self.place = Place::at(&mut file, self.place.bytes + take as u64, line)?;
        look.more = full;
        Ok(look)
    }

    fn too_long(&mut self, file: &mut File, read: usize, mut look: Look) -> io::Result<Look> {
        if !self.inside {
            look.too_long.push(self.place.line + 1);
        }
        self.inside = true;
        self.place = Place::at(file, self.place.bytes + read as u64, self.place.line)?;
        look.more = true;
        Ok(look)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(look: &Look) -> Vec<(u64, String)> {
        look.lines.iter().map(|(n, l)| (*n, String::from_utf8(l.clone()).unwrap())).collect()
    }

    fn of(text: &[(u64, &str)]) -> Vec<(u64, String)> {
        text.iter().map(|(n, l)| (*n, (*l).to_owned())).collect()
    }

    #[test]
    fn whole_lines_as_a_file_grows() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.csv");
        let now = Instant::now();
        std::fs::write(&path, "head\n1,2").unwrap();
        assert_eq!(Tail::head(&path).unwrap().unwrap(), b"head");
        let mut tail = Tail::default();
        assert_eq!(lines(&tail.look(&path, false, now).unwrap()), of(&[(1, "head")]));
        assert_eq!(lines(&tail.look(&path, false, now).unwrap()), []);
        std::fs::write(&path, "head\n1,23\r\n\n4,5").unwrap();
        assert_eq!(lines(&tail.look(&path, false, now).unwrap()), of(&[(2, "1,23"), (3, "")]));
        // A last line that nobody ends is whole after a while.
        assert_eq!(lines(&tail.look(&path, false, now + QUIET).unwrap()), of(&[(4, "4,5")]));
        // The same from where it was, in another life.
        let mut tail = Tail::from(tail.place());
        assert_eq!(tail.look(&path, true, now).unwrap(), Look::default());
        // Another file of this name.
        std::fs::write(&path, "head\n9,9\n").unwrap();
        let look = tail.look(&path, false, now).unwrap();
        assert!(look.anew);
        assert_eq!(lines(&look), of(&[(1, "head"), (2, "9,9")]));
        // Longer than before, and another one all the same.
        std::fs::write(&path, "head\n8,8\n7,7\n").unwrap();
        assert!(tail.look(&path, false, now).unwrap().anew);
    }

    #[test]
    fn a_line_that_is_no_line_costs_only_itself() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.csv");
        let long = "x".repeat(2 * CHUNK as usize + 17);
        std::fs::write(&path, format!("head\n1\n{long}\n2\n")).unwrap();
        let mut tail = Tail::default();
        let (mut all, mut too_long) = (Vec::new(), Vec::new());
        loop {
            let look = tail.look(&path, true, Instant::now()).unwrap();
            all.extend(lines(&look));
            too_long.extend(look.too_long);
            if !look.more {
                break;
            }
        }
        assert_eq!(all, of(&[(1, "head"), (2, "1"), (4, "2")]));
        assert_eq!(too_long, [3]);
    }
}
