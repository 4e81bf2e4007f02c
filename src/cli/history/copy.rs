//! `plenum history copy`: a whole history into another.

use super::{POINTS, bar, failed, named, step};
use crate::cli::output::{Failure, print_json, print_text};
use crate::history::copy::{Copied, copy};
use crate::problem::Problem;
use serde::Serialize;
use std::ffi::OsString;
use std::time::Instant;

/// Copies a history into another one: from a file into PostgreSQL, back, or between two of a kind.
///
///   plenum history copy clinic/.plenum/history.db postgres://plenum@db.example/site
///
/// What is there already stays and is not written again, so that a copy that was cut short goes on where it was, and
/// two histories can be made one. Sums whose samples are gone and legal holds come along; the book does not.
#[derive(clap::Args)]
#[command(verbatim_doc_comment)]
pub struct Args {
    /// A project, a file of a history, or postgres://…
    #[arg(value_name = "FROM")]
    from: OsString,
    /// The same; made where there is none
    #[arg(value_name = "TO")]
    to: OsString,
    /// Print one JSON document on stdout
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct Document {
    from: String,
    to: String,
    #[serde(flatten)]
    copied: Copied,
    seconds: f64,
}

pub(super) fn run(args: &Args) -> Result<(), Failure> {
    let began = Instant::now();
    let (from, to) = (named(&args.from)?.place, named(&args.to)?.place);
    if from.shown() == to.shown() {
        let message = "from and to are the same history";
        return Err(Failure::Usage(Problem::error(from.shown(), message, "name two")));
    }
    let source = from.read().map_err(failed)?;
    let mut opened = to.open().map_err(failed)?;
    for problem in &opened.problems {
        eprintln!("{problem}");
    }
    let bar = bar(&from.shown(), POINTS);
    let done = copy(source.as_ref(), opened.history.as_mut(), |n, of| step(&bar, n, of));
    bar.finish_and_clear();
    let copied = done.map_err(failed)?;
    if copied.stopped {
        let message = format!("stopped after {} samples of {} points", copied.samples, copied.points);
        return Err(Failure::Failed(Problem::error(to.shown(), message, "the same command again goes on from there")));
    }
    if args.json {
        let seconds = began.elapsed().as_secs_f64();
        return print_json(&Document { from: from.shown(), to: to.shown(), copied, seconds });
    }
    let Copied { points, samples, there, sums, .. } = copied;
    print_text(&format!("{samples} samples of {points} points, {sums} sums without samples; {there} were there\n"))
}
