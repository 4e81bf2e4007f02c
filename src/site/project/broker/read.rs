//! Reads them from the project file.

use super::{Broker, BrokerUrl, MqttVersion, Qos};
use crate::site::project::Secret;
use crate::site::project::load::existing;
use crate::site::project::sheet::Table;
use std::path::Path;

/// `[broker]`.
pub(crate) fn read(table: Table<'_>, folder: &Path) -> Broker {
    let mut broker = Broker::default();
    let sheet = table.sheet;
    if let Some(name) = table.word("name") {
        broker.name = name.value;
    }
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
    read_protocol(&table, &mut broker);
    read_share(&table, &mut broker);
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
    broker.allow_anonymous = table.truth("allow_anonymous").unwrap_or(false);
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

fn read_protocol(table: &Table<'_>, broker: &mut Broker) {
    let sheet = table.sheet;
    if let Some(version) = table.word("version") {
        match version.value.as_str() {
            "3.1.1" => {}
            "5" | "5.0" => broker.version = MqttVersion::V5,
            other => sheet.error(version.line, format!("`{other}` is no version of MQTT"), "write \"3.1.1\" or \"5\""),
        }
    }
    if let Some(qos) = table.whole_in("qos", 0, 2) {
        broker.qos = match qos.value {
            0 => Qos::AtMostOnce,
            1 => Qos::AtLeastOnce,
            _ => Qos::ExactlyOnce,
        };
    }
    if let Some(seconds) = table.whole_in("session_expiry_s", 0, u64::from(u32::MAX)) {
        broker.session_expiry_s = seconds.value as u32;
    }
    if let Some(most) = table.whole_in("receive_maximum", 1, 65_535) {
        broker.receive_maximum = most.value as u16;
    }
    let old = broker.version == MqttVersion::V3;
    for key in ["session_expiry_s", "receive_maximum"].into_iter().filter(|key| old && table.has(key)) {
        let remedy = "write version = \"5\", or leave it out";
        sheet.warning(table.line_of(key), format!("`{key}` does nothing before MQTT 5"), remedy);
    }
    if matches!(broker.url, BrokerUrl::Embedded { .. }) {
        if broker.version == MqttVersion::V5 {
            let message = "the embedded broker speaks MQTT 3.1.1";
            sheet.error(table.line_of("version"), message, "leave `version` out");
            broker.version = MqttVersion::V3;
        }
        if table.has("qos") {
            let message = "`qos` does nothing with the embedded broker: it keeps nothing, and what counts are receipts";
            sheet.warning(table.line_of("qos"), message, "leave it out");
        }
    }
}

fn read_share(table: &Table<'_>, broker: &mut Broker) {
    let sheet = table.sheet;
    if let Some(instance) = table.word("instance") {
        let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
        if instance.value.len() <= 32 && instance.value.chars().all(fits) {
            broker.instance = Some(instance.value);
        } else {
            let message = format!("`{}` does not fit into a client id", instance.value);
            sheet.error(instance.line, message, "up to 32 letters, digits, - and _");
        }
    }
    if let Some(group) = table.word("share") {
        if matches!(broker.url, BrokerUrl::Embedded { .. }) {
            let message = "the embedded broker serves this twin: nobody shares with it";
            sheet.error(group.line, message, "leave `share` out, or name a broker that all of the twins reach");
        } else if group.value.contains(['/', '+', '#', '\0']) {
            let message = format!("`{}` is no name of a group", group.value);
            sheet.error(group.line, message, "a name without / + #");
        } else {
            broker.share = Some(group.value);
        }
    }
}

fn check_safety(table: &Table<'_>, broker: &Broker) {
    let sheet = table.sheet;
    if let Err((message, remedy)) = broker.safety() {
        sheet.error(table.line_of("url"), message, remedy);
    }
    if !matches!(broker.url, BrokerUrl::Remote { tls: true, .. }) {
        for key in ["ca", "cert", "key"] {
            if table.has(key) {
                let message = format!("`{key}` does nothing without TLS");
                sheet.warning(table.line_of(key), message, "use mqtts://, or leave it out");
            }
        }
    }
    if broker.version == MqttVersion::V5 && broker.keep_alive_s < 5 {
        let message = "with MQTT 5 the keep-alive is 5 s at least";
        sheet.warning(table.line_of("keep_alive_s"), message, "write keep_alive_s = 5, or more");
    }
}

/// `[broker]` and `[[brokers]]`: the first broker, and the others.
pub(crate) fn read_all(root: &Table<'_>, folder: &Path) -> (Broker, Vec<Broker>) {
    let sheet = root.sheet;
    let mut all: Vec<Broker> = root.table("broker").map(|t| read(t, folder)).into_iter().collect();
    let mut embedded = usize::from(all.iter().any(|b| matches!(b.url, BrokerUrl::Embedded { .. })));
    for table in root.tables("brokers") {
        let (line, named) = (table.line, table.has("name"));
        let (name_line, has_url) = (table.line_of("name"), table.has("url"));
        let broker = read(table, folder);
        if !named {
            sheet.error(
                line,
                "one of several brokers has no name",
                "write name = \"…\": points and messages name it so",
            );
        } else if all.iter().any(|b| b.name == broker.name) {
            sheet.error(name_line, format!("two brokers are called `{}`", broker.name), "give each its own name");
        }
        if !has_url {
            sheet.error(line, format!("the broker `{}` has no `url`", broker.name), super::URL_REMEDY);
        }
        let is_embedded = matches!(broker.url, BrokerUrl::Embedded { .. });
        embedded += usize::from(is_embedded);
        if is_embedded && embedded > 1 {
            sheet.error(line, "there is one embedded broker only", "give this one an address of its own");
            continue;
        }
        all.push(broker);
    }
    let mut all = all.into_iter();
    (all.next().unwrap_or_default(), all.collect())
}

/// What is wrong with a topic filter (MQTT 3.1.1, 4.7).
fn fault_of_filter(filter: &str) -> Option<&'static str> {
    let levels: Vec<&str> = filter.split('/').collect();
    let last = levels.len().saturating_sub(1);
    if filter.is_empty() || filter.contains('\0') {
        return Some("it is empty");
    }
    if filter.starts_with("$share/") {
        return Some("a group is named by `share`");
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
    use super::super::super::testing::told;
    use super::*;

    #[test]
    fn topic_filters() {
        for good in ["#", "a/#", "+/b", "a/+/c/#", "/a", "a b/c"] {
            assert_eq!(fault_of_filter(good), None, "{good}");
        }
        for bad in ["", "#/a", "a#", "a/b+/c", "$share/g/a"] {
            assert!(fault_of_filter(bad).is_some(), "{bad}");
        }
    }
    #[test]
    fn how_a_broker_is_spoken_to() {
        let project = told(
            "[broker]\nurl = \"mqtts://b.example\"\nuser = \"u\"\npassword_env = \"P\"\nversion = \"5\"\nqos = 2\n\
             share = \"twins\"\ninstance = \"a\"\nsession_expiry_s = 60\nreceive_maximum = 20\n",
            &[],
        );
        let b = &project.broker;
        assert_eq!((b.version, b.qos, b.share.as_deref()), (MqttVersion::V5, Qos::ExactlyOnce, Some("twins")));
        assert_eq!((b.instance.as_deref(), b.session_expiry_s, b.receive_maximum), (Some("a"), 60, 20));
        assert_eq!(project.brokers().count(), 1);
        let broker = told("[broker]\nurl = \"embedded\"\n", &[]).broker;
        assert_eq!((broker.version, broker.qos), (MqttVersion::V3, Qos::AtLeastOnce), "as it always was");
        told(
            "[broker]\nversion = \"4\"\nqos = 3\ninstance = \"a/b\"\nsession_expiry_s = 1\nshare = \"g\"\n",
            &[
                (5, "no version of MQTT"),
                (6, "`qos` in [broker] is 3"),
                (7, "does not fit"),
                (8, "before MQTT 5"),
                (9, "nobody shares with it"),
            ],
        );
        told(
            "[broker]\nurl = \"embedded\"\nversion = \"5\"\nqos = 0\n",
            &[(6, "speaks MQTT 3.1.1"), (7, "does nothing")],
        );
        let v5 = "[broker]\nurl = \"mqtt://localhost\"\nversion = \"5\"\nkeep_alive_s = 2\nshare = \"a/b\"\n";
        told(v5, &[(7, "5 s at least"), (8, "no name of a group")]);
    }

    #[test]
    fn several_brokers() {
        let several = "[[brokers]]\nname = \"site\"\nurl = \"mqtt://localhost:1884\"\nsubscribe = [\"a/#\"]\n\
             [[brokers]]\nname = \"plant\"\nurl = \"mqtts://p.example\"\nuser = \"u\"\npassword_env = \"P\"\nqos = 0\n";
        let project = told(several, &[]);
        let names: Vec<&str> = project.brokers().map(|b| b.name.as_str()).collect();
        assert_eq!((names, project.broker.name.as_str()), (vec!["site", "plant"], "site"));
        assert_eq!(project.more_brokers[0].qos, Qos::AtMostOnce);
        let both = told(&format!("[broker]\nurl = \"embedded\"\n{several}"), &[]);
        assert_eq!(both.brokers().count(), 3);
        told(
            "[[brokers]]\nurl = \"mqtt://localhost\"\n[[brokers]]\nname = \"a\"\n[[brokers]]\nname = \"a\"\nurl = \"embedded\"\n\
             [[brokers]]\nname = \"c\"\nurl = \"mqtt://c.example\"\n[[brokers]]\nname = \"d\"\nurl = \"mqtts://d.example\"\n",
            &[
                (4, "has no name"),
                (6, "has no `url`"),
                (9, "two brokers are called `a`"),
                (8, "one embedded broker only"),
                (13, "in the clear"),
                (16, "nothing but its own certificate"),
            ],
        );
    }

    #[test]
    fn tls_and_a_login_or_words_that_say_otherwise() {
        let fine = |lines: &str| {
            let text = format!("[broker]\nurl = \"mqtts://b.example\"\n{lines}");
            told(&text, &[]).broker.safety().is_ok()
        };
        assert!(!fine("") && fine("allow_anonymous = true\n") && fine("allow_insecure = true\n"));
        assert!(fine("user = \"u\"\n") && fine("cert = \"a.geojson\"\nkey = \"a.geojson\"\n"));
        let plain = |lines: &str| {
            told(&format!("[broker]\nurl = \"mqtt://b.example\"\nuser = \"u\"\n{lines}"), &[]).broker.safety().is_ok()
        };
        assert!(!plain("") && !plain("allow_anonymous = true\n") && plain("allow_insecure = true\n"));
    }
}
