//! Files to models. Every reader returns what it could read *and* a list of problems.

pub mod cache;
pub mod colour;
pub mod gis;
pub mod ids;
pub mod ifc;
pub mod network;
pub mod ontology;
pub mod preview;
pub mod progress;
pub mod registry;

pub use progress::Progress;

use crate::problem::Problem;
use crate::site::Model;
use std::fs::File;
use std::io::Read;
use std::path::Path;
use std::time::Duration;

/// What a reader may use up.
#[derive(Clone, Debug)]
pub struct Limits {
    /// Larger files, and archive members that unpack to more, are refused, bytes.
    pub max_bytes: u64,
    /// How long the geometry of a batch may take with its openings cut; then it is made without.
    pub cut_patience: Duration,
    /// How long it may take without, and all further tries after a stall together; then these elements have no
    /// geometry. With [`Self::cut_patience`] it makes less than a minute.
    pub uncut_patience: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            max_bytes: 2_000_000_000,
            cut_patience: Duration::from_secs(30),
            uncut_patience: Duration::from_secs(25),
        }
    }
}

/// Reads a file by what it is: its extension, then its first bytes.
///
/// # Errors
/// A [`Problem`] when nothing of the file can be read: missing, empty, not a format that Plenum reads.
pub fn read(path: &Path, progress: &Progress) -> Result<(Model, Vec<Problem>), Problem> {
    read_within(path, &Limits::default(), progress)
}

/// Reads a file within stated limits.
///
/// # Errors
/// As [`read`].
pub fn read_within(path: &Path, limits: &Limits, progress: &Progress) -> Result<(Model, Vec<Problem>), Problem> {
    dispatch(path, limits, progress, &mut || ifc::read_within(path, limits, progress))
}

/// As [`read_within`], with what a check asks of an IFC file: its records are read once for both.
///
/// # Errors
/// As [`read`].
pub fn read_with_facts(
    path: &Path,
    limits: &Limits,
    progress: &Progress,
) -> Result<(Model, Vec<Problem>, Option<ifc::Facts>), Problem> {
    let mut kept = None;
    let (model, problems) = dispatch(path, limits, progress, &mut || {
        let (model, problems, facts) = ifc::read_with_facts(path, limits, progress)?;
        kept = Some(facts);
        Ok((model, problems))
    })?;
    Ok((model, problems, kept))
}

type ReadIfc<'a> = &'a mut dyn FnMut() -> Result<(Model, Vec<Problem>), Problem>;

fn dispatch(
    path: &Path,
    limits: &Limits,
    progress: &Progress,
    read_ifc: ReadIfc<'_>,
) -> Result<(Model, Vec<Problem>), Problem> {
    let extension = path.extension().map(|e| e.to_string_lossy().to_ascii_lowercase()).unwrap_or_default();
    let (mut model, problems) = match extension.as_str() {
        "ifc" | "ifczip" | "ifcxml" | "ifcx" => read_ifc(),
        "inp" => network::features::read_within(path, limits, progress),
        "geojson" => gis::geojson::read_within(path, limits, progress),
        "csv" | "tsv" | "xlsx" | "xlsm" | "xls" => registry::read_model(path, limits, progress),
        _ if registry::is_folder(path) => registry::read_model(path, limits, progress),
        _ => by_first_bytes(path, &extension, limits, progress, read_ifc),
    }?;
    model.pack();
    Ok((model, problems))
}

/// For a name that says nothing, or something else.
fn by_first_bytes(
    path: &Path,
    extension: &str,
    limits: &Limits,
    progress: &Progress,
    read_ifc: ReadIfc<'_>,
) -> Result<(Model, Vec<Problem>), Problem> {
    let mut head = Vec::new();
    let (file, _) = open_file(path)?;
    file.take(4096).read_to_end(&mut head).map_err(|e| cannot_open(path, &e))?;
    let contains = |needle: &[u8]| head.windows(needle.len()).any(|w| w.eq_ignore_ascii_case(needle));
    let first = head.iter().copied().find(|b| !b.is_ascii_whitespace());
    if contains(b"ISO-10303-21") || (head.starts_with(b"PK\x03\x04") && extension == "zip") {
        return read_ifc();
    }
    let json = first == Some(b'{') || head.starts_with(&[0xEF, 0xBB, 0xBF]);
    if json && (contains(b"FeatureCollection") || contains(b"\"Feature\"") || contains(b"\"coordinates\"")) {
        return gis::geojson::read_within(path, limits, progress);
    }
    Err(refuse(path, extension, head.is_empty(), contains(b"CityJSON")))
}

fn refuse(path: &Path, extension: &str, empty: bool, city: bool) -> Problem {
    let place = path.display().to_string();
    if empty {
        return Problem::error(place, "the file is empty", "export or copy it again");
    }
    let what = match extension {
        "shp" | "shx" | "dbf" => "Shapefile",
        "gpkg" => "GeoPackage",
        "tif" | "tiff" => "GeoTIFF",
        "rvt" => "Revit project",
        "dwg" | "dxf" => "CAD drawing",
        "glb" | "gltf" | "obj" | "fbx" => "3D mesh",
        _ if city => "city model (CityJSON)",
        "json" => "JSON file that is no GeoJSON",
        "osm" | "pbf" => "extract of OpenStreetMap",
        "xml" => "XML file",
        "zip" => "archive without an .ifc file",
        _ => "kind of file that Plenum does not know",
    };
    let article = if what.starts_with(['E', 'a']) { "an" } else { "a" };
    Problem::error(
        place,
        format!("this is {article} {what}, for which there is no reader"),
        "Plenum reads IFC (.ifc), ifcZIP (.ifczip), GeoJSON (.geojson, .json), EPANET networks (.inp) and asset registries (.xlsx, .csv, a folder \
         of COBie's sheets as .csv); export to one of these",
    )
}

/// Opens a file to be read, and tells its size, bytes. A folder, a device or a pipe is refused: a pipe that
/// nobody writes to would be waited for without end.
pub(crate) fn open_file(path: &Path) -> Result<(File, u64), Problem> {
    let data = std::fs::metadata(path).map_err(|e| cannot_open(path, &e))?;
    if !data.is_file() {
        let what = if data.is_dir() { "this is a folder" } else { "this is a device or a pipe, not a file" };
        return Err(Problem::error(path.display().to_string(), what, "give a file"));
    }
    let file = File::open(path).map_err(|e| cannot_open(path, &e))?;
    Ok((file, data.len()))
}

/// All bytes of a file that is not larger than the limit; `or` is what else could be done about one that is, before
/// the limit is raised: `split the layer, or `.
fn read_bytes(path: &Path, limits: &Limits, or: &str) -> Result<Vec<u8>, Problem> {
    let (file, size) = open_file(path)?;
    if size > limits.max_bytes {
        return Err(Problem::error(
            path.display().to_string(),
            format!("{:.0} MB are more than the limit of {:.0} MB", size as f64 / 1e6, limits.max_bytes as f64 / 1e6),
            format!("{or}raise the limit (plenum import --limit-mb N)"),
        ));
    }
    let mut bytes = Vec::new();
    file.take(limits.max_bytes).read_to_end(&mut bytes).map_err(|e| cannot_open(path, &e))?;
    Ok(bytes)
}

/// Why a file cannot be opened, with what to do.
pub(crate) fn cannot_open(path: &Path, error: &std::io::Error) -> Problem {
    let remedy = match error.kind() {
        std::io::ErrorKind::NotFound => "check the path",
        std::io::ErrorKind::PermissionDenied => "give yourself the right to read it",
        _ => "check the disk, then copy the file again",
    };
    Problem::error(path.display().to_string(), format!("cannot read the file: {error}"), remedy)
}

/// Somebody asked to stop.
pub(crate) fn cancelled(place: &str) -> Problem {
    Problem::error(place, "stopped before it was read", "")
}
