//! Where the selected element is, in the coordinates that people know it by: the map's, and its file's own.

use super::data::Data;
use super::placing::{self, Placing};
use super::widgets::{fact, section};
use crate::site::Slot;
use crate::site::coordinates::Coordinates;
use bevy_egui::egui;
use egui::Ui;

/// Draws the section; nothing for an element without geometry.
pub fn ui(ui: &mut Ui, data: &Data, slot: Slot, at: &Coordinates, placing: &mut Placing) {
    let t = data.tokens;
    let Some(site) = data.site() else { return };
    let Some(source) = site.source_of.get(slot.0 as usize).copied() else { return };
    let file = site.sources.get(usize::from(source)).and_then(|s| s.file.file_name());
    let file = file.unwrap_or_default().to_string_lossy();
    section(ui, t, "Coordinates", None, true, |ui| {
        ui.spacing_mut().item_spacing.y = 0.0;
        match &at.map {
            Some(map) => {
                let crs = if map.crs.is_empty() { "The file does not name it" } else { &map.crs };
                fact(ui, t, "Map system", crs, false);
                three(ui, data, ["Easting", "Northing", "Height"], map.position_m, crs);
            }
            None => {
                let link = placing::can_be_placed(data, source);
                let row = fact(ui, t, "Map", "Not known", link);
                let hint = if link { "Click to place the model by hand" } else { "plenum place says where it lies" };
                if row.on_hover_text(format!("The file has no map conversion. {hint}")).clicked() && link {
                    placing.open(source);
                }
            }
        }
        three(ui, data, ["X in file", "Y in file", "Z in file"], at.own_place_m().to_array(), &file);
    });
}

/// Three rows, and what a click on any of them copies.
fn three(ui: &mut Ui, data: &Data, names: [&str; 3], place_m: [f64; 3], of: &str) {
    for (name, value) in names.into_iter().zip(place_m) {
        let row = fact(ui, data.tokens, name, &format!("{} m", written(value)), true);
        let row = row.on_hover_text(format!("The middle of its box, {of}. Click to copy all three"));
        if row.clicked() {
            ui.ctx().copy_text(place_m.map(written).join(", "));
        }
    }
}

/// To the millimetre, without spaces, so that other programs can read what is copied; never `-0.000`.
fn written(metres: f64) -> String {
    format!("{:.3}", (metres * 1e3).round() / 1e3 + 0.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn coordinates_are_written_to_the_millimetre() {
        assert_eq!(written(2_683_141.000_49), "2683141.000");
        assert_eq!(written(-0.000_2), "0.000");
        assert_eq!(written(-12.345_6), "-12.346");
    }
}
