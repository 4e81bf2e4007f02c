//! Tables with free columns to items.

use super::cells::{Row, Sheet, is_nothing};
use super::columns::{self, Columns};
use crate::problem::Problem;
use crate::site::assets::RegistryItem;
use crate::site::model::PropertyValue;

/// So many rows without a key are told one by one.
const TOLD: usize = 5;

/// Reads every sheet that has a row of headings with a key; `stated` are the headings that the project names.
///
/// # Errors
/// No sheet has one.
pub(super) fn items(
    sheets: &[Sheet],
    stated: &[(String, String)],
    place: &str,
    problems: &mut Vec<Problem>,
) -> Result<Vec<RegistryItem>, Problem> {
    let mut items = Vec::new();
    let mut left_out = Vec::new();
    let mut any = false;
    for sheet in sheets {
        let Some(columns) = columns::find(sheet, stated) else {
            if !sheet.rows.is_empty() {
                left_out.push(sheet);
            }
            continue;
        };
        any = true;
        columns::missing(&columns, stated, &sheet.place(place, columns.row), problems);
        read(sheet, &columns, place, &mut items, problems);
    }
    if !any {
        return Err(no_key(sheets, stated, place));
    }
    for sheet in left_out {
        problems.push(Problem::info(
            format!("{place}, {}", sheet.name),
            "the sheet is left out: no heading says which asset a row is about",
            "name its columns in [[registries]] if it is a table of assets",
        ));
    }
    Ok(items)
}

fn no_key(sheets: &[Sheet], stated: &[(String, String)], place: &str) -> Problem {
    let fullest = sheets.iter().flat_map(|s| s.rows.iter().take(25)).max_by_key(|r| (r.len(), usize::MAX - r.number));
    let words = fullest.map(|r| r.cells().map(|(_, v)| v.to_string()).take(6).collect::<Vec<_>>().join(", "));
    let Some(words) = words else {
        return Problem::error(place, "the table is empty", "export it again");
    };
    let what = match stated {
        [] => "no column says which asset a row is about".to_owned(),
        stated => {
            let names = stated.iter().map(|(_, h)| format!("`{h}`")).collect::<Vec<_>>().join(", ");
            format!("no row of headings has {names}, or a column that says which asset a row is about")
        }
    };
    Problem::error(
        place,
        format!("{what}; its fullest row begins with {words}"),
        "call a column Tag, GlobalId or Name, or name it in twin.toml: [[registries]] columns = { tag = \"…\" }",
    )
}

fn read(sheet: &Sheet, columns: &Columns, place: &str, items: &mut Vec<RegistryItem>, problems: &mut Vec<Problem>) {
    let mut nameless = Vec::new();
    for row in sheet.rows.iter().filter(|r| r.number > columns.row) {
        let text = |meaning: &str| row.text(columns.of(meaning));
        let list = |meaning: &str| {
            let text = text(meaning);
            split(&text).map(str::to_owned).collect::<Vec<_>>()
        };
        let item = RegistryItem {
            sheet: sheet.name.clone(),
            row: row.number,
            tag: text("tag"),
            global_id: global_id(&text("global_id")),
            name: text("name"),
            type_name: text("type"),
            space: text("space"),
            storey: text("storey"),
            systems: list("system"),
            zones: list("zone"),
            fed_from: list("fed_from"),
            serves: list("serves"),
            part_of: text("part_of"),
            attributes: attributes(row, columns),
            ..RegistryItem::default()
        };
        if item.label().is_empty() {
            nameless.push(row.number);
        } else {
            items.push(item);
        }
    }
    let keys = ["tag", "global_id", "name"].into_iter().filter_map(|k| columns.of(k)).map(|c| columns.heading(c));
    let keys = keys.map(|k| format!("`{k}`")).collect::<Vec<_>>().join(" or ");
    tell_nameless(sheet, &nameless, &keys, place, problems);
}

/// Rows that name nothing are left out: the first ones are told one by one.
pub(super) fn tell_nameless(sheet: &Sheet, rows: &[usize], keys: &str, place: &str, problems: &mut Vec<Problem>) {
    for row in rows.iter().take(TOLD) {
        problems.push(Problem::warning(
            sheet.place(place, *row),
            format!("the row has no {keys}: it is left out"),
            "fill it in, or delete the row",
        ));
    }
    if let Some(more) = rows.len().checked_sub(TOLD).filter(|n| *n > 0) {
        problems.push(Problem::warning(
            sheet.place(place, rows.get(TOLD).copied().unwrap_or_default()),
            format!("{more} more rows have no {keys}: they are left out"),
            "fill it in, or delete the rows",
        ));
    }
}

/// Every filled cell with its heading but the GlobalId, which the element has itself.
fn attributes(row: &Row, columns: &Columns) -> Vec<(String, PropertyValue)> {
    let own = columns.of("global_id");
    let said = |v: &PropertyValue| v.as_str().is_none_or(|t| !is_nothing(t.trim()));
    let cells = row.cells().filter(|(c, v)| Some(*c) != own && said(v));
    cells.map(|(c, v)| (columns.heading(c), v.clone())).collect()
}

/// The parts of a list in one cell.
pub(super) fn split(text: &str) -> impl Iterator<Item = &str> {
    text.split([',', ';', '|', '\n']).map(str::trim).filter(|t| !is_nothing(t))
}

/// The GlobalId of IFC for a word: itself, or the 22 characters that stand for a UUID.
pub(super) fn global_id(word: &str) -> String {
    const LETTERS: &[u8; 64] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_$";
    let word = word.trim();
    let inner = word.strip_prefix('{').and_then(|w| w.strip_suffix('}')).unwrap_or(word);
    let dashes: Vec<usize> = inner.match_indices('-').map(|(i, _)| i).collect();
    let hex: String = inner.chars().filter(|c| *c != '-').collect();
    let shaped = hex.len() == 32
        && hex.bytes().all(|b| b.is_ascii_hexdigit())
        && (dashes.is_empty() || dashes == [8, 13, 18, 23]);
    let Some(number) = u128::from_str_radix(&hex, 16).ok().filter(|_| shaped) else { return word.to_owned() };
    let digit = |i: u32| {
        let value = (number >> (6 * (21 - i))) & 63;
        char::from(LETTERS.get(value as usize).copied().unwrap_or(b'0'))
    };
    (0..22).map(digit).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_uuid_becomes_a_global_id() {
        // Worked out by hand: 2 bits, then 21 times 6.
        assert_eq!(global_id("00000000-0000-0000-0000-000000000001"), "0000000000000000000001");
        assert_eq!(global_id("{FFFFFFFF-FFFF-FFFF-FFFF-FFFFFFFFFFFF}"), "3$$$$$$$$$$$$$$$$$$$$$");
        assert_eq!(global_id("80000000000000000000000000000040"), "2000000000000000000010");
        for kept in ["2OZcyTCOHTy9_m3T69Z292", "12345", "", "+0000000-0000-0000-0000-000000000001"] {
            assert_eq!(global_id(kept), kept);
        }
    }
}
