//! Samples from tables in text: CSV of long form, a row a sample (`time,point,value[,unit,quality,code,arrival]`), and
//! of wide form, a column a point (`time,AHU-1/supply_temperature [Cel],…`).

mod time;

use super::{HistoryError, Stored};
use crate::problem::Problem;
use crate::quality::Quality;
use crate::site::unit::Unit;
use crate::time::Time;
use std::borrow::Cow;
use std::collections::{BTreeSet, HashMap};
use std::io::{self, BufRead, Read as _};

pub use time::{Zone, parse_zone};

/// Samples that are handed on at once.
const AT_ONCE: usize = 20_000;
/// Problems that are kept; more are counted.
const MOST: usize = 200;

/// How a table is read.
#[derive(Clone, Debug)]
pub struct Options {
    /// What people call the table.
    pub name: String,
    /// Where times without a zone are; none: they are refused.
    pub zone: Option<Zone>,
    /// When the samples arrive: now.
    pub arrival: Time,
}

/// What came of reading a table.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Taken {
    /// Samples that were handed on.
    pub samples: u64,
    /// Lines with data.
    pub lines: u64,
    /// Ids of the points that had any.
    pub points: BTreeSet<String>,
    /// The first and the last device time.
    pub span: Option<[Time; 2]>,
    /// What is wrong, by line; no more than some hundred.
    pub problems: Vec<Problem>,
    /// How many problems there are.
    pub faults: u64,
}

/// What somebody knows of a point.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Known {
    /// Its number for `sink`, and the unit that its values are in where the table does not say; empty: as they are.
    Point(u32, String),
    /// There is no such point: why, and what to do.
    Not(String, String),
}

/// Why reading stopped.
#[derive(Debug)]
pub enum Stop {
    /// The table as a whole cannot be read.
    Table(Problem),
    /// The store did not take its samples.
    Store(HistoryError),
    /// `sink` was told to stop.
    Asked,
}

/// Reads a table. `point` says what an id is, with the unit that the table states for it; `sink` takes samples as they
/// come, and says by false that it is enough.
///
/// # Errors
/// A table without a head that can be understood, and what `sink` says. What is wrong with single lines is in the list.
pub fn read(
    text: impl io::Read,
    options: &Options,
    mut point: impl FnMut(&str, &str) -> Known,
    mut sink: impl FnMut(&[(u32, Stored)]) -> Result<bool, HistoryError>,
) -> Result<Taken, Stop> {
    let mut lines = Lines { text: io::BufReader::new(text), bytes: Vec::new(), number: 0, name: &options.name };
    if !lines.next()? {
        let remedy = "its first line names the columns: time,point,value or time,POINT,POINT,…";
        return Err(Stop::Table(Problem::error(&options.name, "it is empty", remedy)));
    }
    let head = lines.line();
    let head = head.trim_start_matches('\u{feff}');
    let delimiter = delimiter_of(head);
    let mut row = Vec::new();
    split(head, delimiter, &mut row);
    let head: Vec<String> = row.iter().map(|f| f.trim().to_owned()).collect();
    let mut table = Table { options, decimal_comma: delimiter == ';', read: Taken::default(), known: HashMap::new() };
    let form = table.form(&head, &mut point).map_err(Stop::Table)?;
    let mut batch: Vec<(u32, Stored)> = Vec::with_capacity(AT_ONCE);
    while lines.next()? {
        split(&lines.line(), delimiter, &mut row);
        if row.iter().all(|f| f.trim().is_empty()) {
            continue;
        }
        table.read.lines += 1;
        match &form {
            Form::Long(long) => table.long(long, &row, lines.number, &mut point, &mut batch),
            Form::Wide(time, columns) => table.wide(*time, columns, &row, lines.number, &mut batch),
        }
        if batch.len() >= AT_ONCE {
            if !sink(&batch).map_err(Stop::Store)? {
                return Err(Stop::Asked);
            }
            batch.clear();
        }
    }
    if !batch.is_empty() && !sink(&batch).map_err(Stop::Store)? {
        return Err(Stop::Asked);
    }
    Ok(table.read)
}

/// Which column is what.
enum Form {
    Long(Long),
    /// The column of the time; of each point its column, number and unit.
    Wide(usize, Vec<(usize, u32, String, Unit)>),
}

struct Long {
    time: usize,
    point: usize,
    value: usize,
    unit: Option<usize>,
    quality: Option<usize>,
    code: Option<usize>,
    arrival: Option<usize>,
}

struct Table<'a> {
    options: &'a Options,
    decimal_comma: bool,
    read: Taken,
    /// By id and unit, of long form.
    known: HashMap<(String, String), Option<(u32, Unit)>>,
}

impl Table<'_> {
    fn form(&mut self, head: &[String], point: &mut impl FnMut(&str, &str) -> Known) -> Result<Form, Problem> {
        let at = |names: &[&str]| head.iter().position(|h| names.iter().any(|n| h.eq_ignore_ascii_case(n)));
        let place = format!("{}:1", self.options.name);
        let Some(time) = at(&["time", "timestamp", "ts", "t", "date", "datetime", "date time", "time_ms"]) else {
            let remedy = "call it `time`: RFC 3339 (2026-05-11T06:00:00Z), or seconds or milliseconds since 1970";
            let message = format!("no column is called `time`; there are {}", quoted(head));
            return Err(Problem::error(place, message, remedy));
        };
        let value = at(&["value", "v"]);
        if let (Some(point), Some(value)) = (at(&["point", "id", "name", "tag", "series"]), value) {
            let (unit, quality) = (at(&["unit"]), at(&["quality", "q"]));
            let (code, arrival) = (at(&["code"]), at(&["arrival"]));
            return Ok(Form::Long(Long { time, point, value, unit, quality, code, arrival }));
        }
        let mut columns = Vec::new();
        let mut seen = BTreeSet::new();
        for (i, name) in head.iter().enumerate().filter(|(i, name)| *i != time && !name.is_empty()) {
            let (id, unit) = head_of(name);
            if !seen.insert(id.to_owned()) {
                self.fault(&place, format!("`{id}` has two columns"), "leave one of them out");
                continue;
            }
            if let Some((number, unit)) = self.know(&place, id, unit, point) {
                columns.push((i, number, id.to_owned(), unit));
            }
        }
        if seen.is_empty() {
            let remedy = "write time,point,value for a row a sample, or time,POINT,POINT,… for a column a point";
            return Err(Problem::error(place, "it has no column but the time", remedy));
        }
        Ok(Form::Wide(time, columns))
    }

    /// What is known of a point, and the unit of its values; none, and said so, where it cannot be taken.
    fn know(
        &mut self,
        place: &str,
        id: &str,
        stated: &str,
        point: &mut impl FnMut(&str, &str) -> Known,
    ) -> Option<(u32, Unit)> {
        let stated_unit = if stated.is_empty() { None } else { Some(Unit::parse(stated)) };
        if stated_unit == Some(None) {
            self.fault(
                place,
                format!("`{stated}` of `{id}` is no known unit"),
                "write its UCUM code: Cel, kW.h, m3/h, %",
            );
            return None;
        }
        match point(id, stated) {
            Known::Not(why, remedy) => {
                self.fault(place, why, &remedy);
                None
            }
            Known::Point(number, own) => {
                let own = Unit::parse(&own);
                match (stated_unit.flatten(), own) {
                    (Some(stated), Some(own)) if stated.quantity != own.quantity => {
                        let message = format!("`{id}` is kept in {}, which {} is not", own.code, stated.code);
                        self.fault(place, message, &format!("convert its values to {}", own.code));
                        None
                    }
                    (stated, own) => Some((number, stated.or(own).unwrap_or(Unit::ONE))),
                }
            }
        }
    }

    fn long(
        &mut self,
        long: &Long,
        row: &[String],
        line: u64,
        point: &mut impl FnMut(&str, &str) -> Known,
        batch: &mut Vec<(u32, Stored)>,
    ) {
        let place = format!("{}:{line}", self.options.name);
        let field = |at: usize| row.get(at).map(String::as_str).unwrap_or_default();
        let (id, unit) = (field(long.point), long.unit.map(field).unwrap_or_default());
        let (id, unit) = (id.trim(), unit.trim());
        if id.is_empty() {
            return self.fault(&place, "it names no point".into(), "write the point's id");
        }
        let key = (id.to_owned(), unit.to_owned());
        let known = match self.known.get(&key) {
            Some(known) => *known,
            None => {
                // Said once, not on each of its lines.
                let known = self.know(&place, id, unit, point);
                self.known.insert(key, known);
                known
            }
        };
        let Some((number, unit)) = known else { return };
        let Some(time) = self.time(&place, field(long.time)) else { return };
        let Some(value) = self.value(&place, field(long.value), unit) else { return };
        let quality = match long.quality.map(field).map(str::trim) {
            None | Some("") => Quality::GoodBackfill,
            Some(word) => match quality_of(word) {
                Some(quality) => quality,
                None => {
                    let remedy = "write good, manual, uncertain-range, bad-sensor, …, or leave it empty";
                    return self.fault(&place, format!("`{word}` is no quality"), remedy);
                }
            },
        };
        let code = long.code.map(field).unwrap_or_default();
        let Ok(code) = (if code.trim().is_empty() { Ok(0) } else { code.trim().parse::<u32>() }) else {
            return self.fault(&place, format!("`{}` is no code", code.trim()), "a whole number, or nothing");
        };
        let arrival = match long.arrival.map(field).filter(|a| !a.trim().is_empty()) {
            None => self.options.arrival,
            Some(text) => match self.time(&place, text) {
                Some(arrival) => arrival,
                None => return,
            },
        };
        self.take(id, number, Stored { time, arrival, value, quality, code }, batch);
    }

    fn wide(
        &mut self,
        time: usize,
        columns: &[(usize, u32, String, Unit)],
        row: &[String],
        line: u64,
        batch: &mut Vec<(u32, Stored)>,
    ) {
        let place = format!("{}:{line}", self.options.name);
        let Some(time) = self.time(&place, row.get(time).map(String::as_str).unwrap_or_default()) else { return };
        for (column, number, id, unit) in columns {
            let text = row.get(*column).map(String::as_str).unwrap_or_default();
            // Where a point has no value, it has no sample.
            if text.trim().is_empty() {
                continue;
            }
            let Some(value) = self.value(&place, text, *unit) else { continue };
            let (arrival, quality) = (self.options.arrival, Quality::GoodBackfill);
            self.take(id, *number, Stored { time, arrival, value, quality, code: 0 }, batch);
        }
    }

    fn take(&mut self, id: &str, number: u32, sample: Stored, batch: &mut Vec<(u32, Stored)>) {
        let read = &mut self.read;
        read.samples += 1;
        if !read.points.contains(id) {
            read.points.insert(id.to_owned());
        }
        let [first, last] = read.span.unwrap_or([sample.time; 2]);
        read.span = Some([first.min(sample.time), last.max(sample.time)]);
        batch.push((number, sample));
    }

    fn time(&mut self, place: &str, text: &str) -> Option<Time> {
        match time::parse(text.trim(), self.options.zone) {
            Ok(time) => Some(time),
            Err((message, remedy)) => {
                self.fault(place, message, remedy);
                None
            }
        }
    }

    fn value(&mut self, place: &str, text: &str, unit: Unit) -> Option<f64> {
        let text = text.trim();
        let number = match text.to_ascii_lowercase().as_str() {
            "true" | "on" | "yes" => Some(1.0),
            "false" | "off" | "no" => Some(0.0),
            _ if self.decimal_comma => text.replace(',', ".").parse::<f64>().ok(),
            _ => text.parse::<f64>().ok(),
        };
        match number.filter(|n| n.is_finite()) {
            // As it is, to the bit, where it is SI already.
            Some(number) if unit.to_si(0.0) == 0.0 && unit.interval_to_si(1.0) == 1.0 => Some(number),
            Some(number) => Some(unit.to_si(number)),
            None => {
                self.fault(place, format!("`{text}` is no number"), "write 21.5, 1e3, true, false, or nothing");
                None
            }
        }
    }

    fn fault(&mut self, place: &str, message: String, remedy: &str) {
        self.read.faults += 1;
        if self.read.problems.len() < MOST {
            self.read.problems.push(Problem::warning(place, message, remedy));
        }
    }
}

/// A quality by its word, `bad-sensor`, however it is written: `BadSensor`, `bad_sensor`.
pub fn quality_of(word: &str) -> Option<Quality> {
    let plain = |w: &str| w.chars().filter(char::is_ascii_alphanumeric).collect::<String>().to_ascii_lowercase();
    let wanted = plain(word);
    Quality::ALL.into_iter().find(|q| plain(&format!("{q:?}")) == wanted)
}

/// The id and the unit of a column's head: `AHU-1/supply_temperature [Cel]`.
fn head_of(name: &str) -> (&str, &str) {
    match name.strip_suffix(']').and_then(|n| n.rsplit_once(" [")) {
        Some((id, unit)) => (id.trim(), unit.trim()),
        None => (name, ""),
    }
}

fn quoted(names: &[String]) -> String {
    let mut text = names.iter().take(6).map(|n| format!("`{n}`")).collect::<Vec<_>>().join(", ");
    if names.len() > 6 {
        text.push_str(", …");
    }
    text
}

/// A longer line is none of a table.
const LONGEST: u64 = 1 << 20;

/// The lines of a text, one at a time: a quote that is not closed spoils its own line only.
struct Lines<'a, R> {
    text: io::BufReader<R>,
    bytes: Vec<u8>,
    /// Of the line, from 1.
    number: u64,
    name: &'a str,
}

impl<R: io::Read> Lines<'_, R> {
    /// Goes to the next line; false at the end.
    fn next(&mut self) -> Result<bool, Stop> {
        self.bytes.clear();
        let stop = |message: String| Stop::Table(Problem::error(self.name, message, "save it as CSV in UTF-8"));
        let read = (&mut self.text).take(LONGEST).read_until(b'\n', &mut self.bytes);
        let read = read.map_err(|e| stop(format!("cannot be read: {e}")))?;
        self.number += 1;
        if read as u64 == LONGEST {
            return Err(stop(format!("line {} is longer than {LONGEST} bytes: this is no table", self.number)));
        }
        Ok(read > 0)
    }

    fn line(&self) -> Cow<'_, str> {
        String::from_utf8_lossy(self.bytes.trim_ascii_end())
    }
}

/// The one of comma, semicolon and tab that a line has most of; the comma where that is undecided.
fn delimiter_of(line: &str) -> char {
    let count = |d: char| line.chars().filter(|c| *c == d).count();
    ['\t', ';', ','].into_iter().max_by_key(|d| count(*d)).unwrap_or(',')
}

/// The fields of a line; in quotes a delimiter counts for nothing, and two of them are one.
fn split(line: &str, delimiter: char, row: &mut Vec<String>) {
    row.clear();
    let mut field = String::new();
    let mut quoted = false;
    let mut chars = line.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '"' if quoted && chars.peek() == Some(&'"') => {
                chars.next();
                field.push('"');
            }
            '"' if quoted => quoted = false,
            '"' if field.is_empty() => quoted = true,
            c if c == delimiter && !quoted => row.push(std::mem::take(&mut field)),
            c => field.push(c),
        }
    }
    row.push(field);
}

#[cfg(test)]
mod tests;
