//! Modbus over TCP: registers of a device, read in blocks.
//!
//! Frames are `tokio-modbus`'s. A connection with an answer that did not come, or came wrongly, is dropped: what comes
//! on it later cannot be told apart from the next answer by every device. A block that a device refuses for an address in
//! it is read register by register, from then on.

mod plan;
#[cfg(test)]
mod tests;

use super::{Device, Reading, sources};
use crate::quality::Quality;
use crate::telemetry::gateway::config::{self, Kind, Source};
use crate::time::Time;
use plan::{Block, plan};
use std::collections::HashSet;
use std::io;
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::runtime::Runtime;
use tokio_modbus::client::{Client, Context};
use tokio_modbus::{ExceptionCode, Request, Response, Slave};

/// The tables of a Modbus device.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Area {
    /// Holding registers, function 3.
    Holding,
    /// Input registers, function 4.
    Input,
    /// Coils, function 1.
    Coil,
    /// Discrete inputs, function 2.
    Discrete,
}

impl Area {
    /// Whether it has bits and not registers.
    pub fn is_bits(self) -> bool {
        matches!(self, Self::Coil | Self::Discrete)
    }
}

/// How registers are a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// One bit of a register, or a coil.
    Bit(u8),
    /// A whole number of 16 bits, 0 and more.
    U16,
    /// A whole number of 16 bits.
    I16,
    /// A whole number of 32 bits, 0 and more.
    U32,
    /// A whole number of 32 bits.
    I32,
    /// A whole number of 64 bits, 0 and more.
    U64,
    /// A whole number of 64 bits.
    I64,
    /// IEEE 754, 32 bits.
    F32,
    /// IEEE 754, 64 bits.
    F64,
}

impl Format {
    /// The words of a gateway's file.
    pub const WORDS: [&'static str; 9] = ["bit", "u16", "i16", "u32", "i32", "u64", "i64", "f32", "f64"];

    /// The format of a word; `bit` is for the one that needs it.
    pub fn of_word(word: &str, bit: u8) -> Option<Self> {
        Some(match word {
            "bit" => Self::Bit(bit),
            "u16" => Self::U16,
            "i16" => Self::I16,
            "u32" => Self::U32,
            "i32" => Self::I32,
            "u64" => Self::U64,
            "i64" => Self::I64,
            "f32" => Self::F32,
            "f64" => Self::F64,
            _ => return None,
        })
    }
}

/// Where a point is in a device.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Register {
    /// Its table.
    pub area: Area,
    /// The number of its first register or bit on the wire, from 0.
    pub address: u16,
    /// How it is a number.
    pub format: Format,
    /// The least significant register comes first.
    pub little_words: bool,
    /// The least significant byte of a register comes first.
    pub little_bytes: bool,
}

impl Register {
    /// How many registers or bits it takes.
    pub fn length(&self) -> u16 {
        match self.format {
            Format::Bit(_) | Format::U16 | Format::I16 => 1,
            Format::U32 | Format::I32 | Format::F32 => 2,
            Format::U64 | Format::I64 | Format::F64 => 4,
        }
    }

    /// The number that words stand for; none where there are too few.
    pub fn decode(&self, words: &[u16]) -> Option<f64> {
        let words = words.get(..usize::from(self.length()))?;
        let word = |w: &u16| u64::from(if self.little_bytes { w.swap_bytes() } else { *w });
        let join = |all: u64, w: &u16| all << 16 | word(w);
        let bits: u64 = if self.little_words { words.iter().rev().fold(0, join) } else { words.iter().fold(0, join) };
        Some(match self.format {
            Format::Bit(bit) => (bits >> (bit & 15) & 1) as f64,
            Format::U16 | Format::U32 | Format::U64 => bits as f64,
            Format::I16 => f64::from(bits as u16 as i16),
            Format::I32 => f64::from(bits as u32 as i32),
            Format::I64 => bits as i64 as f64,
            Format::F32 => f64::from(f32::from_bits(bits as u32)),
            Format::F64 => f64::from_bits(bits),
        })
    }
}

/// How a block was answered.
enum Answer {
    Words(Vec<u16>),
    Bits(Vec<bool>),
    Exception(u8),
}

/// A Modbus device.
pub struct Modbus {
    host: String,
    port: u16,
    unit: u8,
    rtu: bool,
    most: u16,
    gap: u16,
    timeout: Duration,
    registers: Vec<Option<Register>>,
    /// Points that are read by themselves.
    alone: HashSet<usize>,
    runtime: Runtime,
    connection: Option<Context>,
}

impl Modbus {
    /// As the gateway's file states it.
    ///
    /// # Errors
    /// The system gives no timer.
    pub fn new(device: &config::Device) -> io::Result<Self> {
        let Kind::Modbus { host, port, unit, rtu, most, gap } = &device.kind else {
            return Err(io::Error::other("no Modbus device"));
        };
        Ok(Self {
            host: host.clone(),
            port: *port,
            unit: *unit,
            rtu: *rtu,
            most: *most,
            gap: *gap,
            timeout: Duration::from_secs_f64(device.timeout_s),
            registers: sources(device, |s| if let Source::Modbus(register) = s { Some(*register) } else { None }),
            alone: HashSet::new(),
            runtime: tokio::runtime::Builder::new_current_thread().enable_all().build()?,
            connection: None,
        })
    }

    fn connect(&mut self) -> Result<(), String> {
        if self.connection.is_some() {
            return Ok(());
        }
        let place = format!("{}:{}", self.host, self.port);
        let connecting = TcpStream::connect((self.host.as_str(), self.port));
        // The timer must be made inside the runtime.
        let stream = self.runtime.block_on(async { tokio::time::timeout(self.timeout, connecting).await });
        let stream = match stream {
            Ok(Ok(stream)) => stream,
            Ok(Err(e)) => return Err(format!("{place}: {e}")),
            Err(_) => return Err(format!("{place} does not answer within {} s", self.timeout.as_secs_f64())),
        };
        let _ = stream.set_nodelay(true);
        let slave = Slave(self.unit);
        self.connection = Some(if self.rtu {
            tokio_modbus::client::rtu::attach_slave(stream, slave)
        } else {
            tokio_modbus::client::tcp::attach_slave(stream, slave)
        });
        Ok(())
    }

    /// Asks for a block.
    fn ask(&mut self, block: &Block) -> Result<Answer, String> {
        self.connect()?;
        let Some(connection) = &mut self.connection else { return Err("no connection".into()) };
        let (from, count) = (block.from, block.count);
        let request = match block.area {
            Area::Holding => Request::ReadHoldingRegisters(from, count),
            Area::Input => Request::ReadInputRegisters(from, count),
            Area::Coil => Request::ReadCoils(from, count),
            Area::Discrete => Request::ReadDiscreteInputs(from, count),
        };
        let timeout = self.timeout;
        // Not the crate's reading functions: those trust the device to send as many words as it was asked for.
        let call = connection.call(request);
        let answer = self.runtime.block_on(async { tokio::time::timeout(timeout, call).await });
        let wrong = match answer {
            Ok(Ok(Ok(Response::ReadHoldingRegisters(words) | Response::ReadInputRegisters(words))))
                if words.len() == usize::from(count) =>
            {
                return Ok(Answer::Words(words));
            }
            Ok(Ok(Ok(Response::ReadCoils(bits) | Response::ReadDiscreteInputs(bits))))
                if bits.len() >= usize::from(count) =>
            {
                return Ok(Answer::Bits(bits));
            }
            Ok(Ok(Ok(_))) => "an answer of the wrong length".to_owned(),
            Ok(Ok(Err(exception))) => return Ok(Answer::Exception(code_of(exception))),
            Ok(Err(e)) => e.to_string(),
            Err(_) => format!("no answer within {} s", timeout.as_secs_f64()),
        };
        self.connection = None;
        Err(format!("{}:{}: {wrong}", self.host, self.port))
    }

    fn read_block(&mut self, block: &Block, out: &mut Vec<Reading>) -> Result<(), String> {
        match self.ask(block)? {
            Answer::Exception(code) if block.points.len() > 1 && matches!(code, 2 | 3) => {
                for point in &block.points {
                    let Some(register) = self.registers.get(*point).copied().flatten() else { continue };
                    let single = Block::of(*point, &register);
                    if let Answer::Exception(2 | 3) = self.one(&single, out)? {
                        self.alone.insert(*point);
                    }
                }
            }
            answer => self.take(block, &answer, out),
        }
        Ok(())
    }

    fn one(&mut self, block: &Block, out: &mut Vec<Reading>) -> Result<Answer, String> {
        let answer = self.ask(block)?;
        self.take(block, &answer, out);
        Ok(answer)
    }

    fn take(&self, block: &Block, answer: &Answer, out: &mut Vec<Reading>) {
        for point in &block.points {
            let Some(register) = self.registers.get(*point).copied().flatten() else { continue };
            let at = usize::from(register.address.saturating_sub(block.from));
            let value = match answer {
                Answer::Words(words) => words.get(at..).and_then(|w| register.decode(w)),
                Answer::Bits(bits) => bits.get(at).map(|b| f64::from(u8::from(*b))),
                Answer::Exception(code) => {
                    out.push(Reading::bad(*point, quality_of(*code), words_of(*code)));
                    continue;
                }
            };
            out.push(match value.filter(|v| v.is_finite()) {
                Some(value) => Reading::good(*point, value),
                // What devices write into a float when its sensor is broken.
                None => Reading::bad(*point, Quality::BadSensor, "the register holds no number"),
            });
        }
    }
}

impl Device for Modbus {
    fn read(&mut self, points: &[usize], _now: Time) -> Result<Vec<Reading>, String> {
        let of = |i: &usize| Some((*i, self.registers.get(*i).copied().flatten()?));
        let wanted: Vec<(usize, Register)> = points.iter().filter_map(of).collect();
        let mut out = Vec::with_capacity(wanted.len());
        for block in plan(&wanted, self.most, self.gap, &self.alone) {
            self.read_block(&block, &mut out)?;
        }
        Ok(out)
    }
}

fn code_of(exception: ExceptionCode) -> u8 {
    u8::from(exception)
}

/// What an exception says of the value (Modbus Application Protocol 1.1b3, 7).
fn quality_of(code: u8) -> Quality {
    match code {
        // Not this function, address or value; nobody behind the bridge.
        1..=3 | 10 | 11 => Quality::BadNotConnected,
        // Busy, or still at it.
        5 | 6 => Quality::BadStale,
        _ => Quality::BadSensor,
    }
}

fn words_of(code: u8) -> String {
    let words = match code {
        1 => "illegal function",
        2 => "illegal data address",
        3 => "illegal data value",
        4 => "device failure",
        5 => "still at it",
        6 => "device busy",
        8 => "memory parity error",
        10 => "no path behind the bridge",
        11 => "no answer behind the bridge",
        _ => return format!("modbus exception {code}"),
    };
    format!("modbus exception {code}, {words}")
}
