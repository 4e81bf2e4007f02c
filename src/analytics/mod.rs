//! From samples to findings: health of a point, computed points, roll-up.

pub mod expression;
pub mod health;

pub use health::Health;
