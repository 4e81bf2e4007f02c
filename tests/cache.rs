//! What is kept of a file is what was read, whole; and whatever is wrong with a kept scene costs time and nothing else.
//!
//! The samples are found through `PLENUM_SAMPLES`; without it the demo's own files are what is read.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use common::{finish, json, said};
use plenum::import::cache::{Bounds, Cache, Imported};
use plenum::import::{self, Limits, Progress};
use plenum::shape::{Bvh, Details};
use plenum::site::Model;
use proptest::prelude::*;
use serde_json::Value;
use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant, SystemTime};

/// Every model at hand.
fn models() -> Vec<PathBuf> {
    let clinic = Path::new(env!("CARGO_MANIFEST_DIR")).join("models/clinic");
    let samples = std::env::var_os("PLENUM_SAMPLES").map(|s| PathBuf::from(s).join("ifc"));
    if samples.is_none() {
        eprintln!("SKIPPED in part: PLENUM_SAMPLES names no folder of sample models");
    }
    let mut files: Vec<PathBuf> = [Some(clinic), samples]
        .iter()
        .flatten()
        .flat_map(|folder| std::fs::read_dir(folder).unwrap().map(|e| e.unwrap().path()))
        .filter(|f| f.extension().is_some_and(|e| ["ifc", "ifczip", "geojson"].iter().any(|k| e == *k)))
        .collect();
    files.sort();
    files
}

fn clinic(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("models/clinic").join(name)
}

fn now() -> SystemTime {
    SystemTime::now()
}

fn cache(folder: &Path) -> Cache {
    Cache::new(folder, now())
}

fn read(cache: &Cache, file: &Path) -> Imported {
    cache.read(file, &Limits::default(), &Progress::default()).unwrap()
}

/// Reads a file that was never read, and keeps it.
fn keep(cache: &Cache, file: &Path) -> Imported {
    let first = read(cache, file);
    assert!(!first.from_cache, "{}", file.display());
    assert_eq!(cache.keep(&first), Ok(true), "{}", file.display());
    first
}

fn names_in(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).map(|e| e.flatten().collect()).unwrap_or_else(|_| Vec::new());
    let mut names: Vec<String> = entries.iter().map(|e| e.file_name().into_string().unwrap()).collect();
    names.retain(|n| n != ".gitignore");
    names.sort();
    names
}

/// The one scene in a folder.
fn scene(folder: &Path) -> PathBuf {
    let names = names_in(folder);
    assert_eq!(names.len(), 1, "{names:?}");
    folder.join(&names[0])
}

fn distinct_sets(model: &Model) -> usize {
    model.elements.iter().flat_map(|e| &e.properties).map(Arc::as_ptr).collect::<HashSet<_>>().len()
}

#[test]
fn what_is_kept_is_what_was_read() {
    let folder = tempfile::tempdir().unwrap();
    let cache = cache(folder.path());
    let models = models();
    assert!(models.len() >= 3);
    for file in &models {
        let first = keep(&cache, file);
        let second = read(&cache, file);
        let name = file.file_name().unwrap().to_string_lossy();
        assert!(second.from_cache, "{name}");
        assert!(second.model == first.model, "{name}: {}", difference(&first.model, &second.model));
        assert_eq!(second.problems, first.problems, "{name}");
        assert_eq!(distinct_sets(&second.model), distinct_sets(&first.model), "{name}: sets are shared as before");
        assert!(second.model.details == Details::of_shapes(&second.model.shapes), "{name}: its trees are all there");
        assert_eq!(Bvh::of_model(&second.model).len(), Bvh::of_model(&first.model).len(), "{name}");
        // What came from the cache is not kept again.
        assert_eq!(cache.keep(&second), Ok(false), "{name}");
    }
    assert_eq!(names_in(folder.path()).len(), models.len());
}

/// The first part of two models that is not equal.
fn difference(a: &Model, b: &Model) -> String {
    for (i, (a, b)) in a.elements.iter().zip(&b.elements).enumerate() {
        if a != b {
            return format!("element {i}: {a:?} is {b:?}");
        }
    }
    for (i, (a, b)) in a.shapes.iter().zip(&b.shapes).enumerate() {
        if a != b {
            return format!("shape {i}");
        }
    }
    let plain =
        |m: &Model| Model { elements: Vec::new(), shapes: Vec::new(), details: Details::default(), ..m.clone() };
    format!("{:?} is {:?}", plain(a), plain(b))
}

/// Rays meet what is kept as they meet what was read.
#[test]
fn kept_trees_are_hit_where_new_ones_are() {
    let folder = tempfile::tempdir().unwrap();
    let cache = cache(folder.path());
    let file = clinic("clinic-mep.ifc");
    let plain = import::read(&file, &Progress::default()).unwrap().0;
    assert!(plain.details.is_empty());
    keep(&cache, &file);
    let kept = read(&cache, &file).model;
    assert!(!kept.details.is_empty());
    let (new, old) = (Bvh::of_model(&plain), Bvh::of_model(&kept));
    let bounds = plain.bounds().unwrap();
    let mut hits = 0;
    for i in 0..2000 {
        let angle = f64::from(i) * 0.61;
        let from = bounds.centre() + glam::DVec3::new(angle.cos(), angle.sin(), 0.4) * bounds.radius() * 2.0;
        let to =
            bounds.min + bounds.size() * glam::DVec3::new(0.1 + f64::from(i % 9) * 0.1, 0.5, f64::from(i % 7) / 7.0);
        let (a, b) = (new.pick(from, to - from, |_| true), old.pick(from, to - from, |_| true));
        assert_eq!(a, b);
        hits += usize::from(a.is_some());
    }
    assert!(hits > 100, "only {hits} rays met anything");
}

/// A map layer, and what it is read as.
fn layer() -> &'static (Vec<u8>, Imported, Vec<u8>) {
    static LAYER: OnceLock<(Vec<u8>, Imported, Vec<u8>)> = OnceLock::new();
    LAYER.get_or_init(|| {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("site.geojson");
        let text = std::fs::read(clinic("site.geojson")).unwrap();
        std::fs::write(&file, &text).unwrap();
        let scenes = folder.path().join("scenes");
        let first = keep(&cache(&scenes), &file);
        (text, first, std::fs::read(scene(&scenes)).unwrap())
    })
}

/// A folder with the layer and a scene of it that holds `bytes`.
struct Broken {
    folder: tempfile::TempDir,
    file: PathBuf,
    scene: PathBuf,
}

impl Broken {
    fn new(bytes: &[u8]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("site.geojson");
        std::fs::write(&file, &layer().0).unwrap();
        let scenes = folder.path().join("scenes");
        keep(&cache(&scenes), &file);
        let scene = scene(&scenes);
        std::fs::write(&scene, bytes).unwrap();
        Self { folder, file, scene }
    }

    /// Nothing of it was believed; reading the file again mended it.
    fn is_noticed_and_mended(&self) {
        let (_, first, good) = layer();
        let cache = cache(&self.folder.path().join("scenes"));
        let again = keep(&cache, &self.file);
        assert!(Model { file: PathBuf::new(), ..again.model } == Model { file: PathBuf::new(), ..first.model.clone() });
        assert!(std::fs::read(&self.scene).unwrap() == *good, "the scene was not made anew");
        assert!(read(&cache, &self.file).from_cache);
    }
}

#[test]
fn a_scene_that_is_cut_off_is_made_anew() {
    let good = &layer().2;
    let broken = Broken::new(good);
    for i in 0..50 {
        std::fs::write(&broken.scene, &good[..good.len() * i / 50]).unwrap();
        broken.is_noticed_and_mended();
    }
    std::fs::write(&broken.scene, [good.as_slice(), b"x"].concat()).unwrap();
    broken.is_noticed_and_mended();
}

#[test]
fn a_scene_that_is_something_else_is_made_anew() {
    for foreign in [b"".as_slice(), b"x", b"PLENUMsc", &[0; 4096], &[0xff; 4096], layer().0.as_slice()] {
        Broken::new(foreign).is_noticed_and_mended();
    }
    // The scene of another file, under this one's name.
    let folder = tempfile::tempdir().unwrap();
    let other = folder.path().join("other.geojson");
    let text = String::from_utf8(layer().0.clone()).unwrap();
    std::fs::write(&other, format!("{text}\n")).unwrap();
    keep(&cache(folder.path().join("scenes").as_path()), &other);
    let scene = scene(&folder.path().join("scenes"));
    Broken::new(&std::fs::read(scene).unwrap()).is_noticed_and_mended();
    // A folder where the scene should be: nothing is kept, and nothing is lost.
    let broken = Broken::new(b"");
    std::fs::remove_file(&broken.scene).unwrap();
    std::fs::create_dir(&broken.scene).unwrap();
    let cache = cache(&broken.folder.path().join("scenes"));
    let again = read(&cache, &broken.file);
    assert!(!again.from_cache && again.problems == layer().1.problems);
    assert!(cache.keep(&again).is_err());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]
    #[test]
    fn a_flipped_bit_is_noticed(at in any::<prop::sample::Index>(), bit in 0..8_u32) {
        static BROKEN: OnceLock<std::sync::Mutex<Broken>> = OnceLock::new();
        let good = &layer().2;
        let broken = BROKEN.get_or_init(|| std::sync::Mutex::new(Broken::new(good)));
        let broken = broken.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let mut bytes = good.clone();
        bytes[at.index(good.len())] ^= 1 << bit;
        std::fs::write(&broken.scene, bytes).unwrap();
        broken.is_noticed_and_mended();
    }
}

#[test]
fn a_changed_file_is_read_anew_and_a_moved_one_is_not() {
    let folder = tempfile::tempdir().unwrap();
    let scenes = folder.path().join("scenes");
    let cache = cache(&scenes);
    let file = folder.path().join("site.geojson");
    // One feature that is none: a problem with the file's name in it.
    let text = String::from_utf8(layer().0.clone()).unwrap();
    let text = text.replacen("\"features\":[", "\"features\":[5,", 1);
    std::fs::write(&file, &text).unwrap();
    let first = keep(&cache, &file);
    assert!(first.problems.iter().any(|p| p.place.contains("site.geojson")), "{:?}", first.problems);
    let moved = folder.path().join("moved.geojson");
    std::fs::rename(&file, &moved).unwrap();
    let second = read(&cache, &moved);
    assert!(second.from_cache && second.model.file == moved);
    let fresh = read(&Cache::off(), &moved);
    assert!(!fresh.from_cache && fresh.problems == second.problems, "{:?} for {:?}", second.problems, fresh.problems);
    std::fs::write(&moved, text.replacen("height", "hight", 1)).unwrap();
    let changed = read(&cache, &moved);
    assert!(!changed.from_cache && changed.model.elements != first.model.elements);
    // It changes once more before it is kept: nobody can say what these bytes would be read as.
    std::fs::write(&moved, &text).unwrap();
    assert_eq!(cache.keep(&changed), Ok(false));
    assert_eq!(names_in(&scenes).len(), 1);
}

#[test]
fn another_reader_reads_anew() {
    let folder = tempfile::tempdir().unwrap();
    let cache = cache(folder.path());
    keep(&cache, &clinic("site.geojson"));
    keep(&cache.clone().of_reader("2"), &clinic("site.geojson"));
    assert!(read(&cache, &clinic("site.geojson")).from_cache);
    assert_eq!(names_in(folder.path()).len(), 2);
}

#[test]
fn a_file_over_the_limit_is_refused_although_it_is_kept() {
    let folder = tempfile::tempdir().unwrap();
    let cache = cache(folder.path());
    keep(&cache, &clinic("site.geojson"));
    let limits = Limits { max_bytes: 100, ..Limits::default() };
    let refused = cache.read(&clinic("site.geojson"), &limits, &Progress::default()).unwrap_err();
    assert!(refused.message.contains("limit"), "{refused}");
}

#[test]
fn what_cannot_be_read_is_refused_as_without_a_cache() {
    let folder = tempfile::tempdir().unwrap();
    let cache = cache(&folder.path().join("scenes"));
    std::fs::write(folder.path().join("empty.ifc"), "").unwrap();
    std::fs::write(folder.path().join("notes.txt"), "notes").unwrap();
    for name in ["empty.ifc", "notes.txt", "missing.ifc", "."] {
        let file = folder.path().join(name);
        let refusal = |cache: &Cache| cache.read(&file, &Limits::default(), &Progress::default()).unwrap_err();
        assert_eq!(refusal(&cache), refusal(&Cache::off()), "{name}");
    }
    assert!(!folder.path().join("scenes").exists(), "nothing to keep makes no folder");
    let progress = Progress::default();
    keep(&cache, &clinic("site.geojson"));
    progress.cancel();
    let stopped = cache.read(&clinic("site.geojson"), &Limits::default(), &progress).unwrap_err();
    assert!(stopped.message.contains("stopped"), "{stopped}");
}

#[test]
fn what_the_clock_cut_short_is_not_kept() {
    let folder = tempfile::tempdir().unwrap();
    let cache = cache(folder.path());
    let file = clinic("clinic-architecture.ifc");
    let hurried = Limits { cut_patience: Duration::ZERO, ..Limits::default() };
    let first = cache.read(&file, &hurried, &Progress::default()).unwrap();
    assert!(first.model.cut_short && first.model.without_openings > 0);
    assert_eq!(cache.keep(&first), Ok(false));
    assert_eq!(names_in(folder.path()), Vec::<String>::new());
    let whole = keep(&cache, &file);
    assert_eq!(whole.model.without_openings, 0);
    // Who is in a hurry gets the whole model, now that it is there.
    let again = cache.read(&file, &hurried, &Progress::default()).unwrap();
    assert!(again.from_cache && again.model == whole.model);
}

#[test]
fn a_folder_that_cannot_be_written_to_costs_a_note() {
    let folder = tempfile::tempdir().unwrap();
    let blocked = folder.path().join("file");
    std::fs::write(&blocked, "in the way").unwrap();
    let no_cache = cache(&blocked.join("scenes"));
    let first = read(&no_cache, &clinic("site.geojson"));
    let problem = no_cache.keep(&first).unwrap_err();
    assert_eq!(problem.severity, plenum::Severity::Info);
    assert!(problem.place.contains("scenes") && problem.message.contains("cannot be kept"), "{problem}");
    assert_eq!(std::fs::read_to_string(&blocked).unwrap(), "in the way");
    // A second folder takes its place, to write to and to read from.
    let spare = folder.path().join("spare");
    let either = no_cache.or(&spare);
    keep(&either, &clinic("site.geojson"));
    assert!(read(&either, &clinic("site.geojson")).from_cache);
    assert_eq!(names_in(&spare).len(), 1);
}

#[test]
fn off_is_off() {
    let first = read(&Cache::off(), &clinic("site.geojson"));
    assert!(!first.from_cache && first.model.details.is_empty());
    assert_eq!(Cache::off().keep(&first), Ok(false));
}

#[test]
fn many_at_once_leave_one_whole_scene() {
    let folder = tempfile::tempdir().unwrap();
    let file = clinic("clinic-architecture.ifc");
    let cache = cache(folder.path());
    let models: Vec<Imported> = std::thread::scope(|scope| {
        let work = || {
            let imported = read(&cache, &file);
            cache.keep(&imported).unwrap();
            read(&cache, &file)
        };
        let workers: Vec<_> = (0..6).map(|_| scope.spawn(work)).collect();
        workers.into_iter().map(|w| w.join().unwrap()).collect()
    });
    scene(folder.path());
    assert!(models.iter().all(|m| m.from_cache && m.model.elements == models[0].model.elements));
}

#[test]
fn the_cache_stays_within_its_bounds() {
    let folder = tempfile::tempdir().unwrap();
    let scenes = folder.path().join("scenes");
    let file = folder.path().join("site.geojson");
    let text = String::from_utf8(layer().0.clone()).unwrap();
    let at = |hour: u64| Cache::new(&scenes, now() + Duration::from_secs(hour * 7200));
    for n in 0..6 {
        std::fs::write(&file, format!("{text}{}", " ".repeat(n))).unwrap();
        let bounds = Bounds { max_scenes: 3, ..Bounds::default() };
        keep(&at(n as u64).within(bounds), &file);
        assert_eq!(names_in(&scenes).len(), (n + 1).min(3));
    }
    // The oldest of the three is used, and so outlives the next.
    std::fs::write(&file, format!("{text}{}", " ".repeat(3))).unwrap();
    assert!(read(&at(7), &file).from_cache);
    let size = layer().2.len() as u64;
    std::fs::write(&file, text.replacen("height", "hight", 1)).unwrap();
    keep(&at(8).within(Bounds { max_bytes: size * 5 / 2, max_scenes: 100 }), &file);
    assert_eq!(names_in(&scenes).len(), 2);
    std::fs::write(&file, format!("{text}{}", " ".repeat(3))).unwrap();
    assert!(read(&at(9), &file).from_cache);
    // What is larger than all of the cache may be is not kept.
    std::fs::write(&file, format!("{text}{}", " ".repeat(9))).unwrap();
    let small = at(9).within(Bounds { max_bytes: 100, max_scenes: 100 });
    assert_eq!(small.keep(&read(&small, &file)), Ok(false));
    assert_eq!(names_in(&scenes).len(), 2);
}

fn plenum(folder: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_plenum"));
    command.args(arguments).current_dir(folder).env("XDG_CACHE_HOME", folder.join("user")).env("HOME", folder);
    command.env_remove("PLENUM_CACHE").stdin(Stdio::null());
    finish(command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap())
}

/// A document without what may differ, and whether each file came from the cache.
fn document(output: &Output) -> (Value, Vec<bool>) {
    said(output, 0);
    let mut document = json(output);
    document.as_object_mut().unwrap().remove("peak_rss_mb");
    let mut from_cache = Vec::new();
    for file in document["files"].as_array_mut().unwrap() {
        let file = file.as_object_mut().unwrap();
        file.remove("seconds");
        from_cache.push(file.remove("from_cache").unwrap().as_bool().unwrap());
    }
    (document, from_cache)
}

#[test]
fn the_command_line_prints_the_same_from_the_cache() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    for name in ["clinic-architecture.ifc", "clinic-mep.ifc", "site.geojson"] {
        std::fs::copy(clinic(name), folder.join(name)).unwrap();
    }
    // A file that ends early has a problem, with its name in it.
    let text = std::fs::read_to_string(folder.join("clinic-mep.ifc")).unwrap();
    std::fs::write(folder.join("clinic-mep.ifc"), text.replace("END-ISO-10303-21", "")).unwrap();
    let import = |cache: &[&str], out: &str| {
        let files = ["clinic-architecture.ifc", "./clinic-mep.ifc", "site.geojson"];
        let arguments = [&["import"], &files[..], &["--json", "--elements", out], cache].concat();
        let (document, from_cache) = document(&plenum(folder, &arguments));
        (document, from_cache, std::fs::read(folder.join(out)).unwrap())
    };
    let (off, none, elements) = import(&["--cache", "off"], "off.jsonl");
    assert_eq!(none, [false; 3]);
    assert!(!folder.join("user").exists() && !folder.join(".plenum").exists());
    for cache in [&["--cache", "here"][..], &[]] {
        for (expected, out) in [([false; 3], "1.jsonl"), ([true; 3], "2.jsonl")] {
            let (document, from_cache, lines) = import(cache, out);
            assert_eq!(from_cache, expected, "{cache:?}");
            assert_eq!(document, off, "{cache:?}");
            assert!(lines == elements, "{cache:?}: other elements");
        }
    }
    assert_eq!(names_in(&folder.join("here")).len(), 3);
    let users = if cfg!(target_os = "linux") { Some(folder.join("user/plenum/scenes")) } else { None };
    assert!(users.is_none_or(|scenes| names_in(&scenes).len() == 3), "the user's cache folder is the usual one");
    // A cache that cannot be kept is a line on stderr, not a failure.
    std::fs::write(folder.join("small"), "").unwrap();
    let output = plenum(folder, &["import", "site.geojson", "--json", "--cache", "small/scenes"]);
    assert!(said(&output, 0).contains("cannot be kept"), "{output:?}");
    assert_eq!(document(&output).1, [false]);
}

/// A limit on the size of files stands for a disk that is full: it needs no rights.
#[cfg(unix)]
#[test]
fn a_full_disk_costs_a_note() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("site.geojson"), &layer().0).unwrap();
    let script = "trap '' XFSZ; ulimit -f 8; exec \"$0\" import site.geojson --json --cache here";
    let mut command = Command::new("sh");
    command.args(["-c", script, env!("CARGO_BIN_EXE_plenum")]).current_dir(folder.path()).stdin(Stdio::null());
    let output = finish(command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap());
    assert!(said(&output, 0).contains("cannot be kept"), "{output:?}");
    assert!(json(&output)["files"][0]["elements"].as_u64().is_some_and(|n| n > 0));
    assert_eq!(names_in(&folder.path().join("here")), Vec::<String>::new(), "nothing half-written is left");
}

#[test]
fn a_project_keeps_its_models_beside_its_file() {
    let folder = tempfile::tempdir().unwrap();
    said(&plenum(folder.path(), &["make-demo", "clinic"]), 0);
    let run = || {
        let output = plenum(folder.path(), &["run", "clinic", "--headless", "--for", "0.1s", "--json"]);
        said(&output, 0);
        let report = json(&output);
        (report["elements"].clone(), report["points"].clone(), report["problems"].clone())
    };
    let scenes = folder.path().join("clinic/.plenum/cache");
    let first = run();
    let names = names_in(&scenes);
    assert_eq!(names.len(), 3, "{names:?}");
    assert_eq!(std::fs::read_to_string(scenes.join(".gitignore")).unwrap(), "*\n");
    let written = |name: &String| std::fs::metadata(scenes.join(name)).unwrap().modified().unwrap();
    let times: Vec<SystemTime> = names.iter().map(written).collect();
    assert_eq!(run(), first);
    assert_eq!(names_in(&scenes), names);
    assert_eq!(names.iter().map(written).collect::<Vec<_>>(), times, "they were read, not written again");
    assert!(!folder.path().join("user").exists(), "nothing of a project lies elsewhere");
}

/// Prints what the first and the second opening of every model cost: `cargo test --test cache -- --ignored
/// --nocapture figures`.
#[test]
#[ignore = "prints figures"]
fn figures() {
    let folder = tempfile::tempdir().unwrap();
    let cache = cache(folder.path());
    println!(
        "{:32} {:>8} {:>9} {:>10} {:>10} {:>10} {:>7}",
        "", "file MB", "scene MB", "first ms", "keep ms", "second ms", "ratio"
    );
    for file in models() {
        let before: HashSet<String> = names_in(folder.path()).into_iter().collect();
        let open = || {
            let (cpu, clock) = (cpu_time::ProcessTime::now(), Instant::now());
            let imported = read(&cache, &file);
            let tree = Bvh::of_model(&imported.model);
            let cost = (cpu.elapsed().as_secs_f64() * 1e3, clock.elapsed().as_secs_f64() * 1e3);
            drop(tree);
            (imported, cost)
        };
        let (first, cost) = open();
        let keep = cpu_time::ProcessTime::now();
        cache.keep(&first).unwrap();
        let keep = keep.elapsed().as_secs_f64() * 1e3;
        drop(first);
        // The least of many: the second opening is so short that anything else on the machine counts.
        let seconds: Vec<(Imported, (f64, f64))> = (0..15).map(|_| open()).collect();
        assert!(seconds.iter().all(|(s, _)| s.from_cache));
        let least = seconds.iter().map(|(_, (cpu, _))| *cpu).fold(f64::INFINITY, f64::min);
        let scene = names_in(folder.path()).into_iter().find(|n| !before.contains(n));
        let scene = scene.map_or(0, |n| std::fs::metadata(folder.path().join(n)).unwrap().len());
        let mb = |bytes: u64| bytes as f64 / 1e6;
        let name = file.file_name().unwrap().to_string_lossy();
        let size = mb(std::fs::metadata(&file).unwrap().len());
        println!(
            "{name:32} {size:8.2} {:9.2} {:10.2} {keep:10.2} {least:10.2} {:7.1}",
            mb(scene),
            cost.0,
            cost.0 / least
        );
    }
}
