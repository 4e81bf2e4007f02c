//! Bevy's own ray cast over the elements of a site, to hold the picking tree against.

use super::frame_cost::mesh;
use crate::shape::frame::{drawn, drawn_direction, drawn_placement};
use crate::site::{Site, Slot};
use bevy::camera::primitives::MeshAabb;
use bevy::ecs::system::SystemState;
use bevy::picking::mesh_picking::ray_cast::{MeshRayCast, MeshRayCastSettings, RayCastVisibility};
use bevy::prelude::*;
use glam::DVec3;
use std::collections::HashMap;
use std::time::{Duration, Instant};

/// What each ray (origin and direction, project frame) meets first, with the distance in metres, and how long
/// all of them took together.
pub fn cast(site: &Site, rays: &[(DVec3, DVec3)]) -> (Vec<Option<(Slot, f64)>>, Duration) {
    let mut app = App::new();
    app.add_plugins(TaskPoolPlugin::default()).init_resource::<Assets<Mesh>>();
    let world = app.world_mut();
    let shapes: Vec<_> = site
        .shapes
        .iter()
        .map(|shape| {
            let mesh = mesh(shape);
            let bounds = mesh.compute_aabb().unwrap_or_default();
            (Mesh3d(world.resource_mut::<Assets<Mesh>>().add(mesh)), bounds)
        })
        .collect();
    let elements: Vec<_> = site
        .iter()
        .filter_map(|(slot, element)| {
            let (mesh, bounds) = shapes.get(element.shape? as usize)?.clone();
            let placed = GlobalTransform::from(drawn_placement(&element.placement));
            Some((slot, (mesh, bounds, placed, Visibility::Visible)))
        })
        .collect();
    let slots: Vec<Slot> = elements.iter().map(|(slot, _)| *slot).collect();
    let entities: Vec<Entity> = world.spawn_batch(elements.into_iter().map(|(_, e)| e).collect::<Vec<_>>()).collect();
    let slot_of: HashMap<Entity, Slot> = entities.into_iter().zip(slots).collect();

    let mut state = SystemState::<MeshRayCast>::new(world);
    let Ok(mut caster) = state.get_mut(world) else { return (Vec::new(), Duration::ZERO) };
    let settings = MeshRayCastSettings::default().with_visibility(RayCastVisibility::Any);
    let start = Instant::now();
    let hits: Vec<_> = rays
        .iter()
        .map(|(origin, direction)| {
            let direction = Dir3::new(drawn_direction(*direction)).ok()?;
            let hits = caster.cast_ray(Ray3d::new(drawn(*origin), direction), &settings);
            hits.first().map(|(entity, hit)| (*entity, f64::from(hit.distance)))
        })
        .collect();
    let took = start.elapsed();
    let named = |(entity, distance)| Some((*slot_of.get(&entity)?, distance));
    (hits.into_iter().map(|hit| hit.and_then(named)).collect(), took)
}
