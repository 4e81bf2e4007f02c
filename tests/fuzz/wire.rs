//! What comes over the wire: payloads and topics.

use crate::engine::{Fuzz, outcome_of, then};
use plenum::site::point::PointSource;
use plenum::site::project::{KeyFrom, PayloadPath, PayloadShape};
use plenum::site::unit::{UNITS, Unit};
use plenum::site::{Point, Slot};
use plenum::telemetry::payload::{DeviceTime, Payload, PayloadUnit, Wire};
use plenum::telemetry::topics::{Route, TopicMap, filter_matches, is_filter, is_topic, without_overlaps};

/// Three points on one topic: two keys, and the value without a key.
fn map() -> TopicMap {
    let point = |n: usize, key: &str| Point {
        id: format!("P-{n}/x"),
        asset: Slot(0),
        role: "x".into(),
        name: "x".into(),
        unit: UNITS.get(n * 3).copied().unwrap_or(Unit::ONE),
        expected: Some([0.0, 100.0]),
        period_s: 5.0,
        stale_after_s: 60.0,
        check: None,
        source: PointSource::Topic { topic: "a/b".into(), key: key.into(), broker: None },
        remedy: String::new(),
        watch: Default::default(),
    };
    TopicMap::new(&[point(0, ""), point(1, "flow"), point(2, "température")], Some("a/clock"))
}

pub fn payload() {
    let seeds = [
        r#"{"ts":"2026-05-11T06:00:00.123Z","v":21.5}"#,
        r#"{"ts":1778479200123,"values":{"flow":1.5e3,"on":true,"température":-3,"x":null},"seq":17,"pub":"p1"}"#,
        r#"[{"ts":1778479200,"v":1},{"ts":null,"v":false,"extra":{"a":[1,[2,{"b":"c"}]]}},7,"x",[]]"#,
        r#"{"values":{"flow":NaN,"a":Infinity,"b":-Infinity,"c":None,"d":nan},"ts":0,"v":1e999}"#,
        r#"{"v":"12","ts":{"a":1},"seq":-1,"pub":[1],"values":[1,2]}"#,
        "\u{feff}{\"v\":1}",
        r#"{"values":{"flow":null,"température":2},"units":{"flow":"m3/h","température":"[degF]"},"quality":"bad-sensor","code":"modbus exception 4, device failure"}"#,
        r#"[{"v":1,"quality":24,"code":7},{"v":NaN,"quality":"bad-not-connected","unit":"Cel"},{"v":2,"quality":[],"code":{},"units":3}]"#,
    ];
    let words = [
        "{",
        "}",
        "[",
        "]",
        ",",
        ":",
        "\"",
        "\"ts\":",
        "\"v\":",
        "\"values\":{",
        "\"seq\":",
        "\"pub\":",
        "\"flow\":",
        "\"units\":{",
        "\"quality\":",
        "\"code\":",
        "\"bad\"",
        "NaN",
        "Infinity",
        "-Infinity",
        "None",
        "True",
        "null",
        "true",
        "1e400",
        "-0",
        "1778479200123",
        "\"2026-05-11T06:00:00Z\"",
        "\\u0000",
        "\\ud800",
        "\\\"",
        "température",
    ];
    let map = map();
    let Route::Points(topic) = map.route("a/b") else { panic!("the topic is bound") };
    let mut payload = Payload::default();
    Fuzz::new("payload").longest(8000).seeds(seeds).words(&words).run(|input| {
        let read = payload.read(input, |key| topic.find(key));
        let mut outcome = payload.strangers.min(3);
        for object in &payload.objects {
            let values = payload.values.get(object.values.clone());
            let values = values.unwrap_or_else(|| panic!("values that are not there"));
            let _ = payload.publisher(object);
            if let DeviceTime::At(time) = object.time {
                assert!(!time.to_string().ends_with("ms"), "a time that no calendar holds");
            }
            for value in values {
                for target in topic.targets(value.found.clone()) {
                    let judged = match value.wire {
                        Wire::Number(number) => {
                            assert!(number.is_finite(), "a value that is no number");
                            Some(target.number(number))
                        }
                        Wire::Switch(on) => target.switch(on),
                        Wire::Bad(reason) => {
                            outcome = then(outcome, outcome_of([reason.text()]));
                            None
                        }
                    };
                    outcome = then(outcome, u64::from(judged.is_some()));
                }
            }
            outcome = then(outcome, u64::from(object.seq.is_some()));
        }
        let outcome = match read {
            Ok(()) => outcome,
            Err(reason) => then(outcome, outcome_of([reason.text()])),
        };
        good(&mut payload, topic);
        outcome
    });
}

/// What is whole is read whole, whatever was read before.
fn good(payload: &mut Payload, topic: &plenum::telemetry::topics::Topic) {
    let whole = br#"[{"ts":1778479200123,"values":{"flow":1.5,"x":2},"seq":7,"pub":"p"},{"v":3}]"#;
    assert_eq!(payload.read(whole, |key| topic.find(key)), Ok(()));
    let [first, second] = payload.objects.as_slice() else { panic!("two objects") };
    assert_eq!((first.seq, payload.publisher(first), first.code), (Some(7), "p", 0));
    assert_eq!((second.time, payload.values.len(), payload.strangers), (DeviceTime::Missing, 3, 0));
    let numbers: Vec<Wire> = payload.values.iter().map(|v| v.wire).collect();
    assert_eq!(numbers, [Wire::Number(1.5), Wire::Number(2.0), Wire::Number(3.0)]);
    assert!(payload.values.iter().all(|v| v.unit == PayloadUnit::Own), "no units of another payload");
}

/// Payloads along paths: five lines (value, time, quality, unit, key), then the payload.
pub fn shaped() {
    let seeds = [
        "$.data[0].value\n\n\n\n\n{\"data\":[{\"value\":21.4}]}",
        "$.points[*].v\n$.at\n$.points[*].q\n$.points[*].u\n$.points[*].id\n{\"at\":1747000000,\"points\":[{\"id\":\"a\",\"v\":1,\"u\":\"K\",\"q\":\"good\"},{\"id\":2,\"v\":null,\"q\":24}]}",
        "$.fields.*\n$.ts\n\n\n\n{\"ts\":\"2026-05-11T06:00:00Z\",\"fields\":{\"flow\":NaN,\"b\":[1]}}",
        "$['a b'].{p}[3]\n\n\n\n$.k\n{\"a b\":{\"b\":[1,2,3,\"4\"]},\"k\":\"flow\"}",
        "$\n\n\n\n\n21.5",
    ];
    let words = [
        "$", ".", "[*]", ".*", "['", "']", "{p}", "[0]", "\n", "{", "}", "[", "]", ":", "\"v\":", "\"flow\"", "null",
        "NaN",
    ];
    let map = map();
    let Route::Points(topic) = map.route("a/b") else { panic!("the topic is bound") };
    let mut payload = Payload::default();
    let levels = [("p".to_owned(), 1)];
    Fuzz::new("shaped").longest(6000).seeds(seeds).words(&words).run(|input| {
        let mut lines = input.splitn(6, |b| *b == b'\n');
        let mut faults = 0;
        let mut path = || {
            let text = String::from_utf8_lossy(lines.next().unwrap_or_default()).into_owned();
            let read = if text.is_empty() { None } else { Some(PayloadPath::parse(&text, &levels)) };
            faults += u64::from(matches!(read, Some(Err(_))));
            read.and_then(Result::ok)
        };
        let (value, time, quality, unit, key) = (path(), path(), path(), path(), path());
        let bytes = lines.next().unwrap_or_default();
        let shape = PayloadShape {
            topic: "a/+".into(),
            value: value.unwrap_or_default(),
            time,
            time_unit_ms: [None, Some(1.0), Some(1000.0)][bytes.len() % 3],
            quality,
            unit,
            key: key.map(KeyFrom::Path),
            numbers_in_text: bytes.len() % 2 == 0,
            line: 1,
        };
        let read = payload.read_shaped(bytes, "a/b", &shape, |key| topic.find(key));
        assert!(!payload.objects.is_empty() || read.is_err(), "nothing to read is said by an object without values");
        for object in &payload.objects {
            for value in payload.values.get(object.values.clone()).expect("values that are there") {
                assert!(!matches!(value.wire, Wire::Number(n) if !n.is_finite()), "a value that is no number");
            }
        }
        let (objects, values) = (payload.objects.len().min(9) as u64, payload.values.len().min(9) as u64);
        good(&mut payload, topic);
        then(then(faults, objects), values * 2 + u64::from(read.is_ok()))
    });
}

/// A topic in the first line, filters in the others.
pub fn topics() {
    let seeds = ["a/b/c\na/#\na/+/c\n#\n+/+\n", "$SYS/x\n#\n$SYS/#\n+/x\n", "a\na/#\n/\n//\n+\n", "a/clock\na/+\n"];
    let words = ["/", "#", "+", "$", "a", "b", "\n", "\0", "/#", "+/", "clock"];
    let map = map();
    Fuzz::new("topics").longest(2000).seeds(seeds).words(&words).run(|input| {
        let text = String::from_utf8_lossy(input);
        let mut lines = text.split('\n');
        let topic = lines.next().unwrap_or_default();
        let filters: Vec<String> = lines.take(12).filter(|f| is_filter(f)).map(str::to_owned).collect();
        let kept = without_overlaps(&filters);
        assert!(kept.iter().all(|k| filters.contains(k)) && kept.is_empty() == filters.is_empty());
        let heard = |filters: &[String]| filters.iter().any(|f| filter_matches(f, topic));
        let mut outcome = u64::from(matches!(map.route(topic), Route::Points(_)));
        // What starts with a dollar sign is the broker's own, and filters with a wildcard there leave it out.
        if is_topic(topic) && !topic.starts_with('$') {
            assert_eq!(heard(&kept), heard(&filters), "{topic:?} {filters:?} {kept:?}");
            outcome += 2 + u64::from(heard(&kept));
        }
        let missed = map.not_covered_by(&filters).len();
        outcome * 1000 + (missed * 20 + filters.len().min(9) + kept.len().min(9)) as u64
    });
}
