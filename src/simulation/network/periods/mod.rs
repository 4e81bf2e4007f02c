//! Networks over time: extended periods with patterns, tanks, controls and rules.
//!
//! [`Run`] steps a network through its [`Timeline`]; [`through`] does so with a solver to the end.
mod energy;
mod rules;
mod run;
mod tanks;
mod through;
pub mod timeline;

pub use energy::{PumpUse, efficiency_at};
pub use run::Run;
pub use through::{Moment, through};
pub use timeline::{
    Act, Control, Energy, Premise, PumpEnergy, Quantity, Relation, Rule, Statistic, Timeline, Times, Unbalanced,
    Wanted, When,
};

#[cfg(test)]
mod tests;
