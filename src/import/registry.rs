//! Asset registries: COBie (a workbook, or a folder of CSV files), other workbooks and CSV files with one row an asset.
//!
//! A file becomes rows ([`delimited`], [`workbook`], [`folder`]), rows become a table with named columns ([`columns`]) and a
//! table [`RegistryItem`]s ([`rows`], [`cobie`]). What the rows are joined to is [`crate::site::assets`]' matter.

mod cells;
mod cobie;
mod columns;
mod delimited;
mod folder;
mod rows;
mod workbook;

use super::{Limits, Progress};
use crate::problem::Problem;
use crate::site::assets::{Registry, RegistryItem};
use crate::site::model::{Model, Totals};
use crate::site::project::RegistryFile;
use cells::Sheet;
use std::io::Read;
use std::path::Path;

/// Reads a registry as a project names it.
///
/// # Errors
/// When nothing of it can be read: missing, empty, another format, damaged, larger than the limits, stopped, or no
/// column that says which asset a row is about.
pub fn read(named: &RegistryFile, limits: &Limits, progress: &Progress) -> Result<(Registry, Vec<Problem>), Problem> {
    if named.file.is_dir() {
        return read_folder(named, limits, progress);
    }
    let bytes = read_bytes(&named.file, limits)?;
    read_from(named, &bytes, limits, progress)
}

/// True for a folder of CSV files that are called as the sheets of COBie.
pub(super) fn is_folder(path: &Path) -> bool {
    folder::is_cobie(path)
}

fn read_folder(
    named: &RegistryFile,
    limits: &Limits,
    progress: &Progress,
) -> Result<(Registry, Vec<Problem>), Problem> {
    let place = named.file.display().to_string();
    let mut problems = Vec::new();
    let read = folder::read(&named.file, named.sheet.as_deref(), limits, progress, &mut problems)?;
    let (kind, items) = match named.sheet {
        None => ("cobie", cobie::items(&read.sheets, &place, &mut problems)),
        Some(_) => ("csv", rows::items(&read.sheets, &named.columns, &place, &mut problems)?),
    };
    Ok((registry(named, kind, read.bytes, items, &mut problems), problems))
}

/// Reads a registry from the bytes of its file, which is not opened.
///
/// # Errors
/// As [`read`].
pub fn read_from(
    named: &RegistryFile,
    bytes: &[u8],
    limits: &Limits,
    progress: &Progress,
) -> Result<(Registry, Vec<Problem>), Problem> {
    let path = named.file.as_path();
    let place = path.display().to_string();
    let mut problems = Vec::new();
    let wanted = named.sheet.as_deref();
    let (mut kind, sheets) = sheets(path, (&place, wanted), bytes, limits, progress, &mut problems)?;
    let items = if named.sheet.is_none() && cobie::is_cobie(&sheets) {
        kind = "cobie";
        cobie::items(&sheets, &place, &mut problems)
    } else {
        rows::items(&sheets, &named.columns, &place, &mut problems)?
    };
    Ok((registry(named, kind, bytes.len() as u64, items, &mut problems), problems))
}

/// What was read, under its name.
fn registry(
    named: &RegistryFile,
    kind: &str,
    bytes: u64,
    items: Vec<RegistryItem>,
    problems: &mut Vec<Problem>,
) -> Registry {
    if items.is_empty() {
        let place = named.file.display().to_string();
        problems.push(Problem::warning(place, "no row says anything of an asset", "fill it in, or leave it out"));
    }
    let file_name = named.file.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let name = named.name.clone().unwrap_or(file_name);
    Registry { file: named.file.clone(), name, kind: kind.to_owned(), bytes, items }
}

/// Reads a registry as `plenum import` does with any file: a model without elements that counts the rows.
///
/// # Errors
/// As [`read`].
pub fn read_model(path: &Path, limits: &Limits, progress: &Progress) -> Result<(Model, Vec<Problem>), Problem> {
    let named = RegistryFile { file: path.to_owned(), ..RegistryFile::default() };
    let (registry, problems) = read(&named, limits, progress)?;
    let model = Model {
        file: path.to_owned(),
        kind: registry.kind,
        bytes: registry.bytes,
        totals: Totals { rows: registry.items.len(), ..Totals::default() },
        ..Model::default()
    };
    Ok((model, problems))
}

fn read_bytes(path: &Path, limits: &Limits) -> Result<Vec<u8>, Problem> {
    let place = || path.display().to_string();
    let (file, size) = super::open_file(path)?;
    let most = limits.max_bytes.min(cells::MAX_FILE_BYTES);
    if size > most {
        return Err(cells::too_large(&place(), size, most));
    }
    let mut bytes = Vec::new();
    file.take(most.saturating_add(1)).read_to_end(&mut bytes).map_err(|e| super::cannot_open(path, &e))?;
    if bytes.is_empty() {
        return Err(Problem::error(place(), "the file is empty", "export or copy it again"));
    }
    if bytes.len() as u64 > most {
        return Err(cells::too_large(&place(), bytes.len() as u64, most));
    }
    Ok(bytes)
}

/// The kind of file by its first bytes, and its sheets, or the one that is wanted.
fn sheets(
    path: &Path,
    (place, wanted): (&str, Option<&str>),
    bytes: &[u8],
    limits: &Limits,
    progress: &Progress,
    problems: &mut Vec<Problem>,
) -> Result<(&'static str, Vec<Sheet>), Problem> {
    const OLD_EXCEL: &[u8] = &[0xD0, 0xCF, 0x11, 0xE0];
    if bytes.starts_with(b"PK\x03\x04") || bytes.starts_with(b"PK\x05\x06") {
        return Ok(("xlsx", workbook::read(bytes, (place, wanted), limits, progress, problems)?));
    }
    if bytes.starts_with(OLD_EXCEL) {
        return Err(Problem::error(
            place,
            "this is a workbook of Excel 97 to 2003 (.xls), or one with a password",
            "save it as an Excel workbook (.xlsx) without a password, or as CSV",
        ));
    }
    if path.extension().is_some_and(|e| e.eq_ignore_ascii_case("xlsx") || e.eq_ignore_ascii_case("xlsm")) {
        return Err(Problem::error(
            place,
            "this is not an Excel workbook: it does not begin as one",
            "save it as .xlsx again; a text file with columns is called .csv",
        ));
    }
    if wanted.is_some() {
        let remedy = "leave `sheet` out of its [[registries]] entry";
        return Err(Problem::error(place, "a CSV file has no sheets", remedy));
    }
    Ok(("csv", vec![delimited::read(bytes, place, progress, problems)?]))
}
