//! A set of dense numbers, one bit each: slots, values, tokens.

/// Which of `0..len` are in.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Bits {
    words: Vec<u64>,
    len: usize,
}

impl Bits {
    /// None of `len`.
    pub(super) fn none(len: usize) -> Self {
        Self { words: vec![0; len.div_ceil(64)], len }
    }

    /// All of `len`.
    pub(super) fn all(len: usize) -> Self {
        let mut bits = Self { words: vec![u64::MAX; len.div_ceil(64)], len };
        bits.trim();
        bits
    }

    /// Those of `len` that `is_in` says.
    pub(super) fn of(len: usize, mut is_in: impl FnMut(usize) -> bool) -> Self {
        let mut bits = Self::none(len);
        for i in 0..len {
            if is_in(i) {
                bits.insert(i);
            }
        }
        bits
    }

    /// Puts one in; what is beyond the length is not.
    pub(super) fn insert(&mut self, i: usize) {
        if i < self.len
            && let Some(word) = self.words.get_mut(i / 64)
        {
            *word |= 1 << (i % 64);
        }
    }

    pub(super) fn contains(&self, i: usize) -> bool {
        self.words.get(i / 64).is_some_and(|w| w >> (i % 64) & 1 == 1)
    }

    pub(super) fn and(&mut self, other: &Self) {
        self.words.iter_mut().zip(&other.words).for_each(|(a, b)| *a &= b);
    }

    pub(super) fn or(&mut self, other: &Self) {
        self.words.iter_mut().zip(&other.words).for_each(|(a, b)| *a |= b);
    }

    /// What was out is in, and the other way round.
    pub(super) fn invert(&mut self) {
        self.words.iter_mut().for_each(|w| *w = !*w);
        self.trim();
    }

    pub(super) fn is_empty(&self) -> bool {
        self.words.iter().all(|w| *w == 0)
    }

    /// Those that are in, ascending.
    pub(super) fn iter(&self) -> impl Iterator<Item = usize> {
        self.words.iter().enumerate().flat_map(|(at, word)| {
            let mut left = *word;
            std::iter::from_fn(move || {
                let bit = left.trailing_zeros() as usize;
                left &= left.checked_sub(1)?;
                Some(at * 64 + bit)
            })
        })
    }

    /// What it holds, bytes.
    pub(super) fn bytes(&self) -> usize {
        self.words.len() * 8
    }

    fn trim(&mut self) {
        let over = self.words.len() * 64 - self.len;
        if over > 0
            && let Some(last) = self.words.last_mut()
        {
            // The upper bits stand for nothing.
            *last &= u64::MAX >> over;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sets_of_any_length() {
        for len in [0, 1, 63, 64, 65, 200] {
            let third = Bits::of(len, |i| i % 3 == 0);
            assert_eq!(third.iter().collect::<Vec<_>>(), (0..len).step_by(3).collect::<Vec<_>>());
            let mut rest = third.clone();
            rest.invert();
            assert_eq!(rest.iter().count() + third.iter().count(), len);
            let mut all = rest.clone();
            all.or(&third);
            assert_eq!(all, Bits::all(len));
            rest.and(&third);
            assert!(rest.is_empty() && !rest.contains(len + 5));
        }
        let mut small = Bits::none(3);
        small.insert(3);
        assert!(small.is_empty(), "what is beyond the length is not taken");
    }
}
