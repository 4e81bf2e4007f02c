//! topics: being written.
