use crate::shape::Aabb;
use crate::site::assets::{Relation, RelationKind, Thing};
use crate::site::infer::*;
use crate::site::model::{FlowDirection, PropertySet, PropertyValue};

/// A house in the making: no geometry but the middle of what has one.
#[derive(Default)]
struct House {
    elements: Vec<Element>,
    points: Vec<ConnectionPoint>,
    connections: Vec<Connection>,
    systems: Vec<Group>,
    zones: Vec<Group>,
    relations: Vec<Relation>,
}

impl House {
    /// On the ground floor of the only building.
    fn add(&mut self, class: &str, tag: &str) -> u32 {
        self.elements.push(Element {
            id: format!("id-{}", self.elements.len()),
            class: class.into(),
            tag: tag.into(),
            storey: Some(0),
            place: Some(0),
            ..Element::default()
        });
        self.elements.len() as u32 - 1
    }

    fn with(&mut self, class: &str, tag: &str, change: impl FnOnce(&mut Element)) -> u32 {
        let number = self.add(class, tag);
        change(&mut self.elements[number as usize]);
        number
    }

    fn of_kind(&mut self, class: &str, tag: &str, predefined: &str) -> u32 {
        self.with(class, tag, |e| e.predefined_type = predefined.into())
    }

    fn connect(&mut self, from: u32, to: u32, medium: &str) {
        let first = self.points.len() as u32;
        for (element, direction) in [(from, FlowDirection::Source), (to, FlowDirection::Sink)] {
            self.points.push(ConnectionPoint {
                element,
                direction,
                medium: medium.into(),
                ..ConnectionPoint::default()
            });
        }
        self.connections.push(Connection { from: first, to: first + 1 });
    }

    fn evidence(&self) -> Evidence<'_> {
        Evidence {
            elements: &self.elements,
            shapes: &[],
            points: &self.points,
            connections: &self.connections,
            ends: &[],
            systems: &self.systems,
            zones: &self.zones,
            relations: &self.relations,
        }
    }

    fn joins(&self, joining: &Joining, decisions: &[Decision]) -> Vec<Join> {
        infer(&self.evidence(), joining, decisions).joins
    }

    /// What each cable leads from and to, and why.
    fn cables(&self) -> Vec<(u32, u32, WiredBy)> {
        let joins = self.joins(&Joining::default(), &[]);
        joins.iter().map(|j| (j.from.element, j.to.element, j.cable.unwrap().by.unwrap())).collect()
    }

    /// What this one hangs on, and why.
    fn hub(&self, load: u32) -> Option<(u32, WiredBy)> {
        let mut found = self.cables().into_iter().filter(|(from, to, _)| *from == load || *to == load);
        let one = found.next().map(|(from, to, by)| (if from == load { to } else { from }, by));
        assert!(found.next().is_none(), "one cable each");
        one
    }
}

fn says(name: &str, value: &str) -> Arc<PropertySet> {
    let values = vec![(name.to_owned(), PropertyValue::Text(value.to_owned()))];
    Arc::new(PropertySet { name: "Electrical".into(), quantities: false, values: values.into() })
}

#[test]
fn the_only_board_and_the_only_controller_of_a_storey() {
    let mut house = House::default();
    let board = house.add("IfcElectricDistributionBoard", "DB-1");
    let station = house.add("IfcController", "DDC-1");
    let (light, pump) = (house.add("IfcLightFixture", "L-1"), house.add("IfcPump", "P-1"));
    let (sensor, actuator) = (house.add("IfcSensor", "T-1"), house.add("IfcActuator", "V-1-A"));
    house.add("IfcWall", "W-1");
    house.add("IfcValve", "V-1");
    let other = house.with("IfcLightFixture", "L-2", |e| (e.storey, e.place) = (Some(1), Some(1)));
    use WiredBy::Storey;
    // Power leaves the board, readings come to the station, and commands leave it.
    let expected = [(board, station), (board, light), (board, pump), (sensor, station), (station, actuator)];
    assert_eq!(house.cables(), expected.map(|(from, to)| (from, to, Storey)));
    let joins = house.joins(&Joining::default(), &[]);
    assert!(joins.iter().all(|j| j.by == JoinedBy::Wiring && j.gap_m.is_none() && j.confidence < 0.5));
    assert!(joins.iter().all(|j| j.from.point.is_none() && j.to.point.is_none()), "they have no place");
    // In the same building, but on a storey without a board: less sure.
    house.elements[other as usize].place = Some(0);
    assert_eq!(house.hub(other), Some((board, WiredBy::Building)));
    // With a second board on the storey nobody knows; nor whose the other storey is.
    house.add("IfcElectricDistributionBoard", "DB-2");
    assert_eq!(house.cables(), [(sensor, station, Storey), (station, actuator, Storey)]);
}

#[test]
fn stronger_reasons_go_first_and_weaker_ones_choose_among_what_they_leave() {
    let mut house = House::default();
    let boards: Vec<u32> = (1..=3).map(|n| house.add("IfcElectricDistributionBoard", &format!("DB-{n}"))).collect();
    let light = house.add("IfcLightFixture", "L-1");
    assert_eq!(house.hub(light), None, "one of three");
    // Its system has two of them, and one of these is in its zone.
    let system = |members: Vec<u32>| Group { members, ..Group::default() };
    house.systems = vec![system(vec![boards[0], boards[1], light])];
    for element in [boards[0], boards[1], light] {
        house.elements[element as usize].systems = vec![0];
    }
    assert_eq!(house.hub(light), None, "one of two");
    let spaces = [house.add("IfcSpace", "1"), house.add("IfcSpace", "2"), house.add("IfcSpace", "3")];
    for (element, space) in [(light, 0), (boards[1], 1), (boards[2], 0)] {
        house.elements[element as usize].space = Some(spaces[space]);
    }
    house.zones = vec![Group { members: vec![spaces[0], spaces[1]], ..Group::default() }];
    assert_eq!(house.hub(light), Some((boards[1], WiredBy::Zone)), "the one in its space is not of its system");
    let sure = house.joins(&Joining::default(), &[])[0].confidence;
    assert!(sure > WiredBy::Zone.confidence() && sure < WiredBy::Space.confidence() + 0.01, "{sure}");
    // A tag goes before places, a machine before tags, and what is stated before all.
    house.elements[light as usize].tag = "DB1-L-07".into();
    assert_eq!(house.hub(light), Some((boards[0], WiredBy::Tag)));
    house.elements[light as usize].properties = vec![says("Panel", "db 3")];
    assert_eq!(house.hub(light), Some((boards[2], WiredBy::Stated)));
    house.elements[light as usize].properties = vec![says("Panel", "DB-9")];
    assert_eq!(house.hub(light), Some((boards[0], WiredBy::Tag)), "a board that is not there");
    let fed = Relation::new(Thing::Element(boards[1]), RelationKind::Feeds, Thing::Element(light), "registry");
    house.relations = vec![fed];
    assert_eq!(house.hub(light), Some((boards[1], WiredBy::Stated)));
}

/// As Revit writes IFC2X3: boards and detectors are protective devices, and a property tells what hangs on what.
#[test]
fn boards_and_loads_of_odd_classes_by_what_they_say_themselves() {
    let mut house = House::default();
    let old = |class: &str, of: &str, name: &str, property: (&str, &str)| Element {
        class: class.into(),
        type_class: of.into(),
        name: name.into(),
        properties: vec![says(property.0, property.1)],
        storey: Some(0),
        place: Some(0),
        ..Element::default()
    };
    let (controller, protective) = ("IfcFlowController", "IfcProtectiveDeviceType");
    let control = "IfcDistributionControlElement";
    house.elements = vec![
        old(controller, protective, "Panelboard:1", ("Panel Name", "Unit A")),
        old(controller, protective, "Panelboard:2", ("Panel Name", "Unit B")),
        old(control, "IfcControllerType", "Fire Alarm Control Panel", ("Panel Name", "Fire Alarm")),
        old("IfcFlowTerminal", "IfcOutletType", "Receptacle", ("Panel", "Unit B")),
        old(controller, protective, "Smoke Detector", ("Panel", "Fire Alarm")),
        old("IfcFlowTerminal", "IfcLightFixtureType", "Lamp", ("Panel", "")),
        old(control, "IfcControllerType", "Thermostat", ("Panel", "")),
        old("IfcBuildingElementProxy", "", "Telephone", ("Panel", "TTB1")),
        old("IfcFlowMovingDevice", "IfcPumpType", "Pump", ("Panel", "unit_a")),
    ];
    house.elements[6].predefined_type = "TWOPOSITION".into();
    let stated = WiredBy::Stated;
    assert_eq!(
        house.cables(),
        [(1, 3, stated), (4, 2, stated), (0, 8, stated)],
        "and nothing is guessed of the others"
    );
    let networks: Vec<Network> =
        house.joins(&Joining::default(), &[]).iter().map(|j| j.cable.unwrap().network).collect();
    assert_eq!(networks, [Network::Power, Network::Alarm, Network::Power]);
    house.elements[1].properties = vec![says("Panel Name", "Unit A")];
    assert_eq!(house.hub(8), None, "two of one name");
}

#[test]
fn a_machine_with_its_own_controller_keeps_to_itself() {
    let mut house = House::default();
    let station = house.add("IfcController", "DDC-1");
    let chiller = house.add("IfcChiller", "CH-1");
    let own = house.with("IfcController", "UC-1", |e| e.part_of = Some(chiller));
    let inside = house.with("IfcSensor", "PT-1", |e| e.host = Some(chiller));
    let part = house.with("IfcSensor", "PT-2", |e| e.part_of = Some(chiller));
    let room = house.add("IfcSensor", "TT-1");
    assert_eq!(house.hub(inside), Some((own, WiredBy::Unit)));
    assert_eq!(house.hub(part), Some((own, WiredBy::Unit)));
    assert_eq!(house.hub(room), Some((station, WiredBy::Storey)), "the machine's controller serves the machine alone");
    // A controller that is assigned to a machine serves what is mounted on it.
    let fan = house.add("IfcFan", "EF-1");
    let on_fan = house.with("IfcSensor", "EF-1-P", |e| e.host = Some(fan));
    let assigned = house.add("IfcController", "DDC-9");
    house.relations = vec![Relation::new(
        Thing::Element(assigned),
        RelationKind::Controls,
        Thing::Element(fan),
        "IfcRelAssignsToProduct",
    )];
    assert_eq!(house.hub(on_fan), Some((assigned, WiredBy::Unit)));
    assert_eq!(house.hub(room), None, "two controllers stand free on the storey now");
    // A controller in a cabinet is one with it.
    let cabinet = house.of_kind("IfcUnitaryControlElement", "CP-1", "CONTROLPANEL");
    for element in [station, assigned] {
        house.elements[element as usize].part_of = Some(cabinet);
    }
    assert_eq!(house.hub(room), Some((cabinet, WiredBy::Storey)));
}

#[test]
fn what_has_no_cable_gets_none() {
    let mut house = House::default();
    for (class, tag) in [
        ("IfcElectricDistributionBoard", "DB-1"),
        ("IfcController", "DDC-1"),
        ("IfcAirTerminal", "D-1"),
        ("IfcSpaceHeater", "R-1"),
        ("IfcFlowMeter", "WM-1"),
        ("IfcDamper", "FD-1"),
        ("IfcUnitaryControlElement", "X-1"),
    ] {
        house.add(class, tag);
    }
    for (class, predefined) in [
        ("IfcActuator", "HANDOPERATEDACTUATOR"),
        ("IfcActuator", "PNEUMATICACTUATOR"),
        ("IfcActuator", "THERMOSTATICACTUATOR"),
        ("IfcOutlet", "DATAOUTLET"),
        ("IfcSensor", "SMOKESENSOR"),
        ("IfcSensor", "IDENTIFIERSENSOR"),
        ("IfcElectricDistributionBoard", "DISTRIBUTIONBOARD"),
    ] {
        house.of_kind(class, "X", predefined);
    }
    house.elements.pop();
    assert_eq!(house.cables(), [(0, 1, WiredBy::Storey)], "only the controller's own supply");
    // With a panel the smoke detector has a place to hang on, and the panel one to be fed from.
    let smoke = house.elements.iter().position(|e| e.predefined_type == "SMOKESENSOR").unwrap() as u32;
    let panel = house.of_kind("IfcUnitaryControlElement", "FDP", "FIREDETECTIONPANEL");
    assert_eq!(house.hub(smoke), Some((panel, WiredBy::Storey)));
    assert!(house.cables().contains(&(0, panel, WiredBy::Storey)));
}

#[test]
fn parts_of_packaged_machines_are_fed_with_them_and_fans_of_built_up_ones_alone() {
    let mut house = House::default();
    let board = house.add("IfcElectricDistributionBoard", "DB-1");
    let built_up = house.of_kind("IfcUnitaryEquipment", "AHU-1", "AIRHANDLER");
    let fan = house.with("IfcFan", "AHU-1-SF", |e| e.part_of = Some(built_up));
    let packaged = house.of_kind("IfcUnitaryEquipment", "RTU-1", "ROOFTOPUNIT");
    let inner = house.with("IfcFan", "RTU-1-SF", |e| e.part_of = Some(packaged));
    let bare = house.of_kind("IfcUnitaryEquipment", "AHU-2", "AIRHANDLER");
    let light = house.add("IfcLightFixture", "L-1");
    let lamp = house.with("IfcLamp", "L-1-1", |e| e.part_of = Some(light));
    for (load, fed) in [(built_up, false), (fan, true), (packaged, true), (inner, false), (bare, true), (lamp, false)] {
        assert_eq!(house.hub(load), fed.then_some((board, WiredBy::Storey)), "{load}");
    }
    // Motors hang on a motor control centre where there is one, lights never; boards on the main switchboard.
    let centre = house.of_kind("IfcElectricDistributionBoard", "MCC-1", "MOTORCONTROLCENTRE");
    let main = house.of_kind("IfcElectricDistributionBoard", "MSB", "SWITCHBOARD");
    let meter = house.of_kind("IfcFlowMeter", "EM-1", "ELECTRICMETER");
    assert_eq!(house.hub(fan), Some((centre, WiredBy::Storey)));
    assert_eq!(house.hub(light), Some((board, WiredBy::Storey)));
    assert!(house.cables().contains(&(main, board, WiredBy::Storey)));
    assert!(house.cables().contains(&(meter, main, WiredBy::Storey)), "a meter gives");
}

#[test]
fn declared_cables_stay_alone_and_free_ports_are_used() {
    let mut house = House::default();
    let board = house.add("IfcElectricDistributionBoard", "DB-1");
    let station = house.add("IfcController", "DDC-1");
    let (pump, pipe) = (house.add("IfcPump", "P-1"), house.add("IfcPipeSegment", "PS-1"));
    let sensor = house.add("IfcSensor", "T-1");
    house.connect(pipe, pump, "CHILLEDWATER");
    house.connect(sensor, station, "CONTROL");
    let power = WiredBy::Storey;
    assert_eq!(
        house.cables(),
        [(board, station, power), (board, pump, power)],
        "a pipe is no cable, a signal no power"
    );
    house.connect(board, pump, "ELECTRICAL");
    house.connect(station, board, "");
    assert_eq!(house.cables(), [], "the one says so, and the other joins nothing but cables");
    house.connections.clear();
    let joins = house.joins(&Joining::default(), &[]);
    let points = |load: u32| {
        let join = joins.iter().find(|j| j.from.element == load || j.to.element == load).unwrap();
        (join.from.point, join.to.point)
    };
    let port = |i| Some(PointRef::Port(i));
    assert_eq!(points(sensor), (port(2), port(3)));
    assert_eq!(points(station), (port(4), port(6)), "never the port of its signals");
    assert_eq!(points(pump), (port(7), port(5)), "never the port of its pipe");
}

#[test]
fn decisions_go_before_the_rule() {
    let mut house = House::default();
    let boards = [1, 2].map(|n| house.with("IfcElectricDistributionBoard", "", |e| e.storey = Some(n)));
    let light = house.with("IfcLightFixture", "L-1", |e| e.storey = Some(1));
    let decide = |a: u32, b: u32, verdict: Verdict| Decision { from: (a, None), to: (b, None), verdict };
    let joins = |decision: Decision| house.joins(&Joining::default(), &[decision]);
    assert_eq!(house.hub(light), Some((boards[0], WiredBy::Storey)));
    assert_eq!(joins(decide(light, boards[0], Verdict::Reject)), [], "and it is not given to another storey's");
    for (board, verdict, by) in
        [(boards[0], Verdict::Accept, JoinedBy::Accepted), (boards[1], Verdict::Join, JoinedBy::Hand)]
    {
        let found = joins(decide(light, board, verdict));
        assert_eq!(found.len(), 1, "{found:?}");
        let join = found[0];
        assert_eq!((join.from.element, join.to.element, join.by, join.confidence), (board, light, by, 1.0));
        assert_eq!(join.cable, Some(Cable { network: Network::Power, by: None }));
    }
    // Of two boards on the storey the one that is left.
    house.elements[boards[1] as usize].storey = Some(1);
    assert_eq!(house.hub(light), None);
    let left = house.joins(&Joining::default(), &[decide(boards[0], light, Verdict::Reject)]);
    assert_eq!(left.iter().map(|j| j.from.element).collect::<Vec<_>>(), [boards[1]]);
}

#[test]
fn limits() {
    let mut house = House::default();
    let at = |x: f64| Some(Aabb { min: DVec3::X * x, max: DVec3::X * x + DVec3::ONE });
    house.with("IfcElectricDistributionBoard", "DB-1", |e| e.bounds = at(0.0));
    house.with("IfcLightFixture", "L-1", |e| e.bounds = at(20.0));
    let far = house.with("IfcLightFixture", "L-2", |e| e.bounds = at(120.0));
    house.with("IfcLightFixture", "L-3", |e| e.storey = Some(7));
    let count = |change: &dyn Fn(&mut Joining)| {
        let mut joining = Joining::default();
        change(&mut joining);
        house.joins(&joining, &[]).len()
    };
    assert_eq!(count(&|_| {}), 2, "by storey and by building");
    assert_eq!(count(&|j| j.wiring_reach_m = 200.0), 3);
    assert_eq!(count(&|j| j.wiring_reach_m = 10.0), 1, "of what has no place nobody knows how far it is");
    assert_eq!(count(&|j| j.wiring = Some(WiredBy::Storey)), 1);
    assert_eq!(count(&|j| j.wiring = Some(WiredBy::Tag)), 0);
    assert_eq!(count(&|j| j.wiring = None), 0);
    assert_eq!(count(&|j| j.least_confidence = 0.38), 1);
    house.elements[far as usize].properties = vec![says("Fed From", "DB-1")];
    assert_eq!(house.hub(far), Some((0, WiredBy::Stated)), "what is stated may be far");
}

/// A storey with as many controllers as sensors: as quick as it is without an answer.
#[test]
fn many_of_both_are_looked_through_once() {
    let mut house = House::default();
    for n in 0..50_000 {
        let station = house.add("IfcController", &format!("DDC-{n}"));
        house.add("IfcSensor", &format!("DDC{n}-T"));
        house.add("IfcSensor", &format!("T-{n}"));
        house.elements[station as usize].systems = vec![0];
    }
    for element in &mut house.elements {
        element.systems = vec![0];
    }
    house.systems = vec![Group::default()];
    let cables = house.cables();
    assert_eq!(cables.len(), 50_000);
    assert!(cables.iter().all(|(sensor, station, by)| *by == WiredBy::Tag && station + 1 == *sensor));
}
