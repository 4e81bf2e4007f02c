use super::*;
use crate::history::embedded::{Embedded, EmbeddedReader, Options, verify};
use crate::history::{Bucket, Entry, History, Level, Past, PointKey, Reason, Retention, Span, State, Stored};
use crate::quality::Quality;
use crate::site::PointIndex;
use proptest::prelude::*;
use std::path::Path;
use std::sync::atomic::AtomicBool;
use std::time::Instant;

const LONG: Duration = Duration::from_secs(60);

fn declared(ids: &[&str]) -> Arc<Declared> {
    let info = |id: &&str| PointInfo { id: (*id).to_owned(), ..PointInfo::default() };
    Arc::new(Declared { points: ids.iter().map(info).collect() })
}

fn sample(point: u32, time: i64, value: f64) -> Sample {
    let (device_time, arrival) = (Time(time), Time(time + 400));
    Sample { point: PointIndex(point), device_time, arrival, value, quality: Quality::Good, code: 0 }
}

fn at(file: &Path) -> Source {
    let path = file.to_path_buf();
    let open = move || {
        let (store, problems) = Embedded::open(&path, Options { segment: 50, ..Options::default() })?;
        Ok((Box::new(store) as Box<dyn History>, problems))
    };
    let path = file.to_path_buf();
    let bytes = move || std::fs::metadata(&path).ok().map(|m| m.len());
    Source { place: file.display().to_string(), open: Box::new(open), bytes: Box::new(bytes) }
}

fn settings() -> Settings {
    Settings { gather: Duration::from_millis(20), retry: Duration::from_millis(50), ..Settings::default() }
}

#[derive(Default)]
struct Heard(Mutex<Vec<u64>>);

impl Kept for Heard {
    fn kept(&self, tokens: &[u64]) {
        lock(&self.0).extend_from_slice(tokens);
    }
}

fn wait(what: &str, mut done: impl FnMut() -> bool) {
    let deadline = Instant::now() + LONG;
    while !done() {
        assert!(Instant::now() < deadline, "waited {LONG:?} for {what}");
        std::thread::sleep(Duration::from_millis(2));
    }
}

/// What a file holds, by id of the point.
fn all(file: &Path) -> Vec<(String, Vec<Stored>)> {
    use crate::history::Reader;
    let reader = EmbeddedReader::open(file).unwrap();
    let points = reader.points().unwrap();
    points.into_iter().map(|(key, info)| (info.id, reader.samples(key, Span::ALL).unwrap())).collect()
}

#[test]
fn what_is_kept_is_told_in_order_and_is_there() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("h.db");
    let mut historian = Historian::start(at(&file), settings()).unwrap();
    let (inlet, heard) = (historian.inlet(), Arc::new(Heard::default()));
    let declared = declared(&["a", "b"]);
    let publisher: Arc<str> = "p".into();
    for i in 0..500u64 {
        let batch = Batch {
            declared: Arc::clone(&declared),
            samples: vec![sample((i % 2) as u32, 1000 * i as i64, i as f64)],
            tokens: vec![i],
            to: Some(Arc::clone(&heard) as Arc<dyn Kept>),
            counted: vec![Counted { publisher: Arc::clone(&publisher), from: i, to: i + 1 }],
            ..Batch::default()
        };
        assert!(inlet.offer(batch).is_ok());
        if i % 100 == 99 {
            // All that was told is there, for a reader who knows nothing of this program.
            wait("some to be kept", || !lock(&heard.0).is_empty());
            let told = *lock(&heard.0).last().unwrap() as usize;
            let there: usize = all(&file).iter().map(|(_, s)| s.len()).sum();
            assert!(there > told, "{there} {told}");
        }
    }
    assert!(historian.flush(LONG));
    assert_eq!(*lock(&heard.0), (0..500).collect::<Vec<u64>>());
    assert_eq!(historian.book().take(LONG)[0].1.iter().collect::<Vec<_>>(), [[0, 500]]);
    let status = historian.status();
    assert_eq!((status.stored, status.computed, status.waiting, status.openings), (500, 0, 0, 1));
    assert!(status.failing.is_none() && status.commits > 0 && status.commit_s[0] <= status.commit_s[1]);
    assert!(historian.bytes().unwrap() > 0);
    let beside = historian.reader(LONG).unwrap();
    assert_eq!(beside.samples(PointKey(1), Span::ALL).unwrap().len(), 250);
    historian.stop();
    assert!(inlet.offer(Batch { samples: vec![sample(0, 1, 1.0)], ..Batch::default() }).is_err(), "it has ended");
    let kept = all(&file);
    assert_eq!(
        kept[0].1[3],
        Stored { time: Time(6000), arrival: Time(6400), value: 6.0, quality: Quality::Good, code: 0 }
    );
    assert_eq!(verify(&file, |_| true).unwrap().damages, 0);
}

#[test]
fn an_end_keeps_all_that_it_holds() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("h.db");
    // It would wait for long.
    let mut historian = Historian::start(at(&file), Settings { gather: LONG, ..settings() }).unwrap();
    let inlet = historian.inlet();
    let declared = declared(&["a"]);
    for i in 0..7 {
        let batch = Batch { declared: Arc::clone(&declared), samples: vec![sample(0, i, 1.0)], ..Batch::default() };
        inlet.offer(batch).ok().unwrap();
    }
    historian.stop();
    assert_eq!(all(&file)[0].1.len(), 7);
}

#[test]
fn a_window_that_is_full_is_not_waited_for() {
    let dir = tempfile::tempdir().unwrap();
    let historian = Historian::start(at(&dir.path().join("h.db")), Settings { gather: LONG, ..settings() }).unwrap();
    let heard = Arc::new(Heard::default());
    for i in 0..20 {
        let batch = Batch { tokens: vec![i], to: Some(Arc::clone(&heard) as Arc<dyn Kept>), ..Batch::default() };
        historian.inlet().offer(batch).ok().unwrap();
    }
    wait("the window", || lock(&heard.0).len() == 20);
}

#[test]
fn numbers_mean_other_points_after_a_reload() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("h.db");
    let mut historian = Historian::start(at(&file), settings()).unwrap();
    let (before, after) = (declared(&["a", "b"]), declared(&["c", "b"]));
    for (i, points) in [&before, &after, &before, &after].into_iter().enumerate() {
        let samples = vec![sample(0, i as i64, 1.0), sample(1, i as i64, 2.0), sample(9, 0, 3.0)];
        historian.inlet().offer(Batch { declared: Arc::clone(points), samples, ..Batch::default() }).ok().unwrap();
    }
    historian.stop();
    let counts: Vec<(String, usize)> = all(&file).into_iter().map(|(id, s)| (id, s.len())).collect();
    assert_eq!(counts, [("a".into(), 2), ("b".into(), 4), ("c".into(), 2)]);
}

/// A store that fails when it is told to, around one that does not.
struct Failing {
    inner: Embedded,
    how: Arc<Mutex<Option<Reason>>>,
    reached: Arc<AtomicBool>,
}

impl Failing {
    fn look(&self) -> Result<(), HistoryError> {
        let how = *lock(&self.how);
        match how {
            None => Ok(()),
            Some(reason) => {
                self.reached.store(true, Ordering::SeqCst);
                Err(HistoryError::new(reason, "h.db", "it fails"))
            }
        }
    }
}

impl History for Failing {
    fn declare(&mut self, points: &[PointInfo]) -> Result<Vec<PointKey>, HistoryError> {
        self.look()?;
        self.inner.declare(points)
    }
    fn append(&mut self, samples: &[(PointKey, Stored)]) -> Result<(), HistoryError> {
        self.look()?;
        self.inner.append(samples)
    }
    fn tend(&mut self) -> Result<bool, HistoryError> {
        self.look()?;
        self.inner.tend()
    }
    fn retain(&mut self, now: Time, retention: &Retention) -> Result<Tidied, HistoryError> {
        self.inner.retain(now, retention)
    }
    fn hold(&mut self, point: PointKey, hold: bool, now: Time, why: &str) -> Result<(), HistoryError> {
        self.inner.hold(point, hold, now, why)
    }
    fn adopt(&mut self, point: PointKey, past: &Past, sums: &[(Level, Vec<Bucket>)]) -> Result<(), HistoryError> {
        self.inner.adopt(point, past, sums)
    }
    fn book(&mut self, most: usize) -> Result<Vec<Entry>, HistoryError> {
        self.inner.book(most)
    }
    fn reader(&self) -> Result<Box<dyn Reader>, HistoryError> {
        self.inner.reader()
    }
    fn state(&self) -> State {
        self.inner.state()
    }
}

#[test]
fn a_store_that_fails_stops_acknowledging_and_goes_on_by_itself() {
    for reason in [Reason::Full, Reason::ReadOnly, Reason::Gone, Reason::Damaged] {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("h.db");
        let (how, reached) = (Arc::new(Mutex::new(None)), Arc::new(AtomicBool::new(false)));
        let source = {
            let (file, how, reached) = (file.clone(), Arc::clone(&how), Arc::clone(&reached));
            let open = move || {
                let (inner, problems) = Embedded::open(&file, Options::default())?;
                let store = Failing { inner, how: Arc::clone(&how), reached: Arc::clone(&reached) };
                store.look()?;
                Ok((Box::new(store) as Box<dyn History>, problems))
            };
            Source { place: "h.db".into(), open: Box::new(open), bytes: Box::new(|| None) }
        };
        let mut historian = Historian::start(source, Settings { limit: 100, ..settings() }).unwrap();
        let (inlet, heard, declared) = (historian.inlet(), Arc::new(Heard::default()), declared(&["a"]));
        let offer = |i: u64| {
            inlet.offer(Batch {
                declared: Arc::clone(&declared),
                samples: vec![sample(0, i as i64, 1.0)],
                tokens: vec![i],
                to: Some(Arc::clone(&heard) as Arc<dyn Kept>),
                ..Batch::default()
            })
        };
        (0..10).for_each(|i| assert!(offer(i).is_ok()));
        assert!(historian.flush(LONG));
        *lock(&how) = Some(reason);
        let taken = (10..).take_while(|i| offer(*i).is_ok()).count() as u64;
        assert_eq!(taken, 50, "a sample and its token each, up to the limit");
        wait("the failure to be told", || historian.status().failing.is_some());
        assert!(!historian.flush(LONG) && reached.load(Ordering::SeqCst));
        assert_eq!(lock(&heard.0).len(), 10, "{reason:?}: what is not kept is not acknowledged");
        let status = historian.status();
        let (since, error) = status.failing.unwrap();
        assert_eq!((error.reason, status.waiting), (reason, 100));
        inlet.offer_or_miss(Batch { samples: vec![sample(0, 0, 0.0); 3], ..Batch::default() });
        assert_eq!(historian.status().missed, 3);
        // It is told since when, however often it was tried.
        std::thread::sleep(Duration::from_millis(120));
        assert_eq!(historian.status().failing.map(|(at, _)| at), Some(since));

        *lock(&how) = None;
        wait("it to go on", || historian.status().failing.is_none());
        assert!(offer(10 + taken).is_ok() && historian.flush(LONG));
        assert_eq!(*lock(&heard.0), (0..=10 + taken).collect::<Vec<u64>>(), "{reason:?}");
        historian.stop();
        assert_eq!(all(&file)[0].1.len(), 61);
        assert_eq!(verify(&file, |_| true).unwrap().damages, 0);
    }
}

#[test]
fn a_store_that_is_not_there_yet_is_waited_for_and_a_wrong_one_refused() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("h.db");
    let there = Arc::new(AtomicBool::new(false));
    let mut source = at(&file);
    let (mut open, is_there) = (source.open, Arc::clone(&there));
    source.open = Box::new(move || match is_there.load(Ordering::SeqCst) {
        true => open(),
        false => Err(HistoryError::new(Reason::Gone, "h.db", "the server does not answer")),
    });
    let mut historian = Historian::start(source, settings()).unwrap();
    assert!(historian.status().failing.is_some() && historian.reader(LONG).is_err());
    let batch = Batch { declared: declared(&["a"]), samples: vec![sample(0, 5, 1.0)], ..Batch::default() };
    historian.inlet().offer(batch).ok().unwrap();
    there.store(true, Ordering::SeqCst);
    wait("it to be kept", || historian.status().stored == 1);
    assert!(historian.status().failing.is_none());
    let second = Historian::start(at(&file), settings()).err().unwrap();
    assert!(second.message.contains("another program"), "{second}");
    historian.stop();
    std::fs::write(&file, "this is no history, and not a short one either; 16 bytes are looked at").unwrap();
    assert!(Historian::start(at(&file), settings()).is_err());
}

/// A folder that root may write all the same: a file in its way is what nobody can write.
#[test]
fn a_folder_that_comes_back() {
    let dir = tempfile::tempdir().unwrap();
    let folder = dir.path().join("gone");
    std::fs::write(&folder, "").unwrap();
    let file = folder.join("h.db");
    let mut historian = Historian::start(at(&file), settings()).unwrap();
    let batch = Batch { declared: declared(&["a"]), samples: vec![sample(0, 5, 1.0)], ..Batch::default() };
    historian.inlet().offer(batch).ok().unwrap();
    wait("a failure", || historian.status().failing.is_some());
    assert_eq!(historian.status().stored, 0);
    std::fs::remove_file(&folder).unwrap();
    wait("it to be kept", || historian.status().stored == 1);
    historian.stop();
    assert_eq!(all(&file)[0].1.len(), 1);
}

#[test]
fn old_samples_are_deleted_by_the_sites_time() {
    const DAY: i64 = 86_400_000;
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("h.db");
    let tidy = [Duration::ZERO, LONG];
    let mut historian = Historian::start(at(&file), Settings { tidy, ..settings() }).unwrap();
    // The site's year is 1970: nothing is old by it but what came a hundred days before the last.
    let samples = (0..400).map(|i| sample(0, i * DAY / 4, 1.0)).collect();
    historian.inlet().offer(Batch { declared: declared(&["a"]), samples, ..Batch::default() }).ok().unwrap();
    wait("old samples to be deleted", || historian.status().tidied.is_some());
    let (now, tidied) = historian.status().tidied.unwrap();
    assert_eq!(now, Time(399 * DAY / 4));
    historian.stop();
    let left = all(&file)[0].1.len() as u64;
    assert!(left >= 360 && left + tidied.samples == 400, "{left} {tidied:?}");
}

fn history_of(order: &[(u32, Sample)]) -> Vec<(String, Vec<Stored>)> {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("h.db");
    let mut historian =
        Historian::start(at(&file), Settings { gather: Duration::from_millis(1), ..settings() }).unwrap();
    let declared = declared(&["a", "b", "c"]);
    for part in order.chunks(37) {
        let samples = part.iter().map(|(_, s)| *s).collect();
        historian.inlet().offer(Batch { declared: Arc::clone(&declared), samples, ..Batch::default() }).ok().unwrap();
        if part[0].0 % 5 == 0 {
            assert!(historian.flush(LONG));
        }
    }
    historian.stop();
    assert_eq!(verify(&file, |_| true).unwrap().damages, 0);
    all(&file)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]
    /// Clocks that are an hour off, an hour that a country has twice, the leap day, what comes a week late, twice and
    /// in the opposite order: in whatever order samples come, they make the same history.
    #[test]
    fn any_order_makes_the_same_history_to_the_bit(seed in any::<u64>(), turned in any::<bool>(), again in 0usize..400) {
        const HOUR: i64 = 3_600_000;
        let begins = ["2024-02-28T23:00:00Z", "2024-03-31T00:30:00Z", "2024-10-27T00:30:00Z"].map(|t| Time::parse(t).unwrap().0);
        let mut samples: Vec<(u32, Sample)> = Vec::new();
        for i in 0..900i64 {
            let begin = begins[(i % 3) as usize] + 60_000 * (i / 3);
            let (time, arrival) = match i % 10 {
                7 => (begin - HOUR, begin + 300),
                8 => (begin + HOUR, begin + 300),
                9 => (begin, begin + 7 * 24 * HOUR),
                _ => (begin, begin + 300),
            };
            let mut s = sample((i % 2) as u32, time, (i as f64 * 0.37).sin() * 20.0);
            s.arrival = Time(arrival);
            s.quality = if i % 10 == 9 { Quality::GoodBackfill } else { Quality::ALL[(i % 11) as usize] };
            s.code = (i % 4) as u32 * 64;
            samples.push((i as u32, s));
        }
        let clean = history_of(&samples);
        let mut shuffled = samples.clone();
        if turned {
            shuffled.reverse();
        } else {
            let mut random = seed | 1;
            for i in (1..shuffled.len()).rev() {
                random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                shuffled.swap(i, (random >> 33) as usize % (i + 1));
            }
        }
        shuffled.extend_from_within(again..);
        let other = history_of(&shuffled);
        let text = |h: &[(String, Vec<Stored>)]| format!("{:?}", h.iter().map(|(id, all)| (id, all.iter().map(|s| (s, s.value.to_bits())).collect::<Vec<_>>())).collect::<Vec<_>>());
        prop_assert_eq!(text(&clean), text(&other));
        prop_assert_eq!(clean.len(), 3);
    }
}

#[test]
fn publishers_are_told_on_every_broker_that_is_there() {
    use crate::telemetry::broker::EmbeddedBroker;
    use crate::telemetry::mqtt::{Address, Listener};
    use crate::telemetry::receipts::{Ranges, Receipt};
    let dir = tempfile::tempdir().unwrap();
    let historian = Historian::start(at(&dir.path().join("h.db")), settings()).unwrap();
    let mut brokers: Vec<_> = (0..2).map(|_| EmbeddedBroker::start(0, 1 << 20).unwrap()).collect();
    let addresses: Vec<Address> = brokers.iter().map(|b| Address::embedded(b.address())).collect();
    let ear = |address: &Address| {
        let heard: Arc<Mutex<Ranges>> = Arc::default();
        let to = Arc::clone(&heard);
        let listener = Listener::start(address, "ear", &["kept/#".into()], move |_, payload| {
            lock(&to).extend(&Receipt::parse(payload).unwrap().ranges);
        });
        let listener = listener.unwrap();
        assert!(listener.wait_connected(LONG));
        (listener, heard)
    };
    let ears: Vec<_> = addresses.iter().map(ear).collect();
    let _teller = Teller::start_on(addresses, "teller".into(), "kept".into(), historian.book()).unwrap();
    let (declared, publisher): (_, Arc<str>) = (declared(&["a"]), "p".into());
    let keep = |n: u64| {
        let samples = vec![sample(0, 1000 * n as i64, 1.0)];
        let counted = vec![Counted { publisher: Arc::clone(&publisher), from: n, to: n + 1 }];
        let batch = Batch { declared: Arc::clone(&declared), samples, counted, ..Batch::default() };
        assert!(historian.inlet().offer(batch).is_ok());
    };
    let has = |ear: &(Listener, Arc<Mutex<Ranges>>), n: u64| lock(&ear.1).holds(n, n + 1);
    keep(7);
    wait("both brokers", || ears.iter().all(|ear| has(ear, 7)));
    // One of them goes away: on the other one they are told all the same.
    drop(brokers.pop());
    keep(8);
    wait("the one that is left", || has(&ears[0], 8));
    assert!(!has(&ears[1], 8));
}
