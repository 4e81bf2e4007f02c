//! A batch of samples in bytes, as it is committed before anybody is told that it is there.

use crate::history::{PointKey, Stored};
use crate::quality::Quality;
use crate::time::Time;

const VERSION: u8 = 1;
/// Set in the byte of the quality where the value is a whole number of hundredths, in few bytes.
const HUNDREDTHS: u8 = 0x80;
/// Set in it where a code follows.
const CODED: u8 = 0x40;

/// Writes a batch: a byte of version, the samples, CRC-32 of all before.
pub(super) fn encode(samples: &[(PointKey, Stored)]) -> Vec<u8> {
    let mut out = Vec::with_capacity(16 * samples.len() + 8);
    out.push(VERSION);
    let (mut key, mut time, mut late) = (0i64, 0i64, 0i64);
    for (point, sample) in samples {
        let lateness = sample.arrival.0.wrapping_sub(sample.time.0);
        let next = i64::from(point.0);
        signed(&mut out, next - key);
        signed(&mut out, sample.time.0.wrapping_sub(time));
        signed(&mut out, lateness.wrapping_sub(late));
        (key, time, late) = (next, sample.time.0, lateness);
        let hundredths = (sample.value * 100.0).round();
        // The sign of a zero is not in a whole number.
        let small = hundredths.abs() < 1e9 && (hundredths as i64 as f64 / 100.0).to_bits() == sample.value.to_bits();
        let coded = if sample.code == 0 { 0 } else { CODED };
        out.push(sample.quality.code() | coded | if small { HUNDREDTHS } else { 0 });
        if coded != 0 {
            unsigned(&mut out, u64::from(sample.code));
        }
        if small { signed(&mut out, hundredths as i64) } else { out.extend_from_slice(&sample.value.to_le_bytes()) }
    }
    let check = crc32fast::hash(&out);
    out.extend_from_slice(&check.to_le_bytes());
    out
}

/// Reads a batch; none where it is damaged.
pub(super) fn decode(bytes: &[u8]) -> Option<Vec<(PointKey, Stored)>> {
    let (body, check) = bytes.split_last_chunk::<4>()?;
    if crc32fast::hash(body) != u32::from_le_bytes(*check) {
        return None;
    }
    let (&version, mut rest) = body.split_first()?;
    if version != VERSION {
        return None;
    }
    let mut samples = Vec::with_capacity(rest.len() / 8);
    let (mut key, mut time, mut late) = (0i64, 0i64, 0i64);
    while !rest.is_empty() {
        key = key.wrapping_add(take_signed(&mut rest)?);
        time = time.wrapping_add(take_signed(&mut rest)?);
        late = late.wrapping_add(take_signed(&mut rest)?);
        let flags = take(&mut rest)?;
        let code = if flags & CODED == 0 { 0 } else { u32::try_from(take_unsigned(&mut rest)?).ok()? };
        let value = if flags & HUNDREDTHS == 0 {
            let (bytes, after) = rest.split_first_chunk::<8>()?;
            rest = after;
            f64::from_le_bytes(*bytes)
        } else {
            take_signed(&mut rest)? as f64 / 100.0
        };
        let sample = Stored {
            time: Time(time),
            arrival: Time(time.wrapping_add(late)),
            value,
            quality: Quality::of_code(flags & !(HUNDREDTHS | CODED))?,
            code,
        };
        samples.push((PointKey(u32::try_from(key).ok()?), sample));
    }
    Some(samples)
}

/// Seven bits a byte, the lowest first.
fn unsigned(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

fn signed(out: &mut Vec<u8>, value: i64) {
    unsigned(out, ((value << 1) ^ (value >> 63)) as u64);
}

fn take(rest: &mut &[u8]) -> Option<u8> {
    let (first, after) = rest.split_first()?;
    *rest = after;
    Some(*first)
}

fn take_unsigned(rest: &mut &[u8]) -> Option<u64> {
    let mut value = 0u64;
    for shift in (0..64).step_by(7) {
        let byte = take(rest)?;
        value |= u64::from(byte & 0x7f) << shift;
        if byte < 0x80 {
            return Some(value);
        }
    }
    None
}

fn take_signed(rest: &mut &[u8]) -> Option<i64> {
    let v = take_unsigned(rest)?;
    Some((v >> 1) as i64 ^ -((v & 1) as i64))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn what_is_written_is_read(rows in proptest::collection::vec(
            (any::<u32>(), any::<i64>(), any::<i64>(), prop_oneof![any::<f64>(), Just(21.5), Just(-0.0), Just(1e300)], 0u8..11, prop_oneof![Just(0), any::<u32>()]), 0..60,
        ), at in any::<proptest::sample::Index>()) {
            let samples: Vec<(PointKey, Stored)> = rows.iter().map(|(p, t, a, value, q, code)| {
                let quality = Quality::of_code(*q).unwrap();
                (PointKey(*p), Stored { time: Time(*t), arrival: Time(*a), value: *value, quality, code: *code })
            }).collect();
            let mut bytes = encode(&samples);
            let text = |s: &[(PointKey, Stored)]| format!("{:?}", s.iter().map(|(p, s)| (*p, *s, s.value.to_bits())).collect::<Vec<_>>());
            prop_assert_eq!(text(&decode(&bytes).unwrap()), text(&samples));
            let at = at.index(bytes.len());
            bytes[at] ^= 4;
            prop_assert!(decode(&bytes).is_none());
        }

        #[test]
        fn any_bytes_end(mut bytes in proptest::collection::vec(any::<u8>(), 0..100)) {
            if let Some(first) = bytes.first_mut() {
                *first = VERSION;
            }
            let check = crc32fast::hash(&bytes);
            bytes.extend_from_slice(&check.to_le_bytes());
            let _ = decode(&bytes);
        }
    }
}
