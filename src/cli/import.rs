//! `plenum import`: Reads building models and map layers and says what is in them.

use super::bar::with_bar;
use super::output::{Failure, parse_duration, peak_rss_mb, print_json, print_text};
use super::{cache, interrupt};
use crate::import::cache::{Bounds, Cache, Imported};
use crate::import::{Limits, Progress, colour::display};
use crate::problem::{Problem, Severity};
use crate::shape::{Aabb, Bvh};
use crate::site::infer::{self, Evidence, Joining};
use crate::site::model::{ElementKind, Georeference, Model, PropertyValue};
use serde::Serialize;
use serde_json::{Map, Value, json};
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// Reads building models and map layers and says what is in them.
#[derive(clap::Args)]
pub struct Args {
    /// IFC (2X3, 4, 4X3), ifcZIP, GeoJSON, or asset registries (COBie, XLSX, CSV; a folder of COBie as CSV files).
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// Print one JSON document on stdout.
    #[arg(long)]
    json: bool,
    /// Write every element as one line of JSON.
    #[arg(long, value_name = "OUT.jsonl")]
    elements: Option<PathBuf>,
    /// `off`, or a folder for what was read before: an unchanged file is not parsed twice [default: scenes in the
    /// user's cache folder].
    #[arg(long, value_name = "off|DIR", env = cache::VARIABLE, hide_env_values = true)]
    cache: Option<String>,
    /// How large that folder may grow, MB (10⁶ bytes); it holds 200 files at most. What was not used for the longest
    /// time goes first.
    #[arg(long, value_name = "N", default_value_t = 2000)]
    cache_mb: u64,
    /// Refuse files, and archive members, that are larger, MB (10⁶ bytes).
    #[arg(long, value_name = "N", default_value_t = 2000)]
    limit_mb: u64,
    /// How long cutting the openings of a batch of elements may take before it is made without.
    #[arg(long, value_name = "TIME", value_parser = parse_duration, default_value = "30s")]
    patience: Duration,
}

/// What the contract's JSON says of one file.
#[derive(Serialize)]
struct FileReport {
    file: String,
    kind: Option<String>,
    schema: Option<String>,
    bytes: Option<u64>,
    seconds: f64,
    from_cache: bool,
    elements: Option<usize>,
    with_geometry: Option<usize>,
    without_openings: Option<usize>,
    triangles: Option<usize>,
    shapes: Option<usize>,
    storeys: Option<usize>,
    spaces: Option<usize>,
    zones: Option<usize>,
    systems: Option<usize>,
    connection_points: Option<usize>,
    connections: Option<usize>,
    /// Joints that no port declares: by geometry, and cables that nobody draws.
    inferred_connections: Option<usize>,
    property_sets: Option<usize>,
    quantities: Option<usize>,
    materials: Option<usize>,
    /// Rows of an asset registry; null for anything else.
    rows: Option<usize>,
    bounds_m: Option<Aabb>,
    georeference: Option<Georeference>,
    problems: Vec<Problem>,
}

/// Runs the verb.
pub fn run(args: Args) -> Result<(), Failure> {
    let bounds = Bounds { max_bytes: args.cache_mb.saturating_mul(1_000_000), ..Bounds::default() };
    let cache = cache::of_files(args.cache.as_deref(), bounds)?;
    interrupt::listen();
    let limits = Limits {
        max_bytes: args.limit_mb.saturating_mul(1_000_000),
        cut_patience: args.patience,
        uncut_patience: (args.patience.saturating_mul(5) / 6).max(Limits::default().uncut_patience),
    };
    // Asked for before the work, so that a folder that cannot be written to is known at once.
    let mut out = args.elements.as_deref().map(ElementsFile::create).transpose()?;
    let mut reports = Vec::new();
    let mut failed = None;
    let mut unkept = None;
    for file in &args.files {
        let started = Instant::now();
        let result = read_with_progress(file, &cache, &limits);
        if interrupt::interrupted() {
            return Err(Failure::Failed(Problem::error(file.display().to_string(), "stopped on request", "")));
        }
        let report = match result {
            Ok(mut imported) => {
                let bvh = Bvh::of_model(&imported.model);
                let evidence = Evidence::of_model(&imported.model);
                let inferred = infer::infer(&evidence, &Joining::default(), &[]).joins.len();
                let seconds = started.elapsed().as_secs_f64();
                drop(bvh);
                if let Some(out) = &mut out {
                    out.write(&imported.model)?;
                }
                // Said once: what holds for one file holds for all.
                if let Err(problem) = cache.keep(&imported)
                    && unkept.is_none()
                {
                    eprintln!("plenum: {problem}");
                    unkept = Some(problem);
                }
                if out.is_some() && imported.model.is_registry() {
                    imported.problems.push(no_elements(file));
                }
                FileReport::of(file, inferred, seconds, imported)
            }
            Err(problem) => {
                failed.get_or_insert_with(|| problem.clone());
                FileReport::refused(file, started.elapsed().as_secs_f64(), problem)
            }
        };
        if !args.json {
            print_text(&describe(&report))?;
        }
        reports.push(report);
    }
    if let Some(out) = out {
        out.finish()?;
    }
    if args.json {
        print_json(&json!({ "files": reports, "peak_rss_mb": peak_rss_mb() }))?;
    }
    failed.map_or(Ok(()), |problem| Err(Failure::Failed(problem)))
}

/// What `--elements` has of a table of assets.
fn no_elements(file: &Path) -> Problem {
    let remedy = "name it in twin.toml under [[registries]], beside the [[models]] that it speaks of";
    Problem::info(file.display().to_string(), "an asset registry has no elements of its own: none is written", remedy)
}

/// Takes a file from the cache, else reads it on a thread of its own while a bar on the terminal, and Ctrl-C, are
/// served here.
pub(super) fn read_with_progress(file: &Path, cache: &Cache, limits: &Limits) -> Result<Imported, Problem> {
    let missing = match cache.find(file, limits, interrupt::progress()) {
        Ok(imported) => return Ok(imported),
        Err(missing) => missing,
    };
    let progress = Progress::default();
    with_bar(file, &progress, || missing.read(file, limits, &progress))
}

impl FileReport {
    fn of(file: &Path, inferred: usize, seconds: f64, imported: Imported) -> Self {
        let Imported { model, problems, from_cache, .. } = imported;
        let spaces = model.elements.iter().filter(|e| e.kind == ElementKind::Space).count();
        let triangles = |shape: u32| model.shapes.get(shape as usize).map_or(0, |s| s.triangles());
        Self {
            from_cache,
            bytes: Some(model.bytes),
            elements: Some(model.counted().count()),
            with_geometry: Some(model.counted().filter(|e| e.shape.is_some()).count()),
            without_openings: Some(model.without_openings),
            triangles: Some(model.counted().filter_map(|e| e.shape).map(triangles).sum()),
            shapes: Some(model.shapes.len()),
            storeys: Some(model.storeys.len()),
            spaces: Some(spaces),
            zones: Some(model.zones.len()),
            systems: Some(model.systems.len()),
            connection_points: Some(model.connection_points.len()),
            connections: Some(model.connections.len()),
            inferred_connections: Some(inferred),
            property_sets: Some(model.totals.property_sets),
            quantities: Some(model.totals.quantities),
            materials: Some(model.totals.materials),
            rows: model.is_registry().then_some(model.totals.rows),
            bounds_m: model.bounds(),
            kind: Some(model.kind),
            schema: Some(model.schema),
            georeference: model.georeference,
            problems,
            ..Self::empty(file, seconds)
        }
    }

    fn refused(file: &Path, seconds: f64, problem: Problem) -> Self {
        let bytes = std::fs::metadata(file).ok().map(|m| m.len());
        Self { bytes, problems: vec![problem], ..Self::empty(file, seconds) }
    }

    fn empty(file: &Path, seconds: f64) -> Self {
        Self {
            file: file.display().to_string(),
            kind: None,
            schema: None,
            bytes: None,
            seconds: (seconds * 1e6).round() / 1e6,
            from_cache: false,
            elements: None,
            with_geometry: None,
            without_openings: None,
            triangles: None,
            shapes: None,
            storeys: None,
            spaces: None,
            zones: None,
            systems: None,
            connection_points: None,
            connections: None,
            inferred_connections: None,
            property_sets: None,
            quantities: None,
            materials: None,
            rows: None,
            bounds_m: None,
            georeference: None,
            problems: Vec::new(),
        }
    }
}

/// For people.
fn describe(report: &FileReport) -> String {
    let mut lines = Vec::new();
    lines.push(report.file.clone());
    if let (Some(kind), Some(elements)) = (&report.kind, report.elements) {
        let schema = report.schema.as_deref().filter(|s| !s.is_empty()).map(|s| format!(" {s}")).unwrap_or_default();
        lines.push(format!(
            "  {kind}{schema}, {:.1} MB, read in {:.2} s{}",
            report.bytes.unwrap_or(0) as f64 / 1e6,
            report.seconds,
            if report.from_cache { ", from the cache" } else { "" }
        ));
        if let Some(rows) = report.rows {
            lines.push(format!("  {rows} rows that name an asset, a space, a storey or a building"));
        } else {
            lines.extend(counts(report, elements));
        }
        if let Some(bounds) = report.bounds_m {
            let size = bounds.size();
            lines.push(format!("  {:.2} × {:.2} × {:.2} m", size.x, size.y, size.z));
        }
        if let Some(g) = &report.georeference {
            let crs = if g.crs.is_empty() { "an unnamed map" } else { &g.crs };
            let [e, n, h] = g.origin_m;
            lines.push(format!("  origin at {e:.3}, {n:.3}, {h:.3} m in {crs}, turned by {:.4}°", g.rotation_deg));
        }
    }
    for problem in &report.problems {
        lines.push(format!("  {problem}"));
    }
    let errors = report.problems.iter().filter(|p| p.severity == Severity::Error).count();
    if report.elements.is_none() && errors > 0 {
        lines.push("  nothing was read".to_owned());
    }
    lines.push(String::new());
    lines.join("\n")
}

/// How many of everything a model holds.
fn counts(report: &FileReport, elements: usize) -> [String; 3] {
    let number = |n: Option<usize>| n.unwrap_or(0);
    [
        format!(
            "  {elements} elements, {} with geometry: {} triangles in {} shapes",
            number(report.with_geometry),
            number(report.triangles),
            number(report.shapes)
        ),
        format!(
            "  {} storeys, {} spaces, {} zones, {} systems, {} connection points, {} connections, {} inferred",
            number(report.storeys),
            number(report.spaces),
            number(report.zones),
            number(report.systems),
            number(report.connection_points),
            number(report.connections),
            number(report.inferred_connections)
        ),
        format!(
            "  {} property sets, {} quantity sets, {} materials",
            number(report.property_sets),
            number(report.quantities),
            number(report.materials)
        ),
    ]
}

/// The `--elements` file: whole at its name, or not there.
struct ElementsFile {
    path: PathBuf,
    file: BufWriter<tempfile::NamedTempFile>,
}

impl ElementsFile {
    fn create(path: &Path) -> Result<Self, Problem> {
        let folder = path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
        if path.is_dir() {
            return Err(Problem::error(path.display().to_string(), "this is a folder", "give the name of a file"));
        }
        if std::fs::metadata(path).is_ok_and(|m| m.permissions().readonly()) {
            return Err(Self::failed(path, &"it is there already and read-only"));
        }
        let file = tempfile::Builder::new().prefix(".plenum-").suffix(".part").tempfile_in(folder);
        let file = file.map_err(|e| Self::failed(path, &e))?;
        Ok(Self { path: path.to_owned(), file: BufWriter::new(file) })
    }

    fn failed(path: &Path, why: &dyn std::fmt::Display) -> Problem {
        Problem::error(
            path.display().to_string(),
            format!("cannot write the elements: {why}"),
            "give a file in a folder that can be written to, on a disk with room",
        )
    }

    fn write(&mut self, model: &Model) -> Result<(), Problem> {
        for line in element_lines(model) {
            writeln!(self.file, "{line}").map_err(|e| Self::failed(&self.path, &e))?;
        }
        Ok(())
    }

    fn finish(self) -> Result<(), Problem> {
        let failed = |e: &dyn std::fmt::Display| Self::failed(&self.path, e);
        let file = self.file.into_inner().map_err(|e| failed(&e))?;
        // A temporary file is private; what takes its place is as readable as a new file would be.
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            let mode = std::fs::metadata(&self.path).map_or(0o644, |m| m.permissions().mode());
            let _ = file.as_file().set_permissions(std::fs::Permissions::from_mode(mode));
        }
        file.persist(&self.path).map_err(|e| failed(&e.error))?;
        Ok(())
    }
}

/// One line of JSON for every element that counts, in the order of the file.
fn element_lines(model: &Model) -> impl Iterator<Item = Value> {
    model.counted().map(|element| {
        let shape = element.shape.and_then(|s| model.shapes.get(s as usize));
        let name_of = |i: Option<u32>| i.and_then(|i| model.storeys.get(i as usize)).map(|s| s.name.clone());
        let space = element.space.and_then(|i| model.elements.get(i as usize)).map(|s| s.name.clone());
        let systems: Vec<&str> =
            element.systems.iter().filter_map(|i| model.systems.get(*i as usize)).map(|s| s.name.as_str()).collect();
        let mut sets = Map::new();
        for set in &element.properties {
            let entry = sets.entry(set.name.clone()).or_insert_with(|| Value::Object(Map::new()));
            let Value::Object(values) = entry else { continue };
            for (name, value) in &set.values {
                // The element's own come first and win over its type's.
                values.entry(name.to_owned()).or_insert_with(|| property(value));
            }
        }
        json!({
            "id": element.id,
            "type": element.class,
            "name": element.name,
            "storey": name_of(element.storey),
            "space": space,
            "systems": systems,
            "triangles": shape.map_or(0, |s| s.triangles()),
            "bounds_m": element.bounds,
            "volume_m3": shape.map(|s| s.volume_m3()),
            "colour": shape.map(|_| display(element.colour)),
            "properties": sets,
            "tag": element.tag,
            "type_name": element.type_name,
            "predefined_type": element.predefined_type,
            "materials": element.materials,
            "classification": element.classification,
        })
    })
}

fn property(value: &PropertyValue) -> Value {
    serde_json::to_value(value).unwrap_or(Value::Null)
}
