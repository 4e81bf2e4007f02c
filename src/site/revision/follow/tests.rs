//! Small projects, each with one trap.

use super::super::{compare, succession};
use super::*;
use crate::shape::Triangles;
use crate::site::Source;
use crate::site::project::load;
use glam::{DAffine3, DVec3};
use std::sync::Arc;

const PROJECT: &str = "name = \"House\" # the name\n\n[[models]]\nfile = \"old.ifc\" # as built\noffset_m = [5, 0, 0]\n\n\
    [templates.pump]\nmatch = { class = \"IfcPump\", predefined_type = \"CIRCULATOR\", tag = \"P-*\" }\n\
    [templates.pump.points]\nspeed = { unit = \"%\" }\n\
    [templates.pump.rules.slow]\nexpression = \"1 - speed\"\nunit = \"1\"\n\n\
    [[bindings]]\ntemplates = [\"pump\"]\ntopic = \"site/{tag}\"\n\n\
    [[bindings]] # by hand\nasset = \"P-1\" # the duty pump\npoint = \"vibration\"\nunit = \"m/s\"\ntopic = \"bms/1\"\n";

fn pump(id: &str, tag: &str, x: f64) -> Element {
    Element {
        id: id.into(),
        class: "IfcPump".into(),
        predefined_type: "CIRCULATOR".into(),
        name: "Pump".into(),
        tag: tag.into(),
        shape: Some(0),
        placement: DAffine3::from_translation(DVec3::new(x, x * x / 9.0, 0.0)),
        ..Element::default()
    }
}

fn model(file: &str, elements: Vec<Element>) -> Model {
    let shape = Triangles {
        positions: vec![[0.0; 3], [0.5, 0.0, 0.0], [0.0, 0.3, 0.0], [0.0, 0.0, 0.2]],
        normals: vec![[0.0, 0.0, 1.0]; 4],
        indices: vec![0, 2, 1, 0, 1, 3, 0, 3, 2, 1, 2, 3],
        ..Triangles::default()
    };
    Model { file: file.into(), elements, shapes: vec![Arc::new(shape.into())], ..Model::default() }
}

/// Five pumps, P-1 to P-5, in irregular places.
fn pumps() -> Vec<Element> {
    (1..=5).map(|i| pump(&format!("id-{i}"), &format!("P-{i}"), f64::from(i) * 4.0)).collect()
}

/// Every GlobalId new.
fn exported(mut elements: Vec<Element>, prefix: &str) -> Vec<Element> {
    for element in &mut elements {
        element.id = format!("{prefix}-{}", element.tag);
    }
    elements
}

/// A folder with a project in it.
fn folder(text: &str) -> (tempfile::TempDir, Project) {
    let folder = tempfile::tempdir().unwrap();
    for name in ["old.ifc", "new.ifc"] {
        std::fs::write(folder.path().join(name), "").unwrap();
    }
    std::fs::write(folder.path().join("twin.toml"), text).unwrap();
    let (project, problems) = load(folder.path()).unwrap();
    assert_eq!(problems, []);
    (folder, project)
}

fn followed(project: &Project, old: &Model, new: &Model) -> Bindings {
    follow(project, old, new, &compare(&Side::of_model(old), &Side::of_model(new)))
}

fn lost(bindings: &Bindings) -> Vec<(&str, &str)> {
    bindings.lost.iter().map(|l| (l.point.as_str(), l.why.as_str())).collect()
}

#[test]
fn a_point_keeps_its_name_and_topic_when_its_element_is_called_otherwise() {
    let (folder, project) = folder(PROJECT);
    let (old, mut elements) = (model("old.ifc", pumps()), exported(pumps(), "new"));
    (elements[0].tag, elements[1].tag) = ("Q-1".into(), "P-1".into()); // no template is for Q-1
    let new = model("new.ifc", elements);
    let bindings = followed(&project, &old, &new);
    assert_eq!((lost(&bindings), bindings.gained.len(), bindings.followed.len()), (vec![], 0, 11));

    let known: Vec<_> = bindings.amendments.rebinds.iter().map(|r| (r.asset.as_str(), r.tag.as_deref())).collect();
    assert_eq!(known, [("new-P-1", Some("P-1")), ("new-P-2", Some("P-2"))]);

    let at = |name: &str| folder.path().join(name);
    let kept = bindings.amendments.write(&project, &at("old.ifc"), &at("new.ifc")).unwrap();
    assert_eq!(std::fs::read_to_string(kept).unwrap(), PROJECT);
    let text = std::fs::read_to_string(at("twin.toml")).unwrap();
    for words in
        ["# the name", "file = \"new.ifc\" # as built", "# by hand", "asset = \"Q-1\" # the duty pump", "[[rebind]]"]
    {
        assert!(text.contains(words), "{words}: {text}");
    }
    let (project, problems) = load(folder.path()).unwrap();
    assert_eq!(problems, []);
    let (points, _) = bind(&project, &Site::of_elements("", new.elements.clone()).0);
    let of = |id: &str| points.iter().find(|p| p.id == id).map(|p| (p.asset, source_key(p)));
    assert_eq!(of("P-1/speed"), Some((Slot(0), ("site/P-1".into(), "speed".into()))));
    assert_eq!(of("P-2/speed"), Some((Slot(1), ("site/P-2".into(), "speed".into()))));
    assert_eq!(of("P-1/vibration"), Some((Slot(0), ("bms/1".into(), String::new()))));

    // Back to what they were called: nothing is left over.
    let back = model("old.ifc", exported(pumps(), "third"));
    let bindings = followed(&project, &new, &back);
    assert_eq!((lost(&bindings), bindings.amendments.rebinds.len()), (vec![], 0));
    std::fs::write(at("third.ifc"), "").unwrap();
    bindings.amendments.write(&project, &at("new.ifc"), &at("third.ifc")).unwrap();
    let text = std::fs::read_to_string(at("twin.toml")).unwrap();
    assert!(!text.contains("rebind") && text.contains("third.ifc"), "{text}");
}

#[test]
fn one_that_has_taken_over_a_tag_does_not_get_what_belonged_to_it() {
    let (_folder, project) = folder(PROJECT);
    let old = model("old.ifc", pumps());
    let mut elements = exported(pumps(), "new");
    elements[0] = pump("another", "P-1", 40.0);
    let new = model("new.ifc", elements);
    let bindings = followed(&project, &old, &new);
    let gone: Vec<&str> = bindings.lost.iter().map(|l| l.point.as_str()).collect();
    assert_eq!(gone, ["P-1/speed", "P-1/slow", "P-1/vibration"]);
    assert!(bindings.lost.iter().all(|l| l.from == "id-1" && l.why.contains("P-1 another")), "{:?}", bindings.lost);
    assert_eq!(bindings.gained, []);
    let after = bind(&bindings.amendments.of(&project), &Site::of_elements("", new.elements.clone()).0).0;
    assert!(after.iter().all(|p| p.asset != Slot(0)), "{after:?}");
    // And in the revision after that it still does not.
    let amended = bindings.amendments.of(&project);
    let third = model("third.ifc", exported(new.elements.clone(), "third"));
    let bindings = followed(&amended, &new, &third);
    assert_eq!((lost(&bindings), bindings.followed.len()), (vec![], 8));
    assert!(bindings.amendments.rebinds.iter().any(|r| r.asset == "third-P-1" && !r.rules));
}

#[test]
fn a_point_that_no_binding_gives_any_more_is_lost() {
    let (_folder, project) = folder(PROJECT);
    let mut elements = pumps();
    elements[2].predefined_type = "SUMPPUMP".into();
    elements.push(pump("id-6", "P-6", 24.0));
    let bindings = followed(&project, &model("old.ifc", pumps()), &model("new.ifc", elements));
    let gone = lost(&bindings);
    assert!(matches!(gone[..], [("P-3/speed", why), ("P-3/slow", _)] if why.contains("IfcPump.SUMPPUMP")), "{gone:?}");
    let gained: Vec<_> = bindings.gained.iter().map(|g| (g.point.as_str(), g.to.as_str())).collect();
    assert_eq!(gained, [("P-6/speed", "id-6"), ("P-6/slow", "id-6")]);
}

#[test]
fn topics_made_of_globalids_go_on() {
    let text = PROJECT.replace("site/{tag}", "site/{id}/{name}");
    let (_folder, project) = folder(&text);
    let (old, mut elements) = (model("old.ifc", pumps()), exported(pumps(), "new"));
    elements[3].name = "Circulator".into();
    let new = model("new.ifc", elements);
    let bindings = followed(&project, &old, &new);
    assert_eq!((lost(&bindings), bindings.amendments.rebinds.len()), (vec![], 5));
    let fourth = &bindings.amendments.rebinds[3];
    assert_eq!((fourth.id.as_deref(), fourth.name.as_deref(), &fourth.tag), (Some("id-4"), Some("Pump"), &None));
}

/// A site of one file, with the points that a project gives it.
fn sited(project: &Project, elements: Vec<Element>) -> Site {
    let shapes = model("", Vec::new()).shapes;
    let site = Site { sources: vec![Source::default()], shapes, ..Site::of_elements("", elements).0 };
    Site { points: bind(project, &site).0, ..site }
}

/// By new point: its name, its element and the name of the point that it was.
fn carried(old: &Site, new: &Site, following: &Following) -> Vec<(String, u32, Option<String>)> {
    let was = |i: usize| following.carried.iter().position(|c| *c == Some(PointIndex(i as u32)));
    let points = following.points.iter().enumerate();
    assert!(following.points.iter().all(|p| new.element(p.asset).is_some()));
    points.map(|(i, p)| (p.id.clone(), p.asset.0, was(i).map(|w| old.points[w].id.clone()))).collect()
}

#[test]
fn a_site_that_is_read_again_and_again_keeps_what_was_amended_meanwhile() {
    let (_folder, read) = folder(PROJECT);
    let old = sited(&read, pumps());
    // The first pump is gone and another has its tag, the second is called otherwise.
    let mut elements = exported(pumps(), "new");
    elements[0] = pump("another", "P-1", 40.0);
    elements[1].tag = "P-2B".into();
    let mut site = sited(&read, elements.clone());
    let stages = Stages { used: &read, read: &read, now: &read };
    let first = follow_site(stages, &old, &site, &succession(&old, &site));
    let names: Vec<&str> = first.bindings.lost.iter().map(|l| l.point.as_str()).collect();
    assert_eq!(names, ["P-1/speed", "P-1/slow", "P-1/vibration"]);
    let same = |all: Vec<(String, u32, Option<String>)>| {
        assert!(all.iter().all(|(is, asset, was)| *asset > 0 && was.as_ref() == Some(is)), "{all:?}");
        all.len()
    };
    assert_eq!(same(carried(&old, &site, &first)), 8);
    site.points.clone_from(&first.points);

    // The same files again, and nothing written: as before.
    let used = first.bindings.amendments.of(&read);
    let again = sited(&read, elements.clone());
    let stages = Stages { used: &used, read: &read, now: &read };
    let second = follow_site(stages, &site, &again, &succession(&site, &again));
    assert_eq!((same(carried(&site, &again, &second)), second.bindings.lost.len()), (8, 0));
    assert_eq!(second.points, first.points, "nothing lands on what has taken over the tag");

    // What somebody writes into the file counts for more, and what it does not speak of goes on.
    let mut now = read.clone();
    let rebind = Rebind { asset: "new-P-2".into(), tag: Some("P-22".into()), line: 40, ..Rebind::default() };
    now.rebinds.push(rebind);
    if let Binding::Rule { topic, .. } = &mut now.bindings[0] {
        *topic = "plant/{tag}".into();
    }
    let written = sited(&now, elements);
    let stages = Stages { used: &used, read: &read, now: &now };
    let third = follow_site(stages, &site, &written, &succession(&site, &written));
    assert_eq!(third.bindings.lost, []);
    let all = carried(&site, &written, &third);
    assert!(all.contains(&("P-22/speed".into(), 1, Some("P-2/speed".into()))), "{all:?}");
    assert_eq!((all.len(), all.iter().all(|(_, asset, was)| *asset > 0 && was.is_some())), (8, true));
    let speed = third.points.iter().find(|p| p.id == "P-22/speed").map(source_key);
    assert_eq!(speed, Some(("plant/P-22".into(), "speed".into())));
    assert_eq!(third.bindings.amendments.rebinds.iter().filter(|r| r.asset == "new-P-2").count(), 1);
}

#[test]
fn a_model_without_a_map_that_has_moved_is_told_where_to_stand() {
    let (_folder, mut project) = folder(PROJECT);
    let (old, mut elements) = (model("old.ifc", pumps()), pumps());
    project.models[0].file = "old.ifc".into();
    let moved =
        DAffine3::from_translation(DVec3::new(2.0, 0.0, 0.0)) * DAffine3::from_rotation_z(std::f64::consts::FRAC_PI_2);
    for element in &mut elements {
        element.placement = moved * element.placement;
    }
    let new = model("new.ifc", elements);
    let revision = compare(&Side::of_model(&old), &Side::of_model(&new));
    let problem = frame_problem(&project, &old, &new, &revision).unwrap();
    // By hand it stood 5 m east: x = 5 + old x, and old x = new y, old y = 2 - new x.
    assert!(problem.remedy.contains("offset_m = [5, 2, 0], rotation_deg = -90"), "{problem}");
    assert!(frame_problem(&project, &old, &old, &compare(&Side::of_model(&old), &Side::of_model(&old))).is_none());
}

#[test]
fn a_file_that_cannot_be_amended_is_left_as_it_is() {
    for (text, words) in
        [(format!("rebind = 3\n{PROJECT}"), "rebind"), (PROJECT.replace("old.ifc", "other.ifc"), "[[models]]")]
    {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("twin.toml");
        std::fs::write(&file, &text).unwrap();
        let (project, _) = load(folder.path()).unwrap();
        let amendments =
            Amendments { rebinds: vec![Rebind { asset: "a".into(), ..Rebind::default() }], assets: vec![] };
        let at = |name: &str| folder.path().join(name);
        let refused = amendments.write(&project, &at("old.ifc"), &at("new.ifc")).unwrap_err();
        assert!(refused.message.contains(words), "{refused}");
        assert_eq!(std::fs::read_to_string(&file).unwrap(), text);
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1, "nothing is left beside it");
    }
}
