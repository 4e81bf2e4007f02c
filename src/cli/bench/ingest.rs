//! Messages from a broker into components and history, and what reading one costs.

mod paced;
mod peers;

use super::{Row, synthetic};
use crate::TwinPlugins;
use crate::history::Place;
use crate::problem::Problem;
use crate::site::Site;
use crate::site::project::{Broker, Ingest, Retention};
use crate::telemetry::historian::{Historian, Settings, Source};
use crate::telemetry::mqtt::Recording;
use crate::telemetry::payload::Payload;
use crate::telemetry::topics::{Route, TopicMap};
use crate::telemetry::{self, Publisher};
use crate::twin::scene::OpenSite;
use crate::twin::telemetry::{Inlet, Intake};
use bevy::prelude::*;
use cpu_time::{ProcessTime, ThreadTime};
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// Points that the messages go to.
const POINTS: usize = 1000;
/// Messages under way at once: less than the embedded broker keeps.
const WINDOW: u64 = 20_000;
/// A tick, as on a screen.
const TICK: Duration = Duration::from_millis(16);
/// A measurement that takes longer than this has failed.
const PATIENCE: Duration = Duration::from_secs(60);
const NO_BROKER: &str = "look whether a firewall guards loopback";

/// Rows for what the README names.
///
/// # Errors
/// The embedded broker cannot be started, or what was published did not all arrive.
pub fn run() -> Result<Vec<Row>, Problem> {
    let mut rows = vec![reading()];
    let bare = flow(400_000, 1, 0, false)?;
    let case = "messages a second through the embedded broker into components, QoS 0, no history";
    rows.push(Row::at_least(case, "per_s", bare.per_s, 50_000.0));
    rows.push(Row::only("the same: CPU of the whole process a message", "cpu_s", bare.cpu_s));
    let single = flow(400_000, 1, 0, true)?;
    let case = "messages a second through the embedded broker into components and history, QoS 0";
    rows.push(Row::at_least(case, "per_s", single.per_s, 100_000.0));
    rows.push(Row::only("the same: CPU of the whole process a message", "cpu_s", single.cpu_s));
    let acknowledged = flow(200_000, 1, 1, true)?;
    let case = "messages a second into components and history, published at QoS 1";
    rows.push(Row::at_least(case, "per_s", acknowledged.per_s, 50_000.0));
    let batched = flow(1_000_000, 100, 0, true)?;
    rows.push(Row::only("samples a second into components and history, 100 in a message", "per_s", batched.per_s));
    let case = "the same: samples for a second of one core (broker, publisher and history included)";
    rows.push(Row::at_least(case, "per_s", 1.0 / batched.cpu_s, 100_000.0));
    rows.push(Row::only("messages a second that one of our publishers gets acknowledged", "per_s", publishing()?));
    let late = paced::run(10_000, Duration::from_secs(10))?;
    let case = "99 of 100 of 10,000 messages a second: from publish to component, a tick of 16 ms included";
    rows.push(Row::at_most(case, "ms", late.p99_s * 1000.0, 100.0));
    let calm = paced::run(CALM_PER_S, CALM)?;
    let case = "share of one core at 5,000 messages a second: broker, client, history, components";
    rows.push(Row::at_most(case, "cores", calm.cores, 0.15));
    rows.extend(peers::rows(CALM_PER_S, CALM, calm.cores));
    Ok(rows)
}

/// A building's usual load: so many messages a second, for so long.
const CALM_PER_S: u64 = 5000;
const CALM: Duration = Duration::from_secs(10);

struct Flow {
    per_s: f64,
    cpu_s: f64,
}

/// A twin that is connected to its embedded broker, with a history or without.
struct Stage {
    app: App,
    connection: telemetry::Connection,
    at: SocketAddr,
    /// The historian and its folder.
    kept: Option<(Historian, tempfile::TempDir)>,
}

impl Stage {
    fn new(history: bool) -> Result<Self, Problem> {
        let site = synthetic::site(POINTS, POINTS);
        let kept = history.then(historian).transpose()?;
        let connection = connect(&site, kept.as_ref().map(|(h, _)| h))?;
        let at = address(&connection)?;
        let mut app = App::new();
        app.add_plugins(MinimalPlugins).add_plugins(TwinPlugins);
        app.insert_resource(OpenSite(Arc::new(site))).insert_resource(Inlet(connection.arrivals.clone()));
        app.update();
        Ok(Self { app, connection, at, kept })
    }

    /// Lets a tick pass; samples that are in components after it.
    fn tick(&mut self) -> u64 {
        self.app.update();
        self.app.world().get_resource::<Intake>().map_or(0, |i| i.samples)
    }

    /// Waits until all is kept; samples that are.
    fn keep(&self) -> Option<u64> {
        let (historian, _) = self.kept.as_ref()?;
        historian.flush(PATIENCE);
        Some(historian.status().stored)
    }

    fn stop(&mut self) {
        self.connection.stop();
        if let Some((historian, _)) = &mut self.kept {
            historian.stop();
        }
    }
}

/// A historian over an embedded history in a folder of its own.
fn historian() -> Result<(Historian, tempfile::TempDir), Problem> {
    let no_folder = |e: std::io::Error| Problem::error("bench ingest", format!("no folder for a history: {e}"), "");
    let folder = tempfile::Builder::new().prefix("plenum-bench-").tempdir().map_err(no_folder)?;
    let place = Place::File(folder.path().join("history.db"));
    let source = Source {
        place: place.shown(),
        open: Box::new(move || place.open().map(|o| (o.history, o.problems))),
        bytes: Box::new(|| None),
    };
    Ok((Historian::start(source, Settings::default())?, folder))
}

/// `samples` samples, `batch` in a message, from a socket through the embedded broker into components, and into a
/// history where one is asked for.
fn flow(samples: u64, batch: u64, qos: u8, history: bool) -> Result<Flow, Problem> {
    let mut stage = Stage::new(history)?;
    let at = stage.at;

    let taken = Arc::new(AtomicU64::new(0));
    let give_up = Arc::new(AtomicBool::new(false));
    let (cpu, wall) = (ProcessTime::now(), Instant::now());
    let publisher = std::thread::spawn({
        let (taken, give_up) = (Arc::clone(&taken), Arc::clone(&give_up));
        move || publish(at, samples, batch, qos, &taken, &give_up)
    });
    let mut arrived = 0;
    while arrived < samples && wall.elapsed() < PATIENCE {
        let tick = Instant::now();
        arrived = stage.tick();
        taken.store(arrived, Ordering::Relaxed);
        if arrived < samples {
            std::thread::sleep(TICK.saturating_sub(tick.elapsed()));
        }
    }
    let stored = stage.keep();
    let (cpu, wall) = (cpu.elapsed().as_secs_f64(), wall.elapsed().as_secs_f64());
    give_up.store(true, Ordering::Relaxed);
    let sent = publisher.join();
    stage.stop();
    if arrived < samples {
        let why = match sent {
            Ok(Err(e)) => format!("{arrived} of {samples} samples arrived: {e}"),
            _ => format!("{arrived} of {samples} samples arrived in {PATIENCE:?}"),
        };
        return Err(Problem::error("bench ingest", why, NO_BROKER));
    }
    if stored.is_some_and(|n| n != samples) {
        return Err(Problem::error("bench ingest", format!("{stored:?} of {samples} samples are kept"), ""));
    }
    let wire = stage.connection.subscriber.stats();
    if wire.samples != samples || wire.publishers.lost() != Some(0) || wire.publishers.duplicate() > 0 {
        return Err(Problem::error("bench ingest", format!("not each sample came once: {wire:?}"), ""));
    }
    Ok(Flow { per_s: samples as f64 / wall, cpu_s: cpu / samples as f64 })
}

/// Messages a second that [`Publisher`] gets acknowledged, alone with the broker.
fn publishing() -> Result<f64, Problem> {
    const COUNT: usize = 50_000;
    let mut connection = connect(&synthetic::site(POINTS, POINTS), None)?;
    let publisher = Publisher::connect(&connection.address, "plenum-bench")?;
    let wall = Instant::now();
    for i in 0..COUNT {
        publisher.publish(&format!("bench/{}", i % POINTS), message(i as u64, 1))?;
        // Nobody else takes them here.
        while connection.arrivals.try_recv().is_ok() {}
    }
    let all = publisher.flush(PATIENCE);
    let per_s = COUNT as f64 / wall.elapsed().as_secs_f64();
    connection.stop();
    if all { Ok(per_s) } else { Err(Problem::error("bench ingest", "the broker does not acknowledge", NO_BROKER)) }
}

/// CPU seconds to read one message into a sample: route, JSON, RFC 3339 time, unit, range.
fn reading() -> Row {
    const COUNT: usize = 200_000;
    let site = synthetic::site(POINTS, POINTS);
    let map = TopicMap::new(&site.points, None);
    let messages: Vec<(String, Vec<u8>)> = (0..POINTS)
        .map(|i| {
            (
                format!("bench/{i}"),
                format!(r#"{{"ts":"2026-05-11T06:00:{:02}.123Z","v":{}.25,"seq":{i},"pub":"bench"}}"#, i % 60, i % 40)
                    .into_bytes(),
            )
        })
        .collect();
    let mut payload = Payload::default();
    let mut sum = 0.0;
    let cpu = ThreadTime::now();
    for (topic, bytes) in messages.iter().cycle().take(COUNT) {
        let Route::Points(topic) = map.route(topic) else { continue };
        if payload.read(bytes, |key| topic.find(key)).is_err() {
            continue;
        }
        for value in &payload.values {
            if let telemetry::payload::Wire::Number(number) = value.wire {
                sum += topic.targets(value.found.clone()).map(|t| t.number(number).0).sum::<f64>();
            }
        }
    }
    let each = cpu.elapsed().as_secs_f64() / COUNT as f64;
    // What was read is used, so that it cannot be left out.
    Row::at_most(format!("reading one message (mean value {:.1})", sum / COUNT as f64), "cpu_s", each, 1e-6)
}

fn connect(site: &Site, historian: Option<&Historian>) -> Result<telemetry::Connection, Problem> {
    let broker = Broker { subscribe: vec!["bench/#".into()], ..Broker::default() };
    let recorded = historian.map(|h| telemetry::Recorded {
        recording: Recording { inlet: h.inlet(), receipts: "plenum/receipts".into() },
        retention: Retention::default(),
    });
    telemetry::connect_recorded(&broker, &Ingest::default(), None, &site.points, "bench", recorded)
}

fn address(connection: &telemetry::Connection) -> Result<SocketAddr, Problem> {
    let broker =
        connection.embedded.as_ref().ok_or_else(|| Problem::error("bench ingest", "no embedded broker", ""))?;
    Ok(broker.address())
}

/// Publishes over a socket of its own, many packets in one write, as a gateway would: so it is the
/// broker and our client that are measured. Stays at most [`WINDOW`] samples ahead of `taken`.
fn publish(
    at: SocketAddr,
    samples: u64,
    batch: u64,
    qos: u8,
    taken: &AtomicU64,
    give_up: &AtomicBool,
) -> std::io::Result<()> {
    let mut socket = join(at)?;
    if qos > 0 {
        // Acknowledgements are only counted by the broker; they must be read or it would wait.
        let mut answers = socket.try_clone()?;
        std::thread::spawn(move || std::io::copy(&mut answers, &mut std::io::sink()));
    }
    let mut packets = Vec::with_capacity(1 << 16);
    let mut sent = 0;
    while sent < samples {
        while sent >= taken.load(Ordering::Relaxed) + WINDOW.max(batch * 100) {
            if give_up.load(Ordering::Relaxed) {
                return Ok(());
            }
            std::thread::sleep(Duration::from_millis(1));
        }
        packets.clear();
        for _ in 0..50 {
            let number = sent / batch;
            append(&mut packets, &format!("bench/{}", number % POINTS as u64), &message(sent, batch), qos, number);
            sent += batch;
            if sent >= samples {
                break;
            }
        }
        socket.write_all(&packets)?;
    }
    socket.write_all(&[0xE0, 0])
}

/// A socket that has introduced itself to the broker.
fn join(at: SocketAddr) -> std::io::Result<TcpStream> {
    let mut socket = TcpStream::connect(at)?;
    socket.set_nodelay(true)?;
    let id = b"plenum-bench-source";
    let mut connect = vec![0x10, 12 + id.len() as u8, 0, 4, b'M', b'Q', b'T', b'T', 4, 2, 0, 60, 0, id.len() as u8];
    connect.extend_from_slice(id);
    socket.write_all(&connect)?;
    socket.read_exact(&mut [0; 4])?;
    Ok(socket)
}

/// A payload with `batch` samples, each later than the one before it.
fn message(first: u64, batch: u64) -> Vec<u8> {
    let one = |i: u64| format!(r#"{{"ts":{},"v":{}.5,"seq":{i},"pub":"bench"}}"#, 1_778_479_200_000 + i, i % 40);
    if batch == 1 {
        return one(first).into_bytes();
    }
    let list: Vec<String> = (first..first + batch).map(one).collect();
    format!("[{}]", list.join(",")).into_bytes()
}

/// Appends an MQTT PUBLISH packet.
fn append(packets: &mut Vec<u8>, topic: &str, payload: &[u8], qos: u8, number: u64) {
    packets.push(0x30 | (qos << 1));
    let mut length = 2 + topic.len() + payload.len() + if qos > 0 { 2 } else { 0 };
    loop {
        let low = (length & 0x7F) as u8;
        length >>= 7;
        packets.push(if length > 0 { low | 0x80 } else { low });
        if length == 0 {
            break;
        }
    }
    packets.extend_from_slice(&(topic.len() as u16).to_be_bytes());
    packets.extend_from_slice(topic.as_bytes());
    if qos > 0 {
        packets.extend_from_slice(&((number % 60_000) as u16 + 1).to_be_bytes());
    }
    packets.extend_from_slice(payload);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_sample_reaches_its_component() {
        for (samples, batch, qos, history) in
            [(2000, 1, 0, false), (2000, 1, 0, true), (2000, 1, 1, true), (5000, 100, 0, true)]
        {
            let flow = flow(samples, batch, qos, history).unwrap();
            assert!(flow.per_s > 0.0 && flow.cpu_s > 0.0);
        }
    }
}
