//! The twin without a window: a loop at a fixed rate, a status line, a report at the end.

use super::interrupt::interrupted;
use super::live::{Live, Settling};
use super::open::Opened;
use super::output::{Failure, print_json};
use super::reload::{self, Told, is_settled_by_saving};
use super::report::{Ran, Report};
use crate::TwinPlugins;
use crate::problem::{Problem, Severity};
use crate::telemetry::ConnectionStatus;
use crate::twin::clock::TwinClock;
use crate::twin::flow::NetworkRow;
use crate::twin::summary::{Summary, summary};
use crate::twin::telemetry::waiting;
use bevy::ecs::message::MessageCursor;
use bevy::prelude::{App, Messages, MinimalPlugins};
use std::io::{IsTerminal, Write};
use std::path::Path;
use std::time::{Duration, Instant};

/// How to run.
pub struct How {
    /// When the program was started.
    pub started: Instant,
    /// How long; none: until Ctrl-C.
    pub duration: Option<Duration>,
    /// Print the report as JSON.
    pub json: bool,
}

/// Ticks in a second.
const RATE: f64 = 30.0;
/// What has arrived is taken over to the end, unless more and more comes.
const LAST: Duration = Duration::from_secs(5);

/// Runs the twin, then prints the report.
pub fn run(path: &Path, opened: Opened, mut live: Live, how: How) -> Result<(), Failure> {
    let mut app = App::new();
    app.add_plugins((MinimalPlugins, TwinPlugins, reload::plugin));
    reload::bring(app.world_mut(), path, &opened, Some(&mut live));
    let mut told = MessageCursor::default();
    app.update();
    let ready = Instant::now();
    let mut problems: Vec<Problem> = opened.problems.into_iter().chain(live.problems.iter().cloned()).collect();
    let mut line = StatusLine::new();
    line.say(&format!(
        "{}: {} elements, {} points, {}, ready in {:.2} s",
        opened.project.name,
        opened.site.elements.len(),
        opened.site.points.len(),
        live.connection.broker,
        ready.duration_since(how.started).as_secs_f64()
    ));
    for problem in problems.iter().filter(|p| p.severity == Severity::Error) {
        line.say(&problem.to_string());
    }
    let mut heard = false;
    while !interrupted() && how.duration.is_none_or(|d| ready.elapsed() < d) {
        tick(&mut app);
        for told in told.read(app.world().resource::<Messages<Told>>()) {
            line.tell(told, &mut problems);
        }
        heard |= live.status().connected;
        line.update(&app, &mut live);
    }
    let state = live.connection.subscriber.status();
    let mut failed = None;
    if !matches!(state, ConnectionStatus::Connected { .. }) {
        let what = if heard { "the connection is away" } else { "there was no connection" };
        let problem = Problem::error(
            live.connection.broker.clone(),
            format!("{what}: {state}"),
            "look whether the broker runs, and at [broker] in twin.toml",
        );
        problems.push(problem.clone());
        // A run that never reached its broker has failed; one that lost it says so in its report.
        failed = Some(problem).filter(|_| !heard && !interrupted());
    }
    let seconds = ready.elapsed().as_secs_f64();
    live.stop_devices();
    let stopped = Instant::now();
    let mut settling = Settling::new(stopped);
    while settling.goes_on(Instant::now(), live.status().connected, live.outstanding()) {
        tick(&mut app);
    }
    while waiting(app.world()) > 0 && stopped.elapsed() < LAST {
        app.update();
    }
    tick(&mut app);
    live.finish_history();
    line.end();

    let ready_seconds = ready.duration_since(how.started).as_secs_f64();
    let ran = Ran { seconds, ready_seconds, first_picture_seconds: None };
    let report = Report::of(app.world(), Some(&live), ran, problems);
    if how.json {
        print_json(&report)?
    } else {
        print_words(&report)?
    }
    failed.map_or(Ok(()), |problem| Err(Failure::Failed(problem)))
}

/// One update, then the rest of its time asleep.
fn tick(app: &mut App) {
    let start = Instant::now();
    app.update();
    if let Some(rest) = Duration::from_secs_f64(1.0 / RATE).checked_sub(start.elapsed()) {
        std::thread::sleep(rest);
    }
}

/// A line on stderr that is written over on a terminal, and repeated now and then elsewhere.
struct StatusLine {
    terminal: bool,
    state: String,
    last: Instant,
    width: usize,
}

impl StatusLine {
    fn new() -> Self {
        Self { terminal: std::io::stderr().is_terminal(), state: String::new(), last: Instant::now(), width: 0 }
    }

    fn say(&mut self, text: &str) {
        self.end();
        eprintln!("plenum: {text}");
    }

    /// What came of a reload that somebody asked for from outside.
    fn tell(&mut self, told: &Told, problems: &mut Vec<Problem>) {
        let notice = match told {
            Told::Reloaded { problems: now, notice, .. } => {
                problems.clone_from(now);
                notice
            }
            Told::Refused(problem) => {
                if !problems.contains(problem) {
                    problems.push(problem.clone());
                }
                problem
            }
            Told::Saved(notice) => {
                problems.retain(|p| !is_settled_by_saving(p));
                notice
            }
            Told::Nothing(notice) => notice,
        };
        self.say(&notice.to_string());
    }

    fn update(&mut self, app: &App, live: &mut Live) {
        let every = if self.terminal { Duration::from_secs(1) } else { Duration::from_secs(10) };
        let status = live.status();
        if status.state != self.state {
            let first_connection = self.state.is_empty() && status.connected;
            self.state.clone_from(&status.state);
            if !first_connection {
                self.say(&format!("{}: {}", status.broker, self.state));
            }
        }
        if self.last.elapsed() < every {
            return;
        }
        self.last = Instant::now();
        let now = app.world().get_resource::<TwinClock>().map(|c| c.now).unwrap_or_default();
        let text = status_text(&now.to_string(), &status.state, status.samples_per_s, &summary(app.world()));
        if self.terminal {
            let width = text.chars().count();
            let room = self.width.max(width);
            eprint!("\r{text:<room$}");
            let _ = std::io::stderr().flush();
            self.width = width;
        } else {
            eprintln!("{text}");
        }
    }

    fn end(&mut self) {
        if self.terminal && self.width > 0 {
            eprintln!();
            self.width = 0;
        }
    }
}

fn status_text(now: &str, state: &str, samples_per_s: f64, summary: &Summary) -> String {
    let h = summary.health;
    format!(
        "{now}  {state}  {samples_per_s:.0} samples/s  good {}  warning {}  critical {}  stale {}  unknown {}  alarms {}",
        h.good,
        h.warning,
        h.critical,
        h.stale,
        h.unknown,
        summary.alarms.len()
    )
}

/// A network in a line: what it is, and how near it comes to what is measured.
fn network_text(network: &NetworkRow) -> String {
    let solved = if network.converged { "solved" } else { "not solved" };
    let mut text = format!("network {}: {} links, {solved}, {} live", network.name, network.links, network.live);
    if let (Some(ten), Some(twenty)) = (network.score.within_10, network.score.within_20) {
        let percent = |share: f64| (share * 100.0).round();
        text.push_str(&format!(
            ", {} readings, {} % within 10 %, {} % within 20 %",
            network.score.readings,
            percent(ten),
            percent(twenty)
        ));
    }
    text
}

fn print_words(report: &Report) -> Result<(), Failure> {
    let mut out = std::io::stdout().lock();
    let mut write = || -> std::io::Result<()> {
        let s = report.samples;
        writeln!(out, "{} elements, {} points, {} bound", report.elements, report.points, report.bound_points)?;
        writeln!(out, "{:.1} s on {}", report.seconds, report.broker)?;
        let lost = s.lost.map_or_else(|| "unknown".to_owned(), |n| n.to_string());
        writeln!(out, "{} samples received, {} rejected, lost: {lost}", s.received, s.rejected)?;
        if let (Some(stored), Some(history)) = (s.stored, &report.history) {
            let goes = if history.temporary { ", which goes with this run" } else { "" };
            writeln!(out, "{stored} samples in the history {}{goes}", history.place)?;
        }
        for fault in &report.faults {
            writeln!(out, "fault {} in {} at {}", fault.name.name(), fault.asset, fault.at)?;
        }
        for network in &report.networks {
            writeln!(out, "{}", network_text(network))?;
        }
        for alarm in &report.alarms {
            writeln!(
                out,
                "alarm {:?} {} {}: {} ({})",
                alarm.severity, alarm.raised_at, alarm.tag, alarm.name, alarm.remedy
            )?;
        }
        if report.alarms.is_empty() {
            writeln!(out, "no alarms")?;
        }
        for problem in report.problems.iter().filter(|p| p.severity != Severity::Info) {
            writeln!(out, "{problem}")?;
        }
        out.flush()
    };
    write().map_err(|e| Failure::Failed(Problem::error("stdout", format!("cannot write the report: {e}"), "")))
}
