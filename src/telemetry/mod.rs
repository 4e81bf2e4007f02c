//! From the wire to samples: payloads, topics, the MQTT client, the embedded broker, the publisher.
//!
//! Only [`mqtt`] and [`broker`] speak MQTT. A message that cannot be read is counted and quarantined
//! with its reason; it never stops its neighbours.
//!
//! ```text
//! files  ─▶ files::Files ─────▶ intake
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
pub mod files;
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
pub use mqtt::{Address, ConnectionStatus, Line, Publisher, Subscribers};
pub use sample::{Arrival, Sample};

use crate::problem::Problem;
use crate::site::Point;
use crate::site::point::PointSource;
use crate::site::project::{Broker, BrokerUrl, Ingest, Retention, Sparkplug};
use crate::time::Time;
use broker::EmbeddedBroker;
use crossbeam_channel::Receiver;
use files::{Files, Retable};
use historian::Declared;
use mqtt::{Meaning, Recording, Rewire, SiteClock, Subscriber, Subscription};
use queue::{WhenFull, queue};
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use topics::{TopicMap, filter_matches};
use uuid::Uuid;

/// A project's way to its samples. Dropping it ends the subscription, then the embedded broker.
pub struct Connection {
    /// Samples and the site's clock, in the order they came off the wire.
    pub arrivals: Receiver<Arrival>,
    /// `embedded 127.0.0.1:PORT` or the broker's URL; of several, all of them.
    pub broker: String,
    /// For those who publish to the same broker: the first of several.
    pub address: Address,
    /// For those who publish to all of them.
    pub addresses: Vec<Address>,
    /// The subscriptions, one for each broker: their status and counts.
    pub subscriber: Subscribers,
    /// The broker inside this program, where the project asks for it.
    pub embedded: Option<EmbeddedBroker>,
    /// What is read of tables beside the broker, where the project names any; it waits for [`Files::begin`].
    pub files: Option<Files>,
    /// What will not arrive as the project stands: points on topics that nothing subscribes to.
    pub problems: Vec<Problem>,
    /// The way to change what topics mean.
    pub rewiring: Rewiring,
}

impl Connection {
    /// Ends the subscription and the embedded broker, and waits for both.
    pub fn stop(&mut self) {
        self.subscriber.stop();
        self.files.iter_mut().for_each(Files::stop);
        if let Some(broker) = &mut self.embedded {
            broker.stop();
        }
    }
}

/// The way to change what topics mean while a connection goes on.
#[derive(Clone)]
pub struct Rewiring {
    wires: Vec<Wire>,
    retable: Option<Retable>,
    /// Topics of files: they come without a broker.
    tables: Vec<String>,
    ingest: Ingest,
    retention: Retention,
    when_full: WhenFull,
}

/// The way to change what topics mean on one broker.
#[derive(Clone)]
struct Wire {
    broker: String,
    filters: Vec<String>,
    rewire: Rewire,
}

impl Rewiring {
    /// Topics stand for other points from the next message on; gives where samples with their numbers arrive, and what
    /// will not: topics that nothing subscribes to. What was on its way arrives where it did, and then that queue ends.
    pub fn to(&self, points: &[Point], clock_topic: Option<&str>) -> (Receiver<Arrival>, Vec<Problem>) {
        let (entrance, arrivals) = queue(self.ingest.queue, self.when_full);
        for wire in &self.wires {
            let meaning = meaning(points, clock_topic, Some(&wire.broker), &self.ingest, &self.retention);
            wire.rewire.to(meaning, entrance.clone());
        }
        if let Some(retable) = &self.retable {
            retable.to(meaning(points, clock_topic, None, &self.ingest, &self.retention), entrance);
        }
        let problems = not_heard(points, clock_topic, &self.wires, &self.tables);
        (arrivals, problems)
    }

    /// The points of a site as the history shall know them.
    pub fn declared(&self, points: &[Point]) -> Arc<Declared> {
        Arc::new(Declared::of(points, &self.retention))
    }
}

/// What topics on a broker mean to a site; none: what those of files mean, whichever broker a point names.
fn meaning(
    points: &[Point],
    clock_topic: Option<&str>,
    broker: Option<&str>,
    ingest: &Ingest,
    retention: &Retention,
) -> Meaning {
    Meaning {
        topics: Arc::new(match broker {
            Some(broker) => TopicMap::on(broker, points, clock_topic),
            None => TopicMap::new(points, clock_topic),
        }),
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
    connect_brokers(&[broker], ingest, clock_topic, points, project_name, recorded)
}

/// As [`connect_recorded`], to several brokers at once: each has its own connection, and all bring samples to one twin
/// and one history. At most one of them is the embedded one.
///
/// # Errors
/// As [`connect`].
pub fn connect_brokers(
    brokers: &[&Broker],
    ingest: &Ingest,
    clock_topic: Option<&str>,
    points: &[Point],
    project_name: &str,
    recorded: Option<Recorded>,
) -> Result<Connection, Problem> {
    let (recording, retention) = recorded.map(|r| (r.recording, r.retention)).unzip();
    let retention = retention.unwrap_or_default();
    let mut embedded = None;
    let mut addresses = Vec::new();
    for broker in brokers {
        if let BrokerUrl::Embedded { port } = broker.url
            && embedded.is_none()
        {
            embedded = Some(EmbeddedBroker::start(port, ingest.max_payload_bytes)?);
        }
        addresses.push(Address::resolve(broker, embedded.as_ref().map(EmbeddedBroker::address))?);
    }
    let Some(address) = addresses.first().cloned() else {
        return Err(Problem::error("[broker]", "there is no broker", "name one: url = \"embedded\""));
    };
    let when_full = if embedded.is_some() || recording.is_some() { WhenFull::DropOldest } else { WhenFull::Wait };
    let (entrance, arrivals) = queue(ingest.queue, when_full);
    let clock = SiteClock::default();
    let mut subscriber = Subscribers::new();
    let mut wires = Vec::new();
    for (position, (broker, address)) in brokers.iter().zip(&addresses).enumerate() {
        let meaning = meaning(points, clock_topic, Some(&broker.name), ingest, &retention);
        let mut own: Vec<String> = ingest.sparkplug.iter().flat_map(Sparkplug::filters).collect();
        // Each twin has to hear the clock, whoever else shares in what comes.
        let covers = |b: &Broker, c: &&str| b.subscribe.iter().any(|f| filter_matches(f, c));
        let of_this = |c: &&str| match brokers.iter().any(|b| covers(b, c)) {
            true => broker.share.is_some() && covers(broker, c),
            false => position == 0,
        };
        own.extend(clock_topic.filter(of_this).map(str::to_owned));
        let filters: Vec<String> = broker.subscribe.iter().chain(&own).cloned().collect();
        if broker.share.is_some()
            && ingest.sparkplug.is_some()
            && broker.subscribe.iter().any(|f| filter_matches(f, &format!("{}x", sparkplug::NAMESPACE)))
        {
            return Err(Problem::error(
                format!("[broker] {}", broker.name),
                "Sparkplug cannot be shared: each twin has to hear each message of a node in its order",
                "leave Sparkplug's topics out of `subscribe`: each twin subscribes to them by itself",
            ));
        }
        let subscription = Subscription {
            client_id: client_id_on(broker, address, project_name, position),
            filters: broker.subscribe.clone(),
            share: broker.share.clone(),
            own,
            meaning,
            ingest: ingest.clone(),
            queue: entrance.clone(),
            recording: recording.clone(),
            clock: clock.clone(),
        };
        let one = Subscriber::start(address.clone(), subscription)?;
        if address.is_embedded() && embedded.is_some() && !one.wait_connected(Duration::from_secs(10)) {
            return Err(Problem::error(
                address.label(),
                format!("the embedded broker does not let us in: {}", one.status()),
                "look whether a firewall guards loopback",
            ));
        }
        wires.push(Wire { broker: broker.name.clone(), filters, rewire: one.rewire() });
        subscriber.push(broker.name.clone(), address.label(), one);
    }
    let files = if ingest.files.is_empty() {
        None
    } else {
        let meaning = meaning(points, clock_topic, None, ingest, &retention);
        Some(Files::start(meaning, ingest, clock_topic.is_some(), entrance, recording)?)
    };
    let tables: Vec<String> = ingest.files.iter().map(|f| f.topic.clone()).filter(|t| !t.is_empty()).collect();
    let problems = not_heard(points, clock_topic, &wires, &tables);
    let labels: Vec<String> = addresses.iter().map(Address::label).collect();
    let retable = files.as_ref().map(Files::retable);
    let rewiring = Rewiring { wires, retable, tables, ingest: ingest.clone(), retention, when_full };
    let broker = labels.join(", ");
    Ok(Connection { arrivals, broker, address, addresses, subscriber, embedded, files, problems, rewiring })
}

/// What will not arrive: points on topics that nothing subscribes to, on the broker that they name or on any; and points
/// that name a broker which the project does not have.
fn not_heard(points: &[Point], clock_topic: Option<&str>, wires: &[Wire], tables: &[String]) -> Vec<Problem> {
    let mut problems = Vec::new();
    let topics = points.iter().filter_map(|p| match &p.source {
        PointSource::Topic { topic, broker, .. } => Some((p.id.as_str(), topic.as_str(), broker.as_deref())),
        PointSource::Rule { .. } => None,
    });
    let (mut missed, mut strangers) = (Vec::new(), Vec::new());
    for (id, topic, broker) in topics.chain(clock_topic.map(|c| ("[clock]", c, None))) {
        let mut own = wires.iter().filter(|w| broker.is_none_or(|name| name == w.broker)).peekable();
        if own.peek().is_none() {
            strangers.push((id, broker.unwrap_or_default()));
        } else if !own.any(|w| w.filters.iter().any(|f| filter_matches(f, topic)))
            && !tables.iter().any(|t| filter_matches(t, topic))
        {
            missed.push(topic);
        }
    }
    missed.sort_unstable();
    missed.dedup();
    if let Some(first) = missed.first() {
        problems.push(Problem::warning(
            "[broker] subscribe",
            format!("{} topics that points are bound to are not subscribed to, `{first}` for one", missed.len()),
            "add a filter that covers them, `site/#` say",
        ));
    }
    if let Some((id, broker)) = strangers.first() {
        let names: Vec<&str> = wires.iter().map(|w| w.broker.as_str()).collect();
        problems.push(Problem::warning(
            (*id).to_owned(),
            format!("the project has no broker `{broker}`: nothing comes for {} points", strangers.len()),
            format!("name one of: {}", names.join(", ")),
        ));
    }
    problems
}

/// The client id on a broker: as the project says, else this project's on this machine; then what tells twins apart
/// that have one project, and a project's brokers when two of them are one.
fn client_id_on(broker: &Broker, address: &Address, project_name: &str, position: usize) -> String {
    // rumqttd takes no id with a slash in it, say; and nobody else names clients on our own broker.
    let named = broker.client_id.clone().filter(|id| !address.is_embedded() && !id.is_empty());
    let mut id = named.unwrap_or_else(|| match position {
        0 => client_id(project_name),
        _ => client_id(&format!("{project_name}\n{}", broker.name)),
    });
    if let Some(instance) = &broker.instance {
        id.push('-');
        id.push_str(instance);
    }
    id
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
