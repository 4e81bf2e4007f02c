//! From the text of a gateway's file to a [`Config`].

use super::super::dispatch::{Pace, WhenFull};
use super::super::spool::Options;
use super::{Config, Device, Kind, points};
use crate::problem::Problem;
use crate::site::project::broker;
use crate::site::project::sheet::{Sheet, Table};
use crate::site::project::{Broker, BrokerUrl};
use crate::telemetry::receipts;
use std::collections::HashSet;
use std::path::Path;
use toml::de::DeTable;

/// It is written by hand, or by a script from a list of points: more than this is something else, bytes.
const MAX_BYTES: u64 = 16 << 20;

/// Reads a gateway's file. Whatever is wrong with a key is in the list, with its line, and the rest is read.
///
/// # Errors
/// When there is no such file, it is not TOML at all, or it names no id, no broker or no point that could be read.
pub fn load(path: &Path) -> Result<(Config, Vec<Problem>), (Problem, Vec<Problem>)> {
    let refuse =
        |message: String, remedy: &str| (Problem::error(path.display().to_string(), message, remedy), Vec::new());
    let size = match std::fs::metadata(path) {
        Ok(data) if data.is_file() => data.len(),
        Ok(_) => return Err(refuse("this is no file".into(), "name the gateway's file")),
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => {
            return Err(refuse("there is no such file".into(), "`plenum gateway --example` prints one to begin with"));
        }
        Err(e) => return Err(refuse(format!("cannot be read: {e}"), "check path and rights")),
    };
    if size > MAX_BYTES {
        return Err(refuse(format!("{size} bytes are too many for a gateway's file"), "name the right one"));
    }
    let bytes = std::fs::read(path).map_err(|e| refuse(format!("cannot be read: {e}"), "check path and rights"))?;
    let text = String::from_utf8(bytes)
        .map_err(|_| refuse("this is not text in UTF-8".into(), "save it as UTF-8, or name the right file"))?;
    let file = std::path::absolute(path).unwrap_or_else(|_| path.to_path_buf());
    read(&file, &text)
}

/// Reads the text of a gateway's file that stands at `file`, an absolute path.
pub(super) fn read(file: &Path, text: &str) -> Result<(Config, Vec<Problem>), (Problem, Vec<Problem>)> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let name = file.file_name().map_or_else(|| "gateway.toml".into(), |n| n.to_string_lossy().into_owned());
    let sheet = Sheet::new(name, text).called("the gateway's file");
    let (document, errors) = DeTable::parse_recoverable(text);
    for error in &errors {
        let line = error.span().map_or(1, |s| sheet.line(s.start));
        let remedy = "mend this line: name = \"text\", number = 1.5, list = [1, 2], [table], [[list of tables]]";
        sheet.error(line, format!("not TOML: {}", error.message().trim().replace('\n', ", ")), remedy);
    }
    let root = Table::new(&sheet, "", document.span(), document.get_ref());
    let config = config(root, file);
    let problems = sheet.into_problems();
    let place = || file.display().to_string();
    let refuse = |message: &str, remedy: &str| Err((Problem::error(place(), message, remedy), problems.clone()));
    let Some(config) = config else {
        return refuse("the gateway has no id or no broker", "`plenum gateway --example` prints a file to begin with");
    };
    if config.points() == 0 {
        return refuse("there is nothing to read", "name [[devices]] with [[devices.points]]; see --example");
    }
    Ok((config, problems))
}

fn config(root: Table<'_>, file: &Path) -> Option<Config> {
    let folder = file.parent().map(Path::to_path_buf).unwrap_or_default();
    let sheet = root.sheet;
    let id = root.word("id").and_then(|id| name_of(sheet, id.value, id.line));
    if !root.has("id") {
        sheet.error(
            1,
            "the gateway has no `id`",
            "give it one that no other gateway of this broker has: id = \"gw-1\"",
        );
    }
    let broker = root.table("broker").map(|t| (t.line, broker::read(t, &folder)));
    let broker = match broker {
        Some((line, broker)) => reachable(sheet, line, broker),
        None => {
            sheet.error(1, "the gateway has no [broker]", "write [broker] with url = \"mqtts://HOST:8883\"");
            None
        }
    };
    let spool = root.table("spool").map(|t| spool(t, &folder)).unwrap_or_else(|| Spool::beside(&folder));
    let mut pace = spool.pace;
    if let Some(table) = root.table("pace") {
        let number = |key, least, most| table.number_in(key, least, most).map(|n| n.value);
        pace.backlog_per_s = number("backlog_per_s", 1.0, 1e6).unwrap_or(pace.backlog_per_s);
        pace.again_s = number("again_s", 1.0, 86_400.0).unwrap_or(pace.again_s);
        // What the client takes at once without making us wait.
        pace.in_flight = table.whole_in("in_flight", 2, 5000).map_or(pace.in_flight, |n| n.value as usize);
        table.finish();
    }
    let (mut historian, mut receipts) = (true, receipts::PREFIX.to_owned());
    if let Some(table) = root.table("historian") {
        historian = table.truth("confirms").unwrap_or(true);
        receipts = topic(&table, "receipts").unwrap_or(receipts);
        table.finish();
    }
    let (mut status, mut status_every_s) = ("plenum/gateway".to_owned(), 30.0);
    if let Some(table) = root.table("status") {
        status = topic(&table, "topic").unwrap_or(status);
        status_every_s = table.number_in("every_s", 1.0, 3600.0).map_or(status_every_s, |n| n.value);
        table.finish();
    }
    let shown = id.clone().unwrap_or_default();
    let mut seen = points::Seen::default();
    let mut names = HashSet::new();
    let tables = root.tables("devices");
    if tables.is_empty() && !root.has("devices") {
        sheet.error(1, "the gateway reads no device", "name [[devices]]; `plenum gateway --example` shows how");
    }
    let devices: Vec<Device> = tables
        .into_iter()
        .filter_map(|table| {
            let line = table.line_of("name");
            let device = device(table, &shown, &mut seen)?;
            if names.insert(device.name.clone()) {
                return Some(device);
            }
            sheet.error(line, format!("two devices are called `{}`", device.name), "give each a name of its own");
            None
        })
        .collect();
    root.finish();
    Some(Config {
        file: file.to_path_buf(),
        id: id?,
        broker: broker?,
        spool: spool.folder,
        options: spool.options,
        when_full: spool.when_full,
        pace,
        historian,
        receipts,
        status,
        status_every_s,
        devices,
    })
}

/// A broker that a gateway can be sent to: another program's.
fn reachable(sheet: &Sheet, line: usize, broker: Broker) -> Option<Broker> {
    if matches!(broker.url, BrokerUrl::Embedded { port: 0 }) {
        let remedy = "write url = \"mqtts://HOST:8883\", or embedded with the port that [broker] of the twin names";
        sheet.error(line, "a gateway needs a broker that it can find: [broker] names none", remedy);
        return None;
    }
    Some(broker)
}

struct Spool {
    folder: std::path::PathBuf,
    options: Options,
    when_full: WhenFull,
    pace: Pace,
}

impl Spool {
    fn beside(folder: &Path) -> Self {
        Self {
            folder: folder.join("spool"),
            options: Options::default(),
            when_full: WhenFull::default(),
            pace: Pace::default(),
        }
    }
}

fn spool(table: Table<'_>, folder: &Path) -> Spool {
    let mut spool = Spool::beside(folder);
    if let Some(named) = table.word("folder") {
        spool.folder = folder.join(named.value);
    }
    if let Some(mb) = table.number_in("max_mb", 1.0, 1e7) {
        spool.options.limit_bytes = (mb.value * 1e6) as u64;
        // A full spool loses a segment at a time: a small one in small steps.
        spool.options.segment_bytes = spool.options.segment_bytes.min(spool.options.limit_bytes / 16);
    }
    if let Some(seconds) = table.number_in("sync_s", 0.0, 60.0) {
        spool.pace.sync_s = seconds.value;
    }
    if let Some(records) = table.whole_in("sync_records", 1, 100_000) {
        spool.pace.sync_records = records.value as usize;
    }
    if let Some(records) = table.whole_in("memory_records", 1, 10_000_000) {
        spool.pace.memory_records = records.value as usize;
    }
    if let Some(word) = table.word("when_full") {
        match word.value.as_str() {
            "lose-oldest" => spool.when_full = WhenFull::LoseOldest,
            "lose-newest" => spool.when_full = WhenFull::LoseNewest,
            other => table.sheet.error(
                word.line,
                format!("`{other}` says not what a full spool loses"),
                "write \"lose-oldest\" or \"lose-newest\"",
            ),
        }
    }
    table.finish();
    spool
}

/// A topic to put names behind.
fn topic(table: &Table<'_>, key: &'static str) -> Option<String> {
    let topic = table.word(key)?;
    let text = topic.value.trim_end_matches('/');
    if !text.is_empty() && crate::telemetry::topics::is_topic(text) {
        return Some(text.to_owned());
    }
    let message = format!("`{}` in {} is no topic", topic.value, table.title);
    table.sheet.error(topic.line, message, "a topic has no # and no +: plenum/gateway");
    None
}

/// A name that can stand in a topic.
pub(super) fn name_of(sheet: &Sheet, name: String, line: usize) -> Option<String> {
    if name.len() <= 100 && !name.contains(['/', '+', '#', '\0']) {
        return Some(name);
    }
    sheet.error(line, format!("`{name}` is no name for a topic"), "at most 100 bytes, without / + and #");
    None
}

fn device(table: Table<'_>, gateway: &str, seen: &mut points::Seen) -> Option<Device> {
    let (sheet, line) = (table.sheet, table.line);
    let name = table.word("name").and_then(|n| name_of(sheet, n.value, n.line));
    if !table.has("name") {
        sheet.error(line, "a device has no `name`", "give it one: name = \"AHU-1\"");
    }
    let kind = kind(&table);
    let timeout_s = table.number_in("timeout_s", 0.05, 60.0).map_or(2.0, |n| n.value);
    let retries = table.whole_in("retries", 0, 10).map_or(2, |n| n.value as u32);
    let poll_s = table.number_in("poll_s", 0.05, 86_400.0).map_or(10.0, |n| n.value);
    let template = table.word("topic");
    let tables = table.tables("points");
    if tables.is_empty() && !table.has("points") {
        sheet.error(line, "a device has no points", "name [[devices.points]] behind it; see --example");
    }
    let device = kind.zip(name).map(|(kind, name)| {
        let about = points::About {
            gateway,
            device: &name,
            kind: &kind,
            poll_s,
            topic: template.as_ref().map_or("{gateway}/{device}", |t| t.value.as_str()),
        };
        let points = tables.into_iter().filter_map(|t| points::read(t, &about, seen)).collect();
        Device { kind, timeout_s, retries, points, name }
    });
    table.finish();
    device
}

fn kind(table: &Table<'_>) -> Option<Kind> {
    let sheet = table.sheet;
    let word = table.word("kind");
    let address = table.word("address");
    // Asked for whatever the kind is, so that none is called unknown; what does not belong is said.
    let unit = table.whole_in("unit_id", 0, 255);
    let most = table.whole_in("at_once", 1, 125);
    let gap = table.whole_in("gap", 0, 125);
    let network = table.whole_in("network", 1, 65_534);
    let mac = table.word("mac");
    let Some(word) = word else {
        if !table.has("kind") {
            sheet.error(table.line, "a device has no `kind`", "\"modbus-tcp\", \"bacnet-ip\" or \"simulated\"");
        }
        return None;
    };
    let alien = |keys: &[&str]| {
        for key in keys.iter().filter(|k| table.has(k)) {
            let message = format!("`{key}` means nothing for a device of the kind {}", word.value);
            sheet.warning(table.line_of(key), message, "leave it out");
        }
    };
    let place = |port: u16| match &address {
        None => {
            sheet.error(table.line, "a device has no `address`", format!("write address = \"HOST:{port}\""));
            None
        }
        Some(address) => {
            let found = host_and_port(&address.value, port);
            if found.is_none() {
                let message = format!("`{}` is no address", address.value);
                sheet.error(address.line, message, format!("write \"HOST:{port}\", or \"HOST\" for that port"));
            }
            found
        }
    };
    match word.value.as_str() {
        "modbus-tcp" | "modbus-rtu-over-tcp" => {
            alien(&["network", "mac"]);
            let (host, port) = place(502)?;
            Some(Kind::Modbus {
                host,
                port,
                unit: unit.map_or(1, |n| n.value as u8),
                rtu: word.value != "modbus-tcp",
                most: most.map_or(100, |n| n.value as u16),
                gap: gap.map_or(8, |n| n.value as u16),
            })
        }
        "bacnet-ip" => {
            alien(&["unit_id", "gap"]);
            let (host, port) = place(47_808)?;
            let route = match (network, mac) {
                (None, None) => None,
                (Some(network), Some(mac)) => match hex(&mac.value) {
                    Some(bytes) => Some((network.value as u16, bytes)),
                    None => {
                        let message = format!("`{}` is no address on a BACnet network", mac.value);
                        sheet.error(mac.line, message, "write its bytes in hexadecimal: \"0C\", or \"C0A80114BAC0\"");
                        return None;
                    }
                },
                _ => {
                    let remedy = "name both for a device behind a BACnet router, or none";
                    sheet.error(table.line, "`network` and `mac` belong together, and one is missing", remedy);
                    return None;
                }
            };
            Some(Kind::Bacnet { host, port, route, most: most.map_or(20, |n| n.value as u16) })
        }
        "simulated" => {
            alien(&["address", "unit_id", "at_once", "gap", "network", "mac"]);
            Some(Kind::Simulated)
        }
        other => {
            let remedy = "write \"modbus-tcp\", \"modbus-rtu-over-tcp\", \"bacnet-ip\" or \"simulated\"";
            sheet.error(word.line, format!("`{other}` is no kind of device"), remedy);
            None
        }
    }
}

/// `host`, `host:port`, `[::1]:port`.
fn host_and_port(text: &str, usual: u16) -> Option<(String, u16)> {
    let (host, port) = match text.strip_prefix('[').and_then(|r| r.split_once(']')) {
        Some((host, "")) => (host, None),
        Some((host, rest)) => (host, Some(rest.strip_prefix(':')?)),
        None => text.split_once(':').map_or((text, None), |(host, port)| (host, Some(port))),
    };
    let odd = |c: char| !(c.is_alphanumeric() || matches!(c, '.' | '-' | '_' | ':'));
    let port = port.map_or(Some(usual), |p| p.parse().ok().filter(|p| *p > 0))?;
    (!host.is_empty() && !host.contains(odd)).then(|| (host.to_owned(), port))
}

fn hex(text: &str) -> Option<Vec<u8>> {
    let digits: Vec<u8> = text
        .chars()
        .filter(|c| !matches!(c, ':' | '-' | ' '))
        .map(|c| c.to_digit(16).map(|d| d as u8))
        .collect::<Option<_>>()?;
    let pairs = digits.as_chunks::<2>();
    (pairs.1.is_empty() && (1..=7).contains(&pairs.0.len())).then(|| pairs.0.iter().map(|[a, b]| a << 4 | b).collect())
}
