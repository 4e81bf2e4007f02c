//! `plenum emulate`: publishes what a building's devices would measure.

use super::field::{Field, FieldSettings, Publish, publisher_id};
use super::interrupt::{self, interrupted, listen};
use super::output::{Failure, parse_duration, print_json};
use super::{live, open};
use crate::problem::{Problem, Severity};
use crate::simulation::emulator::{FaultSpec, InjectedFault};
use crate::site::project::BrokerUrl;
use crate::telemetry::keeper::Keeper;
use crate::telemetry::mqtt::{Address, Message, Publisher};
use crate::time::Time;
use serde::Serialize;
use std::path::PathBuf;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// Publishes what a building's devices would measure, to the project's broker or to the one named.
#[derive(clap::Args)]
pub struct Args {
    /// A folder that holds twin.toml, or that file.
    project: PathBuf,
    /// Where to publish: mqtt://HOST:PORT (this machine only) or mqtts://HOST:PORT; user, password and
    /// certificates are the project's.
    #[arg(long, value_name = "URL")]
    broker: Option<String>,
    /// Draws weather, people, noise and faulty assets.
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,
    /// Simulated seconds in a second.
    #[arg(long, value_name = "X", default_value_t = 1.0)]
    speed: f64,
    /// The building's time at the start, RFC 3339 [default: 2026-05-11T09:00:00Z].
    #[arg(long, value_name = "T", value_parser = parse_time)]
    start: Option<Time>,
    /// Breaks something: NAME[:ASSET][=SEVERITY]@T, repeatable. Names: stuck-valve, leaking-valve, stuck-damper,
    /// coil-fouling, filter-clogging, pump-wear, pipe-blockage, leak, short-cycling, sensor-bias, sensor-drift,
    /// sensor-freeze, sensor-dropout, sensor-noise.
    #[arg(long = "fault", value_name = "F")]
    faults: Vec<String>,
    /// Stops after this long (60s, 5m, 2h); without it, at Ctrl-C.
    #[arg(long = "for", value_name = "T", value_parser = parse_duration)]
    duration: Option<Duration>,
    /// Keeps what it published until the history has it (a receipt says so), and sends it again where none comes for
    /// so long.
    #[arg(long, value_name = "PATIENCE", value_parser = parse_duration, num_args = 0..=1, default_missing_value = "5s")]
    keep: Option<Duration>,
    /// Prints what was published as JSON at the end.
    #[arg(long)]
    json: bool,
}

pub(super) fn parse_time(text: &str) -> Result<Time, String> {
    Time::parse(text).ok_or_else(|| format!("`{text}` is not a moment; write 2026-05-11T09:00:00Z"))
}

/// Reads the faults of a command line.
pub(super) fn parse_faults(texts: &[String]) -> Result<Vec<FaultSpec>, Failure> {
    texts.iter().map(|t| FaultSpec::parse(t).map_err(Failure::Usage)).collect()
}

/// [`parse_faults`], for a run that ends by itself: a fault that would come after the end is wrong use.
pub(super) fn parse_faults_before(texts: &[String], end: Option<Duration>) -> Result<Vec<FaultSpec>, Failure> {
    let faults = parse_faults(texts)?;
    let end_s = end.map_or(f64::INFINITY, |d| d.as_secs_f64());
    match texts.iter().zip(&faults).find(|(_, f)| f.at_s >= end_s) {
        None => Ok(faults),
        Some((text, fault)) => Err(Failure::Usage(Problem::error(
            format!("--fault {text}"),
            format!("it would come after {} s, and the run ends after {end_s} s", fault.at_s),
            "give it an earlier @T, or the run a longer --for; both are seconds of this machine's clock",
        ))),
    }
}

#[derive(Serialize)]
struct Document {
    seconds: f64,
    seed: u64,
    speed: f64,
    broker: String,
    clock: Time,
    samples: Published,
    messages: u64,
    faults: Vec<InjectedFault>,
    problems: Vec<Problem>,
}

#[derive(Serialize)]
struct Published {
    published: u64,
    acknowledged_messages: u64,
    waiting_messages: u64,
    /// Samples that the history has said it has; none without --keep.
    receipted: Option<u64>,
    resent_messages: Option<u64>,
}

/// A publisher of the telemetry room, as a place for messages.
struct Wire(std::sync::Arc<Publisher>);

impl Publish for Wire {
    fn publish(&mut self, topic: &str, payload: &[u8], _: Option<[u64; 2]>) -> Result<(), Problem> {
        // Offered again by the devices, which look in between whether they should stop.
        self.0.publish_within(Duration::from_millis(250), topic, payload.to_vec(), Message::default())
    }

    fn flush(&mut self, timeout: Duration) -> Result<(), Problem> {
        if self.0.settle(timeout, live::QUIET) {
            return Ok(());
        }
        let waiting = self.0.stats().waiting;
        Err(Problem::warning(
            "broker",
            format!("{waiting} messages were not acknowledged before the end"),
            "look whether the broker runs",
        ))
    }
}

/// As [`Wire`], with a memory: see [`Keeper`].
struct Kept {
    keeper: std::sync::Arc<Mutex<Keeper>>,
    clock: Wire,
}

impl Publish for Kept {
    fn publish(&mut self, topic: &str, payload: &[u8], counted: Option<[u64; 2]>) -> Result<(), Problem> {
        match counted {
            Some(numbers) => lock(&self.keeper).publish(topic, payload, numbers, Duration::from_millis(250)),
            None => self.clock.publish(topic, payload, None),
        }
    }

    fn flush(&mut self, timeout: Duration) -> Result<(), Problem> {
        self.clock.flush(timeout)?;
        let mut keeper = lock(&self.keeper);
        if keeper.flush(timeout) {
            return Ok(());
        }
        let kept = keeper.stats().kept;
        let message = format!("{kept} messages have no receipt at the end");
        Err(Problem::warning("history", message, "look whether a Plenum with a history runs at the broker"))
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Where messages go: an MQTT connection of its own. Keep the second half to ask how it is.
pub(super) fn wire(
    address: &Address,
    client_id: &str,
) -> Result<(Box<dyn Publish>, std::sync::Arc<Publisher>), Problem> {
    let (to, id) = (address.clone(), client_id.to_owned());
    // On a thread of its own: a broker that does not answer must not hold up Ctrl-C.
    let connecting = std::thread::Builder::new()
        .name("plenum-connect".into())
        .spawn(move || Publisher::connect(&to, &id))
        .map_err(|e| Problem::error(address.label(), format!("cannot start a thread: {e}"), "free some memory"))?;
    while !connecting.is_finished() {
        if interrupted() {
            return Err(interrupt::stopped(address.label()));
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    let connected = connecting.join().map_err(|_| {
        Problem::error(address.label(), "connecting to it ended by itself", "report this with the project's files")
    })?;
    let publisher = std::sync::Arc::new(connected?);
    Ok((Box::new(Wire(std::sync::Arc::clone(&publisher))), publisher))
}

/// Runs the verb.
pub fn run(args: Args) -> Result<(), Failure> {
    let faults = parse_faults_before(&args.faults, args.duration)?;
    let named = args.broker.as_deref().map(broker_url).transpose().map_err(Failure::Usage)?;
    listen();
    let opened = open::open(&args.project, interrupt::progress())?;
    for problem in opened.problems.iter().filter(|p| p.severity > Severity::Info) {
        eprintln!("plenum: {problem}");
    }
    let mut broker = opened.project.broker.clone();
    if let Some(url) = named {
        broker.url = url;
    }
    if matches!(broker.url, BrokerUrl::Embedded { port: 0 }) {
        return Err(Failure::Usage(Problem::error(
            format!("{} [broker]", opened.project.file.display()),
            "the project's broker is embedded: it runs only inside `plenum demo` and `plenum run`, on a free port",
            "name a broker, --broker mqtt://127.0.0.1:PORT, as `plenum run` shows it; or use `plenum demo`",
        )));
    }
    let address = Address::resolve(&broker, None)?;
    let settings = FieldSettings {
        seed: args.seed,
        speed: args.speed,
        start: args.start,
        faults,
        clock_topic: None,
        assumptions: Vec::new(),
    }
    .in_project(&opened.project);
    // Wrong use is told before anybody is called.
    Field::check(&opened.site, &settings).map_err(Failure::Usage)?;
    let client = format!("plenum-emulator-{}-{}", args.seed, std::process::id());
    let (mut publish, publisher) = wire(&address, &client)?;
    let id = publisher_id(args.seed);
    let mut keeper = None;
    if let Some(patience) = args.keep {
        let (ear, prefix) = (format!("{client}-hears"), &opened.project.history.receipts);
        let kept = Keeper::new(std::sync::Arc::clone(&publisher), &address, &ear, prefix, &id, patience)?;
        let kept = std::sync::Arc::new(Mutex::new(kept));
        publish =
            Box::new(Kept { keeper: std::sync::Arc::clone(&kept), clock: Wire(std::sync::Arc::clone(&publisher)) });
        keeper = Some(kept);
    }
    let began = Instant::now();
    let mut field = Field::start_as(id, opened.site, settings, publish)?;
    for problem in field.problems() {
        eprintln!("plenum: {problem}");
    }
    eprintln!("plenum: publishing to {}; Ctrl-C stops", address.label());
    follow(&field, began, args.duration);
    field.stop();
    let stats = publisher.stats();
    let document = Document {
        seconds: began.elapsed().as_secs_f64(),
        seed: args.seed,
        speed: args.speed,
        broker: address.label(),
        clock: field.now(),
        samples: Published {
            published: field.samples(),
            acknowledged_messages: stats.acknowledged,
            waiting_messages: stats.waiting,
            receipted: keeper.as_ref().map(|k| lock(k).stats().receipted),
            resent_messages: keeper.as_ref().map(|k| lock(k).stats().resent),
        },
        messages: field.messages(),
        faults: field.faults(),
        problems: opened.problems.into_iter().chain(field.problems()).collect(),
    };
    status(&field, &document.faults);
    if args.json {
        print_json(&document)?;
    }
    Ok(())
}

/// Waits for the end, with a status line every five seconds.
fn follow(field: &Field, began: Instant, duration: Option<Duration>) {
    let mut next = Duration::from_secs(5);
    let mut told = 0;
    while !interrupted() && duration.is_none_or(|d| began.elapsed() < d) {
        std::thread::sleep(Duration::from_millis(50));
        let faults = field.faults();
        for fault in faults.iter().skip(told) {
            eprintln!("plenum: {} on {} at {}", fault.name.name(), fault.asset, fault.at);
        }
        told = faults.len();
        if began.elapsed() >= next {
            next += Duration::from_secs(5);
            status(field, &faults);
        }
    }
}

fn status(field: &Field, faults: &[InjectedFault]) {
    let (samples, messages, now) = (field.samples(), field.messages(), field.now());
    eprintln!("plenum: {now}  {samples} samples in {messages} messages, {} faults", faults.len());
}

/// Reads the address of a broker elsewhere.
fn broker_url(text: &str) -> Result<BrokerUrl, Problem> {
    let wrong = |message: String, remedy: String| Problem::error(format!("--broker {text}"), message, remedy);
    match BrokerUrl::parse(text) {
        Ok(BrokerUrl::Embedded { .. }) => {
            Err(wrong("the embedded broker has no address of its own".into(), "write mqtt://127.0.0.1:PORT".into()))
        }
        Ok(url) => Ok(url),
        Err((message, remedy)) => Err(wrong(message, remedy)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn brokers_on_the_command_line() {
        let remote = |host: &str, port, tls| BrokerUrl::Remote { host: host.into(), port, tls };
        assert_eq!(broker_url("mqtt://127.0.0.1:1999").unwrap(), remote("127.0.0.1", 1999, false));
        assert_eq!(broker_url("mqtts://broker.example/").unwrap(), remote("broker.example", 8883, true));
        assert_eq!(broker_url("mqtt://[::1]:1883").unwrap(), remote("::1", 1883, false));
        assert_eq!(broker_url("mqtt://[::1]").unwrap(), remote("::1", 1883, false));
        for text in ["localhost", "embedded", "http://x", "mqtt://", "mqtt://x:port", "mqtt://u:p@x", "mqtt://x:99999"]
        {
            assert!(broker_url(text).is_err(), "{text}");
        }
    }

    #[test]
    fn faults_on_the_command_line() {
        assert_eq!(parse_faults(&["pump-wear@1m".into()]).unwrap()[0].at_s, 60.0);
        assert!(matches!(parse_faults(&["earthquake@1m".into()]), Err(Failure::Usage(_))));
        for kind in crate::simulation::faults::FaultKind::ALL {
            assert_eq!(parse_faults(&[format!("{}@1m", kind.name())]).unwrap()[0].kind, kind);
        }
        let before =
            |text: &str, end_s: Option<u64>| parse_faults_before(&[text.into()], end_s.map(Duration::from_secs));
        assert_eq!(before("pump-wear@1m", Some(61)).unwrap().len(), 1);
        assert_eq!(before("pump-wear@1m", None).unwrap().len(), 1);
        assert!(
            matches!(before("pump-wear@1m", Some(60)), Err(Failure::Usage(p)) if p.message.contains("ends after 60"))
        );
    }
}
