//! What the colours mean, in a corner of the scene.

use super::data::Data;
use super::flows;
use super::format;
use super::overview;
use super::trend::{axis_number, number_marks};
use super::widgets::{self, health_mark, text_in};
use crate::desktop::theme;
use crate::site::graph::Domain;
use crate::site::revision::report::Kind;
use crate::twin::command::Command;
use crate::twin::flow::Range;
use crate::twin::state_words::{Palette, TEMPERATURE_RANGE_C, change_value};
use crate::twin::view::ColourBy;
use bevy_egui::egui;
use egui::{
    Align2, Area, Color32, CornerRadius, Frame, Id, Margin, Mesh, Order, Rect, RichText, ScrollArea, Sense, TextStyle,
    Ui, pos2, vec2,
};
use egui_plot::GridInput;

/// How wide it is, points.
const WIDTH: f32 = 178.0;
/// How far from the scene's corner, points.
const MARGIN: f32 = 10.0;

/// Draws the legend into the lower left corner of the scene; returns where it is.
pub fn ui(ctx: &egui::Context, scene: Rect, data: &Data, out: &mut Vec<Command>) -> Option<Rect> {
    let site = data.site()?;
    if data.view.colour_by == ColourBy::Material {
        return None;
    }
    let t = data.tokens;
    let width = WIDTH.min(scene.width() - 2.0 * MARGIN);
    let room = scene.height() - 2.0 * MARGIN;
    if width < 120.0 || room < 90.0 {
        return None;
    }
    let area = Area::new(Id::new(("legend", data.view.colour_by)))
        .order(Order::Middle)
        .pivot(Align2::LEFT_BOTTOM)
        .fixed_pos(pos2(scene.left() + MARGIN, scene.bottom() - MARGIN))
        .constrain_to(scene)
        .fade_in(false)
        .show(ctx, |ui| {
            Frame::new()
                .fill(t.raised)
                .stroke(egui::Stroke::new(1.0, t.line))
                .corner_radius(CornerRadius::same(theme::RADIUS + 2))
                .inner_margin(Margin::symmetric(10, 8))
                .show(ui, |ui| {
                    ui.set_width(width - 20.0);
                    ui.spacing_mut().item_spacing.y = 0.0;
                    ScrollArea::vertical().max_height((room - 24.0).min(260.0)).show(ui, |ui| {
                        match data.view.colour_by {
                            ColourBy::Health => health(ui, data),
                            ColourBy::Temperature => temperature(ui, data),
                            ColourBy::Flow | ColourBy::Velocity | ColourBy::Pressure => solved(ui, data),
                            ColourBy::Residual => residual(ui, data),
                            ColourBy::System => {
                                let items = site.systems.iter().map(|s| (s.name.clone(), s.members.len()));
                                categories(ui, data, "System", items);
                            }
                            ColourBy::Discipline => categories(ui, data, "Discipline", disciplines(data).into_iter()),
                            ColourBy::Change => changed(ui, data, out),
                            ColourBy::Material => {}
                        }
                    });
                });
        });
    Some(area.response.rect)
}

fn title(ui: &mut Ui, data: &Data, words: &str, right: &str) {
    let (rect, _) = ui.allocate_exact_size(vec2(ui.available_width(), 20.0), Sense::hover());
    text_in(ui, rect, right, TextStyle::Small, data.tokens.weak, Align2::RIGHT_CENTER);
    ui.painter().text(
        rect.left_center(),
        Align2::LEFT_CENTER,
        words,
        TextStyle::Button.resolve(ui.style()),
        data.tokens.text,
    );
}

fn row(ui: &mut Ui, data: &Data, words: &str, number: &str, sign: impl FnOnce(&Ui, Rect)) {
    let (rect, response) = ui.allocate_exact_size(vec2(ui.available_width(), 20.0), Sense::hover());
    sign(ui, Rect::from_center_size(pos2(rect.left() + 6.0, rect.center().y), vec2(11.0, 11.0)));
    let mut room = Rect::from_min_max(pos2(rect.left() + 20.0, rect.top()), rect.max);
    room.max.x -= text_in(ui, room, number, TextStyle::Small, data.tokens.weak, Align2::RIGHT_CENTER) + 6.0;
    text_in(ui, room, words, TextStyle::Body, data.tokens.text, Align2::LEFT_CENTER);
    response.on_hover_text(words);
}

fn health(ui: &mut Ui, data: &Data) {
    title(ui, data, "Health", "points");
    for (health, n) in overview::counts(&data.rollup.points) {
        row(ui, data, widgets::health_word(health), &format::count(n), |ui, rect| {
            health_mark(ui.painter(), rect.center(), 5.0, data.tokens, health);
        });
    }
    row(ui, data, "Not measured", "", |ui, rect| swatch(ui, rect, data.tokens.palette(Palette::Quiet, 0)));
}

fn changed(ui: &mut Ui, data: &Data, out: &mut Vec<Command>) {
    let Some(report) = data.changes.report() else { return };
    title(ui, data, "Since the reload", "");
    for kind in [Kind::Added, Kind::Moved, Kind::Changed] {
        let Some(value) = change_value(kind) else { continue };
        let colour = data.tokens.palette(Palette::Change, value);
        let number = format::count(report.count(kind));
        row(ui, data, &format::capital(kind.word()), &number, |ui, rect| swatch(ui, rect, colour));
    }
    row(ui, data, "As it was", "", |ui, rect| swatch(ui, rect, data.tokens.palette(Palette::Quiet, 0)));
    ui.add_space(4.0);
    if ui.button("Dismiss").on_hover_text("Colour as before, and close the list of changes").clicked() {
        out.push(Command::DismissChanges);
    }
}

fn swatch(ui: &Ui, rect: Rect, colour: Color32) {
    ui.painter().rect_filled(rect, CornerRadius::same(2), colour);
}

fn temperature(ui: &mut Ui, data: &Data) {
    title(ui, data, "Temperature", "°C");
    let water = data.flows.ranges.of(ColourBy::Temperature, Domain::Water).filter(|_| has_water(data));
    let scales = [
        Some((if water.is_some() { "Rooms and air" } else { "" }, TEMPERATURE_RANGE_C)),
        water.map(|range| ("Water in pipes", [range.min, range.max])),
    ];
    for (words, [low, high]) in scales.into_iter().flatten() {
        if !words.is_empty() {
            let (line, _) = ui.allocate_exact_size(vec2(ui.available_width(), 18.0), Sense::hover());
            text_in(ui, line, words, TextStyle::Small, data.tokens.text, Align2::LEFT_CENTER);
        }
        bar(ui, data, Palette::Temperature);
        beyond(ui, data, [low, (low + high) * 0.5, high].map(|c| format!("{c:.0}")));
    }
    row(ui, data, "Not measured", "", |ui, rect| swatch(ui, rect, data.tokens.palette(Palette::Quiet, 0)));
}

/// Whether any network carries water.
fn has_water(data: &Data) -> bool {
    data.flows.networks.building.iter().flat_map(|b| &b.networks).any(|n| n.domain == Domain::Water)
}

/// What is solved: a scale for water and one for air, in the units in which the site measures them.
fn solved(ui: &mut Ui, data: &Data) {
    let by = data.view.colour_by;
    title(ui, data, &format::capital(by.word()), "solved");
    let of = |domain: Domain| data.flows.ranges.of(by, domain).map(|range| (domain, range));
    let scales: Vec<(Domain, Range)> = [Domain::Water, Domain::Air].into_iter().filter_map(of).collect();
    for (i, (domain, range)) in scales.iter().enumerate() {
        let unit = flows::unit(data, range.quantity, *domain);
        let [low, high] = [range.min, range.max].map(|v| unit.from_si(v));
        let told = format!("{} – {}", flows::number(unit, range.min), flows::measure(unit, range.max));
        let (line, _) = ui.allocate_exact_size(vec2(ui.available_width(), 18.0), Sense::hover());
        text_in(ui, line, &told, TextStyle::Small, data.tokens.weak, Align2::RIGHT_CENTER);
        let word = format::capital(domain.word());
        text_in(ui, line, &word, TextStyle::Small, data.tokens.text, Align2::LEFT_CENTER);
        bar(ui, data, Palette::Flow);
        marks(ui, data, low, high);
        if i + 1 < scales.len() {
            ui.add_space(2.0);
        }
    }
    if scales.is_empty() {
        row(ui, data, "Nothing is solved yet", "", |ui, rect| swatch(ui, rect, data.tokens.palette(Palette::Flow, 0)));
    }
    // A machine flows, but has no cross-section and so no velocity.
    let without = if by == ColourBy::Velocity { "No velocity known" } else { "In no network" };
    row(ui, data, without, "", |ui, rect| swatch(ui, rect, data.tokens.palette(Palette::Quiet, 0)));
}

/// How far what is measured is from what is solved.
fn residual(ui: &mut Ui, data: &Data) {
    title(ui, data, "Residual", "measured − solved");
    bar(ui, data, Palette::Residual);
    let end = data.flows.ranges.of(ColourBy::Residual, Domain::Water).map_or(20.0, |r| r.max * 100.0);
    beyond(ui, data, [format!("−{end:.0} %"), "0".to_owned(), format!("+{end:.0} %")]);
    row(ui, data, "Not compared", "", |ui, rect| swatch(ui, rect, data.tokens.palette(Palette::Quiet, 0)));
}

/// The colours of a palette from its first to its last.
fn bar(ui: &mut Ui, data: &Data, palette: Palette) {
    let (bar, _) = ui.allocate_exact_size(vec2(ui.available_width(), 12.0), Sense::hover());
    let steps = 48;
    let mut mesh = Mesh::default();
    for i in 0..=steps {
        let f = i as f32 / steps as f32;
        let colour = data.tokens.palette(palette, (f * f32::from(u16::MAX)) as u16);
        let x = bar.left() + f * bar.width();
        mesh.colored_vertex(pos2(x, bar.top()), colour);
        mesh.colored_vertex(pos2(x, bar.bottom()), colour);
        if i > 0 {
            let n = 2 * i;
            mesh.add_triangle(n - 2, n - 1, n);
            mesh.add_triangle(n - 1, n, n + 1);
        }
    }
    ui.painter().add(mesh);
}

/// Numbers under the ends and the middle of a bar. What is beyond the ends has the ends' colours.
fn beyond(ui: &mut Ui, data: &Data, numbers: [String; 3]) {
    let (scale, _) = ui.allocate_exact_size(vec2(ui.available_width(), 17.0), Sense::hover());
    let font = TextStyle::Small.resolve(ui.style());
    let places = [("≤ ", Align2::LEFT_CENTER), ("", Align2::CENTER_CENTER), ("≥ ", Align2::RIGHT_CENTER)];
    for (i, ((sign, align), number)) in places.into_iter().zip(numbers).enumerate() {
        let at = pos2(scale.left() + i as f32 * 0.5 * scale.width(), scale.center().y);
        ui.painter().text(at, align, format!("{sign}{number}"), font.clone(), data.tokens.weak);
    }
}

/// Ticks under a bar on round numbers, in the unit that is shown.
fn marks(ui: &mut Ui, data: &Data, low: f64, high: f64) {
    let (scale, _) = ui.allocate_exact_size(vec2(ui.available_width(), 17.0), Sense::hover());
    let font = TextStyle::Small.resolve(ui.style());
    let line = egui::Stroke::new(1.0, data.tokens.weak);
    let about = (scale.width() / 44.0).clamp(2.0, 5.0);
    for mark in number_marks(GridInput { bounds: (low, high), base_step_size: 0.0 }, about) {
        let f = ((mark.value - low) / (high - low)) as f32;
        let x = scale.left() + f * scale.width();
        ui.painter().vline(x.clamp(scale.left() + 0.5, scale.right() - 0.5), scale.top()..=scale.top() + 3.0, line);
        let galley = ui.painter().layout_no_wrap(axis_number(mark), font.clone(), data.tokens.weak);
        let half = galley.size().x * 0.5;
        let middle = x.clamp(scale.left() + half, (scale.right() - half).max(scale.left() + half));
        let at = pos2(middle - half, scale.top() + 3.0);
        ui.painter().galley(at, galley, data.tokens.weak);
    }
}

fn categories(ui: &mut Ui, data: &Data, words: &str, items: impl Iterator<Item = (String, usize)>) {
    title(ui, data, words, "elements");
    for (i, (name, n)) in items.enumerate() {
        let colour = data.tokens.palette(Palette::Category, i as u16);
        row(ui, data, &name, &format::count(n), |ui, rect| swatch(ui, rect, colour));
    }
    if data.view.colour_by == ColourBy::System {
        row(ui, data, "None", "", |ui, rect| swatch(ui, rect, data.tokens.palette(Palette::Quiet, 0)));
    }
}

/// The disciplines in the order of the site's sources, each once, with their elements counted.
fn disciplines(data: &Data) -> Vec<(String, usize)> {
    let Some(site) = data.site() else { return Vec::new() };
    let mut sources = vec![0usize; site.sources.len()];
    for source in &site.source_of {
        if let Some(n) = sources.get_mut(usize::from(*source)) {
            *n += 1;
        }
    }
    let mut out: Vec<(String, usize)> = Vec::new();
    for (source, n) in site.sources.iter().zip(sources) {
        let name = match source.discipline.as_str() {
            "" => source.kind.to_uppercase(),
            word => format::capital(word),
        };
        match out.iter_mut().find(|(o, _)| *o == name) {
            Some((_, count)) => *count += n,
            None => out.push((name, n)),
        }
    }
    out
}

/// A strip at the top of the scene that says what is left out of it; returns where it is.
pub fn cut_note(ctx: &egui::Context, scene: Rect, data: &Data, out: &mut Vec<Command>) -> Option<Rect> {
    let t = data.tokens;
    let words = what_is_cut(data)?;
    let area = Area::new(Id::new("cut"))
        .order(Order::Middle)
        .fixed_pos(scene.min + vec2(MARGIN, MARGIN))
        .constrain_to(scene)
        .fade_in(false)
        .show(ctx, |ui| {
            Frame::new()
                .fill(t.raised)
                .stroke(egui::Stroke::new(1.0, t.line))
                .corner_radius(CornerRadius::same(13))
                .inner_margin(Margin { left: 12, right: 4, top: 2, bottom: 2 })
                .show(ui, |ui| {
                    ui.horizontal(|ui| {
                        ui.add(egui::Label::new(RichText::new(words).small()).extend());
                        if widgets::icon_button_of(ui, t, super::icons::Icon::Close, "Show all", false, 20.0).clicked()
                        {
                            out.push(Command::ShowAll);
                        }
                    });
                });
        });
    Some(area.response.rect)
}

/// What is not shown of the model, in words; none when all of it is.
fn what_is_cut(data: &Data) -> Option<String> {
    use crate::twin::view::Drawn;
    let site = data.site()?;
    if let Some(storey) = data.view.storey.and_then(|s| site.storeys.get(s as usize)) {
        return Some(format!("{} alone", format::elide(&storey.name, 28)));
    }
    let of = |drawn: Drawn| data.view.drawn.iter().filter(|d| **d == drawn).count();
    let (hidden, ghosts) = (of(Drawn::Hidden), of(Drawn::Ghost));
    let mut words = Vec::new();
    if let Some(height) = data.view.section_m {
        words.push(format!("cut at {height:.1} m"));
    }
    if hidden > 0 {
        words.push(format!("{} hidden", format::count(hidden)));
    }
    if ghosts > 0 {
        words.push(format!("{} ghosts", format::count(ghosts)));
    }
    (!words.is_empty()).then(|| format::capital(&words.join(", ")))
}
