//! From the wire to samples: payloads, topics, the MQTT client, the embedded broker, the publisher.
//!
//! Only [`mqtt`] and [`broker`] speak MQTT. A message that cannot be read is counted and quarantined
//! with its reason; it never stops its neighbours.

pub mod broker;
pub mod mqtt;
pub mod payload;
pub mod quarantine;
pub mod sample;
pub mod topics;

pub use sample::{Arrival, Sample};
