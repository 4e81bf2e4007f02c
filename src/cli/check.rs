//! `plenum check`: Says how ready models are to become a twin, and whether they hold what an IDS demands.

mod data;
mod print;

use super::bar::with_bar;
use super::interrupt;
use super::open::{self, Opened};
use super::output::{Failure, print_json, print_text};
use crate::import::{self, Limits};
use crate::problem::{Problem, Severity};
use crate::site::ids::{Checker, Ids, Report, Status};
use crate::site::readiness::{self, Item, Kind, ModelReadiness, Readiness, Row};
use serde::Serialize;
use std::path::{Path, PathBuf};

/// Says how ready models are to become a twin, and whether they hold what an IDS demands.
///
/// The score of the models is 0 to 100: what is missing (storeys, types, systems, ports, quantities, tags, …), by
/// weight and by share of the elements; that of the mapping says how well points and elements find each other, that of
/// the quality how good the data of the points were in the last week of the project's history. A score whose part does
/// not apply is `–`, and null in JSON. Findings are no failure: the exit status is 0 unless --strict is given.
#[derive(clap::Args)]
pub struct Args {
    /// A folder with a twin.toml, that file, or one model (IFC, ifcZIP, GeoJSON)
    #[arg(value_name = "PROJECT|FILE")]
    path: PathBuf,
    /// An information delivery specification (IDS 1.0) that the models must meet
    #[arg(long, value_name = "FILE")]
    ids: Option<PathBuf>,
    /// Print one JSON document
    #[arg(long)]
    json: bool,
    /// Name at most this many findings of a kind [default: 3 for people, all in JSON]
    #[arg(long, value_name = "N")]
    limit: Option<usize>,
    /// End with 1 when anything is found, or any specification is not met
    #[arg(long)]
    strict: bool,
}

/// What is printed.
struct Checked {
    name: String,
    elements: usize,
    readiness: Readiness,
    ids: Option<IdsChecked>,
}

struct IdsChecked {
    file: String,
    title: String,
    report: Report,
    problems: Vec<Problem>,
}

/// The contract's JSON.
#[derive(Serialize)]
struct Document<'a> {
    scores: Scores,
    items: Vec<&'a Item>,
    models: &'a [ModelReadiness],
    checks: Vec<Row>,
    ids: Option<serde_json::Value>,
}

#[derive(Serialize)]
struct Scores {
    model: Option<f64>,
    mapping: Option<f64>,
    /// Null without a history.
    quality: Option<f64>,
    /// Null until people own equipment.
    ownership: Option<f64>,
}

/// Runs the verb.
pub fn run(args: Args) -> Result<(), Failure> {
    interrupt::listen();
    // First, because it is quick and may be wrong.
    let limits = Limits::default();
    let ids =
        args.ids.as_deref().map(|file| Ok::<_, Problem>((file, import::ids::read(file, &limits)?))).transpose()?;
    let (opened, report) = open_and_check(&args.path, ids.as_ref().map(|(_, (ids, _))| ids))?;
    let mut readiness = readiness::assess(&opened.site, &opened.project, &opened.problems);
    data::look(&mut readiness, &opened.project, &opened.site)?;
    let mut checked = Checked {
        name: opened.site.name.clone(),
        elements: readiness.models.iter().map(|m| m.elements).sum(),
        readiness,
        ids: None,
    };
    if let (Some((file, (ids, problems))), Some(report)) = (ids, report) {
        let place = file.file_name().unwrap_or(file.as_os_str()).to_string_lossy().into_owned();
        checked.readiness.items.extend(ids_items(&report, &problems, &place));
        checked.ids = Some(IdsChecked { file: file.display().to_string(), title: ids.title, report, problems });
    }
    if args.json {
        print_json(&document(&checked, args.limit))?;
    } else {
        print_text(&print::describe(&checked, args.limit.unwrap_or(3)))?;
    }
    if args.strict { strict(&checked, &args.path) } else { Ok(()) }
}

/// Opens a project or a model, and checks every IFC file on the way; together they are one model. Each is read once.
fn open_and_check(path: &Path, ids: Option<&Ids>) -> Result<(Opened, Option<Report>), Problem> {
    let progress = interrupt::progress();
    with_bar(path, progress, || {
        let mut checker = ids.map(Checker::new);
        let opened = match &mut checker {
            None => open::open(path, progress)?,
            Some(checker) => open::open_looked_at(
                path,
                progress,
                Some(&mut |facts| match checker.add(facts, &interrupt::interrupted) {
                    true => Ok(()),
                    false => Err(interrupt::stopped(path.display().to_string())),
                }),
            )?,
        };
        Ok((opened, checker.map(Checker::finish)))
    })
}

/// Findings of an IDS: one an object, and one for a specification that fails as a whole or cannot be checked.
fn ids_items(report: &Report, problems: &[Problem], file: &str) -> Vec<Item> {
    let item = |place: String, message: String, remedy: String, severity: Severity| Item {
        kind: Kind::Ids.id(),
        place,
        message,
        remedy,
        severity,
        id: None,
        class: None,
        file: None,
    };
    let mut items = Vec::new();
    for specification in &report.specifications {
        let remedy = if specification.instructions.is_empty() {
            "add what is missing in the program that made the model".to_owned()
        } else {
            specification.instructions.clone()
        };
        for failing in &specification.failing {
            let place = format!("{} {}", failing.id, failing.label).trim_end().to_owned();
            let message = format!("{}: {} {}", specification.name, failing.class, failing.reasons.join("; "));
            items.push(Item {
                id: Some(failing.id.clone()),
                class: Some(failing.class.clone()),
                file: Some(failing.file.clone()),
                ..item(place, message, remedy.clone(), Severity::Error)
            });
        }
        if specification.status == Status::Fail && specification.failing.is_empty() {
            let place = format!("{file}:{}", specification.line);
            items.push(item(place, format!("{}: {}", specification.name, specification.why), remedy, Severity::Error));
        }
    }
    let told = |p: &Problem| item(p.place.clone(), p.message.clone(), p.remedy.clone(), p.severity);
    items.extend(problems.iter().map(told));
    items
}

fn document(checked: &Checked, limit: Option<usize>) -> Document<'_> {
    let readiness = &checked.readiness;
    let mut counts = std::collections::HashMap::new();
    let mut within = |kind: &'static str| {
        let count = counts.entry(kind).or_insert(0_usize);
        *count += 1;
        limit.is_none_or(|most| *count <= most)
    };
    Document {
        scores: Scores { model: readiness.model, mapping: readiness.mapping, quality: readiness.data, ownership: None },
        items: readiness.items.iter().filter(|i| within(i.kind)).collect(),
        models: &readiness.models,
        checks: readiness::rows(&readiness.tallies).collect(),
        ids: checked.ids.as_ref().map(|ids| {
            serde_json::json!({
                "file": ids.file,
                "title": ids.title,
                "specifications": ids.report.specifications,
                "problems": ids.problems,
            })
        }),
    }
}

/// With --strict, anything found is a failure.
fn strict(checked: &Checked, path: &Path) -> Result<(), Failure> {
    let found = checked.readiness.items.iter().filter(|i| i.severity >= Severity::Warning).count();
    if found == 0 {
        return Ok(());
    }
    let place = path.display().to_string();
    let message = format!("{found} findings, and --strict allows none");
    Err(Failure::Failed(Problem::error(place, message, "mend them, or leave --strict out")))
}
