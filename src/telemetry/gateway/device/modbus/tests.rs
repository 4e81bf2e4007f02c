use super::*;
use crate::telemetry::gateway::aggregate::Rule;
use std::collections::HashMap;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

fn register(area: Area, address: u16, format: Format) -> Register {
    Register { area, address, format, little_words: false, little_bytes: false }
}

#[test]
fn words_become_numbers_in_every_order() {
    let of = |format, words: &[u16]| register(Area::Holding, 0, format).decode(words).unwrap();
    assert_eq!(of(Format::U16, &[0xFFFE]), 65_534.0);
    assert_eq!(of(Format::I16, &[0xFFFE]), -2.0);
    assert_eq!(of(Format::U32, &[1, 2]), 65_538.0);
    assert_eq!(of(Format::I32, &[0xFFFF, 0xFFFF]), -1.0);
    assert_eq!(of(Format::U64, &[0, 0, 1, 0]), 65_536.0);
    assert_eq!(of(Format::I64, &[0xFFFF, 0xFFFF, 0xFFFF, 0xFFFE]), -2.0);
    // 21.5 is 41AC0000.
    assert_eq!(of(Format::F32, &[0x41AC, 0]), 21.5);
    assert_eq!(of(Format::F64, &[0x4035, 0x8000, 0, 0]), 21.5);
    assert_eq!([of(Format::Bit(3), &[8]), of(Format::Bit(4), &[8])], [1.0, 0.0]);
    let little = Register { little_words: true, ..register(Area::Holding, 0, Format::F32) };
    assert_eq!(little.decode(&[0, 0x41AC]), Some(21.5));
    let swapped = Register { little_bytes: true, ..register(Area::Holding, 0, Format::F32) };
    assert_eq!(swapped.decode(&[0xAC41, 0]), Some(21.5));
    assert_eq!(register(Area::Holding, 0, Format::F32).decode(&[1]), None);
}

#[test]
fn near_registers_are_read_together() {
    let of = |addresses: &[u16]| -> Vec<(usize, Register)> {
        addresses.iter().map(|a| register(Area::Holding, *a, Format::U16)).enumerate().collect()
    };
    let spans = |blocks: &[Block]| blocks.iter().map(|b| (b.from, b.count)).collect::<Vec<_>>();
    let none = HashSet::new();
    assert_eq!(spans(&plan(&of(&[5, 1, 2, 30]), 100, 8, &none)), [(1, 5), (30, 1)]);
    assert_eq!(spans(&plan(&of(&[1, 2, 3]), 2, 8, &none)), [(1, 2), (3, 1)]);
    assert_eq!(spans(&plan(&of(&[1, 1]), 100, 0, &none)), [(1, 1)]);
    assert_eq!(spans(&plan(&of(&[1, 2, 3]), 100, 8, &HashSet::from([1]))), [(1, 1), (2, 1), (3, 1)]);
    let mixed = [(0, register(Area::Coil, 1, Format::Bit(0))), (1, register(Area::Input, 1, Format::F64))];
    assert_eq!(spans(&plan(&mixed, 100, 8, &none)), [(1, 4), (1, 1)]);
    assert_eq!(spans(&plan(&of(&[65_535, 65_534]), 100, 8, &none)), [(65_534, 2)]);
}

/// A device: function and address to its word; what is not there is an illegal address.
type Words = Arc<Mutex<HashMap<(u8, u16), u16>>>;

/// Answers by the specification's own words, on a thread of its own; the first byte of the answer can be spoilt.
fn serve(words: Words, spoilt: Arc<Mutex<Option<Vec<u8>>>>) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let at = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let (words, spoilt) = (Arc::clone(&words), Arc::clone(&spoilt));
            std::thread::spawn(move || drop(client(stream, &words, &spoilt)));
        }
    });
    at
}

fn client(mut stream: TcpStream, words: &Words, spoilt: &Mutex<Option<Vec<u8>>>) -> io::Result<()> {
    loop {
        let mut head = [0; 12];
        stream.read_exact(&mut head)?;
        let (function, from, count) =
            (head[7], u16::from_be_bytes([head[8], head[9]]), u16::from_be_bytes([head[10], head[11]]));
        if let Some(bytes) = &*spoilt.lock().unwrap() {
            stream.write_all(bytes)?;
            continue;
        }
        let map = words.lock().unwrap();
        let found: Option<Vec<u16>> = (from..from + count).map(|a| map.get(&(function, a)).copied()).collect();
        let body = match found {
            None if map.contains_key(&(99, 0)) => vec![function | 0x80, 4],
            None => vec![function | 0x80, 2],
            Some(found) if function <= 2 => {
                let mut bytes = vec![0; usize::from(count).div_ceil(8)];
                found.iter().enumerate().for_each(|(i, w)| bytes[i / 8] |= (*w as u8 & 1) << (i % 8));
                [vec![function, bytes.len() as u8], bytes].concat()
            }
            Some(found) => {
                let bytes: Vec<u8> = found.iter().flat_map(|w| w.to_be_bytes()).collect();
                [vec![function, bytes.len() as u8], bytes].concat()
            }
        };
        let mut answer = head[..4].to_vec();
        answer.extend((body.len() as u16 + 1).to_be_bytes());
        answer.push(head[6]);
        answer.extend(body);
        stream.write_all(&answer)?;
    }
}

fn device(at: SocketAddr, registers: &[Register]) -> Modbus {
    let point = |(i, r): (usize, &Register)| config::Point {
        name: i.to_string(),
        unit: crate::site::unit::Unit::ONE,
        source: Source::Modbus(*r),
        scale: 1.0,
        offset: 0.0,
        rule: Rule::Every,
        poll_s: 1.0,
        topic: i.to_string(),
        key: String::new(),
    };
    let kind = Kind::Modbus { host: at.ip().to_string(), port: at.port(), unit: 1, rtu: false, most: 100, gap: 8 };
    let points = registers.iter().enumerate().map(point).collect();
    Modbus::new(&config::Device { name: "D".into(), kind, timeout_s: 0.5, retries: 0, points }).unwrap()
}

#[test]
fn a_device_is_read_and_says_what_is_wrong() {
    let words: Words = Arc::default();
    words.lock().unwrap().extend([((3, 10), 7), ((3, 11), 0x41AC), ((3, 12), 0), ((1, 5), 1), ((1, 6), 0)]);
    let spoilt = Arc::default();
    let at = serve(Arc::clone(&words), Arc::clone(&spoilt));
    let mut d = device(
        at,
        &[
            register(Area::Holding, 10, Format::U16),
            register(Area::Holding, 11, Format::F32),
            register(Area::Coil, 5, Format::Bit(0)),
            register(Area::Coil, 6, Format::Bit(0)),
            register(Area::Holding, 14, Format::U16),
            register(Area::Holding, 20, Format::F32),
        ],
    );
    let read = |d: &mut Modbus, points: &[usize]| -> HashMap<usize, Reading> {
        d.read(points, Time(0)).unwrap().into_iter().map(|r| (r.point, r)).collect()
    };
    // 13 is not there, nor is 14: the block is refused, and each of its points answers for itself.
    let all = read(&mut d, &[0, 1, 2, 3, 4]);
    assert_eq!([all[&0].value, all[&1].value, all[&2].value, all[&3].value], [7.0, 21.5, 1.0, 0.0]);
    assert_eq!(all[&4].quality, Quality::BadNotConnected);
    assert_eq!(all[&4].code.as_deref(), Some("modbus exception 2, illegal data address"));
    assert_eq!(d.alone, HashSet::from([4]));
    words.lock().unwrap().extend([((3, 20), 0x7FC0), ((3, 21), 0)]);
    let not_a_number = read(&mut d, &[5]).remove(&5).unwrap();
    assert_eq!((not_a_number.quality, not_a_number.value.is_nan()), (Quality::BadSensor, true));
    words.lock().unwrap().insert((99, 0), 0);
    let failed = read(&mut d, &[4]).remove(&4).unwrap();
    assert_eq!(
        (failed.quality, failed.code.as_deref()),
        (Quality::BadSensor, Some("modbus exception 4, device failure"))
    );
    // Garbage is no answer, and the next connection is a new one.
    for bytes in [&b"HTTP/1.1 400 Bad Request\r\n\r\n"[..], &[0; 20], &[0, 1, 0, 0, 0, 5, 1, 3, 200, 0, 1], &[]] {
        *spoilt.lock().unwrap() = Some(bytes.to_vec());
        assert!(d.read(&[0], Time(0)).is_err(), "{bytes:?}");
    }
    *spoilt.lock().unwrap() = None;
    assert_eq!(read(&mut d, &[0])[&0].value, 7.0);
}

#[test]
fn a_device_that_is_not_there_is_told_in_time() {
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let mut d = device(free, &[register(Area::Holding, 0, Format::U16)]);
    assert!(d.read(&[0], Time(0)).unwrap_err().contains(&free.port().to_string()));
    // It listens, and says nothing.
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let mut d = device(silent.local_addr().unwrap(), &[register(Area::Holding, 0, Format::U16)]);
    assert!(d.read(&[0], Time(0)).unwrap_err().contains("no answer within 0.5 s"));
}
