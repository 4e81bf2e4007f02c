//! BACnet/IP: properties of objects, many at a time.
//!
//! Requests (ReadPropertyMultiple, and ReadProperty for devices that do not know it) are encoded by `bacnet-rs`. Answers
//! are read in [`answer`]: the crate's own decoder counts on lengths that only a well-behaved device sends, and its client
//! does not tell a property's error from none. Only answers of one frame are asked for: where a device has more to say
//! it refuses, and is asked for less from then on.

pub mod answer;
#[cfg(test)]
mod tests;

use super::{Device, Reading, sources};
use crate::quality::Quality;
use crate::telemetry::gateway::config::{self, Kind, Source};
use crate::time::Time;
use answer::{Answer, Found, Value};
use bacnet_rs::app::{Apdu, MaxApduSize, MaxSegments};
use bacnet_rs::network::{NetworkAddress, Npdu};
use bacnet_rs::object::{ObjectIdentifier, ObjectType, PropertyIdentifier};
use bacnet_rs::service::{
    ConfirmedServiceChoice, PropertyReference, ReadAccessSpecification, ReadPropertyMultipleRequest,
    ReadPropertyRequest,
};
use std::collections::HashMap;
use std::io;
use std::net::{SocketAddr, ToSocketAddrs, UdpSocket};
use std::time::{Duration, Instant};

/// The property that is read where none is named.
pub const PRESENT_VALUE: u32 = 85;
/// In alarm, fault, overridden, out of service.
const STATUS_FLAGS: u32 = 111;

/// What is read of a device.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Object {
    /// Its type's number: 0 for analog inputs.
    pub kind: u32,
    /// Its instance.
    pub instance: u32,
    /// Which property of it.
    pub property: u32,
}

/// Object types with values that are read every day (ASHRAE 135, `BACnetObjectType`).
const TYPES: [(&str, u32); 15] = [
    ("analog-input", 0),
    ("analog-output", 1),
    ("analog-value", 2),
    ("binary-input", 3),
    ("binary-output", 4),
    ("binary-value", 5),
    ("device", 8),
    ("loop", 12),
    ("multi-state-input", 13),
    ("multi-state-output", 14),
    ("multi-state-value", 19),
    ("accumulator", 23),
    ("integer-value", 45),
    ("large-analog-value", 46),
    ("positive-integer-value", 48),
];

/// The number of an object type, by its name or as it stands.
pub fn object_type(word: &str) -> Option<u32> {
    let named = TYPES.iter().find(|(name, _)| *name == word).map(|(_, number)| *number);
    // Ten bits.
    named.or_else(|| word.parse().ok().filter(|n| *n < 1024))
}

/// A BACnet device.
pub struct Bacnet {
    host: String,
    port: u16,
    route: Option<(u16, Vec<u8>)>,
    timeout: Duration,
    objects: Vec<Option<Object>>,
    /// Objects asked for at once; less once the device has said that this is too much.
    most: usize,
    /// It knows ReadProperty only.
    single: bool,
    invoke: u8,
    socket: Option<(UdpSocket, SocketAddr)>,
}

impl Bacnet {
    /// As the gateway's file states it.
    pub fn new(device: &config::Device) -> Self {
        let (host, port, route, most) = match &device.kind {
            Kind::Bacnet { host, port, route, most } => (host.clone(), *port, route.clone(), usize::from(*most)),
            _ => (String::new(), 0, None, 1),
        };
        Self {
            host,
            port,
            route,
            timeout: Duration::from_secs_f64(device.timeout_s),
            objects: sources(device, |s| if let Source::Bacnet(object) = s { Some(*object) } else { None }),
            most: most.max(1),
            single: false,
            invoke: 0,
            socket: None,
        }
    }

    fn open(&mut self) -> Result<&(UdpSocket, SocketAddr), String> {
        if self.socket.is_none() {
            let place = format!("{}:{}", self.host, self.port);
            let said = |e: io::Error| format!("{place}: {e}");
            let found = (self.host.as_str(), self.port).to_socket_addrs().map_err(said)?.next();
            let to = found.ok_or_else(|| format!("{place} has no address"))?;
            let any: SocketAddr = if to.is_ipv4() {
                (std::net::Ipv4Addr::UNSPECIFIED, 0).into()
            } else {
                (std::net::Ipv6Addr::UNSPECIFIED, 0).into()
            };
            let socket = UdpSocket::bind(any).map_err(said)?;
            // Answers of others never reach us, and a port that nobody listens on is told at once.
            socket.connect(to).map_err(said)?;
            self.socket = Some((socket, to));
        }
        self.socket.as_ref().ok_or_else(|| "no socket".into())
    }

    /// Asks, and waits for the answer to this very question.
    fn ask(&mut self, service: ConfirmedServiceChoice, data: Vec<u8>) -> Result<Answer, String> {
        self.invoke = self.invoke.wrapping_add(1);
        let invoke = self.invoke;
        let frame = frame(&self.route, invoke, service, data);
        let timeout = self.timeout;
        let (socket, to) = self.open()?;
        let place = to.to_string();
        let asked = exchange(socket, &frame, invoke, timeout);
        asked.map_err(|e| {
            // The next attempt looks the name up again.
            self.socket = None;
            match e.kind() {
                io::ErrorKind::TimedOut => format!("{place}: no answer within {} s", timeout.as_secs_f64()),
                _ => format!("{place}: {e}"),
            }
        })
    }

    /// Asks for several objects; none where the device wants to be asked otherwise.
    fn several(&mut self, points: &[(usize, Object)]) -> Result<Option<Vec<Reading>>, String> {
        let specification = |object: &Object| {
            let properties =
                properties(object).into_iter().map(|p| PropertyReference::new(PropertyIdentifier::from(p)));
            ReadAccessSpecification::new(identifier(object), properties.collect())
        };
        let request = ReadPropertyMultipleRequest::new(points.iter().map(|(_, o)| specification(o)).collect());
        let mut data = Vec::new();
        request.encode(&mut data).map_err(|e| format!("a question that cannot be written: {e}"))?;
        match self.ask(ConfirmedServiceChoice::ReadPropertyMultiple, data)? {
            Answer::Many(found) => {
                let found: HashMap<(u32, u32, u32), Found> =
                    found.into_iter().map(|f| ((f.kind, f.instance, f.property), f.found)).collect();
                Ok(Some(points.iter().map(|(point, object)| reading(*point, object, &found)).collect()))
            }
            Answer::Abort(_) | Answer::Error(..) if points.len() > 1 => {
                self.most = points.len().div_ceil(2);
                Ok(None)
            }
            // Unrecognized service; services: optional functionality not supported; or what it aborts for one object.
            Answer::Reject(_) | Answer::Abort(_) | Answer::Error(..) => {
                self.single = true;
                Ok(None)
            }
            Answer::One(_) | Answer::Garbled => {
                Err(format!("{}:{}: an answer that cannot be read", self.host, self.port))
            }
        }
    }

    /// Asks for one property.
    fn one(&mut self, object: &Object, property: u32) -> Result<Found, String> {
        let request = ReadPropertyRequest::new(identifier(object), PropertyIdentifier::from(property));
        let mut data = Vec::new();
        request.encode(&mut data).map_err(|e| format!("a question that cannot be written: {e}"))?;
        Ok(match self.ask(ConfirmedServiceChoice::ReadProperty, data)? {
            Answer::One(value) => Found::Value(value),
            Answer::Error(class, code) => Found::Error(class, code),
            Answer::Reject(reason) => Found::Said(format!("bacnet reject {reason}")),
            Answer::Abort(reason) => Found::Said(format!("bacnet abort {reason}")),
            Answer::Many(_) | Answer::Garbled => {
                return Err(format!("{}:{}: an answer that cannot be read", self.host, self.port));
            }
        })
    }

    fn singly(&mut self, point: usize, object: &Object) -> Result<Reading, String> {
        let mut found = HashMap::new();
        for property in properties(object) {
            found.insert((object.kind, object.instance, property), self.one(object, property)?);
        }
        Ok(reading(point, object, &found))
    }
}

impl Device for Bacnet {
    fn read(&mut self, points: &[usize], _now: Time) -> Result<Vec<Reading>, String> {
        let of = |i: &usize| Some((*i, self.objects.get(*i).copied().flatten()?));
        let wanted: Vec<(usize, Object)> = points.iter().filter_map(of).collect();
        let mut out = Vec::with_capacity(wanted.len());
        let mut rest = wanted.as_slice();
        while let Some((first, behind)) = rest.split_first() {
            if self.single {
                out.push(self.singly(first.0, &first.1)?);
                rest = behind;
                continue;
            }
            let (now, later) = rest.split_at(self.most.clamp(1, rest.len()));
            if let Some(readings) = self.several(now)? {
                out.extend(readings);
                rest = later;
            }
        }
        Ok(out)
    }
}

/// What is asked of an object: with its present value, what it says of it.
fn properties(object: &Object) -> Vec<u32> {
    // A device has no status flags.
    if object.property == PRESENT_VALUE && object.kind != 8 {
        vec![PRESENT_VALUE, STATUS_FLAGS]
    } else {
        vec![object.property]
    }
}

fn identifier(object: &Object) -> ObjectIdentifier {
    ObjectIdentifier::new(ObjectType::from(object.kind), object.instance)
}

/// A confirmed request in its frame (ASHRAE 135, J.2 and 6.2).
fn frame(route: &Option<(u16, Vec<u8>)>, invoke_id: u8, service: ConfirmedServiceChoice, data: Vec<u8>) -> Vec<u8> {
    let mut npdu = Npdu::new();
    npdu.control.expecting_reply = true;
    npdu.control.priority = 0;
    if let Some((network, mac)) = route {
        npdu.set_destination(NetworkAddress::new(*network, mac.clone()));
        npdu.hop_count = Some(255);
    }
    let apdu = Apdu::ConfirmedRequest {
        segmented: false,
        more_follows: false,
        segmented_response_accepted: false,
        max_segments: MaxSegments::Unspecified,
        max_response_size: MaxApduSize::Up1476,
        invoke_id,
        sequence_number: None,
        proposed_window_size: None,
        service_choice: service,
        service_data: data,
    };
    let (npdu, apdu) = (npdu.encode(), apdu.encode());
    let length = (4 + npdu.len() + apdu.len()) as u16;
    // BACnet/IP, to one device.
    let mut frame = vec![0x81, 0x0A];
    frame.extend(length.to_be_bytes());
    frame.extend(npdu);
    frame.extend(apdu);
    frame
}

/// Sends a frame and waits for the answer to it; what else comes is no answer.
fn exchange(socket: &UdpSocket, frame: &[u8], invoke: u8, timeout: Duration) -> io::Result<Answer> {
    let until = Instant::now() + timeout;
    socket.send(frame)?;
    let mut buffer = [0; 2048];
    loop {
        let left = until.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(io::ErrorKind::TimedOut.into());
        }
        socket.set_read_timeout(Some(left))?;
        match socket.recv(&mut buffer) {
            Ok(length) => {
                if let Some(answer) = answer::read(buffer.get(..length).unwrap_or_default(), invoke) {
                    return Ok(answer);
                }
            }
            Err(e) if matches!(e.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut) => {
                return Err(io::ErrorKind::TimedOut.into());
            }
            Err(e) => return Err(e),
        }
    }
}

/// What was found of a point.
fn reading(point: usize, object: &Object, found: &HashMap<(u32, u32, u32), Found>) -> Reading {
    let of = |property: u32| found.get(&(object.kind, object.instance, property));
    let value = match of(object.property) {
        None => return Reading::bad(point, Quality::BadNotConnected, "the device says nothing of it"),
        Some(Found::Said(said)) => return Reading::bad(point, Quality::BadSensor, said.clone()),
        Some(Found::Error(class, code)) => {
            // Unknown object, unknown property: there is no such thing. Anything else is wrong with it.
            let quality = if matches!(code, 31 | 32) { Quality::BadNotConnected } else { Quality::BadSensor };
            let words = match code {
                27 => ", read access denied",
                31 => ", unknown object",
                32 => ", unknown property",
                _ => "",
            };
            return Reading::bad(point, quality, format!("bacnet error class {class} code {code}{words}"));
        }
        Some(Found::Value(value)) => value,
    };
    let number = match value {
        Value::Number(number) if number.is_finite() => *number,
        Value::Number(_) | Value::Other | Value::Flags(_) => {
            return Reading::bad(point, Quality::BadSensor, "the value is no number");
        }
    };
    let mut reading = Reading::good(point, number);
    if let Some(Found::Value(Value::Flags(flags))) = of(STATUS_FLAGS).filter(|_| object.property == PRESENT_VALUE) {
        let is = |flag: usize| flags.get(flag).copied().unwrap_or(false);
        let (quality, word) = match (is(1), is(3), is(2)) {
            (true, _, _) => (Quality::BadSensor, "bacnet fault"),
            // Its value is no longer what is measured.
            (_, true, _) => (Quality::UncertainLastKnown, "bacnet out of service"),
            (_, _, true) => (Quality::Manual, "bacnet overridden"),
            _ => return reading,
        };
        (reading.quality, reading.code) = (quality, Some(word.to_owned()));
    }
    reading
}
