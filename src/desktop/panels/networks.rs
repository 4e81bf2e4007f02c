//! The flow networks: whether they could be solved, how near they are to what is measured, what is odd about them.

use super::data::Data;
use super::flow;
use super::flows::{self, Flows, signed_percent};
use super::format;
use super::icons::Icon;
use super::widgets::{self, health_mark, text};
use crate::analytics::Health;
use crate::desktop::theme;
use crate::problem::Severity;
use crate::simulation::building::SystemNetwork;
use crate::twin::command::Command;
use bevy_egui::egui;
use egui::{Align, Layout, RichText, Sense, Ui, Vec2};
use egui_extras::{Column, TableBuilder, TableRow};

/// At most so many lines are shown over a number.
const TOLD: usize = 12;

/// How many networks could not be solved.
pub fn not_solved(data: &Data) -> usize {
    (0..data.flows.count()).filter(|i| data.readings.network(*i).is_some_and(|n| !n.solve.converged)).count()
}

/// Draws the list.
pub fn ui(ui: &mut Ui, data: &Data, out: &mut Vec<Command>) {
    let networks = data.flows.networks.building.as_ref().map_or(&[][..], |b| &b.networks);
    if networks.is_empty() {
        let hint = match &data.flows.networks.building {
            None if data.scene.is_some() => "They are being made from the model's pipes and ducts",
            _ => "Pipes and ducts that are joined become networks; see the connections of an element",
        };
        widgets::empty_line(ui, data.tokens, Icon::Pipe, "No flow networks", hint);
        return;
    }
    ui.spacing_mut().item_spacing.x = 8.0;
    TableBuilder::new(ui)
        .id_salt("networks")
        .sense(Sense::click())
        .cell_layout(Layout::left_to_right(Align::Center))
        .auto_shrink(false)
        .min_scrolled_height(40.0)
        .column(Column::initial(200.0).range(90.0..=360.0).clip(true))
        .column(Column::initial(116.0).range(60.0..=220.0).clip(true))
        .column(Column::initial(104.0).range(60.0..=180.0).clip(true))
        .column(Column::exact(64.0).clip(true))
        .column(Column::exact(64.0).clip(true))
        .column(Column::remainder().at_least(110.0).clip(true))
        .column(Column::exact(58.0).clip(true))
        .column(Column::exact(62.0).clip(true))
        .header(theme::ROW, |mut row| {
            let words = ["Network", "Medium", "Solved", "≤ 10 %", "≤ 20 %", "Worst residual", "Assumed", "Problems"];
            for word in words {
                row.col(|ui| {
                    text(ui, RichText::new(word).small().weak());
                });
            }
        })
        .body(|body| {
            body.rows(theme::ROW, networks.len(), |mut row| {
                let index = row.index();
                if let Some(network) = networks.get(index) {
                    network_row(&mut row, data, index, network, out);
                }
            });
        });
}

fn network_row(row: &mut TableRow, data: &Data, index: usize, network: &SystemNetwork, out: &mut Vec<Command>) {
    let t = data.tokens;
    let now = data.readings.network(index);
    let of_selected = data.view.selected.and_then(|s| data.flows.networks.place(s));
    row.set_selected(of_selected.is_some_and(|p| p.network == index));
    row.col(|ui| {
        ui.add_space(4.0);
        text(ui, RichText::new(&network.name).color(t.accent));
    });
    row.col(|ui| {
        text(ui, RichText::new(format::capital(&network.medium)).color(t.weak));
    });
    row.col(|ui| match now {
        None => _ = text(ui, RichText::new("not yet").color(t.weak)),
        Some(now) if now.solve.converged => {
            let says = format!(
                "{} iterations; mass within {:.1e} m³/s, head within {:.1e} m, heat within {:.1} W",
                now.solve.iterations,
                now.solve.mass_residual_m3s,
                now.solve.head_residual_m,
                now.solve.energy_closing_w
            );
            text(ui, "converged").on_hover_text(says);
        }
        Some(_) => _ = text(ui, RichText::new("not converged").color(t.critical)),
    });
    let score = now.map(|n| n.score).filter(|s| s.readings > 0);
    for share in [score.map(|s| s.within_10), score.map(|s| s.within_20)] {
        row.col(|ui| {
            let words = share.map_or_else(|| format::NONE.to_owned(), |s| format!("{:.0} %", s * 100.0));
            let response = text(ui, RichText::new(words).monospace());
            if let Some(now) = now {
                response.on_hover_text(flow::accuracy(&now));
            }
        });
    }
    let mut taken = false;
    row.col(|ui| taken = worst(ui, data, network, out));
    row.col(|ui| {
        counted(
            ui,
            network.assumptions.len(),
            t.weak,
            network.assumptions.iter().map(|a| {
                let of = data.site().and_then(|s| s.by_id.get(&a.element)).map(|s| data.label(*s));
                let (name, unit) = flow::field(&a.field);
                format!("{}{name} {} {unit}: {}", of.map(|o| o + ", ").unwrap_or_default(), flow::plain(a.value), a.why)
            }),
        );
    });
    row.col(|ui| {
        let matters = network.problems.iter().any(|p| p.severity > Severity::Info);
        let colour = if matters { t.warning } else { t.weak };
        counted(
            ui,
            network.problems.len(),
            colour,
            network.problems.iter().map(|p| format!("{}: {}", p.place, p.message)),
        );
    });
    let response = row.response();
    if response.clicked() && !taken {
        out.push(Command::GhostOthers(Flows::members(network)));
    }
}

/// The worst residual of a network, which leads to its element. True when it was clicked.
fn worst(ui: &mut Ui, data: &Data, network: &SystemNetwork, out: &mut Vec<Command>) -> bool {
    let t = data.tokens;
    let Some((point, residual)) = flows::worst(data, network) else {
        text(ui, RichText::new(format::NONE).color(t.weak));
        return false;
    };
    let Some(of) = data.point(point) else { return false };
    let band = flows::band(residual.relative);
    let (rect, _) = ui.allocate_exact_size(Vec2::splat(10.0), Sense::hover());
    health_mark(ui.painter(), rect.center(), 4.0, t, band);
    text(
        ui,
        RichText::new(signed_percent(residual.relative)).color(if band == Health::Good {
            t.text
        } else {
            t.health(band)
        }),
    );
    let words = RichText::new(format!("{} {}", data.label(of.asset), of.name)).color(t.accent);
    let response = ui.add(egui::Label::new(words).truncate().sense(Sense::click()));
    if response.hovered() {
        out.push(Command::Hover(Some(of.asset)));
    }
    let clicked = response.clicked();
    if clicked {
        out.extend([Command::Select(Some(of.asset)), Command::FlyTo(of.asset)]);
    }
    let says = format!(
        "measured {}, solved {}",
        flows::number(of.unit, residual.measured),
        flows::measure(of.unit, residual.simulated)
    );
    response.on_hover_text(says);
    clicked
}

/// A number, and what it counts where the pointer is over it.
fn counted(ui: &mut Ui, n: usize, colour: egui::Color32, lines: impl Iterator<Item = String>) {
    let response = text(ui, RichText::new(format::count(n)).monospace().color(colour));
    if n > 0 {
        response.on_hover_ui(|ui| {
            ui.set_max_width(420.0);
            for line in lines.take(TOLD) {
                ui.label(RichText::new(format::elide(&line, 160)).small());
            }
            if n > TOLD {
                ui.label(RichText::new(format!("and {} more", format::count(n - TOLD))).small());
            }
        });
    }
}
