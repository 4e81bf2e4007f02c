//! A single value of JSON, and what it says as a value, a time, a quality, a name.

use super::visit::{SECONDS_BELOW, number_time};
use super::{DeviceTime, Wire, code};
use crate::quality::Quality;
use crate::telemetry::quarantine::Reason;
use crate::time::Time;
use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};
use std::fmt;

/// One value of JSON.
pub(super) enum Scalar<'t> {
    Number(f64),
    Switch(bool),
    Text(&'t str),
    Null,
    Nested,
}

impl Scalar<'_> {
    /// The source's own code, where it says its quality in one; 0 where it says it in words.
    pub(super) fn code(&self) -> u32 {
        match self {
            Self::Number(n) => code::of_number(*n),
            Self::Text(text) => code::of_digits(text).unwrap_or(0),
            _ => 0,
        }
    }

    pub(super) fn wire(&self, numbers_in_text: bool) -> Wire {
        match self {
            Self::Number(n) if n.is_finite() => Wire::Number(*n),
            Self::Number(_) => Wire::Bad(Reason::NotFinite),
            Self::Switch(on) => Wire::Switch(*on),
            Self::Null => Wire::Bad(Reason::NoValue),
            Self::Nested => Wire::Bad(Reason::WrongType),
            Self::Text(text) => match text.trim().parse::<f64>() {
                Ok(n) if !n.is_finite() => Wire::Bad(Reason::NotFinite),
                Ok(n) if numbers_in_text => Wire::Number(n),
                _ => Wire::Bad(Reason::WrongType),
            },
        }
    }

    pub(super) fn time(&self, unit_ms: Option<f64>) -> DeviceTime {
        let number = |n: f64| match unit_ms {
            // As milliseconds, so that they are not taken for seconds.
            Some(ms) if n > 0.0 => number_time((n * ms).max(SECONDS_BELOW)),
            _ => number_time(n),
        };
        match self {
            Self::Number(n) => number(*n),
            Self::Text(text) => match Time::parse(text) {
                Some(time) => DeviceTime::At(time),
                None => text.trim().parse().map_or(DeviceTime::Bad, number),
            },
            Self::Null => DeviceTime::Missing,
            Self::Switch(_) | Self::Nested => DeviceTime::Bad,
        }
    }

    /// Words, and numbers of OPC (OPC DA 3.0, 6.8): 192 and above are good, 64 to 191 uncertain, below bad. Of OPC UA's
    /// status codes the highest two bits count.
    pub(super) fn quality(&self) -> Quality {
        match self {
            Self::Switch(true) => Quality::Good,
            Self::Switch(false) => Quality::BadSensor,
            Self::Number(n) if *n >= 2_147_483_648.0 => Quality::BadSensor,
            Self::Number(n) if *n >= 1_073_741_824.0 => Quality::UncertainLastKnown,
            Self::Number(n) if *n >= 192.0 => Quality::Good,
            Self::Number(n) if *n >= 64.0 => Quality::UncertainLastKnown,
            Self::Number(_) => Quality::BadSensor,
            Self::Text(text) => match code::of_digits(text) {
                // Whoever writes one in hexadecimal means OPC UA.
                Some(number) if text.trim().starts_with("0x") => match number >> 30 {
                    0 => Quality::Good,
                    1 => Quality::UncertainLastKnown,
                    _ => Quality::BadSensor,
                },
                Some(number) => Self::Number(f64::from(number)).quality(),
                None => quality_word(text),
            },
            Self::Null => Quality::Good,
            Self::Nested => Quality::UncertainLastKnown,
        }
    }

    pub(super) fn text(&self) -> Option<&str> {
        if let Self::Text(text) = self { Some(text) } else { None }
    }

    pub(super) fn name(&self) -> Option<String> {
        match self {
            Self::Text(text) => Some((*text).to_owned()),
            Self::Number(n) => Some(n.to_string()),
            _ => None,
        }
    }
}

/// A quality by its word: Plenum's own ([`Quality::of_word`]), or what the field says. What nobody knows is uncertain.
fn quality_word(text: &str) -> Quality {
    let text = text.trim();
    if let Some(own) = Quality::of_word(text) {
        return own;
    }
    match text.to_ascii_lowercase().as_str() {
        "ok" | "valid" | "normal" | "true" => Quality::Good,
        "overridden" | "override" => Quality::Manual,
        "backfill" | "historical" => Quality::GoodBackfill,
        "stale" => Quality::BadStale,
        "offline" | "down" | "notconnected" | "not-connected" | "disconnected" => Quality::BadNotConnected,
        "range" | "outofrange" | "out-of-range" => Quality::BadRange,
        "bad" | "fault" | "error" | "invalid" | "failed" | "false" | "sensor-failure" => Quality::BadSensor,
        _ => Quality::UncertainLastKnown,
    }
}

/// Hands the scalar that stands there to a function; lists and objects are skipped and handed on as such.
pub(super) struct ScalarSeed<F>(pub(super) F);

impl<'de, F: FnOnce(&Scalar<'_>) -> T, T> DeserializeSeed<'de> for ScalarSeed<F> {
    type Value = T;
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<T, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de, F: FnOnce(&Scalar<'_>) -> T, T> Visitor<'de> for ScalarSeed<F> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_bool<E: Error>(self, v: bool) -> Result<T, E> {
        Ok((self.0)(&Scalar::Switch(v)))
    }

    fn visit_i64<E: Error>(self, v: i64) -> Result<T, E> {
        Ok((self.0)(&Scalar::Number(v as f64)))
    }

    fn visit_u64<E: Error>(self, v: u64) -> Result<T, E> {
        Ok((self.0)(&Scalar::Number(v as f64)))
    }

    fn visit_f64<E: Error>(self, v: f64) -> Result<T, E> {
        Ok((self.0)(&Scalar::Number(v)))
    }

    fn visit_str<E: Error>(self, v: &str) -> Result<T, E> {
        Ok((self.0)(&Scalar::Text(v)))
    }

    fn visit_unit<E: Error>(self) -> Result<T, E> {
        Ok((self.0)(&Scalar::Null))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<T, A::Error> {
        while list.next_element::<IgnoredAny>()?.is_some() {}
        Ok((self.0)(&Scalar::Nested))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut object: A) -> Result<T, A::Error> {
        while object.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok((self.0)(&Scalar::Nested))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_of_our_own_is_understood() {
        for quality in Quality::ALL {
            let written = serde_json::to_value(quality).unwrap();
            assert_eq!(Scalar::Text(written.as_str().unwrap()).quality(), quality, "{written}");
        }
        for (said, quality) in [
            ("OK", Quality::Good),
            (" Good ", Quality::Good),
            ("192", Quality::Good),
            ("0x00000000", Quality::Good),
            ("0x80340000", Quality::BadSensor),
            ("64", Quality::UncertainLastKnown),
            ("fault", Quality::BadSensor),
            ("who knows", Quality::UncertainLastKnown),
        ] {
            assert_eq!(Scalar::Text(said).quality(), quality, "{said}");
        }
        assert_eq!(Scalar::Number(2_150_694_912.0).quality(), Quality::BadSensor);
        assert_eq!((Scalar::Number(24.0).code(), Scalar::Text("24").code(), Scalar::Text("bad").code()), (24, 24, 0));
    }
}
