//! Which column means what: headings as people write them, and the row that they stand in.

use super::cells::{Row, Sheet, column_name, is_nothing};
use crate::problem::Problem;
use crate::site::assets::COLUMNS;
use std::collections::HashMap;

/// How far down the headings may stand.
const HEADING_ROWS: usize = 25;

/// Headings by what they mean, letters and digits only; of several in one table the first of the list counts.
const SYNONYMS: [(&str, &[&str]); COLUMNS.len()] = [
    (
        "global_id",
        &[
            "globalid",
            "ifcglobalid",
            "ifcguid",
            "guid",
            "extidentifier",
            "externalidentifier",
            "externalid",
            "bimguid",
            "bimid",
            "ifcid",
            "uuid",
        ],
    ),
    (
        "tag",
        &[
            "tag",
            "assettag",
            "tagnumber",
            "tagno",
            "tagid",
            "mark",
            "equipmenttag",
            "equipmentid",
            "equipmentno",
            "equipmentnumber",
            "equipmentcode",
            "assetid",
            "assetno",
            "assetnumber",
            "assetcode",
            "assetidentifier",
            "devicetag",
            "deviceid",
            "itemtag",
            "unittag",
            "unitno",
            "kennzeichen",
            "anlagenkennzeichen",
            "aks",
            "bmk",
        ],
    ),
    ("name", &["name", "assetname", "equipmentname", "componentname", "unitname", "bezeichnung"]),
    (
        "type",
        &[
            "typename",
            "type",
            "assettype",
            "equipmenttype",
            "familyandtype",
            "category",
            "assetcategory",
            "kind",
            "typ",
        ],
    ),
    (
        "space",
        &[
            "roomnumber",
            "roomno",
            "spacenumber",
            "spaceno",
            "space",
            "spacename",
            "room",
            "roomname",
            "raumnummer",
            "raum",
            "location",
        ],
    ),
    ("storey", &["storey", "story", "floor", "floorname", "level", "levelname", "geschoss", "stockwerk", "etage"]),
    ("system", &["systemname", "system", "systems"]),
    ("zone", &["zonename", "zone", "zones"]),
    ("fed_from", &["fedfrom", "fedby", "suppliedby", "suppliedfrom", "supplyfrom", "servedby", "poweredfrom"]),
    (
        "serves",
        &[
            "serves",
            "areaserved",
            "areasserved",
            "roomserved",
            "roomsserved",
            "spaceserved",
            "spacesserved",
            "zoneserved",
        ],
    ),
    ("part_of", &["partof", "parent", "parentasset", "parenttag", "parentequipment", "assembly"]),
];

/// Headings that mean a tag where nothing better does.
const WEAK_TAGS: [&str; 9] = ["equipment", "asset", "unit", "id", "code", "number", "no", "item", "reference"];

/// By what a row can be joined to an element.
const KEYS: [&str; 3] = ["global_id", "tag", "name"];

/// The headings of a sheet, and what they mean.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Columns {
    /// Number of the row that they stand in.
    pub(super) row: usize,
    /// By meaning: the column.
    meaning: HashMap<&'static str, u32>,
    /// By column: the heading, each once.
    headings: HashMap<u32, String>,
}

impl Columns {
    /// The column of a meaning.
    pub(super) fn of(&self, meaning: &str) -> Option<u32> {
        self.meaning.get(meaning).copied()
    }

    /// The heading of a column.
    pub(super) fn heading(&self, column: u32) -> String {
        self.headings.get(&column).cloned().unwrap_or_else(|| format!("Column {}", column_name(column)))
    }

    /// True when a row can be joined to something.
    pub(super) fn has_key(&self) -> bool {
        KEYS.iter().any(|k| self.meaning.contains_key(k))
    }
}

/// Letters and digits only, small.
pub(super) fn plain(heading: &str) -> String {
    heading.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

/// How many of these words are headings that are known.
pub(super) fn known<'a>(words: impl Iterator<Item = &'a str>) -> usize {
    let mut meanings: Vec<&str> = words
        .filter_map(|w| {
            let plain = plain(w);
            SYNONYMS.iter().find(|(_, list)| list.contains(&plain.as_str())).map(|(m, _)| *m)
        })
        .collect();
    meanings.sort_unstable();
    meanings.dedup();
    meanings.len()
}

/// Finds the row of headings in a sheet; `stated` are the headings that the project names, by meaning.
///
/// None when no row has a heading that says which asset a row is about.
pub(super) fn find(sheet: &Sheet, stated: &[(String, String)]) -> Option<Columns> {
    let mut best: Option<(usize, Columns)> = None;
    for row in sheet.rows.iter().take(HEADING_ROWS) {
        let columns = read(row, stated);
        // What the project names weighs more than what is guessed.
        let named = stated.iter().filter(|(_, heading)| has_heading(&columns, heading)).count();
        let score = columns.meaning.len() + 100 * named;
        if columns.has_key() && best.as_ref().is_none_or(|(s, _)| score > *s) {
            best = Some((score, columns));
        }
    }
    best.map(|(_, columns)| columns)
}

/// Tells which headings that the project names are not there.
pub(super) fn missing(columns: &Columns, stated: &[(String, String)], place: &str, problems: &mut Vec<Problem>) {
    for (meaning, heading) in stated.iter().filter(|(_, heading)| !has_heading(columns, heading)) {
        let mut headings: Vec<(&u32, &String)> = columns.headings.iter().collect();
        headings.sort();
        let all = headings.into_iter().map(|(_, h)| h.as_str()).take(40).collect::<Vec<_>>().join(", ");
        problems.push(Problem::error(
            place,
            format!("no column is called `{heading}` (`{meaning}` in [[registries]])"),
            format!("use one of {all}"),
        ));
    }
}

fn has_heading(columns: &Columns, heading: &str) -> bool {
    let wanted = plain(heading);
    columns.headings.values().any(|h| plain(h) == wanted)
}

/// Takes a row for headings.
pub(super) fn read(row: &Row, stated: &[(String, String)]) -> Columns {
    let mut columns = Columns { row: row.number, ..Columns::default() };
    let mut by_word: HashMap<String, u32> = HashMap::new();
    let mut used: HashMap<String, usize> = HashMap::new();
    for (column, value) in row.cells() {
        let heading = value.to_string().split_whitespace().collect::<Vec<_>>().join(" ");
        if is_nothing(&heading) {
            continue;
        }
        by_word.entry(plain(&heading)).or_insert(column);
        let times = used.entry(heading.clone()).or_insert(0);
        *times += 1;
        let heading = if *times > 1 { format!("{heading} ({times})") } else { heading };
        columns.headings.insert(column, heading);
    }
    let taken = |columns: &Columns, column: u32| columns.meaning.values().any(|c| *c == column);
    for meaning in COLUMNS {
        let said = stated.iter().find(|(m, _)| m == meaning);
        if let Some(column) = said.and_then(|(_, heading)| by_word.get(&plain(heading))) {
            columns.meaning.insert(meaning, *column);
        }
    }
    for (meaning, words) in SYNONYMS {
        // Where the project names another column, none is guessed.
        if columns.meaning.contains_key(meaning) || stated.iter().any(|(m, _)| m == meaning) {
            continue;
        }
        let free = words.iter().filter_map(|w| by_word.get(*w)).find(|c| !taken(&columns, **c));
        if let Some(column) = free {
            columns.meaning.insert(meaning, *column);
        }
    }
    if !columns.meaning.contains_key("tag")
        && !stated.iter().any(|(m, _)| m == "tag")
        && !columns.meaning.is_empty()
        && let Some(column) = WEAK_TAGS.iter().filter_map(|w| by_word.get(*w)).find(|c| !taken(&columns, **c))
    {
        columns.meaning.insert("tag", *column);
    }
    columns
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::site::model::PropertyValue;

    fn sheet(rows: &[&[&str]]) -> Sheet {
        let row = |(i, cells): (usize, &&[&str])| {
            let mut row = Row::new(i + 1);
            cells.iter().enumerate().for_each(|(c, t)| row.set(c as u32, PropertyValue::Text((*t).into())));
            row
        };
        Sheet { name: String::new(), rows: rows.iter().enumerate().map(row).collect() }
    }

    #[test]
    fn the_row_of_headings_is_found_below_titles() {
        let sheet = sheet(&[
            &["Equipment schedule", "", ""],
            &["Name of the project", "Clinic"],
            &["Asset Tag", "Room\nNo.", "Level", "Serial", "Serial"],
            &["P-1", "0.01", "Level 0", "1", "2"],
        ]);
        let columns = find(&sheet, &[]).unwrap();
        assert_eq!(columns.row, 3);
        assert_eq!(["tag", "space", "storey", "name"].map(|m| columns.of(m)), [Some(0), Some(1), Some(2), None]);
        assert_eq!((columns.heading(3).as_str(), columns.heading(4).as_str()), ("Serial", "Serial (2)"));
        assert_eq!((columns.heading(1).as_str(), columns.heading(30).as_str()), ("Room No.", "Column AE"));
    }

    #[test]
    fn what_the_project_names_counts_before_what_is_guessed() {
        let sheet = sheet(&[&["Tag", "Plant item", "Name"], &["17", "P-1", "Pump"]]);
        let stated = [("tag".to_owned(), "plant ITEM".to_owned())];
        let columns = find(&sheet, &stated).unwrap();
        assert_eq!((columns.of("tag"), columns.of("name")), (Some(1), Some(2)));
        let stated = [("tag".to_owned(), "Plant number".to_owned())];
        let columns = find(&sheet, &stated).unwrap();
        assert_eq!(columns.of("tag"), None, "not guessed where another is named");
        let mut problems = Vec::new();
        missing(&columns, &stated, "a.csv", &mut problems);
        assert!(problems[0].message.contains("`Plant number`") && problems[0].remedy.contains("Plant item"));
    }

    #[test]
    fn a_table_of_something_else_has_no_key() {
        assert_eq!(find(&sheet(&[&["Time", "Flow"], &["1", "2"]]), &[]), None);
        assert_eq!(find(&sheet(&[&["ID"], &["1"]]), &[]), None, "a weak word alone is not enough");
        assert!(find(&sheet(&[&["ID", "Room"], &["1", "2"]]), &[]).is_some());
        assert_eq!(known(["Tag", "Mark", "Room", "x"].into_iter()), 2);
    }
}
