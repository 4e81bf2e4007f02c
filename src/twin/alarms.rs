//! The alarm list, kept by what changes in the health of points.

use crate::operations::AlarmList;
use bevy::prelude::*;

/// Every alarm of this run.
#[derive(Resource, Clone, Debug, Default)]
pub struct Alarms(pub AlarmList);

/// Raises, returns and acknowledges alarms.
pub struct AlarmsPlugin;

impl Plugin for AlarmsPlugin {
    fn build(&self, app: &mut App) {
        app.init_resource::<Alarms>();
    }
}
