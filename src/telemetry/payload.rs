//! payload: being written.
