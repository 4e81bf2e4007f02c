//! Other subscribers at the same load, run as programs of their own: see `benches/peers/README.md`.

use super::super::Row;
use super::paced::publish;
use crate::telemetry::broker::EmbeddedBroker;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

/// Their rows: the share of a core that each takes to hear the messages and parse their JSON, beside ours, which does
/// more.
pub fn rows(per_s: u64, length: Duration, ours: f64) -> Vec<Row> {
    let scripts = Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/peers");
    let installed = std::env::var_os("PLENUM_PEERS").map_or_else(|| scripts.join("installed"), PathBuf::from);
    let python = vec![installed.join("venv/bin/python"), scripts.join("paho_subscriber.py")];
    let node = vec!["node".into(), scripts.join("mqttjs_subscriber.cjs"), installed];
    [("paho-mqtt 2.1.0, client alone", python), ("mqtt.js 5.14.1, client alone", node)]
        .into_iter()
        .map(|(name, command)| {
            let case = format!("the same at {per_s} messages a second, beside a subscriber that parses each payload");
            match share(&command, per_s, length) {
                Ok(theirs) => Row::beside(case, "cores", ours, name, theirs),
                Err(why) => Row { peer: name.into(), why: Some(why), ..Row::only(case, "cores", ours) },
            }
        })
        .collect()
}

/// Processor time over time of another subscriber.
fn share(command: &[PathBuf], per_s: u64, length: Duration) -> Result<f64, String> {
    let mut broker = EmbeddedBroker::start(0, 1 << 20).map_err(|p| p.message)?;
    let messages = (per_s as f64 * length.as_secs_f64()) as u64;
    let found = listen(command, broker.address().port(), messages, || {
        publish(broker.address(), per_s, messages, |_| {}).map(|_| ()).map_err(|e| e.to_string())
    });
    broker.stop();
    found
}

fn listen(
    command: &[PathBuf],
    port: u16,
    messages: u64,
    publish: impl FnOnce() -> Result<(), String>,
) -> Result<f64, String> {
    let missing = "not here: run benches/peers/install";
    let (program, arguments) = command.split_first().ok_or(missing)?;
    let child = Command::new(program)
        .args(arguments)
        .args([port.to_string(), messages.to_string()])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn();
    let mut child = Ended(child.map_err(|_| missing)?);
    let mut lines = BufReader::new(child.0.stdout.take().ok_or(missing)?).lines();
    let mut next = || lines.next().and_then(Result::ok);
    if next().as_deref() != Some("ready") {
        return Err(missing.into());
    }
    publish()?;
    let line = next().ok_or("it broke off")?;
    let figures: serde_json::Value = serde_json::from_str(&line).map_err(|e| e.to_string())?;
    let number = |key: &str| figures[key].as_f64().ok_or_else(|| format!("it printed no `{key}`"));
    let heard = number("messages")?;
    if heard < messages as f64 {
        return Err(format!("it heard {heard} of {messages} messages"));
    }
    Ok(number("cpu_s")? / number("wall_s")?)
}

/// Ends with its program.
struct Ended(Child);

impl Drop for Ended {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
