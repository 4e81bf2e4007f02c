//! Real models, broken in every way that files break: whatever is lost is told, and no run of the program takes more
//! memory than four times the file (unpacked, for an ifcZIP) and 300 MB, nor longer than a minute.
//!
//! The samples are found through `PLENUM_SAMPLES`; without it these tests say so and pass.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use common::{finish, start, watched};
use plenum::import::{self, Progress};
use plenum::site::model::Model;
use plenum::{Problem, Severity};
use rand::{Rng, SeedableRng};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::Mutex;
use std::time::{Duration, Instant};

/// Small ones for the tables of hundreds; the whole set is for the long run.
const SMALL: [&str; 4] = ["pcert-hvac.ifc", "pcert-architecture.ifc", "pcert-structural.ifc", "tall-building.ifc"];
const LARGE: [&str; 3] = ["duplex-architecture.ifc", "duplex-electrical.ifc", "terrain-us-survey-feet.ifc"];

const ZIPPED: &str = "window-frames.ifczip";
const ALL: [&str; 9] = [
    "pcert-hvac.ifc",
    "pcert-architecture.ifc",
    "pcert-structural.ifc",
    "tall-building.ifc",
    "duplex-architecture.ifc",
    "duplex-electrical.ifc",
    "terrain-us-survey-feet.ifc",
    "pcert-landscaping.ifc",
    ZIPPED,
];

/// A run may hold so much beside four times the file, MB (10⁶ bytes).
const BESIDE_MB: f64 = 300.0;
/// No run takes longer.
const PATIENCE: Duration = Duration::from_secs(60);

/// What `plenum import` took of the files that it was measured on; none while nothing is to be measured.
static MEASURED: Mutex<Option<Measured>> = Mutex::new(None);

type Result = std::result::Result<(Model, Vec<Problem>), Problem>;

fn samples(names: &[&'static str]) -> Vec<(&'static str, Vec<u8>)> {
    let Some(folder) = std::env::var_os("PLENUM_SAMPLES").map(|s| PathBuf::from(s).join("ifc")) else {
        eprintln!("skipped: set PLENUM_SAMPLES to the folder of samples");
        return Vec::new();
    };
    names.iter().map(|name| (*name, std::fs::read(folder.join(name)).unwrap())).collect()
}

fn read(what: &str, bytes: Vec<u8>) -> Result {
    read_as("broken.ifc", what, bytes)
}

fn read_as(name: &'static str, what: &str, bytes: Vec<u8>) -> Result {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(name);
    std::fs::write(&path, bytes).unwrap();
    if let Some(measured) = MEASURED.lock().unwrap().as_mut() {
        measured.add(what, &path);
    }
    watched(what, move || {
        let _keep = folder;
        import::read(&path, &Progress::default())
    })
}

/// Memory and time of runs of the program.
#[derive(Default)]
struct Measured {
    runs: usize,
    /// The run that took the greatest share of its limit, and that share.
    nearest: (f64, String),
    longest: (Duration, String),
    over: Vec<String>,
}

impl Measured {
    /// Imports a file by the program.
    fn add(&mut self, what: &str, path: &Path) {
        let clock = Instant::now();
        let output = finish(start(&["import", "--json", &path.display().to_string()], Stdio::piped(), Stdio::piped()));
        let took = clock.elapsed();
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(matches!(output.status.code(), Some(0 | 1)), "{what}: {:?} {said}", output.status);
        let document: Value = serde_json::from_slice(&output.stdout).unwrap_or_else(|e| panic!("{what}: {e}: {said}"));
        // Only Linux tells.
        let peak = document["peak_rss_mb"].as_f64().unwrap_or_default();
        let most = 4.0 * unpacked(path) as f64 / 1e6 + BESIDE_MB;
        self.runs += 1;
        if self.runs.is_multiple_of(100) {
            let [nearest, longest] = [&self.nearest.1, &self.longest.1];
            eprintln!("{} runs; nearest to its limit {nearest}; longest {:.1?}, {longest}", self.runs, self.longest.0);
        }
        if peak / most > self.nearest.0 {
            self.nearest = (peak / most, format!("{what}: {peak:.0} MB of {most:.0} MB"));
        }
        if took > self.longest.0 {
            self.longest = (took, what.to_owned());
        }
        if peak > most || took > PATIENCE {
            self.over.push(format!("{what}: {peak:.0} MB of {most:.0} MB in {took:.1?}"));
        }
    }

    fn report(self) {
        let Self { runs, nearest, longest, over } = self;
        println!("{runs} runs of plenum import; nearest to its limit {}; longest {longest:.1?}", nearest.1);
        assert!(runs > 0 || std::env::var_os("PLENUM_SAMPLES").is_none(), "nothing was measured");
        assert!(over.is_empty(), "{} runs took too much:\n{}", over.len(), over.join("\n"));
    }
}

/// Size of a file; of an archive, of what is in it. What an archive only claims does not count.
fn unpacked(path: &Path) -> u64 {
    let bytes = std::fs::read(path).unwrap();
    let size = bytes.len() as u64;
    let Ok(mut archive) = zip::ZipArchive::new(std::io::Cursor::new(bytes)) else { return size };
    let mut all = 0;
    for i in 0..archive.len() {
        if let Ok(member) = archive.by_index(i) {
            let mut none = std::io::sink();
            all += std::io::copy(&mut member.take(2_000_000_000), &mut none).unwrap_or(0);
        }
    }
    size.max(all)
}

/// Does `work` while what it reads is measured.
fn measured(work: impl FnOnce()) {
    *MEASURED.lock().unwrap() = Some(Measured::default());
    work();
    if let Some(measured) = MEASURED.lock().unwrap().take() {
        measured.report();
    }
}

/// What there was to see, and what there is now.
struct Whole {
    elements: BTreeSet<String>,
    drawn: BTreeMap<String, [[i64; 3]; 2]>,
}

impl Whole {
    fn of(model: &Model) -> Self {
        let cm = |v: f64| (v * 100.0).round() as i64;
        let drawn = model.counted().filter_map(|e| {
            let b = e.bounds?;
            Some((e.id.clone(), [b.min.to_array().map(cm), b.max.to_array().map(cm)]))
        });
        Self { elements: model.counted().map(|e| e.id.clone()).collect(), drawn: drawn.collect() }
    }

    /// What is missing, or is drawn elsewhere, and nobody says so.
    fn lost_in_silence(&self, result: &Result) -> Option<String> {
        let (model, problems) = match result {
            Err(problem) if problem.message.is_empty() => return Some("an error without words".into()),
            Err(_) => return None,
            Ok(read) => read,
        };
        if problems.iter().any(|p| p.severity != Severity::Info) {
            return None;
        }
        let now = Self::of(model);
        let missing = self.elements.difference(&now.elements).count();
        let undrawn = self.drawn.keys().filter(|id| !now.drawn.contains_key(*id)).count();
        let near = |a: &[[i64; 3]; 2], b: &[[i64; 3]; 2]| {
            a.iter().flatten().zip(b.iter().flatten()).all(|(a, b)| (a - b).abs() <= 2)
        };
        let moved = self.drawn.iter().filter(|(id, b)| now.drawn.get(*id).is_some_and(|n| !near(n, b))).count();
        let lost = missing + undrawn + moved;
        (lost > 0).then(|| format!("{missing} missing, {undrawn} not drawn, {moved} elsewhere; told: {problems:?}"))
    }
}

fn report(faults: &[String], cases: usize) {
    println!("{cases} broken files, {} lost something in silence", faults.len());
    assert!(faults.is_empty(), "{} of {cases}:\n{}", faults.len(), faults.join("\n"));
}

fn cut_at_places(names: &[&'static str], places: usize) {
    let (mut faults, mut cases) = (Vec::new(), 0);
    for (name, bytes) in samples(names) {
        let whole = Whole::of(&read(name, bytes.clone()).unwrap().0);
        for place in 0..places {
            let at = bytes.len() * (2 * place + 1) / (2 * places);
            let what = format!("{name} cut at {at}");
            let result = read(&what, bytes[..at].to_vec());
            if let Ok((_, problems)) = &result {
                assert!(problems.iter().any(|p| p.message.contains("ends early")), "{what}: {problems:?}");
            }
            faults.extend(whole.lost_in_silence(&result).map(|lost| format!("{what}: {lost}")));
            cases += 1;
        }
    }
    report(&faults, cases);
}

/// Each class of record removed from a file, one after the other.
fn without_each_class(names: &[&'static str], of_each: usize) {
    // What may go without a word: no reader can know that it was ever there.
    let unknowable = ["IFCRELVOIDSELEMENT", "IFCOPENINGELEMENT"];
    let (mut faults, mut cases) = (Vec::new(), 0);
    for (name, bytes) in samples(names) {
        let whole = Whole::of(&read(name, bytes.clone()).unwrap().0);
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let class_of = |line: &str| {
            let rest = line.strip_prefix('#')?.split_once('=')?.1.trim_start();
            Some(rest.split('(').next()?.trim().to_ascii_uppercase())
        };
        let classes: BTreeSet<String> = text.lines().filter_map(class_of).collect();
        let step = classes.len().div_ceil(of_each).max(1);
        for class in classes.iter().step_by(step).filter(|c| !unknowable.contains(&c.as_str())) {
            let kept = text.lines().filter(|l| class_of(l).as_ref() != Some(class));
            let left: String = kept.map(|l| format!("{l}\n")).collect();
            // An element's own records gone: they are not lost, they never were.
            let gone: BTreeSet<&str> = text.lines().filter(|l| class_of(l).as_ref() == Some(class)).collect();
            let is_element = whole.elements.iter().any(|id| gone.iter().any(|l| l.contains(id.as_str())));
            let what = format!("{name} without {class}");
            let result = read(&what, left.into_bytes());
            cases += 1;
            if !is_element {
                faults.extend(whole.lost_in_silence(&result).map(|lost| format!("{what}: {lost}")));
            }
        }
    }
    report(&faults, cases);
}

/// Bytes changed at random: nothing hangs, nothing panics, and every answer has words.
fn flipped(names: &[&'static str], times: u64) {
    let mut cases = 0;
    for (name, bytes) in samples(names) {
        for seed in 0..times {
            match read(&format!("{name} flipped by {seed}"), changed(&bytes, seed)) {
                Ok((model, _)) => {
                    let sane = |e: &plenum::site::Element| {
                        e.placement.is_finite() && e.bounds.is_none_or(|b| b.min.is_finite() && b.max.is_finite())
                    };
                    assert!(model.elements.iter().all(sane), "{name} flipped by {seed}");
                }
                Err(problem) => assert!(!problem.message.is_empty(), "{name} flipped by {seed}"),
            }
            cases += 1;
        }
    }
    println!("{cases} files with changed bytes were read or refused");
}

/// An archive of one model, broken outside and inside.
fn archives(places: usize, times: u64) {
    let mut cases = 0;
    let mut sane = |what: String, bytes: Vec<u8>| {
        if let Err(problem) = read_as("broken.ifczip", &what, bytes) {
            assert!(!problem.message.is_empty(), "{what}");
        }
        cases += 1;
    };
    for (name, bytes) in samples(&[ZIPPED]) {
        let mut inside = Vec::new();
        let mut archive = zip::ZipArchive::new(std::io::Cursor::new(&bytes)).unwrap();
        archive.by_index(0).unwrap().read_to_end(&mut inside).unwrap();
        for place in 0..places {
            let at = |length: usize| length * (2 * place + 1) / (2 * places);
            sane(format!("{name} cut at {}", at(bytes.len())), bytes[..at(bytes.len())].to_vec());
            sane(format!("{name} cut inside at {}", at(inside.len())), zipped(&inside[..at(inside.len())]));
        }
        for seed in 0..times {
            sane(format!("{name} flipped by {seed}"), changed(&bytes, seed));
            sane(format!("{name} flipped inside by {seed}"), zipped(&changed(&inside, seed)));
        }
        // Little on the disk, and much of nothing inside.
        sane(format!("{name} and 200 MB of blanks"), zipped(&[inside.as_slice(), &vec![b' '; 200_000_000]].concat()));
    }
    println!("{cases} broken archives were read or refused");
}

fn zipped(bytes: &[u8]) -> Vec<u8> {
    let mut zip = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    zip.start_file("a.ifc", zip::write::SimpleFileOptions::default()).unwrap();
    zip.write_all(bytes).unwrap();
    zip.finish().unwrap().into_inner()
}

/// Some bytes changed, always the same for a seed.
fn changed(bytes: &[u8], seed: u64) -> Vec<u8> {
    let mut random = rand_chacha::ChaCha8Rng::seed_from_u64(seed);
    let mut broken = bytes.to_vec();
    for _ in 0..1 << random.random_range(0..8) {
        let at = random.random_range(0..broken.len());
        broken[at] = random.random();
    }
    broken
}

#[test]
fn cut_short() {
    cut_at_places(&SMALL, 20);
}

#[test]
fn without_a_class_of_records() {
    without_each_class(&SMALL[..3], 40);
}

#[test]
fn with_changed_bytes() {
    flipped(&SMALL[..3], 40);
}

#[test]
fn archives_that_are_broken() {
    archives(3, 8);
}

/// The demo's files and every sample as they are.
#[test]
fn whole_files_stay_within_their_memory() {
    let clinic = Path::new(env!("CARGO_MANIFEST_DIR")).join("models/clinic");
    let demo = ["clinic-mep.ifc", "clinic-architecture.ifc", "site.geojson", "assets.csv"];
    let mut files: Vec<PathBuf> = demo.iter().map(|f| clinic.join(f)).collect();
    if let Some(folder) = std::env::var_os("PLENUM_SAMPLES") {
        files.extend(ALL.iter().map(|f| PathBuf::from(&folder).join("ifc").join(f)));
    }
    let mut all = Measured::default();
    for file in &files {
        all.add(&file.file_name().unwrap().to_string_lossy(), file);
    }
    all.report();
}

#[test]
#[ignore = "an hour: every sample, every place and class, each read by the program, too"]
fn every_sample_broken_in_every_way() {
    measured(|| {
        cut_at_places(&ALL[..8], 20);
        without_each_class(&SMALL, usize::MAX);
        without_each_class(&LARGE, usize::MAX);
        flipped(&SMALL, 1000);
        flipped(&LARGE, 200);
        flipped(&["pcert-landscaping.ifc"], 200);
        archives(20, 200);
    });
}
