//! A campus: many clinics, each of a seed of its own and on a plot of its own, in one project. What a federation of
//! a hundred thousand elements is tried on.
//!
//! Every building has two models in frames of their own and a registry. Tags, storeys, systems, zones and room
//! numbers begin with the building's code (`B07-AHU-1`, `B07 Level 2`), so that they are one of a kind on the campus.
//!
//! Campus frame: that of the demo clinic; the first building stands where the clinic does. Plots lie in rows along
//! the X axis with streets all around them, and every other row is turned to face the street that it shares.

use super::ground::{Ground, TREES, around, rectangle, round};
use super::place::{CORNER, Lot, Place, TURN_DEG};
use super::plan::{DEPTH, LENGTH, Plan};
use super::{assets, finish, mep};
use geojson::JsonValue;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use std::fmt::Write as _;

/// A plot in its building's own frame, south-west and north-east corner, metres.
const PLOT: [[f64; 2]; 2] = [[-16.0, -26.0], [64.0, 40.0]];
/// Width of a street with its footways, metres.
const STREET_M: f64 = 14.0;
/// From a plot to the next along the row, and from row to row, metres.
const PITCH: [f64; 2] = [PLOT[1][0] - PLOT[0][0] + STREET_M, PLOT[1][1] - PLOT[0][1] + STREET_M];
/// How much higher a row lies than the one south of it, metres.
const RISE_M: f64 = 0.5;
/// More buildings are no campus.
pub const MOST_BUILDINGS: usize = 500;

/// One file of a campus.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CampusFile {
    /// Name in its folder.
    pub name: String,
    /// All of it, with line feeds only.
    pub text: String,
}

/// The plan of a campus. The same seed and number of buildings give the same bytes on every system.
#[derive(Clone, Debug)]
pub struct Campus {
    seed: u64,
    plots: Vec<Plot>,
}

#[derive(Clone, Debug)]
struct Plot {
    /// Of its building.
    seed: u64,
    row: usize,
    /// Where the plot's zero lies in the campus frame, metres.
    cell: [f64; 2],
    lot: Lot,
}

/// The campus frame.
fn land() -> Lot {
    Lot { building: String::new(), ..Lot::default() }
}

/// The rows that are turned face north.
fn is_turned(row: usize) -> bool {
    row % 2 == 1
}

impl Campus {
    /// Lays out the plots of so many buildings, at least one and at most [`MOST_BUILDINGS`].
    pub fn new(seed: u64, buildings: usize) -> Self {
        let buildings = buildings.clamp(1, MOST_BUILDINGS);
        let columns = columns(buildings);
        let width = buildings.to_string().len().max(2);
        let plots = (0..buildings).map(|i| {
            let (column, row) = (i % columns, i / columns);
            let cell = [PITCH[0] * column as f64, PITCH[1] * row as f64];
            let code = format!("B{:0width$}", i + 1);
            let [east, north] = {
                let [x, y] = on_campus(cell, row, [0.0, 0.0]);
                land().to_map(x, y)
            };
            let lot = Lot {
                building: format!("{code} Clinic"),
                site: "Riverside Campus".into(),
                corner: [east, north, ground_of(row)],
                turn_deg: if is_turned(row) { TURN_DEG + 180.0 } else { TURN_DEG },
                code,
            };
            Plot { seed: nth_seed(seed, i as u64), row, cell, lot }
        });
        Self { seed, plots: plots.collect() }
    }

    /// The code of every building: `B01`.
    pub fn codes(&self) -> impl Iterator<Item = &str> {
        self.plots.iter().map(|p| p.lot.code.as_str())
    }

    /// The names of all files, in the order in which [`Self::files`] makes them.
    pub fn file_names(&self) -> Vec<String> {
        let of = |p: &Plot| KINDS.map(|kind| finish::file_name(&p.lot, kind));
        self.plots.iter().flat_map(of).chain([LAND.to_owned(), PROJECT.to_owned()]).collect()
    }

    /// Makes the files, a building at a time; the project file last.
    pub fn files(&self) -> impl Iterator<Item = CampusFile> {
        let of = |p: &Plot| {
            let plan = Plan::on(p.seed, p.lot.clone());
            let net = mep::net(&plan);
            let texts =
                [finish::write(&plan), mep::write(&plan, &net, &Place::MEP), assets::write(p.seed, &net, &p.lot)];
            let named = KINDS.map(|kind| finish::file_name(&p.lot, kind));
            named.into_iter().zip(texts).map(|(name, text)| CampusFile { name, text })
        };
        let rest: [fn(&Self) -> CampusFile; 2] = [
            |campus| CampusFile { name: LAND.into(), text: campus.land() },
            |campus| CampusFile { name: PROJECT.into(), text: campus.project() },
        ];
        self.plots.iter().flat_map(of).chain(rest.into_iter().map(move |make| make(self)))
    }

    fn rows(&self) -> usize {
        self.plots.last().map_or(0, |p| p.row) + 1
    }

    /// The project file: the clinic's templates, and what is a campus's own.
    fn project(&self) -> String {
        let buildings = self.plots.len();
        let mut out = format!(
            "# Plenum project file: a campus of {buildings} clinics, made by `plenum make-demo --buildings \
             {buildings} --seed {seed}`.\n\
             #\n\
             # Every building has two models in frames of their own; their map conversions put them on their plots.\n\
             # Tags, storeys, systems, zones and room numbers begin with the building's code: B01-AHU-1.\n\
             #\n\
             # What is bound: all equipment with sensors of all buildings, some 600 points a building (those that\n\
             # are computed among them), by the rule under [[bindings]]. `plenum emulate` publishes what devices\n\
             # would measure in all of them, each building being a plant of its own.\n\
             \n\
             name = \"Riverside Campus\"\n\
             description = \"{buildings} four-storey clinics of different plans on plots of their own\"\n\
             \n\
             [origin]\n\
             crs = \"EPSG:2056\"        # Swiss LV95\n\
             east_m = 2683140.0\n\
             north_m = 1247400.0\n\
             height_m = 408.0\n\n",
            seed = self.seed
        );
        for plot in &self.plots {
            for (kind, discipline) in [(KINDS[0], "architecture"), (KINDS[1], "mep")] {
                let file = finish::file_name(&plot.lot, kind);
                let _ = writeln!(out, "[[models]]\nfile = \"{file}\"\ndiscipline = \"{discipline}\"\n");
            }
        }
        let _ = writeln!(out, "[[layers]]\nfile = \"{LAND}\"\n");
        for plot in &self.plots {
            let file = finish::file_name(&plot.lot, KINDS[2]);
            let _ = writeln!(out, "[[registries]]\nfile = \"{file}\"\nname = \"Equipment register\"\n");
        }
        // A checkout may have turned its line ends.
        let clinic = include_str!("twin.toml").replace("\r\n", "\n");
        let (_, shared) = clinic.split_once(SHARED_FROM).unwrap_or_default();
        out.push_str(SHARED_FROM);
        let shared = OWN.iter().fold(shared.to_owned(), |text, (clinics, own)| text.replace(clinics, own));
        // Every file in two versions: one that was changed finds what was kept of the others.
        let scenes = (4 * buildings + 2).max(200);
        out.push_str(&shared.replace("max_files = 200", &format!("max_files = {scenes}")));
        out
    }

    /// Plots, streets, drives, car parks, buried mains and trees.
    fn land(&self) -> String {
        let mut rng = ChaCha8Rng::seed_from_u64(self.seed ^ 0x00ca_3b05);
        let land = land();
        let mut ground = Ground::new(self.seed, &land);
        let (rows, columns) = (self.rows(), columns(self.plots.len()));
        let (west, east) = (PLOT[0][0] - STREET_M, PITCH[0] * columns as f64 + PLOT[0][0]);
        // South of a row; the last one is north of all.
        let street = |row: usize| PITCH[1] * row as f64 + PLOT[0][1] - STREET_M;
        for row in 0..=rows {
            ground.at_height(ground_of(row.min(rows - 1)));
            let shape = rectangle([west, street(row)], [east, street(row) + STREET_M]);
            let name = format!("Street {}", row + 1);
            ground.area(&format!("campus/street/{row}"), &shape, &[("kind", "road".into()), ("name", name.into())]);
            // Those that no building faces have no mains under them.
            if row % 2 == 0 {
                self.mains(&mut ground, row, [west, east], street(row));
            }
        }
        for plot in &self.plots {
            ground.at_height(plot.lot.corner[2]);
            plot.land(&mut ground, &mut rng);
        }
        let last = self.plots.len() - 1;
        for row in 0..rows {
            ground.at_height(ground_of(row));
            for column in 0..columns {
                // No street along plots that nobody has built on.
                if (row * columns + column).saturating_sub(1) > last {
                    continue;
                }
                let x = PITCH[0] * column as f64 + PLOT[0][0] - STREET_M;
                let shape = rectangle([x, street(row) + STREET_M], [x + STREET_M, street(row + 1)]);
                let name = format!("Lane {}", column + 1);
                let path = format!("campus/lane/{row}/{column}");
                ground.area(&path, &shape, &[("kind", "road".into()), ("name", name.into())]);
            }
        }
        ground.finish("campus", &rectangle([west, street(0)], [east, street(rows) + STREET_M]))
    }

    /// Mains along a street, and branches into the buildings that face it.
    fn mains(&self, ground: &mut Ground<'_>, street: usize, [west, east]: [f64; 2], south: f64) {
        for (n, (name, medium, diameter, depth)) in [
            ("District heating supply", "heating", 0.25, 1.4),
            ("District heating return", "heating", 0.25, 1.4),
            ("District cooling supply", "chilled-water", 0.4, 1.8),
            ("District cooling return", "chilled-water", 0.4, 1.8),
        ]
        .into_iter()
        .enumerate()
        {
            let y = south + 4.0 + 2.0 * n as f64;
            let mut lay = |what: &str, size: f64, ends: [[f64; 2]; 2]| {
                let path = format!("campus/main/{street}/{name}/{what}");
                let properties = [
                    ("kind", "main".into()),
                    ("name", format!("{name} {what}").into()),
                    ("medium", medium.into()),
                    ("diameter_m", round(size).into()),
                    ("depth_m", depth.into()),
                ];
                ground.line(&path, &ends, &properties);
            };
            lay("main", diameter, [[west, y], [east, y]]);
            let faces = |p: &&Plot| if is_turned(p.row) { p.row + 1 == street } else { p.row == street };
            for plot in self.plots.iter().filter(faces) {
                let [x, front] = on_campus(plot.cell, plot.row, [5.4 + 0.3 * n as f64, 0.0]);
                lay(&format!("branch {}", plot.lot.code), diameter * 0.4, [[x, y], [x, front]]);
            }
        }
    }
}

impl Plot {
    fn land(&self, ground: &mut Ground<'_>, rng: &mut ChaCha8Rng) {
        let Lot { code, .. } = &self.lot;
        let area = |from: [f64; 2], to: [f64; 2]| {
            let (a, b) = (on_campus(self.cell, self.row, from), on_campus(self.cell, self.row, to));
            rectangle([a[0].min(b[0]), a[1].min(b[1])], [a[0].max(b[0]), a[1].max(b[1])])
        };
        let size = (PLOT[1][0] - PLOT[0][0]) * (PLOT[1][1] - PLOT[0][1]);
        let named = |what: &str| JsonValue::from(format!("{code} {what}"));
        let plot = [("kind", "plot".into()), ("name", named("plot")), ("area_m2", round(size).into())];
        let land = around(&area(PLOT[0], PLOT[1]), &area([0.0, 0.0], [LENGTH, DEPTH]));
        ground.area(&format!("campus/{code}/plot"), &land, &plot);
        let drive = area([21.0, PLOT[0][1]], [27.0, -3.0]);
        ground.area(&format!("campus/{code}/drive"), &drive, &[("kind", "road".into()), ("name", named("drive"))]);
        let cars = area([30.0, -25.0], [62.0, -10.0]);
        ground.area(&format!("campus/{code}/cars"), &cars, &[("kind", "parking".into()), ("name", named("visitors"))]);
        // Behind the building, and in front of it where neither mains nor cars are.
        let behind = (0..7).map(|i| [-12.0 + 12.0 * f64::from(i), 33.0]);
        let front = [[-11.0, -18.0], [-3.0, -21.0], [15.0, -16.0]];
        for (n, [x, y]) in behind.chain(front).enumerate() {
            let mut shaken = || f64::from(rng.random_range(-15..=15)) * 0.1;
            let at = on_campus(self.cell, self.row, [x + shaken(), y + shaken()]);
            let height = f64::from(rng.random_range(50..=120)) * 0.1;
            let kind = TREES[rng.random_range(0..TREES.len())];
            let properties = [
                ("kind", "tree".into()),
                ("name", kind.into()),
                ("height_m", round(height).into()),
                ("crown_m", round(height * 0.55).into()),
            ];
            ground.point(&format!("campus/{code}/tree/{n}"), at, &properties);
        }
    }
}

/// The files of a building.
const KINDS: [&str; 3] = ["architecture.ifc", "mep.ifc", "assets.csv"];
const LAND: &str = "campus.geojson";
const PROJECT: &str = "twin.toml";

/// From here on the clinic's project file is the campus's, too …
const SHARED_FROM: &str = "# Where samples come from.";
/// … but for these words.
const OWN: [(&str, &str); 7] = [
    ("subscribe = [\"clinic/#\"]", "subscribe = [\"campus/#\"]"),
    ("topic = \"clinic/clock\"", "topic = \"campus/clock\""),
    ("topic = \"clinic/{template}/{tag}\"", "topic = \"campus/{template}/{tag}\""),
    ("clinic/ahu/AHU-1 ", "campus/ahu/B01-AHU-1 "),
    ("asset = \"VAV-2-04\"  ", "asset = \"B01-VAV-2-04\""),
    ("tag = \"WS-*\"", "tag = \"*-WS-*\""),
    ("tag = \"EM-*\"", "tag = \"*-EM-*\""),
];

/// Plots in a row: about as many rows as plots in one.
fn columns(buildings: usize) -> usize {
    (buildings as f64).sqrt().ceil().max(1.0) as usize
}

/// Height of a row's ground floors, metres above sea level.
fn ground_of(row: usize) -> f64 {
    CORNER[2] + RISE_M * row as f64
}

/// From a building's frame to the campus's, metres.
fn on_campus(cell: [f64; 2], row: usize, [x, y]: [f64; 2]) -> [f64; 2] {
    if is_turned(row) {
        // About the middle of the plot.
        [cell[0] + PLOT[0][0] + PLOT[1][0] - x, cell[1] + PLOT[0][1] + PLOT[1][1] - y]
    } else {
        [cell[0] + x, cell[1] + y]
    }
}

/// The seed of a building: no two of a campus are the same (splitmix64, which is one to one).
fn nth_seed(seed: u64, n: u64) -> u64 {
    let mut z = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15).wrapping_add(n + 1);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use super::super::ground::polygon;
    use super::super::plan::{DEPTH, LENGTH};
    use super::*;
    use geo::{Area, Contains, Intersects, Point, Polygon};
    use std::collections::{BTreeMap, HashSet};

    /// A rectangle of a building's frame on the map.
    fn on_map(lot: &Lot, [x0, y0]: [f64; 2], [x1, y1]: [f64; 2]) -> Polygon {
        polygon(&[[x0, y0], [x1, y0], [x1, y1], [x0, y1]].map(|[x, y]| lot.to_map(x, y)))
    }

    fn outline(plot: &Plot) -> Polygon {
        on_map(&plot.lot, [0.0, 0.0], [LENGTH, DEPTH])
    }

    #[test]
    fn every_building_stands_on_a_plot_of_its_own() {
        let campus = Campus::new(3, 11);
        let plots: Vec<Polygon> = campus.plots.iter().map(|p| on_map(&p.lot, PLOT[0], PLOT[1])).collect();
        for (i, plot) in campus.plots.iter().enumerate() {
            let house = outline(plot);
            assert!((house.unsigned_area() - LENGTH * DEPTH).abs() < 1e-2);
            assert!(plots[i].contains(&house), "{} stands beside its plot", plot.lot.code);
            for (j, other) in plots.iter().enumerate().filter(|(j, _)| *j != i) {
                assert!(!plots[i].intersects(other), "plots {i} and {j} overlap");
            }
        }
        let turns: HashSet<u64> = campus.plots.iter().map(|p| p.lot.turn_deg.to_bits()).collect();
        assert_eq!(turns.len(), 2, "buildings are turned differently");
        let seeds: HashSet<u64> = campus.plots.iter().map(|p| p.seed).collect();
        assert_eq!(seeds.len(), 11);
        assert_eq!(campus.codes().collect::<Vec<_>>()[..2], ["B01", "B02"]);
    }

    #[test]
    fn the_first_building_stands_where_the_clinic_does() {
        let campus = Campus::new(1, 2);
        let (first, clinic) = (&campus.plots[0].lot, Lot::default());
        assert_eq!((first.corner, first.turn_deg), (clinic.corner, clinic.turn_deg));
    }

    #[test]
    fn the_project_has_its_own_words_and_no_others() {
        let campus = Campus::new(1, 120);
        let text = campus.project();
        let clinic = include_str!("twin.toml").replace("\r\n", "\n");
        for (theirs, own) in OWN {
            assert!(clinic.contains(theirs), "the clinic's project file no longer has `{theirs}`");
            assert!(text.contains(own), "{own}");
        }
        assert!(!text.contains("clinic/"), "a topic of the clinic was left");
        assert!(text.contains("max_files = 482"));
        let names = campus.file_names();
        assert_eq!(names.len(), 3 * 120 + 2);
        for name in names.iter().filter(|n| *n != PROJECT) {
            assert!(text.contains(&format!("file = \"{name}\"")), "{name} is in no project");
        }
        assert_eq!(names.iter().collect::<HashSet<_>>().len(), names.len());
    }

    #[test]
    fn nothing_on_the_land_lies_under_a_building() {
        let campus = Campus::new(5, 7);
        let layer: serde_json::Value = serde_json::from_str(&campus.land()).unwrap();
        let houses: Vec<Polygon> = campus.plots.iter().map(outline).collect();
        let (mut counts, mut ids) = (BTreeMap::new(), HashSet::new());
        let pair = |c: &serde_json::Value| [c[0].as_f64().unwrap(), c[1].as_f64().unwrap()];
        for feature in layer["features"].as_array().unwrap() {
            let kind = feature["properties"]["kind"].as_str().unwrap();
            let corners = &feature["geometry"]["coordinates"];
            let blocked = |house: &Polygon| match kind {
                "road" | "parking" => {
                    let ring: Vec<[f64; 2]> = corners[0].as_array().unwrap().iter().map(pair).collect();
                    house.intersects(&polygon(&ring))
                }
                "tree" => house.contains(&Point::from((pair(corners)[0], pair(corners)[1]))),
                _ => false,
            };
            assert!(!houses.iter().any(blocked), "a {kind} lies under a building: {feature}");
            assert!(ids.insert(feature["id"].to_string()), "an id stands twice: {}", feature["id"]);
            *counts.entry(kind.to_owned()).or_insert(0) += 1;
        }
        assert_eq!((counts["plot"], counts["parking"], counts["tree"]), (7, 7, 70));
        // Four mains under the first and the third street, and four branches a building.
        assert_eq!(counts["main"], 2 * 4 + 7 * 4);
    }
}
