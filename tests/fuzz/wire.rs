//! What comes over the wire: payloads and topics.

use crate::engine::{Fuzz, outcome_of, then};
use plenum::site::point::PointSource;
use plenum::site::unit::{UNITS, Unit};
use plenum::site::{Point, Slot};
use plenum::telemetry::payload::{DeviceTime, Payload, Wire};
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
        source: PointSource::Topic { topic: "a/b".into(), key: key.into() },
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
        match read {
            Ok(()) => outcome,
            Err(reason) => then(outcome, outcome_of([reason.text()])),
        }
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
