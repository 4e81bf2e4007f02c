//! What windowed functions remember: bounded, and allocated once.

use super::WindowKind;
use crate::time::Time;
use std::collections::VecDeque;

/// A mean's window is cut into this many parts; its edge is as sharp as one of them.
const PARTS: usize = 64;

/// So many rises are remembered; more in one window count as this many.
const RISES: usize = 256;

/// The memory of one windowed function.
#[derive(Clone, Debug)]
pub(super) enum Window {
    Mean { part_ms: i64, parts: Vec<Part> },
    Rises { window_ms: i64, times: VecDeque<Time>, high: Option<bool> },
}

/// The values that fell into one part of time.
#[derive(Clone, Copy, Debug)]
pub(super) struct Part {
    number: i64,
    sum: f64,
    count: u32,
}

impl Window {
    pub(super) fn new(kind: WindowKind) -> Self {
        match kind {
            WindowKind::Mean { seconds } => Self::Mean {
                part_ms: ((seconds * 1000.0 / PARTS as f64).round() as i64).max(1),
                parts: vec![Part { number: i64::MIN, sum: 0.0, count: 0 }; PARTS],
            },
            WindowKind::Rises { seconds } => Self::Rises {
                window_ms: ((seconds * 1000.0) as i64).max(1),
                times: VecDeque::with_capacity(RISES),
                high: None,
            },
        }
    }

    /// True when the other remembers the same of the same span.
    pub(super) fn is_like(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Mean { part_ms: a, .. }, Self::Mean { part_ms: b, .. }) => a == b,
            (Self::Rises { window_ms: a, .. }, Self::Rises { window_ms: b, .. }) => a == b,
            _ => false,
        }
    }

    /// Takes a value at `now` (never before the last one) and says what the window comes to.
    pub(super) fn push(&mut self, value: f64, now: Time) -> f64 {
        match self {
            Self::Mean { part_ms, parts } => {
                let number = now.0.div_euclid(*part_ms);
                if let Some(part) = parts.get_mut(number.rem_euclid(PARTS as i64) as usize) {
                    if part.number != number {
                        *part = Part { number, sum: 0.0, count: 0 };
                    }
                    part.sum += value;
                    part.count = part.count.saturating_add(1);
                }
                let oldest = number.saturating_sub(PARTS as i64);
                let (sum, count) = parts
                    .iter()
                    .filter(|p| p.number > oldest)
                    .fold((0.0, 0_u64), |(sum, count), p| (sum + p.sum, count + u64::from(p.count)));
                sum / count as f64
            }
            Self::Rises { window_ms, times, high } => {
                let is_high = value > 0.5;
                // The first value is where the count starts, not a rise.
                if is_high && *high == Some(false) {
                    if times.len() == RISES {
                        times.pop_front();
                    }
                    times.push_back(now);
                }
                *high = Some(is_high);
                while times.front().is_some_and(|t| now.0.saturating_sub(t.0) >= *window_ms) {
                    times.pop_front();
                }
                times.len() as f64
            }
        }
    }
}
