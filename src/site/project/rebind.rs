//! `[[rebind]]`: by what an element is known to its devices, where the model calls it otherwise; and what has to be
//! changed in a project file when a model has a new revision.

use super::edit::changed;
use super::replace::replace_and_keep;
use super::sheet::Table;
use super::{Binding, Project};
use crate::problem::Problem;
use std::path::{Path, PathBuf};
use toml_edit::{ArrayOfTables, DocumentMut, Item, TableLike, value};

/// By what an element is known, where that is not what the model says of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rebind {
    /// GlobalId or tag of the element.
    pub asset: String,
    /// Stands for its tag: in topics, in templates, in the names of its points.
    pub tag: Option<String>,
    /// Stands for its GlobalId in topics.
    pub id: Option<String>,
    /// Stands for its name in topics.
    pub name: Option<String>,
    /// False: no binding by rule is for it.
    pub rules: bool,
    /// Line in `twin.toml`.
    pub line: usize,
}

impl Default for Rebind {
    fn default() -> Self {
        Self { asset: String::new(), tag: None, id: None, name: None, rules: true, line: 0 }
    }
}

pub(super) fn read_all(tables: Vec<Table<'_>>) -> Vec<Rebind> {
    let mut all: Vec<Rebind> = Vec::new();
    for table in tables {
        let (sheet, line) = (table.sheet, table.line);
        let Some(rebind) = read(table) else { continue };
        if let Some(first) = all.iter().find(|r| r.asset == rebind.asset) {
            let message = format!("there are two [[rebind]] for `{}`, the first in line {}", rebind.asset, first.line);
            sheet.error(line, message, "leave one of them out");
            continue;
        }
        all.push(rebind);
    }
    all
}

fn read(table: Table<'_>) -> Option<Rebind> {
    let asset = table.word("asset");
    if !table.has("asset") {
        let remedy = "write the GlobalId or the tag of the element: asset = \"…\"";
        table.sheet.error(table.line, "[[rebind]] has no `asset`", remedy);
    }
    let rebind = Rebind {
        asset: asset.as_ref().map(|a| a.value.clone()).unwrap_or_default(),
        // An empty tag is one too: the element had none when its devices were bound.
        tag: table.text("tag").map(|t| t.value),
        id: table.word("id").map(|i| i.value),
        name: table.text("name").map(|n| n.value),
        rules: table.truth("rules").unwrap_or(true),
        line: table.line,
    };
    if rebind.tag.is_none() && rebind.id.is_none() && rebind.name.is_none() && rebind.rules {
        let remedy = "write `tag`, `id` or `name`, or rules = false";
        table.sheet.warning(table.line, "this [[rebind]] changes nothing", remedy);
    }
    table.finish();
    asset.map(|_| rebind)
}

/// What has to be changed in a project when one of its models has a new revision.
#[derive(Clone, Debug, Default)]
pub struct Amendments {
    /// Every [`Rebind`] that the project has from now on.
    pub rebinds: Vec<Rebind>,
    /// Bindings of one point, with the tag or GlobalId that names their element from now on.
    pub assets: Vec<(Binding, String)>,
}

impl Amendments {
    /// The project as it is with them.
    pub fn of(&self, project: &Project) -> Project {
        let mut project = Project { rebinds: self.rebinds.clone(), ..project.clone() };
        for binding in &mut project.bindings {
            let now = self.assets.iter().find(|(was, _)| was == binding).map(|(_, now)| now.clone());
            if let (Binding::Point { asset, .. }, Some(now)) = (binding, now) {
                *asset = now;
            }
        }
        project
    }

    /// Writes them into the project's file, with `new` in the place of the model file `old`; all else in it stays as
    /// it is. Gives where the file as it was is kept.
    ///
    /// # Errors
    /// When the project does not name `old` (or `new` already), or its file cannot be read or written or is not
    /// TOML. The file is written whole or not at all.
    pub fn write(&self, project: &Project, old: &Path, new: &Path) -> Result<PathBuf, Problem> {
        let file = &project.file;
        let refuse = |message: String, remedy: &str| Problem::error(file.display().to_string(), message, remedy);
        let text = std::fs::read_to_string(file).map_err(|e| {
            refuse(format!("cannot be read: {e}"), "check path and rights, and that it is text in UTF-8")
        })?;
        let new_text =
            self.amend(&text, project, old, new).map_err(|message| refuse(message, "mend the file, then ask again"))?;
        let unwritable = |e: std::io::Error| {
            refuse(format!("cannot be written: {e}"), "check the rights of the file and its folder, and the space left")
        };
        replace_and_keep(file, &new_text).map_err(unwritable)
    }

    fn amend(&self, text: &str, project: &Project, old: &Path, new: &Path) -> Result<String, String> {
        let change = |document: &mut DocumentMut| {
            name_model(document, &project.folder, old, new)?;
            for (binding, now) in &self.assets {
                let Binding::Point { asset, point, topic, .. } = binding else { continue };
                let says = |t: &dyn TableLike, key: &str, word: &str| t.get(key).and_then(Item::as_str) == Some(word);
                for table in entries(document.get_mut("bindings")) {
                    if says(table, "asset", asset) && says(table, "point", &point.role) && says(table, "topic", topic) {
                        put(table, "asset", now);
                    }
                }
            }
            self.name_rebinds(document)
        };
        changed(text, change).map(|(text, ())| text)
    }

    fn name_rebinds(&self, document: &mut DocumentMut) -> Result<(), String> {
        if self.rebinds.is_empty() {
            document.remove("rebind");
            return Ok(());
        }
        let is_new = !document.contains_key("rebind");
        let item = document.entry("rebind").or_insert(Item::ArrayOfTables(ArrayOfTables::new()));
        let Some(tables) = item.as_array_of_tables_mut() else {
            return Err("`rebind` is no list of tables: write each as [[rebind]]".into());
        };
        // Entries that stay keep their comments and their order.
        tables.retain(|t| {
            t.get("asset").and_then(Item::as_str).is_some_and(|a| self.rebinds.iter().any(|r| r.asset == a))
        });
        for (i, rebind) in self.rebinds.iter().enumerate() {
            let mut added = toml_edit::Table::new();
            let known = tables.iter_mut().find(|t| t.get("asset").and_then(Item::as_str) == Some(&rebind.asset));
            let is_added = known.is_none();
            let table = known.unwrap_or(&mut added);
            put(table, "asset", &rebind.asset);
            for (key, word) in [("tag", &rebind.tag), ("id", &rebind.id), ("name", &rebind.name)] {
                match word {
                    Some(word) => put(table, key, word),
                    None => {
                        table.remove(key);
                    }
                }
            }
            if rebind.rules {
                table.remove("rules");
            } else {
                table["rules"] = value(false);
            }
            if is_added {
                if is_new && i == 0 {
                    added.decor_mut().set_prefix(EXPLAINED);
                }
                tables.push(added);
            }
        }
        Ok(())
    }
}

/// What stands over the first entry.
const EXPLAINED: &str = "\n# Elements that a new revision of their model calls otherwise: `tag`, `id` and `name` stand for\n\
    # what their devices and points know them by; with rules = false no binding by rule is for them.\n";

/// The tables of a list, however it is written.
fn entries(item: Option<&mut Item>) -> Vec<&mut dyn TableLike> {
    match item {
        Some(Item::ArrayOfTables(tables)) => tables.iter_mut().map(|t| t as &mut dyn TableLike).collect(),
        Some(Item::Value(toml_edit::Value::Array(list))) => {
            list.iter_mut().filter_map(|v| v.as_inline_table_mut()).map(|t| t as &mut dyn TableLike).collect()
        }
        _ => Vec::new(),
    }
}

/// Sets a text; what stands around it stays.
fn put(table: &mut dyn TableLike, key: &str, word: &str) {
    let mut new = toml_edit::Value::from(word);
    if let Some(old) = table.get(key).and_then(Item::as_value) {
        *new.decor_mut() = old.decor().clone();
    }
    table.insert(key, Item::Value(new));
}

/// Puts a model file in the place of another.
fn name_model(document: &mut DocumentMut, folder: &Path, old: &Path, new: &Path) -> Result<(), String> {
    let same = |a: &Path, b: &Path| match (a.canonicalize(), b.canonicalize()) {
        (Ok(a), Ok(b)) => a == b,
        _ => a == b,
    };
    let mut tables = entries(document.get_mut("models"));
    let named = |t: &dyn TableLike, path: &Path| {
        t.get("file").and_then(Item::as_str).is_some_and(|f| same(&folder.join(f), path))
    };
    if tables.iter().any(|t| named(&**t, new)) {
        return Ok(());
    }
    let Some(table) = tables.iter_mut().find(|t| named(&***t, old)) else {
        return Err(format!("no [[models]] entry names {} or {}", old.display(), new.display()));
    };
    let whole = |p: &Path| p.canonicalize().unwrap_or_else(|_| p.to_path_buf());
    let below = whole(new).strip_prefix(whole(folder)).ok().map(|below| {
        below.components().map(|c| c.as_os_str().to_string_lossy().into_owned()).collect::<Vec<_>>().join("/")
    });
    let absolute = || std::path::absolute(new).unwrap_or_else(|_| new.to_path_buf()).display().to_string();
    let path = below.unwrap_or_else(absolute);
    put(&mut **table, "file", &path);
    Ok(())
}
