use super::*;
use proptest::prelude::*;

fn options() -> Options {
    Options { name: "a.csv".into(), zone: None, arrival: Time(7) }
}

/// Of two points: `a` in °C, `m` in kW.h.
fn known(id: &str, _: &str) -> Known {
    match id {
        "a" => Known::Point(0, "Cel".into()),
        "m" => Known::Point(1, "kW.h".into()),
        _ => Known::Not(format!("there is no point `{id}`"), "name one".into()),
    }
}

fn all(text: &str, options: &Options) -> (Taken, Vec<(u32, Stored)>) {
    let mut samples = Vec::new();
    let read = read(text.as_bytes(), options, known, |batch| {
        samples.extend_from_slice(batch);
        Ok(true)
    });
    (read.unwrap(), samples)
}

fn values(samples: &[(u32, Stored)]) -> Vec<(u32, i64, f64)> {
    samples.iter().map(|(p, s)| (*p, s.time.0, s.value)).collect()
}

#[test]
fn long_form() {
    let text = "\u{feff}Time,Point,Value,Unit,Quality,code\n\
        1970-01-01T00:00:01Z,a,21.5,,,\n\
        2,m,1,,manual,\n\
        3,m,1,kW,,\n\
        4,m,7.2e6,J,BadSensor,516\n\
        5,nobody,1,,,\n6,nobody,1,,,\n\
        7,a,warm,,,\n8,a,70,[degF],,\n9,a,1,furlong,,\n10,a,1,,superb,\n\n11,,1,,,\nsoon,a,1,,,\n12,a,1,,,-4\n";
    let (read, samples) = all(text, &options());
    let wanted = [(0, 1000, 21.5), (1, 2000, 3.6e6), (1, 4000, 7.2e6), (0, 8000, (70.0 + 459.67) * 5.0 / 9.0 - 273.15)];
    for (got, wanted) in values(&samples).iter().zip(&wanted) {
        assert!(got.0 == wanted.0 && got.1 == wanted.1 && (got.2 - wanted.2).abs() < 1e-9, "{got:?} {wanted:?}");
    }
    assert_eq!((samples.len(), read.samples, read.lines), (4, 4, 13));
    let qualities: Vec<_> = samples.iter().map(|(_, s)| (s.quality, s.code)).collect();
    assert_eq!(qualities[..3], [(Quality::GoodBackfill, 0), (Quality::Manual, 0), (Quality::BadSensor, 516)]);
    assert!(samples.iter().all(|(_, s)| s.arrival == Time(7)));
    let places: Vec<&str> = read.problems.iter().map(|p| p.place.as_str()).collect();
    // Of a point that is not known, the first line only.
    assert_eq!(places, [4, 6, 8, 10, 11, 13, 14, 15].map(|n| format!("a.csv:{n}")));
    assert!(read.problems.iter().all(|p| !p.remedy.is_empty()));
    assert_eq!(read.span, Some([Time(1000), Time(8000)]));
    assert_eq!(read.points.iter().collect::<Vec<_>>(), ["a", "m"]);
}

#[test]
fn wide_form_with_units_in_its_head_and_decimal_commas() {
    let (read, samples) = all("time;a [K];m [MW.h];x;a\n1;21,5;0,5;9;9\n2;;1;;\n", &options());
    assert_eq!(values(&samples), [(1, 1000, 1.8e9), (1, 2000, 3.6e9)]);
    // K is a difference, not a temperature; x is nobody; a is there twice.
    assert_eq!(read.faults, 3, "{:?}", read.problems);
    let (_, samples) = all("timestamp\ta\tm\n1\t21.5\ton\n", &options());
    assert_eq!(values(&samples), [(0, 1000, 21.5), (1, 1000, 3.6e6)]);
    let zoned = Options { zone: parse_zone("+01:00"), ..options() };
    let (_, samples) = all("time,a\n1970-01-01 01:00:01,5\n", &zoned);
    assert_eq!(values(&samples), [(0, 1000, 5.0)]);
}

#[test]
fn tables_that_are_none_are_refused_with_what_to_do() {
    for (text, words) in [("", "empty"), ("a,b\n1,2\n", "`time`"), ("time\n1\n", "no column but the time")] {
        match read(text.as_bytes(), &options(), known, |_| Ok(true)) {
            Err(Stop::Table(p)) => assert!(p.message.contains(words) && !p.remedy.is_empty(), "{p}"),
            other => panic!("{other:?}"),
        }
    }
    assert!(matches!(read(&b"time,a\n1,2\n"[..], &options(), known, |_| Ok(false)), Err(Stop::Asked)));
    let long: String = std::iter::once("time,a\n".to_owned()).chain((0..1000).map(|_| "x,1\n".to_owned())).collect();
    let (read, _) = all(&long, &options());
    assert_eq!((read.faults, read.problems.len()), (1000, MOST));
}

proptest! {
    #[test]
    fn any_bytes_end_and_whole_lines_get_in(bytes in proptest::collection::vec(any::<u8>(), 0..300), head in 0usize..3) {
            let mut text = ["time,point,value,unit,quality\n", "time,a,m\n", ""][head].as_bytes().to_vec();
        text.extend_from_slice(&bytes);
        text.extend_from_slice(["\n9,a,5,,\n", "\n9,5,6\n", ""][head].as_bytes());
        let mut last = None;
        let done = read(text.as_slice(), &options(), known, |batch| { last = batch.last().copied(); Ok(true) });
        if head < 2 {
            prop_assert!(done.is_ok());
            prop_assert!(last.is_some_and(|(_, s)| s.time == Time(9000)));
        }
    }
}

#[test]
fn fields_in_quotes_and_lines_of_windows() {
    let fields = |line: &str| {
        let mut row = Vec::new();
        split(line, ',', &mut row);
        row
    };
    assert_eq!(fields("a,\"b, \"\"c\"\"\",,d\"e"), ["a", "b, \"c\"", "", "d\"e"]);
    let (read, samples) = all("time,a\r\n1,5\r\n\r\n2,x\r\n\"3,7\r\n4,6\r\n", &options());
    assert_eq!(values(&samples), [(0, 1000, 5.0), (0, 4000, 6.0)]);
    let places: Vec<&str> = read.problems.iter().map(|p| p.place.as_str()).collect();
    assert_eq!(places, ["a.csv:4", "a.csv:5"]);
    let endless = vec![b'x'; 3 << 20];
    assert!(matches!(super::read(endless.as_slice(), &options(), known, |_| Ok(true)), Err(Stop::Table(_))));
}
