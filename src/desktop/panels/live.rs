//! The live values of one element: health, name, value, age, quality and a sparkline a point.

use super::data::Data;
use super::format;
use super::icons::{self, Icon};
use super::state::PanelState;
use super::widgets::{health_mark, sparkline, text_in};
use crate::desktop::theme::{self, Tokens};
use crate::site::point::{Check, PointSource};
use crate::site::{Point, PointIndex};
use crate::twin::telemetry::LiveValue;
use bevy_egui::egui;
use egui::{
    Align2, Color32, CornerRadius, FontId, Rect, RichText, Sense, TextStyle, Ui, Vec2, WidgetInfo, WidgetType, pos2,
    vec2,
};

/// Height of a point's row, points.
const ROW: f32 = 38.0;
/// The most room for a value with its unit, points.
const VALUE: f32 = 110.0;

/// Draws the points of an element; a click shows one in the plot.
pub fn ui(ui: &mut Ui, data: &Data, state: &mut PanelState, points: &[PointIndex]) {
    ui.spacing_mut().item_spacing.y = 2.0;
    for index in points {
        row(ui, data, state, *index);
    }
}

fn row(ui: &mut Ui, data: &Data, state: &mut PanelState, index: PointIndex) {
    let Some(point) = data.point(index) else { return };
    let t = data.tokens;
    let live = data.readings.live(index);
    let (rect, response) = ui.allocate_exact_size(vec2(ui.available_width(), ROW), Sense::click());
    let (number, unit) = shown(point, &live);
    response.widget_info(|| WidgetInfo::labeled(WidgetType::Button, true, format!("{}: {number} {unit}", point.name)));
    if ui.is_rect_visible(rect) {
        let plotted = state.trend.points.contains(&index);
        let fill = match (response.hovered(), plotted) {
            (true, _) => t.hover,
            (false, true) => Tokens::mix(t.raised, t.chosen, 0.6),
            _ => t.raised,
        };
        ui.painter().rect_filled(rect, CornerRadius::same(theme::RADIUS), fill);
        let health = data.readings.point_health(index);
        health_mark(ui.painter(), pos2(rect.left() + 11.0, rect.center().y), 4.5, t, health);
        let width = value_width(ui, &number, unit);
        let value = Rect::from_min_max(pos2(rect.right() - 8.0 - width, rect.top()), rect.max - vec2(8.0, 0.0));
        paint_value(ui, data, value, &number, unit, live.quality.is_good());
        let mut words = Rect::from_min_max(
            pos2(rect.left() + 22.0, rect.top() + 2.0),
            pos2(value.left() - 4.0, rect.bottom() - 2.0),
        );
        // Beside the name where there is room, else under it, beside the age.
        let (line, beside) = match words.width() {
            w if w > 220.0 => (Some(60.0), true),
            w if w > 120.0 => (Some(48.0), false),
            _ => (None, false),
        };
        let line = line.map(|width| {
            let top = if beside { rect.top() + 9.0 } else { rect.top() + 22.0 };
            let bottom = if beside { rect.bottom() - 9.0 } else { rect.bottom() - 6.0 };
            Rect::from_min_max(pos2(words.right() - width - 4.0, top), pos2(words.right() - 4.0, bottom))
        });
        if let (Some(line), Some(trend)) = (line, data.readings.trend(index)) {
            sparkline(ui.painter(), line, t.accent, trend.iter());
        }
        if let (Some(line), true) = (line, beside) {
            words.max.x = line.left() - 6.0;
        }
        let upper = Rect::from_min_max(words.min, pos2(words.right(), words.top() + 18.0));
        let mut lower = Rect::from_min_max(pos2(words.left(), words.top() + 17.0), words.max);
        if let Some(line) = line {
            lower.max.x = lower.max.x.min(line.left() - 4.0);
        }
        text_in(ui, upper, &point.name, TextStyle::Body, t.text, Align2::LEFT_CENTER);
        text_in(ui, lower, &note(data, &live), TextStyle::Small, t.weak, Align2::LEFT_CENTER);
        if plotted {
            let sign = Rect::from_center_size(pos2(rect.right() - 6.0, rect.top() + 7.0), Vec2::splat(9.0));
            icons::paint(ui.painter(), sign, Icon::Chart, t.accent);
        }
    }
    if response.clicked() {
        state.plot(index);
    }
    response.on_hover_ui(|ui| about(ui, data, point));
}

/// Number and unit as they stand on the screen; a dash before the first sample.
pub fn shown(point: &Point, live: &LiveValue) -> (String, &'static str) {
    if live.device_time.is_none() || !live.value.is_finite() {
        return (format::NONE.to_owned(), "");
    }
    format::value(point, live.value)
}

/// How much room a value wants with its unit, points.
fn value_width(ui: &Ui, number: &str, unit: &str) -> f32 {
    let wide =
        |words: &str, font: FontId| ui.painter().layout_no_wrap(words.to_owned(), font, Color32::PLACEHOLDER).size().x;
    let number = wide(number, FontId::monospace(theme::TEXT));
    let unit = if unit.is_empty() { 0.0 } else { wide(unit, TextStyle::Small.resolve(ui.style())) + 4.0 };
    (number + unit + 2.0).clamp(44.0, VALUE)
}

fn paint_value(ui: &Ui, data: &Data, rect: Rect, number: &str, unit: &str, good: bool) {
    let t = data.tokens;
    let mut room = rect;
    if !unit.is_empty() {
        room.max.x -= text_in(ui, room, unit, TextStyle::Small, t.weak, Align2::RIGHT_CENTER) + 4.0;
    }
    let font = FontId::monospace(theme::TEXT);
    let colour = if good { t.text } else { t.weak };
    let galley = ui.painter().layout_no_wrap(number.to_owned(), font, colour);
    let at = pos2(room.right() - galley.size().x, room.center().y - galley.size().y * 0.5);
    ui.painter().with_clip_rect(rect.intersect(ui.clip_rect())).galley(at, galley, colour);
}

/// How old it is, and what is wrong with it.
fn note(data: &Data, live: &LiveValue) -> String {
    let Some(time) = live.device_time else { return "no value yet".to_owned() };
    let age = format::duration(data.clock.now.seconds_since(time));
    match format::quality(live.quality) {
        Some(word) => format!("{age} ago, {word}"),
        None => format!("{age} ago"),
    }
}

/// Limits in words, in the point's own unit.
pub fn limits(point: &Point, check: &Check) -> Vec<String> {
    let line = |word: &str, limit: Option<f64>| limit.map(|v| format!("{word} {}", point.unit.format(v)));
    [
        line("critical above", check.critical_above),
        line("warning above", check.warning_above),
        line("warning below", check.warning_below),
        line("critical below", check.critical_below),
    ]
    .into_iter()
    .flatten()
    .collect()
}

fn about(ui: &mut Ui, data: &Data, point: &Point) {
    let weak = |words: String| RichText::new(words).color(data.tokens.weak).small();
    ui.label(&point.name);
    ui.label(weak(point.id.clone()));
    match &point.source {
        PointSource::Topic { topic, key } if key.is_empty() => ui.label(weak(topic.clone())),
        PointSource::Topic { topic, key } => ui.label(weak(format!("{topic} [{key}]"))),
        PointSource::Rule { expression } => ui.label(weak(expression.clone())),
    };
    for line in point.check.iter().flat_map(|c| limits(point, c)) {
        ui.label(weak(line));
    }
    if !point.remedy.is_empty() {
        ui.label(&point.remedy);
    }
    ui.label(weak("Click to plot".to_owned()));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::desktop::panels::fixture;
    use crate::quality::Quality;
    use crate::time::Time;

    #[test]
    fn values_before_the_first_sample_are_a_dash() {
        let site = fixture::site();
        let point = &site.points[0];
        assert_eq!(shown(point, &LiveValue::default()), ("—".to_owned(), ""));
        let live = LiveValue { value: 21.44, quality: Quality::Good, device_time: Some(Time(1)), arrival: None };
        assert_eq!(shown(point, &live), ("21.4".to_owned(), "°C"));
        assert_eq!(shown(point, &LiveValue { value: f64::NAN, ..live }).0, "—");
    }

    #[test]
    fn limits_are_in_the_points_own_unit() {
        let site = fixture::site();
        let point = site.points.iter().find(|p| p.check.is_some()).unwrap();
        let lines = limits(point, point.check.as_ref().unwrap());
        assert!(lines.iter().any(|l| l == "warning above 29.0 °C"), "{lines:?}");
    }
}
