//! The asset graph: registries merged into a site, relations with their sources, and what is exported.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;
mod turtle;

use plenum::site::assets::merge::MatchedBy;
use plenum::site::assets::{self, ItemKind, Registry, RegistryItem, Relation, RelationKind, Thing, brick, tables};
use plenum::site::model::{
    Connection, ConnectionPoint, FlowDirection, Group, Model, Place, PropertySet, PropertyValue, Storey,
};
use plenum::site::{Element, ElementKind, Project, Site, Slot, assemble_with};
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

fn element(class: &str, tag: &str, name: &str) -> Element {
    Element {
        id: format!("id-{tag}-{name}"),
        class: class.into(),
        tag: tag.into(),
        name: name.into(),
        ..Element::default()
    }
}

fn space(name: &str, long_name: &str) -> Element {
    let id = format!("space-{name}");
    let (class, kind) = ("IfcSpace".to_owned(), ElementKind::Space);
    Element { id, class, kind, name: name.into(), description: long_name.into(), ..Element::default() }
}

fn set(name: &str, values: &[(&str, &str)]) -> Arc<PropertySet> {
    let values = values.iter().map(|(n, v)| ((*n).to_owned(), PropertyValue::Text((*v).to_owned()))).collect();
    Arc::new(PropertySet { name: name.into(), quantities: false, values })
}

/// A building with a chiller, a pump, an air handling unit with a fan and a coil, a box, two diffusers and devices.
fn model() -> Model {
    let mut elements = vec![
        space("0.01", "Office"),                                      // 0
        space("0.02", "Office"),                                      // 1
        element("IfcChiller", "CH-1", "Chiller"),                     // 2
        element("IfcPipeSegment", "P/1", "Pipe"),                     // 3
        element("IfcValve", "CH-1-IV", "Valve"),                      // 4
        element("IfcUnitaryEquipment", "AHU-1", "Air handling unit"), // 5
        element("IfcCoil", "AHU-1-CC", "Cooling coil"),               // 6
        element("IfcFan", "AHU-1-SF", "Supply fan"),                  // 7
        element("IfcAirTerminalBox", "VAV-1", "Box"),                 // 8
        element("IfcAirTerminal", "D-1", "Diffuser"),                 // 9
        element("IfcAirTerminal", "D-2", "Diffuser"),                 // 10
        element("IfcSensor", "VAV-1-T", "Room temperature"),          // 11
        element("IfcActuator", "CH-1-IV-A", "Actuator"),              // 12
        element("IfcController", "DDC-1", "Controller"),              // 13
        element("IfcFlowMeter", "EM-1", "Meter"),                     // 14
        element("IfcWall", "", "Wall"),                               // 15
    ];
    for (part, whole) in [(6, 5), (7, 5)] {
        elements[part].part_of = Some(whole);
    }
    for (device, host) in [(12, 4), (11, 8)] {
        elements[device].host = Some(host);
    }
    for (i, space) in [(9, 0), (10, 1)] {
        (elements[i].space, elements[i].space_stated) = (Some(space), true);
    }
    for e in &mut elements {
        (e.storey, e.place) = (Some(0), Some(1));
    }
    elements[5].predefined_type = "AIRHANDLER".into();
    elements[11].predefined_type = "TEMPERATURESENSOR".into();
    for member in [2, 3, 4, 14] {
        elements[member].systems = vec![0];
    }
    elements[8].properties.push(set("Pset_Own", &[("Air Handler", "ahu 1"), ("Area Served", "0.01; 0.02")]));
    let mut model = Model {
        file: "building.ifc".into(),
        kind: "ifc".into(),
        project_id: "project-id".into(),
        elements,
        places: vec![
            Place { id: "site-id".into(), name: "Riverside".into(), class: "IfcSite".into(), ..Place::default() },
            Place {
                id: "building-id".into(),
                name: "Clinic \"A\"".into(),
                class: "IfcBuilding".into(),
                part_of: Some(0),
                ..Place::default()
            },
        ],
        storeys: vec![Storey { id: "storey-id".into(), name: "Level 0".into(), place: Some(1), ..Storey::default() }],
        zones: vec![Group {
            id: "zone-id".into(),
            name: "North".into(),
            class: "IfcZone".into(),
            members: vec![0, 1],
            ..Group::default()
        }],
        systems: vec![Group {
            id: "system-id".into(),
            name: "Chilled water".into(),
            class: "IfcDistributionSystem".into(),
            predefined_type: "CHILLEDWATER".into(),
            members: vec![2, 3, 4, 14],
        }],
        relations: vec![Relation::new(
            Thing::System(0),
            RelationKind::Serves,
            Thing::Place(1),
            "IfcRelServicesBuildings",
        )],
        ..Model::default()
    };
    use FlowDirection::{Sink, Source, Unknown};
    let mut join = |from: u32, to: u32, medium: &str, way: [FlowDirection; 2]| {
        let port = |element, direction| ConnectionPoint {
            element,
            direction,
            medium: medium.into(),
            ..ConnectionPoint::default()
        };
        let first = model.connection_points.len() as u32;
        model.connection_points.extend([port(from, way[0]), port(to, way[1])]);
        model.connections.push(Connection { from: first, to: first + 1 });
    };
    let forth = [Source, Sink];
    // Chiller, valve, pipe, coil; the last joint is written the other way round.
    join(2, 4, "CHILLEDWATER", forth);
    join(4, 3, "CHILLEDWATER", forth);
    join(6, 3, "CHILLEDWATER", [Sink, Source]);
    join(7, 8, "AIRCONDITIONING", forth);
    join(8, 9, "AIRCONDITIONING", forth);
    join(8, 10, "AIRCONDITIONING", [Source, Unknown]);
    join(14, 2, "ELECTRICAL", [Source, Source]);
    join(12, 13, "CONTROL", forth);
    model
}

fn registry(items: Vec<RegistryItem>) -> Registry {
    Registry { file: "assets.csv".into(), name: "assets.csv".into(), kind: "csv".into(), bytes: 1, items }
}

fn row(row: usize, tag: &str) -> RegistryItem {
    let attributes = vec![("Serial".to_owned(), PropertyValue::Text(format!("S-{row}")))];
    RegistryItem { row, tag: tag.into(), attributes, ..RegistryItem::default() }
}

fn site_with(items: Vec<RegistryItem>) -> (Site, Vec<plenum::Problem>) {
    assemble_with(
        &Project { name: "Test site".into(), ..Project::default() },
        vec![(model(), String::new())],
        &[registry(items)],
    )
}

/// Every relation as `AHU-1 feeds VAV-1`, with its source.
fn relations(site: &Site) -> HashMap<String, String> {
    let graph = assets::graph(site);
    let mut all = HashMap::new();
    for r in &graph.relations {
        let words = format!("{} {} {}", assets::label(site, r.from), r.kind.word(), assets::label(site, r.to));
        assert!(all.insert(words.clone(), r.source.to_string()).is_none(), "{words} stands twice");
    }
    all
}

#[test]
fn relations_and_where_they_are_known_from() {
    let (site, problems) = site_with(vec![]);
    assert_eq!(problems, []);
    let all = relations(&site);
    let ports = "connection of ports, SOURCE to SINK";
    let through = "connections of ports, SOURCE to SINK, through what lies between";
    let of_parts = "connections of the ports of its parts, SOURCE to SINK";
    for (relation, source) in [
        ("Clinic \"A\" partOf Riverside", "IfcRelAggregates"),
        ("Riverside hasPart Clinic \"A\"", "IfcRelAggregates"),
        ("Level 0 partOf Clinic \"A\"", "IfcRelAggregates"),
        ("0.01 partOf Level 0", "IfcRelAggregates"),
        ("AHU-1 hasPart AHU-1-SF", "IfcRelAggregates"),
        ("North hasPart 0.02", "IfcRelAssignsToGroup"),
        ("Chilled water hasPart CH-1", "IfcRelAssignsToGroup"),
        ("Chilled water serves Clinic \"A\"", "IfcRelServicesBuildings"),
        ("CH-1 feeds CH-1-IV", ports),
        ("CH-1 feeds AHU-1-CC", through),
        ("CH-1-IV feeds AHU-1-CC", through),
        ("CH-1 feeds AHU-1", of_parts),
        ("AHU-1-SF feeds VAV-1", ports),
        ("AHU-1 feeds VAV-1", "property Air Handler of Pset_Own"),
        ("VAV-1 feeds D-1", ports),
        ("VAV-1 serves 0.01", "property Area Served of Pset_Own"),
        ("VAV-1 serves 0.02", "property Area Served of Pset_Own"),
        ("D-1 serves 0.01", "stands in the space"),
        ("D-1 locatedIn 0.01", "IfcRelContainedInSpatialStructure"),
        ("CH-1 locatedIn Level 0", "IfcRelContainedInSpatialStructure"),
        ("VAV-1-T meters VAV-1", "IfcRelFlowControlElements"),
        ("EM-1 meters Chilled water", "meter in the system (IfcRelAssignsToGroup)"),
        ("CH-1-IV-A controls CH-1-IV", "IfcRelFlowControlElements"),
        ("DDC-1 controls CH-1-IV-A", "connection of control ports"),
    ] {
        assert_eq!(all.get(relation).map(String::as_str), Some(source), "{relation}\n{all:#?}");
    }
    for wrong in [
        "DDC-1 feeds CH-1-IV-A",
        "VAV-1 feeds D-2",
        "EM-1 feeds CH-1",
        "CH-1 feeds EM-1",
        "AHU-1-SF feeds AHU-1",
        "CH-1 feeds P/1",
    ] {
        assert!(!all.contains_key(wrong), "{wrong}");
    }
    let graph = assets::graph(&site);
    assert_eq!((graph.without_direction, graph.contradicting), (1, 1));
    assert!(!graph.things.contains(&Thing::Element(15)) && !graph.things.contains(&Thing::Element(3)), "no assets");
    assert_eq!(graph.count(RelationKind::PartOf), graph.count(RelationKind::HasPart));
}

#[test]
fn rows_find_their_elements_and_what_does_not_match_is_told() {
    let by_id = RegistryItem { global_id: "id-D-1-Diffuser".into(), tag: "OTHER".into(), ..row(2, "") };
    let by_name = RegistryItem { name: "supply FAN".into(), ..row(4, "") };
    let ambiguous = RegistryItem { name: "Diffuser".into(), ..row(5, "") };
    let room = RegistryItem { kind: ItemKind::Space, name: "0.02".into(), zones: vec!["Wet".into()], ..row(9, "") };
    let floor = RegistryItem { kind: ItemKind::Storey, name: "level-0".into(), ..row(10, "") };
    let cellar = RegistryItem { kind: ItemKind::Storey, name: "Cellar".into(), ..row(11, "") };
    let house = RegistryItem { kind: ItemKind::Building, name: "Clinic \"a\"".into(), ..row(12, "") };
    let mut chiller = row(3, "ch 1");
    chiller.space = "0.01".into();
    chiller.systems = vec!["Condenser water".into()];
    chiller.fed_from = vec!["EM-1".into()];
    let mut diffuser = row(8, "D-2");
    diffuser.space = "0.01".into();
    diffuser.systems = vec!["Supply air".into()];
    diffuser.part_of = "AHU-1".into();
    let wall = RegistryItem { name: "Wall".into(), tag: "W-1".into(), ..row(13, "") };
    let (site, problems) = site_with(vec![
        by_id,
        chiller,
        by_name,
        ambiguous,
        row(6, "CH-1"),
        row(7, "CH-2"),
        diffuser,
        room,
        floor,
        cellar,
        house,
        wall,
    ]);
    let report = &site.merge.reports[0];
    let matched: Vec<(&str, String, MatchedBy)> =
        report.matched.iter().map(|m| (m.place.as_str(), assets::label(&site, m.thing), m.by)).collect();
    use MatchedBy::{GlobalId, Name, Tag};
    assert_eq!(
        matched,
        [
            ("assets.csv, row 2", "D-1".to_owned(), GlobalId),
            ("assets.csv, row 3", "CH-1".into(), Tag),
            ("assets.csv, row 4", "AHU-1-SF".into(), Name),
            ("assets.csv, row 8", "D-2".into(), Tag),
            ("assets.csv, row 9", "0.02".into(), Name),
            ("assets.csv, row 10", "Level 0".into(), Name),
            ("assets.csv, row 12", "Clinic \"A\"".into(), Name),
            ("assets.csv, row 13", "W-1".into(), Name),
        ]
    );
    let unmatched: Vec<(&str, &str)> = report.unmatched.iter().map(|u| (u.place.as_str(), u.why.as_str())).collect();
    assert_eq!(unmatched.len(), 3);
    assert_eq!(unmatched[0], ("assets.csv, row 5", "2 elements have the name `Diffuser`"));
    assert_eq!(unmatched[1].0, "assets.csv, row 7");
    assert!(unmatched[1].1.contains("did you mean `CH-1`?"), "{}", unmatched[1].1);
    assert!(unmatched[2].1.contains("no storey is called `Cellar`"));
    let twice: Vec<_> = report.duplicates.iter().map(|d| (d.field, d.value.as_str(), d.places.len())).collect();
    assert_eq!(twice, [("tag", "ch 1", 2)]);
    let conflicts: Vec<(&str, &str, &str)> =
        report.conflicts.iter().map(|c| (c.field, c.registry.as_str(), c.model.as_str())).collect();
    assert_eq!(
        conflicts,
        [("tag", "OTHER", "D-1"), ("system", "Condenser water", "Chilled water"), ("space", "0.01", "0.02")]
    );

    // What the model left empty is filled, and what it says stays.
    let find = |id: &str| site.element(site.find(id).unwrap()).unwrap();
    assert_eq!(find("id-CH-1-Chiller").space, Some(0));
    assert_eq!(find("id-D-2-Diffuser").space, Some(1));
    assert_eq!(find("id--Wall").tag, "W-1");
    assert_eq!(site.tagged("W-1"), [Slot(15)], "and found by it");
    let serial = |id: &str| find(id).property("Registry: assets.csv", "Serial").map(ToString::to_string);
    assert_eq!(serial("id-CH-1-Chiller").as_deref(), Some("S-3"), "the first row counts");
    assert_eq!(serial("id-VAV-1-Box"), None);
    assert_eq!(serial("space-0.02").as_deref(), Some("S-9"));
    let all = relations(&site);
    for relation in
        ["EM-1 feeds CH-1", "CH-1 locatedIn 0.01", "D-2 partOf AHU-1", "D-2 partOf Supply air", "Wet hasPart 0.02"]
    {
        assert_eq!(all.get(relation).map(String::as_str), Some("registry assets.csv"), "{relation}");
    }
    assert!(assets::is_asset(&site, Slot(15)), "what a registry names is an asset");
    let unnamed: Vec<String> = site.merge.unnamed.iter().map(|s| site.element(*s).unwrap().label()).collect();
    assert_eq!(unnamed, ["CH-1-IV", "AHU-1", "AHU-1-CC", "VAV-1", "VAV-1-T", "CH-1-IV-A", "DDC-1", "EM-1"]);
    let told: Vec<&str> = problems.iter().map(|p| p.place.as_str()).collect();
    assert_eq!(told, ["assets.csv"; 3], "{problems:#?}");
    assert!(problems[0].message.contains("3 rows of 12 match nothing"), "{}", problems[0].message);
}

#[test]
fn a_second_sheet_adds_to_the_first() {
    let mut first = row(2, "CH-1");
    first.sheet = "Machines".into();
    let mut second = row(5, "CH-1");
    second.sheet = "Warranty".into();
    second.attributes.push(("Until".into(), PropertyValue::Text("2029".into())));
    let (site, problems) = site_with(vec![first, second]);
    assert_eq!(problems, []);
    let chiller = site.element(site.tagged("CH-1")[0]).unwrap();
    let sets: Vec<_> = chiller.properties.iter().filter(|s| s.name == "Registry: assets.csv").collect();
    assert_eq!(sets.len(), 1);
    let values: Vec<String> = sets[0].values.iter().map(|(n, v)| format!("{n}={v}")).collect();
    assert_eq!(values, ["Serial=S-2", "Until=2029"]);
}

#[test]
fn brick_is_turtle_that_another_reader_understands() {
    let (site, _) = site_with(vec![row(2, "CH-1")]);
    let text = brick::turtle(&site, &assets::graph(&site));
    let triples = turtle::parse(&text).unwrap_or_else(|e| panic!("{e}\n{text}"));
    let name = |local: &str| format!("<urn:plenum:Test%20site#{local}>");
    let brick = |word: &str| format!("<https://brickschema.org/schema/Brick#{word}>");
    let has = |s: &str, p: &str, o: String| {
        let triple = (name(s), brick(p), o);
        assert!(triples.contains(&triple), "{triple:?}\n{text}");
    };
    let class = |s: &str, class: &str| {
        let a = "<http://www.w3.org/1999/02/22-rdf-syntax-ns#type>".to_owned();
        assert!(triples.contains(&(name(s), a, brick(class))), "{s} {class}\n{text}");
    };
    class("building-id", "Building");
    class("storey-id", "Floor");
    class("space-0%2E01", "Room");
    class("id-AHU-1-Air%20handling%20unit", "AHU");
    class("id-VAV-1-T-Room%20temperature", "Temperature_Sensor");
    class("system-id", "Chilled_Water_System");
    has("id-CH-1-Chiller", "feeds", name("id-AHU-1-Air%20handling%20unit"));
    has("id-AHU-1-Air%20handling%20unit", "hasPart", name("id-AHU-1-SF-Supply%20fan"));
    has("id-D-1-Diffuser", "hasLocation", name("space-0%2E01"));
    has("id-VAV-1-Box", "hasPoint", name("id-VAV-1-T-Room%20temperature"));
    has("id-VAV-1-T-Room%20temperature", "isPointOf", name("id-VAV-1-Box"));
    has("id-EM-1-Meter", "meters", name("system-id"));
    let label = "<http://www.w3.org/2000/01/rdf-schema#label>".to_owned();
    assert!(triples.contains(&(name("building-id"), label, "\"Clinic \"A\"\"".into())), "escaped and read back");
    let id = "<https://brickschema.org/schema/Brick/ref#ifcGlobalID>".to_owned();
    let ids: Vec<&String> = triples.iter().filter(|t| t.1 == id).map(|t| &t.2).collect();
    assert!(ids.contains(&&"\"id-CH-1-Chiller\"".to_owned()), "{ids:?}");
    assert!(!text.contains("Pipe") && !text.contains("Wall"), "no assets");
}

#[test]
fn tables_and_json_hold_the_same_graph() {
    let (site, _) = site_with(vec![row(2, "CH-1")]);
    let graph = assets::graph(&site);
    let tables = tables::csv(&site, &graph);
    let read = |text: &str| -> Vec<csv::StringRecord> {
        assert!(text.ends_with("\r\n"), "lines end as RFC 4180 says");
        csv::ReaderBuilder::new()
            .has_headers(false)
            .from_reader(text.as_bytes())
            .into_records()
            .map(Result::unwrap)
            .collect()
    };
    let (things, relations) = (read(&tables.things), read(&tables.relations));
    assert_eq!((things.len(), relations.len()), (graph.things.len() + 1, graph.relations.len() + 1));
    let ids: HashSet<&str> = things.iter().skip(1).map(|r| r.get(0).unwrap()).collect();
    assert_eq!(ids.len(), graph.things.len(), "each id once");
    assert!(relations.iter().skip(1).all(|r| ids.contains(r.get(0).unwrap()) && ids.contains(r.get(3).unwrap())));
    let building = things.iter().find(|r| r.get(1) == Some("building")).unwrap();
    assert_eq!(building.get(5), Some("Clinic \"A\""));

    let document = tables::document(&site, &graph);
    assert_eq!(document["things"].as_array().unwrap().len(), graph.things.len());
    assert_eq!(document["relations"].as_array().unwrap().len(), graph.relations.len());
    let chiller = document["things"].as_array().unwrap().iter().find(|t| t["tag"] == "CH-1").unwrap();
    assert_eq!((&chiller["kind"], &chiller["brick"]), (&"asset".into(), &"Chiller".into()));
    assert_eq!(chiller["registries"]["Registry: assets.csv"]["Serial"], "S-2");
    for relation in document["relations"].as_array().unwrap() {
        assert!(ids.contains(relation["from"].as_str().unwrap()) && !relation["source"].as_str().unwrap().is_empty());
    }
}

/// A file with two buildings on a site, and the relations that no element's own fields hold.
const HOUSES: &str = "ISO-10303-21;\nHEADER;\nFILE_DESCRIPTION((''),'2;1');\nFILE_NAME('','',(''),(''),'','','');\n\
FILE_SCHEMA(('IFC4'));\nENDSEC;\nDATA;\n\
#1=IFCPROJECT('0000000000000000000prj',$,'P',$,$,$,$,$,#2);\n\
#2=IFCUNITASSIGNMENT((#3));\n\
#3=IFCSIUNIT(*,.LENGTHUNIT.,$,.METRE.);\n\
#10=IFCSITE('00000000000000000site1',$,'Harbour',$,$,$,$,$,.ELEMENT.,$,$,$,$,$);\n\
#11=IFCBUILDING('00000000000000000bldg1',$,'North house',$,$,$,$,$,.ELEMENT.,$,$,$);\n\
#12=IFCBUILDING('00000000000000000bldg2',$,'South house',$,$,$,$,$,.ELEMENT.,$,$,$);\n\
#13=IFCBUILDINGSTOREY('00000000000000000stor1',$,'Level 0',$,$,$,$,$,.ELEMENT.,0.);\n\
#14=IFCSPACE('0000000000000000space1',$,'0.01',$,$,$,$,'Office',.ELEMENT.,.INTERNAL.,$);\n\
#20=IFCRELAGGREGATES('000000000000000000rel1',$,$,$,#1,(#10));\n\
#21=IFCRELAGGREGATES('000000000000000000rel2',$,$,$,#10,(#11,#12));\n\
#22=IFCRELAGGREGATES('000000000000000000rel3',$,$,$,#11,(#13));\n\
#23=IFCRELAGGREGATES('000000000000000000rel4',$,$,$,#13,(#14));\n\
#30=IFCPUMP('0000000000000000000pmp',$,'Pump',$,$,$,$,'P-1',$);\n\
#31=IFCSENSOR('0000000000000000000sen',$,'Sensor',$,$,$,$,'P-1-T',.TEMPERATURESENSOR.);\n\
#32=IFCMOTORCONNECTION('0000000000000000000mot',$,'Coupling',$,$,$,$,'P-1-M',$);\n\
#33=IFCTANK('0000000000000000000tnk',$,'Tank',$,$,$,$,'T-1',$);\n\
#34=IFCOUTLET('0000000000000000000out',$,'Socket',$,$,$,$,'S-1',$);\n\
#40=IFCRELCONTAINEDINSPATIALSTRUCTURE('000000000000000000rel5',$,$,$,(#30,#31),#13);\n\
#41=IFCRELCONTAINEDINSPATIALSTRUCTURE('000000000000000000rel6',$,$,$,(#33),#12);\n\
#42=IFCRELCONTAINEDINSPATIALSTRUCTURE('000000000000000000rel7',$,$,$,(#34),#14);\n\
#43=IFCRELNESTS('000000000000000000rel8',$,$,$,#30,(#32));\n\
#44=IFCRELASSIGNSTOPRODUCT('000000000000000000rel9',$,$,$,(#31),$,#30);\n\
#50=IFCDISTRIBUTIONSYSTEM('0000000000000000000sys',$,'Water',$,$,$,$);\n\
#51=IFCRELASSIGNSTOGROUP('00000000000000000rel10',$,$,$,(#30,#33),$,#50);\n\
#52=IFCRELSERVICESBUILDINGS('00000000000000000rel11',$,$,$,#50,(#12,#14));\n\
ENDSEC;\nEND-ISO-10303-21;\n";

#[test]
fn sites_buildings_and_declared_relations_are_read_from_ifc() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("houses.ifc");
    std::fs::write(&file, HOUSES).unwrap();
    let (model, _) = plenum::import::read(&file, &plenum::import::Progress::default()).unwrap();
    assert_eq!(model.project_id, "0000000000000000000prj");
    let places: Vec<(&str, &str, Option<u32>)> =
        model.places.iter().map(|p| (p.name.as_str(), p.class.as_str(), p.part_of)).collect();
    let (site, building) = ("IfcSite", "IfcBuilding");
    assert_eq!(
        places,
        [("Harbour", site, None), ("North house", building, Some(0)), ("South house", building, Some(0))]
    );
    assert_eq!((model.storeys[0].place, model.storeys[0].building.as_str()), (Some(1), "North house"));
    let (site, problems) = assemble_with(&Project::default(), vec![(model, String::new())], &[]);
    assert_eq!(problems, []);
    let all = relations(&site);
    for (relation, source) in [
        ("South house partOf Harbour", "IfcRelAggregates"),
        ("Level 0 partOf North house", "IfcRelAggregates"),
        ("0.01 partOf Level 0", "IfcRelAggregates"),
        ("P-1 locatedIn Level 0", "IfcRelContainedInSpatialStructure"),
        ("T-1 locatedIn South house", "IfcRelContainedInSpatialStructure"),
        ("S-1 locatedIn 0.01", "IfcRelContainedInSpatialStructure"),
        ("S-1 serves 0.01", "stands in the space"),
        ("P-1 hasPart P-1-M", "IfcRelNests"),
        ("P-1-T meters P-1", "IfcRelAssignsToProduct"),
        ("Water hasPart T-1", "IfcRelAssignsToGroup"),
        ("Water serves South house", "IfcRelServicesBuildings"),
        ("Water serves 0.01", "IfcRelServicesBuildings"),
    ] {
        assert_eq!(all.get(relation).map(String::as_str), Some(source), "{relation}\n{all:#?}");
    }
}

/// The program on the demo: what it says, what it writes, and twice the same.
#[test]
fn the_clinic_from_the_command_line() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_string_lossy().into_owned();
    let run = |format: &str, name: &str| {
        let output = common::plenum(&["assets", "models/clinic", "--json", "--export", format, "--out", &path(name)]);
        assert_eq!(output.status.code(), Some(0), "{output:?}");
        common::json(&output)
    };
    let document = run("brick", "a.ttl");
    assert_eq!(document["problems"], serde_json::json!([]));
    let counts = &document["counts"];
    assert_eq!(
        (&counts["site"], &counts["building"], &counts["storey"], &counts["space"]),
        (&1.into(), &1.into(), &5.into(), &61.into())
    );
    let registry = &document["registries"][0];
    assert_eq!(registry["rows"], registry["matched_by"]["tag"]);
    assert!(registry["rows"].as_u64().unwrap() >= 60);
    for none in ["unmatched", "duplicates", "conflicts"] {
        assert_eq!(registry[none], serde_json::json!([]), "{none}");
    }
    for kind in ["feeds", "serves", "meters", "controls", "locatedIn", "partOf", "hasPart", "hasPoint"] {
        assert!(document["relations"][kind]["count"].as_u64().unwrap() > 0, "{kind}");
    }
    assert_eq!(document["connections_contradicting"], 0);
    let text = std::fs::read_to_string(path("a.ttl")).unwrap();
    let triples = turtle::parse(&text).unwrap();
    assert!(triples.len() > 3000, "{}", triples.len());
    run("brick", "b.ttl");
    assert_eq!(text, std::fs::read_to_string(path("b.ttl")).unwrap(), "the same bytes");

    let document = run("csv", "t.csv");
    assert_eq!(document["export"]["files"].as_array().unwrap().len(), 2);
    let relations = std::fs::read_to_string(path("t.relations.csv")).unwrap();
    let feeds = |from: &str, to: &str| {
        let line = |l: &&str| {
            let cells: Vec<&str> = l.split(',').collect();
            cells.get(1) == Some(&from) && cells.get(2) == Some(&"feeds") && cells.get(4) == Some(&to)
        };
        relations.lines().any(|l| line(&l))
    };
    assert!(
        feeds("AHU-3", "VAV-3-01") && feeds("CHWP-1", "CH-1") | feeds("CH-1", "CHWP-1"),
        "the plant hangs together"
    );
    assert!(!feeds("AHU-3", "VAV-0-01"), "another unit's box");
    assert!(!feeds("AHU-1", "AHU-1-SF") && !feeds("AHU-1-SF", "AHU-1"), "a unit does not feed its parts");
    // Every box has one air handling unit.
    let things = std::fs::read_to_string(path("t.csv")).unwrap();
    let boxes: Vec<&str> =
        things.lines().filter(|l| l.contains(",IfcAirTerminalBox,")).filter_map(|l| l.split(',').nth(4)).collect();
    assert_eq!(boxes.len(), 38);
    for tag in boxes {
        let units = ["AHU-1", "AHU-2", "AHU-3"].iter().filter(|unit| feeds(unit, tag)).count();
        assert_eq!(units, 1, "{tag}");
    }
    rdflib_reads_as_much(&path("a.ttl"), triples.len());
    let left: Vec<_> = std::fs::read_dir(folder.path()).unwrap().map(|e| e.unwrap().file_name()).collect();
    assert_eq!(left.len(), 4, "nothing is left beside the exports: {left:?}");
}

/// A reader of others, where this machine has it.
fn rdflib_reads_as_much(file: &str, triples: usize) {
    let python = std::env::var("PLENUM_PYTHON").unwrap_or_else(|_| "python3".into());
    let script = "import rdflib, sys; g = rdflib.Graph(); g.parse(sys.argv[1], format='turtle'); print(len(g))";
    let there = std::process::Command::new(&python).args(["-c", "import rdflib"]).output();
    if !there.is_ok_and(|o| o.status.success()) {
        eprintln!("SKIPPED: {python} with rdflib is not here; PLENUM_PYTHON may name one");
        return;
    }
    let output = std::process::Command::new(&python).args(["-c", script, file]).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(String::from_utf8_lossy(&output.stdout).trim().parse::<usize>().unwrap(), triples);
}

#[test]
fn wrong_use_and_what_cannot_be_written() {
    let folder = tempfile::tempdir().unwrap();
    let project = folder.path().join("twin.toml");
    std::fs::write(
        &project,
        "name = \"House\"\n[[layers]]\nfile = \"a.geojson\"\n[[registries]]\nfile = \"bad.csv\"\n",
    )
    .unwrap();
    let layer = r#"{"type":"FeatureCollection","features":[{"type":"Feature","id":"T1","properties":{"kind":"tree"},
        "geometry":{"type":"Point","coordinates":[1,2,3]}}]}"#;
    std::fs::write(folder.path().join("a.geojson"), layer).unwrap();
    std::fs::write(folder.path().join("bad.csv"), "Time,Flow\n1,2\n").unwrap();
    let project = project.to_str().unwrap();
    let run = |arguments: &[&str]| common::plenum(&[&["assets", project], arguments].concat());
    for wrong in [&["--export", "brick"][..], &["--out", "x"], &["--export", "rdf", "--out", "x"]] {
        assert_eq!(run(wrong).status.code(), Some(2), "{wrong:?}");
    }
    let target = folder.path().join("no/such/folder/x.ttl");
    let said = common::said(&run(&["--export", "json", "--out", target.to_str().unwrap()]), 1);
    assert!(said.contains("cannot be written"), "{said}");
    let said = common::said(&run(&["--export", "csv", "--out", folder.path().to_str().unwrap()]), 1);
    assert!(said.contains("this is a folder"), "{said}");
    // A registry that cannot be read is told, and the rest goes on.
    let output = run(&["--json"]);
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    assert!(common::json(&output)["problems"].to_string().contains("no column says which asset"), "{output:?}");
    assert_eq!(common::plenum(&["assets", "no-such-project"]).status.code(), Some(1));
}
