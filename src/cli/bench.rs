//! `plenum bench`: Measures.

use super::output::Failure;
use crate::problem::Problem;

/// Measures.
#[derive(clap::Args)]
pub struct Args {}

/// Runs the verb.
pub fn run(_args: Args) -> Result<(), Failure> {
    Err(Failure::Usage(Problem::error("plenum bench", "this part is not built yet", "")))
}
