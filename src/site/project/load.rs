//! From the text of `twin.toml` to a [`Project`].

use super::sheet::{Field, Sheet, Table};
use super::{
    CacheBounds, HistorySettings, Ingest, LayerFile, ModelFile, Origin, Project, assumptions, broker, history, joins,
    mapping, naming, payloads, rebind, registry, template, views,
};
use crate::problem::Problem;
use std::path::{Path, PathBuf};
use toml::de::DeTable;

/// What a project file is called in its folder.
const FILE_NAME: &str = "twin.toml";

/// A project file is written by hand: more than this is something else, bytes.
const MAX_BYTES: u64 = 16 << 20;

/// Reads a project: a folder with `twin.toml`, or that file.
///
/// Whatever is wrong with a key is in the list, with its line, and the rest is read.
///
/// # Errors
/// When there is no such file, or it is not TOML at all.
pub fn load(path: &Path) -> Result<(Project, Vec<Problem>), Problem> {
    let file = if path.is_dir() { path.join(FILE_NAME) } else { path.to_path_buf() };
    let refuse = |message: String, remedy: &str| Problem::error(file.display().to_string(), message, remedy);
    let data = std::fs::metadata(&file).map_err(|e| match e.kind() {
        std::io::ErrorKind::NotFound => {
            refuse("there is no such file".into(), "name a folder that holds a twin.toml, or that file")
        }
        _ => refuse(format!("cannot be read: {e}"), "check path and rights"),
    })?;
    if !data.is_file() {
        return Err(refuse("this is no file".into(), "name a folder that holds a twin.toml, or that file"));
    }
    let size = data.len();
    if size > MAX_BYTES {
        return Err(refuse(format!("{size} bytes are too many for a project file"), "name the twin.toml"));
    }
    let bytes = std::fs::read(&file).map_err(|e| refuse(format!("cannot be read: {e}"), "check path and rights"))?;
    let text = String::from_utf8(bytes)
        .map_err(|_| refuse("this is not text in UTF-8".into(), "save it as UTF-8, or name the twin.toml"))?;
    let file = std::path::absolute(&file).unwrap_or(file);
    read(&file, &text)
}

/// Reads the text of a project file that stands at `file`, an absolute path.
fn read(file: &Path, text: &str) -> Result<(Project, Vec<Problem>), Problem> {
    // What some editors put in front of a text, of no width: the positions after it count from there.
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let name = file.file_name().map_or_else(|| FILE_NAME.into(), |n| n.to_string_lossy().into_owned());
    let sheet = Sheet::new(name, text);
    let (document, errors) = DeTable::parse_recoverable(text);
    for error in &errors {
        let line = error.span().map_or(1, |s| sheet.line(s.start));
        let remedy = "mend this line: name = \"text\", number = 1.5, list = [1, 2], [table], [[list of tables]]";
        sheet.error(line, format!("not TOML: {}", error.message().trim().replace('\n', ", ")), remedy);
    }
    let root = Table::new(&sheet, "", document.span(), document.get_ref());
    if !errors.is_empty() && !["name", "models", "layers", "broker", "templates"].iter().any(|k| root.has(k)) {
        drop(root);
        let first = sheet.into_problems().into_iter().next();
        return Err(first.unwrap_or_else(|| Problem::error(file.display().to_string(), "this is not TOML", "")));
    }
    let project = project(root, file);
    Ok((project, sheet.into_problems()))
}

fn project(root: Table<'_>, file: &Path) -> Project {
    let folder = file.parent().map(Path::to_path_buf).unwrap_or_default();
    let sheet = root.sheet;
    let folder_name = folder.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
    let templates = root.table("templates").map(template::read_all).unwrap_or_default();
    let bindings = template::read_bindings(root.tables("bindings"), &templates);
    template::check_roles(sheet, &templates, &bindings);
    let mut ingest = root.table("ingest").map(ingest).unwrap_or_default();
    ingest.payloads = payloads::read_all(root.tables("payloads"));
    ingest.sparkplug = root.table("sparkplug").and_then(payloads::read_sparkplug);
    let naming_rules = mapping::read_rules(root.tables("naming_rules"), &templates);
    let project = Project {
        file: file.to_path_buf(),
        name: root.word("name").map_or(folder_name, |n| n.value),
        description: root.text("description").map(|d| d.value).unwrap_or_default(),
        origin: root.table("origin").and_then(origin),
        models: root.tables("models").into_iter().filter_map(|t| model(t, &folder)).collect(),
        layers: root.tables("layers").into_iter().filter_map(|t| layer(t, &folder)).collect(),
        registries: registry::read_all(root.tables("registries"), &folder),
        broker: root.table("broker").map(|t| broker::read(t, &folder)).unwrap_or_default(),
        ingest,
        clock_topic: root.table("clock").and_then(clock),
        templates,
        bindings,
        rebinds: rebind::read_all(root.tables("rebind")),
        views: views::read_all(root.tables("views")),
        joining: root.table("joining").map(joins::read_joining).unwrap_or_default(),
        joins: joins::read_all(root.tables("joins")),
        assumptions: assumptions::read_all(root.tables("assumptions")),
        history: root.table("history").map_or_else(|| HistorySettings::beside(&folder), |t| history::read(t, &folder)),
        retention: root.table("retention").map(history::read_retention).unwrap_or_default(),
        cache: root.table("cache").map(cache).unwrap_or_default(),
        naming: root.table("naming").map(naming::read).unwrap_or_default(),
        mapping: root.table("mapping").map(|t| mapping::read(t, &folder)).unwrap_or_default(),
        naming_rules,
        folder,
    };
    if project.models.is_empty() && project.layers.is_empty() && !root.has("models") && !root.has("layers") {
        sheet.warning(1, "the project names no model and no layer", "add [[models]] with file = \"building.ifc\"");
    }
    let files = project.models.iter().map(|m| (&m.file, m.line));
    let files = files.chain(project.layers.iter().map(|l| (&l.file, l.line)));
    // A workbook may be named once for each of its sheets.
    let files = files.chain(project.registries.iter().filter(|r| r.sheet.is_none()).map(|r| (&r.file, r.line)));
    let mut seen: Vec<&PathBuf> = Vec::new();
    for (path, line) in files {
        if seen.contains(&path) {
            sheet.error(line, format!("{} is named twice", path.display()), "leave one of them out");
        }
        seen.push(path);
    }
    root.finish();
    project
}

fn origin(table: Table<'_>) -> Option<Origin> {
    let crs = table.text("crs").map(|c| c.value).unwrap_or_default();
    let east = table.number("east_m");
    let north = table.number("north_m");
    let height = table.number("height_m").map_or(0.0, |h| h.value);
    let (sheet, line) = (table.sheet, table.line);
    for key in ["east_m", "north_m"] {
        if !table.has(key) {
            sheet.error(
                line,
                format!("[origin] has no `{key}`"),
                "write the map coordinates of the frame's origin, metres",
            );
        }
    }
    table.finish();
    Some(Origin { crs, position_m: [east?.value, north?.value, height] })
}

fn model(table: Table<'_>, folder: &Path) -> Option<ModelFile> {
    let file = file_of(&table, folder);
    let model = ModelFile {
        file: file.clone().unwrap_or_default(),
        discipline: table.text("discipline").map(|d| d.value).unwrap_or_default(),
        offset_m: table.numbers("offset_m").map(|o| o.value),
        rotation_deg: table.number_in("rotation_deg", -360.0, 360.0).map(|r| r.value),
        line: table.line_of("file"),
    };
    table.finish();
    file.map(|_| model)
}

fn layer(table: Table<'_>, folder: &Path) -> Option<LayerFile> {
    let (file, line) = (file_of(&table, folder), table.line_of("file"));
    table.finish();
    Some(LayerFile { file: file?, line })
}

pub(super) fn file_of(table: &Table<'_>, folder: &Path) -> Option<PathBuf> {
    named_file(table, |file| existing(table.sheet, folder, file))
}

/// As [`file_of`], for what may be a folder of files.
pub(super) fn file_or_folder_of(table: &Table<'_>, folder: &Path) -> Option<PathBuf> {
    named_file(table, |file| {
        let path = folder.join(&file.value);
        if path.is_dir() { path } else { existing(table.sheet, folder, file) }
    })
}

fn named_file(table: &Table<'_>, path: impl FnOnce(&Field<String>) -> PathBuf) -> Option<PathBuf> {
    let file = table.word("file");
    if !table.has("file") {
        table.sheet.error(table.line, format!("{} has no `file`", table.title), "write file = \"…\"");
    }
    file.as_ref().map(path)
}

/// The absolute path of a file that should be there.
pub(super) fn existing(sheet: &Sheet, folder: &Path, file: &Field<String>) -> PathBuf {
    let path = folder.join(&file.value);
    if !path.exists() {
        let remedy = format!("paths are relative to {}", folder.display());
        sheet.error(file.line, format!("there is no file `{}`", file.value), remedy);
    } else if path.is_dir() {
        sheet.error(file.line, format!("`{}` is a folder", file.value), "name the file in it");
    }
    path
}

fn clock(table: Table<'_>) -> Option<String> {
    let topic = table.word("topic");
    if let Some(topic) = topic.as_ref().filter(|t| t.value.contains(['#', '+'])) {
        table.sheet.error(topic.line, format!("`{}` is not one topic", topic.value), "write it without # and +");
    }
    table.finish();
    topic.map(|t| t.value).filter(|t| t != "system" && !t.contains(['#', '+']))
}

fn ingest(table: Table<'_>) -> Ingest {
    let otherwise = Ingest::default();
    let whole =
        |key, least, most, otherwise: usize| table.whole_in(key, least, most).map_or(otherwise, |f| f.value as usize);
    let ingest = Ingest {
        max_payload_bytes: whole("max_payload_bytes", 64, 64 << 20, otherwise.max_payload_bytes),
        max_future_s: table.number_in("max_future_s", 0.0, 86_400.0).map_or(otherwise.max_future_s, |f| f.value),
        queue: whole("queue", 256, 1 << 24, otherwise.queue),
        ..otherwise
    };
    table.finish();
    ingest
}

fn cache(table: Table<'_>) -> CacheBounds {
    let otherwise = CacheBounds::default();
    let whole = |key, most, otherwise: u64| table.whole_in(key, 0, most).map_or(otherwise, |f| f.value);
    let bounds = CacheBounds {
        max_bytes: whole("max_mb", 1_000_000, otherwise.max_bytes / 1_000_000) * 1_000_000,
        max_scenes: whole("max_files", 100_000, otherwise.max_scenes as u64) as usize,
    };
    table.finish();
    bounds
}
