use super::*;
use crate::shape::{Aabb, Triangles};
use glam::DAffine3;
use proptest::prelude::*;

/// Elements, systems and ends in the making.
#[derive(Default)]
struct Place {
    elements: Vec<Element>,
    shapes: Vec<Arc<Shape>>,
    points: Vec<ConnectionPoint>,
    connections: Vec<Connection>,
    ends: Vec<End>,
    systems: Vec<Group>,
    zones: Vec<Group>,
    relations: Vec<Relation>,
}

impl Place {
    fn element(&mut self, class: &str, systems: &[u32]) -> u32 {
        let id = format!("e{}", self.elements.len());
        self.elements.push(Element { id, class: class.into(), systems: systems.to_vec(), ..Element::default() });
        self.elements.len() as u32 - 1
    }

    fn system(&mut self, predefined: &str) -> u32 {
        self.systems.push(Group { predefined_type: predefined.into(), ..Group::default() });
        self.systems.len() as u32 - 1
    }

    /// A round run from one place to another.
    fn run(&mut self, class: &str, from: [f64; 3], to: [f64; 3], diameter: f64, systems: &[u32]) -> u32 {
        let element = self.element(class, systems);
        let (a, b) = (DVec3::from_array(from), DVec3::from_array(to));
        let way = (b - a).normalize();
        for (location, outward) in [(a, -way), (b, way)] {
            let outline = Some(Outline::round(diameter));
            self.ends.push(End { element, location, outward, outline, source: EndSource::Sweep });
        }
        element
    }

    fn pipe(&mut self, from: [f64; 3], to: [f64; 3]) -> u32 {
        self.run("IfcPipeSegment", from, to, 0.022, &[])
    }

    /// A box-shaped machine between two corners.
    fn machine(&mut self, class: &str, min: [f64; 3], max: [f64; 3]) -> u32 {
        let element = self.element(class, &[]);
        let bounds = Aabb { min: DVec3::from_array(min), max: DVec3::from_array(max) };
        let c = bounds.corners();
        let mut shape = Triangles::default();
        for [a, b, c, d] in [
            [c[0], c[2], c[3], c[1]],
            [c[4], c[5], c[7], c[6]],
            [c[0], c[1], c[5], c[4]],
            [c[2], c[6], c[7], c[3]],
            [c[0], c[4], c[6], c[2]],
            [c[1], c[3], c[7], c[5]],
        ] {
            for p in [a, b, c, a, c, d] {
                shape.indices.push(shape.positions.len() as u32);
                shape.positions.push((p - bounds.centre()).as_vec3().to_array());
                shape.normals.push([0.0, 0.0, 1.0]);
            }
        }
        self.shapes.push(Arc::new(shape.into()));
        let number = self.shapes.len() as u32 - 1;
        let own = &mut self.elements[element as usize];
        own.shape = Some(number);
        own.placement = DAffine3::from_translation(bounds.centre());
        own.bounds = Some(bounds);
        element
    }

    fn evidence(&self) -> Evidence<'_> {
        Evidence {
            elements: &self.elements,
            shapes: &self.shapes,
            points: &self.points,
            connections: &self.connections,
            ends: &self.ends,
            systems: &self.systems,
            zones: &self.zones,
            relations: &self.relations,
        }
    }

    fn infer(&self, decisions: &[Decision]) -> Inferred {
        infer(&self.evidence(), &Joining::default(), decisions)
    }

    /// Joined elements, the lower first.
    fn joined(&self) -> Vec<(u32, u32)> {
        pairs_of(&self.infer(&[]))
    }
}

fn pairs_of(inferred: &Inferred) -> Vec<(u32, u32)> {
    let pair = |j: &Join| (j.from.element.min(j.to.element), j.from.element.max(j.to.element));
    let mut found: Vec<_> = inferred.joins.iter().map(pair).collect();
    found.sort_unstable();
    found
}

#[test]
fn a_gap_is_bridged_up_to_the_tolerance_and_makes_the_joint_less_sure() {
    let sure = |gap: f64| {
        let mut place = Place::default();
        place.pipe([0.0; 3], [3.0, 0.0, 0.0]);
        place.pipe([3.0 + gap, 0.0, 0.0], [6.0, 0.0, 0.0]);
        place.infer(&[]).joins.first().map(|j| j.confidence)
    };
    let (tight, wide) = (sure(0.0).unwrap(), sure(0.02).unwrap());
    assert!(tight > 0.9 && wide > 0.6 && wide < tight, "{tight} {wide}");
    assert!(sure(-0.01).is_some_and(|c| c < tight), "a pipe stuck into the next");
    assert_eq!(sure(0.05), None);
    let mut place = Place::default();
    place.pipe([0.0; 3], [3.0, 0.0, 0.0]);
    place.pipe([3.05, 0.0, 0.0], [6.0, 0.0, 0.0]);
    let generous = Joining { gap_m: 0.06, ..Joining::default() };
    assert_eq!(infer(&place.evidence(), &generous, &[]).joins.len(), 1, "the tolerance is a setting");
}

#[test]
fn pipes_30_mm_apart_are_not_confused() {
    let mut place = Place::default();
    for k in 0..3 {
        let y = 0.03 * f64::from(k);
        place.pipe([0.0, y, 0.0], [3.0, y, 0.0]);
        place.pipe([3.015, y, 0.0], [6.0, y, 0.0]);
    }
    // One that ends, and one beside it that begins.
    place.pipe([0.0, -0.03, 0.0], [3.0, -0.03, 0.0]);
    place.pipe([3.005, -0.06, 0.0], [6.0, -0.06, 0.0]);
    assert_eq!(place.joined(), [(0, 1), (2, 3), (4, 5)]);
}

#[test]
fn what_crosses_or_only_touches_is_not_joined() {
    let mut place = Place::default();
    place.run("IfcDuctSegment", [0.0; 3], [4.0, 0.0, 0.0], 0.3, &[]);
    place.run("IfcDuctSegment", [2.0, -1.0, 0.0], [2.0, 1.0, 0.0], 0.3, &[]);
    place.run("IfcDuctSegment", [1.0, 0.16, 0.0], [1.0, 2.0, 0.0], 0.3, &[]);
    place.run("IfcDuctSegment", [4.01, 0.0, 0.0], [4.01, 2.0, 0.0], 0.3, &[]);
    assert_eq!(place.joined(), []);
}

#[test]
fn media_and_sizes_have_to_agree_where_they_are_known() {
    let meet = |class: &str, diameter: f64, system: Option<&str>| {
        let mut place = Place::default();
        let heating = place.system("HEATING");
        let other: Vec<u32> = system.map(|s| place.system(s)).into_iter().collect();
        place.run("IfcPipeSegment", [0.0; 3], [3.0, 0.0, 0.0], 0.05, &[heating]);
        place.run(class, [3.0, 0.0, 0.0], [6.0, 0.0, 0.0], diameter, &other);
        place.infer(&[]).joins.first().map(|j| j.confidence)
    };
    let unknown = meet("IfcPipeSegment", 0.05, None).unwrap();
    let other_water = meet("IfcPipeSegment", 0.05, Some("CHILLEDWATER")).unwrap();
    assert!(unknown > 0.9 && other_water < 0.7, "not to know is not to disagree: {unknown} {other_water}");
    assert_eq!(meet("IfcPipeSegment", 0.05, Some("GAS")), None);
    assert_eq!(meet("IfcDuctSegment", 0.05, None), None, "a pipe is no duct");
    assert_eq!(meet("IfcPipeSegment", 0.04, None), None, "a pipe changes its size in a fitting only");
    assert!(meet("IfcPipeFitting", 0.04, None).is_some());
    assert!(meet("IfcFlowSegment", 0.05, None).is_some(), "a class that does not say what flows");
}

#[test]
fn the_nearest_goes_first_and_one_end_joins_one_end() {
    let mut place = Place::default();
    place.pipe([0.0; 3], [3.0, 0.0, 0.0]);
    place.run("IfcPipeFitting", [3.0, 0.0, 0.0], [3.012, 0.0, 0.0], 0.022, &[]);
    place.pipe([3.012, 0.0, 0.0], [6.0, 0.0, 0.0]);
    // A copy in the same place: one of the two stays alone, and the joint is less sure.
    assert_eq!(place.joined(), [(0, 1), (1, 2)]);
    let sure = |found: &Inferred| {
        found.joins.iter().find(|j| j.from.element.max(j.to.element) == 2).map(|j| j.confidence).unwrap()
    };
    let alone = sure(&place.infer(&[]));
    place.pipe([3.012, 0.0, 0.0], [6.0, 0.0, 0.0]);
    let twice = place.infer(&[]);
    assert_eq!(pairs_of(&twice), [(0, 1), (1, 2)]);
    assert!(sure(&twice) < alone - 0.2, "{} {alone}", sure(&twice));
}

#[test]
fn a_pipe_joins_the_machine_that_it_is_led_up_to() {
    let mut place = Place::default();
    let boiler = place.machine("IfcBoiler", [0.0; 3], [1.0, 1.0, 2.0]);
    let supply = place.pipe([1.0, 0.5, 1.5], [3.0, 0.5, 1.5]);
    let back = place.pipe([1.015, 0.5, 0.5], [3.0, 0.5, 0.5]);
    place.pipe([1.1, 0.5, 1.0], [3.0, 0.5, 1.0]); // too far
    place.pipe([1.01, -1.0, 1.0], [1.01, 3.0, 1.0]); // passes by
    place.run("IfcDuctSegment", [1.0, 0.2, 0.2], [2.0, 0.2, 0.2], 0.1, &[]); // no water
    let wall = place.machine("IfcWall", [5.0, 0.0, 0.0], [6.0, 1.0, 2.0]);
    place.pipe([6.0, 0.5, 1.5], [8.0, 0.5, 1.5]);
    assert_eq!(place.joined(), [(boiler, supply), (boiler, back)], "{wall}");
    let found = place.infer(&[]);
    // Rejected with a point of the machine, the pipe does not meet its body either.
    let on = found.joins.iter().find(|j| j.from.element.max(j.to.element) == supply).unwrap();
    assert!(on.confidence > 0.6, "{on:?}");
    let no = Decision { from: (boiler, Some(PointOf::Number(1))), to: (supply, None), verdict: Verdict::Reject };
    assert_eq!(pairs_of(&place.infer(&[no])), [(boiler, back)]);
    let numbers: Vec<u16> = found.points.iter().filter(|p| p.element == boiler).map(|p| p.number).collect();
    let mut once = numbers.clone();
    once.dedup();
    assert_eq!(numbers, once, "every point of a machine has a number of its own");
}

/// A straight duct or pipe with a box or tube of triangles around it.
fn solid(place: &mut Place, class: &str, from: [f64; 3], to: [f64; 3], across: f64) -> u32 {
    let (a, b) = (DVec3::from_array(from), DVec3::from_array(to));
    let way = (b - a).normalize();
    let around = DVec3::splat(0.5 * across) * (DVec3::ONE - way.abs());
    let corners = [a.min(b) - around, a.max(b) + around];
    let element = place.machine(class, corners[0].to_array(), corners[1].to_array());
    for (location, outward) in [(a, -way), (b, way)] {
        let outline = Some(Outline::rect(across, across));
        place.ends.push(End { element, location, outward, outline, source: EndSource::Sweep });
    }
    element
}

#[test]
fn a_branch_that_ends_on_the_side_of_a_run_is_tapped_into_it() {
    let meet = |from: [f64; 3], to: [f64; 3], across: f64| {
        let mut place = Place::default();
        solid(&mut place, "IfcDuctSegment", [0.0; 3], [6.0, 0.0, 0.0], 0.4);
        solid(&mut place, "IfcDuctSegment", from, to, across);
        place.infer(&[]).joins.first().map(|j| (j.confidence, j.gap_m.unwrap_or(f64::NAN)))
    };
    // On the wall, a little short of it, within it, and on the axis.
    let on = |y: f64| meet([3.0, 3.0, 0.0], [3.0, y, 0.0], 0.2);
    let (wall, short, within, axis) = (on(0.2).unwrap(), on(0.204).unwrap(), on(0.18).unwrap(), on(0.0).unwrap());
    assert!(wall.0 > 0.5 && wall.0 <= 0.6 && wall.1 < 1e-6, "{wall:?}");
    assert!([short, within, axis].iter().all(|s| s.0 < wall.0 && s.0 > 0.3), "{short:?} {within:?} {axis:?}");
    // Beside the middle of the side it is a tap still; over its edge it is none.
    assert!(meet([3.0, 3.0, 0.1], [3.0, 0.2, 0.1], 0.2).is_some());
    assert_eq!(meet([3.0, 3.0, 0.15], [3.0, 0.2, 0.15], 0.2), None);
    // Too far off, between wall and axis, through, beside, along, over the run's own end, larger than it.
    assert_eq!(on(0.215), None);
    assert_eq!(on(0.1), None);
    assert_eq!(on(0.03), None);
    assert_eq!(on(-1.0), None);
    assert_eq!(meet([3.0, 3.0, 0.45], [3.0, -3.0, 0.45], 0.2), None);
    assert_eq!(meet([0.0, 0.43, 0.0], [6.0, 0.43, 0.0], 0.4), None);
    assert_eq!(meet([0.05, 3.0, 0.0], [0.05, 0.2, 0.0], 0.2), None);
    assert_eq!(meet([3.0, 3.0, 0.0], [3.0, 0.2, 0.0], 0.6), None);
    assert_eq!(meet([3.0, 3.0, 0.0], [3.0, 0.2, 0.0], 0.4).map(|s| s.0 > 0.5), Some(true), "as large as the run");
}

#[test]
fn crossing_and_parallel_runs_are_never_tapped_into() {
    // A floor of ducts, 30 mm apart, and others across, above and below them at every distance but none.
    let mut place = Place::default();
    for k in 0..6 {
        let y = 0.43 * f64::from(k);
        solid(&mut place, "IfcDuctSegment", [0.0, y, 0.0], [8.0, y, 0.0], 0.4);
    }
    for k in 0..12 {
        let (x, z) = (0.6 + 0.6 * f64::from(k), 0.1 * f64::from(k % 6));
        solid(&mut place, "IfcDuctSegment", [x, -1.0, z], [x, 4.0, z], 0.2);
        // These end before the side of the first.
        let short = 0.006 + 0.004 * f64::from(k);
        solid(&mut place, "IfcDuctSegment", [x + 0.3, -3.0, 0.0], [x + 0.3, -0.2 - short, 0.0], 0.2);
    }
    assert_eq!(place.joined(), []);
}

#[test]
fn taps_can_be_decided_of_limited_and_keep_to_their_medium() {
    let mut place = Place::default();
    let run = solid(&mut place, "IfcPipeSegment", [0.0; 3], [3.0, 0.0, 0.0], 0.1);
    let next = solid(&mut place, "IfcPipeSegment", [3.0, 0.0, 0.0], [6.0, 0.0, 0.0], 0.1);
    let branch = solid(&mut place, "IfcPipeSegment", [2.0, 2.0, 0.0], [2.0, 0.05, 0.0], 0.05);
    solid(&mut place, "IfcDuctSegment", [1.0, 2.0, 0.0], [1.0, 0.05, 0.0], 0.05);
    assert_eq!(place.joined(), [(run, next), (run, branch)]);
    let tap = place.infer(&[]);
    let point = tap.points.iter().find(|p| p.source == EndSource::Side).unwrap();
    assert_eq!((point.element, point.number), (run, 3));
    assert!(point.location.distance(DVec3::new(2.0, 0.05, 0.0)) < 1e-6 && point.outward.y > 0.99, "{point:?}");
    let decide =
        |verdict: Verdict, point: Option<PointOf>| Decision { from: (run, point), to: (branch, None), verdict };
    assert_eq!(pairs_of(&place.infer(&[decide(Verdict::Reject, None)])), [(run, next)]);
    for point in [None, Some(PointOf::Number(3))] {
        let accepted = place.infer(&[decide(Verdict::Accept, point)]);
        assert_eq!(pairs_of(&accepted), [(run, next), (run, branch)], "the run's own end stays free for the next");
        let by: Vec<JoinedBy> = accepted.joins.iter().map(|j| j.by).collect();
        assert_eq!(by, [JoinedBy::Accepted, JoinedBy::Geometry]);
        assert!(accepted.joins.iter().all(|j| j.gap_m.is_some_and(|g| g < 1e-6)));
    }
    let none = Joining { tap_gap_m: 0.0, ..Joining::default() };
    assert_eq!(pairs_of(&infer(&place.evidence(), &none, &[])), [(run, next)]);
}

#[test]
fn ports_without_a_partner_are_joined_where_they_lie_in_one_place() {
    let mut place = Place::default();
    let ids: Vec<u32> = (0..4).map(|_| place.element("IfcPipeSegment", &[])).collect();
    for (element, x) in [(0, 1.0), (1, 1.002), (1, 2.0), (2, 2.5), (3, 1.0)] {
        place.points.push(ConnectionPoint {
            element: ids[element],
            location: Some(DVec3::X * x),
            ..ConnectionPoint::default()
        });
    }
    place.points[4].location = None;
    assert_eq!(place.joined(), [(0, 1)]);
    // A pipe that has no ports, led up to the free one.
    let bare = place.pipe([2.003, 0.0, 0.0], [4.0, 0.0, 0.0]);
    assert_eq!(place.joined(), [(0, 1), (1, bare)]);
    place.connections.push(Connection { from: 0, to: 1 });
    assert_eq!(place.joined(), [(1, bare)], "what is declared is not found again");
}

#[test]
fn decisions_go_first() {
    let mut place = Place::default();
    place.pipe([0.0; 3], [3.0, 0.0, 0.0]);
    place.pipe([3.0, 0.0, 0.0], [6.0, 0.0, 0.0]);
    place.pipe([3.0, 0.004, 0.0], [6.0, 0.004, 0.0]);
    place.pipe([6.0, 5.0, 0.0], [8.0, 5.0, 0.0]);
    assert_eq!(place.joined(), [(0, 1)]);
    let decide = |a: u32, b: u32, verdict: Verdict| Decision { from: (a, None), to: (b, None), verdict };
    // Rejected, the end is free for the next best.
    let other = place.infer(&[decide(1, 0, Verdict::Reject)]);
    assert_eq!(pairs_of(&other), [(0, 2)]);
    let accepted = place.infer(&[decide(0, 2, Verdict::Accept)]);
    assert_eq!(pairs_of(&accepted), [(0, 2)]);
    assert_eq!((accepted.joins[0].confidence, accepted.joins[0].by), (1.0, JoinedBy::Accepted));
    // By hand, across the room, at the ends that are nearest; and at stated points.
    let by_hand = place.infer(&[decide(1, 3, Verdict::Join)]);
    assert_eq!(pairs_of(&by_hand), [(0, 1), (1, 3)]);
    let joint = by_hand.joins.iter().find(|j| j.by == JoinedBy::Hand).unwrap();
    assert_eq!(joint.gap_m, Some(5.0));
    let stated =
        Decision { from: (1, Some(PointOf::Number(1))), to: (3, Some(PointOf::Number(2))), verdict: Verdict::Join };
    assert_eq!(pairs_of(&place.infer(&[stated])), [(0, 2), (1, 3)], "the first end of 1 is taken");
    // Elements without any point can be joined too, and declared joints rejected.
    let wall = place.element("IfcWall", &[]);
    assert!(pairs_of(&place.infer(&[decide(0, wall, Verdict::Join)])).contains(&(0, wall)));
    place.points = (0..2).map(|element| ConnectionPoint { element, ..ConnectionPoint::default() }).collect();
    place.connections.push(Connection { from: 0, to: 1 });
    assert_eq!(place.infer(&[decide(0, 1, Verdict::Reject)]).rejected, [0]);
    assert_eq!(place.infer(&[decide(0, 1, Verdict::Accept)]).joins, [], "the file says so already");
    assert!(place.infer(&[]).rejected.is_empty());
}

#[test]
fn parts_of_a_machine_stand_in_a_row() {
    let mut place = Place::default();
    let unit = place.machine("IfcUnitaryEquipment", [-0.1, -0.1, -0.1], [4.1, 1.1, 1.1]);
    let filter = place.machine("IfcFilter", [0.5, 0.0, 0.0], [1.0, 1.0, 1.0]);
    let coil = place.machine("IfcCoil", [1.3, 0.0, 0.0], [1.8, 1.0, 1.0]);
    let fan = place.machine("IfcFan", [2.0, 0.0, 0.0], [3.5, 1.0, 1.0]);
    let beside = place.machine("IfcFan", [2.0, 0.0, 3.0], [3.5, 1.0, 4.0]);
    for part in [filter, coil, fan, beside] {
        place.elements[part as usize].part_of = Some(unit);
    }
    // Two fans above each other are no row, and the last of a row ends at the machine's wall when that is near.
    let above = place.machine("IfcFan", [2.0, 0.0, 1.3], [3.5, 1.0, 2.3]);
    place.elements[above as usize].part_of = Some(unit);
    assert_eq!(place.joined(), [(filter, coil), (coil, fan)]);
    let last = place.machine("IfcFilter", [3.6, 0.0, 0.0], [3.9, 1.0, 1.0]);
    place.elements[last as usize].part_of = Some(unit);
    assert_eq!(place.joined(), [(unit, last), (filter, coil), (coil, fan), (fan, last)]);
    place.elements[coil as usize].part_of = None;
    place.elements[fan as usize].part_of = None;
    assert_eq!(place.joined(), [], "only within one machine");
}

proptest! {
    #[test]
    fn whatever_the_places_are_each_end_joins_once(
        ends in prop::collection::vec((-2i8..3, -2i8..3, -2i8..3, 0u8..6, 0usize..6), 0..40),
        odd in 0usize..5,
    ) {
        let mut place = Place::default();
        for _ in 0..6 {
            place.element("IfcPipeSegment", &[]);
        }
        let ways = [DVec3::X, DVec3::NEG_X, DVec3::Y, DVec3::NEG_Y, DVec3::Z, DVec3::NEG_Z];
        for (x, y, z, way, element) in ends {
            place.ends.push(End {
                element: element as u32,
                location: DVec3::new(x.into(), y.into(), z.into()) * 0.01,
                outward: ways[usize::from(way)],
                outline: Some(Outline::round(0.02)),
                source: EndSource::Sweep,
            });
        }
        if let Some(end) = place.ends.get_mut(odd) {
            end.location.x = [f64::NAN, f64::INFINITY, 1e300, -1e12, 0.0][odd];
        }
        let found = place.infer(&[]);
        let mut used: Vec<PointRef> = found.joins.iter().flat_map(|j| [j.from.point, j.to.point]).flatten().collect();
        let all = used.len();
        used.sort_unstable();
        used.dedup();
        prop_assert_eq!(used.len(), all);
        prop_assert!(found.joins.iter().all(|j| j.from.element != j.to.element && (0.3..=1.0).contains(&j.confidence)));
    }
}
