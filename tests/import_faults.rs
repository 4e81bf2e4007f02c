//! Real models, broken in every way that files break: whatever is lost is told.
//!
//! The samples are found through `PLENUM_SAMPLES`; without it these tests say so and pass.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use common::watched;
use plenum::import::{self, Progress};
use plenum::site::model::Model;
use plenum::{Problem, Severity};
use rand::{Rng, SeedableRng};
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

/// Small ones for the tables of hundreds; the whole set is for the long run.
const SMALL: [&str; 4] = ["pcert-hvac.ifc", "pcert-architecture.ifc", "pcert-structural.ifc", "tall-building.ifc"];
const LARGE: [&str; 3] = ["duplex-architecture.ifc", "duplex-electrical.ifc", "terrain-us-survey-feet.ifc"];

type Result = std::result::Result<(Model, Vec<Problem>), Problem>;

fn samples(names: &[&'static str]) -> Vec<(&'static str, Vec<u8>)> {
    let Some(folder) = std::env::var_os("PLENUM_SAMPLES").map(|s| PathBuf::from(s).join("ifc")) else {
        eprintln!("skipped: set PLENUM_SAMPLES to the folder of samples");
        return Vec::new();
    };
    names.iter().map(|name| (*name, std::fs::read(folder.join(name)).unwrap())).collect()
}

fn read(what: &str, bytes: Vec<u8>) -> Result {
    watched(what, move || {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("broken.ifc");
        std::fs::write(&path, bytes).unwrap();
        import::read(&path, &Progress::default())
    })
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
            let mut random = rand_chacha::ChaCha8Rng::seed_from_u64(seed);
            let mut broken = bytes.clone();
            for _ in 0..1 << random.random_range(0..8) {
                let at = random.random_range(0..broken.len());
                broken[at] = random.random();
            }
            match read(&format!("{name} flipped by {seed}"), broken) {
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
#[ignore = "some minutes: every sample, every place and class"]
fn every_sample_broken_in_every_way() {
    cut_at_places(&LARGE, 20);
    without_each_class(&SMALL, usize::MAX);
    without_each_class(&LARGE, usize::MAX);
    flipped(&SMALL, 1000);
    flipped(&LARGE, 200);
}
