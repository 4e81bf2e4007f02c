//! `plenum history retain`, `hold`, `release`, `book`: what may go, what may not, and what went.

use super::{Named, chosen, failed, named, now};
use crate::cli::output::{Failure, print_json, print_text};
use crate::history::{Entry, PointInfo, PointKey, Retention};
use crate::problem::Problem;
use serde_json::json;
use std::ffi::OsString;
use std::fmt::Write;

/// Deletes what is older than the project's [retention] keeps, and writes it into the book.
///
/// A twin that runs does so by itself. What is held stays.
#[derive(clap::Args)]
pub struct RetainArgs {
    /// A project
    #[arg(value_name = "PROJECT")]
    place: OsString,
    /// Print one JSON document on stdout
    #[arg(long)]
    json: bool,
}

/// Holds points, so that nothing of them is deleted whatever the retention says (legal hold).
///
/// It works beside a twin that runs, and stands in the book.
#[derive(clap::Args)]
pub struct HoldArgs {
    #[command(flatten)]
    which: Which,
}

// What both take. Its words would stand in the place of theirs.
#[derive(clap::Args)]
struct Which {
    /// A project, a file of a history, or postgres://…
    #[arg(value_name = "WHERE")]
    place: OsString,
    /// Points by id, with * for any run of characters; repeatable
    #[arg(long, value_name = "ID", required = true)]
    point: Vec<String>,
    /// Why: it stands in the book
    #[arg(long, value_name = "TEXT")]
    why: String,
    /// Print one JSON document on stdout
    #[arg(long)]
    json: bool,
}

/// Releases points that were held.
#[derive(clap::Args)]
pub struct ReleaseArgs {
    #[command(flatten)]
    which: Which,
}

/// Prints the book: what was deleted, held and released, when and why, the newest first.
#[derive(clap::Args)]
pub struct BookArgs {
    /// A project, a file of a history, or postgres://…
    #[arg(value_name = "WHERE")]
    place: OsString,
    /// At most so many lines
    #[arg(long, value_name = "N", default_value_t = 100)]
    limit: usize,
    /// Print one JSON document on stdout
    #[arg(long)]
    json: bool,
}

pub(super) fn retain(args: &RetainArgs) -> Result<(), Failure> {
    let Named { place, project } = named(&args.place)?;
    let Some(project) = project else {
        let message = "how long things are kept stands in a project";
        return Err(Failure::Usage(Problem::error(place.shown(), message, "name the project, not its history")));
    };
    // Nothing is made only to delete from it.
    let points = place.read().and_then(|r| r.points()).map_err(failed)?;
    let mut history = place.open().map_err(failed)?.history;
    // Classes are those of today.
    let class =
        |(_, info): (PointKey, PointInfo)| PointInfo { class: project.retention.class_of(&info.id).into(), ..info };
    history.declare(&points.into_iter().map(class).collect::<Vec<_>>()).map_err(failed)?;
    let kept = history.retain(now(), &Retention::from(&project.retention)).map_err(failed)?;
    if args.json {
        return print_json(&kept);
    }
    print_text(&format!(
        "{} samples and {} packs of sums deleted; {} points are held\n",
        kept.samples, kept.rollups, kept.held
    ))
}

pub(super) fn hold(args: &HoldArgs) -> Result<(), Failure> {
    set_hold(&args.which, true)
}

pub(super) fn release(args: &ReleaseArgs) -> Result<(), Failure> {
    set_hold(&args.which, false)
}

fn set_hold(args: &Which, hold: bool) -> Result<(), Failure> {
    if args.why.trim().is_empty() {
        return Err(Failure::Usage(Problem::error("--why", "it says nothing", "say why: it stands in the book")));
    }
    let place = named(&args.place)?.place;
    let points = chosen(place.read().and_then(|r| r.points()).map_err(failed)?, &args.point)?;
    for (key, _) in &points {
        place.hold(*key, hold, now(), args.why.trim()).map_err(failed)?;
    }
    let ids: Vec<&str> = points.iter().map(|(_, p)| p.id.as_str()).collect();
    if args.json {
        return print_json(&json!({"points": ids, "held": hold, "why": args.why.trim()}));
    }
    print_text(&format!("{} {}\n", if hold { "held:" } else { "released:" }, ids.join(", ")))
}

pub(super) fn book(args: &BookArgs) -> Result<(), Failure> {
    let entries = named(&args.place)?.read()?.book(args.limit).map_err(failed)?;
    if args.json {
        return print_json(&json!({"entries": entries}));
    }
    let mut text = String::new();
    for Entry { at, what, point, older_than, samples, why } in &entries {
        let _ = write!(text, "{at}  {what}  {point}");
        if let Some(older) = older_than {
            let _ = write!(text, "  {samples} samples before {older}");
        }
        let _ = writeln!(text, "  {why}");
    }
    if entries.is_empty() {
        text.push_str("nothing was deleted, held or released yet\n");
    }
    print_text(&text)
}
