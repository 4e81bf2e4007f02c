//! `[[files]]`: tables of samples that other programs write beside the broker.

use super::sheet::{Field, Table};
use std::path::{Path, PathBuf};

/// What a file holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum TableFormat {
    /// As its name ends: `.parquet`, else text.
    #[default]
    ByName,
    /// Text with a line a row.
    Csv,
    /// Parquet.
    Parquet,
}

/// Tables that samples are read from while the twin runs.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct FileSource {
    /// A file, a folder, or files of a folder: the last part may have `*` in it. Absolute.
    pub path: PathBuf,
    /// What they are.
    pub format: TableFormat,
    /// New lines and new files are read as they come; else what is there at the start.
    pub follow: bool,
    /// How often they are looked at, seconds.
    pub every_s: f64,
    /// Names in the tables are keys of this topic; empty: they are ids of points.
    pub topic: String,
    /// Where times without a zone are, `+02:00`; none: each has to say it.
    pub zone: Option<String>,
    /// How times are written, as `strptime` has it; none: as usual.
    pub time_format: Option<String>,
    /// Columns that are called otherwise: what each is ([`COLUMNS`]), and its name.
    pub columns: Vec<(String, String)>,
    /// Names in the tables, and what they stand for: a point's id, or a key of the topic; empty: nothing.
    pub points: Vec<(String, String)>,
    /// Line of its `path` in `twin.toml`.
    pub line: usize,
}

/// What a column can be.
pub const COLUMNS: [&str; 6] = ["time", "point", "value", "unit", "quality", "code"];

pub(super) fn read_all(tables: Vec<Table<'_>>, folder: &Path) -> Vec<FileSource> {
    tables.into_iter().filter_map(|t| read(t, folder)).collect()
}

fn read(table: Table<'_>, folder: &Path) -> Option<FileSource> {
    let sheet = table.sheet;
    let path = table.word("path");
    if !table.has("path") {
        let remedy = "write path = \"exports/*.csv\", a file, or a folder";
        sheet.error(table.line, format!("{} has no `path`", table.title), remedy);
    }
    let format = match table.word("format") {
        None => TableFormat::ByName,
        Some(f) if f.value == "csv" => TableFormat::Csv,
        Some(f) if f.value == "parquet" => TableFormat::Parquet,
        Some(f) => {
            sheet.error(f.line, format!("`format` is `{}`", f.value), "use csv or parquet, or leave it out");
            TableFormat::ByName
        }
    };
    let mut columns = Vec::new();
    if let Some(stated) = table.table("columns") {
        for meaning in COLUMNS {
            columns.extend(stated.word(meaning).map(|name| (meaning.to_owned(), name.value)));
        }
        stated.finish();
    }
    let mut points = Vec::new();
    if let Some(stated) = table.table("points") {
        // Any name may stand there.
        points.extend(stated.words("point").into_iter().map(|(name, point)| (name, point.value)));
    }
    let topic = table.word("topic").filter(|t| {
        let fine = !t.value.contains(['#', '+', '\0']);
        if !fine {
            sheet.error(t.line, format!("`{}` is no topic", t.value), "write it without # and +, as bindings have it");
        }
        fine
    });
    let zone = table.word("zone").filter(|z| {
        let fine = is_zone(&z.value);
        if !fine {
            let remedy = "write UTC, +02:00, -05:00 (clocks that change need a zone in each time)";
            sheet.error(z.line, format!("`{}` is no distance from UTC", z.value), remedy);
        }
        fine
    });
    let time_format = table.text("time_format").filter(|f| is_time_format(f, &table));
    let source = FileSource {
        path: path.as_ref().map(|p| folder.join(&p.value)).unwrap_or_default(),
        format,
        follow: table.truth("follow").unwrap_or(true),
        every_s: table.number_in("every_s", 0.1, 86_400.0).map_or(5.0, |n| n.value),
        topic: topic.map(|t| t.value).unwrap_or_default(),
        zone: zone.map(|z| z.value),
        time_format: time_format.map(|f| f.value),
        columns,
        points,
        line: table.line_of("path"),
    };
    if let Some(path) = &path {
        check_path(&table, path, &source.path, folder);
    }
    table.finish();
    path.map(|_| source)
}

/// The folder has to be there: what is in it may come later.
fn check_path(table: &Table<'_>, written: &Field<String>, path: &Path, project: &Path) {
    let folder = path.parent().unwrap_or(path);
    let wild = folder.to_string_lossy().contains('*');
    if wild {
        let message = format!("`{}` has a * before its last part", written.value);
        table.sheet.error(written.line, message, "write one [[files]] for each folder");
    } else if !path.is_dir() && !folder.is_dir() {
        let remedy = format!("make it, or mend the path; paths are relative to {}", project.display());
        table.sheet.error(written.line, format!("there is no folder for `{}`", written.value), remedy);
    }
}

/// `UTC`, `Z`, `+02:00`, `-0530`.
fn is_zone(text: &str) -> bool {
    let text = text.trim();
    let digits: String = text.chars().skip(1).filter(|c| *c != ':').collect();
    let number = |from: usize, to: usize| digits.get(from..to).and_then(|d| d.parse::<u32>().ok());
    let signed = text.starts_with(['+', '-'])
        && digits.chars().all(|c| c.is_ascii_digit())
        && matches!(digits.len(), 2 | 4)
        && number(0, 2).is_some_and(|h| h <= 25)
        && (digits.len() == 2 || number(2, 4).is_some_and(|m| m < 60));
    signed || text.eq_ignore_ascii_case("utc") || text.eq_ignore_ascii_case("z")
}

fn is_time_format(format: &Field<String>, table: &Table<'_>) -> bool {
    let has = |letters: &[char]| letters.iter().any(|l| format.value.contains(&format!("%{l}")));
    // A day is the least; a date of its own, or all of it at once.
    let day = (has(&['Y', 'y']) && has(&['m', 'b', 'B']) && has(&['d', 'e'])) || has(&['F', 'D', 's', 'j']);
    if !day {
        let message = format!("`{}` does not say how a day is written", format.value);
        table.sheet.error(format.line, message, "write it as strptime has it: \"%d.%m.%Y %H:%M:%S\"");
    }
    day
}

#[cfg(test)]
mod tests {
    use super::super::load;
    use super::*;

    #[test]
    fn files_are_read_and_what_is_wrong_has_its_line() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("exports")).unwrap();
        let text = "name = \"House\"\n\
            [[files]]\npath = \"exports/*.csv\"\nzone = \"+02:00\"\ntime_format = \"%d.%m.%Y %H:%M\"\ntopic = \"bms\"\nfollow = false\n\
            every_s = 60\ncolumns = { time = \"Zeit\" }\npoints = { \"T 1\" = \"AHU-1/supply_temperature\", note = \"\" }\n\
            [[files]]\npath = \"day.parquet\"\n\
            [[files]]\npath = \"nowhere/x.csv\"\n\
            [[files]]\npath = \"*/x.csv\"\n\
            [[files]]\npath = \"x.csv\"\nzone = \"Europe/Zurich\"\n\
            [[files]]\npath = \"x.csv\"\ntime_format = \"%H:%M\"\n\
            [[files]]\npath = \"x.csv\"\ntopic = \"a/#\"\n\
            [[files]]\npath = \"x.csv\"\nformat = \"xlsx\"\n\
            [[files]]\nfollow = true\n\
            [[files]]\npath = \"x.csv\"\ncolumns = { when = \"T\" }\n";
        std::fs::write(folder.path().join("twin.toml"), text).unwrap();
        let (project, problems) = load(folder.path()).unwrap();
        let files = &project.ingest.files;
        assert_eq!(files.len(), 9);
        let first = FileSource {
            path: folder.path().join("exports/*.csv"),
            format: TableFormat::ByName,
            follow: false,
            every_s: 60.0,
            topic: "bms".into(),
            zone: Some("+02:00".into()),
            time_format: Some("%d.%m.%Y %H:%M".into()),
            columns: vec![("time".into(), "Zeit".into())],
            points: vec![("T 1".into(), "AHU-1/supply_temperature".into()), ("note".into(), String::new())],
            line: 3,
        };
        assert_eq!(files[0], first);
        assert!(files[1].follow && files[1].every_s == 5.0);
        for (line, words) in [
            (14, "there is no folder for `nowhere/x.csv`"),
            (16, "has a * before its last part"),
            (19, "`Europe/Zurich` is no distance"),
            (22, "how a day is written"),
            (25, "`a/#` is no topic"),
            (28, "`format` is `xlsx`"),
            (29, "has no `path`"),
            (33, "`when` is no key"),
        ] {
            let place = format!("twin.toml:{line}");
            let found = problems.iter().any(|p| p.place == place && p.message.contains(words) && !p.remedy.is_empty());
            assert!(found, "{line} {words}: {problems:#?}");
        }
    }
}
