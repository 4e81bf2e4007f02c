//! A row of whole numbers in as few bytes as it needs.

use super::bits::{Reader, Writer, best_rice};

/// How a column is written.
#[derive(Clone, Copy)]
enum Form {
    /// All the same.
    Same = 0,
    /// Each less the middle one.
    Level = 1,
    /// Each less the one before.
    Steps = 2,
    /// Values and how often they repeat.
    Runs = 3,
}

fn zigzag(v: i64) -> u64 {
    ((v << 1) ^ (v >> 63)) as u64
}

fn unzigzag(v: u64) -> i64 {
    (v >> 1) as i64 ^ -((v & 1) as i64)
}

/// The middle one of a row; 0 of none.
pub(super) fn median(values: &[i64]) -> i64 {
    let mut sorted = values.to_vec();
    let middle = sorted.len() / 2;
    if sorted.is_empty() { 0 } else { *sorted.select_nth_unstable(middle).1 }
}

fn steps(values: &[i64]) -> impl Iterator<Item = i64> + Clone + '_ {
    values.iter().zip(values.iter().skip(1)).map(|(a, b)| b.wrapping_sub(*a))
}

/// Values that follow one another, with how often each comes.
fn runs(values: &[i64]) -> Vec<(i64, u64)> {
    let mut runs: Vec<(i64, u64)> = Vec::new();
    for v in values {
        match runs.last_mut() {
            Some((last, n)) if last == v => *n += 1,
            _ => runs.push((*v, 1)),
        }
    }
    runs
}

/// Writes a column; its length is known to whoever reads it.
pub(super) fn write(out: &mut Writer, values: &[i64]) {
    let first = values.first().copied().unwrap_or_default();
    let runs = runs(values);
    if runs.len() <= 1 {
        out.put(Form::Same as u64, 2);
        return out.put(first as u64, 64);
    }
    let middle = median(values);
    let level = values.iter().map(|v| zigzag(v.wrapping_sub(middle)));
    let stepped = steps(values).map(zigzag);
    let jumps = runs.iter().zip(runs.iter().skip(1)).map(|(a, b)| zigzag(b.0.wrapping_sub(a.0)));
    let lengths = runs.iter().map(|(_, n)| n - 1);
    let (level_k, level_bits) = best_rice(level.clone());
    let (step_k, step_bits) = best_rice(stepped.clone());
    let (jump_k, jump_bits) = best_rice(jumps.clone());
    let (length_k, length_bits) = best_rice(lengths.clone());
    let run_bits = jump_bits + length_bits + 6;
    if run_bits < level_bits && run_bits < step_bits {
        out.put(Form::Runs as u64, 2);
        out.put(u64::from(jump_k), 6);
        out.put(u64::from(length_k), 6);
        out.put(first as u64, 64);
        let mut jumps = jumps;
        for n in lengths {
            out.rice(n, length_k);
            if let Some(jump) = jumps.next() {
                out.rice(jump, jump_k);
            }
        }
    } else if step_bits <= level_bits {
        out.put(Form::Steps as u64, 2);
        out.put(u64::from(step_k), 6);
        out.put(first as u64, 64);
        stepped.for_each(|v| out.rice(v, step_k));
    } else {
        out.put(Form::Level as u64, 2);
        out.put(u64::from(level_k), 6);
        out.put(middle as u64, 64);
        level.for_each(|v| out.rice(v, level_k));
    }
}

/// Reads a column of `count` values; none where it is broken.
pub(super) fn read(bits: &mut Reader, count: usize) -> Option<Vec<i64>> {
    let form = bits.get(2)?;
    let mut values = Vec::with_capacity(count.min(1 << 16));
    match form {
        f if f == Form::Same as u64 => {
            let value = bits.get(64)? as i64;
            values.resize(count, value);
        }
        f if f == Form::Level as u64 => {
            let k = bits.get(6)? as u32;
            let middle = bits.get(64)? as i64;
            for _ in 0..count {
                values.push(middle.wrapping_add(unzigzag(bits.rice(k)?)));
            }
        }
        f if f == Form::Steps as u64 => {
            let k = bits.get(6)? as u32;
            let mut value = bits.get(64)? as i64;
            for i in 0..count {
                if i > 0 {
                    value = value.wrapping_add(unzigzag(bits.rice(k)?));
                }
                values.push(value);
            }
        }
        _ => {
            let (jump_k, length_k) = (bits.get(6)? as u32, bits.get(6)? as u32);
            let mut value = bits.get(64)? as i64;
            loop {
                let run = usize::try_from(bits.rice(length_k)?).ok()?.checked_add(1)?;
                if run > count.checked_sub(values.len())? {
                    return None;
                }
                values.resize(values.len() + run, value);
                if values.len() == count {
                    break;
                }
                value = value.wrapping_add(unzigzag(bits.rice(jump_k)?));
            }
        }
    }
    Some(values)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn bytes(values: &[i64]) -> Vec<u8> {
        let mut out = Writer::default();
        write(&mut out, values);
        out.finish()
    }

    fn any_row() -> impl Strategy<Value = Vec<i64>> {
        let one = prop_oneof![Just(0i64), Just(7), -20..20i64, any::<i64>()];
        proptest::collection::vec(one, 0..300)
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(values in any_row()) {
            let bytes = bytes(&values);
            prop_assert_eq!(read(&mut Reader::new(&bytes), values.len()), Some(values));
        }

        #[test]
        fn any_bytes_end(bytes in proptest::collection::vec(any::<u8>(), 0..80), count in 0usize..5000) {
            if let Some(values) = read(&mut Reader::new(&bytes), count) {
                prop_assert_eq!(values.len(), count);
            }
        }
    }

    #[test]
    fn each_form_is_small_where_it_fits() {
        assert!(bytes(&[5; 500]).len() <= 9);
        // A pump that is switched ten times a day.
        let switched: Vec<i64> = (0..500).map(|i| i64::from(i / 50 % 2 == 0)).collect();
        assert!(bytes(&switched).len() <= 24, "{}", bytes(&switched).len());
        let climbing: Vec<i64> = (0..500).map(|i| i * 100 + i % 3).collect();
        assert!(bytes(&climbing).len() < 700);
        let jitter: Vec<i64> = (0..500).map(|i| (i * 7919) % 101 - 50).collect();
        assert!(bytes(&jitter).len() < 500, "{}", bytes(&jitter).len());
    }
}
