//! A long piece of work that is under way: what it is, how far it is, and how to stop it.

use super::data::Data;
use crate::desktop::theme;
use crate::import::Progress;
use bevy::prelude::Resource;
use bevy_egui::egui;
use egui::{Align2, Area, Frame, Id, Order, ProgressBar, Rect, RichText, vec2};

/// Shown over the scene while it is a resource; remove it when the work has ended.
#[derive(Resource, Clone, Debug)]
pub struct Busy {
    /// `Reading clinic-mep.ifc`.
    pub what: String,
    /// How far it is; its cancel flag is set when somebody asks to stop.
    pub progress: Progress,
    /// Something is seen of it already: it stands at the lower rim of the scene instead of in the middle.
    pub aside: bool,
}

/// How far, from 0 to 1; none while the number of steps is not known.
fn fraction(progress: &Progress) -> Option<f32> {
    let (done, total) = progress.get();
    (total > 0).then(|| (done as f32 / total as f32).clamp(0.0, 1.0))
}

/// Work whose end is not known. What turns wants to be drawn all the time: where a building stands behind it, that
/// would take the processor from those who read.
fn spinner(ui: &mut egui::Ui, data: &Data, words: &str, turns: bool) {
    ui.horizontal(|ui| {
        if turns {
            ui.add(egui::Spinner::new().size(14.0).color(data.tokens.accent));
        }
        ui.label(RichText::new(words).small().color(data.tokens.weak));
    });
}

/// Draws the work that is under way in the middle of the scene.
pub fn ui(ctx: &egui::Context, scene: Rect, data: &Data) {
    let Some(busy) = data.busy else { return };
    let width = (scene.width() - 40.0).clamp(160.0, 340.0);
    let (pivot, place) = if busy.aside {
        (Align2::CENTER_BOTTOM, scene.center_bottom() - vec2(0.0, 16.0))
    } else {
        (Align2::CENTER_CENTER, scene.center())
    };
    Area::new(Id::new("busy")).order(Order::Foreground).pivot(pivot).fixed_pos(place).show(ctx, |ui| {
        Frame::window(ui.style()).show(ui, |ui| {
            ui.set_width(width);
            ui.add(egui::Label::new(RichText::new(&busy.what).size(theme::TITLE)).truncate());
            ui.add_space(4.0);
            match fraction(&busy.progress) {
                Some(f) if f >= 1.0 => {
                    let (done, _) = busy.progress.get();
                    let words = format!("{} elements; reading what is known of them …", super::format::count(done));
                    spinner(ui, data, &words, !busy.aside);
                }
                Some(f) => {
                    let (done, total) = busy.progress.get();
                    ui.add(ProgressBar::new(f).desired_height(6.0).fill(data.tokens.accent));
                    let words = format!(
                        "{} of {}, {:.0} %",
                        super::format::count(done),
                        super::format::count(total),
                        f * 100.0
                    );
                    ui.label(RichText::new(words).small().color(data.tokens.weak));
                }
                None => {
                    spinner(ui, data, "Starting …", !busy.aside);
                }
            }
            ui.add_space(4.0);
            ui.allocate_ui_with_layout(
                vec2(ui.available_width(), 24.0),
                egui::Layout::right_to_left(egui::Align::Center),
                |ui| {
                    let stopping = busy.progress.cancelled();
                    let word = if stopping { "Stopping …" } else { "Cancel" };
                    let button = ui.add_enabled(!stopping, egui::Button::new(word));
                    if button.on_hover_text("Stop it (Esc)").clicked() {
                        busy.progress.cancel();
                    }
                },
            );
        });
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fraction_needs_a_total() {
        let p = Progress::default();
        assert_eq!(fraction(&p), None);
        p.set_total(4);
        p.set_done(1);
        assert_eq!(fraction(&p), Some(0.25));
        p.set_done(9);
        assert_eq!(fraction(&p), Some(1.0));
    }
}
