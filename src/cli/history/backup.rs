//! `plenum history backup` and `restore`: a copy of the whole file, and back.

use super::{Named, failed, named};
use crate::cli::output::{Failure, print_json, print_text};
use crate::history::{Place, embedded};
use crate::problem::Problem;
use serde_json::json;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::Instant;

/// Copies the file of a history as it is at this moment, while other programs go on with it.
///
/// The copy is one file, packed, with its book and its holds. What stood in its place is replaced once it is whole.
#[derive(clap::Args)]
pub struct BackupArgs {
    /// A project, or a file of a history
    #[arg(value_name = "WHERE")]
    place: OsString,
    /// The copy
    #[arg(value_name = "FILE")]
    to: PathBuf,
    /// Print one JSON document on stdout
    #[arg(long)]
    json: bool,
}

/// Puts a copy in the place of a history that no program has open.
///
/// The copy is verified before. What stood there is kept beside it under another name.
#[derive(clap::Args)]
pub struct RestoreArgs {
    /// The copy
    #[arg(value_name = "FILE")]
    copy: PathBuf,
    /// The project, or the file of a history, that it goes to
    #[arg(value_name = "WHERE")]
    place: OsString,
    /// Print one JSON document on stdout
    #[arg(long)]
    json: bool,
}

pub(super) fn back_up(args: &BackupArgs) -> Result<(), Failure> {
    let began = Instant::now();
    let file = file(named(&args.place)?, "back it up with pg_dump, or `plenum history copy` it into a file")?;
    embedded::back_up(&file, &args.to).map_err(failed)?;
    let bytes = std::fs::metadata(&args.to).map_or(0, |m| m.len());
    if args.json {
        let seconds = began.elapsed().as_secs_f64();
        return print_json(&json!({"file": args.to, "of": file, "bytes": bytes, "seconds": seconds}));
    }
    print_text(&format!("{}: {bytes} bytes\n", args.to.display()))
}

pub(super) fn restore(args: &RestoreArgs) -> Result<(), Failure> {
    let file = file(named(&args.place)?, "restore it with pg_restore, or `plenum history copy` the file into it")?;
    if same(&args.copy, &file) {
        let message = "the copy and the history are one file";
        return Err(Failure::Usage(Problem::error(file.display().to_string(), message, "name two")));
    }
    let before = embedded::restore(&args.copy, &file).map_err(failed)?;
    if args.json {
        return print_json(&json!({"file": file, "from": args.copy, "before": before}));
    }
    let mut text = format!("{} is what {} was\n", file.display(), args.copy.display());
    if let Some(before) = before {
        text.push_str(&format!("what stood there is kept in {}\n", before.display()));
    }
    print_text(&text)
}

fn same(a: &Path, b: &Path) -> bool {
    std::fs::canonicalize(a).ok().is_some_and(|a| std::fs::canonicalize(b).ok() == Some(a))
}

fn file(named: Named, otherwise: &str) -> Result<PathBuf, Failure> {
    match named.place {
        Place::File(file) => Ok(file),
        place @ Place::Server(_) => {
            let message = "this history is no file";
            Err(Failure::Usage(Problem::error(place.shown(), message, otherwise)))
        }
    }
}
