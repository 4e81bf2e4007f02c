//! What stands between devices and broker: it reads, sums up, keeps through outages, and sends.
//!
//! ```text
//! device ─▶ poller (a thread a device) ─▶ core: aggregate ─▶ record ─▶ spool (disk) ─▶ dispatch ─▶ MQTT
//!                                                                        ▲ let go: PUBACK and receipt
//! ```
//!
//! [`core`] has no clock and no socket of its own; [`live`] gives it both.

pub mod aggregate;
pub mod config;
pub mod core;
pub mod device;
pub mod dispatch;
pub mod health;
pub mod live;
mod poller;
pub mod record;
pub mod spool;
