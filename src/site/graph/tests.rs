use super::*;
use crate::site::model::{Connection, Element, Group};

/// Three pipes in a row, a valve and a duct; ports 2n and 2n+1 are those of element n.
fn site() -> Site {
    let class = ["IfcPipeSegment", "IfcValve", "IfcPipeSegment", "IfcDuctSegment", "IfcWall"];
    let elements = class
        .iter()
        .enumerate()
        .map(|(i, class)| Element {
            id: format!("g{i}"),
            tag: format!("T-{i}"),
            class: (*class).into(),
            systems: if i < 3 { vec![0] } else { Vec::new() },
            ..Element::default()
        })
        .collect();
    let (mut site, _) = Site::of_elements("House", elements);
    site.systems = vec![Group {
        name: "Heating".into(),
        predefined_type: "HEATING".into(),
        members: vec![0, 1, 2],
        ..Group::default()
    }];
    site.connection_points = (0..8)
        .map(|i| ConnectionPoint {
            id: format!("p{i}"),
            name: format!("{i}"),
            element: i / 2,
            location: Some(DVec3::X * f64::from(i.div_ceil(2))),
            direction: if i % 2 == 0 { FlowDirection::Sink } else { FlowDirection::Source },
            ..ConnectionPoint::default()
        })
        .collect();
    site.connections = vec![Connection { from: 2, to: 1 }, Connection { from: 3, to: 4 }];
    site
}

fn said(graph: &Graph, words: &str) -> usize {
    graph.problems.iter().filter(|p| p.message.contains(words) && !p.place.is_empty() && !p.remedy.is_empty()).count()
}

#[test]
fn nodes_edges_components() {
    let graph = Graph::of(&site());
    assert_eq!(graph.nodes.len(), 4, "no wall");
    let sizes: Vec<usize> = graph.components.iter().map(|c| c.nodes.len()).collect();
    assert_eq!(sizes, [3, 1]);
    assert_eq!(graph.components[0].systems, ["Heating"]);
    // Declared from sink to source, the edge runs from source to sink.
    let first = &graph.edges[0];
    assert_eq!((first.from, first.to, first.directed), (0, 1, true));
    assert_eq!((first.from_point, first.to_point), (Some(PointRef::Port(1)), Some(PointRef::Port(2))));
    assert_eq!(first.medium.map(|m| m.name), Some("water"));
    assert_eq!(graph.node(Slot(3)).unwrap().domain, Domain::Air);
    assert_eq!(graph.node(Slot(2)).unwrap().unconnected, 1);
    assert_eq!(said(&graph, "joined to nothing"), 4);
    assert_eq!(graph.problems.len(), 4, "{:#?}", graph.problems);
}

#[test]
fn source_and_sink_says_nothing() {
    let mut site = site();
    for port in &mut site.connection_points {
        port.direction = FlowDirection::Both;
    }
    let graph = Graph::of(&site);
    assert!(graph.edges.iter().all(|e| !e.directed));
    assert_eq!((graph.edges[0].from, graph.edges[0].to), (1, 0), "as the file has it");
}

#[test]
fn joints_that_cannot_be_are_told() {
    let mut site = site();
    site.connection_points[6].location = Some(DVec3::new(3.0, 2.0, 0.0));
    site.connections.push(Connection { from: 5, to: 6 });
    site.connections.push(Connection { from: 5, to: 7 });
    let graph = Graph::of(&site);
    assert_eq!(said(&graph, "2.000 m apart"), 1, "{:#?}", graph.problems);
    assert_eq!(said(&graph, "water is joined to air"), 2);
    assert_eq!(said(&graph, "joined 2 times"), 1);
    assert_eq!(said(&graph, "two outlets are joined"), 1);
}

#[test]
fn words_of_ports_go_before_systems_and_classes() {
    let mut site = site();
    site.connection_points[1].medium = "DOMESTICHOTWATER".into();
    site.connection_points[3].medium = "GAS".into();
    let graph = Graph::of(&site);
    assert_eq!(graph.edges[1].medium.map(|m| m.name), Some("gas"));
    assert_eq!(said(&graph, "gas is joined to water"), 1, "{:#?}", graph.problems);
    let valve = graph.node(Slot(1)).unwrap();
    assert_eq!((valve.domain, valve.domains.as_slice()), (Domain::Water, [Domain::Water].as_slice()));
}
