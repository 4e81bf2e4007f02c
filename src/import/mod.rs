//! Files to models. Every reader returns what it could read *and* a list of problems.

pub mod gis;
pub mod ifc;
pub mod progress;

pub use progress::Progress;

use crate::problem::Problem;
use crate::site::Model;
use std::path::Path;

/// Reads a file by what it is (its extension, then its first bytes).
///
/// # Errors
/// A [`Problem`] when nothing of the file can be read: missing, empty, not a format that Plenum reads.
pub fn read(path: &Path, progress: &Progress) -> Result<(Model, Vec<Problem>), Problem> {
    let _ = progress;
    Err(Problem::error(path.display().to_string(), "there is no reader for this file", "give an IFC or GeoJSON file"))
}
