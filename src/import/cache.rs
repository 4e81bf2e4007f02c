//! What a file was read as, kept for the next time: opening it again takes little more than reading the file.
//!
//! A cache is a folder of *scenes*, one a file ([`scene`]): model, problems, meshes and trees. A scene is found by what
//! it was made of ([`key`]): the bytes of the file and the reader, not the file's name or date. So a changed file and
//! a changed reader find nothing, and a file that was moved or copied is found. A scene that is cut off, damaged, or
//! something else ([`file`]) is noticed and made anew; the worst that any of it can do is cost the time of reading.
//!
//! What was cut short by the clock is not kept, for another read may give more. Scenes are written beside their
//! place and moved there whole; what was not used for the longest time goes when the folder gets too large
//! ([`evict`]).

mod evict;
mod file;
mod key;
mod scene;
mod sets;

pub use crate::site::project::CacheBounds as Bounds;

use super::ifc::{self, Facts};
use super::{Limits, Progress, read_with_facts, read_within};
use crate::problem::Problem;
use crate::shape::Details;
use crate::site::Model;
use file::Fault;
use key::Key;
use std::io;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

/// Folders with what was read before.
#[derive(Clone, Debug)]
pub struct Cache {
    /// All are looked into; the first that can be written to takes what is new.
    folders: Vec<PathBuf>,
    bounds: Bounds,
    now: SystemTime,
    reader: String,
}

/// What a file was read as.
#[derive(Clone, Debug)]
pub struct Imported {
    /// What it says.
    pub model: Model,
    /// What is wrong with it.
    pub problems: Vec<Problem>,
    /// True when the file itself was not parsed.
    pub from_cache: bool,
    /// What it would be kept as; none when it is kept already, or cannot be.
    key: Option<Key>,
}

/// A file that is not in the cache: what it would be kept as, unless it cannot be.
#[derive(Debug)]
pub struct Missing(Option<Key>);

impl Missing {
    /// Reads the file by parsing it.
    ///
    /// # Errors
    /// As [`super::read`].
    pub fn read(self, path: &Path, limits: &Limits, progress: &Progress) -> Result<Imported, Problem> {
        let (model, problems) = read_within(path, limits, progress)?;
        Ok(self.imported(model, problems))
    }

    fn read_with_facts(
        self,
        path: &Path,
        limits: &Limits,
        progress: &Progress,
    ) -> Result<(Imported, Option<Facts>), Problem> {
        let (model, problems, facts) = read_with_facts(path, limits, progress)?;
        Ok((self.imported(model, problems), facts))
    }

    fn imported(self, mut model: Model, problems: Vec<Problem>) -> Imported {
        if self.0.is_some() {
            model.details = Details::of_shapes(&model.shapes);
        }
        Imported { model, problems, from_cache: false, key: self.0 }
    }
}

impl Cache {
    /// No cache: every file is parsed, nothing is kept.
    pub fn off() -> Self {
        Self { folders: Vec::new(), bounds: Bounds::default(), now: SystemTime::UNIX_EPOCH, reader: key::reader() }
    }

    /// A cache in a folder, which is made when something is kept. `now` is the time by which scenes are marked as
    /// used.
    pub fn new(folder: impl Into<PathBuf>, now: SystemTime) -> Self {
        Self { folders: vec![folder.into()], now, ..Self::off() }
    }

    /// Another folder, for when the first cannot be written to.
    #[must_use]
    pub fn or(mut self, folder: impl Into<PathBuf>) -> Self {
        self.folders.push(folder.into());
        self
    }

    /// Other bounds than the usual 2 GB and 200 scenes.
    #[must_use]
    pub fn within(mut self, bounds: Bounds) -> Self {
        self.bounds = bounds;
        self
    }

    /// As if the reader had another version: what other versions left is not taken.
    #[must_use]
    pub fn of_reader(mut self, version: &str) -> Self {
        version.clone_into(&mut self.reader);
        self
    }

    /// Reads a file, from the cache when it is there. What was parsed is not kept before [`Self::keep`].
    ///
    /// # Errors
    /// As [`super::read`].
    pub fn read(&self, path: &Path, limits: &Limits, progress: &Progress) -> Result<Imported, Problem> {
        match self.find(path, limits, progress) {
            Ok(imported) => Ok(imported),
            Err(missing) => missing.read(path, limits, progress),
        }
    }

    /// As [`Self::read`], with what a check asks of an IFC file, which no scene holds. A file that is not in the cache
    /// is parsed once for both; of one that is, only the records are looked at.
    ///
    /// # Errors
    /// As [`super::read`].
    pub fn read_with_facts(
        &self,
        path: &Path,
        limits: &Limits,
        progress: &Progress,
    ) -> Result<(Imported, Option<Facts>), Problem> {
        let imported = match self.find(path, limits, progress) {
            Ok(imported) => imported,
            Err(missing) => return missing.read_with_facts(path, limits, progress),
        };
        let is_ifc = imported.model.kind.starts_with("ifc");
        let facts = is_ifc.then(|| ifc::facts(path, limits)).transpose()?;
        Ok((imported, facts))
    }

    /// Takes a file from the cache. This is so quick that it needs no thread of its own and no progress.
    ///
    /// # Errors
    /// It is not there, and is to be read with the same arguments by what is given instead.
    pub fn find(&self, path: &Path, limits: &Limits, progress: &Progress) -> Result<Imported, Missing> {
        if self.folders.is_empty() {
            return Err(Missing(None));
        }
        let key = Key::of(path, limits, &self.reader, progress).ok_or(Missing(None))?;
        for scene in self.folders.iter().map(|folder| folder.join(key.file_name())) {
            match scene::read(&scene, &key.name, self.bounds.max_bytes, path) {
                Ok((model, problems)) => {
                    evict::mark(&scene, self.now);
                    progress.set_total(model.elements.len());
                    progress.set_done(model.elements.len());
                    return Ok(Imported { model, problems, from_cache: true, key: None });
                }
                Err(Fault::Absent) => {}
                Err(Fault::Bad(why)) => {
                    tracing::info!("{}: {why}; {} is read anew", scene.display(), path.display());
                }
            }
        }
        Err(Missing(Some(key)))
    }

    /// Keeps what was parsed for the next time. False when there is nothing to keep: there is no cache, it came from
    /// there, it was cut short, the file has changed meanwhile, or it is larger than the whole cache may be.
    ///
    /// # Errors
    /// No folder of the cache can be written to: the model is whole all the same.
    pub fn keep(&self, imported: &Imported) -> Result<bool, Problem> {
        let Imported { model, problems, key, .. } = imported;
        let Some(key) = key.filter(|key| !model.cut_short && key.still_fits(&model.file)) else { return Ok(false) };
        let mut failed = None;
        for folder in &self.folders {
            match self.write(folder, &key, model, problems) {
                Ok(kept) => return Ok(kept),
                Err(e) => {
                    tracing::info!("{}: cannot keep {}: {e}", folder.display(), model.file.display());
                    failed.get_or_insert((folder, e));
                }
            }
        }
        failed.map_or(Ok(false), |(folder, e)| {
            Err(Problem::info(
                folder.display().to_string(),
                format!("what was read cannot be kept for the next time: {e}"),
                "make room there, give yourself the right to write there, or name another folder (--cache DIR)",
            ))
        })
    }

    fn write(&self, folder: &Path, key: &Key, model: &Model, problems: &[Problem]) -> io::Result<bool> {
        make(folder)?;
        let mut draft = tempfile::Builder::new().prefix(evict::DRAFT).tempfile_in(folder)?;
        let length = scene::write(draft.as_file_mut(), key.name, model, problems)?;
        if length > self.bounds.max_bytes {
            return Ok(false);
        }
        as_readable_as(&model.file, draft.as_file());
        if let Err(e) = draft.as_file().set_modified(self.now) {
            tracing::debug!("{}: its time stays that of the disk: {e}", folder.display());
        }
        let name = key.file_name();
        draft.persist(folder.join(&name)).map_err(|e| e.error)?;
        evict::trim(folder, &name, &self.bounds, self.now);
        Ok(true)
    }
}

/// Makes the folder. What is in it can be made again, so it is nothing for version control.
fn make(folder: &Path) -> io::Result<()> {
    if folder.is_dir() {
        return Ok(());
    }
    std::fs::create_dir_all(folder)?;
    std::fs::write(folder.join(".gitignore"), "*\n")
}

/// A draft is its owner's only; a scene may be read by whoever may read what it was made of.
#[cfg(unix)]
fn as_readable_as(source: &Path, scene: &std::fs::File) {
    use std::os::unix::fs::PermissionsExt;
    let copied = std::fs::metadata(source).and_then(|data| {
        scene.set_permissions(std::fs::Permissions::from_mode(data.permissions().mode() & 0o644 | 0o600))
    });
    if let Err(e) = copied {
        tracing::debug!("the scene stays its owner's: {e}");
    }
}

#[cfg(not(unix))]
fn as_readable_as(_source: &Path, _scene: &std::fs::File) {}
