//! `plenum check` as people and scripts run it.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;
mod ids_common;

use common::{json, plenum, said};
use serde_json::Value;
use std::path::{Path, PathBuf};

const TWIN: &str = "name = \"Test house\"\n\n[[models]]\nfile = \"model.ifc\"\n\n[naming]\nIfcPump = \"^P-[0-9]{2}$\"\n\
                    IfcWall = \"^W-\"\n";

/// A project of one small model: it has what [`ids_common::RECORDS`] has, and a slab whose body is broken.
fn project() -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let records = format!(
        "{}#200=IFCSLAB('0000000000000000000200',$,'Slab',$,$,$,#201,$,$);\n#201=IFCPRODUCTDEFINITIONSHAPE($,$,(#202));\n\
         #202=IFCSHAPEREPRESENTATION($,'Body','Brep',(#203));\n#203=IFCFACETEDBREP(#204);\n\
         #205=IFCPUMP('0000000000000000000205',$,'Pump',$,$,$,$,'P-01',$);\n",
        ids_common::RECORDS
    );
    std::fs::write(folder.path().join("model.ifc"), ids_common::model("IFC4", &records)).unwrap();
    std::fs::write(folder.path().join("twin.toml"), TWIN).unwrap();
    let path = folder.path().to_path_buf();
    (folder, path)
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

fn kinds(document: &Value) -> Vec<&str> {
    document["items"].as_array().unwrap().iter().map(|i| i["kind"].as_str().unwrap()).collect()
}

#[test]
fn the_whole_document() {
    let (_folder, path) = project();
    let output = plenum(&["check", text(&path), "--json"]);
    let document = json(&output);
    assert_eq!((output.status.code(), said(&output, 0).as_str()), (Some(0), ""), "{document:#}");
    let scores = &document["scores"];
    let model = scores["model"].as_f64().unwrap();
    assert!(model > 0.0 && model < 100.0, "{model}");
    // No point is declared; quality and ownership are not judged: null, and there.
    for score in ["mapping", "quality", "ownership"] {
        assert!(scores.as_object().unwrap().contains_key(score) && scores[score].is_null(), "{score}");
    }
    assert!(document["ids"].is_null());
    for item in document["items"].as_array().unwrap() {
        for field in ["kind", "where", "message", "remedy"] {
            assert!(item[field].is_string(), "{field} of {item}");
        }
    }
    let kinds = kinds(&document);
    for kind in [
        "no-geometry",
        "no-storey",
        "no-type",
        "no-system",
        "no-port",
        "no-quantities",
        "no-tag",
        "duplicate-tag",
        "naming",
        "no-zone",
        "no-georeference",
    ] {
        assert!(kinds.contains(&kind), "{kind} is not in {kinds:?}");
    }
    let item = |kind: &str| document["items"].as_array().unwrap().iter().find(|i| i["kind"] == kind).unwrap().clone();
    assert!(item("no-geometry")["where"].as_str().unwrap().starts_with("0000000000000000000200"));
    assert_eq!(item("naming")["where"], "0000000000000000000021 Wänd 2");
    assert_eq!(item("no-tag")["class"], "IfcSensor");
    let check = |kind: &str| document["checks"].as_array().unwrap().iter().find(|c| c["kind"] == kind).unwrap().clone();
    assert_eq!((check("naming")["affected"].as_u64(), check("naming")["of"].as_u64()), (Some(1), Some(4)));
    assert_eq!(document["models"][0]["file"], "model.ifc");
    assert_eq!(document["models"][0]["elements"], 7);
}

#[test]
fn a_demand_is_met_or_not() {
    let (_folder, path) = project();
    let demand = path.join("demand.ids");
    let text_of = |class: &str, requirement: &str| {
        ids_common::specification(
            "IFC4",
            "minOccurs=\"1\" maxOccurs=\"unbounded\"",
            &ids_common::entity(class),
            requirement,
        )
    };
    std::fs::write(&demand, text_of("IFCPUMP", &ids_common::attribute("Description", ""))).unwrap();
    let output = plenum(&["check", text(&path), "--ids", text(&demand), "--json"]);
    said(&output, 0);
    let document = json(&output);
    let specification = &document["ids"]["specifications"][0];
    assert_eq!(document["ids"]["title"], "Demands");
    for (field, value) in [
        ("name", Value::from("The demand")),
        ("status", "fail".into()),
        ("applicable", 2.into()),
        ("passed", 1.into()),
        ("failed", 1.into()),
        ("instructions", "Add it".into()),
    ] {
        assert_eq!(specification[field], value, "{field}");
    }
    assert_eq!(specification["failing"][0]["id"], "0000000000000000000205");
    let items = document["items"].as_array().unwrap();
    let item = items.iter().find(|i| i["kind"] == "ids").unwrap();
    assert_eq!(item["where"], "0000000000000000000205 P-01");
    assert!(item["message"].as_str().unwrap().contains("Description"), "{item}");
    assert_eq!((item["remedy"].as_str(), item["file"].as_str()), (Some("Add it"), Some("model.ifc")));

    let printed = plenum(&["check", text(&path), "--ids", text(&demand)]);
    let printed = String::from_utf8_lossy(&printed.stdout).into_owned();
    assert!(printed.contains("NOT MET      The demand: 1 of 2"), "{printed}");
    // Nothing in it can be checked: that is said, and it does not pass.
    std::fs::write(&demand, text_of("IFCPUMP", "<geometry/>")).unwrap();
    let output = plenum(&["check", text(&path), "--ids", text(&demand), "--json"]);
    let document = json(&output);
    assert_eq!(document["ids"]["specifications"][0]["status"], "not-checked");
    assert!(kinds(&document).contains(&"ids"));
}

#[test]
fn findings_fail_only_when_strict() {
    let (_folder, path) = project();
    assert_eq!(plenum(&["check", text(&path)]).status.code(), Some(0));
    let strict = plenum(&["check", text(&path), "--strict", "--json"]);
    assert!(said(&strict, 1).contains("--strict allows none"));
    assert!(json(&strict)["scores"]["model"].is_number(), "the document is printed all the same");
}

#[test]
fn the_data_of_the_last_week_have_a_score() {
    let (_folder, path) = project();
    let points = "flow = { unit = \"m3/h\", stale_after_s = 120 }\nspeed = { unit = \"%\", stale_after_s = 120 }\n";
    let twin = format!(
        "{TWIN}\n[templates.pump]\nmatch = {{ class = \"IfcPump\" }}\n[templates.pump.points]\n{points}\n\
         [[bindings]]\ntemplates = [\"pump\"]\ntopic = \"house/{{tag}}/{{role}}\"\n"
    );
    std::fs::write(path.join("twin.toml"), twin).unwrap();
    let none = json(&plenum(&["check", text(&path), "--json"]));
    assert!(none["scores"]["mapping"].is_number() && none["scores"]["quality"].is_null(), "{none:#}");
    // Two days until now, of one point without two hours, of the other nothing.
    let now = i64::try_from(std::time::SystemTime::UNIX_EPOCH.elapsed().unwrap().as_millis()).unwrap();
    let minutes = (1..=2880i64).rev().filter(|m| !(600..720).contains(m));
    let lines = minutes.map(|m| format!("{},{}\n", plenum::Time(now - m * 60_000), 20 + m % 7));
    let table = path.join("table.csv");
    std::fs::write(&table, format!("time,P-01/flow [m3/h]\n{}", lines.collect::<String>())).unwrap();
    said(&plenum(&["history", "append", text(&path), text(&table), "--new"]), 0);
    let document = json(&plenum(&["check", text(&path), "--json"]));
    // Of 50 in weights: half of 10 for silence, half of 5 for gaps.
    assert_eq!(document["scores"]["quality"].as_f64(), Some(85.0), "{document:#}");
    let items = document["items"].as_array().unwrap();
    let of = |kind: &str| items.iter().find(|i| i["kind"] == kind).unwrap();
    assert_eq!((&of("silent")["where"], &of("gaps")["where"]), (&"P-01/speed".into(), &"P-01/flow".into()));
    assert!(of("gaps")["message"].as_str().unwrap().contains("the longest gap is 7260 s"), "{}", of("gaps"));
    let printed = String::from_utf8_lossy(&plenum(&["check", text(&path)]).stdout).into_owned();
    assert!(printed.contains("quality 85.0") && printed.contains("Points with gaps: 1 of 2"), "{printed}");
    std::fs::write(path.join(".plenum/history.db"), "no history at all, but some text that is long enough").unwrap();
    let broken = plenum(&["check", text(&path), "--json"]);
    assert!(said(&broken, 0).contains("history.db") && json(&broken)["scores"]["quality"].is_null());
}

#[test]
fn for_people() {
    let (_folder, path) = project();
    let output = plenum(&["check", text(&path), "--limit", "1"]);
    let printed = String::from_utf8_lossy(&output.stdout).into_owned();
    for words in [
        "Test house: 1 model, 7 elements",
        "scores of 100: model ",
        "mapping –, quality –, ownership –",
        "Elements without a storey: ",
        "and 1 more",
        "→ ",
        "Clean: ",
    ] {
        assert!(printed.contains(words), "{words} is not in\n{printed}");
    }
    assert!(!printed.contains('\u{1b}'), "no colours where nobody looks");
    let limited = json(&plenum(&["check", text(&path), "--limit", "1", "--json"]));
    let kinds = kinds(&limited);
    assert!(kinds.iter().all(|k| kinds.iter().filter(|o| o == &k).count() == 1), "{kinds:?}");
}

#[test]
fn what_is_wrong_is_said() {
    let (_folder, path) = project();
    let bad = path.join("bad.ids");
    std::fs::write(&bad, "<?xml version=\"1.0\"?>\n<html/>").unwrap();
    let words = said(&plenum(&["check", text(&path), "--ids", text(&bad), "--json"]), 1);
    assert!(words.contains("bad.ids:2") && words.contains("no IDS file"), "{words}");
    assert!(said(&plenum(&["check", text(&path), "--ids", "nowhere.ids"]), 1).contains("nowhere.ids"));
    assert!(said(&plenum(&["check", "nowhere"]), 1).contains("no such file"));
    said(&plenum(&["check"]), 2);
    said(&plenum(&["check", text(&path), "--limit", "many"]), 2);
    // A rule that is no expression is told with its line, and the others count.
    std::fs::write(path.join("twin.toml"), TWIN.replace("^W-", "W-(") + "pump = \"x\"\nIfcFan = 3\n").unwrap();
    let document = json(&plenum(&["check", text(&path), "--json"]));
    let import: Vec<&Value> = document["items"].as_array().unwrap().iter().filter(|i| i["kind"] == "import").collect();
    let told = |line: &str, words: &str| {
        import.iter().any(|i| i["where"] == line && i["message"].as_str().unwrap().contains(words))
    };
    assert!(told("twin.toml:8", "no regular expression"), "{import:#?}");
    assert!(told("twin.toml:9", "no IFC class") && told("twin.toml:10", "is a number"), "{import:#?}");
    let check = document["checks"].as_array().unwrap().iter().find(|c| c["kind"] == "naming").unwrap();
    assert_eq!((check["affected"].as_u64(), check["of"].as_u64()), (Some(0), Some(2)));
}

#[test]
fn the_clinic_is_nearly_ready() {
    let clinic = Path::new(env!("CARGO_MANIFEST_DIR")).join("models/clinic");
    let document = json(&plenum(&["check", text(&clinic), "--json"]));
    let scores = &document["scores"];
    assert!(scores["model"].as_f64().unwrap() > 85.0, "{scores}");
    assert!(scores["mapping"].as_f64().unwrap() > 90.0, "{scores}");
    assert_eq!(document["models"].as_array().unwrap().len(), 2, "the map layer is no building model");
    let kinds = kinds(&document);
    for kind in ["import", "duplicate-id", "no-geometry", "no-storey", "no-georeference", "point-without-element"] {
        assert!(!kinds.contains(&kind), "{kind}");
    }
}
