//! From a layer's coordinates to local metres, and where these lie on the map.

use crate::problem::Problem;
use crate::site::model::Georeference;
use glam::DVec3;

/// Geographic systems by EPSG code: coordinates are degrees.
const GEOGRAPHIC: &[&str] = &["EPSG:4326", "EPSG:4258", "EPSG:4269", "EPSG:4979", "EPSG:4171", "EPSG:4283"];

/// WGS 84: semi-major axis, metres, and first eccentricity squared.
const SEMI_MAJOR_M: f64 = 6_378_137.0;
const ECCENTRICITY_2: f64 = 6.694_379_990_141_3e-3;

/// How coordinates become metres.
pub(super) struct Frame {
    origin: [f64; 3],
    /// Metres in a unit of x and of y at the origin.
    scale: [f64; 2],
    crs: Option<String>,
}

impl Frame {
    /// `crs` is what the layer names, `first` its first coordinate.
    pub(super) fn new(crs: Option<&str>, first: [f64; 3], place: &str, problems: &mut Vec<Problem>) -> Self {
        let degrees = first[0].abs() <= 180.0 && first[1].abs() <= 90.0;
        match crs {
            Some(crs) if !GEOGRAPHIC.contains(&crs) => {
                Self { origin: first, scale: [1.0, 1.0], crs: Some(crs.to_owned()) }
            }
            None if !degrees => {
                problems.push(Problem::warning(
                    place,
                    "no coordinate system is named and these are no longitudes and latitudes: taken as metres",
                    "name the system in the layer (`crs`), or place the layer by hand in twin.toml",
                ));
                Self { origin: first, scale: [1.0, 1.0], crs: Some(String::new()) }
            }
            _ => {
                problems.push(Problem::warning(
                    place,
                    "longitudes and latitudes are laid flat around the layer's first coordinate; where the layer \
                     lies beside the building is not known",
                    "export the layer in the building's own map system",
                ));
                let latitude = first[1].clamp(-90.0, 90.0).to_radians();
                let w = 1.0 - ECCENTRICITY_2 * latitude.sin().powi(2);
                // Radii of curvature across and along the meridian.
                let across = SEMI_MAJOR_M / w.sqrt();
                let along = SEMI_MAJOR_M * (1.0 - ECCENTRICITY_2) / w.powf(1.5);
                let scale = [(across * latitude.cos()).to_radians(), along.to_radians()];
                Self { origin: first, scale, crs: None }
            }
        }
    }

    /// A coordinate in local metres, and whether it states a height; none when it is no coordinate.
    pub(super) fn local(&self, position: &[f64]) -> Option<(DVec3, bool)> {
        let (x, y) = (*position.first()?, *position.get(1)?);
        let z = position.get(2).copied();
        let local = DVec3::new(
            (x - self.origin[0]) * self.scale[0],
            (y - self.origin[1]) * self.scale[1],
            z.map_or(0.0, |z| z - self.origin[2]),
        );
        // Further away than anything on earth is no coordinate.
        (local.is_finite() && local.abs().max_element() < 1e8).then_some((local, z.is_some()))
    }

    /// A stated height in local metres.
    pub(super) fn local_height(&self, height_m: f64) -> f64 {
        height_m - self.origin[2]
    }

    /// Where the local frame lies; none when that is not known in metres.
    pub(super) fn georeference(&self) -> Option<Georeference> {
        let crs = self.crs.clone()?;
        Some(Georeference { crs, origin_m: self.origin, rotation_deg: 0.0, scale: 1.0 })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn metres_stay_metres() {
        let mut problems = Vec::new();
        let frame = Frame::new(Some("EPSG:2056"), [2_683_000.25, 1_247_000.5, 408.0], "layer", &mut problems);
        assert!(problems.is_empty());
        let (p, has_height) = frame.local(&[2_683_010.25, 1_246_990.5, 410.0]).unwrap();
        assert!(has_height && (p - DVec3::new(10.0, -10.0, 2.0)).length() < 1e-9);
        let g = frame.georeference().unwrap();
        assert_eq!((g.crs.as_str(), g.origin_m), ("EPSG:2056", [2_683_000.25, 1_247_000.5, 408.0]));
        assert!((g.to_map().transform_point3(p) - DVec3::new(2_683_010.25, 1_246_990.5, 410.0)).length() < 1e-6);
    }

    #[test]
    fn a_degree_of_latitude_is_111_km() {
        let mut problems = Vec::new();
        let frame = Frame::new(None, [8.54, 47.37, 0.0], "layer", &mut problems);
        assert_eq!(problems.len(), 1);
        let (north, _) = frame.local(&[8.54, 48.37]).unwrap();
        // Bowring: 111 177 m at 47.37°; a degree of longitude there: 75 529 m.
        assert!((north.y - 111_177.0).abs() < 60.0, "{north}");
        let (east, _) = frame.local(&[9.54, 47.37]).unwrap();
        assert!((east.x - 75_529.0).abs() < 60.0, "{east}");
        assert!(frame.georeference().is_none());
    }

    #[test]
    fn metres_without_a_name_are_said_to_be_so() {
        let mut problems = Vec::new();
        let frame = Frame::new(None, [2_683_000.0, 1_247_000.0, 0.0], "layer", &mut problems);
        assert!(problems[0].message.contains("metres"));
        assert_eq!(frame.georeference().unwrap().crs, "");
    }
}
