//! The dialog that asks which file to open.

use bevy::prelude::Message;
use bevy_egui::egui;
use egui::vec2;
use egui_file_dialog::FileDialog;
use std::path::PathBuf;

/// Somebody asks to open a project file or a model.
#[derive(Message, Clone, Debug, PartialEq, Eq)]
pub struct OpenPath(pub PathBuf);

/// What can be opened, by the end of the name.
const MODELS: [&str; 5] = ["toml", "ifc", "ifczip", "geojson", "json"];

/// The dialog.
pub struct OpenDialog {
    dialog: FileDialog,
}

impl Default for OpenDialog {
    fn default() -> Self {
        let dialog = FileDialog::new()
            .title("Open a project (twin.toml) or a model")
            .as_modal(true)
            .show_new_folder_button(false)
            .add_file_filter_extensions("Projects and models", MODELS.to_vec())
            .default_file_filter("Projects and models");
        Self { dialog }
    }
}

impl OpenDialog {
    /// Opens it.
    pub fn ask(&mut self) {
        self.dialog.pick_file();
    }

    /// True while it is open.
    pub fn is_open(&self) -> bool {
        *self.dialog.state() == egui_file_dialog::DialogState::Open
    }

    /// Draws it when it is open; the file that was chosen.
    pub fn ui(&mut self, ctx: &egui::Context) -> Option<PathBuf> {
        let room = ctx.content_rect().size();
        let config = self.dialog.config_mut();
        config.default_size = vec2((room.x - 60.0).min(720.0), (room.y - 90.0).min(460.0));
        config.min_size = vec2(config.default_size.x.min(340.0), config.default_size.y.min(200.0));
        config.max_size = Some(vec2(room.x - 20.0, room.y - 60.0));
        config.anchor = Some((egui::Align2::CENTER_CENTER, egui::Vec2::ZERO));
        self.dialog.update(ctx);
        self.dialog.take_picked()
    }
}
