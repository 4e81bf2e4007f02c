//! Devices behind one trait, whatever they speak.

pub mod bacnet;
pub mod modbus;
pub mod simulated;

use super::config::{self, Kind, Source};
use crate::quality::Quality;
use crate::time::Time;
use std::io;

/// What was read of a point.
#[derive(Clone, Debug, PartialEq)]
pub struct Reading {
    /// Which of its device's points.
    pub point: usize,
    /// As the device states it, before scale and offset; what is no number where there is none.
    pub value: f64,
    /// How far it can be trusted.
    pub quality: Quality,
    /// The device's own word for what is wrong, in words: `modbus exception 2, illegal data address`.
    pub code: Option<String>,
}

impl Reading {
    /// A value as measured.
    pub fn good(point: usize, value: f64) -> Self {
        Self { point, value, quality: Quality::Good, code: None }
    }

    /// No value, and why.
    pub fn bad(point: usize, quality: Quality, code: impl Into<String>) -> Self {
        Self { point, value: f64::NAN, quality, code: Some(code.into()) }
    }
}

/// Something that measures.
pub trait Device: Send {
    /// Reads points by their numbers, each answered for once. It may wait as long as its time-out says, for each question
    /// that it asks.
    ///
    /// # Errors
    /// The device does not answer, in words: nothing is known of any of its points.
    fn read(&mut self, points: &[usize], now: Time) -> Result<Vec<Reading>, String>;
}

/// A device as the gateway's file states it. Nothing is sent yet.
///
/// # Errors
/// The system gives no socket or no timer.
pub fn open(device: &config::Device) -> io::Result<Box<dyn Device>> {
    Ok(match &device.kind {
        Kind::Modbus { .. } => Box::new(modbus::Modbus::new(device)?),
        Kind::Bacnet { .. } => Box::new(bacnet::Bacnet::new(device)),
        Kind::Simulated => Box::new(simulated::Simulated::new(device)),
    })
}

/// The points of one kind, by their numbers.
fn sources<'a, T: 'a>(device: &'a config::Device, of: impl Fn(&'a Source) -> Option<T>) -> Vec<Option<T>> {
    device.points.iter().map(|p| of(&p.source)).collect()
}
