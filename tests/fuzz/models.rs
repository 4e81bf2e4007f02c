//! Building models and map layers.

use crate::engine::{Fuzz, marked, outcome_of};
use crate::ids_common::{RECORDS, model};
use plenum::Problem;
use plenum::import::gis::geojson::read_bytes;
use plenum::import::{self, Limits, Progress};
use plenum::shape::Bvh;
use plenum::site::infer::{Evidence, Joining, infer};
use plenum::site::search::Index;
use plenum::site::{self, Model, Project};
use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;
use std::path::Path;
use std::time::Duration;
use zip::CompressionMethod;
use zip::write::SimpleFileOptions;

/// A pipe with a hole, a port and a property, in every kind of body.
const PIPE: &str = include_str!("../corpus/pipe.ifc");

const STEP_WORDS: [&str; 44] = [
    "#",
    "# ",
    "(",
    ")",
    "((",
    "))",
    ",",
    ";",
    "'",
    "''",
    "$",
    "*",
    ".T.",
    ".F.",
    ".U.",
    "/*",
    "*/",
    "\\X2\\00E4\\X0\\",
    "\\X2\\D83D\\X0\\",
    "\\X4\\0001F600\\X0\\",
    "\\X\\E4",
    "\\S\\",
    "IFCWALL(",
    "=IFC",
    "#1=",
    "#999999999=",
    "#4294967296",
    "IFCLOCALPLACEMENT(#31,",
    "IFCAXIS2PLACEMENT3D(",
    "IFCLENGTHMEASURE(",
    "IFCBOOLEANRESULT(.UNION.,",
    "IFCMAPPEDITEM(",
    "IFCRELNESTS(",
    "IFCRELCONNECTSPORTS(",
    "IFCRELASSIGNSTOGROUP(",
    "IFCCARTESIANPOINT((",
    ".MILLI.",
    ".EXA.",
    "ENDSEC;",
    "DATA;",
    "END-ISO-10303-21;",
    "FILE_SCHEMA(('IFC2X3'));",
    "FILE_SCHEMA(('IFC4X3_ADD2'));",
    "\n",
];

/// Limits in which a reader stays: small, so that what it does at their ends is seen.
pub fn limits() -> Limits {
    Limits { max_bytes: 50_000_000, cut_patience: Duration::from_secs(20), ..Limits::default() }
}

/// Reads through a file of this name: as readers are called.
fn by_file(name: &str, mut then: impl FnMut(&Path) -> u64) -> impl FnMut(&[u8]) -> u64 {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(name);
    move |input| {
        let _ = &folder;
        std::fs::write(&path, input).unwrap();
        then(&path)
    }
}

/// What a reader came to: a model is sound, and whatever is told has words.
fn came_to(read: Result<(Model, Vec<Problem>), Problem>) -> u64 {
    match read {
        Ok((model, problems)) => {
            told(&problems);
            sound(&model);
            used(model);
            outcome_of(problems.iter().map(|p| p.message.as_str()))
        }
        Err(problem) => {
            told(std::slice::from_ref(&problem));
            outcome_of([problem.message.as_str()])
        }
    }
}

/// Every problem has words.
pub fn told(problems: &[Problem]) {
    assert!(problems.iter().all(|p| !p.message.is_empty()), "a problem without words");
}

/// Every index points at something, and every number is one.
pub fn sound(model: &Model) {
    let within = |index: u32, length: usize| (index as usize) < length;
    let elements = model.elements.len();
    for element in &model.elements {
        assert!(element.placement.is_finite(), "a placement that is no number");
        assert!(element.bounds.is_none_or(|b| b.min.is_finite() && b.max.is_finite()), "a box that is no number");
        assert!(element.colour.iter().all(|c| (0.0..=1.0).contains(c)), "a colour out of range");
        assert!(element.shape.is_none_or(|s| within(s, model.shapes.len())), "a shape that is not there");
        assert!(element.storey.is_none_or(|s| within(s, model.storeys.len())), "a storey that is not there");
        assert!(element.place.is_none_or(|s| within(s, model.places.len())), "a place that is not there");
        assert!(element.systems.iter().all(|s| within(*s, model.systems.len())), "a system that is not there");
        let others = [element.space, element.part_of, element.host];
        assert!(others.iter().flatten().all(|e| within(*e, elements)), "an element that is not there");
    }
    for shape in &model.shapes {
        assert!(shape.positions().iter().flatten().all(|v| v.is_finite()), "a corner that is no number");
        assert!(shape.indices().iter().all(|i| within(i, shape.positions().len())), "a corner that is not there");
    }
    assert!(model.storeys.iter().all(|s| s.elevation_m.is_finite()), "a height that is no number");
    let ports = model.connection_points.len();
    assert!(model.connections.iter().all(|c| within(c.from, ports) && within(c.to, ports)));
    assert!(model.connection_points.iter().all(|p| within(p.element, elements)));
    assert!(model.ends.iter().all(|e| within(e.element, elements)));
    assert!(model.zones.iter().chain(&model.systems).flat_map(|g| &g.members).all(|e| within(*e, elements)));
}

/// What the program does with every model: it looks for joints, makes a picking tree, a site and an index of it.
pub fn used(model: Model) {
    let bvh = Bvh::of_model(&model);
    if let Some(bounds) = model.bounds() {
        let _ = bvh.pick(bounds.centre() + glam::DVec3::Z * bounds.radius(), -glam::DVec3::Z, |_| true);
    }
    let _ = infer(&Evidence::of_model(&model), &Joining::default(), &[]);
    let (site, _) = site::assemble(&Project::default(), vec![(model, "any".to_owned())]);
    assert_eq!(Index::of(&site).len(), site.elements.len());
}

/// Records of a larger file: some products of each class with all they refer to, and the relations between them.
fn excerpt(file: &str, classes: &[&str]) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("models/clinic").join(file);
    let text = std::fs::read_to_string(path).unwrap();
    let mut records: BTreeMap<u32, &str> = BTreeMap::new();
    for line in text.lines() {
        if let Some((number, _)) = line.strip_prefix('#').and_then(|l| l.split_once('=')) {
            records.insert(number.trim().parse().unwrap(), line);
        }
    }
    let class =
        |line: &str| line.split_once('=').and_then(|(_, l)| l.split('(').next()).unwrap_or("").trim().to_owned();
    let refers = |line: &str| -> Vec<u32> {
        let after = line.split_once('=').map_or("", |(_, l)| l);
        let numbers = after.split('#').skip(1).map(|l| l.split(|c: char| !c.is_ascii_digit()).next().unwrap_or(""));
        numbers.filter_map(|n| n.parse().ok()).collect()
    };
    let mut wanted: BTreeSet<u32> = BTreeSet::new();
    for wish in classes {
        wanted.extend(records.iter().filter(|(_, l)| class(l) == *wish).map(|(n, _)| *n).take(2));
    }
    // A relation between things that are wanted, by its first two; a list keeps those of its members that are there.
    let mut kept = BTreeSet::new();
    let mut open: Vec<u32> = wanted.iter().copied().collect();
    while let Some(number) = open.pop() {
        if let Some(line) = records.get(&number)
            && kept.insert(number)
        {
            open.extend(refers(line));
        }
    }
    let relations = records.iter().filter(|(_, l)| class(l).starts_with("IFCREL"));
    let near: Vec<u32> =
        relations.filter(|(_, l)| refers(l).iter().all(|r| kept.contains(r))).map(|(n, _)| *n).collect();
    kept.extend(near);
    let lines: Vec<&str> = kept.iter().filter_map(|n| records.get(n).copied()).collect();
    model("IFC4", &lines.join("\n"))
}

/// Small models: one of every kind of body, one of every kind of fact, and parts of the demo.
pub fn step_seeds() -> Vec<String> {
    let plant = ["IFCPROJECT", "IFCPUMP", "IFCPIPESEGMENT", "IFCPIPEFITTING", "IFCVALVE", "IFCRELCONNECTSPORTS"];
    let walls =
        ["IFCPROJECT", "IFCWALL", "IFCSPACE", "IFCDOOR", "IFCRELVOIDSELEMENT", "IFCRELCONTAINEDINSPATIALSTRUCTURE"];
    vec![
        PIPE.to_owned(),
        model("IFC4", RECORDS),
        excerpt("clinic-mep.ifc", &plant),
        excerpt("clinic-architecture.ifc", &walls),
    ]
    .into_iter()
    .filter(|s| s.len() <= crate::mutate::LONGEST)
    .collect()
}

pub fn ifc() {
    let read = by_file("fuzz.ifc", |path| came_to(import::read_within(path, &limits(), &Progress::default())));
    Fuzz::new("ifc").seeds(step_seeds()).words(&STEP_WORDS).run(read);
}

/// An archive of members.
pub fn archive(members: &[(&str, &[u8])], method: CompressionMethod) -> Vec<u8> {
    let mut zip = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    for (name, bytes) in members {
        zip.start_file(*name, SimpleFileOptions::default().compression_method(method)).unwrap();
        zip.write_all(bytes).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

/// The first two bytes say how the rest is packed; 255: it is the archive itself.
pub fn ifczip() {
    let names = ["a.ifc", "A.IFC", "../a.ifc", "/a.ifc", "x/y/a.ifc", "a.ifcxml", "C:\\a.ifc", ".ifc"];
    let pack = move |input: &[u8]| match input {
        [255, _, rest @ ..] => rest.to_vec(),
        [how, name, rest @ ..] => {
            let name = names[usize::from(*name) % names.len()];
            let method = if how & 1 == 0 { CompressionMethod::Stored } else { CompressionMethod::Deflated };
            match how >> 1 & 3 {
                0 => archive(&[("readme.txt", b"x"), (name, rest)], method),
                1 => archive(&[(name, rest), ("b.ifc", PIPE.as_bytes())], method),
                _ => archive(&[(name, rest)], method),
            }
        }
        _ => input.to_vec(),
    };
    let nested = archive(
        &[("b.zip", &archive(&[("a.ifc", b"x")], CompressionMethod::Stored)), ("../a.ifc", PIPE.as_bytes())],
        CompressionMethod::Deflated,
    );
    let facts = model("IFC4", RECORDS);
    let packed = archive(&[("a.ifc", facts.as_bytes())], CompressionMethod::Deflated);
    let seeds = (0..8).map(|n| marked(&[n, n], PIPE));
    let words =
        ["PK\x03\x04", "PK\x01\x02", "PK\x05\x06", "PK\x06\x06", "PK\x06\x07", "../", "a.ifc", "\0\0", "IFCWALL("];
    let mut read = by_file("fuzz.ifczip", |path| came_to(import::read_within(path, &limits(), &Progress::default())));
    Fuzz::new("ifczip")
        .seeds(seeds)
        .seeds([marked(&[255, 0], packed), marked(&[255, 0], nested)])
        .words(&words)
        .run(move |input| read(&pack(input)));
}

const LAYERS: [&str; 4] = [
    r#"{"type":"FeatureCollection","crs":{"type":"name","properties":{"name":"EPSG:2056"}},"features":[
{"type":"Feature","id":"B1","properties":{"kind":"building","height":9.0,"name":"Lab"},"geometry":{"type":"Polygon",
"coordinates":[[[2683100,1247400,408],[2683110,1247400,408],[2683110,1247420,408],[2683100,1247400,408]]]}},
{"type":"Feature","id":2,"properties":{"kind":"tree","height":8},"geometry":{"type":"Point","coordinates":[2683120,1247400]}}]}"#,
    r#"{"type":"Feature","properties":null,"geometry":{"type":"MultiPolygon","coordinates":[[[[8.5,47.3],[8.6,47.3],[8.6,47.4],
[8.5,47.3]],[[8.52,47.31],[8.54,47.31],[8.54,47.33],[8.52,47.31]]],[[[9,48],[9.1,48],[9.1,48.1],[9,48]]]]}}"#,
    r#"{"type":"GeometryCollection","geometries":[{"type":"LineString","coordinates":[[8.5,47.3],[8.6,47.3]]},
{"type":"MultiPoint","coordinates":[[8.5,47.3],[8.6,47.3]]},{"type":"MultiLineString","coordinates":[[[1,2],[3,4]]]}]}"#,
    r##"{"type":"FeatureCollection","bbox":[8.5,47.3,8.6,47.4],"features":[
{"type":"Feature","properties":{"kind":"road","width":"6 m","layer":-1,"tags":["a",{"b":null}]},
"geometry":{"type":"LineString","coordinates":[[8.5,47.3,400],[8.51,47.3,401],[8.51,47.3,401],[8.5,47.3,400]]}},
{"type":"Feature","id":"B1","properties":{"building":"yes","building:levels":4,"min_height":3,"colour":"#8a2"},
"geometry":{"type":"GeometryCollection","geometries":[{"type":"Point","coordinates":[8.5,47.3]}]}},
{"type":"Feature","id":"B1","properties":{"natural":"water"},"geometry":null}]}"##,
];

const LAYER_WORDS: [&str; 34] = [
    "{",
    "}",
    "[",
    "]",
    ",",
    ":",
    "\"",
    "null",
    "true",
    "\"type\":",
    "\"coordinates\":",
    "\"geometries\":",
    "\"features\":",
    "\"properties\":",
    "\"id\":",
    "[[[[",
    "]]]]",
    "[8.5,47.3],",
    "Polygon",
    "MultiPolygon",
    "Point",
    "MultiPoint",
    "LineString",
    "GeometryCollection",
    "FeatureCollection",
    "EPSG:4326",
    "EPSG:2056",
    "urn:ogc:def:crs:OGC:1.3:CRS84",
    "height",
    "kind",
    "building",
    "[1e400,0]",
    "\\u0000",
    "\\ud800",
];

pub fn geojson() {
    let clinic = Path::new(env!("CARGO_MANIFEST_DIR")).join("models/clinic/site.geojson");
    // The demo's layer by its first features.
    let text = std::fs::read_to_string(clinic).unwrap();
    let own: Vec<String> = Some(text).filter(|t| t.len() <= crate::mutate::LONGEST).into_iter().collect();
    Fuzz::new("geojson")
        .seeds(LAYERS)
        .seeds(own)
        .words(&LAYER_WORDS)
        .run(|input| came_to(read_bytes(input, "fuzz.geojson", &Progress::default())));
}

/// A file whose name says nothing: what it is, is told by its first bytes.
pub fn any_file() {
    let names = ["fuzz", "fuzz.json", "fuzz.zip", "fuzz.xml", "fuzz.ifcx", "fuzz.xls", "fuzz.tsv", "fuzz.dwg"];
    let folder = tempfile::tempdir().unwrap();
    let packed = archive(&[("a.ifc", PIPE.as_bytes())], CompressionMethod::Stored);
    // The first byte chooses the name.
    let named = |bytes: &[u8]| (0..names.len() as u8).map(|n| marked(&[n], bytes)).collect::<Vec<_>>();
    Fuzz::new("any_file")
        .seeds(named(PIPE.as_bytes()))
        .seeds(named(LAYERS[0].as_bytes()))
        .seeds(named(&packed))
        .seeds(named(b"Tag\tName\nP-1\tPump\n"))
        .words(&["ISO-10303-21", "PK\x03\x04", "\u{feff}", "{", "FeatureCollection", "<?xml", "ifcx", "\t", ";"])
        .run(|input| {
            let Some((first, bytes)) = input.split_first() else { return 0 };
            let path = folder.path().join(names[usize::from(*first) % names.len()]);
            std::fs::write(&path, bytes).unwrap();
            came_to(import::read_within(&path, &limits(), &Progress::default()))
        });
}
