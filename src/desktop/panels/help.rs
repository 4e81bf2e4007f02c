//! The window with keys and mouse.

use crate::desktop::camera;
use crate::desktop::theme::Tokens;
use bevy_egui::egui;
use egui::{Align2, Grid, RichText, ScrollArea, Window, vec2};

/// Keys that act on the selection (see [`super::keys`]).
const SELECTION: &[(&str, &str)] = &[
    ("I", "Isolate"),
    ("G", "Ghost others"),
    ("X", "Hide"),
    ("U, Shift + U", "Trace the flow upstream, downstream"),
    ("/ or Shift + X", "Show all"),
    ("Esc", "Stop what is under way; clear the trace, the selection, the search"),
    ("? or F1", "This window"),
];

/// Keys of time.
const TIME: &[(&str, &str)] =
    &[("T", "The bar of time"), ("Space", "Let time run, stand still"), ("L", "Back to the present")];

/// What the hand does in the panels.
const PANELS: &[(&str, &str)] = &[
    ("Ctrl + R or F5", "Reload the project's files"),
    ("Ctrl + F", "Search"),
    ("Enter in the search", "Ghost what is not found"),
    ("Esc in the search", "Clear it"),
    ("Click in the tree", "Select; fly to what was found"),
    ("Double click in the tree", "Fly to"),
    ("Right click in the tree", "Isolate, ghost others, hide"),
    ("Click on a live value", "Plot it"),
    ("Click on a profile", "Select the element"),
    ("Click on a network", "Show it alone"),
    ("Click on an alarm, or its mark", "Fly to its asset"),
    ("Click on a change", "Fly to its element"),
];

/// Draws the window while it is open.
pub fn ui(ctx: &egui::Context, t: &Tokens, open: &mut bool) {
    let room = ctx.content_rect().size();
    Window::new("Keys and mouse")
        .max_height(room.y - 24.0)
        .open(open)
        .collapsible(false)
        .resizable(false)
        .anchor(Align2::CENTER_CENTER, vec2(0.0, 0.0))
        .show(ctx, |ui| {
            ScrollArea::vertical().max_height(room.y - 110.0).min_scrolled_height(room.y - 110.0).show(ui, |ui| {
                ui.spacing_mut().interact_size.y = 16.0;
                Grid::new("help").num_columns(2).spacing(vec2(28.0, 5.0)).show(ui, |ui| {
                    for (title, lines) in [
                        ("Scene and camera", camera::KEYS),
                        ("Selection", SELECTION),
                        ("Time", TIME),
                        ("Panels", PANELS),
                    ] {
                        ui.label(RichText::new(title).color(t.accent));
                        ui.end_row();
                        for (key, act) in lines {
                            ui.label(RichText::new(*key).monospace());
                            ui.label(*act);
                            ui.end_row();
                        }
                        ui.end_row();
                    }
                });
            });
        });
}
