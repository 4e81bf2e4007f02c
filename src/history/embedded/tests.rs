use super::*;
use crate::history::bucket::cut;
use crate::history::query::{With, every};
use crate::history::{Keep, Level, Span};
use crate::quality::Quality;
use crate::time::Time;
use proptest::prelude::*;
use std::collections::BTreeMap;

const SMALL: Options = Options { segment: 20, journal: 300, at_once: 3 };

fn info(id: &str) -> PointInfo {
    PointInfo { id: id.into(), unit: "Cel".into(), ..PointInfo::default() }
}

fn at(time: i64, value: f64) -> Stored {
    Stored { time: Time(time), arrival: Time(time + 5), value, quality: Quality::Good, code: 0 }
}

fn open(file: &Path, options: Options) -> Embedded {
    let (store, problems) = Embedded::open(file, options).unwrap();
    assert!(problems.is_empty(), "{problems:?}");
    store
}

fn tend(store: &mut Embedded) {
    while store.tend().unwrap() {}
}

fn text(samples: &[Stored]) -> String {
    samples.iter().map(|s| format!("{:?} {:x};", Stored { value: 0.0, ..*s }, s.value.to_bits())).collect()
}

#[test]
fn what_is_appended_is_read_sealed_or_not_and_after_reopening() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("deep/er/history.db");
    let mut store = open(&file, SMALL);
    let keys = store.declare(&[info("a"), info("b"), info("a")]).unwrap();
    assert_eq!((keys[0], keys[2]), (PointKey(0), PointKey(0)));
    let reader = store.reader().unwrap();
    for i in 0..100 {
        store.append(&[(keys[0], at(i * 10_000, i as f64)), (keys[1], at(i * 10_000, -1.5))]).unwrap();
        store.tend().unwrap();
        assert_eq!(reader.samples(keys[0], Span::ALL).unwrap().len(), i as usize + 1);
    }
    let before = reader.samples(keys[1], Span::ALL).unwrap();
    assert_eq!(reader.latest(&keys).unwrap()[0], Some(at(990_000, 99.0)));
    assert!(store.state().waiting < 100);
    drop((store, reader));
    let mut store = open(&file, SMALL);
    assert_eq!(store.declare(&[info("b")]).unwrap(), [PointKey(1)]);
    let reader = store.reader().unwrap();
    assert_eq!(text(&reader.samples(PointKey(1), Span::ALL).unwrap()), text(&before));
    assert_eq!(reader.latest(&keys).unwrap()[0], Some(at(990_000, 99.0)));
    let part = Span { from: Time(100_000), to: Time(200_000) };
    let values: Vec<f64> = reader.samples(PointKey(0), part).unwrap().iter().map(|s| s.value).collect();
    assert_eq!(values, (10..20).map(f64::from).collect::<Vec<_>>());
    store.seal_all().unwrap();
    assert_eq!((store.state().waiting, store.journalled), (0, 0));
    let found = verify(&file, |_| true).unwrap();
    assert_eq!((found.first_damage, found.samples, found.points), (None, 200, 2));
}

#[test]
fn one_program_at_a_time_and_nothing_of_others_is_touched() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("history.db");
    let mut store = open(&file, SMALL);
    let key = store.declare(&[info("a")]).unwrap()[0];
    store.append(&[(key, at(0, 1.0))]).unwrap();
    assert_eq!(Embedded::open(&file, SMALL).err().unwrap().reason, Reason::InUse);
    // Reading from outside goes on.
    assert_eq!(EmbeddedReader::open(&file).unwrap().samples(key, Span::ALL).unwrap(), [at(0, 1.0)]);
    assert_eq!(store.append(&[(PointKey(7), at(0, 1.0))]).unwrap_err().reason, Reason::Wrong);
    let other = dir.path().join("other.db");
    Connection::open(&other).unwrap().execute_batch("CREATE TABLE theirs (x)").unwrap();
    let bytes = std::fs::read(&other).unwrap();
    let refused = Embedded::open(&other, SMALL).err().unwrap();
    assert!(refused.message.contains("another program's"), "{refused}");
    let text = dir.path().join("notes.txt");
    std::fs::write(
        &text,
        "no database, but longer than a header of SQLite, which has one hundred bytes; so there is more text here",
    )
    .unwrap();
    assert_eq!(Embedded::open(&text, SMALL).err().unwrap().reason, Reason::Damaged);
    assert_eq!(EmbeddedReader::open(&dir.path().join("none.db")).err().unwrap().reason, Reason::Gone);
    drop(store);
    let after = std::fs::read(&other).unwrap();
    // Journal mode is the one thing that may be asked before it is known whose it is.
    assert_eq!(bytes.len(), after.len());
}

#[test]
fn a_full_disk_stops_it_and_room_lets_it_go_on() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("history.db");
    let mut store = open(&file, SMALL);
    let key = store.declare(&[info("a")]).unwrap()[0];
    let pages: i64 = store.db.pragma_query_value(None, "page_count", |r| r.get(0)).unwrap();
    store.db.pragma_update(None, "max_page_count", pages + 4).unwrap();
    let wild = |i: i64| at(i, (i as f64).sqrt());
    let mut kept = 0;
    let refused = loop {
        let batch: Vec<_> = (kept..kept + 500).map(|i| (key, wild(i))).collect();
        match store.append(&batch) {
            Ok(()) => kept += 500,
            Err(e) => break e,
        }
        assert!(kept < 1_000_000);
    };
    assert_eq!(refused.reason, Reason::Full, "{refused}");
    assert!(refused.problem().remedy.contains("room"));
    let _ = store.tend();
    assert_eq!(store.reader().unwrap().samples(key, Span::ALL).unwrap().len() as i64, kept);
    store.db.pragma_update(None, "max_page_count", 1_000_000).unwrap();
    let batch: Vec<_> = (kept..kept + 500).map(|i| (key, wild(i))).collect();
    store.append(&batch).unwrap();
    tend(&mut store);
    drop(store);
    let store = open(&file, SMALL);
    assert_eq!(store.reader().unwrap().samples(key, Span::ALL).unwrap().len() as i64, kept + 500);
    assert_eq!(verify(&file, |_| true).unwrap().first_damage, None);
}

#[test]
fn damage_is_found_named_and_gone_around() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("history.db");
    let mut store = open(&file, SMALL);
    let keys = store.declare(&[info("a"), info("b")]).unwrap();
    for i in 0..200 {
        store.append(&[(keys[0], at(i * 60_000, i as f64)), (keys[1], at(i * 60_000, 1.0))]).unwrap();
        tend(&mut store);
    }
    store.append(&[(keys[0], at(99_000_000, 1.0))]).unwrap();
    store.append(&[(keys[0], at(99_060_000, 2.0))]).unwrap();
    drop(store);
    let db = Connection::open(&file).unwrap();
    let change = "CAST(substr(data, 1, 20) || x'ff' || substr(data, 22) AS BLOB)";
    db.execute(
        &format!("UPDATE segment SET data = {change} WHERE id = (SELECT min(id) FROM segment WHERE point = 1)"),
        [],
    )
    .unwrap();
    let found = verify(&file, |_| true).unwrap();
    assert!(found.first_damage.as_ref().is_some_and(|d| d.contains("of b")), "{found:?}");
    assert_eq!(found.damages, 1, "{found:?}");
    db.execute("UPDATE journal SET data = 'no batch at all' WHERE seq = (SELECT max(seq) FROM journal)", []).unwrap();
    drop(db);
    let (mut store, problems) = Embedded::open(&file, SMALL).unwrap();
    assert_eq!(problems.len(), 1, "{problems:?}");
    let reader = store.reader().unwrap();
    assert_eq!(reader.samples(keys[0], Span::ALL).unwrap().len(), 201);
    let damaged = reader.samples(keys[1], Span::ALL).unwrap_err();
    assert_eq!(damaged.reason, Reason::Damaged, "{damaged}");
    // What is whole is still read, and it still takes samples.
    let late = Span { from: Time(150 * 60_000), to: Time(i64::MAX) };
    assert_eq!(reader.samples(keys[1], late).unwrap().len(), 50);
    store.append(&[(keys[1], at(99_000_000, 5.0))]).unwrap();
}

#[test]
fn a_copy_is_made_while_it_runs() {
    let dir = tempfile::tempdir().unwrap();
    let mut store = open(&dir.path().join("history.db"), SMALL);
    let key = store.declare(&[info("a")]).unwrap()[0];
    for i in 0..77 {
        store.append(&[(key, at(i, 0.5))]).unwrap();
        store.tend().unwrap();
    }
    let copy = dir.path().join("copy.db");
    std::fs::write(&copy, "what was there before").unwrap();
    store.back_up(&copy).unwrap();
    store.append(&[(key, at(1000, 0.5))]).unwrap();
    let other = open(&copy, SMALL);
    assert_eq!(other.reader().unwrap().samples(key, Span::ALL).unwrap().len(), 77);
    assert!(store.back_up(&dir.path().join("no/such/folder.db")).is_err());
}

#[test]
fn old_samples_go_their_sums_stay_and_what_is_held_stays_whole() {
    const DAY: i64 = 86_400_000;
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("history.db");
    let mut store = open(&file, SMALL);
    let points = [info("a"), PointInfo { class: "meter".into(), ..info("m") }, info("held")];
    let keys = store.declare(&points).unwrap();
    for i in 0..400 {
        let time = i * DAY / 4;
        store.append(&keys.iter().map(|k| (*k, at(time, i as f64))).collect::<Vec<_>>()).unwrap();
    }
    store.seal_all().unwrap();
    store.hold(keys[2], true, Time(0), "a claim is open").unwrap();
    let reader = store.reader().unwrap();
    let hours = |key| reader.buckets(key, Level::Hour, Span::ALL).unwrap().len();
    let count = |key| reader.samples(key, Span::ALL).unwrap().len();
    let mut retention = Retention::default();
    retention.classes.insert("meter".into(), Keep { samples_s: None, ..Keep::default() });
    let now = Time(130 * DAY);
    let kept = store.retain(now, &retention).unwrap();
    assert_eq!(kept.held, 1);
    assert!(kept.samples > 0 && count(keys[0]) == 400 - kept.samples as usize);
    assert!(count(keys[0]) >= 240, "what is young enough stays");
    assert_eq!((count(keys[1]), count(keys[2]), hours(keys[0])), (400, 400, 400));
    // A late sample of a time whose samples are gone does not spoil the sums.
    store.append(&[(keys[0], at(DAY + 1, 1e9))]).unwrap();
    store.seal_all().unwrap();
    let first_day = Span { from: Time(DAY), to: Time(2 * DAY) };
    let sums = reader.buckets(keys[0], Level::Hour, first_day).unwrap();
    assert_eq!(sums.iter().map(|b| b.last).collect::<Vec<_>>(), [4.0, 5.0, 6.0, 7.0]);
    assert_eq!(verify(&file, |_| true).unwrap().first_damage, None);
    store.hold(keys[2], false, now, "settled").unwrap();
    assert!(store.retain(now, &retention).unwrap().samples > 0);
    let book = store.book(100).unwrap();
    assert!(book.iter().any(|e| e.what == "held" && e.point == "held" && e.why == "a claim is open"));
    let deleted: u64 = book.iter().filter(|e| e.what == "deleted" && e.point == "a").map(|e| e.samples).sum();
    assert!(deleted >= kept.samples);
}

#[test]
fn asked_for_a_day_by_the_hour() {
    let dir = tempfile::tempdir().unwrap();
    let mut store = open(&dir.path().join("history.db"), SMALL);
    let key = store.declare(&[info("a")]).unwrap()[0];
    // A minute apart; the value is the minute.
    for part in (0..1440).collect::<Vec<i64>>().chunks(100) {
        store.append(&part.iter().map(|i| (key, at(i * 60_000, *i as f64))).collect::<Vec<_>>()).unwrap();
        tend(&mut store);
    }
    let reader = store.reader().unwrap();
    let day = Span { from: Time(0), to: Time(86_400_000) };
    for every_ms in [3_600_000, 7_200_000, 60_000, 300_000, 1_000, 90_000] {
        let got = every(reader.as_ref(), key, day, every_ms).unwrap();
        let raw = cut(&reader.samples(key, day).unwrap(), every_ms);
        assert_eq!(got.len(), raw.len());
        for (g, r) in got.iter().zip(&raw) {
            assert_eq!((g.start, g.n, g.min, g.max, g.last, g.sum), (r.start, r.n, r.min, r.max, r.last, r.sum));
        }
    }
    let hour = every(reader.as_ref(), key, day, 3_600_000).unwrap()[3];
    assert_eq!(With::ALL.map(|w| w.of(&hour)), [209.5, 180.0, 239.0, 239.0, 209.5 * 60.0, 60.0]);
    assert!(every(reader.as_ref(), key, day, 0).is_err());
    let millennia = Span { from: Time(0), to: Time(i64::MAX / 2) };
    assert!(every(reader.as_ref(), key, millennia, 1).is_err());
    // What is open to one side has as many stretches as it has samples.
    let open = Span { to: Time(i64::MAX), ..millennia };
    assert_eq!(every(reader.as_ref(), key, open, 1).unwrap().len(), 1440);
}

#[derive(Clone, Debug)]
enum Step {
    Append(Vec<(u8, i64, i64, i16)>),
    Tend,
    SealAll,
    Reopen,
}

fn any_step() -> impl Strategy<Value = Step> {
    let sample = (0u8..4, prop_oneof![3 => 0i64..400, 1 => -9000i64..9000], 0i64..3, any::<i16>());
    prop_oneof![
        6 => proptest::collection::vec(sample, 1..60).prop_map(Step::Append),
        3 => Just(Step::Tend),
        1 => Just(Step::SealAll),
        1 => Just(Step::Reopen),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    /// Whatever comes, in whatever order, sealed whenever: it is the history of the clean order.
    #[test]
    fn any_order_makes_the_same_history(steps in proptest::collection::vec(any_step(), 1..25)) {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("history.db");
        let names = ["a", "b", "c", "d"].map(info);
        let mut store = open(&file, SMALL);
        let keys = store.declare(&names).unwrap();
        let mut model: BTreeMap<(PointKey, i64), Stored> = BTreeMap::new();
        for step in steps {
            match step {
                Step::Append(rows) => {
                    let batch: Vec<_> = rows.iter().map(|(p, t, late, v)| {
                        let time = t * 20_000;
                        let quality = if v % 5 == 0 { Quality::BadSensor } else { Quality::Good };
                        let sample = Stored { arrival: Time(time + late), quality, ..at(time, f64::from(*v) / 8.0) };
                        (keys[usize::from(*p)], sample)
                    }).collect();
                    store.append(&batch).unwrap();
                    for (key, s) in batch {
                        model.entry((key, s.time.0)).and_modify(|m| *m = m.or(s)).or_insert(s);
                    }
                }
                Step::Tend => tend(&mut store),
                Step::SealAll => store.seal_all().unwrap(),
                Step::Reopen => {
                    drop(store);
                    store = open(&file, SMALL);
                }
            }
        }
        let reader = store.reader().unwrap();
        let outside = EmbeddedReader::open(&file).unwrap();
        for key in &keys {
            let clean: Vec<Stored> = model.range((*key, i64::MIN)..=(*key, i64::MAX)).map(|(_, s)| *s).collect();
            prop_assert_eq!(text(&reader.samples(*key, Span::ALL).unwrap()), text(&clean));
            prop_assert_eq!(text(&outside.samples(*key, Span::ALL).unwrap()), text(&clean));
            let part = Span { from: Time(1_000_000), to: Time(3_333_333) };
            let inside: Vec<Stored> = clean.iter().filter(|s| part.holds(s.time)).copied().collect();
            prop_assert_eq!(text(&reader.samples(*key, part).unwrap()), text(&inside));
            for level in Level::ALL {
                let bits = |b: &[crate::history::Bucket]| format!("{:?}", b.iter().map(|b| (b.start, b.n, b.bad, [b.min, b.max, b.sum, b.last].map(f64::to_bits))).collect::<Vec<_>>());
                let got = reader.buckets(*key, level, Span::ALL).unwrap();
                prop_assert_eq!(bits(&got), bits(&cut(&clean, level.length_ms())));
            }
            prop_assert_eq!(reader.latest(&[*key]).unwrap()[0], clean.last().copied());
        }
        prop_assert_eq!(verify(&file, |_| true).unwrap().first_damage, None);
    }
}
