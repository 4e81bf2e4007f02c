//! The clinic's plan: storeys, rooms and what air they get, drawn from a seed.
//!
//! Building frame: metres, X along the 48 m facade, Y across the 18 m depth, Z up from the ground floor.

use super::place::Lot;
use super::step::global_id;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// Length and depth of the building, metres.
pub const LENGTH: f64 = 48.0;
/// Depth of the building, metres.
pub const DEPTH: f64 = 18.0;
/// Floor to floor, metres.
pub const STOREY: f64 = 4.0;
/// Storeys with rooms.
pub const STOREYS: usize = 4;
/// Floor of the roof and its plant room, metres.
pub const ROOF: f64 = STOREY * STOREYS as f64;
/// Corridor: from the south rooms' wall to the north rooms' wall (centre lines).
pub const CORRIDOR: [f64; 2] = [8.0, 10.4];
/// Stair cores: x ranges of the west and east one; both reach from the corridor to the north facade.
pub const CORES: [[f64; 2]; 2] = [[0.0, 5.0], [43.0, 48.0]];
/// Shafts: x ranges; both from the corridor to [`SHAFT_NORTH`].
pub const SHAFTS: [[f64; 2]; 2] = [[5.0, 7.0], [40.0, 43.0]];
/// North wall of the shafts.
pub const SHAFT_NORTH: f64 = 12.8;
/// Plant room on the roof: x0, x1, y0, y1 (outside).
pub const PLANT: [f64; 4] = [5.0, 43.0, 3.0, 15.4];
/// Height of the plant room, metres.
pub const PLANT_HEIGHT: f64 = 4.6;
/// Names of the storeys, the roof last; the same in both models.
pub const STOREY_NAMES: [&str; 5] = ["Level 0", "Level 1", "Level 2", "Level 3", "Roof"];

/// What a room is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Use {
    /// Consulting, offices, wards: most rooms.
    Room,
    /// Operating theatres and laboratories: more air.
    Clean,
    /// Wet room with a radiator and exhaust air.
    Bath,
    /// Corridor.
    Corridor,
    /// Stair core.
    Stair,
    /// Plant room.
    Plant,
}

/// One space.
#[derive(Clone, Debug)]
pub struct Room {
    /// GlobalId of its IfcSpace.
    pub id: String,
    /// 0..3, or 4 for the roof.
    pub storey: usize,
    /// `2.04`
    pub number: String,
    /// `Examination 2.04`
    pub name: String,
    /// Function without number: `Examination`.
    pub function: &'static str,
    /// What it is for.
    pub kind: Use,
    /// x0, x1, y0, y1 between wall faces, metres.
    pub rect: [f64; 4],
    /// Floor finish.
    pub finish: &'static str,
}

impl Room {
    /// Floor area, m².
    pub fn area(&self) -> f64 {
        (self.rect[1] - self.rect[0]) * (self.rect[3] - self.rect[2])
    }
    /// Clear volume, m³.
    pub fn volume(&self) -> f64 {
        self.area() * clear_height(self.storey)
    }
    /// Centre in x, metres.
    pub fn x(&self) -> f64 {
        0.5 * (self.rect[0] + self.rect[1])
    }
    /// True south of the corridor.
    pub fn south(&self) -> bool {
        self.rect[3] < CORRIDOR[0] + 0.5
    }
}

/// Clear height of a storey, metres.
pub fn clear_height(storey: usize) -> f64 {
    if storey < STOREYS { STOREY - 0.3 } else { PLANT_HEIGHT - 0.2 }
}

/// One VAV box and the one or two rooms it serves.
#[derive(Clone, Debug)]
pub struct Vav {
    /// `VAV-2-03`
    pub tag: String,
    /// Storey.
    pub storey: usize,
    /// Indices into [`Plan::rooms`].
    pub rooms: Vec<usize>,
    /// 0, 1 or 2: AHU-1 to AHU-3.
    pub ahu: usize,
    /// Most air, m³/s.
    pub airflow: f64,
    /// Least air, m³/s.
    pub minimum: f64,
    /// Reheat coil, W.
    pub heating: f64,
}

/// The whole plan.
#[derive(Clone, Debug)]
pub struct Plan {
    /// What it was drawn from.
    pub seed: u64,
    /// How the building is called and where it stands.
    pub lot: Lot,
    /// Spaces.
    pub rooms: Vec<Room>,
    /// VAV boxes.
    pub vavs: Vec<Vav>,
    /// Wall centre lines between the south rooms, per storey.
    pub south_walls: Vec<Vec<f64>>,
    /// Wall centre lines between the north rooms, per storey; the first and last are the shafts' walls.
    pub north_walls: Vec<Vec<f64>>,
    /// Facade colour, linear RGB.
    pub facade: [f64; 3],
}

/// Which AHU serves a storey.
pub fn ahu_of(storey: usize) -> usize {
    [0, 0, 1, 2][storey.min(3)]
}

const SOUTH: [&[&str]; 4] = [
    &["Waiting", "Reception", "Emergency", "Triage", "X-ray", "Ultrasound", "Pharmacy"],
    &["Examination", "Examination", "Consulting", "Examination", "Treatment", "Consulting", "Office"],
    &["Ward", "Ward", "Ward", "Nurses", "Ward", "Ward", "Day room"],
    &["Theatre", "Theatre", "Recovery", "Preparation", "Laboratory", "Laboratory", "Sterile store"],
];
const NORTH: [&[&str]; 4] = [
    &["Cafeteria", "Kitchen", "Administration", "Records"],
    &["Physiotherapy", "Consulting", "Dialysis", "Staff room"],
    &["Ward", "Treatment", "Ward", "Seminar"],
    &["Laboratory", "Theatre", "Intensive care", "Doctors"],
];

impl Plan {
    /// Draws the plan of a seed, for the clinic's own plot.
    pub fn new(seed: u64) -> Self {
        Self::on(seed, Lot::default())
    }

    /// Draws the plan of a seed for a plot.
    pub fn on(seed: u64, lot: Lot) -> Self {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let facades = [[0.80, 0.77, 0.70], [0.72, 0.73, 0.74], [0.76, 0.68, 0.60], [0.83, 0.83, 0.80]];
        let facade = facades[rng.random_range(0..facades.len())];
        let mut plan = Self {
            seed,
            lot,
            rooms: Vec::new(),
            vavs: Vec::new(),
            south_walls: Vec::new(),
            north_walls: Vec::new(),
            facade,
        };
        for storey in 0..STOREYS {
            plan.storey(storey, &mut rng);
        }
        let [x0, x1, y0, y1] = PLANT;
        plan.room(4, "01", "Plant room", Use::Plant, [x0 + 0.2, x1 - 0.2, y0 + 0.2, y1 - 0.2], "Sealed concrete");
        plan
    }

    fn room(
        &mut self,
        storey: usize,
        nn: &str,
        function: &'static str,
        kind: Use,
        rect: [f64; 4],
        finish: &'static str,
    ) -> usize {
        let number = format!("{storey}.{nn}");
        self.rooms.push(Room {
            id: global_id(self.seed, &format!("space/{number}")),
            storey,
            name: format!("{function} {number}"),
            number,
            function,
            kind,
            rect,
            finish,
        });
        self.rooms.len() - 1
    }

    fn storey(&mut self, storey: usize, rng: &mut ChaCha8Rng) {
        let half = 0.06; // half an inner wall
        let (south_y, north_y) = ([0.3, CORRIDOR[0] - half], [CORRIDOR[1] + half, DEPTH - 0.3]);
        let finishes = ["Linoleum", "Rubber", "Vinyl", "Terrazzo"];
        let finish = finishes[rng.random_range(0..finishes.len())];
        // Walls move by up to 0.4 m on a 0.1 m grid.
        let mut shift = |x: f64| x + f64::from(rng.random_range(-4..=4)) * 0.1;
        let south: Vec<f64> = (0..=7)
            .map(|i| {
                if i == 0 || i == 7 {
                    LENGTH * f64::from(i) / 7.0
                } else {
                    shift((f64::from(i) * LENGTH / 7.0 * 10.0).round() / 10.0)
                }
            })
            .collect();
        let bath_end = SHAFTS[0][1] + 3.4;
        let mut north = vec![SHAFTS[0][1], bath_end];
        for i in 1..4 {
            north.push(shift(((bath_end + f64::from(i) * (SHAFTS[1][0] - bath_end) / 4.0) * 10.0).round() / 10.0));
        }
        north.push(SHAFTS[1][0]);
        let (mut functions_s, mut functions_n) = (SOUTH[storey].to_vec(), NORTH[storey].to_vec());
        let (turn_s, turn_n) = (rng.random_range(0..functions_s.len()), rng.random_range(0..functions_n.len()));
        functions_s.rotate_left(turn_s);
        functions_n.rotate_left(turn_n);

        let inner = |x: f64, low: bool| match (x, low) {
            (x, true) if x < 0.01 => 0.3,
            (x, false) if x > LENGTH - 0.01 => LENGTH - 0.3,
            (x, true) => x + half,
            (x, false) => x - half,
        };
        let kind_of = |f: &str| {
            if ["Theatre", "Laboratory", "Sterile store", "Intensive care"].contains(&f) {
                Use::Clean
            } else {
                Use::Room
            }
        };
        let mut south_rooms = Vec::new();
        for (i, f) in functions_s.iter().copied().enumerate() {
            let rect = [inner(south[i], true), inner(south[i + 1], false), south_y[0], south_y[1]];
            south_rooms.push(self.room(storey, &format!("{:02}", i + 1), f, kind_of(f), rect, finish));
        }
        let mut north_rooms = Vec::new();
        let bath = [inner(north[0], true), inner(north[1], false), north_y[0], north_y[1]];
        self.room(storey, "08", "Bath", Use::Bath, bath, "Ceramic tile");
        for (i, f) in functions_n.iter().copied().enumerate() {
            let rect = [inner(north[i + 1], true), inner(north[i + 2], false), north_y[0], north_y[1]];
            north_rooms.push(self.room(storey, &format!("{:02}", i + 9), f, kind_of(f), rect, finish));
        }
        self.room(
            storey,
            "13",
            "Corridor",
            Use::Corridor,
            [0.3, LENGTH - 0.3, CORRIDOR[0] + half, CORRIDOR[1] - half],
            finish,
        );
        for (nn, name, core) in [("14", "Stair west", CORES[0]), ("15", "Stair east", CORES[1])] {
            let rect = [inner(core[0], true), inner(core[1], false), north_y[0], north_y[1]];
            self.room(storey, nn, name, Use::Stair, rect, "Sealed concrete");
        }
        // Nine boxes on the outer storeys, ten on the inner: the first pairs of south rooms share one.
        let pairs = if storey == 0 || storey == 3 { 2 } else { 1 };
        let mut groups: Vec<Vec<usize>> = Vec::new();
        let mut i = 0;
        while i < south_rooms.len() {
            let n = if i < 2 * pairs { 2 } else { 1 };
            groups.push(south_rooms[i..i + n].to_vec());
            i += n;
        }
        groups.extend(north_rooms.into_iter().map(|r| vec![r]));
        for (n, rooms) in groups.into_iter().enumerate() {
            let area: f64 = rooms.iter().map(|r| self.rooms[*r].area()).sum();
            let clean = rooms.iter().any(|r| self.rooms[*r].kind == Use::Clean);
            // Litres a second and square metre: 4.5 where people sit, 7 where air must be clean.
            let airflow = (area * if clean { 0.0070 } else { 0.0045 } * 1000.0).round() / 1000.0;
            self.vavs.push(Vav {
                tag: format!("VAV-{storey}-{:02}", n + 1),
                storey,
                rooms,
                ahu: ahu_of(storey),
                airflow,
                minimum: (airflow * 0.3 * 1000.0).round() / 1000.0,
                heating: (area * 70.0 + airflow * 0.3 * 1206.0 * 10.0).round(),
            });
        }
        self.south_walls.push(south);
        self.north_walls.push(north);
    }

    /// Air of an AHU at design, m³/s: the sum of its boxes.
    pub fn ahu_airflow(&self, ahu: usize) -> f64 {
        self.vavs.iter().filter(|v| v.ahu == ahu).map(|v| v.airflow).sum()
    }

    /// A room of a storey by function.
    pub fn find(&self, storey: usize, function: &str) -> Option<&Room> {
        self.rooms.iter().find(|r| r.storey == storey && r.function == function)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thirty_eight_boxes_serve_every_room_once() {
        for seed in 0..50 {
            let plan = Plan::new(seed);
            assert_eq!(plan.vavs.len(), 38);
            assert_eq!(plan.rooms.len(), 61);
            let mut served: Vec<usize> = plan.vavs.iter().flat_map(|v| v.rooms.clone()).collect();
            served.sort_unstable();
            let want: Vec<usize> =
                (0..plan.rooms.len()).filter(|i| matches!(plan.rooms[*i].kind, Use::Room | Use::Clean)).collect();
            assert_eq!(served, want, "seed {seed}");
            assert!(plan.rooms.iter().all(|r| r.rect[1] - r.rect[0] > 2.0), "seed {seed}: a room is too narrow");
            assert!(plan.vavs.iter().all(|v| v.airflow * 3600.0 < 4000.0), "seed {seed}: beyond the expected range");
        }
    }
}
