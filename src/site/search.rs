//! The search: one line of text over everything that is known of an element.
//!
//! [`parse`] understands the line, [`Index`] is built once from a [`crate::site::Site`] and answers it. The language
//! is told by examples in `docs/search.md`.

mod bits;
mod columns;
mod facets;
mod index;
mod order;
mod parse;
mod pattern;
mod query;
mod words;

pub use index::{Found, HealthOf, Index};
pub use order::natural;
pub use parse::{Malformed, parse};
pub use pattern::{Pattern, lower};
pub use query::{Comparison, Expr, HealthWord, KINDS, Key, Number, PropertyTerm, Query, Side, Term, Thing, same};

/// What people can start from.
pub const EXAMPLES: [&str; 5] = [
    "pump",
    "class:IfcPump health:critical",
    "storey:\"Level 2\" no:system",
    "NominalPower>2kW",
    "class:*Segment -has:connection",
];
