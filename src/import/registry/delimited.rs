//! CSV and its relatives: text with a comma, a semicolon, a tab or a bar between the cells.

use super::cells::{MAX_CELL_BYTES, MAX_CELLS, MAX_COLUMNS, MAX_ROWS, Row, Sheet, value_of};
use super::columns;
use crate::import::{Progress, cancelled, ifc};
use crate::problem::Problem;

/// What may stand between cells; of equals the first.
const DELIMITERS: [u8; 4] = [b',', b';', b'\t', b'|'];

/// How many rows tell what stands between the cells.
const SAMPLE_ROWS: usize = 40;

/// Reads the text of a file as one sheet without a name.
pub(super) fn read(
    bytes: &[u8],
    place: &str,
    progress: &Progress,
    problems: &mut Vec<Problem>,
) -> Result<Sheet, Problem> {
    let text = decode(bytes, place)?;
    // Excel's own hint, in a line of its own.
    let (hint, text, skipped) = match text.split_once('\n') {
        Some((first, rest)) if is_hint(first) => (first.trim().as_bytes().get(4).copied(), rest, 1),
        _ => (None, text.as_str(), 0),
    };
    let delimiter = hint.unwrap_or_else(|| delimiter(text));
    let mut sheet = Sheet::default();
    let (mut cells, mut long, mut broad) = (0, None, None);
    let mut reader = reader(text, delimiter);
    let mut record = csv::StringRecord::new();
    let mut lines = Lines { text: text.as_bytes(), byte: 0, line: 1 + skipped };
    loop {
        match reader.read_record(&mut record) {
            Ok(true) => {}
            Ok(false) => break,
            Err(e) => {
                let line = lines.at(e.position().map_or(0, csv::Position::byte));
                problems.push(Problem::warning(
                    sheet.place(place, line),
                    format!("the file cannot be read from here on: {e}"),
                    "save it as CSV again",
                ));
                break;
            }
        }
        let line = lines.at(record.position().map_or(0, csv::Position::byte));
        if sheet.rows.len().is_multiple_of(1024) && progress.cancelled() {
            return Err(cancelled(place));
        }
        let mut row = Row::new(line);
        for (column, cell) in record.iter().enumerate() {
            if cell.len() > MAX_CELL_BYTES {
                long.get_or_insert((line, column as u32));
            } else if column as u32 >= MAX_COLUMNS {
                broad.get_or_insert(line);
                break;
            } else {
                row.set(column as u32, value_of(cell));
            }
        }
        cells += row.len();
        if !row.is_empty() {
            sheet.rows.push(row);
        }
        if sheet.rows.len() >= MAX_ROWS || cells >= MAX_CELLS {
            problems.push(Problem::warning(
                sheet.place(place, line),
                format!("only {} rows are read", sheet.rows.len()),
                "split the table",
            ));
            break;
        }
    }
    if let Some((line, column)) = long {
        problems.push(Problem::warning(
            format!("{}, column {}", sheet.place(place, line), column + 1),
            format!("a cell of more than {MAX_CELL_BYTES} bytes is left out: a quote is never closed"),
            "close the quote, or write it twice where it belongs to the text (5\"\")",
        ));
    }
    if let Some(line) = broad {
        problems.push(Problem::warning(
            sheet.place(place, line),
            format!("only the first {MAX_COLUMNS} columns are read"),
            "leave the others out",
        ));
    }
    Ok(sheet)
}

/// Counts lines on the way through a text, whatever ends them.
struct Lines<'a> {
    text: &'a [u8],
    byte: usize,
    line: usize,
}

impl Lines<'_> {
    /// The line of the record that begins at a byte. The reader puts its beginning before the line breaks that it
    /// skips.
    fn at(&mut self, byte: u64) -> usize {
        let start = usize::try_from(byte).unwrap_or(self.text.len());
        while let Some(letter) = self.text.get(self.byte) {
            let ends = matches!(letter, b'\r' | b'\n');
            if self.byte >= start && !ends {
                break;
            }
            let first_of_two = *letter == b'\r' && self.text.get(self.byte + 1) == Some(&b'\n');
            self.line += usize::from(ends && !first_of_two);
            self.byte += 1;
        }
        self.line
    }
}

fn reader(text: &str, delimiter: u8) -> csv::Reader<&[u8]> {
    csv::ReaderBuilder::new().has_headers(false).flexible(true).delimiter(delimiter).from_reader(text.as_bytes())
}

fn is_hint(line: &str) -> bool {
    let line = line.trim();
    line.len() == 5 && line.is_ascii() && line.get(..4).is_some_and(|s| s.eq_ignore_ascii_case("sep="))
}

/// Bytes to text: UTF-8 with or without its mark, UTF-16 with it, else the letters of Western European Windows.
fn decode(bytes: &[u8], place: &str) -> Result<String, Problem> {
    let utf_16 = |bytes: &[u8], unit: fn([u8; 2]) -> u16| {
        let units =
            bytes.chunks_exact(2).map(|c| unit([c.first().copied().unwrap_or(0), c.get(1).copied().unwrap_or(0)]));
        char::decode_utf16(units).map(|c| c.unwrap_or('\u{fffd}')).collect()
    };
    let text: String = match bytes {
        [0xFF, 0xFE, rest @ ..] => utf_16(rest, u16::from_le_bytes),
        [0xFE, 0xFF, rest @ ..] => utf_16(rest, u16::from_be_bytes),
        _ => String::from_utf8(ifc::as_utf8(bytes.to_vec())).unwrap_or_default(),
    };
    if text.contains('\0') {
        return Err(Problem::error(
            place,
            "this is not a text with columns: it holds zero bytes",
            "save it as CSV in UTF-8, or as an Excel workbook (.xlsx)",
        ));
    }
    Ok(text)
}

/// What stands between the cells: what makes headings that are known, and rows of one width.
fn delimiter(text: &str) -> u8 {
    let judge = |delimiter: u8| {
        let records = reader(text, delimiter).into_records().take(SAMPLE_ROWS).filter_map(Result::ok);
        let rows: Vec<Vec<String>> = records.map(|r| r.iter().map(str::to_owned).collect()).collect();
        let known = rows.iter().map(|r| columns::known(r.iter().map(String::as_str))).max().unwrap_or(0);
        let widths: Vec<usize> = rows.iter().map(Vec::len).filter(|w| *w > 1).collect();
        let alike = |width: &usize| widths.iter().filter(|w| *w == width).count();
        let even = widths.iter().map(|w| alike(w) * (w - 1).min(50)).max().unwrap_or(0);
        (known, even)
    };
    let mut best = (DELIMITERS.first().copied().unwrap_or(b','), (0, 0));
    for delimiter in DELIMITERS {
        let score = judge(delimiter);
        if score > best.1 {
            best = (delimiter, score);
        }
    }
    best.0
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::site::model::PropertyValue;

    fn rows(bytes: &[u8]) -> Vec<Vec<String>> {
        let mut problems = Vec::new();
        let sheet = read(bytes, "a.csv", &Progress::default(), &mut problems).unwrap();
        assert_eq!(problems, []);
        sheet.rows.iter().map(|r| r.cells().map(|(_, v)| v.to_string()).collect()).collect()
    }

    #[test]
    fn delimiters_are_found() {
        let expected = vec![vec!["Tag".to_owned(), "Flow".into()], vec!["P-1".into(), "1,5".into()]];
        assert_eq!(rows(b"Tag;Flow\r\nP-1;1,5\r\n"), expected);
        assert_eq!(rows(b"Tag\tFlow\nP-1\t1,5\n"), expected);
        assert_eq!(rows(b"Tag|Flow\rP-1|1,5"), expected);
        assert_eq!(rows(b"Tag,Flow\nP-1,\"1,5\"\n"), expected);
        assert_eq!(rows(b"sep=;\nTag;Flow\nP-1;1,5"), expected);
        // Headings that nobody knows: the width of the rows tells.
        assert_eq!(rows(b"Foo;Bar\nA, b and c;2\nD;3").len(), 3);
        assert_eq!(rows(b"Foo;Bar\nA, b and c;2\nD;3")[1], ["A, b and c", "2"]);
    }

    #[test]
    fn encodings_are_found() {
        let expected = vec![vec!["Tag".to_owned(), "Raum".into()], vec!["K-1".into(), "Küche".into()]];
        let text = "Tag,Raum\nK-1,Küche\n";
        assert_eq!(rows(text.as_bytes()), expected);
        assert_eq!(rows(format!("\u{feff}{text}").as_bytes()), expected);
        let latin: Vec<u8> = text.chars().map(|c| c as u8).collect();
        assert_eq!(rows(&latin), expected);
        let le: Vec<u8> = [0xFF, 0xFE].into_iter().chain(text.encode_utf16().flat_map(u16::to_le_bytes)).collect();
        let be: Vec<u8> = [0xFE, 0xFF].into_iter().chain(text.encode_utf16().flat_map(u16::to_be_bytes)).collect();
        assert_eq!((rows(&le), rows(&be)), (expected.clone(), expected));
        let refused = read(b"Tag\0\0,", "a.csv", &Progress::default(), &mut Vec::new()).unwrap_err();
        assert!(refused.message.contains("zero bytes"));
    }

    #[test]
    fn quoted_line_breaks_stay_in_their_cell_and_lines_are_counted() {
        let mut problems = Vec::new();
        let text = b"Tag,Note\nP-1,\"two\nlines; \"\"so\"\"\"\n\nP-2,x\n";
        let sheet = read(text, "a.csv", &Progress::default(), &mut problems).unwrap();
        assert_eq!(sheet.rows.iter().map(|r| r.number).collect::<Vec<_>>(), [1, 2, 5]);
        for ends in ["\r\n", "\r", "\n"] {
            let text = ["Tag,Note", "P-1,\"a", "b\"", "", "P-2,x", "P-3,y"].join(ends);
            let sheet = read(text.as_bytes(), "a.csv", &Progress::default(), &mut problems).unwrap();
            assert_eq!(sheet.rows.iter().map(|r| r.number).collect::<Vec<_>>(), [1, 2, 5, 6], "{ends:?}");
        }
        assert_eq!(sheet.rows[1].get(1), Some(&PropertyValue::Text("two\nlines; \"so\"".into())));
    }

    #[test]
    fn a_quote_that_is_never_closed_is_told() {
        let mut problems = Vec::new();
        let text = format!("Tag,Note\nP-1,\"open\n{}", "P-2,x\n".repeat(30_000));
        let sheet = read(text.as_bytes(), "a.csv", &Progress::default(), &mut problems).unwrap();
        assert_eq!(sheet.rows.len(), 2);
        assert!(problems[0].place.ends_with("row 2, column 2") && problems[0].message.contains("never closed"));
    }
}
