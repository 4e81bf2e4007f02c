//! `[[registries]]`: tables of assets that are joined to the models.

use super::load::file_or_folder_of;
use super::sheet::Table;
use crate::site::assets::COLUMNS;
use std::path::{Path, PathBuf};

/// An asset registry of the project: COBie (a workbook, or a folder of CSV files), another workbook or a CSV file.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct RegistryFile {
    /// Absolute path.
    pub file: PathBuf,
    /// What people call it; none: its file name.
    pub name: Option<String>,
    /// The one sheet to read; none: every sheet that is a table of assets.
    pub sheet: Option<String>,
    /// Meaning (one of [`COLUMNS`]) and heading of columns that are not to be guessed.
    pub columns: Vec<(String, String)>,
    /// Line of its `file` in `twin.toml`.
    pub line: usize,
}

pub(super) fn read_all(tables: Vec<Table<'_>>, folder: &Path) -> Vec<RegistryFile> {
    tables.into_iter().filter_map(|t| read(t, folder)).collect()
}

fn read(table: Table<'_>, folder: &Path) -> Option<RegistryFile> {
    let file = file_or_folder_of(&table, folder);
    let mut columns = Vec::new();
    if let Some(stated) = table.table("columns") {
        for meaning in COLUMNS {
            columns.extend(stated.word(meaning).map(|heading| (meaning.to_owned(), heading.value)));
        }
        stated.finish();
    }
    let registry = RegistryFile {
        file: file.clone().unwrap_or_default(),
        name: table.word("name").map(|n| n.value),
        sheet: table.word("sheet").map(|s| s.value),
        columns,
        line: table.line_of("file"),
    };
    table.finish();
    file.map(|_| registry)
}

#[cfg(test)]
mod tests {
    use super::super::load;

    #[test]
    fn registries_are_read_and_what_is_wrong_has_its_line() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("a.csv"), "Tag\n").unwrap();
        std::fs::create_dir(folder.path().join("cobie")).unwrap();
        let text = "name = \"House\"\n\
            [[registries]]\nfile = \"a.csv\"\nname = \"Assets\"\nsheet = \"Pumps\"\n\
            columns = { tag = \"Mark\", space = \"Room No.\" }\n\
            [[registries]]\nfile = \"gone.xlsx\"\ncolumns = { mark = \"Tag\" }\n\
            [[registries]]\nsheets = \"x\"\n\
            [[registries]]\nfile = \"cobie\"\n";
        std::fs::write(folder.path().join("twin.toml"), text).unwrap();
        let (project, problems) = load(folder.path()).unwrap();
        assert_eq!(project.registries.len(), 3);
        assert_eq!(project.registries[2].file, folder.path().join("cobie"));
        assert_eq!(problems.len(), 5, "and that there is no model: {problems:#?}");
        let first = &project.registries[0];
        assert_eq!((first.name.as_deref(), first.sheet.as_deref(), first.line), (Some("Assets"), Some("Pumps"), 3));
        let columns: Vec<(&str, &str)> = first.columns.iter().map(|(m, h)| (m.as_str(), h.as_str())).collect();
        assert_eq!(columns, [("tag", "Mark"), ("space", "Room No.")]);
        for (line, words) in
            [(8, "no file `gone.xlsx`"), (9, "`mark` is no key"), (10, "has no `file`"), (11, "`sheets` is no key")]
        {
            let place = format!("twin.toml:{line}");
            let found = problems.iter().any(|p| p.place == place && p.message.contains(words) && !p.remedy.is_empty());
            assert!(found, "{line} {words}: {problems:#?}");
        }
    }
}
