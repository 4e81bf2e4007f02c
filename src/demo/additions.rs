//! What the architecture model gets beyond its draft: columns, stairs, railings, zones, classification.

use super::architecture::{self, FACADE};
use super::body::{Part, block};
use super::finish::{ALUMINIUM, CONCRETE, Finish, STAIR_Y, STEEL, WOOD};
use super::net::{Set, Value};
use super::plan::{CORES, DEPTH, STOREY, STOREYS};
use super::step::{real, refs, text};
use glam::{DVec3, dvec3};

impl Finish<'_> {
    pub(super) fn additions(&mut self, body: u32, sets: &mut Vec<(u32, String, Vec<Set>)>) {
        let owner = self.owner.clone();
        for (s, (storey, place)) in self.storeys().into_iter().enumerate() {
            let mut here = Vec::new();
            if s < STOREYS {
                let column = vec![block([-0.15, 0.0, 0.0], [0.15, 0.35, 3.7], CONCRETE)];
                let (south, north) = (self.plan.south_walls[s].clone(), self.plan.north_walls[s].clone());
                for (word, list, y) in [("S", &south[1..7], FACADE), ("N", &north[1..5], DEPTH - FACADE - 0.35)] {
                    for (i, x) in list.iter().enumerate() {
                        let tag = format!("COL-{s}-{word}{i}");
                        let c = self.element(
                            "IFCCOLUMN",
                            &tag,
                            "Column",
                            &place,
                            dvec3(*x, y, 0.0),
                            &column,
                            body,
                            ".COLUMN.",
                        );
                        let q =
                            vec![("Length", Value::QLength(3.7)), ("GrossVolume", Value::QVolume(0.3 * 0.35 * 3.7))];
                        sets.push((
                            c,
                            tag,
                            vec![
                                ("Pset_ColumnCommon".into(), vec![("LoadBearing", Value::Bool(true))]),
                                ("Qto_ColumnBaseQuantities".into(), q),
                            ],
                        ));
                        here.push(c);
                    }
                }
            }
            if s + 1 < STOREYS {
                for (k, core) in CORES.iter().enumerate() {
                    here.push(self.stair(body, &place, s, k, core[0].max(FACADE) + 0.12));
                }
            }
            if s == 0 {
                let x = 0.5 * (self.plan.south_walls[0][3] + self.plan.south_walls[0][4]);
                let parts = vec![
                    block([-3.2, -2.6, 2.75], [3.2, 0.0, 2.95], ALUMINIUM),
                    block([-3.0, -2.45, 0.0], [-2.9, -2.35, 2.75], STEEL),
                    block([2.9, -2.45, 0.0], [3.0, -2.35, 2.75], STEEL),
                ];
                here.push(self.element(
                    "IFCBUILDINGELEMENTPROXY",
                    "CAN-1",
                    "Entrance canopy",
                    &place,
                    dvec3(x, 0.0, 0.0),
                    &parts,
                    body,
                    ".ELEMENT.",
                ));
            }
            if !here.is_empty() {
                let g = self.gid(&format!("added/{s}"));
                self.w
                    .add("IFCRELCONTAINEDINSPATIALSTRUCTURE", &format!("'{g}',{owner},$,$,{},#{storey}", refs(&here)));
            }
        }
        self.classify();
    }

    /// A stair of two flights with a landing between; gives the stair, its parts are aggregated.
    pub(super) fn stair(&mut self, body: u32, place: &str, s: usize, k: usize, x: f64) -> u32 {
        let owner = self.owner.clone();
        let tag = format!("ST-{s}-{k}");
        let (rise, tread, width) = (STOREY / 24.0, 0.28, 2.0);
        let flight: Vec<Part> = (0..12)
            .map(|i| {
                let (i, top) = (f64::from(i), rise * (f64::from(i) + 1.0));
                block([0.0, i * tread, (top - 0.34).max(0.0)], [width, (i + 1.0) * tread, top], CONCRETE)
            })
            .collect();
        let back: Vec<Part> = (0..12)
            .map(|i| {
                let (i, top) = (f64::from(i), rise * (f64::from(i) + 1.0));
                block([0.0, -(i + 1.0) * tread, (top - 0.34).max(0.0)], [width, -i * tread, top], CONCRETE)
            })
            .collect();
        let run = 12.0 * tread;
        let stair = self.element("IFCSTAIR", &tag, "Stair", place, DVec3::ZERO, &[], body, ".HALF_TURN_STAIR.");
        let shape = |n: &str| format!("12,12,{},{},.{n}.", real(rise), real(tread));
        let landing = [block([0.0, 0.0, -0.2], [4.3, DEPTH - FACADE - STAIR_Y - run, 0.0], CONCRETE)];
        let mut parts = vec![
            self.element(
                "IFCSTAIRFLIGHT",
                &format!("{tag}-F1"),
                "Stair flight",
                place,
                dvec3(x, STAIR_Y, 0.0),
                &flight,
                body,
                &shape("STRAIGHT"),
            ),
            self.element(
                "IFCSTAIRFLIGHT",
                &format!("{tag}-F2"),
                "Stair flight",
                place,
                dvec3(x + 2.3, STAIR_Y + run, 0.5 * STOREY),
                &back,
                body,
                &shape("STRAIGHT"),
            ),
            self.element(
                "IFCSLAB",
                &format!("{tag}-L"),
                "Stair landing",
                place,
                dvec3(x, STAIR_Y + run, 0.5 * STOREY),
                &landing,
                body,
                ".LANDING.",
            ),
        ];
        for (n, x, dir) in [(1, x + width + 0.05, 1.0), (2, x + 2.15, -1.0)] {
            let mut rail = Vec::new();
            for i in 0..12 {
                let y = dir * (f64::from(i) + 0.5) * tread;
                let z = rise * (f64::from(i) + 1.0);
                rail.push(block([0.0, y - 0.01, z], [0.03, y + 0.01, z + 0.9], STEEL));
                rail.push(block([-0.01, y - 0.5 * tread, z + 0.86], [0.04, y + 0.5 * tread, z + 0.93], WOOD));
            }
            let at = if n == 1 { dvec3(x, STAIR_Y, 0.0) } else { dvec3(x, STAIR_Y + run, 0.5 * STOREY) };
            parts.push(self.element(
                "IFCRAILING",
                &format!("{tag}-R{n}"),
                "Stair railing",
                place,
                at,
                &rail,
                body,
                ".HANDRAIL.",
            ));
        }
        let g = self.gid(&format!("parts/{tag}"));
        self.w.add("IFCRELAGGREGATES", &format!("'{g}',{owner},$,$,#{stair},{}", refs(&parts)));
        stair
    }

    pub(super) fn classify(&mut self) {
        let owner = self.owner.clone();
        let system =
            self.w.add("IFCCLASSIFICATION", "'NBS','2015',$,'Uniclass 2015',$,'https://uniclass.thenbs.com',$");
        for (keyword, code, title) in [
            ("IFCWALL", "Ss_25_10", "Framed wall systems"),
            ("IFCWINDOW", "Ss_25_30_95", "Window systems"),
            ("IFCDOOR", "Ss_25_30_20", "Door, shutter and hatch systems"),
            ("IFCSLAB", "Ss_30_12_85", "Slab systems"),
            ("IFCROOF", "Ss_30_10", "Pitched, arched and flat roof structure systems"),
            ("IFCSPACE", "SL_35_10", "Clinical and healthcare spaces"),
        ] {
            let of: Vec<u32> = self.records.iter().filter(|(_, r)| r.keyword == keyword).map(|(n, _)| *n).collect();
            let r = self.w.add("IFCCLASSIFICATIONREFERENCE", &format!("$,'{code}',{},#{system},$,$", text(title)));
            let g = self.gid(&format!("class/{code}"));
            self.w.add("IFCRELASSOCIATESCLASSIFICATION", &format!("'{g}',{owner},$,$,{},#{r}", refs(&of)));
        }
    }

    pub(super) fn zones(&mut self) {
        let owner = self.owner.clone();
        for (name, rooms) in architecture::zones(self.plan) {
            let of: Vec<u32> = rooms
                .iter()
                .filter_map(|r| self.by_path.get(&format!("space {}", self.plan.rooms[*r].number)).copied())
                .collect();
            if of.is_empty() {
                continue;
            }
            let g = self.gid(&format!("zone/{name}"));
            let called = text(&self.plan.lot.name(name));
            let z = self.w.add("IFCZONE", &format!("'{g}',{owner},{called},$,$,$"));
            let g = self.gid(&format!("in-zone/{name}"));
            self.w.add("IFCRELASSIGNSTOGROUP", &format!("'{g}',{owner},$,$,{},$,#{z}", refs(&of)));
        }
    }
}
