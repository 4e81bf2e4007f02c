//! Where a building and the models' own frames lie on the map: two origins, one building.

use super::mep::Shared;
use super::step::{real, text};
use glam::DVec3;

/// The clinic's south-west corner at ground floor level: east, north and height, EPSG:2056, metres.
pub const CORNER: [f64; 3] = [2_683_146.0, 1_247_412.0, 408.2];
/// How far the clinic is turned, counter-clockwise from east, degrees.
pub const TURN_DEG: f64 = 12.0;

/// One building on its plot: how it is called, and where it stands.
#[derive(Clone, Debug, PartialEq)]
pub struct Lot {
    /// `B07`, which stands before its tags, storeys, systems and zones; empty where there is one building only.
    pub code: String,
    /// The building's name.
    pub building: String,
    /// The name of the site that it stands on.
    pub site: String,
    /// Its south-west corner at ground floor level: east, north and height, EPSG:2056, metres.
    pub corner: [f64; 3],
    /// How far it is turned, counter-clockwise from east, degrees.
    pub turn_deg: f64,
}

impl Default for Lot {
    /// The demo clinic's.
    fn default() -> Self {
        Self {
            code: String::new(),
            building: "Riverside Clinic".into(),
            site: "Riverside".into(),
            corner: CORNER,
            turn_deg: TURN_DEG,
        }
    }
}

impl Lot {
    /// A tag that no other building has: `B07-VAV-1-03`.
    pub fn tag(&self, tag: &str) -> String {
        if self.code.is_empty() { tag.to_owned() } else { format!("{}-{tag}", self.code) }
    }

    /// A name that no other building has: `B07 Level 2`.
    pub fn name(&self, name: &str) -> String {
        if self.code.is_empty() { name.to_owned() } else { format!("{} {name}", self.code) }
    }

    /// East and north of a point of the building's frame, metres, to the micrometre.
    pub fn to_map(&self, x: f64, y: f64) -> [f64; 2] {
        let (sin, cos) = self.turn_deg.to_radians().sin_cos();
        let round = |v: f64| (v * 1e6).round() / 1e6;
        [round(self.corner[0] + x * cos - y * sin), round(self.corner[1] + x * sin + y * cos)]
    }
}

/// Where one model's own frame lies.
#[derive(Clone, Copy, Debug)]
pub struct Place {
    /// Its origin in the building's frame, metres.
    pub origin: DVec3,
}

impl Place {
    /// The architecture's: the building's corner.
    pub const ARCHITECTURE: Self = Self { origin: DVec3::ZERO };
    /// The services': a survey point south-west of the building, below ground.
    pub const MEP: Self = Self { origin: DVec3::new(-25.0, -40.0, -3.0) };

    /// From the building's frame to the model's own.
    pub fn local(&self, p: DVec3) -> DVec3 {
        p - self.origin
    }

    /// East, north and height of the model's origin, to the tenth of a millimetre.
    pub fn on_map(&self, lot: &Lot) -> [f64; 3] {
        let [x, y] = lot.to_map(self.origin.x, self.origin.y);
        [x, y, ((lot.corner[2] + self.origin.z) * 1e6).round() / 1e6]
    }

    /// Writes the projected CRS and the map conversion of a context.
    pub(super) fn write(&self, lot: &Lot, w: &mut Shared, context: u32) {
        let (sin, cos) = lot.turn_deg.to_radians().sin_cos();
        let [e, n, h] = self.on_map(lot);
        let metre = w.add("IFCSIUNIT", "*,.LENGTHUNIT.,$,.METRE.");
        let crs = w.add(
            "IFCPROJECTEDCRS",
            &format!("{},{},'CH1903+','LN02','LV95',$,#{metre}", text("EPSG:2056"), text("CH1903+ / LV95")),
        );
        // The scale turns file units into the map's metres.
        w.add(
            "IFCMAPCONVERSION",
            &format!(
                "#{context},#{crs},{},{},{},{},{},{}",
                real(e),
                real(n),
                real(h),
                fine(cos),
                fine(sin),
                real(1.0 / w.scale())
            ),
        );
    }
}

/// A direction's component with twelve decimals: at 60 m that is far below a micrometre.
fn fine(v: f64) -> String {
    format!("{v:.12}")
}
