//! Copies of the whole file: out of one that runs, and back into its place.

use super::{check, open, read, reason_of, schema};
use crate::history::{HistoryError, Reason};
use rusqlite::Connection;
use std::fs::File;
use std::path::{Path, PathBuf};

/// Copies a history, as it is at this moment, into another file, beside the program that has it open; what stood
/// there is replaced once the copy is whole.
///
/// # Errors
/// A history that cannot be read, a file that cannot be written.
pub fn back_up(file: &Path, to: &Path) -> Result<(), HistoryError> {
    copy_out(&read::connect(file)?, file, to)
}

/// Puts a copy in the place of a history that nobody has open, and gives the name under which what stood there is
/// kept; none where nothing did. The copy is verified before.
///
/// # Errors
/// A copy that is damaged, a history that another program has, a folder that cannot be written.
pub fn restore(copy: &Path, to: &Path) -> Result<Option<PathBuf>, HistoryError> {
    let found = check::verify(copy, |_| true)?;
    if let Some(damage) = found.first_damage {
        let message = format!("this copy is damaged itself: {damage}");
        return Err(HistoryError::new(Reason::Damaged, copy.display().to_string(), message));
    }
    let at = |e: std::io::Error| HistoryError::new(reason_of(&e), to.display().to_string(), e.to_string());
    if let Some(folder) = to.parent().filter(|f| !f.as_os_str().is_empty()) {
        std::fs::create_dir_all(folder).map_err(at)?;
    }
    let _lock = open::lock(to)?;
    let part = read::beside(to, ".restoring");
    copy_out(&read::connect(copy)?, copy, &part)?;
    let mut kept = None;
    if to.exists() {
        let name = (1u32..).map(|n| read::beside(to, &format!(".before-{n}"))).find(|p| !p.exists());
        // Its log belongs to it, and to nothing else.
        if let Some(aside) = &name {
            for end in ["", "-wal", "-shm"] {
                let from = read::beside(to, end);
                if from.exists() {
                    std::fs::rename(from, read::beside(aside, end)).map_err(at)?;
                }
            }
        }
        kept = name;
    }
    std::fs::rename(&part, to).map_err(at)?;
    Ok(kept)
}

pub(super) fn copy_out(db: &Connection, file: &Path, to: &Path) -> Result<(), HistoryError> {
    let at = |e: std::io::Error| HistoryError::new(reason_of(&e), to.display().to_string(), e.to_string());
    if std::path::absolute(to).ok() == std::path::absolute(file).ok() {
        let message = "a copy of a history needs a place of its own";
        return Err(HistoryError::new(Reason::Wrong, to.display().to_string(), message));
    }
    let name = to.file_name().unwrap_or_default().to_string_lossy();
    let beside = to.with_file_name(format!(".{name}.part"));
    match std::fs::remove_file(&beside) {
        Err(e) if e.kind() != std::io::ErrorKind::NotFound => return Err(at(e)),
        _ => {}
    }
    let text = beside.to_string_lossy().into_owned();
    let done = db.execute("VACUUM INTO ?1", [&text]).map_err(|e| schema::error(to, &e));
    let done = done.and_then(|_| {
        File::open(&beside).and_then(|f| f.sync_all()).and_then(|()| std::fs::rename(&beside, to)).map_err(at)
    });
    if done.is_err() {
        // What is left of a copy that is not whole is of no use.
        let _ = std::fs::remove_file(&beside);
    }
    done
}
