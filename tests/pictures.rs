//! Pictures without a window, small, on whatever can draw here (software Vulkan will do).
#![cfg(feature = "desktop")]

use glam::{DAffine3, DVec3};
use plenum::analytics::Health;
use plenum::desktop::adapter;
use plenum::desktop::camera::views::NamedView;
use plenum::desktop::shot::{Picture, Shot, draw};
use plenum::shape::{Aabb, Shape};
use plenum::site::model::Storey;
use plenum::site::{Element, ElementKind, Point, Site, Slot};
use plenum::twin::command::Command;
use plenum::twin::scene::OpenSite;
use plenum::twin::view::{ColourBy, Theme};
use std::sync::Arc;

/// True when there is something to draw with; says so loudly when there is not.
fn can_draw() -> bool {
    match adapter::find() {
        Ok(_) => true,
        Err(problem) => {
            eprintln!("SKIPPED, NO PICTURE WAS DRAWN: {problem}");
            false
        }
    }
}

/// A box from the origin, Z up, with outward normals.
fn cuboid(size: [f32; 3]) -> Shape {
    let [x, y, z] = size;
    let faces: [([f32; 3], [[f32; 3]; 4]); 6] = [
        ([0.0, 0.0, -1.0], [[0.0, 0.0, 0.0], [0.0, y, 0.0], [x, y, 0.0], [x, 0.0, 0.0]]),
        ([0.0, 0.0, 1.0], [[0.0, 0.0, z], [x, 0.0, z], [x, y, z], [0.0, y, z]]),
        ([0.0, -1.0, 0.0], [[0.0, 0.0, 0.0], [x, 0.0, 0.0], [x, 0.0, z], [0.0, 0.0, z]]),
        ([0.0, 1.0, 0.0], [[0.0, y, 0.0], [0.0, y, z], [x, y, z], [x, y, 0.0]]),
        ([-1.0, 0.0, 0.0], [[0.0, 0.0, 0.0], [0.0, 0.0, z], [0.0, y, z], [0.0, y, 0.0]]),
        ([1.0, 0.0, 0.0], [[x, 0.0, 0.0], [x, y, 0.0], [x, y, z], [x, 0.0, z]]),
    ];
    let mut shape = Shape::default();
    for (normal, corners) in faces {
        let first = shape.positions.len() as u32;
        shape.positions.extend(corners);
        shape.normals.extend([normal; 4]);
        shape.indices.extend([0, 1, 2, 0, 2, 3].map(|i| first + i));
    }
    shape
}

/// One green machine of 4 m, alone, that fills the middle of any picture of it.
fn site() -> Site {
    let shape = cuboid([4.0, 4.0, 4.0]);
    let machine = Element {
        id: "machine".into(),
        class: "IfcChiller".into(),
        kind: ElementKind::Element,
        storey: Some(0),
        shape: Some(0),
        placement: DAffine3::from_translation(DVec3::new(10.0, 20.0, 0.0)),
        colour: [0.05, 0.6, 0.05, 1.0],
        bounds: Some(Aabb { min: DVec3::new(10.0, 20.0, 0.0), max: DVec3::new(14.0, 24.0, 4.0) }),
        ..Element::default()
    };
    let mut site = Site::default();
    site.elements = vec![machine];
    site.source_of = vec![0];
    site.storeys = vec![Storey { name: "Ground".into(), ..Storey::default() }];
    site.shapes = vec![Arc::new(shape)];
    site.points = vec![Point {
        id: "machine/running".into(),
        asset: Slot(0),
        role: "running".into(),
        name: "running".into(),
        unit: plenum::site::unit::Unit::ONE,
        expected: None,
        period_s: 1.0,
        stale_after_s: 60.0,
        check: None,
        source: plenum::site::point::PointSource::Topic { topic: "t".into(), key: String::new() },
        remedy: String::new(),
    }];
    site
}

fn picture(shot: Shot) -> Picture {
    let shot = Shot { size: [192, 128], fineness: 1, panels: false, ..shot };
    let site = Arc::new(site());
    let picture = draw(&shot, |app| {
        app.insert_resource(OpenSite(site));
    })
    .expect("an adapter was found, so there is a picture");
    assert_eq!(picture.size, [192, 128]);
    assert_eq!(picture.rgba.len(), 192 * 128 * 4);
    picture
}

/// Mean colour of 8 by 8 pixels about the middle.
fn middle(picture: &Picture) -> [f64; 3] {
    mean(picture, picture.size[0] / 2, picture.size[1] / 2)
}

fn mean(picture: &Picture, x: u32, y: u32) -> [f64; 3] {
    let mut sum = [0.0; 3];
    for dy in 0..8 {
        for dx in 0..8 {
            let at = (((y + dy - 4) * picture.size[0] + x + dx - 4) * 4) as usize;
            (0..3).for_each(|c| sum[c] += f64::from(picture.rgba[at + c]) / 64.0);
        }
    }
    sum
}

#[test]
fn colours_mean_what_they_say() {
    if !can_draw() {
        return;
    }
    let own = middle(&picture(Shot::default()));
    assert!(own[1] > 1.6 * own[0] && own[1] > 1.6 * own[2], "the machine is green: {own:?}");

    // Nothing is known of it: grey, neither its own green nor the green of good health.
    let unknown = middle(&picture(Shot { colour_by: ColourBy::Health, ..Shot::default() }));
    let spread = unknown.iter().fold(0.0_f64, |m, c| m.max((c - unknown[0]).abs()));
    assert!(spread < 40.0, "unknown health is grey: {unknown:?}");
    assert_eq!(Health::default(), Health::Unknown);
}

#[test]
fn what_is_hidden_is_not_drawn_and_themes_differ() {
    if !can_draw() {
        return;
    }
    let hidden =
        middle(&picture(Shot { commands: vec![Command::Hide(vec![Slot(0)])], theme: Theme::Light, ..Shot::default() }));
    let spread = hidden.iter().fold(0.0_f64, |m, c| m.max((c - hidden[0]).abs()));
    assert!(spread < 30.0, "ground or sky where the green machine was: {hidden:?}");
    let dark = picture(Shot::default());
    let corner = mean(&dark, 8, 8);
    assert!(corner.iter().sum::<f64>() < 300.0, "the dark theme is dark: {corner:?}");
    assert!(hidden.iter().sum::<f64>() > 450.0, "the light theme is light: {hidden:?}");
}

#[test]
fn a_storey_is_cut_and_an_unknown_one_is_refused_with_the_names_there_are() {
    if !can_draw() {
        return;
    }
    let whole = picture(Shot::default());
    let cut = picture(Shot { view: Some(NamedView::Storey("Ground".into())), ..Shot::default() });
    assert_ne!(middle(&whole), middle(&cut));
    let site = Arc::new(site());
    let shot =
        Shot { size: [192, 128], panels: false, view: Some(NamedView::Storey("Attic".into())), ..Shot::default() };
    let refused = draw(&shot, |app| {
        app.insert_resource(OpenSite(site));
    })
    .err()
    .expect("there is no attic");
    assert!(refused.message.contains("Attic") && refused.message.contains("Ground"), "{refused}");
}
