//! Numbers of any width in a row, and small ones in few bits.

/// Quotients from here on are written whole.
const ESCAPE: u32 = 20;

/// Writes bits, the highest of a number first.
#[derive(Default)]
pub(super) struct Writer {
    bytes: Vec<u8>,
    held: u64,
    count: u32,
}

impl Writer {
    /// The lowest `width` bits of a number, 0 to 64.
    pub fn put(&mut self, value: u64, width: u32) {
        if width > 32 {
            self.put(value >> 32, width - 32);
            return self.put(value & 0xffff_ffff, 32);
        }
        if width == 0 {
            return;
        }
        let value = value & (u64::MAX >> (64 - width));
        self.held = (self.held << width) | value;
        self.count += width;
        while self.count >= 8 {
            self.count -= 8;
            self.bytes.push((self.held >> self.count) as u8);
        }
    }

    /// A number by the code of Golomb and Rice with parameter `k`: what is above its lowest `k` bits in unary.
    /// R. F. Rice, "Some practical universal noiseless coding techniques", JPL Publication 79-22 (1979).
    pub fn rice(&mut self, value: u64, k: u32) {
        let quotient = value >> k;
        if quotient < u64::from(ESCAPE) {
            let ones = quotient as u32;
            self.put((1 << (ones + 1)) - 2, ones + 1);
            self.put(value, k);
        } else {
            self.put((1 << ESCAPE) - 1, ESCAPE);
            self.put(value, 64);
        }
    }

    /// How many there are.
    pub fn bits(&self) -> usize {
        8 * self.bytes.len() + self.count as usize
    }

    /// All of it, with zeros up to a whole byte.
    pub fn finish(mut self) -> Vec<u8> {
        if self.count > 0 {
            let fill = 8 - self.count;
            self.put(0, fill);
        }
        self.bytes
    }
}

/// Bits that [`Writer::rice`] needs.
pub(super) fn rice_bits(value: u64, k: u32) -> u64 {
    let quotient = value >> k;
    if quotient < u64::from(ESCAPE) { quotient + 1 + u64::from(k) } else { u64::from(ESCAPE) + 64 }
}

/// The parameter that a row of numbers needs fewest bits with, and how many.
pub(super) fn best_rice(values: impl Iterator<Item = u64> + Clone) -> (u32, u64) {
    let cost = |k: u32| values.clone().map(|v| rice_bits(v, k)).sum::<u64>();
    // From the middle of their sizes; the sum falls to one lowest place and rises again, but for escapes.
    let mut sizes = [0u32; 65];
    let mut count = 0;
    for v in values.clone() {
        count += 1;
        if let Some(n) = sizes.get_mut((64 - v.leading_zeros()) as usize) {
            *n += 1;
        }
    }
    let (mut middle, mut below) = (0u32, 0);
    for (size, n) in sizes.iter().enumerate() {
        below += n;
        if 2 * below >= count {
            middle = size as u32;
            break;
        }
    }
    let first = middle.saturating_sub(3);
    (first..=(middle + 2).min(63)).map(|k| (k, cost(k))).min_by_key(|(_, c)| *c).unwrap_or((0, 0))
}

/// Reads bits.
pub(super) struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
    held: u64,
    count: u32,
}

impl<'a> Reader<'a> {
    /// From the first byte.
    pub fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, at: 0, held: 0, count: 0 }
    }

    fn fill(&mut self) {
        while self.count <= 56 {
            let Some(byte) = self.bytes.get(self.at) else { return };
            self.held |= u64::from(*byte) << (56 - self.count);
            self.count += 8;
            self.at += 1;
        }
    }

    /// The next `width` bits, 0 to 64; none at the end.
    pub fn get(&mut self, width: u32) -> Option<u64> {
        if width > 32 {
            let high = self.get(width - 32)?;
            return Some((high << 32) | self.get(32)?);
        }
        if width == 0 {
            return Some(0);
        }
        self.fill();
        if self.count < width {
            return None;
        }
        let value = self.held >> (64 - width);
        self.held <<= width;
        self.count -= width;
        Some(value)
    }

    /// A number as [`Writer::rice`] wrote it.
    pub fn rice(&mut self, k: u32) -> Option<u64> {
        self.fill();
        let ones = self.held.leading_ones().min(self.count);
        if ones >= ESCAPE {
            self.get(ESCAPE)?;
            return self.get(64);
        }
        self.get(ones + 1)?;
        let low = self.get(k)?;
        // A quotient of 20 at 63 bits does not fit: no writer makes one.
        (u64::from(ones) << k).checked_add(low).filter(|v| v >> k == u64::from(ones))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn what_is_written_is_read(rows in proptest::collection::vec((any::<u64>(), 0u32..=64, 0u32..64), 0..200)) {
            let mut w = Writer::default();
            let mut bits = 0;
            for (value, width, k) in &rows {
                w.put(*value, *width);
                w.rice(value >> width.min(&63), *k);
                bits += u64::from(*width) + rice_bits(value >> width.min(&63), *k);
            }
            let bytes = w.finish();
            prop_assert_eq!(bytes.len() as u64, bits.div_ceil(8));
            let mut r = Reader::new(&bytes);
            for (value, width, k) in &rows {
                let kept = if *width == 0 { 0 } else { value & (u64::MAX >> (64 - width)) };
                prop_assert_eq!(r.get(*width), Some(kept));
                prop_assert_eq!(r.rice(*k), Some(value >> width.min(&63)));
            }
        }

        #[test]
        fn any_bytes_end(bytes in proptest::collection::vec(any::<u8>(), 0..60), k in 0u32..64) {
            let mut r = Reader::new(&bytes);
            let mut n = 0;
            while r.rice(k).is_some() {
                n += 1;
            }
            prop_assert!(n <= 8 * bytes.len());
        }
    }
}
