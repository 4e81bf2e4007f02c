//! How the wire to the sensors is, for people to see. Filled by whoever holds the client.

use crate::site::{PointIndex, Slot};
use crate::time::Time;
use bevy::prelude::*;

/// The broker and what it brings.
#[derive(Resource, Clone, Debug, Default, PartialEq)]
pub struct WireStatus {
    /// What people call the broker: `embedded 127.0.0.1:1883`; empty while there is none.
    pub broker: String,
    /// The connection in words: `connected`, `waiting 4 s`, `refused: bad password`.
    pub state: String,
    /// Samples can arrive.
    pub connected: bool,
    /// Samples taken over in the last second.
    pub samples_per_s: f64,
    /// Messages that could not be read.
    pub rejected: u64,
    /// Samples known to be lost; none where nobody can tell.
    pub lost: Option<u64>,
    /// The last messages that could not be read, newest last.
    pub quarantine: Vec<Quarantined>,
    /// Topics that no point is bound to.
    pub unmatched: Vec<String>,
}

/// One message that could not be read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Quarantined {
    /// When it arrived.
    pub arrival: Time,
    /// Its topic.
    pub topic: String,
    /// Why it could not be read.
    pub reason: String,
    /// The beginning of its payload.
    pub payload: String,
}

/// What comes on the wire, topic by topic, while somebody looks. Filled by whoever holds the client.
#[derive(Resource, Clone, Debug, Default, PartialEq)]
pub struct Topics {
    /// Somebody looks.
    pub on: bool,
    /// Every topic that came since, by name.
    pub rows: Vec<Topic>,
    /// Messages of further topics, which found no room.
    pub untold: u64,
}

/// One topic.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Topic {
    /// Its name.
    pub name: String,
    /// Messages since somebody looks.
    pub messages: u64,
    /// Messages a second, of late.
    pub per_s: f64,
    /// When the last came.
    pub last: Time,
    /// Length of the last payload, bytes.
    pub length: usize,
    /// The beginning of the last payload, as text.
    pub payload: String,
    /// What it brings.
    pub keys: Vec<TopicKey>,
}

/// One value of a topic's payloads.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TopicKey {
    /// Its key; empty for a bare value.
    pub key: String,
    /// UCUM code of its unit, where the payload says one.
    pub unit: Option<&'static str>,
    /// The point that it feeds.
    pub point: Option<PointIndex>,
}

/// What comes on a topic is to feed a point.
#[derive(Clone, Debug, PartialEq)]
pub struct Bind {
    /// The element.
    pub slot: Slot,
    /// The point's role.
    pub role: String,
    /// The template that the role is of.
    pub template: String,
    /// The whole topic.
    pub topic: String,
    /// The payload's key; empty for a bare value.
    pub key: String,
}
