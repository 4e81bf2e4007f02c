//! The source's own code for the quality of its values, as the one number that a history keeps.
//!
//! A number is kept as it is. Of words a number that is called a code counts: `modbus exception 4, device failure` is 4,
//! and `bacnet error class 2 code 31` is 31. Words without one get one of their own, with the highest bit set: the same
//! words always the same ([`of_words`]).

use super::said::{Scalar, ScalarSeed};
use serde::de::{DeserializeSeed, Deserializer};

/// A number as a code; 0 where it is none.
pub(super) fn of_number(number: f64) -> u32 {
    let whole = number.is_finite() && number.fract() == 0.0 && (0.0..=f64::from(u32::MAX)).contains(&number);
    if whole { number as u32 } else { 0 }
}

/// A text that is nothing but a whole number, `24` or `0x80340000`.
pub(super) fn of_digits(text: &str) -> Option<u32> {
    let text = text.trim();
    match text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")) {
        Some(hex) if hex.bytes().all(|b| b.is_ascii_hexdigit()) => u32::from_str_radix(hex, 16).ok(),
        Some(_) => None,
        None if text.bytes().all(|b| b.is_ascii_digit()) => text.parse().ok(),
        None => None,
    }
}

/// What a source writes as its code, as a number; 0 where it writes nothing.
pub fn of_words(text: &str) -> u32 {
    let text = text.trim();
    if text.is_empty() {
        return 0;
    }
    if let Some(code) = of_digits(text) {
        return code;
    }
    let mut before = "";
    for word in text.split(|c: char| !c.is_alphanumeric()).filter(|w| !w.is_empty()) {
        let called = ["code", "exception", "status", "error"].iter().any(|w| before.eq_ignore_ascii_case(w));
        if let Some(number) = of_digits(word).filter(|_| called) {
            return number;
        }
        before = word;
    }
    crc32fast::hash(text.as_bytes()) | 1 << 31
}

/// Reads a `code`: a number or words; none where it is neither.
pub(super) struct CodeSeed;

impl<'de> DeserializeSeed<'de> for CodeSeed {
    type Value = Option<u32>;
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Option<u32>, D::Error> {
        ScalarSeed(|said: &Scalar<'_>| match said {
            Scalar::Number(n) => Some(of_number(*n)),
            Scalar::Text(text) => Some(of_words(text)),
            _ => None,
        })
        .deserialize(deserializer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_in_words_and_words_without() {
        for (text, code) in [
            ("4", 4),
            (" 0x80340000 ", 0x8034_0000),
            ("modbus exception 4, device failure", 4),
            ("bacnet error class 2 code 31, unknown object", 31),
            ("", 0),
        ] {
            assert_eq!(of_words(text), code, "{text}");
        }
        let words = of_words("no answer");
        assert!(words >> 31 == 1 && words == of_words("no answer ") && words != of_words("bacnet fault"));
        assert!(of_words("10.0.0.7:502: no answer") >> 31 == 1, "an address is no code");
        assert_eq!(
            [of_number(7.0), of_number(-1.0), of_number(0.5), of_number(f64::NAN), of_number(1e12)],
            [7, 0, 0, 0, 0]
        );
    }
}
