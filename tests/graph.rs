//! The graph of pipes, ducts and cables: everything that is declared is found, and where ports are missing it is
//! inferred.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use common::{json, plenum, said};
use plenum::demo::variant::{Services, Variant, services};
use plenum::import::{self, Progress};
use plenum::site::assets::{self, RelationKind, Thing};
use plenum::site::graph::{Domain, Graph};
use plenum::site::infer::JoinedBy;
use plenum::site::{self, Element, Project, Site};
use std::collections::{BTreeMap, HashSet};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

type Pair = (String, String);

fn pair(a: &str, b: &str) -> Pair {
    if a <= b { (a.to_owned(), b.to_owned()) } else { (b.to_owned(), a.to_owned()) }
}

fn pairs(list: &[[String; 2]]) -> HashSet<Pair> {
    list.iter().map(|[a, b]| pair(a, b)).collect()
}

fn read(text: &str) -> Site {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("services.ifc");
    std::fs::write(&file, text).unwrap();
    let (model, _) = import::read(&file, &Progress::default()).unwrap();
    site::assemble(&Project::default(), vec![(model, String::new())]).0
}

fn joined(site: &Site, wanted: impl Fn(JoinedBy) -> bool) -> HashSet<Pair> {
    let graph = Graph::of(site);
    let id = |n: u32| site.element(graph.nodes[n as usize].slot).unwrap().id.as_str();
    graph.edges.iter().filter(|e| wanted(e.by)).map(|e| pair(id(e.from), id(e.to))).collect()
}

#[test]
fn all_that_the_clinic_declares_is_recovered() {
    let made = services(1, &Variant::default());
    let site = read(&made.text);
    let (ports, connections) = (site.connection_points.len(), site.connections.len());
    let declared = made.text.matches("=IFCDISTRIBUTIONPORT(").count();
    assert_eq!((ports, connections), (declared, made.text.matches("=IFCRELCONNECTSPORTS(").count()));
    let truth: HashSet<Pair> = made.joined().map(|[a, b]| pair(a, b)).collect();
    let found = joined(&site, |by| by == JoinedBy::File);
    assert_eq!(found, truth);
    assert_eq!(joined(&site, |by| by != JoinedBy::File), HashSet::new(), "nothing is left to be inferred");
    let graph = Graph::of(&site);
    assert!(graph.problems.is_empty(), "{:#?}", graph.problems);
    let kinds = [&made.piped, &made.ducted, &made.wired].map(Vec::len);
    println!("declared: {ports} of {declared} ports, {connections} of {connections} connections (100 %): {kinds:?}");
}

/// One model of the strip test.
struct Case {
    seed: u64,
    name: &'static str,
    variant: Variant,
}

/// What the joints of the clinic are, in the order of [`Score::kinds`].
const KINDS: [&str; 3] = ["pipes", "ducts", "cables"];

#[derive(Clone, Copy, Default)]
struct Count {
    declared: usize,
    found: usize,
    inferred: usize,
    wrong: usize,
}

impl Count {
    fn recall(self) -> f64 {
        self.found as f64 / self.declared.max(1) as f64
    }

    fn falsehood(self) -> f64 {
        self.wrong as f64 / self.inferred.max(1) as f64
    }

    fn and(self, other: Self) -> Self {
        Self {
            declared: self.declared + other.declared,
            found: self.found + other.found,
            inferred: self.inferred + other.inferred,
            wrong: self.wrong + other.wrong,
        }
    }
}

struct Score {
    kinds: [Count; 3],
    missed: Vec<String>,
    lies: Vec<String>,
}

fn score(made: &Services, site: &Site) -> Score {
    let graph = Graph::of(site);
    let id = |n: u32| site.element(graph.nodes[n as usize].slot).unwrap().id.as_str();
    let mut inferred: [HashSet<Pair>; 3] = Default::default();
    for edge in &graph.edges {
        let kind = match (edge.by, edge.medium.map(|m| m.domain)) {
            (JoinedBy::Wiring, _) => 2,
            (JoinedBy::Geometry, Some(Domain::Air)) => 1,
            (JoinedBy::Geometry, _) => 0,
            (by, _) => panic!("nobody else can say so: {by:?}"),
        };
        assert!(kind != 2 || (edge.from_point.is_none() && edge.to_point.is_none()), "a cable has no place");
        inferred[kind].insert(pair(id(edge.from), id(edge.to)));
    }
    let found_at_all: HashSet<Pair> = inferred.iter().flatten().cloned().collect();
    let declared = [&made.piped, &made.ducted, &made.wired].map(|list| pairs(list));
    let truth: HashSet<Pair> = declared.iter().flatten().cloned().collect();
    let words = |(a, b): &Pair| {
        let label = |id: &str| site.find(id).and_then(|s| site.element(s)).map(|e| e.label()).unwrap_or_default();
        format!("{} – {}", label(a), label(b))
    };
    let mut missed: Vec<String> = truth.difference(&found_at_all).map(words).collect();
    let mut lies: Vec<String> = found_at_all.difference(&truth).map(words).collect();
    missed.sort();
    lies.sort();
    let kinds = [0, 1, 2].map(|k: usize| Count {
        declared: declared[k].len(),
        found: declared[k].intersection(&found_at_all).count(),
        inferred: inferred[k].len(),
        wrong: inferred[k].difference(&truth).count(),
    });
    Score { kinds, missed, lies }
}

/// With every port record taken away: of all connections that the demo declares – pipes, ducts and cables, which
/// nobody draws – at least 95 % are found, and at most 1 % of what is found is not declared.
#[test]
fn what_ports_do_not_say_is_inferred() {
    let stripped = Variant { ports: false, decoys: true, ..Variant::default() };
    let variants = [
        ("as it is", stripped),
        ("gaps up to 20 mm", Variant { gaps_m: 0.02, ..stripped }),
        ("bare triangles", Variant { tessellated: true, ..stripped }),
        ("no systems", Variant { systems: false, ..stripped }),
    ];
    let cases: Vec<Case> = (1..=5)
        .flat_map(|seed| variants.iter().map(move |(name, variant)| Case { seed, name, variant: *variant }))
        .collect();
    let next = AtomicUsize::new(0);
    let scores: Mutex<Vec<(usize, Score)>> = Mutex::new(Vec::new());
    let threads = std::thread::available_parallelism().map_or(2, |n| n.get().min(4));
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                loop {
                    let n = next.fetch_add(1, Ordering::Relaxed);
                    let Some(case) = cases.get(n) else { break };
                    let made = services(case.seed, &case.variant);
                    let site = read(&made.text);
                    assert!(site.connection_points.is_empty() && site.connections.is_empty());
                    scores.lock().unwrap().push((n, score(&made, &site)));
                }
            });
        }
    });
    let mut scores = scores.into_inner().unwrap();
    scores.sort_by_key(|(n, _)| *n);
    assert_eq!(scores.len(), 20);
    println!("seed  variant            joints  declared   found          inferred  wrong");
    let all = |s: &Score| s.kinds.iter().copied().reduce(Count::and).unwrap();
    for (n, s) in &scores {
        let case = &cases[*n];
        let rows = KINDS.into_iter().zip(s.kinds).chain([("all", all(s))]);
        for (kind, c) in rows {
            let Count { declared, found, inferred, wrong } = c;
            let (recall, lies) = (100.0 * c.recall(), 100.0 * c.falsehood());
            println!(
                "{:>4}  {:<18} {kind:<7} {declared:>7} {found:>7} {recall:>6.2} % {inferred:>8} {wrong:>6} {lies:>5.2} %",
                case.seed, case.name
            );
        }
        if std::env::var_os("PLENUM_TELL").is_some() {
            println!("missed: {:#?}\nwrong: {:#?}", s.missed, s.lies);
        }
    }
    for (n, s) in &scores {
        let case = &cases[*n];
        let few = |list: &[String]| list.iter().take(12).cloned().collect::<Vec<_>>();
        for (kind, count) in KINDS.into_iter().zip(s.kinds).chain([("all", all(s))]) {
            let place = format!("seed {}, {}, {kind}", case.seed, case.name);
            assert!(count.declared > if kind == "all" { 3200 } else { 400 }, "{place}");
            assert!(count.recall() >= 0.95, "{place}: missed {:#?}", few(&s.missed));
            assert!(count.falsehood() <= 0.01, "{place}: wrong {:#?}", few(&s.lies));
        }
    }
}

#[test]
fn the_verb_prints_the_graph_and_keeps_decisions() {
    let folder = tempfile::tempdir().unwrap();
    let made = services(2, &Variant { ports: false, ..Variant::default() });
    std::fs::write(folder.path().join("a.ifc"), &made.text).unwrap();
    let twin = "# Ours.\nname = \"House\"\n\n[[models]]\nfile = \"a.ifc\"  # the services\n";
    std::fs::write(folder.path().join("twin.toml"), twin).unwrap();
    let place = folder.path().to_str().unwrap().to_owned();
    let graph = json(&plenum(&["graph", &place, "--json"]));
    let edges = graph["edges"].as_array().unwrap();
    assert!(edges.len() > 1000);
    for edge in edges {
        assert_eq!(edge["inferred"], true, "{edge}");
        let confidence = edge["confidence"].as_f64().unwrap();
        assert!((0.3..=1.0).contains(&confidence), "{edge}");
        let medium = edge["medium"].as_str().unwrap();
        if edge["by"] == "wiring" {
            assert!(["electricity", "signal"].contains(&medium) && confidence <= 0.8, "{edge}");
            assert!(edge["from_point"].is_null() && edge["to_point"].is_null() && edge["gap_m"].is_null(), "{edge}");
            assert!(edge["reason"].as_str().unwrap().starts_with("the only "), "{edge}");
            assert_eq!(edge["directed"], true, "{edge}");
            continue;
        }
        assert!(edge["by"] == "geometry" && edge["reason"].is_null(), "{edge}");
        assert!(["water", "air"].contains(&medium), "{edge}");
        let point = edge["from_point"].as_str().unwrap();
        assert_eq!(point.split('#').next().unwrap(), edge["from"].as_str().unwrap());
    }
    let nodes = graph["nodes"].as_array().unwrap();
    let tag_of = |id: &str| nodes.iter().find(|n| n["id"] == id).unwrap()["tag"].as_str().unwrap().to_owned();
    let pump = nodes.iter().find(|n| n["tag"] == "CHWP-1").unwrap();
    assert_eq!((pump["type"].as_str(), pump["domain"].as_str()), (Some("IfcPump"), Some("water")));
    assert_eq!(pump["systems"][0], "Chilled water");
    let sizes: Vec<u64> = graph["components"].as_array().unwrap().iter().map(|c| c["size"].as_u64().unwrap()).collect();
    assert_eq!(sizes.iter().sum::<u64>() as usize, nodes.len());
    assert!(sizes.windows(2).all(|w| w[0] >= w[1]), "the largest first");

    // One joint is wrong, one is right, and two elements are joined whatever they look like.
    let ends = |n: usize| [edges[n]["from"].as_str().unwrap(), edges[n]["to"].as_str().unwrap()].map(tag_of);
    let ([a, b], [c, d]) = (ends(0), ends(40));
    let hand = ["CHWP-1", "B-1"];
    let arguments = ["graph", &place, "--json", "--reject", &a, &b, "--accept", &c, &d, "--join", hand[0], hand[1]];
    let after = json(&plenum(&arguments));
    let between = |graph: &serde_json::Value, x: &str, y: &str| -> Vec<serde_json::Value> {
        let is = |e: &serde_json::Value, p: &str, q: &str| {
            tag_of(e["from"].as_str().unwrap()) == p && tag_of(e["to"].as_str().unwrap()) == q
        };
        graph["edges"].as_array().unwrap().iter().filter(|e| is(e, x, y) || is(e, y, x)).cloned().collect()
    };
    let check = |graph: &serde_json::Value| {
        assert!(between(graph, &a, &b).is_empty());
        let accepted = between(graph, &c, &d);
        assert_eq!(accepted.len(), 1, "{accepted:?}");
        assert!(accepted[0]["by"] == "accepted" && accepted[0]["confidence"] == 1.0, "{accepted:?}");
        let by_hand = between(graph, hand[0], hand[1]);
        assert_eq!(by_hand.len(), 1, "{by_hand:?}");
        assert!(by_hand[0]["by"] == "hand" && by_hand[0]["inferred"] == true, "{by_hand:?}");
    };
    check(&after);
    // Another run reads them from the project file, which keeps what it said.
    let text = std::fs::read_to_string(folder.path().join("twin.toml")).unwrap();
    assert!(text.starts_with(twin) && text.matches("[[joins]]").count() == 3, "{text}");
    check(&json(&plenum(&["graph", &place, "--json"])));
    // Taken back, all is as it was.
    let back = json(&plenum(&[
        "graph", &place, "--json", "--forget", &a, &b, "--forget", &d, &c, "--forget", hand[0], hand[1],
    ]));
    assert_eq!(back["edges"], graph["edges"]);
    assert!(!std::fs::read_to_string(folder.path().join("twin.toml")).unwrap().contains("joins"));

    let table = plenum(&["graph", &place]);
    let text = String::from_utf8(table.stdout.clone()).unwrap();
    assert!(table.status.success() && text.contains("elements   joints    loose  systems"), "{text}");
    assert!(text.contains("Chilled water"), "{text}");
    let wrong = plenum(&["graph", &place, "--accept", "CHWP-1", "NOBODY-9"]);
    assert!(said(&wrong, 1).contains("NOBODY-9"));
    let file = folder.path().join("a.ifc");
    let single = plenum(&["graph", file.to_str().unwrap(), "--join", "CHWP-1", "B-1"]);
    assert!(said(&single, 2).contains("twin.toml"));
}

/// Cables have no places: they are limited and switched off by their reasons, decided of like any joint, counted by
/// `plenum import`, and named with their reason wherever they are used.
#[test]
fn cables_that_nobody_draws_say_why_and_can_be_decided_of() {
    let folder = tempfile::tempdir().unwrap();
    let made = services(3, &Variant { ports: false, ..Variant::default() });
    let file = folder.path().join("a.ifc");
    std::fs::write(&file, &made.text).unwrap();
    let twin = |joining: &str| {
        let text = format!("name = \"House\"\n[[models]]\nfile = \"a.ifc\"\n{joining}");
        std::fs::write(folder.path().join("twin.toml"), text).unwrap();
    };
    twin("");
    let place = folder.path().to_str().unwrap().to_owned();
    let run = |arguments: &[&str]| json(&plenum(&[&["graph", place.as_str(), "--json"][..], arguments].concat()));
    let list = |graph: &serde_json::Value, by: &str| -> Vec<serde_json::Value> {
        graph["edges"].as_array().unwrap().iter().filter(|e| e["by"] == by).cloned().collect()
    };
    let graph = run(&[]);
    let cables = list(&graph, "wiring");
    assert!(cables.len() > 400);
    let imported = json(&plenum(&["import", file.to_str().unwrap(), "--json", "--cache", "off"]));
    let counted = imported["files"][0]["inferred_connections"].as_u64().unwrap();
    assert_eq!(counted as usize, graph["edges"].as_array().unwrap().len());

    let nodes = graph["nodes"].as_array().unwrap();
    let id = |tag: &str| nodes.iter().find(|n| n["tag"] == tag).unwrap()["id"].as_str().unwrap().to_owned();
    let of = |graph: &serde_json::Value, tag: &str| -> Vec<serde_json::Value> {
        let (id, every) = (id(tag), graph["edges"].as_array().unwrap().clone());
        let cable =
            |e: &serde_json::Value| ["electricity", "signal"].contains(&e["medium"].as_str().unwrap_or_default());
        every.into_iter().filter(|e| (e["from"] == id.as_str() || e["to"] == id.as_str()) && cable(e)).collect()
    };
    // The pump has pipes and a cable; the sensor reads to its storey's station.
    let [pump, sensor] = ["CHWP-1", "CHW-ST"].map(|tag| of(&graph, tag));
    let ends = |e: &serde_json::Value| [e["from"].clone(), e["to"].clone()];
    assert_eq!(pump.iter().map(ends).collect::<Vec<_>>(), [[id("DB-4"), id("CHWP-1")]], "{pump:?}");
    assert_eq!(sensor.iter().map(ends).collect::<Vec<_>>(), [[id("CHW-ST"), id("DDC-4")]], "{sensor:?}");
    assert_eq!(sensor[0]["reason"], "the only controller of its storey");

    let after = run(&["--reject", "DB-4", "CHWP-1", "--accept", "DDC-4", "CHW-ST", "--join", "HW-ST", "DDC-3"]);
    assert!(of(&after, "CHWP-1").is_empty());
    for (tag, by) in [("CHW-ST", "accepted"), ("HW-ST", "hand")] {
        let decided = of(&after, tag);
        assert_eq!(decided.len(), 1, "{decided:?}");
        let edge = &decided[0];
        assert!(edge["by"] == by && edge["medium"] == "signal" && edge["from"] == id(tag).as_str(), "{edge}");
        assert!(edge["from_point"].is_null() && edge["to_point"].is_null() && edge["inferred"] == true, "{edge}");
    }
    assert_eq!(list(&after, "geometry"), list(&graph, "geometry"), "pipes and ducts are as they were");

    twin("");
    assert_eq!(list(&run(&["--wiring", "off"]), "wiring").len(), 0);
    assert_eq!(list(&run(&["--wiring", "space"]), "wiring").len(), 0, "the model has no spaces");
    assert_eq!(list(&run(&["--wiring", "storey"]), "wiring"), cables);
    assert!(said(&plenum(&["graph", &place, "--wiring", "guess"]), 2).contains("storey"));
    twin("[joining]\nwiring = \"off\"\n");
    assert_eq!(list(&run(&[]), "wiring").len(), 0);
    twin("[joining]\nwiring_reach_m = 10\n");
    let near = list(&run(&[]), "wiring").len();
    assert!((20..cables.len() / 2).contains(&near), "{near}");
    let table = plenum(&["graph", file.to_str().unwrap()]);
    let text = String::from_utf8(table.stdout.clone()).unwrap();
    assert!(table.status.success() && text.contains("the only board of its storey"), "{text}");
}

#[test]
fn what_a_controller_moves_is_known_by_its_cables_with_the_source_named() {
    let sources = |ports: bool| {
        let site = read(&services(4, &Variant { ports, ..Variant::default() }).text);
        let class = |thing: Thing| match thing {
            Thing::Element(i) => site.elements[i as usize].class.clone(),
            _ => String::new(),
        };
        let assets = assets::graph(&site);
        let mut found: BTreeMap<(String, String, String), usize> = BTreeMap::new();
        for relation in &assets.relations {
            let (from, to) = (class(relation.from), class(relation.to));
            let wanted = (relation.kind == RelationKind::Controls && from == "IfcController")
                || (relation.kind == RelationKind::Feeds && from == "IfcElectricDistributionBoard")
                || (relation.kind == RelationKind::Serves && from == "IfcElectricDistributionBoard");
            if wanted {
                *found.entry((from, to, relation.source.to_string())).or_default() += 1;
            }
        }
        let actuators = site.elements.iter().filter(|e| e.class == "IfcActuator").count();
        (found, actuators)
    };
    let row = |to: &str, source: &str| {
        let from = if to == "IfcActuator" { "IfcController" } else { "IfcElectricDistributionBoard" };
        (from.to_owned(), to.to_owned(), source.to_owned())
    };
    let (declared, actuators) = sources(true);
    assert_eq!(declared.get(&row("IfcActuator", "connection of control ports")), Some(&actuators));
    assert!(declared.keys().all(|(_, _, source)| !source.contains("inferred")), "{declared:?}");
    let (inferred, actuators) = sources(false);
    assert!(actuators > 50);
    let controller = "inferred cable: the only controller of its storey";
    let board = "inferred cable: the only board of its storey";
    assert_eq!(inferred.get(&row("IfcActuator", controller)), Some(&actuators), "{inferred:?}");
    assert_eq!(inferred.get(&row("IfcPump", board)), Some(&6), "{inferred:?}");
    assert!(inferred.contains_key(&row("IfcLightFixture", board)), "{inferred:?}");
    assert!(inferred.keys().all(|(_, _, source)| source.starts_with("inferred cable: ")), "{inferred:?}");
}

/// A file as Revit writes it, IFC2X3 without ports, systems or classes that tell: its loads name their boards.
#[test]
fn the_boards_that_a_real_file_names_are_found() {
    let Some(folder) = std::env::var_os("PLENUM_SAMPLES") else {
        eprintln!("skipped: set PLENUM_SAMPLES to the folder of samples");
        return;
    };
    let file = std::path::PathBuf::from(folder).join("ifc/duplex-electrical.ifc");
    let (model, _) = import::read(&file, &Progress::default()).unwrap();
    let (site, _) = site::assemble(&Project::default(), vec![(model, String::new())]);
    let names = |e: &Element, property: &str| -> Option<String> {
        let mut values = e.properties.iter().flat_map(|s| &s.values).filter(|(name, _)| *name == property);
        values.find_map(|(_, value)| value.as_str().filter(|t| !t.is_empty()).map(str::to_owned))
    };
    let expected = site.elements.iter().filter_map(|e| {
        let board = names(e, "Panel")?;
        let of = site.elements.iter().filter(|b| names(b, "Panel Name").as_deref() == Some(&board));
        let [only] = of.collect::<Vec<_>>()[..] else { return None };
        Some(pair(&e.id, &only.id))
    });
    let expected: HashSet<Pair> = expected.collect();
    assert!(expected.len() > 60, "{}", expected.len());
    assert_eq!(joined(&site, |by| by == JoinedBy::Wiring), expected);
    println!("a real file: {} cables, all that it names and no other", expected.len());
}
