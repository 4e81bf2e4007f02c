//! What is written into the scene: a mark on each asset with an alarm, seen through walls, and in a storey's plan the
//! names of its rooms.

use super::alarms::open;
use super::data::{Data, Eye};
use super::format;
use super::live;
use super::widgets;
use crate::analytics::Health;
use crate::desktop::theme::{self, Tokens};
use crate::operations::alarm::AlarmSeverity;
use crate::operations::{Alarm, AlarmState};
use crate::site::{Element, ElementKind, Slot};
use crate::twin::command::Command;
use crate::twin::view::{ColourBy, Drawn};
use bevy_egui::egui;
use egui::{
    Area, CornerRadius, FontId, Id, LayerId, Order, Painter, Pos2, Rect, RichText, Sense, Stroke, StrokeKind, Ui, Vec2,
    pos2, vec2,
};
use glam::DVec3;

/// More marks than this help nobody to find one.
const MOST_MARKS: usize = 60;
/// Height of a mark with its label, points.
const HEIGHT: f32 = 20.0;
/// A label is cut after so many characters.
const LONGEST: usize = 22;

/// Draws marks and names over the scene, clear of what is `taken` already.
pub fn ui(ctx: &egui::Context, scene: Rect, data: &Data, mut taken: Vec<Rect>, out: &mut Vec<Command>) {
    let Some(eye) = data.eye.filter(|_| scene.width() > 60.0 && scene.height() > 60.0) else { return };
    alarms(ctx, scene, data, &eye, &mut taken, out);
    rooms(ctx, scene, data, &eye, &mut taken);
}

/// The worst standing alarm of each asset that is not hidden, the worst first.
fn marked<'a>(data: &Data<'a>) -> Vec<&'a Alarm> {
    let standing = |a: &&Alarm| matches!(a.state, AlarmState::Unacknowledged | AlarmState::Acknowledged);
    let mut all: Vec<&Alarm> =
        open(data.alarms).filter(standing).filter(|a| data.view.drawn(a.asset) != Drawn::Hidden).collect();
    all.sort_by_key(|a| (std::cmp::Reverse(a.severity), a.state == AlarmState::Acknowledged, a.id));
    let mut seen = std::collections::HashSet::new();
    all.retain(|a| seen.insert(a.asset));
    all.truncate(MOST_MARKS);
    all
}

fn alarms(ctx: &egui::Context, scene: Rect, data: &Data, eye: &Eye, taken: &mut Vec<Rect>, out: &mut Vec<Command>) {
    let t = data.tokens;
    for alarm in marked(data) {
        let Some(bounds) = data.element(alarm.asset).and_then(|e| e.bounds) else { continue };
        let Some(at) = eye.at(bounds.centre()).filter(|p| scene.shrink(8.0).contains(*p)) else { continue };
        let words = format::elide(&data.label(alarm.asset), LONGEST);
        let font = FontId::proportional(theme::SMALL + 1.0);
        let galley = ctx.fonts_mut(|f| f.layout_no_wrap(words, font, t.text));
        let wide = vec2(galley.size().x + HEIGHT + 6.0, HEIGHT);
        // The label stands above what it is about; where another one is, the sign alone has to do.
        let label = beside(at, wide, scene, taken);
        let rect = label.unwrap_or_else(|| Rect::from_center_size(at, Vec2::splat(HEIGHT)));
        taken.push(rect);
        let area = Area::new(Id::new(("alarm mark", alarm.asset)))
            .order(Order::Middle)
            .fixed_pos(rect.min)
            .constrain(false)
            .fade_in(false)
            .show(ctx, |ui| {
                let (rect, response) = ui.allocate_exact_size(rect.size(), Sense::click());
                mark(ui, rect, data, alarm, label.map(|_| galley), response.hovered());
                response
            });
        if label.is_some() {
            // A line from the label to the place.
            let painter =
                ctx.layer_painter(LayerId::new(Order::Background, Id::new("alarm lines"))).with_clip_rect(scene);
            painter.line_segment([pos2(at.x, rect.bottom()), at], Stroke::new(1.5, t.alarm(alarm.severity)));
            painter.circle(at, 3.0, t.alarm(alarm.severity), Stroke::new(1.0, t.bar));
        }
        let response = area.inner;
        if response.clicked() {
            out.push(Command::Select(Some(alarm.asset)));
            out.push(Command::FlyTo(alarm.asset));
        }
        if response.hovered() {
            out.push(Command::Hover(Some(alarm.asset)));
        }
        response.on_hover_ui(|ui| about(ui, data, alarm));
    }
}

/// A place for a label above a point, clear of what is there already.
fn beside(at: Pos2, size: Vec2, scene: Rect, taken: &[Rect]) -> Option<Rect> {
    let free = |r: &Rect| scene.contains_rect(*r) && !taken.iter().any(|t| t.expand(1.0).intersects(*r));
    [16.0, 40.0, 64.0]
        .into_iter()
        .flat_map(|up| [0.0, size.x * 0.4, -size.x * 0.4].map(|aside| (up, aside)))
        .map(|(up, aside)| Rect::from_center_size(at + vec2(aside, -up - size.y * 0.5), size))
        .find(free)
}

fn mark(ui: &Ui, rect: Rect, data: &Data, alarm: &Alarm, words: Option<std::sync::Arc<egui::Galley>>, hovered: bool) {
    let t = data.tokens;
    let colour = t.alarm(alarm.severity);
    let painter = ui.painter();
    let fill = if hovered { t.hover } else { t.raised };
    painter.rect(rect, CornerRadius::same(10), fill, Stroke::new(1.5, colour), StrokeKind::Inside);
    let health = match alarm.severity {
        AlarmSeverity::Low => Health::Stale,
        AlarmSeverity::Medium => Health::Warning,
        AlarmSeverity::High => Health::Critical,
    };
    widgets::health_mark(painter, pos2(rect.left() + HEIGHT * 0.5, rect.center().y), 5.0, t, health);
    if let Some(galley) = words {
        let at = pos2(rect.left() + HEIGHT - 1.0, rect.center().y - galley.size().y * 0.5);
        painter.galley(at, galley, t.text);
    }
}

fn about(ui: &mut Ui, data: &Data, alarm: &Alarm) {
    let t = data.tokens;
    ui.label(RichText::new(data.label(alarm.asset)).strong());
    ui.label(&alarm.name);
    if !alarm.remedy.is_empty() {
        ui.label(RichText::new(&alarm.remedy).color(t.weak));
    }
    ui.label(RichText::new("Click to go there").small().color(t.weak));
}

/// The names of the rooms of the storey that is shown alone, where there is room for them.
fn rooms(ctx: &egui::Context, scene: Rect, data: &Data, eye: &Eye, taken: &mut Vec<Rect>) {
    let (Some(site), Some(storey)) = (data.site(), data.view.storey) else { return };
    let painter = ctx.layer_painter(LayerId::new(Order::Background, Id::new("room names"))).with_clip_rect(scene);
    for (slot, room) in site.iter() {
        if room.kind != ElementKind::Space || room.storey != Some(storey) || data.view.drawn(slot) == Drawn::Hidden {
            continue;
        }
        let Some(bounds) = room.bounds else { continue };
        let on_floor = |x: f64, y: f64| {
            let (low, high) = (bounds.min, bounds.max);
            eye.at(DVec3::new(low.x + (high.x - low.x) * x, low.y + (high.y - low.y) * y, low.z + 0.05))
        };
        let (Some(at), Some(west), Some(east), Some(south), Some(north)) =
            (on_floor(0.5, 0.5), on_floor(0.0, 0.5), on_floor(1.0, 0.5), on_floor(0.5, 0.0), on_floor(0.5, 1.0))
        else {
            continue;
        };
        let texts = texts(data, slot, room);
        let place = |size: Vec2| {
            let rect = Rect::from_center_size(at, size);
            let wide = west.distance(east).max(size.x * 0.2);
            let high = south.distance(north);
            let fits = size.x <= wide * 1.1 && size.y <= high;
            (fits && scene.contains_rect(rect) && !taken.iter().any(|r| r.expand(2.0).intersects(rect))).then_some(rect)
        };
        if let Some(rect) = texts.iter().find_map(|lines| write(&painter, data.tokens, lines, place)) {
            taken.push(rect);
        }
    }
}

/// What is written on a room, as much of it as there is room for: its name, else its number, and what its colour says
/// in a number.
fn texts(data: &Data, slot: Slot, room: &Element) -> Vec<Vec<String>> {
    let mut value = Vec::new();
    if data.view.colour_by == ColourBy::Temperature
        && let Some(index) = data.colouring.and_then(|c| c.temperature_of(slot))
        && let Some(point) = data.point(index)
    {
        let (number, unit) = live::shown(point, &data.readings.live(index));
        if !unit.is_empty() {
            value.push(format!("{number} {unit}"));
        }
    }
    let with = |name: String| [vec![format::elide(&name, LONGEST)], value.clone()].concat();
    let mut texts = vec![with(Data::room_name(room)), with(room.label())];
    if !value.is_empty() {
        texts.push(value);
    }
    texts
}

/// Writes lines on a ground of their own, where `place` finds room for them.
fn write(painter: &Painter, t: &Tokens, lines: &[String], place: impl Fn(Vec2) -> Option<Rect>) -> Option<Rect> {
    let font = FontId::proportional(theme::SMALL);
    let galleys: Vec<_> = lines.iter().map(|l| painter.layout_no_wrap(l.clone(), font.clone(), t.text)).collect();
    let wide = galleys.iter().map(|g| g.size().x).fold(0.0, f32::max);
    let high: f32 = galleys.iter().map(|g| g.size().y).sum();
    let rect = place(vec2(wide + 10.0, high + 4.0))?;
    painter.rect_filled(rect, CornerRadius::same(theme::RADIUS), t.raised);
    let mut y = rect.top() + 2.0;
    for galley in galleys {
        let high = galley.size().y;
        painter.galley(pos2(rect.center().x - galley.size().x * 0.5, y), galley, t.text);
        y += high;
    }
    Some(rect)
}
