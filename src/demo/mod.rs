//! The demo site: a four-storey clinic, made from a seed.

/// TEMP
pub fn write(folder: &std::path::Path, seed: u64) -> Result<(), crate::problem::Problem> { let _ = (folder, seed); Ok(()) }
