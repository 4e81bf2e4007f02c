use super::super::assemble::Site;
use super::super::model::Element;
use super::super::project::{Binding, PointTemplate, Project, Template, TopicRule};
use super::super::unit::Unit;
use super::*;

fn element(class: &str, tag: &str, predefined: &str, id: &str) -> Element {
    Element {
        id: id.into(),
        class: class.into(),
        tag: tag.into(),
        predefined_type: predefined.into(),
        ..Element::default()
    }
}

fn point(role: &str, unit: &str) -> PointTemplate {
    PointTemplate {
        role: role.into(),
        name: role.into(),
        unit: Unit::parse(unit).unwrap(),
        expected: None,
        period_s: 5.0,
        stale_after_s: 60.0,
        check: None,
        expression: None,
        remedy: String::new(),
        watch: Default::default(),
        line: 1,
    }
}

fn template(name: &str, class: &str, roles: &[(&str, &str)]) -> Template {
    Template {
        name: name.into(),
        class: class.into(),
        points: roles.iter().map(|(r, u)| point(r, u)).collect(),
        ..Template::default()
    }
}

const GUID: &str = "2ap_3LAWHMPhGsH2InfxHd";

fn house() -> (Site, Project) {
    let elements = vec![
        element("IfcUnitaryEquipment", "AHU-1", "AIRHANDLER", GUID),
        element("IfcUnitaryEquipment", "AHU-11", "AIRHANDLER", "a11"),
        element("IfcAirTerminalBox", "VAV-2-04", "", "v204"),
        element("IfcBoiler", "B-1", "", "b1"),
        element("IfcPump", "CHWP-1", "", "p1"),
        element("IfcFan", "AHU-1-SF", "", "sf"),
        element("IfcSensor", "AHU-1-SAT", "", "sat"),
        element("IfcDuctSilencer", "AHU-1-SIL", "", "sil"),
    ];
    let (site, _) = Site::of_elements("Riverside house", elements);
    let project = Project {
        templates: vec![
            template(
                "ahu",
                "IfcUnitaryEquipment",
                &[
                    ("supply_temperature", "Cel"),
                    ("supply_setpoint", "Cel"),
                    ("return_temperature", "Cel"),
                    ("airflow", "m3/h"),
                ],
            ),
            template(
                "vav",
                "IfcAirTerminalBox",
                &[
                    ("zone_temperature", "Cel"),
                    ("zone_setpoint", "Cel"),
                    ("zone_co2", "[ppm]"),
                    ("damper_position", "%"),
                ],
            ),
            template("boiler", "IfcBoiler", &[("supply_temperature", "Cel"), ("power", "kW"), ("running", "1")]),
            template(
                "pump",
                "IfcPump",
                &[("speed", "%"), ("flow", "m3/h"), ("differential_pressure", "kPa"), ("running", "1")],
            ),
            template("sensor", "IfcSensor", &[("temperature", "Cel")]),
            template("fan", "IfcFan", &[("speed", "%"), ("power", "kW")]),
        ],
        ..Project::default()
    };
    (site, project)
}

fn heard(topic: &str) -> Heard {
    match topic.split_once('#') {
        Some((topic, key)) => Heard { topic: topic.into(), key: key.into(), ..Heard::default() },
        None => Heard { topic: topic.into(), ..Heard::default() },
    }
}

fn mapped(site: &Site, project: &Project, all: &[Heard], described: &[Described]) -> Mapping {
    map(&Request { site, project, heard: all, described, at_least: AT_LEAST })
}

/// `element/role`, or why there is none.
fn one(topic: &str) -> String {
    let (site, project) = house();
    let all = [heard(topic)];
    let mapping = mapped(&site, &project, &all, &[]);
    match (mapping.matched.first(), mapping.unmatched.first()) {
        (Some(m), None) => format!("{}/{}", site.element(m.slot).unwrap().tag, m.role),
        (None, Some(u)) => format!("- {}", u.why),
        other => panic!("{topic}: {other:?}"),
    }
}

#[test]
fn names_of_many_styles() {
    for (topic, point) in [
        ("clinic/ahu/AHU-1#supply_temperature", "AHU-1/supply_temperature"),
        ("B1.L02.AHU1.SAT_PV", "AHU-1/supply_temperature"),
        ("B1.L02.AHU01.SAT_SP", "AHU-1/supply_setpoint"),
        ("site/Ahu11ReturnAirTemp", "AHU-11/return_temperature"),
        ("site/air-handler-1/return-air-temperature", "AHU-1/return_temperature"),
        ("VAV_2_04_ZNT", "VAV-2-04/zone_temperature"),
        ("hvac/vav204RoomCO2", "VAV-2-04/zone_co2"),
        ("VAV204/DMPR_POS", "VAV-2-04/damper_position"),
        ("VAV204/ZN_SP", "VAV-2-04/zone_setpoint"),
        ("plant/Boiler1/Status", "B-1/running"),
        ("plant/chilled water pump 1/dP", "CHWP-1/differential_pressure"),
        ("AHU1/SupplyFan/Spd", "AHU-1-SF/speed"),
        ("AHU1.SF.kW", "AHU-1-SF/power"),
        // A sensor that is named as it is, and a point of the unit.
        ("site/AHU-1-SAT", "AHU-1-SAT/temperature"),
        ("AHU1SAT.TEMP", "AHU-1-SAT/temperature"),
        ("gw/state#AHU1_SAT", "AHU-1/supply_temperature"),
        ("supply temperature/AHU-11", "AHU-11/supply_temperature"),
    ] {
        assert_eq!(one(topic), point, "{topic}");
    }
}

#[test]
fn what_is_not_clear_or_not_ours_is_nobodys() {
    for topic in [
        "B1.L02.AHU1.SAT_ALM",
        "AHU1/SAT_HI_LIMIT",
        "AHU1/SAT/TREND",
        "AHU1/TEMP",
        "AHU-111/SAT",
        "AHU-1-2/SAT",
        "AHU1/SAT_2",
        "AHU-2/SAT",
        "test/AHU1/SAT",
        "AHU1/DMPR",
        "VAV204/DMPR_CMD",
        "AHU-1-SIL/DP",
        "AHU1/XYZZY",
        "VAV204/ZN_HTG_SP",
        "CHWP1/SPD_CMD",
        "CHWP1/SPD_SP",
        "",
        "////",
    ] {
        assert!(one(topic).starts_with("- "), "{topic}: {}", one(topic));
    }
}

#[test]
fn a_unit_that_cannot_be_is_another_point() {
    let (site, project) = house();
    let with = |unit: &str| {
        let heard = Heard { unit: Unit::parse(unit), ..heard("AHU1/SAT") };
        mapped(&site, &project, &[heard], &[]).matched.len()
    };
    assert_eq!((with("[degF]"), with("%"), with("kW")), (1, 0, 0));
}

#[test]
fn the_surest_way_counts_and_a_point_has_one_topic() {
    let (site, mut project) = house();
    let id = format!("x/{GUID}#supply_temperature");
    let all = [heard("AHU1/SAT"), heard(&id), heard("b/AHU-11/SAT"), heard("a/AHU-11/SAT")];
    let mapping = mapped(&site, &project, &all, &[]);
    assert_eq!(mapping.matched.iter().map(|m| (m.heard, m.by)).collect::<Vec<_>>(), [(1, By::GlobalId)]);
    assert!(
        mapping.unmatched[0].why.contains("surer") && mapping.unmatched[1].why.contains("2 topics"),
        "{mapping:#?}"
    );
    assert!(mapping.unmatched.iter().all(|u| !u.candidates.is_empty()));

    project.naming_rules = vec![
        TopicRule {
            topic: regex::Regex::new(r"^old/").unwrap(),
            asset: String::new(),
            point: String::new(),
            roles: Vec::new(),
            ignore: true,
            line: 3,
        },
        TopicRule {
            topic: regex::Regex::new(r"^(?<kind>[A-Z])(\d+)/(?<p>\w+)$").unwrap(),
            asset: "AHU-{2}".into(),
            point: "{p}".into(),
            roles: vec![("ZUT".into(), "supply_temperature".into())],
            ignore: false,
            line: 7,
        },
    ];
    let all = [heard("L1/ZUT"), heard("L11/RAT"), heard("L3/ZUT"), heard("old/AHU1/RAT"), heard("L1/QQ")];
    let mapping = mapped(&site, &project, &all, &[]);
    let found: Vec<_> = mapping.matched.iter().map(|m| (m.heard, m.role.as_str(), m.by)).collect();
    assert_eq!(found, [(0, "supply_temperature", By::Rule), (1, "return_temperature", By::Rule)]);
    assert!(mapping.unmatched[0].why.contains("line 7 names `AHU-3`"), "{mapping:#?}");
    assert!(mapping.unmatched[1].why.contains("leaves it out") && mapping.unmatched[2].why.contains("`QQ`"));
}

#[test]
fn a_file_of_points_says_more_than_names() {
    let (site, project) = house();
    let point = |names: &[&str], equipment: &str, class: &str, haystack| Described {
        names: names.iter().map(|n| (*n).to_owned()).collect(),
        equipment: vec![equipment.into()],
        class: class.into(),
        object: ObjectId::parse("77:AI:3").filter(|_| haystack),
        haystack,
        place: "site.ttl:9".into(),
    };
    let described = [
        point(&["n4/x17"], GUID, "Supply_Air_Temperature_Sensor", false),
        point(&["n4/x18"], "AHU-1", "Return_Air_Temperature_Sensor", false),
        point(&["zone"], "VAV-2-04", "zone air temp sensor point", true),
        point(&["n4/x20"], "AHU-9", "Return_Air_Temperature_Sensor", false),
        point(&["n4/x21"], "AHU-1", "Occupancy_Sensor", false),
    ];
    let all =
        [heard("n4/x17"), heard("bms/n4/x18"), heard("bacnet/77/analog-input/3"), heard("n4/x20"), heard("n4/x21")];
    let mapping = mapped(&site, &project, &all, &described);
    let found: Vec<_> = mapping.matched.iter().map(|m| (m.heard, m.role.as_str(), m.by)).collect();
    assert_eq!(
        found,
        [
            (0, "supply_temperature", By::Brick),
            (1, "return_temperature", By::Brick),
            (2, "zone_temperature", By::Haystack)
        ]
    );
    assert!(mapping.unmatched[0].why.contains("AHU-9") && mapping.unmatched[1].why.contains("Occupancy"));
}

#[test]
fn bindings_come_first() {
    let (mut site, mut project) = house();
    project.bindings =
        vec![Binding::Rule { templates: vec!["ahu".into()], topic: "s/{tag}".into(), key: None, line: 1 }];
    site.points = super::super::binding::bind(&project, &site).0;
    let all = [heard("B9/AHU1/SAT"), heard("s/AHU-1#supply_temperature")];
    let mapping = mapped(&site, &project, &all, &[]);
    assert_eq!((mapping.matched.len(), mapping.matched[0].by), (1, By::Explicit));
    assert_eq!(mapping.unmatched[0].heard, 0);
}

proptest::proptest! {
    #[test]
    fn any_topic_is_in_one_of_the_lists(topics in proptest::collection::vec("[A-Za-z0-9/._#{}-]{0,40}|\\PC{0,20}", 0..12)) {
        let (site, project) = house();
        let all: Vec<Heard> = topics.iter().map(|t| heard(t)).collect();
        let mapping = mapped(&site, &project, &all, &[]);
        let mut seen: Vec<usize> = mapping.matched.iter().map(|m| m.heard).chain(mapping.unmatched.iter().map(|u| u.heard)).collect();
        seen.sort_unstable();
        proptest::prop_assert_eq!(seen, (0..all.len()).collect::<Vec<_>>());
    }
}
