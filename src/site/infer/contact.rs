//! Runs that are led up to a machine which shows no nozzle there: the end of a pipe or duct that meets the body, or
//! the box around it, from outside.

use super::{InferredPoint, JoinedBy, Work};
use crate::shape::ends::{Outline, nearest_hit};
use crate::site::graph::Role;
use crate::site::model::{Element, EndSource};
use glam::DVec3;
use rstar::primitives::{GeomWithData, Rectangle};
use rstar::{AABB, RTree};
use std::collections::HashSet;

/// How sure a joint is where a run meets a body, and where it meets only the box around one.
const ON_BODY: f64 = 0.8;
const ON_BOX: f64 = 0.6;
/// A run may stand askew on what it meets by this, cosine.
const SQUARE: f64 = 0.97;

/// Joins free ends of runs to the machines that they touch.
pub(super) fn join(work: &mut Work<'_>) {
    let evidence = work.evidence;
    let with_ports: HashSet<u32> = evidence.points.iter().map(|p| p.element).collect();
    let machine = |e: &Element| matches!(Role::of_element(e), Some(Role::Equipment | Role::Terminal));
    let boxes: Vec<GeomWithData<Rectangle<[f64; 3]>, u32>> = evidence
        .elements
        .iter()
        .enumerate()
        .filter(|(i, e)| machine(e) && !with_ports.contains(&(*i as u32)))
        .filter_map(|(i, e)| {
            let b = e.bounds.filter(|b| b.min.is_finite() && b.max.is_finite())?;
            Some(GeomWithData::new(Rectangle::from_corners(b.min.to_array(), b.max.to_array()), i as u32))
        })
        .collect();
    let tree = RTree::bulk_load(boxes);
    let gap = work.joining.gap_m;
    let mut found: Vec<(f64, usize, u32, DVec3)> = Vec::new();
    for i in 0..work.free.len() {
        let Some(end) = work.free.get(i).copied().filter(|c| !c.taken && c.at.is_finite()) else { continue };
        let Some(outward) = end.outward.filter(|_| leads_on(work, i)) else { continue };
        let around =
            AABB::from_corners((end.at - DVec3::splat(gap)).to_array(), (end.at + DVec3::splat(gap)).to_array());
        let mut met: Vec<(f64, u32, DVec3)> = Vec::new();
        for near in tree.locate_in_envelope_intersecting(&around) {
            let number = near.data;
            let Some(element) = evidence.element(number) else { continue };
            let own = evidence.element(end.element);
            let nested = own.and_then(|o| o.part_of) == Some(number) || element.part_of == Some(end.element);
            let rejected = work.rejects.iter().any(|d| d.meets_body((end.element, Some(end.number)), number));
            if number == end.element || nested || rejected {
                continue;
            }
            let Some(agreement) = evidence.agreement(end.element, number) else { continue };
            let Some((sure, along)) = meets(work, element, end.at, outward, end.outline) else { continue };
            let score = sure * (1.0 - 0.35 * along.abs() / gap) * agreement;
            met.push((score, number, end.at + outward * along));
        }
        // Where a part of a machine lies behind the machine's own wall, it is the machine that is met.
        let wholes: Vec<u32> = met.iter().map(|m| m.1).collect();
        let whole_of = |number: u32| evidence.element(number).and_then(|e| e.part_of);
        met.retain(|(_, number, _)| !whole_of(*number).is_some_and(|w| wholes.contains(&w)));
        let best = met.into_iter().max_by(|a, b| a.0.total_cmp(&b.0).then(b.1.cmp(&a.1)));
        if let Some((score, number, at)) = best.filter(|b| b.0 >= work.joining.least_confidence) {
            found.push((score, i, number, at));
        }
    }
    found.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
    for (score, i, number, at) in found {
        let Some(end) = work.free.get(i).copied() else { continue };
        let on = point_on(work, number, at, -end.outward.unwrap_or(DVec3::Z), end.outline, EndSource::Box);
        work.join(i, on, score, JoinedBy::Geometry);
    }
}

/// Makes a point on an element where something meets it; gives its number among the candidates.
pub(super) fn point_on(
    work: &mut Work<'_>,
    element: u32,
    location: DVec3,
    outward: DVec3,
    outline: Option<Outline>,
    source: EndSource,
) -> usize {
    let number = work.candidates_of(element).count().min(usize::from(u16::MAX) - 1) as u16 + 1;
    work.add_point(InferredPoint { element, number, location, outward, outline, source, certain: false })
}

/// Is this free end surely one of a run that goes on: not the face of a handle, nor the side of a tee?
fn leads_on(work: &Work<'_>, i: usize) -> bool {
    let Some(end) = work.free.get(i) else { return false };
    let role = work.evidence.element(end.element).and_then(Role::of_element);
    match role {
        Some(Role::Segment | Role::Fitting) if end.certain => return true,
        Some(Role::Segment | Role::Fitting | Role::Inline) => {}
        _ => return false,
    }
    // The end across from one that is joined, on the same axis and of the same size.
    let (Some(outward), Some(outline)) = (end.outward, end.outline) else { return false };
    work.candidates_of(end.element).filter(|c| c.taken).any(|c| {
        let across = c.outward.is_some_and(|o| o.dot(outward) < -0.98);
        let between = c.at - end.at;
        let beside = (between - outward * between.dot(outward)).length();
        let alike = c.outline.is_some_and(|o| (o.area() / outline.area() - 1.0).abs() < 0.3);
        across && alike && beside < 0.1 * outline.least()
    })
}

/// Does an end meet this machine? How sure, and how far along its way out, metres.
fn meets(
    work: &Work<'_>,
    element: &Element,
    at: DVec3,
    outward: DVec3,
    outline: Option<Outline>,
) -> Option<(f64, f64)> {
    let gap = work.joining.gap_m;
    let shape = work.evidence.shape_of(element)?;
    let to_shape = element.placement.inverse();
    let from = to_shape.transform_point3(at);
    let along = to_shape.transform_vector3(outward).try_normalize()?;
    if let Some(hit) = nearest_hit(shape, from, along, gap, gap) {
        return Some((ON_BODY, hit));
    }
    // Openings show nothing where the run meets them, and thin things stand back from their own box.
    let bounds = shape.bounds()?;
    let (middle, half) = (bounds.centre(), bounds.size() * 0.5);
    for axis in 0..3 {
        let (Some(way), Some(reach)) = (along.to_array().get(axis).copied(), half.to_array().get(axis).copied()) else {
            continue;
        };
        if way.abs() < SQUARE {
            continue;
        }
        let from_middle = (from - middle).to_array();
        let depth = from_middle.get(axis).copied()? * way.signum() + reach;
        let mut across = from_middle.iter().zip(half.to_array()).enumerate().filter(|(k, _)| *k != axis);
        let slack = outline.map_or(0.0, |o| 0.25 * o.least());
        let inside = across.all(|(_, (c, h))| c.abs() <= h - slack.min(0.5 * h));
        if depth.abs() <= gap && inside {
            return Some((ON_BOX, -depth));
        }
    }
    None
}
