//! `plenum make-demo`: Writes the demo clinic's files.

use super::output::Failure;
use crate::problem::Problem;

/// Writes the demo clinic's files.
#[derive(clap::Args)]
pub struct Args {}

/// Runs the verb.
pub fn run(_args: Args) -> Result<(), Failure> {
    Err(Failure::Usage(Problem::error("plenum make-demo", "this part is not built yet", "")))
}
