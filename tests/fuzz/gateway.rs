//! What a gateway keeps on its disk, what its file says, and what devices answer.

use crate::engine::{Fuzz, outcome_of, then};
use plenum::telemetry::gateway::config::{EXAMPLE, load};
use plenum::telemetry::gateway::device::bacnet::answer::{Answer, read};
use plenum::telemetry::gateway::record::message;
use plenum::telemetry::gateway::spool::{Options, Spool};

const SMALL: Options = Options { segment_bytes: 400, limit_bytes: 100_000, record_bytes: 200 };

/// A segment as a spool writes it.
fn segment(records: &[&[u8]]) -> Vec<u8> {
    let folder = tempfile::tempdir().unwrap();
    let (mut spool, _) = Spool::open(folder.path(), Options::default()).unwrap();
    for record in records {
        spool.push(record, 2).unwrap();
    }
    spool.sync().unwrap();
    drop(spool);
    std::fs::read(folder.path().join(format!("{:020}.spool", 0))).unwrap()
}

/// Any bytes where a segment should be, between two that are whole: those get out again.
pub fn spool() {
    let whole = segment(&[b"\x03\x00a/b\"v\":1}", b"\x01\x00a\"v\":2}"]);
    let seeds = [whole.clone(), segment(&[b"x"]), segment(&[&[0; 150], &[255; 20], b""]), Vec::new()];
    Fuzz::new("spool").longest(2000).seeds(seeds).words(&["\0\0\0\0", "\u{1}\0\0\0", "a/b\"v\":"]).run(|input| {
        let folder = tempfile::tempdir().unwrap();
        let name = |first: u64| folder.path().join(format!("{first:020}.spool"));
        std::fs::write(name(0), &whole).unwrap();
        std::fs::write(name(100), input).unwrap();
        let (mut spool, problems) = Spool::open(folder.path(), SMALL).unwrap();
        let records = spool.read(0, usize::MAX, usize::MAX).unwrap();
        assert!(records.len() >= 2 && records[0].number == 0, "what is whole gets out");
        assert!(records.is_sorted_by_key(|r| r.number));
        for record in &records {
            let _ = message(&record.bytes, "gw", record.number);
        }
        let next = spool.next();
        assert_eq!(spool.push(b"new", 3).unwrap(), next);
        spool.sync().unwrap();
        assert_eq!(spool.read(next, 9, 999).unwrap().len(), 1, "what comes later gets out, too");
        spool.confirm(u64::MAX).unwrap();
        assert!(spool.is_empty());
        then(records.len().min(5) as u64, problems.len() as u64)
    });
}

/// A gateway's file.
pub fn gateway_file() {
    let words =
        ["[[devices]]", "[[devices.points]]", "register = ", "kind = \"modbus-tcp\"", "object = ", "65535", "f64"];
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("gateway.toml");
    Fuzz::new("gateway_file").longest(8000).seeds([EXAMPLE]).words(&words).run(|input| {
        std::fs::write(&file, input).unwrap();
        match load(&file) {
            Ok((config, problems)) => {
                assert!(config.points() > 0 && !config.id.is_empty());
                let topics = config.devices.iter().flat_map(|d| &d.points);
                assert!(topics.into_iter().all(|p| plenum::telemetry::topics::is_topic(&p.topic)));
                then(config.points() as u64, problems.len() as u64)
            }
            Err((problem, _)) => outcome_of([problem.message.as_str()]),
        }
    });
}

/// The frame of an answer.
pub fn bacnet() {
    let frame = |apdu: &[u8]| [&[0x81, 0x0A, 0, (6 + apdu.len()) as u8, 1, 0], apdu].concat();
    let seeds = [
        frame(&[0x30, 7, 12, 0x0C, 0, 0, 0, 3, 0x19, 85, 0x3E, 0x44, 0x41, 0xAC, 0, 0, 0x3F]),
        frame(&[
            0x30, 7, 14, 0x0C, 0, 0, 0, 3, 0x1E, 0x29, 85, 0x4E, 0x44, 0x41, 0xAC, 0, 0, 0x4F, 0x29, 111, 0x4E, 0x82,
            4, 0x40, 0x4F, 0x29, 9, 0x5E, 0x91, 1, 0x91, 31, 0x5F, 0x1F,
        ]),
        frame(&[0x50, 7, 12, 0x91, 1, 0x91, 31]),
        frame(&[0x60, 7, 9]),
        frame(&[0x71, 7, 4]),
    ];
    Fuzz::new("bacnet").longest(1500).seeds(seeds).words(&["\u{1e}", "\u{1f}", "\u{5}"]).run(|input| {
        match read(input, 7) {
            None => 0,
            Some(Answer::One(value)) => outcome_of([format!("{value:?}").split('(').next().unwrap_or_default()]),
            Some(Answer::Many(found)) => 100 + found.len().min(20) as u64,
            Some(Answer::Error(..)) => 2,
            Some(Answer::Reject(_)) => 3,
            Some(Answer::Abort(_)) => 4,
            Some(Answer::Garbled) => 5,
        }
    });
}
