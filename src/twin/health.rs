//! Health of points and assets, and its roll-up to storeys and systems.
//!
//! Every sample is judged at its own device time, so that confirm times mean the same at any speed of
//! the site's clock; what falls silent is judged by the twin's clock.

use super::clock::TwinClock;
use super::replay::{Restore, Rewound};
use super::scene::{Scene, SiteOpened};
use super::telemetry::Fresh;
use crate::Step;
use crate::analytics::Health;
use crate::analytics::health::Judgement;
use crate::quality::Quality;
use crate::site::point::PointSource;
use crate::site::revision::Carry;
use crate::site::{Point, PointIndex};
use crate::time::Time;
use bevy::prelude::*;

/// How a point is.
#[derive(Component, Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PointHealth(pub Health);

/// How an element is: the worst of its points. Only elements with points have one.
#[derive(Component, Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct AssetHealth(pub Health);

/// A point's health has changed.
#[derive(Message, Clone, Copy, Debug, PartialEq)]
pub struct HealthChanged {
    /// Whose.
    pub point: PointIndex,
    /// To what.
    pub health: Health,
    /// When, by the twin's clock.
    pub at: Time,
}

/// How storeys and systems are: the worst of their assets, by index into the site's lists.
#[derive(Resource, Clone, Debug, Default)]
pub struct Rollup {
    /// By storey.
    pub storeys: Vec<Health>,
    /// By system.
    pub systems: Vec<Health>,
    /// Points that are good, warning, critical, stale, unknown.
    pub points: HealthCounts,
}

/// How many are how.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct HealthCounts {
    /// Inside their limits.
    pub good: usize,
    /// Outside their warning limits.
    pub warning: usize,
    /// Outside their critical limits.
    pub critical: usize,
    /// Silent for too long.
    pub stale: usize,
    /// Never heard of.
    pub unknown: usize,
}

impl HealthCounts {
    fn of(&mut self, health: Health) -> &mut usize {
        match health {
            Health::Good => &mut self.good,
            Health::Warning => &mut self.warning,
            Health::Critical => &mut self.critical,
            Health::Stale => &mut self.stale,
            Health::Unknown => &mut self.unknown,
        }
    }

    /// One of them is otherwise now.
    fn change(&mut self, before: Health, after: Health) {
        *self.of(before) -= 1;
        *self.of(after) += 1;
    }

    /// The worst that there is one of; unknown when there is none.
    fn worst(&self) -> Health {
        let counts = [
            (self.good, Health::Good),
            (self.warning, Health::Warning),
            (self.critical, Health::Critical),
            (self.stale, Health::Stale),
        ];
        let there = counts.into_iter().filter(|(n, _)| *n > 0);
        there.fold(Health::Unknown, |worst, (_, health)| worst.worst(health))
    }
}

/// Judges points and rolls up.
pub struct HealthPlugin;

impl Plugin for HealthPlugin {
    fn build(&self, app: &mut App) {
        app.add_message::<HealthChanged>()
            .init_resource::<Rollup>()
            .init_resource::<Judgements>()
            .add_systems(Update, (prepare, judge, roll_up).chain().in_set(Step::Judge));
    }
}

/// What the judging remembers: each point, and how many assets of a group are how, so that a change costs the
/// same however many assets there are.
#[derive(Resource, Default)]
pub(super) struct Judgements {
    points: Vec<Remembered>,
    /// Of each storey's assets.
    storeys: Vec<HealthCounts>,
    /// Of each system's assets.
    systems: Vec<HealthCounts>,
    /// The twin's time at the last look for silence.
    looked_at: Time,
}

#[derive(Clone, Copy, Default)]
pub(super) struct Remembered {
    judgement: Judgement,
    value: f64,
    quality: Quality,
    device_time: Option<Time>,
}

impl Remembered {
    /// Judges again; the new health when it is another.
    fn judge(&mut self, point: &Point, now: Time) -> Option<Health> {
        let before = self.judgement.health;
        // A rule says nothing while its inputs do not allow it; their silence is their own alarm.
        let stale_after_s = match point.source {
            PointSource::Topic { .. } => point.stale_after_s,
            PointSource::Rule { .. } => f64::INFINITY,
        };
        let check = point.check.as_ref();
        let health = self.judgement.judge(check, self.value, self.quality, self.device_time, stale_after_s, now);
        (health != before).then_some(health)
    }
}

fn prepare(
    mut opened: MessageReader<SiteOpened>,
    mut rewound: MessageReader<Rewound>,
    scene: Option<Res<Scene>>,
    mut judgements: ResMut<Judgements>,
    mut rollup: ResMut<Rollup>,
    mut commands: Commands,
) {
    if !opened.read().any(SiteOpened::is_another) & (rewound.read().count() == 0) {
        return;
    }
    let Some(scene) = scene else { return };
    judgements.looked_at = Time::default();
    judgements.points = vec![Remembered::default(); scene.points.len()];
    judgements.storeys = vec![HealthCounts::default(); scene.site.storeys.len()];
    judgements.systems = vec![HealthCounts::default(); scene.site.systems.len()];
    let Judgements { storeys, systems, .. } = &mut *judgements;
    for element in scene.bound.iter().filter_map(|slot| scene.site.element(*slot)) {
        let of_storey = element.storey.and_then(|s| storeys.get_mut(s as usize));
        of_storey.into_iter().for_each(|counts| counts.unknown += 1);
        for system in &element.systems {
            systems.get_mut(*system as usize).into_iter().for_each(|counts| counts.unknown += 1);
        }
    }
    rollup.points = HealthCounts { unknown: scene.points.len(), ..HealthCounts::default() };
    rollup.storeys = vec![Health::Unknown; scene.site.storeys.len()];
    rollup.systems = vec![Health::Unknown; scene.site.systems.len()];
    for entity in &scene.points {
        commands.entity(*entity).insert(PointHealth::default());
    }
    for slot in &scene.bound {
        if let Some(entity) = scene.elements.get(slot.0 as usize) {
            commands.entity(*entity).insert(AssetHealth::default());
        }
    }
}

/// Takes what is judged along to another state of the site, and rolls it up anew: other points and other elements
/// belong together now.
pub(super) fn carry(world: &mut World, carry: &Carry) {
    let Some(scene) = world.remove_resource::<Scene>() else { return };
    let mut judgements = world.remove_resource::<Judgements>().unwrap_or_default();
    let mut points = vec![Remembered::default(); scene.points.len()];
    for (i, old) in judgements.points.iter().enumerate() {
        if let Some(now) = carry.point(PointIndex(i as u32)).and_then(|p| points.get_mut(p.0 as usize)) {
            *now = *old;
        }
    }
    let mut rollup = Rollup::default();
    for (entity, point) in scene.points.iter().zip(&points) {
        let health = point.judgement.health;
        *rollup.points.of(health) += 1;
        world.entity_mut(*entity).insert(PointHealth(health));
    }
    let mut storeys = vec![HealthCounts::default(); scene.site.storeys.len()];
    let mut systems = vec![HealthCounts::default(); scene.site.systems.len()];
    for ((slot, element), entity) in scene.site.iter().zip(&scene.elements) {
        let own = scene.points_of(slot);
        if own.is_empty() {
            world.entity_mut(*entity).remove::<AssetHealth>();
            continue;
        }
        let healths = own.iter().filter_map(|p| points.get(p.0 as usize)).map(|p| p.judgement.health);
        let worst = healths.fold(Health::Unknown, Health::worst);
        world.entity_mut(*entity).insert(AssetHealth(worst));
        let of_storey = element.storey.and_then(|s| storeys.get_mut(s as usize));
        of_storey.into_iter().for_each(|counts| *counts.of(worst) += 1);
        for system in &element.systems {
            systems.get_mut(*system as usize).into_iter().for_each(|counts| *counts.of(worst) += 1);
        }
    }
    rollup.storeys = storeys.iter().map(HealthCounts::worst).collect();
    rollup.systems = systems.iter().map(HealthCounts::worst).collect();
    (judgements.points, judgements.storeys, judgements.systems) = (points, storeys, systems);
    world.insert_resource(judgements);
    world.insert_resource(rollup);
    world.insert_resource(scene);
}

/// Puts aside how everything is; gives the way to bring it back.
pub(super) fn put_aside(world: &mut World) -> Restore {
    let judgements = world.remove_resource::<Judgements>().unwrap_or_default();
    let rollup = world.get_resource::<Rollup>().cloned().unwrap_or_default();
    world.init_resource::<Judgements>();
    let mut of_points = world.query::<(Entity, &PointHealth)>();
    let points: Vec<(Entity, PointHealth)> = of_points.iter(world).map(|(e, h)| (e, *h)).collect();
    let mut of_assets = world.query::<(Entity, &AssetHealth)>();
    let assets: Vec<(Entity, AssetHealth)> = of_assets.iter(world).map(|(e, h)| (e, *h)).collect();
    Box::new(move |world| {
        world.insert_resource(judgements);
        world.insert_resource(rollup);
        world.try_insert_batch(points).ok();
        world.try_insert_batch(assets).ok();
    })
}

/// Judges what is fresh, then everything that may have waited long enough.
pub(super) fn judge(
    scene: Option<Res<Scene>>,
    clock: Res<TwinClock>,
    fresh: Res<Fresh>,
    mut judgements: ResMut<Judgements>,
    mut changes: MessageWriter<HealthChanged>,
) {
    let Some(scene) = scene else { return };
    let Judgements { points: remembered, looked_at, .. } = &mut *judgements;
    for sample in &fresh.0 {
        let i = sample.point.0 as usize;
        let (Some(point), Some(r)) = (scene.site.points.get(i), remembered.get_mut(i)) else { continue };
        (r.value, r.quality, r.device_time) = (sample.value, sample.quality, Some(sample.device_time));
        if let Some(health) = r.judge(point, sample.device_time) {
            changes.write(HealthChanged { point: sample.point, health, at: sample.device_time });
        }
    }
    if !clock.tells_age() {
        return;
    }
    // A clock that went back (the site's was heard for the first time) is looked at afresh.
    if (0.0..1.0).contains(&clock.now.seconds_since(*looked_at)) {
        return;
    }
    *looked_at = clock.now;
    for (i, (point, r)) in scene.site.points.iter().zip(remembered).enumerate() {
        if r.device_time.is_none() {
            continue;
        }
        if let Some(health) = r.judge(point, clock.now) {
            changes.write(HealthChanged { point: PointIndex(i as u32), health, at: clock.now });
        }
    }
}

fn roll_up(
    scene: Option<Res<Scene>>,
    mut changes: MessageReader<HealthChanged>,
    mut points: Query<&mut PointHealth>,
    mut assets: Query<&mut AssetHealth>,
    mut judgements: ResMut<Judgements>,
    mut rollup: ResMut<Rollup>,
) {
    let Some(scene) = scene else { return };
    let mut touched = Vec::new();
    for change in changes.read() {
        let i = change.point.0 as usize;
        let (Some(entity), Some(point)) = (scene.points.get(i), scene.site.points.get(i)) else { continue };
        let Ok(mut health) = points.get_mut(*entity) else { continue };
        rollup.points.change(health.0, change.health);
        health.0 = change.health;
        touched.push(point.asset);
    }
    if touched.is_empty() {
        return;
    }
    touched.sort_unstable();
    touched.dedup();
    for slot in touched {
        let worst = scene
            .points_of(slot)
            .iter()
            .filter_map(|p| points.get(*scene.points.get(p.0 as usize)?).ok())
            .fold(Health::Unknown, |worst, health| worst.worst(health.0));
        let (Some(entity), Some(element)) = (scene.elements.get(slot.0 as usize), scene.site.element(slot)) else {
            continue;
        };
        let Ok(mut asset) = assets.get_mut(*entity) else { continue };
        let before = asset.0;
        if !asset.set_if_neq(AssetHealth(worst)) {
            continue;
        }
        if let Some(storey) = element.storey {
            change_group(&mut judgements.storeys, &mut rollup.storeys, storey, before, worst);
        }
        for system in &element.systems {
            change_group(&mut judgements.systems, &mut rollup.systems, *system, before, worst);
        }
    }
}

/// One asset of a group is otherwise now.
fn change_group(counts: &mut [HealthCounts], rolled: &mut [Health], group: u32, before: Health, after: Health) {
    if let (Some(counts), Some(rolled)) = (counts.get_mut(group as usize), rolled.get_mut(group as usize)) {
        counts.change(before, after);
        *rolled = counts.worst();
    }
}
