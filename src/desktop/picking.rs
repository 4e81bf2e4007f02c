//! Which element is under the pointer: our own tree over the site, built off the main thread.
//!
//! What is hidden, see-through or cut away is not picked.

use crate::shape::{Bvh, frame};
use crate::site::{ElementKind, Slot};
use crate::twin::scene::{Scene, SiteOpened};
use crate::twin::view::{Drawn, View};
use bevy::ecs::system::SystemParam;
use bevy::prelude::*;
use bevy::tasks::{AsyncComputeTaskPool, Task, block_on, poll_once};
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
                && scene.site.element(slot).is_some_and(|e| e.kind != ElementKind::Space || view.spaces)
        };
        let origin = frame::project(ray.origin);
        let direction = frame::project_direction(*ray.direction);
        let hit = tree.pick_below(origin, direction, view.section_m, can_be_picked)?;
        Some(PickHit { slot: hit.slot, point: frame::drawn(hit.point) })
    }
}

/// Builds the tree whenever a site was opened.
pub struct PickingPlugin;

impl Plugin for PickingPlugin {
    fn build(&self, app: &mut App) {
        app.init_resource::<PickTree>().add_systems(Update, (begin, finish).chain().after(crate::twin::Step::Ingest));
    }
}

fn begin(mut opened: MessageReader<SiteOpened>, scene: Option<Res<Scene>>, mut tree: ResMut<PickTree>) {
    if opened.read().count() == 0 {
        return;
    }
    let Some(scene) = scene else { return };
    let site = scene.site.clone();
    tree.tree = None;
    tree.building =
        Some(AsyncComputeTaskPool::get().spawn(async move { Bvh::of_elements(&site.elements, &site.shapes) }));
}

fn finish(mut tree: ResMut<PickTree>) {
    let Some(task) = tree.bypass_change_detection().building.as_mut() else { return };
    if let Some(built) = block_on(poll_once(task)) {
        tree.tree = Some(Arc::new(built));
        tree.building = None;
    }
}
