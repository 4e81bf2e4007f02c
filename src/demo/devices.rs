//! The devices of the services model: what they look like and what is known about them.

use super::body::{Look, Part, Section, block, frustum, look, rod, tube};
use super::net::{Fitted, Set, Value};
use glam::DVec3;

/// Supply air.
pub const SUPPLY: Look = look("Supply air", 0.45, 0.58, 0.72);
/// Return air.
pub const RETURN: Look = look("Return air", 0.72, 0.66, 0.52);
/// Exhaust air.
pub const EXHAUST: Look = look("Exhaust air", 0.62, 0.55, 0.60);
/// Outdoor air.
pub const OUTDOOR: Look = look("Outdoor air", 0.55, 0.72, 0.62);
/// Chilled water.
pub const CHILLED: Look = look("Chilled water", 0.10, 0.38, 0.80);
/// Heating water.
pub const HEATING: Look = look("Heating water", 0.80, 0.20, 0.16);
/// Condenser water.
pub const CONDENSER: Look = look("Condenser water", 0.13, 0.58, 0.34);
/// Domestic cold water.
pub const COLD: Look = look("Cold water", 0.30, 0.66, 0.78);
/// Electricity.
pub const POWER: Look = look("Electrical", 0.88, 0.72, 0.20);
/// Control.
pub const CONTROL: Look = look("Control", 0.55, 0.40, 0.70);
/// Casings.
pub const CASING: Look = look("Equipment casing", 0.84, 0.86, 0.87);
/// Casing doors and trims.
pub const TRIM: Look = look("Equipment trim", 0.63, 0.67, 0.70);
/// Motors and pumps.
pub const MOTOR: Look = look("Motor", 0.17, 0.36, 0.48);
/// Chillers' steel.
pub const MACHINE: Look = look("Machine", 0.38, 0.50, 0.46);
/// Dark metal.
pub const DARK: Look = look("Dark metal", 0.22, 0.24, 0.26);
/// White enamel.
pub const WHITE: Look = look("White enamel", 0.94, 0.94, 0.92);
/// Brass.
pub const BRASS: Look = look("Brass", 0.72, 0.58, 0.30);
/// Copper.
pub const COPPER: Look = look("Copper", 0.72, 0.43, 0.28);
/// Red handles.
pub const HANDLE: Look = look("Handle", 0.78, 0.13, 0.12);
/// Actuators and controllers.
pub const ACTUATOR: Look = look("Actuator", 0.93, 0.55, 0.16);
/// Displays.
pub const PANEL: Look = look("Control panel", 0.15, 0.20, 0.26);
/// Filter bags.
pub const FILTER: Look = look("Filter medium", 0.90, 0.88, 0.74);
/// Light of luminaires.
pub const LIGHT: Look = look("Luminaire", 1.0, 0.97, 0.86);

/// Design figures: plain numbers in SI.
pub fn design(values: &[(&'static str, f64)]) -> Set {
    ("Pset_Plenum_Design".into(), values.iter().map(|(n, v)| (*n, Value::Real(*v))).collect())
}

fn common(name: &str, values: Vec<(&'static str, Value)>) -> Set {
    (name.into(), values)
}

/// Kinds of valve.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Valve {
    /// Shuts a branch off.
    Isolating,
    /// Follows a controller; its tag ends in `-V`.
    Control,
    /// Lets water pass one way only.
    Check,
    /// Sets a branch's flow by hand.
    Balancing,
}

/// A valve in a pipe of outer diameter `d`.
pub fn valve(kind: Valve, tag: &str, d: f64) -> Fitted {
    let (predefined, name) = match kind {
        Valve::Isolating => ("ISOLATING", "Ball valve"),
        Valve::Control => ("REGULATING", "Control valve"),
        Valve::Check => ("CHECK", "Check valve"),
        Valve::Balancing => ("DOUBLEREGULATING", "Balancing valve"),
    };
    let length = valve_length(d);
    let r = 0.5 * d;
    let mid = 0.5 * length;
    let mut parts = vec![
        rod([0.0, 0.0, 0.0], DVec3::Z, 1.45 * r, 0.12 * length, BRASS),
        rod([0.0, 0.0, 0.12 * length], DVec3::Z, 1.25 * r, 0.76 * length, BRASS),
        rod([0.0, 0.0, 0.88 * length], DVec3::Z, 1.45 * r, 0.12 * length, BRASS),
    ];
    match kind {
        Valve::Isolating => {
            parts.push(rod([0.0, 0.0, mid], DVec3::X, 0.35 * r, 2.0 * r, DARK));
            parts.push(block([1.9 * r, -0.4 * r, mid - 0.3 * r], [2.2 * r, 0.4 * r, mid + 0.8 * length], HANDLE));
        }
        Valve::Control => parts.push(rod([0.0, 0.0, mid], DVec3::X, 0.4 * r, 2.2 * r, DARK)),
        Valve::Check => parts.push(rod([0.0, 0.0, mid], DVec3::X, 0.9 * r, 1.6 * r, BRASS)),
        Valve::Balancing => {
            parts.push(rod([0.0, 0.0, mid], DVec3::X, 0.35 * r, 2.4 * r, DARK));
            parts.push(rod([2.0 * r, 0.0, mid], DVec3::X, 0.9 * r, 0.7 * r, HANDLE));
        }
    }
    let kv = (d * 1000.0 / 10.0).powi(2) * 0.4;
    Fitted {
        class: "IfcValve",
        predefined,
        name: name.into(),
        tag: tag.into(),
        kind: format!("{name} OD {:.0}", d * 1000.0),
        length,
        parts,
        sets: vec![common(
            "Pset_ValveTypeCommon",
            vec![
                ("Size", Value::Length(d)),
                ("TestPressure", Value::Pressure(1_600_000.0)),
                ("WorkingPressure", Value::Pressure(1_000_000.0)),
                ("FlowCoefficient", Value::Real((kv * 10.0).round() / 10.0)),
            ],
        )],
    }
}

/// Face to face of a valve, metres.
pub fn valve_length(d: f64) -> f64 {
    0.06 + 1.5 * d
}

/// A pump standing in its pipe, its motor on top.
pub fn pump(tag: &str, system: &str, d: f64, flow: f64, head: f64, big: f64) -> Fitted {
    let shutoff = 1.25 * head;
    let power = (flow * head / 0.68 / 0.92 / 100.0).ceil() * 100.0;
    let l = 0.7 * big;
    let r = 0.5 * d;
    let flange = r + 0.04;
    Fitted {
        class: "IfcPump",
        predefined: "CIRCULATOR",
        name: format!("{system} pump {}", tag.rsplit('-').next().unwrap_or_default()),
        tag: tag.into(),
        kind: format!("In-line pump {:.1} kW", power / 1000.0),
        length: l,
        parts: vec![
            rod([0.0, 0.0, 0.0], DVec3::Z, flange, 0.03, MOTOR),
            rod([0.0, 0.0, 0.03], DVec3::Z, r + 0.01, l - 0.06, MOTOR),
            rod([0.0, 0.0, l - 0.03], DVec3::Z, flange, 0.03, MOTOR),
            rod([-0.17 * big, 0.0, 0.5 * l], DVec3::X, 0.25 * big, 0.32 * big, MOTOR),
            rod([0.15 * big, 0.0, 0.5 * l], DVec3::X, 0.10 * big, 0.14 * big, DARK),
            rod([0.29 * big, 0.0, 0.5 * l], DVec3::X, 0.19 * big, 0.46 * big, CASING),
            rod([0.75 * big, 0.0, 0.5 * l], DVec3::X, 0.15 * big, 0.05 * big, DARK),
            block([0.36 * big, 0.17 * big, 0.5 * l - 0.1 * big], [0.6 * big, 0.28 * big, 0.5 * l + 0.1 * big], PANEL),
            block(
                [-0.35 * big, -0.16 * big, 0.5 * l - 0.16 * big],
                [-0.17 * big, 0.16 * big, 0.5 * l + 0.16 * big],
                DARK,
            ),
        ],
        sets: vec![
            design(&[
                ("NominalFlow", flow),
                ("NominalPressure", head),
                ("ShutoffPressure", shutoff),
                ("CurveCoefficient", ((shutoff - head) / (flow * flow)).round()),
                ("NominalPower", power),
            ]),
            common(
                "Pset_PumpTypeCommon",
                vec![("ConnectionSize", Value::Length(d)), ("NominalRotationSpeed", Value::Real(24.2))],
            ),
            ("Qto_PumpBaseQuantities".into(), vec![("GrossWeight", Value::QWeight((90.0 * big).round()))]),
        ],
    }
}

/// A heat, cooling or water meter.
pub fn meter(tag: &str, name: &str, predefined: &'static str, d: f64) -> Fitted {
    let (l, r) = (0.4, 0.5 * d);
    Fitted {
        class: "IfcFlowMeter",
        predefined,
        name: name.into(),
        tag: tag.into(),
        kind: format!("{name} OD {:.0}", d * 1000.0),
        length: l,
        parts: vec![
            rod([0.0, 0.0, 0.0], DVec3::Z, r + 0.03, 0.03, WHITE),
            rod([0.0, 0.0, 0.03], DVec3::Z, r + 0.015, l - 0.06, WHITE),
            rod([0.0, 0.0, l - 0.03], DVec3::Z, r + 0.03, 0.03, WHITE),
            block([r, -0.07, 0.5 * l - 0.09], [r + 0.14, 0.07, 0.5 * l + 0.09], PANEL),
        ],
        sets: vec![common("Pset_FlowMeterTypeCommon", vec![("RemoteReading", Value::Bool(true))])],
    }
}

/// A damper in a duct.
pub fn damper(tag: &str, name: &str, predefined: &'static str, s: Section, dir: DVec3) -> Fitted {
    let (a, b) = across(s, dir);
    Fitted {
        class: "IfcDamper",
        predefined,
        name: name.into(),
        tag: tag.into(),
        kind: format!("{name} {}", s.label()),
        length: 0.25,
        parts: vec![
            block([-0.5 * a - 0.025, -0.5 * b - 0.025, 0.0], [0.5 * a + 0.025, 0.5 * b + 0.025, 0.03], TRIM),
            block([-0.5 * a, -0.5 * b, 0.03], [0.5 * a, 0.5 * b, 0.22], CASING),
            block([-0.5 * a - 0.025, -0.5 * b - 0.025, 0.22], [0.5 * a + 0.025, 0.5 * b + 0.025, 0.25], TRIM),
            block([-0.06, 0.5 * b, 0.06], [0.06, 0.5 * b + 0.09, 0.19], ACTUATOR),
        ],
        sets: vec![common(
            "Pset_DamperTypeCommon",
            vec![("CloseOffRating", Value::Pressure(1000.0)), ("FaceArea", Value::Real(s.area()))],
        )],
    }
}

/// A silencer in a duct.
pub fn silencer(tag: &str, s: Section, dir: DVec3, length: f64) -> Fitted {
    let (a, b) = across(s, dir);
    let round = matches!(s, Section::Round { .. });
    let body = if round {
        rod([0.0, 0.0, 0.04], DVec3::Z, 0.5 * a + 0.05, length - 0.08, TRIM)
    } else {
        block([-0.5 * a - 0.05, -0.5 * b - 0.05, 0.04], [0.5 * a + 0.05, 0.5 * b + 0.05, length - 0.04], TRIM)
    };
    let collar = |z: f64| {
        if round {
            rod([0.0, 0.0, z], DVec3::Z, 0.5 * a, 0.04, CASING)
        } else {
            block([-0.5 * a, -0.5 * b, z], [0.5 * a, 0.5 * b, z + 0.04], CASING)
        }
    };
    Fitted {
        class: "IfcDuctSilencer",
        predefined: if round { "ROUND" } else { "RECTANGULAR" },
        name: "Silencer".into(),
        tag: tag.into(),
        kind: format!("Silencer {} L {:.0}", s.label(), length * 1000.0),
        length,
        parts: vec![collar(0.0), body, collar(length - 0.04)],
        sets: vec![common(
            "Pset_DuctSilencerTypeCommon",
            vec![("HydraulicDiameter", Value::Length(4.0 * s.area() / s.girth())), ("Length", Value::Length(length))],
        )],
    }
}

/// Extents along a device's local X (up, or along X when vertical) and local Y.
pub fn across(s: Section, dir: DVec3) -> (f64, f64) {
    let x = if dir.z.abs() > 0.5 { DVec3::X } else { DVec3::Z };
    (s.extent(dir, x), s.extent(dir, dir.cross(x)))
}

/// A square ceiling diffuser under a vertical drop of diameter `d`.
pub fn diffuser(tag: &str, d: f64, airflow: f64) -> Fitted {
    let mut parts = vec![frustum([d, d], [0.56, 0.56], 0.14, WHITE)];
    parts.push(block([-0.3, -0.3, 0.14], [0.3, 0.3, 0.16], WHITE));
    for r in [0.24, 0.16, 0.08] {
        parts.push(block([-r, -r, 0.16], [r, r, 0.16 + 0.012 * (0.32 - r) / 0.08], TRIM));
    }
    air_terminal(
        tag,
        "Ceiling diffuser",
        "DIFFUSER",
        format!("Square diffuser 600 / {:.0}", d * 1000.0),
        0.2,
        parts,
        airflow,
    )
}

/// A grille at the end of a duct.
pub fn grille(tag: &str, name: &str, s: Section, dir: DVec3, airflow: f64) -> Fitted {
    let (a, b) = across(s, dir);
    let mut parts = vec![
        block([-0.5 * a, -0.5 * b, 0.0], [0.5 * a, 0.5 * b, 0.05], TRIM),
        block([-0.5 * a - 0.04, -0.5 * b - 0.04, 0.05], [0.5 * a + 0.04, 0.5 * b + 0.04, 0.065], WHITE),
    ];
    for i in 0..5 {
        let x = -0.5 * a + a * (f64::from(i) + 0.5) / 5.0;
        parts.push(block([x - 0.012, -0.5 * b, 0.065], [x + 0.012, 0.5 * b, 0.08], DARK));
    }
    air_terminal(tag, name, "GRILLE", format!("{name} {}", s.label()), 0.08, parts, airflow)
}

/// A weather louvre at the end of a duct.
pub fn louvre(tag: &str, name: &str, s: Section, dir: DVec3, airflow: f64) -> Fitted {
    let mut fitted = grille(tag, name, s, dir, airflow);
    fitted.predefined = "LOUVRE";
    fitted
}

fn air_terminal(
    tag: &str,
    name: &str,
    predefined: &'static str,
    kind: String,
    length: f64,
    parts: Vec<Part>,
    airflow: f64,
) -> Fitted {
    Fitted {
        class: "IfcAirTerminal",
        predefined,
        name: name.into(),
        tag: tag.into(),
        kind,
        length,
        parts,
        sets: vec![common("Pset_AirTerminalTypeCommon", vec![("NominalAirFlowRate", Value::Flow(airflow))])],
    }
}

/// A VAV box in a round duct of diameter `d`; local X up. Its water connections are at local
/// (0.06, ±0.33, 0.55) and (0.06, ±0.33, 0.70): see [`VAV_PORTS`].
pub fn vav_box(tag: &str, d: f64) -> Fitted {
    let (h, w) = (0.17, 0.25);
    Fitted {
        class: "IfcAirTerminalBox",
        predefined: "VARIABLEFLOWPRESSUREINDEPENDANT",
        name: "VAV box with reheat".into(),
        tag: tag.into(),
        kind: format!("VAV box {:.0} with reheat coil", d * 1000.0),
        length: VAV_LENGTH,
        parts: vec![
            rod([0.0, 0.0, 0.0], DVec3::Z, 0.5 * d, 0.18, TRIM),
            block([-h, -w, 0.18], [h, w, 0.80], CASING),
            block([-h - 0.02, -w - 0.02, 0.48], [h + 0.02, w + 0.02, 0.76], COPPER),
            block([-0.09, w, 0.22], [0.09, w + 0.06, 0.42], ACTUATOR),
            block([-0.5 * VAV_OUT.1, -0.5 * VAV_OUT.0, 0.80], [0.5 * VAV_OUT.1, 0.5 * VAV_OUT.0, VAV_LENGTH], TRIM),
        ],
        sets: Vec::new(),
    }
}

/// Face to face of a VAV box, metres.
pub const VAV_LENGTH: f64 = 0.9;
/// Its outlet duct, width and height, metres.
pub const VAV_OUT: (f64, f64) = (0.40, 0.25);

/// A radiator: local frame upright, X along it, back at Y = 0; connections at its bottom left.
pub fn radiator(length: f64) -> Vec<Part> {
    let mut parts = vec![
        block([0.0, 0.03, 0.12], [length, 0.05, 0.70], WHITE),
        block([0.0, 0.09, 0.12], [length, 0.11, 0.70], WHITE),
        block([0.0, 0.03, 0.70], [length, 0.11, 0.715], WHITE),
    ];
    let n = (length / 0.12) as usize;
    for i in 0..n {
        let x = (i as f64 + 0.5) * length / n as f64;
        parts.push(block([x - 0.02, 0.05, 0.14], [x + 0.02, 0.09, 0.69], TRIM));
    }
    parts
}

/// An expansion vessel standing on the floor; connection on top.
pub fn vessel() -> Vec<Part> {
    vec![
        rod([0.0, 0.0, 0.0], DVec3::Z, 0.22, 0.12, DARK),
        rod([0.0, 0.0, 0.12], DVec3::Z, 0.32, 0.86, HANDLE),
        rod([0.0, 0.0, 0.98], DVec3::Z, 0.22, 0.10, HANDLE),
        rod([0.0, 0.0, 1.08], DVec3::Z, 0.05, 0.12, BRASS),
    ]
}

/// A water-cooled chiller: 4.0 m along X, 1.4 m along Y; origin at the middle of its floor.
pub fn chiller() -> Vec<Part> {
    vec![
        block([-1.7, -0.65, 0.0], [-1.5, 0.65, 0.18], DARK),
        block([1.5, -0.65, 0.0], [1.7, 0.65, 0.18], DARK),
        rod([-1.75, -0.35, 0.60], DVec3::X, 0.30, 3.5, MACHINE),
        rod([-2.0, -0.35, 0.60], DVec3::X, 0.34, 0.25, DARK),
        rod([1.75, -0.35, 0.60], DVec3::X, 0.34, 0.25, DARK),
        rod([-1.75, 0.35, 0.60], DVec3::X, 0.30, 3.5, MACHINE),
        rod([-2.0, 0.35, 0.60], DVec3::X, 0.34, 0.25, DARK),
        rod([1.75, 0.35, 0.60], DVec3::X, 0.34, 0.25, DARK),
        rod([-0.9, 0.0, 1.35], DVec3::X, 0.34, 1.3, MOTOR),
        rod([0.4, 0.0, 1.35], DVec3::X, 0.22, 0.5, DARK),
        rod([-0.6, -0.25, 0.85], DVec3::Z, 0.10, 0.35, COPPER),
        rod([0.2, 0.30, 0.85], DVec3::Z, 0.08, 0.35, COPPER),
        block([1.0, -0.55, 1.0], [1.55, 0.25, 1.95], CASING),
        block([1.1, -0.57, 1.35], [1.45, -0.55, 1.75], PANEL),
    ]
}

/// A boiler: 1.2 m wide, 1.2 m deep; origin at the middle of its floor, its back on +Y.
pub fn boiler() -> Vec<Part> {
    vec![
        block([-0.6, -0.6, 0.0], [0.6, 0.6, 0.10], DARK),
        block([-0.58, -0.58, 0.10], [0.58, 0.58, 1.70], CASING),
        block([-0.45, -0.61, 1.05], [0.45, -0.58, 1.45], PANEL),
        block([-0.45, -0.60, 0.25], [0.45, -0.58, 0.85], HANDLE),
        rod([0.0, 0.25, 1.70], DVec3::Z, 0.14, 2.6, TRIM),
        rod([0.0, 0.25, 1.70], DVec3::Z, 0.18, 0.08, DARK),
    ]
}

/// A cooling tower: 3.0 m along X, 4.4 m along Y, 3.4 m high; origin at the middle of its base.
pub fn tower() -> Vec<Part> {
    let mut parts = vec![
        block([-1.5, -2.2, 0.25], [1.5, 2.2, 0.75], TRIM),
        block([-1.35, -2.05, 0.75], [1.35, 2.05, 2.95], DARK),
        block([-1.5, -2.2, 2.55], [1.5, 2.2, 3.0], CASING),
        tube([0.0, -1.0, 3.0], DVec3::Z, 0.90, 0.06, 0.42, TRIM),
        tube([0.0, 1.0, 3.0], DVec3::Z, 0.90, 0.06, 0.42, TRIM),
        rod([0.0, -1.0, 3.05], DVec3::Z, 0.18, 0.2, MOTOR),
        rod([0.0, 1.0, 3.05], DVec3::Z, 0.18, 0.2, MOTOR),
    ];
    for y in [-1.0, 1.0] {
        parts.push(block([-0.84, y - 0.07, 3.16], [0.84, y + 0.07, 3.19], WHITE));
        parts.push(block([-0.07, y - 0.84, 3.16], [0.07, y + 0.84, 3.19], WHITE));
    }
    for (x, y) in [(-1.45, -2.15), (1.35, -2.15), (-1.45, 2.05), (1.35, 2.05)] {
        parts.push(block([x, y, 0.0], [x + 0.1, y + 0.1, 2.6], TRIM));
    }
    for i in 0..8 {
        let z = 0.85 + f64::from(i) * 0.21;
        parts.push(block([-1.46, -2.1, z], [-1.36, 2.1, z + 0.05], TRIM));
        parts.push(block([1.36, -2.1, z], [1.46, 2.1, z + 0.05], TRIM));
    }
    parts
}

/// A cabinet on a wall or floor: width X, depth Y, height Z from the origin.
pub fn cabinet(w: f64, d: f64, h: f64, front: Look) -> Vec<Part> {
    vec![
        block([0.0, 0.0, 0.0], [w, d, h], CASING),
        block([0.06, -0.012, 0.06], [w - 0.06, 0.0, h - 0.06], TRIM),
        block([0.3 * w, -0.02, 0.62 * h], [0.7 * w, -0.012, 0.8 * h], front),
    ]
}

/// A small box on a pipe or duct: sensor or actuator, local Z out of the surface.
pub fn probe(look: Look) -> Vec<Part> {
    vec![rod([0.0, 0.0, -0.08], DVec3::Z, 0.008, 0.10, DARK), block([-0.035, -0.035, 0.02], [0.035, 0.035, 0.09], look)]
}
