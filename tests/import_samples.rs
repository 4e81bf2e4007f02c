//! Real files against what another reader says of them, and files that are broken in every way we know.
//!
//! The samples are found through `PLENUM_SAMPLES`; without it these tests say so and pass.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use plenum::import::{self, Limits, Progress};
use plenum::site::model::{Element, ElementKind, Model};
use plenum::{Problem, Severity};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::time::Duration;

const NAMES: &[&str] = &[
    "duplex-architecture.ifc",
    "duplex-electrical.ifc",
    "pcert-architecture.ifc",
    "pcert-hvac.ifc",
    "pcert-structural.ifc",
    "pcert-landscaping.ifc",
    "tall-building.ifc",
    "terrain-us-survey-feet.ifc",
    "window-frames.ifczip",
];

fn samples() -> Option<PathBuf> {
    let folder = std::env::var_os("PLENUM_SAMPLES").map(|s| PathBuf::from(s).join("ifc"));
    if folder.is_none() {
        eprintln!("skipped: set PLENUM_SAMPLES to the folder of samples");
    }
    folder
}

fn read(path: &Path) -> Result<(Model, Vec<Problem>), Problem> {
    import::read(path, &Progress::default())
}

/// What the reference says of one element.
struct Reference {
    class: String,
    bounds: Option<[[f64; 3]; 2]>,
}

fn references(folder: &Path, name: &str) -> BTreeMap<String, Reference> {
    let stem = name.split('.').next().unwrap();
    let text = std::fs::read_to_string(folder.join("ref").join(format!("{stem}.elements.jsonl"))).unwrap();
    let lines = text.lines().filter(|l| !l.trim().is_empty());
    lines
        .map(|line| {
            let v: Value = serde_json::from_str(line).unwrap();
            let class = v["type"].as_str().unwrap().to_owned();
            let bounds = serde_json::from_value(v["bounds_m"].clone()).unwrap();
            (v["id"].as_str().unwrap().to_owned(), Reference { class, bounds })
        })
        .collect()
}

/// The larger of 2 cm and 2 % of the box's side.
fn compare(name: &str, element: &Element, reference: &Reference, faults: &mut Vec<String>) {
    let of = format!("{name}: {} {}", element.class, element.id);
    if element.class != reference.class {
        faults.push(format!("{of} should be a {}", reference.class));
    }
    match (element.bounds, reference.bounds) {
        (None, None) => {}
        (Some(ours), Some(theirs)) => {
            for axis in 0..3 {
                let side = theirs[1][axis] - theirs[0][axis];
                let tolerance = 0.02_f64.max(0.02 * side);
                let off = (ours.min[axis] - theirs[0][axis]).abs().max((ours.max[axis] - theirs[1][axis]).abs());
                if off > tolerance {
                    faults.push(format!("{of} axis {axis} is off by {off:.3} m: {ours:?} for {theirs:?}"));
                }
            }
        }
        (ours, theirs) => faults.push(format!("{of} has the box {ours:?} for {theirs:?}")),
    }
}

#[test]
fn samples_are_as_another_reader_sees_them() {
    let Some(folder) = samples() else { return };
    let mut faults = Vec::new();
    for name in NAMES {
        let (model, problems) = read(&folder.join(name)).unwrap();
        assert!(problems.iter().all(|p| p.severity == Severity::Info), "{name}: {problems:?}");
        let reference = references(&folder, name);
        let ours: BTreeSet<&str> = model.counted().map(|e| e.id.as_str()).collect();
        let theirs: BTreeSet<&str> = reference.keys().map(String::as_str).collect();
        assert_eq!(ours.len(), model.counted().count(), "{name}: an element is there twice");
        assert_eq!(ours, theirs, "{name}: other elements");
        for element in model.counted() {
            compare(name, element, &reference[&element.id], &mut faults);
        }
    }
    assert!(faults.is_empty(), "{} differences:\n{}", faults.len(), faults.join("\n"));
}

#[test]
fn shapes_placed_give_the_boxes() {
    let Some(folder) = samples() else { return };
    for name in NAMES {
        let (model, _) = read(&folder.join(name)).unwrap();
        for element in &model.elements {
            let Some(shape) = element.shape else {
                assert!(element.bounds.is_none(), "{name}: {} has a box and no shape", element.id);
                continue;
            };
            let shape = &model.shapes[shape as usize];
            let points = (0..shape.triangles()).filter_map(|t| shape.triangle(t)).flatten();
            let placed = points.map(|p| element.placement.transform_point3(p));
            let placed = plenum::shape::Aabb::around(placed).unwrap();
            let bounds = element.bounds.unwrap();
            let off = (placed.min - bounds.min).abs().max((placed.max - bounds.max).abs()).max_element();
            // Shared shapes may differ by 0.02 mm and a millionth of their size; f32 adds its own.
            assert!(off < 1e-4 + 2e-6 * bounds.radius(), "{name}: {} is drawn {off} m off", element.id);
            assert!(shape.positions().iter().flatten().all(|v| v.is_finite()));
            assert_eq!(shape.normals().len(), shape.positions().len());
            assert!(shape.indices().iter().all(|i| (i as usize) < shape.positions().len()));
        }
    }
}

#[test]
fn what_the_samples_hold() {
    let Some(folder) = samples() else { return };
    // elements, with geometry, storeys, spaces
    let counts: &[(&str, [usize; 4])] = &[
        ("duplex-architecture.ifc", [218, 215, 4, 21]),
        ("duplex-electrical.ifc", [103, 103, 3, 1]),
        ("pcert-architecture.ifc", [15, 11, 1, 2]),
        ("pcert-hvac.ifc", [6, 5, 1, 0]),
        ("pcert-structural.ifc", [18, 16, 1, 0]),
        ("pcert-landscaping.ifc", [7, 6, 0, 0]),
        ("tall-building.ifc", [56, 55, 5, 3]),
        ("terrain-us-survey-feet.ifc", [1, 1, 0, 0]),
        ("window-frames.ifczip", [164, 100, 4, 0]),
    ];
    for (name, count) in counts {
        let (model, _) = read(&folder.join(name)).unwrap();
        let spaces = model.elements.iter().filter(|e| e.kind == ElementKind::Space).count();
        let drawn = model.counted().filter(|e| e.shape.is_some()).count();
        assert_eq!([model.counted().count(), drawn, model.storeys.len(), spaces], *count, "{name}");
        assert!(model.shapes.len() < drawn + spaces || drawn < 20, "{name}: nothing is shared");
    }
    let (duplex, _) = read(&folder.join("duplex-architecture.ifc")).unwrap();
    assert_eq!(duplex.totals.property_sets, 1461);
    assert_eq!(duplex.georeference.as_ref().unwrap().crs, "EPSG:9897");
    let wall = duplex.counted().find(|e| e.class.starts_with("IfcWall")).unwrap();
    assert!(wall.storey.is_some() && !wall.materials.is_empty() && !wall.type_name.is_empty(), "{wall:?}");
    assert!(wall.property("Pset_WallCommon", "IsExternal").is_some(), "{:?}", wall.properties);
    let (frames, _) = read(&folder.join("window-frames.ifczip")).unwrap();
    assert_eq!(frames.totals.quantities, 485);

    // Four models of one site: one conversion, in metres although the files are in millimetres.
    for name in ["pcert-architecture.ifc", "pcert-hvac.ifc", "pcert-structural.ifc", "pcert-landscaping.ifc"] {
        let g = read(&folder.join(name)).unwrap().0.georeference.unwrap();
        assert_eq!(g.crs, "EPSG:32760");
        assert!((g.origin_m[0] - 729_013.348_83).abs() < 1e-3 && (g.rotation_deg - 60.0).abs() < 1e-6, "{g:?}");
        assert!((g.scale - 1.0).abs() < 1e-9, "{g:?}");
    }
}

#[test]
fn a_stalled_cut_is_drawn_without() {
    let Some(folder) = samples() else { return };
    let name = "duplex-architecture.ifc";
    let limits = Limits { cut_patience: Duration::ZERO, ..Limits::default() };
    let (model, problems) = import::read_within(&folder.join(name), &limits, &Progress::default()).unwrap();
    assert!(model.without_openings > 0);
    assert!(problems.iter().any(|p| p.message.contains("without openings")), "{problems:?}");
    // Openings do not change boxes, and doors and windows are there all the same.
    let reference = references(&folder, name);
    let mut faults = Vec::new();
    for element in model.counted() {
        compare(name, element, &reference[&element.id], &mut faults);
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn cancelling_ends_the_read() {
    let Some(folder) = samples() else { return };
    let progress = Progress::default();
    progress.cancel();
    let problem = import::read(&folder.join("duplex-architecture.ifc"), &progress).unwrap_err();
    assert!(problem.message.contains("stopped"), "{problem}");
}
