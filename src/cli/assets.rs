//! `plenum assets`: The asset graph of a project: what stands where, what feeds, serves, meters and controls what.

use super::bar::with_bar;
use super::interrupt;
use super::open::{Opened, open};
use super::output::{Failure, print_json, print_text};
use crate::problem::Problem;
use crate::site::assets::merge::{MatchedBy, MergeReport};
use crate::site::assets::{self, AssetGraph, RelationKind, Thing, brick, tables};
use crate::site::{Site, Slot};
use clap::ValueEnum;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::io::Write;
use std::path::{Path, PathBuf};

/// How many cases of one kind people are shown; `--json` has them all.
const SHOWN: usize = 10;

/// The asset graph: what stands where, what feeds, serves, meters and controls what, and how the asset registries of
/// the project match its models.
#[derive(clap::Args)]
#[command(after_help = "Examples:\n  \
    plenum assets models/clinic\n      \
    what is in it, and what of the registries matches nothing\n  \
    plenum assets models/clinic --export brick --out clinic.ttl\n      \
    the graph for programs that read Brick\n  \
    plenum assets building.ifc --export csv --out assets.csv\n      \
    two tables: assets.csv and assets.relations.csv\n\n\
Registries are named in twin.toml:\n  \
    [[registries]]\n  file = \"assets.xlsx\"   # COBie or any other workbook, .csv, or a folder of COBie as CSV files\n  \
    columns = { tag = \"Mark\" }   # only where the headings are not understood")]
pub struct Args {
    /// Folder with a twin.toml, that file, or one model.
    #[arg(value_name = "PROJECT|FILE")]
    project: PathBuf,
    /// Print one JSON document on stdout.
    #[arg(long)]
    json: bool,
    /// Write the graph for other programs.
    #[arg(long, value_name = "FORMAT", requires = "out")]
    export: Option<Format>,
    /// Where the export goes; CSV writes its relations beside it, to FILE.relations.csv.
    #[arg(long, value_name = "FILE", requires = "export")]
    out: Option<PathBuf>,
}

/// What an export is written as.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    /// Brick 1.4 in Turtle
    Brick,
    /// Two tables: things, and relations
    Csv,
    /// One document with things and relations
    Json,
}

impl Format {
    fn word(self) -> &'static str {
        match self {
            Self::Brick => "brick",
            Self::Csv => "csv",
            Self::Json => "json",
        }
    }
}

/// Runs the verb.
pub fn run(args: Args) -> Result<(), Failure> {
    interrupt::listen();
    let opened = open_with_progress(&args.project)?;
    let graph = assets::graph(&opened.site);
    let written = match (args.export, &args.out) {
        (Some(format), Some(out)) => Some((format, export(&opened.site, &graph, format, out)?)),
        _ => None,
    };
    if args.json {
        return print_json(&report(&opened, &graph, written.as_ref()));
    }
    let mut text = describe(&opened.site, &graph);
    for problem in &opened.problems {
        text.push_str(&format!("  {problem}\n"));
    }
    for (path, bytes) in written.iter().flat_map(|(_, files)| files) {
        text.push_str(&format!("  wrote {} ({bytes} bytes)\n", path.display()));
    }
    print_text(&text)
}

/// Reads on a thread of its own while a bar on the terminal, and Ctrl-C, are served here.
fn open_with_progress(path: &Path) -> Result<Opened, Failure> {
    let progress = interrupt::progress();
    let opened = with_bar(path, progress, || open(path, progress))?;
    if interrupt::interrupted() {
        return Err(interrupt::stopped(path.display().to_string()).into());
    }
    Ok(opened)
}

/// Writes the export; gives the files with their sizes, bytes.
fn export(site: &Site, graph: &AssetGraph, format: Format, out: &Path) -> Result<Vec<(PathBuf, usize)>, Failure> {
    let files = match format {
        Format::Brick => vec![(out.to_owned(), brick::turtle(site, graph))],
        Format::Csv => {
            let tables = tables::csv(site, graph);
            vec![(out.to_owned(), tables.things), (out.with_extension("relations.csv"), tables.relations)]
        }
        Format::Json => {
            let text = serde_json::to_string_pretty(&tables::document(site, graph))
                .map_err(|e| Problem::error(out.display().to_string(), format!("cannot be written: {e}"), ""))?;
            vec![(out.to_owned(), text + "\n")]
        }
    };
    // Both drafts stand before the first takes its place.
    let mut drafts = Vec::new();
    for (path, text) in &files {
        drafts.push(draft(path, text.as_bytes()).map_err(|e| unwritable(path, &e))?);
    }
    for ((path, _), draft) in files.iter().zip(drafts) {
        draft.persist(path).map_err(|e| unwritable(path, &e.error))?;
    }
    Ok(files.into_iter().map(|(path, text)| (path, text.len())).collect())
}

/// The whole file, beside its place.
fn draft(path: &Path, bytes: &[u8]) -> std::io::Result<tempfile::NamedTempFile> {
    if path.is_dir() {
        return Err(std::io::Error::other("this is a folder"));
    }
    let there = std::fs::metadata(path).ok().map(|m| m.permissions());
    if there.as_ref().is_some_and(std::fs::Permissions::readonly) {
        return Err(std::io::Error::other("it is there already and read-only"));
    }
    let folder = path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut draft = tempfile::Builder::new().prefix(".plenum-").suffix(".part").tempfile_in(folder)?;
    draft.write_all(bytes)?;
    draft.as_file().sync_all()?;
    // A draft is private to its user; what takes its place is as readable as a new file would be.
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let rights = there.unwrap_or_else(|| std::fs::Permissions::from_mode(0o644));
        draft.as_file().set_permissions(rights)?;
    }
    Ok(draft)
}

fn unwritable(path: &Path, why: &dyn std::fmt::Display) -> Failure {
    Failure::Failed(Problem::error(
        path.display().to_string(),
        format!("the export cannot be written: {why}"),
        "give a file in a folder that can be written to, on a disk with room",
    ))
}

/// How many things of each kind there are, in the order of the graph.
fn counts(site: &Site, graph: &AssetGraph) -> Vec<(&'static str, usize)> {
    const KINDS: [&str; 9] = ["site", "building", "facility", "storey", "space", "asset", "zone", "system", "point"];
    let mut counts: Vec<(&str, usize)> = KINDS.iter().map(|k| (*k, 0)).collect();
    for thing in &graph.things {
        let kind = tables::kind(site, *thing);
        counts.iter_mut().filter(|(k, _)| *k == kind).for_each(|(_, n)| *n += 1);
    }
    counts
}

/// By kind: how many relations, by source.
fn by_source(graph: &AssetGraph) -> Vec<(RelationKind, BTreeMap<&str, usize>)> {
    let mut all: Vec<_> = RelationKind::ALL.iter().map(|k| (*k, BTreeMap::new())).collect();
    for relation in &graph.relations {
        for (_, sources) in all.iter_mut().filter(|(k, _)| *k == relation.kind) {
            *sources.entry(relation.source.0.as_ref()).or_default() += 1;
        }
    }
    all
}

fn matched_by(report: &MergeReport, by: MatchedBy) -> usize {
    report.matched.iter().filter(|m| m.by == by).count()
}

/// The contract's document.
fn report(opened: &Opened, graph: &AssetGraph, written: Option<&(Format, Vec<(PathBuf, usize)>)>) -> Value {
    let site: &Site = &opened.site;
    let id = |thing: Thing| assets::global_id(site, thing);
    let counts: serde_json::Map<String, Value> =
        counts(site, graph).into_iter().map(|(k, n)| (k.to_owned(), json!(n))).collect();
    let relations: serde_json::Map<String, Value> = by_source(graph)
        .into_iter()
        .map(|(kind, sources)| {
            (kind.word().to_owned(), json!({"count": sources.values().sum::<usize>(), "sources": sources}))
        })
        .collect();
    let registries: Vec<Value> = site
        .merge
        .reports
        .iter()
        .map(|r| {
            let matched: Vec<Value> = r
                .matched
                .iter()
                .map(|m| json!({"row": m.place, "id": id(m.thing), "name": assets::label(site, m.thing), "by": m.by}))
                .collect();
            let unmatched: Vec<Value> =
                r.unmatched.iter().map(|u| json!({"row": u.place, "name": u.label, "why": u.why})).collect();
            let duplicates: Vec<Value> =
                r.duplicates.iter().map(|d| json!({"field": d.field, "value": d.value, "rows": d.places})).collect();
            let conflicts: Vec<Value> = r
                .conflicts
                .iter()
                .map(|c| {
                    let element = Thing::Element(c.element.0);
                    json!({"row": c.place, "id": id(element), "name": assets::label(site, element), "field": c.field,
                        "registry": c.registry, "model": c.model})
                })
                .collect();
            json!({
                "registry": r.registry, "kind": r.kind, "rows": r.rows,
                "matched_by": {
                    "globalid": matched_by(r, MatchedBy::GlobalId),
                    "tag": matched_by(r, MatchedBy::Tag),
                    "name": matched_by(r, MatchedBy::Name),
                },
                "matched": matched, "unmatched": unmatched, "duplicates": duplicates, "conflicts": conflicts,
            })
        })
        .collect();
    let unnamed: Vec<Value> = site
        .merge
        .unnamed
        .iter()
        .filter_map(|slot| site.element(*slot))
        .map(|e| json!({"id": e.id, "type": e.class, "name": e.label()}))
        .collect();
    let export = written.map(|(format, files)| {
        let files: Vec<Value> =
            files.iter().map(|(p, bytes)| json!({"file": p.display().to_string(), "bytes": bytes})).collect();
        json!({"format": format.word(), "files": files})
    });
    json!({
        "project": site.name,
        "counts": counts,
        "relations": relations,
        "connections_without_direction": graph.without_direction,
        "connections_contradicting": graph.contradicting,
        "registries": registries,
        "unnamed": unnamed,
        "export": export,
        "problems": opened.problems,
    })
}

/// For people.
fn describe(site: &Site, graph: &AssetGraph) -> String {
    let mut lines = vec![site.name.clone()];
    let some = counts(site, graph).into_iter().filter(|(_, n)| *n > 0);
    let words = some.map(|(k, n)| format!("{n} {}", plural(k, n)));
    lines.push(format!("  {}", words.collect::<Vec<_>>().join(", ")));
    for (kind, sources) in by_source(graph) {
        let count: usize = sources.values().sum();
        if count == 0 || kind == RelationKind::PartOf {
            continue; // the other way round of hasPart
        }
        lines.push(format!("  {:<10} {count:>6}", kind.word()));
        let mut sources: Vec<(&str, usize)> = sources.into_iter().collect();
        sources.sort_by_key(|(_, n)| std::cmp::Reverse(*n));
        lines.extend(sources.iter().take(SHOWN).map(|(words, n)| format!("             {n:>6}  {words}")));
    }
    if graph.without_direction + graph.contradicting > 0 {
        lines.push(format!(
            "  {} connections do not say which way their medium goes, {} contradict themselves: `feeds` stops there",
            graph.without_direction, graph.contradicting
        ));
    }
    for report in &site.merge.reports {
        lines.push(format!(
            "  registry {} ({}): {} rows, {} matched ({} by GlobalId, {} by tag, {} by name), {} unmatched, \
             {} named twice, {} conflicts",
            report.registry,
            report.kind,
            report.rows,
            report.matched.len(),
            matched_by(report, MatchedBy::GlobalId),
            matched_by(report, MatchedBy::Tag),
            matched_by(report, MatchedBy::Name),
            report.unmatched.len(),
            report.duplicates.len(),
            report.conflicts.len()
        ));
        let unmatched = report.unmatched.iter().map(|u| format!("{}: {}", u.place, u.why));
        some_of(&mut lines, "matches nothing", unmatched);
        let twice = report.duplicates.iter().map(|d| {
            let more = d.places.len().saturating_sub(4);
            let more = if more > 0 { format!("; and {more} more") } else { String::new() };
            let first: Vec<&str> = d.places.iter().take(4).map(String::as_str).collect();
            format!("{} `{}`: {}{more}", d.field, d.value, first.join("; "))
        });
        some_of(&mut lines, "named twice", twice);
        let conflicts = report.conflicts.iter().map(|c| {
            let name = assets::label(site, Thing::Element(c.element.0));
            format!("{}: {} of {name} is `{}` here and `{}` in the model", c.place, c.field, c.registry, c.model)
        });
        some_of(&mut lines, "conflict", conflicts);
    }
    if !site.merge.unnamed.is_empty() {
        let mut classes: BTreeMap<&str, usize> = BTreeMap::new();
        for element in site.merge.unnamed.iter().filter_map(|s: &Slot| site.element(*s)) {
            *classes.entry(element.class.as_str()).or_default() += 1;
        }
        let words: Vec<String> = classes.iter().map(|(c, n)| format!("{n} {c}")).collect();
        lines.push(format!("  no registry names {}: {}", site.merge.unnamed.len(), words.join(", ")));
    }
    lines.push(String::new());
    lines.join("\n")
}

fn plural(word: &str, n: usize) -> String {
    match (word, n) {
        (_, 1) => word.to_owned(),
        ("facility", _) => "facilities".to_owned(),
        _ => format!("{word}s"),
    }
}

fn some_of(lines: &mut Vec<String>, what: &str, cases: impl ExactSizeIterator<Item = String>) {
    let more = cases.len().saturating_sub(SHOWN);
    lines.extend(cases.take(SHOWN).map(|case| format!("    {what}: {case}")));
    if more > 0 {
        lines.push(format!("    and {more} more (--json has them all)"));
    }
}
