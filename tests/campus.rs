//! A small campus: several clinics in one project, each in frames of its own.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use common::{json, plenum};
use glam::DVec3;
use plenum::demo::campus::Campus;
use plenum::import::{self, Limits, Progress, registry};
use plenum::problem::{Problem, Severity};
use plenum::site::project::{self, Project};
use plenum::site::{self, ElementKind, Model, Site};
use std::collections::{BTreeMap, HashSet};
use std::path::Path;

const BUILDINGS: usize = 3;

fn write(folder: &Path, campus: &Campus) {
    for file in campus.files() {
        std::fs::write(folder.join(file.name), file.text).unwrap();
    }
}

/// The project, its site, the models it is made of, and what was said of them together.
fn open(folder: &Path) -> (Project, Site, Vec<Model>, Vec<Problem>) {
    let (project, mut problems) = project::load(folder).unwrap();
    let progress = Progress::default();
    let files = project.models.iter().map(|m| (&m.file, m.discipline.clone()));
    let files = files.chain(project.layers.iter().map(|l| (&l.file, String::new())));
    let mut models = Vec::new();
    for (file, discipline) in files {
        let (model, found) = import::read(file, &progress).unwrap();
        problems.extend(found);
        models.push((model, discipline));
    }
    let read = |named| {
        let (registry, found) = registry::read(named, &Limits::default(), &progress).unwrap();
        assert_eq!(found, []);
        registry
    };
    let registries: Vec<_> = project.registries.iter().map(read).collect();
    let (site, found) = site::assemble_with(&project, models.clone(), &registries);
    problems.extend(found);
    (project, site, models.into_iter().map(|(m, _)| m).collect(), problems)
}

#[test]
fn the_same_seed_gives_the_same_bytes() {
    let of = |seed| Campus::new(seed, 2).files().collect::<Vec<_>>();
    let (one, again, other) = (of(7), of(7), of(8));
    assert_eq!(one, again);
    assert_eq!(one.iter().map(|f| f.name.clone()).collect::<Vec<_>>(), Campus::new(7, 2).file_names());
    for (a, b) in one.iter().zip(&other) {
        assert_ne!(a.text, b.text, "{} does not depend on the seed", a.name);
    }
    assert!(one.iter().all(|f| !f.text.contains('\r')), "line feeds only");
    // Buildings are not copies of each other, and a larger campus begins with the same ones.
    let words = |i: usize| one[i].text.replace("B02", "B01").replace("b02", "b01");
    assert_ne!(words(0), words(3));
    let larger: Vec<_> = Campus::new(7, 3).files().take(3).collect();
    assert_eq!(larger, one[..3]);
}

#[test]
fn a_campus_is_one_site_in_which_everything_is_one_of_a_kind() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), &Campus::new(1, BUILDINGS));
    let (project, site, models, problems) = open(folder.path());
    let bad: Vec<_> = problems.iter().filter(|p| p.severity > Severity::Info).collect();
    assert!(bad.is_empty(), "{bad:#?}");

    // All elements of all files, each id once.
    assert_eq!(site.elements.len(), models.iter().map(|m| m.elements.len()).sum::<usize>());
    let ids: HashSet<&str> = site.elements.iter().map(|e| e.id.as_str()).collect();
    assert_eq!(ids.len(), site.elements.len());
    let real = site.elements.iter().filter(|e| e.kind == ElementKind::Element);
    assert!(real.count() > BUILDINGS * 3_500);
    for (what, count, of_one) in [
        ("storeys", site.storeys.len(), models[0].storeys.len()),
        ("systems", site.systems.len(), models[1].systems.len()),
        ("zones", site.zones.len(), models[0].zones.len()),
    ] {
        assert_eq!(count, BUILDINGS * of_one, "{what}");
    }
    let buildings = site.places.iter().filter(|p| p.class == "IfcBuilding").count();
    assert_eq!((buildings, site.places.len()), (BUILDINGS, BUILDINGS + 1), "{:?}", site.places);

    // Both models of a building stand in one place, and no two buildings do.
    let around = |source: usize| {
        let own = site.elements.iter().zip(&site.source_of).filter(|(_, s)| usize::from(**s) == source);
        own.filter(|(e, _)| e.kind == ElementKind::Element).filter_map(|(e, _)| e.bounds).reduce(|a, b| a.union(b))
    };
    let mut boxes = Vec::new();
    for building in 0..BUILDINGS {
        let (house, services) = (around(2 * building).unwrap(), around(2 * building + 1).unwrap());
        let margin = DVec3::new(1.0, 1.0, 4.0);
        assert!(
            services.min.cmpge(house.min - margin).all() && services.max.cmple(house.max + margin).all(),
            "the services of building {building} stand beside it: {services:?} in {house:?}"
        );
        for other in &boxes {
            let plenum::shape::Aabb { min, max } = *other;
            assert!(house.max.x < min.x || max.x < house.min.x || house.max.y < min.y || max.y < house.min.y);
        }
        boxes.push(house.union(services));
    }
    // The second building of a row is 94 m on along a street that is turned by 12 degrees.
    let way = boxes[1].centre() - boxes[0].centre();
    assert!((way.truncate().length() - 94.0).abs() < 0.5, "{way}");

    // What is in a building stays there.
    let code =
        |i: usize| &site.sources[usize::from(site.source_of[i])].file.file_name().unwrap().to_str().unwrap()[..3];
    for (i, element) in site.elements.iter().enumerate() {
        for other in [element.space, element.part_of, element.host].into_iter().flatten() {
            assert_eq!(code(i), code(other as usize), "{}", element.label());
        }
        if let Some(storey) = element.storey {
            assert_eq!(code(i).to_uppercase(), site.storeys[storey as usize].name[..3], "{}", element.label());
        }
    }
    let port = |p: u32| site.connection_points[p as usize].element as usize;
    assert!(site.connections.iter().all(|c| code(port(c.from)) == code(port(c.to))));
    assert!(site.inferred.joins.iter().all(|j| code(j.from.element as usize) == code(j.to.element as usize)));

    // Tags, registries and bindings.
    let mut tags: BTreeMap<&str, usize> = BTreeMap::new();
    site.elements.iter().filter(|e| !e.tag.is_empty()).for_each(|e| *tags.entry(&e.tag).or_default() += 1);
    let twice: Vec<_> = tags.iter().filter(|(_, n)| **n > 1).collect();
    assert!(twice.is_empty(), "{twice:?}");
    assert_eq!(site.merge.reports.len(), BUILDINGS);
    for report in &site.merge.reports {
        assert!(report.unmatched.is_empty() && report.conflicts.is_empty(), "{report:?}");
        assert_eq!(report.matched.len(), report.rows);
    }
    let mut points = [0; BUILDINGS];
    let mut templates = HashSet::new();
    for point in &site.points {
        points[code(point.asset.0 as usize)[1..].parse::<usize>().unwrap() - 1] += 1;
        if let site::point::PointSource::Topic { topic, .. } = &point.source {
            templates.insert(topic.split('/').nth(1).unwrap());
        }
    }
    assert!(points.iter().all(|n| *n > 400), "{points:?}");
    assert_eq!(templates.len(), project.templates.len(), "a template is bound nowhere: {templates:?}");
}

#[test]
fn the_verb_writes_it_and_says_what() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().join("campus");
    let path = dir.to_str().unwrap();
    let output = plenum(&["make-demo", path, "--seed", "4", "--buildings", "2", "--json"]);
    assert!(output.status.success());
    let document = json(&output);
    assert_eq!((document["buildings"].as_u64(), document["seed"].as_u64()), (Some(2), Some(4)));
    let files = document["files"].as_array().unwrap();
    for (file, expected) in files.iter().zip(Campus::new(4, 2).files()) {
        assert_eq!(file["file"], expected.name);
        assert_eq!(file["bytes"].as_u64(), Some(expected.text.len() as u64));
        assert_eq!(std::fs::read_to_string(dir.join(&expected.name)).unwrap(), expected.text);
    }
    assert_eq!(files.len(), 2 * 3 + 2);
    for wrong in ["0", "501", "many"] {
        assert_eq!(plenum(&["make-demo", path, "--buildings", wrong]).status.code(), Some(2), "{wrong}");
    }
    let found = json(&plenum(&["search", path, "B02-AHU-1", "--json"]));
    assert_eq!(found["results"][0]["tag"], "B02-AHU-1", "{found}");
}
