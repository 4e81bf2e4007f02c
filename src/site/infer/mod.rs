//! Joints that no file declares: the ends of elements without ports, found by their geometry and joined, and cables
//! that nobody draws.
//!
//! [`candidates`] gives the ends, [`pairs`] joins those that face each other, [`contact`] joins what is led up to a
//! machine that shows no nozzle there, [`taps`] what ends on the side of a straight run, [`rows`] the parts of one
//! machine. [`wiring`] knows no geometry: it finds the board or controller that something hangs on. Every joint has a
//! confidence, and what the engineer decided goes first.

mod cable;
mod candidates;
mod contact;
mod pairs;
mod rows;
mod taps;
mod wiring;

pub use cable::{Cable, Network, WiredBy};

use super::assets::Relation;
use super::graph::Domain;
use super::graph::medium::{self, Medium};
use super::graph::{Role, domain_of_class};
use super::model::{Connection, ConnectionPoint, Element, End, EndSource, Group, Model};
use crate::shape::Shape;
use crate::shape::ends::Outline;
use glam::DVec3;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

/// How ends are joined.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Joining {
    /// Ends may lie this far apart, or this far in each other, metres.
    pub gap_m: f64,
    /// A branch may stop this short of the side of the run that it is tapped into, metres; 0: none is.
    pub tap_gap_m: f64,
    /// Joints less sure than this are not made, 0 to 1.
    pub least_confidence: f64,
    /// The weakest reason for which a cable that nobody draws is taken to be there; none: no such cables.
    pub wiring: Option<WiredBy>,
    /// Such a cable leads no further than this, metres, unless it is stated what it leads to.
    pub wiring_reach_m: f64,
}

impl Default for Joining {
    fn default() -> Self {
        Self {
            gap_m: 0.03,
            tap_gap_m: 0.005,
            least_confidence: 0.3,
            wiring: Some(WiredBy::Building),
            wiring_reach_m: 100.0,
        }
    }
}

/// What inference looks at, of one model or of a whole site; every index is into these lists.
#[derive(Clone, Copy, Debug)]
pub struct Evidence<'a> {
    /// Elements.
    pub elements: &'a [Element],
    /// Their meshes.
    pub shapes: &'a [Arc<Shape>],
    /// Ports.
    pub points: &'a [ConnectionPoint],
    /// Joined ports.
    pub connections: &'a [Connection],
    /// Ends that the readers found.
    pub ends: &'a [End],
    /// Systems.
    pub systems: &'a [Group],
    /// Zones.
    pub zones: &'a [Group],
    /// What files and registries state of their things.
    pub relations: &'a [Relation],
}

impl<'a> Evidence<'a> {
    /// What one model says.
    pub fn of_model(model: &'a Model) -> Self {
        Self {
            elements: &model.elements,
            shapes: &model.shapes,
            points: &model.connection_points,
            connections: &model.connections,
            ends: &model.ends,
            systems: &model.systems,
            zones: &model.zones,
            relations: &model.relations,
        }
    }

    fn element(&self, i: u32) -> Option<&'a Element> {
        self.elements.get(i as usize)
    }

    fn shape_of(&self, element: &Element) -> Option<&'a Shape> {
        self.shapes.get(element.shape? as usize).map(|s| &**s)
    }

    /// The media of an element's systems.
    fn media(&self, element: &Element) -> Vec<Medium> {
        medium::of_systems(element.systems.iter().filter_map(|s| self.systems.get(*s as usize)))
    }

    /// An element's systems but those of its cables.
    fn flows(&self, element: &'a Element) -> impl Iterator<Item = u32> {
        let cable = |s: &u32| {
            let system = self.systems.get(*s as usize).and_then(medium::of_system);
            system.is_some_and(|m| m.domain == Domain::Electrical)
        };
        element.systems.iter().copied().filter(move |s| !cable(s))
    }

    /// What runs through an element: by its class, else by its systems where they agree.
    fn domain(&self, element: &Element) -> Option<Domain> {
        domain_of_class(element).or_else(|| {
            let mut domains: Vec<Domain> = self.media(element).into_iter().map(|m| m.domain).collect();
            domains.sort_unstable();
            domains.dedup();
            if let [only] = domains.as_slice() { Some(*only) } else { None }
        })
    }

    /// How well two elements agree in their systems and media, 0 to 1; none where they cannot be joined. Not to know
    /// is not to disagree.
    fn agreement(&self, a: u32, b: u32) -> Option<f64> {
        let (a, b) = (self.element(a)?, self.element(b)?);
        if let (Some(p), Some(q)) = (self.domain(a), self.domain(b))
            && p != q
        {
            return None;
        }
        if self.flows(a).next().is_none() || self.flows(b).next().is_none() {
            return Some(0.93);
        }
        if self.flows(a).any(|s| b.systems.contains(&s)) {
            return Some(1.0);
        }
        let (p, q) = (self.media(a), self.media(b));
        if p.is_empty() || q.is_empty() {
            return Some(0.75);
        }
        if p.iter().any(|m| q.contains(m)) {
            return Some(0.65);
        }
        // A machine may well stand in more than its system says; two pipes do not.
        let machine = |e: &Element| !matches!(Role::of_element(e), Some(Role::Segment | Role::Fitting));
        (machine(a) || machine(b)).then_some(0.45)
    }
}

/// A connection point that no port declares.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct InferredPoint {
    /// Its element.
    pub element: u32,
    /// Its number among the element's points, from 1.
    pub number: u16,
    /// Metres, Z up.
    pub location: DVec3,
    /// Out of the element.
    pub outward: DVec3,
    /// Its form, where known.
    pub outline: Option<Outline>,
    /// How it was found.
    pub source: EndSource,
    /// True when this is surely where the element ends, and not only a face that could be.
    pub certain: bool,
}

/// A connection point of either kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum PointRef {
    /// A port of the file, an index into the connection points.
    Port(u32),
    /// An index into [`Inferred::points`].
    Inferred(u32),
}

/// Who says that two elements are joined.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum JoinedBy {
    /// Ports of the file.
    File,
    /// Their geometry.
    Geometry,
    /// What they are and where they stand: a cable that nobody draws.
    Wiring,
    /// One of these two, and the engineer agreed.
    Accepted,
    /// The engineer.
    Hand,
}

/// One side of a joint.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct JoinEnd {
    /// The element.
    pub element: u32,
    /// Where; none for a joint by hand of an element without any point.
    pub point: Option<PointRef>,
}

/// A joint that no file declares.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Join {
    /// One side.
    pub from: JoinEnd,
    /// The other.
    pub to: JoinEnd,
    /// How far apart they lie, metres, where both places are known.
    pub gap_m: Option<f64>,
    /// 0 to 1.
    pub confidence: f64,
    /// Who says so.
    pub by: JoinedBy,
    /// What cable it is, for one that nobody draws: it leads from `from` to `to`.
    pub cable: Option<Cable>,
}

/// What a person decided of two elements.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// The inferred joint is right.
    Accept,
    /// They are not joined.
    Reject,
    /// They are joined, whatever their geometry looks like.
    Join,
}

/// A decision between two elements, its words looked up. Numbers are those of [`InferredPoint::number`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Decision {
    /// One element, and its port or the number of its inferred point when only that one is meant.
    pub from: (u32, Option<PointOf>),
    /// The other.
    pub to: (u32, Option<PointOf>),
    /// What was decided.
    pub verdict: Verdict,
}

/// A point of a known element.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PointOf {
    /// A port of the file, an index into the connection points.
    Port(u32),
    /// The number of an inferred point.
    Number(u16),
}

/// What inference found.
#[derive(Clone, Debug, Default)]
pub struct Inferred {
    /// Points of elements without ports, element by element.
    pub points: Vec<InferredPoint>,
    /// Joints.
    pub joins: Vec<Join>,
    /// Declared connections that the engineer rejected, indices into the connections.
    pub rejected: Vec<u32>,
}

/// Finds the points of elements without ports, and joins what belongs together: those points with each other, and
/// with ports that no connection names.
pub fn infer(evidence: &Evidence<'_>, joining: &Joining, decisions: &[Decision]) -> Inferred {
    let rejects: Vec<&Decision> = decisions.iter().filter(|d| d.verdict == Verdict::Reject).collect();
    let rejected: Vec<u32> = evidence
        .connections
        .iter()
        .enumerate()
        .filter(|(_, c)| {
            let of = |p: u32| evidence.points.get(p as usize).map(|point| (point.element, Some(PointOf::Port(p))));
            match (of(c.from), of(c.to)) {
                (Some(a), Some(b)) => rejects.iter().any(|d| d.meets(a, b)),
                _ => false,
            }
        })
        .map(|(i, _)| i as u32)
        .collect();
    let taken: HashSet<u32> = evidence
        .connections
        .iter()
        .enumerate()
        .filter(|(i, _)| !rejected.contains(&(*i as u32)))
        .flat_map(|(_, c)| [c.from, c.to])
        .collect();
    let mut work = Work {
        evidence,
        joining,
        rejects,
        free: Vec::new(),
        of_element: HashMap::new(),
        found: Inferred { rejected, ..Inferred::default() },
    };
    candidates::collect(&mut work, &taken);
    let declared = |d: &Decision| {
        let mut kept =
            evidence.connections.iter().enumerate().filter(|(i, _)| !work.found.rejected.contains(&(*i as u32)));
        let of = |p: u32| evidence.points.get(p as usize).map(|point| (point.element, Some(PointOf::Port(p))));
        kept.any(|(_, c)| matches!((of(c.from), of(c.to)), (Some(a), Some(b)) if d.meets(a, b)))
    };
    // What the file says already needs no second joint.
    let open: Vec<&Decision> =
        decisions.iter().filter(|d| d.verdict != Verdict::Reject).filter(|d| !declared(d)).collect();
    for decision in open {
        work.decide(decision);
    }
    pairs::join(&mut work);
    contact::join(&mut work);
    taps::join(&mut work);
    rows::join(&mut work);
    wiring::join(&mut work, &taken);
    work.found
}

impl Decision {
    /// Is it about this pair of elements (and points)?
    fn meets(&self, a: (u32, Option<PointOf>), b: (u32, Option<PointOf>)) -> bool {
        let fits = |side: (u32, Option<PointOf>), at: (u32, Option<PointOf>)| {
            side.0 == at.0 && (side.1.is_none() || side.1 == at.1)
        };
        (fits(self.from, a) && fits(self.to, b)) || (fits(self.from, b) && fits(self.to, a))
    }

    /// Is it about this point and that element, whichever of the element's points it names? The body of a machine is
    /// none of its points.
    fn meets_body(&self, a: (u32, Option<PointOf>), body: u32) -> bool {
        let at = |(element, point): (u32, Option<PointOf>)| {
            element == a.0 && (point.is_none() || a.1.is_none() || point == a.1)
        };
        (at(self.from) && self.to.0 == body) || (at(self.to) && self.from.0 == body)
    }
}

/// An end that may still be joined.
#[derive(Clone, Copy, Debug)]
struct Candidate {
    element: u32,
    point: PointRef,
    number: PointOf,
    at: DVec3,
    /// None for a port: files do not say it reliably.
    outward: Option<DVec3>,
    outline: Option<Outline>,
    source: EndSource,
    certain: bool,
    taken: bool,
}

/// An inference under way.
struct Work<'a> {
    evidence: &'a Evidence<'a>,
    joining: &'a Joining,
    rejects: Vec<&'a Decision>,
    free: Vec<Candidate>,
    /// Which of them an element has.
    of_element: HashMap<u32, Vec<u32>>,
    found: Inferred,
}

impl Work<'_> {
    /// Adds a point that geometry found, and gives its number among the candidates.
    fn add_point(&mut self, point: InferredPoint) -> usize {
        let reference = PointRef::Inferred(self.found.points.len() as u32);
        self.found.points.push(point);
        self.add(Candidate {
            element: point.element,
            point: reference,
            number: PointOf::Number(point.number),
            at: point.location,
            outward: Some(point.outward),
            outline: point.outline,
            source: point.source,
            certain: point.certain,
            taken: false,
        })
    }

    fn add(&mut self, candidate: Candidate) -> usize {
        let number = self.free.len();
        self.of_element.entry(candidate.element).or_default().push(number as u32);
        self.free.push(candidate);
        number
    }

    fn candidates_of(&self, element: u32) -> impl Iterator<Item = &Candidate> {
        let numbers = self.of_element.get(&element).map(Vec::as_slice).unwrap_or_default();
        numbers.iter().filter_map(|n| self.free.get(*n as usize))
    }

    /// May these two be joined at all?
    fn allowed(&self, a: &Candidate, b: &Candidate) -> bool {
        let side = |c: &Candidate| (c.element, Some(c.number));
        a.element != b.element && !self.rejects.iter().any(|d| d.meets(side(a), side(b)))
    }

    fn join(&mut self, a: usize, b: usize, confidence: f64, by: JoinedBy) {
        let (Some(p), Some(q)) = (self.free.get(a).copied(), self.free.get(b).copied()) else { return };
        for i in [a, b] {
            if let Some(candidate) = self.free.get_mut(i) {
                candidate.taken = true;
            }
        }
        self.found.joins.push(Join {
            from: JoinEnd { element: p.element, point: Some(p.point) },
            to: JoinEnd { element: q.element, point: Some(q.point) },
            gap_m: Some(p.at.distance(q.at)),
            confidence,
            by,
            cable: None,
        });
    }

    /// Joins what a person said is joined: the stated points, else the free ones that lie nearest to each other.
    fn decide(&mut self, decision: &Decision) {
        let by = if decision.verdict == Verdict::Accept { JoinedBy::Accepted } else { JoinedBy::Hand };
        // A cable from a board or controller leads to none of the ends of pipes and ducts.
        if decision.from.1.is_none()
            && decision.to.1.is_none()
            && let Some((from, to, cable)) = wiring::between(self.evidence, decision.from.0, decision.to.0)
        {
            let [from, to] = [from, to].map(|element| JoinEnd { element, point: None });
            self.found.joins.push(Join { from, to, gap_m: None, confidence: 1.0, by, cable: Some(cable) });
            return;
        }
        let of = |(element, point): (u32, Option<PointOf>)| -> Vec<usize> {
            let fits = |c: &Candidate| c.element == element && point.map_or(!c.taken, |p| p == c.number && !c.taken);
            self.free.iter().enumerate().filter(|(_, c)| fits(c)).map(|(i, _)| i).collect()
        };
        let (from, to) = (of(decision.from), of(decision.to));
        let distance = |(a, b): &(usize, usize)| match (self.free.get(*a), self.free.get(*b)) {
            (Some(p), Some(q)) => p.at.distance(q.at),
            _ => f64::INFINITY,
        };
        let nearest = from
            .iter()
            .flat_map(|a| to.iter().map(move |b| (*a, *b)))
            .min_by(|x, y| distance(x).total_cmp(&distance(y)));
        // Ends that are far from each other may lie on each other's sides.
        let gap = self.joining.gap_m;
        let tap = if nearest.is_some_and(|pair| distance(&pair) <= gap) {
            None
        } else {
            taps::between(self, &from, decision.to.0).or_else(|| taps::between(self, &to, decision.from.0))
        };
        match tap.or(nearest) {
            Some((a, b)) => self.join(a, b, 1.0, by),
            None => self.found.joins.push(Join {
                from: JoinEnd { element: decision.from.0, point: from.first().and_then(|i| self.point(*i)) },
                to: JoinEnd { element: decision.to.0, point: to.first().and_then(|i| self.point(*i)) },
                gap_m: None,
                confidence: 1.0,
                by,
                cable: None,
            }),
        }
    }

    fn point(&self, candidate: usize) -> Option<PointRef> {
        self.free.get(candidate).map(|c| c.point)
    }
}

#[cfg(test)]
mod tests;
