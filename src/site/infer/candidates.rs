//! Which ends an element has: ports that nobody joined, ends that its file states, caps of its triangles.

use super::{Candidate, InferredPoint, PointOf, PointRef, Work};
use crate::shape::Shape;
use crate::shape::ends::{Body, Opening, Outline};
use crate::site::graph::Role;
use crate::site::model::{Element, End, EndSource};
use glam::DVec3;
use std::collections::{HashMap, HashSet};

/// An axis ends at a cap that lies this near, metres.
const SAME_PLACE_M: f64 = 0.015;
/// A run is longer than it is wide by this factor, or it is not sure which way it runs.
const LONGER: f64 = 3.0;
/// Faces of a valve or pump smaller than this part of its largest are handles and name plates.
const SMALL_PART: f64 = 0.05;
/// More faces than this are a machine's ornaments: the largest are looked at.
const MAX_FACES: usize = 96;

/// Fills the work's list with every end that may be joined. `taken` are ports that are joined already.
pub(super) fn collect(work: &mut Work<'_>, taken: &HashSet<u32>) {
    let evidence = work.evidence;
    let with_ports: HashSet<u32> = evidence.points.iter().map(|p| p.element).collect();
    for (i, port) in evidence.points.iter().enumerate().filter(|(i, _)| !taken.contains(&(*i as u32))) {
        let Some(at) = port.location else { continue };
        work.add(Candidate {
            element: port.element,
            point: PointRef::Port(i as u32),
            number: PointOf::Port(i as u32),
            at,
            outward: None,
            outline: None,
            source: EndSource::Port,
            certain: true,
            taken: false,
        });
    }
    let mut stated: HashMap<u32, Vec<End>> = HashMap::new();
    for end in evidence.ends {
        stated.entry(end.element).or_default().push(*end);
    }
    let mut bodies = Bodies::default();
    for (i, element) in evidence.elements.iter().enumerate() {
        let number = i as u32;
        let Some(role) = Role::of_element(element).filter(|_| !with_ports.contains(&number)) else { continue };
        let own = stated.remove(&number).unwrap_or_default();
        let shape = evidence.shape_of(element);
        let mut faces = faces(element, role, own, shape, &mut bodies);
        if role == Role::Inline {
            let area = |f: &Face| f.outline.map_or(0.0, Outline::area);
            let largest = faces.iter().map(area).fold(0.0, f64::max);
            faces.retain(|f| f.outline.is_none() || area(f) >= SMALL_PART * largest);
        }
        for (k, face) in faces.into_iter().enumerate().take(usize::from(u16::MAX)) {
            work.add_point(InferredPoint {
                element: number,
                number: k as u16 + 1,
                location: face.at,
                outward: face.outward,
                outline: face.outline,
                source: face.source,
                certain: face.certain,
            });
        }
    }
}

/// A face of an element that may be an end.
#[derive(Clone, Copy, Debug)]
struct Face {
    at: DVec3,
    outward: DVec3,
    outline: Option<Outline>,
    source: EndSource,
    certain: bool,
}

/// Meshes with their corners joined, and their openings, each made once however many elements share it.
#[derive(Default)]
struct Bodies {
    bodies: HashMap<u32, Body>,
    openings: HashMap<u32, Vec<Opening>>,
}

impl Bodies {
    fn body(&mut self, number: u32, shape: &Shape) -> &Body {
        self.bodies.entry(number).or_insert_with(|| Body::of(shape))
    }

    fn openings(&mut self, number: u32, shape: &Shape) -> Vec<Opening> {
        if let Some(known) = self.openings.get(&number) {
            return known.clone();
        }
        let mut found = self.body(number, shape).openings();
        if found.len() > MAX_FACES {
            found.sort_by(|a, b| b.outline.area().total_cmp(&a.outline.area()));
            found.truncate(MAX_FACES);
        }
        self.openings.insert(number, found.clone());
        found
    }
}

fn faces(element: &Element, role: Role, own: Vec<End>, shape: Option<&Shape>, bodies: &mut Bodies) -> Vec<Face> {
    let mut found: Vec<Face> = own
        .into_iter()
        .map(|e| Face { at: e.location, outward: e.outward, outline: e.outline, source: e.source, certain: true })
        .collect();
    let (Some(number), Some(shape)) = (element.shape, shape) else { return found };
    let axis = found.iter().any(|f| f.source == EndSource::Axis);
    if found.len() > 2 && !axis {
        // Sweeps that a body is built up from end inside of each other.
        let to_shape = element.placement.inverse();
        let body = bodies.body(number, shape);
        found.retain(|f| !body.contains(to_shape.transform_point3(f.at + f.outward * 1e-3)));
    }
    let run = matches!(role, Role::Segment | Role::Fitting);
    if run && !found.is_empty() && !axis {
        return found;
    }
    let mut caps: Vec<Face> = bodies
        .openings(number, shape)
        .into_iter()
        .map(|o| Face {
            at: element.placement.transform_point3(o.middle),
            outward: element.placement.transform_vector3(o.outward).normalize_or(DVec3::Z),
            outline: Some(o.outline),
            source: EndSource::Mesh,
            certain: false,
        })
        .collect();
    if axis {
        for face in &mut found {
            face.outline = caps
                .iter()
                .filter(|c| c.outward.dot(face.outward) > 0.9 && c.at.distance(face.at) <= SAME_PLACE_M)
                .min_by(|a, b| a.at.distance(face.at).total_cmp(&b.at.distance(face.at)))
                .and_then(|c| c.outline);
        }
        if run {
            return found;
        }
    }
    caps.retain(|c| !found.iter().any(|f| f.at.distance(c.at) < 1e-3 && f.outward.dot(c.outward) > 0.99));
    match role {
        Role::Segment => mark_run(&mut caps),
        Role::Fitting if caps.len() <= 2 => caps.iter_mut().for_each(|c| c.certain = true),
        _ => caps.iter_mut().for_each(|c| c.certain = matches!(c.outline, Some(Outline::Round { .. }))),
    }
    found.extend(caps);
    found
}

/// Of the faces of a straight run, the two at its far ends, where it is much longer than wide. Of a short wide duct all
/// faces stay, and what they meet decides.
fn mark_run(caps: &mut Vec<Face>) {
    let mut best: Option<(f64, usize, usize)> = None;
    for (i, a) in caps.iter().enumerate() {
        for (j, b) in caps.iter().enumerate().skip(i + 1) {
            let apart = (a.at - b.at).dot(a.outward);
            let beside = (a.at - b.at - a.outward * apart).length();
            let (Some(p), Some(q)) = (a.outline, b.outline) else { continue };
            if a.outward.dot(b.outward) < -0.98 && apart > 0.0 && beside < 0.15 * p.least() {
                let longer = apart / p.most().max(q.most());
                if best.is_none_or(|(most, ..)| longer > most) {
                    best = Some((longer, i, j));
                }
            }
        }
    }
    let ends: Vec<usize> = match best {
        _ if caps.len() <= 2 => (0..caps.len()).collect(),
        Some((longer, i, j)) if longer >= LONGER => vec![i, j],
        _ => return,
    };
    let mut number = 0;
    caps.retain(|_| {
        number += 1;
        ends.contains(&(number - 1))
    });
    caps.iter_mut().for_each(|c| c.certain = true);
}
