//! From samples to findings: health of a point, computed points, roll-up.

pub mod expression;
pub mod health;
pub mod rules;

pub use expression::Expression;
pub use health::{Health, Judgement};
pub use rules::RuleSet;
