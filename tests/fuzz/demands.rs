//! IDS files checked on a model, and models checked by an IDS file.

use crate::engine::{Fuzz, outcome_of, then};
use crate::ids_common::{RECORDS, attribute, cases, entity, model, property, restriction, specification, with};
use crate::models::{limits, step_seeds, told};
use plenum::import::{ids as reader, ifc};
use plenum::site::ids::{Checker, Ids};

const WORDS: [&str; 40] = [
    "<entity>",
    "</entity>",
    "<attribute>",
    "<property dataType=\"IFCLABEL\">",
    "<classification>",
    "<material>",
    "<partOf relation=\"IFCRELAGGREGATES\">",
    "<name>",
    "<simpleValue>",
    "</simpleValue>",
    "<xs:restriction base=\"xs:string\">",
    "<xs:pattern value=\"",
    "<xs:enumeration value=\"",
    "<xs:minInclusive value=\"",
    "<xs:length value=\"",
    "<requirements>",
    "<applicability>",
    "minOccurs=\"0\"",
    "maxOccurs=\"unbounded\"",
    "cardinality=\"prohibited\"",
    "ifcVersion=\"IFC2X3\"",
    "xmlns:xs=\"",
    "<![CDATA[",
    "]]>",
    "<!--",
    "-->",
    "<!DOCTYPE ids [<!ENTITY a \"b\">]>",
    "&a;",
    "&lt;",
    "&#x10FFFF;",
    "&#xD800;",
    "IFCWALL",
    "Pset_WallCommon",
    "[A-Z-[AEIOU]]{2,3}",
    "(a|b)*",
    "\\p{L}",
    "{1,99999}",
    "\"/>",
    "\u{feff}",
    "xs:",
];

/// Reads a demand and checks a model by it.
fn came_to(input: &[u8], facts: &ifc::Facts) -> u64 {
    match reader::parse("fuzz.ids", input.to_vec()) {
        Ok((ids, problems)) => {
            told(&problems);
            let failed = check(&ids, facts);
            outcome_of(problems.iter().map(|p| p.message.as_str())).wrapping_add(failed.min(9) as u64)
        }
        Err(problem) => {
            told(std::slice::from_ref(&problem));
            outcome_of([problem.message.as_str()])
        }
    }
}

/// How many objects failed.
fn check(ids: &Ids, facts: &ifc::Facts) -> usize {
    let mut checker = Checker::new(ids);
    assert!(checker.add(facts, &|| false), "a check stopped that nobody stopped");
    let report = checker.finish();
    assert_eq!(report.specifications.len(), ids.specifications.len());
    for found in &report.specifications {
        assert_eq!(found.passed + found.failed, found.applicable, "{}", found.why);
    }
    report.specifications.iter().map(|s| s.failed).sum()
}

/// Some demands of each kind.
fn demands() -> Vec<String> {
    let occurs = "minOccurs=\"0\" maxOccurs=\"unbounded\"";
    let cases = cases();
    let of_cases =
        cases.iter().step_by(6).map(|(_, applies, demand, _)| specification("IFC4", occurs, applies, demand));
    let ranges = restriction("double", "minInclusive=0;maxExclusive=1000");
    let patterns = restriction("string", "pattern=[A-Z]{1,2}[0-9-]+;pattern=W.*;minLength=1;maxLength=40");
    let own = [
        specification(
            "IFC4",
            "minOccurs=\"1\"",
            &entity("IFCWALL"),
            &property("Pset_WallCommon", "Width", "", &ranges),
        ),
        specification(
            "IFC2X3 IFC4",
            "maxOccurs=\"0\"",
            &entity("IFCPUMP"),
            &with("optional", &attribute("Name", &patterns)),
        ),
    ];
    of_cases.chain(own).collect()
}

pub fn ids() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("model.ifc");
    std::fs::write(&file, model("IFC4", RECORDS)).unwrap();
    let facts = ifc::facts(&file, &limits()).unwrap();
    Fuzz::new("ids").seeds(demands()).words(&WORDS).run(|input| came_to(input, &facts));
}

pub fn facts() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("model.ifc");
    let demands: Vec<Ids> =
        demands().iter().map(|text| reader::parse("fuzz.ids", text.clone().into_bytes()).unwrap().0).collect();
    let words =
        ["#", "(", ")", "'", "$", "*", ";", "IFCWALL(", "IFCRELDEFINESBYTYPE(", "IFCBOOLEAN(.T.)", "IFCLABEL('"];
    Fuzz::new("facts").seeds(step_seeds()).words(&words).run(|input| {
        std::fs::write(&file, input).unwrap();
        match ifc::facts(&file, &limits()) {
            Ok(facts) => demands.iter().map(|ids| check(ids, &facts).min(3) as u64).fold(0, then),
            Err(problem) => {
                told(std::slice::from_ref(&problem));
                outcome_of([problem.message.as_str()])
            }
        }
    });
}
