//! `plenum history info`: what a history is, and which points it has.

use super::{failed, named};
use crate::cli::output::{Failure, print_json, print_text};
use crate::history::export::word;
use crate::history::{Place, Stored, embedded};
use crate::site::unit::Unit;
use crate::time::Time;
use serde::Serialize;
use std::ffi::OsString;
use std::fmt::Write;

/// Says where a history is, how large, who has it open, and what its newest sample is; with --points, of each point.
#[derive(clap::Args)]
pub struct Args {
    /// A project, a file of a history, or postgres://…
    #[arg(value_name = "WHERE")]
    place: OsString,
    /// List the points, each with its newest sample
    #[arg(long)]
    points: bool,
    /// Print one JSON document on stdout
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct Document {
    place: String,
    /// `file` or `postgres`.
    kind: &'static str,
    /// Of the file and its log; null for a server.
    bytes: Option<u64>,
    /// Who writes it just now; null for nobody, and for a server.
    open_by: Option<String>,
    points: usize,
    held: usize,
    /// The newest device time of all.
    newest: Option<Time>,
    #[serde(skip_serializing_if = "Option::is_none")]
    list: Option<Vec<PointDocument>>,
}

#[derive(Serialize)]
struct PointDocument {
    id: String,
    /// UCUM code of what it is read in.
    unit: String,
    class: String,
    held: Option<String>,
    /// Of before this the samples are gone, and sums may be left.
    gone_before: Option<Time>,
    newest: Option<Newest>,
}

#[derive(Serialize)]
struct Newest {
    t: Time,
    /// SI.
    v: f64,
    q: crate::quality::Quality,
}

pub(super) fn run(args: &Args) -> Result<(), Failure> {
    let place = named(&args.place)?.place;
    let reader = place.read().map_err(failed)?;
    let points = reader.points().map_err(failed)?;
    let keys: Vec<_> = points.iter().map(|(key, _)| *key).collect();
    let latest = reader.latest(&keys).map_err(failed)?;
    let mut list = Vec::with_capacity(points.len());
    for ((key, info), newest) in points.into_iter().zip(&latest) {
        let past = reader.past(key).map_err(failed)?;
        let newest = newest.map(|Stored { time, value, quality, .. }| Newest { t: time, v: value, q: quality });
        let (held, gone_before) = (past.held, past.gone_before);
        list.push(PointDocument { id: info.id, unit: info.unit, class: info.class, held, gone_before, newest });
    }
    let (kind, bytes, open_by) = match &place {
        Place::File(file) => ("file", Some(embedded::size(file)), embedded::holder(file)),
        Place::Server(_) => ("postgres", None, None),
    };
    let document = Document {
        place: place.shown(),
        kind,
        bytes,
        open_by,
        points: list.len(),
        held: list.iter().filter(|p| p.held.is_some()).count(),
        newest: latest.iter().flatten().map(|s| s.time).max(),
        list: args.points.then_some(list),
    };
    if args.json { print_json(&document) } else { print_text(&describe(&document)) }
}

fn describe(document: &Document) -> String {
    let mut text = format!("{} ({})\n", document.place, document.kind);
    if let Some(bytes) = document.bytes {
        let _ = writeln!(text, "{:.1} MB", bytes as f64 / 1e6);
    }
    if let Some(who) = &document.open_by {
        let _ = writeln!(text, "open by {who}");
    }
    let _ = writeln!(text, "{} points, {} held", document.points, document.held);
    if let Some(newest) = document.newest {
        let _ = writeln!(text, "newest sample {newest}");
    }
    for p in document.list.iter().flatten() {
        let shown = |n: &Newest| match Unit::parse(&p.unit) {
            Some(unit) => unit.format(n.v),
            None => n.v.to_string(),
        };
        let newest = p.newest.as_ref().map_or("–".to_owned(), |n| format!("{}  {}  {}", n.t, shown(n), word(n.q)));
        let held = p.held.as_ref().map_or(String::new(), |why| format!("  held: {why}"));
        let _ = writeln!(text, "{}  {newest}{held}", p.id);
    }
    text
}
