//! The panel at the bottom: tabs for alarms, trend, flow networks, what is traced, problems, telemetry, its topics and
//! its quality.

use super::data::Data;
use super::icons::Icon;
use super::state::{BottomTab, PanelState};
use super::widgets::{icon_button_of, tab};
use super::{alarms, changes, networks, problems, profile, quality, telemetry, topics, trend};
use crate::operations::AlarmState;
use crate::site::revision::report::Kind;
use crate::twin::command::Command;
use bevy_egui::egui;
use egui::{Color32, Ui};

/// Draws the row of tabs and, when open, the chosen one.
pub fn ui(ui: &mut Ui, data: &Data, state: &mut PanelState, out: &mut Vec<Command>) {
    ui.horizontal(|ui| {
        ui.spacing_mut().item_spacing.x = 0.0;
        for which in BottomTab::ALL.into_iter().filter(|w| is_there(data, *w)) {
            let chosen = state.bottom_open && state.bottom == which;
            if tab(ui, data.tokens, which.word(), number(data, state, which), chosen).clicked() {
                state.bottom_open = !(chosen && state.bottom_open);
                state.bottom = which;
            }
        }
        ui.with_layout(egui::Layout::right_to_left(egui::Align::Center), |ui| {
            let says = if state.bottom_open { "Close this panel" } else { "Open this panel" };
            if icon_button_of(ui, data.tokens, Icon::PanelBottom, says, state.bottom_open, 22.0).clicked() {
                state.bottom_open = !state.bottom_open;
            }
        });
    });
    if !state.bottom_open {
        return;
    }
    ui.add_space(2.0);
    match state.bottom {
        BottomTab::Alarms => alarms::ui(ui, data, &mut state.alarms, out),
        BottomTab::Trend => trend::ui(ui, data, &mut state.trend, out),
        BottomTab::Problems => problems::ui(ui, data),
        BottomTab::Telemetry => telemetry::ui(ui, data),
        BottomTab::Topics => topics::ui(ui, data, &mut state.topics, out),
        BottomTab::Quality => {
            if let Some(point) = quality::ui(ui, data, &mut state.quality, out) {
                state.trend.add(point);
            }
        }
        BottomTab::Changes => changes::ui(ui, data, &mut state.changes, out),
        BottomTab::Networks => networks::ui(ui, data, out),
        BottomTab::Profile => profile::ui(ui, data, out),
    }
}

/// What a reload changed has a tab until it is dismissed, what is traced until it is cleared, networks where there are
/// any.
fn is_there(data: &Data, which: BottomTab) -> bool {
    match which {
        BottomTab::Changes => data.changes.report().is_some(),
        BottomTab::Networks => data.flows.count() > 0,
        BottomTab::Profile => data.flows.traced.trace.is_some(),
        _ => true,
    }
}

/// The chosen tab has one line to show.
pub fn is_quiet(data: &Data, state: &PanelState) -> bool {
    match state.bottom {
        BottomTab::Alarms => alarms::is_empty(data, state.alarms),
        BottomTab::Trend => state.trend.points.is_empty(),
        BottomTab::Problems => data.problems.is_empty(),
        BottomTab::Topics => data.wire.broker.is_empty(),
        BottomTab::Quality => !data.past.is_there,
        BottomTab::Telemetry | BottomTab::Changes | BottomTab::Networks | BottomTab::Profile => false,
    }
}

/// What a tab counts, and how loudly.
fn number(data: &Data, state: &PanelState, which: BottomTab) -> Option<(usize, Color32)> {
    let t = data.tokens;
    let (n, colour) = match which {
        BottomTab::Alarms => {
            let worst = alarms::open(data.alarms)
                .filter(|a| matches!(a.state, AlarmState::Unacknowledged | AlarmState::Acknowledged))
                .map(|a| a.severity)
                .max();
            (alarms::open(data.alarms).count(), worst.map_or(t.weak, |s| t.alarm(s)))
        }
        BottomTab::Trend => (state.trend.points.len(), t.weak),
        BottomTab::Problems => (problems::that_matter(data.problems), t.warning),
        BottomTab::Telemetry => (data.wire.rejected as usize, t.warning),
        BottomTab::Topics => (data.topics.rows.len(), t.weak),
        BottomTab::Quality => (quality::flawed(data), t.warning),
        BottomTab::Networks => match networks::not_solved(data) {
            0 => (data.flows.count(), t.weak),
            n => (n, t.critical),
        },
        BottomTab::Profile => (data.flows.traced.trace.as_ref().map_or(0, |trace| trace.elements.len()), t.weak),
        BottomTab::Changes => data.changes.report().map_or((0, t.weak), |report| {
            let lost = report.count(Kind::Lost);
            if lost > 0 { (lost, t.warning) } else { (report.rows.len(), t.weak) }
        }),
    };
    (n > 0).then_some((n, colour))
}
