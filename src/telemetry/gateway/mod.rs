//! What stands between devices and broker: it reads, sums up, keeps through outages, and sends.

pub mod aggregate;
pub mod dispatch;
pub mod spool;
