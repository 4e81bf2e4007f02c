//! How much light a frame can pay for: everything on a GPU, less where the processor draws.

use bevy::anti_alias::fxaa::Fxaa;
use bevy::anti_alias::smaa::{Smaa, SmaaPreset};
use bevy::core_pipeline::prepass::{DepthPrepass, NormalPrepass};
use bevy::pbr::{ScreenSpaceAmbientOcclusion, ScreenSpaceAmbientOcclusionQualityLevel};
use bevy::prelude::*;

/// How much light a frame can pay for.
#[derive(Resource, Clone, Copy, Debug, PartialEq, Eq)]
pub enum Quality {
    /// Shadows, ambient occlusion, the better anti-aliasing: for a GPU, and for a picture that may take its time.
    Full,
    /// The same with little anti-aliasing: for a picture whose pixels are each the mean of several.
    Fine,
    /// Edges and flat light only: for a window that the processor draws.
    Light,
}

impl Quality {
    /// What a window can pay for where the processor draws, or a graphics card.
    pub fn for_window(software: bool) -> Self {
        if software { Self::Light } else { Self::Full }
    }

    /// Puts on the camera what this quality has.
    pub fn dress(self, camera: &mut EntityCommands) {
        camera.insert((DepthPrepass, NormalPrepass, Msaa::Off));
        match self {
            Self::Full => {
                camera.insert((occlusion(), Smaa { preset: SmaaPreset::High })).remove::<Fxaa>();
            }
            Self::Fine => {
                camera.insert((occlusion(), Smaa { preset: SmaaPreset::Low })).remove::<Fxaa>();
            }
            Self::Light => {
                camera.insert(Fxaa::default()).remove::<(ScreenSpaceAmbientOcclusion, Smaa)>();
            }
        }
    }

    /// Shadows are drawn.
    pub fn shadows(self) -> bool {
        self != Self::Light
    }
}

fn occlusion() -> ScreenSpaceAmbientOcclusion {
    ScreenSpaceAmbientOcclusion { quality_level: ScreenSpaceAmbientOcclusionQualityLevel::Medium, ..default() }
}
