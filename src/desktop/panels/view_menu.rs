//! The menu of views: those that every project has, those that people saved, and how one is saved.

use super::data::Data;
use super::icons::Icon;
use super::state::PanelState;
use super::widgets::icon_button;
use crate::desktop::camera::views::{self, NamedView};
use crate::site::project::SavedView;
use crate::twin::command::Command;
use bevy::prelude::{Message, Resource};
use bevy_egui::egui;
use egui::{Align2, Key, Popup, RichText, ScrollArea, TextEdit, Ui, Window, vec2};
use std::path::PathBuf;

/// The views of the project that is open. Filled by whoever opens it.
#[derive(Resource, Clone, Debug, Default, PartialEq)]
pub struct SavedViews {
    /// The project file that keeps them; none where there is nothing but a model.
    pub file: Option<PathBuf>,
    /// In the order of the file.
    pub views: Vec<SavedView>,
}

/// Somebody wants to save what is looked at, under this name.
#[derive(Message, Clone, Debug, PartialEq, Eq)]
pub struct SaveView(pub String);

/// The question for a name.
#[derive(Clone, Debug, Default)]
pub struct Naming {
    /// What has been typed; none while nothing is asked.
    name: Option<String>,
    /// The field has got the focus.
    focused: bool,
    answer: Option<String>,
}

impl Naming {
    /// It is asked for a name.
    pub fn is_open(&self) -> bool {
        self.name.is_some()
    }

    /// Asks.
    pub fn ask(&mut self) {
        *self = Self { name: Some(String::new()), ..Self::default() };
    }

    /// Asks no more.
    pub fn close(&mut self) {
        self.name = None;
    }

    /// The name that was given, once.
    pub fn taken(&mut self) -> Option<String> {
        self.answer.take()
    }
}

/// Draws the button with its menu.
pub fn button(ui: &mut Ui, data: &Data, state: &mut PanelState, out: &mut Vec<Command>) {
    let response = icon_button(ui, data.tokens, Icon::Bookmark, "Views", false);
    state.places.views = response.rect;
    Popup::menu(&response).show(|ui| {
        ui.set_min_width(170.0);
        let scene = state.places.scene;
        let aspect = if scene.is_positive() { scene.width() / scene.height() } else { 1.6 };
        for (word, view) in [("From outside", NamedView::Outside), ("Plant", NamedView::Plant)] {
            entry(ui, data, word, &view, aspect, out);
        }
        if !data.views.views.is_empty() {
            ui.separator();
            ScrollArea::vertical().max_height(260.0).show(ui, |ui| {
                for view in &data.views.views {
                    entry(ui, data, &view.name, &NamedView::Saved(view.clone()), aspect, out);
                }
            });
        }
        ui.separator();
        let mut arrows = !data.view.arrows_hidden;
        let says = "Arrows on pipes and ducts, as fast as what flows in them, while colours show flow or temperature";
        if ui.checkbox(&mut arrows, "Flow arrows").on_hover_text(says).changed() {
            out.push(Command::ShowArrows(arrows));
        }
        ui.separator();
        let save = ui.add_enabled(data.views.file.is_some(), egui::Button::new("Save view …"));
        if save.on_disabled_hover_text("Views are saved in a project; this is a model alone").clicked() {
            state.naming.ask();
        }
    });
}

fn entry(ui: &mut Ui, data: &Data, word: &str, view: &NamedView, aspect: f32, out: &mut Vec<Command>) {
    let Some(site) = data.site() else { return };
    match view.resolve(site, aspect) {
        Ok((pose, commands)) => {
            if ui.button(super::format::elide(word, 40)).clicked() {
                out.extend(commands);
                out.push(views::look(pose));
            }
        }
        Err(why) => {
            ui.add_enabled(false, egui::Button::new(super::format::elide(word, 40))).on_disabled_hover_text(why);
        }
    }
}

/// Draws the question for a name while it is asked.
pub fn ask(ctx: &egui::Context, data: &Data, naming: &mut Naming) {
    let Some(mut name) = naming.name.take() else { return };
    let t = data.tokens;
    let mut done = false;
    let mut cancelled = false;
    Window::new("Save view").collapsible(false).resizable(false).anchor(Align2::CENTER_CENTER, vec2(0.0, 0.0)).show(
        ctx,
        |ui| {
            ui.set_width(280.0);
            let field = ui.add(TextEdit::singleline(&mut name).hint_text("Name").desired_width(f32::INFINITY));
            if !std::mem::replace(&mut naming.focused, true) {
                field.request_focus();
            }
            let known = data.views.views.iter().any(|v| v.name.to_lowercase() == name.trim().to_lowercase());
            let says = if known {
                "Replaces the view of this name"
            } else {
                "Keeps camera, section, storey, colours and search in twin.toml"
            };
            ui.label(RichText::new(says).small().color(if known { t.warning } else { t.weak }));
            ui.add_space(6.0);
            ui.horizontal(|ui| {
                let can = !name.trim().is_empty();
                let entered = field.lost_focus() && ui.input(|i| i.key_pressed(Key::Enter));
                done = ui.add_enabled(can, egui::Button::new("Save")).clicked() || (can && entered);
                cancelled = ui.button("Cancel").clicked() || ui.input(|i| i.key_pressed(Key::Escape));
            });
        },
    );
    if done {
        naming.answer = Some(name.trim().to_owned());
    } else if !cancelled {
        naming.name = Some(name);
    }
}
