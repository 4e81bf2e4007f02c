//! `plenum history export`: samples, or their sums, into a file that other programs read.

use super::{POINTS, bar, beside, chosen, failed, named, step, time, unwritten};
use crate::cli::output::{Failure, parse_duration, print_json, print_text};
use crate::history::Span;
use crate::history::export::{Csv, ExportError, Exported, Sink, export};
use crate::problem::Problem;
use crate::time::Time;
use serde::Serialize;
use std::ffi::OsString;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// Writes samples into a CSV or Parquet file, one row a sample, or one a stretch of time.
///
///   plenum history export clinic --format csv --out day.csv --from -24h
///   plenum history export clinic --format csv --out energy.csv --point '*/energy' --every 1h
///
/// Values are SI; the unit's UCUM code stands beside them. `plenum history append` reads such CSV again.
#[derive(clap::Args)]
#[command(verbatim_doc_comment)]
pub struct Args {
    /// A project, a file of a history, or postgres://…
    #[arg(value_name = "WHERE")]
    place: OsString,
    /// csv or parquet
    #[arg(long, value_enum, default_value = "csv")]
    format: Format,
    /// The file; CSV goes to standard output without one
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Points by id, with * for any run of characters; repeatable [default: all]
    #[arg(long, value_name = "ID")]
    point: Vec<String>,
    /// From this moment on: RFC 3339, a date, or before now: -24h
    #[arg(long, value_name = "T", value_parser = time::parse, allow_hyphen_values = true)]
    from: Option<Time>,
    /// Before this moment
    #[arg(long, value_name = "T", value_parser = time::parse, allow_hyphen_values = true)]
    to: Option<Time>,
    /// Sums of stretches of this length instead of samples: 15m, 1h
    #[arg(long, value_name = "D", value_parser = parse_duration)]
    every: Option<Duration>,
    /// Print one JSON document on stdout; needs --out
    #[arg(long, requires = "out")]
    json: bool,
}

#[derive(Clone, Copy, PartialEq, clap::ValueEnum)]
enum Format {
    /// Text that every program reads.
    Csv,
    /// Columns, for pandas, DuckDB and the like.
    Parquet,
}

#[derive(Serialize)]
struct Document {
    file: String,
    bytes: u64,
    seconds: f64,
    #[serde(flatten)]
    exported: Exported,
}

pub(super) fn run(args: &Args) -> Result<(), Failure> {
    let began = Instant::now();
    if args.format == Format::Parquet {
        can_parquet()?;
        if args.out.is_none() {
            let message = "Parquet goes into a file";
            return Err(Failure::Usage(Problem::error("plenum history export", message, "name it with --out")));
        }
    }
    let place = named(&args.place)?;
    let reader = place.read()?;
    let points = chosen(reader.points().map_err(failed)?, &args.point)?;
    let span = Span { from: args.from.unwrap_or(Span::ALL.from), to: args.to.unwrap_or(Span::ALL.to) };
    let every_ms = args.every.map(|e| i64::try_from(e.as_millis()).unwrap_or(i64::MAX));
    let bar = bar(&place.place.shown(), POINTS);
    let out = args.out.as_deref().unwrap_or(Path::new("standard output"));
    let write = |mut sink: Box<dyn Sink>| {
        let done = export(reader.as_ref(), &points, span, every_ms, sink.as_mut(), |n, of| step(&bar, n, of));
        let done = done.and_then(|done| sink.finish().map(|()| done).map_err(ExportError::Write));
        bar.finish_and_clear();
        match done {
            Ok(done) if done.stopped => Err(Failure::Failed(crate::cli::interrupt::stopped(out.display().to_string()))),
            Ok(done) => Ok(done),
            Err(ExportError::Read(e)) => Err(failed(e)),
            Err(ExportError::Write(e)) => Err(Failure::Failed(unwritten(out, &e))),
        }
    };
    let Some(file) = &args.out else {
        return write(Box::new(Csv::new(std::io::stdout().lock()))).map(drop);
    };
    let temporary = beside(file)?;
    let to = temporary.as_file().try_clone().map_err(|e| unwritten(file, &e))?;
    let exported = match args.format {
        Format::Csv => write(Box::new(Csv::new(to)))?,
        Format::Parquet => write(parquet(to)?)?,
    };
    let bytes = temporary.as_file().metadata().map_or(0, |m| m.len());
    temporary.as_file().flush().and_then(|()| temporary.as_file().sync_all()).map_err(|e| unwritten(file, &e))?;
    temporary.persist(file).map_err(|e| unwritten(file, &e.error))?;
    if args.json {
        let seconds = began.elapsed().as_secs_f64();
        return print_json(&Document { file: file.display().to_string(), bytes, seconds, exported });
    }
    print_text(&format!("{}: {} rows of {} points\n", file.display(), exported.rows, exported.points))
}

#[cfg(feature = "parquet")]
fn can_parquet() -> Result<(), Failure> {
    Ok(())
}

#[cfg(feature = "parquet")]
fn parquet(to: std::fs::File) -> Result<Box<dyn Sink>, Failure> {
    Ok(Box::new(crate::history::export::Parquet::new(to)))
}

#[cfg(not(feature = "parquet"))]
fn can_parquet() -> Result<(), Failure> {
    let message = "this program was built without Parquet (feature `parquet`)";
    let remedy = "write --format csv, or build it with `cargo build --release --features parquet`";
    Err(Failure::Usage(Problem::error("plenum history export", message, remedy)))
}

#[cfg(not(feature = "parquet"))]
fn parquet(_: std::fs::File) -> Result<Box<dyn Sink>, Failure> {
    can_parquet().map(|()| Box::new(Csv::new(std::io::sink())) as Box<dyn Sink>)
}
