//! `plenum history`: what the samples of a site were, in and out, whole or not, and how long they stay.

mod append;
mod backup;
mod copy;
mod export;
mod info;
mod keep;
mod query;
mod time;
mod verify;

use super::interrupt;
use super::output::Failure;
use crate::history::shared::{Address, Secure};
use crate::history::{HistoryError, Place, PointInfo, PointKey, Reader};
use crate::problem::Problem;
use crate::site::binding::{glob, nearest};
use crate::site::project::{self, Project};
use crate::time::Time;
use clap::Subcommand;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::ffi::OsStr;
use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

/// Reads and looks after the history of a site: samples of every point, and what they come to.
///
/// WHERE is a project (its folder or its twin.toml), the file of a history (history.db), or a PostgreSQL
/// (postgres://USER@HOST/DATABASE; its password is in PGPASSWORD, its certificate authority in PGSSLROOTCERT).
///
/// What reads works beside a twin that runs. What writes into a file does not: it says which program has it open.
/// Values are SI. docs/operations.md tells what to do when.
#[derive(clap::Args)]
pub struct Args {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    Query(query::Args),
    Append(append::Args),
    Export(export::Args),
    Verify(verify::Args),
    Copy(copy::Args),
    Backup(backup::BackupArgs),
    Restore(backup::RestoreArgs),
    Retain(keep::RetainArgs),
    Hold(keep::HoldArgs),
    Release(keep::ReleaseArgs),
    Book(keep::BookArgs),
    Info(info::Args),
}

/// Runs the verb.
pub fn run(args: Args) -> Result<(), Failure> {
    interrupt::listen();
    match args.verb {
        Verb::Query(args) => query::run(&args),
        Verb::Append(args) => append::run(&args),
        Verb::Export(args) => export::run(&args),
        Verb::Verify(args) => verify::run(&args),
        Verb::Copy(args) => copy::run(&args),
        Verb::Backup(args) => backup::back_up(&args),
        Verb::Restore(args) => backup::restore(&args),
        Verb::Retain(args) => keep::retain(&args),
        Verb::Hold(args) => keep::hold(&args),
        Verb::Release(args) => keep::release(&args),
        Verb::Book(args) => keep::book(&args),
        Verb::Info(args) => info::run(&args),
    }
}

/// What a person named.
struct Named {
    place: Place,
    /// The project, where it was one.
    project: Option<Project>,
}

/// What is meant by WHERE.
fn named(text: &OsStr) -> Result<Named, Failure> {
    let word = text.to_string_lossy();
    if word.starts_with("postgres://") || word.starts_with("postgresql://") {
        let password = std::env::var("PGPASSWORD").ok();
        let secure = match std::env::var_os("PGSSLROOTCERT").filter(|f| !f.is_empty()) {
            Some(file) => Secure::Authority(file.into()),
            None => Secure::Usual,
        };
        return Ok(Named { place: Place::Server(Address { url: word.into_owned(), password, secure }), project: None });
    }
    let path = PathBuf::from(text);
    let is_project = path.is_dir() || path.extension().is_some_and(|e| e.eq_ignore_ascii_case("toml"));
    if !is_project {
        return Ok(Named { place: Place::File(path), project: None });
    }
    let (project, _) = project::load(&path)?;
    match Place::of(&project.history).map_err(failed)? {
        Some(place) => Ok(Named { place, project: Some(project) }),
        None => {
            let message = "this project keeps no history";
            let remedy = "leave `off` out of [history] in its twin.toml";
            Err(Failure::Failed(Problem::error(project.file.display().to_string(), message, remedy)))
        }
    }
}

impl Named {
    fn read(&self) -> Result<Box<dyn Reader>, Failure> {
        self.place.read().map_err(failed)
    }
}

fn failed(e: HistoryError) -> Failure {
    Failure::Failed(e.problem())
}

fn now() -> Time {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Time(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}

/// The points that these ids and patterns (`*` for any run of characters) name; all for none.
fn chosen(points: Vec<(PointKey, PointInfo)>, patterns: &[String]) -> Result<Vec<(PointKey, PointInfo)>, Problem> {
    if patterns.is_empty() {
        return Ok(points);
    }
    let fits = |id: &str, pattern: &String| id == pattern || glob(pattern, id);
    for pattern in patterns {
        if !points.iter().any(|(_, p)| fits(&p.id, pattern)) {
            return Err(unknown(pattern, points.iter().map(|(_, p)| p.id.as_str())));
        }
    }
    Ok(points.into_iter().filter(|(_, p)| patterns.iter().any(|pattern| fits(&p.id, pattern))).collect())
}

/// What is said of a point that there is not, with those that are called much like it.
fn unknown<'a>(id: &str, known: impl Iterator<Item = &'a str> + Clone) -> Problem {
    let lower = id.to_lowercase();
    let mut near: Vec<&str> = known.clone().filter(|k| k.to_lowercase().contains(&lower)).take(5).collect();
    if near.is_empty() {
        near.extend(nearest(id, known.clone()));
    }
    let remedy = match near.as_slice() {
        [] if known.clone().next().is_none() => "there is no point in it yet".to_owned(),
        [] => "`plenum history info WHERE --points` lists them".to_owned(),
        near => format!("did you mean {}?", near.iter().map(|n| format!("`{n}`")).collect::<Vec<_>>().join(", ")),
    };
    Problem::error(id, "the history has no such point", remedy)
}

/// A bar on the terminal, nothing where there is none.
fn bar(message: &str, template: &str) -> ProgressBar {
    let target =
        if std::io::stderr().is_terminal() { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() };
    let bar = ProgressBar::with_draw_target(None, target);
    if let Ok(style) = ProgressStyle::with_template(template) {
        bar.set_style(style);
    }
    bar.set_message(message.to_owned());
    bar
}

/// Of points.
const POINTS: &str = "{msg} {wide_bar} {pos}/{len} points {eta}";

/// Shows how many points of how many are done; false once somebody asked to stop.
fn step(bar: &ProgressBar, done: u64, of: u64) -> bool {
    bar.set_length(of);
    bar.set_position(done);
    !interrupt::interrupted()
}

/// A file is written beside its place and moved there whole.
fn beside(out: &Path) -> Result<tempfile::NamedTempFile, Problem> {
    let folder = out.parent().filter(|f| !f.as_os_str().is_empty()).unwrap_or(Path::new("."));
    tempfile::NamedTempFile::new_in(folder).map_err(|e| unwritten(out, &e))
}

fn unwritten(out: &Path, e: &dyn std::fmt::Display) -> Problem {
    Problem::error(
        out.display().to_string(),
        format!("cannot be written: {e}"),
        "check its folder, rights and the disk",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn points_are_chosen_by_id_and_pattern_and_near_ones_are_named() {
        let points: Vec<_> = ["AHU-1/supply_temperature", "AHU-1/flow", "P-1/flow"]
            .iter()
            .enumerate()
            .map(|(i, id)| (PointKey(i as u32), PointInfo { id: (*id).into(), ..PointInfo::default() }))
            .collect();
        let ids = |patterns: &[&str]| {
            let patterns: Vec<String> = patterns.iter().map(|p| (*p).to_owned()).collect();
            chosen(points.clone(), &patterns).map(|p| p.into_iter().map(|(k, _)| k.0).collect::<Vec<_>>())
        };
        assert_eq!(ids(&[]).unwrap(), [0, 1, 2]);
        assert_eq!(ids(&["*/flow", "AHU-1/*"]).unwrap(), [0, 1, 2]);
        assert_eq!(ids(&["P-1/flow"]).unwrap(), [2]);
        assert!(ids(&["P-1/flaw"]).unwrap_err().remedy.contains("`P-1/flow`"));
        assert!(ids(&["SUPPLY"]).unwrap_err().remedy.contains("`AHU-1/supply_temperature`"));
        assert!(unknown("x", std::iter::empty()).remedy.contains("no point in it yet"));
    }
}
