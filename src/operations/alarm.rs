//! Alarms: what asks for a person. States are those of ISA-18.2.

use crate::analytics::Health;
use crate::site::{PointIndex, Slot};
use crate::time::Time;
use serde::Serialize;

/// The number of an alarm, unique in a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AlarmId(pub u32);

/// Where an alarm is in its life (ISA-18.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum AlarmState {
    /// Active, and nobody has seen it.
    Unacknowledged,
    /// Active, and somebody has.
    Acknowledged,
    /// No longer active, and nobody has seen it.
    Returned,
    /// No longer active and seen: over.
    Normal,
}

/// How much an alarm matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum AlarmSeverity {
    /// A device has gone silent.
    Low,
    /// Outside a warning limit.
    Medium,
    /// Outside a critical limit.
    High,
}

/// One alarm.
#[derive(Clone, Debug, PartialEq)]
pub struct Alarm {
    /// Its number.
    pub id: AlarmId,
    /// The asset it is about.
    pub asset: Slot,
    /// The point that raised it.
    pub point: PointIndex,
    /// What people read: `Valve does not follow its command`.
    pub name: String,
    /// How much it matters; the worst it has been while active.
    pub severity: AlarmSeverity,
    /// Where it is in its life.
    pub state: AlarmState,
    /// When it was raised, by the twin's clock.
    pub raised_at: Time,
    /// When it returned to normal.
    pub returned_at: Option<Time>,
    /// When somebody acknowledged it.
    pub acknowledged_at: Option<Time>,
    /// What to do about it.
    pub remedy: String,
}

/// Every alarm of a run, newest last.
#[derive(Clone, Debug, Default)]
pub struct AlarmList {
    alarms: Vec<Alarm>,
}

impl AlarmList {
    /// Every alarm, oldest first.
    pub fn all(&self) -> &[Alarm] {
        &self.alarms
    }

    /// Takes a point's change of health: raises, escalates or returns its alarm. True when the list changed.
    pub fn observe(
        &mut self,
        asset: Slot,
        point: PointIndex,
        name: &str,
        remedy: &str,
        health: Health,
        now: Time,
    ) -> bool {
        let _ = (asset, point, name, remedy, health, now);
        false
    }

    /// Somebody has seen it. True when the list changed.
    pub fn acknowledge(&mut self, id: AlarmId, now: Time) -> bool {
        let _ = (id, now);
        false
    }
}
