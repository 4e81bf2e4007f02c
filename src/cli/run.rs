//! `plenum run`: Opens a project and follows its broker.

use super::output::Failure;
use crate::problem::Problem;

/// Opens a project and follows its broker.
#[derive(clap::Args)]
pub struct Args {}

/// Runs the verb.
pub fn run(_args: Args) -> Result<(), Failure> {
    Err(Failure::Usage(Problem::error("plenum run", "this part is not built yet", "")))
}
