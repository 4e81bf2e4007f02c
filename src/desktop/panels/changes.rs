//! What the last reload changed: a list, what to do about it, and an end to it.

use super::data::Data;
use super::format;
use super::widgets::text;
use crate::desktop::theme;
use crate::site::revision::report::{Kind, Report, Row};
use crate::twin::command::Command;
use crate::twin::state_words::{Palette, change_value};
use crate::twin::view::ColourBy;
use bevy_egui::egui;
use egui::{Align, Color32, CornerRadius, Layout, RichText, Sense, Ui, Vec2};
use egui_extras::{Column, TableBuilder, TableRow};

/// How the list is shown.
#[derive(Clone, Copy, Debug, Default)]
pub struct ChangeTable {
    /// Only these.
    pub only: Option<Kind>,
}

/// Draws the list.
pub fn ui(ui: &mut Ui, data: &Data, table: &mut ChangeTable, out: &mut Vec<Command>) {
    let Some(report) = data.changes.report() else { return };
    // A kind that the next reload has none of would leave the list empty.
    table.only = table.only.filter(|kind| report.count(*kind) > 0);
    ui.horizontal(|ui| {
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            buttons(ui, data, report, out);
            ui.with_layout(Layout::left_to_right(Align::Center), |ui| kinds(ui, report, table));
        });
    });
    if report.rows.is_empty() {
        return;
    }
    let rows: Vec<&Row> = report.rows.iter().filter(|r| table.only.is_none_or(|kind| r.kind == kind)).collect();
    ui.spacing_mut().item_spacing.x = 8.0;
    TableBuilder::new(ui)
        .id_salt("changes")
        .sense(Sense::click())
        .cell_layout(Layout::left_to_right(Align::Center))
        .auto_shrink(false)
        .min_scrolled_height(40.0)
        .column(Column::exact(104.0))
        .column(Column::initial(170.0).range(80.0..=340.0).clip(true))
        .column(Column::initial(150.0).range(70.0..=260.0).clip(true))
        .column(Column::remainder().at_least(120.0).clip(true))
        .header(theme::ROW, |mut row| {
            for word in ["Change", "Element or point", "Class", "What"] {
                row.col(|ui| {
                    text(ui, RichText::new(word).small().weak());
                });
            }
        })
        .body(|body| {
            body.rows(theme::ROW, rows.len(), |mut row| {
                if let Some(change) = rows.get(row.index()) {
                    change_row(&mut row, data, change, out);
                }
            });
        });
}

/// What is done with all of it: written, coloured, dismissed.
fn buttons(ui: &mut Ui, data: &Data, report: &Report, out: &mut Vec<Command>) {
    if !report.rows.is_empty() && ui.button("Dismiss").on_hover_text("Colour as before, and close this list").clicked()
    {
        out.push(Command::DismissChanges);
    }
    if data.view.colour_by != ColourBy::Change
        && report.is_seen()
        && ui.button("Colour").on_hover_text("Colour what was added, moved and changed").clicked()
    {
        out.push(Command::ColourBy(ColourBy::Change));
    }
    if report.unwritten > 0 {
        let says = format!(
            "{} elements are called otherwise now. Their bindings go on; written into the project's file, they do so \
             after the next opening too. The file is kept as it was beside it",
            format::count(report.unwritten)
        );
        let word = RichText::new("Write to twin.toml").color(data.tokens.warning);
        if ui.button(word).on_hover_text(says).clicked() {
            out.push(Command::SaveBindings);
        }
    }
}

/// The kinds there are, with their numbers, to choose one.
fn kinds(ui: &mut Ui, report: &Report, table: &mut ChangeTable) {
    ui.spacing_mut().item_spacing.x = 2.0;
    let all = RichText::new(format!("All {}", format::count(report.rows.len()))).small();
    if ui.selectable_label(table.only.is_none(), all).clicked() {
        table.only = None;
    }
    for kind in Kind::ALL {
        let count = report.count(kind);
        if count == 0 {
            continue;
        }
        let words = format!("{} {}", format::capital(kind.word()), format::count(count));
        if ui.selectable_label(table.only == Some(kind), RichText::new(words).small()).clicked() {
            table.only = Some(kind);
        }
    }
}

fn colour(data: &Data, kind: Kind) -> Color32 {
    match change_value(kind) {
        Some(value) => data.tokens.palette(Palette::Change, value),
        None if kind == Kind::Lost => data.tokens.warning,
        None => data.tokens.weak,
    }
}

fn change_row(row: &mut TableRow, data: &Data, change: &Row, out: &mut Vec<Command>) {
    let t = data.tokens;
    row.set_selected(change.slot.is_some() && data.view.selected == change.slot);
    row.col(|ui| {
        ui.add_space(4.0);
        let (rect, _) = ui.allocate_exact_size(Vec2::splat(10.0), Sense::hover());
        ui.painter().rect_filled(rect, CornerRadius::same(2), colour(data, change.kind));
        text(ui, format::capital(change.kind.word()));
    });
    row.col(|ui| {
        let name = RichText::new(&change.name);
        text(ui, if change.slot.is_some() { name.color(t.accent) } else { name });
    });
    row.col(|ui| {
        text(ui, RichText::new(&change.class).color(t.weak));
    });
    row.col(|ui| {
        text(ui, &change.what);
    });
    let response = row.response().on_hover_text(&change.what);
    if let Some(slot) = change.slot {
        if response.hovered() {
            out.push(Command::Hover(Some(slot)));
        }
        if response.clicked() {
            out.extend([Command::Select(Some(slot)), Command::FlyTo(slot)]);
        }
    }
}
