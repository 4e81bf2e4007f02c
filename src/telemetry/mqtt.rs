//! mqtt: being written.
