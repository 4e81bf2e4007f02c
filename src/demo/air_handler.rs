//! One air handling unit: casing, filter, fan, coils, and the ducts between them.

use super::air::{Air, INNER, RISER_Y};
use super::body::{Part, Section, block, rod};
use super::devices::{self as dev, design};
use super::net::{End, Fitted, Flow, Frame, Net, Value};
use super::plan::{Plan, ROOF};
use super::plant::{CoilEnds, Water, coil_pipe, cooling_coil, heating_coil};
use glam::DVec3;

pub(super) fn fan(tag: &str, name: &str, length: f64, airflow: f64, pressure: f64) -> Fitted {
    let power = (airflow * pressure / 0.6 / 100.0).ceil() * 100.0;
    let m = 0.5 * length;
    Fitted {
        class: "IfcFan",
        predefined: "CENTRIFUGALBACKWARDINCLINEDCURVED",
        name: name.into(),
        tag: tag.into(),
        kind: format!("Plug fan {:.1} kW", power / 1000.0),
        length,
        parts: vec![
            block([-0.5, -0.8, 0.1], [0.5, 0.8, 0.16], dev::TRIM),
            rod([0.0, 0.0, 0.16], DVec3::Z, 0.30, 0.12, dev::CASING),
            rod([0.0, 0.0, 0.28], DVec3::Z, 0.42, 0.34, dev::MOTOR),
            rod([0.0, 0.0, 0.62], DVec3::Z, 0.17, 0.5, dev::DARK),
            block([-0.5, -0.3, 0.5], [-0.17, 0.3, 1.2], dev::TRIM),
            block([-0.5, -0.8, m + 0.6], [-0.46, 0.8, length], dev::TRIM),
        ],
        sets: vec![
            design(&[("NominalPower", power), ("NominalPressure", pressure), ("NominalAirflow", airflow)]),
            (
                "Pset_FanTypeCommon".into(),
                vec![
                    ("NominalAirFlowRate", Value::Flow(airflow)),
                    ("NominalTotalPressure", Value::Pressure(pressure)),
                    ("NominalPowerRate", Value::Power(power)),
                ],
            ),
            ("Qto_FanBaseQuantities".into(), vec![("GrossWeight", Value::QWeight(120.0))]),
        ],
    }
}

pub(super) fn coil(
    tag: &str,
    name: &str,
    predefined: &'static str,
    length: f64,
    power: f64,
    airflow: f64,
    s: f64,
) -> Fitted {
    let mut parts = vec![
        block([-0.5, -0.85, 0.1], [0.5, 0.85, 0.14], dev::COPPER),
        block([-0.5, -0.85, 0.14], [0.5, 0.85, length - 0.14], dev::TRIM),
        block([-0.5, -0.85, length - 0.14], [0.5, 0.85, length - 0.10], dev::COPPER),
    ];
    let y = 0.85 * s;
    for x in [-0.3, 0.2] {
        let z = if x < 0.0 { 0.3 * length } else { 0.7 * length };
        parts.push(rod([x, y, z], DVec3::Y * s, 0.03, 0.15, dev::COPPER));
    }
    Fitted {
        class: "IfcCoil",
        predefined,
        name: name.into(),
        tag: tag.into(),
        kind: format!("{name} {:.0} kW", power / 1000.0),
        length,
        parts,
        sets: vec![
            design(&[("DesignPower", power), ("NominalAirflow", airflow)]),
            ("Pset_CoilTypeCommon".into(), vec![("NominalSensibleCapacity", Value::Power((0.75 * power).round()))]),
            ("Qto_CoilBaseQuantities".into(), vec![("GrossWeight", Value::QWeight(160.0))]),
        ],
    }
}

/// One AHU; gives the element and its open supply and return ends.
pub(super) fn unit(
    net: &mut Net,
    plan: &Plan,
    k: usize,
    x0: f64,
    s: f64,
    air: Air,
    water: Water,
    coils: &mut Vec<(CoilEnds, CoilEnds)>,
) -> (usize, End, End) {
    let tag = format!("AHU-{}", k + 1);
    let airflow = plan.ahu_airflow(k);
    let (zl, zu) = (0.8, 2.17);
    let frame = Frame { origin: DVec3::new(x0, RISER_Y, ROOF), z: DVec3::Z, x: DVec3::X * s };
    let ahu = net.item(
        "IfcUnitaryEquipment",
        "AIRHANDLER",
        &format!("Air handling unit {}", k + 1),
        &tag,
        "Air handling unit, two decks",
        frame,
        casing(s),
    );
    net.items[ahu].sets = vec![
        design(&[("NominalAirflow", airflow)]),
        ("Pset_UnitaryEquipmentTypeAirHandler".into(), vec![("DualDeck", Value::Bool(false))]),
        ("Qto_UnitaryEquipmentBaseQuantities".into(), vec![("GrossWeight", Value::QWeight(2400.0))]),
    ];
    let (duct, weather) = (Section::Rect { w: 0.8, h: 0.6 }, Section::Rect { w: 1.0, h: 0.6 });
    let far = 7.5;
    let port = |net: &mut Net, name: &str, u: f64, z: f64, out: f64, section, flow, system| {
        net.port(ahu, name, [u, 0.0, z], [out, 0.0, 0.0], section, flow, system)
    };
    // Outer connections.
    let oa = port(net, "outdoor air", 0.0, zl, -1.0, weather, Flow::Sink, air.outdoor);
    let ea = port(net, "exhaust air", 0.0, zu, -1.0, weather, Flow::Source, air.exhaust);
    let sa = port(net, "supply air", far, zl, 1.0, duct, Flow::Source, air.supply);
    let ra = port(net, "return air", far, zu, 1.0, duct, Flow::Sink, air.back);
    // Inner connections.
    let oa_in = port(net, "outdoor air inside", 0.0, zl, 1.0, INNER, Flow::Source, air.outdoor);
    let ea_in = port(net, "exhaust air inside", 0.0, zu, 1.0, INNER, Flow::Sink, air.exhaust);
    let sa_in = port(net, "supply air inside", far, zl, -1.0, INNER, Flow::Sink, air.supply);
    let ra_in = port(net, "return air inside", far, zu, -1.0, INNER, Flow::Source, air.back);

    let first = net.items.len();
    let at = |u: f64, z: f64| DVec3::new(x0 + s * u, RISER_Y, ROOF + z);
    let flow_dir = DVec3::X * s;
    let hole = Section::Rect { w: 1.18, h: 1.0 };
    let flap = |tag: &str, name: &str, section, dir, length: f64| {
        let mut d = dev::damper(tag, name, "CONTROLDAMPER", section, dir);
        d.length = length;
        let (a, b) = dev::across(section, dir);
        d.parts = blades(0.5 * a, 0.5 * b, length);
        d
    };
    // Lower deck: outdoor air to supply.
    let (end, _) = net.fit(oa_in, flap(&format!("{tag}-OD"), "Outdoor air damper", INNER, flow_dir, 0.3));
    let (end, mixing) = net.tee(end, at(0.95, zl), DVec3::Z, hole, true);
    let drop = cooling_coil(plan, k);
    let heat = heating_coil(plan, k);
    let (end, _) = net.fit(with_system(end, air.supply), filter(&format!("{tag}-FLT"), airflow));
    let (end, hc) = net.fit(end, coil(&format!("{tag}-HC"), "Heating coil", "WATERHEATINGCOIL", 0.7, heat, airflow, s));
    let (end, cc) = net.fit(end, coil(&format!("{tag}-CC"), "Cooling coil", "WATERCOOLINGCOIL", 0.9, drop, airflow, s));
    let (end, _) = net.fit(end, fan(&format!("{tag}-SF"), "Supply fan", 3.4, airflow, 1100.0));
    net.join(end, sa_in);
    // Upper deck: return air to exhaust and mixing.
    let (end, _) = net.fit(ra_in, fan(&format!("{tag}-RF"), "Return fan", 3.4, airflow, 450.0));
    let (end, down) = net.tee(end, at(0.95, zu), DVec3::NEG_Z, hole, false);
    let (end, _) =
        net.fit(with_system(end, air.exhaust), flap(&format!("{tag}-ED"), "Exhaust air damper", INNER, -flow_dir, 0.3));
    net.join(end, ea_in);
    let gap = down.pos.z - mixing.pos.z;
    let (end, _) = net.fit(down, flap(&format!("{tag}-RD"), "Return air damper", hole, DVec3::NEG_Z, gap));
    net.join(end, mixing);
    for part in first..net.items.len() {
        net.items[part].part_of = Some(ahu);
    }
    let mut water_ends = |item: usize, length: f64, system: usize| CoilEnds {
        inlet: net.port(item, "water inlet", [-0.3, s, 0.3 * length], [0.0, s, 0.0], coil_pipe(), Flow::Sink, system),
        outlet: net.port(
            item,
            "water outlet",
            [0.2, s, 0.7 * length],
            [0.0, s, 0.0],
            coil_pipe(),
            Flow::Source,
            system,
        ),
    };
    let ends = (water_ends(cc, 0.9, water.chilled), water_ends(hc, 0.7, water.heating));
    coils.push(ends);
    // Weather louvres in the north wall.
    for (end, name, word, z) in
        [(oa, "Outdoor air louvre", "OL", ROOF + zl), (ea, "Exhaust air louvre", "EL", ROOF + zu)]
    {
        let x = x0 - 0.9 * s;
        let end = net.route(end, &[[x, RISER_Y, z], [x, 15.36, z]]);
        net.finish(end, dev::louvre(&format!("{tag}-{word}"), name, end.section, end.dir, airflow));
    }
    (ahu, sa, ra)
}

/// The same end, its next piece in another system.
pub(super) fn with_system(end: End, system: usize) -> End {
    End { system, ..end }
}

pub(super) fn filter(tag: &str, airflow: f64) -> Fitted {
    let mut parts = vec![block([-0.5, -0.85, 0.05], [0.5, 0.85, 0.1], dev::TRIM)];
    for i in 0..5 {
        for j in 0..3 {
            let (y, x) = (-0.68 + 0.34 * f64::from(i), -0.33 + 0.33 * f64::from(j));
            parts.push(block([x - 0.14, y - 0.145, 0.1], [x + 0.14, y + 0.145, 0.62], dev::FILTER));
        }
    }
    Fitted {
        class: "IfcFilter",
        predefined: "AIRPARTICLEFILTER",
        name: "Bag filter".into(),
        tag: tag.into(),
        kind: "Bag filter ePM1 60 %".into(),
        length: 0.9,
        parts,
        sets: vec![
            design(&[("NominalAirflow", airflow), ("CleanPressureDrop", 110.0)]),
            (
                "Pset_FilterTypeCommon".into(),
                vec![
                    ("InitialResistance", Value::Pressure(110.0)),
                    ("FinalResistance", Value::Pressure(450.0)),
                    ("NominalFlowrate", Value::Flow(airflow)),
                ],
            ),
            ("Qto_FilterBaseQuantities".into(), vec![("GrossWeight", Value::QWeight(36.0))]),
        ],
    }
}

pub(super) fn blades(a: f64, b: f64, length: f64) -> Vec<Part> {
    let m = 0.5 * length;
    let t = 0.03;
    let mut parts = vec![
        block([-a, -b, m - t], [-a + 0.05, b, m + t], dev::TRIM),
        block([a - 0.05, -b, m - t], [a, b, m + t], dev::TRIM),
        block([-a, -b, m - t], [a, -b + 0.05, m + t], dev::TRIM),
        block([-a, b - 0.05, m - t], [a, b, m + t], dev::TRIM),
    ];
    for i in 0..5 {
        let x = -a + 2.0 * a * (f64::from(i) + 0.5) / 5.0;
        parts.push(block([x - 0.015, -b + 0.05, m - 0.07], [x + 0.015, b - 0.05, m + 0.07], dev::DARK));
    }
    parts
}

/// Base, decks, back, ends and door frames; local X along the supply air from the outdoor end. The
/// front (south) is on local -Y when `s` is 1 and on +Y when it is -1.
pub(super) fn casing(s: f64) -> Vec<Part> {
    let (l, h) = (7.5, 2.8);
    let front = -s;
    let wall = |u0: f64, u1: f64, z0: f64, z1: f64, y0: f64, y1: f64, look| {
        block([u0, y0.min(y1), z0], [u1, y0.max(y1), z1], look)
    };
    let mut parts = vec![
        block([0.0, -1.0, 0.0], [l, 1.0, 0.16], dev::DARK),
        block([0.0, -1.0, 0.16], [l, 1.0, 0.26], dev::CASING),
        block([1.6, -0.95, 1.42], [l, 0.95, 1.5], dev::CASING),
        block([0.0, -1.0, h - 0.08], [l, 1.0, h], dev::CASING),
        wall(0.0, l, 0.26, h - 0.08, -front * 0.94, -front, dev::CASING),
        block([0.0, -1.0, 0.26], [0.04, -0.5, h - 0.08], dev::CASING),
        block([0.0, 0.5, 0.26], [0.04, 1.0, h - 0.08], dev::CASING),
        block([l - 0.04, -1.0, 0.26], [l, -0.4, h - 0.08], dev::CASING),
        block([l - 0.04, 0.4, 0.26], [l, 1.0, h - 0.08], dev::CASING),
    ];
    for u in [0.0, 1.55, 2.45, 3.15, 4.05, 5.7, 7.44] {
        parts.push(wall(u, u + 0.06, 0.26, h - 0.08, front * 0.94, front, dev::TRIM));
    }
    // Access doors with handles over both fans and the mixing section.
    for (u0, u1, z0, z1) in [
        (0.12, 1.5, 0.34, 1.36),
        (5.8, 7.4, 0.34, 1.36),
        (4.15, 5.65, 1.55, 2.68),
        (1.65, 4.0, 1.55, 2.68),
        (5.8, 7.4, 1.55, 2.68),
    ] {
        parts.push(wall(u0, u1, z0, z1, front * 0.95, front, dev::CASING));
        parts.push(wall(
            u1 - 0.12,
            u1 - 0.06,
            0.5 * (z0 + z1) - 0.1,
            0.5 * (z0 + z1) + 0.1,
            front,
            front * 1.04,
            dev::DARK,
        ));
    }
    parts
}
