//! How times, ages, counts and names are written. Times are UTC, 24 hours, the same in every country.

pub use crate::site::search::natural;

use crate::problem::Severity;
use crate::quality::Quality;
use crate::site::Point;
use crate::time::Time;

/// What stands where nothing is known.
pub const NONE: &str = "—";

fn with(time: Time, format: &str) -> String {
    match jiff::Timestamp::from_millisecond(time.0) {
        Ok(t) => t.strftime(format).to_string(),
        Err(_) => NONE.to_owned(),
    }
}

/// `06:42`.
pub fn hhmm(time: Time) -> String {
    with(time, "%H:%M")
}

/// `06:42:07`.
pub fn hhmmss(time: Time) -> String {
    with(time, "%H:%M:%S")
}

/// `2026-05-11 06:42`.
pub fn date_hhmm(time: Time) -> String {
    with(time, "%Y-%m-%d %H:%M")
}

/// A length of time, two units at most: `8 s`, `12 min`, `3 h 05 min`, `4 d 2 h`.
pub fn duration(seconds: f64) -> String {
    let s = seconds.max(0.0);
    match s {
        s if !s.is_finite() => NONE.to_owned(),
        s if s < 60.0 => format!("{} s", s.floor()),
        s if s < 3600.0 => format!("{} min", (s / 60.0).floor()),
        s if s < 86_400.0 => format!("{} h {:02} min", (s / 3600.0).floor(), (s % 3600.0 / 60.0).floor()),
        s => format!("{} d {} h", (s / 86_400.0).floor(), (s % 86_400.0 / 3600.0).floor()),
    }
}

/// A whole number with thin spaces between thousands: `12 480`.
pub fn count(n: usize) -> String {
    let digits = n.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (i, c) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            out.push('\u{2009}');
        }
        out.push(c);
    }
    out
}

/// A length with two decimals: `3.60 m`; never `-0.00`.
pub fn metres(length: f64) -> String {
    // Adding zero makes a negative zero a positive one.
    format!("{:.2} m", (length * 100.0).round() / 100.0 + 0.0)
}

/// A point's value as number and unit; `on` and `off` for a switch.
pub fn value(point: &Point, inside: f64) -> (String, &'static str) {
    if point.unit.code == "1" && point.expected == Some([0.0, 1.0]) && (inside == 0.0 || inside == 1.0) {
        return (if inside == 1.0 { "on" } else { "off" }.to_owned(), "");
    }
    let text = point.unit.format(inside);
    let number = text.strip_suffix(point.unit.symbol).unwrap_or(&text).trim_end();
    (number.to_owned(), point.unit.symbol)
}

/// `IfcAirTerminalBox` as people say it: `Air terminal box`.
pub fn class(class: &str) -> String {
    let bare = class.strip_prefix("Ifc").filter(|b| !b.is_empty()).unwrap_or(class);
    let mut out = String::with_capacity(bare.len() + 4);
    let mut before_lower = false;
    for c in bare.chars() {
        if c.is_uppercase() && before_lower {
            out.push(' ');
            out.extend(c.to_lowercase());
        } else {
            out.push(c);
        }
        before_lower = c.is_lowercase();
    }
    capital(&out)
}

/// The first letter as a capital.
pub fn capital(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |c| c.to_uppercase().chain(chars).collect())
}

/// How far a value can be trusted, in words; none for the usual.
pub fn quality(quality: Quality) -> Option<&'static str> {
    match quality {
        Quality::Good => None,
        Quality::Simulated => Some("computed"),
        Quality::Manual => Some("entered"),
        Quality::GoodBackfill => Some("came later"),
        Quality::UncertainLastKnown => Some("last known"),
        Quality::UncertainRange => Some("out of range, uncertain"),
        Quality::UncertainRate => Some("changes too fast"),
        Quality::BadRange => Some("out of range"),
        Quality::BadSensor => Some("sensor broken"),
        Quality::BadStale => Some("old"),
        Quality::BadNotConnected => Some("not connected"),
    }
}

/// A problem's severity in a word.
pub fn severity(severity: Severity) -> &'static str {
    match severity {
        Severity::Info => "Note",
        Severity::Warning => "Warning",
        Severity::Error => "Error",
    }
}

/// At most `max` characters, the last of them `…` where something is left out.
pub fn elide(text: &str, max: usize) -> String {
    if text.chars().count() <= max {
        return text.to_owned();
    }
    text.chars().take(max.saturating_sub(1)).chain(['…']).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_utc_and_short() {
        let t = Time::parse("2026-05-11T06:02:09Z").unwrap();
        assert_eq!((hhmm(t).as_str(), hhmmss(t).as_str()), ("06:02", "06:02:09"));
        assert_eq!(date_hhmm(t), "2026-05-11 06:02");
        assert_eq!(hhmm(Time(i64::MAX)), NONE);
    }

    #[test]
    fn durations_have_two_units_at_most() {
        assert_eq!(duration(8.9), "8 s");
        assert_eq!(duration(720.0), "12 min");
        assert_eq!(duration(3.0 * 3600.0 + 300.0), "3 h 05 min");
        assert_eq!(duration(4.0 * 86_400.0 + 7200.0), "4 d 2 h");
        assert_eq!(duration(-5.0), "0 s");
        assert_eq!(duration(f64::NAN), "0 s");
        assert_eq!(duration(f64::INFINITY), NONE);
    }

    #[test]
    fn counts_and_classes() {
        assert_eq!((metres(-0.001).as_str(), metres(-1.254).as_str()), ("0.00 m", "-1.25 m"));
        assert_eq!(count(12), "12");
        assert_eq!(count(1_234_567), "1\u{2009}234\u{2009}567");
        assert_eq!(class("IfcAirTerminalBox"), "Air terminal box");
        assert_eq!(class("IfcWall"), "Wall");
        assert_eq!(class("road"), "Road");
        assert_eq!(class("Ifc"), "Ifc");
        assert_eq!(elide("abcdef", 4), "abc…");
        assert_eq!(elide("abcd", 4), "abcd");
    }
}
