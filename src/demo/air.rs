//! Air: handling units on the roof, risers in the shafts, mains in the corridors, VAV boxes in the rooms.

use super::air_handler::unit;
use super::body::{Section, block, rod, tube};
use super::devices::{self as dev, design};
use super::net::{Domain, End, Flow, Frame, Net, Value};
use super::plan::{CORRIDOR, Plan, ROOF, STOREY, STOREYS, Use, Vav};
use super::plant::{CoilEnds, Water};
use glam::DVec3;

/// Centre of the supply main above a floor, metres.
pub(super) const SUPPLY_Z: f64 = 3.36;
/// Centre of the return main above a floor, metres.
pub(super) const RETURN_Z: f64 = 2.92;
/// Y of the supply and return mains.
pub(super) const SUPPLY_Y: f64 = 8.75;
pub(super) const RETURN_Y: f64 = 9.65;
/// Y of all risers.
pub(super) const RISER_Y: f64 = 11.6;
pub(super) const INNER: Section = Section::Rect { w: 1.7, h: 1.0 };

/// The systems of one AHU.
#[derive(Clone, Copy, Debug)]
pub(super) struct Air {
    pub(super) supply: usize,
    pub(super) back: usize,
    pub(super) outdoor: usize,
    pub(super) exhaust: usize,
}

/// A VAV box that waits for its heating water.
#[derive(Clone, Debug)]
pub struct Box2 {
    /// Index into [`Plan::vavs`].
    pub vav: usize,
    /// The element.
    pub item: usize,
    /// Heating water in.
    pub inlet: End,
    /// Heating water out.
    pub outlet: End,
    /// Towards the room: -Y or +Y.
    pub dir: DVec3,
}

/// What the rest of the model needs of the air side.
#[derive(Debug, Default)]
pub struct AirSide {
    /// Cooling and heating coil of AHU-1 to AHU-3.
    pub coils: Vec<(CoilEnds, CoilEnds)>,
    /// AHU elements.
    pub units: Vec<usize>,
    /// VAV boxes.
    pub boxes: Vec<Box2>,
}

/// Builds all air systems.
pub fn build(net: &mut Net, plan: &Plan, water: Water) -> AirSide {
    let mut side = AirSide::default();
    // OA end, direction of supply, supply riser x, return riser x.
    let places = [(15.5, -1.0, 6.5, 5.5), (29.5, 1.0, 40.45, 41.15), (18.5, 1.0, 41.85, 42.55)];
    for (k, (x0, s, rx, bx)) in places.into_iter().enumerate() {
        let n = k + 1;
        let air = Air {
            supply: net.system(&format!("Supply air AHU-{n}"), "AIRCONDITIONING", Domain::Duct, dev::SUPPLY),
            back: net.system(&format!("Return air AHU-{n}"), "VENTILATION", Domain::Duct, dev::RETURN),
            outdoor: net.system(&format!("Outdoor air AHU-{n}"), "VENTILATION", Domain::Duct, dev::OUTDOOR),
            exhaust: net.system(&format!("Exhaust air AHU-{n}"), "EXHAUST", Domain::Duct, dev::EXHAUST),
        };
        net.storey = STOREYS;
        let (unit, out, back) = unit(net, plan, k, x0, s, air, water, &mut side.coils);
        side.units.push(unit);
        let tag = format!("AHU-{n}");
        let storeys: Vec<usize> = (0..STOREYS).rev().filter(|st| super::plan::ahu_of(*st) == k).collect();
        let top = |st: usize, z: f64| STOREY * st as f64 + z;
        let first = storeys.first().copied().unwrap_or(0);
        // Down the shaft.
        let (mut down, _) = net.fit(out, dev::silencer(&format!("{tag}-SIL-S"), out.section, out.dir, 0.9));
        let mut up = back;
        if k == 2 {
            down = net.route(
                down,
                &[[27.4, RISER_Y, 16.8], [27.4, RISER_Y, 19.15], [rx, RISER_Y, 19.15], [rx, RISER_Y, top(first, 3.9)]],
            );
            up = net.route(
                up,
                &[[26.7, RISER_Y, 18.17], [26.7, RISER_Y, 19.8], [bx, RISER_Y, 19.8], [bx, RISER_Y, top(first, 3.9)]],
            );
        } else {
            up = net.fit(up, dev::silencer(&format!("{tag}-SIL-R"), up.section, up.dir, 0.9)).0;
            down = net.route(down, &[[rx, RISER_Y, 16.8], [rx, RISER_Y, top(first, 3.9)]]);
            up = net.route(up, &[[bx, RISER_Y, 18.17], [bx, RISER_Y, top(first, 3.9)]]);
        }
        let main_s = Section::Rect { w: 0.7, h: 0.4 };
        let main_r = Section::Rect { w: 0.6, h: 0.36 };
        for (i, st) in storeys.iter().copied().enumerate() {
            net.storey = st;
            let last = i + 1 == storeys.len();
            let (zs, zr) = (top(st, SUPPLY_Z), top(st, RETURN_Z));
            let branch = |net: &mut Net, end: &mut End, x: f64, z: f64, section: Section| {
                let centre = DVec3::new(x, RISER_Y, z);
                if last {
                    net.last_tee(*end, centre, DVec3::NEG_Y, section)
                } else {
                    let (on, b) = net.tee(*end, centre, DVec3::NEG_Y, section, false);
                    *end = on;
                    b
                }
            };
            let b = branch(net, &mut down, rx, zs, main_s);
            supply_main(net, plan, k, st, b, rx, zs, water, &mut side.boxes);
            let b = branch(net, &mut up, bx, zr, main_r);
            return_main(net, plan, k, st, b, bx, zr);
        }
    }
    bath_exhaust(net, plan);
    side
}

/// Where a box's take-off leaves the main.
pub fn box_x(plan: &Plan, vav: &Vav) -> f64 {
    let first = &plan.rooms[vav.rooms[0]];
    if vav.rooms.len() > 1 { first.rect[1] - 2.4 } else { first.x() - 0.6 }
}

fn take_off(airflow: f64) -> f64 {
    let need = (4.0 * airflow / (std::f64::consts::PI * 6.0)).sqrt();
    [0.2, 0.25, 0.315].into_iter().find(|d| *d >= need).unwrap_or(0.36)
}

fn supply_main(
    net: &mut Net,
    plan: &Plan,
    ahu: usize,
    storey: usize,
    branch: End,
    rx: f64,
    z: f64,
    water: Water,
    boxes: &mut Vec<Box2>,
) {
    let (end, _) = net
        .fit(branch, dev::damper(&format!("FD-S-{storey}"), "Fire damper", "FIREDAMPER", branch.section, branch.dir));
    let section = branch.section;
    let (east, west) = net.split(end, DVec3::new(rx, SUPPLY_Y, z), DVec3::X, section);
    for (leg, s) in [(east, 1.0), (west, -1.0)] {
        let mut list: Vec<(f64, usize)> = plan
            .vavs
            .iter()
            .enumerate()
            .filter(|(_, v)| v.storey == storey && v.ahu == ahu)
            .map(|(i, v)| (box_x(plan, v), i))
            .filter(|(x, _)| (x - rx) * s > 0.0)
            .collect();
        list.sort_by(|a, b| (a.0 * s).total_cmp(&(b.0 * s)));
        let mut leg = leg;
        let mut reduced = false;
        for (i, (x, v)) in list.iter().copied().enumerate() {
            let vav = &plan.vavs[v];
            let d = Section::Round { d: take_off(vav.airflow) };
            let south = plan.rooms[vav.rooms[0]].south();
            let dir = if south { DVec3::NEG_Y } else { DVec3::Y };
            let centre = DVec3::new(x, SUPPLY_Y, z);
            if i >= 3 && !reduced && (x - leg.pos.x).abs() > 1.2 {
                leg = net.go(leg, leg.pos + leg.dir * 0.2);
                leg = net.reduce(leg, Section::Rect { w: 0.5, h: 0.4 }, 0.4);
                reduced = true;
            }
            let branch = if i + 1 == list.len() {
                net.last_tee(leg, centre, dir, d)
            } else {
                let (on, b) = net.tee(leg, centre, dir, d, false);
                leg = on;
                b
            };
            boxes.push(room_air(net, plan, v, branch, dir, water));
        }
    }
}

/// From the take-off into the room: silencer, box, diffusers.
fn room_air(net: &mut Net, plan: &Plan, v: usize, end: End, dir: DVec3, water: Water) -> Box2 {
    let vav = &plan.vavs[v];
    let room = &plan.rooms[vav.rooms[0]];
    let (x, z) = (end.pos.x, end.pos.z);
    let y_of = |along: f64| if dir.y < 0.0 { CORRIDOR[0] - along } else { CORRIDOR[1] + along };
    let d = take_off(vav.airflow);
    let end = net.go(end, DVec3::new(x, y_of(0.2), z));
    let (end, _) = net.fit(end, dev::silencer(&format!("{}-SIL", vav.tag), end.section, dir, 0.5));
    let (out, item) = net.fit(end, dev::vav_box(&vav.tag, d));
    let area: f64 = vav.rooms.iter().map(|r| plan.rooms[*r].area()).sum();
    let volume: f64 = vav.rooms.iter().map(|r| plan.rooms[*r].volume()).sum();
    let mut serves =
        vec![("Space", Value::Identifier(room.id.clone())), ("SpaceName", Value::Label(room.name.clone()))];
    if let Some(second) = vav.rooms.get(1) {
        serves.push(("Space2", Value::Identifier(plan.rooms[*second].id.clone())));
        serves.push(("SpaceName2", Value::Label(plan.rooms[*second].name.clone())));
    }
    let real = |v: f64| Value::Real((v * 1000.0).round() / 1000.0);
    serves.extend([
        ("FloorArea", real(area)),
        ("Volume", real(volume)),
        ("AirHandler", Value::Identifier(format!("AHU-{}", vav.ahu + 1))),
        ("NominalAirflow", real(vav.airflow)),
        ("MinimumAirflow", real(vav.minimum)),
        ("HeatingPower", real(vav.heating)),
    ]);
    net.items[item].sets = vec![
        ("Pset_Plenum_Serves".into(), serves),
        (
            "Pset_AirTerminalBoxTypeCommon".into(),
            vec![
                ("AirflowRateRange", Value::Flow(vav.airflow)),
                ("NominalInletAirPressure", Value::Pressure(250.0)),
                ("HasReturnAir", Value::Bool(false)),
            ],
        ),
        ("Qto_AirTerminalBoxBaseQuantities".into(), vec![("GrossWeight", Value::QWeight(34.0))]),
    ];
    let east = if dir.y < 0.0 { -1.0 } else { 1.0 };
    let small = Section::Round { d: 0.022 };
    let inlet =
        net.port(item, "reheat inlet", [0.09, 0.27 * east, 0.55], [0.0, east, 0.0], small, Flow::Sink, water.heating);
    let outlet = net.port(
        item,
        "reheat outlet",
        [0.09, 0.27 * east, 0.70],
        [0.0, east, 0.0],
        small,
        Flow::Source,
        water.heating,
    );
    // The outlet is a rectangular duct.
    let mut end = End { section: Section::Rect { w: dev::VAV_OUT.0, h: dev::VAV_OUT.1 }, ..out };
    let drop = Section::Round { d: 0.2 };
    let mut n = 0;
    let share = vav.airflow / if vav.rooms.len() > 1 { 4.0 } else { 3.0 };
    let mut hang = |net: &mut Net, b: End, room: &super::plan::Room| {
        n += 1;
        let b = net.go(b, DVec3::new(b.pos.x, b.pos.y, z - 0.24));
        let i = net.finish(b, dev::diffuser(&format!("{}-D{n}", vav.tag), 0.2, share));
        net.items[i].sets.push(serve(room));
    };
    let at = |y: f64| DVec3::new(x, y, z);
    let (on, b) = net.tee(end, at(y_of(2.5)), DVec3::NEG_Z, drop, false);
    hang(net, b, room);
    end = on;
    if let Some(second) = vav.rooms.get(1).map(|r| &plan.rooms[*r]) {
        let (on, mut b) = net.tee(end, at(y_of(3.6)), DVec3::X, Section::Rect { w: 0.3, h: 0.2 }, false);
        end = on;
        let (x1, x2) = (second.rect[0] + 1.5, second.rect[0] + 0.72 * (second.rect[1] - second.rect[0]));
        let (go, d1) = net.tee(b, DVec3::new(x1, y_of(3.6), z), DVec3::NEG_Z, drop, false);
        hang(net, d1, second);
        b = net.last_tee(go, DVec3::new(x2, y_of(3.6), z), DVec3::NEG_Z, drop);
        hang(net, b, second);
    } else {
        let (on, b) = net.tee(end, at(y_of(4.4)), DVec3::NEG_Z, drop, false);
        hang(net, b, room);
        end = on;
    }
    let b = net.last_tee(end, at(y_of(6.3)), DVec3::NEG_Z, drop);
    hang(net, b, room);
    Box2 { vav: v, item, inlet, outlet, dir }
}

/// Which space a terminal serves.
pub fn serve(room: &super::plan::Room) -> super::net::Set {
    (
        "Pset_Plenum_Serves".into(),
        vec![("Space", Value::Identifier(room.id.clone())), ("SpaceName", Value::Label(room.name.clone()))],
    )
}

fn return_main(net: &mut Net, plan: &Plan, ahu: usize, storey: usize, branch: End, bx: f64, z: f64) {
    let (end, _) = net
        .fit(branch, dev::damper(&format!("FD-R-{storey}"), "Fire damper", "FIREDAMPER", branch.section, branch.dir));
    let (east, west) = net.split(end, DVec3::new(bx, RETURN_Y, z), DVec3::X, branch.section);
    let section = Section::Rect { w: 0.35, h: 0.2 };
    for (leg, s) in [(east, 1.0), (west, -1.0)] {
        let mut list: Vec<(f64, usize, f64)> = Vec::new();
        for v in plan.vavs.iter().filter(|v| v.storey == storey && v.ahu == ahu) {
            let share = v.airflow / v.rooms.len() as f64;
            list.extend(v.rooms.iter().map(|r| (plan.rooms[*r].x() + 0.9, *r, share)));
        }
        list.retain(|(x, ..)| (x - bx) * s > 0.0);
        list.sort_by(|a, b| (a.0 * s).total_cmp(&(b.0 * s)));
        let mut leg = leg;
        for (i, (x, r, share)) in list.iter().copied().enumerate() {
            let room = &plan.rooms[r];
            let (dir, wall) = if room.south() { (DVec3::NEG_Y, CORRIDOR[0]) } else { (DVec3::Y, CORRIDOR[1]) };
            let centre = DVec3::new(x, RETURN_Y, z);
            let b = if i + 1 == list.len() {
                net.last_tee(leg, centre, dir, section)
            } else {
                let (on, b) = net.tee(leg, centre, dir, section, false);
                leg = on;
                b
            };
            let b = net.go(b, DVec3::new(x, wall + 0.15 * dir.y, z));
            let (b, _) = net.fit(
                b,
                dev::damper(&format!("BD-{}", room.number), "Balancing damper", "BALANCINGDAMPER", section, dir),
            );
            let b = net.go(b, DVec3::new(x, wall + 0.8 * dir.y, z));
            let g =
                net.finish(b, dev::grille(&format!("RG-{}", room.number), "Return air grille", section, dir, share));
            net.items[g].sets.push(serve(room));
        }
    }
}

/// One riser in the west shaft that draws air from the baths, with a fan in the plant room.
fn bath_exhaust(net: &mut Net, plan: &Plan) {
    let system = net.system("Exhaust air baths", "EXHAUST", Domain::Duct, dev::EXHAUST);
    net.storey = STOREYS;
    let section = Section::Round { d: 0.25 };
    let (x, y) = (6.0, 12.4);
    let airflow = 0.24;
    let parts = vec![
        rod([0.0, 0.0, 0.0], DVec3::Z, 0.125, 0.6, dev::TRIM),
        tube([0.0, 0.0, 0.1], DVec3::Z, 0.19, 0.03, 0.4, dev::MOTOR),
        block([0.17, -0.1, 0.15], [0.3, 0.1, 0.45], dev::PANEL),
    ];
    let ef = net.item(
        "IfcFan",
        "TUBEAXIAL",
        "Bath exhaust fan",
        "EF-1",
        "Duct fan 0.2 kW",
        Frame::at(x, y, ROOF + 1.2),
        parts,
    );
    net.items[ef].sets =
        vec![design(&[("NominalPower", 200.0), ("NominalPressure", 300.0), ("NominalAirflow", airflow)])];
    let up = net.port(ef, "outlet", [0.0, 0.0, 0.6], [0.0, 0.0, 1.0], section, Flow::Source, system);
    let mut down = net.port(ef, "inlet", [0.0, 0.0, 0.0], [0.0, 0.0, -1.0], section, Flow::Sink, system);
    let up = net.go(up, DVec3::new(x, y, ROOF + 5.2));
    let mut cowl = dev::louvre("EF-1-EL", "Exhaust cowl", section, DVec3::Z, airflow);
    cowl.parts = vec![
        rod([0.0, 0.0, 0.0], DVec3::Z, 0.125, 0.15, dev::TRIM),
        rod([0.0, 0.0, 0.2], DVec3::Z, 0.26, 0.05, dev::TRIM),
        rod([0.0, 0.0, 0.15], DVec3::Z, 0.04, 0.05, dev::DARK),
    ];
    net.finish(up, cowl);
    for storey in (0..STOREYS).rev() {
        let z = STOREY * storey as f64 + 3.3;
        let small = Section::Round { d: 0.16 };
        let centre = DVec3::new(x, y, z);
        net.storey = storey;
        let b = if storey == 0 {
            net.last_tee(down, centre, DVec3::X, small)
        } else {
            let (on, b) = net.tee(down, centre, DVec3::X, small, false);
            down = on;
            b
        };
        let b = net.go(b, b.pos + 0.3 * DVec3::X);
        let (b, _) = net.fit(b, dev::damper(&format!("FD-E-{storey}"), "Fire damper", "FIREDAMPER", small, DVec3::X));
        let b = net.go(b, DVec3::new(8.4, y, z));
        let g =
            net.finish(b, dev::grille(&format!("EG-{storey}"), "Exhaust air grille", small, DVec3::X, airflow / 4.0));
        if let Some(room) = plan.rooms.iter().find(|r| r.storey == storey && r.kind == Use::Bath) {
            net.items[g].sets.push(serve(room));
        }
    }
}
