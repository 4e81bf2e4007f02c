//! One frame for several models: the project's origin, and how each model's own frame lies in it.
//!
//! A model is moved by its placement by hand where the project states one, else by its map conversion, and
//! then by minus the project's origin. The order in which models are named or read changes nothing.

use super::model::{Georeference, Model};
use super::project::{ModelFile, Origin, Project};
use crate::problem::Problem;
use glam::{DAffine3, DVec3};
use std::collections::HashMap;

/// Geometry that lies further than this from its own zero is in map coordinates already, metres: no building
/// is that long.
const BEYOND_ANY_BUILDING_M: f64 = 20_000.0;

/// The project's origin; without one, from the models' map conversions: of the coordinate system that most of
/// them name, the most south-western. Without any the models' own zero.
pub(super) fn origin(project: &Project, models: &[(Model, String)]) -> Origin {
    if let Some(origin) = &project.origin {
        return origin.clone();
    }
    let placed_by_hand = |m: &Model| by_hand(project, m).is_some();
    let conversions: Vec<&Georeference> =
        models.iter().filter(|(m, _)| !placed_by_hand(m)).filter_map(|(m, _)| m.georeference.as_ref()).collect();
    let mut votes: HashMap<String, usize> = HashMap::new();
    for conversion in &conversions {
        *votes.entry(plain(&conversion.crs)).or_default() += 1;
    }
    let elected = votes.into_iter().max_by(|a, b| a.1.cmp(&b.1).then_with(|| b.0.cmp(&a.0))).map(|(crs, _)| crs);
    let chosen = conversions.into_iter().filter(|c| Some(plain(&c.crs)) == elected).min_by(|a, b| {
        let [ax, ay, az] = a.origin_m;
        let [bx, by, bz] = b.origin_m;
        ay.total_cmp(&by).then(ax.total_cmp(&bx)).then(az.total_cmp(&bz)).then_with(|| a.crs.cmp(&b.crs))
    });
    chosen.map(|c| Origin { crs: c.crs.clone(), position_m: c.origin_m }).unwrap_or_default()
}

/// From a model's own frame to the project's.
pub(super) fn to_project(project: &Project, origin: &Origin, model: &Model, problems: &mut Vec<Problem>) -> DAffine3 {
    let place = model.file.display().to_string();
    if let Some(ModelFile { offset_m, rotation_deg, .. }) = by_hand(project, model) {
        let turn = DAffine3::from_rotation_z(rotation_deg.unwrap_or(0.0).to_radians());
        return DAffine3::from_translation(DVec3::from_array(offset_m.unwrap_or_default())) * turn;
    }
    let zero = DVec3::from_array(origin.position_m);
    let Some(georeference) = &model.georeference else {
        if in_map_coordinates(model, zero) {
            problems.push(Problem::info(
                place,
                "it has no map conversion, and its geometry lies in the project's map coordinates: used as it stands",
                "",
            ));
            return DAffine3::from_translation(-zero);
        }
        if !origin.crs.is_empty() || origin.position_m != [0.0; 3] {
            problems.push(Problem::warning(
                place,
                "it has no map conversion: its own zero is put on the project's origin",
                "place it by hand: give its [[models]] entry offset_m and rotation_deg (plenum place)",
            ));
        }
        return DAffine3::IDENTITY;
    };
    if !georeference.crs.is_empty() && !origin.crs.is_empty() && plain(&georeference.crs) != plain(&origin.crs) {
        problems.push(Problem::warning(
            place.clone(),
            format!(
                "its coordinates are in {}, the project's in {}: they are used as they stand",
                georeference.crs, origin.crs
            ),
            "export it in the project's coordinate system, or place it with offset_m",
        ));
    }
    if in_map_coordinates(model, DVec3::from_array(georeference.origin_m)) {
        problems.push(Problem::warning(
            place,
            "its geometry lies in map coordinates already, and its map conversion would move it there again: the \
             conversion is not used",
            "export it with coordinates near zero, or without the map conversion",
        ));
        return DAffine3::from_translation(-zero);
    }
    // Subtracted before the rotation meets it, so that no digit of a far-off origin reaches the mesh.
    let near =
        Georeference { origin_m: (DVec3::from_array(georeference.origin_m) - zero).to_array(), ..georeference.clone() };
    near.to_map()
}

/// Where the project puts a model by hand.
fn by_hand<'a>(project: &'a Project, model: &Model) -> Option<&'a ModelFile> {
    project.models.iter().find(|m| m.file == model.file && (m.offset_m.is_some() || m.rotation_deg.is_some()))
}

/// True when a model's geometry lies, in its own frame, around a place on the map that is far from zero.
fn in_map_coordinates(model: &Model, map: DVec3) -> bool {
    let level = |v: DVec3| v.truncate();
    let Some(centre) = model.bounds().map(|b| level(b.centre())) else { return false };
    level(map).length() > BEYOND_ANY_BUILDING_M
        && centre.length() > BEYOND_ANY_BUILDING_M
        && centre.distance(level(map)) < BEYOND_ANY_BUILDING_M
}

/// `EPSG:2056` and `epsg 2056` are one system.
fn plain(crs: &str) -> String {
    crs.chars().filter(char::is_ascii_alphanumeric).collect::<String>().to_ascii_uppercase()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::shape::Aabb;
    use crate::site::model::Element;

    fn model(name: &str, crs: &str, origin_m: [f64; 3], at: DVec3) -> (Model, String) {
        let bounds = Some(Aabb { min: at, max: at + DVec3::ONE });
        let model = Model {
            file: name.into(),
            elements: vec![Element { bounds, ..Element::default() }],
            georeference: Some(Georeference { crs: crs.into(), origin_m, scale: 1.0, ..Georeference::default() }),
            ..Model::default()
        };
        (model, String::new())
    }

    #[test]
    fn the_order_of_the_models_changes_nothing() {
        let mut models = vec![
            model("a", "EPSG:2056", [2_683_141.0, 1_247_400.0, 408.0], DVec3::ZERO),
            model("b", "epsg:2056", [2_683_000.0, 1_247_300.0, 408.0], DVec3::ZERO),
            model("c", "EPSG:25832", [0.0, 0.0, 0.0], DVec3::ZERO),
        ];
        let project = Project::default();
        let first = origin(&project, &models);
        assert_eq!((first.crs.as_str(), first.position_m[0]), ("epsg:2056", 2_683_000.0));
        for _ in 0..3 {
            models.rotate_left(1);
            assert_eq!(origin(&project, &models), first);
        }
    }

    #[test]
    fn a_model_placed_by_hand_has_no_say_in_the_origin() {
        let models = [
            model("a", "EPSG:2056", [2_683_141.0, 1_247_400.0, 408.0], DVec3::ZERO),
            model("b", "EPSG:2056", [1.0, 1.0, 0.0], DVec3::ZERO),
        ];
        let by_hand = ModelFile { file: "b".into(), offset_m: Some([1.0; 3]), ..ModelFile::default() };
        let project = Project { models: vec![by_hand], ..Project::default() };
        assert_eq!(origin(&project, &models).position_m[0], 2_683_141.0);
    }

    #[test]
    fn geometry_on_the_map_already_is_not_moved_there_again() {
        let map = [2_683_141.0, 1_247_400.0, 408.0];
        let origin = Origin { crs: "EPSG:2056".into(), position_m: map };
        let mut problems = Vec::new();
        let mut place = |m: &Model| to_project(&Project::default(), &origin, m, &mut problems);
        let (twice, _) = model("twice", "EPSG:2056", map, DVec3::new(2_683_150.0, 1_247_410.0, 410.0));
        let at = place(&twice).transform_point3(DVec3::new(2_683_150.0, 1_247_410.0, 410.0));
        assert!(at.distance(DVec3::new(9.0, 10.0, 2.0)) < 1e-6, "{at}");
        let (once, _) = model("once", "EPSG:2056", map, DVec3::new(9.0, 10.0, 2.0));
        assert!(place(&once).translation.length() < 1e-9);
        let bare = Model { georeference: None, ..twice.clone() };
        assert_eq!(place(&bare).translation, -DVec3::from_array(map));
        assert_eq!(problems.len(), 2, "{problems:?}");
    }
}
