//! What was traced: the elements in their order, and pressure and temperature along the way.

use super::data::Data;
use super::flows::{self, measure};
use super::format;
use super::trend::{axis_number, number_marks};
use super::widgets::text_in;
use crate::desktop::theme;
use crate::simulation::building::trace::{ProfilePoint, Reached, Trace, Way};
use crate::site::Slot;
use crate::site::graph::Domain;
use crate::site::unit::{Quantity, Unit};
use crate::twin::command::Command;
use bevy_egui::egui;
use egui::{
    Align2, CornerRadius, Frame, Id, Margin, Rect, RichText, ScrollArea, Sense, TextStyle, Ui, UiBuilder, Vec2b, pos2,
    vec2,
};
use egui_plot::{AxisHints, HoverPosition, Line, Plot, PlotPoint, PlotPoints, Points, VLine};

/// Narrower than this, the two plots stand one above the other, points.
const BESIDE: f32 = 560.0;
/// No plot is lower than this, points.
const LEAST_HEIGHT: f32 = 84.0;
/// A click counts for an end so near, points.
const REACH: f32 = 24.0;

/// Draws the list and the plots.
pub fn ui(ui: &mut Ui, data: &Data, out: &mut Vec<Command>) {
    let traced = data.flows.traced;
    let (Some((from, way)), Some(trace)) = (traced.from, &traced.trace) else { return };
    let room = ui.available_rect_before_wrap();
    let split = room.left() + (room.width() * 0.25).clamp(150.0, 300.0);
    let list = Rect::from_min_max(room.min, pos2(split - 10.0, room.bottom()));
    let charts = Rect::from_min_max(pos2(split, room.top()), room.max);
    ui.scope_builder(UiBuilder::new().max_rect(list), |ui| elements(ui, data, from, way, trace, out));
    ui.scope_builder(UiBuilder::new().max_rect(charts), |ui| plots(ui, data, from, trace, out));
}

/// The elements on the way, the start first.
fn elements(ui: &mut Ui, data: &Data, from: Slot, way: Way, trace: &Trace, out: &mut Vec<Command>) {
    let t = data.tokens;
    let (rect, _) = ui.allocate_exact_size(vec2(ui.available_width(), theme::ROW), Sense::hover());
    let words = format!("{} of {}", format::capital(way.word()), data.label(from));
    let mut room = rect;
    let count = format::count(trace.elements.len());
    room.max.x -= text_in(ui, room, &count, TextStyle::Small, t.weak, Align2::RIGHT_CENTER) + 6.0;
    text_in(ui, room, &words, TextStyle::Button, t.text, Align2::LEFT_CENTER);
    ui.spacing_mut().item_spacing.y = 0.0;
    ScrollArea::vertical().id_salt("traced").auto_shrink(false).show_rows(
        ui,
        theme::ROW - 2.0,
        trace.elements.len(),
        |ui, rows| {
            for reached in trace.elements.get(rows).unwrap_or_default() {
                element(ui, data, reached, out);
            }
        },
    );
}

fn element(ui: &mut Ui, data: &Data, reached: &Reached, out: &mut Vec<Command>) {
    let t = data.tokens;
    let (rect, response) = ui.allocate_exact_size(vec2(ui.available_width(), theme::ROW - 2.0), Sense::click());
    let chosen = data.view.selected == Some(reached.slot);
    if chosen || response.hovered() {
        let fill = if chosen { t.chosen } else { t.hover };
        ui.painter().rect_filled(rect, CornerRadius::same(theme::RADIUS), fill);
    }
    let mut room = rect.shrink2(vec2(6.0, 0.0));
    let far = format!("{:.1} m", reached.distance_m);
    room.max.x -= text_in(ui, room, &far, TextStyle::Small, t.weak, Align2::RIGHT_CENTER) + 6.0;
    let main = data.flows.traced.is_on_path(reached.slot);
    let colour = if main { t.text } else { t.weak };
    text_in(ui, room, &data.label(reached.slot), TextStyle::Body, colour, Align2::LEFT_CENTER);
    if response.hovered() {
        out.push(Command::Hover(Some(reached.slot)));
    }
    let says = if main { "On the way that most of the flow takes" } else { "On a branch" };
    let response = response.on_hover_text(says);
    if response.double_clicked() {
        out.push(Command::FlyTo(reached.slot));
    } else if response.clicked() {
        out.push(Command::Select(Some(reached.slot)));
    }
}

/// One of the two quantities of a profile.
struct Quantities {
    name: &'static str,
    unit: Unit,
    of: fn(&ProfilePoint) -> f64,
    series: usize,
}

fn plots(ui: &mut Ui, data: &Data, from: Slot, trace: &Trace, out: &mut Vec<Command>) {
    let domain = data.flows.networks.network_of(from).map_or(Domain::Water, |n| n.domain);
    if trace.profile.len() < 2 {
        let words = RichText::new("Nothing flows here: there is no way to follow").color(data.tokens.weak);
        ui.label(words);
        return;
    }
    let both = [
        Quantities {
            name: "Pressure",
            unit: flows::unit(data, Quantity::Pressure, domain),
            of: |p| p.pressure_pa,
            series: 0,
        },
        Quantities {
            name: "Temperature",
            unit: flows::unit(data, Quantity::Temperature, domain),
            of: |p| p.temperature_c,
            series: 1,
        },
    ];
    let room = ui.available_size();
    if room.x >= BESIDE {
        let width = (room.x - 8.0) * 0.5;
        let start = ui.available_rect_before_wrap().min;
        for (i, of) in both.iter().enumerate() {
            let corner = pos2(start.x + i as f32 * (width + 8.0), start.y);
            let rect = Rect::from_min_size(corner, vec2(width, room.y));
            ui.scope_builder(UiBuilder::new().max_rect(rect).id_salt(of.name), |ui| {
                framed(ui, data, trace, of, room.y - 4.0, out);
            });
        }
        return;
    }
    let each = (room.y * 0.5 - 4.0).max(LEAST_HEIGHT);
    ScrollArea::vertical().id_salt("profiles").auto_shrink(false).show(ui, |ui| {
        ui.spacing_mut().item_spacing.y = 4.0;
        for of in &both {
            framed(ui, data, trace, of, each - 4.0, out);
        }
    });
}

fn framed(ui: &mut Ui, data: &Data, trace: &Trace, of: &Quantities, height: f32, out: &mut Vec<Command>) {
    Frame::new()
        .fill(data.tokens.sunken)
        .corner_radius(CornerRadius::same(theme::RADIUS))
        .inner_margin(Margin { left: 4, right: 10, top: 2, bottom: 2 })
        .show(ui, |ui| plot(ui, data, trace, of, height, out));
}

fn plot(ui: &mut Ui, data: &Data, trace: &Trace, of: &Quantities, height: f32, out: &mut Vec<Command>) {
    let t = data.tokens;
    // The points that have a value, with their places in the profile.
    let known: Vec<(usize, [f64; 2])> = trace
        .profile
        .iter()
        .enumerate()
        .map(|(i, p)| (i, [p.distance_m, of.unit.from_si((of.of)(p))]))
        .filter(|(_, [x, y])| x.is_finite() && y.is_finite())
        .collect();
    let samples: Vec<[f64; 2]> = known.iter().map(|(_, at)| *at).collect();
    let slot_at = |index: usize| known.get(index).and_then(|(i, _)| trace.profile.get(*i)?.slot);
    let marks = (height / 28.0).clamp(2.0, 8.0);
    let group = Id::new("profile_distance");
    let y_axis = AxisHints::new_y()
        .formatter(move |mark, _| axis_number(mark))
        .min_thickness(46.0)
        .label_spacing(14.0..=22.0)
        .label(of.unit.symbol);
    let x_axis = AxisHints::new_x().formatter(|mark, _| format!("{} m", axis_number(mark)));
    let colour = t.series(of.series);
    let selected = data.view.selected.and_then(|s| known.iter().find(|(i, _)| slot_of(trace, *i) == Some(s)));
    let response = Plot::new(("profile", of.name))
        .height(height)
        .width(ui.available_width())
        .show_background(false)
        .allow_scroll(false)
        .link_axis(group, Vec2b::new(true, false))
        .link_cursor(group, Vec2b::new(true, false))
        .x_grid_spacer(|input| number_marks(input, 8.0))
        .y_grid_spacer(move |input| number_marks(input, marks))
        .grid_color(t.line)
        .custom_x_axes(vec![x_axis])
        .custom_y_axes(vec![y_axis])
        .label_formatter(|at| {
            let HoverPosition::NearDataPoint { position, index, .. } = at else { return None };
            let name = slot_at(*index).map_or_else(|| "Start".to_owned(), |s| data.label(s));
            let value = measure(of.unit, of.unit.to_si(position.y));
            Some(format!("{name}\n{} {value}\n{:.1} m", of.name, position.x))
        })
        .set_margin_fraction(vec2(0.02, 0.1))
        .show(ui, |plot| {
            plot.line(Line::new(of.name, PlotPoints::new(samples.clone())).color(colour).width(1.6).allow_hover(false));
            plot.points(Points::new(of.name, PlotPoints::new(samples)).color(colour).radius(2.6));
            if let Some((_, [x, _])) = selected {
                plot.vline(VLine::new("", *x).color(t.accent).width(1.0).allow_hover(false));
            }
        });
    let Some(pointer) = response.response.hover_pos() else { return };
    let near = known
        .iter()
        .map(|(i, [x, y])| (*i, response.transform.position_from_point(&PlotPoint::new(*x, *y)).distance(pointer)))
        .filter(|(_, distance)| *distance <= REACH)
        .min_by(|a, b| a.1.total_cmp(&b.1));
    let Some(slot) = near.and_then(|(i, _)| slot_of(trace, i)) else { return };
    out.push(Command::Hover(Some(slot)));
    if response.response.clicked() {
        out.push(Command::Select(Some(slot)));
    }
}

fn slot_of(trace: &Trace, index: usize) -> Option<Slot> {
    trace.profile.get(index)?.slot
}
