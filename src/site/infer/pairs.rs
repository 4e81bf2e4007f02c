//! Ends that face each other: every pair near enough is scored, and the best go first, one end to one end.

use super::{Candidate, JoinedBy, Work};
use crate::shape::ends::Outline;
use crate::site::graph::Role;
use crate::site::model::EndSource;
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
    let mut ways: HashMap<u32, Vec<DVec3>> = HashMap::new();
    for (score, a, b) in pairs {
        of_end.entry(a).or_default().push((score, b));
        of_end.entry(b).or_default().push((score, a));
        let straight = [a, b].iter().all(|i| goes_straight(work, *i, &ways));
        if straight && !joined.contains_key(&a) && !joined.contains_key(&b) {
            joined.extend([(a, score), (b, score)]);
            taken.push((score, a, b));
            for end in [a, b].iter().filter_map(|i| work.free.get(*i)) {
                ways.entry(end.element).or_default().extend(end.outward);
            }
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

/// A straight run of which it is not sure where it ends has its second end across from its first.
fn goes_straight(work: &Work<'_>, i: usize, ways: &HashMap<u32, Vec<DVec3>>) -> bool {
    let Some(end) = work.free.get(i).filter(|c| !c.certain) else { return true };
    let run = work.evidence.element(end.element).and_then(Role::of_element) == Some(Role::Segment);
    let others = ways.get(&end.element).map(Vec::as_slice).unwrap_or_default();
    !run || end.outward.is_none_or(|o| others.iter().all(|w| w.dot(o) < -0.98))
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
        EndSource::Box | EndSource::Side => 0.6,
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
