//! Computed points: the rules of the project, evaluated as samples come in.
//!
//! What a device said at one moment is taken together, so that a rule never sees half of a message.

use super::replay::{Restore, Rewound};
use super::scene::{Scene, SiteOpened};
use super::telemetry::{Compute, Fresh};
use crate::analytics::rules::{Computed, RuleSet};
use crate::problem::Problem;
use crate::quality::Quality;
use crate::site::revision::Carry;
use crate::site::{PointIndex, Site, Slot};
use crate::telemetry::Sample;
use crate::time::Time;
use bevy::prelude::*;

/// The project's rules, bound to the site's points.
#[derive(Resource, Default)]
pub struct Rules {
    set: RuleSet,
    /// Rules that could not be bound, and why.
    pub problems: Vec<Problem>,
    /// By point: the last good value and when it was measured.
    latest: Vec<Option<(f64, Time)>>,
    ordered: Vec<Sample>,
    computed: Vec<Computed>,
}

/// Adds what rules compute to [`Fresh`].
pub struct RulesPlugin;

impl Plugin for RulesPlugin {
    fn build(&self, app: &mut App) {
        app.init_resource::<Rules>().add_systems(Update, (bind, compute).chain().in_set(Compute));
    }
}

fn bind(
    mut opened: MessageReader<SiteOpened>,
    mut rewound: MessageReader<Rewound>,
    scene: Option<Res<Scene>>,
    mut rules: ResMut<Rules>,
) {
    if !opened.read().any(SiteOpened::is_another) & (rewound.read().count() == 0) {
        return;
    }
    let Some(scene) = scene else { return };
    *rules = Rules::of(&scene.site);
}

impl Rules {
    fn of(site: &Site) -> Self {
        let (set, problems) = RuleSet::new(site);
        Self { set, problems, latest: vec![None; site.points.len()], ..Self::default() }
    }
}

/// Binds the rules to another state of the site; what was measured, and what windows remember, is taken along.
pub(super) fn carry(world: &mut World, site: &Site, carry: &Carry) {
    let Some(mut rules) = world.get_resource_mut::<Rules>() else { return };
    let mut next = Rules::of(site);
    next.set.take_over(&rules.set, |point| carry.point(point));
    for (i, last) in rules.latest.iter().enumerate() {
        let now = carry.point(PointIndex(i as u32)).and_then(|p| next.latest.get_mut(p.0 as usize));
        if let Some(now) = now {
            *now = *last;
        }
    }
    *rules = next;
}

/// Puts aside what the rules remember; gives the way to bring it back.
pub(super) fn put_aside(world: &mut World) -> Restore {
    let rules = world.remove_resource::<Rules>().unwrap_or_default();
    world.init_resource::<Rules>();
    Box::new(move |world| world.insert_resource(rules))
}

fn compute(scene: Option<Res<Scene>>, mut rules: ResMut<Rules>, mut fresh: ResMut<Fresh>) {
    let Some(scene) = scene else { return };
    if fresh.0.is_empty() || rules.set.is_empty() {
        return;
    }
    let Rules { set, latest, ordered, computed, .. } = &mut *rules;
    ordered.clear();
    let mut samples = fresh.0.iter().copied().peekable();
    while let Some(sample) = samples.next() {
        ordered.push(sample);
        if set.reads(sample.point) {
            if let Some(last) = latest.get_mut(sample.point.0 as usize) {
                *last = sample.quality.is_good().then_some((sample.value, sample.device_time));
            }
            set.touch(sample.point, sample.device_time);
        }
        let moment = |s: &Sample| (s.device_time, asset(&scene.site, s));
        if samples.peek().is_some_and(|next| moment(next) == moment(&sample)) {
            continue;
        }
        computed.clear();
        set.run(|point| fresh_enough(&scene.site, latest, point.0 as usize, sample.device_time), computed);
        ordered.extend(computed.iter().map(|c| Sample {
            point: c.point,
            device_time: c.time,
            arrival: sample.arrival,
            value: c.value,
            quality: Quality::Simulated,
            code: 0,
        }));
    }
    std::mem::swap(&mut fresh.0, ordered);
}

fn asset(site: &Site, sample: &Sample) -> Option<Slot> {
    site.points.get(sample.point.0 as usize).map(|p| p.asset)
}

/// The last good value of a point unless it is stale by `now`.
fn fresh_enough(site: &Site, latest: &[Option<(f64, Time)>], point: usize, now: Time) -> Option<f64> {
    let (value, at) = latest.get(point).copied().flatten()?;
    (now.seconds_since(at) <= site.points.get(point)?.stale_after_s).then_some(value)
}
