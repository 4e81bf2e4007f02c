//! What the panel on the right shows while nothing is selected: the site at a glance.

use super::data::Data;
use super::format;
use super::icons::Icon;
use super::placing::{self, Placing};
use super::state::PanelState;
use super::widgets::{self, fact, health_mark, icon, section, text, text_in};
use crate::analytics::Health;
use crate::desktop::theme;
use crate::site::{ElementKind, Site};
use crate::twin::command::Command;
use crate::twin::health::HealthCounts;
use bevy_egui::egui;
use egui::{Align2, CornerRadius, Rect, RichText, ScrollArea, Sense, TextStyle, Ui, pos2, vec2};

/// The five healths with their numbers, worst first.
pub fn counts(counts: &HealthCounts) -> [(Health, usize); 5] {
    [
        (Health::Critical, counts.critical),
        (Health::Warning, counts.warning),
        (Health::Stale, counts.stale),
        (Health::Good, counts.good),
        (Health::Unknown, counts.unknown),
    ]
}

/// How many elements of each kind there are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct KindCounts {
    /// Building elements and equipment.
    pub elements: usize,
    /// Spaces.
    pub spaces: usize,
    /// Features of map layers.
    pub features: usize,
}

impl KindCounts {
    /// Counts once.
    pub fn of(site: &Site) -> Self {
        let mut out = Self::default();
        for element in &site.elements {
            match element.kind {
                ElementKind::Element => out.elements += 1,
                ElementKind::Space => out.spaces += 1,
                ElementKind::Feature => out.features += 1,
            }
        }
        out
    }
}

/// Draws the overview.
pub fn ui(ui: &mut Ui, data: &Data, state: &mut PanelState, out: &mut Vec<Command>) {
    let t = data.tokens;
    let Some(site) = data.site() else {
        widgets::empty(ui, t, Icon::Building, "No site", "Open a project folder's twin.toml, or an IFC file");
        return;
    };
    ui.horizontal(|ui| {
        icon(ui, Icon::Building, 18.0, t.accent);
        let name = if site.name.is_empty() { "Site" } else { &site.name };
        text(ui, RichText::new(name).size(theme::TITLE).strong());
    });
    text(ui, RichText::new("Select an element to see what is known of it").color(t.weak).small());
    ui.add_space(2.0);
    ScrollArea::vertical().auto_shrink(false).id_salt("overview").show(ui, |ui| {
        if !site.points.is_empty() {
            section(ui, t, "Health of points", Some(site.points.len()), true, |ui| health(ui, data));
        }
        if !site.storeys.is_empty() {
            section(ui, t, "Storeys", Some(site.storeys.len()), true, |ui| storeys(ui, data, site, out));
        }
        section(ui, t, "Model", None, true, |ui| model(ui, data, site, state.kinds));
        section(ui, t, "Files", Some(site.sources.len()), true, |ui| files(ui, data, site, &mut state.placing));
    });
}

/// The files; those that can be placed by hand are links to that.
fn files(ui: &mut Ui, data: &Data, site: &Site, state: &mut Placing) {
    ui.spacing_mut().item_spacing.y = 0.0;
    for (source, number) in site.sources.iter().zip(0_u16..) {
        let name = source.file.file_name().map_or_else(String::new, |n| n.to_string_lossy().into_owned());
        let kind = if source.schema.is_empty() { &source.kind } else { &source.schema };
        let link = placing::can_be_placed(data, number);
        let row = fact(ui, data.tokens, kind, &name, link);
        if link && row.on_hover_text("Click to place it by hand").clicked() {
            state.open(number);
        }
    }
}

fn health(ui: &mut Ui, data: &Data) {
    let t = data.tokens;
    let numbers = counts(&data.rollup.points);
    let all: usize = numbers.iter().map(|(_, n)| n).sum();
    let (bar, _) = ui.allocate_exact_size(vec2(ui.available_width(), 8.0), Sense::hover());
    ui.painter().rect_filled(bar, CornerRadius::same(4), t.sunken);
    let mut left = bar.left();
    for (health, n) in numbers {
        let width = bar.width() * n as f32 / all.max(1) as f32;
        let part = Rect::from_min_max(pos2(left, bar.top()), pos2(left + width, bar.bottom()));
        ui.painter().rect_filled(part, CornerRadius::ZERO, t.health(health));
        left += width;
    }
    ui.spacing_mut().item_spacing.y = 0.0;
    for (health, n) in numbers {
        let (rect, _) = ui.allocate_exact_size(vec2(ui.available_width(), theme::ROW - 2.0), Sense::hover());
        health_mark(ui.painter(), pos2(rect.left() + 11.0, rect.center().y), 4.5, t, health);
        let words = Rect::from_min_max(pos2(rect.left() + 24.0, rect.top()), pos2(rect.right() - 8.0, rect.bottom()));
        text_in(ui, words, widgets::health_word(health), TextStyle::Body, t.text, Align2::LEFT_CENTER);
        text_in(ui, words, &format::count(n), TextStyle::Monospace, t.text, Align2::RIGHT_CENTER);
    }
}

fn storeys(ui: &mut Ui, data: &Data, site: &Site, out: &mut Vec<Command>) {
    let t = data.tokens;
    ui.spacing_mut().item_spacing.y = 0.0;
    let mut order: Vec<usize> = (0..site.storeys.len()).collect();
    order.sort_by(|a, b| site.storeys[*b].elevation_m.total_cmp(&site.storeys[*a].elevation_m));
    for i in order {
        let storey = &site.storeys[i];
        let (rect, response) = ui.allocate_exact_size(vec2(ui.available_width(), theme::ROW), Sense::click());
        let chosen = data.view.storey == Some(i as u32);
        if chosen || response.hovered() {
            let fill = if chosen { t.chosen } else { t.hover };
            ui.painter().rect_filled(rect, CornerRadius::same(theme::RADIUS), fill);
        }
        let health = data.rollup.storeys.get(i).copied().unwrap_or_default();
        health_mark(ui.painter(), pos2(rect.left() + 11.0, rect.center().y), 4.5, t, health);
        let mut words =
            Rect::from_min_max(pos2(rect.left() + 24.0, rect.top()), pos2(rect.right() - 8.0, rect.bottom()));
        let height = format::metres(storey.elevation_m);
        words.max.x -= text_in(ui, words, &height, TextStyle::Monospace, t.weak, Align2::RIGHT_CENTER) + 6.0;
        text_in(ui, words, &storey.name, TextStyle::Body, t.text, Align2::LEFT_CENTER);
        if response.on_hover_text("Click to show this storey alone").clicked() {
            out.push(Command::CutStorey(if chosen { None } else { Some(i as u32) }));
        }
    }
}

fn model(ui: &mut Ui, data: &Data, site: &Site, kinds: KindCounts) {
    ui.spacing_mut().item_spacing.y = 0.0;
    let t = data.tokens;
    let inferred = site.inferred.joins.len();
    let inferred = (inferred > 0).then_some(("Inferred joints", inferred));
    let counts = [
        ("Elements", kinds.elements),
        ("Spaces", kinds.spaces),
        ("Map features", kinds.features),
        ("Systems", site.systems.len()),
        ("Connections", site.connections.len()),
        ("Shared shapes", site.shapes.len()),
    ];
    for (name, n) in counts.into_iter().chain(inferred) {
        fact(ui, t, name, &format::count(n), false);
    }
    if !site.origin.crs.is_empty() {
        fact(ui, t, "Coordinates", &site.origin.crs, false);
    }
}
