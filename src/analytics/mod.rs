//! From samples to findings: health of a point, computed points, roll-up; how good the data were.

pub mod data_quality;
pub mod expression;
pub mod health;
pub mod rules;

pub use expression::Expression;
pub use health::{Health, Judgement};
pub use rules::RuleSet;
