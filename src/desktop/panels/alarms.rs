//! The alarm list: a click selects the asset and flies to it, a button acknowledges.

use super::data::Data;
use super::format;
use super::icons::Icon;
use super::widgets::{self, text};
use crate::desktop::theme;
use crate::operations::alarm::AlarmSeverity;
use crate::operations::{Alarm, AlarmState};
use crate::twin::command::Command;
use bevy_egui::egui;
use egui::{Align, Layout, Rect, RichText, Sense, Ui, Vec2, pos2};
use egui_extras::{Column, TableBuilder, TableRow};
use std::cmp::Ordering;

/// What the list is sorted by.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SortBy {
    /// The worst first; of those the newest.
    #[default]
    Severity,
    /// The newest first.
    Time,
    /// By the asset's label.
    Asset,
}

/// How the list is shown.
#[derive(Clone, Copy, Debug, Default)]
pub struct AlarmTable {
    /// What it is sorted by.
    pub sort: SortBy,
    /// The other way round.
    pub reversed: bool,
    /// Alarms that are over are shown too.
    pub over: bool,
}

/// A severity in a word.
pub fn severity_word(severity: AlarmSeverity) -> &'static str {
    match severity {
        AlarmSeverity::Low => "Low",
        AlarmSeverity::Medium => "Medium",
        AlarmSeverity::High => "High",
    }
}

/// A state in words.
pub fn state_word(state: AlarmState) -> &'static str {
    match state {
        AlarmState::Unacknowledged => "Unacknowledged",
        AlarmState::Acknowledged => "Acknowledged",
        AlarmState::Returned => "Returned",
        AlarmState::Normal => "Past",
    }
}

/// Alarms that still ask for a person.
pub fn open(alarms: &[Alarm]) -> impl Iterator<Item = &Alarm> {
    alarms.iter().filter(|a| a.state != AlarmState::Normal)
}

/// The alarms to show, in order.
fn shown<'a>(data: &Data<'a>, table: AlarmTable) -> Vec<&'a Alarm> {
    let mut out: Vec<&Alarm> = data.alarms.iter().filter(|a| table.over || a.state != AlarmState::Normal).collect();
    let newest = |a: &&Alarm, b: &&Alarm| b.raised_at.cmp(&a.raised_at).then(b.id.cmp(&a.id));
    let labels = |a: &&Alarm, b: &&Alarm| format::natural(&data.label(a.asset), &data.label(b.asset));
    out.sort_by(|a, b| {
        let order: Ordering = match table.sort {
            SortBy::Severity => b.severity.cmp(&a.severity),
            SortBy::Time => Ordering::Equal,
            SortBy::Asset => labels(a, b),
        };
        order.then_with(|| newest(a, b))
    });
    if table.reversed {
        out.reverse();
    }
    out
}

/// There is nothing to list.
pub fn is_empty(data: &Data, table: AlarmTable) -> bool {
    !data.alarms.iter().any(|a| table.over || a.state != AlarmState::Normal)
}

/// Draws the alarm list.
pub fn ui(ui: &mut Ui, data: &Data, table: &mut AlarmTable, out: &mut Vec<Command>) {
    let alarms = shown(data, *table);
    if alarms.is_empty() {
        let over = data.alarms.len();
        let hint = match (data.wire.connected, over) {
            (_, n) if n > 0 => format!("{} alarms of this run are over", format::count(n)),
            (true, _) if data.intake.samples == 0 => "No sample has come yet; alarms come with samples".to_owned(),
            (true, _) => "Every point that is judged is inside its limits".to_owned(),
            (false, _) => "Nothing is connected yet; alarms come with samples".to_owned(),
        };
        // One line: the room is the scene's as long as there is nothing to do.
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            if over > 0 {
                ui.checkbox(&mut table.over, RichText::new("Show past").small())
                    .on_hover_text("Show alarms that are over too");
            }
            ui.with_layout(Layout::left_to_right(Align::Center), |ui| {
                widgets::empty_line(ui, data.tokens, Icon::Check, "No alarms", &hint);
            });
        });
        return;
    }
    let wide = ui.available_width() > 900.0;
    ui.push_id(wide, |ui| {
        ui.spacing_mut().item_spacing.x = 8.0;
        let mut builder = TableBuilder::new(ui)
            .id_salt("alarms")
            .sense(Sense::click())
            .cell_layout(Layout::left_to_right(Align::Center))
            .auto_shrink(false)
            .min_scrolled_height(40.0)
            .column(Column::exact(82.0))
            .column(Column::exact(if wide { 116.0 } else { 20.0 }))
            .column(Column::exact(if wide { 150.0 } else { 104.0 }).clip(true))
            .column(Column::remainder().at_least(90.0).clip(true))
            .column(Column::exact(if wide { 118.0 } else { 46.0 }));
        if wide {
            builder = builder.column(Column::exact(86.0));
        }
        builder = builder.column(Column::exact(100.0));
        builder.header(theme::ROW, |row| header(row, table, wide)).body(|body| {
            body.rows(theme::ROW + 4.0, alarms.len(), |mut row| {
                if let Some(alarm) = alarms.get(row.index()) {
                    alarm_row(&mut row, data, alarm, wide, out);
                }
            });
        });
    });
}

fn header(mut row: TableRow, table: &mut AlarmTable, wide: bool) {
    let mut sortable = |ui: &mut Ui, word: &str, by: SortBy| {
        let chosen = table.sort == by;
        let words = if chosen { RichText::new(word).small().strong() } else { RichText::new(word).small().weak() };
        let response = ui.add(egui::Label::new(words).sense(Sense::click()).truncate());
        if chosen {
            let (rect, _) = ui.allocate_exact_size(Vec2::splat(8.0), Sense::hover());
            let r = Rect::from_center_size(rect.center(), Vec2::splat(6.0));
            let (tip, base) = if table.reversed { (r.top(), r.bottom()) } else { (r.bottom(), r.top()) };
            let points = vec![pos2(r.left(), base), pos2(r.right(), base), pos2(r.center().x, tip)];
            ui.painter().add(egui::Shape::convex_polygon(points, ui.visuals().weak_text_color(), egui::Stroke::NONE));
        }
        if response.on_hover_text("Click to sort").clicked() {
            table.reversed = chosen && !table.reversed;
            table.sort = by;
        }
    };
    let plain = |ui: &mut Ui, word: &str| {
        ui.add(egui::Label::new(RichText::new(word).small().weak()).truncate());
    };
    row.col(|ui| sortable(ui, "Severity", SortBy::Severity));
    row.col(|ui| plain(ui, if wide { "State" } else { "" }));
    row.col(|ui| sortable(ui, "Asset", SortBy::Asset));
    row.col(|ui| plain(ui, "Alarm"));
    row.col(|ui| sortable(ui, if wide { "Raised (UTC)" } else { "Raised" }, SortBy::Time));
    if wide {
        row.col(|ui| plain(ui, "For"));
    }
    row.col(|ui| {
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            ui.checkbox(&mut table.over, RichText::new("Show past").small())
                .on_hover_text("Show alarms that are over too");
        });
    });
}

fn alarm_row(row: &mut TableRow, data: &Data, alarm: &Alarm, wide: bool, out: &mut Vec<Command>) {
    let t = data.tokens;
    row.set_selected(data.view.selected == Some(alarm.asset));
    row.col(|ui| {
        ui.add_space(4.0);
        let (rect, _) = ui.allocate_exact_size(Vec2::splat(10.0), Sense::hover());
        severity_mark(ui, rect, data, alarm);
        text(ui, severity_word(alarm.severity));
    });
    row.col(|ui| {
        let active = matches!(alarm.state, AlarmState::Unacknowledged | AlarmState::Acknowledged);
        let colour = if active { t.text } else { t.weak };
        if wide {
            text(ui, RichText::new(state_word(alarm.state)).color(colour));
        } else {
            let sign = match alarm.state {
                AlarmState::Unacknowledged => Icon::Bell,
                AlarmState::Acknowledged | AlarmState::Normal => Icon::Check,
                AlarmState::Returned => Icon::ChevronDown,
            };
            widgets::icon(ui, sign, 14.0, colour).on_hover_text(state_word(alarm.state));
        }
    });
    row.col(|ui| {
        text(ui, RichText::new(data.label(alarm.asset)).color(t.accent));
    });
    row.col(|ui| {
        text(ui, &alarm.name);
    });
    row.col(|ui| {
        let raised = if wide { format::date_hhmm(alarm.raised_at) } else { format::hhmm(alarm.raised_at) };
        text(ui, RichText::new(raised).monospace().small());
    });
    if wide {
        row.col(|ui| {
            let end = alarm.returned_at.unwrap_or(data.clock.now);
            text(ui, format::duration(end.seconds_since(alarm.raised_at)));
        });
    }
    let mut acknowledged = false;
    row.col(|ui| {
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            if matches!(alarm.state, AlarmState::Unacknowledged | AlarmState::Returned) {
                acknowledged = ui.small_button("Acknowledge").clicked();
            } else if let Some(time) = alarm.acknowledged_at {
                text(ui, RichText::new(format!("seen {}", format::hhmm(time))).small().color(t.weak));
            }
        });
    });
    if acknowledged {
        out.push(Command::Acknowledge(alarm.id));
    }
    let response = row.response();
    if response.clicked() && !acknowledged {
        out.push(Command::Select(Some(alarm.asset)));
        out.push(Command::FlyTo(alarm.asset));
    }
    if response.hovered() {
        out.push(Command::Hover(Some(alarm.asset)));
    }
    response.on_hover_ui_at_pointer(|ui| {
        ui.label(&alarm.name);
        if !alarm.remedy.is_empty() {
            ui.label(RichText::new(&alarm.remedy).color(t.weak));
        }
        ui.label(RichText::new("Click to go there").small().color(t.weak));
    });
}

fn severity_mark(ui: &Ui, rect: Rect, data: &Data, alarm: &Alarm) {
    use crate::analytics::Health;
    let health = match alarm.severity {
        AlarmSeverity::Low => Health::Stale,
        AlarmSeverity::Medium => Health::Warning,
        AlarmSeverity::High => Health::Critical,
    };
    widgets::health_mark(ui.painter(), rect.center(), 4.5, data.tokens, health);
}
