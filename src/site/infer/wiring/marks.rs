//! Marks in tags: `AHU-1` in `AHU-1-SAT` and in `DDC-AHU-01`.

use std::hash::{DefaultHasher, Hash, Hasher};

/// More words than this no tag has.
const MOST_WORDS: usize = 12;

/// Every mark in a tag, the longest first: words and numbers in a row that start with a word and have a number in
/// them. Capitals, signs between them and leading zeros do not matter. The number of words comes with the mark.
pub(super) fn of(tag: &str) -> Vec<(usize, u64)> {
    let words = words(tag);
    let mut marks = Vec::new();
    for (start, (_, is_word)) in words.iter().enumerate() {
        if !is_word {
            continue;
        }
        let mut hasher = DefaultHasher::new();
        let mut has_number = false;
        for (count, (word, is_word)) in words.iter().skip(start).enumerate() {
            word.hash(&mut hasher);
            has_number |= !is_word;
            if has_number {
                marks.push((count + 1, hasher.finish()));
            }
        }
    }
    marks.sort_unstable_by(|a, b| b.cmp(a));
    marks
}

/// The words and numbers of a tag, each with whether it is a word.
fn words(tag: &str) -> Vec<(String, bool)> {
    let mut found: Vec<(String, bool)> = Vec::new();
    let mut goes_on = false;
    for c in tag.chars() {
        if !c.is_alphanumeric() {
            goes_on = false;
            continue;
        }
        let is_word = !c.is_numeric();
        let full = found.len() == MOST_WORDS;
        match found.last_mut() {
            Some((word, same)) if goes_on && *same == is_word => {
                if !is_word && word == "0" {
                    word.clear();
                }
                word.extend(c.to_lowercase());
            }
            _ if full => break,
            _ => found.push((c.to_lowercase().collect(), is_word)),
        }
        goes_on = true;
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The longest mark that both have, in words.
    fn common(a: &str, b: &str) -> usize {
        let others = of(b);
        of(a).into_iter().find(|m| others.contains(m)).map_or(0, |(words, _)| words)
    }

    #[test]
    fn marks_are_words_with_numbers() {
        for (a, b, words) in [
            ("AHU-1-SAT", "DDC-AHU-01", 2),
            ("ahu1 sat", "AHU-1", 2),
            ("LP-2.3-07", "LP-2", 2),
            ("AHU-1-SAT", "AHU-10-DDC", 0),
            ("VAV-1-03", "DDC-1", 0),
            ("1.08-SF", "1.08-DB", 0),
            ("SENSOR", "SENSOR", 0),
            ("B2-AHU-3-T", "B2-AHU-3-DDC", 4),
            ("P-100", "P-10", 0),
            ("P-000", "P-0", 2),
            ("", "", 0),
        ] {
            assert_eq!(common(a, b), words, "{a} {b}");
        }
        assert!(of(&"A1".repeat(1000)).len() <= MOST_WORDS * MOST_WORDS);
    }
}
