//! A TOML document as a form: each field is asked for by name, and what is wrong with it is noted with
//! its line; what nobody asked for is a wrong key.

use super::super::binding::nearest;
use super::super::unit::{UNITS, Unit};
use crate::problem::Problem;
use std::cell::RefCell;
use std::ops::Range;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// The document's lines, and what is wrong with it so far.
pub(crate) struct Sheet {
    name: String,
    /// What people call the whole of it.
    kind: &'static str,
    /// Where each line starts, bytes.
    starts: Vec<usize>,
    problems: RefCell<Vec<Problem>>,
}

impl Sheet {
    pub fn new(name: String, text: &str) -> Self {
        let starts = std::iter::once(0).chain(text.match_indices('\n').map(|(i, _)| i + 1)).collect();
        Self { name, kind: "the project file", starts, problems: RefCell::default() }
    }

    /// For another file than a project's.
    pub fn called(self, kind: &'static str) -> Self {
        Self { kind, ..self }
    }

    /// The number of the line that a byte is on, from 1.
    pub fn line(&self, byte: usize) -> usize {
        self.starts.partition_point(|start| *start <= byte).max(1)
    }

    pub fn place(&self, line: usize) -> String {
        format!("{}:{line}", self.name)
    }

    pub fn error(&self, line: usize, message: impl Into<String>, remedy: impl Into<String>) {
        self.problems.borrow_mut().push(Problem::error(self.place(line), message, remedy));
    }

    pub fn warning(&self, line: usize, message: impl Into<String>, remedy: impl Into<String>) {
        self.problems.borrow_mut().push(Problem::warning(self.place(line), message, remedy));
    }

    /// Everything noted, in the order of the lines.
    pub fn into_problems(self) -> Vec<Problem> {
        let mut problems = self.problems.into_inner();
        let line = |p: &Problem| p.place.rsplit(':').next().and_then(|n| n.parse::<usize>().ok());
        problems.sort_by_key(line);
        problems
    }
}

/// One table of the document.
pub(crate) struct Table<'a> {
    pub sheet: &'a Sheet,
    /// What people call it: `[broker]`.
    pub title: String,
    /// The line it starts on.
    pub line: usize,
    table: &'a DeTable<'a>,
    asked: RefCell<Vec<&'static str>>,
}

/// A field with the line it stands on.
pub(crate) struct Field<T> {
    pub value: T,
    pub line: usize,
}

impl<'a> Table<'a> {
    pub fn new(sheet: &'a Sheet, title: impl Into<String>, at: Range<usize>, table: &'a DeTable<'a>) -> Self {
        Self { sheet, title: title.into(), line: sheet.line(at.start), table, asked: RefCell::default() }
    }

    fn get(&self, key: &'static str) -> Option<(&'a DeValue<'a>, usize)> {
        self.asked.borrow_mut().push(key);
        let (key, value) = self.table.iter().find(|(k, _)| k.get_ref() == key)?;
        Some((value.get_ref(), self.sheet.line(key.span().start)))
    }

    /// A field of a type that `read` knows; anything else is noted as not being `wanted`.
    fn field<T>(
        &self,
        key: &'static str,
        wanted: &str,
        read: impl FnOnce(&'a DeValue<'a>) -> Option<T>,
    ) -> Option<Field<T>> {
        let (value, line) = self.get(key)?;
        let read = read(value);
        if read.is_none() {
            let message = format!("`{key}` in {} is {}, where {wanted} is expected", self.title, type_of(value));
            self.sheet.error(line, message, format!("write {wanted}, or leave the key out"));
        }
        Some(Field { value: read?, line })
    }

    pub fn has(&self, key: &str) -> bool {
        self.table.iter().any(|(k, _)| k.get_ref() == key)
    }

    /// The line of a key, else that of the table.
    pub fn line_of(&self, key: &str) -> usize {
        let found = self.table.iter().find(|(k, _)| k.get_ref() == key);
        found.map_or(self.line, |(k, _)| self.sheet.line(k.span().start))
    }

    pub fn text(&self, key: &'static str) -> Option<Field<String>> {
        self.field(key, "a text in \"…\"", |v| v.as_str().map(str::to_owned))
    }

    /// A text that may not be empty.
    pub fn word(&self, key: &'static str) -> Option<Field<String>> {
        let text = self.text(key)?;
        if text.value.trim().is_empty() {
            self.sheet.error(text.line, format!("`{key}` in {} is empty", self.title), "name it, or leave the key out");
            return None;
        }
        Some(text)
    }

    pub fn truth(&self, key: &'static str) -> Option<bool> {
        self.field(key, "true or false", DeValue::as_bool).map(|f| f.value)
    }

    /// A finite number.
    pub fn number(&self, key: &'static str) -> Option<Field<f64>> {
        self.field(key, "a number", number)
    }

    /// A finite number between two others, both included.
    pub fn number_in(&self, key: &'static str, least: f64, most: f64) -> Option<Field<f64>> {
        let n = self.number(key)?;
        if (least..=most).contains(&n.value) {
            return Some(n);
        }
        let message = format!("`{key}` in {} is {}", self.title, n.value);
        self.sheet.error(n.line, message, format!("it must be between {least} and {most}"));
        None
    }

    /// A whole number between two others, both included.
    pub fn whole_in(&self, key: &'static str, least: u64, most: u64) -> Option<Field<u64>> {
        let n = self.field(key, "a whole number", |v| i128_of(v))?;
        match u64::try_from(n.value) {
            Ok(value) if (least..=most).contains(&value) => Some(Field { value, line: n.line }),
            _ => {
                let message = format!("`{key}` in {} is {}", self.title, n.value);
                self.sheet.error(n.line, message, format!("it must be between {least} and {most}"));
                None
            }
        }
    }

    /// A finite number, or one word in place of it: then there is none.
    pub fn number_or(&self, key: &'static str, word: &str) -> Option<Option<Field<f64>>> {
        let found = self.field(key, &format!("a number or \"{word}\""), |v| match v.as_str() {
            Some(text) => (text == word).then_some(None),
            None => number(v).map(Some),
        })?;
        Some(found.value.map(|value| Field { value, line: found.line }))
    }

    pub fn numbers<const N: usize>(&self, key: &'static str) -> Option<Field<[f64; N]>> {
        self.field(key, &format!("a list of {N} numbers"), |v| {
            let list = v.as_array()?;
            let values: Vec<f64> = list.iter().filter_map(|v| number(v.get_ref())).collect();
            if values.len() == list.len() { values.try_into().ok() } else { None }
        })
    }

    /// A list of texts, each with its line.
    pub fn texts(&self, key: &'static str) -> Option<Vec<Field<String>>> {
        let list = self.field(key, "a list of texts", |v| {
            let list = v.as_array()?;
            let texts: Vec<Field<String>> = list
                .iter()
                .filter_map(|v| {
                    let value = v.get_ref().as_str()?.to_owned();
                    Some(Field { value, line: self.sheet.line(v.span().start) })
                })
                .collect();
            (texts.len() == list.len()).then_some(texts)
        })?;
        Some(list.value)
    }

    /// A table inside this one.
    pub fn table(&self, key: &'static str) -> Option<Table<'a>> {
        let title = if self.title.is_empty() { format!("[{key}]") } else { format!("`{key}` in {}", self.title) };
        let field = self.field(key, "a table", |v| v.as_table())?;
        Some(Table { sheet: self.sheet, title, line: field.line, table: field.value, asked: RefCell::default() })
    }

    /// A list of tables, `[[key]]`.
    pub fn tables(&self, key: &'static str) -> Vec<Table<'a>> {
        let wanted = format!("a list of tables, [[{key}]],");
        let list = self.field(key, &wanted, |v| v.as_array().filter(|l| l.iter().all(|t| t.get_ref().is_table())));
        let Some(list) = list else { return Vec::new() };
        let table = |v: &'a Spanned<DeValue<'a>>| {
            Some(Table::new(self.sheet, format!("[[{key}]]"), v.span(), v.get_ref().as_table()?))
        };
        list.value.iter().filter_map(table).collect()
    }

    /// The tables inside this one, whatever their names, in the order of the lines. Everything is known then.
    pub fn named(&self, what: &str) -> Vec<(String, Table<'a>)> {
        let mut all: Vec<_> = self.table.iter().collect();
        all.sort_by_key(|(key, _)| key.span().start);
        all.into_iter()
            .filter_map(|(key, value)| {
                let name = key.get_ref().to_string();
                let line = self.sheet.line(key.span().start);
                let Some(table) = value.get_ref().as_table() else {
                    let message = format!("{what} `{name}` is {}", type_of(value.get_ref()));
                    self.sheet.error(line, message, "write a table, { key = value, … }");
                    return None;
                };
                let title = format!("{what} `{name}`");
                Some((name, Table { sheet: self.sheet, title, line, table, asked: RefCell::default() }))
            })
            .collect()
    }

    /// The texts inside this one, whatever their names, in the order of the lines. Everything is known then.
    pub fn words(&self, what: &str) -> Vec<(String, Field<String>)> {
        let mut all: Vec<_> = self.table.iter().collect();
        all.sort_by_key(|(key, _)| key.span().start);
        let mut words = Vec::new();
        for (key, value) in all {
            let line = self.sheet.line(key.span().start);
            match value.get_ref().as_str() {
                Some(text) => words.push((key.get_ref().to_string(), Field { value: text.to_owned(), line })),
                None => {
                    let message = format!("{what} `{}` is {}", key.get_ref(), type_of(value.get_ref()));
                    self.sheet.error(line, message, "write a text in \"…\"");
                }
            }
        }
        words
    }

    /// A unit by its UCUM code.
    pub fn unit(&self, key: &'static str) -> Option<Unit> {
        let code = self.text(key)?;
        let unit = Unit::parse(&code.value);
        if unit.is_none() {
            let remedy = match near_unit(&code.value) {
                Some(near) => format!("did you mean \"{near}\"?"),
                None => format!("use a UCUM code: {}", UNITS.iter().map(|u| u.code).collect::<Vec<_>>().join(" ")),
            };
            self.sheet.error(code.line, format!("`{}` in {} is no known unit", code.value, self.title), remedy);
        }
        unit
    }

    /// Notes every key that nobody has asked for.
    pub fn finish(self) {
        let asked = self.asked.into_inner();
        for (key, _) in self.table.iter().filter(|(k, _)| !asked.iter().any(|a| a == k.get_ref())) {
            let word: &str = key.get_ref();
            let remedy = match nearest(word, asked.iter().copied()) {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("the keys are {}", asked.join(", ")),
            };
            let place = if self.title.is_empty() { self.sheet.kind.to_owned() } else { self.title.clone() };
            self.sheet.error(self.sheet.line(key.span().start), format!("`{word}` is no key of {place}"), remedy);
        }
    }
}

fn type_of(value: &DeValue) -> &'static str {
    match value {
        DeValue::String(_) => "a text",
        DeValue::Integer(_) | DeValue::Float(_) => "a number",
        DeValue::Boolean(_) => "true or false",
        DeValue::Datetime(_) => "a date or time",
        DeValue::Array(_) => "a list",
        DeValue::Table(_) => "a table",
    }
}

fn i128_of(value: &DeValue) -> Option<i128> {
    let integer = value.as_integer()?;
    i128::from_str_radix(integer.as_str(), integer.radix()).ok()
}

fn number(value: &DeValue) -> Option<f64> {
    let number = match value {
        DeValue::Float(f) => f.as_str().parse::<f64>().ok()?,
        _ => i128_of(value)? as f64,
    };
    number.is_finite().then_some(number)
}

/// The code of a unit that people write otherwise: `°C`, `kWh`, `m³/h`, `ppm`.
fn near_unit(word: &str) -> Option<&'static str> {
    let plain = |text: &str| -> String {
        let text = text.replace('³', "3").replace(['²', '₂'], "2");
        text.chars().filter(|c| c.is_alphanumeric() || *c == '/' || *c == '%').collect::<String>().to_lowercase()
    };
    let by_name = match plain(word).as_str() {
        "c" | "degc" | "celsius" | "grad" => Some("Cel"),
        "f" | "degf" | "fahrenheit" => Some("[degF]"),
        "percent" | "pct" => Some("%"),
        "" | "none" | "bool" | "boolean" | "count" => Some("1"),
        _ => None,
    };
    let same = |u: &&Unit| plain(u.symbol) == plain(word) || plain(u.code) == plain(word);
    by_name
        .or_else(|| UNITS.iter().skip(1).find(same).map(|u| u.code))
        .or_else(|| nearest(word, UNITS.iter().map(|u| u.code).filter(|c| c.len() > 1)))
}
