//! What the MQTT tests share: points, bounded waits, and a broker that misbehaves on demand.
#![allow(dead_code)]

pub mod mosquitto;

use crate::common::LONG;
use crossbeam_channel::Receiver;
use plenum::site::Slot;
use plenum::site::point::{Point, PointSource};
use plenum::site::project::{Broker, BrokerUrl};
use plenum::site::unit::Unit;
use plenum::telemetry::{Arrival, Sample};
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::time::Instant;

/// A point on a topic, with no expected range.
pub fn point(topic: &str, key: &str) -> Point {
    Point {
        id: format!("{topic}/{key}"),
        asset: Slot(0),
        role: key.into(),
        name: key.into(),
        unit: Unit::ONE,
        expected: None,
        period_s: 1.0,
        stale_after_s: 60.0,
        check: None,
        source: PointSource::Topic { topic: topic.into(), key: key.into() },
        remedy: String::new(),
        watch: Default::default(),
    }
}

/// A broker at an address on this machine, without TLS.
pub fn broker_at(address: SocketAddr) -> Broker {
    let url = BrokerUrl::Remote { host: address.ip().to_string(), port: address.port(), tls: false };
    Broker { url, keep_alive_s: 1, subscribe: vec!["t/#".into()], ..Broker::default() }
}

/// The next `count` samples.
pub fn samples(arrivals: &Receiver<Arrival>, count: usize) -> Vec<Sample> {
    let deadline = Instant::now() + LONG;
    let mut got = Vec::with_capacity(count);
    while got.len() < count {
        match arrivals.recv_deadline(deadline) {
            Ok(Arrival::Sample(sample)) => got.push(sample),
            Ok(Arrival::Clock(_)) => {}
            Err(e) => panic!("{} of {count} samples, then {e}", got.len()),
        }
    }
    got
}

/// Listens on a free port and runs `serve` for each connection, one after the other, on its own thread.
pub fn bad_broker(serve: impl Fn(usize, TcpStream) + Send + 'static) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for (i, stream) in listener.incoming().flatten().enumerate() {
            serve(i, stream);
        }
    });
    address
}

/// Reads one MQTT packet: its first byte and its body.
pub fn read_packet(stream: &mut TcpStream) -> std::io::Result<(u8, Vec<u8>)> {
    let mut byte = [0];
    stream.read_exact(&mut byte)?;
    let first = byte[0];
    let (mut length, mut shift) = (0_usize, 0);
    loop {
        stream.read_exact(&mut byte)?;
        length |= usize::from(byte[0] & 0x7F) << shift;
        shift += 7;
        if byte[0] & 0x80 == 0 {
            break;
        }
    }
    let mut body = vec![0; length];
    stream.read_exact(&mut body)?;
    Ok((first, body))
}

/// Takes a client's CONNECT and SUBSCRIBE, and lets it in with `code`.
pub fn let_in(stream: &mut TcpStream, code: u8) -> std::io::Result<()> {
    read_packet(stream)?;
    stream.write_all(&[0x20, 2, 0, code])?;
    let (first, body) = read_packet(stream)?;
    assert_eq!(first & 0xF0, 0x80, "SUBSCRIBE");
    stream.write_all(&[0x90, 3, body[0], body[1], 0])
}

/// An MQTT PUBLISH packet at QoS 0.
pub fn publish_packet(topic: &str, payload: &[u8]) -> Vec<u8> {
    let mut packet = vec![0x30];
    let mut length = 2 + topic.len() + payload.len();
    loop {
        let low = (length & 0x7F) as u8;
        length >>= 7;
        packet.push(if length > 0 { low | 0x80 } else { low });
        if length == 0 {
            break;
        }
    }
    packet.extend_from_slice(&(topic.len() as u16).to_be_bytes());
    packet.extend_from_slice(topic.as_bytes());
    packet.extend_from_slice(payload);
    packet
}
