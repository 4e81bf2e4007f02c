//! `plenum emulate`: Publishes what a building's devices would measure.

use super::output::Failure;
use crate::problem::Problem;

/// Publishes what a building's devices would measure.
#[derive(clap::Args)]
pub struct Args {}

/// Runs the verb.
pub fn run(_args: Args) -> Result<(), Failure> {
    Err(Failure::Usage(Problem::error("plenum emulate", "this part is not built yet", "")))
}
