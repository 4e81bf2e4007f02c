//! Texts in small letters, each held once, and the words they are made of: which texts have a part in them is
//! found without reading them all.

use super::bits::Bits;
use super::pattern::Pattern;
use std::collections::HashMap;

/// A sorted list of distinct texts in one piece of memory.
#[derive(Debug, Default)]
struct Texts {
    text: String,
    /// Where each starts, and where the last one ends. A line break stands between two.
    starts: Vec<usize>,
}

impl Texts {
    fn push(&mut self, text: &str) {
        if self.starts.is_empty() {
            self.starts.push(0);
        }
        self.text.push_str(text);
        self.text.push('\n');
        self.starts.push(self.text.len());
    }

    fn len(&self) -> usize {
        self.starts.len().saturating_sub(1)
    }

    fn get(&self, i: usize) -> &str {
        let (Some(start), Some(end)) = (self.starts.get(i), self.starts.get(i + 1)) else { return "" };
        self.text.get(*start..end.saturating_sub(1)).unwrap_or("")
    }

    /// The first that is not before a text.
    fn first_from(&self, text: &str) -> usize {
        let (mut low, mut high) = (0, self.len());
        while low < high {
            let middle = low + (high - low) / 2;
            if self.get(middle) < text { low = middle + 1 } else { high = middle }
        }
        low
    }

    fn find(&self, text: &str) -> Option<usize> {
        Some(self.first_from(text)).filter(|i| *i < self.len() && self.get(*i) == text)
    }

    /// Those that start so.
    fn starting(&self, text: &str) -> std::ops::Range<usize> {
        let start = self.first_from(text);
        let (mut low, mut high) = (start, self.len());
        while low < high {
            let middle = low + (high - low) / 2;
            if self.get(middle).starts_with(text) { low = middle + 1 } else { high = middle }
        }
        start..low
    }

    /// Calls `f` with each that has a part in it, ascending; with `at_end`, where it ends so. The part holds no line
    /// break.
    fn having(&self, part: &str, at_end: bool, mut f: impl FnMut(usize)) {
        let mut text = 0;
        let mut told = usize::MAX;
        for (at, _) in self.text.match_indices(part) {
            while self.starts.get(text + 1).is_some_and(|end| *end <= at) {
                text += 1;
            }
            if told != text {
                told = text;
                if !at_end || self.get(text).ends_with(part) {
                    f(text);
                }
            }
        }
    }

    fn bytes(&self) -> usize {
        self.text.len() + self.starts.len() * size_of::<usize>()
    }
}

/// Ids in order, with their slots; two may be the same.
#[derive(Debug, Default)]
pub(super) struct Ids {
    ids: Texts,
    slots: Vec<u32>,
}

impl Ids {
    pub(super) fn of(mut ids: Vec<(String, u32)>) -> Self {
        ids.sort_unstable();
        let mut sorted = Self::default();
        for (id, slot) in ids {
            sorted.ids.push(&id);
            sorted.slots.push(slot);
        }
        sorted
    }

    /// Those that start so, with their slots.
    pub(super) fn starting(&self, start: &str) -> impl Iterator<Item = (&str, usize)> {
        let range = self.ids.starting(start);
        range.filter_map(|i| Some((self.ids.get(i), *self.slots.get(i)? as usize)))
    }

    /// What it holds, bytes.
    pub(super) fn bytes(&self) -> usize {
        self.ids.bytes() + self.slots.len() * 4
    }
}

/// Distinct texts by number, and the words in them.
#[derive(Debug, Default)]
pub(super) struct Words {
    values: Texts,
    /// Runs of letters and digits.
    tokens: Texts,
    /// By token: where its texts start in `of_token`.
    starts: Vec<u32>,
    of_token: Vec<u32>,
}

/// Gathers texts; [`Gathered::finish`] sorts them.
#[derive(Default)]
pub(super) struct Gathered {
    numbers: HashMap<String, u32>,
}

impl Gathered {
    /// The number of a text for the time being; none for an empty one.
    pub(super) fn add(&mut self, text: String) -> Option<u32> {
        if text.is_empty() {
            return None;
        }
        let next = self.numbers.len() as u32;
        Some(*self.numbers.entry(text).or_insert(next))
    }

    /// The texts in order, and by provisional number the one that counts.
    pub(super) fn finish(self) -> (Words, Vec<u32>) {
        let mut sorted: Vec<(String, u32)> = self.numbers.into_iter().collect();
        sorted.sort_unstable();
        let mut numbers = vec![0; sorted.len()];
        let mut pairs: Vec<(&str, u32)> = Vec::new();
        let mut values = Texts::default();
        for (i, (text, before)) in sorted.iter().enumerate() {
            values.push(text);
            if let Some(number) = numbers.get_mut(*before as usize) {
                *number = i as u32;
            }
            pairs.extend(tokens(text).map(|t| (t, i as u32)));
        }
        pairs.sort_unstable();
        pairs.dedup();
        let mut words = Words { values, ..Words::default() };
        let mut last = None;
        for (token, value) in pairs {
            if last != Some(token) {
                words.tokens.push(token);
                words.starts.push(words.of_token.len() as u32);
                last = Some(token);
            }
            words.of_token.push(value);
        }
        words.starts.push(words.of_token.len() as u32);
        (words, numbers)
    }
}

fn tokens(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !c.is_alphanumeric()).filter(|t| !t.is_empty())
}

impl Words {
    /// How many distinct texts there are.
    pub(super) fn len(&self) -> usize {
        self.values.len()
    }

    /// The number of a text.
    pub(super) fn find(&self, text: &str) -> Option<usize> {
        self.values.find(text)
    }

    /// The numbers of the texts that start so.
    pub(super) fn starting(&self, text: &str) -> std::ops::Range<usize> {
        self.values.starting(text)
    }

    /// The texts that fit a pattern.
    pub(super) fn matching(&self, pattern: &Pattern) -> Bits {
        match pattern {
            Pattern::Contains(part) => self.having(part),
            Pattern::Whole(whole) => {
                let mut bits = Bits::none(self.len());
                self.find(whole).into_iter().for_each(|i| bits.insert(i));
                bits
            }
            Pattern::Parts(parts) => {
                let mut bits = Bits::none(self.len());
                let first = parts.first().map_or("", String::as_str);
                for i in self.starting(first).filter(|i| pattern.matches(self.values.get(*i))) {
                    bits.insert(i);
                }
                bits
            }
        }
    }

    /// The texts that have a part in them: those that have its words, looked at.
    fn having(&self, part: &str) -> Bits {
        let mut found: Option<Bits> = None;
        let mut start = 0;
        let mut pieces = 0;
        while start < part.len() {
            let rest = part.get(start..).unwrap_or("");
            let length = rest.find(|c: char| !c.is_alphanumeric()).unwrap_or(rest.len());
            if length == 0 {
                start += rest.chars().next().map_or(1, char::len_utf8);
                continue;
            }
            let token = rest.get(..length).unwrap_or("");
            let texts = self.with_token(token, start > 0, start + length < part.len());
            match &mut found {
                Some(found) => found.and(&texts),
                None => found = Some(texts),
            }
            pieces += 1;
            start += length;
        }
        match found {
            // One word alone, with nothing around it: what has it in a token has it.
            Some(found) if pieces == 1 && part.chars().all(char::is_alphanumeric) => found,
            Some(found) => {
                let mut exact = Bits::none(self.len());
                found.iter().filter(|i| self.values.get(*i).contains(part)).for_each(|i| exact.insert(i));
                exact
            }
            None => Bits::of(self.len(), |i| self.values.get(i).contains(part)),
        }
    }

    /// The texts with a token that is this, or has it at its start, at its end or anywhere: `bounded` where what is
    /// looked for has something else than letters and digits before or after it.
    fn with_token(&self, token: &str, bounded_before: bool, bounded_after: bool) -> Bits {
        let mut texts = Bits::none(self.len());
        let mut add = |t: usize| {
            let (Some(start), Some(end)) = (self.starts.get(t), self.starts.get(t + 1)) else { return };
            for value in self.of_token.get(*start as usize..*end as usize).unwrap_or_default() {
                texts.insert(*value as usize);
            }
        };
        match (bounded_before, bounded_after) {
            (true, true) => self.tokens.find(token).into_iter().for_each(add),
            (true, false) => self.tokens.starting(token).for_each(add),
            (false, at_end) => self.tokens.having(token, at_end, &mut add),
        }
        texts
    }

    /// What it holds, bytes.
    pub(super) fn bytes(&self) -> usize {
        self.values.bytes() + self.tokens.bytes() + (self.starts.len() + self.of_token.len()) * 4
    }
}

#[cfg(test)]
mod tests {
    use super::super::pattern::lower;
    use super::*;
    use proptest::prelude::*;

    fn words(texts: &[String]) -> (Words, Vec<Option<u32>>) {
        let mut gathered = Gathered::default();
        let before: Vec<Option<u32>> = texts.iter().map(|t| gathered.add(lower(t))).collect();
        let (words, numbers) = gathered.finish();
        (words, before.into_iter().map(|n| n.map(|n| numbers[n as usize])).collect())
    }

    #[test]
    fn parts_of_words_and_across_them() {
        let texts = ["VAV-1-03", "VAV-1-030", "XVAV-1", "Supply fan", "°C only", "Rückkühler", ""].map(String::from);
        let (words, numbers) = words(&texts);
        for (part, expected) in [
            ("vav-1-03", vec![0, 1]),
            ("vav-1-030", vec![1]),
            ("av-1", vec![0, 1, 2]),
            ("-1-", vec![0, 1]),
            ("y f", vec![3]),
            ("°", vec![4]),
            ("°c o", vec![4]),
            ("kühl", vec![5]),
            ("1", vec![0, 1, 2]),
            ("fans", vec![]),
        ] {
            let found = words.matching(&Pattern::Contains(part.into()));
            let found: Vec<usize> =
                (0..texts.len()).filter(|i| numbers[*i].is_some_and(|n| found.contains(n as usize))).collect();
            assert_eq!(found, expected, "{part}");
        }
        assert!(numbers[6].is_none() && words.bytes() > 50);
    }

    proptest! {
        #[test]
        fn the_same_is_found_as_by_reading_everything(
            texts in prop::collection::vec("[abB0ß .\\-]{0,7}", 0..20),
            part in "[abB0ß .\\-]{1,4}",
            star in prop::option::of(0usize..4),
        ) {
            let (words, numbers) = words(&texts);
            let mut chars: Vec<(char, bool)> = part.chars().map(|c| (c, false)).collect();
            star.into_iter().for_each(|at| chars.insert(at.min(chars.len()), ('*', false)));
            for pattern in [Pattern::of(&chars, Pattern::Contains), Pattern::of(&chars, Pattern::Whole)] {
                let found = words.matching(&pattern);
                for (text, number) in texts.iter().zip(&numbers) {
                    let there = number.is_some_and(|n| found.contains(n as usize));
                    prop_assert_eq!(there, pattern.matches(&lower(text)), "{:?} in {:?}", &pattern, text);
                }
            }
        }
    }
}
