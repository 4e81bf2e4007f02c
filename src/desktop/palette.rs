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
        Palette::Flow => sequence(f32::from(value) / f32::from(u16::MAX)),
        Palette::Residual => diverging(f32::from(value) / f32::from(u16::MAX)),
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

/// From little to much, violet over blue and green to yellow: even steps of lightness, so that it is read without
/// telling hues apart, and neither end is the ground of a theme.
fn sequence(t: f32) -> [u8; 3] {
    let t = t.clamp(0.0, 1.0);
    oklch(0.43 + 0.46 * t, 0.14 - 0.14 * t * (1.0 - t), 292.0 - 190.0 * t)
}

/// Violet where less is measured than simulated, orange where more is; a pale green where they agree. As far from the
/// middle is as dark on both sides.
fn diverging(t: f32) -> [u8; 3] {
    let side = (t.clamp(0.0, 1.0) - 0.5) * 2.0;
    let off = side.abs();
    let hue = if side < 0.0 { 300.0 } else { 55.0 };
    let chroma = 0.15 * off;
    // The middle is left by its own green, mixed and not turned: no other hue lies on the way.
    let lightness = 0.88 - 0.32 * off;
    let green = 0.05 * (1.0 - off * 2.5).max(0.0);
    oklab(lightness, polar(chroma, hue).0 + polar(green, 150.0).0, polar(chroma, hue).1 + polar(green, 150.0).1)
}

fn polar(chroma: f32, hue: f32) -> (f32, f32) {
    let (sin, cos) = hue.to_radians().sin_cos();
    (chroma * cos, chroma * sin)
}

/// A colour by lightness 0..1, chroma and hue (degrees) of OKLab, as sRGB 8 bit; what no screen shows is cut to what
/// it does (B. Ottosson, "A perceptual color space for image processing", 2020).
fn oklch(lightness: f32, chroma: f32, hue: f32) -> [u8; 3] {
    let (a, b) = polar(chroma, hue);
    oklab(lightness, a, b)
}

fn oklab(lightness: f32, a: f32, b: f32) -> [u8; 3] {
    let l = lightness + 0.396_337_78 * a + 0.215_803_76 * b;
    let m = lightness - 0.105_561_346 * a - 0.063_854_17 * b;
    let s = lightness - 0.089_484_18 * a - 1.291_485_5 * b;
    let [l, m, s] = [l, m, s].map(|c| c * c * c);
    let linear = [
        4.076_741_7 * l - 3.307_711_6 * m + 0.230_969_94 * s,
        -1.268_438 * l + 2.609_757_4 * m - 0.341_319_38 * s,
        -0.004_196_086_3 * l - 0.703_418_6 * m + 1.707_614_7 * s,
    ];
    linear.map(|c| {
        let c = c.clamp(0.0, 1.0);
        let c = if c <= 0.003_130_8 { 12.92 * c } else { 1.055 * c.powf(1.0 / 2.4) - 0.055 };
        (c * 255.0).round() as u8
    })
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

#[cfg(test)]
mod tests {
    use super::*;

    /// CIE lightness L* of an sRGB colour, 0..100.
    fn lightness(rgb: [u8; 3]) -> f32 {
        let [r, g, b] = rgb.map(|c| {
            let c = f32::from(c) / 255.0;
            if c <= 0.040_45 { c / 12.92 } else { ((c + 0.055) / 1.055).powf(2.4) }
        });
        let y = 0.2126 * r + 0.7152 * g + 0.0722 * b;
        if y > 0.008_856 { 116.0 * y.cbrt() - 16.0 } else { 903.3 * y }
    }

    fn steps(palette: Palette) -> Vec<f32> {
        let at = |i: usize| at(palette, (i * usize::from(u16::MAX) / 32) as u16, Theme::Dark);
        (0..=32).map(|i| lightness(at(i))).collect()
    }

    #[test]
    fn more_flow_is_lighter_in_even_steps() {
        let flow = steps(Palette::Flow);
        let mean = (flow[32] - flow[0]) / 32.0;
        assert!(mean > 1.2, "{flow:?}");
        for pair in flow.windows(2) {
            assert!(pair[1] > pair[0] + 0.3 * mean && pair[1] < pair[0] + 2.0 * mean, "{pair:?} of {mean}: {flow:?}");
        }
        // Neither end is lost on a theme's ground.
        assert!(flow[0] > 28.0 && flow[32] < 93.0, "{flow:?}");
    }

    #[test]
    fn a_residual_is_as_dark_on_either_side() {
        let residual = steps(Palette::Residual);
        for i in 0..16 {
            assert!((residual[i] - residual[32 - i]).abs() < 6.0, "{i}: {residual:?}");
            assert!(residual[i] < residual[i + 1] + 0.5, "{i}: {residual:?}");
        }
        let (less, more) = (at(Palette::Residual, 0, Theme::Dark), at(Palette::Residual, u16::MAX, Theme::Dark));
        assert!(less[2] > less[0] && more[0] > more[2], "violet and orange: {less:?} {more:?}");
    }
}
