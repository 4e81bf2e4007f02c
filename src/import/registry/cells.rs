//! Cells, rows and sheets, however the file has them; and how much of them is read.

use crate::problem::Problem;
use crate::site::model::PropertyValue;

/// Larger files are no asset registry, bytes.
pub(super) const MAX_FILE_BYTES: u64 = 256_000_000;

/// A workbook that unpacks to more is refused, bytes.
pub(super) const MAX_UNPACKED_BYTES: u64 = 256_000_000;

/// Rows beyond are not read.
pub(super) const MAX_ROWS: usize = 1_048_576;

/// Cells of a file beyond are not read.
pub(super) const MAX_CELLS: usize = 8_000_000;

/// Columns beyond are not read.
pub(super) const MAX_COLUMNS: u32 = 1_000;

/// A longer text is no cell: a quote is missing somewhere, bytes.
pub(super) const MAX_CELL_BYTES: usize = 100_000;

/// One row: its filled cells by column, from 0.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Row {
    /// As the spreadsheet counts, or the line of the file, from 1.
    pub(super) number: usize,
    cells: Vec<(u32, PropertyValue)>,
}

impl Row {
    /// A row without cells.
    pub(super) fn new(number: usize) -> Self {
        Self { number, cells: Vec::new() }
    }

    /// Adds a cell unless it is empty; of two at one place the first counts.
    pub(super) fn set(&mut self, column: u32, value: PropertyValue) {
        let empty = match &value {
            PropertyValue::Null => true,
            PropertyValue::Text(text) => text.trim().is_empty(),
            _ => false,
        };
        if empty {
            return;
        }
        // They nearly always come in order.
        match self.cells.last() {
            Some((last, _)) if *last >= column => {
                if let Err(at) = self.cells.binary_search_by_key(&column, |(c, _)| *c) {
                    self.cells.insert(at, (column, value));
                }
            }
            _ => self.cells.push((column, value)),
        }
    }

    /// A cell.
    pub(super) fn get(&self, column: u32) -> Option<&PropertyValue> {
        let at = self.cells.binary_search_by_key(&column, |(c, _)| *c).ok()?;
        self.cells.get(at).map(|(_, v)| v)
    }

    /// A cell as text, trimmed; empty when there is nothing, or what stands for it (`n/a`, `-`).
    pub(super) fn text(&self, column: Option<u32>) -> String {
        let text = column.and_then(|c| self.get(c)).map(ToString::to_string).unwrap_or_default();
        let text = text.trim();
        if is_nothing(text) { String::new() } else { text.to_owned() }
    }

    /// Every filled cell.
    pub(super) fn cells(&self) -> impl Iterator<Item = (u32, &PropertyValue)> {
        self.cells.iter().map(|(c, v)| (*c, v))
    }

    /// True when no cell is filled.
    pub(super) fn is_empty(&self) -> bool {
        self.cells.is_empty()
    }

    /// How many cells are filled.
    pub(super) fn len(&self) -> usize {
        self.cells.len()
    }
}

/// What people write where there is nothing to say.
pub(super) fn is_nothing(text: &str) -> bool {
    matches!(text.to_ascii_lowercase().as_str(), "" | "n/a" | "#n/a" | "-" | "--" | "–" | "null" | "none")
}

/// One sheet: rows that are not empty.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Sheet {
    /// Its name; empty for a CSV file.
    pub(super) name: String,
    /// In the order of the file.
    pub(super) rows: Vec<Row>,
}

impl Sheet {
    /// A place in it: `assets.xlsx, Pumps, row 12`.
    pub(super) fn place(&self, file: &str, row: usize) -> String {
        if self.name.is_empty() { format!("{file}, row {row}") } else { format!("{file}, {}, row {row}", self.name) }
    }
}

/// The name of a column, from 0: `A`, `AB`.
pub(super) fn column_name(column: u32) -> String {
    let mut letters = Vec::new();
    let mut n = u64::from(column) + 1;
    while n > 0 {
        n -= 1;
        letters.push(char::from(b'A' + (n % 26) as u8));
        n /= 26;
    }
    letters.iter().rev().collect()
}

/// A text from a file as a value: a whole or decimal number as such where that changes nothing of it, so that a
/// serial number keeps its zeros and `1,5` stays what it is.
pub(super) fn value_of(text: &str) -> PropertyValue {
    let text = text.trim();
    let digits = text.strip_prefix('-').unwrap_or(text);
    let (whole, part) = digits.split_once('.').map_or((digits, None), |(w, p)| (w, Some(p)));
    let all_digits = |s: &str| !s.is_empty() && s.bytes().all(|b| b.is_ascii_digit());
    let plain = all_digits(whole) && (whole == "0" || !whole.starts_with('0')) && whole.len() + 2 < 17;
    match part {
        _ if text == "-0" => {}
        None if plain => {
            if let Ok(number) = text.parse() {
                return PropertyValue::Integer(number);
            }
        }
        Some(part) if plain && all_digits(part) && whole.len() + part.len() < 16 => {
            if let Ok(number) = text.parse() {
                return PropertyValue::Real(number);
            }
        }
        _ => {}
    }
    match text.to_ascii_lowercase().as_str() {
        "" => PropertyValue::Null,
        "true" => PropertyValue::Boolean(true),
        "false" => PropertyValue::Boolean(false),
        _ => PropertyValue::Text(text.to_owned()),
    }
}

/// Why a file is refused for its size.
pub(super) fn too_large(place: &str, size: u64, most: u64) -> Problem {
    let mb = |b: u64| b as f64 / 1e6;
    Problem::error(
        place,
        format!("{:.0} MB are more than the limit of {:.0} MB for an asset registry", mb(size), mb(most)),
        "give the table of assets alone",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_numbers_only_where_nothing_of_them_is_lost() {
        use PropertyValue::{Boolean, Integer, Null, Real, Text};
        for (text, expected) in [
            ("12", Integer(12)),
            (" -3 ", Integer(-3)),
            ("0", Integer(0)),
            ("1.5", Real(1.5)),
            ("0.25", Real(0.25)),
            ("TRUE", Boolean(true)),
            ("", Null),
        ] {
            assert_eq!(value_of(text), expected, "{text}");
        }
        for text in ["007", "1,5", "1E5", "+1", "1.", ".5", "-0", "12345678901234567890", "0.10.1", "--1", "-"] {
            assert_eq!(value_of(text), Text(text.into()), "{text}");
        }
    }

    #[test]
    fn rows_and_columns() {
        let mut row = Row::new(3);
        for (column, text) in [(2, "c"), (0, "a"), (2, "late"), (1, " "), (5, "n/a")] {
            row.set(column, PropertyValue::Text(text.into()));
        }
        assert_eq!(row.cells().map(|(c, v)| format!("{c}{v}")).collect::<Vec<_>>(), ["0a", "2c", "5n/a"]);
        assert_eq!((row.text(Some(2)), row.text(Some(5)), row.text(None)), ("c".into(), String::new(), String::new()));
        assert_eq!([0, 25, 26, 701, 702, 16383].map(column_name), ["A", "Z", "AA", "ZZ", "AAA", "XFD"]);
    }
}
