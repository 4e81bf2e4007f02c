//! The bar of time: which moment is shown, and the way to another one.
//!
//! It is there while another time than the present is shown, and whenever people ask for it. Its track ends at the
//! present; a click or a drag on it seeks that moment in the history, the buttons let time run.

use super::data::Data;
use super::format;
use super::icons::Icon;
use super::widgets::{icon_button_of, text_in};
use crate::time::Time;
use crate::twin::command::Command;
use crate::twin::replay::Showing;
use bevy_egui::egui;
use egui::{
    Align, Align2, ComboBox, CornerRadius, CursorIcon, Layout, Rect, RichText, Sense, Stroke, TextStyle, Ui, UiBuilder,
    pos2, vec2,
};

/// How much of the past the track shows: words and seconds.
const REACHES: [(&str, i64); 5] =
    [("1 h", 3600), ("6 h", 6 * 3600), ("1 d", 86_400), ("7 d", 7 * 86_400), ("30 d", 30 * 86_400)];
/// How fast it can be let run, seconds a second.
const SPEEDS: [f64; 6] = [1.0, 10.0, 60.0, 300.0, 900.0, 3600.0];
/// Distances of marks on the track, seconds.
const MARKS: [i64; 9] = [300, 900, 1800, 3600, 3 * 3600, 6 * 3600, 86_400, 2 * 86_400, 7 * 86_400];
/// No two marks are closer than this, points.
const LEAST_GAP: f32 = 64.0;

/// What the bar remembers.
#[derive(Clone, Copy, Debug)]
pub struct TimeBar {
    /// People have asked for it.
    pub open: bool,
    /// Number in [`REACHES`].
    reach: usize,
    /// Seconds a second.
    speed: f64,
}

impl Default for TimeBar {
    fn default() -> Self {
        Self { open: false, reach: 2, speed: 60.0 }
    }
}

impl TimeBar {
    /// Whether it is drawn.
    pub fn is_shown(&self, data: &Data) -> bool {
        data.scene.is_some() && (self.open || !data.playback.is_live())
    }

    /// Lets the time that is shown run, or stand still.
    pub fn toggle(&self, data: &Data, out: &mut Vec<Command>) {
        let runs = data.playback.speed().is_none_or(|s| s != 0.0);
        out.push(Command::Play(if runs { 0.0 } else { self.speed }));
    }
}

/// Draws the bar.
pub fn ui(ui: &mut Ui, data: &Data, bar: &mut TimeBar, out: &mut Vec<Command>) {
    let room = ui.available_rect_before_wrap();
    ui.spacing_mut().item_spacing.x = 4.0;
    let mut left = ui.new_child(UiBuilder::new().max_rect(room).layout(Layout::left_to_right(Align::Center)));
    buttons(&mut left, data, bar, out);
    let from = left.min_rect().right() + 10.0;
    let mut right = ui.new_child(UiBuilder::new().max_rect(room).layout(Layout::right_to_left(Align::Center)));
    ending(&mut right, data, bar, out);
    let to = right.min_rect().left() - 10.0;
    if to - from > 80.0 {
        let rect = Rect::from_min_max(pos2(from, room.top()), pos2(to, room.bottom()));
        track(ui, rect, data, bar, out);
    }
}

fn buttons(ui: &mut Ui, data: &Data, bar: &mut TimeBar, out: &mut Vec<Command>) {
    let t = data.tokens;
    let speed = data.playback.speed();
    let back = speed.is_some_and(|s| s < 0.0);
    if icon_button_of(ui, t, Icon::PlayBack, "Let time run backwards", back, 24.0).clicked() {
        out.push(Command::Play(if back { 0.0 } else { -bar.speed }));
    }
    let stands = speed == Some(0.0);
    let (icon, says) = if stands { (Icon::Play, "Let time run (Space)") } else { (Icon::Pause, "Stand still (Space)") };
    if icon_button_of(ui, t, icon, says, speed.is_some_and(|s| s > 0.0), 24.0).clicked() {
        bar.toggle(data, out);
    }
    let word = |s: f64| format!("{s} ×");
    let before = bar.speed;
    let list = ComboBox::from_id_salt("speed").width(64.0).selected_text(word(bar.speed)).show_ui(ui, |ui| {
        for s in SPEEDS {
            ui.selectable_value(&mut bar.speed, s, word(s));
        }
    });
    list.response.on_hover_text("How fast it runs, seconds a second");
    if let Some(now) = speed.filter(|s| *s != 0.0 && before != bar.speed) {
        out.push(Command::Play(bar.speed * now.signum()));
    }
}

fn ending(ui: &mut Ui, data: &Data, bar: &mut TimeBar, out: &mut Vec<Command>) {
    let t = data.tokens;
    if icon_button_of(ui, t, Icon::Close, "Back to the present, and close this bar", false, 22.0).clicked() {
        bar.open = false;
        if !data.playback.is_live() {
            out.push(Command::GoLive);
        }
    }
    let live = data.playback.is_live();
    let words = RichText::new("Live").color(if live { t.accent } else { t.text });
    if ui.add_enabled(!live, egui::Button::new(words)).on_hover_text("Back to the present (L)").clicked() {
        out.push(Command::GoLive);
    }
    ComboBox::from_id_salt("reach").width(52.0).selected_text(REACHES.get(bar.reach).map_or("", |r| r.0)).show_ui(
        ui,
        |ui| {
            for (i, (word, _)) in REACHES.iter().enumerate() {
                ui.selectable_value(&mut bar.reach, i, *word);
            }
        },
    );
    let (words, colour) = match (&data.playback.problem, data.playback.showing) {
        (Some(problem), _) => (problem.clone(), t.warning),
        (None, Showing::Returning) => ("coming back …".to_owned(), t.accent),
        (None, Showing::Live) => ("live".to_owned(), t.weak),
        (None, Showing::Past { .. }) => {
            let behind = present(data).seconds_since(data.clock.now);
            (format!("{} ago", format::duration(behind)), t.accent)
        }
    };
    let width = (ui.available_width() * 0.35).clamp(90.0, 260.0);
    let (rect, response) = ui.allocate_exact_size(vec2(width, ui.available_height()), Sense::hover());
    text_in(ui, rect, &words, TextStyle::Small, colour, Align2::RIGHT_CENTER);
    response.on_hover_text(words);
}

/// The end of the track.
fn present(data: &Data) -> Time {
    if data.playback.is_live() { data.clock.now } else { data.playback.present().max(data.clock.now) }
}

fn track(ui: &mut Ui, rect: Rect, data: &Data, bar: &TimeBar, out: &mut Vec<Command>) {
    let t = data.tokens;
    let reach_ms = REACHES.get(bar.reach).map_or(86_400, |r| r.1) * 1000;
    let shown = data.playback.seeking.unwrap_or(data.clock.now);
    // A moment further back than the track reaches is drawn a tenth into it.
    let (end, last) = (present(data), present(data).0 - reach_ms);
    let end = if shown.0 < last { Time(shown.0 + reach_ms * 9 / 10) } else { end };
    let begin = end.0 - reach_ms;
    let y = rect.top() + rect.height() * 0.36;
    let at = |time: Time| {
        let share = (time.0 - begin) as f64 / reach_ms as f64;
        rect.left() + rect.width() * share.clamp(0.0, 1.0) as f32
    };
    let response = ui.interact(rect, ui.id().with("track"), Sense::click_and_drag());
    let painter = ui.painter();
    painter.line_segment([pos2(rect.left(), y), pos2(rect.right(), y)], Stroke::new(2.0, t.line));
    painter.line_segment([pos2(rect.left(), y), pos2(at(shown), y)], Stroke::new(2.0, t.weak));
    let apart = MARKS.iter().find(|m| {
        let points = rect.width() as f64 * (**m * 1000) as f64 / reach_ms as f64;
        points >= f64::from(LEAST_GAP)
    });
    let apart_ms = apart.map_or(7 * 86_400_000, |m| m * 1000);
    let mut mark = begin.div_euclid(apart_ms) * apart_ms + apart_ms;
    while mark <= end.0 {
        let x = at(Time(mark));
        painter.line_segment([pos2(x, y), pos2(x, y + 4.0)], Stroke::new(1.0, t.weak));
        let day = apart_ms >= 86_400_000 || mark.rem_euclid(86_400_000) == 0;
        let date = format::date_hhmm(Time(mark));
        let words = if day { date.get(5..10).unwrap_or_default().to_owned() } else { format::hhmm(Time(mark)) };
        let place = Rect::from_center_size(pos2(x, rect.bottom() - 7.0), vec2(LEAST_GAP, 14.0));
        if rect.x_range().contains(place.left() + 14.0) && rect.x_range().contains(place.right() - 14.0) {
            text_in(ui, place, &words, TextStyle::Small, t.weak, Align2::CENTER_CENTER);
        }
        mark += apart_ms;
    }
    for alarm in data.alarms.iter().filter(|a| (begin..=end.0).contains(&a.raised_at.0)) {
        let x = at(alarm.raised_at);
        let tick = Rect::from_min_max(pos2(x - 1.0, y - 7.0), pos2(x + 1.0, y - 1.0));
        painter.rect_filled(tick, CornerRadius::ZERO, t.alarm(alarm.severity));
    }
    let (fill, ring) = if data.playback.is_live() { (t.weak, t.line) } else { (t.accent, t.text) };
    painter.circle(pos2(at(shown), y), 5.0, fill, Stroke::new(1.0, ring));

    let Some(pointer) = response.hover_pos() else { return };
    let share = f64::from((pointer.x - rect.left()) / rect.width()).clamp(0.0, 1.0);
    let time = Time(begin + (share * reach_ms as f64) as i64);
    if (response.clicked() || response.dragged()) && data.playback.seeking != Some(time) {
        out.push(Command::Seek(time));
    }
    let response = response.on_hover_cursor(CursorIcon::PointingHand);
    response.on_hover_text_at_pointer(format!("{} UTC", format::date_hhmm(time)));
}
