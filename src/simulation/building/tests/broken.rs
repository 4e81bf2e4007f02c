//! Models that are torn, empty or absurd.

use super::super::*;
use crate::site::graph::Graph;
use crate::site::model::{Connection, ConnectionPoint, FlowDirection, Group, PropertySet, PropertyValue};
use crate::site::{Element, Site};
use glam::DVec3;
use proptest::prelude::*;
use std::sync::Arc;

fn element(i: usize, class: &str, system: Option<u32>) -> Element {
    Element { id: format!("e{i}"), class: class.into(), systems: system.into_iter().collect(), ..Element::default() }
}

fn port(element: u32, at: [f64; 3], direction: FlowDirection, medium: &str) -> ConnectionPoint {
    let location = Some(DVec3::from_array(at));
    ConnectionPoint { element, direction, location, medium: medium.into(), ..ConnectionPoint::default() }
}

fn solve(site: &Site, overrides: &[AssumptionOverride]) -> Building {
    let building = of_site(site, &Graph::of(site), overrides);
    for net in &building.networks {
        let mut operation = Operation::new(net);
        let state = operation.solve(net, &|_| None).clone();
        assert_eq!(state.flow_m3s.len(), net.network.links.len());
        assert_eq!(state.pressure_pa.len(), net.network.nodes.len());
        assert_eq!(state.node_c.len(), net.network.nodes.len());
        operation.problems(net);
    }
    building
}

#[test]
fn a_model_without_connections_has_no_network_and_says_so() {
    for site in [Site::default(), Site::of_elements("x", vec![element(0, "IfcPump", None)]).0] {
        let building = solve(&site, &[]);
        assert!(building.networks.is_empty());
        assert!(building.problems.iter().any(|p| p.message.contains("no network to solve") && !p.remedy.is_empty()));
    }
}

#[test]
fn pipes_without_a_pump_or_a_source_are_told_and_stand_still() {
    let elements = (0..4).map(|i| element(i, "IfcPipeSegment", Some(0))).collect();
    let (mut site, _) = Site::of_elements("x", elements);
    site.systems.push(Group { name: "CHW".into(), predefined_type: "CHILLEDWATER".into(), ..Group::default() });
    for i in 0..4u32 {
        let x = f64::from(i);
        site.connection_points.push(port(i, [x, 0.0, 0.0], FlowDirection::Sink, ""));
        site.connection_points.push(port(i, [x + 1.0, 0.0, 0.0], FlowDirection::Source, ""));
    }
    site.connections = (0..3).map(|i| Connection { from: 2 * i + 1, to: 2 * i + 2 }).collect();
    let building = solve(&site, &[]);
    let [net] = building.networks.as_slice() else { panic!("{:?}", building.problems) };
    assert_eq!((net.network.links.len(), net.medium.as_str()), (4, "chilled water"));
    assert!(net.problems.iter().any(|p| p.message.contains("neither a pump nor a source")), "{:?}", net.problems);
    let mut operation = Operation::new(net);
    let state = operation.solve(net, &|_| None);
    assert!(state.flow_m3s.iter().all(|q| q.is_nan()) && state.pressure_pa.iter().all(|p| p.is_nan()));
    assert_eq!(operation.solver().solution().zones().len(), 1);
}

const CLASSES: [&str; 14] = [
    "IfcPipeSegment",
    "IfcPipeFitting",
    "IfcPump",
    "IfcValve",
    "IfcChiller",
    "IfcCoil",
    "IfcTank",
    "IfcCoolingTower",
    "IfcDuctSegment",
    "IfcFan",
    "IfcAirTerminal",
    "IfcAirTerminalBox",
    "IfcUnitaryEquipment",
    "IfcDamper",
];
const WORDS: [&str; 6] = ["", "CHILLEDWATER", "HEATING", "CONDENSERWATER", "VENTILATION", "DRAINAGE"];
const NAMES: [&str; 8] = [
    "NominalFlow",
    "NominalPressure",
    "CurveCoefficient",
    "DesignPower",
    "InnerDiameter",
    "Length",
    "FlowCoefficient",
    "NominalAirflow",
];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn no_graph_panics(
        classes in proptest::collection::vec((0..CLASSES.len(), proptest::option::of(0u32..7), 0..NAMES.len()), 1..24),
        ports in proptest::collection::vec((0u32..26, 0..WORDS.len(), 0u8..4, prop_oneof![any::<f64>(), -9.0..9.0f64]), 0..80),
        joins in proptest::collection::vec((0u32..82, 0u32..82), 0..60),
        value in prop_oneof![any::<f64>(), 1e-6..1e6f64],
        stated in prop_oneof![any::<f64>(), 0.0..10.0f64],
    ) {
        let mut elements: Vec<Element> =
            classes.iter().enumerate().map(|(i, (c, s, _))| element(i, CLASSES[*c], *s)).collect();
        for (e, (.., name)) in elements.iter_mut().zip(&classes) {
            let values = vec![(NAMES[*name].to_owned(), PropertyValue::Real(value))];
            e.properties = vec![Arc::new(PropertySet { name: "Pset_Plenum_Design".into(), quantities: false, values: values.into() })];
        }
        let (mut site, _) = Site::of_elements("x", elements);
        for word in WORDS {
            site.systems.push(Group { name: word.to_lowercase(), predefined_type: word.into(), ..Group::default() });
        }
        for (i, (e, word, way, at)) in ports.iter().enumerate() {
            let ways = [FlowDirection::Sink, FlowDirection::Source, FlowDirection::Both, FlowDirection::Unknown];
            site.connection_points.push(port(*e, [*at, i as f64, 0.0], ways[usize::from(*way)], WORDS[*word]));
        }
        site.connections = joins.iter().map(|(from, to)| Connection { from: *from, to: *to }).collect();
        let fields = ["diameter_m", "speed", "position", "k", "design_power_w", "level_m"];
        let overrides: Vec<AssumptionOverride> = fields.iter().enumerate().map(|(i, field)| AssumptionOverride {
            element: format!("e{i}"), field: (*field).into(), value: stated, line: i,
        }).collect();
        solve(&site, &overrides);
    }
}
