//! Drawing the scene: one entity an element, one material, a buffer of state words.
//!
//! Nothing here knows what a colour means: [`crate::twin::state_words`] does, and the shader looks it up.

pub mod arrows;
pub mod finish;
pub mod geometry;
pub mod material;
mod preview;
pub mod quality;
pub mod scene_state;
pub mod shaders;
mod studio;

use crate::desktop::SceneArea;
use crate::twin::view::View;
use bevy::prelude::*;
use finish::Finish;
use material::Surroundings;

/// Draws the scene. Wants a [`quality::Quality`] in the app.
pub struct ScenePicturePlugin;

impl Plugin for ScenePicturePlugin {
    fn build(&self, app: &mut App) {
        app.init_resource::<SceneArea>()
            .add_plugins((
                shaders::plugin,
                material::plugin,
                arrows::plugin,
                geometry::plugin,
                preview::plugin,
                studio::plugin,
                finish::plugin,
            ))
            .add_systems(PostUpdate, (follow_scale, follow_look).chain());
    }
}

/// Lines and hatching keep their size on a screen with more pixels.
fn follow_scale(cameras: Query<&Camera, With<Finish>>, mut surroundings: ResMut<Surroundings>) {
    let Some(scale) = cameras.iter().find_map(|c| c.target_scaling_factor()) else { return };
    if surroundings.scale_factor != scale {
        surroundings.scale_factor = scale;
    }
}

fn follow_look(
    view: Res<View>,
    surroundings: Res<Surroundings>,
    area: Res<SceneArea>,
    mut finishes: Query<&mut Finish>,
) {
    if view.is_changed() || surroundings.is_changed() || area.is_changed() {
        for mut finish in &mut finishes {
            *finish = Finish::of(&view, surroundings.scale_factor, area.0);
        }
    }
}
