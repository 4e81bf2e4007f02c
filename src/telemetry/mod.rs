//! From the wire to samples: payloads, topics, the MQTT client, the embedded broker, the publisher.
//!
//! Only [`mqtt`] and [`broker`] speak MQTT. A message that cannot be read is counted and quarantined
//! with its reason; it never stops its neighbours.
//!
//! ```text
//! socket ─▶ mqtt::Subscriber ─▶ intake (topics, payload, checks) ─▶ queue of Arrival, bounded ─▶ twin
//!                                        └─▶ historian ─▶ history
//! ```
//!
//! When the queue is full, because the twin has not taken anything for long, a broker elsewhere is made to
//! wait: the socket is left unread, and the broker keeps what comes. Our own broker would drop the oldest
//! without a word, so it is never made to wait: the oldest go on this side, counted (see [`mod@queue`]).
//! Where there is a history it gets everything, whatever the twin does, and the oldest of what waits for the twin go.

pub mod broker;
pub mod checks;
pub mod gateway;
pub mod historian;
pub mod inspect;
mod intake;
pub mod keeper;
pub mod mqtt;
pub mod nature;
pub mod payload;
pub mod quarantine;
pub mod queue;
pub mod receipts;
pub mod sample;
pub mod sequence;
pub mod sparkplug;
pub mod topics;

#[cfg(test)]
mod testing;

pub use intake::WireStats;
pub use mqtt::{Address, ConnectionStatus, Publisher};
pub use sample::{Arrival, Sample};

use crate::problem::Problem;
use crate::site::Point;
use crate::site::project::{Broker, BrokerUrl, Ingest, Retention, Sparkplug};
use crate::time::Time;
use broker::EmbeddedBroker;
use crossbeam_channel::Receiver;
use historian::Declared;
use mqtt::{Meaning, Recording, Rewire, Subscriber, Subscription};
use queue::{WhenFull, queue};
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use topics::{TopicMap, filter_matches};
use uuid::Uuid;

/// A project's way to its samples. Dropping it ends the subscription, then the embedded broker.
pub struct Connection {
    /// Samples and the site's clock, in the order they came off the wire.
    pub arrivals: Receiver<Arrival>,
    /// `embedded 127.0.0.1:PORT` or the broker's URL.
    pub broker: String,
    /// For those who publish to the same broker.
    pub address: Address,
    /// The subscription: its status and counts.
    pub subscriber: Subscriber,
    /// The broker inside this program, where the project asks for it.
    pub embedded: Option<EmbeddedBroker>,
    /// What will not arrive as the project stands: points on topics that nothing subscribes to.
    pub problems: Vec<Problem>,
    /// The way to change what topics mean.
    pub rewiring: Rewiring,
}

impl Connection {
    /// Ends the subscription and the embedded broker, and waits for both.
    pub fn stop(&mut self) {
        self.subscriber.stop();
        if let Some(broker) = &mut self.embedded {
            broker.stop();
        }
    }
}

/// The way to change what topics mean while a connection goes on.
#[derive(Clone)]
pub struct Rewiring {
    rewire: Rewire,
    filters: Vec<String>,
    ingest: Ingest,
    retention: Retention,
    when_full: WhenFull,
}

impl Rewiring {
    /// Topics stand for other points from the next message on; gives where samples with their numbers arrive, and what
    /// will not: topics that nothing subscribes to. What was on its way arrives where it did, and then that queue ends.
    pub fn to(&self, points: &[Point], clock_topic: Option<&str>) -> (Receiver<Arrival>, Vec<Problem>) {
        let meaning = meaning(points, clock_topic, &self.ingest, &self.retention);
        let problems = not_subscribed(&meaning.topics, &self.filters);
        let (entrance, arrivals) = queue(self.ingest.queue, self.when_full);
        self.rewire.to(meaning, entrance);
        (arrivals, problems)
    }

    /// The points of a site as the history shall know them.
    pub fn declared(&self, points: &[Point]) -> Arc<Declared> {
        Arc::new(Declared::of(points, &self.retention))
    }
}

/// What topics mean to a site.
fn meaning(points: &[Point], clock_topic: Option<&str>, ingest: &Ingest, retention: &Retention) -> Meaning {
    Meaning {
        topics: Arc::new(TopicMap::new(points, clock_topic)),
        known: points.iter().map(|p| nature::known(p, ingest)).collect(),
        declared: Arc::new(Declared::of(points, retention)),
    }
}

/// A history that a connection writes to.
pub struct Recorded {
    /// The way to it.
    pub recording: Recording,
    /// How long it keeps which points.
    pub retention: Retention,
}

/// Starts the embedded broker if the project asks for it, and the subscription.
///
/// With the embedded broker it returns once it is subscribed, so that nothing published afterwards is
/// missed. To another broker it connects in the background: see [`Subscriber::wait_connected`].
///
/// # Errors
/// The port is in use, a secret or certificate cannot be read, or a topic filter is none.
pub fn connect(
    broker: &Broker,
    ingest: &Ingest,
    clock_topic: Option<&str>,
    points: &[Point],
    project_name: &str,
) -> Result<Connection, Problem> {
    connect_recorded(broker, ingest, clock_topic, points, project_name, None)
}

/// As [`connect`]; every sample goes to a history too, before the twin's queue.
///
/// # Errors
/// As [`connect`].
pub fn connect_recorded(
    broker: &Broker,
    ingest: &Ingest,
    clock_topic: Option<&str>,
    points: &[Point],
    project_name: &str,
    recorded: Option<Recorded>,
) -> Result<Connection, Problem> {
    let (recording, retention) = recorded.map(|r| (r.recording, r.retention)).unzip();
    let retention = retention.unwrap_or_default();
    let meaning = meaning(points, clock_topic, ingest, &retention);
    let embedded = match broker.url {
        BrokerUrl::Embedded { port } => Some(EmbeddedBroker::start(port, ingest.max_payload_bytes)?),
        BrokerUrl::Remote { .. } => None,
    };
    let address = Address::resolve(broker, embedded.as_ref().map(EmbeddedBroker::address))?;

    let mut filters = broker.subscribe.clone();
    if let Some(clock) = clock_topic.filter(|c| !filters.iter().any(|f| filter_matches(f, c))) {
        filters.push(clock.to_owned());
    }
    filters.extend(ingest.sparkplug.iter().flat_map(Sparkplug::filters));
    let problems = not_subscribed(&meaning.topics, &filters);
    let when_full = if embedded.is_some() || recording.is_some() { WhenFull::DropOldest } else { WhenFull::Wait };
    let (queue, arrivals) = queue(ingest.queue, when_full);
    // rumqttd takes no id with a slash in it, say; and nobody else names clients on our own broker.
    let named = broker.client_id.clone().filter(|id| embedded.is_none() && !id.is_empty());
    let client_id = named.unwrap_or_else(|| client_id(project_name));
    let heard = filters.clone();
    let subscription = Subscription { client_id, filters, meaning, ingest: ingest.clone(), queue, recording };
    let subscriber = Subscriber::start(address.clone(), subscription)?;
    if embedded.is_some() && !subscriber.wait_connected(Duration::from_secs(10)) {
        return Err(Problem::error(
            address.label(),
            format!("the embedded broker does not let us in: {}", subscriber.status()),
            "look whether a firewall guards loopback",
        ));
    }
    let ingest = ingest.clone();
    let rewiring = Rewiring { rewire: subscriber.rewire(), filters: heard, ingest, retention, when_full };
    Ok(Connection { arrivals, broker: address.label(), address, subscriber, embedded, problems, rewiring })
}

/// Topics that points are bound to and nothing subscribes to.
fn not_subscribed(topics: &TopicMap, filters: &[String]) -> Vec<Problem> {
    let missed = topics.not_covered_by(filters);
    let Some(first) = missed.first() else { return Vec::new() };
    vec![Problem::warning(
        "[broker] subscribe",
        format!("{} topics that points are bound to are not subscribed to, `{first}` for one", missed.len()),
        "add a filter that covers them, `site/#` say",
    )]
}

/// The client id of a project on this machine: always the same, so that the broker keeps what comes
/// while the connection is away, and another one on every machine.
pub fn client_id(project_name: &str) -> String {
    let machine = ["HOSTNAME", "COMPUTERNAME"].iter().find_map(|name| std::env::var(name).ok());
    let machine = machine.or_else(|| std::fs::read_to_string("/etc/hostname").ok()).unwrap_or_default();
    let unique = Uuid::new_v5(&Uuid::NAMESPACE_OID, format!("{project_name}\n{}", machine.trim()).as_bytes());
    let name: String = project_name.chars().filter(char::is_ascii_alphanumeric).take(16).collect();
    let hex = unique.simple().to_string();
    format!("plenum-{name}-{}", hex.get(..8).unwrap_or_default())
}

/// This machine's clock.
pub fn wall_clock() -> Time {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Time(since.as_millis() as i64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn client_ids_are_steady_and_distinct() {
        assert_eq!(client_id("Riverside Clinic"), client_id("Riverside Clinic"));
        assert_ne!(client_id("Riverside Clinic"), client_id("Riverside Clinic 2"));
        // What every MQTT broker takes.
        assert!(client_id("Ж/#+ a very long name of a project indeed").len() <= 32);
        assert!(client_id("#").bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-'));
    }
}
