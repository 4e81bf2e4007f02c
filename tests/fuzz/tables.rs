//! Asset registries: CSV files and workbooks.

use crate::engine::{Fuzz, marked, outcome_of};
use crate::models::{archive, limits, told};
use plenum::import::{Progress, registry};
use plenum::site::assets::{Registry, merge};
use plenum::site::model::ElementKind;
use plenum::site::project::RegistryFile;
use plenum::site::{Element, Site};
use rust_xlsxwriter::{ExcelDateTime, Format, Formula, Workbook};
use std::io::{Cursor, Read};
use zip::CompressionMethod;

const WORDS: [&str; 40] = [
    "Tag",
    "Mark",
    "GlobalId",
    "Name",
    "Room No.",
    "Level",
    "System",
    "Zone",
    "Fed from",
    "Serves",
    "Part of",
    "Type",
    ",",
    ";",
    "\t",
    "|",
    "\"",
    "\"\"",
    "\n",
    "\r\n",
    "\u{feff}",
    "n/a",
    "-",
    "P-1",
    "CHWP-1",
    "2OZcyTCOHTy9_m3T69Z292",
    "{00000000-0000-0000-0000-000000000001}",
    "2024-05-17",
    "1,234.5",
    "=1/0",
    "#REF!",
    "TRUE",
    "007",
    "sep=;",
    "<row r=\"1048576\">",
    "<c r=\"XFD1\" t=\"s\"><v>0</v></c>",
    "<c r=\"A1\" t=\"inlineStr\"><is><t>x</t></is></c>",
    "<si><t>",
    "&amp;",
    "&#0;",
];

/// What rows are joined to.
fn site() -> Site {
    let element = |tag: &str, name: &str, class: &str| Element {
        id: format!("0000000000000000000{tag:0>3}").chars().take(22).collect(),
        tag: tag.into(),
        name: name.into(),
        class: class.into(),
        ..Element::default()
    };
    let mut elements: Vec<Element> =
        (1..6).map(|n| element(&format!("P-{n}"), &format!("Pump {n}"), "IfcPump")).collect();
    elements.push(Element { kind: ElementKind::Space, ..element("0.01", "0.01", "IfcSpace") });
    elements.push(element("CHWP-1", "Pump A", "IfcPump"));
    Site::of_elements("House", elements).0
}

/// What a registry came to, and joined to a site.
fn came_to(file: &str, bytes: &[u8], site: &Site) -> u64 {
    let named = RegistryFile { file: file.into(), ..RegistryFile::default() };
    match registry::read_from(&named, bytes, &limits(), &Progress::default()) {
        Ok((registry, problems)) => {
            told(&problems);
            joined(registry, site);
            outcome_of(problems.iter().map(|p| p.message.as_str()))
        }
        Err(problem) => {
            told(std::slice::from_ref(&problem));
            outcome_of([problem.message.as_str()])
        }
    }
}

fn joined(registry: Registry, site: &Site) {
    let rows = registry.items.len();
    let mut site = site.clone();
    let elements = site.elements.len();
    told(&merge(&mut site, &[registry]));
    assert_eq!(site.elements.len(), elements, "{rows} rows changed the elements");
}

pub fn csv() {
    let site = site();
    let seeds = [
        "Tag,Name,Room No.,Level,System,Installed,Power\nP-1,Pump 1,0.01,Level 0,\"CHW, CW\",2024-05-17,7.5\n\
         P-2,\"Pump \"\"2\"\"\",n/a,-,,,1e3\n",
        "Equipment schedule;;\n;;\nMark;Fed from;Serves;Remark;Remark\nP-3;DB-0;\"North | South\";a;b\n;;;total;\n",
        "GlobalId\tName\tPart of\n{00000000-0000-0000-0000-000000000001}\tPump 1\tP-2\n",
        include_str!("../../models/clinic/assets.csv"),
    ];
    Fuzz::new("csv").longest(16_000).seeds(seeds).words(&WORDS).run(|input| came_to("fuzz.csv", input, &site));
}

/// A schedule with texts, numbers, a date, a truth and a formula that failed, on two sheets.
fn schedule() -> Vec<u8> {
    let mut workbook = Workbook::new();
    let date = Format::new().set_num_format("yyyy-mm-dd");
    let sheet = workbook.add_worksheet().set_name("Pumps").unwrap();
    for (column, heading) in
        ["Mark", "Asset name", "Room No.", "Power", "Installed", "Running", "Remark"].iter().enumerate()
    {
        sheet.write_string(2, column as u16, *heading).unwrap();
    }
    sheet.write_string(3, 0, "P-1").unwrap();
    sheet.write_string(3, 1, "Pump 1").unwrap();
    sheet.write_number(3, 3, 7.5).unwrap();
    sheet.write_datetime_with_format(3, 4, ExcelDateTime::from_ymd(2024, 5, 17).unwrap(), &date).unwrap();
    sheet.write_boolean(3, 5, true).unwrap();
    sheet.write_formula(3, 6, Formula::new("=1/0").set_result("#DIV/0!")).unwrap();
    workbook.add_worksheet().set_name("Cover").unwrap().write_string(0, 0, "House").unwrap();
    workbook.save_to_buffer().unwrap()
}

/// A small handover in COBie.
fn handover() -> Vec<u8> {
    let sheets: [(&str, &[&[&str]]); 9] = [
        ("Facility", &[&["Name", "Category"], &["Clinic", "Hospital"]]),
        ("Floor", &[&["Name", "ExtIdentifier", "Elevation"], &["Level 0", "0000000000000000000f00", "0"]]),
        ("Space", &[&["Name", "FloorName", "RoomTag"], &["0.01", "Level 0", "0.01"]]),
        ("Zone", &[&["Name", "SpaceNames"], &["North", "0.01,0.02"]]),
        ("Type", &[&["Name", "Description", "Manufacturer"], &["Pump 7.5", "In-line", "Wexmill"]]),
        (
            "Component",
            &[
                &["Name", "TypeName", "Space", "Ext Identifier", "TagNumber"],
                &["Pump A", "Pump 7.5", "0.01", "", "CHWP-1"],
            ],
        ),
        ("System", &[&["Name", "ComponentNames"], &["CHW", "Pump A; Pump B"]]),
        ("Assembly", &[&["Name", "SheetName", "ParentName", "ChildNames"], &["Set", "Component", "Pump A", "Pump B"]]),
        (
            "Attribute",
            &[&["Name", "SheetName", "RowName", "Value", "Unit"], &["Voltage", "Component", "Pump A", "230", "V"]],
        ),
    ];
    let mut workbook = Workbook::new();
    for (name, rows) in sheets {
        let sheet = workbook.add_worksheet().set_name(name).unwrap();
        for (row, cells) in rows.iter().enumerate() {
            for (column, cell) in cells.iter().enumerate() {
                sheet.write_string(row as u32, column as u16, *cell).unwrap();
            }
        }
    }
    workbook.save_to_buffer().unwrap()
}

/// The parts of a workbook by name.
fn parts(workbook: &[u8]) -> Vec<(String, Vec<u8>)> {
    let mut archive = zip::ZipArchive::new(Cursor::new(workbook)).unwrap();
    let count = archive.len();
    let part = |i: usize| {
        let mut member = archive.by_index(i).unwrap();
        let mut bytes = Vec::new();
        member.read_to_end(&mut bytes).unwrap();
        (member.name().unwrap().into_owned(), bytes)
    };
    (0..count).map(part).collect()
}

/// The first byte says which part of the workbook the rest takes the place of; 255: the rest is the file itself.
fn workbook(target: &'static str, good: Vec<u8>) {
    let site = site();
    let parts = parts(&good);
    // Of the parts that are all alike, and those that only make it pretty, one says as much as many.
    let read = |name: &str| !name.contains("theme") && !name.contains("docProps");
    let seeds: Vec<Vec<u8>> = parts
        .iter()
        .enumerate()
        .filter(|(_, (name, _))| read(name))
        .map(|(n, (_, bytes))| marked(&[n as u8], bytes))
        .collect();
    let whole = marked(&[255], &good);
    Fuzz::new(target).seeds(seeds).seeds([whole]).words(&WORDS).run(|input| {
        let Some((part, bytes)) = input.split_first() else { return 0 };
        if *part == 255 {
            return came_to("fuzz.xlsx", bytes, &site);
        }
        let changed = usize::from(*part) % parts.len();
        let all: Vec<(&str, &[u8])> = parts
            .iter()
            .enumerate()
            .map(|(n, (name, own))| (name.as_str(), if n == changed { bytes } else { own.as_slice() }))
            .collect();
        came_to("fuzz.xlsx", &archive(&all, CompressionMethod::Stored), &site)
    });
}

pub fn xlsx() {
    workbook("xlsx", schedule());
}

pub fn cobie() {
    workbook("cobie", handover());
}
