//! The bar of time.

use super::*;
use crate::time::Time;
use crate::twin::replay::Showing;

fn past(world: &mut World, speed: f64) {
    world.clock.is_held = true;
    world.playback.showing = Showing::Past { speed };
}

#[test]
fn it_comes_when_asked_for_and_while_another_time_is_shown() {
    for size in SIZES {
        let mut stage = Stage::new(World::clinic(), size);
        assert!(stage.find("Live").is_none());
        stage.key(Key::T, Modifiers::NONE);
        stage.settle();
        assert!(stage.find("Live").is_some() && stage.find("60 ×").is_some(), "{size:?}");
        assert!(stage.state.places.time.height() > 30.0);
        assert!(stage.state.places.time.bottom() <= stage.state.places.status.top() + 0.5);
        assert!(stage.state.places.scene.bottom() <= stage.state.places.time.top() + 0.5);
        stage.key(Key::T, Modifiers::NONE);
        stage.settle();
        assert!(stage.find("Live").is_none());
        past(&mut stage.world, 0.0);
        stage.settle();
        assert!(stage.find("Live").is_some() && stage.find("past").is_some());
    }
}

#[test]
fn a_click_on_the_track_seeks_and_keys_let_time_run() {
    let mut stage = Stage::new(World::clinic(), SIZES[1]);
    stage.key(Key::T, Modifiers::NONE);
    stage.settle();
    let out = stage.key(Key::Space, Modifiers::NONE);
    assert!(out.contains(&Command::Play(0.0)), "at present time runs: {out:?}");
    let bar = stage.state.places.time;
    let out = stage.click_at(pos2(bar.center().x, bar.top() + 12.0), PointerButton::Primary);
    let now = stage.world.clock.now;
    let sought: Vec<Time> = out.iter().filter_map(|c| if let Command::Seek(t) = c { Some(*t) } else { None }).collect();
    let ago_h = sought.first().map(|t| now.seconds_since(*t) / 3600.0);
    assert!(ago_h.is_some_and(|h| (8.0..16.0).contains(&h)), "about the middle of a day: {ago_h:?}");
    past(&mut stage.world, 0.0);
    stage.settle();
    assert!(stage.key(Key::Space, Modifiers::NONE).contains(&Command::Play(60.0)));
    assert!(stage.key(Key::L, Modifiers::NONE).contains(&Command::GoLive));
    assert!(stage.click("Live").contains(&Command::GoLive));
    past(&mut stage.world, -60.0);
    assert!(stage.key(Key::Space, Modifiers::NONE).contains(&Command::Play(0.0)));
}

#[test]
fn what_cannot_be_shown_is_said_in_the_bar() {
    let mut stage = Stage::new(World::clinic(), SIZES[1]);
    past(&mut stage.world, 0.0);
    stage.world.playback.problem = Some("the disk is gone".into());
    stage.settle();
    assert!(stage.find("the disk is gone").is_some());
}
