//! What a gateway is told in its file: the broker, the spool, and devices with their points.

mod points;
mod read;
#[cfg(test)]
mod tests;

use super::aggregate::Rule;
use super::device::bacnet::Object;
use super::device::modbus::Register;
use super::device::simulated::Wave;
use super::dispatch::{Pace, WhenFull};
use super::spool::Options;
use crate::site::project::Broker;
use crate::site::unit::Unit;
use std::path::PathBuf;

pub use read::load;

/// A gateway's file to begin with: what `plenum gateway --example` prints.
pub const EXAMPLE: &str = include_str!("config/example.toml");

/// A gateway as its file states it, with paths made absolute.
#[derive(Clone, Debug, PartialEq)]
pub struct Config {
    /// The file itself.
    pub file: PathBuf,
    /// Its id on topics and, with the spool's name behind it, in payloads.
    pub id: String,
    /// Where samples go.
    pub broker: Broker,
    /// The folder of the spool.
    pub spool: PathBuf,
    /// How large it may be.
    pub options: Options,
    /// What to lose when it is full.
    pub when_full: WhenFull,
    /// How records are sent, and brought onto the disk.
    pub pace: Pace,
    /// Whether samples are kept until the historian has confirmed them too.
    pub historian: bool,
    /// Where receipts are published, without the publisher's id.
    pub receipts: String,
    /// Where health is published, without the gateway's id.
    pub status: String,
    /// How often, seconds.
    pub status_every_s: f64,
    /// What is read.
    pub devices: Vec<Device>,
}

/// A device.
#[derive(Clone, Debug, PartialEq)]
pub struct Device {
    /// Its name on topics and in reports.
    pub name: String,
    /// How it is spoken to.
    pub kind: Kind,
    /// It must answer within so long, seconds.
    pub timeout_s: f64,
    /// So often a question without an answer is asked again before the device counts as gone.
    pub retries: u32,
    /// What is read of it.
    pub points: Vec<Point>,
}

/// How a device is spoken to.
#[derive(Clone, Debug, PartialEq)]
pub enum Kind {
    /// Modbus over TCP, or its serial framing through a TCP converter.
    Modbus {
        /// Host name or address.
        host: String,
        /// TCP port.
        port: u16,
        /// The unit behind a bridge; 1 or 255 where there is none.
        unit: u8,
        /// RTU frames with their check sum, as serial converters pass them on.
        rtu: bool,
        /// Registers read at once, at the most.
        most: u16,
        /// So many registers that nobody asked for are read rather than asking twice.
        gap: u16,
    },
    /// BACnet over UDP.
    Bacnet {
        /// Host name or address.
        host: String,
        /// UDP port.
        port: u16,
        /// Network number and address of a device behind a BACnet router.
        route: Option<(u16, Vec<u8>)>,
        /// Objects asked for at once, at the most.
        most: u16,
    },
    /// Made up here: to try a gateway, its broker and its historian before there are devices.
    Simulated,
}

impl Kind {
    /// The word in the file.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Modbus { rtu: false, .. } => "modbus-tcp",
            Self::Modbus { rtu: true, .. } => "modbus-rtu-over-tcp",
            Self::Bacnet { .. } => "bacnet-ip",
            Self::Simulated => "simulated",
        }
    }
}

/// A point of a device.
#[derive(Clone, Debug, PartialEq)]
pub struct Point {
    /// Its name; the key in payloads where its topic does not name it.
    pub name: String,
    /// The unit of what is published.
    pub unit: Unit,
    /// Where it is found.
    pub source: Source,
    /// What is read, times this …
    pub scale: f64,
    /// … plus this, is the value in its unit.
    pub offset: f64,
    /// How readings become samples.
    pub rule: Rule,
    /// How often it is read, seconds.
    pub poll_s: f64,
    /// The whole topic.
    pub topic: String,
    /// The payload's key; empty for `{ts, v}`.
    pub key: String,
}

/// Where a point is found.
#[derive(Clone, Debug, PartialEq)]
pub enum Source {
    /// In a device that speaks Modbus.
    Modbus(Register),
    /// In a device that speaks BACnet.
    Bacnet(Object),
    /// Nowhere.
    Simulated(Wave),
}

impl Config {
    /// How many points there are.
    pub fn points(&self) -> usize {
        self.devices.iter().map(|d| d.points.len()).sum()
    }
}
