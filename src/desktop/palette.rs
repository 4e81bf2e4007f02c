//! The colours that values stand for: one table for the shader, the legend and the panels.

use crate::twin::state_words::{CATEGORIES, Palette};
use crate::twin::view::Theme;

/// How many colours a palette has in the shader's table; a continuous one is stepped this finely.
pub const STEPS: usize = 64;

/// The colour of a state word's value, sRGB 8 bit.
pub fn at(palette: Palette, value: u16, theme: Theme) -> [u8; 3] {
    match palette {
        Palette::Material => [200, 200, 200],
        Palette::Quiet => match (theme, value) {
            (Theme::Dark, 0) => [92, 99, 110],
            (Theme::Dark, _) => [66, 73, 84],
            (Theme::Light, 0) => [190, 195, 202],
            (Theme::Light, _) => [212, 217, 222],
        },
        Palette::Health => match value {
            1 => [52, 168, 110],
            2 => [150, 120, 190],
            3 => [240, 172, 40],
            4 => [224, 62, 62],
            _ => match theme {
                Theme::Dark => [110, 118, 130],
                Theme::Light => [168, 174, 184],
            },
        },
        Palette::Temperature => gradient(f32::from(value) / f32::from(u16::MAX)),
        Palette::Change => match value {
            0 => [60, 176, 92],
            1 => [76, 132, 232],
            _ => [236, 150, 44],
        },
        Palette::Category => CATEGORY[usize::from(value % CATEGORIES)],
    }
}

/// Blue over pale to red, even in lightness on both sides of the middle.
fn gradient(t: f32) -> [u8; 3] {
    const STOPS: [[f32; 3]; 5] =
        [[42.0, 82.0, 190.0], [96.0, 168.0, 220.0], [236.0, 232.0, 214.0], [240.0, 150.0, 80.0], [190.0, 40.0, 45.0]];
    let at = t.clamp(0.0, 1.0) * (STOPS.len() - 1) as f32;
    let i = (at as usize).min(STOPS.len() - 2);
    let f = at - i as f32;
    std::array::from_fn(|c| (STOPS[i][c] + (STOPS[i + 1][c] - STOPS[i][c]) * f).round() as u8)
}

const CATEGORY: [[u8; 3]; CATEGORIES as usize] = [
    [66, 133, 200],
    [226, 120, 50],
    [70, 160, 100],
    [200, 80, 90],
    [140, 110, 190],
    [150, 110, 80],
    [220, 130, 180],
    [120, 160, 60],
    [60, 170, 175],
    [205, 170, 60],
    [110, 125, 150],
    [170, 90, 140],
];
