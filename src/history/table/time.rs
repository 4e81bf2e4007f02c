//! Times as tables write them.

use crate::time::Time;
use jiff::civil::DateTime;
use jiff::tz::{Offset, TimeZone};

/// How far a time without a zone is from UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Zone(Offset);

/// Reads `UTC`, `Z`, `+02:00`, `-0530`.
pub fn parse_zone(text: &str) -> Option<Zone> {
    let text = text.trim();
    if text.eq_ignore_ascii_case("utc") || text.eq_ignore_ascii_case("z") {
        return Some(Zone(Offset::UTC));
    }
    let sign = match text.chars().next()? {
        '+' => 1,
        '-' => -1,
        _ => return None,
    };
    let digits: String = text.chars().skip(1).filter(|c| *c != ':').collect();
    if !(digits.len() == 2 || digits.len() == 4) || !digits.chars().all(|c| c.is_ascii_digit()) {
        return None;
    }
    let hours: i32 = digits.get(..2)?.parse().ok()?;
    let minutes: i32 = digits.get(2..).filter(|m| !m.is_empty()).map_or(Some(0), |m| m.parse().ok())?;
    if minutes > 59 {
        return None;
    }
    Offset::from_seconds(sign * (hours * 3600 + minutes * 60)).ok().map(Zone)
}

/// Numbers from here on are milliseconds since 1970, below they are seconds.
const LEAST_MS: f64 = 1e11;

/// Reads RFC 3339, with a blank for the `T` too, a time without a zone where one is given, seconds or milliseconds
/// since 1970; else what is wrong and what to do.
pub(super) fn parse(text: &str, zone: Option<Zone>) -> Result<Time, (String, &'static str)> {
    const REMEDY: &str = "write 2026-05-11T06:00:00Z, 2026-05-11T08:00:00+02:00, or seconds since 1970";
    if let Ok(number) = text.parse::<f64>() {
        let ms = if number.abs() < LEAST_MS { number * 1000.0 } else { number };
        // What a calendar holds.
        if ms.abs() < 2.5e14 {
            return Ok(Time(ms.round() as i64));
        }
        return Err((format!("`{text}` is no time"), REMEDY));
    }
    // `2026-05-11 06:00:00 +02:00` has a blank more.
    let tight = text.replacen(" +", "+", 1).replacen(" -", "-", 1);
    if let Ok(time) = tight.parse::<jiff::Timestamp>() {
        return Ok(Time(time.as_millisecond()));
    }
    let Ok(local) = text.parse::<DateTime>() else { return Err((format!("`{text}` is no time"), REMEDY)) };
    let Some(Zone(offset)) = zone else {
        return Err((format!("`{text}` does not say in which zone"), "name it with --zone: UTC, or +02:00"));
    };
    match TimeZone::fixed(offset).to_timestamp(local) {
        Ok(time) => Ok(Time(time.as_millisecond())),
        Err(_) => Err((format!("`{text}` is no time"), REMEDY)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_with_and_without_a_zone() {
        let six = Time::parse("2026-05-11T06:00:00Z").unwrap();
        for text in [
            "2026-05-11T06:00:00Z",
            "2026-05-11T08:00:00+02:00",
            "2026-05-11 06:00:00.000Z",
            "2026-05-11 08:00:00 +02:00",
            "1778479200",
            "1778479200000",
            "1778479200.0",
        ] {
            assert_eq!(parse(text, None), Ok(six), "{text}");
        }
        let local = "2026-05-11 08:00";
        assert!(parse(local, None).unwrap_err().1.contains("--zone"));
        assert_eq!(parse(local, parse_zone("+02:00")), Ok(six));
        assert_eq!(parse("2026-05-11T06:00:00", parse_zone("utc")), Ok(six));
        assert_eq!(parse("2026-05-10", parse_zone("-0530")), Ok(Time::parse("2026-05-10T05:30:00Z").unwrap()));
        for text in ["", "soon", "11.05.2026", "2026-02-30T00:00:00Z", "1e300", "NaN", "inf"] {
            assert!(parse(text, parse_zone("Z")).is_err(), "{text}");
        }
        for text in ["", "Europe/Zurich", "+2", "+02:99", "02:00", "+99:00"] {
            assert_eq!(parse_zone(text), None, "{text}");
        }
    }
}
