//! From findings to actions: alarms, first form (raise, acknowledge, clear).

pub mod alarm;

pub use alarm::{Alarm, AlarmId, AlarmList, AlarmSeverity, AlarmState};
