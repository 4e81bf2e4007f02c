//! Branches that end on the side of a straight run: a pipe or duct tapped without a tee.
//!
//! The branch ends on the run's wall, a little within it, or on its axis, and its whole mouth lies on the wall, away
//! from the run's own ends. What only crosses a run, passes beside it, or stops short of it is none.

use super::{Candidate, JoinedBy, Work, contact};
use crate::shape::ends::{Outline, nearest_hit};
use crate::site::graph::Role;
use crate::site::model::EndSource;
use glam::DVec3;
use rstar::primitives::{GeomWithData, Rectangle};
use rstar::{AABB, RTree};
use std::collections::HashSet;

/// How sure a tap is at best: an end that meets another end says more.
const CONFIDENCE: f64 = 0.6;
/// A branch leaves its run by an angle of at least 30 degrees: this is the cosine.
const SLANTED: f64 = 0.87;
/// The part of a mouth that has to lie on the wall.
const MOUTH: f64 = 0.8;

/// Joins the ends that nothing else has joined to the runs on whose sides they end.
pub(super) fn join(work: &mut Work<'_>) {
    if work.joining.tap_gap_m <= 0.0 {
        return;
    }
    let with_ports: HashSet<u32> = work.evidence.points.iter().map(|p| p.element).collect();
    let mut runs: Vec<GeomWithData<Rectangle<[f64; 3]>, u32>> = Vec::new();
    for (number, element) in (0..).zip(work.evidence.elements) {
        let bounds = element.bounds.filter(|b| b.min.is_finite() && b.max.is_finite());
        if Role::of_element(element) == Some(Role::Segment)
            && !with_ports.contains(&number)
            && let Some(b) = bounds
        {
            runs.push(GeomWithData::new(Rectangle::from_corners(b.min.to_array(), b.max.to_array()), number));
        }
    }
    let tree = RTree::bulk_load(runs);
    let gap = DVec3::splat(work.joining.tap_gap_m);
    let mut found: Vec<(f64, usize, u32, DVec3)> = Vec::new();
    for (i, end) in work.free.iter().enumerate().filter(|(_, c)| is_open(work, c)) {
        let around = AABB::from_corners((end.at - gap).to_array(), (end.at + gap).to_array());
        let runs = tree.locate_in_envelope_intersecting(&around).map(|near| near.data);
        let met = runs.filter_map(|run| on_side(work, end, run).map(|(score, at)| (score, i, run, at)));
        let best = met.max_by(|a, b| a.0.total_cmp(&b.0).then(b.2.cmp(&a.2)));
        found.extend(best.filter(|b| b.0 >= work.joining.least_confidence));
    }
    found.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
    for (score, i, run, at) in found {
        let on = point_on(work, i, run, at);
        work.join(i, on, score, JoinedBy::Geometry);
    }
}

/// Of these ends one that ends on the side of a run, and a new point there.
pub(super) fn between(work: &mut Work<'_>, ends: &[usize], run: u32) -> Option<(usize, usize)> {
    let of = |i: &usize| {
        let end = work.free.get(*i).filter(|c| is_open(work, c))?;
        on_side(work, end, run).map(|(score, at)| (score, *i, at))
    };
    let (_, i, at) = ends.iter().filter_map(of).max_by(|a, b| a.0.total_cmp(&b.0))?;
    Some((i, point_on(work, i, run, at)))
}

fn point_on(work: &mut Work<'_>, end: usize, run: u32, at: DVec3) -> usize {
    let (outward, outline) = work.free.get(end).map_or((None, None), |c| (c.outward, c.outline));
    contact::point_on(work, run, at, -outward.unwrap_or(DVec3::Z), outline, EndSource::Side)
}

/// Is this surely the end of a run or fitting, and joined to nothing?
fn is_open(work: &Work<'_>, end: &Candidate) -> bool {
    let role = work.evidence.element(end.element).and_then(Role::of_element);
    !end.taken && end.certain && end.at.is_finite() && matches!(role, Some(Role::Segment | Role::Fitting))
}

/// How sure it is that an end lies on the side of a run, and where it meets the wall; none when it does not.
fn on_side(work: &Work<'_>, end: &Candidate, run: u32) -> Option<(f64, DVec3)> {
    let (outward, mouth) = (end.outward?, end.outline?);
    let element = work.evidence.element(run)?;
    let nested = work.evidence.element(end.element)?.part_of == Some(run) || element.part_of == Some(end.element);
    let rejected = work.rejects.iter().any(|d| d.meets_body((end.element, Some(end.number)), run));
    if run == end.element || nested || rejected || Role::of_element(element) != Some(Role::Segment) {
        return None;
    }
    let agreement = work.evidence.agreement(end.element, run)?;
    let straight = Straight::of(work, run)?;
    let slant = straight.axis.dot(outward).abs();
    if slant > SLANTED || mouth.least() > 1.02 * straight.outline.most() {
        return None;
    }
    // The mouth is longer along the run the more slanted it is, and stays off the run's ends.
    let half_mouth = 0.5 * mouth.most() / (1.0 - slant * slant).sqrt();
    let from_first = end.at - straight.first;
    let along = from_first.dot(straight.axis);
    if along < half_mouth || along > straight.length - half_mouth {
        return None;
    }
    let (gap, deep) = (work.joining.tap_gap_m, work.joining.gap_m);
    let shape = work.evidence.shape_of(element)?;
    let to_shape = element.placement.inverse();
    let way = to_shape.transform_vector3(outward).try_normalize()?;
    // Slanted branches pass more of the run.
    let through = straight.outline.most() / (1.0 - slant * slant).sqrt();
    let hit = |at: DVec3, ahead: f64| nearest_hit(shape, to_shape.transform_point3(at), way, through, ahead);
    let wall = hit(end.at, gap)?;
    // Whoever draws centre lines snaps them to each other; anything else inside a run is a clash.
    let on_axis = (from_first - straight.axis * along).length() <= gap;
    let off = match wall {
        ahead if ahead >= 0.0 => ahead / gap,
        within if -within <= deep => -within / deep,
        _ if on_axis => 0.5,
        _ => return None,
    };
    let (u, v) = outward.any_orthonormal_pair();
    let rim = 0.5 * MOUTH * mouth.least();
    if ![u, -u, v, -v].into_iter().all(|d| hit(end.at + d * rim, through).is_some()) {
        return None;
    }
    Some((CONFIDENCE * (1.0 - 0.35 * off) * (1.0 - 0.2 * slant) * agreement, end.at + outward * wall))
}

/// A run with two ends on one axis.
struct Straight {
    first: DVec3,
    axis: DVec3,
    length: f64,
    outline: Outline,
}

impl Straight {
    fn of(work: &Work<'_>, run: u32) -> Option<Self> {
        let ends: Vec<&Candidate> = work.candidates_of(run).filter(|c| c.certain).collect();
        let [a, b] = ends.as_slice() else { return None };
        let length = a.at.distance(b.at);
        let axis = (b.at - a.at).try_normalize()?;
        let faces = a.outward?.dot(-axis) > 0.98 && b.outward?.dot(axis) > 0.98;
        faces.then_some(Self { first: a.at, axis, length, outline: a.outline.or(b.outline)? })
    }
}
