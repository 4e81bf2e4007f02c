//! The bar at the top: project, views, storey, section, colours, theme, help.

use super::data::Data;
use super::format;
use super::icons::Icon;
use super::state::PanelState;
use super::widgets::{icon, icon_button, text};
use crate::desktop::theme;
use crate::site::Site;
use crate::twin::command::Command;
use crate::twin::view::{ColourBy, Theme};
use bevy_egui::egui;
use egui::{Align, ComboBox, Layout, PopupCloseBehavior, Rect, RichText, Sense, Slider, Ui, vec2};

/// Draws the bar; returns where its left and right parts are.
pub fn ui(ui: &mut Ui, data: &Data, state: &mut PanelState, out: &mut Vec<Command>) -> (Rect, Rect) {
    let narrow = ui.available_width() < theme::NARROW;
    ui.spacing_mut().item_spacing.x = 3.0;
    let mut left = Rect::NOTHING;
    let mut right = Rect::NOTHING;
    ui.allocate_ui_with_layout(ui.available_size(), Layout::right_to_left(Align::Center), |ui| {
        right = ui.scope(|ui| right_part(ui, data, state, narrow, out)).response.rect;
        let room = vec2(ui.available_width() - 6.0, ui.available_height());
        ui.allocate_ui_with_layout(room, Layout::left_to_right(Align::Center), |ui| {
            left = ui.scope(|ui| left_part(ui, data, state, narrow, out)).response.rect;
        });
    });
    (left, right)
}

fn right_part(ui: &mut Ui, data: &Data, state: &mut PanelState, narrow: bool, out: &mut Vec<Command>) {
    let t = data.tokens;
    if icon_button(ui, t, Icon::Help, "Keys and mouse (?)", state.help).clicked() {
        state.help = !state.help;
    }
    let (sign, other) = match data.view.theme {
        Theme::Dark => (Icon::Sun, Theme::Light),
        Theme::Light => (Icon::Moon, Theme::Dark),
    };
    let says = if other == Theme::Light { "Light theme" } else { "Dark theme" };
    if icon_button(ui, t, sign, says, false).clicked() {
        out.push(Command::Theme(other));
    }
    if icon_button(ui, t, Icon::PanelRight, "Properties", state.right_open).clicked() {
        state.right_open = !state.right_open;
    }
    if icon_button(ui, t, Icon::PanelLeft, "Tree", state.left_open).clicked() {
        state.left_open = !state.left_open;
    }
    divider(ui, data);
    let chosen = data.view.colour_by;
    ComboBox::from_id_salt("colour_by")
        .width(if narrow { 104.0 } else { 116.0 })
        .selected_text(format::capital(chosen.word()))
        .show_ui(ui, |ui| {
            let changes = data.changes.report().filter(|r| r.is_seen()).map(|_| ColourBy::Change);
            for by in ColourBy::ALL.into_iter().chain(changes) {
                if ui.selectable_label(by == chosen, format::capital(by.word())).clicked() {
                    out.push(Command::ColourBy(by));
                }
            }
        })
        .response
        .on_hover_text("What the colours mean");
    if !narrow {
        ui.add_space(3.0);
        ui.label(RichText::new("Colour by").color(t.weak).small());
    }
}

fn left_part(ui: &mut Ui, data: &Data, state: &mut PanelState, narrow: bool, out: &mut Vec<Command>) {
    let t = data.tokens;
    icon(ui, Icon::Building, 18.0, t.accent);
    let name = data.site().map_or("Plenum", |s| if s.name.is_empty() { "Plenum" } else { s.name.as_str() });
    let room = if narrow { (ui.available_width() - 479.0).clamp(60.0, 150.0) } else { 230.0 };
    ui.allocate_ui_with_layout(vec2(room, theme::TOP_BAR - 12.0), Layout::left_to_right(Align::Center), |ui| {
        ui.set_max_width(room);
        text(ui, RichText::new(name).size(theme::TITLE).strong());
    });
    if icon_button(ui, t, Icon::Folder, "Open a project or a model", false).clicked() {
        state.open.ask();
    }
    let Some(site) = data.site() else { return };
    if icon_button(ui, t, Icon::Reload, "Reload: read the project's files again (Ctrl + R)", false).clicked()
        && data.busy.is_none()
    {
        out.push(Command::Reload);
    }
    divider(ui, data);
    if icon_button(ui, t, Icon::Home, "Home view (H)", false).clicked() {
        out.push(Command::Home);
    }
    super::view_menu::button(ui, data, state, out);
    if icon_button(ui, t, Icon::Fit, "Show the whole model (F)", false).clicked() {
        out.push(Command::Fit);
    }
    if icon_button(ui, t, Icon::Eye, "Show all: undo hide, isolate, ghost and cut (/)", false).clicked() {
        out.push(Command::ShowAll);
    }
    if icon_button(ui, t, Icon::Space, "Spaces", data.view.spaces).clicked() {
        out.push(Command::ShowSpaces(!data.view.spaces));
    }
    divider(ui, data);
    storeys(ui, data, site, narrow, out);
    section(ui, data, site, narrow, out);
}

fn storeys(ui: &mut Ui, data: &Data, site: &Site, narrow: bool, out: &mut Vec<Command>) {
    let chosen = data.view.storey;
    let name = chosen.and_then(|s| site.storeys.get(s as usize)).map_or("All storeys", |s| s.name.as_str());
    let mut order: Vec<usize> = (0..site.storeys.len()).collect();
    order.sort_by(|a, b| site.storeys[*b].elevation_m.total_cmp(&site.storeys[*a].elevation_m));
    ui.add_enabled_ui(!order.is_empty(), |ui| {
        ComboBox::from_id_salt("storey")
            .width(if narrow { 112.0 } else { 140.0 })
            .truncate()
            .selected_text(name)
            .show_ui(ui, |ui| {
                if ui.selectable_label(chosen.is_none(), "All storeys").clicked() {
                    out.push(Command::CutStorey(None));
                }
                for i in order {
                    let here = chosen == Some(i as u32);
                    if ui.selectable_label(here, &site.storeys[i].name).clicked() {
                        out.push(Command::CutStorey(Some(i as u32)));
                    }
                }
            })
            .response
            .on_hover_text("Show one storey, cut at head height");
    });
}

/// The heights that a cut can be at, metres: from below the lowest storey to above the highest element.
fn heights(site: &Site) -> (f64, f64) {
    let mut low = f64::INFINITY;
    let mut high = f64::NEG_INFINITY;
    for element in &site.elements {
        if element.kind == crate::site::ElementKind::Element
            && let Some(bounds) = element.bounds
        {
            low = low.min(bounds.min.z);
            high = high.max(bounds.max.z);
        }
    }
    if low < high { (low, high) } else { (0.0, 10.0) }
}

fn section(ui: &mut Ui, data: &Data, site: &Site, narrow: bool, out: &mut Vec<Command>) {
    let cut = data.view.section_m;
    let words = match cut {
        Some(height) => format!("{height:.1} m"),
        None if narrow => "Cut".to_owned(),
        None => "Section".to_owned(),
    };
    let button = egui::Button::selectable(cut.is_some(), words);
    let (response, _) = egui::containers::menu::MenuButton::from_button(button)
        .config(egui::containers::menu::MenuConfig::new().close_behavior(PopupCloseBehavior::CloseOnClickOutside))
        .ui(ui, |ui| {
            ui.set_min_width(220.0);
            let (low, high) = heights(site);
            ui.label("Cut the model at a height");
            let mut height = cut.unwrap_or(high);
            let slider = Slider::new(&mut height, low..=high).suffix(" m").fixed_decimals(1);
            ui.spacing_mut().slider_width = 150.0;
            if ui.add(slider).changed() {
                out.push(Command::SectionAt(Some(height)));
            }
            if ui.add_enabled(cut.is_some(), egui::Button::new("No cut")).clicked() {
                out.push(Command::SectionAt(None));
                ui.close();
            }
        });
    response.on_hover_text("Cut the model at a height");
}

fn divider(ui: &mut Ui, data: &Data) {
    let (rect, _) = ui.allocate_exact_size(vec2(11.0, 18.0), Sense::hover());
    ui.painter().rect_filled(Rect::from_center_size(rect.center(), vec2(1.0, 18.0)), 0, data.tokens.line);
}
