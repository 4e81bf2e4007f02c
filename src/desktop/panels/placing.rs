//! The window in which a model is placed by hand: where its origin lies in the project's frame, and how it is turned.

use super::data::Data;
use super::format;
use super::widgets::text;
use crate::site::Source;
use crate::site::project::Move;
use crate::twin::command::Command;
use bevy_egui::egui;
use egui::{Align2, Button, DragValue, Grid, Key, Label, Rect, RichText, Ui, Window, vec2};

/// What the window remembers.
#[derive(Clone, Debug, Default)]
pub struct Placing {
    /// The model, a number among the site's sources; none while it is closed.
    of: Option<u16>,
    offset_m: [f64; 3],
    rotation_deg: f64,
    /// Where the model was when the fields were last filled in.
    seen: Option<(Move, [f64; 3], f64)>,
}

impl Placing {
    /// A model is being placed.
    pub fn is_open(&self) -> bool {
        self.of.is_some()
    }

    /// Opens the window for a model, a number among the site's sources.
    pub fn open(&mut self, source: u16) {
        *self = Self { of: Some(source), ..Self::default() };
    }

    /// Closes it.
    pub fn close(&mut self) {
        *self = Self::default();
    }

    /// Fills the fields in from where the model lies, whenever that changes.
    fn agree(&mut self, at: Move, source: &Source) {
        let (offset_m, rotation_deg) = lies(at, source);
        let seen = Some((at, offset_m, rotation_deg));
        if self.seen != seen {
            (self.seen, self.offset_m, self.rotation_deg) = (seen, offset_m, rotation_deg);
        }
    }
}

/// True where people can place a source by hand: a model that a project's file names.
pub fn can_be_placed(data: &Data, source: u16) -> bool {
    let of = data.site().and_then(|site| site.sources.get(usize::from(source)));
    data.views.file.is_some() && of.is_some_and(|s| data.placements.of_model(&s.file).is_some())
}

/// Draws the window while it is open.
pub fn ui(ctx: &egui::Context, scene: Rect, data: &Data, state: &mut Placing, out: &mut Vec<Command>) {
    let Some(of) = state.of else { return };
    let source = data.site().and_then(|site| site.sources.get(usize::from(of)));
    let at = source.and_then(|s| data.placements.of_model(&s.file));
    let (Some(source), Some(at)) = (source, at) else { return state.close() };
    state.agree(at, source);
    let t = data.tokens;
    let mut closed = false;
    let corner = vec2(scene.right() - ctx.content_rect().right() - 12.0, scene.top() - ctx.content_rect().top() + 12.0);
    Window::new("Place by hand").collapsible(false).resizable(false).anchor(Align2::RIGHT_TOP, corner).show(
        ctx,
        |ui| {
            ui.set_width(264.0_f32.min(scene.width() - 40.0));
            let name = source.file.file_name().unwrap_or_default().to_string_lossy();
            text(ui, RichText::new(name).strong());
            ui.add(Label::new(RichText::new(says(at, source)).small().color(t.weak)).wrap());
            ui.add_space(4.0);
            let entered = fields(ui, state);
            if let Some(origin) = data.site().map(|s| &s.origin).filter(|o| !o.crs.is_empty()) {
                let [e, n, h] = origin.position_m;
                let [x, y, z] = state.offset_m;
                let words = format!("Its zero in {}: {:.3}, {:.3}, {:.3} m", origin.crs, e + x, n + y, h + z);
                ui.add(Label::new(RichText::new(words).small().color(t.weak)).wrap());
            }
            ui.add_space(6.0);
            ui.horizontal(|ui| {
                let to = Move::To { offset_m: state.offset_m, rotation_deg: state.rotation_deg };
                let is_new = lies(at, source) != (state.offset_m, state.rotation_deg);
                let apply = ui.add_enabled(is_new, Button::new("Apply")).clicked();
                if apply || (is_new && entered) {
                    out.push(Command::PlaceModel { source: of, to });
                }
                let undo = ui.add_enabled(data.placements.can_be_undone().is_some(), Button::new("Undo"));
                if undo.on_hover_text("Back to where the model that was last placed lay before").clicked() {
                    out.push(Command::UndoPlacement);
                }
                let own = ui.add_enabled(at != Move::Back, Button::new("Own place"));
                if own.on_hover_text("Where the file itself says, or the project's origin").clicked() {
                    out.push(Command::PlaceModel { source: of, to: Move::Back });
                }
                closed = ui.button("Close").clicked();
            });
        },
    );
    if closed {
        state.close();
    }
}

/// The four fields; true when Enter was pressed in one of them.
fn fields(ui: &mut Ui, state: &mut Placing) -> bool {
    let mut entered = false;
    Grid::new("placing").num_columns(2).spacing(vec2(12.0, 4.0)).show(ui, |ui| {
        let [east, north, up] = &mut state.offset_m;
        for (word, value, unit, most, speed) in [
            ("East", east, " m", 9.9e7, 0.05),
            ("North", north, " m", 9.9e7, 0.05),
            ("Height", up, " m", 9.9e7, 0.05),
            ("Turned", &mut state.rotation_deg, "°", 360.0, 0.5),
        ] {
            ui.label(word);
            let field = DragValue::new(value).range(-most..=most).speed(speed).suffix(unit).max_decimals(4);
            let field = ui.add(field.min_decimals(if unit == "°" { 1 } else { 3 }).update_while_editing(true));
            entered |= field.lost_focus() && ui.input(|i| i.key_pressed(Key::Enter));
            ui.end_row();
        }
    });
    entered
}

/// Where a model's origin lies in the project's frame, metres, and how far it is turned, degrees.
fn lies(at: Move, source: &Source) -> ([f64; 3], f64) {
    match at {
        Move::To { offset_m, rotation_deg } => (offset_m, rotation_deg),
        Move::Back => {
            let rounded = |v: f64, parts: f64| (v * parts).round() / parts + 0.0;
            let x = source.to_project.matrix3.x_axis;
            let offset_m = source.to_project.translation.to_array().map(|v| rounded(v, 1e4));
            (offset_m, rounded(x.y.atan2(x.x).to_degrees(), 1e6))
        }
    }
}

fn says(at: Move, source: &Source) -> String {
    let own = source.georeference.as_ref().map(|g| format::capital(&g.crs));
    match (at, own) {
        (Move::To { .. }, None) => "It is placed by hand".to_owned(),
        (Move::To { .. }, Some(_)) => "It is placed by hand; its own map conversion does not count".to_owned(),
        (Move::Back, None) => "It has no map conversion: its zero is put on the project's origin".to_owned(),
        (Move::Back, Some(crs)) if crs.is_empty() => "Its own map conversion says where it lies".to_owned(),
        (Move::Back, Some(crs)) => format!("Its own map conversion says where it lies, in {crs}"),
    }
}
