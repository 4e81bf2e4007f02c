//! `plenum run`: a project, live, against its own broker.

use super::live::Live;
use super::open::open;
use super::output::{Failure, parse_duration};
use super::{headless, interrupt};
use std::path::PathBuf;
use std::time::Duration;

/// Opens a project and follows its broker, in a window or without one.
///
/// Nothing is emulated: what is shown comes from the broker that the project names. With --headless
/// there is no window; a status line goes to stderr. With --json a report is printed at the end.
#[derive(clap::Args)]
pub struct Args {
    /// A folder with a twin.toml, that file, or a single model.
    project: PathBuf,
    /// Run without a window.
    #[arg(long)]
    headless: bool,
    /// Stop after this long: 60s, 5m, 2h. Without it, run until Ctrl-C.
    #[arg(long = "for", value_name = "T", value_parser = parse_duration)]
    duration: Option<Duration>,
    /// Print one JSON document on stdout at the end.
    #[arg(long)]
    json: bool,
}

/// Runs the verb.
pub fn run(args: Args) -> Result<(), Failure> {
    let started = std::time::Instant::now();
    interrupt::listen();
    let how = headless::How { started, duration: args.duration, json: args.json };
    if !args.headless {
        return window(args.project, how);
    }
    let opened = open(&args.project, interrupt::progress())?;
    let live = Live::start(&opened, None)?;
    headless::run(&args.project, opened, live, how)
}

#[cfg(feature = "desktop")]
fn window(project: PathBuf, how: headless::How) -> Result<(), Failure> {
    super::windowed::run(project, None, how)
}

#[cfg(not(feature = "desktop"))]
fn window(_: PathBuf, _: headless::How) -> Result<(), Failure> {
    Err(super::output::no_window())
}
