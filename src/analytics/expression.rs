//! Expressions of computed points.
