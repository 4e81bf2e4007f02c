//! What could not be read or bound, with what to do about it.

use super::data::Data;
use super::format;
use super::icons::Icon;
use super::widgets::{self, text};
use crate::desktop::theme;
use crate::problem::{Problem, Severity};
use bevy_egui::egui;
use egui::{Align, Layout, RichText, Sense, Ui};
use egui_extras::{Column, TableBuilder};

/// How many matter: warnings and errors.
pub fn that_matter(problems: &[Problem]) -> usize {
    problems.iter().filter(|p| p.severity > Severity::Info).count()
}

/// Draws the list, the worst first.
pub fn ui(ui: &mut Ui, data: &Data) {
    let t = data.tokens;
    if data.problems.is_empty() {
        widgets::empty_line(ui, t, Icon::Check, "No problems", "Everything that was asked for could be read and bound");
        return;
    }
    let mut order: Vec<&Problem> = data.problems.iter().collect();
    order.sort_by_key(|p| std::cmp::Reverse(p.severity));
    ui.spacing_mut().item_spacing.x = 8.0;
    TableBuilder::new(ui)
        .id_salt("problems")
        .sense(Sense::click())
        .cell_layout(Layout::left_to_right(Align::Center))
        .auto_shrink(false)
        .min_scrolled_height(40.0)
        .column(Column::exact(76.0))
        .column(Column::initial(150.0).range(80.0..=320.0).clip(true))
        .column(Column::remainder().at_least(120.0).clip(true))
        .column(Column::initial(230.0).range(90.0..=420.0).clip(true))
        .header(theme::ROW, |mut row| {
            for word in ["Severity", "Where", "Problem", "What to do"] {
                row.col(|ui| {
                    text(ui, RichText::new(word).small().weak());
                });
            }
        })
        .body(|body| {
            body.rows(theme::ROW, order.len(), |mut row| {
                let Some(problem) = order.get(row.index()) else { return };
                row.col(|ui| {
                    text(ui, RichText::new(format::severity(problem.severity)).color(t.problem(problem.severity)));
                });
                row.col(|ui| {
                    text(ui, RichText::new(&problem.place).monospace().small());
                });
                row.col(|ui| {
                    text(ui, &problem.message);
                });
                row.col(|ui| {
                    text(ui, RichText::new(&problem.remedy).color(t.weak));
                });
                let response = row.response().on_hover_text("Click to copy");
                if response.clicked() {
                    response.ctx.copy_text(problem.to_string());
                }
            });
        });
}
