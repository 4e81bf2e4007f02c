//! What there is to map: topics of a file, or those that the broker brings.

use crate::cli::interrupt;
use crate::problem::Problem;
use crate::site::Site;
use crate::site::mapping::Heard;
use crate::site::project::{Project, Sparkplug};
use crate::site::unit::Unit;
use crate::telemetry::sparkplug::{self, Host, Limits, Said};
use crate::telemetry::{self, payload, topics::filter_matches};
use crate::time::Time;
use serde_json::Value;
use std::io::Read;
use std::path::Path;
use std::time::{Duration, Instant};

/// Longer lists of topics are something else, bytes.
const MAX_BYTES: u64 = 256 << 20;

/// Reads a list of topics.
///
/// # Errors
/// It cannot be read, or is no text.
pub(super) fn read(file: &Path, project: &Project, problems: &mut Vec<Problem>) -> Result<Vec<Heard>, Problem> {
    let place = file.display().to_string();
    let refuse =
        |e: std::io::Error| Problem::error(place.clone(), format!("cannot be read: {e}"), "a topic a line, in UTF-8");
    let mut text = String::new();
    if place == "-" {
        std::io::stdin().take(MAX_BYTES).read_to_string(&mut text).map_err(refuse)?;
    } else {
        let opened = std::fs::File::open(file).map_err(refuse)?;
        opened.take(MAX_BYTES).read_to_string(&mut text).map_err(refuse)?;
    }
    let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
    let mut hearing = Hearing::new(project);
    if text.trim_start().starts_with('[') {
        let list: Vec<Value> = serde_json::from_str(text).map_err(|e| {
            Problem::error(
                format!("{place}:{}", e.line()),
                format!("not JSON: {e}"),
                "a list of {\"topic\": …}, or a topic a line",
            )
        })?;
        list.iter().for_each(|item| hearing.item(item));
    } else {
        for (i, line) in text.lines().map(|l| l.trim_end_matches('\r')).enumerate() {
            if line.trim().is_empty() || line.starts_with('#') {
                continue;
            }
            if line.starts_with('{') {
                match serde_json::from_str(line) {
                    Ok(item) => hearing.item(&item),
                    Err(e) => {
                        let remedy = "write {\"topic\": \"…\"}, or the topic alone";
                        problems.push(Problem::warning(format!("{place}:{}", i + 1), format!("not JSON: {e}"), remedy));
                    }
                }
                continue;
            }
            let (topic, payload) = parted(line);
            hearing.message(topic, payload.unwrap_or_default().as_bytes());
        }
    }
    Ok(hearing.done())
}

/// A line of `mosquitto_sub -v`: the topic, and behind it what looks like a payload. Topics may have spaces; one that
/// ends with a space and a number (`plant/Boiler 1`) is only told from a topic with its value by a tab behind it.
fn parted(line: &str) -> (&str, Option<&str>) {
    if let Some((topic, payload)) = line.split_once('\t') {
        return (topic, Some(payload));
    }
    if let Some(at) = [" {", " ["].iter().filter_map(|m| line.find(m)).min() {
        return (line.get(..at).unwrap_or(line), line.get(at + 1..));
    }
    match line.rsplit_once(' ') {
        // A number, or a switch, behind a topic is its value.
        Some((topic, last))
            if matches!(last, "true" | "false" | "null" | "nan" | "NaN")
                || last.contains('.') && last.parse::<f64>().is_ok()
                || topic.contains('/') && !topic.contains(' ') && last.parse::<f64>().is_ok() =>
        {
            (topic, Some(last))
        }
        _ => (line, None),
    }
}

/// Listens to the project's broker.
///
/// # Errors
/// There is no connection, or somebody stopped it.
pub(super) fn observe(
    project: &Project,
    site: &Site,
    time: Duration,
    problems: &mut Vec<Problem>,
) -> Result<Vec<Heard>, Problem> {
    let clock = project.clock_topic.as_deref();
    // Who only looks is no Sparkplug host: its end would say that the host is gone.
    let (mut broker, mut ingest) = (project.broker.clone(), project.ingest.clone());
    broker.subscribe.extend(ingest.sparkplug.take().iter().flat_map(Sparkplug::filters));
    // Nor is it the twin: the broker keeps nothing for it, and the twin's connection stays.
    broker.client_id = None;
    ingest.keep_session = false;
    let name = format!("{} map {}", project.name, std::process::id());
    let mut connection = telemetry::connect(&broker, &ingest, clock, &site.points, &name)?;
    connection.subscriber.inspect(true);
    eprintln!("plenum: listening to {} for {} s; Ctrl-C ends it sooner", connection.broker, time.as_secs());
    let began = Instant::now();
    while began.elapsed() < time && !interrupt::interrupted() {
        // Whoever does not take what arrives makes the broker wait.
        let _ = connection.arrivals.recv_timeout(Duration::from_millis(50));
        while connection.arrivals.try_recv().is_ok() {}
    }
    let status = connection.subscriber.status();
    let inspection = connection.subscriber.inspection().unwrap_or_default();
    connection.stop();
    if inspection.topics().next().is_none() {
        let message = format!("nothing was heard ({status})");
        let remedy = "check [broker] url and subscribe, or listen longer";
        problems.push(Problem::warning(connection.broker.clone(), message, remedy));
    }
    if inspection.untold() > 0 {
        let message = format!("{} messages on further topics were not looked at", inspection.untold());
        problems.push(Problem::warning(connection.broker.clone(), message, "narrow [broker] subscribe"));
    }
    let mut hearing = Hearing::new(project);
    let mut all: Vec<_> = inspection.topics().collect();
    all.sort_by(|a, b| a.0.cmp(b.0));
    for (topic, seen) in all.into_iter().filter(|(t, _)| Some(*t) != clock) {
        hearing.message(topic, &seen.payload);
    }
    Ok(hearing.done())
}

/// Points as they are heard, each once.
struct Hearing<'a> {
    project: &'a Project,
    all: Vec<Heard>,
    host: Host,
}

impl<'a> Hearing<'a> {
    fn new(project: &'a Project) -> Self {
        Self { project, all: Vec::new(), host: Host::new("map", Limits::default()) }
    }

    fn done(mut self) -> Vec<Heard> {
        let mut seen = std::collections::HashSet::new();
        self.all.retain(|h| seen.insert((h.topic.clone(), h.key.clone())));
        self.all
    }

    fn item(&mut self, item: &Value) {
        let text = |key: &str| item.get(key).and_then(Value::as_str).unwrap_or_default();
        let topic = item.as_str().unwrap_or_else(|| text("topic"));
        if topic.is_empty() {
            return;
        }
        let payload = item.get("payload").map(|p| p.as_str().map_or_else(|| p.to_string(), str::to_owned));
        if !text("key").is_empty() || payload.is_none() {
            let says = ["name", "id", "description"].map(text).into_iter().filter(|s| !s.is_empty()).map(str::to_owned);
            let unit = Unit::written(text("unit"));
            self.all.push(Heard { topic: topic.into(), key: text("key").into(), unit, says: says.collect() });
        } else {
            self.message(topic, payload.unwrap_or_default().as_bytes());
        }
    }

    fn message(&mut self, topic: &str, bytes: &[u8]) {
        if topic.starts_with(sparkplug::NAMESPACE) {
            return self.sparkplug(topic, bytes);
        }
        let shape = self.project.ingest.payloads.iter().find(|s| filter_matches(&s.topic, topic));
        let keys = payload::keys(topic, bytes, shape);
        let says = payload::words(bytes);
        for (key, unit) in keys {
            self.all.push(Heard { topic: topic.into(), key, unit, says: says.clone() });
        }
    }

    fn sparkplug(&mut self, topic: &str, bytes: &[u8]) {
        for said in self.host.take(topic, bytes, Time(0)) {
            if let Said::Reading(reading) = said {
                let topic = sparkplug::data_topic(&reading.source);
                self.all.push(Heard { topic, key: reading.metric, ..Heard::default() });
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_topics_and_payloads() {
        assert_eq!(parted("a/b"), ("a/b", None));
        assert_eq!(parted("a/b {\"v\":1}"), ("a/b", Some("{\"v\":1}")));
        assert_eq!(parted("a/b 21"), ("a/b", Some("21")));
        assert_eq!(parted("plant/Boiler 1\t21"), ("plant/Boiler 1", Some("21")));
        assert_eq!(parted("plant Boiler 1"), ("plant Boiler 1", None));
        assert_eq!(parted("B1.AHU 1.SAT 21.5"), ("B1.AHU 1.SAT", Some("21.5")));
    }
}
