//! quarantine: being written.
