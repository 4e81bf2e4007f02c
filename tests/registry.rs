//! Asset registries as files: workbooks, COBie, CSV; damaged, bombed and made up.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use plenum::import::{Limits, Progress, registry};
use plenum::site::assets::{ItemKind, Registry, RegistryItem};
use plenum::site::model::PropertyValue;
use plenum::site::project::RegistryFile;
use plenum::{Problem, Severity};
use proptest::prelude::*;
use rust_xlsxwriter::{ExcelDateTime, Format, Workbook, Worksheet};
use std::io::Write;
use std::path::Path;
use zip::write::SimpleFileOptions;

fn named(file: &str) -> RegistryFile {
    RegistryFile { file: file.into(), ..RegistryFile::default() }
}

fn read(file: &str, bytes: &[u8]) -> Result<(Registry, Vec<Problem>), Problem> {
    registry::read_from(&named(file), bytes, &Limits::default(), &Progress::default())
}

fn attribute<'a>(item: &'a RegistryItem, name: &str) -> Option<&'a PropertyValue> {
    item.attributes.iter().find(|(n, _)| n == name).map(|(_, v)| v)
}

fn text(words: &str) -> PropertyValue {
    PropertyValue::Text(words.into())
}

fn fill(sheet: &mut Worksheet, first: u32, rows: &[&[&str]]) {
    for (r, cells) in rows.iter().enumerate() {
        for (c, cell) in cells.iter().enumerate().filter(|(_, c)| !c.is_empty()) {
            sheet.write_string(first + r as u32, c as u16, *cell).unwrap();
        }
    }
}

/// An equipment schedule as offices make them: a title, headings further down, numbers, dates, a formula that
/// failed, and a sheet that is no table of assets.
fn schedule() -> Vec<u8> {
    let mut workbook = Workbook::new();
    let date = Format::new().set_num_format("yyyy-mm-dd");
    let sheet = workbook.add_worksheet().set_name("Pumps").unwrap();
    fill(
        sheet,
        0,
        &[
            &["Equipment schedule"],
            &[],
            &["Mark", "Asset name", "Room No.", "Level", "Power", "Installed", "Running", "Remark", "Remark"],
            &["CHWP-1", "Pump 1", "0.01", "Level 0", "", "", "", "a", "b"],
            &["CHWP-2", "Pump 2", "n/a", "-"],
            &["", "", "", "", "total"],
        ],
    );
    sheet.write_number(3, 4, 7.5).unwrap();
    sheet.write_datetime_with_format(3, 5, ExcelDateTime::from_ymd(2024, 5, 17).unwrap(), &date).unwrap();
    sheet.write_boolean(3, 6, true).unwrap();
    sheet.write_number(4, 4, 11).unwrap();
    sheet.write_formula(4, 7, rust_xlsxwriter::Formula::new("=1/0").set_result("#DIV/0!")).unwrap();
    fill(workbook.add_worksheet().set_name("Cover").unwrap(), 0, &[&["Riverside Clinic"], &["Issued", "May"]]);
    fill(
        workbook.add_worksheet().set_name("Fans").unwrap(),
        0,
        &[&["Equipment ID", "Fed from"], &["AHU-1-SF", "DB-0"]],
    );
    workbook.save_to_buffer().unwrap()
}

#[test]
fn a_workbook_with_free_columns() {
    let (registry, problems) = read("schedule.xlsx", &schedule()).unwrap();
    assert_eq!((registry.kind.as_str(), registry.items.len()), ("xlsx", 3));
    let pump = &registry.items[0];
    assert_eq!((pump.tag.as_str(), pump.name.as_str(), pump.space.as_str()), ("CHWP-1", "Pump 1", "0.01"));
    assert_eq!((pump.storey.as_str(), pump.sheet.as_str(), pump.row), ("Level 0", "Pumps", 4));
    assert_eq!(attribute(pump, "Power"), Some(&PropertyValue::Real(7.5)));
    assert_eq!(attribute(pump, "Installed"), Some(&text("2024-05-17")));
    assert_eq!(attribute(pump, "Running"), Some(&PropertyValue::Boolean(true)));
    assert_eq!((attribute(pump, "Remark"), attribute(pump, "Remark (2)")), (Some(&text("a")), Some(&text("b"))));
    let second = &registry.items[1];
    assert_eq!((second.space.as_str(), second.storey.as_str()), ("", ""), "n/a and - say nothing");
    assert_eq!(attribute(second, "Power"), Some(&PropertyValue::Integer(11)));
    assert_eq!(attribute(second, "Room No."), None);
    assert_eq!(
        (registry.items[2].tag.as_str(), registry.items[2].fed_from.as_slice()),
        ("AHU-1-SF", ["DB-0".into()].as_slice())
    );
    let said = |place: &str, words: &str| {
        assert!(
            problems.iter().any(|p| p.place == place && p.message.contains(words)),
            "{place} {words}: {problems:#?}"
        );
    };
    said("schedule.xlsx, Pumps, row 6", "no `Mark` or `Asset name`");
    said("schedule.xlsx, Pumps, row 5, column H", "an error of Excel");
    said("schedule.xlsx, Cover", "left out");
    assert_eq!(problems.len(), 3, "{problems:#?}");
}

#[test]
fn the_project_says_which_sheet_and_columns() {
    let bytes = schedule();
    let read = |sheet: &str, columns: &[(&str, &str)]| {
        let columns = columns.iter().map(|(m, h)| ((*m).to_owned(), (*h).to_owned())).collect();
        let named = RegistryFile { sheet: Some(sheet.into()), columns, ..named("schedule.xlsx") };
        registry::read_from(&named, &bytes, &Limits::default(), &Progress::default())
    };
    let (registry, problems) = read("FANS", &[("name", "equipment id")]).unwrap();
    assert_eq!((registry.items.len(), registry.items[0].name.as_str(), problems.len()), (1, "AHU-1-SF", 0));
    assert_eq!(registry.items[0].tag, "", "one column means one thing");
    let (_, problems) = read("Fans", &[("space", "Place")]).unwrap();
    assert!(problems[0].message.contains("`Place`") && problems[0].remedy.contains("Fed from"), "{problems:?}");
    assert!(read("Valves", &[]).unwrap_err().remedy.contains("Pumps, Cover, Fans"));
    assert!(read("Cover", &[]).unwrap_err().message.contains("no column says which asset"));
}

/// A small handover in COBie: its sheets with their rows.
const HANDOVER: &[(&str, &[&[&str]])] = &[
    ("Contact", &[&["Email"], &["a@example.com"]]),
    ("Facility", &[&["Name", "CreatedBy", "Category", "ExternalFacilityIdentifier"], &["Clinic", "x", "Hospital", ""]]),
    ("Floor", &[&["Name", "ExtIdentifier", "Elevation"], &["Level 0", "0000000000000000000f00", "0"]]),
    (
        "Space",
        &[&["Name", "FloorName", "ext identifier", "RoomTag", "NetArea"], &["0.01", "Level 0", "n/a", "0.01", "12.5"]],
    ),
    ("Zone", &[&["Name", "SpaceNames"], &["North", "0.01,0.02"], &["Wet", "0.01"]]),
    (
        "Type",
        &[
            &["Name", "Description", "Manufacturer", "ModelNumber", "CreatedOn"],
            &["Pump 7.5", "In-line", "Wexmill", "WP-75", "2024-05-01T00:00:00"],
        ],
    ),
    (
        "Component",
        &[
            &["Name", "TypeName", "Space", "Ext Identifier", "Serial Number", "TagNumber", "CreatedBy"],
            &["Pump A", "Pump 7.5", "0.01, 0.02", "2OZcyTCOHTy9_m3T69Z292", "007", "CHWP-1", "x"],
            &["Pump B", "Gone", "0.01", "{00000000-0000-0000-0000-000000000001}", "", "", ""],
            &["", "Pump 7.5", "", "", "", "", ""],
        ],
    ),
    ("System", &[&["Name", "ComponentNames"], &["CHW", "Pump A"], &["CHW", "pump a; Pump B"]]),
    ("Assembly", &[&["Name", "SheetName", "ParentName", "ChildNames"], &["Set", "Component", "Pump A", "Pump B"]]),
    (
        "Attribute",
        &[
            &["Name", "SheetName", "RowName", "Value", "Unit"],
            &["Voltage", "Component", "Pump A", "230", "V"],
            &["Voltage", "Type", "Pump 7.5", "400", "V"],
            &["Duty", "Type", "Pump 7.5", "0.01", ""],
            &["Lost", "Component", "Pump Z", "1", ""],
        ],
    ),
];

/// The handover as a workbook.
fn handover() -> Vec<u8> {
    let mut workbook = Workbook::new();
    for (name, rows) in HANDOVER {
        fill(workbook.add_worksheet().set_name(*name).unwrap(), 0, rows);
    }
    workbook.save_to_buffer().unwrap()
}

/// The handover as a folder: one CSV file a sheet, called as `name` says.
fn handover_in(folder: &Path, name: impl Fn(&str) -> String) {
    for (sheet, rows) in HANDOVER {
        let line = |cells: &&[&str]| cells.iter().map(|c| format!("\"{c}\"")).collect::<Vec<_>>().join(",") + "\r\n";
        std::fs::write(folder.join(name(sheet)), rows.iter().map(line).collect::<String>()).unwrap();
    }
}

fn read_folder(folder: &Path, sheet: Option<&str>) -> Result<(Registry, Vec<Problem>), Problem> {
    let sheet = sheet.map(str::to_owned);
    let named = RegistryFile { file: folder.to_owned(), sheet, ..RegistryFile::default() };
    registry::read(&named, &Limits::default(), &Progress::default())
}

/// An item without the types of its cells: a spreadsheet's text `230` is a number in CSV.
fn as_text(item: &RegistryItem) -> RegistryItem {
    let attributes = item.attributes.iter().map(|(n, v)| (n.clone(), text(&v.to_string()))).collect();
    RegistryItem { attributes, ..item.clone() }
}

#[test]
fn cobie_in_a_folder_says_what_the_workbook_says() {
    let (workbook, in_workbook) = read("handover.xlsx", &handover()).unwrap();
    for name in [|s: &str| format!("{s}.csv"), |s: &str| format!("07 clinic_{}.TXT", s.to_uppercase())] {
        let folder = tempfile::tempdir().unwrap();
        handover_in(folder.path(), name);
        let (read, problems) = read_folder(folder.path(), None).unwrap();
        assert_eq!((read.kind.as_str(), read.file.as_path()), ("cobie", folder.path()));
        assert!(read.bytes > 900, "{}", read.bytes);
        let items = |r: &Registry| r.items.iter().map(as_text).collect::<Vec<_>>();
        assert_eq!(items(&read), items(&workbook));
        let told = |all: &[Problem], place: &str| {
            all.iter().map(|p| format!("{} {}", p.place.replace(place, ""), p.message)).collect::<Vec<_>>()
        };
        let place = folder.path().display().to_string();
        assert_eq!(told(&problems, &place), told(&in_workbook, "handover.xlsx"));
    }
}

#[test]
fn a_folder_says_which_sheets_are_missing_and_what_is_not_read() {
    let folder = tempfile::tempdir().unwrap();
    let place = folder.path().display().to_string();
    let gone = read_folder(folder.path(), None).unwrap_err();
    assert!(gone.message.contains("none at all") && gone.remedy.contains("Component.csv"), "{gone}");
    std::fs::write(folder.path().join("notes.csv"), "Tag,Name\nP-1,Pump\n").unwrap();
    let gone = read_folder(folder.path(), None).unwrap_err();
    assert!(gone.message.contains("notes.csv") && gone.place == place, "{gone}");
    handover_in(folder.path(), |s| format!("{s}.csv"));
    for sheet in ["Type", "Floor", "Zone", "System", "Attribute"] {
        std::fs::remove_file(folder.path().join(format!("{sheet}.csv"))).unwrap();
    }
    std::fs::write(folder.path().join("Facility.csv"), "").unwrap();
    std::fs::write(folder.path().join("old-space.csv"), "Name\n0.99\n").unwrap();
    std::fs::write(folder.path().join(".Component.csv"), "Name\nhidden\n").unwrap();
    std::fs::create_dir(folder.path().join("Zone.csv")).unwrap();
    let (read, problems) = read_folder(folder.path(), None).unwrap();
    let names: Vec<&str> = read.items.iter().map(|i| i.name.as_str()).collect();
    assert_eq!(names, ["0.01", "Pump A", "Pump B"]);
    let said = |end: &str, severity: Severity, words: &str| {
        let found = problems
            .iter()
            .any(|p| p.place.strip_prefix(&place) == Some(end) && p.severity == severity && p.message.contains(words));
        assert!(found, "{end} {words}: {problems:#?}");
    };
    said("", Severity::Warning, "there is no Type.csv: makers");
    said("", Severity::Warning, "there is no Floor.csv: storeys");
    said("", Severity::Warning, "there is no Facility.csv: the building");
    said("", Severity::Info, "there are no sheets Zone, System, Attribute");
    said("", Severity::Info, "no such sheets: notes.csv");
    said("", Severity::Info, "not read: the sheets Contact");
    said("/Facility.csv", Severity::Error, "the file is empty");
    said("/old-space.csv", Severity::Warning, "the sheet Space is read from Space.csv");
    // One of its tables, by name.
    let (one, problems) = read_folder(folder.path(), Some("NOTES")).unwrap();
    assert_eq!((one.kind.as_str(), one.items.len(), one.items[0].tag.as_str()), ("csv", 1, "P-1"));
    assert_eq!(problems, []);
    assert_eq!(read_folder(folder.path(), Some("component")).unwrap().0.items.len(), 2);
    let refused = read_folder(folder.path(), Some("Zone")).unwrap_err();
    assert!(refused.message.contains("Zone.csv") && refused.remedy.contains("notes.csv"), "{refused}");
}

#[test]
fn a_project_and_plenum_import_take_the_folder() {
    let folder = tempfile::tempdir().unwrap();
    let cobie = folder.path().join("handover");
    std::fs::create_dir(&cobie).unwrap();
    handover_in(&cobie, |s| format!("{s}.csv"));
    let model = Path::new(env!("CARGO_MANIFEST_DIR")).join("models/clinic/site.geojson");
    std::fs::copy(model, folder.path().join("site.geojson")).unwrap();
    let project = "name = \"House\"\n[[layers]]\nfile = \"site.geojson\"\n[[registries]]\nfile = \"handover\"\n";
    std::fs::write(folder.path().join("twin.toml"), project).unwrap();
    let output = common::plenum(&["assets", folder.path().to_str().unwrap(), "--json"]);
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    let registry = common::json(&output)["registries"][0].clone();
    assert_eq!(
        (&registry["registry"], &registry["kind"], &registry["rows"]),
        (&"handover".into(), &"cobie".into(), &5.into())
    );
    let row = registry["unmatched"][0]["row"].as_str().unwrap();
    assert!(row.ends_with("handover, Facility, row 2"), "{row}");
    let output = common::plenum(&["import", cobie.to_str().unwrap(), folder.path().to_str().unwrap(), "--json"]);
    assert_eq!(output.status.code(), Some(1), "a folder without COBie is none: {output:?}");
    let files = common::json(&output)["files"].clone();
    assert_eq!((&files[0]["kind"], &files[0]["rows"], &files[0]["elements"]), (&"cobie".into(), &5.into(), &0.into()));
    assert_eq!(files[1]["problems"][0]["message"], "this is a folder");
}

#[test]
fn a_cobie_workbook() {
    let (registry, problems) = read("handover.xlsx", &handover()).unwrap();
    assert_eq!(registry.kind, "cobie");
    let kinds: Vec<(ItemKind, &str)> = registry.items.iter().map(|i| (i.kind, i.name.as_str())).collect();
    use ItemKind::{Asset, Building, Space, Storey};
    assert_eq!(
        kinds,
        [(Building, "Clinic"), (Storey, "Level 0"), (Space, "0.01"), (Asset, "Pump A"), (Asset, "Pump B")]
    );
    let [_, floor, space, a, b] = &registry.items[..] else { panic!("five items") };
    assert_eq!(floor.global_id, "0000000000000000000f00");
    assert_eq!((space.global_id.as_str(), space.storey.as_str()), ("", "Level 0"));
    assert_eq!(
        (space.zones.as_slice(), attribute(space, "Zone")),
        (["North".into(), "Wet".into()].as_slice(), Some(&text("North, Wet")))
    );
    assert_eq!((a.tag.as_str(), a.space.as_str(), a.global_id.as_str()), ("CHWP-1", "0.01", "2OZcyTCOHTy9_m3T69Z292"));
    assert_eq!((a.systems.as_slice(), b.systems.as_slice()), (["CHW".into()].as_slice(), ["CHW".into()].as_slice()));
    assert_eq!((a.part_of.as_str(), b.part_of.as_str()), ("", "Pump A"));
    assert_eq!(b.global_id, "0000000000000000000001");
    assert_eq!(attribute(a, "Serial Number"), Some(&text("007")), "zeros stay");
    assert_eq!(attribute(a, "Manufacturer"), Some(&text("Wexmill")), "from its type");
    assert_eq!(attribute(a, "Voltage"), Some(&text("230")), "its own before its type's");
    assert_eq!((attribute(a, "Voltage unit"), attribute(a, "Duty")), (Some(&text("V")), Some(&text("0.01"))));
    assert_eq!(
        (attribute(a, "CreatedBy"), attribute(a, "CreatedOn"), attribute(a, "Ext Identifier")),
        (None, None, None)
    );
    let said = |place: &str, words: &str| {
        assert!(
            problems.iter().any(|p| p.place == place && p.message.contains(words)),
            "{place} {words}: {problems:#?}"
        );
    };
    said("handover.xlsx, Component, row 4", "no Name");
    said("handover.xlsx, Component, row 3", "type that the sheet Type has not");
    said("handover.xlsx, Attribute", "attributes of 1 things");
    said("handover.xlsx", "not read: the sheets Contact");
    assert_eq!(problems.len(), 4, "{problems:#?}");
}

#[test]
fn what_is_no_registry_is_refused_by_name() {
    let refused = |file: &str, bytes: &[u8], words: &str| {
        let problem = read(file, bytes).unwrap_err();
        assert!(problem.message.contains(words) && !problem.remedy.is_empty(), "{file}: {problem}");
    };
    refused("a.csv", b"Time,Flow\n1,2\n", "no column says which asset");
    refused("a.csv", b"\n\n,,\n", "empty");
    refused("a.xlsx", b"Tag,Name\n", "not an Excel workbook");
    refused("a.xls", &[0xD0, 0xCF, 0x11, 0xE0, 0, 0], "97 to 2003");
    refused("a.xlsx", b"PK\x03\x04nothing", "cannot be read");
    refused("a.xlsx", &archive(&[("word/document.xml", b"<x/>")]), "a Word document");
    refused("a.xlsx", &archive(&[("readme.txt", b"x")]), "an archive without a workbook");
    refused("a.xlsx", &archive(&[("xl/workbook.xml", b"<workbook>")]), "cannot be read");
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str| RegistryFile { file: folder.path().join(name), ..RegistryFile::default() };
    let gone = registry::read(&file("gone.csv"), &Limits::default(), &Progress::default()).unwrap_err();
    assert!(gone.remedy.contains("check the path"), "{gone}");
    std::fs::write(folder.path().join("empty.csv"), "").unwrap();
    let empty = registry::read(&file("empty.csv"), &Limits::default(), &Progress::default()).unwrap_err();
    assert!(empty.message.contains("empty"), "{empty}");
}

fn archive(parts: &[(&str, &[u8])]) -> Vec<u8> {
    let mut writer = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    for (name, bytes) in parts {
        writer.start_file(*name, SimpleFileOptions::default()).unwrap();
        writer.write_all(bytes).unwrap();
    }
    writer.finish().unwrap().into_inner()
}

/// Room for what a list only claims is never made: it would end the program.
#[test]
fn a_list_that_claims_billions_of_texts_is_refused() {
    let parts = |claim: &str| {
        let texts = format!("<!-- sst --><x:sst count='1' uniqueCount=\"{claim}\"><si><t>Tag</t></si></x:sst>");
        archive(&[("xl/workbook.xml", b"<workbook/>"), ("xl/sharedStrings.xml", texts.as_bytes())])
    };
    for claim in ["4294967295", "18446744073709551616", "99999999999999999999", " 4294967295", "+4294967295"] {
        let problem = read("claim.xlsx", &parts(claim)).unwrap_err();
        assert!(problem.message.contains("has no room for them"), "{claim}: {problem}");
    }
    let other = read("claim.xlsx", &parts("1000")).unwrap_err();
    assert!(!other.message.contains("no room"), "{other}");
}

#[test]
fn a_bomb_is_refused_whatever_it_claims() {
    let limits = Limits { max_bytes: 1_000_000, ..Limits::default() };
    let zeros = vec![b' '; 20_000_000];
    let bomb = archive(&[("xl/workbook.xml", b"<workbook/>"), ("xl/media/bomb.xml", &zeros)]);
    assert!(bomb.len() < 100_000, "it is small: {}", bomb.len());
    let read = |bytes: &[u8]| {
        registry::read_from(&named("bomb.xlsx"), bytes, &limits, &Progress::default()).unwrap_err().message
    };
    assert!(read(&bomb).contains("unpacks to 20 MB"), "{}", read(&bomb));
    // The same, saying that it unpacks to ten bytes, in both places where an archive says so.
    let size = 20_000_000_u32.to_le_bytes();
    let mut liar = bomb.clone();
    let places: Vec<usize> = liar.windows(4).enumerate().filter(|(_, w)| *w == size).map(|(i, _)| i).collect();
    assert_eq!(places.len(), 2);
    for at in places {
        liar[at..at + 4].copy_from_slice(&10_u32.to_le_bytes());
    }
    let said = read(&liar);
    assert!(said.contains("more than it says") || said.contains("cannot be read"), "{said}");
}

#[test]
fn a_cell_at_the_far_end_costs_nothing() {
    let mut workbook = Workbook::new();
    let sheet = workbook.add_worksheet();
    fill(sheet, 0, &[&["Tag", "Name"], &["P-1", "Pump"]]);
    sheet.write_string(1_048_575, 16_383, "far").unwrap();
    sheet.write_string(1_048_575, 0, "P-2").unwrap();
    let (registry, problems) = read("far.xlsx", &workbook.save_to_buffer().unwrap()).unwrap();
    let rows: Vec<(usize, &str)> = registry.items.iter().map(|i| (i.row, i.tag.as_str())).collect();
    assert_eq!(rows, [(2, "P-1"), (1_048_576, "P-2")]);
    assert!(problems[0].message.contains("first 1000 columns"), "{problems:?}");
}

#[test]
fn plenum_import_tells_what_is_in_a_registry() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_string_lossy().into_owned();
    std::fs::write(path("a.csv"), "Asset tag;Raum;Wert\r\nP-1;0.01;1,5\r\n;;2\r\n").unwrap();
    std::fs::write(path("b.xlsx"), schedule()).unwrap();
    std::fs::write(path("c.xlsx"), handover()).unwrap();
    let output = common::plenum(&["import", &path("a.csv"), &path("b.xlsx"), &path("c.xlsx"), "--json"]);
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    let files = common::json(&output)["files"].clone();
    for (i, kind, rows) in [(0, "csv", 1), (1, "xlsx", 3), (2, "cobie", 5)] {
        assert_eq!((&files[i]["kind"], &files[i]["rows"]), (&kind.into(), &rows.into()));
        assert_eq!((&files[i]["elements"], &files[i]["triangles"]), (&0.into(), &0.into()));
        assert!(files[i]["bounds_m"].is_null() && files[i]["georeference"].is_null());
        assert!(files[i]["bytes"].as_u64().unwrap() > 10);
    }
    let problem = &files[0]["problems"][0];
    assert!(problem["where"].as_str().unwrap().ends_with("a.csv, row 3"), "{problem}");
    // What cannot be had of it is said.
    let output = common::plenum(&["import", &path("a.csv"), "--json", "--elements", &path("out.jsonl")]);
    let problems = common::json(&output)["files"][0]["problems"].to_string();
    assert!(output.status.success() && problems.contains("no elements of its own"), "{problems}");
    assert_eq!(std::fs::read_to_string(path("out.jsonl")).unwrap(), "");
    // It is no model: it opens nothing, and says where it belongs.
    let said = common::said(&common::plenum(&["assets", &path("a.csv")]), 1);
    assert!(said.contains("asset registry") && said.contains("[[registries]]"), "{said}");
    let output = common::plenum(&["import", &path("a.csv")]);
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(text.contains("1 rows that name an asset") && !text.contains("triangles"), "{text}");
}

/// Whatever the bytes are: items or a problem, and nothing breaks.
fn survives(file: &str, bytes: &[u8]) {
    match read(file, bytes) {
        Ok((registry, _)) => {
            for item in &registry.items {
                assert!(!item.label().is_empty() && item.row > 0, "{item:?}");
            }
        }
        Err(problem) => assert!(!problem.message.is_empty() && !problem.place.is_empty()),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_bytes_are_survived(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        survives("a.csv", &bytes);
        survives("a.xlsx", &bytes);
        survives("a.xlsx", &[b"PK\x03\x04".as_slice(), &bytes].concat());
    }

    #[test]
    fn any_table_is_survived(cells in proptest::collection::vec("[A-Za-z0-9 ,;\"\t\r\n\u{fc}-]{0,12}", 0..60), head in 0_usize..4) {
        let heads = ["Tag,Name\n", "Mark;Raum;Zone\n", "\u{feff}GUID\tSystem\n", "Tag\n"];
        survives("a.csv", format!("{}{}", heads[head], cells.join(",")).as_bytes());
    }

    #[test]
    fn damaged_workbooks_are_survived(places in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..12), cut in any::<prop::sample::Index>(), cobie in any::<bool>()) {
        let mut bytes = if cobie { handover() } else { schedule() };
        for (at, byte) in places {
            let i = at.index(bytes.len());
            bytes[i] = byte;
        }
        survives("a.xlsx", &bytes);
        survives("a.xlsx", &bytes[..cut.index(bytes.len())]);
    }

    /// The parts are changed before they are packed, so that the damage reaches the reader of sheets.
    #[test]
    fn damaged_parts_are_survived(places in proptest::collection::vec((any::<prop::sample::Index>(), any::<prop::sample::Index>(), any::<u8>()), 1..8)) {
        let mut parts = unpacked(&schedule());
        for (part, at, byte) in places {
            let n = part.index(parts.len());
            let bytes = &mut parts[n].1;
            if !bytes.is_empty() {
                let i = at.index(bytes.len());
                bytes[i] = byte;
            }
        }
        let list: Vec<(&str, &[u8])> = parts.iter().map(|(n, b)| (n.as_str(), b.as_slice())).collect();
        survives("a.xlsx", &archive(&list));
    }
}

fn unpacked(bytes: &[u8]) -> Vec<(String, Vec<u8>)> {
    let mut archive = zip::ZipArchive::new(std::io::Cursor::new(bytes)).unwrap();
    let mut parts = Vec::new();
    for i in 0..archive.len() {
        let mut part = archive.by_index(i).unwrap();
        let mut all = Vec::new();
        std::io::copy(&mut part, &mut all).unwrap();
        parts.push((part.name().unwrap().into_owned(), all));
    }
    parts
}

#[test]
fn the_demo_registry_is_read_without_a_word() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("models/clinic/assets.csv");
    let named = RegistryFile { file, ..RegistryFile::default() };
    let (registry, problems) = registry::read(&named, &Limits::default(), &Progress::default()).unwrap();
    assert_eq!(problems, []);
    assert!(registry.items.len() >= 60, "{}", registry.items.len());
    assert!(registry.items.iter().all(|i| !i.tag.is_empty() && attribute(i, "Manufacturer").is_some()));
}
