//! The site as entities: one per element, space, map feature and point.

use crate::Step;
use crate::site::{ElementKind, PointIndex, Site, Slot};
use bevy::prelude::*;
use std::sync::Arc;

/// The site that is open, and the way from its numbers to its entities.
///
/// Domain data (names, properties, connections) stays in [`Site`]; entities carry what changes.
#[derive(Resource, Clone)]
pub struct Scene {
    /// The site.
    pub site: Arc<Site>,
    /// By slot: the element's entity.
    pub elements: Vec<Entity>,
    /// By [`PointIndex`]: the point's entity.
    pub points: Vec<Entity>,
    /// By slot: its points.
    pub points_of: Vec<Vec<PointIndex>>,
    /// The elements that have points.
    pub bound: Vec<Slot>,
}

impl Scene {
    /// The points of an element.
    pub fn points_of(&self, slot: Slot) -> &[PointIndex] {
        self.points_of.get(slot.0 as usize).map_or(&[], Vec::as_slice)
    }
}

/// The dense number of this entity's element: shared by the ECS, the GPU and the BVH.
#[derive(Component, Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[component(immutable)]
pub struct InSlot(pub Slot);

/// GlobalId or feature id.
#[derive(Component, Clone, Debug, PartialEq, Eq)]
#[component(immutable)]
pub struct GlobalId(pub String);

/// The file's own class.
#[derive(Component, Clone, Debug, PartialEq, Eq)]
#[component(immutable)]
pub struct Class(pub String);

/// On a point: the element it belongs to.
#[derive(Component, Clone, Debug, PartialEq, Eq)]
#[relationship(relationship_target = Points)]
pub struct PointOf(pub Entity);

/// On an element: its points.
#[derive(Component, Clone, Debug, Default, PartialEq, Eq)]
#[relationship_target(relationship = PointOf)]
pub struct Points(Vec<Entity>);

/// On a point: its number.
#[derive(Component, Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[component(immutable)]
pub struct IsPoint(pub PointIndex);

/// Sent when another site has been opened; [`Scene`] holds it.
#[derive(Message, Clone, Copy, Debug)]
pub struct SiteOpened;

/// A site to open, taken up at the start of the next tick.
#[derive(Resource)]
pub struct OpenSite(pub Arc<Site>);

/// The site that is open has another state: some of its models lie elsewhere. Every number stays what it is. [`Scene`]
/// holds the new state from the end of [`Step::Act`] on.
#[derive(Message, Clone, Debug)]
pub struct Relaid {
    /// The state before.
    pub was: Arc<Site>,
    /// The new one.
    pub site: Arc<Site>,
    /// The sources that lie elsewhere.
    pub sources: Vec<u16>,
}

/// Turns [`OpenSite`] into entities and a [`Scene`].
pub struct ScenePlugin;

impl Plugin for ScenePlugin {
    fn build(&self, app: &mut App) {
        app.add_message::<SiteOpened>()
            .add_message::<Relaid>()
            .add_systems(Update, open_site.run_if(resource_exists::<OpenSite>).before(Step::Ingest))
            .add_systems(Update, take_relaid.after(Step::Act).before(Step::Present));
    }
}

fn take_relaid(mut relaid: MessageReader<Relaid>, mut scene: Option<ResMut<Scene>>) {
    for Relaid { was, site, .. } in relaid.read() {
        if let Some(scene) = scene.as_mut().filter(|s| Arc::ptr_eq(&s.site, was)) {
            scene.site = Arc::clone(site);
        }
    }
}

fn open_site(world: &mut World) {
    let Some(OpenSite(site)) = world.remove_resource::<OpenSite>() else { return };
    if let Some(old) = world.remove_resource::<Scene>() {
        for entity in old.points.into_iter().chain(old.elements) {
            world.despawn(entity);
        }
    }
    let elements: Vec<Entity> = world
        .spawn_batch(
            site.iter()
                .map(|(slot, e)| (InSlot(slot), GlobalId(e.id.clone()), Class(e.class.clone()), Name::new(e.label())))
                .collect::<Vec<_>>(),
        )
        .collect();
    let mut points_of = vec![Vec::new(); elements.len()];
    let mut points = Vec::with_capacity(site.points.len());
    for (i, point) in site.points.iter().enumerate() {
        let index = PointIndex(i as u32);
        let slot = point.asset.0 as usize;
        points_of[slot].push(index);
        points.push(world.spawn((IsPoint(index), PointOf(elements[slot]), Name::new(point.id.clone()))).id());
    }
    for (entity, element) in elements.iter().zip(&site.elements) {
        match element.kind {
            ElementKind::Space => {
                world.entity_mut(*entity).insert(IsSpace);
            }
            ElementKind::Feature => {
                world.entity_mut(*entity).insert(IsFeature);
            }
            ElementKind::Element => {}
        }
    }
    let bound = points_of.iter().enumerate().filter(|(_, p)| !p.is_empty()).map(|(i, _)| Slot(i as u32)).collect();
    world.insert_resource(Scene { site, elements, points, points_of, bound });
    world.write_message(SiteOpened);
}

/// This entity is a space.
#[derive(Component, Clone, Copy, Debug)]
pub struct IsSpace;

/// This entity is a feature of a map layer.
#[derive(Component, Clone, Copy, Debug)]
pub struct IsFeature;
