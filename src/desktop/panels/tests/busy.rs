//! Work that is under way.

use super::*;

#[test]
fn work_under_way_can_be_cancelled() {
    let mut stage = Stage::new(clinic(), SIZES[2]);
    let progress = Progress::default();
    progress.set_total(200);
    progress.set_done(50);
    stage.world.busy = Some(Busy { what: "Reading clinic-mep.ifc".into(), progress: progress.clone(), aside: false });
    stage.settle();
    assert!(stage.words().iter().any(|w| w.contains("25 %")), "{:?}", stage.words());
    stage.check_texts("busy");
    stage.click("Cancel");
    assert!(progress.cancelled());
    assert!(stage.find("Stopping …").is_some());
}

#[test]
fn work_of_which_something_is_seen_stands_aside_and_esc_stops_it() {
    let mut stage = Stage::new(clinic(), SIZES[2]);
    let progress = Progress::default();
    progress.set_total(200);
    progress.set_done(200);
    let what = "Opening clinic".to_owned();
    stage.world.busy = Some(Busy { what, progress: progress.clone(), aside: false });
    stage.settle();
    let middle = stage.find("Cancel").unwrap();
    assert!(stage.words().iter().any(|w| w.starts_with("200 elements;")), "{:?}", stage.words());
    stage.world.busy.as_mut().unwrap().aside = true;
    stage.settle();
    let aside = stage.find("Cancel").unwrap();
    let scene = stage.state.places.scene;
    assert!(aside.top() > middle.bottom() && scene.contains_rect(aside), "{aside:?} in {scene:?}");
    stage.world.view.selected = Some(Slot(1));
    assert!(stage.key(Key::Escape, Modifiers::NONE).is_empty(), "the selection stays");
    assert!(progress.cancelled());
    assert_eq!(stage.key(Key::Escape, Modifiers::NONE), [Command::Select(None)], "then it is as ever");
}
