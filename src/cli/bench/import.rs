//! Reading building models: processor time beside the IFC library alone and beside other readers, and the memory
//! that a model holds.

mod peers;

use super::Row;
use crate::cli::heap;
use crate::cli::make_demo;
use crate::cli::output::Failure;
use crate::import::cache::Cache;
use crate::import::{self, Progress, ifc};
use crate::problem::Problem;
use crate::shape::Bvh;
use crate::site::Model;
use cpu_time::ProcessTime;
use peers::Peer;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// How often each is run; the least counts, since nothing but other work makes it longer.
const RUNS: usize = 5;
/// What conversion, graph, properties and picking tree may add to the library's own time.
const BESIDE_THE_LIBRARY: f64 = 1.3;
/// What opening it again may take of the first opening's time.
const A_SECOND: f64 = 0.05;
/// Bytes a triangle and bytes an element that a model may hold.
const HEAP_A_TRIANGLE: usize = 60;
const HEAP_AN_ELEMENT: usize = 2048;

/// Rows for the demo's models, and for the samples where `PLENUM_SAMPLES` names a folder of them.
///
/// # Errors
/// When a model cannot be read, or nothing can be written to the folder for temporary files.
pub fn run() -> Result<Vec<Row>, Failure> {
    let folder = tempfile::tempdir()
        .map_err(|e| Problem::error("plenum bench", format!("no temporary folder: {e}"), "free some space"))?;
    let clinic = folder.path().join("clinic");
    make_demo::write(&clinic, 1)?;
    let mut files = vec![clinic.join("clinic-architecture.ifc"), clinic.join("clinic-mep.ifc")];
    let samples = std::env::var_os("PLENUM_SAMPLES").map(|s| PathBuf::from(s).join("ifc"));
    if let Some(samples) = &samples {
        files.extend(models_in(samples, folder.path())?);
    }
    let peers = Peer::all();
    let mut rows = Vec::new();
    for peer in &peers {
        if let Ok(start) = &peer.start {
            rows.push(Row::only(format!("{}: its start without a model", peer.name), "cpu_s", *start));
        }
    }
    for file in &files {
        rows.extend(rows_of(file, &peers)?);
    }
    if samples.is_none() {
        eprintln!("plenum: set PLENUM_SAMPLES to a folder with ifc/*.ifc to measure those too");
    }
    Ok(rows)
}

fn rows_of(file: &Path, peers: &[Peer]) -> Result<Vec<Row>, Problem> {
    let name = file.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let alone = least(|| ifc::geometry_alone(file, true).map(drop))?;
    let uncut = least(|| ifc::geometry_alone(file, false).map(drop))?;
    let first = least(|| open(file).map(drop))?;
    // The cutting of openings is most of the work: every reader is slow there.
    let cuts = alone > 2.0 * uncut;
    let mut rows = vec![Row::against(
        format!("{name}: first opening"),
        "cpu_s",
        first,
        "ifc-lite's geometry alone",
        alone,
        BESIDE_THE_LIBRARY,
    )];
    let before = heap::settled();
    let (model, bvh) = open(file)?;
    let held = heap::settled().saturating_sub(before);
    let triangles: usize = model.shapes.iter().map(|s| s.triangles()).sum();
    let allowed = HEAP_A_TRIANGLE * triangles + HEAP_AN_ELEMENT * model.elements.len();
    rows.push(Row::at_most(
        format!("{name}: heap of {} elements and {triangles} triangles in shapes", model.elements.len()),
        "bytes",
        held as f64,
        allowed as f64,
    ));
    rows.extend(parts(&name, model, bvh));
    rows.push(second_opening(&name, file, first)?);

    for peer in peers {
        let case = format!("{name}: first opening{}", if cuts { ", most of it openings" } else { "" });
        rows.push(match peer.net(file) {
            Ok(theirs) => Row::against(case, "cpu_s", first, peer.name, theirs, peer.goal(cuts)),
            Err(why) => Row::without(case, "cpu_s", first, peer.name, why),
        });
    }
    Ok(rows)
}

/// What each part of a model holds: it goes as they are dropped, one after the other.
fn parts(name: &str, mut model: Model, bvh: Bvh) -> Vec<Row> {
    let mut rows = Vec::new();
    let mut held = heap::in_use();
    let mut gone = |what: &str| {
        let left = heap::in_use();
        rows.push(Row::only(format!("{name}: of it {what}"), "bytes", held.saturating_sub(left) as f64));
        held = left;
    };
    drop(bvh);
    drop(std::mem::take(&mut model.details));
    gone("the picking tree");
    model.shapes = Vec::new();
    gone("the shapes");
    for element in &mut model.elements {
        element.properties = Vec::new();
    }
    gone("the properties");
    model.elements = Vec::new();
    gone("the elements");
    drop(model);
    gone("everything else");
    rows
}

/// Opens a file from the cache, which has just been filled with it.
fn second_opening(name: &str, file: &Path, first: f64) -> Result<Row, Problem> {
    let unwritable = |e: std::io::Error| Problem::error(name, format!("no temporary folder: {e}"), "free some space");
    let folder = tempfile::tempdir().map_err(unwritable)?;
    let cache = Cache::new(folder.path(), std::time::SystemTime::now());
    let (limits, progress) = (import::Limits::default(), Progress::default());
    cache.keep(&cache.read(file, &limits, &progress)?)?;
    let again = least(|| {
        let imported = cache.find(file, &limits, &progress).map_err(|_| {
            Problem::error(name, "the cache has forgotten it at once", "report this: it is a fault of Plenum")
        })?;
        drop((Bvh::of_model(&imported.model), imported));
        Ok(())
    })?;
    Ok(Row::against(format!("{name}: second opening, from the cache"), "cpu_s", again, "its first", first, A_SECOND))
}

/// Everything that can be used of a file: the model, and the tree to pick in.
fn open(file: &Path) -> Result<(Model, Bvh), Problem> {
    let (model, _) = import::read(file, &Progress::default())?;
    let bvh = Bvh::of_model(&model);
    Ok((model, bvh))
}

/// Processor seconds of all threads, the least of some runs.
fn least(mut work: impl FnMut() -> Result<(), Problem>) -> Result<f64, Problem> {
    let mut least = Duration::MAX;
    for _ in 0..RUNS {
        let start = ProcessTime::now();
        work()?;
        least = least.min(start.elapsed());
    }
    Ok(least.as_secs_f64())
}

/// The models of a folder, those in archives unpacked: the peers read no archives.
fn models_in(folder: &Path, into: &Path) -> Result<Vec<PathBuf>, Problem> {
    let unreadable = |e: &dyn std::fmt::Display| {
        Problem::error(folder.display().to_string(), format!("cannot be read: {e}"), "check PLENUM_SAMPLES")
    };
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(|e| unreadable(&e))?.flatten() {
        let path = entry.path();
        match path.extension().map(|e| e.to_ascii_lowercase()) {
            Some(e) if e == "ifc" => files.push(path),
            Some(e) if e == "ifczip" => {
                let file = std::fs::File::open(&path).map_err(|e| unreadable(&e))?;
                let mut archive = zip::ZipArchive::new(file).map_err(|e| unreadable(&e))?;
                let mut member = archive.by_index(0).map_err(|e| unreadable(&e))?;
                let name = path.with_extension("ifc");
                let to = into.join(name.file_name().unwrap_or_default());
                let mut out = std::fs::File::create(&to).map_err(|e| unreadable(&e))?;
                std::io::copy(&mut member, &mut out).map_err(|e| unreadable(&e))?;
                files.push(to);
            }
            _ => {}
        }
    }
    files.sort();
    Ok(files)
}
