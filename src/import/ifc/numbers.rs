//! Where each record is, by its number.

use rustc_hash::FxHashMap as HashMap;

/// Bytes of a file for which one number may be looked up by its place: records are longer, so that a list of all
/// numbers takes no more room than the file, and programs that leave most numbers out leave room for it.
const BYTES_A_NUMBER: usize = 4;

/// What no record's place is.
const NONE: u32 = u32::MAX;

/// Places by record number.
///
/// Records that belong together have numbers close by: in a list they are found next to each other, where a hash map
/// would look all over the memory.
#[derive(Default)]
pub(super) struct Numbers {
    near: Vec<u32>,
    limit: usize,
    far: HashMap<u32, u32>,
}

impl Numbers {
    /// For a file of so many bytes.
    pub(super) fn of_file(bytes: usize) -> Self {
        Self { limit: bytes / BYTES_A_NUMBER, ..Self::default() }
    }

    /// The place of a number.
    pub(super) fn get(&self, number: u32) -> Option<u32> {
        match self.near.get(number as usize) {
            Some(place) => Some(*place).filter(|p| *p != NONE),
            None if self.far.is_empty() => None,
            None => self.far.get(&number).copied(),
        }
    }

    /// Gives a number its place; false when it has one already, which stays.
    pub(super) fn insert(&mut self, number: u32, place: u32) -> bool {
        let at = number as usize;
        if at >= self.limit {
            return match self.far.entry(number) {
                std::collections::hash_map::Entry::Occupied(_) => false,
                std::collections::hash_map::Entry::Vacant(slot) => {
                    slot.insert(place);
                    true
                }
            };
        }
        if at >= self.near.len() {
            self.near.resize(at + 1, NONE);
        }
        match self.near.get_mut(at) {
            Some(slot) if *slot == NONE => {
                *slot = place;
                true
            }
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn near_and_far_numbers_have_one_place_each() {
        let mut numbers = Numbers::of_file(40);
        for (place, number) in [3, 9, 10, u32::MAX, 0].into_iter().enumerate() {
            assert!(numbers.insert(number, place as u32), "{number}");
        }
        for number in [3, 9, 10, u32::MAX, 0] {
            assert!(!numbers.insert(number, 77), "{number}");
        }
        let got: Vec<_> = [0, 1, 3, 9, 10, 11, u32::MAX].into_iter().map(|n| numbers.get(n)).collect();
        assert_eq!(got, [Some(4), None, Some(0), Some(1), Some(2), None, Some(3)]);
        assert!(numbers.near.len() <= 10 && numbers.far.len() == 2);
    }
}
