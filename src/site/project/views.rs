//! `[[views]]`: where people like to look from, read from the project file and written into it.

use super::edit::edit;
use super::sheet::Table;
use crate::problem::Problem;
use std::path::Path;
use toml_edit::{Array, ArrayOfTables, DocumentMut, Item, value};

/// The words of `colour_by`.
pub const COLOURINGS: [&str; 9] =
    ["material", "health", "temperature", "system", "discipline", "flow", "velocity", "pressure", "residual"];

/// Names that mean something else already.
const RESERVED: [&str; 2] = ["outside", "plant"];

/// An eye nearer to what it looks at than this looks nowhere, metres.
const NEAREST_M: f64 = 0.01;

/// A view that somebody saved.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SavedView {
    /// What people call it.
    pub name: String,
    /// Where the eye is, metres in the project's frame, Z up.
    pub eye_m: [f64; 3],
    /// What it looks at, metres in the project's frame, Z up.
    pub target_m: [f64; 3],
    /// Everything above this height is cut away, metres in the project's frame.
    pub section_m: Option<f64>,
    /// The storey that is shown alone.
    pub storey: Option<String>,
    /// What the colours mean, one of [`COLOURINGS`]; none: as they are.
    pub colour_by: Option<String>,
    /// What is looked for; the rest is shown as ghosts.
    pub search: Option<String>,
    /// Line in `twin.toml`.
    pub line: usize,
}

/// Reads the views; what is wrong with one is noted, and it is left out.
pub(super) fn read_all(tables: Vec<Table<'_>>) -> Vec<SavedView> {
    let mut out: Vec<SavedView> = Vec::new();
    for table in tables {
        let (sheet, line) = (table.sheet, table.line);
        let Some(view) = read(table) else { continue };
        if let Some(first) = out.iter().find(|v| is_name(&v.name, &view.name)) {
            let message = format!("there are two views called `{}`, the first in line {}", view.name, first.line);
            sheet.error(line, message, "give one of them another name");
            continue;
        }
        out.push(view);
    }
    out
}

/// The same name as people see it: capitals do not count.
fn is_name(a: &str, b: &str) -> bool {
    a.trim().to_lowercase() == b.trim().to_lowercase()
}

fn read(table: Table<'_>) -> Option<SavedView> {
    let (sheet, line) = (table.sheet, table.line);
    let name = table.word("name");
    let eye = table.numbers::<3>("eye_m");
    let target = table.numbers::<3>("target_m");
    let section_m = table.number("section_m").map(|n| n.value);
    let storey = table.word("storey").map(|s| s.value);
    let colour_by = table.word("colour_by").and_then(|word| {
        if COLOURINGS.contains(&word.value.as_str()) {
            return Some(word.value);
        }
        let message = format!("`colour_by` in {} is `{}`", table.title, word.value);
        sheet.error(word.line, message, format!("use one of {}", COLOURINGS.join(", ")));
        None
    });
    let search = table.word("search").and_then(|text| match super::super::search::parse(&text.value) {
        Ok(_) => Some(text.value),
        Err(wrong) => {
            let message = format!("`search` in {}, column {}: {}", table.title, wrong.column, wrong.message);
            sheet.error(text.line, message, wrong.remedy);
            None
        }
    });
    for (key, example) in [
        ("name", "name = \"Plant room\""),
        ("eye_m", "eye_m = [10.0, -20.0, 12.0], where the eye is in the project's frame"),
        ("target_m", "target_m = [0.0, 0.0, 4.0], what it looks at"),
    ] {
        if !table.has(key) {
            sheet.error(line, format!("{} has no `{key}`", table.title), format!("write {example}"));
        }
    }
    table.finish();
    let (name, eye, target) = (name?, eye?, target?);
    if let Err(message) = check_name(&name.value) {
        sheet.error(name.line, message, "give it another name");
        return None;
    }
    if distance(eye.value, target.value) < NEAREST_M {
        sheet.error(target.line, "`target_m` is where the eye is: it looks nowhere", "move one of them");
        return None;
    }
    Some(SavedView {
        name: name.value.trim().to_owned(),
        eye_m: eye.value,
        target_m: target.value,
        section_m,
        storey,
        colour_by,
        search,
        line,
    })
}

/// What is wrong with a name for a view.
fn check_name(name: &str) -> Result<(), String> {
    let name = name.trim();
    if name.is_empty() {
        return Err("a view needs a name".into());
    }
    if RESERVED.iter().any(|r| is_name(r, name)) || name.to_lowercase().starts_with("storey:") {
        return Err(format!("`{name}` is a view that every project has"));
    }
    if name.chars().any(char::is_control) {
        return Err("a view's name is one line of text".into());
    }
    Ok(())
}

fn distance(a: [f64; 3], b: [f64; 3]) -> f64 {
    a.iter().zip(b).map(|(a, b)| (a - b) * (a - b)).sum::<f64>().sqrt()
}

/// Writes a view into a project file, in place of one with the same name; all else in the file stays as it is.
///
/// # Errors
/// When the name cannot be one, when the file cannot be read or written or is not TOML. The file is written whole or
/// not at all.
pub fn save_view(file: &Path, view: &SavedView) -> Result<(), Problem> {
    check_name(&view.name)
        .map_err(|message| Problem::error(file.display().to_string(), message, "give it another name"))?;
    edit(file, "the view", |document| put_view(document, view))
}

fn put_view(document: &mut DocumentMut, view: &SavedView) -> Result<(), String> {
    let views = document.entry("views").or_insert(Item::ArrayOfTables(ArrayOfTables::new()));
    let Some(views) = views.as_array_of_tables_mut() else {
        return Err("`views` is no list of tables: write each as [[views]]".into());
    };
    let same = |t: &toml_edit::Table| t.get("name").and_then(Item::as_str).is_some_and(|n| is_name(n, &view.name));
    let mut known = views.iter_mut().find(|t| same(t));
    let mut new = toml_edit::Table::new();
    let table = known.as_deref_mut().unwrap_or(&mut new);
    let numbers = |list: [f64; 3]| value(list.into_iter().map(millimetres).collect::<Array>());
    table["name"] = value(view.name.trim());
    table["eye_m"] = numbers(view.eye_m);
    table["target_m"] = numbers(view.target_m);
    let mut optional = |key: &str, item: Option<Item>| match item {
        Some(item) => table[key] = item,
        None => {
            table.remove(key);
        }
    };
    optional("section_m", view.section_m.map(|s| value(millimetres(s))));
    optional("storey", view.storey.as_deref().map(value));
    optional("colour_by", view.colour_by.as_deref().map(value));
    optional("search", view.search.as_deref().map(value));
    if known.is_none() {
        views.push(new);
    }
    Ok(())
}

/// Nobody looks from a place more exactly than this.
fn millimetres(metres: f64) -> f64 {
    (metres * 1000.0).round() / 1000.0 + 0.0
}

#[cfg(test)]
mod tests {
    use super::super::load;
    use super::super::testing::{FILE, project, refused, rights_stay, told};
    use super::*;

    fn view() -> SavedView {
        SavedView {
            name: "Pump corner".into(),
            eye_m: [12.0, -8.5, 20.12345],
            target_m: [10.0, 0.0, 17.0],
            section_m: Some(18.5),
            colour_by: Some("health".into()),
            search: Some("class:IfcPump storey:\"Level 2\"".into()),
            ..SavedView::default()
        }
    }

    #[test]
    fn a_view_is_saved_and_read_again_and_the_rest_of_the_file_stays() {
        let (folder, file) = project(FILE);
        save_view(&file, &view()).unwrap();
        let text = std::fs::read_to_string(&file).unwrap();
        assert!(text.starts_with(FILE), "{text}");
        let (read, problems) = load(&file).unwrap();
        assert_eq!(problems, []);
        let expected = SavedView { eye_m: [12.0, -8.5, 20.123], line: read.views[0].line, ..view() };
        assert_eq!(read.views, [expected]);
        assert!(read.views[0].line > 8, "{:?}", read.views);

        // Saved once more under the same name it takes the old one's place, and what is not asked for goes.
        let other = SavedView { name: "pump CORNER".into(), section_m: None, storey: Some("Roof".into()), ..view() };
        save_view(&file, &other).unwrap();
        save_view(&file, &SavedView { name: "Another".into(), ..view() }).unwrap();
        let (read, problems) = load(&file).unwrap();
        assert_eq!(problems, []);
        assert_eq!(read.views.len(), 2);
        assert_eq!((read.views[0].section_m, read.views[0].storey.as_deref()), (None, Some("Roof")));
        assert!(std::fs::read_to_string(&file).unwrap().starts_with(FILE));
        let left: Vec<_> = std::fs::read_dir(folder.path()).unwrap().map(|e| e.unwrap().file_name()).collect();
        assert_eq!(left.len(), 2, "nothing is left beside the project: {left:?}");
    }

    #[test]
    fn what_is_wrong_with_a_view_has_its_line_and_a_remedy() {
        let views = "[[views]]\nname = \"A\"\neye_m = [0, 0, 0]\ntarget_m = [0, 0, 0]\n\
            [[views]]\nname = \"plant\"\neye_m = [0, 0, 0]\ntarget_m = [1, 0, 0]\n\
            [[views]]\neye_m = [0, 0]\ncolor_by = \"health\"\n\
            [[views]]\nname = \"B\"\neye_m = [0, 0, 0]\ntarget_m = [1, 0, 0]\ncolour_by = \"taste\"\n\
            [[views]]\nname = \"b\"\neye_m = [0, 0, 0]\ntarget_m = [1, 0, 0]\nsearch = \"clas:x\"\n";
        let faults = [
            (7, "looks nowhere"),
            (9, "every project has"),
            (12, "has no `name`"),
            (13, "a list of 3 numbers"),
            (14, "`color_by` is no key"),
            (19, "`taste`"),
            (20, "two views"),
            (24, "column 1: `clas` is no key"),
        ];
        let read = told(views, &faults);
        assert_eq!(read.views.iter().map(|v| v.name.as_str()).collect::<Vec<_>>(), ["B"]);
    }

    #[test]
    fn a_file_that_cannot_take_a_view_is_left_as_it_is() {
        refused(&["name = \n", "name = \"House\"\nviews = 3\n"], |file| save_view(file, &view()));
        let (_folder, file) = project(FILE);
        for name in ["", " ", "plant", "storey:Roof", "two\nlines"] {
            assert!(save_view(&file, &SavedView { name: name.into(), ..view() }).is_err(), "{name}");
        }
        assert_eq!(std::fs::read_to_string(&file).unwrap(), FILE);
    }

    #[cfg(unix)]
    #[test]
    fn the_file_keeps_its_rights() {
        rights_stay(|file| save_view(file, &view()));
    }
}
