//! A campus of a hundred thousand elements in files: opened from them, opened again, searched and, where there is a
//! window to be had, orbited.
//!
//! Each opening is a process of its own, so that its memory is its own.

use super::Row;
use super::search::{Answer, GOAL_MS, ROUNDS, answers};
use crate::cli::output::{Failure, peak_rss_mb, print_json};
use crate::cli::{cache, heap, interrupt, make_demo, open};
use crate::demo::campus::Campus;
use crate::problem::{Problem, Severity};
use crate::shape::Bvh;
use crate::site::search::Index;
use crate::site::{ElementKind, Site};
use cpu_time::ProcessTime;
use serde::{Deserialize, Serialize};
use std::path::Path;
use std::process::Command;
use std::time::Instant;

/// So many clinics have more than 100,000 elements.
const BUILDINGS: usize = 28;
const SEED: u64 = 1;
/// What the second opening may take of the first.
const FROM_CACHE: f64 = 1.0 / 20.0;
/// Bytes a triangle and bytes an element that an open federation may hold.
const HEAP_A_TRIANGLE: usize = 60;
const HEAP_AN_ELEMENT: usize = 2048;

/// One thing, one building's, one kind's, parts of words, numbers, everything at once.
const QUERIES: [&str; 10] = [
    "B02-AHU-1",
    "pump",
    "e",
    "B01-VAV-*",
    "class:IfcPump storey:\"B02 Roof\"",
    "class:IfcValve system:Heating",
    "NominalAirflow>0.2 -class:IfcAirTerminalBox",
    "building:\"B02 Clinic\" Manufacturer~Kestrel",
    "(system:water OR material:steel) NOT (Length<1 OR no:storey) has:geometry",
    "class:*Sensor -has:space",
];

/// What one process found out about a project that it opened.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Opening {
    /// From the project's folder to a site with its picking tree.
    seconds: f64,
    cpu_s: f64,
    heap_bytes: usize,
    /// None where the system does not tell.
    peak_rss_mb: Option<f64>,
    elements: usize,
    points: usize,
    /// Of all elements, each with its own.
    triangles: usize,
    /// Of all shapes, each once.
    triangles_in_shapes: usize,
    /// What went wrong, where something did.
    errors: Vec<String>,
    index_ms: f64,
    index_bytes: usize,
    answers: Vec<Answer>,
}

/// Rows for a campus of more than 100,000 elements.
///
/// # Errors
/// When nothing can be written to the folder for temporary files, or the campus cannot be opened.
pub fn run() -> Result<Vec<Row>, Failure> {
    let folder = tempfile::tempdir()
        .map_err(|e| Problem::error("plenum bench", format!("no temporary folder: {e}"), "free some space"))?;
    let campus = Campus::new(SEED, BUILDINGS);
    eprintln!("plenum: writing a campus of {BUILDINGS} clinics, some 110 MB");
    let files = make_demo::write_campus(folder.path(), &campus, |_, _| ())?;
    Ok(rows(folder.path(), &files)?)
}

fn rows(folder: &Path, files: &[(String, usize)]) -> Result<Vec<Row>, Problem> {
    let models = files.iter().filter(|(name, _)| name.ends_with(".ifc")).count();
    let megabytes = files.iter().map(|(_, bytes)| *bytes as f64).sum::<f64>() / 1e6;
    let case = |what: &str| format!("campus of {models} models, {megabytes:.0} MB: {what}");
    eprintln!("plenum: opening it from its files");
    let first: Opening = child("opening", folder)?;
    let kept = scenes(folder);
    eprintln!("plenum: opening it again");
    let second: Opening = child("opening", folder)?;
    if let Some(error) = first.errors.iter().chain(&second.errors).next() {
        return Err(failed(format!("the campus does not open well: {error}")));
    }
    let mut rows = vec![
        Row::only(case("elements"), "elements", first.elements as f64),
        Row::only(case("points bound"), "points", first.points as f64),
        Row::only(case("triangles drawn"), "triangles", first.triangles as f64),
        Row::only(case("triangles in shapes"), "triangles", first.triangles_in_shapes as f64),
        Row::only(case("opening from files"), "s", first.seconds),
        Row::only(case("opening from files"), "cpu_s", first.cpu_s),
    ];
    rows.extend(first.peak_rss_mb.map(|mb| Row::only(case("opening from files, most memory"), "MB", mb)));
    if kept >= models {
        let against = |metric, ours, theirs| {
            Row::against(case("opening again"), metric, ours, "opening from files", theirs, FROM_CACHE)
        };
        rows.push(against("s", second.seconds, first.seconds));
        rows.push(against("cpu_s", second.cpu_s, first.cpu_s));
        rows.extend(second.peak_rss_mb.map(|mb| Row::only(case("opening again, most memory"), "MB", mb)));
    } else {
        let why = format!("only {kept} of {models} models were kept in its cache");
        return Err(failed(why));
    }
    let allowed = HEAP_A_TRIANGLE * first.triangles_in_shapes + HEAP_AN_ELEMENT * first.elements;
    rows.push(Row::at_most(case("heap, open"), "bytes", second.heap_bytes as f64, allowed as f64));
    for Answer { query, ms, count } in &second.answers {
        rows.push(Row::at_most(case(&format!("{query}, {count} found")), "ms", *ms, GOAL_MS));
    }
    rows.push(Row::only(case("building the search index"), "ms", second.index_ms));
    rows.push(Row::only(case("the search index"), "bytes", second.index_bytes as f64));
    #[cfg(feature = "desktop")]
    rows.extend(orbit::rows(folder, case)?);
    Ok(rows)
}

/// Scenes in the project's cache.
fn scenes(folder: &Path) -> usize {
    let entries = std::fs::read_dir(folder.join(".plenum").join("cache"));
    entries.into_iter().flatten().flatten().filter(|e| !e.file_name().to_string_lossy().starts_with('.')).count()
}

/// What a process of this program finds out of a project; its cache is the one beside the project.
fn child<T: for<'a> Deserialize<'a>>(part: &str, folder: &Path) -> Result<T, Problem> {
    let program = std::env::current_exe().map_err(|e| failed(format!("cannot find this program: {e}")))?;
    let output = Command::new(program)
        .args(["bench", "federation", "--federation-part", part, "--of"])
        .arg(folder)
        .env_remove(cache::VARIABLE)
        .output()
        .map_err(|e| failed(format!("cannot start {part}: {e}")))?;
    serde_json::from_slice(&output.stdout).map_err(|_| {
        failed(format!("{part} ended with {}: {}", output.status, String::from_utf8_lossy(&output.stderr).trim()))
    })
}

/// What is measured in a process of its own.
#[derive(clap::ValueEnum, Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// Opening and searching.
    Opening,
    /// Drawing while the camera goes around.
    #[cfg(feature = "desktop")]
    Orbit,
}

/// Measures one part in this process and prints it.
///
/// # Errors
/// When the project cannot be opened.
pub fn measure(part: Part, folder: &Path) -> Result<(), Failure> {
    interrupt::listen();
    match part {
        Part::Opening => print_json(&opening(folder, &QUERIES, ROUNDS)?),
        #[cfg(feature = "desktop")]
        Part::Orbit => print_json(&orbit::measure(folder)?),
    }
}

fn opening(folder: &Path, queries: &[&str], rounds: usize) -> Result<Opening, Problem> {
    let before = heap::in_use();
    let (wall, cpu) = (Instant::now(), ProcessTime::now());
    let opened = open::open(folder, interrupt::progress())?;
    let site = &opened.site;
    let tree = Bvh::with_details(&site.elements, &site.shapes, &site.details);
    let (seconds, cpu_s) = (wall.elapsed().as_secs_f64(), cpu.elapsed().as_secs_f64());
    let heap_bytes = heap::in_use().saturating_sub(before);
    let peak_rss_mb = peak_rss_mb();
    let (triangles, triangles_in_shapes) = triangles(site);
    let started = Instant::now();
    let index = Index::of(site);
    let index_ms = started.elapsed().as_secs_f64() * 1e3;
    let answers = answers(&index, queries, rounds, &|_| None)?;
    drop(tree);
    let errors = opened.problems.iter().filter(|p| p.severity == Severity::Error).map(ToString::to_string);
    Ok(Opening {
        seconds,
        cpu_s,
        heap_bytes,
        peak_rss_mb,
        elements: site.elements.iter().filter(|e| e.kind == ElementKind::Element).count(),
        points: site.points.len(),
        triangles,
        triangles_in_shapes,
        errors: errors.collect(),
        index_ms,
        index_bytes: index.bytes(),
        answers,
    })
}

/// Of all elements, and of all shapes.
fn triangles(site: &Site) -> (usize, usize) {
    let of = |e: &crate::site::Element| site.shapes.get(e.shape? as usize).map(|s| s.triangles());
    (site.elements.iter().filter_map(of).sum(), site.shapes.iter().map(|s| s.triangles()).sum())
}

fn failed(what: String) -> Problem {
    Problem::error("plenum bench federation", what, "run it again; report it with what it printed")
}

#[cfg(feature = "desktop")]
mod orbit {
    //! Frames while the camera goes once around.

    use super::{Row, child, failed, interrupt, open};
    use crate::desktop::{adapter, frame_cost};
    use crate::problem::Problem;
    use frame_cost::Orbit;
    use std::path::Path;

    /// Size of the picture, pixels.
    const SIZE: [u32; 2] = [1600, 900];

    pub(super) fn measure(folder: &Path) -> Result<Orbit, Problem> {
        let opened = open::open(folder, interrupt::progress())?;
        frame_cost::orbit(opened.site, SIZE).ok_or_else(|| failed("the scene never came to stand".into()))
    }

    pub(super) fn rows(folder: &Path, case: impl Fn(&str) -> String) -> Result<Vec<Row>, Problem> {
        let adapter = match adapter::find() {
            Ok(adapter) => adapter,
            Err(none) => {
                return Ok(vec![Row { goal: None, ..Row::missing(case("orbit"), "cpu_ms", 0.0, none.message) }]);
            }
        };
        eprintln!("plenum: orbiting it, drawn by {}", adapter.name);
        let Orbit { cpu_ms, median_ms, slowest_ms, frames } = child("orbit", folder)?;
        let [w, h] = SIZE;
        let drawn = format!("picture of {w} x {h} by {}", adapter.name);
        Ok(vec![
            Row::only(case(&format!("orbit, frame before drawing, mean of {frames}")), "cpu_ms", cpu_ms),
            Row::only(case(&format!("orbit, frame with its {drawn}, median")), "ms", median_ms),
            Row::only(case(&format!("orbit, frame with its {drawn}, slowest")), "ms", slowest_ms),
        ])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_small_campus_opens_well_and_every_search_finds_something_but_not_everything() {
        let folder = tempfile::tempdir().unwrap();
        let dir = folder.path().join("campus");
        make_demo::write_campus(&dir, &Campus::new(SEED, 2), |_, _| ()).unwrap();
        let found = opening(&dir, &QUERIES, 1).unwrap();
        assert_eq!(found.errors, Vec::<String>::new());
        assert!(found.elements > 2 * 3_500 && found.points > 2 * 400, "{found:?}");
        assert!(found.triangles > found.triangles_in_shapes && found.triangles_in_shapes > 0, "{found:?}");
        assert_eq!(found.answers.len(), QUERIES.len());
        for Answer { query, count, .. } in &found.answers {
            assert!(*count > 0, "`{query}` finds nothing");
            assert!(*count < found.elements || query == "e", "`{query}` finds everything");
        }
        // It passes from process to process.
        let text = serde_json::to_string(&found).unwrap();
        assert_eq!(serde_json::from_str::<Opening>(&text).unwrap().elements, found.elements);
    }
}
