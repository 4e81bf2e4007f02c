//! Models that meet in one frame.

use super::*;
use crate::shape::Triangles;
use crate::site::project::ModelFile;

fn block() -> Arc<Shape> {
    let triangles = Triangles {
        positions: vec![[0.0, 0.0, 0.0], [1.0, 0.0, 0.0], [0.0, 2.0, 0.0], [0.0, 0.0, 3.0]],
        normals: vec![[0.0, 0.0, 1.0]; 4],
        colours: Vec::new(),
        indices: vec![0, 1, 2, 0, 1, 3],
    };
    Arc::new(triangles.into())
}

/// A model whose only element stands at `at` in its own frame.
fn model(id: &str, at: DVec3, georeference: Option<Georeference>) -> (Model, String) {
    let placement = DAffine3::from_translation(at);
    let element = Element {
        id: id.into(),
        tag: format!("T-{id}"),
        shape: Some(0),
        placement,
        bounds: block().bounds().map(|b| b.transformed(&placement)),
        storey: Some(0),
        systems: vec![0],
        ..Element::default()
    };
    let model = Model {
        file: format!("{id}.ifc").into(),
        elements: vec![element],
        shapes: vec![block()],
        storeys: vec![Storey { name: "Level 0".into(), ..Storey::default() }],
        systems: vec![Group { name: "Chilled water".into(), members: vec![0], ..Group::default() }],
        georeference,
        ..Model::default()
    };
    (model, "mep".into())
}

fn at(east: f64, north: f64, rotation_deg: f64) -> Option<Georeference> {
    Some(Georeference { crs: "EPSG:2056".into(), origin_m: [east, north, 400.0], rotation_deg, scale: 1.0 })
}

#[test]
fn two_models_meet_to_a_millimetre_in_either_order() {
    // The same spot seen from two frames: one turned by 90 degrees around another origin.
    let a = || model("a", DVec3::new(10.0, 5.0, 0.0), at(2_683_140.0, 1_247_400.0, 0.0));
    let b = || model("b", DVec3::new(-15.0, 30.0, 0.0), at(2_683_180.0, 1_247_420.0, 90.0));
    let project = Project {
        origin: Some(Origin { crs: "EPSG:2056".into(), position_m: [2_683_140.0, 1_247_400.0, 400.0] }),
        ..Project::default()
    };
    for models in [vec![a(), b()], vec![b(), a()]] {
        let (site, problems) = assemble(&project, models);
        assert_eq!(problems, vec![]);
        let place = |id: &str| site.element(site.find(id).unwrap()).unwrap().placement.translation;
        assert!((place("a") - DVec3::new(10.0, 5.0, 0.0)).length() < 1e-9);
        assert!((place("b") - place("a")).length() < 1e-3, "{:?}", place("b"));
        assert_eq!((site.shapes.len(), site.storeys.len(), site.systems.len()), (1, 1, 1));
        assert_eq!(site.systems[0].members.len(), 2);
        let turned = site.element(site.find("b").unwrap()).unwrap().bounds.unwrap().size();
        assert!((turned - DVec3::new(2.0, 1.0, 3.0)).length() < 1e-6, "{turned:?}");
    }
}

#[test]
fn storeys_of_two_buildings_stay_two_whatever_their_names() {
    let named = |id: &str, name: &str, x: f64| {
        let (mut model, discipline) = model(id, DVec3::new(x, 0.0, 0.0), None);
        let class = "IfcBuilding".into();
        model.places = vec![Place { id: name.into(), name: name.into(), class, ..Place::default() }];
        model.storeys[0].place = Some(0);
        (model, discipline)
    };
    let storeys = |models: Vec<(Model, String)>| assemble(&Project::default(), models).0.storeys.len();
    assert_eq!(storeys(vec![named("a", "North", 0.0), named("b", "South", 50.0)]), 2);
    // The services' author calls the building otherwise; or it has a wing that another file holds.
    assert_eq!(storeys(vec![named("a", "North", 0.0), named("b", "Building 1", 0.5)]), 1);
    assert_eq!(storeys(vec![named("a", "North", 0.0), named("b", "North", 50.0)]), 1);
    assert_eq!(storeys(vec![named("a", "North", 0.0), model("b", DVec3::new(50.0, 0.0, 0.0), None)]), 1);
    // One file with two buildings, and the services of both.
    let both = |id: &str| {
        let (mut model, discipline) = named(id, "North", 0.0);
        model.places.push(Place { id: "s".into(), name: "South".into(), ..model.places[0].clone() });
        model.storeys.push(Storey { place: Some(1), ..model.storeys[0].clone() });
        (model, discipline)
    };
    assert_eq!(storeys(vec![both("a"), both("b")]), 2);
}

#[test]
fn the_order_is_the_projects_whatever_was_read_first() {
    let named = |id: &str| ModelFile { file: format!("{id}.ifc").into(), ..ModelFile::default() };
    let project = Project { models: vec![named("b"), named("a")], ..Project::default() };
    let a = || model("a", DVec3::ZERO, at(2_683_140.0, 1_247_400.0, 30.0));
    let b = || model("b", DVec3::ZERO, at(2_683_180.0, 1_247_420.0, 0.0));
    for models in [vec![a(), b()], vec![b(), a()]] {
        let (site, _) = assemble(&project, models);
        let ids: Vec<&str> = site.elements.iter().map(|e| e.id.as_str()).collect();
        assert_eq!(ids, ["b", "a"]);
        assert_eq!(site.origin.position_m, [2_683_140.0, 1_247_400.0, 400.0], "the most south-western");
        assert_eq!(site.elements[0].placement.translation, DVec3::new(40.0, 20.0, 0.0), "to the last digit");
    }
}

#[test]
fn what_does_not_fit_is_said() {
    let project =
        Project { origin: Some(Origin { crs: "EPSG:2056".into(), ..Origin::default() }), ..Project::default() };
    let other = Georeference { crs: "EPSG:32760".into(), scale: 1.0, ..Georeference::default() };
    let models = vec![
        model("a", DVec3::ZERO, None),
        model("b", DVec3::ZERO, Some(other)),
        model("a", DVec3::ZERO, at(0.0, 0.0, 0.0)),
    ];
    let (site, problems) = assemble(&project, models);
    assert_eq!(site.elements.len(), 3, "all are kept");
    let said = |words: &str| problems.iter().any(|p| p.message.contains(words));
    assert!(said("no map conversion") && said("EPSG:32760") && said("two elements have this id"), "{problems:?}");
}

#[test]
fn placed_by_hand() {
    let (model, discipline) = model("a", DVec3::ZERO, at(2_683_140.0, 1_247_400.0, 0.0));
    let by_hand = ModelFile {
        file: model.file.clone(),
        offset_m: Some([1.0, 2.0, 3.0]),
        rotation_deg: Some(180.0),
        ..ModelFile::default()
    };
    let project = Project { models: vec![by_hand], ..Project::default() };
    let (site, _) = assemble(&project, vec![(model, discipline)]);
    let placement = site.elements[0].placement;
    assert!((placement.translation - DVec3::new(1.0, 2.0, 3.0)).length() < 1e-9);
    assert!((placement.transform_vector3(DVec3::X) + DVec3::X).length() < 1e-9);
}

#[test]
fn spaces_by_id_and_by_place() {
    let space = |id: &str, x: f64| Element {
        id: id.into(),
        kind: ElementKind::Space,
        bounds: Some(Aabb { min: DVec3::new(x, 0.0, 0.0), max: DVec3::new(x + 4.0, 4.0, 3.0) }),
        ..Element::default()
    };
    let thing = |id: &str, serves: Option<&str>| Element {
        id: id.into(),
        bounds: Some(Aabb { min: DVec3::new(5.0, 1.0, 1.0), max: DVec3::new(6.0, 2.0, 2.0) }),
        properties: serves
            .map(|s| super::super::model::PropertySet {
                name: "Pset_Plenum_Serves".into(),
                values: vec![("Space".into(), super::super::model::PropertyValue::Text(s.into()))].into(),
                ..Default::default()
            })
            .map(Arc::new)
            .into_iter()
            .collect(),
        ..Element::default()
    };
    let architecture = Model { elements: vec![space("s1", 0.0), space("s2", 4.0)], ..Model::default() };
    let mep = Model { elements: vec![thing("a", Some("s1")), thing("b", None)], ..Model::default() };
    let (site, _) = assemble(&Project::default(), vec![(architecture, String::new()), (mep, String::new())]);
    let space_of = |id: &str| site.element(site.find(id).unwrap()).unwrap().space;
    assert_eq!((space_of("a"), space_of("b")), (Some(0), Some(1)));
}
