//! What a source says of its values, and what the twin says itself: tests.

use super::super::testing::point;
use super::*;
use crate::quality::Quality;
use crate::site::PointIndex;

const WALL: Time = Time(1_778_479_200_000);

fn intake() -> Intake {
    let points = [point("t/a", "temp", "[degF]"), point("t/a", "flow", "m3/h"), point("t/b", "", "1")];
    let topics = Arc::new(TopicMap::new(&points, None));
    Intake::new(&Meaning { topics, known: Arc::new([Known::default(); 3]), ..Meaning::default() }, Ingest::default())
}

fn take(intake: &mut Intake, topic: &str, text: &str) -> Vec<Sample> {
    let mut out = Vec::new();
    intake.message(topic, text.as_bytes(), false, WALL, &mut out);
    out.iter().filter_map(|a| if let Arrival::Sample(s) = a { Some(*s) } else { None }).collect()
}

/// As a gateway writes them: units, quality and code of an object, and values that are not there.
#[test]
fn what_a_gateway_says_of_its_values() {
    let mut intake = intake();
    let text = r#"{"values":{"temp":20,"flow":2},"units":{"temp":"Cel","flow":"m3/s"}}"#;
    let got = take(&mut intake, "t/a", text);
    assert!((got[0].value - 20.0).abs() < 1e-9 && got[1].value == 2.0, "each in its own unit: {got:?}");
    let text = r#"{"code":"modbus exception 4, device failure","quality":"bad-sensor","values":{"temp":null,"x":null,
        "flow":0.5},"units":{"temp":"Cel","x":"K"}}"#;
    let got = take(&mut intake, "t/a", text);
    assert_eq!(got.len(), 2);
    assert!(got[0].value.is_nan() && got.iter().all(|s| (s.quality, s.code) == (Quality::BadSensor, 4)), "{got:?}");
    assert_eq!((intake.stats.rejected, intake.quarantine.total()), (0, 0));
    let got = take(&mut intake, "t/b", r#"{"v":NaN,"quality":"bad-not-connected","code":"10.0.0.7: no answer"}"#);
    assert!(got[0].value.is_nan() && got[0].quality == Quality::BadNotConnected && got[0].code >> 31 == 1);
    // Nothing is bad about it, so it should be there.
    assert!(take(&mut intake, "t/b", r#"{"v":null,"quality":"good"}"#).is_empty());
    assert!(take(&mut intake, "t/b", r#"{"v":null,"quality":"uncertain-range"}"#).is_empty());
    assert!(take(&mut intake, "t/b", r#"{"v":"on","quality":"bad"}"#).is_empty());
    assert_eq!((intake.quarantine.of(Reason::NoValue), intake.quarantine.of(Reason::WrongType)), (2, 1));
    // OPC's numbers are codes themselves, and what is good has none.
    let got =
        take(&mut intake, "t/b", r#"[{"v":1,"quality":24},{"v":1,"quality":192,"code":7},{"v":1,"quality":192}]"#);
    let said: Vec<_> = got.iter().map(|s| (s.quality, s.code)).collect();
    assert_eq!(said, [(Quality::BadSensor, 24), (Quality::Good, 7), (Quality::Good, 0)]);
    // Units that do not fit, of one key, spoil only that.
    let got = take(&mut intake, "t/a", r#"{"units":{"temp":"kPa"},"values":{"temp":20,"flow":3600}}"#);
    assert_eq!((got.len(), got[0].point, intake.quarantine.of(Reason::WrongUnit)), (1, PointIndex(1), 1));
    for units in ["3", "null", "[1]", r#""Cel""#] {
        assert_eq!(take(&mut intake, "t/a", &format!(r#"{{"units":{units},"values":{{"flow":1}}}}"#)).len(), 1);
    }
}

#[test]
fn what_the_twin_says_itself_is_no_telemetry() {
    let mut intake = intake();
    intake.ingest.own = Some("t/b".into());
    for topic in ["t/b", "t/b/findings"] {
        assert!(take(&mut intake, topic, r#"{"v":1}"#).is_empty());
    }
    assert_eq!((intake.stats.messages, intake.unmatched.examples().len()), (0, 0));
    assert_eq!(take(&mut intake, "t/bc", r#"{"v":1}"#).len() + intake.unmatched.examples().len(), 1, "another one");
}
