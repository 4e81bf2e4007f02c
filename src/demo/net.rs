//! Lays ducts and pipes: every piece is put where the last one ends, so ports meet by construction.
//!
//! An [`End`] is an open port with a place and a direction. Laying a piece on it joins the two ports
//! and gives the next end. Supply is laid from its source, return (`against`) from where it comes back to.

use super::body::{Look, Part, Section, Solid, elbow, frustum, profile, side, straight};
use super::place::Lot;
use glam::DVec3;
use std::collections::BTreeMap;

/// Millimetre that two joined ports may lie apart.
pub const MEET_M: f64 = 1e-6;

pub use super::parts::{Domain, End, Fitted, Flow, Frame, Item, Port, Set, System, Value};

/// The services model while it is laid.
#[derive(Debug, Default)]
pub struct Net {
    /// Elements.
    pub items: Vec<Item>,
    /// Ports.
    pub ports: Vec<Port>,
    /// Joined ports.
    pub joints: Vec<(usize, usize)>,
    /// Systems.
    pub systems: Vec<System>,
    /// Storey that is being laid.
    pub storey: usize,
    /// What does not fit, in words; empty when all is well.
    pub faults: Vec<String>,
    counters: BTreeMap<&'static str, usize>,
}

impl Net {
    /// Adds a system.
    pub fn system(&mut self, name: &str, predefined: &'static str, domain: Domain, look: Look) -> usize {
        self.systems.push(System { name: name.into(), predefined, domain, look });
        self.systems.len() - 1
    }

    /// Adds an element on the current storey.
    pub fn item(
        &mut self,
        class: &'static str,
        predefined: &'static str,
        name: &str,
        tag: &str,
        kind: &str,
        frame: Frame,
        parts: Vec<Part>,
    ) -> usize {
        self.items.push(Item {
            class,
            predefined,
            object_type: "",
            name: name.into(),
            tag: tag.into(),
            kind: kind.into(),
            storey: self.storey,
            systems: Vec::new(),
            frame,
            parts,
            sets: Vec::new(),
            part_of: None,
            host: None,
            material: "Steel",
        });
        self.items.len() - 1
    }

    /// Adds a port at a place of the element's own frame.
    pub fn port(
        &mut self,
        item: usize,
        name: &str,
        local: [f64; 3],
        dir: [f64; 3],
        section: Section,
        flow: Flow,
        system: usize,
    ) -> End {
        let frame = self.items[item].frame;
        let (pos, dir) = (frame.world(DVec3::from_array(local)), frame.turn(DVec3::from_array(dir)));
        self.port_at(item, name, pos, dir, section, flow, system)
    }

    fn port_at(
        &mut self,
        item: usize,
        name: &str,
        pos: DVec3,
        dir: DVec3,
        section: Section,
        flow: Flow,
        system: usize,
    ) -> End {
        self.ports.push(Port { item, name: name.into(), at: Some(pos), dir, flow, system });
        let element = &mut self.items[item];
        if !element.systems.contains(&system) {
            element.systems.push(system);
        }
        End { port: self.ports.len() - 1, pos, dir, section, against: flow == Flow::Sink, system }
    }

    /// Adds a cable port (no place) and gives its number.
    pub fn cable(&mut self, item: usize, name: &str, flow: Flow, system: usize) -> usize {
        self.ports.push(Port { item, name: name.into(), at: None, dir: DVec3::ZERO, flow, system });
        let element = &mut self.items[item];
        if !element.systems.contains(&system) {
            element.systems.push(system);
        }
        self.ports.len() - 1
    }

    /// Joins two ports without a place.
    pub fn plug(&mut self, from: usize, to: usize) {
        self.joints.push((from, to));
    }

    /// Joins an end to another end that lies against it.
    pub fn join(&mut self, a: End, b: End) {
        if a.pos.distance(b.pos) > MEET_M || a.dir.dot(b.dir) > -0.999 {
            let (i, j) = (self.ports[a.port].item, self.ports[b.port].item);
            self.faults.push(format!(
                "{} ({:?} to {:?}) and {} ({:?} to {:?}) do not meet",
                self.items[i].tag, a.pos, a.dir, self.items[j].tag, b.pos, b.dir
            ));
        }
        self.joints.push(if a.against { (b.port, a.port) } else { (a.port, b.port) });
    }

    /// Tags and systems become those of a building among others; so does what names a tag.
    pub fn belong_to(&mut self, lot: &Lot) {
        if lot.code.is_empty() {
            return;
        }
        for item in &mut self.items {
            for (name, value) in item.sets.iter_mut().flat_map(|(_, values)| values) {
                match value {
                    Value::Identifier(word) if *name == "AirHandler" || *word == item.tag => *word = lot.tag(word),
                    _ => {}
                }
            }
            item.tag = lot.tag(&item.tag);
        }
        for system in &mut self.systems {
            system.name = lot.name(&system.name);
        }
    }

    fn next(&mut self, prefix: &'static str) -> String {
        let n = self.counters.entry(prefix).or_insert(0);
        *n += 1;
        format!("{prefix}-{n:04}")
    }

    /// The element that an end belongs to.
    pub fn owner(&self, end: End) -> usize {
        self.ports[end.port].item
    }

    fn domain(&self, end: End) -> Domain {
        self.systems[end.system].domain
    }

    // A piece on an end: its own first port is joined to the end.
    fn piece(
        &mut self,
        end: End,
        class: &'static str,
        predefined: &'static str,
        name: &str,
        tag: &str,
        kind: &str,
        x: DVec3,
        parts: Vec<Part>,
    ) -> usize {
        let item = self.item(class, predefined, name, tag, kind, Frame { origin: end.pos, z: end.dir, x }, parts);
        let flow = if end.against { Flow::Source } else { Flow::Sink };
        let first = self.port_at(
            item,
            if end.against { "outlet" } else { "inlet" },
            end.pos,
            -end.dir,
            end.section,
            flow,
            end.system,
        );
        self.join(end, first);
        item
    }

    fn exit(
        &mut self,
        item: usize,
        end: End,
        name: &str,
        pos: DVec3,
        dir: DVec3,
        section: Section,
        against: bool,
    ) -> End {
        let flow = if against { Flow::Sink } else { Flow::Source };
        self.port_at(item, name, pos, dir, section, flow, end.system)
    }

    fn far(end: End) -> &'static str {
        if end.against { "inlet" } else { "outlet" }
    }

    /// Straight on to the foot of `to` on the way; long runs are of several pieces.
    pub fn go(&mut self, end: End, to: DVec3) -> End {
        let way = to - end.pos;
        let length = way.dot(end.dir);
        if (way - length * end.dir).length() > MEET_M || length < -MEET_M {
            let tag = self.items[self.owner(end)].tag.clone();
            self.faults.push(format!("cannot go from {:?} of {tag} along {:?} to {to:?}", end.pos, end.dir));
            return end;
        }
        if length < 0.001 {
            return end;
        }
        let duct = self.domain(end) == Domain::Duct;
        let longest = if duct { 2.4 } else { 6.0 };
        let n = (length / longest - 1e-6).ceil().max(1.0);
        let look = self.systems[end.system].look;
        let mut end = end;
        for i in 0..n as usize {
            let piece_end = if i + 1 == n as usize { to } else { end.pos + end.dir * (length / n) };
            let l = (piece_end - end.pos).dot(end.dir);
            let (class, prefix, name, kind) = if duct {
                ("IfcDuctSegment", "DS", "Duct", format!("Duct {}", end.section.label()))
            } else {
                ("IfcPipeSegment", "PS", "Pipe", format!("Pipe OD {}", end.section.label()))
            };
            let tag = self.next(prefix);
            let parts = vec![straight(end.section, end.dir, l, look)];
            let item = self.piece(end, class, "RIGIDSEGMENT", name, &tag, &kind, side(end.dir), parts);
            let section = end.section;
            self.items[item].material = if duct { "Galvanised steel" } else { "Carbon steel" };
            self.items[item].sets = segment_sets(duct, section, l);
            end = self.exit(item, end, Self::far(end), piece_end, end.dir, section, end.against);
        }
        end
    }

    /// How far a bend reaches from its corner.
    pub fn reach(&self, end: End, to: DVec3) -> f64 {
        match (self.domain(end), end.section) {
            (Domain::Duct, s) => 0.5 * s.extent(end.dir, to) + 0.08,
            (_, s) => 1.5 * s.extent(end.dir, to),
        }
    }

    fn fitting(&self, end: End) -> (&'static str, &'static str, &'static str) {
        if self.domain(end) == Domain::Duct {
            ("IfcDuctFitting", "DF", "Duct")
        } else {
            ("IfcPipeFitting", "PF", "Pipe")
        }
    }

    fn fitting_sets(&mut self, item: usize, duct: bool, section: Section, length: f64) {
        self.items[item].material = if duct { "Galvanised steel" } else { "Carbon steel" };
        self.items[item].sets = vec![
            (
                if duct { "Pset_DuctFittingTypeCommon" } else { "Pset_PipeFittingTypeCommon" }.into(),
                vec![("PressureClass", Value::Pressure(if duct { 1000.0 } else { 600_000.0 }))],
            ),
            (
                if duct { "Qto_DuctFittingBaseQuantities" } else { "Qto_PipeFittingBaseQuantities" }.into(),
                vec![
                    ("Length", Value::QLength(length)),
                    ("GrossCrossSectionArea", Value::QArea(section.area())),
                    ("OuterSurfaceArea", Value::QArea(section.girth() * length)),
                    (
                        "GrossWeight",
                        Value::QWeight(
                            (section.girth() * length * if duct { 7.0 } else { 28.0 } * 10.0).round() / 10.0,
                        ),
                    ),
                ],
            ),
        ];
    }

    /// A quarter bend towards `to`.
    pub fn bend(&mut self, end: End, to: DVec3) -> End {
        let r = self.reach(end, to);
        let (class, prefix, word) = self.fitting(end);
        let tag = self.next(prefix);
        let look = self.systems[end.system].look;
        let part = elbow(end.section, end.dir, to, r, look);
        let item = self.piece(
            end,
            class,
            "BEND",
            &format!("{word} bend"),
            &tag,
            &format!("{word} bend 90 {}", end.section.label()),
            to,
            vec![part],
        );
        self.fitting_sets(item, class == "IfcDuctFitting", end.section, r * std::f64::consts::FRAC_PI_2);
        let pos = end.pos + r * end.dir + r * to;
        self.exit(item, end, Self::far(end), pos, to, end.section.turned(end.dir, to), end.against)
    }

    /// Along a line of corners, with bends, to the last of them.
    pub fn route(&mut self, end: End, corners: &[[f64; 3]]) -> End {
        let mut end = end;
        for (i, corner) in corners.iter().enumerate() {
            let corner = DVec3::from_array(*corner);
            let Some(next) = corners.get(i + 1) else { return self.go(end, corner) };
            let to = (DVec3::from_array(*next) - corner).normalize_or_zero();
            if to.dot(end.dir) > 0.999 {
                continue;
            }
            let r = self.reach(end, to);
            let stop = corner - r * end.dir;
            end = self.go(end, stop);
            end = self.bend(end, to);
        }
        end
    }

    /// A tee whose centre is at the foot of `centre` on the way: the way on, and the branch.
    /// `merge` turns the branch's flow: it comes in where the main goes on, or the other way about.
    pub fn tee(&mut self, end: End, centre: DVec3, branch: DVec3, section: Section, merge: bool) -> (End, End) {
        let (item, half, end) = self.junction(end, centre, branch, section, "tee");
        let centre = end.pos + half * end.dir;
        let on = self.exit(item, end, Self::far(end), centre + half * end.dir, end.dir, end.section, end.against);
        let out = self.stub(item, end, centre, branch, section, merge);
        (on, out)
    }

    /// A tee whose way on is capped: only the branch goes on.
    pub fn last_tee(&mut self, end: End, centre: DVec3, branch: DVec3, section: Section) -> End {
        let (item, half, end) = self.junction(end, centre, branch, section, "end tee");
        let centre = end.pos + half * end.dir;
        self.stub(item, end, centre, branch, section, false)
    }

    fn junction(&mut self, end: End, centre: DVec3, branch: DVec3, section: Section, word2: &str) -> (usize, f64, End) {
        let half = 0.5 * section.extent(branch, end.dir) + if self.domain(end) == Domain::Duct { 0.06 } else { 0.02 };
        let foot = end.pos + (centre - end.pos).dot(end.dir) * end.dir;
        let end = self.go(end, foot - half * end.dir);
        let (class, prefix, word) = self.fitting(end);
        let tag = self.next(prefix);
        let look = self.systems[end.system].look;
        let reach = self.stub_reach(end, branch);
        let parts = vec![
            Part {
                solid: Solid::Extrude {
                    profile: profile(end.section, end.dir, branch),
                    at: DVec3::ZERO,
                    axis: DVec3::Z,
                    x: DVec3::X,
                    length: 2.0 * half,
                },
                look,
            },
            Part {
                solid: Solid::Extrude {
                    profile: profile(section, branch, end.dir),
                    at: DVec3::Z * half,
                    axis: DVec3::X,
                    x: DVec3::Z,
                    length: reach,
                },
                look,
            },
        ];
        let kind = format!("{word} {word2} {} / {}", end.section.label(), section.label());
        let item = self.piece(end, class, "JUNCTION", &format!("{word} {word2}"), &tag, &kind, branch, parts);
        self.fitting_sets(item, class == "IfcDuctFitting", end.section, 2.0 * half);
        (item, half, end)
    }

    fn stub_reach(&self, end: End, branch: DVec3) -> f64 {
        0.5 * end.section.extent(end.dir, branch) + if self.domain(end) == Domain::Duct { 0.06 } else { 0.02 }
    }

    fn stub(&mut self, item: usize, end: End, centre: DVec3, branch: DVec3, section: Section, merge: bool) -> End {
        let reach = self.stub_reach(end, branch);
        self.exit(item, end, "branch", centre + reach * branch, branch, section, end.against != merge)
    }

    /// A tee at the head of a run: it goes both ways square to `end`; first the way `to`, then the other.
    pub fn split(&mut self, end: End, centre: DVec3, to: DVec3, section: Section) -> (End, End) {
        let half = 0.5 * end.section.extent(end.dir, to) + if self.domain(end) == Domain::Duct { 0.06 } else { 0.02 };
        let reach = 0.5 * section.extent(to, end.dir) + 0.04;
        let end = self.go(end, centre - reach * end.dir);
        let (class, prefix, word) = self.fitting(end);
        let tag = self.next(prefix);
        let look = self.systems[end.system].look;
        let parts = vec![
            Part {
                solid: Solid::Extrude {
                    profile: profile(end.section, end.dir, to),
                    at: DVec3::ZERO,
                    axis: DVec3::Z,
                    x: DVec3::X,
                    length: reach,
                },
                look,
            },
            Part {
                solid: Solid::Extrude {
                    profile: profile(section, to, end.dir),
                    at: DVec3::Z * reach - DVec3::X * half,
                    axis: DVec3::X,
                    x: DVec3::Z,
                    length: 2.0 * half,
                },
                look,
            },
        ];
        let kind = format!("{word} head tee {}", section.label());
        let item = self.piece(end, class, "JUNCTION", &format!("{word} tee"), &tag, &kind, to, parts);
        self.fitting_sets(item, class == "IfcDuctFitting", section, 2.0 * half);
        let a = self.exit(item, end, "branch 1", centre + half * to, to, section, end.against);
        let b = self.exit(item, end, "branch 2", centre - half * to, -to, section, end.against);
        (a, b)
    }

    /// A change of section over `length`.
    pub fn reduce(&mut self, end: End, section: Section, length: f64) -> End {
        let (class, prefix, word) = self.fitting(end);
        let tag = self.next(prefix);
        let look = self.systems[end.system].look;
        let s = side(end.dir);
        let size = |c: Section| [c.extent(end.dir, s), c.extent(end.dir, end.dir.cross(s))];
        let part = match (end.section, section) {
            (Section::Round { .. }, _) | (_, Section::Round { .. }) => {
                let wide = if end.section.area() > section.area() { end.section } else { section };
                straight(wide, end.dir, length, look)
            }
            (a, b) => frustum(size(a), size(b), length, look),
        };
        let kind = format!("{word} transition {} - {}", end.section.label(), section.label());
        let item = self.piece(end, class, "TRANSITION", &format!("{word} transition"), &tag, &kind, s, vec![part]);
        self.fitting_sets(item, class == "IfcDuctFitting", section, length);
        self.exit(item, end, Self::far(end), end.pos + length * end.dir, end.dir, section, end.against)
    }

    /// Puts a device in the run.
    pub fn fit(&mut self, end: End, what: Fitted) -> (End, usize) {
        let x = if end.dir.z.abs() > 0.5 { DVec3::X } else { DVec3::Z };
        let item = self.piece(end, what.class, what.predefined, &what.name, &what.tag, &what.kind, x, what.parts);
        self.items[item].sets = what.sets;
        let on =
            self.exit(item, end, Self::far(end), end.pos + what.length * end.dir, end.dir, end.section, end.against);
        (on, item)
    }

    /// Puts a device at the run's end.
    pub fn finish(&mut self, end: End, what: Fitted) -> usize {
        let x = if end.dir.z.abs() > 0.5 { DVec3::X } else { DVec3::Z };
        let item = self.piece(end, what.class, what.predefined, &what.name, &what.tag, &what.kind, x, what.parts);
        self.items[item].sets = what.sets;
        item
    }
}

fn segment_sets(duct: bool, section: Section, length: f64) -> Vec<Set> {
    let quantities = |name: &str, kg_m2: f64, net: f64| {
        (
            name.to_owned(),
            vec![
                ("Length", Value::QLength(length)),
                ("GrossCrossSectionArea", Value::QArea(section.area())),
                ("NetCrossSectionArea", Value::QArea(net)),
                ("OuterSurfaceArea", Value::QArea(section.girth() * length)),
                ("GrossWeight", Value::QWeight((section.girth() * length * kg_m2 * 100.0).round() / 100.0)),
            ],
        )
    };
    let (first, second) = match section {
        Section::Rect { w, h } => (w, h),
        Section::Round { d } => (d, d),
    };
    if duct {
        vec![
            (
                "Pset_DuctSegmentTypeCommon".into(),
                vec![
                    ("WorkingPressure", Value::Pressure(500.0)),
                    ("NominalDiameterOrWidth", Value::Length(first)),
                    ("NominalHeight", Value::Length(second)),
                ],
            ),
            quantities("Qto_DuctSegmentBaseQuantities", 7.0, section.girth() * 0.0008),
        ]
    } else {
        let wall = (0.04 * first).max(0.0026);
        vec![
            (
                "Pset_PipeSegmentTypeCommon".into(),
                vec![
                    ("WorkingPressure", Value::Pressure(600_000.0)),
                    ("NominalDiameter", Value::Length(first)),
                    ("InnerDiameter", Value::Length(first - 2.0 * wall)),
                    ("OuterDiameter", Value::Length(first)),
                ],
            ),
            quantities("Qto_PipeSegmentBaseQuantities", wall * 7850.0, section.girth() * wall),
        ]
    }
}
