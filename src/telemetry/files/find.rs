//! Which files a `[[files]]` names.

use crate::site::binding::glob;
use crate::site::project::{FileSource, TableFormat};
use std::io;
use std::path::{Path, PathBuf};

/// Endings of files that are taken of a folder of which nothing more is said.
const TABLES: [&str; 4] = ["csv", "tsv", "txt", "parquet"];

/// The files there are, by name; those that somebody is still writing under another name are left out.
///
/// # Errors
/// The folder cannot be read.
pub(super) fn files(source: &FileSource) -> io::Result<Vec<PathBuf>> {
    let name = source.path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let is_table = |file: &Path| {
        let ending = file.extension().unwrap_or_default().to_string_lossy().to_ascii_lowercase();
        TABLES.contains(&ending.as_str())
    };
    let (folder, wanted): (&Path, Box<dyn Fn(&Path, &str) -> bool>) = if source.path.is_dir() {
        (&source.path, Box::new(move |file, _| is_table(file)))
    } else if name.contains('*') {
        (source.path.parent().unwrap_or(Path::new(".")), Box::new(move |_, called| glob(&name, called)))
    } else {
        let there = source.path.is_file();
        return Ok(if there { vec![source.path.clone()] } else { Vec::new() });
    };
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        let called = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let draft = called.starts_with(['.', '~']) || called.ends_with(".tmp") || called.ends_with(".part");
        if !draft && wanted(&path, &called) && path.is_file() {
            found.push(path);
        }
    }
    found.sort();
    Ok(found)
}

/// Whether a file is Parquet.
pub(super) fn is_parquet(source: &FileSource, path: &Path) -> bool {
    match source.format {
        TableFormat::Csv => false,
        TableFormat::Parquet => true,
        TableFormat::ByName => path.extension().is_some_and(|e| e.eq_ignore_ascii_case("parquet")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_a_folder_and_a_pattern() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["b.csv", "a.csv", "c.parquet", "notes.md", ".x.csv", "d.csv.part", "e.TXT"] {
            std::fs::write(folder.path().join(name), "").unwrap();
        }
        std::fs::create_dir(folder.path().join("f.csv")).unwrap();
        let of = |path: &str| {
            let path = if path.is_empty() { folder.path().to_path_buf() } else { folder.path().join(path) };
            let found = files(&FileSource { path, ..FileSource::default() }).unwrap();
            found.iter().map(|f| f.file_name().unwrap().to_string_lossy().into_owned()).collect::<Vec<_>>()
        };
        assert_eq!(of(""), ["a.csv", "b.csv", "c.parquet", "e.TXT"]);
        assert_eq!(of("*.csv"), ["a.csv", "b.csv"]);
        assert_eq!(of("b.csv"), ["b.csv"]);
        assert!(of("gone.csv").is_empty());
        assert!(files(&FileSource { path: folder.path().join("no/*.csv"), ..FileSource::default() }).is_err());
    }
}
