//! All panels at once on an egui context without a GPU: nothing panics, overlaps, is cut off or does nothing.

use super::data::Eye;
use super::fixture::{self, World};
use super::state::{BottomTab, PanelState};
use super::{Busy, SavedViews, draw};
use crate::desktop::theme;
use crate::import::Progress;
use crate::site::Slot;
use crate::site::project::SavedView;
use crate::twin::command::Command;
use crate::twin::view::{ColourBy, Drawn, Theme};
use bevy_egui::egui;
use egui::epaint::{ClippedShape, Shape};
use egui::{Event, Key, Modifiers, PointerButton, Pos2, RawInput, Rect, ViewportId, pos2, vec2};

mod busy;
mod changes;
mod connections;
mod coordinates;
mod flow;
mod placing;
mod search;
mod time;

/// 1280 × 800, 1920 × 1080, and both at 150 %.
const SIZES: [(f32, f32, f32); 4] =
    [(1280.0, 800.0, 1.0), (1920.0, 1080.0, 1.0), (1280.0, 800.0, 1.5), (1920.0, 1080.0, 1.5)];

struct Stage {
    ctx: egui::Context,
    state: PanelState,
    world: World,
    size: (f32, f32, f32),
    time: f64,
    shapes: Vec<ClippedShape>,
    opened: Option<std::path::PathBuf>,
    /// What was last copied.
    copied: Option<String>,
}

impl Stage {
    fn new(world: World, size: (f32, f32, f32)) -> Self {
        let ctx = egui::Context::default();
        theme::apply(&ctx, world.view.theme);
        let state = PanelState::default();
        let mut stage = Self { ctx, state, world, size, time: 0.0, shapes: Vec::new(), opened: None, copied: None };
        stage.settle();
        stage
    }

    fn screen(&self) -> Rect {
        Rect::from_min_size(Pos2::ZERO, vec2(self.size.0, self.size.1) / self.size.2)
    }

    /// One frame; what was asked for in it.
    fn frame(&mut self, events: Vec<Event>) -> Vec<Command> {
        self.time += 1.0 / 30.0;
        let mut input =
            RawInput { screen_rect: Some(self.screen()), time: Some(self.time), events, ..Default::default() };
        input.viewports.entry(ViewportId::ROOT).or_default().native_pixels_per_point = Some(self.size.2);
        let mut out = Vec::new();
        let (data, state) = (self.world.data(), &mut self.state);
        let mut opened = None;
        let output = self.ctx.run_ui(input, |ui| {
            opened = draw(ui, &data, state, &mut out).or(opened.take());
        });
        self.opened = opened;
        self.shapes = output.shapes.clone();
        for command in &output.platform_output.commands {
            if let egui::OutputCommand::CopyText(text) = command {
                self.copied = Some(text.clone());
            }
        }
        output.drop_without_applying_deltas();
        for command in &out {
            if let Command::Search(text) = command {
                self.world.look_for(text);
            }
        }
        out
    }

    fn settle(&mut self) {
        for _ in 0..12 {
            self.frame(Vec::new());
        }
    }

    fn click_at(&mut self, pos: Pos2, button: PointerButton) -> Vec<Command> {
        let press = |pressed| Event::PointerButton { pos, button, pressed, modifiers: Modifiers::NONE };
        let mut out = self.frame(vec![Event::PointerMoved(pos)]);
        out.extend(self.frame(vec![press(true)]));
        out.extend(self.frame(vec![press(false)]));
        out
    }

    /// Clicks the first text that reads exactly like this.
    fn click(&mut self, words: &str) -> Vec<Command> {
        let at = self.find(words).unwrap_or_else(|| panic!("`{words}` is not on the screen: {:?}", self.words()));
        let out = self.click_at(at.center(), PointerButton::Primary);
        self.settle();
        out
    }

    fn key(&mut self, key: Key, modifiers: Modifiers) -> Vec<Command> {
        let press = |pressed| Event::Key { key, physical_key: None, pressed, repeat: false, modifiers };
        let out = self.frame(vec![Event::ModifiersChanged(modifiers), press(true)]);
        self.frame(vec![press(false), Event::ModifiersChanged(Modifiers::NONE)]);
        out
    }

    /// Every text that can be seen, and where.
    fn texts(&self) -> Vec<(String, Rect, Rect)> {
        fn walk(clip: Rect, shape: &Shape, out: &mut Vec<(String, Rect, Rect)>) {
            match shape {
                Shape::Vec(shapes) => shapes.iter().for_each(|s| walk(clip, s, out)),
                Shape::Text(t) => {
                    let rect = t.galley.rect.translate(t.pos.to_vec2());
                    if clip.intersect(rect).is_positive() && !t.galley.text().trim().is_empty() {
                        out.push((t.galley.text().to_owned(), rect, clip));
                    }
                }
                _ => {}
            }
        }
        let mut out = Vec::new();
        self.shapes.iter().for_each(|s| walk(s.clip_rect, &s.shape, &mut out));
        out
    }

    fn words(&self) -> Vec<String> {
        self.texts().into_iter().map(|(t, ..)| t).collect()
    }

    fn find(&self, words: &str) -> Option<Rect> {
        self.texts().into_iter().find(|(t, ..)| t == words).map(|(_, r, c)| r.intersect(c))
    }

    fn check_places(&self, what: &str) {
        let p = &self.state.places;
        let screen = self.screen().expand(0.5);
        let parts = [
            ("top", p.top),
            ("left", p.left),
            ("right", p.right),
            ("bottom", p.bottom),
            ("status", p.status),
            ("scene", p.scene),
        ];
        for (i, (name, a)) in parts.iter().enumerate() {
            if !a.is_positive() {
                continue;
            }
            assert!(screen.contains_rect(*a), "{what}: {name} {a:?} leaves the window");
            for (other, b) in &parts[i + 1..] {
                let both = a.intersect(*b);
                assert!(!(both.width() > 0.6 && both.height() > 0.6), "{what}: {name} and {other} overlap: {both:?}");
            }
        }
        assert!(p.scene.width() >= 200.0 && p.scene.height() >= 190.0, "{what}: the scene has {:?}", p.scene.size());
        let both = p.top_left.intersect(p.top_right);
        assert!(both.width() <= 0.6, "{what}: the two sides of the top bar overlap by {}", both.width());
    }

    /// No text is cut at its sides, and no two texts stand on each other.
    fn check_texts(&self, what: &str) {
        // What is written into a box that is too small for it moves along, and is cut.
        let mut texts = self.texts();
        texts.retain(|(words, ..)| words.is_empty() || *words != self.state.tree.search.text);
        let screen = self.screen();
        for (words, rect, clip) in &texts {
            let clip = clip.intersect(screen);
            let out = (clip.left() - rect.left()).max(rect.right() - clip.right());
            assert!(out < 2.0, "{what}: `{words}` is cut by {out:.1} points ({rect:?} in {clip:?})");
        }
        for (i, (a, ra, ca)) in texts.iter().enumerate() {
            for (b, rb, cb) in &texts[i + 1..] {
                let both = ra.intersect(*ca).intersect(rb.intersect(*cb));
                assert!(
                    !(both.width() > 2.0 && both.height() > 4.0),
                    "{what}: `{a}` {ra:?} and `{b}` {rb:?} stand on each other"
                );
            }
        }
    }
}

fn clinic() -> World {
    let mut world = World::clinic();
    world.alarms = fixture::alarms(&world);
    world
}

#[test]
fn nothing_overlaps_or_is_cut_off_at_any_size() {
    for size in SIZES {
        for theme in [Theme::Dark, Theme::Light] {
            let mut world = clinic().in_theme(theme);
            world.view.selected = Some(world.slot("AHU-1"));
            world.view.colour_by = ColourBy::System;
            world.view.storey = Some(1);
            let mut stage = Stage::new(world, size);
            for point in [0, 1, 96] {
                stage.state.trend.add(crate::site::PointIndex(point));
            }
            for tab in BottomTab::ALL {
                stage.state.bottom = tab;
                stage.settle();
                let what = format!("{size:?} {theme:?} {tab:?}");
                stage.check_places(&what);
                stage.check_texts(&what);
            }
            stage.world.view.selected = None;
            stage.state.bottom_open = false;
            stage.settle();
            stage.check_places("closed");
            stage.check_texts(&format!("{size:?} overview"));
        }
    }
}

#[test]
fn an_empty_window_says_what_to_do() {
    for size in SIZES {
        let mut stage = Stage::new(World::empty(), size);
        stage.check_places("empty");
        stage.check_texts("empty");
        assert!(stage.find("Nothing is open").is_some());
        assert!(stage.find("No alarms").is_some());
        for tab in BottomTab::ALL {
            stage.state.bottom = tab;
            stage.settle();
            stage.check_texts("empty tab");
        }
    }
}

#[test]
fn the_tree_opens_selects_flies_and_hides() {
    let mut stage = Stage::new(clinic(), SIZES[0]);
    stage.click("Level 2");
    stage.click("Air terminal box");
    let vav = stage.world.slot("VAV-1-03");
    let out = stage.click("VAV-1-03");
    assert!(out.contains(&Command::Select(Some(vav))), "{out:?}");
    assert!(out.contains(&Command::Hover(Some(vav))), "{out:?}");
    let at = stage.find("VAV-1-03").unwrap().center();
    let mut out = stage.click_at(at, PointerButton::Primary);
    out.extend(stage.click_at(at, PointerButton::Primary));
    assert!(out.contains(&Command::FlyTo(vav)), "{out:?}");
    stage.click_at(at, PointerButton::Secondary);
    stage.settle();
    let out = stage.click("Ghost others");
    assert!(out.contains(&Command::GhostOthers(vec![vav])), "{out:?}");
    // A whole group at once.
    let group = stage.find("Air terminal box").unwrap().center();
    stage.click_at(group, PointerButton::Secondary);
    stage.settle();
    let out = stage.click("Isolate");
    let isolated = out.iter().find_map(|c| if let Command::Isolate(s) = c { Some(s.len()) } else { None });
    assert_eq!(isolated, Some(8));
}

#[test]
fn leaving_a_row_ends_the_highlight() {
    let mut stage = Stage::new(clinic(), SIZES[0]);
    stage.click("Level 2");
    stage.click("Air terminal box");
    stage.click("VAV-1-03");
    let away = stage.state.places.scene.center();
    let out = stage.frame(vec![Event::PointerMoved(away)]);
    let out = [out, stage.frame(Vec::new())].concat();
    assert_eq!(out.iter().filter(|c| **c == Command::Hover(None)).count(), 1, "{out:?}");
    assert!(stage.frame(Vec::new()).is_empty());
}

#[test]
fn the_search_finds_by_name_tag_class_and_id() {
    let mut stage = Stage::new(clinic(), SIZES[0]);
    stage.click("Name, tag, class, GlobalId");
    stage.frame(vec![Event::Text("chilled pump".into())]);
    stage.settle();
    assert!(stage.find("P-1").is_some(), "{:?}", stage.words());
    assert!(stage.find("VAV-1-03").is_none());
    // Letters typed into the search are no commands.
    assert!(stage.key(Key::I, Modifiers::NONE).is_empty());
    stage.state.tree.search.text = "no such thing".into();
    stage.settle();
    assert!(stage.find("Nothing found").is_some());
}

#[test]
fn a_selection_made_in_the_scene_is_shown_in_the_tree() {
    let mut stage = Stage::new(clinic(), SIZES[0]);
    let in_tree = |s: &Stage| s.texts().iter().any(|(t, r, _)| t == "P-1" && s.state.places.left.contains_rect(*r));
    assert!(!in_tree(&stage));
    stage.world.view.selected = Some(stage.world.slot("P-1"));
    stage.settle();
    assert!(in_tree(&stage));
}

#[test]
fn connections_lead_on() {
    let mut stage = Stage::new(clinic(), (1920.0, 1080.0, 1.0));
    stage.world.view.selected = Some(stage.world.slot("P-1"));
    stage.settle();
    let chiller = stage.world.slot("CH-1");
    let out = stage.click("CH-1");
    assert!(out.contains(&Command::Select(Some(chiller))) && out.contains(&Command::FlyTo(chiller)), "{out:?}");
}

#[test]
fn a_live_value_goes_into_the_plot_and_out_again() {
    let mut stage = Stage::new(clinic(), SIZES[0]);
    stage.world.view.selected = Some(stage.world.slot("P-1"));
    stage.settle();
    stage.click("Electric power");
    assert_eq!((stage.state.bottom, stage.state.trend.points.len()), (BottomTab::Trend, 1));
    stage.click("Flow");
    assert_eq!(stage.state.trend.points.len(), 2);
    assert!(stage.find("P-1 Electric power").is_some(), "{:?}", stage.words());
    stage.click("Clear");
    assert!(stage.state.trend.points.is_empty());
    assert!(stage.find("No point is plotted").is_some());
}

#[test]
fn alarms_lead_to_their_asset_and_can_be_acknowledged() {
    let mut stage = Stage::new(clinic(), SIZES[0]);
    let vav = stage.world.slot("VAV-0-01");
    let out = stage.click("Zone temperature is too high");
    assert!(out.contains(&Command::Select(Some(vav))) && out.contains(&Command::FlyTo(vav)), "{out:?}");
    let out = stage.click("Acknowledge");
    assert_eq!(out.iter().filter(|c| matches!(c, Command::Acknowledge(id) if id.0 == 1)).count(), 1, "{out:?}");
    assert!(!out.iter().any(|c| matches!(c, Command::FlyTo(_))), "the button is no way to the asset: {out:?}");
    assert!(stage.find("Past").is_none(), "past alarms are not shown at first");
}

#[test]
fn new_alarms_are_told_once_and_old_ones_are_no_news() {
    let mut stage = Stage::new(clinic(), SIZES[0]);
    assert_eq!(stage.state.news.count(), 0);
    let mut more = stage.world.alarms[0].clone();
    more.id = crate::operations::AlarmId(9);
    stage.world.alarms.push(more);
    stage.frame(Vec::new());
    assert_eq!(stage.state.news.count(), 1);
    stage.frame(Vec::new());
    assert_eq!(stage.state.news.count(), 1);
    stage.state.news.tell(&crate::problem::Problem::error("", "The broker refuses the password", ""));
    stage.settle();
    assert_eq!(stage.state.news.count(), 2);
    stage.check_texts("toasts");
}

#[test]
fn keys_act_on_the_selection() {
    let mut stage = Stage::new(clinic(), SIZES[0]);
    assert!(stage.key(Key::I, Modifiers::NONE).is_empty(), "nothing is selected");
    let slot = Slot(3);
    stage.world.view.selected = Some(slot);
    assert_eq!(stage.key(Key::I, Modifiers::NONE), [Command::Isolate(vec![slot])]);
    assert_eq!(stage.key(Key::G, Modifiers::NONE), [Command::GhostOthers(vec![slot])]);
    assert_eq!(stage.key(Key::X, Modifiers::NONE), [Command::Hide(vec![slot])]);
    assert_eq!(stage.key(Key::Slash, Modifiers::NONE), [Command::ShowAll]);
    assert_eq!(stage.key(Key::X, Modifiers::SHIFT), [Command::ShowAll]);
    assert_eq!(stage.key(Key::Escape, Modifiers::NONE), [Command::Select(None)]);
    stage.key(Key::Questionmark, Modifiers::SHIFT);
    stage.settle();
    assert!(stage.find("Keys and mouse").is_some());
    assert!(stage.key(Key::Escape, Modifiers::NONE).is_empty(), "Esc closes the window first");
    assert!(!stage.state.help);
}

#[test]
fn the_bar_asks_for_storeys_colours_and_themes() {
    let mut stage = Stage::new(clinic(), SIZES[0]);
    stage.click("All storeys");
    let roof = stage.texts().into_iter().rfind(|(t, ..)| t == "Roof").unwrap().1.center();
    let out = stage.click_at(roof, PointerButton::Primary);
    assert!(out.contains(&Command::CutStorey(Some(2))), "{out:?}");
    stage.settle();
    stage.click("Material");
    let out = stage.click("Temperature");
    assert!(out.contains(&Command::ColourBy(ColourBy::Temperature)), "{out:?}");
    // The sun is the second button from the right.
    let right = stage.state.places.top_right;
    let out = stage.click_at(pos2(right.right() - 42.0, right.center().y), PointerButton::Primary);
    assert!(out.contains(&Command::Theme(Theme::Light)), "{out:?}");
}

#[test]
fn legends_stay_in_the_scene_and_say_what_is_cut() {
    for size in SIZES {
        for by in ColourBy::ALL {
            let mut world = clinic();
            world.view.colour_by = by;
            world.view.drawn = vec![Drawn::Hidden; 4];
            let mut stage = Stage::new(world, size);
            stage.check_texts(&format!("{by:?} {size:?}"));
            let note = stage.find("4 hidden").unwrap();
            assert!(stage.state.places.scene.contains_rect(note));
            let expected = match by {
                ColourBy::Material => continue,
                ColourBy::Health => "Critical",
                ColourBy::Temperature => "22",
                ColourBy::System => "AHU-1 supply air",
                ColourBy::Discipline => "Architecture",
                ColourBy::Velocity => "No velocity known",
                ColourBy::Flow | ColourBy::Pressure => "In no network",
                ColourBy::Residual => "≥ +20 %",
                ColourBy::Change => unreachable!("it is no choice without a reload"),
            };
            let scene = stage.state.places.scene;
            assert!(
                stage.texts().iter().any(|(t, r, _)| t == expected && scene.contains_rect(*r)),
                "{by:?} {size:?}: {:?}",
                stage.words()
            );
            let close = stage.click_at(note.right_center() + vec2(16.0, 0.0), PointerButton::Primary);
            assert!(close.contains(&Command::ShowAll), "{close:?}");
        }
    }
}

#[test]
fn the_pointer_over_an_element_shows_its_values() {
    let mut world = clinic();
    world.view.hovered = Some(world.slot("P-1"));
    let mut stage = Stage::new(world, SIZES[2]);
    let corner = stage.state.places.scene.right_bottom() - vec2(3.0, 3.0);
    for _ in 0..3 {
        stage.frame(vec![Event::PointerMoved(corner)]);
    }
    let scene = stage.state.places.scene;
    let (_, rect, _) = stage.texts().into_iter().rfind(|(t, ..)| t == "P-1").unwrap();
    assert!(scene.contains_rect(rect), "{rect:?} in {scene:?}");
    stage.check_texts("tooltip");
}

#[test]
fn the_file_dialog_opens_and_fits() {
    for size in SIZES {
        let mut stage = Stage::new(clinic(), size);
        stage.state.open.ask();
        stage.settle();
        assert!(stage.state.open.is_open());
        let title = stage.find("Open a project (twin.toml) or a model").expect("the dialog's title");
        assert!(stage.screen().contains_rect(title));
        assert_eq!(stage.opened, None);
        assert!(stage.key(Key::X, Modifiers::NONE).is_empty());
    }
}

#[test]
fn another_site_starts_afresh() {
    let mut stage = Stage::new(clinic(), SIZES[0]);
    stage.state.trend.add(crate::site::PointIndex(119));
    stage.click("Level 2");
    stage.world.scene = None;
    stage.world.view.selected = Some(Slot(5));
    stage.settle();
    assert!(stage.state.trend.points.is_empty());
    assert!(stage.find("Nothing is open").is_some());
}

#[test]
fn a_window_of_any_size_does_not_panic() {
    for (w, h) in [(1.0, 1.0), (120.0, 90.0), (400.0, 300.0), (640.0, 400.0), (5000.0, 300.0), (300.0, 4000.0)] {
        let mut world = clinic();
        world.view.selected = Some(world.slot("AHU-1"));
        world.view.colour_by = ColourBy::Health;
        let mut stage = Stage::new(world, (w, h, 1.0));
        for tab in BottomTab::ALL {
            stage.state.bottom = tab;
            stage.settle();
        }
    }
}

/// An eye straight above the fixture's elements, which stand on a grid of metres.
fn from_above(stage: &Stage) -> Eye {
    use bevy::math::{Mat4, Vec2, Vec3};
    let scene = stage.state.places.scene;
    let screen = stage.screen();
    // The middle of the grid in the middle of the scene, some 20 points a metre.
    let middle = Vec3::new(10.0, 0.0, -6.0);
    let view = Mat4::look_at_rh(middle + Vec3::Y * 100.0, middle, Vec3::NEG_Z);
    let scale = 40.0 / Vec2::new(screen.width(), screen.height());
    let moved = (scene.center() - screen.center()) / screen.size() * 2.0;
    let clip = Mat4::from_translation(Vec3::new(moved.x, -moved.y, 0.0))
        * Mat4::from_scale(Vec3::new(scale.x, scale.y, 0.001));
    Eye::new(clip * view, Vec2::new(screen.width(), screen.height()))
}

#[test]
fn alarms_are_marked_where_they_are_and_lead_there() {
    for size in SIZES {
        let mut stage = Stage::new(clinic(), size);
        let vav = stage.world.slot("VAV-0-01");
        stage.world.eye = Some(from_above(&stage));
        stage.settle();
        let scene = stage.state.places.scene;
        let marks = |s: &Stage, words: &str| {
            s.texts().into_iter().find(|(t, r, _)| t == words && scene.contains_rect(*r)).map(|(_, r, _)| r)
        };
        let at = marks(&stage, "VAV-0-01").unwrap_or_else(|| panic!("{size:?}: {:?}", stage.words())).center();
        stage.check_texts(&format!("marks {size:?}"));
        let out = stage.click_at(at, PointerButton::Primary);
        assert!(out.contains(&Command::Select(Some(vav))) && out.contains(&Command::FlyTo(vav)), "{out:?}");
        assert!(out.contains(&Command::Hover(Some(vav))), "{out:?}");
        // Neither what is hidden nor what is over has a mark.
        stage.world.view.drawn = vec![Drawn::Hidden; vav.0 as usize + 1];
        stage.settle();
        assert!(marks(&stage, "VAV-0-01").is_none());
        assert!(marks(&stage, "VAV-1-03").is_none());
        stage.world.eye = None;
        stage.settle();
        assert!(marks(&stage, "AHU-1").is_none());
    }
}

#[test]
fn rooms_of_a_storey_have_their_names_and_temperatures() {
    let mut world = clinic();
    world.alarms.clear();
    // Rooms of 6 by 5 metres, four in a row.
    let scene = world.scene.as_mut().unwrap();
    let site = std::sync::Arc::get_mut(&mut scene.site).unwrap();
    let rooms = site.elements.iter_mut().filter(|e| e.kind == crate::site::ElementKind::Space && e.storey == Some(1));
    for (i, room) in rooms.enumerate() {
        let at = glam::DVec3::new((i % 4) as f64 * 6.0 - 2.0, (i / 4) as f64 * 5.0 + 1.0, 3.6);
        room.bounds = Some(crate::shape::Aabb { min: at, max: at + glam::DVec3::new(5.8, 4.8, 3.0) });
    }
    world.view.storey = Some(1);
    let mut stage = Stage::new(world, SIZES[1]);
    stage.world.eye = Some(from_above(&stage));
    stage.settle();
    assert!(stage.find("Room 103").is_some(), "{:?}", stage.words());
    assert!(stage.find("Room 203").is_none(), "another storey's");
    let degrees = |s: &Stage| s.words().iter().filter(|w| w.ends_with("°C")).count();
    let before = degrees(&stage);
    stage.world.view.colour_by = ColourBy::Temperature;
    stage.settle();
    assert!(degrees(&stage) >= before + 8, "{:?}", stage.words());
    stage.check_texts("rooms");
    stage.world.view.storey = None;
    stage.settle();
    assert!(stage.find("Room 103").is_none());
}

#[test]
fn views_are_chosen_and_saved() {
    let view = SavedView { name: "Pump corner".into(), eye_m: [1.0, 2.0, 9.0], ..SavedView::default() };
    for size in SIZES {
        let mut stage = Stage::new(clinic(), size);
        stage.world.views = SavedViews { file: Some("twin.toml".into()), views: vec![view.clone()] };
        let open = |stage: &mut Stage| {
            let bar = stage.state.places.top_left;
            // The button after the one that goes home.
            let button = stage.state.places.views.center();
            assert!(bar.contains(button));
            stage.click_at(button, PointerButton::Primary);
            stage.settle();
        };
        open(&mut stage);
        let entry = stage.find("Pump corner").unwrap();
        assert!(stage.screen().contains_rect(entry.expand(8.0)), "{size:?} {entry:?}");
        let out = stage.click("Pump corner");
        let looks = |c: &Command| matches!(c, Command::Look { eye_m, .. } if *eye_m == view.eye_m);
        assert!(out.contains(&Command::ShowAll) && out.iter().any(looks), "{out:?}");
        open(&mut stage);
        stage.click("Save view …");
        stage.check_texts("name of a view");
        assert!(stage.key(Key::X, Modifiers::NONE).is_empty());
        stage.frame(vec![Event::Text("Pump Corner".into())]);
        stage.settle();
        assert!(stage.find("Replaces the view of this name").is_some(), "{:?}", stage.words());
        stage.click("Save");
        assert_eq!(stage.state.naming.taken().as_deref(), Some("Pump Corner"));
        assert_eq!(stage.state.naming.taken(), None);
        assert!(!stage.state.naming.is_open());
        // A model alone has no file to save in.
        stage.world.views.file = None;
        open(&mut stage);
        stage.click("Save view …");
        assert!(!stage.state.naming.is_open());
    }
}
