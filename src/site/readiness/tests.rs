//! Each kind of finding on a site of a few elements, and what the score makes of them.

use super::*;
use crate::site::assemble::Source;
use crate::site::model::{Connection, ConnectionPoint, Georeference, Group, PropertySet, PropertyValue, Slot};
use crate::site::project::NamingRule;
use std::sync::Arc;

fn element(id: &str, class: &str, tag: &str) -> Element {
    Element { id: id.into(), class: class.into(), tag: tag.into(), ..Element::default() }
}

/// An element that lacks nothing.
fn whole(id: &str, class: &str, tag: &str) -> Element {
    let quantities = PropertySet {
        name: "Qto".into(),
        quantities: true,
        values: vec![("Length".into(), PropertyValue::Real(1.0))].into(),
    };
    Element {
        storey: Some(0),
        space: Some(0),
        systems: vec![0],
        type_name: "T".into(),
        shape: Some(0),
        properties: vec![Arc::new(quantities)],
        ..element(id, class, tag)
    }
}

fn site(elements: Vec<Element>) -> Site {
    let (mut site, _) = Site::of_elements("test", elements);
    site.sources = vec![Source {
        file: "a.ifc".into(),
        kind: "ifc".into(),
        georeference: Some(Georeference::default()),
        ..Source::default()
    }];
    site
}

fn space(id: &str) -> Element {
    Element { kind: ElementKind::Space, ..whole(id, "IfcSpace", "") }
}

fn found(readiness: &Readiness, kind: Kind) -> (usize, usize) {
    let tally = readiness.tallies.get(&kind).copied().unwrap_or_default();
    (tally.affected, tally.of)
}

#[test]
fn a_model_that_lacks_nothing_has_a_hundred() {
    let mut site = site(vec![space("s"), whole("p", "IfcPump", "P-01"), whole("w", "IfcWall", "")]);
    site.zones = vec![Group { members: vec![0], ..Group::default() }];
    let port = |element: u32| ConnectionPoint { element, ..ConnectionPoint::default() };
    site.connection_points = vec![port(1), port(1)];
    site.connections = vec![Connection { from: 0, to: 1 }];
    let readiness = assess(&site, &Project::default(), &[]);
    assert!(readiness.items.is_empty(), "{:#?}", readiness.items);
    assert_eq!((readiness.model, readiness.mapping), (Some(100.0), None));
    assert_eq!(readiness.models[0].score, Some(100.0));
    assert_eq!(readiness.models[0].elements, 2);
}

#[test]
fn each_kind_is_found_once() {
    let mut failed = whole("g", "IfcWall", "");
    (failed.shape, failed.geometry_failed) = (None, true);
    let mut uncut = whole("u", "IfcWall", "");
    uncut.without_openings = true;
    let mut homeless = whole("h", "IfcWall", "");
    homeless.storey = None;
    let mut roomless = whole("r", "IfcSpaceHeater", "");
    roomless.space = None;
    let mut typeless = whole("t", "IfcDoor", "");
    typeless.type_name.clear();
    let mut uncounted = whole("q", "IfcSlab", "");
    uncounted.properties.clear();
    let mut alone = whole("a", "IfcPump", "");
    alone.systems.clear();
    let elements = vec![
        space("s"),
        failed,
        uncut,
        homeless,
        roomless,
        typeless,
        uncounted,
        alone,
        whole("x", "IfcBuildingElementProxy", ""),
        whole("d1", "IfcValve", "V-1"),
        whole("d2", "IfcValve", "V-1"),
        whole("x", "IfcWall", ""),
        whole("n", "IfcFan", "fan 1"),
    ];
    let mut site = site(elements);
    site.sources[0].georeference = None;
    site.connection_points =
        [4, 9, 10, 12].map(|element| ConnectionPoint { element, ..ConnectionPoint::default() }).to_vec();
    site.connections = vec![Connection { from: 0, to: 1 }, Connection { from: 1, to: 2 }];
    let rule = |class: &str, pattern: &str| NamingRule {
        class: class.into(),
        pattern: regex::Regex::new(pattern).unwrap(),
        line: 3,
    };
    let project = Project {
        file: "twin.toml".into(),
        naming: vec![rule("IfcFan", "^F-[0-9]+$"), rule("IfcValve", "^V-"), rule("IfcBoiler", "^B-")],
        ..Project::default()
    };
    let import = [Problem::warning("a.ifc", "something was left out", "mend it"), Problem::info("a.ifc", "a note", "")];
    let readiness = assess(&site, &project, &import);
    for (kind, expected) in [
        (Kind::Import, (1, 1)),
        (Kind::DuplicateId, (1, 13)),
        (Kind::NoGeometry, (1, 12)),
        (Kind::WithoutOpenings, (1, 12)),
        (Kind::NoStorey, (1, 12)),
        (Kind::NoSpace, (1, 1)),
        (Kind::NoType, (1, 12)),
        (Kind::Proxy, (1, 12)),
        (Kind::NoSystem, (1, 5)),
        (Kind::NoPort, (1, 5)),
        (Kind::OpenPort, (1, 4)),
        (Kind::NoQuantities, (1, 7)),
        (Kind::NoTag, (1, 4)),
        (Kind::DuplicateTag, (2, 3)),
        (Kind::Naming, (1, 3)),
        (Kind::NoZone, (1, 1)),
        (Kind::NoGeoreference, (1, 1)),
    ] {
        assert_eq!(found(&readiness, kind), expected, "{}", kind.id());
        let items: Vec<_> = readiness.items.iter().filter(|i| i.kind == kind.id()).collect();
        assert!(items.len() >= expected.0 && items.iter().all(|i| !i.message.is_empty()), "{items:?}");
    }
    let unused = readiness.items.iter().find(|i| i.severity == Severity::Info && i.kind == "naming").unwrap();
    assert!(unused.place == "twin.toml:3" && unused.message.contains("IfcBoiler"), "{unused:?}");
    let fan = readiness.items.iter().find(|i| i.id.as_deref() == Some("n") && i.kind == "naming").unwrap();
    assert_eq!(
        (fan.place.as_str(), fan.class.as_deref(), fan.file.as_deref()),
        ("n fan 1", Some("IfcFan"), Some("a.ifc"))
    );
    assert!(fan.message.contains("^F-[0-9]+$"), "{}", fan.message);
    assert!(readiness.model.unwrap() < 75.0);
    // What belongs to no model is in no model's own score.
    assert!(!readiness.models[0].tallies.contains_key(&Kind::Import));
}

#[test]
fn the_score_is_what_the_weights_leave_over() {
    let tallies = |parts: &[(Kind, usize, usize)]| -> Tallies {
        parts.iter().map(|(k, affected, of)| (*k, Tally { affected: *affected, of: *of })).collect()
    };
    assert_eq!(score(&tallies(&[])), None);
    assert_eq!(score(&tallies(&[(Kind::NoStorey, 0, 0)])), None, "nothing to look at");
    // 10 × ½ + 5 × 1 of 15.
    assert_eq!(score(&tallies(&[(Kind::NoStorey, 5, 10), (Kind::NoType, 0, 10)])), Some(66.7));
    assert_eq!(score(&tallies(&[(Kind::NoStorey, 10, 10)])), Some(0.0));
    assert_eq!(score(&tallies(&[(Kind::NoStorey, 1, 1_000_000)])), Some(99.9), "a hundred is without a finding");
    assert_eq!(score(&tallies(&[(Kind::PointWithoutElement, 1, 1)])), None, "that is the mapping's");
}

#[test]
fn parts_and_sensors_take_after_what_they_belong_to() {
    let mut assembly = whole("a", "IfcUnitaryEquipment", "AHU-1");
    assembly.shape = None;
    let mut fan = element("f", "IfcFan", "AHU-1");
    (fan.part_of, fan.type_name) = (Some(0), "T".into());
    let mut sensor = element("t", "IfcSensor", "T-1");
    (sensor.host, sensor.storey, sensor.type_name) = (Some(1), Some(0), "T".into());
    let mut virtual_one = element("v", "IfcVirtualElement", "");
    virtual_one.storey = None;
    let readiness = assess(&site(vec![assembly, fan, sensor, virtual_one]), &Project::default(), &[]);
    for kind in [Kind::NoStorey, Kind::NoSystem, Kind::DuplicateTag, Kind::NoType, Kind::NoTag] {
        assert_eq!(found(&readiness, kind).0, 0, "{}", kind.id());
    }
    assert_eq!(found(&readiness, Kind::NoGeometry), (0, 0), "what states no body has none to lose");
}

#[test]
fn points_and_elements_find_each_other() {
    use crate::site::binding::bind;
    use crate::site::project::{Binding, PointTemplate, Template};
    use crate::site::unit::Unit;
    let point = PointTemplate {
        role: "speed".into(),
        name: "Speed".into(),
        unit: Unit::ONE,
        expected: None,
        period_s: 5.0,
        stale_after_s: 60.0,
        check: None,
        expression: None,
        remedy: String::new(),
        watch: Default::default(),
        line: 1,
    };
    let template =
        Template { name: "pump".into(), class: "IfcPump".into(), points: vec![point.clone()], ..Template::default() };
    let by_hand = Binding::Point {
        asset: "P-99".into(),
        point: Box::new(point),
        topic: "a/b".into(),
        key: String::new(),
        line: 9,
    };
    let rule = Binding::Rule { templates: vec!["pump".into()], topic: "site/{tag}".into(), key: None, line: 8 };
    let project = Project {
        file: "twin.toml".into(),
        templates: vec![template],
        bindings: vec![rule, by_hand],
        ..Project::default()
    };
    let mut site = site(vec![
        whole("1", "IfcPump", "P-01"),
        whole("2", "IfcPump", ""),
        whole("3", "IfcFan", "F-01"),
        whole("4", "IfcWall", ""),
    ]);
    let (points, problems) = bind(&project, &site);
    site.points = points;
    assert_eq!(site.points[0].asset, Slot(0));
    let readiness = assess(&site, &project, &problems);
    assert_eq!(found(&readiness, Kind::PointWithoutElement), (1, 2));
    assert_eq!(found(&readiness, Kind::EquipmentWithoutPoint), (2, 3));
    // 10 × ½ + 10 × ⅓ of 20.
    assert_eq!(readiness.mapping, Some(41.7));
    let lost = readiness.items.iter().find(|i| i.kind == "point-without-element").unwrap();
    assert!(lost.place == "twin.toml:9" && lost.message.contains("P-99/speed"), "{lost:?}");
    let said_twice = readiness.items.iter().filter(|i| i.message.contains("P-99")).count();
    assert_eq!(said_twice, 1);
}

#[test]
fn what_is_outdoors_or_in_the_facade_is_let_be() {
    let mut tree = whole("t", "IfcBuildingElementProxy", "");
    (tree.storey, tree.outdoors) = (None, true);
    let mut louvre = whole("l", "IfcAirTerminal", "");
    (louvre.space, louvre.predefined_type) = (None, "LOUVRE".into());
    let mut lamp = whole("r", "IfcLightFixture", "");
    (lamp.space, lamp.storey) = (None, Some(1));
    let readiness = assess(&site(vec![space("s"), tree, louvre, lamp]), &Project::default(), &[]);
    assert_eq!(found(&readiness, Kind::NoStorey), (0, 2));
    assert_eq!(found(&readiness, Kind::NoSpace), (0, 0), "no space on that storey, none for a louvre");
}

#[test]
fn a_part_may_have_the_tag_of_its_whole_and_a_stranger_not() {
    let of = |id: &str, part_of: Option<u32>| Element { part_of, ..whole(id, "IfcPump", "P-1") };
    // A pump with two parts; what is a part of itself; two that are parts of each other.
    let family = vec![
        of("pump", None),
        of("motor", Some(0)),
        of("casing", Some(0)),
        of("loop", Some(3)),
        of("a", Some(5)),
        of("b", Some(4)),
    ];
    let told = |elements: Vec<Element>| {
        let readiness = assess(&site(elements), &Project::default(), &[]);
        let items = readiness.items.into_iter().filter(|i| i.kind == Kind::DuplicateTag.id());
        items.filter_map(|i| Some((i.id?, i.message))).collect::<Vec<_>>()
    };
    assert_eq!(told(family[..3].to_vec()), []);
    assert_eq!(told(family[..1].to_vec()), []);
    let all = told(family);
    assert_eq!(all.len(), 6);
    for (id, strangers) in [("pump", 3), ("motor", 3), ("casing", 3), ("loop", 5), ("a", 4), ("b", 4)] {
        let (_, message) = all.iter().find(|(i, _)| i == id).unwrap();
        assert!(message.ends_with(&format!(" and {} more", strangers - 1)), "{id}: {message}");
    }
    let (_, motor) = all.iter().find(|(i, _)| i == "motor").unwrap();
    assert!(motor.contains("IfcPump loop"), "the first stranger of the motor: {motor}");
}
