//! One frame for several models: the project's origin, and how each model's own frame lies in it and on the map.
//!
//! A model is moved by its placement by hand where the project states one, else by its map conversion, and
//! then by minus the project's origin. The order in which models are named or read changes nothing.

use super::assemble::{OnMap, Source};
use super::model::Georeference;
use super::project::{ModelFile, Origin, Project};
use crate::problem::Problem;
use glam::{DAffine3, DVec3};
use std::collections::HashMap;

/// Geometry that lies further than this from its own zero is in map coordinates already, metres: no building
/// is that long.
const BEYOND_ANY_BUILDING_M: f64 = 20_000.0;

/// The project's origin; without one, from the models' map conversions: of the coordinate system that most of
/// them name, the most south-western. Without any the models' own zero.
pub(super) fn origin(project: &Project, sources: &[Source]) -> Origin {
    if let Some(origin) = &project.origin {
        return origin.clone();
    }
    let placed_by_hand = |s: &Source| by_hand(project, s).is_some();
    let conversions: Vec<&Georeference> =
        sources.iter().filter(|s| !placed_by_hand(s)).filter_map(|s| s.georeference.as_ref()).collect();
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

/// Lays models of which no more is known yet than file, map conversion and (perhaps) box, for a look at them before
/// they are read; gives the origin. Once all is known, they lie where [`crate::site::assemble`] puts them.
pub fn lay_out(project: &Project, sources: &mut [Source]) -> Origin {
    let origin = origin(project, sources);
    for source in sources {
        // What is to be said of it is said when it has been read.
        lay(project, &origin, source, &mut Vec::new());
    }
    origin
}

/// How a model comes to its place.
enum Way<'a> {
    /// The project says so.
    ByHand(&'a ModelFile),
    /// By its map conversion.
    Converted(&'a Georeference),
    /// Its geometry lies in map coordinates already; with the map conversion that would move it there again.
    OnTheMap(Option<&'a Georeference>),
    /// Nothing says where: its own zero is put on the project's origin.
    Bare,
}

fn way<'a>(project: &'a Project, origin: &Origin, source: &'a Source) -> Way<'a> {
    if let Some(model) = by_hand(project, source) {
        return Way::ByHand(model);
    }
    match &source.georeference {
        Some(g) if in_map_coordinates(source, DVec3::from_array(g.origin_m)) => Way::OnTheMap(Some(g)),
        Some(g) => Way::Converted(g),
        None if in_map_coordinates(source, DVec3::from_array(origin.position_m)) => Way::OnTheMap(None),
        None => Way::Bare,
    }
}

/// Says where a model lies: in the project's frame and on the map.
pub(super) fn lay(project: &Project, origin: &Origin, source: &mut Source, problems: &mut Vec<Problem>) {
    let zero = DVec3::from_array(origin.position_m);
    let way = way(project, origin, source);
    tell(&way, origin, source, problems);
    let (to_project, on_map) = match way {
        Way::ByHand(model) => {
            let turn = DAffine3::from_rotation_z(model.rotation_deg.unwrap_or(0.0).to_radians());
            let to_project = DAffine3::from_translation(DVec3::from_array(model.offset_m.unwrap_or_default())) * turn;
            // Its own map conversion, if any, is what the project overrules.
            let to_map = DAffine3::from_translation(zero) * to_project;
            (to_project, is_on_a_map(origin).then(|| OnMap { crs: origin.crs.clone(), to_map }))
        }
        Way::OnTheMap(georeference) => {
            let crs = georeference.map_or(&origin.crs, |g| &g.crs).clone();
            (DAffine3::from_translation(-zero), Some(OnMap { crs, to_map: DAffine3::IDENTITY }))
        }
        Way::Converted(georeference) => {
            // Subtracted before the rotation meets it, so that no digit of a far-off origin reaches the mesh.
            let near = (DVec3::from_array(georeference.origin_m) - zero).to_array();
            let near = Georeference { origin_m: near, ..georeference.clone() };
            (near.to_map(), Some(OnMap { crs: georeference.crs.clone(), to_map: georeference.to_map() }))
        }
        // That its zero is the project's is a makeshift: no coordinate follows from it.
        Way::Bare => (DAffine3::IDENTITY, None),
    };
    source.to_project = to_project;
    source.on_map = on_map;
}

fn tell(way: &Way<'_>, origin: &Origin, source: &Source, problems: &mut Vec<Problem>) {
    let place = source.file.display().to_string();
    let stated = match way {
        Way::Converted(g) => Some(*g),
        Way::OnTheMap(g) => *g,
        Way::ByHand(_) | Way::Bare => None,
    };
    if let Some(g) =
        stated.filter(|g| !g.crs.is_empty() && !origin.crs.is_empty() && plain(&g.crs) != plain(&origin.crs))
    {
        problems.push(Problem::warning(
            place.clone(),
            format!("its coordinates are in {}, the project's in {}: they are used as they stand", g.crs, origin.crs),
            "export it in the project's coordinate system, or place it with offset_m",
        ));
    }
    match way {
        Way::OnTheMap(None) => problems.push(Problem::info(
            place,
            "it has no map conversion, and its geometry lies in the project's map coordinates: used as it stands",
            "",
        )),
        Way::OnTheMap(Some(_)) => problems.push(Problem::warning(
            place,
            "its geometry lies in map coordinates already, and its map conversion would move it there again: the \
             conversion is not used",
            "export it with coordinates near zero, or without the map conversion",
        )),
        Way::Bare if is_on_a_map(origin) => problems.push(Problem::warning(
            place,
            "it has no map conversion: its own zero is put on the project's origin",
            "place it by hand: give its [[models]] entry offset_m and rotation_deg (plenum place)",
        )),
        Way::Bare | Way::ByHand(_) | Way::Converted(_) => {}
    }
}

/// False where the models' own zero is the project's.
fn is_on_a_map(origin: &Origin) -> bool {
    !origin.crs.is_empty() || origin.position_m != [0.0; 3]
}

/// Where the project puts a model by hand.
fn by_hand<'a>(project: &'a Project, source: &Source) -> Option<&'a ModelFile> {
    project.models.iter().find(|m| m.file == source.file && (m.offset_m.is_some() || m.rotation_deg.is_some()))
}

/// True when a model's geometry lies, in its own frame, around a place on the map that is far from zero.
fn in_map_coordinates(source: &Source, map: DVec3) -> bool {
    let level = |v: DVec3| v.truncate();
    let Some(centre) = source.bounds.map(|b| level(b.centre())) else { return false };
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

    fn model(name: &str, crs: &str, origin_m: [f64; 3], at: DVec3) -> Source {
        Source {
            file: name.into(),
            bounds: Some(Aabb { min: at, max: at + DVec3::ONE }),
            georeference: Some(Georeference { crs: crs.into(), origin_m, scale: 1.0, ..Georeference::default() }),
            ..Source::default()
        }
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
        let mut place = |mut s: Source| {
            lay(&Project::default(), &origin, &mut s, &mut problems);
            s
        };
        let at = DVec3::new(2_683_150.0, 1_247_410.0, 410.0);
        let twice = model("twice", "EPSG:2056", map, at);
        let bare = Source { georeference: None, ..twice.clone() };
        let near = place(twice).to_project.transform_point3(at);
        assert!(near.distance(DVec3::new(9.0, 10.0, 2.0)) < 1e-6, "{near}");
        let once = place(model("once", "EPSG:2056", map, DVec3::new(9.0, 10.0, 2.0)));
        assert!(once.to_project.translation.length() < 1e-9);
        assert_eq!(once.on_map.unwrap().to_map.translation, DVec3::from_array(map));
        let bare = place(bare);
        assert_eq!(bare.to_project.translation, -DVec3::from_array(map));
        assert_eq!(bare.on_map, Some(OnMap { crs: "EPSG:2056".into(), to_map: DAffine3::IDENTITY }));
        assert_eq!(problems.len(), 2, "{problems:?}");
    }

    #[test]
    fn what_lies_nowhere_has_no_coordinates_and_what_is_placed_by_hand_has_the_projects() {
        let origin = Origin { crs: "EPSG:2056".into(), position_m: [2_683_141.0, 1_247_400.0, 408.0] };
        let by_hand = ModelFile {
            file: "b".into(),
            offset_m: Some([1.0, 2.0, 3.0]),
            rotation_deg: Some(90.0),
            ..ModelFile::default()
        };
        let project = Project { models: vec![by_hand], ..Project::default() };
        let laid = |name: &str, origin: &Origin| {
            let mut source = Source { file: name.into(), ..Source::default() };
            lay(&project, origin, &mut source, &mut Vec::new());
            source.on_map
        };
        assert_eq!(laid("a", &origin), None);
        let map = laid("b", &origin).unwrap();
        let at = map.to_map.transform_point3(DVec3::X);
        assert!(at.distance(DVec3::new(2_683_142.0, 1_247_403.0, 411.0)) < 1e-6, "{at}");
        assert_eq!(laid("b", &Origin::default()), None, "the project itself lies on no map");
    }
}
