//! Small revisions, each with one trap.

use super::super::model::{Connection, ConnectionPoint, Element, Model, PropertySet, PropertyValue, Storey};
use super::*;
use crate::shape::{Aabb, Shape, Triangles};
use glam::{DAffine3, DVec3};

/// A wedge, so that no turn of it looks like another; metres.
fn wedge(size: [f32; 3]) -> Arc<Shape> {
    let [x, y, z] = size;
    let triangles = Triangles {
        positions: vec![[0.0; 3], [x, 0.0, 0.0], [0.0, y, 0.0], [0.0, 0.0, z]],
        normals: vec![[0.0, 0.0, 1.0]; 4],
        indices: vec![0, 2, 1, 0, 1, 3, 0, 3, 2, 1, 2, 3],
        ..Triangles::default()
    };
    Arc::new(triangles.into())
}

/// A device of some size at a place.
fn device(id: &str, class: &str, tag: &str, at: [f64; 3], shape: u32) -> Element {
    Element {
        id: id.into(),
        class: class.into(),
        name: class.trim_start_matches("Ifc").into(),
        tag: tag.into(),
        shape: Some(shape),
        placement: DAffine3::from_translation(DVec3::from_array(at)),
        bounds: Some(Aabb { min: DVec3::from_array(at), max: DVec3::from_array(at) + 1.0 }),
        ..Element::default()
    }
}

fn model(elements: Vec<Element>) -> Model {
    Model {
        elements,
        shapes: vec![wedge([0.5, 0.3, 0.2]), wedge([1.0, 0.4, 0.7]), wedge([2.0, 0.2, 0.2])],
        storeys: vec![Storey { name: "Level 1".into(), ..Storey::default() }],
        ..Model::default()
    }
}

/// A room with nine radiators in irregular places, a pump and a boiler.
fn room() -> Vec<Element> {
    let mut all: Vec<Element> = (0..9)
        .map(|i| {
            let at = [i as f64 * 1.7, (i * i % 7) as f64 * 1.3, 3.0 * (i % 2) as f64];
            device(&format!("r{i}"), "IfcSpaceHeater", &format!("RAD-{i}"), at, 0)
        })
        .collect();
    all.push(device("p", "IfcPump", "P-1", [20.0, 3.0, 0.0], 1));
    all.push(device("b", "IfcBoiler", "B-1", [22.0, 9.0, 0.0], 2));
    all
}

/// Another export: every GlobalId new, turned and moved.
fn exported(mut elements: Vec<Element>, turn_deg: f64, shift: [f64; 3]) -> Vec<Element> {
    let move_all =
        DAffine3::from_translation(DVec3::from_array(shift)) * DAffine3::from_rotation_z(turn_deg.to_radians());
    for element in &mut elements {
        element.id = format!("new-{}", element.id);
        element.placement = move_all * element.placement;
    }
    elements
}

fn compared(old: &Model, new: &Model) -> Revision {
    compare(&Side::of_model(old), &Side::of_model(new))
}

/// `r1 new-r1 Tag` for every pair.
fn pairs(old: &Model, new: &Model, revision: &Revision) -> Vec<String> {
    let id = |m: &Model, i: u32| m.elements[i as usize].id.clone();
    revision.pairs.iter().map(|p| format!("{} {} {:?}", id(old, p.old), id(new, p.new), p.by)).collect()
}

fn removed<'a>(old: &'a Model, revision: &'a Revision) -> Vec<(&'a str, &'a Why)> {
    revision.removed.iter().map(|r| (old.elements[r.old as usize].id.as_str(), &r.why)).collect()
}

#[test]
fn the_same_file_twice_is_no_revision() {
    let mut elements = room();
    // Two with one GlobalId, and two that stand in one another.
    elements.push(device("r0", "IfcSpaceHeater", "RAD-0", [40.0, 0.0, 0.0], 0));
    elements.push(device("x", "IfcSpaceHeater", "", [40.0, 0.0, 0.0], 0));
    let old = model(elements);
    let revision = compared(&old, &old);
    assert_eq!(revision.pairs.len(), old.elements.len());
    assert!(revision.pairs.iter().all(|p| p.old == p.new));
    assert!(revision.motion.is_still() && revision.added.is_empty() && revision.removed.is_empty());
    assert_eq!((revision.moved, revision.changed), (vec![], vec![]));
}

#[test]
fn nothing_is_found_in_nothing() {
    let (empty, old) = (Model::default(), model(room()));
    let revision = compared(&empty, &empty);
    assert_eq!((revision.pairs, revision.added), (vec![], vec![]));
    let revision = compared(&old, &empty);
    assert!(revision.removed.len() == 11 && revision.removed.iter().all(|r| r.why == Why::Gone));
    assert_eq!(compared(&empty, &old).added.len(), 11);
}

#[test]
fn another_building_has_nothing_in_common() {
    let old = model(room());
    let other = (0..30)
        .map(|i| device(&format!("d{i}"), "IfcDoor", &format!("D-{i}"), [i as f64 * 1.9, (i * i) as f64, 0.0], 1))
        .collect();
    let revision = compared(&old, &model(other));
    assert_eq!((revision.pairs.len(), revision.added.len(), revision.removed.len()), (0, 30, 11));
    assert!(!revision.motion_known);
}

#[test]
fn the_movement_of_the_whole_model_is_found_and_taken_out() {
    let old = model(room());
    for (turn, shift) in
        [(90.0, [2.0, 0.0, 0.0]), (-33.3, [100.0, -50.0, 4.0]), (180.0, [0.0; 3]), (0.0, [0.0, 0.0, 0.5])]
    {
        // By tags, and by nothing but places and shapes.
        for tags in [true, false] {
            let mut elements = exported(room(), turn, shift);
            for element in elements.iter_mut().filter(|_| !tags) {
                element.tag = String::new();
            }
            let new = model(elements);
            let revision = compared(&old, &new);
            assert!(revision.motion_known, "{turn} {shift:?} {tags}");
            assert!((revision.motion.offset_m - DVec3::from_array(shift)).length() < 1e-4, "{:?}", revision.motion);
            let turned = revision.motion.turn_rad.to_degrees() - turn;
            assert!((turned + 180.0).rem_euclid(360.0) - 180.0 < 1e-4);
            assert_eq!(revision.pairs.len(), 11);
            assert!(revision.pairs.iter().all(|p| p.old == p.new && p.by == if tags { By::Tag } else { By::Place }));
            assert_eq!(revision.moved, []);
        }
    }
}

#[test]
fn a_building_that_looks_the_same_from_both_ends_is_not_guessed() {
    fn row(prefix: &str) -> Vec<Element> {
        (0..6).map(|i| device(&format!("{prefix}{i}"), "IfcDoor", "", [f64::from(i) * 3.0, 0.0, 0.0], 0)).collect()
    }
    let symmetric = |prefix: &str| -> Vec<Element> {
        row(prefix)
            .into_iter()
            .flat_map(|door| {
                // A shape that looks the same from either side: the same wedge twice, once turned.
                let mut twin = door.clone();
                twin.id += "t";
                twin.placement = DAffine3::from_translation(DVec3::new(15.0, 0.0, 0.0))
                    * DAffine3::from_rotation_z(std::f64::consts::PI)
                    * door.placement;
                [door, twin]
            })
            .collect()
    };
    let (old, mut new) = (model(symmetric("a")), model(symmetric("b")));
    assert!(!compared(&old, &new).motion_known);
    assert_eq!(compared(&old, &new).pairs, []);
    // One tag tells which end is which.
    let mut tagged = old.clone();
    for m in [&mut tagged, &mut new] {
        for (i, tag) in [(0, "A"), (3, "B"), (4, "C"), (7, "D")] {
            m.elements[i].tag = tag.into();
        }
    }
    let revision = compared(&tagged, &new);
    assert!(revision.motion_known && revision.motion.is_still());
    assert_eq!(revision.pairs.len(), 12);
}

#[test]
fn a_tag_that_went_to_a_neighbour_is_not_followed() {
    let old = model(room());
    let mut elements = exported(room(), 90.0, [2.0, 0.0, 0.0]);
    (elements[2].tag, elements[3].tag) = (elements[3].tag.clone(), elements[2].tag.clone());
    let new = model(elements);
    let revision = compared(&old, &new);
    let found = pairs(&old, &new, &revision);
    assert!(found.contains(&"r2 new-r2 Place".into()) && found.contains(&"r3 new-r3 Place".into()), "{found:?}");
    let tags: Vec<_> = revision.changed.iter().map(|c| (c.old_element, c.property.as_str())).collect();
    assert_eq!(tags, [(2, "tag"), (3, "tag")]);
}

#[test]
fn the_tag_of_one_that_is_gone_does_not_bring_it_back() {
    let old = model(room());
    let mut elements = exported(room(), 90.0, [2.0, 0.0, 0.0]);
    elements[4].placement = DAffine3::from_translation(DVec3::new(9.0, 9.0, 0.0)) * elements[4].placement;
    elements[4].id = "another".into();
    // And beside the place of another that is gone there is a new one.
    elements[5].placement = DAffine3::from_translation(DVec3::new(0.15, 0.0, 0.0)) * elements[5].placement;
    (elements[5].id, elements[5].tag) = ("beside".into(), "RAD-99".into());
    let new = model(elements);
    let revision = compared(&old, &new);
    assert_eq!(revision.pairs.len(), 9);
    let gone = removed(&old, &revision);
    assert!(matches!(gone[0], ("r4", Why::TagElsewhere { new: 4, distance_m }) if *distance_m > 12.0), "{gone:?}");
    assert_eq!(gone[1].0, "r5");
    assert!(gone[0].1.text(&Side::of_model(&new)).contains("RAD-4 another"));
    assert_eq!(revision.added, [4, 5]);
}

#[test]
fn what_was_moved_is_found_by_its_tag_when_its_neighbours_say_so() {
    let joined = |elements: Vec<Element>| {
        let port = |element| ConnectionPoint { element, ..ConnectionPoint::default() };
        Model {
            connection_points: [9, 10, 9, 8].map(port).to_vec(),
            connections: vec![Connection { from: 0, to: 1 }, Connection { from: 2, to: 3 }],
            ..model(elements)
        }
    };
    let old = joined(room());
    let mut elements = exported(room(), 0.0, [0.0; 3]);
    elements[9].placement = DAffine3::from_translation(DVec3::new(0.0, 4.0, 0.0)) * elements[9].placement;
    let alone = model(elements.clone());
    assert!(matches!(removed(&old, &compared(&old, &alone))[..], [("p", Why::TagElsewhere { .. })]));
    let new = joined(elements);
    let revision = compared(&old, &new);
    assert!(pairs(&old, &new, &revision).contains(&"p new-p Tag".into()));
    assert_eq!(revision.moved.len(), 1);
    assert!((revision.moved[0].offset_m - DVec3::new(0.0, 4.0, 0.0)).length() < 1e-9 && !revision.moved[0].turned);
}

#[test]
fn what_kept_its_globalid_is_itself_wherever_it_went() {
    let old = model(room());
    let mut elements = room();
    let at = elements[9].placement;
    elements[9].placement = DAffine3::from_translation(DVec3::new(-7.0, 1.0, 0.0)) * at;
    elements[9].tag = "P-2".into();
    elements[10].placement *= DAffine3::from_rotation_z(0.5);
    let new = model(elements);
    let revision = compared(&old, &new);
    assert!(revision.motion.is_still());
    assert_eq!(revision.pairs.len(), 11);
    let moved: Vec<_> = revision.moved.iter().map(|m| (m.new, m.turned)).collect();
    assert_eq!(moved, [(9, false), (10, true)]);
}

#[test]
fn one_of_two_that_cannot_be_told_apart_is_not_chosen() {
    let mut elements = room();
    elements.push(device("x", "IfcValve", "", [5.0, 5.0, 0.0], 0));
    let old = model(elements.clone());
    elements.push(device("y", "IfcValve", "", [5.0, 5.0, 0.0], 0));
    let new = model(exported(elements, 0.0, [0.0; 3]));
    let revision = compared(&old, &new);
    assert_eq!(revision.pairs.len(), 11);
    assert_eq!(removed(&old, &revision), [("x", &Why::Ambiguous { candidates: vec![11, 12] })]);
    let words = removed(&old, &revision)[0].1.text(&Side::of_model(&new));
    assert!(words.contains("new-x") && words.contains("new-y"), "{words}");
}

#[test]
fn every_kind_of_change_is_told() {
    let set = |name: &str, values: &[(&str, PropertyValue)]| {
        let values = values.iter().map(|(n, v)| ((*n).to_owned(), v.clone())).collect();
        Arc::new(PropertySet { name: name.into(), values, ..PropertySet::default() })
    };
    let text = |t: &str| PropertyValue::Text(t.into());
    let mut elements = room();
    elements[9].properties = vec![
        set("Pset_A", &[("Flow", PropertyValue::Real(2.0)), ("Gone", text("x")), ("Whole", PropertyValue::Integer(3))]),
        set("Pset_A", &[("Flow", PropertyValue::Real(99.0))]),
    ];
    elements[9].materials = vec!["Steel".into(), "Brass".into()];
    elements[9].storey = Some(0);
    let old = model(elements.clone());
    let pump = &mut elements[9];
    pump.properties = vec![set(
        "Pset_A",
        &[
            ("Flow", PropertyValue::Real(2.5)),
            ("Whole", PropertyValue::Real(3.0)),
            ("New", PropertyValue::Boolean(true)),
        ],
    )];
    pump.materials = vec!["Brass".into(), "Steel".into()];
    (pump.name, pump.storey, pump.shape) = ("Duty pump".into(), None, Some(2));
    let revision = compared(&old, &model(elements));
    let told: Vec<_> = revision.changed.iter().map(|c| (c.property.as_str(), c.old.clone(), c.new.clone())).collect();
    assert_eq!(
        told[..5],
        [
            ("name", Some(text("Pump")), Some(text("Duty pump"))),
            ("storey", Some(text("Level 1")), None),
            ("Pset_A.Flow", Some(PropertyValue::Real(2.0)), Some(PropertyValue::Real(2.5))),
            ("Pset_A.Gone", Some(text("x")), None),
            ("Pset_A.New", None, Some(PropertyValue::Boolean(true))),
        ]
    );
    assert_eq!((told.len(), told[5].0), (6, "geometry"));
    assert_eq!(revision.moved, [], "another shape at the same place has not moved");
}

#[test]
fn assemblies_without_geometry_are_found_by_their_parts() {
    let with_whole = |mut elements: Vec<Element>| {
        let whole = elements.len() as u32;
        for part in &mut elements[..3] {
            part.part_of = Some(whole);
        }
        let mut assembly = device("w", "IfcElementAssembly", "", [0.0; 3], 0);
        (assembly.shape, assembly.bounds) = (None, None);
        elements.push(assembly);
        elements
    };
    let old = model(with_whole(room()));
    let new = model(exported(with_whole(room()), 90.0, [2.0, 0.0, 0.0]));
    let revision = compared(&old, &new);
    assert!(pairs(&old, &new, &revision).contains(&"w new-w Place".into()));
}
