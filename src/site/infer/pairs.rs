//! Ends that face each other: every pair near enough is scored, and the best go first, one end to one end.

use super::{Candidate, JoinedBy, Work};
use crate::shape::ends::Outline;
use crate::site::graph::Role;
use crate::site::model::{Element, EndSource};
use glam::DVec3;
use rstar::RTree;
use rstar::primitives::GeomWithData;
use std::collections::HashMap;

/// Axes may be turned against each other by this, radians.
const MOST_TURNED: f64 = 0.14;
/// Axes may lie beside each other by this part of the smaller size …
const BESIDE: f64 = 0.45;
/// … but never by less than this, whatever the size, metres.
const LEAST_BESIDE_M: f64 = 0.006;
/// Two straight runs have the same size; only a fitting changes it.
const SAME_SIZE: f64 = 0.85;
/// Below this ratio of sizes, two ends do not belong together.
const LEAST_SIZE: f64 = 0.3;
/// Ports that lie apart by more than this part of the gap are not joined: nothing but their place speaks for them.
const PORT_GAP: f64 = 0.35;

/// Joins all ends that face each other.
pub(super) fn join(work: &mut Work<'_>) {
    let places: Vec<GeomWithData<[f64; 3], usize>> = work
        .free
        .iter()
        .enumerate()
        .filter(|(_, c)| !c.taken && c.at.is_finite())
        .map(|(i, c)| GeomWithData::new(c.at.to_array(), i))
        .collect();
    let tree = RTree::bulk_load(places);
    // A gap along the axis and an offset across it.
    let reach = work.joining.gap_m * std::f64::consts::SQRT_2;
    let mut pairs: Vec<(f64, usize, usize)> = Vec::new();
    for (i, a) in work.free.iter().enumerate().filter(|(_, c)| !c.taken && c.at.is_finite()) {
        for near in tree.locate_within_distance(a.at.to_array(), reach * reach) {
            let Some(b) = work.free.get(near.data).filter(|_| near.data > i) else { continue };
            if !work.allowed(a, b) {
                continue;
            }
            if let Some(score) = score(work, a, b) {
                pairs.push((score, i, near.data));
            }
        }
    }
    take_best(work, pairs);
}

/// The best pair first, one end to one end. A joint is less sure where one of its ends could as well be joined
/// elsewhere: to an end that has nothing better.
fn take_best(work: &mut Work<'_>, mut pairs: Vec<(f64, usize, usize)>) {
    pairs.sort_by(|x, y| y.0.total_cmp(&x.0).then((x.1, x.2).cmp(&(y.1, y.2))));
    let mut joined: HashMap<usize, f64> = HashMap::new();
    let mut of_end: HashMap<usize, Vec<(f64, usize)>> = HashMap::new();
    let mut taken = Vec::new();
    for (score, a, b) in pairs {
        of_end.entry(a).or_default().push((score, b));
        of_end.entry(b).or_default().push((score, a));
        if !joined.contains_key(&a) && !joined.contains_key(&b) {
            joined.extend([(a, score), (b, score)]);
            taken.push((score, a, b));
        }
    }
    for (score, a, b) in taken {
        let rival = |end: usize, partner: usize| {
            let others = of_end.get(&end).map(Vec::as_slice).unwrap_or_default().iter();
            let real = others.filter(|(s, o)| *o != partner && joined.get(o).is_none_or(|better| better < s));
            real.map(|(s, _)| *s).fold(0.0, f64::max)
        };
        let confidence = score * (1.0 - 0.25 * (rival(a, b).max(rival(b, a)) / score).min(1.0));
        if confidence >= work.joining.least_confidence {
            work.join(a, b, confidence, JoinedBy::Geometry);
        }
    }
}

/// How sure two ends are one joint, 0 to 1; none when they are not.
fn score(work: &Work<'_>, a: &Candidate, b: &Candidate) -> Option<f64> {
    let agreement = work.evidence.agreement(a.element, b.element)?;
    let gap = work.joining.gap_m;
    let sure = source(a).min(source(b));
    let (Some(out_a), Some(out_b)) = (a.outward, b.outward) else {
        let apart = a.at.distance(b.at);
        let most = PORT_GAP * gap;
        return (apart <= most).then(|| sure * agreement * (0.9 - 0.4 * apart / most));
    };
    let turned = out_a.angle_between(-out_b);
    if turned > MOST_TURNED {
        return None;
    }
    let axis = (out_a - out_b).normalize_or(out_a);
    let between = b.at - a.at;
    let along = between.dot(axis);
    let beside = (between - axis * along).length();
    let (size, smaller) = size_agreement(work, a, b)?;
    let most_beside = smaller.map_or(0.5 * gap, |s| (BESIDE * s).clamp(LEAST_BESIDE_M, gap));
    if along.abs() > gap || beside > most_beside {
        return None;
    }
    // Overlapping ends are rarer than ends that lie apart.
    let apart = if along >= 0.0 { along } else { -1.3 * along };
    let score = sure
        * (1.0 - 0.35 * (apart / gap).min(1.0))
        * (1.0 - 0.4 * beside / most_beside)
        * (1.0 - 0.2 * turned / MOST_TURNED)
        * size
        * agreement;
    Some(score)
}

fn source(c: &Candidate) -> f64 {
    let by_kind = match c.source {
        EndSource::Port | EndSource::Sweep => 1.0,
        EndSource::Axis => 0.98,
        EndSource::Mesh => 0.96,
        EndSource::Box => 0.6,
    };
    if c.certain { by_kind } else { 0.93 * by_kind }
}

/// How well sizes agree, 0 to 1, and the smaller extent of the two; none when they do not belong together.
fn size_agreement(work: &Work<'_>, a: &Candidate, b: &Candidate) -> Option<(f64, Option<f64>)> {
    let smaller = match (a.outline, b.outline) {
        (Some(p), Some(q)) => p.least().min(q.least()),
        (Some(only), None) | (None, Some(only)) => return Some((0.9, Some(only.least()))),
        (None, None) => return Some((0.8, None)),
    };
    let (p, q) = (a.outline?, b.outline?);
    let ratio = |x: f64, y: f64| x.min(y) / x.max(y).max(1e-9);
    let (ratio, form) = match (p, q) {
        (Outline::Round { .. }, Outline::Round { .. }) => (ratio(p.most(), q.most()), 1.0),
        (Outline::Rect { .. }, Outline::Rect { .. }) => {
            (ratio(p.most(), q.most()).min(ratio(p.least(), q.least())), 1.0)
        }
        _ => (ratio(p.area().sqrt(), q.area().sqrt()), 0.9),
    };
    let role = |c: &Candidate| work.evidence.element(c.element).and_then(Role::of_element);
    let both_run = role(a) == Some(Role::Segment) && role(b) == Some(Role::Segment);
    if ratio < if both_run { SAME_SIZE } else { LEAST_SIZE } {
        return None;
    }
    // Flanges and collars are larger than what they hold: up to a third that says little.
    let fit = if ratio >= 0.95 { 1.0 } else { 0.5 + 0.5 * ratio };
    Some((fit * form, Some(smaller)))
}

/// Parts of one machine, standing in a row: ends and faces that look at each other across an empty stretch, which a
/// pipe or duct would never be left with.
pub(super) fn join_rows(work: &mut Work<'_>) {
    let mut of_whole: HashMap<u32, Vec<u32>> = HashMap::new();
    let with_ports: std::collections::HashSet<u32> = work.evidence.points.iter().map(|p| p.element).collect();
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
    for (_, parts) in wholes {
        row(work, &parts);
    }
}

/// A stretch without anything between two parts of a machine, metres.
const MOST_EMPTY_M: f64 = 0.5;
/// How much the axes of such parts may lie beside each other, of the smaller size.
const ROW_BESIDE: f64 = 0.2;
/// How sure a joint across an empty stretch is at best.
const ROW_CONFIDENCE: f64 = 0.55;

/// A side of a part's box.
struct Side {
    element: u32,
    at: DVec3,
    outward: DVec3,
    outline: Outline,
}

fn row(work: &mut Work<'_>, parts: &[u32]) {
    let mut sides: Vec<Side> = Vec::new();
    for part in parts {
        let Some(element) = work.evidence.element(*part) else { continue };
        let joined: Vec<DVec3> = work.candidates_of(*part).filter(|c| c.taken).filter_map(|c| c.outward).collect();
        let free_sides = box_sides(*part, element, work).into_iter();
        // A side that is joined already has no place for another.
        sides.extend(free_sides.filter(|s| !joined.iter().any(|j| j.dot(s.outward) > 0.9)));
    }
    let mut pairs: Vec<(f64, usize, usize)> = Vec::new();
    for (i, a) in sides.iter().enumerate() {
        for (j, b) in sides.iter().enumerate().skip(i + 1).filter(|(_, b)| b.element != a.element) {
            if a.outward.dot(b.outward) > -0.99 {
                continue;
            }
            let Some(agreement) = work.evidence.agreement(a.element, b.element) else { continue };
            let between = b.at - a.at;
            let along = between.dot(a.outward);
            let beside = (between - a.outward * along).length();
            let most_beside = ROW_BESIDE * a.outline.least().min(b.outline.least());
            let ratio = |x: f64, y: f64| x.min(y) / x.max(y).max(1e-9);
            let size = ratio(a.outline.most(), b.outline.most()).min(ratio(a.outline.least(), b.outline.least()));
            // Nothing blows across a stretch that is long for its height.
            let most_empty = MOST_EMPTY_M.min(0.5 * a.outline.least().min(b.outline.least()));
            if !(-work.joining.gap_m..=most_empty).contains(&along) || beside > most_beside || size < 0.6 {
                continue;
            }
            let score = ROW_CONFIDENCE * (1.0 - 0.4 * along.max(0.0) / MOST_EMPTY_M) * (0.7 + 0.3 * size) * agreement;
            if score >= work.joining.least_confidence {
                pairs.push((score, i, j));
            }
        }
    }
    pairs.sort_by(|x, y| y.0.total_cmp(&x.0).then((x.1, x.2).cmp(&(y.1, y.2))));
    let mut used = vec![false; sides.len()];
    for (score, i, j) in pairs {
        let (Some(a), Some(b)) = (sides.get(i), sides.get(j)) else { continue };
        if used.get(i) == Some(&true) || used.get(j) == Some(&true) {
            continue;
        }
        for k in [i, j] {
            if let Some(used) = used.get_mut(k) {
                *used = true;
            }
        }
        let ends = [a, b].map(|s| super::contact::point_on(work, s.element, s.at, s.outward, Some(s.outline)));
        let allowed = match (work.free.get(ends[0]), work.free.get(ends[1])) {
            (Some(p), Some(q)) => work.allowed(p, q),
            _ => false,
        };
        if allowed {
            work.join(ends[0], ends[1], score, JoinedBy::Geometry);
        }
    }
}

/// The six sides of an element's own box, and its true ends instead of the sides that these stand for.
fn box_sides(number: u32, element: &Element, work: &Work<'_>) -> Vec<Side> {
    let Some(bounds) = work.evidence.shape_of(element).and_then(|s| s.bounds()) else { return Vec::new() };
    let ends = work.candidates_of(number).filter(|c| c.source != EndSource::Box);
    let mut sides: Vec<Side> = ends
        .filter_map(|c| Some(Side { element: number, at: c.at, outward: c.outward?, outline: c.outline? }))
        .collect();
    let (middle, half) = (bounds.centre(), bounds.size() * 0.5);
    let largest = sides.iter().map(|s| s.outline.area()).fold(0.0, f64::max);
    sides.retain(|s| s.outline.area() >= 0.5 * largest);
    for axis in [DVec3::X, DVec3::Y, DVec3::Z] {
        for sign in [1.0, -1.0] {
            let local = axis * sign;
            let outward = element.placement.transform_vector3(local).normalize_or(DVec3::Z);
            let across: Vec<f64> =
                half.to_array().iter().zip(axis.to_array()).filter(|(_, a)| *a == 0.0).map(|(h, _)| 2.0 * h).collect();
            let [u, v] = across.as_slice() else { continue };
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
