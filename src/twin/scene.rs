//! The site as entities: one per element, space, map feature and point.

use crate::Step;
use crate::site::revision::Carry;
use crate::site::{Element, ElementKind, Point, PointIndex, Site, Slot};
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
#[derive(Message, Clone, Debug, Default)]
pub struct SiteOpened {
    /// It is the same site, read again: what its numbers have become. What the twin knew of it has been taken along.
    pub carry: Option<Arc<Carry>>,
}

impl SiteOpened {
    /// True when it is a site of which nothing is known yet.
    pub fn is_another(&self) -> bool {
        self.carry.is_none()
    }
}

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

pub(super) fn open_site(world: &mut World) {
    let Some(OpenSite(site)) = world.remove_resource::<OpenSite>() else { return };
    if let Some(old) = world.remove_resource::<Scene>() {
        for entity in old.points.into_iter().chain(old.elements) {
            world.despawn(entity);
        }
    }
    let elements: Vec<Entity> =
        world.spawn_batch(site.iter().map(|(slot, e)| of_element(slot, e)).collect::<Vec<_>>()).collect();
    let points = site.points.iter().enumerate().map(|(i, point)| {
        let asset = elements.get(point.asset.0 as usize).copied().unwrap_or(Entity::PLACEHOLDER);
        world.spawn(of_point(PointIndex(i as u32), point, asset)).id()
    });
    let points = points.collect();
    for (entity, element) in elements.iter().zip(&site.elements) {
        mark_kind(world, *entity, element.kind);
    }
    world.insert_resource(Scene::new(site, elements, points));
    world.write_message(SiteOpened::default());
}

impl Scene {
    fn new(site: Arc<Site>, elements: Vec<Entity>, points: Vec<Entity>) -> Self {
        let mut points_of = vec![Vec::new(); elements.len()];
        for (i, point) in site.points.iter().enumerate() {
            if let Some(of) = points_of.get_mut(point.asset.0 as usize) {
                of.push(PointIndex(i as u32));
            }
        }
        let has_points = points_of.iter().enumerate().filter(|(_, p)| !p.is_empty());
        let bound = has_points.map(|(i, _)| Slot(i as u32)).collect();
        Self { site, elements, points, points_of, bound }
    }
}

fn of_element(slot: Slot, element: &Element) -> (InSlot, GlobalId, Class, Name) {
    (InSlot(slot), GlobalId(element.id.clone()), Class(element.class.clone()), Name::new(element.label()))
}

fn of_point(index: PointIndex, point: &Point, asset: Entity) -> (IsPoint, PointOf, Name) {
    (IsPoint(index), PointOf(asset), Name::new(point.id.clone()))
}

fn mark_kind(world: &mut World, entity: Entity, kind: ElementKind) {
    let Ok(mut entity) = world.get_entity_mut(entity) else { return };
    match kind {
        ElementKind::Space => {
            entity.insert(IsSpace);
        }
        ElementKind::Feature => {
            entity.insert(IsFeature);
        }
        ElementKind::Element => {}
    }
}

/// Puts another state of the site that is open in its place. What is still there keeps its entity, and what other
/// plugins keep on it; what is gone goes; what is new comes. False when no site is open.
pub(super) fn exchange(world: &mut World, site: Arc<Site>, carry: &Carry) -> bool {
    let Some(old) = world.remove_resource::<Scene>() else { return false };
    let next = carry.slots.iter().map(|s| s.map(|s| s.0));
    let (elements, gone_elements) = taken_along(&old.elements, next, site.elements.len());
    let next = carry.points.iter().map(|p| p.map(|p| p.0));
    let (points, gone_points) = taken_along(&old.points, next, site.points.len());
    // Points first: each is the point of an element.
    for entity in gone_points {
        world.despawn(entity);
    }
    let elements: Vec<Entity> = elements
        .into_iter()
        .zip(site.iter())
        .map(|(entity, (slot, element))| {
            let entity = match entity {
                Some(entity) => {
                    world.entity_mut(entity).remove::<(IsSpace, IsFeature)>().insert(of_element(slot, element));
                    entity
                }
                None => world.spawn(of_element(slot, element)).id(),
            };
            mark_kind(world, entity, element.kind);
            entity
        })
        .collect();
    let points: Vec<Entity> = points
        .into_iter()
        .zip(site.points.iter().enumerate())
        .map(|(entity, (i, point))| {
            let asset = elements.get(point.asset.0 as usize).copied().unwrap_or(Entity::PLACEHOLDER);
            let bundle = of_point(PointIndex(i as u32), point, asset);
            match entity {
                Some(entity) => world.entity_mut(entity).insert(bundle).id(),
                None => world.spawn(bundle).id(),
            }
        })
        .collect();
    for entity in gone_elements {
        world.despawn(entity);
    }
    world.insert_resource(Scene::new(site, elements, points));
    true
}

/// Entities by their new numbers, and those that have none; no number is given twice.
fn taken_along(
    old: &[Entity],
    next: impl Iterator<Item = Option<u32>>,
    count: usize,
) -> (Vec<Option<Entity>>, Vec<Entity>) {
    let mut taken = vec![None; count];
    let mut gone = Vec::new();
    for (entity, next) in old.iter().zip(next.chain(std::iter::repeat(None))) {
        match next.and_then(|n| taken.get_mut(n as usize)).filter(|t| t.is_none()) {
            Some(place) => *place = Some(*entity),
            None => gone.push(*entity),
        }
    }
    (taken, gone)
}

/// This entity is a space.
#[derive(Component, Clone, Copy, Debug)]
pub struct IsSpace;

/// This entity is a feature of a map layer.
#[derive(Component, Clone, Copy, Debug)]
pub struct IsFeature;
