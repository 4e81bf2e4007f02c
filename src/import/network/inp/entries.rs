//! What a network is in an INP file: an entry for each thing, by section, in the file's units.

use super::document::SectionKind;
use super::reader::InpFile;
use super::units::Units;
use super::words::{quoted, written};
use crate::problem::Problem;
use rustc_hash::FxHashSet;

/// The longest name that EPANET takes.
const LONGEST_NAME: usize = 31;

/// One thing of a section: a pipe, a pattern of several lines, a rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Entry {
    /// Where it stands.
    pub section: SectionKind,
    /// What it is, the same in every file: `link:P1`.
    pub key: String,
    /// Its lines.
    pub lines: Vec<String>,
}

/// Where a document puts what may stand in two places.
#[derive(Clone, Debug, Default)]
pub(super) struct Style {
    /// Junctions whose demand stands in `[DEMANDS]` although it is a single one.
    pub demands: FxHashSet<String>,
    /// Links whose status or setting stands in `[STATUS]`.
    pub status: FxHashSet<String>,
}

/// Makes the entries of a file.
pub(super) struct Maker<'a> {
    /// What is written.
    pub file: &'a InpFile,
    /// The units it is written in.
    pub units: Units,
    /// Where what may stand in two places goes.
    pub style: &'a Style,
    /// What cannot be written.
    pub problems: Vec<Problem>,
    /// The entries.
    pub entries: Vec<Entry>,
}

/// All entries of a file in some units, and what cannot be written.
pub(super) fn entries(file: &InpFile, units: Units, style: &Style) -> (Vec<Entry>, Vec<Problem>) {
    let mut maker = Maker { file, units, style, problems: Vec::new(), entries: Vec::new() };
    maker.title();
    maker.nodes();
    maker.links();
    maker.tables();
    maker.controls();
    maker.rules();
    maker.energy();
    maker.options();
    maker.times();
    maker.quality();
    maker.drawing();
    (maker.entries, maker.problems)
}

impl Maker<'_> {
    /// Adds an entry of one line.
    pub(super) fn add(&mut self, section: SectionKind, key: String, words: &[String]) {
        self.add_lines(section, key, vec![words.join("\t")]);
    }

    /// Adds an entry of lines as they are.
    pub(super) fn add_lines(&mut self, section: SectionKind, key: String, lines: Vec<String>) {
        if !lines.is_empty() {
            self.entries.push(Entry { section, key, lines });
        }
    }

    /// A number in the file's unit.
    pub(super) fn number(value_si: f64, factor: f64) -> String {
        written(value_si / factor)
    }

    /// A name as it is written.
    pub(super) fn name(&mut self, id: &str) -> String {
        if id.chars().count() > LONGEST_NAME {
            let message = format!("the name {id:?} is longer than the {LONGEST_NAME} letters that EPANET takes");
            self.problems.push(Problem::warning(id, message, "give it a shorter name"));
        }
        if id.contains([';', '"', '\n', '\r']) || id.starts_with('[') {
            let message = format!("the name {id:?} cannot stand in an INP file");
            self.problems.push(Problem::warning(
                id,
                message,
                "take ; \" [ and line ends out of it; _ stands there instead",
            ));
            let safe: String =
                id.chars().map(|c| if matches!(c, ';' | '"' | '[' | '\n' | '\r') { '_' } else { c }).collect();
            return quoted(&safe);
        }
        quoted(id)
    }

    /// The name of a node.
    pub(super) fn node(&mut self, at: usize) -> String {
        let file = self.file;
        file.network.nodes.get(at).map_or_else(|| "?".to_owned(), |n| self.name(&n.id))
    }

    /// The name of a link.
    pub(super) fn link(&mut self, at: usize) -> String {
        let file = self.file;
        file.network.links.get(at).map_or_else(|| "?".to_owned(), |l| self.name(&l.id))
    }

    /// The name of a pattern; nothing where it is none.
    pub(super) fn pattern(&mut self, at: Option<usize>) -> String {
        let file = self.file;
        at.and_then(|at| file.network.patterns.get(at)).map_or_else(String::new, |p| self.name(&p.id))
    }

    /// The name of a curve.
    pub(super) fn curve(&mut self, at: usize) -> String {
        let file = self.file;
        file.network.curves.get(at).map_or_else(|| "?".to_owned(), |c| self.name(&c.id))
    }

    /// A line of words without empty ones at its end.
    pub(super) fn line(&mut self, section: SectionKind, key: String, mut words: Vec<String>) {
        while words.last().is_some_and(String::is_empty) {
            words.pop();
        }
        self.add(section, key, &words);
    }
}
