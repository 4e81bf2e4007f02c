//! The architecture model, `clinic-architecture.ifc`: IFC4X3, metres, written with `ifc_rs` and finished here.
//!
//! `ifc_rs` 0.1.0-alpha.9 writes the spatial structure, wall, slab, roof, window, door and space elements,
//! openings, types, material layers, property sets and their relations. What its builder cannot write, and
//! this file and [`super::finish`] put in:
//!
//! - GlobalIds that repeat (its own are random), the order of its relations (that of hash maps) and dates;
//! - walls along Y (its builder places walls along X), tags, predefined types of occurrences, long names and
//!   composition of spaces, elevations of storeys;
//! - units other than metre, radian and second; the map conversion and its projected CRS;
//! - shapes of windows and doors (it draws a window as one plain box), shared by representation maps;
//! - door placement, filling and types; surface styles and colours;
//! - columns, stairs, stair flights, landings, railings, members; zones; quantities; classification.

use super::finish::Meta;
use super::plan::{
    CORES, CORRIDOR, DEPTH, LENGTH, PLANT, PLANT_HEIGHT, Plan, SHAFTS, STOREY, STOREY_NAMES, STOREYS, Use,
};
use glam_027::{DVec2, DVec3};
use ifc_rs::prelude::*;
use std::collections::BTreeMap;

/// What is known of an element beyond what `ifc_rs` writes, by the name it was given.
pub type Notes = BTreeMap<String, Meta>;

/// Window: width, height, sill.
pub const WINDOW: [f64; 3] = [1.5, 1.9, 0.85];
/// Inner door: width, height.
pub const DOOR: [f64; 2] = [1.0, 2.1];
/// Entrance door: width, height.
pub const ENTRANCE: [f64; 2] = [2.0, 2.4];
/// Thickness of facade, inner and plant room walls.
pub const FACADE: f64 = 0.3;
const INNER: f64 = 0.12;
const PANEL: f64 = 0.2;

/// An opening of a wall.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Hole {
    Window,
    Door,
    Entrance,
}

/// One wall of a storey: from `at` along X, or along Y when turned.
struct WallOf {
    name: String,
    label: String,
    at: [f64; 3],
    length: f64,
    height: f64,
    turned: bool,
    kind: usize,
    holes: Vec<(Hole, f64)>,
}

/// The file as `ifc_rs` prints it, and the notes for finishing it.
pub fn draft(plan: &Plan) -> (String, Notes) {
    let mut notes = Notes::new();
    let mut builder = IfcProjectBuilder::new(
        ApplicationInfo {
            developer: Organization::new(None, "Plenum", None),
            version: env!("CARGO_PKG_VERSION"),
            name: "Plenum make-demo",
            short_name: "plenum",
        },
        OwnerInfo { owner: Person::empty().given_name("Architect"), organization_name: "Plenum" },
        plan.lot.building.as_str(),
    );
    {
        let mut site = builder.new_site(&plan.lot.site, DVec3::ZERO);
        let mut building = site.new_building(&plan.lot.building, DVec3::ZERO);
        for (s, name) in STOREY_NAMES.iter().enumerate() {
            let mut storey = building.new_storey(name, STOREY * s as f64);
            storey_of(&mut storey, plan, s, &mut notes);
        }
    }
    (builder.build(), notes)
}

fn windows(length: f64) -> Vec<(Hole, f64)> {
    let n = ((length - 0.7) / 2.2).floor().max(0.0) as usize;
    (0..n).map(|i| (Hole::Window, (i as f64 + 0.5) * length / n as f64 - 0.5 * WINDOW[0])).collect()
}

fn wall(
    name: String,
    label: &str,
    at: [f64; 3],
    length: f64,
    height: f64,
    turned: bool,
    kind: usize,
    holes: Vec<(Hole, f64)>,
) -> WallOf {
    WallOf { name, label: label.into(), at, length, height, turned, kind, holes }
}

fn walls_of(plan: &Plan, s: usize) -> Vec<WallOf> {
    let mut walls = Vec::new();
    if s == STOREYS {
        let (p, [x0, x1, y0, y1]) = (1.0, PLANT);
        for (n, at, l, t) in [
            ("S", [0.0, 0.0, 0.0], LENGTH, false),
            ("N", [0.0, DEPTH - FACADE, 0.0], LENGTH, false),
            ("W", [FACADE, FACADE, 0.0], DEPTH - 2.0 * FACADE, true),
            ("E", [LENGTH, FACADE, 0.0], DEPTH - 2.0 * FACADE, true),
        ] {
            walls.push(wall(format!("wall 4 parapet {n}"), "Parapet", at, l, p, t, 0, Vec::new()));
        }
        let h = PLANT_HEIGHT - 0.2;
        for (n, at, l, t, holes) in [
            ("S", [x0, y0, 0.0], x1 - x0, false, vec![(Hole::Entrance, 6.0)]),
            ("N", [x0, y1 - PANEL, 0.0], x1 - x0, false, Vec::new()),
            ("W", [x0 + PANEL, y0 + PANEL, 0.0], y1 - y0 - 2.0 * PANEL, true, vec![(Hole::Door, 2.0)]),
            ("E", [x1, y0 + PANEL, 0.0], y1 - y0 - 2.0 * PANEL, true, Vec::new()),
        ] {
            walls.push(wall(format!("wall 4 plant {n}"), "Plant room wall", at, l, h, t, 2, holes));
        }
        return walls;
    }
    let (south, north) = (&plan.south_walls[s], &plan.north_walls[s]);
    let clear = STOREY - 0.3;
    for (i, w) in south.windows(2).enumerate() {
        let l = w[1] - w[0];
        let holes = if s == 0 && i == 3 {
            vec![(Hole::Entrance, 0.5 * l - 2.2), (Hole::Entrance, 0.5 * l + 0.2)]
        } else {
            windows(l)
        };
        walls.push(wall(format!("wall {s} facade S{i}"), "Facade south", [w[0], 0.0, 0.0], l, STOREY, false, 0, holes));
    }
    let mut xs = vec![0.0, CORES[0][1]];
    xs.extend(north.iter().copied());
    xs.extend([CORES[1][0], LENGTH]);
    for (i, w) in xs.windows(2).enumerate() {
        let shaft = SHAFTS.iter().any(|c| (c[0] - w[0]).abs() < 0.01);
        let holes = if shaft { Vec::new() } else { windows(w[1] - w[0]) };
        walls.push(wall(
            format!("wall {s} facade N{i}"),
            "Facade north",
            [w[0], DEPTH - FACADE, 0.0],
            w[1] - w[0],
            STOREY,
            false,
            0,
            holes,
        ));
    }
    for (word, x) in [("W", FACADE), ("E", LENGTH)] {
        for (i, (y0, y1)) in
            [(FACADE, CORRIDOR[0]), (CORRIDOR[0], CORRIDOR[1]), (CORRIDOR[1], DEPTH - FACADE)].into_iter().enumerate()
        {
            let l = y1 - y0;
            let holes = match i {
                1 if s == 0 => vec![(Hole::Entrance, 0.2)],
                1 => vec![(Hole::Window, 0.45)],
                _ => windows(l),
            };
            walls.push(wall(
                format!("wall {s} facade {word}{i}"),
                "Facade gable",
                [x, y0, 0.0],
                l,
                STOREY,
                true,
                0,
                holes,
            ));
        }
    }
    // Corridor walls, one a room, each with its door.
    for (i, w) in south.windows(2).enumerate() {
        let (a, b) = (w[0].max(FACADE), w[1].min(LENGTH - FACADE));
        walls.push(wall(
            format!("wall {s} corridor S{i}"),
            "Corridor wall",
            [a, CORRIDOR[0] - 0.06, 0.0],
            b - a,
            clear,
            false,
            1,
            vec![(Hole::Door, 0.5 * (b - a) + 0.3)],
        ));
    }
    for (i, w) in xs.windows(2).enumerate() {
        let (a, b) = (w[0].max(FACADE), w[1].min(LENGTH - FACADE));
        let door = match i {
            0 => Some(3.3 - a),
            1 => None,
            2 => Some(0.35),
            i if i + 2 == xs.len() => Some(43.65 - a),
            _ if (SHAFTS[1][0] - w[0]).abs() < 0.01 => None,
            _ => Some(0.5 * (b - a) + 0.3),
        };
        walls.push(wall(
            format!("wall {s} corridor N{i}"),
            "Corridor wall",
            [a, CORRIDOR[1] - 0.06, 0.0],
            b - a,
            clear,
            false,
            1,
            door.map(|d| (Hole::Door, d)).into_iter().collect(),
        ));
    }
    for (i, x) in south[1..7].iter().enumerate() {
        walls.push(wall(
            format!("wall {s} partition S{i}"),
            "Partition",
            [x + 0.06, FACADE, 0.0],
            CORRIDOR[0] - 0.06 - FACADE,
            clear,
            true,
            1,
            Vec::new(),
        ));
    }
    for (i, x) in xs[1..xs.len() - 1].iter().enumerate() {
        walls.push(wall(
            format!("wall {s} partition N{i}"),
            "Partition",
            [x + 0.06, CORRIDOR[1] + 0.06, 0.0],
            DEPTH - FACADE - CORRIDOR[1] - 0.06,
            clear,
            true,
            1,
            Vec::new(),
        ));
    }
    walls
}

/// A boolean as `ifc_rs` wants it.
fn truth(v: bool) -> IfcValue {
    IfcValue::Bool(BoolValue(v.into()))
}

fn rect(x0: f64, y0: f64, x1: f64, y1: f64) -> Vec<DVec2> {
    [(x0, y0), (x1, y0), (x1, y1), (x0, y1), (x0, y0)].map(|(x, y)| DVec2::new(x, y)).to_vec()
}

fn storey_of(storey: &mut IfcStoreyBuilder<'_>, plan: &Plan, s: usize, notes: &mut Notes) {
    let kinds = [
        ("Insulated facade", "Brick and mineral wool", FACADE, 0.18, true),
        ("Plasterboard partition", "Plasterboard", INNER, 1.1, false),
        ("Sandwich panel", "Steel sandwich panel", PANEL, 0.24, true),
    ];
    let mut wall_kinds = Vec::new();
    for (k, (name, material, t, u, external)) in kinds.into_iter().enumerate() {
        let used = if s == STOREYS { k != 1 } else { k != 2 };
        if !used {
            wall_kinds.push(None);
            continue;
        }
        let layer = storey.material_layer(material, MaterialLayer::new(t, false).name(name));
        let set = storey.material_layer_set([layer]);
        let usage =
            storey.material_layer_set_usage(set, LayerSetDirectionEnum::Axis2, DirectionSenseEnum::Positive, 0.0);
        let of_type =
            storey.wall_type(set, name, if external { WallTypeEnum::Solidwall } else { WallTypeEnum::Partitioning });
        let mut p = storey.add_properties("Pset_WallCommon");
        let _ = p.single_property("IsExternal", truth(external), None);
        let _ = p.single_property("ThermalTransmittance", IfcValue::ThermalTransmittance(u.into()), None);
        wall_kinds.push(Some((usage, of_type, p.finish())));
    }
    let window_type =
        storey.window_type("Aluminium window", WindowTypeEnum::Window, WindowPartitioningTypeEnum::SinglePanel);
    let frame = storey.material_constituent("Aluminium", "Framing");
    let frames = storey.material_constituent_set([frame]);
    let mut p = storey.add_properties("Pset_WindowCommon");
    let _ = p.single_property("IsExternal", truth(true), None);
    let _ = p.single_property("ThermalTransmittance", IfcValue::ThermalTransmittance(0.9.into()), None);
    let window_set = p.finish();
    let mut made = Vec::new();
    for w in walls_of(plan, s) {
        let Some(Some((usage, of_type, set))) = wall_kinds.get(w.kind) else { continue };
        let [x, y, z] = w.at;
        let placement = DVec3::new(x, y, z);
        let mut wall = storey.vertical_wall(
            *usage,
            *of_type,
            &w.name,
            VerticalWallParameter { height: w.height, length: w.length, placement },
        );
        notes.insert(
            w.name.clone(),
            Meta::Wall {
                label: w.label.clone(),
                turned: w.turned,
                kind: w.kind,
                tag: format!("W-{}", &w.name[5..].replace(' ', "-")),
                length: w.length,
                height: w.height,
                thickness: kinds[w.kind].2,
            },
        );
        for (n, (hole, at)) in w.holes.iter().enumerate() {
            let name = format!("{} {n}", w.name);
            match hole {
                Hole::Window => {
                    let [width, height, sill] = WINDOW;
                    let id = wall.window_with_opening(
                        frames,
                        window_type,
                        &format!("window {name}"),
                        WindowParameter { height, width, placement: DVec3::new(*at, 0.0, sill) },
                        Direction3D::from(DVec3::Z),
                    );
                    notes.insert(
                        format!("window {name}"),
                        Meta::Window { tag: format!("WIN-{}", name[5..].replace(' ', "-")) },
                    );
                    made.push(id);
                }
                Hole::Door | Hole::Entrance => {
                    let entrance = *hole == Hole::Entrance;
                    let [width, height] = if entrance { ENTRANCE } else { DOOR };
                    let _ = wall.vertical_opening(
                        &format!("opening door {name}"),
                        OpeningParameter { height, length: width, placement: DVec3::new(*at, 0.0, 0.0) },
                    );
                    let operation = if entrance {
                        DoorOperationTypeEnum::DoubleDoorSingleSwing
                    } else {
                        DoorOperationTypeEnum::SingleSwingLeft
                    };
                    let door = Door::new(format!("door {name}").as_str())
                        .overall_height(height)
                        .overall_width(width)
                        .predefined_type(DoorTypeEnum::Door)
                        .operation_type(operation);
                    wall.get_ifc().data.insert_new(door);
                    notes.insert(
                        format!("door {name}"),
                        Meta::Door {
                            storey: s,
                            entrance,
                            thickness: kinds[w.kind].2,
                            tag: format!("D-{}", name[5..].replace(' ', "-")),
                        },
                    );
                }
            }
        }
        let id = wall.get_id();
        drop(wall);
        storey.relate_properties_object(*set, id);
    }
    for id in made {
        storey.relate_properties_object(window_set, id);
    }
    slabs(storey, s, notes);
    let kind = storey.space_type("Space", SpaceTypeEnum::Internal);
    for (i, room) in plan.rooms.iter().enumerate().filter(|(_, r)| r.storey == s) {
        let [x0, x1, y0, y1] = room.rect;
        let name = format!("space {}", room.number);
        let _ = storey.space(
            kind,
            &name,
            SpaceParameter {
                coords: rect(x0, y0, x1, y1),
                height: super::plan::clear_height(s),
                placement: DVec3::ZERO,
            },
        );
        notes.insert(name, Meta::Space { room: i });
    }
}

fn slabs(storey: &mut IfcStoreyBuilder<'_>, s: usize, notes: &mut Notes) {
    let (t, name, word, kind) = match s {
        0 => (0.5, "Base slab", "BASESLAB", SlabTypeEnum::BaseSlab),
        STOREYS => (0.25, "Roof slab", "ROOF", SlabTypeEnum::Roof),
        _ => (0.3, "Floor slab", "FLOOR", SlabTypeEnum::Floor),
    };
    let layer = storey.material_layer("Reinforced concrete", MaterialLayer::new(t, false).name("Concrete"));
    let set = storey.material_layer_set([layer]);
    let usage = storey.material_layer_set_usage(set, LayerSetDirectionEnum::Axis3, DirectionSenseEnum::Positive, 0.0);
    let of_type = storey.slab_type(set, name, kind);
    let (f, w, d) = (FACADE, LENGTH - FACADE, DEPTH - FACADE);
    // Upper floors leave the stair wells open.
    let outline = if (1..STOREYS).contains(&s) {
        let (a, b, y) = (CORES[0][1] - 0.06, CORES[1][0] + 0.06, super::finish::STAIR_Y);
        [(f, f), (w, f), (w, y), (b, y), (b, d), (a, d), (a, y), (f, y), (f, f)].map(|(x, y)| DVec2::new(x, y)).to_vec()
    } else {
        rect(f, f, w, d)
    };
    let top = if s == STOREYS { -0.05 } else { 0.0 };
    let label = format!("slab {s}");
    let mut p = storey.add_properties("Pset_SlabCommon");
    let _ = p.single_property("IsExternal", truth(s == 0 || s == STOREYS), None);
    let _ = p.single_property("LoadBearing", truth(true), None);
    let pset = p.finish();
    let slab = storey
        .horizontal_arbitrary_slab(
            usage,
            of_type,
            &label,
            HorizontalArbitrarySlabParameter { coords: outline, placement: DVec3::new(0.0, 0.0, top - t) },
        )
        .finish();
    storey.relate_properties_object(pset, slab);
    notes.insert(label, Meta::Slab { label: name.into(), word: word.into(), tag: format!("SL-{s}") });
    if s == STOREYS {
        let layer = storey.material_layer("Roofing membrane", MaterialLayer::new(0.05, false).name("Roofing"));
        let set = storey.material_layer_set([layer]);
        let usage =
            storey.material_layer_set_usage(set, LayerSetDirectionEnum::Axis3, DirectionSenseEnum::Positive, 0.0);
        let kind = storey.roof_type(set, "Flat roof", RoofTypeEnum::FlatRoof);
        let _ = storey.horizontal_arbitrary_roof(
            usage,
            kind,
            "roof main",
            HorizontalArbitraryRoofParameter { coords: rect(f, f, w, d), placement: DVec3::new(0.0, 0.0, -0.05) },
        );
        notes.insert("roof main".into(), Meta::Roof { label: "Flat roof".into(), tag: "RF-1".into() });
        let [x0, x1, y0, y1] = PLANT;
        let layer = storey.material_layer("Steel sandwich panel", MaterialLayer::new(0.2, false).name("Roof panel"));
        let set = storey.material_layer_set([layer]);
        let usage =
            storey.material_layer_set_usage(set, LayerSetDirectionEnum::Axis3, DirectionSenseEnum::Positive, 0.0);
        let kind = storey.roof_type(set, "Plant room roof", RoofTypeEnum::FlatRoof);
        let _ = storey.horizontal_arbitrary_roof(
            usage,
            kind,
            "roof plant",
            HorizontalArbitraryRoofParameter {
                coords: rect(x0 - 0.2, y0 - 0.2, x1 + 0.2, y1 + 0.2),
                placement: DVec3::new(0.0, 0.0, PLANT_HEIGHT - 0.2),
            },
        );
        notes.insert("roof plant".into(), Meta::Roof { label: "Plant room roof".into(), tag: "RF-2".into() });
    }
}

/// Zones: name and the rooms in it.
pub fn zones(plan: &Plan) -> Vec<(&'static str, Vec<usize>)> {
    let pick = |f: &dyn Fn(&super::plan::Room) -> bool| {
        (0..plan.rooms.len()).filter(|i| f(&plan.rooms[*i])).collect::<Vec<_>>()
    };
    let staff = ["Office", "Nurses", "Staff room", "Records", "Administration", "Doctors", "Seminar", "Kitchen"];
    vec![
        ("Clean rooms", pick(&|r| r.kind == Use::Clean)),
        ("Patient rooms", pick(&|r| r.kind == Use::Room && !staff.contains(&r.function))),
        ("Staff rooms", pick(&|r| r.kind == Use::Room && staff.contains(&r.function))),
        ("Circulation", pick(&|r| matches!(r.kind, Use::Corridor | Use::Stair))),
        ("Wet rooms", pick(&|r| r.kind == Use::Bath)),
        ("Technical rooms", pick(&|r| r.kind == Use::Plant)),
    ]
}
