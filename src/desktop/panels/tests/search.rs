//! The search box and what is found with it.

use super::*;

#[test]
fn the_search_speaks_the_language_and_says_what_is_wrong() {
    for size in SIZES {
        let mut stage = Stage::new(clinic(), size);
        stage.world.views.file = Some("twin.toml".into());
        stage.key(Key::F, Modifiers::COMMAND);
        stage.settle();
        assert!(stage.find("For example").is_some(), "{:?}", stage.words());
        stage.check_texts("examples");
        stage.frame(vec![Event::Text("class:IfcAirTerminalBox storey:\"Level 2\"".into())]);
        stage.settle();
        assert!(stage.find("8 found").is_some(), "{:?}", stage.words());
        assert!(stage.find("VAV-1-03").is_some() && stage.find("Room 103").is_none());
        stage.check_texts("found");
        let out = stage.key(Key::Enter, Modifiers::NONE);
        assert!(out.contains(&Command::ShowFound), "{out:?}");
        // A click on what was found flies there.
        let vav = stage.world.slot("VAV-1-03");
        let out = stage.click("VAV-1-03");
        assert!(out.contains(&Command::Select(Some(vav))) && out.contains(&Command::FlyTo(vav)), "{out:?}");
        // What cannot be understood is told where it is.
        stage.key(Key::F, Modifiers::COMMAND);
        stage.settle();
        stage.frame(vec![Event::Text(" clas:x".into())]);
        stage.settle();
        assert!(stage.words().iter().any(|w| w.contains("`clas` is no key")), "{:?}", stage.words());
        assert!(stage.find("VAV-1-03").is_none());
        stage.check_texts("refused");
        // Esc clears, and takes nothing else away.
        let out = stage.key(Key::Escape, Modifiers::NONE);
        assert!(out.contains(&Command::Search(String::new())), "{out:?}");
        assert!(!out.contains(&Command::Select(None)), "{out:?}");
        stage.settle();
        assert!(stage.find("Level 2").is_some() && stage.state.tree.search.text.is_empty());
    }
}

#[test]
fn an_example_is_taken_by_a_click_and_others_may_search_too() {
    let mut stage = Stage::new(clinic(), SIZES[0]);
    stage.click("Name, tag, class, GlobalId");
    stage.click("pump");
    assert_eq!(stage.state.tree.search.text, "pump");
    assert_eq!(stage.world.search.text(), "pump");
    assert!(stage.find("P-1").is_some(), "{:?}", stage.words());
    // A saved view, say.
    stage.world.look_for("class:IfcChiller");
    stage.settle();
    assert_eq!(stage.state.tree.search.text, "class:IfcChiller");
    assert!(stage.find("CH-1").is_some() && stage.find("1 found").is_some(), "{:?}", stage.words());
    let out = stage.frame(Vec::new());
    assert!(!out.iter().any(|c| matches!(c, Command::Search(_))), "it is not asked once more: {out:?}");
    // What nothing is called is said.
    stage.world.look_for("class:IfcPmp");
    stage.settle();
    assert!(stage.words().iter().any(|w| w.contains("there is `IfcPump`")), "{:?}", stage.words());
    stage.check_texts("a note");
}
