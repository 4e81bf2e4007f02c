//! The pipe and duct graph: everything that is declared is found, and where ports are missing geometry finds it.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use common::{json, plenum, said};
use plenum::demo::variant::{Services, Variant, services};
use plenum::import::{self, Progress};
use plenum::site::graph::Graph;
use plenum::site::infer::JoinedBy;
use plenum::site::{self, Project, Site};
use std::collections::HashSet;
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
    let truth: HashSet<Pair> = pairs(&made.joined).union(&pairs(&made.wired)).cloned().collect();
    let found = joined(&site, |by| by == JoinedBy::File);
    assert_eq!(found, truth);
    assert_eq!(joined(&site, |by| by != JoinedBy::File), HashSet::new(), "nothing is left to be inferred");
    let graph = Graph::of(&site);
    assert!(graph.problems.is_empty(), "{:#?}", graph.problems);
    println!("declared: {ports} of {declared} ports, {connections} of {connections} connections (100 %)");
}

/// One model of the strip test.
struct Case {
    seed: u64,
    name: &'static str,
    variant: Variant,
}

struct Score {
    true_joints: usize,
    found: usize,
    inferred: usize,
    wrong: usize,
    missed: Vec<String>,
    lies: Vec<String>,
}

fn score(made: &Services, site: &Site) -> Score {
    let truth = pairs(&made.joined);
    let inferred = joined(site, |by| by == JoinedBy::Geometry);
    let all: HashSet<Pair> = truth.union(&pairs(&made.wired)).cloned().collect();
    let words = |(a, b): &Pair| {
        let label = |id: &str| site.find(id).and_then(|s| site.element(s)).map(|e| e.label()).unwrap_or_default();
        format!("{} – {}", label(a), label(b))
    };
    let mut missed: Vec<String> = truth.difference(&inferred).map(words).collect();
    let mut lies: Vec<String> = inferred.difference(&all).map(words).collect();
    missed.sort();
    lies.sort();
    Score {
        true_joints: truth.len(),
        found: truth.intersection(&inferred).count(),
        inferred: inferred.len(),
        wrong: lies.len(),
        missed,
        lies,
    }
}

/// With every port record taken away: at least 95 % of what is joined by pipe or duct is found, and at most 1 % of
/// what is found is not joined. Cables are not drawn, so nobody can find them: they do not count.
#[test]
fn what_ports_do_not_say_geometry_does() {
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
    println!("seed  variant             joined   found          inferred  wrong");
    for (n, s) in &scores {
        let case = &cases[*n];
        let (recall, wrong) = (s.found as f64 / s.true_joints as f64, s.wrong as f64 / s.inferred.max(1) as f64);
        println!(
            "{:>4}  {:<18} {:>7} {:>7} {:>6.2} % {:>8} {:>6} {:>5.2} %",
            case.seed,
            case.name,
            s.true_joints,
            s.found,
            100.0 * recall,
            s.inferred,
            s.wrong,
            100.0 * wrong
        );
        if std::env::var_os("PLENUM_TELL").is_some() {
            println!("missed: {:#?}\nwrong: {:#?}", s.missed, s.lies);
        }
    }
    for (n, s) in &scores {
        let case = &cases[*n];
        let place = format!("seed {}, {}", case.seed, case.name);
        let few = |list: &[String]| list.iter().take(12).cloned().collect::<Vec<_>>();
        assert!(s.true_joints > 1000, "{place}");
        assert!(s.found as f64 >= 0.95 * s.true_joints as f64, "{place}: missed {:#?}", few(&s.missed));
        assert!(s.wrong as f64 <= 0.01 * s.inferred as f64, "{place}: wrong {:#?}", few(&s.lies));
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
        assert!(["water", "air"].contains(&edge["medium"].as_str().unwrap()), "{edge}");
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
