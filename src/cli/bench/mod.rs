//! `plenum bench`: measures this program on this machine, with the peer beside it where there is one.

mod federation;
#[cfg(feature = "desktop")]
mod frame;
mod import;
mod ingest;
mod picking;
mod search;
mod start;
mod synthetic;
mod tick;

use super::output::{Failure, print_json};
use crate::problem::Problem;
use serde::Serialize;
use std::path::PathBuf;

/// Measures one part of Plenum on this machine.
///
/// Each row has a figure of ours, the peer's where one can be run here, and the goal.
#[derive(clap::Args)]
pub struct Args {
    /// What to measure.
    name: Name,
    /// Print one JSON document on stdout.
    #[arg(long)]
    json: bool,
    /// Measure one part in this process and print it alone.
    #[cfg(feature = "desktop")]
    #[arg(long, hide = true)]
    part: Option<frame::Part>,
    /// Measure one part of the federation in this process and print it alone.
    #[arg(long, hide = true, requires = "of")]
    federation_part: Option<federation::Part>,
    /// The project that the part is measured on.
    #[arg(long, hide = true)]
    of: Option<PathBuf>,
}

#[derive(clap::ValueEnum, Clone, Copy, Debug, Serialize)]
#[serde(rename_all = "lowercase")]
enum Name {
    /// A campus of 100,000 elements: opened, opened again, searched, orbited.
    Federation,
    /// Reading building models.
    Import,
    /// Flow networks.
    Solve,
    /// Messages from a broker into components.
    Ingest,
    /// Samples at rest.
    History,
    /// The CPU's part of a tick and of a frame.
    Frame,
    /// Rays against the picking tree.
    Picking,
    /// Searches over the elements.
    Search,
}

/// One figure.
#[derive(Clone, Debug, Serialize)]
pub struct Row {
    /// What was measured, on what: `clinic, 440 points`.
    pub case: String,
    /// The unit: `cpu_ms`, `per_s`, `bytes`, `ms`, `us`.
    pub metric: &'static str,
    /// Our figure; none where it cannot be had here.
    pub ours: Option<f64>,
    /// What it is held against; empty when nothing is.
    pub peer: String,
    /// The peer's figure, when it could be run here.
    pub theirs: Option<f64>,
    /// Ours over theirs.
    pub ratio: Option<f64>,
    /// The goal for the ratio where there is a peer, else for our figure.
    pub goal: Option<f64>,
    /// Whether the goal is met; none without one.
    pub met: Option<bool>,
    /// Why a figure is missing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
}

impl Row {
    /// A figure of ours that should be at most `goal`.
    pub fn at_most(case: impl Into<String>, metric: &'static str, ours: f64, goal: f64) -> Self {
        Self::alone(case, metric, ours, Some(goal), Some(ours <= goal))
    }

    /// A figure of ours that should be at least `goal`.
    pub fn at_least(case: impl Into<String>, metric: &'static str, ours: f64, goal: f64) -> Self {
        Self::alone(case, metric, ours, Some(goal), Some(ours >= goal))
    }

    /// A figure without a goal.
    pub fn only(case: impl Into<String>, metric: &'static str, ours: f64) -> Self {
        Self::alone(case, metric, ours, None, None)
    }

    /// A figure beside a peer's, whose ratio should be at most `goal`.
    pub fn against(
        case: impl Into<String>,
        metric: &'static str,
        ours: f64,
        peer: impl Into<String>,
        theirs: f64,
        goal: f64,
    ) -> Self {
        let row = Self::beside(case, metric, ours, peer, theirs);
        Self { goal: Some(goal), met: row.ratio.map(|r| r <= goal), ..row }
    }

    /// A figure beside a peer's, without a goal.
    pub fn beside(
        case: impl Into<String>,
        metric: &'static str,
        ours: f64,
        peer: impl Into<String>,
        theirs: f64,
    ) -> Self {
        let row = Self::only(case, metric, ours);
        Self { peer: peer.into(), theirs: Some(theirs), ratio: Some(ours / theirs), ..row }
    }

    /// A figure whose peer cannot be run here, and why.
    pub fn without(
        case: impl Into<String>,
        metric: &'static str,
        ours: f64,
        peer: impl Into<String>,
        why: impl Into<String>,
    ) -> Self {
        Self { peer: peer.into(), why: Some(why.into()), ..Self::only(case, metric, ours) }
    }

    fn alone(case: impl Into<String>, metric: &'static str, ours: f64, goal: Option<f64>, met: Option<bool>) -> Self {
        Self {
            case: case.into(),
            metric,
            ours: Some(ours),
            peer: String::new(),
            theirs: None,
            ratio: None,
            goal,
            met,
            why: None,
        }
    }

    /// A figure that cannot be had here.
    #[cfg(feature = "desktop")]
    fn missing(case: impl Into<String>, metric: &'static str, goal: f64, why: impl Into<String>) -> Self {
        Self { ours: None, why: Some(why.into()), ..Self::alone(case, metric, f64::NAN, Some(goal), None) }
    }
}

#[derive(Serialize)]
struct Document {
    name: Name,
    cpu: String,
    rows: Vec<Row>,
}

/// Runs the verb.
pub fn run(args: Args) -> Result<(), Failure> {
    #[cfg(feature = "desktop")]
    if let Some(part) = args.part {
        println!("{}", frame::measure(part)?);
        return Ok(());
    }
    if let (Some(part), Some(folder)) = (args.federation_part, &args.of) {
        return federation::measure(part, folder);
    }
    let rows = match args.name {
        Name::Federation => federation::run()?,
        Name::Frame => frame_rows()?,
        Name::Ingest => ingest::run()?,
        Name::Import => import::run()?,
        Name::Picking => picking::run()?,
        Name::Search => search::run()?,
        Name::Solve | Name::History => {
            return Err(Failure::Usage(Problem::error("plenum bench", "this part is not built yet", "")));
        }
    };
    let document = Document { name: args.name, cpu: cpu(), rows };
    if args.json {
        return print_json(&document);
    }
    println!("{}", document.cpu);
    for row in &document.rows {
        let goal = row.goal.map(|g| format!("  goal {g}")).unwrap_or_default();
        let met = row.met.map(|m| if m { "  met" } else { "  NOT MET" }).unwrap_or_default();
        let peer =
            row.theirs.map(|t| format!("  {} {} ({}×)", row.peer, figure(t), row.ratio.map_or("-".into(), figure)));
        println!(
            "{:<72} {:>12} {}{}{goal}{met}",
            row.case,
            row.ours.map_or("-".into(), figure),
            row.metric,
            peer.unwrap_or_default()
        );
        if let Some(why) = &row.why {
            println!("    {why}");
        }
    }
    Ok(())
}

fn frame_rows() -> Result<Vec<Row>, Failure> {
    let mut rows = tick::run();
    #[cfg(feature = "desktop")]
    rows.extend(frame::run()?);
    rows.extend(start::run()?);
    Ok(rows)
}

/// A figure with three digits that say something.
fn figure(value: f64) -> String {
    match value.abs() {
        v if v >= 100.0 || v == 0.0 => format!("{value:.0}"),
        v if v >= 0.01 => format!("{value:.3}"),
        _ => format!("{value:.2e}"),
    }
}

/// The processor's own name and how many threads it runs.
fn cpu() -> String {
    let threads = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let name = std::fs::read_to_string("/proc/cpuinfo")
        .ok()
        .and_then(|text| text.lines().find_map(|l| l.strip_prefix("model name").map(str::to_owned)))
        .map(|rest| rest.trim_start_matches([' ', '\t', ':']).to_owned())
        .unwrap_or_else(|| format!("{} {}", std::env::consts::OS, std::env::consts::ARCH));
    format!("{name}, {threads} threads")
}
