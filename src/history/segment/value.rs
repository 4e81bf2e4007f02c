//! The column of values.

use super::bits::{Reader, Writer};
use super::column;

/// How the values of a point come from what its device gives: `value = given × factor + offset`. It is a hint only:
/// what was never in that unit is kept all the same.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Scale {
    /// Of the unit on the wire.
    pub factor: f64,
    /// Of the unit on the wire.
    pub offset: f64,
}

impl Default for Scale {
    fn default() -> Self {
        Self { factor: 1.0, offset: 0.0 }
    }
}

/// Decimals that a device may give.
const DECIMALS: u32 = 9;
/// Whole numbers above are not all there in an f64.
const EXACT: f64 = 9_007_199_254_740_992.0;

/// How whole numbers stand for values: of how many decimals, in which unit.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Form {
    scale: Scale,
    decimals: u32,
}

impl Form {
    fn is_plain(&self) -> bool {
        self.scale == Scale::default()
    }

    /// The value of a whole number.
    pub fn value(&self, whole: i64) -> f64 {
        self.sum_of(whole, 1)
    }

    /// The sum of so many values from that of their whole numbers, but for rounding.
    pub fn sum_of(&self, whole: i64, n: u64) -> f64 {
        let given = whole as f64 / 10f64.powi(self.decimals as i32);
        // One value as `Unit::to_si` does it, to the bit.
        if self.is_plain() { given } else { given * self.scale.factor + n as f64 * self.scale.offset }
    }

    /// About the whole number of a sum of so many values; 0 where there is none.
    pub fn sum(&self, value: f64, n: u64) -> i64 {
        let given = if self.is_plain() { value } else { (value - n as f64 * self.scale.offset) / self.scale.factor };
        let whole = (given * 10f64.powi(self.decimals as i32)).round();
        if whole.abs() < EXACT { whole as i64 } else { 0 }
    }

    /// The whole number that gives exactly this value.
    fn whole(&self, value: f64) -> Option<i64> {
        let whole = self.sum(value, 1);
        (self.value(whole).to_bits() == value.to_bits()).then_some(whole)
    }

    /// Writes it before the numbers.
    pub fn write(&self, out: &mut Writer) {
        out.put(u64::from(self.decimals), 4);
        out.put(u64::from(self.is_plain()), 1);
        if !self.is_plain() {
            out.put(self.scale.factor.to_bits(), 64);
            out.put(self.scale.offset.to_bits(), 64);
        }
    }

    /// Reads what [`Self::write`] wrote.
    pub fn read(bits: &mut Reader) -> Option<Self> {
        let decimals = bits.get(4)? as u32;
        let scale = if bits.get(1)? == 1 {
            Scale::default()
        } else {
            Scale { factor: f64::from_bits(bits.get(64)?), offset: f64::from_bits(bits.get(64)?) }
        };
        Some(Self { scale, decimals })
    }
}

impl Scale {
    /// All values as whole numbers of as few decimals as they need, in this unit or else as they are.
    pub(super) fn found(self, values: impl Iterator<Item = f64> + Clone) -> Option<(Form, Vec<i64>)> {
        let scaled = || if self == Self::default() { None } else { self.all(values.clone()) };
        scaled().or_else(|| Self::default().all(values.clone()))
    }

    fn all(self, values: impl Iterator<Item = f64> + Clone) -> Option<(Form, Vec<i64>)> {
        (0..=DECIMALS).find_map(|decimals| {
            let form = Form { scale: self, decimals };
            let wholes: Option<Vec<i64>> = values.clone().map(|v| form.whole(v)).collect();
            Some((form, wholes?))
        })
    }
}

pub(super) fn write(out: &mut Writer, values: impl Iterator<Item = f64> + Clone, scale: Scale) {
    match scale.found(values.clone()) {
        Some((form, wholes)) => {
            out.put(1, 1);
            form.write(out);
            column::write(out, &wholes);
        }
        None => {
            out.put(0, 1);
            write_bits(out, values);
        }
    }
}

pub(super) fn read(bits: &mut Reader, count: usize) -> Option<Vec<f64>> {
    if bits.get(1)? == 0 {
        return read_bits(bits, count);
    }
    let form = Form::read(bits)?;
    Some(column::read(bits, count)?.into_iter().map(|whole| form.value(whole)).collect())
}

/// Where the bits that differ stand: zeros before and after them.
#[derive(Clone, Copy)]
struct Window {
    before: u32,
    after: u32,
}

/// Each value by what differs of its bits from the one before.
fn write_bits(out: &mut Writer, values: impl Iterator<Item = f64>) {
    let mut last = 0u64;
    let mut window: Option<Window> = None;
    for value in values {
        let now = value.to_bits();
        let differ = now ^ last;
        last = now;
        if differ == 0 {
            out.put(0, 1);
            continue;
        }
        let (before, after) = (differ.leading_zeros().min(31), differ.trailing_zeros());
        match window {
            // A window that is a little too wide is cheaper than another one.
            Some(w) if w.before <= before && w.after <= after && before + after <= w.before + w.after + 11 => {
                out.put(0b10, 2);
                out.put(differ >> w.after, 64 - w.before - w.after);
            }
            _ => {
                out.put(0b11, 2);
                out.put(u64::from(before), 5);
                out.put(u64::from(after), 6);
                out.put(differ >> after, 64 - before - after);
                window = Some(Window { before, after });
            }
        }
    }
}

fn read_bits(bits: &mut Reader, count: usize) -> Option<Vec<f64>> {
    let mut values = Vec::with_capacity(count.min(1 << 16));
    let mut last = 0u64;
    let mut window: Option<Window> = None;
    for _ in 0..count {
        if bits.get(1)? == 1 {
            if bits.get(1)? == 1 {
                window = Some(Window { before: bits.get(5)? as u32, after: bits.get(6)? as u32 });
            }
            let w = window?;
            let width = 64u32.checked_sub(w.before + w.after)?;
            last ^= bits.get(width)?.checked_shl(w.after)?;
        }
        values.push(f64::from_bits(last));
    }
    Some(values)
}
