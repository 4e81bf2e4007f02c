//! Placing a model by hand: `offset_m` and `rotation_deg` of its `[[models]]` entry.

use super::edit::edit;
use crate::problem::Problem;
use std::path::Path;
use toml_edit::{Array, DocumentMut, Item, Value, value};

/// How a model is placed by hand in the project's frame.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Move {
    /// Where its origin lies, metres, and how far it is turned, counter-clockwise, degrees.
    To {
        /// X, Y and Z, metres.
        offset_m: [f64; 3],
        /// Degrees.
        rotation_deg: f64,
    },
    /// As its own map conversion says, or on the project's origin.
    Back,
}

/// Writes into a project file where one of its models lies. `model` is the file as the project names it, or the
/// name of that file alone.
///
/// # Errors
/// When the project has no such model, or two of that name; and as a project file that cannot be written.
pub fn place_model(file: &Path, model: &str, to: Move) -> Result<(), Problem> {
    edit(file, "the placement", |document| put(document, model, to))
}

/// As [`place_model`], of a model by its absolute path.
///
/// # Errors
/// As [`place_model`].
pub fn place_file(file: &Path, model: &Path, to: Move) -> Result<(), Problem> {
    let folder = file.parent().unwrap_or(Path::new(""));
    edit(file, "the placement", |document| {
        let models = document.get("models").and_then(Item::as_array_of_tables);
        let names = models.into_iter().flatten().filter_map(|t| t.get("file").and_then(Item::as_str));
        let name = names.map(str::to_owned).find(|name| folder.join(name) == model);
        let name = name.ok_or_else(|| format!("the project names no model `{}` any more", model.display()))?;
        put(document, &name, to)
    })
}

fn put(document: &mut DocumentMut, model: &str, to: Move) -> Result<(), String> {
    let models = document.get_mut("models").and_then(Item::as_array_of_tables_mut);
    let models = models.ok_or("the project names no [[models]]")?;
    let named = |t: &toml_edit::Table| t.get("file").and_then(Item::as_str).unwrap_or_default().to_owned();
    let names: Vec<String> = models.iter().map(named).collect();
    let base = |name: &str| name.rsplit(['/', '\\']).next().unwrap_or(name).to_owned();
    let fits = |name: &&String| **name == model || base(name) == model;
    let known = || names.iter().map(|n| format!("`{n}`")).collect::<Vec<_>>().join(", ");
    let exact = names.iter().position(|n| n == model);
    let at = match (exact, names.iter().filter(fits).count()) {
        (Some(at), _) => at,
        (None, 1) => names.iter().position(|n| fits(&n)).unwrap_or_default(),
        (None, 0) => return Err(format!("the project has no model `{model}`; it has {}", known())),
        (None, n) => return Err(format!("{n} models are called `{model}`: name one with its path, of {}", known())),
    };
    let table = models.get_mut(at).ok_or("the list of models changed")?;
    match to {
        Move::To { offset_m, rotation_deg } => {
            set(table, "offset_m", Value::Array(offset_m.into_iter().map(tenth_of_mm).collect::<Array>()));
            set(table, "rotation_deg", Value::from(rotation_deg));
        }
        Move::Back => {
            table.remove("offset_m");
            table.remove("rotation_deg");
        }
    }
    Ok(())
}

/// Sets a value and leaves the comment behind an older one.
fn set(table: &mut toml_edit::Table, key: &str, new: Value) {
    match table.get_mut(key).and_then(Item::as_value_mut) {
        Some(old) => {
            let decor = old.decor().clone();
            *old = new;
            *old.decor_mut() = decor;
        }
        None => table[key] = value(new),
    }
}

fn tenth_of_mm(metres: f64) -> f64 {
    (metres * 1e4).round() / 1e4 + 0.0
}

#[cfg(test)]
mod tests {
    use super::super::edit::changed;
    use super::super::testing::refused;
    use super::*;

    const FILE: &str = "name = \"House\"\n\n# The building.\n[[models]]\nfile = \"old/a.ifc\" # as built\n\n\
        [[models]]\nfile = \"b.ifc\"\noffset_m = [1.0, 2.0, 3.0] # measured\n";

    fn placed(model: &str, to: Move) -> Result<String, String> {
        changed(FILE, |d| put(d, model, to)).map(|(text, ())| text)
    }

    #[test]
    fn a_placement_is_written_and_taken_back() {
        let to = Move::To { offset_m: [10.0, -2.5, 0.0], rotation_deg: 30.0 };
        let text = placed("a.ifc", to).unwrap();
        assert!(text.contains("file = \"old/a.ifc\" # as built\noffset_m = [10.0, -2.5, 0.0]\nrotation_deg = 30.0\n"));
        assert!(text.contains("# The building.") && text.contains("[1.0, 2.0, 3.0] # measured"), "{text}");
        let text = placed("b.ifc", to).unwrap();
        assert!(text.contains("offset_m = [10.0, -2.5, 0.0] # measured\nrotation_deg = 30.0"), "{text}");
        assert!(!placed("b.ifc", Move::Back).unwrap().contains("offset_m"));
    }

    #[test]
    fn a_model_that_is_not_there_is_named() {
        let problem = placed("c.ifc", Move::Back).unwrap_err();
        assert!(problem.contains("`c.ifc`") && problem.contains("`old/a.ifc`, `b.ifc`"), "{problem}");
        let twice = FILE.replace("b.ifc", "new/a.ifc");
        let problem = changed(&twice, |d| put(d, "a.ifc", Move::Back)).unwrap_err();
        assert!(problem.contains("2 models"), "{problem}");
        assert!(changed(&twice, |d| put(d, "new/a.ifc", Move::Back)).is_ok());
        assert!(changed("name = \"x\"", |d| put(d, "a.ifc", Move::Back)).is_err());
    }

    #[test]
    fn a_file_that_cannot_take_a_placement_is_left_as_it_is() {
        let to = Move::To { offset_m: [1.0; 3], rotation_deg: 0.0 };
        let texts = ["name = \n", "name = \"House\"\nmodels = 3\n", "[[models]]\nfile = \"b.ifc\"\n"];
        refused(&texts, |file| place_model(file, "a.ifc", to));
        refused(&texts, |file| place_file(file, &file.with_file_name("a.ifc"), to));
    }

    #[test]
    fn a_model_is_found_by_its_path() {
        let folder = tempfile::tempdir().unwrap();
        let project = folder.path().join("twin.toml");
        std::fs::write(&project, FILE.replace("b.ifc", "new/a.ifc")).unwrap();
        let to = Move::To { offset_m: [1.5, 0.0, 0.0], rotation_deg: -90.0 };
        place_file(&project, &folder.path().join("old/a.ifc"), to).unwrap();
        let text = std::fs::read_to_string(&project).unwrap();
        assert!(text.contains("as built\noffset_m = [1.5, 0.0, 0.0]\nrotation_deg = -90.0\n"), "{text}");
        assert!(text.contains("[1.0, 2.0, 3.0] # measured"), "the other of that name stays: {text}");
        let gone = place_file(&project, &folder.path().join("a.ifc"), to).unwrap_err();
        assert!(gone.message.contains("names no model"), "{gone}");
    }
}
