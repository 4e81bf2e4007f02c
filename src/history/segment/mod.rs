//! Samples of one point, packed: some hundred in a piece, each of their properties a column of its own.
//!
//! | part | what |
//! |---|---|
//! | version | 1 byte |
//! | count | 4 bytes, little endian |
//! | columns | device times, arrivals, values, qualities, codes; bits, see [`column`] |
//! | check | CRC-32 of all before, 4 bytes, little endian |
//!
//! Device times are kept as what is left of an even grid from the first one on; arrivals likewise, or as lateness,
//! whichever is smaller. Values that a device gives with a few decimals are kept as these whole numbers, by the
//! unit that they came in ([`Scale`]); all others by what differs of the bits of two that follow one another
//! (T. Pelkonen et al., "Gorilla: a fast, scalable, in-memory time series database", Proc. VLDB Endow. 8 (2015)).
//! What is read is what was written, bit for bit.

mod bits;
pub mod buckets;
mod column;
mod value;

pub use value::Scale;

use super::Stored;
use crate::quality::Quality;
use crate::time::Time;
use bits::{Reader, Writer};

const VERSION: u8 = 1;
/// More samples are in no segment.
const MOST: usize = 1 << 20;

/// Why a segment cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Damage {
    /// Shorter than its own head.
    Short,
    /// Written by a newer version.
    Version(u8),
    /// Its check sum is not that of its bytes.
    Check,
    /// Its columns make no sense.
    Columns,
}

impl std::fmt::Display for Damage {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Short => f.write_str("it is cut off"),
            Self::Version(v) => write!(f, "it has the format {v}, which this version does not know"),
            Self::Check => f.write_str("its check sum does not fit"),
            Self::Columns => f.write_str("its columns cannot be read"),
        }
    }
}

/// Packs samples in the order they stand in.
pub fn pack(samples: &[Stored], scale: Scale) -> Vec<u8> {
    let mut out = Writer::default();
    let times: Vec<i64> = samples.iter().map(|s| s.time.0).collect();
    let arrivals: Vec<i64> = samples.iter().map(|s| s.arrival.0).collect();
    write_grid(&mut out, &times);
    write_arrivals(&mut out, &times, &arrivals);
    value::write(&mut out, samples.iter().map(|s| s.value), scale);
    let qualities: Vec<i64> = samples.iter().map(|s| i64::from(s.quality.code())).collect();
    column::write(&mut out, &qualities);
    let codes: Vec<i64> = samples.iter().map(|s| i64::from(s.code)).collect();
    column::write(&mut out, &codes);
    sealed(VERSION, samples.len(), out)
}

/// Reads what [`pack`] wrote.
///
/// # Errors
/// What is wrong with the bytes.
pub fn unpack(bytes: &[u8]) -> Result<Vec<Stored>, Damage> {
    let (count, columns) = checked(bytes)?;
    if count > MOST {
        return Err(Damage::Columns);
    }
    read(&mut Reader::new(columns), count).ok_or(Damage::Columns)
}

/// Head, columns and check sum.
fn sealed(version: u8, count: usize, columns: Writer) -> Vec<u8> {
    let columns = columns.finish();
    let mut bytes = Vec::with_capacity(columns.len() + 9);
    bytes.push(version);
    bytes.extend_from_slice(&(count as u32).to_le_bytes());
    bytes.extend_from_slice(&columns);
    let check = crc32fast::hash(&bytes);
    bytes.extend_from_slice(&check.to_le_bytes());
    bytes
}

/// The count and the columns of what is whole.
fn checked(bytes: &[u8]) -> Result<(usize, &[u8]), Damage> {
    let (body, check) = bytes.split_last_chunk::<4>().ok_or(Damage::Short)?;
    let (head, columns) = body.split_first_chunk::<5>().ok_or(Damage::Short)?;
    if crc32fast::hash(body) != u32::from_le_bytes(*check) {
        return Err(Damage::Check);
    }
    let [version, count @ ..] = *head;
    if version != VERSION {
        return Err(Damage::Version(version));
    }
    Ok((u32::from_le_bytes(count) as usize, columns))
}

fn read(bits: &mut Reader, count: usize) -> Option<Vec<Stored>> {
    let times = read_grid(bits, count)?;
    let arrivals = read_arrivals(bits, &times)?;
    let values = value::read(bits, count)?;
    let qualities = column::read(bits, count)?;
    let codes = column::read(bits, count)?;
    let rows = times.into_iter().zip(arrivals).zip(values).zip(qualities).zip(codes);
    rows.map(|((((time, arrival), value), quality), code)| {
        Some(Stored {
            time: Time(time),
            arrival: Time(arrival),
            value,
            quality: Quality::of_code(u8::try_from(quality).ok()?)?,
            code: u32::try_from(code).ok()?,
        })
    })
    .collect()
}

/// What is left of moments once an even grid is taken away: its period is the usual step between them.
fn off_grid(times: &[i64]) -> (i64, i64, Vec<i64>) {
    let steps: Vec<i64> = times.iter().zip(times.iter().skip(1)).map(|(a, b)| b.wrapping_sub(*a)).collect();
    let period = column::median(&steps);
    let first = times.first().copied().unwrap_or_default();
    let grid = |i: usize| first.wrapping_add(period.wrapping_mul(i as i64));
    let off = times.iter().enumerate().map(|(i, t)| t.wrapping_sub(grid(i))).collect();
    (first, period, off)
}

fn write_grid(out: &mut Writer, times: &[i64]) {
    let (first, period, off) = off_grid(times);
    out.put(first as u64, 64);
    out.put(period as u64, 64);
    column::write(out, &off);
}

fn read_grid(bits: &mut Reader, count: usize) -> Option<Vec<i64>> {
    let first = bits.get(64)? as i64;
    let period = bits.get(64)? as i64;
    let off = column::read(bits, count)?;
    let grid = |i: usize| first.wrapping_add(period.wrapping_mul(i as i64));
    Some(off.into_iter().enumerate().map(|(i, o)| grid(i).wrapping_add(o)).collect())
}

fn write_arrivals(out: &mut Writer, times: &[i64], arrivals: &[i64]) {
    let late: Vec<i64> = arrivals.iter().zip(times).map(|(a, t)| a.wrapping_sub(*t)).collect();
    let (mut by_lateness, mut by_grid) = (Writer::default(), Writer::default());
    column::write(&mut by_lateness, &late);
    write_grid(&mut by_grid, arrivals);
    let grid = by_grid.bits() < by_lateness.bits();
    out.put(u64::from(grid), 1);
    if grid { write_grid(out, arrivals) } else { column::write(out, &late) }
}

fn read_arrivals(bits: &mut Reader, times: &[i64]) -> Option<Vec<i64>> {
    if bits.get(1)? == 1 {
        return read_grid(bits, times.len());
    }
    let late = column::read(bits, times.len())?;
    Some(late.into_iter().zip(times).map(|(l, t)| t.wrapping_add(l)).collect())
}

#[cfg(test)]
mod tests;
