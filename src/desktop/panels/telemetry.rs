//! The wire: broker, rates, what could not be read, and topics that nothing is bound to.

use super::data::Data;
use super::format;
use super::icons::Icon;
use super::widgets::{self, fact, text, weak};
use bevy_egui::egui;
use egui::{RichText, ScrollArea, Ui, vec2};

/// Draws the three columns: the broker, the quarantine, the topics.
pub fn ui(ui: &mut Ui, data: &Data) {
    let wire = data.wire;
    let room = ui.available_size();
    let gap = 10.0;
    let first = (room.x * 0.28).clamp(190.0, 330.0);
    let rest = (room.x - first - 2.0 * gap - 4.0).max(100.0);
    ui.horizontal_top(|ui| {
        ui.spacing_mut().item_spacing.x = gap;
        column(ui, "wire", vec2(first, room.y), |ui| connection(ui, data));
        column(ui, "quarantine", vec2(rest * 0.62, room.y), |ui| {
            let title = format!("Could not be read ({})", format::count(wire.rejected as usize));
            text(ui, RichText::new(title).strong());
            if wire.quarantine.is_empty() {
                weak(ui, data.tokens, "Every message was understood");
            }
            for message in wire.quarantine.iter().rev() {
                text(ui, RichText::new(format!("{}  {}", format::hhmmss(message.arrival), message.topic)).small());
                text(ui, RichText::new(&message.reason).small().color(data.tokens.warning));
                if !message.payload.is_empty() {
                    text(ui, RichText::new(&message.payload).monospace().small().color(data.tokens.weak));
                }
                ui.add_space(3.0);
            }
        });
        column(ui, "unmatched", vec2(rest * 0.38, room.y), |ui| {
            text(
                ui,
                RichText::new(format!("Topics without a point ({})", format::count(wire.unmatched.len()))).strong(),
            );
            if wire.unmatched.is_empty() {
                weak(ui, data.tokens, "Every topic that came is bound");
            }
            for topic in &wire.unmatched {
                text(ui, RichText::new(topic).monospace().small());
            }
        });
    });
}

fn column(ui: &mut Ui, name: &str, size: egui::Vec2, content: impl FnOnce(&mut Ui)) {
    ui.allocate_ui_with_layout(size, egui::Layout::top_down(egui::Align::Min), |ui| {
        ui.set_width(size.x);
        ScrollArea::vertical().id_salt(name).auto_shrink(false).show(ui, |ui| {
            ui.spacing_mut().item_spacing.y = 2.0;
            content(ui);
        });
    });
}

fn connection(ui: &mut Ui, data: &Data) {
    let (wire, intake, t) = (data.wire, data.intake, data.tokens);
    if wire.broker.is_empty() {
        widgets::empty(ui, t, Icon::Sensor, "No broker", "The project's [broker] says where samples come from");
        return;
    }
    ui.spacing_mut().item_spacing.y = 0.0;
    let number = |n: u64| format::count(n as usize);
    fact(ui, t, "Broker", &wire.broker, false);
    fact(ui, t, "State", &wire.state, false);
    fact(ui, t, "Samples per second", &format!("{:.0}", wire.samples_per_s), false);
    fact(ui, t, "Samples taken", &number(intake.samples), false);
    fact(ui, t, "Late", &number(intake.late), false);
    fact(ui, t, "Twice", &number(intake.duplicate), false);
    fact(ui, t, "Out of range", &number(intake.out_of_range), false);
    let lost = wire.lost.map_or_else(|| "cannot be known".to_owned(), number);
    fact(ui, t, "Lost", &lost, false);
}
