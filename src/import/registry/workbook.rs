//! Excel workbooks (.xlsx) to sheets of cells.
//!
//! The archive is unpacked once to count its bytes before anything trusts it, and sheets are read cell by cell: a
//! sheet that claims a cell in its last row and column costs nothing.

use super::cells::{MAX_CELL_BYTES, MAX_CELLS, MAX_COLUMNS, MAX_ROWS, MAX_UNPACKED_BYTES, Row, Sheet, column_name};
use crate::import::{Limits, Progress, cancelled};
use crate::problem::Problem;
use crate::site::model::PropertyValue;
use calamine::{DataRef, ExcelDateTime, Reader, SheetType, Xlsx};
use quick_xml::events::Event;
use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Cursor, Read};
use std::panic::{AssertUnwindSafe, catch_unwind};

/// A list of texts may claim so many, whatever there is.
const MAX_CLAIMED_TEXTS: u64 = 1_000_000;

/// The shortest text of a list, `<si/>`, bytes.
const LEAST_TEXT: u64 = 5;

/// A workbook has a few dozen parts.
const MAX_PARTS: usize = 10_000;

/// Reads every sheet, or the one that is wanted.
pub(super) fn read(
    bytes: &[u8],
    (place, wanted): (&str, Option<&str>),
    limits: &Limits,
    progress: &Progress,
    problems: &mut Vec<Problem>,
) -> Result<Vec<Sheet>, Problem> {
    check(bytes, place, limits)?;
    // The reader below is not ours: should it give up, it does so on a thread whose faults are told here.
    let work = || catch_unwind(AssertUnwindSafe(|| sheets(bytes, place, wanted, progress)));
    let done = std::thread::scope(|scope| {
        let worker = std::thread::Builder::new().name("table-reader".to_owned()).spawn_scoped(scope, work);
        worker.map(|w| w.join().unwrap_or_else(Err))
    });
    match done {
        Ok(Ok(read)) => {
            let (sheets, found) = read?;
            problems.extend(found);
            Ok(sheets)
        }
        Ok(Err(_)) => Err(damaged(place, &"its reader gave up")),
        Err(e) => Err(Problem::error(place, format!("no thread to read it: {e}"), "close other programs")),
    }
}

fn damaged(place: &str, why: &dyn std::fmt::Display) -> Problem {
    Problem::error(
        place,
        format!("the workbook cannot be read: {why}"),
        "open it in Excel or LibreOffice and save it again as .xlsx, or as CSV",
    )
}

/// Is it a workbook, and does it unpack to what it should?
fn check(bytes: &[u8], place: &str, limits: &Limits) -> Result<(), Problem> {
    let most = limits.max_bytes.min(MAX_UNPACKED_BYTES);
    let bomb = |size: &str| {
        Problem::error(
            place,
            format!("the workbook unpacks to {size}, more than the limit of {:.0} MB", most as f64 / 1e6),
            "give the table of assets alone",
        )
    };
    let mut archive = zip::ZipArchive::new(Cursor::new(bytes)).map_err(|e| damaged(place, &e))?;
    if archive.len() > MAX_PARTS {
        return Err(damaged(place, &format!("it has {} parts", archive.len())));
    }
    let names: Vec<String> = archive.file_names().filter_map(Result::ok).map(|n| n.to_lowercase()).collect();
    let has = |part: &str| names.iter().any(|n| n.trim_start_matches('/') == part);
    if !has("xl/workbook.xml") {
        let what = if has("word/document.xml") {
            "a Word document"
        } else if has("xl/workbook.bin") {
            "a binary workbook (.xlsb)"
        } else if has("content.xml") {
            "an OpenDocument file"
        } else {
            "an archive without a workbook in it"
        };
        return Err(Problem::error(
            place,
            format!("this is {what}, not an Excel workbook (.xlsx)"),
            "save the table as an Excel workbook (.xlsx), or as CSV",
        ));
    }
    let mut claimed = 0_u64;
    for i in 0..archive.len() {
        let part = archive.by_index_raw(i).map_err(|e| damaged(place, &e))?;
        if part.encrypted() {
            return Err(Problem::error(place, "the workbook has a password", "save it without"));
        }
        claimed = claimed.saturating_add(part.size());
    }
    if claimed > most {
        return Err(bomb(&format!("{:.0} MB", claimed as f64 / 1e6)));
    }
    // What it claims is not trusted.
    let mut unpacked = 0_u64;
    let mut texts = Vec::new();
    for i in 0..archive.len() {
        let part = archive.by_index(i).map_err(|e| damaged(place, &e))?;
        let is_texts = part.name().is_ok_and(|n| n.to_lowercase().ends_with("sharedstrings.xml"));
        let left = most.saturating_sub(unpacked);
        let read = std::io::copy(&mut part.take(left.saturating_add(1)), &mut std::io::sink());
        let read = read.map_err(|e| damaged(place, &e))?;
        unpacked = unpacked.saturating_add(read);
        if unpacked > most {
            return Err(bomb("more than it says"));
        }
        if is_texts {
            texts.push((i, read));
        }
    }
    for (i, size) in texts {
        let part = archive.by_index(i).map_err(|e| damaged(place, &e))?;
        let claimed = claimed_texts(BufReader::new(part));
        if claimed > MAX_CLAIMED_TEXTS && claimed > size / LEAST_TEXT {
            return Err(damaged(place, &format!("its list claims {claimed} texts and has no room for them")));
        }
    }
    Ok(())
}

/// How many texts the list of a workbook's texts says it has: the library below makes room for them before it reads
/// one, and where there is not so much memory the whole program would end. Some programs claim too many without
/// any harm.
fn claimed_texts(part: impl BufRead) -> u64 {
    let mut reader = quick_xml::Reader::from_reader(part);
    // As the library reads it.
    let config = reader.config_mut();
    config.check_end_names = false;
    config.check_comments = false;
    config.expand_empty_elements = true;
    let mut buffer = Vec::new();
    loop {
        buffer.clear();
        match reader.read_event_into(&mut buffer) {
            Ok(Event::Start(e)) if e.local_name().as_ref() == "sst" => {
                let digits = |text: &str| -> String {
                    let text = text.trim_start_matches(|c: char| !c.is_ascii_digit());
                    text.chars().take_while(char::is_ascii_digit).collect()
                };
                let claims = e.attributes_raw().split("uniqueCount").skip(1).map(digits);
                return claims.filter(|d| !d.is_empty()).map(|d| d.parse().unwrap_or(u64::MAX)).max().unwrap_or(0);
            }
            Ok(Event::Eof) | Err(_) => return 0,
            Ok(_) => {}
        }
    }
}

/// What was read, and what was wrong with it.
type Found = (Vec<Sheet>, Vec<Problem>);

fn sheets(bytes: &[u8], place: &str, wanted: Option<&str>, progress: &Progress) -> Result<Found, Problem> {
    let mut workbook: Xlsx<_> = Xlsx::new(Cursor::new(bytes)).map_err(|e| damaged(place, &e))?;
    let tables = workbook.sheets_metadata().iter().filter(|s| s.typ == SheetType::WorkSheet);
    let mut names: Vec<String> = tables.map(|s| s.name.clone()).collect();
    if let Some(wanted) = wanted {
        let Some(name) = names.iter().find(|n| n.trim().eq_ignore_ascii_case(wanted.trim())).cloned() else {
            let remedy = format!("its sheets are {}", names.join(", "));
            return Err(Problem::error(place, format!("there is no sheet `{wanted}`"), remedy));
        };
        names = vec![name];
    }
    let mut problems = Vec::new();
    let mut left = MAX_CELLS;
    let mut sheets = Vec::new();
    for name in names {
        match sheet(&mut workbook, &name, place, &mut left, progress, &mut problems)? {
            Ok(sheet) => sheets.push(sheet),
            Err(why) => problems.push(Problem::warning(
                format!("{place}, {name}"),
                format!("the sheet cannot be read: {why}"),
                "open the workbook in Excel or LibreOffice and save it again",
            )),
        }
    }
    Ok((sheets, problems))
}

/// One sheet; the inner error is the sheet's own, the outer one stops everything.
fn sheet(
    workbook: &mut Xlsx<Cursor<&[u8]>>,
    name: &str,
    place: &str,
    left: &mut usize,
    progress: &Progress,
    problems: &mut Vec<Problem>,
) -> Result<Result<Sheet, String>, Problem> {
    let mut rows: BTreeMap<u32, Row> = BTreeMap::new();
    let mut reader = match workbook.worksheet_cells_reader(name) {
        Ok(reader) => reader,
        Err(e) => return Ok(Err(e.to_string())),
    };
    let at =
        |row: u32, column: u32| format!("{place}, {name}, row {}, column {}", u64::from(row) + 1, column_name(column));
    let (mut faults, mut broken) = (None, None);
    let mut broad = false;
    let mut count = 0_usize;
    loop {
        count += 1;
        if count.is_multiple_of(4096) && progress.cancelled() {
            return Err(cancelled(place));
        }
        let cell = match reader.next_cell() {
            Ok(Some(cell)) => cell,
            Ok(None) => break,
            Err(e) => {
                broken = Some(e.to_string());
                break;
            }
        };
        let (row, column) = cell.get_position();
        if matches!(cell.get_value(), DataRef::Error(_)) {
            let fault = faults.get_or_insert(((row, column), 0_usize));
            fault.1 += 1;
        }
        let value = value(cell.get_value());
        if value == PropertyValue::Null {
            continue;
        }
        if column >= MAX_COLUMNS {
            broad = true;
            continue;
        }
        if *left == 0 || (rows.len() >= MAX_ROWS && !rows.contains_key(&row)) {
            problems.push(Problem::warning(at(row, column), "the table is too large: it is read to here", "split it"));
            break;
        }
        *left -= 1;
        rows.entry(row).or_insert_with(|| Row::new(row as usize + 1)).set(column, value);
    }
    if let Some(((row, column), n)) = faults {
        let more = if n > 1 { format!(", and {} more", n - 1) } else { String::new() };
        problems.push(Problem::warning(
            at(row, column),
            format!("the cell holds an error of Excel (#REF!, #N/A, …){more}; it counts as empty"),
            "mend the formula",
        ));
    }
    if broad {
        let words = format!("only the first {MAX_COLUMNS} columns are read");
        problems.push(Problem::warning(format!("{place}, {name}"), words, "leave the others out"));
    }
    if let Some(why) = broken {
        if rows.is_empty() {
            return Ok(Err(why));
        }
        problems.push(Problem::warning(
            format!("{place}, {name}, row {}", rows.last_key_value().map_or(0, |(r, _)| u64::from(*r) + 1)),
            format!("the sheet cannot be read from here on: {why}"),
            "open the workbook in Excel or LibreOffice and save it again",
        ));
    }
    let rows = rows.into_values().filter(|r| !r.is_empty()).collect();
    Ok(Ok(Sheet { name: name.to_owned(), rows }))
}

/// A cell's value; dates as ISO 8601.
fn value(cell: &DataRef<'_>) -> PropertyValue {
    let text = |t: &str| match t.trim() {
        "" => PropertyValue::Null,
        t if t.len() > MAX_CELL_BYTES => PropertyValue::Null,
        t => PropertyValue::Text(t.to_owned()),
    };
    match cell {
        DataRef::Int(i) => PropertyValue::Integer(*i),
        // A spreadsheet knows decimal numbers only: 12 is 12.0 there.
        DataRef::Float(f) if f.fract() == 0.0 && f.abs() < 1e15 => PropertyValue::Integer(*f as i64),
        DataRef::Float(f) if f.is_finite() => PropertyValue::Real(*f),
        DataRef::String(t) | DataRef::DateTimeIso(t) | DataRef::DurationIso(t) => text(t),
        DataRef::SharedString(t) => text(t),
        DataRef::Bool(b) => PropertyValue::Boolean(*b),
        DataRef::DateTime(d) => PropertyValue::Text(date(d)),
        DataRef::Float(_) | DataRef::Error(_) | DataRef::Empty => PropertyValue::Null,
    }
}

/// `2026-05-11`, `2026-05-11T06:30:00`, `06:30:00`; a duration in hours, minutes and seconds.
fn date(moment: &ExcelDateTime) -> String {
    let days = moment.as_f64();
    if moment.is_duration() {
        let seconds = (days * 86_400.0).round() as i64;
        let (sign, s) = if seconds < 0 { ("-", seconds.unsigned_abs()) } else { ("", seconds.unsigned_abs()) };
        return format!("{sign}{:02}:{:02}:{:02}", s / 3600, s / 60 % 60, s % 60);
    }
    let (year, month, day, hour, minute, second, _) = moment.to_ymd_hms_milli();
    let time = format!("{hour:02}:{minute:02}:{second:02}");
    match (days < 1.0, time.as_str()) {
        (true, _) => time,
        (false, "00:00:00") => format!("{year:04}-{month:02}-{day:02}"),
        _ => format!("{year:04}-{month:02}-{day:02}T{time}"),
    }
}
