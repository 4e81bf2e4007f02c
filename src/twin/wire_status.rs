//! How the wire to the sensors is, for people to see. Filled by whoever holds the client.

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
