//! Writes networks as INP files, and changes a document only where the network changed.

use super::document::{Document, Ending, Line, Row, SectionKind};
use super::entries::{Entry, Style, entries};
use super::reader::{InpFile, Marks, read_marked};
use super::units::Units;
use crate::problem::Problem;
use rustc_hash::{FxHashMap, FxHashSet};

/// The file in some units, and what it cannot hold. Sections of the document that are not known come last.
///
/// Reading it gives the same network: values differ by no more than 15 digits can say. The specific gravity
/// is the fluid's, whatever the units say.
pub fn write(file: &InpFile, units: Units) -> (String, Vec<Problem>) {
    let units = Units { specific_gravity: file.network.fluid.specific_gravity, ..units };
    let (entries, problems) = entries(file, units, &Style::default());
    let mut by_section: FxHashMap<SectionKind, Vec<&Entry>> = FxHashMap::default();
    for entry in &entries {
        by_section.entry(entry.section).or_default().push(entry);
    }
    let mut text = String::new();
    for (kind, name) in SectionKind::ALL.iter().filter(|(kind, _)| *kind != SectionKind::End) {
        let Some(entries) = by_section.get(kind) else { continue };
        text += &format!("[{name}]\n");
        for line in entries.iter().flat_map(|e| &e.lines) {
            text += &if line.is_empty() { "\n".to_owned() } else { format!(" {line}\n") };
        }
        text += "\n";
    }
    for section in file.document.sections().iter().filter(|s| s.kind.is_none()) {
        text += &format!("[{}]\n", section.name);
        for line in file.document.lines.get(section.body.clone()).unwrap_or_default() {
            text += &format!("{}\n", line.text);
        }
    }
    text += "[END]\n";
    (text, problems)
}

/// The file's document with what changed since it was read: lines of what did not change, comments,
/// malformed lines and unknown sections stay as they stand, in the units the file is in.
pub fn edited(file: &InpFile) -> (Document, Vec<Problem>) {
    let (before, marks, _) = read_marked(&file.document.to_bytes(), "");
    let style = style_of(&file.document);
    let (old, _) = entries(&before, before.units, &style);
    let units = Units { specific_gravity: file.network.fluid.specific_gravity, ..before.units };
    let (new, problems) = entries(file, units, &style);
    let wanted: FxHashMap<&str, &Entry> = new.iter().map(|e| (e.key.as_str(), e)).collect();
    let known: FxHashMap<&str, &Entry> = old.iter().map(|e| (e.key.as_str(), e)).collect();
    let changed = |entry: &Entry| known.get(entry.key.as_str()).is_none_or(|o| o.lines != entry.lines);
    let gone = |entry: &&Entry| !wanted.contains_key(entry.key.as_str());
    let touched: FxHashSet<SectionKind> =
        new.iter().filter(|e| changed(e)).chain(old.iter().filter(gone)).map(|e| e.section).collect();
    // A section with ranges of names cannot be changed by a line of them: it is written anew.
    let anew: FxHashSet<SectionKind> = touched.intersection(&marks.ranges).copied().collect();

    let mut written: FxHashSet<&str> = FxHashSet::default();
    let mut lines: Vec<(usize, Line)> = Vec::new();
    for (at, line) in file.document.lines.iter().enumerate() {
        let mut keep = |text: String| lines.push((at, Line { text, ending: line.ending }));
        let Some((section, key)) = marks.lines.get(&at) else {
            keep(line.text.clone());
            continue;
        };
        if anew.contains(section) {
            continue;
        }
        match (known.get(key.as_str()), wanted.get(key.as_str())) {
            (Some(o), Some(n)) if o.lines == n.lines => {
                written.insert(n.key.as_str());
                keep(line.text.clone());
            }
            // It is another kind of thing now and stands in another section.
            (Some(o), Some(n)) if o.section != n.section => {}
            // What is not an entry of ours is not ours to change.
            (None, None) => keep(line.text.clone()),
            (_, None) => {}
            (_, Some(n)) => {
                if written.insert(n.key.as_str()) {
                    let comment = line.text.split_once(';').map(|(_, c)| format!("\t;{c}"));
                    let single = n.lines.len() == 1 && !n.lines.iter().any(|l| l.contains(';'));
                    for text in n.lines.iter().filter(|l| !l.is_empty()) {
                        keep(format!(" {text}{}", comment.as_deref().filter(|_| single).unwrap_or_default()));
                    }
                }
            }
        }
    }
    let mut document = file.document.clone();
    // Where each section's body ends now, by the line it ended at.
    let ends: FxHashMap<SectionKind, usize> = (file.document.sections().iter())
        .filter_map(|s| s.kind.map(|kind| (kind, s.body.clone())))
        .map(|(kind, body)| {
            let blank = |at: &usize| file.document.lines.get(*at).is_some_and(|l| l.text.trim().is_empty());
            (kind, body.start + body.clone().rev().skip_while(blank).count())
        })
        .collect();
    let more: Vec<&Entry> = (new.iter())
        .filter(|e| !written.contains(e.key.as_str()) && (changed(e) || anew.contains(&e.section)))
        .collect();
    document.lines = insert(lines, &more, &ends, file.document.ending());
    (document, problems)
}

/// Puts entries at the ends of their sections, or in new sections before `[END]`.
fn insert(
    lines: Vec<(usize, Line)>,
    more: &[&Entry],
    ends: &FxHashMap<SectionKind, usize>,
    ending: Ending,
) -> Vec<Line> {
    let line = |text: &str| Line { text: format!(" {text}"), ending };
    let mut at_end: FxHashMap<usize, Vec<Line>> = FxHashMap::default();
    let mut new_sections: Vec<(SectionKind, Vec<Line>)> = Vec::new();
    for entry in more {
        let texts = entry.lines.iter().filter(|l| !l.is_empty()).map(|l| line(l));
        if let Some(end) = ends.get(&entry.section) {
            at_end.entry(*end).or_default().extend(texts);
        } else if let Some((_, body)) = new_sections.iter_mut().find(|(kind, _)| *kind == entry.section) {
            body.extend(texts);
        } else {
            new_sections.push((entry.section, texts.collect()));
        }
    }
    let end_of_data = ends.get(&SectionKind::End).map_or(usize::MAX, |end| end.saturating_sub(1));
    let mut out: Vec<Line> = Vec::new();
    let mut sections = Some(new_sections);
    let put_sections = |out: &mut Vec<Line>, sections: &mut Option<Vec<(SectionKind, Vec<Line>)>>| {
        for (kind, body) in sections.take().unwrap_or_default() {
            if let Some(last) = out.last_mut().filter(|l| l.ending == Ending::None) {
                last.ending = ending;
            }
            out.push(Line { text: format!("[{}]", kind.name()), ending });
            out.extend(body);
            out.push(Line { text: String::new(), ending });
        }
    };
    let mut ends: Vec<usize> = at_end.keys().copied().collect();
    ends.sort_unstable();
    let mut due = ends.into_iter().peekable();
    for (at, line) in lines {
        while let Some(end) = due.next_if(|end| *end <= at) {
            out.extend(at_end.remove(&end).unwrap_or_default());
        }
        if at >= end_of_data {
            put_sections(&mut out, &mut sections);
        }
        out.push(line);
    }
    for end in due {
        if let Some(last) = out.last_mut().filter(|l| l.ending == Ending::None) {
            last.ending = ending;
        }
        out.extend(at_end.remove(&end).unwrap_or_default());
    }
    put_sections(&mut out, &mut sections);
    out
}

/// Where a document puts what may stand in two places.
fn style_of(document: &Document) -> Style {
    let mut style = Style::default();
    for section in document.sections() {
        let names = match section.kind {
            Some(SectionKind::Demands) => &mut style.demands,
            Some(SectionKind::Status) => &mut style.status,
            _ => continue,
        };
        document.rows(&section, |row| {
            names.extend(row.words.first().map(|w| (*w).to_owned()));
        });
    }
    style
}

/// The key of a line's entry, as [`entries`] makes them; nothing where the line names a range or nothing.
pub(super) fn key_of(kind: SectionKind, row: &Row<'_>, marks: &mut Marks) -> Option<String> {
    use SectionKind as S;
    let words = row.words;
    let word = |at: usize| words.get(at).copied().unwrap_or_default();
    let short = |at: usize, n: usize| word(at).chars().take(n).collect::<String>().to_ascii_uppercase();
    let first = word(0);
    let mut range = |is_range: bool| {
        if is_range {
            marks.ranges.insert(kind);
        }
        !is_range
    };
    Some(match kind {
        S::Junctions | S::Reservoirs | S::Tanks => format!("node:{first}"),
        S::Pipes | S::Pumps | S::Valves => format!("link:{first}"),
        S::Demands => format!("demand:{first}"),
        S::Emitters => format!("emitter:{first}"),
        S::Leakage => format!("leak:{first}"),
        S::Status if range(words.len() > 2) => format!("status:{first}"),
        S::Patterns => format!("pattern:{first}"),
        S::Curves => format!("curve:{first}"),
        S::Quality if range(words.len() > 2) => format!("quality:{first}"),
        S::Sources => format!("source:{first}"),
        S::Mixing => format!("mixing:{first}"),
        S::Coordinates => format!("place:{first}"),
        S::Vertices => format!("bends:{first}"),
        S::Tags => format!("tag:{}:{}", short(0, 4), word(1)),
        S::Title => "title".to_owned(),
        S::Labels => "labels".to_owned(),
        S::Backdrop => "backdrop".to_owned(),
        S::Report => "report".to_owned(),
        S::Energy => match short(0, 4).as_str() {
            "GLOB" => format!("energy:GLOB:{}", short(1, 4)),
            "PUMP" => format!("energy:PUMP:{}:{}", word(1), short(2, 4)),
            other => format!("energy:{other}"),
        },
        S::Times => match short(0, 4).as_str() {
            other @ ("PATT" | "REPO") => format!("time:{other}{}", short(1, 2)),
            other => format!("time:{other}"),
        },
        S::Options => match short(0, 4).as_str() {
            "DEMA" => format!("option:DEMA{}", short(1, 2)),
            "PRES" if short(1, 3) == "EXP" => "option:PRESEX".to_owned(),
            "HEAD" if short(0, 6) == "HEADER" => "option:HEADER".to_owned(),
            other => format!("option:{other}"),
        },
        S::Reactions => match short(0, 4).as_str() {
            other @ ("ORDE" | "GLOB") => format!("reaction:{other}:{}", short(1, 4)),
            other @ ("LIMI" | "ROUG") => format!("reaction:{other}"),
            other if range(words.len() > 3) => format!("reaction:{other}:{}", word(1)),
            _ => return None,
        },
        _ => return None,
    })
}
