//! What other programs and devices say of points and values: Sparkplug, ontologies, Modbus, receipts.

use crate::engine::{Fuzz, marked, outcome_of, then};
use plenum::Time;
use plenum::import::{Limits, ontology};
use plenum::telemetry::gateway::config::load;
use plenum::telemetry::gateway::device::modbus::{Area, Format, Register};
use plenum::telemetry::gateway::device::open;
use plenum::telemetry::receipts::{Ranges, Receipt};
use plenum::telemetry::sparkplug::{Host, Limits as Most, Said};
use prost::Message;
use srad_types::payload::{DataType, Metric, Payload, metric};
use std::io::{Read, Write};
use std::net::TcpListener;
use std::sync::{Arc, Mutex};

const KINDS: [&str; 8] = ["NBIRTH", "DBIRTH", "NDATA", "DDATA", "NDEATH", "DDEATH", "NCMD", "XDATA"];

fn metric(name: &str, alias: u64, value: metric::Value, kind: DataType) -> Metric {
    let name = (!name.is_empty()).then(|| name.to_owned());
    Metric { name, alias: Some(alias), datatype: Some(kind as u32), value: Some(value), ..Metric::default() }
}

fn payload(seq: u64, metrics: Vec<Metric>) -> Vec<u8> {
    Payload { timestamp: Some(1_778_479_200_000), seq: Some(seq), metrics, ..Payload::default() }.encode_to_vec()
}

/// A message in an input: its kind, its length, its payload.
fn record(kind: u8, payload: &[u8]) -> Vec<u8> {
    [&[kind][..], &(payload.len() as u16).to_le_bytes(), payload].concat()
}

fn double(value: f64) -> metric::Value {
    metric::Value::DoubleValue(value)
}

/// Messages of a node, one after the other; another node at the same host goes on as if nothing were.
pub fn sparkplug() {
    let birth = payload(
        0,
        vec![
            metric("bdSeq", 0, metric::Value::LongValue(3), DataType::UInt64),
            metric("P", 1, double(2.5), DataType::Double),
            metric("on", 2, metric::Value::BooleanValue(true), DataType::Boolean),
            metric("n", 3, metric::Value::IntValue(u32::MAX), DataType::Int32),
            metric("name", 4, metric::Value::StringValue("x".into()), DataType::String),
        ],
    );
    let device = payload(1, vec![metric("T", 7, metric::Value::FloatValue(21.5), DataType::Float)]);
    let data = payload(2, vec![metric("", 1, double(3.5), DataType::Double)]);
    let of_device = payload(3, vec![metric("", 7, metric::Value::FloatValue(22.0), DataType::Float)]);
    let gap = payload(9, vec![metric("", 99, double(f64::NAN), DataType::Double)]);
    let seeds = [
        [record(0, &birth), record(1, &device), record(2, &data), record(3, &of_device)].concat(),
        [record(0, &birth), record(2, &gap), record(4, &birth)].concat(),
        [record(0, &birth), record(1, &device), record(5, b""), record(2, &data), record(6, b"x")].concat(),
    ];
    let good = |host: &mut Host, kind: &str, payload: &[u8]| {
        let said = host.take(&format!("spBv1.0/site/{kind}/good"), payload, Time(1_778_479_200_000));
        said.iter().filter(|s| matches!(s, Said::Reading(r) if r.source == "site/good" && r.value.is_some())).count()
    };
    let good_birth = payload(0, vec![metric("G", 1, double(1.0), DataType::Double)]);
    let good_data = payload(1, vec![metric("", 1, double(2.0), DataType::Double)]);
    Fuzz::new("sparkplug").longest(4000).seeds(seeds).words(&["bdSeq", "P", "Node Control/Rebirth"]).run(|input| {
        let most = Most { nodes: 4, devices: 4, metrics: 40, payload_bytes: 3000 };
        let mut host = Host::new("plenum", most);
        assert_eq!(good(&mut host, "NBIRTH", &good_birth), 1);
        let (mut rest, mut outcome) = (input, 0);
        while let Some((head, behind)) = rest.split_first_chunk::<3>() {
            let length = usize::from(u16::from_le_bytes([head[1], head[2]])).min(behind.len());
            let (bytes, next) = behind.split_at(length);
            rest = next;
            let kind = KINDS[usize::from(head[0]) % KINDS.len()];
            let of_device = if kind.starts_with('D') { "/ahu" } else { "" };
            for said in host.take(&format!("spBv1.0/site/{kind}/plc{of_device}"), bytes, Time(1_778_479_201_000)) {
                outcome = match said {
                    Said::Reading(reading) => {
                        assert!(reading.value.is_none_or(f64::is_finite), "{reading:?}");
                        assert!(!reading.time.to_string().ends_with("ms"), "a time that no calendar holds");
                        then(outcome, u64::from(reading.value.is_some()))
                    }
                    Said::Stale { .. } => then(outcome, 2),
                    Said::Publish { topic, .. } => {
                        assert!(plenum::telemetry::topics::is_topic(&topic), "{topic}");
                        then(outcome, 3)
                    }
                    Said::Odd(_) => then(outcome, 4),
                };
            }
        }
        assert_eq!(good(&mut host, "NDATA", &good_data), 1, "a node is not hurt by another one");
        outcome
    });
}

const BRICK: &str = "@prefix brick: <https://brickschema.org/schema/Brick#> .\n@prefix : <urn:x#> .\n\
    :T a brick:Supply_Air_Temperature_Sensor ; brick:isPointOf :AHU-1 .\n:AHU-1 a brick:AHU .\n";

/// Brick and Haystack: the first byte says which. What is whole before it is read.
pub fn described() {
    let zinc = "ver:\"3.0\"\nid,dis,point,temp,equipRef\n@p1,\"T\",M,M,@ahu\n";
    let json = r#"{"_kind":"grid","rows":[{"id":{"_kind":"ref","val":"p1"},"point":{"_kind":"marker"},"dis":"T","equipRef":{"_kind":"ref","val":"a"}}]}"#;
    let seeds = [
        marked(
            b"t",
            ":S a brick:Zone_Air_Temperature_Sensor ; brick:isPointOf [ a brick:VAV ; :x \"y\"@en , 'z'^^:t ] .\n",
        ),
        marked(b"t", "# a remark\n:a :b :c , :d ; :e \"\"\"long\ntext\"\"\" , 21.5 , true .\n@base <urn:y#> .\n"),
        marked(b"z", "@p2,\"a \\\"b\\\" , c\",M,,@x \"name\"\n@p3,[1,2],{a:1},-INF,`uri`\n"),
        marked(b"j", json),
        marked(b"j", r#"{"rows":[{"id":"@p","point":"m:","his":"m:","tags":{"a":[1,{"b":null}]}}]}"#),
    ];
    let words =
        ["@prefix", " a ", ";", ",", ".", "[", "]", "\"\"\"", "^^", "<", ">", "M", "@p", "\\u0041", "_:b", "brick:"];
    let folder = tempfile::tempdir().unwrap();
    let limits = Limits::default();
    let read = |name: &str, text: &[u8]| {
        let file = folder.path().join(name);
        std::fs::write(&file, text).unwrap();
        ontology::read(&file, &limits)
    };
    Fuzz::new("described").longest(6000).seeds(seeds).words(&words).run(|input| {
        let (kind, bytes) = input.split_first().map_or((b't', input), |(k, rest)| (*k, rest));
        // What stands before it, and how many points that has.
        let (name, before) = match kind {
            b'z' => ("a.zinc", zinc),
            b'j' => ("a.json", ""),
            _ => ("a.ttl", BRICK),
        };
        match read(name, &[before.as_bytes(), bytes].concat()) {
            Ok((points, problems)) => {
                let has = |word: &str| points.iter().any(|p| p.names.iter().any(|n| n.contains(word)));
                assert!(kind == b'j' || has(if kind == b'z' { "p1" } else { "T" }), "{points:?}");
                assert!(problems.iter().all(|p| !p.remedy.is_empty() && p.place.contains(':')), "{problems:?}");
                then(points.len().min(9) as u64, problems.len().min(9) as u64)
            }
            Err(problem) => outcome_of([problem.remedy.as_str()]),
        }
    });
}

/// What a Modbus device answers: any bytes, behind the number of the question or not; then it answers as it should.
pub fn modbus() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let answer: Arc<Mutex<Vec<u8>>> = Arc::default();
    let given = Arc::clone(&answer);
    // It does not end before the tests do.
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let _ = stream.set_nodelay(true);
            let mut asked = [0; 12];
            while stream.read_exact(&mut asked).is_ok() {
                let said = given.lock().unwrap().clone();
                let (kind, bytes) = said.split_first().map_or((0, &[][..]), |(k, rest)| (*k, rest));
                let length = ((1 + bytes.len()).min(255) as u16).to_be_bytes();
                let good = [&asked[..4], &[0, 7, asked[6], 3, 4], &21.5_f32.to_be_bytes()].concat();
                let framed = [&asked[..4], &length, &asked[6..7], bytes].concat();
                let said = match kind {
                    b'g' => good,
                    b'f' => framed,
                    _ => bytes.to_vec(),
                };
                // What is wrong ends with the connection, so that nobody waits for more of it.
                if stream.write_all(&said).is_err() || kind != b'g' {
                    break;
                }
            }
        }
    });
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("gateway.toml");
    let text = format!(
        "id = \"f\"\n[broker]\nurl = \"mqtt://127.0.0.1:1883\"\n[[devices]]\nname = \"M\"\nkind = \"modbus-tcp\"\n\
         address = \"127.0.0.1:{port}\"\nunit_id = 1\npoll_s = 5\ntimeout_s = 0.3\nretries = 0\ntopic = \"t\"\n\
         [[devices.points]]\nname = \"x\"\nregister = 100\ntype = \"f32\"\nunit = \"Cel\"\n"
    );
    std::fs::write(&file, text).unwrap();
    let (config, _) = load(&file).unwrap_or_else(|(problem, _)| panic!("{problem}"));
    let mut device = open(&config.devices[0]).unwrap();
    let seeds = [
        marked(b"f", [3, 4, 0x41, 0xAC, 0, 0]),
        marked(b"f", [0x83, 2]),
        marked(b"f", [3, 2, 0, 1]),
        marked(b"f", [3, 200, 0, 0]),
        marked(b"r", [0, 1, 0, 0, 0, 7, 1, 3, 4, 0x41, 0xAC, 0, 0]),
        marked(b"r", [0xFF; 40]),
    ];
    Fuzz::new("modbus").longest(300).seeds(seeds).run(|input| {
        *answer.lock().unwrap() = input.to_vec();
        let outcome = match device.read(&[0], Time(0)) {
            Ok(readings) => {
                assert_eq!(readings.len(), 1, "each is answered for once");
                1 + u64::from(readings[0].quality.code())
            }
            Err(why) => {
                assert!(!why.is_empty());
                0
            }
        };
        // A device that has said nonsense is asked again, and believed.
        *answer.lock().unwrap() = b"g".to_vec();
        let again = (0..3).find_map(|_| device.read(&[0], Time(1)).ok()).expect("it answers");
        assert_eq!((again.len(), again[0].value), (1, 21.5));
        outcome
    });
}

/// Registers as numbers, in every format and order.
pub fn registers() {
    let formats = [
        Format::Bit(3),
        Format::U16,
        Format::I16,
        Format::U32,
        Format::I32,
        Format::F32,
        Format::U64,
        Format::I64,
        Format::F64,
    ];
    Fuzz::new("registers").longest(32).seeds([vec![0, 0, 0x41, 0xAC, 0, 0], vec![8, 3], vec![5; 10]]).run(|input| {
        let (how, bytes) = input.split_first().map_or((0, input), |(k, rest)| (usize::from(*k), rest));
        let words: Vec<u16> = bytes.chunks_exact(2).map(|b| u16::from_be_bytes([b[0], b[1]])).collect();
        let format = formats[how % formats.len()];
        let of = |little_words: bool, words: &[u16]| {
            let area = Area::Holding;
            let register = Register { area, address: 0, format, little_words, little_bytes: how & 64 != 0 };
            register.decode(words)
        };
        let length = match format {
            Format::Bit(_) | Format::U16 | Format::I16 => 1,
            Format::U32 | Format::I32 | Format::F32 => 2,
            Format::U64 | Format::I64 | Format::F64 => 4,
        };
        let number = of(false, &words);
        assert_eq!(number.is_some(), words.len() >= length);
        let mut turned: Vec<u16> = words.iter().take(length).copied().collect();
        turned.reverse();
        let same = of(true, &turned);
        assert_eq!(same.map(f64::to_bits), number.map(f64::to_bits), "the other order of the other order");
        match number {
            None => 0,
            Some(n) => 1 + u64::from(n.is_finite()) + 2 * u64::from(n == 0.0),
        }
    });
}

/// What a historian says that it has.
pub fn receipt() {
    let seeds = [
        r#"{"pub":"gw-1","ranges":[[0,1200],[1300,1420]]}"#,
        r#"{"ranges":[],"pub":""}"#,
        r#"{"pub":"x","ranges":[[5,2],[18446744073709551615,0],[1,2,3]]}"#,
    ];
    Fuzz::new("receipt").longest(4000).seeds(seeds).words(&["\"pub\":", "\"ranges\":", "[[", "]]", ","]).run(|input| {
        // What was known before stays known, whatever comes.
        let mut known: Ranges = [[10, 20], [30, 40]].into_iter().collect();
        let outcome = match Receipt::parse(input) {
            Ok(receipt) => {
                known.extend(&receipt.ranges);
                let ranges: Vec<_> = receipt.ranges.iter().collect();
                assert!(ranges.iter().all(|[from, to]| from < to), "{ranges:?}");
                assert!(ranges.is_sorted_by(|a, b| a[1] < b[0]), "merged and ascending: {ranges:?}");
                for payload in Receipt::payloads(&receipt.publisher, &receipt.ranges) {
                    let again = Receipt::parse(&payload).unwrap();
                    assert_eq!(again.publisher, receipt.publisher);
                    assert!(again.ranges.iter().all(|[from, to]| receipt.ranges.holds(from, to)));
                }
                1 + ranges.len().min(9) as u64
            }
            Err(why) => outcome_of([why.split(' ').next().unwrap_or_default()]),
        };
        assert!(known.holds(10, 20) && known.holds(30, 40));
        outcome
    });
}
