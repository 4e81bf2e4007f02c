//! A network of pipes as elements of a site: its nodes and links, each with what its file says of it, SI.
//!
//! An INP file has a map of its own (`[COORDINATES]`) that states neither a coordinate system nor a unit, so its
//! elements have no place in the site; `plenum solve` computes with them.

use super::inp;
use crate::import::{Limits, Progress, cancelled, read_bytes};
use crate::problem::Problem;
use crate::simulation::network::{Friction, LinkKind, NodeKind, ValveKind};
use crate::site::model::{PropertySet, PropertyValue, Totals};
use crate::site::{Element, ElementKind, Model};
use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;

/// Reads an EPANET INP file as elements.
///
/// # Errors
/// When it cannot be opened, is larger than the limit, or has no node.
pub fn read_within(path: &Path, limits: &Limits, progress: &Progress) -> Result<(Model, Vec<Problem>), Problem> {
    let place = path.display().to_string();
    let bytes = read_bytes(path, limits, "")?;
    let (read, problems) = inp::read(&bytes, &place);
    if progress.cancelled() {
        return Err(cancelled(&place));
    }
    if read.network.nodes.is_empty() {
        let remedy = "check that it is a network and was written to its end";
        return Err(Problem::error(place, "there is no node in this EPANET network", remedy));
    }
    let mut model =
        Model { file: path.to_owned(), kind: "inp".to_owned(), bytes: bytes.len() as u64, ..Model::default() };
    let [node_tags, link_tags] = [&read.drawing.node_tags, &read.drawing.link_tags].map(|tags| by_number(tags));
    let tag = |tags: &HashMap<usize, &str>, of: usize| tags.get(&of).copied().unwrap_or_default().to_owned();
    for (i, node) in read.network.nodes.iter().enumerate() {
        let (class, mut values) = node_facts(&node.kind);
        values.insert(0, ("Elevation".to_owned(), PropertyValue::Real(node.elevation)));
        let at = read.drawing.nodes.get(i).copied().flatten();
        values.extend(at.into_iter().flat_map(|[x, y]| [("MapX", x), ("MapY", y)]).map(real));
        model.elements.push(element("node", &node.id, class, tag(&node_tags, i), values));
    }
    for (i, link) in read.network.links.iter().enumerate() {
        let (class, mut values) = link_facts(&link.kind);
        let end = |n: usize| read.network.nodes.get(n).map(|n| n.id.clone()).unwrap_or_default();
        let ends = [("From", link.from), ("To", link.to)];
        values.splice(0..0, ends.map(|(name, n)| (name.to_owned(), PropertyValue::Text(end(n)))));
        values.push(real(("Setting", link.setting)));
        model.elements.push(element("link", &link.id, class, tag(&link_tags, i), values));
    }
    model.totals = Totals { property_sets: model.elements.len(), ..Totals::default() };
    Ok((model, problems))
}

/// The first tag that is said of each.
fn by_number(tags: &[(usize, String)]) -> HashMap<usize, &str> {
    tags.iter().rev().map(|(i, tag)| (*i, tag.as_str())).collect()
}

fn real((name, value): (&str, f64)) -> (String, PropertyValue) {
    (name.to_owned(), PropertyValue::Real(value))
}

/// Nodes and links may have the same names: the id says which it is.
fn element(sort: &str, id: &str, class: &str, tag: String, values: Vec<(String, PropertyValue)>) -> Element {
    Element {
        id: format!("{sort}/{id}"),
        class: class.to_owned(),
        kind: ElementKind::Feature,
        name: id.to_owned(),
        tag,
        properties: vec![Arc::new(PropertySet { name: "EPANET".into(), quantities: false, values: values.into() })],
        ..Element::default()
    }
}

type Facts = (&'static str, Vec<(String, PropertyValue)>);

fn node_facts(kind: &NodeKind) -> Facts {
    match kind {
        NodeKind::Junction(junction) => {
            let demand = junction.demands.iter().map(|d| d.base).sum();
            ("Junction", vec![real(("Demand", demand))])
        }
        NodeKind::Reservoir { .. } => ("Reservoir", Vec::new()),
        NodeKind::Tank(tank) => {
            let levels = [
                ("InitialLevel", tank.initial_level),
                ("MinimumLevel", tank.minimum_level),
                ("MaximumLevel", tank.maximum_level),
            ];
            ("Tank", levels.map(real).to_vec())
        }
    }
}

fn link_facts(kind: &LinkKind) -> Facts {
    match kind {
        LinkKind::Pipe(pipe) => {
            let friction = match pipe.friction {
                Friction::HazenWilliams(c) => ("HazenWilliams", c),
                Friction::DarcyWeisbach(e) => ("Roughness", e),
                Friction::ChezyManning(n) => ("Manning", n),
            };
            let numbers =
                [("Length", pipe.length), ("Diameter", pipe.diameter), friction, ("LossCoefficient", pipe.minor)];
            let mut values = numbers.map(real).to_vec();
            values.push(("CheckValve".to_owned(), PropertyValue::Boolean(pipe.check)));
            ("Pipe", values)
        }
        LinkKind::Valve(valve) => {
            let word = match valve.kind {
                ValveKind::PressureReducing => "PRV",
                ValveKind::PressureSustaining => "PSV",
                ValveKind::PressureBreaker => "PBV",
                ValveKind::FlowControl => "FCV",
                ValveKind::Throttle => "TCV",
                ValveKind::GeneralPurpose { .. } => "GPV",
                ValveKind::PositionalControl { .. } => "PCV",
            };
            let mut values = [("Diameter", valve.diameter), ("LossCoefficient", valve.minor)].map(real).to_vec();
            values.insert(0, ("Kind".to_owned(), PropertyValue::Text(word.to_owned())));
            ("Valve", values)
        }
        LinkKind::Pump(_) => ("Pump", Vec::new()),
        _ => ("Link", Vec::new()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nodes_and_links_are_elements_with_what_the_file_says_in_si() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("a.inp");
        let text = "[JUNCTIONS]\n1 10 5\n[RESERVOIRS]\n2 50\n[PIPES]\n1 2 1 1000 300 100 0 Open\n\
            [OPTIONS]\nUnits LPS\n[COORDINATES]\n1 3 4\n[TAGS]\nNODE 1 J-1\n[END]\n";
        std::fs::write(&file, text).unwrap();
        let read = || read_within(&file, &Limits::default(), &Progress::default());
        let (model, _) = read().unwrap();
        let ids: Vec<_> = model.elements.iter().map(|e| (e.id.as_str(), e.class.as_str(), e.tag.as_str())).collect();
        assert_eq!(ids, [("node/1", "Junction", "J-1"), ("node/2", "Reservoir", ""), ("link/1", "Pipe", "")]);
        let number = |i: usize, name: &str| model.elements[i].property("EPANET", name).and_then(PropertyValue::as_f64);
        assert!((number(0, "Demand").unwrap() - 0.005).abs() < 1e-6 && number(0, "MapX") == Some(3.0));
        assert!((number(2, "Diameter").unwrap() - 0.3).abs() < 1e-9 && number(2, "Length") == Some(1000.0));
        assert_eq!(model.elements[2].property("EPANET", "From"), Some(&PropertyValue::Text("2".into())));
        std::fs::write(&file, "[TITLE]\n").unwrap();
        assert!(read().unwrap_err().message.contains("no node"));
    }
}
