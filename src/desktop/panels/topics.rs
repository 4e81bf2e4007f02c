//! What arrives, topic by topic: how often, the last payload, and what it feeds. A value is dragged onto an element, in
//! the scene or the tree, to be bound to one of its points.

use super::data::Data;
use super::format;
use super::icons::Icon;
use super::widgets::{self, text, weak};
use crate::desktop::theme;
use crate::site::project::Template;
use crate::site::{PointSource, Slot};
use crate::twin::command::Command;
use crate::twin::wire_status::{Bind, Topic, TopicKey};
use bevy_egui::egui;
use egui::{
    Align, Button, ComboBox, CursorIcon, Id, Label, Layout, Order, Rect, RichText, ScrollArea, Sense, TextEdit, Ui,
    Window, vec2,
};
use egui_extras::{Column, TableBuilder};

/// What the panel remembers.
#[derive(Clone, Debug, Default)]
pub struct TopicTable {
    /// Topics must contain this, whatever the case.
    pub filter: String,
    /// Topics that feed nothing only.
    pub unbound: bool,
    /// The topic whose payload is shown.
    pub chosen: String,
    /// Somebody looks: the client has been asked to take note.
    pub on: bool,
    /// What is to be bound.
    pub binding: Option<Binding>,
}

/// A value that is about to be bound.
#[derive(Clone, Debug, PartialEq)]
pub struct Binding {
    /// The element.
    pub slot: Slot,
    /// The topic.
    pub topic: String,
    /// The value's key.
    pub key: String,
    /// Which of the roles that the element can have.
    pub role: usize,
}

/// What is dragged.
#[derive(Clone, Debug)]
struct Dragged {
    topic: String,
    key: String,
}

/// Tells the client whether anybody looks; each frame.
pub fn follow(data: &Data, state: &mut TopicTable, shown: bool, out: &mut Vec<Command>) {
    if state.on != shown || data.topics.on != shown {
        state.on = shown;
        out.push(Command::Inspect(shown));
    }
}

/// Draws the list and the chosen topic's payload.
pub fn ui(ui: &mut Ui, data: &Data, state: &mut TopicTable, out: &mut Vec<Command>) {
    let t = data.tokens;
    if data.wire.broker.is_empty() {
        widgets::empty_line(ui, t, Icon::Sensor, "No broker", "The project's [broker] says where samples come from");
        return;
    }
    let words = state.filter.to_lowercase();
    let is_shown = |topic: &&Topic| {
        (words.is_empty() || topic.name.to_lowercase().contains(&words))
            && (!state.unbound || topic.keys.iter().any(|k| k.point.is_none()))
    };
    let rows: Vec<&Topic> = data.topics.rows.iter().filter(is_shown).collect();
    ui.horizontal(|ui| {
        ui.add(TextEdit::singleline(&mut state.filter).hint_text("Topics with…").desired_width(180.0));
        ui.checkbox(&mut state.unbound, "With values that feed nothing");
        let mut says = format!("{} of {} topics", format::count(rows.len()), format::count(data.topics.rows.len()));
        if data.topics.untold > 0 {
            says.push_str(&format!("; {} messages of more topics", format::count(data.topics.untold as usize)));
        }
        weak(ui, t, says);
    });
    if data.topics.rows.is_empty() {
        widgets::empty_line(ui, t, Icon::Sensor, "Listening", "Each topic is listed when its first message comes");
        return;
    }
    let room = ui.available_size();
    let right = (room.x * 0.4).clamp(190.0, 460.0);
    let left = vec2((room.x - right - 14.0).max(120.0), room.y);
    ui.horizontal_top(|ui| {
        ui.spacing_mut().item_spacing.x = 10.0;
        ui.allocate_ui_with_layout(left, Layout::top_down(Align::Min), |ui| {
            ui.set_width(left.x);
            list(ui, data, &mut state.chosen, &rows);
        });
        ui.allocate_ui_with_layout(vec2(right, room.y), Layout::top_down(Align::Min), |ui| {
            ui.set_width(right);
            let chosen = data.topics.rows.iter().find(|r| r.name == state.chosen);
            match chosen {
                Some(topic) => payload(ui, data, topic, &mut state.binding),
                None => _ = weak(ui, t, "Click a topic to see what it brings"),
            }
        });
    });
    drop_on(ui, data, &mut state.binding, out);
}

fn list(ui: &mut Ui, data: &Data, chosen: &mut String, rows: &[&Topic]) {
    let t = data.tokens;
    ui.spacing_mut().item_spacing.x = 8.0;
    TableBuilder::new(ui)
        .id_salt("topics")
        .sense(Sense::click())
        .cell_layout(Layout::left_to_right(Align::Center))
        .auto_shrink(false)
        .min_scrolled_height(40.0)
        .column(Column::remainder().at_least(110.0).clip(true))
        .column(Column::exact(66.0).clip(true))
        .column(Column::exact(56.0).clip(true))
        .column(Column::exact(66.0).clip(true))
        .column(Column::initial(120.0).range(60.0..=260.0).clip(true))
        .header(theme::ROW, |mut row| {
            for word in ["Topic", "Messages", "A minute", "Last (UTC)", "Feeds"] {
                row.col(|ui| {
                    text(ui, RichText::new(word).small().weak());
                });
            }
        })
        .body(|body| {
            body.rows(theme::ROW, rows.len(), |mut row| {
                let Some(topic) = rows.get(row.index()) else { return };
                row.set_selected(topic.name == *chosen);
                row.col(|ui| {
                    ui.add_space(4.0);
                    text(ui, RichText::new(&topic.name).monospace());
                });
                row.col(|ui| _ = text(ui, RichText::new(format::count(topic.messages as usize)).monospace()));
                row.col(|ui| _ = text(ui, RichText::new(format!("{:.1}", topic.per_s * 60.0)).monospace()));
                row.col(|ui| _ = text(ui, format::hhmmss(topic.last)));
                row.col(|ui| {
                    let n = topic.keys.iter().filter(|k| k.point.is_some()).count();
                    let words = match (topic.keys.len(), n) {
                        (0, _) => RichText::new(format::NONE).color(t.weak),
                        (_, 0) => RichText::new("nothing").color(t.warning),
                        (1, _) => RichText::new(fed(data, topic.keys.first())),
                        (all, n) => RichText::new(format!("{n} of {all} values")),
                    };
                    text(ui, words);
                });
                if row.response().clicked() {
                    chosen.clone_from(&topic.name);
                }
            });
        });
}

fn fed(data: &Data, key: Option<&TopicKey>) -> String {
    key.and_then(|k| data.point(k.point?)).map_or_else(String::new, |p| p.id.clone())
}

/// The chosen topic: its values, each of which can be dragged, and its payload.
fn payload(ui: &mut Ui, data: &Data, topic: &Topic, binding: &mut Option<Binding>) {
    let t = data.tokens;
    text(ui, RichText::new(&topic.name).monospace().strong());
    ScrollArea::vertical().id_salt("payload").auto_shrink(false).show(ui, |ui| {
        ui.spacing_mut().item_spacing.y = 3.0;
        if topic.keys.is_empty() {
            weak(ui, t, "No value can be bound by hand here; `plenum map` binds Sparkplug B by its births");
        }
        for key in &topic.keys {
            ui.push_id(&key.key, |ui| value(ui, data, topic, key, binding));
        }
        ui.add_space(2.0);
        let more =
            if topic.length > topic.payload.len() { format!(" of {} bytes", topic.length) } else { String::new() };
        weak(ui, t, format!("Last payload, {}{more}", format::hhmmss(topic.last)));
        ui.add(Label::new(RichText::new(&topic.payload).monospace().small()).wrap());
    });
}

/// One value: it is dragged onto an element, or bound to the one that is selected.
fn value(ui: &mut Ui, data: &Data, topic: &Topic, key: &TopicKey, binding: &mut Option<Binding>) {
    let t = data.tokens;
    let dragged = Dragged { topic: topic.name.clone(), key: key.key.clone() };
    ui.horizontal(|ui| {
        ui.spacing_mut().item_spacing.x = 6.0;
        let name = if key.key.is_empty() { "value" } else { &key.key };
        let handle = ui.add(Button::new(RichText::new(name).monospace()).sense(Sense::click_and_drag()));
        handle.dnd_set_drag_payload(dragged.clone());
        handle.on_hover_cursor(CursorIcon::Grab).on_hover_text("Drag it onto an element in the scene or the tree");
        if let Some(unit) = key.unit {
            weak(ui, t, unit);
        }
        match key.point.and_then(|p| data.point(p)) {
            Some(point) => _ = text(ui, RichText::new(format!("feeds {}", point.id)).color(t.weak)),
            None => _ = text(ui, RichText::new("feeds nothing").color(t.warning)),
        }
        if let Some(slot) = data.view.selected
            && ui.small_button("Bind").on_hover_text(format!("To {}", data.label(slot))).clicked()
        {
            *binding = Some(Binding { slot, topic: dragged.topic, key: dragged.key, role: 0 });
        }
    });
}

/// A value that is being dragged follows the pointer; let go over an element, it asks for the point.
fn drop_on(ui: &Ui, data: &Data, binding: &mut Option<Binding>, out: &mut Vec<Command>) {
    let ctx = ui.ctx();
    let Some(dragged) = egui::DragAndDrop::payload::<Dragged>(ctx) else { return };
    let Some(at) = ctx.pointer_latest_pos() else { return };
    let over = data.view.hovered;
    let words = over.map_or_else(|| "…".to_owned(), |s| data.label(s));
    egui::Area::new(Id::new("dragged"))
        .order(Order::Tooltip)
        .interactable(false)
        .fixed_pos(at + vec2(14.0, 10.0))
        .show(ctx, |ui| {
            egui::Frame::popup(ui.style()).show(ui, |ui| {
                let key = if dragged.key.is_empty() { "value" } else { &dragged.key };
                ui.label(RichText::new(format!("{key} → {words}")).small());
            });
        });
    if ctx.input(|i| i.pointer.any_released()) {
        if let Some(slot) = over {
            *binding = Some(Binding { slot, topic: dragged.topic.clone(), key: dragged.key.clone(), role: 0 });
            out.push(Command::Select(Some(slot)));
        }
        egui::DragAndDrop::clear_payload(ctx);
    }
}

/// The points that an element can have: those of the templates that are for it; where there are none, of all.
fn roles<'a>(data: &Data<'a>, slot: Slot) -> Vec<(&'a Template, &'a str)> {
    let Some(element) = data.element(slot) else { return Vec::new() };
    let own: Vec<&Template> = data.templates.iter().filter(|t| super::data::is_for(t, element)).collect();
    let of = if own.is_empty() { data.templates.iter().collect() } else { own };
    let roles = of.into_iter().flat_map(|t| t.points.iter().map(move |p| (t, p)));
    roles.filter(|(_, p)| p.expression.is_none()).map(|(t, p)| (t, p.role.as_str())).collect()
}

/// Asks for the point to bind, while something is to be bound.
pub fn ask(ctx: &egui::Context, scene: Rect, data: &Data, state: &mut TopicTable, out: &mut Vec<Command>) {
    let Some(binding) = &mut state.binding else { return };
    let roles = roles(data, binding.slot);
    let mut done = data.element(binding.slot).is_none();
    let corner = vec2(scene.right() - ctx.content_rect().right() - 12.0, scene.top() - ctx.content_rect().top() + 12.0);
    Window::new("Bind a topic").collapsible(false).resizable(false).anchor(egui::Align2::RIGHT_TOP, corner).show(
        ctx,
        |ui| {
            let t = data.tokens;
            ui.set_width(300.0_f32.min(scene.width() - 40.0));
            let what = if binding.key.is_empty() {
                binding.topic.clone()
            } else {
                format!("{} · {}", binding.topic, binding.key)
            };
            ui.add(Label::new(RichText::new(what).monospace().small()).wrap());
            text(ui, RichText::new(data.label(binding.slot)).strong());
            if roles.is_empty() {
                let hint = "No template of the project has a point: write one under [templates] in twin.toml";
                ui.add(Label::new(RichText::new(hint).small().color(t.warning)).wrap());
            } else {
                binding.role = binding.role.min(roles.len() - 1);
                let shown =
                    |i: usize| roles.get(i).map_or_else(String::new, |(t, role)| format!("{role}  ({})", t.name));
                ComboBox::from_id_salt("role")
                    .width(ui.available_width())
                    .selected_text(shown(binding.role))
                    .show_index(ui, &mut binding.role, roles.len(), shown);
                if let Some((_, role)) = roles.get(binding.role) {
                    let now = data
                        .points_of(binding.slot)
                        .into_iter()
                        .filter_map(|p| data.point(p))
                        .find(|p| p.role == *role);
                    let words = match now.map(|p| &p.source) {
                        Some(PointSource::Topic { topic, key, .. }) if !key.is_empty() => {
                            format!("Comes now from {topic} · {key}")
                        }
                        Some(PointSource::Topic { topic, .. }) => format!("Comes now from {topic}"),
                        _ => "Nothing feeds it yet".to_owned(),
                    };
                    ui.add(Label::new(RichText::new(words).small().color(t.weak)).wrap());
                }
            }
            let can_save = data.views.file.is_some() && !roles.is_empty();
            ui.horizontal(|ui| {
                let save = ui.add_enabled(can_save, Button::new("Save"));
                let save = save.on_hover_text("Written into twin.toml; the twin goes on with it at once");
                if save.clicked()
                    && let Some((template, role)) = roles.get(binding.role)
                {
                    out.push(Command::Bind(Bind {
                        slot: binding.slot,
                        role: (*role).to_owned(),
                        template: template.name.clone(),
                        topic: binding.topic.clone(),
                        key: binding.key.clone(),
                    }));
                    done = true;
                }
                done |= ui.button("Cancel").clicked();
                if data.views.file.is_none() {
                    weak(ui, t, "No project is open to write it into");
                }
            });
        },
    );
    if done {
        state.binding = None;
    }
}
