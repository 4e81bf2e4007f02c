//! `plenum map`: which topic is which point.

mod hear;
mod print;

use super::bar::with_bar;
use super::interrupt;
use super::open::{Opened, open};
use super::output::{Failure, parse_duration, print_json, print_text};
use crate::import::{self, Limits};
use crate::problem::Problem;
use crate::site::mapping::{self, AT_LEAST, By, Described, Heard, Mapping, Request};
use crate::site::project::{FoundBinding, Project, name_in_decision, save_bindings};
use crate::site::{Site, Slot};
use serde_json::{Value, json};
use std::path::PathBuf;
use std::time::Duration;

/// Finds which topic is which point of which element, with a score, and lists what is nobody's.
///
/// What counts, the surest first: bindings of the project, a GlobalId in topic or payload, Brick and Haystack files
/// ([mapping] files), BACnet ids among properties, [[naming_rules]], the words of the topic. What may be two things is
/// listed with both and matched to neither. docs/mapping.md has the tables of words.
#[derive(clap::Args)]
#[command(after_help = "Examples:\n  \
    plenum map models/clinic --observe 30s\n      \
    listens to the project's broker and shows what it understands\n  \
    mosquitto_sub -v -t 'bms/#' -W 60 > topics.txt; plenum map models/clinic --topics topics.txt\n      \
    the same from a list: a topic a line, its payload behind it where it is known\n  \
    plenum map models/clinic --topics topics.txt --at-least 0.9 --write\n      \
    saves what is surer than 0.9 in twin.toml as [[bindings]]")]
pub struct Args {
    /// A folder that holds twin.toml, or that file.
    project: PathBuf,
    /// Listen to the project's broker for this long: 30s, 5m.
    #[arg(long, value_name = "T", value_parser = parse_duration, conflicts_with = "topics", required_unless_present = "topics")]
    observe: Option<Duration>,
    /// Read topics from a file, - for stdin: one a line, its payload behind it; or JSON, {"topic", "key", "unit", "payload"}.
    #[arg(long, value_name = "FILE")]
    topics: Option<PathBuf>,
    /// The least score of a match, 0 to 1 [default: the project's, else 0.85].
    #[arg(long, value_name = "SCORE", value_parser = parse_score)]
    at_least: Option<f64>,
    /// Save the matches in twin.toml; comments stay.
    #[arg(long)]
    write: bool,
    /// Print one JSON document on stdout.
    #[arg(long)]
    json: bool,
}

fn parse_score(text: &str) -> Result<f64, String> {
    text.parse::<f64>()
        .ok()
        .filter(|s| (0.0..=1.0).contains(s))
        .ok_or_else(|| format!("`{text}` is no score from 0 to 1"))
}

/// What a run came to.
struct Done<'a> {
    site: &'a Site,
    heard: &'a [Heard],
    mapping: Mapping,
    at_least: f64,
    written: Option<(usize, usize)>,
    problems: Vec<Problem>,
}

/// Runs the verb.
pub fn run(args: Args) -> Result<(), Failure> {
    interrupt::listen();
    let progress = interrupt::progress();
    let opened = with_bar(&args.project, progress, || open(&args.project, progress))?;
    if interrupt::interrupted() {
        return Err(interrupt::stopped(args.project.display().to_string()).into());
    }
    let Opened { project, site, mut problems, .. } = opened;
    if project.templates.is_empty() {
        let message = "the project has no [templates]: nothing says what a kind of equipment measures";
        return Err(Failure::Failed(Problem::error(
            project.file.display().to_string(),
            message,
            "add them; docs/mapping.md shows how",
        )));
    }
    let heard = match (&args.topics, args.observe) {
        (Some(file), _) => hear::read(file, &project, &mut problems)?,
        (None, Some(time)) => hear::observe(&project, &site, time, &mut problems)?,
        (None, None) => Vec::new(),
    };
    let described = described(&project, &mut problems);
    let at_least = args.at_least.or(project.mapping.at_least).unwrap_or(AT_LEAST);
    let request = Request { site: &site, project: &project, heard: &heard, described: &described, at_least };
    let mapping = mapping::map(&request);
    let written = match args.write {
        true => Some(save_bindings(&project, &found(&site, &project, &heard, &mapping))?),
        false => None,
    };
    let done = Done { site: &site, heard: &heard, mapping, at_least, written, problems };
    if args.json { print_json(&document(&done)) } else { print_text(&print::describe(&done)) }
}

/// What the project's Brick and Haystack files say; one that cannot be read is a problem.
fn described(project: &Project, problems: &mut Vec<Problem>) -> Vec<Described> {
    let mut all = Vec::new();
    for (file, _) in project.mapping.files.iter().filter(|(f, _)| f.is_file()) {
        match import::ontology::read(file, &Limits::default()) {
            Ok((points, found)) => {
                all.extend(points);
                problems.extend(found);
            }
            Err(problem) => problems.push(problem),
        }
    }
    all
}

/// The matches that the project does not state yet, as bindings by hand.
fn found(site: &Site, project: &Project, heard: &[Heard], mapping: &Mapping) -> Vec<FoundBinding> {
    let several = |role: &str| project.templates.iter().filter(|t| t.points.iter().any(|p| p.role == role)).count() > 1;
    let new = mapping.matched.iter().filter(|m| m.by != By::Explicit);
    new.filter_map(|m| {
        let (element, heard) = (site.element(m.slot)?, heard.get(m.heard)?);
        let template = m.template.clone().filter(|_| several(&m.role));
        Some(FoundBinding {
            asset: name_in_decision(site, element),
            point: m.role.clone(),
            template,
            topic: heard.topic.clone(),
            key: heard.key.clone(),
            remark: format!("plenum map: by {}, {:.2}", word(m.by), m.score),
        })
    })
    .collect()
}

/// How a match was found, in a word.
fn word(by: By) -> &'static str {
    match by {
        By::Explicit => "explicit",
        By::GlobalId => "globalid",
        By::Brick => "brick",
        By::Haystack => "haystack",
        By::Bacnet => "bacnet",
        By::Rule => "rule",
        By::Name => "name",
    }
}

/// The contract's document.
fn document(done: &Done<'_>) -> Value {
    let label = |slot: Slot| done.site.element(slot).map(|e| e.label());
    let id = |slot: Slot| done.site.element(slot).map(|e| e.id.clone());
    let wire = |i: usize| done.heard.get(i).map_or(("", ""), |h| (h.topic.as_str(), h.key.as_str()));
    let bound = |slot: Slot, role: &str| done.site.points.iter().find(|p| p.asset == slot && p.role == role);
    let matched: Vec<Value> = (done.mapping.matched.iter())
        .map(|m| {
            let (topic, key) = wire(m.heard);
            let before = bound(m.slot, &m.role).and_then(|p| match &p.source {
                crate::site::point::PointSource::Topic { topic: t, key: k }
                    if (t.as_str(), k.as_str()) != (topic, key) =>
                {
                    Some(json!({"topic": t, "key": k}))
                }
                _ => None,
            });
            json!({"topic": topic, "key": key, "element": id(m.slot), "name": label(m.slot), "role": m.role,
                "score": m.score, "by": m.by, "instead_of": before})
        })
        .collect();
    let unmatched: Vec<Value> = (done.mapping.unmatched.iter())
        .map(|u| {
            let (topic, key) = wire(u.heard);
            let candidates: Vec<Value> = (u.candidates.iter())
                .map(|c| json!({"element": id(c.slot), "name": label(c.slot), "role": c.role, "score": c.score}))
                .collect();
            json!({"topic": topic, "key": key, "why": u.why, "candidates": candidates})
        })
        .collect();
    json!({
        "points": done.heard.len(),
        "matched": matched,
        "unmatched": unmatched,
        "at_least": done.at_least,
        "building": done.mapping.building,
        "written": done.written.map(|(added, changed)| json!({"added": added, "changed": changed})),
        "problems": done.problems,
    })
}
