use super::super::mqtt::Meaning;
use super::super::queue::{WhenFull, queue};
use super::super::testing::point;
use super::super::topics::TopicMap;
use super::*;
use crate::history::embedded::{Embedded, EmbeddedReader, Options as StoreOptions};
use crate::history::{History, Reader, Span};
use crate::quality::Quality;
use crate::site::Point;
use crate::site::project::{FileSource, Retention};
use crate::telemetry::historian::{Declared, Historian, Settings, Source};
use crate::telemetry::mqtt::Recording;
use crate::telemetry::nature;
use crate::telemetry::quarantine::Reason;
use crate::telemetry::sample::{Arrival, Sample};
use crate::time::Time;
use crossbeam_channel::Receiver;
use std::io::Write;
use std::path::PathBuf;
use std::time::{Duration, Instant};

/// A folder with tables, and what reads them.
struct Bench {
    folder: tempfile::TempDir,
    points: Vec<Point>,
}

/// A run: dropping it ends it as a program ends that is told to.
struct Run {
    files: Files,
    arrivals: Receiver<Arrival>,
    historian: Option<Historian>,
}

impl Bench {
    fn new() -> Self {
        let mut points = vec![point("bms", "T1", "Cel"), point("bms", "P", "kW"), point("else", "T1", "[degF]")];
        points[0].id = "AHU-1/supply".into();
        Self { folder: tempfile::tempdir().unwrap(), points }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn source(&self, path: &str) -> FileSource {
        let (path, topic) = (self.path(path), "bms".to_owned());
        FileSource { path, topic, follow: true, every_s: 0.02, zone: Some("Z".into()), ..FileSource::default() }
    }

    fn run(&self, sources: Vec<FileSource>, keeps: bool) -> Run {
        let ingest = Ingest { files: sources, positions: Some(self.path(".plenum/files.json")), ..Ingest::default() };
        let meaning = Meaning {
            topics: Arc::new(TopicMap::new(&self.points, None)),
            known: self.points.iter().map(|p| nature::known(p, &ingest)).collect(),
            declared: Arc::new(Declared::of(&self.points, &Retention::default())),
        };
        let (entrance, arrivals) = queue(100_000, WhenFull::DropOldest);
        let historian = keeps.then(|| {
            let file = self.path("history.db");
            let open = move || {
                Embedded::open(&file, StoreOptions::default()).map(|(s, p)| (Box::new(s) as Box<dyn History>, p))
            };
            let source = Source { place: "h".into(), open: Box::new(open), bytes: Box::new(|| None) };
            Historian::start(source, Settings { gather: Duration::from_millis(5), ..Settings::default() }).unwrap()
        });
        let recording = historian.as_ref().map(|h| Recording { inlet: h.inlet(), receipts: "r".into() });
        let files = Files::start(meaning, &ingest, false, entrance, recording).unwrap();
        files.begin(false);
        Run { files, arrivals, historian }
    }

    fn append(&self, name: &str, text: &str) {
        let mut file = std::fs::File::options().append(true).create(true).open(self.path(name)).unwrap();
        file.write_all(text.as_bytes()).unwrap();
    }

    /// The values in the history, by point.
    fn kept(&self) -> Vec<(String, Vec<(i64, f64)>)> {
        let reader = EmbeddedReader::open(&self.path("history.db")).unwrap();
        let samples = |key| reader.samples(key, Span::ALL).unwrap().iter().map(|s| (s.time.0, s.value)).collect();
        reader.points().unwrap().into_iter().map(|(key, info)| (info.id, samples(key))).collect()
    }
}

impl Run {
    /// The next samples.
    fn samples(&self, count: usize) -> Vec<Sample> {
        let deadline = Instant::now() + Duration::from_secs(60);
        let next = |_| match self.arrivals.recv_deadline(deadline) {
            Ok(Arrival::Sample(sample)) => sample,
            other => panic!("{other:?}; {:#?}", self.files.problems()),
        };
        (0..count).map(next).collect()
    }

    fn nothing_more(&self) {
        std::thread::sleep(Duration::from_millis(150));
        assert_eq!(self.arrivals.try_recv().ok(), None);
    }

    /// Until something is so.
    fn until(&self, what: &str, is: impl Fn(&Files) -> bool) {
        let deadline = Instant::now() + Duration::from_secs(60);
        while !is(&self.files) {
            assert!(Instant::now() < deadline, "{what}: {:#?}", self.files.problems());
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    fn end(mut self) {
        self.files.stop();
        if let Some(historian) = &mut self.historian {
            historian.stop();
        }
        self.files.settle();
    }
}

fn values(samples: &[Sample]) -> Vec<(u32, i64, f64)> {
    samples.iter().map(|s| (s.point.0, s.device_time.0, s.value)).collect()
}

const BEGIN: &str = "time,T1,P,note\n2026-05-11T06:00:00Z,20,1.5,x\n";
const T0: i64 = 1_778_479_200_000;

#[test]
fn a_file_that_grows_is_followed_and_read_on_after_a_restart() {
    let bench = Bench::new();
    bench.append("day.csv", BEGIN);
    let run = bench.run(vec![bench.source("day.csv")], true);
    assert_eq!(values(&run.samples(2)), [(0, T0, 20.0), (1, T0, 1500.0)]);
    // Half a line is none.
    bench.append("day.csv", "2026-05-11T06:00:10Z,2");
    run.nothing_more();
    bench.append("day.csv", "1,\n");
    assert_eq!(values(&run.samples(1)), [(0, T0 + 10_000, 21.0)]);
    let problems = run.files.problems();
    assert!(problems.iter().any(|p| p.message.contains("`note` is bound to no point")), "{problems:#?}");
    assert_eq!(run.files.unmatched().examples(), ["bms · note"]);
    run.end();

    // What came while nobody read.
    bench.append("day.csv", "2026-05-11T06:00:20Z,22,2\n");
    let run = bench.run(vec![bench.source("day.csv")], true);
    assert_eq!(values(&run.samples(2)), [(0, T0 + 20_000, 22.0), (1, T0 + 20_000, 2000.0)], "nothing twice");
    run.nothing_more();
    run.end();
    let kept = bench.kept();
    assert_eq!(
        kept.iter().map(|(id, s)| (id.as_str(), s.len())).collect::<Vec<_>>()[..2],
        [("AHU-1/supply", 3), ("bms/P", 2)]
    );
}

#[test]
fn a_run_that_dies_before_its_history_reads_again_and_doubles_nothing() {
    let bench = Bench::new();
    bench.append("day.csv", BEGIN);
    // As if it had been killed: nothing is written down, and the history has it.
    let mut run = bench.run(vec![bench.source("day.csv")], true);
    run.samples(2);
    run.historian.as_mut().unwrap().stop();
    drop(run);
    std::fs::remove_file(bench.path(".plenum/files.json")).unwrap();
    let run = bench.run(vec![bench.source("day.csv")], true);
    run.samples(2);
    run.end();
    assert!(bench.kept().iter().all(|(_, s)| s.len() <= 1), "{:?}", bench.kept());
}

#[test]
fn nothing_is_written_down_before_the_history_has_it() {
    let bench = Bench::new();
    bench.append("day.csv", BEGIN);
    let mut run = bench.run(vec![bench.source("day.csv")], true);
    run.samples(2);
    run.end_of_history();
    bench.append("day.csv", "2026-05-11T06:00:10Z,21,\n");
    std::thread::sleep(Duration::from_millis(200));
    run.files.stop();
    let run = bench.run(vec![bench.source("day.csv")], true);
    assert_eq!(values(&run.samples(1)), [(0, T0 + 10_000, 21.0)], "it was read before, and not kept");
    run.end();
}

impl Run {
    fn end_of_history(&mut self) {
        self.historian.take().unwrap().stop();
    }
}

#[test]
fn a_folder_with_new_files_and_one_that_is_renamed() {
    let bench = Bench::new();
    std::fs::create_dir(bench.path("out")).unwrap();
    bench.append("out/log.csv", BEGIN);
    let run = bench.run(vec![bench.source("out/*.csv")], false);
    run.samples(2);
    run.until("it to be written down", |_| bench.path(".plenum/files.json").is_file());
    // The log of yesterday gets another name, with a line that nobody has read yet, and a new one begins.
    bench.append("out/log.csv", "2026-05-11T06:00:10Z,21,\n");
    std::fs::rename(bench.path("out/log.csv"), bench.path("out/log.1.csv")).unwrap();
    let first = values(&run.samples(1));
    assert_eq!(first, [(0, T0 + 10_000, 21.0)]);
    bench.append("out/log.csv", "time,T1\n2026-05-11T06:00:20Z,22\n");
    assert_eq!(values(&run.samples(1)), [(0, T0 + 20_000, 22.0)]);
    bench.append("out/a_new_one.csv", "time;T1\n2026-05-11T06:00:30Z;23,5\n");
    assert_eq!(values(&run.samples(1)), [(0, T0 + 30_000, 23.5)]);
    run.nothing_more();
    run.end();
}

#[test]
fn once_means_once() {
    let bench = Bench::new();
    // Without an end, and whole all the same.
    bench.append("day.csv", BEGIN.trim_end());
    let once = || vec![FileSource { follow: false, ..bench.source("day.csv") }];
    let run = bench.run(once(), false);
    run.samples(2);
    bench.append("day.csv", "\n2026-05-11T06:00:10Z,21,\n");
    run.nothing_more();
    run.end();
    let run = bench.run(once(), false);
    assert_eq!(values(&run.samples(1)), [(0, T0 + 10_000, 21.0)]);
    run.end();
}

#[test]
fn broken_lines_are_listed_with_file_and_line_and_cost_only_themselves() {
    let bench = Bench::new();
    let later = super::super::wall_clock().plus_seconds(3600.0);
    bench.append("day.csv", BEGIN);
    bench.append("day.csv", "yesterday,1,2\n2026-05-11T06:00:10Z,warm,2.5\n\n");
    bench.append("day.csv", &format!("{later},1,2\n2026-05-11T06:00:20Z,22,3\n"));
    let run = bench.run(vec![bench.source("day.csv")], false);
    assert_eq!(
        values(&run.samples(5)),
        [(0, T0, 20.0), (1, T0, 1500.0), (1, T0 + 10_000, 2500.0), (0, T0 + 20_000, 22.0), (1, T0 + 20_000, 3000.0)]
    );
    let file = bench.path("day.csv").display().to_string();
    let problems = run.files.problems();
    for (line, words) in [(3, "`yesterday` is no time"), (4, "`warm` is no number"), (6, "its time lies ahead")] {
        let place = format!("{file}:{line}");
        let found = problems.iter().any(|p| p.place == place && p.message.contains(words) && !p.remedy.is_empty());
        assert!(found, "{line} {words}: {problems:#?}");
    }
    let quarantine = run.files.quarantine();
    assert_eq!(quarantine.of(Reason::Line), 3);
    let shown: Vec<_> = quarantine.last().map(|r| (r.topic.clone(), r.text())).collect();
    assert_eq!(shown[1], (format!("{file}:4"), "2026-05-11T06:00:10Z,warm,2.5".to_owned()));
    let stats = run.files.stats();
    assert_eq!((stats.samples, stats.rejected, stats.future), (5, 3, 2));
    run.end();
}

#[test]
fn names_columns_and_checks() {
    let mut bench = Bench::new();
    bench.points[1].expected = Some([0.0, 2000.0]);
    bench.append("long.csv", "Zeit;Punkt;Wert;Einheit;Guete\n11.05.2026 08:00;Zuluft;68;[degF];\n11.05.2026 08:00;P;9;;bad-sensor\n11.05.2026 08:00;P2;9;;\n11.05.2026 08:01;P;9;;\n");
    let columns = [("time", "Zeit"), ("point", "Punkt"), ("value", "Wert"), ("unit", "Einheit"), ("quality", "Guete")];
    let source = FileSource {
        columns: columns.map(|(m, n)| (m.to_owned(), n.to_owned())).to_vec(),
        points: vec![("Zuluft".into(), "AHU-1/supply".into()), ("P2".into(), String::new())],
        zone: Some("+02:00".into()),
        time_format: Some("%d.%m.%Y %H:%M".into()),
        topic: "bms".into(),
        ..bench.source("long.csv")
    };
    let run = bench.run(vec![source], false);
    let got = run.samples(3);
    assert!((got[0].value - 20.0).abs() < 1e-9 && got[0].device_time.0 == T0 && got[0].point.0 == 0);
    // Years after it was measured, by this machine's clock.
    assert_eq!(got[0].quality, Quality::GoodBackfill);
    assert_eq!((got[1].value, got[1].quality), (9000.0, Quality::BadSensor));
    assert_eq!(got[2].quality, Quality::UncertainRange, "the same checks as for what comes over the wire");
    assert_eq!(run.files.problems(), []);
    run.end();
    // Without a topic names are ids.
    bench.append("ids.csv", "time,bms/P,T1\n1778479200,1,2\n");
    let run = bench.run(vec![FileSource { topic: String::new(), ..bench.source("ids.csv") }], false);
    assert_eq!(values(&run.samples(1)), [(1, T0, 1000.0)]);
    assert!(run.files.problems().iter().any(|p| p.message.contains("`T1` is the id of no point")));
    run.end();
}

#[test]
fn a_table_that_is_none_is_read_once_it_is_one() {
    let bench = Bench::new();
    bench.append("day.csv", "this is no table\nat all\n");
    let run = bench.run(vec![bench.source("day.csv"), bench.source("gone/*.csv")], false);
    run.until("both to be told of", |f| f.problems().len() >= 2);
    run.nothing_more();
    assert_eq!(run.files.problems().len(), 2, "said once");
    std::fs::write(bench.path("day.csv"), BEGIN).unwrap();
    run.samples(2);
    run.end();
}

#[test]
fn other_points_from_the_next_line_on() {
    let bench = Bench::new();
    bench.append("day.csv", BEGIN);
    let run = bench.run(vec![bench.source("day.csv")], false);
    run.samples(2);
    // A reload: one point is gone, and the other has its number.
    let points = [bench.points[1].clone()];
    let meaning = Meaning {
        topics: Arc::new(TopicMap::new(&points, None)),
        known: Arc::new([nature::known(&points[0], &Ingest::default())]),
        declared: Arc::new(Declared::of(&points, &Retention::default())),
    };
    let (entrance, arrivals) = queue(100, WhenFull::DropOldest);
    run.files.retable().to(meaning, entrance);
    // The queue before ends.
    let deadline = Instant::now() + Duration::from_secs(60);
    assert!(run.arrivals.recv_deadline(deadline).is_err() && Instant::now() < deadline);
    bench.append("day.csv", "2026-05-11T06:00:10Z,21,4\n");
    let Ok(Arrival::Sample(sample)) = arrivals.recv_deadline(deadline) else { panic!("nothing came") };
    assert_eq!((sample.point.0, sample.value, sample.device_time), (0, 4000.0, Time(T0 + 10_000)));
    run.end();
}

#[cfg(feature = "parquet")]
#[test]
fn parquet_is_read_when_it_is_whole() {
    use crate::history::export::{Parquet, Sink};
    use crate::history::{PointInfo, Stored};
    use std::path::Path;
    let bench = Bench::new();
    let write = |file: &Path, values: &[f64]| {
        let info = PointInfo { id: "P".into(), unit: "kW".into(), ..PointInfo::default() };
        let stored = |(i, value): (usize, &f64)| Stored {
            time: Time(T0 + 1000 * i as i64),
            arrival: Time(T0),
            value: *value,
            quality: if value.is_nan() { Quality::BadNotConnected } else { Quality::Good },
            code: i as u32,
        };
        let samples: Vec<Stored> = values.iter().enumerate().map(stored).collect();
        let mut sink = Box::new(Parquet::new(std::fs::File::create(file).unwrap()));
        sink.samples(&info, &samples).unwrap();
        sink.finish().unwrap();
    };
    let whole = bench.path("x.bin");
    write(&whole, &[1500.0, 0.1 + 0.2, f64::NAN]);
    let bytes = std::fs::read(&whole).unwrap();
    std::fs::write(bench.path("a.parquet"), &bytes[..bytes.len() / 2]).unwrap();
    let run = bench.run(vec![bench.source("*.parquet")], true);
    run.nothing_more();
    std::fs::write(bench.path("a.parquet"), &bytes).unwrap();
    let got = run.samples(3);
    assert_eq!(values(&got)[..2], [(1, T0, 1500.0), (1, T0 + 1000, 0.1 + 0.2)]);
    assert!(got[2].value.is_nan() && got[2].quality == Quality::BadNotConnected && got[2].code == 2);
    run.nothing_more();
    run.end();
    let run = bench.run(vec![bench.source("*.parquet")], true);
    run.nothing_more();
    run.end();
}
