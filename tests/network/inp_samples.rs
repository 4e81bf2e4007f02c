//! Every INP sample is read, written and read again.

use crate::samples;
use plenum::import::network::inp;
use plenum::simulation::network::periods::Act;
use plenum::simulation::network::{LinkKind, NodeKind};
use plenum::{Problem, Severity};
use serde_json::Value;
use std::path::Path;

fn read(path: &Path) -> (inp::InpFile, Vec<Problem>) {
    let bytes = std::fs::read(path).expect("a sample");
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    inp::read(&bytes, &name)
}

#[test]
fn every_sample_is_read_whole() {
    for (_, path) in samples::networks() {
        let (file, problems) = read(&path);
        let bad: Vec<_> = problems.iter().filter(|p| p.severity != Severity::Info).map(ToString::to_string).collect();
        assert!(bad.is_empty(), "{bad:#?}");
        let bytes = std::fs::read(&path).expect("a sample");
        assert!(file.document.to_bytes() == bytes, "{} does not come back as it was", path.display());
        let reference = path.parent().unwrap().join("ref").join(path.file_stem().unwrap()).with_extension("json");
        let Ok(text) = std::fs::read_to_string(&reference) else { continue };
        let reference: Value = serde_json::from_str(&text).expect("JSON");
        let (heads, flows) = (&reference["as_shipped"]["head"], &reference["as_shipped"]["flow"]);
        let network = &file.network;
        assert_eq!(network.nodes.len(), heads.as_object().unwrap().len(), "nodes of {}", path.display());
        assert_eq!(network.links.len(), flows.as_object().unwrap().len(), "links of {}", path.display());
        // A reservoir without a pattern and a tank have the head of the reference from the start.
        let start = network.boundary();
        let to_m = file.units.m();
        for (at, node) in network.nodes.iter().enumerate() {
            if !matches!(node.kind, NodeKind::Junction(_)) {
                let wanted = heads[&node.id].as_f64().expect("a head") * to_m;
                assert!((start.head[at] - wanted).abs() < 1e-6, "{}: {} m, {wanted} m", node.id, start.head[at]);
            }
        }
    }
}

#[test]
fn what_the_samples_say() {
    let Some(folder) = samples::folder("networks") else { return };
    let (net3, _) = read(&folder.join("Net3.inp"));
    assert_eq!(net3.timeline.times.duration, 168 * 3600);
    assert_eq!(net3.timeline.controls.len(), 18);
    assert!(net3.drawing.nodes.iter().all(Option::is_some));
    let (net6, _) = read(&folder.join("Net6.inp"));
    assert_eq!(net6.timeline.controls.len(), 124);
    assert!(net6.timeline.controls.iter().all(|c| matches!(c.act, Act::Open | Act::Close)));
    let (town, _) = read(&folder.join("L-TOWN.inp"));
    let demands: usize = (town.network.nodes.iter())
        .map(|n| if let NodeKind::Junction(j) = &n.kind { j.demands.len() } else { 0 })
        .sum();
    assert!(demands > 2000, "{demands}");
    let prv = town.network.links.iter().find(|l| l.id == "PRV-1").expect("a PRV");
    assert!(matches!(prv.kind, LinkKind::Valve(_)) && prv.setting == 40.0);
}
