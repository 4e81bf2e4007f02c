//! Where the models' own frames lie on the map: two origins, one building.

use super::mep::Shared;
use super::step::{real, text};
use glam::DVec3;

/// The building's south-west corner at ground floor level: east, north and height, EPSG:2056, metres.
pub const CORNER: [f64; 3] = [2_683_146.0, 1_247_412.0, 408.2];
/// How far the building is turned, counter-clockwise from east, degrees.
pub const TURN_DEG: f64 = 12.0;

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
    pub fn on_map(&self) -> [f64; 3] {
        let [x, y] = to_map(self.origin.x, self.origin.y);
        [x, y, ((CORNER[2] + self.origin.z) * 1e6).round() / 1e6]
    }

    /// Writes the projected CRS and the map conversion of a context.
    pub(super) fn write(&self, w: &mut Shared, context: u32) {
        let (sin, cos) = TURN_DEG.to_radians().sin_cos();
        let [e, n, h] = self.on_map();
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

/// East and north of a point of the building's frame, metres, to the micrometre.
pub fn to_map(x: f64, y: f64) -> [f64; 2] {
    let (sin, cos) = TURN_DEG.to_radians().sin_cos();
    let round = |v: f64| (v * 1e6).round() / 1e6;
    [round(CORNER[0] + x * cos - y * sin), round(CORNER[1] + x * sin + y * cos)]
}
