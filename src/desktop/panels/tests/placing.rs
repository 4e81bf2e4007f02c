//! The window in which a model is placed by hand.

use super::{SIZES, Stage, clinic};
use crate::desktop::panels::fixture::World;
use crate::site::Project;
use crate::site::project::{ModelFile, Move};
use crate::twin::command::Command;
use crate::twin::place::Placements;
use bevy_egui::egui::{Event, Key, Modifiers, PointerButton};
use std::path::Path;
use std::sync::Arc;

/// The services' model, a number among the sources.
const MEP: u16 = 1;

fn project() -> World {
    let mut world = clinic();
    let models = ["clinic-architecture.ifc", "clinic-mep.ifc"];
    let models = models.map(|file| ModelFile { file: file.into(), ..ModelFile::default() }).into();
    world.placements = Placements::of(&Project { models, ..Project::default() });
    world.views.file = Some("twin.toml".into());
    world
}

fn placed(out: &[Command]) -> Vec<&Command> {
    out.iter().filter(|c| matches!(c, Command::PlaceModel { .. } | Command::UndoPlacement)).collect()
}

#[test]
fn a_model_is_placed_by_hand_undone_and_given_back() {
    for size in SIZES {
        let mut stage = Stage::new(project(), size);
        stage.state.placing.open(MEP);
        stage.settle();
        let what = format!("placing {size:?}");
        stage.check_texts(&what);
        assert!(stage.find("Place by hand").is_some(), "{what}: {:?}", stage.words());
        assert!(stage.find("It has no map conversion: its zero is put on the project's origin").is_some());
        assert!(placed(&stage.click("Apply")).is_empty(), "nothing is different");
        assert!(placed(&stage.click("Undo")).is_empty() && placed(&stage.click("Own place")).is_empty());
        // Twelve and a half metres to the east.
        let east = stage.find("0.000").unwrap();
        assert!((east.center().y - stage.find("East").unwrap().center().y).abs() < 3.0, "the first field");
        stage.click_at(east.center(), PointerButton::Primary);
        stage.settle();
        stage.frame(vec![Event::Text("12.5".into())]);
        assert!(stage.key(Key::X, Modifiers::NONE).is_empty(), "letters are no commands");
        let to = Move::To { offset_m: [12.5, 0.0, 0.0], rotation_deg: 0.0 };
        let place = Command::PlaceModel { source: MEP, to };
        let out = stage.key(Key::Enter, Modifiers::NONE);
        assert_eq!(placed(&out), [&place], "{what}");
        stage.settle();
        assert_eq!(placed(&stage.click("Apply")), [&place], "{what}");
        // The twin has obeyed.
        assert!(stage.world.placements.place(Path::new("clinic-mep.ifc"), to));
        stage.settle();
        assert!(stage.find("12.500").is_some() && stage.find("It is placed by hand").is_some());
        assert!(placed(&stage.click("Apply")).is_empty());
        assert_eq!(placed(&stage.click("Undo")), [&Command::UndoPlacement], "{what}");
        let back = Command::PlaceModel { source: MEP, to: Move::Back };
        assert_eq!(placed(&stage.click("Own place")), [&back], "{what}");
        stage.key(Key::Escape, Modifiers::NONE);
        stage.settle();
        assert!(!stage.state.placing.is_open() && stage.find("Place by hand").is_none());
    }
}

#[test]
fn models_of_a_project_can_be_placed_and_nothing_else() {
    let mut stage = Stage::new(project(), SIZES[1]);
    stage.click("site.geojson");
    assert!(!stage.state.placing.is_open(), "a map layer lies where it says");
    stage.click("clinic-mep.ifc");
    assert!(stage.state.placing.is_open());
    stage.click("Close");
    assert!(!stage.state.placing.is_open());
    // From an element of a file that lies on no map.
    stage.world.view.selected = Some(stage.world.slot("Door 3.0"));
    stage.settle();
    stage.click("Not known");
    assert!(stage.find("clinic-architecture.ifc").is_some(), "{:?}", stage.words());
    // A model alone has no file to keep it in.
    stage.state.placing.close();
    stage.world.view.selected = None;
    stage.world.views.file = None;
    stage.settle();
    stage.click("clinic-mep.ifc");
    assert!(!stage.state.placing.is_open());
}

#[test]
fn panels_go_on_when_a_model_lies_elsewhere() {
    let mut stage = Stage::new(project(), SIZES[1]);
    stage.click("Level 2");
    stage.state.placing.open(MEP);
    stage.settle();
    assert!(stage.find("Air terminal box").is_some());
    let scene = stage.world.scene.as_mut().unwrap();
    stage.world.placements.passed(&scene.site);
    scene.site = Arc::new((*scene.site).clone());
    stage.settle();
    assert!(stage.find("Air terminal box").is_some() && stage.state.placing.is_open(), "the same site");
    let scene = stage.world.scene.as_mut().unwrap();
    scene.site = Arc::new((*scene.site).clone());
    stage.settle();
    assert!(stage.find("Air terminal box").is_none() && !stage.state.placing.is_open(), "another site");
}
