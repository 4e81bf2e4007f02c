//! `plenum graph`: The graph of pipes, ducts and cables: what is joined to what, declared and inferred.

use super::bar::with_bar;
use super::interrupt;
use super::open::{self, Opened};
use super::output::{Failure, print_json, print_text};
use crate::import::Progress;
use crate::problem::{Problem, Severity};
use crate::site::Slot;
use crate::site::graph::{Graph, Node};
use crate::site::infer::{self, Cable, JoinedBy, PointRef, Verdict, WiredBy};
use crate::site::project::{JoinDecision, Saved, element_called, name_in_decision, save_join};
use crate::site::{Element, Site};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// The graph of pipes, ducts and cables: what is joined to what.
///
/// Ports and their connections are taken from the file. Elements without ports get
/// connection points from their geometry, joined where gap, axis, size, system and
/// medium agree, each with a confidence. Cables are seldom drawn: what has none is
/// joined to the board or controller that a property names, else to the only one of
/// its machine, system, mark in the tag, space, zone, storey or building, and where
/// there are several to none. What you decide of single joints is kept in the
/// project's twin.toml:
///
///   plenum graph PROJECT --accept P-101 P-102   an inferred joint is right
///   plenum graph PROJECT --reject P-101 P-103   these are not joined
///   plenum graph PROJECT --join P-101 V-7       these are, whatever they look like
///   plenum graph PROJECT --forget P-101 V-7     nothing is decided of them
///
/// A and B are tags, GlobalIds, or ids of connection points as --json prints them.
#[derive(clap::Args)]
#[command(verbatim_doc_comment)]
pub struct Args {
    /// A model file, a folder with a twin.toml, or that file
    place: PathBuf,
    /// Print one JSON document on stdout
    #[arg(long)]
    json: bool,
    /// Ends may lie this far apart, metres; otherwise what twin.toml says, or 0.03
    #[arg(long, value_name = "M", value_parser = gap)]
    gap: Option<f64>,
    /// Joints less sure than this are not made, 0 to 1; otherwise what twin.toml says, or 0.3
    #[arg(long, value_name = "C", value_parser = confidence)]
    least: Option<f64>,
    /// The weakest reason for a cable that nobody draws, or off; otherwise what twin.toml says, or building
    #[arg(long, value_name = "REASON", value_parser = wiring)]
    wiring: Option<Limit>,
    /// Keep in the project that the joint between A and B is right; may be repeated
    #[arg(long, num_args = 2, value_names = ["A", "B"], action = clap::ArgAction::Append)]
    accept: Vec<String>,
    /// Keep in the project that A and B are not joined
    #[arg(long, num_args = 2, value_names = ["A", "B"], action = clap::ArgAction::Append)]
    reject: Vec<String>,
    /// Keep in the project that A and B are joined
    #[arg(long, num_args = 2, value_names = ["A", "B"], action = clap::ArgAction::Append)]
    join: Vec<String>,
    /// Take what was decided of A and B out of the project
    #[arg(long, num_args = 2, value_names = ["A", "B"], action = clap::ArgAction::Append)]
    forget: Vec<String>,
}

fn gap(text: &str) -> Result<f64, String> {
    let metres: Option<f64> = text.trim().trim_end_matches('m').trim().parse().ok();
    metres.filter(|g| (0.001..=0.2).contains(g)).ok_or_else(|| format!("`{text}` is not between 0.001 and 0.2 metres"))
}

/// The weakest reason for a cable; none: no cables.
#[derive(Clone, Copy)]
struct Limit(Option<WiredBy>);

fn wiring(text: &str) -> Result<Limit, String> {
    WiredBy::limit(text.trim()).map(Limit).ok_or_else(|| {
        let words = WiredBy::ALL.map(|(word, _)| word).join(", ");
        format!("`{text}` is neither off nor one of {words}")
    })
}

fn confidence(text: &str) -> Result<f64, String> {
    let number: Option<f64> = text.trim().parse().ok();
    number.filter(|c| (0.0..=1.0).contains(c)).ok_or_else(|| format!("`{text}` is not between 0 and 1"))
}

/// Runs the verb.
pub fn run(args: Args) -> Result<(), Failure> {
    interrupt::listen();
    let decisions: Vec<(Option<Verdict>, &str, &str)> = [
        (Some(Verdict::Accept), &args.accept),
        (Some(Verdict::Reject), &args.reject),
        (Some(Verdict::Join), &args.join),
        (None, &args.forget),
    ]
    .into_iter()
    .flat_map(|(verdict, words)| words.chunks_exact(2).map(move |w| (verdict, w)))
    .filter_map(|(verdict, w)| Some((verdict, w.first()?.as_str(), w.get(1)?.as_str())))
    .collect();
    open::must_exist(&args.place)?;
    let is_project = args.place.is_dir() || args.place.extension().is_some_and(|e| e.eq_ignore_ascii_case("toml"));
    if !decisions.is_empty() && !is_project {
        return Err(Failure::Usage(Problem::error(
            args.place.display().to_string(),
            "decisions are kept in a project, and this is a single file",
            "give a folder with a twin.toml, or that file",
        )));
    }
    let mut opened = open_watched(&args.place)?;
    let mut saved = Vec::new();
    for (verdict, a, b) in decisions {
        saved.push(decide(&opened, verdict, a, b)?);
    }
    if !saved.is_empty() {
        let (project, _) = crate::site::project::load(&args.place)?;
        opened.project.joins = project.joins;
        opened.project.joining = project.joining;
    }
    if !saved.is_empty() || args.gap.is_some() || args.least.is_some() || args.wiring.is_some() {
        infer_again(&mut opened, &args);
    }
    let graph = Graph::of(&opened.site);
    if args.json {
        return print_json(&document(&opened, &graph, &saved));
    }
    print_text(&describe(&opened, &graph, &saved))
}

/// Opens on a thread of its own while a bar on the terminal, and Ctrl-C, are served here.
fn open_watched(place: &Path) -> Result<Opened, Failure> {
    let progress = Progress::default();
    let opened = with_bar(place, &progress, || open::open(place, &progress));
    if interrupt::interrupted() {
        return Err(interrupt::stopped(place.display().to_string()).into());
    }
    Ok(opened?)
}

/// With other settings, or after a decision.
fn infer_again(opened: &mut Opened, args: &Args) {
    let mut joining = opened.project.joining;
    joining.gap_m = args.gap.unwrap_or(joining.gap_m);
    joining.least_confidence = args.least.unwrap_or(joining.least_confidence);
    joining.wiring = args.wiring.map_or(joining.wiring, |limit| limit.0);
    let (decisions, found) = opened.project.decisions(&opened.site);
    opened.problems.extend(found.into_iter().filter(|p| !opened.problems.contains(p)).collect::<Vec<_>>());
    let inferred = infer::infer(&opened.site.evidence(), &joining, &decisions);
    std::sync::Arc::make_mut(&mut opened.site).inferred = inferred;
}

/// Writes one decision, and says what it did.
fn decide(opened: &Opened, verdict: Option<Verdict>, a: &str, b: &str) -> Result<Value, Failure> {
    let (from, from_point) = side(&opened.site, a)?;
    let (to, to_point) = side(&opened.site, b)?;
    if from == to {
        return Err(Failure::Usage(Problem::error(a, "an element cannot be joined to itself", "name two elements")));
    }
    let name = |slot: Slot| opened.site.element(slot).map(|e| name_in_decision(&opened.site, e)).unwrap_or_default();
    let decision = JoinDecision {
        from: name(from),
        to: name(to),
        from_point,
        to_point,
        verdict: verdict.unwrap_or(Verdict::Reject),
        line: 0,
    };
    let saved = save_join(&opened.project.file, &decision, verdict)?;
    let word = match saved {
        Saved::Added => "kept in",
        Saved::Changed => "changed in",
        Saved::Unchanged => "stood already in",
        Saved::Removed => "taken out of",
    };
    eprintln!("plenum: {} – {}: {word} {}", decision.from, decision.to, opened.project.file.display());
    Ok(json!({ "from": decision.from, "to": decision.to, "decision": verdict, "saved": saved }))
}

/// An element by tag or GlobalId, or an element and one of its points by the point's id.
fn side(site: &Site, word: &str) -> Result<(Slot, Option<String>), Problem> {
    let found = element_called(site, word);
    if let Ok(slot) = found {
        return Ok((slot, None));
    }
    if let Some(port) = site.connection_points.iter().find(|p| p.id == word) {
        return Ok((Slot(port.element), Some(port.id.clone())));
    }
    if let Some((element, number)) = word.rsplit_once('#')
        && number.parse::<u16>().is_ok()
        && let Ok(slot) = element_called(site, element)
    {
        return Ok((slot, Some(number.to_owned())));
    }
    found.map(|slot| (slot, None))
}

fn id_of(site: &Site, node: Option<&Node>) -> String {
    node.and_then(|n| site.element(n.slot)).map(|e| e.id.clone()).unwrap_or_default()
}

/// The contract's JSON.
fn document(opened: &Opened, graph: &Graph, saved: &[Value]) -> Value {
    let site = &opened.site;
    let systems = |e: &Element| -> Vec<&str> {
        e.systems.iter().filter_map(|i| site.systems.get(*i as usize)).map(|s| s.name.as_str()).collect()
    };
    let round = |v: f64| (v * 1e6).round() / 1e6 + 0.0;
    let nodes: Vec<Value> = graph
        .nodes
        .iter()
        .filter_map(|node| {
            let element = site.element(node.slot)?;
            Some(json!({
                "id": element.id,
                "type": element.class,
                "name": element.name,
                "tag": element.tag,
                "systems": systems(element),
                "domain": node.domain,
                "domains": node.domains,
                "location_m": node.location.map(|l| l.to_array().map(round)),
                "component": node.component,
                "connection_points": node.points,
                "unconnected": node.unconnected,
            }))
        })
        .collect();
    let point = |p: Option<PointRef>| p.and_then(|p| site.point_id(p));
    let edges: Vec<Value> = graph
        .edges
        .iter()
        .map(|edge| {
            json!({
                "from": id_of(site, graph.nodes.get(edge.from as usize)),
                "to": id_of(site, graph.nodes.get(edge.to as usize)),
                "from_point": point(edge.from_point),
                "to_point": point(edge.to_point),
                "medium": edge.medium.map(|m| m.name),
                "inferred": edge.by != JoinedBy::File,
                "confidence": (edge.confidence * 1000.0).round() / 1000.0,
                "by": edge.by,
                "reason": edge.cable.map(Cable::words),
                "directed": edge.directed,
                "gap_m": edge.gap_m.map(round),
            })
        })
        .collect();
    let components: Vec<Value> = graph
        .components
        .iter()
        .map(|c| json!({ "size": c.nodes.len(), "systems": c.systems, "edges": c.edges }))
        .collect();
    let problems: Vec<&Problem> = opened.problems.iter().chain(&graph.problems).collect();
    let mut document = json!({ "nodes": nodes, "edges": edges, "components": components, "problems": problems });
    if let Value::Object(fields) = &mut document
        && !saved.is_empty()
    {
        fields.insert("decisions".into(), Value::Array(saved.to_vec()));
    }
    document
}

/// How many components, unsure joints and problems people get to read.
const MOST_LINES: usize = 20;
/// How many systems of a component they get to read.
const MOST_SYSTEMS: usize = 6;

/// For people.
fn describe(opened: &Opened, graph: &Graph, saved: &[Value]) -> String {
    let site = &opened.site;
    let by = |by: JoinedBy| graph.edges.iter().filter(|e| e.by == by).count();
    let points: u32 = graph.nodes.iter().map(|n| n.points).sum();
    let loose: u32 = graph.nodes.iter().map(|n| n.unconnected).sum();
    let mut lines = vec![
        site.name.clone(),
        format!("  {} elements with {points} connection points, {loose} of them unconnected", graph.nodes.len()),
        format!(
            "  {} joints: {} declared, {} inferred, {} cables by rule, {} accepted, {} by hand; {} declared ones rejected",
            graph.edges.len(),
            by(JoinedBy::File),
            by(JoinedBy::Geometry),
            by(JoinedBy::Wiring),
            by(JoinedBy::Accepted),
            by(JoinedBy::Hand),
            site.inferred.rejected.len()
        ),
        String::new(),
        format!("  {:>8} {:>8} {:>8}  systems", "elements", "joints", "loose"),
    ];
    let of_several: Vec<_> = graph.components.iter().filter(|c| c.nodes.len() > 1).collect();
    for component in of_several.iter().take(MOST_LINES) {
        let nodes = component.nodes.iter().filter_map(|n| graph.nodes.get(*n as usize));
        let loose: u32 = nodes.map(|n| n.unconnected).sum();
        let systems = match component.systems.as_slice() {
            [] => "–".to_owned(),
            few if few.len() <= MOST_SYSTEMS => few.join(", "),
            many => {
                let first = many.iter().take(MOST_SYSTEMS).cloned().collect::<Vec<_>>().join(", ");
                format!("{first} and {} more", many.len() - MOST_SYSTEMS)
            }
        };
        lines.push(format!("  {:>8} {:>8} {loose:>8}  {systems}", component.nodes.len(), component.edges));
    }
    let more = of_several.len().saturating_sub(MOST_LINES);
    if more > 0 {
        lines.push(format!("  and {more} smaller ones"));
    }
    let alone = graph.components.len() - of_several.len();
    if alone > 0 {
        let words = if alone == 1 { "element is" } else { "elements are" };
        lines.push(format!("  {alone} {words} joined to nothing"));
    }
    lines.extend(unsure(site, graph));
    lines.extend(cables(graph));
    let problems: Vec<&Problem> = opened.problems.iter().chain(&graph.problems).collect();
    if !problems.is_empty() {
        lines.push(String::new());
        let worst_first = [Severity::Error, Severity::Warning, Severity::Info];
        let sorted = worst_first.into_iter().flat_map(|s| problems.iter().filter(move |p| p.severity == s));
        lines.extend(sorted.take(MOST_LINES).map(|p| format!("  {p}")));
        if problems.len() > MOST_LINES {
            lines.push(format!("  and {} more; --json prints all", problems.len() - MOST_LINES));
        }
    }
    if !saved.is_empty() {
        lines.push(String::new());
        lines.push(format!("  {} decisions kept in {}", saved.len(), opened.project.file.display()));
    }
    lines.push(String::new());
    lines.join("\n")
}

/// Cables that nobody draws, by the reason why they are taken to be there.
fn cables(graph: &Graph) -> Vec<String> {
    let mut of: BTreeMap<(u32, String), usize> = BTreeMap::new();
    for edge in graph.edges.iter().filter(|e| e.by == JoinedBy::Wiring) {
        if let Some(cable) = edge.cable {
            // The surest first.
            let order = 1000_u32.saturating_sub((edge.confidence * 1000.0).round() as u32);
            *of.entry((order, cable.words())).or_default() += 1;
        }
    }
    if of.is_empty() {
        return Vec::new();
    }
    let mut lines = vec![String::new(), "  cables that are not drawn, and what they are inferred from:".to_owned()];
    lines.extend(
        of.into_iter()
            .map(|((order, words), n)| format!("  {:>8} {:>8.2}  {words}", n, f64::from(1000 - order) / 1000.0)),
    );
    lines
}

/// The inferred joints that a person should look at first.
fn unsure(site: &Site, graph: &Graph) -> Vec<String> {
    let mut edges: Vec<_> = graph.edges.iter().filter(|e| e.by == JoinedBy::Geometry && e.confidence < 0.6).collect();
    if edges.is_empty() {
        return Vec::new();
    }
    edges.sort_by(|a, b| a.confidence.total_cmp(&b.confidence));
    let label = |n: u32| {
        let element = graph.nodes.get(n as usize).and_then(|n| site.element(n.slot));
        element.map(Element::label).unwrap_or_default()
    };
    let mut lines = vec![String::new(), format!("  {} inferred joints are less sure than 0.6:", edges.len())];
    lines.extend(
        edges.iter().take(MOST_LINES).map(|e| format!("  {:>8.2}  {} – {}", e.confidence, label(e.from), label(e.to))),
    );
    if edges.len() > MOST_LINES {
        lines.push(format!("  and {} more; --json prints all", edges.len() - MOST_LINES));
    }
    lines
}
