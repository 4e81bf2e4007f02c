//! `[broker]`.

use super::load::existing;
use super::sheet::Table;
use super::{Broker, BrokerUrl, Secret};
use std::path::Path;

const URL_REMEDY: &str = "write \"embedded\", \"mqtt://127.0.0.1:1883\" or \"mqtts://HOST:8883\"";

pub(crate) fn read(table: Table<'_>, folder: &Path) -> Broker {
    let mut broker = Broker::default();
    let sheet = table.sheet;
    let port = table.whole_in("port", 0, 65_535);
    if let Some(url) = table.text("url") {
        match BrokerUrl::parse(&url.value) {
            Ok(parsed) => broker.url = parsed,
            Err((message, remedy)) => sheet.error(url.line, message, remedy),
        }
    }
    if let Some(port) = port {
        match &mut broker.url {
            BrokerUrl::Embedded { port: own } => *own = port.value as u16,
            // 0 is left over from "embedded", where it means any port.
            BrokerUrl::Remote { .. } if port.value == 0 => {}
            BrokerUrl::Remote { port: own, .. } if u64::from(*own) == port.value => {}
            BrokerUrl::Remote { .. } => {
                sheet.warning(port.line, "`port` counts for the embedded broker only", "write the port in `url`");
            }
        }
    }
    broker.user = table.word("user").map(|u| u.value);
    read_password(&table, folder, &mut broker);
    let file = |key| table.word(key).map(|f| existing(sheet, folder, &f));
    (broker.ca, broker.cert, broker.key) = (file("ca"), file("cert"), file("key"));
    if broker.cert.is_some() != broker.key.is_some() {
        let line = table.line_of(if broker.cert.is_some() { "cert" } else { "key" });
        sheet.error(line, "a client certificate needs both `cert` and `key`", "name the other file, or leave both out");
    }
    broker.client_id = table.word("client_id").map(|c| c.value);
    if let Some(filters) = table.texts("subscribe") {
        if filters.is_empty() {
            sheet.error(table.line_of("subscribe"), "nothing is subscribed", "name a topic filter: [\"site/#\"]");
        }
        for filter in &filters {
            if let Some(fault) = fault_of_filter(&filter.value) {
                sheet.error(
                    filter.line,
                    format!("`{}` is no topic filter: {fault}", filter.value),
                    "site/+/value, site/#",
                );
            }
        }
        broker.subscribe = filters.into_iter().map(|f| f.value).filter(|f| fault_of_filter(f).is_none()).collect();
    }
    if let Some(seconds) = table.whole_in("keep_alive_s", 1, 65_535) {
        broker.keep_alive_s = seconds.value as u16;
    }
    broker.allow_insecure = table.truth("allow_insecure").unwrap_or(false);
    check_safety(&table, &broker);
    table.finish();
    broker
}

fn read_password(table: &Table<'_>, folder: &Path, broker: &mut Broker) {
    let sheet = table.sheet;
    let variable = table.word("password_env");
    let file = table.word("password_file");
    if let (Some(_), Some(file)) = (&variable, &file) {
        let remedy = "leave one of them out";
        sheet.error(file.line, "the password is in two places, `password_env` and `password_file`", remedy);
    }
    broker.password = match (variable, file) {
        (Some(variable), _) => Some(Secret::Environment(variable.value)),
        (None, Some(file)) => Some(Secret::File(existing(sheet, folder, &file))),
        (None, None) => None,
    };
    if broker.password.is_some() && broker.user.is_none() {
        let line = table.line_of(if table.has("password_env") { "password_env" } else { "password_file" });
        sheet.error(line, "a password without a user", "name `user`");
    }
    // Asked for here only, so that the wrong key is told apart and its value never shown.
    if table.text("password").is_some() {
        let remedy = "name the variable that holds it, password_env = \"…\", or the file, password_file = \"…\"";
        sheet.error(table.line_of("password"), "a password does not belong in the project file", remedy);
    }
}

fn check_safety(table: &Table<'_>, broker: &Broker) {
    let sheet = table.sheet;
    match &broker.url {
        BrokerUrl::Remote { host, tls: false, .. } if !is_loopback(host) && !broker.allow_insecure => {
            sheet.error(
                table.line_of("url"),
                format!("mqtt://{host} sends everything, passwords too, in the clear"),
                format!("write mqtts://{host}:8883; on a network that you trust, allow_insecure = true"),
            );
        }
        BrokerUrl::Remote { tls: true, .. } => {}
        _ => {
            for key in ["ca", "cert", "key"] {
                if table.has(key) {
                    let message = format!("`{key}` does nothing without TLS");
                    sheet.warning(table.line_of(key), message, "use mqtts://, or leave it out");
                }
            }
        }
    }
}

impl BrokerUrl {
    /// Reads `embedded`, `mqtt://HOST[:PORT]` or `mqtts://HOST[:PORT]`.
    ///
    /// # Errors
    /// What is wrong with it, and what to write instead.
    pub fn parse(text: &str) -> Result<Self, (String, String)> {
        let refuse = |message: String| Err((message, URL_REMEDY.to_owned()));
        if text == "embedded" {
            return Ok(BrokerUrl::Embedded { port: 0 });
        }
        let (tls, rest) = match text.split_once("://") {
            Some(("mqtt", rest)) => (false, rest),
            Some(("mqtts", rest)) => (true, rest),
            Some((scheme, _)) => return refuse(format!("`{scheme}://` is not a way to a broker")),
            None => return refuse(format!("`{text}` is no address of a broker")),
        };
        if rest.contains('@') {
            let remedy = "write `user` and `password_env` as keys of their own";
            return Err(("a user or a password does not belong in the address".into(), remedy.into()));
        }
        let rest = rest.strip_suffix('/').unwrap_or(rest);
        let (host, port) = match rest.strip_prefix('[').and_then(|r| r.split_once(']')) {
            Some((host, after)) => {
                (host, after.strip_prefix(':').or(if after.is_empty() { None } else { Some(after) }))
            }
            None => rest.split_once(':').map_or((rest, None), |(host, port)| (host, Some(port))),
        };
        let odd = |c: char| !(c.is_alphanumeric() || matches!(c, '.' | '-' | '_' | ':'));
        if host.is_empty() || host.contains(odd) {
            return refuse(format!("`{text}` names no host"));
        }
        let port = match port.map(str::parse::<u16>) {
            None => {
                if tls {
                    8883
                } else {
                    1883
                }
            }
            Some(Ok(port)) if port > 0 => port,
            Some(_) => return refuse(format!("`{text}` has no port between 1 and 65535 after its host")),
        };
        Ok(BrokerUrl::Remote { host: host.to_owned(), port, tls })
    }
}

/// True for this machine itself.
pub(crate) fn is_loopback(host: &str) -> bool {
    let bytes: Option<Vec<u8>> = host.split('.').map(|part| part.parse().ok()).collect();
    host.eq_ignore_ascii_case("localhost") || host == "::1" || bytes.is_some_and(|b| b.len() == 4 && b[0] == 127)
}

/// What is wrong with a topic filter (MQTT 3.1.1, 4.7).
fn fault_of_filter(filter: &str) -> Option<&'static str> {
    let levels: Vec<&str> = filter.split('/').collect();
    let last = levels.len().saturating_sub(1);
    if filter.is_empty() || filter.contains('\0') {
        return Some("it is empty");
    }
    levels.iter().enumerate().find_map(|(i, level)| match *level {
        "#" if i < last => Some("# stands at the end only"),
        "#" | "+" => None,
        l if l.contains(['#', '+']) => Some("# and + stand for whole levels"),
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses() {
        let remote = |host: &str, port, tls| Ok(BrokerUrl::Remote { host: host.into(), port, tls });
        assert_eq!(BrokerUrl::parse("embedded"), Ok(BrokerUrl::Embedded { port: 0 }));
        assert_eq!(BrokerUrl::parse("mqtt://localhost"), remote("localhost", 1883, false));
        assert_eq!(BrokerUrl::parse("mqtts://b.example/"), remote("b.example", 8883, true));
        assert_eq!(BrokerUrl::parse("mqtts://10.0.0.7:9999"), remote("10.0.0.7", 9999, true));
        assert_eq!(BrokerUrl::parse("mqtt://[::1]:1884"), remote("::1", 1884, false));
        assert_eq!(BrokerUrl::parse("mqtt://[::1]"), remote("::1", 1883, false));
        for bad in [
            "",
            "broker.example",
            "http://x",
            "mqtt://",
            "mqtt://:1883",
            "mqtt://x:0",
            "mqtt://x:99999",
            "mqtt://x:y",
            "mqtt://a b",
            "mqtt://x/y",
            "mqtt://[::1]x",
            "mqtts://user:secret@x",
        ] {
            let (message, remedy) = BrokerUrl::parse(bad).expect_err(bad);
            assert!(!message.contains("secret") && !remedy.is_empty(), "{bad}: {message}");
        }
    }

    #[test]
    fn loopback_is_this_machine() {
        for here in ["localhost", "127.0.0.1", "127.1.2.3", "::1"] {
            assert!(is_loopback(here), "{here}");
        }
        for elsewhere in ["127.example.org", "10.0.0.1", "127.0.0", "broker", ""] {
            assert!(!is_loopback(elsewhere), "{elsewhere}");
        }
    }

    #[test]
    fn topic_filters() {
        for good in ["#", "a/#", "+/b", "a/+/c/#", "/a", "a b/c"] {
            assert_eq!(fault_of_filter(good), None, "{good}");
        }
        for bad in ["", "#/a", "a#", "a/b+/c"] {
            assert!(fault_of_filter(bad).is_some(), "{bad}");
        }
    }
}
