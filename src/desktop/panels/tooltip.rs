//! What is under the pointer in the scene, in a few words beside it.

use super::data::Data;
use super::flows;
use super::format;
use super::icons;
use super::live;
use super::widgets::{self, health_dot};
use crate::analytics::Health;
use crate::site::ElementKind;
use crate::site::unit::Quantity;
use bevy_egui::egui;
use egui::{Area, Frame, Id, Margin, Order, Pos2, Rect, RichText, Ui, vec2};

/// At most this many values are shown.
const VALUES: usize = 3;

/// Draws the tooltip when the pointer is over the scene and an element is under it.
pub fn ui(ctx: &egui::Context, scene: Rect, data: &Data) {
    let Some(pointer) = ctx.pointer_hover_pos().filter(|p| scene.contains(*p)) else { return };
    // What is dragged says by itself what it is over.
    let is_dragging = egui::DragAndDrop::has_any_payload(ctx);
    if ctx.is_pointer_over_egui() || ctx.any_popup_open() || is_dragging {
        return;
    }
    show(ctx, scene, data, pointer);
}

/// Draws it at a place.
pub fn show(ctx: &egui::Context, scene: Rect, data: &Data, at: Pos2) {
    let Some((slot, element)) = data.view.hovered.and_then(|s| Some((s, data.element(s)?))) else { return };
    Area::new(Id::new("scene_tooltip"))
        .order(Order::Tooltip)
        .interactable(false)
        .fixed_pos(at + vec2(16.0, 14.0))
        .constrain_to(scene)
        .fade_in(false)
        .show(ctx, |ui| {
            Frame::popup(ui.style()).inner_margin(Margin::symmetric(9, 6)).show(ui, |ui| {
                ui.set_max_width(260.0);
                ui.spacing_mut().item_spacing.y = 1.0;
                ui.spacing_mut().interact_size.y = 15.0;
                ui.horizontal(|ui| {
                    widgets::icon(
                        ui,
                        icons::of_class(&element.class, &element.predefined_type),
                        14.0,
                        data.tokens.accent,
                    );
                    let is_room = element.kind == ElementKind::Space;
                    let name = if is_room { Data::room_name(element) } else { element.label() };
                    ui.label(RichText::new(format::elide(&name, 34)).strong());
                });
                ui.label(RichText::new(format::class(&element.class)).small().color(data.tokens.weak));
                let health = match element.kind {
                    ElementKind::Space => data.shown_health(slot),
                    _ => data.readings.asset_health(slot),
                };
                if health != Health::Unknown {
                    ui.horizontal(|ui| {
                        health_dot(ui, data.tokens, health);
                        ui.label(RichText::new(widgets::health_word(health)).small());
                    });
                }
                values(ui, data, slot);
                solved(ui, data, slot);
            });
        });
}

fn values(ui: &mut Ui, data: &Data, slot: crate::site::Slot) {
    let mut points = data.points_of(slot);
    // A room has no points of its own: its temperature is what a device in it measures.
    if points.is_empty() {
        points.extend(data.colouring.and_then(|c| c.temperature_of(slot)));
    }
    for index in points.into_iter().take(VALUES) {
        let Some(point) = data.point(index) else { continue };
        let (number, unit) = live::shown(point, &data.readings.live(index));
        ui.horizontal(|ui| {
            ui.label(RichText::new(format::elide(&point.name, 26)).small().color(data.tokens.weak));
            ui.label(RichText::new(format!("{number} {unit}").trim_end()).monospace().small());
        });
    }
}

/// What is solved of it, while the colours tell it.
fn solved(ui: &mut Ui, data: &Data, slot: crate::site::Slot) {
    let Some(network) = data.flows.networks.network_of(slot).filter(|_| data.view.colour_by.is_of_flow()) else {
        return;
    };
    let solved = data.readings.solved(slot);
    let values = [
        ("Flow", Quantity::VolumeFlow, solved.flow.map(f64::abs)),
        ("Velocity", Quantity::Velocity, solved.velocity.map(f64::abs)),
        ("Pressure", Quantity::Pressure, solved.pressure),
        ("Temperature", Quantity::Temperature, solved.temperature),
    ];
    for (name, quantity, value) in values {
        let Some(value) = value.filter(|v| v.is_finite()) else { continue };
        let words = flows::measure(flows::unit(data, quantity, network.domain), value);
        ui.horizontal(|ui| {
            ui.label(RichText::new(name).small().color(data.tokens.weak));
            ui.label(RichText::new(words).monospace().small());
        });
    }
}
