//! The devices of an emulated building at work: the emulator driven by wall time, published as messages.
//!
//! A thread lets simulated time pass at `speed`, samples every point at its own pace and publishes one
//! message a device a round. The site's clock follows each round's data, so that whoever judges by it
//! has seen all that happened before. Nothing here knows MQTT: [`Publish`] does.

mod schedule;

use crate::problem::Problem;
use crate::simulation::building::AssumptionOverride;
use crate::simulation::emulator::{DEFAULT_START, Emulator, FaultSpec, InjectedFault, Settings};
use crate::site::Site;
use crate::site::project::Project;
use crate::time::Time;
use crate::twin::clock::wall_clock;
use schedule::Schedule;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// Between two rounds.
const ROUND: Duration = Duration::from_millis(220);
/// A round covers at most this much simulated time, so that nothing runs far ahead of the site's clock.
const ROUND_SIMULATED_S: f64 = 120.0;
/// When publishing falls further behind, the site's clock slows down instead of catching up.
const PATIENCE: Duration = Duration::from_secs(2);
/// How long the last messages may take.
const FLUSH: Duration = Duration::from_secs(5);

/// Where messages go.
pub trait Publish: Send {
    /// Hands a message over; it waits while the receiver is busy. `counted`: the numbers of its samples, from the
    /// first to behind the last; none for what is not counted.
    ///
    /// # Errors
    /// The message was not taken; it may be offered again.
    fn publish(&mut self, topic: &str, payload: &[u8], counted: Option<[u64; 2]>) -> Result<(), Problem>;

    /// Waits until all messages have left.
    ///
    /// # Errors
    /// Some have not, within `timeout`.
    fn flush(&mut self, timeout: Duration) -> Result<(), Problem>;
}

/// What the devices are asked to do.
#[derive(Clone, Debug)]
pub struct FieldSettings {
    /// Draws weather, people, noise and faulty assets.
    pub seed: u64,
    /// Simulated seconds in a second.
    pub speed: f64,
    /// The building's time at the start; none: the usual one, or now where the project has no clock topic.
    pub start: Option<Time>,
    /// What will break, and when.
    pub faults: Vec<FaultSpec>,
    /// Where the building's clock goes.
    pub clock_topic: Option<String>,
    /// What the project states of its pipes and ducts.
    pub assumptions: Vec<AssumptionOverride>,
}

impl FieldSettings {
    /// With what a project says: where its clock goes, and what it states of its pipes and ducts.
    pub fn in_project(self, project: &Project) -> Self {
        Self { clock_topic: project.clock_topic.clone(), assumptions: project.assumptions.clone(), ..self }
    }

    fn emulator(&self, site: &Site, start: Time) -> (Emulator, Vec<Problem>) {
        Emulator::with_assumptions(site, Settings { seed: self.seed, start }, &self.assumptions)
    }
}

#[derive(Default)]
struct Shared {
    stop: AtomicBool,
    samples: AtomicU64,
    messages: AtomicU64,
    now_ms: AtomicU64,
    faults: Mutex<Vec<InjectedFault>>,
    problems: Mutex<Vec<Problem>>,
}

/// Devices at work on a thread of their own; dropping it stops them.
pub struct Field {
    shared: Arc<Shared>,
    publisher_id: String,
    thread: Option<JoinHandle<()>>,
}

impl Field {
    /// Puts the devices of a site to work.
    ///
    /// # Errors
    /// Wrong use: a fault that the site cannot have, a speed that is none, or one that this machine's
    /// clock cannot follow. Otherwise the thread cannot be started.
    pub fn start(site: Arc<Site>, settings: FieldSettings, publisher: Box<dyn Publish>) -> Result<Self, Problem> {
        let id = publisher_id(settings.seed);
        Self::start_as(id, site, settings, publisher)
    }

    /// As [`Self::start`], under an id of [`publisher_id`].
    ///
    /// # Errors
    /// As [`Self::start`].
    pub fn start_as(
        publisher_id: String,
        site: Arc<Site>,
        settings: FieldSettings,
        publisher: Box<dyn Publish>,
    ) -> Result<Self, Problem> {
        let start = start_of(&settings)?;
        let (emulator, mut problems) = settings.emulator(&site, start);
        for fault in &settings.faults {
            emulator.check(fault)?;
        }
        let schedule = Schedule::new(&site, start, settings.speed, publisher_id.clone());
        if schedule.is_empty() {
            problems.push(Problem::warning(
                "emulator",
                "the project binds no topic to any point: there is nothing to publish",
                "add [[bindings]] to twin.toml",
            ));
        }
        let shared = Arc::new(Shared { problems: Mutex::new(problems), ..Shared::default() });
        shared.now_ms.store(start.0.max(0) as u64, Ordering::Relaxed);
        let mut faults = settings.faults.clone();
        // The next one last, to be popped.
        faults.sort_by(|a, b| b.at_s.total_cmp(&a.at_s));
        let worker = Worker {
            shared: Arc::clone(&shared),
            emulator,
            schedule,
            faults,
            start,
            speed: settings.speed,
            clock_topic: settings.clock_topic,
            publisher,
        };
        let thread = std::thread::Builder::new()
            .name("plenum-field".into())
            .spawn(move || worker.run())
            .map_err(|e| Problem::error("emulator", format!("cannot start a thread: {e}"), "free some memory"))?;
        Ok(Self { shared, publisher_id, thread: Some(thread) })
    }

    /// Says what [`Self::start`] would refuse as wrong use.
    ///
    /// # Errors
    /// A fault that the site cannot have, a speed that is none, or one that the project's clock cannot follow.
    pub fn check(site: &Site, settings: &FieldSettings) -> Result<(), Problem> {
        let start = start_of(settings)?;
        let (emulator, _) = settings.emulator(site, start);
        settings.faults.iter().try_for_each(|f| emulator.check(f))
    }

    /// The id that these devices publish under, `pub` in their payloads.
    pub fn publisher(&self) -> &str {
        &self.publisher_id
    }

    /// Samples handed to the publisher and taken by it.
    pub fn samples(&self) -> u64 {
        self.shared.samples.load(Ordering::SeqCst)
    }

    /// Messages handed to the publisher and taken by it, the clock's among them.
    pub fn messages(&self) -> u64 {
        self.shared.messages.load(Ordering::SeqCst)
    }

    /// The building's clock.
    pub fn now(&self) -> Time {
        Time(self.shared.now_ms.load(Ordering::Relaxed) as i64)
    }

    /// What has broken so far.
    pub fn faults(&self) -> Vec<InjectedFault> {
        lock(&self.shared.faults).clone()
    }

    /// What had to be guessed, and what went wrong.
    pub fn problems(&self) -> Vec<Problem> {
        lock(&self.shared.problems).clone()
    }

    /// Stops the devices: no sample is published after this returns. Under a second when the broker is away,
    /// at most some five while it still takes what was published.
    pub fn stop(&mut self) {
        self.shared.stop.store(true, Ordering::SeqCst);
        if let Some(thread) = self.thread.take() {
            thread.thread().unpark();
            if thread.join().is_err() {
                lock(&self.shared.problems).push(Problem::error(
                    "emulator",
                    "the devices' thread ended by itself",
                    "report this with the project's files",
                ));
            }
        }
    }
}

impl Drop for Field {
    fn drop(&mut self) {
        self.stop();
    }
}

/// The id that devices publish under: another one at every start, so that their count, which begins at
/// zero again, is never taken for samples that come a second time.
pub fn publisher_id(seed: u64) -> String {
    format!("emulator-{seed}-{}-{}", std::process::id(), wall_clock().0)
}

/// The building's time at the start.
fn start_of(settings: &FieldSettings) -> Result<Time, Problem> {
    if !(settings.speed > 0.0 && settings.speed <= 100_000.0) {
        return Err(Problem::error(
            "--speed",
            format!("{} is not a speed", settings.speed),
            "give a number above 0 and up to 100000",
        ));
    }
    if settings.clock_topic.is_none() && (settings.speed != 1.0 || settings.start.is_some()) {
        return Err(Problem::error(
            "--speed, --start",
            "the project judges by this machine's clock, which runs at its own speed and date",
            "set topic under [clock] in twin.toml, or leave --speed at 1 and --start out",
        ));
    }
    let usual = if settings.clock_topic.is_some() { Time::parse(DEFAULT_START) } else { None };
    Ok(settings.start.or(usual).unwrap_or_else(wall_clock))
}

struct Worker {
    shared: Arc<Shared>,
    emulator: Emulator,
    schedule: Schedule,
    faults: Vec<FaultSpec>,
    start: Time,
    speed: f64,
    clock_topic: Option<String>,
    publisher: Box<dyn Publish>,
}

impl Worker {
    fn run(mut self) {
        let began = Instant::now();
        let mut lost = Duration::ZERO;
        while !self.stopped() {
            let target_s = began.elapsed().saturating_sub(lost).as_secs_f64() * self.speed;
            let behind_s = target_s - self.emulator.now().seconds_since(self.start);
            if self.clock_topic.is_some() && behind_s > PATIENCE.as_secs_f64() * self.speed {
                lost += Duration::from_secs_f64(behind_s / self.speed).saturating_sub(ROUND);
                continue;
            }
            self.run_to(self.start.plus_seconds(target_s));
            std::thread::park_timeout(ROUND);
        }
        if let Err(problem) = self.publisher.flush(FLUSH) {
            lock(&self.shared.problems).push(problem);
        }
    }

    fn stopped(&self) -> bool {
        self.shared.stop.load(Ordering::SeqCst)
    }

    fn run_to(&mut self, target: Time) {
        while self.emulator.now() < target && !self.stopped() {
            let mut until = target.min(self.emulator.now().plus_seconds(ROUND_SIMULATED_S));
            let due = self.faults.last().map(|f| self.start.plus_seconds(f.at_s * self.speed));
            if let Some(due) = due {
                until = until.min(due.max(self.emulator.now()));
            }
            self.round(until);
            if due.is_some_and(|due| due <= self.emulator.now()) {
                self.inject();
            }
        }
    }

    fn inject(&mut self) {
        let Some(fault) = self.faults.pop() else { return };
        match self.emulator.inject(&fault, self.emulator.now()) {
            Ok(injected) => {
                tracing::info!("{} on {} at {}", fault.kind.name(), injected.asset, injected.at);
                lock(&self.shared.faults).push(injected);
            }
            Err(problem) => {
                tracing::warn!("{problem}");
                lock(&self.shared.problems).push(problem);
            }
        }
    }

    fn round(&mut self, until: Time) {
        for message in self.schedule.collect(&mut self.emulator, until) {
            let Some(payload) = self.schedule.write(&message) else { continue };
            if !self.send(&message.topic, &payload, Some(message.numbers())) {
                return;
            }
            self.shared.samples.fetch_add(message.samples, Ordering::SeqCst);
        }
        self.shared.now_ms.store(until.0.max(0) as u64, Ordering::Relaxed);
        if let Some(topic) = self.clock_topic.clone() {
            let payload = format!("{{\"ts\":\"{until}\"}}");
            self.send(&topic, payload.as_bytes(), None);
        }
    }

    /// True when the message was taken; it is offered again until it is, or until the field is stopped.
    fn send(&mut self, topic: &str, payload: &[u8], counted: Option<[u64; 2]>) -> bool {
        let mut warned = false;
        loop {
            match self.publisher.publish(topic, payload, counted) {
                Ok(()) => {
                    self.shared.messages.fetch_add(1, Ordering::SeqCst);
                    return true;
                }
                Err(_) if self.stopped() => return false,
                Err(problem) => {
                    if !warned {
                        tracing::warn!("{problem}");
                        warned = true;
                    }
                    std::thread::park_timeout(Duration::from_millis(200));
                }
            }
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::simulation::emulator::fixture;
    use serde_json::Value;

    #[derive(Clone, Default)]
    struct Heard(Arc<Mutex<Vec<(String, Value)>>>);

    impl Publish for Heard {
        fn publish(&mut self, topic: &str, payload: &[u8], _: Option<[u64; 2]>) -> Result<(), Problem> {
            lock(&self.0).push((topic.to_owned(), serde_json::from_slice(payload).unwrap()));
            Ok(())
        }

        fn flush(&mut self, _: Duration) -> Result<(), Problem> {
            Ok(())
        }
    }

    fn settings(faults: &[&str]) -> FieldSettings {
        FieldSettings {
            seed: 5,
            speed: 600.0,
            start: None,
            faults: faults.iter().map(|f| FaultSpec::parse(f).unwrap()).collect(),
            clock_topic: Some("clinic/clock".into()),
            assumptions: Vec::new(),
        }
    }

    #[test]
    fn devices_publish_in_order_and_count_their_samples() {
        let heard = Heard::default();
        let site = Arc::new(fixture::clinic());
        let mut field =
            Field::start(Arc::clone(&site), settings(&["stuck-valve@0.3s"]), Box::new(heard.clone())).unwrap();
        let watchdog = Instant::now() + Duration::from_secs(120);
        while (field.samples() < 20_000 || field.faults().is_empty()) && Instant::now() < watchdog {
            std::thread::sleep(Duration::from_millis(10));
        }
        field.stop();
        let heard = lock(&heard.0);
        let (mut samples, mut clock) = (0, Time::parse(DEFAULT_START).unwrap());
        for (topic, payload) in heard.iter() {
            if topic == "clinic/clock" {
                let next = Time::parse(payload["ts"].as_str().unwrap()).unwrap();
                assert!(next >= clock);
                clock = next;
                continue;
            }
            let objects = payload.as_array().cloned().unwrap_or_else(|| vec![payload.clone()]);
            for object in objects {
                assert_eq!(object["seq"].as_u64(), Some(samples), "{object}");
                assert_eq!(object["pub"], field.publisher());
                let at = Time::parse(object["ts"].as_str().unwrap()).unwrap();
                assert!(at > clock && at.seconds_since(clock) <= 125.0, "{at} {clock}");
                let values = object["values"].as_object().unwrap();
                assert!(values.values().all(|v| v.is_number()) && !values.is_empty());
                samples += values.len() as u64;
            }
        }
        assert_eq!(samples, field.samples());
        assert_eq!(heard.len() as u64, field.messages());
        assert!(samples >= 20_000, "{samples}");
        let again = Field::start(site, settings(&[]), Box::new(Heard::default())).unwrap();
        assert!(again.publisher().starts_with("emulator-5-"));
        assert_ne!(again.publisher(), field.publisher(), "each start counts from zero under an id of its own");
        let faults = field.faults();
        assert_eq!(faults.len(), 1);
        // 0.3 s of wall time are 180 s of the building's.
        assert_eq!(faults[0].at.seconds_since(Time::parse(DEFAULT_START).unwrap()), 180.0);
    }

    #[test]
    fn wrong_use_is_refused() {
        let site = Arc::new(fixture::clinic());
        let start = |s: FieldSettings| Field::start(Arc::clone(&site), s, Box::new(Heard::default())).err().unwrap();
        assert!(start(settings(&["stuck-valve:AHU-1@1s"])).message.contains("cannot have this fault"));
        assert!(start(settings(&["stuck-valve:NOWHERE@1s"])).message.contains("no asset"));
        assert!(start(FieldSettings { speed: f64::NAN, ..settings(&[]) }).message.contains("not a speed"));
        let system_clock = FieldSettings { clock_topic: None, ..settings(&[]) };
        assert!(start(system_clock).remedy.contains("[clock]"));
    }
}
