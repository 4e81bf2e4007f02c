//! Parts of one machine that stand in a row: sides that look at each other across an empty stretch, as a pipe or duct
//! would never be left with, and the walls of the machine that such a row ends at.

use super::{JoinedBy, Work, contact};
use crate::shape::ends::Outline;
use crate::site::graph::Role;
use crate::site::model::{Element, EndSource};
use glam::DVec3;
use std::collections::{HashMap, HashSet};

/// A stretch without anything between two parts of a machine, metres.
const MOST_EMPTY_M: f64 = 0.5;
/// The same between the last part of a row and the machine's wall, metres.
const MOST_TO_WALL_M: f64 = 0.3;
/// How much the axes of such parts may lie beside each other, of the smaller size.
const BESIDE: f64 = 0.2;
/// How sure a joint across an empty stretch is at best.
const CONFIDENCE: f64 = 0.55;

/// Joins the parts of every machine that has some.
pub(super) fn join(work: &mut Work<'_>) {
    let mut of_whole: HashMap<u32, Vec<u32>> = HashMap::new();
    let with_ports: HashSet<u32> = work.evidence.points.iter().map(|p| p.element).collect();
    for (i, element) in work.evidence.elements.iter().enumerate() {
        let number = i as u32;
        if let Some(whole) = element.part_of
            && Role::of_element(element).is_some()
            && !with_ports.contains(&number)
        {
            of_whole.entry(whole).or_default().push(number);
        }
    }
    let mut wholes: Vec<(u32, Vec<u32>)> = of_whole.into_iter().filter(|(_, parts)| parts.len() > 1).collect();
    wholes.sort_unstable_by_key(|(whole, _)| *whole);
    for (whole, parts) in wholes {
        let sides: Vec<Side> = parts.iter().flat_map(|p| sides_of(work, *p)).collect();
        row(work, &sides);
        if !with_ports.contains(&whole) {
            walls(work, whole, &sides);
        }
    }
}

/// A side of a part: one of its ends, or a face of its box.
#[derive(Clone, Copy)]
struct Side {
    element: u32,
    at: DVec3,
    outward: DVec3,
    outline: Outline,
}

fn row(work: &mut Work<'_>, sides: &[Side]) {
    let mut pairs: Vec<(f64, usize, usize)> = Vec::new();
    for (i, a) in sides.iter().enumerate() {
        for (j, b) in sides.iter().enumerate().skip(i + 1).filter(|(_, b)| b.element != a.element) {
            if let Some(score) = score(work, a, b).filter(|s| *s >= work.joining.least_confidence) {
                pairs.push((score, i, j));
            }
        }
    }
    pairs.sort_by(|x, y| y.0.total_cmp(&x.0).then((x.1, x.2).cmp(&(y.1, y.2))));
    for (score, i, j) in pairs {
        let (Some(a), Some(b)) = (sides.get(i), sides.get(j)) else { continue };
        if is_joined(work, a) || is_joined(work, b) || runs_across(work, a) || runs_across(work, b) {
            continue;
        }
        let rejected = work.rejects.iter().any(|d| d.meets_body((a.element, None), b.element));
        if !rejected {
            let ends =
                [a, b].map(|s| contact::point_on(work, s.element, s.at, s.outward, Some(s.outline), EndSource::Box));
            work.join(ends[0], ends[1], score, JoinedBy::Geometry);
        }
    }
}

fn score(work: &Work<'_>, a: &Side, b: &Side) -> Option<f64> {
    if a.outward.dot(b.outward) > -0.99 {
        return None;
    }
    let between = b.at - a.at;
    let along = between.dot(a.outward);
    let beside = (between - a.outward * along).length();
    let least = a.outline.least().min(b.outline.least());
    let ratio = |x: f64, y: f64| x.min(y) / x.max(y).max(1e-9);
    let size = ratio(a.outline.most(), b.outline.most()).min(ratio(a.outline.least(), b.outline.least()));
    // Nothing blows across a stretch that is long for its height.
    let most_empty = MOST_EMPTY_M.min(0.5 * least);
    if !(-work.joining.gap_m..=most_empty).contains(&along) || beside > BESIDE * least || size < 0.6 {
        return None;
    }
    let agreement = work.evidence.agreement(a.element, b.element)?;
    Some(CONFIDENCE * (1.0 - 0.4 * along.max(0.0) / MOST_EMPTY_M) * (0.7 + 0.3 * size) * agreement)
}

/// A side that is joined already has no place for another.
fn is_joined(work: &Work<'_>, side: &Side) -> bool {
    work.candidates_of(side.element)
        .any(|c| c.taken && large(c.outline, side.outline) && c.outward.is_some_and(|o| o.dot(side.outward) > 0.9))
}

/// What passes a part on one axis does not leave it by its other sides: two fans above each other are no row.
fn runs_across(work: &Work<'_>, side: &Side) -> bool {
    if work.evidence.element(side.element).and_then(Role::of_element) == Some(Role::Fitting) {
        return false;
    }
    let main = |c: &&super::Candidate| c.taken && large(c.outline, side.outline);
    let cosines: Vec<f64> = work
        .candidates_of(side.element)
        .filter(main)
        .filter_map(|c| Some(c.outward?.dot(side.outward).abs()))
        .collect();
    cosines.iter().any(|c| *c < 0.3) && !cosines.iter().any(|c| *c > 0.9)
}

/// Is this end one of those that count beside a side: no water nozzle in the side of an air coil?
fn large(end: Option<Outline>, side: Outline) -> bool {
    end.is_some_and(|o| o.area() >= 0.25 * side.area())
}

/// Joins the ends of rows to the machine, where its wall is next.
fn walls(work: &mut Work<'_>, whole: u32, sides: &[Side]) {
    let Some(machine) = work.evidence.element(whole).filter(|e| Role::of_element(e) == Some(Role::Equipment)) else {
        return;
    };
    for side in sides {
        // A tee is joined by its ends, and never by its back.
        if work.evidence.element(side.element).and_then(Role::of_element) == Some(Role::Fitting) {
            continue;
        }
        let across = |c: &super::Candidate| {
            let between = c.at - side.at;
            let beside = (between - side.outward * between.dot(side.outward)).length();
            c.taken
                && large(c.outline, side.outline)
                && beside <= BESIDE * side.outline.least()
                && c.outward.is_some_and(|o| o.dot(side.outward) < -0.9)
        };
        let in_row = work.candidates_of(side.element).any(across);
        let rejected = work.rejects.iter().any(|d| d.meets_body((side.element, None), whole));
        if !in_row || rejected || is_joined(work, side) {
            continue;
        }
        let (Some(depth), Some(agreement)) =
            (to_wall(work, machine, side), work.evidence.agreement(side.element, whole))
        else {
            continue;
        };
        let score = CONFIDENCE * (1.0 - 0.4 * depth.max(0.0) / MOST_TO_WALL_M) * agreement;
        if score >= work.joining.least_confidence {
            let own = contact::point_on(work, side.element, side.at, side.outward, Some(side.outline), EndSource::Box);
            let at = side.at + side.outward * depth;
            let wall = contact::point_on(work, whole, at, -side.outward, Some(side.outline), EndSource::Box);
            work.join(own, wall, score, JoinedBy::Geometry);
        }
    }
}

/// How far a side stands from the wall of its machine's box that it looks at, metres.
fn to_wall(work: &Work<'_>, machine: &Element, side: &Side) -> Option<f64> {
    let bounds = work.evidence.shape_of(machine)?.bounds()?;
    let to_shape = machine.placement.inverse();
    let from = to_shape.transform_point3(side.at) - bounds.centre();
    let along = to_shape.transform_vector3(side.outward);
    let half = bounds.size() * 0.5;
    let axes = along.to_array().into_iter().zip(from.to_array()).zip(half.to_array());
    let mut depths = axes.filter(|((way, _), _)| way.abs() > 0.98).map(|((way, at), half)| half - at * way.signum());
    depths.find(|d| (-work.joining.gap_m..=MOST_TO_WALL_M).contains(d))
}

/// The six sides of a part's own box, and its true ends instead of the sides that these stand for.
fn sides_of(work: &Work<'_>, number: u32) -> Vec<Side> {
    let Some(element) = work.evidence.element(number) else { return Vec::new() };
    let Some(bounds) = work.evidence.shape_of(element).and_then(|s| s.bounds()) else { return Vec::new() };
    let ends = work.candidates_of(number).filter(|c| c.source != EndSource::Box);
    let mut sides: Vec<Side> = ends
        .filter_map(|c| Some(Side { element: number, at: c.at, outward: c.outward?, outline: c.outline? }))
        .collect();
    let largest = sides.iter().map(|s| s.outline.area()).fold(0.0, f64::max);
    sides.retain(|s| s.outline.area() >= 0.5 * largest);
    let (middle, half) = (bounds.centre(), bounds.size() * 0.5);
    for axis in [DVec3::X, DVec3::Y, DVec3::Z] {
        let across: Vec<f64> =
            half.to_array().iter().zip(axis.to_array()).filter(|(_, a)| *a == 0.0).map(|(h, _)| 2.0 * h).collect();
        let [u, v] = across.as_slice() else { continue };
        for local in [axis, -axis] {
            let outward = element.placement.transform_vector3(local).normalize_or(DVec3::Z);
            let outline = Outline::rect(*u, *v);
            if sides.iter().any(|s| s.outward.dot(outward) > 0.98 && s.outline.area() >= 0.5 * outline.area()) {
                continue;
            }
            let at = element.placement.transform_point3(middle + half * local);
            sides.push(Side { element: number, at, outward, outline });
        }
    }
    sides
}
