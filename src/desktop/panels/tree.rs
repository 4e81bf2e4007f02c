//! The panel on the left: the tree by storey, by system and by type, with its search.

use super::data::Data;
use super::format;
use super::icons::{self, Icon};
use super::search::{self, SearchBox};
use super::tree_rows::{self, Group, Grouping, Of, Row};
use super::widgets::{self, health_mark, tab, text_in};
use crate::analytics::Health;
use crate::desktop::theme;
use crate::site::{ElementKind, Site, Slot};
use crate::twin::command::Command;
use crate::twin::search::{Answer, Search};
use crate::twin::view::Drawn;
use bevy_egui::egui;
use egui::{Align2, CornerRadius, Rect, ScrollArea, Sense, TextStyle, Ui, Vec2, WidgetInfo, WidgetType, pos2, vec2};
use std::collections::{HashMap, HashSet};

/// The rolled-up health of groups is looked up again after this many seconds.
const HEALTH_EVERY_S: f64 = 0.5;

/// What the tree remembers.
#[derive(Default)]
pub struct TreeState {
    /// What it is ordered by.
    pub grouping: Grouping,
    /// What is looked for.
    pub search: SearchBox,
    groups: HashMap<Grouping, Vec<Group>>,
    open: HashSet<u64>,
    closed_in_search: HashSet<u64>,
    searched: String,
    rows: Vec<Row>,
    /// The grouping and the answer that the rows were made for.
    built_for: Option<(Grouping, u64)>,
    health: HashMap<u64, Health>,
    health_at: f64,
    selected: Option<Slot>,
    clicked: Option<Slot>,
}

impl TreeState {
    /// The site was read again: its groups are made anew, and those stay open that were.
    pub fn renew(&mut self) {
        self.groups.clear();
        self.rows.clear();
        self.health.clear();
        (self.built_for, self.selected, self.clicked) = (None, None, None);
    }

    fn rebuild(&mut self, site: &Site, search: &Search) {
        let asked = (self.grouping, search.version());
        if self.built_for == Some(asked) {
            return;
        }
        // An answer that changes by itself, as health does, leaves closed what people have closed.
        if self.searched != search.text() {
            search.text().clone_into(&mut self.searched);
            self.closed_in_search.clear();
        }
        let grouping = self.grouping;
        let groups = self.groups.entry(grouping).or_insert_with(|| tree_rows::group(site, grouping));
        self.rows = match search.answer() {
            Answer::Nothing => tree_rows::flatten(groups, &self.open, None),
            Answer::Found(hits) => {
                tree_rows::flatten(groups, &self.closed_in_search, Some(&|slot| hits.contains(slot)))
            }
            Answer::Waiting | Answer::Refused(_) => Vec::new(),
        };
        self.built_for = Some(asked);
    }

    fn toggle(&mut self, key: u64, searching: bool) {
        let set = if searching { &mut self.closed_in_search } else { &mut self.open };
        if !set.remove(&key) {
            set.insert(key);
        }
        self.built_for = None;
    }

    fn find(&self, key: u64) -> Option<&Group> {
        self.groups.get(&self.grouping)?.iter().find_map(|g| g.find(key))
    }

    /// The slots that a group's row stands for: all of its elements that were found.
    fn slots(&self, key: u64, search: &Search) -> Vec<Slot> {
        let mut slots = self.find(key).map_or_else(Vec::new, Group::all);
        slots.retain(|slot| search.hits().is_none_or(|hits| hits.contains(*slot)));
        slots
    }

    /// Opens what leads to a selection made elsewhere; its row, to scroll to.
    fn reveal(&mut self, site: &Site, search: &Search, selected: Option<Slot>) -> Option<usize> {
        if self.selected == selected {
            return None;
        }
        self.selected = selected;
        let slot = selected?;
        if self.clicked.take() == Some(slot) {
            return None;
        }
        if matches!(search.answer(), Answer::Nothing) {
            let path = tree_rows::path_to(self.groups.get(&self.grouping)?, slot);
            self.open.extend(path);
            self.built_for = None;
            self.rebuild(site, search);
        }
        self.rows.iter().position(|r| matches!(r, Row::Element { slot: s, .. } if *s == slot))
    }

    fn health_of(&mut self, data: &Data, key: u64, of: Of) -> Health {
        let rolled = |list: &[Health], i: u32| list.get(i as usize).copied().unwrap_or_default();
        match of {
            Of::Storey(i) => return rolled(&data.rollup.storeys, i),
            Of::System(i) => return rolled(&data.rollup.systems, i),
            Of::Kind => {}
        }
        if let Some(h) = self.health.get(&key) {
            return *h;
        }
        let mut worst = Health::Unknown;
        if let Some(group) = self.find(key) {
            group.each(&mut |s| worst = worst.worst(data.readings.asset_health(s)));
        }
        self.health.insert(key, worst);
        worst
    }
}

/// Draws the tree. Returns true when an element's row is under the pointer.
pub fn ui(ui: &mut Ui, data: &Data, state: &mut TreeState, out: &mut Vec<Command>) -> bool {
    head(ui, data, state, out);
    let Some(site) = data.site() else {
        widgets::empty(
            ui,
            data.tokens,
            Icon::Folder,
            "Nothing is open",
            "Open a project or a model from the bar above",
        );
        return false;
    };
    state.rebuild(site, data.search);
    let row = state.reveal(site, data.search, data.view.selected);
    if state.rows.is_empty() {
        let (title, hint) = match data.search.answer() {
            Answer::Nothing if data.busy.is_some() => {
                ("Being read …", "What there is stands here when all of it is read")
            }
            Answer::Nothing => ("Nothing found", "This model has no elements"),
            Answer::Found(_) => ("Nothing found", "Try a tag, a class or a GlobalId"),
            Answer::Waiting => ("Searching …", "All names are being read for the first time"),
            // What is wrong stands under the box.
            Answer::Refused(_) => return false,
        };
        widgets::empty(ui, data.tokens, Icon::Search, title, hint);
        return false;
    }
    let now = ui.input(|i| i.time);
    if now - state.health_at > HEALTH_EVERY_S {
        state.health.clear();
        state.health_at = now;
    }
    ui.spacing_mut().item_spacing.y = 0.0;
    let mut area = ScrollArea::vertical().auto_shrink(false).id_salt((state.grouping, "tree"));
    if let Some(row) = row {
        area = area.vertical_scroll_offset((row as f32 * theme::ROW - ui.available_height() * 0.4).max(0.0));
    }
    let mut hovered = None;
    let count = state.rows.len();
    area.show_rows(ui, theme::ROW, count, |ui, range| {
        for i in range {
            match state.rows.get(i).cloned() {
                Some(row @ Row::Group { .. }) => group_row(ui, data, state, &row, out),
                Some(Row::Element { depth, slot }) => {
                    let over = element_row(ui, data, state, depth, slot, out);
                    hovered = over.then_some(slot).or(hovered);
                }
                None => {}
            }
        }
    });
    if let Some(slot) = hovered {
        out.push(Command::Hover(Some(slot)));
    }
    hovered.is_some()
}

fn head(ui: &mut Ui, data: &Data, state: &mut TreeState, out: &mut Vec<Command>) {
    let t = data.tokens;
    ui.horizontal(|ui| {
        ui.spacing_mut().item_spacing.x = 0.0;
        for grouping in Grouping::ALL {
            if tab(ui, t, grouping.word(), None, state.grouping == grouping).clicked() {
                state.grouping = grouping;
            }
        }
    });
    ui.add_space(2.0);
    search::ui(ui, data, &mut state.search, out);
}

/// The room of a row: background, and where its text goes.
fn row_room(ui: &mut Ui, data: &Data, depth: u8, chosen: bool) -> (egui::Response, Rect) {
    let (rect, response) = ui.allocate_exact_size(vec2(ui.available_width(), theme::ROW), Sense::click());
    let fill = match (chosen, response.hovered()) {
        (true, _) => Some(data.tokens.chosen),
        (false, true) => Some(data.tokens.hover),
        _ => None,
    };
    if let Some(fill) = fill {
        ui.painter().rect_filled(rect, CornerRadius::same(theme::RADIUS), fill);
    }
    let left = rect.left() + 4.0 + f32::from(depth) * 14.0;
    (response, Rect::from_min_max(pos2(left, rect.top()), pos2(rect.right() - 6.0, rect.bottom())))
}

fn group_row(ui: &mut Ui, data: &Data, state: &mut TreeState, row: &Row, out: &mut Vec<Command>) {
    let Row::Group { depth, key, name, of, icon, count, open } = row else { return };
    let t = data.tokens;
    let shown_alone = matches!(of, Of::Storey(s) if data.view.storey == Some(*s));
    let (response, room) = row_room(ui, data, *depth, shown_alone);
    response.widget_info(|| WidgetInfo::labeled(WidgetType::CollapsingHeader, true, name));
    let chevron = if *open { Icon::ChevronDown } else { Icon::ChevronRight };
    let square = |x: f32, size: f32| Rect::from_center_size(pos2(x, room.center().y), Vec2::splat(size));
    icons::paint(ui.painter(), square(room.left() + 6.0, 10.0), chevron, t.weak);
    icons::paint(ui.painter(), square(room.left() + 21.0, 14.0), *icon, t.accent);
    let health = state.health_of(data, *key, *of);
    let mut right = room.right();
    if health != Health::Unknown {
        health_mark(ui.painter(), pos2(right - 5.0, room.center().y), 4.0, t, health);
    }
    right -= 16.0;
    let counted = Rect::from_min_max(room.min, pos2(right, room.bottom()));
    right -= text_in(ui, counted, &format::count(*count), TextStyle::Small, t.weak, Align2::RIGHT_CENTER) + 6.0;
    let words = Rect::from_min_max(pos2(room.left() + 33.0, room.top()), pos2(right, room.bottom()));
    text_in(ui, words, name, TextStyle::Body, t.text, Align2::LEFT_CENTER);
    if response.clicked() {
        state.toggle(*key, data.search.hits().is_some());
    }
    response.context_menu(|ui| {
        ui.set_min_width(170.0);
        ui.label(egui::RichText::new(name).strong());
        ui.separator();
        if let Of::Storey(storey) = of
            && ui.button("Show this storey alone").clicked()
        {
            out.push(Command::CutStorey(Some(*storey)));
        }
        visibility_menu(ui, || state.slots(*key, data.search), out);
    });
}

fn element_row(ui: &mut Ui, data: &Data, state: &mut TreeState, depth: u8, slot: Slot, out: &mut Vec<Command>) -> bool {
    let t = data.tokens;
    let Some(element) = data.element(slot) else { return false };
    let chosen = data.view.selected == Some(slot);
    let (response, room) = row_room(ui, data, depth, chosen);
    let label = element.label();
    response.widget_info(|| WidgetInfo::selected(WidgetType::SelectableLabel, true, chosen, &label));
    let square = |x: f32, size: f32| Rect::from_center_size(pos2(x, room.center().y), Vec2::splat(size));
    let hidden = match data.view.drawn(slot) {
        Drawn::Hidden => true,
        Drawn::Solid | Drawn::Ghost => element.kind == ElementKind::Space && !data.view.spaces && !data.view.is_plan(),
    };
    let colour = if hidden { t.weak } else { t.text };
    let sign = icons::of_class(&element.class, &element.predefined_type);
    icons::paint(ui.painter(), square(room.left() + 9.0, 14.0), sign, t.weak);
    let mut right = room.right();
    let health = data.readings.asset_health(slot);
    if health != Health::Unknown {
        health_mark(ui.painter(), pos2(right - 5.0, room.center().y), 4.0, t, health);
    }
    right -= 16.0;
    if hidden {
        icons::paint(ui.painter(), square(right - 6.0, 12.0), Icon::EyeOff, t.weak);
        right -= 16.0;
    }
    let words = Rect::from_min_max(pos2(room.left() + 21.0, room.top()), pos2(right, room.bottom()));
    let width = text_in(ui, words, &label, TextStyle::Body, colour, Align2::LEFT_CENTER);
    if !element.tag.is_empty() && !element.name.is_empty() && element.name != element.tag {
        let rest = Rect::from_min_max(pos2(words.left() + width + 8.0, words.top()), words.max);
        if rest.width() > 40.0 {
            text_in(ui, rest, &element.name, TextStyle::Small, t.weak, Align2::LEFT_CENTER);
        }
    }
    let dragged_over = egui::DragAndDrop::has_any_payload(ui.ctx()) && response.contains_pointer();
    let hovered = response.hovered() || dragged_over;
    if response.clicked() {
        state.clicked = Some(slot);
        out.push(Command::Select(Some(slot)));
        // Who looks for something wants to be there.
        if data.search.hits().is_some() {
            out.push(Command::FlyTo(slot));
        }
    }
    if response.double_clicked() {
        out.push(Command::FlyTo(slot));
    }
    response.context_menu(|ui| {
        ui.set_min_width(170.0);
        ui.label(egui::RichText::new(&label).strong());
        ui.separator();
        if ui.button("Fly to").clicked() {
            out.push(Command::Select(Some(slot)));
            out.push(Command::FlyTo(slot));
        }
        visibility_menu(ui, || vec![slot], out);
        ui.separator();
        if ui.button("Copy GlobalId").clicked() {
            ui.ctx().copy_text(element.id.clone());
        }
    });
    hovered
}

/// Isolate, ghost the others, hide, show all.
pub fn visibility_menu(ui: &mut Ui, slots: impl Fn() -> Vec<Slot>, out: &mut Vec<Command>) {
    if ui.button("Isolate").clicked() {
        out.push(Command::Isolate(slots()));
    }
    if ui.button("Ghost others").clicked() {
        out.push(Command::GhostOthers(slots()));
    }
    if ui.button("Hide").clicked() {
        out.push(Command::Hide(slots()));
    }
    if ui.button("Show all").clicked() {
        out.push(Command::ShowAll);
    }
}
