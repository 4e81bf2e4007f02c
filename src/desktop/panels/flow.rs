//! What flows through the selected element: solved beside the live data, compared with what is measured, traced.

use super::data::Data;
use super::flows::{self, Flows, Neighbours, NetworkNow, Solved, measure, signed_percent};
use super::format;
use super::properties::go;
use super::state::PanelState;
use super::widgets::{fact, health_mark, section, text, text_in};
use crate::desktop::theme;
use crate::simulation::building::trace::Way;
use crate::simulation::building::{Assumption, SystemNetwork};
use crate::site::unit::{Quantity, Unit};
use crate::site::{Element, PointIndex, Slot};
use crate::twin::command::Command;
use crate::twin::flow::Residual;
use bevy_egui::egui;
use egui::{Align2, Button, CornerRadius, Rect, RichText, Sense, TextStyle, Ui, WidgetInfo, WidgetType, pos2, vec2};

/// At most this many neighbours are listed on each side.
const LISTED: usize = 12;
/// Height of a compared point's row, points.
const ROW: f32 = 36.0;

/// Draws the section; nothing for what is in no network.
pub fn ui(ui: &mut Ui, data: &Data, state: &mut PanelState, slot: Slot, element: &Element, out: &mut Vec<Command>) {
    let Some(place) = data.flows.networks.place(slot) else { return };
    let Some(network) = data.flows.networks.network(place.network) else { return };
    section(ui, data.tokens, "Flow", None, true, |ui| {
        ui.spacing_mut().item_spacing.y = 0.0;
        let solved = data.readings.solved(slot);
        let now = data.readings.network(place.network);
        values(ui, data, network, &solved);
        if let (Some(now), Some(link)) = (now, place.link) {
            ends(ui, data, network, &now, link);
        }
        if let Some(now) = now {
            let neighbours = Neighbours::of(network, now.state, slot);
            both_sides(ui, data, &neighbours, out);
        }
        of_network(ui, data, network, now, out);
        tracing(ui, data, slot, out);
        let mut points = data.points_of(slot);
        if let Some(residual) = solved.residual.filter(|r| !points.contains(&r.point)) {
            // Measured by a meter that stands on it.
            points.push(residual.point);
        }
        for point in points {
            if let Some(residual) = data.readings.residual(point) {
                compared(ui, data, state, point, &residual);
            }
        }
        for assumption in Flows::assumptions(network, &element.id) {
            assumed(ui, data, assumption);
        }
    });
}

fn values(ui: &mut Ui, data: &Data, network: &SystemNetwork, solved: &Solved) {
    let mut line = |name: &str, quantity: Quantity, value: Option<f64>| {
        // A pump has no cross-section, what is cut off no flow.
        if let Some(value) = value.filter(|v| v.is_finite()) {
            let unit = flows::unit(data, quantity, network.domain);
            fact(ui, data.tokens, name, &measure(unit, value), false);
        }
    };
    line("Flow", Quantity::VolumeFlow, solved.flow.map(f64::abs));
    line("Velocity", Quantity::Velocity, solved.velocity.map(f64::abs));
    line("Temperature", Quantity::Temperature, solved.temperature);
    if solved.flow.is_none() {
        // A tee or a tank: it has one pressure, and no ends.
        line("Pressure", Quantity::Pressure, solved.pressure);
    }
}

/// Pressure where the flow comes in and where it goes out, and what was lost or won between.
fn ends(ui: &mut Ui, data: &Data, network: &SystemNetwork, now: &NetworkNow, link: usize) {
    let Some(of) = network.network.links.get(link) else { return };
    let back = now.state.flow_m3s.get(link).is_some_and(|f| *f < 0.0);
    let (first, last) = if back { (of.to, of.from) } else { (of.from, of.to) };
    let at = |node: usize| now.state.pressure_pa.get(node).copied().filter(|p| p.is_finite());
    let (Some(first), Some(last)) = (at(first), at(last)) else { return };
    let unit = flows::unit(data, Quantity::Pressure, network.domain);
    let words = format!("{} to {}", flows::number(unit, first), measure(unit, last));
    fact(ui, data.tokens, "Pressure", &words, false);
    let word = if last > first { "Pressure gain" } else { "Pressure drop" };
    let by = unit.interval_to_si(1.0);
    let fine = if (last - first).abs() < 0.1 * by { Unit::parse("Pa").unwrap_or(unit) } else { unit };
    fact(ui, data.tokens, word, &measure(fine, (last - first).abs()), false);
}

fn both_sides(ui: &mut Ui, data: &Data, neighbours: &Neighbours, out: &mut Vec<Command>) {
    for (word, slots) in [("From", &neighbours.from), ("To", &neighbours.to)] {
        for slot in slots.iter().take(LISTED) {
            let response = fact(ui, data.tokens, word, &data.label(*slot), true);
            if response.clicked() {
                go(*slot, out);
            }
            if response.hovered() {
                out.push(Command::Hover(Some(*slot)));
            }
        }
        if slots.len() > LISTED {
            fact(ui, data.tokens, word, &format!("and {} more", format::count(slots.len() - LISTED)), false);
        }
    }
}

fn of_network(ui: &mut Ui, data: &Data, network: &SystemNetwork, now: Option<NetworkNow>, out: &mut Vec<Command>) {
    let response = fact(ui, data.tokens, "Network", &network.name, true);
    if response.on_hover_text("Click to show this network alone").clicked() {
        out.push(Command::GhostOthers(Flows::members(network)));
    }
    let Some(now) = now else {
        fact(ui, data.tokens, "Solved", "not yet", false);
        return;
    };
    if !now.solve.converged {
        fact(ui, data.tokens, "Solved", "not converged: values are the last ones", false);
    }
    let words = accuracy(&now);
    fact(ui, data.tokens, "Accuracy", &words, false);
}

/// How accurate a network is, in words.
pub fn accuracy(now: &NetworkNow) -> String {
    if now.score.readings == 0 {
        return "nothing is measured".to_owned();
    }
    let near = (now.score.within_10 * now.score.readings as f64).round() as usize;
    format!("{near} of {} points within 10 %", format::count(now.score.readings))
}

/// The buttons that trace, and the end of it.
fn tracing(ui: &mut Ui, data: &Data, slot: Slot, out: &mut Vec<Command>) {
    let traced = data.flows.traced.from;
    ui.add_space(3.0);
    ui.horizontal(|ui| {
        ui.spacing_mut().item_spacing.x = 4.0;
        ui.add_space(5.0);
        for (word, way, says) in [
            ("Upstream", Way::Upstream, "Show where this comes from (U)"),
            ("Downstream", Way::Downstream, "Show where this goes (Shift + U)"),
        ] {
            let button = Button::new(RichText::new(word).small()).small().selected(traced == Some((slot, way)));
            if ui.add(button).on_hover_text(says).clicked() {
                out.push(Command::Trace { slot, way });
            }
        }
        if traced.is_some()
            && ui
                .add(Button::new(RichText::new("Clear").small()).small())
                .on_hover_text("Trace no more (Esc)")
                .clicked()
        {
            out.push(Command::ClearTrace);
        }
    });
    ui.add_space(3.0);
}

/// A point that is measured and solved: how far they are apart.
fn compared(ui: &mut Ui, data: &Data, state: &mut PanelState, index: PointIndex, residual: &Residual) {
    let Some(point) = data.point(index) else { return };
    let t = data.tokens;
    let (rect, response) = ui.allocate_exact_size(vec2(ui.available_width(), ROW), Sense::click());
    let band = flows::band(residual.relative);
    let apart = signed_percent(residual.relative);
    let both = format!(
        "measured {}, solved {}",
        flows::number(point.unit, residual.measured),
        measure(point.unit, residual.simulated)
    );
    response.widget_info(|| WidgetInfo::labeled(WidgetType::Button, true, format!("{}: {apart}, {both}", point.name)));
    if ui.is_rect_visible(rect) {
        let fill = if response.hovered() { t.hover } else { t.raised };
        ui.painter().rect_filled(rect.shrink2(vec2(0.0, 1.0)), CornerRadius::same(theme::RADIUS), fill);
        health_mark(ui.painter(), pos2(rect.left() + 11.0, rect.center().y), 4.5, t, band);
        let mut upper =
            Rect::from_min_max(pos2(rect.left() + 22.0, rect.top() + 1.0), pos2(rect.right() - 8.0, rect.top() + 19.0));
        let lower = Rect::from_min_max(pos2(upper.left(), rect.top() + 17.0), rect.max - vec2(8.0, 2.0));
        upper.max.x -= text_in(ui, upper, &apart, TextStyle::Body, t.health(band), Align2::RIGHT_CENTER) + 6.0;
        text_in(ui, upper, &point.name, TextStyle::Body, t.text, Align2::LEFT_CENTER);
        text_in(ui, lower, &both, TextStyle::Small, t.weak, Align2::LEFT_CENTER);
    }
    if response.clicked() {
        state.plot(index);
    }
    response.on_hover_ui(|ui| {
        ui.label(&point.name);
        ui.label(RichText::new(&both).color(t.weak).small());
        let says = "Residual: measured less solved, over the scale of the point. Good within 10 %, fair within 20 %";
        ui.label(RichText::new(says).color(t.weak).small());
        ui.label(RichText::new("Click to plot").color(t.weak).small());
    });
}

/// What was taken for something that the model does not say.
fn assumed(ui: &mut Ui, data: &Data, assumption: &Assumption) {
    let (name, unit) = field(&assumption.field);
    let words = format!("{} (assumed)", format!("{} {unit}", plain(assumption.value)).trim_end());
    fact(ui, data.tokens, &format::capital(&name), &words, false);
    ui.horizontal(|ui| {
        ui.add_space(6.0);
        text(ui, RichText::new(&assumption.why).small().color(data.tokens.weak));
    });
}

/// The name of an assumed field and its unit: `length_m` is a length in m.
pub fn field(field: &str) -> (String, &'static str) {
    const UNITS: [(&str, &str); 12] = [
        ("_m3h", "m³/h"),
        ("_m3s", "m³/s"),
        ("_mm", "mm"),
        ("_m2", "m²"),
        ("_kpa", "kPa"),
        ("_pa", "Pa"),
        ("_kw", "kW"),
        ("_ms", "m/s"),
        ("_m", "m"),
        ("_w", "W"),
        ("_c", "°C"),
        ("_s", "s"),
    ];
    let found = UNITS.iter().find_map(|(end, symbol)| Some((field.strip_suffix(end)?, *symbol)));
    let (name, unit) = found.unwrap_or((field, ""));
    (name.replace('_', " "), unit)
}

/// A number without the noise of binary fractions.
pub fn plain(value: f64) -> String {
    let digits = if value == 0.0 { 0.0 } else { value.abs().log10().floor() };
    let decimals = (2.0 - digits).clamp(0.0, 6.0) as usize;
    let text = format!("{value:.decimals$}");
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').to_owned() } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn assumed_fields_have_their_units_apart() {
        assert_eq!(field("kvs_m3h"), ("kvs".into(), "m³/h"));
        assert_eq!(field("length_m"), ("length".into(), "m"));
        assert_eq!(field("hydraulic_diameter_m"), ("hydraulic diameter".into(), "m"));
        assert_eq!(field("k"), ("k".into(), ""));
        assert_eq!([0.05, 12.34567, 0.0, 250_000.0, 1.5e-6].map(plain), ["0.05", "12.3", "0", "250000", "0.000002"]);
    }
}
