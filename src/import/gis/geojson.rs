//! GeoJSON (RFC 7946, and the older `crs` member) to features with meshes.

use crate::import::{Limits, Progress};
use crate::problem::Problem;
use crate::site::Model;
use std::path::Path;

/// Reads a GeoJSON file within stated limits.
///
/// # Errors
/// When nothing of it can be read.
pub fn read_within(path: &Path, limits: &Limits, progress: &Progress) -> Result<(Model, Vec<Problem>), Problem> {
    let _ = (limits, progress);
    Err(Problem::error(path.display().to_string(), "the GeoJSON reader is not there yet", "give an IFC file"))
}
