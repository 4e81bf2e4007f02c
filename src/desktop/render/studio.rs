//! Light and ground: a sun with shadows where they can be paid for, and a ground with a grid of metres.

use super::geometry::Extent;
use super::material::{GroundMaterial, SceneMaterials, Surroundings};
use super::quality::Quality;
use crate::desktop::camera::SceneCamera;
use crate::shape::frame;
use bevy::light::{CascadeShadowConfig, CascadeShadowConfigBuilder, DirectionalLightShadowMap, NotShadowCaster};
use bevy::prelude::*;

/// The sun.
#[derive(Component)]
struct Sun;

/// The ground.
#[derive(Component)]
struct Ground;

/// Lights the scene.
pub fn plugin(app: &mut App) {
    app.insert_resource(DirectionalLightShadowMap { size: 4096 })
        .add_systems(Startup, set_up)
        .add_systems(PostUpdate, (lay_ground, fit_shadows));
}

fn set_up(
    mut commands: Commands,
    mut meshes: ResMut<Assets<Mesh>>,
    materials: Res<SceneMaterials>,
    quality: Res<Quality>,
) {
    commands.spawn((
        Sun,
        DirectionalLight {
            shadow_maps_enabled: quality.shadows(),
            shadow_depth_bias: 0.03,
            shadow_normal_bias: 1.6,
            ..default()
        },
        // From the south-west, rather high: roofs, one facade and the ground differ in light.
        Transform::from_xyz(-0.45, 1.0, 0.62).looking_at(Vec3::ZERO, Vec3::Y),
    ));
    commands.spawn((
        Ground,
        Mesh3d(meshes.add(Plane3d::default().mesh().size(1.0, 1.0))),
        MeshMaterial3d::<GroundMaterial>(materials.ground.clone()),
        NotShadowCaster,
        Visibility::Hidden,
        Transform::default(),
    ));
}

fn lay_ground(
    extent: Res<Extent>,
    surroundings: Res<Surroundings>,
    mut ground: Query<(&mut Transform, &mut Visibility), With<Ground>>,
) {
    if !extent.is_changed() {
        return;
    }
    for (mut transform, mut visibility) in &mut ground {
        let Some(building) = extent.building else {
            *visibility = Visibility::Hidden;
            continue;
        };
        let size = (building.radius() * 10.0).clamp(60.0, 4000.0) as f32;
        let mut place = frame::drawn(building.centre());
        // Whole metres, so that the grid's lines stay on the project's.
        place = place.round();
        place.y = surroundings.ground_m;
        *transform = Transform::from_translation(place).with_scale(Vec3::new(size, 1.0, size));
        *visibility = Visibility::Inherited;
    }
}

/// Shadows reach from the eye to the far side of the building and not further: their texels stay small.
fn fit_shadows(
    extent: Res<Extent>,
    camera: Query<&GlobalTransform, (With<SceneCamera>, Changed<GlobalTransform>)>,
    mut sun: Query<&mut CascadeShadowConfig, With<Sun>>,
    quality: Res<Quality>,
) {
    let (Some(building), Ok(camera)) = (extent.building, camera.single()) else { return };
    if !quality.shadows() {
        return;
    }
    let distance = camera.translation().distance(frame::drawn(building.centre()));
    let radius = building.radius() as f32;
    let far = (distance + radius * 1.3).max(20.0);
    let near = (distance - radius * 1.3).max(0.2);
    for mut config in &mut sun {
        *config = CascadeShadowConfigBuilder {
            num_cascades: 2,
            minimum_distance: near * 0.5,
            maximum_distance: far,
            first_cascade_far_bound: (near * 1.1).max(far * 0.35).min(far * 0.9),
            overlap_proportion: 0.15,
        }
        .build();
    }
}
