//! `plenum search`: finds elements by words, names, places, properties.

use super::interrupt;
use super::open::{Opened, must_exist, open};
use super::output::{Failure, print_json, print_text};
use crate::problem::Problem;
use crate::site::coordinates::Coordinates;
use crate::site::search::{Found, Index, parse};
use crate::site::{Element, Site, Slot};
use serde::Serialize;
use std::path::PathBuf;
use std::time::Instant;

/// So many are shown to people unless they ask for more.
const SHOWN: usize = 50;

/// Columns of the table are no wider than this, characters.
const WIDEST: usize = 40;

/// Finds elements by words, class, storey, system, material, properties and more.
///
/// Words are looked for in tag, name, GlobalId, class, type and description; all of them must be there.
/// docs/search.md has the whole language. Some examples:
///
///   plenum search clinic 'supply fan'
///   plenum search clinic 'class:IfcPump storey:"Level 2"'
///   plenum search clinic 'Pset_PumpTypeCommon.FlowRateRange>0.01'
///   plenum search clinic 'NominalPower>2kW -class:*Fan'
///   plenum search clinic '(system:"Chilled water" OR system:Heating) no:tag'
///
/// Nothing found is an answer (exit status 0); a search that cannot be understood is not (2).
#[derive(clap::Args)]
#[command(verbatim_doc_comment)]
pub struct Args {
    /// A folder with a twin.toml, that file, or a single model.
    project: PathBuf,
    /// What to look for.
    #[arg(allow_hyphen_values = true)]
    query: String,
    /// Print at most so many [default: 50; with --json all].
    #[arg(long, value_name = "N")]
    limit: Option<usize>,
    /// Print one JSON document on stdout.
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct Document<'a> {
    query: &'a str,
    /// How many were found, printed or not.
    count: usize,
    /// How long the answer took, the index being there.
    seconds: f64,
    /// How long the index took to build.
    index_seconds: f64,
    index_bytes: usize,
    elements: usize,
    notes: &'a [String],
    results: Vec<Hit<'a>>,
    problems: &'a [Problem],
}

/// One element that was found.
#[derive(Serialize)]
struct Hit<'a> {
    id: &'a str,
    #[serde(rename = "type")]
    class: &'a str,
    name: &'a str,
    tag: &'a str,
    storey: Option<&'a str>,
    space: Option<&'a str>,
    systems: Vec<&'a str>,
    kind: crate::site::ElementKind,
    source: Option<String>,
    coordinates: Option<Place>,
}

/// The middle of an element's box, metres, to a tenth of a millimetre.
#[derive(Serialize)]
struct Place {
    /// In the file's own frame.
    own_m: [f64; 3],
    /// Easting, northing and height; null where nobody knows how the file lies on a map.
    map_m: Option<[f64; 3]>,
    /// The map's coordinate system; null where none is named.
    crs: Option<String>,
}

impl Place {
    fn of(site: &Site, slot: Slot) -> Option<Self> {
        let rounded = |place: [f64; 3]| place.map(|v| (v * 1e4).round() / 1e4 + 0.0);
        let at = Coordinates::of(site, slot)?;
        let own_m = rounded(at.own_place_m().to_array());
        let (crs, map_m) = at.map.map(|m| (m.crs, rounded(m.position_m))).unzip();
        Some(Self { own_m, map_m, crs: crs.filter(|c| !c.is_empty()) })
    }
}

/// Runs the verb.
pub fn run(args: Args) -> Result<(), Failure> {
    interrupt::listen();
    // What can be known to be wrong is told before a building is read.
    let query = parse(&args.query).map_err(|wrong| {
        for line in wrong.caret(&args.query).lines() {
            eprintln!("  {line}");
        }
        Failure::Usage(wrong.into())
    })?;
    must_exist(&args.project)?;
    if query.asks_for_health() {
        // Without a site the answer is the same.
        Index::default().find(&query, None).map_err(Failure::Failed)?;
    }
    let opened = open(&args.project, interrupt::progress())?;
    let started = Instant::now();
    let index = Index::of(&opened.site);
    let built = started.elapsed().as_secs_f64();
    let started = Instant::now();
    let found = index.find(&query, None).map_err(Failure::Failed)?;
    let seconds = started.elapsed().as_secs_f64();
    if !args.json {
        for problem in &opened.problems {
            eprintln!("plenum: {problem}");
        }
        return print_table(&opened, &found, args.limit.unwrap_or(SHOWN));
    }
    let limit = args.limit.unwrap_or(usize::MAX);
    print_json(&Document {
        query: &args.query,
        count: found.slots.len(),
        seconds: rounded(seconds),
        index_seconds: rounded(built),
        index_bytes: index.bytes(),
        elements: opened.site.elements.len(),
        notes: &found.notes,
        results: hits(&opened.site, &found, limit).collect(),
        problems: &opened.problems,
    })
}

/// To the microsecond.
fn rounded(seconds: f64) -> f64 {
    (seconds * 1e6).round() / 1e6
}

fn hits<'a>(site: &'a Site, found: &'a Found, limit: usize) -> impl Iterator<Item = Hit<'a>> {
    found.slots.iter().take(limit).filter_map(|slot| {
        let e = site.element(*slot)?;
        let source = site.source_of.get(slot.0 as usize).and_then(|s| site.sources.get(usize::from(*s)));
        Some(Hit {
            id: &e.id,
            class: &e.class,
            name: &e.name,
            tag: &e.tag,
            storey: storey(site, e),
            space: e.space.and_then(|s| site.elements.get(s as usize)).map(|s| s.name.as_str()),
            systems: e.systems.iter().filter_map(|s| Some(site.systems.get(*s as usize)?.name.as_str())).collect(),
            kind: e.kind,
            source: source.and_then(|s| Some(s.file.file_name()?.to_string_lossy().into_owned())),
            coordinates: Place::of(site, *slot),
        })
    })
}

fn storey<'a>(site: &'a Site, element: &Element) -> Option<&'a str> {
    Some(site.storeys.get(element.storey? as usize)?.name.as_str())
}

/// For people, on stdout.
fn print_table(opened: &Opened, found: &Found, limit: usize) -> Result<(), Failure> {
    print_text(&table(&opened.site, found, limit))
}

fn table(site: &Site, found: &Found, limit: usize) -> String {
    let cells = |hit: Hit<'_>| [hit.tag, hit.name, hit.class, hit.storey.unwrap_or(""), hit.id].map(elided);
    let mut rows = vec![["TAG", "NAME", "CLASS", "STOREY", "ID"].map(str::to_owned)];
    rows.extend(hits(site, found, limit).map(cells));
    let width = |i: usize| rows.iter().filter_map(|r| r.get(i)).map(|c| c.chars().count()).max().unwrap_or(0);
    let widths: [usize; 5] = std::array::from_fn(width);
    let mut out = String::new();
    if rows.len() > 1 {
        for row in &rows {
            let cells: Vec<String> = row.iter().zip(widths).map(|(cell, w)| format!("{cell:<w$}")).collect();
            out += cells.join("  ").trim_end();
            out.push('\n');
        }
    }
    let (shown, count) = (rows.len() - 1, found.slots.len());
    let rest =
        if shown < count { format!(", {shown} of them shown: --limit {count} shows all") } else { String::new() };
    out += &match count {
        0 => format!("nothing found among {} elements\n", site.elements.len()),
        1 => format!("1 element{rest}\n"),
        _ => format!("{count} elements{rest}\n"),
    };
    for note in &found.notes {
        out += &format!("note: {note}\n");
    }
    out
}

/// In one line, and no wider than a column.
fn elided(text: &str) -> String {
    let line: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    if line.chars().count() <= WIDEST {
        return line;
    }
    line.chars().take(WIDEST - 1).chain(['…']).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_says_how_many_there_are() {
        let element = |tag: &str| Element { tag: tag.into(), name: "x\ny".into(), ..Element::default() };
        let (site, _) = Site::of_elements("", vec![element("P-1"), element("P-2")]);
        let found = Index::of(&site).find(&parse("p").unwrap(), None).unwrap();
        let text = table(&site, &found, 1);
        assert!(text.contains("P-1") && !text.contains("P-2") && text.contains("x y"), "{text}");
        assert!(text.contains("2 elements, 1 of them shown"), "{text}");
        let none = Index::of(&site).find(&parse("storey:Roof").unwrap(), None).unwrap();
        let text = table(&site, &none, 9);
        assert!(text.contains("nothing found among 2 elements") && text.contains("note: no storey"), "{text}");
        assert_eq!(elided(&"ä".repeat(50)).chars().count(), WIDEST);
    }
}
