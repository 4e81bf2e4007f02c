//! Changes of an input: of bytes, numbers, words, lines, of how often something comes and how deep it nests.

use crate::engine::{Random, one_of};
use rand::Rng;

/// No input is longer unless a target says otherwise, bytes: each shall take little time.
pub const LONGEST: usize = 64 << 10;

const NUMBERS: [&str; 36] = [
    "0",
    "-0",
    "-1",
    "1",
    "2",
    "127",
    "128",
    "255",
    "256",
    "65535",
    "65536",
    "2147483647",
    "-2147483648",
    "4294967295",
    "4294967296",
    "9223372036854775807",
    "-9223372036854775808",
    "18446744073709551615",
    "18446744073709551616",
    "99999999999999999999",
    "1.E308",
    "-1.E308",
    "1.E-308",
    "1.E999",
    "1E12",
    "-1E12",
    "1e-320",
    "0.0000001",
    "NaN",
    "inf",
    "-inf",
    "0x7f",
    "1_000",
    "1,5",
    "$",
    "",
];

/// Letters of several bytes, of no width, of the other direction, of two sizes; and bytes that are no text.
const LETTERS: [&[u8]; 16] = [
    b"\0",
    b"\r",
    b"\r\n",
    b"\t",
    b"\xEF\xBB\xBF",
    b"\xFF",
    b"\xC3",
    b"\xED\xA0\x80",
    "ä".as_bytes(),
    "İ".as_bytes(),
    "ß".as_bytes(),
    "ſ".as_bytes(),
    "\u{202e}".as_bytes(),
    "\u{200d}".as_bytes(),
    "\u{1F600}".as_bytes(),
    "\u{10FFFF}".as_bytes(),
];

/// One of the pool, changed.
pub fn mutated(pool: &[Vec<u8>], words: &[String], longest: usize, random: &mut Random) -> Vec<u8> {
    // What is new is looked at more closely.
    let from = if random.random_range(0..3) == 0 { pool.len() * 3 / 4 } else { 0 };
    let mut input = pool[random.random_range(from..pool.len())].clone();
    let changes = match random.random_range(0..8) {
        0 => random.random_range(1..40),
        1..=3 => 1,
        _ => random.random_range(1..6),
    };
    for _ in 0..changes {
        change(&mut input, pool, words, random);
        input.truncate(longest);
    }
    input
}

fn change(input: &mut Vec<u8>, pool: &[Vec<u8>], words: &[String], random: &mut Random) {
    if input.is_empty() {
        input.push(random.random());
    }
    let at = random.random_range(0..input.len());
    let end = (at + 1 + random.random_range(0..64)).min(input.len());
    match random.random_range(0..24) {
        0 => input[at] ^= 1 << random.random_range(0..8),
        1 => input[at] = random.random(),
        2 => {
            input.drain(at..end);
        }
        3 => {
            let copy = input[at..end].to_vec();
            let to = random.random_range(0..=input.len());
            input.splice(to..to, copy);
        }
        4..=6 => {
            if let Some(number) = number_after(input, at) {
                input.splice(number, one_of(&NUMBERS, random).bytes());
            }
        }
        7..=9 if !words.is_empty() => {
            let word = one_of(words, random).as_bytes().to_vec();
            input.splice(at..at, word);
        }
        10 if !words.is_empty() => {
            // A word takes the place of another.
            let (from, to) = word_around(input, at);
            let word = one_of(words, random).as_bytes().to_vec();
            input.splice(from..to, word);
        }
        11 => {
            let (first, last) = line_around(input, at);
            input.drain(first..last);
        }
        12 => {
            let (first, last) = line_around(input, at);
            let line = input[first..last].to_vec();
            let to = line_around(input, random.random_range(0..input.len())).0;
            input.splice(to..to, line);
        }
        13 => {
            // A line of another one of the pool.
            let other = &one_of(pool, random);
            if !other.is_empty() {
                let (first, last) = line_around(other, random.random_range(0..other.len()));
                let to = line_around(input, at).0;
                input.splice(to..to, other[first..last].iter().copied());
            }
        }
        14 => input.truncate(at),
        15 => {
            let other = &one_of(pool, random);
            let from = random.random_range(0..=other.len());
            input.truncate(at);
            input.extend_from_slice(&other[from..]);
        }
        16 => {
            // The same again and again: what nests, nests deep.
            let copy = if !words.is_empty() && random.random() {
                one_of(words, random).as_bytes().to_vec()
            } else {
                input[at..end.min(at + 8)].to_vec()
            };
            let times = 1 << random.random_range(0..14);
            let room = LONGEST.saturating_sub(input.len()) / copy.len().max(1);
            input.splice(at..at, copy.repeat(times.min(room)));
        }
        17 | 18 => {
            // One word becomes another that stands elsewhere.
            let from = word_around(input, random.random_range(0..input.len()));
            let copy = input[from.0..from.1].to_vec();
            let to = word_around(input, at);
            input.splice(to.0..to.1, copy);
        }
        19 => {
            let letter = one_of(&LETTERS, random).iter().copied();
            input.splice(at..at, letter);
        }
        20 => {
            // Four bytes as a number of a binary format.
            let number: u32 = *one_of(&[0, 1, 0x7f, 0x80, 0xffff, 0x7fff_ffff, 0x8000_0000, u32::MAX], random);
            for (byte, new) in input[at..].iter_mut().zip(number.to_le_bytes()) {
                *byte = new;
            }
        }
        21 => {
            let small = input[at..end].iter().map(u8::to_ascii_uppercase).collect::<Vec<u8>>();
            input.splice(at..end, small);
        }
        22 => {
            // A number becomes its neighbour: one more record, one fewer byte.
            if let Some(range) = number_after(input, at) {
                let text = String::from_utf8_lossy(&input[range.clone()]).into_owned();
                if let Ok(number) = text.parse::<i64>() {
                    let near = number.wrapping_add(random.random_range(-2..=2)).to_string();
                    input.splice(range, near.bytes());
                }
            }
        }
        _ => input.swap(at, end - 1),
    }
}

/// The first number from a place on.
fn number_after(input: &[u8], at: usize) -> Option<std::ops::Range<usize>> {
    let first = input[at..].iter().position(u8::is_ascii_digit)? + at;
    let of_number = |b: &u8| b.is_ascii_digit() || matches!(b, b'.' | b'e' | b'E' | b'-' | b'+');
    let length = input[first..].iter().take_while(|b| of_number(b)).count();
    Some(first..first + length)
}

/// The word that a place is in, or the one byte there.
fn word_around(input: &[u8], at: usize) -> (usize, usize) {
    let of_word = |b: &u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'.' | b'#' | b'-') || *b >= 0x80;
    let from = input[..at].iter().rposition(|b| !of_word(b)).map_or(0, |i| i + 1);
    let to = input[at..].iter().position(|b| !of_word(b)).map_or(input.len(), |i| at + i);
    (from, to.max(at + 1))
}

/// The line that a place is in, with its end.
fn line_around(input: &[u8], at: usize) -> (usize, usize) {
    let first = input[..at].iter().rposition(|b| *b == b'\n').map_or(0, |i| i + 1);
    let last = input[at..].iter().position(|b| *b == b'\n').map_or(input.len(), |i| at + i + 1);
    (first, last)
}
