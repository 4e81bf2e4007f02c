//! Finishes the draft that `ifc_rs` printed: repeatable ids and order, and what it cannot write.

use super::architecture::{self, DOOR, ENTRANCE, Notes, WINDOW};
use super::body::{Look, Part, block, look};
use super::mep::{Shared, write_sets};
use super::net::{Set, Value};
use super::place::{Lot, Place};
use super::plan::{Plan, STOREY, STOREY_NAMES};
use super::records::{Record, read, refs_in, words};
use super::step::{STAMP_SECONDS, Step, global_id, real, refs, text};
use glam::DVec3;
use std::collections::{BTreeMap, HashMap};

/// Where the stair flights begin.
pub const STAIR_Y: f64 = 12.6;

/// What an element is, beyond what the draft says.
#[derive(Clone, Debug)]
#[allow(missing_docs)]
pub enum Meta {
    Wall { label: String, turned: bool, kind: usize, tag: String, length: f64, height: f64, thickness: f64 },
    Window { tag: String },
    Door { storey: usize, entrance: bool, thickness: f64, tag: String },
    Slab { label: String, word: String, tag: String },
    Roof { label: String, tag: String },
    Space { room: usize },
}

pub(super) const CONCRETE: Look = look("Concrete", 0.70, 0.70, 0.68);
pub(super) const PARTITION: Look = look("Plaster", 0.93, 0.92, 0.89);
pub(super) const METAL: Look = look("Metal cladding", 0.50, 0.54, 0.58);
pub(super) const ALUMINIUM: Look = look("Anodised aluminium", 0.34, 0.36, 0.38);
pub(super) const WOOD: Look = look("Oak", 0.66, 0.49, 0.32);
pub(super) const STEEL: Look = look("Painted steel", 0.30, 0.33, 0.36);
pub(super) const MEMBRANE: Look = look("Roofing membrane", 0.56, 0.57, 0.58);
pub(super) const FLOOR: Look = look("Floor finish", 0.74, 0.72, 0.68);
pub(super) const GLASS: Look = Look { name: "Glass", rgb: [0.55, 0.72, 0.80], clear: 0.6 };
pub(super) const AIR: Look = Look { name: "Space", rgb: [0.60, 0.78, 0.70], clear: 0.85 };

/// The finished file.
pub fn write(plan: &Plan) -> String {
    let (draft, notes) = architecture::draft(plan);
    let records = read(&draft);
    Finish::new(plan, &notes, records).write()
}

pub(super) struct Finish<'a> {
    pub(super) plan: &'a Plan,
    pub(super) notes: &'a Notes,
    pub(super) records: BTreeMap<u32, Record>,
    /// Draft names (paths) by number.
    pub(super) paths: HashMap<u32, String>,
    pub(super) by_path: BTreeMap<String, u32>,
    pub(super) w: Shared,
    pub(super) owner: String,
}

impl<'a> Finish<'a> {
    pub(super) fn new(plan: &'a Plan, notes: &'a Notes, records: BTreeMap<u32, Record>) -> Self {
        let next = records.keys().next_back().map_or(1, |n| n + 1);
        let owner =
            records.iter().find(|(_, r)| r.keyword == "IFCOWNERHISTORY").map_or("$".into(), |(n, _)| format!("#{n}"));
        Self { plan, notes, records, paths: HashMap::new(), by_path: BTreeMap::new(), w: Shared::new(next, 1.0), owner }
    }

    pub(super) fn gid(&self, path: &str) -> String {
        global_id(self.plan.seed, &format!("architecture/{path}"))
    }

    pub(super) fn set(&mut self, id: u32, arg: usize, value: impl Into<String>) {
        if let Some(slot) = self.records.get_mut(&id).and_then(|r| r.args.get_mut(arg)) {
            *slot = value.into();
        }
    }

    pub(super) fn arg(&self, id: u32, arg: usize) -> Option<String> {
        self.records.get(&id)?.args.get(arg).cloned()
    }

    pub(super) fn first(&self, keyword: &str) -> Option<u32> {
        self.records.iter().find(|(_, r)| r.keyword == keyword).map(|(n, _)| *n)
    }

    pub(super) fn write(mut self) -> String {
        self.clear_out();
        self.identify();
        self.relations();
        let context = self.first("IFCGEOMETRICREPRESENTATIONCONTEXT").unwrap_or_default();
        let body = self.first("IFCGEOMETRICREPRESENTATIONSUBCONTEXT").unwrap_or(context);
        self.project(context);
        let mut sets = Vec::new();
        self.elements(body, &mut sets);
        self.additions(body, &mut sets);
        self.zones();
        let owner = self.owner.clone();
        write_sets(&mut self.w, self.plan.seed, &owner, &sets);
        let added = std::mem::replace(&mut self.w, Shared::new(1, 1.0)).into_body();
        self.sweep(&added);
        let mut text = String::new();
        for (id, r) in &self.records {
            text.push_str(&format!("#{id}={}({});\n", r.keyword, r.args.join(",")));
        }
        text.push_str(&added);
        let name = file_name(&self.plan.lot, "architecture.ifc");
        Step::file(&text, &name, "IFC4X3_ADD2", "ReferenceView")
    }

    // Property sets that hang on nothing; dates; booleans, which STEP writes with one letter.
    pub(super) fn clear_out(&mut self) {
        for arg in self.records.values_mut().filter(|r| r.keyword == "IFCPROPERTYSINGLEVALUE").flat_map(|r| &mut r.args)
        {
            *arg =
                arg.replace("IFCBOOLEAN(.TRUE.)", "IFCBOOLEAN(.T.)").replace("IFCBOOLEAN(.FALSE.)", "IFCBOOLEAN(.F.)");
        }
        let loose: Vec<u32> = self
            .records
            .iter()
            .filter(|(_, r)| {
                r.keyword == "IFCPROPERTYSET" && r.args.get(2).and_then(|a| words(a)) == Some("StoreyProperties")
            })
            .flat_map(|(n, r)| r.args.last().map(|a| refs_in(a)).unwrap_or_default().into_iter().chain([*n]))
            .collect();
        for id in loose {
            self.records.remove(&id);
        }
        if let Some(id) = self.first("IFCOWNERHISTORY") {
            self.set(id, 4, "$");
            self.set(id, 7, STAMP_SECONDS.to_string());
        }
    }

    // Names become paths, paths become GlobalIds.
    pub(super) fn identify(&mut self) {
        let mut seen: HashMap<String, usize> = HashMap::new();
        let rooted: Vec<(u32, String, String)> = self
            .records
            .iter()
            .filter(|(_, r)| {
                !r.keyword.starts_with("IFCREL")
                    && !r.keyword.starts_with("IFCMATERIAL")
                    && r.args.first().and_then(|a| words(a)).is_some_and(|w| w.len() == 22)
            })
            .map(|(n, r)| (*n, r.keyword.clone(), r.args.get(2).and_then(|a| words(a)).unwrap_or_default().to_owned()))
            .collect();
        for (id, keyword, name) in rooted {
            let n = seen.entry(format!("{keyword}/{name}")).or_insert(0);
            *n += 1;
            let path = if *n == 1 { format!("{keyword}/{name}") } else { format!("{keyword}/{name}/{n}") };
            let gid = format!("'{}'", self.gid(&path));
            self.set(id, 0, gid);
            let owner = self.owner.clone();
            self.set(id, 1, owner);
            self.paths.insert(id, path.clone());
            self.by_path.insert(if name.contains(' ') { name } else { path }, id);
        }
    }

    // The builder's relations come in the order of hash maps: sort what they hold, then themselves.
    pub(super) fn relations(&mut self) {
        let of: Vec<u32> =
            self.records.iter().filter(|(_, r)| r.keyword.starts_with("IFCREL")).map(|(n, _)| *n).collect();
        let mut list: Vec<(String, Record)> = Vec::new();
        for id in of {
            let Some(mut r) = self.records.remove(&id) else { continue };
            if r.args.iter().any(|a| a == "()") {
                continue;
            }
            for a in r.args.iter_mut().skip(4).filter(|a| a.starts_with('(')) {
                let mut ids = refs_in(a);
                ids.sort_unstable();
                ids.dedup();
                *a = refs(&ids);
            }
            let path = |a: &String| {
                refs_in(a)
                    .iter()
                    .map(|n| self.paths.get(n).cloned().unwrap_or_else(|| format!("#{n}")))
                    .collect::<Vec<_>>()
                    .join("+")
            };
            let key = format!("{}/{}", r.keyword, r.args.iter().skip(4).map(path).collect::<Vec<_>>().join("/"));
            list.push((key, r));
        }
        list.sort_by(|a, b| a.0.cmp(&b.0));
        for (key, mut r) in list {
            r.args[0] = format!("'{}'", self.gid(&key));
            r.args[1] = self.owner.clone();
            r.args[2] = "$".into();
            self.w.add(&r.keyword, &r.args.join(","));
        }
    }

    pub(super) fn project(&mut self, context: u32) {
        if let Some(id) = self.first("IFCUNITASSIGNMENT") {
            let mut units = refs_in(&self.arg(id, 0).unwrap_or_default());
            for u in [".AREAUNIT.,$,.SQUARE_METRE.", ".VOLUMEUNIT.,$,.CUBIC_METRE."] {
                units.push(self.w.add("IFCSIUNIT", &format!("*,{u}")));
            }
            let kelvin = self.w.add("IFCSIUNIT", "*,.THERMODYNAMICTEMPERATUREUNIT.,$,.KELVIN.");
            let watt = self.w.add("IFCSIUNIT", "*,.POWERUNIT.,$,.WATT.");
            let metre = self.w.add("IFCSIUNIT", "*,.LENGTHUNIT.,$,.METRE.");
            let per = [(watt, 1), (metre, -2), (kelvin, -1)]
                .map(|(u, e)| self.w.add("IFCDERIVEDUNITELEMENT", &format!("#{u},{e}")));
            units.extend([
                kelvin,
                watt,
                self.w.add("IFCDERIVEDUNIT", &format!("{},.THERMALTRANSMITTANCEUNIT.,$,$", refs(&per))),
            ]);
            self.set(id, 0, refs(&units));
        }
        if let Some(id) = self.first("IFCPROJECT") {
            self.set(id, 3, "'Architecture'");
        }
        Place::ARCHITECTURE.write(&self.plan.lot, &mut self.w, context);
        let storeys: Vec<u32> =
            self.records.iter().filter(|(_, r)| r.keyword == "IFCBUILDINGSTOREY").map(|(n, _)| *n).collect();
        for (i, id) in storeys.iter().enumerate() {
            self.set(*id, 8, ".ELEMENT.");
            self.set(*id, 9, real(STOREY * i as f64));
            if let Some(name) = STOREY_NAMES.get(i) {
                self.set(*id, 2, text(&self.plan.lot.name(name)));
            }
        }
        for keyword in ["IFCSITE", "IFCBUILDING"] {
            if let Some(id) = self.first(keyword) {
                self.set(id, 8, ".ELEMENT.");
            }
        }
    }

    // Shapes that were replaced are referred to by nothing: they and all that only they used go.
    pub(super) fn sweep(&mut self, added: &str) {
        let named = |text: &str| -> Vec<u32> {
            text.split('#')
                .skip(1)
                .filter_map(|t| t[..t.find(|c: char| !c.is_ascii_digit()).unwrap_or(t.len())].parse().ok())
                .collect()
        };
        let outside: std::collections::HashSet<u32> =
            added.lines().flat_map(|l| named(l.split_once('=').map_or("", |(_, args)| args))).collect();
        loop {
            let inside: std::collections::HashSet<u32> =
                self.records.values().flat_map(|r| r.args.iter().flat_map(|a| refs_in(a))).collect();
            let before = self.records.len();
            self.records.retain(|id, r| {
                let rooted = r.args.first().and_then(|a| words(a)).is_some_and(|w| w.len() == 22);
                rooted || outside.contains(id) || inside.contains(id) || r.keyword == "IFCPROJECT"
            });
            if self.records.len() == before {
                break;
            }
        }
    }

    pub(super) fn storeys(&self) -> Vec<(u32, String)> {
        self.records
            .iter()
            .filter(|(_, r)| r.keyword == "IFCBUILDINGSTOREY")
            .map(|(n, r)| (*n, r.args.get(5).cloned().unwrap_or_default()))
            .collect()
    }

    /// Styles every solid of an element's own shape.
    pub(super) fn paint(&mut self, id: u32, look: Look) {
        let style = self.w.style(look);
        let mut stack = refs_in(&self.arg(id, 6).unwrap_or_default());
        while let Some(n) = stack.pop() {
            let Some(r) = self.records.get(&n) else { continue };
            match r.keyword.as_str() {
                "IFCPRODUCTDEFINITIONSHAPE" => stack.extend(r.args.get(2).map(|a| refs_in(a)).unwrap_or_default()),
                "IFCSHAPEREPRESENTATION" => stack.extend(r.args.get(3).map(|a| refs_in(a)).unwrap_or_default()),
                _ => {
                    self.w.add("IFCSTYLEDITEM", &format!("#{n},(#{style}),$"));
                }
            }
        }
    }

    /// Replaces an element's shape, and drops the old one.
    pub(super) fn reshape(&mut self, id: u32, shape: u32) {
        self.set(id, 6, format!("#{shape}"));
    }

    pub(super) fn elements(&mut self, body: u32, sets: &mut Vec<(u32, String, Vec<Set>)>) {
        let facade = Look { name: "Facade", rgb: self.plan.facade, clear: 0.0 };
        let window = window_parts();
        let mut fills = Vec::new();
        for (name, meta) in self.notes {
            let Some(id) = self.by_path.get(name).copied() else { continue };
            let path = self.paths.get(&id).cloned().unwrap_or_default();
            match meta {
                Meta::Wall { label, turned, kind, tag, length, height, thickness } => {
                    self.label(id, label, tag);
                    self.set(
                        id,
                        8,
                        if *kind == 1 {
                            ".PARTITIONING."
                        } else if label == "Parapet" {
                            ".PARAPET."
                        } else {
                            ".SOLIDWALL."
                        },
                    );
                    if *turned {
                        self.turn(id);
                    }
                    self.paint(id, [facade, PARTITION, METAL][*kind]);
                    let q = vec![
                        ("Length", Value::QLength(*length)),
                        ("Height", Value::QLength(*height)),
                        ("Width", Value::QLength(*thickness)),
                        ("GrossSideArea", Value::QArea(length * height)),
                        ("GrossVolume", Value::QVolume(length * height * thickness)),
                    ];
                    sets.push((id, path, vec![("Qto_WallBaseQuantities".into(), q)]));
                }
                Meta::Window { tag } => {
                    self.label(id, "Window", tag);
                    for (arg, v) in [
                        (8, real(WINDOW[1])),
                        (9, real(WINDOW[0])),
                        (10, ".WINDOW.".into()),
                        (11, ".SINGLE_PANEL.".into()),
                    ] {
                        self.set(id, arg, v);
                    }
                    let shape = self.w.shape(&window, body, true);
                    self.reshape(id, shape);
                    let q = vec![
                        ("Width", Value::QLength(WINDOW[0])),
                        ("Height", Value::QLength(WINDOW[1])),
                        ("Area", Value::QArea(WINDOW[0] * WINDOW[1])),
                    ];
                    sets.push((id, path, vec![("Qto_WindowBaseQuantities".into(), q)]));
                }
                Meta::Door { storey, entrance, thickness, tag } => {
                    self.label(id, if *entrance { "Entrance door" } else { "Door" }, tag);
                    let shape = self.w.shape(&door_parts(*entrance, *thickness), body, true);
                    self.reshape(id, shape);
                    let Some(opening) = self.by_path.get(&format!("opening {name}")).copied() else { continue };
                    let at = self.arg(opening, 5).unwrap_or_default();
                    let axes = self.w.axes(DVec3::ZERO, DVec3::Z, DVec3::X);
                    let place = self.w.add("IFCLOCALPLACEMENT", &format!("{at},#{axes}"));
                    self.set(id, 5, format!("#{place}"));
                    fills.push((opening, id, *storey, *entrance));
                    let [w, h] = if *entrance { ENTRANCE } else { DOOR };
                    let q = vec![
                        ("Width", Value::QLength(w)),
                        ("Height", Value::QLength(h)),
                        ("Area", Value::QArea(w * h)),
                    ];
                    let common = vec![("IsExternal", Value::Bool(*entrance)), ("FireExit", Value::Bool(*entrance))];
                    sets.push((
                        id,
                        path,
                        vec![("Pset_DoorCommon".into(), common), ("Qto_DoorBaseQuantities".into(), q)],
                    ));
                }
                Meta::Slab { label, word, tag } => {
                    self.label(id, label, tag);
                    self.set(id, 8, format!(".{word}."));
                    self.paint(id, if word == "ROOF" { CONCRETE } else { FLOOR });
                }
                Meta::Roof { label, tag } => {
                    self.label(id, label, tag);
                    self.set(id, 8, ".FLAT_ROOF.");
                    self.paint(id, MEMBRANE);
                }
                Meta::Space { room } => {
                    let room = &self.plan.rooms[*room];
                    let number = text(&self.plan.lot.tag(&room.number));
                    let (gid, name, long) = (format!("'{}'", room.id), number, text(&room.name));
                    for (arg, v) in [(0, gid), (2, name), (7, long), (8, ".ELEMENT.".into()), (9, ".INTERNAL.".into())]
                    {
                        self.set(id, arg, v);
                    }
                    self.paint(id, AIR);
                    let q = vec![
                        ("Height", Value::QLength(super::plan::clear_height(room.storey))),
                        ("GrossFloorArea", Value::QArea(room.area())),
                        ("NetFloorArea", Value::QArea(room.area())),
                        ("NetVolume", Value::QVolume(room.volume())),
                    ];
                    let common = vec![
                        ("Reference", Value::Identifier(room.number.clone())),
                        ("IsExternal", Value::Bool(false)),
                        ("PubliclyAccessible", Value::Bool(room.storey == 0)),
                    ];
                    let covering = vec![("FloorCovering", Value::Label(room.finish.into()))];
                    sets.push((
                        id,
                        path,
                        vec![
                            ("Pset_SpaceCommon".into(), common),
                            ("Pset_SpaceCoveringRequirements".into(), covering),
                            ("Qto_SpaceBaseQuantities".into(), q),
                        ],
                    ));
                }
            }
        }
        self.doors(&fills);
    }

    pub(super) fn label(&mut self, id: u32, name: &str, tag: &str) {
        self.set(id, 2, text(name));
        self.set(id, 7, text(&self.plan.lot.tag(tag)));
    }

    // The wall's own placement gets an X axis along Y.
    pub(super) fn turn(&mut self, id: u32) {
        let place = refs_in(&self.arg(id, 5).unwrap_or_default());
        let axes = place.first().and_then(|p| refs_in(&self.arg(*p, 1)?).first().copied());
        let Some(axes) = axes else { return };
        let (z, x) = (self.w.direction(DVec3::Z), self.w.direction(DVec3::Y));
        self.set(axes, 1, format!("#{z}"));
        self.set(axes, 2, format!("#{x}"));
    }

    pub(super) fn doors(&mut self, fills: &[(u32, u32, usize, bool)]) {
        let owner = self.owner.clone();
        let storeys = self.storeys();
        let mut per: BTreeMap<usize, Vec<u32>> = BTreeMap::new();
        let mut types: BTreeMap<bool, Vec<u32>> = BTreeMap::new();
        for (opening, door, storey, entrance) in fills {
            let g = self.gid(&format!("fills/{}", self.paths.get(door).cloned().unwrap_or_default()));
            self.w.add("IFCRELFILLSELEMENT", &format!("'{g}',{owner},$,$,#{opening},#{door}"));
            per.entry(*storey).or_default().push(*door);
            types.entry(*entrance).or_default().push(*door);
        }
        for (storey, doors) in per {
            let g = self.gid(&format!("doors/{storey}"));
            if let Some((s, _)) = storeys.get(storey) {
                self.w.add("IFCRELCONTAINEDINSPATIALSTRUCTURE", &format!("'{g}',{owner},$,$,{},#{s}", refs(&doors)));
            }
        }
        for (entrance, doors) in types {
            let (name, operation) = if entrance {
                ("Glazed double door", "DOUBLE_DOOR_SINGLE_SWING")
            } else {
                ("Oak door", "SINGLE_SWING_LEFT")
            };
            let g = self.gid(&format!("type/{name}"));
            let t = self.w.add("IFCDOORTYPE", &format!("'{g}',{owner},'{name}',$,$,$,$,$,$,.DOOR.,.{operation}.,$,$"));
            let g = self.gid(&format!("of-type/{name}"));
            self.w.add("IFCRELDEFINESBYTYPE", &format!("'{g}',{owner},$,$,{},#{t}", refs(&doors)));
        }
    }

    /// An element that the draft cannot hold; `place` is its storey's placement.
    pub(super) fn element(
        &mut self,
        keyword: &str,
        tag: &str,
        name: &str,
        place: &str,
        at: DVec3,
        parts: &[Part],
        body: u32,
        rest: &str,
    ) -> u32 {
        let shape = if parts.is_empty() { "$".into() } else { format!("#{}", self.w.shape(parts, body, true)) };
        let axes = self.w.axes(at, DVec3::Z, DVec3::X);
        let p = self.w.add("IFCLOCALPLACEMENT", &format!("{place},#{axes}"));
        let g = self.gid(&format!("{keyword}/{tag}"));
        let (owner, tag) = (self.owner.clone(), text(&self.plan.lot.tag(tag)));
        self.w.add(keyword, &format!("'{g}',{owner},{},$,$,#{p},{shape},{tag},{rest}", text(name)))
    }
}

/// How a file of a building is called: `clinic-mep.ifc`, `b07-mep.ifc`.
pub(super) fn file_name(lot: &Lot, kind: &str) -> String {
    let code = if lot.code.is_empty() { "clinic".to_owned() } else { lot.code.to_lowercase() };
    format!("{code}-{kind}")
}

/// A window's frame, mullion and panes; local frame: its opening's corner.
fn window_parts() -> Vec<Part> {
    let [w, h, _] = WINDOW;
    let (y0, y1, f) = (0.10, 0.18, 0.07);
    vec![
        block([0.0, y0, 0.0], [w, y1, f], ALUMINIUM),
        block([0.0, y0, h - f], [w, y1, h], ALUMINIUM),
        block([0.0, y0, f], [f, y1, h - f], ALUMINIUM),
        block([w - f, y0, f], [w, y1, h - f], ALUMINIUM),
        block([f, y0 + 0.01, 0.55], [w - f, y1 - 0.01, 0.60], ALUMINIUM),
        block([f, y0 + 0.03, f], [w - f, y0 + 0.05, 0.55], GLASS),
        block([f, y0 + 0.03, 0.60], [w - f, y0 + 0.05, h - f], GLASS),
        block([-0.03, -0.04, -0.04], [w + 0.03, y0, 0.0], ALUMINIUM),
    ]
}

fn door_parts(entrance: bool, wall: f64) -> Vec<Part> {
    let [w, h] = if entrance { ENTRANCE } else { DOOR };
    let f = 0.06;
    if !entrance {
        return vec![
            block([0.0, -0.01, 0.0], [f, wall + 0.01, h], STEEL),
            block([w - f, -0.01, 0.0], [w, wall + 0.01, h], STEEL),
            block([f, -0.01, h - f], [w - f, wall + 0.01, h], STEEL),
            block([f, 0.04, 0.01], [w - f, 0.08, h - f], WOOD),
            block([w - 0.2, -0.01, 1.02], [w - 0.1, 0.13, 1.05], ALUMINIUM),
        ];
    }
    let (y0, y1) = (0.4 * wall, 0.4 * wall + 0.08);
    let mut parts = vec![block([0.0, y0, h - f], [w, y1, h], ALUMINIUM)];
    for x in [0.0, 0.5 * w - f, 0.5 * w, w - f] {
        parts.push(block([x, y0, 0.0], [x + f, y1, h - f], ALUMINIUM));
    }
    for (a, b) in [(f, 0.5 * w - f), (0.5 * w + f, w - f)] {
        parts.push(block([a, y0 + 0.02, 0.0], [b, y1 - 0.02, 0.12], ALUMINIUM));
        parts.push(block([a, y0 + 0.03, 0.12], [b, y0 + 0.05, h - f], GLASS));
    }
    parts.push(block([0.5 * w - 0.13, y0 - 0.06, 0.9], [0.5 * w - 0.10, y0 - 0.03, 1.5], STEEL));
    parts.push(block([0.5 * w + 0.10, y0 - 0.06, 0.9], [0.5 * w + 0.13, y0 - 0.03, 1.5], STEEL));
    parts
}
