//! The command line: one file a verb. Exit status 0 done, 1 failed, 2 wrong use.

/// Says a line on stderr, and goes on where nobody can hear it: std's own panics when stderr is a file on a
/// full disk or a pipe that was closed. It stands before the verbs, so that they all use it.
macro_rules! eprintln {
    ($($words:tt)*) => {{
        use std::io::Write as _;
        let _ = writeln!(std::io::stderr(), $($words)*);
    }};
}

/// As [`eprintln!`], without the end of the line.
macro_rules! eprint {
    ($($words:tt)*) => {{
        use std::io::Write as _;
        let _ = write!(std::io::stderr(), $($words)*);
    }};
}

mod assets;
mod bar;
mod bench;
mod cache;
mod check;
mod demo;
mod diff;
mod emulate;
pub mod field;
mod gateway;
mod graph;
mod headless;
pub mod heap;
mod history;
mod import;
mod interrupt;
pub mod live;
mod make_demo;
mod map;
pub mod open;
pub mod opening;
mod output;
mod place;
mod preview;
mod record;
pub mod reload;
mod report;
mod run;
mod search;
mod shot;
mod solve;
#[cfg(feature = "desktop")]
mod windowed;

use clap::{Parser, Subcommand};
use std::process::ExitCode;

/// A digital twin of a building: its model, its live sensors, what is wrong, where and why.
#[derive(Parser)]
#[command(name = "plenum", version, about, propagate_version = true, arg_required_else_help = true)]
struct Cli {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    Import(import::Args),
    Graph(graph::Args),
    Diff(diff::Args),
    Check(check::Args),
    Assets(assets::Args),
    Demo(demo::Args),
    Run(run::Args),
    Search(search::Args),
    Emulate(emulate::Args),
    Gateway(gateway::Args),
    MakeDemo(make_demo::Args),
    Shot(shot::Args),
    Solve(solve::Args),
    History(history::Args),
    Place(place::Args),
    Map(map::Args),
    Bench(bench::Args),
}

/// Parses the command line and calls one verb.
pub fn main() -> ExitCode {
    leave_geometry_faults_to_their_reports();
    let done = match Cli::parse().verb {
        Verb::Import(args) => import::run(args),
        Verb::Graph(args) => graph::run(args),
        Verb::Diff(args) => diff::run(args),
        Verb::Check(args) => check::run(args),
        Verb::Assets(args) => assets::run(args),
        Verb::Demo(args) => demo::run(args),
        Verb::Run(args) => run::run(args),
        Verb::Search(args) => search::run(args),
        Verb::Emulate(args) => emulate::run(args),
        Verb::Gateway(args) => gateway::run(args),
        Verb::MakeDemo(args) => make_demo::run(args),
        Verb::Shot(args) => shot::run(args),
        Verb::Solve(args) => solve::run(args),
        Verb::History(args) => history::run(args),
        Verb::Place(args) => place::run(args),
        Verb::Map(args) => map::run(args),
        Verb::Bench(args) => bench::run(args),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => failure.report(),
    }
}

/// The libraries for geometry and workbooks give up by panicking, on threads of their own; the import catches that
/// and tells it as a problem of the file. Nothing else shall be printed about it.
fn leave_geometry_faults_to_their_reports() {
    let usual = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |fault| {
        if std::thread::current().name().is_some_and(|name| name.starts_with("ifc-") || name == "table-reader") {
            tracing::debug!("{fault}");
        } else {
            usual(fault);
        }
    }));
}
