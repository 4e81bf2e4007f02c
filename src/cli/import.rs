//! `plenum import`: Reads building models and map layers and says what is in them.

use super::output::Failure;
use crate::problem::Problem;

/// Reads building models and map layers and says what is in them.
#[derive(clap::Args)]
pub struct Args {}

/// Runs the verb.
pub fn run(_args: Args) -> Result<(), Failure> {
    Err(Failure::Usage(Problem::error("plenum import", "this part is not built yet", "")))
}
