//! How far each file has been read, and how far of that the history has.

use super::lock;
use crate::problem::Problem;
use crate::telemetry::historian::Kept;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, VecDeque};
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::Mutex;

/// So much of a file's beginning, and of what stands before the place, says whether it is the same file, bytes.
const SEEN: u64 = 1024;

/// A place in a file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Place {
    /// Behind this byte nothing was read.
    pub bytes: u64,
    /// Lines before it; of Parquet the rows.
    pub line: u64,
    /// Check sum of the first bytes, at most [`SEEN`].
    head: u32,
    /// Check sum of the last ones before the place.
    tail: u32,
}

impl Place {
    /// This far into a file, as it stands now.
    pub fn at(file: &mut File, bytes: u64, line: u64) -> io::Result<Self> {
        let head = sum(file, 0, bytes.min(SEEN))?;
        let tail = sum(file, bytes.saturating_sub(SEEN), bytes)?;
        Ok(Self { bytes, line, head, tail })
    }

    /// Whether a file is still the one that was read up to here.
    pub fn fits(&self, file: &mut File) -> io::Result<bool> {
        if file.metadata()?.len() < self.bytes {
            return Ok(false);
        }
        Ok(Self::at(file, self.bytes, self.line)? == *self)
    }
}

fn sum(file: &mut File, from: u64, to: u64) -> io::Result<u32> {
    file.seek(SeekFrom::Start(from))?;
    let mut bytes = Vec::with_capacity(SEEN as usize);
    file.take(to.saturating_sub(from)).read_to_end(&mut bytes)?;
    Ok(crc32fast::hash(&bytes))
}

#[derive(Default)]
struct Inner {
    /// What the history does not have yet, the oldest first.
    waiting: VecDeque<(u64, PathBuf, Place)>,
    kept: BTreeMap<PathBuf, Place>,
    changed: bool,
}

/// Written down in a file beside the project; told by the historian.
pub(super) struct Book {
    file: Option<PathBuf>,
    inner: Mutex<Inner>,
}

#[derive(Serialize, Deserialize)]
struct Document {
    version: u32,
    files: BTreeMap<PathBuf, Place>,
}

impl Book {
    pub fn new(file: Option<PathBuf>) -> Self {
        Self { file, inner: Mutex::default() }
    }

    /// Reads what was written down. What cannot be read is none: the files are read again then.
    pub fn open(&self) -> Option<Problem> {
        let file = self.file.as_ref()?;
        let text = match std::fs::read(file) {
            Ok(text) => text,
            Err(e) if e.kind() == io::ErrorKind::NotFound => return None,
            Err(e) => return Some(unread(file, &e.to_string())),
        };
        match serde_json::from_slice::<Document>(&text) {
            Ok(document) if document.version == 1 => {
                let folder = file.parent().and_then(Path::parent);
                let whole = |path: PathBuf| folder.map_or(path.clone(), |f| f.join(path));
                lock(&self.inner).kept = document.files.into_iter().map(|(p, place)| (whole(p), place)).collect();
                None
            }
            Ok(document) => Some(unread(file, &format!("it is of version {}", document.version))),
            Err(e) => Some(unread(file, &e.to_string())),
        }
    }

    /// Where the history has a file up to.
    pub fn place(&self, path: &Path) -> Option<Place> {
        lock(&self.inner).kept.get(path).copied()
    }

    /// Every file that was ever read and has not been forgotten.
    pub fn all(&self) -> Vec<(PathBuf, Place)> {
        lock(&self.inner).kept.iter().map(|(p, place)| (p.clone(), *place)).collect()
    }

    /// A file is called otherwise now.
    pub fn rename(&self, from: &Path, to: &Path) {
        let mut inner = lock(&self.inner);
        if let Some(place) = inner.kept.remove(from) {
            inner.kept.insert(to.to_path_buf(), place);
            inner.changed = true;
        }
        for waiting in inner.waiting.iter_mut().filter(|w| w.1 == from) {
            waiting.1 = to.to_path_buf();
        }
    }

    /// Once the history has `token`, a file is read up to here.
    pub fn wait_for(&self, token: u64, path: &Path, place: Place) {
        lock(&self.inner).waiting.push_back((token, path.to_path_buf(), place));
    }

    /// Forgets files that are gone.
    fn prune(kept: &mut BTreeMap<PathBuf, Place>) {
        kept.retain(|path, _| path.try_exists().unwrap_or(true));
    }

    /// Writes down what has changed: beside its place, and moved there.
    ///
    /// # Errors
    /// The disk's.
    pub fn save(&self) -> Result<(), Problem> {
        let Some(file) = &self.file else { return Ok(()) };
        let mut inner = lock(&self.inner);
        if !std::mem::take(&mut inner.changed) {
            return Ok(());
        }
        Self::prune(&mut inner.kept);
        let folder = file.parent().and_then(Path::parent);
        // A project that is moved takes its files along.
        let below = |p: &PathBuf| folder.and_then(|f| p.strip_prefix(f).ok()).unwrap_or(p).to_path_buf();
        let files = inner.kept.iter().map(|(path, place)| (below(path), *place)).collect();
        let text = serde_json::to_vec(&Document { version: 1, files }).unwrap_or_default();
        let write = || -> io::Result<()> {
            let folder = file.parent().unwrap_or(Path::new("."));
            std::fs::create_dir_all(folder)?;
            let mut draft = tempfile::NamedTempFile::new_in(folder)?;
            draft.write_all(&text)?;
            draft.as_file().sync_data()?;
            draft.persist(file).map_err(|e| e.error)?;
            Ok(())
        };
        write().map_err(|e| {
            inner.changed = true;
            let message = format!("how far the files of [[files]] are read cannot be written down: {e}");
            let remedy = "make room or mend the rights; a run that ends now reads them from where it was written last";
            Problem::warning(file.display().to_string(), message, remedy)
        })
    }
}

impl Kept for Book {
    fn kept(&self, tokens: &[u64]) {
        let mut inner = lock(&self.inner);
        let Some(last) = tokens.iter().max() else { return };
        while let Some((token, path, place)) = inner.waiting.pop_front() {
            if token > *last {
                inner.waiting.push_front((token, path, place));
                break;
            }
            inner.kept.insert(path, place);
            inner.changed = true;
        }
    }
}

fn unread(file: &Path, why: &str) -> Problem {
    let message = format!("how far the files of [[files]] were read is not known: {why}");
    Problem::warning(file.display().to_string(), message, "they are read again; the history keeps each sample once")
}
