//! One `u32` a slot: all that the shader needs to know of an element.
//!
//! Bits 0–15 value, 16–23 palette, 24–31 flags. `shaders/element.wgsl` reads the same layout.

use bevy::prelude::*;

/// Which colours a value stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Palette {
    /// The surface's own colour.
    Material = 0,
    /// Value = [`crate::analytics::Health::rank`].
    Health = 1,
    /// Value 0..65535 from the coldest to the warmest.
    Temperature = 2,
    /// Value = number of the category, modulo [`CATEGORIES`].
    Category = 3,
    /// Takes no part in what is shown: a quiet grey.
    Quiet = 4,
}

/// How many categorical colours there are.
pub const CATEGORIES: u16 = 12;

/// The range of [`Palette::Temperature`], °C.
pub const TEMPERATURE_RANGE_C: [f64; 2] = [5.0, 35.0];

/// Not drawn.
pub const HIDDEN: u32 = 1 << 24;
/// See-through.
pub const GHOST: u32 = 1 << 25;
/// Selected.
pub const SELECTED: u32 = 1 << 26;
/// Under the pointer.
pub const HOVERED: u32 = 1 << 27;
/// Its value is old.
pub const STALE: u32 = 1 << 28;
/// Not cut by the section.
pub const UNCUT: u32 = 1 << 29;

/// A word without flags.
pub fn word(palette: Palette, value: u16) -> u32 {
    u32::from(value) | (palette as u32) << 16
}

/// Every element's word by slot, for the GPU to read; `Changed` says when to upload.
#[derive(Resource, Clone, Debug, Default)]
pub struct StateWords(pub Vec<u32>);

/// Keeps [`StateWords`].
pub struct StateWordsPlugin;

impl Plugin for StateWordsPlugin {
    fn build(&self, app: &mut App) {
        app.init_resource::<StateWords>();
    }
}
