//! The state of the view that the shaders read: theme, palettes, cut, light. The layout is that of
//! `SceneState` in `shaders/scene.wgsl`.

use super::material::Surroundings;
use crate::desktop::palette::{self, STEPS};
use crate::twin::state_words::Palette;
use crate::twin::view::{Theme, View};
use bevy::prelude::*;
use bevy::render::render_resource::ShaderType;

const PALETTES: [Palette; 8] = [
    Palette::Material,
    Palette::Health,
    Palette::Temperature,
    Palette::Category,
    Palette::Quiet,
    Palette::Change,
    Palette::Flow,
    Palette::Residual,
];

/// What the scene's shaders read beside the state words. Colours are linear RGB.
#[derive(ShaderType, Clone, Debug, PartialEq)]
pub struct SceneState {
    /// Height of the cut (Y up, metres), 1 when there is one, pixels in a logical pixel, height of the ground.
    pub params: Vec4,
    /// 1 for the light theme; arrows on what carries a flow: 0 none, 1 moving, 2 still.
    pub flags: UVec4,
    /// Of what is selected.
    pub selected: Vec4,
    /// Of what is under the pointer.
    pub hovered: Vec4,
    /// Of what a section cuts.
    pub cut: Vec4,
    /// Light from above.
    pub sky_light: Vec4,
    /// Light from below.
    pub ground_light: Vec4,
    /// Light of the sun.
    pub sun_light: Vec4,
    /// Of the ground.
    pub ground: Vec4,
    /// Of the ground's grid; alpha is how strong it is.
    pub grid: Vec4,
    /// The palettes' steps, row by row.
    pub palette: [Vec4; PALETTES.len() * STEPS],
}

impl SceneState {
    /// The state for a view.
    pub fn of(view: &View, around: &Surroundings) -> Self {
        let look = Look::of(view.theme);
        let section = view.section_m;
        let arrows = match (view.shows_arrows(), around.still) {
            (false, _) => 0,
            (true, false) => 1,
            (true, true) => 2,
        };
        let palette = std::array::from_fn(|i| {
            let palette = PALETTES[i / STEPS];
            let step = i % STEPS;
            let value = match palette {
                Palette::Temperature | Palette::Flow | Palette::Residual => step * usize::from(u16::MAX) / (STEPS - 1),
                _ => step,
            };
            linear(palette::at(palette, value as u16, view.theme))
        });
        Self {
            params: Vec4::new(
                section.unwrap_or_default() as f32,
                if section.is_some() { 1.0 } else { 0.0 },
                around.scale_factor,
                around.ground_m,
            ),
            flags: UVec4::new(u32::from(view.theme == Theme::Light), arrows, 0, 0),
            selected: linear(look.selected),
            hovered: linear(look.hovered),
            cut: linear(look.cut),
            sky_light: look.sky_light.extend(0.0),
            ground_light: look.ground_light.extend(0.0),
            sun_light: look.sun_light.extend(0.0),
            ground: linear(look.ground),
            grid: linear(look.grid).truncate().extend(look.grid_strength),
            palette,
        }
    }
}

/// A theme's studio: background, ground and light.
#[derive(Clone, Copy, Debug)]
pub struct Look {
    /// Background high up, sRGB.
    pub top: [u8; 3],
    /// Background at the horizon, sRGB.
    pub horizon: [u8; 3],
    /// Background below, sRGB.
    pub bottom: [u8; 3],
    /// Ground, sRGB.
    pub ground: [u8; 3],
    /// Lines on the ground, sRGB.
    pub grid: [u8; 3],
    /// How strong the lines are, 0..1.
    pub grid_strength: f32,
    /// What the cut shows, sRGB.
    pub cut: [u8; 3],
    /// What is selected, sRGB.
    pub selected: [u8; 3],
    /// What is under the pointer, sRGB.
    pub hovered: [u8; 3],
    /// How dark edges are, 0..1.
    pub edge_strength: f32,
    /// Light from above, linear.
    pub sky_light: Vec3,
    /// Light from below, linear.
    pub ground_light: Vec3,
    /// Light of the sun, linear.
    pub sun_light: Vec3,
}

impl Look {
    /// The look of a theme.
    pub fn of(theme: Theme) -> Self {
        match theme {
            Theme::Dark => Self {
                top: [17, 21, 28],
                horizon: [47, 55, 66],
                bottom: [30, 35, 43],
                ground: [52, 60, 71],
                grid: [86, 98, 114],
                grid_strength: 0.55,
                cut: [30, 34, 41],
                selected: [72, 170, 255],
                hovered: [190, 220, 255],
                edge_strength: 0.6,
                sky_light: Vec3::new(0.55, 0.58, 0.62),
                ground_light: Vec3::new(0.37, 0.36, 0.36),
                sun_light: Vec3::new(0.64, 0.61, 0.56),
            },
            Theme::Light => Self {
                top: [178, 200, 224],
                horizon: [240, 244, 248],
                bottom: [214, 220, 227],
                ground: [223, 227, 231],
                grid: [172, 181, 192],
                grid_strength: 0.6,
                cut: [58, 64, 74],
                selected: [18, 116, 232],
                hovered: [70, 140, 225],
                edge_strength: 0.5,
                sky_light: Vec3::new(0.60, 0.62, 0.65),
                ground_light: Vec3::new(0.44, 0.43, 0.42),
                sun_light: Vec3::new(0.60, 0.58, 0.55),
            },
        }
    }
}

/// sRGB 8 bit to linear, alpha 1.
pub fn linear([r, g, b]: [u8; 3]) -> Vec4 {
    let c = Color::srgb_u8(r, g, b).to_linear();
    Vec4::new(c.red, c.green, c.blue, 1.0)
}
