//! Tests of the readiness.
