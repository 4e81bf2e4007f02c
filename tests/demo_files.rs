//! The demo's files: the same seed gives the same bytes, and `models/clinic/` holds those of seed 1.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use plenum::demo;
use std::path::Path;

#[test]
fn the_same_seed_gives_the_same_bytes() {
    assert_eq!(demo::files(7), demo::files(7));
    let (one, two) = (demo::files(1), demo::files(2));
    for (a, b) in one.iter().zip(&two).filter(|(a, _)| a.name != "twin.toml") {
        assert_ne!(a.text, b.text, "{} does not depend on the seed", a.name);
    }
    assert!(one.iter().all(|f| !f.text.contains('\r')), "line feeds only");
}

#[test]
fn the_committed_clinic_is_the_one_of_seed_1() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("models/clinic");
    for file in demo::files(1) {
        let kept = std::fs::read_to_string(folder.join(file.name)).unwrap();
        assert!(kept == file.text, "{} is out of date: run `plenum make-demo models/clinic`", file.name);
    }
}

#[test]
fn there_is_as_much_in_it_as_promised() {
    let files = demo::files(1);
    let text = |name: &str| files.iter().find(|f| f.name == name).map(|f| f.text.as_str()).unwrap();
    let count = |name: &str, keyword: &str| text(name).lines().filter(|l| l.contains(&format!("={keyword}("))).count();
    let (a, m) = ("clinic-architecture.ifc", "clinic-mep.ifc");
    assert_eq!(count(a, "IFCSPACE"), 61);
    assert!(count(a, "IFCWINDOW") > 150 && count(a, "IFCDOOR") > 50 && count(a, "IFCWALL") > 100);
    assert_eq!(count(a, "IFCSTAIR"), 6);
    assert!(count(a, "IFCZONE") >= 5);
    assert_eq!(count(m, "IFCAIRTERMINALBOX"), 38);
    assert_eq!(count(m, "IFCPUMP"), 6);
    assert!(count(m, "IFCDUCTSEGMENT") + count(m, "IFCPIPESEGMENT") + count(m, "IFCVALVE") > 1200);
    // No port is left loose: each stands in exactly one joint.
    assert_eq!(count(m, "IFCDISTRIBUTIONPORT"), 2 * count(m, "IFCRELCONNECTSPORTS"));
    assert!(text(m).len() < 6_000_000 && text(a).len() < 3_000_000, "the files have grown too large");
}
