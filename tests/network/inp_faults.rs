//! Bad INP files: a clear problem with its line, the rest read, and never a panic.

use plenum::import::network::inp::{self, InpFile, SectionKind};
use plenum::simulation::network::{Accuracy, LinkKind, NodeKind, Solver};
use plenum::{Problem, Severity};
use proptest::prelude::*;
use std::fmt::Write;

/// A whole file in which every section has something to say.
const WHOLE: &[(&str, &str)] = &[
    ("TITLE", "a test"),
    ("JUNCTIONS", "a 10 5 day\nb 12 0\nc 8 1\nd 5 0"),
    ("RESERVOIRS", "r 100 day"),
    ("TANKS", "t 50 2 0 5 10 0\nv 50 2 1 3 10 0 vol YES"),
    (
        "PIPES",
        "p1 r a 100 200 130 0 Open\np2 a b 100 150 130 0 CV\np3 b t 50 100 120 0 Closed\np4 c d 30 80 110\np5 v d 10 80 110",
    ),
    ("PUMPS", "pu a c HEAD pump SPEED 0.9 PATTERN day"),
    ("VALVES", "va b d 100 PRV 30 0\nvg b c 100 GPV loss 0\nvp a d 100 PCV 50 1 open"),
    ("TAGS", "NODE a north"),
    ("DEMANDS", "c 2 day ;baths\nc 3"),
    ("STATUS", "vp Open"),
    ("PATTERNS", "day 1 1.2 0.8\nday 0.5"),
    (
        "CURVES",
        "pump 0 50\npump 20 40\npump 40 0\nvol 0 0\nvol 5 500\nloss 0 0\nloss 10 3\nopen 0 0\nopen 100 100\neff 0 20\neff 40 70",
    ),
    ("CONTROLS", "LINK p3 OPEN IF NODE t BELOW 1\nLINK p3 CLOSED AT TIME 5:30 PM\nLINK pu 0.8 AT CLOCKTIME 6 AM"),
    (
        "RULES",
        "RULE one\nIF TANK t LEVEL BELOW 1\nAND SYSTEM CLOCKTIME >= 8 AM\nTHEN PUMP pu STATUS IS OPEN\nELSE PUMP pu SETTING IS 0.5\nPRIORITY 2",
    ),
    ("ENERGY", "GLOBAL EFFIC 70\nPUMP pu EFFIC eff"),
    ("EMITTERS", "b 0.5"),
    ("LEAKAGE", "p1 10 0.5"),
    ("QUALITY", "a 0.5"),
    ("SOURCES", "r CONCEN 1 day"),
    ("REACTIONS", "GLOBAL BULK -0.5\nBULK p1 -0.4"),
    ("MIXING", "t 2COMP 0.5"),
    ("TIMES", "DURATION 24\nHYDRAULIC TIMESTEP 1:00"),
    ("REPORT", "STATUS YES\nNODES ALL"),
    ("OPTIONS", "UNITS LPS\nHEADLOSS H-W\nDEMAND MULTIPLIER 1.5"),
    ("COORDINATES", "a 1 2"),
    ("VERTICES", "p1 3 4"),
    ("LABELS", "1 2 \"the gate\""),
    ("BACKDROP", "DIMENSIONS 0 0 10 10"),
];

/// The file with another line put at the end of a section; and that line, counted from 1.
fn file_with(section: &str, line: &str) -> (String, usize) {
    let (mut text, mut at) = (String::new(), 0);
    for (name, body) in WHOLE {
        writeln!(text, "[{name}]\n{body}").unwrap();
        if *name == section {
            writeln!(text, "{line}").unwrap();
            at = text.lines().count();
        }
        text.push('\n');
    }
    text += "[END]\n";
    (text, at)
}

fn read(text: &str) -> (InpFile, Vec<Problem>) {
    inp::read(text.as_bytes(), "bad.inp")
}

#[test]
fn the_whole_file_has_nothing_wrong() {
    let (file, problems) = read(&file_with("", "").0);
    assert!(problems.is_empty(), "{problems:#?}");
    assert_eq!((file.network.nodes.len(), file.network.links.len()), (7, 9));
    let names: Vec<&str> = WHOLE.iter().map(|(name, _)| *name).collect();
    for (kind, name) in SectionKind::ALL {
        let kept = matches!(kind, SectionKind::End | SectionKind::Roughness);
        assert!(kept || names.contains(&name), "{name} is not in the whole file");
    }
    assert_eq!((file.timeline.controls.len(), file.timeline.rules.len()), (3, 1));
    let NodeKind::Junction(c) = &file.network.nodes[2].kind else { panic!("a junction") };
    assert_eq!((c.demands.len(), c.demands[0].category.as_str()), (2, "baths"));
}

#[test]
fn every_section_malformed_tells_its_line_and_costs_only_that() {
    let bad = [
        ("JUNCTIONS", "x high", "elevation"),
        ("JUNCTIONS", "a 3", "already"),
        ("RESERVOIRS", "x", "head"),
        ("TANKS", "x 10 1 0 5", "diameter"),
        ("TANKS", "x 10 1 0 5 0", "no diameter"),
        ("TANKS", "x 10 -1 0 5 3", "negative"),
        ("TANKS", "x 10 9 0 5 3", "levels"),
        ("TANKS", "x 10 1 0 5 0 0 gone", "curve"),
        ("PIPES", "x a nowhere 10 10 10", "no node"),
        ("PIPES", "x a a 10 10 10", "same node"),
        ("PIPES", "x a b 10 0 10", "diameter of 0"),
        ("PIPES", "x a b 0 10 10", "length of 0"),
        ("PIPES", "x a b -5 10 10", "length of -5"),
        ("PIPES", "x a b long 10 10", "no number"),
        ("PIPES", "x a b 10 10 -1", "roughness"),
        ("PIPES", "x a b 1e999 10 10", "no number"),
        ("PIPES", "x a b 10 10 100 0 AJAR", "status"),
        ("PIPES", "x", "two nodes"),
        ("PUMPS", "x a b", "neither"),
        ("PUMPS", "x a b HEAD gone", "curve"),
        ("PUMPS", "x a b POWER much", "no number"),
        ("PUMPS", "x a b MAGIC 3", "MAGIC"),
        ("VALVES", "x a b 100 XYZ 3", "type of valve"),
        ("VALVES", "x a b 0 PRV 3", "diameter"),
        ("VALVES", "x a b 100 GPV gone", "curve"),
        ("VALVES", "x c d 100 PRV 30", "same node"),
        ("VALVES", "x d a 100 PRV 30", "series"),
        ("VALVES", "x a r 100 PRV 30", "reservoir"),
        ("TAGS", "STREET a b", "tags"),
        ("DEMANDS", "a much", "no number"),
        ("DEMANDS", "r 3", "no junction"),
        ("STATUS", "p9 Open", "no link"),
        ("STATUS", "p2 Open", "check valve"),
        ("STATUS", "p1 ajar", "no number"),
        ("STATUS", "p1", "missing"),
        ("PATTERNS", "day", "no multipliers"),
        ("PATTERNS", "day 1 x", "no number"),
        ("CURVES", "pump 5", "lacks"),
        ("CURVES", "pump a b", "no number"),
        ("CURVES", "pump 1 90", "rise"),
        ("CONTROLS", "LINK p3 OPEN", "not whole"),
        ("CONTROLS", "LINK p9 OPEN AT TIME 3", "no link"),
        ("CONTROLS", "LINK p3 AJAR AT TIME 3", "AJAR"),
        ("CONTROLS", "LINK p3 OPEN AT TIME noon", "no time"),
        ("CONTROLS", "LINK p2 OPEN AT TIME 3", "check valve"),
        ("CONTROLS", "LINK p3 OPEN IF NODE t NEAR 3", "BELOW"),
        ("CONTROLS", "LINK pu -1 AT TIME 3", "negative"),
        ("RULES", "RULE two\nIF TANK t LEVEL BELOW 1", "nothing to do"),
        ("RULES", "RULE two\nTHEN PUMP pu STATUS IS OPEN", "no place"),
        ("ENERGY", "PUMP p1 PRICE 1", "no pump"),
        ("ENERGY", "GLOBAL PRICE", "no value"),
        ("ENERGY", "GLOBAL WISH 3", "WISH"),
        ("EMITTERS", "b -1", "negative"),
        ("EMITTERS", "t 1", "no junction"),
        ("LEAKAGE", "p1 x 1", "no number"),
        ("LEAKAGE", "pu 1 1", "no pipe"),
        ("QUALITY", "a x", "no number"),
        ("SOURCES", "zz CONCEN 1", "no node"),
        ("REACTIONS", "GLOBAL WISH 3", "WISH"),
        ("MIXING", "t STIRRED", "STIRRED"),
        ("TIMES", "DURATION long", "no time"),
        ("TIMES", "DURATION", "no value"),
        ("TIMES", "TEA TIME 5", "TEA"),
        ("REPORT", "COLOUR YES", "COLOUR"),
        ("OPTIONS", "UNITS FURLONGS", "FURLONGS"),
        ("OPTIONS", "TRIALS -3", "-3"),
        ("OPTIONS", "ACCURACY fine", "no number"),
        ("OPTIONS", "WISHES 3", "WISHES"),
        ("COORDINATES", "a x y", "two numbers"),
        ("COORDINATES", "zz 1 2", "not in the network"),
        ("VERTICES", "p1 x", "two numbers"),
        ("LABELS", "1 2", "nothing"),
        ("BACKDROP", "DIMENSIONS 1 2", "four numbers"),
    ];
    let (whole, _) = read(&file_with("", "").0);
    for (section, line, wanted) in bad {
        let (text, at) = file_with(section, line);
        let (file, problems) = read(&text);
        let told = problems.iter().find(|p| p.message.contains(wanted) && p.severity != Severity::Info);
        let told = told.unwrap_or_else(|| panic!("[{section}] {line}: {problems:#?}"));
        // A curve is told at the line it begins at; the rest at the line itself.
        let first = at - line.lines().count() + 1;
        let exact = told.place == format!("bad.inp:{first}") || told.place == format!("bad.inp:{at}");
        assert!(exact || section == "CURVES", "[{section}] {line}: {told}");
        assert!(!told.remedy.is_empty(), "{told}");
        assert!(file.network.nodes.len() >= whole.network.nodes.len(), "[{section}] {line}");
        assert!(file.network.links.len() >= whole.network.links.len(), "[{section}] {line}");
        assert!(file.timeline.controls.len() >= 3 && !file.timeline.rules.is_empty(), "[{section}] {line}");
        // What is left out is told once: nothing else falls over it.
        assert!(problems.len() <= 2, "[{section}] {line}: {problems:#?}");
        let (_, _) = Solver::new(&file.network);
    }
    for (section, _) in WHOLE.iter().filter(|(name, _)| *name != "TITLE") {
        assert!(bad.iter().any(|(s, ..)| s == section), "[{section}] is never malformed");
    }
}

#[test]
fn a_pipe_without_length_is_a_joint_and_without_diameter_is_none() {
    let (file, _) = read(&file_with("PIPES", "short a b 0 100 130\nthin a b 10 0 130").0);
    let short = file.network.links.iter().find(|l| l.id == "short").expect("a pipe");
    assert!(matches!(&short.kind, LinkKind::Pipe(p) if p.length == 0.01));
    assert!(file.network.links.iter().all(|l| l.id != "thin"));
    // What names a link that was left out is not told again.
    let text =
        file_with("PIPES", "thin a b 10 0 130").0.replace("[CONTROLS]\n", "[CONTROLS]\nLINK thin OPEN AT TIME 3\n");
    let (_, problems) = read(&text);
    assert_eq!(problems.len(), 1, "{problems:#?}");
}

#[test]
fn absurd_numbers_are_told_once_and_solve_or_not() {
    let text =
        file_with("PIPES", "x1 a b 1e300 300 100\nx2 a b 10 1e-300 100\nx3 a b 10 0.2 100\nx4 a b 10 200 1e30").0;
    let text = text.replace("c 8 1", "c 1e250 -1e200").replace("LINK pu 0.8", "LINK pu 1e99");
    let (file, problems) = read(&text);
    for wanted in ["length of x1", "diameter of x2", "and 1 more", "coefficient of x4", "elevation of c"] {
        assert!(problems.iter().any(|p| p.message.contains(wanted)), "{wanted}: {problems:#?}");
    }
    assert!(problems.iter().all(|p| p.place.contains("bad.inp:") && p.severity == Severity::Warning), "{problems:#?}");
    let (mut solver, _) = Solver::new(&file.network);
    let solution = solver.solve(&file.network.boundary(), Accuracy::both(1e-6));
    assert_eq!(solution.head.len(), file.network.nodes.len());
    // A file in metres where it says millimetres: told at the first pipe.
    let metres =
        WHOLE.iter().fold(String::new(), |t, (n, b)| format!("{t}[{n}]\n{b}\n")).replace("100 200 130", "100 0.2 130");
    let (_, problems) = read(&metres);
    assert!(problems.len() == 1 && problems[0].message.contains("the diameter of p1 is 0.0002 m"), "{problems:#?}");
}

#[test]
fn what_is_no_inp_is_refused_by_name() {
    for bytes in [&b""[..], b"\n\n  \n", b"\x00\x01\x02\xff\xfe", b"hello", b"%PDF-1.4\n1 0 obj", b"[SCADA]\nx"] {
        let (file, problems) = inp::read(bytes, "bad.inp");
        assert_eq!(problems.len(), 1, "{problems:?}");
        assert!(problems[0].severity == Severity::Error && !problems[0].remedy.is_empty());
        assert_eq!(file.document.to_bytes(), bytes);
        assert!(file.network.nodes.is_empty());
    }
}

#[test]
fn a_flood_of_problems_is_counted() {
    let mut text = "[JUNCTIONS]\na 1\n[PIPES]\n".to_owned();
    for at in 0..5000 {
        writeln!(text, "p{at} a nowhere{at} 1 1 1").unwrap();
    }
    let (_, problems) = read(&text);
    assert!(problems.len() < 600 && problems.iter().any(|p| p.message.contains("more problems")), "{}", problems.len());
}

#[test]
fn encodings_and_line_ends_of_all_sorts() {
    for (bytes, title) in [
        (&b"[TITLE]\rcaf\xe9\r[JUNCTIONS]\ra 1\r[RESERVOIRS]\rr 9\r[PIPES]\rp r a 9 9 90\r"[..], "caf\u{e9}"),
        (
            b"\xEF\xBB\xBF[TITLE]\r\ncaf\xc3\xa9\r\n[JUNC]\r\na 1\r\n[RESE]\r\nr 9\r\n[PIPE]\r\np r a 9 9 90",
            "caf\u{e9}",
        ),
        (b"[PIPES]\n\"p 1\" r \"a b\" 9 9 90\n[JUNCTIONS]\n\"a b\"\t1\n[RESERVOIRS]\nr 9\n[TITLE]\nx", "x"),
    ] {
        let (file, problems) = inp::read(bytes, "odd.inp");
        assert!(problems.is_empty(), "{problems:?}");
        assert_eq!((file.network.title.as_str(), file.network.nodes.len(), file.network.links.len()), (title, 2, 1));
        assert_eq!(file.document.to_bytes(), bytes);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn no_bytes_panic(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        let (file, _) = inp::read(&bytes, "x");
        let _ = (inp::edited(&file), inp::write(&file, file.units));
    }

    /// Words of the format in any order: deep into every reader of a line.
    #[test]
    fn no_words_panic(words in proptest::collection::vec((0usize..60, 0usize..6), 1..160)) {
        const WORDS: [&str; 60] = [
            "[JUNCTIONS]", "[TANKS]", "[PIPES]", "[PUMPS]", "[VALVES]", "[CURVES]", "[PATTERNS]", "[RULES]",
            "[CONTROLS]", "[OPTIONS]", "[TIMES]", "[ENERGY]", "[STATUS]", "[REACTIONS]", "[DEMANDS]", "[RESERVOIRS]",
            "a", "b", "c", "1", "2", "3", "1e308", "-1e308", "0", "LINK", "NODE", "RULE", "IF", "THEN", "ELSE", "AND",
            "OR", "TIME", "AT", "OPEN", "CLOSED", "BELOW", "ABOVE", "SYSTEM", "CLOCKTIME", "HEAD", "POWER", "SPEED",
            "PRV", "GPV", "PCV", "GLOBAL", "PRICE", "PATTERN", "UNITS", "CMS", "PRESSURE", "DURATION", "\"", ";", "*",
            "TANK", "LEVEL", "FILLTIME",
        ];
        let mut text = "[JUNCTIONS]\na 1 1\nb 1 1\n[RESERVOIRS]\nr 1\n[PIPES]\n1 a b 1 1 1\n2 b r 1 1 1\n".to_owned();
        for (word, end) in words {
            text += WORDS[word];
            text += if end == 0 { "\n" } else { " " };
            if WORDS[word].starts_with('[') {
                text.push('\n');
            }
        }
        let (file, problems) = read(&text);
        prop_assert!(problems.iter().all(|p| !p.message.is_empty() && !p.place.is_empty()));
        let (document, _) = inp::edited(&file);
        prop_assert_eq!(document.to_bytes(), text.as_bytes());
        let (written, _) = inp::write(&file, file.units);
        let _ = read(&written);
    }
}
