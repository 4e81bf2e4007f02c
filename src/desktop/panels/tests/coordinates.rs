//! Where an element is, in the panel of its properties.

use super::{SIZES, Stage, clinic};
use bevy_egui::egui::Event;

#[test]
fn coordinates_are_those_of_the_map_and_of_the_file_and_can_be_copied() {
    for size in [SIZES[1], SIZES[3]] {
        let mut world = clinic();
        let pump = world.slot("P-1");
        world.view.selected = Some(pump);
        let middle = world.scene.as_ref().unwrap().site.element(pump).unwrap().bounds.unwrap().centre();
        let mut stage = Stage::new(world, size);
        // Folded away, so that all of it is on the screen.
        stage.click("Live values");
        stage.click("Identity");
        assert!(stage.find("EPSG:2056").is_some(), "{:?}", stage.words());
        let map = [2_683_141.0 + middle.x, 1_247_400.0 + middle.y, 408.0 + middle.z].map(|v| format!("{v:.3}"));
        let own = middle.to_array().map(|v| format!("{v:.3}"));
        for (names, place) in
            [(["Easting", "Northing", "Height"], &map), (["X in file", "Y in file", "Z in file"], &own)]
        {
            for (name, value) in names.iter().zip(place) {
                let (name, value) = (stage.find(name).unwrap(), stage.find(&format!("{value} m")).unwrap());
                assert!((name.center().y - value.center().y).abs() < 2.0, "{name:?} {value:?}");
            }
            stage.copied = None;
            stage.click(&format!("{} m", place[1]));
            assert_eq!(stage.copied.as_deref(), Some(place.join(", ").as_str()));
        }
        let away = stage.state.places.scene.center();
        stage.frame(vec![Event::PointerMoved(away)]);
        stage.settle();
        stage.check_texts("coordinates");
        assert!(stage.find("Not known").is_none());
    }
}

#[test]
fn a_file_on_no_map_says_so() {
    let mut world = clinic();
    world.view.selected = Some(world.slot("Door 3.0"));
    let mut stage = Stage::new(world, SIZES[1]);
    assert!(stage.find("Not known").is_some() && stage.find("X in file").is_some(), "{:?}", stage.words());
    assert!(stage.find("Easting").is_none());
    // Without geometry there is nothing to say.
    let scene = stage.world.scene.as_mut().unwrap();
    let door = stage.world.view.selected.unwrap().0 as usize;
    std::sync::Arc::get_mut(&mut scene.site).unwrap().elements[door].bounds = None;
    stage.world.view.selected = None;
    stage.settle();
    stage.world.view.selected = Some(crate::site::Slot(door as u32));
    stage.settle();
    assert!(stage.find("X in file").is_none() && stage.find("Identity").is_some());
}
