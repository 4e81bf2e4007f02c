//! The box that people search with: what they write goes to the twin, what it says stands under the box.

use super::data::Data;
use super::format;
use super::icons::{self, Icon};
use super::widgets::{icon_button_of, text};
use crate::desktop::theme;
use crate::site::search::EXAMPLES;
use crate::twin::command::Command;
use crate::twin::search::{Answer, Hits};
use bevy_egui::egui;
use egui::{CornerRadius, Id, Key, Label, Rect, RichText, Sense, TextEdit, Ui, Vec2, pos2, vec2};

/// What the box remembers.
#[derive(Default)]
pub struct SearchBox {
    /// What is written in it.
    pub text: String,
    /// What was last asked of the twin.
    asked: String,
    /// What was asked and has not come back from the twin.
    sent: Vec<String>,
    /// The twin's own when last looked at.
    seen: String,
    /// The keyboard shall be the box's.
    focus: bool,
    typing: bool,
    on_examples: bool,
    save: bool,
}

impl SearchBox {
    /// Gives the keyboard to the box.
    pub fn take_keyboard(&mut self) {
        self.focus = true;
    }

    /// Somebody is writing in it.
    pub fn is_typed_in(&self) -> bool {
        self.typing
    }

    /// Something is looked for.
    pub fn is_used(&self) -> bool {
        !self.text.trim().is_empty()
    }

    /// Looks for nothing.
    pub fn clear(&mut self) {
        self.text.clear();
    }

    /// True once when the search shall be kept as a view.
    pub fn shall_be_saved(&mut self) -> bool {
        std::mem::take(&mut self.save)
    }

    /// What is written goes to the twin; what the twin was told by others is written here.
    fn agree(&mut self, twins: &str, out: &mut Vec<Command>) {
        if self.seen != twins {
            twins.clone_into(&mut self.seen);
            match self.sent.iter().position(|s| s == twins) {
                Some(ours) => {
                    self.sent.drain(..=ours);
                }
                None => {
                    self.sent.clear();
                    twins.clone_into(&mut self.asked);
                    twins.clone_into(&mut self.text);
                }
            }
        }
        if self.text != self.asked {
            self.asked.clone_from(&self.text);
            self.sent.push(self.text.clone());
            out.push(Command::Search(self.text.clone()));
        }
    }
}

/// Draws the box and what there is to say about the search.
pub fn ui(ui: &mut Ui, data: &Data, state: &mut SearchBox, out: &mut Vec<Command>) {
    field(ui, data, state, out);
    state.agree(data.search.text(), out);
    if !state.is_used() {
        examples(ui, data, state);
        return;
    }
    state.on_examples = false;
    match data.search.answer() {
        Answer::Found(hits) => found(ui, data, state, hits, out),
        Answer::Refused(wrong) => {
            let t = data.tokens;
            let says = format!("Column {}: {}", wrong.column, wrong.message);
            ui.add(Label::new(RichText::new(says).small().color(t.warning)).wrap());
            ui.add(Label::new(RichText::new(&wrong.remedy).small().color(t.weak)).wrap());
        }
        Answer::Nothing | Answer::Waiting => {}
    }
}

fn field(ui: &mut Ui, data: &Data, state: &mut SearchBox, out: &mut Vec<Command>) {
    let t = data.tokens;
    let (rect, _) = ui.allocate_exact_size(vec2(ui.available_width(), 26.0), Sense::hover());
    ui.painter().rect_filled(rect, CornerRadius::same(theme::RADIUS), t.sunken);
    let sign = Rect::from_center_size(pos2(rect.left() + 14.0, rect.center().y), Vec2::splat(13.0));
    icons::paint(ui.painter(), sign, Icon::Search, t.weak);
    let room =
        Rect::from_min_max(pos2(rect.left() + 26.0, rect.top() + 1.0), pos2(rect.right() - 26.0, rect.bottom() - 1.0));
    let edit = TextEdit::singleline(&mut state.text)
        .id(Id::new("search"))
        .hint_text("Name, tag, class, GlobalId")
        .frame(egui::Frame::NONE)
        .vertical_align(egui::Align::Center)
        .desired_width(room.width());
    let response = ui.put(room, edit);
    if std::mem::take(&mut state.focus) {
        response.request_focus();
    }
    state.typing = response.has_focus();
    if response.lost_focus() {
        let pressed = |key| ui.input(|i| i.key_pressed(key));
        if pressed(Key::Enter) && state.is_used() {
            out.push(Command::ShowFound);
        } else if pressed(Key::Escape) {
            state.clear();
        }
    }
    if !state.text.is_empty() {
        let at = Rect::from_center_size(pos2(rect.right() - 14.0, rect.center().y), Vec2::splat(20.0));
        let mut inner = ui.new_child(egui::UiBuilder::new().max_rect(at));
        if icon_button_of(&mut inner, t, Icon::Close, "Clear the search (Esc)", false, 20.0).clicked() {
            state.clear();
        }
    }
    ui.add_space(2.0);
}

/// How many there are, what may have been meant otherwise, and what can be done with them.
fn found(ui: &mut Ui, data: &Data, state: &mut SearchBox, hits: &Hits, out: &mut Vec<Command>) {
    let t = data.tokens;
    ui.horizontal(|ui| {
        ui.spacing_mut().item_spacing.x = 2.0;
        ui.set_height(20.0);
        ui.add_space(4.0);
        let says = format!("{} found", format::count(hits.slots.len()));
        ui.label(RichText::new(says).small().color(t.weak));
        ui.with_layout(egui::Layout::right_to_left(egui::Align::Center), |ui| {
            if data.views.file.is_some()
                && icon_button_of(ui, t, Icon::Bookmark, "Save as a view", false, 20.0).clicked()
            {
                state.save = true;
            }
            if hits.slots.is_empty() {
                return;
            }
            if icon_button_of(ui, t, Icon::Isolate, "Show only what is found", false, 20.0).clicked() {
                out.push(Command::Isolate(hits.slots.clone()));
            }
            let ghosted = data.view.found_only;
            if icon_button_of(ui, t, Icon::Ghost, "Ghost what is not found (Enter)", ghosted, 20.0).clicked() {
                out.push(if ghosted { Command::ShowAll } else { Command::ShowFound });
            }
        });
    });
    for note in &hits.notes {
        ui.add(Label::new(RichText::new(format::capital(note)).small().color(t.warning)).wrap());
    }
}

/// What can be written, for those who have written nothing yet.
fn examples(ui: &mut Ui, data: &Data, state: &mut SearchBox) {
    // A click takes the keyboard from the box before it is one.
    if !(state.typing || state.on_examples) || data.site().is_none() {
        state.on_examples = false;
        return;
    }
    let mut over = false;
    ui.label(RichText::new("For example").small().color(data.tokens.weak));
    for example in EXAMPLES {
        let words = RichText::new(example).monospace().small().color(data.tokens.accent);
        let response = ui.add(Label::new(words).truncate().selectable(false).sense(Sense::click()));
        over |= response.contains_pointer();
        if response.clicked() {
            example.clone_into(&mut state.text);
            state.focus = true;
        }
    }
    text(ui, RichText::new("All words must match; * stands for anything").small().color(data.tokens.weak));
    ui.add_space(4.0);
    state.on_examples = over;
}
