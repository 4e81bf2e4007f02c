//! `plenum history query`: one point's samples, or what they come to.

use super::{Named, failed, named, time, unknown};
use crate::cli::output::{Failure, parse_duration, print_json, print_text};
use crate::history::export::{si_unit, word};
use crate::history::query::{With, every};
use crate::history::{Bucket, PointInfo, Span, Stored};
use crate::problem::Problem;
use crate::site::unit::Unit;
use crate::time::Time;
use serde::Serialize;
use std::ffi::OsString;
use std::fmt::Write;
use std::time::Duration;

/// Prints the samples of a point, or one number for each stretch of time.
///
///   plenum history query clinic --point AHU-1/supply_temperature --from -24h
///   plenum history query clinic --point CH-1/power --from 2026-05-01 --to 2026-06-01 --every 1h --with max
///
/// Stretches begin at whole multiples of themselves in UTC. Numbers are SI in JSON, and in the point's own unit for
/// people.
#[derive(clap::Args)]
#[command(verbatim_doc_comment)]
pub struct Args {
    /// A project, a file of a history, or postgres://…
    #[arg(value_name = "WHERE")]
    place: OsString,
    /// The point's id: AHU-1/supply_temperature
    #[arg(long, value_name = "ID")]
    point: String,
    /// From this moment on: RFC 3339, a date, or before now: -24h [default: the first]
    #[arg(long, value_name = "T", value_parser = time::parse, allow_hyphen_values = true)]
    from: Option<Time>,
    /// Before this moment [default: the last]
    #[arg(long, value_name = "T", value_parser = time::parse, allow_hyphen_values = true)]
    to: Option<Time>,
    /// One number for each stretch of this length: 15m, 1h, 1d
    #[arg(long, value_name = "D", value_parser = parse_duration)]
    every: Option<Duration>,
    /// Which number: mean, min, max, last, sum or count [default: mean]
    #[arg(long, value_name = "WHAT", value_parser = parse_with, requires = "every")]
    with: Option<With>,
    /// The newest so many only
    #[arg(long, value_name = "N")]
    limit: Option<usize>,
    /// Print one JSON document on stdout
    #[arg(long)]
    json: bool,
}

fn parse_with(text: &str) -> Result<With, String> {
    let words: Vec<&str> = With::ALL.iter().map(|w| w.word()).collect();
    With::parse(text).ok_or_else(|| format!("`{text}` is none of {}", words.join(", ")))
}

#[derive(Serialize)]
struct Document<'a> {
    point: &'a str,
    /// UCUM code of the values.
    unit: &'a str,
    from: Option<Time>,
    to: Option<Time>,
    every_s: Option<f64>,
    with: Option<&'static str>,
    /// How many there are, printed or not.
    count: usize,
    samples: Vec<Row>,
    problems: Vec<Problem>,
}

#[derive(Serialize)]
#[serde(untagged)]
enum Row {
    Sample {
        t: Time,
        v: f64,
        q: crate::quality::Quality,
        code: u32,
        arrival: Time,
    },
    Stretch {
        t: Time,
        /// Null where no sample is to be trusted.
        v: Option<f64>,
        n: u64,
        bad: u64,
    },
}

pub(super) fn run(args: &Args) -> Result<(), Failure> {
    let span = Span { from: args.from.unwrap_or(Span::ALL.from), to: args.to.unwrap_or(Span::ALL.to) };
    if span.to < span.from {
        let message = format!("--to {} is before --from {}", span.to, span.from);
        return Err(Failure::Usage(Problem::error("plenum history query", message, "turn them round")));
    }
    let place: Named = named(&args.place)?;
    let reader = place.read()?;
    let points = reader.points().map_err(failed)?;
    let Some((key, info)) = points.iter().find(|(_, p)| p.id == args.point) else {
        return Err(Failure::Failed(unknown(&args.point, points.iter().map(|(_, p)| p.id.as_str()))));
    };
    let with = args.with.unwrap_or_default();
    let mut rows: Vec<Row> = match args.every {
        Some(length) => {
            let every_ms = i64::try_from(length.as_millis()).unwrap_or(i64::MAX);
            let buckets = every(reader.as_ref(), *key, span, every_ms).map_err(failed)?;
            buckets.iter().map(|b| stretch(b, with)).collect()
        }
        None => reader.samples(*key, span).map_err(failed)?.into_iter().map(sample).collect(),
    };
    let count = rows.len();
    if let Some(most) = args.limit {
        rows.drain(..count.saturating_sub(most));
    }
    if !args.json {
        return print_text(&describe(info, &rows, with, count));
    }
    print_json(&Document {
        point: &info.id,
        unit: if with == With::Count && args.every.is_some() { "1" } else { si_unit(&info.unit) },
        from: args.from,
        to: args.to,
        every_s: args.every.map(|e| e.as_secs_f64()),
        with: args.every.map(|_| with.word()),
        count,
        samples: rows,
        problems: Vec::new(),
    })
}

fn sample(s: Stored) -> Row {
    Row::Sample { t: s.time, v: s.value, q: s.quality, code: s.code, arrival: s.arrival }
}

fn stretch(bucket: &Bucket, with: With) -> Row {
    let v = with.of(bucket);
    Row::Stretch { t: bucket.start, v: (!v.is_nan()).then_some(v), n: bucket.n, bad: bucket.bad }
}

fn describe(info: &PointInfo, rows: &[Row], with: With, count: usize) -> String {
    let unit = Unit::parse(&info.unit).filter(|_| with != With::Count);
    let shown = |v: f64| match unit {
        // A sum has the offset of each of its samples in it: it is left in SI.
        Some(unit) if with != With::Sum => format!("{} {}", unit.from_si(v), unit.symbol),
        _ => v.to_string(),
    };
    let mut text = String::new();
    for row in rows {
        let _ = match row {
            Row::Sample { t, v, q, .. } => writeln!(text, "{t}  {}  {}", shown(*v).trim_end(), word(*q)),
            Row::Stretch { t, v: Some(v), n, bad } => {
                writeln!(text, "{t}  {}  ({n} good, {bad} bad)", shown(*v).trim_end())
            }
            Row::Stretch { t, v: None, bad, .. } => writeln!(text, "{t}  –  (0 good, {bad} bad)"),
        };
    }
    match count {
        0 => text.push_str("no sample of it is in that time\n"),
        n if n > rows.len() => {
            let _ = writeln!(text, "the newest {} of {n}", rows.len());
        }
        _ => {}
    }
    text
}
