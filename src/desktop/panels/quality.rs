//! How good the data of the site were: coverage, gaps, lateness and drift of every point, and when devices were away.

use super::data::Data;
use super::flows::signed_percent;
use super::format;
use super::icons::Icon;
use super::widgets::{self, text, weak};
use crate::analytics::data_quality::drift::Drift;
use crate::analytics::data_quality::site::{Device, Flaw, Row, SiteQuality};
use crate::desktop::theme;
use crate::history::Span;
use crate::site::PointIndex;
use crate::time::Time;
use crate::twin::command::Command;
use bevy_egui::egui;
use egui::{Align, Layout, RichText, ScrollArea, Sense, Ui, vec2};
use egui_extras::{Column, TableBuilder, TableRow};
use std::collections::HashMap;
use std::sync::Arc;

/// Over which span, seconds.
const SPANS: [(&str, f64); 4] = [("1 h", 3600.0), ("1 d", 86_400.0), ("7 d", 604_800.0), ("30 d", 2_592_000.0)];
/// Covered by less than this share: worth a colour.
const POOR: f64 = 0.9;

/// Points and devices have room beside one another from this width on, points.
const BOTH: f32 = 1020.0;

/// What the panel remembers.
#[derive(Clone, Debug)]
pub struct QualityTable {
    /// Over which of the spans.
    pub span: usize,
    /// Points without a flaw are shown too.
    pub all: bool,
    /// Where there is no room for both: devices in the place of points.
    pub devices: bool,
    /// Which rows are points of the site that is open: of this report, by address.
    points: (usize, HashMap<String, PointIndex>),
}

impl Default for QualityTable {
    fn default() -> Self {
        Self { span: 1, all: false, devices: false, points: (0, HashMap::new()) }
    }
}

/// How many points have a flaw.
pub fn flawed(data: &Data) -> usize {
    data.past.quality.as_ref().map_or(0, |q| q.points.iter().filter(|p| !p.flaws.is_empty()).count())
}

/// Draws the page; a point that is clicked is returned, to be plotted.
pub fn ui(ui: &mut Ui, data: &Data, state: &mut QualityTable, out: &mut Vec<Command>) -> Option<PointIndex> {
    if !data.past.is_there {
        let hint = "It is measured by the history: [history] in twin.toml, and a broker that brings something";
        widgets::empty_line(ui, data.tokens, Icon::Chart, "Nothing is known of the data", hint);
        return None;
    }
    let is_narrow = ui.available_width() < BOTH;
    // What is opened for the first time looks by itself.
    let mut look = data.past.quality_asked.is_none();
    ui.horizontal(|ui| {
        ui.spacing_mut().item_spacing.x = 4.0;
        for (i, (word, _)) in SPANS.iter().enumerate() {
            if ui.selectable_label(state.span == i, *word).clicked() && state.span != i {
                (state.span, look) = (i, true);
            }
        }
        ui.add_space(6.0);
        look |= ui.button("Look again").clicked();
        ui.add_space(6.0);
        if is_narrow {
            ui.selectable_value(&mut state.devices, false, "Points");
            ui.selectable_value(&mut state.devices, true, "Devices");
        }
        ui.checkbox(&mut state.all, "All").on_hover_text("Points without a flaw too");
        ui.add_space(6.0);
        weak(ui, data.tokens, says(data));
    });
    if look {
        let seconds = SPANS.get(state.span).map_or(86_400.0, |s| s.1);
        let to = data.clock.now;
        out.push(Command::CheckData(Span { from: to.plus_seconds(-seconds), to }));
    }
    let report = Arc::clone(data.past.quality.as_ref()?);
    let address = Arc::as_ptr(&report) as usize;
    if state.points.0 != address {
        let points = data.site().map_or(&[][..], |s| &s.points);
        let index = (0u32..).map(PointIndex).zip(points).map(|(i, p)| (p.id.clone(), i)).collect();
        state.points = (address, index);
    }
    let room = ui.available_size();
    let devices = (room.x * 0.26).clamp(170.0, 300.0);
    if is_narrow && state.devices {
        away(ui, data, &report);
        return None;
    }
    if is_narrow {
        return points(ui, data, state, &report, out);
    }
    let mut plotted = None;
    ui.horizontal_top(|ui| {
        ui.spacing_mut().item_spacing.x = 10.0;
        let table = vec2((room.x - devices - 14.0).max(120.0), room.y);
        ui.allocate_ui_with_layout(table, Layout::top_down(Align::Min), |ui| {
            ui.set_width(table.x);
            plotted = points(ui, data, state, &report, out);
        });
        ui.allocate_ui_with_layout(vec2(devices, room.y), Layout::top_down(Align::Min), |ui| {
            ui.set_width(devices);
            away(ui, data, &report);
        });
    });
    plotted
}

/// What is known altogether, or how far the looking is.
fn says(data: &Data) -> String {
    if let Some(done) = data.past.looked_at() {
        let of = data.site().map_or(0, |s| s.points.iter().filter(|p| p.is_measured()).count());
        return format!("looking, {} of {} points", format::count(done), format::count(of));
    }
    if let Some(problem) = &data.past.problem {
        return format!("the history could not be read: {problem}");
    }
    let Some(report) = &data.past.quality else { return String::new() };
    let covered = report.coverage().map_or_else(|| format::NONE.to_owned(), |c| format!("{:.1} %", c * 100.0));
    let span = format!("{} to {}", format::date_hhmm(report.span.from), format::date_hhmm(report.span.to));
    format!("{covered} covered, {} of {} points with flaws, {span} UTC", flawed(data), report.points.len())
}

fn points(
    ui: &mut Ui,
    data: &Data,
    state: &QualityTable,
    report: &SiteQuality,
    out: &mut Vec<Command>,
) -> Option<PointIndex> {
    let rows: Vec<&Row> = report.points.iter().filter(|r| state.all || !r.flaws.is_empty()).collect();
    if rows.is_empty() {
        widgets::empty_line(ui, data.tokens, Icon::Check, "No point has a flaw", "");
        return None;
    }
    let mut plotted = None;
    ui.spacing_mut().item_spacing.x = 8.0;
    TableBuilder::new(ui)
        .id_salt("quality")
        .sense(Sense::click())
        .cell_layout(Layout::left_to_right(Align::Center))
        .auto_shrink(false)
        .min_scrolled_height(40.0)
        .column(Column::initial(190.0).range(90.0..=360.0).clip(true))
        .column(Column::exact(58.0).clip(true))
        .column(Column::exact(40.0).clip(true))
        .column(Column::exact(62.0).clip(true))
        .column(Column::exact(62.0).clip(true))
        .column(Column::exact(104.0).clip(true))
        .column(Column::exact(104.0).clip(true))
        .column(Column::remainder().at_least(80.0).clip(true))
        .header(theme::ROW, |mut row| {
            for (word, why) in HEADER {
                row.col(|ui| {
                    let response = text(ui, RichText::new(word).small().weak());
                    if !why.is_empty() {
                        response.on_hover_text(why);
                    }
                });
            }
        })
        .body(|body| {
            body.rows(theme::ROW, rows.len(), |mut row| {
                let Some(of) = rows.get(row.index()) else { return };
                let index = state.points.1.get(&of.id).copied();
                point_row(&mut row, data, of, index);
                if let Some(index) = index.filter(|_| row.response().clicked()) {
                    plotted = Some(index);
                    out.extend(data.point(index).map(|p| Command::Select(Some(p.asset))));
                }
            });
        });
    plotted
}

const HEADER: [(&str, &str); 8] = [
    ("Point", ""),
    ("Covered", "Share of the time with a usable value that was not stale"),
    ("Gaps", "Stretches without one"),
    ("Longest", "The longest of them"),
    ("Late", "How long samples usually take from the device to here"),
    ("Neighbours", "How far it moves a day, against the middle of the points of the same role"),
    ("Twin", "How far it moves a day, against what the flow networks say; without days of that, how far it is off now"),
    ("Flaws", ""),
];

fn point_row(row: &mut TableRow, data: &Data, of: &Row, index: Option<PointIndex>) {
    let t = data.tokens;
    let q = &of.quality;
    let mono = |words: String| RichText::new(words).monospace();
    row.col(|ui| {
        ui.add_space(4.0);
        text(ui, RichText::new(&of.id).color(t.accent));
    });
    row.col(|ui| {
        let words = mono(format!("{:.1} %", q.coverage * 100.0));
        text(ui, if q.coverage < POOR { words.color(t.warning) } else { words }).on_hover_text(counts(of));
    });
    row.col(|ui| {
        let response = text(ui, mono(format::count(q.gaps.len())));
        if !q.gaps.is_empty() {
            response.on_hover_ui(|ui| stretches(ui, q.gaps.iter().map(|g| (g.from, g.to))));
        }
    });
    let some = |seconds: f64| if seconds > 0.0 { format::duration(seconds) } else { format::NONE.to_owned() };
    row.col(|ui| _ = text(ui, mono(some(q.longest_gap_s()))));
    row.col(|ui| {
        let words = q.lateness.map_or_else(|| format::NONE.to_owned(), |l| short(l.median_s));
        let response = text(ui, mono(words));
        if let Some(l) = q.lateness {
            let says = format!(
                "half within {}, 95 of 100 within {}, the last {}",
                short(l.median_s),
                short(l.p95_s),
                short(l.max_s)
            );
            response.on_hover_text(says);
        }
    });
    row.col(|ui| {
        let words = of.drift.map_or_else(|| format::NONE.to_owned(), |d| drift(data, index, &d));
        let drifts = of.drift.is_some_and(|d| d.drifts);
        text(ui, if drifts { mono(words).color(t.warning) } else { mono(words) });
    });
    row.col(|ui| {
        let now = index.and_then(|i| data.readings.residual(i)).map(|r| signed_percent(r.relative));
        let now = now.map_or_else(|| format::NONE.to_owned(), |percent| format!("{percent} now"));
        match of.twin {
            None => _ = text(ui, mono(now)),
            Some(d) => {
                let words = mono(drift(data, index, &d));
                let words = if d.drifts { words.color(t.warning) } else { words };
                text(ui, words).on_hover_text(format!("{} off in the middle, {now}", interval(data, index, d.offset)));
            }
        }
    });
    row.col(|ui| {
        let words: Vec<&str> = of.flaws.iter().map(|f| f.words()).collect();
        let colour = match of.flaws.first() {
            None => t.weak,
            Some(Flaw::Silent) => t.critical,
            Some(_) => t.warning,
        };
        text(ui, RichText::new(words.join(", ")).color(colour));
    });
}

/// Seconds, with tenths where they are few.
fn short(seconds: f64) -> String {
    if seconds.abs() < 60.0 { format!("{seconds:.1} s") } else { format::duration(seconds) }
}

fn counts(of: &Row) -> String {
    let q = &of.quality;
    let n = |n: u64| format::count(n as usize);
    format!(
        "{} samples: {} good, {} uncertain, {} bad; {} of them came long after",
        n(q.samples),
        n(q.good),
        n(q.uncertain),
        n(q.bad),
        n(q.backfilled)
    )
}

/// A drift in the point's unit.
fn drift(data: &Data, index: Option<PointIndex>, drift: &Drift) -> String {
    format!("{}/d", interval(data, index, drift.per_day))
}

/// A difference of the point's values in its unit.
fn interval(data: &Data, index: Option<PointIndex>, si: f64) -> String {
    let unit = index.and_then(|i| data.point(i)).map(|p| p.unit);
    let value = unit.map_or(si, |u| si / u.interval_to_si(1.0));
    format!("{value:+.2} {}", unit.map_or("", |u| u.symbol))
}

/// Some stretches of time, the last first.
fn stretches(ui: &mut Ui, all: impl DoubleEndedIterator<Item = (Time, Time)> + ExactSizeIterator) {
    const TOLD: usize = 12;
    let n = all.len();
    for (from, to) in all.rev().take(TOLD) {
        let words = format!(
            "{} to {}, {}",
            format::date_hhmm(from),
            format::date_hhmm(to),
            format::duration(to.seconds_since(from))
        );
        ui.label(RichText::new(words).small());
    }
    if n > TOLD {
        ui.label(RichText::new(format!("and {} more", format::count(n - TOLD))).small());
    }
}

/// Devices that were away, the longest first.
fn away(ui: &mut Ui, data: &Data, report: &SiteQuality) {
    let away: Vec<&Device> = report.devices.iter().filter(|d| !d.offline.is_empty()).collect();
    let title =
        format!("Devices that were away ({} of {})", format::count(away.len()), format::count(report.devices.len()));
    text(ui, RichText::new(title).strong());
    ScrollArea::vertical().id_salt("devices").auto_shrink(false).show(ui, |ui| {
        ui.spacing_mut().item_spacing.y = 2.0;
        if away.is_empty() {
            weak(ui, data.tokens, "None: of each at least one point spoke all the time");
        }
        for device in away {
            let since = device.offline.last().filter(|g| g.to >= report.span.to).map(|g| format::date_hhmm(g.from));
            let words = match since {
                Some(since) => format!("away since {since}"),
                None => format!("{} x", device.offline.len()),
            };
            let words = format!("{:.1} % there, {words}", device.online * 100.0);
            widgets::fact(ui, data.tokens, &device.id, &words, false)
                .on_hover_ui(|ui| stretches(ui, device.offline.iter().map(|g| (g.from, g.to))));
        }
    });
}
