//! `plenum history quality`: how good the data of a site were.

use super::{Named, POINTS, bar, failed, named, now, step, time, unknown};
use crate::analytics::data_quality::drift::Drift;
use crate::analytics::data_quality::site::{Asked, Device, Flaw, Row, SiteQuality, of_history, of_points, of_site};
use crate::analytics::data_quality::{Gap, Lateness};
use crate::cli::bar::with_bar;
use crate::cli::interrupt;
use crate::cli::open::{Opened, open};
use crate::cli::output::{Failure, print_json, print_text};
use crate::history::{Reader, Span};
use crate::problem::Problem;
use crate::site::binding::glob;
use crate::time::Time;
use serde::Serialize;
use std::ffi::OsString;
use std::fmt::Write;

/// Gaps, coverage, lateness, flat lines and drift of every point, and when devices were away.
///
///   plenum history quality clinic --from -7d
///   plenum history quality clinic --point 'AHU-1/*' --json
///
/// A point is covered at a moment when its last usable sample is no older than the silence after which the project
/// calls it stale; of a bare history that is three times its usual spacing. Drift is measured against the points of the
/// same role and unit, of which there must be three, and against what the twin simulated for it (`ID@simulated`), over a
/// day at least. docs/operations.md tells what to do about it.
#[derive(clap::Args)]
#[command(verbatim_doc_comment)]
pub struct Args {
    /// A project, a file of a history, or postgres://…
    #[arg(value_name = "WHERE")]
    place: OsString,
    /// These points only; * stands for any characters. May be given again
    #[arg(long, value_name = "ID")]
    point: Vec<String>,
    /// From this moment on: RFC 3339, a date, or before now
    #[arg(long, value_name = "T", value_parser = time::parse, allow_hyphen_values = true, default_value = "-24h")]
    from: Time,
    /// Before this moment [default: now]
    #[arg(long, value_name = "T", value_parser = time::parse, allow_hyphen_values = true)]
    to: Option<Time>,
    /// At most so many lines for people
    #[arg(long, value_name = "N", default_value_t = 40)]
    limit: usize,
    /// Print one JSON document on stdout
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct Document<'a> {
    from: Time,
    to: Time,
    coverage: Option<f64>,
    points: Vec<Line<'a>>,
    devices: &'a [Device],
    problems: Vec<Problem>,
}

#[derive(Serialize)]
struct Line<'a> {
    point: &'a str,
    flaws: &'a [Flaw],
    samples: u64,
    good: u64,
    uncertain: u64,
    bad: u64,
    backfilled: u64,
    coverage: f64,
    gaps: &'a [Gap],
    longest_gap_s: f64,
    lateness: Option<Lateness>,
    flat: &'a [Gap],
    last: Option<Time>,
    drift: Option<Drift>,
    twin: Option<Drift>,
}

pub(super) fn run(args: &Args) -> Result<(), Failure> {
    let span = Span { from: args.from, to: args.to.unwrap_or_else(now) };
    if span.to <= span.from {
        let message = format!("--to {} is not after --from {}", span.to, span.from);
        return Err(Failure::Usage(Problem::error("plenum history quality", message, "turn them round")));
    }
    let place = named(&args.place)?;
    let reader = place.read()?;
    let (asked, problems) = asked(&place, reader.as_ref(), &args.point)?;
    let bar = bar("Looking", POINTS);
    let found = of_site(reader.as_ref(), &asked, span, |done| step(&bar, done as u64, asked.len() as u64));
    bar.finish_and_clear();
    let Some(report) = found.map_err(failed)? else {
        return Err(Failure::Failed(interrupt::stopped(place.place.shown())));
    };
    if !args.json {
        return print_text(&describe(&report, args.limit));
    }
    print_json(&Document {
        from: report.span.from,
        to: report.span.to,
        coverage: report.coverage(),
        points: report.points.iter().map(line).collect(),
        devices: &report.devices,
        problems,
    })
}

/// The points to look at: of a project what it measures, of a bare history all that it knows.
fn asked(place: &Named, reader: &dyn Reader, patterns: &[String]) -> Result<(Vec<Asked>, Vec<Problem>), Failure> {
    let known = reader.points().map_err(failed)?;
    let (all, problems) = match &place.project {
        None => (of_history(&known), Vec::new()),
        Some(project) => {
            let progress = interrupt::progress();
            let opened = with_bar(&project.file, progress, || open(&project.file, progress));
            let Opened { site, problems, .. } = opened.map_err(Failure::Failed)?;
            (of_points(&site.points, &known, project.clock_topic.is_none()), problems)
        }
    };
    if patterns.is_empty() {
        return Ok((all, problems));
    }
    let ids = all.iter().map(|a| a.id.as_str());
    for pattern in patterns {
        if !ids.clone().any(|id| id == pattern || glob(pattern, id)) {
            return Err(Failure::Failed(unknown(pattern, ids)));
        }
    }
    let fits = |a: &Asked| patterns.iter().any(|p| a.id == *p || glob(p, &a.id));
    Ok((all.into_iter().filter(fits).collect(), problems))
}

fn line(row: &Row) -> Line<'_> {
    let q = &row.quality;
    Line {
        point: &row.id,
        flaws: &row.flaws,
        samples: q.samples,
        good: q.good,
        uncertain: q.uncertain,
        bad: q.bad,
        backfilled: q.backfilled,
        coverage: q.coverage,
        gaps: &q.gaps,
        longest_gap_s: q.longest_gap_s(),
        lateness: q.lateness,
        flat: &q.flat,
        last: q.last.map(|s| s.time),
        drift: row.drift,
        twin: row.twin,
    }
}

fn describe(report: &SiteQuality, limit: usize) -> String {
    let mut text = format!("{} to {}: ", report.span.from, report.span.to);
    let flawed = report.points.iter().filter(|r| !r.flaws.is_empty()).count();
    let _ = match report.coverage() {
        None => writeln!(text, "no point is measured"),
        Some(c) => writeln!(text, "{:.2} % covered, {flawed} of {} points with flaws", 100.0 * c, report.points.len()),
    };
    if flawed > 0 {
        let _ = writeln!(
            text,
            "\n{:<42} {:>9} {:>9} {:>6} {:>9} {:>8}  flaws",
            "point", "samples", "covered", "gaps", "longest", "late"
        );
    }
    for row in report.points.iter().filter(|r| !r.flaws.is_empty()).take(limit) {
        let q = &row.quality;
        let flaws: Vec<&str> = row.flaws.iter().map(|f| f.words()).collect();
        let late = q.lateness.map_or_else(|| "-".to_owned(), |l| length(l.median_s));
        let _ = writeln!(
            text,
            "{:<42} {:>9} {:>7.2} % {:>6} {:>9} {:>8}  {}",
            row.id,
            q.samples,
            100.0 * q.coverage,
            q.gaps.len(),
            length(q.longest_gap_s()),
            late,
            flaws.join(", ")
        );
    }
    if flawed > limit {
        let _ = writeln!(text, "and {} more (--limit, or --json for all)", flawed - limit);
    }
    for device in report.devices.iter().filter(|d| !d.offline.is_empty()).take(limit) {
        let longest = device.offline.iter().max_by(|a, b| a.seconds().total_cmp(&b.seconds()));
        let since =
            longest.map_or_else(String::new, |g| format!(", the longest {} from {}", length(g.seconds()), g.from));
        let times = device.offline.len();
        let _ = writeln!(
            text,
            "{} was away {times} x, {:.2} % of the time{since}",
            device.id,
            100.0 * (1.0 - device.online)
        );
    }
    text
}

/// Seconds as people read them.
fn length(seconds: f64) -> String {
    match seconds.abs() {
        s if s < 120.0 => format!("{seconds:.1} s"),
        s if s < 7200.0 => format!("{:.0} min", seconds / 60.0),
        s if s < 172_800.0 => format!("{:.1} h", seconds / 3600.0),
        _ => format!("{:.1} d", seconds / 86_400.0),
    }
}
