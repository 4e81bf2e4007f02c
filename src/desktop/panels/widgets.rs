//! Small parts that every panel is made of. None of them ever grows past the room it is given.

use super::icons::{self, Icon};
use crate::analytics::Health;
use crate::desktop::theme::{self, Tokens};
use crate::time::Time;
use bevy_egui::egui;
use egui::{
    Align, Align2, Color32, CornerRadius, Frame, Label, Layout, Margin, Painter, Pos2, Rect, Response, RichText, Sense,
    Shape, Stroke, StrokeKind, TextStyle, TextWrapMode, Ui, Vec2, WidgetInfo, WidgetText, WidgetType, pos2, vec2,
};

/// Text that ends in `…` where there is no more room; the whole is shown when the pointer is over it.
pub fn text(ui: &mut Ui, text: impl Into<WidgetText>) -> Response {
    ui.add(Label::new(text).truncate())
}

/// Text that matters less.
pub fn weak(ui: &mut Ui, t: &Tokens, words: impl Into<String>) -> Response {
    text(ui, RichText::new(words).color(t.weak))
}

/// Text inside a rectangle, ending in `…` where it is too long. Returns the width it took.
pub fn text_in(ui: &Ui, rect: Rect, words: &str, style: TextStyle, colour: Color32, align: Align2) -> f32 {
    if rect.width() <= 4.0 {
        return 0.0;
    }
    let galley = WidgetText::from(words).into_galley(ui, Some(TextWrapMode::Truncate), rect.width(), style);
    let at = align.align_size_within_rect(galley.size(), rect).min;
    let width = galley.size().x;
    ui.painter()
        .with_clip_rect(rect.expand(1.0).intersect(ui.clip_rect()))
        .galley_with_override_text_color(at, galley, colour);
    width
}

/// The sign of a health: colour and shape, so that nobody needs to tell red from green.
pub fn health_mark(painter: &Painter, middle: Pos2, radius: f32, t: &Tokens, health: Health) {
    let colour = t.health(health);
    let (r, c) = (radius, middle);
    match health {
        Health::Good => painter.circle_filled(c, r * 0.85, colour),
        Health::Warning => painter.add(Shape::convex_polygon(
            vec![pos2(c.x, c.y - r), pos2(c.x + r, c.y + r * 0.8), pos2(c.x - r, c.y + r * 0.8)],
            colour,
            Stroke::NONE,
        )),
        Health::Critical => painter.add(Shape::convex_polygon(
            vec![
                pos2(c.x, c.y - r * 1.15),
                pos2(c.x + r * 1.15, c.y),
                pos2(c.x, c.y + r * 1.15),
                pos2(c.x - r * 1.15, c.y),
            ],
            colour,
            Stroke::NONE,
        )),
        Health::Stale => painter.circle_stroke(c, r * 0.75, Stroke::new(1.6, colour)),
        Health::Unknown => painter.circle_stroke(c, r * 0.5, Stroke::new(1.0, colour)),
    };
}

/// A health's sign as a widget of its own.
pub fn health_dot(ui: &mut Ui, t: &Tokens, health: Health) -> Response {
    let (rect, response) = ui.allocate_exact_size(Vec2::splat(12.0), Sense::hover());
    health_mark(ui.painter(), rect.center(), 4.5, t, health);
    response.on_hover_text(health_word(health))
}

/// A health in a word.
pub fn health_word(health: Health) -> &'static str {
    match health {
        Health::Unknown => "Unknown",
        Health::Good => "Good",
        Health::Stale => "Stale",
        Health::Warning => "Warning",
        Health::Critical => "Critical",
    }
}

/// A health as a framed word.
pub fn health_chip(ui: &mut Ui, t: &Tokens, health: Health) {
    Frame::new()
        .fill(Tokens::mix(t.panel, t.health(health), 0.18))
        .stroke(Stroke::new(1.0, Tokens::mix(t.panel, t.health(health), 0.6)))
        .corner_radius(CornerRadius::same(9))
        .inner_margin(Margin::symmetric(7, 1))
        .show(ui, |ui| {
            ui.spacing_mut().interact_size.y = 16.0;
            ui.horizontal(|ui| {
                ui.spacing_mut().item_spacing.x = 4.0;
                health_dot(ui, t, health);
                ui.label(RichText::new(health_word(health)).small());
            });
        });
}

/// An icon on its own.
pub fn icon(ui: &mut Ui, icon: Icon, size: f32, colour: Color32) -> Response {
    let (rect, response) = ui.allocate_exact_size(Vec2::splat(size), Sense::hover());
    icons::paint(ui.painter(), rect, icon, colour);
    response
}

/// A square button with an icon; `says` is its tooltip and what a screen reader says.
pub fn icon_button(ui: &mut Ui, t: &Tokens, icon: Icon, says: &str, chosen: bool) -> Response {
    icon_button_of(ui, t, icon, says, chosen, 26.0)
}

/// An icon button of a given size, points.
pub fn icon_button_of(ui: &mut Ui, t: &Tokens, icon: Icon, says: &str, chosen: bool, size: f32) -> Response {
    let (rect, response) = ui.allocate_exact_size(Vec2::splat(size), Sense::click());
    response.widget_info(|| WidgetInfo::labeled(WidgetType::Button, ui.is_enabled(), says));
    let fill = match (response.is_pointer_button_down_on(), response.hovered(), chosen) {
        (true, ..) => t.chosen,
        (_, true, _) => t.hover,
        (.., true) => t.chosen,
        _ => Color32::TRANSPARENT,
    };
    ui.painter().rect_filled(rect, CornerRadius::same(theme::RADIUS), fill);
    if response.has_focus() {
        ui.painter().rect_stroke(
            rect,
            CornerRadius::same(theme::RADIUS),
            Stroke::new(1.0, t.accent),
            StrokeKind::Inside,
        );
    }
    let colour = match (ui.is_enabled(), chosen) {
        (false, _) => Tokens::mix(t.panel, t.weak, 0.5),
        (true, true) => t.accent,
        (true, false) => t.text,
    };
    icons::paint(ui.painter(), rect.shrink(size * 0.21), icon, colour);
    response.on_hover_text(says)
}

/// One tab of a row of tabs: a word, a line under the chosen one, and a number where there is something to count.
pub fn tab(ui: &mut Ui, t: &Tokens, word: &str, number: Option<(usize, Color32)>, chosen: bool) -> Response {
    let font = TextStyle::Button.resolve(ui.style());
    let small = TextStyle::Small.resolve(ui.style());
    let colour = if chosen { t.text } else { t.weak };
    let galley = ui.painter().layout_no_wrap(word.to_owned(), font, colour);
    let badge = number.map(|(n, c)| {
        let words = if n > 99 { "99+".to_owned() } else { n.to_string() };
        (ui.painter().layout_no_wrap(words, small, t.bar), c)
    });
    let badge_width = badge.as_ref().map_or(0.0, |(g, _)| g.size().x.max(8.0) + 8.0 + 5.0);
    let size = vec2(galley.size().x + badge_width + 18.0, theme::ROW + 4.0);
    let (rect, response) = ui.allocate_exact_size(size, Sense::click());
    response.widget_info(|| WidgetInfo::selected(WidgetType::SelectableLabel, true, chosen, word));
    if response.hovered() && !chosen {
        ui.painter().rect_filled(rect.shrink2(vec2(2.0, 3.0)), CornerRadius::same(theme::RADIUS), t.hover);
    }
    let left = pos2(rect.left() + 9.0, rect.center().y - galley.size().y * 0.5);
    let after = left.x + galley.size().x + 5.0;
    ui.painter().galley(left, galley, colour);
    if let Some((galley, fill)) = badge {
        let pill = Rect::from_min_size(pos2(after, rect.center().y - 7.5), vec2(badge_width - 5.0, 15.0));
        ui.painter().rect_filled(pill, CornerRadius::same(8), fill);
        ui.painter().galley(pill.center() - galley.size() * 0.5, galley, t.bar);
    }
    if chosen {
        let line =
            Rect::from_min_max(pos2(rect.left() + 6.0, rect.bottom() - 2.0), pos2(rect.right() - 6.0, rect.bottom()));
        ui.painter().rect_filled(line, CornerRadius::same(1), t.accent);
    }
    response
}

/// A title that opens and closes what stands under it.
pub fn section(ui: &mut Ui, t: &Tokens, title: &str, number: Option<usize>, open: bool, body: impl FnOnce(&mut Ui)) {
    let id = ui.make_persistent_id(("section", title));
    let mut state = egui::collapsing_header::CollapsingState::load_with_default_open(ui.ctx(), id, open);
    let (rect, response) = ui.allocate_exact_size(vec2(ui.available_width(), theme::ROW + 2.0), Sense::click());
    response.widget_info(|| WidgetInfo::labeled(WidgetType::CollapsingHeader, true, title));
    if response.clicked() {
        state.toggle(ui);
    }
    let fill = if response.hovered() { t.hover } else { t.raised };
    ui.painter().rect_filled(rect, CornerRadius::same(theme::RADIUS), fill);
    let sign = if state.is_open() { Icon::ChevronDown } else { Icon::ChevronRight };
    icons::paint(
        ui.painter(),
        Rect::from_center_size(pos2(rect.left() + 11.0, rect.center().y), Vec2::splat(11.0)),
        sign,
        t.weak,
    );
    let mut inner = Rect::from_min_max(pos2(rect.left() + 22.0, rect.top()), pos2(rect.right() - 6.0, rect.bottom()));
    if let Some(n) = number {
        let w = text_in(ui, inner, &super::format::count(n), TextStyle::Small, t.weak, Align2::RIGHT_CENTER);
        inner.max.x -= w + 6.0;
    }
    text_in(ui, inner, title, TextStyle::Button, t.text, Align2::LEFT_CENTER);
    state.show_body_unindented(ui, |ui| {
        ui.add_space(1.0);
        body(ui);
        ui.add_space(3.0);
    });
}

/// A name and a value in one row; both end in `…` where there is no room. The response is the value's.
pub fn fact(ui: &mut Ui, t: &Tokens, name: &str, value: &str, link: bool) -> Response {
    let (rect, response) = ui.allocate_exact_size(
        vec2(ui.available_width(), theme::ROW - 2.0),
        if link { Sense::click() } else { Sense::hover() },
    );
    if ui.is_rect_visible(rect) {
        let split = rect.left() + (rect.width() * 0.42).clamp(60.0, 190.0);
        let left = Rect::from_min_max(rect.min + vec2(6.0, 0.0), pos2(split - 6.0, rect.bottom()));
        let right = Rect::from_min_max(pos2(split, rect.top()), rect.max - vec2(6.0, 0.0));
        if link && response.hovered() {
            ui.painter().rect_filled(rect, CornerRadius::same(theme::RADIUS), t.hover);
        }
        text_in(ui, left, name, TextStyle::Body, t.weak, Align2::LEFT_CENTER);
        text_in(ui, right, value, TextStyle::Body, if link { t.accent } else { t.text }, Align2::LEFT_CENTER);
    }
    response.widget_info(|| {
        WidgetInfo::labeled(if link { WidgetType::Link } else { WidgetType::Label }, true, format!("{name}: {value}"))
    });
    response.on_hover_ui(|ui| {
        ui.label(RichText::new(name).color(t.weak));
        ui.label(value);
    })
}

/// What stands where there is nothing to show: why, and what to do.
pub fn empty(ui: &mut Ui, t: &Tokens, sign: Icon, title: &str, hint: &str) {
    let room = ui.available_rect_before_wrap();
    let small = room.height() < 90.0;
    ui.add_space(if small { 6.0 } else { (room.height() * 0.5 - 46.0).clamp(8.0, 120.0) });
    ui.with_layout(Layout::top_down(Align::Center), |ui| {
        if !small {
            icon(ui, sign, 22.0, t.weak);
        }
        ui.label(title);
        ui.label(RichText::new(hint).small().color(t.weak));
    });
}

/// The same in one line, where the room is wanted for something else.
pub fn empty_line(ui: &mut Ui, t: &Tokens, sign: Icon, title: &str, hint: &str) {
    ui.horizontal(|ui| {
        ui.add_space(4.0);
        icon(ui, sign, 14.0, t.weak);
        ui.label(title);
        text(ui, RichText::new(hint).small().color(t.weak));
    });
}

/// A short trend without axes, in `rect`.
pub fn sparkline<'a>(
    painter: &Painter,
    rect: Rect,
    colour: Color32,
    samples: impl Iterator<Item = &'a (Time, f64)> + Clone,
) {
    let mut range: Option<(f64, f64)> = None;
    let mut span: Option<(i64, i64)> = None;
    for (time, value) in samples.clone().filter(|(_, v)| v.is_finite()) {
        range = Some(range.map_or((*value, *value), |(a, b)| (a.min(*value), b.max(*value))));
        span = Some(span.map_or((time.0, time.0), |(a, b)| (a.min(time.0), b.max(time.0))));
    }
    let (Some((low, high)), Some((start, end))) = (range, span) else { return };
    if end <= start {
        return;
    }
    // A steady value is a line in the middle, not noise blown up to the full height.
    let least = (low.abs().max(high.abs()) * 1e-3).max(1e-9);
    let (middle, extent) = ((low + high) * 0.5, (high - low).max(least));
    let at = |time: Time, value: f64| {
        let x = (time.0 - start) as f32 / (end - start) as f32;
        let y = ((value - middle) / extent) as f32 + 0.5;
        pos2(rect.left() + x * rect.width(), rect.bottom() - y * rect.height())
    };
    let points: Vec<Pos2> = samples.filter(|(_, v)| v.is_finite()).map(|(time, v)| at(*time, *v)).collect();
    if let Some(last) = points.last().copied() {
        painter.line(points, Stroke::new(1.2, colour));
        painter.circle_filled(last, 1.8, colour);
    }
}
