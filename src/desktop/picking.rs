//! Which element is under the pointer: our own tree over the site, built off the main thread.
//!
//! What is hidden, see-through or cut away is not picked.

use crate::shape::{Aabb, Bvh, frame};
use crate::site::{ElementKind, Slot};
use crate::twin::scene::{Relaid, Scene, SiteOpened};
use crate::twin::view::{Drawn, View};
use bevy::ecs::system::SystemParam;
use bevy::prelude::*;
use bevy::tasks::{AsyncComputeTaskPool, Task, block_on, poll_once};
use glam::DVec3;
use std::sync::Arc;

/// The tree over the site that is open; none while it is built.
#[derive(Resource, Default)]
pub struct PickTree {
    tree: Option<Arc<Bvh>>,
    building: Option<Task<Bvh>>,
}

impl PickTree {
    /// True once the site can be picked.
    pub fn is_ready(&self) -> bool {
        self.tree.is_some()
    }
}

/// What a ray hits.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PickHit {
    /// The element.
    pub slot: Slot,
    /// Where, drawn frame.
    pub point: Vec3,
}

/// Asks what a ray hits.
#[derive(SystemParam)]
pub struct Picker<'w> {
    tree: Res<'w, PickTree>,
    scene: Option<Res<'w, Scene>>,
    view: Res<'w, View>,
}

impl Picker<'_> {
    /// The first element on a ray that is drawn and not cut away.
    pub fn hit(&self, ray: Ray3d) -> Option<PickHit> {
        let (tree, scene) = (self.tree.tree.as_ref()?, self.scene.as_ref()?);
        let view = &*self.view;
        let can_be_picked = |slot: Slot| {
            view.drawn(slot) == Drawn::Solid
                && scene.site.element(slot).is_some_and(|e| match e.kind {
                    ElementKind::Element => true,
                    ElementKind::Space => view.spaces,
                    ElementKind::Feature => !view.is_beside_the_section(e),
                })
        };
        let origin = frame::project(ray.origin);
        let direction = frame::project_direction(*ray.direction);
        let hit = tree.pick_below(origin, direction, view.section_m, can_be_picked)?;
        // In a plan the floors are coloured by their rooms, so a floor is its room.
        let room = if view.is_plan() { room_above(scene, view, hit.point) } else { None };
        Some(PickHit { slot: room.unwrap_or(hit.slot), point: frame::drawn(hit.point) })
    }
}

/// Floors lie within this of the bottom of their rooms, metres.
const FLOOR_M: f64 = 0.12;

/// The room of the shown storey whose floor a point (project frame) lies on.
fn room_above(scene: &Scene, view: &View, point: DVec3) -> Option<Slot> {
    let is_over = |b: &Aabb| {
        (b.min.x..=b.max.x).contains(&point.x)
            && (b.min.y..=b.max.y).contains(&point.y)
            && (b.min.z - point.z).abs() <= FLOOR_M
    };
    let area = |b: Aabb| (b.max.x - b.min.x) * (b.max.y - b.min.y);
    let rooms = scene.site.iter().filter(|(slot, e)| {
        e.kind == ElementKind::Space && e.storey == view.storey && view.drawn(*slot) == Drawn::Solid
    });
    // Where the box of a corner-shaped room reaches over another one, the smaller is the one that is meant.
    rooms
        .filter_map(|(slot, e)| Some((slot, e.bounds.filter(is_over)?)))
        .min_by(|a, b| area(a.1).total_cmp(&area(b.1)))
        .map(|(slot, _)| slot)
}

/// Builds the tree whenever a site was opened.
pub struct PickingPlugin;

impl Plugin for PickingPlugin {
    fn build(&self, app: &mut App) {
        app.init_resource::<PickTree>().add_systems(Update, (begin, finish).chain().in_set(crate::Step::Ingest));
    }
}

fn begin(
    mut opened: MessageReader<SiteOpened>,
    mut relaid: MessageReader<Relaid>,
    scene: Option<Res<Scene>>,
    mut tree: ResMut<PickTree>,
) {
    let another = opened.read().count() > 0;
    let moved = relaid.read().last().map(|r| r.site.clone());
    let Some(scene) = scene else { return };
    let site = match moved {
        Some(site) if !another => site,
        _ if another => scene.site.clone(),
        _ => return,
    };
    tree.tree = None;
    let build = async move { Bvh::with_details(&site.elements, &site.shapes, &site.details) };
    tree.building = Some(AsyncComputeTaskPool::get().spawn(build));
}

fn finish(mut tree: ResMut<PickTree>) {
    let Some(task) = tree.bypass_change_detection().building.as_mut() else { return };
    if let Some(built) = block_on(poll_once(task)) {
        tree.tree = Some(Arc::new(built));
        tree.building = None;
    }
}
