//! Where the samples are: the folder that `PLENUM_SAMPLES` names. Without it a test says so and passes.

use std::path::PathBuf;

/// A folder of the samples, if there are any.
pub fn folder(name: &str) -> Option<PathBuf> {
    let found = std::env::var_os("PLENUM_SAMPLES").map(|s| PathBuf::from(s).join(name));
    if found.is_none() {
        eprintln!("skipped: set PLENUM_SAMPLES to the folder of samples");
    }
    found
}

/// Every INP sample by its name, in the order of their names; none without samples.
pub fn networks() -> Vec<(String, PathBuf)> {
    let Some(folder) = folder("networks") else { return Vec::new() };
    let mut found: Vec<(String, PathBuf)> = std::fs::read_dir(&folder)
        .expect("the folder of samples")
        .flatten()
        .map(|entry| entry.path())
        .filter(|path| path.extension().is_some_and(|e| e == "inp"))
        .map(|path| (path.file_stem().unwrap_or_default().to_string_lossy().into_owned(), path))
        .collect();
    found.sort();
    assert!(found.len() >= 10, "only {} samples in {}", found.len(), folder.display());
    found
}
