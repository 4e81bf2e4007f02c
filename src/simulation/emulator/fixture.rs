//! A clinic made by hand for tests: the elements that matter, and the points of the demo's templates.

use crate::site::model::{PropertySet, PropertyValue};
use crate::site::{Element, Model, Site};
use std::sync::Arc;

fn element(class: &str, tag: &str, predefined: &str, set: &str, values: &[(&str, f64)]) -> Element {
    let values = values.iter().map(|(n, v)| ((*n).to_owned(), PropertyValue::Real(*v))).collect();
    Element {
        id: format!("id-of-{tag}"),
        class: class.into(),
        tag: tag.into(),
        name: tag.into(),
        predefined_type: predefined.into(),
        properties: vec![Arc::new(PropertySet { name: set.into(), quantities: false, values })],
        ..Element::default()
    }
}

fn coil(w_m3s: f64, nominal_m3s: f64) -> [(&'static str, f64); 2] {
    [("DesignPower", w_m3s * nominal_m3s), ("NominalAirflow", nominal_m3s)]
}

fn humidity(of: &str, host: u32, name: &str) -> Element {
    let mut sensor = element("IfcSensor", &format!("{of}-RH"), "HUMIDITYSENSOR", "Pset_Plenum_Design", &[]);
    sensor.name = name.into();
    sensor.host = Some(host);
    sensor
}

/// Every element of the clinic that has points.
pub(crate) fn elements() -> Vec<Element> {
    const DESIGN: &str = "Pset_Plenum_Design";
    let mut all: Vec<Element> = Vec::new();
    let mut served = [0.0; 3];
    for storey in 0..4 {
        for n in 1..=(if storey < 2 { 10 } else { 9 }) {
            let tag = format!("VAV-{storey}-{n:02}");
            let floor = 14.0 + 9.0 * f64::from((storey * 7 + n * 5) % 6);
            let air = (storey % 3) as usize;
            let nominal = floor * 0.0062;
            served[air] += nominal;
            let mut e = element(
                "IfcAirTerminalBox",
                &tag,
                "VARIABLEFLOWPRESSUREDEPENDANT",
                "Pset_Plenum_Serves",
                &[
                    ("FloorArea", floor),
                    ("Volume", floor * 3.0),
                    ("NominalAirflow", nominal),
                    ("MinimumAirflow", 0.3 * nominal),
                    ("HeatingPower", floor * 60.0),
                ],
            );
            let mut values = e.properties[0].values.to_vec();
            values.push(("AirHandler".into(), PropertyValue::Text(format!("AHU-{}", air + 1))));
            Arc::make_mut(&mut e.properties[0]).values = values.into();
            all.push(e);
            let host = all.len() as u32 - 1;
            all.push(element("IfcValve", &format!("{tag}-V"), "REGULATING", DESIGN, &[]));
            if storey == 3 || n == 1 {
                all.push(humidity(&tag, host, "Room humidity"));
            }
        }
        for (word, output, floor) in [("BATH", 900.0, 24.0), ("STW", 1080.0, 33.0), ("STE", 1080.0, 33.0)] {
            let tag = format!("RAD-{storey}-{word}");
            let host = all.len() as u32;
            let design = [("OutputCapacity", output), ("FloorArea", floor), ("Volume", 3.7 * floor)];
            all.push(element("IfcSpaceHeater", &tag, "RADIATOR", DESIGN, &design));
            all.push(element("IfcValve", &format!("{tag}-V"), "REGULATING", DESIGN, &[]));
            if word == "BATH" {
                all.push(humidity(&tag, host, "Room humidity"));
            }
        }
    }
    for (i, served) in served.into_iter().enumerate() {
        let tag = format!("AHU-{}", i + 1);
        let nominal = 0.9 * served;
        let unit = all.len() as u32;
        all.push(element("IfcUnitaryEquipment", &tag, "AIRHANDLER", DESIGN, &[("NominalAirflow", nominal)]));
        let parts = [
            element("IfcFan", &format!("{tag}-SF"), "", DESIGN, &[("NominalPower", 1500.0 * nominal)]),
            element(
                "IfcFilter",
                &format!("{tag}-FLT"),
                "AIRPARTICLEFILTER",
                DESIGN,
                &[("NominalAirflow", nominal), ("CleanPressureDrop", 90.0)],
            ),
            element("IfcCoil", &format!("{tag}-CC"), "WATERCOOLINGCOIL", DESIGN, &coil(20e3, nominal)),
            element("IfcCoil", &format!("{tag}-HC"), "WATERHEATINGCOIL", DESIGN, &coil(15e3, nominal)),
        ];
        for mut part in parts {
            part.part_of = Some(unit);
            all.push(part);
        }
        all.push(element("IfcValve", &format!("{tag}-CC-V"), "REGULATING", DESIGN, &[]));
        all.push(element("IfcValve", &format!("{tag}-HC-V"), "REGULATING", DESIGN, &[]));
        let mut sensor = element("IfcSensor", &format!("{tag}-SAT"), "TEMPERATURESENSOR", DESIGN, &[]);
        sensor.host = Some(unit);
        all.push(sensor);
        all.push(humidity(&format!("{tag}-SA"), unit, "Supply air humidity"));
        all.push(humidity(&format!("{tag}-RA"), unit, "Return air humidity"));
    }
    for i in 1..=2 {
        let chiller = [("DesignPower", 90e3), ("NominalEfficiency", 5.2)];
        all.push(element("IfcChiller", &format!("CH-{i}"), "WATERCOOLED", DESIGN, &chiller));
        let boiler = [("DesignPower", 80e3), ("NominalEfficiency", 0.96)];
        all.push(element("IfcBoiler", &format!("B-{i}"), "WATER", DESIGN, &boiler));
    }
    all.push(element("IfcCoolingTower", "CT-1", "", DESIGN, &[]));
    for (name, flow, head) in [("CHWP", 0.0062, 140e3), ("HWP", 0.0042, 110e3), ("CWP", 0.0075, 120e3)] {
        for i in 1..=2 {
            let shutoff = 1.35 * head;
            all.push(element(
                "IfcPump",
                &format!("{name}-{i}"),
                "CIRCULATOR",
                DESIGN,
                &[
                    ("NominalFlow", flow),
                    ("NominalPressure", head),
                    ("ShutoffPressure", shutoff),
                    ("CurveCoefficient", (shutoff - head) / (flow * flow)),
                    ("NominalPower", flow * head / 0.6),
                ],
            ));
        }
    }
    for (meter, sensor) in [("CM-1", "CHW-ST"), ("HM-1", "HW-ST")] {
        let host = all.len() as u32;
        all.push(element("IfcFlowMeter", meter, "ENERGYMETER", DESIGN, &[]));
        let mut e = element("IfcSensor", sensor, "TEMPERATURESENSOR", DESIGN, &[]);
        e.host = Some(host);
        all.push(e);
    }
    all.push(element("IfcFlowMeter", "EM-1", "USERDEFINED", DESIGN, &[]));
    all.push(element("IfcSensor", "WS-1", "USERDEFINED", DESIGN, &[]));
    all
}

/// The clinic with the points that the demo's project file binds.
pub(crate) fn clinic() -> Site {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src/demo");
    let (project, _) = crate::site::project::load(&folder).unwrap();
    let model = Model { elements: elements(), kind: "ifc".into(), ..Model::default() };
    let (site, problems) = crate::site::assemble(&project, vec![(model, "mep".into())]);
    assert!(site.points.len() > 400, "{problems:?}");
    site
}
