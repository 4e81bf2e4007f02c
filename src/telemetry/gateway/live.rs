//! A gateway at work: devices on threads of their own, one connection to the broker, this machine's clock.

use super::config::Config;
use super::core::Core;
use super::dispatch::Counts;
use super::health;
use super::poller::{Poller, Report};
use super::spool::Spool;
use crate::problem::Problem;
use crate::telemetry::mqtt::{Address, ConnectionStatus, Extras, Fate, Message, Publisher};
use crate::telemetry::wall_clock;
use crate::time::Time;
use crossbeam_channel::{Receiver, bounded};
use serde::Serialize;
use serde_json::Value;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// Reports that wait for us; then devices are read no further.
const REPORTS: usize = 1000;
/// How often the spool forgets what is confirmed, and the disk hears of it.
const FORGET: Duration = Duration::from_secs(1);
/// At the end devices get so long to finish what they are at …
const FINISH: Duration = Duration::from_secs(1);
/// … and broker and historian so long to confirm what is on its way.
const FAREWELL: Duration = Duration::from_secs(3);

/// What became of a run; as `plenum gateway --json` prints it.
#[derive(Debug, Serialize)]
pub struct Outcome {
    /// How long it ran.
    pub seconds: f64,
    /// The gateway's id.
    pub id: String,
    /// What it is called in payloads and on receipts.
    pub publisher: String,
    /// `mqtts://host:8883`.
    pub broker: String,
    /// How the connection was at the end.
    pub connection: String,
    /// Readings of points, good and bad.
    pub read: u64,
    /// What has become of the samples.
    #[serde(flatten)]
    pub counts: Counts,
    /// Samples in the spool that are not confirmed.
    pub waiting: u64,
    /// Each device.
    pub devices: Vec<Value>,
    /// What was wrong.
    pub problems: Vec<Problem>,
}

/// A gateway at work.
pub struct Gateway {
    core: Core,
    publisher: Publisher,
    broker: String,
    pollers: Vec<Poller>,
    reports: Receiver<Report>,
    stop: Arc<AtomicBool>,
    began: Instant,
    connected: bool,
    forgot: Instant,
    told: Option<Instant>,
    receipts: u64,
    given_up: u64,
    /// The spool could not be read, or not be told what is confirmed.
    fault: Option<String>,
    problems: Vec<Problem>,
}

impl Gateway {
    /// Opens the spool, starts to read and to connect. `problems` are those of the gateway's file.
    ///
    /// # Errors
    /// The spool cannot be used, the broker's address is wrong or would send plain text to another machine, or the system
    /// gives no thread.
    pub fn start(config: Config, problems: Vec<Problem>) -> Result<Self, Problem> {
        let address = Address::resolve(&config.broker, None)?;
        let (spool, found) = Spool::open(&config.spool, config.options).map_err(|e| {
            let place = config.spool.display().to_string();
            let remedy = "one gateway a spool; the folder must be writable: see `folder` under [spool]";
            Problem::error(place, format!("the spool cannot be used: {e}"), remedy)
        })?;
        let now = wall_clock();
        let client_id = config.broker.client_id.clone().unwrap_or_else(|| client_id(&config.id));
        let core = Core::new(config, spool, now);
        let extras = Extras {
            will: Some((health::topic(core.config()), health::death(core.config(), now))),
            listen: core.config().historian.then(|| core.receipts_topic()),
        };
        let publisher = Publisher::start(&address, &client_id, extras)?;
        let stop = Arc::new(AtomicBool::new(false));
        let (to, reports) = bounded(REPORTS);
        let mut pollers = Vec::new();
        for (i, device) in core.config().devices.iter().enumerate().filter(|(_, d)| !d.points.is_empty()) {
            let poller = Poller::start(i, device, to.clone(), Arc::clone(&stop)).map_err(|e| {
                Problem::error(&device.name, format!("cannot be read: {e}"), "free some memory, or read fewer devices")
            })?;
            pollers.push(poller);
        }
        let began = Instant::now();
        Ok(Self {
            core,
            publisher,
            broker: address.label(),
            pollers,
            reports,
            stop,
            began,
            connected: false,
            forgot: began,
            told: None,
            receipts: 0,
            given_up: 0,
            fault: None,
            problems: problems.into_iter().chain(found).collect(),
        })
    }

    /// What was read and sent so far.
    pub fn core(&self) -> &Core {
        &self.core
    }

    /// How the connection is.
    pub fn connection(&self) -> ConnectionStatus {
        self.publisher.status()
    }

    /// Where samples go.
    pub fn broker(&self) -> &str {
        &self.broker
    }

    /// What was wrong so far with its file and its spool.
    pub fn problems(&self) -> &[Problem] {
        &self.problems
    }

    /// Takes what devices, broker and historian say, waiting at most so long for the first of the devices; sends what is
    /// to be sent.
    pub fn step(&mut self, wait: Duration) {
        if let Ok(report) = self.reports.recv_timeout(wait) {
            self.take(report);
            while let Ok(report) = self.reports.try_recv() {
                self.take(report);
            }
        }
        let now = wall_clock();
        self.core.tick(now);
        self.hear(now);
        self.send(now);
        if self.forgot.elapsed() >= FORGET {
            self.forgot = Instant::now();
            self.fault = self.core.dispatch.forget().err().map(|e| e.to_string());
        }
        self.tell(now);
    }

    fn take(&mut self, report: Report) {
        match report.said {
            Ok(readings) => self.core.readings(report.device, readings, report.at),
            Err(reason) => self.core.gone(report.device, &reason, report.at),
        }
    }

    /// What broker and historian say.
    fn hear(&mut self, now: Time) {
        let connected = matches!(self.publisher.status(), ConnectionStatus::Connected { .. });
        for fate in self.publisher.fates() {
            match fate {
                Fate::Acknowledged(number) => self.core.dispatch.broker_has(number),
                Fate::GivenUp(number) => {
                    self.given_up += 1;
                    self.core.dispatch.broker_refuses(number);
                }
            }
        }
        for payload in self.publisher.heard() {
            self.receipts += 1;
            self.core.receipt(&payload);
        }
        if connected != self.connected {
            self.connected = connected;
            if connected {
                self.core.dispatch.connected(now);
                // Birth, also after the broker has told of our death.
                self.told = None;
            } else {
                self.core.dispatch.disconnected();
            }
        }
    }

    fn send(&mut self, now: Time) {
        let messages = match self.core.next(now) {
            Ok(messages) => messages,
            Err(e) => {
                self.fault = Some(e.to_string());
                return;
            }
        };
        for m in messages {
            let sent = self.publisher.publish_numbered(
                Duration::ZERO,
                &m.topic,
                m.payload,
                Message::default(),
                Some(m.number),
            );
            if let Err(problem) = sent {
                tracing::debug!("{problem}");
                self.core.dispatch.not_taken(m.number);
            }
        }
    }

    /// Health: what has changed, and all of it now and then.
    fn tell(&mut self, now: Time) {
        if !self.connected {
            return;
        }
        let every = Duration::from_secs_f64(self.core.config().status_every_s);
        let all = self.told.is_none_or(|t| t.elapsed() >= every);
        let mut news = self.core.device_news(all, now);
        if all || !news.is_empty() {
            self.told = Some(Instant::now()).filter(|_| all).or(self.told);
            news.push(self.status("online", now));
        }
        self.publish_kept(news);
    }

    fn status(&self, state: &str, now: Time) -> (String, Vec<u8>) {
        let age_s = self.core.oldest().map(|t| now.seconds_since(t).max(0.0));
        let document = health::document(&self.core, state, now, age_s);
        (health::topic(self.core.config()), document.to_string().into_bytes())
    }

    fn publish_kept(&self, news: Vec<(String, Vec<u8>)>) {
        for (topic, payload) in news {
            let kept = Message { retain: true, ..Message::default() };
            if let Err(problem) = self.publisher.publish_within(Duration::ZERO, &topic, payload, kept) {
                tracing::debug!("{problem}");
            }
        }
    }

    /// Ends: what was read is on the disk, what is on its way may be confirmed, the broker is told.
    pub fn stop(mut self) -> Outcome {
        self.stop.store(true, Ordering::SeqCst);
        self.pollers.iter().for_each(Poller::wake);
        let until = Instant::now() + FINISH;
        while Instant::now() < until && !self.pollers.iter().all(Poller::is_finished) {
            self.step(Duration::from_millis(10));
        }
        while let Ok(report) = self.reports.try_recv() {
            self.take(report);
        }
        self.core.dispatch.settle(wall_clock());
        let until = Instant::now() + FAREWELL;
        // The backlog is not waited for: it is on the disk.
        while self.connected && Instant::now() < until && self.core.dispatch.is_under_way() {
            self.step(Duration::from_millis(10));
        }
        if let Err(e) = self.core.dispatch.forget() {
            self.fault = Some(e.to_string());
        }
        let now = wall_clock();
        if self.connected {
            self.publish_kept(vec![self.status("offline", now)]);
            self.publisher.settle(Duration::from_secs(2), Duration::from_secs(1));
        }
        let connection = self.publisher.status();
        self.publisher.stop();
        self.outcome(&connection)
    }

    fn outcome(mut self, connection: &ConnectionStatus) -> Outcome {
        let problems = self.final_problems(connection);
        self.problems.extend(problems);
        let config = self.core.config();
        Outcome {
            seconds: self.began.elapsed().as_secs_f64(),
            id: config.id.clone(),
            publisher: self.core.publisher().to_owned(),
            broker: self.broker,
            connection: connection.to_string(),
            read: self.core.read,
            counts: self.core.counts(),
            waiting: self.core.dispatch.waiting(),
            devices: self.core.health().map(|(device, health)| health.document(device)).collect(),
            problems: self.problems,
        }
    }

    fn final_problems(&self, connection: &ConnectionStatus) -> Vec<Problem> {
        let mut problems = Vec::new();
        for (device, health) in self.core.health().filter(|(_, h)| h.online == Some(false)) {
            let why = health.last_error.clone().unwrap_or_default();
            let remedy = "look at the device, its address and the network between";
            problems.push(Problem::warning(&device.name, format!("it does not answer: {why}"), remedy));
        }
        if let ConnectionStatus::Lost { reason, .. } | ConnectionStatus::Refused { reason } = connection {
            let remedy = "look whether the broker runs, and at [broker]; samples wait in the spool";
            problems.push(Problem::warning(&self.broker, reason.clone(), remedy));
        }
        let counts = self.core.counts();
        if counts.lost > 0 {
            let message = format!("{} samples were lost: there was no room for them", counts.lost);
            problems.push(Problem::error("[spool]", message, "give it more room (max_mb), or a larger disk"));
        }
        if self.given_up > 0 {
            let message = format!("the broker refused {} messages for good", self.given_up);
            problems.push(Problem::error(&self.broker, message, "look at its limit for packets (message_size_limit)"));
        }
        if let Some(fault) = self.core.dispatch.disk_fault.clone().or_else(|| self.fault.clone()) {
            let place = self.core.config().spool.display().to_string();
            let message = format!("the disk does not take what was read: {fault}");
            problems.push(Problem::error(place, message, "make room, or give rights; then start again"));
        }
        if self.core.config().historian && self.receipts == 0 && counts.sent > 0 {
            let message = format!("no historian has confirmed anything on {}", self.core.receipts_topic());
            let remedy = "start the twin that keeps history; without one, write [historian] confirms = false";
            problems.push(Problem::warning("[historian]", message, remedy));
        }
        problems
    }
}

/// A client id of letters, digits and dashes.
fn client_id(id: &str) -> String {
    let plain: String = id.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).collect();
    format!("plenum-gateway-{plain}")
}
