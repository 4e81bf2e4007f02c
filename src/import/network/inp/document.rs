//! An INP file as it stands: every line, section and comment, so that writing it back changes nothing
//! but what was edited.

use super::words::{self, Words};
use std::ops::Range;

/// The sections of the format of EPANET 2.2 and 2.3.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SectionKind {
    /// What the network is.
    Title,
    /// Junctions.
    Junctions,
    /// Reservoirs.
    Reservoirs,
    /// Tanks.
    Tanks,
    /// Pipes.
    Pipes,
    /// Pumps.
    Pumps,
    /// Valves.
    Valves,
    /// Tags of nodes and links.
    Tags,
    /// Demand categories.
    Demands,
    /// Initial status of links.
    Status,
    /// Multipliers over time.
    Patterns,
    /// Curves of pumps, tanks and valves.
    Curves,
    /// Simple controls.
    Controls,
    /// Rules.
    Rules,
    /// Price and efficiency of pumping.
    Energy,
    /// Emitters.
    Emitters,
    /// Leakage of pipes (2.3).
    Leakage,
    /// Initial water quality.
    Quality,
    /// Sources of a substance.
    Sources,
    /// Reaction coefficients.
    Reactions,
    /// Mixing in tanks.
    Mixing,
    /// Duration and steps.
    Times,
    /// What is reported.
    Report,
    /// Options.
    Options,
    /// Where nodes are.
    Coordinates,
    /// Where links bend.
    Vertices,
    /// Labels of the map.
    Labels,
    /// The map's backdrop.
    Backdrop,
    /// Not used any more; kept.
    Roughness,
    /// The end of the data.
    End,
}

impl SectionKind {
    /// All of them with their names, in the order in which they are written.
    pub const ALL: [(SectionKind, &'static str); 30] = [
        (SectionKind::Title, "TITLE"),
        (SectionKind::Junctions, "JUNCTIONS"),
        (SectionKind::Reservoirs, "RESERVOIRS"),
        (SectionKind::Tanks, "TANKS"),
        (SectionKind::Pipes, "PIPES"),
        (SectionKind::Pumps, "PUMPS"),
        (SectionKind::Valves, "VALVES"),
        (SectionKind::Tags, "TAGS"),
        (SectionKind::Demands, "DEMANDS"),
        (SectionKind::Status, "STATUS"),
        (SectionKind::Patterns, "PATTERNS"),
        (SectionKind::Curves, "CURVES"),
        (SectionKind::Controls, "CONTROLS"),
        (SectionKind::Rules, "RULES"),
        (SectionKind::Energy, "ENERGY"),
        (SectionKind::Emitters, "EMITTERS"),
        (SectionKind::Leakage, "LEAKAGE"),
        (SectionKind::Quality, "QUALITY"),
        (SectionKind::Sources, "SOURCES"),
        (SectionKind::Reactions, "REACTIONS"),
        (SectionKind::Mixing, "MIXING"),
        (SectionKind::Times, "TIMES"),
        (SectionKind::Report, "REPORT"),
        (SectionKind::Options, "OPTIONS"),
        (SectionKind::Coordinates, "COORDINATES"),
        (SectionKind::Vertices, "VERTICES"),
        (SectionKind::Labels, "LABELS"),
        (SectionKind::Backdrop, "BACKDROP"),
        (SectionKind::Roughness, "ROUGHNESS"),
        (SectionKind::End, "END"),
    ];

    /// The kind by its name without brackets, in any case; as many letters as make it clear, four at least.
    pub fn by_name(name: &str) -> Option<Self> {
        let name = name.to_ascii_uppercase();
        let shortened = |full: &str| name.len() >= 4 && full.starts_with(&name);
        Self::ALL.iter().find(|(_, full)| *full == name || shortened(full)).map(|(kind, _)| *kind)
    }

    /// Its name without brackets.
    pub fn name(self) -> &'static str {
        Self::ALL.iter().find(|(kind, _)| *kind == self).map_or("", |(_, name)| name)
    }
}

/// How a line ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// The last line of a file that ends without one.
    None,
    /// `\n`.
    Lf,
    /// `\r\n`.
    CrLf,
    /// `\r` alone, as of old.
    Cr,
}

impl Ending {
    fn text(self) -> &'static str {
        match self {
            Ending::None => "",
            Ending::Lf => "\n",
            Ending::CrLf => "\r\n",
            Ending::Cr => "\r",
        }
    }
}

/// How the file's bytes are letters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Encoding {
    /// UTF-8, with or without its mark.
    Utf8 {
        /// Whether the file begins with the mark EF BB BF.
        mark: bool,
    },
    /// One byte a letter (ISO 8859-1), what is not UTF-8.
    Latin1,
}

/// A line, without its ending.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// The text.
    pub text: String,
    /// How it ended.
    pub ending: Ending,
}

/// A section: its kind, unless unknown, and its lines.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Section {
    /// None for one that the format does not know.
    pub kind: Option<SectionKind>,
    /// As it stands between the brackets.
    pub name: String,
    /// The line of its head, counted from 0.
    pub head: usize,
    /// The lines below its head, counted from 0.
    pub body: Range<usize>,
}

/// A line of a section that holds data.
#[derive(Clone, Copy, Debug)]
pub struct Row<'a> {
    /// The line, counted from 1 as people do.
    pub line: usize,
    /// The words before the comment.
    pub words: &'a [&'a str],
    /// What follows the first `;`, without blanks around it.
    pub comment: &'a str,
}

/// An INP file as it stands. [`Document::to_bytes`] gives back the bytes it was read from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Document {
    /// Every line.
    pub lines: Vec<Line>,
    /// How it is encoded.
    pub encoding: Encoding,
}

impl Default for Document {
    fn default() -> Self {
        Self { lines: Vec::new(), encoding: Encoding::Utf8 { mark: false } }
    }
}

impl Document {
    /// Reads any bytes; none are refused.
    pub fn from_bytes(bytes: &[u8]) -> Self {
        let marked = bytes.strip_prefix(b"\xEF\xBB\xBF");
        let body = marked.unwrap_or(bytes);
        let (text, encoding) = match std::str::from_utf8(body) {
            Ok(text) => (text.to_owned(), Encoding::Utf8 { mark: marked.is_some() }),
            Err(_) => (bytes.iter().map(|b| char::from(*b)).collect(), Encoding::Latin1),
        };
        Self { lines: split_lines(&text), encoding }
    }

    /// The file's bytes. A letter that its encoding lacks turns the file into UTF-8.
    pub fn to_bytes(&self) -> Vec<u8> {
        let text: String = self.lines.iter().flat_map(|l| [l.text.as_str(), l.ending.text()]).collect();
        match self.encoding {
            Encoding::Utf8 { mark: false } => text.into_bytes(),
            Encoding::Utf8 { mark: true } => format!("\u{FEFF}{text}").into_bytes(),
            Encoding::Latin1 => {
                let bytes: Option<Vec<u8>> = text.chars().map(|c| u8::try_from(u32::from(c)).ok()).collect();
                bytes.unwrap_or_else(|| text.into_bytes())
            }
        }
    }

    /// The ending that most lines have.
    pub fn ending(&self) -> Ending {
        let crlf = self.lines.iter().filter(|l| l.ending == Ending::CrLf).count();
        if 2 * crlf > self.lines.len() { Ending::CrLf } else { Ending::Lf }
    }

    /// The sections in their order; one may come several times. What stands before the first is in none,
    /// and so is what stands after `[END]`.
    pub fn sections(&self) -> Vec<Section> {
        let mut found: Vec<Section> = Vec::new();
        for (at, line) in self.lines.iter().enumerate() {
            let text = line.text.trim_start();
            let Some(inside) = text.strip_prefix('[') else { continue };
            let name = inside.split([']', ';']).next().unwrap_or_default().trim();
            let kind = SectionKind::by_name(name);
            if let Some(last) = found.last_mut() {
                last.body.end = at;
            }
            let ended = kind == Some(SectionKind::End);
            let end = if ended { at + 1 } else { self.lines.len() };
            found.push(Section { kind, name: name.to_owned(), head: at, body: at + 1..end });
            if ended {
                break;
            }
        }
        found
    }

    /// Calls `each` with every line of the section's body that holds data.
    pub fn rows(&self, section: &Section, mut each: impl FnMut(Row<'_>)) {
        let mut found = Words::default();
        let body = section.body.clone();
        for (at, line) in body.clone().zip(self.lines.get(body).unwrap_or_default()) {
            let comment = words::split(&line.text, &mut found);
            if found.is_empty() {
                continue;
            }
            each(Row { line: at + 1, words: &found, comment });
        }
    }

    /// Adds a line at the end.
    pub fn push(&mut self, text: impl Into<String>) {
        let ending = if self.lines.is_empty() { Ending::Lf } else { self.ending() };
        if let Some(last) = self.lines.last_mut()
            && last.ending == Ending::None
        {
            last.ending = ending;
        }
        self.lines.push(Line { text: text.into(), ending });
    }
}

fn split_lines(text: &str) -> Vec<Line> {
    let mut lines = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        let Some(at) = rest.find(['\n', '\r']) else {
            lines.push(Line { text: rest.to_owned(), ending: Ending::None });
            break;
        };
        let (line, tail) = rest.split_at(at);
        let ending = if tail.starts_with("\r\n") {
            Ending::CrLf
        } else if tail.starts_with('\n') {
            Ending::Lf
        } else {
            Ending::Cr
        };
        lines.push(Line { text: line.to_owned(), ending });
        rest = tail.get(ending.text().len()..).unwrap_or_default();
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn bytes_come_back_as_they_were() {
        for bytes in [
            &b"[TITLE]\r\n caf\xe9\r\n\r\n[END]"[..],
            b"",
            b"\xEF\xBB\xBF[JUNCTIONS]\n a 1 ; caf\xc3\xa9\n",
            b"[A]\r[B]\n\r\n\n\r",
            b"\x00\x01\xff\xfe",
        ] {
            assert_eq!(Document::from_bytes(bytes).to_bytes(), bytes, "{bytes:?}");
        }
    }

    #[test]
    fn sections_by_short_names_and_unknown_ones() {
        let document = Document::from_bytes(
            b"x\n[junc] ;c\n a 1\n[Coordinates]\n[SCADA]\n p 2\n[JUNCTIONS]\n b\n[END]\n[PIPES]\n",
        );
        let sections = document.sections();
        let kinds: Vec<_> = sections.iter().map(|s| (s.kind, s.body.clone())).collect();
        assert_eq!(
            kinds,
            [
                (Some(SectionKind::Junctions), 2..3),
                (Some(SectionKind::Coordinates), 4..4),
                (None, 5..6),
                (Some(SectionKind::Junctions), 7..8),
                (Some(SectionKind::End), 9..9),
            ]
        );
        assert_eq!(sections[2].name, "SCADA");
        assert_eq!(SectionKind::by_name("PI"), None);
    }

    #[test]
    fn rows_have_words_and_comments() {
        let document = Document::from_bytes(b"[TAGS]\n;head\n NODE\t\"a b\"  x ; why \n\n");
        let mut seen = Vec::new();
        let sections = document.sections();
        document.rows(&sections[0], |row| {
            seen.push((
                row.line,
                row.words.iter().map(|w| (*w).to_owned()).collect::<Vec<_>>(),
                row.comment.to_owned(),
            ));
        });
        assert_eq!(seen, [(3, vec!["NODE".into(), "a b".into(), "x".into()], "why".to_owned())]);
    }

    proptest! {
        #[test]
        fn any_bytes_come_back(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            prop_assert_eq!(Document::from_bytes(&bytes).to_bytes(), bytes);
        }
    }
}
