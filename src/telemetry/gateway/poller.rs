//! A thread a device: it reads what is due, tries again, and says when a device is gone. None waits for another.

use super::config;
use super::device::{self, Device, Reading};
use crate::telemetry::wall_clock;
use crate::time::Time;
use crossbeam_channel::{SendTimeoutError, Sender};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// A device that is gone is looked for after so long, then twice as long …
const FIRST_WAIT: Duration = Duration::from_secs(1);
/// … up to this.
const LONGEST_WAIT: Duration = Duration::from_secs(60);
/// Between two attempts at one question.
const BREATH: Duration = Duration::from_millis(100);
/// How often a thread that waits looks whether it should end.
const LOOK: Duration = Duration::from_millis(200);

/// What a device said, or that it did not.
pub(super) struct Report {
    pub device: usize,
    pub at: Time,
    pub said: Result<Vec<Reading>, String>,
}

/// The thread of a device.
pub(super) struct Poller {
    thread: JoinHandle<()>,
}

impl Poller {
    /// Starts to read.
    ///
    /// # Errors
    /// The system gives no thread, or what the device needs.
    pub fn start(
        number: usize,
        config: &config::Device,
        to: Sender<Report>,
        stop: Arc<AtomicBool>,
    ) -> std::io::Result<Self> {
        let device = device::open(config)?;
        let mut work = Work { number, config: config.clone(), device: Some(device), to, stop, due: Vec::new() };
        work.schedule();
        let name = format!("device-{}", config.name);
        // A name with a nul is none for a thread.
        let name = name.replace('\0', "");
        let thread = std::thread::Builder::new().name(name).spawn(move || work.run())?;
        Ok(Self { thread })
    }

    /// Wakes it, so that it sees that it should end.
    pub fn wake(&self) {
        self.thread.thread().unpark();
    }

    /// Whether it has ended.
    pub fn is_finished(&self) -> bool {
        self.thread.is_finished()
    }
}

/// Points that are read together, and when.
struct Due {
    every: Duration,
    points: Vec<usize>,
    next: Instant,
}

struct Work {
    number: usize,
    config: config::Device,
    device: Option<Box<dyn Device>>,
    to: Sender<Report>,
    stop: Arc<AtomicBool>,
    due: Vec<Due>,
}

impl Work {
    /// One group for each period, all of them due now.
    fn schedule(&mut self) {
        let now = Instant::now();
        for (i, point) in self.config.points.iter().enumerate() {
            let every = Duration::from_secs_f64(point.poll_s);
            match self.due.iter_mut().find(|d| d.every == every) {
                Some(group) => group.points.push(i),
                None => self.due.push(Due { every, points: vec![i], next: now }),
            }
        }
    }

    fn stopped(&self) -> bool {
        self.stop.load(Ordering::SeqCst)
    }

    /// Waits, at most until then; false when it is time to end.
    fn wait_until(&self, then: Instant) -> bool {
        while !self.stopped() {
            let left = then.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return true;
            }
            std::thread::park_timeout(left.min(LOOK));
        }
        false
    }

    fn run(mut self) {
        let mut wait = FIRST_WAIT;
        while let Some(next) = self.due.iter().map(|d| d.next).min() {
            if !self.wait_until(next) {
                return;
            }
            let now = Instant::now();
            let mut points = Vec::new();
            for group in self.due.iter_mut().filter(|d| d.next <= now) {
                points.extend(&group.points);
                group.next += group.every;
                if group.next <= now {
                    // It was away, or takes longer than its period: what was missed is not made up for.
                    group.next = now + group.every;
                }
            }
            let said = self.attempt(&points);
            let gone = said.is_err();
            if !self.tell(said) {
                return;
            }
            if gone {
                let then = Instant::now() + wait;
                wait = (wait * 2).min(LONGEST_WAIT);
                self.due.iter_mut().for_each(|d| d.next = then);
            } else {
                wait = FIRST_WAIT;
            }
        }
    }

    /// Reads, and again where there is no answer.
    fn attempt(&mut self, points: &[usize]) -> Result<Vec<Reading>, String> {
        let mut said = self.once(points);
        for _ in 0..self.config.retries {
            if said.is_ok() || !self.wait_until(Instant::now() + BREATH) {
                break;
            }
            said = self.once(points);
        }
        said
    }

    fn once(&mut self, points: &[usize]) -> Result<Vec<Reading>, String> {
        if self.device.is_none() {
            self.device = device::open(&self.config).map(Some).map_err(|e| e.to_string())?;
        }
        let Some(device) = &mut self.device else { return Err("it cannot be opened".into()) };
        // A fault in a library must not end the thread without a word.
        let said = catch_unwind(AssertUnwindSafe(|| device.read(points, wall_clock())));
        said.unwrap_or_else(|_| {
            self.device = None;
            Err("what it answers cannot be read".into())
        })
    }

    /// Hands on; false when it is time to end.
    fn tell(&self, said: Result<Vec<Reading>, String>) -> bool {
        let mut report = Report { device: self.number, at: wall_clock(), said };
        loop {
            report = match self.to.send_timeout(report, LOOK) {
                Ok(()) => return true,
                Err(SendTimeoutError::Disconnected(_)) => return false,
                // Whoever asked to stop takes what comes until the threads have ended.
                Err(SendTimeoutError::Timeout(report)) => report,
            };
        }
    }
}
