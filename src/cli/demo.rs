//! `plenum demo`: Opens the demo clinic with an embedded broker and emulated devices.

use super::output::Failure;
use crate::problem::Problem;

/// Opens the demo clinic with an embedded broker and emulated devices.
#[derive(clap::Args)]
pub struct Args {}

/// Runs the verb.
pub fn run(_args: Args) -> Result<(), Failure> {
    Err(Failure::Usage(Problem::error("plenum demo", "this part is not built yet", "")))
}
