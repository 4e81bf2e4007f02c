//! Acknowledgements that wait until what they are for is kept.

use super::lock;
use crate::telemetry::historian::Kept;
use rumqttc::{AsyncClient, Publish, QoS};
use std::sync::Mutex;
use tokio::sync::Notify;

/// What may be acknowledged: filled by the historian, emptied by the client's thread.
#[derive(Debug, Default)]
pub(super) struct Acks {
    kept: Mutex<Vec<u64>>,
    wake: Notify,
}

/// The packet of a connection: what it says after a reconnect belongs to another message.
pub(super) fn token(connection: u32, packet_id: u16) -> u64 {
    u64::from(connection) << 16 | u64::from(packet_id)
}

impl Kept for Acks {
    fn kept(&self, tokens: &[u64]) {
        lock(&self.kept).extend_from_slice(tokens);
        self.wake.notify_one();
    }
}

impl Acks {
    /// Returns once there is something to acknowledge.
    pub(super) async fn some(&self) {
        while lock(&self.kept).is_empty() {
            self.wake.notified().await;
        }
    }

    /// Acknowledges what came on this connection, in the order in which it came (MQTT 3.1.1, 4.6), and forgets what
    /// came on one before: the broker sends that again.
    pub(super) fn send(&self, connection: u32, client: &AsyncClient) {
        let kept = std::mem::take(&mut *lock(&self.kept));
        for token in kept.into_iter().filter(|t| t >> 16 == u64::from(connection)) {
            let mut publish = Publish::new("", QoS::AtLeastOnce, Vec::new());
            publish.pkid = (token & 0xFFFF) as u16;
            // Its queue holds more than a connection has packet ids.
            if client.try_ack(&publish).is_err() {
                return;
            }
        }
    }
}
