//! What measures, moves and lights: sensors, actuators, controllers, meters, boards, luminaires, outlets.
//!
//! Cables are not drawn: their ports have no place, but they are joined, board to consumer.

use super::air::{AirSide, serve};
use super::body::{Part, block};
use super::devices::{self as dev};
use super::net::{Domain, Flow, Frame, Net, Value};
use super::plan::{CORRIDOR, Plan, ROOF, Room, STOREY, STOREYS, Use};
use glam::DVec3;

/// Builds all of it.
pub fn build(net: &mut Net, plan: &Plan, side: &AirSide) {
    let control = net.system("Building automation", "CONTROL", Domain::Cable, dev::CONTROL);
    let power = net.system("Electrical power", "ELECTRICAL", Domain::Cable, dev::POWER);
    let lighting = net.system("Lighting", "LIGHTING", Domain::Cable, dev::LIGHT);
    let boards = boards(net, power);
    lights(net, plan, lighting, &boards);
    outlets(net, plan, power, &boards);
    let controllers: Vec<usize> = (0..=STOREYS).map(|s| controller(net, s, power, &boards)).collect();
    sensors(net, plan, side, control, &controllers);
    humidity(net, plan, side, control, &controllers);
    actuators(net, control, &controllers);
    feeds(net, power, &boards);
}

fn upright(x: f64, y: f64, z: f64, turned: bool) -> Frame {
    // Cabinets have their front on local -Y; turned: on world +Y.
    Frame { origin: DVec3::new(x, y, z), z: DVec3::Z, x: if turned { DVec3::NEG_X } else { DVec3::X } }
}

/// A distribution board a storey; all hang on the main meter on the ground floor.
fn boards(net: &mut Net, power: usize) -> Vec<usize> {
    net.storey = 0;
    let y = CORRIDOR[1] - 0.06;
    let mut parts = dev::cabinet(0.5, 0.2, 0.6, dev::PANEL);
    parts.push(block([0.1, -0.03, 0.1], [0.4, -0.012, 0.3], dev::POWER));
    let em = net.item(
        "IfcFlowMeter",
        "USERDEFINED",
        "Electricity meter",
        "EM-1",
        "Electricity meter 400 A",
        upright(42.0, y - 0.21, 1.1, false),
        parts,
    );
    net.items[em].object_type = "ELECTRICMETER";
    net.items[em].sets = vec![("Pset_FlowMeterTypeCommon".into(), vec![("RemoteReading", Value::Bool(true))])];
    let mut boards = Vec::new();
    for storey in 0..=STOREYS {
        net.storey = storey;
        let frame = if storey < STOREYS {
            upright(41.0, y - 0.22, STOREY * storey as f64 + 0.6, false)
        } else {
            upright(14.0, 14.95, ROOF + 0.2, false)
        };
        let i = net.item(
            "IfcElectricDistributionBoard",
            "DISTRIBUTIONBOARD",
            &format!("Distribution board {storey}"),
            &format!("DB-{storey}"),
            "Distribution board 63 A",
            frame,
            dev::cabinet(0.8, 0.2, 1.4, dev::POWER),
        );
        net.items[i].sets = vec![(
            "Pset_ElectricalDeviceCommon".into(),
            vec![("IP_Code", Value::Label("IP31".into())), ("RatedVoltage", Value::Real(400.0))],
        )];
        boards.push(i);
    }
    let mut feed = em;
    for (n, board) in boards.iter().enumerate() {
        // One riser cable: meter to board 0, board 0 to 1 and so on up.
        wire(net, feed, *board, power, &format!("riser {n}"));
        feed = *board;
    }
    boards
}

/// Joins two elements by a cable.
pub(super) fn wire(net: &mut Net, from: usize, to: usize, system: usize, name: &str) {
    let tags = (net.items[from].tag.clone(), net.items[to].tag.clone());
    let a = net.cable(from, &format!("{name} to {}", tags.1), Flow::Source, system);
    let b = net.cable(to, &format!("{name} from {}", tags.0), Flow::Sink, system);
    net.plug(a, b);
}

fn lights(net: &mut Net, plan: &Plan, system: usize, boards: &[usize]) {
    for room in plan.rooms.iter().filter(|r| r.kind != Use::Plant) {
        let storey = room.storey;
        net.storey = storey;
        let [x0, x1, y0, y1] = room.rect;
        let (nx, ny, z) = match room.kind {
            Use::Corridor => (12, 1, 2.62),
            Use::Stair => (1, 2, 3.55),
            Use::Bath => (1, 2, 3.0),
            _ => (2, 2, 2.78),
        };
        for i in 0..nx {
            for j in 0..ny {
                let x = x0 + (x1 - x0) * (f64::from(i) + 0.5) / f64::from(nx);
                let y = y0 + (y1 - y0) * (f64::from(j) + 0.5) / f64::from(ny);
                let hang = 3.69 - z;
                let parts = vec![
                    block([-0.6, -0.09, 0.0], [0.6, 0.09, 0.02], dev::LIGHT),
                    block([-0.62, -0.1, 0.02], [0.62, 0.1, 0.06], dev::WHITE),
                    block([-0.5, -0.006, 0.06], [-0.488, 0.006, hang], dev::DARK),
                    block([0.488, -0.006, 0.06], [0.5, 0.006, hang], dev::DARK),
                ];
                let tag = format!("LF-{}-{}", room.number, i * ny + j + 1);
                let item = net.item(
                    "IfcLightFixture",
                    "DIRECTIONSOURCE",
                    "Pendant luminaire",
                    &tag,
                    &format!("LED pendant 1200, {:.0} mm", hang * 1000.0),
                    Frame::at(x, y, STOREY * storey as f64 + z),
                    parts,
                );
                net.items[item].sets = vec![
                    serve(room),
                    (
                        "Pset_LightFixtureTypeCommon".into(),
                        vec![("NumberOfSources", Value::Integer(1)), ("TotalWattage", Value::Power(36.0))],
                    ),
                ];
                wire(net, boards[storey], item, system, "light");
            }
        }
    }
}

fn outlets(net: &mut Net, plan: &Plan, system: usize, boards: &[usize]) {
    for room in plan.rooms.iter().filter(|r| matches!(r.kind, Use::Room | Use::Clean)) {
        net.storey = room.storey;
        let z = STOREY * room.storey as f64 + 0.3;
        let [x0, x1, y0, y1] = room.rect;
        let y = 0.5 * (y0 + y1);
        for (n, (x, out)) in [(x0, 1.0), (x1, -1.0)].into_iter().enumerate() {
            let frame = Frame { origin: DVec3::new(x, y, z), z: DVec3::Z, x: DVec3::X * out };
            let parts: Vec<Part> = vec![
                block([0.0, -0.08, -0.04], [0.012, 0.08, 0.04], dev::WHITE),
                block([0.012, -0.06, -0.025], [0.014, 0.06, 0.025], dev::TRIM),
            ];
            let item = net.item(
                "IfcOutlet",
                "POWEROUTLET",
                "Double socket outlet",
                &format!("SO-{}-{}", room.number, n + 1),
                "Socket outlet 2 x 16 A",
                frame,
                parts,
            );
            net.items[item].sets = vec![serve(room)];
            wire(net, boards[room.storey], item, system, "socket");
        }
    }
}

fn controller(net: &mut Net, storey: usize, power: usize, boards: &[usize]) -> usize {
    net.storey = storey;
    let y = CORRIDOR[1] - 0.06;
    let frame = if storey < STOREYS {
        upright(39.6, y - 0.22, STOREY * storey as f64 + 0.6, false)
    } else {
        upright(15.2, 14.95, ROOF + 0.2, false)
    };
    let tag = format!("DDC-{storey}");
    let i = net.item(
        "IfcController",
        "PROGRAMMABLE",
        &format!("Automation station {storey}"),
        &tag,
        "Automation station",
        frame,
        dev::cabinet(0.8, 0.2, 1.4, dev::PANEL),
    );
    net.items[i].sets = vec![("Pset_ControllerTypeCommon".into(), vec![("Reference", Value::Identifier(tag))])];
    wire(net, boards[storey], i, power, "control power");
    i
}

/// A probe on an element, wired to its storey's controller.
fn probe(
    net: &mut Net,
    class: &'static str,
    predefined: &'static str,
    name: &str,
    tag: &str,
    kind: &str,
    at: DVec3,
    out: DVec3,
    host: Option<usize>,
    control: usize,
    controllers: &[usize],
) -> usize {
    let x = if out.z.abs() > 0.5 { DVec3::X } else { DVec3::Z };
    let parts = dev::probe(if class == "IfcActuator" { dev::ACTUATOR } else { dev::CONTROL });
    let item = net.item(class, predefined, name, tag, kind, Frame { origin: at, z: out, x }, parts);
    net.items[item].host = host;
    wire(net, item, controllers[net.storey], control, "signal");
    item
}

fn sensors(net: &mut Net, plan: &Plan, side: &AirSide, control: usize, controllers: &[usize]) {
    net.storey = STOREYS;
    for (k, unit) in side.units.iter().copied().enumerate() {
        // On the roof of the casing, by the supply end.
        let at = net.items[unit].frame.world(DVec3::new(7.1, 0.0, 2.8));
        probe(
            net,
            "IfcSensor",
            "TEMPERATURESENSOR",
            &format!("Supply air temperature AHU-{}", k + 1),
            &format!("AHU-{}-SAT", k + 1),
            "Duct temperature sensor",
            at,
            DVec3::Z,
            Some(unit),
            control,
            controllers,
        );
        let at = net.items[unit].frame.world(DVec3::new(6.6, 0.0, 2.8));
        probe(
            net,
            "IfcSensor",
            "PRESSURESENSOR",
            &format!("Supply duct pressure AHU-{}", k + 1),
            &format!("AHU-{}-SAP", k + 1),
            "Duct pressure sensor",
            at,
            DVec3::Z,
            Some(unit),
            control,
            controllers,
        );
    }
    for (meter, tag, name) in
        [("CM-1", "CHW-ST", "Chilled water supply temperature"), ("HM-1", "HW-ST", "Heating water supply temperature")]
    {
        if let Some(host) = net.items.iter().position(|i| i.tag == meter) {
            let at = net.items[host].frame.world(DVec3::new(-0.06, 0.0, 0.1));
            probe(
                net,
                "IfcSensor",
                "TEMPERATURESENSOR",
                name,
                tag,
                "Immersion temperature sensor",
                at,
                DVec3::NEG_Z,
                Some(host),
                control,
                controllers,
            );
        }
    }
    // The weather station stands on a mast at the plant room's north-east corner.
    let parts = vec![
        block([-0.03, -0.03, 0.0], [0.03, 0.03, 1.8], dev::TRIM),
        block([-0.12, -0.12, 1.3], [0.12, 0.12, 1.6], dev::WHITE),
        block([-0.3, -0.015, 1.8], [0.3, 0.015, 1.83], dev::DARK),
        block([-0.34, -0.05, 1.83], [-0.24, 0.05, 1.93], dev::DARK),
        block([0.24, -0.05, 1.83], [0.34, 0.05, 1.93], dev::DARK),
    ];
    let ws = net.item(
        "IfcSensor",
        "HUMIDITYSENSOR",
        "Weather station",
        "WS-1",
        "Weather station",
        Frame::at(41.8, 14.6, ROOF + super::plan::PLANT_HEIGHT),
        parts,
    );
    wire(net, ws, controllers[STOREYS], control, "signal");
    for b in &side.boxes {
        let vav = &plan.vavs[b.vav];
        let room = &plan.rooms[vav.rooms[0]];
        net.storey = vav.storey;
        let y = if room.south() { CORRIDOR[0] - 0.06 } else { CORRIDOR[1] + 0.06 };
        let at = DVec3::new(room.rect[0] + 1.6, y, STOREY * vav.storey as f64 + 1.5);
        let item = probe(
            net,
            "IfcSensor",
            "CO2SENSOR",
            &format!("Room air sensor {}", room.number),
            &format!("{}-CO2", vav.tag),
            "Room air sensor",
            at,
            if room.south() { DVec3::NEG_Y } else { DVec3::Y },
            Some(b.item),
            control,
            controllers,
        );
        net.items[item].sets = vec![serve(room)];
    }
}

/// Humidity where it matters: of each unit's supply, return and mixed air, in clean rooms and baths, and in one
/// room of every other storey.
fn humidity(net: &mut Net, plan: &Plan, side: &AirSide, control: usize, controllers: &[usize]) {
    let add = |net: &mut Net, of: &str, name: &str, kind: &str, at: DVec3, out: DVec3, host: usize| {
        let (class, predefined) = ("IfcSensor", "HUMIDITYSENSOR");
        probe(net, class, predefined, name, of, kind, at, out, Some(host), control, controllers)
    };
    net.storey = STOREYS;
    for (k, unit) in side.units.iter().copied().enumerate() {
        for (x, word, name) in [(6.1, "SAH", "Supply"), (5.6, "RAH", "Return"), (1.2, "MAH", "Mixed")] {
            let at = net.items[unit].frame.world(DVec3::new(x, 0.0, 2.8));
            let (of, name) = (format!("AHU-{}-{word}", k + 1), format!("{name} air humidity AHU-{}", k + 1));
            add(net, &of, &name, "Duct humidity sensor", at, DVec3::Z, unit);
        }
    }
    let in_room = |net: &mut Net, of: &str, room: &Room, x: f64, host: usize| {
        net.storey = room.storey;
        let y = if room.south() { CORRIDOR[0] - 0.06 } else { CORRIDOR[1] + 0.06 };
        let at = DVec3::new(room.rect[0] + x, y, STOREY * room.storey as f64 + 1.5);
        let out = if room.south() { DVec3::NEG_Y } else { DVec3::Y };
        let item = add(
            net,
            &format!("{of}-RH"),
            &format!("Room humidity {}", room.number),
            "Room humidity sensor",
            at,
            out,
            host,
        );
        net.items[item].sets = vec![serve(room)];
    };
    let mut storey = None;
    for b in &side.boxes {
        let vav = &plan.vavs[b.vav];
        let clean = vav.rooms.iter().copied().find(|r| plan.rooms[*r].kind == Use::Clean);
        let has_none =
            storey != Some(vav.storey) && !plan.rooms.iter().any(|r| r.storey == vav.storey && r.kind == Use::Clean);
        storey = Some(vav.storey);
        let Some(room) = clean.or(has_none.then_some(vav.rooms[0])) else { continue };
        // Beside the room air sensor.
        in_room(net, &vav.tag, &plan.rooms[room], 1.85, b.item);
    }
    for room in plan.rooms.iter().filter(|r| r.kind == Use::Bath) {
        let tag = format!("RAD-{}-BATH", room.storey);
        if let Some(host) = net.items.iter().position(|i| i.tag == tag) {
            in_room(net, &tag, room, 1.85, host);
        }
    }
}

fn actuators(net: &mut Net, control: usize, controllers: &[usize]) {
    let hosts: Vec<usize> = (0..net.items.len())
        .filter(|i| {
            let item = &net.items[*i];
            (item.class == "IfcValve" && item.predefined == "REGULATING")
                || (item.class == "IfcDamper" && item.predefined == "CONTROLDAMPER")
        })
        .collect();
    for host in hosts {
        let item = net.items[host].clone();
        net.storey = item.storey;
        let valve = item.class == "IfcValve";
        let d = if item.tag.starts_with("AHU") { 0.060 } else { 0.022 };
        let (at, out, kind) = if valve {
            let mid = 0.5 * dev::valve_length(d);
            (item.frame.world(DVec3::new(1.1 * d, 0.0, mid)), item.frame.turn(DVec3::X), "Valve actuator 0-10 V")
        } else {
            (item.frame.world(DVec3::new(0.0, 0.86, 0.1)), item.frame.turn(DVec3::Y), "Damper actuator 10 Nm")
        };
        probe(
            net,
            "IfcActuator",
            "ELECTRICACTUATOR",
            if valve { "Valve actuator" } else { "Damper actuator" },
            &format!("{}-A", item.tag),
            kind,
            at,
            out,
            Some(host),
            control,
            controllers,
        );
    }
}

/// Power to everything that turns or burns.
fn feeds(net: &mut Net, power: usize, boards: &[usize]) {
    let consumers: Vec<usize> = (0..net.items.len())
        .filter(|i| ["IfcPump", "IfcFan", "IfcChiller", "IfcBoiler", "IfcCoolingTower"].contains(&net.items[*i].class))
        .collect();
    for item in consumers {
        wire(net, boards[STOREYS], item, power, "power");
    }
}
