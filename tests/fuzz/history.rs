//! Samples at rest and the tables that they come in.

use crate::engine::{Fuzz, marked, outcome_of, then};
use plenum::Time;
use plenum::history::segment::{self, Scale, buckets};
use plenum::history::table::{self, Known, Options, Stop, parse_zone};
use plenum::history::{Bucket, Level, Stored};
use plenum::quality::Quality;

fn samples(form: usize) -> Vec<Stored> {
    let one = |i: i64| {
        let value = match form {
            0 => 21.5 + (i % 7) as f64 / 100.0,
            1 => f64::from(u8::from(i % 40 < 20)),
            2 => (i as f64).sqrt() * 1e-9,
            _ => [f64::NAN, -0.0, f64::INFINITY, 1e300][i as usize % 4],
        };
        let time = i * 10_000 + i * i % 13;
        let quality = if form == 3 { Quality::ALL[i as usize % 11] } else { Quality::Good };
        Stored { time: Time(time), arrival: Time(time + i % 5), value, quality, code: form as u32 / 3 * 516 }
    };
    (0..60).map(one).collect()
}

/// Packed samples and sums: as they are, and behind a check sum that fits.
pub fn segment() {
    let packed = (0..4).map(|form| marked(b"s", segment::pack(&samples(form), Scale::default())));
    let sums: Vec<Bucket> = (0..30)
        .map(|i| Bucket {
            n: 6,
            bad: i % 3,
            min: 1.0,
            max: 2.5,
            sum: 9.25,
            last: 2.0,
            ..Bucket::empty(Time(60_000 * i as i64))
        })
        .collect();
    let packed = packed.chain([marked(b"b", buckets::pack(&sums, Level::Minute.length_ms(), Scale::default()))]);
    Fuzz::new("segment").longest(4000).seeds(packed.collect::<Vec<_>>()).run(|input| {
        let (kind, bytes) = input.split_first().map_or((b's', input), |(k, rest)| (*k, rest));
        let mut outcome = 0;
        for forged in [false, true] {
            let mut bytes = bytes.to_vec();
            if forged && bytes.len() > 4 {
                bytes.truncate(bytes.len() - 4);
                let sum = crc32fast::hash(&bytes);
                bytes.extend_from_slice(&sum.to_le_bytes());
            }
            let read = if kind == b'b' {
                buckets::unpack(&bytes, Level::Minute.length_ms()).map(|b| b.len())
            } else {
                segment::unpack(&bytes).map(|s| s.len())
            };
            outcome = then(
                outcome,
                match read {
                    Ok(count) => count.min(100) as u64,
                    Err(damage) => outcome_of([damage.to_string().as_str()]),
                },
            );
        }
        outcome
    });
}

/// CSV with samples.
pub fn samples_csv() {
    let seeds = [
        "time,point,value,unit,quality,code,arrival\n2026-05-11T06:00:00Z,a,21.5,Cel,good,0,\n1778479200,m,1,kW.h,,,\n",
        "time;a [K];m [MW.h]\n2026-05-11 06:00;21,5;0,5\n2026-05-11T06:00:00+02:00;;1e3\n",
        "\u{feff}ts\ta\tm\n1\ton\t\"1\"\n\n2\tfalse\t-0\n",
        "time,a\n\"2026-05-11T06:00:00Z\nx\",1\n",
    ];
    let words =
        ["time", "point", "value", "unit", "quality", ",", ";", "\n", "\"", "Z", "+02:00", "1e999", "NaN", " [Cel]"];
    let options = Options { name: "f".into(), zone: parse_zone("+01:00"), arrival: Time(7) };
    Fuzz::new("samples_csv").longest(6000).seeds(seeds).words(&words).run(|input| {
        let known = |id: &str, _: &str| match id {
            "a" => Known::Point(0, "Cel".into()),
            "m" => Known::Point(1, "kW.h".into()),
            _ => Known::Not("none".into(), "name one".into()),
        };
        let mut taken = 0;
        let read = table::read(input, &options, known, |batch| {
            taken += batch.len() as u64;
            for (point, sample) in batch {
                assert!(*point < 2 && !sample.value.is_nan(), "{sample:?}");
                assert!(!sample.time.to_string().ends_with("ms"), "a time that no calendar holds");
            }
            Ok(true)
        });
        match read {
            Ok(read) => {
                assert_eq!(read.samples, taken);
                assert!(
                    read.problems.iter().all(|p| !p.remedy.is_empty()) && read.faults >= read.problems.len() as u64
                );
                then(taken.min(9), read.faults.min(9))
            }
            Err(Stop::Table(problem)) => outcome_of([problem.remedy.as_str()]),
            Err(other) => panic!("{other:?}"),
        }
    });
}
