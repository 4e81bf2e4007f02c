//! What people decide of joints in the panel of an element.

use super::{SIZES, Stage, clinic};
use crate::desktop::panels::fixture::{self, World};
use crate::site::infer::{Join, JoinEnd, JoinedBy, Verdict};
use crate::site::project::JoinDecision;
use crate::site::{Project, Slot};
use crate::twin::command::Command;
use crate::twin::place::Placements;
use bevy_egui::egui::{Key, Modifiers};
use std::sync::Arc;

/// The clinic with a joint between a pipe, which is selected, and the air handler that only their geometry says.
fn world(by: JoinedBy) -> (World, Slot, Slot) {
    let mut world = clinic();
    world.views.file = Some("twin.toml".into());
    let scene = world.scene.as_mut().unwrap();
    let site = Arc::make_mut(&mut scene.site);
    let [ahu, pipe] = ["AHU-1", "Chilled water supply DN100"].map(|label| fixture::slot(site, label));
    let [from, to] = [ahu, pipe].map(|slot| JoinEnd { element: slot.0, point: None });
    site.inferred.joins.push(Join { from, to, gap_m: Some(0.004), confidence: 0.874, by, cable: None });
    world.view.selected = Some(pipe);
    (world, pipe, ahu)
}

fn decided(out: &[Command]) -> Vec<&Command> {
    out.iter().filter(|c| matches!(c, Command::DecideJoint { .. })).collect()
}

#[test]
fn an_inferred_joint_says_why_and_is_accepted_or_rejected() {
    for size in SIZES {
        let (world, pipe, ahu) = world(JoinedBy::Geometry);
        let mut stage = Stage::new(world, size);
        stage.settle();
        stage.check_texts(&format!("an inferred joint {size:?}"));
        assert!(stage.find("87 % sure, ends 4 mm apart").is_some(), "{:?}", stage.words());
        for (word, verdict) in [("Accept", Verdict::Accept), ("Reject", Verdict::Reject)] {
            let decide = Command::DecideJoint { between: [pipe, ahu], verdict: Some(verdict) };
            assert_eq!(decided(&stage.click(word)), [&decide], "{word}");
        }
        // Without a file of a project there is nowhere to keep a decision.
        stage.world.views.file = None;
        stage.settle();
        assert!(stage.find("Accept").is_none() && stage.find("Join to…").is_none());
        assert!(stage.find("87 % sure, ends 4 mm apart").is_some());
    }
}

#[test]
fn what_was_decided_is_shown_and_can_be_forgotten() {
    for by in [JoinedBy::Accepted, JoinedBy::Hand] {
        let (world, pipe, ahu) = world(by);
        let mut stage = Stage::new(world, SIZES[1]);
        stage.settle();
        assert!(stage.find("Accept").is_none());
        let forget = Command::DecideJoint { between: [pipe, ahu], verdict: None };
        assert_eq!(decided(&stage.click("Forget")), [&forget], "{by:?}");
    }
    let (mut world, pipe, ahu) = world(JoinedBy::Geometry);
    let site = Arc::make_mut(&mut world.scene.as_mut().unwrap().site);
    site.inferred.joins.clear();
    let [from, to] = [pipe, ahu].map(|slot| site.element(slot).unwrap().id.clone());
    site.by_id.extend([(from.clone(), pipe), (to.clone(), ahu)]);
    let decision = JoinDecision { from, to, from_point: None, to_point: None, verdict: Verdict::Reject, line: 0 };
    world.placements = Placements::of(&Project { joins: vec![decision], ..Project::default() });
    let mut stage = Stage::new(world, SIZES[1]);
    stage.settle();
    assert!(stage.find("Not joined to").is_some(), "{:?}", stage.words());
    let forget = Command::DecideJoint { between: [pipe, ahu], verdict: None };
    assert_eq!(decided(&stage.click("Forget")), [&forget]);
}

#[test]
fn two_elements_are_joined_by_hand_one_after_the_other() {
    let (world, pipe, ahu) = world(JoinedBy::Geometry);
    let mut stage = Stage::new(world, SIZES[1]);
    stage.settle();
    stage.click("Join to…");
    assert_eq!(stage.state.joining, Some(pipe));
    stage.settle();
    stage.check_texts("joining by hand");
    // Esc leaves it, and keeps the selection.
    assert!(stage.key(Key::Escape, Modifiers::NONE).is_empty());
    assert_eq!(stage.state.joining, None);
    stage.settle();
    stage.click("Join to…");
    stage.world.view.selected = Some(ahu);
    let out = stage.frame(Vec::new());
    let join = Command::DecideJoint { between: [pipe, ahu], verdict: Some(Verdict::Join) };
    assert_eq!(decided(&out), [&join]);
    assert!(decided(&stage.frame(Vec::new())).is_empty(), "once");
    // Nothing is joined when nothing is selected any more.
    stage.state.joining = Some(ahu);
    stage.world.view.selected = None;
    assert!(decided(&stage.frame(Vec::new())).is_empty());
    assert_eq!(stage.state.joining, None);
}
