//! The alarm list, kept by what changes in the health of points.

use super::clock::TwinClock;
use super::command::Command;
use super::health::{HealthChanged, judge};
use super::replay::{Restore, Rewound};
use super::scene::{Scene, SiteOpened};
use crate::Step;
use crate::operations::alarm::AlarmSeverity;
use crate::operations::{Alarm, AlarmList};
use crate::site::revision::Carry;
use bevy::prelude::*;

/// Every alarm of this run.
#[derive(Resource, Clone, Debug, Default)]
pub struct Alarms(pub AlarmList);

/// Something of Plenum itself fails, or works again: it becomes an alarm of no element.
#[derive(Message, Clone, Debug, PartialEq)]
pub struct OwnFault {
    /// What people read, always the same.
    pub name: String,
    /// What to do about it.
    pub remedy: String,
    /// How much it matters; none: it works again.
    pub severity: Option<AlarmSeverity>,
}

/// Raises, returns and acknowledges alarms.
pub struct AlarmsPlugin;

impl Plugin for AlarmsPlugin {
    fn build(&self, app: &mut App) {
        app.init_resource::<Alarms>()
            .add_message::<OwnFault>()
            .add_systems(Update, raise.in_set(Step::Judge).after(judge))
            .add_systems(Update, acknowledge.in_set(Step::Act));
    }
}

fn raise(
    mut opened: MessageReader<SiteOpened>,
    mut rewound: MessageReader<Rewound>,
    mut changes: MessageReader<HealthChanged>,
    mut faults: MessageReader<OwnFault>,
    clock: Res<TwinClock>,
    scene: Option<Res<Scene>>,
    mut alarms: ResMut<Alarms>,
) {
    if opened.read().any(SiteOpened::is_another) | (rewound.read().count() > 0) {
        alarms.0 = AlarmList::default();
    }
    for fault in faults.read() {
        let list = alarms.bypass_change_detection();
        if list.0.observe_own(&fault.name, &fault.remedy, fault.severity, clock.now) {
            alarms.set_changed();
        }
    }
    let Some(scene) = scene else { return };
    for change in changes.read() {
        let Some(point) = scene.site.points.get(change.point.0 as usize) else { continue };
        let list = alarms.bypass_change_detection();
        if list.0.observe(point.asset, change.point, &point.name, &point.remedy, change.health, change.at) {
            alarms.set_changed();
        }
    }
}

/// Takes the list along to another state of the site; the alarms that were not over and have nothing to return by.
pub(super) fn carry(world: &mut World, carry: &Carry) -> Vec<Alarm> {
    let Some(mut alarms) = world.get_resource_mut::<Alarms>() else { return Vec::new() };
    alarms.0.carry(|slot| carry.slot(slot), |point| carry.point(point))
}

/// Puts the list aside; gives the way to bring it back.
pub(super) fn put_aside(world: &mut World) -> Restore {
    let alarms = world.remove_resource::<Alarms>().unwrap_or_default();
    world.init_resource::<Alarms>();
    Box::new(move |world| world.insert_resource(alarms))
}

fn acknowledge(mut commands: MessageReader<Command>, clock: Res<TwinClock>, mut alarms: ResMut<Alarms>) {
    for command in commands.read() {
        if let Command::Acknowledge(id) = command
            && alarms.bypass_change_detection().0.acknowledge(*id, clock.now)
        {
            alarms.set_changed();
        }
    }
}
