//! IFC files (2X3, 4, 4X3) and ifcZIP.
//!
//! Records are read by [`lite`] (the one file that names the library); [`elements`] and its neighbours turn
//! them into a [`Model`], while [`mesher`] makes triangles on a thread of its own; [`shapes`] brings these
//! into each product's own frame, where equal ones become one.

mod attributes;
mod container;
mod elements;
mod ends;
mod facts;
mod georeference;
mod lite;
mod mesher;
mod numbers;
mod placement;
mod properties;
mod relations;
mod report;
mod shapes;
mod spatial;
mod units;

pub(super) use container::as_utf8;
pub use facts::{Facts, open as facts};
pub(super) use lite::VERSION as LIBRARY;
pub use report::is_cut_short;

use super::preview::Glimpse;
use super::{Limits, Progress};
use crate::problem::Problem;
use crate::site::model::{Model, Totals};
use glam::DAffine3;
use lite::Step;
use placement::Placements;
use relations::Relations;
use rustc_hash::{FxHashMap as HashMap, FxHashSet as HashSet};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::Arc;

/// Reads an IFC file (STEP, plain or zipped) with the usual limits.
///
/// # Errors
/// When nothing of it can be read: missing, empty, another format, an unknown schema, no element.
pub fn read(path: &Path, progress: &Progress) -> Result<(Model, Vec<Problem>), Problem> {
    read_within(path, &Limits::default(), progress)
}

/// Reads an IFC file within stated limits.
///
/// # Errors
/// As [`read`].
pub fn read_within(path: &Path, limits: &Limits, progress: &Progress) -> Result<(Model, Vec<Problem>), Problem> {
    guarded(path, |place| {
        let (model, problems, ..) = read_file(path, place, limits, progress)?;
        Ok((model, problems))
    })
}

/// Reads an IFC file as a model and for checks, its records once for both.
///
/// # Errors
/// As [`read`].
pub fn read_with_facts(
    path: &Path,
    limits: &Limits,
    progress: &Progress,
) -> Result<(Model, Vec<Problem>, Facts), Problem> {
    guarded(path, |place| {
        let (model, problems, step, relations) = read_file(path, place, limits, progress)?;
        let name = path.file_name().map_or_else(|| place.to_owned(), |n| n.to_string_lossy().into_owned());
        let facts = Facts::of(name, model.schema.clone(), step, relations);
        Ok((model, problems, facts))
    })
}

/// Our own code does not panic; what it calls is not ours.
fn guarded<T>(path: &Path, read: impl FnOnce(&str) -> Result<T, Problem>) -> Result<T, Problem> {
    let place = path.display().to_string();
    catch_unwind(AssertUnwindSafe(|| read(&place))).unwrap_or_else(|_| {
        Err(Problem::error(
            place,
            "the IFC library gave up on this file",
            "open it in another program and export it again",
        ))
    })
}

/// What the IFC library alone makes of a file, thrown away: how many surfaces. For `plenum bench import`, to hold
/// the whole reader against. `cut`: openings are cut.
///
/// # Errors
/// As [`read`], and when the system gives no threads.
pub fn geometry_alone(path: &Path, cut: bool) -> Result<usize, Problem> {
    let contents = container::open(path, &Limits::default())?;
    lite::mesh_alone(contents.bytes, mesher::BATCH, cut)
        .map_err(|why| Problem::error(path.display().to_string(), why, "free some memory"))
}

fn read_file(
    path: &Path,
    place: &str,
    limits: &Limits,
    progress: &Progress,
) -> Result<(Model, Vec<Problem>, Step, Relations), Problem> {
    let contents = container::open(path, limits)?;
    let mut problems = Vec::new();
    let schema = match lite::declared_schema(&contents.bytes) {
        Some((schema, true)) => schema,
        Some((schema, false)) => return Err(report::unknown_schema(place, &schema)),
        None => {
            problems.push(Problem::warning(place, "the header names no schema; read as IFC4", "export the file again"));
            "IFC4".to_owned()
        }
    };
    if !report::ends_properly(&contents.bytes) {
        problems.push(report::truncated(place));
    }
    let bytes = Arc::new(contents.bytes);
    let step = Step::scan(Arc::clone(&bytes), &schema);
    report::records(&step, place, &mut problems);
    let products = elements::products(&step);
    if products.is_empty() {
        return Err(report::no_elements(place, &step, &problems));
    }
    let unit_m = step.length_unit().unwrap_or_else(|| {
        problems.push(report::no_unit(place));
        1.0
    });
    let relations = Relations::read(&step);
    let hosts = relations.hosts(&products);

    let mut placements = Placements::new(&step, unit_m);
    let frame = |id: &u32| Some((*id, placements.of(&step.record(*id)?)?));
    let frames: HashMap<u32, DAffine3> = products.iter().filter_map(frame).collect();

    let show = progress.sink().map(|sink| {
        // Who looks on wants it now; the run that makes the triangles finds it on its way.
        let georeference = georeference::read(&step, &lite::Outcome::default(), unit_m, place, &mut Vec::new());
        sink.show(Glimpse::Begun { file: path, georeference });
        mesher::Show { sink, file: path, hidden: step.of("IFCSPACE").into_iter().collect() }
    });

    // Triangles on threads of their own, and everything else here meanwhile.
    let patience = mesher::Patience { cut: limits.cut_patience, uncut: limits.uncut_patience };
    let job = mesher::Job { bytes: &bytes, ids: &products, hosts: &hosts, frames: &frames, patience, show };
    let (mut meshes, mut read) = std::thread::scope(|scope| {
        let mesher = scope.spawn(|| mesher::run(&step, &job, progress));
        let read = elements::read(&step, &relations, &mut placements, unit_m, &products, progress);
        (mesher.join().unwrap_or_default(), read)
    });
    if meshes.cancelled || progress.cancelled() {
        return Err(super::cancelled(place));
    }

    let uncut: HashSet<u32> = meshes.uncut.iter().copied().collect();
    for ((record, represented), element) in read.records.iter().zip(&read.represented).zip(&mut read.model.elements) {
        element.without_openings = uncut.contains(record);
        // A wall that is all opening is as its author meant it.
        element.geometry_failed = *represented && !hosts.contains(record) && !meshes.placed.contains_key(record);
        let Some(Some(placed)) = meshes.placed.remove(record) else { continue };
        element.shape = Some(placed.shape);
        element.placement = placed.placement;
        element.bounds = Some(placed.bounds);
        element.colour = placed.colour;
    }
    report::elements(&step, &read, &placements, &relations, &mut problems);
    report::geometry(&step, &read, &hosts, &meshes, &mut problems);

    let ends = ends::read(&step, &relations, &read, &frames, unit_m);
    let mut model = read.model;
    model.ends = ends;
    model.units = units::of_file(&step);
    model.georeference = georeference::read(&step, &meshes.outcome, unit_m, place, &mut problems);
    model.shapes = meshes.shapes.list;
    model.cut_short = !(meshes.uncut.is_empty() && meshes.given_up.is_empty() && meshes.failures.is_empty());
    model.without_openings = model.counted().filter(|e| e.without_openings).count();
    model.totals = Totals {
        property_sets: step.of("IFCPROPERTYSET").len(),
        quantities: step.of("IFCELEMENTQUANTITY").len(),
        materials: step.of("IFCMATERIAL").len(),
        ..Totals::default()
    };
    model.file = path.to_owned();
    model.kind = if contents.zipped { "ifczip" } else { "ifc" }.to_owned();
    model.schema = schema;
    model.bytes = contents.size;
    if model.counted().next().is_none() && model.elements.is_empty() {
        return Err(report::no_elements(place, &step, &problems));
    }
    Ok((model, problems, step, relations))
}
