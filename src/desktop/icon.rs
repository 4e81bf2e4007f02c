//! The program's icon in the window's frame and in the task bar, where the system shows one there.
//!
//! Wayland and macOS take it from the installed program instead; there this changes nothing.

use bevy::prelude::*;
use bevy::window::PrimaryWindow;
use bevy::winit::WINIT_WINDOWS;
use winit::window::Icon;

const PICTURE: &[u8] = include_bytes!("../../assets/icon.png");

/// Gives the window its icon, once there is a window.
pub fn plugin(app: &mut App) {
    app.add_systems(Update, give);
}

fn give(window: Query<Entity, Added<PrimaryWindow>>) {
    let Ok(window) = window.single() else { return };
    let Some(icon) = icon() else { return };
    WINIT_WINDOWS.with_borrow(|windows| {
        if let Some(window) = windows.get_window(window) {
            window.set_window_icon(Some(icon));
        }
    });
}

fn icon() -> Option<Icon> {
    let picture = image::load_from_memory(PICTURE).ok()?.into_rgba8();
    let (width, height) = picture.dimensions();
    Icon::from_rgba(picture.into_raw(), width, height).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_icon_is_a_picture_that_a_window_takes() {
        assert!(icon().is_some());
    }
}
