//! A project file is written whole or not at all.

use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// Puts a text in the place of a file, with the file's own rights.
///
/// # Errors
/// When it cannot be written; the file is as it was then.
pub(super) fn replace(file: &Path, text: &str) -> io::Result<()> {
    beside(file, text)?.persist(file).map(|_| ()).map_err(|e| e.error)
}

/// As [`replace`], and gives where the file as it was is kept.
///
/// # Errors
/// As [`replace`].
pub(super) fn replace_and_keep(file: &Path, text: &str) -> io::Result<PathBuf> {
    let new = beside(file, text)?;
    let kept = free_name(file);
    std::fs::copy(file, &kept)?;
    match new.persist(file) {
        Ok(_) => Ok(kept),
        Err(e) => {
            let _ = std::fs::remove_file(kept);
            Err(e.error)
        }
    }
}

/// The text in a file of its own in the same folder.
fn beside(file: &Path, text: &str) -> io::Result<tempfile::NamedTempFile> {
    let folder = file.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
    // A file that nobody may write is not replaced behind its owner's back.
    std::fs::OpenOptions::new().append(true).open(file)?;
    let mut beside = tempfile::Builder::new().prefix(".twin-").suffix(".toml").tempfile_in(folder)?;
    beside.write_all(text.as_bytes())?;
    beside.as_file().set_permissions(std::fs::metadata(file)?.permissions())?;
    beside.as_file().sync_all()?;
    Ok(beside)
}

/// A name beside a file that nothing has yet: `twin.toml.bak`, `twin.toml.bak2`, …
fn free_name(file: &Path) -> PathBuf {
    let name = file.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
    let mut kept = file.with_file_name(format!("{name}.bak"));
    let mut number = 2;
    while kept.exists() {
        kept = file.with_file_name(format!("{name}.bak{number}"));
        number += 1;
    }
    kept
}
