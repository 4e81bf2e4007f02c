//! Moments as people write them on the command line.

use super::now;
use crate::time::{Time, parse_seconds};

/// RFC 3339, a date (its midnight in UTC), `now`, or a time before now: `-24h`, `-7d`.
pub(super) fn parse(text: &str) -> Result<Time, String> {
    parse_at(text.trim(), now())
}

fn parse_at(text: &str, now: Time) -> Result<Time, String> {
    if text == "now" {
        return Ok(now);
    }
    if let Some(ago) = text.strip_prefix('-').and_then(parse_seconds) {
        return Ok(now.plus_seconds(-ago));
    }
    Time::parse(text).or_else(|| Time::parse(&format!("{text}T00:00:00Z"))).ok_or_else(|| {
        format!("`{text}` is no moment; write 2026-05-11T06:00:00Z, 2026-05-11, now, or a time before now: -24h, -7d")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments() {
        let now = Time::parse("2026-05-11T06:00:00Z").unwrap();
        let at = |text| parse_at(text, now);
        assert_eq!(at("now"), Ok(now));
        assert_eq!(at("-24h"), Ok(Time::parse("2026-05-10T06:00:00Z").unwrap()));
        assert_eq!(at("-1.5d"), Ok(Time::parse("2026-05-09T18:00:00Z").unwrap()));
        assert_eq!(at("2026-05-11"), Ok(Time::parse("2026-05-11T00:00:00Z").unwrap()));
        assert_eq!(at("2026-05-11T08:00:00+02:00"), Ok(now));
        for wrong in ["", "yesterday", "24h", "2026-13-01", "-x"] {
            assert!(at(wrong).unwrap_err().contains("-24h"), "{wrong}");
        }
    }
}
