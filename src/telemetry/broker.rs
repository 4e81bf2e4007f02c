//! broker: being written.
