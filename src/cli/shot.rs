//! `plenum shot`: Draws a picture with no window.

use super::output::Failure;
use crate::problem::Problem;

/// Draws a picture with no window.
#[derive(clap::Args)]
pub struct Args {}

/// Runs the verb.
pub fn run(_args: Args) -> Result<(), Failure> {
    Err(Failure::Usage(Problem::error("plenum shot", "this part is not built yet", "")))
}
