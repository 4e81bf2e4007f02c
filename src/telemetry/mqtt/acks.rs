//! Acknowledgements that wait until what they are for is kept.

use super::lock;
use super::wire::Hand;
use crate::site::project::Qos;
use crate::telemetry::historian::Kept;
use std::sync::Mutex;
use tokio::sync::Notify;

/// What may be acknowledged: filled by the historian, emptied by the client's thread.
#[derive(Debug, Default)]
pub(super) struct Acks {
    kept: Mutex<Vec<u64>>,
    wake: Notify,
}

/// Set for a message at QoS 2.
const TWICE: u64 = 1 << 48;

/// The packet of a connection: what it says after a reconnect belongs to another message. None at QoS 0, where nothing
/// is acknowledged.
pub(super) fn token(connection: u32, packet_id: u16, qos: Qos) -> Option<u64> {
    let twice = match qos {
        Qos::AtMostOnce => return None,
        Qos::AtLeastOnce => 0,
        Qos::ExactlyOnce => TWICE,
    };
    Some(twice | u64::from(connection) << 16 | u64::from(packet_id))
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

    /// Acknowledges what came on this connection, in the order in which it came (MQTT 3.1.1, 4.6): PUBACK, or PUBREC for
    /// QoS 2. Forgets what came on one before: the broker sends that again.
    pub(super) fn send(&self, connection: u32, hand: &dyn Hand) {
        let kept = std::mem::take(&mut *lock(&self.kept));
        for token in kept.into_iter().filter(|t| t >> 16 & u64::from(u32::MAX) == u64::from(connection)) {
            let qos = if token & TWICE == 0 { Qos::AtLeastOnce } else { Qos::ExactlyOnce };
            // Its queue holds more than a connection has packet ids.
            if !hand.acknowledge((token & 0xFFFF) as u16, qos) {
                return;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Default)]
    struct Said(Mutex<Vec<(u16, Qos)>>);

    impl Hand for Said {
        fn subscribe(&self, _: &[String], _: Qos) -> bool {
            false
        }

        fn publish(&self, _: &str, _: Qos, _: bool, _: Vec<u8>) -> bool {
            false
        }

        fn acknowledge(&self, id: u16, qos: Qos) -> bool {
            lock(&self.0).push((id, qos));
            true
        }

        fn leave(&self) -> bool {
            false
        }
    }

    #[test]
    fn each_is_acknowledged_as_it_came_and_on_its_own_connection() {
        let (acks, said) = (Acks::default(), Said::default());
        let of = |connection, id, qos| token(connection, id, qos).unwrap();
        assert_eq!(token(1, 0, Qos::AtMostOnce), None);
        acks.kept(&[of(1, 7, Qos::AtLeastOnce), of(2, 65_535, Qos::ExactlyOnce), of(2, 1, Qos::AtLeastOnce)]);
        acks.kept(&[of(u32::MAX, 1, Qos::ExactlyOnce), of(2, 2, Qos::ExactlyOnce)]);
        acks.send(2, &said);
        let all = lock(&said.0).clone();
        assert_eq!(all, [(65_535, Qos::ExactlyOnce), (1, Qos::AtLeastOnce), (2, Qos::ExactlyOnce)]);
        acks.send(1, &said);
        assert_eq!(lock(&said.0).len(), 3, "what came before the reconnect is forgotten");
    }
}
