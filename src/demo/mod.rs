//! The demo site: a four-storey clinic, made from a seed.
