//! What a reload changed: the list, the legend, and what goes along with it.

use super::*;
use crate::shape::Aabb;
use crate::site::PointIndex;
use crate::site::model::PropertyValue;
use crate::site::revision::follow::{Following, Lost};
use crate::site::revision::report::Kind;
use crate::site::revision::{By, Carry, Change, Moved, Report, Succession};
use crate::twin::changes::Changes;

/// The pump is new, the air handler moved, the chiller changed, and a terminal box is gone with its sensors.
fn changed(world: &World, unwritten: usize) -> (Changes, Carry) {
    let site = world.scene.as_ref().unwrap().site.clone();
    let (pump, ahu, chiller, gone) =
        (world.slot("P-1"), world.slot("AHU-1"), world.slot("CH-1"), world.slot("VAV-1-05"));
    let of = |slot: Slot| (slot != gone && slot != pump).then_some((slot, By::GlobalId));
    let property = |property: &str, old: &str, new: &str| Change {
        old_element: chiller.0,
        new_element: chiller.0,
        property: property.into(),
        old: Some(PropertyValue::Text(old.into())),
        new: Some(PropertyValue::Text(new.into())),
    };
    let succession = Succession {
        next: (0..site.elements.len() as u32).map(|i| of(Slot(i))).collect(),
        removed: vec![(
            gone,
            "removed: nothing with its GlobalId, with its tag or at its place is there any more".into(),
        )],
        added: vec![pump],
        moved: vec![Moved { old: ahu.0, new: ahu.0, offset_m: glam::DVec3::new(0.6, 0.8, 0.0), turned: false }],
        changed: vec![property("type_name", "old", "new"), property("Pset_X.NominalPower", "320 kW", "400 kW")],
        ..Succession::default()
    };
    let mut following = Following::default();
    for (i, point) in site.points.iter().enumerate() {
        let stays = point.asset != gone;
        following.carried.push(stays.then_some(PointIndex(i as u32)));
        if !stays {
            let why = "removed: bind it by hand if it is still there, under another name and in another place".into();
            following.bindings.lost.push(Lost { point: point.id.clone(), from: "x".into(), why });
        }
    }
    let report = Report::of(&site, &site, &succession, &following, unwritten);
    (Changes::of(report), succession.carry(following.carried))
}

fn stage(size: (f32, f32, f32), unwritten: usize) -> (Stage, Carry) {
    let mut world = clinic();
    let (changes, carry) = changed(&world, unwritten);
    (world.changes, world.view.colour_by) = (changes, ColourBy::Change);
    let mut stage = Stage::new(world, size);
    stage.state.bottom = BottomTab::Changes;
    stage.settle();
    (stage, carry)
}

#[test]
fn what_a_reload_changed_is_listed_and_leads_to_its_elements() {
    for size in SIZES {
        let (mut stage, _) = stage(size, 3);
        stage.check_places(&format!("changes {size:?}"));
        stage.check_texts(&format!("changes {size:?}"));
        // What nobody may miss stands first.
        assert!(stage.find("Binding lost").is_some() && stage.find("VAV-1-05/zone_temperature").is_some());
        stage.click("Changed 1");
        let both = "type_name: old → new; Pset_X.NominalPower: 320 kW → 400 kW";
        let shown = stage.words().iter().any(|w| both.starts_with(w.trim_end_matches('…')) && w.len() > 12);
        assert!(shown, "{:?}", stage.words());
        assert!(stage.find("VAV-1-05/zone_temperature").is_none(), "only what changed");
        stage.click("Moved 1");
        let ahu = stage.world.slot("AHU-1");
        let at = stage.find("1.00 m (0.6, 0.8, 0)").unwrap_or_else(|| panic!("{:?}", stage.words())).center();
        let out = stage.click_at(at, PointerButton::Primary);
        assert!(out.contains(&Command::Select(Some(ahu))) && out.contains(&Command::FlyTo(ahu)), "{out:?}");
        assert!(out.contains(&Command::Hover(Some(ahu))), "{out:?}");
        // What is gone leads nowhere.
        stage.click("Removed 1");
        let at = stage.find("VAV-1-05").unwrap().center();
        let out = stage.click_at(at, PointerButton::Primary);
        assert!(!out.iter().any(|c| matches!(c, Command::FlyTo(_) | Command::Select(_))), "{out:?}");
        stage.click("All 8");
        assert!(stage.find("Binding lost").is_some());
        assert_eq!(stage.click("Write to twin.toml").iter().filter(|c| **c == Command::SaveBindings).count(), 1);
    }
}

#[test]
fn the_legend_of_changes_counts_and_dismisses() {
    for size in SIZES {
        let (mut stage, _) = stage(size, 0);
        let scene = stage.state.places.scene;
        for (words, number) in [("Added", "1"), ("Moved", "1"), ("Changed", "1"), ("As it was", "")] {
            let at = stage.texts().into_iter().find(|(t, r, _)| t == words && scene.contains_rect(*r));
            let (_, at, _) = at.unwrap_or_else(|| panic!("{words}: {:?}", stage.words()));
            let same_line = |r: &Rect| (r.center().y - at.center().y).abs() < 4.0 && scene.contains_rect(*r);
            assert!(number.is_empty() || stage.texts().iter().any(|(t, r, _)| t == number && same_line(r)), "{words}");
        }
        assert!(stage.find("Write to twin.toml").is_none(), "there is nothing to write");
        let button = stage.texts().into_iter().find(|(t, r, _)| t == "Dismiss" && scene.contains_rect(*r)).unwrap().1;
        let out = stage.click_at(button.center(), PointerButton::Primary);
        assert!(out.contains(&Command::DismissChanges), "{out:?}");
        // Dismissed, there is neither tab nor list.
        stage.world.changes = Changes::default();
        stage.world.view.colour_by = ColourBy::Health;
        stage.settle();
        assert!(stage.find("Changes").is_none() && stage.state.bottom == BottomTab::Alarms);
    }
}

#[test]
fn what_is_to_be_written_is_told_after_the_rest_was_dismissed() {
    let (mut stage, _) = stage(SIZES[0], 3);
    let mut left = stage.world.changes.report().unwrap().clone();
    left.seen();
    assert_eq!((left.count(Kind::Added), left.of_slot(stage.world.slot("P-1"))), (0, None));
    stage.world.changes = Changes::of(left);
    stage.world.view.colour_by = ColourBy::Health;
    stage.settle();
    assert!(stage.find("Write to twin.toml").is_some() && stage.find("Dismiss").is_none(), "{:?}", stage.words());
    stage.check_texts("left to write");
}

#[test]
fn a_key_and_a_button_reload() {
    let mut stage = Stage::new(clinic(), SIZES[0]);
    assert_eq!(stage.key(Key::R, Modifiers::COMMAND), [Command::Reload]);
    assert_eq!(stage.key(Key::F5, Modifiers::NONE), [Command::Reload]);
    assert!(stage.key(Key::R, Modifiers::NONE).is_empty());
    // The button stands right of the one that opens.
    let bar = stage.state.places.top_left;
    let found = (0..((bar.width() / 6.0) as usize)).find_map(|i| {
        let at = pos2(bar.left() + i as f32 * 6.0, bar.center().y);
        let out = stage.click_at(at, PointerButton::Primary);
        stage.state.open = Default::default();
        out.contains(&Command::Reload).then_some(at)
    });
    assert!(found.is_some(), "no button in the bar reloads");
    // While something is read already, nothing is asked for.
    stage.world.busy = Some(Busy { what: "Reloading twin.toml".into(), progress: Progress::default(), aside: false });
    assert!(stage.key(Key::R, Modifiers::COMMAND).is_empty());
    let mut empty = Stage::new(World::empty(), SIZES[0]);
    assert!(empty.key(Key::R, Modifiers::COMMAND).is_empty());
}

#[test]
fn what_is_plotted_and_opened_goes_along() {
    let (mut stage, mut carry) = stage(SIZES[0], 0);
    stage.click("Level 2");
    assert!(stage.find("Air terminal box").is_some());
    let gone = stage.world.scene.as_ref().unwrap().points_of(stage.world.slot("VAV-1-05"))[0];
    stage.state.trend.add(PointIndex(2));
    stage.state.trend.add(gone);
    stage.state.bottom = BottomTab::Trend;
    // The same site again under other numbers: the first point is the last now.
    let scene = stage.world.scene.as_mut().unwrap();
    let mut site = (*scene.site).clone();
    let last = site.points.len() as u32 - 1;
    site.points.swap(2, last as usize);
    carry.points[2] = Some(PointIndex(last));
    site.elements[0].bounds = Some(Aabb { min: glam::DVec3::ZERO, max: glam::DVec3::ONE });
    scene.site = std::sync::Arc::new(site);
    stage.state.go_along(scene, &carry, true);
    stage.settle();
    assert_eq!(stage.state.trend.points, [PointIndex(last)]);
    assert_eq!(stage.state.bottom, BottomTab::Changes);
    assert!(stage.find("Air terminal box").is_some(), "what was open stays open: {:?}", stage.words());
}
