//! Which registers are read together.

use super::{Area, Register};
use std::collections::HashSet;

/// Registers that are read at once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Block {
    pub area: Area,
    pub from: u16,
    pub count: u16,
    /// Whose they are.
    pub points: Vec<usize>,
}

impl Block {
    /// One point by itself.
    pub fn of(point: usize, register: &Register) -> Self {
        Self { area: register.area, from: register.address, count: register.length(), points: vec![point] }
    }

    fn end(&self) -> u32 {
        u32::from(self.from) + u32::from(self.count)
    }
}

/// Blocks of at most `most` registers, or sixteen times as many bits; up to `gap` registers between two points are read
/// for nothing. Points of `alone` share their block with nobody.
pub(super) fn plan(wanted: &[(usize, Register)], most: u16, gap: u16, alone: &HashSet<usize>) -> Vec<Block> {
    let mut sorted: Vec<&(usize, Register)> = wanted.iter().collect();
    sorted.sort_by_key(|(point, r)| (r.area, r.address, r.length(), *point));
    let mut blocks: Vec<Block> = Vec::new();
    let mut open = false;
    for (point, register) in sorted {
        let single = Block::of(*point, register);
        if alone.contains(point) {
            blocks.push(single);
            open = false;
            continue;
        }
        // Modbus: at most 125 registers or 2000 bits.
        let limit = if register.area.is_bits() { (u32::from(most) * 16).min(2000) } else { u32::from(most).min(125) };
        match blocks.last_mut() {
            Some(last) if open && last.area == single.area => {
                let end = last.end().max(single.end());
                let near = u32::from(single.from) <= last.end() + u32::from(gap);
                let count = end - u32::from(last.from);
                if near && count <= limit {
                    last.count = count as u16;
                    last.points.push(*point);
                } else {
                    blocks.push(single);
                }
            }
            _ => blocks.push(single),
        }
        open = true;
    }
    blocks
}
