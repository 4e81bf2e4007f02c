//! Reads a document into a network.

use super::document::{Document, Row, SectionKind};
use super::drawing::Drawing;
use super::quality::Quality;
use super::settings::Settings;
use super::units::Units;
use super::words::{self, is};
use crate::problem::{Problem, Severity};
use crate::simulation::network::periods::Timeline;
use crate::simulation::network::{Conventions, CurveKind, Network};
use rustc_hash::{FxHashMap, FxHashSet};

/// More problems than this are counted, not listed.
const MOST_PROBLEMS: usize = 500;

/// What an INP file says.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct InpFile {
    /// The file as it stands.
    pub document: Document,
    /// The network in SI.
    pub network: Network,
    /// What happens to it over time.
    pub timeline: Timeline,
    /// Water quality: initial values, sources, reactions, mixing.
    pub quality: Quality,
    /// The map: where things are, labels, tags.
    pub drawing: Drawing,
    /// What is neither the network nor its time: options of EPANET's solver, the report.
    pub settings: Settings,
    /// The units the file is in.
    pub units: Units,
}

/// Reads an INP file; `name` is what problems call it. Whatever is wrong with a line costs that line only.
pub fn read(bytes: &[u8], name: &str) -> (InpFile, Vec<Problem>) {
    let (file, _, problems) = read_with(Reader::new(name), bytes);
    (file, problems)
}

/// Which line is of which entry.
#[derive(Default)]
pub(super) struct Marks {
    /// By line, counted from 0: its section and the key of its entry.
    pub lines: FxHashMap<usize, (SectionKind, String)>,
    /// Sections in which a line names a range.
    pub ranges: FxHashSet<SectionKind>,
}

/// As [`read`], with the entries that the lines are of.
pub(super) fn read_marked(bytes: &[u8], name: &str) -> (InpFile, Marks, Vec<Problem>) {
    read_with(Reader { marking: true, ..Reader::new(name) }, bytes)
}

fn read_with(mut reader: Reader, bytes: &[u8]) -> (InpFile, Marks, Vec<Problem>) {
    let document = Document::from_bytes(bytes);
    reader.read_document(&document);
    reader.out.document = document;
    let mut problems = reader.problems;
    if reader.unlisted > 0 {
        let many = format!("{} more problems are not listed", reader.unlisted);
        problems.push(Problem::warning(reader.name, many, "mend the first ones and read the file again"));
    }
    (reader.out, reader.marks, problems)
}

/// What is known while a document is read.
pub(super) struct Reader {
    name: String,
    problems: Vec<Problem>,
    unlisted: usize,
    /// What has been read.
    pub(super) out: InpFile,
    nodes: FxHashMap<String, usize>,
    links: FxHashMap<String, usize>,
    /// The line that a pattern or curve begins at.
    lines: FxHashMap<(Named, String), usize>,
    /// The lines of nodes and of links.
    node_lines: Vec<usize>,
    link_lines: Vec<usize>,
    patterns: FxHashMap<String, usize>,
    pub(super) curves: FxHashMap<String, usize>,
    /// Nodes and links whose line was left out: what names them is not told again.
    pub(super) left_out: FxHashSet<String>,
    /// Junctions whose demand of `[JUNCTIONS]` has been replaced by one of `[DEMANDS]`.
    pub(super) replaced: FxHashSet<usize>,
    /// What each curve turned out to be for.
    pub(super) curve_uses: FxHashMap<usize, CurveKind>,
    /// The rule that is being read.
    pub(super) rule: super::rules::State,
    /// The name of the default pattern, and the line that says it.
    pub(super) default_pattern: Option<(String, usize)>,
    /// Coordinates, vertices and such that name nothing.
    pub(super) nameless: usize,
    /// Which line is of which entry.
    marks: Marks,
    controls_marked: usize,
    /// Whether anybody wants the marks.
    marking: bool,
}

impl Reader {
    fn new(name: &str) -> Self {
        let mut out = InpFile::default();
        out.network.options.conventions = Conventions::Epanet;
        Self {
            name: name.to_owned(),
            problems: Vec::new(),
            unlisted: 0,
            out,
            nodes: FxHashMap::default(),
            links: FxHashMap::default(),
            lines: FxHashMap::default(),
            node_lines: Vec::new(),
            link_lines: Vec::new(),
            patterns: FxHashMap::default(),
            curves: FxHashMap::default(),
            left_out: FxHashSet::default(),
            replaced: FxHashSet::default(),
            curve_uses: FxHashMap::default(),
            rule: super::rules::State::default(),
            default_pattern: None,
            nameless: 0,
            marks: Marks::default(),
            controls_marked: 0,
            marking: false,
        }
    }

    fn read_document(&mut self, document: &Document) {
        use SectionKind as S;
        let sections = document.sections();
        if self.is_no_inp(document, &sections) {
            return;
        }
        for section in sections.iter().filter(|s| s.kind.is_none()) {
            let message = format!("the section [{}] is not known; it is kept as it stands", section.name);
            let remedy = "nothing to do, unless its name is misspelt";
            self.tell(Severity::Info, section.head + 1, message, remedy);
        }
        // Units first, then what others name, then what names them: sections may come in any order.
        let passes: [(SectionKind, fn(&mut Self, &Row<'_>)); 27] = [
            (S::Options, Self::option),
            (S::Patterns, Self::pattern_row),
            (S::Curves, Self::curve_row),
            (S::Junctions, Self::junction),
            (S::Reservoirs, Self::reservoir),
            (S::Tanks, Self::tank),
            (S::Pipes, Self::pipe),
            (S::Pumps, Self::pump),
            (S::Valves, Self::valve),
            (S::Demands, Self::demand),
            (S::Emitters, Self::emitter),
            (S::Leakage, Self::leakage),
            (S::Status, Self::status),
            (S::Controls, Self::control),
            (S::Rules, Self::rule_row),
            (S::Energy, Self::energy),
            (S::Times, Self::time),
            (S::Report, Self::report),
            (S::Quality, Self::initial_quality),
            (S::Sources, Self::source),
            (S::Reactions, Self::reaction),
            (S::Mixing, Self::mixing),
            (S::Coordinates, Self::coordinate),
            (S::Vertices, Self::vertex),
            (S::Labels, Self::label),
            (S::Backdrop, Self::backdrop),
            (S::Tags, Self::tag),
        ];
        self.title(document, &sections);
        for (kind, read_row) in passes {
            for section in sections.iter().filter(|s| s.kind == Some(kind)) {
                document.rows(section, |row| {
                    read_row(self, &row);
                    if self.marking {
                        self.mark(kind, &row);
                    }
                });
            }
            match kind {
                S::Options => self.units_are_known(),
                S::Patterns => self.find_default_pattern(),
                S::Rules => self.end_rule(),
                _ => {}
            }
        }
        self.out.quality.last_of_each();
        self.finish_curves();
        self.check_network();
        self.check_absurd();
    }

    /// Notes which entry a line is of.
    fn mark(&mut self, kind: SectionKind, row: &Row<'_>) {
        let key = match kind {
            SectionKind::Controls => {
                let count = self.out.timeline.controls.len();
                let new = count > std::mem::replace(&mut self.controls_marked, count);
                new.then(|| format!("control:{}", count - 1))
            }
            // A rule is numbered when it ends; what is left out takes no number.
            SectionKind::Rules => {
                Some(format!("rule:{}", self.out.timeline.rules.len())).filter(|_| self.rule.is_good())
            }
            _ => super::write::key_of(kind, row, &mut self.marks),
        };
        if let Some(key) = key {
            self.marks.lines.insert(row.line - 1, (kind, key));
        } else if self.marks.ranges.contains(&kind) {
            self.marks.lines.insert(row.line - 1, (kind, String::new()));
        }
    }

    /// Takes the marks off the lines of a rule that is left out.
    pub(super) fn unmark_rule(&mut self) {
        let key = format!("rule:{}", self.out.timeline.rules.len());
        self.marks.lines.retain(|_, (_, k)| *k != key);
    }

    /// Whether the file cannot be one, which is told.
    fn is_no_inp(&mut self, document: &Document, sections: &[super::document::Section]) -> bool {
        let (message, remedy) = if document.lines.iter().all(|l| l.text.trim().is_empty()) {
            ("the file is empty", "give the INP file that EPANET saved (File > Export > Network)")
        } else if !sections.iter().any(|s| s.kind.is_some()) {
            ("this is no INP file: it has no section such as [JUNCTIONS]", "give a text file in EPANET's INP format")
        } else {
            return false;
        };
        self.problems.push(Problem::error(self.name.clone(), message, remedy));
        true
    }

    fn title(&mut self, document: &Document, sections: &[super::document::Section]) {
        let mut lines: Vec<&str> = Vec::new();
        for section in sections.iter().filter(|s| s.kind == Some(SectionKind::Title)) {
            let body = document.lines.get(section.body.clone()).unwrap_or_default();
            let said = |l: &str| !l.is_empty() && !l.starts_with(';');
            lines.extend(body.iter().map(|l| l.text.trim()).filter(|l| said(l)));
            for (at, line) in section.body.clone().zip(body) {
                if said(line.text.trim()) {
                    self.marks.lines.insert(at, (SectionKind::Title, "title".to_owned()));
                }
            }
        }
        self.out.network.title = lines.join("\n");
    }

    /// Adds a problem of a line.
    pub(super) fn tell(&mut self, severity: Severity, line: usize, message: String, remedy: &str) {
        if self.problems.len() >= MOST_PROBLEMS {
            self.unlisted += 1;
            return;
        }
        self.problems.push(Problem::new(severity, format!("{}:{line}", self.name), message, remedy));
    }

    /// A line that is left out.
    pub(super) fn refuse(&mut self, line: usize, message: String, remedy: &str) {
        self.tell(Severity::Error, line, message, remedy);
    }

    /// A line that is read with a value of our own.
    pub(super) fn warn(&mut self, line: usize, message: String, remedy: &str) {
        self.tell(Severity::Warning, line, message, remedy);
    }

    /// The word at a place, `""` where there is none.
    pub(super) fn word<'a>(row: &Row<'a>, at: usize) -> &'a str {
        row.words.get(at).copied().unwrap_or_default()
    }

    /// A number at a place; what is none is told, and so is a missing one.
    pub(super) fn number(&mut self, row: &Row<'_>, at: usize, what: &str) -> Option<f64> {
        let word = Self::word(row, at);
        let value = words::number(word);
        if value.is_none() {
            let message = match word {
                "" => format!("{} lacks its {what}", Self::word(row, 0)),
                _ => format!("{word:?} is no number for the {what} of {}", Self::word(row, 0)),
            };
            self.refuse(row.line, message, "write a number there; the line is left out");
        }
        value
    }

    /// A number at a place, which must not be negative.
    pub(super) fn positive(&mut self, row: &Row<'_>, at: usize, what: &str) -> Option<f64> {
        let value = self.number(row, at, what)?;
        if value < 0.0 {
            let message = format!("the {what} of {} is {value}: it cannot be negative", Self::word(row, 0));
            self.refuse(row.line, message, "write a value from 0 up; the line is left out");
            return None;
        }
        Some(value)
    }

    /// A number at a place, or a value of our own where the line ends before it.
    pub(super) fn number_or(&mut self, row: &Row<'_>, at: usize, what: &str, otherwise: f64) -> Option<f64> {
        if row.words.len() > at { self.number(row, at, what) } else { Some(otherwise) }
    }

    /// The place of a node; an unknown one is told.
    pub(super) fn node(&mut self, row: &Row<'_>, at: usize) -> Option<usize> {
        let id = Self::word(row, at);
        let found = self.nodes.get(id).copied();
        if found.is_none() && !self.left_out.contains(id) {
            let message = format!("there is no node {id:?}");
            self.refuse(row.line, message, "name a node of [JUNCTIONS], [RESERVOIRS] or [TANKS]; the line is left out");
        }
        found
    }

    /// The place of a link; an unknown one is told.
    pub(super) fn link(&mut self, row: &Row<'_>, at: usize) -> Option<usize> {
        let id = Self::word(row, at);
        let found = self.links.get(id).copied();
        if found.is_none() && !self.left_out.contains(id) {
            let message = format!("there is no link {id:?}");
            self.refuse(row.line, message, "name a link of [PIPES], [PUMPS] or [VALVES]; the line is left out");
        }
        found
    }

    /// The place of a node, and nothing told.
    pub(super) fn node_quietly(&self, id: &str) -> Option<usize> {
        self.nodes.get(id).copied()
    }

    /// The place of a link, and nothing told.
    pub(super) fn link_quietly(&self, id: &str) -> Option<usize> {
        self.links.get(id).copied()
    }

    /// The place of a pattern; an unknown one is told. `*` and nothing are none.
    pub(super) fn pattern(&mut self, row: &Row<'_>, at: usize) -> Option<usize> {
        let id = Self::word(row, at);
        if id.is_empty() || id == "*" {
            return None;
        }
        let found = self.pattern_quietly(id);
        if found.is_none() {
            let message = format!("there is no pattern {id:?}; it counts as 1 at all times");
            self.warn(row.line, message, "add it to [PATTERNS] or take the name away");
        }
        found
    }

    /// The place of a pattern, and nothing told.
    pub(super) fn pattern_quietly(&self, id: &str) -> Option<usize> {
        self.patterns.get(id).copied()
    }

    /// Takes a new name of a node, link, pattern or curve; one that is taken already is told.
    pub(super) fn new_id(&mut self, row: &Row<'_>, what: Named) -> Option<String> {
        let id = Self::word(row, 0);
        let (taken, word) = match what {
            Named::Link => (self.links.contains_key(id), "link"),
            _ => (self.nodes.contains_key(id), "node"),
        };
        if taken {
            let message = format!("there is a {word} {id:?} already");
            self.refuse(row.line, message, "give it a name of its own; the line is left out");
            return None;
        }
        Some(id.to_owned())
    }

    /// Remembers the first line of what the line's first word names.
    pub(super) fn begins(&mut self, row: &Row<'_>, what: Named) {
        self.lines.entry((what, Self::word(row, 0).to_owned())).or_insert(row.line);
    }

    /// A warning of something that has a name, at the line it begins at.
    pub(super) fn warn_of(&mut self, what: Named, id: &str, message: String, remedy: &str) {
        let line = match what {
            Named::Node => self.nodes.get(id).and_then(|at| self.node_lines.get(*at)),
            Named::Link => self.links.get(id).and_then(|at| self.link_lines.get(*at)),
            Named::Pattern | Named::Curve => self.lines.get(&(what, id.to_owned())),
        };
        match line.copied() {
            Some(line) => self.warn(line, message, remedy),
            None => self.problems.push(Problem::warning(self.name.clone(), message, remedy)),
        }
    }

    /// Adds what a name stands for.
    pub(super) fn add_id(&mut self, row: &Row<'_>, id: &str, what: Named) {
        let nodes = self.out.network.nodes.len();
        let links = self.out.network.links.len();
        if what == Named::Link {
            self.links.insert(id.to_owned(), links);
            self.link_lines.push(row.line);
        } else {
            self.nodes.insert(id.to_owned(), nodes);
            self.node_lines.push(row.line);
        }
    }

    /// The pattern of a name, made where it is new.
    pub(super) fn pattern_or_new(&mut self, id: &str) -> usize {
        if let Some(at) = self.patterns.get(id) {
            return *at;
        }
        let at = self.out.network.patterns.len();
        let pattern = crate::simulation::network::Pattern { id: id.to_owned(), factors: Vec::new() };
        self.out.network.patterns.push(pattern);
        self.patterns.insert(id.to_owned(), at);
        at
    }

    fn find_default_pattern(&mut self) {
        let said = self.default_pattern.take();
        // A file that names none means the pattern `1`, if there is one.
        let id = said.as_ref().map_or("1", |(id, _)| id.as_str());
        self.out.network.options.default_pattern = self.pattern_quietly(id);
    }

    /// Whether a word is one of these keywords.
    pub(super) fn any_of(word: &str, keywords: &[&str]) -> bool {
        keywords.iter().any(|k| is(word, k))
    }
}

/// What a name is of.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Named {
    Node,
    Link,
    Pattern,
    Curve,
}
