//! The bar at the bottom: broker, rates, health of points, elements, the twin's time, the frame's time.

use super::data::Data;
use super::format;
use super::overview;
use super::time_bar::TimeBar;
use super::widgets::{health_mark, health_word};
use crate::analytics::Health;
use crate::desktop::theme;
use bevy_egui::egui;
use egui::{Align, Layout, Rect, RichText, Sense, Ui, Vec2, vec2};

/// Draws the bar. The right part is drawn first; the left part gets what is left.
pub fn ui(ui: &mut Ui, data: &Data, bar: &mut TimeBar) {
    let narrow = ui.available_width() < theme::NARROW;
    ui.spacing_mut().item_spacing.x = 5.0;
    ui.allocate_ui_with_layout(ui.available_size(), Layout::right_to_left(Align::Center), |ui| {
        right(ui, data, bar, narrow);
        ui.add_space(8.0);
        let room = ui.available_size();
        ui.allocate_ui_with_layout(room, Layout::left_to_right(Align::Center), |ui| {
            ui.set_clip_rect(ui.max_rect().intersect(ui.clip_rect()));
            broker(ui, data, narrow);
        });
    });
}

fn right(ui: &mut Ui, data: &Data, bar: &mut TimeBar, narrow: bool) {
    let t = data.tokens;
    let small = |words: String| RichText::new(words).small().color(t.weak);
    let mono = |words: String| RichText::new(words).monospace().size(theme::SMALL);
    ui.label(mono(format!("{:>5.1} ms", data.frame_ms)))
        .on_hover_text("The work of a frame on the CPU, before it is drawn");
    divider(ui, data);
    let (clock, says) = match (data.clock.is_held, data.clock.from_site) {
        (true, _) => ("past", "Another time than the present is shown (UTC)"),
        (_, true) => ("site time", "The site publishes its own clock (UTC)"),
        _ => ("UTC", "This machine's clock (UTC)"),
    };
    let time = if narrow { format::hhmmss(data.clock.now) } else { date_time(data) };
    let colour = if data.clock.is_held { t.accent } else { t.weak };
    ui.label(RichText::new(clock).small().color(colour)).on_hover_text(says);
    let time = ui.add(egui::Label::new(mono(time)).sense(Sense::click()));
    if time.on_hover_text("Show the bar of time, for other times (T)").clicked() {
        bar.open = !bar.open;
    }
    divider(ui, data);
    if let Some(site) = data.site() {
        let words = if narrow { String::new() } else { " elements".to_owned() };
        let n = format::count(site.elements.len());
        ui.label(small(format!("{n}{words}"))).on_hover_text("Elements, spaces and map features");
        divider(ui, data);
    }
    if data.site().is_none_or(|s| s.points.is_empty()) {
        return;
    }
    let numbers = overview::counts(&data.rollup.points);
    for (health, n) in numbers.into_iter().rev().filter(|(h, n)| *h != Health::Unknown && (!narrow || *n > 0)) {
        let response = ui.label(mono(format::count(n)));
        let (rect, mark) = ui.allocate_exact_size(Vec2::splat(11.0), Sense::hover());
        health_mark(ui.painter(), rect.center(), 4.0, t, health);
        let says = format!("{} points: {}", health_word(health), n);
        mark.union(response).on_hover_text(says);
        ui.add_space(2.0);
    }
}

fn date_time(data: &Data) -> String {
    let date = format::date_hhmm(data.clock.now);
    let day = date.split(' ').next().unwrap_or_default();
    format!("{day} {}", format::hhmmss(data.clock.now))
}

fn broker(ui: &mut Ui, data: &Data, narrow: bool) {
    let (t, wire) = (data.tokens, data.wire);
    let (rect, _) = ui.allocate_exact_size(Vec2::splat(11.0), Sense::hover());
    let health = if wire.connected { Health::Good } else { Health::Unknown };
    health_mark(ui.painter(), rect.center(), 4.5, t, health);
    let mut words = if wire.broker.is_empty() { "no broker".to_owned() } else { wire.broker.clone() };
    if !wire.broker.is_empty() && (!narrow || !wire.connected) && !wire.state.is_empty() {
        words = format!("{words}, {}", wire.state);
    }
    if wire.connected {
        words = format!("{words}  ·  {:.0} samples/s", wire.samples_per_s);
    }
    ui.add(egui::Label::new(RichText::new(words).small()).truncate())
        .on_hover_text(format!("{}: {}", wire.broker, wire.state));
}

fn divider(ui: &mut Ui, data: &Data) {
    let (rect, _) = ui.allocate_exact_size(vec2(9.0, 14.0), Sense::hover());
    let line = Rect::from_center_size(rect.center(), vec2(1.0, 12.0));
    ui.painter().rect_filled(line, 0, data.tokens.line);
}
