//! The line of the search, and what it finds in a small site.

use crate::engine::{Fuzz, outcome_of};
use crate::ids_common::{RECORDS, model};
use plenum::import::{self, Progress};
use plenum::site::search::{EXAMPLES, HealthWord, Index, natural, parse};
use plenum::site::{self, Project, Slot};
use std::cmp::Ordering;

const SEEDS: [&str; 14] = [
    "class:IfcPump storey:\"Level 2\" Pset_PumpTypeCommon.FlowRateRange>0.01 health:critical",
    "pump OR (fan AND NOT no:system) -kind:space",
    "tag:P-* id:0000000000000000000020 name:=\"Wall 1\"",
    "FireRating=EI60 Width>=240mm Width<1m Flow!=5L/s",
    "Pset_WallCommon.FireRating~EI \"two words\" a\"b\"c",
    "system:Heating zone:* material:Brick layer:x classification:EF_25",
    "predefined:USERDEFINED desc:plaster type:WT1 space:101 source:model.ifc",
    "has:geometry no:connection has:system -(a b)",
    "Supply>20degC IsExternal=true Maybe=unknown Built>2020-01-01",
    "((((((((a))))))))",
    "or and not",
    "Wänd* \u{201c}typographic\u{201d}",
    "NOT NOT NOT a",
    "Count=3 Status~NEW Range>1 List=2",
];

const WORDS: [&str; 60] = [
    "(",
    ")",
    "\"",
    "\"\"",
    "-",
    ":",
    "=",
    "!=",
    ">=",
    "<=",
    "<",
    ">",
    "~",
    "*",
    "?",
    ".",
    " ",
    "AND ",
    " OR ",
    "NOT ",
    "class:",
    "storey:",
    "space:",
    "system:",
    "zone:",
    "tag:",
    "id:",
    "name:",
    "kind:",
    "health:",
    "has:",
    "no:",
    "type:",
    "material:",
    "layer:",
    "source:",
    "predefined:",
    "description:",
    "classification:",
    "critical",
    "warning",
    "unknown",
    "geometry",
    "space",
    "element",
    "connection",
    "IfcWall",
    "Pset_WallCommon.",
    "Width",
    "FireRating",
    "240",
    "mm",
    "kW",
    "Cel",
    "m3/h",
    "%",
    "1e308",
    "true",
    "EI60",
    "\u{ff02}",
];

pub fn search_query() {
    let folder = tempfile::tempdir().unwrap();
    let read = |name: &str, text: &str| {
        let file = folder.path().join(name);
        std::fs::write(&file, text).unwrap();
        (import::read(&file, &Progress::default()).unwrap().0, "any".to_owned())
    };
    let models = vec![read("model.ifc", &model("IFC4", RECORDS)), read("pipe.ifc", include_str!("../corpus/pipe.ifc"))];
    let site = site::assemble(&Project::default(), models).0;
    let index = Index::of(&site);
    let count = site.elements.len();
    assert!(count > 5, "{count}");
    let health = |slot: Slot| slot.0.is_multiple_of(2).then_some(HealthWord::Critical);
    Fuzz::new("search_query").longest(5000).seeds(SEEDS).seeds(EXAMPLES).words(&WORDS).run(|input| {
        let text = String::from_utf8_lossy(input);
        match parse(&text) {
            Ok(query) => match index.find(&query, Some(&health)) {
                Ok(found) => {
                    let mut slots: Vec<u32> = found.slots.iter().map(|s| s.0).collect();
                    slots.sort_unstable();
                    assert!(slots.iter().all(|s| (*s as usize) < count), "an element that is not there");
                    assert!(slots.windows(2).all(|two| two[0] != two[1]), "an element that is found twice");
                    outcome_of(found.notes.iter().chain(&query.hints).map(String::as_str))
                        .wrapping_add(slots.len() as u64)
                }
                Err(problem) => outcome_of([problem.message.as_str()]),
            },
            Err(malformed) => {
                assert!(!malformed.message.is_empty() && !malformed.remedy.is_empty());
                // One beyond the end is where something is missing.
                assert!((1..=text.chars().count() + 1).contains(&malformed.column), "column {}", malformed.column);
                assert!(malformed.caret(&text).lines().count() == 2);
                outcome_of([malformed.message.as_str(), malformed.remedy.as_str()])
            }
        }
    });
}

/// An order that is none would make sorting fail.
pub fn is_an_order(texts: &[&str]) {
    for a in texts {
        assert_eq!(natural(a, a), Ordering::Equal, "{a:?}");
        for b in texts {
            let ab = natural(a, b);
            assert_eq!(ab, natural(b, a).reverse(), "{a:?} {b:?}");
            for c in texts {
                let (bc, ac) = (natural(b, c), natural(a, c));
                assert!(!(ab.is_lt() && bc.is_lt()) || ac.is_lt(), "{a:?} {b:?} {c:?}");
                assert!(!(ab.is_eq() && bc.is_eq()) || ac.is_eq(), "{a:?} {b:?} {c:?}");
            }
        }
    }
}
