//! Heating water on the storeys: risers in the west shaft, mains in the corridor, reheat coils and radiators.

use super::air::Box2;
use super::body::Section;
use super::devices::{self as dev, Valve, valve};
use super::net::{End, Flow, Frame, Net, Value};
use super::plan::{CORRIDOR, Plan, STOREY, STOREYS, Use};
use super::plant::Water;
use glam::DVec3;

const SMALL: Section = Section::Round { d: 0.022 };
const MAIN: Section = Section::Round { d: 0.048 };
/// Heights of the supply and return mains above a floor, their Y in the corridor and riser x.
const S_Z: f64 = 3.665;
const R_Z: f64 = 3.60;
const S_Y: f64 = 8.30;
const R_Y: f64 = 8.15;
const S_X: f64 = 5.92;
const R_X: f64 = 6.08;

/// One heater on a storey.
struct Heater {
    /// Where its branches leave the mains.
    xs: f64,
    xr: f64,
    tag: String,
    inlet: End,
    outlet: End,
    /// Towards it: -Y or +Y.
    dir: DVec3,
    /// Y of the last vertical piece, supply and return.
    ys: f64,
    yr: f64,
}

/// Lays everything from the plant's two open ends.
pub fn build(net: &mut Net, plan: &Plan, water: Water, supply: End, back: End, boxes: &[Box2]) {
    let riser = Section::Round { d: 0.060 };
    net.storey = STOREYS;
    let ends = [(supply, S_X, 11.0, S_Z), (back, R_X, 10.75, R_Z)];
    let mut mains: Vec<Vec<End>> = Vec::new();
    for (end, x, y, zm) in ends {
        let z = end.pos.z;
        let at = DVec3::new(x + 0.6, end.pos.y, z);
        let end = net.go(end, at);
        let end = net.reduce(end, riser, 0.2);
        let mut end = net.route(end, &[[x, end.pos.y, z], [x, y, z], [x, y, STOREY * 3.0 + 3.85]]);
        let mut per = Vec::new();
        for storey in (0..STOREYS).rev() {
            net.storey = storey;
            let centre = DVec3::new(x, y, STOREY * storey as f64 + zm);
            if storey == 0 {
                per.push(net.last_tee(end, centre, DVec3::NEG_Y, MAIN));
            } else {
                let (on, b) = net.tee(end, centre, DVec3::NEG_Y, MAIN, false);
                end = on;
                per.push(b);
            }
        }
        mains.push(per);
        net.storey = STOREYS;
    }
    for (i, storey) in (0..STOREYS).rev().enumerate() {
        net.storey = storey;
        let heaters = heaters(net, plan, water, storey, boxes);
        for (k, (per, (x, ym, zm))) in mains.iter().zip([(S_X, S_Y, S_Z), (R_X, R_Y, R_Z)]).enumerate() {
            let z = STOREY * storey as f64 + zm;
            let word = if k == 0 { "IV1" } else { "IV2" };
            let (end, _) = net.fit(per[i], valve(Valve::Isolating, &format!("HW-{storey}-{word}"), 0.048));
            let (east, west) = net.split(end, DVec3::new(x, ym, z), DVec3::X, MAIN);
            for (leg, s) in [(east, 1.0), (west, -1.0)] {
                let of = |h: &Heater| if k == 0 { h.xs } else { h.xr };
                let mut list: Vec<&Heater> = heaters.iter().filter(|h| (of(h) - x) * s > 0.0).collect();
                list.sort_by(|a, b| (of(a) * s).total_cmp(&(of(b) * s)));
                let mut leg = leg;
                for (j, h) in list.iter().enumerate() {
                    let centre = DVec3::new(of(h), ym, z);
                    let b = if j + 1 == list.len() {
                        net.last_tee(leg, centre, h.dir, SMALL)
                    } else {
                        let (on, b) = net.tee(leg, centre, h.dir, SMALL, false);
                        leg = on;
                        b
                    };
                    branch(net, b, h);
                }
            }
        }
    }
}

fn branch(net: &mut Net, end: End, h: &Heater) {
    let wall = if h.dir.y < 0.0 { CORRIDOR[0] - 0.2 } else { CORRIDOR[1] - 0.5 };
    let p = end.pos;
    let end = net.go(end, DVec3::new(p.x, wall, p.z));
    let (to, y, end) = if end.against {
        let (end, _) = net.fit(end, valve(Valve::Isolating, &format!("{}-IV2", h.tag), 0.022));
        (h.outlet, h.yr, net.fit(end, valve(Valve::Balancing, &format!("{}-BV", h.tag), 0.022)).0)
    } else {
        let (end, _) = net.fit(end, valve(Valve::Isolating, &format!("{}-IV1", h.tag), 0.022));
        (h.inlet, h.ys, net.fit(end, valve(Valve::Control, &format!("{}-V", h.tag), 0.022)).0)
    };
    let t = to.pos;
    let end = net.route(end, &[[p.x, y, p.z], [p.x, y, t.z], [t.x, t.y, t.z]]);
    net.join(end, to);
}

fn heaters(net: &mut Net, plan: &Plan, water: Water, storey: usize, boxes: &[Box2]) -> Vec<Heater> {
    let mut list: Vec<Heater> = boxes
        .iter()
        .filter(|b| plan.vavs[b.vav].storey == storey)
        .map(|b| {
            let x = b.inlet.pos.x - 0.27;
            Heater {
                xs: x + 0.6,
                xr: x + 0.85,
                tag: plan.vavs[b.vav].tag.clone(),
                inlet: b.inlet,
                outlet: b.outlet,
                dir: b.dir,
                ys: b.inlet.pos.y,
                yr: b.outlet.pos.y,
            }
        })
        .collect();
    // Radiators: left end, length, which room.
    let places =
        [(8.4, 1.0, Use::Bath, 0, "BATH"), (1.2, 1.2, Use::Stair, 0, "STW"), (45.0, 1.2, Use::Stair, 1, "STE")];
    for (x, length, kind, nth, word) in places {
        let Some(room) = plan.rooms.iter().filter(|r| r.storey == storey && r.kind == kind).nth(nth) else { continue };
        let tag = format!("RAD-{storey}-{word}");
        let y = CORRIDOR[1] + 0.07;
        let i = net.item(
            "IfcSpaceHeater",
            "RADIATOR",
            "Radiator",
            &tag,
            &format!("Panel radiator 600x{:.0}", length * 1000.0),
            Frame::at(x, y, STOREY * storey as f64),
            dev::radiator(length),
        );
        let (set, mut serves) = super::air::serve(room);
        let real = |v: f64| Value::Real((v * 1000.0).round() / 1000.0);
        serves.extend([("FloorArea", real(room.area())), ("Volume", real(room.volume()))]);
        net.items[i].sets = vec![
            (set, serves),
            ("Pset_SpaceHeaterTypeCommon".into(), vec![("OutputCapacity", Value::Power(900.0 * length))]),
            (
                "Qto_SpaceHeaterBaseQuantities".into(),
                vec![("GrossWeight", Value::QWeight(26.0 * length)), ("Length", Value::QLength(length))],
            ),
        ];
        let inlet = net.port(i, "inlet", [length, 0.07, 0.65], [1.0, 0.0, 0.0], SMALL, Flow::Sink, water.heating);
        let outlet = net.port(i, "outlet", [length, 0.07, 0.20], [1.0, 0.0, 0.0], SMALL, Flow::Source, water.heating);
        let y = y + 0.07;
        list.push(Heater {
            xs: x + length + 0.3,
            xr: x + length + 0.55,
            tag,
            inlet,
            outlet,
            dir: DVec3::Y,
            ys: y,
            yr: y,
        });
    }
    list
}
