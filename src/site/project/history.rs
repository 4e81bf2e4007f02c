//! `[history]` and `[retention]`: where samples are kept, and how long.

use super::broker::is_loopback;
use super::load::existing;
use super::sheet::{Field, Table};
use super::{Retention, Secret};
use crate::site::binding::glob;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Where the samples of a project are kept, and how they get there.
#[derive(Clone, Debug, PartialEq)]
pub struct HistorySettings {
    /// Where.
    pub store: HistoryStore,
    /// Topics below this one tell publishers which of their samples are kept, no slash at its end.
    pub receipts: String,
    /// Samples wait no longer than this for those that are committed with them, milliseconds.
    pub commit_ms: u64,
    /// So many samples are committed without waiting for more.
    pub commit_samples: usize,
    /// How often what the flow networks say of measured points is kept beside them, seconds of the site's time; 0: never.
    pub simulated_every_s: f64,
}

impl Default for HistorySettings {
    /// Beside a project file that nobody knows of: in the folder where the program runs.
    fn default() -> Self {
        Self::beside(Path::new(""))
    }
}

impl HistorySettings {
    /// What holds for a project in a folder that says nothing of it.
    pub fn beside(folder: &Path) -> Self {
        Self {
            store: HistoryStore::File(folder.join(".plenum").join("history.db")),
            receipts: "plenum/receipts".into(),
            commit_ms: 200,
            commit_samples: 10_000,
            simulated_every_s: 300.0,
        }
    }
}

/// Where samples are kept.
#[derive(Clone, Debug, PartialEq)]
pub enum HistoryStore {
    /// Nowhere.
    Off,
    /// In one file on this machine.
    File(PathBuf),
    /// In PostgreSQL.
    Server {
        /// `postgres://user@host:5432/database`.
        url: String,
        /// Where the password is found; none: no password.
        password: Option<Secret>,
        /// PEM file with the certificate authority; none: the system's.
        ca: Option<PathBuf>,
        /// Plain text to another machine is accepted: the network itself is trusted.
        allow_insecure: bool,
    },
}

/// How long samples and their sums are kept, days; none: for good.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct KeepDays {
    /// Samples as they came.
    pub raw: Option<f64>,
    /// Sums of a minute.
    pub rollup_1min: Option<f64>,
    /// Sums of a quarter of an hour.
    pub rollup_15min: Option<f64>,
    /// Sums of an hour.
    pub rollup_1h: Option<f64>,
}

impl Default for KeepDays {
    fn default() -> Self {
        Self { raw: Some(90.0), rollup_1min: Some(366.0), rollup_15min: Some(1825.0), rollup_1h: None }
    }
}

/// Points that are kept otherwise than the others.
#[derive(Clone, Debug, PartialEq)]
pub struct PointClass {
    /// Ids of points, with `*` for any run of characters: `*/energy`.
    pub points: Vec<String>,
    /// How long.
    pub keep: KeepDays,
}

impl Retention {
    /// The class of a point: the first by name that has a pattern for its id; empty: none.
    pub fn class_of(&self, id: &str) -> &str {
        let has = |class: &PointClass| class.points.iter().any(|pattern| glob(pattern, id));
        self.classes.iter().find(|(_, class)| has(class)).map_or("", |(name, _)| name)
    }
}

const URL_REMEDY: &str = "write \"postgres://USER@HOST:5432/DATABASE\"";

pub(super) fn read(table: Table<'_>, folder: &Path) -> HistorySettings {
    let sheet = table.sheet;
    let mut settings = HistorySettings::beside(folder);
    let off = table.truth("off").unwrap_or(false);
    let file = table.word("file");
    let url = table.word("url");
    if let (Some(_), Some(url)) = (&file, &url) {
        sheet.error(url.line, "history is in two places, `file` and `url`", "leave one of them out");
    }
    if let Some(file) = &file {
        settings.store = HistoryStore::File(folder.join(&file.value));
        if folder.join(&file.value).is_dir() {
            sheet.error(file.line, format!("`{}` is a folder", file.value), "name a file in it: history.db");
        }
    }
    let password = password(&table, folder);
    let ca = table.word("ca").map(|f| existing(sheet, folder, &f));
    let allow_insecure = table.truth("allow_insecure").unwrap_or(false);
    match url {
        Some(url) => {
            check_url(&table, &url, ca.is_some(), allow_insecure);
            settings.store = HistoryStore::Server { url: url.value, password, ca, allow_insecure };
        }
        None => {
            for key in ["password_env", "password_file", "ca", "allow_insecure"] {
                if table.has(key) {
                    let message = format!("`{key}` does nothing without `url`");
                    sheet.warning(table.line_of(key), message, URL_REMEDY);
                }
            }
        }
    }
    if off {
        settings.store = HistoryStore::Off;
    }
    if let Some(prefix) = table.word("receipts") {
        let topic = prefix.value.trim_end_matches('/');
        if topic.is_empty() || topic.contains(['#', '+', '\0']) {
            let message = format!("`{}` is no topic that others can stand below", prefix.value);
            sheet.error(prefix.line, message, "write it without # and +: \"plenum/receipts\"");
        } else {
            topic.clone_into(&mut settings.receipts);
        }
    }
    if let Some(bound) = table.whole_in("commit_ms", 1, 60_000) {
        settings.commit_ms = bound.value;
    }
    if let Some(bound) = table.whole_in("commit_samples", 1, 1_000_000) {
        settings.commit_samples = bound.value as usize;
    }
    if let Some(every) = table.number_in("simulated_every_s", 0.0, 86_400.0) {
        settings.simulated_every_s = every.value;
    }
    table.finish();
    settings
}

fn password(table: &Table<'_>, folder: &Path) -> Option<Secret> {
    let sheet = table.sheet;
    let (variable, file) = (table.word("password_env"), table.word("password_file"));
    if let (Some(_), Some(file)) = (&variable, &file) {
        let remedy = "leave one of them out";
        sheet.error(file.line, "the password is in two places, `password_env` and `password_file`", remedy);
    }
    // Asked for here only, so that the wrong key is told apart and its value never shown.
    if table.text("password").is_some() {
        let remedy = "name the variable that holds it, password_env = \"…\", or the file, password_file = \"…\"";
        sheet.error(table.line_of("password"), "a password does not belong in the project file", remedy);
    }
    match (variable, file) {
        (Some(variable), _) => Some(Secret::Environment(variable.value)),
        (None, Some(file)) => Some(Secret::File(existing(sheet, folder, &file))),
        (None, None) => None,
    }
}

fn check_url(table: &Table<'_>, url: &Field<String>, has_ca: bool, allow_insecure: bool) {
    let sheet = table.sheet;
    // The address stands in no message before it is known to hold no password.
    let Some((_, rest)) = url.value.split_once("://").filter(|(s, _)| ["postgres", "postgresql"].contains(s)) else {
        return sheet.error(url.line, "`url` in [history] is no address of PostgreSQL", URL_REMEDY);
    };
    let (rest, query) = rest.split_once('?').unwrap_or((rest, ""));
    let authority = rest.split('/').next().unwrap_or_default();
    let (user, host) = authority.rsplit_once('@').unwrap_or(("", authority));
    if user.contains(':') || query.contains("password") {
        let remedy = "leave it out of `url`; name the variable that holds it, password_env = \"…\"";
        return sheet.error(url.line, "a password does not belong in the project file", remedy);
    }
    let here = host.split(',').all(is_here);
    if !here && query.contains("sslmode") {
        let remedy = "leave `sslmode` out; on a network that you trust, allow_insecure = true";
        sheet.error(url.line, "to another machine it is always TLS, whatever `sslmode` says", remedy);
    }
    if allow_insecure && has_ca {
        let line = table.line_of("allow_insecure");
        sheet.warning(line, "`allow_insecure` does nothing with `ca`: that means TLS", "leave one of them out");
    } else if allow_insecure && !here {
        let message = format!("history goes to {host} in the clear, and so does its password's check");
        sheet.warning(url.line, message, "leave `allow_insecure` out where the server has TLS");
    }
}

fn is_here(host: &str) -> bool {
    // In brackets an address of IPv6; `%2F` begins the path of a socket.
    let name = match host.strip_prefix('[') {
        Some(v6) => v6.split(']').next().unwrap_or_default(),
        None => host.split(':').next().unwrap_or_default(),
    };
    name.is_empty() || name.starts_with("%2F") || name.starts_with("%2f") || is_loopback(name)
}

pub(super) fn read_retention(table: Table<'_>) -> Retention {
    let usual = keep(&table, KeepDays::default());
    let mut classes = BTreeMap::new();
    if let Some(named) = table.table("classes") {
        for (name, class) in named.named("class") {
            let sheet = class.sheet;
            let points: Vec<String> =
                class.texts("points").into_iter().flatten().map(|p| p.value).filter(|p| !p.is_empty()).collect();
            if points.is_empty() {
                let remedy = "write points = [\"*/energy\"], by the ids of points, * for any run of characters";
                sheet.error(class.line, format!("class `{name}` is for no point"), remedy);
            }
            let keep = keep(&class, usual);
            class.finish();
            classes.insert(name, PointClass { points, keep });
        }
    }
    table.finish();
    Retention { usual, classes }
}

fn keep(table: &Table<'_>, otherwise: KeepDays) -> KeepDays {
    let days = |key, otherwise: Option<f64>| match table.number_or(key, "forever") {
        None => otherwise,
        Some(None) => None,
        Some(Some(days)) if (0.0..=36_525.0).contains(&days.value) => Some(days.value),
        Some(Some(days)) => {
            let message = format!("`{key}` in {} is {}", table.title, days.value);
            table.sheet.error(days.line, message, "it must be between 0 and 36525, or \"forever\"");
            otherwise
        }
    };
    KeepDays {
        raw: days("raw_days", otherwise.raw),
        rollup_1min: days("rollup_1min_days", otherwise.rollup_1min),
        rollup_15min: days("rollup_15min_days", otherwise.rollup_15min),
        rollup_1h: days("rollup_1h_days", otherwise.rollup_1h),
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::told;
    use super::*;

    #[test]
    fn a_project_that_says_nothing_keeps_its_history_beside_itself() {
        let project = told("", &[]);
        let beside = project.folder.join(".plenum/history.db");
        assert_eq!(project.history.store, HistoryStore::File(beside));
        assert_eq!(project.history.receipts, "plenum/receipts");
        assert_eq!(project.retention.usual, KeepDays::default());
        assert_eq!(project.retention.class_of("AHU-1/energy"), "");
        assert_eq!(told("[history]\noff = true", &[]).history.store, HistoryStore::Off);
        let project = told("[history]\nfile = \"../h.db\"\nreceipts = \"site/kept/\"\ncommit_ms = 50", &[]);
        assert_eq!(project.history.store, HistoryStore::File(project.folder.join("../h.db")));
        assert_eq!((project.history.receipts.as_str(), project.history.commit_ms), ("site/kept", 50));
    }

    #[test]
    fn a_server_is_named_without_its_password() {
        let project = told("[history]\nurl = \"postgres://plenum@db.example/site\"\npassword_env = \"P\"", &[]);
        let HistoryStore::Server { url, password, ca: None, allow_insecure: false } = project.history.store else {
            panic!("{:?}", project.history.store);
        };
        assert_eq!(url, "postgres://plenum@db.example/site");
        assert_eq!(password, Some(Secret::Environment("P".into())));
        for (lines, line, words) in [
            ("url = \"mysql://x\"", 5, "no address of PostgreSQL"),
            ("url = \"postgres://me:s3cret@db/x\"", 5, "does not belong"),
            ("url = \"postgres://me@db/x?password=s3cret\"", 5, "does not belong"),
            ("password = \"s3cret\"", 5, "does not belong"),
            ("url = \"postgres://me@db/x?sslmode=disable\"", 5, "always TLS"),
            ("url = \"postgres://me@db/x\"\nallow_insecure = true", 5, "in the clear"),
            ("url = \"postgres://localhost/x\"\nfile = \"x.db\"", 5, "two places"),
            ("ca = \"gone.pem\"", 5, "there is no file"),
            ("allow_insecure = true", 5, "nothing without `url`"),
            ("receipts = \"a/#\"", 5, "no topic"),
            ("commit_ms = 0", 5, "`commit_ms`"),
            ("flie = 1", 5, "no key"),
        ] {
            told(&format!("[history]\n{lines}"), &[(line, words)]);
        }
        for here in ["localhost", "127.0.0.1:5433", "[::1]:5432", "%2Fvar%2Frun", ""] {
            told(&format!("[history]\nurl = \"postgres://me@{here}/x?sslmode=disable\""), &[]);
            assert!(is_here(here), "{here}");
        }
        assert!(!is_here("db") && !is_here("10.0.0.1:5432") && !is_here("[fe80::1]:5432"));
    }

    #[test]
    fn retention_by_class() {
        let project = told(
            "[retention]\nraw_days = 30\nrollup_15min_days = 400\nrollup_1h_days = \"forever\"\n\
             [retention.classes.meters]\npoints = [\"*/energy\", \"M-*\"]\nraw_days = \"forever\"\n\
             [retention.classes.rooms]\npoints = [\"*/zone_temperature\"]\nrollup_1min_days = 7\n",
            &[],
        );
        let r = &project.retention;
        let usual = KeepDays { raw: Some(30.0), rollup_15min: Some(400.0), ..KeepDays::default() };
        assert_eq!(r.usual, usual);
        assert_eq!(
            ["M-1/flow", "AHU-1/energy", "VAV-1/zone_temperature", "x"].map(|id| r.class_of(id)),
            ["meters", "meters", "rooms", ""]
        );
        assert_eq!(r.classes["meters"].keep, KeepDays { raw: None, ..usual });
        assert_eq!(r.classes["rooms"].keep, KeepDays { rollup_1min: Some(7.0), ..usual });
        told("[retention.classes.a]\nraw_days = 5", &[(4, "no point")]);
        told("[retention]\nraw_days = \"long\"", &[(5, "`raw_days`")]);
        told("[retention]\nrollup_1h_days = 99999", &[(5, "`rollup_1h_days`")]);
    }
}
