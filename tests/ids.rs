//! IDS 1.0: small cases of our own, bad files, and the public cases of buildingSMART where they are at hand.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod ids_common;

use ids_common::*;
use plenum::import::cache::Cache;
use plenum::import::{Limits, Progress, ids, ifc};
use plenum::problem::Severity;
use plenum::site::ids::{Checker, Ids, SpecificationReport, Status};
use std::path::{Path, PathBuf};

/// Facet by kind of value by outcome: what objects a specification is for, what they must have, and how many of them
/// have it.
#[test]
fn the_table_of_cases() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("model.ifc");
    std::fs::write(&file, model("IFC4", RECORDS)).unwrap();
    let cases = cases();
    assert!(cases.len() >= 100, "{}", cases.len());
    let mut wrong = Vec::new();
    for (name, applicability, requirement, expected) in &cases {
        let text = specification("IFC4", "minOccurs=\"0\" maxOccurs=\"unbounded\"", applicability, requirement);
        let report = check(&parse(&text), &[&file]);
        let found = &report.specifications[0];
        let outcome = (found.passed, found.applicable);
        if outcome != *expected {
            let why: Vec<_> = found.failing.iter().flat_map(|f| &f.reasons).collect();
            wrong.push(format!("{name}: {outcome:?} where {expected:?} is right; {} {why:?}", found.why));
        }
    }
    assert!(wrong.is_empty(), "{} of {} wrong:\n{}", wrong.len(), cases.len(), wrong.join("\n"));
}

/// The records that made the model are those that are checked: the file is not opened a second time.
#[test]
fn a_model_and_its_check_come_of_one_reading() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    let text = specification("IFC4", "", &entity("IFCWALL"), &attribute("Name", ""));
    let (limits, progress) = (Limits::default(), Progress::default());
    let cache = Cache::new(path("scenes"), std::time::SystemTime::now());
    let before = check_facts(&parse(&text), &{
        std::fs::write(path("model.ifc"), model("IFC4", RECORDS)).unwrap();
        ifc::facts(&path("model.ifc"), &limits).unwrap()
    });
    for from_cache in [false, true] {
        let (imported, facts) = cache.read_with_facts(&path("model.ifc"), &limits, &progress).unwrap();
        assert_eq!(imported.from_cache, from_cache);
        cache.keep(&imported).unwrap();
        assert_eq!(imported.model.counted().count(), 5);
        // Gone, and still there for the check.
        std::fs::rename(path("model.ifc"), path("elsewhere.ifc")).unwrap();
        let after = check_facts(&parse(&text), &facts.unwrap());
        assert_eq!((after.applicable, after.failed, &after.failing), (2, before.failed, &before.failing));
        std::fs::rename(path("elsewhere.ifc"), path("model.ifc")).unwrap();
    }
    // What is no IFC file has nothing to check.
    let layer = "{\"type\":\"FeatureCollection\",\"features\":[{\"type\":\"Feature\",\"id\":\"T\",\"properties\":{},\
                 \"geometry\":{\"type\":\"Point\",\"coordinates\":[8.5,47.4]}}]}";
    std::fs::write(path("site.geojson"), layer).unwrap();
    let (imported, facts) = cache.read_with_facts(&path("site.geojson"), &limits, &progress).unwrap();
    assert!(imported.model.elements.len() == 1 && facts.is_none());
}

fn check_facts(ids: &Ids, facts: &ifc::Facts) -> SpecificationReport {
    let mut checker = Checker::new(ids);
    assert!(checker.add(facts, &|| false));
    checker.finish().specifications.remove(0)
}

#[test]
fn how_many_there_must_be() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("model.ifc");
    std::fs::write(&file, model("IFC4", RECORDS)).unwrap();
    let required = "minOccurs=\"1\" maxOccurs=\"unbounded\"";
    let optional = "minOccurs=\"0\" maxOccurs=\"unbounded\"";
    let prohibited = "minOccurs=\"0\" maxOccurs=\"0\"";
    let named = attribute("Name", "");
    for (occurs, class, requirement, status, failed) in [
        (required, "IFCWALL", named.as_str(), Status::Pass, 0),
        (required, "IFCBOILER", named.as_str(), Status::Fail, 0),
        (optional, "IFCBOILER", named.as_str(), Status::NotApplicable, 0),
        (prohibited, "IFCWALL", "", Status::Fail, 2),
        (prohibited, "IFCBOILER", "", Status::Pass, 0),
        ("", "IFCBOILER", named.as_str(), Status::Fail, 0),
        ("maxOccurs=\"5\"", "IFCWALL", named.as_str(), Status::NotChecked, 0),
    ] {
        let report = check(&parse(&specification("IFC4", occurs, &entity(class), requirement)), &[&file]);
        let found = &report.specifications[0];
        assert_eq!((found.status, found.failed), (status, failed), "{occurs} {class}: {}", found.why);
        let alone = status == Status::Fail && failed == 0;
        assert!(!alone || found.why.contains("at least one must"), "{}", found.why);
    }
}

#[test]
fn other_schemas_are_not_judged_and_files_are_one_model() {
    let folder = tempfile::tempdir().unwrap();
    let (a, b) = (folder.path().join("a.ifc"), folder.path().join("b.ifc"));
    std::fs::write(&a, model("IFC4", RECORDS)).unwrap();
    std::fs::write(&b, model("IFC2X3", OLD_RECORDS)).unwrap();
    let required = "minOccurs=\"1\" maxOccurs=\"unbounded\"";
    let walls = |versions: &str, class: &str| parse(&specification(versions, required, &entity(class), ""));
    let status =
        |versions: &str, class: &str, files: &[&Path]| check(&walls(versions, class), files).specifications[0].status;
    assert_eq!(status("IFC2X3", "IFCWALL", &[&a]), Status::NotApplicable);
    assert_eq!(status("IFC2X3 IFC4", "IFCWALL", &[&a, &b]), Status::Pass, "it is in one of the two");
    // In IFC2X3 a pump is what its type says.
    assert_eq!(status("IFC2X3", "IFCPUMP", &[&b]), Status::Pass);
    assert_eq!(status("IFC2X3", "IFCFLOWMOVINGDEVICE", &[&b]), Status::Pass);
    assert_eq!(status("IFC2X3", "IFCFAN", &[&b]), Status::Fail);
    let report = check(&walls("IFC4", "IFCWALL"), &[&b]);
    assert!(report.specifications[0].why.contains("not for b.ifc (IFC2X3)"), "{}", report.specifications[0].why);
}

/// What cannot be checked says so, and takes nothing else with it.
#[test]
fn what_cannot_be_checked_is_said() {
    let name = |inside: &str| format!("<attribute><name>{inside}</name></attribute>");
    let pattern = |p: &str| format!("<xs:restriction base=\"xs:string\"><xs:pattern value=\"{p}\"/></xs:restriction>");
    for (what, requirement) in [
        ("`(?` is not part", name(&pattern("(?i)wall"))),
        ("cannot be translated", name(&pattern("\\p{IsGreek}"))),
        ("restricts nothing", name("<xs:restriction base=\"xs:string\"/>")),
        ("totalDigits", name("<xs:restriction base=\"xs:double\"><xs:totalDigits value=\"3\"/></xs:restriction>")),
        ("is no number", name("<xs:restriction base=\"xs:double\"><xs:minInclusive value=\"1,5\"/></xs:restriction>")),
        ("is no whole number", name("<xs:restriction base=\"xs:string\"><xs:length value=\"-1\"/></xs:restriction>")),
        ("a pattern is for texts", name("<xs:restriction base=\"xs:double\"><xs:pattern value=\"4.\"/></xs:restriction>")),
        ("are not checked", name("<xs:restriction base=\"xs:hexBinary\"><xs:length value=\"1\"/></xs:restriction>")),
        ("neither one <simpleValue>", name("")),
        ("neither one <simpleValue>", name(&format!("{}{}", simple("Name"), simple("Tag")))),
        ("has no <name>", "<attribute/>".into()),
        ("no facet of IDS", "<geometry/>".into()),
        ("no part <measure>", "<material><measure>x</measure></material>".into()),
        ("no attribute `colour`", "<material colour=\"red\"/>".into()),
        ("is not in capitals", entity("IfcWall")),
        ("is not the name of a type", property("P", "N", "IfcLabel", "")),
        ("no relation of IDS", "<partOf relation=\"IFCRELDECLARES\"><entity><name><simpleValue>IFCWALL</simpleValue></name></entity></partOf>".into()),
        ("is no cardinality", "<material cardinality=\"maybe\"/>".into()),
    ] {
        let text = specification("IFC4", "", &entity("IFCWALL"), &requirement);
        let good = specification("IFC4", "", &entity("IFCWALL"), "");
        let both = text.replace("</specifications>", &good[good.find("<specification ").unwrap()..good.find("</specifications>").unwrap()])
            + "</specifications></ids>";
        let both = both.replacen("</ids></specifications></ids>", "</specifications></ids>", 1);
        let (ids, problems) = ids::parse("demand.ids", both.into_bytes()).unwrap_or_else(|e| panic!("{what}: {e}"));
        let why = ids.specifications[0].unchecked.clone().unwrap_or_else(|| panic!("{what}: it is checked"));
        assert!(why.contains(what), "{what}: {why}");
        assert!(ids.specifications[1].unchecked.is_none());
        let problem = problems.iter().find(|p| p.severity == Severity::Error).unwrap();
        assert!(problem.place.starts_with("demand.ids:") && problem.message.contains("is not checked"), "{problem}");
        assert!(!problem.remedy.is_empty());
    }
}

#[test]
fn bad_files_are_refused_with_their_line() {
    let good = specification("IFC4", "", &entity("IFCWALL"), &attribute("Name", ""));
    let deep = format!("{}{}", "<a>".repeat(100_000), "</a>".repeat(100_000));
    let bomb = format!("<!DOCTYPE ids [<!ENTITY a \"{}\"><!ENTITY b \"&a;&a;&a;&a;\">]>\n{good}", "x".repeat(1000));
    let old = good.replace("ifcVersion=", "minOccurs=\"1\" ifcVersion=");
    let mut latin = good.clone().into_bytes();
    latin.extend(b"\n<!-- \xe9 -->");
    let cases: Vec<(&str, Vec<u8>, &str)> = vec![
        ("empty", vec![], "is empty"),
        ("blank", b" \n ".to_vec(), "is empty"),
        ("text", b"hello".to_vec(), "no XML"),
        ("json", b"{\"a\": 1}".to_vec(), "no XML"),
        ("other XML", b"<?xml version=\"1.0\"?>\n<html><body/></html>".to_vec(), "XML with <html>"),
        (
            "other namespace",
            good.replace("standards.buildingsmart.org/IDS\"", "example.org/IDS\"").into_bytes(),
            "namespace",
        ),
        ("version 0.9", old.into_bytes(), "before 1.0"),
        ("cut", good.as_bytes()[..good.len() / 2].to_vec(), "well-formed|ends inside"),
        ("crossed", good.replace("</info>", "</inf>").into_bytes(), "well-formed"),
        ("deep", deep.into_bytes(), "nested more than"),
        ("bomb", bomb.into_bytes(), "document type"),
        ("entity", good.replace("<title>", "<title>&boom;").into_bytes(), "is no character"),
        ("latin-1", latin, "UTF-8"),
        (
            "no specification",
            good.replace("specification ", "remark ").replace("</specification>", "</remark>").into_bytes(),
            "no specification",
        ),
    ];
    for (what, bytes, expected) in cases {
        let refused = ids::parse("demand.ids", bytes).err().unwrap_or_else(|| panic!("{what} is read"));
        assert!(expected.split('|').any(|e| refused.message.contains(e)), "{what}: {refused}");
        assert!(refused.place.starts_with("demand.ids") && !refused.remedy.is_empty(), "{what}: {refused}");
        let has_line = refused.place.contains("demand.ids:");
        assert_eq!(has_line, !matches!(what, "empty" | "blank"), "{what}: {refused}");
    }
    let html = ids::parse("demand.ids", b"<?xml version=\"1.0\"?>\n\n<html/>".to_vec()).unwrap_err();
    assert_eq!(html.place, "demand.ids:3");
}

#[test]
fn a_huge_file_is_refused_before_it_is_read() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("huge.ids");
    let file = std::fs::File::create(&path).unwrap();
    file.set_len(100_000_000).unwrap();
    let refused = ids::read(&path, &Limits::default()).unwrap_err();
    assert!(refused.message.contains("too many"), "{refused}");
    let refused = ids::read(&folder.path().join("missing.ids"), &Limits::default()).unwrap_err();
    assert!(refused.message.contains("cannot read"), "{refused}");
    assert!(ids::read(folder.path(), &Limits::default()).is_err());
}

#[test]
fn bytes_turned_over_never_panic() {
    let good = specification("IFC4", "", &entity("IFCWALL"), &property("Pset", "Name", "IFCLABEL", &simple("x")));
    let mut seed = 0x2545_F491_4F6C_DD1D_u64;
    for _ in 0..3000 {
        let mut bytes = good.clone().into_bytes();
        for _ in 0..3 {
            seed ^= seed << 13;
            seed ^= seed >> 7;
            seed ^= seed << 17;
            let at = seed as usize % bytes.len();
            match seed >> 61 {
                0..=3 => bytes[at] = (seed >> 32) as u8,
                4 | 5 => drop(bytes.remove(at)),
                _ => bytes.truncate(at.max(1)),
            }
        }
        let _ = ids::parse("demand.ids", bytes);
    }
}

/// Pairs of files named `pass-…`, `fail-…` and `invalid-…`; the folder is not part of the project.
#[test]
fn the_public_cases() {
    let Some(folder) = std::env::var_os("PLENUM_IDS_CASES") else {
        eprintln!("SKIPPED: PLENUM_IDS_CASES names no folder of public IDS test cases");
        return;
    };
    let mut cases = Vec::new();
    collect(Path::new(&folder), &mut cases);
    cases.sort();
    assert!(cases.len() > 100, "only {} cases", cases.len());
    let (mut wrong, mut other_schema) = (Vec::new(), 0);
    for case in &cases {
        let name = case.file_stem().unwrap().to_string_lossy().into_owned();
        let model = case.with_extension("ifc");
        let outcome = ids::read(case, &Limits::default()).map(|(ids, problems)| {
            let report = check(&ids, &[&model]);
            let has = |s: Status| report.specifications.iter().any(|r| r.status == s);
            let elsewhere = report.specifications.iter().all(|r| r.why.contains("not for"));
            let word = match () {
                () if elsewhere => "elsewhere",
                () if has(Status::NotChecked) => "invalid",
                () if has(Status::Fail) => "fail",
                () => "pass",
            };
            (word, format!("{problems:?} {:?}", report.specifications))
        });
        let (word, why) = outcome.unwrap_or_else(|e| ("invalid", e.to_string()));
        let expected = name.split('-').next().unwrap();
        match word {
            // Some of the public cases are for another schema than their model has: there is nothing to judge.
            "elsewhere" => other_schema += 1,
            // What is invalid may be refused or fail; it must not pass.
            _ if expected == "invalid" && word != "pass" => {}
            _ if word == expected => {}
            _ => wrong.push(format!("{}: {word}: {why}", case.display())),
        }
    }
    println!("{} public cases, {} wrong, {other_schema} for another schema", cases.len(), wrong.len());
    assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong.join("\n"));
    assert!(other_schema < 20, "{other_schema}");
}

fn collect(folder: &Path, into: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap().flatten() {
        let path = entry.path();
        if path.is_dir() {
            collect(&path, into);
        } else if path.extension().is_some_and(|e| e == "ids") && path.with_extension("ifc").exists() {
            into.push(path);
        }
    }
}
