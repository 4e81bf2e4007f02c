//! What could not be read, in words that help.

use super::elements::Read;
use super::lite::Step;
use super::mesher::Meshes;
use super::placement::Placements;
use super::relations::Relations;
use crate::problem::Problem;
use rustc_hash::{FxHashMap as HashMap, FxHashSet as HashSet};

/// Single records named before the rest is only counted.
const NAMED: usize = 10;

/// A schema that we have no tables for.
pub(super) fn unknown_schema(place: &str, schema: &str) -> Problem {
    Problem::error(
        place,
        format!("the schema `{schema}` is not one that Plenum reads (IFC2X3, IFC4, IFC4X1, IFC4X2, IFC4X3)"),
        "export the model as IFC4 or IFC2X3",
    )
}

/// True when the file has the last line that every STEP file has.
pub(super) fn ends_properly(bytes: &[u8]) -> bool {
    let tail = bytes.get(bytes.len().saturating_sub(4096)..).unwrap_or_default();
    b"END-ISO-10303-21".len() <= tail.len() && tail.windows(16).any(|w| w.eq_ignore_ascii_case(b"END-ISO-10303-21"))
}

const ENDS_EARLY: &str = "the file ends early: its last line (END-ISO-10303-21) is missing";

/// True for what is told of a file that was not written to its end.
pub fn is_cut_short(problem: &Problem) -> bool {
    problem.message.starts_with(ENDS_EARLY)
}

/// It does not.
pub(super) fn truncated(place: &str) -> Problem {
    Problem::warning(place, format!("{ENDS_EARLY}; what was there is shown"), "copy or export it again")
}

/// No project, no unit.
pub(super) fn no_unit(place: &str) -> Problem {
    Problem::warning(
        place,
        "no IfcProject with a usable length unit was found; lengths are taken as metres",
        "export the file again; without its units a model cannot be trusted",
    )
}

/// Nothing to show: why.
pub(super) fn no_elements(place: &str, step: &Step, before: &[Problem]) -> Problem {
    let cause = if step.len() == 0 {
        "no record could be read".to_owned()
    } else {
        format!("{} records were read, and none of them is an element or a space", step.len())
    };
    let also = before.iter().map(|p| p.message.as_str()).collect::<Vec<_>>().join("; ");
    let message = if also.is_empty() { cause } else { format!("{cause}; {also}") };
    Problem::error(place, message, "open the file in the program that made it and export it again")
}

/// Records that are malformed, doubled or of unknown classes.
pub(super) fn records(step: &Step, place: &str, problems: &mut Vec<Problem>) {
    if let Some(first) = step.malformed.iter().min() {
        problems.push(Problem::warning(
            format!("{place}:{}", step.line_of(*first)),
            format!("{} no end or no valid number: left out", many(step.malformed.len(), "record has")),
            "export the file again",
        ));
    }
    if let Some(first) = step.duplicates.first() {
        problems.push(Problem::warning(
            format!("{place}: #{first}"),
            format!("{} used more than once: the first record counts", many(step.duplicates.len(), "number is")),
            "export the file again",
        ));
    }
    for (class, count) in step.classes().filter(|(c, _)| !c.known) {
        problems.push(Problem::info(
            place,
            format!("{} of the class {}, which no IFC schema declares, left out", many(count, "record"), class.name),
            "",
        ));
    }
}

/// Elements, placements and ports.
pub(super) fn elements(
    step: &Step,
    read: &Read,
    placements: &Placements<'_>,
    relations: &Relations,
    problems: &mut Vec<Problem>,
) {
    let again = "correct it in the program that exported the file";
    list(problems, step, &read.unreadable, "the record cannot be parsed; the element is left out", again);
    list(problems, step, &read.nameless, "it has no GlobalId; its record number stands for it", again);
    list(problems, step, &read.shapeless, "its representation is not in the file: it has no geometry", again);
    for (id, fault) in placements.faults.iter().take(NAMED) {
        problems.push(Problem::warning(
            place_of(step, *id),
            format!("invalid placement: {fault}"),
            "what stands on it may be missing or misplaced; correct it in the program that exported the file",
        ));
    }
    rest(problems, "invalid placement", placements.faults.len());
    if relations.unreadable > 0 {
        problems.push(Problem::warning(
            "relationships",
            format!("{} left out, because it cannot be parsed", many(relations.unreadable, "relationship is")),
            again,
        ));
    }
    if !relations.dangling.is_empty() {
        problems.push(Problem::warning(
            "relationships",
            format!(
                "{} a record that is not in the file: {}",
                many(relations.dangling.len(), "relationship names"),
                some_names(step, &relations.dangling)
            ),
            "what it should join may lack its storey, type, system or properties; export the file again",
        ));
    }
    if read.loose_ports > 0 {
        problems.push(Problem::warning(
            "ports",
            format!("{} left out: no element owns it", many(read.loose_ports, "port is")),
            "export ports with their elements (IfcRelNests, or IfcRelConnectsPortToElement)",
        ));
    }
    if read.loose_connections > 0 {
        problems.push(Problem::warning(
            "ports",
            format!(
                "{} left out: a port that is named is not there",
                many(read.loose_connections, "port connection is")
            ),
            again,
        ));
    }
    let mut ids: HashMap<&str, usize> = HashMap::default();
    for element in &read.model.elements {
        *ids.entry(&element.id).or_default() += 1;
    }
    let mut doubled: Vec<&str> = ids.into_iter().filter(|(_, n)| *n > 1).map(|(id, _)| id).collect();
    doubled.sort_unstable();
    for id in doubled.iter().take(NAMED) {
        problems.push(Problem::warning(
            *id,
            "more than one element has this GlobalId",
            "bindings to it reach the first one only; give each element its own GlobalId",
        ));
    }
    rest(problems, "GlobalId used twice", doubled.len());
}

/// What happened on the way to triangles.
pub(super) fn geometry(step: &Step, read: &Read, hosts: &HashSet<u32>, meshes: &Meshes, problems: &mut Vec<Problem>) {
    let outcome = &meshes.outcome;
    let dropped_triangles = meshes.shapes.dropped_triangles;
    if let Some(unit) = outcome.refused_unit {
        problems.push(Problem::error(
            place_of(step, unit),
            "the length unit is zero, negative or not a number: nothing can be drawn",
            "correct the unit in the program that exported the file",
        ));
    }
    for why in &meshes.failures {
        problems.push(Problem::warning("geometry", format!("the geometry library gave up on a part: {why}"), ""));
    }
    if !meshes.uncut.is_empty() {
        problems.push(Problem::warning(
            "openings",
            format!(
                "{} without openings, because cutting them did not end in time: {}",
                many(meshes.uncut.len(), "element is shown"),
                some_names(step, &meshes.uncut)
            ),
            "simplify these openings, or give more time (plenum import --patience 120s)",
        ));
    }
    let refused = outcome.refused_elements + outcome.refused_records;
    if refused > 0 {
        problems.push(Problem::warning(
            "geometry",
            format!("{refused} records hold numbers that are too large to be meant, and are left out"),
            "correct them in the program that exported the file",
        ));
    }
    if !outcome.failed_cuts.is_empty() {
        let reasons: Vec<String> = outcome.failed_cuts.iter().map(|(r, n)| format!("{n} × {r}")).collect();
        problems.push(Problem::info(
            "geometry",
            format!("some cuts or joins of solids were left out or simplified: {}", reasons.join(", ")),
            "these elements may look a little different from the original",
        ));
    }
    // Curves and points beside a body give no triangles, and are not meant to.
    let flat = ["Geometric", "Polyline", "Curve", "Point", "Annotation", "Text", "BoundingBox"];
    let unsupported = outcome.unsupported.iter().filter(|(class, _)| !flat.iter().any(|f| class.contains(f)));
    let unsupported: Vec<String> = unsupported.map(|(class, n)| format!("{n} × {class}")).collect();
    if !unsupported.is_empty() {
        problems.push(Problem::warning(
            "geometry",
            format!("some parts could not be turned into triangles: {}", unsupported.join(", ")),
            "export the model with tessellated geometry",
        ));
    }
    if dropped_triangles > 0 {
        problems.push(Problem::warning(
            "geometry",
            format!(
                "{} left out: a corner is not a number, or nowhere on earth",
                many(dropped_triangles, "triangle is")
            ),
            "",
        ));
    }
    list(
        problems,
        step,
        &meshes.given_up,
        "its geometry could not be worked out in time",
        "simplify the element, or give more time (plenum import --patience 120s)",
    );
    let empty: Vec<u32> = read
        .records
        .iter()
        .zip(&read.represented)
        .zip(&read.model.elements)
        .filter(|((record, represented), e)| **represented && e.shape.is_none() && !meshes.given_up.contains(record))
        .map(|((record, _), _)| *record)
        .collect();
    // A wall that is all opening (the frame in it is drawn) is as its author meant it.
    let (cut_away, empty): (Vec<u32>, Vec<u32>) = empty.into_iter().partition(|id| hosts.contains(id));
    if !cut_away.is_empty() {
        problems.push(Problem::info(
            "openings",
            format!(
                "{} nothing left once the openings are cut: {}",
                many(cut_away.len(), "element has"),
                some_names(step, &cut_away)
            ),
            "",
        ));
    }
    list(problems, step, &empty, "it has a representation from which no triangle could be made", "");
    if read.model.elements.iter().all(|e| e.shape.is_none()) {
        problems.push(Problem::info(
            "geometry",
            "no element has geometry: there is nothing to draw, but everything can be searched and bound",
            "if the original has geometry, export it again with geometry",
        ));
    }
}

/// One problem for each of the first few records, and one for the rest.
fn list(problems: &mut Vec<Problem>, step: &Step, ids: &[u32], message: &str, remedy: &str) {
    for id in ids.iter().take(NAMED) {
        problems.push(Problem::warning(place_of(step, *id), message, remedy));
    }
    rest(problems, message, ids.len());
}

fn rest(problems: &mut Vec<Problem>, message: &str, count: usize) {
    if count > NAMED {
        problems.push(Problem::warning(format!("{} more", count - NAMED), format!("the same: {message}"), ""));
    }
}

/// `#123 IFCWALL`.
fn place_of(step: &Step, id: u32) -> String {
    match step.class_of(id) {
        Some(class) => format!("#{id} {}", class.name.to_ascii_uppercase()),
        None => format!("#{id}"),
    }
}

fn some_names(step: &Step, ids: &[u32]) -> String {
    let mut names: Vec<String> = ids.iter().take(NAMED).map(|id| place_of(step, *id)).collect();
    if ids.len() > NAMED {
        names.push(format!("and {} more", ids.len() - NAMED));
    }
    names.join(", ")
}

/// `1 record`, `2 records`; `1 number is used`, `2 numbers are used`; `1 port connection`.
fn many(count: usize, what: &str) -> String {
    if count == 1 {
        return format!("1 {what}");
    }
    for (singular, plural) in [(" is", "s are"), (" has", "s have"), (" names", "s name")] {
        if let Some((noun, rest)) = what.split_once(singular) {
            return format!("{count} {noun}{plural}{rest}");
        }
    }
    format!("{count} {what}s")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_read_well() {
        assert_eq!(many(1, "number is"), "1 number is");
        assert_eq!(many(2, "element is shown"), "2 elements are shown");
        assert_eq!(many(3, "element has"), "3 elements have");
        assert_eq!(many(0, "port connection"), "0 port connections");
    }

    #[test]
    fn the_last_line_is_found() {
        assert!(ends_properly(b"...ENDSEC;\nEND-ISO-10303-21;\n"));
        assert!(!ends_properly(b"#1=IFCWALL(") && !ends_properly(b""));
    }
}
