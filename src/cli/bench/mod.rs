//! `plenum bench`: measures this program on this machine, with the peer beside it where there is one.

mod federation;
#[cfg(feature = "desktop")]
mod frame;
mod history;
mod import;
mod ingest;
mod picking;
mod replay;
mod row;
mod search;
mod solve;
mod start;
mod synthetic;
mod tick;

pub use row::Row;

use super::output::{Failure, print_json};
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
    /// Another time of the twin: a day of the demo clinic.
    Replay,
    /// The CPU's part of a tick and of a frame.
    Frame,
    /// Rays against the picking tree.
    Picking,
    /// Searches over the elements.
    Search,
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
        Name::Solve => solve::run()?,
        Name::History => history::run()?,
        Name::Replay => replay::run()?,
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
