//! Devices that a guess at the cables could go wrong with: sensors without any, a machine with a controller of its
//! own, and fire detectors, which hang on their panel and not on the storey's controller.

use crate::demo::controls::wire;
use crate::demo::devices as dev;
use crate::demo::net::{Domain, Frame, Net};
use crate::demo::plan::{CORRIDOR, STOREY, STOREYS};
use glam::{DVec3, dvec3};

/// Adds them to every storey.
pub(super) fn add(net: &mut Net) {
    let Some(control) = net.systems.iter().position(|s| s.predefined == "CONTROL") else { return };
    let Some(power) = net.systems.iter().position(|s| s.predefined == "ELECTRICAL") else { return };
    for storey in 0..=STOREYS {
        net.storey = storey;
        let name = format!("Wireless room sensor {storey}");
        let at = dvec3(18.0, CORRIDOR[1] - 0.06, STOREY * storey as f64 + 1.5);
        let item = probe(net, "TEMPERATURESENSOR", &name, &format!("TT-{storey}-W"), at);
        net.items[item].systems = vec![control];
    }
    packaged(net, control);
    detectors(net, power);
}

fn probe(net: &mut Net, predefined: &'static str, name: &str, tag: &str, at: DVec3) -> usize {
    let frame = Frame { origin: at, z: DVec3::NEG_Y, x: DVec3::Z };
    net.item("IfcSensor", predefined, name, tag, name, frame, dev::probe(dev::CONTROL))
}

/// Chillers that came with controller and sensors.
fn packaged(net: &mut Net, control: usize) {
    let chillers: Vec<usize> = (0..net.items.len()).filter(|i| net.items[*i].class == "IfcChiller").collect();
    for chiller in chillers {
        let (tag, frame) = (net.items[chiller].tag.clone(), net.items[chiller].frame);
        net.storey = net.items[chiller].storey;
        let own = net.item(
            "IfcController",
            "PROGRAMMABLE",
            &format!("Unit controller {tag}"),
            &format!("UC-{}", tag.trim_start_matches("CH-")),
            "Unit controller",
            Frame { origin: frame.world(dvec3(0.0, 0.0, 2.5)), ..frame },
            dev::cabinet(0.3, 0.1, 0.4, dev::PANEL),
        );
        net.items[own].part_of = Some(chiller);
        for n in 1..=2 {
            let at = frame.world(dvec3(0.4 * f64::from(n), 0.0, 2.5));
            let sensor = probe(net, "PRESSURESENSOR", "Refrigerant pressure", &format!("PT-{tag}-{n}"), at);
            net.items[sensor].host = Some(chiller);
            wire(net, sensor, own, control, "signal");
        }
    }
}

/// One on each storey, all on the panel of the ground floor.
fn detectors(net: &mut Net, power: usize) {
    let system = net.system("Fire detection", "SIGNAL", Domain::Cable, dev::CONTROL);
    let Some(board) = net.items.iter().position(|i| i.tag == "DB-0") else { return };
    net.storey = 0;
    let y = CORRIDOR[1] - 0.28;
    let panel = net.item(
        "IfcUnitaryControlElement",
        "FIREDETECTIONPANEL",
        "Fire detection panel",
        "FDP",
        "Fire detection panel",
        Frame { origin: dvec3(37.6, y, 0.9), z: DVec3::Z, x: DVec3::X },
        dev::cabinet(0.5, 0.15, 0.6, dev::HANDLE),
    );
    wire(net, board, panel, power, "alarm power");
    for storey in 0..=STOREYS {
        net.storey = storey;
        let at = dvec3(22.0, 0.5 * (CORRIDOR[0] + CORRIDOR[1]), STOREY * storey as f64 + 2.6);
        let sensor = probe(net, "SMOKESENSOR", "Smoke detector", &format!("SD-{storey}"), at);
        wire(net, sensor, panel, system, "loop");
    }
}
