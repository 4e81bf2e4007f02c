//! `plenum import` as people and scripts run it.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use serde_json::Value;
use std::path::Path;
use std::process::{Command, Output};

const LAYER: &str = r#"{"type": "FeatureCollection",
 "crs": {"type": "name", "properties": {"name": "EPSG:2056"}},
 "features": [
  {"type": "Feature", "id": "B1", "properties": {"kind": "building", "height": 9.0, "name": "Lab"},
   "geometry": {"type": "Polygon", "coordinates": [[[2683100, 1247400, 408], [2683110, 1247400, 408],
    [2683110, 1247420, 408], [2683100, 1247420, 408], [2683100, 1247400, 408]]]}},
  {"type": "Feature", "id": "T1", "properties": {"kind": "tree", "height": 8},
   "geometry": {"type": "Point", "coordinates": [2683120, 1247400, 408]}}]}"#;

fn plenum(folder: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_plenum"))
        .arg("import")
        .args(arguments)
        .current_dir(folder)
        .env("PLENUM_CACHE", "off")
        .output()
        .unwrap()
}

fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("site.geojson"), LAYER).unwrap();
    folder
}

fn json(output: &Output) -> Value {
    serde_json::from_slice(&output.stdout).unwrap_or_else(|e| panic!("{e}: {output:?}"))
}

fn names_in(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> =
        std::fs::read_dir(folder).unwrap().map(|e| e.unwrap().file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    names
}

#[test]
fn the_whole_document() {
    let folder = folder();
    let output = plenum(folder.path(), &["site.geojson", "--json", "--elements", "out.jsonl", "--cache", "off"]);
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    let document = json(&output);
    let file = &document["files"][0];
    // Every field of the contract, and what it must be here.
    for (field, expected) in [
        ("file", Value::from("site.geojson")),
        ("kind", "geojson".into()),
        ("schema", "EPSG:2056".into()),
        ("bytes", LAYER.len().into()),
        ("from_cache", false.into()),
        ("elements", 2.into()),
        ("with_geometry", 2.into()),
        ("without_openings", 0.into()),
        ("shapes", 2.into()),
        ("storeys", 0.into()),
        ("spaces", 0.into()),
        ("zones", 0.into()),
        ("systems", 0.into()),
        ("connection_points", 0.into()),
        ("connections", 0.into()),
        ("inferred_connections", 0.into()),
        ("property_sets", 0.into()),
        ("quantities", 0.into()),
        ("materials", 0.into()),
        ("problems", Value::Array(vec![])),
    ] {
        assert!(file.as_object().unwrap().contains_key(field), "{field} is not there");
        assert_eq!(file[field], expected, "{field}");
    }
    assert!(file["seconds"].as_f64().unwrap() > 0.0 && file["triangles"].as_u64().unwrap() > 12);
    assert_eq!(file["bounds_m"][0][2], 0.0);
    assert_eq!(file["georeference"]["crs"], "EPSG:2056");
    assert_eq!(file["georeference"]["origin_m"], serde_json::json!([2683100.0, 1247400.0, 408.0]));
    assert!(document["peak_rss_mb"].is_null() || document["peak_rss_mb"].as_f64().unwrap() > 1.0);

    let lines = std::fs::read_to_string(folder.path().join("out.jsonl")).unwrap();
    let lines: Vec<Value> = lines.lines().map(|l| serde_json::from_str(l).unwrap()).collect();
    assert_eq!(lines.len(), 2);
    assert_eq!((lines[0]["id"].as_str(), lines[0]["type"].as_str()), (Some("B1"), Some("building")));
    assert!((lines[0]["volume_m3"].as_f64().unwrap() - 1800.0).abs() < 0.1);
    assert_eq!(lines[0]["bounds_m"], serde_json::json!([[0.0, 0.0, 0.0], [10.0, 20.0, 9.0]]));
    assert_eq!(lines[0]["properties"]["Properties"]["height"], 9.0);
    assert_eq!(lines[0]["colour"].as_array().unwrap().len(), 4);
    assert_eq!(names_in(folder.path()), ["out.jsonl", "site.geojson"], "nothing is left behind");
}

/// A field is there, and is of the type that the contract says: `?` after it where it may be null.
fn is_of(place: &str, document: &Value, fields: &[(&str, &str)]) {
    let object = document.as_object().unwrap_or_else(|| panic!("{place}: {document}"));
    for (field, kind) in fields {
        let value = object.get(*field).unwrap_or_else(|| panic!("{place}: `{field}` is not there"));
        let fits = match kind.trim_end_matches('?') {
            "text" => value.is_string(),
            "count" => value.is_u64(),
            "number" => value.is_number(),
            "truth" => value.is_boolean(),
            "list" => value.is_array(),
            "object" => value.is_object(),
            "texts" => value.as_array().is_some_and(|list| list.iter().all(Value::is_string)),
            "place" => numbers(value, 3),
            "colour" => numbers(value, 4),
            "box" => {
                value.as_array().is_some_and(|corners| corners.len() == 2 && corners.iter().all(|c| numbers(c, 3)))
            }
            other => panic!("{other}"),
        };
        assert!(fits || (kind.ends_with('?') && value.is_null()), "{place}: `{field}` is no {kind}: {value}");
    }
}

fn numbers(value: &Value, count: usize) -> bool {
    value.as_array().is_some_and(|list| list.len() == count && list.iter().all(Value::is_number))
}

/// Every field of the contract, by type and by what it must be, of a file that has everything.
#[test]
fn an_ifc_file_has_every_field_and_so_has_each_of_its_elements() {
    let folder = tempfile::tempdir().unwrap();
    let clinic = Path::new(env!("CARGO_MANIFEST_DIR")).join("models/clinic/clinic-mep.ifc");
    let output = plenum(folder.path(), &[clinic.to_str().unwrap(), "--json", "--elements", "out.jsonl"]);
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    let document = json(&output);
    is_of("document", &document, &[("files", "list"), ("peak_rss_mb", "number?")]);
    let file = &document["files"][0];
    let counts = "bytes elements with_geometry without_openings triangles shapes storeys spaces zones systems \
                  connection_points connections inferred_connections property_sets quantities materials";
    let counts: Vec<(&str, &str)> = counts.split_whitespace().map(|f| (f, "count")).collect();
    is_of("file", file, &counts);
    let others = [("file", "text"), ("kind", "text"), ("schema", "text"), ("seconds", "number")];
    is_of("file", file, &others);
    let others = [("from_cache", "truth"), ("bounds_m", "box"), ("georeference", "object"), ("problems", "list")];
    is_of("file", file, &others);
    let georeference = [("crs", "text"), ("origin_m", "place"), ("rotation_deg", "number")];
    is_of("georeference", &file["georeference"], &georeference);
    assert_eq!((&file["kind"], &file["schema"], &file["from_cache"]), (&"ifc".into(), &"IFC4".into(), &false.into()));
    assert_eq!(file["bytes"], std::fs::metadata(&clinic).unwrap().len());

    let lines = std::fs::read_to_string(folder.path().join("out.jsonl")).unwrap();
    let lines: Vec<Value> = lines.lines().map(|l| serde_json::from_str(l).unwrap()).collect();
    let (mut triangles, mut drawn, mut corners) = (0, 0, [f64::INFINITY, f64::NEG_INFINITY]);
    for line in &lines {
        let id = line["id"].as_str().unwrap_or_default();
        is_of(id, line, &[("id", "text"), ("type", "text"), ("name", "text"), ("storey", "text?"), ("space", "text?")]);
        is_of(
            id,
            line,
            &[("systems", "texts"), ("triangles", "count"), ("bounds_m", "box?"), ("volume_m3", "number?")],
        );
        is_of(id, line, &[("colour", "colour?"), ("properties", "object")]);
        let sets = line["properties"].as_object().unwrap();
        assert!(sets.values().all(Value::is_object) && id.len() == 22, "{line}");
        triangles += line["triangles"].as_u64().unwrap();
        drawn += usize::from(!line["bounds_m"].is_null());
        if let [Some(low), Some(high)] = [0, 1].map(|corner| line["bounds_m"][corner][2].as_f64()) {
            corners = [corners[0].min(low), corners[1].max(high)];
        }
    }
    // What the document counts is what the lines say.
    assert_eq!(
        (file["elements"].as_u64(), file["with_geometry"].as_u64()),
        (Some(lines.len() as u64), Some(drawn as u64))
    );
    assert_eq!(file["triangles"].as_u64(), Some(triangles));
    assert_eq!([0, 1].map(|corner| file["bounds_m"][corner][2].as_f64().unwrap()), corners);
    assert!(
        lines.len() > 3000 && file["connections"].as_u64().unwrap() > 3000 && file["systems"].as_u64().unwrap() > 10
    );
}

#[test]
fn what_has_no_reader_yet_is_refused_by_its_name() {
    let folder = tempfile::tempdir().unwrap();
    for (name, text, words) in [
        ("a.ifcxml", "<?xml version=\"1.0\"?><ifc:ifcXML/>", "ifcXML"),
        ("a.ifc", "<?xml version=\"1.0\"?><ifc:ifcXML/>", "ifcXML"),
        ("a.ifcx", "{\"header\":{\"id\":\"x\",\"ifcxVersion\":\"ifcx_alpha\"}}", "IFCX"),
        ("a.city.json", "{\n  \"type\": \"CityJSON\", \"version\": \"2.0\"}", "CityJSON"),
        ("a.json", "{\"nodes\": []}", "JSON file that is no GeoJSON"),
        ("a.shp", "\0\0\x27\x0a", "Shapefile"),
        ("a.gpkg", "SQLite format 3\0", "GeoPackage"),
        ("a.tif", "II*\0", "GeoTIFF"),
        ("a.inp", "[TITLE]\n", "EPANET"),
        ("a.rvt", "x", "Revit"),
        ("a.ids", "x", "does not know"),
    ] {
        std::fs::write(folder.path().join(name), text).unwrap();
        let output = plenum(folder.path(), &[name, "--json"]);
        assert_eq!(output.status.code(), Some(1), "{name}");
        let problem = &json(&output)["files"][0]["problems"][0];
        assert_eq!((&problem["severity"], &problem["where"]), (&"error".into(), &name.into()), "{problem}");
        assert!(problem["message"].as_str().unwrap().contains(words), "{name}: {problem}");
        assert!(!problem["remedy"].as_str().unwrap().is_empty(), "{name}: {problem}");
    }
}

/// The geometry library has much to say of this file's plan symbols, which it does not draw.
#[test]
fn only_the_document_and_nothing_else_is_printed() {
    let Some(samples) = std::env::var_os("PLENUM_SAMPLES") else {
        eprintln!("SKIPPED: PLENUM_SAMPLES names no folder of sample models");
        return;
    };
    let file = Path::new(&samples).join("ifc").join("duplex-electrical.ifc");
    let output = plenum(Path::new("."), &[file.to_str().unwrap(), "--json"]);
    assert_eq!(output.status.code(), Some(0));
    assert!(json(&output)["files"][0]["elements"].as_u64().is_some_and(|n| n > 0));
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
}

#[test]
fn one_bad_file_is_told_beside_the_good_one() {
    let folder = folder();
    let output = plenum(folder.path(), &["missing.ifc", "site.geojson", "--json"]);
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    let files = &json(&output)["files"];
    assert_eq!(files[0]["problems"][0]["severity"], "error");
    assert_eq!(files[0]["problems"][0]["where"], "missing.ifc");
    assert!(files[0]["elements"].is_null() && files[1]["elements"] == 2);
    assert!(String::from_utf8_lossy(&output.stderr).contains("missing.ifc"));
}

#[test]
fn for_people() {
    let folder = folder();
    let output = plenum(folder.path(), &["site.geojson"]);
    assert_eq!(output.status.code(), Some(0));
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(text.contains("2 elements, 2 with geometry") && text.contains("EPSG:2056"), "{text}");
    assert!(!text.contains('\u{1b}'), "no colours where nobody looks");
}

#[test]
fn wrong_use_is_exit_2() {
    let folder = folder();
    let output = plenum(folder.path(), &["site.geojson", "--cache", "site.geojson"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).contains("this is no folder"), "{output:?}");
    assert_eq!(plenum(folder.path(), &[]).status.code(), Some(2));
    assert_eq!(plenum(folder.path(), &["site.geojson", "--patience", "soon"]).status.code(), Some(2));
}

#[test]
fn what_cannot_be_written_is_said_and_nothing_is_left() {
    let folder = folder();
    for target in ["no/such/folder/out.jsonl", "."] {
        let output = plenum(folder.path(), &["site.geojson", "--json", "--elements", target]);
        assert_eq!(output.status.code(), Some(1), "{target}");
        assert!(!String::from_utf8_lossy(&output.stderr).trim().is_empty());
    }
    let kept = folder.path().join("kept.jsonl");
    std::fs::write(&kept, "before").unwrap();
    let mut permissions = std::fs::metadata(&kept).unwrap().permissions();
    permissions.set_readonly(true);
    std::fs::set_permissions(&kept, permissions.clone()).unwrap();
    let output = plenum(folder.path(), &["site.geojson", "--elements", "kept.jsonl"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&output.stderr).contains("read-only"), "{output:?}");
    assert_eq!(std::fs::read_to_string(&kept).unwrap(), "before");
    // A file that fails to be read leaves what was written before alone.
    std::fs::write(folder.path().join("old.jsonl"), "before").unwrap();
    assert_eq!(names_in(folder.path()), ["kept.jsonl", "old.jsonl", "site.geojson"]);
}

#[cfg(unix)]
#[test]
fn a_full_disk_is_said() {
    // The one disk that is always full.
    if !Path::new("/dev/full").exists() {
        return;
    }
    let folder = folder();
    let full = std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    let status = Command::new(env!("CARGO_BIN_EXE_plenum"))
        .args(["import", "site.geojson", "--json", "--cache", "off"])
        .current_dir(folder.path())
        .stdout(full)
        .output()
        .unwrap();
    assert_eq!(status.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&status.stderr).contains("cannot write the result"), "{status:?}");
}

/// Text that claims millions of points, knots and corners, and has none of them.
#[test]
fn claims_do_not_fill_the_memory() {
    let head = "ISO-10303-21;\nHEADER;\nFILE_DESCRIPTION((''),'2;1');\nFILE_NAME('','',(''),(''),'','','');\n\
        FILE_SCHEMA(('IFC4'));\nENDSEC;\nDATA;\n\
        #1=IFCPROJECT('0Proj00000000000000001',$,'P',$,$,$,$,(#10),#20);\n\
        #10=IFCGEOMETRICREPRESENTATIONCONTEXT($,'Model',3,1.E-5,#11,$);\n\
        #11=IFCAXIS2PLACEMENT3D(#12,$,$);\n#12=IFCCARTESIANPOINT((0.,0.,0.));\n\
        #13=IFCCARTESIANPOINT((1.,0.,0.));\n#14=IFCCARTESIANPOINT((0.,1.,1.));\n\
        #20=IFCUNITASSIGNMENT((#21));\n#21=IFCSIUNIT(*,.LENGTHUNIT.,$,.METRE.);\n\
        #31=IFCLOCALPLACEMENT($,#11);\n\
        #40=IFCCARTESIANPOINTLIST3D(((0.,0.,0.),(1.,0.,0.),(0.,1.,0.)));\n";
    let claims = [
        ("Tessellation", "#50=IFCTRIANGULATEDFACESET(#40,$,.F.,((1,2,10000000),(4294967295,2,3),(1,2,3)),$);"),
        (
            "Tessellation",
            "#50=IFCPOLYGONALFACESET(#40,.F.,(#51),(10000000));\n#51=IFCINDEXEDPOLYGONALFACE((1,2,3,10000000));",
        ),
        (
            "AdvancedSweptSolid",
            "#50=IFCSWEPTDISKSOLID(#51,0.1,$,0.,10000000.);\n#51=IFCBSPLINECURVEWITHKNOTS(3,(#12,#13,#14),\
             .UNSPECIFIED.,.F.,.F.,(10000000,10000000),(0.,10000000.),.UNSPECIFIED.);",
        ),
        (
            "SweptSolid",
            "#50=IFCEXTRUDEDAREASOLID(#51,#11,#52,1.E12);\n#52=IFCDIRECTION((0.,0.,1.));\n\
             #51=IFCCIRCLEPROFILEDEF(.AREA.,$,$,1.E12);",
        ),
        (
            "AdvancedSweptSolid",
            "#50=IFCSWEPTDISKSOLID(#51,1.E-9,$,0.,1.);\n#51=IFCCIRCLE(#53,1.E9);\n#53=IFCAXIS2PLACEMENT3D(#12,$,$);",
        ),
    ];
    for (i, (kind, claim)) in claims.iter().enumerate() {
        let folder = tempfile::tempdir().unwrap();
        let text = format!(
            "{head}{claim}\n#60=IFCSHAPEREPRESENTATION(#10,'Body','{kind}',(#50));\n\
             #61=IFCPRODUCTDEFINITIONSHAPE($,$,(#60));\n\
             #70=IFCBUILDINGELEMENTPROXY('0Elem0000000000000000{i}',$,'claim',$,$,#31,#61,$,$);\n\
             ENDSEC;\nEND-ISO-10303-21;\n"
        );
        std::fs::write(folder.path().join("claim.ifc"), text).unwrap();
        let output = plenum(folder.path(), &["claim.ifc", "--json", "--cache", "off"]);
        let document = json(&output);
        assert_eq!(document["files"][0]["elements"], 1, "{claim}: {document}");
        let peak = document["peak_rss_mb"].as_f64().unwrap();
        assert!(peak < 300.0, "{claim}: {peak} MB");
    }
}
