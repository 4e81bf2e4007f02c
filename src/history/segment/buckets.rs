//! Buckets of one point and level, packed.

use super::bits::{Reader, Writer};
use super::value::{self, Form, Scale};
use super::{Damage, MOST, VERSION, checked, column, sealed};
use crate::history::Bucket;
use crate::time::Time;

/// Packs buckets that begin at whole multiples of a length, ms, in rising order.
///
/// Where least, most and last are decimals, they are kept as what they are over the least, and the sum as what it is
/// over so many times the least; what rounding made of the sum is kept to the bit.
pub fn pack(buckets: &[Bucket], length_ms: i64, scale: Scale) -> Vec<u8> {
    let mut out = Writer::default();
    let of = |number: fn(&Bucket) -> i64| buckets.iter().map(number).collect::<Vec<i64>>();
    let starts: Vec<i64> = buckets.iter().map(|b| b.start.0.div_euclid(length_ms)).collect();
    column::write(&mut out, &starts);
    column::write(&mut out, &of(|b| b.n as i64));
    column::write(&mut out, &of(|b| b.bad as i64));
    let with_value = buckets.iter().filter(|b| b.n > 0);
    let found = scale.found(with_value.clone().flat_map(|b| [b.min, b.max, b.last]));
    out.put(u64::from(found.is_some()), 1);
    match found {
        Some((form, wholes)) => {
            form.write(&mut out);
            let (mut low, mut high, mut last, mut sums, mut odds) = (vec![], vec![], vec![], vec![], vec![]);
            for (bucket, whole) in with_value.zip(wholes.chunks_exact(3)) {
                let [min, max, end] = *whole else { continue };
                let sum = form.sum(bucket.sum, bucket.n);
                low.push(min);
                high.push(max.wrapping_sub(min));
                last.push(end.wrapping_sub(min));
                sums.push(sum.wrapping_sub(min.wrapping_mul(bucket.n as i64)));
                odds.push(bucket.sum.to_bits().wrapping_sub(form.sum_of(sum, bucket.n).to_bits()) as i64);
            }
            [low, high, last, sums, odds].iter().for_each(|numbers| column::write(&mut out, numbers));
        }
        None => {
            let numbers: [fn(&Bucket) -> f64; 4] = [|b| b.min, |b| b.max, |b| b.last, |b| b.sum];
            for number in numbers {
                value::write(&mut out, with_value.clone().map(number), scale);
            }
        }
    }
    sealed(VERSION, buckets.len(), out)
}

/// Reads what [`pack`] wrote.
///
/// # Errors
/// What is wrong with the bytes.
pub fn unpack(bytes: &[u8], length_ms: i64) -> Result<Vec<Bucket>, Damage> {
    let (count, columns) = checked(bytes)?;
    if count > MOST {
        return Err(Damage::Columns);
    }
    read(&mut Reader::new(columns), count, length_ms).ok_or(Damage::Columns)
}

fn read(bits: &mut Reader, count: usize, length_ms: i64) -> Option<Vec<Bucket>> {
    let starts = column::read(bits, count)?;
    let n = column::read(bits, count)?;
    let bad = column::read(bits, count)?;
    let mut buckets = Vec::with_capacity(count);
    for ((start, n), bad) in starts.into_iter().zip(n).zip(bad) {
        let start = Time(start.checked_mul(length_ms)?);
        buckets.push(Bucket { n: u64::try_from(n).ok()?, bad: u64::try_from(bad).ok()?, ..Bucket::empty(start) });
    }
    let many = buckets.iter().filter(|b| b.n > 0).count();
    let with_value = buckets.iter_mut().filter(|b| b.n > 0);
    if bits.get(1)? == 1 {
        let form = Form::read(bits)?;
        let [mut low, mut high, mut last, mut sums, mut odds] = [(); 5].map(|()| Vec::new());
        for numbers in [&mut low, &mut high, &mut last, &mut sums, &mut odds] {
            *numbers = column::read(bits, many)?;
        }
        let wholes = low.into_iter().zip(high).zip(last).zip(sums).zip(odds);
        for (bucket, ((((min, high), last), sum), odd)) in with_value.zip(wholes) {
            bucket.min = form.value(min);
            bucket.max = form.value(min.wrapping_add(high));
            bucket.last = form.value(min.wrapping_add(last));
            let sum = sum.wrapping_add(min.wrapping_mul(bucket.n as i64));
            bucket.sum = f64::from_bits(form.sum_of(sum, bucket.n).to_bits().wrapping_add(odd as u64));
        }
    } else {
        let [mut min, mut max, mut last, mut sum] = [(); 4].map(|()| Vec::new());
        for numbers in [&mut min, &mut max, &mut last, &mut sum] {
            *numbers = value::read(bits, many)?;
        }
        let values = min.into_iter().zip(max).zip(last).zip(sum);
        for (bucket, (((min, max), last), sum)) in with_value.zip(values) {
            (bucket.min, bucket.max, bucket.last, bucket.sum) = (min, max, last, sum);
        }
    }
    Some(buckets)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::history::Stored;
    use crate::quality::Quality;
    use proptest::prelude::*;

    fn text(buckets: &[Bucket]) -> String {
        let bits = |b: &Bucket| [b.min, b.max, b.sum, b.last].map(f64::to_bits);
        buckets.iter().map(|b| format!("{:?} {} {} {:?};", b.start, b.n, b.bad, bits(b))).collect()
    }

    #[test]
    fn a_day_of_minutes_is_small() {
        for scale in
            [Scale::default(), Scale { factor: 1.0 / 3600.0, offset: 0.0 }, Scale { factor: 5.0 / 9.0, offset: 255.37 }]
        {
            let mut level = 2000i64;
            let minutes: Vec<Bucket> = (0..360)
                .map(|i| {
                    let wholes = [3, -4, 5, 1, -6, 2].map(|d| {
                        level += d * (i % 3 - 1);
                        level
                    });
                    let samples = wholes.map(|w| Stored {
                        time: Time(i * 60_000),
                        arrival: Time(0),
                        quality: Quality::Good,
                        code: 0,
                        value: if scale == Scale::default() {
                            w as f64 / 100.0
                        } else {
                            (w as f64 / 100.0) * scale.factor + scale.offset
                        },
                    });
                    Bucket::of(Time(i * 60_000), &samples)
                })
                .collect();
            let bytes = pack(&minutes, 60_000, scale);
            assert!(bytes.len() < 360 * 4, "{} {scale:?}", bytes.len());
            assert_eq!(text(&unpack(&bytes, 60_000).unwrap()), text(&minutes));
        }
    }

    proptest! {
        #[test]
        fn what_is_packed_is_unpacked(rows in proptest::collection::vec((0i64..50, 0u64..9, 0u64..3, any::<f64>(), -500i64..500), 0..80)) {
            let mut start = -7;
            let buckets: Vec<Bucket> = rows.iter().map(|(step, n, bad, wild, whole)| {
                start += 1 + step;
                let tame = *whole as f64 / 100.0;
                let max = if rows.len() % 2 == 0 { *wild } else { tame + 1.0 };
                let full = Bucket { start: Time(start * 60_000), n: *n, bad: *bad, min: tame, max, sum: *wild, last: tame };
                // Of nothing there is no least.
                if *n == 0 { Bucket { bad: *bad, ..Bucket::empty(full.start) } } else { full }
            }).collect();
            let bytes = pack(&buckets, 60_000, Scale::default());
            prop_assert_eq!(text(&unpack(&bytes, 60_000).unwrap()), text(&buckets));
        }

        #[test]
        fn any_bytes_are_refused_or_read(mut bytes in proptest::collection::vec(any::<u8>(), 0..120)) {
            if let Some(first) = bytes.first_mut() {
                *first = VERSION;
            }
            let check = crc32fast::hash(&bytes);
            bytes.extend_from_slice(&check.to_le_bytes());
            let _ = unpack(&bytes, 60_000);
        }
    }
}
