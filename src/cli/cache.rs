//! Where what was read before is kept: beside a project, else in the user's cache folder.

use super::output::Failure;
use crate::import::cache::{Bounds, Cache};
use crate::problem::Problem;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

/// `off`, or a folder: goes before every other place, in every verb.
pub const VARIABLE: &str = "PLENUM_CACHE";

/// The cache for single files: what `--cache` (or the variable) says, else in the user's cache folder.
///
/// # Errors
/// What is named is no folder.
pub fn of_files(chosen: Option<&str>, bounds: Bounds) -> Result<Cache, Failure> {
    let folder = match chosen.filter(|c| !c.is_empty()) {
        Some("off") => return Ok(Cache::off()),
        Some(folder) => PathBuf::from(folder),
        None => user_folder().join("scenes"),
    };
    if folder.exists() && !folder.is_dir() {
        return Err(Failure::Usage(Problem::error(
            format!("--cache {}", folder.display()),
            "this is no folder",
            "give a folder, which is made if it is not there, or off",
        )));
    }
    Ok(Cache::new(folder, SystemTime::now()).within(bounds))
}

/// The cache of a project: in its folder; where that cannot be written to, in the user's. None of it for a single
/// model opened as a project (`None`).
///
/// # Errors
/// The variable names something that is no folder.
pub fn of_project(folder: Option<&Path>, bounds: Bounds) -> Result<Cache, Problem> {
    let chosen = std::env::var(VARIABLE).ok().filter(|c| !c.is_empty());
    match folder.filter(|_| chosen.is_none()) {
        Some(folder) => {
            let beside = folder.join(".plenum").join("cache");
            Ok(Cache::new(beside, SystemTime::now()).or(user_folder().join("scenes")).within(bounds))
        }
        None => of_files(chosen.as_deref(), bounds).map_err(|failure| match failure {
            Failure::Failed(problem) | Failure::Usage(problem) => {
                Problem { place: problem.place.replacen("--cache ", &format!("{VARIABLE}="), 1), ..problem }
            }
        }),
    }
}

/// Where this user's programs keep what can be made again.
pub fn user_folder() -> PathBuf {
    let set = |name: &str| std::env::var_os(name).filter(|v| !v.is_empty()).map(PathBuf::from);
    let base = if cfg!(windows) {
        set("LOCALAPPDATA")
    } else if cfg!(target_os = "macos") {
        set("HOME").map(|h| h.join("Library").join("Caches"))
    } else {
        set("XDG_CACHE_HOME").or_else(|| set("HOME").map(|h| h.join(".cache")))
    };
    base.unwrap_or_else(std::env::temp_dir).join("plenum")
}
