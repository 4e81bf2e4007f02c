//! Searches over a big site: how long an answer takes, and what the index costs.

use super::{Row, synthetic};
use crate::problem::Problem;
use crate::site::model::{Group, PropertySet, PropertyValue, Storey};
use crate::site::search::{HealthOf, HealthWord, Index, parse};
use crate::site::{Site, Slot};
use serde::{Deserialize, Serialize};
use std::hint::black_box;
use std::sync::Arc;
use std::time::Instant;

const ELEMENTS: usize = 100_000;

/// How often each search is made; the figure is the slowest of them.
pub(super) const ROUNDS: usize = 21;

/// An answer is there before the next picture is, milliseconds.
pub(super) const GOAL_MS: f64 = 10.0;

/// A word that nearly everything has, words, parts of words, ranges of numbers, everything at once.
const QUERIES: [&str; 12] = [
    "pump",
    "e",
    "segment 1",
    "chil wat 99",
    "\"Element 99\"",
    "VAV-1-0*",
    "class:IfcPump",
    "Length>3.5",
    "Pset_PumpTypeCommon.FlowRateRange>0.01",
    "Length>3500mm Reference~R-1 -class:IfcPump",
    "class:IfcPump storey:\"Level 2\" Pset_PumpTypeCommon.FlowRateRange>0.01 health:critical",
    "(system:water OR material:steel) NOT (Length<1 OR no:storey) has:geometry",
];

/// Measures on 100,000 elements.
///
/// # Errors
/// A search of the list is not understood.
pub fn run() -> Result<Vec<Row>, Problem> {
    measure(ELEMENTS, ROUNDS)
}

fn measure(elements: usize, rounds: usize) -> Result<Vec<Row>, Problem> {
    let site = site(elements);
    let start = Instant::now();
    let index = Index::of(&site);
    let built_ms = start.elapsed().as_secs_f64() * 1e3;
    let health = |slot: Slot| slot.0.is_multiple_of(2).then_some(HealthWord::ALL[slot.0 as usize / 20 % 5]);
    let mut rows = Vec::new();
    for Answer { query, ms, count } in answers(&index, &QUERIES, rounds, &health)? {
        rows.push(Row::at_most(format!("{query}, {count} of {elements} elements"), "ms", ms, GOAL_MS));
    }
    rows.push(Row::only(format!("building the index, {elements} elements"), "ms", built_ms));
    rows.push(Row::only(format!("the index, {elements} elements"), "bytes", index.bytes() as f64));
    Ok(rows)
}

/// What a search took.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Answer {
    /// What was looked for.
    pub(super) query: String,
    /// The slowest of all rounds, milliseconds.
    pub(super) ms: f64,
    /// How many were found.
    pub(super) count: usize,
}

/// Makes every search `rounds` times.
///
/// # Errors
/// One of them is not understood.
pub(super) fn answers(
    index: &Index,
    queries: &[&str],
    rounds: usize,
    health: &HealthOf<'_>,
) -> Result<Vec<Answer>, Problem> {
    let mut answers = Vec::new();
    for text in queries {
        let (mut slowest, mut count) = (0.0_f64, 0);
        for _ in 0..rounds.max(1) {
            let start = Instant::now();
            let query = parse(black_box(text))?;
            let found = index.find(&query, Some(health))?;
            slowest = slowest.max(start.elapsed().as_secs_f64() * 1e3);
            count = black_box(found).slots.len();
        }
        answers.push(Answer { query: (*text).to_owned(), ms: slowest, count });
    }
    Ok(answers)
}

/// The synthetic site as a building: storeys, systems, classes, types, tags, ids like GlobalIds, and for each element
/// quantities of its own beside a property set of its type.
fn site(elements: usize) -> Site {
    const CLASSES: [&str; 5] = ["IfcPipeSegment", "IfcDuctSegment", "IfcPump", "IfcAirTerminalBox", "IfcWall"];
    const SYSTEMS: [&str; 4] = ["Chilled water", "Heating water", "Supply air", "Return air"];
    let mut site = synthetic::site(elements, 0);
    site.storeys = (0..20)
        .map(|i| Storey { name: format!("Level {i}"), elevation_m: f64::from(i) * 4.0, ..Storey::default() })
        .collect();
    site.systems = SYSTEMS.map(|name| Group { name: name.into(), ..Group::default() }).into();
    let types: Vec<Arc<PropertySet>> = (0..200)
        .map(|i| {
            let values = vec![
                ("FlowRateRange".to_owned(), PropertyValue::Real(f64::from(i) * 2e-4)),
                ("Reference".to_owned(), PropertyValue::Text(format!("R-{i}"))),
            ];
            Arc::new(PropertySet { name: "Pset_PumpTypeCommon".into(), quantities: false, values: values.into() })
        })
        .collect();
    for (i, e) in site.elements.iter_mut().enumerate() {
        e.class = CLASSES[i % CLASSES.len()].into();
        e.id = format!("{:022x}", (i as u128 + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15_F39C_C060_5CED_C835) >> 40);
        e.tag = format!("{}-{}-{:05}", ["P", "VAV", "D"][i % 3], i % 20, i);
        e.type_name = format!("Type {} DN{}", i % 200, 15 + i % 40 * 5);
        e.description = ["Chilled water supply", "Heating water return", ""][i % 3].into();
        e.storey = Some((i % site.storeys.len()) as u32);
        e.systems = vec![(i % SYSTEMS.len()) as u32];
        e.materials = vec![["Steel", "Copper", "Concrete C30/37"][i % 3].into()];
        let quantity =
            |name: &str, most: f64| (name.to_owned(), PropertyValue::Real((i * 7919 % 1000) as f64 / 1000.0 * most));
        let own = PropertySet {
            name: "Qto_BaseQuantities".into(),
            quantities: true,
            values: vec![quantity("Length", 6.0), quantity("GrossArea", 3.0), quantity("NetWeight", 90.0)].into(),
        };
        e.properties = vec![Arc::clone(&types[i % types.len()]), Arc::new(own)];
    }
    site
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_search_of_the_list_finds_something_but_not_everything() {
        let rows = measure(10_000, 1).unwrap();
        assert_eq!(rows.len(), QUERIES.len() + 2);
        for (row, text) in rows.iter().zip(QUERIES) {
            let count =
                row.case.strip_prefix(text).and_then(|c| c.strip_prefix(", ")).and_then(|c| c.split(' ').next());
            let count: usize = count.unwrap().parse().unwrap();
            assert!(count > 0 && (count < 10_000 || text == "e"), "{}", row.case);
            assert!(row.ours.is_some_and(|ms| ms > 0.0) && row.goal == Some(GOAL_MS));
        }
    }
}
