//! The panel on the right: all that is known of the selected element.

use super::connections;
use super::coordinates;
use super::data::Data;
use super::flow;
use super::format;
use super::icons::{self, Icon};
use super::live;
use super::overview;
use super::state::PanelState;
use super::widgets::{fact, health_chip, icon, icon_button, section, text};
use crate::analytics::Health;
use crate::desktop::theme;
use crate::site::model::PropertyValue;
use crate::site::{Element, ElementKind, Slot};
use crate::twin::command::Command;
use bevy_egui::egui;
use egui::{RichText, ScrollArea, Ui};

/// Draws the properties of the selection; without one, an overview of the site.
pub fn ui(ui: &mut Ui, data: &Data, state: &mut PanelState, out: &mut Vec<Command>) {
    let Some((slot, element)) = data.view.selected.and_then(|s| Some((s, data.element(s)?))) else {
        overview::ui(ui, data, state, out);
        return;
    };
    head(ui, data, slot, element, out);
    ui.add_space(2.0);
    ScrollArea::vertical().auto_shrink(false).id_salt(("properties", slot)).show(ui, |ui| {
        ui.push_id(slot, |ui| {
            let points = data.points_of(slot);
            if !points.is_empty() {
                section(ui, data.tokens, "Live values", Some(points.len()), true, |ui| {
                    live::ui(ui, data, state, &points)
                });
            }
            flow::ui(ui, data, state, slot, element, out);
            section(ui, data.tokens, "Identity", None, true, |ui| identity(ui, data, element, out));
            if let Some((_, relations)) = &state.relations {
                connections::ui(ui, data, slot, relations, &mut state.joining, out);
            }
            if let Some((_, Some(at))) = &state.coordinates {
                coordinates::ui(ui, data, slot, at, &mut state.placing);
            }
            property_sets(ui, data, element);
        });
    });
}

fn head(ui: &mut Ui, data: &Data, slot: Slot, element: &Element, out: &mut Vec<Command>) {
    let t = data.tokens;
    ui.horizontal(|ui| {
        icon(ui, icons::of_class(&element.class, &element.predefined_type), 18.0, t.accent);
        let is_room = element.kind == ElementKind::Space;
        let name = if is_room { Data::room_name(element) } else { element.label() };
        text(ui, RichText::new(name).size(theme::TITLE).strong());
    });
    let mut kind = format::class(&element.class);
    if !element.predefined_type.is_empty() {
        kind = format!("{kind}, {}", element.predefined_type.to_lowercase());
    }
    if !element.tag.is_empty() && !element.name.is_empty() && element.name != element.tag {
        kind = format!("{kind} – {}", element.name);
    }
    text(ui, RichText::new(kind).color(t.weak));
    ui.horizontal(|ui| {
        ui.spacing_mut().item_spacing.x = 2.0;
        if icon_button(ui, t, Icon::FlyTo, "Fly to", false).clicked() {
            out.push(Command::FlyTo(slot));
        }
        if icon_button(ui, t, Icon::Isolate, "Isolate (I)", false).clicked() {
            out.push(Command::Isolate(vec![slot]));
        }
        if icon_button(ui, t, Icon::Ghost, "Ghost others (G)", false).clicked() {
            out.push(Command::GhostOthers(vec![slot]));
        }
        if icon_button(ui, t, Icon::EyeOff, "Hide (X)", false).clicked() {
            out.push(Command::Hide(vec![slot]));
        }
        if icon_button(ui, t, Icon::Close, "Clear the selection (Esc)", false).clicked() {
            out.push(Command::Select(None));
        }
        let health = match element.kind {
            ElementKind::Space => data.shown_health(slot),
            _ => data.readings.asset_health(slot),
        };
        if health != Health::Unknown {
            ui.add_space(4.0);
            health_chip(ui, t, health);
        }
    });
}

fn identity(ui: &mut Ui, data: &Data, element: &Element, out: &mut Vec<Command>) {
    ui.spacing_mut().item_spacing.y = 0.0;
    let t = data.tokens;
    let Some(site) = data.site() else { return };
    let line = |ui: &mut Ui, name: &str, value: &str| {
        if !value.is_empty() {
            fact(ui, t, name, value, false);
        }
    };
    line(ui, "Name", &element.name);
    line(ui, "Tag", &element.tag);
    line(ui, "Class", &element.class);
    line(ui, "Predefined type", &element.predefined_type);
    line(ui, "Type", &element.type_name);
    line(ui, "Description", &element.description);
    let storey = element.storey.and_then(|s| Some((s, site.storeys.get(s as usize)?)));
    if let Some((index, storey)) = storey
        && fact(ui, t, "Storey", &storey.name, true).clicked()
    {
        out.push(Command::CutStorey(Some(index)));
    }
    if let Some(space) = element.space.map(Slot)
        && let Some(e) = site.element(space)
        && fact(ui, t, "Space", &e.label(), true).clicked()
    {
        go(space, out);
    }
    for system in element.systems.iter().filter_map(|s| site.systems.get(*s as usize)) {
        if fact(ui, t, "System", &system.name, true).on_hover_text("Click to show this system alone").clicked() {
            out.push(Command::GhostOthers(system.members.iter().map(|m| Slot(*m)).collect()));
        }
    }
    for material in &element.materials {
        fact(ui, t, "Material", material, false);
    }
    for class in &element.classification {
        fact(ui, t, "Classification", class, false);
    }
    let id = if element.kind == ElementKind::Feature { "Id" } else { "GlobalId" };
    if fact(ui, t, id, &element.id, true).on_hover_text("Click to copy").clicked() {
        ui.ctx().copy_text(element.id.clone());
    }
}

/// Selects an element and flies there.
pub fn go(slot: Slot, out: &mut Vec<Command>) {
    out.push(Command::Select(Some(slot)));
    out.push(Command::FlyTo(slot));
}

fn property_sets(ui: &mut Ui, data: &Data, element: &Element) {
    for (i, set) in element.properties.iter().enumerate() {
        ui.push_id(i, |ui| {
            section(ui, data.tokens, &set.name, Some(set.values.len()), i < 2, |ui| {
                ui.spacing_mut().item_spacing.y = 0.0;
                for (name, value) in &set.values {
                    fact(ui, data.tokens, name, &words(value), false);
                }
            });
        });
    }
}

/// A property's value as people read it: reals without the noise of binary fractions.
fn words(value: &PropertyValue) -> String {
    match value {
        PropertyValue::Real(r) if r.is_finite() && *r != 0.0 => {
            let decimals = (4 - r.abs().log10().floor() as i32).clamp(0, 6) as usize;
            let text = format!("{r:.decimals$}");
            if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').to_owned() } else { text }
        }
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reals_are_rounded_for_reading() {
        assert_eq!(words(&PropertyValue::Real(0.30000000000000004)), "0.3");
        assert_eq!(words(&PropertyValue::Real(1234.5678)), "1234.6");
        assert_eq!(words(&PropertyValue::Real(250000.0)), "250000");
        assert_eq!(words(&PropertyValue::Real(0.0)), "0");
        assert_eq!(words(&PropertyValue::Boolean(true)), "yes");
        assert_eq!(words(&PropertyValue::Real(1e-12)), "0");
    }
}
