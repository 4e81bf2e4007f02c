//! `plenum gateway`: reads devices, keeps what they say, publishes it until it is confirmed.

use super::interrupt::{interrupted, listen};
use super::output::{Failure, parse_duration, print_json, print_text};
use crate::problem::{Problem, Severity};
use crate::telemetry::gateway::config::{self, Config};
use crate::telemetry::gateway::live::Gateway;
use crate::telemetry::mqtt::Address;
use serde::Serialize;
use std::path::PathBuf;
use std::time::{Duration, Instant};

/// Reads devices (Modbus, BACnet), keeps what they say on its disk, and publishes it until it is confirmed.
///
/// CONFIG is a file of its own, no project: --example prints one to begin with, --check says what is wrong with one.
/// Live samples go first, what was kept through an outage behind them at a bounded rate; nothing is let go before the
/// broker and the historian have confirmed it. docs/gateway.md tells more.
#[derive(clap::Args)]
pub struct Args {
    /// The gateway's file.
    #[arg(required_unless_present = "example")]
    config: Option<PathBuf>,
    /// Stops after this long (60s, 5m, 2h); without it, at Ctrl-C.
    #[arg(long = "for", value_name = "T", value_parser = parse_duration)]
    duration: Option<Duration>,
    /// Prints what was read and sent as JSON at the end.
    #[arg(long)]
    json: bool,
    /// Reads the file, says what is wrong with it and where each point would go, and calls nobody.
    #[arg(long)]
    check: bool,
    /// Prints a file to begin with.
    #[arg(long, conflicts_with_all = ["config", "duration", "json", "check"])]
    example: bool,
}

/// What `--check --json` prints.
#[derive(Serialize)]
struct Checked {
    id: String,
    broker: String,
    points: Vec<CheckedPoint>,
    problems: Vec<Problem>,
}

#[derive(Serialize)]
struct CheckedPoint {
    device: String,
    kind: &'static str,
    point: String,
    topic: String,
    key: String,
    unit: &'static str,
    poll_s: f64,
}

/// Runs the verb.
pub fn run(args: Args) -> Result<(), Failure> {
    if args.example {
        return print_text(config::EXAMPLE);
    }
    let file = args.config.unwrap_or_default();
    let (config, problems) = config::load(&file).map_err(|(problem, more)| {
        more.iter().for_each(|p| eprintln!("plenum: {p}"));
        Failure::Failed(problem)
    })?;
    for problem in &problems {
        eprintln!("plenum: {problem}");
    }
    if args.check {
        return check(&config, problems, args.json);
    }
    listen();
    let mut gateway = Gateway::start(config, problems)?;
    let (devices, points) = (gateway.core().config().devices.len(), gateway.core().config().points());
    eprintln!("plenum: reading {points} points of {devices} devices for {}; Ctrl-C stops", gateway.broker());
    follow(&mut gateway, args.duration);
    let outcome = gateway.stop();
    let counts = outcome.counts;
    eprintln!(
        "plenum: {} read, {} taken, {} sent, {} again, {} confirmed, {} lost, {} waiting",
        outcome.read, counts.taken, counts.sent, counts.again, counts.confirmed, counts.lost, outcome.waiting
    );
    for problem in outcome.problems.iter().filter(|p| p.severity > Severity::Info) {
        eprintln!("plenum: {problem}");
    }
    if args.json {
        print_json(&outcome)?;
    }
    Ok(())
}

/// Runs it to its end, with a line every ten seconds and one for each device that comes or goes.
fn follow(gateway: &mut Gateway, duration: Option<Duration>) {
    const STEP: Duration = Duration::from_millis(20);
    const LINE: Duration = Duration::from_secs(10);
    let began = Instant::now();
    let mut next = LINE;
    let mut known: Vec<Option<bool>> = Vec::new();
    let mut connection = String::new();
    while !interrupted() && duration.is_none_or(|d| began.elapsed() < d) {
        gateway.step(STEP);
        let now: Vec<Option<bool>> = gateway.core().health().map(|(_, h)| h.online).collect();
        if now != known {
            for (i, (device, health)) in gateway.core().health().enumerate() {
                if known.get(i).copied().flatten() != health.online {
                    let why = health.last_error.as_deref().filter(|_| health.online == Some(false)).unwrap_or("");
                    eprintln!("plenum: {} is {} {why}", device.name, health.word());
                }
            }
            known = now;
        }
        let how = gateway.connection().to_string();
        if how != connection {
            eprintln!("plenum: {}: {how}", gateway.broker());
            connection = how;
        }
        if began.elapsed() >= next {
            next += LINE;
            let (core, counts) = (gateway.core(), gateway.core().counts());
            eprintln!(
                "plenum: {} read, {} sent, {} confirmed, {} waiting, {} lost",
                core.read,
                counts.sent,
                counts.confirmed,
                core.dispatch.waiting(),
                counts.lost
            );
            if let Some(fault) = &core.dispatch.disk_fault {
                eprintln!("plenum: the disk does not take what is read: {fault}");
            }
        }
    }
}

/// What a run would do, without anybody being called.
fn check(config: &Config, mut problems: Vec<Problem>, json: bool) -> Result<(), Failure> {
    let broker = match Address::resolve(&config.broker, None) {
        Ok(address) => address.label(),
        Err(problem) => {
            if !problems.iter().any(|p| p.severity == Severity::Error) {
                eprintln!("plenum: {problem}");
            }
            problems.push(problem);
            String::new()
        }
    };
    let points = config.devices.iter().flat_map(|d| d.points.iter().map(move |p| (d, p))).map(|(d, p)| CheckedPoint {
        device: d.name.clone(),
        kind: d.kind.word(),
        point: p.name.clone(),
        topic: p.topic.clone(),
        key: p.key.clone(),
        unit: p.unit.code,
        poll_s: p.poll_s,
    });
    let checked = Checked { id: config.id.clone(), broker, points: points.collect(), problems };
    if json {
        print_json(&checked)?;
    } else {
        for p in &checked.points {
            let key = if p.key.is_empty() { String::new() } else { format!(" key {}", p.key) };
            print_text(&format!("{} {} every {} s -> {}{key} [{}]\n", p.device, p.point, p.poll_s, p.topic, p.unit))?;
        }
    }
    match checked.problems.iter().filter(|p| p.severity == Severity::Error).count() {
        0 => Ok(()),
        wrong => Err(Failure::Failed(Problem::error(
            config.file.display().to_string(),
            format!("{wrong} things are wrong with it"),
            "see above; what is right would be read all the same",
        ))),
    }
}
