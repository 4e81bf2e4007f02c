//! Birth, death and health: what a gateway says of itself and of its devices.
//!
//! On `plenum/gateway/{id}/status` and `plenum/gateway/{id}/devices/{name}`, retained, so that whoever comes later knows
//! too. The broker says `offline` where the gateway cannot (its last will).

use super::config::{self, Config};
use super::core::Core;
use crate::time::Time;
use serde_json::{Value, json};

/// How a device is.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct DeviceHealth {
    /// Whether it has answered the last time; none before the first.
    pub online: Option<bool>,
    /// Since when it is so.
    pub since: Option<Time>,
    /// When it answered last.
    pub last_answer: Option<Time>,
    /// The last thing that was wrong, with a point or with all of it.
    pub last_error: Option<String>,
    /// Readings, good and bad.
    pub reads: u64,
    /// Bad readings, and times that it did not answer.
    pub errors: u64,
    /// It has changed since it was last published.
    pub changed: bool,
}

impl DeviceHealth {
    /// It has answered.
    pub(super) fn answered(&mut self, at: Time, reads: u64, errors: u64, error: Option<String>) {
        self.turn(true, at);
        self.last_answer = Some(at);
        self.reads += reads;
        self.errors += errors;
        if error.is_some() && error != self.last_error {
            self.last_error = error;
            self.changed = true;
        }
    }

    /// It does not answer; true when it did not before either.
    pub(super) fn gone(&mut self, at: Time, reason: &str) -> bool {
        let was = self.online == Some(false);
        self.turn(false, at);
        self.errors += 1;
        self.last_error = Some(reason.to_owned());
        was
    }

    fn turn(&mut self, online: bool, at: Time) {
        if self.online != Some(online) {
            (self.online, self.since, self.changed) = (Some(online), Some(at), true);
        }
    }

    /// `online`, `offline`, or `unknown` before the first answer.
    pub fn word(&self) -> &'static str {
        match self.online {
            Some(true) => "online",
            Some(false) => "offline",
            None => "unknown",
        }
    }

    /// As it is published and printed.
    pub fn document(&self, device: &config::Device) -> Value {
        json!({
            "name": device.name,
            "kind": device.kind.word(),
            "state": self.word(),
            "since": self.since,
            "last_answer": self.last_answer,
            "points": device.points.len(),
            "reads": self.reads,
            "errors": self.errors,
            "last_error": self.last_error,
        })
    }
}

/// The topic of a gateway's own state.
pub fn topic(config: &Config) -> String {
    format!("{}/{}/status", config.status, config.id)
}

/// The topic of a device's state.
pub fn device_topic(config: &Config, device: &config::Device) -> String {
    format!("{}/{}/devices/{}", config.status, config.id, device.name)
}

/// What the broker says when the gateway is gone without a good-bye.
pub fn death(config: &Config, started: Time) -> Vec<u8> {
    let document = json!({"id": config.id, "state": "offline", "reason": "connection lost", "started": started});
    document.to_string().into_bytes()
}

/// What the gateway says of itself. `age_s` is how old the oldest sample is that is not confirmed, seconds.
pub fn document(core: &Core, state: &str, now: Time, age_s: Option<f64>) -> Value {
    let config = core.config();
    let spool = core.dispatch.spool();
    json!({
        "id": config.id,
        "publisher": core.publisher(),
        "state": state,
        "ts": now,
        "started": core.started(),
        "devices": config.devices.len(),
        "devices_online": core.health().filter(|(_, h)| h.online == Some(true)).count(),
        "points": config.points(),
        "read": core.read,
        "samples": core.counts(),
        "waiting": core.dispatch.waiting(),
        "backlog": core.dispatch.backlog(),
        "backlog_age_s": age_s,
        "spool_bytes": spool.bytes(),
        "spool_limit_bytes": config.options.limit_bytes,
        "disk_fault": core.dispatch.disk_fault,
    })
}

/// What a gateway says of a device.
pub fn device_document(device: &config::Device, health: &DeviceHealth, now: Time) -> Value {
    let mut document = health.document(device);
    if let Some(object) = document.as_object_mut() {
        object.insert("ts".into(), json!(now));
        let unit = |p: &config::Point| json!({"name": p.name, "topic": p.topic, "key": p.key, "unit": p.unit.code});
        object.insert("measures".into(), device.points.iter().map(unit).collect());
    }
    document
}
