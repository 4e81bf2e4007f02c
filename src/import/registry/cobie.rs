//! COBie sheets to items: components with their types, attributes and systems, spaces with their zones, floors
//! and the facility.

use super::cells::{Row, Sheet, is_nothing};
use super::columns::plain;
use super::rows::{global_id, split, tell_nameless};
use crate::problem::Problem;
use crate::site::assets::{ItemKind, RegistryItem};
use crate::site::model::PropertyValue;
use std::collections::HashMap;

/// Columns that say how the sheet came about and nothing of the thing.
const NO_ATTRIBUTES: [&str; 8] = [
    "createdby",
    "createdon",
    "extsystem",
    "externalsystem",
    "extobject",
    "externalobject",
    "extidentifier",
    "externalidentifier",
];

/// Sheets that are read; the others of COBie are not.
pub(super) const USED: [&str; 9] =
    ["facility", "floor", "space", "zone", "type", "component", "system", "assembly", "attribute"];

/// Those of them whose rows are items.
pub(super) const ITEMS: [&str; 4] = ["facility", "floor", "space", "component"];

/// Sheets of COBie that are not read.
pub(super) const UNUSED: [&str; 10] =
    ["contact", "connection", "spare", "resource", "job", "impact", "document", "coordinate", "issue", "warranty"];

/// More attributes, systems or zones than this has no thing.
const MOST: usize = 1_000;

/// True when a workbook has the sheets of COBie.
pub(super) fn is_cobie(sheets: &[Sheet]) -> bool {
    let has = |name: &str| sheets.iter().any(|s| plain(&s.name) == name);
    has("component") && (has("type") || has("facility") || has("floor"))
}

/// A sheet by its headings.
struct Table<'a> {
    sheet: &'a Sheet,
    /// By heading, letters and digits only: the column.
    columns: HashMap<String, u32>,
    /// By column: the heading as it stands.
    headings: HashMap<u32, String>,
    /// Number of the row of headings.
    head: usize,
}

impl<'a> Table<'a> {
    /// A table of COBie begins with its headings, `Name` among them.
    fn of(sheets: &'a [Sheet], name: &str) -> Option<Self> {
        let sheet = sheets.iter().find(|s| plain(&s.name) == name)?;
        let is_name = |v: &PropertyValue| plain(&v.to_string()) == "name";
        let head = sheet.rows.iter().take(10).find(|r| r.cells().any(|(_, v)| is_name(v)))?;
        let mut columns = HashMap::new();
        let mut headings = HashMap::new();
        for (column, value) in head.cells() {
            let heading = value.to_string().split_whitespace().collect::<Vec<_>>().join(" ");
            columns.entry(plain(&heading)).or_insert(column);
            headings.insert(column, heading);
        }
        Some(Self { sheet, columns, headings, head: head.number })
    }

    fn rows(&self) -> impl Iterator<Item = &'a Row> + use<'a> {
        let head = self.head;
        self.sheet.rows.iter().filter(move |r| r.number > head)
    }

    /// The first of some headings that the row fills.
    fn text(&self, row: &Row, headings: &[&str]) -> String {
        let cells = headings.iter().map(|h| row.text(self.columns.get(*h).copied()));
        cells.into_iter().find(|t| !t.is_empty()).unwrap_or_default()
    }

    /// What the row says of its thing, but for `without`.
    fn attributes(&self, row: &Row, without: &[&str]) -> Vec<(String, PropertyValue)> {
        let said = |v: &PropertyValue| v.as_str().is_none_or(|t| !is_nothing(t.trim()));
        let mut all = Vec::new();
        for (column, value) in row.cells().filter(|(_, v)| said(v)) {
            let Some(heading) = self.headings.get(&column) else { continue };
            let word = plain(heading);
            if !NO_ATTRIBUTES.contains(&word.as_str()) && !without.contains(&word.as_str()) {
                all.push((heading.clone(), value.clone()));
            }
        }
        all
    }
}

/// Reads the sheets.
pub(super) fn items(sheets: &[Sheet], place: &str, problems: &mut Vec<Problem>) -> Vec<RegistryItem> {
    let mut items = Vec::new();
    let table = |name: &str| Table::of(sheets, name);
    for name in USED {
        let there = sheets.iter().find(|s| plain(&s.name) == name && !s.rows.is_empty());
        if let Some(sheet) = there.filter(|_| table(name).is_none()) {
            problems.push(Problem::warning(
                format!("{place}, {}", sheet.name),
                "the sheet has no column `Name`: it is left out",
                "give it the headings of COBie",
            ));
        }
    }
    let attributes = attributes(table("attribute").as_ref());
    let mut wanted: HashMap<(String, String), usize> = HashMap::new();
    let own = |sheet: &str, name: &str| attributes.get(&key(sheet, name)).cloned().unwrap_or_default();

    // Facility, floors and spaces.
    for (name, kind) in [("facility", ItemKind::Building), ("floor", ItemKind::Storey), ("space", ItemKind::Space)] {
        let zones = if kind == ItemKind::Space { groups(table("zone").as_ref(), "spacenames") } else { HashMap::new() };
        let Some(table) = table(name) else { continue };
        let mut nameless = Vec::new();
        for row in table.rows() {
            let mut item = named(&table, row, kind);
            if item.name.is_empty() {
                nameless.push(row.number);
                continue;
            }
            if kind == ItemKind::Space {
                item.tag = table.text(row, &["roomtag"]);
                item.storey = table.text(row, &["floorname"]);
                item.zones = zones.get(&word(&item.name)).cloned().unwrap_or_default();
                let zones = item.zones.join(", ");
                if !zones.is_empty() {
                    item.attributes.push(("Zone".to_owned(), PropertyValue::Text(zones)));
                }
            }
            *wanted.entry(key(name, &item.name)).or_default() += 1;
            add(&mut item.attributes, own(name, &item.name));
            items.push(item);
        }
        tell_nameless(table.sheet, &nameless, "Name", place, problems);
    }

    // Components, with what their types say.
    let mut types: HashMap<String, Vec<(String, PropertyValue)>> = HashMap::new();
    if let Some(table) = table("type") {
        for row in table.rows() {
            let name = table.text(row, &["name"]);
            let mut about = table.attributes(row, &["name", "description", "category"]);
            for (heading, column) in [("Type description", "description"), ("Category", "category")] {
                let text = table.text(row, &[column]);
                if !text.is_empty() {
                    about.push((heading.to_owned(), PropertyValue::Text(text)));
                }
            }
            *wanted.entry(key("type", &name)).or_default() += 1;
            add(&mut about, own("type", &name));
            types.entry(word(&name)).or_insert(about);
        }
    }
    let systems = groups(table("system").as_ref(), "componentnames");
    let wholes = wholes(table("assembly").as_ref());
    if let Some(table) = table("component") {
        let (mut untyped, mut nameless) = (Vec::new(), Vec::new());
        for row in table.rows() {
            let mut item = named(&table, row, ItemKind::Asset);
            if item.name.is_empty() {
                nameless.push(row.number);
                continue;
            }
            item.tag = table.text(row, &["tagnumber", "assetidentifier"]);
            item.type_name = table.text(row, &["typename"]);
            // A component may be in several spaces; it is in the first.
            let space = table.text(row, &["space", "spacename", "spacenames"]);
            item.space = split(&space).next().unwrap_or_default().to_owned();
            item.systems = systems.get(&word(&item.name)).cloned().unwrap_or_default();
            item.part_of = wholes.get(&word(&item.name)).cloned().unwrap_or_default();
            *wanted.entry(key("component", &item.name)).or_default() += 1;
            add(&mut item.attributes, own("component", &item.name));
            match types.get(&word(&item.type_name)) {
                Some(about) => add(&mut item.attributes, about.clone()),
                None if item.type_name.is_empty() => {}
                None => untyped.push((row.number, item.type_name.clone())),
            }
            items.push(item);
        }
        tell_nameless(table.sheet, &nameless, "Name", place, problems);
        if let Some((row, first)) = untyped.first() {
            problems.push(Problem::warning(
                table.sheet.place(place, *row),
                format!("{} rows name a type that the sheet Type has not, the first `{first}`", untyped.len()),
                "add the type, or mend its name",
            ));
        }
    }
    let about_nothing =
        attributes.keys().filter(|(s, n)| USED.contains(&s.as_str()) && !wanted.contains_key(&(s.clone(), n.clone())));
    let lost = about_nothing.filter(|(s, _)| !matches!(s.as_str(), "zone" | "system" | "assembly")).count();
    if lost > 0 {
        problems.push(Problem::warning(
            format!("{place}, Attribute"),
            format!("attributes of {lost} things are left out: no row of their sheet has that name"),
            "mend SheetName and RowName",
        ));
    }
    let unused: Vec<&str> = sheets
        .iter()
        .filter(|s| UNUSED.contains(&plain(&s.name).as_str()) && s.rows.len() > 1)
        .map(|s| s.name.as_str())
        .collect();
    if !unused.is_empty() {
        problems.push(Problem::info(place, format!("not read: the sheets {}", unused.join(", ")), ""));
    }
    items
}

fn key(sheet: &str, name: &str) -> (String, String) {
    (plain(sheet), word(name))
}

/// A name as the sheets of one workbook refer to it.
fn word(name: &str) -> String {
    name.trim().to_lowercase()
}

/// A row as an item with what every sheet has.
fn named(table: &Table<'_>, row: &Row, kind: ItemKind) -> RegistryItem {
    let name = table.text(row, &["name"]);
    RegistryItem {
        kind,
        sheet: table.sheet.name.clone(),
        row: row.number,
        global_id: global_id(&table.text(row, &["extidentifier", "externalidentifier", "globalid", "guid"])),
        name,
        attributes: table.attributes(row, &[]),
        ..RegistryItem::default()
    }
}

/// Adds what is not there yet.
fn add(to: &mut Vec<(String, PropertyValue)>, more: Vec<(String, PropertyValue)>) {
    for (name, value) in more {
        if to.len() < MOST && !to.iter().any(|(n, _)| *n == name) {
            to.push((name, value));
        }
    }
}

/// By member: the names of the groups that list it.
fn groups(table: Option<&Table<'_>>, members: &str) -> HashMap<String, Vec<String>> {
    let mut groups: HashMap<String, Vec<String>> = HashMap::new();
    let Some(table) = table else { return groups };
    for row in table.rows() {
        let name = table.text(row, &["name"]);
        for member in split(&table.text(row, &[members])).filter(|_| !name.is_empty()) {
            let list = groups.entry(word(member)).or_default();
            if list.len() < MOST && !list.contains(&name) {
                list.push(name.clone());
            }
        }
    }
    groups
}

/// By part: the name of its whole.
fn wholes(table: Option<&Table<'_>>) -> HashMap<String, String> {
    let mut wholes = HashMap::new();
    let Some(table) = table else { return wholes };
    for row in table.rows() {
        let sheet = table.text(row, &["sheetname"]);
        let parent = table.text(row, &["parentname"]);
        if !parent.is_empty() && (sheet.is_empty() || plain(&sheet) == "component") {
            for child in split(&table.text(row, &["childnames"])) {
                wholes.entry(word(child)).or_insert_with(|| parent.clone());
            }
        }
    }
    wholes
}

/// By sheet and row: the attributes; the unit of one is a second attribute.
fn attributes(table: Option<&Table<'_>>) -> HashMap<(String, String), Vec<(String, PropertyValue)>> {
    let mut all: HashMap<_, Vec<_>> = HashMap::new();
    let Some(table) = table else { return all };
    let value_column = table.columns.get("value").copied();
    for row in table.rows() {
        let name = table.text(row, &["name"]);
        let value = value_column.and_then(|c| row.get(c));
        let said = value.filter(|v| v.as_str().is_none_or(|t| !is_nothing(t.trim())));
        let (Some(value), false) = (said, name.is_empty()) else { continue };
        let list = all.entry(key(&table.text(row, &["sheetname"]), &table.text(row, &["rowname"]))).or_default();
        let unit = table.text(row, &["unit"]);
        add(list, vec![(name.clone(), value.clone())]);
        if !unit.is_empty() {
            add(list, vec![(format!("{name} unit"), PropertyValue::Text(unit))]);
        }
    }
    all
}
