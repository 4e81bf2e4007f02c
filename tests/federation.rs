//! Several models in one frame, whatever frame each was drawn in and whichever is named first.
//!
//! The samples are found through `PLENUM_SAMPLES`; without it these tests say so and pass.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use glam::{DAffine3, DVec3};
use plenum::import::{self, Progress};
use plenum::site::coordinates::Coordinates;
use plenum::site::project::{ModelFile, Project};
use plenum::site::{self, Element, Model, Site, Slot};
use std::path::{Path, PathBuf};

const SCENE: [&str; 4] = ["pcert-architecture.ifc", "pcert-hvac.ifc", "pcert-structural.ifc", "pcert-landscaping.ifc"];

fn samples() -> Option<PathBuf> {
    let folder = std::env::var_os("PLENUM_SAMPLES").map(|s| PathBuf::from(s).join("ifc"));
    if folder.is_none() {
        eprintln!("skipped: set PLENUM_SAMPLES to the folder of samples");
    }
    folder
}

fn read(path: &Path) -> Model {
    import::read(path, &Progress::default()).unwrap().0
}

fn assembled(models: &[&Model]) -> Site {
    let file = |m: &&Model| ModelFile { file: m.file.clone(), ..ModelFile::default() };
    let project = Project { models: models.iter().map(file).collect(), ..Project::default() };
    site::assemble(&project, models.iter().map(|m| ((*m).clone(), String::new())).collect()).0
}

/// The corners of an element's mesh in the site's frame.
fn corners<'a>(site: &'a Site, element: &'a Element) -> impl Iterator<Item = DVec3> + 'a {
    let shape = element.shape.and_then(|s| site.shapes.get(s as usize));
    shape
        .into_iter()
        .flat_map(|s| s.positions())
        .map(|p| element.placement.transform_point3(DVec3::from(p.map(f64::from))))
}

#[test]
fn four_disciplines_stand_in_one_frame() {
    let Some(folder) = samples() else { return };
    let models: Vec<Model> = SCENE.iter().map(|name| read(&folder.join(name))).collect();
    let site = assembled(&models.iter().collect::<Vec<_>>());
    assert_eq!(site.origin.crs, "EPSG:32760");
    // As the files state it: millimetres, and an X axis 60° from east.
    let zero = DVec3::new(729_013.348_829_7, 9_063_992.684_697_363, 1.3);
    let map = DAffine3::from_translation(zero) * DAffine3::from_rotation_z(60_f64.to_radians());
    let drawn = models.iter().flat_map(|m| &m.elements).zip(&site.elements).filter(|(own, _)| own.shape.is_some());
    let mut count = 0;
    for (own, placed) in drawn {
        assert_eq!(own.id, placed.id);
        let on_the_map = DVec3::from_array(site.origin.position_m) + placed.placement.translation;
        let off = map.transform_point3(own.placement.translation).distance(on_the_map);
        assert!(off < 1e-3, "{} is {off} m off", own.id);
        let bounds = placed.bounds.unwrap();
        for corner in corners(&site, placed) {
            let outside = (bounds.min - corner).max(corner - bounds.max).max_element();
            assert!(outside < 1e-3, "{} reaches {outside} m out of its box", own.id);
        }
        count += 1;
    }
    assert!(count >= 38, "{count} elements are drawn");
}

/// What people read and copy is what the file says, however the site is drawn.
#[test]
fn coordinates_shown_are_the_original_ones() {
    let Some(folder) = samples() else { return };
    let mut models: Vec<Model> = SCENE.iter().map(|name| read(&folder.join(name))).collect();
    let zero = DVec3::new(729_013.348_829_7, 9_063_992.684_697_363, 1.3);
    let map = DAffine3::from_translation(zero) * DAffine3::from_rotation_z(60_f64.to_radians());
    for _ in 0..2 {
        let site = assembled(&models.iter().collect::<Vec<_>>());
        let mut count = 0;
        for (i, own) in models.iter().flat_map(|m| &m.elements).enumerate() {
            let at = Coordinates::of(&site, Slot(i as u32));
            assert_eq!(at.is_some(), own.bounds.is_some(), "{}", own.id);
            let (Some(at), Some(bounds)) = (at, own.bounds) else { continue };
            assert!(at.own_m.min.distance(bounds.min).max(at.own_m.max.distance(bounds.max)) < 1e-3, "{}", own.id);
            let there = at.map.as_ref().unwrap();
            let there_m = DVec3::from_array(there.position_m);
            assert_eq!(there.crs, "EPSG:32760");
            let off = there_m.distance(map.transform_point3(bounds.centre()));
            let back = map.inverse().transform_point3(there_m).distance(at.own_place_m());
            assert!(off < 1e-3 && back < 1e-3, "{} is {off} m off, and {back} m on the way back", own.id);
            count += 1;
        }
        assert!(count >= 38, "{count} elements have coordinates");
        models.reverse();
    }
}

/// The same scene drawn in a frame that is turned by 30° and 500 m away, with the map conversion that makes up
/// for it.
fn in_another_frame(text: &str) -> String {
    let (turn, shift) = (30_f64.to_radians(), DVec3::new(300_000.0, 400_000.0, 0.0));
    let line = text.lines().find(|l| l.contains("IFCMAPCONVERSION(")).unwrap();
    let head = line.split('(').next().unwrap();
    let mut fields: Vec<String> =
        line.split_once('(').unwrap().1.trim_end().trim_end_matches(");").split(',').map(str::to_owned).collect();
    let number = |i: usize| fields[i].parse::<f64>().unwrap();
    let angle = number(6).atan2(number(5)) - turn;
    let back = DAffine3::from_rotation_z(angle).transform_vector3(shift);
    let new = [number(2) - back.x, number(3) - back.y, number(4), angle.cos(), angle.sin()];
    for (field, value) in fields[2..].iter_mut().zip(new) {
        *field = format!("{value:?}").replace('e', "E");
    }
    let frame = format!(
        "#900001=IFCCARTESIANPOINT(({:?},{:?},0.));\n#900002=IFCDIRECTION((0.,0.,1.));\n\
         #900003=IFCDIRECTION(({:?},{:?},0.));\n#900004=IFCAXIS2PLACEMENT3D(#900001,#900002,#900003);\n\
         #900005=IFCLOCALPLACEMENT($,#900004);\nENDSEC;\nEND-ISO",
        shift.x,
        shift.y,
        turn.cos(),
        turn.sin()
    );
    let text = text.replace(line, &format!("{head}({});", fields.join(",")));
    let text = text.replace("IFCLOCALPLACEMENT($,", "IFCLOCALPLACEMENT(#900005,").replace("\r\n", "\n");
    let whole = text.replace("ENDSEC;\nEND-ISO", &frame);
    assert_ne!(whole, text, "the end of the records was not found");
    whole
}

#[test]
fn a_turned_and_shifted_copy_lands_on_the_original_in_either_order() {
    let Some(folder) = samples() else { return };
    let copies = tempfile::tempdir().unwrap();
    for name in SCENE {
        let original = read(&folder.join(name));
        let text = String::from_utf8_lossy(&std::fs::read(folder.join(name)).unwrap()).into_owned();
        let path = copies.path().join(name);
        std::fs::write(&path, in_another_frame(&text)).unwrap();
        let copy = read(&path);
        assert_eq!(original.elements.len(), copy.elements.len());
        let moved = original.bounds().unwrap().centre().distance(copy.bounds().unwrap().centre());
        assert!(moved > 400.0, "{name}: the copy lies {moved} m away in its own frame");
        let mut frames = Vec::new();
        for order in [[&original, &copy], [&copy, &original]] {
            let site = assembled(&order);
            let (first, second) = site.elements.split_at(original.elements.len());
            let mut worst: f64 = 0.0;
            for (a, b) in first.iter().zip(second) {
                assert_eq!(a.id, b.id);
                assert_eq!(corners(&site, a).count(), corners(&site, b).count(), "{name}: {}", a.id);
                worst = corners(&site, a).zip(corners(&site, b)).map(|(p, q)| p.distance(q)).fold(worst, f64::max);
                if let (Some(p), Some(q)) = (a.bounds, b.bounds) {
                    worst = worst.max(p.min.distance(q.min)).max(p.max.distance(q.max));
                }
            }
            println!("{name}: the copy is at most {:.6} mm off", worst * 1000.0);
            assert!(worst < 1e-3, "{name}: the copy is {worst} m off");
            frames.push((site.origin.clone(), site.bounds().unwrap()));
        }
        let ((origin, bounds), (other, others)) = (&frames[0], &frames[1]);
        assert_eq!(origin, other, "{name}: the frame depends on the order");
        assert!(bounds.min.distance(others.min) < 1e-6 && bounds.max.distance(others.max) < 1e-6, "{name}");
    }
}
