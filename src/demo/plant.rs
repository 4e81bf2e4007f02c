//! The roof plant room: chillers, boilers, pumps, cooling tower and their water.

use super::body::Section;
use super::devices::{self as dev, Valve, design, valve};
use super::net::{Domain, End, Flow, Frame, Net, Set, Value};
use super::plan::{Plan, ROOF, STOREYS};
use glam::DVec3;

/// Pipe sizes, outer diameters in metres.
const CHW: f64 = 0.114;
const CW: f64 = 0.140;
const HW: f64 = 0.089;
const COIL: f64 = 0.060;

/// The water systems.
#[derive(Clone, Copy, Debug)]
pub struct Water {
    /// Chilled water.
    pub chilled: usize,
    /// Heating water.
    pub heating: usize,
    /// Condenser water.
    pub condenser: usize,
}

/// Loads that the plant is made for, W.
#[derive(Clone, Copy, Debug)]
pub struct Loads {
    /// All cooling coils.
    pub cooling: f64,
    /// All heating coils, reheat coils and radiators, not all at once.
    pub heating: f64,
}

impl Loads {
    /// From the air that is moved and the rooms' reheat.
    pub fn of(plan: &Plan) -> Self {
        let cooling = (0..3).map(|k| cooling_coil(plan, k)).sum::<f64>();
        let coils = (0..3).map(|k| heating_coil(plan, k)).sum::<f64>();
        let reheat: f64 = plan.vavs.iter().map(|v| v.heating).sum();
        let round = |w: f64| (w / 10_000.0).ceil() * 10_000.0;
        Self { cooling: round(cooling), heating: round(coils + 0.7 * reheat + 12_000.0) }
    }
}

/// Design power of an AHU's cooling coil, W: 26 kJ/kg taken out of its air.
pub fn cooling_coil(plan: &Plan, ahu: usize) -> f64 {
    (plan.ahu_airflow(ahu) * 1.2 * 26_000.0 / 1000.0).round() * 1000.0
}

/// Design power of an AHU's heating coil, W: its air warmed by 14 K.
pub fn heating_coil(plan: &Plan, ahu: usize) -> f64 {
    (plan.ahu_airflow(ahu) * 1206.0 * 14.0 / 1000.0).round() * 1000.0
}

/// A coil's open water ends: supply (into the coil) and return (out of it).
#[derive(Clone, Copy, Debug)]
pub struct CoilEnds {
    /// Into the coil.
    pub inlet: End,
    /// Out of the coil.
    pub outlet: End,
}

/// Makes the water systems.
pub fn systems(net: &mut Net) -> Water {
    Water {
        chilled: net.system("Chilled water", "CHILLEDWATER", Domain::Pipe, dev::CHILLED),
        heating: net.system("Heating water", "HEATING", Domain::Pipe, dev::HEATING),
        condenser: net.system("Condenser water", "CONDENSERWATER", Domain::Pipe, dev::CONDENSER),
    }
}

/// Pipe diameter of a coil's branch.
pub fn coil_pipe() -> Section {
    Section::Round { d: COIL }
}

/// The whole plant. `coils` are AHU-1 to AHU-3's cooling and heating coils. Gives the open heating
/// ends at the west shaft: supply and return, going down.
pub fn build(net: &mut Net, plan: &Plan, water: Water, coils: &[(CoilEnds, CoilEnds)]) -> (End, End) {
    net.storey = STOREYS;
    let loads = Loads::of(plan);
    let chillers = [("CH-1", 4.3), ("CH-2", 6.3)].map(|(tag, cy)| chiller(net, tag, cy, water, loads));
    chilled(net, water, &chillers, coils, loads);
    condenser(net, water, &chillers, loads);
    heating(net, water, coils, loads)
}

struct ChillerEnds {
    chw_out: End,
    chw_in: End,
    cw_in: End,
    cw_out: End,
}

fn chiller(net: &mut Net, tag: &str, cy: f64, water: Water, loads: Loads) -> ChillerEnds {
    let power = (0.65 * loads.cooling / 5000.0).ceil() * 5000.0;
    let i = net.item(
        "IfcChiller",
        "WATERCOOLED",
        &format!("Chiller {}", &tag[3..]),
        tag,
        "Water-cooled screw chiller",
        Frame::at(34.2, cy, ROOF),
        dev::chiller(),
    );
    net.items[i].sets = vec![
        design(&[("DesignPower", power), ("NominalEfficiency", 5.2)]),
        (
            "Pset_ChillerTypeCommon".into(),
            vec![
                ("NominalCapacity", Value::Power(power)),
                ("NominalEfficiency", Value::Real(5.2)),
                ("NominalPowerConsumption", Value::Power((power / 5.2).round())),
            ],
        ),
        weight("Qto_ChillerBaseQuantities", 2100.0),
    ];
    let (chw, cw) = (Section::Round { d: CHW }, Section::Round { d: CW });
    ChillerEnds {
        chw_out: net.port(i, "CHW supply", [-2.0, -0.2, 0.45], [-1.0, 0.0, 0.0], chw, Flow::Source, water.chilled),
        chw_in: net.port(i, "CHW return", [-2.0, -0.5, 0.75], [-1.0, 0.0, 0.0], chw, Flow::Sink, water.chilled),
        cw_in: net.port(i, "CW supply", [2.0, 0.2, 0.45], [1.0, 0.0, 0.0], cw, Flow::Sink, water.condenser),
        cw_out: net.port(i, "CW return", [2.0, 0.5, 0.75], [1.0, 0.0, 0.0], cw, Flow::Source, water.condenser),
    }
}

fn weight(set: &str, kg: f64) -> Set {
    (set.into(), vec![("GrossWeight", Value::QWeight(kg))])
}

/// Up from a machine's connection to a collector at height `z`, with an isolation valve in the riser.
fn riser(net: &mut Net, end: End, x: f64, y: f64, z: f64, tag: &str) -> End {
    let Section::Round { d } = end.section else { return end };
    let start = end.pos;
    let corner = if end.dir.x.abs() > 0.5 { [x, start.y, start.z] } else { [start.x, y, start.z] };
    let mid = start.z + 1.5 * d + 0.05;
    let end = net.route(end, &[corner, [corner[0], corner[1], mid + 0.01]]);
    let (end, _) = net.fit(end, valve(Valve::Isolating, tag, d));
    // The bend on top is laid by the route that goes on.
    let stop = DVec3::new(end.pos.x, end.pos.y, z - 1.5 * d);
    net.go(end, stop)
}

/// Down from a collector's tee to a second machine's connection, with an isolation valve.
fn dropper(net: &mut Net, end: End, to: End, tag: &str) {
    let Section::Round { d } = end.section else { return };
    let (end, _) = net.fit(end, valve(Valve::Isolating, tag, d));
    let p = end.pos;
    let t = to.pos;
    let end = net.route(end, &[[p.x, p.y, t.z], [t.x, t.y, t.z]]);
    net.join(end, to);
}

/// Duty and standby pump between a split and a merge tee, along `s` from `x0`; pump 1 on the run's own
/// line, pump 2 on `y2`, both at height `zp`.
fn pumps(
    net: &mut Net,
    end: End,
    x0: f64,
    s: f64,
    y2: f64,
    zp: f64,
    name: &str,
    tags: [&str; 2],
    flow: f64,
    head: f64,
    big: f64,
) -> End {
    let Section::Round { d } = end.section else { return end };
    let (y1, zh) = (end.pos.y, end.pos.z);
    let across = DVec3::Y * (y2 - y1).signum();
    let (x1, x2, x3) = (x0 + 0.6 * s, x0 + 3.8 * s, x0 + 4.4 * s);
    let line = |net: &mut Net, end: End, tag: &str| {
        let (end, _) = net.fit(end, valve(Valve::Isolating, &format!("{tag}-IV1"), d));
        let end = net.go(end, end.pos + 0.15 * end.dir);
        let (end, _) = net.fit(end, dev::pump(tag, name, d, flow, head, big));
        let end = net.go(end, end.pos + 0.15 * end.dir);
        let (end, _) = net.fit(end, valve(Valve::Check, &format!("{tag}-NRV"), d));
        net.fit(end, valve(Valve::Isolating, &format!("{tag}-IV2"), d)).0
    };
    let (first, second) = net.tee(end, DVec3::new(x0, y1, zh), across, end.section, false);
    let first = net.route(first, &[[x1, y1, zh], [x1, y1, zp], [x1 + 0.45 * s, y1, zp]]);
    let first = line(net, first, tags[0]);
    let first = net.route(first, &[[x2, y1, zp], [x2, y1, zh], [x2 + 0.3 * s, y1, zh]]);
    let (out, merge) = net.tee(first, DVec3::new(x3, y1, zh), across, end.section, true);
    let second = net.route(second, &[[x0, y2, zh], [x0, y2, zp], [x1 + 0.45 * s, y2, zp]]);
    let second = line(net, second, tags[1]);
    let stop = merge.pos;
    let second = net.route(second, &[[x3, y2, zp], [x3, y2, zh], [x3, stop.y, zh]]);
    net.join(second, merge);
    out
}

/// From a header's tee down to one of a coil's connections, with its valves in the drop.
fn coil_branch(net: &mut Net, branch: End, to: End, tag: &str) {
    let (p, t) = (branch.pos, to.pos);
    let y = 10.15;
    let r = 1.5 * COIL;
    let into = !branch.against;
    let top = DVec3::new(p.x, y - r, p.z);
    let end = net.go(branch, top);
    let end = net.bend(end, DVec3::NEG_Z);
    let end = net.go(end, DVec3::new(p.x, y, p.z - r - 0.10));
    let end = if into {
        let (end, _) = net.fit(end, valve(Valve::Isolating, &format!("{tag}-IV1"), COIL));
        net.fit(end, valve(Valve::Control, &format!("{tag}-V"), COIL)).0
    } else {
        let (end, _) = net.fit(end, valve(Valve::Isolating, &format!("{tag}-IV2"), COIL));
        net.fit(end, valve(Valve::Balancing, &format!("{tag}-BV"), COIL)).0
    };
    let end = net.route(end, &[[p.x, y, t.z], [t.x, t.y, t.z]]);
    net.join(end, to);
}

/// Lays a header along X past the given coils, ends `open` when it goes on.
fn header(net: &mut Net, mut end: End, coils: &[(End, String)], open: bool) -> Option<End> {
    for (i, (coil, tag)) in coils.iter().enumerate() {
        let centre = DVec3::new(coil.pos.x, end.pos.y, end.pos.z);
        if i + 1 == coils.len() && !open {
            let branch = net.last_tee(end, centre, DVec3::Y, coil_pipe());
            coil_branch(net, branch, *coil, tag);
            return None;
        }
        let (on, branch) = net.tee(end, centre, DVec3::Y, coil_pipe(), false);
        coil_branch(net, branch, *coil, tag);
        end = on;
    }
    Some(end)
}

fn vessel(net: &mut Net, branch: End, x: f64, y: f64, tag: &str, system: usize) {
    let i = net.item(
        "IfcTank",
        "EXPANSION",
        "Expansion vessel",
        tag,
        "Expansion vessel 300 l",
        Frame::at(x, y, ROOF),
        dev::vessel(),
    );
    net.items[i].sets = vec![
        ("Pset_TankTypeCommon".into(), vec![("NominalDepth", Value::Length(1.2))]),
        weight("Qto_TankBaseQuantities", 68.0),
    ];
    let top = net.port(i, "connection", [0.0, 0.0, 1.2], [0.0, 0.0, 1.0], branch.section, Flow::Both, system);
    let p = branch.pos;
    let end = net.route(branch, &[[x, y, p.z], [x, y, top.pos.z + 0.25]]);
    let Section::Round { d } = end.section else { return };
    let (end, _) = net.fit(end, valve(Valve::Isolating, &format!("{tag}-IV1"), d));
    let end = net.go(end, top.pos);
    net.join(end, top);
}

fn named(
    coils: &[(CoilEnds, CoilEnds)],
    order: &[usize],
    pick: impl Fn(&(CoilEnds, CoilEnds)) -> End,
    word: &str,
) -> Vec<(End, String)> {
    order.iter().filter_map(|k| coils.get(*k).map(|c| (pick(c), format!("AHU-{}-{word}", k + 1)))).collect()
}

fn chilled(net: &mut Net, water: Water, chillers: &[ChillerEnds; 2], coils: &[(CoilEnds, CoilEnds)], loads: Loads) {
    let pipe = Section::Round { d: CHW };
    let flow = (loads.cooling / (4.19e6 * 6.0) * 1e4).round() / 1e4;
    // Supply: collector, pumps, meter, header.
    let end = riser(net, chillers[0].chw_out, 31.0, 0.0, 18.5, "CH-1-IV1");
    let end = net.bend(end, DVec3::Y);
    let (end, branch) = net.tee(end, DVec3::new(31.0, chillers[1].chw_out.pos.y, 18.5), DVec3::NEG_Z, pipe, true);
    dropper(net, branch, chillers[1].chw_out, "CH-2-IV1");
    let end = net.route(end, &[[31.0, 8.3, 18.5], [32.6, 8.3, 18.5]]);
    let end = pumps(net, end, 33.2, 1.0, 7.4, 16.6, "Chilled water", ["CHWP-1", "CHWP-2"], flow, 180_000.0, 1.0);
    let (end, _) = net.fit(end, dev::meter("CM-1", "Cooling energy meter", "ENERGYMETER", CHW));
    let end = net.route(end, &[[38.6, 8.3, 18.5], [38.6, 9.6, 18.5], [37.5, 9.6, 18.5]]);
    let _ = header(net, end, &named(coils, &[1, 2, 0], |c| c.0.inlet, "CC"), false);
    // Return: header to chillers, laid from the chillers.
    let end = riser(net, chillers[0].chw_in, 30.5, 0.0, 18.8, "CH-1-IV2");
    let end = net.bend(end, DVec3::Y);
    let (end, branch) = net.tee(end, DVec3::new(30.5, chillers[1].chw_in.pos.y, 18.8), DVec3::NEG_Z, pipe, false);
    dropper(net, branch, chillers[1].chw_in, "CH-2-IV2");
    let (end, branch) = net.tee(end, DVec3::new(30.5, 7.5, 18.8), DVec3::NEG_X, Section::Round { d: 0.034 }, false);
    vessel(net, branch, 29.6, 7.5, "EV-CHW", water.chilled);
    let (east, west) = net.split(end, DVec3::new(30.5, 9.9, 18.8), DVec3::X, pipe);
    let _ = header(net, east, &named(coils, &[1], |c| c.0.outlet, "CC"), false);
    let _ = header(net, west, &named(coils, &[2, 0], |c| c.0.outlet, "CC"), false);
}

fn condenser(net: &mut Net, water: Water, chillers: &[ChillerEnds; 2], loads: Loads) {
    let pipe = Section::Round { d: CW };
    let power = (loads.cooling * 1.2 / 1000.0).ceil() * 1000.0;
    let flow = (power / (4.19e6 * 5.0) * 1e4).round() / 1e4;
    let t = net.item(
        "IfcCoolingTower",
        "MECHANICALINDUCEDDRAFT",
        "Cooling tower 1",
        "CT-1",
        "Open cooling tower, two fans",
        Frame::at(45.8, 5.8, ROOF),
        dev::tower(),
    );
    net.items[t].sets = vec![
        design(&[("DesignPower", power)]),
        (
            "Pset_CoolingTowerTypeCommon".into(),
            vec![("NominalCapacity", Value::Power(power)), ("NumberOfCells", Value::Integer(2))],
        ),
        weight("Qto_CoolingTowerBaseQuantities", 1850.0),
    ];
    let cold = net.port(t, "CW supply", [-1.5, -0.8, 0.9], [-1.0, 0.0, 0.0], pipe, Flow::Source, water.condenser);
    let warm = net.port(t, "CW return", [-1.5, 1.3, 2.8], [-1.0, 0.0, 0.0], pipe, Flow::Sink, water.condenser);
    let end = riser(net, cold, 43.7, 0.0, 18.2, "CT-1-IV1");
    let end = net.bend(end, DVec3::NEG_X);
    let end = pumps(net, end, 42.3, -1.0, 3.9, 16.6, "Condenser water", ["CWP-1", "CWP-2"], flow, 150_000.0, 1.1);
    let (south, north) = net.split(end, DVec3::new(37.2, 5.0, 18.2), DVec3::NEG_Y, pipe);
    for (end, to, tag) in [(south, chillers[0].cw_in, "CH-1-IV3"), (north, chillers[1].cw_in, "CH-2-IV3")] {
        let y = to.pos.y;
        let end = net.route(end, &[[37.2, y, 18.2], [37.2, y, 17.7]]);
        dropper(net, end, to, tag);
    }
    let end = riser(net, chillers[0].cw_out, 36.6, 0.0, 18.8, "CH-1-IV4");
    let end = net.bend(end, DVec3::Y);
    let (end, branch) = net.tee(end, DVec3::new(36.6, chillers[1].cw_out.pos.y, 18.8), DVec3::NEG_Z, pipe, true);
    dropper(net, branch, chillers[1].cw_out, "CH-2-IV4");
    let end = net.route(end, &[[36.6, 7.1, 18.8], [43.4, 7.1, 18.8]]);
    let (end, _) = net.fit(end, valve(Valve::Isolating, "CT-1-IV2", CW));
    let end = net.go(end, warm.pos);
    net.join(end, warm);
    make_up(net, t);
}

/// Cold water to the tower: tank, water meter, pipe.
fn make_up(net: &mut Net, tower: usize) {
    let system = net.system("Domestic cold water", "DOMESTICCOLDWATER", Domain::Pipe, dev::COLD);
    let pipe = Section::Round { d: 0.034 };
    let parts = vec![
        super::body::block([-0.6, -0.6, 0.0], [0.6, 0.6, 0.1], dev::DARK),
        super::body::block([-0.58, -0.58, 0.1], [0.58, 0.58, 1.35], dev::COLD),
        super::body::block([-0.6, -0.6, 1.35], [0.6, 0.6, 1.4], dev::TRIM),
    ];
    let tank = net.item(
        "IfcTank",
        "STORAGE",
        "Make-up water tank",
        "MT-1",
        "Break tank 1500 l",
        Frame::at(41.4, 8.6, ROOF),
        parts,
    );
    net.items[tank].sets = vec![
        ("Pset_TankTypeCommon".into(), vec![("NominalDepth", Value::Length(1.4))]),
        weight("Qto_TankBaseQuantities", 140.0),
    ];
    let end = net.port(tank, "outlet", [0.6, 0.0, 0.4], [1.0, 0.0, 0.0], pipe, Flow::Source, system);
    let to = net.port(tower, "make-up", [-1.5, 1.8, 0.4], [-1.0, 0.0, 0.0], pipe, Flow::Sink, system);
    let end = net.go(end, end.pos + 0.1 * DVec3::X);
    let (end, _) = net.fit(end, valve(Valve::Isolating, "WM-1-IV1", 0.034));
    let (end, _) = net.fit(end, dev::meter("WM-1", "Cold water meter", "WATERMETER", 0.034));
    let z = end.pos.z;
    let end = net.route(end, &[[43.8, 8.6, z], [43.8, to.pos.y, z], [to.pos.x, to.pos.y, z]]);
    net.join(end, to);
}

fn heating(net: &mut Net, water: Water, coils: &[(CoilEnds, CoilEnds)], loads: Loads) -> (End, End) {
    let pipe = Section::Round { d: HW };
    let power = (0.65 * loads.heating / 5000.0).ceil() * 5000.0;
    let flow = (loads.heating / (4.19e6 * 20.0) * 1e4).round() / 1e4;
    let boilers = [("B-1", 23.0), ("B-2", 25.5)].map(|(tag, cx)| {
        let i = net.item(
            "IfcBoiler",
            "WATER",
            &format!("Boiler {}", &tag[2..]),
            tag,
            "Condensing gas boiler",
            Frame::at(cx, 4.4, ROOF),
            dev::boiler(),
        );
        net.items[i].sets = vec![
            design(&[("DesignPower", power), ("NominalEfficiency", 0.97)]),
            (
                "Pset_BoilerTypeCommon".into(),
                vec![
                    ("NominalEfficiency", Value::Real(0.97)),
                    ("NominalEnergyConsumption", Value::Power((power / 0.97).round())),
                ],
            ),
            weight("Qto_BoilerBaseQuantities", 540.0),
        ];
        (
            net.port(i, "HW supply", [-0.25, 0.6, 1.3], [0.0, 1.0, 0.0], pipe, Flow::Source, water.heating),
            net.port(i, "HW return", [0.25, 0.6, 0.5], [0.0, 1.0, 0.0], pipe, Flow::Sink, water.heating),
        )
    });
    let end = riser(net, boilers[1].0, 0.0, 5.8, 18.2, "B-2-IV1");
    let end = net.bend(end, DVec3::NEG_X);
    let (end, branch) = net.tee(end, DVec3::new(boilers[0].0.pos.x, 5.8, 18.2), DVec3::NEG_Z, pipe, true);
    dropper(net, branch, boilers[0].0, "B-1-IV1");
    let end = pumps(net, end, 21.5, -1.0, 7.0, 16.6, "Heating water", ["HWP-1", "HWP-2"], flow, 120_000.0, 0.9);
    let (end, _) = net.fit(end, dev::meter("HM-1", "Heat meter", "ENERGYMETER", HW));
    let end = net.route(end, &[[16.0, 5.8, 18.2], [16.0, 8.9, 18.2]]);
    let (west, east) = net.split(end, DVec3::new(16.0, 9.2, 18.2), DVec3::NEG_X, pipe);
    let _ = header(net, east, &named(coils, &[2, 1], |c| c.1.inlet, "HC"), false);
    let supply = header(net, west, &named(coils, &[0], |c| c.1.inlet, "HC"), true).unwrap_or(west);

    let end = riser(net, boilers[1].1, 0.0, 6.3, 17.9, "B-2-IV2");
    let end = net.bend(end, DVec3::NEG_X);
    let (end, branch) = net.tee(end, DVec3::new(boilers[0].1.pos.x, 6.3, 17.9), DVec3::NEG_Z, pipe, false);
    dropper(net, branch, boilers[0].1, "B-1-IV2");
    let (end, branch) = net.tee(end, DVec3::new(20.0, 6.3, 17.9), DVec3::Y, Section::Round { d: 0.034 }, false);
    vessel(net, branch, 20.0, 8.0, "EV-HW", water.heating);
    let end = net.route(end, &[[15.4, 6.3, 17.9], [15.4, 8.6, 17.9]]);
    let (west, east) = net.split(end, DVec3::new(15.4, 8.9, 17.9), DVec3::NEG_X, pipe);
    let _ = header(net, east, &named(coils, &[2, 1], |c| c.1.outlet, "HC"), false);
    let back = header(net, west, &named(coils, &[0], |c| c.1.outlet, "HC"), true).unwrap_or(west);
    (supply, back)
}
