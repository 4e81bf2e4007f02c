//! The plot of chosen points over time: one plot a unit, all on one time axis, with their limits.

use super::data::Data;
use super::format;
use super::icons::Icon;
use super::widgets::{self, icon_button_of, text_in};
use crate::analytics::Health;
use crate::desktop::theme;
use crate::history::{Bucket, Span};
use crate::site::unit::Unit;
use crate::site::{Point, PointIndex};
use crate::time::Time;
use crate::twin::command::Command;
use crate::twin::past::TrendAsk;
use bevy_egui::egui;
use egui::{
    Align2, CornerRadius, Frame, Id, Margin, Rect, ScrollArea, Sense, TextStyle, Ui, UiBuilder, Vec2b, pos2, vec2,
};
use egui_plot::{AxisHints, GridInput, GridMark, HLine, HoverPosition, Line, LineStyle, Plot, PlotPoints};

/// At most this many points at once: as many as there are colours to tell apart.
pub const MOST: usize = 8;
/// No plot is lower than this, points; where there is no room for all, they scroll.
const LEAST_HEIGHT: f32 = 84.0;

/// Over which spans a trend is read from the history, seconds.
const SPANS: [(&str, f64); 6] = [
    ("1 h", 3600.0),
    ("8 h", 28_800.0),
    ("1 d", 86_400.0),
    ("7 d", 604_800.0),
    ("30 d", 2_592_000.0),
    ("1 y", 31_536_000.0),
];

/// Which points are plotted.
#[derive(Clone, Debug, Default)]
pub struct TrendState {
    /// In the order they were chosen.
    pub points: Vec<PointIndex>,
    /// Over which of the spans, up to the moment that is shown; none: what came of late.
    pub span: Option<usize>,
    /// What was asked of the history last.
    asked: TrendAsk,
}

impl TrendState {
    /// Adds a point; the first goes when there are too many.
    pub fn add(&mut self, point: PointIndex) {
        if self.points.contains(&point) {
            return;
        }
        if self.points.len() == MOST {
            self.points.remove(0);
        }
        self.points.push(point);
    }

    /// Asks the history for what is to be plotted, when that is another or has grown old by a hundredth.
    fn ask(&mut self, data: &Data, out: &mut Vec<Command>) {
        let span_s = self.span.and_then(|i| SPANS.get(i)).map(|s| s.1).filter(|_| data.past.is_there);
        let ask = match span_s {
            Some(span_s) if !self.points.is_empty() => {
                let to = data.clock.now.plus_seconds(1.0);
                TrendAsk { points: self.points.clone(), span: Some(Span { from: to.plus_seconds(-span_s), to }) }
            }
            _ => TrendAsk::default(),
        };
        let is_old = match (ask.span, self.asked.span) {
            (Some(new), Some(old)) => {
                let moved = new.to.seconds_since(old.to).abs();
                moved > (span_s.unwrap_or_default() * 0.01).max(5.0)
                    || (new.to.0 - new.from.0) != (old.to.0 - old.from.0)
            }
            (new, old) => new != old,
        };
        if is_old || ask.points != self.asked.points {
            self.asked = ask.clone();
            out.push(Command::ReadTrends(ask));
        }
    }

    /// Takes a point out.
    pub fn remove(&mut self, point: PointIndex) {
        self.points.retain(|p| *p != point);
    }
}

/// Draws the plot.
pub fn ui(ui: &mut Ui, data: &Data, state: &mut TrendState, out: &mut Vec<Command>) {
    state.points.retain(|p| data.point(*p).is_some());
    if state.points.is_empty() {
        let hint = "Select an element and click one of its live values; up to eight can be compared";
        widgets::empty_line(ui, data.tokens, Icon::Chart, "No point is plotted", hint);
        return;
    }
    let room = ui.available_rect_before_wrap();
    let split = room.left() + (room.width() * 0.25).clamp(150.0, 300.0);
    let list = Rect::from_min_max(room.min, pos2(split - 10.0, room.bottom()));
    let charts = Rect::from_min_max(pos2(split, room.top()), room.max);
    let mut taken = None;
    ui.scope_builder(UiBuilder::new().max_rect(list), |ui| {
        spans(ui, data, state);
        taken = series_list(ui, data, state);
    });
    ui.scope_builder(UiBuilder::new().max_rect(charts), |ui| plots(ui, data, state));
    match taken {
        Some(Some(point)) => state.remove(point),
        Some(None) => state.points.clear(),
        None => {}
    }
    state.ask(data, out);
}

/// The choice of the span, where there is a history.
fn spans(ui: &mut Ui, data: &Data, state: &mut TrendState) {
    if !data.past.is_there {
        return;
    }
    ui.horizontal_wrapped(|ui| {
        ui.spacing_mut().item_spacing = vec2(2.0, 2.0);
        ui.selectable_value(&mut state.span, None, "Now").on_hover_text("What came of late");
        for (i, (word, _)) in SPANS.iter().enumerate() {
            ui.selectable_value(&mut state.span, Some(i), *word).on_hover_text("From the history");
        }
    });
    let simulated = |p: &PointIndex| data.past.simulated(*p).is_some_and(|line| line.iter().any(|b| b.n > 0));
    if state.span.is_some() && state.points.iter().any(simulated) {
        widgets::weak(ui, data.tokens, "dashed: simulated");
    }
    if let Some(problem) = data.past.problem.as_ref().filter(|_| state.span.is_some()) {
        widgets::weak(ui, data.tokens, format!("The history could not be read: {problem}"));
    }
}

/// The plotted points with their colour and value; which one to take out (`Some(None)`: all).
fn series_list(ui: &mut Ui, data: &Data, state: &TrendState) -> Option<Option<PointIndex>> {
    let mut taken = None;
    ScrollArea::vertical().id_salt("series").auto_shrink(false).show(ui, |ui| {
        ui.spacing_mut().item_spacing.y = 2.0;
        for (i, index) in state.points.iter().enumerate() {
            let Some(point) = data.point(*index) else { continue };
            if series_row(ui, data, i, *index, point) {
                taken = Some(Some(*index));
            }
        }
        if state.points.len() > 1 && ui.small_button("Clear").clicked() {
            taken = Some(None);
        }
    });
    taken
}

/// One plotted point; true when it is to be taken out.
fn series_row(ui: &mut Ui, data: &Data, i: usize, index: PointIndex, point: &Point) -> bool {
    let t = data.tokens;
    let (rect, response) = ui.allocate_exact_size(vec2(ui.available_width(), theme::ROW - 2.0), Sense::hover());
    let swatch = Rect::from_center_size(pos2(rect.left() + 7.0, rect.center().y), vec2(10.0, 10.0));
    ui.painter().rect_filled(swatch, CornerRadius::same(2), t.series(i));
    let close = Rect::from_center_size(pos2(rect.right() - 12.0, rect.center().y), vec2(18.0, 18.0));
    let mut words = Rect::from_min_max(pos2(rect.left() + 18.0, rect.top()), pos2(close.left() - 4.0, rect.bottom()));
    let (number, unit) = super::live::shown(point, &data.readings.live(index));
    words.max.x -= text_in(ui, words, unit, TextStyle::Small, t.weak, Align2::RIGHT_CENTER) + 4.0;
    words.max.x -= text_in(ui, words, &number, TextStyle::Monospace, t.text, Align2::RIGHT_CENTER) + 6.0;
    text_in(ui, words, &label(data, point), TextStyle::Body, t.text, Align2::LEFT_CENTER);
    response.on_hover_text(label(data, point));
    let mut inner = ui.new_child(UiBuilder::new().max_rect(close).id_salt(index));
    icon_button_of(&mut inner, t, Icon::Close, "Take out of the plot", false, 18.0).clicked()
}

fn label(data: &Data, point: &Point) -> String {
    format!("{} {}", data.label(point.asset), point.name)
}

/// The chosen points by unit, in the order they were chosen.
fn by_unit(data: &Data, points: &[PointIndex]) -> Vec<(Unit, Vec<(usize, PointIndex)>)> {
    let mut out: Vec<(Unit, Vec<(usize, PointIndex)>)> = Vec::new();
    for (i, index) in points.iter().enumerate() {
        let Some(point) = data.point(*index) else { continue };
        match out.iter_mut().find(|(u, _)| u.code == point.unit.code) {
            Some((_, members)) => members.push((i, *index)),
            None => out.push((point.unit, vec![(i, *index)])),
        }
    }
    out
}

/// Stretches that follow each other; where something is missing there is no line.
fn parts(buckets: &[Bucket]) -> Vec<Vec<Bucket>> {
    let valued: Vec<Bucket> = buckets.iter().filter(|b| b.n > 0).copied().collect();
    let mut steps: Vec<i64> = valued.iter().zip(valued.iter().skip(1)).map(|(a, b)| b.start.0 - a.start.0).collect();
    steps.sort_unstable();
    // Points report as often as they do: what is far longer than usual is a gap.
    let longest = steps.get(steps.len() / 2).map_or(i64::MAX, |s| s.saturating_mul(3));
    let mut out: Vec<Vec<Bucket>> = Vec::new();
    for bucket in valued {
        match out.last_mut() {
            Some(part) if part.last().is_some_and(|b| bucket.start.0 - b.start.0 <= longest) => part.push(bucket),
            _ => out.push(vec![bucket]),
        }
    }
    out
}

fn plots(ui: &mut Ui, data: &Data, state: &TrendState) {
    let groups = by_unit(data, &state.points);
    let each = ((ui.available_height() + 4.0) / groups.len().max(1) as f32 - 4.0).max(LEAST_HEIGHT);
    ScrollArea::vertical().id_salt("plots").auto_shrink(false).show(ui, |ui| {
        ui.spacing_mut().item_spacing.y = 4.0;
        for (unit, members) in &groups {
            Frame::new()
                .fill(data.tokens.sunken)
                .corner_radius(CornerRadius::same(theme::RADIUS))
                .inner_margin(Margin { left: 4, right: 10, top: 2, bottom: 2 })
                .show(ui, |ui| plot(ui, data, state, *unit, members, each - 4.0));
        }
    });
}

fn plot(ui: &mut Ui, data: &Data, state: &TrendState, unit: Unit, members: &[(usize, PointIndex)], height: f32) {
    let group = Id::new("trend_time");
    let y_label = if unit.symbol.is_empty() { "–" } else { unit.symbol };
    let y_axis = AxisHints::new_y()
        .formatter(move |mark, _| axis_number(mark))
        .min_thickness(46.0)
        .label_spacing(14.0..=22.0)
        .label(y_label);
    let marks = (height / 28.0).clamp(2.0, 8.0);
    Plot::new(("trend", unit.code))
        .height(height)
        .width(ui.available_width())
        .show_background(false)
        .allow_scroll(false)
        .link_axis(group, Vec2b::new(true, false))
        .link_cursor(group, Vec2b::new(true, false))
        .x_grid_spacer(time_marks)
        .y_grid_spacer(move |input| number_marks(input, marks))
        .grid_color(data.tokens.line)
        .custom_x_axes(vec![AxisHints::new_x().formatter(|mark, range| axis_time(mark, range.end() - range.start()))])
        .custom_y_axes(vec![y_axis])
        .label_formatter(move |at| says(at, unit))
        .set_margin_fraction(vec2(0.01, 0.08))
        .show(ui, |plot| {
            for (i, index) in members {
                let Some(point) = data.point(*index) else { continue };
                if state.span.is_some() && data.past.is_there {
                    let buckets = data.past.trend(*index).unwrap_or_default();
                    let (name, colour) = (label(data, point), data.tokens.series(*i));
                    for part in parts(buckets) {
                        let line = |of: fn(&Bucket) -> f64| -> Vec<[f64; 2]> {
                            part.iter().map(|b| [b.start.as_seconds(), unit.from_si(of(b))]).collect()
                        };
                        // How far it went to either side within a stretch, where a stretch is of several samples.
                        if part.iter().any(|b| b.n > 1) {
                            for edge in [line(|b| b.min), line(|b| b.max)] {
                                let edge = Line::new(name.clone(), PlotPoints::new(edge)).allow_hover(false);
                                plot.line(edge.color(colour.gamma_multiply(0.35)).width(1.0));
                            }
                        }
                        plot.line(
                            Line::new(name.clone(), PlotPoints::new(line(Bucket::mean))).color(colour).width(1.6),
                        );
                    }
                    for part in parts(data.past.simulated(*index).unwrap_or_default()) {
                        let line = part.iter().map(|b| [b.start.as_seconds(), unit.from_si(b.mean())]);
                        let line = Line::new(format!("{name}, simulated"), line.collect::<PlotPoints>());
                        plot.line(line.color(colour).width(1.2).style(LineStyle::dashed_dense()));
                    }
                    continue;
                }
                let samples: Vec<[f64; 2]> = data
                    .readings
                    .trend(*index)
                    .into_iter()
                    .flatten()
                    .filter(|(_, v)| v.is_finite())
                    .map(|(t, v)| [t.as_seconds(), unit.from_si(*v)])
                    .collect();
                let name = label(data, point);
                plot.line(Line::new(name, PlotPoints::new(samples)).color(data.tokens.series(*i)).width(1.6));
            }
            for (value, health) in limits(data, members) {
                plot.hline(
                    HLine::new("", unit.from_si(value))
                        .color(data.tokens.health(health))
                        .style(LineStyle::dashed_dense())
                        .width(1.0)
                        .allow_hover(false),
                );
            }
        });
}

/// The limits of some points, each once, that are near enough to what was measured to be worth the room.
fn limits(data: &Data, members: &[(usize, PointIndex)]) -> Vec<(f64, Health)> {
    let mut out: Vec<(f64, Health)> = Vec::new();
    let (mut low, mut high) = (f64::INFINITY, f64::NEG_INFINITY);
    for (_, index) in members {
        for (_, v) in data.readings.trend(*index).into_iter().flatten().filter(|(_, v)| v.is_finite()) {
            low = low.min(*v);
            high = high.max(*v);
        }
    }
    let room = ((high - low) * 3.0).max(low.abs().max(high.abs()) * 0.6);
    for check in members.iter().filter_map(|(_, i)| data.point(*i)?.check.as_ref()) {
        for (limit, health) in [
            (check.critical_below, Health::Critical),
            (check.warning_below, Health::Warning),
            (check.warning_above, Health::Warning),
            (check.critical_above, Health::Critical),
        ] {
            let Some(limit) = limit else { continue };
            let near = low > high || (limit >= low - room && limit <= high + room);
            if near && !out.contains(&(limit, health)) {
                out.push((limit, health));
            }
        }
    }
    out
}

/// Marks on whole minutes, quarters, hours and days.
fn time_marks(input: GridInput) -> Vec<GridMark> {
    const STEPS: [f64; 15] = [
        1.0,
        5.0,
        15.0,
        30.0,
        60.0,
        300.0,
        900.0,
        1800.0,
        3600.0,
        10_800.0,
        21_600.0,
        43_200.0,
        86_400.0,
        604_800.0,
        2_592_000.0,
    ];
    let (start, end) = input.bounds;
    let least = input.base_step_size.max((end - start) / 200.0);
    let fine = STEPS.into_iter().find(|s| *s >= least).unwrap_or(STEPS[14]);
    let coarse = STEPS.into_iter().find(|s| *s >= fine * 4.0).unwrap_or(fine);
    let mut marks = Vec::new();
    if !(start.is_finite() && end.is_finite()) || end <= start {
        return marks;
    }
    let mut at = (start / fine).ceil() * fine;
    while at <= end && marks.len() < 400 {
        let whole = (at / coarse).round() * coarse;
        let step = if (whole - at).abs() < fine * 1e-6 { coarse } else { fine };
        marks.push(GridMark { value: at, step_size: step });
        at += fine;
    }
    marks
}

/// Marks on 1, 2 or 5 times a power of ten, about as many as asked for.
pub(super) fn number_marks(input: GridInput, about: f32) -> Vec<GridMark> {
    let (start, end) = input.bounds;
    if !(start.is_finite() && end.is_finite()) || end <= start {
        return Vec::new();
    }
    let least = (end - start) / f64::from(about);
    let power = 10f64.powf(least.log10().floor());
    let step = [1.0, 2.0, 5.0, 10.0].into_iter().map(|f| f * power).find(|s| *s >= least).unwrap_or(10.0 * power);
    let first = (start / step).ceil();
    (0..40)
        .map(|i| (first + f64::from(i)) * step)
        .take_while(|v| *v <= end)
        .map(|value| GridMark { value, step_size: step })
        .collect()
}

fn axis_time(mark: GridMark, span_s: f64) -> String {
    let time = Time((mark.value * 1000.0) as i64);
    match span_s {
        s if s <= 600.0 => format::hhmmss(time),
        s if s <= 172_800.0 => format::hhmm(time),
        _ => format::date_hhmm(time),
    }
}

/// A number on an axis, with as many decimals as its marks need.
pub(super) fn axis_number(mark: GridMark) -> String {
    let decimals = (-mark.step_size.abs().max(1e-9).log10().floor()).clamp(0.0, 6.0) as usize;
    format!("{:.decimals$}", mark.value)
}

fn says(at: &HoverPosition, unit: Unit) -> Option<String> {
    let HoverPosition::NearDataPoint { plot_name, position, .. } = at else { return None };
    let time = format::hhmmss(Time((position.x * 1000.0) as i64));
    Some(format!("{plot_name}\n{}\n{time} UTC", unit.format(unit.to_si(position.y))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ninth_pushes_the_first_out() {
        let mut state = TrendState::default();
        for i in 0..9 {
            state.add(PointIndex(i));
        }
        state.add(PointIndex(8));
        assert_eq!(state.points.len(), MOST);
        assert_eq!(state.points[0], PointIndex(1));
        state.remove(PointIndex(4));
        assert_eq!(state.points.len(), MOST - 1);
    }

    #[test]
    fn a_gap_is_no_line() {
        let bucket = |m: i64, n: u64| Bucket { n, ..Bucket::empty(Time(m * 60_000)) };
        let all: Vec<Bucket> = [0, 1, 2, 3, 10, 11, 12].into_iter().map(|m| bucket(m, 1)).collect();
        let lengths = |all: &[Bucket]| parts(all).iter().map(Vec::len).collect::<Vec<_>>();
        assert_eq!(lengths(&all), [4, 3]);
        assert_eq!(lengths(&[bucket(0, 1), bucket(1, 0), bucket(2, 1)]), [2]);
        assert!(parts(&[]).is_empty());
    }

    #[test]
    fn marks_are_on_round_times() {
        let start = 1_778_479_263.0;
        let marks = time_marks(GridInput { bounds: (start, start + 3600.0), base_step_size: 30.0 });
        assert!(!marks.is_empty() && marks.len() <= 400);
        assert!(marks.iter().all(|m| m.value % 30.0 == 0.0));
        assert!(marks.iter().any(|m| m.step_size > 30.0));
        assert!(time_marks(GridInput { bounds: (f64::NAN, 1.0), base_step_size: 1.0 }).is_empty());
        let marks = number_marks(GridInput { bounds: (18.0, 31.0), base_step_size: 0.1 }, 4.0);
        assert_eq!(marks.iter().map(|m| m.value).collect::<Vec<_>>(), [20.0, 25.0, 30.0]);
        assert!(number_marks(GridInput { bounds: (1.0, 1.0), base_step_size: 0.1 }, 4.0).is_empty());
        assert_eq!(axis_number(GridMark { value: 0.25, step_size: 0.05 }), "0.25");
        assert_eq!(axis_number(GridMark { value: 120.0, step_size: 20.0 }), "120");
        assert_eq!(axis_time(GridMark { value: 0.0, step_size: 60.0 }, 7200.0), "00:00");
    }
}
