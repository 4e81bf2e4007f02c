//! How verbs speak: JSON on stdout, everything else on stderr, three exit statuses.

use crate::problem::Problem;
use crate::time::parse_seconds;
use serde::Serialize;
use std::io::Write;
use std::process::ExitCode;

/// Why a verb did not do what was asked.
#[derive(Debug)]
pub enum Failure {
    /// It was asked rightly and failed: exit status 1.
    Failed(Problem),
    /// It was asked wrongly, or for a part that is not built: exit status 2.
    Usage(Problem),
}

impl Failure {
    /// Says it on stderr; the exit status is what the program ends with.
    pub fn report(self) -> ExitCode {
        let (problem, status) = match self {
            Self::Failed(p) => (p, 1),
            Self::Usage(p) => (p, 2),
        };
        eprintln!("plenum: {problem}");
        ExitCode::from(status)
    }
}

impl From<Problem> for Failure {
    fn from(problem: Problem) -> Self {
        Self::Failed(problem)
    }
}

/// What a verb says that needs the window in a program built without one.
#[cfg(not(feature = "desktop"))]
pub fn no_window() -> Failure {
    Failure::Usage(Problem::error(
        "plenum",
        "this program was built without its window (feature `desktop`)",
        "add --headless, or build it with `cargo build --release`",
    ))
}

/// Prints exactly one JSON document on stdout.
///
/// # Errors
/// It cannot be written there.
pub fn print_json(document: &impl Serialize) -> Result<(), Failure> {
    let text = serde_json::to_string(document).map_err(|e| unwritten(&e))?;
    print_text(&(text + "\n"))
}

/// Prints what people read on stdout, as it stands.
///
/// # Errors
/// It cannot be written there.
pub fn print_text(text: &str) -> Result<(), Failure> {
    let mut out = std::io::stdout().lock();
    out.write_all(text.as_bytes()).and_then(|()| out.flush()).map_err(|e| unwritten(&e))
}

fn unwritten(why: &dyn std::fmt::Display) -> Failure {
    Failure::Failed(Problem::error("stdout", format!("cannot write the result: {why}"), "check where stdout goes"))
}

/// The greatest amount of memory this process has held, MB (10⁶ bytes); none where the system does not tell.
pub fn peak_rss_mb() -> Option<f64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|l| l.starts_with("VmHWM:"))?;
    let kib: f64 = line.split_whitespace().nth(1)?.parse().ok()?;
    Some(kib * 1024.0 / 1e6)
}

/// `60s`, `1.5m`, `2h`, `250ms` or plain seconds.
pub fn parse_duration(text: &str) -> Result<std::time::Duration, String> {
    parse_seconds(text)
        .and_then(|s| std::time::Duration::try_from_secs_f64(s).ok())
        .ok_or_else(|| format!("`{text}` is not a duration; write a number and a unit of time: 250ms, 60s, 5m, 2h"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations() {
        assert_eq!(parse_duration("60s").unwrap().as_secs(), 60);
        assert_eq!(parse_duration("1.5m").unwrap().as_secs(), 90);
        assert_eq!(parse_duration("250ms").unwrap().as_millis(), 250);
        assert_eq!(parse_duration("2").unwrap().as_secs(), 2);
        assert!(parse_duration("-1s").is_err() && parse_duration("soon").is_err() && parse_duration("3y").is_err());
    }
}
