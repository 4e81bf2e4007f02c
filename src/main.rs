//! The `plenum` program: parse the command line, call one verb.

use std::process::ExitCode;

fn main() -> ExitCode {
    plenum::cli::main()
}
