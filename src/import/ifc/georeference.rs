//! The map conversion, in metres.

use super::lite::{Outcome, Step};
use crate::problem::Problem;
use crate::site::model::Georeference;

/// How the file's frame lies on the map: from `IfcMapConversion`, or from the property set that stands for it
/// in IFC2X3. The latitude of an `IfcSite` is too coarse to place anything by and is not used.
/// `outcome` is that of the run that made the triangles.
pub(super) fn read(
    step: &Step,
    outcome: &Outcome,
    unit_m: f64,
    place: &str,
    problems: &mut Vec<Problem>,
) -> Option<Georeference> {
    let stated = step.map_conversion(outcome)?;
    let map_m = stated.map_unit_m.filter(|u| u.is_finite() && *u > 0.0).unwrap_or(unit_m);
    // `Scale` is map units in a file unit; what is kept is map metres in a file metre.
    let mut scale = stated.scale * map_m / unit_m;
    if !(0.5..=2.0).contains(&scale) {
        let authored = stated.scale;
        // Many exporters leave Scale at 1 where the units differ: then no map would be to scale.
        if (authored - 1.0).abs() > 1e-9 {
            problems.push(Problem::warning(
                format!("{place}: IfcMapConversion"),
                format!("a Scale of {authored} makes a metre of the model {scale} m on the map; it is taken as 1"),
                "correct Scale, or the map unit, in the program that exported the file",
            ));
        }
        scale = 1.0;
    }
    Some(Georeference {
        crs: stated.crs,
        origin_m: stated.offset.map(|v| v * map_m),
        rotation_deg: stated.rotation_deg,
        scale,
    })
}
