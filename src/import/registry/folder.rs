//! COBie as a folder of CSV files, one a sheet: `Component.csv`, `Type.csv`, `Space.csv`, …

use super::cells::{MAX_CELLS, MAX_FILE_BYTES, Sheet, too_large};
use super::cobie::{ITEMS, UNUSED, USED};
use super::columns::plain;
use super::{delimited, read_bytes};
use crate::import::{Limits, Progress, cancelled, cannot_open};
use crate::problem::Problem;
use std::path::{Path, PathBuf};

/// So many files of a folder are looked at; a handover has about twenty.
const MAX_FILES: usize = 2_000;

/// So many names are told in one message.
const TOLD: usize = 8;

/// The sheets that a folder holds, and how many bytes they were read from.
pub(super) struct Folder {
    pub(super) sheets: Vec<Sheet>,
    pub(super) bytes: u64,
}

/// True for a folder with a file that is called as a sheet of COBie with assets, spaces or floors.
pub(super) fn is_cobie(folder: &Path) -> bool {
    folder.is_dir()
        && tables(folder).is_ok_and(|all| all.iter().any(|f| sheet_of(f).is_some_and(|s| ITEMS.contains(&s))))
}

/// Reads every sheet of COBie in a folder, or the one file that is wanted.
///
/// # Errors
/// The folder cannot be read, it holds no sheet with items (or not the one that is wanted), all of it is larger than
/// the limits, or somebody asked to stop.
pub(super) fn read(
    folder: &Path,
    wanted: Option<&str>,
    limits: &Limits,
    progress: &Progress,
    problems: &mut Vec<Problem>,
) -> Result<Folder, Problem> {
    let place = folder.display().to_string();
    let files = tables(folder)?;
    let chosen = match wanted {
        Some(wanted) => vec![(wanted.to_owned(), one(&place, &files, wanted)?)],
        None => all(&place, &files, problems)?,
    };
    let most = limits.max_bytes.min(MAX_FILE_BYTES);
    let mut read = Folder { sheets: Vec::new(), bytes: 0 };
    let mut cells = 0;
    for (name, file) in chosen {
        if progress.cancelled() {
            return Err(cancelled(&place));
        }
        if cells >= MAX_CELLS {
            let words = format!("the tables are too large: the sheet {name} is not read");
            problems.push(Problem::warning(&place, words, "split the handover"));
            continue;
        }
        let text = file.display().to_string();
        let sheet = read_bytes(&file, limits).and_then(|bytes| {
            read.bytes += bytes.len() as u64;
            delimited::read(&bytes, &text, progress, problems)
        });
        if read.bytes > most {
            return Err(too_large(&place, read.bytes, most));
        }
        match sheet {
            Ok(sheet) => {
                cells += sheet.rows.iter().map(super::cells::Row::len).sum::<usize>();
                read.sheets.push(Sheet { name, ..sheet });
            }
            // Of one sheet there is nothing but this; of several the others are worth having.
            Err(refusal) if wanted.is_some() || progress.cancelled() => return Err(refusal),
            Err(refusal) => problems.push(refusal),
        }
    }
    if wanted.is_none() {
        tell_missing(&place, &read.sheets, problems);
    }
    Ok(read)
}

/// The tables of a folder by name, hidden files left out.
fn tables(folder: &Path) -> Result<Vec<PathBuf>, Problem> {
    let entries = std::fs::read_dir(folder).map_err(|e| cannot_open(folder, &e))?;
    let mut files: Vec<PathBuf> = entries
        .take(MAX_FILES)
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| path.is_file() && !path.file_name().is_some_and(|n| n.to_string_lossy().starts_with('.')))
        .filter(|path| {
            path.extension().is_some_and(|e| ["csv", "tsv", "txt"].iter().any(|t| e.eq_ignore_ascii_case(t)))
        })
        .collect();
    files.sort();
    Ok(files)
}

/// The sheet of COBie that a file is called after: `Component.csv`, `07 Component.csv`, `clinic-cobie.component.csv`.
fn sheet_of(file: &Path) -> Option<&'static str> {
    let stem = file.file_stem()?.to_string_lossy().to_lowercase();
    let last = stem.rsplit(|c: char| !c.is_alphanumeric()).next().unwrap_or_default();
    USED.iter().chain(&UNUSED).copied().find(|sheet| *sheet == last)
}

/// The file of the one sheet that is wanted.
fn one(place: &str, files: &[PathBuf], wanted: &str) -> Result<PathBuf, Problem> {
    let is = |file: &&PathBuf| {
        let stem = file.file_stem().map(|s| plain(&s.to_string_lossy()));
        stem.is_some_and(|s| s == plain(wanted)) || sheet_of(file).is_some_and(|s| s == plain(wanted))
    };
    files.iter().find(is).cloned().ok_or_else(|| {
        let remedy = format!("use one of {}", listed(files.iter().map(PathBuf::as_path)));
        Problem::error(place, format!("no file in this folder is called {wanted}.csv"), remedy)
    })
}

/// By sheet: its file. Where two are called after one sheet, the first counts.
fn all(place: &str, files: &[PathBuf], problems: &mut Vec<Problem>) -> Result<Vec<(String, PathBuf)>, Problem> {
    let mut chosen: Vec<(&'static str, &PathBuf)> = Vec::new();
    let mut others = Vec::new();
    for file in files {
        match sheet_of(file) {
            Some(sheet) => match chosen.iter().find(|(s, _)| *s == sheet) {
                None => chosen.push((sheet, file)),
                Some((_, first)) => problems.push(Problem::warning(
                    file.display().to_string(),
                    format!("the sheet {} is read from {}: this file is left out", capital(sheet), name(first)),
                    "keep one of them in the folder",
                )),
            },
            None => others.push(file.as_path()),
        }
    }
    if !chosen.iter().any(|(sheet, _)| ITEMS.contains(sheet)) {
        let found = if files.is_empty() { "none at all".to_owned() } else { listed(others.iter().copied()) };
        return Err(Problem::error(
            place,
            format!("this folder has no CSV files that are called as the sheets of COBie: {found}"),
            "name a folder with Component.csv, Type.csv, Space.csv, …; or one table by its file",
        ));
    }
    if !others.is_empty() {
        let names = listed(others.iter().copied());
        problems.push(Problem::info(place, format!("not read, for COBie has no such sheets: {names}"), ""));
    }
    Ok(chosen.into_iter().map(|(sheet, file)| (capital(sheet), file.clone())).collect())
}

/// What follows from a sheet that every handover should have and this one has not.
const NEEDED: [(&str, &str); 5] = [
    ("component", "no equipment is named"),
    ("type", "makers, models and warranties of components are not known"),
    ("space", "rooms are named only where components name them"),
    ("floor", "storeys are not named"),
    ("facility", "the building is not named"),
];

fn tell_missing(place: &str, sheets: &[Sheet], problems: &mut Vec<Problem>) {
    let is_there = |name: &str| sheets.iter().any(|s| plain(&s.name) == name);
    for (sheet, so) in NEEDED.into_iter().filter(|(s, _)| !is_there(s)) {
        let words = format!("there is no {}.csv: {so}", capital(sheet));
        problems.push(Problem::warning(place, words, "export the whole handover, or put the file there"));
    }
    let needed = |name: &&&str| !NEEDED.iter().any(|(s, _)| s == *name);
    let wanting: Vec<String> = USED.iter().filter(needed).filter(|s| !is_there(s)).map(|s| capital(s)).collect();
    if !wanting.is_empty() {
        let words = format!("there are no sheets {}: what they would say is not known", wanting.join(", "));
        problems.push(Problem::info(place, words, ""));
    }
}

fn name(file: &Path) -> String {
    file.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

fn listed<'a>(files: impl ExactSizeIterator<Item = &'a Path>) -> String {
    let more = files.len().saturating_sub(TOLD);
    let mut names = files.take(TOLD).map(name).collect::<Vec<_>>().join(", ");
    if more > 0 {
        names += &format!(" and {more} more");
    }
    names
}

/// As COBie writes the names of its sheets.
fn capital(sheet: &str) -> String {
    let mut letters = sheet.chars();
    letters.next().map(|first| first.to_ascii_uppercase()).into_iter().chain(letters).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_called_after_its_sheet() {
        let sheet = |name: &str| sheet_of(Path::new(name));
        assert_eq!(sheet("Component.csv"), Some("component"));
        assert_eq!(sheet("07_COMPONENT.txt"), Some("component"));
        assert_eq!(sheet("clinic-cobie.Type.csv"), Some("type"));
        assert_eq!(sheet("Contact.csv"), Some("contact"));
        for other in ["Subtype.csv", "component list.csv", "assets.csv", ".csv"] {
            assert_eq!(sheet(other), None, "{other}");
        }
        assert_eq!((capital("type"), capital("")), ("Type".into(), String::new()));
    }
}
